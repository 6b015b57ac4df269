//! Writes: single items, index entries, transactions (rules 3.1 to 3.12), and failed
//! members of a BatchExecuteStatement (rules 3.10 and 11.1).

use super::reads::transact_get;
use super::{ConsumedCapacity, Switches};
use crate::table::{
    Operation, TransactionAction, TransactionOutcome, Transition, Write, WriteOutcome,
};
use crate::units::{Bytes, KB, WriteUnits};

/// Units of an image: one for each 1 KB; one if there is no image.
///
/// Source: Developer Guide, "DynamoDB read and write operations" (rules 1.7 and 3.2).
#[inline]
fn units(image: Option<Bytes>) -> WriteUnits {
    WriteUnits(image.unwrap_or_default().blocks(KB))
}

/// A Put, Update or Delete outside a transaction.
pub(super) fn single(write: &Write, switches: &Switches, consumed: &mut ConsumedCapacity) {
    match write.outcome {
        WriteOutcome::Applied => {
            consumed.table.write += base(write.old, write.new);
            index_writes(&write.indexes, consumed);
        }
        WriteOutcome::ConditionFailed => consumed.table.write += failed_condition(write, switches),
    }
}

/// The base table is charged for the larger of the images before and after (rules 3.1 to 3.3).
///
/// Source: Developer Guide, "DynamoDB read and write operations": "the item size that matters is
/// the larger of the two".
#[inline]
pub(super) fn base(old: Option<Bytes>, new: Option<Bytes>) -> WriteUnits {
    units(old.max(new))
}

/// A condition that failed changes nothing and still costs the units of an image: of the item that
/// exists, or by a switch of the larger of both (rules 3.7 and 3.7g). Indexes cost nothing.
///
/// Source: measured on AWS by third parties; the Developer Guide says otherwise.
fn failed_condition(write: &Write, switches: &Switches) -> WriteUnits {
    units(switches.failed_condition.image(write.old, write.new))
}

/// Each index is charged for its own entry (rule 3.8). Source: Developer Guide, "Global secondary
/// indexes" and "Local secondary indexes"; sizes of moves and replacements come from captures of
/// AWS.
#[inline]
pub(super) fn index(transition: Transition) -> WriteUnits {
    match transition {
        Transition::Absent | Transition::Unchanged => WriteUnits::ZERO,
        Transition::Inserted { new } => units(Some(new)),
        Transition::Removed { old } => units(Some(old)),
        Transition::Replaced { old, new } => units(Some(old.max(new))),
        Transition::Moved { old, new } => units(Some(old)) + units(Some(new)),
    }
}

/// The writes to all indexes.
pub(super) fn index_writes(transitions: &[Transition], consumed: &mut ConsumedCapacity) {
    for (target, transition) in consumed.indexes.iter_mut().zip(transitions) {
        target.write += index(*transition);
    }
}

/// A TransactWriteItems: two units where a plain write costs one, on the base table only (rules 3.6
/// to 3.9).
pub(super) fn transaction(
    actions: &[TransactionAction],
    outcome: TransactionOutcome,
    consumed: &mut ConsumedCapacity,
) {
    for action in actions {
        match (outcome, action) {
            (TransactionOutcome::Committed, TransactionAction::Write(write)) => {
                consumed.table.write += twice(base(write.old, write.new));
                index_writes(&write.indexes, consumed);
            }
            (TransactionOutcome::Committed, TransactionAction::ConditionCheck(item)) => {
                consumed.table.write += twice(units(*item))
            }
            (
                TransactionOutcome::Cancelled,
                TransactionAction::Write(Write { old: item, .. })
                | TransactionAction::ConditionCheck(item),
            ) => {
                consumed.table.write += twice(units(*item));
            }
            (TransactionOutcome::Replayed, TransactionAction::Write(write)) => {
                consumed.table.read += transact_get(write.old.max(write.new))
            }
            (TransactionOutcome::Replayed, TransactionAction::ConditionCheck(item)) => {
                consumed.table.read += transact_get(*item)
            }
        }
    }
}

fn twice(units: WriteUnits) -> WriteUnits {
    WriteUnits(units.0 * 2)
}

/// Units of a failed member of a BatchExecuteStatement; `None` if it did not fail. An INSERT of an
/// item that exists costs the larger of the stored and the attempted item, whatever the switch says,
/// which is about single calls (rule 11.1).
pub(super) fn failed_member(member: &Operation, switches: &Switches) -> Option<WriteUnits> {
    match member {
        Operation::PutItem(write) if has_failed(member) => Some(base(write.old, write.new)),
        Operation::UpdateItem(write) | Operation::DeleteItem(write) if has_failed(member) => {
            Some(failed_condition(write, switches))
        }
        _ => None,
    }
}

/// Whether an operation is a write whose condition failed.
pub(super) fn has_failed(operation: &Operation) -> bool {
    let (Operation::PutItem(write) | Operation::UpdateItem(write) | Operation::DeleteItem(write)) =
        operation
    else {
        return false;
    };
    write.outcome == WriteOutcome::ConditionFailed
}
