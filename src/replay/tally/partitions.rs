//! Partitions of a table and its heat map, from the demand of each slot (one of [`SLOTS`]) in each
//! second.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap};

use super::merge::Merge;
use crate::table::Direction;
use crate::table::limits::{PARTITION_READ_UNITS_MAX, PARTITION_WRITE_UNITS_MAX};
use crate::trace::{SLOTS, Time};
use crate::units::Exact;

/// A slot second: half units of the keys of one slot in one second, reads and writes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct SlotSecond {
    /// Seconds since 1970.
    pub second: i64,
    /// The slot.
    pub slot: u8,
    /// Reads and writes.
    pub halves: [u32; 2],
}

/// Sorts slot seconds by time, and merges those of the same second and slot.
pub fn ordered(mut grains: Vec<SlotSecond>) -> Vec<SlotSecond> {
    grains.sort_unstable_by_key(|grain| (grain.second, grain.slot));
    grains.dedup_by(|one, known| {
        let same = (one.second, one.slot) == (known.second, known.slot);
        if same {
            known.halves = [0, 1].map(|way| known.halves[way].saturating_add(one.halves[way]));
        }
        same
    });
    grains
}

/// The step to the second, the slot, and half units of reads and writes.
type PackedSecond = (i64, u8, u32, u32);

/// The next slot second of a source: second, slot, the source and half units.
type Head = (i64, u8, usize, [u32; 2]);

/// Slot seconds in order, in about five bytes each: those of a thread or share that was merged.
#[derive(Clone, Debug)]
struct Packed {
    bytes: Vec<u8>,
    /// Where the next one begins.
    at: usize,
    /// The last one that was unpacked.
    second: i64,
}

impl Packed {
    /// Packs slot seconds that are in order.
    fn of(grains: &[SlotSecond]) -> Packed {
        let (mut bytes, mut second) = (Vec::new(), 0);
        for grain in grains {
            let [reads, writes] = grain.halves;
            let step = grain.second.wrapping_sub(second);
            second = grain.second;
            let values: PackedSecond = (step, grain.slot, reads, writes);
            // Writing into memory does not fail.
            bytes = postcard::to_extend(&values, bytes).unwrap_or_default();
        }
        Packed {
            bytes,
            at: 0,
            second: 0,
        }
    }

    /// The next one and where it ends, which is not taken yet.
    fn peek(&self) -> Option<(SlotSecond, usize)> {
        let bytes = self.bytes.get(self.at..)?;
        let (values, rest) = postcard::take_from_bytes::<PackedSecond>(bytes).ok()?;
        let (step, slot, reads, writes) = values;
        let grain = SlotSecond {
            second: self.second.wrapping_add(step),
            slot,
            halves: [reads, writes],
        };
        Some((grain, self.bytes.len() - rest.len()))
    }
}

/// The slot seconds of one table in one region: the current second of each slot, and earlier
/// seconds.
#[derive(Clone, Debug)]
pub struct SlotSeconds {
    open: Vec<(i64, [u32; 2])>,
    closed: Vec<SlotSecond>,
    packed: Vec<Packed>,
}

impl Default for SlotSeconds {
    fn default() -> SlotSeconds {
        SlotSeconds {
            open: vec![(i64::MIN, [0, 0]); SLOTS],
            closed: Vec::new(),
            packed: Vec::new(),
        }
    }
}

impl SlotSeconds {
    /// Adds half units of a slot in a second.
    #[inline]
    pub fn add(&mut self, slot: u8, second: i64, direction: Direction, halves: u64) {
        let (known, sums) = &mut self.open[usize::from(slot)];
        if *known != second {
            if *known != i64::MIN {
                self.closed.push(SlotSecond {
                    second: *known,
                    slot,
                    halves: *sums,
                });
            }
            (*known, *sums) = (second, [0, 0]);
        }
        let sum = &mut sums[direction as usize];
        *sum = u64::from(*sum).saturating_add(halves).min(u32::MAX.into()) as u32;
    }

    /// Removes and returns all slot seconds before a given second, in order.
    pub fn before(&mut self, second: i64) -> Vec<SlotSecond> {
        let mut all = Vec::new();
        self.drain(second, |grain| all.push(grain));
        all
    }

