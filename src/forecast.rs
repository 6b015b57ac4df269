//! A design month by month: the stock follows writes and deletes, rates follow growth, prices and
//! commitments follow the calendar.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::commitments::Commitment;
use crate::estimate::{EstimateError, ITEMS_ALL_MONTH, estimate};
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::{Books, Bound, LineItem};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::UsageType;
use crate::workload::{TableDesign, Workload, WriteKind};

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
    /// What the months assume.
    pub assumptions: Vec<String>,
    /// The warnings of all months; one that the first month does not have names its month.
    pub warnings: Vec<String>,
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
    /// What is known of the total.
    pub bound: Bound,
}

impl Forecast {
    /// The sum of all months, without what is paid once.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the sum has more than 28 digits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.months.iter().map(|month| month.total))
    }

    /// The sum of what is paid once.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the sum has more than 28 digits.
    pub fn once(&self) -> Result<Money, MoneyError> {
        Money::sum(self.months.iter().map(|month| month.once))
    }

    /// What is known of the sum of all months.
    pub fn bound(&self) -> Bound {
        let months = self.months.iter().map(|month| month.bound);
        months.fold(Bound::Exact, Bound::and)
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
    // A commitment that begins during the forecast is part of it.
    let end = start.months_later(u32::try_from(months).unwrap_or(u32::MAX));
    let in_time = workload.commitments.iter().filter(|one| one.from < end);
    let in_time: Vec<String> = in_time.map(Commitment::begins_later).collect();
    let mut warnings = first.warnings.clone();
    warnings.retain(|warning| !in_time.contains(warning));
    let all = warnings.iter().chain(&in_time);
    let mut said: BTreeSet<String> = all.map(|warning| without_figures(warning)).collect();
    for number in 1..=months {
        let later = u32::try_from(number - 1).unwrap_or(u32::MAX);
        let from = start.months_later(later).unwrap_or(start);
        let outcome = match number {
            1 => first.clone(),
            _ => estimate(&month_of(workload, &stocks, number, (start, from)), books)?,
        };
        list.push(ForecastMonth::new(number, from, &outcome)?);
        for warning in outcome.warnings {
            if said.insert(without_figures(&warning)) {
                warnings.push(format!("from month {number}: {warning}"));
            }
        }
        for (stock, table) in stocks.iter_mut().zip(&workload.tables) {
            emptied |= stock.pass(table, &growth(table, number), number);
        }
    }
    // In a forecast, this holds for a month only.
    let of_month = |text: &&String| text.as_str() != ITEMS_ALL_MONTH;
    let assumed = assumptions(workload, emptied);
    let first_assumed = first.assumptions.iter().filter(of_month).cloned();
    Ok(Forecast {
        months: list,
        assumptions: assumed.into_iter().chain(first_assumed).collect(),
        warnings,
        first,
    })
}

/// A warning without its figures, which differ from month to month; names that have digits stay.
fn without_figures(warning: &str) -> String {
    let is_figure = |word: &&str| {
        let is_part = |c: char| !c.is_alphabetic();
        word.chars().all(is_part)
    };
    let words = warning.split(' ').filter(|word| !is_figure(word));
    words.collect::<Vec<_>>().join(" ")
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

    /// Adds what a month's writes add and remove, at a multiple of the table's rates; in the first
    /// month, those that are made once as well. Returns whether more would have been removed than
    /// there was.
    fn pass(&mut self, table: &TableDesign, factor: &Exact, number: u64) -> bool {
        let mut changes = vec![Exact::zero(); self.0.len()];
        let one = Exact::one();
        let monthly = table.patterns().map(|access| (access, factor));
        let once = table.once.iter().filter(|_| number == 1);
        for (access, factor) in monthly.chain(once.map(|access| (access, &one))) {
            let Some(succeeds) = access.call.applied() else {
                continue;
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

/// The number of items of a table at the beginning of each of the next months, the first of which is
/// the one that is estimated.
pub(crate) fn items_by_month(table: &TableDesign, months: u64) -> Vec<Exact> {
    let mut stock = Stock::of(table);
    let mut all = Vec::new();
    for number in 1..=months {
        all.push(stock.sum());
        stock.pass(table, &growth(table, number), number);
    }
    all
}

/// By how much the rates of a table have grown in a month: evenly over the months of each year.
pub(crate) fn growth(table: &TableDesign, number: u64) -> Exact {
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
        // What is bought in the first month is not bought again, and ends with its term.
        for commitment in &mut contents.commitments {
            commitment.begin_on(start);
        }
        contents.written.ranges.clear();
        for (table, stock) in contents.tables.iter_mut().zip(stocks) {
            let factor = growth(table, number);
            let table = Arc::make_mut(table);
            table.once.clear();
            table.import = table.import.take().filter(|import| !import.once);
            table.in_month(&factor, &stock.0);
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
            bound: outcome.bill.bound(),
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
        patterns.any(|access| !access.is_read() && access.call.applied().is_none())
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
            any(&|table| table.import.is_some()),
            "an import does not change the number of items; `items` counts what it adds",
        ),
        (
            any(&|table| table.patterns().any(|access| access.follows_items)),
            "a rate with `follows_items` follows the number of items only, of its entity if it has one",
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
