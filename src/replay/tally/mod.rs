//! All totals of a replay: integers and sets, separate for each slot where the order of events
//! matters. Merging the tallies of threads, of shares or of an interrupted run gives the tally of
//! one run over the whole trace.

pub mod consumption;
pub mod hot_keys;
pub mod partitions;
pub mod verify;

use std::collections::{BTreeMap, BTreeSet};

use crate::replay::cache::curve::AccessLog;
use crate::replay::state::sizes::SizeSource;
use crate::table::Direction;
use crate::trace::{RowPlace, SLOTS, SkipReason, Time, TracedKey};
use crate::units::Bytes;
use crate::workload::IndexEntry;
use consumption::{DemandKey, TracedConsumption};
use hot_keys::{HotKeys, Minutes, join};
use partitions::{Grain, ordered};
use verify::{Verification, Verify};

/// How many rows took their sizes from each source, and how wrong the drawn sizes can be.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Provenance {
    /// Rows by direction and source of the size.
    pub rows: BTreeMap<(Direction, SizeSource), u64>,
    /// Half units of rows with drawn sizes, by table and direction: as drawn, and with the 1st and
    /// the 99th percentile of the sizes.
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

/// The slot seconds of one table in one region: the current second of each slot, and earlier
/// seconds.
#[derive(Clone, Debug)]
pub struct Grains {
    open: Vec<(i64, [u32; 2])>,
    closed: Vec<Grain>,
}

impl Default for Grains {
    fn default() -> Grains {
        Grains {
            open: vec![(i64::MIN, [0, 0]); SLOTS],
            closed: Vec::new(),
        }
    }
}

impl Grains {
    /// Adds half units of a slot in a second.
    #[inline]
    pub fn add(&mut self, slot: u8, second: i64, direction: Direction, halves: u64) {
        let (known, sums) = &mut self.open[usize::from(slot)];
        if *known != second {
            if *known != i64::MIN {
                self.closed.push(Grain {
                    second: *known,
                    slot,
                    halves: *sums,
                });
            }
            (*known, *sums) = (second, [0, 0]);
        }
        let sum = &mut sums[direction as usize];
        *sum = u64::from(*sum).saturating_add(halves).min(u32::MAX.into()) as u32;
    }

    /// Removes and returns all slot seconds before a given second, in order.
    pub fn before(&mut self, second: i64) -> Vec<Grain> {
        for (slot, (known, sums)) in (0_u8..=255).zip(&mut self.open) {
            if *known != i64::MIN && *known < second {
                self.closed.push(Grain {
                    second: *known,
                    slot,
                    halves: *sums,
                });
                (*known, *sums) = (i64::MIN, [0, 0]);
            }
        }
        let (before, after): (Vec<Grain>, Vec<Grain>) = std::mem::take(&mut self.closed)
            .into_iter()
            .partition(|grain| grain.second < second);
        self.closed = after;
        ordered(before)
    }

    /// Adds slot seconds from a file or another thread.
    pub fn extend(&mut self, grains: impl IntoIterator<Item = Grain>) {
        self.closed.extend(grains);
    }
}

/// One of several shares of all keys, by slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeyShare {
    /// The number of this share, from 1.
    pub number: u32,
    /// The number of all shares.
    pub of: u32,
}

impl Default for KeyShare {
    fn default() -> KeyShare {
        KeyShare { number: 1, of: 1 }
    }
}

impl KeyShare {
    /// Reads `2/8`.
    ///
    /// # Errors
    /// What is allowed, if the text is not a share.
    pub fn parse(text: &str) -> Result<KeyShare, String> {
        let found = text.split_once('/').and_then(|(number, of)| {
            Some(KeyShare {
                number: number.trim().parse().ok()?,
                of: of.trim().parse().ok()?,
            })
        });
        match found {
            Some(share)
                if (1..=SLOTS as u32).contains(&share.of)
                    && (1..=share.of).contains(&share.number) =>
            {
                Ok(share)
            }
            _ => Err(format!(
                "{text:?} is not a share; write 1/4 for the first of four shares; {SLOTS} shares \
                 at most"
            )),
        }
    }

