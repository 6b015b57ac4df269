//! Columnar traces: Parquet batch by batch, CSV and NDJSON row by row, a block at a time.
//!
//! Rows tell what their columns say (see [`COLUMNS`]); `time` and `operation` are needed, and `key`
//! for all calls but Scan. Every row can say everything here; rows that say little take the [short
//! way](super::rows).

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::DataType;
use rayon::prelude::{IntoParallelRefMutIterator, ParallelIterator};

use super::input::{TraceText, why};
use super::lines;
use super::parquet::{Decoded, Parquet, Plain, RowPolicy};
use super::time::{TimeUnit, parse_time};
use super::{
    ApiName, Bad, Event, Failure, MemberAction, NameTable, Piece, Progress, ReadOptions, RowPlace,
    SkipReason, Time, TraceError, TraceReader, TracedCall, TracedKey, What,
};
use crate::table::Consistency;
use crate::table::limits;

/// The columns of a trace, and what each means.
pub const COLUMNS: &[(&str, &str)] = &[
    (
        "time",
        "RFC 3339, or a number of s, ms, µs or ns since 1970 (found by its magnitude)",
    ),
    (
        "operation",
        "the API's name, such as GetItem; TimeToLiveDelete for a deletion by Time to Live",
    ),
    ("table", "the table; may be missing where there is only one"),
    (
        "key",
        "the item's key, any text, number or binary; of a Query its partition key",
    ),
    ("index", "the index that is read"),
    (
        "item_bytes",
        "bytes of the item: after a write; of the item read; 0: no item",
    ),
    ("old_bytes", "bytes of the item before a write; 0: no item"),
    (
        "evaluated_bytes",
        "bytes of all items that a page of a Query or Scan evaluated",
    ),
    ("evaluated_items", "how many items it evaluated"),
    (
        "fetched_bytes",
        "sizes of the items that a local index query fetched, separated by spaces",
    ),
    ("consistency", "eventual or strong"),
    ("region", "the region; the home region where empty"),
    ("error", "the error code of a call that failed"),
    (
        "caller",
        "who calls; where it is an access pattern's name, the row is one of its calls",
    ),
    (
        "action",
        "of a member of a batch or transaction: Put, Update, Delete, ConditionCheck",
    ),
    (
        "changes",
        "attributes that a write changes, separated by commas; empty: nothing",
    ),
    (
        "cached",
        "true where a DAX cluster answered the read; false where it passed it on",
    ),
    (
        "replayed",
        "true where a transaction was repeated by its token",
    ),
    (
        "ttl",
        "not read: a deletion by Time to Live is an operation of its own",
    ),
];

/// Other names of columns, and columns of one value for every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    names: BTreeMap<&'static str, String>,
    values: BTreeMap<&'static str, String>,
}

impl Mapping {
    /// For who needs no keys.
    pub(super) fn without_key() -> Mapping {
        Mapping {
            values: BTreeMap::from([("key", String::new())]),
            ..Mapping::default()
        }
    }

    fn known(name: &str) -> Option<&'static str> {
        COLUMNS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(known, _)| *known)
    }

    /// Reads `time=timestamp`: the column and its name in the file, in either order.
    ///
    /// # Errors
    /// What is allowed.
    pub fn map(&mut self, text: &str) -> Result<(), String> {
        let (one, other) = text
            .split_once('=')
            .ok_or_else(|| format!("--map {text}: expected column=name, such as time=timestamp"))?;
        let (column, name) = match (Mapping::known(one), Mapping::known(other)) {
            (Some(column), _) => (column, other),
            (None, Some(column)) => (column, one),
            (None, None) => {
                return Err(format!(
                    "--map {text}: neither is a column of a trace; {}",
                    Mapping::list()
                ));
            }
        };
        match self.names.insert(column, name.to_string()) {
            None => Ok(()),
            Some(_) => Err(format!("--map {text}: {column} is mapped twice")),
        }
    }

    /// Reads `operation=GetItem`: a value for every row.
    ///
    /// # Errors
    /// What is allowed.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let (column, value) = text.split_once('=').ok_or_else(|| {
            format!("--set {text}: expected column=value, such as operation=GetItem")
        })?;
        let column = Mapping::known(column)
            .ok_or_else(|| format!("--set {text}: no such column; {}", Mapping::list()))?;
        self.values.insert(column, value.to_string());
        Ok(())
    }

    /// The value that every row has in a column.
    pub(super) fn value(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(String::as_str)
    }

    fn list() -> String {
        format!(
            "the columns are {}",
            COLUMNS
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ")
        )
    }

    /// The name of a column in the file.
    pub(super) fn name(&self, column: &'static str) -> &str {
        self.names.get(column).map_or(column, String::as_str)
    }
}

