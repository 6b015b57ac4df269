//! An account direction in an event: its demand, minute by minute, and what happens to it.

use std::collections::BTreeMap;

use super::{AFTER, Caller};
use crate::capacity::{LedgerRun, OtherTraffic, Steps, Traffic};
use crate::estimate::Metering;
use crate::headroom::account::Account;
use crate::headroom::search::{expected, rounded};
use crate::headroom::window::{BEFORE, Happened, Window};
use crate::headroom::{HeadroomError, HeadroomQuestion};
use crate::table::limits;
use crate::time::{DAY_MINUTES, WEEK_MINUTES, minute_of_week};
use crate::units::Exact;
use crate::workload::{EventTraffic, TrafficEvent};

/// An account direction in an event.
pub(super) struct Simulated<'a> {
    pub account: &'a Account<'a>,
    /// The demand of a day before, of the event, and after it.
    pub traffic: Traffic,
    /// The half units of a step that are expected in each minute of it.
    pub means: Vec<f64>,
    pub window: Window,
    pub result: Option<(Happened, LedgerRun)>,
    /// The same time without the event.
    pub usual: Option<(Happened, LedgerRun)>,
    pub callers: Vec<Caller>,
}

impl Simulated<'_> {
    pub fn demand(&self) -> OtherTraffic<'_> {
        self.traffic.with_means(self.means.clone())
    }

    pub fn holds(&self) -> Option<bool> {
        let (happened, _) = self.result.as_ref()?;
        Some(happened.throttled <= self.allowed())
    }

    /// The share of the demand that may be throttled.
    pub fn allowed(&self) -> Exact {
        Exact::ratio(self.account.limit, 1_000_000_000)
    }

    /// The busiest minute of the event, in units a second.
    pub fn event_busiest(&self) -> f64 {
        self.busiest(|at| self.means.get(at as usize).copied().unwrap_or(0.0))
    }

    /// The factor of the event's demand that the partition of its hottest key serves.
    pub fn key_factor(&self) -> Exact {
        let share = self.account.hottest.as_ref().map(|key| key.share.to_f64());
        let asked = share.unwrap_or(0.0) * self.event_busiest();
        let served = limits::partition_units_max(self.account.direction) as f64;
        match asked > 0.0 {
            true => rounded(served / asked),
            false => Exact::from(u64::MAX),
        }
    }

    /// Whether the hottest key asks for more than its partition serves.
    pub fn is_key_too_hot(&self) -> bool {
        self.key_factor() < Exact::one()
    }

    /// Half units that are expected in some minutes from the beginning of the event on: after the end
    /// of the simulation, the usual ones.
    pub fn halves_of(&self, minutes: u64) -> f64 {
        let from = self.window.before;
        let until = (from + minutes).min(self.window.all);
        let steps = self.account.traffic.series().steps_a_minute() as f64;
        let own: f64 = self.means[from as usize..until as usize].iter().sum();
        let rest = (from + minutes).saturating_sub(until) as f64;
        own * steps + self.traffic.sum() / self.window.all as f64 * rest
    }

    /// The busiest minute of expected half units of a step, during the event.
    pub fn busiest(&self, means: impl Fn(u64) -> f64) -> f64 {
        let during = self.window.before..self.window.before + self.window.minutes;
        let unit = self.account.traffic.series().unit() as f64;
        during.map(means).fold(0.0, f64::max) / unit
    }
}

/// The window of an account in an event; `None` if the event does not change its traffic.
pub(super) fn begun<'a>(
    metering: &Metering,
    account: &'a Account<'a>,
    event: &TrafficEvent,
    question: &HeadroomQuestion,
) -> Result<Option<Simulated<'a>>, HeadroomError> {
    let parts = patterns(metering, account, event);
    if !parts.iter().any(|part| part.other.is_some()) {
        return Ok(None);
    }
    let series = account.traffic.series();
    let start = match question.covered.filter(|_| account.traffic.is_traced()) {
        None => event.start as i64,
        Some(covered) => in_trace(metering, event, covered)?,
    };
    // Hours are billed from their beginning, so the simulation begins with an hour.
    let minute_of_hour = (series.start_minute as i64 + start).rem_euclid(60) as u64;
    let mut before = BEFORE + minute_of_hour;
    if account.traffic.is_traced() {
        before = before.min(start.max(0) as u64);
    }
    let window = Window {
        minutes: event.minutes,
        all: before + event.minutes + AFTER,
        before,
        shown: event.minutes + AFTER,
    };
    let traffic = account.traffic.window(start - before as i64, window.all);
    let step = series.step_seconds as f64;
    let total: f64 = parts.iter().map(|part| part.mean).sum();
    let mut sums = vec![0.0; parts.len()];
    let means = (0..window.all)
        .map(|at| {
            let usual = traffic.mean(at);
            let Some(level) = level(at, &window, event) else {
                return usual;
            };
            let minute = (start - before as i64 + at as i64).rem_euclid(WEEK_MINUTES as i64) as u64;
            let mut sum = 0.0;
            for (part, total_of_part) in parts.iter().zip(&mut sums) {
                // A trace does not say which calls are of which access pattern at what time.
                let own = match account.traffic.is_traced() {
                    true => usual * part.mean / total.max(f64::MIN_POSITIVE),
                    false => part.rate(minute) * step,
                };
                let changed = part.changed(own, step, level);
                *total_of_part += changed;
                sum += changed;
            }
            sum
        })
        .collect();
    let all: f64 = sums.iter().sum();
    let mut by_name: BTreeMap<&str, f64> = BTreeMap::new();
    for (part, sum) in parts.iter().zip(&sums) {
        *by_name.entry(&part.access).or_default() += sum;
    }
    let mut callers: Vec<(f64, &str)> =
        by_name.into_iter().map(|(name, sum)| (sum, name)).collect();
    callers.sort_by(|one, other| other.0.total_cmp(&one.0));
    let callers = callers
        .into_iter()
        .map(|(sum, access)| Caller {
            access: access.to_string(),
            share: expected(1e6 * sum / all.max(f64::MIN_POSITIVE)) / Exact::from(1_000_000),
        })
        .collect();
    Ok(Some(Simulated {
        account,
        traffic,
        means,
        window,
        result: None,
        usual: None,
        callers,
    }))
}

