//! Detects the format of a file from its name and its first bytes, and creates its reader.

use std::io::{Cursor, Read};
use std::path::Path;

use serde_json::Value;

use super::arrow::{self, Arrow};
use super::cache::{Records, Twemcache};
use super::cloudtrail::Trail;
use super::cloudwatch::{Console, Label, MetricReader};
use super::columns::{ColumnReader, TextLayout, TextSource};
use super::document::{Document, Part};
use super::json::{Json, RecordFormat, member};
use super::log::Logged;
use super::moment::{Clock, LastForm};
use super::notes::{NoTrace, Notes};
use super::request::Requests;
use super::stream::ChangeRecords;
use super::unwrap::{Around, Inner, LISTS, mentions_capacity, names_capacity, unwrap};
use super::{ReadOptions, TraceError, TraceReader, known_operation, parse_time};
use crate::files::{FileSource, FileText, Progress, open, why};
use crate::opened;

/// The formats of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TraceFormat {
    /// Columns in Parquet.
    Parquet,
    /// Columns in Arrow.
    Arrow,
    /// Columns in CSV.
    Csv,
    /// Columns in NDJSON.
    NdJson,
    /// The request log.
    Requests,
    /// DynamoDB Streams records.
    Streams,
    /// An S3 full export.
    Export,
    /// An S3 incremental export.
    IncrementalExport,
    /// CloudTrail events.
    CloudTrail,
    /// CloudWatch metrics in JSON.
    CloudWatch,
    /// CloudWatch's console CSV.
    CloudWatchCsv,
    /// Logs with ConsumedCapacity.
    Log,
    /// A twemcache trace.
    Twemcache,
    /// libCacheSim's oracleGeneral.
    OracleGeneral,
    /// vscsi records.
    Vscsi,
}

impl TraceFormat {
    /// Whether it contains only calls, each with one key.
    pub fn is_calls(self) -> bool {
        matches!(
            self,
            TraceFormat::Parquet
                | TraceFormat::Arrow
                | TraceFormat::Csv
                | TraceFormat::NdJson
                | TraceFormat::CloudTrail
                | TraceFormat::Twemcache
                | TraceFormat::OracleGeneral
                | TraceFormat::Vscsi
        )
    }

    /// Whether rows of plain calls take the fast path.
    pub fn has_fast_path(self) -> bool {
        matches!(
            self,
            TraceFormat::Parquet | TraceFormat::Arrow | TraceFormat::Csv | TraceFormat::NdJson
        )
    }

    /// The formats and their names on the command line.
    pub const NAMES: &'static [(&'static str, TraceFormat)] = &[
        ("parquet", TraceFormat::Parquet),
        ("arrow", TraceFormat::Arrow),
        ("csv", TraceFormat::Csv),
        ("ndjson", TraceFormat::NdJson),
        ("requests", TraceFormat::Requests),
        ("streams", TraceFormat::Streams),
        ("export", TraceFormat::Export),
        ("incremental-export", TraceFormat::IncrementalExport),
        ("cloudtrail", TraceFormat::CloudTrail),
        ("cloudwatch", TraceFormat::CloudWatch),
        ("cloudwatch-csv", TraceFormat::CloudWatchCsv),
        ("log", TraceFormat::Log),
        ("twemcache", TraceFormat::Twemcache),
        ("oracle-general", TraceFormat::OracleGeneral),
        ("vscsi", TraceFormat::Vscsi),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        TraceFormat::NAMES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// The format that has a name.
    pub fn parse(name: &str) -> Option<TraceFormat> {
        TraceFormat::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind)
    }
}

/// The number of bytes of a text that are examined.
pub const LOOK_BYTES: u64 = 1 << 18;

const OPERATIONS: [&str; 13] = [
    "get", "gets", "set", "add", "replace", "cas", "append", "prepend", "incr", "decr", "touch",
    "delete", "gat",
];

