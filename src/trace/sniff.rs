//! What format a file has, by its name and by how it begins; and its reader.

use std::io::{Cursor, Read};
use std::path::Path;

use serde_json::Value;

use super::cache::{Records, Twemcache};
use super::cloudtrail::Trail;
use super::cloudwatch::{Console, Metrics};
use super::columns::{Columns, Layout};
use super::input::{Source, Text, open, why};
use super::json::{Json, member};
use super::log::Logged;
use super::request::Requests;
use super::stream::Changes;
use super::{Options, Progress, Reader, TraceError, parse_time};

/// The formats of traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
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

impl Kind {
    /// Whether it holds nothing but calls, each of one key.
    pub fn is_calls(self) -> bool {
        matches!(
            self,
            Kind::Parquet
                | Kind::Csv
                | Kind::NdJson
                | Kind::CloudTrail
                | Kind::Twemcache
                | Kind::OracleGeneral
                | Kind::Vscsi
        )
    }

    /// The formats with their names on the command line.
    pub const NAMES: &'static [(&'static str, Kind)] = &[
        ("parquet", Kind::Parquet),
        ("csv", Kind::Csv),
        ("ndjson", Kind::NdJson),
        ("requests", Kind::Requests),
        ("streams", Kind::Streams),
        ("export", Kind::Export),
        ("incremental-export", Kind::IncrementalExport),
        ("cloudtrail", Kind::CloudTrail),
        ("cloudwatch", Kind::CloudWatch),
        ("cloudwatch-csv", Kind::CloudWatchCsv),
        ("log", Kind::Log),
        ("twemcache", Kind::Twemcache),
        ("oracle-general", Kind::OracleGeneral),
        ("vscsi", Kind::Vscsi),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Kind::NAMES
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("", |(name, _)| name)
    }

    /// The format of a name.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind)
    }
}

/// Bytes of a text that are looked at.
const LOOK_BYTES: u64 = 1 << 16;

const OPERATIONS: [&str; 13] = [
    "get", "gets", "set", "add", "replace", "cas", "append", "prepend", "incr", "decr", "touch",
    "delete", "gat",
];

/// A reader for a source, and its format. The text's first bytes are put back.
pub fn reader(
    source: &Source,
    file: u32,
    options: &Options,
    progress: &Progress,
) -> Result<(Kind, Box<dyn Reader>), TraceError> {
    let name = source.shown();
    let wrong = |error: std::io::Error| TraceError::file(&name, why(&error));
    let by_name = by_name(&name);
    if let Source::File(path) = source
        && (options.kind.or(by_name) == Some(Kind::Parquet)
            || (options.kind.is_none() && is_parquet(path)))
    {
        return Ok((
            Kind::Parquet,
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
            "a Parquet file within a compressed file or on standard input",
        )
        .help("Parquet is compressed inside; name the file itself"));
    }
    let found = options
        .kind
        .or(by_name)
        .or_else(|| look(&start, &options.mapping_names()));
    let Some(kind) = found else {
        let begins: String = String::from_utf8_lossy(&start).chars().take(60).collect();
        let kinds = Kind::NAMES
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ");
        let message = format!(
            "begins with \"{}\", which is no format of a trace; the formats are {kinds}",
            begins.escape_debug()
        );
        return Err(TraceError::file(&name, message)
            .help("say which with --kind, and name its columns with --map"));
    };
    // What was looked at comes again; an error within it as well.
    let again: Box<dyn Read + Send> = match looked {
        Ok(_) => Box::new(Cursor::new(start).chain(text)),
        Err(error) => Box::new(Cursor::new(start).chain(Broken(Some(error)))),
    };
    let text: Text = std::io::BufReader::with_capacity(1 << 17, again);
    let (table, progress) = (options.table.clone(), progress.clone());
    let columns =
        |text, layout, progress| Columns::text(text, layout, file, &name, options, progress);
    let reader: Box<dyn Reader> = match kind {
        Kind::Csv => Box::new(columns(text, Layout::Csv, progress)?),
        Kind::NdJson | Kind::Parquet => Box::new(columns(text, Layout::NdJson, progress)?),
        Kind::Requests => Box::new(Json::new(text, file, Requests, progress)),
        Kind::Export => {
            let message = "is data of a full export, which is a starting state and no trace";
            return Err(TraceError::file(&name, message)
                .help("name the folder of the export, which holds its manifest, beside a trace"));
        }
        Kind::Streams | Kind::IncrementalExport => {
            let manifest = match source {
                Source::File(path) => super::export::incremental_of(path),
                Source::Stdin => None,
            };
            let manifest = manifest.unwrap_or_default();
            let old_images = (!manifest.files.is_empty()).then_some(manifest.old_images);
            Box::new(Json::new(
                text,
                file,
                Changes::new(table.or(manifest.table), old_images, manifest.region),
                progress,
            ))
        }
        Kind::CloudTrail => Box::new(Json::new(
            text,
            file,
            Trail::new(options.keys.clone()),
            progress,
        )),
        Kind::CloudWatch => Box::new(Json::new(text, file, Metrics::new(table), progress)),
        Kind::CloudWatchCsv => Box::new(Console::new(text, file, table, progress)),
        Kind::Log => {
            let operation = options.mapping.value("operation").map(str::to_string);
            Box::new(Json::new(text, file, Logged::new(operation), progress))
        }
        Kind::Twemcache => Box::new(Twemcache::new(text, file, table, progress)),
        Kind::OracleGeneral => Box::new(Records::new(text, file, table, false, progress)),
        Kind::Vscsi => Box::new(Records::new(text, file, table, true, progress)),
    };
    Ok((kind, reader))
}

