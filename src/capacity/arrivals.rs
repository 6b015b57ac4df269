//! Calls as they arrive: their rates over the week, what they consume, and how long and finely they are
//! simulated.

use super::factors::{Course, Factors};
use super::fingerprint::Fingerprint;
use super::minute::steps_a_minute;
use crate::time::DAY_MINUTES;

/// How long and how finely demand is simulated, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon {
    /// Whole days.
    pub days: u64,
    /// Seconds of a step, which divide a minute: 1, or 60 for whole minutes.
    pub step_seconds: u64,
    /// The seed of all draws.
    pub seed: u64,
}

impl Horizon {
    /// Steps of a minute.
    pub(super) fn steps_a_minute(&self) -> usize {
        steps_a_minute(self.step_seconds) as usize
    }

    /// All minutes.
    pub(super) fn minutes(&self) -> usize {
        (self.days * DAY_MINUTES) as usize
    }

    /// All steps.
    pub(super) fn steps(&self) -> usize {
        self.minutes() * self.steps_a_minute()
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
    pub shape: Factors,
    /// How the rate goes from one hour to the next.
    pub course: Course,
    /// Half units of a call, with the share of calls that consume them; if the shares add up to
    /// less than 1, the other calls consume nothing.
    pub calls: Vec<(u64, f64)>,
}

impl Arrivals {
    /// The rate of a minute of the week.
    pub fn rate(&self, minute: u64) -> f64 {
        self.per_second * self.shape.at(minute, self.course)
    }

    /// The mean of a call's half units, and of their squares.
    pub(super) fn moments(&self) -> (f64, f64) {
        let add = |(mean, square): (f64, f64), (halves, share): &(u64, f64)| {
            let halves = *halves as f64;
            (mean + share * halves, square + share * halves * halves)
        };
        self.calls.iter().fold((0.0, 0.0), add)
    }

    /// Everything that draws of some arrivals depend on, but for their account and the horizon.
    pub fn fingerprint(all: &[Arrivals]) -> Fingerprint {
        let of = |one: &Arrivals| {
            let course = u64::from(one.course == Course::Smooth);
            let [first, second] = one.shape.fingerprint().numbers();
            let head = [one.per_second.to_bits(), course, first, second];
            let calls = one.calls.clone().into_iter();
            let calls = calls.flat_map(|(halves, share)| [halves, share.to_bits()]);
            let count = one.calls.len() as u64;
            head.into_iter().chain([count]).chain(calls)
        };
        Fingerprint::of(all.iter().flat_map(of))
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
