//! Application logs that contain ConsumedCapacity: the units that AWS counted for each call, as the
//! SDK returned them.
//!
//! Each line is a JSON object, alone or after other text, that contains a `ConsumedCapacity` at any
//! depth (an object, or a list for batches and transactions). The time is a member of the object
//! (such as `time`, `timestamp`, `@timestamp`, `eventTime` or `ts`) or is in the text before it; so
//! is the operation (such as `operation`, `api`, `eventName` or `action`). Source: API Reference,
//! "ConsumedCapacity": `TOTAL` gives only the sum, `INDEXES` the table and each index; an index
//! without units is absent; for a call that is not a transaction the response does not say whether
//! its units are reads or writes.

use crate::table::Arn;
use serde_json::Value;

use super::json::{RecordFormat, member, text};
use super::{ApiName, Counted, Event, NameTable, RowPlace, SkipReason, Time, What};

/// Lines of a log.
#[derive(Debug, Default)]
pub struct Logged {
    operation: Option<String>,
    totals: u64,
}

/// Members that can contain the time of a line.
const TIMES: [&str; 7] = [
    "time",
    "timestamp",
    "@timestamp",
    "eventTime",
    "ts",
    "date",
    "datetime",
];

/// Members that can contain the operation.
const OPERATIONS: [&str; 7] = [
    "operation",
    "operationName",
    "api",
    "apiName",
    "eventName",
    "action",
    "command",
];

/// The first `ConsumedCapacity` in a value; `around` receives the enclosing objects, innermost
/// first.
fn find<'a>(value: &'a Value, around: &mut Vec<&'a Value>) -> Option<&'a Value> {
    match value {
        Value::Object(object) => {
            if let Some(found) =
                member(value, "ConsumedCapacity").or_else(|| member(value, "consumed_capacity"))
            {
                around.push(value);
                return Some(found);
            }
            let found = object.values().find_map(|inner| find(inner, around))?;
            around.push(value);
            Some(found)
        }
        Value::Array(list) => list.iter().find_map(|inner| find(inner, around)),
        _ => None,
    }
}

/// Converts a number of units, which must be a multiple of 0.5, to half units.
pub fn halves(value: &Value) -> Result<u64, (SkipReason, String)> {
    let wrong = || {
        (
            SkipReason::WrongType,
            format!(
                "{value} is not a number of capacity units; expected a multiple of 0.5, at least 0"
            ),
        )
    };
    let units = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return Err(wrong()),
    };
    let exact =
        crate::units::Exact::parse(&units).ok_or_else(wrong)? * crate::units::Exact::from(2);
    match exact.to_u64() {
        Some(halves) if !exact.is_negative() && crate::units::Exact::from(halves) == exact => {
            Ok(halves)
        }
        _ => Err(wrong()),
    }
}

impl Logged {
    /// Creates a reader; `operation` is used for lines that do not name one.
    pub fn new(operation: Option<String>) -> Logged {
        Logged {
            operation,
            ..Logged::default()
        }
    }

    fn arms(
        &mut self,
        capacity: &Value,
        template: &Event,
        names: &mut NameTable,
        events: &mut Vec<Event>,
    ) -> Result<(), (SkipReason, String)> {
        let table = text(capacity, "TableName").ok_or_else(|| {
            (
                SkipReason::Malformed,
                "ConsumedCapacity has no TableName".to_string(),
            )
        })?;
        let api = match &template.what {
            What::Counted(counted) => counted.api,
            _ => None,
        };
        let region = Arn::of(table).region().map(|region| names.number(region));
        let table = names.number(Arn::of(table).table());
        let mut push =
            |index: Option<&str>, level: &Value, first: bool| -> Result<(), (SkipReason, String)> {
                let unit = |name: &str| member(level, name).map(halves).transpose();
                let (read, write, either) = (
                    unit("ReadCapacityUnits")?,
                    unit("WriteCapacityUnits")?,
                    unit("CapacityUnits")?,
                );
                let (read, write) = match (read, write, either, api) {
                    (None, None, Some(either), Some(api)) if api.is_read() => (either, 0),
                    (None, None, Some(either), Some(api))
                        if !matches!(
                            api,
                            ApiName::ExecuteStatement
                                | ApiName::BatchExecuteStatement
                                | ApiName::ExecuteTransaction
                        ) =>
                    {
                        (0, either)
                    }
                    (None, None, Some(0), _) => (0, 0),
                    (None, None, Some(_), _) => {
                        let text = "cannot tell whether the units are reads or writes: the line \
                                    has no operation that says so";
                        return Err((SkipReason::UnknownOperation, text.to_string()));
                    }
                    (read, write, _, _) => (read.unwrap_or(0), write.unwrap_or(0)),
                };
                let What::Counted(counted) = &template.what else {
                    return Ok(());
                };
                let mut counted = counted.clone();
                counted.region = counted.region.or(region);
                counted.index = index.map(|index| names.number(index));
                counted.calls = Some(u64::from(first));
                (counted.read_halves, counted.write_halves) = (read, write);
                events.push(Event {
                    table: Some(table),
                    what: What::Counted(counted),
                    ..template.clone()
                });
                Ok(())
            };
        let mut first = true;
        let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
            .map(|name| member(capacity, name).and_then(Value::as_object));
        match member(capacity, "Table") {
            // A read of an index counts as a call of the index, not of the table.
            Some(own)
                if member(own, "CapacityUnits").map(halves).transpose()? == Some(0)
                    && indexes.iter().flatten().any(|all| !all.is_empty()) => {}
            Some(own) => {
                push(None, own, true)?;
                first = false;
            }
            None if indexes.iter().all(Option::is_none) => {
                self.totals += 1;
                push(None, capacity, true)?;
            }
            None => {}
        }
        for (index, level) in indexes.into_iter().flatten().flatten() {
            push(Some(index), level, std::mem::take(&mut first))?;
        }
        Ok(())
    }
}

