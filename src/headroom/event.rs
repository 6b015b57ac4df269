//! Events: what throttles, for whom and how long, what they cost, and how to be ready.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::account::{Account, Provided};
use super::change::{Change, ChangeCost, Changes, WARM_PRICE, written_place};
use super::search::{least, rounded};
use super::window::{BEFORE, CurveMinute, Happened, Window, time_of_week};
use super::{HeadroomError, HeadroomQuestion, cost};
use crate::capacity::policy::{Fixed, OnDemand};
use crate::capacity::{AccountDirection, LedgerRun, Limits, OtherTraffic, Traffic, execute_cold};
use crate::estimate::Metering;
use crate::money::Money;
use crate::table::{Direction, limits};
use crate::units::Exact;
use crate::usage::Usage;
use crate::workload::{EventTraffic, TrafficEvent};

/// Minutes after the end of an event that are simulated and shown.
const AFTER: u64 = 180;

/// What an event does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventOutcome {
    /// Its name.
    pub name: String,
    /// Its line in the workload file.
    pub line: usize,
    /// When it begins, such as "Tue 14:00".
    pub from: String,
    /// When it ends.
    pub to: String,
    /// Its length in minutes.
    pub minutes: u64,
    /// Whether every account direction holds; `None` if that is not known of one, and no other fails.
    pub holds: Option<bool>,
    /// The account directions whose traffic it changes.
    pub accounts: Vec<EventAccount>,
    /// What its traffic costs, in addition to the usual; `None` if a price is not known.
    pub cost: Option<Money>,
    /// For each table that does not hold: the ways to be ready, the cheapest first.
    pub readiness: Vec<Readiness>,
}

/// What an event does to an account direction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventAccount {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// The busiest minute of the usual traffic at that time, in units a second.
    pub usual: Exact,
    /// The busiest minute of the event, in units a second.
    pub busiest: Exact,
    /// Whether no more is throttled than is allowed; `None` if the capacity is not known.
    pub holds: Option<bool>,
    /// The share of the event's demand that is throttled.
    pub throttled: Exact,
    /// The share of that which the hottest key's partition refuses.
    pub by_hottest_key: Exact,
    /// Minutes from the beginning to the first throttled request.
    pub first_minute: Option<u64>,
    /// Minutes from the beginning to the last throttled request.
    pub last_minute: Option<u64>,
    /// Minutes in which requests are throttled.
    pub throttled_minutes: u64,
    /// Repeated requests, as a share of the new ones.
    pub repeated: Exact,
    /// Requests that use up their attempts, as a share of the new ones.
    pub given_up: Exact,
    /// The access patterns that ask for it, with their share of the demand; the largest first.
    pub callers: Vec<Caller>,
    /// Demand and capacity, minute by minute.
    pub curve: Vec<CurveMinute>,
}

/// An access pattern in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The access pattern.
    pub access: String,
    /// Its share of the demand.
    pub share: Exact,
}

/// A way to be ready for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readiness {
    /// The table.
    pub table: String,
    /// The change, with what it costs.
    pub change: Change,
    /// When capacity may go down again; `None` if it stays.
    pub down: Option<String>,
}

/// The events of a workload.
pub(super) fn all(
    metering: &Metering,
    changes: &Changes,
    own: &[Account],
    question: &HeadroomQuestion,
) -> Result<Vec<EventOutcome>, HeadroomError> {
    let events = metering.workload().events.iter();
    events
        .map(|event| outcome(metering, changes, own, event, question))
        .collect()
}

/// An account direction in an event.
struct Simulated<'a> {
    account: &'a Account<'a>,
    /// The demand of a day before, of the event, and after it.
    traffic: Traffic,
    /// The half units of a step that are expected in each minute of it.
    means: Vec<f64>,
    window: Window,
    result: Option<(Happened, LedgerRun)>,
    callers: Vec<Caller>,
}

impl Simulated<'_> {
    fn demand(&self) -> OtherTraffic<'_> {
        self.traffic.with_means(self.means.clone())
    }

    fn holds(&self) -> Option<bool> {
        let (happened, _) = self.result.as_ref()?;
        Some(happened.throttled <= Exact::ratio(self.account.limit, 1_000_000_000))
    }

    /// The busiest minute of expected half units of a step, during the event.
    fn busiest(&self, means: impl Fn(u64) -> f64) -> f64 {
        let during = self.window.before..self.window.before + self.window.minutes;
        let unit = 2.0 * self.account.traffic.series().step_seconds as f64;
        during.map(means).fold(0.0, f64::max) / unit
    }
}

