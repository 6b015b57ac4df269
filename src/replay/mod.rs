//! The second driver: a real trace through the same meter, capacity and prices.
//!
//! ```text
//! trace ──reader──► events ──[DAX]──► operations ──► meter ─┬─► totals of each kind of call ──► workload of measured calls ─┐
//!                   items seen so far give the size before  └─► half units second by second ──► ledger, every mode ───────┴─► estimate's bill
//! ```
//!
//! Everything after the totals is the code of the [estimate](crate::estimate): the trace takes the
//! place of the access patterns, and what the workload declares beside its traffic (storage,
//! backups, streams, nodes) stays as declared.
//!
//! `Assumption:` a month has the trace's calls as often as it is longer than the trace.

mod cached;
mod changes;
mod consumption;
mod curve;
mod database;
mod dax;
mod executor;
mod expression;
mod heat;
mod lru;
mod measured;
mod modes;
mod part;
mod partiql;
mod partitions;
mod plain;
mod quick;
mod requests;
mod rows;
mod run;
mod seal;
mod sizes;
mod store;
mod tables;
mod tally;
mod verify;

use crate::meter::Switches;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use cached::{Cluster, DaxResult};
pub use consumption::{DemandKey, TraceSpan};
pub use curve::{AccessCounts, AccessLog, CacheAccess, CachePoint};
pub use dax::Which;
pub use lru::{Cache, Overwrite};
pub use modes::{AccountRun, ModeResult};
pub use quick::each_second;
pub use sizes::SizeSource;
#[cfg(feature = "tables")]
pub(crate) use sizes::drawn as key_class;
pub use tally::KeyShare;
pub use verify::{SizeDifference, Verification, Verify, VerifyDifference};

use crate::capacity::Simulations;
use crate::capacity::series::account_name;
use crate::compare::Question;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{Books, Unknown};
use crate::table::{Direction, KeySchema};
use crate::time::{Date, MonthHours};
use crate::trace::{ApiName, NameTable, RowPlace, SkipReason, Time, Trace, TraceError};
use crate::units::Exact;
use crate::usage::{Subject, Throughput, UsageType};
use crate::workload::{Workload, export_items};

pub use partitions::{STRIP_ROWS, Strip};

use executor::Executor;
use partitions::Partitions;
use run::Heats;
pub use run::{ReplayPart, ReplayRun};
use tally::FIRST_SKIPPED;

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
    /// A part or a checkpoint that cannot be taken or written.
    #[error("{0}")]
    Part(String),
    /// Somebody asked for the end.
    #[error("stopped by Ctrl-C; no output was written")]
    Stopped,
}

/// What a replay is asked for.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The region of tables that no workload declares; the first that the trace names where
    /// `None`.
    pub region: Option<String>,
    /// The date of the prices of such tables.
    pub prices: Option<Date>,
    /// The month of such tables.
    pub month: MonthHours,
    /// Whether AWS's answers in the trace are compared with the meter's.
    pub verify: Verify,
    /// The readings of disputed rules where no workload has them.
    pub switches: Switches,
    /// The first moment that counts for the length of the trace; the minute of its first event
    /// where `None`.
    pub from: Option<Time>,
    /// The moment at which it ends.
    pub to: Option<Time>,
    /// Sizes of DAX caches in bytes; those of the node types where there are none.
    pub dax_sizes: Vec<u64>,
    /// Seconds that DAX keeps an item, where not the design's or DAX's own.
    pub dax_ttl_seconds: Option<u64>,
    /// Whether overwriting moves an item to the front of DAX's list.
    pub dax_overwrite: Overwrite,
    /// Threads that execute: one where 0. No figure depends on it.
    pub threads: usize,
    /// The share of the keys that is executed.
    pub share: KeyShare,
    /// Whether the result is a part, to be joined with those of other shares.
    pub partial: bool,
    /// How many hot keys are shown.
    pub hot_keys: usize,
    /// What capacity may throttle.
    pub question: Question,
}

