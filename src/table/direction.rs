//! Reads or writes: the two directions in which throughput is consumed, provisioned and billed.

use std::ops::{Index, IndexMut};

/// The direction of throughput.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    schemars::JsonSchema,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Reads.
    Read,
    /// Writes, replicated ones included.
    Write,
}

impl Direction {
    /// Both, reads first.
    pub const BOTH: [Direction; 2] = [Direction::Read, Direction::Write];

    /// `read` or `write`.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Read => "read",
            Direction::Write => "write",
        }
    }
}

/// One value for reads and one for writes.
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
pub struct ByDirection<T> {
    /// For reads.
    pub read: T,
    /// For writes.
    pub write: T,
}

impl<T> ByDirection<T> {
    /// The value that a function returns for each direction, reads first.
    pub fn each(mut value: impl FnMut(Direction) -> T) -> ByDirection<T> {
        let read = value(Direction::Read);
        ByDirection {
            read,
            write: value(Direction::Write),
        }
    }

    /// Both values, each changed by a function.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> ByDirection<U> {
        let read = change(self.read);
        ByDirection {
            read,
            write: change(self.write),
        }
    }

    /// References to both values.
    pub fn as_ref(&self) -> ByDirection<&T> {
        ByDirection {
            read: &self.read,
            write: &self.write,
        }
    }

    /// Each direction with its value, reads first.
    pub fn iter(&self) -> impl Iterator<Item = (Direction, &T)> {
        [
            (Direction::Read, &self.read),
            (Direction::Write, &self.write),
        ]
        .into_iter()
    }

    /// The values, reads first.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        [&self.read, &self.write].into_iter()
    }
}

impl<T> Index<Direction> for ByDirection<T> {
    type Output = T;

    fn index(&self, direction: Direction) -> &T {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }
}

impl<T> IndexMut<Direction> for ByDirection<T> {
    fn index_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}
