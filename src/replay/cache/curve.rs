//! What DAX would have answered at every node size, in one pass over the trace: a log of the
//! accesses of sampled keys, on which the real policy (LRU by bytes, time to live, write-through)
//! runs once for each size.
//!
//! As long as all accesses fit ([`LOG_MAX`]), every key is in the sample and every figure is exact.
//! Beyond that, one key in 2, 4, 8 … is kept, selected by its hash, so that the accesses fit. The
//! selection does not depend on the order of the files or on the number of threads and shares. A
//! cache is then simulated with that fraction of its size.
//!
//! Misses are scaled up, and hits are the remaining reads: a hot key has few misses, so it hardly
//! matters whether it is in the sample (the correction of SHARDS). The stated error holds in 95 of
//! 100 cases and is computed from the differences between eight subsamples. Time to live and
//! write-through break the inclusion property that stack distances need, so the policy itself runs
//! for each size.
//!
//! Source: Waldspurger, Park, Garthwaite, Ahmad, "Efficient MRC Construction with SHARDS"
//! (FAST'15); Waldspurger, Saemundsson, Ahmad, Park, "Cache Modeling and Optimization using
//! Miniature Simulations" (ATC'17).

use std::collections::BTreeMap;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::lru::{Cache, Overwrite};
use crate::replay::tally::merge::Merge;
use crate::table::{Consistency, Direction};
use crate::trace::{RowPlace, SLOT_BITS, Time, mixed, salt};
use crate::units::Bytes;

/// Maximum number of accesses that are kept.
pub const LOG_MAX: usize = 1 << 21;

/// Number of subsamples.
const GROUPS: u64 = 8;

/// Student's t for a two-sided 95 % interval with seven degrees of freedom (eight subsamples), in
/// thousandths.
const T_MILLI: u128 = 2_365;

/// One access: 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheAccess {
    /// The time of its event.
    pub time: Time,
    /// The place of its event in the trace, as one number: 24 bits of the file, 40 bits of the row.
    pub place: u64,
    /// The hash of the key.
    pub hash: u64,
    /// Seconds since 1970, modulo 2^32.
    pub second: u32,
    /// The cache, whether it writes, and the bytes of the item.
    pub what: u32,
}

/// Bits of a row in a place that is packed: a million million rows.
const ROW_BITS: u32 = 40;

/// A place as one number, which orders as places do.
fn packed(place: RowPlace) -> u64 {
    u64::from(place.file) << ROW_BITS | place.row.min((1 << ROW_BITS) - 1)
}

/// Bits of a size: a page of 1 MB and its last item fit.
const BYTES_BITS: u32 = 21;
const WRITES: u32 = 1 << BYTES_BITS;

/// Maximum number of caches that can be distinguished: two for each table.
pub const CACHES_MAX: usize = 1 << (31 - BYTES_BITS);

/// A use of a cache: it reads or writes an item.
#[derive(Clone, Copy, Debug)]
pub struct CacheUse {
    /// The cache, by its number.
    pub cache: usize,
    /// The hash of the key.
    pub hash: u64,
    /// Bytes of the item; 0 if there is none.
    pub bytes: u32,
    /// Seconds since 1970.
    pub second: i64,
    /// Reads or writes.
    pub direction: Direction,
}

impl CacheAccess {
    /// The use of a cache by an event, given by its time and its place.
    #[inline]
    pub fn new((time, place): (Time, RowPlace), of: CacheUse) -> CacheAccess {
        let CacheUse {
            cache,
            hash,
            bytes,
            second,
            direction,
        } = of;
        let bytes = bytes.clamp(1, WRITES - 1);
        let writes = if direction == Direction::Write {
            WRITES
        } else {
            0
        };
        let what = ((cache as u32) << (BYTES_BITS + 1)) | writes | bytes;
        CacheAccess {
            time,
            place: packed(place),
            hash,
            second: second as u32,
            what,
        }
    }

    /// The order of accesses: by time, place and key. Those of one key are in the order in which
    /// they were added.
    fn order(&self) -> (Time, u64, u64) {
        (self.time, self.place, self.hash)
    }

    fn cache(&self) -> usize {
        (self.what >> (BYTES_BITS + 1)) as usize
    }

    fn writes(&self) -> bool {
        self.what & WRITES != 0
    }

    fn bytes(&self) -> u32 {
        self.what & (WRITES - 1)
    }
}

/// Totals of the accesses to a cache, of all keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AccessCounts {
    /// Reads.
    pub reads: u64,
    /// Half units that they would consume without a cache.
    pub halves: u64,
    /// Bytes that they read.
    pub bytes: u64,
    /// Writes.
    pub writes: u64,
}

impl AccessCounts {
    /// Adds one access of some bytes.
    #[inline]
    pub fn add(&mut self, bytes: u32, writes: bool) {
        if writes {
            self.writes += 1;
        } else {
            self.reads += 1;
            self.halves += halves(bytes);
            self.bytes += u64::from(bytes);
        }
    }
}

