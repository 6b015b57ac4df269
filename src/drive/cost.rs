//! What a run costs: the estimate of a design whose access patterns are the calls of the run.

use std::fmt;
use std::sync::Arc;

use super::DriveError;
use super::items::Layout;
use super::planned::{PatternPlan, TablePlan, segments};
use crate::capacity::Shape;
use crate::estimate::{EstimateError, estimate};
use crate::money::Money;
use crate::pricing::Books;
use crate::table::ApiName;
use crate::units::{Bytes, Exact, count_of};
use crate::workload::{
    AccessPattern, Capacity, ContributorInsights, Counts, IndexDesign, ItemsBefore, PatternCall,
    ReadItems, SizeClass, SizeClasses, TableDesign, Workload, WriteKind, WritePlan,
};

/// What a run does and costs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunCost {
    /// The tables.
    pub tables: u64,
    /// Items that are put beforehand.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Calls of access patterns.
    pub calls: u64,
    /// What requests cost on demand; `None` if a price is unknown.
    pub usd: Option<Money>,
}

impl fmt::Display for RunCost {
    /// It in a sentence, before anything is done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let price = match self.usd {
            Some(usd) => format!("on AWS {} on demand, without storage", usd.human()),
            None => "what it costs on AWS is unknown".to_string(),
        };
        write!(
            f,
            "{} of {} in {}, then {}: {price}",
            count_of(self.items, "item"),
            Bytes(self.bytes),
            count_of(self.tables, "table"),
            count_of(self.calls, "call"),
        )
    }
}

/// What a run costs on demand. Storage for the minutes of the run is not in it.
///
/// # Errors
/// If the run cannot be priced.
pub fn cost(
    workload: &Workload,
    books: &Books,
    tables: &[TablePlan],
    uses: &dyn Fn(&str) -> bool,
) -> Result<RunCost, DriveError> {
    let designs = |table: &TablePlan| {
        let mut entities = table.design.entities.clone();
        for entity in &mut entities {
            entity.items = Exact::zero();
        }
        let own = TableDesign {
            access: patterns(table),
            entities,
            ..empty(table)
        };
        // Those that calls make may have to be removed as well.
        let all = table.items.iter().map(|slot| &slot.item.layout);
        let stays = uses(&table.design.table.name);
        let removed = written(REMOVE, WriteKind::Delete, all).filter(|_| stays);
        let around = TableDesign {
            access: put(table).into_iter().chain(removed).collect(),
            ..whole(table)
        };
        [Arc::new(own), Arc::new(around)]
    };
    let designs: Vec<Arc<TableDesign>> = tables.iter().flat_map(designs).collect();
    let run = workload.clone().with(|contents| {
        contents.tables = designs;
        contents.free.clear();
        contents.commitments.clear();
        contents.clusters.clear();
        contents.measured.clear();
        contents.unpriced.clear();
    });
    let outcome = estimate(&run, books)?;
    let put = || {
        let items = tables.iter().flat_map(|table| &table.items);
        items.filter_map(|slot| slot.put.as_ref())
    };
    Ok(RunCost {
        tables: tables.len() as u64,
        items: put().count() as u64,
        bytes: put().map(|layout| layout.class.item.0).sum(),
        calls: tables.iter().map(|table| table.calls.len() as u64).sum(),
        usd: match outcome.bill.unknown.is_empty() {
            true => Some(outcome.bill.total().map_err(EstimateError::from)?),
            false => None,
        },
    })
}

/// An index that has no entries yet.
fn on_demand(index: &IndexDesign) -> IndexDesign {
    IndexDesign {
        capacity: None,
        stored: None,
        contributor_insights: ContributorInsights::Off,
        ..index.clone()
    }
}

/// The table of a run, without calls.
fn empty(table: &TablePlan) -> TableDesign {
    let design = &table.design;
    TableDesign {
        sizes: design.sizes.clone(),
        number_keys: design.number_keys,
        indexes: design.indexes.iter().map(on_demand).collect(),
        ..TableDesign::of(design.table.clone(), Capacity::OnDemand)
    }
}

