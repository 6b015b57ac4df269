//! The difference between a bill and a design, in steps that add up to it exactly.
//!
//! Every charge of usage is divided by one chain: from the design's quantity and price to those of
//! the bill. With the bill's quantity `q`, its list price `L` (and `P`, the price beyond the free
//! tier), its own rate `R`, and the design's quantity `d` in a month of `h` hours and price `p`:
//!
//! | step | amount |
//! | --- | --- |
//! | hours | `(d × hours of the bill / h - d) × p` |
//! | volume | `(q - d × hours of the bill / h) × p` |
//! | price date | `q × (P - p)` |
//! | tier | `q × (L - P)`, less the same of the design |
//! | negotiated | `q × (R - L)`, and the rows of discounts |
//! | commitments | `cost - q × L` of usage that a commitment covers, and the rows of fees, less the design's |
//! | rounding | `cost - q × R`, if it is no more than rounding can be |
//!
//! What is left is unexplained.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::ReconcileError;
use super::design::{CellKey, ExpectedBill, ExpectedCell, ExpectedShare};
use super::prices::ListPrices;
use super::steps::{Step, StepKind, Sums};
use super::totals::{self, too_large};
use crate::bill::{Amounts, AwsBill, BilledLine, ChargeType, Cost, Month, Times};
use crate::money::{Money, MoneyError};
use crate::pricing::Books;
use crate::units::{Exact, count_of};
use crate::usage::UsageType;

/// The decimals of a step.
const STEP_PLACES: u32 = 12;

/// Half of the last decimal to which AWS rounds a cost: 0.5e-10 dollars, as parts of ten billion
/// twice.
const ROUNDING_PARTS: u64 = 20_000_000_000;

/// The reasons of a step that are kept.
const REASONS_MAX: usize = 5;

/// A part of the bill beside the same part of the design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What it is.
    pub key: CellKey,
    /// The usage on the bill; `None` if the bill has none, or has its cost only and no price is
    /// known.
    pub billed_quantity: Option<Decimal>,
    /// Whether the quantity was computed from the cost, since the bill has none.
    pub is_inferred: bool,
    /// The usage that the design expects in the hours of the bill; `None` if it is not in the
    /// design.
    pub expected_quantity: Option<Exact>,
    /// What is billed for it.
    pub billed: Money,
    /// What the design's month costs for it at list price.
    pub expected: Money,
    /// The parts of the design that cause it.
    pub shares: Vec<ExpectedShare>,
}

/// The difference between a bill and a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The month.
    pub month: Month,
    /// Whether a trace stands in the place of a design.
    pub is_of_a_trace: bool,
    /// What the bill is.
    pub bill: Money,
    /// What the design's month costs.
    pub design: Money,
    /// The steps that are not zero; with what is unexplained they sum to bill less design.
    pub steps: Vec<Step>,
    /// What is left.
    pub unexplained: Money,
    /// The rows that are left, in words.
    pub unexplained_rows: Vec<String>,
    /// Bill and design side by side, the largest difference first.
    pub cells: Vec<Cell>,
    /// What is unknown, so that the explanation is not complete.
    pub unknown: Vec<String>,
}

/// The unexplained part of a bill that is tolerated: whichever of both is more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// In percent of the bill, from 0.
    pub percent: Decimal,
    /// In US dollars, from 0.
    pub usd: Decimal,
}

impl Difference {
    /// Whether what is unexplained, more or less than expected, is tolerated.
    pub fn is_within(&self, tolerance: &Tolerance) -> bool {
        let size = |money: Money| Exact::from(money.decimal().abs());
        let share = size(self.bill) * Exact::from(tolerance.percent) / Exact::from(100);
        size(self.unexplained) <= share.max(Exact::from(tolerance.usd))
    }
}

/// The access patterns that a reason names.
const SHARES_SHOWN: usize = 3;

fn exact(money: Money) -> Exact {
    Exact::from(money.decimal())
}

fn dollars(amount: &Exact) -> String {
    Money::dollars(amount).map_or_else(|_| "a large amount".to_string(), Money::human)
}

/// A charge of usage, from its list price to its cost.
struct Charge<'a> {
    name: &'a str,
    line: &'a BilledLine,
    amounts: &'a Amounts,
    cost: Money,
    quantity: Exact,
    /// The price of a unit that is not free.
    full: Exact,
}

