//! Vector indexes: what they hold of an item, and searches (rule 11.5).

use super::sizes::{IndexEntry, SizeClass};
use crate::capacity::Shape;
use crate::table::{
    EntryEffect, Item, KeySchema, NumberAlignment, Projection, Table, VECTOR_DIMENSION_BYTES,
    VectorAttribute,
};
use crate::units::{Bytes, Exact};

/// Bytes of the keys of an entry if their lengths are not given.
///
/// `Assumption:` the keys and the name of the attribute have 35 bytes together; entries of an index
/// of keys only with 1,024 dimensions were seen with 7 to 34 bytes in addition to the vector.
pub const UNKNOWN_KEY_BYTES: u64 = 35;

/// A vector index of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VectorIndex {
    /// Its name.
    pub name: String,
    /// The attribute that holds the vectors.
    pub attribute: String,
    /// The dimensions of a vector.
    pub dimensions: u64,
    /// Which other attributes it holds.
    pub projection: Projection,
    /// The share of items that have a vector, if their attributes are not described.
    pub coverage: Exact,
    /// The size of an entry, if it is given.
    pub entry_size: Option<Bytes>,
    /// Bytes of the primary key, names included, if its lengths are given.
    pub key_bytes: Option<u64>,
}

/// Searches of a vector index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VectorSearch {
    /// The name of the access pattern.
    pub name: String,
    /// The vector index, by position.
    pub index: usize,
    /// The region of the replica in which it is called; `None` for the home region.
    pub region: Option<String>,
    /// Calls in a month; `None` if not known.
    pub calls: Option<Exact>,
    /// When in the week it is called.
    pub shape: Shape,
    /// Bytes that one call searches; `None` if not known.
    pub bytes: Option<Bytes>,
}

/// Bytes of an attribute that a vector index reads, name included: 4 bytes a dimension, whatever the
/// digits of its numbers (rule 11.5).
pub fn vector_bytes(attribute: &str, dimensions: u64) -> u64 {
    attribute.len() as u64 + VECTOR_DIMENSION_BYTES * dimensions
}

impl VectorIndex {
    /// The attribute that it reads.
    pub fn read(&self) -> VectorAttribute {
        VectorAttribute {
            name: self.attribute.clone(),
            dimensions: self.dimensions,
        }
    }

    /// Whether it holds an attribute.
    pub fn holds(&self, keys: &KeySchema, name: &str) -> bool {
        name == self.attribute
            || keys.names().any(|key| key == name)
            || match &self.projection {
                Projection::All => true,
                Projection::Include(names) => names.iter().any(|included| included == name),
                Projection::KeysOnly => false,
            }
    }

    /// Bytes of what it holds of an item; `None` if the item has no vector.
    pub fn view(&self, table: &Table, item: &Item, numbers: NumberAlignment) -> Option<Bytes> {
        item.get(&self.attribute)?;
        let held = item
            .0
            .iter()
            .filter(|(name, _)| self.holds(&table.keys, name));
        Some(
            held.map(|(name, value)| table.attribute_size(name, value, numbers))
                .sum(),
        )
    }

    /// What a write of an item does to what it holds: nothing if that is the same before and after.
    pub fn effect(&self, table: &Table, old: Option<&Item>, new: Option<&Item>) -> EntryEffect {
        let (Some(old), Some(new)) = (old, new) else {
            return EntryEffect::Rewrite;
        };
        let names = old.0.keys().chain(new.0.keys());
        let mut held = names.filter(|name| self.holds(&table.keys, name));
        match held.any(|name| old.get(name) != new.get(name)) {
            true => EntryEffect::Rewrite,
            false => EntryEffect::Nothing,
        }
    }

    /// Whether a write of some attributes changes what it holds of an item; of all attributes, if it
    /// is not said which.
    pub fn is_changed_by(&self, changes: Option<&[String]>, keys: &KeySchema) -> bool {
        changes.is_none_or(|changes| changes.iter().any(|name| self.holds(keys, name)))
    }

    /// The entry of an item. Items whose attributes are not described have one.
    pub fn entry(&self, class: &SizeClass, keys: &KeySchema) -> IndexEntry {
        if let Some(attributes) = &class.attributes {
            if !attributes.iter().any(|(name, _)| *name == self.attribute) {
                return IndexEntry::None;
            }
            let held = attributes.iter().filter(|(name, _)| self.holds(keys, name));
            return IndexEntry::Size(Bytes(held.map(|(_, bytes)| bytes).sum()));
        }
        if let Some(size) = self.entry_size {
            return IndexEntry::Size(size);
        }
        match &self.projection {
            Projection::All => IndexEntry::Size(class.item),
            Projection::Include(_) => IndexEntry::Unknown,
            Projection::KeysOnly => IndexEntry::Size(Bytes(match self.key_bytes {
                Some(keys) => vector_bytes(&self.attribute, self.dimensions) + keys,
                None => VECTOR_DIMENSION_BYTES * self.dimensions + UNKNOWN_KEY_BYTES,
            })),
        }
    }

    /// The share of items that have an entry, where their attributes do not say it.
    pub fn share(&self, class: &SizeClass) -> Exact {
        match class.attributes {
            Some(_) => Exact::one(),
            None => self.coverage.clone(),
        }
    }
}
