//! Prices what was executed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::engine::Engine;
use super::error::ReplayError;
use super::full::Pending;
use super::options::ReplayOptions;
use super::part::{Heats, Read, ReplayPart};
use super::results::priced::{DemandByAccount, Priced};
use super::results::{self, PartitionHeat, Replayed, Summary, notes};
use super::tally::consumption::{DemandKey, TraceSpan};
use super::tally::{Covered, FIRST_SKIPPED};
use crate::capacity::Simulations;
use crate::capacity::series::account_name;
use crate::estimate::Metering;
use crate::pricing::Books;
use crate::trace::{NameTable, RowPlace, SPAN_SECONDS_MAX, SkipReason, Time, TraceError};
use crate::units::Exact;
use crate::workload::Workload;

/// Prices what was executed.
///
/// # Errors
/// [`ReplayError`] if there is nothing to price, or if a price is not known.
pub fn price(
    part: ReplayPart,
    workload: Option<&Workload>,
    books: &Books,
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    let Settled {
        mut engine,
        read,
        names,
        heat,
        skipped,
        ends,
        span,
        measured,
        series,
        metering,
    } = Settled::of(part, workload, books, options)?;
    let mut outcome = metering.outcome(books)?;
    let unknown = notes::uncounted(&engine, &measured, &metering);
    outcome.bill.unknown.extend(unknown);
    let priced = Priced {
        measured: &measured,
        metering: &metering,
        outcome: &outcome,
        books,
        series: &series,
        span: &span,
    };
    let capacity = results::modes::all(&mut engine, &priced, &options.question)?;
    let sizes = results::sizes(&engine, &metering, &span)?;
    let dax = results::dax::results(&engine, &measured, &metering, &span);
    let warnings = notes::warnings(&engine, &names, &span);
    outcome.warnings.extend(warnings);
    Ok(Replayed {
        consumed: results::workload::consumed(&engine),
        peaks: results::peaks(&engine, &span),
        over_time: results::over_time(&engine, &span),
        item_sizes: results::item_sizes(&engine),
        capacity,
        hot_keys: results::hot_keys(&engine, options.hot_keys),
        partitions: results::partitions(&engine, &heat, options.hot_keys),
        dax,
        sizes,
        assumptions: notes::assumptions(&engine, workload, &span, &measured, read.guessed),
        entities: results::design::entities(&engine),
        workload_file: results::design::text(&engine, &measured, &span),
        trace: summary(read, &engine, ends, span, skipped),
        verification: engine.tally.totals.verification.take(),
        outcome,
    })
}

/// The traffic of a trace: the design with its calls, metered with its demand second by second.
#[must_use]
#[non_exhaustive]
pub struct TraceTraffic {
    /// The metered design.
    pub metering: Metering,
    /// The hottest key of each account direction, with its share of the units, by
    /// [`account_name`].
    pub hottest: BTreeMap<String, (String, Exact)>,
    /// The partitions of each table in each region.
    pub partitions: Vec<PartitionHeat>,
    /// The time that the trace covers.
    pub span: TraceSpan,
}

/// The traffic of what was executed, without a price.
///
/// # Errors
/// [`ReplayError`] if there was no event of a table.
pub fn traffic(
    part: ReplayPart,
    workload: Option<&Workload>,
    books: &Books,
    options: &ReplayOptions,
) -> Result<TraceTraffic, ReplayError> {
    let settled = Settled::of(part, workload, books, options)?;
    let engine = &settled.engine;
    let hottest = results::hot_keys(engine, 1).into_iter().map(|hot| {
        let name = account_name(&hot.table, hot.index.as_deref(), &hot.region, hot.direction);
        (name, (hot.key, hot.share))
    });
    Ok(TraceTraffic {
        hottest: hottest.collect(),
        partitions: results::partitions(engine, &settled.heat, 1),
        span: settled.span,
        metering: settled.metering,
    })
}

