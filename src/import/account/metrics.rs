//! What CloudWatch answered about the tables of an account: consumed and provisioned units,
//! throttled requests, and what queries returned, minute by minute.
//!
//! The label of each result says what it is: `ConsumedReadCapacityUnits TableName=Orders
//! GlobalSecondaryIndexName=by-customer Stat=Sum Period=60`. A minute without a data point was
//! idle. Source: "DynamoDB metrics and dimensions", Developer Guide.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::diag::harmless;
use crate::import::consumed::{ConsumedUnits, DataPoint};
use crate::table::Direction;

/// A metric of DynamoDB that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountMetric {
    /// Consumed capacity units; those of a table do not include its global secondary indexes.
    Consumed(Direction),
    /// Provisioned capacity units.
    Provisioned(Direction),
    /// Events of throttling: one request can cause several.
    Throttled(Direction),
    /// Items that Query or Scan returned.
    Returned(ReturnedBy),
    /// Items that Time to Live deleted.
    TtlDeleted,
}

/// The operations whose returned items CloudWatch counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReturnedBy {
    /// Query.
    Query,
    /// Scan.
    Scan,
}

impl ReturnedBy {
    /// The operation's name.
    pub fn word(self) -> &'static str {
        match self {
            ReturnedBy::Query => "Query",
            ReturnedBy::Scan => "Scan",
        }
    }
}

impl AccountMetric {
    /// The metrics of a table, in the order in which they are asked for.
    pub const OF_TABLE: [AccountMetric; 9] = [
        AccountMetric::Consumed(Direction::Read),
        AccountMetric::Consumed(Direction::Write),
        AccountMetric::Throttled(Direction::Read),
        AccountMetric::Throttled(Direction::Write),
        AccountMetric::Provisioned(Direction::Read),
        AccountMetric::Provisioned(Direction::Write),
        AccountMetric::Returned(ReturnedBy::Query),
        AccountMetric::Returned(ReturnedBy::Scan),
        AccountMetric::TtlDeleted,
    ];

    /// Whether CloudWatch has it for global secondary indexes too.
    pub fn is_of_indexes(self) -> bool {
        matches!(
            self,
            AccountMetric::Consumed(_)
                | AccountMetric::Provisioned(_)
                | AccountMetric::Throttled(_)
        )
    }

    /// Whether only tables and indexes with provisioned capacity have it.
    pub fn is_of_provisioned(self) -> bool {
        matches!(self, AccountMetric::Provisioned(_))
    }

    /// Its name in CloudWatch.
    pub fn name(self) -> &'static str {
        match self {
            AccountMetric::Consumed(Direction::Read) => "ConsumedReadCapacityUnits",
            AccountMetric::Consumed(Direction::Write) => "ConsumedWriteCapacityUnits",
            AccountMetric::Provisioned(Direction::Read) => "ProvisionedReadCapacityUnits",
            AccountMetric::Provisioned(Direction::Write) => "ProvisionedWriteCapacityUnits",
            AccountMetric::Throttled(Direction::Read) => "ReadThrottleEvents",
            AccountMetric::Throttled(Direction::Write) => "WriteThrottleEvents",
            AccountMetric::Returned(_) => "ReturnedItemCount",
            AccountMetric::TtlDeleted => "TimeToLiveDeletedItemCount",
        }
    }

    /// The statistic that is asked for: the units that were provisioned at most, or a sum.
    pub fn statistic(self) -> &'static str {
        match self {
            AccountMetric::Provisioned(_) => "Maximum",
            _ => "Sum",
        }
    }

    /// The dimension beside the table and the index, if it has one.
    pub fn dimension(self) -> Option<(&'static str, &'static str)> {
        match self {
            AccountMetric::Returned(by) => Some(("Operation", by.word())),
            _ => None,
        }
    }
}

/// A metric of a table or one of its indexes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The table.
    pub table: String,
    /// The global secondary index; `None` for the table itself.
    pub index: Option<String>,
    /// What is counted.
    pub metric: AccountMetric,
}

impl SeriesKey {
    /// The label by which an answer says what it is.
    pub fn label(&self, period_seconds: u32) -> String {
        let mut label = format!("{} TableName={}", self.metric.name(), self.table);
        if let Some(index) = &self.index {
            label.push_str(&format!(" GlobalSecondaryIndexName={index}"));
        }
        if let Some((name, value)) = self.metric.dimension() {
            label.push_str(&format!(" {name}={value}"));
        }
        let statistic = self.metric.statistic();
        label + &format!(" Stat={statistic} Period={period_seconds}")
    }

    /// Reads a label; with the seconds of a data point. `None` for any other text.
    pub fn of_label(label: &str) -> Option<(SeriesKey, u32)> {
        let mut words = label.split(' ');
        let name = words.next()?;
        let pairs: BTreeMap<&str, &str> = words.filter_map(|word| word.split_once('=')).collect();
        let is_it = |metric: &&AccountMetric| {
            let dimension = metric.dimension();
            metric.name() == name
                && dimension.is_none_or(|(name, value)| pairs.get(name) == Some(&value))
        };
        let metric = *AccountMetric::OF_TABLE.iter().find(is_it)?;
        let key = SeriesKey {
            table: (*pairs.get("TableName")?).to_string(),
            index: pairs
                .get("GlobalSecondaryIndexName")
                .map(|name| (*name).to_string()),
            metric,
        };
        let seconds = pairs.get("Period")?.parse().ok()?;
        Some((key, seconds))
    }
}