    /// Whether a slot belongs to it.
    #[inline]
    pub fn owns(self, slot: u8) -> bool {
        u32::from(slot) % self.of == self.number - 1
    }

    /// Whether it counts the event with this number, if every share executes all events.
    pub fn counts(self, ordinal: u64) -> bool {
        ordinal % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl std::fmt::Display for KeyShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// All totals.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// What was consumed.
    pub consumption: TracedConsumption,
    /// Hot keys, by account direction and slot.
    pub heat: BTreeMap<DemandKey, Vec<HotKeys>>,
    /// The hottest keys of each minute, by account direction.
    pub minutes: BTreeMap<DemandKey, Minutes>,
    /// The slot seconds, by table and region.
    pub grains: BTreeMap<(usize, usize), Grains>,
    /// Sources of the sizes.
    pub provenance: Provenance,
    /// AWS's figures compared with the meter's.
    pub verification: Option<Verification>,
    /// Accesses that DAX would have received.
    pub log: AccessLog,
    /// Events so far.
    pub events: u64,
    /// Calls that were throttled, or refused at no cost, according to the trace.
    pub refused: u64,
    /// Batches that consumed less than all their members cost, although the line lists no
    /// unprocessed members.
    pub short_batches: u64,
    /// Throttled requests counted by metrics.
    pub throttled: u64,
    /// The times of the first and the last event.
    pub span: Option<(Time, Time)>,
    /// Regions that the trace names and that are treated as the home region, with their number of
    /// events.
    pub other_regions: BTreeMap<String, u64>,
    /// Tables with events from a region other than the home region.
    pub elsewhere: BTreeSet<usize>,
    /// Tables whose units AWS counted, with the region; `usize::MAX` if the units are of calls.
    pub counted_regions: BTreeSet<(usize, usize)>,
    /// Tables with writes of which only the units are known.
    pub counted_writes: BTreeSet<usize>,
    /// Account directions that metrics count: the table, the global index if any, and the
    /// direction.
    pub metered: BTreeSet<(usize, Option<usize>, Direction)>,
    /// Tables with a deletion by Time to Live in the trace.
    pub time_to_live: BTreeSet<usize>,
    /// What tables hold at the end, as far as the trace shows: items by size and index entries.
    pub held: BTreeMap<usize, ItemCounts>,
    /// Events that could not be executed, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// The first of the skipped rows.
    pub first_skipped: BTreeMap<RowPlace, String>,
}

/// Number of items by size and index entries.
pub type ItemCounts = BTreeMap<(Bytes, Vec<IndexEntry>), u64>;

/// How many skipped rows are listed.
pub const FIRST_SKIPPED: usize = 5;

/// Adds one map of counts to another.
fn add<K: Ord>(to: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    for (key, count) in more {
        *to.entry(key).or_default() += count;
    }
}

impl Tally {
    /// An empty tally. `verify` is whether AWS's figures are compared with the meter's.
    pub fn new(verify: Verify) -> Tally {
        Tally {
            verification: verify.begin(),
            ..Tally::default()
        }
    }

    /// Adds half units of a key to the hot keys; `known` is the key's half units in all accounts so
    /// far.
    pub fn heat(
        &mut self,
        lane: DemandKey,
        slot: u8,
        key: &TracedKey,
        known: u32,
        minute: i64,
        halves: u64,
    ) {
        let slots = self
            .heat
            .entry(lane)
            .or_insert_with(|| vec![HotKeys::default(); SLOTS]);
        let heat = &mut slots[usize::from(slot)];
        if heat.add(
            key.hash,
            known,
            minute,
            halves,
            self.minutes.entry(lane).or_default(),
        ) {
            heat.name(key);
        }
    }

    /// A copy without the data that parts store as rows.
    pub fn without_rows(&self) -> Tally {
        let consumption = TracedConsumption {
            kinds: self.consumption.kinds.clone(),
            lanes: BTreeMap::new(),
        };
        Tally {
            consumption,
            heat: BTreeMap::new(),
            minutes: BTreeMap::new(),
            grains: BTreeMap::new(),
            provenance: self.provenance.clone(),
            verification: self.verification.clone(),
            log: AccessLog {
                power: self.log.power,
                entries: Vec::new(),
                asked: self.log.asked.clone(),
            },
            events: self.events,
            refused: self.refused,
            throttled: self.throttled,
            short_batches: self.short_batches,
            span: self.span,
            other_regions: self.other_regions.clone(),
            elsewhere: self.elsewhere.clone(),
            counted_regions: self.counted_regions.clone(),
            counted_writes: self.counted_writes.clone(),
            metered: self.metered.clone(),
            time_to_live: self.time_to_live.clone(),
            held: self.held.clone(),
            skipped: self.skipped.clone(),
            first_skipped: self.first_skipped.clone(),
        }
    }

