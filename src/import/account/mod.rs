//! What AWS answered about the tables of an account, as workload files: one for each region.
//!
//! The answers are AWS's own, as its command line writes them: descriptions of tables, backups,
//! auto scaling, DAX clusters, backup plans, and the metrics of CloudWatch. They come from the
//! account itself (feature `aws`) or from a folder in which they were kept ([`AccountAnswers::read`]),
//! and the file made of them is the same.

mod folder;
mod metrics;
pub(super) mod sample;

use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::draft::{Draft, Sourced, TableDraft, number};
use super::node::SourceNode;
use super::{Context, ImportOptions, Imported, describe, finish, read_usage};
use crate::diag::{Diagnostic, Diagnostics, Source};
use crate::import::document::ReadFile;
use crate::table::Direction;
use crate::time::utc;
use crate::units::Exact;
pub use folder::{ACCOUNT_SCHEMA, AccountManifest, AnswersError, RegionManifest};
pub use metrics::{AccountMetric, AccountMetrics, MetricSeries, ReturnedBy, SeriesKey};
pub use sample::{SampledItem, sampled};

/// Something that AWS did not answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AnswerGap {
    /// The IAM action of the call, such as `dynamodb:DescribeContinuousBackups`.
    pub action: String,
    /// The table that it was about; `None` for a whole region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Why there is no answer.
    pub why: String,
}

/// The answers about one region.
#[derive(Clone, Debug)]
pub struct RegionAnswers {
    /// The region.
    pub region: String,
    /// Descriptions, as JSON; a document may hold several answers in a list. Those of a table are
    /// in one document.
    pub documents: Vec<Arc<Source>>,
    /// What CloudWatch answered.
    pub metrics: AccountMetrics,
    /// What AWS did not answer.
    pub gaps: Vec<AnswerGap>,
}

impl RegionAnswers {
    /// What AWS did not answer, in words: each action once.
    pub fn unanswered(&self) -> Vec<String> {
        let mut told: Vec<(&str, &str)> = Vec::new();
        let mut notes = Vec::new();
        for gap in &self.gaps {
            let same = (gap.action.as_str(), gap.why.as_str());
            if told.contains(&same) {
                continue;
            }
            told.push(same);
            let others = self.gaps.iter();
            let others = others.filter(|one| (one.action.as_str(), one.why.as_str()) == same);
            let tables: Vec<&str> = others.filter_map(|one| one.table.as_deref()).collect();
            let of_what = match tables.as_slice() {
                [] => String::new(),
                [one] => format!(" of {one}"),
                [one, other] => format!(" of {one} and {other}"),
                [one, more @ ..] => format!(" of {one} and {} other tables", more.len()),
            };
            notes.push(format!("Not known{of_what}: {}: {}", gap.action, gap.why));
        }
        notes
    }
}

/// The answers about an account.
#[derive(Clone, Debug)]
pub struct AccountAnswers {
    /// The account's ID, if an answer names it.
    pub account: Option<String>,
    /// From when to when metrics were asked for, in seconds since 1970.
    pub from: i64,
    /// The end of that time.
    pub to: i64,
    /// The regions, in the order in which they were asked for.
    pub regions: Vec<RegionAnswers>,
}

