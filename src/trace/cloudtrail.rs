//! CloudTrail data events: operation, table, key and time of each call; no sizes, no counts.
//!
//! Sizes come from earlier events of the key, an export, or the workload's distribution; the number
//! and sizes of items that a Query or Scan found come from the access pattern of the workload that
//! reads the same way. A failed condition costs, a throttled call does not. Source: "Logging
//! DynamoDB operations by using AWS CloudTrail", Developer Guide, and its examples: the case of
//! names differs within one event, keys are plain values, items are lists of names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{RecordFormat, member, text};
use super::{
    ApiName, Event, Failure, MemberAction, NameTable, RowPlace, SkipReason, TracedCall, TracedKey,
    What, Wrong, parse_time,
};
use crate::table::{Arn, Consistency, KeySchema};

/// CloudTrail's events.
#[derive(Debug, Default)]
pub struct Trail {
    keys: BTreeMap<String, KeySchema>,
    others: u64,
    free: u64,
}

impl Trail {
    /// Creates a reader; `keys` are the key schemas of the tables, which give the order of a key's
    /// values.
    pub fn new(keys: BTreeMap<String, KeySchema>) -> Trail {
        Trail {
            keys,
            ..Trail::default()
        }
    }

    /// A key of plain values: the values of the table's key attributes in schema order, joined by
    /// `|`. These are the same bytes as for an item of an export.
    fn key(&self, table: &str, key: Option<&Value>) -> TracedKey {
        let Some(object) = key.and_then(Value::as_object) else {
            return TracedKey::of(b"");
        };
        let value = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_string)
        };
        let named: Option<Vec<String>> = self.keys.get(table).map(|keys| {
            keys.names()
                .filter_map(|name| object.get(name).map(value))
                .collect()
        });
        let values = named.filter(|values| values.len() == object.len());
        let values = values.unwrap_or_else(|| object.values().map(value).collect());
        TracedKey::of(values.join("|").as_bytes())
    }

    fn calls(
        &self,
        api: ApiName,
        request: &Value,
        names: &mut NameTable,
    ) -> Result<Vec<(String, TracedCall)>, Wrong> {
        if matches!(
            api,
            ApiName::BatchGetItem
                | ApiName::BatchWriteItem
                | ApiName::TransactGetItems
                | ApiName::TransactWriteItems
        ) {
            return self.members(api, request);
        }
        let name = table_of(request).ok_or_else(|| no_table(api))?;
        let mut call = TracedCall::new(api, self.key(&name, member(request, "key")));
        call.index = text(request, "indexName").map(|index| names.number(index));
        // Reads are eventually consistent unless the request sets consistentRead.
        let strong = member(request, "consistentRead").and_then(Value::as_bool);
        call.consistency = Some(match strong {
            Some(true) => Consistency::Strong,
            _ => Consistency::Eventual,
        });
        Ok(vec![(name, call)])
    }

    /// The calls in a batch or a transaction, one for each item.
    fn members(&self, api: ApiName, request: &Value) -> Result<Vec<(String, TracedCall)>, Wrong> {
        let items = member(request, "requestItems").or_else(|| member(request, "transactItems"));
        let items = items.ok_or_else(|| {
            (
                SkipReason::Malformed,
                "requestParameters has no requestItems".to_string(),
            )
        })?;
        let call = |name: &str, key: Option<&Value>, action: Option<MemberAction>| {
            let call = TracedCall {
                action,
                ..TracedCall::new(api, self.key(name, key))
            };
            (name.to_string(), call)
        };
        let mut calls = Vec::new();
        match items {
            Value::Array(list) => {
                for one in list {
                    let action = text(one, "operation").and_then(MemberAction::parse);
                    let table = table_of(one).ok_or_else(|| no_table(api))?;
                    calls.push(call(&table, member(one, "key"), action));
                }
            }
            Value::Object(tables) => {
                for (name, requests) in tables {
                    let table = Arn::of(name).table();
                    let list = requests
                        .as_array()
                        .or_else(|| member(requests, "keys").and_then(Value::as_array));
                    for one in list.into_iter().flatten() {
                        let (key, action) = key_and_action(one);
                        calls.push(call(table, key, action));
                    }
                }
            }
            other => {
                return Err((
                    SkipReason::Malformed,
                    format!("requestItems is {other}; expected a list or an object"),
                ));
            }
        }
        Ok(calls)
    }
}

