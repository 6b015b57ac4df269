//! Hot keys: units by key, and the hottest keys of each minute.
//!
//! Counts are exact as long as a slot has at most [`COUNTERS`] keys. With more, every count up to the 65th
//! smallest is dropped, and the largest dropped count is the bound by which a later count may be too
//! large: a space-saving sketch that makes room for many keys at once. The item store knows the
//! units of a key, so most keys that cannot be hot are kept out of the sketch. Each slot has its
//! own sketch, so counts do not depend on threads or shares.
//!
//! Source: Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in
//! Data Streams" (2005).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hashbrown::HashTable;

use super::merge::Merge;
use crate::replay::state::store::NOBODY_KNOWS;
use crate::trace::TracedKey;

/// Maximum number of keys that one slot counts.
pub const COUNTERS: usize = 128;

/// How many of the hottest keys are kept for each minute.
const MINUTE_KEYS: usize = 5;

/// The count of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The hash of the key.
    pub hash: u64,
    /// Upper bound of its half units.
    pub halves: u64,
    /// By how much the half units may be too high.
    pub error: u64,
    /// The minute of its last access.
    pub minute: i64,
    /// Half units in that minute.
    pub in_minute: u64,
    named: bool,
}

/// A hot key of one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hot {
    /// The hash of the key.
    pub hash: u64,
    /// Half units.
    pub halves: u64,
    /// Its first bytes, if they are known.
    pub name: Option<String>,
}

/// Half units of one key in one minute.
#[derive(Clone, Copy, Debug)]
pub struct KeyUnits {
    /// The key's half units in all accounts so far, including these, or [`NOBODY_KNOWS`].
    pub known: u32,
    /// The minute since 1970.
    pub minute: i64,
    /// The half units.
    pub halves: u64,
}

/// The hot keys of one slot in one account direction.
#[derive(Clone, Debug, Default)]
pub struct HotKeys {
    keys: HashTable<Counter>,
    /// Maximum number of half units that an uncounted key can have.
    pub floor: u64,
    /// Half units of all keys.
    pub total: u64,
    /// Names of the hotter keys.
    pub names: BTreeMap<u64, String>,
    minute: i64,
}

/// The hash by which a counter is found. Keys of one slot have the same first bits, which the hash
/// table uses to distinguish keys, so other bits are mixed into them.
#[inline]
fn spread(hash: u64) -> u64 {
    hash ^ (hash << 32)
}

/// The hottest keys of minutes that have ended.
pub type Minutes = BTreeMap<i64, HotMinute>;

/// The hottest keys of one minute, the hottest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HotMinute(pub Vec<Hot>);

impl Merge for HotMinute {
    fn merge_from(&mut self, other: HotMinute) {
        for one in other.0 {
            match self.0.iter_mut().find(|known| known.hash == one.hash) {
                Some(known) => {
                    known.halves += one.halves;
                    known.name = known.name.take().or(one.name);
                }
                None => self.0.push(one),
            }
        }
        order(&mut self.0);
    }
}

impl HotKeys {
    /// Adds half units of a key in a minute, and returns whether its name is needed.
    #[inline(always)]
    pub fn add(&mut self, hash: u64, units: KeyUnits, minutes: &mut Minutes) -> bool {
        let KeyUnits {
            known,
            minute,
            halves,
        } = units;
        self.total = self.total.saturating_add(halves);
        if known != NOBODY_KNOWS && u64::from(known) <= self.floor {
            return false;
        }
        if minute != self.minute {
            self.close(minutes);
            self.minute = minute;
        }
        // The name of a key is kept if it has about a thousandth (1/1024) of its slot's units.
        let share = self.total >> 10;
        match self
            .keys
            .find_mut(spread(hash), |counter| counter.hash == hash)
        {
            Some(counter) => {
                counter.halves += halves;
                counter.in_minute = if counter.minute == minute {
                    counter.in_minute + halves
                } else {
                    halves
                };
                counter.minute = minute;
                let wanted = !counter.named && counter.halves - counter.error >= share;
                counter.named |= wanted;
                wanted
            }
            None => {
                let wanted = halves >= share;
                self.begin(hash, units, wanted) && wanted
            }
        }
    }

    /// Starts to count a key, and returns whether it does: not if its units are within the bound.
    #[cold]
    fn begin(&mut self, hash: u64, units: KeyUnits, named: bool) -> bool {
        let KeyUnits {
            known,
            minute,
            halves,
        } = units;
        if self.keys.len() == COUNTERS {
            self.make_room();
            // The bound has risen: this key may now be one that it covers.
            if known != NOBODY_KNOWS && u64::from(known) <= self.floor {
                return false;
            }
        }
        let known = if known == NOBODY_KNOWS {
            u64::MAX
        } else {
            known.into()
        };
        let most = known.max(halves).min(self.floor + halves);
        let counter = Counter {
            hash,
            halves: most,
            error: most - halves,
            minute,
            in_minute: halves,
            named,
        };
        self.keys
            .insert_unique(spread(hash), counter, |counter| spread(counter.hash));
        true
    }

