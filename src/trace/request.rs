//! The request log: one API call per line, with its request in DynamoDB JSON, to be executed in
//! full.

use serde_json::Value;

use super::json::{RecordFormat, RecordOf, RecordSink, member, text};
use super::{ApiName, Event, Request, SkipReason, What, Wrong, known_failure, known_operation};
use crate::table::Item;

/// Lines of a request log.
#[derive(Debug, Default)]
pub struct Requests;

impl RecordFormat for Requests {
    fn record(
        &mut self,
        mut record: Value,
        of: &RecordOf,
        sink: &mut RecordSink,
    ) -> Result<(), Wrong> {
        let RecordSink { names, events, .. } = sink;
        let place = of.place;
        let operation = text(&record, "operation")
            .ok_or_else(|| (SkipReason::UnknownOperation, "no \"operation\"".to_string()))?;
        let api = known_operation(operation)?;
        let time = member(&record, "time").map(|time| {
            time.as_str()
                .map_or_else(|| time.to_string(), str::to_string)
        });
        let found = time.as_deref().unwrap_or("missing");
        let time = time
            .as_deref()
            .and_then(|time| super::parse_time(time, None));
        let wrong = || {
            (
                SkipReason::Time,
                format!("time is {found}; expected RFC 3339 or a number since 1970"),
            )
        };
        let (time, _) = time.ok_or_else(wrong)?;
        let failure = match record.get("error") {
            None | Some(Value::Null) => None,
            Some(Value::String(code)) => Some(known_failure(code, "no error")?),
            Some(other) => {
                return Err((
                    SkipReason::WrongType,
                    format!("error is {other}; expected the name of an exception"),
                ));
            }
        };
        let region = text(&record, "region").map(|region| names.number(region));
        let caller = text(&record, "caller").map(|caller| names.number(caller));
        let mut request = match taken(&mut record, "request") {
            Some(request @ Value::Object(_)) => request,
            _ if api == ApiName::Free => Value::Null,
            _ => {
                return Err((
                    SkipReason::Malformed,
                    "no \"request\"; expected the API request in DynamoDB JSON".to_string(),
                ));
            }
        };
        // `item_after` may be null (no item after the update), which differs from a missing
        // `item_after`.
        let item_after = record.get_mut("item_after").map(Value::take);
        let consumed = taken(&mut record, "consumed");
        let evaluated_keys = taken(&mut record, "evaluated_keys");
        let unprocessed = taken(&mut record, "unprocessed").or_else(|| unprocessed_of(&mut record));
        let item = taken_item(api, &mut request);
        let request = Request {
            api,
            request,
            item,
            failure,
            region,
            caller,
            consumed,
            item_after,
            evaluated_keys,
            unprocessed,
        };
        events.push(Event {
            time,
            place,
            table: None,
            what: What::Request(Box::new(request)),
        });
        Ok(())
    }
}

/// Takes the item or the key of a call on one item. An invalid one stays in the request, and is an error
/// when the call is executed.
fn taken_item(api: ApiName, request: &mut Value) -> Option<Item> {
    let name = match api {
        ApiName::PutItem => "Item",
        ApiName::GetItem
        | ApiName::UpdateItem
        | ApiName::DeleteItem
        | ApiName::TimeToLiveDelete => "Key",
        _ => return None,
    };
    let members = request.as_object_mut()?;
    let item = Item::from_json(members.get(name)?).ok()?;
    members.remove(name);
    Some(item)
}

/// Takes a member that is not null.
fn taken(object: &mut Value, name: &str) -> Option<Value> {
    let value = object.get_mut(name).map(Value::take);
    value.filter(|value| !value.is_null())
}

/// What the response of a batch says was not processed; without such members, everything was.
fn unprocessed_of(record: &mut Value) -> Option<Value> {
    let mut response = taken(record, "response")?;
    let whole = response
        .is_object()
        .then(|| Value::Object(serde_json::Map::new()));
    taken(&mut response, "UnprocessedItems")
        .or_else(|| taken(&mut response, "UnprocessedKeys"))
        .or(whole)
}