impl Default for ReplayOptions {
    fn default() -> ReplayOptions {
        ReplayOptions {
            region: None,
            prices: None,
            month: MonthHours::standard(),
            verify: Verify::No,
            switches: Switches::default(),
            from: None,
            to: None,
            dax_sizes: Vec::new(),
            dax_ttl_seconds: None,
            dax_overwrite: Overwrite::default(),
            threads: 1,
            share: KeyShare::default(),
            partial: false,
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
    pub consumed: Vec<ConsumedUnits>,
    /// The busiest second and minute of each account.
    pub peaks: Vec<Peak>,
    /// Units of each account over time.
    pub over_time: Vec<OverTime>,
    /// Sizes of the items that the trace knows.
    pub item_sizes: Vec<ItemSizes>,
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
    pub kinds: Vec<String>,
    /// Events that were executed.
    pub events: u64,
    /// The first moment.
    pub first: Time,
    /// The last.
    pub last: Time,
    /// The time that it is taken to cover.
    pub span: TraceSpan,
    /// Rows that were skipped, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
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
pub struct ConsumedUnits {
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
    pub direction: Direction,
    /// Units a second on average over the trace.
    pub mean: Exact,
    /// Units that half of all seconds do not exceed, 95 and 99 in a hundred.
    pub percentiles: [Exact; 3],
    /// When the busiest second was, and its units.
    pub second: (Time, Exact),
    /// When the busiest minute was, and its units a second.
    pub minute: (Time, Exact),
}

/// Units of an account over time, in at most 128 columns of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverTime {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// When the first column begins.
    pub first: Time,
    /// Seconds of a column.
    pub column_seconds: u64,
    /// Units of each column.
    pub units: Vec<Exact>,
}

/// Sizes of the items of a table that the trace knows, as they are at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSizes {
    /// The table.
    pub table: String,
    /// How many items there are.
    pub items: u64,
    /// Bytes of one on average.
    pub mean: Exact,
    /// Bytes that half of them do not exceed, 95 and 99 in a hundred, and the largest.
    pub percentiles: [u64; 4],
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

/// Where sizes came from, and how far the drawn ones can move the bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows by direction and source.
    pub rows: Vec<(Direction, SizeSource, u64)>,
    /// Units of drawn rows, as drawn, at the smallest and at the largest size of a hundred, by
    /// table and direction.
    pub drawn: Vec<DrawnSizes>,
    /// Rows whose number of items came from an access pattern.
    pub counts_assumed: u64,
    /// Writes of which it was assumed whether they found an item.
    pub presence_assumed: u64,
    /// Writes of which the row did not say what they change.
    pub changes_assumed: u64,
}

/// How far drawn sizes can move the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnSizes {
    /// The table.
    pub table: String,
    /// Reads or writes.
    pub direction: Direction,
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

/// Bytes of memory that a replay takes for each distinct key at most.
pub const KEY_BYTES_MAX: u64 = 32;

/// Bytes that it takes beside: rows that are decoded, sketches, the log of DAX's accesses.
pub const CONSTANT_BYTES: u64 = 1 << 30;

/// The longest time that a trace may cover: three years, since every minute of it is executed.
const SPAN_SECONDS_MAX: u64 = 3 * 366 * 86_400;

/// Executes a trace.
///
/// `tick` is called between batches; where it says `false`, the run ends.
///
/// # Errors
/// [`ReplayError`] where the trace cannot be read, or its result not priced.
pub fn replay(
    trace: Trace,
    workload: Option<&Workload>,
    books: &Books,
    options: &ReplayOptions,
    mut tick: impl FnMut(&Trace) -> bool,
) -> Result<Replayed, ReplayError> {
    let mut run = ReplayRun::new(trace, workload, options)?;
    while run.batch()? {
        if !tick(run.trace()) {
            return Err(ReplayError::Stopped);
        }
    }
    price(run.finish(), workload, books, options)
}

/// Joins parts, and prices them as one replay over everything.
///
/// # Errors
/// [`ReplayError`] where a share is missing or there twice, or where parts are of different traces,
/// versions or settings.
pub fn merge(
    paths: &[PathBuf],
    workload: Option<&Workload>,
    books: &Books,
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    let mut parts = Vec::new();
    for path in paths {
        let loaded = part::read(path, workload, options)?;
        loaded.check(path, false)?;
        parts.push((path.clone(), loaded));
    }
    price(part::merge(parts)?, workload, books, options)
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
            // A log may define the table, with the keys that an export does not hold.
            executor.exports.push(state.clone());
            continue;
        };
        let take = &mut |file: &str, line, item| {
            executor
                .start_with(table, item)
                .map_err(|(_, message)| format!("{file}:{line}: {message}"))
        };
        export_items(&state.folder, take).map_err(wrong)?;
    }
    Ok(())
}

