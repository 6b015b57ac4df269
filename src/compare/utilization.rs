//! What each way to pay for one account direction costs, by the utilization of its capacity, and
//! where two of them cost the same. Both break-evens and curves use this.

use super::commitment::offers;
use super::mix::Offer;
use super::search::FoundCapacity;
use super::throughput::rates;
use super::{Context, account_capacities};
use crate::capacity::Demand;
use crate::estimate::EstimateError;
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::{LineItem, PriceBook};
use crate::table::{TableClass, Target};
use crate::units::Exact;
use crate::usage::{Throughput, UsageType};
use crate::workload::{Capacity, TableDesign};

/// What each way to pay for one account direction costs, by the utilization of its capacity.
///
/// Every curve is a straight line, defined by its cost without traffic and at full utilization.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Utilization {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// Reads, writes or replicated writes.
    pub throughput: Throughput,
    /// Units of capacity: those of the design if they are fixed, otherwise the lowest fixed units
    /// that are safe.
    pub units: u64,
    /// The share of them that the design uses on average, from 0 to 1; for an on-demand design,
    /// the part of its demand that is billed.
    pub here: Exact,
    /// The ways to pay.
    pub ways: Vec<Way>,
    /// What the design's bill charges for it in a month, without reservations.
    pub designed: Money,
    /// Whether it also uses reserved units, which are billed separately.
    pub reserved: bool,
    /// Where two ways to pay cost the same, from 0 to 1.
    pub crossings: Vec<Crossing>,
}

/// A way to pay for throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Payment {
    /// For each request.
    OnDemand,
    /// For provisioned units that never change.
    Fixed,
    /// For provisioned units that auto scaling changes.
    AutoScaled,
    /// For units reserved for 1 or 3 years.
    Reserved(u64),
    /// For each request, under a savings plan.
    PlannedRequests,
    /// For provisioned units, under a savings plan.
    PlannedCapacity,
}

impl Payment {
    /// Its name in outputs.
    pub fn name(self) -> String {
        match self {
            Payment::OnDemand => "on demand".to_string(),
            Payment::Fixed => "provisioned, fixed".to_string(),
            Payment::AutoScaled => "auto scaled".to_string(),
            Payment::Reserved(1) => "reserved for 1 year".to_string(),
            Payment::Reserved(years) => format!("reserved for {years} years"),
            Payment::PlannedRequests => "on demand, savings plan".to_string(),
            Payment::PlannedCapacity => "provisioned, savings plan".to_string(),
        }
    }

    /// Whether it commits the account for a term.
    pub fn is_commitment(self) -> bool {
        matches!(
            self,
            Payment::Reserved(_) | Payment::PlannedRequests | Payment::PlannedCapacity
        )
    }
}

/// One way to pay.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Way {
    /// Its name.
    pub name: String,
    /// The way to pay.
    #[serde(skip)]
    pub payment: Payment,
    /// The cost of a month without traffic.
    pub idle: Money,
    /// The cost of a month in which all of the capacity is used all the time.
    pub full: Money,
    /// The cost of a month at the utilization of the design.
    pub here: Money,
}

/// Two ways to pay that cost the same.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Crossing {
    /// The way that is cheaper below.
    pub below: String,
    /// The way that is cheaper above.
    pub above: String,
    /// Which of them is cheaper below.
    #[serde(skip)]
    pub payment_below: Payment,
    /// Which of them is cheaper above.
    #[serde(skip)]
    pub payment_above: Payment,
    /// The share of the capacity that is used there, from 0 to 1.
    pub share: Exact,
}

/// The account that a demand belongs to: the table with its local indexes, or a global index.
pub(super) fn target_of(table: &TableDesign, demand: &Demand) -> Target {
    table.target_named(demand.index.as_deref())
}

/// Ways to pay whose lines are known without a simulation, for each demand of the home region that
/// is known.
pub(super) struct Flat {
    pub units: u64,
    pub here: Exact,
    pub lines: Vec<(Payment, CostLine)>,
}

/// Cost without traffic and with all capacity used, in dollars of a month.
#[derive(Clone, Debug)]
pub(super) struct CostLine {
    pub idle: Exact,
    pub full: Exact,
}

impl CostLine {
    fn level(cost: Exact) -> CostLine {
        CostLine {
            idle: cost.clone(),
            full: cost,
        }
    }
}

