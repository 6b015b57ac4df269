//! What a reader has to tell beside its events: counts that are added up over all files before they
//! become text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Time;
use super::moment::Found;

/// What a file is that lies beside traces and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NoTrace {
    Empty,
    Manifest,
    Marker,
    Document,
    Picture,
    Program,
    Digest,
    Description,
    NoRecord,
    Queries,
    Text,
}

impl NoTrace {
    /// What one such file is.
    pub fn one(self) -> &'static str {
        match self {
            NoTrace::Empty => "the file is empty",
            NoTrace::Manifest => "a manifest, which lists files",
            NoTrace::Marker => "a checksum or a marker",
            NoTrace::Document => "a document",
            NoTrace::Picture => "a picture",
            NoTrace::Program => "a program or its settings",
            NoTrace::Digest => "a digest of CloudTrail, which lists its log files",
            NoTrace::Description => "the description of a table",
            NoTrace::NoRecord => "JSON without a record",
            NoTrace::Queries => "queries for CloudWatch",
            NoTrace::Text => "text without a call of DynamoDB",
        }
    }

    /// What several such files are.
    pub fn several(self) -> &'static str {
        match self {
            NoTrace::Empty => "empty files",
            NoTrace::Manifest => "manifests",
            NoTrace::Marker => "checksums and markers",
            NoTrace::Document => "documents",
            NoTrace::Picture => "pictures",
            NoTrace::Program => "programs and settings",
            NoTrace::Digest => "digests of CloudTrail",
            NoTrace::Description => "descriptions of tables",
            NoTrace::NoRecord => "JSON without a record",
            NoTrace::Queries => "queries for CloudWatch",
            NoTrace::Text => "text without a call of DynamoDB",
        }
    }
}

/// What a reader left out because it is no call, or costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Passed {
    /// An event of another service.
    OtherService,
    /// A call of DynamoDB that consumes no units of a table.
    FreeOperation,
    /// A call that failed before it reached a table, so that its event has no parameters.
    FailedWithoutParameters,
    /// An event whose id was read before.
    Duplicate,
    /// A message by which CloudWatch Logs tests a subscription, or X-Ray a daemon.
    ControlMessage,
    /// A segment that X-Ray infers from the subsegment of a caller, which has the call.
    InferredSegment,
    /// A line that Lambda writes at the start or the end of a call.
    LambdaLine,
    /// A line or a record without a call of DynamoDB.
    NoCall,
    /// A metric that does not count consumed units.
    Metric(String),
    /// A text that repeats a call of its record.
    Repeated,
    /// A file that contains no trace, by what it is.
    File(NoTrace),
    /// A file of an unknown format beside traces.
    UnknownFile(String),
    /// An event outside `--from` and `--to`.
    OutsideWindow,
}

impl Passed {
    /// What was left out.
    fn text(&self) -> String {
        match self {
            Passed::OtherService => "events of other services, ignored".to_string(),
            Passed::FreeOperation => {
                "events that consume no units of a table (control plane, streams)".to_string()
            }
            Passed::FailedWithoutParameters => {
                "calls that failed before they reached a table, which cost nothing".to_string()
            }
            Passed::Duplicate => "events that were delivered again, ignored".to_string(),
            Passed::ControlMessage => "control messages, ignored".to_string(),
            Passed::InferredSegment => {
                "segments that X-Ray inferred from the call itself, ignored".to_string()
            }
            Passed::LambdaLine => {
                "lines of Lambda itself (START, END, REPORT), ignored".to_string()
            }
            Passed::NoCall => "lines without a call of DynamoDB, ignored".to_string(),
            Passed::Repeated => "texts that repeat the call of their record, ignored".to_string(),
            Passed::Metric(_) => "metrics other than consumed units, ignored".to_string(),
            Passed::File(what) => format!("files that are not traces, ignored: {}", what.several()),
            Passed::UnknownFile(name) => format!("files of an unknown format, ignored: {name}"),
            Passed::OutsideWindow => "events outside --from and --to, left out".to_string(),
        }
    }
}

/// A choice that a reader made because the trace leaves it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Taken {
    /// The time zone.
    Zone,
    /// The year.
    Year,
    /// The time of the line before.
    TimeBefore,
    /// The time that the wrapper of a line gives.
    TimeAround,
    /// The time of the response's `date` header.
    TimeOfResponse,
    /// Only the total of a call's units is known.
    TotalOnly,
    /// The statistic of a metric is not stated.
    Statistic,
    /// Units were calculated from a mean or a rate.
    Converted,
    /// An answer of CloudWatch says that there is more.
    Incomplete,
    /// Metrics that do not name a table.
    NoTable,
}

