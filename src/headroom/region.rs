//! A region is lost: its users are served elsewhere. Does each region hold, how long until it does,
//! and what does it cost?

use rayon::prelude::*;

use super::account::{Account, Provided};
use super::change::{Change, Changes};
use super::search::expected;
use super::window::{BEFORE, WeekTime, Window};
use super::{HeadroomError, all_hold, cost, place_of};
use crate::capacity::{Steps, Traffic};
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::table::Direction;
use crate::units::Exact;
use crate::workload::TableDesign;

/// Minutes after the loss that are simulated.
const AFTER: u64 = 720;

/// Minutes after the loss that are shown.
const SHOWN: u64 = 120;

/// What the loss of a region does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostRegion {
    /// The region.
    pub region: String,
    /// The tables that are there.
    pub tables: Vec<LostTable>,
    /// The account directions of other regions that get more traffic.
    pub accounts: Vec<LostAccount>,
    /// Whether every table is served, and every account direction holds; `None` if that is not known
    /// of one, and no other fails.
    pub holds: Option<bool>,
    /// What the other regions cost in addition; `None` if a price is not known.
    pub cost: Option<LostCost>,
}

/// A table in a lost region.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostTable {
    /// The table.
    pub table: String,
    /// What becomes of its users.
    pub state: LostTableState,
    /// The regions that serve its users instead, each with its share of them.
    pub served_by: Vec<(String, Exact)>,
    /// What happens to its reads and writes.
    pub words: String,
}

/// What becomes of the users of a table in a lost region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostTableState {
    /// Other regions serve them.
    Served,
    /// It had no users: it was a witness.
    Witness,
    /// No other region has the table.
    Down,
}

impl LostTableState {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            LostTableState::Served => "served",
            LostTableState::Witness => "witness",
            LostTableState::Down => "down",
        }
    }
}

/// An account direction that serves the users of a lost region.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostAccount {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// The busiest minute before, in units a second.
    pub before: Exact,
    /// The busiest minute after, in units a second.
    pub after: Exact,
    /// When the region is lost in the simulation: at the beginning of the busiest hour.
    pub at: String,
    /// What happens to its requests; `None` if its capacity is not known, or if a part of its demand is
    /// not known and the rest holds.
    pub happened: Option<LostThrottling>,
    /// What to change so that it holds at once.
    pub change: Option<Change>,
}

/// What happens to the requests of an account direction when a region is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostThrottling {
    /// Whether no more is throttled in the twelve hours after than is allowed.
    pub holds: bool,
    /// The share of the demand of the first hour that is throttled.
    pub throttled: Exact,
    /// Until when requests are throttled.
    pub until: ThrottledUntil,
    /// Repeated requests of the first hour, as a share of the new ones.
    pub repeated: Exact,
    /// Requests that use up their attempts, as a share of the new ones.
    pub given_up: Exact,
}

/// Until when requests are throttled after the loss of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ThrottledUntil {
    /// None is throttled.
    Never,
    /// For some minutes.
    Minutes(u64),
    /// For longer than the twelve hours that are simulated.
    Longer,
}

impl LostAccount {
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

/// What the loss of a region costs in the other regions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostCost {
    /// For an hour of average traffic.
    pub hour: Money,
    /// For a day.
    pub day: Money,
    /// For a month.
    pub month: Money,
}

