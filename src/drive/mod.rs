//! Makes the calls of a design for real, against a server that stands in for DynamoDB or an account
//! of AWS, and compares what each consumes with what the estimate expects.
//!
//! ```text
//! workload ─► plan: calls with real items ─► cost ─► tables, items, calls ─► log ─► replay ─► expected, metered, consumed
//! ```
//!
//! Three figures are compared. *Expected* is the mean of the design, as the estimate has it;
//! *metered* is what the replay of the log computes for the calls as they were made; *consumed* is
//! what DynamoDB states. Expected and metered differ by the shares of sizes that whole numbers of
//! calls cannot have; metered and consumed differ if a rule does.
//!
//! A table that the run did not make is never touched, unless it is named.

mod calls;
mod cost;
mod draws;
mod items;
mod plan;
mod planned;
mod results;
mod run;
mod sent;
mod statements;
mod tables;

use std::collections::BTreeSet;
use std::path::PathBuf;

pub use cost::RunCost;
pub use planned::LeftOut;
pub use results::{Driven, DrivenPattern, DrivenTable, DrivenUnits, RefusedCalls};
pub use run::drive;

use crate::estimate::EstimateError;
use crate::money::Money;
use crate::replay::ReplayError;
use crate::trace::Time;
use crate::units::Exact;

/// What a run does.
#[derive(Clone, Debug)]
pub struct DriveOptions {
    /// The address of DynamoDB; `None` for AWS's own.
    pub endpoint_url: Option<String>,
    /// The profile of AWS's configuration; `None` for the default one.
    pub profile: Option<String>,
    /// The seconds over which the calls are spread.
    pub seconds: u64,
    /// The share of the rates of the design at which calls are made.
    pub scale: Exact,
    /// The most that a run against AWS may cost.
    pub max_usd: Option<Money>,
    /// Tables that are there and that the run may use.
    pub uses: BTreeSet<String>,
    /// The file in which the log is written.
    pub log: PathBuf,
    /// Returns the current time.
    pub clock: fn() -> Time,
}

impl DriveOptions {
    /// Whether the calls go to a server that stands in for DynamoDB and costs nothing.
    fn is_local(&self) -> bool {
        let url = self.endpoint_url.as_deref();
        url.is_some_and(crate::aws::is_local)
    }
}

/// What happens during a run.
#[derive(Clone, Debug)]
pub enum DriveEvent {
    /// The run is planned, and nothing was done yet.
    Planned(RunCost),
    /// The run is about to make a table, or to put items into an existing one.
    Touches(String),
    /// The progress of a step.
    Progress(DriveProgress),
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriveProgress {
    /// The step, such as "calls".
    pub what: &'static str,
    /// How much is done.
    pub done: u64,
    /// Of how much.
    pub total: u64,
}

/// Why there is no result. Tables that the run made are removed, unless the message names them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriveError {
    /// What is asked cannot be done.
    #[error("{message}\nhelp: {help}")]
    Refused {
        /// What is wrong.
        message: String,
        /// How to go on.
        help: String,
    },
    /// The run was stopped.
    #[error("stopped {0}; what the run made was removed, and no log was written")]
    Stopped(String),
    /// The run cannot be priced.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The log cannot be written.
    #[error("the log cannot be written: {0}")]
    Write(#[from] std::io::Error),
    /// The log cannot be executed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl DriveError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> DriveError {
        DriveError::Refused {
            message: message.into(),
            help: help.into(),
        }
    }
}
