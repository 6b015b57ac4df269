//! The options of a replay, and its limits.

use super::cache::lru::Overwrite;
use super::tally::verify::Verify;
use crate::commitments::Commitment;
use crate::compare::Question;
use crate::meter::Switches;
use crate::time::{Date, MonthHours};
use crate::trace::KeyShare;
use crate::trace::Time;

/// The options of a replay.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The region of tables that no workload declares (default: the region that most events of the
    /// trace name, else us-east-1).
    pub region: Option<String>,
    /// The date of the prices of these tables.
    pub prices: Option<Date>,
    /// The length of the month for these tables.
    pub month: MonthHours,
    /// Whether AWS's figures in the trace are compared with the meter's.
    pub verify: Verify,
    /// What the account has bought in advance; only used without a workload.
    pub commitments: Vec<Commitment>,
    /// The interpretations of disputed rules; only used without a workload.
    pub switches: Switches,
    /// When the time that the trace covers begins (default: the start of an incremental export,
    /// else the minute of the first event).
    pub from: Option<Time>,
    /// When it ends (default: the end of an incremental export, else of the minute of the last
    /// event).
    pub to: Option<Time>,
    /// Sizes of DAX caches in bytes (default: those of the node types, and smaller ones).
    pub dax_sizes: Vec<u64>,
    /// Time to live of DAX items in seconds (default: the design's, else 300).
    pub dax_ttl_seconds: Option<u64>,
    /// Whether overwriting an item moves it to the front of DAX's LRU list.
    pub dax_overwrite: Overwrite,
    /// Number of threads; 0 means 1. No figure depends on it.
    pub threads: usize,
    /// The share of the keys that this run executes.
    pub share: KeyShare,
    /// Whether the result is a part, to be merged with the parts of other shares.
    pub partial: bool,
    /// How many hot keys are shown for each account direction.
    pub hot_keys: usize,
    /// How much of the demand capacity may throttle, and other settings of the comparison.
    pub question: Question,
}

impl Default for ReplayOptions {
    fn default() -> ReplayOptions {
        ReplayOptions {
            region: None,
            prices: None,
            month: MonthHours::standard(),
            verify: Verify::No,
            commitments: Vec::new(),
            switches: Switches::default(),
            from: None,
            to: None,
            dax_sizes: Vec::new(),
            dax_ttl_seconds: None,
            dax_overwrite: Overwrite::default(),
            threads: 1,
            share: KeyShare::default(),
            partial: false,
            hot_keys: HOT_KEYS,
            question: Question::default(),
        }
    }
}

/// How many of the hottest keys of each account direction a result lists, unless said otherwise.
pub const HOT_KEYS: usize = 5;

/// Maximum number of bytes of memory that a replay uses for each distinct key.
pub const KEY_BYTES_MAX: u64 = 32;

/// Bytes of memory that it uses in addition: decoded rows, sketches, and the log of DAX accesses.
pub const CONSTANT_BYTES: u64 = 1 << 30;
