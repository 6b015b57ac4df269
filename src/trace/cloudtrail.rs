//! CloudTrail data events: operation, table, key and time of each call; no sizes, no counts.
//!
//! Sizes come from earlier events of the key, an export, or the workload's distribution; the number
//! and sizes of items that a Query or Scan found come from the access pattern of the workload that
//! reads the same way. A failed condition costs, a throttled call does not. Source: "Logging
//! DynamoDB operations by using AWS CloudTrail", Developer Guide, and its examples: the case of
//! names differs within one event, keys are plain values, items are lists of names.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{RecordFormat, RecordOf, RecordSink, member, text};
use super::notes::{Notes, Passed};
use super::{
    ApiName, Event, Failure, MemberAction, NameTable, RecordId, SkipReason, TracedCall, TracedKey,
    What, Wrong, parse_time,
};
use crate::table::{Arn, Consistency, KeySchema};

/// CloudTrail's events.
#[derive(Debug, Default)]
pub struct Trail {
    keys: BTreeMap<String, KeySchema>,
}

impl Trail {
    /// Creates a reader; `keys` are the key schemas of the tables, which give the order of a key's
    /// values.
    pub fn new(keys: BTreeMap<String, KeySchema>) -> Trail {
        Trail { keys }
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
                    let (one, action) = transaction_member(one, action);
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
                    let list = list.ok_or_else(|| {
                        let message = format!("the requests of {name} are not a list");
                        (SkipReason::Malformed, message)
                    })?;
                    for one in list {
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

/// A member of a transaction: the object itself, or, as the API writes it, the only object in it,
/// whose name is the action: `{"put": {…}}`.
fn transaction_member(one: &Value, action: Option<MemberAction>) -> (&Value, Option<MemberAction>) {
    if action.is_some() || text(one, "tableName").is_some() {
        return (one, action);
    }
    let inner = ["get", "put", "update", "delete", "conditionCheck"]
        .into_iter()
        .find_map(|name| Some((member(one, name)?, MemberAction::parse(name))));
    inner.unwrap_or((one, action))
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

/// The tables that an event names as its resources.
fn resources(record: &Value) -> Vec<String> {
    let Some(resources) = member(record, "resources") else {
        return Vec::new();
    };
    let arns: Vec<&str> = match resources {
        Value::Array(list) => list.iter().filter_map(|one| text(one, "ARN")).collect(),
        // Athena prints a list of structs as `[{arn=…, accountid=…}]`.
        Value::String(printed) => printed
            .split(|c: char| c.is_whitespace() || "[]{},=\"".contains(c))
            .filter(|word| word.starts_with("arn:"))
            .collect(),
        _ => Vec::new(),
    };
    let mut tables: Vec<String> = Vec::new();
    for arn in arns.into_iter().map(Arn::of) {
        let table = arn.table().to_string();
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

/// A member that is an object, or an object printed as JSON, as Athena returns it.
fn object(record: &Value, name: &str) -> Result<Value, Wrong> {
    match member(record, name) {
        None => Ok(Value::Null),
        Some(Value::String(printed)) if printed.trim().is_empty() => Ok(Value::Null),
        Some(Value::String(printed)) => match serde_json::from_str(printed) {
            Ok(value) => Ok(value),
            Err(_) => Err((
                SkipReason::Malformed,
                format!(
                    "{name} is not JSON: {}; of CloudTrail Lake, select eventJson",
                    printed.chars().take(60).collect::<String>()
                ),
            )),
        },
        Some(value) => Ok(value.clone()),
    }
}

impl RecordFormat for Trail {
    fn record(&mut self, record: Value, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let Some(name) = text(&record, "eventName") else {
            sink.notes.pass(Passed::NoCall);
            return Ok(());
        };
        if text(&record, "eventSource") != Some("dynamodb.amazonaws.com") {
            sink.notes.pass(Passed::OtherService);
            return Ok(());
        }
        let known = ApiName::parse(name);
        let api = known.ok_or_else(|| {
            (
                SkipReason::UnknownOperation,
                format!("unknown DynamoDB operation \"{}\"", name.escape_debug()),
            )
        })?;
        if api.is_free() {
            sink.notes.pass(Passed::FreeOperation);
            return Ok(());
        }
        let time = member(&record, "eventTime").map(|time| match time {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        let time = time.and_then(|text| parse_time(&text, None));
        let (time, _) = time.ok_or_else(|| (SkipReason::Time, "no eventTime".to_string()))?;
        let failure = text(&record, "errorCode")
            .filter(|code| !code.is_empty())
            .map(|code| Failure::parse(code).unwrap_or(Failure::Free));
        let request = object(&record, "requestParameters")?;
        if request.is_null() && failure.is_some() {
            sink.notes.pass(Passed::FailedWithoutParameters);
            return Ok(());
        }
        let is_statement = matches!(
            api,
            ApiName::ExecuteStatement
                | ApiName::BatchExecuteStatement
                | ApiName::ExecuteTransaction
        );
        let calls = match (is_statement, request.is_null()) {
            (true, _) => {
                let table = resources(&record).into_iter().next();
                vec![(table, TracedCall::new(api, TracedKey::of(b"")))]
            }
            // The event has no parameters, but says which tables the call reached.
            (false, true) => {
                let tables = resources(&record);
                if tables.is_empty() {
                    return Err(no_table(api));
                }
                let tables = tables.into_iter();
                tables
                    .map(|table| (Some(table), TracedCall::new(api, TracedKey::of(b""))))
                    .collect()
            }
            (false, false) => {
                let calls = self.calls(api, &request, sink.names)?.into_iter();
                calls.map(|(table, call)| (Some(table), call)).collect()
            }
        };
        let region = text(&record, "awsRegion").map(|region| sink.names.number(region));
        let mut id = text(&record, "eventID").map(RecordId::of);
        for (table, call) in calls {
            let call = TracedCall {
                region,
                failure,
                record: id,
                ..call
            };
            sink.events.push(Event {
                time,
                place: of.place,
                table: table.map(|table| sink.names.number(&table)),
                what: What::Call(call),
            });
            if let Some(id) = &mut id {
                id.is_first = false;
            }
        }
        Ok(())
    }

    fn notes(&self) -> Notes {
        Notes::of_format([
            "CloudTrail logs no item sizes, no results of queries and no deletions by Time to \
             Live; the output shows where the sizes come from"
                .to_string(),
        ])
    }
}
