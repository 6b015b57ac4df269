//! The same design at other traffic and in other months.

use std::sync::Arc;

use rayon::prelude::*;

use super::sums;
use crate::capacity::Simulations;
use crate::diag::Diagnostics;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::pricing::Books;
use crate::time::MonthHours;
use crate::units::Exact;
use crate::workload::Workload;

/// Reads a file again: in another month, with its rates multiplied by a factor.
pub type Loader<'a> = dyn Fn(&MonthHours, &Exact) -> Result<Workload, Diagnostics> + Sync + 'a;

/// Traffic in tenths of the file's.
pub const FACTORS: [u64; 16] = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40, 50, 70, 100];

/// Month conventions: the hours, and a description.
pub const MONTHS: [(u64, &str); 3] = [
    (730, "a twelfth of a year"),
    (720, "30 days"),
    (744, "31 days"),
];

/// Totals by month and traffic.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct TrafficTable {
    /// The hours of each month; that of the file is the first.
    pub months: Vec<MonthHours>,
    /// The factors by which the rates of all access patterns are multiplied.
    pub factors: Vec<Exact>,
    /// For each month, for each factor, the sums; `None` if the file is not valid there.
    pub sums: Vec<Vec<Option<DesignTotal>>>,
}

/// What a design costs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct DesignTotal {
    /// All tables.
    pub total: Money,
    /// Each table, in the order of the design.
    pub tables: Vec<Money>,
    /// How many figures have no price and are not included in any total.
    pub unknown: usize,
    /// Tables and indexes whose capacity does not cover the busiest hour, so that some of the
    /// traffic is refused.
    pub short: Vec<String>,
}

pub(super) fn of(workload: &Workload, books: &Books, load: &Loader) -> TrafficTable {
    let own = workload.month.clone();
    let others = MONTHS
        .iter()
        .filter_map(|(hours, _)| MonthHours::new(Exact::from(*hours)))
        .filter(|month| *month != own);
    let months: Vec<MonthHours> = std::iter::once(own.clone()).chain(others).collect();
    let factors: Vec<Exact> = FACTORS
        .iter()
        .map(|tenths| Exact::ratio(*tenths, 10))
        .collect();
    let sum = |month: &MonthHours,
               factor: &Exact,
               simulations: &Arc<Simulations>|
     -> Option<DesignTotal> {
        let changed = load(month, factor).ok()?;
        let metering: Result<Metering, EstimateError> =
            Metering::with(simulations.clone(), &changed, books);
        metering.and_then(|metering| sums(&metering)).ok()
    };
    // A second of a long month is like one of a short month, so the simulations are shared.
    let of = |factor: &Exact| -> Vec<Option<DesignTotal>> {
        let simulations = Arc::new(Simulations::default());
        months
            .iter()
            .map(|month| sum(month, factor, &simulations))
            .collect()
    };
    let found: Vec<Vec<Option<DesignTotal>>> = factors.par_iter().map(of).collect();
    let sums = (0..months.len())
        .map(|month| found.iter().map(|sums| sums[month].clone()).collect())
        .collect();
    TrafficTable {
        months,
        factors,
        sums,
    }
}