/// What a file is.
pub enum Recognised {
    /// A trace: its format, and a reader for it.
    Trace(TraceFormat, Box<dyn TraceReader>),
    /// The items that a Scan returned.
    Items,
    /// No trace, but something that lies beside traces.
    NoTrace(NoTrace),
    /// Nothing that is known: an error, unless it lies beside traces.
    Unknown(Box<TraceError>),
}

/// What a source is. The bytes examined are read again by the reader.
pub fn recognise(
    source: &FileSource,
    file: u32,
    options: &ReadOptions,
    progress: &Progress,
) -> Result<Recognised, TraceError> {
    let name = source.shown();
    let wrong = |error: std::io::Error| TraceError::file(&name, why(&error));
    let by_name = by_name(&name);
    if options.kind.is_none()
        && let Some(what) = no_trace_by_name(&name)
    {
        return Ok(Recognised::NoTrace(what));
    }
    if let FileSource::File(path) = source
        && (options.kind.or(by_name) == Some(TraceFormat::Parquet)
            || (options.kind.is_none() && is_parquet(path)))
    {
        let reader = parquet(path, file, &name, options, progress)?;
        return Ok(Recognised::Trace(TraceFormat::Parquet, reader));
    }
    let mut text = open(source, progress).map_err(wrong)?;
    let mut start = Vec::new();
    let looked = (&mut text).take(LOOK_BYTES).read_to_end(&mut start);
    if start.is_empty() {
        return match looked {
            Err(error) => Err(wrong(error)),
            Ok(_) => Ok(Recognised::NoTrace(NoTrace::Empty)),
        };
    }
    if start.starts_with(b"PAR1") {
        return Err(TraceError::file(
            &name,
            "Parquet is supported neither on standard input nor within a compressed file",
        )
        .help("name the uncompressed Parquet file; Parquet compresses its data internally"));
    }
    let is_arrow = start.starts_with(arrow::STREAM) || start.starts_with(arrow::FILE);
    if options.kind == Some(TraceFormat::Arrow) || options.kind.is_none() && is_arrow {
        let begun: Box<dyn Read + Send> = match looked {
            Ok(_) => Box::new(Cursor::new(start).chain(text)),
            Err(error) => return Err(wrong(error)),
        };
        let reader = arrow_reader(begun, file, &name, options, progress)?;
        return Ok(Recognised::Trace(TraceFormat::Arrow, reader));
    }
    let (kind, layout) = match options.kind.or(by_name) {
        Some(kind) => (kind, layout_of(kind, &start)),
        None => match look(&start, options) {
            Look::Trace(kind, layout) => (kind, layout),
            Look::Items => return Ok(Recognised::Items),
            Look::NoTrace(what) => return Ok(Recognised::NoTrace(what)),
            Look::Unknown(found) => {
                let error = unrecognised(&name, &start, &found);
                return Ok(Recognised::Unknown(Box::new(error)));
            }
        },
    };
    // The bytes examined are read again, and so is an error that occurred among them.
    let again: Box<dyn Read + Send> = match looked {
        Ok(_) => Box::new(Cursor::new(start).chain(text)),
        Err(error) => Box::new(Cursor::new(start).chain(Broken(Some(error)))),
    };
    let opened = TextSource {
        text: std::io::BufReader::with_capacity(1 << 17, again),
        file,
        name: &name,
        progress: progress.clone(),
    };
    let reader = text_reader(kind, layout, opened, source, options)?;
    Ok(Recognised::Trace(kind, reader))
}

/// The reader of an Arrow stream, or of a file, in which a stream follows its magic number.
fn arrow_reader(
    mut stream: Box<dyn Read + Send>,
    file: u32,
    name: &str,
    options: &ReadOptions,
    progress: &Progress,
) -> Result<Box<dyn TraceReader>, TraceError> {
    let mut begins = vec![0; arrow::FILE.len()];
    let read = stream.read_exact(&mut begins);
    read.map_err(|error| TraceError::file(name, why(&error)))?;
    if begins != arrow::FILE {
        stream = Box::new(Cursor::new(begins).chain(stream));
    }
    let columns = Arrow::stream(stream, file, name, options)?;
    let reader = ColumnReader::arrow(columns, file, name, options, progress.clone());
    Ok(Box::new(reader))
}