/// Makes a workload file of the region at a position. A global table is in the file of the first
/// of the regions in which it was found.
///
/// # Errors
/// Every error in an answer or in the usage file.
pub fn import_account(
    answers: &AccountAnswers,
    at: usize,
    asked: &ImportOptions,
) -> Result<Imported, Diagnostics> {
    let usage = read_usage(asked)?;
    let mut problems = Vec::new();
    let regions: Vec<Documents> = answers
        .regions
        .iter()
        .map(|region| read(region, &mut problems))
        .collect();
    if let Some(all) = Diagnostics::of(problems) {
        return Err(all);
    }
    let region = &answers.regions[at];
    let mut problems = Vec::new();
    let context = Context {
        region: Some(&region.region),
        usage: usage.as_ref(),
        before: false,
        fallback: None,
        reads_beside: false,
        problems: &mut problems,
    };
    let mut draft = match regions[at].as_slice() {
        [] => Draft::default(),
        documents => describe::draft(documents, context),
    };
    let account = answers.account.as_deref();
    draft.made_of = format!(
        "{} in {}, as of {}",
        account.map_or("an account".to_string(), |id| format!("the account {id}")),
        region.region,
        utc(answers.to)
    );
    draft.missing = "AWS does not say";
    draft.may_be_empty = true;
    let name = match account {
        Some(id) => format!("{id} {}", region.region),
        None => region.region.clone(),
    };
    draft.head.set("name", Sourced::text(&name, "", None));
    let said = Sourced::text(&region.region, "the region of the account", None);
    draft.head.set("region", said);
    draft.notes.extend(region.unanswered());
    let joined = Joined {
        answers,
        at,
        documents: &regions,
    };
    joined.leave_out_replicas(&mut draft);
    if region.metrics.is_empty() {
        draft.notes.push(
            "Without the metrics of CloudWatch, the units that tables consume are unknown."
                .to_string(),
        );
    } else {
        let (from, to) = (utc(answers.from), utc(answers.to));
        draft.notes.push(format!(
            "Metrics of CloudWatch from {from} to {to}; minutes without a data point count as 0."
        ));
    }
    draft.notes.push(NOT_ASKED.to_string());
    for table in &mut draft.tables {
        joined.add_metrics(table);
        joined.add_replicas(table);
    }
    let several = asked.is_one_of_several;
    finish(draft, usage.as_ref(), several, &regions[at], problems)
}

/// What costs money and is not asked for.
const NOT_ASKED: &str = "Not asked: on-demand backups, and reserved capacity of the account; add them \
                         by hand ([table.backup], [[commitment]]).";

/// The documents of a region, read.
type Documents = Vec<(Arc<Source>, SourceNode)>;

fn read(region: &RegionAnswers, problems: &mut Vec<Diagnostic>) -> Documents {
    let mut all = Vec::new();
    for source in &region.documents {
        match ReadFile::read(source) {
            Ok(file) => all.push((file.source, file.node)),
            Err(error) => problems.push(error),
        }
    }
    all
}

/// The answers of all regions, seen from one of them.
struct Joined<'a> {
    answers: &'a AccountAnswers,
    at: usize,
    documents: &'a [Documents],
}

/// The description of a table among documents, and the answers beside it.
fn described<'a>(documents: &'a Documents, name: &str) -> Option<(&'a SourceNode, &'a SourceNode)> {
    documents.iter().find_map(|(_, document)| {
        let own = describe::answers(document).iter();
        let table = own.filter_map(|answer| answer.get("Table"));
        let table = table
            .into_iter()
            .find(|table| table.text_at("TableName") == Some(name))?;
        Some((table, document))
    })
}

