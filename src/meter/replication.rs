//! Global tables: what every other region consumes (rules 4.1 to 4.9).

use super::writes::{base, index_writes};
use super::{ConsumedCapacity, ReplicatedTransaction, Switches};
use crate::table::{Operation, Table, TransactionAction, TransactionOutcome, Write, WriteOutcome};
use crate::units::{Bytes, WriteUnits};

/// What an operation consumes in each other region of a global table: replicated units on the base
/// table and its local indexes, ordinary ones on global indexes. Reads and writes whose condition
/// fails consume nothing there.
///
/// Source: Developer Guide, "Global tables billing"; a witness consumes nothing (rule 4.4).
pub fn replicate(table: &Table, operation: &Operation, switches: &Switches) -> ConsumedCapacity {
    let mut consumed = ConsumedCapacity::none(table);
    let factor = match (operation, switches.replicated_transaction) {
        (
            Operation::TransactWriteItems { .. } | Operation::ExecuteTransaction(_),
            ReplicatedTransaction::Twice,
        ) => 2,
        _ => 1,
    };
    for write in applied(operation) {
        consumed.table.write += WriteUnits(base(write.old, write.new).0 * factor);
        index_writes(&write.indexes, &mut consumed);
    }
    consumed
}

/// Bytes that an operation sends to each other region: the image after, or the item that a delete
/// removed.
///
/// `Assumption:` a replicated write sends the whole item, as the guide's "replicated byte" suggests
/// (rule 4.9).
pub fn replicated_bytes(operation: &Operation) -> Bytes {
    applied(operation)
        .into_iter()
        .map(|write| sent(write.old, write.new).1)
        .sum()
}

/// Change data capture units of an operation for a Kinesis data stream: one for each 1 KB of the
/// larger image of each changed item, not doubled in a transaction, Time to Live deletes included
/// (rule 5.2).
///
/// Source: Developer Guide, "Kinesis Data Streams for DynamoDB": "the larger of the before and
/// after images … using the same logic as capacity unit consumption for write operations".
pub fn change_data_capture_units(operation: &Operation) -> u64 {
    applied(operation)
        .into_iter()
        .map(|write| sent(write.old, write.new).0)
        .sum()
}

/// What a write that was applied sends, by its images before and after: change data capture units,
/// and bytes to each other region. Nothing if there is no item before and after.
#[inline]
pub fn sent(old: Option<Bytes>, new: Option<Bytes>) -> (u64, Bytes) {
    new.or(old)
        .map_or((0, Bytes(0)), |image| (base(old, new).0, image))
}

/// Whether a write changed something.
fn is_change(write: &Write) -> bool {
    write.outcome == WriteOutcome::Applied && (write.old.is_some() || write.new.is_some())
}

/// The writes of an operation that changed something.
fn applied(operation: &Operation) -> Vec<&Write> {
    let writes: Vec<&Write> = match operation {
        Operation::PutItem(write)
        | Operation::UpdateItem(write)
        | Operation::DeleteItem(write)
        | Operation::TimeToLiveDelete(write) => {
            vec![write]
        }
        Operation::BatchWriteItem(batch) => batch.iter().collect(),
        Operation::TransactWriteItems {
            actions,
            outcome: TransactionOutcome::Committed,
        } => actions
            .iter()
            .filter_map(|action| {
                if let TransactionAction::Write(write) = action {
                    Some(write)
                } else {
                    None
                }
            })
            .collect(),
        Operation::ExecuteStatement(operation) | Operation::ExecuteTransaction(operation) => {
            applied(operation)
        }
        Operation::BatchExecuteStatement(statements) => {
            statements.iter().flat_map(applied).collect()
        }
        _ => Vec::new(),
    };
    writes
        .into_iter()
        .filter(|write| is_change(write))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::meter;
    use super::*;
    use crate::table::{Index, IndexKind, KeySchema, Projection, TableClass, Transition};

    fn table() -> Table {
        let index = Index {
            name: "ByStatus".into(),
            kind: IndexKind::Global,
            keys: vec!["Status".into()],
            projection: Projection::All,
        };
        Table {
            name: "Orders".into(),
            class: TableClass::Standard,
            keys: KeySchema {
                partition: "id".into(),
                sort: None,
            },
            indexes: vec![index],
            vectors: Vec::new(),
        }
    }

    fn put(size: u64) -> Write {
        Write {
            new: Some(Bytes(size)),
            indexes: vec![Transition::Inserted { new: Bytes(size) }],
            ..Write::default()
        }
    }

    #[test]
    fn the_guides_two_regions_double_table_and_index() {
        // 200 writes of 1 KB to an ALL-projected index in 2 regions: 400 rWRU + 400 WRU.
        let operation = Operation::PutItem(put(1024));
        let (here, there) = (
            meter(&table(), &operation, &Switches::default()),
            replicate(&table(), &operation, &Switches::default()),
        );
        assert_eq!(200 * (here.table.write.0 + there.table.write.0), 400);
        assert_eq!(
            200 * (here.indexes[0].write.0 + there.indexes[0].write.0),
            400
        );
    }

    #[test]
    fn a_transaction_doubles_only_at_home() {
        let operation = Operation::TransactWriteItems {
            actions: vec![TransactionAction::Write(put(1024))],
            outcome: TransactionOutcome::Committed,
        };
        assert_eq!(
            meter(&table(), &operation, &Switches::default())
                .table
                .write,
            WriteUnits(2)
        );
        assert_eq!(
            replicate(&table(), &operation, &Switches::default())
                .table
                .write,
            WriteUnits(1)
        );
        let twice = Switches {
            replicated_transaction: ReplicatedTransaction::Twice,
            ..Switches::default()
        };
        assert_eq!(
            replicate(&table(), &operation, &twice).table.write,
            WriteUnits(2)
        );
    }

    #[test]
    fn a_time_to_live_delete_is_free_at_home_and_written_elsewhere() {
        let write = Write {
            old: Some(Bytes(2500)),
            indexes: vec![Transition::Removed { old: Bytes(900) }],
            ..Write::default()
        };
        let operation = Operation::TimeToLiveDelete(write);
        assert_eq!(
            meter(&table(), &operation, &Switches::default())
                .total()
                .write,
            WriteUnits::ZERO
        );
        let there = replicate(&table(), &operation, &Switches::default());
        assert_eq!(
            (there.table.write, there.indexes[0].write),
            (WriteUnits(3), WriteUnits(1))
        );
    }

    #[test]
    fn failed_writes_and_reads_are_not_replicated() {
        let failed = Operation::PutItem(Write {
            outcome: WriteOutcome::ConditionFailed,
            ..put(1024)
        });
        let missing = Operation::DeleteItem(Write::default());
        for operation in [failed, missing] {
            assert_eq!(
                replicate(&table(), &operation, &Switches::default()).total(),
                Default::default()
            );
            assert_eq!(replicated_bytes(&operation), Bytes(0));
        }
    }
}
