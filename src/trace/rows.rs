//! Rows of plain calls for the fast path: 16 bytes each, sorted by [slot](slot_of), without an
//! allocation per row.
//!
//! A row is plain if it has only a time, an operation, a key and, optionally, sizes, a table, a
//! caller and a consistency. Every other row becomes an [`Event`].

use std::sync::Arc;

use arrow_array::{Array, BinaryViewArray, Int64Array, StringViewArray};
use arrow_buffer::ScalarBuffer;

use super::event::whole_of;
use super::{ApiName, Event, Name, RowPlace, Time, TracedCall, TracedKey, What};
use crate::table::{Consistency, limits};

/// Keys are divided into 256 slots by the top 8 bits of their hash. The state of a key belongs to
/// its slot, and a slot belongs to one thread and one share, so that no result depends on the
/// number of threads or shares.
pub const SLOTS: usize = 1 << SLOT_BITS;

/// The number of top bits of a hash that select the slot.
pub const SLOT_BITS: u32 = 8;

/// The slot of a hash.
#[inline]
pub fn slot_of(hash: u64) -> u8 {
    (hash >> (u64::BITS - SLOT_BITS)) as u8
}

/// What many rows have in common.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct RowKind {
    /// The API call.
    pub api: ApiName,
    /// The table; `None` if there is only one.
    pub table: Option<Name>,
    /// The caller.
    pub caller: Option<Name>,
    /// Eventual or strong; `None` if the row does not say.
    pub consistency: Option<Consistency>,
}

/// Stands for a missing size.
pub const NO_BYTES: u32 = u32::MAX;

/// One plain call: the fields that are read for every row.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainRow {
    /// The hash of its key.
    pub hash: u64,
    /// [Its kind and the size of the item](what).
    what: u32,
    /// The index of its second (upper 16 bits) and its position (lower 16 bits) in the batch it
    /// was read with.
    when: u32,
}

/// Bits of a size: enough for 400 KB and for the value of a missing size.
const BYTES_BITS: u32 = 20;
const NO_BYTES_HERE: u32 = (1 << BYTES_BITS) - 1;

/// The most kinds that fit in the remaining bits.
pub const KINDS_MAX: usize = 1 << (32 - BYTES_BITS);

const _: () = assert!(limits::ITEM_BYTES_MAX < NO_BYTES_HERE as u64);

/// Packs a kind, by its position below [`KINDS_MAX`], and a size of at most 400 KB or [`NO_BYTES`]
/// into one number.
#[inline]
pub fn what(kind: u32, bytes: u32) -> u32 {
    (kind << BYTES_BITS) | (bytes & NO_BYTES_HERE)
}

/// The kind in [`what`].
#[inline]
pub fn kind_of(what: u32) -> usize {
    (what >> BYTES_BITS) as usize
}

/// The size in [`what`].
#[inline]
pub fn bytes_of(what: u32) -> u32 {
    let bytes = what & NO_BYTES_HERE;
    if bytes == NO_BYTES_HERE {
        NO_BYTES
    } else {
        bytes
    }
}

impl PlainRow {
    /// Its [`RowKind`], by position.
    #[inline]
    pub fn kind(&self) -> usize {
        kind_of(self.what)
    }

    /// Size of the item, or [`NO_BYTES`].
    #[inline]
    pub fn bytes(&self) -> u32 {
        bytes_of(self.what)
    }

    /// Its position in the batch it was read with.
    #[inline]
    pub fn at(&self) -> usize {
        usize::from(self.when as u16)
    }
}

/// Columns of rows in time order.
pub struct RowColumns<'a> {
    /// Times since 1970, in a unit of `each` nanoseconds.
    pub times: ScalarBuffer<i64>,
    /// Nanoseconds per unit; the caller ensures that no time overflows.
    pub each: i64,
    /// Hashes of the keys.
    pub hashes: &'a [u64],
    /// Slots of the keys, or of the partition keys if the table has a sort key.
    pub slots: &'a [u8],
    /// The kind and the size of each row, packed by [what].
    ///
    /// [what]: what()
    pub what: &'a [u32],
    /// Sizes before a write, or [`NO_BYTES`]; `None` if no row gives one.
    pub old: Option<Vec<u32>>,
}