impl Merge for AccessCounts {
    fn merge_from(&mut self, other: AccessCounts) {
        self.reads += other.reads;
        self.halves += other.halves;
        self.bytes += other.bytes;
        self.writes += other.writes;
    }
}

/// Half units of an eventually consistent read.
#[inline]
pub fn halves(bytes: u32) -> u64 {
    crate::meter::get(Some(Bytes(bytes.into())), Consistency::Eventual).halves()
}

/// Accesses of sampled keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessLog {
    /// One key in 2^`power` is kept.
    pub power: u32,
    /// Their accesses.
    pub entries: Vec<CacheAccess>,
    /// Totals of the accesses to each cache, of all keys.
    pub asked: BTreeMap<usize, AccessCounts>,
}

/// Whether a key is in a sample of one key in 2^`power`. This uses the hash bits below those of the
/// slot, because slots are divided among shares.
#[inline]
fn is_sampled(hash: u64, power: u32) -> bool {
    hash << SLOT_BITS <= u64::MAX >> power
}

impl AccessLog {
    /// Adds an access of a key, if the key is in the sample.
    #[inline]
    pub fn push(&mut self, hash: u64, access: impl FnOnce() -> CacheAccess) {
        if is_sampled(hash, self.power) {
            self.keep(access());
        }
    }

    fn keep(&mut self, access: CacheAccess) {
        self.entries.push(access);
        if self.entries.len() > LOG_MAX {
            self.thin();
        }
    }

    /// Adds accesses to the totals of a cache.
    pub fn count(&mut self, cache: usize, asked: AccessCounts) {
        self.asked.entry(cache).or_default().merge_from(asked);
    }

    /// Halves the sample until it fits.
    #[cold]
    fn thin(&mut self) {
        while self.entries.len() > LOG_MAX && self.power < 63 {
            self.power += 1;
            let power = self.power;
            self.entries.retain(|access| is_sampled(access.hash, power));
        }
    }

    /// What caches of some sizes, the smallest first, would have answered of one cache's reads.
    pub fn curve(
        &self,
        cache: usize,
        sizes: &[u64],
        ttl_seconds: u64,
        overwrite: Overwrite,
    ) -> Vec<CachePoint> {
        let asked = self.asked.get(&cache).copied().unwrap_or_default();
        let mut own: Vec<CacheAccess> = self
            .entries
            .iter()
            .filter(|access| access.cache() == cache)
            .copied()
            .collect();
        // The sort is stable, so accesses of one key keep their order.
        own.sort_by_key(CacheAccess::order);
        // A cache that has room for all items together evicts nothing, and neither does any larger
        // one.
        let mut largest: BTreeMap<u64, u64> = BTreeMap::new();
        for access in &own {
            let bytes = largest.entry(access.hash).or_default();
            *bytes = (*bytes).max(access.bytes().into());
        }
        let everything = largest.values().sum::<u64>();
        let whole = sizes
            .iter()
            .position(|bytes| bytes >> self.power >= everything)
            .unwrap_or(sizes.len());
        let simulated = &sizes[..sizes.len().min(whole + 1)];
        let point = |bytes: &u64| self.point(&own, asked, *bytes, (ttl_seconds, overwrite));
        let mut points: Vec<CachePoint> = simulated.into_par_iter().map(point).collect();
        if let Some(last) = points.last().copied() {
            points.extend(sizes[points.len()..].iter().map(|bytes| CachePoint {
                bytes: *bytes,
                ..last
            }));
        }
        points
    }

    fn point(
        &self,
        own: &[CacheAccess],
        all: AccessCounts,
        bytes: u64,
        (ttl_seconds, overwrite): (u64, Overwrite),
    ) -> CachePoint {
        let power = self.power;
        let ttl = i64::try_from(ttl_seconds).unwrap_or(i64::MAX);
        // Misses, their half units, and evicted items.
        let run =
            |accesses: &mut dyn Iterator<Item = &CacheAccess>, capacity: u64| -> (u64, u64, u64) {
                let (mut cache, mut missed, mut units) = (Cache::new(capacity.max(1)), 0, 0);
                for access in accesses {
                    let (key, bytes, now) = (access.hash, access.bytes(), i64::from(access.second));
                    if access.writes() {
                        cache.write(key, bytes, now, overwrite);
                    } else if !cache.read(key, bytes, now, ttl) {
                        missed += 1;
                        units += halves(bytes);
                    }
                }
                (missed, units, cache.evicted)
            };
        let (misses, units, evicted) = run(&mut own.iter(), bytes >> power);
        let scaled = |count: u64| {
            if count.leading_zeros() > power {
                count << power
            } else {
                u64::MAX
            }
        };
        let hits = all.reads - scaled(misses).min(all.reads);
        let saved_halves = all.halves - scaled(units).min(all.halves);
        let point = CachePoint {
            bytes,
            reads: all.reads,
            hits,
            saved_halves,
            evicted: scaled(evicted),
            error_millionths: 0,
        };
        if power == 0 {
            return point;
        }
        // Eight subsamples of an eighth each: how much their misses differ.
        let group = |access: &CacheAccess| mixed(access.hash, salt::CACHE_GROUP) % GROUPS;
        let each: Vec<u64> = (0..GROUPS)
            .map(|at| {
                run(
                    &mut own.iter().filter(|access| group(access) == at),
                    (bytes >> power) / GROUPS,
                )
                .0
            })
            .map(|misses| scaled(misses.saturating_mul(GROUPS)).min(all.reads))
            .collect();
        let mean = each.iter().map(|misses| u128::from(*misses)).sum::<u128>() / u128::from(GROUPS);
        let squares: u128 = each
            .iter()
            .map(|misses| u128::from(*misses).abs_diff(mean))
            .map(|apart| apart * apart)
            .sum();
        let deviation = (squares / u128::from(GROUPS * (GROUPS - 1))).isqrt();
        let error = (T_MILLI * deviation * 1_000).div_ceil(u128::from(all.reads.max(1)));
        CachePoint {
            error_millionths: u64::try_from(error).unwrap_or(1_000_000),
            ..point
        }
    }
}

