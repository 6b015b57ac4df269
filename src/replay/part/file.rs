//! Parts and checkpoints: what a run has added up so far, as a Parquet file that another run loads.
//!
//! The long series are rows of one [table](super::table), so that any engine can read them. The
//! rest is one value beside them: the totals as they are in memory, and the state of the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::io::Write;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::table::{PartInput, PartRow, PartWriter, Section, broken, failed, read_rows, wrong};
use super::{Heats, Read, ReplayPart};
use crate::replay::cache::curve::{AccessCounts, CacheAccess};
use crate::replay::cache::exact::{Caches, Sized};
use crate::replay::dynamodb::tables::Stored;
use crate::replay::error::ReplayError;
use crate::replay::executor::Executor;
use crate::replay::full::Waiting;
use crate::replay::options::ReplayOptions;
use crate::replay::state::tables::Definition;
use crate::replay::state::tokens::Tokens;
use crate::replay::tally::consumption::DemandKey;
use crate::replay::tally::hot_keys::{Counter, Hot, HotKeys};
use crate::replay::tally::merge::Merge;
use crate::replay::tally::partitions::{HeatMap, Partitions, SlotSecond};
use crate::replay::tally::{Tally, Totals};
use crate::table::Item;
use crate::trace::KeyShare;
use crate::trace::{Name, NameTable, Time};
use crate::workload::Workload;

/// File format version. Files with another version are rejected.
const FORMAT: u32 = 6;

/// Bytes of one piece of the rest.
const PIECE_BYTES: usize = 1 << 24;

/// The header of a part, which is checked before the part is merged with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: u32,
    version: String,
    /// The shares of keys that it covers.
    pub covers: Vec<KeyShare>,
    /// How many events of the trace were executed for it.
    pub executed: u64,
    /// What the figures depend on: the workload and the options of the run.
    settings: String,
    /// Whether the run is unfinished: then the file is a checkpoint.
    pub unfinished: bool,
    /// What was read so far.
    pub read: Read,
}

/// Everything that is not a row.
#[derive(Serialize, Deserialize)]
struct Rest {
    header: Header,
    definitions: Vec<Definition>,
    regions: Vec<String>,
    owners: Owners,
    /// The names of callers.
    callers: Vec<(Name, String)>,
    totals: Totals,
    /// The size of the sample of accesses, and the counts of all accesses by cache.
    power: u32,
    accesses: BTreeMap<usize, AccessCounts>,
    caches: BTreeMap<usize, Sized>,
    heat: Vec<((usize, usize), (Partitions, HeatMap))>,
    /// Of a checkpoint: items, the first calls of transactions, reads that wait for a size.
    items: Vec<(usize, Vec<Item>)>,
    tokens: Tokens,
    waiting: BTreeMap<u64, Vec<Waiting>>,
}

/// What rows belong to.
#[derive(Serialize, Deserialize)]
struct Owners {
    /// Account directions, in order.
    accounts: Vec<DemandKey>,
    /// Tables in regions, in order.
    places: Vec<(usize, usize)>,
}

impl Owners {
    fn of<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Owners {
        let (mut accounts, mut places) = (BTreeSet::new(), BTreeSet::new());
        for tally in tallies {
            accounts.extend(tally.demand.keys());
            accounts.extend(tally.keys.hot.keys());
            accounts.extend(tally.keys.minutes.keys());
            places.extend(tally.keys.seconds.keys());
        }
        Owners {
            accounts: accounts.into_iter().copied().collect(),
            places: places.into_iter().copied().collect(),
        }
    }

    /// The position of an account direction; every one that has a row is there.
    fn account(&self, key: &DemandKey) -> Result<usize, ReplayError> {
        let found = self.accounts.binary_search(key);
        found.map_err(|_| failed("an account direction is missing"))
    }

    fn place(&self, place: &(usize, usize)) -> Result<usize, ReplayError> {
        let found = self.places.binary_search(place);
        found.map_err(|_| failed("a table is missing"))
    }
}

