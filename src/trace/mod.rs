//! Traces: every supported format, read in bounded memory and in time order into one [`Event`]
//! type. Each format has its own file here.
//!
//! | format | contains | does not contain |
//! | --- | --- | --- |
//! | columns (Parquet, CSV, NDJSON) | what its columns contain | the rest: sizes come from earlier rows of the key or from the workload |
//! | request log | every call and item, so every unit | nothing |
//! | DynamoDB Streams records | every write with its images: exact units and index entries | reads, writes that changed nothing, failed conditions, transactions |
//! | S3 full export | every item at one moment | calls; it is a starting state and a source of sizes |
//! | S3 incremental export | the net change of each key in the window | reads, intermediate changes: a lower bound |
//! | CloudTrail data events | operation, table, key, time | sizes, how many items a Query found, deletes by Time to Live |
//! | CloudWatch metrics | the units that AWS counted, per minute | operations, sizes, peaks within a minute |
//! | logs with ConsumedCapacity | the units that AWS counted for each call | sizes |
//! | twemcache, oracleGeneral | keys, sizes, cache operations | tables, indexes; oracleGeneral also operations |

mod arrow;
mod cache;
mod cloudtrail;
mod cloudwatch;
mod columns;
mod dealt;
mod document;
mod event;
pub mod export;
mod ids;
mod inspect;
mod items;
mod json;
mod lines;
mod literal;
mod log;
mod merge;
mod moment;
mod notes;
mod parquet;
mod request;
mod rows;
mod share;
mod sniff;
mod stream;
mod time;
mod unwrap;

use std::collections::BTreeMap;

pub use crate::table::ApiName;
pub use cloudwatch::queries;
pub(crate) use columns::RowPolicy;
pub use columns::{COLUMNS, Mapping};
pub(crate) use dealt::BlobWriter;
pub use dealt::{Blob, DealtFile};
pub(crate) use dealt::{NamedTable, hash_bytes};
pub use event::{
    Counted, Event, Failure, ItemChange, MemberAction, Name, NameTable, RecordId, Request,
    RowPlace, Time, TracedCall, TracedKey, What, key_hash,
};
use event::{hash_of, hash_of_whole};
pub(crate) use event::{mixed, salt};
use ids::EventIds;
pub use inspect::{Inspected, inspect};
pub(crate) use items::starting_items;
pub use merge::{Batch, StartingState, Trace, without_doubles};
pub(crate) use merge::{SPAN_SECONDS_MAX, note_texts};
pub use moment::TimeFormat;
pub(crate) use notes::{Notes, Passed};
pub(crate) use parquet::each_size;
pub use rows::{NO_BYTES, PlainRow, RowKeys, RowKind, Rows, SLOT_BITS, SLOTS, sign, slot_of};
pub use share::KeyShare;
pub use sniff::TraceFormat;
pub use time::{TimeUnit, parse_time};

use crate::files::{self, FileSource, FilesError};
use crate::table::KeySchema;

/// Why reading a trace stopped: the place, what was found, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}{}", self.place(), self.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default())]
#[non_exhaustive]
pub struct TraceError {
    /// The file.
    pub file: String,
    /// The row or line, from 1.
    pub row: Option<u64>,
    /// What was found and what is allowed.
    pub message: String,
    /// How to fix it.
    pub help: Option<&'static str>,
}

impl From<FilesError> for TraceError {
    fn from(error: FilesError) -> TraceError {
        TraceError::file(&error.file, error.message)
    }
}

/// The files of a trace that arguments name; a folder is an export, or all files in it.
///
/// # Errors
/// [`TraceError`] if an argument names no file.
pub fn sources(arguments: &[String]) -> Result<Vec<FileSource>, TraceError> {
    Ok(files::sources(arguments, export::is_export)?)
}

impl TraceError {
    /// An error about a file as a whole.
    pub fn file(file: &str, message: impl Into<String>) -> TraceError {
        TraceError {
            file: file.to_string(),
            row: None,
            message: message.into(),
            help: None,
        }
    }

    /// Adds a help text that says how to fix it.
    #[must_use]
    pub fn help(self, help: &'static str) -> TraceError {
        TraceError {
            help: Some(help),
            ..self
        }
    }

    fn place(&self) -> String {
        match self.row {
            Some(row) => format!("{}:{row}: ", self.file),
            None => format!("{}: ", self.file),
        }
    }
}

