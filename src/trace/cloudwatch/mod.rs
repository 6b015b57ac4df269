//! CloudWatch metrics: the units that AWS counted per minute for tables and global secondary
//! indexes.
//!
//! Reads GetMetricData (CLI and API), GetMetricStatistics, metric streams (JSON and OpenTelemetry),
//! Prometheus exporters, and the CSV of the console and of Grafana. Consumed units are sums over a
//! period; a missing minute was idle, not unknown; metrics of a table do not include its global
//! secondary indexes. Units are spread evenly over the seconds of a period, which hides peaks
//! within it. Source: "DynamoDB metrics and dimensions", Developer Guide.

mod console;
mod label;
mod points;
mod query;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

pub use self::console::Console;
pub use self::label::Label;
use self::points::{PointSink, Points, Series, Statistic, halves};
pub use self::query::queries;
use self::query::{Asked, asked};
use super::json::{RecordFormat, RecordOf, RecordSink, member, text};
use super::notes::{Notes, Passed, Taken};
use super::unwrap::plain_value;
use super::{
    Counted, Event, EventSink, NameTable, RowPlace, SkipReason, Time, What, Wrong, parse_time,
};
use crate::table::Direction;

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Consumed read units.
    Read,
    /// Consumed write units.
    Write,
    /// Reads that AWS throttled.
    ReadThrottled,
    /// Writes that AWS throttled.
    WriteThrottled,
}

impl Metric {
    /// The metrics, by the names that CloudWatch gives them.
    const NAMES: [(&'static str, Metric); 4] = [
        ("ConsumedReadCapacityUnits", Metric::Read),
        ("ConsumedWriteCapacityUnits", Metric::Write),
        ("ReadThrottleEvents", Metric::ReadThrottled),
        ("WriteThrottleEvents", Metric::WriteThrottled),
    ];

    /// Its name.
    fn name(self) -> &'static str {
        let mut names = Metric::NAMES.iter();
        names
            .find(|(_, metric)| *metric == self)
            .map_or("", |(name, _)| name)
    }

    /// The metric of a name, in the case and with the underscores of any language.
    fn exact(name: &str) -> Option<Metric> {
        let plain: String = name.chars().filter(|c| *c != '_').collect();
        let mut names = Metric::NAMES.iter();
        names
            .find(|(known, _)| known.eq_ignore_ascii_case(&plain))
            .map(|(_, metric)| *metric)
    }
}

/// Where the period of data points is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeriodFrom {
    /// `--period`.
    Option,
    /// The file says it.
    File,
    /// The query in the file.
    Query,
    /// The points are a minute apart.
    Distance,
    /// A metric stream.
    Stream,
}

impl PeriodFrom {
    fn text(self) -> &'static str {
        match self {
            PeriodFrom::Option => "as --period says",
            PeriodFrom::File => "as the file says",
            PeriodFrom::Query => "as the query in the file says",
            PeriodFrom::Distance => "since they are a minute apart",
            PeriodFrom::Stream => "as metric streams are",
        }
    }
}

/// A metric of a table or an index.
pub struct MetricPoint<'a> {
    pub metric: Metric,
    pub table: Option<&'a str>,
    pub index: Option<&'a str>,
    pub region: Option<&'a str>,
    pub time: Time,
    pub halves: u64,
    pub calls: Option<u64>,
    pub seconds: u32,
}

impl MetricPoint<'_> {
    fn event(&self, place: RowPlace, names: &mut NameTable) -> Event {
        let table = self.table.map(|table| names.number(table));
        let what = match self.metric {
            Metric::ReadThrottled | Metric::WriteThrottled => What::Throttled(self.halves / 2),
            Metric::Read | Metric::Write => {
                let (read_halves, write_halves) = match self.metric {
                    Metric::Read => (self.halves, 0),
                    _ => (0, self.halves),
                };
                What::Counted(Box::new(Counted {
                    calls: self.calls,
                    api: None,
                    region: self.region.map(|region| names.number(region)),
                    caller: None,
                    index: self.index.map(|index| names.number(index)),
                    metric: Some(if self.metric == Metric::Read {
                        Direction::Read
                    } else {
                        Direction::Write
                    }),
                    read_halves,
                    write_halves,
                    seconds: self.seconds,
                }))
            }
        };
        Event {
            time: self.time,
            place,
            table,
            what,
        }
    }
}

