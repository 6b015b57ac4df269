//! A finished run in words and money.

pub mod dax;
mod demand;
pub mod design;
mod items;
mod keys;
pub mod modes;
pub mod notes;
pub mod priced;
mod sizes;
pub mod workload;

use std::collections::BTreeMap;

pub use demand::{OverTime, Peak, over_time, peaks};
pub use design::FoundEntityItems;
pub use items::{ItemSizes, item_sizes};
pub use keys::{HotKey, PartitionHeat, hot_keys, partitions};
pub use sizes::{DrawnSizes, Sizes, sizes};
pub use workload::ConsumedUnits;

use dax::DaxResult;
use modes::ModeResult;

use super::tally::consumption::TraceSpan;
use super::tally::verify::Verification;
use crate::outcome::Outcome;
use crate::trace::{SkipReason, Time};

/// The result of a replay.
#[must_use]
#[non_exhaustive]
pub struct Replayed {
    /// Summary of the trace.
    pub trace: Summary,
    /// Units consumed by each table and index in each region.
    pub consumed: Vec<ConsumedUnits>,
    /// The busiest second and minute of each account.
    pub peaks: Vec<Peak>,
    /// Units of each account over time.
    pub over_time: Vec<OverTime>,
    /// Sizes of the items that are known from the trace.
    pub item_sizes: Vec<ItemSizes>,
    /// The design in every capacity mode.
    pub capacity: Vec<ModeResult>,
    /// The keys that consumed the most units.
    pub hot_keys: Vec<HotKey>,
    /// Partitions of each table in each region.
    pub partitions: Vec<PartitionHeat>,
    /// The reads that DAX would have answered.
    pub dax: Vec<DaxResult>,
    /// Sources of the sizes.
    pub sizes: Sizes,
    /// AWS's figures compared with the meter's.
    pub verification: Option<Verification>,
    /// The monthly bill of the current design.
    pub outcome: Outcome,
    /// The entities of single-table designs, as the keys of the items tell them apart.
    pub entities: Vec<FoundEntityItems>,
    /// A workload file made of the trace, or why there is none.
    pub workload_file: Result<String, String>,
    /// The assumptions of the replay, in addition to those of the bill.
    pub assumptions: Vec<String>,
}

/// Summary of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The files.
    pub files: Vec<String>,
    /// Their formats.
    pub kinds: Vec<String>,
    /// Events that were executed.
    pub events: u64,
    /// Time of the first event.
    pub first: Time,
    /// Time of the last event.
    pub last: Time,
    /// The time that the trace is assumed to cover.
    pub span: TraceSpan,
    /// Rows that were skipped, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The first of the skipped rows.
    pub first_skipped: Vec<String>,
    /// Calls that cost nothing, because AWS throttled or refused them.
    pub refused: u64,
    /// Throttled requests counted by metrics.
    pub throttled: u64,
    /// Notes on the formats.
    pub notes: Vec<String>,
}
