//! The API calls that cost, as far as the meter needs them: sizes, not contents.

use super::Direction;
use super::index::Transition;
use crate::units::Bytes;

/// How consistent a read outside a transaction is.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Consistency {
    /// Half a unit for each 4 KB.
    #[default]
    Eventual,
    /// One unit for each 4 KB.
    Strong,
}

/// One call of a Query or Scan: one page, or one segment's page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadPage {
    /// The position of the index read; `None` for the table itself.
    pub index: Option<usize>,
    /// Bytes of all items evaluated, before any filter; for a read of an index, its entries.
    pub evaluated: Bytes,
    /// Eventual or strong (a global index is read eventually only).
    pub consistency: Consistency,
    /// `Some` if the call requests attributes that a local index does not hold: the sizes of the
    /// base items that are fetched, each rounded up separately.
    pub fetched: Option<Vec<Bytes>>,
}

/// Whether a single write was applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum WriteOutcome {
    /// The images are those before and after.
    #[default]
    Applied,
    /// The condition failed: `new` is the image that was attempted, and nothing changed.
    ConditionFailed,
}

/// A Put, an Update or a Delete of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Write {
    /// Size of the item before, if there was one.
    pub old: Option<Bytes>,
    /// Size of the item after, if there is one.
    pub new: Option<Bytes>,
    /// What each index sees, by position; fewer than the table's indexes means `Absent` for the
    /// rest.
    pub indexes: Vec<Transition>,
    /// Applied, or refused by its condition.
    pub outcome: WriteOutcome,
}

/// One member of a TransactWriteItems.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TransactionAction {
    /// Put, Update or Delete.
    Write(Write),
    /// ConditionCheck, with the size of the existing item.
    ConditionCheck(Option<Bytes>),
}

/// How a TransactWriteItems ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// All actions were applied.
    #[default]
    Committed,
    /// A condition failed or two transactions conflicted; nothing was applied.
    Cancelled,
    /// The same ClientRequestToken was sent again within ten minutes; the actions are those of the
    /// first call.
    Replayed,
}

/// An API call that costs. A call over several tables is one operation for each table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// GetItem, with the size of the item if it exists.
    GetItem {
        /// Bytes of the item; `None` if no item has the key.
        item: Option<Bytes>,
        /// Eventual or strong.
        consistency: Consistency,
    },
    /// BatchGetItem: the keys that were processed.
    BatchGetItem {
        /// Bytes of each item; `None` if no item has the key.
        items: Vec<Option<Bytes>>,
        /// Eventual or strong.
        consistency: Consistency,
    },
    /// TransactGetItems.
    TransactGetItems {
        /// Bytes of each item; `None` if no item has the key.
        items: Vec<Option<Bytes>>,
    },
    /// Query, one page.
    Query(ReadPage),
    /// Scan, one page.
    Scan(ReadPage),
    /// PutItem.
    PutItem(Write),
    /// UpdateItem.
    UpdateItem(Write),
    /// DeleteItem.
    DeleteItem(Write),
    /// BatchWriteItem: the puts and deletes that were processed.
    BatchWriteItem(Vec<Write>),
    /// TransactWriteItems.
    TransactWriteItems {
        /// The actions on this table.
        actions: Vec<TransactionAction>,
        /// How it ended.
        outcome: TransactionOutcome,
    },
    /// A PartiQL statement: the equivalent operation.
    ExecuteStatement(Box<Operation>),
    /// PartiQL statements in a batch: the equivalent operations.
    BatchExecuteStatement(Vec<Operation>),
    /// PartiQL statements in a transaction: a TransactGetItems or a TransactWriteItems.
    ExecuteTransaction(Box<Operation>),
    /// Time to Live deletes an item.
    TimeToLiveDelete(Write),
}

impl Operation {
    /// Whether it consumes read or write units. A write transaction that is repeated with its token
    /// consumes read units (rule 3.7b).
    pub fn direction(&self) -> Direction {
        match self {
            Operation::GetItem { .. }
            | Operation::BatchGetItem { .. }
            | Operation::TransactGetItems { .. }
            | Operation::Query(_)
            | Operation::Scan(_)
            | Operation::TransactWriteItems {
                outcome: TransactionOutcome::Replayed,
                ..
            } => Direction::Read,
            Operation::PutItem(_)
            | Operation::UpdateItem(_)
            | Operation::DeleteItem(_)
            | Operation::BatchWriteItem(_)
            | Operation::TransactWriteItems { .. }
            | Operation::TimeToLiveDelete(_) => Direction::Write,
            Operation::ExecuteStatement(inner) | Operation::ExecuteTransaction(inner) => {
                inner.direction()
            }
            Operation::BatchExecuteStatement(all)
                if all.iter().all(|one| one.direction() == Direction::Read) =>
            {
                Direction::Read
            }
            Operation::BatchExecuteStatement(_) => Direction::Write,
        }
    }
}