/// Metrics as JSON or as the text of Prometheus.
#[derive(Debug, Default)]
pub struct MetricReader {
    /// The table of metrics that do not name one.
    table: Option<String>,
    /// The period that the command line gives.
    period: Option<u32>,
    /// The metric that the file's name gives.
    metric: Option<Metric>,
    /// Whether the file is the text of Prometheus.
    has_lines: bool,
    points: Points,
    /// Results of GetMetricData, until the document has ended: its queries may come after them.
    results: Vec<QueryResult>,
    /// Points of GetMetricStatistics, until the document has ended: its label may come after them.
    datapoints: Vec<(Statistic, i64, Decimal)>,
    /// The record of the last of them.
    datapoints_row: u64,
    /// Tables that are named without doubt.
    tables: Vec<String>,
}

/// A result of GetMetricData.
#[derive(Debug)]
struct QueryResult {
    id: String,
    label: String,
    row: u64,
    list: Vec<(i64, Decimal)>,
}

impl QueryResult {
    /// As messages name it.
    fn shown(&self) -> &str {
        match self.label.is_empty() {
            true => &self.id,
            false => &self.label,
        }
    }
}

/// What a result of GetMetricData is.
enum Meaning {
    /// Units, or throttled requests.
    Units {
        series: Series,
        statistic: Option<Statistic>,
        period: Option<(u32, PeriodFrom)>,
    },
    /// Another metric, by its name.
    Other(String),
}

const SPREAD: &str = "CloudWatch units are spread evenly over the seconds of a period; peaks and \
                      throttling within a period are not visible";

fn malformed(message: impl Into<String>) -> Wrong {
    (SkipReason::Malformed, message.into())
}

fn not_stated(message: impl Into<String>) -> Wrong {
    (SkipReason::NotStated, message.into())
}

/// A number of at least 0, as the text writes it.
fn decimal(text: &str) -> Option<Decimal> {
    let parsed = text.parse().or_else(|_| Decimal::from_scientific(text));
    parsed.ok().filter(|number| !number.is_sign_negative())
}

fn number(value: &Value) -> Result<Decimal, Wrong> {
    let found = match value {
        Value::Number(number) => decimal(&number.to_string()),
        Value::String(text) => decimal(text),
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!("{value} is not a number of at least 0");
        (SkipReason::WrongType, message)
    })
}

fn moment(value: &Value) -> Result<Time, Wrong> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let time = parse_time(&text, None).map(|(time, _)| time);
    time.ok_or_else(|| (SkipReason::Time, format!("{text} is not a timestamp")))
}

/// The dimensions of a metric that split the units of another one, by operation, receiving region
/// or source of the writes: they would count twice.
const SPLITS: [&str; 3] = ["Operation", "ReceivingRegion", "Source"];

impl MetricReader {
    /// Creates a reader; `table` is used for metrics that do not name one, `period` before what the
    /// file says, `file` gives the metric of points without a label.
    pub fn new(
        table: Option<String>,
        period: Option<u32>,
        file: &str,
        has_lines: bool,
    ) -> MetricReader {
        let metrics = Metric::NAMES.iter();
        let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let mut named = metrics.filter(|(name, _)| file.contains(name));
        MetricReader {
            metric: named.next().map(|(_, metric)| *metric),
            tables: table.iter().cloned().collect(),
            table,
            period,
            has_lines,
            ..MetricReader::default()
        }
    }

    /// Keeps a result of GetMetricData.
    fn result(&mut self, result: &Value, row: u64, notes: &mut Notes) -> Result<(), Wrong> {
        if text(result, "StatusCode") == Some("PartialData") {
            notes.take(Taken::Incomplete);
        }
        let id = text(result, "Id").unwrap_or_default().to_string();
        let list = |name: &str| member(result, name).and_then(Value::as_array);
        let (times, values) = (list("Timestamps"), list("Values"));
        let (times, values) = (
            times.map_or(&[][..], Vec::as_slice),
            values.map_or(&[][..], Vec::as_slice),
        );
        if times.len() != values.len() {
            return Err(malformed(format!(
                "{id}: {} timestamps but {} values",
                times.len(),
                values.len()
            )));
        }
        let points = times.iter().zip(values);
        let list = points
            .map(|(time, value)| Ok((moment(time)?.second(), number(value)?)))
            .collect::<Result<_, Wrong>>()?;
        self.results.push(QueryResult {
            label: text(result, "Label").unwrap_or_default().to_string(),
            id,
            row,
            list,
        });
        Ok(())
    }

