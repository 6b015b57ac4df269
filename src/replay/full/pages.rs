//! Pages of Query and Scan, read from the tables in memory.

use serde_json::Value;

use super::requests::{Done, Requests, consistency, item_of, list, shown, wrong};
use crate::replay::dynamodb::expression::{KeyCondition, Parser, Test, legacy_conditions};
use crate::replay::dynamodb::key::{self, KeyValue, KeyValues, NamedKey};
use crate::replay::dynamodb::tables::PageRequest;
use crate::replay::error::CannotExecute;
use crate::table::{ApiName, Consistency, IndexKind, KeyStart, Operation, Projection, ReadPage};
use crate::trace::{SkipReason, TracedKey};

/// A page to be read.
pub(super) struct Page<'a> {
    pub(super) table: usize,
    pub(super) asked: PageRequest,
    pub(super) consistency: Consistency,
    /// Whether a local index also reads each base item.
    pub(super) fetches: bool,
    /// The keys of the items that were read, if the line gives them.
    pub(super) evaluated_keys: Option<&'a Value>,
    pub(super) is_scan: bool,
}

impl Requests<'_> {
    /// The position of an index that a request names.
    pub(super) fn index_of(&self, table: usize, name: &str) -> Result<usize, CannotExecute> {
        let state = self.state(table);
        let indexes = &state.design.table.indexes;
        let existing = || (0..indexes.len()).filter(|at| !state.has_ended(*at));
        if let Some(found) = existing().find(|at| indexes[*at].name == name) {
            return Ok(found);
        }
        let known: Vec<&str> = existing().map(|at| indexes[at].name.as_str()).collect();
        let text = format!(
            "no index {}; the table has {}",
            name.escape_debug(),
            known.join(", ")
        );
        Err((SkipReason::UnknownIndex, text))
    }

    /// One page of a Query or Scan.
    pub(super) fn page(&mut self, body: &Value) -> Result<Done, CannotExecute> {
        let table = self.named(body)?;
        let is_scan = self.request.api == ApiName::Scan;
        let index = match body["IndexName"].as_str() {
            Some(name) => Some(self.index_of(table, name)?),
            None => None,
        };
        let after = &body["ExclusiveStartKey"];
        let after = if after.is_null() {
            None
        } else {
            Some(item_of(after, "ExclusiveStartKey")?)
        };
        let page = Page {
            table,
            consistency: consistency(body),
            fetches: self.fetches(table, index, body)?,
            evaluated_keys: self.request.evaluated_keys.as_ref(),
            is_scan,
            asked: PageRequest {
                index,
                conditions: key_conditions(body, is_scan)?,
                backward: body["ScanIndexForward"] == false,
                limit: body["Limit"].as_u64(),
                after,
                segment: body["Segment"].as_u64().zip(body["TotalSegments"].as_u64()),
            },
        };
        self.read(page)
    }

    /// Whether a read of a local index requests attributes that the index does not hold (rule 2.7).
    fn fetches(
        &self,
        table: usize,
        index: Option<usize>,
        body: &Value,
    ) -> Result<bool, CannotExecute> {
        let table = &self.state(table).design.table;
        let index = index.map(|at| &table.indexes[at]);
        let Some(index) = index.filter(|index| index.kind == IndexKind::Local) else {
            return Ok(false);
        };
        if body["Select"] == "ALL_ATTRIBUTES" {
            return Ok(index.projection != Projection::All);
        }
        let names: Vec<String> = match (&body["ProjectionExpression"], &body["AttributesToGet"]) {
            (Value::String(text), _) => Parser::new(text, body)
                .and_then(Parser::projection)
                .map_err(|error| wrong(format!("ProjectionExpression: {error}")))?,
            (_, legacy) => {
                let names = list(legacy).iter().filter_map(Value::as_str);
                names.map(str::to_string).collect()
            }
        };
        Ok(names.iter().any(|name| !index.holds(&table.keys, name)))
    }

    /// Reads a page.
    pub(super) fn read(&mut self, page: Page) -> Result<Done, CannotExecute> {
        let numbers = self.engine.switches.number_alignment;
        if page.is_scan && page.evaluated_keys.is_none() {
            self.engine.tally.totals.provenance.scans += 1;
        }
        let state = self.state(page.table);
        let table = &state.design.table;
        let found = match page.evaluated_keys {
            Some(keys) => {
                let keys = self.evaluated_keys(page.table, keys)?;
                state.stored.named(table, page.asked.index, &keys, numbers)
            }
            None => state
                .stored
                .page(table, &page.asked, numbers)
                .map_err(wrong)?,
        };
        let read = ReadPage {
            index: page.asked.index,
            evaluated: found.bytes,
            consistency: page.consistency,
            fetched: page.fetches.then(|| found.items.clone()),
        };
        let operation = if page.is_scan {
            Operation::Scan(read)
        } else {
            Operation::Query(read)
        };
        Ok(Done {
            table: page.table,
            index: page.asked.index,
            operation,
            keys: vec![NamedKey {
                key: partition_of(&page.asked.conditions),
                start: start_of(&page.asked.conditions),
            }],
            items: found.count,
            read: found.starts,
        })
    }

    /// The keys of the items that were read, as the line gives them.
    fn evaluated_keys(&self, table: usize, keys: &Value) -> Result<Vec<KeyValues>, CannotExecute> {
        let mut all = Vec::new();
        for key in list(keys) {
            all.push(self.key_of(table, &item_of(key, "evaluated_keys")?)?);
        }
        match all.iter().find(|key| self.stored(table, key).is_none()) {
            Some(missing) => Err(wrong(format!(
                "evaluated_keys names {}, which is not stored",
                shown(missing)
            ))),
            None => Ok(all),
        }
    }
}

/// The key under which a page is counted: the value of its first condition on equality.
fn partition_of(conditions: &[KeyCondition]) -> TracedKey {
    let equal = conditions.iter().find_map(|one| match &one.test {
        Test::Equal(value) => KeyValue::of(value),
        _ => None,
    });
    TracedKey::of(&equal.map(|value| value.bytes()).unwrap_or_default())
}

/// How the keys begin that the conditions of a page name: the value of the partition key, and what
/// the sort key begins with.
fn start_of(conditions: &[KeyCondition]) -> KeyStart {
    let mut values = conditions.iter().filter_map(|one| match &one.test {
        Test::Equal(value) | Test::BeginsWith(value) => KeyValue::of(value),
        _ => None,
    });
    let key: Vec<KeyValue> = values.by_ref().take(2).collect();
    key::start_of(&key)
}

/// The conditions on keys of a Query; a Scan has none.
fn key_conditions(body: &Value, is_scan: bool) -> Result<Vec<KeyCondition>, CannotExecute> {
    match (&body["KeyConditionExpression"], &body["KeyConditions"]) {
        (Value::String(text), _) => Parser::new(text, body)
            .and_then(Parser::key_conditions)
            .map_err(|error| wrong(format!("KeyConditionExpression: {error}"))),
        (_, legacy @ Value::Object(_)) => legacy_conditions(legacy).map_err(wrong),
        _ if is_scan => Ok(Vec::new()),
        _ => Err(wrong("a Query without KeyConditionExpression")),
    }
}