/// The same, for items of which each says itself which indexes it is in.
pub fn whole(table: &TablePlan) -> TableDesign {
    let mut design = empty(table);
    for index in &mut design.indexes {
        index.coverage = Exact::one();
    }
    design
}

/// The calls of a run on one table.
fn patterns(table: &TablePlan) -> Vec<AccessPattern> {
    let pattern = |(at, pattern): (usize, &PatternPlan)| {
        let calls = table.calls.iter().filter(|call| call.pattern == at);
        let mut access = pattern.access.clone();
        access.calls = Exact::from(calls.count() as u64);
        access.shape = Shape::flat();
        access.through_dax = false;
        if pattern.reads_all {
            access.call = reading_all(table, &access.call);
        }
        access
    };
    table.patterns.iter().enumerate().map(pattern).collect()
}

/// The name under which the log has the items that are put beforehand.
pub const PUT: &str = "(items put beforehand)";

/// … and those that are removed again.
pub const REMOVE: &str = "(items removed afterwards)";

/// What puts the items of a run.
pub fn put(table: &TablePlan) -> Option<AccessPattern> {
    written(
        PUT,
        WriteKind::Put,
        table.items.iter().filter_map(|slot| slot.put.as_ref()),
    )
}

/// What removes those of its items that are in the table.
pub fn removed(table: &TablePlan) -> Option<AccessPattern> {
    let there = table.items.iter().filter(|slot| slot.is_there);
    written(
        REMOVE,
        WriteKind::Delete,
        there.map(|slot| &slot.item.layout),
    )
}

/// What writes some items.
fn written<'a>(
    name: &str,
    kind: WriteKind,
    layouts: impl Iterator<Item = &'a Arc<Layout>>,
) -> Option<AccessPattern> {
    let classes: Vec<&SizeClass> = layouts.map(|layout| &layout.class).collect();
    let sizes = sizes_of(classes.iter().copied())?;
    Some(write(name, kind, sizes, classes.len() as u64))
}

/// Sizes of items with their entries.
fn sizes_of<'a>(classes: impl Iterator<Item = &'a SizeClass>) -> Option<SizeClasses> {
    SizeClasses::of(classes.map(|class| (class.item, class.entries.clone(), 1)))
}

fn write(name: &str, kind: WriteKind, sizes: SizeClasses, calls: u64) -> AccessPattern {
    let finds = match kind {
        WriteKind::Delete => Exact::one(),
        _ => Exact::zero(),
    };
    let plan = WritePlan {
        kind,
        finds,
        changes: None,
        entity: None,
        sizes: Some(sizes.clone()),
        before: ItemsBefore::Same,
    };
    AccessPattern {
        name: name.to_string(),
        operation: Some(ApiName::BatchWriteItem),
        calls: Exact::from(calls),
        follows_items: false,
        shape: Shape::flat(),
        sizes: Some(sizes),
        through_dax: false,
        attributes: None,
        call: PatternCall::Write {
            plans: vec![(plan, Counts::of(1))],
            condition_failures: Exact::zero(),
        },
    }
}

/// A Scan of the items that are in the table of the run, not of those of the design.
pub fn reading_all(table: &TablePlan, call: &PatternCall) -> PatternCall {
    let mut call = call.clone();
    if let PatternCall::Page { index, reads, .. } = &mut call {
        let is_in = |class: &&SizeClass| index.is_none_or(|at| class.is_in(at));
        let all = table.items.iter().filter_map(|slot| slot.put.as_ref());
        let classes = all.map(|layout| &layout.class);
        let classes: Vec<_> = classes.filter(is_in).collect();
        *reads = vec![ReadItems {
            entity: None,
            sizes: sizes_of(classes.iter().copied()),
            counts: Counts::of(classes.len() as u64),
        }];
    }
    call
}

/// Whether a Scan of what a table holds, or of a part of it, consumes what the estimate expects,
/// whichever items it meets.
pub fn is_certain(table: &TablePlan, call: &PatternCall) -> bool {
    let all = table.items.iter().filter_map(|slot| slot.put.as_ref());
    let mut sizes: Vec<Bytes> = all.map(|layout| layout.class.item).collect();
    sizes.sort_unstable();
    sizes.dedup();
    segments(call) == 1 && sizes.len() <= 1
}
