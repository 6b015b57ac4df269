//! Executes events: each event becomes operations for the meter, depending on the items that exist
//! before it.

use super::ReplayOptions;
use crate::trace::StartingState;
use std::collections::{BTreeMap, BTreeSet};

use crate::capacity::partitions;
use crate::capacity::policy::{READ_FLOOR, WRITE_FLOOR};
use crate::dax;
use crate::meter::{
    ConsumedCapacity, Switches, change_data_capture_units, meter, replicate, replicated_bytes,
};
use crate::replay::cache::curve::{AccessCounts, CACHES_MAX, CacheAccess};
use crate::replay::cache::exact::{Caches, Which};
use crate::replay::state::sizes::is_global;
use crate::replay::state::tables::Tables;
use crate::replay::tally::consumption::{CallKind, DemandKey};
use crate::replay::tally::{KeyShare, Tally};
use crate::table::{Direction, KeySchema, Operation};
use crate::trace::{
    ApiName, Bad, Event, Name, NameTable, RowPlace, SkipReason, Time, TracedCall, TracedKey, What,
    slot_of,
};
use crate::units::{Bytes, Exact};
use crate::workload::{Capacity, TableDesign, Units, Workload};

/// Why something cannot be executed.
pub type CannotExecute = (SkipReason, String);

/// A read that takes its size from the next write of its key.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Waiting {
    pub call: TracedCall,
    pub table: usize,
    pub region: usize,
    pub second: i64,
}

/// Executes a trace.
pub struct Executor {
    /// The tables.
    pub tables: Tables,
    /// The regions: the home region first.
    pub regions: Vec<String>,
    /// The interpretations of disputed rules.
    pub switches: Switches,
    /// All totals.
    pub tally: Tally,
    /// DAX's caches of given sizes.
    pub caches: Caches,
    /// Tables whose replicas are assumed to have as many writes as the home region.
    pub copies_assumed: BTreeSet<usize>,
    /// The share whose keys are counted here.
    pub share: KeyShare,
    muted: bool,
    scratch: Tally,
    /// The second of the current event.
    pub(super) now: i64,
    /// Its number in the trace.
    pub(super) ordinal: u64,
    /// What writes that changed nothing must not be counted for: table, change data capture units
    /// and replicated bytes.
    pub(super) unchanged: Vec<(usize, u64, u64)>,
    /// The first call of each transaction, by its token.
    pub(super) tokens: BTreeMap<String, crate::replay::full::requests::Committed>,
    pub(super) waiting: BTreeMap<u64, Vec<Waiting>>,
    pub(super) declared: bool,
    numbers: RegionNumbers,
    /// Full exports whose tables are not defined yet.
    pub exports: Vec<StartingState>,
}

type RegionNumbers = BTreeMap<Name, usize>;

impl Executor {
    /// An executor for the tables of a workload, or for those that the trace defines.
    pub fn new(
        workload: Option<&Workload>,
        region: &str,
        options: &ReplayOptions,
        caches: Caches,
    ) -> Executor {
        let verify = options.verify;
        let mut regions = vec![region.to_string()];
        for replica in workload
            .into_iter()
            .flat_map(|workload| &workload.tables)
            .flat_map(|table| &table.replicas)
        {
            if !regions.contains(&replica.region) {
                regions.push(replica.region.clone());
            }
        }
        Executor {
            tables: Tables::new(workload),
            regions,
            switches: workload.map_or(options.switches, |workload| workload.switches),
            tally: Tally::new(verify),
            caches,
            copies_assumed: BTreeSet::new(),
            share: KeyShare::default(),
            muted: false,
            scratch: Tally::new(verify),
            now: 0,
            ordinal: 0,
            unchanged: Vec::new(),
            tokens: BTreeMap::new(),
            waiting: BTreeMap::new(),
            declared: workload.is_some(),
            numbers: BTreeMap::new(),
            exports: Vec::new(),
        }
    }

    /// Executes one event; `ordinal` is its number in the trace.
    ///
    /// # Errors
    /// Why the event cannot be executed, and its place in the trace.
    pub fn event(
        &mut self,
        ordinal: u64,
        event: Event,
        names: &NameTable,
        bad: &Bad,
    ) -> Result<(), (RowPlace, CannotExecute)> {
        let (time, place) = (event.time, event.place);
        (self.now, self.ordinal) = (time.second(), ordinal);
        // Units of a metric's period cover the time until its end.
        let until = match &event.what {
            What::Counted(counted) => Time(
                time.0
                    .saturating_add(i64::from(counted.seconds.max(1) - 1) * Time::SECOND),
            ),
            _ => time,
        };
        let done = match event.what {
            What::Call(call) => self.call(event.table, call, time, names),
            What::Request(request) => self.request(&request, time, place, names, bad),
            What::Change(change) => self.change(event.table, *change, time, place, names, bad),
            What::Counted(counted) => self.counted(event.table, *counted, time, names),
            What::Throttled(count) => {
                self.tally.throttled += count;
                Ok(())
            }
        };
        done.map_err(|wrong| (place, wrong))?;
        self.tally.events += 1;
        self.tally.cover(time, until);
        Ok(())
    }

