//! Events: what throttles, for whom and how long, what they cost, and how to be ready.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::account::{Account, Provided, WITHOUT_BURSTS};
use super::change::{Change, ChangeCost, Changes, Edit, beyond_quota, edit_of, spread};
use super::search::{least, rounded};
use super::window::{BEFORE, CurveMinute, Happened, Window, time_of_week};
use super::{HeadroomError, HeadroomQuestion, all_hold, cost, place_of};
use crate::capacity::policy::Fixed;
use crate::capacity::series::WEEK_MINUTES;
use crate::capacity::{
    AccountDirection, Demand, LedgerRun, OtherTraffic, Steps, Traffic, execute_cold,
};
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::table::{Direction, limits};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::Usage;
use crate::workload::{EventTraffic, TrafficEvent};

/// Minutes of a day.
const DAY_MINUTES: u64 = 1_440;

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
    /// The busiest minute of the usual traffic at that time, in units a second; `None` if it is not
    /// known.
    pub usual: Option<Exact>,
    /// The busiest minute of the event, in units a second.
    pub busiest: Option<Exact>,
    /// Whether no more is throttled than is allowed; `None` if the capacity is not known.
    pub holds: Option<bool>,
    /// The share of the event's demand that is throttled.
    pub throttled: Exact,
    /// The share of that which the hottest key's partition refuses.
    pub by_hottest_key: Exact,
    /// The global index whose throttling throttles these writes, if that is more than their own
    /// capacity does.
    pub by_index: Option<String>,
    /// Minutes from the beginning to the first throttled request.
    pub first_minute: Option<u64>,
    /// Minutes from the beginning to the last throttled request.
    pub last_minute: Option<u64>,
    /// Minutes in which requests are throttled.
    pub throttled_minutes: u64,
    /// The share of the usual demand of that time that is throttled without the event.
    pub usually_throttled: Exact,
    /// Repeated requests, as a share of the new ones.
    pub repeated: Exact,
    /// Requests that use up their attempts, as a share of the new ones.
    pub given_up: Exact,
    /// The access patterns that ask for it, with their share of the demand; the largest first.
    pub callers: Vec<Caller>,
    /// Demand and capacity, minute by minute.
    pub curve: Vec<CurveMinute>,
}

impl EventAccount {
    /// An account direction of which nothing is known.
    fn unknown(demand: &Demand) -> EventAccount {
        EventAccount {
            table: demand.table.clone(),
            index: demand.index.clone(),
            region: demand.region.clone(),
            direction: demand.throughput.direction(),
            usual: None,
            busiest: None,
            holds: None,
            throttled: Exact::zero(),
            by_hottest_key: Exact::zero(),
            by_index: None,
            first_minute: None,
            last_minute: None,
            throttled_minutes: 0,
            usually_throttled: Exact::zero(),
            repeated: Exact::zero(),
            given_up: Exact::zero(),
            callers: Vec::new(),
            curve: Vec::new(),
        }
    }

    /// Table, index and direction, for output; the region only if it is not `home`.
    pub fn place(&self, home: &str) -> String {
        let of = (self.table.as_str(), self.index.as_deref());
        place_of(of, &self.region, self.direction, home)
    }
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
    /// The same time without the event.
    usual: Option<(Happened, LedgerRun)>,
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

    /// The busiest minute of the event, in units a second.
    fn event_busiest(&self) -> f64 {
        self.busiest(|at| self.means.get(at as usize).copied().unwrap_or(0.0))
    }

    /// The factor of the event's demand that the partition of its hottest key serves.
    fn key_factor(&self) -> Exact {
        let share = self.account.hottest.as_ref().map(|key| key.share.to_f64());
        let asked = share.unwrap_or(0.0) * self.event_busiest();
        let served = limits::partition_units_max(self.account.direction) as f64;
        match asked > 0.0 {
            true => rounded(served / asked),
            false => Exact::from(u64::MAX),
        }
    }

