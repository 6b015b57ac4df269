//! Parquet, decoded by the `parquet` crate: row groups side by side on several threads, batch by
//! batch.
//!
//! Decoding is the bound of the hot path, and polars decoded the same columns at two thirds of the
//! rate.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

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

use super::columns::{self, BATCH_ROWS, COLUMNS, Cells, Mapping, check_columns};
use super::event::is_short;
use super::rows::{
    KINDS_MAX, NO_BYTES, PlainRow, RowColumns, RowKeys, RowKind, Rows, bytes_of, kind_of, slot_of,
    what,
};
use super::time::TimeUnit;
use super::{ApiName, NameTable, ReadOptions, RowPlace, Time, TraceError, hash_of, hash_of_whole};
use crate::opened;
use crate::table::{Consistency, limits};

/// How many rows a file says it holds; `None` of any other than Parquet.
pub fn rows(path: &Path) -> Option<u64> {
    let file = opened::open(path).ok()?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).ok()?;
    u64::try_from(metadata.file_metadata().num_rows()).ok()
}

/// Of each second and operation: what its sizes come to by two tables of steps of 1 KB.
type Sums = BTreeMap<(i64, String), [u64; 2]>;

/// What the sizes of each second and operation come to, by two tables of steps of 1 KB, without
/// keys.
///
/// # Errors
/// [`TraceError`] where the file is no Parquet, or has no times, operations or sizes.
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
            "sums without state need the columns time, operation and item_bytes",
        ));
    }
    if parquet.opened.metadata.metadata().num_row_groups() > 0
        && let Some(Ok(batch)) = parquet.opened.group(0)?.next()
    {
        parquet.door.find_unit(&batch);
    }
    let groups = parquet.opened.metadata.metadata().num_row_groups();
    let (opened, door) = (&parquet.opened, &parquet.door);
    let one = |group: usize| -> Result<Sums, TraceError> {
        let mut sums = Sums::new();
        for batch in opened.group(group)? {
            let batch = batch.map_err(|error| opened.broken(error))?;
            if door.add_sizes(&batch, steps, &mut sums).is_none() {
                return Err(TraceError::file(
                    &opened.name,
                    "no times in order, operations as texts and sizes of at most 400 KB",
                ));
            }
        }
        Ok(sums)
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build();
    let pool =
        pool.map_err(|error| TraceError::file(&name, format!("no {threads} threads: {error}")))?;
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

/// Row groups of more rows are decoded batch by batch, since whole they would not fit.
const GROUP_ROWS_MAX: i64 = 4 << 20;

/// Rows that are decoded together, so that every thread has enough to do.
const ROUND_ROWS: i64 = 1 << 22;

/// A Parquet file, opened.
struct Opened {
    name: String,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// The columns that a trace has, by position.
    roots: Vec<usize>,
}

impl Opened {
    fn broken(&self, error: impl std::fmt::Display) -> TraceError {
        TraceError::file(
            &self.name,
            format!("not a Parquet file that can be read: {error}"),
        )
    }

    /// The batches of one row group.
    fn group(&self, group: usize) -> Result<ParquetRecordBatchReader, TraceError> {
        let mask =
            ProjectionMask::roots(self.metadata.parquet_schema(), self.roots.iter().copied());
        // A file of its own: clones share their position, and threads would read at each other's.
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
    /// The row group that is decoded batch by batch.
    open: Option<ParquetRecordBatchReader>,
    /// Rows before the next row group.
    row: u64,
    /// What the trace says of every row.
    pub(super) door: RowPolicy,
}

/// How rows come in.
#[derive(Clone, Debug)]
pub struct RowPolicy {
    pub(super) mapping: Mapping,
    /// The table of rows that name none.
    pub(super) table: Option<String>,
    pub(super) unit: Option<TimeUnit>,
    /// Tables with a sort key, and whether each table that could be meant by no name has one.
    sorted: BTreeMap<String, bool>,
    /// Buffers of rows that were executed.
    spare: Arc<Mutex<Vec<Vec<PlainRow>>>>,
}

/// A batch as it was decoded.
pub enum Decoded {
    /// Rows of plain calls, with the kinds as texts.
    Plain(Plain),
    /// All columns, the place of the first row and how many there are.
    Cells(Cells, RowPlace, usize),
}

/// Rows of plain calls, their names not yet numbered.
pub struct Plain {
    rows: Rows,
    /// Table and caller of each kind.
    names: Vec<(Option<String>, Option<String>)>,
}

impl Plain {
    /// Rows with the table and the caller of each kind.
    pub fn new(rows: Rows, names: Vec<(Option<String>, Option<String>)>) -> Plain {
        Plain { rows, names }
    }

    /// With numbered names.
    pub fn numbered(self, names: &mut NameTable) -> Rows {
        let Plain {
            mut rows,
            names: texts,
        } = self;
        for (kind, (table, caller)) in rows.kinds.iter_mut().zip(texts) {
            kind.table = table.map(|table| names.number(&table));
            kind.caller = caller.map(|caller| names.number(&caller));
        }
        rows
    }
}

impl RowPolicy {
    pub fn new(options: &ReadOptions) -> RowPolicy {
        let mut sorted: BTreeMap<String, bool> = options
            .keys
            .iter()
            .map(|(table, keys)| (table.clone(), keys.sort.is_some()))
            .collect();
        if let (1, Some(only)) = (options.keys.len(), options.keys.values().next()) {
            sorted.insert(String::new(), only.sort.is_some());
        }
        RowPolicy {
            mapping: options.mapping.clone(),
            table: options.table.clone(),
            unit: options.time_unit,
            sorted,
            spare: options.spare.clone(),
        }
    }

    /// A buffer for rows.
    pub(super) fn spare(&self) -> Vec<PlainRow> {
        self.spare
            .lock()
            .ok()
            .and_then(|mut spare| spare.pop())
            .unwrap_or_default()
    }

    /// Whether a table has a sort key.
    pub(super) fn is_sorted(&self, table: Option<&str>) -> bool {
        self.sorted
            .get(table.unwrap_or_default())
            .copied()
            .unwrap_or(false)
    }
}

impl Parquet {
    /// Opens a file: reads its footer.
    pub fn open(
        path: &Path,
        file: u32,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Parquet, TraceError> {
        let broken = |error: String| {
            TraceError::file(
                name,
                format!("not a Parquet file that can be read: {error}"),
            )
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
        let door = RowPolicy::new(options);
        check_columns(name, &door.mapping, &found)?;
        let wanted: Vec<&str> = COLUMNS
            .iter()
            .map(|(column, _)| door.mapping.name(column))
            .collect();
        let fields = first.schema().fields().iter().enumerate();
        let roots = fields
            .filter(|(_, field)| wanted.contains(&field.name().as_str()))
            .map(|(at, _)| at)
            .collect();
        // Texts come as dictionaries where few differ, and as views into their page where many do.
        let key = door.mapping.name("key");
        let few =
            ["operation", "table", "caller", "consistency"].map(|column| door.mapping.name(column));
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
            door,
        })
    }

    /// Some batches, row groups side by side; for a `look` at how the file begins, one batch alone.
    /// Empty at the end.
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
            self.door.find_unit(&batch);
            return Ok(vec![
                self.door
                    .decoded(&batch, place)
                    .map_err(|error| TraceError::file(&self.opened.name, error))?,
            ]);
        }
        if self.group >= total {
            return Ok(Vec::new());
        }
        if self.door.unit.is_none()
            && let Some(Ok(batch)) = self.opened.group(self.group)?.next()
        {
            self.door.find_unit(&batch);
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
        let (opened, door, file) = (&self.opened, &self.door, self.file);
        let one = |(group, row): (usize, u64)| -> Result<Vec<Decoded>, TraceError> {
            let (mut all, mut row) = (Vec::new(), row);
            for batch in opened.group(group)? {
                let batch = batch.map_err(|error| opened.broken(error))?;
                let place = RowPlace { file, row: row + 1 };
                row += batch.num_rows() as u64;
                all.push(
                    door.decoded(&batch, place)
                        .map_err(|error| TraceError::file(&opened.name, error))?,
                );
            }
            Ok(all)
        };
        let all: Result<Vec<Vec<Decoded>>, TraceError> = wanted.into_par_iter().map(one).collect();
        Ok(all?.into_iter().flatten().collect())
    }

    /// Bytes on disk that were decoded so far, about.
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

/// A column of few texts: the codes of its rows, and what each code means.
struct Texts<'a> {
    dictionary: Option<&'a DictionaryArray<Int32Type>>,
    always: Option<String>,
}

impl<'a> Texts<'a> {
    /// `None` where the column is of another type.
    fn new(door: &RowPolicy, batch: &'a RecordBatch, column: &'static str) -> Option<Texts<'a>> {
        if let Some(value) = door.mapping.value(column) {
            return Some(Texts {
                dictionary: None,
                always: Some(value.to_string()),
            });
        }
        match batch.column_by_name(door.mapping.name(column)) {
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

    /// How many codes there are; the last is that of rows without a text.
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

    /// Adds the code of each row, times a stride.
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

/// Columns of a batch on their way to rows.
#[derive(Default)]
struct Scratch {
    /// Codes of the kinds, then the kinds, then with the sizes.
    what: Vec<u32>,
    hashes: Vec<u64>,
    slots: Vec<u8>,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Calls a function with each size, or [`NO_BYTES`] where it is missing, and what belongs to it.
fn with_sizes<T>(sizes: Option<&UInt32Array>, others: &mut [T], mut each: impl FnMut(u32, &mut T)) {
    let Some(sizes) = sizes else {
        return others.iter_mut().for_each(|other| each(NO_BYTES, other));
    };
    let pairs = sizes.values().iter().zip(others.iter_mut());
    let Some(nulls) = sizes.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return pairs.for_each(|(bytes, other)| each(*bytes, other));
    };
    // By words of 64 bits: whether a size is missing cannot be guessed, and is not asked.
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

impl RowPolicy {
    /// Finds the unit of numeric times by the first of them.
    fn find_unit(&mut self, batch: &RecordBatch) {
        if self.unit.is_none()
            && let Some(array) = batch.column_by_name(self.mapping.name("time"))
            && let Ok(columns::Cell::Whole(numbers)) = columns::Cell::new("time", array)
            && let Some(first) = numbers.iter().flatten().next()
        {
            self.unit = Some(TimeUnit::of(first));
        }
    }

    /// Adds the sizes of a batch, second by second.
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
        // A batch of rows of which none has a size comes to nothing.
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

    /// A batch as plain rows where all are, else as cells.
    fn decoded(&self, batch: &RecordBatch, place: RowPlace) -> Result<Decoded, String> {
        match self.plain(batch, place) {
            Some(plain) => Ok(Decoded::Plain(plain)),
            None => Ok(Decoded::Cells(
                Cells::new(batch, &self.mapping)?,
                place,
                batch.num_rows(),
            )),
        }
    }

    fn array<'a>(&self, batch: &'a RecordBatch, column: &'static str) -> Option<&'a ArrayRef> {
        batch
            .column_by_name(self.mapping.name(column))
            .filter(|array| array.null_count() < array.len())
    }

    /// Times and the nanoseconds of their unit, where every row has one, in order.
    fn times(&self, batch: &RecordBatch) -> Option<(Int64Array, i64)> {
        let array = self.array(batch, "time")?;
        if array.null_count() > 0 {
            return None;
        }
        let (numbers, unit) = match array.data_type() {
            DataType::Int64 => (array.as_primitive::<Int64Type>().clone(), self.unit?),
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
                self.unit?,
            ),
            _ => return None,
        };
        let each = unit.nanoseconds();
        let (first, last) = (*numbers.values().first()?, *numbers.values().last()?);
        first.checked_mul(each)?;
        last.checked_mul(each)?;
        numbers.values().is_sorted().then_some((numbers, each))
    }

    /// Sizes, of which some may be missing; `None` where one is not the size of an item.
    fn sizes(&self, batch: &RecordBatch, column: &'static str) -> Option<Option<UInt32Array>> {
        if self.mapping.value(column).is_some() {
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
        // What stands where a size is missing is 0.
        let most = numbers.values().iter().max().copied().unwrap_or(0);
        (u64::from(most) <= limits::ITEM_BYTES_MAX).then_some(Some(numbers))
    }

    /// The rows of a batch in which all are plain.
    fn plain(&self, batch: &RecordBatch, place: RowPlace) -> Option<Plain> {
        let others = [
            "index",
            "evaluated_bytes",
            "evaluated_items",
            "fetched_bytes",
            "region",
            "error",
            "action",
            "changes",
            "cached",
            "replayed",
        ];
        if others.iter().any(|column| {
            self.mapping.value(column).is_some() || self.array(batch, column).is_some()
        }) {
            return None;
        }
        let rows = batch.num_rows();
        let texts = |column| Texts::new(self, batch, column);
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
                let kind =
                    self.kind(operations.text(operation)?, consistencies.text(consistency))?;
                let table = tables
                    .text(table)
                    .or(self.table.as_deref())
                    .map(str::to_string);
                if kinds.len() >= KINDS_MAX {
                    return None;
                }
                known[at] = kinds.len() as u32;
                sorted.push(self.is_sorted(table.as_deref()));
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
        // A write that leaves an item of no bytes is wrong, and said to be so on the slow path.
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
        let rows = Rows::dealt(kinds, columns, keys, place, self.spare());
        SCRATCH.set(scratch);
        Some(Plain::new(rows, names))
    }

    /// The kind of a row; `None` where the call or its consistency needs a closer look.
    pub(super) fn kind(&self, operation: &str, consistency: Option<&str>) -> Option<RowKind> {
        let api = ApiName::parse(operation)?;
        if !matches!(
            api,
            ApiName::GetItem
                | ApiName::BatchGetItem
                | ApiName::PutItem
                | ApiName::UpdateItem
                | ApiName::DeleteItem
        ) {
            return None;
        }
        let consistency = match consistency {
            None => None,
            Some("eventual") => Some(Consistency::Eventual),
            Some("strong") => Some(Consistency::Strong),
            Some(_) => return None,
        };
        Some(RowKind {
            api,
            table: None,
            caller: None,
            consistency,
        })
    }

    fn keys(&self, batch: &RecordBatch) -> Option<RowKeys> {
        if self.mapping.value("key").is_some() {
            return None;
        }
        let array = self.array(batch, "key")?;
        let keys = match array.data_type() {
            DataType::Utf8View => RowKeys::Text(array.as_string_view().clone()),
            DataType::BinaryView => RowKeys::Binary(array.as_binary_view().clone()),
            // Of unsigned numbers those that a signed integer holds: they are the same text.
            kind if kind.is_integer() => RowKeys::Whole(whole(array)?),
            _ => return None,
        };
        keys.is_complete().then_some(keys)
    }
}

/// Whole numbers, where none is lost.
fn whole(array: &ArrayRef) -> Option<Int64Array> {
    let numbers = cast(array, &DataType::Int64).ok()?;
    (numbers.null_count() == array.null_count())
        .then(|| numbers.as_primitive::<Int64Type>().clone())
}

/// Bytes of a partition key and a sort key, with what may stand between them.
pub(super) const KEY_BYTES_MAX: usize =
    (limits::PARTITION_KEY_BYTES_MAX + limits::SORT_KEY_BYTES_MAX + 16) as usize;

impl RowKeys {
    /// The hashes of the keys, and the slots that they or their partition keys belong to; whether
    /// all are whole numbers that their hashes tell. `None` where there is a key that DynamoDB
    /// does not allow.
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
