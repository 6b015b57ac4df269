//! What simple calculators report for a design, and how far off it is.

use super::membership::is_paired;
use super::site::Settled;
use crate::meter::Switches;
use crate::outcome::PlainCalls;
use crate::table::{Consistency, Operation, ReadPage, Write};
use crate::units::{Bytes, Exact};
use crate::usage::Throughput;
use crate::workload::{AccessPattern, PatternCall, SizeClasses, TableDesign, WriteKind};

/// The table with every item at the mean size; `None` if sizes do not vary.
pub(super) fn at_mean_sizes(table: &TableDesign) -> Option<TableDesign> {
    if is_traced(table) || is_paired(table) {
        return None;
    }
    let several =
        |sizes: &Option<SizeClasses>| sizes.as_ref().is_some_and(|sizes| sizes.count() > 1);
    let varies = |access: &AccessPattern| several(&access.sizes);
    let elsewhere = table.replicas.iter().flat_map(|replica| &replica.access);
    if !several(&table.sizes) && !table.access.iter().chain(elsewhere).any(varies) {
        return None;
    }
    let mut table = table.clone();
    // Measured sizes show which items an index covers; with a single size, the index's coverage
    // must contain this.
    let covered: Vec<Option<Exact>> = (0..table.indexes.len())
        .map(|at| table.entries(at).map(|(covered, _)| covered))
        .collect();
    for (index, covered) in table.indexes.iter_mut().zip(covered) {
        if let Some(covered) = covered.filter(|covered| !covered.is_zero()) {
            index.coverage = &index.coverage * &covered;
        }
    }
    table.resize(SizeClasses::at_their_mean);
    Some(table)
}

/// Units of a table if each call is counted as one plain operation on an item of the mean size,
/// next to the exact units, where the two differ by more than 1 %.
pub(super) fn plain_calls(design: &TableDesign, settled: &Settled) -> Vec<PlainCalls> {
    let units = |read: bool| -> Exact {
        design
            .access
            .iter()
            .filter(|access| access.is_read() == read)
            .map(|access| plain(access, design))
            .sum()
    };
    let consumed = |read: bool| -> Exact {
        settled
            .consumed
            .iter()
            .filter(|one| (one.throughput == Throughput::Read) == read)
            .map(|one| one.units.clone())
            .sum()
    };
    [(true, Throughput::Read), (false, Throughput::Write)]
        .into_iter()
        .filter(|_| !is_traced(design))
        .map(|(read, throughput)| PlainCalls {
            table: design.table.name.clone(),
            throughput,
            plain: units(read),
            exact: consumed(read),
        })
        // Reads that a cache saves are not an error of a calculator.
        .filter(|one| design.dax.is_none() || one.throughput != Throughput::Read)
        .filter(|one| differs(&one.plain, &one.exact))
        .collect()
}

/// Whether the traffic comes from a trace, or from consumed units without calls; there is no
/// calculator figure for these.
fn is_traced(table: &TableDesign) -> bool {
    table.access.iter().any(|access| {
        matches!(
            access.call,
            PatternCall::Traced(_) | PatternCall::Counted { .. } | PatternCall::Unknown { .. }
        )
    })
}

/// Whether two figures differ by more than 1 % of the second.
fn differs(one: &Exact, other: &Exact) -> bool {
    let (low, high) = if one < other {
        (one, other)
    } else {
        (other, one)
    };
    &(high - low) * &Exact::from(100) > *other
}

/// The units of one plain operation for each call: on an item of the mean size, or on one page of
/// such items.
fn plain(access: &AccessPattern, design: &TableDesign) -> Exact {
    let sizes = access.sizes.as_ref().map(SizeClasses::at_their_mean);
    let Some(class) = sizes.iter().flat_map(SizeClasses::iter).next() else {
        return Exact::zero();
    };
    let size = class.item;
    let operation = match &access.call {
        PatternCall::Get { consistency, .. } => Operation::GetItem {
            item: Some(size),
            consistency: consistency.unwrap_or(Consistency::Strong),
        },
        PatternCall::Page { consistency, .. } => {
            let items = access.call.items().ceil().to_u64().unwrap_or(u64::MAX);
            let evaluated = Bytes(size.0.saturating_mul(items));
            Operation::Query(ReadPage {
                evaluated,
                consistency: *consistency,
                ..ReadPage::default()
            })
        }
        PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. } => {
            let deletes = plans.iter().all(|(plan, _)| plan.kind == WriteKind::Delete);
            let write = Write {
                old: deletes.then_some(size),
                new: (!deletes).then_some(size),
                ..Write::default()
            };
            if deletes {
                Operation::DeleteItem(write)
            } else {
                Operation::PutItem(write)
            }
        }
        PatternCall::Traced(_) | PatternCall::Counted { .. } | PatternCall::Unknown { .. } => {
            return Exact::zero();
        }
    };
    let consumed = crate::meter::meter(&design.table, &operation, &Switches::default()).table;
    &access.calls
        * &if access.is_read() {
            consumed.read.exact()
        } else {
            consumed.write.exact()
        }
}
