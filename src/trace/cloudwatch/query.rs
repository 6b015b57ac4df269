//! What CloudWatch was asked for: the queries of GetMetricData, the names of Prometheus exporters,
//! and the queries that ask for exactly what is needed.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use super::points::Statistic;
use super::{Metric, SPLITS, decimal, malformed};
use crate::trace::json::{member, text};
use crate::trace::{SkipReason, Wrong};

/// A query of GetMetricData.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub id: String,
    /// The metric, if it is one that counts; for an expression, that of its operand.
    pub metric: Option<Metric>,
    pub table: Option<String>,
    pub index: Option<String>,
    pub statistic: Option<Statistic>,
    pub period: Option<u32>,
    pub is_split: bool,
    /// For an expression: the queries of consumed units that it is calculated from.
    pub of: Vec<String>,
    /// An expression of consumed units that is not understood.
    pub unclear: Option<String>,
    /// Whether it is a SEARCH, whose labels name what was found.
    pub is_search: bool,
}

/// The queries of a document.
pub fn asked(document: &Value) -> Result<Vec<Asked>, Wrong> {
    let queries = member(document, "MetricDataQueries").and_then(Value::as_array);
    let mut all: Vec<Asked> = Vec::new();
    let queries = queries.map_or(&[][..], Vec::as_slice);
    for query in queries {
        if let Some(stat) = member(query, "MetricStat") {
            all.push(stated(query, stat)?);
        }
    }
    for query in queries {
        if let Some(expression) = text(query, "Expression") {
            let period = member(query, "Period").and_then(Value::as_u64);
            let mut asked = calculated(expression, &all);
            asked.id = text(query, "Id").unwrap_or_default().to_string();
            let period = period.and_then(|seconds| u32::try_from(seconds).ok());
            asked.period = asked.period.or(period);
            all.push(asked);
        }
    }
    Ok(all)
}

/// A query of a metric.
fn stated(query: &Value, stat: &Value) -> Result<Asked, Wrong> {
    let null = Value::Null;
    let metric = member(stat, "Metric").unwrap_or(&null);
    let dimensions = member(metric, "Dimensions").and_then(Value::as_array);
    let dimension = |wanted: &str| {
        let mut list = dimensions?.iter();
        let found = list.find(|one| text(one, "Name") == Some(wanted))?;
        text(found, "Value").map(str::to_string)
    };
    let id = text(query, "Id").unwrap_or_default().to_string();
    let name = text(stat, "Stat").unwrap_or_default();
    let statistic = Statistic::parse(name)
        .ok_or_else(|| malformed(format!("{id}: \"{name}\" is not a statistic of CloudWatch")))?;
    Ok(Asked {
        id,
        metric: text(metric, "MetricName").and_then(Metric::exact),
        table: dimension("TableName"),
        index: dimension("GlobalSecondaryIndexName"),
        statistic: Some(statistic),
        period: member(stat, "Period")
            .and_then(Value::as_u64)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0),
        is_split: SPLITS.iter().any(|name| dimension(name).is_some()),
        of: Vec::new(),
        unclear: None,
        is_search: false,
    })
}

/// A query that is calculated from another one: `m/PERIOD(m)` or `m/60` is the rate of `m`.
fn calculated(expression: &str, metrics: &[Asked]) -> Asked {
    if let Some(search) = searched(expression) {
        return search;
    }
    let plain: String = expression.chars().filter(|c| !c.is_whitespace()).collect();
    let find = |id: &str| metrics.iter().find(|metric| metric.id == id);
    let rate = plain.split_once('/').and_then(|(id, divisor)| {
        let metric = find(id)?;
        let seconds = metric.period.map(|seconds| seconds.to_string());
        let is_period = divisor.eq_ignore_ascii_case(&format!("PERIOD({id})"))
            || seconds.as_deref() == Some(divisor);
        (is_period && metric.statistic == Some(Statistic::Sum)).then_some(metric)
    });
    if let Some(metric) = rate {
        return Asked {
            statistic: Some(Statistic::Rate),
            of: vec![metric.id.clone()],
            ..metric.clone()
        };
    }
    // `FILL(m, 0)` leaves the sums as they are.
    let filled = plain
        .strip_prefix("FILL(")
        .and_then(|rest| rest.strip_suffix(",0)"))
        .and_then(find);
    if let Some(metric) = filled {
        return Asked {
            of: vec![metric.id.clone()],
            ..metric.clone()
        };
    }
    // An expression of consumed units that is returned beside them says nothing new.
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let operands = plain.split(|c| !is_word(c)).filter_map(find);
    let is_of_units = |metric: &&Asked| {
        matches!(metric.metric, Some(Metric::Read | Metric::Write)) || metric.unclear.is_some()
    };
    let of: Vec<String> = operands
        .filter(is_of_units)
        .map(|metric| metric.id.clone())
        .collect();
    let names_units = Metric::NAMES
        .iter()
        .any(|(name, _)| expression.contains(name));
    Asked {
        unclear: (!of.is_empty() || names_units).then(|| expression.to_string()),
        of,
        ..Asked::default()
    }
}

/// A search: `SEARCH('{AWS/DynamoDB,TableName} MetricName="ConsumedReadCapacityUnits"', 'Sum', 60)`.
/// Source: "Using search expressions in graphs", CloudWatch.
fn searched(expression: &str) -> Option<Asked> {
    let inner = expression
        .trim()
        .strip_prefix("SEARCH(")?
        .strip_suffix(')')?;
    let (terms, rest) = inner.trim().strip_prefix('\'')?.split_once('\'')?;
    let mut rest = rest.split(',').map(|part| part.trim().trim_matches('\''));
    let statistic = rest.nth(1).and_then(Statistic::parse);
    let period = rest.next().and_then(|seconds| seconds.parse().ok());
    let mut named = Metric::NAMES
        .iter()
        .filter(|(name, _)| terms.contains(name));
    let metric = match (named.next(), named.next()) {
        (Some((_, metric)), None) => Some(*metric),
        _ => None,
    };
    Some(Asked {
        metric,
        statistic,
        period,
        is_search: true,
        ..Asked::default()
    })
}