    /// Adds the results of a document to the points; `document` has its queries, if the file does.
    fn add_results(&mut self, document: &Value, sink: &mut RecordSink) -> Result<(), Wrong> {
        if text(document, "NextToken").is_some() {
            sink.notes.take(Taken::Incomplete);
        }
        let results = std::mem::take(&mut self.results);
        let queries = asked(document)?;
        for label in results.iter().map(|result| Label::parse(&result.label)) {
            let named = label.table.clone().or(match label.words.as_slice() {
                [word] if label.metric.is_some() => Some(word.clone()),
                _ => None,
            });
            self.tables.extend(named);
        }
        let returned: Vec<String> = results.iter().map(|result| result.id.clone()).collect();
        for result in results {
            let asked = queries.iter().find(|query| query.id == result.id);
            if let Err(wrong) = self.add_result(result, asked, &returned, sink.notes) {
                sink.wrong.push(wrong);
            }
        }
        Ok(())
    }

    fn add_result(
        &mut self,
        result: QueryResult,
        asked: Option<&Asked>,
        returned: &[String],
        notes: &mut Notes,
    ) -> Result<(), Wrong> {
        // Its query says what it is; without one, its label does.
        let meaning = match asked {
            Some(asked) if asked.is_search => self.as_labelled(&result, Some(asked))?,
            Some(asked) => self.as_asked(&result, asked, returned)?,
            None => self.as_labelled(&result, None)?,
        };
        match meaning {
            Meaning::Other(name) => notes.pass(Passed::Metric(name)),
            Meaning::Units {
                series,
                statistic,
                period,
            } => {
                let values = self.points.of(series, statistic);
                if !values.list.is_empty() && values.id != result.id {
                    return Err(not_stated(format!(
                        "the results {} and {} have the same label \"{}\"; of two regions or \
                         accounts, replay each by itself, or keep the queries in the file, as \
                         MetricDataQueries",
                        values.id, result.id, result.label
                    )));
                }
                values.id = result.id;
                values.list.extend(result.list);
                values.period = period.or(values.period);
                values.row = result.row;
            }
        }
        Ok(())
    }

    /// What a result is, as its query says.
    fn as_asked(
        &self,
        result: &QueryResult,
        asked: &Asked,
        returned: &[String],
    ) -> Result<Meaning, Wrong> {
        let id = &result.id;
        if result.label.contains("(expected)") {
            return Ok(Meaning::Other(result.label.clone()));
        }
        if asked.is_split {
            let name = format!("{id} (a breakdown of another metric)");
            return Ok(Meaning::Other(name));
        }
        if !asked.of.is_empty() && asked.of.iter().all(|of| returned.contains(of)) {
            let of = asked.of.join(", ");
            return Ok(Meaning::Other(format!("{id} (calculated from {of})")));
        }
        if let Some(expression) = &asked.unclear {
            return Err(not_stated(format!(
                "{id} is the expression \"{expression}\" of consumed units, which is not read; \
                 return the metrics themselves with the statistic Sum, or their rate as \
                 ID/PERIOD(ID)"
            )));
        }
        let Some(metric) = asked.metric else {
            return Ok(Meaning::Other(result.shown().to_string()));
        };
        Ok(Meaning::Units {
            series: Series {
                metric,
                table: asked.table.clone().or_else(|| self.table.clone()),
                index: asked.index.clone(),
                region: Label::parse(&result.label).region,
            },
            statistic: asked.statistic,
            period: asked.period.map(|seconds| (seconds, PeriodFrom::Query)),
        })
    }

