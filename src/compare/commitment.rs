//! Commitments: reserved capacity and Database Savings Plans, and the mix of both that costs least.

use std::collections::BTreeMap;

use super::{Alternative, AlternativeKind, AlternativeState, Context};
use crate::capacity::{Consumption, ProvisionedCapacity};
use crate::commitments::plan::{HourCost, PARTS_OF_A_DOLLAR, parts, proportion, take_evenly};
use crate::commitments::{CommitmentKind, discount_percent, plan_usd_per_hour};
use crate::estimate::{EstimateError, Metering};
use crate::money::{Money, MoneyError};
use crate::pricing::PriceBook;
use crate::table::{ByDirection, Direction, TableClass};
use crate::time::{Date, HOURS_A_YEAR, MonthHours};
use crate::units::Exact;
use crate::usage::{ReservedPart, Throughput, UsageType};
use crate::workload::{DesignEdit, DesignPart, Workload, toml_text};

/// A plan's hourly commitment is a multiple of this: a tenth of a cent.
const PLAN_STEP: i128 = 1_000_000_000;

/// What the throughput of a design costs in each hour, in parts of a dollar, and the units that a
/// reservation could cover, in sixtieths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Curve {
    on_demand: Vec<HourCost>,
    /// Provisioned units that cannot be reserved: Standard-IA, replicated, in other regions.
    bound: Vec<HourCost>,
    reads: Vec<u64>,
    writes: Vec<u64>,
    read: HourCost,
    write: HourCost,
    /// Units of the smallest reservation.
    block: u64,
    /// What savings plans cost an hour that have been bought already.
    bought: i128,
    /// The share of list prices that is paid, after a negotiated discount.
    paid: Exact,
}

/// A commitment that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offer {
    /// Reserved capacity: the term in years, and the cost of a read unit and of a write unit for an
    /// hour, with its share of the upfront price.
    Reserved {
        /// 1 or 3.
        years: u64,
        /// A read unit.
        read: Exact,
        /// A write unit.
        write: Exact,
        /// The upfront price of a unit; its share is included in the hourly costs above.
        upfront: ByDirection<Exact>,
    },
    /// A Database Savings Plan of one year, without an upfront payment.
    Plan,
}

/// Commitments, and what the throughput costs with them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mix {
    /// Years of the reservation, if there is one.
    pub years: Option<u64>,
    /// Reserved read units.
    pub read_units: u64,
    /// Reserved write units.
    pub write_units: u64,
    /// Dollars that the reservation costs up front; each month's share is included in the monthly
    /// cost.
    pub upfront: Exact,
    /// Dollars an hour that are committed to a savings plan.
    pub plan_usd_per_hour: Exact,
    /// The cost of all throughput over the hours of the curve, in parts of a dollar.
    cost: i128,
}

impl Mix {
    /// What to write in a workload file.
    pub(super) fn edit(&self, region: &str) -> DesignEdit {
        let edit = DesignEdit::of(DesignPart::Region);
        let reserved = self
            .years
            .filter(|_| self.read_units + self.write_units > 0);
        let edit = match reserved {
            Some(years) => {
                let units = [("read", self.read_units), ("write", self.write_units)];
                let units = units.into_iter().filter(|(_, units)| *units > 0);
                let units = units.map(|(key, units)| (key, units.to_string()));
                let keys = [
                    ("kind", toml_text("reserved")),
                    ("region", toml_text(region)),
                ];
                let years = ("years", years.to_string());
                edit.append(
                    "commitment",
                    keys.into_iter().chain(units).chain([years]).collect(),
                )
            }
            None => edit,
        };
        match self.plan_usd_per_hour.is_zero() {
            true => edit,
            false => edit.append(
                "commitment",
                vec![
                    ("kind", toml_text("savings-plan")),
                    ("usd_per_hour", self.plan_usd_per_hour.to_string()),
                ],
            ),
        }
    }

