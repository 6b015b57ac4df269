//! The state kept for each key: 16 bytes in a flat table, at most 30 including free places.

use std::collections::BTreeMap;

use prefetch_index::prefetch_index;

use super::sizes::SizeSource;
use crate::trace::{NO_BYTES, SLOT_BITS, SLOTS};

/// What is known about the item of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownItem {
    /// It exists and has this number of bytes.
    There(u32),
    /// It does not exist.
    Gone,
    /// Nothing is known about it.
    Unknown,
}

/// The state kept for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemState(u32);

impl ItemState {
    /// Bytes of the item, or [`NO_BYTES`].
    #[inline(always)]
    pub fn bytes(self) -> u32 {
        if self.0 & GONE == GONE {
            NO_BYTES
        } else {
            self.0 & GONE
        }
    }

    /// Where this is known from: an export or an earlier row.
    #[inline]
    pub fn from(self) -> SizeSource {
        if self.0 & EXPORTED != 0 {
            SizeSource::Export
        } else {
            SizeSource::Seen
        }
    }

    /// What is known about the key, and its source.
    #[inline]
    pub fn known(self) -> (KnownItem, SizeSource) {
        match self.bytes() {
            NO_BYTES => (KnownItem::Gone, self.from()),
            bytes => (KnownItem::There(bytes), self.from()),
        }
    }
}

/// The number of half units of a key is unknown: the key is not stored, or its sum does not fit
/// into 32 bits.
pub const NOBODY_KNOWS: u32 = u32::MAX;

/// The place is free.
const FREE: u32 = u32::MAX;

/// A cache line: four places, which are fetched and compared together.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct StoreLine {
    /// The hashes of the keys; 0 in free places.
    hashes: [u64; LINE],
    /// The state of each place: the size of the item or [`GONE`], with or without the flag
    /// [`EXPORTED`]; or [`FREE`].
    states: [u32; LINE],
    /// Half units of each key so far, at most what 32 bits hold.
    halves: [u32; LINE],
}

/// Places per line.
const LINE: usize = 4;

const _: () = assert!(size_of::<StoreLine>() == 64);

/// A line without keys.
const EMPTY: StoreLine = StoreLine {
    hashes: [0; LINE],
    states: [FREE; LINE],
    halves: [0; LINE],
};

impl StoreLine {
    /// The first free place; [`LINE`] if there is none.
    #[inline(always)]
    fn free(&self) -> usize {
        let free = |all: u32, at: usize| all | u32::from(self.states[at] == FREE) << at;
        (0..LINE).fold(1 << LINE, free).trailing_zeros() as usize
    }

    /// The place of a key, else the first free place; [`LINE`] if there is neither.
    ///
    /// All places are compared, without branches: the CPU cannot predict at which place a search
    /// ends. No key comes after a free place, so a free place, whose hash is 0, cannot hide a key
    /// with hash 0.
    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        (0..LINE).rev().fold(self.free(), |found, at| {
            if self.hashes[at] == hash { at } else { found }
        })
    }

    /// Its keys, each with its state and its half units.
    fn keys(&self) -> impl Iterator<Item = (u64, u32, u32)> {
        (0..self.free()).map(|at| (self.hashes[at], self.states[at], self.halves[at]))
    }
}

/// The item does not exist; also the mask of the bits of a size.
const GONE: u32 = u32::MAX >> 1;

const _: () = assert!(NO_BYTES & GONE == GONE, "NO_BYTES must become GONE");

/// The state comes from an export, not from an event.
const EXPORTED: u32 = 1 << 31;

/// The keys of one slot: a hash table with open addressing by lines and linear probing. Each line
/// is filled from its first place on. The table grows by half, so that few places are free. Keys
/// are never removed.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    lines: Vec<StoreLine>,
    keys: usize,
    /// The number of keys at which it grows.
    full: usize,
}

/// The home line of a hash, from the bits below those of its slot. `lines` is the number of lines.
#[inline]
fn home(hash: u64, lines: usize) -> usize {
    ((u128::from(hash << SLOT_BITS) * lines as u128) >> 64) as usize
}

/// A place of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    line: usize,
    place: usize,
}

impl Segment {
    /// Prefetches the line of a key that will be looked up, because memory access takes most of the
    /// time.
    #[inline]
    pub fn fetch(&self, hash: u64) {
        prefetch_index(&self.lines, home(hash, self.lines.len()));
    }

    /// Makes room for one more key; [`put`](Self::put) does the same for the next key.
    pub fn make_room(&mut self) {
        if self.keys >= self.full {
            self.grow();
        }
    }

    /// Where a key is, or would be if it were stored. Requires that there [is
    /// room](Self::make_room).
    #[inline(always)]
    pub fn find(&self, hash: u64) -> Spot {
        let mut line = home(hash, self.lines.len());
        loop {
            let place = self.lines[line].place(hash);
            if place < LINE {
                return Spot { line, place };
            }
            line = self.next(line);
        }
    }