/// Everything that the comparison of one bill needs.
struct Comparison<'a> {
    bill: &'a AwsBill,
    month: Month,
    cost: Cost,
    expected: &'a ExpectedBill,
    prices: ListPrices<'a>,
    /// The hours of the bill.
    span: (i64, i64),
    /// When each table has usage.
    times: BTreeMap<&'a str, Times>,
    sums: Sums,
}

/// Explains the difference between a bill of one month and a design.
///
/// # Errors
/// [`MoneyError`] if a sum needs more than 28 digits.
pub(super) fn difference(
    bill: &AwsBill,
    month: Month,
    cost: Cost,
    expected: &ExpectedBill,
    books: &Books,
) -> Result<Difference, ReconcileError> {
    let common = |one: (i64, i64), other: (i64, i64)| (one.0.max(other.0), one.1.min(other.1));
    let billed = bill.span_in(month);
    let mut comparison = Comparison {
        bill,
        month,
        cost,
        expected,
        prices: ListPrices::of(bill, books),
        span: expected
            .window
            .map_or(billed, |window| common(billed, window)),
        times: BTreeMap::new(),
        sums: Sums::default(),
    };
    comparison.look();
    comparison
        .sums
        .unknown
        .extend(expected.unknown.iter().cloned());
    let mut total = Money::ZERO;
    let named = Named::of(bill, expected);
    let mut cells: BTreeMap<CellKey, Vec<(&BilledLine, Amounts)>> = BTreeMap::new();
    for line in &bill.lines {
        let amounts = line.total().ok_or_else(too_large)?;
        let Some(billed) = amounts.cost(cost) else {
            return Err(unknown_cost(line, cost));
        };
        total = total.plus(billed)?;
        let (amounts, billed) = match expected.window {
            Some(_) if line.charge.is_usage() => {
                let inside = comparison.inside(line)?;
                let own = inside.cost(cost).ok_or_else(|| unknown_cost(line, cost))?;
                comparison.outside(line, billed.minus(own)?);
                (inside, own)
            }
            _ => (amounts, billed),
        };
        if amounts.rows == 0 {
            continue;
        }
        match line.kind.usage().filter(|_| line.charge.is_usage()) {
            Some(usage) => {
                let key = named.key(line, usage);
                cells.entry(key).or_default().push((line, amounts));
            }
            None => comparison.charge(line, billed),
        }
    }
    let mut designed = expected.cells_for(|region, usage| named.has_tables(region, usage))?;
    let mut compared = Vec::new();
    for (key, lines) in &cells {
        let design = designed.remove(key);
        compared.push(comparison.cell(key, lines, design)?);
    }
    for (key, design) in designed {
        compared.push(comparison.not_on_the_bill(key, design));
    }
    comparison.rest_of_the_design()?;
    Ok(comparison.finish(total, compared)?)
}

/// The bill does not say what something costs, so that it cannot be compared.
fn unknown_cost(line: &BilledLine, cost: Cost) -> ReconcileError {
    let text = format!(
        "the bill does not have the {} cost of {} ({})",
        cost.name(),
        line.usage_type,
        line.resource.name().unwrap_or("no table")
    );
    let help = match cost {
        Cost::Billed => {
            "a usage report has no costs: give a Cost and Usage Report or FOCUS, or use `dynameter \
             import bill`"
        }
        _ => "compare another cost, such as --cost billed, or give a Cost and Usage Report",
    };
    ReconcileError::UnknownCost(text, help)
}

/// Which kinds of usage are compared table by table.
struct Named<'a> {
    expected: &'a ExpectedBill,
    /// Kinds of a region on the bill, and whether some of it names a table.
    on_bill: BTreeMap<(Option<&'a str>, &'a UsageType), bool>,
}

