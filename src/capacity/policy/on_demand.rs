//! On-demand throughput: what it serves immediately, and how that grows.

use super::{PastMinutes, Policy, Wish};
use crate::table::Direction;

/// Twice the previous peak, and never less than a floor.
///
/// Source: Developer Guide, "DynamoDB on-demand capacity mode" (rule 6.1): a new table sustains
/// 4,000 write and 12,000 read units; it serves up to double the previous peak immediately, and
/// more when the peak is half an hour old. `Assumption:` a peak is the busiest minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnDemand {
    /// What a new table sustains.
    pub floor: u64,
    /// The maximum throughput that the owner has set, if any.
    pub units_max: Option<u64>,
}

/// Write units a second that a new table sustains.
pub const WRITE_FLOOR: u64 = 4_000;

/// Read units a second that a new table sustains.
pub const READ_FLOOR: u64 = 12_000;

/// Minutes after which a peak counts as previous.
const PEAK_AGE_MINUTES: usize = 30;

impl OnDemand {
    /// A new table's reads or writes, with the maximum throughput that its owner has set.
    pub fn new(direction: Direction, units_max: Option<u64>) -> OnDemand {
        let floor = match direction {
            Direction::Read => READ_FLOOR,
            Direction::Write => WRITE_FLOOR,
        };
        OnDemand { floor, units_max }
    }

    fn limited(&self, units: u64) -> u64 {
        units.min(self.units_max.unwrap_or(u64::MAX))
    }
}

impl Policy for OnDemand {
    fn start(&self) -> u64 {
        self.limited(self.floor)
    }

    fn request(&mut self, seen: &PastMinutes) -> Option<Wish> {
        // With each minute, one more minute becomes old enough; capacity never decreases.
        let old = seen.consumed.len().checked_sub(PEAK_AGE_MINUTES + 1)?;
        let doubled = seen.consumed[old].div_ceil(120).saturating_mul(2);
        let units = self.limited(doubled.max(seen.capacity));
        (units > seen.capacity).then_some(Wish {
            units,
            delay_minutes: 0,
        })
    }

    fn bursts(&self) -> bool {
        false
    }
}
