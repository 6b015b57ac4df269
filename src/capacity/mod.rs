//! Capacity: turns consumed units into billed [`Usage`], according to the capacity mode.
//!
//! An account is what capacity belongs to: a table with its local indexes, or one global index, in
//! one region. It has two directions, reads and writes.

mod arrivals;
mod burst;
mod demand;
mod draws;
mod factors;
mod fingerprint;
mod ledger;
mod minute;
mod poisson;
pub mod policy;
mod provisioned;
mod retries;
pub mod series;
mod shape;
mod simulate;
mod step_list;
mod steps;
mod traffic;

pub use demand::{Demand, ProvisionedUnits, demand};
pub use ledger::{
    AccountDirection, Hottest, LedgerRun, LedgerStep, Limits, WARM_UP_MINUTES, billionths, execute,
    execute_cold, refusable,
};
pub use minute::steps_a_minute;
pub use provisioned::{HourlyUnits, ProvisionedCapacity};
pub use retries::Retries;
pub use shape::{Course, Shape};
pub use simulate::{AccountDemand, Scaling, Simulations, simulate};
pub use steps::{Steps, refused_without_bursts};
pub use traffic::{OtherTraffic, Traffic};

use crate::table::{TableClass, limits};
use crate::time::MonthHours;
use crate::units::Exact;
use crate::usage::{Because, Subject, Throughput, Usage, UsageType};
use series::Arrivals;

/// Units that one access pattern consumes of a table or an index in a month.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Consumption {
    /// Table, index, region and access pattern.
    pub subject: Subject,
    /// The global index whose capacity it uses; `None` for the table's.
    pub account: Option<String>,
    /// Reads, writes or replicated writes.
    pub throughput: Throughput,
    /// The class of the table there.
    pub class: TableClass,
    /// Units that the calls need in the month.
    pub units: Exact,
    /// Units in the month that are billed per request: on demand, the part of `units` that is
    /// served; 0 if capacity is provisioned.
    pub billed: Exact,
    /// When in the week the calls are made.
    pub shape: Shape,
    /// Calls in the month.
    pub calls: Exact,
    /// Units per call: half units, with the share of calls that consume them.
    pub units_per_call: Vec<(u64, f64)>,
    /// The calculation.
    pub because: Vec<Because>,
}

impl Consumption {
    /// The consumption as calls that arrive at random.
    pub fn arrivals(&self, month: &MonthHours) -> Arrivals {
        let shares: f64 = self.units_per_call.iter().map(|(_, share)| share).sum();
        // Each page of a call counts as a call.
        let each = if shares > 1.0 { shares } else { 1.0 };
        Arrivals {
            per_second: (&self.calls / &month.seconds()).to_f64() * each,
            shape: self.shape.simulated().clone(),
            course: self.shape.course(),
            calls: self
                .units_per_call
                .iter()
                .map(|(halves, share)| (*halves, share / each))
                .collect(),
        }
    }
}

/// On demand, every unit that is served is billed, and its cause is known.
///
/// Source: Developer Guide, "DynamoDB on-demand capacity mode".
pub fn on_demand(consumption: &Consumption) -> Usage {
    Usage {
        subject: consumption.subject.clone(),
        usage_type: UsageType::Requests(consumption.throughput, consumption.class),
        quantity: consumption.billed.clone(),
        because: consumption.because.clone(),
    }
}
/// The number of partitions that hold the given bytes and serve the given units a second; at least
/// one.
///
/// `Assumption:` as few as the limits of a partition allow. AWS documents neither how many
/// partitions a table has nor when they split.
pub fn partitions(bytes: &Exact, reads: &Exact, writes: &Exact) -> Exact {
    let of = |amount: &Exact, most: u64| amount / &Exact::from(most);
    let by_throughput = of(reads, limits::PARTITION_READ_UNITS_MAX)
        .max(of(writes, limits::PARTITION_WRITE_UNITS_MAX));
    of(bytes, limits::PARTITION_BYTES_MAX)
        .max(by_throughput)
        .ceil()
        .max(Exact::one())
}
