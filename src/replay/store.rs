//! What is remembered of each key: 16 bytes in a flat table, at most 30 with its free places.

use std::collections::BTreeMap;

use prefetch_index::prefetch_index;

use super::sizes::From;
use crate::trace::{NO_BYTES, SLOT_BITS, SLOTS};

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

/// One key: its hash, a state of 32 bits, and the half units of it so far, as many as 32 bits hold.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    hash: u64,
    state: u32,
    halves: u32,
}

/// What is remembered of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(u32);

impl Seen {
    /// Bytes of the item, or [`NO_BYTES`].
    #[inline(always)]
    pub fn bytes(self) -> u32 {
        if self.0 & GONE == GONE { NO_BYTES } else { self.0 & GONE }
    }

    /// From where it is known.
    #[inline]
    pub fn from(self) -> From {
        if self.0 & EXPORTED != 0 { From::Export } else { From::Seen }
    }

    /// What is known of the key, and from where.
    #[inline]
    pub fn known(self) -> (Known, From) {
        match self.bytes() {
            NO_BYTES => (Known::Gone, self.from()),
            bytes => (Known::There(bytes), self.from()),
        }
    }
}

/// Half units of a key of which nobody knows how many it has had: it is not remembered, or there were more than 32 bits hold.
pub const NOBODY_KNOWS: u32 = u32::MAX;

/// No key is here.
const FREE: u32 = u32::MAX;

/// A place of no key.
const EMPTY: Place = Place { hash: 0, state: FREE, halves: 0 };

/// The item is not there; also the bits of a size.
const GONE: u32 = u32::MAX >> 1;

const _: () = assert!(NO_BYTES & GONE == GONE, "no size is the state of no item");

/// An export said so, no event.
const EXPORTED: u32 = 1 << 31;

/// Places of a line of memory, which are fetched and looked at together.
const LINE: usize = 4;

/// The keys of one slot: open addressing by lines, probed one after the other, each filled from its first place on, and
/// grown by a half so that little is free. No key is ever removed.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// Some that nobody uses, so that the others begin where a line of memory does; then the lines.
    places: Vec<Place>,
    unused: usize,
    lines: usize,
    keys: usize,
    /// With so many keys it grows.
    full: usize,
}

/// The line where a hash belongs among so many: by the bits below those of its slot.
#[inline]
fn home(hash: u64, lines: usize) -> usize {
    ((u128::from(hash << SLOT_BITS) * lines as u128) >> 64) as usize
}

/// The places of a line for which something holds, as bits.
#[inline]
fn which(line: &[Place], holds: impl Fn(&Place) -> bool) -> u32 {
    (0..LINE).fold(0, |all, at| all | (u32::from(holds(&line[at])) << at))
}

impl Segment {
    /// Where a line begins.
    #[inline]
    fn start(&self, line: usize) -> usize {
        self.unused + LINE * line
    }

    /// Fetches the place of a key that will be asked for, since the time is that of memory.
    #[inline]
    pub fn fetch(&self, hash: u64) {
        prefetch_index(&self.places, self.start(home(hash, self.lines)));
    }

