//! What CloudWatch counted, in as few calls of GetMetricData as can be.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode,
};
use aws_smithy_types::DateTime;
use serde_json::Value;
use tokio::task::JoinSet;

use super::calls::Failure;
use super::describe::{DescribedRegion, is_provisioned};
use super::{Asking, AwsError, RegionError};
use crate::import::{AccountMetric, AccountMetrics, SeriesKey};
use crate::time::utc;

/// The most queries in a call. Source: CloudWatch API Reference, "GetMetricData".
const QUERIES_MAX: usize = 500;

/// The most data points in an answer. Source: the same.
const DATAPOINTS_MAX: i32 = 100_800;

/// How many calls are made at once.
const AT_ONCE: usize = 4;

const ACTION: &str = "cloudwatch:GetMetricData";

/// A call: which queries, and which page of their answer.
struct PageAsked {
    batch: usize,
    page: usize,
    token: Option<String>,
}

impl Asking<'_> {
    /// Asks for the metrics of every table; none if CloudWatch may not be asked.
    pub async fn metrics(
        &mut self,
        described: &DescribedRegion,
    ) -> Result<AccountMetrics, RegionError> {
        let keys = keys(described);
        let seconds = period(self.request.from, self.request.to);
        let mut metrics = AccountMetrics::default();
        match self.ask_metrics(&keys, seconds, &mut metrics).await? {
            Ok(()) => Ok(metrics),
            Err(failure) => {
                self.gap(ACTION, None, failure)?;
                self.raw.remove(&format!("{}/metrics", self.region))?;
                Ok(AccountMetrics::default())
            }
        }
    }

    async fn ask_metrics(
        &mut self,
        keys: &[SeriesKey],
        seconds: u32,
        metrics: &mut AccountMetrics,
    ) -> Result<Result<(), Failure>, RegionError> {
        let client = Client::new(self.config);
        let batches: Vec<&[SeriesKey]> = keys.chunks(QUERIES_MAX).collect();
        let mut waiting: Vec<PageAsked> = (0..batches.len())
            .rev()
            .map(|batch| PageAsked {
                batch,
                page: 0,
                token: None,
            })
            .collect();
        let mut running = JoinSet::new();
        let mut done = 0;
        loop {
            while running.len() < AT_ONCE
                && let Some(asked) = waiting.pop()
            {
                let queries = batches[asked.batch].iter().enumerate();
                let queries = queries.map(|(at, key)| query(at, key, seconds)).collect();
                let window = (self.request.from, self.request.to);
                running.spawn(page(client.clone(), queries, window, asked));
            }
            let Some(one) = running.join_next().await else {
                return Ok(Ok(()));
            };
            let (asked, answer) =
                one.map_err(|error| AwsError::new(error.to_string(), "try again"))?;
            let answer = match answer {
                Ok(answer) => answer,
                // Without the permission, no call has an answer.
                Err(failure @ Failure::Denied(_)) => return Ok(Err(failure)),
                Err(failure) => {
                    self.without(batches[asked.batch], asked.batch, failure, metrics)?;
                    continue;
                }
            };
            if let Some(key) = broken(&answer, batches[asked.batch]) {
                let why = format!("CloudWatch could not answer for {}", key.metric.name());
                let failure = Failure::Other(why);
                self.without(batches[asked.batch], asked.batch, failure, metrics)?;
                continue;
            }
            done += self.take(&answer, batches[asked.batch], (seconds, &asked), metrics)?;
            self.tell("metrics", done, keys.len());
            if let Some(token) = answer.next_token() {
                waiting.push(PageAsked {
                    batch: asked.batch,
                    page: asked.page + 1,
                    token: Some(token.to_string()),
                });
            }
        }
    }

    /// Leaves the metrics of a batch unknown: a part of them would be taken for all.
    fn without(
        &mut self,
        keys: &[SeriesKey],
        batch: usize,
        failure: Failure,
        metrics: &mut AccountMetrics,
    ) -> Result<(), RegionError> {
        for page in 0.. {
            if !self.raw.remove(&page_name(self.region, batch, page))? {
                break;
            }
        }
        let mut tables: Vec<&str> = keys.iter().map(|key| key.table.as_str()).collect();
        tables.dedup();
        for table in tables {
            self.gap(ACTION, Some(table), failure.clone())?;
        }
        keys.iter().for_each(|key| metrics.forget(key));
        Ok(())
    }

    /// Takes a page of answers; returns how many metrics are complete.
    fn take(
        &mut self,
        answer: &GetMetricDataOutput,
        keys: &[SeriesKey],
        (seconds, asked): (u32, &PageAsked),
        metrics: &mut AccountMetrics,
    ) -> Result<usize, RegionError> {
        let mut complete = 0;
        let mut kept = Vec::new();
        for result in answer.metric_data_results() {
            let at = result.id().and_then(|id| id.strip_prefix('q'));
            let Some(key) = at.and_then(|at| keys.get(at.parse::<usize>().ok()?)) else {
                continue;
            };
            complete += usize::from(result.status_code() != Some(&StatusCode::PartialData));
            let series = metrics.asked(key.clone());
            for (time, value) in result.timestamps().iter().zip(result.values()) {
                if !series.add(time.secs(), seconds, *value) {
                    let why = Failure::Other(format!(
                        "CloudWatch answers {value} as {} at {}",
                        key.metric.name(),
                        utc(time.secs())
                    ));
                    self.gap(ACTION, Some(&key.table), why)?;
                }
            }
            if self.raw.is_kept() {
                kept.push(result);
            }
        }
        if !self.raw.is_kept() {
            return Ok(complete);
        }
        // Most metrics of a page have the same times.
        let mut times: BTreeMap<i64, String> = BTreeMap::new();
        for time in kept.iter().flat_map(|result| result.timestamps()) {
            let second = time.secs();
            times.entry(second).or_insert_with(|| utc(second));
        }
        let text = |time: &DateTime| times.get(&time.secs()).map_or("", String::as_str);
        let kept = kept.iter().map(|result| KeptResult {
            id: result.id().unwrap_or_default(),
            label: result.label().unwrap_or_default(),
            timestamps: result.timestamps().iter().map(text).collect(),
            values: result.values(),
        });
        let name = page_name(self.region, asked.batch, asked.page);
        let page = KeptPage {
            metric_data_results: kept.collect(),
        };
        self.raw.compressed(&name, &page)?;
        Ok(complete)
    }
}

