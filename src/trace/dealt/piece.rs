//! A piece of a blob: rows of plain calls in columns, or events.

use arrow_array::Int64Array;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::table::{ApiName, Item};
use crate::trace::event::{hash_of, hash_of_whole, is_short, mixed, salt};
use crate::trace::rows::{
    NO_BYTES, PlainRow, RowColumns, RowKeys, RowKind, Rows, sign, slot_of, what,
};
use crate::trace::{Event, Failure, Name, Request, RowPlace, Time, TracedCall, TracedKey, What};

/// A piece.
#[derive(Debug, Serialize, Deserialize)]
pub enum Piece {
    /// Rows of plain calls.
    Rows(RowPiece),
    /// Events.
    Events(EventPiece),
}

/// Rows of plain calls, column by column, in the order of time.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct RowPiece {
    /// The kinds of the rows, and whether their table has a sort key.
    pub kinds: Vec<(RowKind, bool)>,
    /// Nanoseconds of a unit of time.
    pub each: i64,
    /// The time of the first row, in these units, and the steps to the time of each.
    pub time: i64,
    pub times: Vec<u64>,
    /// The number of the first row in its file, and the steps to the number of each.
    pub row: u64,
    pub rows: Vec<u64>,
    /// The kind of each row, by position; empty if there is only one.
    pub of: Vec<u16>,
    /// The size of the item and 1 byte, or 0; empty if no row has a size.
    pub bytes: Vec<u32>,
    /// The same of the item before a write.
    pub old: Vec<u32>,
    /// The keys.
    pub keys: PieceKeys,
}

/// The keys of rows.
#[derive(Debug, Serialize, Deserialize)]
pub enum PieceKeys {
    /// Integers.
    Numbers(Vec<i64>),
    /// Each text once, one after another, with its length; and the text of each row, by position.
    Texts {
        #[serde(with = "serde_bytes")]
        texts: Vec<u8>,
        lengths: Vec<u16>,
        of: Vec<u32>,
    },
}

impl Default for PieceKeys {
    fn default() -> PieceKeys {
        PieceKeys::Numbers(Vec::new())
    }
}

/// Events, column by column, in the order of time.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct EventPiece {
    /// The time of the first event, and the steps to the time of each.
    time: Time,
    times: Vec<u64>,
    /// The number of the first event's row in its file, and the steps to that of each; a step back
    /// wraps around.
    row: u64,
    rows: Vec<u64>,
    /// The slots of their keys.
    slots: Vec<u8>,
    tables: Vec<Option<Name>>,
    keys: Vec<DealtKey>,
    what: Vec<DealtWhat>,
    #[serde(skip)]
    last: (Time, u64),
}

/// The key of a call.
#[derive(Debug, Serialize, Deserialize)]
enum DealtKey {
    /// Its text, from which the rest follows.
    Text(String),
    /// Bytes that are no text, or more than are kept.
    Other(Box<TracedKey>),
}

impl DealtKey {
    fn of(key: TracedKey) -> DealtKey {
        let text = std::str::from_utf8(key.shown()).map(str::to_string);
        match text {
            Ok(text) if TracedKey::of(text.as_bytes()) == key => DealtKey::Text(text),
            _ => DealtKey::Other(Box::new(key)),
        }
    }