    /// Whether the hottest key asks for more than its partition serves.
    fn is_key_too_hot(&self) -> bool {
        self.key_factor() < Exact::one()
    }

    /// Half units that are expected in some minutes from the beginning of the event on: after the end
    /// of the simulation, the usual ones.
    fn halves_of(&self, minutes: u64) -> f64 {
        let from = self.window.before;
        let until = (from + minutes).min(self.window.all);
        let steps = self.account.traffic.series().steps_a_minute() as f64;
        let own: f64 = self.means[from as usize..until as usize].iter().sum();
        let rest = (from + minutes).saturating_sub(until) as f64;
        own * steps + self.traffic.sum() / self.window.all as f64 * rest
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
        let usual = one
            .account
            .happens(&one.traffic.times(1.0), None, one.window);
        (one.result, one.usual) = (result, usual);
    });
    let mut accounts: Vec<EventAccount> = simulated.iter().map(result).collect();
    let hidden = not_known(metering, event, &mut accounts);
    back_pressure(&mut accounts, limit(question));
    Ok(EventOutcome {
        name: event.name.clone(),
        line: event.line,
        from: named(event, 0),
        to: named(event, event.minutes as i64),
        minutes: event.minutes,
        holds: all_hold(accounts.iter().map(|one| one.holds)),
        cost: match hidden {
            true => None,
            false => extra_cost(metering, &simulated)?,
        },
        readiness: readiness(metering, changes, own, &simulated, event)?,
        accounts,
    })
}

/// Marks the account directions of which a part of the demand is not known as such, and adds those that
/// have no other demand; returns whether there are any.
fn not_known(metering: &Metering, event: &TrafficEvent, accounts: &mut Vec<EventAccount>) -> bool {
    let mut is_any = false;
    for (at, table) in metering.workload().tables.iter().enumerate() {
        let mut patterns = table.patterns();
        if !patterns.any(|access| event.traffic.changes(&access.name)) {
            continue;
        }
        for demand in metering
            .demand_of(at)
            .iter()
            .filter(|one| one.partly_unknown)
        {
            is_any = true;
            let direction = demand.throughput.direction();
            let is_it = |one: &&mut EventAccount| {
                (&one.table, &one.index, &one.region, one.direction)
                    == (&demand.table, &demand.index, &demand.region, direction)
            };
            match accounts.iter_mut().find(is_it) {
                Some(known) if known.holds == Some(true) => known.holds = None,
                Some(_) => {}
                None => accounts.push(EventAccount::unknown(demand)),
            }
        }
    }
    is_any
}

/// The share of the demand that may be throttled.
fn limit(question: &HeadroomQuestion) -> Exact {
    Exact::ratio(question.throttled_billionths, 1_000_000_000)
}

/// A minute after the beginning of an event, such as "Tue 14:00" or "2026-12-01 14:00".
fn named(event: &TrafficEvent, after: i64) -> String {
    let time = time_of_week(event.start as i64 + after);
    match event.date.and_then(|date| date_of(date, event, after)) {
        Some(date) => format!("{date} {}", &time[4..]),
        None => time,
    }
}

/// The date of a minute after the beginning of an event.
fn date_of(date: Date, event: &TrafficEvent, after: i64) -> Option<Date> {
    let minute = (event.start % DAY_MINUTES) as i64 + after;
    Date::of_second(date.midnight_second() + minute * 60)
}

