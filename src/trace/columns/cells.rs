//! The cells of a batch of columns, and the events that they make.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;

use super::schema::{COLUMNS, Mapping};
use crate::table::{Consistency, limits};
use crate::trace::moment::{Clock, LastForm, NoTime};
use crate::trace::notes::Notes;
use crate::trace::time::{TimeUnit, parse_time};
use crate::trace::{
    ApiName, Event, MemberAction, NameTable, RowPlace, SkipReason, Time, TracedCall, TracedKey,
    What, known_failure, known_operation,
};

/// One column of a batch.
pub(in crate::trace) enum Cell {
    Absent,
    Always(String),
    Text(StringArray),
    Owned(Vec<Option<Box<str>>>),
    Binary(BinaryArray),
    Whole(Int64Array),
    Moment(Int64Array, TimeUnit),
}

fn value<'a, T: ?Sized>(
    array: &impl Array,
    row: usize,
    of: impl FnOnce() -> &'a T,
) -> Option<&'a T> {
    (row < array.len() && array.is_valid(row)).then(of)
}

fn number(numbers: &Int64Array, row: usize) -> Option<i64> {
    (row < numbers.len() && numbers.is_valid(row)).then(|| numbers.value(row))
}

impl Cell {
    pub(in crate::trace) fn new(name: &str, column: &ArrayRef) -> Result<Cell, String> {
        let exact = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let cast = |kind: &DataType| {
            cast_with_options(column, kind, &exact)
                .map_err(|error| format!("column {name}: {error}"))
        };
        let whole = || {
            Ok::<Int64Array, String>(cast(&DataType::Int64)?.as_primitive::<Int64Type>().clone())
        };
        let kind = match column.data_type() {
            DataType::Dictionary(_, kind) => kind.as_ref(),
            kind => kind,
        };
        Ok(match kind {
            DataType::Null => Cell::Absent,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                Cell::Binary(cast(&DataType::Binary)?.as_binary::<i32>().clone())
            }
            DataType::Timestamp(unit, _) => Cell::Moment(whole()?, unit.into()),
            // Values that do not fit in a signed integer are read as text, without loss.
            DataType::UInt64 => match whole() {
                Ok(numbers) => Cell::Whole(numbers),
                Err(_) => Cell::Text(cast(&DataType::Utf8)?.as_string::<i32>().clone()),
            },
            kind if kind.is_integer() => Cell::Whole(whole()?),
            kind if kind.is_string()
                || kind.is_floating()
                || kind.is_decimal()
                || *kind == DataType::Boolean =>
            {
                Cell::Text(cast(&DataType::Utf8)?.as_string::<i32>().clone())
            }
            other => {
                return Err(format!(
                    "column {name} has type {other}; expected text, numbers or binary"
                ));
            }
        })
    }

    fn text(&self, row: usize) -> Option<&str> {
        let text = match self {
            Cell::Always(text) => Some(text.as_str()),
            Cell::Text(texts) => value(texts, row, || texts.value(row)),
            Cell::Owned(texts) => texts.get(row).and_then(Option::as_deref),
            Cell::Binary(bytes) => value(bytes, row, || bytes.value(row))
                .and_then(|bytes| std::str::from_utf8(bytes).ok()),
            _ => None,
        };
        text.map(str::trim).filter(|text| !text.is_empty())
    }

    fn is_given(&self, row: usize) -> bool {
        match self {
            Cell::Absent => false,
            Cell::Always(_) => true,
            Cell::Text(texts) => row < texts.len() && texts.is_valid(row),
            Cell::Owned(texts) => texts.get(row).is_some_and(Option::is_some),
            Cell::Binary(bytes) => row < bytes.len() && bytes.is_valid(row),
            Cell::Whole(numbers) | Cell::Moment(numbers, _) => number(numbers, row).is_some(),
        }
    }

    /// A whole number, at least 0.
    fn whole(&self, row: usize, name: &str) -> Result<Option<u64>, Wrong> {
        let wrong = |found: String| {
            (
                SkipReason::WrongType,
                format!("{name} is {found}; expected a whole number, at least 0"),
            )
        };
        match self {
            Cell::Whole(numbers) => match number(numbers, row) {
                Some(number) => u64::try_from(number)
                    .map(Some)
                    .map_err(|_| wrong(number.to_string())),
                None => Ok(None),
            },
            _ => match self.text(row) {
                Some(text) => text
                    .trim_end_matches(".0")
                    .parse()
                    .map(Some)
                    .map_err(|_| wrong(format!("\"{}\"", text.escape_debug()))),
                None if self.is_given(row) && !matches!(self, Cell::Text(_) | Cell::Owned(_)) => {
                    Err(wrong("not a number".to_string()))
                }
                None => Ok(None),
            },
        }
    }

    fn flag(&self, row: usize, name: &str) -> Result<Option<bool>, Wrong> {
        if let Cell::Whole(numbers) = self {
            return match number(numbers, row) {
                None => Ok(None),
                Some(flag @ (0 | 1)) => Ok(Some(flag == 1)),
                Some(found) => Err((
                    SkipReason::WrongType,
                    format!("{name} is {found}; expected true or false"),
                )),
            };
        }
        match self.text(row) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Some(false)),
            Some(text) => Err((
                SkipReason::WrongType,
                format!(
                    "{name} is \"{}\"; expected true or false",
                    text.escape_debug()
                ),
            )),
        }
    }
}

