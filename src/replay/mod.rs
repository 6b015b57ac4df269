//! The second driver: a real trace through the same meter, capacity and prices.
//!
//! ```text
//! trace ──reader──► events ──[DAX]──► operations ──► meter ─┬─► totals of each kind of call ──► workload of measured calls ─┐
//!                   items seen so far give the size before  └─► half units second by second ──► ledger, every mode ───────┴─► estimate's bill
//! ```
//!
//! Everything after the totals is the code of the [estimate](crate::estimate): the trace takes the place of the access
//! patterns, and what the workload declares beside its traffic (storage, backups, streams, nodes) stays as declared.
//!
//! `Assumption:` a month has the trace's calls as often as it is longer than the trace.

mod changes;
mod consumption;
mod database;
mod dax;
mod executor;
mod expression;
mod heat;
mod measured;
mod modes;
mod partiql;
mod requests;
mod rows;
mod sizes;
mod tables;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

pub use consumption::{LaneKey, Span};
pub use dax::Caught;
pub use heat::Partitions;
pub use modes::{AccountRun, ModeResult};
pub use sizes::From;
pub(crate) use sizes::drawn as key_class;
pub use verify::{Difference, Verification};

use crate::capacity::Simulations;
use crate::capacity::series::account_name;
use crate::compare::Question;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{Books, Unknown};
use crate::table::KeySchema;
use crate::time::{Date, MonthHours};
use crate::trace::{Api, Kind, Reason, Time, Trace, TraceError};
use crate::units::Exact;
use crate::usage::{Subject, Throughput, UsageType};
use crate::workload::{Workload, export_items};

use dax::Caches;
use executor::Executor;

/// Why there is no replay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The trace cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The result cannot be priced.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The trace holds nothing that could be priced.
    #[error("{0}")]
    Empty(String),
    /// Somebody asked for the end.
    #[error("stopped by Ctrl-C; no output was written")]
    Stopped,
}

/// What a replay is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The region of tables that no workload declares; the first that the trace names where `None`.
    pub region: Option<String>,
    /// The date of the prices of such tables.
    pub prices: Option<Date>,
    /// The month of such tables.
    pub month: MonthHours,
    /// Whether AWS's answers in the trace are compared with the meter's.
    pub verify: bool,
    /// The first moment that counts for the length of the trace; the minute of its first event where `None`.
    pub from: Option<Time>,
    /// The moment at which it ends.
    pub to: Option<Time>,
    /// Sizes of DAX caches in bytes; those of the node types where there are none.
    pub dax_sizes: Vec<u64>,
    /// Seconds that DAX keeps an item, where not the design's or DAX's own.
    pub dax_ttl_seconds: Option<u64>,
    /// How many hot keys are shown.
    pub hot_keys: usize,
    /// What capacity may throttle.
    pub question: Question,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            region: None,
            prices: None,
            month: MonthHours::standard(),
            verify: false,
            from: None,
            to: None,
            dax_sizes: Vec::new(),
            dax_ttl_seconds: None,
            hot_keys: 10,
            question: Question::default(),
        }
    }
}

/// What a trace came to.
pub struct Replayed {
    /// What was read.
    pub trace: Summary,
    /// Units of each table and index in each region.
    pub consumed: Vec<Consumed>,
    /// The busiest second and minute of each account.
    pub peaks: Vec<Peak>,
    /// The design in every capacity mode.
    pub capacity: Vec<ModeResult>,
    /// The keys that consumed most.
    pub hot_keys: Vec<HotKey>,
    /// Partitions of each table in each region.
    pub partitions: Vec<PartitionHeat>,
    /// What DAX would have caught.
    pub dax: Vec<DaxResult>,
    /// Where sizes came from.
    pub sizes: Sizes,
    /// AWS's answers beside the meter's.
    pub verification: Option<Verification>,
    /// The bill of a month, as the design is.
    pub outcome: Outcome,
    /// What is taken for granted, beside the assumptions of the bill.
    pub assumptions: Vec<String>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The files.
    pub files: Vec<String>,
    /// Their formats.
    pub kinds: Vec<&'static str>,
    /// Events that were executed.
    pub events: u64,
    /// The first moment.
    pub first: Time,
    /// The last.
    pub last: Time,
    /// The time that it is taken to cover.
    pub span: Span,
    /// Rows that were skipped, by reason.
    pub skipped: BTreeMap<Reason, u64>,
    /// The first of these.
    pub first_skipped: Vec<String>,
    /// Calls that cost nothing, because AWS throttled or refused them.
    pub refused: u64,
    /// Throttled requests that metrics count.
    pub throttled: u64,
    /// What a reader should know of the formats.
    pub notes: Vec<String>,
}