/// A text that ends with the error that was met.
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
    options: &Options,
    progress: &Progress,
) -> Result<Box<dyn Reader>, TraceError> {
    if !is_parquet(path) {
        return Err(TraceError::file(
            name,
            "not a Parquet file: it does not begin with PAR1",
        ));
    }
    Ok(Box::new(Columns::parquet(
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

/// What a name alone says, compression left off.
fn by_name(name: &str) -> Option<Kind> {
    let name = name.to_ascii_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    match () {
        () if name.ends_with(".parquet") => Some(Kind::Parquet),
        () if name.ends_with(".oraclegeneral") || name.ends_with(".oraclegeneral.bin") => {
            Some(Kind::OracleGeneral)
        }
        () if name.ends_with(".vscsi") => Some(Kind::Vscsi),
        () => None,
    }
}

/// What a text begins with.
fn look(start: &[u8], columns: &[String]) -> Option<Kind> {
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
        return Some(Kind::Twemcache);
    }
    if cells
        .iter()
        .any(|cell| columns.iter().any(|column| column == cell))
    {
        return Some(Kind::Csv);
    }
    if text.contains("CapacityUnits") && !text.contains("ConsumedCapacity\"") {
        let dated = text.lines().take(8).any(|line| {
            line.split(',')
                .next()
                .is_some_and(|cell| parse_time(cell.trim(), None).is_some())
        });
        if dated {
            return Some(Kind::CloudWatchCsv);
        }
    }
    if text.contains("ConsumedCapacity") {
        return Some(Kind::Log);
    }
    None
}

/// The format of a text that begins with an object or a list.
fn json_kind(text: &str) -> Option<Kind> {
    let first = text.lines().next()?;
    let value = serde_json::Deserializer::from_str(first)
        .into_iter::<Value>()
        .next()
        .and_then(Result::ok);
    let value = match value {
        Some(value) => value,
        // A document of several lines, of which the beginning is known: its first names tell.
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

fn record_kind(one: &Value) -> Option<Kind> {
    let has = |name: &str| one.get(name).is_some();
    Some(match () {
        () if has("operation") && has("request") => Kind::Requests,
        () if has("Metadata") && has("Keys") => Kind::IncrementalExport,
        () if has("dynamodb") || one["kinesis"]["data"].is_string() => Kind::Streams,
        () if has("eventName") && has("eventSource") || one["detail"]["eventName"].is_string() => {
            Kind::CloudTrail
        }
        () if has("MetricDataResults") || has("Datapoints") || has("metric_name") => {
            Kind::CloudWatch
        }
        () if has("Item") && one.as_object().is_some_and(|object| object.len() == 1) => {
            Kind::Export
        }
        () if one.to_string().contains("\"ConsumedCapacity\"") => Kind::Log,
        () if has("operation") && !has("key") && !has("item_bytes") && !has("evaluated_bytes") => {
            Kind::Requests
        }
        () if one.is_object() => Kind::NdJson,
        () => return None,
    })
}

fn document_kind(text: &str) -> Option<Kind> {
    let has = |name: &str| text.contains(&format!("\"{name}\""));
    Some(match () {
        () if has("MetricDataResults") || has("Datapoints") || has("metric_name") => {
            Kind::CloudWatch
        }
        () if has("dynamodb") && has("eventName") && !has("requestParameters") => Kind::Streams,
        () if has("kinesis") => Kind::Streams,
        () if has("eventSource") => Kind::CloudTrail,
        () if has("ConsumedCapacity") => Kind::Log,
        () if has("operation") && has("request") => Kind::Requests,
        () => return None,
    })
}

impl Options {
    /// The names that a header of columns may have.
    fn mapping_names(&self) -> Vec<String> {
        super::COLUMNS
            .iter()
            .map(|(column, _)| self.mapping.name(column).to_string())
            .collect()
    }
}
