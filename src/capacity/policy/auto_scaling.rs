//! Target tracking, as Application Auto Scaling does it for DynamoDB.

use super::{PastMinutes, Policy, Quiet, Wish};

/// When target tracking reacts, and how long it takes.
///
/// Sources: Developer Guide, "Managing throughput capacity automatically with DynamoDB auto
/// scaling" (a target of 20 to 90 %; two consecutive minutes above it; fifteen below; alarms after
/// "up to a few minutes", changes after "several minutes"); AWS re:Post knowledge center on
/// DynamoDB auto scaling and captured alarms (the low alarm is 20 points below the target); awslabs
/// capacity-mode-evaluator (the largest of the minutes that raised the alarm is divided by the
/// target). Rule 6.6.
///
/// `Assumption:` "up to a few minutes" is 2, "several minutes" is 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tracking {
    /// The target utilization in percent: 20 to 90.
    pub target_percent: u64,
    /// Consecutive minutes above the target before capacity goes up.
    pub up_minutes: usize,
    /// Consecutive minutes below the lower alarm before capacity goes down.
    pub down_minutes: usize,
    /// Percentage points between the target and the lower alarm.
    pub gap_points: u64,
    /// Minutes from the last of these minutes to the alarm.
    pub alarm_delay_minutes: u64,
    /// Minutes from the alarm to the new capacity.
    pub apply_delay_minutes: u64,
}

impl Default for Tracking {
    fn default() -> Tracking {
        Tracking {
            target_percent: 70,
            up_minutes: 2,
            down_minutes: 15,
            gap_points: 20,
            alarm_delay_minutes: 2,
            apply_delay_minutes: 3,
        }
    }
}

impl Tracking {
    /// The capacity for a consumption in half units a minute: `ceil(consumed / target)`.
    pub fn wanted(&self, halves_a_minute: u64) -> u64 {
        let scaled = u128::from(halves_a_minute) * 100;
        u64::try_from(scaled.div_ceil(120 * u128::from(self.target_percent.max(1))))
            .unwrap_or(u64::MAX)
    }

    /// A hundred times the half units a minute that use `percent` of a capacity.
    fn alarm(percent: u64, capacity: u64) -> u64 {
        capacity.saturating_mul(120 * percent)
    }
}

/// Target tracking between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoScaling {
    /// The minimum units.
    pub min: u64,
    /// The maximum units.
    pub max: u64,
    /// When it reacts.
    pub tracking: Tracking,
}

impl AutoScaling {
    /// Between `min` and `max` units.
    pub fn new(min: u64, max: u64, tracking: Tracking) -> AutoScaling {
        AutoScaling { min, max, tracking }
    }
}

impl Policy for AutoScaling {
    fn start(&self) -> u64 {
        self.min
    }

    fn request(&mut self, seen: &PastMinutes) -> Option<Wish> {
        let Tracking {
            target_percent,
            up_minutes,
            down_minutes,
            gap_points,
            alarm_delay_minutes,
            apply_delay_minutes,
        } = self.tracking;
        if seen.pending {
            return None;
        }
        // The newest minute decides in most cases, so it is checked first.
        let newest = seen.consumed.last().copied()?;
        let (high, low) = (
            Tracking::alarm(target_percent, seen.capacity),
            Tracking::alarm(target_percent.saturating_sub(gap_points), seen.capacity),
        );
        let above = |halves: u64| halves.saturating_mul(100) > high;
        // With a target of 20 %, the lower alarm would be at 0 %; such a table still scales down
        // when idle.
        let below = |halves: u64| halves.saturating_mul(100) < low || (low == 0 && halves == 0);
        let (minutes, up) = match (above(newest), below(newest)) {
            (true, _) if seen.capacity < self.max => (up_minutes, true),
            (_, true) if seen.capacity > self.min => (down_minutes, false),
            _ => return None,
        };
        let window = &seen.consumed[seen.consumed.len().checked_sub(minutes)?..];
        if !window
            .iter()
            .rev()
            .all(|one| if up { above(*one) } else { below(*one) })
        {
            return None;
        }
        let units = self
            .tracking
            .wanted(window.iter().copied().max().unwrap_or(0))
            .clamp(self.min, self.max.max(self.min));
        let moves = if up {
            units > seen.capacity
        } else {
            units < seen.capacity
        };
        moves.then_some(Wish {
            units,
            delay_minutes: alarm_delay_minutes + apply_delay_minutes,
        })
    }

    fn quiet(&self, _: u64, capacity: u64) -> Option<Quiet> {
        let Tracking {
            target_percent,
            gap_points,
            ..
        } = self.tracking;
        let high = Tracking::alarm(target_percent, capacity);
        let low = Tracking::alarm(target_percent.saturating_sub(gap_points), capacity);
        Some(Quiet {
            from: match capacity > self.min {
                true => low.div_ceil(100).max(1),
                false => 0,
            },
            to: match capacity < self.max {
                true => high / 100,
                false => u64::MAX,
            },
            minutes: u64::MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_capacity_is_consumption_by_target_rounded_up() {
        // 80 % and 50 % of 50 units, tracked at 70 %.
        let tracking = Tracking::default();
        assert_eq!(
            (tracking.wanted(40 * 120), tracking.wanted(25 * 120)),
            (58, 36)
        );
        assert_eq!(tracking.wanted(0), 0);
    }

    #[test]
    fn two_minutes_above_raise_it_and_fifteen_below_lower_it() {
        let mut scaling = AutoScaling::new(5, 1_000, Tracking::default());
        let mut request = |capacity, consumed: &[u64]| {
            scaling.request(&PastMinutes {
                minute: 0,
                capacity,
                pending: false,
                consumed,
            })
        };
        assert_eq!(request(100, &[80 * 120]), None);
        assert_eq!(
            request(100, &[90 * 120, 80 * 120]),
            Some(Wish {
                units: 129,
                delay_minutes: 5
            })
        );
        assert_eq!(request(100, &[90 * 120, 70 * 120]), None);
        assert_eq!(request(100, &[49 * 120; 14]), None);
        assert_eq!(
            request(100, &[49 * 120; 15]),
            Some(Wish {
                units: 70,
                delay_minutes: 5
            })
        );
        assert_eq!(request(100, &[50 * 120; 15]), None);
        assert_eq!(
            request(100, &[0; 15]),
            Some(Wish {
                units: 5,
                delay_minutes: 5
            })
        );
        assert_eq!(request(5, &[0; 15]), None);
    }
}