fn outcome(
    metering: &Metering,
    changes: &Changes,
    own: &[Account],
    event: &TrafficEvent,
    question: &HeadroomQuestion,
) -> Result<EventOutcome, HeadroomError> {
    let retries = metering.workload().retries;
    let mut simulated = Vec::new();
    for account in own {
        simulated.extend(begun(metering, account, event, question)?);
    }
    simulated.par_iter_mut().for_each(|one| {
        let result = one.account.happens(&one.demand(), retries, one.window);
        one.result = result;
    });
    let accounts: Vec<EventAccount> = simulated.iter().map(result).collect();
    let known = accounts.iter().map(|one| one.holds);
    let holds = match accounts.iter().any(|one| one.holds == Some(false)) {
        true => Some(false),
        false => known.fold(Some(true), |all, one| all.zip(one).map(|_| true)),
    };
    let from = event.start as i64;
    let named = |minute: i64| match event.date {
        Some(date) => format!("{date} {}", &time_of_week(minute)[4..]),
        None => time_of_week(minute),
    };
    let to = from + event.minutes as i64;
    Ok(EventOutcome {
        name: event.name.clone(),
        line: event.line,
        from: named(from),
        to: time_of_week(to),
        minutes: event.minutes,
        holds,
        cost: extra_cost(metering, &simulated)?,
        readiness: readiness(metering, changes, &simulated, event)?,
        accounts,
    })
}

