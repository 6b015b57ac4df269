//! Policies: each looks at what was consumed and wishes for a capacity. A new one is one small file
//! here.

mod auto_scaling;
mod fixed;
mod on_demand;
mod scheduled;

pub use auto_scaling::{AutoScaling, Tracking};
pub use fixed::Fixed;
pub use on_demand::{OnDemand, READ_FLOOR, WRITE_FLOOR};
pub use scheduled::{Bounds, Schedule, Scheduled};

/// What a policy may look at after a minute.
#[derive(Clone, Copy, Debug)]
pub struct PastMinutes<'a> {
    /// The minute that has passed, from Monday 00:00 UTC.
    pub minute: u64,
    /// Capacity units in force.
    pub capacity: u64,
    /// Whether a change is under way.
    pub pending: bool,
    /// Half units consumed in each minute so far, the newest last.
    pub consumed: &'a [u64],
}

/// What a policy wants: so many units, after so many whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Capacity units.
    pub units: u64,
    /// Minutes until they are in force.
    pub delay_minutes: u64,
}

/// Who moves an account's capacity.
pub trait Policy {
    /// Units at the start.
    fn start(&self) -> u64;

    /// What it wants after a minute; `None` to leave things as they are.
    fn wish(&mut self, seen: &PastMinutes) -> Option<Wish>;

    /// Whether unused capacity is kept for a burst.
    fn bursts(&self) -> bool {
        true
    }
}
