//! What a result takes for granted, what it lacks, and what the trace did not hold.

use crate::estimate::Metering;
use crate::pricing::Unknown;
use crate::replay::cache::curve::CACHES_MAX;
use crate::replay::cache::lru::Overwrite;
use crate::replay::engine::Engine;
use crate::replay::tally::consumption::{SECONDS_MINUTES_MAX, TraceSpan};
use crate::trace::NameTable;
use crate::units::Exact;
use crate::usage::{Subject, UsageType};
use crate::workload::{PatternCall, Workload};

/// A note on batches that consumed less than their members cost.
pub fn short_batches(count: u64) -> Option<String> {
    let (verb, whose) = if count == 1 {
        ("batch consumed", "its")
    } else {
        ("batches consumed", "their")
    };
    let text = format!(
        "{} {verb} less than all {whose} members cost: members that AWS left unprocessed cost \
         nothing, but are executed here; list them as `unprocessed`, or give AWS's response as \
         `response`",
        Exact::from(count)
    );
    (count > 0).then_some(text)
}

/// Costs that are unknown because the trace gives only units that AWS counted, not the bytes and
/// changes behind them.
pub fn uncounted(engine: &Engine, measured: &Workload, metering: &Metering) -> Vec<Unknown> {
    let mut all = Vec::new();
    for table in &engine.tally.totals.counted_writes {
        let design = &engine.tables.list[*table].design;
        let mut push = |what: String, usage: UsageType| {
            let region = measured.region.clone();
            let rate = metering
                .book(&region)
                .and_then(|book| book.list_price(&usage))
                .map(|published| (*published).clone());
            let subject = Subject {
                table: Some(design.table.name.clone()),
                index: None,
                region,
                access: None,
            };
            let why = "the trace gives the units of writes, not their bytes; use a request log, a \
                       stream or columns with sizes"
                .to_string();
            all.push(Unknown {
                unread: None,
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
                "the data that the trace's writes add to incremental exports".to_string(),
                UsageType::EXPORT_INCREMENTAL,
            );
        }
    }
    all
}

/// What a reader of the bill is warned of: access patterns that are not in it, a trace of less than
/// an hour.
pub fn warnings(engine: &Engine, names: &NameTable, span: &TraceSpan) -> Vec<String> {
    let mut warnings = Vec::new();
    let absent = absent(engine, names);
    if !absent.is_empty() {
        warnings.push(format!(
            "access patterns of the workload that do not occur in the trace are not in the bill: \
             {}",
            absent.join(", ")
        ));
    }
    if span.seconds() < 3_600 && span.factor != Exact::one() {
        let (seconds, factor) = (Exact::from(span.seconds()), span.factor.human(1));
        warnings.push(format!(
            "the trace covers {seconds} s, so every monthly figure is {factor} times what was \
             recorded; for a forecast use a trace of a day or more, or state the time that it \
             covers with --from and --to"
        ));
    }
    warnings
}

/// Access patterns of the workload that do not occur in the trace, so they are not in the bill.
fn absent(engine: &Engine, names: &NameTable) -> Vec<String> {
    let mut absent = Vec::new();
    for (at, state) in engine
        .tables
        .list
        .iter()
        .enumerate()
        .filter(|(_, state)| state.declared)
    {
        let kinds = || {
            engine
                .tally
                .totals
                .calls
                .keys()
                .filter(|kind| kind.table == at)
        };
        for access in &state.design.access {
            let index = match &access.call {
                PatternCall::Page { index, .. } => *index,
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

/// What is assumed, beside the assumptions of the bill.
pub fn assumptions(
    engine: &Engine,
    workload: Option<&Workload>,
    span: &TraceSpan,
    measured: &Workload,
    guessed: bool,
) -> Vec<String> {
    let mut list = of_the_month(span, measured);
    if workload.is_none() {
        list.push(of_undeclared_tables(measured, guessed));
    }
    list.extend(of_other_regions(engine));
    list.extend(of_rows(engine));
    list.extend(of_simulation(engine, span));
    list.extend(of_dax(engine));
    list
}

/// What a month of the trace is.
fn of_the_month(span: &TraceSpan, measured: &Workload) -> Vec<String> {
    let scaled = (span.factor != Exact::one()).then(|| {
        format!(
            "the trace covers {} s and a month has {} s: everything that the trace consumes is \
             multiplied by {}",
            Exact::from(span.seconds()),
            measured.month.seconds(),
            span.factor.human(6)
        )
    });
    let warm_up = "before the trace is simulated, its last day (or all of a shorter trace) is \
                   executed as a warm-up, so that burst capacity and auto scaling do not start \
                   cold; an on-demand table starts as a new one";
    scaled.into_iter().chain([warm_up.to_string()]).collect()
}

/// Tables that only the trace defines.
fn of_undeclared_tables(measured: &Workload, guessed: bool) -> String {
    let tables = measured.tables.iter();
    let names: Vec<&str> = tables.map(|table| table.table.name.as_str()).collect();
    let keys = if guessed {
        "; the trace gives only the names of the key attributes, and the first in alphabetical \
         order is taken as the partition key"
    } else {
        ""
    };
    format!(
        "no workload declares {}: the design is taken from the trace, in {}, and storage is what \
         the trace leaves in each table{keys}",
        names.join(", "),
        measured.region
    )
}

/// Events whose region is taken to be the home region.
fn of_other_regions(engine: &Engine) -> Option<String> {
    let home = &engine.regions[0];
    let regions = engine.tally.totals.other_regions.keys();
    let others: Vec<&str> = regions
        .filter(|region| *region != home)
        .map(String::as_str)
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "events in {} are priced in {home}; to price them separately, give a workload with \
             replicas, or replay each region separately",
            others.join(", ")
        )
    })
}

/// What rows do not say, with how many they are.
fn of_rows(engine: &Engine) -> Vec<String> {
    let provenance = &engine.tally.totals.provenance;
    let counted = [
        (
            provenance.changes_assumed,
            "writes that do not list the attributes they change",
            "the list of the access pattern is used, else every attribute that is not an index \
             key is assumed to change",
        ),
        (
            provenance.presence_assumed,
            "writes for which it is unknown whether they found an item",
            "assumed as often as the access pattern says, else updates and deletes did and puts \
             did not",
        ),
        (
            provenance.counts_assumed,
            "reads that do not give the number of items they evaluated",
            "the number of the access pattern is used",
        ),
        (
            provenance.consistency_assumed,
            "reads that do not give their consistency",
            "assumed to be strongly consistent, as in their access pattern",
        ),
        (
            provenance.actions_assumed,
            "members of batches and transactions without an action",
            "they are assumed to be puts; a column action gives it",
        ),
    ];
    let mut list: Vec<String> = counted
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, then)| format!("{what}: {}; {then}", Exact::from(count)))
        .collect();
    if provenance.scans > 0 {
        let text = "a Scan reads items in key order, and its segments are assigned by this \
                    program's own hash; DynamoDB uses another order, so its pages may contain \
                    other items: evaluated_keys gives them";
        list.push(text.to_string());
    }
    for table in &engine.copies_assumed {
        let name = &engine.state(*table).design.table.name;
        list.push(format!(
            "{name}: the trace has the write units of the home region only; each replica is \
             assumed to have as many (rule 4.1)"
        ));
    }
    list
}

