//! The full path: everything that the fast path cannot execute, in the order of the trace.

mod batches;
mod calls;
mod changes;
mod counted;
mod found;
mod metered;
mod pages;
mod requests;
mod statements;
mod writes;

use std::collections::BTreeMap;

use super::engine::{CallSite, Engine, Moment};
use super::error::CannotExecute;
use super::state::tokens::Tokens;
use super::tally::consumption::CallKind;
use crate::table::Direction;
use crate::trace::{Bad, Event, Name, NameTable, RowPlace, StartingState, Time, TracedCall, What};

/// What the full path remembers between events.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// The first calls of transactions, by their tokens.
    pub tokens: Tokens,
    /// Reads that wait for the size that the next write of their key gives.
    pub waiting: BTreeMap<u64, Vec<Waiting>>,
    /// Full exports whose tables are not defined yet.
    pub exports: Vec<StartingState>,
}

/// A read that waits for the size that the next write of its key gives.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Waiting {
    /// The read.
    pub call: TracedCall,
    /// The table, by position.
    pub table: usize,
    /// The region, by position.
    pub region: usize,
    /// The second in which it was made.
    pub second: i64,
}

impl Waiting {
    /// The kind of call that it is.
    pub fn kind(&self) -> CallKind {
        CallKind {
            table: self.table,
            region: self.region,
            caller: self.call.caller,
            api: Some(self.call.api),
            direction: Direction::Read,
            index: None,
        }
    }
}

/// Executes one event.
pub struct Events<'e> {
    /// The tables, the rules and the sums.
    pub engine: &'e mut Engine,
    /// What is remembered between events.
    pub pending: &'e mut Pending,
    /// Numbers of names.
    pub names: &'e NameTable,
    /// The files, for messages.
    pub bad: &'e Bad,
    /// The event's time.
    pub time: Time,
    /// The event's place in its file.
    pub place: RowPlace,
    /// The event's time, place and second.
    pub moment: Moment,
}

impl Events<'_> {
    /// Executes the event.
    ///
    /// # Errors
    /// Why it cannot be executed, and its place.
    pub fn execute(mut self, event: Event) -> Result<(), (RowPlace, CannotExecute)> {
        // Units of a period last until its end.
        let until = match &event.what {
            What::Counted(counted) => {
                let seconds = i64::from(counted.seconds.max(1) - 1);
                Time(event.time.0.saturating_add(seconds * Time::SECOND))
            }
            _ => event.time,
        };
        let done = match event.what {
            What::Call(call) => self.call(event.table, call),
            What::Request(request) => self.request(*request),
            What::Change(change) => self.change(event.table, *change),
            What::Counted(counted) => self.counted(event.table, &counted),
            What::Throttled(count) => {
                let throttled = &mut self.engine.tally.totals.throttled;
                *throttled = throttled.saturating_add(count);
                Ok(())
            }
        };
        done.map_err(|wrong| (self.place, wrong))?;
        let totals = &mut self.engine.tally.totals;
        totals.events += 1;
        totals.cover(event.time, until);
        Ok(())
    }

    /// The name of the caller, if it is known.
    fn caller(&self, caller: Option<Name>) -> Option<&str> {
        caller.map(|caller| self.names.text(caller))
    }

    /// Counts a call whose units are unknown, with the reason.
    fn unmetered(&mut self, site: &CallSite, why: &'static str) {
        let direction = if site.api.is_read() {
            Direction::Read
        } else {
            Direction::Write
        };
        let call = self.engine.tally.totals.call(site.kind(direction));
        call.writes = direction == Direction::Write;
        call.index = site.index;
        call.calls += 1;
        call.add_unmetered(1, why);
    }
}