fn table_of(value: &Value) -> Option<String> {
    text(value, "tableName").map(|name| Arn::of(name).table().to_string())
}

fn no_table(api: ApiName) -> Wrong {
    let name = api.name();
    (
        SkipReason::UnknownTable,
        format!("requestParameters has no tableName; {name} requires one"),
    )
}

/// The key of a member of a batch, and its action if it is a write.
fn key_and_action(one: &Value) -> (Option<&Value>, Option<MemberAction>) {
    let put = member(one, "putRequest").map(|put| (put, MemberAction::Put));
    let found = put.or_else(|| {
        let delete = member(one, "deleteRequest")?;
        Some((delete, MemberAction::Delete))
    });
    match found {
        Some((inner, action)) => (member(inner, "key"), Some(action)),
        None => (member(one, "key").or(Some(one)), None),
    }
}

impl RecordFormat for Trail {
    fn record(
        &mut self,
        record: Value,
        place: RowPlace,
        names: &mut NameTable,
        events: &mut Vec<Event>,
    ) -> Result<(), Wrong> {
        let record = member(&record, "detail")
            .filter(|detail| member(detail, "eventName").is_some())
            .unwrap_or(&record);
        if text(record, "eventSource") != Some("dynamodb.amazonaws.com") {
            if text(record, "eventName").is_none() {
                return Err((
                    SkipReason::Malformed,
                    "not a CloudTrail event: it has no eventName".to_string(),
                ));
            }
            self.others += 1;
            return Ok(());
        }
        let name = text(record, "eventName").unwrap_or_default();
        let known = ApiName::parse(name);
        let api = known.ok_or_else(|| {
            (
                SkipReason::UnknownOperation,
                format!("unknown DynamoDB operation \"{}\"", name.escape_debug()),
            )
        })?;
        let time = text(record, "eventTime").and_then(|time| parse_time(time, None));
        let (time, _) = time.ok_or_else(|| (SkipReason::Time, "no eventTime".to_string()))?;
        if api.is_free() {
            self.free += 1;
            return Ok(());
        }
        let failure =
            text(record, "errorCode").map(|code| Failure::parse(code).unwrap_or(Failure::Free));
        let region = text(record, "awsRegion").map(|region| names.number(region));
        let null = Value::Null;
        let request = member(record, "requestParameters").unwrap_or(&null);
        if matches!(
            api,
            ApiName::ExecuteStatement
                | ApiName::BatchExecuteStatement
                | ApiName::ExecuteTransaction
        ) {
            let table = member(record, "resources")
                .and_then(|list| list.get(0))
                .and_then(|one| text(one, "ARN"))
                .map(|name| Arn::of(name).table());
            let table = table.map(|table| names.number(table));
            let call = TracedCall {
                region,
                failure,
                ..TracedCall::new(api, TracedKey::of(b""))
            };
            events.push(Event {
                time,
                place,
                table,
                what: What::Call(call),
            });
            return Ok(());
        }
        for (table, call) in self.calls(api, request, names)? {
            let call = TracedCall {
                region,
                failure,
                ..call
            };
            events.push(Event {
                time,
                place,
                table: Some(names.number(&table)),
                what: What::Call(call),
            });
        }
        Ok(())
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "CloudTrail logs no item sizes, no results of queries and no deletions by Time to \
             Live; the output shows where the sizes come from"
                .to_string(),
        ];
        if self.others > 0 {
            notes.push(format!(
                "events of other services were ignored: {}",
                self.others
            ));
        }
        if self.free > 0 {
            notes.push(format!(
                "events that consume no units of a table (control plane, streams): {}",
                self.free
            ));
        }
        notes
    }
}
