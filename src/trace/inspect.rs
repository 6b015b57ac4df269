//! What a file is understood as, without running it: its format, its first calls, and what it lacks.

use std::io::Read;

use super::ids::EventIds;
use super::sniff::{LOOK_BYTES, Recognised, TraceFormat, fields, recognise};
use super::{
    Bad, Counted, Event, ItemChange, NameTable, Piece, ReadOptions, Shared, TraceError, TracedCall,
    What,
};
use crate::files::{FileSource, Progress, open, why};
use crate::table::Consistency;

/// What a file is understood as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspected {
    /// The file.
    pub file: String,
    /// The name of its format; `None` if it is no trace.
    pub format: Option<&'static str>,
    /// What it is, if it is no trace.
    pub no_trace: Option<String>,
    /// The members of its first record, or its columns; none for lines of text.
    pub fields: Vec<String>,
    /// Its first calls, in words.
    pub calls: Vec<String>,
    /// What was found beside calls.
    pub notes: Vec<String>,
    /// The first rows that cannot be read.
    pub bad: Vec<String>,
    /// What the format contains.
    pub contains: &'static str,
    /// What it lacks.
    pub lacks: &'static str,
}

/// The calls that are shown.
const SHOWN: usize = 3;

/// Batches that are read in search of calls.
const BATCHES_MAX: usize = 64;

/// Looks at the beginning of each file.
///
/// # Errors
/// [`TraceError`] if a file cannot be opened, or its format is unknown.
pub fn inspect(
    sources: &[FileSource],
    options: &ReadOptions,
) -> Result<Vec<Inspected>, TraceError> {
    sources
        .iter()
        .map(|source| of_source(source, options))
        .collect()
}

fn of_source(source: &FileSource, options: &ReadOptions) -> Result<Inspected, TraceError> {
    let file = source.shown();
    let no_trace = |what: &str| Inspected {
        file: file.clone(),
        no_trace: Some(what.to_string()),
        ..Inspected::default()
    };
    if let FileSource::File(path) = source
        && path.is_dir()
    {
        return Ok(no_trace(
            "an export to S3: its items are a starting state, its changes a trace",
        ));
    }
    let (format, mut reader) = match recognise(source, 0, options, &Progress::default())? {
        Recognised::Trace(format, reader) => (format, reader),
        Recognised::Items => {
            return Ok(no_trace(
                "the items that a Scan returned: a starting state, to be given with a trace",
            ));
        }
        Recognised::NoTrace(what) => return Ok(no_trace(what.one())),
        Recognised::Unknown(error) => return Ok(no_trace(&error.message)),
    };
    let (mut names, mut ids) = (NameTable::default(), EventIds::default());
    let mut bad = Bad::new(true, vec![file.clone()]);
    let mut calls = Vec::new();
    for _ in 0..BATCHES_MAX {
        let mut shared = Shared {
            names: &mut names,
            bad: &mut bad,
            ids: &mut ids,
        };
        let (pieces, more) = reader.pieces(true, &mut shared)?;
        for piece in pieces {
            let events = match piece {
                Piece::Events(events) => events,
                Piece::Rows(rows) => rows.events(),
            };
            calls.extend(events.into_iter().take(SHOWN));
        }
        if calls.len() >= SHOWN || !more {
            break;
        }
    }
    let shown = calls.iter().take(SHOWN).map(|event| words(event, &names));
    let (contains, lacks) = contents(format);
    Ok(Inspected {
        file,
        format: Some(format.name()),
        no_trace: None,
        fields: fields_of(source)?,
        calls: shown.collect(),
        notes: reader.notes().texts(),
        bad: bad.first.values().take(SHOWN).cloned().collect(),
        contains,
        lacks,
    })
}

/// The members of the first record of a source, or its columns.
fn fields_of(source: &FileSource) -> Result<Vec<String>, TraceError> {
    match source {
        // Standard input was read already.
        FileSource::Stdin => Ok(Vec::new()),
        FileSource::File(path) => {
            let columns = super::parquet::columns(path);
            if !columns.is_empty() {
                return Ok(columns);
            }
            let wrong = |error: std::io::Error| TraceError::file(&source.shown(), why(&error));
            let text = open(source, &Progress::default()).map_err(wrong)?;
            let mut start = Vec::new();
            text.take(LOOK_BYTES)
                .read_to_end(&mut start)
                .map_err(wrong)?;
            Ok(fields(&start))
        }
    }
}