impl<'a> Named<'a> {
    fn of(bill: &'a AwsBill, expected: &'a ExpectedBill) -> Named<'a> {
        let mut on_bill = BTreeMap::new();
        for line in bill.lines.iter().filter(|line| line.charge.is_usage()) {
            if let Some(usage) = line.kind.usage() {
                let region = line.region.as_deref();
                *on_bill.entry((region, usage)).or_default() |= line.resource.table.is_some();
            }
        }
        Named { expected, on_bill }
    }

    /// Whether the bill names tables for a kind, and the design does not have it without a table.
    fn has_tables(&self, region: Option<&str>, usage: &UsageType) -> bool {
        let key = CellKey {
            region: region.map(str::to_string),
            table: None,
            usage: usage.clone(),
        };
        let is_on_bill = self.on_bill.get(&(region, usage));
        is_on_bill.is_none_or(|has_tables| *has_tables) && !self.expected.cells.contains_key(&key)
    }

    /// The part that a line belongs to. Tables of several accounts may be called by their account
    /// in the design.
    fn key(&self, line: &BilledLine, usage: &UsageType) -> CellKey {
        let region = line.region.as_deref();
        let table = line.resource.table.as_ref();
        let table = table.filter(|_| self.has_tables(region, usage));
        let table = table.map(|table| {
            let qualified = format!("{}.{table}", line.account);
            let tables = || {
                self.expected
                    .cells
                    .keys()
                    .filter_map(|key| key.table.as_ref())
            };
            match tables().any(|known| *known == qualified) {
                true => qualified,
                false => table.clone(),
            }
        });
        CellKey {
            region: line.region.clone(),
            table,
            usage: usage.clone(),
        }
    }
}