fn unrecognised(name: &str, start: &[u8], found: &str) -> TraceError {
    let begins: String = String::from_utf8_lossy(start).chars().take(60).collect();
    let kinds: Vec<&str> = TraceFormat::NAMES.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "unrecognised trace format: {found}; the file begins with \"{}\"; the formats are {}",
        begins.escape_debug(),
        kinds.join(", ")
    );
    TraceError::file(name, message).help(
        "name the format with --kind, and the columns with --map; --inspect shows what is \
         understood",
    )
}

/// How the records of a text are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// JSON, one or more records a line, or documents of several lines.
    Json,
    /// Lines of text.
    Lines,
    /// CSV with a header.
    Rows,
}

/// The layout of a text whose format is known.
fn layout_of(kind: TraceFormat, start: &[u8]) -> Layout {
    match start.trim_ascii_start().first() {
        Some(b'{' | b'[') if kind != TraceFormat::Log => Layout::Json,
        Some(b'{' | b'[') => layout_of_json(start).unwrap_or(Layout::Lines),
        _ if kind == TraceFormat::CloudTrail => Layout::Rows,
        _ => Layout::Lines,
    }
}

/// The layout of a text that is JSON as far as it goes: whole records on each line, or documents of
/// several lines. `None` if it is not JSON.
fn layout_of_json(start: &[u8]) -> Option<Layout> {
    let text = start.trim_ascii_start();
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
    match json_values(line) {
        Some(true) => Some(Layout::Lines),
        Some(false) => None,
        None => match json_values(text) {
            Some(false) => None,
            _ => Some(Layout::Json),
        },
    }
}

/// Whether a text consists of JSON objects and lists of them; `None` if it ends within one.
fn json_values(text: &[u8]) -> Option<bool> {
    for value in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
        match value {
            Ok(Value::Object(_)) => {}
            Ok(Value::Array(list)) if list.iter().all(|one| one.is_object() || one.is_array()) => {}
            Ok(_) => return Some(false),
            Err(error) if error.is_eof() => return None,
            Err(_) => return Some(false),
        }
    }
    Some(true)
}

/// The reader of a text.
fn text_reader(
    kind: TraceFormat,
    layout: Layout,
    opened: TextSource,
    source: &FileSource,
    options: &ReadOptions,
) -> Result<Box<dyn TraceReader>, TraceError> {
    let columns = match kind {
        TraceFormat::Csv => Some(TextLayout::Csv),
        TraceFormat::NdJson | TraceFormat::Parquet | TraceFormat::Arrow => Some(TextLayout::NdJson),
        _ => None,
    };
    if let Some(columns) = columns {
        return Ok(Box::new(ColumnReader::text(opened, columns, options)?));
    }
    let (table, period) = (options.table.clone(), options.period_seconds);
    let TextSource {
        text,
        file,
        name,
        progress,
    } = opened;
    Ok(match kind {
        TraceFormat::Csv
        | TraceFormat::NdJson
        | TraceFormat::Parquet
        | TraceFormat::Arrow
        | TraceFormat::Export => {
            let message =
                "this is a data file of a full export, which is a starting state and not a trace";
            return Err(TraceError::file(name, message).help(
                "name the folder of the export, which contains the manifest, together with a trace",
            ));
        }
        TraceFormat::Requests => json(layout, text, file, Requests, progress),
        TraceFormat::Streams | TraceFormat::IncrementalExport => {
            let manifest = match source {
                FileSource::File(path) => super::export::incremental_of(path),
                FileSource::Stdin => None,
            };
            let manifest = manifest.unwrap_or_default();
            let old_images = (!manifest.files.is_empty()).then_some(manifest.old_images);
            let records = ChangeRecords::new(table.or(manifest.table), old_images, manifest.region);
            json(layout, text, file, records, progress)
        }
        TraceFormat::CloudTrail => {
            let trail = Trail::new(options.keys.clone());
            json(layout, text, file, trail, progress)
        }
        TraceFormat::CloudWatch => {
            let reader = MetricReader::new(table, period, name, layout == Layout::Lines);
            json(layout, text, file, reader, progress)
        }
        TraceFormat::CloudWatchCsv => Box::new(Console::new(text, file, table, period, progress)),
        TraceFormat::Log => {
            let operation = match options.mapping.value("operation") {
                Some(name) => Some(known_operation(name).map_err(|(_, message)| {
                    TraceError::file(name, format!("--set operation: {message}"))
                })?),
                None => None,
            };
            let logged = Logged::new(
                operation,
                table,
                options.clock(name),
                layout == Layout::Lines,
            );
            json(layout, text, file, logged, progress)
        }
        TraceFormat::Twemcache => Box::new(Twemcache::new(text, file, table, progress)),
        TraceFormat::OracleGeneral => Box::new(Records::new(text, file, table, false, progress)),
        TraceFormat::Vscsi => Box::new(Records::new(text, file, table, true, progress)),
    })
}