/// What the figures of a run depend on, except the trace: the meaning of its workload (not its file
/// name, comments or line numbers) and the options.
pub fn settings(workload: Option<&Workload>, options: &ReplayOptions) -> String {
    let meaning = |of: &dyn Fn(&mut Xxh3)| {
        let mut hash = Xxh3::new();
        of(&mut hash);
        hash.digest()
    };
    let workload = workload.map_or(0, |workload| meaning(&|hash| workload.hash(hash)));
    format!(
        "workload {workload:016x}, region {}, readings {:016x}, verify {}, DAX {:?} {:?} {}",
        options.region.as_deref().unwrap_or("of the trace"),
        meaning(&|hash| options.switches.hash(hash)),
        options.verify.word(),
        options.dax_sizes,
        options.dax_ttl_seconds,
        options.dax_overwrite.name()
    )
}

/// The results of a run so far, by reference. Its executors hold different slots.
pub struct Saved<'a> {
    /// Summary of the trace.
    pub read: Read,
    /// The names and their numbers.
    pub names: &'a NameTable,
    /// The executors.
    pub executors: Vec<&'a Executor>,
    /// Partitions and heat maps.
    pub heat: &'a BTreeMap<(usize, usize), (Partitions, HeatMap)>,
    /// The shares that it covers.
    pub covers: &'a [KeyShare],
    /// How many events were executed.
    pub executed: u64,
    /// What the figures depend on, from [`settings`].
    pub settings: String,
    /// Whether the run is unfinished.
    pub unfinished: bool,
}

/// Writes a part.
///
/// # Errors
/// [`ReplayError::Part`] if it cannot be written.
pub fn write_part(
    part: &ReplayPart,
    settings: String,
    into: impl Write + Send,
) -> Result<(), ReplayError> {
    let saved = Saved {
        read: part.read.clone(),
        names: &part.names,
        executors: vec![&part.executor],
        heat: &part.heat,
        covers: &part.covers,
        executed: part.executed,
        settings,
        unfinished: false,
    };
    write(&saved, into)
}

/// Writes the result of a run so far.
///
/// # Errors
/// [`ReplayError::Part`] if it cannot be written.
pub fn write(saved: &Saved, into: impl Write + Send) -> Result<(), ReplayError> {
    let tallies = || {
        saved
            .executors
            .iter()
            .map(|executor| &executor.engine.tally)
    };
    let owners = Owners::of(tallies());
    let mut writer = PartWriter::new(into);
    for tally in tallies() {
        write_demand(&mut writer, &owners, tally)?;
        write_hot_keys(&mut writer, &owners, tally)?;
        write_accesses(&mut writer, tally)?;
    }
    if saved.unfinished {
        for executor in &saved.executors {
            write_store(&mut writer, executor)?;
        }
    }
    let rest = postcard::to_stdvec(&rest_of(saved, owners)).map_err(failed)?;
    for (time, piece) in (0..).zip(rest.chunks(PIECE_BYTES)) {
        writer.row(PartRow {
            section: Section::Rest,
            time,
            data: Some(piece.to_vec()),
            ..PartRow::default()
        })?;
    }
    writer.finish()
}

fn write_demand<W: Write + Send>(
    writer: &mut PartWriter<W>,
    owners: &Owners,
    tally: &Tally,
) -> Result<(), ReplayError> {
    for (account, demand) in &tally.demand {
        let owner = owners.account(account)?;
        for (time, a) in demand.seconds() {
            writer.row(PartRow {
                section: Section::Demand,
                owner,
                time,
                a,
                ..PartRow::default()
            })?;
        }
    }
    for (place, seconds) in &tally.keys.seconds {
        let owner = owners.place(place)?;
        let mut written = Ok(());
        seconds.clone().drain(i64::MAX, |second| {
            if written.is_err() {
                return;
            }
            let [a, b] = second.halves.map(u64::from);
            written = writer.row(PartRow {
                section: Section::Second,
                owner,
                time: second.second,
                slot: second.slot,
                a,
                b,
                ..PartRow::default()
            });
        });
        written?;
    }
    Ok(())
}

fn write_hot_keys<W: Write + Send>(
    writer: &mut PartWriter<W>,
    owners: &Owners,
    tally: &Tally,
) -> Result<(), ReplayError> {
    for (account, slots) in &tally.keys.hot {
        let owner = owners.account(account)?;
        for (slot, hot) in (0..=u8::MAX).zip(&slots.0) {
            if hot.total > 0 {
                write_slot(writer, (owner, slot), hot)?;
            }
        }
    }
    for (account, minutes) in &tally.keys.minutes {
        let owner = owners.account(account)?;
        for (time, hot) in minutes {
            for one in &hot.0 {
                writer.row(PartRow {
                    section: Section::Minute,
                    owner,
                    time: *time,
                    key: one.hash,
                    a: one.halves,
                    text: one.name.clone(),
                    ..PartRow::default()
                })?;
            }
        }
    }
    Ok(())
}

