//! Rows of plain calls: how columns are mapped to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::schema::Mapping;
use crate::table::{ApiName, Consistency, limits};
use crate::trace::rows::{PlainRow, RowKind, Rows};
use crate::trace::time::TimeUnit;
use crate::trace::{NameTable, ReadOptions};

/// The row policy: how columns are mapped to rows.
#[derive(Clone, Debug)]
pub struct RowPolicy {
    pub(in crate::trace) mapping: Mapping,
    /// The table of rows that do not name one.
    pub(in crate::trace) table: Option<String>,
    pub(in crate::trace) unit: Option<TimeUnit>,
    /// Whether rows keep more of their key than its hash, so that none is plain.
    pub(in crate::trace) keep_keys: bool,
    /// Whether times have a form that the user named.
    pub(in crate::trace) has_time_format: bool,
    /// Whether each table has a sort key; the empty name stands for the only table.
    sorted: BTreeMap<String, bool>,
    /// Row buffers to reuse.
    spare: Arc<Mutex<Vec<Vec<PlainRow>>>>,
}

/// Rows of plain calls whose names are not yet interned.
pub struct Plain {
    rows: Rows,
    /// Table and caller of each kind.
    names: Vec<(Option<String>, Option<String>)>,
}

impl Plain {
    /// Creates it from rows and the table and caller of each kind.
    pub fn new(rows: Rows, names: Vec<(Option<String>, Option<String>)>) -> Plain {
        Plain { rows, names }
    }

    /// The rows with interned names.
    pub fn numbered(self, names: &mut NameTable) -> Rows {
        let Plain {
            mut rows,
            names: texts,
        } = self;
        for (kind, (table, caller)) in rows.kinds.iter_mut().zip(texts) {
            kind.table = table.map(|table| names.number(&table));
            kind.caller = caller.map(|caller| names.number(&caller));
        }
        rows
    }
}

/// The most bytes of a partition key and a sort key, with a separator between them.
pub(in crate::trace) const KEY_BYTES_MAX: usize =
    (limits::PARTITION_KEY_BYTES_MAX + limits::SORT_KEY_BYTES_MAX + 16) as usize;

impl RowPolicy {
    pub fn new(options: &ReadOptions) -> RowPolicy {
        let mut sorted: BTreeMap<String, bool> = options
            .keys
            .iter()
            .map(|(table, keys)| (table.clone(), keys.sort.is_some()))
            .collect();
        if let (1, Some(only)) = (options.keys.len(), options.keys.values().next()) {
            sorted.insert(String::new(), only.sort.is_some());
        }
        RowPolicy {
            mapping: options.mapping.clone(),
            table: options.table.clone(),
            unit: options.time_unit,
            keep_keys: options.keep_keys,
            has_time_format: options.time_format.is_some(),
            sorted,
            spare: options.spare.clone(),
        }
    }

    /// A buffer for rows, reused if one is free.
    pub(in crate::trace) fn spare(&self) -> Vec<PlainRow> {
        self.spare
            .lock()
            .ok()
            .and_then(|mut spare| spare.pop())
            .unwrap_or_default()
    }

    /// The tables that have a sort key; the empty name stands for the only table.
    pub(crate) fn sorted_tables(&self) -> Vec<String> {
        let sorted = self.sorted.iter().filter(|(_, is_sorted)| **is_sorted);
        sorted.map(|(table, _)| table.clone()).collect()
    }

    /// Whether a table has a sort key.
    pub(crate) fn is_sorted(&self, table: Option<&str>) -> bool {
        self.sorted
            .get(table.unwrap_or_default())
            .copied()
            .unwrap_or(false)
    }

    /// The kind of a row; `None` if the call or its consistency needs the full path.
    pub(in crate::trace) fn kind(
        &self,
        operation: &str,
        consistency: Option<&str>,
    ) -> Option<RowKind> {
        let api = ApiName::parse(operation)?;
        if !matches!(
            api,
            ApiName::GetItem
                | ApiName::BatchGetItem
                | ApiName::PutItem
                | ApiName::UpdateItem
                | ApiName::DeleteItem
        ) {
            return None;
        }
        let consistency = match consistency {
            None => None,
            Some("eventual") => Some(Consistency::Eventual),
            Some("strong") => Some(Consistency::Strong),
            Some(_) => return None,
        };
        Some(RowKind {
            api,
            table: None,
            caller: None,
            consistency,
        })
    }
}
