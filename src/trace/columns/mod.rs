//! Columnar traces: Parquet in batches; CSV and NDJSON row by row, in blocks.
//!
//! Rows contain the columns in [`COLUMNS`]; `time` and `operation` are required, and `key` for all
//! calls but Scan. This module reads every column; rows with only a few columns take the [fast
//! path](super::rows).

pub(super) mod batches;
pub(super) mod cells;
pub(super) mod plain;
pub(super) mod schema;

use std::io::{BufRead, Read};
use std::path::Path;
use std::sync::atomic::Ordering;

use rayon::prelude::{IntoParallelRefMutIterator, ParallelExtend, ParallelIterator};

pub use schema::{COLUMNS, Mapping};

use super::arrow::Arrow;
use super::lines::{self, CsvColumns, LineTimes, TextLines};
use super::moment::Clock;
use super::notes::Notes;
use super::parquet::Parquet;
use super::time::TimeUnit;
use super::{
    Bad, EventSink, Piece, ReadOptions, RowPlace, Shared, SkipReason, TraceError, TraceReader,
};
use crate::files::{FileText, LINE_BYTES_MAX, Progress, why};
use batches::Decoded;
use cells::{Cell, Cells, RowDefaults, Wrong};
pub(crate) use plain::RowPolicy;

use plain::Plain;
use schema::{BATCH_ROWS, check_columns};

/// The text of a columnar trace.
pub struct TextSource<'a> {
    /// The text itself, decompressed.
    pub text: FileText,
    /// The number of the file among the files of the trace.
    pub file: u32,
    /// Its name, for messages.
    pub name: &'a str,
    /// Counts what is read.
    pub progress: Progress,
}

/// The text format of a columnar trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextLayout {
    /// CSV with a header.
    Csv,
    /// One JSON object per line.
    NdJson,
}

/// Blocks parsed in parallel.
const BLOCKS: usize = 8;

/// Bytes per block of text.
const BLOCK_BYTES: usize = 4 << 20;

/// Reads a columnar trace.
pub struct ColumnReader {
    file: u32,
    mapping: Mapping,
    table: Option<String>,
    unit: Option<TimeUnit>,
    clock: Clock,
    notes: Notes,
    blocks: Blocks,
    /// How the fast path reads rows.
    policy: RowPolicy,
    /// Whether lines of text may take the fast path.
    is_plain: bool,
    row: u64,
    progress: Progress,
}

enum Blocks {
    Parquet(Box<Parquet>),
    Arrow(Box<Arrow>),
    Text(Box<TextBlocks>),
}

impl ColumnReader {
    /// Opens a Parquet file.
    pub fn parquet(
        path: &Path,
        file: u32,
        name: &str,
        options: &ReadOptions,
        progress: Progress,
    ) -> Result<ColumnReader, TraceError> {
        let parquet = Box::new(Parquet::open(path, file, name, options)?);
        let (mapping, table, unit) = (
            options.mapping.clone(),
            options.table.clone(),
            options.time_unit,
        );
        Ok(ColumnReader {
            file,
            mapping,
            table,
            unit,
            clock: options.clock(name),
            notes: Notes::default(),
            blocks: Blocks::Parquet(parquet),
            policy: RowPolicy::new(options),
            is_plain: false,
            row: 0,
            progress,
        })
    }

    /// Reads Arrow.
    pub fn arrow(
        arrow: Arrow,
        file: u32,
        name: &str,
        options: &ReadOptions,
        progress: Progress,
    ) -> ColumnReader {
        ColumnReader {
            file,
            mapping: options.mapping.clone(),
            table: options.table.clone(),
            unit: options.time_unit,
            clock: options.clock(name),
            notes: Notes::default(),
            blocks: Blocks::Arrow(Box::new(arrow)),
            policy: RowPolicy::new(options),
            is_plain: false,
            row: 0,
            progress,
        }
    }

    /// Reads CSV or NDJSON.
    pub fn text(
        source: TextSource,
        layout: TextLayout,
        options: &ReadOptions,
    ) -> Result<ColumnReader, TraceError> {
        let TextSource {
            text,
            file,
            name,
            progress,
        } = source;
        let (mapping, table, unit) = (
            options.mapping.clone(),
            options.table.clone(),
            options.time_unit,
        );
        let mut blocks = TextBlocks {
            text,
            layout,
            width: 0,
            positions: Vec::new(),
            csv: None,
            line: 0,
            ended: false,
        };
        if layout == TextLayout::Csv {
            blocks.read_header(name, &mapping)?;
        }
        // The fast path reads NDJSON by the columns' own names, and CSV by their positions.
        let is_plain = match layout {
            TextLayout::NdJson => mapping == Mapping::default(),
            TextLayout::Csv => mapping.values.is_empty(),
        };
        Ok(ColumnReader {
            file,
            mapping,
            table,
            unit,
            clock: options.clock(name),
            notes: Notes::default(),
            blocks: Blocks::Text(Box::new(blocks)),
            policy: RowPolicy::new(options),
            is_plain,
            row: 0,
            progress,
        })
    }
}