/// Prices what was executed.
///
/// # Errors
/// [`ReplayError`] where there is nothing to price, or a price is not known.
pub fn price(
    mut part: ReplayPart,
    workload: Option<&Workload>,
    books: &Books,
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    part.settle(i64::MAX);
    let ReplayPart {
        read,
        names,
        mut executor,
        heat,
    } = part;
    if let Some(state) = executor.exports.first() {
        let name = state
            .table
            .clone()
            .unwrap_or_else(|| "a table without a name".to_string());
        let help = "an export does not hold the keys of its table: give a workload that declares \
                    it, or a log that begins with its CreateTable";
        let message =
            format!("is a full export of {name}, which neither a workload nor the trace defines");
        return Err(ReplayError::Trace(
            TraceError::file(&state.folder.display().to_string(), message).help(help),
        ));
    }
    if workload.is_none() && options.region.is_none() {
        // Tables that no workload declares stand in the region that the trace names, where a book
        // has it.
        let named = executor
            .tally
            .other_regions
            .iter()
            .filter(|(name, _)| books.regions().any(|region| region == name.as_str()));
        let most = named
            .max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0)))
            .map(|(name, _)| name.clone());
        executor.regions[0] = most.unwrap_or_else(|| "us-east-1".to_string());
    }
    executor.copy_counted();
    let mut skipped: BTreeMap<SkipReason, u64> = read.skipped.iter().copied().collect();
    for (reason, count) in &executor.tally.skipped {
        *skipped.entry(*reason).or_default() += count;
    }
    let mut first_skipped: BTreeMap<RowPlace, &String> = read
        .first_skipped
        .iter()
        .map(|(place, text)| (*place, text))
        .collect();
    first_skipped.extend(
        executor
            .tally
            .first_skipped
            .iter()
            .map(|(place, text)| (*place, text)),
    );
    let first_skipped: Vec<String> = first_skipped
        .into_values()
        .take(FIRST_SKIPPED)
        .cloned()
        .collect();
    let Some((first, last)) = executor.tally.span else {
        let skipped = match skipped.values().sum::<u64>() {
            0 => String::new(),
            count => format!(
                "; {count} rows were skipped, the first: {}",
                first_skipped.first().map_or("", String::as_str)
            ),
        };
        let notes = if read.notes.is_empty() {
            String::new()
        } else {
            format!("\n{}", read.notes.join("\n"))
        };
        return Err(ReplayError::Empty(format!(
            "{}: no event of a table in the trace{skipped}{notes}\nhelp: a trace holds calls of \
             tables; a full export is a starting state beside one",
            read.files.join(", ")
        )));
    };
    let month = workload.map_or_else(|| options.month.clone(), |workload| workload.month.clone());
    // An incremental export says which time it covers; other files in the trace may reach beyond
    // it.
    let window = read
        .window
        .filter(|(from, to)| *from <= first && last < *to);
    let (from, to) = (
        options.from.or(window.map(|(from, _)| from)),
        options.to.or(window.map(|(_, to)| to)),
    );
    let span = TraceSpan::new(first, last, from, to, &month.seconds());
    if span.seconds() > SPAN_SECONDS_MAX {
        let text = format!(
            "the trace runs from {first} to {last}, more than three years\nhelp: is a time wrong, \
             or its unit? --time-unit says it, --skip-bad-rows does not mend it"
        );
        return Err(ReplayError::Empty(text));
    }
    if span.from > first.second() || span.to <= last.second() {
        let text = format!(
            "the trace runs from {first} to {last}, which --from and --to leave out; they say how \
             long it is, and must hold all of it"
        );
        return Err(ReplayError::Empty(text));
    }
    let measured = measured::workload(&executor, workload, &names, &span, options);
    let (from_minute, to_minute) = (span.from.div_euclid(60), (span.to + 59).div_euclid(60));
    let name_of = |executor: &Executor, lane: &DemandKey| {
        let design = &executor.tables.list[lane.table].design.table;
        let index = lane.index.map(|at| design.indexes[at].name.as_str());
        account_name(
            &design.name,
            index,
            &executor.regions[lane.region],
            lane.direction,
        )
    };
    let series: BTreeMap<String, _> = executor
        .tally
        .consumption
        .lanes
        .iter()
        .map(|(lane, demand)| {
            (
                name_of(&executor, lane),
                std::sync::Arc::new(demand.series(from_minute, to_minute)),
            )
        })
        .collect();
    let simulations = || {
        Simulations::traced(if series.is_empty() {
            measured::idle(&span)
        } else {
            series.clone()
        })
    };
    let metering = Metering::with(simulations(), &measured, books)?;
    let mut outcome = metering.outcome(books)?;
    outcome
        .bill
        .unknown
        .extend(uncounted(&executor, &measured, &metering));
    let capacity = modes::of(
        &mut executor,
        &metering,
        &measured,
        &outcome,
        books,
        options,
        &series,
        &span,
    )?;
    let sizes = sizes(&executor, &metering, &span)?;
    let assumptions = assumptions(&executor, workload, &span, &measured, read.guessed);
    let absent = absent(&executor, &names);
    if !absent.is_empty() {
        outcome.warnings.push(format!(
            "access patterns of the workload that the trace does not hold are not in the bill: {}",
            absent.join(", ")
        ));
    }
    if span.seconds() < 3_600 && span.factor != Exact::one() {
        let (seconds, factor) = (Exact::from(span.seconds()), span.factor.human(1));
        outcome.warnings.push(format!(
            "the trace covers {seconds} s, so every figure of the month is {factor} times what \
             was seen; a day or more makes a forecast, --from and --to say what the trace covers"
        ));
    }
    let hot_keys = hot_keys(&executor, options.hot_keys);
    Ok(Replayed {
        consumed: measured::consumed(&executor),
        peaks: peaks(&executor, &span),
        over_time: over_time(&executor, &span),
        item_sizes: item_sizes(&executor),
        capacity,
        hot_keys,
        partitions: partitions(&executor, &heat, options.hot_keys),
        dax: cached::results(&executor, &measured, &metering, &span),
        sizes,
        verification: executor.tally.verification.take(),
        outcome,
        assumptions,
        trace: Summary {
            files: read.files,
            kinds: read.kinds,
            events: executor.tally.events,
            first,
            last,
            span,
            skipped,
            first_skipped,
            refused: executor.tally.refused,
            throttled: executor.tally.throttled,
            notes: read
                .notes
                .into_iter()
                .chain(short_batches(executor.tally.short_batches))
                .collect(),
        },
    })
}

