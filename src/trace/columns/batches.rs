//! Batches of columns as rows: of plain calls if all of them are, else as cells.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, DictionaryArray, Int64Array, RecordBatch, UInt32Array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};

use super::cells::{Cell, Cells};
use super::plain::{KEY_BYTES_MAX, Plain, RowPolicy};
use super::schema::Mapping;
use crate::table::limits;
use crate::trace::event::is_short;
use crate::trace::rows::{
    KINDS_MAX, NO_BYTES, RowColumns, RowKeys, RowKind, Rows, bytes_of, kind_of, slot_of, what,
};
use crate::trace::time::TimeUnit;
use crate::trace::{ApiName, RowPlace, Time, hash_of, hash_of_whole};

/// For each second and operation: the sums of two lookup tables, indexed by item size in KB.
pub(in crate::trace) type Sums = BTreeMap<(i64, String), [u64; 2]>;

/// A decoded batch.
pub(in crate::trace) enum Decoded {
    /// Rows of plain calls, with their names as text.
    Plain(Plain),
    /// All columns, the place of the first row and the number of rows.
    Cells(Cells, RowPlace, usize),
}

/// The types in which columns are read fastest: columns with few distinct texts as dictionaries, keys
/// as views.
pub(in crate::trace) fn readable(schema: &Schema, mapping: &Mapping) -> Schema {
    let key = mapping.name("key");
    let few = ["operation", "table", "caller", "consistency"].map(|column| mapping.name(column));
    let field = |field: &std::sync::Arc<Field>| {
        let is_key = field.name() == key;
        let is_few = few.contains(&field.name().as_str());
        let kind = match (field.data_type(), is_key) {
            (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, true) => DataType::Utf8View,
            (DataType::Binary | DataType::LargeBinary | DataType::BinaryView, true) => {
                DataType::BinaryView
            }
            (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, false) if is_few => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            (other, _) => other.clone(),
        };
        Field::new(field.name(), kind, field.is_nullable())
    };
    Schema::new(schema.fields().iter().map(field).collect::<Vec<Field>>())
}

/// A column with few distinct texts: the code of each row, and the text of each code.
struct Texts<'a> {
    dictionary: Option<&'a DictionaryArray<Int32Type>>,
    always: Option<String>,
}

impl<'a> Texts<'a> {
    /// `None` if the column has another type.
    fn new(policy: &RowPolicy, batch: &'a RecordBatch, column: &'static str) -> Option<Texts<'a>> {
        if let Some(value) = policy.mapping.value(column) {
            return Some(Texts {
                dictionary: None,
                always: Some(value.to_string()),
            });
        }
        match batch.column_by_name(policy.mapping.name(column)) {
            None => Some(Texts {
                dictionary: None,
                always: None,
            }),
            Some(array) if array.null_count() == array.len() => Some(Texts {
                dictionary: None,
                always: None,
            }),
            Some(array) => Some(Texts {
                dictionary: Some(array.as_dictionary_opt::<Int32Type>()?),
                always: None,
            }),
        }
    }

    /// The number of codes; the last code is for rows without a text.
    fn codes(&self) -> usize {
        self.dictionary
            .map_or(0, |dictionary| dictionary.values().len())
            + 1
    }

    fn text(&self, code: usize) -> Option<&str> {
        let given = match self.dictionary {
            Some(dictionary) if code + 1 < self.codes() => {
                Some(dictionary.values().as_string::<i32>().value(code))
            }
            Some(_) => None,
            None => self.always.as_deref(),
        };
        given.map(str::trim).filter(|text| !text.is_empty())
    }

    /// Adds the code of each row, multiplied by a stride.
    fn add_to(&self, sums: &mut [u32], stride: usize) {
        let Some(dictionary) = self.dictionary else {
            return;
        };
        let (stride, last) = (stride as u32, self.codes() as u32 - 1);
        let keys = dictionary.keys();
        let sums = sums.iter_mut().zip(keys.values());
        match keys.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => sums.for_each(|(sum, code)| *sum += stride * *code as u32),
            Some(nulls) => sums.zip(nulls).for_each(|((sum, code), valid)| {
                *sum += stride * if valid { *code as u32 } else { last }
            }),
        }
    }
}

/// Buffers for converting the columns of a batch to rows.
#[derive(Default)]
struct Scratch {
    /// Codes of the kinds; replaced by the kinds, then by kinds and sizes packed by [`what`].
    what: Vec<u32>,
    hashes: Vec<u64>,
    slots: Vec<u8>,
}

thread_local! {
    static SCRATCH: std::cell::Cell<Scratch> = std::cell::Cell::default();
}

