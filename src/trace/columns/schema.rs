//! The columns of a trace and their names in a file.

use std::collections::BTreeMap;

use crate::trace::TraceError;

/// The columns of a trace and their meanings.
pub const COLUMNS: &[(&str, &str)] = &[
    (
        "time",
        "RFC 3339, or a number of s, ms, µs or ns since 1970 (detected from its magnitude)",
    ),
    (
        "operation",
        "the API name, such as GetItem; TimeToLiveDelete for a deletion by Time to Live",
    ),
    ("table", "the table; may be missing if there is only one"),
    (
        "key",
        "the item's key: any text, number or binary; for a Query, its partition key",
    ),
    ("index", "the index that is read"),
    (
        "item_bytes",
        "bytes of the item: after a write, or as read; 0: no item",
    ),
    ("old_bytes", "bytes of the item before a write; 0: no item"),
    (
        "evaluated_bytes",
        "bytes of all items that a page of a Query or Scan evaluated",
    ),
    ("evaluated_items", "the number of items that it evaluated"),
    (
        "fetched_bytes",
        "sizes of the items that a local index query fetched, separated by spaces",
    ),
    ("consistency", "eventual or strong"),
    ("region", "the region; the home region if empty"),
    ("error", "the error code of a call that failed"),
    (
        "caller",
        "the caller; if it is an access pattern's name, the row is one of its calls",
    ),
    (
        "action",
        "for an operation of a batch or transaction: Put, Update, Delete or ConditionCheck",
    ),
    (
        "changes",
        "attributes that a write changes, separated by commas; empty: nothing",
    ),
    ("entity", "the entity of the item, as the workload names it"),
    (
        "cached",
        "true if a DAX cluster answered the read; false if it passed it on",
    ),
    (
        "replayed",
        "true if the transaction was a repeat with the same client token",
    ),
    (
        "ttl",
        "ignored; a deletion by Time to Live is the operation TimeToLiveDelete",
    ),
];

/// Renamed columns, and columns with a constant value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    names: BTreeMap<&'static str, String>,
    pub(super) values: BTreeMap<&'static str, String>,
}

impl Mapping {
    /// For callers that need no keys.
    pub(in crate::trace) fn without_key() -> Mapping {
        Mapping {
            values: BTreeMap::from([("key", String::new())]),
            ..Mapping::default()
        }
    }

    fn known(name: &str) -> Option<&'static str> {
        COLUMNS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(known, _)| *known)
    }

    /// Parses `time=timestamp`: the column and its name in the file, in either order.
    ///
    /// # Errors
    /// A message with the allowed form or columns.
    pub fn map(&mut self, text: &str) -> Result<(), String> {
        let (one, other) = text
            .split_once('=')
            .ok_or_else(|| format!("--map {text}: expected column=name, such as time=timestamp"))?;
        let (column, name) = match (Mapping::known(one), Mapping::known(other)) {
            (Some(column), _) => (column, other),
            (None, Some(column)) => (column, one),
            (None, None) => {
                return Err(format!(
                    "--map {text}: neither side is a column of a trace; {}",
                    Mapping::list()
                ));
            }
        };
        match self.names.insert(column, name.to_string()) {
            None => Ok(()),
            Some(_) => Err(format!("--map {text}: {column} is mapped twice")),
        }
    }

    /// Parses `operation=GetItem`: a value for every row.
    ///
    /// # Errors
    /// A message with the allowed form or columns.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (column, value) = text.split_once('=').ok_or_else(|| {
            format!("--set {text}: expected column=value, such as operation=GetItem")
        })?;
        let column = Mapping::known(column)
            .ok_or_else(|| format!("--set {text}: no such column; {}", Mapping::list()))?;
        self.values.insert(column, value.to_string());
        Ok(())
    }

    /// The value that every row has in a column.
    pub(in crate::trace) fn value(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(String::as_str)
    }

    fn list() -> String {
        format!(
            "the columns are {}",
            COLUMNS
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ")
        )
    }

    /// The name of a column in the file.
    pub(in crate::trace) fn name(&self, column: &'static str) -> &str {
        self.names.get(column).map_or(column, String::as_str)
    }
}

/// Rows per batch.
pub(in crate::trace) const BATCH_ROWS: usize = 65_536;

/// Checks that every required column exists, under its own name, a mapped name, or as a constant
/// value.
pub(in crate::trace) fn check_columns(
    file: &str,
    mapping: &Mapping,
    found: &[String],
) -> Result<(), TraceError> {
    let there = |column: &'static str| {
        mapping.values.contains_key(column) || found.iter().any(|name| name == mapping.name(column))
    };
    let missing: Vec<&str> = ["time", "operation", "key"]
        .into_iter()
        .filter(|column| !there(column))
        .collect();
    let unmapped = mapping.names.values().find(|name| !found.contains(name));
    if let Some(name) = unmapped {
        return Err(TraceError::file(
            file,
            format!(
                "no column {name}, which --map names; the file has the columns {}",
                found.join(", ")
            ),
        ));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "missing column: {}; the file has the columns {}",
        missing.join(", "),
        found.join(", ")
    );
    Err(TraceError::file(file, message).help(
        "name the columns with --map, such as --map time=NAME, or set a value for all rows with \
         --set, such as --set operation=GetItem",
    ))
}