    /// Stores the name of a key.
    pub fn name(&mut self, key: &TracedKey) {
        if self
            .keys
            .find(spread(key.hash), |counter| counter.hash == key.hash)
            .is_some()
        {
            self.names.insert(key.hash, key.to_string());
        }
    }

    /// Drops every count up to the 65th smallest.
    fn make_room(&mut self) {
        let mut counts: Vec<u64> = self.keys.iter().map(|counter| counter.halves).collect();
        let middle = counts.len() / 2;
        let (_, median, _) = counts.select_nth_unstable(middle);
        self.floor = *median;
        let floor = self.floor;
        self.keys.retain(|counter| counter.halves > floor);
        let keys = &self.keys;
        self.names.retain(|hash, _| {
            keys.find(spread(*hash), |counter| counter.hash == *hash)
                .is_some()
        });
    }

    /// Ends a minute.
    #[cold]
    pub fn close(&mut self, minutes: &mut Minutes) {
        let minute = self.minute;
        let mut hot: Vec<Hot> = Vec::new();
        for counter in self
            .keys
            .iter()
            .filter(|counter| counter.minute == minute && counter.in_minute > 0)
        {
            let least = hot.last().filter(|_| hot.len() >= MINUTE_KEYS);
            if least.is_none_or(|least| {
                (counter.in_minute, Reverse(counter.hash)) > (least.halves, Reverse(least.hash))
            }) {
                hot.push(Hot {
                    hash: counter.hash,
                    halves: counter.in_minute,
                    name: None,
                });
                order(&mut hot);
            }
        }
        if hot.is_empty() {
            return;
        }
        for one in &mut hot {
            one.name = self.names.get(&one.hash).cloned();
        }
        // A minute may be closed again later: then only half units added after this are counted.
        for one in &hot {
            if let Some(counter) = self
                .keys
                .find_mut(spread(one.hash), |counter| counter.hash == one.hash)
            {
                counter.in_minute = 0;
            }
        }
        minutes
            .entry(minute)
            .or_default()
            .merge_from(HotMinute(hot));
    }

    /// The counters, in the order of the hashes.
    pub fn counters(&self) -> Vec<Counter> {
        let mut all: Vec<Counter> = self.keys.iter().copied().collect();
        all.sort_unstable_by_key(|counter| counter.hash);
        all
    }

    /// How many keys are counted.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Restores a sketch from a file.
    pub fn restore(
        counters: &[(Counter, bool)],
        floor: u64,
        total: u64,
        names: BTreeMap<u64, String>,
        minute: i64,
    ) -> HotKeys {
        let mut heat = HotKeys {
            floor,
            total,
            names,
            minute,
            ..HotKeys::default()
        };
        for (counter, named) in counters {
            heat.keys.insert_unique(
                spread(counter.hash),
                Counter {
                    named: *named,
                    ..*counter
                },
                |counter| spread(counter.hash),
            );
        }
        heat
    }

    /// The current minute.
    pub fn minute(&self) -> i64 {
        self.minute
    }
}

impl Counter {
    /// A counter from a file.
    pub fn of(hash: u64, halves: u64, error: u64, minute: i64, in_minute: u64) -> Counter {
        Counter {
            hash,
            halves,
            error,
            minute,
            in_minute,
            named: false,
        }
    }

    /// Whether its name was already requested.
    pub fn is_named(&self) -> bool {
        self.named
    }
}

/// Sorts the hottest keys first (the smaller hash first if equal), and keeps at most
/// [`MINUTE_KEYS`].
fn order(hot: &mut Vec<Hot>) {
    hot.sort_by(|one, other| {
        other
            .halves
            .cmp(&one.halves)
            .then(one.hash.cmp(&other.hash))
    });
    hot.truncate(MINUTE_KEYS);
}

/// The hottest keys of all slots: hash, half units, error, name.
pub fn hottest<'a>(
    slots: impl Iterator<Item = &'a HotKeys>,
    count: usize,
) -> Vec<(u64, u64, u64, String)> {
    let mut all: Vec<(u64, u64, u64, Option<&String>)> = Vec::new();
    for heat in slots {
        all.extend(heat.keys.iter().map(|counter| {
            (
                counter.hash,
                counter.halves,
                counter.error,
                heat.names.get(&counter.hash),
            )
        }));
        if all.len() > 4 * count.max(64) {
            all.sort_unstable_by_key(|(hash, halves, ..)| (Reverse(*halves), *hash));
            all.truncate(count);
        }
    }
    all.sort_unstable_by_key(|(hash, halves, ..)| (Reverse(*halves), *hash));
    all.truncate(count);
    let name = |hash: u64, name: Option<&String>| {
        name.cloned().unwrap_or_else(|| format!("hash {hash:016x}"))
    };
    all.into_iter()
        .map(|(hash, halves, error, known)| (hash, halves, error, name(hash, known)))
        .collect()
}