/// Calls a function with each size ([`NO_BYTES`] if missing) and the element of `others` that
/// belongs to it.
fn with_sizes<T>(sizes: Option<&UInt32Array>, others: &mut [T], mut each: impl FnMut(u32, &mut T)) {
    let Some(sizes) = sizes else {
        return others.iter_mut().for_each(|other| each(NO_BYTES, other));
    };
    let pairs = sizes.values().iter().zip(others.iter_mut());
    let Some(nulls) = sizes.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return pairs.for_each(|(bytes, other)| each(*bytes, other));
    };
    // In words of 64 bits and without a branch: whether a size is missing is unpredictable.
    let words = nulls.inner().bit_chunks();
    for ((word, bytes), others) in words
        .iter_padded()
        .zip(sizes.values().chunks(64))
        .zip(others.chunks_mut(64))
    {
        for (at, (bytes, other)) in bytes.iter().zip(others).enumerate() {
            let missing = u32::from(word >> at & 1 == 0);
            each(bytes | missing.wrapping_neg(), other);
        }
    }
}

/// Detects the unit of numeric times of a batch from the first of them.
pub(in crate::trace) fn find_unit(policy: &mut RowPolicy, batch: &RecordBatch) {
    if policy.unit.is_none()
        && let Some(array) = batch.column_by_name(policy.mapping.name("time"))
        && let Ok(Cell::Whole(numbers)) = Cell::new("time", array)
        && let Some(first) = numbers.iter().flatten().next()
    {
        policy.unit = Some(TimeUnit::of(first));
    }
}

/// Reads batches by a row policy.
pub(in crate::trace) struct Batches<'a> {
    pub(in crate::trace) policy: &'a RowPolicy,
}

