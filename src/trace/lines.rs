//! The fast path for lines of NDJSON and records of CSV that are plain calls: parsed in place,
//! without copying.
//!
//! If any line of a block is not a plain call or is bad, the whole block takes the full path, which
//! reports errors.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use sonic_rs::LazyValue;

use super::columns::plain::{KEY_BYTES_MAX, Plain, RowPolicy};
use super::columns::schema::COLUMNS;
use super::rows::{KINDS_MAX, NO_BYTES, RowColumns, RowKeys, Rows, slot_of, what};
use super::time::{TimeUnit, parse_time};
use super::{ApiName, RowPlace, Time, hash_of};
use crate::table::limits;

/// A plain call, as its line says it.
struct LineCall<'a> {
    time: &'a str,
    operation: &'a str,
    table: Option<&'a str>,
    key: &'a [u8],
    item_bytes: Option<u32>,
    old_bytes: Option<u32>,
    consistency: Option<&'a str>,
    caller: Option<&'a str>,
}

/// A line of NDJSON: the columns of a trace under their default names.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    time: LazyValue<'a>,
    #[serde(borrow)]
    operation: &'a str,
    #[serde(borrow)]
    table: Option<&'a str>,
    #[serde(borrow)]
    key: LazyValue<'a>,
    item_bytes: Option<u32>,
    old_bytes: Option<u32>,
    #[serde(borrow)]
    consistency: Option<&'a str>,
    #[serde(borrow)]
    caller: Option<&'a str>,
    // With any of these the line is not a plain call.
    index: Option<IgnoredAny>,
    evaluated_bytes: Option<IgnoredAny>,
    evaluated_items: Option<IgnoredAny>,
    fetched_bytes: Option<IgnoredAny>,
    region: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
    action: Option<IgnoredAny>,
    changes: Option<IgnoredAny>,
    entity: Option<IgnoredAny>,
    cached: Option<IgnoredAny>,
    replayed: Option<IgnoredAny>,
}

impl Line<'_> {
    fn is_plain(&self) -> bool {
        let more = [
            &self.index,
            &self.evaluated_bytes,
            &self.evaluated_items,
            &self.fetched_bytes,
            &self.region,
            &self.error,
            &self.action,
            &self.changes,
            &self.entity,
            &self.cached,
            &self.replayed,
        ];
        more.iter().all(|one| one.is_none())
    }
}

/// The text of a JSON string without escapes.
fn unescaped(raw: &str) -> Option<&str> {
    let text = raw.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', text.as_bytes())
        .is_none()
        .then_some(text)
}

/// The call of a line of NDJSON; `None` if it needs the full path.
fn json_call(line: &str) -> Option<LineCall<'_>> {
    let line: Line = sonic_rs::from_str(line.trim_end()).ok()?;
    if !line.is_plain() {
        return None;
    }
    let (Cow::Borrowed(time), Cow::Borrowed(key)) = (line.time.as_raw_cow(), line.key.as_raw_cow())
    else {
        return None;
    };
    let number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let time = unescaped(time).or_else(|| number(time).then_some(time))?;
    let key = match unescaped(key) {
        Some(text) => text.as_bytes(),
        None if key.bytes().all(|byte| byte.is_ascii_digit()) => key.as_bytes(),
        None => return None,
    };
    Some(LineCall {
        time,
        operation: line.operation,
        table: line.table,
        key,
        item_bytes: line.item_bytes,
        old_bytes: line.old_bytes,
        consistency: line.consistency,
        caller: line.caller,
    })
}

/// Where the columns of a trace are in the records of a CSV file.
pub struct CsvColumns {
    /// The number of columns.
    width: usize,
    time: Option<usize>,
    operation: Option<usize>,
    table: Option<usize>,
    key: Option<usize>,
    item_bytes: Option<usize>,
    old_bytes: Option<usize>,
    consistency: Option<usize>,
    caller: Option<usize>,
    /// Columns that are empty in a plain call.
    others: Vec<usize>,
}

impl CsvColumns {
    /// Columns by their positions, in the order of [`COLUMNS`].
    pub fn new(width: usize, positions: &[Option<usize>]) -> CsvColumns {
        let at = |name: &str| {
            let mut columns = COLUMNS.iter().zip(positions);
            *columns.find(|((column, _), _)| *column == name)?.1
        };
        let mut columns = CsvColumns {
            width,
            time: at("time"),
            operation: at("operation"),
            table: at("table"),
            key: at("key"),
            item_bytes: at("item_bytes"),
            old_bytes: at("old_bytes"),
            consistency: at("consistency"),
            caller: at("caller"),
            others: Vec::new(),
        };
        let plain = [
            columns.time,
            columns.operation,
            columns.table,
            columns.key,
            columns.item_bytes,
            columns.old_bytes,
            columns.consistency,
            columns.caller,
            at("ttl"),
        ];
        let others = positions.iter().filter(|at| !plain.contains(at)).flatten();
        columns.others = others.copied().collect();
        columns
    }

