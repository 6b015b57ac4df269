//! What the throughput of a design costs hour by hour, and with commitments.

use std::collections::BTreeMap;

use crate::capacity::{Consumption, ProvisionedCapacity};
use crate::commitments::plan::{HourCost, PARTS_OF_A_DOLLAR, parts, proportion, take_evenly};
use crate::commitments::{discount_percent, plan_usd_per_hour};
use crate::estimate::Metering;
use crate::money::MoneyError;
use crate::pricing::PriceBook;
use crate::table::TableClass;
use crate::time::{MonthHours, WEEK_HOURS};
use crate::units::Exact;
use crate::usage::{Throughput, UsageType};

/// What the throughput of a design costs in each hour, in parts of a dollar, and the units that a
/// reservation could cover.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Curve {
    pub(super) hours: Vec<CurveHour>,
    /// What a read unit costs for an hour.
    pub(super) read: HourCost,
    /// What a write unit costs for an hour.
    pub(super) write: HourCost,
    /// Units of the smallest reservation.
    pub(super) block: u64,
    /// What savings plans cost an hour that have been bought already.
    pub(super) bought: i128,
    /// The share of list prices that is paid, after a negotiated discount.
    pub(super) paid: Exact,
}

/// The throughput of some hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CurveHour {
    pub on_demand: HourCost,
    /// Provisioned units that cannot be reserved: Standard-IA, replicated, in other regions.
    pub bound: HourCost,
    /// Read units that could be reserved, in sixtieths,
    pub reads: u64,
    /// and write units.
    pub writes: u64,
    /// How many hours are alike.
    pub count: u64,
}

impl Default for CurveHour {
    /// An hour without throughput.
    fn default() -> CurveHour {
        CurveHour {
            on_demand: HourCost::default(),
            bound: HourCost::default(),
            reads: 0,
            writes: 0,
            count: 1,
        }
    }
}

/// Reserved units, and their hourly cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reserved {
    pub years: u64,
    pub read: u64,
    pub write: u64,
    pub cost: i128,
}

