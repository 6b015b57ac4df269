//! The request log: one API call per line, with its request in DynamoDB JSON, to be executed in
//! full.

use serde_json::Value;

use super::json::{RecordFormat, member, text};
use super::{ApiName, Event, Failure, NameTable, Request, RowPlace, SkipReason, What};

/// Lines of a request log.
#[derive(Debug, Default)]
pub struct Requests;

impl RecordFormat for Requests {
    fn record(
        &mut self,
        mut record: Value,
        place: RowPlace,
        names: &mut NameTable,
        events: &mut Vec<Event>,
    ) -> Result<(), (SkipReason, String)> {
        let operation = text(&record, "operation")
            .ok_or_else(|| (SkipReason::UnknownOperation, "no \"operation\"".to_string()))?;
        let api = ApiName::parse(operation).ok_or_else(|| {
            let known = ApiName::NAMES
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ");
            (
                SkipReason::UnknownOperation,
                format!("unknown operation \"{operation}\"; the known operations are {known}"),
            )
        })?;
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
            Some(Value::String(code)) => Some(Failure::parse(code).ok_or_else(|| {
                (
                    SkipReason::WrongType,
                    format!(
                        "error is \"{}\"; expected the name of an exception, or no error",
                        code.escape_debug()
                    ),
                )
            })?),
            Some(other) => {
                return Err((
                    SkipReason::WrongType,
                    format!("error is {other}; expected the name of an exception"),
                ));
            }
        };
        let region = text(&record, "region").map(|region| names.number(region));
        let caller = text(&record, "caller").map(|caller| names.number(caller));
        let mut take = |name: &str| {
            record
                .get_mut(name)
                .map(Value::take)
                .filter(|value| !value.is_null())
        };
        let request = match take("request") {
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
        let mut take = |name: &str| {
            record
                .get_mut(name)
                .map(Value::take)
                .filter(|value| !value.is_null())
        };
        let (consumed, evaluated_keys, unprocessed, response) = (
            take("consumed"),
            take("evaluated_keys"),
            take("unprocessed"),
            take("response"),
        );
        let mut response = response.unwrap_or_default();
        // A response without unprocessed members means that everything was processed.
        let whole = response
            .is_object()
            .then(|| Value::Object(serde_json::Map::new()));
        let mut answered = |name: &str| {
            response
                .get_mut(name)
                .map(Value::take)
                .filter(|value| !value.is_null())
        };
        let unprocessed = unprocessed
            .or_else(|| answered("UnprocessedItems"))
            .or_else(|| answered("UnprocessedKeys"))
            .or(whole);
        let request = Request {
            api,
            request,
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
