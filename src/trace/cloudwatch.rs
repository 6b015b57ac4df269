//! CloudWatch metrics: the units that AWS counted per minute for tables and global secondary
//! indexes.
//!
//! Reads GetMetricData (CLI and API), GetMetricStatistics, metric streams and the console's CSV.
//! Consumed units are sums over a period; a missing minute was idle, not unknown; metrics of a
//! table do not include its global secondary indexes. Units are spread evenly over the seconds of a
//! period, which hides peaks within it. Source: "DynamoDB metrics and dimensions", Developer Guide.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::input::{TraceText, why};
use super::json::{RecordFormat, member, text};
use super::{
    Bad, Counted, Event, EventSink, NameTable, Progress, RowPlace, SkipReason, Time, TraceError,
    TraceReader, What, Wrong, parse_time,
};

use crate::table::Direction;

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Metric {
    Read,
    Write,
    Throttled,
    Deleted,
}

impl Metric {
    fn find(text: &str) -> Option<Metric> {
        let text = text.to_ascii_lowercase().replace([' ', '_', '-'], "");
        let is = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if is(&["consumedreadcapacityunits", "consumedrcu"]) {
            Some(Metric::Read)
        } else if is(&["consumedwritecapacityunits", "consumedwcu"]) {
            Some(Metric::Write)
        } else if is(&[
            "readthrottleevents",
            "writethrottleevents",
            "throttledrequests",
        ]) {
            Some(Metric::Throttled)
        } else if is(&["timetolivedeleteditemcount"]) {
            Some(Metric::Deleted)
        } else {
            None
        }
    }
}

/// A metric of a table or an index.
struct MetricPoint<'a> {
    metric: Metric,
    table: Option<&'a str>,
    index: Option<&'a str>,
    region: Option<&'a str>,
    time: Time,
    value: f64,
    calls: Option<u64>,
    seconds: u32,
}

impl MetricPoint<'_> {
    fn event(&self, place: RowPlace, names: &mut NameTable) -> Option<Event> {
        let table = self.table.map(|table| names.number(table));
        let what = match self.metric {
            Metric::Throttled => What::Throttled(self.value as u64),
            Metric::Deleted => return None,
            Metric::Read | Metric::Write => {
                let halves = (self.value * 2.0).round() as u64;
                let (read_halves, write_halves) = if self.metric == Metric::Read {
                    (halves, 0)
                } else {
                    (0, halves)
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
        Some(Event {
            time: self.time,
            place,
            table,
            what,
        })
    }
}

/// Where the points of one record go.
struct Points<'a> {
    place: RowPlace,
    names: &'a mut NameTable,
    events: &'a mut Vec<Event>,
}

impl Points<'_> {
    fn push(&mut self, point: &MetricPoint) {
        self.events.extend(point.event(self.place, self.names));
    }
}

/// Metrics as JSON.
#[derive(Debug, Default)]
pub struct MetricReader {
    table: Option<String>,
    passed: BTreeSet<String>,
}

fn number(value: &Value) -> Result<f64, Wrong> {
    value
        .as_f64()
        .filter(|number| *number >= 0.0 && number.is_finite())
        .ok_or_else(|| {
            (
                SkipReason::WrongType,
                format!("{value} is not a number of at least 0"),
            )
        })
}

fn moment(value: &Value) -> Result<Time, Wrong> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_string);
    parse_time(&text, None)
        .map(|(time, _)| time)
        .ok_or_else(|| (SkipReason::Time, format!("{text} is not a timestamp")))
}

/// Seconds between points: the smallest gap; 60 if there is no gap.
fn period(times: &[Time]) -> u32 {
    let mut sorted: Vec<i64> = times.iter().map(|time| time.second()).collect();
    sorted.sort_unstable();
    sorted
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .filter(|gap| *gap > 0)
        .min()
        .map_or(60, |gap| gap.clamp(1, 86_400) as u32)
}

/// The points of a result.
fn times_and_values<'a>(result: &'a Value, id: &str) -> Result<(Vec<Time>, &'a [Value]), Wrong> {
    let list = |name: &str| {
        let list = member(result, name).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    };
    let (times, values) = (list("Timestamps"), list("Values"));
    if times.len() != values.len() {
        return Err((
            SkipReason::Malformed,
            format!(
                "{id}: {} timestamps but {} values",
                times.len(),
                values.len()
            ),
        ));
    }
    let times = times.iter().map(moment).collect::<Result<_, _>>()?;
    Ok((times, values))
}

