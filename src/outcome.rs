//! What an engine returns: the bill with its working, and everything that a reader must know to
//! trust it.

use std::collections::BTreeSet;

use crate::capacity::Demand;
use crate::meter::Switch;
use crate::money::{Money, MoneyError};
use crate::pricing::{Bill, LineItem};
use crate::time::{Date, MonthHours};
use crate::units::Exact;
use crate::usage::{FreeTier, Throughput};

/// The result of an estimate or a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the design is called.
    pub workload: String,
    /// Its home region.
    pub region: String,
    /// The date of the prices.
    pub prices: Date,
    /// The date of the newest prices that the home region's book has; `prices` may be later, if
    /// that was asked for.
    pub newest_prices: Option<Date>,
    /// The length of the month.
    pub month: MonthHours,
    /// The free tiers that apply.
    pub free: BTreeSet<FreeTier>,
    /// The tables, in the order of the design.
    pub tables: Vec<String>,
    /// The bill.
    pub bill: Bill,
    /// Units a second of each account.
    pub demand: Vec<Demand>,
    /// What the tables and their indexes hold.
    pub holdings: Vec<Holding>,
    /// What AWS does not document, and what the design left open.
    pub assumptions: Vec<String>,
    /// The readings of disputed rules that matter here.
    pub switches: Vec<Switch>,
    /// What the owner of the design should look at.
    pub warnings: Vec<String>,
    /// Figures of common calculators that are wrong for this design.
    pub calculators: Calculators,
    /// What ranges in the file do to the total.
    pub uncertainty: Option<Uncertainty>,
}

/// The interval of a total whose file has ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncertainty {
    /// How many draws it comes from.
    pub draws: u64,
    /// Their seed.
    pub seed: u64,
    /// One draw in twenty is below.
    pub low: Money,
    /// Half of the draws are below.
    pub middle: Money,
    /// One draw in twenty is above.
    pub high: Money,
    /// The totals with one range at its ends and all others likely, the widest first.
    pub ranges: Vec<RangeSwing>,
}

/// The totals with one range at its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// How far apart both totals are.
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

    /// The lines of one table.
    pub fn lines_of(&self, table: &str) -> impl Iterator<Item = &LineItem> {
        self.bill
            .lines
            .iter()
            .filter(move |line| line.subject.table == table)
    }
}

/// What a table or an index holds in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What a calculator would say, where it is wrong by more than 1 %.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calculators {
    /// The month's total with every item at its mean size.
    pub at_mean_size: Option<Money>,
    /// Units where every call is taken as one plain operation on an item of the mean size.
    pub plain_calls: Vec<PlainCalls>,
}

/// Units of a table where every call is taken as one plain operation on an item of the mean size:
/// no transactions, no batches, no indexes, no replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainCalls {
    /// The table.
    pub table: String,
    /// Reads or writes.
    pub throughput: Throughput,
    /// Units of the month, so counted.
    pub plain: Exact,
    /// Units of the month, with everything.
    pub exact: Exact,
}