/// A block with the error that ended it, and the line at which it ended.
struct ReadBlock {
    block: Block,
    error: Option<std::io::Error>,
    line: u64,
}

/// Blocks of whole lines.
struct TextBlocks {
    text: FileText,
    layout: TextLayout,
    /// For CSV: the number of columns, and the position of each known column.
    width: usize,
    positions: Vec<Option<usize>>,
    /// … as the fast path needs them.
    csv: Option<CsvColumns>,
    /// Lines read so far.
    line: u64,
    ended: bool,
}

/// A block: its text, and the line number of each row.
struct Block {
    text: Vec<u8>,
    length: usize,
    /// The start of each row.
    starts: Vec<usize>,
    lines: Vec<u64>,
}

/// The cells of a row, in the order of [`COLUMNS`].
type NamedCells = Vec<Option<Box<str>>>;

impl TextBlocks {
    /// Reads one line, or for CSV one record, whose quoted fields may contain line ends.
    fn record(&mut self, into: &mut Vec<u8>) -> std::io::Result<bool> {
        let start = into.len();
        loop {
            let most = LINE_BYTES_MAX.saturating_sub((into.len() - start) as u64);
            let read = self.text.by_ref().take(most).read_until(b'\n', into)?;
            if read as u64 == most && !into.ends_with(b"\n") {
                let message = format!("a row of more than {} MB", LINE_BYTES_MAX >> 20);
                return Err(std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    message,
                ));
            }
            if read == 0 {
                return Ok(into.len() > start);
            }
            self.line += 1;
            let quotes = || memchr::memchr_iter(b'"', &into[start..]).count();
            if self.layout == TextLayout::NdJson || quotes() % 2 == 0 {
                return Ok(true);
            }
        }
    }

    fn read_header(&mut self, name: &str, mapping: &Mapping) -> Result<(), TraceError> {
        let mut header = Vec::new();
        self.record(&mut header)
            .map_err(|error| TraceError::file(name, why(&error)))?;
        if header.starts_with(b"\xef\xbb\xbf") {
            header.drain(..3);
        }
        if !header.ends_with(b"\n") {
            header.push(b'\n');
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(header.as_slice());
        let record = reader
            .records()
            .next()
            .and_then(Result::ok)
            .unwrap_or_default();
        let found: Vec<String> = record.iter().map(|name| name.trim().to_string()).collect();
        self.width = found.len();
        self.positions = COLUMNS
            .iter()
            .map(|(column, _)| found.iter().position(|name| name == mapping.name(column)))
            .collect();
        self.csv = Some(CsvColumns::new(self.width, &self.positions));
        check_columns(name, mapping, &found)
    }

    /// The known cells of one record.
    fn csv_row(&self, record: &[u8]) -> Result<NamedCells, Wrong> {
        let wrong = |message: String| (SkipReason::Malformed, message);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(record.len().clamp(1, 8_192))
            .from_reader(record);
        let mut fields = csv::StringRecord::new();
        match reader.read_record(&mut fields) {
            Ok(true) => {}
            Ok(false) => return Err(wrong("no fields".to_string())),
            Err(error) => return Err(wrong(format!("not CSV: {error}"))),
        }
        if fields.len() != self.width {
            return Err(wrong(format!(
                "{} fields, but the header has {}",
                fields.len(),
                self.width
            )));
        }
        let cell = |at: &Option<usize>| {
            at.and_then(|at| fields.get(at))
                .filter(|cell| !cell.is_empty())
                .map(Box::from)
        };
        Ok(self.positions.iter().map(cell).collect())
    }

    /// The next block, and the error, if any, that ended the file after it.
    fn next(&mut self) -> (Block, Option<std::io::Error>) {
        let mut block = Block {
            text: Vec::with_capacity(BLOCK_BYTES + (64 << 10)),
            length: 0,
            starts: Vec::new(),
            lines: Vec::new(),
        };
        while !self.ended && block.text.len() < BLOCK_BYTES && block.lines.len() < BATCH_ROWS {
            let (start, line) = (block.text.len(), self.line + 1);
            match self.record(&mut block.text) {
                Ok(true) if block.text[start..].iter().all(u8::is_ascii_whitespace) => {
                    block.text.truncate(start)
                }
                Ok(true) => {
                    if !block.text.ends_with(b"\n") {
                        block.text.push(b'\n');
                    }
                    block.starts.push(start);
                    block.lines.push(line);
                    block.length = block.text.len();
                }
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = true;
                    block.text.truncate(start);
                    return (block, Some(error));
                }
            }
        }
        (block, None)
    }
}

