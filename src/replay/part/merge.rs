//! Joins the parts of all shares of one trace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ReplayPart;
use super::file::{Header, Loaded};
use super::table::wrong;
use crate::replay::error::ReplayError;

/// Merges the parts of all shares of one trace.
///
/// # Errors
/// [`ReplayError::Part`] if a share is missing or given twice, or if the parts are from different
/// traces.
pub fn merge(parts: Vec<(PathBuf, Loaded)>) -> Result<ReplayPart, ReplayError> {
    let mut found: BTreeMap<u32, &Path> = BTreeMap::new();
    let none = || ReplayError::part("no parts to merge");
    let first = parts.first().ok_or_else(none)?;
    for part in &parts {
        let (path, loaded) = part;
        belongs_together(first, part)?;
        let share = loaded.header.share;
        if let Some(twice) = found.insert(share.number, path) {
            let twice = twice.display();
            let text = format!("is share {share}, and so is {twice}");
            return Err(wrong(path, text).with_help("give each share once"));
        }
    }
    let of = first.1.header.share.of;
    let missing: Vec<String> = (1..=of)
        .filter(|number| !found.contains_key(number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    if let Some(one) = missing.first() {
        let help = format!("create one with replay --share {one} --partial");
        let text = format!("missing shares: {}", missing.join(", "));
        return Err(ReplayError::part(text).with_help(help));
    }
    let mut parts = parts.into_iter().map(|(_, loaded)| loaded.part);
    let mut whole = parts.next().ok_or_else(none)?;
    for part in parts {
        whole.join(part);
    }
    Ok(whole)
}

/// Two parts are of the same division of the same trace.
fn belongs_together(
    (first_path, first): &(PathBuf, Loaded),
    (path, loaded): &(PathBuf, Loaded),
) -> Result<(), ReplayError> {
    let (share, of) = (loaded.header.share, first.header.share.of);
    let other = first_path.display();
    if share.of != of {
        let text = format!("is share {share}, but {other} is one of {of} shares");
        return Err(wrong(path, text));
    }
    let definitions = |loaded: &Loaded| loaded.part.executor.engine.tables.definitions.clone();
    if loaded.header.read == first.header.read && definitions(loaded) == definitions(first) {
        return Ok(());
    }
    let events = |header: &Header| header.read.events;
    let text = format!(
        "is of another trace than {other}: {} events here, {} there",
        events(&loaded.header),
        events(&first.header)
    );
    let help = "all parts must come from the same files, in the same order";
    Err(wrong(path, text).with_help(help))
}
