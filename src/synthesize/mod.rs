//! Expands a workload into a trace whose replay meters what the [estimate](crate::estimate)
//! expects.
//!
//! Calls arrive evenly at the rate of each hour of their profile, or at random; keys have the
//! popularity that the workload gives, or are all equally popular; sizes, and whether an item is
//! found, a call fails or DAX answers it, are drawn from the seed. The same seed gives the same
//! bytes.

mod calls;
mod write;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Write;

pub use write::{HEADER, TraceLayout};

use crate::trace::Time;
use crate::units::Exact;
use crate::workload::{PatternCall, Workload};
use calls::{CallStream, SynthesizedRow, streams};

/// Why a trace cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthesizeError {
    /// The trace would have too many calls.
    #[error(
        "the trace would have about {0} calls, more than {MOST_CALLS}\nhelp: use fewer --hours or \
         lower rates"
    )]
    TooLong(String),
    /// The times lie outside what a trace can hold.
    #[error(
        "the trace would end after the year 2262, beyond what its times can hold\nhelp: use an \
         earlier --start or fewer --hours"
    )]
    TooLate,
    /// The calls of an access pattern are unknown.
    #[error("{0} cannot be synthesized: {1}")]
    Unknown(String, String),
    /// The file cannot be written.
    #[error("cannot be written: {0}")]
    Write(#[from] std::io::Error),
    /// A block of columns cannot be written.
    #[error("cannot be written as Parquet: {0}")]
    Parquet(String),
    /// The user stopped the run.
    #[error("stopped by Ctrl-C; no output was written")]
    Stopped,
}

/// The maximum number of calls of one trace.
const MOST_CALLS: u64 = 20_000_000_000;

/// The options of [`synthesize`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynthesizeOptions {
    /// Seconds of traffic.
    pub seconds: u64,
    /// The seed of all random values.
    pub seed: u64,
    /// When it begins.
    pub start: Time,
    /// Whether calls arrive at random.
    pub poisson: bool,
    /// How it is written.
    pub layout: TraceLayout,
    /// The columns to write; if `None`, all that have a value in any row. `time`, `operation` and
    /// `key` are always written.
    pub columns: Option<Vec<String>>,
}

/// Writes the trace of a workload, and returns how many rows it has.
///
/// `tick` is called at intervals with the seconds and rows so far; if it returns `false`, the run
/// ends.
///
/// # Errors
/// [`SynthesizeError`] where the trace would be too long or cannot be written.
pub fn synthesize(
    workload: &Workload,
    options: &SynthesizeOptions,
    into: impl Write + Send,
    tick: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<u64, SynthesizeError> {
    let end = i64::try_from(options.seconds)
        .ok()
        .and_then(|seconds| seconds.checked_mul(Time::SECOND))
        .and_then(|length| options.start.0.checked_add(length));
    if end.is_none() {
        return Err(SynthesizeError::TooLate);
    }
    for table in &workload.tables {
        let patterns = table
            .access
            .iter()
            .chain(table.replicas.iter().flat_map(|replica| &replica.access));
        for access in patterns {
            let why = match &access.call {
                PatternCall::Unknown { why, .. } => why.clone(),
                PatternCall::Counted { .. } => "its units are known but its calls are not; \
                                                describe the calls as [[table.access]]"
                    .to_string(),
                _ => continue,
            };
            return Err(SynthesizeError::Unknown(
                format!("{:?} of {}", access.name, table.table.name),
                why,
            ));
        }
    }
    let mut searches = workload.tables.iter().flat_map(|table| &table.searches);
    if let Some(search) = searches.next() {
        return Err(SynthesizeError::Unknown(
            format!("{:?}", search.name),
            "a trace in columns has no vector searches; remove the access pattern".to_string(),
        ));
    }
    let mut streams = streams(workload, options);
    let expected: Exact = streams.iter().map(CallStream::expected).sum();
    if expected > Exact::from(MOST_CALLS) {
        return Err(SynthesizeError::TooLong(expected.human(0)));
    }
    let asked = |column: &&str| match &options.columns {
        Some(columns) => {
            ["time", "operation", "key"].contains(column)
                || columns.iter().any(|asked| asked == column)
        }
        None => true,
    };
    let columns: Vec<&'static str> = write::HEADER
        .into_iter()
        .filter(|column| calls::holds(workload, column))
        .filter(asked)
        .collect();
    let whole_keys = workload
        .tables
        .iter()
        .all(|table| table.number_keys.partition && table.table.keys.sort.is_none());
    let mut writer = write::TraceWriter::new(into, options.layout, columns.clone(), whole_keys)?;
    // The next call of each stream; calls at the same time are taken in the order of the streams.
    let mut next: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
    for (at, stream) in streams.iter_mut().enumerate() {
        next.extend(stream.next_time().map(|time| Reverse((time, at))));
    }
    let (mut rows, mut calls): (Vec<SynthesizedRow>, u64) = (Vec::new(), 0);
    while let Some(Reverse((nanoseconds, at))) = next.pop() {
        let time = Time(options.start.0 + nanoseconds);
        streams[at].call(time, &mut rows);
        for mut row in rows.drain(..) {
            if options.columns.is_some() {
                row.keep(&columns);
            }
            writer.row(row)?;
        }
        calls += 1;
        if calls.is_multiple_of(1 << 14) && !tick((nanoseconds / Time::SECOND) as u64, writer.rows)
        {
            return Err(SynthesizeError::Stopped);
        }
        next.extend(streams[at].next_time().map(|time| Reverse((time, at))));
    }
    writer.finish()
}