impl MetricReader {
    /// Creates a reader; `table` is used for metrics that do not name one.
    pub fn new(table: Option<String>) -> MetricReader {
        MetricReader {
            table,
            ..MetricReader::default()
        }
    }

    /// The table and the index in a label such as `Orders ByStatus ConsumedReadCapacityUnits`.
    fn label_words(label: &str) -> (Option<&str>, Option<&str>) {
        let mut words = label
            .split_whitespace()
            .filter(|word| Metric::find(word).is_none());
        (words.next(), words.next())
    }

    fn results(
        &mut self,
        document: &Value,
        results: &[Value],
        points: &mut Points,
    ) -> Result<(), Wrong> {
        let queries = member(document, "MetricDataQueries").and_then(Value::as_array);
        for result in results {
            let id = text(result, "Id").unwrap_or_default();
            let query =
                queries.and_then(|list| list.iter().find(|query| text(query, "Id") == Some(id)));
            self.result(
                result,
                query.and_then(|query| member(query, "MetricStat")),
                points,
            )?;
        }
        Ok(())
    }

    /// Reads one result; `asked` is its query, if the file has it.
    fn result(
        &mut self,
        result: &Value,
        asked: Option<&Value>,
        points: &mut Points,
    ) -> Result<(), Wrong> {
        let id = text(result, "Id").unwrap_or_default();
        let label = text(result, "Label").unwrap_or_default();
        let metric = asked.and_then(|asked| member(asked, "Metric"));
        let name = metric.and_then(|metric| text(metric, "MetricName"));
        let dimension = |wanted: &str| {
            let dimensions = metric
                .and_then(|metric| member(metric, "Dimensions"))
                .and_then(Value::as_array)?;
            dimensions
                .iter()
                .find(|one| text(one, "Name") == Some(wanted))
                .and_then(|one| text(one, "Value"))
        };
        let found = name.map_or_else(
            || Metric::find(label).or_else(|| Metric::find(id)),
            Metric::find,
        );
        let Some(found) = found else {
            let name = if label.is_empty() { id } else { label };
            self.passed.insert(name.to_string());
            return Ok(());
        };
        // The same units, split by operation, receiving region or source of the writes: skip them,
        // they would count twice.
        let splits = ["Operation", "ReceivingRegion", "Source"];
        if splits.iter().any(|name| dimension(name).is_some()) {
            self.passed
                .insert(format!("{id} (a breakdown of another metric)"));
            return Ok(());
        }
        let stat = asked.and_then(|asked| text(asked, "Stat"));
        if let Some(stat) = stat.filter(|stat| *stat != "Sum") {
            return Err((
                SkipReason::WrongType,
                format!(
                    "{id} was requested with the statistic {stat}; consumed units need the \
                     statistic Sum"
                ),
            ));
        }
        // Without its query, the label names the table and the index.
        let (table, index) = match metric {
            Some(_) => (
                dimension("TableName"),
                dimension("GlobalSecondaryIndexName"),
            ),
            None => MetricReader::label_words(label),
        };
        let (times, values) = times_and_values(result, id)?;
        let seconds = asked
            .and_then(|asked| member(asked, "Period"))
            .and_then(Value::as_u64)
            .map_or_else(|| period(&times), |seconds| seconds.clamp(1, 86_400) as u32);
        let own = self.table.clone();
        for (time, value) in times.iter().zip(values) {
            points.push(&MetricPoint {
                metric: found,
                table: table.or(own.as_deref()),
                index,
                region: None,
                time: *time,
                value: number(value)?,
                calls: None,
                seconds,
            });
        }
        Ok(())
    }