impl Joined<'_> {
    fn region(&self) -> &RegionAnswers {
        &self.answers.regions[self.at]
    }

    /// Leaves out the tables that an earlier region describes, with this one as a replica.
    fn leave_out_replicas(&self, draft: &mut Draft) {
        let earlier = &self.answers.regions[..self.at];
        let mut notes = Vec::new();
        draft.tables.retain(|table| {
            let mut homes = earlier
                .iter()
                .zip(self.documents)
                .filter(|(region, documents)| {
                    let is_replica = |replica: &super::draft::ReplicaDraft| {
                        replica.region.plain() == region.region
                    };
                    table.replicas.iter().any(is_replica)
                        && described(documents, &table.label).is_some()
                });
            let home = homes.next().map(|(region, _)| &region.region);
            notes.extend(home.map(|home| {
                format!(
                    "{} is a replica of the global table in the file of {home}.",
                    table.label
                )
            }));
            home.is_none()
        });
        draft.notes.extend(notes);
    }

    /// When a table was created.
    fn created(&self, table: &str) -> Option<i64> {
        let (node, _) = described(&self.documents[self.at], table)?;
        second_of(node.get("CreationDateTime")?)
    }

    /// The window of a table's metrics: it begins when the table was created, unless a table of the
    /// same name has data points before; `None` if there is no such time.
    fn window(&self, table: &mut TableDraft) -> Option<(i64, i64)> {
        let (from, to) = (self.answers.from, self.answers.to);
        let Some(created) = self.created(&table.label).filter(|at| *at > from) else {
            return Some((from, to));
        };
        let metrics = &self.region().metrics;
        let is_older = metrics.of_table(&table.label).any(|series| {
            // The minute in which it was created begins before.
            series
                .span
                .is_some_and(|(first, _)| first < created - super::shape::HOUR)
        });
        let at = utc(created);
        let (note, window) = match (is_older, created < to) {
            (true, _) => (
                format!("created at {at}, after a table of the same name: the metrics are of both"),
                Some((from, to)),
            ),
            (false, true) => (
                format!("created at {at}: its metrics begin there"),
                Some((created, to)),
            ),
            (false, false) => (
                format!("created at {at}, after the time of the metrics"),
                None,
            ),
        };
        if !metrics.is_empty() {
            table.notes.push(note);
        }
        window
    }

    /// What AWS has not counted yet is unknown: it counts items about every six hours.
    fn young(&self, table: &mut TableDraft) {
        let created = self.created(&table.label);
        let is_young = created.is_some_and(|at| at > self.answers.to - 6 * super::shape::HOUR);
        let is_empty = table
            .fields
            .get("items")
            .is_some_and(|items| items.toml == "0");
        if is_young && is_empty {
            let note = "AWS counts items about every six hours, and the table is younger";
            table.fields.set("items", Sourced::unknown(note));
            table.fields.remove("stored");
        }
    }

    /// Adds the units that a table and its indexes consumed, and what else CloudWatch says.
    fn add_metrics(&self, table: &mut TableDraft) {
        let metrics = &self.region().metrics;
        let name = table.label.clone();
        self.young(table);
        let Some((from, to)) = self.window(table) else {
            return;
        };
        let indexes = table.global_names().into_iter().map(Some);
        let targets: Vec<Option<String>> = std::iter::once(None).chain(indexes).collect();
        for index in &targets {
            let index = index.as_deref();
            for direction in [Direction::Read, Direction::Write] {
                let metric = AccountMetric::Consumed(direction);
                if let Some(series) = metrics.get(&name, index, metric) {
                    let fields = series.consumed.fields(index, direction, from, to);
                    table.consumed.push(fields);
                }
            }
            table.notes.extend(throttled(metrics, &name, index));
            table.notes.extend(provisioned(metrics, &name, index));
        }
        if !table.replicas.is_empty() && metrics.get(&name, None, WRITES).is_some() {
            table.notes.push(
                "CloudWatch counts the writes that were replicated to this region with its own: \
                 the units are those of all regions"
                    .to_string(),
            );
        }
        table.notes.extend(returned(metrics, &name));
        self.add_deletes(table, (from, to));
    }

    /// Sets how many items Time to Live deleted, if it did.
    fn add_deletes(&self, table: &mut TableDraft, (from, to): (i64, i64)) {
        let metrics = &self.region().metrics;
        let Some(series) = metrics.get(&table.label, None, AccountMetric::TtlDeleted) else {
            return;
        };
        let deleted = series.consumed.units();
        if deleted.is_zero() && table.find_block("ttl").is_none() {
            return;
        }
        let day = Exact::from(super::shape::DAY as u64);
        let span = Exact::from((to - from).max(1).unsigned_abs());
        let per_day = number(&(&(&deleted * &day) / &span));
        let note = format!("CloudWatch: TimeToLiveDeletedItemCount: {deleted} items");
        let said = Sourced::new(format!("{{ per_day = {per_day} }}"), note, None);
        table.block("ttl").set("deletes", said);
    }

    /// Sets what the answers of other regions say about the replicas of a table.
    fn add_replicas(&self, table: &mut TableDraft) {
        let name = table.label.clone();
        let home = self.region().metrics.get(&name, None, READS);
        let home = home.map(|series| series.consumed.units());
        for replica in &mut table.replicas {
            let region = replica.region.plain();
            let all = self.answers.regions.iter().zip(self.documents);
            let Some((answers, documents)) = all.into_iter().find(|(one, _)| one.region == region)
            else {
                continue;
            };
            let recovery = described(documents, &name).and_then(|(_, document)| {
                describe::answers(document)
                    .iter()
                    .find_map(describe::recovery)
            });
            if let Some(is_on) = recovery {
                let note = format!("DescribeContinuousBackups in {region}");
                let said = Sourced::new(is_on.to_string(), note, None);
                replica.fields.set("pitr", said);
            }
            let Some(reads) = answers.metrics.get(&name, None, READS) else {
                continue;
            };
            let reads = reads.consumed.units();
            let said = match &home {
                Some(home) if !home.is_zero() => {
                    let note = format!("CloudWatch: {reads} read units there, {home} here");
                    Sourced::new(number(&(&reads / home)), note, None)
                }
                _ if reads.is_zero() => Sourced::new("0", "CloudWatch: no read units", None),
                _ => Sourced::unknown(format!(
                    "CloudWatch: {reads} read units there, none here: describe them as \
                     [[table.replica.access]]"
                )),
            };
            replica.fields.set("reads", said);
        }
    }
}