/// Batches that consumed less than their members cost.
fn short_batches(count: u64) -> Option<String> {
    let (verb, whose) = if count == 1 {
        ("batch consumed", "its")
    } else {
        ("batches consumed", "their")
    };
    let text = format!(
        "{} {verb} less than all {whose} members cost: what AWS left unprocessed costs nothing, \
         and is executed here all the same; give it as `unprocessed`, or AWS's answer as \
         `response`",
        Exact::from(count)
    );
    (count > 0).then_some(text)
}

/// What units that AWS counted do not tell: the bytes and the changes behind them.
fn uncounted(executor: &Executor, measured: &Workload, metering: &Metering) -> Vec<Unknown> {
    let mut all = Vec::new();
    for table in &executor.tally.counted_writes {
        let design = &executor.tables.list[*table].design;
        let mut push = |what: String, usage: UsageType| {
            let region = measured.region.clone();
            let rate = metering
                .book(&region)
                .and_then(|book| book.list_price(&usage))
                .map(|published| (*published).clone());
            let subject = Subject {
                table: design.table.name.clone(),
                index: None,
                region,
                access: None,
            };
            let why = "the trace gives the units of writes, not their bytes; a request log, a \
                       stream or columns with sizes do"
                .to_string();
            all.push(Unknown {
                subject,
                what,
                why,
                rate,
                quantity: None,
            });
        };
        if design.stream.as_ref().is_some_and(|stream| stream.kinesis) {
            push(
                "the change data capture units of the trace's writes".to_string(),
                UsageType::CHANGE_DATA_CAPTURE,
            );
        }
        for replica in design.replicas.iter().filter(|replica| !replica.witness) {
            push(
                format!("the transfer of the trace's writes to {}", replica.region),
                UsageType::TransferTo(replica.region.clone()),
            );
        }
        if design
            .archive
            .as_ref()
            .is_some_and(|archive| archive.incremental)
        {
            push(
                "what the trace's writes add to incremental exports".to_string(),
                UsageType::EXPORT_INCREMENTAL,
            );
        }
    }
    all
}