/// What a reservation leaves of the throughput of some hours.
pub(super) struct Unreserved {
    pub on_demand: HourCost,
    pub provisioned: HourCost,
    /// How many hours are alike.
    count: i128,
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
            .max(WEEK_HOURS);
        let mut curve = Curve {
            hours: vec![CurveHour::default(); hours],
            ..Curve::default()
        };
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
        curve.join_equal_hours();
        Ok(curve)
    }

    /// Makes one of hours that are alike: it does not matter when they are.
    fn join_equal_hours(&mut self) {
        let key = |hour: &CurveHour| (hour.reads, hour.writes, hour.on_demand, hour.bound);
        self.hours.sort_by_key(key);
        self.hours.dedup_by(|next, first| {
            let is_equal = key(next) == key(first);
            first.count += if is_equal { next.count } else { 0 };
            is_equal
        });
    }

    /// Adds requests that are billed, spread over the hours of the week by their profile.
    fn add_requests(&mut self, one: &Consumption, rates: &Rates, mean: &Exact) {
        let mut known: Vec<(&Exact, HourCost)> = Vec::new();
        for (at, hour) in self.hours.iter_mut().enumerate() {
            let factor = one.shape.of_hour(at);
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
            hour.on_demand.list += price.list;
            hour.on_demand.plan += price.plan;
        }
    }

    /// Adds provisioned capacity at the list price, without what a free tier covers.
    fn add_capacity(
        &mut self,
        metering: &Metering,
        listed: &[ProvisionedCapacity],
    ) -> Result<(), MoneyError> {
        let workload = metering.workload();
        let hours = self.hours.len();
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
                    self.read = price;
                    let hours = self.hours.iter_mut().zip(units);
                    hours.for_each(|(hour, units)| hour.reads = units);
                }
                UsageType::CapacityHours(Throughput::Write, TableClass::Standard)
                    if region == workload.region =>
                {
                    self.write = price;
                    let hours = self.hours.iter_mut().zip(units);
                    hours.for_each(|(hour, units)| hour.writes = units);
                }
                _ => {
                    for (hour, units) in self.hours.iter_mut().zip(units) {
                        hour.bound.list += i128::from(units) * price.list / 60;
                        hour.bound.plan += i128::from(units) * price.plan / 60;
                    }
                }
            }
        }
        Ok(())
    }

    /// Dollars of a month without any commitment: the throughput lines of the bill.
    pub fn uncommitted(&self, month: &MonthHours) -> Exact {
        self.monthly(self.cost(&Reserved::default(), 0), month)
    }

    /// Converts the cost of all hours of the curve to dollars a month.
    pub(super) fn monthly(&self, cost: i128, month: &MonthHours) -> Exact {
        let hours = self.hours.iter().map(|hour| hour.count).sum::<u64>();
        let hours = Exact::from(hours.max(1));
        &(&dollars(cost) * &self.paid) * &(month.hours() / &hours)
    }

    /// Whether a reservation would have anything to cover.
    pub fn is_reservable(&self) -> bool {
        self.hours
            .iter()
            .any(|hour| hour.reads > 0 || hour.writes > 0)
    }

    /// Whether there is any throughput.
    pub fn is_empty(&self) -> bool {
        !self.is_reservable()
            && self
                .hours
                .iter()
                .all(|hour| hour.on_demand.list == 0 && hour.bound.list == 0)
    }

    /// The cost of the throughput over all hours with a reservation and a plan commitment.
    pub(super) fn cost(&self, reserved: &Reserved, plan: i128) -> i128 {
        self.cost_beyond(&self.unreserved(reserved), reserved, plan)
    }

    /// What a reservation leaves of each hour's throughput.
    pub(super) fn unreserved(&self, reserved: &Reserved) -> Vec<Unreserved> {
        let left = |units: u64, reserved: u64| i128::from(units.saturating_sub(reserved * 60));
        let of_hour = |hour: &CurveHour| {
            let reads = left(hour.reads, reserved.read);
            let writes = left(hour.writes, reserved.write);
            let price = |bound: i128, read: i128, write: i128| {
                bound + sixtieth(reads * read + writes * write)
            };
            Unreserved {
                on_demand: hour.on_demand,
                provisioned: HourCost {
                    list: price(hour.bound.list, self.read.list, self.write.list),
                    plan: price(hour.bound.plan, self.read.plan, self.write.plan),
                },
                count: i128::from(hour.count),
            }
        };
        self.hours.iter().map(of_hour).collect()
    }

    /// The cost of all hours with a reservation and a plan, given what the reservation leaves. A plan
    /// covers first the usage with the largest discount: on demand, then provisioned.
    pub(super) fn cost_beyond(&self, left: &[Unreserved], reserved: &Reserved, plan: i128) -> i128 {
        let plan = self.bought + plan;
        let cost = |hour: &Unreserved| {
            let mut free = plan;
            let beyond = hour.on_demand.beyond(&mut free) + hour.provisioned.beyond(&mut free);
            (plan + reserved.cost + beyond) * hour.count
        };
        left.iter().map(cost).sum()
    }

    /// Whether a plan discounts all provisioned throughput alike, and on-demand throughput no less. The
    /// cost of each hour is then convex in what the plan covers, since it covers what saves most
    /// first, and in what is reserved of either direction.
    pub(super) fn is_convex(&self) -> bool {
        let of = |cost: &HourCost| {
            (cost.list >= NOTICEABLE).then(|| proportion(MILLION, cost.plan, cost.list))
        };
        let provisioned = || {
            [&self.read, &self.write]
                .into_iter()
                .chain(self.hours.iter().map(|hour| &hour.bound))
                .filter_map(of)
        };
        let Some(most) = provisioned().max() else {
            return true;
        };
        let on_demand = self.hours.iter().map(|hour| &hour.on_demand);
        let on_demand = on_demand.filter_map(of).max();
        provisioned().all(|one| most - one <= 1) && on_demand.is_none_or(|one| one <= most + 1)
    }
}

/// Parts of a dollar from which discounts are compared: below, rounding decides.
const NOTICEABLE: i128 = 10_000_000;

/// Parts in which discounts are compared.
const MILLION: i128 = 1_000_000;

/// A sixtieth, rounded down: a division of 64 bits if that is enough, which takes a tenth of the time.
fn sixtieth(parts: i128) -> i128 {
    match u64::try_from(parts) {
        Ok(parts) => i128::from(parts / 60),
        Err(_) => parts / 60,
    }
}

pub(super) fn dollars(parts: i128) -> Exact {
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
