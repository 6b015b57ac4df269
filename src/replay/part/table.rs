//! The rows of a part, as columns of a Parquet file.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt8Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Int64Array, PrimitiveArray, RecordBatch, StringArray, UInt8Array,
    UInt32Array, UInt64Array,
};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, Length};

use super::seal::{self, Seal, Sealing};
use crate::opened;
use crate::replay::error::ReplayError;

/// The columns.
const COLUMNS: [&str; 10] = [
    "section", "owner", "time", "slot", "key", "a", "b", "c", "text", "data",
];

/// Rows of a row group.
const GROUP_ROWS: usize = 1 << 18;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 1 << 16;

/// What a row holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// Half units of an account direction (owner) in a second.
    #[default]
    Demand,
    /// Half units of a slot in a second; the owner is a table in a region.
    Second,
    /// The hot keys of a slot as a whole.
    Hot,
    /// The counter of one hot key.
    Counter,
    /// A hot key of a minute.
    Minute,
    /// An access of a sampled key.
    Access,
    /// The state of a key, in a checkpoint.
    Store,
    /// A piece of everything else.
    Rest,
}

impl Section {
    const NAMES: [(&'static str, Section); 8] = [
        ("demand", Section::Demand),
        ("second", Section::Second),
        ("hot", Section::Hot),
        ("counter", Section::Counter),
        ("minute", Section::Minute),
        ("access", Section::Access),
        ("store", Section::Store),
        ("rest", Section::Rest),
    ];

    fn name(self) -> &'static str {
        let of = |(_, section): &&(&str, Section)| *section == self;
        Section::NAMES.iter().find(of).map_or("", |(name, _)| name)
    }

    fn parse(name: &str) -> Option<Section> {
        let of = |(known, _): &&(&str, Section)| *known == name;
        Section::NAMES.iter().find(of).map(|(_, section)| *section)
    }
}

/// One row. What `a`, `b` and `c` are depends on the section.
#[derive(Clone, Debug, Default)]
pub struct PartRow {
    /// What the row holds.
    pub section: Section,
    /// The position of its owner in a list of the rest.
    pub owner: usize,
    /// Seconds or minutes since 1970, or, of an access, nanoseconds.
    pub time: i64,
    /// The slot.
    pub slot: u8,
    /// The hash of a key.
    pub key: u64,
    pub a: u64,
    pub b: u64,
    pub c: u64,
    /// The name of a key.
    pub text: Option<String>,
    /// A piece of the rest.
    pub data: Option<Vec<u8>>,
}

/// Where a part is read from.
#[derive(Clone, Debug)]
pub enum PartInput {
    /// A file.
    File(PathBuf),
    /// The bytes of a part, and a name for messages.
    Bytes(String, Bytes),
}

impl From<PathBuf> for PartInput {
    fn from(path: PathBuf) -> PartInput {
        PartInput::File(path)
    }
}

impl PartInput {
    /// Its name in messages.
    pub fn name(&self) -> String {
        match self {
            PartInput::File(path) => path.display().to_string(),
            PartInput::Bytes(name, _) => name.clone(),
        }
    }

    fn open(&self) -> io::Result<Opened> {
        Ok(match self {
            PartInput::File(path) => Opened::File(opened::open(path)?),
            PartInput::Bytes(_, bytes) => Opened::Bytes(io::Cursor::new(bytes.clone())),
        })
    }
}

/// A part that is being read.
enum Opened {
    File(std::fs::File),
    Bytes(io::Cursor<Bytes>),
}

impl Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Opened::File(file) => file.read(into),
            Opened::Bytes(bytes) => bytes.read(into),
        }
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Opened::File(file) => file.seek(to),
            Opened::Bytes(bytes) => bytes.seek(to),
        }
    }
}

impl Length for Opened {
    fn len(&self) -> u64 {
        match self {
            Opened::File(file) => file.len(),
            Opened::Bytes(bytes) => bytes.get_ref().len() as u64,
        }
    }
}

impl ChunkReader for Opened {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Opened::File(file) => Box::new(file.get_read(start)?),
            Opened::Bytes(bytes) => Box::new(bytes.get_ref().get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Opened::File(file) => file.get_bytes(start, length),
            Opened::Bytes(bytes) => bytes.get_ref().get_bytes(start, length),
        }
    }
}

/// A file that cannot be read as a part, and why.
pub fn wrong(input: &PartInput, why: impl std::fmt::Display) -> ReplayError {
    ReplayError::part(format!("{}: {why}", input.name()))
}

/// A part whose content does not fit together.
pub fn broken(input: &PartInput, why: impl std::fmt::Display) -> ReplayError {
    wrong(input, format!("is truncated or damaged: {why}"))
}

/// A file that is not a part.
pub fn not_a_part(input: &PartInput) -> ReplayError {
    let text = "is not a part or checkpoint written by this version, or is damaged";
    wrong(input, text)
        .with_help("write a part with replay --partial, a checkpoint with replay --checkpoint")
}

/// A part that cannot be written.
pub fn failed(error: impl std::fmt::Display) -> ReplayError {
    ReplayError::part(format!("the part cannot be written: {error}"))
}

/// Writes rows.
pub struct PartWriter<W: Write + Send> {
    /// Not opened before the first rows.
    into: Option<ArrowWriter<Sealing<W>>>,
    closed: Option<W>,
    rows: Vec<PartRow>,
}

