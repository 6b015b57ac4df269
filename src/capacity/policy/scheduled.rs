//! Scheduled scaling: bounds that change at set times, with or without target tracking between
//! them.

use chrono::{Datelike, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use croner::parser::CronParser;

use super::{AutoScaling, PastMinutes, Policy, Quiet, Tracking, Wish};
use crate::time::WEEK_MINUTES;

/// Bounds that a scheduled action sets; `None` leaves a bound unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds {
    /// The minimum units.
    pub min: Option<u64>,
    /// The maximum units.
    pub max: Option<u64>,
}

/// Scheduled actions of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Schedule {
    /// The minute of the week, from Monday 00:00 UTC, and the bounds that are set then, in order.
    pub actions: Vec<(u64, Bounds)>,
    /// The parts of a year, in order, if the clock changes in the time zone of an action. The first
    /// has the actions above.
    pub parts: Vec<YearPart>,
}

/// Weeks in which actions come at the same times in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearPart {
    /// The number of weeks.
    pub weeks: u64,
    /// The actions in these weeks.
    pub actions: Vec<(u64, Bounds)>,
}

/// The weeks of a year.
pub const YEAR_WEEKS: u64 = 52;

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
        let all = self.parts.iter_mut().map(|part| &mut part.actions);
        for actions in all.chain([&mut self.actions]) {
            insert(actions, minutes, bounds);
        }
    }

    /// Adds actions at minutes of the week in a time zone, of a year.
    ///
    /// `Assumption:` a week has the offset of its Wednesday: the clock changes between two weeks.
    pub fn add_in_zone(&mut self, minutes: &[u64], bounds: Bounds, zone: Tz, year: i32) {
        let offsets: Vec<i64> = (0..YEAR_WEEKS)
            .map(|week| offset_minutes(zone, year, week))
            .collect();
        let in_utc = |offset: i64| -> Vec<u64> {
            let week = WEEK_MINUTES as i64;
            let at = |minute: &u64| (*minute as i64 - offset).rem_euclid(week) as u64;
            minutes.iter().map(at).collect()
        };
        if offsets.iter().all(|offset| *offset == offsets[0]) {
            return self.add(&in_utc(offsets[0]), bounds);
        }
        // Week by week, and then the weeks that are alike together.
        let mut weeks: Vec<Vec<(u64, Bounds)>> = self.by_week();
        for (actions, offset) in weeks.iter_mut().zip(&offsets) {
            insert(actions, &in_utc(*offset), bounds);
        }
        self.actions = weeks[0].clone();
        self.parts = Vec::new();
        for actions in weeks {
            match self.parts.last_mut() {
                Some(part) if part.actions == actions => part.weeks += 1,
                _ => self.parts.push(YearPart { weeks: 1, actions }),
            }
        }
    }

    /// The actions of every week of a year.
    fn by_week(&self) -> Vec<Vec<(u64, Bounds)>> {
        if self.parts.is_empty() {
            return vec![self.actions.clone(); YEAR_WEEKS as usize];
        }
        let weeks = |part: &YearPart| vec![part.actions.clone(); part.weeks as usize];
        self.parts.iter().flat_map(weeks).collect()
    }

    /// The schedules of two directions by the weeks in which neither changes: the number of weeks,
    /// and what each does in them. A single one if nothing depends on the time of the year.
    pub fn together(one: &Schedule, other: &Schedule) -> Vec<(u64, Schedule, Schedule)> {
        if one.parts.is_empty() && other.parts.is_empty() {
            return vec![(1, one.clone(), other.clone())];
        }
        let plain = |actions: Vec<(u64, Bounds)>| Schedule {
            actions,
            parts: Vec::new(),
        };
        let weeks = one.by_week().into_iter().zip(other.by_week());
        let mut all: Vec<(u64, Schedule, Schedule)> = Vec::new();
        for (one, other) in weeks {
            let (one, other) = (plain(one), plain(other));
            match all
                .iter_mut()
                .find(|known| known.1 == one && known.2 == other)
            {
                Some((weeks, ..)) => *weeks += 1,
                None => all.push((1, one, other)),
            }
        }
        all
    }
}

