//! Runs a trace: rows are divided among threads by the slot of their keys; everything else is
//! executed in order.
//!
//! The state of a key belongs to its slot, and sums are integers. So the result does not depend on
//! the number of threads, on the division of keys into shares, or on where a run is interrupted and
//! resumed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use rayon::ThreadPool;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::executor::{Executor, starting_partitions};
use super::{ReplayError, ReplayOptions};
use crate::replay::cache::exact::Caches;
use crate::replay::fast::rows::Failed;
use crate::replay::part::file::{self as part, Loaded, Saved};
use crate::replay::tally::hot_keys::HotKeys;
use crate::replay::tally::partitions::{Partitions, Strip};
use crate::replay::tally::{FIRST_SKIPPED, KeyShare};
use crate::trace::{
    Batch, Event, NameTable, RowPlace, Rows, SLOTS, SkipReason, Time, Trace, TraceError,
    TraceFormat, What, mixed, salt, sign,
};
use crate::workload::Workload;

/// What was read of a trace; the same for every thread and share that executes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Read {
    /// The files.
    pub files: Vec<String>,
    /// Their formats.
    pub kinds: Vec<String>,
    /// Notes on the formats.
    pub notes: Vec<String>,
    /// Rows that could not be read, by reason.
    pub skipped: Vec<(SkipReason, u64)>,
    /// The first of the skipped rows.
    pub first_skipped: Vec<(RowPlace, String)>,
    /// The time that incremental exports state they cover.
    pub window: Option<(Time, Time)>,
    /// Whether only the names of the key attributes are known, not which is the partition key.
    pub guessed: bool,
    /// Number of events.
    pub events: u64,
    /// Signature of the events, to recognize a different trace.
    pub signature: u64,
}

/// The result of a run before it is priced: of all keys, or of a share of them.
pub struct ReplayPart {
    /// Summary of the trace.
    pub read: Read,
    /// The names and their numbers.
    pub names: NameTable,
    /// The executor: the designs and all totals.
    pub executor: Executor,
    /// Partitions and heat map of each table in each region; only of all keys together.
    pub heat: Heats,
}

impl ReplayPart {
    /// Passes the slot seconds before a given second to the partitions, which need those of all
    /// keys together.
    pub fn settle(&mut self, before: i64) {
        let heat = std::mem::take(&mut self.heat);
        let mut grains = std::mem::take(&mut self.executor.tally.grains);
        let tables = &self.executor.tables;
        self.heat = settled(&mut grains, heat, before, |table| {
            starting_partitions(&tables.list[table].design)
        });
        self.executor.tally.grains = grains;
    }

    /// Merges another share of the same trace.
    pub fn join(&mut self, other: ReplayPart) {
        let mut tally = other.executor.tally;
        for (mut kind, traced) in std::mem::take(&mut tally.consumption.kinds) {
            kind.caller = kind
                .caller
                .map(|caller| self.names.number(other.names.text(caller)));
            self.executor.tally.consumption.kind(kind).add(&traced);
        }
        self.executor.tally.join(tally);
        if self.executor.caches.tables.is_empty() {
            self.executor.caches = other.executor.caches;
        }
    }
}

/// A run, executed batch by batch.
pub struct ReplayRun {
    trace: Trace,
    /// One executor for each thread; the first also holds what belongs to no single thread.
    executors: Vec<Executor>,
    pool: ThreadPool,
    share: KeyShare,
    /// Whether the result is a part to be merged with others; then partitions are simulated only
    /// after the merge.
    partial: bool,
    /// Whether rows are divided among threads; unknown before the first batch.
    dealt: Option<bool>,
    single: bool,
    heat: Heats,
    events: u64,
    signature: u64,
    settings: String,
    /// A checkpoint from which the run continues, once all events that it covers have been read.
    resume: Option<Box<Loaded>>,
}

