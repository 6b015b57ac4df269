//! Traces: every format that users have, read in bounded memory and in the order of time, ending in
//! one [`Event`] type. One file here for each format.
//!
//! | format | tells | does not tell |
//! | --- | --- | --- |
//! | columns (Parquet, CSV, NDJSON) | what its columns say | the rest: sizes come from earlier rows of the key or from the workload |
//! | request log | every call and item, so every unit | nothing |
//! | DynamoDB Streams records | every write with its images: exact units and index entries | reads, writes that changed nothing, failed conditions, transactions |
//! | S3 full export | every item at one moment | calls; it is a starting state and a source of sizes |
//! | S3 incremental export | the net change of each key in the window | reads, changes between: a lower bound |
//! | CloudTrail data events | operation, table, key, time | sizes, how many items a Query found, deletes by Time to Live |
//! | CloudWatch metrics | AWS's own units by the minute | operations, sizes, peaks within a minute |
//! | logs with ConsumedCapacity | AWS's own units of each call | sizes |
//! | twemcache, oracleGeneral | keys, sizes, cache operations | tables, indexes; oracleGeneral also operations |

mod cache;
mod cloudtrail;
mod cloudwatch;
mod columns;
mod event;
pub mod export;
mod input;
mod json;
mod lines;
mod log;
mod merge;
mod parquet;
mod request;
mod rows;
mod sniff;
mod stream;
mod time;

use std::collections::BTreeMap;

pub use crate::table::ApiName;
pub use columns::{COLUMNS, Mapping};
pub use event::{
    Counted, Event, Failure, ItemChange, MemberAction, Name, NameTable, Request, RowPlace, Time,
    TracedCall, TracedKey, What,
};
use event::{hash_of, hash_of_whole};
pub(crate) use event::{mixed, salt};
pub use input::{Progress, TraceSource, sources};
pub use merge::{Batch, StartingState, Trace};
pub(crate) use parquet::each_size;
pub use rows::{NO_BYTES, PlainRow, RowKeys, RowKind, Rows, SLOT_BITS, SLOTS, sign, slot_of};
pub use sniff::TraceFormat;
pub use time::{TimeUnit, parse_time};

use crate::table::KeySchema;

/// Why a trace cannot be read on: the place, what was found, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}{}", self.place(), self.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default())]
pub struct TraceError {
    /// The file.
    pub file: String,
    /// The row or line, from 1.
    pub row: Option<u64>,
    /// What was found and what is allowed.
    pub message: String,
    /// The way out.
    pub help: Option<&'static str>,
}

impl TraceError {
    /// An error about a whole file.
    pub fn file(file: &str, message: impl Into<String>) -> TraceError {
        TraceError {
            file: file.to_string(),
            row: None,
            message: message.into(),
            help: None,
        }
    }

    /// With the way out.
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

/// Why a row is bad. Skipped rows are counted by it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum SkipReason {
    /// Not JSON, or not the shape of the format.
    Malformed,
    /// A value of another type than its column has.
    WrongType,
    /// No time, or one that cannot be read.
    Time,
    /// An operation that DynamoDB does not have.
    UnknownOperation,
    /// A table that nobody defined.
    UnknownTable,
    /// An index that its table does not have.
    UnknownIndex,
    /// A region in which the table has no replica.
    UnknownRegion,
    /// A key that DynamoDB does not allow, or none.
    Key,
    /// An item above 400 KB.
    ItemSize,
    /// Earlier than the window allows.
    OutOfOrder,
    /// A request that cannot be executed.
    Request,
    /// The rest of a file that ends too early.
    Truncated,
}

