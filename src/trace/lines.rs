//! The fast path for NDJSON lines that are plain calls: parsed in place by `sonic-rs`, without
//! copying.
//!
//! If any line of a block is not a plain call or is bad, the whole block takes the full path, which
//! reports errors.

use serde::Deserialize;
use serde::de::IgnoredAny;
use sonic_rs::LazyValue;

use super::columns::plain::{KEY_BYTES_MAX, Plain, RowPolicy};
use super::rows::{KINDS_MAX, NO_BYTES, RowColumns, RowKeys, Rows, slot_of, what};
use super::time::TimeUnit;
use super::{ApiName, RowPlace, hash_of};
use crate::table::limits;

/// A line of a plain call: the columns of a trace under their default names.
#[derive(Deserialize)]
struct Line<'a> {
    time: i64,
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
    unit: Option<TimeUnit>,
) -> Option<(Plain, TimeUnit)> {
    if policy.keep_keys {
        return None;
    }
    let TextLines {
        starts,
        length,
        place,
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
    let (mut unit, mut last, mut latest) = (unit, i64::MIN, 0);
    let whole = std::str::from_utf8(&text[..length]).ok()?;
    let ends = starts.iter().skip(1).copied().chain([length]);
    for (start, end) in starts.iter().zip(ends) {
        let line: Line = sonic_rs::from_str(whole.get(*start..end)?.trim_end()).ok()?;
        if !line.is_plain() {
            return None;
        }
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
        let raw = line.key.as_raw_str();
        let key = match raw.as_bytes() {
            [b'"', key @ .., b'"'] if memchr::memchr(b'\\', key).is_none() => key,
            number if number.iter().all(u8::is_ascii_digit) => number,
            _ => return None,
        };
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
        let own = unit.get_or_insert_with(|| TimeUnit::of(line.time));
        let time = own.time(line.time)?.0;
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
    Some((Plain::new(rows, names), unit?))
}