/// Units of a table or an index in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// The table.
    pub table: String,
    /// The index; `None` for the table itself.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Read units.
    pub read: Exact,
    /// Write units; of the base table of a global table, replicated ones.
    pub write: Exact,
    /// Whether its write units are replicated ones.
    pub replicated: bool,
    /// The same by operation: its name, calls, read units, write units.
    pub operations: Vec<(String, u64, Exact, Exact)>,
}

/// The busiest second and minute of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peak {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub reads: bool,
    /// Units a second on average over the trace.
    pub mean: Exact,
    /// When the busiest second was, and its units.
    pub second: (Time, Exact),
    /// When the busiest minute was, and its units a second.
    pub minute: (Time, Exact),
}

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
    pub reads: bool,
    /// The key, as far as it is kept.
    pub key: String,
    /// Its units.
    pub units: Exact,
    /// Its share of the account's units.
    pub share: Exact,
    /// How many keys the account has.
    pub keys: u64,
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
    /// The keys that were refused most, with their units.
    pub keys: Vec<(String, Exact)>,
}

/// What a cache of one size would have caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaxResult {
    /// The table.
    pub table: String,
    /// What was caught.
    pub caught: Caught,
}

/// Where sizes came from, and how far the drawn ones can move the bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows by direction and source.
    pub rows: Vec<(bool, From, u64)>,
    /// Units of drawn rows, as drawn, at the smallest and at the largest size of a hundred, by table and direction.
    pub drawn: Vec<Drawn>,
    /// Rows whose number of items came from an access pattern.
    pub counts_assumed: u64,
    /// Writes of which it was assumed whether they found an item.
    pub presence_assumed: u64,
    /// Writes of which the row did not say what they change.
    pub changes_assumed: u64,
}

/// How far drawn sizes can move the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The table.
    pub table: String,
    /// Reads or writes.
    pub reads: bool,
    /// Units as drawn.
    pub units: Exact,
    /// Units if each had been as small as the smallest in a hundred.
    pub low: Exact,
    /// Units if each had been as large as the largest in a hundred.
    pub high: Exact,
    /// What a month would cost less, at on-demand prices.
    pub less: Option<Money>,
    /// What it would cost more.
    pub more: Option<Money>,
}

/// The longest time that a trace may cover: three years, since every minute of it is executed.
const SPAN_SECONDS_MAX: u64 = 3 * 366 * 86_400;

/// Executes a trace.
///
/// `tick` is called between batches; where it says `false`, the run ends.
///
/// # Errors
/// [`ReplayError`] where the trace cannot be read, or its result not priced.
pub fn replay(
    mut trace: Trace,
    workload: Option<&Workload>,
    books: &Books,
    options: &Options,
    mut tick: impl FnMut(&Trace) -> bool,
) -> Result<Replayed, ReplayError> {
    let caches = Caches::new(options.dax_sizes.clone(), options.dax_ttl_seconds);
    let region = workload.map(|workload| workload.region.clone()).or_else(|| options.region.clone());
    let mut executor = Executor::new(workload, region.as_deref().unwrap_or(""), options.verify, caches);
    start(&trace, &mut executor)?;
    loop {
        if !tick(&trace) {
            return Err(ReplayError::Stopped);
        }
        let events = trace.events()?;
        if events.is_empty() {
            break;
        }
        for event in events {
            executor.event(event, &trace.names, &mut trace.bad)?;
        }
    }
    executor.finish();
    if region.is_none() {
        // Tables that no workload declares stand in the region that the trace names, where a book has it.
        let named = executor.other_regions.iter().filter(|(name, _)| books.regions().any(|region| region == name.as_str()));
        let most = named.max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0))).map(|(name, _)| name.clone());
        executor.regions[0] = most.unwrap_or_else(|| "us-east-1".to_string());
    }
    finish(trace, executor, workload, books, options)
}

