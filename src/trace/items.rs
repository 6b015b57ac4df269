//! The items of a starting state: a full export, or the answers of a Scan.

use std::path::Path;

use super::document::{Document, Part};
use crate::files::{FileSource, Progress, open, why};
use crate::table::Item;
use crate::workload::export_items;

/// Passes every item of a starting state to `each`, with its file and its line or number: of a full
/// export, or of the answer of a Scan.
///
/// # Errors
/// A message with the file and the place, if something cannot be read; or the error of `each`.
pub fn starting_items(
    path: &Path,
    each: &mut dyn FnMut(&str, u64, Item) -> Result<(), String>,
) -> Result<(), String> {
    match path.is_dir() {
        true => export_items(path, each),
        false => scanned_items(path, each),
    }
}

/// The items in answers of a Scan: `{"Items": […], "Count": …}`.
fn scanned_items(
    path: &Path,
    each: &mut dyn FnMut(&str, u64, Item) -> Result<(), String>,
) -> Result<(), String> {
    let shown = path.display().to_string();
    let source = FileSource::File(path.to_path_buf());
    let text =
        open(&source, &Progress::default()).map_err(|error| format!("{shown}: {}", why(&error)))?;
    let mut document = Document::new(text);
    for number in 1.. {
        let part = document
            .next(&["Items"])
            .map_err(|broken| format!("{shown}:{}: {}", broken.line, broken.message))?;
        match part {
            Some(Part::Record(item)) => {
                let item = Item::from_json(&item)
                    .map_err(|error| format!("{shown}: item {number}: {error}"))?;
                each(&shown, number, item)?;
            }
            Some(Part::End(_)) => {}
            None => break,
        }
    }
    Ok(())
}
