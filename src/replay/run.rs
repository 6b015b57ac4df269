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

use super::deal::can_deal;
use super::error::ReplayError;
use super::executor::Executor;
use super::options::ReplayOptions;
use super::part::{Heats, Read, ReplayPart, settle};
use crate::replay::cache::exact::Caches;
use crate::replay::fast::rows::Failed;
use crate::replay::part::file::{self as part_file, Loaded, Saved};
use crate::replay::part::table::PartInput;
use crate::replay::tally::FIRST_SKIPPED;
use crate::replay::tally::merge::Merge;
use crate::trace::KeyShare;
use crate::trace::{
    Bad, Batch, Event, Name, NameTable, Rows, SLOTS, Time, Trace, TraceError, TraceFormat, What,
    mixed, salt, sign, starting_items,
};
use crate::workload::Workload;

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
    /// Events that were executed: of one share.
    executed: u64,
    /// Calls that took the full path although their format has the fast one.
    one_by_one: u64,
    settings: String,
    /// A checkpoint from which the run continues, once all events that it covers have been read.
    resume: Option<Box<Loaded>>,
    /// The next batch, which was read while the one before it was executed.
    ahead: Option<Result<Batch, TraceError>>,
    /// Copies of the names and the files, for the execution of a batch while the next one is read.
    known: Option<(NameTable, Bad)>,
}