/// The hot keys of one slot.
fn write_slot<W: Write + Send>(
    writer: &mut PartWriter<W>,
    (owner, slot): (usize, u8),
    hot: &HotKeys,
) -> Result<(), ReplayError> {
    writer.row(PartRow {
        section: Section::Hot,
        owner,
        slot,
        time: hot.minute(),
        a: hot.floor,
        b: hot.total,
        ..PartRow::default()
    })?;
    for counter in hot.counters() {
        writer.row(PartRow {
            section: Section::Counter,
            owner,
            slot,
            time: counter.minute,
            key: counter.hash,
            a: counter.halves,
            b: counter.error,
            c: counter.in_minute,
            text: hot.names.get(&counter.hash).cloned(),
            ..PartRow::default()
        })?;
    }
    Ok(())
}

fn write_accesses<W: Write + Send>(
    writer: &mut PartWriter<W>,
    tally: &Tally,
) -> Result<(), ReplayError> {
    for access in &tally.keys.accesses.entries {
        writer.row(PartRow {
            section: Section::Access,
            time: access.time.0,
            key: access.hash,
            a: access.second.into(),
            b: access.what.into(),
            c: access.place,
            ..PartRow::default()
        })?;
    }
    Ok(())
}

fn write_store<W: Write + Send>(
    writer: &mut PartWriter<W>,
    executor: &Executor,
) -> Result<(), ReplayError> {
    for (owner, state) in executor.engine.tables.list.iter().enumerate() {
        for (slot, key, known, halves) in state.store.all() {
            writer.row(PartRow {
                section: Section::Store,
                owner,
                slot,
                key,
                a: known.into(),
                b: halves.into(),
                ..PartRow::default()
            })?;
        }
    }
    Ok(())
}

/// Everything that is not a row, of all executors together.
fn rest_of(saved: &Saved, owners: Owners) -> Rest {
    let executors = || saved.executors.iter();
    let mut totals = Totals::default();
    let (mut power, mut accesses) = (0, BTreeMap::new());
    for executor in executors() {
        let tally = &executor.engine.tally;
        totals.merge_from(tally.totals.clone());
        power = power.max(tally.keys.accesses.power);
        accesses.merge_from(tally.keys.accesses.asked.clone());
    }
    let callers: BTreeSet<Name> = totals.calls.keys().filter_map(|kind| kind.caller).collect();
    let named = |caller: Name| (caller, saved.names.text(caller).to_string());
    let first = saved.executors[0];
    let (mut items, mut tokens, mut waiting) = (Vec::new(), Tokens::default(), BTreeMap::new());
    if saved.unfinished {
        let states = first.engine.tables.list.iter().enumerate();
        items = states
            .map(|(at, state)| (at, state.stored.items().cloned().collect()))
            .collect();
        tokens = first.pending.tokens.clone();
        waiting = executors()
            .flat_map(|executor| executor.pending.waiting.clone())
            .collect();
    }
    Rest {
        header: Header {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_string(),
            covers: saved.covers.to_vec(),
            executed: saved.executed,
            settings: saved.settings.clone(),
            unfinished: saved.unfinished,
            read: saved.read.clone(),
        },
        definitions: first.engine.tables.definitions.clone(),
        regions: first.engine.regions.clone(),
        owners,
        callers: callers.into_iter().map(named).collect(),
        totals,
        power,
        accesses,
        caches: first.engine.caches.tables.clone(),
        heat: saved.heat.clone().into_iter().collect(),
        items,
        tokens,
        waiting,
    }
}

/// A part that was read.
pub struct Loaded {
    /// Its header.
    pub header: Header,
    /// Its results.
    pub part: ReplayPart,
    /// Only of a checkpoint: the item store, as table, slot, key, state and half units.
    pub store: Vec<(usize, u8, u64, u32, u32)>,
}

