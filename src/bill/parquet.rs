//! Tabular bills as Parquet.
//!
//! Costs and usage are stored as doubles; the shortest decimal that reads back as the same double
//! is AWS's number. Source: all 334,911 rows of real reports, whose rates and products prove it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, TimestampSecondType};
use arrow_array::{Array, ArrayRef, DictionaryArray, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field as ArrowField, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
    RowSelector,
};
use parquet::file::reader::{ChunkReader, Length};

use super::BillError;
use super::columns::{Cells, Columns, FIELDS, Field};
use super::csv::columns;
use super::duplicates::hash_of;
use super::kind::{may_be_kept, service};
use super::part::Part;
use super::reading::{Mistakes, Reading, digest};
use crate::files::Whole;

/// Rows that are decoded together.
const BATCH_ROWS: usize = 8_192;

/// A file that is read twice.
#[derive(Clone)]
struct SharedFile(Arc<File>);

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for SharedFile {
    type T = <File as ChunkReader>::T;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.0.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// A column of a batch.
enum Column {
    /// Few different texts.
    Words(DictionaryArray<Int32Type>),
    /// As text.
    Text(ArrayRef),
    /// As numbers, whose shortest text counts.
    Double(ArrayRef),
    Single(ArrayRef),
    /// As seconds since 1970.
    Moment(ArrayRef),
}

impl Column {
    fn of(array: &ArrayRef) -> Result<Column, ArrowError> {
        Ok(match array.data_type() {
            DataType::Float64 => Column::Double(array.clone()),
            DataType::Float32 => Column::Single(array.clone()),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
                Column::Moment(cast(array, &DataType::Timestamp(TimeUnit::Second, None))?)
            }
            DataType::Dictionary(..) => {
                Column::Words(cast(array, &words())?.as_dictionary::<Int32Type>().clone())
            }
            _ => Column::Text(cast(array, &DataType::Utf8)?),
        })
    }

    fn array(&self) -> &dyn Array {
        match self {
            Column::Words(words) => words,
            Column::Text(array)
            | Column::Double(array)
            | Column::Single(array)
            | Column::Moment(array) => array,
        }
    }

    fn text(&self, row: usize) -> Cow<'_, str> {
        if self.array().is_null(row) {
            return Cow::Borrowed("");
        }
        match self {
            Column::Words(words) => {
                let values = words.values().as_string::<i32>();
                Cow::Borrowed(words.key(row).map_or("", |key| values.value(key)))
            }
            Column::Text(array) => Cow::Borrowed(array.as_string::<i32>().value(row)),
            Column::Double(array) => {
                Cow::Owned(array.as_primitive::<Float64Type>().value(row).to_string())
            }
            Column::Single(array) => {
                Cow::Owned(array.as_primitive::<Float32Type>().value(row).to_string())
            }
            Column::Moment(array) => {
                let second = array.as_primitive::<TimestampSecondType>().value(row);
                let time = chrono::DateTime::from_timestamp(second, 0).unwrap_or_default();
                Cow::Owned(time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
            }
        }
    }
}

/// A row of a batch.
struct ParquetCells<'a> {
    columns: &'a Columns,
    batch: &'a [Option<Column>],
    row: usize,
}

impl Cells for ParquetCells<'_> {
    fn text(&self, field: Field) -> Cow<'_, str> {
        let column = self.batch[field as usize].as_ref();
        column.map_or(Cow::Borrowed(""), |column| column.text(self.row))
    }

    fn has(&self, field: Field) -> bool {
        self.columns.has(field)
    }
}

/// Reads a Parquet file.
pub(super) fn read(
    reading: &Reading<'_>,
    file: Whole,
    name: &str,
    part: &mut Part,
) -> Result<(), BillError> {
    match file {
        Whole::File(file) => rows(reading, name, SharedFile(Arc::new(file)), part),
        Whole::Bytes(bytes) => rows(reading, name, bytes::Bytes::from(bytes), part),
    }
}

