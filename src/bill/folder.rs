//! The files of a bill in folders, by the manifests that AWS writes beside them.
//!
//! AWS writes a bill anew several times a day until it is final. If an export keeps the earlier
//! versions, a folder has several of each month; its manifests say which files are one version.
//!
//! Source: Cost and Usage Reports, "Viewing the manifest files"; Data Exports, "Export delivery".

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::BillError;
use crate::files::{FileSource, sources};

/// What ends the names of manifests.
const MANIFEST: &str = "manifest.json";

/// A manifest of either kind of report.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    /// The files of a Cost and Usage Report.
    #[serde(default)]
    report_keys: Vec<String>,
    /// The files of a data export.
    #[serde(default)]
    data_files: Vec<String>,
    billing_period: Option<BillingPeriod>,
}

#[derive(Deserialize)]
struct BillingPeriod {
    start: String,
}

/// The files that arguments name, without the earlier versions that their manifests tell, and what
/// was left out.
///
/// # Errors
/// [`BillError`] if an argument names no file.
pub(super) fn files(arguments: &[String]) -> Result<(Vec<FileSource>, Vec<String>), BillError> {
    let all = sources(arguments, |_| false)?;
    let is_manifest = |source: &&FileSource| matches!(source, FileSource::File(path) if name(path).to_ascii_lowercase().ends_with(MANIFEST));
    let manifests: Vec<&Path> = all
        .iter()
        .filter(is_manifest)
        .filter_map(|source| match source {
            FileSource::File(path) => Some(path.as_path()),
            FileSource::Stdin => None,
        })
        .collect();
    let rest: Vec<FileSource> = all
        .iter()
        .filter(|source| !is_manifest(source))
        .cloned()
        .collect();
    let mut notes = Vec::new();
    let named = newest(&manifests);
    if named.is_empty() {
        let files: Vec<FileSource> = rest.into_iter().filter(is_data).collect();
        if files.is_empty() {
            let first = arguments.first().map_or("", String::as_str);
            return Err(BillError::file(first, "contains no bill"));
        }
        return Ok((files, notes));
    }
    let mut kept = Vec::new();
    let mut left_out = 0;
    for source in rest {
        match &source {
            FileSource::File(path) if !named.iter().any(|key| ends_with(path, key)) => {
                left_out += 1
            }
            _ => kept.push(source),
        }
    }
    if kept.is_empty() {
        let manifest = manifests[0].display().to_string();
        let key = named.iter().next().map_or("", String::as_str);
        let message = format!("names {key} and other files, none of which is here");
        return Err(BillError::file(&manifest, message)
            .help("copy the files of the report as well, or name the files without the manifest"));
    }
    if left_out > 0 {
        let files = if left_out == 1 { "file" } else { "files" };
        notes.push(format!(
            "{left_out} {files} that the newest manifest of a month does not name were left out."
        ));
    }
    Ok((kept, notes))
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Whether a file of a folder may be a bill: anything but checksums and texts beside it.
fn is_data(source: &FileSource) -> bool {
    let FileSource::File(path) = source else {
        return true;
    };
    let name = name(path).to_ascii_lowercase();
    let beside = [
        ".md5", ".sha256", ".sql", ".yml", ".yaml", ".txt", ".md", "_success",
    ];
    !beside.iter().any(|end| name.ends_with(end))
}

/// Whether a path ends with a key of Amazon S3, as far as both go: at least the file's name.
fn ends_with(path: &Path, key: &str) -> bool {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    let of_key: Vec<&str> = key.split('/').collect();
    let of_path: Vec<String> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let same = of_key
        .iter()
        .rev()
        .zip(of_path.iter().rev())
        .take_while(|(one, other)| **one == other.as_str())
        .count();
    // The folders of a version, such as an assembly ID, stand right above the file.
    same >= 2 || (same == 1 && (of_key.len() == 1 || of_path.len() == 1))
}

/// The files that the newest manifest of each month names.
fn newest(manifests: &[&Path]) -> BTreeSet<String> {
    let mut by_month: BTreeMap<String, (PathBuf, Vec<String>)> = BTreeMap::new();
    for path in manifests {
        let read = crate::opened::read_to_string(path).ok();
        let manifest = read.and_then(|text| serde_json::from_str::<Manifest>(&text).ok());
        let Some(manifest) = manifest else { continue };
        let mut keys = manifest.report_keys;
        keys.extend(manifest.data_files);
        if keys.is_empty() {
            continue;
        }
        let of_key = |key: &String| {
            let at = key.find("BILLING_PERIOD=")?;
            key.get(at..at + "BILLING_PERIOD=2026-10".len())
                .map(str::to_string)
        };
        let period = manifest.billing_period.map(|period| period.start);
        let month = period.or_else(|| of_key(&keys[0])).unwrap_or_default();
        // A report's manifest outside the folders of its versions names the newest; the folders of
        // an export's versions begin with their time.
        let depth = |path: &Path| path.components().count();
        let is_newer =
            by_month
                .get(&month)
                .is_none_or(|(other, _)| match depth(path).cmp(&depth(other)) {
                    std::cmp::Ordering::Less => true,
                    std::cmp::Ordering::Equal => *path > other.as_path(),
                    std::cmp::Ordering::Greater => false,
                });
        if is_newer {
            by_month.insert(month, (path.to_path_buf(), keys));
        }
    }
    let keys = by_month.into_values().flat_map(|(_, keys)| keys);
    keys.collect()
}
