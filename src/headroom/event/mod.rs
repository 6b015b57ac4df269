//! Events: what throttles, for whom and how long, what they cost, and how to be ready.

mod ready;
mod simulated;

use rayon::prelude::*;

use super::account::{Account, Provided};
use super::change::{Change, Changes};
use super::search::expected;
use super::window::{CurveMinute, WeekTime};
use super::{HeadroomError, HeadroomQuestion, all_hold, cost, place_of};
use crate::capacity::{Demand, LedgerRun, Steps};
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::table::Direction;
use crate::time::{DAY_MINUTES, Date};
use crate::units::Exact;
use crate::workload::TrafficEvent;
use ready::readiness;
use simulated::{Simulated, begun};

/// Minutes of a day.
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
    /// The access patterns that ask for it, with their share of the demand; the largest first.
    pub callers: Vec<Caller>,
    /// What happens to its requests; `None` if its capacity is not known, or if a part of its demand is
    /// not known and the rest holds.
    pub happened: Option<EventThrottling>,
}

/// What happens to the requests of an account direction in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventThrottling {
    /// Whether no more is throttled than is allowed.
    pub holds: bool,
    /// The share of the event's demand that is throttled.
    pub throttled: Exact,
    /// The share of that which the hottest key's partition refuses.
    pub by_hottest_key: Exact,
    /// The global index whose throttling throttles these writes, if that is more than their own
    /// capacity does.
    pub by_index: Option<String>,
    /// Minutes from the beginning to the first throttled request; `None` if none is throttled.
    pub first_minute: Option<u64>,
    /// Minutes from the beginning to the last throttled request.
    pub last_minute: Option<u64>,
    /// Minutes in which requests are throttled.
    pub minutes: u64,
    /// The share of the usual demand of that time that is throttled without the event.
    pub usually_throttled: Exact,
    /// Repeated requests, as a share of the new ones.
    pub repeated: Exact,
    /// Requests that use up their attempts, as a share of the new ones.
    pub given_up: Exact,
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
            callers: Vec::new(),
            happened: None,
        }
    }

    /// Whether no more is throttled than is allowed; `None` if that is not known.
    pub fn holds(&self) -> Option<bool> {
        self.happened.as_ref().map(|happened| happened.holds)
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
    /// When capacity may go down again; `None` if it is kept.
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
        holds: all_hold(accounts.iter().map(EventAccount::holds)),
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
                Some(known) => {
                    (known.usual, known.busiest) = (None, None);
                    known.happened.take_if(|happened| happened.holds);
                }
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
    let time = WeekTime::of(event.start as i64 + after);
    match event.date.and_then(|date| date_of(date, event, after)) {
        Some(date) => format!("{date} {}", time.clock()),
        None => time.to_string(),
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
        let own =
            |index: &&EventAccount| (&index.table, &index.region) == (&table.table, &table.region);
        for index in indexes.iter().filter(own) {
            let Some(of_index) = &index.happened else {
                // What an index throttles that is not known is not known of its table.
                table.happened.take_if(|happened| happened.holds);
                continue;
            };
            let changes = |access: &str| index.callers.iter().any(|one| one.access == access);
            let callers = table.callers.iter().filter(|one| changes(&one.access));
            let share: Exact = callers.map(|one| one.share.clone()).sum();
            let throttled = &share * &of_index.throttled;
            let Some(happened) = &mut table.happened else {
                continue;
            };
            if throttled <= happened.throttled {
                continue;
            }
            happened.holds &= throttled <= allowed;
            let firsts = happened
                .first_minute
                .into_iter()
                .chain(of_index.first_minute);
            happened.first_minute = firsts.min();
            happened.last_minute = happened.last_minute.max(of_index.last_minute);
            happened.minutes = happened.minutes.max(of_index.minutes);
            happened.throttled = throttled;
            happened.repeated = (&share * &of_index.repeated).max(happened.repeated.clone());
            happened.given_up = (&share * &of_index.given_up).max(happened.given_up.clone());
            happened.by_index.clone_from(&index.index);
        }
    }
}

fn result(one: &Simulated) -> EventAccount {
    let happened = one.result.as_ref().zip(one.usual.as_ref());
    let happened = happened.map(|((event, _), (usual, _))| EventThrottling {
        holds: event.throttled <= one.allowed(),
        throttled: event.throttled.clone(),
        by_hottest_key: event.hot.clone(),
        by_index: None,
        first_minute: event.first,
        last_minute: event.last,
        minutes: event.minutes,
        usually_throttled: usual.throttled.clone(),
        repeated: event.returned.clone(),
        given_up: event.given_up.clone(),
        curve: event.curve.clone(),
    });
    EventAccount {
        usual: Some(expected(one.busiest(|at| one.traffic.mean(at)))),
        busiest: Some(expected(one.event_busiest())),
        callers: one.callers.clone(),
        happened,
        ..EventAccount::unknown(one.account.demand)
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