/// The keys of rows, for display and for the full path.
#[derive(Clone, Debug)]
pub enum RowKeys {
    /// Integers of at most 18 digits, which are recovered from their hashes.
    Hashes,
    /// Numbers.
    Whole(Int64Array),
    /// Texts.
    Text(StringViewArray),
    /// Bytes.
    Binary(BinaryViewArray),
    /// Slices of a text: the start and length of each.
    Lines(Vec<u8>, Vec<(u32, u32)>),
}

impl RowKeys {
    /// Whether every row has a key.
    pub fn is_complete(&self) -> bool {
        match self {
            RowKeys::Hashes => true,
            RowKeys::Whole(numbers) => numbers.null_count() == 0,
            RowKeys::Text(texts) => texts.null_count() == 0,
            RowKeys::Binary(bytes) => bytes.null_count() == 0,
            RowKeys::Lines(..) => true,
        }
    }

    /// The key of a row.
    fn key(&self, row: &PlainRow) -> TracedKey {
        let at = row.at();
        let number = |number: i64| TracedKey::of(itoa::Buffer::new().format(number).as_bytes());
        match self {
            RowKeys::Hashes => number(whole_of(row.hash)),
            RowKeys::Whole(numbers) => number(numbers.value(at)),
            RowKeys::Text(texts) => TracedKey::of(texts.value(at).as_bytes()),
            RowKeys::Binary(bytes) => TracedKey::of(bytes.value(at)),
            RowKeys::Lines(text, spans) => {
                let (from, length) = spans[at];
                TracedKey::of(&text[from as usize..(from + length) as usize])
            }
        }
    }
}

/// A batch of rows, sorted by slot and, within a slot, by time.
#[derive(Clone, Debug)]
pub struct Rows {
    /// The kinds of the rows.
    pub kinds: Vec<RowKind>,
    /// The rows.
    pub rows: Vec<PlainRow>,
    /// The start of each slot, and the end of the last.
    pub starts: Box<[u32; SLOTS + 1]>,
    keys: Arc<RowKeys>,
    /// The place of the first row in its file.
    pub from: RowPlace,
    /// The number of each row in its file, by position; `None` if they are consecutive.
    numbers: Option<Vec<u64>>,
    /// The time of the first row.
    pub first: Time,
    /// The time of the last row.
    pub last: Time,
    /// The number of the first row among all events of the trace.
    pub ordinal: u64,
    /// A checksum of these rows: the sum of their [`sign`]s.
    pub signature: u64,
    times: ScalarBuffer<i64>,
    each: i64,
    /// Every second that has a row.
    seconds: Vec<i64>,
    old: Option<Vec<u32>>,
}

/// The signature of an event. Those of several events are added up, so that their order does not
/// matter.
#[inline]
pub fn sign(time: i64, hash: u64) -> u64 {
    // An odd factor is invertible, so no bits of the hash are lost.
    hash.wrapping_mul(((time as u64) << 1) | 1)
}

/// Where each slot begins, and the positions of the rows in the order of their slots.
fn in_slots(slots: &[u8]) -> (Box<[u32; SLOTS + 1]>, Vec<u16>) {
    let mut starts = Box::new([0_u32; SLOTS + 1]);
    for slot in slots {
        starts[usize::from(*slot) + 1] += 1;
    }
    for slot in 0..SLOTS {
        starts[slot + 1] += starts[slot];
    }
    let mut next = [0_u32; SLOTS];
    next.copy_from_slice(&starts[..SLOTS]);
    let mut order = vec![0_u16; slots.len()];
    for (at, slot) in (0..=u16::MAX).zip(slots) {
        let to = &mut next[usize::from(*slot)];
        order[*to as usize] = at;
        *to += 1;
    }
    (starts, order)
}