impl Batches<'_> {
    /// Adds the sizes of a batch to the sums of each second.
    pub(in crate::trace) fn add_sizes(
        &self,
        batch: &RecordBatch,
        steps: &[[u32; 2]],
        sums: &mut Sums,
    ) -> Option<()> {
        let operations = self
            .array(batch, "operation")?
            .as_dictionary_opt::<Int32Type>()?;
        if operations.null_count() > 0 {
            return None;
        }
        let (codes, names) = (
            operations.keys().values(),
            operations.values().as_string_opt::<i32>()?,
        );
        let (times, each) = self.times(batch)?;
        // If no row has a size, there is nothing to add.
        let Some(sizes) = self.sizes(batch, "item_bytes")? else {
            return Some(());
        };
        let (times, bytes) = (times.values(), sizes.values());
        let a_second = Time::SECOND / each;
        let mut from = 0;
        let mut all = vec![[0_u64; 2]; names.len()];
        while from < times.len() {
            let second = times[from].div_euclid(a_second);
            let end = (second + 1) * a_second;
            let to = from + times[from..].partition_point(|time| *time < end);
            all.iter_mut().for_each(|sums| *sums = [0, 0]);
            let nulls = sizes.nulls().filter(|nulls| nulls.null_count() > 0);
            let mut add = |code: i32, bytes: u32| {
                let [one, other] = steps[bytes.div_ceil(1024) as usize];
                let sums = &mut all[code as usize];
                sums[0] += u64::from(one);
                sums[1] += u64::from(other);
            };
            match nulls {
                None => codes[from..to]
                    .iter()
                    .zip(&bytes[from..to])
                    .for_each(|(code, bytes)| add(*code, *bytes)),
                Some(nulls) => (from..to)
                    .filter(|at| nulls.is_valid(*at))
                    .for_each(|at| add(codes[at], bytes[at])),
            }
            for (code, sum) in all.iter().enumerate().filter(|(_, sum)| **sum != [0, 0]) {
                let own = sums
                    .entry((second, names.value(code).to_string()))
                    .or_default();
                own[0] += sum[0];
                own[1] += sum[1];
            }
            from = to;
        }
        Some(())
    }

    /// Decodes a batch to plain rows if all of its rows are plain, else to cells.
    pub(in crate::trace) fn decoded(
        &self,
        batch: &RecordBatch,
        place: RowPlace,
    ) -> Result<Decoded, String> {
        match self.plain(batch, place) {
            Some(plain) => Ok(Decoded::Plain(plain)),
            None => Ok(Decoded::Cells(
                Cells::new(batch, &self.policy.mapping)?,
                place,
                batch.num_rows(),
            )),
        }
    }

    fn array<'a>(&self, batch: &'a RecordBatch, column: &'static str) -> Option<&'a ArrayRef> {
        batch
            .column_by_name(self.policy.mapping.name(column))
            .filter(|array| array.null_count() < array.len())
    }

    /// The times and the nanoseconds per unit; `None` unless every row has a time and they are
    /// sorted.
    fn times(&self, batch: &RecordBatch) -> Option<(Int64Array, i64)> {
        let array = self.array(batch, "time")?;
        if array.null_count() > 0 {
            return None;
        }
        let (numbers, unit) = match array.data_type() {
            DataType::Int64 => (array.as_primitive::<Int64Type>().clone(), self.policy.unit?),
            DataType::Timestamp(unit, _) => (
                cast(array, &DataType::Int64)
                    .ok()?
                    .as_primitive::<Int64Type>()
                    .clone(),
                unit.into(),
            ),
            kind if kind.is_integer() && *kind != DataType::UInt64 => (
                cast(array, &DataType::Int64)
                    .ok()?
                    .as_primitive::<Int64Type>()
                    .clone(),
                self.policy.unit?,
            ),
            _ => return None,
        };
        let each = unit.nanoseconds();
        let (first, last) = (*numbers.values().first()?, *numbers.values().last()?);
        first.checked_mul(each)?;
        last.checked_mul(each)?;
        numbers.values().is_sorted().then_some((numbers, each))
    }

    /// Sizes, some of which may be missing; `None` if one is not a valid item size.
    fn sizes(&self, batch: &RecordBatch, column: &'static str) -> Option<Option<UInt32Array>> {
        if self.policy.mapping.value(column).is_some() {
            return None;
        }
        let Some(array) = self.array(batch, column) else {
            return Some(None);
        };
        let numbers: UInt32Array = match array.data_type() {
            DataType::UInt32 => array.as_primitive().clone(),
            kind if kind.is_integer() => {
                let numbers = cast(array, &DataType::UInt32).ok()?;
                if numbers.null_count() != array.null_count() {
                    return None;
                }
                numbers.as_primitive().clone()
            }
            _ => return None,
        };
        // Missing sizes are stored as 0.
        let most = numbers.values().iter().max().copied().unwrap_or(0);
        (u64::from(most) <= limits::ITEM_BYTES_MAX).then_some(Some(numbers))
    }

    /// The rows of a batch, if all of them are plain.
    #[expect(
        clippy::too_many_lines,
        reason = "the columns of a batch in one pass each, in scratch memory that they share"
    )]
    fn plain(&self, batch: &RecordBatch, place: RowPlace) -> Option<Plain> {
        if self.policy.keep_keys {
            return None;
        }
        let others = [
            "index",
            "evaluated_bytes",
            "evaluated_items",
            "fetched_bytes",
            "region",
            "error",
            "action",
            "changes",
            "entity",
            "cached",
            "replayed",
        ];
        if others.iter().any(|column| {
            self.policy.mapping.value(column).is_some() || self.array(batch, column).is_some()
        }) {
            return None;
        }
        let rows = batch.num_rows();
        let texts = |column| Texts::new(self.policy, batch, column);
        let (operations, tables, callers, consistencies) = (
            texts("operation")?,
            texts("table")?,
            texts("caller")?,
            texts("consistency")?,
        );
        let codes = [
            operations.codes(),
            tables.codes(),
            callers.codes(),
            consistencies.codes(),
        ];
        let total = codes
            .iter()
            .try_fold(1_usize, |product, codes| product.checked_mul(*codes))
            .filter(|total| *total <= 1 << 20)?;
        let (times, each) = self.times(batch)?;
        let (bytes, old) = (
            self.sizes(batch, "item_bytes")?,
            self.sizes(batch, "old_bytes")?,
        );
        let keys = self.keys(batch)?;
        let mut scratch = SCRATCH.take();
        let Scratch {
            what: of,
            hashes,
            slots,
        } = &mut scratch;
        of.clear();
        of.resize(rows, 0);
        let strides = [
            1,
            codes[0],
            codes[0] * codes[1],
            codes[0] * codes[1] * codes[2],
        ];
        for (column, stride) in [&operations, &tables, &callers, &consistencies]
            .into_iter()
            .zip(strides)
        {
            column.add_to(of, stride);
        }
        let (mut kinds, mut names) = (
            Vec::<RowKind>::new(),
            Vec::<(Option<String>, Option<String>)>::new(),
        );
        let (mut known, mut sorted): (Vec<u32>, Vec<bool>) = (vec![u32::MAX; total], Vec::new());
        for code in of.iter_mut() {
            let at = *code as usize;
            if known[at] == u32::MAX {
                let (operation, rest) = (at % codes[0], at / codes[0]);
                let (table, rest) = (rest % codes[1], rest / codes[1]);
                let (caller, consistency) = (rest % codes[2], rest / codes[2]);
                let kind = self
                    .policy
                    .kind(operations.text(operation)?, consistencies.text(consistency))?;
                let table = tables
                    .text(table)
                    .or(self.policy.table.as_deref())
                    .map(str::to_string);
                if kinds.len() >= KINDS_MAX {
                    return None;
                }
                known[at] = kinds.len() as u32;
                sorted.push(self.policy.is_sorted(table.as_deref()));
                kinds.push(kind);
                names.push((table, callers.text(caller).map(str::to_string)));
            }
            *code = known[at];
        }
        let are_short = keys.hash(of, &sorted, hashes, slots)?;
        let keys = if are_short { RowKeys::Hashes } else { keys };
        let mut least = NO_BYTES;
        with_sizes(bytes.as_ref(), of, |bytes, kind| {
            least = least.min(bytes);
            *kind = what(*kind, bytes);
        });
        // A write that leaves an item of 0 bytes is an error, which the full path reports.
        let leaves =
            |kind: usize| matches!(kinds[kind].api, ApiName::PutItem | ApiName::UpdateItem);
        if least == 0
            && of
                .iter()
                .any(|what| bytes_of(*what) == 0 && leaves(kind_of(*what)))
        {
            return None;
        }
        let before = old.map(|old| {
            let mut before = vec![NO_BYTES; rows];
            with_sizes(Some(&old), &mut before, |bytes, before| *before = bytes);
            before
        });
        let columns = RowColumns {
            times: times.values().clone(),
            each,
            hashes,
            slots,
            what: of,
            old: before,
        };
        let rows = Rows::dealt(kinds, columns, keys, place, self.policy.spare());
        SCRATCH.set(scratch);
        Some(Plain::new(rows, names))
    }

    fn keys(&self, batch: &RecordBatch) -> Option<RowKeys> {
        if self.policy.mapping.value("key").is_some() {
            return None;
        }
        let array = self.array(batch, "key")?;
        let keys = match array.data_type() {
            DataType::Utf8View => RowKeys::Text(array.as_string_view().clone()),
            DataType::BinaryView => RowKeys::Binary(array.as_binary_view().clone()),
            // Unsigned numbers only if they fit in a signed integer: they then have the same text.
            kind if kind.is_integer() => RowKeys::Whole(whole(array)?),
            _ => return None,
        };
        keys.is_complete().then_some(keys)
    }
}

