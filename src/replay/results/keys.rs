//! The hottest keys of each account, and the partitions that they share.

use std::collections::BTreeMap;

use crate::replay::executor::Executor;
use crate::replay::run::Heats;
use crate::replay::tally::consumption::DemandKey;
use crate::replay::tally::hot_keys::hottest;
use crate::replay::tally::partitions::{Partitions, Strip};
use crate::table::Direction;
use crate::trace::Time;
use crate::units::Exact;

/// A hot key: one that consumes many units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotKey {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// The key (its first bytes), or its hash if its name was not kept.
    pub key: String,
    /// Its units.
    pub units: Exact,
    /// Its share of the account's units.
    pub share: Exact,
    /// How many keys the account direction has or, if `floor` is not 0, how many of them are
    /// counted.
    pub keys: u64,
    /// By how much its units may be too high; 0 if they are exact.
    pub error: Exact,
    /// Maximum number of units that an uncounted key can have; 0 if every key is counted.
    pub floor: Exact,
}

impl HotKey {
    /// The units that it consumed at least.
    pub fn least(&self) -> Exact {
        &self.units - &self.error
    }
}

/// Partitions of a table in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionHeat {
    /// The table.
    pub table: String,
    /// The region.
    pub region: String,
    /// Number of partitions at the start.
    pub first: u64,
    /// Number of partitions at the end.
    pub last: u64,
    /// Read units that partitions throttled.
    pub refused_reads: Exact,
    /// Write units that partitions throttled.
    pub refused_writes: Exact,
    /// Number of seconds in which a partition throttled.
    pub refused_seconds: u64,
    /// The first of these seconds.
    pub first_refusal: Option<Time>,
    /// The keys that were throttled most, with their throttled units. The throttled units of a
    /// slot (a 256th of all keys) are divided among its keys in proportion to their units.
    pub keys: Vec<(String, Exact)>,
    /// Its heat map: units by time and range of keys.
    pub strip: Strip,
}

pub fn hot_keys(executor: &Executor, count: usize) -> Vec<HotKey> {
    let mut all = Vec::new();
    for (lane, slots) in &executor.tally.heat {
        let (table, index, region) = executor.place(lane.table, lane.index, lane.region);
        let total = Exact::whole(
            slots
                .iter()
                .map(|heat| u128::from(heat.total))
                .sum::<u128>()
                .max(1),
        );
        let keys = slots.iter().map(|heat| heat.len() as u64).sum();
        let floor = slots.iter().map(|heat| heat.floor).max().unwrap_or(0);
        for (_, halves, error, key) in hottest(slots.iter(), count) {
            all.push(HotKey {
                table: table.clone(),
                index: index.clone(),
                region: region.clone(),
                direction: lane.direction,
                key,
                units: Exact::ratio(halves, 2),
                error: Exact::ratio(error, 2),
                share: Exact::from(halves) / total.clone(),
                keys,
                floor: Exact::ratio(floor, 2),
            });
        }
    }
    all
}

pub fn partitions(executor: &Executor, heat: &Heats, count: usize) -> Vec<PartitionHeat> {
    let of = |((table, region), (partitions, strip)): (&(usize, usize), &(Partitions, Strip))| {
        let slots = Direction::BOTH.map(|direction| {
            executor.tally.heat.get(&DemandKey {
                table: *table,
                index: None,
                region: *region,
                direction,
            })
        });
        let (name, _, region) = executor.place(*table, None, *region);
        let units = |halves: u128| Exact::whole(halves) / Exact::from(2);
        let refused = partitions.refused();
        // The throttled units of a slot are divided among its keys in proportion to their units.
        let mut keys: BTreeMap<u64, (u128, String)> = BTreeMap::new();
        for (slot, both) in &partitions.refused {
            for (slots, refused) in slots.iter().zip(both) {
                let Some(heat) = slots
                    .and_then(|slots| slots.get(usize::from(*slot)))
                    .filter(|heat| heat.total > 0)
                else {
                    continue;
                };
                for (hash, halves, _, name) in hottest(std::iter::once(heat), count) {
                    let part = u128::from(*refused) * u128::from(halves) / u128::from(heat.total);
                    if part > 0 {
                        keys.entry(hash).or_insert((0, name)).0 += part;
                    }
                }
            }
        }
        let mut keys: Vec<(u64, (u128, String))> = keys.into_iter().collect();
        keys.sort_by_key(|(hash, (halves, _))| (std::cmp::Reverse(*halves), *hash));
        keys.truncate(count);
        PartitionHeat {
            table: name,
            region,
            first: partitions.first,
            last: partitions.count(),
            refused_reads: units(refused[0]),
            refused_writes: units(refused[1]),
            refused_seconds: partitions.refused_seconds,
            first_refusal: partitions.first_refusal.map(Time::from_second),
            keys: keys
                .into_iter()
                .map(|(_, (halves, name))| (name, units(halves)))
                .collect(),
            strip: strip.clone(),
        }
    };
    heat.iter().map(of).collect()
}
