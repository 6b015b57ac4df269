//! Who is hot: units by key, the keys of each busy minute, and the partitions that the keys share.
//!
//! Counts are exact. Keys are known by their hash; the first bytes of the hottest are kept for people.

use std::collections::BTreeMap;

use hashbrown::HashTable;

use crate::table::limits::{PARTITION_READ_UNITS_MAX, PARTITION_WRITE_UNITS_MAX};
use crate::trace::{Key, Time};

/// Half units of one key.
#[derive(Clone, Copy, Debug)]
struct Heated {
    hash: u64,
    halves: u64,
}

/// Keys of a minute that are remembered.
const MINUTE_KEYS: usize = 5;

/// Names of keys that are kept at once.
const NAMES: usize = 4_096;

/// Names of keys of minutes that are kept.
const MINUTE_NAMES: usize = 100_000;

/// The heat of one account's direction.
#[derive(Clone, Debug, Default)]
pub struct Heat {
    keys: HashTable<Heated>,
    minute: i64,
    /// This minute's keys with their half units.
    in_minute: HashTable<(Key, u64)>,
    /// The hottest keys of each minute with their half units.
    minutes: Vec<(i64, Vec<(u64, u64)>)>,
    names: BTreeMap<u64, Key>,
    /// Names of the keys of minutes.
    minute_names: BTreeMap<u64, Key>,
    /// Half units below which a name is not worth its place.
    threshold: u64,
    total: u128,
}

fn add(table: &mut HashTable<Heated>, hash: u64, halves: u64) -> u64 {
    match table.entry(hash, |known| known.hash == hash, |known| known.hash) {
        hashbrown::hash_table::Entry::Occupied(mut known) => {
            known.get_mut().halves += halves;
            known.get().halves
        }
        hashbrown::hash_table::Entry::Vacant(free) => {
            free.insert(Heated { hash, halves });
            halves
        }
    }
}

/// The largest first; of equals the smaller hash.
fn hottest(table: &HashTable<Heated>, count: usize) -> Vec<(u64, u64)> {
    let mut all: Vec<(u64, u64)> = table.iter().map(|one| (one.hash, one.halves)).collect();
    let order = |one: &(u64, u64), other: &(u64, u64)| other.1.cmp(&one.1).then(one.0.cmp(&other.0));
    if all.len() > count {
        all.select_nth_unstable_by(count, order);
        all.truncate(count);
    }
    all.sort_by(order);
    all
}

impl Heat {
    /// Adds the units of a call.
    pub fn add(&mut self, key: &Key, second: i64, halves: u64) {
        let minute = second.div_euclid(60);
        if minute != self.minute {
            self.close();
            self.minute = minute;
        }
        match self.in_minute.entry(key.hash, |known| known.0.hash == key.hash, |known| known.0.hash) {
            hashbrown::hash_table::Entry::Occupied(mut known) => known.get_mut().1 += halves,
            hashbrown::hash_table::Entry::Vacant(free) => {
                free.insert((*key, halves));
            }
        }
        let sum = add(&mut self.keys, key.hash, halves);
        self.total += u128::from(halves);
        if sum >= self.threshold && !self.names.contains_key(&key.hash) {
            self.names.insert(key.hash, *key);
            if self.names.len() > NAMES {
                self.forget();
            }
        }
    }

    /// Keeps the names of the hotter half.
    fn forget(&mut self) {
        let keys = &self.keys;
        let heat = |hash: u64| keys.find(hash, |known| known.hash == hash).map_or(0, |known| known.halves);
        let mut sums: Vec<u64> = self.names.keys().map(|hash| heat(*hash)).collect();
        sums.sort_unstable();
        self.threshold = sums[sums.len() / 2] + 1;
        let threshold = self.threshold;
        self.names.retain(|hash, _| heat(*hash) >= threshold);
    }