/// Takes full exports into the starting state.
fn start(trace: &Trace, executor: &mut Executor) -> Result<(), ReplayError> {
    for state in &trace.states {
        let shown = state.folder.display().to_string();
        let wrong = |message: String| ReplayError::Trace(TraceError::file(&shown, message));
        let table = match &state.table {
            Some(name) => executor.tables.find(name),
            None => executor.tables.only(),
        };
        let Some(table) = table else {
            let name = state.table.clone().unwrap_or_else(|| "a table without a name".to_string());
            let help = "an export does not hold the keys of its table: give a workload that declares it";
            return Err(ReplayError::Trace(
                TraceError::file(&shown, format!("is a full export of {name}, which no workload declares")).help(help),
            ));
        };
        let take =
            &mut |file: &str, line, item| executor.start_with(table, item).map_err(|(_, message)| format!("{file}:{line}: {message}"));
        export_items(&state.folder, take).map_err(wrong)?;
    }
    Ok(())
}

fn finish(
    trace: Trace,
    mut executor: Executor,
    workload: Option<&Workload>,
    books: &Books,
    options: &Options,
) -> Result<Replayed, ReplayError> {
    let Some((first, last)) = executor.span else {
        let skipped = match trace.bad.count() {
            0 => String::new(),
            count => format!("; {count} rows were skipped, the first: {}", trace.bad.first.first().map_or("", String::as_str)),
        };
        let files: Vec<String> = trace.files().chain(trace.states.iter().map(|state| state.folder.display().to_string())).collect();
        let notes: Vec<&str> = trace.notes().collect();
        let notes = if notes.is_empty() { String::new() } else { format!("\n{}", notes.join("\n")) };
        return Err(ReplayError::Empty(format!(
            "{}: no event of a table in the trace{skipped}{notes}\nhelp: a trace holds calls of tables; a full export is a starting state beside one",
            files.join(", ")
        )));
    };
    let month = workload.map_or_else(|| options.month.clone(), |workload| workload.month.clone());
    // An incremental export says which time it covers; other files in the trace may reach beyond it.
    let window = trace.window.filter(|(from, to)| *from <= first && last < *to);
    let (from, to) = (options.from.or(window.map(|(from, _)| from)), options.to.or(window.map(|(_, to)| to)));
    let span = Span::new(first, last, from, to, &month.seconds());
    if span.seconds() > SPAN_SECONDS_MAX {
        let text = format!(
            "the trace runs from {first} to {last}, more than three years\nhelp: is a time wrong, or its unit? --time-unit says it, --skip-bad-rows does not mend it"
        );
        return Err(ReplayError::Empty(text));
    }
    if span.from > first.second() || span.to <= last.second() {
        let text = format!(
            "the trace runs from {first} to {last}, which --from and --to leave out; they say how long it is, and must hold all of it"
        );
        return Err(ReplayError::Empty(text));
    }
    let measured = measured::workload(&executor, workload, &trace.names, &span, options);
    let (from_minute, to_minute) = (span.from.div_euclid(60), (span.to + 59).div_euclid(60));
    let name_of = |executor: &Executor, lane: &LaneKey| {
        let design = &executor.tables.list[lane.table].design.table;
        let index = lane.index.map(|at| design.indexes[at].name.as_str());
        account_name(&design.name, index, &executor.regions[lane.region], lane.reads)
    };
    let series: BTreeMap<String, _> = executor
        .consumption
        .lanes
        .iter()
        .map(|(lane, demand)| (name_of(&executor, lane), std::sync::Arc::new(demand.series(from_minute, to_minute))))
        .collect();
    let simulations = || Simulations::traced(if series.is_empty() { measured::idle(&span) } else { series.clone() });
    let metering = Metering::with(simulations(), &measured, books)?;
    let mut outcome = metering.outcome(&measured, books)?;
    outcome.bill.unknown.extend(uncounted(&executor, &measured, &metering));
    let capacity = modes::of(&mut executor, &metering, &measured, &outcome, books, options, &series, &span)?;
    let sizes = sizes(&executor, &metering, &span)?;
    let guessed = trace.kinds().any(|kind| matches!(kind, Kind::Streams | Kind::IncrementalExport));
    let assumptions = assumptions(&executor, workload, &span, &measured, guessed);
    let absent = absent(&executor, &trace.names);
    if !absent.is_empty() {
        outcome
            .warnings
            .push(format!("access patterns of the workload that the trace does not hold are not in the bill: {}", absent.join(", ")));
    }
    if span.seconds() < 3_600 && span.factor != Exact::one() {
        let (seconds, factor) = (Exact::from(span.seconds()), span.factor.human(1));
        outcome.warnings.push(format!("the trace covers {seconds} s, so every figure of the month is {factor} times what was seen; a day or more makes a forecast, --from and --to say what the trace covers"));
    }
    let hot_keys = hot_keys(&mut executor, options.hot_keys);
    Ok(Replayed {
        consumed: measured::consumed(&executor),
        peaks: peaks(&executor, &span),
        capacity,
        hot_keys,
        partitions: partitions(&executor, options.hot_keys),
        dax: dax_results(&executor),
        sizes,
        verification: executor.verification.take(),
        outcome,
        assumptions,
        trace: Summary {
            files: trace.files().chain(trace.states.iter().map(|state| state.folder.display().to_string())).collect(),
            kinds: trace.kinds().map(crate::trace::Kind::name).chain((!trace.states.is_empty()).then_some("export")).collect(),
            events: executor.events,
            first,
            last,
            span,
            skipped: trace.bad.skipped.clone(),
            first_skipped: trace.bad.first.clone(),
            refused: executor.refused,
            throttled: executor.throttled,
            notes: trace.notes().map(str::to_string).collect(),
        },
    })
}