/// The column as integers, if no value is lost.
fn whole(array: &ArrayRef) -> Option<Int64Array> {
    let numbers = cast(array, &DataType::Int64).ok()?;
    (numbers.null_count() == array.null_count())
        .then(|| numbers.as_primitive::<Int64Type>().clone())
}

impl RowKeys {
    /// Computes the hashes of the keys and the slots of the keys or partition keys. Returns whether
    /// all keys are integers that can be recovered from their hashes; `None` if DynamoDB does not
    /// allow one of the keys.
    fn hash(
        &self,
        kinds: &[u32],
        sorted: &[bool],
        hashes: &mut Vec<u64>,
        slots: &mut Vec<u8>,
    ) -> Option<bool> {
        hashes.clear();
        hashes.reserve(kinds.len());
        slots.clear();
        slots.reserve(kinds.len());
        if let RowKeys::Whole(numbers) = self {
            let mut are_short = true;
            hashes.extend(numbers.values().iter().map(|number| {
                are_short &= is_short(*number);
                hash_of_whole(*number)
            }));
            slots.extend(hashes.iter().map(|hash| slot_of(*hash)));
            return Some(are_short);
        }
        let any_sorted = sorted.contains(&true);
        let mut both = |kind: u32, bytes: &[u8]| -> Option<()> {
            if bytes.is_empty() || bytes.len() > KEY_BYTES_MAX {
                return None;
            }
            let hash = hash_of(bytes);
            let end = if any_sorted && sorted[kind as usize] {
                memchr::memchr(b'|', bytes)
            } else {
                None
            };
            hashes.push(hash);
            slots.push(slot_of(end.map_or(hash, |end| hash_of(&bytes[..end]))));
            Some(())
        };
        let mut kinds = kinds.iter();
        let mut each = |bytes: &[u8]| both(*kinds.next()?, bytes);
        match self {
            RowKeys::Text(texts) => texts.iter().try_for_each(|text| each(text?.as_bytes())),
            RowKeys::Binary(all) => all.iter().try_for_each(|bytes| each(bytes?)),
            RowKeys::Hashes | RowKeys::Whole(_) | RowKeys::Lines(..) => None,
        }
        .map(|()| false)
    }
}