/// How a columnar trace is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextLayout {
    /// CSV with a header.
    Csv,
    /// One JSON object a line.
    NdJson,
}

/// Rows of a batch.
pub(super) const BATCH_ROWS: usize = 65_536;

/// Blocks that are parsed side by side.
const BLOCKS: usize = 8;

/// Bytes of a block of text.
const BLOCK_BYTES: usize = 4 << 20;

/// Reads a columnar trace.
pub struct ColumnReader {
    file: u32,
    mapping: Mapping,
    table: Option<String>,
    unit: Option<TimeUnit>,
    blocks: Blocks,
    /// What the short way knows of every row.
    door: RowPolicy,
    row: u64,
    progress: Progress,
}

enum Blocks {
    Parquet(Box<Parquet>),
    Text(TextBlocks),
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
            blocks: Blocks::Parquet(parquet),
            door: RowPolicy::new(options),
            row: 0,
            progress,
        })
    }

    /// Reads CSV or NDJSON.
    pub fn text(
        text: TraceText,
        layout: TextLayout,
        file: u32,
        name: &str,
        options: &ReadOptions,
        progress: Progress,
    ) -> Result<ColumnReader, TraceError> {
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
            line: 0,
            ended: false,
        };
        if layout == TextLayout::Csv {
            blocks.read_header(name, &mapping)?;
        }
        Ok(ColumnReader {
            file,
            mapping,
            table,
            unit,
            blocks: Blocks::Text(blocks),
            door: RowPolicy::new(options),
            row: 0,
            progress,
        })
    }
}

/// Every column that is needed is there, by its own name, a mapped one, or as a value.
pub(super) fn check_columns(
    file: &str,
    mapping: &Mapping,
    found: &[String],
) -> Result<(), TraceError> {
    let there = |column: &'static str| {
        mapping.values.contains_key(column) || found.iter().any(|name| name == mapping.name(column))
    };
    let missing: Vec<&str> = ["time", "operation", "key"]
        .into_iter()
        .filter(|column| !there(column))
        .collect();
    let unmapped = mapping.names.values().find(|name| !found.contains(name));
    if let Some(name) = unmapped {
        return Err(TraceError::file(
            file,
            format!(
                "no column {name}, which --map names; it has {}",
                found.join(", ")
            ),
        ));
    }
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "no column {}; it has {}",
        missing.join(", "),
        found.join(", ")
    );
    Err(TraceError::file(file, message).help(
        "name the columns with --map time=NAME, or give all rows one value with --set \
         operation=GetItem",
    ))
}

/// Blocks of whole lines.
struct TextBlocks {
    text: TraceText,
    layout: TextLayout,
    /// Of a CSV, how many columns it has, and where each known one stands.
    width: usize,
    positions: Vec<Option<usize>>,
    /// Lines read so far.
    line: u64,
    ended: bool,
}

/// A block: its text, and the line of each row.
struct Block {
    text: Vec<u8>,
    length: usize,
    /// Where each row begins.
    starts: Vec<usize>,
    lines: Vec<u64>,
}

/// The cells of a row, in the order of [`COLUMNS`].
type NamedCells = Vec<Option<Box<str>>>;

