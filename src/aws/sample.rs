//! A sample of the items of each table: segments of a scan.

use serde_json::{Value, json};

use super::calls::{Failure, call};
use super::describe::DescribedRegion;
use super::{AskEvent, Asking, RegionError, SampledTables};
use crate::import::{SampledItem, sampled};

/// The most segments of a scan. Source: API Reference, "Scan".
const SEGMENTS_MAX: u64 = 1_000_000;

/// In how many places of a table items are read.
const PLACES: u64 = 20;

const ACTION: &str = "dynamodb:Scan";

impl Asking<'_> {
    /// Reads items of each table, if they are asked for; says beforehand how many.
    pub async fn samples(&mut self, described: &mut DescribedRegion) -> Result<(), RegionError> {
        let wanted = u64::from(self.request.sample);
        if wanted == 0 {
            return Ok(());
        }
        let number = |table: &Value, key: &str| table[key].as_u64().unwrap_or_default();
        let of_table = |table: &Value| {
            let (items, bytes) = (number(table, "ItemCount"), number(table, "TableSizeBytes"));
            let name = table["TableName"].as_str()?.to_string();
            (items > 0).then(|| (name, wanted.min(items), bytes.div_ceil(items)))
        };
        let tables: Vec<_> = described.descriptions().filter_map(of_table).collect();
        (self.tell)(AskEvent::Sampling(SampledTables {
            region: self.region.to_string(),
            tables: tables.clone(),
        }));
        let client = aws_sdk_dynamodb::Client::new(self.config);
        for (done, (name, ..)) in tables.iter().enumerate() {
            self.tell("samples", done, tables.len());
            let Some(answers) = described.tables.get_mut(name) else {
                continue;
            };
            let table = answers.iter().find_map(|answer| answer.get("Table"));
            let Some(table) = table.cloned() else {
                continue;
            };
            let items = self.sample(&client, &table, wanted).await?;
            if !items.is_empty() {
                answers.push(json!({ "ItemSample": { "Items": items } }));
            }
        }
        Ok(())
    }

    /// Reads items of a table: a few of each of some segments, which lie evenly over the table, so
    /// that one large item collection is not all that is seen.
    async fn sample(
        &mut self,
        client: &aws_sdk_dynamodb::Client,
        table: &Value,
        wanted: u64,
    ) -> Result<Vec<SampledItem>, RegionError> {
        let name = table["TableName"].as_str().unwrap_or_default();
        let items = table["ItemCount"].as_u64().unwrap_or_default();
        let places = wanted.min(PLACES);
        let of_place = wanted.div_ceil(places);
        let segments = (items / of_place).clamp(places, SEGMENTS_MAX);
        let mut found: Vec<SampledItem> = Vec::new();
        for place in 0..places {
            let segment = place * segments / places;
            let mut start = None;
            let before = found.len() as u64;
            loop {
                let missing = (before + of_place).min(wanted) - found.len() as u64;
                if missing == 0 {
                    break;
                }
                let request = client
                    .scan()
                    .table_name(name)
                    .segment(segment as i32)
                    .total_segments(segments as i32)
                    .limit(missing.min(1_000) as i32)
                    .set_exclusive_start_key(start);
                match call!(request) {
                    Ok((answer, body)) => {
                        let items = body["Items"].as_array().into_iter().flatten();
                        found.extend(items.filter_map(|item| sampled(table, item)));
                        start = answer.last_evaluated_key().cloned();
                    }
                    Err(failure) => {
                        self.gap(ACTION, Some(name), failure)?;
                        return Ok(found);
                    }
                }
                if start.is_none() {
                    break;
                }
            }
        }
        if found.is_empty() {
            let why = Failure::Other("the segments that were read have no items".to_string());
            self.gap(ACTION, Some(name), why)?;
        }
        Ok(found)
    }
}