/// A reader of records.
fn json<F: RecordFormat + 'static>(
    layout: Layout,
    text: FileText,
    file: u32,
    format: F,
    progress: Progress,
) -> Box<dyn TraceReader> {
    match layout {
        Layout::Rows => Box::new(Json::rows(text, file, format, progress)),
        Layout::Json | Layout::Lines => Box::new(Json::new(text, file, format, progress)),
    }
}

/// A text that ends with the error that occurred.
struct Broken(Option<std::io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn parquet(
    path: &Path,
    file: u32,
    name: &str,
    options: &ReadOptions,
    progress: &Progress,
) -> Result<Box<dyn TraceReader>, TraceError> {
    if !is_parquet(path) {
        return Err(TraceError::file(
            name,
            "not a Parquet file: the file does not begin with PAR1",
        ));
    }
    Ok(Box::new(ColumnReader::parquet(
        path,
        file,
        name,
        options,
        progress.clone(),
    )?))
}

fn is_parquet(path: &Path) -> bool {
    let mut start = [0; 4];
    path.is_file()
        && opened::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok()
        && &start == b"PAR1"
}

/// The format that the file name implies; a compression suffix is ignored.
fn by_name(name: &str) -> Option<TraceFormat> {
    let name = name.to_ascii_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    match () {
        () if name.ends_with(".parquet") => Some(TraceFormat::Parquet),
        () if name.ends_with(".oraclegeneral") || name.ends_with(".oraclegeneral.bin") => {
            Some(TraceFormat::OracleGeneral)
        }
        () if name.ends_with(".vscsi") => Some(TraceFormat::Vscsi),
        () => None,
    }
}

/// What the name of a file says that it is, if it is no trace.
fn no_trace_by_name(name: &str) -> Option<NoTrace> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let lower = file.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    let begins = |begins: &[&str]| begins.iter().any(|begin| lower.starts_with(begin));
    let extension = lower
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension);
    let is_prose = ["", "md", "txt", "rst", "html"].contains(&extension);
    if begins(&["manifest-files.", "manifest-summary."]) || lower.ends_with("manifest.json") {
        Some(NoTrace::Manifest)
    } else if ends(&[
        ".md5",
        ".checksum",
        ".crc",
        ".sha256",
        ".csv.metadata",
        ".etag",
    ]) || ["_started", "_success", "thumbs.db"].contains(&lower.as_str())
    {
        Some(NoTrace::Marker)
    } else if is_prose && begins(&["readme", "license", "licence", "notice", "changelog"])
        || ends(&[".md", ".html", ".pdf", ".docx"])
    {
        Some(NoTrace::Document)
    } else if ends(&[".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"]) {
        Some(NoTrace::Picture)
    } else if ends(&[
        ".toml", ".tf", ".tfstate", ".py", ".sh", ".js", ".ts", ".sql", ".ipynb",
    ]) {
        Some(NoTrace::Program)
    } else {
        None
    }
}