/// An answer of GetMetricData, as `aws cloudwatch get-metric-data` writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricPage {
    metric_data_results: Vec<MetricResult>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricResult {
    #[serde(default)]
    label: String,
    #[serde(default)]
    timestamps: Vec<String>,
    #[serde(default)]
    values: Vec<f64>,
}

/// The metrics of a region, as far as a workload needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountMetrics {
    /// Whatever was asked for, whether or not it has data points.
    series: BTreeMap<SeriesKey, MetricSeries>,
}

/// What is kept of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricSeries {
    /// Consumed units in time, and sums of any other metric.
    pub(super) consumed: ConsumedUnits,
    /// The least and the most of a data point, in halves.
    pub(super) range: Option<(u64, u64)>,
    /// The seconds at which the first and the last data point begin.
    pub(super) span: Option<(i64, i64)>,
}

impl MetricSeries {
    /// Adds a data point: the second at which it begins, its length in seconds and its value.
    /// Returns whether the value can be a number of units.
    pub fn add(&mut self, start: i64, seconds: u32, value: f64) -> bool {
        let Some(halves) = halves_of(value) else {
            return false;
        };
        let (least, most) = self.range.unwrap_or((halves, halves));
        self.range = Some((least.min(halves), most.max(halves)));
        let (first, last) = self.span.unwrap_or((start, start));
        self.span = Some((first.min(start), last.max(start)));
        self.consumed.add(DataPoint {
            start,
            seconds,
            halves,
        });
        true
    }
}

impl AccountMetrics {
    /// The series of a metric that was asked for: without a data point it was idle.
    pub fn asked(&mut self, key: SeriesKey) -> &mut MetricSeries {
        self.series.entry(key).or_default()
    }

    /// Forgets a metric whose answer is not complete, so that it is unknown.
    pub fn forget(&mut self, key: &SeriesKey) {
        self.series.remove(key);
    }

    /// Adds a whole page of answers of a time.
    ///
    /// # Errors
    /// If a label or a data point cannot be read, or lies outside the time, or is there twice.
    pub(super) fn add_page(&mut self, page: &MetricPage, from: i64, to: i64) -> Result<(), String> {
        for result in &page.metric_data_results {
            let label = || harmless(&result.label);
            let (key, seconds) = SeriesKey::of_label(&result.label)
                .filter(|(_, seconds)| *seconds > 0)
                .ok_or_else(|| format!("{:?} is not the label of a metric of a table", label()))?;
            if result.timestamps.len() != result.values.len() {
                return Err(format!(
                    "{}: {} timestamps have {} values",
                    label(),
                    result.timestamps.len(),
                    result.values.len()
                ));
            }
            let series = self.asked(key);
            for (time, value) in result.timestamps.iter().zip(&result.values) {
                let wrong = |what: &str| format!("{}: {} {value} {what}", label(), harmless(time));
                let start = chrono::DateTime::parse_from_rfc3339(time)
                    .map_err(|_| wrong("is not a data point"))?
                    .timestamp();
                if start < from || start >= to {
                    return Err(wrong("is outside the time of the metrics"));
                }
                if series.span.is_some_and(|(_, last)| start <= last) {
                    return Err(wrong("is there twice, or out of order"));
                }
                if !series.add(start, seconds, *value) {
                    return Err(wrong("is not a data point"));
                }
            }
        }
        Ok(())
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The series of a table and its indexes.
    pub(super) fn of_table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a MetricSeries> {
        let own = self
            .series
            .iter()
            .filter(move |(key, _)| key.table == table);
        own.map(|(_, series)| series)
    }

    /// The series of a table or one of its indexes.
    pub(super) fn get(
        &self,
        table: &str,
        index: Option<&str>,
        metric: AccountMetric,
    ) -> Option<&MetricSeries> {
        self.series.get(&SeriesKey {
            table: table.to_string(),
            index: index.map(str::to_string),
            metric,
        })
    }
}

/// A value in half units. CloudWatch answers in floating-point numbers, which hold halves exactly.
fn halves_of(value: f64) -> Option<u64> {
    let halves = value * 2.0;
    let is_units = halves.is_finite() && (0.0..=9e15).contains(&halves);
    is_units.then_some(halves.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_what_they_are_of() {
        for metric in AccountMetric::OF_TABLE {
            for index in [None, Some("by-customer".to_string())] {
                let key = SeriesKey {
                    table: "Orders".to_string(),
                    index,
                    metric,
                };
                assert_eq!(SeriesKey::of_label(&key.label(60)), Some((key, 60)));
            }
        }
        for label in [
            "",
            "Orders",
            "ConsumedReadCapacityUnits",
            "CPU TableName=a Period=60",
        ] {
            assert_eq!(SeriesKey::of_label(label), None, "{label}");
        }
    }
}
