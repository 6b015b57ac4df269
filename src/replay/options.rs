//! The options of a replay, and its limits.

use super::cache::lru::Overwrite;
use super::tally::KeyShare;
use super::tally::verify::Verify;
use crate::compare::Question;
use crate::meter::Switches;
use crate::time::{Date, MonthHours};
use crate::trace::Time;

/// What a replay is asked for.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The region of tables that no workload declares; the first that the trace names where
    /// `None`.
    pub region: Option<String>,
    /// The date of the prices of such tables.
    pub prices: Option<Date>,
    /// The month of such tables.
    pub month: MonthHours,
    /// Whether AWS's answers in the trace are compared with the meter's.
    pub verify: Verify,
    /// The readings of disputed rules where no workload has them.
    pub switches: Switches,
    /// The first moment that counts for the length of the trace; the minute of its first event
    /// where `None`.
    pub from: Option<Time>,
    /// The moment at which it ends.
    pub to: Option<Time>,
    /// Sizes of DAX caches in bytes; those of the node types where there are none.
    pub dax_sizes: Vec<u64>,
    /// Seconds that DAX keeps an item, where not the design's or DAX's own.
    pub dax_ttl_seconds: Option<u64>,
    /// Whether overwriting moves an item to the front of DAX's list.
    pub dax_overwrite: Overwrite,
    /// Threads that execute: one where 0. No figure depends on it.
    pub threads: usize,
    /// The share of the keys that is executed.
    pub share: KeyShare,
    /// Whether the result is a part, to be joined with those of other shares.
    pub partial: bool,
    /// How many hot keys are shown.
    pub hot_keys: usize,
    /// What capacity may throttle.
    pub question: Question,
}

impl Default for ReplayOptions {
    fn default() -> ReplayOptions {
        ReplayOptions {
            region: None,
            prices: None,
            month: MonthHours::standard(),
            verify: Verify::No,
            switches: Switches::default(),
            from: None,
            to: None,
            dax_sizes: Vec::new(),
            dax_ttl_seconds: None,
            dax_overwrite: Overwrite::default(),
            threads: 1,
            share: KeyShare::default(),
            partial: false,
            hot_keys: 10,
            question: Question::default(),
        }
    }
}

/// Bytes of memory that a replay takes for each distinct key at most.
pub const KEY_BYTES_MAX: u64 = 32;

/// Bytes that it takes beside: rows that are decoded, sketches, the log of DAX's accesses.
pub const CONSTANT_BYTES: u64 = 1 << 30;