impl<W: Write + Send> PartWriter<W> {
    /// A writer without rows.
    pub fn new(into: W) -> PartWriter<W> {
        PartWriter {
            into: None,
            closed: Some(into),
            rows: Vec::new(),
        }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if it cannot be written.
    pub fn row(&mut self, row: PartRow) -> Result<(), ReplayError> {
        self.rows.push(row);
        if self.rows.len() >= GROUP_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ReplayError> {
        let batch = columns(&std::mem::take(&mut self.rows))?;
        if let Some(closed) = self.closed.take() {
            let level = ZstdLevel::try_new(1).map_err(failed)?;
            let properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(level))
                .set_key_value_metadata(Some(vec![seal::metadata()]))
                .build();
            let writer =
                ArrowWriter::try_new(Sealing::new(closed), batch.schema(), Some(properties));
            self.into = Some(writer.map_err(failed)?);
        }
        if let Some(into) = &mut self.into {
            into.write(&batch).map_err(failed)?;
            into.flush().map_err(failed)?;
        }
        Ok(())
    }

    /// Writes the end of the file.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if it cannot be written.
    pub fn finish(mut self) -> Result<(), ReplayError> {
        self.flush()?;
        let Some(mut into) = self.into else {
            return Ok(());
        };
        into.inner_mut().begin_footer();
        let sealing = into.into_inner().map_err(failed)?;
        sealing.finish().map_err(failed)
    }
}

fn columns(rows: &[PartRow]) -> Result<RecordBatch, ReplayError> {
    fn all<T, A: FromIterator<T> + Array + 'static>(
        rows: &[PartRow],
        of: impl Fn(&PartRow) -> T,
    ) -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<A>())
    }
    let owner = rows.iter().map(|row| row.owner as u32);
    let owners: ArrayRef = Arc::new(UInt32Array::from_iter_values(owner));
    let times = rows.iter().map(|row| row.time);
    let slots = rows.iter().map(|row| row.slot);
    let number = |of: fn(&PartRow) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(rows.iter().map(of)))
    };
    let sections = rows.iter().map(|row| row.section.name());
    let arrays: [(ArrayRef, bool); 10] = [
        (Arc::new(StringArray::from_iter_values(sections)), false),
        (owners, false),
        (Arc::new(Int64Array::from_iter_values(times)), false),
        (Arc::new(UInt8Array::from_iter_values(slots)), false),
        (number(|row| row.key), false),
        (number(|row| row.a), false),
        (number(|row| row.b), false),
        (number(|row| row.c), false),
        (all::<_, StringArray>(rows, |row| row.text.clone()), true),
        (all::<_, BinaryArray>(rows, |row| row.data.clone()), true),
    ];
    let named = COLUMNS.into_iter().zip(arrays);
    let columns = named.map(|(name, (array, nullable))| (name, array, nullable));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(failed)
}

/// Reads the rows of a part, one after another.
///
/// # Errors
/// [`ReplayError::Part`] if the file is not a part, or is damaged; or the error of `take`.
pub fn read_rows(
    input: &PartInput,
    mut take: impl FnMut(PartRow) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    let cannot = |error: std::io::Error| wrong(input, format!("cannot be read: {error}"));
    let mut file = input.open().map_err(cannot)?;
    match seal::check(&mut file).map_err(cannot)? {
        Seal::Whole => {}
        Seal::Missing => return Err(not_a_part(input)),
        Seal::Broken => {
            let text = "is damaged: its content differs from what was written";
            return Err(wrong(input, text).with_help("write it again"));
        }
    }
    let builder = ParquetRecordBatchReaderBuilder::try_new(file);
    let builder = builder.map_err(|_| not_a_part(input))?;
    let fields = builder.schema().fields();
    if !fields.iter().map(|field| field.name()).eq(COLUMNS) {
        return Err(not_a_part(input));
    }
    let reader = builder.with_batch_size(BATCH_ROWS).build();
    for batch in reader.map_err(|error| broken(input, error))? {
        let batch = batch.map_err(|error| broken(input, error))?;
        let columns = Columns::of(&batch).ok_or_else(|| not_a_part(input))?;
        for at in 0..batch.num_rows() {
            let row = columns.row(at).ok_or_else(|| {
                let section = columns.section.value(at);
                broken(input, format!("unknown row section {section:?}"))
            })?;
            take(row)?;
        }
    }
    Ok(())
}

/// The columns of a batch.
struct Columns<'a> {
    section: &'a StringArray,
    owner: &'a PrimitiveArray<UInt32Type>,
    time: &'a PrimitiveArray<Int64Type>,
    slot: &'a PrimitiveArray<UInt8Type>,
    /// The key, and `a`, `b` and `c`.
    numbers: [&'a PrimitiveArray<UInt64Type>; 4],
    text: &'a StringArray,
    data: &'a BinaryArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Columns<'a>> {
        let number = |at: usize| batch.column(at).as_primitive_opt::<UInt64Type>();
        Some(Columns {
            section: batch.column(0).as_string_opt::<i32>()?,
            owner: batch.column(1).as_primitive_opt()?,
            time: batch.column(2).as_primitive_opt()?,
            slot: batch.column(3).as_primitive_opt()?,
            numbers: [number(4)?, number(5)?, number(6)?, number(7)?],
            text: batch.column(8).as_string_opt::<i32>()?,
            data: batch.column(9).as_binary_opt::<i32>()?,
        })
    }

    /// A row; `None` if its section is unknown.
    fn row(&self, at: usize) -> Option<PartRow> {
        let [key, a, b, c] = self.numbers.map(|column| column.value(at));
        let text = self
            .text
            .is_valid(at)
            .then(|| self.text.value(at).to_string());
        let data = self.data.is_valid(at).then(|| self.data.value(at).to_vec());
        Some(PartRow {
            section: Section::parse(self.section.value(at))?,
            owner: self.owner.value(at) as usize,
            time: self.time.value(at),
            slot: self.slot.value(at),
            key,
            a,
            b,
            c,
            text,
            data,
        })
    }
}