    /// A description for output.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        if let Some(years) = self
            .years
            .filter(|_| self.read_units + self.write_units > 0)
        {
            let term = if years == 1 {
                "1 year".to_string()
            } else {
                format!("{years} years")
            };
            let at_once = if self.upfront.is_zero() {
                String::new()
            } else {
                format!(
                    " (includes ${} up front, spread over {} months)",
                    self.upfront.human(2),
                    12 * years
                )
            };
            parts.push(format!(
                "{} RCU and {} WCU reserved for {term}{at_once}",
                Exact::from(self.read_units),
                Exact::from(self.write_units)
            ));
        }
        if !self.plan_usd_per_hour.is_zero() {
            parts.push(format!(
                "a savings plan of ${} an hour for 1 year",
                self.plan_usd_per_hour
            ));
        }
        if parts.is_empty() {
            "no commitment".to_string()
        } else {
            parts.join(" and ")
        }
    }

    /// Whether anything is committed.
    pub fn commits(&self) -> bool {
        self.read_units + self.write_units > 0 || !self.plan_usd_per_hour.is_zero()
    }
}

impl Curve {
    /// The curve of a workload as it is billed: what its bill charges for throughput, hour by hour.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn of(metering: &Metering) -> Result<Curve, MoneyError> {
        let workload = metering.workload();
        let listed = metering.listed();
        let hours = listed
            .iter()
            .map(|one| one.hourly.hours())
            .max()
            .unwrap_or(1)
            .max(168);
        let mut curve = Curve {
            on_demand: vec![HourCost::default(); hours],
            bound: vec![HourCost::default(); hours],
            ..Curve::default()
        };
        (curve.reads, curve.writes) = (vec![0; hours], vec![0; hours]);
        curve.bought = parts(&plan_usd_per_hour(&workload.commitments));
        let discount = discount_percent(&workload.commitments, &workload.region);
        curve.paid = &(&Exact::from(100) - &discount) / &Exact::from(100);
        let book = metering.book(&workload.region);
        curve.block = book
            .and_then(PriceBook::reserved_terms)
            .map_or(1, |terms| terms.block_units.max(1));
        for one in (0..workload.tables.len())
            .flat_map(|table| metering.consumed(table))
            .filter(|one| !one.billed.is_zero())
        {
            let usage = UsageType::Requests(one.throughput, one.class);
            let Some(rates) = metering
                .book(&one.subject.region)
                .and_then(|book| rates(book, &usage))
            else {
                continue;
            };
            curve.add_requests(one, &rates, &(&one.billed / workload.month.hours()));
        }
        curve.add_capacity(metering, &listed)?;
        Ok(curve)
    }

    /// Adds requests that are billed, spread over the hours of the week by their profile.
    fn add_requests(&mut self, one: &Consumption, rates: &Rates, mean: &Exact) {
        let mut known: Vec<(&Exact, HourCost)> = Vec::new();
        for (hour, sum) in self.on_demand.iter_mut().enumerate() {
            let factor = one.shape.of_hour(hour);
            let price = match known.iter().find(|(known, _)| *known == factor) {
                Some((_, price)) => *price,
                None => {
                    let units = mean * factor;
                    let price = HourCost {
                        list: parts(&(&units * &rates.list)),
                        plan: parts(&(&units * &rates.plan)),
                    };
                    known.push((factor, price));
                    price
                }
            };
            sum.list += price.list;
            sum.plan += price.plan;
        }
    }

    /// Adds provisioned capacity at the list price, without what a free tier covers.
    fn add_capacity(
        &mut self,
        metering: &Metering,
        listed: &[ProvisionedCapacity],
    ) -> Result<(), MoneyError> {
        let workload = metering.workload();
        let hours = self.on_demand.len();
        let mut provisioned: BTreeMap<(String, UsageType), Vec<u64>> = BTreeMap::new();
        for one in listed {
            let usage = UsageType::CapacityHours(one.throughput, one.class);
            let units = provisioned
                .entry((one.subject.region.clone(), usage))
                .or_insert_with(|| vec![0; hours]);
            units
                .iter_mut()
                .enumerate()
                .for_each(|(hour, units)| *units += one.hourly.sixtieths_at(hour));
        }
        for (key, free) in metering.free_hours()? {
            let Some(units) = provisioned.get_mut(&key) else {
                continue;
            };
            let of_curve = &(&free * &Exact::from(60 * hours as u64)) / workload.month.hours();
            take_evenly(units, of_curve.floor().to_u64().unwrap_or(u64::MAX));
        }
        for ((region, usage), units) in provisioned {
            let Some(rates) = metering.book(&region).and_then(|book| rates(book, &usage)) else {
                continue;
            };
            let price = HourCost {
                list: parts(&rates.list),
                plan: parts(&rates.plan),
            };
            match usage {
                UsageType::CapacityHours(Throughput::Read, TableClass::Standard)
                    if region == workload.region =>
                {
                    (self.reads, self.read) = (units, price);
                }
                UsageType::CapacityHours(Throughput::Write, TableClass::Standard)
                    if region == workload.region =>
                {
                    (self.writes, self.write) = (units, price);
                }
                _ => {
                    for (bound, units) in self.bound.iter_mut().zip(units) {
                        bound.list += i128::from(units) * price.list / 60;
                        bound.plan += i128::from(units) * price.plan / 60;
                    }
                }
            }
        }
        Ok(())
    }

    /// Dollars of a month without any commitment: the throughput lines of the bill.
    pub fn uncommitted(&self, month: &MonthHours) -> Exact {
        self.monthly(self.cost(&ReservedTerms::default(), 0), month)
    }

    /// How much a mix changes the total of a month.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the amount needs more than 28 digits.
    pub fn change(&self, mix: &Mix, month: &MonthHours) -> Result<Money, MoneyError> {
        let before = self.cost(&ReservedTerms::default(), 0);
        let saved = (before - mix.cost).max(0);
        Money::ZERO.minus(Money::dollars(&self.monthly(saved, month))?)
    }

    /// Converts the cost of all hours of the curve to dollars a month.
    fn monthly(&self, cost: i128, month: &MonthHours) -> Exact {
        let hours = Exact::from(self.on_demand.len().max(1) as u64);
        &(&dollars(cost) * &self.paid) * &(month.hours() / &hours)
    }

    /// Whether a reservation would have anything to cover.
    pub fn is_reservable(&self) -> bool {
        self.reads
            .iter()
            .chain(&self.writes)
            .any(|units| *units > 0)
    }

    /// Whether there is any throughput.
    pub fn is_empty(&self) -> bool {
        !self.is_reservable()
            && self
                .on_demand
                .iter()
                .chain(&self.bound)
                .all(|price| price.list == 0)
    }

    /// The cost of the throughput over all hours with a reservation and a plan commitment.
    fn cost(&self, reserved: &ReservedTerms, plan: i128) -> i128 {
        self.cost_beyond(&self.unreserved(reserved), reserved, plan)
    }

    /// What a reservation leaves of each hour's provisioned throughput.
    fn unreserved(&self, reserved: &ReservedTerms) -> Vec<HourCost> {
        let left = |units: u64, reserved: u64| i128::from(units.saturating_sub(reserved * 60));
        let hours = self.bound.iter().zip(self.reads.iter().zip(&self.writes));
        let hours = hours.map(|(bound, (reads, writes))| {
            let (reads, writes) = (left(*reads, reserved.read), left(*writes, reserved.write));
            HourCost {
                list: bound.list + sixtieth(reads * self.read.list + writes * self.write.list),
                plan: bound.plan + sixtieth(reads * self.read.plan + writes * self.write.plan),
            }
        });
        hours.collect()
    }

    /// The cost of all hours with a reservation and a plan, given what the reservation leaves. A plan
    /// covers first the usage with the largest discount: on demand, then provisioned.
    fn cost_beyond(&self, unreserved: &[HourCost], reserved: &ReservedTerms, plan: i128) -> i128 {
        let plan = self.bought + plan;
        let hours = self.on_demand.iter().zip(unreserved);
        let cost = |(on_demand, provisioned): (&HourCost, &HourCost)| {
            let mut free = plan;
            let left = on_demand.beyond(&mut free) + provisioned.beyond(&mut free);
            plan + reserved.cost + left
        };
        hours.map(cost).sum()
    }

    /// The plan commitments worth trying on top of a reservation: those around what a plan could
    /// cover in each hour.
    fn planned(&self, unreserved: &[HourCost]) -> Vec<i128> {
        let mut levels = vec![0];
        for (on_demand, provisioned) in self.on_demand.iter().zip(unreserved) {
            levels.extend([on_demand.plan, on_demand.plan + provisioned.plan]);
        }
        let mut levels: Vec<i128> = levels
            .into_iter()
            .map(|level| (level - self.bought).max(0))
            .flat_map(|level| {
                [
                    level / PLAN_STEP * PLAN_STEP,
                    (level / PLAN_STEP + 1) * PLAN_STEP,
                ]
            })
            .collect();
        levels.push(0);
        levels.sort_unstable();
        levels.dedup();
        // If there are many levels, neighbouring ones hardly differ in cost.
        let every = levels.len().div_ceil(LEVELS_MAX).max(1);
        let last = levels.last().copied();
        levels.into_iter().step_by(every).chain(last).collect()
    }

    /// The cheapest plan on top of a reservation.
    fn best_plan(&self, reserved: ReservedTerms) -> (ReservedTerms, i128, i128) {
        let unreserved = self.unreserved(&reserved);
        let plans = self.planned(&unreserved);
        let cost = |plan: &i128| self.cost_beyond(&unreserved, &reserved, *plan);
        let (cost, plan) =
            least(&plans, self.is_convex(), cost).unwrap_or_else(|| (self.cost(&reserved, 0), &0));
        (reserved, *plan, cost)
    }

    /// Whether a plan discounts all provisioned throughput alike, and on-demand throughput no less. The
    /// cost of each hour is then convex in what the plan covers, since it covers what saves most
    /// first, and in what is reserved of either direction.
    fn is_convex(&self) -> bool {
        let of = |cost: &HourCost| {
            (cost.list >= NOTICEABLE).then(|| proportion(MILLION, cost.plan, cost.list))
        };
        let provisioned = || {
            [&self.read, &self.write]
                .into_iter()
                .chain(&self.bound)
                .filter_map(of)
        };
        let most = provisioned().max().unwrap_or(0);
        let on_demand = self.on_demand.iter().filter_map(of).max();
        provisioned().all(|one| most - one <= 1) && on_demand.is_none_or(|one| one <= most + 1)
    }

    /// Block counts worth trying for a direction: those around each level of its units.
    fn blocks(&self, units: &[u64]) -> Vec<u64> {
        let block = self.block.max(1);
        let levels = units
            .iter()
            .flat_map(|units| [units / 60 / block, (units / 60).div_ceil(block)]);
        let mut candidates: Vec<u64> = levels.chain([0]).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let every = candidates.len().div_ceil(BLOCKS_MAX).max(1);
        let last = candidates.last().copied();
        candidates.into_iter().step_by(every).chain(last).collect()
    }

    /// Improves a reservation under a plan: changes reads or writes, whichever saves more, until
    /// neither helps.
    fn improved(
        &self,
        mut reserved: ReservedTerms,
        (read, write): (i128, i128),
        plan: i128,
    ) -> ReservedTerms {
        let cost = |reserved: &ReservedTerms| self.cost(reserved, plan);
        let of = |years: u64, reads: u64, writes: u64| ReservedTerms {
            years,
            read: reads,
            write: writes,
            cost: i128::from(reads) * read + i128::from(writes) * write,
        };
        let (read_blocks, write_blocks) = (self.blocks(&self.reads), self.blocks(&self.writes));
        let is_convex = self.is_convex();
        let mut best = cost(&reserved);
        loop {
            let reads: Vec<ReservedTerms> = read_blocks
                .iter()
                .map(|blocks| of(reserved.years, blocks * self.block, reserved.write))
                .collect();
            let writes: Vec<ReservedTerms> = write_blocks
                .iter()
                .map(|blocks| of(reserved.years, reserved.read, blocks * self.block))
                .collect();
            let found = [&reads, &writes]
                .into_iter()
                .filter_map(|all| least(all, is_convex, cost));
            match found.min_by_key(|(cost, one)| (*cost, one.read + one.write)) {
                Some((less, one)) if less < best => (best, reserved) = (less, *one),
                _ => return reserved,
            }
        }
    }

    /// The number of reserved blocks that costs least, given the price of an unreserved unit.
    fn best_blocks(&self, units: &[u64], price: i128, reserved: i128) -> u64 {
        let block = self.block.max(1);
        let levels = units
            .iter()
            .flat_map(|units| [units / 60 / block, (units / 60).div_ceil(block)]);
        let mut candidates: Vec<u64> = levels.chain([0]).collect();
        candidates.sort_unstable();
        candidates.dedup();
        let cost = |blocks: u64| -> i128 {
            let covered = blocks * block;
            let left: i128 = units
                .iter()
                .map(|units| i128::from(units.saturating_sub(covered * 60)))
                .sum();
            left * price / 60 + i128::from(covered) * reserved * units.len() as i128
        };
        least(&candidates, true, |blocks| cost(*blocks)).map_or(0, |(_, blocks)| *blocks)
    }
}