    /// Removes all slot seconds before a given second, and calls a function with each in order.
    pub fn drain(&mut self, second: i64, mut each: impl FnMut(SlotSecond)) {
        let own = self.own_before(second);
        let mut own = own.into_iter().peekable();
        // The next one of each source, the earliest on top: each source is in order.
        let next = |packed: &mut Packed, at: usize| {
            let (grain, end) = packed.peek().filter(|(grain, _)| grain.second < second)?;
            (packed.at, packed.second) = (end, grain.second);
            Some(Reverse((grain.second, grain.slot, at, grain.halves)))
        };
        let packed = self.packed.iter_mut().enumerate();
        let mut heads: BinaryHeap<Reverse<Head>> =
            packed.filter_map(|(at, packed)| next(packed, at)).collect();
        let mut last: Option<SlotSecond> = None;
        let mut take = |grain: SlotSecond| match &mut last {
            Some(last) if (last.second, last.slot) == (grain.second, grain.slot) => {
                last.halves = [0, 1].map(|way| last.halves[way].saturating_add(grain.halves[way]));
            }
            last => {
                if let Some(done) = last.replace(grain) {
                    each(done);
                }
            }
        };
        loop {
            let of_packed = heads
                .peek()
                .map(|Reverse((second, slot, ..))| (*second, *slot));
            let of_own = own.peek().map(|grain| (grain.second, grain.slot));
            match (of_own, of_packed) {
                (None, None) => break,
                (Some(one), other) if other.is_none_or(|other| one <= other) => {
                    own.next().into_iter().for_each(&mut take);
                }
                _ => {
                    let Some(mut top) = heads.peek_mut() else {
                        break;
                    };
                    let Reverse((second, slot, at, halves)) = *top;
                    take(SlotSecond {
                        second,
                        slot,
                        halves,
                    });
                    match next(&mut self.packed[at], at) {
                        Some(following) => *top = following,
                        None => drop(PeekMut::pop(top)),
                    }
                }
            }
        }
        last.into_iter().for_each(each);
        self.packed.retain(|packed| packed.at < packed.bytes.len());
    }

    /// The same of those that were added here.
    fn own_before(&mut self, second: i64) -> Vec<SlotSecond> {
        for (slot, (known, sums)) in (0_u8..=255).zip(&mut self.open) {
            if *known != i64::MIN && *known < second {
                self.closed.push(SlotSecond {
                    second: *known,
                    slot,
                    halves: *sums,
                });
                (*known, *sums) = (i64::MIN, [0, 0]);
            }
        }
        let (before, after): (Vec<SlotSecond>, Vec<SlotSecond>) = std::mem::take(&mut self.closed)
            .into_iter()
            .partition(|grain| grain.second < second);
        self.closed = after;
        ordered(before)
    }

    /// Adds slot seconds from a file or another thread.
    pub fn extend(&mut self, grains: impl IntoIterator<Item = SlotSecond>) {
        self.closed.extend(grains);
    }
}

impl Merge for SlotSeconds {
    fn merge_from(&mut self, mut other: SlotSeconds) {
        let own = other.own_before(i64::MAX);
        if !own.is_empty() {
            self.packed.push(Packed::of(&own));
        }
        self.packed.append(&mut other.packed);
    }
}

/// Partitions of a table: ranges of hashes, each with at most 3,000 read and 1,000 write units a
/// second.
///
/// Source: Developer Guide, "Partitions and data distribution" and "Burst and adaptive capacity"
/// (rule 6.2): a partition serves 3,000 read and 1,000 write units a second, one key included;
/// adaptive capacity lets a hot partition use the capacity of the table, and isolates hot items by
/// splitting. `Assumption:` a new on-demand table has four partitions, because it serves 4,000
/// writes and 12,000 reads a second; a partition that throttled in ten seconds of an hour is split
/// so that each side has half of its traffic, at a multiple of a 256th of all keys, unless it is
/// only one such 256th; there is one partition for each 10 GB of data.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Partitions {
    /// The first slot of each range, in order; the first is 0.
    pub starts: Vec<u16>,
    /// Seconds of the current hour in which each partition throttled.
    pub refusals: Vec<u32>,
    /// The last second.
    pub second: i64,
    /// Partitions per slot, if there are more partitions than slots; they share the demand evenly.
    pub in_slot: u64,
    /// Number of partitions at the start.
    pub first: u64,
    /// How many splits there were.
    pub splits: u64,
    /// Half units throttled in each slot: reads and writes.
    pub refused: BTreeMap<u8, [u64; 2]>,
    /// The first second with throttling.
    pub first_refusal: Option<i64>,
    /// Number of seconds with throttling.
    pub refused_seconds: u64,
}

/// Limits of one partition in half units per second: reads and writes.
const LIMITS: [u64; 2] = [2 * PARTITION_READ_UNITS_MAX, 2 * PARTITION_WRITE_UNITS_MAX];

