//! What AWS sells to those who commit themselves, as a price book has it: the terms of reserved
//! capacity, and what a Database Savings Plan takes off.

use serde::Deserialize;

use crate::time::Date;
use crate::units::Exact;
use crate::usage::UsageType;

/// How reserved capacity is sold (rule 6.8). What it costs is among the rates of each region.
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

/// A Database Savings Plan of one year without an upfront payment. Where a region's own rates under
/// a plan are known, they stand among its rates and go before these discounts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavingsPlan {
    /// Percent that it takes off requests of the on-demand mode.
    pub on_demand_percent: u64,
    /// Percent that it takes off provisioned capacity.
    pub provisioned_percent: u64,
    /// The first day on which it was sold.
    pub sold_from: Date,
    /// Where this was read.
    pub source: String,
    /// What is read and what is inferred, for people.
    pub note: String,
}

impl SavingsPlan {
    /// The share of the list price that a usage type costs under the plan; all of it where the plan
    /// does not cover it.
    pub fn share(&self, usage: &UsageType) -> Exact {
        let percent = match usage {
            UsageType::Requests(..) => self.on_demand_percent,
            UsageType::CapacityHours(..) => self.provisioned_percent,
            _ => 0,
        };
        Exact::ratio(100_u64.saturating_sub(percent), 100)
    }
}
