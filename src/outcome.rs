//! What an engine returns: the bill with its working, and everything that a reader must know to
//! trust it.

use std::collections::{BTreeMap, BTreeSet};

use crate::capacity::Demand;
use crate::meter::Switch;
use crate::money::{Money, MoneyError};
use crate::pricing::{Bill, LineItem, sources_of};
use crate::rules::{MeteringRule, RULES};
use crate::time::{Date, MonthHours};
use crate::units::Exact;
use crate::usage::{ACCOUNT, FreeTier, Subject, Throughput};

/// The result of an estimate or a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Outcome {
    /// The name of the design.
    pub workload: String,
    /// Its home region.
    pub region: String,
    /// The date of the prices.
    pub prices: Date,
    /// The date of the newest prices that the home region's book has; `prices` may be later, if
    /// the caller requested a later date.
    pub newest_prices: Option<Date>,
    /// The length of the month.
    pub month: MonthHours,
    /// The free tiers that apply.
    pub free: BTreeSet<FreeTier>,
    /// The tables, in the order of the design.
    pub tables: Vec<String>,
    /// The bill.
    pub bill: Bill,
    /// What is paid once and is not part of the month: loads, imports, upfront payments.
    pub once: Bill,
    /// The demand of each account, in units per second.
    pub demand: Vec<Demand>,
    /// The number and size of the items of the tables and their indexes.
    pub holdings: Vec<Holding>,
    /// The entity of each access pattern that is about one: by table and access pattern.
    pub entities: BTreeMap<(String, String), String>,
    /// Assumptions about what AWS does not document and what the design leaves open.
    pub assumptions: Vec<String>,
    /// The readings of disputed rules that affect this result.
    pub switches: Vec<Switch>,
    /// Warnings for the owner of the design.
    pub warnings: Vec<String>,
    /// Figures that common calculators get wrong for this design.
    pub calculators: Calculators,
    /// The effect of the file's ranges on the total.
    pub uncertainty: Option<Uncertainty>,
}

/// The interval of the total of a file with ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uncertainty {
    /// The number of draws.
    pub draws: u64,
    /// Their seed.
    pub seed: u64,
    /// 5 % of the draws are below.
    pub low: Money,
    /// The median of the draws.
    pub middle: Money,
    /// 5 % of the draws are above.
    pub high: Money,
    /// The totals with one range at each of its ends and all others at their likely values, the
    /// widest first.
    pub ranges: Vec<RangeSwing>,
}

/// The totals with one range at its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RangeSwing {
    /// The line of the range, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
    /// The total at its lowest value.
    pub low: Money,
    /// The total at its highest value.
    pub high: Money,
}

impl RangeSwing {
    /// The absolute difference of the two totals.
    pub fn width(&self) -> Exact {
        let (low, high) = (
            Exact::from(self.low.decimal()),
            Exact::from(self.high.decimal()),
        );
        if low < high {
            &high - &low
        } else {
            &low - &high
        }
    }
}

impl Outcome {
    /// The entity that a line of the bill is about; `None` if it is about none, or about several.
    pub fn entity(&self, subject: &Subject) -> Option<&str> {
        let access = subject.access.clone()?;
        let entity = self.entities.get(&(subject.table.clone()?, access))?;
        Some(entity)
    }

    /// The same outcome with the effect of the workload file's ranges on its total.
    pub fn with_uncertainty(self, uncertainty: Option<Uncertainty>) -> Outcome {
        Outcome {
            uncertainty,
            ..self
        }
    }