impl Comparison<'_> {
    /// The amounts of a line in the hours or days that a trace covers wholly.
    fn inside(&self, line: &BilledLine) -> Result<Amounts, MoneyError> {
        let seconds = i64::try_from(line.times.interval_seconds).unwrap_or(i64::MAX);
        let is_inside = |start: &i64| {
            *start >= self.span.0 && start.saturating_add(seconds.max(1)) <= self.span.1
        };
        let inside = line.amounts.iter().filter(|(start, _)| is_inside(start));
        totals::sum(inside.map(|(_, amounts)| amounts))
    }

    fn outside(&mut self, line: &BilledLine, billed: Money) {
        let text = format!(
            "{} of {}: {}",
            line.usage_type,
            line.resource.name().unwrap_or("no table"),
            billed.human()
        );
        self.sums
            .add(StepKind::OutsideTrace, exact(billed), || text);
    }

    /// A charge that is no usage of a design.
    fn charge(&mut self, line: &BilledLine, billed: Money) {
        let usd = exact(billed);
        let what = format!("{} {}", line.charge.name(), line.usage_type);
        let why = |usd: &Exact| format!("{what}: {}", dollars(usd));
        let kind = match line.charge {
            ChargeType::RiFee => {
                // The fee of the month is charged on its first day.
                let later = &usd * &(Exact::one() - self.share_of_month(self.span));
                let text = format!("the fee of the whole month, {what}: {}", dollars(&later));
                self.sums
                    .add(StepKind::FrontLoading, later.clone(), || text);
                let rest = usd - later;
                let text = why(&rest);
                return self.sums.add(StepKind::Commitments, rest, || text);
            }
            charge if charge.is_purchase() => StepKind::Commitments,
            ChargeType::SavingsPlanNegation | ChargeType::UnusedCommitment => StepKind::Commitments,
            charge if charge.is_discount() => StepKind::Negotiated,
            ChargeType::Tax | ChargeType::Credit | ChargeType::Refund => StepKind::Credits,
            charge if charge.is_usage() => StepKind::NotModelled,
            _ => {
                self.sums.rows.push(why(&usd));
                self.sums.unexplained += &usd;
                return;
            }
        };
        let text = why(&usd);
        self.sums.add(kind, usd, || text);
    }

    /// The share of the bill's month that a time covers.
    fn share_of_month(&self, (from, to): (i64, i64)) -> Exact {
        Exact::ratio(
            (to - from).max(0).unsigned_abs(),
            self.month.hours() * 3_600,
        )
    }

    /// The factor from the design's month to a time of the bill. What is charged once by its size, or
    /// for the whole month, does not depend on the hours.
    fn factor(&self, usage: &UsageType, time: (i64, i64)) -> Exact {
        if !usage.grows_with_hours() {
            return Exact::one();
        }
        if usage.unit() == "GB-month" {
            return self.share_of_month(time);
        }
        let hours = Exact::ratio((time.1 - time.0).max(0).unsigned_abs(), 3_600);
        hours / self.expected.month.hours().clone()
    }

    /// The hours in which a part of the bill could have usage: those of its own rows for what is
    /// billed in every hour in which it exists, else those of its table.
    fn time_of(&self, key: &CellKey, lines: &[(&BilledLine, Amounts)]) -> (i64, i64) {
        if self.expected.window.is_some() || key.usage == UsageType::BACKUP {
            return self.span;
        }
        let is_continuous = matches!(key.usage.unit(), "GB-month" | "node-hour")
            || matches!(key.usage, UsageType::CapacityHours(..));
        let times: Vec<Times> = match (&key.table, is_continuous) {
            (_, true) => lines.iter().map(|(line, _)| line.times).collect(),
            (None, false) => return self.span,
            (Some(table), false) => self
                .times
                .get(table.as_str())
                .copied()
                .into_iter()
                .collect(),
        };
        let days = times.into_iter().filter(|times| times.has_days());
        Times::span(days).map_or(self.span, |(from, to)| {
            (from.max(self.span.0), to.min(self.span.1))
        })
    }

    /// Finds when tables have usage.
    fn look(&mut self) {
        for line in self.bill.lines.iter().filter(|line| line.charge.is_usage()) {
            let table = line.resource.table.as_deref();
            if let Some(table) = table.filter(|_| line.times.has_days()) {
                let times = self.times.entry(table).or_insert(line.times);
                *times = times.and(line.times);
            }
        }
    }

    /// Compares a part of the bill with the same part of the design.
    fn cell(
        &mut self,
        key: &CellKey,
        lines: &[(&BilledLine, Amounts)],
        design: Option<ExpectedCell>,
    ) -> Result<Cell, MoneyError> {
        let name = key.to_string();
        let region = key.region.as_deref();
        let own = key.region.clone().and_then(|region| {
            let rates = &self.expected.rates;
            rates.get(&(region, key.usage.clone())).cloned()
        });
        let full = self.prices.beyond_free(region, &key.usage);
        let Some(full) = full.map(Exact::from).or_else(|| own.clone()) else {
            return self.without_price(key, lines);
        };
        let price = own.filter(|_| design.is_some());
        let price = price.unwrap_or_else(|| full.clone());
        let mut quantity = Exact::zero();
        let mut not_in_design = Exact::zero();
        let mut billed = Money::ZERO;
        let mut is_inferred = false;
        for (line, amounts) in lines {
            let cost = amounts.cost(self.cost).unwrap_or_default();
            billed = billed.plus(cost)?;
            let own = match amounts.quantity {
                Some(quantity) => Exact::from(quantity),
                None => {
                    is_inferred = true;
                    exact(cost) / full.clone()
                }
            };
            quantity += &own;
            // What is free would have cost the highest price of the bill.
            let list = line.list_rate.or(line.rate).map(Exact::from);
            let full = list
                .filter(|list| !list.is_zero())
                .unwrap_or_else(|| full.clone());
            let price_date = &own * &(&full - &price);
            self.sums.add(StepKind::PriceDate, price_date.clone(), || {
                format!(
                    "{name}: ${} a unit on the bill, ${} in the design: {}",
                    full.as_written(),
                    price.as_written(),
                    dollars(&price_date)
                )
            });
            not_in_design = not_in_design + &own * &price;
            self.line(&Charge {
                name: &name,
                line,
                amounts,
                cost,
                quantity: own,
                full,
            });
        }
        let Some(design) = design else {
            let text = format!("{name}: {}", dollars(&not_in_design));
            self.sums.add(StepKind::NotInDesign, not_in_design, || text);
            return Ok(Cell {
                billed_quantity: quantity.to_decimal(STEP_PLACES),
                is_inferred,
                billed,
                ..empty(key)
            });
        };
        let time = self.time_of(key, lines);
        let expected = self.volume(key, time, [&quantity, &price], &design);
        Ok(Cell {
            key: key.clone(),
            billed_quantity: quantity.to_decimal(STEP_PLACES),
            is_inferred,
            expected_quantity: Some(expected),
            billed,
            expected: design.list,
            shares: design.shares,
        })
    }

    /// A part of the bill whose price is not known.
    fn without_price(
        &mut self,
        key: &CellKey,
        lines: &[(&BilledLine, Amounts)],
    ) -> Result<Cell, MoneyError> {
        let costs = lines.iter();
        let billed = Money::sum(costs.filter_map(|(_, amounts)| amounts.cost(self.cost)))?;
        let (name, human) = (key.to_string(), billed.human());
        self.sums.unknown.push(format!(
            "{name}: neither the bill nor the books have its price, so that its {human} cannot be divided"
        ));
        let text = format!("{name}: {human}, of an unknown price");
        self.sums.add(StepKind::NotInDesign, exact(billed), || text);
        let quantity = totals::sum(lines.iter().map(|(_, amounts)| amounts))?.quantity;
        Ok(Cell {
            billed_quantity: quantity,
            billed,
            ..empty(key)
        })
    }

    /// The steps of a cell that compare quantities; returns what the design expects in the hours of
    /// the bill.
    fn volume(
        &mut self,
        key: &CellKey,
        time: (i64, i64),
        [quantity, price]: [&Exact; 2],
        design: &ExpectedCell,
    ) -> Exact {
        let name = &key.to_string();
        let expected = &design.quantity * &self.factor(&key.usage, time);
        let hours = &(&expected - &design.quantity) * price;
        let hours_of_bill = Exact::ratio((time.1 - time.0).max(0).unsigned_abs(), 3_600);
        let month = self.expected.month.clone();
        self.sums.add(StepKind::Hours, hours.clone(), || {
            format!(
                "{name}: {} hours on the bill, a month of {month} in the design: {}",
                hours_of_bill.human(1),
                dollars(&hours)
            )
        });
        if key.usage == UsageType::BACKUP && time.0 == self.month.first_second() {
            // Charged on the first for the whole month.
            let later = &(&design.quantity - &expected) * price;
            self.sums.add(StepKind::FrontLoading, later.clone(), || {
                format!(
                    "{name}: charged on the 1st for the whole month: {}",
                    dollars(&later)
                )
            });
            let volume = &(quantity - &design.quantity) * price;
            self.add_volume(name, [&design.quantity, quantity], volume, design);
            return expected;
        }
        let volume = &(quantity - &expected) * price;
        self.add_volume(name, [&expected, quantity], volume, design);
        // The design's own free tier is in its total already.
        let tier = exact(design.list) - &design.quantity * price;
        self.sums
            .add(StepKind::Tier, Exact::zero() - tier.clone(), || {
                format!(
                    "{name}: the free tier of the design, which the bill does not have: {}",
                    dollars(&(Exact::zero() - tier.clone()))
                )
            });
        expected
    }

    /// The step of a quantity that is not as expected, with what causes it in the design.
    fn add_volume(
        &mut self,
        name: &str,
        [expected, quantity]: [&Exact; 2],
        volume: Exact,
        design: &ExpectedCell,
    ) {
        let text = format!(
            "{name}: {} on the bill, {} expected{}: {}",
            quantity.human(2),
            expected.human(2),
            causes(design),
            dollars(&volume)
        );
        self.sums.add(StepKind::Volume, volume, || text);
    }

    /// The steps of a charge from the list price to its cost.
    fn line(&mut self, charge: &Charge<'_>) {
        let Charge {
            name,
            line,
            amounts,
            cost,
            quantity,
            full,
        } = charge;
        let cost = *cost;
        let list = match line.list_rate.or(line.rate) {
            Some(rate) => Exact::from(rate),
            None => return self.line_without_rate(charge),
        };
        let tier = quantity * &(&list - full);
        self.sums.add(StepKind::Tier, tier.clone(), || {
            format!("{name}: {} free: {}", quantity.human(2), dollars(&tier))
        });
        let at_list = quantity * &list;
        let left = match (line.charge, self.cost) {
            (_, Cost::List) => exact(cost) - at_list,
            (ChargeType::DiscountedUsage, Cost::Billed | Cost::Net) => {
                let usd = Exact::zero() - at_list;
                let text = format!("{name}: {} reserved: {}", quantity.human(2), dollars(&usd));
                self.sums.add(StepKind::Commitments, usd, || text);
                exact(cost)
            }
            (ChargeType::DiscountedUsage, _)
            | (ChargeType::SavingsPlanCoveredUsage, Cost::Amortised) => {
                let usd = exact(cost) - at_list;
                let text = format!("{name}: {} covered: {}", quantity.human(2), dollars(&usd));
                self.sums.add(StepKind::Commitments, usd, || text);
                return;
            }
            (ChargeType::SavingsPlanCoveredUsage, _) if cost.is_zero() => {
                // FOCUS bills what a plan covers as zero.
                let usd = Exact::zero() - at_list;
                let text = format!("{name}: {} covered: {}", quantity.human(2), dollars(&usd));
                return self.sums.add(StepKind::Commitments, usd, || text);
            }
            (_, Cost::Net) => {
                let billed = amounts.billed.unwrap_or(cost);
                let usd = exact(cost) - exact(billed);
                let text = format!("{name}: net of discounts: {}", dollars(&usd));
                self.sums.add(StepKind::Negotiated, usd, || text);
                self.negotiated(name, line, quantity, &list);
                exact(billed) - quantity * &line.rate.map_or(list, Exact::from)
            }
            _ => {
                self.negotiated(name, line, quantity, &list);
                exact(cost) - quantity * &line.rate.map_or(list, Exact::from)
            }
        };
        self.left(charge, left);
    }

    /// The same on a bill without rates, which does not tell which part was free: what is missing to
    /// the list price, if it is no more than the free tier.
    fn line_without_rate(&mut self, charge: &Charge<'_>) {
        let Charge {
            name, line, full, ..
        } = charge;
        if charge.amounts.quantity.is_none() {
            return;
        }
        let left = exact(charge.cost) - &charge.quantity * full;
        let region = line.region.as_deref();
        let free = line.kind.usage().and_then(|usage| {
            let month = self.month;
            self.prices.free_quantity(region, usage, month)
        });
        // Without a book nothing is known to be free: what is missing is unexplained.
        let free = free.unwrap_or_default();
        if left.is_negative() && Exact::zero() - left.clone() <= &free * full {
            let text = format!("{name}: {} below the list price", dollars(&left));
            return self.sums.add(StepKind::Tier, left, || text);
        }
        self.left(charge, left);
    }

    fn negotiated(&mut self, name: &str, line: &BilledLine, quantity: &Exact, list: &Exact) {
        let Some(rate) = line.rate.map(Exact::from) else {
            return;
        };
        let usd = quantity * &(&rate - list);
        let text = || {
            if list.is_zero() {
                return format!("{name}: its list price is zero: {}", dollars(&usd));
            }
            let percent = &(&(list - &rate) * &Exact::from(100)) / list;
            format!(
                "{name}: {} % below the list price: {}",
                percent.human(2),
                dollars(&usd)
            )
        };
        self.sums.add(StepKind::Negotiated, usd.clone(), text);
    }

    /// What is left of a charge: rounding, or unexplained.
    fn left(&mut self, charge: &Charge<'_>, left: Exact) {
        let Charge {
            name,
            line,
            amounts,
            ..
        } = charge;
        // A row by day or month is a sum of rounded hours.
        let hours = line.times.interval_seconds.div_ceil(3_600).max(1);
        let bound = Exact::ratio(amounts.rows.saturating_mul(hours), ROUNDING_PARTS);
        let size = if left.is_negative() {
            Exact::zero() - left.clone()
        } else {
            left.clone()
        };
        if size <= bound {
            let text = format!("{name}: {}", count_of(amounts.rows, "row"));
            return self.sums.add(StepKind::Rounding, left, || text);
        }
        self.sums.rows.push(format!(
            "{name}: {} of {} {}, {} off the quantity times the rate",
            count_of(amounts.rows, "row"),
            line.charge.name(),
            line.usage_type,
            dollars(&left)
        ));
        self.sums.unexplained += &left;
    }

    /// A part of the design that is not on the bill.
    fn not_on_the_bill(&mut self, key: CellKey, design: ExpectedCell) -> Cell {
        let name = key.to_string();
        let table = key.table.as_deref();
        let is_there = table.is_some_and(|table| self.times.contains_key(table));
        let why = match is_there {
            true => {
                "the table is on the bill without it: it had no such usage, or the bill is older"
            }
            false => {
                "nothing of the table is on the bill: it had no usage, or it belongs to another account, region or month"
            }
        };
        let factor = self.factor(&key.usage, self.span);
        let list = exact(design.list);
        let in_hours = &list * &factor;
        let hours = &in_hours - &list;
        self.sums.add(StepKind::Hours, hours.clone(), || {
            format!("{name}: in the hours of the bill: {}", dollars(&hours))
        });
        let usd = Exact::zero() - in_hours;
        let text = format!("{name}: {}; {why}", dollars(&usd));
        self.sums.add(StepKind::NotOnBill, usd, || text);
        Cell {
            expected_quantity: Some(&design.quantity * &factor),
            expected: design.list,
            shares: design.shares,
            ..empty(&key)
        }
    }

    /// What a design pays beyond its usage: commitments, and services that are not read.
    fn rest_of_the_design(&mut self) -> Result<(), MoneyError> {
        for (service, usd) in &self.expected.not_read {
            let usd = Exact::zero() - exact(*usd);
            let text = format!(
                "{service}: {}; rows of this service are not read from bills",
                dollars(&usd)
            );
            self.sums.add(StepKind::NotOnBill, usd, || text);
        }
        if self.cost == Cost::List {
            return Ok(());
        }
        let bought = self.expected.total.minus(self.expected.list)?;
        let usd = Exact::zero() - exact(bought);
        let text = format!(
            "the commitments and discounts of the design, which the bill has otherwise: {}",
            dollars(&usd)
        );
        self.sums.add(StepKind::Commitments, usd, || text);
        Ok(())
    }

    fn finish(self, bill: Money, mut cells: Vec<Cell>) -> Result<Difference, MoneyError> {
        let design = match self.cost {
            Cost::List => self.expected.list,
            _ => self.expected.total,
        };
        let difference = bill.minus(design)?;
        let mut sums = self.sums;
        let too_large = || MoneyError::TooLarge("a step of the explanation".to_string());
        let rounded = |usd: &Exact| {
            usd.to_decimal(STEP_PLACES)
                .map(Money::billed)
                .ok_or_else(too_large)
        };
        let unexplained = rounded(&sums.unexplained)?;
        let mut steps = Vec::new();
        let mut sum = unexplained;
        for (kind, ..) in StepKind::NAMES {
            let Some(usd) = sums.steps.get(&kind) else {
                continue;
            };
            let usd = rounded(usd)?;
            sum = sum.plus(usd)?;
            let mut reasons = sums.reasons.remove(&kind).unwrap_or_default();
            reasons.sort_by(|one, other| (&other.0, &one.1).cmp(&(&one.0, &other.1)));
            // Cents are enough, unless the step has nothing larger.
            let cent = Exact::ratio(1, 200);
            if reasons.first().is_some_and(|(size, _)| *size >= cent) {
                reasons.retain(|(size, _)| *size >= cent);
            }
            let more = reasons.len().saturating_sub(REASONS_MAX);
            let mut because: Vec<String> = reasons
                .into_iter()
                .take(REASONS_MAX)
                .map(|(_, text)| text)
                .collect();
            if more > 0 {
                because.push(format!("and {more} smaller parts"));
            }
            steps.push(Step { kind, usd, because });
        }
        // Thirds of hours have no last decimal: what that leaves belongs to the first step.
        let rest = difference.minus(sum)?;
        let bound = Exact::ratio(1, ROUNDING_PARTS);
        let is_small = exact(rest) <= bound && Exact::zero() - exact(rest) <= bound;
        let mut unexplained = unexplained;
        match steps.first_mut().filter(|_| is_small) {
            Some(first) => first.usd = first.usd.plus(rest)?,
            None => unexplained = unexplained.plus(rest)?,
        }
        steps.retain(|step| !step.usd.is_zero());
        cells.sort_by_key(|cell| {
            let difference = cell.billed.minus(cell.expected).unwrap_or_default();
            let size = difference.max(Money::ZERO.minus(difference).unwrap_or_default());
            (std::cmp::Reverse(size), cell.key.clone())
        });
        Ok(Difference {
            month: self.month,
            is_of_a_trace: self.expected.window.is_some(),
            bill,
            design,
            steps,
            unexplained,
            unexplained_rows: sums.rows,
            cells,
            unknown: sums.unknown,
        })
    }
}

/// What causes a cell of a design, in percent, if several access patterns or indexes do.
fn causes(design: &ExpectedCell) -> String {
    let mut shares: Vec<&ExpectedShare> = design.shares.iter().collect();
    shares.sort_by(|one, other| other.quantity.cmp(&one.quantity));
    if shares.len() < 2 || design.quantity.is_zero() {
        return String::new();
    }
    let words = shares.iter().take(SHARES_SHOWN).map(|share| {
        let percent = &(&share.quantity * &Exact::from(100)) / &design.quantity;
        let index = share.index.as_ref().map(|index| format!(" of {index}"));
        let what = share.access.as_deref().unwrap_or("other");
        format!("{} % {what}{}", percent.human(0), index.unwrap_or_default())
    });
    let more = match shares.len() > SHARES_SHOWN {
        true => ", …",
        false => "",
    };
    format!(" ({}{more})", words.collect::<Vec<_>>().join(", "))
}

fn empty(key: &CellKey) -> Cell {
    Cell {
        key: key.clone(),
        billed_quantity: None,
        is_inferred: false,
        expected_quantity: None,
        billed: Money::ZERO,
        expected: Money::ZERO,
        shares: Vec::new(),
    }
}