/// The file of a page.
fn page_name(region: &str, batch: usize, page: usize) -> String {
    format!("{region}/metrics/{batch:03}-{page:05}.json.gz")
}

/// A metric that CloudWatch could not answer for.
fn broken<'a>(answer: &GetMetricDataOutput, keys: &'a [SeriesKey]) -> Option<&'a SeriesKey> {
    let mut results = answer.metric_data_results().iter();
    let result = results.find(|result| {
        let status = result.status_code();
        matches!(
            status,
            Some(StatusCode::Forbidden | StatusCode::InternalError)
        )
    })?;
    let at = result.id()?.strip_prefix('q')?;
    keys.get(at.parse::<usize>().ok()?)
}

/// An answer as AWS's command line writes it.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeptPage<'a> {
    metric_data_results: Vec<KeptResult<'a>>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeptResult<'a> {
    id: &'a str,
    label: &'a str,
    timestamps: Vec<&'a str>,
    values: &'a [f64],
}

async fn page(
    client: Client,
    queries: Vec<MetricDataQuery>,
    (from, to): (i64, i64),
    asked: PageAsked,
) -> (PageAsked, Result<GetMetricDataOutput, Failure>) {
    let answer = client
        .get_metric_data()
        .set_metric_data_queries(Some(queries))
        .start_time(DateTime::from_secs(from))
        .end_time(DateTime::from_secs(to))
        .scan_by(ScanBy::TimestampAscending)
        .max_datapoints(DATAPOINTS_MAX)
        .set_next_token(asked.token.clone())
        .send()
        .await;
    (asked, answer.map_err(|error| Failure::of(&error)))
}

/// The seconds of a data point that CloudWatch has kept for so long: a minute for 15 days, five
/// minutes for 63 days, an hour for 455 days. The time begins up to a day earlier than its length
/// says, since it ends at a whole hour in the past. Source: CloudWatch User Guide, "Metrics
/// retention".
fn period(from: i64, to: i64) -> u32 {
    match (to - from).div_euclid(86_400) {
        ..=14 => 60,
        15..=62 => 300,
        _ => 3_600,
    }
}

/// What is asked about each table and each of its global secondary indexes.
fn keys(described: &DescribedRegion) -> Vec<SeriesKey> {
    let mut keys = Vec::new();
    for table in described.descriptions() {
        let Some(name) = table["TableName"].as_str() else {
            continue;
        };
        let is_provisioned = is_provisioned(table);
        let indexes = table["GlobalSecondaryIndexes"].as_array();
        let indexes = indexes.into_iter().flatten().filter_map(name_of_index);
        for index in std::iter::once(None).chain(indexes.map(Some)) {
            let metrics = AccountMetric::OF_TABLE.iter().filter(|metric| {
                (index.is_none() || metric.is_of_indexes())
                    && (is_provisioned || !metric.is_of_provisioned())
            });
            keys.extend(metrics.map(|metric| SeriesKey {
                table: name.to_string(),
                index: index.clone(),
                metric: *metric,
            }));
        }
    }
    keys
}

fn name_of_index(index: &Value) -> Option<String> {
    index["IndexName"].as_str().map(str::to_string)
}

fn query(at: usize, key: &SeriesKey, seconds: u32) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let mut metric = Metric::builder()
        .namespace("AWS/DynamoDB")
        .metric_name(key.metric.name())
        .dimensions(dimension("TableName", &key.table));
    if let Some(index) = &key.index {
        metric = metric.dimensions(dimension("GlobalSecondaryIndexName", index));
    }
    if let Some((name, value)) = key.metric.dimension() {
        metric = metric.dimensions(dimension(name, value));
    }
    let stat = MetricStat::builder()
        .metric(metric.build())
        .period(seconds as i32)
        .stat(key.metric.statistic())
        .build();
    MetricDataQuery::builder()
        .id(format!("q{at}"))
        .label(key.label(seconds))
        .metric_stat(stat)
        .build()
}