/// What was executed, metered, before it has a price.
struct Settled {
    engine: Engine,
    read: Read,
    names: NameTable,
    heat: Heats,
    skipped: Skipped,
    /// The times of the first and the last event.
    ends: (Time, Time),
    span: TraceSpan,
    measured: Workload,
    series: DemandByAccount,
    metering: Metering,
}

impl Settled {
    fn of(
        mut part: ReplayPart,
        workload: Option<&Workload>,
        books: &Books,
        options: &ReplayOptions,
    ) -> Result<Settled, ReplayError> {
        part.settle(i64::MAX);
        let ReplayPart {
            covers: _,
            executed: _,
            read,
            names,
            executor,
            heat,
        } = part;
        no_export_is_left(&executor.pending)?;
        let mut engine = executor.engine;
        if workload.is_none() && options.region.is_none() {
            engine.regions[0] = region_of_the_trace(&engine, books);
        }
        engine.copy_counted();
        let skipped = Skipped::of(&read, &engine);
        let Some(Covered { first, last }) = engine.tally.totals.span else {
            return Err(nothing_to_price(&read, &skipped));
        };
        let month = workload.map_or(&options.month, |workload| &workload.month);
        let span = covered(&read, (first, last), options, &month.seconds())?;
        let measured = results::workload::workload(&engine, workload, &names, &span, options);
        let series = demand_by_account(&engine, &span);
        let simulations = Simulations::traced(if series.is_empty() {
            results::workload::idle(&span)
        } else {
            series.clone()
        });
        let metering = Metering::with(simulations, &measured, books)?;
        Ok(Settled {
            engine,
            read,
            names,
            heat,
            skipped,
            ends: (first, last),
            span,
            measured,
            series,
            metering,
        })
    }
}

/// Rows that were skipped, by the reader and by the executor.
struct Skipped {
    by_reason: BTreeMap<SkipReason, u64>,
    first: Vec<String>,
}

impl Skipped {
    fn of(read: &Read, engine: &Engine) -> Skipped {
        let tally = &engine.tally;
        let mut by_reason: BTreeMap<SkipReason, u64> = read.skipped.iter().copied().collect();
        for (reason, count) in &tally.totals.skipped {
            *by_reason.entry(*reason).or_default() += count;
        }
        let of_reader = read
            .first_skipped
            .iter()
            .map(|(place, text)| (*place, text));
        let of_executor = tally
            .totals
            .first_skipped
            .0
            .iter()
            .map(|(place, text)| (*place, text));
        let first: BTreeMap<RowPlace, &String> = of_reader.chain(of_executor).collect();
        Skipped {
            by_reason,
            first: first.into_values().take(FIRST_SKIPPED).cloned().collect(),
        }
    }
}

fn summary(
    read: Read,
    engine: &Engine,
    (first, last): (Time, Time),
    span: TraceSpan,
    skipped: Skipped,
) -> Summary {
    let tally = &engine.tally;
    let notes = read.note_texts(tally.totals.copies);
    let short = notes::short_batches(tally.totals.short_batches);
    Summary {
        files: read.files,
        kinds: read.kinds,
        events: tally.totals.events,
        first,
        last,
        span,
        skipped: skipped.by_reason,
        first_skipped: skipped.first,
        refused: tally.totals.refused,
        throttled: tally.totals.throttled,
        notes: notes.into_iter().chain(short).collect(),
    }
}

/// Every full export has found its table.
fn no_export_is_left(pending: &Pending) -> Result<(), ReplayError> {
    let Some(state) = pending.exports.first() else {
        return Ok(());
    };
    let name = state
        .table
        .clone()
        .unwrap_or_else(|| "a table without a name".to_string());
    let what = match state.folder.is_dir() {
        true => "is a full export of",
        false => "has the items that a Scan returned of",
    };
    let message = format!("{what} {name}, but neither a workload nor the trace defines that table");
    let help = "items do not contain the key schema of their table: give a workload that \
                declares the table, or a log that begins with its CreateTable";
    let folder = state.folder.display().to_string();
    Err(ReplayError::Trace(
        TraceError::file(&folder, message).help(help),
    ))
}

