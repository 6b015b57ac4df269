//! Detects the format of a file from its name and its first bytes, and creates its reader.

use std::io::{Cursor, Read};
use std::path::Path;

use serde_json::Value;

use super::cache::{Records, Twemcache};
use super::cloudtrail::Trail;
use super::cloudwatch::{Console, MetricReader};
use super::columns::{ColumnReader, TextLayout, TextSource};
use super::input::{TraceSource, open, why};
use super::json::{Json, member};
use super::log::Logged;
use super::request::Requests;
use super::stream::ChangeRecords;
use super::{Progress, ReadOptions, TraceError, TraceReader, parse_time};

/// The formats of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TraceFormat {
    /// Columns in Parquet.
    Parquet,
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
                | TraceFormat::Csv
                | TraceFormat::NdJson
                | TraceFormat::CloudTrail
                | TraceFormat::Twemcache
                | TraceFormat::OracleGeneral
                | TraceFormat::Vscsi
        )
    }

    /// The formats and their names on the command line.
    pub const NAMES: &'static [(&'static str, TraceFormat)] = &[
        ("parquet", TraceFormat::Parquet),
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
const LOOK_BYTES: u64 = 1 << 16;

const OPERATIONS: [&str; 13] = [
    "get", "gets", "set", "add", "replace", "cas", "append", "prepend", "incr", "decr", "touch",
    "delete", "gat",
];

/// The format of a source, and a reader for it. The bytes examined are read again by the reader.
pub fn reader(
    source: &TraceSource,
    file: u32,
    options: &ReadOptions,
    progress: &Progress,
) -> Result<(TraceFormat, Box<dyn TraceReader>), TraceError> {
    let name = source.shown();
    let wrong = |error: std::io::Error| TraceError::file(&name, why(&error));
    let by_name = by_name(&name);
    if let TraceSource::File(path) = source
        && (options.kind.or(by_name) == Some(TraceFormat::Parquet)
            || (options.kind.is_none() && is_parquet(path)))
    {
        return Ok((
            TraceFormat::Parquet,
            parquet(path, file, &name, options, progress)?,
        ));
    }
    let mut text = open(source, progress).map_err(wrong)?;
    let mut start = Vec::new();
    let looked = (&mut text).take(LOOK_BYTES).read_to_end(&mut start);
    if start.is_empty() {
        return match looked {
            Err(error) => Err(wrong(error)),
            Ok(_) => Err(TraceError::file(&name, "the file is empty")),
        };
    }
    if start.starts_with(b"PAR1") {
        return Err(TraceError::file(
            &name,
            "Parquet is supported neither on standard input nor within a compressed file",
        )
        .help("name the uncompressed Parquet file; Parquet compresses its data internally"));
    }
    let found = options
        .kind
        .or(by_name)
        .or_else(|| look(&start, &options.mapping_names()));
    let Some(kind) = found else {
        return Err(unrecognised(&name, &start));
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
    Ok((kind, text_reader(kind, opened, source, options)?))
}

fn unrecognised(name: &str, start: &[u8]) -> TraceError {
    let begins: String = String::from_utf8_lossy(start).chars().take(60).collect();
    let kinds: Vec<&str> = TraceFormat::NAMES.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "unrecognised trace format: the file begins with \"{}\"; the formats are {}",
        begins.escape_debug(),
        kinds.join(", ")
    );
    TraceError::file(name, message).help("name the format with --kind, and the columns with --map")
}

/// The reader of a text.
fn text_reader(
    kind: TraceFormat,
    opened: TextSource,
    source: &TraceSource,
    options: &ReadOptions,
) -> Result<Box<dyn TraceReader>, TraceError> {
    let layout = match kind {
        TraceFormat::Csv => Some(TextLayout::Csv),
        TraceFormat::NdJson | TraceFormat::Parquet => Some(TextLayout::NdJson),
        _ => None,
    };
    if let Some(layout) = layout {
        return Ok(Box::new(ColumnReader::text(opened, layout, options)?));
    }
    let table = options.table.clone();
    let TextSource {
        text,
        file,
        name,
        progress,
    } = opened;
    Ok(match kind {
        TraceFormat::Csv | TraceFormat::NdJson | TraceFormat::Parquet | TraceFormat::Export => {
            let message =
                "this is a data file of a full export, which is a starting state and not a trace";
            return Err(TraceError::file(name, message).help(
                "name the folder of the export, which contains the manifest, together with a trace",
            ));
        }
        TraceFormat::Requests => Box::new(Json::new(text, file, Requests, progress)),
        TraceFormat::Streams | TraceFormat::IncrementalExport => {
            let manifest = match source {
                TraceSource::File(path) => super::export::incremental_of(path),
                TraceSource::Stdin => None,
            };
            let manifest = manifest.unwrap_or_default();
            let old_images = (!manifest.files.is_empty()).then_some(manifest.old_images);
            let records = ChangeRecords::new(table.or(manifest.table), old_images, manifest.region);
            Box::new(Json::new(text, file, records, progress))
        }
        TraceFormat::CloudTrail => {
            let trail = Trail::new(options.keys.clone());
            Box::new(Json::new(text, file, trail, progress))
        }
        TraceFormat::CloudWatch => {
            Box::new(Json::new(text, file, MetricReader::new(table), progress))
        }
        TraceFormat::CloudWatchCsv => Box::new(Console::new(text, file, table, progress)),
        TraceFormat::Log => {
            let operation = options.mapping.value("operation").map(str::to_string);
            Box::new(Json::new(text, file, Logged::new(operation), progress))
        }
        TraceFormat::Twemcache => Box::new(Twemcache::new(text, file, table, progress)),
        TraceFormat::OracleGeneral => Box::new(Records::new(text, file, table, false, progress)),
        TraceFormat::Vscsi => Box::new(Records::new(text, file, table, true, progress)),
    })
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
        && std::fs::File::open(path)
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

/// Detects the format of a text from its beginning.
fn look(start: &[u8], columns: &[String]) -> Option<TraceFormat> {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with(['{', '[']) {
        return json_kind(text);
    }
    let line = text.lines().next()?;
    let cells: Vec<&str> = line
        .split(',')
        .map(|cell| cell.trim().trim_matches('"'))
        .collect();
    let from_end = |at: usize| {
        cells
            .len()
            .checked_sub(at)
            .and_then(|at| cells.get(at))
            .copied()
            .unwrap_or_default()
    };
    if cells.len() >= 7 && cells[0].parse::<u64>().is_ok() && OPERATIONS.contains(&from_end(2)) {
        return Some(TraceFormat::Twemcache);
    }
    if cells
        .iter()
        .any(|cell| columns.iter().any(|column| column == cell))
    {
        return Some(TraceFormat::Csv);
    }
    if text.contains("CapacityUnits") && !text.contains("ConsumedCapacity\"") {
        let dated = text.lines().take(8).any(|line| {
            line.split(',')
                .next()
                .is_some_and(|cell| parse_time(cell.trim(), None).is_some())
        });
        if dated {
            return Some(TraceFormat::CloudWatchCsv);
        }
    }
    if text.contains("ConsumedCapacity") {
        return Some(TraceFormat::Log);
    }
    None
}

/// Detects the format of a text that begins with an object or a list.
fn json_kind(text: &str) -> Option<TraceFormat> {
    let first = text.lines().next()?;
    let value = serde_json::Deserializer::from_str(first)
        .into_iter::<Value>()
        .next()
        .and_then(Result::ok);
    let value = match value {
        Some(value) => value,
        // A document of several lines, of which only the beginning was read: its member names give
        // the format.
        None => return document_kind(text),
    };
    let one = match &value {
        Value::Array(list) => list.first()?,
        other => other,
    };
    let one = member(one, "Records")
        .and_then(|records| records.get(0))
        .unwrap_or(one);
    record_kind(one)
}

fn record_kind(one: &Value) -> Option<TraceFormat> {
    let has = |name: &str| one.get(name).is_some();
    Some(match () {
        () if has("operation") && has("request") => TraceFormat::Requests,
        () if has("Metadata") && has("Keys") => TraceFormat::IncrementalExport,
        () if has("dynamodb") || one["kinesis"]["data"].is_string() => TraceFormat::Streams,
        () if has("eventName") && has("eventSource") || one["detail"]["eventName"].is_string() => {
            TraceFormat::CloudTrail
        }
        () if has("MetricDataResults") || has("Datapoints") || has("metric_name") => {
            TraceFormat::CloudWatch
        }
        () if has("Item") && one.as_object().is_some_and(|object| object.len() == 1) => {
            TraceFormat::Export
        }
        () if one.to_string().contains("\"ConsumedCapacity\"") => TraceFormat::Log,
        () if has("operation") && !has("key") && !has("item_bytes") && !has("evaluated_bytes") => {
            TraceFormat::Requests
        }
        () if one.is_object() => TraceFormat::NdJson,
        () => return None,
    })
}

fn document_kind(text: &str) -> Option<TraceFormat> {
    let has = |name: &str| text.contains(&format!("\"{name}\""));
    Some(match () {
        () if has("MetricDataResults") || has("Datapoints") || has("metric_name") => {
            TraceFormat::CloudWatch
        }
        () if has("dynamodb") && has("eventName") && !has("requestParameters") => {
            TraceFormat::Streams
        }
        () if has("kinesis") => TraceFormat::Streams,
        () if has("eventSource") => TraceFormat::CloudTrail,
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