/// Writes that an index throttles with its own: of each access pattern that changes its entries, the
/// share that the index throttles.
///
/// Source: Developer Guide, "Global secondary indexes": if an index has not enough write capacity,
/// writes to the table are throttled (rule 3.8b).
fn back_pressure(accounts: &mut [EventAccount], allowed: Exact) {
    let indexes: Vec<EventAccount> = accounts
        .iter()
        .filter(|one| one.index.is_some() && one.direction == Direction::Write)
        .cloned()
        .collect();
    let tables = accounts
        .iter_mut()
        .filter(|one| one.index.is_none() && one.direction == Direction::Write);
    for table in tables {
        for index in &indexes {
            let is_own = (&index.table, &index.region) == (&table.table, &table.region);
            if !is_own || index.throttled.is_zero() {
                continue;
            }
            let changes = |access: &str| index.callers.iter().any(|one| one.access == access);
            let callers = table.callers.iter().filter(|one| changes(&one.access));
            let share: Exact = callers.map(|one| one.share.clone()).sum();
            let throttled = &share * &index.throttled;
            if throttled <= table.throttled {
                continue;
            }
            if throttled > allowed {
                table.holds = Some(false);
            }
            let earlier = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
            table.first_minute = earlier(table.first_minute, index.first_minute);
            table.last_minute = table.last_minute.max(index.last_minute);
            table.throttled_minutes = table.throttled_minutes.max(index.throttled_minutes);
            table.throttled = throttled;
            table.by_index.clone_from(&index.index);
        }
    }
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
            share: rounded(sum / all.max(f64::MIN_POSITIVE)),
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
            // The first of January 1970 was a Thursday.
            let week = WEEK_MINUTES as i64;
            let of_first = (first + 3 * DAY_MINUTES as i64).rem_euclid(week);
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
    let usual = one.usual.as_ref().map(|(usual, _)| usual.clone());
    let usual = usual.unwrap_or_default();
    EventAccount {
        usual: Some(rounded(one.busiest(|at| one.traffic.mean(at)))),
        busiest: Some(rounded(one.event_busiest())),
        holds: one.holds(),
        throttled: happened.throttled,
        by_hottest_key: happened.hot,
        first_minute: happened.first,
        last_minute: happened.last,
        throttled_minutes: happened.minutes,
        usually_throttled: usual.throttled,
        repeated: happened.returned,
        given_up: happened.given_up,
        callers: one.callers.clone(),
        curve: happened.curve,
        ..EventAccount::unknown(demand)
    }
}