/// What units that AWS counted do not tell: the bytes and the changes behind them.
fn uncounted(executor: &Executor, measured: &Workload, metering: &Metering) -> Vec<Unknown> {
    let mut all = Vec::new();
    for table in &executor.counted_writes {
        let design = &executor.tables.list[*table].design;
        let mut push = |what: String, code: String| {
            let region = measured.region.clone();
            let rate = metering.book(&region).and_then(|book| book.list_price(&code)).map(|published| (*published).clone());
            let subject = Subject { table: design.table.name.clone(), index: None, region, access: None };
            let why = "the trace gives the units of writes, not their bytes; a request log, a stream or columns with sizes do".to_string();
            all.push(Unknown { subject, what, why, rate });
        };
        if design.stream.as_ref().is_some_and(|stream| stream.kinesis) {
            push("the change data capture units of the trace's writes".to_string(), "kinesis_change_data_capture_unit".to_string());
        }
        for replica in design.replicas.iter().filter(|replica| !replica.witness) {
            let code = UsageType::transfer_to(&replica.region).code().to_string();
            push(format!("the transfer of the trace's writes to {}", replica.region), code);
        }
        if design.archive.as_ref().is_some_and(|archive| archive.incremental) {
            push("what the trace's writes add to incremental exports".to_string(), "export_s3_incremental".to_string());
        }
    }
    all
}

/// Access patterns of the workload that the trace does not hold, so that the bill does not either.
fn absent(executor: &Executor, names: &crate::trace::Names) -> Vec<String> {
    let mut absent = Vec::new();
    for (at, state) in executor.tables.list.iter().enumerate().filter(|(_, state)| state.declared) {
        let kinds = || executor.consumption.kinds.keys().filter(|kind| kind.table == at);
        for access in &state.design.access {
            let index = match &access.call {
                crate::workload::Call::Page { index, .. } => *index,
                _ => None,
            };
            let named = kinds().any(|kind| kind.caller.is_some_and(|caller| names.text(caller) == access.name));
            let alike = kinds().any(|kind| {
                kind.caller.is_none() && (api_name(kind.api, kind.reads) == access.operation || kind.api.is_none()) && kind.index == index
            });
            if !named && !alike {
                absent.push(format!("{}: \"{}\"", state.design.table.name, access.name));
            }
        }
    }
    absent
}

fn place(executor: &Executor, table: usize, index: Option<usize>, region: usize) -> (String, Option<String>, String) {
    let design = &executor.tables.list[table].design.table;
    (design.name.clone(), index.map(|at| design.indexes[at].name.clone()), executor.regions[region].clone())
}

fn peaks(executor: &Executor, span: &Span) -> Vec<Peak> {
    let peak = |(lane, demand): (&LaneKey, &consumption::Lane)| {
        let (table, index, region) = place(executor, lane.table, lane.index, lane.region);
        let (second, halves) = demand.busiest_second()?;
        let (minute, minute_halves) = demand.busiest_minute()?;
        Some(Peak {
            table,
            index,
            region,
            reads: lane.reads,
            mean: Exact::whole(demand.sum()) / Exact::from(2 * span.seconds()),
            second: (second, Exact::ratio(halves, 2)),
            minute: (minute, Exact::ratio(minute_halves, 120)),
        })
    };
    executor.consumption.lanes.iter().filter_map(peak).collect()
}