/// The ways to pay that need no simulation; `None` if the demand is unknown or a price is missing.
pub(super) fn flat(
    context: &Context,
    at: usize,
    demand: &Demand,
    book: &PriceBook,
) -> Option<Flat> {
    let table = &context.workload.tables[at];
    if demand.partly_unknown || (demand.mean.is_zero() && demand.provisioned.is_none()) {
        return None;
    }
    let (target, direction, class) = (
        target_of(table, demand),
        demand.throughput.direction(),
        table.table.class,
    );
    let request = rates(book, &UsageType::Requests(demand.throughput, class))?;
    let hour = rates(book, &UsageType::CapacityHours(demand.throughput, class))?;
    let fixed = demand.provisioned.as_ref().and_then(|units| units.fixed());
    let least = || {
        account_capacities(context, at, target, &demand.region, direction)
            .fixed
            .scaling
            .min
    };
    let units = fixed.unwrap_or_else(least).max(1);
    let used = match table.capacity {
        Capacity::Provisioned(_) => demand.mean.clone(),
        // Requests that a maximum throughput refuses do not use capacity.
        Capacity::OnDemand => {
            let own = context.metering.consumed(at).iter().filter(|one| {
                one.account == demand.index
                    && one.throughput.direction() == direction
                    && one.subject.region == demand.region
            });
            own.map(|one| one.billed.clone()).sum::<Exact>() / context.workload.month.seconds()
        }
    };
    let here = &used / &Exact::from(units);
    let hours = context.workload.month.hours();
    let unit_hours = &Exact::from(units) * hours;
    let requests = &unit_hours * &Exact::from(3600);
    let mut lines = vec![
        (
            Payment::OnDemand,
            CostLine {
                idle: Exact::zero(),
                full: &requests * &request.list,
            },
        ),
        (Payment::Fixed, CostLine::level(&unit_hours * &hour.list)),
    ];
    let reservable =
        demand.throughput != Throughput::ReplicatedWrite && class == TableClass::Standard;
    let (sold, _) = offers(book, context.workload.prices);
    let block = book
        .reserved_terms()
        .map_or(1, |terms| terms.block_units.max(1));
    for offer in sold.iter().filter(|_| reservable) {
        if let Offer::Reserved {
            years, read, write, ..
        } = offer
        {
            let unit = if direction == crate::table::Direction::Read {
                read
            } else {
                write
            };
            // It is sold in blocks, which the tables of a region share.
            let blocks = &Exact::from(units.div_ceil(block) * block) * hours;
            lines.push((Payment::Reserved(*years), CostLine::level(&blocks * unit)));
        }
    }
    if sold.contains(&Offer::Plan) {
        lines.push((
            Payment::PlannedRequests,
            CostLine {
                idle: Exact::zero(),
                full: &requests * &request.plan,
            },
        ));
        lines.push((
            Payment::PlannedCapacity,
            CostLine::level(&unit_hours * &hour.plan),
        ));
    }
    Some(Flat { units, here, lines })
}

/// What auto scaling costs at other traffic with the same profile: a line from its minimum units
/// through the simulated cost of the design's own traffic.
pub(super) fn auto_scaled(
    found: &FoundCapacity,
    simulated: &Exact,
    here: &Exact,
    hour: &Exact,
    hours: &Exact,
) -> CostLine {
    let follows = &(simulated * hours) * hour;
    let idle = &(&Exact::from(found.scaling.min) * hours) * hour;
    let rises = if here.is_zero() || follows < idle {
        Exact::zero()
    } else {
        &(&follows - &idle) / here
    };
    CostLine {
        full: &idle + &rises,
        idle,
    }
}

/// Combines the ways to pay, the design's bill and the crossings.
pub(super) fn utilization(
    table: &TableDesign,
    demand: &Demand,
    outcome: &Outcome,
    flat: Flat,
    auto_scaled: Option<CostLine>,
) -> Result<Utilization, EstimateError> {
    let Flat {
        units,
        here,
        mut lines,
    } = flat;
    if let Some(line) = auto_scaled {
        lines.insert(2.min(lines.len()), (Payment::AutoScaled, line));
    }
    let way =
        |(payment, CostLine { idle, full }): &(Payment, CostLine)| -> Result<Way, MoneyError> {
            let now = idle + &(&(full - idle) * &here);
            let (name, idle, full) = (payment.name(), Money::dollars(idle)?, Money::dollars(full)?);
            Ok(Way {
                name,
                payment: *payment,
                idle,
                full,
                here: Money::dollars(&now)?,
            })
        };
    let of_reservation = |line: &LineItem| {
        let direction = demand.throughput.direction();
        matches!(line.usage_type, UsageType::Reserved { direction: of, .. } if of == direction)
    };
    let mut own = outcome.bill.lines.iter().filter(|line| {
        line.subject.is_of(&demand.table)
            && line.subject.index == demand.index
            && line.subject.region == demand.region
    });
    let reserved = own.any(of_reservation);
    Ok(Utilization {
        table: table.table.name.clone(),
        index: demand.index.clone(),
        throughput: demand.throughput,
        units,
        ways: lines.iter().map(way).collect::<Result<_, _>>()?,
        designed: billed(table, demand, outcome)?,
        reserved,
        crossings: crossings(&lines),
        here,
    })
}

/// The amount on the bill for an account direction; a reservation is billed separately.
fn billed(table: &TableDesign, demand: &Demand, outcome: &Outcome) -> Result<Money, MoneyError> {
    let target = target_of(table, demand);
    let at = |name: &String| {
        table
            .table
            .indexes
            .iter()
            .position(|index| index.name == *name)
    };
    let own = |line: &&LineItem| {
        line.subject.is_of(&demand.table)
            && line.subject.region == demand.region
            && line.usage_type.direction() == Some(demand.throughput.direction())
            && table.account_of(Target::from(line.subject.index.as_ref().and_then(at))) == target
    };
    Money::sum(
        outcome
            .bill
            .lines
            .iter()
            .filter(own)
            .map(|line| line.amount),
    )
}

/// Where a rising line crosses a flat one, the lowest utilization first.
pub(super) fn crossings(lines: &[(Payment, CostLine)]) -> Vec<Crossing> {
    let mut all = Vec::new();
    for (below, rising) in lines.iter().filter(|(_, line)| line.idle < line.full) {
        for (above, flat) in lines.iter().filter(|(_, line)| line.idle == line.full) {
            let share = &(&flat.idle - &rising.idle) / &(&rising.full - &rising.idle);
            if !share.is_negative() && share <= Exact::one() {
                all.push(Crossing {
                    below: below.name(),
                    above: above.name(),
                    payment_below: *below,
                    payment_above: *above,
                    share,
                });
            }
        }
    }
    all.sort_by(|one, other| one.share.cmp(&other.share));
    all
}