fn insert(actions: &mut Vec<(u64, Bounds)>, minutes: &[u64], bounds: Bounds) {
    actions.extend(minutes.iter().map(|minute| (*minute, bounds)));
    actions.sort_by_key(|(minute, _)| *minute);
}

/// The minutes by which a time zone is ahead of UTC in a week of a year.
fn offset_minutes(zone: Tz, year: i32, week: u64) -> i64 {
    let start = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    let to_wednesday = (9 - i64::from(start.weekday().num_days_from_monday())) % 7;
    let day = start + TimeDelta::days(to_wednesday + 7 * week as i64);
    let offset = zone.offset_from_utc_datetime(&day.and_time(NaiveTime::MIN));
    i64::from(offset.fix().local_minus_utc()) / 60
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
        for (_, bounds) in scheduled.schedule.actions.clone() {
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
                .actions
                .partition_point(|(minute, _)| *minute <= next);
            let (before, after) = self.schedule.actions.split_at(at);
            let in_order: Vec<Bounds> = after
                .iter()
                .chain(before)
                .map(|(_, bounds)| *bounds)
                .collect();
            in_order.into_iter().for_each(|bounds| self.set(bounds));
        }
        let first = self
            .schedule
            .actions
            .partition_point(|(minute, _)| *minute < next);
        let due: Vec<Bounds> = self.schedule.actions[first..]
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

    fn quiet(&self, minute: u64, capacity: u64) -> Option<Quiet> {
        // Before the first request, the actions of the week before are not applied yet.
        self.next?;
        let bounds = self.scaling.min..=self.scaling.max;
        if !bounds.contains(&capacity) {
            return None;
        }
        // An action is applied at the end of the minute before it.
        let now = minute % WEEK_MINUTES;
        let actions = &self.schedule.actions;
        let later = actions.partition_point(|(at, _)| *at <= now);
        let minutes = match (actions.get(later), actions.first()) {
            (Some((at, _)), _) => at - now - 1,
            (None, Some((at, _))) => at + WEEK_MINUTES - now - 1,
            (None, None) => u64::MAX,
        };
        let quiet = match self.tracks {
            true => self.scaling.quiet(minute, capacity)?,
            false => Quiet::ALWAYS,
        };
        Some(Quiet { minutes, ..quiet })
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
    fn a_time_zone_shifts_actions_by_its_offset() {
        let bounds = Bounds {
            min: Some(5),
            max: None,
        };
        let at = |minutes: &[u64]| -> Vec<(u64, Bounds)> {
            minutes.iter().map(|minute| (*minute, bounds)).collect()
        };
        let of = |zone: Tz, minutes: &[u64]| {
            let mut schedule = Schedule::default();
            schedule.add_in_zone(minutes, bounds, zone, 2026);
            schedule
        };
        // Monday 08:00 in Tokyo is Sunday 23:00 UTC.
        let tokyo = of(Tz::Asia__Tokyo, &[480]);
        assert_eq!(
            (tokyo.actions, tokyo.parts),
            (at(&[9_960 + 60]), Vec::new())
        );
        let paris = of(Tz::Europe__Paris, &[480]);
        let parts: Vec<(u64, Vec<(u64, Bounds)>)> = paris
            .parts
            .iter()
            .map(|part| (part.weeks, part.actions.clone()))
            .collect();
        assert_eq!(
            parts,
            [(12, at(&[420])), (30, at(&[360])), (10, at(&[420]))]
        );
        // In the south, summer is at both ends of the year.
        let sydney = of(Tz::Australia__Sydney, &[480]);
        assert_eq!(sydney.parts[0].actions, at(&[9_900]));
        assert_eq!(sydney.parts[1].actions, at(&[9_960]));
        let both = Schedule::together(&paris, &sydney);
        assert_eq!(
            both.iter().map(|(weeks, ..)| weeks).sum::<u64>(),
            YEAR_WEEKS
        );
        assert_eq!(both.len(), 3);
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