/// The candidate with the least cost, the first of equal ones. If the cost is convex along the
/// candidates, few of them are tried.
fn least<T>(candidates: &[T], is_convex: bool, cost: impl Fn(&T) -> i128) -> Option<(i128, &T)> {
    if !is_convex {
        let all = candidates.iter().map(|one| (cost(one), one));
        return all.min_by_key(|(cost, _)| *cost);
    }
    let (mut low, mut high) = (0, candidates.len().checked_sub(1)?);
    while low < high {
        let middle = low + (high - low) / 2;
        if cost(&candidates[middle]) <= cost(&candidates[middle + 1]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some((cost(&candidates[low]), &candidates[low]))
}

/// Parts of a dollar from which discounts are compared: below, rounding decides.
const NOTICEABLE: i128 = 10_000_000;

/// Parts in which discounts are compared.
const MILLION: i128 = 1_000_000;

/// The most block counts that are tried together with a plan.
const BLOCKS_MAX: usize = 60;

/// The most levels of a plan that are tried.
const LEVELS_MAX: usize = 400;

/// Reserved units, and their hourly cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ReservedTerms {
    years: u64,
    read: u64,
    write: u64,
    cost: i128,
}

/// The cheapest mix of offers. More offers never make it more expensive, because no offer has to be
/// used.
pub fn best_mix(curve: &Curve, offers: &[Offer]) -> Mix {
    let plans = offers.contains(&Offer::Plan);
    let mut reservations = vec![ReservedTerms::default()];
    for offer in offers {
        let Offer::Reserved {
            years, read, write, ..
        } = offer
        else {
            continue;
        };
        let (read, write) = (parts(read), parts(write));
        // Against the list price, and against the price under a plan.
        for against in [
            (curve.read.list, curve.write.list),
            (curve.read.plan, curve.write.plan),
        ] {
            let reads = curve.best_blocks(&curve.reads, against.0, read) * curve.block;
            let writes = curve.best_blocks(&curve.writes, against.1, write) * curve.block;
            let cost = i128::from(reads) * read + i128::from(writes) * write;
            let first = ReservedTerms {
                years: *years,
                read: reads,
                write: writes,
                cost,
            };
            reservations.push(first);
            if plans {
                // The best plan depends on the reservation, and the best reservation on the plan.
                let mut reserved = first;
                for _ in 0..4 {
                    let (_, plan, _) = curve.best_plan(reserved);
                    let next = curve.improved(reserved, (read, write), plan);
                    reservations.push(next);
                    if next == reserved {
                        break;
                    }
                    reserved = next;
                }
            }
        }
    }
    let all = reservations.into_iter().map(|reserved| {
        let alone = (reserved, 0, curve.cost(&reserved, 0));
        if plans {
            [alone, curve.best_plan(reserved)]
                .into_iter()
                .min_by_key(|(_, _, cost)| *cost)
                .unwrap_or(alone)
        } else {
            alone
        }
    });
    let best =
        all.min_by_key(|(reserved, plan, cost)| (*cost, *plan, reserved.read + reserved.write));
    let (reserved, plan, cost) = best.unwrap_or_default();
    let upfront = |offer: &Offer| match offer {
        Offer::Reserved { years, upfront, .. } if *years == reserved.years => Some(
            &(&upfront.read * &Exact::from(reserved.read))
                + &(&upfront.write * &Exact::from(reserved.write)),
        ),
        _ => None,
    };
    Mix {
        upfront: offers.iter().find_map(upfront).unwrap_or_default(),
        years: (reserved.read + reserved.write > 0).then_some(reserved.years),
        read_units: reserved.read,
        write_units: reserved.write,
        plan_usd_per_hour: dollars(plan),
        cost,
    }
}

/// A sixtieth, rounded down: a division of 64 bits if that is enough, which takes a tenth of the time.
fn sixtieth(parts: i128) -> i128 {
    match u64::try_from(parts) {
        Ok(parts) => i128::from(parts / 60),
        Err(_) => parts / 60,
    }
}

fn dollars(parts: i128) -> Exact {
    Exact::whole(parts.unsigned_abs()) / Exact::from(PARTS_OF_A_DOLLAR)
}

/// The price of a unit, at the list price and under a savings plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rates {
    pub list: Exact,
    pub plan: Exact,
}

