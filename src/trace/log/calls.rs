//! The calls in a value: every `ConsumedCapacity`, at any depth, with the objects around it.

use serde_json::Value;

use crate::table::{ApiName, Arn, Direction};
use crate::trace::literal;
use crate::trace::{Counted, Event, Name, NameTable, RowPlace, SkipReason, Time, What, Wrong};
use crate::units::Exact;

/// A consumed capacity, and the objects around it, the nearest first.
pub struct Found<'a> {
    pub capacity: &'a Value,
    pub around: Vec<&'a Value>,
}

/// What a value contains.
#[derive(Default)]
pub struct Contents<'a> {
    /// The consumed capacities.
    pub calls: Vec<Found<'a>>,
    /// Texts that name a consumed capacity, and the objects around them.
    pub texts: Vec<(&'a str, Vec<&'a Value>)>,
}

impl<'a> Contents<'a> {
    pub fn of(value: &'a Value) -> Contents<'a> {
        let mut contents = Contents::default();
        contents.search(value, &mut Vec::new());
        contents
    }

    fn search(&mut self, value: &'a Value, outer: &mut Vec<&'a Value>) {
        match value {
            Value::Object(object) => {
                outer.push(value);
                for (name, inner) in object {
                    if is_capacity(name) && !inner.is_null() {
                        let around = outer.iter().rev().copied().collect();
                        self.calls.push(Found {
                            capacity: inner,
                            around,
                        });
                    } else {
                        self.search(inner, outer);
                    }
                }
                outer.pop();
            }
            Value::Array(list) => list.iter().for_each(|inner| self.search(inner, outer)),
            Value::String(text) if super::mention(text, 0).is_some() => {
                self.texts
                    .push((text, outer.iter().rev().copied().collect()));
            }
            _ => {}
        }
    }
}

/// Whether a name is that of a consumed capacity, in the case of any language.
fn is_capacity(name: &str) -> bool {
    matches!(name.len(), 16 | 17) && is(name, "ConsumedCapacity")
}

/// Whether two names are the same but for case and underscores.
fn is(name: &str, known: &'static str) -> bool {
    let plain = |text: &'static str| text.bytes().map(|byte| byte.to_ascii_lowercase());
    let bytes = name.bytes().filter(|byte| *byte != b'_');
    let lower = bytes.map(|byte| byte.to_ascii_lowercase());
    name == known || lower.eq(plain(known))
}

/// A member of an object, by its name in any case, with or without underscores.
pub fn member<'a>(object: &'a Value, name: &'static str) -> Option<&'a Value> {
    let object = object.as_object()?;
    let exact = object.get(name);
    let found = exact.or_else(|| {
        let mut members = object.iter();
        members
            .find(|(key, _)| is(key, name))
            .map(|(_, value)| value)
    });
    found.filter(|value| !value.is_null())
}

/// Converts a number of units, which must be a multiple of 0.5, to half units.
pub fn halves(value: &Value) -> Result<u64, Wrong> {
    let wrong = || {
        let message = format!(
            "{value} is not a number of capacity units; expected a multiple of 0.5, at least 0"
        );
        (SkipReason::WrongType, message)
    };
    let units = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return Err(wrong()),
    };
    // Nearly all are whole, or end in .0 or .5.
    let (whole, fraction) = units.split_once('.').unwrap_or((&units, "0"));
    if let (Ok(whole), "0" | "5") = (whole.parse::<u32>(), fraction) {
        return Ok(u64::from(whole) * 2 + u64::from(fraction == "5"));
    }
    let exact = Exact::parse(&units).ok_or_else(wrong)? * Exact::from(2);
    match exact.to_u64() {
        Some(halves) if !exact.is_negative() && Exact::from(halves) == exact => Ok(halves),
        _ => Err(wrong()),
    }
}

/// What is known of a call beside its units.
pub struct Call {
    pub time: Time,
    pub place: RowPlace,
    pub api: Option<ApiName>,
    /// Whether its units are reads or writes.
    pub direction: Option<Direction>,
    pub region: Option<Name>,
    pub caller: Option<Name>,
}

/// Whether the units of an operation are reads or writes, if it can only be one of them.
fn direction(api: ApiName) -> Option<Direction> {
    match api {
        ApiName::ExecuteStatement
        | ApiName::BatchExecuteStatement
        | ApiName::ExecuteTransaction => None,
        api if api.is_free() => None,
        api if api.is_read() => Some(Direction::Read),
        _ => Some(Direction::Write),
    }
}

