//! What DynamoDB stores and the operations on it: attribute values and their sizes, keys, indexes
//! and projections, and [`Operation`], one variant for each API call that costs.

mod api;
mod arn;
mod direction;
mod index;
mod item;
mod key_start;
pub mod limits;
mod operation;
mod target;
mod value;

pub use api::ApiName;
pub use arn::Arn;
pub use direction::{ByDirection, Direction};
pub use index::{EntryEffect, Index, IndexKind, Projection, Transition};
pub use item::Item;
pub use key_start::KeyStart;
pub use operation::{
    Consistency, Operation, ReadPage, TransactionAction, TransactionOutcome, Write, WriteOutcome,
};
pub use target::Target;
pub use value::{AttributeValue, Number, NumberAlignment, ValueError};

use crate::units::Bytes;

/// The storage and throughput prices a table is billed at.
///
/// Source: Developer Guide, "DynamoDB table classes".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableClass {
    /// DynamoDB Standard.
    #[default]
    Standard,
    /// DynamoDB Standard-Infrequent Access.
    StandardIa,
}

/// Bytes of a dimension of a vector (rule 11.5).
pub const VECTOR_DIMENSION_BYTES: u64 = 4;

/// The primary key of a table: names of its attributes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, Hash)]
pub struct KeySchema {
    /// The partition key's attribute.
    pub partition: String,
    /// The sort key's attribute, if the table has one.
    pub sort: Option<String>,
}

impl KeySchema {
    /// The schema of a table whose key is known only as a whole.
    pub fn unnamed() -> KeySchema {
        KeySchema {
            partition: "key".to_string(),
            sort: None,
        }
    }

    /// The schema of a table whose key attributes are known by their names only: the first name is
    /// taken for the partition key.
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a String>) -> KeySchema {
        let mut names = names.into_iter().cloned();
        KeySchema {
            partition: names.next().unwrap_or_else(|| "key".to_string()),
            sort: names.next(),
        }
    }

    /// The names of the key attributes, partition key first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.partition.as_str()).chain(self.sort.as_deref())
    }
}

/// A table as the meter sees it. Operations name indexes by their position in `indexes`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// The table's name, 3 to 255 characters.
    pub name: String,
    /// Its class.
    pub class: TableClass,
    /// Its primary key.
    pub keys: KeySchema,
    /// Its secondary indexes, local and global.
    pub indexes: Vec<Index>,
    /// The attributes that its vector indexes read.
    pub vectors: Vec<VectorAttribute>,
}

/// An attribute that a vector index reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VectorAttribute {
    /// Its name.
    pub name: String,
    /// The dimensions of its vectors.
    pub dimensions: u64,
}

impl Table {
    /// Bytes of an item in the table, names included: an attribute that a vector index reads counts 4
    /// bytes a dimension, whatever the digits of its numbers (rule 11.5).
    pub fn item_size(&self, item: &Item, numbers: NumberAlignment) -> Bytes {
        if self.vectors.is_empty() {
            return item.size(numbers);
        }
        let attributes = item.0.iter();
        attributes
            .map(|(name, value)| self.attribute_size(name, value, numbers))
            .sum()
    }

    /// Bytes of an attribute of an item in the table, its name included.
    pub fn attribute_size(
        &self,
        name: &str,
        value: &AttributeValue,
        numbers: NumberAlignment,
    ) -> Bytes {
        let vector = self.vectors.iter().find(|one| one.name == name);
        match (vector, value) {
            (Some(vector), AttributeValue::L(_)) => {
                Bytes(name.len() as u64 + VECTOR_DIMENSION_BYTES * vector.dimensions)
            }
            _ => item::attribute_size(name, value, numbers),
        }
    }

    /// Whose capacity a target uses: a global index has its own, a local index uses its table's.
    pub fn account_of(&self, target: Target) -> Target {
        match target {
            Target::Index(at)
                if self
                    .indexes
                    .get(at)
                    .is_some_and(|index| index.kind == IndexKind::Global) =>
            {
                target
            }
            Target::Table | Target::Index(_) => Target::Table,
        }
    }

    /// Whether it has a local index.
    pub fn has_local_indexes(&self) -> bool {
        self.indexes
            .iter()
            .any(|index| index.kind == IndexKind::Local)
    }

    /// The targets that share the units of an account: writes of a table include those of its local
    /// indexes.
    pub fn sharing(&self, account: Target, direction: Direction) -> Vec<Target> {
        match (account, direction) {
            (Target::Table, Direction::Write) => Target::all(self.indexes.len())
                .filter(|target| self.account_of(*target) == Target::Table)
                .collect(),
            _ => vec![account],
        }
    }

    /// What happens in each index when an item changes: one transition for each index, in order.
    pub fn transitions(
        &self,
        old: Option<&Item>,
        new: Option<&Item>,
        numbers: NumberAlignment,
    ) -> Vec<Transition> {
        self.indexes
            .iter()
            .map(|index| index.transition(&self.keys, old, new, numbers))
            .collect()
    }
}