const READS: AccountMetric = AccountMetric::Consumed(Direction::Read);
const WRITES: AccountMetric = AccountMetric::Consumed(Direction::Write);

/// A moment of an answer: seconds since 1970, or RFC 3339 as the command line writes it.
fn second_of(node: &SourceNode) -> Option<i64> {
    let text = node.scalar()?;
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(&text) {
        return Some(time.timestamp());
    }
    let seconds = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
    seconds.ok()?.floor().to_i64()
}

/// The name of a table or an index at the beginning of a note.
fn of_index(index: Option<&str>) -> String {
    index.map_or(String::new(), |index| format!("the index {index}: "))
}

/// Requests that were throttled, as a note.
fn throttled(metrics: &AccountMetrics, table: &str, index: Option<&str>) -> Option<String> {
    let of = |direction| {
        let series = metrics.get(table, index, AccountMetric::Throttled(direction));
        series
            .map(|series| series.consumed.units())
            .unwrap_or_else(Exact::zero)
    };
    let (reads, writes) = (of(Direction::Read), of(Direction::Write));
    (!reads.is_zero() || !writes.is_zero()).then(|| {
        format!(
            "{}CloudWatch: {reads} ReadThrottleEvents, {writes} WriteThrottleEvents",
            of_index(index)
        )
    })
}

/// Provisioned units that changed, as a note.
fn provisioned(metrics: &AccountMetrics, table: &str, index: Option<&str>) -> Option<String> {
    let of = |direction, word: &str| {
        let series = metrics.get(table, index, AccountMetric::Provisioned(direction))?;
        let (least, most) = series.range.filter(|(least, most)| least != most)?;
        Some(format!("{} to {} {word} units", least / 2, most / 2))
    };
    let both = [of(Direction::Read, "read"), of(Direction::Write, "write")];
    let both: Vec<String> = both.into_iter().flatten().collect();
    (!both.is_empty()).then(|| {
        format!(
            "{}CloudWatch: {} were provisioned",
            of_index(index),
            both.join(" and ")
        )
    })
}

/// Items that Query and Scan returned, as a note.
fn returned(metrics: &AccountMetrics, table: &str) -> Option<String> {
    let of = |by: ReturnedBy| {
        let series = metrics.get(table, None, AccountMetric::Returned(by))?;
        let items = series.consumed.units();
        (!items.is_zero()).then(|| format!("{} returned {items} items", by.word()))
    };
    let both: Vec<String> = [of(ReturnedBy::Query), of(ReturnedBy::Scan)]
        .into_iter()
        .flatten()
        .collect();
    (!both.is_empty()).then(|| format!("CloudWatch: {}", both.join(", ")))
}