/// Seconds with throttling in an hour after which a partition is split.
const SPLIT_AFTER: u32 = 10;

impl Partitions {
    /// Creates `count` partitions with equal ranges.
    pub fn new(count: u64) -> Partitions {
        let count = count.max(1);
        let ranges = count.min(SLOTS as u64);
        let starts: Vec<u16> = (0..ranges)
            .map(|at| (at * SLOTS as u64 / ranges) as u16)
            .collect();
        Partitions {
            refusals: vec![0; starts.len()],
            in_slot: count.div_ceil(SLOTS as u64),
            first: count,
            starts,
            second: i64::MIN,
            splits: 0,
            refused: BTreeMap::new(),
            first_refusal: None,
            refused_seconds: 0,
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.first + self.splits
    }

    /// Half units throttled: reads and writes.
    pub fn refused(&self) -> [u128; 2] {
        [0, 1].map(|way| {
            self.refused
                .values()
                .map(|both| u128::from(both[way]))
                .sum()
        })
    }

    /// Executes one second, given its slot seconds in the order of slots: demand above the limits
    /// of a partition is throttled.
    pub fn second(&mut self, grains: &[SlotSecond]) {
        let Some(second) = grains.first().map(|grain| grain.second) else {
            return;
        };
        if self.second != i64::MIN && second.div_euclid(3600) != self.second.div_euclid(3600) {
            self.refusals.iter_mut().for_each(|count| *count = 0);
        }
        self.second = second;
        let asked = [0, 1].map(|way| {
            grains
                .iter()
                .map(|grain| u64::from(grain.halves[way]))
                .sum::<u64>()
        });
        if asked[0] <= LIMITS[0] && asked[1] <= LIMITS[1] {
            // No partition can have exceeded its limits.
            return;
        }
        let mut hot = Vec::new();
        let mut rest = grains;
        let mut any = false;
        for at in 0..self.starts.len() {
            let end = self.starts.get(at + 1).map_or(rest.len(), |next| {
                rest.partition_point(|grain| u16::from(grain.slot) < *next)
            });
            let (own, after) = rest.split_at(end);
            rest = after;
            let mut refused = false;
            for way in [0, 1] {
                let sum: u64 = own.iter().map(|grain| u64::from(grain.halves[way])).sum();
                let Some(over) = sum
                    .checked_sub(LIMITS[way] * self.in_slot)
                    .filter(|over| *over > 0)
                else {
                    continue;
                };
                refused = true;
                // Divide the excess among the slots in proportion to their demand, and the
                // remainder one by one.
                let (mut before, mut borne) = (0, 0);
                for grain in own {
                    before += u64::from(grain.halves[way]);
                    let until = (u128::from(over) * u128::from(before) / u128::from(sum)) as u64;
                    if until > borne {
                        self.refused.entry(grain.slot).or_default()[way] += until - borne;
                        borne = until;
                    }
                }
            }
            if refused {
                any = true;
                self.refusals[at] += 1;
                if self.refusals[at] >= SPLIT_AFTER {
                    hot.push((at, own));
                }
            }
        }
        if any {
            self.refused_seconds += 1;
            self.first_refusal.get_or_insert(second);
        }
        for (at, own) in hot.into_iter().rev() {
            self.split(at, own);
        }
    }

    /// Splits a partition so that each side has about half of its traffic. If all traffic is in its
    /// first slot, it is not split.
    fn split(&mut self, at: usize, grains: &[SlotSecond]) {
        let heat = |grain: &SlotSecond| u64::from(grain.halves[0]) + 3 * u64::from(grain.halves[1]);
        let total: u64 = grains.iter().map(heat).sum();
        let mut sum = 0;
        let middle = grains.iter().position(|grain| {
            sum += heat(grain);
            sum * 2 >= total
        });
        // The new range begins with the slot after the middle; if the middle is the last slot, with
        // the middle.
        let middle = middle.map(|middle| {
            if middle + 1 < grains.len() {
                middle + 1
            } else {
                middle
            }
        });
        let start = middle
            .and_then(|middle| grains.get(middle))
            .map(|grain| u16::from(grain.slot));
        if let Some(start) = start.filter(|start| *start > self.starts[at]) {
            self.starts.insert(at + 1, start);
            self.refusals.insert(at + 1, 0);
            self.refusals[at] = 0;
            self.splits += 1;
        }
    }
}

/// Maximum number of columns of a heat map.
pub const HEAT_MAP_COLUMNS: usize = 128;

/// Rows of a heat map: ranges of keys.
pub const HEAT_MAP_ROWS: usize = 32;

/// A heat map: units by time and range of keys, in at most 128 columns.
///
/// The width of a column in seconds is a power of two, as small as the covered time allows, and
/// each column begins at a multiple of its width since 1970. So heat maps of parts can be merged
/// into the heat map of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct HeatMap {
    /// A column has 2^`power` seconds.
    pub power: u32,
    /// Half units of each column's rows, reads and writes together, by the column's number since
    /// 1970.
    pub columns: BTreeMap<i64, Vec<u64>>,
}