/// The hottest keys of some minutes (since 1970, in order), with their half units in these minutes.
pub fn hottest_in(all: &Minutes, minutes: &[i64], count: usize) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<u64, (u64, Option<&String>)> = BTreeMap::new();
    for (_, hot) in all
        .iter()
        .filter(|(minute, _)| minutes.binary_search(minute).is_ok())
    {
        for one in &hot.0 {
            let sum = sums.entry(one.hash).or_default();
            sum.0 += one.halves;
            sum.1 = sum.1.or(one.name.as_ref());
        }
    }
    let mut all: Vec<(u64, (u64, Option<&String>))> = sums.into_iter().collect();
    all.sort_by_key(|(hash, (halves, _))| (Reverse(*halves), *hash));
    all.truncate(count);
    let name = |hash: u64, name: Option<&String>| {
        name.cloned().unwrap_or_else(|| format!("hash {hash:016x}"))
    };
    all.into_iter()
        .map(|(hash, (halves, known))| (name(hash, known), halves))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(heat: &mut HotKeys, key: &str, minute: i64, halves: u64, minutes: &mut Minutes) {
        let key = TracedKey::of(key.as_bytes());
        let units = KeyUnits {
            known: NOBODY_KNOWS,
            minute,
            halves,
        };
        if heat.add(key.hash, units, minutes) {
            heat.name(&key);
        }
    }

    #[test]
    fn few_keys_are_counted_exactly_and_have_their_names() {
        let (mut heat, mut minutes) = (HotKeys::default(), Minutes::new());
        for round in 0..10_000_u64 {
            add(
                &mut heat,
                &format!("cold {}", round % 100),
                round as i64 / 1_000,
                1,
                &mut minutes,
            );
            add(&mut heat, "hot", round as i64 / 1_000, 2, &mut minutes);
        }
        heat.close(&mut minutes);
        let (_, halves, error, name) = hottest(std::iter::once(&heat), 1).remove(0);
        assert_eq!((name.as_str(), halves, error), ("hot", 20_000, 0));
        assert_eq!((heat.len(), heat.floor, heat.total), (101, 0, 30_000));
        assert_eq!(
            hottest_in(&minutes, &[0, 3], 1),
            [("hot".to_string(), 4_000)]
        );
    }

    #[test]
    fn many_keys_are_counted_within_the_bound_that_is_stated() {
        let (mut heat, mut minutes) = (HotKeys::default(), Minutes::new());
        let mut exact: BTreeMap<u64, u64> = BTreeMap::new();
        for round in 0..200_000_u64 {
            // A few keys of a tenth each among forty thousand.
            let key = if round % 2 == 0 {
                round % 10
            } else {
                100 + round * 7 % 40_000
            };
            let key = TracedKey::of(key.to_string().as_bytes());
            *exact.entry(key.hash).or_default() += 1;
            let units = KeyUnits {
                known: NOBODY_KNOWS,
                minute: 0,
                halves: 1,
            };
            if heat.add(key.hash, units, &mut minutes) {
                heat.name(&key);
            }
        }
        assert!(heat.floor > 0 && heat.len() <= COUNTERS && heat.names.len() <= COUNTERS);
        for counter in heat.counters() {
            let real = exact[&counter.hash];
            assert!(
                counter.halves - counter.error <= real && real <= counter.halves,
                "{counter:?} {real}"
            );
        }
        let counted: Vec<u64> = heat.counters().iter().map(|counter| counter.hash).collect();
        assert!(
            exact
                .iter()
                .all(|(hash, real)| *real <= heat.floor || counted.contains(hash))
        );
        assert!(
            hottest(std::iter::once(&heat), 5)
                .iter()
                .all(|(.., name)| name.len() == 1)
        );
    }

    #[test]
    fn a_key_within_the_bound_that_has_just_risen_is_not_counted() {
        let (mut heat, mut minutes) = (HotKeys::default(), Minutes::new());
        let mut count = |key: u64, known: u32, halves: u64| {
            let units = KeyUnits {
                known,
                minute: 0,
                halves,
            };
            heat.add(key, units, &mut minutes);
        };
        for key in 0..64 {
            count(key, 10, 10);
        }
        for key in 64..128 {
            count(key, 20, 20);
        }
        // The sketch is full: its first half unit makes room, and raises the bound to 20.
        for known in 1..=35 {
            count(128, known, 1);
        }
        assert_eq!(heat.floor, 20);
        let counters = heat.counters();
        let [counter] = counters.as_slice() else {
            panic!("one key is above the bound: {counters:?}");
        };
        assert_eq!((counter.hash, counter.halves), (128, 35));
    }
}
