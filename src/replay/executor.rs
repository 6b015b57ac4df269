//! Executes events: each becomes operations for the meter, by what was there before.

use std::collections::{BTreeMap, BTreeSet};

use super::consumption::{Consumption, Kind, LaneKey};
use super::dax::Caches;
use super::heat::{Heat, Partitions};
use super::sizes::{From, is_global};
use super::tables::Tables;
use super::verify::Verification;
use crate::capacity::policy::{READ_FLOOR, WRITE_FLOOR};
use crate::dax;
use crate::meter::{ConsumedCapacity, Switches, change_data_capture_units, meter, replicate, replicated_bytes};
use crate::table::{KeySchema, Operation, TransactionOutcome, limits};
use crate::trace::{Api, Bad, Call, Event, Key, Name, Names, Reason, Time, TraceError, What};
use crate::units::{Bytes, GB};
use crate::workload::{Capacity, TableDesign, Units, Workload};

/// Why something cannot be executed.
pub type Wrong = (Reason, String);

/// How many rows took their sizes from where, and how far those that were drawn could be wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Rows by what they read or write, and where its size came from.
    pub rows: BTreeMap<(bool, From), u64>,
    /// Half units of drawn rows on their tables: as drawn, with the smallest and with the largest size in a hundred; by table and direction.
    pub drawn: BTreeMap<(usize, bool), [u128; 3]>,
    /// Rows of a Query or Scan whose number of items came from an access pattern.
    pub counts_assumed: u64,
    /// Writes of which it was drawn whether they found an item.
    pub presence_assumed: u64,
    /// Reads that are strong because their access pattern is.
    pub consistency_assumed: u64,
    /// Members of batches and transactions that do not say what they do.
    pub actions_assumed: u64,
    /// Scans whose items were taken in the order of their keys.
    pub scans: u64,
    /// Writes of which the access pattern, or nobody, said what they change.
    pub changes_assumed: u64,
}

/// A read whose size is that of the next write of its key.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub call: Call,
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
    /// The readings of disputed rules.
    pub switches: Switches,
    /// Everything that was consumed.
    pub consumption: Consumption,
    /// Who is hot, by account.
    pub heat: BTreeMap<LaneKey, Heat>,
    /// Partitions of the accounts in each region, reads and writes together.
    pub partitions: BTreeMap<(usize, Option<usize>, usize), Partitions>,
    /// Where sizes came from.
    pub provenance: Provenance,
    /// AWS's answers beside the meter's.
    pub verification: Option<Verification>,
    /// DAX's caches.
    pub caches: Caches,
    /// Events so far.
    pub events: u64,
    /// Calls that AWS or the log says were throttled, or refused for free.
    pub refused: u64,
    /// Throttled requests that metrics count.
    pub throttled: u64,
    /// The times of the first and the last event.
    pub span: Option<(Time, Time)>,
    /// Regions that are named and are taken for the home region.
    pub other_regions: BTreeMap<String, u64>,
    /// Tables with events from another region than the home region.
    pub elsewhere: BTreeSet<usize>,
    /// Tables whose units a metric gives, with the regions that it gives them for.
    pub counted_regions: BTreeSet<(usize, usize)>,
    /// Tables with writes of which only the units are known.
    pub counted_writes: BTreeSet<usize>,
    /// Copies whose writes were taken to be as many as the home region's.
    pub copies_assumed: BTreeSet<usize>,
    /// What writes that changed nothing would have sent, by table: change data capture units and bytes.
    pub(super) unchanged: Vec<(usize, u64, u64)>,
    /// Whether a deletion by Time to Live was seen, by table.
    pub time_to_live: BTreeSet<usize>,
    /// The first calls of transactions, by their tokens.
    pub(super) tokens: BTreeMap<String, super::requests::Committed>,
    pub(super) waiting: BTreeMap<u64, Vec<Waiting>>,
    declared: bool,
    numbers: RegionNumbers,
}

type RegionNumbers = BTreeMap<Name, usize>;