/// Access patterns of the workload that the trace does not hold, so that the bill does not either.
fn absent(executor: &Executor, names: &NameTable) -> Vec<String> {
    let mut absent = Vec::new();
    for (at, state) in executor
        .tables
        .list
        .iter()
        .enumerate()
        .filter(|(_, state)| state.declared)
    {
        let kinds = || {
            executor
                .tally
                .consumption
                .kinds
                .keys()
                .filter(|kind| kind.table == at)
        };
        for access in &state.design.access {
            let index = match &access.call {
                crate::workload::PatternCall::Page { index, .. } => *index,
                _ => None,
            };
            let named = kinds().any(|kind| {
                kind.caller
                    .is_some_and(|caller| names.text(caller) == access.name)
            });
            let alike = kinds().any(|kind| {
                kind.caller.is_none()
                    && (kind.api == access.operation || kind.api.is_none())
                    && kind.index == index
            });
            if !named && !alike {
                absent.push(format!("{}: \"{}\"", state.design.table.name, access.name));
            }
        }
    }
    absent
}

fn place(
    executor: &Executor,
    table: usize,
    index: Option<usize>,
    region: usize,
) -> (String, Option<String>, String) {
    let design = &executor.tables.list[table].design.table;
    (
        design.name.clone(),
        index.map(|at| design.indexes[at].name.clone()),
        executor.regions[region].clone(),
    )
}

fn peaks(executor: &Executor, span: &TraceSpan) -> Vec<Peak> {
    let peak = |(lane, demand): (&DemandKey, &consumption::DemandSeries)| {
        let (table, index, region) = place(executor, lane.table, lane.index, lane.region);
        let (second, halves) = demand.busiest_second()?;
        let (minute, minute_halves) = demand.busiest_minute()?;
        Some(Peak {
            table,
            index,
            region,
            direction: lane.direction,
            mean: Exact::whole(demand.sum()) / Exact::from(2 * span.seconds()),
            percentiles: demand
                .percentiles(span.seconds(), [50, 95, 99])
                .map(|halves| Exact::ratio(halves, 2)),
            second: (second, Exact::ratio(halves, 2)),
            minute: (minute, Exact::ratio(minute_halves, 120)),
        })
    };
    executor
        .tally
        .consumption
        .lanes
        .iter()
        .filter_map(peak)
        .collect()
}

