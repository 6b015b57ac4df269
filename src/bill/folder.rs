//! The files of a bill in folders, by the manifests that AWS writes beside them.
//!
//! AWS writes a bill anew several times a day until it is final. If an export keeps the earlier
//! versions, a folder has several of each month; its manifests say which files are one version.
//!
//! Source: Cost and Usage Reports, "Viewing the manifest files"; Data Exports, "Export delivery".

use std::collections::BTreeMap;
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
    /// Which report or export it is.
    report_name: Option<String>,
    export_arn: Option<String>,
    billing_period: Option<BillingPeriod>,
}

#[derive(Deserialize)]
struct BillingPeriod {
    start: String,
}

/// A manifest with the files that it names.
struct Version {
    path: PathBuf,
    keys: Vec<String>,
    /// The report and the month, of which there may be several versions.
    of: [String; 4],
}

/// The files that arguments name, without the earlier versions that their manifests tell, and what
/// was left out.
///
/// # Errors
/// [`BillError`] if an argument names no file, if a manifest cannot be read, or if a file that the
/// newest manifest names is missing.
pub(super) fn files(arguments: &[String]) -> Result<(Vec<FileSource>, Vec<String>), BillError> {
    let mut kept = Vec::new();
    let mut left_out = 0;
    for argument in arguments {
        let all = sources(std::slice::from_ref(argument), |_| false)?;
        if Path::new(argument).is_dir() {
            kept.extend(of_folder(argument, all, &mut left_out)?);
        } else {
            kept.extend(
                all.into_iter()
                    .filter(|source| is_data(source) || argument == "-"),
            );
        }
    }
    if kept.is_empty() {
        let first = arguments.first().map_or("", String::as_str);
        return Err(BillError::file(first, "contains no bill"));
    }
    let notes = match left_out {
        0 => Vec::new(),
        1 => vec!["1 file of an earlier version, by its manifest, was left out.".to_string()],
        count => vec![format!(
            "{count} files of earlier versions, by their manifests, were left out."
        )],
    };
    Ok((kept, notes))
}

/// The files of a folder.
fn of_folder(
    folder: &str,
    all: Vec<FileSource>,
    left_out: &mut u64,
) -> Result<Vec<FileSource>, BillError> {
    let paths: Vec<PathBuf> = all
        .into_iter()
        .filter_map(|source| match source {
            FileSource::File(path) => Some(path),
            FileSource::Stdin => None,
        })
        .collect();
    let is_manifest = |path: &PathBuf| name(path).to_ascii_lowercase().ends_with(MANIFEST);
    let (manifests, data): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(is_manifest);
    let mut newest: BTreeMap<[String; 4], Version> = BTreeMap::new();
    let mut earlier: Vec<Version> = Vec::new();
    for path in manifests {
        let Some(version) = version(path)? else {
            continue;
        };
        match newest.remove(&version.of) {
            Some(other) if is_newer(&other.path, &version.path) => {
                newest.insert(other.of.clone(), other);
                earlier.push(version);
            }
            Some(other) => {
                earlier.push(other);
                newest.insert(version.of.clone(), version);
            }
            None => {
                newest.insert(version.of.clone(), version);
            }
        }
    }
    let names = |path: &PathBuf, key: &String| is_of(path, key, &data);
    for version in newest.values() {
        let is_missing = |key: &&String| !data.iter().any(|path| names(path, key));
        let missing: Vec<&String> = version.keys.iter().filter(is_missing).collect();
        if let Some(first) = missing.first() {
            let message = format!(
                "names {} files, of which {} are not in {folder}, such as {first}",
                version.keys.len(),
                missing.len()
            );
            return Err(
                BillError::file(&version.path.display().to_string(), message)
                    .help("copy all files of the report, or name files instead of the folder"),
            );
        }
    }
    let is_named =
        |version: &Version, path: &PathBuf| version.keys.iter().any(|key| names(path, key));
    let mut kept = Vec::new();
    for path in &data {
        let is_earlier = earlier.iter().any(|version| is_named(version, path));
        if is_earlier && !newest.values().any(|version| is_named(version, path)) {
            *left_out += 1;
        } else if is_data(&FileSource::File(path.clone())) {
            kept.push(FileSource::File(path.clone()));
        }
    }
    Ok(kept)
}

/// Whether the first of two manifests of one month is the newer. A report's manifest outside the
/// folders of its versions names the newest; the folders of an export's versions begin with their
/// time.
fn is_newer(one: &Path, other: &Path) -> bool {
    let depth = |path: &Path| path.components().count();
    match depth(one).cmp(&depth(other)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => one > other,
        std::cmp::Ordering::Greater => false,
    }
}

/// What a manifest says; `None` for other files of that name.
fn version(path: PathBuf) -> Result<Option<Version>, BillError> {
    let name = path.display().to_string();
    let text = crate::opened::read_to_string(&path)
        .map_err(|error| BillError::file(&name, format!("cannot be read: {error}")))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
        BillError::file(&name, format!("is a manifest that cannot be read: {error}"))
            .help("copy the report again, or name its files instead of the folder")
    })?;
    let mut keys = manifest.report_keys;
    keys.extend(manifest.data_files);
    let Some(first) = keys.first() else {
        return Ok(None);
    };
    let of_key = || {
        let at = first.find("BILLING_PERIOD=")?;
        first
            .get(at..at + "BILLING_PERIOD=2026-10".len())
            .map(str::to_string)
    };
    let period = manifest.billing_period.map(|period| period.start);
    let month = period.or_else(of_key).unwrap_or_default();
    let of = [
        manifest.export_arn.unwrap_or_default(),
        manifest.report_name.unwrap_or_default(),
        above_the_period(&path),
        month,
    ];
    Ok(Some(Version { path, keys, of }))
}

/// The folder of a report: the path above the folders of its periods.
fn above_the_period(path: &Path) -> String {
    let is_period = |part: &str| {
        let is_dates = part.len() == 17 && part.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        is_dates || part == "metadata" || part.starts_with("BILLING_PERIOD=")
    };
    let parts = path.components();
    let above = parts.take_while(|part| !is_period(&part.as_os_str().to_string_lossy()));
    let above: PathBuf = above.collect();
    match above.as_path() == path {
        true => String::new(),
        false => above.display().to_string(),
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Whether a file may be a bill: anything but checksums, manifests and texts beside it.
fn is_data(source: &FileSource) -> bool {
    let FileSource::File(path) = source else {
        return true;
    };
    let name = name(path).to_ascii_lowercase();
    let beside = [
        MANIFEST, ".md5", ".sha256", ".sql", ".yml", ".yaml", ".txt", ".md", "_success",
    ];
    !beside.iter().any(|end| name.ends_with(end))
}

/// Whether a path is the file of a key of Amazon S3: the name and the folder above it are the same,
/// or the name alone, if no other file has it.
fn is_of(path: &Path, key: &str, all: &[PathBuf]) -> bool {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    let of_path: Vec<String> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let same = key
        .split('/')
        .rev()
        .zip(of_path.iter().rev())
        .take_while(|(one, other)| *one == other.as_str())
        .count();
    let is_alone = || all.iter().filter(|other| name(other) == name(path)).count() == 1;
    same >= 2 || (same == 1 && is_alone())
}
