//! What a run has added up so far, and the file that holds it.

pub mod file;
pub mod merge;
pub mod seal;
pub mod table;

use std::collections::BTreeMap;

use super::error::ReplayError;
use super::executor::Executor;
use super::options::ReplayOptions;
use super::tally::merge::Merge;
use super::tally::partitions::{HeatMap, Partitions, SlotSecond, SlotSeconds};
#[cfg(feature = "aws")]
use super::tally::verify::Verification;
use crate::trace::{
    KeyShare, NameTable, Notes, Passed, RowPlace, SkipReason, Time, TraceFormat, note_texts,
};
use crate::workload::Workload;

/// What was read of a trace; the same for every thread and share that executes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Read {
    /// The files.
    pub files: Vec<String>,
    /// Their formats.
    pub kinds: Vec<String>,
    /// Notes of the readers.
    pub notes: Notes,
    /// Rows that could not be read, by reason.
    pub skipped: Vec<(SkipReason, u64)>,
    /// The first of the skipped rows.
    pub first_skipped: Vec<(RowPlace, String)>,
    /// The window of time to which the trace was cut, if one was asked for.
    pub asked: (Option<Time>, Option<Time>),
    /// The time that incremental exports state they cover.
    pub window: Option<(Time, Time)>,
    /// Whether only the names of the key attributes are known, not which is the partition key.
    pub guessed: bool,
    /// Number of events.
    pub events: u64,
    /// Signature of the events, to recognize a different trace.
    pub signature: u64,
}

impl Read {
    /// The notes of the readers as sentences. `copies` are records that only shares found to be
    /// delivered again.
    pub fn note_texts(&self, copies: u64) -> Vec<String> {
        let mut notes = self.notes.clone();
        notes.pass_all(Passed::Duplicate, copies);
        let kinds = self
            .kinds
            .iter()
            .filter_map(|name| TraceFormat::parse(name));
        let kinds = kinds.filter(|kind| *kind != TraceFormat::Export);
        note_texts(&notes, &kinds.collect())
    }
}

/// The result of a run before it is priced: of all keys, or of a share of them.
pub struct ReplayPart {
    /// The shares of keys that it covers.
    pub covers: Vec<KeyShare>,
    /// How many events of the trace were executed for it.
    pub executed: u64,
    /// Summary of the trace.
    pub read: Read,
    /// The names and their numbers.
    pub names: NameTable,
    /// The executor: the designs and all totals.
    pub executor: Executor,
    /// Partitions and heat map of each table in each region; only of all keys together.
    pub heat: Heats,
}

/// Partitions and heat map of each table in each region, by table and region.
pub type Heats = BTreeMap<(usize, usize), (Partitions, HeatMap)>;

impl ReplayPart {
    /// What AWS states compared with the meter, if it was.
    #[cfg(feature = "aws")]
    pub(crate) fn verification(self) -> Option<Verification> {
        self.executor.engine.tally.totals.verification
    }

    /// Writes the part, with the workload and the options of its run.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if it cannot be written.
    pub fn write(
        &self,
        workload: Option<&Workload>,
        options: &ReplayOptions,
        into: impl std::io::Write + Send,
    ) -> Result<(), ReplayError> {
        file::write_part(self, file::settings(workload, options), into)
    }

    /// Adds all seconds before `before` to the partitions, which need the seconds of all keys
    /// together.
    pub fn settle(&mut self, before: i64) {
        let engine = &mut self.executor.engine;
        let tables = &engine.tables.list;
        let seconds = &mut engine.tally.keys.seconds;
        settle(seconds, &mut self.heat, before, |table| {
            tables[table].starting_partitions()
        });
    }

    /// Joins another share of the same trace.
    pub fn join(&mut self, other: ReplayPart) {
        let Executor { engine, .. } = other.executor;
        let mut tally = engine.tally;
        for at in &tally.totals.with_items {
            self.executor.engine.tables.list[*at].has_items = true;
        }
        tally
            .totals
            .renumber_callers(|caller| self.names.number(other.names.text(caller)));
        self.executor.engine.tally.merge_from(tally);
        let caches = &mut self.executor.engine.caches;
        if caches.tables.is_empty() {
            *caches = engine.caches;
        }
        self.covers.extend(other.covers);
        self.covers.sort();
        self.executed += other.executed;
    }
}

/// Adds all seconds before `before` to the partitions. `starting` is the number of partitions with
/// which a table begins.
pub fn settle(
    seconds: &mut BTreeMap<(usize, usize), SlotSeconds>,
    heat: &mut Heats,
    before: i64,
    starting: impl Fn(usize) -> u64,
) {
    for (place, seconds) in seconds {
        // The slots of the current second.
        let mut second: Vec<SlotSecond> = Vec::new();
        let mut ends = |second: &[SlotSecond]| {
            let (partitions, heat_map) = heat
                .entry(*place)
                .or_insert_with(|| (Partitions::new(starting(place.0)), HeatMap::default()));
            partitions.second(second);
            second.iter().for_each(|one| heat_map.add(one));
        };
        seconds.drain(before, |one| {
            if second.last().is_some_and(|last| last.second != one.second) {
                ends(&second);
                second.clear();
            }
            second.push(one);
        });
        if !second.is_empty() {
            ends(&second);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::replay::cache::curve::{CacheAccess, LOG_MAX};
    use crate::replay::tally::hot_keys::COUNTERS;
    use crate::trace::SLOTS;
    use crate::units::Exact;

    #[test]
    fn the_documented_size_of_a_part_is_that_of_the_code() {
        let text = include_str!("../../../docs/spark.md");
        let says = |what: String| assert!(text.contains(&what), "docs/spark.md lacks: {what}");
        says(format!("each second and slot ({SLOTS})"));
        says(format!("{COUNTERS} keys for each slot"));
        let (accesses, bytes) = (Exact::from(LOG_MAX as u64), size_of::<CacheAccess>());
        says(format!("{accesses} accesses of {bytes} bytes"));
    }
}
