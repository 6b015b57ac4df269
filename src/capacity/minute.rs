//! The demand of a minute.

/// Steps of a minute, if each takes some seconds that divide it: 1, or 60 if only minutes are known.
pub fn steps_a_minute(step_seconds: u64) -> u64 {
    60 / step_seconds.clamp(1, 60)
}

/// The demand of a minute, in half units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Of the whole minute.
    pub sum: u64,
    /// What its busiest step has; of a minute whose steps were not drawn, the most that a step may
    /// have.
    pub highest: u64,
}

impl Minute {
    /// The demand of a minute with these half units in each step.
    pub(super) fn of(steps: &[u64]) -> Minute {
        Minute {
            sum: steps.iter().copied().fold(0, u64::saturating_add),
            highest: steps.iter().copied().max().unwrap_or(0),
        }
    }
}