/// What happens without a region.
pub(super) fn without(
    metering: &Metering,
    changes: &Changes,
    own: &[Account],
    region: &str,
) -> Result<LostRegion, HeadroomError> {
    let workload = metering.workload();
    let home = workload.region.as_str();
    let is_there = |table: &TableDesign| region == home || table.replica_in(region).is_some();
    let there: Vec<&TableDesign> = workload
        .tables
        .iter()
        .map(AsRef::as_ref)
        .filter(|table| is_there(table))
        .collect();
    if there.is_empty() {
        return Err(HeadroomError::NoRegion {
            region: region.to_string(),
            known: regions(metering),
        });
    }
    let tables: Vec<LostTable> = there
        .iter()
        .map(|table| lost_table(table, home, region))
        .collect();
    let idle = idle_accounts(metering, own, region);
    let everywhere: Vec<&Account> = own.iter().chain(&idle).collect();
    let shifted: Vec<Shifted> = everywhere
        .iter()
        .filter_map(|account| shifted(metering, account, own, &tables, region))
        .collect();
    let retries = workload.retries;
    let accounts = shifted
        .par_iter()
        .map(|one| lost_account(one, retries, changes))
        .collect::<Result<Vec<LostAccount>, HeadroomError>>()?;
    let served = tables
        .iter()
        .map(|table| Some(table.state != LostTableState::Down));
    // What is not known of the lost region comes to the others as well.
    let hidden = metering
        .demand()
        .any(|demand| demand.region == region && demand.partly_unknown);
    let served = served.chain([(!hidden).then_some(true)]);
    Ok(LostRegion {
        region: region.to_string(),
        holds: all_hold(served.chain(accounts.iter().map(LostAccount::holds))),
        cost: match hidden {
            true => None,
            false => lost_cost(metering, &shifted)?,
        },
        tables,
        accounts,
    })
}