fn hot_keys(executor: &mut Executor, count: usize) -> Vec<HotKey> {
    let mut all = Vec::new();
    for lane in executor.heat.keys().copied().collect::<Vec<_>>() {
        let (table, index, region) = place(executor, lane.table, lane.index, lane.region);
        let Some(heat) = executor.heat.get_mut(&lane) else { continue };
        let (total, keys) = (Exact::whole(heat.total().max(1)), heat.keys() as u64);
        for (key, halves) in heat.hottest(count) {
            all.push(HotKey {
                table: table.clone(),
                index: index.clone(),
                region: region.clone(),
                reads: lane.reads,
                key,
                units: Exact::ratio(halves, 2),
                share: Exact::from(halves) / total.clone(),
                keys,
            });
        }
    }
    all
}

fn partitions(executor: &Executor, count: usize) -> Vec<PartitionHeat> {
    let heat = |((table, index, region), partitions): (&(usize, Option<usize>, usize), &Partitions)| {
        let (table, _, region) = place(executor, *table, *index, *region);
        let units = |halves: u128| Exact::whole(halves) / Exact::from(2);
        PartitionHeat {
            table,
            region,
            first: partitions.first as u64,
            last: partitions.count() as u64,
            refused_reads: units(partitions.refused[0]),
            refused_writes: units(partitions.refused[1]),
            refused_seconds: partitions.refused_seconds,
            first_refusal: partitions.first_refusal,
            keys: partitions.hottest(count).into_iter().map(|(key, halves)| (key, Exact::ratio(halves, 2))).collect(),
        }
    };
    executor.partitions.iter().map(heat).collect()
}

fn dax_results(executor: &Executor) -> Vec<DaxResult> {
    let ttl = |table: usize| executor.tables.list[table].design.dax.as_ref().map(|dax| dax.ttl_seconds);
    let result = |caught: Caught| DaxResult { table: executor.tables.list[caught.table].design.table.name.clone(), caught };
    executor.caches.caught(ttl).into_iter().map(result).collect()
}

fn sizes(executor: &Executor, metering: &Metering, span: &Span) -> Result<Sizes, ReplayError> {
    let provenance = &executor.provenance;
    let mut drawn = Vec::new();
    for ((table, reads), [as_drawn, low, high]) in &provenance.drawn {
        let design = &executor.tables.list[*table].design;
        let throughput = match (reads, design.is_global()) {
            (true, _) => Throughput::Read,
            (false, true) => Throughput::ReplicatedWrite,
            (false, false) => Throughput::Write,
        };
        let usage_type = UsageType::request_units(throughput, design.table.class);
        let price = metering.book(&executor.regions[0]).and_then(|book| book.list_price(usage_type.code())).map(|published| published.rate);
        let units = |halves: u128| Exact::whole(halves) / Exact::from(2);
        let (as_drawn, low, high) = (units(*as_drawn), units(*low), units(*high));
        let month = |units: &Exact| (units * &span.factor).ceil();
        let charge = |more: Exact| price.as_ref().and_then(|rate| rate.charge(&more, 0).ok()).map(|charge| charge.amount);
        let positive = |difference: Exact| if difference.is_negative() { Exact::zero() } else { difference };
        drawn.push(Drawn {
            table: design.table.name.clone(),
            reads: *reads,
            less: charge(month(&positive(&as_drawn - &low))),
            more: charge(month(&positive(&high - &as_drawn))),
            units: as_drawn,
            low,
            high,
        });
    }
    Ok(Sizes {
        rows: provenance.rows.iter().map(|((reads, from), count)| (*reads, *from, *count)).collect(),
        drawn,
        counts_assumed: provenance.counts_assumed,
        presence_assumed: provenance.presence_assumed,
        changes_assumed: provenance.changes_assumed,
    })
}