impl HeatMap {
    /// Adds a slot second.
    pub fn add(&mut self, grain: &SlotSecond) {
        let column = grain.second >> self.power;
        let column = match self.columns.get_mut(&column) {
            Some(column) => column,
            None => {
                let first = self
                    .columns
                    .keys()
                    .next()
                    .map_or(column, |first| *first)
                    .min(column);
                let last = self
                    .columns
                    .keys()
                    .next_back()
                    .map_or(column, |last| *last)
                    .max(column);
                if last - first >= HEAT_MAP_COLUMNS as i64 {
                    self.widen(self.power + 1);
                    return self.add(grain);
                }
                self.columns
                    .entry(column)
                    .or_insert_with(|| vec![0; HEAT_MAP_ROWS])
            }
        };
        let row = usize::from(grain.slot) * HEAT_MAP_ROWS / SLOTS;
        column[row] += u64::from(grain.halves[0]) + u64::from(grain.halves[1]);
    }

    /// Makes columns wider.
    fn widen(&mut self, power: u32) {
        let by = power - self.power;
        self.power = power;
        for (column, rows) in std::mem::take(&mut self.columns) {
            let wide = self
                .columns
                .entry(column >> by)
                .or_insert_with(|| vec![0; HEAT_MAP_ROWS]);
            wide.iter_mut()
                .zip(rows)
                .for_each(|(sum, more)| *sum += more);
        }
    }

    /// Units of each column's rows, by the number of the column; the first is 0.
    pub fn units(&self) -> impl Iterator<Item = (i64, Vec<Exact>)> {
        let first = self.columns.keys().next().copied().unwrap_or(0);
        let column = move |(column, rows): (&i64, &Vec<u64>)| {
            (
                column - first,
                rows.iter().map(|halves| Exact::ratio(*halves, 2)).collect(),
            )
        };
        self.columns.iter().map(column)
    }

    /// When the first column begins, and how many seconds each has.
    pub fn start(&self) -> Option<(Time, i64)> {
        let first = self.columns.keys().next()?;
        Some((Time::from_second(*first << self.power), 1 << self.power))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_slot_is_refused_beyond_its_partition_and_two_are_split_apart() {
        let mut partitions = Partitions::new(1);
        for second in 0..60 {
            let grain = |slot| SlotSecond {
                second,
                slot,
                halves: [0, 2 * 800],
            };
            partitions.second(&[grain(10), grain(200)]);
        }
        // 1,600 writes a second on one partition until it has split; 800 on each afterwards.
        assert_eq!(
            (partitions.count(), partitions.splits, partitions.refused()),
            (2, 1, [0, 10 * 2 * 600])
        );
        let mut single = Partitions::new(1);
        for second in 0..60 {
            single.second(&[SlotSecond {
                second,
                slot: 7,
                halves: [0, 2 * 1_600],
            }]);
        }
        assert_eq!((single.count(), single.refused()), (2, [0, 60 * 2 * 600]));
        assert_eq!(single.refused[&7], [0, 60 * 2 * 600]);
    }

    #[test]
    fn a_strip_is_the_same_however_its_grains_come() {
        let grains: Vec<SlotSecond> = (0..1_000)
            .map(|at| SlotSecond {
                second: 1_000 + at * 7,
                slot: (at * 37 % 256) as u8,
                halves: [at as u32, 1],
            })
            .collect();
        let (mut forward, mut backward) = (HeatMap::default(), HeatMap::default());
        grains.iter().for_each(|grain| forward.add(grain));
        grains.iter().rev().for_each(|grain| backward.add(grain));
        assert_eq!(forward, backward);
        assert!(
            forward.columns.len() <= HEAT_MAP_COLUMNS && forward.power == 6,
            "{}",
            forward.power
        );
        let sum: u64 = forward.columns.values().flatten().sum();
        assert_eq!(sum, (0..1_000).sum::<u64>() + 1_000);
    }
}
