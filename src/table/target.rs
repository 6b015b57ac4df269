//! What an operation reads or writes: the table itself, or one of its indexes.

/// A table, or one of its indexes. AWS reports consumed capacity for each of them.
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
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The table.
    #[default]
    Table,
    /// An index, by its position in the table's list.
    Index(usize),
}

impl Target {
    /// The table and then each of its indexes: the order of every list that has one element for
    /// each target.
    pub fn all(indexes: usize) -> impl Iterator<Item = Target> {
        std::iter::once(Target::Table).chain((0..indexes).map(Target::Index))
    }

    /// The target at a position of such a list.
    pub fn at(position: usize) -> Target {
        position.checked_sub(1).map_or(Target::Table, Target::Index)
    }

    /// Its position in such a list.
    pub fn position(self) -> usize {
        match self {
            Target::Table => 0,
            Target::Index(at) => at + 1,
        }
    }

    /// The position of the index among the table's indexes; `None` for the table.
    pub fn index(self) -> Option<usize> {
        match self {
            Target::Table => None,
            Target::Index(at) => Some(at),
        }
    }
}

impl From<Option<usize>> for Target {
    fn from(index: Option<usize>) -> Target {
        index.map_or(Target::Table, Target::Index)
    }
}