impl Taken {
    fn text(self) -> &'static str {
        match self {
            Taken::Zone => "times without a time zone, taken as UTC",
            Taken::Year => {
                "times without a year, taken as the latest before the file's own date (its name, \
                 else its last change)"
            }
            Taken::TimeBefore => {
                "calls without a time of their own, at the time of the line before"
            }
            Taken::TimeAround => {
                "calls without a time of their own, at the time at which the log received them"
            }
            Taken::TimeOfResponse => "calls at the time that the response's date header gives",
            Taken::TotalOnly => {
                "lines with only the total (ReturnConsumedCapacity=TOTAL); their units of indexes \
                 are counted as units of the table"
            }
            Taken::Statistic => "metrics that do not state their statistic, taken as Sum",
            Taken::Incomplete => {
                "answers that are not complete (NextToken, PartialData), so that units are missing"
            }
            Taken::NoTable => {
                "metrics that do not name their table, taken as those of one table; name it with \
                 --table"
            }
            Taken::Converted => "data points calculated from means or rates, to the nearest 0.5",
        }
    }
}

/// A time as the trace writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimeSeen {
    /// The moment that was read.
    pub time: Time,
    /// What the trace says.
    pub text: String,
}

/// The notes of a reader, or of a whole trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// What the format does not contain.
    pub format: BTreeSet<String>,
    /// What was left out.
    pub passed: BTreeMap<Passed, u64>,
    /// Choices that the trace leaves open.
    pub taken: BTreeMap<Taken, u64>,
    /// The operations that a word stands for, in calls whose operation only a word names.
    pub words: BTreeMap<(String, Cow<'static, str>), u64>,
    /// The seconds of a data point, and where they are from.
    pub periods: BTreeMap<(u32, Cow<'static, str>), u64>,
    /// The first and the last time, as the trace writes them.
    pub times: Option<(TimeSeen, TimeSeen)>,
}

impl Notes {
    /// Notes on what a format does not contain.
    pub fn of_format(texts: impl IntoIterator<Item = String>) -> Notes {
        Notes {
            format: texts.into_iter().collect(),
            ..Notes::default()
        }
    }

    /// Counts something that was left out.
    pub fn pass(&mut self, what: Passed) {
        *self.passed.entry(what).or_default() += 1;
    }

    /// Counts several things that were left out.
    pub fn pass_all(&mut self, what: Passed, count: u64) {
        if count > 0 {
            *self.passed.entry(what).or_default() += count;
        }
    }

    /// Counts a choice.
    pub fn take(&mut self, what: Taken) {
        *self.taken.entry(what).or_default() += 1;
    }

    /// Counts what a time leaves open: its year or its zone.
    pub fn take_assumed(&mut self, found: &Found) {
        if !found.has_zone {
            self.take(Taken::Zone);
        }
        if !found.has_year {
            self.take(Taken::Year);
        }
    }

    /// Keeps a time if it is the first or the last.
    pub fn see(&mut self, time: Time, text: &str) {
        let seen = || TimeSeen {
            time,
            text: text.trim().chars().take(60).collect(),
        };
        match &mut self.times {
            None => self.times = Some((seen(), seen())),
            Some((first, _)) if time < first.time => *first = seen(),
            Some((_, last)) if time > last.time => *last = seen(),
            Some(_) => {}
        }
    }

    /// Adds the notes of another file.
    pub fn merge(&mut self, other: Notes) {
        fn add<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
            from.into_iter()
                .for_each(|(what, count)| *to.entry(what).or_default() += count);
        }
        self.format.extend(other.format);
        add(&mut self.passed, other.passed);
        add(&mut self.taken, other.taken);
        add(&mut self.words, other.words);
        add(&mut self.periods, other.periods);
        if let Some((first, last)) = other.times {
            self.see(first.time, &first.text);
            self.see(last.time, &last.text);
        }
    }

    /// The notes as sentences.
    pub fn texts(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.format.iter().cloned().collect();
        if let Some((first, last)) = &self.times {
            texts.push(format!(
                "first time: \"{}\", read as {}; last time: \"{}\", read as {}",
                first.text.escape_debug(),
                first.time,
                last.text.escape_debug(),
                last.time
            ));
        }
        for ((seconds, origin), count) in &self.periods {
            texts.push(format!(
                "data points of {seconds} seconds, {origin}: {count}"
            ));
        }
        for ((word, api), count) in &self.words {
            texts.push(format!(
                "calls whose operation only the word \"{word}\" before them names, taken as \
                 {api}: {count}"
            ));
        }
        for (taken, count) in &self.taken {
            texts.push(format!("{}: {count}", taken.text()));
        }
        let is_metric = |passed: &&Passed| matches!(passed, Passed::Metric(_));
        for (passed, count) in self.passed.iter().filter(|(passed, _)| !is_metric(passed)) {
            texts.push(format!("{}: {count}", passed.text()));
        }
        let metrics: Vec<&str> = self
            .passed
            .keys()
            .filter_map(|passed| match passed {
                Passed::Metric(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        if !metrics.is_empty() {
            let shown: Vec<&str> = metrics.iter().take(8).copied().collect();
            let more = match metrics.len() - shown.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            texts.push(format!(
                "metrics other than consumed units, ignored: {}{more}",
                shown.join(", ")
            ));
        }
        texts
    }
}
