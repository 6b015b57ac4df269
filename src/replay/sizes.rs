//! Sizes that a row does not carry: from what was seen of its key, from an export, from the workload; and the entries
//! that each index holds of an item.

use hashbrown::HashTable;

use crate::table::{IndexKind, Projection, Transition};
use crate::units::{Bytes, Exact};
use crate::workload::{Entry, SizeClass, SizeClasses, TableDesign};

/// Where a size came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum From {
    /// The row itself.
    Row,
    /// What an earlier row said of the key.
    Seen,
    /// An export, by the key.
    Export,
    /// The next write of the key: a cache trace's miss.
    Next,
    /// The workload's distribution, drawn by the key's hash.
    Drawn,
    /// Taken to be the size after the write, since nobody knows the one before.
    Assumed,
}

impl From {
    /// The words in outputs.
    pub fn word(self) -> &'static str {
        match self {
            From::Row => "row",
            From::Seen => "earlier rows of the key",
            From::Export => "export",
            From::Next => "the next write of the key",
            From::Drawn => "workload's distribution",
            From::Assumed => "taken to be as after the write",
        }
    }
}

/// What is known of the item of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is there and has so many bytes.
    There(u32),
    /// It is not there.
    Gone,
    /// Nobody said.
    Unknown,
}

/// One key: 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    /// `u32::MAX`: it is not there.
    bytes: u32,
    from_export: bool,
}

/// What is remembered of each key: its size, or that it is gone. Entries of indexes follow from the size and the key.
#[derive(Clone, Debug, Default)]
pub struct Store {
    slots: HashTable<Slot>,
}

impl Store {
    /// What is known of a key, and from where.
    pub fn get(&self, hash: u64) -> (Known, From) {
        match self.slots.find(hash, |slot| slot.hash == hash) {
            None => (Known::Unknown, From::Drawn),
            Some(slot) => {
                let known = if slot.bytes == u32::MAX { Known::Gone } else { Known::There(slot.bytes) };
                (known, if slot.from_export { From::Export } else { From::Seen })
            }
        }
    }

    /// Remembers a size, or that there is no item.
    pub fn set(&mut self, hash: u64, bytes: Option<u32>, from_export: bool) {
        let slot = Slot { hash, bytes: bytes.unwrap_or(u32::MAX), from_export };
        match self.slots.entry(hash, |known| known.hash == hash, |known| known.hash) {
            hashbrown::hash_table::Entry::Occupied(mut known) => *known.get_mut() = slot,
            hashbrown::hash_table::Entry::Vacant(free) => {
                free.insert(slot);
            }
        }
    }

    /// The sizes that are there, each with how often.
    pub fn sizes(&self) -> std::collections::BTreeMap<u32, u64> {
        let mut sizes = std::collections::BTreeMap::new();
        for slot in self.slots.iter().filter(|slot| slot.bytes != u32::MAX) {
            *sizes.entry(slot.bytes).or_default() += 1;
        }
        sizes
    }
}