    /// The names of a table, of one of its indexes, and of a region.
    pub fn place(
        &self,
        table: usize,
        index: Option<usize>,
        region: usize,
    ) -> (String, Option<String>, String) {
        let design = &self.tables.list[table].design.table;
        (
            design.name.clone(),
            index.map(|at| design.indexes[at].name.clone()),
            self.regions[region].clone(),
        )
    }

    /// Defines the table and the index that a call names, if there is no workload.
    pub fn define(&mut self, table: Option<Name>, index: Option<Name>, names: &NameTable) {
        let found = self.table(table, names, || KeySchema {
            partition: "key".to_string(),
            sort: None,
        });
        if let (Ok(table), Some(index)) = (found, index) {
            self.tables.index(table, names.text(index));
        }
    }

    /// The slot of the key of a call.
    pub fn slot(&self, table: Option<Name>, key: &TracedKey, names: &NameTable) -> u8 {
        let table = table.map_or_else(
            || self.tables.only(),
            |name| self.tables.find(names.text(name)),
        );
        table.map_or(slot_of(key.hash), |table| self.slot_of_key(table, key))
    }

    /// Turns counting of the next events off or on. Figures that belong to a slot are always
    /// counted: only the share that owns the slot adds to them.
    pub fn mute(&mut self, muted: bool) {
        if self.muted == muted {
            return;
        }
        self.muted = muted;
        std::mem::swap(&mut self.tally, &mut self.scratch);
        std::mem::swap(&mut self.tally.heat, &mut self.scratch.heat);
        std::mem::swap(&mut self.tally.minutes, &mut self.scratch.minutes);
        std::mem::swap(&mut self.tally.grains, &mut self.scratch.grains);
        std::mem::swap(&mut self.tally.log, &mut self.scratch.log);
    }

    /// The slot of a key; in a table with a sort key, the slot of its partition key.
    pub(super) fn slot_of_key(&self, table: usize, key: &TracedKey) -> u8 {
        self.tables.list[table].slot(key)
    }

    /// The table of an event.
    pub(super) fn table(
        &mut self,
        name: Option<Name>,
        names: &NameTable,
        keys: impl FnOnce() -> KeySchema,
    ) -> Result<usize, CannotExecute> {
        match name {
            Some(name) => {
                let text = names.text(name);
                let found = self.tables.find_or_define(text, keys);
                found.ok_or_else(|| {
                    (
                        SkipReason::UnknownTable,
                        format!(
                            "the workload defines no table {}; it has {}",
                            text.escape_debug(),
                            self.tables.names()
                        ),
                    )
                })
            }
            None => self
                .tables
                .only()
                .or_else(|| {
                    self.tables
                        .find_or_define("table", keys)
                        .filter(|_| !self.declared)
                })
                .ok_or_else(|| {
                    (
                        SkipReason::UnknownTable,
                        format!(
                            "the row names no table; the workload has {}: name one with --table",
                            self.tables.names()
                        ),
                    )
                }),
        }
    }

    /// The region of an event; the home region if it names none.
    pub(super) fn region(
        &mut self,
        name: Option<Name>,
        names: &NameTable,
    ) -> Result<usize, CannotExecute> {
        let Some(name) = name else { return Ok(0) };
        if let Some(known) = self.numbers.get(&name) {
            return Ok(*known);
        }
        let text = names.text(name);
        let found = match self.regions.iter().position(|region| region == text) {
            Some(found) => found,
            None if self.declared => {
                let list = self.regions.join(", ");
                let text = format!(
                    "the design is in {list}, but the row is in {}; price the design there with \
                     --region, or add a replica",
                    text.escape_debug()
                );
                return Err((SkipReason::UnknownRegion, text));
            }
            None => {
                *self
                    .tally
                    .other_regions
                    .entry(text.to_string())
                    .or_default() += 1;
                return Ok(0);
            }
        };
        self.numbers.insert(name, found);
        Ok(found)
    }