impl Executor {
    /// For the tables of a workload, or for those that the trace defines.
    pub fn new(workload: Option<&Workload>, region: &str, verify: bool, caches: Caches) -> Executor {
        let mut regions = vec![region.to_string()];
        for replica in workload.into_iter().flat_map(|workload| &workload.tables).flat_map(|table| &table.replicas) {
            if !regions.contains(&replica.region) {
                regions.push(replica.region.clone());
            }
        }
        Executor {
            tables: Tables::new(workload),
            regions,
            switches: workload.map(|workload| workload.switches).unwrap_or_default(),
            consumption: Consumption::default(),
            heat: BTreeMap::new(),
            partitions: BTreeMap::new(),
            provenance: Provenance::default(),
            verification: verify.then(Verification::default),
            caches,
            events: 0,
            refused: 0,
            throttled: 0,
            span: None,
            other_regions: BTreeMap::new(),
            elsewhere: BTreeSet::new(),
            counted_regions: BTreeSet::new(),
            counted_writes: BTreeSet::new(),
            copies_assumed: BTreeSet::new(),
            unchanged: Vec::new(),
            time_to_live: BTreeSet::new(),
            tokens: BTreeMap::new(),
            waiting: BTreeMap::new(),
            declared: workload.is_some(),
            numbers: BTreeMap::new(),
        }
    }

    /// Executes one event.
    ///
    /// # Errors
    /// The row's [`TraceError`], where bad rows are not skipped.
    pub fn event(&mut self, event: Event, names: &Names, bad: &mut Bad) -> Result<(), TraceError> {
        let (time, place) = (event.time, event.place);
        // Units of a period last until its end.
        let until = match &event.what {
            What::Counted(counted) => Time(time.0.saturating_add(i64::from(counted.seconds.max(1) - 1) * Time::SECOND)),
            _ => time,
        };
        let done = match event.what {
            What::Call(call) => self.call(event.table, call, time, names),
            What::Request(request) => self.request(&request, time, place, names, bad),
            What::Change(change) => self.change(event.table, *change, time, place, names, bad),
            What::Counted(counted) => self.counted(event.table, *counted, time, names),
            What::Throttled(count) => {
                self.throttled += count;
                Ok(())
            }
        };
        match done {
            Ok(()) => {
                self.events += 1;
                self.span = Some(self.span.map_or((time, until), |(first, last)| (first.min(time), last.max(until))));
                Ok(())
            }
            Err((reason, message)) => bad.row(place, reason, message),
        }
    }

    /// The table of an event.
    pub(super) fn table(&mut self, name: Option<Name>, names: &Names, keys: impl FnOnce() -> KeySchema) -> Result<usize, Wrong> {
        match name {
            Some(name) => {
                let text = names.text(name);
                let found = self.tables.find_or_define(text, keys);
                found.ok_or_else(|| {
                    (Reason::UnknownTable, format!("the workload defines no table {}; it has {}", text.escape_debug(), self.tables.names()))
                })
            }
            None => self.tables.only().or_else(|| self.tables.find_or_define("table", keys).filter(|_| !self.declared)).ok_or_else(|| {
                (Reason::UnknownTable, format!("the row names no table; the workload has {}: name one with --table", self.tables.names()))
            }),
        }
    }

    /// The region of an event: the home region where it names none.
    pub(super) fn region(&mut self, name: Option<Name>, names: &Names) -> Result<usize, Wrong> {
        let Some(name) = name else { return Ok(0) };
        if let Some(known) = self.numbers.get(&name) {
            return Ok(*known);
        }
        let text = names.text(name);
        let found = match self.regions.iter().position(|region| region == text) {
            Some(found) => found,
            None if self.declared => {
                let list = self.regions.join(", ");
                let text =
                    format!("the design is in {list}, the row in {}; price it there with --region, or add a replica", text.escape_debug());
                return Err((Reason::UnknownRegion, text));
            }
            None => {
                *self.other_regions.entry(text.to_string()).or_default() += 1;
                return Ok(0);
            }
        };
        self.numbers.insert(name, found);
        Ok(found)
    }

