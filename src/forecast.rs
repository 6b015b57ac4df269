//! A design month by month: the stock follows writes and deletes, rates follow growth, prices and
//! commitments follow the calendar.

use std::sync::Arc;

use crate::estimate::{EstimateError, estimate};
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::{Books, LineItem};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::UsageType;
use crate::workload::{PatternCall, TableDesign, Workload, WriteKind};

/// The months of a year.
const MONTHS_A_YEAR: u64 = 12;

/// The longest forecast: ten years.
pub const MONTHS_MAX: u64 = 120;

/// A design month by month.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Forecast {
    /// The months, in their order.
    pub months: Vec<ForecastMonth>,
    /// The first month, which is the design as it is written.
    pub first: Outcome,
    /// What the months assume, in addition to the assumptions of the first.
    pub assumptions: Vec<String>,
}

/// One month of a forecast.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForecastMonth {
    /// Its number, from 1.
    pub number: u64,
    /// The day on which it begins, and the day of its prices.
    pub from: Date,
    /// Items of all tables.
    pub items: Exact,
    /// GB-months of storage of tables and indexes in all regions.
    pub stored_gb: Exact,
    /// Requests and provisioned capacity, with what commitments cover of it.
    pub throughput: Money,
    /// Storage of tables and indexes.
    pub storage: Money,
    /// Everything else.
    pub other: Money,
    /// The month's total.
    pub total: Money,
    /// What is paid once in this month, apart from the total.
    pub once: Money,
    /// The number of unknown costs, which are in no amount.
    pub unknown: usize,
}

impl Forecast {
    /// The sum of all months, without what is paid once.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the sum has more than 28 digits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.months.iter().map(|month| month.total))
    }

    /// Whether a figure of any month is unknown.
    pub fn is_partly_unknown(&self) -> bool {
        self.months.iter().any(|month| month.unknown > 0)
    }
}

/// A workload for a number of months, from the day of its prices.
///
/// # Errors
/// [`EstimateError`] if a region has no price book at a date, or an amount needs more than 28
/// digits.
pub fn forecast(
    workload: &Workload,
    books: &Books,
    months: u64,
) -> Result<Forecast, EstimateError> {
    let first = estimate(workload, books)?;
    let start = first.prices;
    let mut list = Vec::new();
    let mut stocks: Vec<Stock> = workload
        .tables
        .iter()
        .map(|table| Stock::of(table))
        .collect();
    let mut emptied = false;
    for number in 1..=months {
        let later = u32::try_from(number - 1).unwrap_or(u32::MAX);
        let from = start.months_later(later).unwrap_or(start);
        let outcome = match number {
            1 => first.clone(),
            _ => estimate(&month_of(workload, &stocks, number, (start, from)), books)?,
        };
        list.push(ForecastMonth::new(number, from, &outcome)?);
        for (stock, table) in stocks.iter_mut().zip(&workload.tables) {
            emptied |= stock.pass(table, &growth(table, number));
        }
    }
    Ok(Forecast {
        months: list,
        assumptions: assumptions(workload, emptied),
        first,
    })
}

/// The items of a table, by entity; one number if it has no entities.
#[derive(Clone, Debug)]
struct Stock(Vec<Exact>);

impl Stock {
    fn of(table: &TableDesign) -> Stock {
        match table.entities.as_slice() {
            [] => Stock(vec![table.items.clone()]),
            entities => Stock(entities.iter().map(|one| one.items.clone()).collect()),
        }
    }

    fn sum(&self) -> Exact {
        self.0.iter().cloned().sum()
    }

    /// Adds what a month's writes add and remove, at a multiple of the table's rates. Returns
    /// whether more would have been removed than there was.
    fn pass(&mut self, table: &TableDesign, factor: &Exact) -> bool {
        let mut changes = vec![Exact::zero(); self.0.len()];
        for access in table.patterns() {
            let succeeds = match &access.call {
                PatternCall::Write {
                    condition_failures, ..
                } => Exact::one() - condition_failures.clone(),
                PatternCall::Transaction {
                    cancelled,
                    replayed,
                    ..
                } => Exact::one() - cancelled.clone() - replayed.clone(),
                _ => continue,
            };
            for (plan, counts) in access.call.plans() {
                let writes = &(&(&access.calls * factor) * &counts.mean()) * &succeeds;
                let change = match plan.kind {
                    WriteKind::Put | WriteKind::Update => {
                        &writes * &(Exact::one() - plan.finds.clone())
                    }
                    WriteKind::Delete => &Exact::zero() - &(&writes * &plan.finds),
                    WriteKind::ConditionCheck => continue,
                };
                self.spread(&mut changes, plan.entity, &change);
            }
        }
        let expired = &Exact::zero() - &(&table.ttl_deletes * factor);
        self.spread(&mut changes, table.ttl_entity, &expired);
        let mut emptied = false;
        for (items, change) in self.0.iter_mut().zip(changes) {
            let left = &*items + &change;
            emptied |= left.is_negative();
            *items = match left.is_negative() {
                true => Exact::zero(),
                false => left,
            };
        }
        emptied
    }

