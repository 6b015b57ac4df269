//! Parquet, decoded by the `parquet` crate: row groups in parallel, each in batches.
//!
//! Decoding limits the speed of the fast path; polars decoded the same columns at two thirds of the
//! rate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, DictionaryArray, Int64Array, RecordBatch, UInt32Array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaDataReader;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::columns::cells::{Cell, Cells};
use super::columns::plain::{KEY_BYTES_MAX, Plain, RowPolicy};
use super::columns::schema::{BATCH_ROWS, COLUMNS, Mapping, check_columns};
use super::event::is_short;
use super::rows::{
    KINDS_MAX, NO_BYTES, RowColumns, RowKeys, RowKind, Rows, bytes_of, kind_of, slot_of, what,
};
use super::time::TimeUnit;
use super::{ApiName, ReadOptions, RowPlace, Time, TraceError, hash_of, hash_of_whole};
use crate::opened;
use crate::table::limits;

/// The number of rows in a Parquet file according to its footer; `None` for other files.
pub fn rows(path: &Path) -> Option<u64> {
    let file = opened::open(path).ok()?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).ok()?;
    u64::try_from(metadata.file_metadata().num_rows()).ok()
}

/// The columns according to the file's metadata; none if it has none.
pub fn columns(path: &Path) -> Vec<String> {
    let metadata = opened::open(path)
        .ok()
        .and_then(|file| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).ok());
    let fields = metadata
        .iter()
        .flat_map(|metadata| metadata.schema().fields());
    fields.map(|field| field.name().clone()).collect()
}

/// For each second and operation: the sums of two lookup tables, indexed by item size in KB.
type Sums = BTreeMap<(i64, String), [u64; 2]>;