/// Columns of the same length for all accounts: as short as 128 of them allow, of a length that
/// people read.
fn over_time(executor: &Executor, span: &TraceSpan) -> Vec<OverTime> {
    const LENGTHS: [u64; 15] = [
        1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
    ];
    let seconds = span.seconds();
    let fits = |length: &u64| seconds.div_ceil(*length) <= partitions::STRIP_COLUMNS as u64;
    let days = seconds
        .div_ceil(86_400)
        .div_ceil(partitions::STRIP_COLUMNS as u64);
    let length = LENGTHS.into_iter().find(fits).unwrap_or(days * 86_400);
    let of = |(lane, demand): (&DemandKey, &consumption::DemandSeries)| {
        let (table, index, region) = place(executor, lane.table, lane.index, lane.region);
        let mut halves = vec![0_u64; seconds.div_ceil(length).max(1) as usize];
        for (second, more) in demand.seconds() {
            // What lies outside of the trace's own time has no column.
            if let Some(column) = usize::try_from((second - span.from).div_euclid(length as i64))
                .ok()
                .and_then(|at| halves.get_mut(at))
            {
                *column += more;
            }
        }
        let units = halves
            .into_iter()
            .map(|halves| Exact::ratio(halves, 2))
            .collect();
        OverTime {
            table,
            index,
            region,
            direction: lane.direction,
            first: Time::from_second(span.from),
            column_seconds: length,
            units,
        }
    };
    executor.tally.consumption.lanes.iter().map(of).collect()
}

/// Sizes of the items that the trace knows, as they are at its end.
fn item_sizes(executor: &Executor) -> Vec<ItemSizes> {
    let of = |(table, held): (&usize, &tally::ItemCounts)| {
        let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
        for ((bytes, _), count) in held {
            *sizes.entry(bytes.0).or_default() += count;
        }
        let items = sizes.values().sum::<u64>();
        let at = |hundredth: u64| {
            let (rank, mut before) = ((items * hundredth).div_ceil(100), 0);
            let found = sizes.iter().find(|(_, count)| {
                before += **count;
                before >= rank
            });
            found.map(|(bytes, _)| *bytes)
        };
        let percentiles = [at(50)?, at(95)?, at(99)?, at(100)?];
        let bytes = sizes
            .iter()
            .map(|(bytes, count)| u128::from(*bytes) * u128::from(*count))
            .sum::<u128>();
        let mean = Exact::whole(bytes) / Exact::from(items);
        Some(ItemSizes {
            table: executor.tables.list[*table].design.table.name.clone(),
            items,
            mean,
            percentiles,
        })
    };
    executor.tally.held.iter().filter_map(of).collect()
}