/// What a format contains and what it lacks.
fn contents(format: TraceFormat) -> (&'static str, &'static str) {
    match format {
        TraceFormat::Parquet | TraceFormat::Arrow | TraceFormat::Csv | TraceFormat::NdJson => (
            "what its columns contain",
            "the rest: sizes come from earlier rows of the key, an export, or the workload",
        ),
        TraceFormat::Requests => ("every call with its request", "nothing"),
        TraceFormat::Streams => (
            "every write that changed something, with its images",
            "reads, writes that changed nothing, failed conditions, transactions",
        ),
        TraceFormat::Export => ("every item at one moment", "calls"),
        TraceFormat::IncrementalExport => (
            "the net change of each key in its window",
            "reads, and the changes in between",
        ),
        TraceFormat::CloudTrail => (
            "operation, table, key, time and failure of each call",
            "sizes, how many items a Query found, deletions by Time to Live",
        ),
        TraceFormat::CloudWatch | TraceFormat::CloudWatchCsv => (
            "AWS's own units by the minute",
            "operations, sizes, peaks within a data point",
        ),
        TraceFormat::Log => ("AWS's own units of each call", "sizes"),
        TraceFormat::Twemcache => ("keys, sizes, operations of a cache", "tables and indexes"),
        TraceFormat::OracleGeneral => ("keys, sizes, times", "operations"),
        TraceFormat::Vscsi => ("blocks, lengths, reads and writes", "tables and indexes"),
    }
}

/// An event in words.
fn words(event: &Event, names: &NameTable) -> String {
    let table = event
        .table
        .map_or("an unnamed table", |table| names.text(table));
    let what = match &event.what {
        What::Call(call) => call_words(call, table, names),
        What::Request(request) => {
            let table = request.request["TableName"]
                .as_str()
                .unwrap_or("its tables");
            format!("{} on {table}, with its request", request.api.name())
        }
        What::Change(change) => change_words(change, table),
        What::Counted(counted) => counted_words(counted, table, names),
        What::Throttled(count) => format!("{table}: throttled requests: {count}"),
    };
    format!("{} {what}", event.time)
}

fn call_words(call: &TracedCall, table: &str, names: &NameTable) -> String {
    let mut words = format!("{} on {table}", call.api.name());
    if let Some(index) = call.index {
        words.push_str(&format!("/{}", names.text(index)));
    }
    let key = call.key.to_string();
    words.push_str(&match key.is_empty() {
        true => ", no key".to_string(),
        false => format!(", key {key}"),
    });
    if call.consistency == Some(Consistency::Strong) {
        words.push_str(", strongly consistent");
    }
    let bytes = call.item_bytes.map(u64::from).or(call.evaluated_bytes);
    words.push_str(&match bytes {
        Some(bytes) => format!(", {bytes} bytes"),
        None => ", size unknown".to_string(),
    });
    if call.failure.is_some() {
        words.push_str(", failed");
    }
    words
}

fn change_words(change: &ItemChange, table: &str) -> String {
    let word = match (change.there, change.time_to_live) {
        (Some((_, false)), true) => "deletion by Time to Live",
        (Some((false, true)), _) => "new item",
        (Some((true, true)), _) => "changed item",
        (Some((_, false)), false) => "deleted item",
        (None, _) if change.new.is_some() => "written item",
        (None, _) => "deleted item",
    };
    let image = |has: bool, name: &str| match has {
        true => format!("with its {name} image"),
        false => format!("without its {name} image"),
    };
    format!(
        "{word} of {table}, {}, {}",
        image(change.old.is_some(), "old"),
        image(change.new.is_some(), "new")
    )
}

fn counted_words(counted: &Counted, table: &str, names: &NameTable) -> String {
    let place = match counted.index {
        Some(index) => format!("{table}/{}", names.text(index)),
        None => table.to_string(),
    };
    let units = |halves: u64| {
        let half = if halves % 2 == 1 { ".5" } else { "" };
        format!("{}{half}", halves / 2)
    };
    let word = match counted.api {
        Some(api) => format!("{} on {place}", api.name()),
        None => place,
    };
    let spread = match counted.seconds {
        1 => String::new(),
        seconds => format!(" in {seconds} seconds"),
    };
    format!(
        "{word}: {} read and {} write units{spread}",
        units(counted.read_halves),
        units(counted.write_halves)
    )
}