/// A column of few different texts, decoded as such.
fn words() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Texts that are different in each row.
const UNIQUE: [Field; 1] = [Field::Id];

/// What tells whether a row is kept, and copies of files.
const SIEVE: [Field; 5] = [
    Field::Product,
    Field::ProductName,
    Field::UsageType,
    Field::Start,
    Field::Billed,
];

/// Reads a file twice: a few columns of all rows, then all columns of the rows that may be kept.
fn rows(
    reading: &Reading<'_>,
    name: &str,
    file: impl ChunkReader + Clone + 'static,
    part: &mut Part,
) -> Result<(), BillError> {
    let wrong = |error: &dyn std::fmt::Display| {
        BillError::file(name, format!("is Parquet that cannot be read: {error}"))
    };
    let plain =
        ArrowReaderMetadata::load(&file, Default::default()).map_err(|error| wrong(&error))?;
    let schema = plain.schema().clone();
    let header: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let columns = columns(name, &header)?;
    part.formats.insert(columns.format.name());
    let metadata = with_words(plain, &columns);
    // One row group at a time: words of two groups have different codes.
    let batches = |group: usize, fields: &[usize], selection: Option<RowSelection>| {
        let mask = ProjectionMask::roots(metadata.parquet_schema(), fields.iter().copied());
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(mask)
                .with_batch_size(BATCH_ROWS);
        let builder = match selection {
            Some(selection) => builder.with_row_selection(selection),
            None => builder,
        };
        builder.build().map_err(|error| wrong(&error))
    };
    let mut mistakes = Mistakes::default();
    let sieve: Vec<usize> = SIEVE
        .iter()
        .filter_map(|field| columns.at(*field))
        .collect();
    let all: Vec<usize> = columns.positions().collect();
    let mut first = 0;
    for group in 0..metadata.metadata().num_row_groups() {
        let mut kept: Vec<u64> = Vec::new();
        let mut rows = 0;
        for batch in batches(group, &sieve, None)? {
            let batch = batch.map_err(|error| wrong(&error))?;
            let cells = cells(&columns, &header, &batch).map_err(|error| wrong(&error))?;
            if let Err(stopped) = reading.count(part, batch.num_rows() as u64) {
                mistakes.add(name, first + rows, stopped)?;
            }
            part.see(sift(&cells, batch.num_rows(), rows, &mut kept));
            rows += batch.num_rows() as u64;
        }
        part.counts.other_services += rows - kept.len() as u64;
        let mut numbers = kept.iter();
        for batch in batches(group, &all, Some(selection(&kept, rows)))? {
            let batch = batch.map_err(|error| wrong(&error))?;
            let cells = cells(&columns, &header, &batch).map_err(|error| wrong(&error))?;
            for row in 0..batch.num_rows() {
                let cells = ParquetCells {
                    columns: &columns,
                    batch: &cells,
                    row,
                };
                if !columns.has(Field::Id) {
                    part.see(digest(&cells));
                }
                let number = first + numbers.next().map_or(0, |number| number + 1);
                if let Err(wrong) = reading.keep(&cells, &columns, part) {
                    mistakes.add(name, number, wrong)?;
                }
            }
        }
        first += rows;
    }
    mistakes.finish(name, reading.files)
}

/// The same file, with texts decoded as words, unless they are different in each row.
fn with_words(plain: ArrowReaderMetadata, columns: &Columns) -> ArrowReaderMetadata {
    let unique = UNIQUE.map(|field| columns.at(field));
    let schema = plain.schema().clone();
    let hinted: Vec<Arc<ArrowField>> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let is_word = *field.data_type() == DataType::Utf8
                && columns.positions().any(|one| one == at)
                && !unique.contains(&Some(at));
            match is_word {
                true => Arc::new(field.as_ref().clone().with_data_type(words())),
                false => field.clone(),
            }
        })
        .collect();
    let hints = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(hinted)));
    ArrowReaderMetadata::try_new(plain.metadata().clone(), hints).unwrap_or(plain)
}