/// Whether the units of a call are reads or writes, by its operation and by its response.
///
/// # Errors
/// If they contradict each other.
pub fn direction_of(api: Option<ApiName>, around: &[&Value]) -> Result<Option<Direction>, Wrong> {
    let named = api.and_then(direction);
    let response = direction_of_response(around);
    match (api, named, response) {
        (Some(api), Some(named), Some(response)) if named != response => {
            let message = format!(
                "the line names the operation {}, but its response is that of a {}; name the \
                 operation of such lines with --set operation=NAME",
                api.name(),
                match response {
                    Direction::Read => "read",
                    Direction::Write => "write",
                }
            );
            Err((SkipReason::NotStated, message))
        }
        (_, named, response) => Ok(named.or(response)),
    }
}

/// Whether a response is that of a read or of a write. Source: API Reference: only reads return
/// `Item`, `Items`, `Responses`, `ScannedCount` or `UnprocessedKeys`; only writes return
/// `Attributes`, `UnprocessedItems` or `ItemCollectionMetrics`.
fn direction_of_response(around: &[&Value]) -> Option<Direction> {
    let nearest = around.first()?;
    let has = |names: &[&str]| names.iter().any(|name| nearest.get(*name).is_some());
    let reads = has(&["Item", "Items", "ScannedCount", "UnprocessedKeys"]);
    let writes = has(&["Attributes", "UnprocessedItems", "ItemCollectionMetrics"]);
    match (reads, writes) {
        (true, false) => Some(Direction::Read),
        (false, true) => Some(Direction::Write),
        _ => None,
    }
}

/// Appends the units of a table and of its indexes; returns whether only their total is known.
pub fn push(
    call: &Call,
    capacity: &Value,
    table: Option<&str>,
    names: &mut NameTable,
    events: &mut Vec<Event>,
) -> Result<bool, Wrong> {
    if let Some(pointer) = capacity.as_str().filter(|text| text.starts_with("0x")) {
        let message = format!(
            "ConsumedCapacity is the address {pointer}, not a value; log what it points to, for \
             instance as JSON"
        );
        return Err((SkipReason::Malformed, message));
    }
    let own = member(capacity, "TableName").and_then(Value::as_str);
    let table = own.or(table).ok_or_else(|| {
        let message = "ConsumedCapacity has no TableName; name the table with --table NAME";
        (SkipReason::Malformed, message.to_string())
    })?;
    let region = Arn::of(table).region().map(|region| names.number(region));
    let region = call.region.or(region);
    let table = names.number(Arn::of(table).table());
    let mut level = |index: Option<&str>, units: &Value, first: bool| -> Result<(), Wrong> {
        let (read_halves, write_halves) = read_and_write(units, call.direction, call.api)?;
        let counted = Counted {
            calls: Some(u64::from(first)),
            api: call.api,
            region,
            caller: call.caller,
            index: index.map(|index| names.number(index)),
            metric: None,
            read_halves,
            write_halves,
            seconds: 1,
        };
        events.push(Event {
            time: call.time,
            place: call.place,
            table: Some(table),
            what: What::Counted(Box::new(counted)),
        });
        Ok(())
    };
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
        .map(|name| member(capacity, name).and_then(Value::as_object));
    adds_up(capacity, &indexes)?;
    let mut first = true;
    let mut is_total = false;
    // JavaScript prints what is nested too deep as `[Object]`, which says nothing.
    match member(capacity, "Table").filter(|own| own.is_object()) {
        // A read of an index counts as a call of the index, not of the table.
        Some(own)
            if member(own, "CapacityUnits").map(halves).transpose()? == Some(0)
                && indexes.iter().flatten().any(|all| !all.is_empty()) => {}
        Some(own) => {
            level(None, own, true)?;
            first = false;
        }
        None if indexes.iter().all(Option::is_none) => {
            is_total = true;
            level(None, capacity, true)?;
        }
        None => {}
    }
    for (index, units) in indexes.into_iter().flatten().flatten() {
        level(Some(index), units, std::mem::take(&mut first))?;
    }
    Ok(is_total)
}

/// Checks that the units of the table and its indexes are the total, if both are stated.
fn adds_up(
    capacity: &Value,
    indexes: &[Option<&serde_json::Map<String, Value>>],
) -> Result<(), Wrong> {
    let units = |level: &Value| member(level, "CapacityUnits").map(halves).transpose();
    let own = member(capacity, "Table").filter(|own| own.is_object());
    let (Some(total), Some(own)) = (units(capacity)?, own.map(units).transpose()?.flatten()) else {
        return Ok(());
    };
    let mut sum = own;
    for level in indexes.iter().flatten().flat_map(|levels| levels.values()) {
        sum += units(level)?.unwrap_or(0);
    }
    if sum == total {
        return Ok(());
    }
    let shown = |halves: u64| Exact::ratio(halves, 2).human(1);
    let message = format!(
        "ConsumedCapacity has {} CapacityUnits, but its table and indexes have {}",
        shown(total),
        shown(sum)
    );
    Err((SkipReason::Malformed, message))
}

