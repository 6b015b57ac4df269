//! Tabular bills as Parquet.
//!
//! Costs and usage are stored as doubles; the shortest decimal that reads back as the same double
//! is AWS's number. Source: all 334,911 rows of real reports, whose rates and products prove it.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, TimestampSecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;

use super::BillError;
use super::columns::{Cells, Columns, FIELDS, Field};
use super::csv::columns;
use super::part::Part;
use super::reading::{Mistakes, Reading};
use crate::files::FileSource;

/// Rows that are decoded together.
const BATCH_ROWS: usize = 8_192;

/// A column of a batch.
enum Column {
    /// As text.
    Text(ArrayRef),
    /// As numbers, whose shortest text counts.
    Double(ArrayRef),
    Single(ArrayRef),
    /// As seconds since 1970.
    Moment(ArrayRef),
}

impl Column {
    fn of(array: &ArrayRef) -> Result<Column, arrow_schema::ArrowError> {
        Ok(match array.data_type() {
            DataType::Float64 => Column::Double(array.clone()),
            DataType::Float32 => Column::Single(array.clone()),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
                Column::Moment(cast(array, &DataType::Timestamp(TimeUnit::Second, None))?)
            }
            _ => Column::Text(cast(array, &DataType::Utf8)?),
        })
    }

    fn text(&self, row: usize) -> Cow<'_, str> {
        let (Column::Text(array)
        | Column::Double(array)
        | Column::Single(array)
        | Column::Moment(array)) = self;
        if array.is_null(row) {
            return Cow::Borrowed("");
        }
        match self {
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
    source: &FileSource,
    name: &str,
    mut text: impl Read,
    part: &mut Part,
) -> Result<(), BillError> {
    let wrong = |error: &dyn std::fmt::Display| {
        BillError::file(name, format!("is Parquet that cannot be read: {error}"))
    };
    match source {
        FileSource::File(path) => {
            let file: File = crate::opened::open(path).map_err(|error| wrong(&error))?;
            rows(reading, name, file, part)
        }
        FileSource::Stdin => {
            let mut bytes = Vec::new();
            text.read_to_end(&mut bytes)
                .map_err(|error| wrong(&error))?;
            rows(reading, name, bytes::Bytes::from(bytes), part)
        }
    }
}

fn rows(
    reading: &Reading<'_>,
    name: &str,
    file: impl ChunkReader + 'static,
    part: &mut Part,
) -> Result<(), BillError> {
    let wrong = |error: &dyn std::fmt::Display| {
        BillError::file(name, format!("is Parquet that cannot be read: {error}"))
    };
    let metadata =
        ArrowReaderMetadata::load(&file, Default::default()).map_err(|error| wrong(&error))?;
    let schema = metadata.schema().clone();
    let header: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    let columns = columns(name, &header)?;
    part.formats.insert(columns.format.name());
    let mask = ProjectionMask::roots(metadata.parquet_schema(), columns.positions());
    let batches = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|error| wrong(&error))?;
    let mut mistakes = Mistakes::default();
    let mut number = 0;
    for batch in batches {
        let batch = batch.map_err(|error| wrong(&error))?;
        let cells = cells(&columns, &header, &batch).map_err(|error| wrong(&error))?;
        for row in 0..batch.num_rows() {
            number += 1;
            let cells = ParquetCells {
                columns: &columns,
                batch: &cells,
                row,
            };
            if let Err(wrong) = reading.take(&cells, &columns, part) {
                mistakes.add(name, number, wrong)?;
            }
        }
    }
    mistakes.finish(name, reading.files)
}

/// The columns of a batch by field.
fn cells(
    columns: &Columns,
    header: &[&str],
    batch: &RecordBatch,
) -> Result<Vec<Option<Column>>, arrow_schema::ArrowError> {
    let mut cells: Vec<Option<Column>> = (0..FIELDS).map(|_| None).collect();
    for (field, at) in columns.fields() {
        let array = batch.column_by_name(header[at]);
        cells[field] = array.map(Column::of).transpose()?;
    }
    Ok(cells)
}