impl ReplayRun {
    /// Prepares a run: the tables and the starting state.
    ///
    /// # Errors
    /// [`ReplayError`] if a starting state cannot be read.
    pub fn new(
        trace: Trace,
        workload: Option<&Workload>,
        options: &ReplayOptions,
    ) -> Result<ReplayRun, ReplayError> {
        let region = workload
            .map(|workload| workload.region.clone())
            .or_else(|| options.region.clone())
            .unwrap_or_default();
        let caches = Caches {
            sizes: options.dax_sizes.clone(),
            ttl_seconds: options.dax_ttl_seconds,
            overwrite: options.dax_overwrite,
            tables: BTreeMap::new(),
        };
        let threads = options.threads.max(1);
        let executor = || {
            let mut executor = Executor::new(workload, &region, options, caches.clone());
            executor.share = options.share;
            executor
        };
        let mut executors: Vec<Executor> = (0..threads).map(|_| executor()).collect();
        super::start(&trace, &mut executors[0])?;
        // These need all events in one order: a DAX cluster in the design, caches of given sizes, a
        // starting state.
        let single = !trace.states.is_empty()
            || executors[0].caches.is_needed(None)
            || executors[0]
                .tables
                .list
                .iter()
                .any(|state| state.design.dax.is_some());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| {
            ReplayError::Empty(format!("cannot start {threads} threads: {error}"))
        })?;
        Ok(ReplayRun {
            trace,
            executors,
            pool,
            share: options.share,
            partial: options.partial,
            dealt: None,
            single,
            heat: BTreeMap::new(),
            events: 0,
            signature: 0,
            settings: part::settings(workload, options),
            resume: None,
        })
    }

    /// Resumes from a checkpoint: the events that it covers are read again, but not executed.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if the file is not a checkpoint of this run.
    pub fn resume(
        &mut self,
        path: &Path,
        workload: Option<&Workload>,
        options: &ReplayOptions,
    ) -> Result<(), ReplayError> {
        let loaded = part::read(path, workload, options)?;
        loaded.check(path, true)?;
        if loaded.header.share != self.share {
            return Err(ReplayError::Part(format!(
                "{}: is a checkpoint of share {}, not of share {}",
                path.display(),
                loaded.header.share,
                self.share
            )));
        }
        self.resume = Some(Box::new(loaded));
        Ok(())
    }

    /// How many events were read. Those that a checkpoint covers were not executed again.
    pub fn events_read(&self) -> u64 {
        self.events
    }

    /// Whether the run is still reading events that its checkpoint covers.
    pub fn is_resuming(&self) -> bool {
        self.resume.is_some()
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if it cannot be written.
    pub fn save(&self, into: impl Write + Send) -> Result<(), ReplayError> {
        let saved = Saved {
            read: Read {
                events: self.events,
                signature: self.signature,
                ..Read::default()
            },
            names: &self.trace.names,
            executors: self.executors.iter().collect(),
            heat: &self.heat,
            share: self.share,
            settings: self.settings.clone(),
            unfinished: true,
        };
        part::write(&saved, into)
    }

    /// Loads the state of the checkpoint, once all events that it covers have been read.
    fn take_up(&mut self) -> Result<(), ReplayError> {
        let Some(resume) = self
            .resume
            .take_if(|loaded| loaded.header.read.events <= self.events)
        else {
            return Ok(());
        };
        let Loaded {
            header,
            part,
            store,
        } = *resume;
        if (header.read.events, header.read.signature) != (self.events, self.signature) {
            let text = "the checkpoint is of another trace\nhelp: give the same files as before, \
                        or delete the checkpoint to start over";
            return Err(ReplayError::Part(text.to_string()));
        }
        let ReplayPart {
            executor,
            heat,
            names,
            ..
        } = part;
        self.heat = heat;
        let count = self.executors.len();
        for own in &mut self.executors {
            own.tables
                .define_again(&executor.tables.definitions)
                .map_err(ReplayError::Part)?;
            let tables = &own.tables;
            own.exports.retain(|state| {
                state
                    .table
                    .as_ref()
                    .is_some_and(|name| tables.find(name).is_none())
            });
        }
        for (table, slot, key, state, halves) in store {
            let executor = &mut self.executors[usize::from(slot) / self.share.of as usize % count];
            if let Some(table) = executor.tables.list.get_mut(table) {
                table.store.restore(slot, key, state, halves);
            }
        }
        // Callers get new numbers.
        let mut tally = executor.tally;
        for (mut kind, traced) in std::mem::take(&mut tally.consumption.kinds) {
            kind.caller = kind
                .caller
                .map(|caller| self.trace.names.number(names.text(caller)));
            tally.consumption.kinds.insert(kind, traced);
        }
        // Hot keys and waiting reads go to the thread of their slot, everything else to the first
        // thread.
        for (lane, slots) in std::mem::take(&mut tally.heat) {
            for (slot, heat) in slots
                .into_iter()
                .enumerate()
                .filter(|(_, heat)| heat.total > 0)
            {
                let own = &mut self.executors[slot / self.share.of as usize % count]
                    .tally
                    .heat;
                own.entry(lane)
                    .or_insert_with(|| vec![HotKeys::default(); SLOTS])[slot] = heat;
            }
        }
        for (key, waiting) in executor.waiting {
            for one in waiting {
                let slot = self.executors[0].slot_of_key(one.table, &one.call.key);
                self.executors[usize::from(slot) / self.share.of as usize % count]
                    .waiting
                    .entry(key)
                    .or_default()
                    .push(one);
            }
        }
        let first = &mut self.executors[0];
        // Nothing was added up yet.
        first.tally.verification = None;
        first.tally.join(tally);
        first.caches = executor.caches;
        first.tokens = executor.tokens;
        for (own, state) in first.tables.list.iter_mut().zip(executor.tables.list) {
            own.stored = state.stored;
            own.has_items = state.has_items;
        }
        Ok(())
    }

    /// The trace.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Executes the next batch; `false` at the end.
    ///
    /// # Errors
    /// [`ReplayError`] if the trace cannot be read.
    pub fn batch(&mut self) -> Result<bool, ReplayError> {
        let trace = &mut self.trace;
        let batch = self.pool.install(|| trace.batch())?;
        let dealt = *self
            .dealt
            .get_or_insert_with(|| !self.single && self.trace.kinds().all(TraceFormat::is_calls));
        if !dealt {
            self.executors.truncate(1);
        } else {
            // Each executor receives only keys of this share.
            self.executors
                .iter_mut()
                .for_each(|executor| executor.share = KeyShare::default());
        }
        if self.resume.is_some() {
            return self.skip(batch);
        }
        match batch {
            Batch::End => return Ok(false),
            Batch::Events(first, events) => self.events(first, events)?,
            Batch::Rows(rows) if dealt => {
                self.rows(&rows)?;
                self.trace.recycle(rows);
            }
            Batch::Rows(rows) => {
                for rows in rows {
                    self.events(rows.ordinal, rows.events())?;
                }
            }
        }
        Ok(true)
    }

    /// Reads events that the checkpoint covers, without executing them.
    fn skip(&mut self, batch: Batch) -> Result<bool, ReplayError> {
        match batch {
            Batch::End => {
                let text = "the checkpoint covers more events than the trace has\nhelp: give the \
                            same files as before, or delete the checkpoint to start over";
                return Err(ReplayError::Part(text.to_string()));
            }
            Batch::Rows(rows) => {
                for rows in &rows {
                    self.signature = self.signature.wrapping_add(rows.signature);
                    self.events += rows.rows.len() as u64;
                }
            }
            Batch::Events(first, events) => {
                self.events += events.len() as u64;
                for (ordinal, event) in (first..).zip(events) {
                    self.signature = self.signature.wrapping_add(signature(&event, ordinal));
                }
            }
        }
        self.take_up()?;
        Ok(true)
    }

    /// Defines tables and indexes that no workload declares, in the same way for every thread.
    fn define<'b>(
        &mut self,
        names: impl Iterator<Item = (Option<crate::trace::Name>, Option<crate::trace::Name>)>
        + Clone
        + 'b,
    ) {
        if self.executors[0].declared {
            return;
        }
        for executor in &mut self.executors {
            for (table, index) in names.clone() {
                executor.define(table, index, &self.trace.names);
            }
        }
    }

    fn rows(&mut self, round: &[Rows]) -> Result<(), ReplayError> {
        let tables: Vec<_> = round
            .iter()
            .flat_map(|rows| &rows.kinds)
            .map(|kind| (kind.table, None))
            .collect();
        self.define(tables.iter().copied());
        for rows in round {
            self.signature = self.signature.wrapping_add(rows.signature);
            self.events += rows.rows.len() as u64;
        }
        let owned: Vec<usize> = (0..SLOTS)
            .filter(|slot| self.share.owns(*slot as u8))
            .collect();
        let count = self.executors.len();
        let (names, bad) = (&self.trace.names, &self.trace.bad);
        let execute = |(at, executor): (usize, &mut Executor)| {
            let slots: Vec<usize> = owned.iter().skip(at).step_by(count).copied().collect();
            executor.rows(round, &slots, names, bad)
        };
        let failed: Vec<Vec<Failed>> = self.pool.install(|| {
            self.executors
                .par_iter_mut()
                .enumerate()
                .map(execute)
                .collect()
        });
        self.failed(failed.into_iter().flatten().collect())?;
        if let Some(last) = round.last() {
            self.settle(last.last);
        }
        Ok(())
    }

    fn events(&mut self, first: u64, events: Vec<Event>) -> Result<(), ReplayError> {
        let last = events.last().map(|event| event.time);
        self.events += events.len() as u64;
        let dealt = self.dealt == Some(true);
        if dealt {
            let names = |event: &Event| match &event.what {
                What::Call(call) if !call.api.is_free() => Some((event.table, call.index)),
                _ => None,
            };
            let mut all: Vec<_> = events.iter().filter_map(names).collect();
            all.dedup();
            self.define(all.iter().copied());
        }
        let mut failed = Vec::new();
        if dealt && (self.executors.len() > 1 || self.share.of > 1) {
            let count = self.executors.len();
            let mut shares: Vec<Vec<(u64, Event)>> = vec![Vec::new(); count];
            for (ordinal, event) in (first..).zip(events) {
                self.signature = self.signature.wrapping_add(signature(&event, ordinal));
                let slot = match &event.what {
                    What::Call(call) => {
                        self.executors[0].slot(event.table, &call.key, &self.trace.names)
                    }
                    _ => 0,
                };
                if self.share.owns(slot) {
                    shares[usize::from(slot) / self.share.of as usize % count]
                        .push((ordinal, event));
                }
            }
            let (names, bad) = (&self.trace.names, &self.trace.bad);
            let execute = |(executor, events): (&mut Executor, Vec<(u64, Event)>)| -> Vec<Failed> {
                let one = |(ordinal, event)| {
                    executor
                        .event(ordinal, event, names, bad)
                        .err()
                        .map(|(place, wrong)| (ordinal, place, wrong))
                };
                events.into_iter().filter_map(one).collect()
            };
            let all: Vec<Vec<Failed>> = self.pool.install(|| {
                self.executors
                    .par_iter_mut()
                    .zip(shares)
                    .map(execute)
                    .collect()
            });
            failed = all.into_iter().flatten().collect();
        } else {
            let executor = &mut self.executors[0];
            for (ordinal, event) in (first..).zip(events) {
                self.signature = self.signature.wrapping_add(signature(&event, ordinal));
                executor.mute(!self.share.counts(ordinal));
                if let Err((place, wrong)) =
                    executor.event(ordinal, event, &self.trace.names, &self.trace.bad)
                {
                    let muted = !self.share.counts(ordinal);
                    if !muted || !self.trace.bad.skip {
                        failed.push((ordinal, place, wrong));
                    }
                    if !self.trace.bad.skip {
                        break;
                    }
                }
            }
            executor.mute(false);
        }
        self.failed(failed)?;
        if let Some(last) = last {
            self.settle(last);
        }
        Ok(())
    }

    /// Handles events that could not be executed: the first ends the run, or all are skipped and
    /// counted.
    fn failed(&mut self, mut failed: Vec<Failed>) -> Result<(), TraceError> {
        failed.sort_by_key(|(ordinal, ..)| *ordinal);
        for (_, place, (reason, message)) in failed {
            let text = self.trace.bad.refused(place, message)?;
            self.executors[0].tally.skip(place, reason, text);
        }
        Ok(())
    }

    /// Passes all completed seconds to the partitions.
    fn settle(&mut self, now: Time) {
        if self.partial {
            return;
        }
        let (first, others) = self.executors.split_at_mut(1);
        let before = now.second();
        for executor in others {
            for (place, grains) in &mut executor.tally.grains {
                let grains = grains.before(before);
                first[0]
                    .tally
                    .grains
                    .entry(*place)
                    .or_default()
                    .extend(grains);
            }
        }
        let mut grains = std::mem::take(&mut first[0].tally.grains);
        let heat = std::mem::take(&mut self.heat);
        self.heat = settled(&mut grains, heat, before, |table| {
            starting_partitions(&first[0].tables.list[table].design)
        });
        first[0].tally.grains = grains;
    }

    /// Ends the run and writes its part, to be merged with the parts of the other shares.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if it cannot be written.
    pub fn finish_part(self, into: impl Write + Send) -> Result<(), ReplayError> {
        let (share, settings) = (self.share, self.settings.clone());
        let part = self.finish();
        let saved = Saved {
            read: part.read.clone(),
            names: &part.names,
            executors: vec![&part.executor],
            heat: &part.heat,
            share,
            settings,
            unfinished: false,
        };
        part::write(&saved, into)
    }

    /// Ends the run.
    pub fn finish(mut self) -> ReplayPart {
        self.executors.iter_mut().for_each(Executor::finish);
        let mut executors = self.executors.into_iter();
        let Some(mut executor) = executors.next() else {
            unreachable!("there is an executor for each thread, so at least one")
        };
        for other in executors {
            executor.tally.join(other.tally);
        }
        let trace = self.trace;
        let mut skipped: Vec<(RowPlace, String)> = trace.bad.first.clone().into_iter().collect();
        skipped.truncate(FIRST_SKIPPED);
        let states = trace
            .states
            .iter()
            .map(|state| state.folder.display().to_string());
        let read = Read {
            files: trace.files().chain(states).collect(),
            kinds: trace
                .kinds()
                .map(TraceFormat::name)
                .chain((!trace.states.is_empty()).then_some("export"))
                .map(str::to_string)
                .collect(),
            notes: trace.notes().map(str::to_string).collect(),
            skipped: trace
                .bad
                .skipped
                .iter()
                .map(|(reason, count)| (*reason, *count))
                .collect(),
            first_skipped: skipped,
            window: trace.window,
            guessed: trace
                .kinds()
                .any(|kind| matches!(kind, TraceFormat::Streams | TraceFormat::IncrementalExport)),
            events: self.events,
            signature: self.signature,
        };
        ReplayPart {
            read,
            names: trace.names,
            executor,
            heat: self.heat,
        }
    }
}

/// The signature of an event.
fn signature(event: &Event, ordinal: u64) -> u64 {
    match &event.what {
        What::Call(call) => sign(event.time.0, call.key.hash),
        _ => sign(event.time.0, mixed(ordinal, salt::SIGNATURE)),
    }
}

/// Partitions and heat map of each table in each region, by table and region.
pub type Heats = BTreeMap<(usize, usize), (Partitions, Strip)>;

/// Passes the slot seconds before a given second to partitions.
pub fn settled(
    all: &mut BTreeMap<(usize, usize), crate::replay::tally::Grains>,
    mut heat: Heats,
    before: i64,
    starting: impl Fn(usize) -> u64,
) -> Heats {
    for (place, grains) in all {
        let grains = grains.before(before);
        if grains.is_empty() {
            continue;
        }
        let (partitions, strip) = heat
            .entry(*place)
            .or_insert_with(|| (Partitions::new(starting(place.0)), Strip::default()));
        for second in grains.chunk_by(|one, other| one.second == other.second) {
            partitions.second(second);
            second.iter().for_each(|grain| strip.add(grain));
        }
    }
    heat
}