/// What an event costs in addition to the usual traffic.
fn extra_cost(
    metering: &Metering,
    simulated: &[Simulated],
) -> Result<Option<Money>, HeadroomError> {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for one in simulated {
        let (Some((_, run)), Some((_, usual))) = (one.result.as_ref(), one.usual.as_ref()) else {
            return Ok(None);
        };
        match one.account.provided() {
            Provided::OnDemand(_) => {
                let units = |run: &LedgerRun| {
                    let parts = Steps::parts(&one.traffic.times(1.0));
                    Exact::whole(run.consumed) / Exact::from(2 * parts)
                };
                with.push(one.account.requests(units(run)));
                without.push(one.account.requests(units(usual)));
            }
            _ => {
                let hours = |run: &LedgerRun| Exact::from(run.hourly_maxima.iter().sum::<u64>());
                with.push(one.account.unit_hours(hours(run)));
                without.push(one.account.unit_hours(hours(usual)));
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
    Ok(Some(with.minus(without).map_err(EstimateError::from)?))
}

/// The ways to be ready, for each table that does not hold.
fn readiness(
    metering: &Metering,
    changes: &Changes,
    own: &[Account],
    simulated: &[Simulated],
    event: &TrafficEvent,
) -> Result<Vec<Readiness>, HeadroomError> {
    let mut all = Vec::new();
    let short: Vec<&Simulated> = simulated
        .iter()
        .filter(|one| one.holds() == Some(false))
        .collect();
    let mut tables: Vec<usize> = short.iter().map(|one| one.account.table).collect();
    tables.dedup();
    for table in tables {
        let of_table: Vec<&Simulated> = short
            .iter()
            .filter(|one| one.account.table == table)
            .copied()
            .collect();
        let mut ways: Vec<(Change, Option<String>)> = Vec::new();
        let (by_key, by_capacity): (Vec<&Simulated>, Vec<&Simulated>) =
            of_table.into_iter().partition(|one| one.is_key_too_hot());
        // What a partition refuses, no capacity serves.
        ways.extend(by_key.iter().map(|one| (spread(&one.key_factor()), None)));
        let provided = by_capacity.first().map(|one| one.account.provided());
        match provided {
            None => {}
            Some(Provided::OnDemand(_)) => {
                for one in &by_capacity {
                    if let Some(units) = needed(one) {
                        ways.push((changes.on_demand(one.account, units)?, None));
                    }
                }
            }
            Some(_) => {
                let needed = needed_of_all(simulated, &by_capacity);
                ways.extend(scheduled(metering, &needed, event)?);
                ways.extend(higher_minimum(metering, changes, table, &needed)?);
                if by_key.is_empty() {
                    let of_table = |one: &&Simulated| one.account.table == table;
                    let every = simulated.iter().filter(of_table).collect::<Vec<_>>();
                    ways.extend(on_demand_for_a_day(metering, (table, own), &every, event)?);
                }
            }
        }
        ways.sort_by_key(|(change, _)| change.cost.order());
        let name = &metering.workload().tables[table].table.name;
        all.extend(ways.into_iter().map(|(change, down)| Readiness {
            table: name.clone(),
            change,
            down,
        }));
    }
    Ok(all)
}

/// The least fixed units that serve an event without bursts.
fn needed(one: &Simulated) -> Option<u64> {
    let (before, minutes) = (one.window.before, one.window.minutes);
    let event = one.traffic.window(before as i64, minutes);
    let means = one.means[before as usize..(before + minutes) as usize].to_vec();
    let demand = event.with_means(means);
    let most = limits::PROVISIONED_UNITS_MAX * 1_000;
    let guess = one.event_busiest().ceil() as u64;
    least(guess, most, |units| {
        let mut lanes = [AccountDirection::new(&demand, Fixed { units })];
        let runs = execute_cold(&mut lanes, &WITHOUT_BURSTS);
        runs.iter()
            .all(|run| run.throttles_at_most(one.account.limit))
    })
}

/// The same of several account directions. The writes of a global table have the same units in every
/// region: those of the region that needs most.
fn needed_of_all<'a>(
    simulated: &'a [Simulated<'a>],
    short: &[&'a Simulated<'a>],
) -> Vec<(&'a Simulated<'a>, u64)> {
    let mut all: Vec<(&Simulated, u64)> = Vec::new();
    for one in short {
        let Some(units) = needed(one) else {
            continue;
        };
        let account = one.account;
        let is_shared = account.direction == Direction::Write && account.design.is_global();
        let same = |other: &&Simulated| {
            let other = other.account;
            let same = (other.table, other.target, other.direction)
                == (account.table, account.target, account.direction);
            same && (is_shared || other.replica.is_none() == account.replica.is_none())
                && (is_shared || other.demand.region == account.demand.region)
        };
        for other in simulated.iter().filter(same) {
            let is_it = |known: &&mut (&Simulated, u64)| std::ptr::eq(known.0, other);
            match all.iter_mut().find(is_it) {
                Some((_, most)) => *most = units.max(*most),
                None => all.push((other, units)),
            }
        }
    }
    all
}

/// Minutes by which capacity is raised before an event, so that it is there when the event begins.
const AHEAD: u64 = 5;

/// Capacity that a schedule raises for the hours of an event.
///
/// Source: Application Auto Scaling User Guide, "Scheduled scaling"; an hour is billed for its highest
/// capacity (rule 6.7), so that the hour before counts if the event begins with an hour.
fn scheduled(
    metering: &Metering,
    needed: &[(&Simulated, u64)],
    event: &TrafficEvent,
) -> Result<Option<(Change, Option<String>)>, HeadroomError> {
    let mut usage: Vec<Usage> = Vec::new();
    let mut words = Vec::new();
    // The bounds at the beginning and at the end, by the line of the schedule.
    let mut lines: BTreeMap<usize, (Vec<String>, Vec<String>)> = BTreeMap::new();
    let mut is_plain = true;
    if event.minutes + AHEAD >= WEEK_MINUTES {
        return Ok(None);
    }
    for (one, units) in needed {
        let Some((_, usual)) = &one.usual else {
            return Ok(None);
        };
        let first = (one.window.before.saturating_sub(AHEAD) / 60) as usize;
        let last = (one.window.before + one.window.minutes).div_ceil(60) as usize;
        let hours = usual.hourly_maxima.get(first..last).unwrap_or_default();
        let more = hours.iter().map(|own| units.saturating_sub(*own));
        usage.push(one.account.unit_hours(Exact::from(more.sum::<u64>())));
        let word = format!(
            "{} {} of {}{}",
            Exact::from(*units),
            one.account.unit_name(),
            one.account.demand.place(),
            beyond_quota(*units)
        );
        words.push(word);
        let (bounds, plain) = bounds(one.account, *units);
        // A replica has read units of its own, but no schedule.
        let reads_of_replica = one.account.replica.is_some() && bounds.2 == Direction::Read;
        is_plain &= plain && !reads_of_replica;
        let edit = edit_of(metering.workload(), one.account, String::new());
        let line = lines.entry(edit.line).or_default();
        if !line.0.contains(&bounds.0) {
            line.0.push(bounds.0);
            line.1.push(bounds.1);
        }
    }
    if words.is_empty() {
        return Ok(None);
    }
    let (begin, end) = (-(AHEAD as i64), event.minutes as i64);
    let edit = |(line, (up, down)): (usize, (Vec<String>, Vec<String>))| Edit {
        line,
        text: format!(
            "schedule = [{{ cron = \"{}\", {} }}, {{ cron = \"{}\", {} }}]",
            cron(event.start as i64 + begin),
            up.join(", "),
            cron(event.start as i64 + end),
            down.join(", ")
        ),
    };
    let how = match (event.date, is_plain) {
        (Some(_), _) => ", by two one-time actions",
        (None, true) => " that week",
        (None, false) => {
            ", by actions of auto scaling that the file cannot describe beside its own"
        }
    };
    let change = Change {
        what: format!(
            "schedule {} from {} to {}{how}",
            words.join(" and "),
            named(event, begin),
            named(event, end)
        ),
        // The file has weekly actions only, and those of a schedule that it has already are not told
        // again.
        edits: match event.date.is_none() && is_plain {
            true => lines.into_iter().map(edit).collect(),
            false => Vec::new(),
        },
        cost: ChangeCost::of_once(cost::price(metering, &usage)?),
    };
    Ok(Some((change, Some(named(event, end)))))
}

/// The bounds of an account's capacity that provide some units, and its own bounds, as a schedule sets
/// them; and whether it has no schedule yet.
fn bounds(account: &Account, units: u64) -> ((String, String, Direction), bool) {
    let key = account.direction.word();
    let text = |min: u64, max: u64| format!("min_{key} = {min}, max_{key} = {max}");
    match account.provided() {
        Provided::Scaled(scaling) => {
            let up = text(units.max(scaling.min), scaling.max.max(units));
            let plain = scaling.schedule.actions.is_empty();
            let down = text(scaling.min, scaling.max);
            ((up, down, account.direction), plain)
        }
        Provided::Fixed(own) => {
            let more = units.max(own);
            ((text(more, more), text(own, own), account.direction), true)
        }
        Provided::OnDemand(_) | Provided::Unknown(_) => (
            (text(units, units), String::new(), account.direction),
            false,
        ),
    }
}

/// A minute of the week as cron fields.
fn cron(minute: i64) -> String {
    let text = time_of_week(minute);
    let (day, time) = text.split_once(' ').unwrap_or(("*", "00:00"));
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    format!(
        "{} {} * * {}",
        number(&time[3..]),
        number(&time[..2]),
        day.to_uppercase()
    )
}

/// A minimum that is high enough all the time.
fn higher_minimum(
    metering: &Metering,
    changes: &Changes,
    table: usize,
    needed: &[(&Simulated, u64)],
) -> Result<Option<(Change, Option<String>)>, HeadroomError> {
    if needed.is_empty() || needed.iter().any(|(one, _)| one.account.has_schedule()) {
        return Ok(None);
    }
    let raised: Vec<(&Account, u64)> = needed
        .iter()
        .map(|(one, units)| (one.account, *units))
        .collect();
    let edit = |(account, units): &(&Account, u64)| {
        edit_of(
            metering.workload(),
            account,
            super::change::raised_text(account, *units),
        )
    };
    let mut edits: Vec<Edit> = raised.iter().map(edit).collect();
    edits.dedup();
    let change = Change {
        what: "provide that capacity all month".to_string(),
        edits,
        cost: changes.cost_of_minimum(table, &raised)?,
    };
    Ok(Some((change, None)))
}

/// The whole table with its indexes on demand, for the day of an event.
///
/// Source: Developer Guide, "Considerations when switching capacity modes": a table may be switched to
/// on demand four times in 24 hours, which takes some minutes, and back at any time; it then serves at
/// least what was provisioned (rule 6.1).
fn on_demand_for_a_day(
    metering: &Metering,
    (table, own): (usize, &[Account]),
    every: &[&Simulated],
    event: &TrafficEvent,
) -> Result<Option<(Change, Option<String>)>, HeadroomError> {
    let minutes = DAY_MINUTES.max(event.minutes);
    let (mut requests, mut hours) = (Vec::new(), Vec::new());
    for demand in metering.demand_of(table) {
        let is_it = |account: &Account| std::ptr::eq(account.demand, demand);
        let Some(account) = own.iter().find(|one| is_it(one)) else {
            // Capacity without a demand is saved.
            let units = demand.provisioned.as_ref().map(|units| units.mean.clone());
            let day = &units.unwrap_or_default() * &Exact::ratio(minutes, 60);
            hours.push(cost::unit_hours(metering, table, demand, day));
            continue;
        };
        let simulated = every.iter().find(|one| is_it(one.account));
        let halves = match simulated {
            Some(one) => one.halves_of(minutes),
            None => {
                account.traffic.sum() / account.traffic.series().minutes().max(1) as f64
                    * minutes as f64
            }
        };
        requests.push(account.requests(rounded(halves / 2.0)));
        let Some(run) = account.execute(&account.traffic.times(1.0), None, 0..0) else {
            return Ok(None);
        };
        let count = run.hourly_maxima.len().max(1) as u64;
        let mean = Exact::from(run.hourly_maxima.iter().sum::<u64>()) / Exact::from(count);
        hours.push(account.unit_hours(&mean * &Exact::ratio(minutes, 60)));
        let busiest = simulated.map_or(account.busiest(), |one| one.event_busiest());
        let served = account
            .at_once(run.highest)
            .units
            .min(limits::PROVISIONED_UNITS_MAX);
        if busiest > served as f64 {
            return Ok(None);
        }
    }
    let (requests, hours) = (
        cost::price(metering, &requests)?,
        cost::price(metering, &hours)?,
    );
    let difference = match requests.zip(hours) {
        Some((requests, hours)) => Some(requests.minus(hours).map_err(EstimateError::from)?),
        None => None,
    };
    let line = metering
        .workload()
        .written
        .line(&metering.workload().tables[table].part(crate::workload::DesignPart::Capacity));
    let back = named(event, minutes as i64);
    let change = Change {
        what: "switch the table to on demand an hour before, and back after a day; set its auto scaling \
               again then"
            .to_string(),
        edits: vec![Edit {
            line,
            text: "mode = \"on-demand\"".to_string(),
        }],
        cost: ChangeCost::of_once(difference),
    };
    Ok(Some((change, Some(back))))
}