impl SkipReason {
    /// The words in outputs.
    pub fn word(self) -> &'static str {
        match self {
            SkipReason::Malformed => "malformed",
            SkipReason::WrongType => "wrong type",
            SkipReason::Time => "no time",
            SkipReason::UnknownOperation => "unknown operation",
            SkipReason::UnknownTable => "unknown table",
            SkipReason::UnknownIndex => "unknown index",
            SkipReason::UnknownRegion => "unknown region",
            SkipReason::Key => "bad key",
            SkipReason::ItemSize => "item too large",
            SkipReason::OutOfOrder => "out of order",
            SkipReason::Request => "request cannot be executed",
            SkipReason::Truncated => "truncated file",
        }
    }
}

/// Bad rows: the first stops the run, or all are counted by their reasons.
#[derive(Clone, Debug, Default)]
pub struct Bad {
    /// Whether bad rows are skipped.
    pub skip: bool,
    /// How many were, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The first few, for people.
    pub first: BTreeMap<RowPlace, String>,
    files: Vec<String>,
}

/// Bad rows of which the place is kept.
const FIRST: usize = 5;

impl Bad {
    /// For the files of a trace.
    pub fn new(skip: bool, files: Vec<String>) -> Bad {
        Bad {
            skip,
            files,
            ..Bad::default()
        }
    }

    /// The name of a file.
    pub fn file(&self, place: RowPlace) -> &str {
        self.files
            .get(place.file as usize)
            .map_or("", String::as_str)
    }

    /// A bad row.
    ///
    /// # Errors
    /// The row's [`TraceError`], where bad rows are not skipped.
    pub fn row(
        &mut self,
        place: RowPlace,
        reason: SkipReason,
        message: impl Into<String>,
    ) -> Result<(), TraceError> {
        let text = self.refused(place, message)?;
        self.first.insert(place, text);
        if self.first.len() > FIRST {
            self.first.pop_last();
        }
        *self.skipped.entry(reason).or_default() += 1;
        Ok(())
    }

    /// What is said of a bad row that is skipped.
    ///
    /// # Errors
    /// The row's [`TraceError`], where bad rows are not skipped.
    pub fn refused(
        &self,
        place: RowPlace,
        message: impl Into<String>,
    ) -> Result<String, TraceError> {
        let error = TraceError {
            file: self.file(place).to_string(),
            row: Some(place.row),
            message: message.into(),
            help: Some("mend the row, or count such rows and go on with --skip-bad-rows"),
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
    /// The format, where it is not found out.
    pub kind: Option<TraceFormat>,
    /// Other names of columns, and columns of one value.
    pub mapping: Mapping,
    /// The table of rows that name none.
    pub table: Option<String>,
    /// The unit of numeric times, where it is not found out.
    pub time_unit: Option<TimeUnit>,
    /// The keys of the tables, so that the values of a key stand in their order.
    pub keys: BTreeMap<String, KeySchema>,
    /// Whether bad rows are counted and skipped.
    pub skip_bad_rows: bool,
    /// How many rows an event may come late, 65,536 where `None`.
    pub window: Option<usize>,
    /// Buffers of rows that were executed, to be used again.
    pub spare: std::sync::Arc<std::sync::Mutex<Vec<Vec<PlainRow>>>>,
}

/// What a reader hands over at once.
enum Piece {
    /// Events.
    Events(Vec<Event>),
    /// Rows of plain calls, in the order of time.
    Rows(Rows),
}

/// Reads one file, batch by batch.
trait TraceReader: Send {
    /// Appends some events; `false` at the end.
    fn batch(
        &mut self,
        _: &mut NameTable,
        _: &mut Vec<Event>,
        _: &mut Bad,
    ) -> Result<bool, TraceError> {
        Ok(false)
    }

    /// The next pieces, and whether there is more; for a `look` no more than tells how the file
    /// begins.
    fn pieces(
        &mut self,
        _look: bool,
        names: &mut NameTable,
        bad: &mut Bad,
    ) -> Result<(Vec<Piece>, bool), TraceError> {
        let mut events = Vec::new();
        let more = self.batch(names, &mut events, bad)?;
        Ok((vec![Piece::Events(events)], more))
    }

    /// What a reader of the output should know, such as the unit of time that was found.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}