/// Half read and half write units.
fn read_and_write(
    units: &Value,
    direction: Option<Direction>,
    api: Option<ApiName>,
) -> Result<(u64, u64), Wrong> {
    let unit = |name: &'static str| member(units, name).map(halves).transpose();
    let either = match units.is_object() {
        true => unit("CapacityUnits")?,
        false => Some(halves(units)?),
    };
    // The SDK for .NET writes what is not set as 0.
    let (read, write) = match (unit("ReadCapacityUnits")?, unit("WriteCapacityUnits")?) {
        (Some(0), Some(0)) if either.is_some_and(|either| either > 0) => (None, None),
        stated => stated,
    };
    match (read, write, either, direction) {
        (None, None, Some(either), Some(Direction::Read)) => Ok((either, 0)),
        (None, None, Some(either), Some(Direction::Write)) if either % 2 == 0 => Ok((0, either)),
        (None, None, Some(_), Some(Direction::Write)) => {
            let message = format!("{units} is not a whole number of write capacity units");
            Err((SkipReason::WrongType, message))
        }
        (None, None, Some(0), _) => Ok((0, 0)),
        (None, None, Some(_), _) => {
            let message = match api {
                Some(api) => format!(
                    "cannot tell whether the units of {} are reads or writes: its statement can \
                     be either, and the line has neither ReadCapacityUnits nor WriteCapacityUnits",
                    api.name()
                ),
                None => "cannot tell whether the units are reads or writes: the line has no \
                         operation that says so; name the operation of such lines with --set \
                         operation=NAME"
                    .to_string(),
            };
            Err((SkipReason::NotStated, message))
        }
        (None, None, None, _) => {
            let found: String = units.to_string().chars().take(60).collect();
            let message = format!("ConsumedCapacity has no CapacityUnits: {found}");
            Err((SkipReason::Malformed, message))
        }
        (read, write, ..) => Ok((read.unwrap_or(0), write.unwrap_or(0))),
    }
}

/// The value around a mention.
pub struct Spanned {
    pub value: Value,
    /// Where it begins.
    pub start: usize,
    /// Where the name of its type ends, which can name the operation: `PutItemResponse(…)`.
    pub named: usize,
    pub end: usize,
}

/// The most brackets before a mention from which a value is tried.
const TRIES: usize = 8;

/// The value in a text that contains the mention of a consumed capacity at `at`; nothing before
/// `from` belongs to it.
///
/// # Errors
/// [`literal::NoValue`] if there is none, or if the text ends within it.
pub fn spanned(text: &str, from: usize, at: usize) -> Result<Spanned, literal::NoValue> {
    let mut unfinished = false;
    let before = &text[from..at];
    let brackets = before
        .char_indices()
        .filter(|(_, c)| "{[(".contains(*c))
        .map(|(place, _)| from + place)
        .take(TRIES);
    for bracket in brackets {
        // The name of a type before the bracket belongs to the value.
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let start = match text[bracket..].starts_with('[') {
            true => bracket,
            false => {
                let name = text[from..bracket].trim_end_matches(is_name);
                from + name.len()
            }
        };
        for start in [start, bracket] {
            match literal::value(&text[start..]) {
                Ok((value, length)) if start + length > at && !value.is_string() => {
                    return Ok(Spanned {
                        value,
                        start,
                        named: bracket,
                        end: start + length,
                    });
                }
                Err(literal::NoValue::Unfinished) => unfinished = true,
                _ => {}
            }
        }
    }
    direct(text, at).map_err(|error| match unfinished {
        true => literal::NoValue::Unfinished,
        false => error,
    })
}

/// Only the capacity that is mentioned at `at`: `ConsumedCapacity: {…}`.
///
/// # Errors
/// [`literal::NoValue`] if no value follows, or if the text ends within it.
pub fn direct(text: &str, at: usize) -> Result<Spanned, literal::NoValue> {
    let name = text[at..]
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .map_or(text.len(), |length| at + length);
    let rest = text[name..]
        .strip_prefix(['"', '\''])
        .unwrap_or(&text[name..]);
    let rest = rest
        .trim_start()
        .trim_start_matches([':', '=', '>'])
        .trim_start();
    let place = text.len() - rest.len();
    match literal::value(rest) {
        Ok((value, length)) => {
            let start = text[..at].trim_end_matches(['"', '\'']).len();
            let mut object = serde_json::Map::new();
            object.insert("ConsumedCapacity".to_string(), value);
            Ok(Spanned {
                value: Value::Object(object),
                start,
                named: start,
                end: place + length,
            })
        }
        Err(error) => Err(error),
    }
}