    /// All lines: of the month, and of what is paid once.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &LineItem> {
        self.bill.lines.iter().chain(&self.once.lines)
    }

    /// The rules that the lines and switches refer to, in the order of their numbers.
    pub fn rules(&self) -> Vec<&'static MeteringRule> {
        let of_switches = self.switches.iter().map(|switch| switch.rule);
        numbered(rule_numbers(self.lines()).chain(of_switches))
    }

    /// The documents that the rates of the lines come from: the name and the address of each.
    pub fn documents(&self) -> BTreeMap<&'static str, &'static str> {
        self.lines()
            .flat_map(|line| sources_of(&line.published.source))
            .collect()
    }

    /// The sum of all lines.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] where the sum has more than 28 digits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.bill.total()
    }

    /// The sum of one table's lines.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] where the sum has more than 28 digits.
    pub fn total_of(&self, table: &str) -> Result<Money, MoneyError> {
        Money::sum(self.lines_of(table).map(|line| line.amount))
    }

    /// The sum of each table's lines, in the order of the tables.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
    pub fn totals(&self) -> Result<BTreeMap<&str, Money>, MoneyError> {
        let mut all: BTreeMap<&str, Money> = BTreeMap::new();
        for name in &self.tables {
            all.insert(name, Money::ZERO);
        }
        for line in &self.bill.lines {
            let name = line.subject.table.as_deref();
            if let Some(total) = name.and_then(|name| all.get_mut(name)) {
                *total = Money::sum([*total, line.amount])?;
            }
        }
        Ok(all)
    }

    /// The bill by table, and last what belongs to the account, if there is anything.
    pub fn sections(&self) -> Vec<BillSection<'_>> {
        let account = self.account_lines().collect::<Vec<_>>();
        let tables = self.tables.iter().map(|name| BillSection {
            name,
            lines: self.lines_of(name).collect(),
        });
        let account = (!account.is_empty()).then_some(BillSection {
            name: ACCOUNT,
            lines: account,
        });
        tables.chain(account).collect()
    }

    /// The lines that belong to the account and to no table.
    pub fn account_lines(&self) -> impl Iterator<Item = &LineItem> {
        let lines = self.bill.lines.iter();
        lines.filter(|line| line.subject.table.is_none())
    }

    /// The lines of one table.
    pub fn lines_of(&self, table: &str) -> impl Iterator<Item = &LineItem> {
        self.bill
            .lines
            .iter()
            .filter(move |line| line.subject.is_of(table))
    }
}

/// The rules that lines refer to, in the order of their numbers.
pub fn rules_of<'a>(lines: impl Iterator<Item = &'a LineItem>) -> Vec<&'static MeteringRule> {
    numbered(rule_numbers(lines))
}

fn rule_numbers<'a>(
    lines: impl Iterator<Item = &'a LineItem>,
) -> impl Iterator<Item = &'static str> {
    let because = lines.flat_map(|line| &line.because);
    because.filter_map(|because| because.rule)
}

fn numbered(ids: impl Iterator<Item = &'static str>) -> Vec<&'static MeteringRule> {
    let ids: BTreeSet<&str> = ids.collect();
    let listed = RULES.iter().filter(|listed| ids.contains(listed.id));
    listed.collect()
}

/// A part of a bill: a table, or the account.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BillSection<'a> {
    /// The table, or [`ACCOUNT`].
    pub name: &'a str,
    /// Its lines.
    pub lines: Vec<&'a LineItem>,
}

impl<'a> BillSection<'a> {
    pub(crate) fn new(name: &'a str, lines: Vec<&'a LineItem>) -> BillSection<'a> {
        BillSection { name, lines }
    }

    /// The sum of its lines.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] where the sum has more than 28 digits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.lines.iter().map(|line| line.amount))
    }
}

/// What a table or an index holds in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holding {
    /// The table.
    pub table: String,
    /// The index; `None` for the table itself.
    pub index: Option<String>,
    /// Items or entries.
    pub count: Exact,
    /// Their bytes, without any overhead; `None` where the size of an entry is unknown.
    pub data: Option<Exact>,
}

/// The figures of a simple calculator, where they are wrong by more than 1 %.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Calculators {
    /// The month's total with every item at its mean size.
    pub at_mean_size: Option<Money>,
    /// Units if each call counts as one plain operation on an item of the mean size.
    pub plain_calls: Vec<PlainCalls>,
}

/// Units of a table if each call counts as one plain operation on an item of the mean size: no
/// transactions, no batches, no indexes, no replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainCalls {
    /// The table.
    pub table: String,
    /// Reads or writes.
    pub throughput: Throughput,
    /// Units of the month, counted this way.
    pub plain: Exact,
    /// The exact units of the month.
    pub exact: Exact,
}
