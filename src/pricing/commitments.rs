//! Commitments in a price book: the terms of reserved capacity, and the discounts of a Database
//! Savings Plan.

use serde::Deserialize;

use crate::time::Date;
use crate::usage::UsageType;

/// The terms of reserved capacity (rule 6.8). Its prices are among the rates of each region.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservedTerms {
    /// Capacity units of the smallest reservation; every reservation is a multiple of it.
    pub block_units: u64,
    /// The terms, in years.
    pub terms_years: Vec<u64>,
    /// Where this was read.
    pub source: String,
}

/// A Database Savings Plan of one year without an upfront payment. If a region's own rates under a
/// plan are known, they are among its rates and take precedence over these discounts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavingsPlan {
    /// The discount on requests in on-demand mode, in percent.
    pub on_demand_percent: u64,
    /// The discount on provisioned capacity, in percent.
    pub provisioned_percent: u64,
    /// The first day on which it was sold.
    pub sold_from: Date,
    /// Where this was read.
    pub source: String,
    /// What was read and what is inferred, for output.
    pub note: String,
}

impl SavingsPlan {
    /// The discount on a usage type, in percent; `None` if the plan does not cover it.
    pub fn percent(&self, usage: &UsageType) -> Option<u64> {
        match usage {
            UsageType::Requests(..) => Some(self.on_demand_percent.min(100)),
            UsageType::CapacityHours(..) => Some(self.provisioned_percent.min(100)),
            _ => None,
        }
    }
}
