//! What the calls of a request log do to the items of each entity, as far as the keys tell: a
//! single-table design begins the keys of each entity in its own way.

use std::collections::BTreeMap;

use super::merge::sums;
use crate::replay::dynamodb::key::KeyStart;
use crate::table::ApiName;

/// How many different numbers of items of a page are told apart.
const COUNTS_MAX: usize = 24;

/// How many different beginnings of keys are told apart in a trace; further ones count as none.
pub const STARTS_MAX: usize = 200;

/// What a write does to an item.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum FoundAction {
    /// Reads it.
    Read,
    /// Puts it.
    Put,
    /// Updates it.
    Update,
    /// Deletes it.
    Delete,
    /// Checks a condition on it.
    Check,
}

/// Calls that a workload describes by one access pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct FoundKind {
    /// The table, by position.
    pub table: usize,
    /// The API call.
    pub api: ApiName,
    /// The index that is read, by position.
    pub index: Option<usize>,
    /// Whether it reads with strong consistency.
    pub strong: bool,
    /// How the key begins: of the item, if a call has one; of the condition of a Query.
    pub start: KeyStart,
}

sums! {
    /// Calls of one kind.
    #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub struct FoundCalls {
        /// The calls.
        pub calls: u64,
        /// The calls that failed because of a condition, or were cancelled.
        pub failed: u64,
        /// The calls that repeat a transaction by its token.
        pub repeated: u64,
        /// Calls of a page, by the number of items that it reads.
        pub counts: BTreeMap<u64, u64>,
        /// Their items, by entity and by what is done to them.
        pub items: BTreeMap<(KeyStart, FoundAction), FoundItems>,
    }
}

sums! {
    /// Items of one entity.
    #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub struct FoundItems {
        /// The items.
        pub items: u64,
        /// Those that were there.
        pub found: u64,
        /// Attributes that an update changes, adds or removes, with the number of such updates.
        pub changed: BTreeMap<String, [u64; 3]>,
    }
}

sums! {
    /// Items of one entity at the end of a trace.
    #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub struct FoundEntity {
        /// The items.
        pub items: u64,
        /// Their bytes.
        pub bytes: u64,
        /// Their attributes.
        pub attributes: BTreeMap<String, FoundAttribute>,
    }
}

sums! {
    /// An attribute of an entity.
    #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub struct FoundAttribute {
        /// The items that have it.
        pub items: u64,
        /// The bytes of its values.
        pub bytes: u64,
        /// Values that are numbers.
        pub numbers: u64,
        /// Values that are binary.
        pub binary: u64,
    }
}

sums! {
    /// Entities and calls, as the keys of a trace tell them apart.
    #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub struct Found {
        /// The calls.
        pub calls: BTreeMap<FoundKind, FoundCalls>,
        /// The items at the end, by table and entity.
        pub entities: BTreeMap<(usize, KeyStart), FoundEntity>,
    }
}

impl Found {
    /// Calls of a kind. A kind beyond the number that is kept counts with those whose keys tell
    /// nothing.
    pub fn calls(&mut self, mut kind: FoundKind) -> &mut FoundCalls {
        if self.calls.len() >= STARTS_MAX && !self.calls.contains_key(&kind) {
            kind.start = KeyStart::default();
        }
        self.calls.entry(kind).or_default()
    }

    /// An entity of a table; one beyond the number that is kept counts with those whose keys tell
    /// nothing.
    pub fn entity(&mut self, table: usize, start: KeyStart) -> &mut FoundEntity {
        let is_new = !self.entities.contains_key(&(table, start.clone()));
        let start = match is_new && self.entities.len() >= STARTS_MAX {
            true => KeyStart::default(),
            false => start,
        };
        self.entities.entry((table, start)).or_default()
    }
}

impl FoundCalls {
    /// Adds a page of some items. A number of items beyond those that are kept counts with the
    /// nearest that is.
    pub fn count(&mut self, items: u64) {
        let is_known = self.counts.contains_key(&items) || self.counts.len() < COUNTS_MAX;
        let nearest = || {
            self.counts
                .keys()
                .copied()
                .min_by_key(|known| known.abs_diff(items))
        };
        let items = match is_known {
            true => items,
            false => nearest().unwrap_or(items),
        };
        *self.counts.entry(items).or_default() += 1;
    }

    /// Adds an item.
    pub fn item(&mut self, start: &KeyStart, action: FoundAction, found: bool) -> &mut FoundItems {
        let items = self.items.entry((start.clone(), action)).or_default();
        items.items += 1;
        items.found += u64::from(found);
        items
    }
}
