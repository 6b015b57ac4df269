//! What a DAX cluster would have caught: an exact item cache of every size that is asked for.
//!
//! Least recently used by bytes, with a time to live from the moment an item was put in (never extended by a hit),
//! written through, with negative entries. Source: Developer Guide, "DAX: How it works" (rules 7.1 to 7.5).
//! `Assumption:` an entry takes its item's bytes, at least one; overwriting an item refreshes its place; Query and
//! Scan, whose parameters a trace does not hold, pass.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashTable;

use crate::dax::NODE_TYPES;
use crate::units::GB;
use crate::workload::Dax;

/// A cache of one size.
#[derive(Clone, Debug)]
struct Cache {
    capacity: u64,
    used: u64,
    entries: HashTable<Entry>,
    /// Keys in the order of use, with the number of that use; a key that was used again stands again.
    order: VecDeque<(u64, u64)>,
    uses: u64,
    hits: u64,
    /// Items that no cache of this size could hold at once were asked for.
    evicted: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u64,
    bytes: u64,
    since: i64,
    used: u64,
}

impl Cache {
    fn new(capacity: u64) -> Cache {
        Cache { capacity, used: 0, entries: HashTable::new(), order: VecDeque::new(), uses: 0, hits: 0, evicted: 0 }
    }

    fn touch(&mut self, key: u64) -> u64 {
        self.uses += 1;
        self.order.push_back((key, self.uses));
        // What was used again stands more than once: the order is cleared of it now and then.
        if self.order.len() > 64 + 4 * self.entries.len() {
            let entries = &self.entries;
            self.order
                .retain(|(key, use_number)| entries.find(*key, |entry| entry.key == *key).is_some_and(|entry| entry.used == *use_number));
        }
        self.uses
    }

    fn remove(&mut self, key: u64) {
        if let Ok(found) = self.entries.find_entry(key, |entry| entry.key == key) {
            let (entry, _) = found.remove();
            self.used -= entry.bytes;
        }
    }

    fn put(&mut self, key: u64, bytes: u64, now: i64) {
        self.remove(key);
        if bytes > self.capacity {
            return;
        }
        while self.used + bytes > self.capacity {
            let Some((oldest, use_number)) = self.order.pop_front() else { break };
            if self.entries.find(oldest, |entry| entry.key == oldest).is_some_and(|entry| entry.used == use_number) {
                self.remove(oldest);
                self.evicted += 1;
            }
        }
        let used = self.touch(key);
        self.used += bytes;
        self.entries.insert_unique(key, Entry { key, bytes, since: now, used }, |entry| entry.key);
    }

    fn read(&mut self, key: u64, bytes: u64, now: i64, ttl: u64) -> bool {
        let found = self.entries.find(key, |entry| entry.key == key).copied();
        let fresh = found.filter(|entry| ttl == 0 || now <= entry.since.saturating_add(ttl as i64));
        match fresh {
            Some(_) => {
                let used = self.touch(key);
                if let Some(entry) = self.entries.find_mut(key, |entry| entry.key == key) {
                    entry.used = used;
                }
                self.hits += 1;
                true
            }
            None => {
                self.put(key, bytes, now);
                false
            }
        }
    }
}

/// The caches of one table. Caches in which nothing had to make room yet hold the same, so one serves for all of them.
#[derive(Clone, Debug)]
struct Table {
    requests: u64,
    /// Those in which something had to make room.
    own: Vec<Cache>,
    /// The one without an end.
    shared: Cache,
    /// The sizes for which it still serves, the smallest last.
    alike: Vec<u64>,
}

/// Caches of every table, of the sizes that are asked for.
#[derive(Clone, Debug)]
pub struct Caches {
    sizes: Vec<u64>,
    ttl_seconds: Option<u64>,
    tables: BTreeMap<usize, Table>,
}

/// What a cache of one size caught of a table's eventually consistent reads by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caught {
    /// The table, by position.
    pub table: usize,
    /// The node type of that memory, where one has it.
    pub node_type: Option<&'static str>,
    /// Bytes of the cache.
    pub bytes: u64,
    /// Seconds that it keeps an item; 0: as long as there is room.
    pub ttl_seconds: u64,
    /// Reads that it was asked for.
    pub requests: u64,
    /// Reads that it answered.
    pub hits: u64,
    /// Items that had to make room.
    pub evicted: u64,
}