    /// The call of a record; `None` if it needs the full path. `fields` is room for its fields.
    fn call<'t>(&self, record: &'t str, fields: &mut Vec<&'t str>) -> Option<LineCall<'t>> {
        split(record, fields)?;
        if fields.len() != self.width || self.others.iter().any(|at| !fields[*at].is_empty()) {
            return None;
        }
        let field = |at: Option<usize>| at.map(|at| fields[at]).filter(|text| !text.is_empty());
        Some(LineCall {
            time: field(self.time)?,
            operation: field(self.operation)?,
            table: field(self.table),
            key: field(self.key)?.as_bytes(),
            item_bytes: size(field(self.item_bytes))?,
            old_bytes: size(field(self.old_bytes))?,
            consistency: field(self.consistency),
            caller: field(self.caller),
        })
    }
}

/// A size in digits (`Some(None)` if missing); `None` if it needs the full path.
fn size(text: Option<&str>) -> Option<Option<u32>> {
    match text {
        None => Some(None),
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Some),
        Some(_) => None,
    }
}

/// The fields of a record of CSV; `None` if one has a quote in it, which the full path reads.
fn split<'t>(record: &'t str, fields: &mut Vec<&'t str>) -> Option<()> {
    fields.clear();
    let record = record.strip_suffix('\n').unwrap_or(record);
    let mut rest = record.strip_suffix('\r').unwrap_or(record);
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (field, after) = quoted.split_at(memchr::memchr(b'"', quoted.as_bytes())?);
                (field, after.strip_prefix('"')?)
            }
            None => {
                let end = memchr::memchr(b',', rest.as_bytes()).unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                if memchr::memchr2(b'"', b'\r', field.as_bytes()).is_some() {
                    return None;
                }
                (field, after)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Some(()),
            None => return None,
        }
    }
}

/// The text of a column (`Some(None)` if empty); `None` if it needs the full path.
fn name(text: Option<&str>) -> Option<Option<&str>> {
    match text {
        None | Some("") => Some(None),
        Some(text) if text.trim().len() == text.len() => Some(Some(text)),
        Some(_) => None,
    }
}

/// Where the lines of a text are.
pub struct TextLines<'a> {
    /// Where each line begins.
    pub starts: &'a [usize],
    /// Where the last line ends.
    pub length: usize,
    /// The place of the first line in its file.
    pub place: RowPlace,
    /// The columns of CSV; `None` for NDJSON.
    pub csv: Option<&'a CsvColumns>,
}

/// The times of lines: the unit of numbers, and whether the first number may decide it.
#[derive(Clone, Copy)]
pub struct LineTimes {
    /// The unit, if it is known.
    pub unit: Option<TimeUnit>,
    /// Whether the first number decides it.
    pub detects: bool,
}

impl LineTimes {
    fn time(&mut self, text: &str) -> Option<Time> {
        let is_number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !is_number {
            // The text of a number, such as 1.5, needs the unit as well.
            let (time, number) = parse_time(text, self.unit)?;
            return number.is_none().then_some(time);
        }
        let number = text.parse().ok()?;
        if self.unit.is_none() && self.detects {
            self.unit = Some(TimeUnit::of(number));
        }
        self.unit?.time(number)
    }
}