impl ColumnReader {
    /// The rows of a block and their line numbers, without bad rows.
    fn cells(&self, block: &Block, bad: &mut Bad) -> Result<(Cells, Vec<u64>), TraceError> {
        let mut columns: Vec<Vec<Option<Box<str>>>> = vec![Vec::new(); COLUMNS.len()];
        let mut lines = Vec::with_capacity(block.lines.len());
        let Blocks::Text(blocks) = &self.blocks else {
            return Ok((
                Cells {
                    columns: Vec::new(),
                },
                lines,
            ));
        };
        let ends = block.starts.iter().skip(1).chain([&block.length]);
        for ((start, line), end) in block.starts.iter().zip(&block.lines).zip(ends) {
            let row = match blocks.layout {
                TextLayout::Csv => blocks.csv_row(&block.text[*start..*end]),
                TextLayout::NdJson => self.json_row(&block.text[*start..*end]),
            };
            match row {
                Ok(row) => {
                    columns
                        .iter_mut()
                        .zip(row)
                        .for_each(|(column, cell)| column.push(cell));
                    lines.push(*line);
                }
                Err((reason, message)) => bad.row(
                    RowPlace {
                        file: self.file,
                        row: *line,
                    },
                    reason,
                    message,
                )?,
            }
        }
        let always = |column: &str| {
            self.mapping
                .value(column)
                .map(|value| Cell::Always(value.to_string()))
        };
        let columns = COLUMNS
            .iter()
            .zip(columns)
            .map(|((column, _), cells)| always(column).unwrap_or(Cell::Owned(cells)));
        Ok((
            Cells {
                columns: columns.collect(),
            },
            lines,
        ))
    }