    /// Ends a minute.
    fn close(&mut self) {
        if !self.in_minute.is_empty() {
            let mut all: Vec<(Key, u64)> = self.in_minute.drain().collect();
            all.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.hash.cmp(&other.0.hash)));
            all.truncate(MINUTE_KEYS);
            if self.minute_names.len() < MINUTE_NAMES {
                self.minute_names.extend(all.iter().map(|(key, _)| (key.hash, *key)));
            }
            self.minutes.push((self.minute, all.into_iter().map(|(key, halves)| (key.hash, halves)).collect()));
        }
    }

    /// Half units of all keys.
    pub fn total(&self) -> u128 {
        self.total
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// The hottest keys with their half units.
    pub fn hottest(&mut self, count: usize) -> Vec<(String, u64)> {
        self.close();
        hottest(&self.keys, count).into_iter().map(|(hash, halves)| (self.name(hash), halves)).collect()
    }

    fn name(&self, hash: u64) -> String {
        self.names.get(&hash).or_else(|| self.minute_names.get(&hash)).map_or_else(|| format!("hash {hash:016x}"), Key::to_string)
    }

    /// The hottest keys of some minutes (since 1970, in order), with their half units in these.
    pub fn hottest_in(&mut self, minutes: &[i64], count: usize) -> Vec<(String, u64)> {
        self.close();
        let mut sums: BTreeMap<u64, u64> = BTreeMap::new();
        for (_, keys) in self.minutes.iter().filter(|(minute, _)| minutes.binary_search(minute).is_ok()) {
            for (hash, halves) in keys {
                *sums.entry(*hash).or_default() += halves;
            }
        }
        let mut all: Vec<(u64, u64)> = sums.into_iter().collect();
        all.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
        all.truncate(count);
        all.into_iter().map(|(hash, halves)| (self.name(hash), halves)).collect()
    }
}

/// Partitions of a table or an index: ranges of hashes, each with at most 3,000 read and 1,000 write units a second.
///
/// Source: Developer Guide, "Partitions and data distribution" and "Burst and adaptive capacity" (rule 6.2): a
/// partition serves 3,000 read and 1,000 write units a second, one key included; adaptive capacity gives a hot
/// partition what the table has, and isolates hot items by splitting. `Assumption:` a new table has four partitions
/// on demand, since it serves 4,000 writes and 12,000 reads; a partition that refused something in ten seconds of an
/// hour splits where its heat halves, unless it is all one key's; and each 10 GB of data have one.
#[derive(Clone, Debug)]
pub struct Partitions {
    /// The lowest hash of each range, in order; the first is 0.
    starts: Vec<u64>,
    /// Seconds of the current hour in which each refused something.
    refusals: Vec<u32>,
    second: i64,
    /// This second's half units by key: reads and writes.
    in_second: HashTable<(u64, [u64; 2], Key)>,
    /// How many there were at first.
    pub first: usize,
    /// How many splits there were.
    pub splits: u64,
    /// Half units refused: reads and writes.
    pub refused: [u128; 2],
    /// The first second in which something was refused.
    pub first_refusal: Option<Time>,
    /// Seconds in which something was refused.
    pub refused_seconds: u64,
    /// Half units refused of each key.
    keys: HashTable<Heated>,
    names: BTreeMap<u64, Key>,
}

/// Half units a second of one partition: reads and writes.
const LIMITS: [u64; 2] = [2 * PARTITION_READ_UNITS_MAX, 2 * PARTITION_WRITE_UNITS_MAX];

/// Seconds of refusals in an hour after which a partition splits.
const SPLIT_AFTER: u32 = 10;

/// Partitions that are kept apart at most.
const MOST: usize = 65_536;

