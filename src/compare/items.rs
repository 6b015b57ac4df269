//! The consistency of reads, transactions, and how items are stored.

use super::{Alternative, AlternativeKind, Context, table_mut};
use crate::table::{ApiName, Consistency, IndexKind};
use crate::units::Exact;
use crate::workload::{
    AccessPattern, Counts, DesignEdit, DesignPart, PatternCall, TableDesign, WriteKind, WritePlan,
    toml_text,
};

pub(super) fn of(context: &Context, table: &TableDesign) -> Vec<Alternative> {
    if !table.is_described() {
        return Vec::new();
    }
    let mut all: Vec<Alternative> = table
        .access
        .iter()
        .flat_map(|access| promises(table, access))
        .collect();
    let factor = context.question.compression;
    all.extend(compressed(table, factor));
    all.extend(split(table, context.question.split));
    all
}

/// A change of one access pattern.
fn of_access(
    table: &TableDesign,
    access: &AccessPattern,
    kind: AlternativeKind,
    name: &str,
    change: impl Fn(&mut AccessPattern) + Send + Sync + 'static,
) -> Alternative {
    let (target, pattern) = (table.table.name.clone(), access.name.clone());
    let index = match &access.call {
        PatternCall::Page {
            index: Some(at), ..
        } => table
            .table
            .indexes
            .get(*at)
            .map(|index| index.name.as_str()),
        _ => None,
    };
    Alternative::new(kind, format!("\"{}\" {name}", access.name))
        .of(table, index)
        .change(
            format!("how {} does \"{}\"", table.table.name, access.name),
            move |workload| {
                let Some(table) = table_mut(workload, &target) else {
                    return;
                };
                table
                    .access
                    .iter_mut()
                    .filter(|access| access.name == pattern)
                    .for_each(&change);
            },
        )
}

/// The other consistency of a read; a transaction as plain calls; a batch read as a query.
fn promises(table: &TableDesign, access: &AccessPattern) -> Vec<Alternative> {
    let other = match &access.call {
        PatternCall::Get {
            consistency: Some(now),
            ..
        }
        | PatternCall::Page {
            consistency: now, ..
        } => Some(other_consistency(table, access, *now)),
        PatternCall::Get {
            consistency: None, ..
        } => Some(plain_read(table, access)),
        PatternCall::Transaction { plans, .. } => Some(plain_writes(table, access, plans)),
        PatternCall::Write { .. }
        | PatternCall::Traced(_)
        | PatternCall::Counted { .. }
        | PatternCall::Unknown { .. } => None,
    };
    other.into_iter().chain(one_query(table, access)).collect()
}

/// A read with the other consistency.
fn other_consistency(table: &TableDesign, access: &AccessPattern, now: Consistency) -> Alternative {
    let (other, name, word) = match now {
        Consistency::Strong => (
            Consistency::Eventual,
            "with eventually consistent reads",
            "eventual",
        ),
        Consistency::Eventual => (
            Consistency::Strong,
            "with strongly consistent reads",
            "strong",
        ),
    };
    let change = move |access: &mut AccessPattern| match &mut access.call {
        PatternCall::Get { consistency, .. } => *consistency = Some(other),
        PatternCall::Page { consistency, .. } => *consistency = other,
        PatternCall::Write { .. }
        | PatternCall::Transaction { .. }
        | PatternCall::Traced(_)
        | PatternCall::Counted { .. }
        | PatternCall::Unknown { .. } => {}
    };
    let alternative = of_access(table, access, AlternativeKind::Consistency, name, change)
        .edit(DesignEdit::of(table.access_part(&access.name)).set("consistency", toml_text(word)));
    let of_global_index = match &access.call {
        PatternCall::Page {
            index: Some(at), ..
        } => table.table.indexes[*at].kind == IndexKind::Global,
        _ => false,
    };
    match other {
        Consistency::Eventual => alternative
            .because("an eventually consistent read costs half as much")
            .deciding("a read may not see a write made within the last second"),
        Consistency::Strong if of_global_index => {
            alternative.impossible("a global index supports only eventually consistent reads")
        }
        Consistency::Strong => alternative
            .because("a strongly consistent read costs twice as much")
            .risking("fails while a partition is unreachable"),
    }
}

/// A transactional read as a plain one.
fn plain_read(table: &TableDesign, access: &AccessPattern) -> Alternative {
    let operation = match access.call.most_items() {
        1 => ApiName::GetItem,
        _ => ApiName::BatchGetItem,
    };
    let change = move |access: &mut AccessPattern| {
        access.operation = Some(operation);
        if let PatternCall::Get { consistency, .. } = &mut access.call {
            *consistency = Some(Consistency::Strong);
        }
    };
    let name = "without a transaction, strongly consistent";
    of_access(table, access, AlternativeKind::Consistency, name, change)
        .because("a transactional read costs twice as much as a strongly consistent one")
        .deciding("the items may be read at different moments")
        .edit(
            DesignEdit::of(table.access_part(&access.name))
                .set("operation", toml_text(&operation.to_string()))
                .set("consistency", toml_text("strong")),
        )
}