    /// Gives a change to an entity, or to all in proportion to their items.
    fn spread(&self, changes: &mut [Exact], entity: Option<usize>, change: &Exact) {
        let all = self.sum();
        match entity {
            Some(at) if at < changes.len() => changes[at] += change,
            _ if changes.len() == 1 => changes[0] += change,
            _ if all.is_zero() => {}
            _ => {
                for (own, items) in changes.iter_mut().zip(&self.0) {
                    *own += &(&(change * items) / &all);
                }
            }
        }
    }
}

/// By how much the rates of a table have grown in a month: evenly over the months of each year.
fn growth(table: &TableDesign, number: u64) -> Exact {
    let passed = number - 1;
    let a_year = Exact::one() + table.growth.clone();
    let whole = (0..passed / MONTHS_A_YEAR).fold(Exact::one(), |product, _| &product * &a_year);
    let part = &table.growth * &Exact::ratio(passed % MONTHS_A_YEAR, MONTHS_A_YEAR);
    &whole * &(Exact::one() + part)
}

/// The design in a month.
fn month_of(
    workload: &Workload,
    stocks: &[Stock],
    number: u64,
    (start, from): (Date, Date),
) -> Workload {
    workload.clone().with(|contents| {
        contents.prices = Some(from);
        // What is bought in the first month is not bought again.
        for commitment in &mut contents.commitments {
            commitment.from.get_or_insert(start);
        }
        contents.written.ranges.clear();
        for (table, stock) in contents.tables.iter_mut().zip(stocks) {
            let factor = growth(table, number);
            let before = Stock::of(table).sum();
            let table = Arc::make_mut(table);
            let follows = match before.is_zero() {
                true => Exact::one(),
                false => &stock.sum() / &before,
            };
            table.once.clear();
            table.import = table.import.take().filter(|import| !import.once);
            table.scale_rates(&factor, &follows);
            table.set_items(&stock.0);
        }
    })
}

impl ForecastMonth {
    fn new(number: u64, from: Date, outcome: &Outcome) -> Result<ForecastMonth, MoneyError> {
        let of = |is: fn(&UsageType) -> bool| {
            let lines = outcome.bill.lines.iter();
            Money::sum(
                lines
                    .filter(|line| is(&line.usage_type))
                    .map(|line| line.amount),
            )
        };
        let (throughput, storage) = (of(is_throughput)?, of(is_storage)?);
        let total = outcome.total()?;
        let stored = |line: &&LineItem| is_storage(&line.usage_type);
        let lines = outcome.bill.lines.iter();
        let tables = outcome.holdings.iter().filter(|one| one.index.is_none());
        Ok(ForecastMonth {
            number,
            from,
            items: tables.map(|one| one.count.clone()).sum(),
            stored_gb: lines
                .filter(stored)
                .map(|line| Exact::from(line.quantity))
                .sum(),
            throughput,
            storage,
            other: total.minus(throughput)?.minus(storage)?,
            total,
            once: outcome.once.total()?,
            unknown: outcome.bill.unknown.len(),
        })
    }
}

fn is_throughput(usage: &UsageType) -> bool {
    usage.throughput().is_some()
        || matches!(usage, UsageType::Reserved { .. })
        || *usage == UsageType::PLAN_COMMITMENT
}

fn is_storage(usage: &UsageType) -> bool {
    matches!(usage, UsageType::Storage(_))
}

fn assumptions(workload: &Workload, emptied: bool) -> Vec<String> {
    let any = |is: &dyn Fn(&TableDesign) -> bool| workload.tables.iter().any(|table| is(table));
    let uncounted = |table: &TableDesign| {
        let mut patterns = table.patterns();
        patterns.any(|access| {
            !access.is_read()
                && !matches!(
                    access.call,
                    PatternCall::Write { .. } | PatternCall::Transaction { .. }
                )
        })
    };
    let list = [
        (
            true,
            "month 1 is the month that the file describes; each later month has the items of the \
             month before, with what its writes, deletes and Time to Live add and remove",
        ),
        (
            true,
            "items keep their sizes; months after the newest known prices are charged at those prices",
        ),
        (
            any(&|table| !table.growth.is_zero()),
            "growth multiplies rates, evenly over the months of each year; the number of items \
             follows from the writes",
        ),
        (
            any(&uncounted),
            "writes of which only the units are known do not change the number of items",
        ),
        (
            emptied,
            "deletes that find no item left remove none; their rates stay as they are",
        ),
    ];
    let held = list.into_iter().filter(|(holds, _)| *holds);
    held.map(|(_, text)| text.to_string()).collect()
}
