//! Parquet, decoded by the `parquet` crate: row groups in parallel, each in batches.
//!
//! Decoding limits the speed of the fast path; polars decoded the same columns at two thirds of the
//! rate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaDataReader;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::columns::batches::{Batches, Decoded, Sums, find_unit, readable};
use super::columns::plain::RowPolicy;
use super::columns::schema::{BATCH_ROWS, COLUMNS, Mapping, check_columns};
use super::{ReadOptions, RowPlace, TraceError};
use crate::guard::guarded;
use crate::opened;

/// The number of rows in a Parquet file according to its footer; `None` for other files.
pub fn rows(path: &Path) -> Option<u64> {
    let file = opened::open(path).ok()?;
    let read = guarded(|| ParquetMetaDataReader::new().parse_and_finish(&file));
    let metadata = read.ok()?.ok()?;
    u64::try_from(metadata.file_metadata().num_rows()).ok()
}

/// The columns according to the file's metadata; none if it has none.
pub fn columns(path: &Path) -> Vec<String> {
    let metadata = opened::open(path).ok().and_then(|file| {
        let read = guarded(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()));
        read.ok()?.ok()
    });
    let fields = metadata
        .iter()
        .flat_map(|metadata| metadata.schema().fields());
    fields.map(|field| field.name().clone()).collect()
}

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
    /// Whether rows of the last group had more than a plain call has. They take many times the
    /// memory, so the next group is decoded batch by batch.
    is_wide: bool,
    /// Whether rows of the open row group have.
    is_open_wide: bool,
    /// How rows are read.
    pub(super) policy: RowPolicy,
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
        let first = guarded(|| ArrowReaderMetadata::load(&data, ArrowReaderOptions::new()))
            .map_err(broken)?
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
        let fields = readable(first.schema(), &policy.mapping);
        let options = ArrowReaderOptions::new().with_schema(Arc::new(fields));
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
            is_wide: false,
            is_open_wide: false,
            policy,
        })
    }

    /// Decodes some batches, row groups in parallel; with `look`, only one batch, to see how the
    /// file begins. Empty at the end.
    pub fn decode(&mut self, look: bool) -> Result<Vec<Decoded>, TraceError> {
        let name = self.opened.name.clone();
        guarded(|| self.decode_round(look)).unwrap_or_else(|why| {
            let message = format!("cannot read the Parquet file: {why}");
            Err(TraceError::file(&name, message))
        })
    }

    fn decode_round(&mut self, look: bool) -> Result<Vec<Decoded>, TraceError> {
        let total = self.opened.metadata.metadata().num_row_groups();
        while self.group < total && self.opened.rows(self.group) == 0 {
            self.group += 1;
        }
        if self.row == 0 && self.open.is_none() && self.group < total {
            self.begin()?;
        }
        if self.open.is_none()
            && self.group < total
            && (look || self.is_wide || self.opened.rows(self.group) > GROUP_ROWS_MAX)
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
                self.is_wide = std::mem::take(&mut self.is_open_wide);
                return self.decode_round(look);
            };
            let batch = batch.map_err(|error| self.opened.broken(error))?;
            self.row += batch.num_rows() as u64;
            find_unit(&mut self.policy, &batch);
            let batches = Batches {
                policy: &self.policy,
            };
            let decoded = batches.decoded(&batch, place);
            let decoded = decoded.map_err(|error| TraceError::file(&self.opened.name, error))?;
            self.is_open_wide |= matches!(decoded, Decoded::Cells(..));
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
        let one = |wanted| guarded(|| one(wanted)).unwrap_or_else(|why| Err(opened.broken(why)));
        let all: Result<Vec<Vec<Decoded>>, TraceError> = wanted.into_par_iter().map(one).collect();
        let all: Vec<Decoded> = all?.into_iter().flatten().collect();
        self.is_wide = all.iter().any(|one| matches!(one, Decoded::Cells(..)));
        Ok(all)
    }

    /// Looks at the first rows: the unit of their times, and whether they are plain calls.
    fn begin(&mut self) -> Result<(), TraceError> {
        if let Some(Ok(batch)) = self.opened.group(self.group)?.next() {
            find_unit(&mut self.policy, &batch);
            let policy = &self.policy;
            let place = RowPlace {
                file: self.file,
                row: 1,
            };
            let first = Batches { policy }.decoded(&batch, place);
            self.is_wide = matches!(first, Ok(Decoded::Cells(..)));
        }
        Ok(())
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
