//! What the calls of a request log do to the items of each entity, as far as the keys tell: a
//! single-table design begins the keys of each entity in its own way.

use std::collections::BTreeMap;

use super::merge::sums;
use crate::table::{ApiName, AttributeValue, Item, KeyStart, NumberAlignment, Table};

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
    /// What a write of one item does to keys of indexes.
    pub effect: KeyEffect,
}

/// What a write does to keys of indexes, by attribute: an update changes, sets or removes them; a put
/// has them.
pub type KeyEffect = Vec<(String, Change)>;

/// What an update does to an attribute.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Change {
    /// It is there before and after.
    Changes,
    /// It is not there before.
    Sets,
    /// It is not there after.
    Removes,
}

/// Items of a call that are described together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct FoundMember {
    /// How their keys begin.
    pub start: KeyStart,
    /// What is done to them.
    pub action: FoundAction,
    /// What that does to keys of indexes.
    pub effect: KeyEffect,
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
        /// Their items.
        pub items: BTreeMap<FoundMember, FoundItems>,
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
    /// Items of one entity.
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
        /// All items that were written, by table and entity.
        pub written: BTreeMap<(usize, KeyStart), FoundEntity>,
    }
}

impl Found {
    /// Calls of a kind. A kind beyond the number that is kept counts with those whose keys tell
    /// nothing.
    pub fn calls(&mut self, mut kind: FoundKind) -> &mut FoundCalls {
        if self.calls.len() >= STARTS_MAX && !self.calls.contains_key(&kind) {
            kind.start = KeyStart::default();
            kind.effect.clear();
        }
        self.calls.entry(kind).or_default()
    }

    /// An entity of a table at the end.
    pub fn entity(&mut self, table: usize, start: KeyStart) -> &mut FoundEntity {
        entity_of(&mut self.entities, table, start)
    }

    /// What was written of an entity of a table.
    pub fn written(&mut self, table: usize, start: KeyStart) -> &mut FoundEntity {
        entity_of(&mut self.written, table, start)
    }
}

/// An entity of a table; one beyond the number that is kept counts with those whose keys tell
/// nothing.
fn entity_of(
    all: &mut BTreeMap<(usize, KeyStart), FoundEntity>,
    table: usize,
    start: KeyStart,
) -> &mut FoundEntity {
    let key = (table, start);
    match all.contains_key(&key) || all.len() < STARTS_MAX {
        true => all.entry(key).or_default(),
        false => all.entry((table, KeyStart::default())).or_default(),
    }
}

impl FoundEntity {
    /// Adds an item.
    pub fn add(&mut self, item: &Item, table: &Table, numbers: NumberAlignment) {
        self.items += 1;
        self.bytes += table.item_size(item, numbers).0;
        for (name, value) in &item.0 {
            if !self.attributes.contains_key(name) {
                self.attributes
                    .insert(name.clone(), FoundAttribute::default());
            }
            let Some(attribute) = self.attributes.get_mut(name) else {
                continue;
            };
            attribute.items += 1;
            attribute.bytes += table.attribute_size(name, value, numbers).0 - name.len() as u64;
            attribute.numbers += u64::from(matches!(value, AttributeValue::N(_)));
            attribute.binary += u64::from(matches!(value, AttributeValue::B(_)));
        }
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
    pub fn item(&mut self, member: FoundMember, found: bool) -> &mut FoundItems {
        let items = self.items.entry(member).or_default();
        items.items += 1;
        items.found += u64::from(found);
        items
    }
}
