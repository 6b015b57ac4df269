//! What a design expects of a month, by region, table and kind.

use std::collections::BTreeMap;
use std::fmt;

use crate::bill::BilledKind;
use crate::commitments::Commitment;
use crate::estimate::{EstimateError, Together, estimate_together};
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::{Bill, Books};
use crate::time::MonthHours;
use crate::units::Exact;
use crate::usage::UsageType;
use crate::workload::Workload;

/// The services whose rows are not read from bills, though designs have lines of them.
const NOT_READ: [&str; 3] = ["AmazonS3", "awskms", "AWSDataTransfer"];

/// The region of a charge that names none, in words.
pub(super) const UNKNOWN_REGION: &str = "an unknown region";

/// A part of a bill and of a design that are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    /// The region; `None` if the bill does not say.
    pub region: Option<String>,
    /// The table; `None` if the bill does not name tables for this kind.
    pub table: Option<String>,
    /// The kind.
    pub usage: UsageType,
}

/// In words: `Orders: write request units in us-east-1`.
impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = &self.table {
            write!(f, "{table}: ")?;
        }
        let kind = BilledKind::Usage(self.usage.clone());
        let region = self.region.as_deref().unwrap_or(UNKNOWN_REGION);
        write!(f, "{} in {region}", kind.name())
    }
}

/// What an access pattern or an index has of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedShare {
    /// The table of the design.
    pub table: Option<String>,
    /// The index; `None` for the table itself.
    pub index: Option<String>,
    /// The access pattern; `None` if no single one causes it.
    pub access: Option<String>,
    /// The quantity in the design's month.
    pub quantity: Exact,
}

/// What a design expects of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ExpectedCell {
    /// The quantity in the design's month.
    pub quantity: Exact,
    /// Its cost without commitments.
    pub list: Money,
    /// What causes it.
    pub shares: Vec<ExpectedShare>,
}

/// A design, priced for a comparison with a bill.
#[derive(Clone, Debug)]
pub struct ExpectedBill {
    /// The cost of the month.
    pub total: Money,
    /// The same without commitments and discounts.
    pub list: Money,
    /// The length of its month.
    pub month: MonthHours,
    /// What is unknown in it.
    pub unknown: Vec<String>,
    /// The time that a trace covers, in seconds since 1970; only hours within it are compared.
    /// `None` for a design.
    pub window: Option<(i64, i64)>,
    /// Cost of lines of services whose rows are not read from bills, by service.
    pub(super) not_read: BTreeMap<&'static str, Money>,
    pub(super) cells: BTreeMap<CellKey, ExpectedCell>,
    /// The price of a unit by region and kind, at the date of the design's prices.
    pub(super) rates: BTreeMap<(String, UsageType), Exact>,
}

impl ExpectedBill {
    /// Prices designs of one account.
    ///
    /// # Errors
    /// [`EstimateError`] if a design cannot be priced.
    pub fn of(
        workloads: &[Workload],
        commitments: &[Commitment],
        books: &Books,
    ) -> Result<ExpectedBill, EstimateError> {
        let as_bought = estimate_together(workloads, commitments, books)?;
        let plain: Vec<Workload> = workloads
            .iter()
            .map(|workload| workload.clone().without_commitments())
            .collect();
        let at_list = estimate_together(&plain, &[], books)?;
        let total = total(&as_bought)?;
        let list = self::total(&at_list)?;
        let month = at_list
            .outcomes
            .first()
            .map_or_else(MonthHours::standard, |outcome| outcome.month.clone());
        let mut expected = ExpectedBill {
            total,
            list,
            month,
            unknown: unknown(&as_bought),
            window: None,
            not_read: BTreeMap::new(),
            cells: BTreeMap::new(),
            rates: BTreeMap::new(),
        };
        for outcome in &at_list.outcomes {
            expected.add(outcome, books)?;
        }
        Ok(expected)
    }

    /// The whole hours within the time that a trace covers, in seconds since 1970, because a bill has
    /// no parts of them; `None` if there is none.
    pub fn whole_hours((from, to): (i64, i64)) -> Option<(i64, i64)> {
        const HOUR: i64 = 3_600;
        let whole = (-(-from).div_euclid(HOUR) * HOUR, to.div_euclid(HOUR) * HOUR);
        (whole.0 < whole.1).then_some(whole)
    }