/// The account directions of other regions that have no demand yet, where the lost region has one.
fn idle_accounts<'a>(metering: &'a Metering, own: &[Account<'a>], lost: &str) -> Vec<Account<'a>> {
    let mut all = Vec::new();
    for there in own.iter().filter(|one| one.demand.region == lost) {
        for demand in metering.demand_of(there.table) {
            let is_same = demand.region != lost
                && demand.index == there.demand.index
                && demand.throughput.direction() == there.direction;
            let is_known = own.iter().any(|one| std::ptr::eq(one.demand, demand));
            if is_same && !is_known {
                let none = there.traffic.without_demand();
                let (table, limit) = (there.table, there.limit);
                all.push(Account::of_other(metering, table, demand, limit, none));
            }
        }
    }
    all
}

/// The reads that a cluster of the lost region answered, with those that it passed on, for each of
/// these: the other regions have no cluster. `None` if the cluster's hit ratio is not known.
fn beside_the_cache(metering: &Metering, there: &Account, lost: &str) -> Option<f64> {
    let dax = there.design.dax.as_ref();
    let is_cached = lost == metering.workload().region && there.direction == Direction::Read;
    let Some(dax) = dax.filter(|_| is_cached) else {
        return Some(1.0);
    };
    let passed = 1.0 - dax.hit_ratio.known()?.to_f64();
    let (mut with, mut without) = (0.0, 0.0);
    let consumed = metering.consumed(there.table).iter().filter(|one| {
        one.account == there.demand.index
            && one.subject.region == lost
            && one.throughput.direction() == Direction::Read
    });
    for one in consumed {
        let mut patterns = there.design.access.iter();
        let name = one.subject.access.as_deref();
        let cached =
            patterns.any(|access| Some(access.name.as_str()) == name && access.is_cacheable());
        let units = one.units.to_f64();
        with += units;
        without += match cached {
            true if passed <= 0.0 => return None,
            true => units / passed,
            false => units,
        };
    }
    Some(if with > 0.0 { without / with } else { 1.0 })
}

/// The regions in which a table of the design is.
fn regions(metering: &Metering) -> Vec<String> {
    let workload = metering.workload();
    let replicas = workload.tables.iter().flat_map(|table| &table.replicas);
    let mut all: Vec<String> = replicas.map(|replica| replica.region.clone()).collect();
    all.push(workload.region.clone());
    all.sort();
    all.dedup();
    all
}

/// Who serves the users of a table, and what that means for its data.
///
/// Sources: Developer Guide, "How DynamoDB global tables work": with multi-Region eventual consistency,
/// changes are replicated in a second or less, and what was not replicated when a replica became
/// isolated is replicated when it is healthy again; with multi-Region strong consistency, a table has
/// three regions, and a write is in two of them before it succeeds.
fn lost_table(table: &TableDesign, home: &str, lost: &str) -> LostTable {
    let replica = table.replica_in(lost);
    let readable = table.replicas.iter().filter(|replica| !replica.witness);
    let mut others: Vec<String> = readable.map(|replica| replica.region.clone()).collect();
    others.push(home.to_string());
    others.retain(|region| region != lost);
    others.sort();
    let is_witness = replica.is_some_and(|replica| replica.witness);
    let failover = match lost == home {
        true => table.failover.clone(),
        false => replica.and_then(|replica| replica.failover.clone()),
    };
    if let Some(to) = failover.filter(|to| others.contains(to)) {
        others = vec![to];
    }
    let count = others.len() as u64;
    let state = match (others.is_empty(), is_witness) {
        (true, _) => LostTableState::Down,
        (false, true) => LostTableState::Witness,
        (false, false) => LostTableState::Served,
    };
    let words = match (state, table.strong) {
        (LostTableState::Down, _) => {
            "no other region has it: all its reads and writes fail until the region is back"
        }
        (LostTableState::Witness, _) => {
            "only its witness is lost, which serves no users; if another region is lost as well, writes \
             and strongly consistent reads fail"
        }
        (LostTableState::Served, true) => {
            "strong consistency (MRSC): no write is lost, since each is in two regions before it \
             succeeds; if another region is lost as well, writes and strongly consistent reads fail"
        }
        (LostTableState::Served, false) => {
            "eventual consistency (MREC): writes of about the last second before the loss are missing \
             until the region is back, also in strongly consistent reads; where both sides changed an \
             item, the last writer wins"
        }
    };
    let share = Exact::ratio(1, count.max(1));
    LostTable {
        table: table.table.name.clone(),
        served_by: match state {
            LostTableState::Served => others
                .into_iter()
                .map(|region| (region, share.clone()))
                .collect(),
            LostTableState::Witness | LostTableState::Down => Vec::new(),
        },
        state,
        words: words.to_string(),
    }
}

/// An account direction with the demand that comes to it.
struct Shifted<'a> {
    account: &'a Account<'a>,
    /// Whether all of the demand is known.
    is_known: bool,
    /// Its demand with that of the lost region at all times.
    after: Traffic,
    /// The demand that comes to it, with its share.
    more: Vec<(&'a Traffic, f64)>,
}

/// What comes to an account direction; `None` if nothing does.
fn shifted<'a>(
    metering: &Metering,
    account: &'a Account<'a>,
    own: &'a [Account<'a>],
    tables: &[LostTable],
    lost: &str,
) -> Option<Shifted<'a>> {
    let demand = account.demand;
    if demand.region == lost {
        return None;
    }
    let table = tables.iter().find(|one| one.table == demand.table)?;
    let mut served = table.served_by.iter();
    let (_, share) = served.find(|(region, _)| *region == demand.region)?;
    let same = |one: &&Account| {
        one.demand.region == lost
            && (&one.demand.table, &one.demand.index) == (&demand.table, &demand.index)
            && one.direction == account.direction
    };
    let there = own.iter().find(same)?;
    let cached = beside_the_cache(metering, there, lost);
    let share = share.to_f64()
        * match account.direction {
            Direction::Read => cached.unwrap_or(1.0),
            // Writes are replicated to every region already; where a transaction is made, it consumes
            // more than where it is replicated.
            Direction::Write => {
                let (here, there) = (account.traffic.sum(), there.traffic.sum());
                ((there - here) / there.max(f64::MIN_POSITIVE)).max(0.0)
            }
        };
    if share < 1e-9 {
        return None;
    }
    let more = vec![(&there.traffic, share)];
    Some(Shifted {
        account,
        is_known: cached.is_some() && !demand.partly_unknown && !there.demand.partly_unknown,
        after: account.traffic.with_more(&more, 0),
        more,
    })
}