impl RecordFormat for Logged {
    fn record(
        &mut self,
        record: Value,
        place: RowPlace,
        names: &mut NameTable,
        events: &mut Vec<Event>,
    ) -> Result<(), (SkipReason, String)> {
        let mut around = Vec::new();
        let Some(capacity) = find(&record, &mut around) else {
            return Err((
                SkipReason::Malformed,
                "no ConsumedCapacity in the line".to_string(),
            ));
        };
        let time = TIMES
            .iter()
            .find_map(|name| around.iter().find_map(|object| member(object, name)));
        let time = time.map(|time| {
            time.as_str()
                .map_or_else(|| time.to_string(), str::to_string)
        });
        let time = time
            .as_deref()
            .and_then(|time| super::parse_time(time, None));
        let (time, _) = time.ok_or_else(|| {
            (
                SkipReason::Time,
                format!(
                    "no time: none of {} contains a valid time",
                    TIMES.join(", ")
                ),
            )
        })?;
        let named = OPERATIONS
            .iter()
            .find_map(|name| around.iter().find_map(|object| text(object, name)));
        let api = named
            .or(self.operation.as_deref())
            .and_then(|name| ApiName::parse(name.trim_end_matches("Command")));
        let region = ["region", "awsRegion"]
            .iter()
            .find_map(|name| around.iter().find_map(|object| text(object, name)));
        let caller = around.iter().find_map(|object| text(object, "caller"));
        let counted = Counted {
            calls: Some(1),
            api,
            region: region.map(|region| names.number(region)),
            caller: caller.map(|caller| names.number(caller)),
            index: None,
            metric: None,
            read_halves: 0,
            write_halves: 0,
            seconds: 1,
        };
        let template = Event {
            time,
            place,
            table: None,
            what: What::Counted(Box::new(counted)),
        };
        let first = events.len();
        let all = match capacity {
            Value::Array(list) => list
                .iter()
                .try_for_each(|one| self.arms(one, &template, names, events)),
            one => self.arms(one, &template, names, events),
        };
        all.inspect_err(|_| events.truncate(first))
    }

    fn odd_line(&self, line: &str) -> Option<Value> {
        behind_text(line)
    }

    fn notes(&self) -> Vec<String> {
        let text = || {
            format!(
                "lines with only the total (ReturnConsumedCapacity=TOTAL): {}; their units of \
                 indexes are counted as units of the table",
                self.totals
            )
        };
        (self.totals > 0).then(text).into_iter().collect()
    }
}

/// The JSON object in a line of text; a missing time or operation is taken from the text before it.
fn behind_text(line: &str) -> Option<Value> {
    let at = line.find('{')?;
    let mut value: Value = serde_json::Deserializer::from_str(&line[at..])
        .into_iter::<Value>()
        .next()?
        .ok()?;
    let before = &line[..at];
    let object = value.as_object_mut()?;
    if !TIMES.iter().any(|name| object.contains_key(*name)) {
        let words: Vec<&str> = before
            .split_whitespace()
            .map(|word| word.trim_matches(['[', ']', ',']))
            .collect();
        let candidates = words
            .iter()
            .map(|word| word.to_string())
            .chain(words.windows(2).map(|pair| pair.join(" ")));
        let time: Option<(Time, String)> = candidates
            .filter_map(|text| super::parse_time(&text, None).map(|(time, _)| (time, text)))
            .next();
        if let Some((_, text)) = time {
            object.insert("time".to_string(), Value::String(text));
        }
    }
    if !OPERATIONS.iter().any(|name| object.contains_key(*name))
        && let Some(word) = before
            .split(|c: char| !c.is_alphanumeric())
            .find(|word| ApiName::parse(word).is_some())
    {
        object.insert("operation".to_string(), Value::String(word.to_string()));
    }
    Some(value)
}