/// The home region of tables that no workload declares: the one that most events name, of those
/// that have a price book.
fn region_of_the_trace(engine: &Engine, books: &Books) -> String {
    let has_book = |name: &str| books.regions().any(|region| region == name);
    engine
        .tally
        .totals
        .other_regions
        .iter()
        .filter(|(name, _)| has_book(name))
        .max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(one.0)))
        .map_or_else(|| "us-east-1".to_string(), |(name, _)| name.clone())
}

/// The files that an error names.
const FILES_SHOWN: usize = 3;

fn nothing_to_price(read: &Read, skipped: &Skipped) -> ReplayError {
    let skipped = match skipped.by_reason.values().sum::<u64>() {
        0 => String::new(),
        count => format!(
            "; skipped rows: {count}, the first: {}",
            skipped.first.first().map_or("", String::as_str)
        ),
    };
    let texts = read.note_texts(0);
    let notes = match texts.is_empty() {
        true => String::new(),
        false => format!("\n{}", texts.join("\n")),
    };
    let shown: Vec<&str> = read
        .files
        .iter()
        .take(FILES_SHOWN)
        .map(String::as_str)
        .collect();
    let more = match read.files.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    ReplayError::empty(format!(
        "the trace has no events of a table{skipped}{notes}\nread: {}{more}",
        shown.join(", ")
    ))
    .with_help(
        "give a trace with calls to tables; a full export is only a starting state, to be given \
         together with a trace",
    )
}

/// The time that the trace covers: what the options say, what an incremental export says, or from
/// the first event to the last.
fn covered(
    read: &Read,
    (first, last): (Time, Time),
    options: &ReplayOptions,
    month_seconds: &Exact,
) -> Result<TraceSpan, ReplayError> {
    // Other files of the trace may reach beyond the time of an incremental export.
    let window = read
        .window
        .filter(|(from, to)| *from <= first && last < *to);
    let asked = [(options.from, read.asked.0), (options.to, read.asked.1)];
    let differs = |(now, then): &(Option<Time>, Option<Time>)| {
        now.zip(*then).is_some_and(|(now, then)| now != then)
    };
    if let Some((Some(now), Some(then))) = asked.into_iter().find(differs) {
        let text = format!("the trace was cut at {then}, and not at {now}");
        return Err(
            ReplayError::empty(text).with_help("give the same --from and --to as then, or none")
        );
    }
    let [from, to] = asked.map(|(now, then)| now.or(then));
    let from = from.or(window.map(|(from, _)| from));
    let to = to.or(window.map(|(_, to)| to));
    let span = TraceSpan::new(first, last, from, to, month_seconds);
    if span.seconds() > SPAN_SECONDS_MAX as u64 {
        let text = format!("the trace runs from {first} to {last}, more than three years");
        return Err(ReplayError::empty(text).with_help(
            "check whether a time or its unit is wrong; --time-unit sets the unit, \
             --skip-bad-rows does not help here",
        ));
    }
    if span.from > first.second() || span.to <= last.second() {
        return Err(ReplayError::empty(format!(
            "the trace runs from {first} to {last}, and events are outside of --from and --to; \
             these state the time that the trace covers, and must include all of its events"
        )));
    }
    Ok(span)
}

fn demand_by_account(engine: &Engine, span: &TraceSpan) -> DemandByAccount {
    let (from, to) = (span.from.div_euclid(60), (span.to + 59).div_euclid(60));
    let name = |key: &DemandKey| {
        let (table, index, region) = engine.place(key.table, key.index, key.region);
        account_name(&table, index.as_deref(), &region, key.direction)
    };
    let lanes = &engine.tally.demand;
    lanes
        .iter()
        .map(|(key, demand)| (name(key), Arc::new(demand.series(from, to))))
        .collect()
}