/// What the beginning of a text shows.
enum Look {
    Trace(TraceFormat, Layout),
    Items,
    NoTrace(NoTrace),
    /// What was found instead.
    Unknown(String),
}

/// Detects the format of a text from its beginning.
fn look(start: &[u8], options: &ReadOptions) -> Look {
    if start.iter().take(4_096).any(|byte| *byte == 0) {
        let is_wide = start.len() > 3 && (start[1] == 0 && start[3] == 0 || start[0] == 0);
        return Look::Unknown(match is_wide {
            true => "it looks like UTF-16 without a byte order mark; convert it to UTF-8".into(),
            false => "it is not text".into(),
        });
    }
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let columns = options.mapping_names();
    if text.starts_with(['{', '['])
        && let Some(layout) = layout_of_json(text.as_bytes())
    {
        return look_json(text, layout, &columns);
    }
    look_text(text, &columns)
}

/// Whether cells can be the header of a CSV file: names, without times, values or brackets.
fn is_header(cells: &[&str]) -> bool {
    cells.iter().all(|cell| {
        let begins = cell.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@' || c == '_');
        begins && cell.len() <= 64 && !cell.contains([':', '=', '{', '[', '(', '\''])
    })
}

/// Whether the lines of a text begin with times: it is a log, whose first call may come later than
/// what is examined.
fn is_timed(text: &str) -> bool {
    let clock = Clock::default();
    let timed = text.lines().take(8).filter(|line| {
        let found = clock.find(line, &mut LastForm::default());
        found.is_ok_and(|found| found.start <= 24)
    });
    timed.count() >= 2
}

fn look_text(text: &str, columns: &[String]) -> Look {
    let mentions = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let is_log = mentions(&["ConsumedCapacity", "consumedCapacity", "consumed_capacity"]);
    let line = text
        .lines()
        .find(|line| !line.starts_with("sep="))
        .unwrap_or_default();
    let cells: Vec<&str> = line
        .split(',')
        .map(|cell| cell.trim().trim_matches('"'))
        .collect();
    let from_end = |at: usize| {
        let at = cells.len().checked_sub(at);
        at.and_then(|at| cells.get(at)).copied().unwrap_or_default()
    };
    if cells.len() >= 7 && cells[0].parse::<u64>().is_ok() && OPERATIONS.contains(&from_end(2)) {
        return Look::Trace(TraceFormat::Twemcache, Layout::Lines);
    }
    let is_header = is_header(&cells);
    let has = |name: &str| is_header && cells.iter().any(|cell| cell.eq_ignore_ascii_case(name));
    if has("eventSource") && has("eventName") || has("eventJson") {
        return Look::Trace(TraceFormat::CloudTrail, Layout::Rows);
    }
    if cells.len() > 1
        && !is_log
        && cells
            .iter()
            .any(|cell| columns.iter().any(|column| column == cell))
    {
        return Look::Trace(TraceFormat::Csv, Layout::Rows);
    }
    if text
        .lines()
        .take(64)
        .any(|line| line.starts_with("aws_dynamodb_"))
    {
        return Look::Trace(TraceFormat::CloudWatch, Layout::Lines);
    }
    let is_plain = !text.lines().take(12).any(|line| line.contains('{'));
    if (mentions(&["CapacityUnits"]) || Label::is_vague(line)) && !is_log && is_plain {
        let dated = text.lines().take(12).any(|line| {
            let first = line.split(',').next().unwrap_or_default();
            parse_time(first.trim().trim_matches('"'), None).is_some()
        });
        if dated {
            return Look::Trace(TraceFormat::CloudWatchCsv, Layout::Rows);
        }
    }
    if has("@message") || is_header && cells.len() > 1 && is_log {
        let of_trail = mentions(&["\"\"eventSource\"\"", "dynamodb.amazonaws.com"]) && !is_log;
        let kind = match of_trail {
            true => TraceFormat::CloudTrail,
            false => TraceFormat::Log,
        };
        return Look::Trace(kind, Layout::Rows);
    }
    if is_log {
        return Look::Trace(TraceFormat::Log, Layout::Lines);
    }
    if mentions(&[
        "aws-api",
        "RequestId:",
        "OperationModel(",
        "DynamoDB_20120810.",
    ]) {
        return Look::Trace(TraceFormat::Log, Layout::Lines);
    }
    if text.is_empty() {
        return Look::NoTrace(NoTrace::Empty);
    }
    if is_timed(text) {
        return Look::Trace(TraceFormat::Log, Layout::Lines);
    }
    match cells.len() {
        0..3 => Look::NoTrace(NoTrace::Text),
        _ => Look::Unknown(format!(
            "it looks like CSV with the columns {}",
            cells.iter().take(8).copied().collect::<Vec<_>>().join(", ")
        )),
    }
}