    fn statistics(
        &mut self,
        document: &Value,
        list: &[Value],
        points: &mut Points,
    ) -> Result<(), Wrong> {
        let label = text(document, "Label").unwrap_or_default();
        let Some(metric) = Metric::find(label) else {
            self.passed.insert(label.to_string());
            return Ok(());
        };
        let moments = list
            .iter()
            .map(|point| moment(member(point, "Timestamp").unwrap_or(&Value::Null)));
        let times: Vec<Time> = moments.collect::<Result<_, _>>()?;
        let seconds = period(&times);
        for (time, point) in times.iter().zip(list) {
            let sum = member(point, "Sum");
            let sum = sum.ok_or_else(|| {
                (
                    SkipReason::Malformed,
                    format!("{label}: a data point has no Sum; request it with --statistics Sum"),
                )
            })?;
            let calls = member(point, "SampleCount")
                .and_then(Value::as_f64)
                .map(|count| count as u64);
            let own = self.table.clone();
            let point = MetricPoint {
                metric,
                table: own.as_deref(),
                index: None,
                region: None,
                time: *time,
                value: number(sum)?,
                calls,
                seconds,
            };
            points.push(&point);
        }
        Ok(())
    }

    fn streamed(&mut self, record: &Value, points: &mut Points) -> Result<(), Wrong> {
        let name = text(record, "metric_name").unwrap_or_default();
        if text(record, "namespace") != Some("AWS/DynamoDB") {
            self.passed.insert(format!(
                "{} {name}",
                text(record, "namespace").unwrap_or_default()
            ));
            return Ok(());
        }
        let dimensions = member(record, "dimensions");
        let dimension = |wanted: &str| dimensions.and_then(|all| text(all, wanted));
        // The same units, split by operation, receiving region or source.
        let split = ["Operation", "ReceivingRegion", "Source"]
            .iter()
            .any(|name| dimension(name).is_some());
        let Some(metric) = Metric::find(name).filter(|_| !split) else {
            self.passed.insert(name.to_string());
            return Ok(());
        };
        let value = member(record, "value")
            .ok_or_else(|| (SkipReason::Malformed, "no value".to_string()))?;
        let sum = member(value, "sum")
            .ok_or_else(|| (SkipReason::Malformed, "no value.sum".to_string()))?;
        let point = MetricPoint {
            metric,
            table: dimension("TableName"),
            index: dimension("GlobalSecondaryIndexName"),
            region: text(record, "region"),
            time: moment(member(record, "timestamp").unwrap_or(&Value::Null))?,
            value: number(sum)?,
            calls: member(value, "count")
                .and_then(Value::as_f64)
                .map(|count| count as u64),
            seconds: 60,
        };
        points.push(&point);
        Ok(())
    }
}

impl RecordFormat for MetricReader {
    fn record(
        &mut self,
        record: Value,
        place: RowPlace,
        names: &mut NameTable,
        events: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        let first = events.len();
        let mut points = Points {
            place,
            names,
            events,
        };
        let done = if let Some(results) =
            member(&record, "MetricDataResults").and_then(Value::as_array)
        {
            self.results(&record, results, &mut points)
        } else if let Some(list) = member(&record, "Datapoints").and_then(Value::as_array) {
            self.statistics(&record, list, &mut points)
        } else if member(&record, "metric_name").is_some() {
            self.streamed(&record, &mut points)
        } else {
            Err((
                SkipReason::Malformed,
                "expected MetricDataResults, Datapoints or a record of a metric stream".to_string(),
            ))
        };
        // GetMetricData returns the newest first, GetMetricStatistics no order: sort the document
        // here.
        events[first..].sort_by_key(|event| event.time);
        done.inspect_err(|_| events.truncate(first))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![SPREAD.to_string()];
        if !self.passed.is_empty() {
            let list: Vec<&str> = self.passed.iter().take(8).map(String::as_str).collect();
            notes.push(format!(
                "metrics other than consumed units were ignored: {}",
                list.join(", ")
            ));
        }
        notes
    }
}

const SPREAD: &str = "CloudWatch units are spread evenly over the seconds of a period; peaks and \
                      throttling within a period are not visible";

/// The console's CSV: header lines, then rows of a time and a value for each plotted metric.
pub struct Console {
    text: TraceText,
    file: u32,
    table: Option<String>,
    progress: Progress,
}

impl Console {
    pub fn new(text: TraceText, file: u32, table: Option<String>, progress: Progress) -> Console {
        Console {
            text,
            file,
            table,
            progress,
        }
    }
}

