//! Demand as the ledger reads it: a series, or a series with other traffic.

use super::minute::{Minute, steps_a_minute};

/// The demand of an account direction in equal steps of time.
pub trait Steps {
    /// Seconds of a step, which divide a minute: 1, or 60 if only minutes are known.
    fn step_seconds(&self) -> u64;

    /// The minute of the week at which it starts, counted from Monday 00:00 UTC.
    fn start_minute(&self) -> u64;

    /// Whole minutes.
    fn minutes(&self) -> u64;

    /// Into how many parts a half unit is divided; figures are in these parts.
    fn parts(&self) -> u64 {
        1
    }

    /// Steps of a minute.
    fn steps_a_minute(&self) -> usize {
        steps_a_minute(self.step_seconds()) as usize
    }

    /// What a unit a second serves in a step, in the figures of the demand.
    fn unit(&self) -> u64 {
        2 * self.step_seconds() * self.parts()
    }

    /// The demand of a minute; `None` after the end.
    fn minute(&self, at: u64) -> Option<Minute>;

    /// The demand of all minutes, if it is known without computing it.
    fn all_minutes(&self) -> Option<&[Minute]> {
        None
    }

    /// The demand of each step of a minute; `None` after the end. `room` may be used to compute it.
    fn steps<'a>(&'a self, at: u64, room: &'a mut Vec<u64>) -> Option<&'a [u64]>;
}

/// What capacity refuses of a demand if nothing is kept for bursts, in the demand's units; no longer
/// counted once it is more than `enough`. `available` is what a step may use, by minute.
///
/// Without bursts no step depends on an earlier one, so the ledger is not needed.
pub fn refused_without_bursts(
    demand: &dyn Steps,
    available: impl Fn(u64) -> u64,
    enough: u128,
) -> u128 {
    let (mut refused, mut room) = (0_u128, Vec::new());
    for at in 0..demand.minutes() {
        let available = available(at);
        let highest = demand.minute(at).map_or(0, |minute| minute.highest);
        if highest > available {
            let steps = demand.steps(at, &mut room).unwrap_or_default();
            let above = steps.iter().map(|step| step.saturating_sub(available));
            refused += u128::from(above.fold(0, u64::saturating_add));
            if refused > enough {
                break;
            }
        }
    }
    refused
}