/// A sample of a Prometheus exporter.
pub struct Sample<'a> {
    pub name: &'a str,
    pub metric: Option<Metric>,
    pub table: Option<String>,
    pub index: Option<String>,
    pub region: Option<String>,
    pub statistic: Option<Statistic>,
    pub second: i64,
    pub value: Decimal,
}

/// The labels of a sample: `table_name="Orders",instance=""`.
struct Labels<'a>(&'a str);

impl Labels<'_> {
    /// The value of the first label that has one of these names.
    fn get(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|wanted| {
            let at = self.0.find(&format!("{wanted}=\""))?;
            let before = self.0[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                return None;
            }
            let rest = &self.0[at + wanted.len() + 2..];
            Some(rest[..rest.find('"')?].to_string())
        })
    }
}

/// The ends of a sample's name, and the statistic that each stands for.
const STATISTICS: [(&str, Statistic); 5] = [
    ("_sum", Statistic::Sum),
    ("_average", Statistic::Average),
    ("_sample_count", Statistic::SampleCount),
    ("_maximum", Statistic::Other),
    ("_minimum", Statistic::Other),
];

/// The sample in a line of Prometheus's text format, as the CloudWatch exporter
/// (`aws_dynamodb_consumed_read_capacity_units_sum{table_name="Orders",} 60.0 1717000200000`) and
/// YACE (`dimension_TableName`) write it; `None` for a comment.
pub fn sample(line: &str) -> Result<Option<Sample<'_>>, Wrong> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let end = line.find(['{', ' ']).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => rest
            .rsplit_once('}')
            .ok_or_else(|| malformed("a sample of Prometheus without `}`"))?,
        None => ("", rest),
    };
    let labels = Labels(labels);
    let own = name.strip_prefix("aws_dynamodb_").unwrap_or(name);
    let found = STATISTICS
        .iter()
        .find_map(|(end, statistic)| Some((own.strip_suffix(end)?, *statistic)));
    let (own, statistic) = found.map_or((own, None), |(own, found)| (own, Some(found)));
    let splits = [
        "operation",
        "dimension_Operation",
        "dimension_ReceivingRegion",
        "dimension_Source",
    ];
    let mut cells = rest.split_whitespace();
    let value = cells
        .next()
        .and_then(decimal)
        .ok_or_else(|| malformed(format!("{name} has no value of at least 0")))?;
    let metric = Metric::exact(own).filter(|_| labels.get(&splits).is_none());
    // OpenMetrics writes seconds with a fraction, Prometheus milliseconds.
    let milliseconds = cells.next().and_then(|cell| match cell.contains('.') {
        true => decimal(cell)?.checked_mul(Decimal::ONE_THOUSAND)?.to_i64(),
        false => cell.parse::<i64>().ok(),
    });
    let milliseconds = match metric {
        None => milliseconds.unwrap_or(0),
        Some(_) => milliseconds.ok_or_else(|| without_time(name))?,
    };
    Ok(Some(Sample {
        name,
        metric,
        table: labels.get(&["table_name", "dimension_TableName", "TableName"]),
        index: labels.get(&[
            "global_secondary_index_name",
            "dimension_GlobalSecondaryIndexName",
            "GlobalSecondaryIndexName",
        ]),
        region: labels.get(&["region", "aws_region"]),
        statistic,
        second: milliseconds.div_euclid(1_000),
        value,
    }))
}

fn without_time(name: &str) -> Wrong {
    let message = format!(
        "the sample of {name} has no time; let the exporter write it (set_timestamp: true in the \
         CloudWatch exporter, addCloudwatchTimestamp: true in YACE), or fetch the metrics from \
         CloudWatch"
    );
    (SkipReason::Time, message)
}

/// The queries for GetMetricData that ask for the units and throttled requests of tables and their
/// global indexes, minute by minute. The labels say everything that the answer needs.
///
/// The limit of one call is 500 queries. Source: API Reference, "GetMetricData".
pub fn queries(tables: &[(String, Vec<String>)]) -> Value {
    let mut all = Vec::new();
    for (table, indexes) in tables {
        let of_table = std::iter::once(None);
        for index in of_table.chain(indexes.iter().map(Some)) {
            for (name, metric) in Metric::NAMES {
                let mut dimensions = vec![json!({"Name": "TableName", "Value": table})];
                let mut label = format!("{name} TableName={table}");
                if let Some(index) = index {
                    dimensions.push(json!({"Name": "GlobalSecondaryIndexName", "Value": index}));
                    label.push_str(&format!(" GlobalSecondaryIndexName={index}"));
                }
                // Sums by the minute: DynamoDB publishes no shorter period.
                label.push_str(" Stat=Sum Period=60");
                let prefix = match metric {
                    Metric::Read => "read",
                    Metric::Write => "write",
                    Metric::ReadThrottled => "read_throttled",
                    Metric::WriteThrottled => "write_throttled",
                };
                all.push(json!({
                    "Id": format!("{prefix}_{}", all.len() / Metric::NAMES.len()),
                    "Label": label,
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/DynamoDB",
                            "MetricName": name,
                            "Dimensions": dimensions,
                        },
                        "Period": 60,
                        "Stat": "Sum",
                    },
                }));
            }
        }
    }
    Value::Array(all)
}