/// The most records that are examined.
const LOOK_RECORDS: usize = 64;

/// Detects the format of JSON from the first record that shows it, in any wrapper.
fn look_json(text: &str, layout: Layout, columns: &[String]) -> Look {
    // The beginning of a document whose first record does not fit shows its names.
    let names = || by_names(text).map(|kind| Look::Trace(kind, layout));
    let mut document = Document::new(text.as_bytes());
    let (mut notes, mut unknown, mut no_trace) = (Notes::default(), None, None);
    for _ in 0..LOOK_RECORDS {
        let value = match document.next(&LISTS) {
            Ok(Some(Part::Record(value))) => value,
            Ok(Some(Part::End(_))) => continue,
            Ok(None) | Err(_) => break,
        };
        let mut found = None;
        let mut each = |inner: Inner, _: &Around, _: &mut Notes| -> Result<(), String> {
            found = found.take().or(match inner {
                Inner::Record(record) => Some(record_kind(&record, columns)),
                Inner::Line(line) => line_kind(&line),
            });
            Ok(())
        };
        if unwrap(value, &Around::default(), &mut notes, &mut each).is_err() {
            continue;
        }
        match found {
            // A first line in JSON before the lines of a log.
            Some(Look::Trace(TraceFormat::NdJson, _)) if names_capacity(text) => {
                return Look::Trace(TraceFormat::Log, Layout::Lines);
            }
            Some(Look::Trace(kind, _)) => return Look::Trace(kind, layout),
            Some(Look::Items) => return Look::Items,
            Some(Look::NoTrace(what)) => no_trace = Some(what),
            Some(Look::Unknown(found)) => unknown = unknown.or(Some(found)),
            None => {}
        }
    }
    if let Some(found) = names() {
        return found;
    }
    match (unknown, no_trace) {
        (Some(found), _) => Look::Unknown(found),
        (None, Some(what)) => Look::NoTrace(what),
        (None, None) => Look::NoTrace(NoTrace::NoRecord),
    }
}

/// The members of the first record of a text, in whatever wrapper it is, or the columns of its
/// header; of a log, none.
pub fn fields(start: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if layout_of_json(text.as_bytes()).is_none() {
        let line = text.lines().find(|line| !line.starts_with("sep="));
        let cells = line.unwrap_or_default().split(',');
        let cells: Vec<&str> = cells.map(|cell| cell.trim().trim_matches('"')).collect();
        let is_table = cells.len() > 1 && is_header(&cells);
        let named = cells.iter().filter(|_| is_table);
        return named.map(|cell| cell.to_string()).collect();
    }
    let mut document = Document::new(text.as_bytes());
    let (mut notes, mut found) = (Notes::default(), Vec::new());
    while let Ok(Some(part)) = document.next(&LISTS) {
        let Part::Record(value) = part else { continue };
        let mut each = |inner: Inner, _: &Around, _: &mut Notes| -> Result<(), String> {
            if let Inner::Record(Value::Object(record)) = inner
                && found.is_empty()
            {
                found = record.keys().cloned().collect();
            }
            Ok(())
        };
        unwrap(value, &Around::default(), &mut notes, &mut each).ok();
        if !found.is_empty() {
            break;
        }
    }
    found
}

