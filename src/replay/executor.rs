//! What executes events on one thread: the engine, and what the full path remembers
//! between events.

use super::cache::exact::Caches;
use super::engine::{Engine, Moment};
use super::error::CannotExecute;
use super::fast::rows::{Failed, FastPath};
use super::full::{Events, Pending};
use super::options::ReplayOptions;
use super::tally::Tally;
use crate::table::KeySchema;
use crate::trace::{Bad, Event, Name, NameTable, RowPlace, Rows};
use crate::workload::Workload;

/// Executes events on one thread.
pub struct Executor {
    /// The tables, the rules and the sums.
    pub engine: Engine,
    /// What the full path remembers between events.
    pub pending: Pending,
    /// Totals of events that other shares count.
    discarded: Tally,
}

impl Executor {
    /// For the tables of a workload, or for those that the trace defines.
    pub fn new(
        workload: Option<&Workload>,
        region: &str,
        options: &ReplayOptions,
        caches: Caches,
    ) -> Executor {
        Executor {
            engine: Engine::new(workload, region, options, caches),
            pending: Pending::default(),
            discarded: Tally::new(options.verify),
        }
    }

    /// Executes one event.
    ///
    /// # Errors
    /// Why it cannot be executed, and its place.
    pub fn event(
        &mut self,
        event: Event,
        names: &NameTable,
        bad: &Bad,
    ) -> Result<(), (RowPlace, CannotExecute)> {
        let events = Events {
            engine: &mut self.engine,
            pending: &mut self.pending,
            names,
            bad,
            time: event.time,
            place: event.place,
            moment: Moment::new(event.time, event.place),
        };
        events.execute(event)
    }

    /// Executes one event whose totals another share counts: its effects on the tables are kept,
    /// and the sums of the keys of this share.
    ///
    /// # Errors
    /// As [`event`](Executor::event).
    pub fn event_of_another_share(
        &mut self,
        event: Event,
        names: &NameTable,
        bad: &Bad,
    ) -> Result<(), (RowPlace, CannotExecute)> {
        self.engine.tally.swap_totals(&mut self.discarded);
        let done = self.event(event, names, bad);
        self.engine.tally.swap_totals(&mut self.discarded);
        done
    }

    /// Executes rows of some slots, and returns the rows that cannot be executed.
    pub fn rows(
        &mut self,
        round: &[Rows],
        slots: &[usize],
        names: &NameTable,
        bad: &Bad,
    ) -> Vec<Failed> {
        let fast = FastPath {
            engine: &mut self.engine,
            pending: &mut self.pending,
            names,
            bad,
        };
        fast.rows(round, slots)
    }

    /// Defines the table and the index that a call names, if no workload declares any.
    pub fn define(&mut self, table: Option<Name>, index: Option<Name>, names: &NameTable) {
        let found = self.engine.table(table, names, KeySchema::unnamed);
        if let (Ok(table), Some(index)) = (found, index) {
            self.engine.tables.index(table, names.text(index));
        }
    }

    /// Ends the run: reads that still wait for a size stay without one.
    pub fn finish(&mut self) {
        let why = "a miss in a cache trace whose key is never written, so the size of the item is \
                   unknown";
        for waiting in std::mem::take(&mut self.pending.waiting)
            .into_values()
            .flatten()
        {
            let kind = waiting.kind();
            let call = self.engine.tally.totals.call(kind);
            call.calls += 1;
            call.add_unmetered(1, why);
        }
        self.engine.tally.keys.close_minutes();
        for at in 0..self.engine.tables.list.len() {
            let held = self.engine.held(at);
            self.engine.tally.totals.held.insert(at, held);
            if self.engine.tables.list[at].has_items {
                self.engine.tally.totals.with_items.insert(at);
            }
            self.engine.entities(at);
        }
    }
}