    /// What a result is, as its label says, and the search that found it.
    fn as_labelled(&self, result: &QueryResult, search: Option<&Asked>) -> Result<Meaning, Wrong> {
        let (label, shown) = (&result.label, result.shown());
        let read = Label::parse(label);
        if read.is_split || label.contains("(expected)") {
            let name = format!("{shown} (a breakdown of another metric)");
            return Ok(Meaning::Other(name));
        }
        let metric = read
            .metric
            .or_else(|| search.and_then(|search| search.metric));
        let Some(metric) = metric.or_else(|| Metric::exact(&result.id)) else {
            if Label::is_vague(label) || Label::is_vague(&result.id) {
                return Err(self.vague(shown));
            }
            return Ok(Meaning::Other(shown.to_string()));
        };
        let place = match read.metric.or(search.and_then(|search| search.metric)) {
            Some(_) => read.place(&self.tables),
            None => Ok((None, None)),
        };
        let (table, index) = place.map_err(|words| {
            not_stated(format!(
                "the label \"{label}\" names \"{words}\", and does not say which is the table: \
                 write labels such as \"TableName=Orders GlobalSecondaryIndexName=ByStatus {}\", \
                 or name the table with --table, or ask with the queries that `dynameter import \
                 cloudwatch --queries` writes",
                metric.name()
            ))
        })?;
        Ok(Meaning::Units {
            series: Series {
                metric,
                table: table.or_else(|| self.table.clone()),
                index,
                region: read.region,
            },
            statistic: read
                .statistic
                .or(search.and_then(|search| search.statistic)),
            period: match (read.period, search.and_then(|search| search.period)) {
                (Some(seconds), _) => Some((seconds, PeriodFrom::File)),
                (None, seconds) => seconds.map(|seconds| (seconds, PeriodFrom::Query)),
            },
        })
    }

    fn vague(&self, label: &str) -> Wrong {
        not_stated(format!(
            "the label \"{label}\" does not say which metric, table and statistic it is; keep the \
             queries in the file, as MetricDataQueries, or ask with the queries that `dynameter \
             import cloudwatch --queries` writes"
        ))
    }

    /// Keeps a point of GetMetricStatistics, until the label of its metric is known.
    fn datapoint(&mut self, point: &Value, row: u64) -> Result<(), Wrong> {
        let second = moment(member(point, "Timestamp").unwrap_or(&Value::Null))?.second();
        let first = self.datapoints.len();
        for (name, statistic) in [
            ("Sum", Statistic::Sum),
            ("Average", Statistic::Average),
            ("SampleCount", Statistic::SampleCount),
        ] {
            if let Some(value) = member(point, name) {
                let value = number(value)?;
                self.datapoints.push((statistic, second, value));
            }
        }
        self.datapoints_row = row;
        let own = &self.datapoints[first..];
        match own
            .iter()
            .any(|(statistic, ..)| *statistic != Statistic::SampleCount)
        {
            true => Ok(()),
            false => Err(malformed(
                "a data point has no Sum; request it with --statistics Sum",
            )),
        }
    }

    /// Adds the points of GetMetricStatistics of a document; `label` is the name of their metric.
    fn add_datapoints(&mut self, label: Option<&str>, notes: &mut Notes) -> Result<(), Wrong> {
        let datapoints = std::mem::take(&mut self.datapoints);
        if datapoints.is_empty() {
            return Ok(());
        }
        let metric = match label {
            Some(label) => match Metric::exact(label) {
                Some(metric) => metric,
                None => {
                    notes.pass(Passed::Metric(label.to_string()));
                    return Ok(());
                }
            },
            None => self.metric.ok_or_else(|| {
                not_stated(
                    "the points do not say of which metric they are; keep the Label of the \
                     answer (no --query), or name the metric in the file's name, such as \
                     ConsumedReadCapacityUnits.json",
                )
            })?,
        };
        let series = Series {
            metric,
            table: self.table.clone(),
            index: None,
            region: None,
        };
        for (statistic, second, value) in datapoints {
            let values = self.points.of(series.clone(), Some(statistic));
            values.list.push((second, value));
            values.row = self.datapoints_row;
        }
        Ok(())
    }

