//! Sizes measured from a real DynamoDB full export to S3: every item, and its entry in every index.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::sizes::IndexEntry;
use crate::opened;
use crate::table::{AttributeValue, Item, NumberAlignment, Table, limits};
use crate::units::Bytes;

/// The measured content of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// The number of items.
    pub items: u64,
    /// How many of them lack a key attribute of the table, so they must be from another table.
    pub keyless: u64,
    /// The sum of their sizes, by the item-size rule.
    pub bytes: u64,
    /// The item sizes that occur, each with its index entries and how often it occurs.
    pub classes: BTreeMap<(Bytes, Vec<IndexEntry>), u64>,
    /// The indexes in which no item has an entry, by position.
    pub empty_indexes: Vec<usize>,
}

impl ExportSummary {
    /// The classes with their weights.
    pub fn weighted(&self) -> impl Iterator<Item = (Bytes, Vec<IndexEntry>, u64)> {
        self.classes
            .iter()
            .map(|((item, entries), count)| (*item, entries.clone(), *count))
    }
}

/// The longest line that is read: in JSON, an item of 400 KB is at most a few times larger.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Measures an export. The folder is the one with its manifests, its `data` folder, or a folder
/// with a single full export below it (`AWSDynamoDB/ID`).
///
/// # Errors
/// A message with the file and the line, if something cannot be read.
pub fn measure(
    folder: &Path,
    table: &Table,
    numbers: NumberAlignment,
) -> Result<ExportSummary, String> {
    let mut measured = ExportSummary {
        items: 0,
        keyless: 0,
        bytes: 0,
        classes: BTreeMap::new(),
        empty_indexes: Vec::new(),
    };
    let mut seen = vec![false; table.indexes.len()];
    items(folder, &mut |file, number, item| {
        check_item(&item, numbers).map_err(|error| format!("{file}:{number}: {error}"))?;
        measured.add(&item, table, numbers, &mut seen);
        Ok(())
    })?;
    measured.empty_indexes = seen
        .iter()
        .enumerate()
        .filter(|(_, seen)| !**seen)
        .map(|(at, _)| at)
        .collect();
    Ok(measured)
}

