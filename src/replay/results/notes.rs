//! What a result takes for granted, what it lacks, and what the trace did not hold.

use std::collections::BTreeSet;

use crate::estimate::Metering;
use crate::pricing::Unknown;
use crate::replay::cache::curve::CACHES_MAX;
use crate::replay::cache::lru::Overwrite;
use crate::replay::executor::Executor;
use crate::replay::tally::consumption::{SECONDS_MINUTES_MAX, TraceSpan};
use crate::trace::NameTable;
use crate::units::Exact;
use crate::usage::{Subject, UsageType};
use crate::workload::{PatternCall, Workload};

/// Batches that consumed less than their members cost.
pub fn short_batches(count: u64) -> Option<String> {
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
pub fn uncounted(executor: &Executor, measured: &Workload, metering: &Metering) -> Vec<Unknown> {
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

/// What a reader of the bill is warned of: access patterns that are not in it, a trace of less than
/// an hour.
pub fn warnings(executor: &Executor, names: &NameTable, span: &TraceSpan) -> Vec<String> {
    let mut warnings = Vec::new();
    let absent = absent(executor, names);
    if !absent.is_empty() {
        warnings.push(format!(
            "access patterns of the workload that the trace does not hold are not in the bill: {}",
            absent.join(", ")
        ));
    }
    if span.seconds() < 3_600 && span.factor != Exact::one() {
        let (seconds, factor) = (Exact::from(span.seconds()), span.factor.human(1));
        warnings.push(format!(
            "the trace covers {seconds} s, so every figure of the month is {factor} times what \
             was seen; a day or more makes a forecast, --from and --to say what the trace covers"
        ));
    }
    warnings
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

pub fn assumptions(
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
    if span.seconds() as i64 > SECONDS_MINUTES_MAX * 60 {
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
    if executor.tables.list.len() > CACHES_MAX / 2 {
        let most = CACHES_MAX / 2;
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