/// Why a row is bad. Skipped rows are counted by reason.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[non_exhaustive]
pub enum SkipReason {
    /// Not JSON, or not in the structure of the format.
    Malformed,
    /// A value whose type is not that of its column.
    WrongType,
    /// The time is missing or cannot be parsed.
    Time,
    /// An unknown operation.
    UnknownOperation,
    /// A table that is not defined.
    UnknownTable,
    /// An index that the table does not have.
    UnknownIndex,
    /// It names an entity that its table does not have.
    UnknownEntity,
    /// A region in which the table has no replica.
    UnknownRegion,
    /// A key that is missing or that DynamoDB does not allow.
    Key,
    /// An item above 400 KB.
    ItemSize,
    /// An event later in the file than the window allows.
    OutOfOrder,
    /// A request that cannot be executed.
    Request,
    /// The last, incomplete row of a truncated file.
    Truncated,
    /// The file leaves open what the units are; the message names the option that states it.
    NotStated,
}

impl SkipReason {
    /// The text shown in the output.
    pub fn word(self) -> &'static str {
        match self {
            SkipReason::Malformed => "malformed",
            SkipReason::WrongType => "wrong type",
            SkipReason::Time => "no time",
            SkipReason::UnknownOperation => "unknown operation",
            SkipReason::UnknownTable => "unknown table",
            SkipReason::UnknownIndex => "unknown index",
            SkipReason::UnknownEntity => "unknown entity",
            SkipReason::UnknownRegion => "unknown region",
            SkipReason::Key => "bad key",
            SkipReason::ItemSize => "item too large",
            SkipReason::OutOfOrder => "out of order",
            SkipReason::Request => "request cannot be executed",
            SkipReason::Truncated => "truncated file",
            SkipReason::NotStated => "not stated",
        }
    }
}

/// Bad rows: either the first one stops the run, or they are skipped and counted by reason.
#[derive(Clone, Debug, Default)]
pub struct Bad {
    /// Whether bad rows are skipped.
    pub skip: bool,
    /// The number of rows skipped, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The messages of the first few skipped rows.
    pub first: BTreeMap<RowPlace, String>,
    files: Vec<String>,
}

/// The number of skipped rows whose place and message are kept.
const FIRST: usize = 5;

impl Bad {
    /// Creates it for the files of a trace.
    pub fn new(skip: bool, files: Vec<String>) -> Bad {
        Bad {
            skip,
            files,
            ..Bad::default()
        }
    }

    /// Gives the only file another name.
    fn rename(&mut self, name: &str) {
        self.files = vec![name.to_string()];
    }

    /// A row as `file:line`.
    pub fn file_and_row(&self, place: RowPlace) -> String {
        format!("{}:{}", self.file(place), place.row)
    }

    /// The name of a file.
    pub fn file(&self, place: RowPlace) -> &str {
        self.files
            .get(place.file as usize)
            .map_or("", String::as_str)
    }

    /// Records a bad row.
    ///
    /// # Errors
    /// The row's [`TraceError`], if bad rows are not skipped.
    pub fn row(
        &mut self,
        place: RowPlace,
        reason: SkipReason,
        message: impl Into<String>,
    ) -> Result<(), TraceError> {
        let text = self.refused(place, reason, message)?;
        self.keep_first(place, text);
        *self.skipped.entry(reason).or_default() += 1;
        Ok(())
    }

    /// Keeps the message of a skipped row, if it is one of the first.
    fn keep_first(&mut self, place: RowPlace, text: String) {
        self.first.insert(place, text);
        if self.first.len() > FIRST {
            self.first.pop_last();
        }
    }

    /// The message for a bad row that is skipped.
    ///
    /// # Errors
    /// The row's [`TraceError`], if bad rows are not skipped.
    pub fn refused(
        &self,
        place: RowPlace,
        reason: SkipReason,
        message: impl Into<String>,
    ) -> Result<String, TraceError> {
        let help = "fix the row, or use --skip-bad-rows to skip and count such rows";
        let error = TraceError {
            file: self.file(place).to_string(),
            row: Some(place.row),
            message: message.into(),
            help: (reason != SkipReason::NotStated).then_some(help),
        };
        match self.skip {
            true => Ok(TraceError {
                help: None,
                ..error
            }
            .to_string()),
            false => Err(error),
        }
    }

