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

/// A key that consumes much.
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
    /// The key, as far as it is kept.
    pub key: String,
    /// Its units.
    pub units: Exact,
    /// Its share of the account's units.
    pub share: Exact,
    /// How many keys the account has; where `floor` is not 0, how many are counted.
    pub keys: u64,
    /// By how much its units may be too many: 0 where they are exact.
    pub error: Exact,
    /// The units that a key which is not counted had at most: 0 where every key is counted.
    pub floor: Exact,
}

impl HotKey {
    /// Its units at least.
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
    /// Partitions at first.
    pub first: u64,
    /// Partitions at the end.
    pub last: u64,
    /// Read units that a partition refused.
    pub refused_reads: Exact,
    /// Write units that a partition refused.
    pub refused_writes: Exact,
    /// Seconds in which one did.
    pub refused_seconds: u64,
    /// The first of them.
    pub first_refusal: Option<Time>,
    /// The keys that were refused most, with their units: of what a 256th of all keys was refused,
    /// as much as they have of its units.
    pub keys: Vec<(String, Exact)>,
    /// Its heat over time and range of keys.
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
        // What a slot was refused is its keys', each as much as it has of the slot's units.
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
