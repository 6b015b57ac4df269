//! The meter: what an operation consumes. [`meter`] is the entry point.
//!
//! ```
//! use dynameter::meter::{meter, Switches};
//! use dynameter::table::{Consistency, KeySchema, Operation, Table, TableClass};
//! use dynameter::units::{Bytes, ReadUnits};
//!
//! let table = Table {
//!     name: "Orders".into(),
//!     class: TableClass::Standard,
//!     keys: KeySchema { partition: "CustomerId".into(), sort: None },
//!     indexes: Vec::new(),
//!     vectors: Vec::new(),
//! };
//! let read = Operation::GetItem { item: Some(Bytes(6 * 1024)), consistency: Consistency::Strong };
//! let consumed = meter(&table, &read, &Switches::default());
//! assert_eq!(consumed.table.read, ReadUnits::from_halves(4)); // 6 KB is two blocks of 4 KB
//! ```

mod reads;
mod replication;
mod switches;
mod vectors;
mod writes;

pub use replication::{change_data_capture_units, replicate, replicated_bytes, sent};
pub use switches::{
    BackupOverhead, FailedCondition, FetchOfNothing, HourBilling, ReplicatedLocalIndex,
    ReplicatedTransaction, Switch, Switches,
};
pub use vectors::{vector_search_bytes, vector_write_bytes};

use crate::table::{Consistency, Operation, Table, Transition};
use crate::units::{Bytes, ReadUnits, WriteUnits};

/// Read and write units of one target: the base table, or one index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetCapacity {
    /// Read units.
    pub read: ReadUnits,
    /// Write units.
    pub write: WriteUnits,
}

impl TargetCapacity {
    fn add(&mut self, other: TargetCapacity) {
        self.read += other.read;
        self.write += other.write;
    }
}

/// What one operation consumes of the table and each index, as `ReturnConsumedCapacity=INDEXES`
/// would report it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumedCapacity {
    /// The base table.
    pub table: TargetCapacity,
    /// Each index, by its position in [`Table::indexes`].
    pub indexes: Vec<TargetCapacity>,
    /// Members of a BatchExecuteStatement that failed: AWS includes them in the total, but not in
    /// what it returns for the table or an index (rule 11.1). They are requests of the table.
    pub failed: TargetCapacity,
}

impl ConsumedCapacity {
    /// Zero for the table and each index.
    pub fn none(table: &Table) -> ConsumedCapacity {
        ConsumedCapacity {
            indexes: vec![TargetCapacity::default(); table.indexes.len()],
            ..ConsumedCapacity::default()
        }
    }

    /// What the base table itself consumes, failed members included.
    pub fn of_table(&self) -> TargetCapacity {
        let mut own = self.table;
        own.add(self.failed);
        own
    }

    /// The sum of the table and all indexes, failed members included.
    pub fn total(&self) -> TargetCapacity {
        let mut total = self.of_table();
        self.indexes.iter().for_each(|target| total.add(*target));
        total
    }

    fn add(&mut self, other: &ConsumedCapacity) {
        self.table.add(other.table);
        self.failed.add(other.failed);
        self.indexes
            .iter_mut()
            .zip(&other.indexes)
            .for_each(|(target, more)| target.add(*more));
    }
}

/// One key of a GetItem or BatchGetItem: the same as [`meter`], without building an operation.
#[inline]
pub fn get(item: Option<Bytes>, consistency: Consistency) -> ReadUnits {
    reads::get(item, consistency)
}

/// The base table's units of a Put, Update or Delete outside a transaction that was applied, by the
/// images before and after: the same as [`meter`], without building an operation.
#[inline]
pub fn table_write(old: Option<Bytes>, new: Option<Bytes>) -> WriteUnits {
    writes::base(old, new)
}

/// The units of an index for such a write.
#[inline]
pub fn index_write(transition: Transition) -> WriteUnits {
    writes::index(transition)
}

/// What an operation consumes on a table, in the region that serves it.
///
/// In a global table, the write units of the base table and of local indexes are replicated units
/// (rWRU, rWCU); [`replicate`] returns what every other region consumes.
#[must_use]
pub fn meter(table: &Table, operation: &Operation, switches: &Switches) -> ConsumedCapacity {
    let mut consumed = ConsumedCapacity::none(table);
    match operation {
        Operation::GetItem { item, consistency } => {
            consumed.table.read = reads::get(*item, *consistency)
        }
        Operation::BatchGetItem { items, consistency } => {
            consumed.table.read = items
                .iter()
                .map(|item| reads::get(*item, *consistency))
                .sum();
        }
        Operation::TransactGetItems { items } => {
            consumed.table.read = items.iter().map(|item| reads::transact_get(*item)).sum()
        }
        Operation::Query(page) | Operation::Scan(page) => {
            reads::page(page, switches, &mut consumed)
        }
        Operation::PutItem(write) | Operation::UpdateItem(write) | Operation::DeleteItem(write) => {
            writes::single(write, switches, &mut consumed);
        }
        Operation::BatchWriteItem(batch) => batch
            .iter()
            .for_each(|write| writes::single(write, switches, &mut consumed)),
        Operation::TransactWriteItems { actions, outcome } => {
            writes::transaction(actions, *outcome, &mut consumed)
        }
        Operation::ExecuteStatement(operation) | Operation::ExecuteTransaction(operation) => {
            return meter(table, operation, switches);
        }
        Operation::BatchExecuteStatement(statements) => {
            // Rule 3.10: failed members count only if another member succeeded on the same table.
            if statements
                .iter()
                .any(|statement| !writes::has_failed(statement))
            {
                for statement in statements {
                    match writes::failed_member(statement, switches) {
                        Some(units) => consumed.failed.write += units,
                        None => consumed.add(&meter(table, statement, switches)),
                    }
                }
            }
        }
        Operation::TimeToLiveDelete(_) => {} // rule 3.12
    }
    consumed
}