fn assumptions(executor: &Executor, workload: Option<&Workload>, span: &Span, measured: &Workload, guessed: bool) -> Vec<String> {
    let month = measured.month.seconds();
    let mut list = Vec::new();
    if span.factor != Exact::one() {
        list.push(format!(
            "the trace covers {} s, a month has {month}: everything that the trace consumes is taken {} times",
            Exact::from(span.seconds()),
            span.factor.human(6)
        ));
    }
    list.push(
        "before the trace its last day, or all of a shorter one, is executed once more, so that bursts and auto scaling do not start cold"
            .to_string(),
    );
    if workload.is_none() {
        let names: Vec<&str> = measured.tables.iter().map(|table| table.table.name.as_str()).collect();
        list.push(format!(
            "no workload declares {}: its tables are taken as the trace shows them, in {}, with what the trace leaves in them as their storage{}",
            names.join(", "),
            measured.region,
            if guessed { "; of a key only the names are known, and the first by the alphabet is taken for the partition key" } else { "" }
        ));
    }
    let others: BTreeSet<&String> = executor.other_regions.keys().filter(|region| **region != executor.regions[0]).collect();
    if !others.is_empty() {
        let names: Vec<&str> = others.into_iter().map(String::as_str).collect();
        list.push(format!(
            "events of {} are priced in {}; a workload with replicas, or one replay for each region, tells them apart",
            names.join(", "),
            executor.regions[0]
        ));
    }
    if executor.provenance.changes_assumed > 0 {
        list.push(format!(
            "{} writes do not say which attributes they change; the access pattern says, else every attribute that is no index key is taken to change",
            Exact::from(executor.provenance.changes_assumed)
        ));
    }
    if executor.provenance.presence_assumed > 0 {
        list.push(format!(
            "of {} writes nobody knows whether they found an item: as often as the access pattern says, else updates and deletes do and puts do not",
            Exact::from(executor.provenance.presence_assumed)
        ));
    }
    if executor.provenance.counts_assumed > 0 {
        list.push(format!(
            "{} reads do not say how many items they evaluated: as many as the access pattern says",
            Exact::from(executor.provenance.counts_assumed)
        ));
    }
    list.push("fixed and scheduled capacity is sized without bursts, which AWS gives as far as it can; a design that has it is executed with them".to_string());
    if executor.provenance.consistency_assumed > 0 {
        list.push(format!(
            "{} reads do not say how consistent they are: as strong as their access pattern",
            Exact::from(executor.provenance.consistency_assumed)
        ));
    }
    if executor.provenance.actions_assumed > 0 {
        list.push(format!(
            "{} members of batches and transactions do not say what they do, and are taken for puts; a column action says it",
            Exact::from(executor.provenance.actions_assumed)
        ));
    }
    if executor.provenance.scans > 0 {
        list.push("a Scan reads items in the order of their keys, and its segments by a hash of ours; DynamoDB's order is its own, so pages may hold others: evaluated_keys names them".to_string());
    }
    if span.seconds() as i64 > consumption::SECONDS_MINUTES_MAX * 60 {
        list.push("a trace of more than 31 days is executed minute by minute: throttles within a minute are not seen".to_string());
    }
    for table in &executor.copies_assumed {
        let name = &executor.tables.list[*table].design.table.name;
        list.push(format!(
            "{name}: the trace counts the units of the home region alone; each copy is taken to have written as many (rule 4.1)"
        ));
    }
    if executor.tables.list.iter().any(|state| !state.design.table.indexes.is_empty()) {
        list.push(
            "keys of a global index are shown as the keys of their items, and the partitions of indexes are not followed".to_string(),
        );
    }
    list.push("a new on-demand table has four partitions, and a partition that refuses something in ten seconds of an hour splits where its heat halves, unless that is one key's".to_string());
    if !executor.caches.is_empty() {
        list.push("DAX: an entry takes its item's bytes; overwriting an item refreshes its place; Query, Scan and strongly consistent reads are not cached".to_string());
    }
    list
}

/// The keys of a workload's tables, for readers that need them.
pub fn keys(workload: &Workload) -> BTreeMap<String, KeySchema> {
    workload.tables.iter().map(|table| (table.table.name.clone(), table.table.keys.clone())).collect()
}

/// The name of an API call, of units that nobody splits by operation a word for them.
fn api_name(api: Option<Api>, reads: bool) -> &'static str {
    match (api, reads) {
        (Some(api), _) => api.name(),
        (None, true) => "reads",
        (None, false) => "writes",
    }
}