impl TextBlocks {
    /// One line, or for CSV one record, whose quoted fields may hold line ends.
    fn record(&mut self, into: &mut Vec<u8>) -> std::io::Result<bool> {
        let start = into.len();
        loop {
            let read = self.text.read_until(b'\n', into)?;
            if read == 0 {
                return Ok(into.len() > start);
            }
            self.line += 1;
            let quotes = || into[start..].iter().filter(|byte| **byte == b'"').count();
            if self.layout == TextLayout::NdJson
                || quotes() % 2 == 0
                || into.len() - start > super::input::LINE_BYTES_MAX as usize
            {
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
        check_columns(name, mapping, &found)
    }

    /// The known cells of one record.
    fn csv_row(&self, record: &[u8]) -> Result<NamedCells, Wrong> {
        let wrong = |message: String| (SkipReason::Malformed, message);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(record);
        let mut fields = csv::StringRecord::new();
        match reader.read_record(&mut fields) {
            Ok(true) => {}
            Ok(false) => return Err(wrong("no fields".to_string())),
            Err(error) => return Err(wrong(format!("not CSV: {error}"))),
        }
        if fields.len() != self.width {
            return Err(wrong(format!(
                "{} fields where the header has {}",
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

    /// The next block; its lines may be followed by an error that ends the file.
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
    /// The rows of a block, and the line of each; bad ones are left out.
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

    /// The known members of a JSON object, as texts.
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
                    format!("{column} is {found}; a text, a number or true or false is expected"),
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
        names: &mut NameTable,
        events: &mut Vec<Event>,
        bad: &mut Bad,
    ) -> Result<(), TraceError> {
        for row in 0..rows {
            let place = RowPlace {
                file: self.file,
                row: lines.get(row).copied().unwrap_or(self.row + row as u64 + 1),
            };
            match cells.event(row, place, &mut self.unit, self.table.as_deref(), names) {
                Ok(event) => events.push(event),
                Err((reason, message)) => bad.row(place, reason, message)?,
            }
        }
        self.row += rows as u64;
        self.progress.rows.fetch_add(rows as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl TraceReader for ColumnReader {
    fn pieces(
        &mut self,
        look: bool,
        names: &mut NameTable,
        bad: &mut Bad,
    ) -> Result<(Vec<Piece>, bool), TraceError> {
        if let Blocks::Parquet(parquet) = &mut self.blocks {
            let before = parquet.bytes();
            let decoded = parquet.decode(look)?;
            self.progress
                .read
                .fetch_add(parquet.bytes() - before, Ordering::Relaxed);
            self.unit = self.unit.or(parquet.door.unit);
            let (mut pieces, more) = (Vec::new(), !decoded.is_empty());
            for batch in decoded {
                match batch {
                    Decoded::Plain(plain) => {
                        let rows = plain.numbered(names);
                        self.row = rows.place.row - 1 + rows.rows.len() as u64;
                        self.progress
                            .rows
                            .fetch_add(rows.rows.len() as u64, Ordering::Relaxed);
                        pieces.push(Piece::Rows(rows));
                    }
                    Decoded::Cells(cells, place, rows) => {
                        self.row = place.row - 1;
                        let mut events = Vec::new();
                        self.events(&cells, rows, &[], names, &mut events, bad)?;
                        pieces.push(Piece::Events(events));
                    }
                }
            }
            return Ok((pieces, more));
        }
        let Blocks::Text(blocks) = &mut self.blocks else {
            return Ok((Vec::new(), false));
        };
        let (layout, mut read) = (blocks.layout, Vec::new());
        while read.is_empty()
            || !look && layout == TextLayout::NdJson && read.len() < BLOCKS && !blocks.ended
        {
            let (block, error) = blocks.next();
            read.push((block, error, blocks.line));
        }
        let ended = blocks.ended;
        // The first block tells the unit of times.
        let short = layout == TextLayout::NdJson && self.mapping == Mapping::default();
        let mut pieces: Vec<Option<Plain>> = Vec::new();
        if short {
            let (door, file) = (&self.door, self.file);
            let one = |(block, _, _): &mut (Block, Option<std::io::Error>, u64),
                       unit: Option<TimeUnit>| {
                let first = block.lines.first().copied()?;
                let place = RowPlace { file, row: first };
                let consecutive =
                    block.lines.last().copied()? - first + 1 == block.lines.len() as u64;
                if !consecutive {
                    return None;
                }
                lines::plain(
                    door,
                    &mut block.text,
                    &block.starts,
                    block.length,
                    unit,
                    place,
                )
            };
            let (first, rest) = read.split_at_mut(1);
            let begun = first.first_mut().and_then(|first| one(first, self.unit));
            let unit = begun.as_ref().map(|(_, unit)| *unit).or(self.unit);
            pieces.push(begun.map(|(plain, _)| plain));
            self.unit = unit;
            if unit.is_some() {
                pieces.extend(
                    rest.par_iter_mut()
                        .map(|block| one(block, unit).map(|(plain, _)| plain))
                        .collect::<Vec<_>>(),
                );
            }
        }
        let mut all = Vec::new();
        let mut pieces = pieces.into_iter();
        for (block, error, line) in read {
            match pieces.next().flatten() {
                Some(plain) => {
                    let rows = plain.numbered(names);
                    self.progress
                        .rows
                        .fetch_add(rows.rows.len() as u64, Ordering::Relaxed);
                    all.push(Piece::Rows(rows));
                }
                None => {
                    let mut events = Vec::new();
                    let (cells, lines) = self.cells(&block, bad)?;
                    self.events(&cells, lines.len(), &lines, names, &mut events, bad)?;
                    all.push(Piece::Events(events));
                }
            }
            if let Some(error) = error {
                bad.row(
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

    fn notes(&self) -> Vec<String> {
        self.unit
            .map(|unit| format!("times are numbers of {} since 1970", unit.name()))
            .into_iter()
            .collect()
    }
}

/// One column of a batch.
pub(super) enum Cell {
    Absent,
    Always(String),
    Text(StringArray),
    Owned(Vec<Option<Box<str>>>),
    Binary(BinaryArray),
    Whole(Int64Array),
    Moment(Int64Array, TimeUnit),
}

fn value<'a, T: ?Sized>(
    array: &impl Array,
    row: usize,
    of: impl FnOnce() -> &'a T,
) -> Option<&'a T> {
    (row < array.len() && array.is_valid(row)).then(of)
}

fn number(numbers: &Int64Array, row: usize) -> Option<i64> {
    (row < numbers.len() && numbers.is_valid(row)).then(|| numbers.value(row))
}

impl Cell {
    pub(super) fn new(name: &str, column: &ArrayRef) -> Result<Cell, String> {
        let exact = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let cast = |kind: &DataType| {
            cast_with_options(column, kind, &exact)
                .map_err(|error| format!("column {name}: {error}"))
        };
        let whole = || {
            Ok::<Int64Array, String>(cast(&DataType::Int64)?.as_primitive::<Int64Type>().clone())
        };
        let kind = match column.data_type() {
            DataType::Dictionary(_, kind) => kind.as_ref(),
            kind => kind,
        };
        Ok(match kind {
            DataType::Null => Cell::Absent,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                Cell::Binary(cast(&DataType::Binary)?.as_binary::<i32>().clone())
            }
            DataType::Timestamp(unit, _) => Cell::Moment(whole()?, unit.into()),
            // Beyond what a signed integer holds, or with a fraction: as text, which loses nothing.
            DataType::UInt64 => match whole() {
                Ok(numbers) => Cell::Whole(numbers),
                Err(_) => Cell::Text(cast(&DataType::Utf8)?.as_string::<i32>().clone()),
            },
            kind if kind.is_integer() => Cell::Whole(whole()?),
            kind if kind.is_string()
                || kind.is_floating()
                || kind.is_decimal()
                || *kind == DataType::Boolean =>
            {
                Cell::Text(cast(&DataType::Utf8)?.as_string::<i32>().clone())
            }
            other => {
                return Err(format!(
                    "column {name} is of type {other}; a text, a number or binary is expected"
                ));
            }
        })
    }

    fn text(&self, row: usize) -> Option<&str> {
        let text = match self {
            Cell::Always(text) => Some(text.as_str()),
            Cell::Text(texts) => value(texts, row, || texts.value(row)),
            Cell::Owned(texts) => texts.get(row).and_then(Option::as_deref),
            Cell::Binary(bytes) => value(bytes, row, || bytes.value(row))
                .and_then(|bytes| std::str::from_utf8(bytes).ok()),
            _ => None,
        };
        text.map(str::trim).filter(|text| !text.is_empty())
    }

    fn is_given(&self, row: usize) -> bool {
        match self {
            Cell::Absent => false,
            Cell::Always(_) => true,
            Cell::Text(texts) => row < texts.len() && texts.is_valid(row),
            Cell::Owned(texts) => texts.get(row).is_some_and(Option::is_some),
            Cell::Binary(bytes) => row < bytes.len() && bytes.is_valid(row),
            Cell::Whole(numbers) | Cell::Moment(numbers, _) => number(numbers, row).is_some(),
        }
    }

    /// A whole number from 0 on.
    fn whole(&self, row: usize, name: &str) -> Result<Option<u64>, Wrong> {
        let wrong = |found: String| {
            (
                SkipReason::WrongType,
                format!("{name} is {found}; a whole number from 0 on is expected"),
            )
        };
        match self {
            Cell::Whole(numbers) => match number(numbers, row) {
                Some(number) => u64::try_from(number)
                    .map(Some)
                    .map_err(|_| wrong(number.to_string())),
                None => Ok(None),
            },
            _ => match self.text(row) {
                Some(text) => text
                    .trim_end_matches(".0")
                    .parse()
                    .map(Some)
                    .map_err(|_| wrong(format!("\"{}\"", text.escape_debug()))),
                None if self.is_given(row) && !matches!(self, Cell::Text(_) | Cell::Owned(_)) => {
                    Err(wrong("no number".to_string()))
                }
                None => Ok(None),
            },
        }
    }

    fn flag(&self, row: usize, name: &str) -> Result<Option<bool>, Wrong> {
        if let Cell::Whole(numbers) = self {
            return match number(numbers, row) {
                None => Ok(None),
                Some(flag @ (0 | 1)) => Ok(Some(flag == 1)),
                Some(found) => Err((
                    SkipReason::WrongType,
                    format!("{name} is {found}; true or false is expected"),
                )),
            };
        }
        match self.text(row) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") || text == "1" => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") || text == "0" => Ok(Some(false)),
            Some(text) => Err((
                SkipReason::WrongType,
                format!(
                    "{name} is \"{}\"; true or false is expected",
                    text.escape_debug()
                ),
            )),
        }
    }
}

type Wrong = (SkipReason, String);

/// The columns of a batch that a trace has.
pub(super) struct Cells {
    columns: Vec<Cell>,
}

impl Cells {
    pub(super) fn new(batch: &RecordBatch, mapping: &Mapping) -> Result<Cells, String> {
        let column = |(column, _): &(&'static str, &str)| match (
            mapping.values.get(column),
            batch.column_by_name(mapping.name(column)),
        ) {
            (Some(value), _) => Ok(Cell::Always(value.clone())),
            (None, Some(found)) => Cell::new(mapping.name(column), found),
            (None, None) => Ok(Cell::Absent),
        };
        Ok(Cells {
            columns: COLUMNS.iter().map(column).collect::<Result<_, String>>()?,
        })
    }

    fn of(&self, name: &str) -> &Cell {
        const ABSENT: &Cell = &Cell::Absent;
        COLUMNS
            .iter()
            .position(|(column, _)| *column == name)
            .and_then(|at| self.columns.get(at))
            .unwrap_or(ABSENT)
    }

    fn time(&self, row: usize, unit: &mut Option<TimeUnit>) -> Result<Time, Wrong> {
        let wrong = |found: String| {
            (
                SkipReason::Time,
                format!("time is {found}; RFC 3339 or a number since 1970 is expected"),
            )
        };
        match &self.columns[0] {
            Cell::Moment(numbers, own) => {
                let number = number(numbers, row).ok_or_else(|| wrong("missing".to_string()))?;
                own.time(number).ok_or_else(|| wrong(number.to_string()))
            }
            Cell::Whole(numbers) => {
                let number = number(numbers, row).ok_or_else(|| wrong("missing".to_string()))?;
                let unit = unit.get_or_insert_with(|| TimeUnit::of(number));
                unit.time(number).ok_or_else(|| wrong(number.to_string()))
            }
            other => {
                let text = other
                    .text(row)
                    .ok_or_else(|| wrong("missing".to_string()))?;
                let (time, found) = parse_time(text, *unit)
                    .ok_or_else(|| wrong(format!("\"{}\"", text.escape_debug())))?;
                if unit.is_none() {
                    *unit = found;
                }
                Ok(time)
            }
        }
    }

    fn key(&self, row: usize) -> Option<Result<TracedKey, Wrong>> {
        let of = |bytes: &[u8]| {
            let most = limits::PARTITION_KEY_BYTES_MAX + limits::SORT_KEY_BYTES_MAX + 16;
            if bytes.len() as u64 > most {
                let text = format!(
                    "a key of {} bytes; a partition key has at most 2,048 and a sort key 1,024",
                    bytes.len()
                );
                return Err((SkipReason::Key, text));
            }
            Ok(TracedKey::of(bytes))
        };
        match self.of("key") {
            Cell::Binary(bytes) => value(bytes, row, || bytes.value(row))
                .filter(|bytes| !bytes.is_empty())
                .map(of),
            Cell::Whole(numbers) | Cell::Moment(numbers, _) => {
                number(numbers, row).map(|number| of(number.to_string().as_bytes()))
            }
            Cell::Text(texts) => value(texts, row, || texts.value(row))
                .filter(|text| !text.is_empty())
                .map(|text| of(text.as_bytes())),
            Cell::Owned(texts) => texts
                .get(row)
                .and_then(Option::as_deref)
                .map(|text| of(text.as_bytes())),
            Cell::Always(text) => Some(of(text.as_bytes())),
            Cell::Absent => None,
        }
    }

    fn event(
        &self,
        row: usize,
        place: RowPlace,
        unit: &mut Option<TimeUnit>,
        table: Option<&str>,
        names: &mut NameTable,
    ) -> Result<Event, Wrong> {
        let time = self.time(row, unit)?;
        let operation = self
            .of("operation")
            .text(row)
            .ok_or_else(|| (SkipReason::UnknownOperation, "no operation".to_string()))?;
        let api = ApiName::parse(operation).ok_or_else(|| {
            let known = ApiName::NAMES
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(", ");
            (
                SkipReason::UnknownOperation,
                format!(
                    "DynamoDB has no operation \"{}\"; known are {known}",
                    operation.escape_debug()
                ),
            )
        })?;
        let key = match self.key(row) {
            Some(key) => key?,
            None if api == ApiName::Scan || api.is_free() => TracedKey::of(b""),
            None => return Err((SkipReason::Key, format!("no key; {} needs one", api.name()))),
        };
        let table = self
            .of("table")
            .text(row)
            .or(table)
            .map(|table| names.number(table));
        let bytes = |name: &str| -> Result<Option<u32>, Wrong> {
            match self.of(name).whole(row, name)? {
                None => Ok(None),
                Some(bytes) if bytes <= limits::ITEM_BYTES_MAX => Ok(Some(bytes as u32)),
                Some(bytes) => Err((
                    SkipReason::ItemSize,
                    format!(
                        "{name} is {bytes}; DynamoDB holds items of at most 409600 bytes (400 KB)"
                    ),
                )),
            }
        };
        let mut call = TracedCall::new(api, key);
        call.item_bytes = bytes("item_bytes")?;
        call.old_bytes = bytes("old_bytes")?;
        call.evaluated_bytes = self.of("evaluated_bytes").whole(row, "evaluated_bytes")?;
        call.evaluated_items = self.of("evaluated_items").whole(row, "evaluated_items")?;
        if let Some(sizes) = self.of("fetched_bytes").text(row) {
            let parsed: Result<Vec<u32>, _> = sizes.split_whitespace().map(str::parse).collect();
            let sizes = parsed.map_err(|_| {
                let text = format!(
                    "fetched_bytes is \"{}\"; sizes separated by spaces are expected",
                    sizes.escape_debug()
                );
                (SkipReason::WrongType, text)
            })?;
            call.fetched = Some(sizes.into());
        } else if self.of("fetched_bytes").is_given(row) {
            call.fetched = Some(Arc::new([]));
        }
        call.consistency = match self
            .of("consistency")
            .text(row)
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            None => None,
            Some("eventual" | "false" | "0") => Some(Consistency::Eventual),
            Some("strong" | "consistent" | "true" | "1") => Some(Consistency::Strong),
            Some(other) => {
                let text = format!(
                    "consistency is \"{}\"; eventual or strong is expected",
                    other.escape_debug()
                );
                return Err((SkipReason::WrongType, text));
            }
        };
        call.action = match self.of("action").text(row) {
            None => None,
            Some(text) => Some(MemberAction::parse(text).ok_or_else(|| {
                let text = format!(
                    "action is \"{}\"; Put, Update, Delete or ConditionCheck is expected",
                    text.escape_debug()
                );
                (SkipReason::WrongType, text)
            })?),
        };
        call.failure = self
            .of("error")
            .text(row)
            .map(|code: &str| {
                Failure::parse(code).ok_or_else(|| {
                    (
                        SkipReason::WrongType,
                        format!(
                            "error is \"{}\"; the name of an exception is expected, or nothing",
                            code.escape_debug()
                        ),
                    )
                })
            })
            .transpose()?;
        call.cached = self.of("cached").flag(row, "cached")?;
        call.replayed = self.of("replayed").flag(row, "replayed")?.unwrap_or(false);
        call.index = self.of("index").text(row).map(|index| names.number(index));
        call.region = self
            .of("region")
            .text(row)
            .map(|region| names.number(region));
        call.caller = self
            .of("caller")
            .text(row)
            .map(|caller| names.number(caller));
        // An empty list of changes says that nothing changes, which no list at all does not say.
        let changes = self.of("changes");
        call.changes = match changes.text(row) {
            Some(text) => Some(names.number(text)),
            None if changes.is_given(row) && !matches!(changes, Cell::Absent) => {
                Some(names.number(""))
            }
            None => None,
        };
        Ok(Event {
            time,
            place,
            table,
            what: What::Call(call),
        })
    }
}