/// The list price of a unit and its price under a plan, which is the list price if no plan covers
/// it.
pub(super) fn rates(book: &PriceBook, usage: &UsageType) -> Option<Rates> {
    let list = book.list_rate(usage)?;
    let plan = book.list_rate(&UsageType::Planned(Box::new(usage.clone())));
    Some(Rates {
        plan: plan.unwrap_or_else(|| list.clone()),
        list,
    })
}

/// The terms of reserved capacity, in years.
fn terms(book: &PriceBook) -> Vec<u64> {
    book.reserved_terms()
        .map(|terms| terms.terms_years.clone())
        .unwrap_or_default()
}

/// The commitments sold in a region, and for each term that is not sold there, the reason.
pub fn offers(book: &PriceBook, asked: Option<Date>) -> (Vec<Offer>, Vec<(u64, String)>) {
    let (mut sold, mut missing) = (Vec::new(), Vec::new());
    for years in terms(book) {
        let unit = |direction: Direction| -> Result<(Exact, Exact), String> {
            let of = |part: ReservedPart| -> Result<Exact, String> {
                let tiers = book
                    .tiers(&UsageType::Reserved {
                        years,
                        direction,
                        part,
                    })
                    .map_err(|error| error.to_string())?;
                Ok(tiers
                    .first()
                    .map(|tier| Exact::from(tier.published.rate.decimal()))
                    .unwrap_or_default())
            };
            let upfront = of(ReservedPart::Upfront)?;
            Ok((
                of(ReservedPart::Hourly)? + &upfront / &Exact::from(HOURS_A_YEAR * years),
                upfront,
            ))
        };
        match (unit(Direction::Read), unit(Direction::Write)) {
            (Ok((read, upfront_read)), Ok((write, upfront_write))) => {
                sold.push(Offer::Reserved {
                    years,
                    read,
                    write,
                    upfront: ByDirection {
                        read: upfront_read,
                        write: upfront_write,
                    },
                });
            }
            (Err(why), _) | (_, Err(why)) => missing.push((years, why)),
        }
    }
    if book.sells_savings_plans(asked) {
        sold.push(Offer::Plan);
    }
    (sold, missing)
}

