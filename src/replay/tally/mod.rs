//! Everything that a replay adds up: integers and sets, by slot where the order of events matters.
//! The tallies of threads, shares and checkpoints merge into the tally of one run over the whole
//! trace.

pub mod consumption;
pub mod found;
pub mod hot_keys;
pub mod merge;
pub mod partitions;
pub mod verify;

use std::collections::{BTreeMap, BTreeSet};

use crate::replay::cache::curve::AccessLog;
use crate::replay::state::sizes::SizeSource;
use crate::table::Direction;
use crate::trace::{Name, RowPlace, SLOTS, SkipReason, Time, TracedKey};
use crate::units::Bytes;
use crate::workload::{IndexEntry, Traced};
use consumption::{CallKind, DemandKey, DemandSeries};
use found::Found;
use hot_keys::{HotKeys, KeyUnits, Minutes};
use merge::{Merge, sums};
use partitions::SlotSeconds;
use verify::{Verification, Verify};

sums! {
    /// Everything that is added up.
    #[derive(Clone, Debug, Default)]
    pub struct Tally {
        /// Totals; each event is counted by one share.
        pub totals: Totals,
        /// Half units of each account direction second by second; each event is counted by one
        /// share.
        pub demand: BTreeMap<DemandKey, DemandSeries>,
        /// Sums by key; each slot of keys belongs to one share.
        pub keys: KeySums,
    }
}

sums! {
    /// Totals over the events of a trace.
    #[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
    pub struct Totals {
        /// What each kind of call consumed.
        pub calls: BTreeMap<CallKind, Traced>,
        /// Sources of the sizes.
        pub provenance: Provenance,
        /// AWS's figures compared with the meter's.
        pub verification: Option<Verification>,
        /// Events so far.
        pub events: u64,
        /// Calls that, by AWS's answer or by the log, were throttled or refused for free.
        pub refused: u64,
        /// Batches that consumed less than all their members cost, where the line lists none as
        /// unprocessed.
        pub short_batches: u64,
        /// Records that were delivered again in another file than the one before, where the files were
        /// dealt.
        pub copies: u64,
        /// Throttled requests counted by metrics.
        pub throttled: u64,
        /// The times of the first and the last event.
        pub span: Option<Covered>,
        /// Events by the region that they name, if it is taken to be the home region.
        pub other_regions: BTreeMap<String, u64>,
        /// Tables with events from another region than the home region.
        pub elsewhere: BTreeSet<usize>,
        /// Tables whose units come from metrics, with the regions of the metrics.
        pub counted_regions: BTreeSet<(usize, usize)>,
        /// Tables with writes of which only the units are known.
        pub counted_writes: BTreeSet<usize>,
        /// Account directions whose units come from metrics: the table, the global index, reads or
        /// writes.
        pub metered: BTreeSet<(usize, Option<usize>, Direction)>,
        /// Tables with a deletion by Time to Live.
        pub time_to_live: BTreeSet<usize>,
        /// The items that each table holds at the end, as far as the trace shows.
        pub held: BTreeMap<usize, ItemCounts>,
        /// Tables of which the trace has the items.
        pub with_items: BTreeSet<usize>,
        /// Searches of vector indexes: the table, the index, by position, and the bytes that AWS says
        /// were searched.
        pub searches: BTreeMap<(usize, usize, Option<u64>), u64>,
        /// Entities and calls, as the keys of a request log tell them apart.
        pub found: Found,
        /// Events that could not be executed, by reason.
        pub skipped: BTreeMap<SkipReason, u64>,
        /// The first of these events.
        pub first_skipped: FirstSkipped,
    }
}

sums! {
    /// How many rows took their sizes from each source, and how wrong the drawn sizes can be.
    #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    pub struct Provenance {
        /// Rows by direction and source of the size.
        pub rows: BTreeMap<(Direction, SizeSource), u64>,
        /// Half units of rows with drawn sizes, by table and direction: as drawn, and with the 1st
        /// and the 99th percentile of the sizes.
        pub drawn: BTreeMap<(usize, Direction), [u128; 3]>,
        /// Rows of a Query or Scan whose number of items came from an access pattern.
        pub counts_assumed: u64,
        /// Writes for which it was drawn or assumed whether they found an item.
        pub presence_assumed: u64,
        /// Reads that are strongly consistent because their access pattern is.
        pub consistency_assumed: u64,
        /// Members of batches and transactions without an action.
        pub actions_assumed: u64,
        /// Scans that read items in key order.
        pub scans: u64,
        /// Writes whose row does not list the changed attributes.
        pub changes_assumed: u64,
    }
}