/// Passes every item of an export to `each`, with its file and line.
///
/// # Errors
/// A message with the file and the line, if something cannot be read; or the error of `each`.
pub fn items(
    folder: &Path,
    each: &mut dyn FnMut(&str, u64, Item) -> Result<(), String>,
) -> Result<(), String> {
    let (files, promised) = data_files(&full_export(folder)?)?;
    let mut held = 0_u64;
    for path in &files {
        let shown = path.display();
        let file =
            opened::open(path).map_err(|error| format!("{shown}: cannot be opened: {error}"))?;
        let text: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let mut lines = BufReader::new(text);
        for number in 1.. {
            let mut line = Vec::new();
            let read = (&mut lines)
                .take(LINE_BYTES_MAX)
                .read_until(b'\n', &mut line)
                .map_err(|error| format!("{shown}:{number}: {error}"))?;
            if read == 0 {
                break;
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let item =
                line_item(path, &line).map_err(|message| format!("{shown}:{number}: {message}"))?;
            held += 1;
            each(&shown.to_string(), number, item)?;
        }
    }
    if let Some(promised) = promised.filter(|promised| *promised != held) {
        return Err(format!(
            "{}: the manifest lists {promised} items, but the data files hold {held}; copy the \
             whole export",
            folder.display()
        ));
    }
    if held == 0 {
        return Err(format!("{}: the export holds no items", folder.display()));
    }
    Ok(())
}

/// The item on a line of a data file.
fn line_item(path: &Path, line: &[u8]) -> Result<Item, String> {
    let is_ion = path
        .to_string_lossy()
        .trim_end_matches(".gz")
        .ends_with(".ion");
    let image = match is_ion {
        true => ion_item(line)?,
        false => {
            let mut json: Value =
                serde_json::from_slice(line).map_err(|error| format!("not JSON: {error}"))?;
            let image = json.get_mut("Item").map(Value::take);
            image.ok_or("no \"Item\"; a full export in DYNAMODB_JSON has one item on each line")?
        }
    };
    Item::from_json(&image).map_err(|error| error.to_string())
}

#[cfg(feature = "replay")]
fn ion_item(line: &[u8]) -> Result<Value, String> {
    super::ion::item(line)
}

#[cfg(not(feature = "replay"))]
fn ion_item(_: &[u8]) -> Result<Value, String> {
    Err(
        "an export in ION is read only by a build with the feature `replay`; export the table as \
         DYNAMODB_JSON, or build with --features replay"
            .to_string(),
    )
}

/// Checks that DynamoDB can store the item.
fn check_item(item: &Item, numbers: NumberAlignment) -> Result<(), String> {
    let bytes = item.size(numbers).0;
    if bytes > limits::ITEM_BYTES_MAX {
        return Err(format!(
            "the item has {bytes} bytes; the limit of DynamoDB is {} (400 KB)",
            limits::ITEM_BYTES_MAX
        ));
    }
    Ok(())
}

impl ExportSummary {
    fn add(&mut self, item: &Item, table: &Table, numbers: NumberAlignment, seen: &mut [bool]) {
        let size = item.size(numbers);
        let entries: Vec<IndexEntry> = table
            .indexes
            .iter()
            .map(|index| {
                index
                    .entry_size(&table.keys, item, numbers)
                    .map_or(IndexEntry::None, IndexEntry::Size)
            })
            .collect();
        seen.iter_mut()
            .zip(&entries)
            .for_each(|(seen, entry)| *seen |= *entry != IndexEntry::None);
        let is_key = |key: &str| {
            matches!(
                item.get(key),
                Some(AttributeValue::S(_) | AttributeValue::N(_) | AttributeValue::B(_))
            )
        };
        self.keyless += u64::from(!table.keys.names().all(is_key));
        self.items += 1;
        self.bytes += size.0;
        *self.classes.entry((size, entries)).or_default() += 1;
    }
}

/// The folder of the export itself, if the given folder is above it.
fn full_export(folder: &Path) -> Result<PathBuf, String> {
    let is_full = |path: &PathBuf| {
        let summary = opened::read_to_string(&path.join("manifest-summary.json")).ok();
        let summary: Option<Value> = summary.and_then(|text| serde_json::from_str(&text).ok());
        summary.is_some_and(|summary| summary["exportFromTime"].is_null())
    };
    let below = folder.join("AWSDynamoDB");
    let Ok(entries) = std::fs::read_dir(&below) else {
        return Ok(folder.to_path_buf());
    };
    let mut exports: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_full)
        .collect();
    exports.sort();
    match exports.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(format!(
            "{}: contains no full export (a folder with manifest-summary.json and data/)",
            below.display()
        )),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            Err(format!(
                "{}: contains {} full exports; name one of them: {}",
                below.display(),
                names.len(),
                names.join(", ")
            ))
        }
    }
}

/// The data files of an export, sorted by name: those listed in its manifest, with the number of
/// items that it states, or all data files if there is no manifest.
fn data_files(folder: &Path) -> Result<(Vec<PathBuf>, Option<u64>), String> {
    let data = if folder.join("data").is_dir() {
        folder.join("data")
    } else {
        folder.to_path_buf()
    };
    let entries = std::fs::read_dir(&data)
        .map_err(|error| format!("{}: cannot be read: {error}", data.display()))?;
    let is_data = |path: &PathBuf| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_string();
        [".json.gz", ".json", ".ion.gz", ".ion"]
            .iter()
            .any(|end| name.ends_with(end))
            && !name.starts_with("manifest")
            && path.is_file()
    };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(is_data)
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(format!(
            "{}: no data files (*.json.gz or *.ion.gz); name the export's folder, which holds \
             manifest-files.json and data/",
            data.display()
        ));
    }
    let path = folder.join("manifest-files.json");
    if !path.is_file() {
        return Ok((files, None));
    }
    let text = opened::read_to_string(&path)
        .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let (mut named, mut promised) = (Vec::new(), Some(0));
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let place = format!("{}:{}", path.display(), at + 1);
        let row: Value =
            serde_json::from_str(line).map_err(|error| format!("{place}: not JSON: {error}"))?;
        let Some(key) = row["dataFileS3Key"].as_str() else {
            return Err(format!("{place}: no \"dataFileS3Key\" in the row"));
        };
        let name = key.rsplit('/').next().unwrap_or_default();
        let Some(file) = files
            .iter()
            .find(|file| file.file_name().is_some_and(|file| file == name))
        else {
            return Err(format!(
                "{place}: the data file {name} is missing; copy the whole export"
            ));
        };
        named.push(file.clone());
        promised = promised
            .zip(row["itemCount"].as_u64())
            .map(|(sum, count): (u64, u64)| sum.saturating_add(count));
    }
    named.sort();
    named.dedup();
    if named.is_empty() {
        Ok((files, None))
    } else {
        Ok((named, promised))
    }
}