/// The columns if the header names no metric: the order in which the console plots a table's
/// capacity.
const CONSOLE_ORDER: [Option<Metric>; 6] = [
    None,
    Some(Metric::Read),
    None,
    Some(Metric::Write),
    Some(Metric::Throttled),
    Some(Metric::Throttled),
];

impl Console {
    /// The rows after the header: line, time and cells; and the cells of the header's lines.
    fn rows(&self, whole: &str, bad: &mut Bad) -> Result<(Header, Vec<ConsoleRow>), TraceError> {
        let mut header = Header::new();
        let mut rows = Vec::new();
        let lines = whole.lines().zip(1..);
        for (line, at) in lines.filter(|(line, _)| !line.trim().is_empty()) {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(line.as_bytes());
            let Some(Ok(record)) = reader.records().next() else {
                continue;
            };
            let mut cells: Vec<String> =
                record.iter().map(|cell| cell.trim().to_string()).collect();
            let first = cells.first().cloned().unwrap_or_default();
            let others = cells.split_off(1.min(cells.len()));
            match parse_time(&first, None).filter(|(_, unit)| unit.is_none()) {
                Some((time, _)) => rows.push((at, time, others)),
                None if rows.is_empty() => header.push(others),
                None => bad.row(
                    RowPlace {
                        file: self.file,
                        row: at,
                    },
                    SkipReason::Time,
                    format!("\"{first}\" is not a time"),
                )?,
            }
        }
        Ok((header, rows))
    }
}

/// The cells of the header's lines, without the first of each.
type Header = Vec<Vec<String>>;

/// The line of a row, its time and its cells.
type ConsoleRow = (u64, Time, Vec<String>);

/// The metric of each column: as the header names it, or else in the console's order.
fn metrics_of(header: &Header, width: usize) -> Vec<Option<Metric>> {
    let named = |column: usize| {
        let mut lines = header.iter();
        lines.find_map(|line| line.get(column).and_then(|cell| Metric::find(cell)))
    };
    match (0..width).any(|column| named(column).is_some()) {
        true => (0..width).map(named).collect(),
        false => (0..width)
            .map(|column| CONSOLE_ORDER.get(column).copied().flatten())
            .collect(),
    }
}

impl TraceReader for Console {
    fn batch(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let EventSink { names, events, bad } = sink;
        let mut whole = String::new();
        let place = RowPlace {
            file: self.file,
            row: 1,
        };
        if let Err(error) = (&mut self.text).take(1 << 30).read_to_string(&mut whole) {
            bad.row(place, SkipReason::Truncated, why(&error))?;
            return Ok(false);
        }
        let (header, rows) = self.rows(&whole, bad)?;
        self.progress
            .rows
            .fetch_add(rows.len() as u64, Ordering::Relaxed);
        let region = whole
            .lines()
            .take(8)
            .find_map(|line| line.strip_prefix("Region,"))
            .and_then(|line| line.split(',').next())
            .map(str::trim);
        let width = rows.iter().map(|(_, _, cells)| cells.len()).max();
        let metrics = metrics_of(&header, width.unwrap_or(0));
        let seconds = period(&rows.iter().map(|(_, time, _)| *time).collect::<Vec<_>>());
        let first = events.len();
        for (row, time, cells) in rows {
            let place = RowPlace { row, ..place };
            let given = cells.iter().zip(&metrics);
            for (cell, metric) in given.filter(|(cell, _)| !cell.is_empty()) {
                let Some(metric) = metric else { continue };
                match cell.parse::<f64>() {
                    Ok(value) if value >= 0.0 && value.is_finite() => {
                        let point = MetricPoint {
                            metric: *metric,
                            table: self.table.as_deref(),
                            index: None,
                            region,
                            time,
                            value,
                            calls: None,
                            seconds,
                        };
                        events.extend(point.event(place, names));
                    }
                    _ => bad.row(
                        place,
                        SkipReason::WrongType,
                        format!("\"{cell}\" is not a number of at least 0"),
                    )?,
                }
            }
        }
        events[first..].sort_by_key(|event| event.time);
        Ok(false)
    }

    fn notes(&self) -> Vec<String> {
        vec![SPREAD.to_string()]
    }
}