    /// Ends the current minute of every slot.
    pub fn close_minutes(&mut self) {
        for (lane, slots) in &mut self.heat {
            let minutes = self.minutes.entry(*lane).or_default();
            slots.iter_mut().for_each(|heat| heat.close(minutes));
        }
    }

    /// Counts an event that could not be executed.
    pub fn skip(&mut self, place: RowPlace, reason: SkipReason, message: String) {
        *self.skipped.entry(reason).or_default() += 1;
        self.first_skipped.insert(place, message);
        if self.first_skipped.len() > FIRST_SKIPPED {
            self.first_skipped.pop_last();
        }
    }

    /// Extends the covered time.
    pub fn cover(&mut self, from: Time, to: Time) {
        self.span = Some(
            self.span
                .map_or((from, to), |(first, last)| (first.min(from), last.max(to))),
        );
    }

    /// Merges the tally of another thread or share. The hot keys of a slot are in only one of the
    /// two.
    pub fn join(&mut self, other: Tally) {
        let TracedConsumption { kinds, lanes } = other.consumption;
        for (kind, traced) in kinds {
            self.consumption.kind(kind).add(&traced);
        }
        for (lane, demand) in lanes {
            self.consumption
                .lanes
                .entry(lane)
                .or_default()
                .join(&demand);
        }
        for (lane, slots) in other.heat {
            let own = self
                .heat
                .entry(lane)
                .or_insert_with(|| vec![HotKeys::default(); SLOTS]);
            for (own, heat) in own.iter_mut().zip(slots) {
                if heat.total > 0 {
                    *own = heat;
                }
            }
        }
        for (lane, minutes) in other.minutes {
            let own = self.minutes.entry(lane).or_default();
            for (minute, hot) in minutes {
                join(own.entry(minute).or_default(), hot);
            }
        }
        for (place, mut grains) in other.grains {
            self.grains
                .entry(place)
                .or_default()
                .extend(grains.before(i64::MAX));
        }
        let Provenance {
            rows,
            drawn,
            counts_assumed,
            presence_assumed,
            consistency_assumed,
            actions_assumed,
            scans,
            changes_assumed,
        } = other.provenance;
        let own = &mut self.provenance;
        add(&mut own.rows, rows);
        for (key, sums) in drawn {
            own.drawn
                .entry(key)
                .or_default()
                .iter_mut()
                .zip(sums)
                .for_each(|(own, sum)| *own += sum);
        }
        own.counts_assumed += counts_assumed;
        own.presence_assumed += presence_assumed;
        own.consistency_assumed += consistency_assumed;
        own.actions_assumed += actions_assumed;
        own.scans += scans;
        own.changes_assumed += changes_assumed;
        match (&mut self.verification, other.verification) {
            (Some(own), Some(other)) => own.join(other),
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
        self.log.join(other.log);
        self.events += other.events;
        self.refused += other.refused;
        self.throttled += other.throttled;
        self.short_batches += other.short_batches;
        if let Some((first, last)) = other.span {
            self.cover(first, last);
        }
        add(&mut self.other_regions, other.other_regions);
        self.elsewhere.extend(other.elsewhere);
        self.counted_regions.extend(other.counted_regions);
        self.counted_writes.extend(other.counted_writes);
        self.metered.extend(other.metered);
        self.time_to_live.extend(other.time_to_live);
        for (table, held) in other.held {
            add(self.held.entry(table).or_default(), held);
        }
        add(&mut self.skipped, other.skipped);
        self.first_skipped.extend(other.first_skipped);
        while self.first_skipped.len() > FIRST_SKIPPED {
            self.first_skipped.pop_last();
        }
    }
}