/// Sums two lookup tables, indexed by item size in KB, over each second and operation. Does not
/// read keys.
///
/// # Errors
/// [`TraceError`] if the file is not Parquet, or has no times, operations or sizes.
pub fn each_size(
    path: &Path,
    threads: usize,
    steps: &[[u32; 2]],
) -> Result<Vec<(i64, String, [u64; 2])>, TraceError> {
    let name = path.display().to_string();
    let mut parquet = Parquet::open(
        path,
        0,
        &name,
        &ReadOptions {
            mapping: Mapping::without_key(),
            ..ReadOptions::default()
        },
    )?;
    let fields = parquet.opened.metadata.schema().fields().iter().enumerate();
    let wanted = ["time", "operation", "item_bytes"];
    parquet.opened.roots = fields
        .filter(|(_, field)| wanted.contains(&field.name().as_str()))
        .map(|(at, _)| at)
        .collect();
    if parquet.opened.roots.len() < wanted.len() {
        return Err(TraceError::file(
            &name,
            "this sum needs the columns time, operation and item_bytes",
        ));
    }
    if parquet.opened.metadata.metadata().num_row_groups() > 0
        && let Some(Ok(batch)) = parquet.opened.group(0)?.next()
    {
        find_unit(&mut parquet.policy, &batch);
    }
    let groups = parquet.opened.metadata.metadata().num_row_groups();
    let (opened, policy) = (&parquet.opened, &parquet.policy);
    let one = |group: usize| -> Result<Sums, TraceError> {
        let mut sums = Sums::new();
        for batch in opened.group(group)? {
            let batch = batch.map_err(|error| opened.broken(error))?;
            let batches = Batches { policy };
            if batches.add_sizes(&batch, steps, &mut sums).is_none() {
                return Err(TraceError::file(
                    &opened.name,
                    "expected times in ascending order, operations as text and sizes of at most \
                     400 KB",
                ));
            }
        }
        Ok(sums)
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build();
    let pool = pool.map_err(|error| {
        TraceError::file(&name, format!("cannot start {threads} threads: {error}"))
    })?;
    let all: Result<Vec<Sums>, TraceError> =
        pool.install(|| (0..groups).into_par_iter().map(one).collect());
    let mut joined = Sums::new();
    for (key, sums) in all?.into_iter().flatten() {
        let own = joined.entry(key).or_default();
        own.iter_mut().zip(sums).for_each(|(own, sum)| *own += sum);
    }
    Ok(joined
        .into_iter()
        .map(|((second, operation), sums)| (second, operation, sums))
        .collect())
}

/// Row groups with more rows are decoded batch by batch, to limit memory.
const GROUP_ROWS_MAX: i64 = 4 << 20;

/// Rows decoded in one round, so that every thread has enough work.
const ROUND_ROWS: i64 = 1 << 22;

/// A Parquet file, opened.
struct Opened {
    name: String,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// The positions of the known columns.
    roots: Vec<usize>,
}

impl Opened {
    fn broken(&self, error: impl std::fmt::Display) -> TraceError {
        TraceError::file(&self.name, format!("cannot read the Parquet file: {error}"))
    }

    /// The batches of one row group.
    fn group(&self, group: usize) -> Result<ParquetRecordBatchReader, TraceError> {
        let mask =
            ProjectionMask::roots(self.metadata.parquet_schema(), self.roots.iter().copied());
        // Opens the file again: cloned handles share their position, so threads would disturb each
        // other.
        let data = opened::open(&self.path).map_err(|error| self.broken(error))?;
        ParquetRecordBatchReaderBuilder::new_with_metadata(data, self.metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| self.broken(error))
    }

    fn rows(&self, group: usize) -> i64 {
        self.metadata.metadata().row_group(group).num_rows()
    }
}

/// A Parquet file that is being read.
pub struct Parquet {
    file: u32,
    opened: Opened,
    /// The next row group.
    group: usize,
    /// The row group that is being decoded batch by batch.
    open: Option<ParquetRecordBatchReader>,
    /// The number of rows before the next row group.
    row: u64,
    /// How rows are read.
    pub(super) policy: RowPolicy,
}

/// A decoded batch.
pub enum Decoded {
    /// Rows of plain calls, with their names as text.
    Plain(Plain),
    /// All columns, the place of the first row and the number of rows.
    Cells(Cells, RowPlace, usize),
}

impl Parquet {
    /// Opens a file and reads its footer.
    pub fn open(
        path: &Path,
        file: u32,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Parquet, TraceError> {
        let broken = |error: String| {
            TraceError::file(name, format!("cannot read the Parquet file: {error}"))
        };
        let data = opened::open(path)
            .map_err(|error| TraceError::file(name, format!("cannot be read: {error}")))?;
        let first = ArrowReaderMetadata::load(&data, ArrowReaderOptions::new())
            .map_err(|error| broken(error.to_string()))?;
        let found: Vec<String> = first
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let policy = RowPolicy::new(options);
        check_columns(name, &policy.mapping, &found)?;
        let wanted: Vec<&str> = COLUMNS
            .iter()
            .map(|(column, _)| policy.mapping.name(column))
            .collect();
        let fields = first.schema().fields().iter().enumerate();
        let roots = fields
            .filter(|(_, field)| wanted.contains(&field.name().as_str()))
            .map(|(at, _)| at)
            .collect();
        // Columns with few distinct texts are read as dictionaries, keys as views into their page.
        let key = policy.mapping.name("key");
        let few = ["operation", "table", "caller", "consistency"]
            .map(|column| policy.mapping.name(column));
        let fields: Vec<Arc<Field>> = first
            .schema()
            .fields()
            .iter()
            .map(|field| {
                let is_key = field.name() == key;
                let is_few = few.contains(&field.name().as_str());
                let kind = match (field.data_type(), is_key) {
                    (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, true) => {
                        DataType::Utf8View
                    }
                    (DataType::Binary | DataType::LargeBinary | DataType::BinaryView, true) => {
                        DataType::BinaryView
                    }
                    (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, false)
                        if is_few =>
                    {
                        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
                    }
                    (other, _) => other.clone(),
                };
                Arc::new(Field::new(field.name(), kind, field.is_nullable()))
            })
            .collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        let metadata =
            ArrowReaderMetadata::try_new(first.metadata().clone(), options).unwrap_or(first);
        let opened = Opened {
            name: name.to_string(),
            path: path.to_path_buf(),
            metadata,
            roots,
        };
        Ok(Parquet {
            file,
            opened,
            group: 0,
            open: None,
            row: 0,
            policy,
        })
    }

    /// Decodes some batches, row groups in parallel; with `look`, only one batch, to see how the
    /// file begins. Empty at the end.
    pub fn decode(&mut self, look: bool) -> Result<Vec<Decoded>, TraceError> {
        let total = self.opened.metadata.metadata().num_row_groups();
        while self.group < total && self.opened.rows(self.group) == 0 {
            self.group += 1;
        }
        if self.open.is_none()
            && self.group < total
            && (look || self.opened.rows(self.group) > GROUP_ROWS_MAX)
        {
            self.open = Some(self.opened.group(self.group)?);
        }
        if let Some(open) = &mut self.open {
            let place = RowPlace {
                file: self.file,
                row: self.row + 1,
            };
            let Some(batch) = open.next() else {
                self.open = None;
                self.group += 1;
                return self.decode(look);
            };
            let batch = batch.map_err(|error| self.opened.broken(error))?;
            self.row += batch.num_rows() as u64;
            find_unit(&mut self.policy, &batch);
            let batches = Batches {
                policy: &self.policy,
            };
            let decoded = batches.decoded(&batch, place);
            let decoded = decoded.map_err(|error| TraceError::file(&self.opened.name, error))?;
            return Ok(vec![decoded]);
        }
        if self.group >= total {
            return Ok(Vec::new());
        }
        if self.policy.unit.is_none()
            && let Some(Ok(batch)) = self.opened.group(self.group)?.next()
        {
            find_unit(&mut self.policy, &batch);
        }
        let mut wanted = Vec::new();
        let mut rows = 0;
        while self.group < total {
            let count = self.opened.rows(self.group);
            if count > GROUP_ROWS_MAX || rows > 0 && rows + count > ROUND_ROWS {
                break;
            }
            wanted.push((self.group, self.row));
            (self.group, self.row, rows) = (self.group + 1, self.row + count as u64, rows + count);
        }
        let (opened, policy, file) = (&self.opened, &self.policy, self.file);
        let one = |(group, row): (usize, u64)| -> Result<Vec<Decoded>, TraceError> {
            let (mut all, mut row) = (Vec::new(), row);
            for batch in opened.group(group)? {
                let batch = batch.map_err(|error| opened.broken(error))?;
                let place = RowPlace { file, row: row + 1 };
                row += batch.num_rows() as u64;
                all.push(
                    Batches { policy }
                        .decoded(&batch, place)
                        .map_err(|error| TraceError::file(&opened.name, error))?,
                );
            }
            Ok(all)
        };
        let all: Result<Vec<Vec<Decoded>>, TraceError> = wanted.into_par_iter().map(one).collect();
        Ok(all?.into_iter().flatten().collect())
    }

    /// The approximate number of bytes on disk decoded so far.
    pub fn bytes(&self) -> u64 {
        let groups = self
            .opened
            .metadata
            .metadata()
            .row_groups()
            .iter()
            .take(self.group);
        groups
            .map(|group| u64::try_from(group.compressed_size()).unwrap_or(0))
            .sum()
    }
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
fn find_unit(policy: &mut RowPolicy, batch: &RecordBatch) {
    if policy.unit.is_none()
        && let Some(array) = batch.column_by_name(policy.mapping.name("time"))
        && let Ok(Cell::Whole(numbers)) = Cell::new("time", array)
        && let Some(first) = numbers.iter().flatten().next()
    {
        policy.unit = Some(TimeUnit::of(first));
    }
}

/// Reads batches by a row policy.
struct Batches<'a> {
    policy: &'a RowPolicy,
}

impl Batches<'_> {
    /// Adds the sizes of a batch to the sums of each second.
    fn add_sizes(&self, batch: &RecordBatch, steps: &[[u32; 2]], sums: &mut Sums) -> Option<()> {
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
    fn decoded(&self, batch: &RecordBatch, place: RowPlace) -> Result<Decoded, String> {
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
