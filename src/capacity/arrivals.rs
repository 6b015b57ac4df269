//! Calls as they arrive: their rates over the week, what they consume, and how long and finely they are
//! simulated.

use std::sync::Arc;

use super::shape::{Course, WEEK_MINUTES};

/// Minutes of a day.
pub(super) const DAY_MINUTES: usize = 1440;

/// How long and how finely demand is simulated, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon {
    /// Whole days.
    pub days: u64,
    /// Seconds of a step: 1 or 60.
    pub step_seconds: u64,
    /// The seed of all draws.
    pub seed: u64,
}

impl Horizon {
    /// Steps of a minute.
    pub(super) fn steps_a_minute(&self) -> usize {
        (60 / self.step_seconds.clamp(1, 60)) as usize
    }

    /// All steps.
    pub(super) fn steps(&self) -> usize {
        self.days as usize * DAY_MINUTES * self.steps_a_minute()
    }
}

impl Default for Horizon {
    /// A week, second by second.
    fn default() -> Horizon {
        Horizon {
            days: 7,
            step_seconds: 1,
            seed: 1,
        }
    }
}

/// Calls that arrive at random, and the units per call.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrivals {
    /// Calls a second, on average over the week.
    pub per_second: f64,
    /// The rate of each hour of the week, or of each minute, divided by its mean.
    pub shape: Arc<[f64]>,
    /// How the rate goes from one hour to the next.
    pub course: Course,
    /// Half units of a call, with the share of calls that consume them; if the shares add up to
    /// less than 1, the other calls consume nothing.
    pub calls: Vec<(u64, f64)>,
}

impl Arrivals {
    /// Everything that a draw depends on, as bits.
    pub fn bits(&self) -> impl Iterator<Item = u64> {
        let calls = self
            .calls
            .iter()
            .flat_map(|(halves, share)| [*halves, share.to_bits()]);
        let course = u64::from(self.course == Course::Smooth);
        [self.per_second.to_bits(), course]
            .into_iter()
            .chain(self.shape.iter().map(|factor| factor.to_bits()))
            .chain(calls)
    }

    /// The rate of a minute of the week: that of its hour, or, if the course is smooth,
    /// interpolated between the middles of two hours. The mean over the week is the same either
    /// way.
    pub fn rate(&self, minute: u64) -> f64 {
        let hours = self.shape.len().max(1) as u64;
        if self.course == Course::Steps {
            let each = (WEEK_MINUTES / hours).max(1);
            return self.per_second * self.shape[((minute / each) % hours) as usize];
        }
        let from_middle = minute + hours * 60 - 30;
        let (hour, past) = ((from_middle / 60) % hours, from_middle % 60);
        let (before, after) = (
            self.shape[hour as usize],
            self.shape[((hour + 1) % hours) as usize],
        );
        self.per_second * (before + (after - before) * past as f64 / 60.0)
    }
}

/// A separate seed for each account and group (FNV-1a), so that a change to one does not affect the
/// others.
pub fn seed_of(seed: u64, account: &str, group: usize) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    account
        .bytes()
        .chain((group as u64).to_le_bytes())
        .fold(start, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