fn lost_account(
    one: &Shifted,
    retries: Option<crate::capacity::Retries>,
    changes: &Changes,
) -> Result<LostAccount, HeadroomError> {
    let Shifted {
        account,
        is_known,
        after,
        more,
    } = one;
    let series = account.traffic.series();
    let unit = series.unit() as f64;
    let start = busiest_hour(after);
    let before = match account.traffic.is_traced() {
        true => BEFORE.min(start),
        false => BEFORE,
    };
    let window = Window {
        minutes: AFTER,
        all: before + AFTER,
        before,
        shown: SHOWN,
    };
    let from = start as i64 - before as i64;
    let own = account.traffic.window(from, window.all);
    let others: Vec<(Traffic, f64)> = more
        .iter()
        .map(|(other, share)| (other.window(from, window.all), *share))
        .collect();
    let others: Vec<(&Traffic, f64)> = others
        .iter()
        .map(|(other, share)| (other, *share))
        .collect();
    let demand = own.with_more(&others, before);
    let demand: &dyn Steps = &**demand.series();
    let day = account.happens(demand, retries, window);
    let hour = account.happens(
        demand,
        retries,
        Window {
            minutes: 60,
            ..window
        },
    );
    let limit = Exact::ratio(account.limit, 1_000_000_000);
    let happened = day.zip(hour).map(|((day, _), (hour, _))| LostThrottling {
        holds: day.throttled <= limit,
        throttled: hour.throttled,
        until: match day.last.map(|last| last + 1) {
            None => ThrottledUntil::Never,
            Some(minutes) if minutes < AFTER => ThrottledUntil::Minutes(minutes),
            Some(_) => ThrottledUntil::Longer,
        },
        repeated: hour.returned,
        given_up: hour.given_up,
    });
    let happened = happened.filter(|happened| *is_known || !happened.holds);
    let peak = after.highest_mean() / unit;
    let change = match &happened {
        Some(happened) if !happened.holds => changes.for_demand(account, after)?,
        _ => None,
    };
    let place = account.demand;
    Ok(LostAccount {
        table: place.table.clone(),
        index: place.index.clone(),
        region: place.region.clone(),
        direction: account.direction,
        before: expected(account.busiest()),
        after: expected(peak),
        at: WeekTime::of(series.start_minute as i64 + start as i64).to_string(),
        happened,
        change,
    })
}

/// The minute at which the busiest hour begins.
fn busiest_hour(traffic: &Traffic) -> u64 {
    let hours = (traffic.series().minutes() / 60).max(1);
    let of_hour = |hour: &u64| -> f64 {
        let minutes = hour * 60..(hour + 1) * 60;
        minutes.map(|minute| traffic.mean(minute)).sum()
    };
    let mut best = (0, f64::MIN);
    for hour in 0..hours {
        let sum = of_hour(&hour);
        if sum > best.1 * (1.0 + 1e-9) || hour == 0 {
            best = (hour, sum);
        }
    }
    best.0 * 60
}

/// What the other regions cost in addition.
fn lost_cost(metering: &Metering, all: &[Shifted]) -> Result<Option<LostCost>, HeadroomError> {
    let month = metering.workload().month.clone();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    if all.iter().any(|one| !one.is_known) {
        return Ok(None);
    }
    for one in all {
        let traffic = &one.account.traffic;
        let of_month = &month.seconds() / &Exact::from(traffic.series().seconds().max(1));
        match one.account.provided() {
            Provided::Unknown(_) => return Ok(None),
            Provided::OnDemand(_) => {
                let units = |traffic: &Traffic| &expected(traffic.sum() / 2.0) * &of_month;
                with.push(one.account.requests(units(&one.after)));
                without.push(one.account.requests(units(traffic)));
            }
            _ => {
                let hours = |traffic: &Traffic| -> Option<Exact> {
                    let demand: &dyn Steps = &**traffic.series();
                    let run = one.account.execute(demand, None, 0..0)?;
                    Some(&cost::hourly_mean(&run) * month.hours())
                };
                let (Some(more), Some(usual)) = (hours(&one.after), hours(traffic)) else {
                    return Ok(None);
                };
                with.push(one.account.unit_hours(more));
                without.push(one.account.unit_hours(usual));
            }
        }
    }
    let prices = cost::price(metering, &with)?.zip(cost::price(metering, &without)?);
    let Some((with, without)) = prices else {
        return Ok(None);
    };
    let more = with.minus(without).map_err(EstimateError::from)?;
    let all = Exact::from(more.decimal());
    let hour = &all / month.hours();
    let dollars = |amount: &Exact| Money::dollars(amount).map_err(EstimateError::from);
    Ok(Some(LostCost {
        hour: dollars(&hour)?,
        day: dollars(&(&hour * &Exact::from(24)))?,
        month: more,
    }))
}
