//! Demand as the ledger reads it: a series, or a series with other traffic.

use super::series::{Minute, Series};

/// The demand of an account direction in equal steps of time.
pub trait Steps {
    /// Seconds of a step: 1, or 60 if only minutes are known.
    fn step_seconds(&self) -> u64;

    /// The minute of the week at which it starts, counted from Monday 00:00 UTC.
    fn start_minute(&self) -> u64;

    /// Whole minutes.
    fn minutes(&self) -> u64;

    /// Into how many parts a half unit is divided; figures are in these parts.
    fn parts(&self) -> u64 {
        1
    }

    /// The demand of a minute; `None` after the end.
    fn minute(&self, at: u64) -> Option<Minute>;

    /// The demand of each step of a minute; `None` after the end. `room` may be used to compute it.
    fn steps<'a>(&'a self, at: u64, room: &'a mut Vec<u64>) -> Option<&'a [u64]>;
}

impl Steps for Series {
    fn step_seconds(&self) -> u64 {
        self.step_seconds
    }

    fn start_minute(&self) -> u64 {
        self.start_minute
    }

    fn minutes(&self) -> u64 {
        Series::minutes(self)
    }

    fn minute(&self, at: u64) -> Option<Minute> {
        self.by_minute().get(usize::try_from(at).ok()?).copied()
    }

    fn steps<'a>(&'a self, at: u64, _: &'a mut Vec<u64>) -> Option<&'a [u64]> {
        let steps = self.steps_a_minute();
        let first = usize::try_from(at).ok()?.checked_mul(steps)?;
        self.halves().get(first..first.checked_add(steps)?)
    }
}