/// DAX's own time to live: five minutes. Source: Developer Guide, "DAX: How it works".
const TTL_SECONDS: u64 = 300;

impl Caches {
    /// Of given sizes in bytes, or of the memory of every node type.
    pub fn new(sizes: Vec<u64>, ttl_seconds: Option<u64>) -> Caches {
        let sizes = if sizes.is_empty() { NODE_TYPES.iter().map(|node| node.memory_gb * GB).collect() } else { sizes };
        Caches { sizes, ttl_seconds, tables: BTreeMap::new() }
    }

    /// One read of the home region; whether the cache of the design's node type answered it.
    pub fn read(&mut self, table: usize, region: usize, key: u64, bytes: u64, now: i64, design: Option<&Dax>) -> bool {
        if region != 0 {
            return false;
        }
        let ttl = self.ttl_seconds.or(design.map(|dax| dax.ttl_seconds)).unwrap_or(TTL_SECONDS);
        let (sizes, own) = (&self.sizes, design.and_then(memory));
        let table = self.tables.entry(table).or_insert_with(|| {
            let mut sizes = sizes.clone();
            sizes.extend(own.filter(|own| !sizes.contains(own)));
            sizes.sort_unstable_by(|one, other| other.cmp(one));
            sizes.dedup();
            Table { requests: 0, own: Vec::new(), shared: Cache::new(u64::MAX), alike: sizes }
        });
        table.requests += 1;
        let bytes = bytes.max(1);
        table.part(bytes);
        let mut answered = table.shared.read(key, bytes, now, ttl);
        for cache in &mut table.own {
            let hit = cache.read(key, bytes, now, ttl);
            if Some(cache.capacity) == own {
                answered = hit;
            }
        }
        answered
    }

    /// A write through the cluster; 0 bytes where it left no item.
    pub fn write(&mut self, table: usize, region: usize, key: u64, bytes: u64, now: i64) {
        if region != 0 {
            return;
        }
        if let Some(table) = self.tables.get_mut(&table) {
            let bytes = bytes.max(1);
            table.part(bytes);
            table.own.iter_mut().chain([&mut table.shared]).for_each(|cache| cache.put(key, bytes, now));
        }
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// What each size caught.
    pub fn caught(&self, ttl_of: impl Fn(usize) -> Option<u64>) -> Vec<Caught> {
        let of = |(at, table): (&usize, &Table)| {
            let ttl_seconds = self.ttl_seconds.or_else(|| ttl_of(*at)).unwrap_or(TTL_SECONDS);
            let one = |(bytes, cache): (u64, &Cache)| Caught {
                table: *at,
                node_type: NODE_TYPES.iter().find(|node| node.memory_gb * GB == bytes).map(|node| node.name),
                bytes,
                ttl_seconds,
                requests: table.requests,
                hits: cache.hits,
                evicted: cache.evicted,
            };
            let own = table.own.iter().map(|cache| (cache.capacity, cache));
            let mut all: Vec<Caught> = own.chain(table.alike.iter().map(|bytes| (*bytes, &table.shared))).map(one).collect();
            all.sort_by_key(|caught| caught.bytes);
            all
        };
        self.tables.iter().flat_map(of).collect()
    }
}

fn memory(dax: &Dax) -> Option<u64> {
    NODE_TYPES.iter().find(|node| node.name == dax.node_type).map(|node| node.memory_gb * GB)
}

impl Table {
    /// Parts the sizes that would have to make room for so many bytes more from those that would not.
    fn part(&mut self, bytes: u64) {
        while self.alike.last().is_some_and(|capacity| self.shared.used.saturating_add(bytes) > *capacity) {
            let Some(capacity) = self.alike.pop() else { return };
            self.own.push(Cache { capacity, ..self.shared.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_and_time_to_live_counts_from_the_start() {
        let mut caches = Caches::new(vec![250], Some(300));
        // Hits: the first item again, the third again, and the third 300 seconds after it was written, not one later.
        for (key, now) in [(1, 0), (2, 1), (1, 2), (3, 3), (2, 4), (3, 5)] {
            caches.read(0, 0, key, 100, now, None);
        }
        caches.write(0, 0, 3, 100, 100);
        for now in [400, 401] {
            caches.read(0, 0, 3, 100, now, None);
        }
        let caught = &caches.caught(|_| None)[0];
        assert_eq!((caught.requests, caught.hits), (8, 3));
    }
}