const SAVINGS_PLAN: &str = "a Database Savings Plan";

/// The best mix of some commitments on the current design.
fn priced(
    curve: &Curve,
    workload: &Workload,
    total: Money,
    name: &str,
    offers: &[Offer],
) -> Result<Alternative, MoneyError> {
    let alternative = Alternative::new(AlternativeKind::Commitment, name);
    let mix = best_mix(curve, offers);
    if !mix.commits() {
        return Ok(alternative.impossible("it would save nothing on the current design"));
    }
    let delta = curve.change(&mix, &workload.month)?;
    let mut alternative = alternative
        .because(mix.words())
        .risking("you pay for the whole term, even if traffic drops")
        .edit(mix.edit(&workload.region));
    alternative.state = AlternativeState::Priced {
        monthly: Money::sum([total, delta])?,
        delta,
    };
    Ok(alternative)
}

/// Why no savings plan can be bought; `None` if one can.
fn no_plan(curve: &Curve, book: &PriceBook, prices: Option<Date>) -> Option<String> {
    if curve.is_empty() {
        return Some("the design has no throughput to cover".to_string());
    }
    if book.sells_savings_plans(prices) {
        return None;
    }
    Some(match book.savings_plan() {
        Some(plan) => format!(
            "AWS has sold it since {}, and the prices used are from {}",
            plan.sold_from,
            book.date()
        ),
        None => "the price books do not list its discount".to_string(),
    })
}