    /// Checks that a table exists in a region.
    pub(super) fn stands_in(&mut self, table: usize, region: usize) -> Result<(), CannotExecute> {
        if region == 0 {
            return Ok(());
        }
        let design = &self.tables.list[table].design;
        let name = &self.regions[region];
        if !design
            .replicas
            .iter()
            .any(|replica| !replica.witness && replica.region == *name)
        {
            let text = format!(
                "{} has no replica in {name}; price the design there with --region, or add a \
                 replica",
                design.table.name
            );
            return Err((SkipReason::UnknownRegion, text));
        }
        self.tally.elsewhere.insert(table);
        Ok(())
    }

    /// Meters an operation and adds what it consumes to the totals of its region and second.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn consume(
        &mut self,
        table: usize,
        region: usize,
        caller: Option<Name>,
        api: ApiName,
        index: Option<usize>,
        operation: &Operation,
        key: &TracedKey,
        second: i64,
    ) -> ConsumedCapacity {
        let design = &self.tables.list[table].design;
        let consumed = meter(&design.table, operation, &self.switches);
        let direction = operation.direction();
        let reads = direction == Direction::Read;
        let kind = CallKind {
            table,
            region,
            caller,
            api: Some(api),
            direction,
            index,
        };
        let copies: Vec<(usize, String)> = if reads || design.replicas.is_empty() {
            Vec::new()
        } else {
            let stored = design
                .replicas
                .iter()
                .filter(|replica| !replica.witness)
                .map(|replica| replica.region.clone());
            stored
                .filter_map(|name| {
                    Some((
                        self.regions.iter().position(|region| *region == name)?,
                        name,
                    ))
                })
                .collect()
        };
        let abroad = if copies.is_empty() {
            None
        } else {
            Some(replicate(&design.table, operation, &self.switches))
        };
        let traced = self.tally.consumption.kind(kind);
        traced.writes = !reads;
        traced.index = index;
        traced.transactional = matches!(
            operation,
            Operation::TransactWriteItems { .. } | Operation::ExecuteTransaction(_)
        ) && !reads;
        traced.captured += u128::from(change_data_capture_units(operation));
        traced.replicated_bytes += u128::from(replicated_bytes(operation).0);
        // The units consumed in each region.
        let mut asked: Vec<(usize, &ConsumedCapacity)> = Vec::new();
        match (&abroad, region) {
            (Some(replicated), 0) => {
                self.tally.consumption.add(kind, &consumed, None);
                asked.push((0, &consumed));
                for (at, name) in &copies {
                    self.tally.consumption.add(kind, replicated, Some(name));
                    asked.push((*at, replicated));
                }
            }
            (Some(replicated), origin) => {
                self.tally.consumption.kind(kind).origin = Some(self.regions[origin].clone());
                self.tally.consumption.add(kind, replicated, None);
                asked.push((0, replicated));
                for (at, name) in &copies {
                    let units = if *at == origin { &consumed } else { replicated };
                    self.tally.consumption.add(kind, units, Some(name));
                    asked.push((*at, units));
                }
            }
            (None, region) => {
                self.tally.consumption.add(kind, &consumed, None);
                asked.push((region, &consumed));
            }
        }
        for (region, units) in asked {
            self.demand(table, region, units, key, second);
        }
        consumed
    }

    /// Adds half units to the accounts of a table, and to the hot keys of each.
    pub(super) fn demand(
        &mut self,
        table: usize,
        region: usize,
        consumed: &ConsumedCapacity,
        key: &TracedKey,
        second: i64,
    ) {
        let design = &self.tables.list[table].design;
        let own = consumed.of_table();
        let (mut own_reads, mut own_writes) = (own.read.halves(), own.write.0 * 2);
        let mut accounts: Vec<(Option<usize>, u64, u64)> = Vec::new();
        for (at, arm) in consumed.indexes.iter().enumerate() {
            match is_global(design, at) {
                true => accounts.push((Some(at), arm.read.halves(), arm.write.0 * 2)),
                false => {
                    own_reads += arm.read.halves();
                    own_writes += arm.write.0 * 2;
                }
            }
        }
        accounts.push((None, own_reads, own_writes));
        let (slot, now) = (self.slot_of_key(table, key), self.now);
        let owned = self.share.owns(slot);
        let all: u64 = accounts
            .iter()
            .map(|(_, reads, writes)| reads + writes)
            .sum();
        let store = &mut self.tables.list[table].store;
        let known = store.warm(slot, key.hash, u32::try_from(all).unwrap_or(u32::MAX));
        for (index, reads, writes) in accounts {
            for (direction, halves) in [(Direction::Read, reads), (Direction::Write, writes)] {
                if halves == 0 {
                    continue;
                }
                let lane = DemandKey {
                    table,
                    index,
                    region,
                    direction,
                };
                self.tally.consumption.demand(lane, second, halves);
                if !owned {
                    continue;
                }
                self.tally
                    .heat(lane, slot, key, known, now.div_euclid(60), halves);
                // The partition of an index entry depends on the index key, which a row does not
                // have.
                if index.is_none() {
                    self.tally
                        .grains
                        .entry((table, region))
                        .or_default()
                        .add(slot, now, direction, halves);
                }
            }
        }
    }

    /// One access to a cache in the home region; returns whether the design's DAX cluster answered
    /// the read.
    pub(super) fn access(
        &mut self,
        table: usize,
        which: Which,
        hash: u64,
        bytes: u32,
        second: i64,
        writes: bool,
    ) -> bool {
        let cache = which.of(table);
        let design = self.tables.list[table].design.dax.as_ref();
        if self.caches.sizes.is_empty() && cache < CACHES_MAX && self.share.owns(slot_of(hash)) {
            let mut asked = AccessCounts::default();
            asked.add(bytes, writes);
            self.tally.log.count(cache, asked);
            self.tally.log.push(hash, || {
                CacheAccess::new(self.ordinal, cache, hash, second, bytes, writes)
            });
        }
        if writes {
            self.caches.write(cache, hash, bytes, second, design);
            return false;
        }
        self.caches.read(cache, hash, bytes, second, design)
    }

    /// Whether calls bypass the design's DAX cluster. If it has none, all calls are assumed to go
    /// through one.
    pub(super) fn passes_dax(
        &self,
        table: usize,
        caller: Option<&str>,
        api: ApiName,
        index: Option<usize>,
    ) -> bool {
        let design = &self.tables.list[table].design;
        design.dax.is_some()
            && Executor::pattern(design, caller, api, None, index)
                .is_some_and(|access| !access.through_dax)
    }

    /// Applies a write to DAX: the item cache stores the item; after a transaction DAX reads it
    /// from the table again (rules 7.3, 7.4).
    pub(super) fn written_through_dax(
        &mut self,
        kind: CallKind,
        key: &TracedKey,
        after: Option<Bytes>,
        transaction: bool,
        second: i64,
    ) {
        let CallKind { table, region, .. } = kind;
        if region == 0 {
            self.access(
                table,
                Which::Item,
                key.hash,
                after.map_or(0, |bytes| bytes.0 as u32),
                second,
                true,
            );
        }
        let design = &self.tables.list[table].design;
        if transaction && design.dax.is_some() && region == 0 {
            let fill = meter(&design.table, &dax::fill(after), &self.switches);
            self.tally.consumption.kind(kind).fill_halves += u128::from(fill.table.read.halves());
            self.demand(table, region, &fill, key, second);
        }
    }

    /// Half units that an operation consumes in all regions, reads and writes together: for bounds,
    /// not for the bill.
    pub(super) fn everywhere(&self, table: usize, operation: &Operation) -> u128 {
        let design = &self.tables.list[table].design;
        let halves = |consumed: ConsumedCapacity| {
            let total = consumed.total();
            u128::from(total.read.halves()) + 2 * u128::from(total.write.0)
        };
        let copies = design
            .replicas
            .iter()
            .filter(|replica| !replica.witness)
            .count() as u128;
        let abroad = if copies > 0 {
            halves(replicate(&design.table, operation, &self.switches)) * copies
        } else {
            0
        };
        halves(meter(&design.table, operation, &self.switches)) + abroad
    }

    /// Ends the run: reads that still wait for a size cannot be metered.
    pub fn finish(&mut self) {
        for waiting in std::mem::take(&mut self.waiting).into_values().flatten() {
            let why = "a miss of a cache trace whose key is never written later, so the size of \
                       the item is unknown";
            let _ = self.unmetered(waiting.table, waiting.region, &waiting.call, None, why);
        }
        self.tally.close_minutes();
        for at in 0..self.tables.list.len() {
            let held = self.held(at);
            self.tally.held.insert(at, held);
        }
    }
}

/// The number of partitions at the start, from the table's data and its throughput.
pub(super) fn starting_partitions(design: &TableDesign) -> u64 {
    // If the amount of data is unknown, only throughput decides.
    let bytes = design.held().map_or_else(Exact::zero, |held| held.data);
    let most = |units: &Units| match units {
        Units::Fixed(units) => *units,
        Units::Scaled(scaling) => scaling.max,
        Units::Unknown => 0,
    };
    let (reads, writes) = match &design.capacity {
        Capacity::OnDemand => (READ_FLOOR, WRITE_FLOOR),
        Capacity::Provisioned(units) => (most(&units.read), most(&units.write)),
    };
    partitions(&bytes, &Exact::from(reads), &Exact::from(writes))
        .to_u64()
        .unwrap_or(u64::MAX)
}