/// How high an event is in a minute of a window, from 0 to 1; `None` outside of it.
fn level(at: u64, window: &Window, event: &TrafficEvent) -> Option<f64> {
    let since = at.checked_sub(window.before)?;
    if since >= window.minutes {
        return None;
    }
    // The middle of the minute.
    Some(match event.ramp {
        0 => 1.0,
        ramp => ((since as f64 + 0.5) / ramp as f64).min(1.0),
    })
}

/// The minute of a trace at which an event begins.
fn in_trace(
    metering: &Metering,
    event: &TrafficEvent,
    (first, last): (i64, i64),
) -> Result<i64, HeadroomError> {
    let start = match event.date {
        Some(date) => date.midnight_second() / 60 + (event.start % DAY_MINUTES) as i64,
        None => {
            let of_first = minute_of_week(first) as i64;
            first + (event.start as i64 - of_first).rem_euclid(WEEK_MINUTES as i64)
        }
    };
    match (first..last).contains(&start) {
        true => Ok(start - first),
        false => Err(HeadroomError::OutsideTheTrace {
            file: metering.workload().written.file.clone(),
            line: event.line,
            event: event.name.clone(),
        }),
    }
}

/// What an access pattern consumes of an account direction.
struct Pattern {
    access: String,
    arrivals: crate::capacity::series::Arrivals,
    /// Half units of a call.
    halves: f64,
    /// Half units a second on average.
    mean: f64,
    /// What an event changes: the factor of its rate, or of its mean rate.
    other: Option<Other>,
}

#[derive(Clone, Copy)]
enum Other {
    Times(f64),
    OfMean(f64),
}

impl Pattern {
    /// Half units a second that are expected in a minute of the week.
    fn rate(&self, minute: u64) -> f64 {
        self.arrivals.rate(minute) * self.halves
    }

    /// Its demand of a step, `own` without the event, at a level of the event.
    fn changed(&self, own: f64, step: f64, level: f64) -> f64 {
        match self.other {
            None => own,
            Some(Other::Times(factor)) => own * (1.0 + (factor - 1.0) * level),
            Some(Other::OfMean(factor)) => own + (self.mean * step * factor - own) * level,
        }
    }
}

/// The access patterns that use an account direction.
fn patterns(metering: &Metering, account: &Account, event: &TrafficEvent) -> Vec<Pattern> {
    let month = &metering.workload().month;
    let own = metering.consumed(account.table).iter().filter(|one| {
        one.account == account.demand.index
            && one.subject.region == account.demand.region
            && one.throughput.direction() == account.direction
    });
    own.map(|one| {
        let arrivals = one.arrivals(month);
        let calls = arrivals.calls.iter();
        let halves: f64 = calls.map(|(halves, share)| *halves as f64 * share).sum();
        let access = one.subject.access.clone().unwrap_or_default();
        let is_called = account.design.patterns().any(|one| one.name == access);
        let other = match &event.traffic {
            _ if !is_called || !event.traffic.changes(&access) => None,
            EventTraffic::Factor { factor, .. } => Some(Other::Times(factor.to_f64())),
            EventTraffic::Rates(rates) => rates
                .iter()
                .find(|(name, _)| *name == access)
                .map(|(_, factor)| Other::OfMean(factor.to_f64())),
        };
        Pattern {
            access,
            mean: arrivals.per_second * halves,
            arrivals,
            halves,
            other,
        }
    })
    .collect()
}
