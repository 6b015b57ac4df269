//! Units a second that an account must serve: on average, and in the busiest hour of the week.

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
    /// Provisioned units; `None` on demand, or where a policy moves them.
    pub provisioned: Option<u64>,
    /// Whether part of the demand is unknown, so that `mean` and `peak` are lower bounds.
    pub partly_unknown: bool,
}

/// Adds up what the access patterns consume of one account, hour by hour of the week.
pub fn demand<'a>(consumptions: impl Iterator<Item = &'a Consumption>, month: &MonthHours) -> (Exact, Exact) {
    let seconds = month.seconds();
    let mut mean = Exact::zero();
    // Patterns of one shape are added before they are spread over the week.
    let mut shapes: Vec<(&[Exact], Exact)> = Vec::new();
    for consumption in consumptions {
        let rate = &consumption.units / &seconds;
        mean += &rate;
        match shapes.iter_mut().find(|(factors, _)| *factors == consumption.factors.as_slice()) {
            Some((_, sum)) => *sum += &rate,
            None => shapes.push((&consumption.factors, rate)),
        }
    }
    let hours = shapes.iter().map(|(factors, _)| factors.len()).max().unwrap_or(0);
    let at = |hour: usize| shapes.iter().map(|(factors, rate)| factors.get(hour).map_or_else(Exact::zero, |factor| factor * rate)).sum();
    let peak = match shapes.as_slice() {
        [(factors, rate)] => factors.iter().max().map_or_else(Exact::zero, |factor| factor * rate),
        _ => (0..hours).map(at).max().unwrap_or_else(Exact::zero),
    };
    (mean, peak)
}
