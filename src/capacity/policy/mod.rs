//! Policies: each looks at past consumption and requests a capacity. To add a policy, add a file
//! here.

mod auto_scaling;
mod fixed;
mod on_demand;
mod scheduled;

pub use auto_scaling::{AutoScaling, Tracking};
pub use fixed::Fixed;
pub use on_demand::{OnDemand, READ_FLOOR, WRITE_FLOOR};
pub use scheduled::{Bounds, Schedule, Scheduled, YEAR_WEEKS, YearPart};

/// What a policy can see after a minute.
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

/// What a policy requests: capacity units, and the whole minutes until they take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Capacity units.
    pub units: u64,
    /// Minutes until they are in force.
    pub delay_minutes: u64,
}

/// Minutes in which a policy requests nothing, whatever came before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// The least half units that a minute consumes.
    pub from: u64,
    /// The most half units that a minute consumes.
    pub to: u64,
    /// How many minutes.
    pub minutes: u64,
}

impl Quiet {
    /// Always, whatever is consumed.
    pub const ALWAYS: Quiet = Quiet {
        from: 0,
        to: u64::MAX,
        minutes: u64::MAX,
    };
}

/// Requests the capacity of an account.
pub trait Policy {
    /// Units at the start.
    fn start(&self) -> u64;

    /// The request after a minute; `None` for no change.
    fn request(&mut self, seen: &PastMinutes) -> Option<Wish>;

    /// Whether the next minutes, from a minute of the week on, are quiet with a capacity that does
    /// not change; `None` if that is not known. It only saves time: `request` would return `None`
    /// in each of them, and need not be called.
    fn quiet(&self, _minute: u64, _capacity: u64) -> Option<Quiet> {
        None
    }

    /// Whether unused capacity is kept for a burst.
    fn bursts(&self) -> bool {
        true
    }
}