/// A transaction as plain writes.
fn plain_writes(
    table: &TableDesign,
    access: &AccessPattern,
    plans: &[(WritePlan, Counts)],
) -> Alternative {
    if plans
        .iter()
        .any(|(plan, _)| plan.kind == WriteKind::ConditionCheck)
    {
        let name = format!("\"{}\" without a transaction", access.name);
        return Alternative::new(AlternativeKind::Consistency, name)
            .of(table, None)
            .impossible("it checks conditions on items that it does not write");
    }
    let change = move |access: &mut AccessPattern| {
        let PatternCall::Transaction { plans, .. } = &mut access.call else {
            return;
        };
        let plans = std::mem::take(plans);
        access.operation = Some(ApiName::PutItem);
        access.call = PatternCall::Write {
            plans,
            condition_failures: Exact::zero(),
        };
    };
    let name = "without a transaction";
    of_access(table, access, AlternativeKind::Consistency, name, change)
        .because("a transaction doubles the write units of the base table")
        .deciding("a failure between the writes leaves some of them undone")
        .edit(DesignEdit::in_words(
            table.access_part(&access.name),
            "make each of its writes on its own, instead of a TransactWriteItems",
        ))
}

/// A batch read as one Query.
fn one_query(table: &TableDesign, access: &AccessPattern) -> Option<Alternative> {
    let PatternCall::Get {
        consistency: Some(consistency),
        ..
    } = access.call
    else {
        return None;
    };
    let items = access.call.items();
    if items <= Exact::one() {
        return None;
    }
    let change = move |access: &mut AccessPattern| {
        let PatternCall::Get { reads, missing, .. } = &mut access.call else {
            return;
        };
        let mut reads = std::mem::take(reads);
        for read in &mut reads {
            let found = |count| {
                (&Exact::from(count) * &(Exact::one() - missing.clone()))
                    .ceil()
                    .to_u64()
                    .unwrap_or(count)
            };
            read.counts = read.counts.map(found);
        }
        access.operation = Some(ApiName::Query);
        access.call = PatternCall::Page {
            scan: false,
            index: None,
            reads,
            whole: false,
            segments: 1,
            consistency,
            fetches: false,
            missing: Exact::zero(),
        };
    };
    let query = of_access(table, access, AlternativeKind::Item, "as one Query", change)
        .because(
            "a Query rounds up the total size of the items that it reads; a batch rounds up each \
             item",
        )
        .if_so("the items must have the same partition key and adjacent sort keys")
        .edit(
            DesignEdit::of(table.access_part(&access.name))
                .set("operation", toml_text("Query"))
                .set("items", items.to_string()),
        );
    Some(query)
}

/// Bytes of the primary key, names included, as far as they are known: compression does not shrink
/// them.
fn key_bytes(table: &TableDesign) -> u64 {
    table
        .attributes
        .iter()
        .filter(|(name, _)| table.table.keys.names().any(|key| key == name))
        .map(|(_, bytes)| bytes)
        .sum()
}

/// Scales every size of a table.
fn resize(table: &mut TableDesign, share: &Exact) {
    let least = key_bytes(table);
    table.resize(|sizes| sizes.scaled(share, least));
}

fn compressed(table: &TableDesign, factor: u64) -> Option<Alternative> {
    if factor < 2 {
        return None;
    }
    let target = table.table.name.clone();
    Some(
        Alternative::new(
            AlternativeKind::Item,
            format!("items compressed to 1/{factor}"),
        )
        .of(table, None)
        .because(
            "saves only where an item shrinks by whole blocks: 1 KB for writes, 4 KB for reads",
        )
        .if_so(
            "compressed attributes can be neither filtered nor indexed; measure how much your \
             items shrink",
        )
        .edit(DesignEdit::in_words(
            table.part(DesignPart::Item),
            format!("divide the sizes by {factor}"),
        ))
        .change(format!("items of {}", table.table.name), move |workload| {
            if let Some(table) = table_mut(workload, &target) {
                resize(table, &Exact::ratio(1, factor));
            }
        }),
    )
}

/// Splits items into equal parts: reads and updates need one part, puts and deletes write all of
/// them.
fn split(table: &TableDesign, parts: u64) -> Option<Alternative> {
    if parts < 2 {
        return None;
    }
    let alternative = Alternative::new(
        AlternativeKind::Item,
        format!("items split into {parts} parts, with one part read or updated"),
    )
    .of(table, None);
    if table
        .access
        .iter()
        .any(|access| matches!(access.call, PatternCall::Transaction { .. }))
    {
        return Some(alternative.unknown("which parts its transactions need"));
    }
    let target = table.table.name.clone();
    Some(
        alternative
            .because(
                "a read or an update pays for the part that it needs; a put or a delete pays for \
                 all parts",
            )
            .if_so("readers of the whole item need several reads")
            .edit(DesignEdit::in_words(
                table.part(DesignPart::Item),
                format!("store each item as {parts} items of equal size"),
            ))
            .change(format!("items of {}", table.table.name), move |workload| {
                let Some(table) = table_mut(workload, &target) else {
                    return;
                };
                resize(table, &Exact::ratio(1, parts));
                table.items = &table.items * &Exact::from(parts);
                for access in &mut table.access {
                    if let PatternCall::Page {
                        scan: true, reads, ..
                    } = &mut access.call
                    {
                        for read in reads {
                            read.counts = read.counts.map(|count| count.saturating_mul(parts));
                        }
                    }
                    if let PatternCall::Write { plans, .. } = &mut access.call {
                        let whole = plans.iter_mut().filter(|(plan, _)| {
                            matches!(plan.kind, WriteKind::Put | WriteKind::Delete)
                        });
                        whole.for_each(|(_, counts)| {
                            *counts = counts.map(|count| count.saturating_mul(parts));
                        });
                    }
                }
                table.ttl_deletes = &table.ttl_deletes * &Exact::from(parts);
            }),
    )
}
