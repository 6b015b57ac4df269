//! Units a second that an account must serve: on average, and in the busiest hour of the week.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Consumption;
use crate::time::MonthHours;
use crate::units::Exact;
use crate::usage::Throughput;

/// The demand of one account in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table with its local indexes.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads, writes or replicated writes.
    pub throughput: Throughput,
    /// Units a second over the month.
    pub mean: Exact,
    /// Units a second in the busiest hour of the week.
    pub peak: Exact,
    /// Provisioned units; `None` on demand.
    pub provisioned: Option<ProvisionedUnits>,
    /// The share of the demand that a maximum throughput refuses, where an on-demand table has one.
    pub refused: Option<Exact>,
    /// Whether part of the demand is unknown, so that `mean` and `peak` are lower bounds.
    pub partly_unknown: bool,
}

impl Demand {
    /// Whether its provisioned units, at their most, are less than the busiest hour asks for.
    pub fn is_short(&self) -> bool {
        self.provisioned.as_ref().is_some_and(|units| self.peak > Exact::from(units.high))
    }

    /// Table, index and region, for people.
    pub fn place(&self) -> String {
        match &self.index {
            Some(index) => format!("{} / {index} in {}", self.table, self.region),
            None => format!("{} in {}", self.table, self.region),
        }
    }
}

/// Provisioned units of an account: the same at every hour, or what the simulation made of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedUnits {
    /// The least of any minute.
    pub low: u64,
    /// The most of any minute.
    pub high: u64,
    /// The share of the demand that was refused, where it was simulated.
    pub throttled: Option<Exact>,
}

impl ProvisionedUnits {
    /// The units that never change; `None` where they move.
    pub fn fixed(&self) -> Option<u64> {
        (self.throttled.is_none()).then_some(self.low)
    }
}

/// Adds up what the access patterns consume of one account, hour by hour of the week: the mean and the peak.
pub fn demand<'a>(consumptions: impl Iterator<Item = &'a Consumption>, month: &MonthHours) -> (Exact, Exact) {
    let seconds = month.seconds();
    // Patterns of one shape are added before they are spread over the week.
    let mut shapes: Vec<(&Arc<[Exact]>, Exact)> = Vec::new();
    for consumption in consumptions {
        match shapes.iter_mut().find(|(factors, _)| Arc::ptr_eq(factors, &consumption.factors) || **factors == consumption.factors) {
            Some((_, units)) => *units += &consumption.units,
            None => shapes.push((&consumption.factors, consumption.units.clone())),
        }
    }
    let mean = shapes.iter().map(|(_, units)| units.clone()).sum::<Exact>() / seconds.clone();
    let flat = |factors: &Arc<[Exact]>| {
        factors.first().is_some_and(|first| *first == Exact::one()) && factors.windows(2).all(|pair| pair[0] == pair[1])
    };
    if shapes.iter().all(|(factors, _)| flat(factors)) {
        return (mean.clone(), mean);
    }
    // Hours that are alike in every shape are one.
    let hours = shapes.iter().map(|(factors, _)| factors.len()).max().unwrap_or(0);
    // Whether two fractions are equal is seen sooner than which is less.
    let levels = |factors: &Arc<[Exact]>| -> (Vec<Exact>, Vec<usize>) {
        let mut distinct: Vec<Exact> = Vec::new();
        let mut level = |factor: &Exact| match distinct.iter().position(|known| known == factor) {
            Some(at) => at,
            None => {
                distinct.push(factor.clone());
                distinct.len() - 1
            }
        };
        let levels = factors.iter().map(&mut level).collect();
        (distinct, levels)
    };
    let levels: Vec<(Vec<Exact>, Vec<usize>)> = shapes.iter().map(|(factors, _)| levels(factors)).collect();
    let at = |hour: usize| levels.iter().map(|(_, levels)| levels.get(hour).copied()).collect::<Vec<_>>();
    let alike: BTreeSet<Vec<Option<usize>>> = (0..hours).map(at).collect();
    let units_at = |hour: Vec<Option<usize>>| {
        let parts = hour.into_iter().zip(&levels).zip(&shapes);
        parts.filter_map(|((level, (distinct, _)), (_, units))| Some(distinct.get(level?)? * units)).sum::<Exact>()
    };
    let peak = alike.into_iter().map(units_at).max().unwrap_or_else(Exact::zero) / seconds;
    (mean, peak)
}