pub(super) use crate::trace::Wrong;

/// The columns of a batch, in the order of [`COLUMNS`].
pub(in crate::trace) struct Cells {
    pub(super) columns: Vec<Cell>,
}

/// What applies to rows that do not say it.
pub(super) struct RowDefaults<'a> {
    /// The unit of times, once it is known.
    pub(super) unit: &'a mut Option<TimeUnit>,
    /// How other forms of times are read.
    pub(super) clock: &'a Clock,
    /// What such times leave open.
    pub(super) notes: &'a mut Notes,
    /// The table.
    pub(super) table: Option<&'a str>,
}

impl Cells {
    pub(in crate::trace) fn new(batch: &RecordBatch, mapping: &Mapping) -> Result<Cells, String> {
        let column = |(column, _): &(&'static str, &str)| match (
            mapping.values.get(column),
            batch.column_by_name(mapping.name(column)),
        ) {
            (Some(value), _) => Ok(Cell::Always(value.clone())),
            (None, Some(found)) => Cell::new(mapping.name(column), found),
            (None, None) => Ok(Cell::Absent),
        };
        Ok(Cells {
            columns: COLUMNS.iter().map(column).collect::<Result<_, String>>()?,
        })
    }

    fn of(&self, name: &str) -> &Cell {
        const ABSENT: &Cell = &Cell::Absent;
        COLUMNS
            .iter()
            .position(|(column, _)| *column == name)
            .and_then(|at| self.columns.get(at))
            .unwrap_or(ABSENT)
    }

    fn time(&self, row: usize, defaults: &mut RowDefaults) -> Result<Time, Wrong> {
        let unit = &mut *defaults.unit;
        let wrong = |found: String| {
            (
                SkipReason::Time,
                format!("time is {found}; expected RFC 3339 or a number since 1970"),
            )
        };
        match &self.columns[0] {
            Cell::Moment(numbers, own) => {
                let number = number(numbers, row).ok_or_else(|| wrong("missing".to_string()))?;
                own.time(number).ok_or_else(|| wrong(number.to_string()))
            }
            Cell::Whole(numbers) => {
                let number = number(numbers, row).ok_or_else(|| wrong("missing".to_string()))?;
                let unit = unit.get_or_insert_with(|| TimeUnit::of(number));
                unit.time(number).ok_or_else(|| wrong(number.to_string()))
            }
            other => {
                let text = other
                    .text(row)
                    .ok_or_else(|| wrong("missing".to_string()))?;
                if defaults.clock.format.is_none()
                    && let Some((time, found)) = parse_time(text, *unit)
                {
                    if unit.is_none() {
                        *unit = found;
                    }
                    return Ok(time);
                }
                match defaults.clock.whole(text, &mut LastForm::default()) {
                    Ok(found) => {
                        defaults.notes.take_assumed(&found);
                        Ok(found.time)
                    }
                    Err(NoTime::Unclear(message)) => Err((SkipReason::Time, message)),
                    Err(NoTime::Missing) => Err(wrong(format!("\"{}\"", text.escape_debug()))),
                }
            }
        }
    }

    fn key(&self, row: usize) -> Option<Result<TracedKey, Wrong>> {
        let of = |bytes: &[u8]| {
            let most = limits::PARTITION_KEY_BYTES_MAX + limits::SORT_KEY_BYTES_MAX + 16;
            if bytes.len() as u64 > most {
                let text = format!(
                    "a key of {} bytes; a partition key has at most 2,048 bytes and a sort key \
                     1,024",
                    bytes.len()
                );
                return Err((SkipReason::Key, text));
            }
            Ok(TracedKey::of(bytes))
        };
        match self.of("key") {
            Cell::Binary(bytes) => value(bytes, row, || bytes.value(row))
                .filter(|bytes| !bytes.is_empty())
                .map(of),
            Cell::Whole(numbers) | Cell::Moment(numbers, _) => {
                number(numbers, row).map(|number| of(number.to_string().as_bytes()))
            }
            Cell::Text(texts) => value(texts, row, || texts.value(row))
                .filter(|text| !text.is_empty())
                .map(|text| of(text.as_bytes())),
            Cell::Owned(texts) => texts
                .get(row)
                .and_then(Option::as_deref)
                .map(|text| of(text.as_bytes())),
            Cell::Always(text) => Some(of(text.as_bytes())),
            Cell::Absent => None,
        }
    }