    /// Whether a key more has room.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.keys < self.full
    }

    /// Makes room for a key more, which moves all of them.
    pub fn make_room(&mut self) {
        if !self.has_room() {
            self.grow();
        }
    }

    /// Where a key is; where it would be, of one that is not remembered. There [is room](Self::has_room).
    #[inline(always)]
    pub fn find(&self, hash: u64) -> Result<usize, usize> {
        let mut line = home(hash, self.lines);
        loop {
            let start = self.start(line);
            let places = &self.places[start..start + LINE];
            // All of a line at once, since nobody can tell at which of them a search ends. No key stands behind a free
            // place; so a free place, whose hash is 0, hides no key of that hash.
            let own = which(places, |place| place.hash == hash);
            if own != 0 {
                let at = own.trailing_zeros() as usize;
                return if places[at % LINE].state == FREE { Err(start + at) } else { Ok(start + at) };
            }
            let free = which(places, |place| place.state == FREE);
            if free != 0 {
                return Err(start + free.trailing_zeros() as usize);
            }
            line = self.next(line);
        }
    }

    /// What is remembered there.
    #[inline(always)]
    pub fn seen(&self, at: usize) -> Seen {
        Seen(self.places[at].state)
    }

    /// Remembers a size of the key that was looked for, or by [`NO_BYTES`] that there is no item; adds half units, and
    /// returns those so far.
    #[inline(always)]
    pub fn put(&mut self, found: Result<usize, usize>, hash: u64, bytes: u32, halves: u32) -> u32 {
        let state = bytes & GONE;
        match found {
            Ok(at) => {
                let place = &mut self.places[at];
                (place.state, place.halves) = (state, place.halves.saturating_add(halves));
                place.halves
            }
            Err(at) => {
                self.places[at] = Place { hash, state, halves };
                self.keys += 1;
                halves
            }
        }
    }

    /// Adds half units of the key there, and returns those so far.
    #[inline(always)]
    pub fn warm(&mut self, at: usize, halves: u32) -> u32 {
        let sum = &mut self.places[at].halves;
        *sum = sum.saturating_add(halves);
        *sum
    }

    /// Remembers a state of a key.
    fn set(&mut self, hash: u64, state: u32) -> &mut Place {
        self.make_room();
        let found = self.find(hash);
        self.keys += usize::from(found.is_err());
        let (Ok(at) | Err(at)) = found;
        let place = &mut self.places[at];
        (place.hash, place.state) = (hash, state);
        place
    }

    /// Moves every key to half as many lines more. Homes keep their order, so both are gone through from the first line on.
    #[cold]
    fn grow(&mut self) {
        let lines = self.lines + self.lines / 2 + 2;
        let mut places: Vec<Place> = Vec::with_capacity(LINE * (lines + 1));
        // Where places lie across lines none is aligned, and any three are as good.
        let unused = places.as_ptr().align_offset(LINE * size_of::<Place>()) % LINE;
        places.resize(unused + LINE * lines, EMPTY);
        let (full, keys) = (LINE * lines * 4 / 5, self.keys);
        let before = std::mem::replace(self, Segment { places, unused, lines, keys, full });
        for line in before.places[before.unused..].chunks_exact(LINE) {
            for place in &line[..which(line, |place| place.state != FREE).count_ones() as usize] {
                let mut line = home(place.hash, lines);
                loop {
                    let start = self.start(line);
                    let own = &mut self.places[start..start + LINE];
                    let free = which(own, |place| place.state == FREE);
                    if free != 0 {
                        own[free.trailing_zeros() as usize % LINE] = *place;
                        break;
                    }
                    line = self.next(line);
                }
            }
        }
    }

    /// The line after one.
    #[inline]
    fn next(&self, line: usize) -> usize {
        if line + 1 == self.lines { 0 } else { line + 1 }
    }

    /// Every place, free ones too.
    fn all(&self) -> impl Iterator<Item = &Place> {
        self.places[self.unused..].iter()
    }
}

/// The sizes of a table's items by the hash of their key. Entries of indexes follow from the size and the key.
#[derive(Clone, Debug)]
pub struct Store {
    segments: Box<[Segment; SLOTS]>,
}

impl Default for Store {
    fn default() -> Store {
        Store { segments: Box::new(std::array::from_fn(|_| Segment::default())) }
    }
}

impl Store {
    /// What is known of a key, and from where.
    #[inline]
    pub fn get(&self, slot: u8, hash: u64) -> (Known, From) {
        let segment = &self.segments[usize::from(slot)];
        let found = if segment.lines > 0 { segment.find(hash).ok() } else { None };
        found.map_or((Known::Unknown, From::Drawn), |at| segment.seen(at).known())
    }

    /// Adds half units of a key, and returns those so far; [`NOBODY_KNOWS`] of a key that is not remembered.
    pub fn warm(&mut self, slot: u8, hash: u64, halves: u32) -> u32 {
        let segment = &mut self.segments[usize::from(slot)];
        let found = if segment.lines > 0 { segment.find(hash).ok() } else { None };
        found.map_or(NOBODY_KNOWS, |at| segment.warm(at, halves))
    }

    /// The keys of a slot.
    #[inline]
    pub fn segment(&mut self, slot: u8) -> &mut Segment {
        &mut self.segments[usize::from(slot)]
    }

