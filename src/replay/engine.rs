//! The engine: the tables, the rules and the sums that the fast and the full path share. A call of
//! the full path is metered here and added up here; the fast path meters its rows itself and adds
//! to the same sums.

use std::collections::{BTreeMap, BTreeSet};

use super::cache::curve::{AccessCounts, CACHES_MAX, CacheAccess, CacheUse};
use super::cache::exact::{Caches, Which};
use super::error::CannotExecute;
use super::options::ReplayOptions;
use super::state::sizes::is_global;
use super::state::tables::{TableState, Tables};
use super::tally::Tally;
use super::tally::consumption::{CallKind, DemandKey, add_units};
use super::tally::hot_keys::KeyUnits;
use crate::dax;
use crate::meter::{
    ConsumedCapacity, Switches, change_data_capture_units, meter, replicate, replicated_bytes,
};
use crate::table::{ApiName, Direction, KeySchema, Operation};
use crate::trace::KeyShare;
use crate::trace::{Name, NameTable, RowPlace, SkipReason, Time, TracedKey, slot_of};
use crate::units::Bytes;
use crate::workload::Workload;

/// The tables, the rules and the sums of one thread.
pub struct Engine {
    /// The tables.
    pub tables: Tables,
    /// The regions: the home region first.
    pub regions: Vec<String>,
    /// The readings of disputed rules.
    pub switches: Switches,
    /// Everything that is added up.
    pub tally: Tally,
    /// DAX's caches of given sizes.
    pub caches: Caches,
    /// The share of the keys that is added up here.
    pub share: KeyShare,
    /// Whether a workload declares the tables.
    pub declared: bool,
    /// Global tables whose copies are assumed to have as many writes as the home region.
    pub copies_assumed: BTreeSet<usize>,
    numbers: BTreeMap<Name, usize>,
}

/// The event that is executed.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Its time.
    pub time: Time,
    /// Its place in the trace, which orders events of the same time.
    pub place: RowPlace,
    /// Its second since 1970.
    pub second: i64,
}

impl Moment {
    /// The moment of an event.
    pub fn new(time: Time, place: RowPlace) -> Moment {
        let second = time.second();
        Moment {
            time,
            place,
            second,
        }
    }
}

/// Where a call is counted.
#[derive(Clone, Copy, Debug)]
pub struct CallSite {
    /// The table, by position.
    pub table: usize,
    /// The region in which it was made, by position.
    pub region: usize,
    /// The access pattern or the caller, if it is known.
    pub caller: Option<Name>,
    /// The API call.
    pub api: ApiName,
    /// The index that is read, by position.
    pub index: Option<usize>,
    /// The second in which the call was made.
    pub second: i64,
    /// The event that is executed; later than `second` if the call waited for a size.
    pub moment: Moment,
}

impl CallSite {
    /// The kind of call that it is.
    pub fn kind(&self, direction: Direction) -> CallKind {
        CallKind {
            table: self.table,
            region: self.region,
            caller: self.caller,
            api: Some(self.api),
            direction,
            index: self.index,
        }
    }

    /// A use of one of the table's caches by the call.
    pub fn cache_use(&self, which: Which, hash: u64, bytes: u32, direction: Direction) -> CacheUse {
        CacheUse {
            cache: which.of(self.table),
            hash,
            bytes,
            second: self.second,
            direction,
        }
    }
}

