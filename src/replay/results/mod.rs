//! A finished run in words and money.

pub mod dax;
mod demand;
mod items;
mod keys;
pub mod modes;
pub mod notes;
pub mod priced;
mod sizes;
pub mod workload;

use std::collections::BTreeMap;

pub use demand::{OverTime, Peak, over_time, peaks};
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

/// What a trace came to.
pub struct Replayed {
    /// What was read.
    pub trace: Summary,
    /// Units of each table and index in each region.
    pub consumed: Vec<ConsumedUnits>,
    /// The busiest second and minute of each account.
    pub peaks: Vec<Peak>,
    /// Units of each account over time.
    pub over_time: Vec<OverTime>,
    /// Sizes of the items that the trace knows.
    pub item_sizes: Vec<ItemSizes>,
    /// The design in every capacity mode.
    pub capacity: Vec<ModeResult>,
    /// The keys that consumed most.
    pub hot_keys: Vec<HotKey>,
    /// Partitions of each table in each region.
    pub partitions: Vec<PartitionHeat>,
    /// What DAX would have caught.
    pub dax: Vec<DaxResult>,
    /// Where sizes came from.
    pub sizes: Sizes,
    /// AWS's answers beside the meter's.
    pub verification: Option<Verification>,
    /// The bill of a month, as the design is.
    pub outcome: Outcome,
    /// What is taken for granted, beside the assumptions of the bill.
    pub assumptions: Vec<String>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The files.
    pub files: Vec<String>,
    /// Their formats.
    pub kinds: Vec<String>,
    /// Events that were executed.
    pub events: u64,
    /// The first moment.
    pub first: Time,
    /// The last.
    pub last: Time,
    /// The time that it is taken to cover.
    pub span: TraceSpan,
    /// Rows that were skipped, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The first of these.
    pub first_skipped: Vec<String>,
    /// Calls that cost nothing, because AWS throttled or refused them.
    pub refused: u64,
    /// Throttled requests that metrics count.
    pub throttled: u64,
    /// What a reader should know of the formats.
    pub notes: Vec<String>,
}