    /// How many rows were skipped.
    pub fn count(&self) -> u64 {
        self.skipped.values().sum()
    }
}

/// How a trace is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The format; detected from the content if `None`.
    pub kind: Option<TraceFormat>,
    /// Renamed columns, and columns with a constant value.
    pub mapping: Mapping,
    /// The table of rows that do not name one.
    pub table: Option<String>,
    /// The unit of numeric times; detected from the magnitude if `None`.
    pub time_unit: Option<TimeUnit>,
    /// The form of times in a log; detected if `None`.
    pub time_format: Option<TimeFormat>,
    /// The seconds of a data point of metrics; from the file if `None`.
    pub period_seconds: Option<u32>,
    /// Events before this moment are left out.
    pub from: Option<Time>,
    /// Events at this moment or later are left out.
    pub to: Option<Time>,
    /// The key schemas of the tables, which give the order of a key's values.
    pub keys: BTreeMap<String, KeySchema>,
    /// Whether the beginning of each key is kept, not only its hash: it tells the entities of a table
    /// apart.
    pub keep_keys: bool,
    /// Whether bad rows are counted and skipped.
    pub skip_bad_rows: bool,
    /// How many rows late an event may come (default: 65,536).
    pub window: Option<usize>,
    /// Row buffers that can be reused after their rows were executed.
    pub spare: std::sync::Arc<std::sync::Mutex<Vec<Vec<PlainRow>>>>,
}

/// One piece of a reader's output.
enum Piece {
    /// Events.
    Events(Vec<Event>),
    /// Rows of plain calls, in time order.
    Rows(Rows),
}

/// Why a row cannot be read, and what was found instead.
type Wrong = (SkipReason, String);

/// The operation of a name, or a message that lists the known ones.
fn known_operation(name: &str) -> Result<ApiName, Wrong> {
    ApiName::parse(name).ok_or_else(|| {
        let known: Vec<&str> = ApiName::NAMES.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "unknown operation \"{}\"; the known operations are {}",
            name.escape_debug(),
            known.join(", ")
        );
        (SkipReason::UnknownOperation, message)
    })
}

/// The failure of an exception's name; `none` says how a call without one is written.
fn known_failure(code: &str, none: &str) -> Result<Failure, Wrong> {
    Failure::parse(code).ok_or_else(|| {
        let message = format!(
            "error is \"{}\"; expected the name of an exception, or {none}",
            code.escape_debug()
        );
        (SkipReason::WrongType, message)
    })
}

/// Where a reader puts what it reads: events, the names in them, and rows that cannot be read.
struct EventSink<'a> {
    names: &'a mut NameTable,
    events: &'a mut Vec<Event>,
    bad: &'a mut Bad,
    ids: &'a mut EventIds,
}

/// What the readers of a trace share.
struct Shared<'a> {
    names: &'a mut NameTable,
    bad: &'a mut Bad,
    ids: &'a mut EventIds,
}

impl Shared<'_> {
    fn sink<'a>(&'a mut self, events: &'a mut Vec<Event>) -> EventSink<'a> {
        EventSink {
            names: self.names,
            events,
            bad: self.bad,
            ids: self.ids,
        }
    }
}

impl ReadOptions {
    /// How times in the text of a file are read.
    fn clock(&self, file: &str) -> moment::Clock {
        moment::Clock {
            format: self.time_format.clone(),
            last: moment::last_of_file(file),
        }
    }
}

/// Reads one file in batches.
trait TraceReader: Send {
    /// Appends some events; returns `false` at the end of the file.
    fn batch(&mut self, _: &mut EventSink) -> Result<bool, TraceError> {
        Ok(false)
    }

    /// The next pieces, and whether there is more; with `look`, only as much as is needed to see
    /// how the file begins.
    fn pieces(
        &mut self,
        _look: bool,
        shared: &mut Shared,
    ) -> Result<(Vec<Piece>, bool), TraceError> {
        let mut events = Vec::new();
        let more = self.batch(&mut shared.sink(&mut events))?;
        Ok((vec![Piece::Events(events)], more))
    }

    /// Notes for the user, such as the time unit that was detected.
    fn notes(&self) -> Notes {
        Notes::default()
    }
}