sums! {
    /// Sums by key and slot.
    #[derive(Clone, Debug, Default)]
    pub struct KeySums {
        /// The hot keys of each slot, by account direction.
        pub hot: BTreeMap<DemandKey, SlotHotKeys>,
        /// The hottest keys of each minute, by account direction.
        pub minutes: BTreeMap<DemandKey, Minutes>,
        /// Half units of each slot in each second, by table and region.
        pub seconds: BTreeMap<(usize, usize), SlotSeconds>,
        /// Accesses that DAX would receive.
        pub accesses: AccessLog,
    }
}

/// The hot keys of an account direction, by slot; empty until a key is added.
#[derive(Clone, Debug, Default)]
pub struct SlotHotKeys(pub Vec<HotKeys>);

impl SlotHotKeys {
    /// The hot keys of one slot.
    pub fn slot(&mut self, slot: u8) -> &mut HotKeys {
        if self.0.is_empty() {
            self.0.resize_with(SLOTS, HotKeys::default);
        }
        &mut self.0[usize::from(slot)]
    }
}

impl Merge for SlotHotKeys {
    /// A slot belongs to one of both.
    fn merge_from(&mut self, other: SlotHotKeys) {
        for (slot, hot) in (0..=u8::MAX).zip(other.0) {
            if hot.total > 0 {
                *self.slot(slot) = hot;
            }
        }
    }
}

/// The times of the first and the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Covered {
    /// The first.
    pub first: Time,
    /// The last.
    pub last: Time,
}

impl Merge for Covered {
    fn merge_from(&mut self, other: Covered) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Items by their size and index entries.
pub type ItemCounts = BTreeMap<(Bytes, Vec<IndexEntry>), u64>;

/// How many skipped rows are kept.
pub const FIRST_SKIPPED: usize = 5;

/// The first events that could not be executed, with the reason in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FirstSkipped(pub BTreeMap<RowPlace, String>);

impl Merge for FirstSkipped {
    fn merge_from(&mut self, other: FirstSkipped) {
        self.0.extend(other.0);
        while self.0.len() > FIRST_SKIPPED {
            self.0.pop_last();
        }
    }
}

impl Totals {
    /// The totals of a kind of call.
    pub fn call(&mut self, kind: CallKind) -> &mut Traced {
        self.calls.entry(kind).or_default()
    }

    /// Gives the callers of calls other numbers.
    pub fn renumber_callers(&mut self, mut number: impl FnMut(Name) -> Name) {
        for (mut kind, call) in std::mem::take(&mut self.calls) {
            kind.caller = kind.caller.map(&mut number);
            self.call(kind).merge_from(call);
        }
    }

    /// An event that could not be executed.
    pub fn skip(&mut self, place: RowPlace, reason: SkipReason, message: String) {
        *self.skipped.entry(reason).or_default() += 1;
        let one = FirstSkipped([(place, message)].into());
        self.first_skipped.merge_from(one);
    }

    /// Extends the covered time.
    pub fn cover(&mut self, first: Time, last: Time) {
        self.span.merge_from(Some(Covered { first, last }));
    }
}

impl KeySums {
    /// Adds half units of a key in a minute to the hot keys of its slot. `known` are the key's half
    /// units in all accounts so far.
    pub fn add(&mut self, account: DemandKey, slot: u8, key: &TracedKey, units: KeyUnits) {
        let minutes = self.minutes.entry(account).or_default();
        let hot = self.hot.entry(account).or_default().slot(slot);
        if hot.add(key.hash, units, minutes) {
            hot.name(key);
        }
    }

    /// Ends the current minute of every slot.
    pub fn close_minutes(&mut self) {
        for (account, slots) in &mut self.hot {
            let minutes = self.minutes.entry(*account).or_default();
            slots.0.iter_mut().for_each(|hot| hot.close(minutes));
        }
    }
}

impl Tally {
    /// An empty tally; compares AWS's figures if `verify` says so.
    pub fn new(verify: Verify) -> Tally {
        Tally {
            totals: Totals {
                verification: verify.begin(),
                ..Totals::default()
            },
            ..Tally::default()
        }
    }

    /// Adds half units of an account direction in a second.
    pub fn demand(&mut self, account: DemandKey, second: i64, halves: u64) {
        if halves > 0 {
            self.demand.entry(account).or_default().add(second, halves);
        }
    }

    /// Exchanges what each event is counted in by one share; the sums of keys stay.
    pub fn swap_totals(&mut self, other: &mut Tally) {
        std::mem::swap(&mut self.totals, &mut other.totals);
        std::mem::swap(&mut self.demand, &mut other.demand);
    }
}