    /// A record of a metric stream: one point, whose units are known at once.
    fn streamed(
        &mut self,
        point: &StreamedPoint,
        of: &RecordOf,
        sink: &mut RecordSink,
    ) -> Result<(), Wrong> {
        if point.namespace != "AWS/DynamoDB" {
            let name = format!("{} {}", point.namespace, point.name);
            sink.notes.pass(Passed::Metric(name));
            return Ok(());
        }
        let dimension = |name: &str| text(&point.dimensions, name);
        let is_split = SPLITS.iter().any(|name| dimension(name).is_some());
        let Some(metric) = Metric::exact(point.name).filter(|_| !is_split) else {
            sink.notes.pass(Passed::Metric(point.name.to_string()));
            return Ok(());
        };
        // Firehose delivers a record at least once.
        let id = format!(
            "{} {} {} {} {}",
            point.account.unwrap_or_default(),
            point.region.unwrap_or_default(),
            point.name,
            point.dimensions,
            point.time.0
        );
        if !sink.ids.is_new(&id) {
            sink.notes.pass(Passed::Duplicate);
            return Ok(());
        }
        let seconds = self.period.unwrap_or(point.seconds);
        let from = match self.period {
            Some(_) => PeriodFrom::Option,
            None => point.from,
        };
        *sink
            .notes
            .periods
            .entry((seconds, from.text().into()))
            .or_default() += 1;
        let calls = point.count.map(number).transpose()?;
        let point = MetricPoint {
            metric,
            table: dimension("TableName").or(self.table.as_deref()),
            index: dimension("GlobalSecondaryIndexName"),
            region: point.region,
            time: point.time,
            halves: halves(number(point.sum)?)
                .ok_or_else(|| malformed(format!("{} is too large", point.sum)))?,
            calls: calls.and_then(|count| count.to_u64()),
            seconds,
        };
        sink.events.push(point.event(of.place, sink.names));
        Ok(())
    }

    fn stream_record(
        &mut self,
        record: &Value,
        of: &RecordOf,
        sink: &mut RecordSink,
    ) -> Result<(), Wrong> {
        let value = member(record, "value").ok_or_else(|| malformed("no value"))?;
        let sum = member(value, "sum").ok_or_else(|| malformed("no value.sum"))?;
        let point = StreamedPoint {
            namespace: text(record, "namespace").unwrap_or_default(),
            name: text(record, "metric_name").unwrap_or_default(),
            dimensions: member(record, "dimensions").cloned().unwrap_or_default(),
            account: text(record, "account_id"),
            region: text(record, "region"),
            time: moment(member(record, "timestamp").unwrap_or(&Value::Null))?,
            sum,
            count: member(value, "count"),
            seconds: 60,
            from: PeriodFrom::Stream,
        };
        self.streamed(&point, of, sink)
    }