    /// Remembers a size, or that there is no item.
    #[inline]
    pub fn set(&mut self, slot: u8, hash: u64, bytes: Option<u32>, from_export: bool) -> &mut Place {
        let state = bytes.unwrap_or(GONE) | if from_export { EXPORTED } else { 0 };
        // An export of nothing would read as a free place.
        let state = if state == FREE { GONE } else { state };
        self.segments[usize::from(slot)].set(hash, state)
    }

    /// The sizes that are there, each with how often; of the slots that `of` says.
    pub fn sizes(&self, of: impl Fn(u8) -> bool) -> BTreeMap<u32, u64> {
        let mut counts: Vec<u64> = Vec::new();
        for (_, _, state, _) in self.all().filter(|(slot, _, state, _)| state & GONE != GONE && of(*slot)) {
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
        let places = slots.flat_map(|(slot, segment)| segment.all().map(move |place| (slot, place)));
        places.filter(|(_, place)| place.state != FREE).map(|(slot, place)| (slot, place.hash, place.state, place.halves))
    }

    /// A key with its state and its half units, from a checkpoint.
    pub fn restore(&mut self, slot: u8, hash: u64, state: u32, halves: u32) {
        if state != FREE {
            self.segments[usize::from(slot)].set(hash, state).halves = halves;
        }
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.segments.iter().map(|segment| segment.keys).sum()
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(|segment| segment.places.capacity() * size_of::<Place>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::mixed;

    #[test]
    fn the_store_remembers_sizes_and_deletions() {
        let mut store = Store::default();
        assert_eq!(store.get(1, 5), (Known::Unknown, From::Drawn));
        store.set(1, 5, Some(100), true);
        assert_eq!(store.get(1, 5), (Known::There(100), From::Export));
        store.set(1, 5, None, false);
        assert_eq!(store.get(1, 5), (Known::Gone, From::Seen));
        store.set(1, 6, None, true);
        assert_eq!(store.get(1, 6).0, Known::Gone);
        assert!(store.sizes(|_| true).is_empty());
    }

    #[test]
    fn a_spot_is_that_of_its_key() {
        let mut segment = Segment::default();
        assert!(!segment.has_room());
        segment.make_room();
        for (hash, keys) in [(5, 1), (0, 2)] {
            let found = segment.find(hash);
            let Err(at) = found else { panic!("{hash} was never put") };
            assert_eq!((segment.put(found, hash, 100, 3), segment.keys, segment.find(hash)), (3, keys, Ok(at)));
            assert_eq!((segment.seen(at).known(), segment.warm(at, 4)), ((Known::There(100), From::Seen), 7));
            let put = segment.put(Ok(at), hash, NO_BYTES, 1);
            assert_eq!((put, segment.seen(at).known().0, segment.keys), (8, Known::Gone, keys));
            assert_eq!((segment.warm(at, u32::MAX - 9), segment.warm(at, 1)), (u32::MAX - 1, NOBODY_KNOWS));
        }
    }

    #[test]
    fn no_key_is_lost_where_many_belong_to_one_place() {
        // The last places of all, where they run over to the first ones; the first ones; and both beside others.
        let ends =
            (0..3_000).flat_map(|number| [u64::MAX - number, number << 1, mixed(number, 5), (mixed(number, 5) >> 50) << 50 | number]);
        let keys: std::collections::BTreeSet<u64> = ends.map(|hash| (hash << 8) >> 8).collect();
        let mut store = Store::default();
        for (number, hash) in (0..).zip(&keys) {
            let segment = store.segment(0);
            segment.make_room();
            let found = segment.find(*hash);
            assert!(found.is_err());
            segment.put(found, *hash, number, 0);
        }
        assert_eq!(store.keys(), keys.len());
        assert!((0..).zip(&keys).all(|(number, hash)| store.get(0, *hash).0 == Known::There(number)));
    }

    #[test]
    fn a_key_takes_at_most_32_bytes_whatever_their_number() {
        let mut store = Store::default();
        for number in 0..400_000_u64 {
            store.set(number as u8, mixed(number, 3), Some(number as u32 % 1_000), false);
            if number > 100_000 && number % 1_000 == 0 {
                assert!(store.bytes() as u64 <= 32 * (number + 1), "{} bytes for {number} keys", store.bytes());
            }
        }
        assert_eq!(store.keys(), 400_000);
        assert!((0..400_000_u64).all(|number| store.get(number as u8, mixed(number, 3)).0 == Known::There(number as u32 % 1_000)));
    }
}