impl Rows {
    /// Sorts rows into their slots, reusing a buffer. At most 65,536 rows, because a row stores its
    /// position in 16 bits.
    pub fn dealt(
        kinds: Vec<RowKind>,
        columns: RowColumns,
        keys: RowKeys,
        place: RowPlace,
        buffer: Vec<PlainRow>,
    ) -> Rows {
        let RowColumns {
            times,
            each,
            hashes,
            slots,
            what,
            old,
        } = columns;
        // With more, positions would wrap around: rows would be duplicated or lost.
        assert!(slots.len() <= 1 << 16, "{} rows", slots.len());
        let time = |at: Option<&i64>| Time(at.map_or(0, |time| time * each));
        let (first, last) = (time(times.first()), time(times.last()));
        // Sort the positions first: at two bytes per row they stay in the CPU cache while they are
        // scattered to the slots. The rows are then written sequentially.
        let (starts, order) = in_slots(slots);
        // Every second that has a row, and the position after its last row.
        let (mut seconds, mut ends, mut sums, mut from) = (Vec::new(), Vec::new(), [0_u64; 2], 0);
        while let Some(time) = times.get(from) {
            let second = Time(time * each).second();
            let end = (second + 1).saturating_mul(Time::SECOND);
            // At least one row, even if `end` saturates in the last representable second.
            let until = from
                + times[from..]
                    .partition_point(|time| time * each < end)
                    .max(1);
            seconds.push(second);
            ends.push(until);
            for (time, hash) in times[from..until].iter().zip(&hashes[from..until]) {
                sums[0] = sums[0].wrapping_add(hash.wrapping_mul(*time as u64));
                sums[1] = sums[1].wrapping_add(*hash);
            }
            from = until;
        }
        let mut rows = buffer;
        rows.clear();
        rows.reserve(slots.len());
        for slot in 0..SLOTS {
            let mut second = 0;
            rows.extend(
                order[starts[slot] as usize..starts[slot + 1] as usize]
                    .iter()
                    .map(|at| {
                        let at = usize::from(*at);
                        while ends[second] <= at {
                            second += 1;
                        }
                        PlainRow {
                            hash: hashes[at],
                            what: what[at],
                            when: (second as u32) << 16 | at as u32,
                        }
                    }),
            );
        }
        // The sum of the signatures of all rows: the unit of time and the 1 are the same for all,
        // so they are factored out.
        let signature = sums[0]
            .wrapping_mul((each as u64) << 1)
            .wrapping_add(sums[1]);
        Rows {
            kinds,
            rows,
            starts,
            keys: Arc::new(keys),
            from: place,
            numbers: None,
            first,
            last,
            ordinal: 0,
            signature,
            times,
            each,
            seconds,
            old,
        }
    }

    /// The same rows, with the number of each in its file.
    #[must_use]
    pub(super) fn numbered(mut self, numbers: Vec<u64>) -> Rows {
        self.numbers = Some(numbers);
        self
    }

    /// The keys of the rows.
    pub(super) fn keys(&self) -> &RowKeys {
        &self.keys
    }

    /// The bytes of a key that is no integer, by the position of its row.
    pub(super) fn key_bytes(&self, at: usize) -> &[u8] {
        match &*self.keys {
            RowKeys::Hashes | RowKeys::Whole(_) => &[],
            RowKeys::Text(texts) => texts.value(at).as_bytes(),
            RowKeys::Binary(bytes) => bytes.value(at),
            RowKeys::Lines(text, spans) => {
                let (from, length) = spans[at];
                &text[from as usize..(from + length) as usize]
            }
        }
    }

    /// Nanoseconds of a unit of time.
    pub(super) fn each(&self) -> i64 {
        self.each
    }

