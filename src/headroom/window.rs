//! Other demand for a while, simulated second by second after a day of the usual demand.

use std::fmt;
use std::ops::Range;

use super::account::Account;
use super::search::expected;
use crate::capacity::{
    AccountDirection, Hottest, LedgerRun, LedgerStep, Limits, Retries, Steps, execute_cold,
};
use crate::table::limits;
use crate::time::{DAY_MINUTES, WEEK_MINUTES, WEEKDAYS};
use crate::units::Exact;

/// Minutes of usual demand before.
pub(super) const BEFORE: u64 = DAY_MINUTES;

/// Minutes of usual demand before that are shown.
pub(super) const SHOWN_BEFORE: u64 = 15;

/// One minute of a curve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurveMinute {
    /// Minutes after the beginning; negative before it.
    pub minute: i64,
    /// Units a second that are asked for, without what comes again.
    pub demanded: Exact,
    /// Units a second of repeated requests.
    pub repeated: Exact,
    /// Units a second that are served.
    pub served: Exact,
    /// Units in force at the end of the minute.
    pub capacity: u64,
}

/// What happened to the demand of an account direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Happened {
    /// The share of the new demand that was throttled.
    pub throttled: Exact,
    /// The share of `throttled` that the hottest key's partition refused.
    pub hot: Exact,
    /// The first and the last minute with throttling, after the beginning.
    pub first: Option<u64>,
    pub last: Option<u64>,
    /// Minutes with throttling.
    pub minutes: u64,
    /// Demand that came again, as a share of the new demand.
    pub returned: Exact,
    /// Demand that used up its attempts, as a share of the new demand.
    pub given_up: Exact,
    pub curve: Vec<CurveMinute>,
}

/// The time of other demand: it begins after [`BEFORE`] minutes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Minutes of other demand.
    pub minutes: u64,
    /// Minutes that are simulated in all.
    pub all: u64,
    /// Minutes of usual demand before.
    pub before: u64,
    /// Minutes after the beginning that are shown.
    pub shown: u64,
}

impl Window {
    /// The minutes whose steps are looked at.
    fn watched(&self) -> Range<u64> {
        self.before.saturating_sub(SHOWN_BEFORE)..self.all
    }
}

impl Account<'_> {
    /// Executes a demand in the account's own capacity; `None` if that is not known.
    pub fn execute(
        &self,
        demand: &dyn Steps,
        retries: Option<Retries>,
        watched: Range<u64>,
    ) -> Option<LedgerRun> {
        let mut lane = AccountDirection::with(demand, self.policy()?);
        lane.retries = retries;
        lane.watched = watched;
        lane.hottest = self.hottest_in_ledger();
        execute_cold(&mut [lane], &Limits::default())
            .into_iter()
            .next()
    }

    /// The hottest key, as the ledger takes it.
    pub fn hottest_in_ledger(&self) -> Option<Hottest> {
        self.hottest.as_ref().map(|hottest| Hottest {
            parts: (&hottest.share * &Exact::from(1_000_000))
                .floor()
                .to_u64()
                .unwrap_or(0),
            of: 1_000_000,
            units_max: limits::partition_units_max(self.direction),
        })
    }

    /// What happens to a demand from the beginning of a window on.
    pub fn happens(
        &self,
        demand: &dyn Steps,
        retries: Option<Retries>,
        window: Window,
    ) -> Option<(Happened, LedgerRun)> {
        let watched = window.watched();
        let mut run = self.execute(demand, retries, watched.clone())?;
        let unit = demand.unit() as f64;
        let steps = demand.steps_a_minute();
        let all = std::mem::take(&mut run.steps);
        let minutes = || (watched.start..).zip(all.chunks(steps));
        let ended = window.before + window.minutes;
        let during = minutes().filter(|(minute, _)| (window.before..ended).contains(minute));
        let mut sums = [0_u128; 6];
        for (_, steps) in during {
            for step in steps {
                let of_step = [
                    step.demanded,
                    step.refused_first,
                    step.returned,
                    step.given_up,
                    step.refused,
                    step.refused_hot,
                ];
                let sums = sums.iter_mut().zip(of_step);
                sums.for_each(|(sum, own)| *sum += u128::from(own));
            }
        }
        let [asked, first, returned, given_up, refused, refused_hot] = sums;
        let share = |part: u128| match asked {
            0 => Exact::zero(),
            asked => Exact::whole(part) / Exact::whole(asked),
        };
        let refusing: Vec<u64> = minutes()
            .filter(|(minute, _)| *minute >= window.before)
            .filter(|(_, steps)| steps.iter().any(|step| step.refused > 0))
            .map(|(minute, _)| minute - window.before)
            .collect();
        let shown = window.before + window.shown;
        let curve = minutes()
            .filter(|(minute, _)| *minute < shown)
            .map(|(minute, steps)| minute_of(minute as i64 - window.before as i64, steps, unit))
            .collect();
        let happened = Happened {
            throttled: share(first),
            hot: match refused {
                0 => Exact::zero(),
                all => Exact::whole(refused_hot) / Exact::whole(all),
            },
            first: refusing.first().copied(),
            last: refusing.last().copied(),
            minutes: refusing.len() as u64,
            returned: share(returned),
            given_up: share(given_up),
            curve,
        };
        Some((happened, run))
    }
}

fn minute_of(minute: i64, steps: &[LedgerStep], unit: f64) -> CurveMinute {
    let count = steps.len().max(1) as f64;
    let sum = |of: fn(&LedgerStep) -> u64| steps.iter().map(|step| of(step) as f64).sum::<f64>();
    let a_second = |sum: f64| expected(sum / unit / count);
    let (demanded, returned) = (sum(|one| one.demanded), sum(|one| one.returned));
    CurveMinute {
        minute,
        demanded: a_second(demanded),
        repeated: a_second(returned),
        served: a_second(demanded + returned - sum(|one| one.refused)),
        capacity: steps.last().map_or(0, |step| step.capacity),
    }
}

/// A minute of the week, whose text is a day and a time such as "Tue 14:00".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WeekTime {
    day: &'static str,
    hour: i64,
    minute: i64,
}

impl WeekTime {
    /// That of a minute counted from a Monday, 00:00 UTC; it may be of another week.
    pub fn of(minute: i64) -> WeekTime {
        let minute = minute.rem_euclid(WEEK_MINUTES as i64);
        WeekTime {
            day: WEEKDAYS[(minute as u64 / DAY_MINUTES) as usize % WEEKDAYS.len()],
            hour: minute / 60 % 24,
            minute: minute % 60,
        }
    }

    /// The time without the day, such as "14:00".
    pub fn clock(self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }

    /// The fields of a weekly cron expression.
    pub fn cron(self) -> String {
        format!(
            "{} {} * * {}",
            self.minute,
            self.hour,
            self.day.to_uppercase()
        )
    }
}

impl fmt::Display for WeekTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.day, self.clock())
    }
}
