//! The hottest keys of each account, and the partitions that they share.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::replay::engine::Engine;
use crate::replay::part::Heats;
use crate::replay::tally::consumption::DemandKey;
use crate::replay::tally::hot_keys::hottest;
use crate::replay::tally::partitions::{HeatMap, Partitions};
use crate::table::Direction;
use crate::trace::Time;
use crate::units::Exact;

/// One of the keys that consume most units of an account direction: an item's whole primary key, as
/// far as the trace gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
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
    pub heat_map: HeatMap,
}

/// The hottest keys of each account direction.
pub fn hot_keys(engine: &Engine, count: usize) -> Vec<HotKey> {
    let mut all = Vec::new();
    for (account, slots) in &engine.tally.keys.hot {
        let slots = &slots.0;
        let (table, index, region) = engine.place(account.table, account.index, account.region);
        let total = slots
            .iter()
            .map(|slot| u128::from(slot.total))
            .sum::<u128>();
        let total = Exact::whole(total.max(1));
        let keys = slots.iter().map(|slot| slot.len() as u64).sum();
        let floor = slots.iter().map(|slot| slot.floor).max().unwrap_or(0);
        for (_, halves, error, key) in hottest(slots.iter(), count) {
            all.push(HotKey {
                table: table.clone(),
                index: index.clone(),
                region: region.clone(),
                direction: account.direction,
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

/// The partitions of each table in each region.
pub fn partitions(engine: &Engine, heat: &Heats, count: usize) -> Vec<PartitionHeat> {
    let units = |halves: u128| Exact::whole(halves) / Exact::from(2);
    let mut all = Vec::new();
    for (place, (partitions, heat_map)) in heat {
        let (name, _, region) = engine.place(place.0, None, place.1);
        let keys = throttled_keys(engine, *place, partitions, count);
        let [refused_reads, refused_writes] = partitions.refused().map(units);
        all.push(PartitionHeat {
            table: name,
            region,
            first: partitions.first,
            last: partitions.count(),
            refused_reads,
            refused_writes,
            refused_seconds: partitions.refused_seconds,
            first_refusal: partitions.first_refusal.map(Time::from_second),
            keys: keys
                .into_iter()
                .map(|(name, halves)| (name, units(halves)))
                .collect(),
            heat_map: heat_map.clone(),
        });
    }
    all
}

/// The keys that were throttled most, with their half units: the throttled units of a slot are
/// divided among its keys in proportion to their units.
fn throttled_keys(
    engine: &Engine,
    (table, region): (usize, usize),
    partitions: &Partitions,
    count: usize,
) -> Vec<(String, u128)> {
    let slots = Direction::BOTH.map(|direction| {
        let account = DemandKey {
            table,
            index: None,
            region,
            direction,
        };
        engine.tally.keys.hot.get(&account)
    });
    let mut keys: BTreeMap<u64, (u128, String)> = BTreeMap::new();
    for (slot, both) in &partitions.refused {
        for (slots, refused) in slots.iter().zip(both) {
            let hot = slots.and_then(|slots| slots.0.get(usize::from(*slot)));
            let Some(hot) = hot.filter(|hot| hot.total > 0) else {
                continue;
            };
            for (hash, halves, _, name) in hottest(std::iter::once(hot), count) {
                let part = u128::from(*refused) * u128::from(halves) / u128::from(hot.total);
                if part > 0 {
                    keys.entry(hash).or_insert((0, name)).0 += part;
                }
            }
        }
    }
    let mut keys: Vec<(u64, (u128, String))> = keys.into_iter().collect();
    keys.sort_by_key(|(hash, (halves, _))| (Reverse(*halves), *hash));
    keys.truncate(count);
    keys.into_iter()
        .map(|(_, (halves, name))| (name, halves))
        .collect()
}