impl Engine {
    /// For the tables of a workload, or for those that the trace defines.
    pub fn new(
        workload: Option<&Workload>,
        region: &str,
        options: &ReplayOptions,
        caches: Caches,
    ) -> Engine {
        let mut regions = vec![region.to_string()];
        let tables = workload.into_iter().flat_map(|workload| &workload.tables);
        for replica in tables.flat_map(|table| &table.replicas) {
            if !regions.contains(&replica.region) {
                regions.push(replica.region.clone());
            }
        }
        Engine {
            tables: Tables::new(workload),
            regions,
            switches: workload.map_or(options.switches, |workload| workload.switches),
            tally: Tally::new(options.verify),
            caches,
            share: KeyShare::default(),
            declared: workload.is_some(),
            copies_assumed: BTreeSet::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// The state of a table.
    pub fn state(&self, table: usize) -> &TableState {
        &self.tables.list[table]
    }

    /// The names of a table, of one of its indexes, and of a region.
    pub fn place(
        &self,
        table: usize,
        index: Option<usize>,
        region: usize,
    ) -> (String, Option<String>, String) {
        let design = &self.state(table).design.table;
        (
            design.name.clone(),
            index.map(|at| design.indexes[at].name.clone()),
            self.regions[region].clone(),
        )
    }

    /// The slot of the key of a call.
    pub fn slot(&self, table: Option<Name>, key: &TracedKey, names: &NameTable) -> u8 {
        let table = table.map_or_else(
            || self.tables.only(),
            |name| self.tables.find(names.text(name)),
        );
        table.map_or(slot_of(key.hash), |table| self.state(table).slot(key))
    }

    /// The table of an event; without a workload, an unknown table is defined with these keys.
    pub fn table(
        &mut self,
        name: Option<Name>,
        names: &NameTable,
        keys: impl FnOnce() -> KeySchema,
    ) -> Result<usize, CannotExecute> {
        let unknown = |text: String| (SkipReason::UnknownTable, text);
        let Some(name) = name else {
            let declared = self.declared;
            let found = self.tables.only().or_else(|| {
                let defined = self.tables.find_or_define("table", keys);
                defined.filter(|_| !declared)
            });
            return found.ok_or_else(|| {
                let tables = self.tables.names();
                unknown(format!(
                    "the row names no table, and the workload has {tables}; name the table with \
                     --table"
                ))
            });
        };
        let text = names.text(name);
        let found = self.tables.find_or_define(text, keys);
        found.ok_or_else(|| {
            unknown(format!(
                "the workload defines no table {}; it has {}",
                text.escape_debug(),
                self.tables.names()
            ))
        })
    }

    /// The region of an event; the home region if it names none.
    pub fn region(
        &mut self,
        name: Option<Name>,
        names: &NameTable,
    ) -> Result<usize, CannotExecute> {
        let Some(name) = name else { return Ok(0) };
        if let Some(known) = self.numbers.get(&name) {
            return Ok(*known);
        }
        let text = names.text(name);
        let Some(found) = self.regions.iter().position(|region| region == text) else {
            if self.declared {
                let list = self.regions.join(", ");
                let text = text.escape_debug();
                let text = format!(
                    "the design is in {list}, but the row is in {text}; price it there with \
                     --region, or add a replica"
                );
                return Err((SkipReason::UnknownRegion, text));
            }
            let others = &mut self.tally.totals.other_regions;
            *others.entry(text.to_string()).or_default() += 1;
            return Ok(0);
        };
        self.numbers.insert(name, found);
        Ok(found)
    }

    /// Checks that a table has a replica in a region.
    pub fn stands_in(&mut self, table: usize, region: usize) -> Result<(), CannotExecute> {
        if region == 0 {
            return Ok(());
        }
        let design = &self.state(table).design;
        let name = &self.regions[region];
        let is_here = |replica: &&crate::workload::Replica| replica.region == *name;
        let mut replicas = design.replicas.iter().filter(|replica| !replica.witness);
        if !replicas.any(|replica| is_here(&replica)) {
            let table = &design.table.name;
            let text = format!(
                "{table} has no replica in {name}; price it there with --region, or add a replica"
            );
            return Err((SkipReason::UnknownRegion, text));
        }
        self.tally.totals.elsewhere.insert(table);
        Ok(())
    }

    /// The replicas of a table that hold data: position and name of their regions.
    fn replicas(&self, table: usize) -> Vec<(usize, String)> {
        let replicas = &self.state(table).design.replicas;
        let stored = replicas.iter().filter(|replica| !replica.witness);
        let position = |name: &str| self.regions.iter().position(|region| region == name);
        stored
            .filter_map(|replica| Some((position(&replica.region)?, replica.region.clone())))
            .collect()
    }

    /// Meters an operation and adds up what it consumes, in every region that it reaches.
    pub fn consume(
        &mut self,
        site: &CallSite,
        operation: &Operation,
        key: &TracedKey,
    ) -> ConsumedCapacity {
        let design = &self.state(site.table).design;
        let consumed = meter(&design.table, operation, &self.switches);
        let writes = operation.direction() == Direction::Write;
        let is_global = writes && !design.replicas.is_empty();
        let replicas = if is_global {
            self.replicas(site.table)
        } else {
            Vec::new()
        };
        let replicated = (!replicas.is_empty()).then(|| {
            replicate(
                &self.state(site.table).design.table,
                operation,
                &self.switches,
            )
        });
        let call = self.tally.totals.call(site.kind(operation.direction()));
        call.writes = writes;
        call.index = site.index;
        call.transactional = writes
            && matches!(
                operation,
                Operation::TransactWriteItems { .. } | Operation::ExecuteTransaction(_)
            );
        call.captured += u128::from(change_data_capture_units(operation));
        call.replicated_bytes += u128::from(replicated_bytes(operation).0);
        let Some(replicated) = replicated else {
            add_units(call, &consumed, None);
            self.demand(site, site.region, &consumed, key);
            return consumed;
        };
        let origin = site.region;
        let units_in = |region: usize| {
            if region == origin {
                &consumed
            } else {
                &replicated
            }
        };
        if origin > 0 {
            call.origin = Some(self.regions[origin].clone());
        }
        add_units(call, units_in(0), None);
        for (region, name) in &replicas {
            add_units(call, units_in(*region), Some(name));
        }
        self.demand(site, 0, units_in(0), key);
        for (region, _) in &replicas {
            self.demand(site, *region, units_in(*region), key);
        }
        consumed
    }

    /// Adds half units to the accounts of a table in one region, and to the hot keys.
    pub fn demand(
        &mut self,
        site: &CallSite,
        region: usize,
        consumed: &ConsumedCapacity,
        key: &TracedKey,
    ) {
        let table = site.table;
        let state = &mut self.tables.list[table];
        let accounts = accounts_of(state, consumed);
        let slot = state.slot(key);
        let all: u64 = accounts.iter().flat_map(|(_, halves)| halves).sum();
        let known = u32::try_from(all).unwrap_or(u32::MAX);
        let known = state.store.add_units(slot, key.hash, known);
        let counts_key = self.share.owns(slot);
        let second = site.moment.second;
        for (index, both) in accounts {
            for (direction, halves) in Direction::BOTH.into_iter().zip(both) {
                if halves == 0 {
                    continue;
                }
                let account = DemandKey {
                    table,
                    index,
                    region,
                    direction,
                };
                self.tally.demand(account, site.second, halves);
                if !counts_key {
                    continue;
                }
                let keys = &mut self.tally.keys;
                let units = KeyUnits {
                    known,
                    minute: second.div_euclid(60),
                    halves,
                };
                keys.add(account, slot, key, units);
                // Items of an index are placed by its own key, which a row does not give.
                if index.is_none() {
                    let seconds = keys.seconds.entry((table, region)).or_default();
                    seconds.add(slot, second, direction, halves);
                }
            }
        }
    }

    /// Records one use of a cache in the home region, and returns whether a cluster of the design
    /// answered the read.
    pub fn access(&mut self, site: &CallSite, of: CacheUse) -> bool {
        let CacheUse {
            cache, hash, bytes, ..
        } = of;
        let writes = of.direction == Direction::Write;
        let design = self.tables.list[site.table].design.dax.as_ref();
        if self.caches.sizes.is_empty() && cache < CACHES_MAX && self.share.owns(slot_of(hash)) {
            let mut counts = AccessCounts::default();
            counts.add(bytes, writes);
            let accesses = &mut self.tally.keys.accesses;
            accesses.count(cache, counts);
            let moment = site.moment;
            accesses.push(hash, || CacheAccess::new((moment.time, moment.place), of));
        }
        if writes {
            self.caches.write(of, design);
            return false;
        }
        self.caches.read(of, design)
    }

    /// Whether calls bypass the design's DAX cluster. Without a cluster, all calls are assumed to
    /// go through one.
    pub fn passes_dax(&self, site: &CallSite, names: &NameTable) -> bool {
        let state = self.state(site.table);
        let caller = site.caller.map(|caller| names.text(caller));
        state.design.dax.is_some()
            && state
                .pattern(caller, site.api, None, site.index)
                .is_some_and(|access| !access.through_dax)
    }

    /// The effect of a write on DAX: its item cache stores the item; after a transaction it reads
    /// the item again (rules 7.3, 7.4).
    pub fn written_through_dax(
        &mut self,
        site: &CallSite,
        key: &TracedKey,
        after: Option<Bytes>,
        transaction: bool,
    ) {
        if site.region != 0 {
            return;
        }
        let bytes = after.map_or(0, |bytes| bytes.0 as u32);
        self.access(
            site,
            site.cache_use(Which::Item, key.hash, bytes, Direction::Write),
        );
        let design = &self.state(site.table).design;
        if transaction && design.dax.is_some() {
            let fill = meter(&design.table, &dax::fill(after), &self.switches);
            let call = self.tally.totals.call(site.kind(Direction::Write));
            call.fill_halves += u128::from(fill.table.read.halves());
            self.demand(site, 0, &fill, key);
        }
    }

    /// The half units that an operation consumes in all regions, reads and writes together: for
    /// bounds, not for the bill.
    pub fn everywhere(&self, table: usize, operation: &Operation) -> u128 {
        let design = &self.state(table).design;
        let halves = |consumed: ConsumedCapacity| {
            let total = consumed.total();
            u128::from(total.read.halves()) + 2 * u128::from(total.write.0)
        };
        let replicas = design.replicas.iter().filter(|replica| !replica.witness);
        let replicas = replicas.count() as u128;
        let replicated = if replicas > 0 {
            replicas * halves(replicate(&design.table, operation, &self.switches))
        } else {
            0
        };
        halves(meter(&design.table, operation, &self.switches)) + replicated
    }
}

/// Half units of the table itself (with its local indexes) and of each global index: reads and
/// writes.
fn accounts_of(state: &TableState, consumed: &ConsumedCapacity) -> Vec<(Option<usize>, [u64; 2])> {
    let halves = |target: &crate::meter::TargetCapacity| [target.read.halves(), target.write.0 * 2];
    let mut own = halves(&consumed.of_table());
    let mut accounts = Vec::new();
    for (at, index) in consumed.indexes.iter().enumerate() {
        let of_index = halves(index);
        if is_global(&state.design, at) {
            accounts.push((Some(at), of_index));
        } else {
            own = [own[0] + of_index[0], own[1] + of_index[1]];
        }
    }
    accounts.push((None, own));
    accounts
}