impl Partitions {
    /// So many to begin with, of equal ranges.
    pub fn new(count: u64) -> Partitions {
        let count = count.clamp(1, MOST as u64);
        let starts: Vec<u64> = (0..count).map(|at| ((u128::from(at) << 64) / u128::from(count)) as u64).collect();
        Partitions {
            refusals: vec![0; starts.len()],
            first: starts.len(),
            starts,
            second: i64::MIN,
            in_second: HashTable::new(),
            splits: 0,
            refused: [0, 0],
            first_refusal: None,
            refused_seconds: 0,
            keys: HashTable::new(),
            names: BTreeMap::new(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// Adds the units of a call.
    pub fn add(&mut self, key: &Key, hash: u64, second: i64, reads: bool, halves: u64) {
        if second != self.second {
            self.close();
            if second.div_euclid(3600) != self.second.div_euclid(3600) {
                self.refusals.iter_mut().for_each(|count| *count = 0);
            }
            self.second = second;
        }
        let way = usize::from(!reads);
        let entry = self.in_second.entry(hash, |known| known.0 == hash, |known| known.0);
        match entry {
            hashbrown::hash_table::Entry::Occupied(mut known) => known.get_mut().1[way] += halves,
            hashbrown::hash_table::Entry::Vacant(free) => {
                let mut both = [0, 0];
                both[way] = halves;
                free.insert((hash, both, *key));
            }
        }
    }

    /// Ends a second: what each partition was asked for beyond its limits was refused.
    pub fn close(&mut self) {
        let asked: u64 = self.in_second.iter().map(|(_, [reads, writes], _)| (*reads).max(*writes)).sum();
        if asked <= LIMITS[1] {
            // No partition can have been asked for too much.
            self.in_second.clear();
            return;
        }
        let mut keys: Vec<(u64, [u64; 2], Key)> = self.in_second.drain().collect();
        keys.sort_unstable_by_key(|(hash, ..)| *hash);
        let mut hot = Vec::new();
        let mut rest = keys.as_slice();
        let mut any = false;
        for at in 0..self.starts.len() {
            let end = self.starts.get(at + 1).map_or(rest.len(), |next| rest.partition_point(|(hash, ..)| hash < next));
            let (own, after) = rest.split_at(end);
            rest = after;
            let mut refused = false;
            for way in [0, 1] {
                let sum: u64 = own.iter().map(|(_, both, _)| both[way]).sum();
                let Some(over) = sum.checked_sub(LIMITS[way]).filter(|over| *over > 0) else { continue };
                refused = true;
                self.refused[way] += u128::from(over);
                for (hash, both, key) in own {
                    // Each key bears its share.
                    let share = (u128::from(over) * u128::from(both[way]) / u128::from(sum)) as u64;
                    if share > 0 {
                        add(&mut self.keys, *hash, share);
                        if self.names.len() < MINUTE_NAMES {
                            self.names.entry(*hash).or_insert(*key);
                        }
                    }
                }
            }
            if refused {
                any = true;
                self.refusals[at] += 1;
                if self.refusals[at] >= SPLIT_AFTER {
                    hot.push((at, own.to_vec()));
                }
            }
        }
        if any {
            self.refused_seconds += 1;
            self.first_refusal.get_or_insert(Time::from_second(self.second));
        }
        for (at, own) in hot.into_iter().rev() {
            self.split(at, &own);
        }
    }

    /// Splits a partition where its heat halves; one that is all one key's stays as it is.
    fn split(&mut self, at: usize, keys: &[(u64, [u64; 2], Key)]) {
        let heat = |both: &[u64; 2]| both[0] + 3 * both[1];
        let total: u64 = keys.iter().map(|(_, both, _)| heat(both)).sum();
        let mut sum = 0;
        let middle = keys.iter().position(|(_, both, _)| {
            sum += heat(both);
            sum * 2 >= total
        });
        // The key after the middle begins the new range; where the middle is the last, it begins it itself.
        let middle = middle.map(|middle| if middle + 1 < keys.len() { middle + 1 } else { middle });
        let start = middle.and_then(|middle| keys.get(middle)).map(|(hash, ..)| *hash);
        if let Some(start) = start.filter(|start| *start > self.starts[at] && keys.len() > 1 && self.starts.len() < MOST) {
            self.starts.insert(at + 1, start);
            self.refusals.insert(at + 1, 0);
            self.refusals[at] = 0;
            self.splits += 1;
        }
    }

    /// The keys of which most was refused, with their half units.
    pub fn hottest(&self, count: usize) -> Vec<(String, u64)> {
        let name = |hash: u64| self.names.get(&hash).map_or_else(|| format!("hash {hash:016x}"), Key::to_string);
        hottest(&self.keys, count).into_iter().map(|(hash, halves)| (name(hash), halves)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hottest_keys_have_their_names_and_exact_counts() {
        let mut heat = Heat::default();
        for round in 0..10_000_u64 {
            heat.add(&Key::of(format!("cold {round}").as_bytes()), round as i64 / 100, 1);
            heat.add(&Key::of(b"hot"), round as i64 / 100, 2);
        }
        assert_eq!(heat.hottest(1), [("hot".to_string(), 20_000)]);
        assert_eq!((heat.keys(), heat.total()), (10_001, 30_000));
        assert_eq!(heat.hottest_in(&[0], 1), [("hot".to_string(), 12_000)]);
    }

    #[test]
    fn a_hot_key_is_refused_beyond_its_partition_and_two_are_split_apart() {
        let mut partitions = Partitions::new(1);
        for second in 0..60 {
            for key in ["a", "b"] {
                let key = Key::of(key.as_bytes());
                partitions.add(&key, key.hash, second, false, 2 * 800);
            }
        }
        partitions.close();
        // 1,600 writes a second on one partition until it has split; 800 on each afterwards.
        assert_eq!((partitions.count(), partitions.splits, partitions.refused), (2, 1, [0, 10 * 2 * 600]));
        let mut single = Partitions::new(1);
        for second in 0..60 {
            let key = Key::of(b"a");
            single.add(&key, key.hash, second, false, 2 * 1_600);
        }
        single.close();
        assert_eq!((single.count(), single.refused[1]), (1, 60 * 2 * 600));
        assert_eq!(single.hottest(1), [("a".to_string(), 60 * 2 * 600)]);
    }
}