/// The window of an account in an event; `None` if the event does not change its traffic.
fn begun<'a>(
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
            let minute = (start - before as i64 + at as i64).rem_euclid(10_080) as u64;
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
            share: rounded(sum / all.max(f64::MIN_POSITIVE)),
        })
        .collect();
    Ok(Some(Simulated {
        account,
        traffic,
        means,
        window,
        result: None,
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
        Some(date) => date.midnight_second() / 60 + (event.start % 1_440) as i64,
        None => {
            // The first of January 1970 was a Thursday.
            let week = 10_080;
            let of_first = (first + 3 * 1_440).rem_euclid(week);
            first + (event.start as i64 - of_first).rem_euclid(week)
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

fn result(one: &Simulated) -> EventAccount {
    let demand = one.account.demand;
    let happened = one.result.as_ref().map(|(happened, _)| happened.clone());
    let happened = happened.unwrap_or_default();
    let means = |at: u64| one.means.get(at as usize).copied().unwrap_or(0.0);
    EventAccount {
        table: demand.table.clone(),
        index: demand.index.clone(),
        region: demand.region.clone(),
        direction: one.account.direction,
        usual: rounded(one.busiest(|at| one.traffic.mean(at))),
        busiest: rounded(one.busiest(means)),
        holds: one.holds(),
        throttled: happened.throttled,
        by_hottest_key: happened.hot,
        first_minute: happened.first,
        last_minute: happened.last,
        throttled_minutes: happened.minutes,
        repeated: happened.returned,
        given_up: happened.given_up,
        callers: one.callers.clone(),
        curve: happened.curve,
    }
}

/// What an event costs in addition to the usual traffic.
fn extra_cost(
    metering: &Metering,
    simulated: &[Simulated],
) -> Result<Option<Money>, HeadroomError> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for one in simulated {
        let (Some((_, run)), Some(usual)) = (
            one.result.as_ref(),
            one.account.execute(&one.traffic.times(1.0), None, 0..0),
        ) else {
            return Ok(None);
        };
        match one.account.provided() {
            Provided::OnDemand(_) => {
                let units = |run: &LedgerRun| {
                    let parts = crate::capacity::Steps::parts(&one.traffic.times(1.0));
                    Exact::whole(run.consumed) / Exact::from(2 * parts)
                };
                with.push(one.account.requests(units(run)));
                without.push(one.account.requests(units(&usual)));
            }
            _ => {
                let hours = |run: &LedgerRun| Exact::from(run.hourly_maxima.iter().sum::<u64>());
                with.push(one.account.unit_hours(hours(run)));
                without.push(one.account.unit_hours(hours(&usual)));
            }
        }
    }
    let (with, without) = (
        cost::price(metering, &with)?,
        cost::price(metering, &without)?,
    );
    let Some((with, without)) = with.zip(without) else {
        return Ok(None);
    };
    Ok(Some(
        with.minus(without)
            .map_err(crate::estimate::EstimateError::from)?,
    ))
}

/// The ways to be ready, for each table that does not hold.
fn readiness(
    metering: &Metering,
    changes: &Changes,
    simulated: &[Simulated],
    event: &TrafficEvent,
) -> Result<Vec<Readiness>, HeadroomError> {
    let mut all = Vec::new();
    let short: Vec<&Simulated> = simulated
        .iter()
        .filter(|one| one.holds() == Some(false))
        .collect();
    let mut tables: Vec<&str> = short
        .iter()
        .map(|one| one.account.demand.table.as_str())
        .collect();
    tables.dedup();
    for table in tables {
        let of_table: Vec<&Simulated> = short
            .iter()
            .filter(|one| one.account.demand.table == table)
            .copied()
            .collect();
        let mut own = Vec::new();
        match of_table.first().map(|one| one.account.provided()) {
            Some(Provided::OnDemand(_)) => {
                own.extend(of_table.iter().map(|one| warmed(metering, one)))
            }
            _ => {
                let needed: Vec<(&Simulated, u64)> = of_table
                    .iter()
                    .filter_map(|one| Some((*one, needed(one)?)))
                    .collect();
                own.extend(scheduled(metering, &needed, event)?);
                own.extend(higher_minimum(metering, changes, &needed)?);
                let every: Vec<&Simulated> = simulated
                    .iter()
                    .filter(|one| one.account.demand.table == table)
                    .collect();
                own.extend(on_demand_for_a_day(metering, &every, event)?);
            }
        }
        own.sort_by_key(|one| one.change.cost.order());
        all.extend(own.into_iter().map(|one| Readiness {
            table: table.to_string(),
            ..one
        }));
    }
    Ok(all)
}

/// The least fixed units that serve an event without bursts; `None` if none do, since the hottest key
/// is throttled whatever the capacity.
fn needed(one: &Simulated) -> Option<u64> {
    let (before, minutes) = (one.window.before, one.window.minutes);
    let event = one.traffic.window(before as i64, minutes);
    let means = one.means[before as usize..(before + minutes) as usize].to_vec();
    let demand = event.with_means(means);
    let without_bursts = Limits {
        burst_seconds: 0,
        ..Limits::default()
    };
    let most = limits::PROVISIONED_UNITS_MAX * 1_000;
    least(rounded(busiest_of(one)).ceil().to_u64()?, most, |units| {
        let mut lanes = [AccountDirection::new(&demand, Fixed { units })];
        let runs = execute_cold(&mut lanes, &without_bursts);
        runs.iter()
            .all(|run| run.throttles_at_most(one.account.limit))
    })
}

fn busiest_of(one: &Simulated) -> f64 {
    one.busiest(|at| one.means.get(at as usize).copied().unwrap_or(0.0))
}

fn readiness_of(change: Change, down: Option<String>) -> Readiness {
    Readiness {
        table: String::new(),
        change,
        down,
    }
}

/// Capacity that a schedule raises for the hours of an event.
fn scheduled(
    metering: &Metering,
    needed: &[(&Simulated, u64)],
    event: &TrafficEvent,
) -> Result<Option<Readiness>, HeadroomError> {
    let end = event.start as i64 + event.minutes as i64;
    let mut usage: Vec<Usage> = Vec::new();
    let (mut words, mut edits, mut first_line) = (Vec::new(), Vec::new(), None);
    for (one, units) in needed {
        let Some(usual) = one.account.execute(&one.traffic.times(1.0), None, 0..0) else {
            return Ok(None);
        };
        let first = (one.window.before / 60) as usize;
        let last = (one.window.before + one.window.minutes).div_ceil(60) as usize;
        let hours = usual.hourly_maxima.get(first..last).unwrap_or_default();
        let more = hours
            .iter()
            .map(|own| units.saturating_sub(*own))
            .sum::<u64>();
        usage.push(one.account.unit_hours(Exact::from(more)));
        let (part, place) = written_place(one.account);
        let line = metering.workload().written.line(&part);
        first_line.get_or_insert(line);
        let key = one.account.direction.word();
        let before = usual.hourly_maxima.get(first).copied().unwrap_or(1);
        let at = |minute: i64| {
            let text = time_of_week(minute);
            let (day, time) = text.split_once(' ').unwrap_or(("*", "00:00"));
            format!("{} {} * * {}", &time[3..], &time[..2], day.to_uppercase())
        };
        words.push(format!(
            "{} {}",
            Exact::from(*units),
            one.account.unit_name()
        ));
        let place = match &one.account.demand.index {
            Some(index) => format!("{index} (line {line}): {place}"),
            None => place,
        };
        edits.push(format!(
            "{place}schedule = [{{ cron = \"{}\", min_{key} = {units}, max_{key} = {units} }}, {{ cron \
             = \"{}\", min_{key} = {before}, max_{key} = {before} }}]",
            at(event.start as i64 - 5),
            at(end)
        ));
    }
    if words.is_empty() {
        return Ok(None);
    }
    let change = Change {
        what: format!(
            "schedule {} from {} to {}",
            words.join(" and "),
            time_of_week(event.start as i64 - 5),
            time_of_week(end)
        ),
        edit: first_line.map(|line| (line, edits.join("; "))),
        cost: ChangeCost::of_once(cost::price(metering, &usage)?),
    };
    Ok(Some(readiness_of(change, Some(time_of_week(end)))))
}

/// A minimum that is high enough all the time.
fn higher_minimum(
    metering: &Metering,
    changes: &Changes,
    needed: &[(&Simulated, u64)],
) -> Result<Option<Readiness>, HeadroomError> {
    let Some((first, _)) = needed.first() else {
        return Ok(None);
    };
    let raised: Vec<(&Account, u64)> = needed
        .iter()
        .map(|(one, units)| (one.account, *units))
        .collect();
    let (part, _) = written_place(first.account);
    let edit = raised
        .iter()
        .map(|(account, units)| super::change::raised_text(account, *units))
        .collect::<Vec<_>>()
        .join("; ");
    let change = Change {
        what: "keep that capacity all month".to_string(),
        edit: Some((metering.workload().written.line(&part), edit)),
        cost: changes.cost_of_minimum(first.account.table, &raised)?,
    };
    Ok(Some(readiness_of(change, None)))
}

/// The whole table on demand, for the day of an event.
///
/// Source: Developer Guide, "Considerations when switching capacity modes": a table may be switched to
/// on demand four times in 24 hours, and back at any time; it then serves at least what was provisioned
/// (rule 6.1).
fn on_demand_for_a_day(
    metering: &Metering,
    every: &[&Simulated],
    event: &TrafficEvent,
) -> Result<Option<Readiness>, HeadroomError> {
    let (mut requests, mut hours) = (Vec::new(), Vec::new());
    for one in every {
        let day = 1_440.max(one.window.minutes).min(one.window.all);
        let from = one.window.before;
        let until = (from + day).min(one.window.all);
        let steps = one.account.traffic.series().steps_a_minute() as f64;
        let halves: f64 = one.means[from as usize..until as usize].iter().sum::<f64>() * steps;
        // After the end of what was simulated, the usual traffic.
        let rest = (from + day).saturating_sub(until) as f64;
        let usual = one.traffic.sum() / one.window.all as f64 * rest;
        requests.push(one.account.requests(rounded((halves + usual) / 2.0)));
        let Some(run) = one.account.execute(&one.traffic.times(1.0), None, 0..0) else {
            return Ok(None);
        };
        let last = run.hourly_maxima.iter().rev().take(24).sum::<u64>();
        hours.push(one.account.unit_hours(Exact::from(last)));
        let floor = OnDemand::new(one.account.direction, None).floor;
        let served = floor
            .max(run.highest)
            .max((2.0 * one.account.busiest()) as u64);
        if busiest_of(one) > served as f64 {
            return Ok(None);
        }
    }
    let (requests, hours) = (
        cost::price(metering, &requests)?,
        cost::price(metering, &hours)?,
    );
    let difference = match requests.zip(hours) {
        Some((requests, hours)) => Some(
            requests
                .minus(hours)
                .map_err(crate::estimate::EstimateError::from)?,
        ),
        None => None,
    };
    let Some(first) = every.first() else {
        return Ok(None);
    };
    let part = first
        .account
        .design
        .part(crate::workload::DesignPart::Capacity);
    let day = (event.start as i64).max(0) + 1_440.max(event.minutes as i64);
    let change = Change {
        what: "switch the table to on demand for the day, and back".to_string(),
        edit: Some((
            metering.workload().written.line(&part),
            "mode = \"on-demand\"".to_string(),
        )),
        cost: ChangeCost::of_once(difference),
    };
    Ok(Some(readiness_of(change, Some(time_of_week(day)))))
}

/// Warm throughput for an event.
fn warmed(metering: &Metering, one: &Simulated) -> Readiness {
    let units = busiest_of(one).ceil() as u64;
    let (part, _) = written_place(one.account);
    let key = one.account.direction.word();
    let edit = (one.account.target == crate::table::Target::Table && one.account.replica.is_none())
        .then(|| {
            (
                metering.workload().written.line(&part),
                format!("warm_{key} = {units}"),
            )
        });
    let change = Change {
        what: format!(
            "raise the warm throughput of {} to {} {} a second before the event",
            one.account.demand.place(),
            Exact::from(units),
            one.account.unit_name()
        ),
        edit,
        cost: ChangeCost::Unknown(WARM_PRICE.to_string()),
    };
    readiness_of(change, None)
}