    /// Whether a table stands in a region.
    pub(super) fn stands_in(&mut self, table: usize, region: usize) -> Result<(), Wrong> {
        if region == 0 {
            return Ok(());
        }
        let design = &self.tables.list[table].design;
        let name = &self.regions[region];
        if !design.replicas.iter().any(|replica| !replica.witness && replica.region == *name) {
            let text = format!("{} has no replica in {name}; price it there with --region, or add a replica", design.table.name);
            return Err((Reason::UnknownRegion, text));
        }
        self.elsewhere.insert(table);
        Ok(())
    }

    /// Meters an operation and adds up what it consumes, where and when.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn consume(
        &mut self,
        table: usize,
        region: usize,
        caller: Option<Name>,
        api: Api,
        index: Option<usize>,
        operation: &Operation,
        key: &Key,
        second: i64,
    ) -> ConsumedCapacity {
        let design = &self.tables.list[table].design;
        let consumed = meter(&design.table, operation, &self.switches);
        let reads = is_read(operation);
        let kind = Kind { table, region, caller, api: Some(api), reads, index };
        let copies: Vec<(usize, String)> = if reads || design.replicas.is_empty() {
            Vec::new()
        } else {
            let stored = design.replicas.iter().filter(|replica| !replica.witness).map(|replica| replica.region.clone());
            stored.filter_map(|name| Some((self.regions.iter().position(|region| *region == name)?, name))).collect()
        };
        let abroad = if copies.is_empty() { None } else { Some(replicate(&design.table, operation, &self.switches)) };
        let traced = self.consumption.kind(kind);
        traced.writes = !reads;
        traced.index = index;
        traced.transactional = matches!(operation, Operation::TransactWriteItems { .. } | Operation::ExecuteTransaction(_)) && !reads;
        traced.captured += u128::from(change_data_capture_units(operation));
        traced.replicated_bytes += u128::from(replicated_bytes(operation).0);
        // What is asked of each region.
        let mut asked: Vec<(usize, &ConsumedCapacity)> = Vec::new();
        match (&abroad, region) {
            (Some(replicated), 0) => {
                self.consumption.add(kind, &consumed, None);
                asked.push((0, &consumed));
                for (at, name) in &copies {
                    self.consumption.add(kind, replicated, Some(name));
                    asked.push((*at, replicated));
                }
            }
            (Some(replicated), origin) => {
                self.consumption.kind(kind).origin = Some(self.regions[origin].clone());
                self.consumption.add(kind, replicated, None);
                asked.push((0, replicated));
                for (at, name) in &copies {
                    let units = if *at == origin { &consumed } else { replicated };
                    self.consumption.add(kind, units, Some(name));
                    asked.push((*at, units));
                }
            }
            (None, region) => {
                self.consumption.add(kind, &consumed, None);
                asked.push((region, &consumed));
            }
        }
        for (region, units) in asked {
            self.demand(table, region, units, key, second);
        }
        consumed
    }

    /// Half units of the accounts of a table, and the heat of the key in them.
    pub(super) fn demand(&mut self, table: usize, region: usize, consumed: &ConsumedCapacity, key: &Key, second: i64) {
        let design = &self.tables.list[table].design;
        let (mut own_reads, mut own_writes) = (consumed.table.read.halves(), consumed.table.write.0 * 2);
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
        let sorted = design.table.keys.sort.is_some();
        let starting = starting_partitions(design);
        for (index, reads, writes) in accounts {
            for (is_read, halves) in [(true, reads), (false, writes)] {
                if halves == 0 {
                    continue;
                }
                let lane = LaneKey { table, index, region, reads: is_read };
                self.consumption.demand(lane, second, halves);
                self.heat.entry(lane).or_default().add(key, second, halves);
                // Items of an index lie where its own key says, which a row does not know.
                if index.is_none() {
                    let hash = if sorted { key.partition } else { key.hash };
                    let partitions = self.partitions.entry((table, index, region)).or_insert_with(|| Partitions::new(starting));
                    partitions.add(key, hash, second, is_read, halves);
                }
            }
        }
    }

    /// Whether calls go past a DAX cluster that the design has. Where it has none, all are taken to go through one.
    pub(super) fn passes_dax(&self, table: usize, caller: Option<&str>, api: Api, index: Option<usize>) -> bool {
        let design = &self.tables.list[table].design;
        design.dax.is_some() && Executor::pattern(design, caller, api, None, index).is_some_and(|access| !access.through_dax)
    }

    /// What a write means for DAX: its item cache takes the item, after a transaction by reading it again (rules 7.3, 7.4).
    pub(super) fn written_through_dax(&mut self, kind: Kind, key: &Key, after: Option<Bytes>, transaction: bool, second: i64) {
        let Kind { table, region, .. } = kind;
        self.caches.write(table, region, key.hash, after.map_or(0, |bytes| bytes.0), second);
        let design = &self.tables.list[table].design;
        if transaction && design.dax.is_some() && region == 0 {
            let fill = meter(&design.table, &dax::fill(after), &self.switches);
            self.consumption.kind(kind).fill_halves += u128::from(fill.table.read.halves());
            self.demand(table, region, &fill, key, second);
        }
    }

    /// What an operation consumes in all regions, in half units of both directions: for bounds, not for the bill.
    pub(super) fn everywhere(&self, table: usize, operation: &Operation) -> u128 {
        let design = &self.tables.list[table].design;
        let halves = |consumed: ConsumedCapacity| {
            let total = consumed.total();
            u128::from(total.read.halves()) + 2 * u128::from(total.write.0)
        };
        let copies = design.replicas.iter().filter(|replica| !replica.witness).count() as u128;
        let abroad = if copies > 0 { halves(replicate(&design.table, operation, &self.switches)) * copies } else { 0 };
        halves(meter(&design.table, operation, &self.switches)) + abroad
    }

    /// Ends the run: what still waits for a size has none.
    pub fn finish(&mut self) {
        for waiting in std::mem::take(&mut self.waiting).into_values().flatten() {
            let why = "a miss of a cache trace whose key is never written: nobody knows the item's size";
            let _ = self.unmetered(waiting.table, waiting.region, &waiting.call, None, why);
        }
        self.partitions.values_mut().for_each(Partitions::close);
        self.copy_counted();
    }
}