    /// Metrics in the form of OpenTelemetry. Source: "Translation with OpenTelemetry 1.0.0 format",
    /// CloudWatch: a summary with `count` and `sum`, the attributes `Namespace`, `MetricName` and
    /// `Dimensions`, and the start and the end of its period.
    fn resource(
        &mut self,
        resource: &Value,
        of: &RecordOf,
        sink: &mut RecordSink,
    ) -> Result<(), Wrong> {
        let attributes = &resource["resource"]["attributes"];
        let attribute = |list: &Value, name: &str| -> Option<Value> {
            let mut list = list.as_array()?.iter();
            let found = list.find(|one| one["key"].as_str() == Some(name))?;
            Some(plain_value(&found["value"]))
        };
        let region = attribute(attributes, "cloud.region");
        let account = attribute(attributes, "cloud.account.id");
        let lists = |value: &Value, names: &[&str]| -> Vec<Value> {
            let lists = names.iter().filter_map(|name| value[*name].as_array());
            lists.flatten().cloned().collect()
        };
        for scope in lists(resource, &["scopeMetrics", "instrumentationLibraryMetrics"]) {
            for metric in lists(&scope, &["metrics"]) {
                for kind in ["summary", "doubleSummary"] {
                    for point in lists(&metric[kind], &["dataPoints"]) {
                        let labels = match point["attributes"].is_array() {
                            true => &point["attributes"],
                            false => &point["labels"],
                        };
                        let named = |name: &str| attribute(labels, name);
                        let nanoseconds = |name: &str| {
                            let value = &point[name];
                            value.as_i64().or_else(|| value.as_str()?.parse().ok())
                        };
                        let (start, end) = nanoseconds("startTimeUnixNano")
                            .zip(nanoseconds("timeUnixNano"))
                            .filter(|(start, end)| start < end)
                            .ok_or_else(|| malformed("a data point without its period"))?;
                        let name = named("MetricName").unwrap_or_default();
                        let namespace = named("Namespace").unwrap_or_default();
                        let point = StreamedPoint {
                            namespace: namespace.as_str().unwrap_or_default(),
                            name: name.as_str().unwrap_or_default(),
                            dimensions: named("Dimensions").unwrap_or_default(),
                            account: account.as_ref().and_then(Value::as_str),
                            region: region.as_ref().and_then(Value::as_str),
                            time: Time(start),
                            sum: &point["sum"],
                            count: Some(&point["count"]),
                            seconds: u32::try_from(end.saturating_sub(start) / Time::SECOND)
                                .unwrap_or(u32::MAX)
                                .max(1),
                            from: PeriodFrom::File,
                        };
                        self.streamed(&point, of, sink)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A point of a metric stream.
struct StreamedPoint<'a> {
    namespace: &'a str,
    name: &'a str,
    dimensions: Value,
    account: Option<&'a str>,
    region: Option<&'a str>,
    time: Time,
    sum: &'a Value,
    count: Option<&'a Value>,
    seconds: u32,
    from: PeriodFrom,
}

/// The lists of records in documents of metrics.
const LISTS: [&str; 5] = [
    "MetricDataResults",
    "Datapoints",
    "resourceMetrics",
    "Records",
    "records",
];

impl RecordFormat for MetricReader {
    fn record(&mut self, record: Value, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let row = of.place.row;
        let list = |name: &str| member(&record, name).and_then(Value::as_array);
        if let Some(results) = list("MetricDataResults") {
            results
                .iter()
                .try_for_each(|result| self.result(result, row, sink.notes))?;
            return self.add_results(&record, sink);
        }
        if let Some(points) = list("Datapoints") {
            let label = text(&record, "Label");
            for point in points {
                if let Err(wrong) = self.datapoint(point, row) {
                    sink.wrong.push(wrong);
                }
            }
            return self.add_datapoints(label, sink.notes);
        }
        if let Some(resources) = list("resourceMetrics") {
            return resources
                .iter()
                .try_for_each(|resource| self.resource(resource, of, sink));
        }
        if member(&record, "metric_name").is_some() {
            self.stream_record(&record, of, sink)
        } else if member(&record, "Timestamps").is_some() {
            self.result(&record, row, sink.notes)
        } else if member(&record, "Timestamp").is_some() {
            self.datapoint(&record, row)
        } else if member(&record, "scopeMetrics").is_some()
            || member(&record, "instrumentationLibraryMetrics").is_some()
        {
            self.resource(&record, of, sink)
        } else {
            Err(malformed(
                "expected MetricDataResults, Datapoints or a record of a metric stream",
            ))
        }
    }

    fn line(&mut self, line: &str, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let Some(sample) = query::sample(line)? else {
            return Ok(());
        };
        let Some(metric) = sample.metric else {
            sink.notes.pass(Passed::Metric(sample.name.to_string()));
            return Ok(());
        };
        let series = Series {
            metric,
            table: sample.table.or_else(|| self.table.clone()),
            index: sample.index,
            region: sample.region,
        };
        let values = self.points.of(series, sample.statistic);
        values.list.push((sample.second, sample.value));
        values.row = of.place.row;
        Ok(())
    }

    fn lists(&self) -> &'static [&'static str] {
        &LISTS
    }

    fn has_lines(&self) -> bool {
        self.has_lines
    }

    fn end(&mut self, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let label = of.document.get("Label").and_then(Value::as_str);
        self.add_datapoints(label, sink.notes)?;
        self.add_results(&Value::Object(of.document.clone()), sink)
    }

    fn end_of_file(&mut self, _: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let own = self.add_datapoints(None, sink.notes);
        let mut rest = PointSink {
            notes: sink.notes,
            ids: sink.ids,
            wrong: sink.wrong,
        };
        self.points.finish(self.period, &mut rest);
        own
    }

    fn rest(&mut self, file: u32, sink: &mut EventSink) -> bool {
        self.points.hand_out(file, sink.names, sink.events)
    }

    fn notes(&self) -> Notes {
        let mut notes = Notes::default();
        notes.format.insert(SPREAD.to_string());
        notes
    }
}