/// What a line in a wrapper shows.
fn line_kind(line: &str) -> Option<Look> {
    let names = [
        "ConsumedCapacity",
        "consumedCapacity",
        "consumed_capacity",
        "OperationModel(",
    ];
    let is_log = names.iter().any(|name| line.contains(name));
    is_log
        .then_some(Look::Trace(TraceFormat::Log, Layout::Lines))
        .or(Some(Look::NoTrace(NoTrace::Text)))
}

/// What a record shows.
fn record_kind(one: &Value, columns: &[String]) -> Look {
    let has = |name: &str| member(one, name).is_some();
    let exact = |name: &str| one.get(name).is_some();
    let kind = match () {
        () if exact("operation") && exact("request") => TraceFormat::Requests,
        () if exact("Metadata") && exact("Keys") => TraceFormat::IncrementalExport,
        () if exact("dynamodb") => TraceFormat::Streams,
        () if has("eventName") && has("eventSource") => TraceFormat::CloudTrail,
        () if [
            "MetricDataResults",
            "Datapoints",
            "metric_name",
            "resourceMetrics",
        ]
        .iter()
        .any(|name| exact(name))
            || exact("Timestamps") && exact("Values")
            || exact("Timestamp") && (exact("Sum") || exact("Average")) =>
        {
            TraceFormat::CloudWatch
        }
        () if exact("Items") && exact("ScannedCount") && !has("ConsumedCapacity") => {
            return Look::Items;
        }
        () if exact("Item") && one.as_object().is_some_and(|object| object.len() == 1) => {
            TraceFormat::Export
        }
        () if LISTS
            .iter()
            .any(|name| one[*name].as_array().is_some_and(Vec::is_empty)) =>
        {
            return Look::NoTrace(NoTrace::NoRecord);
        }
        () if exact("digestStartTime") || exact("logFiles") => {
            return Look::NoTrace(NoTrace::Digest);
        }
        () if exact("s3Bucket") || exact("dataFileS3Key") || exact("exportArn") => {
            return Look::NoTrace(NoTrace::Manifest);
        }
        () if exact("MetricStat") || exact("Expression") && exact("Id") => {
            return Look::NoTrace(NoTrace::Queries);
        }
        () if exact("Table") && one["Table"]["TableName"].is_string() => {
            return Look::NoTrace(NoTrace::Description);
        }
        () if mentions_capacity(one) => TraceFormat::Log,
        () if exact("operation")
            && !exact("key")
            && !exact("item_bytes")
            && !exact("evaluated_bytes") =>
        {
            TraceFormat::Requests
        }
        () if columns.iter().any(|column| exact(column)) => TraceFormat::NdJson,
        () => {
            let names = one.as_object().into_iter().flat_map(|object| object.keys());
            let names: Vec<&str> = names.take(8).map(String::as_str).collect();
            return match names.is_empty() {
                true => Look::NoTrace(NoTrace::NoRecord),
                false => Look::Unknown(format!(
                    "it is JSON with the members {}, of which none is a column of a trace",
                    names.join(", ")
                )),
            };
        }
    };
    Look::Trace(kind, Layout::Json)
}

/// The format that the names in the beginning of a document show.
fn by_names(text: &str) -> Option<TraceFormat> {
    let has = |name: &str| text.contains(&format!("\"{name}\""));
    Some(match () {
        () if has("MetricDataResults") || has("Datapoints") || has("metric_name") => {
            TraceFormat::CloudWatch
        }
        () if has("dynamodb") && has("eventName") && !has("requestParameters") => {
            TraceFormat::Streams
        }
        () if has("kinesis") => TraceFormat::Streams,
        () if has("eventSource") && has("eventName") => TraceFormat::CloudTrail,
        () if has("ConsumedCapacity") => TraceFormat::Log,
        () if has("operation") && has("request") => TraceFormat::Requests,
        () => return None,
    })
}

impl ReadOptions {
    /// The column names that a header may contain.
    fn mapping_names(&self) -> Vec<String> {
        super::COLUMNS
            .iter()
            .map(|(column, _)| self.mapping.name(column).to_string())
            .collect()
    }
}