    fn key(self) -> TracedKey {
        match self {
            DealtKey::Text(text) => TracedKey::of(text.as_bytes()),
            DealtKey::Other(key) => *key,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum DealtWhat {
    /// A call without its key.
    Call(TracedCall),
    Request(Box<DealtRequest>),
}

/// A request; its values as JSON texts.
#[derive(Debug, Serialize, Deserialize)]
struct DealtRequest {
    api: ApiName,
    request: String,
    item: Option<Item>,
    failure: Option<Failure>,
    region: Option<Name>,
    caller: Option<Name>,
    consumed: Option<String>,
    item_after: Option<String>,
    evaluated_keys: Option<String>,
    unprocessed: Option<String>,
}

/// The signature of a dealt event; those of several events are added up.
pub fn signature(event: &Event) -> u64 {
    match &event.what {
        What::Call(call) => sign(event.time.0, call.key.hash),
        _ => sign(event.time.0, mixed(event.place.row, salt::SIGNATURE)),
    }
}

impl DealtRequest {
    fn of(request: Request) -> DealtRequest {
        let text = |value: Option<Value>| value.map(|value| value.to_string());
        DealtRequest {
            api: request.api,
            request: request.request.to_string(),
            item: request.item,
            failure: request.failure,
            region: request.region,
            caller: request.caller,
            consumed: text(request.consumed),
            item_after: text(request.item_after),
            evaluated_keys: text(request.evaluated_keys),
            unprocessed: text(request.unprocessed),
        }
    }

    /// The request, with names of their own numbers; `None` if it is damaged.
    fn request(self, names: &[Name]) -> Option<Request> {
        let value = |text: Option<String>| match text {
            None => Some(None),
            Some(text) => serde_json::from_str(&text).ok().map(Some),
        };
        Some(Request {
            api: self.api,
            request: serde_json::from_str(&self.request).ok()?,
            item: self.item,
            failure: self.failure,
            region: numbered(self.region, names)?,
            caller: numbered(self.caller, names)?,
            consumed: value(self.consumed)?,
            item_after: value(self.item_after)?,
            evaluated_keys: value(self.evaluated_keys)?,
            unprocessed: value(self.unprocessed)?,
        })
    }
}

/// A name by its own number; `None` if there is no such name.
fn numbered(of: Option<Name>, names: &[Name]) -> Option<Option<Name>> {
    match of {
        None => Some(None),
        Some(name) => names.get(name.0 as usize).map(|name| Some(*name)),
    }
}

impl EventPiece {
    /// The number of events.
    pub fn len(&self) -> usize {
        self.what.len()
    }

    /// Adds an event with the slot of its key. Events without a single key are not dealt.
    pub fn push(&mut self, event: Event, slot: u8) {
        let (key, what) = match event.what {
            What::Call(mut call) => {
                let key = std::mem::replace(&mut call.key, TracedKey::of(b""));
                (key, DealtWhat::Call(call))
            }
            What::Request(request) => {
                let request = Box::new(DealtRequest::of(*request));
                (TracedKey::of(b""), DealtWhat::Request(request))
            }
            What::Change(_) | What::Counted(_) | What::Throttled(_) => return,
        };
        let (time, row) = (event.time, event.place.row);
        if self.what.is_empty() {
            (self.time, self.row, self.last) = (time, row, (time, row));
        }
        self.times.push(time.0.wrapping_sub(self.last.0.0) as u64);
        self.rows.push(row.wrapping_sub(self.last.1));
        self.last = (time, row);
        self.slots.push(slot);
        self.tables.push(event.table);
        self.keys.push(DealtKey::of(key));
        self.what.push(what);
    }

    /// The slots of the keys, in the order of the events.
    pub fn slots(&self) -> Vec<u8> {
        self.slots.clone()
    }

    /// The events, with names of their own numbers; `None` if they are damaged.
    pub fn events(self, file: u32, names: &[Name]) -> Option<Vec<Event>> {
        let count = self.len();
        let lengths = [
            self.times.len(),
            self.rows.len(),
            self.slots.len(),
            self.tables.len(),
            self.keys.len(),
        ];
        if lengths.iter().any(|length| *length != count) {
            return None;
        }
        let times = walked(self.time.0, &self.times, |time, step| {
            Some(time.wrapping_add(step as i64))
        })?;
        let rows = walked(self.row, &self.rows, |row, step| {
            Some(row.wrapping_add(step))
        })?;
        let places = times.into_iter().zip(rows).zip(self.tables);
        let mut events = Vec::with_capacity(count);
        for ((((time, row), table), key), what) in places.zip(self.keys).zip(self.what) {
            let what = match what {
                DealtWhat::Call(call) => What::Call(TracedCall {
                    key: key.key(),
                    index: numbered(call.index, names)?,
                    region: numbered(call.region, names)?,
                    caller: numbered(call.caller, names)?,
                    changes: numbered(call.changes, names)?,
                    entity: numbered(call.entity, names)?,
                    ..call
                }),
                DealtWhat::Request(request) => What::Request(Box::new(request.request(names)?)),
            };
            events.push(Event {
                time: Time(time),
                place: RowPlace { file, row },
                table: numbered(table, names)?,
                what,
            });
        }
        Some(events)
    }
}

/// Steps as the values that they lead to; `None` if one is out of range.
fn walked<T: Copy>(from: T, steps: &[u64], add: impl Fn(T, u64) -> Option<T>) -> Option<Vec<T>> {
    let mut at = from;
    let walk = steps.iter().map(|step| {
        at = add(at, *step)?;
        Some(at)
    });
    walk.collect()
}

/// Sizes as they are in memory.
fn sizes(written: &[u32], rows: usize) -> Option<Vec<u32>> {
    match written.len() {
        0 => Some(vec![NO_BYTES; rows]),
        length if length == rows => {
            // 0 stands for a missing size, which is the largest number in memory.
            Some(written.iter().map(|bytes| bytes.wrapping_sub(1)).collect())
        }
        _ => None,
    }
}

impl RowPiece {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// The rows, sorted into their slots, with names of their own numbers; `None` if the piece is
    /// damaged.
    pub fn rows(self, file: u32, names: &[Name], buffer: Vec<PlainRow>) -> Option<Rows> {
        let count = self.len();
        if count > 1 << 16 || self.rows.len() != count {
            return None;
        }
        let times = walked(self.time, &self.times, |time, step| {
            time.checked_add_unsigned(step)
        })?;
        times
            .last()
            .map_or(Some(0), |last| last.checked_mul(self.each))?;
        times
            .first()
            .map_or(Some(0), |first| first.checked_mul(self.each))?;
        let numbers = walked(self.row, &self.rows, |row, step| {
            Some(row.wrapping_add(step))
        })?;
        let of = match self.of.len() {
            0 if self.kinds.len() == 1 => vec![0; count],
            length if length == count => self.of,
            _ => return None,
        };
        let is_kind = |kind: &u16| usize::from(*kind) < self.kinds.len();
        if !of.iter().all(is_kind) {
            return None;
        }
        let is_sorted = |at: usize| self.kinds[usize::from(of[at])].1;
        let (keys, hashes, slots) = self.keys.hashed(count, is_sorted)?;
        let bytes = sizes(&self.bytes, count)?;
        let old = match self.old.is_empty() {
            true => None,
            false => Some(sizes(&self.old, count)?),
        };
        let packed: Vec<u32> = of
            .iter()
            .zip(bytes)
            .map(|(kind, bytes)| what(u32::from(*kind), bytes))
            .collect();
        let kind = |(kind, _): &(RowKind, bool)| {
            Some(RowKind {
                table: numbered(kind.table, names)?,
                caller: numbered(kind.caller, names)?,
                ..*kind
            })
        };
        let kinds = self
            .kinds
            .iter()
            .map(kind)
            .collect::<Option<Vec<RowKind>>>()?;
        let columns = RowColumns {
            times: times.into(),
            each: self.each,
            hashes: &hashes,
            slots: &slots,
            what: &packed,
            old,
        };
        let from = RowPlace {
            file,
            row: numbers.first().copied().unwrap_or(1),
        };
        Some(Rows::dealt(kinds, columns, keys, from, buffer).numbered(numbers))
    }
}

/// Keys as rows have them, their hashes and their slots.
type Hashed = (RowKeys, Vec<u64>, Vec<u8>);

impl PieceKeys {
    fn hashed(self, count: usize, is_sorted: impl Fn(usize) -> bool) -> Option<Hashed> {
        match self {
            PieceKeys::Numbers(numbers) if numbers.len() == count => {
                let hashes: Vec<u64> = numbers.iter().map(|key| hash_of_whole(*key)).collect();
                let slots = hashes.iter().map(|hash| slot_of(*hash)).collect();
                let keys = match numbers.iter().all(|number| is_short(*number)) {
                    true => RowKeys::Hashes,
                    false => RowKeys::Whole(Int64Array::from(numbers)),
                };
                Some((keys, hashes, slots))
            }
            PieceKeys::Texts { texts, lengths, of } if of.len() == count => {
                let (mut spans, mut from) = (Vec::with_capacity(lengths.len()), 0_u32);
                for length in lengths {
                    spans.push((from, u32::from(length)));
                    from += u32::from(length);
                }
                if from as usize != texts.len() {
                    return None;
                }
                // Of each text: its hash, the slot of the whole key and of the partition key.
                let hashed = |(from, length): &(u32, u32)| {
                    let text = &texts[*from as usize..(*from + *length) as usize];
                    let hash = hash_of(text);
                    let end = memchr::memchr(b'|', text);
                    let partition = end.map_or(hash, |end| hash_of(&text[..end]));
                    (hash, slot_of(hash), slot_of(partition))
                };
                let known: Vec<(u64, u8, u8)> = spans.iter().map(hashed).collect();
                let (mut hashes, mut slots, mut places) = (
                    Vec::with_capacity(count),
                    Vec::with_capacity(count),
                    Vec::with_capacity(count),
                );
                for (at, text) in of.into_iter().enumerate() {
                    let (hash, whole, partition) = *known.get(text as usize)?;
                    hashes.push(hash);
                    slots.push(if is_sorted(at) { partition } else { whole });
                    places.push(spans[text as usize]);
                }
                Some((RowKeys::Lines(texts, places), hashes, slots))
            }
            PieceKeys::Numbers(_) | PieceKeys::Texts { .. } => None,
        }
    }
}