/// The codes of a row's product, its name and its usage type.
type Codes = [Option<usize>; 3];

/// Adds the numbers of the rows of a batch that may be kept; returns the sum of the hashes of all
/// rows.
fn sift(cells: &[Option<Column>], rows: usize, first: u64, kept: &mut Vec<u64>) -> u64 {
    let column = |field: Field| cells[field as usize].as_ref();
    let text = |field: Field, row: usize| {
        column(field).map_or(Cow::Borrowed(""), |column| column.text(row))
    };
    let key = |field: Field, row: usize| match column(field) {
        Some(Column::Words(words)) => words.key(row),
        _ => None,
    };
    let names = [Field::Product, Field::ProductName, Field::UsageType];
    let is_coded = names
        .iter()
        .all(|field| matches!(column(*field), Some(Column::Words(_)) | None));
    // Rows with the same names are decided together.
    let mut known: BTreeMap<Codes, (bool, u64)> = BTreeMap::new();
    let mut last: Option<(Codes, (bool, u64))> = None;
    let mut sum = 0_u64;
    for row in 0..rows {
        let decide = || {
            let [product, name, usage_type] = names.map(|field| text(field, row));
            // What belongs to a table is looked at when the whole row is read.
            let may_be_kept = match usage_type.is_empty() {
                true => may_be_kept(&product, &name),
                false => service(&product, &name, &usage_type, "").is_some(),
            };
            (may_be_kept, hash_of([product, name, usage_type]))
        };
        let keys = names.map(|field| key(field, row));
        let (may_be_kept, hash) = match last.filter(|(last, _)| is_coded && *last == keys) {
            Some((_, decided)) => decided,
            None if is_coded => *known.entry(keys).or_insert_with(decide),
            None => decide(),
        };
        last = Some((keys, (may_be_kept, hash)));
        let billed = match column(Field::Billed) {
            Some(Column::Double(array)) => array.as_primitive::<Float64Type>().value(row).to_bits(),
            _ => hash_of(text(Field::Billed, row)),
        };
        let start = match column(Field::Start) {
            Some(Column::Moment(array)) => {
                array.as_primitive::<TimestampSecondType>().value(row) as u64
            }
            Some(Column::Words(words)) => words.key(row).map_or(0, |key| key as u64),
            _ => hash_of(text(Field::Start, row)),
        };
        sum = sum.wrapping_add(mixed(hash, billed, start));
        if may_be_kept {
            kept.push(first + row as u64);
        }
    }
    sum
}

/// One hash of three.
fn mixed(one: u64, two: u64, three: u64) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (one ^ two.rotate_left(23)).wrapping_mul(ODD) ^ three.rotate_left(41);
    mixed.wrapping_mul(ODD)
}

/// The rows with these numbers, of all rows.
fn selection(kept: &[u64], rows: u64) -> RowSelection {
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut at = 0;
    for number in kept {
        match selectors.last_mut().filter(|last| !last.skip) {
            Some(last) if *number == at => last.row_count += 1,
            _ => {
                if *number > at {
                    selectors.push(RowSelector::skip((number - at) as usize));
                }
                selectors.push(RowSelector::select(1));
            }
        }
        at = number + 1;
    }
    if rows > at {
        selectors.push(RowSelector::skip((rows - at) as usize));
    }
    RowSelection::from(selectors)
}

/// The columns of a batch by field.
fn cells(
    columns: &Columns,
    header: &[&str],
    batch: &RecordBatch,
) -> Result<Vec<Option<Column>>, ArrowError> {
    let mut cells: Vec<Option<Column>> = (0..FIELDS).map(|_| None).collect();
    for (field, at) in columns.fields() {
        let array = batch.column_by_name(header[at]);
        cells[field] = array.map(Column::of).transpose()?;
    }
    Ok(cells)
}