    /// The known members of a JSON object, as text.
    fn json_row(&self, line: &[u8]) -> Result<NamedCells, Wrong> {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line)
            .map_err(|error| (SkipReason::Malformed, format!("not a JSON object: {error}")))?;
        let cell = |(column, _): &(&'static str, &str)| match object.get(self.mapping.name(column))
        {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text.as_str().into())),
            Some(serde_json::Value::Number(number)) => Ok(Some(number.to_string().into())),
            Some(serde_json::Value::Bool(flag)) => Ok(Some(flag.to_string().into())),
            Some(other) => {
                let found: String = other.to_string().chars().take(60).collect();
                Err((
                    SkipReason::WrongType,
                    format!("{column} is {found}; expected a text, a number, true or false"),
                ))
            }
        };
        COLUMNS.iter().map(cell).collect()
    }

    fn events(
        &mut self,
        cells: &Cells,
        rows: usize,
        lines: &[u64],
        sink: &mut EventSink,
    ) -> Result<(), TraceError> {
        for row in 0..rows {
            let place = RowPlace {
                file: self.file,
                row: lines.get(row).copied().unwrap_or(self.row + row as u64 + 1),
            };
            let mut defaults = RowDefaults {
                unit: &mut self.unit,
                clock: &self.clock,
                notes: &mut self.notes,
                table: self.table.as_deref(),
            };
            match cells.event(row, place, &mut defaults, sink.names) {
                Ok(event) => sink.events.push(event),
                Err((reason, message)) => sink.bad.row(place, reason, message)?,
            }
        }
        self.row += rows as u64;
        self.progress.rows.fetch_add(rows as u64, Ordering::Relaxed);
        Ok(())
    }

    fn column_pieces(
        &mut self,
        look: bool,
        shared: &mut Shared,
    ) -> Result<(Vec<Piece>, bool), TraceError> {
        let (decoded, unit) = match &mut self.blocks {
            Blocks::Parquet(parquet) => {
                let before = parquet.bytes();
                let decoded = parquet.decode(look)?;
                self.progress
                    .read
                    .fetch_add(parquet.bytes() - before, Ordering::Relaxed);
                (decoded, parquet.policy.unit)
            }
            Blocks::Arrow(arrow) => (arrow.decode(look)?, arrow.policy.unit),
            Blocks::Text(_) => return Ok((Vec::new(), false)),
        };
        self.unit = self.unit.or(unit);
        let (mut pieces, more) = (Vec::new(), !decoded.is_empty());
        for batch in decoded {
            match batch {
                Decoded::Plain(plain) => {
                    let rows = plain.numbered(shared.names);
                    self.row = rows.from.row - 1 + rows.rows.len() as u64;
                    self.progress
                        .rows
                        .fetch_add(rows.rows.len() as u64, Ordering::Relaxed);
                    pieces.push(Piece::Rows(rows));
                }
                Decoded::Cells(cells, place, rows) => {
                    self.row = place.row - 1;
                    let mut events = Vec::new();
                    let mut sink = shared.sink(&mut events);
                    self.events(&cells, rows, &[], &mut sink)?;
                    pieces.push(Piece::Events(events));
                }
            }
        }
        Ok((pieces, more))
    }

    fn text_pieces(
        &mut self,
        look: bool,
        shared: &mut Shared,
    ) -> Result<(Vec<Piece>, bool), TraceError> {
        let Blocks::Text(blocks) = &mut self.blocks else {
            return Ok((Vec::new(), false));
        };
        let mut read = Vec::new();
        while read.is_empty() || !look && self.is_plain && read.len() < BLOCKS && !blocks.ended {
            let (block, error) = blocks.next();
            read.push(ReadBlock {
                block,
                error,
                line: blocks.line,
            });
        }
        let ended = blocks.ended;
        let mut all = Vec::new();
        let mut pieces = self.plain_pieces(&mut read).into_iter();
        for ReadBlock { block, error, line } in read {
            match pieces.next().flatten() {
                Some(plain) => {
                    let rows = plain.numbered(shared.names);
                    self.progress
                        .rows
                        .fetch_add(rows.rows.len() as u64, Ordering::Relaxed);
                    all.push(Piece::Rows(rows));
                }
                None => {
                    let mut events = Vec::new();
                    let (cells, lines) = self.cells(&block, shared.bad)?;
                    let mut sink = shared.sink(&mut events);
                    self.events(&cells, lines.len(), &lines, &mut sink)?;
                    all.push(Piece::Events(events));
                }
            }
            if let Some(error) = error {
                shared.bad.row(
                    RowPlace {
                        file: self.file,
                        row: line + 1,
                    },
                    SkipReason::Truncated,
                    why(&error),
                )?;
            }
        }
        Ok((all, !ended))
    }

    /// The plain rows of blocks, on all threads; `None` for a block that needs the full path. The
    /// unit of times is detected in the first block.
    fn plain_pieces(&mut self, read: &mut [ReadBlock]) -> Vec<Option<Plain>> {
        let Blocks::Text(blocks) = &self.blocks else {
            return Vec::new();
        };
        if !self.is_plain {
            return Vec::new();
        }
        let (policy, file) = (&self.policy, self.file);
        let one = |ReadBlock { block, .. }: &mut ReadBlock, times: LineTimes| {
            let first = block.lines.first().copied()?;
            let consecutive = block.lines.last().copied()? - first + 1 == block.lines.len() as u64;
            if !consecutive {
                return None;
            }
            let lines = TextLines {
                starts: &block.starts,
                length: block.length,
                place: RowPlace { file, row: first },
                csv: blocks.csv.as_ref(),
            };
            lines::plain(policy, &mut block.text, &lines, times)
        };
        let Some((first, rest)) = read.split_first_mut() else {
            return Vec::new();
        };
        let begun = one(
            first,
            LineTimes {
                unit: self.unit,
                detects: true,
            },
        );
        let unit = begun.as_ref().map_or(self.unit, |(_, unit)| *unit);
        let times = LineTimes {
            unit,
            detects: false,
        };
        let has_begun = begun.is_some();
        let mut pieces = vec![begun.map(|(plain, _)| plain)];
        if has_begun {
            let rest = rest
                .par_iter_mut()
                .map(|block| one(block, times).map(|(plain, _)| plain));
            pieces.par_extend(rest);
        }
        self.unit = unit;
        pieces
    }
}

impl TraceReader for ColumnReader {
    fn pieces(
        &mut self,
        look: bool,
        shared: &mut Shared,
    ) -> Result<(Vec<Piece>, bool), TraceError> {
        match &self.blocks {
            Blocks::Parquet(_) | Blocks::Arrow(_) => self.column_pieces(look, shared),
            Blocks::Text(_) => self.text_pieces(look, shared),
        }
    }

    fn notes(&self) -> Notes {
        let mut notes = self.notes.clone();
        let unit = self.unit.map(TimeUnit::name);
        let unit = unit.map(|unit| format!("times are numbers in {unit} since 1970"));
        notes.format.extend(unit);
        notes
    }
}