    /// What a trace measured in the time that it covers: the throughput, since a trace does not have
    /// the rest.
    ///
    /// # Errors
    /// [`EstimateError`] if a region has no price book.
    pub fn measured(
        outcome: &Outcome,
        window: (i64, i64),
        books: &Books,
    ) -> Result<ExpectedBill, EstimateError> {
        let mut throughput = outcome.clone();
        let is_throughput = |usage: &UsageType| usage.throughput().is_some();
        throughput
            .bill
            .lines
            .retain(|line| is_throughput(&line.usage_type));
        throughput.bill.unknown.retain(|one| {
            let usage = one.rate.as_ref().map(|rate| UsageType::of_code(&rate.code));
            usage.as_ref().is_none_or(is_throughput)
        });
        let total = throughput.bill.total()?;
        let mut expected = ExpectedBill {
            total,
            list: total,
            month: outcome.month.clone(),
            unknown: unknown_of(&throughput.bill),
            window: Some(window),
            not_read: BTreeMap::new(),
            cells: BTreeMap::new(),
            rates: BTreeMap::new(),
        };
        expected.add(&throughput, books)?;
        Ok(expected)
    }

    fn add(&mut self, outcome: &Outcome, books: &Books) -> Result<(), EstimateError> {
        for line in &outcome.bill.lines {
            let service = line.usage_type.service();
            if NOT_READ.contains(&service) && line.usage_type != UsageType::INTERNET_OUT {
                let sum = self.not_read.entry(service).or_default();
                *sum = sum.plus(line.amount)?;
                continue;
            }
            let (region, usage) = (line.subject.region.clone(), line.usage_type.clone());
            let rate = books
                .book(&region, Some(outcome.prices))?
                .list_price(&usage)
                .map(|published| Exact::from(published.rate.decimal()));
            if let Some(rate) = rate {
                self.rates.insert((region.clone(), usage.clone()), rate);
            }
            let key = CellKey {
                region: Some(region),
                table: line.subject.table.clone(),
                usage,
            };
            let cell = self.cells.entry(key).or_default();
            let quantity = Exact::from(line.quantity);
            cell.quantity += &quantity;
            cell.list = cell.list.plus(line.amount)?;
            let share = ExpectedShare {
                table: line.subject.table.clone(),
                index: line.subject.index.clone(),
                access: line.subject.access.clone(),
                quantity,
            };
            let known = cell.shares.iter_mut().find(|known| {
                (&known.table, &known.index, &known.access)
                    == (&share.table, &share.index, &share.access)
            });
            match known {
                Some(known) => known.quantity += &share.quantity,
                None => cell.shares.push(share),
            }
        }
        Ok(())
    }

    /// The cells with tables only where the bill names them.
    pub(super) fn cells_for(
        &self,
        has_tables: impl Fn(Option<&str>, &UsageType) -> bool,
    ) -> Result<BTreeMap<CellKey, ExpectedCell>, MoneyError> {
        let mut cells: BTreeMap<CellKey, ExpectedCell> = BTreeMap::new();
        for (key, cell) in &self.cells {
            let table = key
                .table
                .clone()
                .filter(|_| has_tables(key.region.as_deref(), &key.usage));
            let key = CellKey {
                table,
                ..key.clone()
            };
            let sum = cells.entry(key).or_default();
            sum.quantity += &cell.quantity;
            sum.list = sum.list.plus(cell.list)?;
            sum.shares.extend(cell.shares.iter().cloned());
        }
        Ok(cells)
    }
}

fn total(together: &Together) -> Result<Money, MoneyError> {
    let mut total = together.unused.total()?;
    for outcome in &together.outcomes {
        total = total.plus(outcome.total()?)?;
    }
    Ok(total)
}

fn unknown(together: &Together) -> Vec<String> {
    let bills = together.outcomes.iter().map(|outcome| &outcome.bill);
    bills
        .chain([&together.unused])
        .flat_map(unknown_of)
        .collect()
}

fn unknown_of(bill: &Bill) -> Vec<String> {
    let unknown = bill.unknown.iter();
    unknown
        .map(|one| format!("{}: {}: {}", one.subject.table_name(), one.what, one.why))
        .collect()
}