/// Another number for the same key, even over all 64 bits: its size, and its place in each index, are drawn apart.
pub fn mixed(hash: u64, salt: u64) -> u64 {
    let mut mixed = hash ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The class that a key draws from a distribution, always the same.
pub fn drawn(sizes: &SizeClasses, hash: u64) -> Option<&SizeClass> {
    let mut at = ((u128::from(mixed(hash, 1)) * u128::from(sizes.total())) >> 64) as u64;
    for class in sizes.iter() {
        if at < class.weight {
            return Some(class);
        }
        at -= class.weight;
    }
    sizes.iter().next()
}

/// A share of all keys, as parts of 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u128);

impl Share {
    /// Of an exact share between 0 and 1.
    pub fn of(share: &Exact) -> Share {
        Share((share * &Exact::whole(1 << 64)).to_i128().map_or(0, |parts| parts.unsigned_abs()))
    }

    /// Whether it holds for a key, always the same.
    pub fn holds(self, hash: u64, salt: u64) -> bool {
        u128::from(mixed(hash, salt)) < self.0
    }
}

/// The entries that the indexes of a table hold of its items.
#[derive(Clone, Debug)]
pub struct Entries {
    /// The classes, by their size; of one size in their order.
    classes: Vec<SizeClass>,
    /// For each index, whether it holds whole items, and the share of items that it covers.
    indexes: Vec<(bool, Share)>,
}

impl Entries {
    /// Of a design.
    pub fn of(design: &TableDesign) -> Entries {
        let mut classes: Vec<SizeClass> = design.sizes.iter().cloned().collect();
        classes.sort_by_key(|class| class.item);
        let whole = |at: usize| design.table.indexes[at].projection == Projection::All;
        let indexes = design.indexes.iter().enumerate().map(|(at, index)| (whole(at), Share::of(&index.coverage))).collect();
        Entries { classes, indexes }
    }

    /// The class of an item of a given size: one of that size, drawn by the key, or the nearest.
    fn class(&self, bytes: u32, hash: u64) -> Option<&SizeClass> {
        let bytes = Bytes(bytes.into());
        let first = self.classes.partition_point(|class| class.item < bytes);
        let same = &self.classes[first..self.classes.partition_point(|class| class.item <= bytes)];
        let total: u64 = same.iter().map(|class| class.weight).sum();
        let mut at = ((u128::from(mixed(hash, 2)) * u128::from(total)) >> 64) as u64;
        for class in same {
            if at < class.weight {
                return Some(class);
            }
            at -= class.weight;
        }
        let (below, above) = (first.checked_sub(1).and_then(|at| self.classes.get(at)), self.classes.get(first));
        match (below, above) {
            (Some(below), Some(above)) if bytes.0 - below.item.0 <= above.item.0 - bytes.0 => Some(below),
            (_, Some(above)) => Some(above),
            (below, None) => below,
        }
    }

    /// The entry of one index in an item of some bytes.
    pub fn entry(&self, index: usize, bytes: u32, hash: u64) -> Entry {
        let Some((whole, coverage)) = self.indexes.get(index) else { return Entry::None };
        if !coverage.holds(hash, 16 + index as u64) {
            return Entry::None;
        }
        match self.class(bytes, hash).and_then(|class| class.entries.get(index)) {
            Some(Entry::Size(_)) if *whole => Entry::Size(Bytes(bytes.into())),
            Some(entry) => *entry,
            None => Entry::Unknown,
        }
    }
}

/// What a write of some attributes does to the entries of every index. Unknown entries count as none; their indexes
/// are returned.
pub fn transitions(
    design: &TableDesign,
    entries: &Entries,
    hash: u64,
    old: Option<u32>,
    new: Option<u32>,
    changes: Option<&[&str]>,
) -> (Vec<Transition>, Vec<usize>) {
    let mut unknown = Vec::new();
    let transitions = design.table.indexes.iter().enumerate().map(|(at, index)| {
        let mut size = |bytes: Option<u32>| match bytes.map(|bytes| entries.entry(at, bytes, hash)) {
            Some(Entry::Size(size)) => Some(size),
            Some(Entry::Unknown) => {
                unknown.push(at);
                None
            }
            Some(Entry::None) | None => None,
        };
        match (size(old), size(new)) {
            (None, None) => Transition::Absent,
            (None, Some(new)) => Transition::Inserted { new },
            (Some(old), None) => Transition::Removed { old },
            (Some(old), Some(new)) => {
                let moves = changes.is_some_and(|changes| changes.iter().any(|name| index.keys.iter().any(|key| key == name)));
                let rewrites = match changes {
                    Some(changes) => changes.iter().any(|name| index.holds(&design.table.keys, name)),
                    None => index.holds_more_than_keys(),
                };
                match (moves, rewrites) {
                    (true, _) => Transition::Moved { old, new },
                    (false, true) => Transition::Replaced { old, new },
                    (false, false) => Transition::Unchanged,
                }
            }
        }
    });
    let transitions = transitions.collect();
    unknown.dedup();
    (transitions, unknown)
}

/// Whether an index is global.
pub fn is_global(design: &TableDesign, index: usize) -> bool {
    design.table.indexes.get(index).is_some_and(|index| index.kind == IndexKind::Global)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_holds_for_that_share_of_keys() {
        let quarter = Share::of(&Exact::ratio(1, 4));
        let covered = (0..100_000_u64).filter(|key| quarter.holds(mixed(*key, 99), 16)).count();
        assert!((24_500..25_500).contains(&covered), "{covered}");
        assert!(Share::of(&Exact::one()).holds(7, 1) && !Share::of(&Exact::zero()).holds(7, 1));
    }

    #[test]
    fn the_store_remembers_sizes_and_deletions() {
        let mut store = Store::default();
        assert_eq!(store.get(5), (Known::Unknown, From::Drawn));
        store.set(5, Some(100), true);
        assert_eq!(store.get(5), (Known::There(100), From::Export));
        store.set(5, None, false);
        assert_eq!(store.get(5), (Known::Gone, From::Seen));
        assert!(store.sizes().is_empty());
    }
}
