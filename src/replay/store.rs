//! What is remembered of each key: 16 bytes in a flat table, at most 30 with its free places.

use std::collections::BTreeMap;

use prefetch_index::prefetch_index;

use super::sizes::From;
use crate::trace::SLOTS;

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

impl Place {
    /// What is known of the key, and from where.
    #[inline]
    pub fn known(&self) -> (Known, From) {
        match self.state {
            FREE => (Known::Unknown, From::Drawn),
            state => {
                let known = if state & GONE == GONE { Known::Gone } else { Known::There(state & GONE) };
                (known, if state & EXPORTED != 0 { From::Export } else { From::Seen })
            }
        }
    }

    /// Adds half units, and returns those so far.
    #[inline]
    fn add(&mut self, halves: u64) -> u64 {
        let halves = u64::from(self.halves).saturating_add(halves).min(u32::MAX.into());
        self.halves = halves as u32;
        halves
    }
}

/// No key is here.
const FREE: u32 = u32::MAX;

/// A place of no key.
const EMPTY: Place = Place { hash: 0, state: FREE, halves: 0 };

/// The item is not there.
const GONE: u32 = u32::MAX >> 1;

/// An export said so, no event.
const EXPORTED: u32 = 1 << 31;

/// Places of a line of memory, which are fetched and looked at together.
const LINE: usize = 4;

/// The keys of one slot: open addressing by lines, probed one after the other, grown by a half so that little is free.
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
    ((u128::from(hash << 8) * lines as u128) >> 64) as usize
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

    /// Where a key is, or would be: for [`put`](Self::put), before another key is remembered.
    #[inline]
    pub fn find(&mut self, hash: u64) -> usize {
        self.reserve();
        self.place(hash)
    }

    /// What is known of the key there, and from where.
    #[inline]
    pub fn known(&self, at: usize) -> (Known, From) {
        self.places[at].known()
    }

    /// Adds half units of the key there, where it is remembered, and returns those so far; `None` of any other.
    #[inline]
    pub fn warm(&mut self, at: usize, halves: u64) -> Option<u64> {
        let place = &mut self.places[at];
        (place.state != FREE).then(|| place.add(halves))
    }

    /// Remembers a size of the key there, or that there is no item; adds half units, and returns those so far.
    #[inline]
    pub fn put(&mut self, at: usize, hash: u64, bytes: Option<u32>, halves: u64) -> u64 {
        let place = &mut self.places[at];
        if place.state == FREE {
            *place = Place { hash, ..EMPTY };
            self.keys += 1;
        }
        place.state = bytes.unwrap_or(GONE);
        place.add(halves)
    }

    /// Where a key is, or the free place where it would be.
    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        let mut line = home(hash, self.lines);
        loop {
            let start = self.start(line);
            let places = &self.places[start..start + LINE];
            // All of a line at once, since nobody can tell at which of them a search ends. No key stands behind a free
            // place of its line, since none is ever removed; so a free place, whose hash is 0, hides no key of that hash.
            let found = match which(places, |place| place.hash == hash) {
                0 => which(places, |place| place.state == FREE),
                own => own,
            };
            if found != 0 {
                return start + found.trailing_zeros() as usize;
            }
            line = if line + 1 == self.lines { 0 } else { line + 1 };
        }
    }

    /// Makes room for one key more.
    #[inline]
    fn reserve(&mut self) {
        if self.keys >= self.full {
            self.grow();
        }
    }

    #[inline]
    fn set(&mut self, hash: u64, state: u32) -> &mut Place {
        self.reserve();
        let at = self.place(hash);
        let place = &mut self.places[at];
        if place.state == FREE {
            *place = Place { hash, state, halves: 0 };
            self.keys += 1;
        }
        place.state = state;
        place
    }

    /// Grows where it stands, since fresh memory costs more than all the moving.
    ///
    /// Homes keep their order when there are more lines, so keys move up from the last to the first, to lines that
    /// nothing moves from any more. The few for which this does not hold come last.
    #[cold]
    fn grow(&mut self) {
        let (before, from) = (self.lines, self.unused);
        self.lines = before + before / 2 + 2;
        self.full = LINE * self.lines * 4 / 5;
        self.places.reserve_exact(LINE * (self.lines + 1) - self.places.len());
        // Where places lie across lines none is aligned, and any three are as good.
        self.unused = self.places.as_ptr().align_offset(LINE * size_of::<Place>()) % LINE;
        self.places.resize(self.start(self.lines), EMPTY);
        if self.unused != from {
            let to = self.unused;
            self.places.copy_within(from..from + LINE * before, to);
            let moved = to + LINE * before;
            self.places[moved..moved.max(from + LINE * before)].fill(EMPTY);
        }
        let mut late = Vec::new();
        for line in (0..before).rev() {
            let start = self.start(line);
            let Some((own, _)) = self.places[start..].split_first_chunk_mut::<LINE>() else { continue };
            for place in std::mem::replace(own, [EMPTY; LINE]) {
                if place.state == FREE {
                    continue;
                }
                let home = home(place.hash, self.lines);
                let start = self.start(home);
                match (home >= line).then(|| self.places[start..].iter_mut().find(|place| place.state == FREE)).flatten() {
                    Some(free) => *free = place,
                    None => late.push(place),
                }
            }
        }
        for place in late {
            let at = self.place(place.hash);
            self.places[at] = place;
        }
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
        match segment.lines {
            0 => (Known::Unknown, From::Drawn),
            _ => segment.places[segment.place(hash)].known(),
        }
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
        let at = segment.find(5);
        assert_eq!((segment.known(at), segment.warm(at, 3)), ((Known::Unknown, From::Drawn), None));
        assert_eq!((segment.put(at, 5, Some(100), 3), segment.keys), (3, 1));
        assert_eq!((segment.known(at), segment.warm(at, 4)), ((Known::There(100), From::Seen), Some(7)));
        let again = segment.find(5);
        assert_eq!((segment.put(again, 5, None, 1), segment.known(again).0, segment.keys), (8, Known::Gone, 1));
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
            let at = segment.find(*hash);
            segment.put(at, *hash, Some(number), 1);
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