impl Merge for AccessLog {
    /// Merges the log of other keys.
    fn merge_from(&mut self, other: AccessLog) {
        self.power = self.power.max(other.power);
        let power = self.power;
        self.entries.retain(|access| is_sampled(access.hash, power));
        self.entries.extend(
            other
                .entries
                .into_iter()
                .filter(|access| is_sampled(access.hash, power)),
        );
        self.thin();
        for (cache, asked) in other.asked {
            self.count(cache, asked);
        }
    }
}

/// What a cache of one size would have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePoint {
    /// Bytes of the cache.
    pub bytes: u64,
    /// Reads that it received.
    pub reads: u64,
    /// Reads that it answered.
    pub hits: u64,
    /// Half units that these reads did not consume.
    pub saved_halves: u64,
    /// Items that were evicted.
    pub evicted: u64,
    /// By how much its hit ratio may be wrong, in millionths; 0 if it is exact.
    pub error_millionths: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accesses to 2^`power` keys with a popularity of about 1/rank.
    fn accesses(count: u64, power: u64) -> impl Iterator<Item = CacheAccess> {
        (0..count).map(move |at| {
            let random = mixed(at, 9);
            let rank = mixed(at, 10) % (1 << (random % (power + 1)));
            let of = CacheUse {
                cache: 0,
                hash: mixed(rank, 2),
                bytes: 100 + rank as u32 % 900,
                second: at as i64 / 1_000,
                direction: if mixed(at, 11).is_multiple_of(10) {
                    Direction::Write
                } else {
                    Direction::Read
                },
            };
            let place = RowPlace { file: 0, row: at };
            CacheAccess::new((Time::from_second(at as i64 / 1_000), place), of)
        })
    }

    fn log(accesses: impl Iterator<Item = CacheAccess>) -> AccessLog {
        let mut log = AccessLog::default();
        for access in accesses {
            let mut asked = AccessCounts::default();
            asked.add(access.bytes(), access.writes());
            log.count(0, asked);
            log.push(access.hash, || access);
        }
        log
    }

    #[test]
    fn shares_and_their_order_do_not_change_the_log() {
        let whole = log(accesses(50_000, 12));
        let share = |at: u64| log(accesses(50_000, 12).filter(move |access| access.hash % 3 == at));
        let mut joined = share(2);
        joined.merge_from(share(0));
        joined.merge_from(share(1));
        joined.entries.sort_by_key(CacheAccess::order);
        assert_eq!(joined, whole);
    }

    #[test]
    fn samples_lie_within_the_error_that_they_state_in_95_of_100_cases() {
        let sizes = [100_000, 1_000_000, 5_000_000, 100_000_000];
        let (mut within, mut all) = (0, 0);
        for seed in 0..12 {
            // Other hashes of the same keys: another sample.
            let moved = |access: CacheAccess| CacheAccess {
                hash: mixed(access.hash, 1_000 + seed),
                ..access
            };
            let exact = log(accesses(200_000, 16).map(moved));
            let mut sampled = exact.clone();
            sampled.power = 4;
            sampled.entries.retain(|access| is_sampled(access.hash, 4));
            let (exact, sampled) = (
                exact.curve(0, &sizes, 300, Overwrite::Refresh),
                sampled.curve(0, &sizes, 300, Overwrite::Refresh),
            );
            assert!(
                exact[0].hits < exact[1].hits
                    && exact[1].hits < exact[2].hits
                    && exact[3].evicted == 0
            );
            for (exact, sampled) in exact.iter().zip(&sampled) {
                assert_eq!(exact.error_millionths, 0);
                let apart = exact.hits.abs_diff(sampled.hits) * 1_000_000 / exact.reads;
                let most = if exact.bytes < 1_000_000 {
                    250_000
                } else {
                    80_000
                };
                assert!(sampled.error_millionths < most, "{sampled:?}");
                within += u32::from(apart <= sampled.error_millionths);
                all += 1;
            }
        }
        assert!(within * 100 >= all * 90, "{within} of {all}");
    }
}