const SAME_FILES: &str = "give the same files as before, or delete the checkpoint to start over";

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
            executor.engine.share = options.share;
            executor
        };
        let mut executors: Vec<Executor> = (0..threads).map(|_| executor()).collect();
        if let Some(dealt) = trace.dealt_rows() {
            can_deal(workload, options, [])?;
            if dealt.share != options.share {
                let text = format!(
                    "the rows are of share {}, not of {}",
                    dealt.share, options.share
                );
                return Err(ReplayError::part(text));
            }
        }
        start(&trace, &mut executors[0])?;
        // These need all events in one order: a DAX cluster in the design, caches of given sizes, a
        // starting state.
        let tables = &executors[0].engine.tables.list;
        let single = !trace.states.is_empty()
            || executors[0].engine.caches.is_needed(None)
            || tables.iter().any(|state| state.design.dax.is_some());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|error| {
            ReplayError::empty(format!("cannot start {threads} threads: {error}"))
        })?;
        let mut run = ReplayRun {
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
            executed: 0,
            one_by_one: 0,
            settings: part_file::settings(workload, options),
            resume: None,
            ahead: None,
            known: None,
        };
        run.define_dealt();
        Ok(run)
    }

    /// Defines the tables that dealt rows name, in the order of the rows of all shares.
    fn define_dealt(&mut self) {
        let Some(dealt) = self.trace.dealt_rows() else {
            return;
        };
        let mut named: Vec<_> = dealt
            .files
            .iter()
            .flat_map(|file| file.names.iter().map(move |named| (named, file.number)))
            .map(|(named, file)| (named.time, file, named.row, named.clone()))
            .collect();
        named.sort();
        let number =
            |name: Option<String>, names: &mut NameTable| name.map(|name| names.number(&name));
        let names = &mut self.trace.names;
        let all: Vec<(Option<Name>, Option<Name>)> = named
            .into_iter()
            .map(|(.., named)| (number(named.table, names), number(named.index, names)))
            .collect();
        self.define(&all);
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
        let input = PartInput::File(path.to_path_buf());
        let loaded = part_file::read(&input, workload, options)?;
        loaded.check(&input, true)?;
        if loaded.header.covers != [self.share] {
            return Err(ReplayError::part(format!(
                "{}: is a checkpoint of share {}, not of share {}",
                path.display(),
                loaded.header.shares(),
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

    /// How many calls took the full path although their format has the fast one: they are executed one by
    /// one, which takes about twice as long.
    pub fn calls_one_by_one(&self) -> u64 {
        self.one_by_one
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
            covers: &[self.share],
            executed: self.executed,
            settings: self.settings.clone(),
            unfinished: true,
        };
        part_file::write(&saved, into)
    }

    /// The executor of the thread to which a slot belongs.
    fn executor_of(&mut self, slot: u8) -> &mut Executor {
        let at = thread_of(slot, self.share, self.executors.len());
        &mut self.executors[at]
    }

    /// Loads the state of the checkpoint, once all events that it covers have been read.
    fn take_up(&mut self) -> Result<(), ReplayError> {
        let is_read = |loaded: &mut Box<Loaded>| loaded.header.read.events <= self.events;
        let Some(resume) = self.resume.take_if(is_read) else {
            return Ok(());
        };
        let Loaded {
            header,
            part,
            store,
        } = *resume;
        if (header.read.events, header.read.signature) != (self.events, self.signature) {
            let error = ReplayError::part("the checkpoint is of another trace");
            return Err(error.with_help(SAME_FILES));
        }
        let ReplayPart {
            executor,
            heat,
            names,
            ..
        } = part;
        self.heat = heat;
        self.executed = header.executed;
        for own in &mut self.executors {
            let tables = &mut own.engine.tables;
            tables
                .define_again(&executor.engine.tables.definitions)
                .map_err(ReplayError::part)?;
            let is_undefined = |name: &String| tables.find(name).is_none();
            let exports = &mut own.pending.exports;
            exports.retain(|state| state.table.as_ref().is_some_and(is_undefined));
        }
        for (table, slot, key, state, halves) in store {
            let tables = &mut self.executor_of(slot).engine.tables.list;
            if let Some(table) = tables.get_mut(table) {
                table.store.restore(slot, key, state, halves);
            }
        }
        self.take_up_sums(executor, &names);
        Ok(())
    }

    /// Loads the sums of a checkpoint: hot keys and waiting reads go to the thread of their slot,
    /// everything else to the first thread.
    fn take_up_sums(&mut self, executor: Executor, names: &NameTable) {
        let Executor {
            engine, pending, ..
        } = executor;
        let mut tally = engine.tally;
        let own_names = &mut self.trace.names;
        let totals = &mut tally.totals;
        totals.renumber_callers(|caller| own_names.number(names.text(caller)));
        for (account, slots) in std::mem::take(&mut tally.keys.hot) {
            for (slot, hot) in (0..=u8::MAX).zip(slots.0) {
                if hot.total > 0 {
                    let own = &mut self.executor_of(slot).engine.tally.keys.hot;
                    *own.entry(account).or_default().slot(slot) = hot;
                }
            }
        }
        for (key, waiting) in pending.waiting {
            for one in waiting {
                let slot = self.executors[0]
                    .engine
                    .state(one.table)
                    .slot(&one.call.key);
                let own = &mut self.executor_of(slot).pending.waiting;
                own.entry(key).or_default().push(one);
            }
        }
        let first = &mut self.executors[0];
        // Nothing was added up yet.
        first.engine.tally.totals.verification = None;
        first.engine.tally.merge_from(tally);
        first.engine.caches = engine.caches;
        first.pending.tokens = pending.tokens;
        let states = first.engine.tables.list.iter_mut();
        for (own, state) in states.zip(engine.tables.list) {
            own.stored = state.stored;
            own.has_items = state.has_items;
        }
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
        let batch = match self.ahead.take() {
            Some(batch) => batch?,
            None => self.pool.install(|| trace.batch())?,
        };
        let dealt = *self
            .dealt
            .get_or_insert_with(|| !self.single && self.trace.kinds().all(TraceFormat::is_calls));
        if !dealt {
            self.executors.truncate(1);
        }
        if dealt || self.trace.dealt_rows().is_some() {
            // Each executor receives only keys of this share.
            for executor in &mut self.executors {
                executor.engine.share = KeyShare::default();
            }
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
                let text = "the checkpoint covers more events than the trace has";
                return Err(ReplayError::part(text).with_help(SAME_FILES));
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

    /// Defines tables and indexes that no workload declares, the same for every thread.
    fn define(&mut self, names: &[(Option<Name>, Option<Name>)]) {
        if self.executors[0].engine.declared {
            return;
        }
        for executor in &mut self.executors {
            for (table, index) in names {
                executor.define(*table, *index, &self.trace.names);
            }
        }
    }

    fn rows(&mut self, round: &[Rows]) -> Result<(), ReplayError> {
        let kinds = round.iter().flat_map(|rows| &rows.kinds);
        let tables: Vec<_> = kinds.map(|kind| (kind.table, None)).collect();
        self.define(&tables);
        let owned: Vec<usize> = (0..SLOTS)
            .filter(|slot| self.share.owns(*slot as u8))
            .collect();
        for rows in round {
            self.signature = self.signature.wrapping_add(rows.signature);
            self.events += rows.rows.len() as u64;
            let own = owned.iter().map(|slot| rows.slot(*slot).len() as u64);
            self.executed += own.sum::<u64>();
        }
        let count = self.executors.len();
        let (names, bad) = (&self.trace.names, &self.trace.bad);
        let execute = |(at, executor): (usize, &mut Executor)| {
            let slots: Vec<usize> = owned.iter().skip(at).step_by(count).copied().collect();
            executor.rows(round, &slots, names, bad)
        };
        let executors = &mut self.executors;
        let failed: Vec<Vec<Failed>> = self
            .pool
            .install(|| executors.par_iter_mut().enumerate().map(execute).collect());
        self.failed(failed.into_iter().flatten().collect())?;
        if let Some(last) = round.last() {
            self.settle(last.last);
        }
        Ok(())
    }

    fn events(&mut self, first: u64, events: Vec<Event>) -> Result<(), ReplayError> {
        let last = events.last().map(|event| event.time);
        self.events += events.len() as u64;
        for (ordinal, event) in (first..).zip(&events) {
            self.signature = self.signature.wrapping_add(signature(event, ordinal));
        }
        let is_dealt = self.dealt == Some(true);
        if is_dealt {
            if self.trace.kinds().all(TraceFormat::has_fast_path) {
                self.one_by_one += events.len() as u64;
            }
            let names = |event: &Event| match &event.what {
                What::Call(call) if !call.api.is_free() => Some((event.table, call.index)),
                _ => None,
            };
            let mut all: Vec<_> = events.iter().filter_map(names).collect();
            all.dedup();
            self.define(&all);
        }
        let failed = if is_dealt && (self.executors.len() > 1 || self.share.of > 1) {
            self.events_by_slot(events)
        } else if !is_dealt && self.pool.current_num_threads() > 1 && self.ahead.is_none() {
            self.events_while_reading(first, events)
        } else {
            self.events_in_order(first, events)
        };
        self.failed(failed)?;
        if let Some(last) = last {
            self.settle(last);
        }
        Ok(())
    }

    /// Executes each event on the thread of its key's slot, if the slot belongs to this share.
    fn events_by_slot(&mut self, events: Vec<Event>) -> Vec<Failed> {
        let count = self.executors.len();
        let mut of_threads: Vec<Vec<Event>> = vec![Vec::new(); count];
        let (names, bad) = (&self.trace.names, &self.trace.bad);
        for event in events {
            let slot = match &event.what {
                What::Call(call) => self.executors[0].engine.slot(event.table, &call.key, names),
                _ => 0,
            };
            if self.share.owns(slot) {
                self.executed += 1;
                of_threads[thread_of(slot, self.share, count)].push(event);
            }
        }
        let execute = |(executor, events): (&mut Executor, Vec<Event>)| -> Vec<Failed> {
            let one = |event: Event| {
                let time = event.time;
                let (place, wrong) = executor.event(event, names, bad).err()?;
                Some((time, place, wrong))
            };
            events.into_iter().filter_map(one).collect()
        };
        let executors = &mut self.executors;
        let failed: Vec<Vec<Failed>> = self.pool.install(|| {
            executors
                .par_iter_mut()
                .zip(of_threads)
                .map(execute)
                .collect()
        });
        failed.into_iter().flatten().collect()
    }

    /// Executes the events in their order, while another thread reads the next batch.
    fn events_while_reading(&mut self, first: u64, events: Vec<Event>) -> Vec<Failed> {
        let trace = &mut self.trace;
        let (names, bad) = self
            .known
            .get_or_insert_with(|| (trace.names.clone(), trace.bad.clone()));
        // The next batch may add names; this one has none of them.
        if names.len() != trace.names.len() {
            *names = trace.names.clone();
        }
        let in_order = InOrder {
            share: self.share,
            is_dealt: trace.dealt_rows().is_some(),
            names,
            bad,
        };
        let executor = &mut self.executors[0];
        let (ahead, (failed, executed)) = self.pool.install(|| {
            rayon::join(
                || trace.batch(),
                || in_order.execute(executor, first, events),
            )
        });
        self.ahead = Some(ahead);
        self.executed += executed;
        failed
    }

    /// Executes the events in their order.
    fn events_in_order(&mut self, first: u64, events: Vec<Event>) -> Vec<Failed> {
        let in_order = InOrder {
            share: self.share,
            is_dealt: self.trace.dealt_rows().is_some(),
            names: &self.trace.names,
            bad: &self.trace.bad,
        };
        let (failed, executed) = in_order.execute(&mut self.executors[0], first, events);
        self.executed += executed;
        failed
    }

    /// Events that could not be executed: the first ends the run, or all are counted.
    fn failed(&mut self, mut failed: Vec<Failed>) -> Result<(), TraceError> {
        failed.sort_by_key(|(time, place, _)| (*time, *place));
        for (_, place, (reason, message)) in failed {
            let text = self.trace.bad.refused(place, reason, message)?;
            let totals = &mut self.executors[0].engine.tally.totals;
            totals.skip(place, reason, text);
        }
        Ok(())
    }

    /// Adds the seconds before `now`, which no later event can change, to the partitions.
    fn settle(&mut self, now: Time) {
        if self.partial {
            return;
        }
        let before = now.second();
        let Some((first, others)) = self.executors.split_first_mut() else {
            return;
        };
        let all = &mut first.engine.tally.keys.seconds;
        for executor in others {
            for (place, seconds) in &mut executor.engine.tally.keys.seconds {
                let ended = seconds.before(before);
                all.entry(*place).or_default().extend(ended);
            }
        }
        let tables = &first.engine.tables.list;
        settle(all, &mut self.heat, before, |table| {
            tables[table].starting_partitions()
        });
    }

    /// Ends the run and writes its part, to be merged with the parts of the other shares.
    ///
    /// # Errors
    /// [`ReplayError::Part`] if it cannot be written.
    pub fn finish_part(self, into: impl Write + Send) -> Result<(), ReplayError> {
        let settings = self.settings.clone();
        part_file::write_part(&self.finish(), settings, into)
    }

    /// Ends the run.
    pub fn finish(mut self) -> ReplayPart {
        self.executors.iter_mut().for_each(Executor::finish);
        let mut executors = self.executors.into_iter();
        let Some(mut executor) = executors.next() else {
            unreachable!("there is one for each thread, at least one")
        };
        for other in executors {
            executor.engine.tally.merge_from(other.engine.tally);
        }
        let mut read = Read {
            events: self.events,
            signature: self.signature,
            ..read_of(&self.trace)
        };
        let mut executed = self.executed;
        if let Some(dealt) = self.trace.dealt_rows() {
            read.events = dealt.files.iter().map(|file| file.rows).sum();
            let signatures = dealt.files.iter().map(|file| file.signature);
            read.signature = signatures.fold(0, u64::wrapping_add);
            executed += dealt.copies;
            executor.engine.tally.totals.copies = dealt.copied_records;
        }
        ReplayPart {
            covers: vec![self.share],
            executed,
            read,
            names: self.trace.names,
            executor,
            heat: self.heat,
        }
    }
}

/// What it takes to execute events in their order, on one thread.
struct InOrder<'a> {
    share: KeyShare,
    is_dealt: bool,
    names: &'a NameTable,
    bad: &'a Bad,
}

impl InOrder<'_> {
    /// Executes the events; those of other shares only for their effects. Returns those that cannot be
    /// executed, and how many are of this share.
    fn execute(
        &self,
        executor: &mut Executor,
        first: u64,
        events: Vec<Event>,
    ) -> (Vec<Failed>, u64) {
        let (mut failed, mut executed) = (Vec::new(), 0);
        for (ordinal, event) in (first..).zip(events) {
            let counts = match self.is_dealt {
                true => self.share.counts_event(&event),
                false => self.share.counts(ordinal),
            };
            executed += u64::from(counts);
            let time = event.time;
            let done = if counts {
                executor.event(event, self.names, self.bad)
            } else {
                executor.event_of_another_share(event, self.names, self.bad)
            };
            let Err((place, wrong)) = done else { continue };
            if counts || !self.bad.skip {
                failed.push((time, place, wrong));
            }
            if !self.bad.skip {
                break;
            }
        }
        (failed, executed)
    }
}

/// Loads full exports into the starting state.
fn start(trace: &Trace, executor: &mut Executor) -> Result<(), ReplayError> {
    for state in &trace.states {
        let shown = state.folder.display().to_string();
        let wrong = |message: String| ReplayError::Trace(TraceError::file(&shown, message));
        let table = match &state.table {
            Some(name) => executor.engine.tables.find(name),
            None => executor.engine.tables.only(),
        };
        let Some(table) = table else {
            // A log may define the table later, with the key schema that an export does not
            // contain.
            executor.pending.exports.push(state.clone());
            continue;
        };
        let numbers = executor.engine.switches.number_alignment;
        let loaded = &mut executor.engine.tables.list[table];
        let take = &mut |file: &str, line, item| {
            loaded
                .load(item, numbers)
                .map_err(|(_, message)| format!("{file}:{line}: {message}"))
        };
        starting_items(&state.folder, take).map_err(wrong)?;
    }
    Ok(())
}

/// The thread to which a slot of a share belongs.
fn thread_of(slot: u8, share: KeyShare, threads: usize) -> usize {
    usize::from(slot) / share.of as usize % threads
}

/// What was read of a trace, without its events.
fn read_of(trace: &Trace) -> Read {
    let states = trace.states.iter();
    let exports = states.map(|state| state.folder.display().to_string());
    let kinds = trace.kinds().map(TraceFormat::name);
    let export = (!trace.states.is_empty()).then_some("export");
    let skipped = trace.bad.skipped.iter();
    let first_skipped = trace.bad.first.iter().take(FIRST_SKIPPED);
    let has_key_names =
        |kind: TraceFormat| matches!(kind, TraceFormat::Streams | TraceFormat::IncrementalExport);
    Read {
        files: trace.files().chain(exports).collect(),
        kinds: kinds.chain(export).map(str::to_string).collect(),
        notes: trace.own_notes().clone(),
        skipped: skipped.map(|(reason, count)| (*reason, *count)).collect(),
        first_skipped: first_skipped
            .map(|(place, text)| (*place, text.clone()))
            .collect(),
        asked: trace.asked(),
        window: trace.window,
        guessed: trace.kinds().any(has_key_names),
        events: 0,
        signature: 0,
    }
}

/// The signature of an event.
fn signature(event: &Event, ordinal: u64) -> u64 {
    match &event.what {
        What::Call(call) => sign(event.time.0, call.key.hash),
        _ => sign(event.time.0, mixed(ordinal, salt::SIGNATURE)),
    }
}