    /// The state that is stored there.
    #[inline(always)]
    pub fn seen(&self, Spot { line, place }: Spot) -> Option<ItemState> {
        let state = self.lines[line].states[place];
        (state != FREE).then_some(ItemState(state))
    }

    /// Stores the size of the key that was looked up, or [`NO_BYTES`] if there is no item; adds
    /// half units, and returns their sum so far. Spots found before this call are no longer valid.
    #[inline(always)]
    pub fn put(&mut self, spot: Spot, hash: u64, bytes: u32, halves: u32) -> u32 {
        self.keep(spot, hash, bytes & GONE, halves)
    }

    /// Stores the state of the key that was looked up, and adds half units.
    #[inline(always)]
    fn keep(&mut self, Spot { line, place }: Spot, hash: u64, state: u32, halves: u32) -> u32 {
        let line = &mut self.lines[line];
        self.keys += usize::from(line.states[place] == FREE);
        (line.hashes[place], line.states[place]) = (hash, state);
        let sum = line.halves[place].saturating_add(halves);
        line.halves[place] = sum;
        self.make_room();
        sum
    }

    /// Adds half units of the key there, and returns their sum so far; [`NOBODY_KNOWS`] if the key
    /// is not stored.
    #[inline(always)]
    pub fn add_units(&mut self, Spot { line, place }: Spot, halves: u32) -> u32 {
        let line = &mut self.lines[line];
        if line.states[place] == FREE {
            return NOBODY_KNOWS;
        }
        let sum = &mut line.halves[place];
        *sum = sum.saturating_add(halves);
        *sum
    }

    /// Stores the state of a key, and adds half units.
    fn set(&mut self, hash: u64, state: u32, halves: u32) {
        self.make_room();
        self.keep(self.find(hash), hash, state, halves);
    }

    /// Moves every key into a table with half as many lines more. Home lines keep their order, so
    /// both tables are passed through from the first line on.
    #[cold]
    fn grow(&mut self) {
        let count = self.lines.len() + self.lines.len() / 2 + 2;
        let before = std::mem::replace(&mut self.lines, vec![EMPTY; count]);
        self.full = LINE * count * 4 / 5;
        for (hash, state, halves) in before.iter().flat_map(StoreLine::keys) {
            let mut at = home(hash, count);
            let mut place = self.lines[at].free();
            while place == LINE {
                at = self.next(at);
                place = self.lines[at].free();
            }
            let line = &mut self.lines[at];
            (line.hashes[place], line.states[place], line.halves[place]) = (hash, state, halves);
        }
    }

    /// The line after a given one; after the last, the first.
    #[inline]
    fn next(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() {
            0
        } else {
            line + 1
        }
    }

    /// Where a key is or would be; `None` if there are no lines yet.
    fn look(&self, hash: u64) -> Option<Spot> {
        (!self.lines.is_empty()).then(|| self.find(hash))
    }
}

/// The sizes of a table's items by the hash of their key. Index entries are derived from the size
/// and the key.
#[derive(Clone, Debug)]
pub struct Store {
    segments: Box<[Segment; SLOTS]>,
}

impl Default for Store {
    fn default() -> Store {
        Store {
            segments: Box::new(std::array::from_fn(|_| Segment::default())),
        }
    }
}

impl Store {
    /// What is known about a key, and its source.
    #[inline]
    pub fn get(&self, slot: u8, hash: u64) -> (KnownItem, SizeSource) {
        let segment = &self.segments[usize::from(slot)];
        segment
            .look(hash)
            .and_then(|spot| segment.seen(spot))
            .map_or((KnownItem::Unknown, SizeSource::Drawn), ItemState::known)
    }

    /// Adds half units of a key, and returns their sum so far; [`NOBODY_KNOWS`] if the key is not
    /// stored.
    pub fn add_units(&mut self, slot: u8, hash: u64, halves: u32) -> u32 {
        let segment = &mut self.segments[usize::from(slot)];
        segment
            .look(hash)
            .map_or(NOBODY_KNOWS, |spot| segment.add_units(spot, halves))
    }

    /// The keys of a slot.
    #[inline]
    pub fn segment(&mut self, slot: u8) -> &mut Segment {
        &mut self.segments[usize::from(slot)]
    }

    /// Stores a size, or that there is no item.
    #[inline]
    pub fn set(&mut self, slot: u8, hash: u64, bytes: Option<u32>, from_export: bool) {
        let state = bytes.unwrap_or(GONE) | if from_export { EXPORTED } else { 0 };
        // [`GONE`] with [`EXPORTED`] has the same bits as [`FREE`].
        let state = if state == FREE { GONE } else { state };
        self.segments[usize::from(slot)].set(hash, state, 0);
    }

