//! Secondary indexes: which items have an entry, how large it is, and what a write does to it.

use super::KeySchema;
use super::item::{Item, attribute_size};
use super::value::{AttributeValue, NumberAlignment};
use crate::units::Bytes;

/// Whether an index shares its table's partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IndexKind {
    /// Own partitions and own capacity; eventually consistent reads only.
    Global,
    /// The table's partitions and the table's capacity.
    Local,
}

/// Which attributes an index holds in addition to the keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Projection {
    /// The keys of the table and of the index.
    KeysOnly,
    /// The keys and the named attributes.
    Include(Vec<String>),
    /// Every attribute of the item.
    All,
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// The index's name, 3 to 255 characters.
    pub name: String,
    /// Local or global.
    pub kind: IndexKind,
    /// Its key attributes, partition keys first (a global index may have up to four of each).
    pub keys: Vec<String>,
    /// What it holds in addition to the keys.
    pub projection: Projection,
}

/// What a write does to the entry that one index holds of an item; sizes are of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Transition {
    /// No entry before and none after.
    Absent,
    /// No entry before, one after.
    Inserted {
        /// The entry after.
        new: Bytes,
    },
    /// An entry before, none after.
    Removed {
        /// The entry before.
        old: Bytes,
    },
    /// The same entry before and after.
    Unchanged,
    /// The same index key, but a projected attribute changed.
    Replaced {
        /// The entry before.
        old: Bytes,
        /// The entry after.
        new: Bytes,
    },
    /// Another index key: the entry is deleted under the old key and put under the new one.
    Moved {
        /// The entry before.
        old: Bytes,
        /// The entry after.
        new: Bytes,
    },
}

impl Transition {
    /// From the entries before and after, and what the write does to an entry that stays.
    #[inline]
    pub fn of(old: Option<Bytes>, new: Option<Bytes>, effect: EntryEffect) -> Transition {
        match (old, new) {
            (None, None) => Transition::Absent,
            (None, Some(new)) => Transition::Inserted { new },
            (Some(old), None) => Transition::Removed { old },
            (Some(old), Some(new)) => match effect {
                EntryEffect::Move => Transition::Moved { old, new },
                EntryEffect::Rewrite => Transition::Replaced { old, new },
                EntryEffect::Nothing => Transition::Unchanged,
            },
        }
    }
}

/// What a change of an item does to its entry in an index, if it has one before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryEffect {
    /// No attribute that the index holds changes.
    Nothing,
    /// A projected attribute changes: the entry is written again.
    Rewrite,
    /// A key of the index changes: the entry is deleted under the old key and put under the new
    /// one.
    Move,
}

impl Index {
    /// Whether the index holds an attribute, by key or by projection.
    pub fn holds(&self, table: &KeySchema, name: &str) -> bool {
        match &self.projection {
            Projection::All => true,
            Projection::Include(names) if names.iter().any(|included| included == name) => true,
            _ => self.keys.iter().any(|key| key == name) || table.names().any(|key| key == name),
        }
    }

    /// What a write that changes some attributes does to an entry (rules 3.8a to 3.8d). If it is
    /// not given which attributes change, all change except the keys of indexes.
    #[inline]
    pub fn effect_of(&self, changes: Option<&[impl AsRef<str>]>, table: &KeySchema) -> EntryEffect {
        match changes {
            Some(changes)
                if changes
                    .iter()
                    .any(|name| self.keys.iter().any(|key| key == name.as_ref())) =>
            {
                EntryEffect::Move
            }
            Some(changes) if changes.iter().any(|name| self.holds(table, name.as_ref())) => {
                EntryEffect::Rewrite
            }
            Some(_) => EntryEffect::Nothing,
            None if self.holds_more_than_keys() => EntryEffect::Rewrite,
            None => EntryEffect::Nothing,
        }
    }

    /// Whether the index holds attributes other than its own keys and those of the table.
    pub fn holds_more_than_keys(&self) -> bool {
        match &self.projection {
            Projection::All => true,
            Projection::Include(names) => !names.is_empty(),
            Projection::KeysOnly => false,
        }
    }

    /// Bytes of the entry that an item has in this index; `None` if it has none (sparse).
    ///
    /// Source: Developer Guide, "Storage considerations for global secondary indexes" (rule 1.6):
    /// the keys of the table, of the index and the projected attributes, each counted once.
    pub fn entry_size(
        &self,
        table: &KeySchema,
        item: &Item,
        numbers: NumberAlignment,
    ) -> Option<Bytes> {
        let covered = self.keys.iter().all(|key| item.get(key).is_some());
        covered.then(|| {
            self.entry(table, item)
                .map(|(name, value)| attribute_size(name, value, numbers))
                .sum()
        })
    }

    /// What happens to the entry of this index when an item changes.
    pub fn transition(
        &self,
        table: &KeySchema,
        old: Option<&Item>,
        new: Option<&Item>,
        numbers: NumberAlignment,
    ) -> Transition {
        let size =
            |item: Option<&Item>| item.and_then(|item| self.entry_size(table, item, numbers));
        match (old.zip(size(old)), new.zip(size(new))) {
            (None, None) => Transition::Absent,
            (None, Some((_, new))) => Transition::Inserted { new },
            (Some((_, old)), None) => Transition::Removed { old },
            (Some((before, old)), Some((after, new))) => {
                if self
                    .keys
                    .iter()
                    .any(|key| before.get(key) != after.get(key))
                {
                    Transition::Moved { old, new }
                } else if self.entry(table, before).eq(self.entry(table, after)) {
                    Transition::Unchanged
                } else {
                    Transition::Replaced { old, new }
                }
            }
        }
    }

    fn entry<'a>(
        &'a self,
        table: &'a KeySchema,
        item: &'a Item,
    ) -> impl Iterator<Item = (&'a String, &'a AttributeValue)> {
        item.0.iter().filter(|(name, _)| self.holds(table, name))
    }
}
