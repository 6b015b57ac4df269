//! The folder in which answers are kept.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::AwsError;
use crate::import::{ACCOUNT_SCHEMA, AccountAnswers, AccountManifest, RegionManifest};
use crate::time::utc;

/// A folder, if answers are kept.
pub struct RawFolder(Option<PathBuf>);

impl RawFolder {
    pub fn new(folder: Option<&Path>) -> RawFolder {
        RawFolder(folder.map(Path::to_path_buf))
    }

    /// Whether answers are kept.
    pub fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Writes a document.
    pub fn text(&self, name: &str, text: &str) -> Result<(), AwsError> {
        self.write(name, text.as_bytes())
    }

    /// Writes a document compressed.
    pub fn compressed(&self, name: &str, json: &impl serde::Serialize) -> Result<(), AwsError> {
        if self.0.is_none() {
            return Ok(());
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        // As one piece, which packs many times faster than a number at a time.
        let text = serde_json::to_vec(json).map_err(std::io::Error::other);
        let bytes = text
            .and_then(|text| packed.write_all(&text))
            .and_then(|()| packed.finish())
            .map_err(|error| failed(name, &error))?;
        self.write(name, &bytes)
    }

    /// Writes what the answers are about, last.
    pub fn manifest(&self, answers: &AccountAnswers) -> Result<(), AwsError> {
        let manifest = AccountManifest {
            schema: ACCOUNT_SCHEMA.to_string(),
            account: answers.account.clone(),
            from: utc(answers.from),
            to: utc(answers.to),
            regions: answers
                .regions
                .iter()
                .map(|region| RegionManifest {
                    region: region.region.clone(),
                    gaps: region.gaps.clone(),
                })
                .collect(),
        };
        let text = serde_json::to_string_pretty(&manifest)
            .map_err(|error| failed("account.json", &error.into()))?;
        self.text("account.json", &(text + "\n"))
    }

    /// Removes a file or a folder; returns whether it was there.
    pub fn remove(&self, name: &str) -> Result<bool, AwsError> {
        let Some(folder) = &self.0 else {
            return Ok(false);
        };
        let path = folder.join(name);
        let removed = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        match removed {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed(name, &error)),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), AwsError> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::File::create(&path))
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|error| failed(name, &error))
    }
}

fn failed(name: &str, error: &std::io::Error) -> AwsError {
    AwsError::new(
        format!("{name}: cannot be kept: {error}"),
        "name a folder on a disk with space that can be written, or leave out --raw",
    )
}
