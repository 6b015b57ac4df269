//! Scheduled scaling: bounds that change at set times, with or without target tracking between
//! them.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use croner::parser::CronParser;

use super::{AutoScaling, PastMinutes, Policy, Tracking, Wish};
use crate::capacity::series::WEEK_MINUTES;

/// Bounds that a scheduled action sets; `None` leaves a bound unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds {
    /// The minimum units.
    pub min: Option<u64>,
    /// The maximum units.
    pub max: Option<u64>,
}

/// Scheduled actions of one direction: the minute of the week and the bounds that are set then, in
/// order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schedule(pub Vec<(u64, Bounds)>);

impl Schedule {
    /// The minutes of a week, from Monday 00:00 UTC, at which a cron expression of five fields
    /// fires.
    ///
    /// # Errors
    /// The reason why the expression is not a weekly schedule.
    pub fn minutes_of(cron: &str) -> Result<Vec<u64>, String> {
        let fields: Vec<&str> = cron.split_whitespace().collect();
        let [_, _, day, month, _] = fields.as_slice() else {
            return Err(format!(
                "a cron expression has five fields (minute hour day month weekday), found {}",
                fields.len()
            ));
        };
        if !["*", "?"].contains(day) || *month != "*" {
            return Err("a simulated week has no dates, so day and month must be *".to_string());
        }
        let parsed = CronParser::new()
            .parse(&cron.replace('?', "*"))
            .map_err(|error| error.to_string())?;
        // The first of January 2024 was a Monday.
        let monday = NaiveDate::from_ymd_opt(2024, 1, 1)
            .unwrap_or_default()
            .and_time(NaiveTime::MIN)
            .and_utc();
        let fires = |minute: &u64| {
            parsed
                .is_time_matching(&(monday + TimeDelta::minutes(*minute as i64)))
                .unwrap_or(false)
        };
        let minutes: Vec<u64> = (0..WEEK_MINUTES).filter(fires).collect();
        if minutes.is_empty() {
            Err("it never fires".to_string())
        } else {
            Ok(minutes)
        }
    }

    /// Adds actions in order of time; of two actions at the same minute, the one added later comes
    /// last.
    pub fn add(&mut self, minutes: &[u64], bounds: Bounds) {
        self.0
            .extend(minutes.iter().map(|minute| (*minute, bounds)));
        self.0.sort_by_key(|(minute, _)| *minute);
    }
}

/// Scheduled actions, and target tracking between the bounds if there is a target.
///
/// Source: Application Auto Scaling User Guide, "Scheduled scaling": an action sets the bounds, and
/// capacity outside them is moved to the nearest bound. `Assumption:` it takes effect at its
/// minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// The actions.
    pub schedule: Schedule,
    /// Bounds and tracking now in force.
    pub scaling: AutoScaling,
    /// Whether capacity follows the target between the bounds.
    pub tracks: bool,
    /// The next minute of the week, as of the last call.
    next: Option<u64>,
}

impl Scheduled {
    /// From the bounds of the design, with the actions of the week before already applied.
    pub fn new(schedule: Schedule, min: u64, max: u64, tracking: Option<Tracking>) -> Scheduled {
        let scaling = AutoScaling::new(min, max, tracking.unwrap_or_default());
        let mut scheduled = Scheduled {
            schedule,
            scaling,
            tracks: tracking.is_some(),
            next: None,
        };
        for (_, bounds) in scheduled.schedule.0.clone() {
            scheduled.set(bounds);
        }
        scheduled
    }

    fn set(&mut self, bounds: Bounds) {
        self.scaling.min = bounds.min.unwrap_or(self.scaling.min);
        self.scaling.max = bounds.max.unwrap_or(self.scaling.max).max(self.scaling.min);
    }
}

impl Policy for Scheduled {
    fn start(&self) -> u64 {
        self.scaling.min
    }

    fn request(&mut self, seen: &PastMinutes) -> Option<Wish> {
        let next = (seen.minute + 1) % WEEK_MINUTES;
        if self
            .next
            .replace(next)
            .is_none_or(|last| (last + 1) % WEEK_MINUTES != next)
        {
            // Time has jumped, for example because a trace starts again: apply the actions that
            // came before.
            let at = self
                .schedule
                .0
                .partition_point(|(minute, _)| *minute <= next);
            let (before, after) = self.schedule.0.split_at(at);
            let in_order: Vec<Bounds> = after
                .iter()
                .chain(before)
                .map(|(_, bounds)| *bounds)
                .collect();
            in_order.into_iter().for_each(|bounds| self.set(bounds));
        }
        let first = self
            .schedule
            .0
            .partition_point(|(minute, _)| *minute < next);
        let due: Vec<Bounds> = self.schedule.0[first..]
            .iter()
            .take_while(|(minute, _)| *minute == next)
            .map(|(_, bounds)| *bounds)
            .collect();
        if !due.is_empty() {
            due.into_iter().for_each(|bounds| self.set(bounds));
        }
        let inside = seen.capacity.clamp(self.scaling.min, self.scaling.max);
        if inside != seen.capacity && !seen.pending {
            return Some(Wish {
                units: inside,
                delay_minutes: 0,
            });
        }
        if self.tracks {
            self.scaling.request(seen)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_expressions_become_minutes_of_the_week() {
        assert_eq!(
            Schedule::minutes_of("0 8 * * MON-FRI").expect("a cron"),
            (0..5).map(|day| day * 1440 + 480).collect::<Vec<_>>()
        );
        assert_eq!(
            Schedule::minutes_of("30 23 * * SUN").expect("a cron"),
            [6 * 1440 + 23 * 60 + 30]
        );
        assert_eq!(
            Schedule::minutes_of("0 */12 ? * *").expect("a cron").len(),
            14
        );
        for wrong in ["", "0 8 * *", "0 8 1 * *", "61 8 * * *", "0 8 * * FOO", "x"] {
            assert!(Schedule::minutes_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_week_starts_as_the_last_action_left_it() {
        let mut schedule = Schedule::default();
        schedule.add(
            &[480],
            Bounds {
                min: Some(500),
                max: Some(500),
            },
        );
        schedule.add(
            &[1020],
            Bounds {
                min: Some(20),
                max: Some(20),
            },
        );
        assert_eq!(Scheduled::new(schedule, 1, 1, None).start(), 20);
    }
}
