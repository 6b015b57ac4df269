//! Arrow: record batches of a program, and IPC streams.

use std::io::Read;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_cast::cast;
use arrow_ipc::reader::StreamReader;
use arrow_schema::{DataType, Field, Schema};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::columns::batches::{Batches, Decoded, find_unit, readable};
use super::columns::plain::RowPolicy;
use super::columns::schema::{BATCH_ROWS, COLUMNS, check_columns};
use super::{ReadOptions, RowPlace, TraceError};
use crate::guard::guarded;

/// How an IPC stream begins: a message of any length, then its size.
pub const STREAM: &[u8] = &[0xff; 4];

/// How an IPC file begins; an IPC stream follows.
pub const FILE: &[u8] = b"ARROW1\0\0";

/// Batches of at most [`BATCH_ROWS`] rows that are read in one round, so that every thread has enough
/// work.
const ROUND_BATCHES: usize = 64;

/// Record batches that are being read.
pub struct Arrow {
    file: u32,
    name: String,
    batches: Box<dyn RecordBatchReader + Send>,
    /// What is left of the last batch.
    rest: Option<RecordBatch>,
    /// The types in which its known columns are read.
    schema: Arc<Schema>,
    row: u64,
    /// How rows are read.
    pub(super) policy: RowPolicy,
}

impl Arrow {
    /// Reads batches.
    ///
    /// # Errors
    /// [`TraceError`] if a column is missing.
    pub fn new(
        batches: Box<dyn RecordBatchReader + Send>,
        file: u32,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Arrow, TraceError> {
        let policy = RowPolicy::new(options);
        let found = batches.schema();
        let names: Vec<String> = found
            .fields()
            .iter()
            .map(|one| one.name().clone())
            .collect();
        check_columns(name, &policy.mapping, &names)?;
        let is_known = |field: &&Arc<Field>| {
            let mut known = COLUMNS.iter();
            known.any(|(column, _)| policy.mapping.name(column) == field.name())
        };
        let known: Vec<Field> = found
            .fields()
            .iter()
            .filter(is_known)
            .map(decoded)
            .collect();
        let schema = readable(&Schema::new(known), &policy.mapping);
        Ok(Arrow {
            file,
            name: name.to_string(),
            batches,
            rest: None,
            schema: Arc::new(schema),
            row: 0,
            policy,
        })
    }

    /// Reads an IPC stream.
    ///
    /// # Errors
    /// [`TraceError`] if it is none, or a column is missing.
    pub fn stream(
        stream: Box<dyn Read + Send>,
        file: u32,
        name: &str,
        options: &ReadOptions,
    ) -> Result<Arrow, TraceError> {
        let reader = guarded(|| StreamReader::try_new(stream, None))
            .map_err(|why| broken(name, why))?
            .map_err(|error| broken(name, error))?;
        Arrow::new(Box::new(reader), file, name, options)
    }

    /// The next batch of at most [`BATCH_ROWS`] rows.
    fn next(&mut self) -> Result<Option<RecordBatch>, TraceError> {
        loop {
            let batch = match self.rest.take() {
                Some(rest) => rest,
                None => {
                    match guarded(|| self.batches.next()).map_err(|why| broken(&self.name, why))? {
                        None => return Ok(None),
                        Some(batch) => batch.map_err(|error| broken(&self.name, error))?,
                    }
                }
            };
            let rows = batch.num_rows();
            if rows > BATCH_ROWS {
                self.rest = Some(batch.slice(BATCH_ROWS, rows - BATCH_ROWS));
                return Ok(Some(batch.slice(0, BATCH_ROWS)));
            }
            if rows > 0 {
                return Ok(Some(batch));
            }
        }
    }

    /// Decodes some batches on all threads; with `look`, only one. Empty at the end.
    ///
    /// # Errors
    /// [`TraceError`] if they cannot be read.
    pub fn decode(&mut self, look: bool) -> Result<Vec<Decoded>, TraceError> {
        let mut read = Vec::new();
        while read.len() < if look { 1 } else { ROUND_BATCHES }
            && let Some(batch) = self.next()?
        {
            if read.is_empty() {
                find_unit(&mut self.policy, &batch);
            }
            let row = self.row + 1;
            self.row += batch.num_rows() as u64;
            let place = RowPlace {
                file: self.file,
                row,
            };
            read.push((batch, place));
        }
        let batches = Batches {
            policy: &self.policy,
        };
        let one = |(batch, place): (RecordBatch, RowPlace)| {
            guarded(|| {
                let batch = in_types(&batch, &self.schema)?;
                batches.decoded(&batch, place)
            })?
        };
        let decoded: Result<Vec<Decoded>, String> = read.into_par_iter().map(one).collect();
        decoded.map_err(|error| TraceError::file(&self.name, error))
    }
}

fn broken(name: &str, error: impl std::fmt::Display) -> TraceError {
    TraceError::file(name, format!("cannot read the Arrow stream: {error}"))
}

/// A column without the dictionary of its producer.
fn decoded(field: &Arc<Field>) -> Field {
    let kind = match field.data_type() {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        kind => kind.clone(),
    };
    Field::new(field.name(), kind, true)
}

/// The known columns of a batch, in the types in which they are read.
fn in_types(batch: &RecordBatch, schema: &Arc<Schema>) -> Result<RecordBatch, String> {
    let column = |field: &Arc<Field>| {
        let column = batch.column_by_name(field.name());
        let column = column.ok_or_else(|| format!("a batch lacks the column {}", field.name()))?;
        cast(column, field.data_type()).map_err(|error| format!("column {}: {error}", field.name()))
    };
    let columns = schema.fields().iter().map(column);
    let columns = columns.collect::<Result<Vec<_>, String>>()?;
    RecordBatch::try_new(schema.clone(), columns).map_err(|error| error.to_string())
}