    /// The sizes of the items that a page fetches from the table.
    fn fetched(&self, row: usize) -> Result<Option<Arc<[u32]>>, Wrong> {
        let cell = self.of("fetched_bytes");
        let Some(sizes) = cell.text(row) else {
            return Ok(cell.is_given(row).then(|| Arc::new([]) as Arc<[u32]>));
        };
        let parsed: Result<Vec<u32>, _> = sizes.split_whitespace().map(str::parse).collect();
        let sizes = parsed.map_err(|_| {
            let text = format!(
                "fetched_bytes is \"{}\"; expected sizes separated by spaces",
                sizes.escape_debug()
            );
            (SkipReason::WrongType, text)
        })?;
        Ok(Some(sizes.into()))
    }

    fn consistency(&self, row: usize) -> Result<Option<Consistency>, Wrong> {
        let Some(word) = self.of("consistency").text(row) else {
            return Ok(None);
        };
        match word.to_ascii_lowercase().as_str() {
            "eventual" | "false" | "0" => Ok(Some(Consistency::Eventual)),
            "strong" | "consistent" | "true" | "1" => Ok(Some(Consistency::Strong)),
            other => {
                let text = format!(
                    "consistency is \"{}\"; expected eventual or strong",
                    other.escape_debug()
                );
                Err((SkipReason::WrongType, text))
            }
        }
    }

    fn action(&self, row: usize) -> Result<Option<MemberAction>, Wrong> {
        let parse = |text: &str| {
            MemberAction::parse(text).ok_or_else(|| {
                let text = format!(
                    "action is \"{}\"; expected Put, Update, Delete or ConditionCheck",
                    text.escape_debug()
                );
                (SkipReason::WrongType, text)
            })
        };
        self.of("action").text(row).map(parse).transpose()
    }

    pub(super) fn event(
        &self,
        row: usize,
        place: RowPlace,
        defaults: &mut RowDefaults,
        names: &mut NameTable,
    ) -> Result<Event, Wrong> {
        let time = self.time(row, defaults)?;
        let operation = self.of("operation").text(row);
        let api = known_operation(
            operation.ok_or_else(|| (SkipReason::UnknownOperation, "no operation".to_string()))?,
        )?;
        let key = match self.key(row) {
            Some(key) => key?,
            None if api == ApiName::Scan || api.is_free() => TracedKey::of(b""),
            None => {
                return Err((
                    SkipReason::Key,
                    format!("no key; {} requires one", api.name()),
                ));
            }
        };
        let table = self
            .of("table")
            .text(row)
            .or(defaults.table)
            .map(|table| names.number(table));
        let bytes = |name: &str| -> Result<Option<u32>, Wrong> {
            match self.of(name).whole(row, name)? {
                None => Ok(None),
                Some(bytes) if bytes <= limits::ITEM_BYTES_MAX => Ok(Some(bytes as u32)),
                Some(bytes) => Err((
                    SkipReason::ItemSize,
                    format!("{name} is {bytes}; DynamoDB items have at most 409600 bytes (400 KB)"),
                )),
            }
        };
        let mut call = TracedCall::new(api, key);
        call.item_bytes = bytes("item_bytes")?;
        call.old_bytes = bytes("old_bytes")?;
        call.evaluated_bytes = self.of("evaluated_bytes").whole(row, "evaluated_bytes")?;
        call.evaluated_items = self.of("evaluated_items").whole(row, "evaluated_items")?;
        call.fetched = self.fetched(row)?;
        call.consistency = self.consistency(row)?;
        call.action = self.action(row)?;
        call.failure = self
            .of("error")
            .text(row)
            .map(|code| known_failure(code, "an empty value"))
            .transpose()?;
        call.cached = self.of("cached").flag(row, "cached")?;
        call.replayed = self.of("replayed").flag(row, "replayed")?.unwrap_or(false);
        call.index = self.of("index").text(row).map(|index| names.number(index));
        call.region = self
            .of("region")
            .text(row)
            .map(|region| names.number(region));
        call.caller = self
            .of("caller")
            .text(row)
            .map(|caller| names.number(caller));
        call.entity = self
            .of("entity")
            .text(row)
            .map(|entity| names.number(entity));
        // An empty list of changes means that nothing changes; a missing list means that it is
        // unknown.
        let changes = self.of("changes");
        call.changes = match changes.text(row) {
            Some(text) => Some(names.number(text)),
            None if changes.is_given(row) && !matches!(changes, Cell::Absent) => {
                Some(names.number(""))
            }
            None => None,
        };
        Ok(Event {
            time,
            place,
            table,
            what: What::Call(call),
        })
    }
}
