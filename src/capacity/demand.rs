//! Units a second that an account must serve: on average, and in the busiest hour of the week.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Consumption;
use crate::time::MonthHours;
use crate::units::Exact;
use crate::usage::Throughput;
use crate::usage::place;

/// The demand of one account in one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Units a second in the busiest hour of the week; for loads shorter than an hour, while they
    /// last.
    pub peak: Exact,
    /// Provisioned units; `None` on demand.
    pub provisioned: Option<ProvisionedUnits>,
    /// The share of the demand that a maximum throughput refuses, if an on-demand table has one.
    pub refused: Option<Exact>,
    /// Whether part of the demand is unknown, so that `mean` and `peak` are lower bounds.
    pub partly_unknown: bool,
}

impl Demand {
    /// Whether the busiest hour needs more than its highest provisioned units.
    pub fn is_short(&self) -> bool {
        self.provisioned
            .as_ref()
            .is_some_and(|units| self.peak > Exact::from(units.high))
    }

    /// Table, index and region, for output.
    pub fn place(&self) -> String {
        place(&self.table, self.index.as_deref(), Some(&self.region))
    }
}

/// Provisioned units of an account: fixed, or as simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedUnits {
    /// The lowest of any minute.
    pub low: u64,
    /// The highest of any minute.
    pub high: u64,
    /// The mean of the hours as they are billed.
    pub mean: Exact,
    /// The share of the demand that was refused, if it was simulated.
    pub throttled: Option<Exact>,
}

impl ProvisionedUnits {
    /// The units if they are fixed; `None` if they change.
    pub fn fixed(&self) -> Option<u64> {
        (self.throttled.is_none()).then_some(self.low)
    }
}

/// Adds up what the access patterns consume of one account over the week: the mean and the peak, in
/// units a second.
pub fn demand<'a>(
    consumptions: impl Iterator<Item = &'a Consumption>,
    month: &MonthHours,
) -> (Exact, Exact) {
    let seconds = month.seconds();
    // Patterns of one shape are added before they are spread over the week.
    let mut shapes: Vec<(&Arc<[Exact]>, Exact)> = Vec::new();
    for consumption in consumptions {
        let factors = consumption.shape.factors();
        match shapes
            .iter_mut()
            .find(|(known, _)| Arc::ptr_eq(known, factors) || **known == *factors)
        {
            Some((_, units)) => *units += &consumption.units,
            None => shapes.push((factors, consumption.units.clone())),
        }
    }
    let mean = shapes.iter().map(|(_, units)| units.clone()).sum::<Exact>() / seconds.clone();
    let flat = |factors: &Arc<[Exact]>| {
        factors.first().is_some_and(|first| *first == Exact::one())
            && factors.windows(2).all(|pair| pair[0] == pair[1])
    };
    if shapes.iter().all(|(factors, _)| flat(factors)) {
        return (mean.clone(), mean);
    }
    // Two moments of the week at which every shape has the same level have the same sum, so it is
    // computed once.
    let levels: Vec<Levels> = shapes
        .iter()
        .map(|(factors, _)| Levels::of(factors))
        .collect();
    let steps = shapes
        .iter()
        .map(|(factors, _)| factors.len())
        .max()
        .unwrap_or(0);
    let alike: BTreeSet<Vec<usize>> = (0..steps)
        .map(|step| levels.iter().map(|one| one.at(step, steps)).collect())
        .collect();
    let units_at = |moment: Vec<usize>| {
        let parts = moment.into_iter().zip(&levels).zip(&shapes);
        parts
            .filter_map(|((level, levels), (_, units))| Some(levels.distinct.get(level)? * units))
            .sum::<Exact>()
    };
    let peak = alike
        .into_iter()
        .map(units_at)
        .max()
        .unwrap_or_else(Exact::zero)
        / seconds;
    (mean, peak)
}

/// The distinct factors of a shape, and which of them applies at each step. Comparing fractions for
/// equality is faster than ordering them.
struct Levels {
    distinct: Vec<Exact>,
    steps: Vec<usize>,
}

impl Levels {
    fn of(factors: &[Exact]) -> Levels {
        let mut distinct: Vec<Exact> = Vec::new();
        let mut level = |factor: &Exact| match distinct.iter().position(|known| known == factor) {
            Some(at) => at,
            None => {
                distinct.push(factor.clone());
                distinct.len() - 1
            }
        };
        let steps = factors.iter().map(&mut level).collect();
        Levels { distinct, steps }
    }

    /// The level at a step, in a week that is divided into `of` steps.
    fn at(&self, step: usize, of: usize) -> usize {
        self.steps
            .get(step * self.steps.len() / of.max(1))
            .copied()
            .unwrap_or(0)
    }
}
