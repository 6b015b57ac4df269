//! S3 exports: a full one is a starting state and a source of sizes, an incremental one a trace of
//! changes.

use crate::table::Arn;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Time, parse_time};
use crate::opened;

/// The contents of an export's manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The table.
    pub table: Option<String>,
    /// Whether the export contains changes instead of items.
    pub incremental: bool,
    /// Whether changes have the old image.
    pub old_images: bool,
    /// The region of the table.
    pub region: Option<String>,
    /// The window of an incremental export.
    pub window: Option<(Time, Time)>,
    /// The names of its data files.
    pub files: Vec<String>,
}

/// Whether a folder is an export, that is, contains a manifest.
pub fn is_export(folder: &Path) -> bool {
    folder.join("manifest-summary.json").is_file()
}

/// Reads the manifest of an export's folder; `None` if it has none.
pub fn manifest(folder: &Path) -> Option<Manifest> {
    let text = opened::read_to_string(&folder.join("manifest-summary.json")).ok()?;
    let summary: Value = serde_json::from_str(&text).ok()?;
    let listed = opened::read_to_string(&folder.join("manifest-files.json")).unwrap_or_default();
    let files = listed
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let files = files.filter_map(|row| {
        Some(
            row["dataFileS3Key"]
                .as_str()?
                .rsplit('/')
                .next()?
                .to_string(),
        )
    });
    let moment = |name: &str| {
        summary[name]
            .as_str()
            .and_then(|text| parse_time(text, None))
            .map(|(time, _)| time)
    };
    Some(Manifest {
        region: summary["tableArn"]
            .as_str()
            .and_then(|arn| Arn::of(arn).region())
            .map(str::to_string),
        window: moment("exportFromTime").zip(moment("exportToTime")),
        table: summary["tableArn"]
            .as_str()
            .map(|arn| Arn::of(arn).table().to_string()),
        incremental: !summary["exportFromTime"].is_null(),
        old_images: summary["outputView"].as_str() != Some("NEW_IMAGE"),
        files: files.collect(),
    })
}

/// The data files of an incremental export, usually in the folder `data` next to the export's
/// folder.
///
/// # Errors
/// A message that names the missing file.
pub fn incremental_files(folder: &Path, manifest: &Manifest) -> Result<Vec<PathBuf>, String> {
    let beside = folder
        .parent()
        .map(|parent| parent.join("data"))
        .unwrap_or_default();
    let find = |name: &String| {
        let places = [
            beside.join(name),
            folder.join("data").join(name),
            folder.join(name),
        ];
        places
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| format!("the data file {name} is missing; copy the whole export"))
    };
    manifest.files.iter().map(find).collect()
}

/// The manifest of the incremental export that a data file belongs to, if it is in a neighbouring
/// folder.
pub fn incremental_of(file: &Path) -> Option<Manifest> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().to_string())
        .unwrap_or_default();
    let folders = file
        .parent()
        .and_then(Path::parent)
        .and_then(|parent| std::fs::read_dir(parent).ok());
    let mut folders: Vec<PathBuf> = folders
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    folders
        .iter()
        .filter_map(|folder| manifest(folder))
        .find(|manifest| manifest.incremental && manifest.files.contains(&name))
}