/// The rows of some lines; takes their text. `None` if a line needs the full path; the text is then
/// left in place.
#[expect(
    clippy::too_many_lines,
    reason = "one pass over the lines, which gives up at the first that needs the full path"
)]
pub fn plain(
    policy: &RowPolicy,
    text: &mut Vec<u8>,
    lines: &TextLines,
    mut times_of: LineTimes,
) -> Option<(Plain, Option<TimeUnit>)> {
    if policy.keep_keys || policy.has_time_format {
        return None;
    }
    let TextLines {
        starts,
        length,
        place,
        csv,
    } = *lines;
    let count = starts.len();
    let (mut times, mut hashes, mut slots) = (
        Vec::with_capacity(count),
        Vec::with_capacity(count),
        Vec::with_capacity(count),
    );
    let (mut all_what, mut before) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut spans: Vec<(u32, u32)> = Vec::with_capacity(starts.len());
    let mut kinds = Vec::new();
    // Operation, table, caller and consistency of each kind.
    let mut known: Vec<([Option<String>; 4], bool)> = Vec::new();
    let (mut last, mut latest, mut fields) = (i64::MIN, 0, Vec::new());
    let whole = std::str::from_utf8(&text[..length]).ok()?;
    let ends = starts.iter().skip(1).copied().chain([length]);
    for (start, end) in starts.iter().zip(ends) {
        let line = whole.get(*start..end)?;
        let line = match csv {
            None => json_call(line)?,
            Some(columns) => columns.call(line, &mut fields)?,
        };
        let found = [
            Some(line.operation),
            name(line.table)?,
            name(line.caller)?,
            name(line.consistency)?,
        ];
        let same = |of: &([Option<String>; 4], bool)| {
            of.0.iter()
                .zip(&found)
                .all(|(known, found)| known.as_deref() == *found)
        };
        let kind = match known.get(latest).is_some_and(same) {
            true => latest,
            false => match known.iter().position(same) {
                Some(kind) => kind,
                None => {
                    kinds.push(policy.kind(found[0]?.trim(), found[3])?);
                    let table = found[1].or(policy.table.as_deref());
                    known.push((
                        found.map(|text| text.map(str::to_string)),
                        policy.is_sorted(table),
                    ));
                    known.len() - 1
                }
            },
        };
        latest = kind;
        let key = line.key;
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            return None;
        }
        let hash = hash_of(key);
        let partition = match if known[kind].1 {
            memchr::memchr(b'|', key)
        } else {
            None
        } {
            Some(end) => hash_of(&key[..end]),
            None => hash,
        };
        let time = times_of.time(line.time)?.0;
        let size = |bytes: Option<u32>| match bytes {
            None => Some(NO_BYTES),
            Some(bytes) => (u64::from(bytes) <= limits::ITEM_BYTES_MAX).then_some(bytes),
        };
        let (bytes, old) = (size(line.item_bytes)?, size(line.old_bytes)?);
        let leaves_nothing = bytes == 0
            && matches!(
                kinds.get(kind).map(|kind: &super::rows::RowKind| kind.api),
                Some(ApiName::PutItem | ApiName::UpdateItem)
            );
        if time < last || leaves_nothing || known.len() > KINDS_MAX {
            return None;
        }
        last = time;
        let from = key.as_ptr() as usize - text.as_ptr() as usize;
        spans.push((from as u32, key.len() as u32));
        times.push(time);
        hashes.push(hash);
        slots.push(slot_of(partition));
        all_what.push(what(kind as u32, bytes));
        before.push(old);
    }
    let names = known
        .into_iter()
        .map(|([_, table, caller, _], _)| (table.or_else(|| policy.table.clone()), caller))
        .collect();
    let text = std::mem::take(text);
    let columns = RowColumns {
        times: times.into(),
        each: 1,
        hashes: &hashes,
        slots: &slots,
        what: &all_what,
        old: before.iter().any(|old| *old != NO_BYTES).then_some(before),
    };
    let rows = Rows::dealt(
        kinds,
        columns,
        RowKeys::Lines(text, spans),
        place,
        policy.spare(),
    );
    Some((Plain::new(rows, names), times_of.unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_a_csv_reader_or_left_to_it() {
        for (record, is_plain) in [
            ("a,b,c\n", true),
            ("a,b,c\r\n", true),
            ("a,,\n", true),
            (",,\n", true),
            ("\"a,b\",c\n", true),
            ("a,\"\",c\n", true),
            ("\"a\nb\",c\n", true),
            ("\"a\"\"b\",c\n", false),
            ("a\"b,c\n", false),
            ("\"a\"b,c\n", false),
            ("\"a,c\n", false),
            ("a,b\rc,d\n", false),
            (" a , b\n", true),
            ("ä,ö\n", true),
        ] {
            let mut fields = Vec::new();
            let found = split(record, &mut fields).map(|()| fields);
            assert_eq!(found.is_some(), is_plain, "{record:?}");
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(record.as_bytes());
            let row = reader.records().next().expect("a row").expect("CSV");
            if let Some(found) = found {
                assert_eq!(found, row.iter().collect::<Vec<_>>(), "{record:?}");
            }
        }
    }

    #[test]
    fn only_the_first_block_detects_the_unit_of_times() {
        let second = Time(1_700_000_000 * Time::SECOND);
        let mut first = LineTimes {
            unit: None,
            detects: true,
        };
        assert_eq!(first.time("1700000000000"), Some(second));
        assert_eq!(first.unit, Some(TimeUnit::Milliseconds));
        assert_eq!(first.time("2023-11-14T22:13:20Z"), Some(second));
        let mut later = LineTimes {
            unit: None,
            detects: false,
        };
        assert_eq!(later.time("2023-11-14T22:13:20Z"), Some(second));
        assert_eq!(later.time("1700000000000"), None);
        for text in ["", "-", "soon", "1.5", "17000000000000000000000"] {
            assert_eq!(first.time(text), None, "{text:?}");
        }
    }
}