/// Whether the account has reserved capacity already.
fn has_reserved(workload: &Workload) -> bool {
    let mut kinds = workload.commitments.iter().map(|one| &one.kind);
    kinds.any(|kind| matches!(kind, CommitmentKind::Reserved { .. }))
}

/// Each commitment on the current design, and the best mix. Commitments on top of other capacity
/// modes are part of the combinations.
pub(super) fn alternatives(
    context: &Context,
    total: Money,
) -> Result<Vec<Alternative>, EstimateError> {
    let workload = context.workload;
    let Some(book) = context.metering.book(&workload.region) else {
        return Ok(Vec::new());
    };
    let curve = Curve::of(context.metering)?;
    let (sold, missing) = offers(book, workload.prices);
    let mut all = Vec::new();
    let priced = |name: &str, offers: &[Offer]| priced(&curve, workload, total, name, offers);
    for years in terms(book) {
        let name = format!(
            "reserved capacity for {years} year{}",
            if years == 1 { "" } else { "s" }
        );
        let offer = sold
            .iter()
            .find(|offer| matches!(offer, Offer::Reserved { years: of, .. } if *of == years));
        all.push(match offer {
            None => {
                let why = missing
                    .iter()
                    .find(|(of, _)| *of == years)
                    .map(|(_, why)| why.clone())
                    .unwrap_or_default();
                Alternative::new(AlternativeKind::Commitment, name)
                    .impossible(format!("not available in {}: {why}", workload.region))
            }
            Some(_) if !curve.is_reservable() && has_reserved(workload) => {
                Alternative::new(AlternativeKind::Commitment, name)
                    .impossible("what the account has reserved already covers all that it could")
            }
            Some(_) if !curve.is_reservable() => {
                Alternative::new(AlternativeKind::Commitment, name).impossible(
                    "it covers only provisioned Standard-class capacity of single-region tables, \
                     and the design has none",
                )
            }
            Some(offer) => priced(&name, std::slice::from_ref(offer))?,
        });
    }
    all.push(match no_plan(&curve, book, workload.prices) {
        Some(why) => Alternative::new(AlternativeKind::Commitment, SAVINGS_PLAN).impossible(why),
        None => priced(SAVINGS_PLAN, &[Offer::Plan])?,
    });
    if !curve.is_empty() && !sold.is_empty() {
        all.push(priced(
            "the best mix of reserved capacity and savings plan",
            &sold,
        )?);
    }
    let ia: Vec<&str> = workload
        .tables
        .iter()
        .filter(|table| table.table.class == TableClass::StandardIa)
        .map(|table| table.table.name.as_str())
        .collect();
    for table in ia {
        let mut alternative = Alternative::new(
            AlternativeKind::Commitment,
            "reserved capacity of a Standard-IA table",
        )
        .impossible("reserved capacity covers the Standard class only");
        alternative.table = Some(table.to_string());
        all.push(alternative);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::{Rng, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn curve(reads: &[u64], writes: &[u64], on_demand: &[i128]) -> Curve {
        let hours = reads.len();
        let price = |list: i128| HourCost {
            list,
            plan: list * 82 / 100,
        };
        Curve {
            on_demand: on_demand.iter().map(|list| price(*list)).collect(),
            bound: vec![HourCost::default(); hours],
            reads: reads.iter().map(|units| units * 60).collect(),
            writes: writes.iter().map(|units| units * 60).collect(),
            read: HourCost {
                list: 130_000_000,
                plan: 114_400_000,
            },
            write: HourCost {
                list: 650_000_000,
                plan: 572_000_000,
            },
            block: 100,
            bought: 0,
            paid: Exact::one(),
        }
    }

    fn reserved(years: u64) -> Offer {
        let (read, write) = if years == 1 {
            ((598, 7), (2992, 7))
        } else {
            ((299, 7), (1495, 7))
        };
        let exact = |(mantissa, places): (u64, u32)| Exact::ratio(mantissa, 10_u64.pow(places));
        Offer::Reserved {
            years,
            read: exact(read),
            write: exact(write),
            upfront: ByDirection {
                read: Exact::from(1),
                write: Exact::from(5),
            },
        }
    }

    #[test]
    fn blocks_that_are_used_less_than_they_cost_are_not_bought() {
        // 100 units always, and 300 in one hour of four: the second block would be used a quarter
        // of the time.
        let mix = best_mix(
            &curve(&[0; 4], &[100, 100, 100, 300], &[0; 4]),
            &[reserved(1)],
        );
        assert_eq!(
            (mix.years, mix.read_units, mix.write_units),
            (Some(1), 0, 100)
        );
        let mix = best_mix(
            &curve(&[0; 4], &[100, 100, 100, 300], &[0; 4]),
            &[reserved(3)],
        );
        assert_eq!(
            mix.write_units, 300,
            "three years cost less than a quarter of the list price"
        );
    }

    #[test]
    fn more_offers_never_cost_more() {
        let curves = [
            curve(
                &[900, 10, 450, 120],
                &[700, 710, 50, 300],
                &[0, 5_000_000_000, 90_000_000_000, 1_000_000_000],
            ),
            curve(&[0; 4], &[0; 4], &[4_000_000_000; 4]),
            curve(&[99; 4], &[1; 4], &[0; 4]),
        ];
        for curve in curves {
            let all = [reserved(1), reserved(3), Offer::Plan];
            let subsets = (0..8_usize).map(|mask| {
                all.iter()
                    .enumerate()
                    .filter(|(at, _)| mask & (1 << at) != 0)
                    .map(|(_, offer)| offer.clone())
                    .collect()
            });
            let subsets: Vec<Vec<Offer>> = subsets.collect();
            for fewer in &subsets {
                for more in subsets
                    .iter()
                    .filter(|more| fewer.iter().all(|offer| more.contains(offer)))
                {
                    assert!(best_mix(&curve, more).cost <= best_mix(&curve, fewer).cost);
                }
            }
        }
    }

    #[test]
    fn few_candidates_lead_to_the_least_cost_of_all() {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let mut mixed = 0;
        for round in 0..60 {
            let mut any = |most: u64| random.next_u64() % most;
            let most = [3, 400, 30_000][round % 3];
            let reads: Vec<u64> = (0..168).map(|_| any(most)).collect();
            let writes: Vec<u64> = (0..168).map(|_| any(most)).collect();
            let on_demand: Vec<i128> = (0..168)
                .map(|_| i128::from(any(2) * any(9_000_000_000_000)))
                .collect();
            let curve = curve(&reads, &writes, &on_demand);
            assert!(curve.is_convex());
            let terms = ReservedTerms {
                years: 1,
                read: any(most) / 100 * 100,
                write: any(most) / 100 * 100,
                cost: 0,
            };
            let unreserved = curve.unreserved(&terms);
            let plans = curve.planned(&unreserved);
            let cost = |plan: &i128| curve.cost_beyond(&unreserved, &terms, *plan);
            assert_eq!(least(&plans, true, cost), least(&plans, false, cost));
            for plan in [0, plans[plans.len() / 2]] {
                let cost = |blocks: &u64| {
                    let read = blocks * curve.block;
                    let cost = i128::from(read) * 85_428_571;
                    curve.cost(
                        &ReservedTerms {
                            read,
                            cost,
                            ..terms
                        },
                        plan,
                    )
                };
                let blocks = curve.blocks(&curve.reads);
                let found = least(&blocks, true, cost);
                assert_eq!(found, least(&blocks, false, cost));
                mixed += usize::from(found.is_some_and(|(_, blocks)| *blocks > 0));
            }
        }
        assert!(
            (10..110).contains(&mixed),
            "some reserve, and some do not: {mixed}"
        );
    }

    #[test]
    fn a_plan_of_flat_on_demand_saves_its_eighteen_percent() {
        let curve = curve(&[0; 4], &[0; 4], &[100_000_000_000; 4]);
        let mix = best_mix(&curve, &[Offer::Plan]);
        assert_eq!(mix.plan_usd_per_hour, Exact::ratio(82, 1000));
        assert_eq!(mix.cost, 4 * 82_000_000_000);
    }
}
