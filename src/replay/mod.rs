//! The second driver: runs a real trace through the same meter, capacity simulation and prices.
//!
//! ```text
//!                          ┌─► fast: plain calls of one key ──┐                 ┌─► series by second ─► capacity modes ─┐
//! trace ─reader─► run ─────┤   (columns, on all threads)      ├─► engine ─► tally                                     ├─► price ─► results
//!                          └─► full: everything else ─────────┘   (meter)       └─► calls by kind ─► measured workload ─┘
//!                              (requests, changes, metrics)
//! ```
//!
//! Everything after the totals is the code of the [estimate](crate::estimate): the trace replaces
//! the access patterns, and everything else that the workload declares (storage, backups, streams,
//! nodes) is used as declared.
//!
//! `Assumption:` a month repeats the trace: all calls are multiplied by the length of the month
//! divided by the length of the trace.

mod cache;
mod deal;
mod dynamodb;
mod engine;
mod error;
mod executor;
mod fast;
mod full;
#[cfg(fuzzing)]
pub mod fuzzing;
mod options;
mod part;
mod price;
mod results;
mod run;
mod state;
mod tally;

use std::collections::BTreeMap;

pub use crate::trace::KeyShare;
pub use cache::curve::{AccessCounts, AccessLog, CacheAccess, CachePoint, CacheUse};
pub use cache::exact::Which;
pub use cache::lru::{Cache, Overwrite};
pub use deal::{Dealer, can_deal};
pub use error::ReplayError;
pub use fast::without_state::each_second;
pub use options::{CONSTANT_BYTES, HOT_KEYS, KEY_BYTES_MAX, ReplayOptions};
pub use part::ReplayPart;
pub use part::merge::join;
pub use part::table::PartInput;
pub use price::{TraceTraffic, price, traffic};
pub use results::dax::{Cluster, DaxResult};
pub use results::modes::{AccountRun, ModeResult};
pub use results::{
    ConsumedUnits, DrawnSizes, FoundEntityItems, HotKey, ItemSizes, OverTime, PartitionHeat, Peak,
    Replayed, Sizes, Summary,
};
pub use run::ReplayRun;
pub use state::sizes::SizeSource;
#[cfg(feature = "tables")]
pub(crate) use state::sizes::drawn as key_class;
pub use tally::consumption::{DemandKey, TraceSpan};
pub use tally::partitions::{HEAT_MAP_ROWS, HeatMap};
pub use tally::verify::{
    SizeDifference, Verification, VerifiedTarget, VerifiedUnits, Verify, VerifyDifference,
};

use crate::pricing::Books;
use crate::table::KeySchema;
use crate::trace::Trace;
use crate::workload::{KeyPrefix, Workload};

/// Executes a trace.
///
/// `tick` is called between batches; if it returns `false`, the run ends.
///
/// # Errors
/// [`ReplayError`] if the trace cannot be read or its result cannot be priced.
pub fn replay(
    trace: Trace,
    workload: Option<&Workload>,
    books: &Books,
    options: &ReplayOptions,
    mut tick: impl FnMut(&Trace) -> bool,
) -> Result<Replayed, ReplayError> {
    let mut run = ReplayRun::new(trace, workload, options)?;
    while run.batch()? {
        if !tick(run.trace()) {
            return Err(ReplayError::Stopped);
        }
    }
    price(run.finish(), workload, books, options)
}

/// Merges parts, and prices them as one replay of the whole trace.
///
/// # Errors
/// [`ReplayError`] if a share is missing or given twice, or if the parts are from different traces,
/// versions or settings.
pub fn merge(
    parts: impl IntoIterator<Item = PartInput>,
    workload: Option<&Workload>,
    books: &Books,
    options: &ReplayOptions,
) -> Result<Replayed, ReplayError> {
    let whole = join(parts, workload, options, true, || true)?;
    price(whole, workload, books, options)
}

/// Whether the keys of a trace tell the entities of a table apart, so that a reader must keep how they
/// begin ([`ReadOptions::keep_keys`](crate::trace::ReadOptions)).
pub fn keeps_keys(workload: &Workload) -> bool {
    let entities = workload.tables.iter().flat_map(|table| &table.entities);
    entities
        .into_iter()
        .any(|one| one.key_prefix != KeyPrefix::default())
}

/// The key schemas of a workload's tables, for trace readers that need them.
pub fn keys(workload: &Workload) -> BTreeMap<String, KeySchema> {
    workload
        .tables
        .iter()
        .map(|table| (table.table.name.clone(), table.table.keys.clone()))
        .collect()
}