fn hot_keys(executor: &Executor, count: usize) -> Vec<HotKey> {
    let mut all = Vec::new();
    for (lane, slots) in &executor.tally.heat {
        let (table, index, region) = place(executor, lane.table, lane.index, lane.region);
        let total = Exact::whole(
            slots
                .iter()
                .map(|heat| u128::from(heat.total))
                .sum::<u128>()
                .max(1),
        );
        let keys = slots.iter().map(|heat| heat.len() as u64).sum();
        let floor = slots.iter().map(|heat| heat.floor).max().unwrap_or(0);
        for (_, halves, error, key) in heat::hottest(slots.iter(), count) {
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

fn partitions(executor: &Executor, heat: &Heats, count: usize) -> Vec<PartitionHeat> {
    let of = |((table, region), (partitions, strip)): (&(usize, usize), &(Partitions, Strip))| {
        let slots = Direction::BOTH.map(|direction| {
            executor.tally.heat.get(&DemandKey {
                table: *table,
                index: None,
                region: *region,
                direction,
            })
        });
        let (name, _, region) = place(executor, *table, None, *region);
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
                for (hash, halves, _, name) in heat::hottest(std::iter::once(heat), count) {
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

fn sizes(executor: &Executor, metering: &Metering, span: &TraceSpan) -> Result<Sizes, ReplayError> {
    let provenance = &executor.tally.provenance;
    let mut drawn = Vec::new();
    for ((table, direction), [as_drawn, low, high]) in &provenance.drawn {
        let design = &executor.tables.list[*table].design;
        let throughput = match (direction, design.is_global()) {
            (Direction::Read, _) => Throughput::Read,
            (Direction::Write, true) => Throughput::ReplicatedWrite,
            (Direction::Write, false) => Throughput::Write,
        };
        let usage_type = UsageType::Requests(throughput, design.table.class);
        let price = metering
            .book(&executor.regions[0])
            .and_then(|book| book.list_price(&usage_type))
            .map(|published| published.rate);
        let units = |halves: u128| Exact::whole(halves) / Exact::from(2);
        let (as_drawn, low, high) = (units(*as_drawn), units(*low), units(*high));
        let month = |units: &Exact| (units * &span.factor).ceil();
        let charge = |more: Exact| {
            price
                .as_ref()
                .and_then(|rate| rate.charge(&more, 0).ok())
                .map(|charge| charge.amount)
        };
        let positive = |difference: Exact| {
            if difference.is_negative() {
                Exact::zero()
            } else {
                difference
            }
        };
        drawn.push(DrawnSizes {
            table: design.table.name.clone(),
            direction: *direction,
            less: charge(month(&positive(&as_drawn - &low))),
            more: charge(month(&positive(&high - &as_drawn))),
            units: as_drawn,
            low,
            high,
        });
    }
    Ok(Sizes {
        rows: provenance
            .rows
            .iter()
            .map(|((direction, from), count)| (*direction, *from, *count))
            .collect(),
        drawn,
        counts_assumed: provenance.counts_assumed,
        presence_assumed: provenance.presence_assumed,
        changes_assumed: provenance.changes_assumed,
    })
}

fn assumptions(
    executor: &Executor,
    workload: Option<&Workload>,
    span: &TraceSpan,
    measured: &Workload,
    guessed: bool,
) -> Vec<String> {
    let month = measured.month.seconds();
    let mut list = Vec::new();
    if span.factor != Exact::one() {
        list.push(format!(
            "the trace covers {} s, a month has {month}: everything that the trace consumes is \
             taken {} times",
            Exact::from(span.seconds()),
            span.factor.human(6)
        ));
    }
    list.push(
        "before the trace its last day, or all of a shorter one, is executed once more, so that \
         bursts and auto scaling do not start cold"
            .to_string(),
    );
    if workload.is_none() {
        let names: Vec<&str> = measured
            .tables
            .iter()
            .map(|table| table.table.name.as_str())
            .collect();
        list.push(format!(
            "no workload declares {}: its tables are taken as the trace shows them, in {}, with \
             what the trace leaves in them as their storage{}",
            names.join(", "),
            measured.region,
            if guessed {
                "; of a key only the names are known, and the first by the alphabet is taken for \
                 the partition key"
            } else {
                ""
            }
        ));
    }
    let others: BTreeSet<&String> = executor
        .tally
        .other_regions
        .keys()
        .filter(|region| **region != executor.regions[0])
        .collect();
    if !others.is_empty() {
        let names: Vec<&str> = others.into_iter().map(String::as_str).collect();
        list.push(format!(
            "events of {} are priced in {}; a workload with replicas, or one replay for each \
             region, tells them apart",
            names.join(", "),
            executor.regions[0]
        ));
    }
    if executor.tally.provenance.changes_assumed > 0 {
        list.push(format!(
            "{} writes do not say which attributes they change; the access pattern says, else \
             every attribute that is no index key is taken to change",
            Exact::from(executor.tally.provenance.changes_assumed)
        ));
    }
    if executor.tally.provenance.presence_assumed > 0 {
        list.push(format!(
            "of {} writes nobody knows whether they found an item: as often as the access pattern \
             says, else updates and deletes do and puts do not",
            Exact::from(executor.tally.provenance.presence_assumed)
        ));
    }
    if executor.tally.provenance.counts_assumed > 0 {
        list.push(format!(
            "{} reads do not say how many items they evaluated: as many as the access pattern says",
            Exact::from(executor.tally.provenance.counts_assumed)
        ));
    }
    list.push(
        "fixed and scheduled capacity is sized without bursts, which AWS gives as far as it can; \
         a design that has it is executed with them"
            .to_string(),
    );
    if executor.tally.provenance.consistency_assumed > 0 {
        list.push(format!(
            "{} reads do not say how consistent they are: as strong as their access pattern",
            Exact::from(executor.tally.provenance.consistency_assumed)
        ));
    }
    if executor.tally.provenance.actions_assumed > 0 {
        list.push(format!(
            "{} members of batches and transactions do not say what they do, and are taken for \
             puts; a column action says it",
            Exact::from(executor.tally.provenance.actions_assumed)
        ));
    }
    if executor.tally.provenance.scans > 0 {
        list.push(
            "a Scan reads items in the order of their keys, and its segments by a hash of ours; \
             DynamoDB's order is its own, so pages may hold others: evaluated_keys names them"
                .to_string(),
        );
    }
    if span.seconds() as i64 > consumption::SECONDS_MINUTES_MAX * 60 {
        list.push(
            "a trace of more than 31 days is executed minute by minute: throttles within a minute \
             are not seen"
                .to_string(),
        );
    }
    for table in &executor.copies_assumed {
        let name = &executor.tables.list[*table].design.table.name;
        list.push(format!(
            "{name}: the trace counts the units of the home region alone; each copy is taken to \
             have written as many (rule 4.1)"
        ));
    }
    if executor
        .tables
        .list
        .iter()
        .any(|state| !state.design.table.indexes.is_empty())
    {
        list.push(
            "keys of a global index are shown as the keys of their items, and the partitions of \
             indexes are not followed"
                .to_string(),
        );
    }
    list.push(
        "a new on-demand table has four partitions, and a partition that refuses something in ten \
         seconds of an hour splits where its heat halves, at a 256th of all keys, unless it is \
         one of these alone"
            .to_string(),
    );
    if executor.tables.list.len() > curve::CACHES_MAX / 2 {
        let most = curve::CACHES_MAX / 2;
        list.push(format!(
            "DAX is followed for the first {most} tables; what it would have caught of the others \
             is not known"
        ));
    }
    if !executor.caches.tables.is_empty()
        || executor
            .tally
            .log
            .asked
            .values()
            .any(|asked| asked.reads > 0)
    {
        let overwrite = match executor.caches.overwrite {
            Overwrite::Refresh => "overwriting an item moves it to the front of the list",
            Overwrite::Keep => "overwriting an item leaves its place in the list",
        };
        list.push(format!(
            "DAX: an entry takes its item's bytes; {overwrite} (--dax-overwrite); item cache and \
             query cache have a node's memory each; strongly consistent reads, and a Query or \
             Scan of which only the key is known, are not cached"
        ));
    }
    list
}

/// The keys of a workload's tables, for readers that need them.
pub fn keys(workload: &Workload) -> BTreeMap<String, KeySchema> {
    workload
        .tables
        .iter()
        .map(|table| (table.table.name.clone(), table.table.keys.clone()))
        .collect()
}

/// The name of an API call, of units that nobody splits by operation a word for them.
fn api_name(api: Option<ApiName>, direction: Direction) -> &'static str {
    match (api, direction) {
        (Some(api), _) => api.name(),
        (None, Direction::Read) => "reads",
        (None, Direction::Write) => "writes",
    }
}