impl Loaded {
    /// Checks that it is a checkpoint (if `unfinished`) or a part.
    ///
    /// # Errors
    /// [`ReplayError::Part`] with what differs.
    pub fn check(&self, input: &PartInput, unfinished: bool) -> Result<(), ReplayError> {
        match (self.header.unfinished, unfinished) {
            (true, false) => {
                let help = "run the same command again with --checkpoint to continue it";
                return Err(wrong(input, "is a checkpoint of an unfinished run").with_help(help));
            }
            (false, true) => {
                let help = "merge parts with --merge";
                return Err(wrong(input, "is a part, not a checkpoint").with_help(help));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Rows of a part, as they are read.
#[derive(Default)]
struct ReadRows {
    demand: Vec<(usize, i64, u64)>,
    seconds: Vec<(usize, SlotSecond)>,
    hot: BTreeMap<(usize, u8), SlotRows>,
    minutes: Vec<(usize, i64, Hot)>,
    accesses: Vec<CacheAccess>,
    store: Vec<(usize, u8, u64, u32, u32)>,
    rest: Vec<u8>,
}

/// The hot keys of a slot while its rows are read.
#[derive(Default)]
struct SlotRows {
    counters: Vec<(Counter, bool)>,
    names: BTreeMap<u64, String>,
    floor: u64,
    total: u64,
    minute: i64,
}

impl SlotRows {
    fn counter(&mut self, counter: Counter, name: Option<String>) {
        self.counters.push((counter, name.is_some()));
        self.names.extend(name.map(|name| (counter.hash, name)));
    }

    fn hot_keys(self) -> HotKeys {
        let SlotRows {
            counters,
            names,
            floor,
            total,
            minute,
        } = self;
        HotKeys::restore(&counters, floor, total, names, minute)
    }
}

impl ReadRows {
    fn take(&mut self, input: &PartInput, row: PartRow) -> Result<(), ReplayError> {
        let PartRow {
            owner,
            time,
            slot,
            key,
            a,
            b,
            c,
            text,
            ..
        } = row;
        let small = |number: u64| u32::try_from(number).map_err(|error| broken(input, error));
        match row.section {
            Section::Demand => self.demand.push((owner, time, a)),
            Section::Second => {
                let second = SlotSecond {
                    second: time,
                    slot,
                    halves: [small(a)?, small(b)?],
                };
                self.seconds.push((owner, second));
            }
            Section::Hot => {
                let slot = self.hot.entry((owner, slot)).or_default();
                (slot.floor, slot.total, slot.minute) = (a, b, time);
            }
            Section::Counter => {
                let slot = self.hot.entry((owner, slot)).or_default();
                slot.counter(Counter::of(key, a, b, time, c), text);
            }
            Section::Minute => {
                let hot = Hot {
                    hash: key,
                    halves: a,
                    name: text,
                };
                self.minutes.push((owner, time, hot));
            }
            Section::Access => self.accesses.push(CacheAccess {
                time: Time(time),
                place: c,
                hash: key,
                second: small(a)?,
                what: small(b)?,
            }),
            Section::Store => self.store.push((owner, slot, key, small(a)?, small(b)?)),
            Section::Rest => self.rest.extend(row.data.unwrap_or_default()),
        }
        Ok(())
    }

    /// Moves the rows into a tally.
    fn into_tally(
        self,
        input: &PartInput,
        owners: &Owners,
        tally: &mut Tally,
    ) -> Result<(), ReplayError> {
        let unknown = || broken(input, "a row with an unknown owner");
        let account = |owner: usize| owners.accounts.get(owner).copied().ok_or_else(unknown);
        for (owner, second, halves) in self.demand {
            tally.demand(account(owner)?, second, halves);
        }
        let keys = &mut tally.keys;
        for (owner, second) in self.seconds {
            let place = owners.places.get(owner).copied().ok_or_else(unknown)?;
            keys.seconds.entry(place).or_default().extend([second]);
        }
        for ((owner, slot), rows) in self.hot {
            *keys.hot.entry(account(owner)?).or_default().slot(slot) = rows.hot_keys();
        }
        for (owner, minute, hot) in self.minutes {
            let minutes = keys.minutes.entry(account(owner)?).or_default();
            minutes.entry(minute).or_default().0.push(hot);
        }
        keys.accesses.entries = self.accesses;
        Ok(())
    }
}

/// Reads a part or a checkpoint.
///
/// # Errors
/// [`ReplayError::Part`] if the file is neither, or has another version.
pub fn read(
    input: &PartInput,
    workload: Option<&Workload>,
    options: &ReplayOptions,
) -> Result<Loaded, ReplayError> {
    let mut rows = ReadRows::default();
    read_rows(input, |row| rows.take(input, row))?;
    let rest: Rest = postcard::from_bytes(&rows.rest).map_err(|_| {
        let own = env!("CARGO_PKG_VERSION");
        let text = format!("was written by another version; this is version {own}");
        wrong(input, text).with_help(ONE_VERSION)
    })?;
    rest.header.check(input, workload, options)?;
    let mut executor = Executor::new(workload, "", options, Caches::default());
    let engine = &mut executor.engine;
    let defined = engine.tables.define_again(&rest.definitions);
    defined.map_err(|error| broken(input, error))?;
    engine.regions = rest.regions;
    let tables = engine.tables.list.len();
    let mut accounts = rest.owners.accounts.iter().map(|account| account.table);
    let mut places = rest.owners.places.iter().map(|(table, _)| *table);
    if accounts.any(|table| table >= tables) || places.any(|table| table >= tables) {
        return Err(broken(
            input,
            "it refers to a table that it does not define",
        ));
    }
    let store = std::mem::take(&mut rows.store);
    engine.tally.totals = rest.totals;
    for at in &engine.tally.totals.with_items {
        if let Some(state) = engine.tables.list.get_mut(*at) {
            state.has_items = true;
        }
    }
    rows.into_tally(input, &rest.owners, &mut engine.tally)?;
    engine.tally.keys.accesses.power = rest.power.min(63);
    engine.tally.keys.accesses.asked = rest.accesses;
    let mut names = NameTable::default();
    let callers: BTreeMap<Name, Name> = rest
        .callers
        .iter()
        .map(|(caller, name)| (*caller, names.number(name)))
        .collect();
    let totals = &mut engine.tally.totals;
    totals.renumber_callers(|caller| callers.get(&caller).copied().unwrap_or(caller));
    engine.caches = Caches {
        tables: rest.caches,
        sizes: options.dax_sizes.clone(),
        ttl_seconds: options.dax_ttl_seconds,
        overwrite: options.dax_overwrite,
    };
    for (at, items) in rest.items {
        let Some(state) = engine.tables.list.get_mut(at) else {
            continue;
        };
        state.has_items |= !items.is_empty();
        let table = state.design.table.clone();
        for item in items {
            let key = Stored::key(&table, &item).map_err(|error| broken(input, error))?;
            state.stored.put(&table, key, Some(item));
        }
    }
    executor.pending.tokens = rest.tokens;
    executor.pending.waiting = rest.waiting;
    let part = ReplayPart {
        covers: rest.header.covers.clone(),
        executed: rest.header.executed,
        read: rest.header.read.clone(),
        names,
        executor,
        heat: rest.heat.into_iter().collect::<Heats>(),
    };
    Ok(Loaded {
        header: rest.header,
        part,
        store,
    })
}

const ONE_VERSION: &str = "create the parts again with one version";

impl Header {
    /// The shares that it covers, in words.
    pub fn shares(&self) -> String {
        let shares: Vec<String> = self.covers.iter().map(KeyShare::to_string).collect();
        shares.join(", ")
    }

    /// The part is of this version, and of a run with the same settings.
    fn check(
        &self,
        input: &PartInput,
        workload: Option<&Workload>,
        options: &ReplayOptions,
    ) -> Result<(), ReplayError> {
        let own = env!("CARGO_PKG_VERSION");
        if (self.format, self.version.as_str()) != (FORMAT, own) {
            let text = format!(
                "was written by version {}; this is version {own}",
                self.version
            );
            return Err(wrong(input, text).with_help(ONE_VERSION));
        }
        let now = settings(workload, options);
        if self.settings != now {
            let text = format!(
                "was made with other settings\n  then: {}\n  now: {now}",
                self.settings
            );
            let help = "give the same --workload, --region, --verify and --dax… options as then";
            return Err(wrong(input, text).with_help(help));
        }
        Ok(())
    }
}
