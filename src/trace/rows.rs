//! Rows of plain calls, as the hot path takes them: 32 bytes each, sorted by [slot](slot_of), no allocation for a row.
//!
//! A row is plain where it says its time, its operation, its key and at most its sizes, its table, its caller and its
//! consistency. Everything else is an [`Event`].

use std::sync::Arc;

use arrow_array::{Array, BinaryViewArray, Int64Array, StringViewArray};

use super::event::mixed;
use super::{Api, Call, Event, Key, Name, Place, Time, What};
use crate::table::Consistency;

/// Keys are dealt to so many slots by the first bits of their hash. What is remembered of a key belongs to its slot, and
/// a slot to one thread and to one share, so that no result depends on how many there are.
pub const SLOTS: usize = 256;

/// The slot of a hash.
pub fn slot_of(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// What many rows have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKind {
    /// The API call.
    pub api: Api,
    /// The table; `None` where there is only one.
    pub table: Option<Name>,
    /// Who calls.
    pub caller: Option<Name>,
    /// Eventual or strong; `None` where the row does not say.
    pub consistency: Option<Consistency>,
}

/// No size is given.
pub const NO_BYTES: u32 = u32::MAX;

/// One plain call.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Nanoseconds since 1970.
    pub time: i64,
    /// The hash of its key.
    pub hash: u64,
    /// Size of the item, or [`NO_BYTES`].
    pub bytes: u32,
    /// Size of the item before a write, or [`NO_BYTES`].
    pub old: u32,
    /// Its position among the rows that were read with it.
    pub at: u32,
    /// Its [`RowKind`], by position.
    pub kind: u16,
    /// The slot of its key, or of its partition key where the table has a sort key.
    pub slot: u8,
}

/// The keys of rows, for people and for the slow path.
#[derive(Clone, Debug)]
pub enum RowKeys {
    /// Numbers.
    Whole(Int64Array),
    /// Texts.
    Text(StringViewArray),
    /// Bytes.
    Binary(BinaryViewArray),
    /// Parts of a text: where each begins, and how long it is.
    Lines(Vec<u8>, Vec<(u32, u32)>),
}

impl RowKeys {
    /// Whether every row has one.
    pub fn is_complete(&self) -> bool {
        match self {
            RowKeys::Whole(numbers) => numbers.null_count() == 0,
            RowKeys::Text(texts) => texts.null_count() == 0,
            RowKeys::Binary(bytes) => bytes.null_count() == 0,
            RowKeys::Lines(..) => true,
        }
    }

    /// The key of a row.
    pub fn key(&self, at: usize) -> Key {
        match self {
            RowKeys::Whole(numbers) => Key::of(itoa::Buffer::new().format(numbers.value(at)).as_bytes()),
            RowKeys::Text(texts) => Key::of(texts.value(at).as_bytes()),
            RowKeys::Binary(bytes) => Key::of(bytes.value(at)),
            RowKeys::Lines(text, spans) => {
                let (from, length) = spans[at];
                Key::of(&text[from as usize..(from + length) as usize])
            }
        }
    }
}

/// Rows in the order of time, sorted by slot; within a slot in the order of time.
#[derive(Clone, Debug)]
pub struct Rows {
    /// What rows have in common.
    pub kinds: Vec<RowKind>,
    /// The rows.
    pub rows: Vec<Row>,
    /// Where each slot begins, and the end.
    pub starts: Box<[u32; SLOTS + 1]>,
    /// Their keys, by `at`.
    pub keys: Arc<RowKeys>,
    /// Where the first stood in its file.
    pub place: Place,
    /// The time of the first.
    pub first: Time,
    /// The time of the last.
    pub last: Time,
    /// The number of the first among all events of the trace.
    pub ordinal: u64,
    /// What tells these rows from others: see [`sign`].
    pub signature: u64,
}

/// What tells an event from others; signatures of many are added up.
pub fn sign(time: i64, hash: u64) -> u64 {
    mixed(hash ^ (time as u64).rotate_left(23), 77)
}

impl Rows {
    /// Rows as they were read, in the order of time, dealt to their slots in a buffer.
    pub fn new(kinds: Vec<RowKind>, read: &[Row], keys: Arc<RowKeys>, place: Place, buffer: Vec<Row>) -> Rows {
        let mut starts = Box::new([0_u32; SLOTS + 1]);
        let mut signature = 0_u64;
        for row in read {
            starts[usize::from(row.slot) + 1] += 1;
            signature = signature.wrapping_add(sign(row.time, row.hash));
        }
        for slot in 0..SLOTS {
            starts[slot + 1] += starts[slot];
        }
        let mut next = [0_u32; SLOTS];
        next.copy_from_slice(&starts[..SLOTS]);
        let blank = Row { time: 0, hash: 0, bytes: 0, old: 0, at: 0, kind: 0, slot: 0 };
        let mut rows = buffer;
        rows.resize(read.len(), blank);
        for row in read {
            let at = &mut next[usize::from(row.slot)];
            rows[*at as usize] = *row;
            *at += 1;
        }
        let time = |row: Option<&Row>| Time(row.map_or(0, |row| row.time));
        Rows { kinds, starts, rows, keys, place, first: time(read.first()), last: time(read.last()), ordinal: 0, signature }
    }

    /// The rows of a slot.
    pub fn slot(&self, slot: usize) -> &[Row] {
        &self.rows[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }

    /// One row as an event.
    pub fn event(&self, row: &Row) -> Event {
        let kind = &self.kinds[usize::from(row.kind)];
        let given = |bytes: u32| (bytes != NO_BYTES).then_some(bytes);
        let key = self.keys.key(row.at as usize);
        let call = Call {
            caller: kind.caller,
            consistency: kind.consistency,
            item_bytes: given(row.bytes),
            old_bytes: given(row.old),
            ..Call::new(kind.api, key)
        };
        let place = Place { row: self.place.row + u64::from(row.at), ..self.place };
        Event { time: Time(row.time), place, table: kind.table, what: What::Call(call) }
    }

    /// All rows as events, in the order in which they were read.
    pub fn events(&self) -> Vec<Event> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|row| row.at);
        rows.into_iter().map(|row| self.event(row)).collect()
    }
}