    /// The sizes of the existing items, each with its count; only of the slots for which `of` is
    /// true.
    pub fn sizes(&self, of: impl Fn(u8) -> bool) -> BTreeMap<u32, u64> {
        let mut counts: Vec<u64> = Vec::new();
        for (_, _, state, _) in self
            .all()
            .filter(|(slot, _, state, _)| state & GONE != GONE && of(*slot))
        {
            let bytes = (state & GONE) as usize;
            if counts.len() <= bytes {
                counts.resize(bytes + 1, 0);
            }
            counts[bytes] += 1;
        }
        (0..).zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// Every key by its slot, with its state and its half units, for a checkpoint.
    pub fn all(&self) -> impl Iterator<Item = (u8, u64, u32, u32)> {
        let slots = (0_u8..=255).zip(self.segments.iter());
        let lines =
            slots.flat_map(|(slot, segment)| segment.lines.iter().map(move |line| (slot, line)));
        lines.flat_map(|(slot, line)| {
            line.keys()
                .map(move |(hash, state, halves)| (slot, hash, state, halves))
        })
    }

    /// Restores a key with its state and its half units, from a checkpoint.
    pub fn restore(&mut self, slot: u8, hash: u64, state: u32, halves: u32) {
        if state != FREE {
            self.segments[usize::from(slot)].set(hash, state, halves);
        }
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.segments.iter().map(|segment| segment.keys).sum()
    }

    /// Bytes of memory that it uses.
    pub fn bytes(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.lines.capacity() * size_of::<StoreLine>())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::mixed;

    #[test]
    fn the_store_remembers_sizes_and_deletions() {
        let mut store = Store::default();
        assert_eq!(store.get(1, 5), (KnownItem::Unknown, SizeSource::Drawn));
        store.set(1, 5, Some(100), true);
        assert_eq!(store.get(1, 5), (KnownItem::There(100), SizeSource::Export));
        store.set(1, 5, None, false);
        assert_eq!(store.get(1, 5), (KnownItem::Gone, SizeSource::Seen));
        store.set(1, 6, None, true);
        assert_eq!(store.get(1, 6).0, KnownItem::Gone);
        assert!(store.sizes(|_| true).is_empty());
    }

    #[test]
    fn a_spot_is_that_of_its_key() {
        let mut segment = Segment::default();
        segment.make_room();
        for (hash, keys) in [(5, 1), (0, 2)] {
            let spot = segment.find(hash);
            assert_eq!(
                (segment.seen(spot), segment.add_units(spot, 1)),
                (None, NOBODY_KNOWS)
            );
            assert_eq!(
                (
                    segment.put(spot, hash, 100, 3),
                    segment.keys,
                    segment.find(hash)
                ),
                (3, keys, spot)
            );
            let seen = segment.seen(spot).map(ItemState::known);
            assert_eq!(
                (seen, segment.add_units(spot, 4)),
                (Some((KnownItem::There(100), SizeSource::Seen)), 7)
            );
            let put = segment.put(spot, hash, NO_BYTES, 1);
            assert_eq!(
                (
                    put,
                    segment.seen(spot).map(|seen| seen.known().0),
                    segment.keys
                ),
                (8, Some(KnownItem::Gone), keys)
            );
            assert_eq!(
                (
                    segment.add_units(spot, u32::MAX - 9),
                    segment.add_units(spot, 1)
                ),
                (u32::MAX - 1, NOBODY_KNOWS)
            );
        }
    }

    #[test]
    fn no_key_is_lost_where_many_belong_to_one_place() {
        // Hashes of the last places, from where keys overflow to the first ones; of the first
        // places; and both among others.
        let ends = (0..3_000).flat_map(|number| {
            [
                u64::MAX - number,
                number << 1,
                mixed(number, 5),
                (mixed(number, 5) >> 50) << 50 | number,
            ]
        });
        let keys: std::collections::BTreeSet<u64> = ends.map(|hash| (hash << 8) >> 8).collect();
        let mut store = Store::default();
        for (number, hash) in (0..).zip(&keys) {
            let segment = store.segment(0);
            segment.make_room();
            let spot = segment.find(*hash);
            assert_eq!(segment.seen(spot), None);
            segment.put(spot, *hash, number, 0);
        }
        assert_eq!(store.keys(), keys.len());
        assert!(
            (0..)
                .zip(&keys)
                .all(|(number, hash)| store.get(0, *hash).0 == KnownItem::There(number))
        );
    }

    #[test]
    fn a_key_takes_at_most_32_bytes_whatever_their_number() {
        let mut store = Store::default();
        for number in 0..400_000_u64 {
            store.set(
                number as u8,
                mixed(number, 3),
                Some(number as u32 % 1_000),
                false,
            );
            if number > 100_000 && number % 1_000 == 0 {
                assert!(
                    store.bytes() as u64 <= 32 * (number + 1),
                    "{} bytes for {number} keys",
                    store.bytes()
                );
            }
        }
        assert_eq!(store.keys(), 400_000);
        assert!(
            (0..400_000_u64).all(|number| store.get(number as u8, mixed(number, 3)).0
                == KnownItem::There(number as u32 % 1_000))
        );
    }
}
