//! Calls that are planned, and the items that they need.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::items::{ItemMaker, Layout, MadeItem};
use crate::table::{ApiName, Consistency, IndexKind, Projection};
use crate::workload::{AccessPattern, PatternCall, TableDesign};

/// The calls of a run on one table.
#[derive(Debug)]
pub struct TablePlan {
    /// The table of the design.
    pub design: Arc<TableDesign>,
    /// How its items are made.
    pub maker: ItemMaker,
    /// Its access patterns that are called.
    pub patterns: Vec<PatternPlan>,
    /// All items that the calls need or make.
    pub items: Vec<Slot>,
    /// The calls, in the order in which they are made.
    pub calls: Vec<PlannedCall>,
    /// Access patterns that are not called.
    pub left_out: Vec<LeftOut>,
}

/// An item of a run.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The item as it is, or as it will be.
    pub item: MadeItem,
    /// As what it is put beforehand, if it is.
    pub put: Option<Arc<Layout>>,
    /// Whether it is in the table, as far as is known.
    pub is_there: bool,
    /// Whether a call that may have made it was sent.
    pub was_sent: bool,
}

/// An access pattern that is called.
#[derive(Clone, Debug)]
pub struct PatternPlan {
    /// The access pattern.
    pub access: AccessPattern,
    /// Whether a Scan reads whatever the table holds.
    pub reads_all: bool,
    /// Whether nothing in its calls is a matter of shares: each consumes the same.
    pub is_certain: bool,
}

/// An access pattern that is not called, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The table.
    pub table: String,
    /// The access pattern.
    pub access: String,
    /// Why.
    pub why: String,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallOutcome {
    /// It succeeds.
    Succeeds,
    /// Its condition fails, or its transaction is cancelled.
    Fails,
    /// It repeats the transaction before, with the same token.
    Repeats,
}

/// A call that is going to be made.
#[derive(Clone, Debug)]
pub struct PlannedCall {
    /// When in the run, on a scale from 0 to 2^64; all scans of whole tables are at 0.
    pub at: u64,
    /// The access pattern, by position.
    pub pattern: usize,
    /// What becomes of it.
    pub outcome: CallOutcome,
    /// What it reads or writes.
    pub what: CallItems,
}

/// What a call reads or writes. Items are positions in [`TablePlan::items`].
#[derive(Clone, Debug)]
pub enum CallItems {
    /// The items of a GetItem, BatchGetItem or TransactGetItems.
    Keys(Vec<usize>),
    /// The items with the partition key of one of them, by a Query.
    Collection(usize),
    /// A Scan of this number of items; of all, if `None`.
    Scan(Option<u64>),
    /// Writes.
    Writes(Vec<PlannedWrite>),
}

/// One write of a call.
#[derive(Clone, Debug)]
pub struct PlannedWrite {
    /// The plan, by position.
    pub plan: usize,
    /// The item.
    pub item: usize,
    /// Whether it finds the item.
    pub finds: bool,
    /// The item after the write.
    pub after: Arc<Layout>,
}

/// The item after a write.
pub fn after(table: &TablePlan, call: &PlannedCall, write: &PlannedWrite) -> MadeItem {
    let access = &table.patterns[call.pattern].access;
    let plan = access.call.plans().get(write.plan).map(|(plan, _)| plan);
    let before = &table.items[write.item].item;
    match write.finds {
        true => before.after(&write.after, plan.and_then(|plan| plan.changes.as_deref())),
        false => before.clone(),
    }
}

/// The attributes that a Query of the table or an index must give.
pub fn partition_keys(design: &TableDesign, index: Option<usize>) -> BTreeSet<String> {
    match index {
        None => BTreeSet::from([design.table.keys.partition.clone()]),
        Some(at) => {
            let count = design.indexes[at].partition_keys;
            design.table.indexes[at]
                .keys
                .iter()
                .take(count)
                .cloned()
                .collect()
        }
    }
}

/// What an update sets and removes.
pub struct ItemChange<'a> {
    /// Attributes with their new values.
    pub set: Vec<(&'a String, &'a Value)>,
    /// Attributes that are removed.
    pub removed: Vec<&'a str>,
}

/// What makes one item of another. If both are the same, an attribute is set to the value that it
/// has; an item of keys only removes an attribute that it lacks, since an update must do something.
pub fn item_change<'a>(
    old: &'a Map<String, Value>,
    new: &'a Map<String, Value>,
    is_key: impl Fn(&str) -> bool,
) -> ItemChange<'a> {
    let own = || new.iter().filter(|(name, _)| !is_key(name));
    let mut set: Vec<(&String, &Value)> = own()
        .filter(|(name, value)| old.get(*name) != Some(*value))
        .collect();
    let gone = old.keys().map(String::as_str);
    let mut removed: Vec<&str> = gone.filter(|name| !new.contains_key(*name)).collect();
    if set.is_empty() && removed.is_empty() {
        match own().next() {
            Some(first) => set.push(first),
            None => removed.push("none"),
        }
    }
    ItemChange { set, removed }
}

/// Whether a call is made of statements.
pub fn is_of_statements(api: Option<ApiName>) -> bool {
    matches!(
        api,
        Some(
            ApiName::ExecuteStatement
                | ApiName::BatchExecuteStatement
                | ApiName::ExecuteTransaction
        )
    )
}

/// How many segments a Scan has; 1 for everything else.
pub fn segments(call: &PatternCall) -> u64 {
    match call {
        PatternCall::Page {
            scan: true,
            segments,
            ..
        } => *segments,
        _ => 1,
    }
}

/// Whether a read is strongly consistent.
pub fn is_strong(call: &PatternCall) -> bool {
    match call {
        PatternCall::Page { consistency, .. } => *consistency == Consistency::Strong,
        PatternCall::Get { consistency, .. } => *consistency == Some(Consistency::Strong),
        _ => false,
    }
}

/// The name of the index that a Query or Scan reads, and whether it fetches items from the table.
pub fn index_of(design: &TableDesign, call: &PatternCall) -> (Option<usize>, bool) {
    match call {
        PatternCall::Page { index, fetches, .. } => {
            let is_local = index.is_some_and(|at| {
                let index = &design.table.indexes[at];
                index.kind == IndexKind::Local && index.projection != Projection::All
            });
            (*index, *fetches && is_local)
        }
        _ => (None, false),
    }
}
