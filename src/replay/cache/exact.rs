//! Caches of the requested sizes, exact for a trace of any length: every access is executed in
//! order.
//!
//! Source: Developer Guide, "DAX: How it works" (rules 7.1 to 7.5). `Assumption:` an entry has as
//! many bytes as its item, at least one; the query cache and the item cache each have a node's
//! memory; a Query or Scan of which only the key is known is not cached, because the key of the
//! query cache is made of all parameters.

use std::collections::BTreeMap;

use super::curve::{AccessCounts, CachePoint, CacheUse, halves};
use super::lru::{Cache, Overwrite};
use crate::dax::NODE_TYPES;
use crate::units::GB;
use crate::workload::Dax;

/// DAX's default time to live: five minutes. Source: Developer Guide, "DAX: How it works".
const TTL_SECONDS: u64 = 300;

/// One of the two caches of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// Items by key.
    Item,
    /// Pages of Query and Scan by all parameters.
    Query,
}

impl Which {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Which::Item => "item",
            Which::Query => "query",
        }
    }

    /// The number of a table's cache.
    pub fn of(self, table: usize) -> usize {
        2 * table + usize::from(self == Which::Query)
    }

    /// The table and the cache of a number.
    pub fn from(cache: usize) -> (usize, Which) {
        (
            cache / 2,
            if cache.is_multiple_of(2) {
                Which::Item
            } else {
                Which::Query
            },
        )
    }
}

/// The caches of one table, item cache or query cache.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Sized {
    /// Totals of their accesses.
    pub asked: AccessCounts,
    /// One for each size, with the half units that its answers saved.
    pub caches: Vec<(Cache, u64)>,
}

/// Caches of every table.
#[derive(Clone, Debug, Default)]
pub struct Caches {
    /// The requested sizes, in bytes.
    pub sizes: Vec<u64>,
    /// Time to live in seconds (default: the design's, else DAX's default).
    pub ttl_seconds: Option<u64>,
    /// Whether overwriting an item moves it in the LRU list.
    pub overwrite: Overwrite,
    /// By the number of the cache.
    pub tables: BTreeMap<usize, Sized>,
}

/// The memory of a node of a design, in bytes.
pub fn memory(dax: &Dax) -> Option<u64> {
    NODE_TYPES
        .iter()
        .find(|node| node.name == dax.node_type)
        .map(|node| node.memory_gb * GB)
}

impl Caches {
    /// Time to live in seconds; with 0, items do not expire.
    pub fn ttl(&self, design: Option<&Dax>) -> u64 {
        self.ttl_seconds
            .or(design.map(|dax| dax.ttl_seconds))
            .unwrap_or(TTL_SECONDS)
    }

    /// Whether accesses to a table must be executed here, in order.
    pub fn is_needed(&self, design: Option<&Dax>) -> bool {
        !self.sizes.is_empty() || design.is_some()
    }

    fn sized(&mut self, cache: usize, design: Option<&Dax>) -> &mut Sized {
        let sizes = &self.sizes;
        self.tables.entry(cache).or_insert_with(|| {
            let mut sizes = sizes.clone();
            sizes.extend(design.and_then(memory));
            sizes.sort_unstable();
            sizes.dedup();
            Sized {
                asked: AccessCounts::default(),
                caches: sizes
                    .into_iter()
                    .map(|bytes| (Cache::new(bytes), 0))
                    .collect(),
            }
        })
    }

    /// One read; returns whether the cache of the design's node type answered it.
    pub fn read(&mut self, of: CacheUse, design: Option<&Dax>) -> bool {
        let CacheUse {
            cache,
            hash: key,
            bytes,
            second: now,
            ..
        } = of;
        if !self.is_needed(design) {
            return false;
        }
        let ttl = self.ttl(design);
        // With a time to live of 0, a query is not cached (rule 7.1).
        let passes = ttl == 0 && Which::from(cache).1 == Which::Query;
        let own = design.and_then(memory);
        let sized = self.sized(cache, design);
        sized.asked.add(bytes, false);
        let mut answered = false;
        for (cache, saved) in sized.caches.iter_mut().filter(|_| !passes) {
            let hit = cache.read(
                key,
                bytes.max(1),
                now,
                i64::try_from(ttl).unwrap_or(i64::MAX),
            );
            *saved += if hit { halves(bytes) } else { 0 };
            answered |= hit && Some(cache.capacity) == own;
        }
        answered
    }

    /// A write through the cluster; 0 bytes if it left no item.
    pub fn write(&mut self, of: CacheUse, design: Option<&Dax>) {
        let CacheUse {
            cache,
            hash: key,
            bytes,
            second: now,
            ..
        } = of;
        if self.is_needed(design) {
            let overwrite = self.overwrite;
            let sized = self.sized(cache, design);
            sized.asked.add(bytes, true);
            sized
                .caches
                .iter_mut()
                .for_each(|(cache, _)| cache.write(key, bytes.max(1), now, overwrite));
        }
    }

    /// What each size answered of one cache's reads.
    pub fn caught(&self, cache: usize) -> Vec<CachePoint> {
        let Some(sized) = self
            .tables
            .get(&cache)
            .filter(|sized| sized.asked.reads > 0)
        else {
            return Vec::new();
        };
        let point = |(cache, saved): &(Cache, u64)| CachePoint {
            bytes: cache.capacity,
            reads: sized.asked.reads,
            hits: cache.hits,
            saved_halves: *saved,
            evicted: cache.evicted,
            error_millionths: 0,
        };
        sized.caches.iter().map(point).collect()
    }
}