/// Whether an operation consumes read units on its table.
pub fn is_read(operation: &Operation) -> bool {
    match operation {
        Operation::GetItem { .. }
        | Operation::BatchGetItem { .. }
        | Operation::TransactGetItems { .. }
        | Operation::Query(_)
        | Operation::Scan(_) => true,
        Operation::ExecuteStatement(inner) | Operation::ExecuteTransaction(inner) => is_read(inner),
        Operation::BatchExecuteStatement(all) => all.iter().all(is_read),
        Operation::TransactWriteItems { outcome, .. } => *outcome == TransactionOutcome::Replayed,
        _ => false,
    }
}

/// Partitions of a table at first: by its data, and by what it serves.
fn starting_partitions(design: &TableDesign) -> u64 {
    let bytes = (&design.items * &design.sizes.mean()).ceil().to_u64().unwrap_or(0);
    let most = |units: &Units| match units {
        Units::Fixed(units) => *units,
        Units::Scaled(scaling) => scaling.max,
    };
    let (reads, writes) = match &design.capacity {
        Capacity::OnDemand => (READ_FLOOR, WRITE_FLOOR),
        Capacity::Provisioned { read, write } => (most(read), most(write)),
    };
    let by_throughput = reads.div_ceil(limits::PARTITION_READ_UNITS_MAX).max(writes.div_ceil(limits::PARTITION_WRITE_UNITS_MAX));
    by_throughput.max(bytes.div_ceil(10 * GB)).max(1)
}
