//! The ways to be ready for an event, with what they cost.

use std::collections::BTreeMap;

use super::simulated::Simulated;
use super::{Readiness, named};
use crate::estimate::{EstimateError, Metering};
use crate::headroom::account::{Account, Provided};
use crate::headroom::change::{
    Change, ChangeCost, Changes, Edit, beyond_quota, edit_of, raised_text, spread,
};
use crate::headroom::search::expected;
use crate::headroom::window::WeekTime;
use crate::headroom::{HeadroomError, cost};
use crate::table::{Direction, limits};
use crate::time::{DAY_MINUTES, WEEK_MINUTES};
use crate::units::Exact;
use crate::usage::Usage;
use crate::workload::TrafficEvent;

/// The ways to be ready, for each table that does not hold.
pub(super) fn readiness(
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
    let guess = one.event_busiest().ceil() as u64;
    one.account.units_for_demand(&demand, guess)
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
            one.account.name(),
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
            WeekTime::of(event.start as i64 + begin).cron(),
            up.join(", "),
            WeekTime::of(event.start as i64 + end).cron(),
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
        edit_of(metering.workload(), account, raised_text(account, *units))
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
    let mut is_scaled = false;
    for demand in metering.demand_of(table) {
        let is_it = |account: &Account| std::ptr::eq(account.demand, demand);
        let Some(account) = own.iter().find(|one| is_it(one)) else {
            // Capacity without a demand is saved.
            let units = demand.provisioned.as_ref().map(|units| units.mean.clone());
            let day = &units.unwrap_or_default() * &Exact::ratio(minutes, 60);
            let class = metering.workload().tables[table].class_in(&demand.region);
            hours.push(cost::unit_hours(demand, class, day));
            continue;
        };
        is_scaled |= matches!(account.provided(), Provided::Scaled(_));
        let simulated = every.iter().find(|one| is_it(one.account));
        let halves = match simulated {
            Some(one) => one.halves_of(minutes),
            None => {
                account.traffic.sum() / account.traffic.series().minutes().max(1) as f64
                    * minutes as f64
            }
        };
        requests.push(account.requests(expected(halves / 2.0)));
        let Some(run) = account.execute(&account.traffic.times(1.0), None, 0..0) else {
            return Ok(None);
        };
        let day = &cost::hourly_mean(&run) * &Exact::ratio(minutes, 60);
        hours.push(account.unit_hours(day));
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
        what: format!(
            "switch the table to on demand an hour before, and back after a day{}",
            match is_scaled {
                true => "; its auto scaling must then be set again",
                false => "",
            }
        ),
        edits: vec![Edit {
            line,
            text: "mode = \"on-demand\"".to_string(),
        }],
        cost: ChangeCost::of_once(difference),
    };
    Ok(Some((change, Some(back))))
}