/// How capacity and partitions are simulated.
fn of_simulation(engine: &Engine, span: &TraceSpan) -> Vec<String> {
    let is_long = span.seconds() as i64 > SECONDS_MINUTES_MAX * 60;
    let mut tables = engine.tables.list.iter();
    let has_indexes = tables.any(|state| !state.design.table.indexes.is_empty());
    let all = [
        (
            true,
            "fixed and scheduled capacity is sized without burst capacity, which AWS does not \
             guarantee; a design that has such capacity is simulated with burst capacity",
        ),
        (
            is_long,
            "a trace of more than 31 days is simulated minute by minute: throttling within a \
             minute is not detected",
        ),
        (
            has_indexes,
            "hot keys of a global index are shown as the keys of their items, and the partitions \
             of indexes are not simulated",
        ),
        (
            true,
            "a new on-demand table has four partitions; a partition that throttles in ten seconds \
             of an hour is split so that each side has half of its traffic, at a multiple of a \
             256th of all keys, unless it is only one such 256th",
        ),
    ];
    let held = all.into_iter().filter(|(holds, _)| *holds);
    held.map(|(_, text)| text.to_string()).collect()
}

/// How DAX is simulated.
fn of_dax(engine: &Engine) -> Vec<String> {
    let mut list = Vec::new();
    let most = CACHES_MAX / 2;
    if engine.tables.list.len() > most {
        list.push(format!(
            "DAX is simulated for the first {most} tables only; what it would have answered for \
             the others is unknown"
        ));
    }
    let mut counts = engine.tally.keys.accesses.asked.values();
    if engine.caches.tables.is_empty() && !counts.any(|counts| counts.reads > 0) {
        return list;
    }
    let overwrite = match engine.caches.overwrite {
        Overwrite::Refresh => "overwriting an item moves it to the front of the LRU list",
        Overwrite::Keep => "overwriting an item does not move it in the LRU list",
    };
    list.push(format!(
        "DAX: an entry is as large as its item; {overwrite} (--dax-overwrite); the item cache and \
         the query cache each have a node's memory; strongly consistent reads are not cached, nor \
         is a Query or Scan of which only the key is known"
    ));
    list
}