    /// The time of a row in units, by its position.
    pub(super) fn units(&self, at: usize) -> i64 {
        self.times[at]
    }

    /// The time of a row, by its position.
    pub fn time(&self, at: usize) -> Time {
        Time(self.times[at] * self.each)
    }

    /// The place of a row in its file, by its position.
    pub fn place(&self, at: usize) -> RowPlace {
        let row = match &self.numbers {
            Some(numbers) => numbers[at],
            None => self.from.row + at as u64,
        };
        RowPlace { row, ..self.from }
    }

    /// The key of a row.
    pub fn key(&self, row: &PlainRow) -> TracedKey {
        self.keys.key(row)
    }

    /// The second of a row, since 1970.
    #[inline]
    pub fn second(&self, row: &PlainRow) -> i64 {
        self.seconds[(row.when >> 16) as usize]
    }

    /// Size of the item before a write, or [`NO_BYTES`].
    #[inline]
    pub fn old(&self, row: &PlainRow) -> u32 {
        self.old.as_ref().map_or(NO_BYTES, |old| old[row.at()])
    }

    /// The rows of a slot.
    pub fn slot(&self, slot: usize) -> &[PlainRow] {
        &self.rows[self.starts[slot] as usize..self.starts[slot + 1] as usize]
    }

    /// One row as an event.
    pub fn event(&self, row: &PlainRow) -> Event {
        let kind = &self.kinds[row.kind()];
        let given = |bytes: u32| (bytes != NO_BYTES).then_some(bytes);
        let key = self.key(row);
        let call = TracedCall {
            caller: kind.caller,
            consistency: kind.consistency,
            item_bytes: given(row.bytes()),
            old_bytes: given(self.old(row)),
            ..TracedCall::new(kind.api, key)
        };
        Event {
            time: self.time(row.at()),
            place: self.place(row.at()),
            table: kind.table,
            what: What::Call(call),
        }
    }

    /// All rows as events, in the order in which they were read.
    pub fn events(&self) -> Vec<Event> {
        let mut rows: Vec<&PlainRow> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|row| row.at());
        rows.into_iter().map(|row| self.event(row)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::mixed;

    #[test]
    fn rows_are_dealt_in_their_order_and_signed_as_each_is() {
        // Milliseconds: before 1970, several in one second, a gap, the last representable one.
        let times: Vec<i64> = vec![
            -1_500,
            -1,
            0,
            999,
            1_000,
            1_001,
            90_000,
            i64::MAX / 1_000_000,
        ];
        let hashes: Vec<u64> = (0..times.len() as u64).map(|at| mixed(at, 7)).collect();
        let slots: Vec<u8> = hashes.iter().map(|hash| slot_of(*hash) % 2).collect();
        let all_what = vec![what(0, NO_BYTES); times.len()];
        let times_buffer = ScalarBuffer::from(times.clone());
        let columns = RowColumns {
            times: times_buffer,
            each: 1_000_000,
            hashes: &hashes,
            slots: &slots,
            what: &all_what,
            old: None,
        };
        let rows = Rows::dealt(
            Vec::new(),
            columns,
            RowKeys::Hashes,
            RowPlace { file: 0, row: 1 },
            Vec::new(),
        );
        let signed = times
            .iter()
            .zip(&hashes)
            .map(|(time, hash)| sign(time * 1_000_000, *hash));
        assert_eq!(rows.signature, signed.fold(0, u64::wrapping_add));
        for slot in [0, 1] {
            let own: Vec<usize> = (0..times.len())
                .filter(|at| usize::from(slots[*at]) == slot)
                .collect();
            assert_eq!(
                rows.slot(slot).iter().map(PlainRow::at).collect::<Vec<_>>(),
                own
            );
        }
        assert!(
            rows.rows
                .iter()
                .all(|row| rows.second(row) == rows.time(row.at()).second()
                    && row.hash == hashes[row.at()])
        );
    }
}
