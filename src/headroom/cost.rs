//! What more traffic costs: requests on demand, and unit-hours of provisioned capacity.

use crate::capacity::{Demand, LedgerRun};
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::table::TableClass;
use crate::units::Exact;
use crate::usage::{Subject, Usage, UsageType};

use super::account::Account;

impl Account<'_> {
    fn class(&self) -> TableClass {
        self.design.class_in(&self.demand.region)
    }

    /// Request units.
    pub fn requests(&self, units: Exact) -> Usage {
        let requests = UsageType::Requests(self.demand.throughput, self.class());
        usage(self.demand, requests, units)
    }

    /// Unit-hours of provisioned capacity.
    pub fn unit_hours(&self, hours: Exact) -> Usage {
        unit_hours(self.demand, self.class(), hours)
    }
}

/// Unit-hours of an account direction of a table class.
pub(super) fn unit_hours(demand: &Demand, class: TableClass, hours: Exact) -> Usage {
    let capacity = UsageType::CapacityHours(demand.throughput, class);
    usage(demand, capacity, hours)
}

fn usage(demand: &Demand, usage_type: UsageType, quantity: Exact) -> Usage {
    Usage {
        subject: Subject {
            table: Some(demand.table.clone()),
            index: demand.index.clone(),
            region: demand.region.clone(),
            access: None,
        },
        usage_type,
        quantity,
        because: Vec::new(),
    }
}

/// The units that an hour of a run is billed for, on average.
pub(super) fn hourly_mean(run: &LedgerRun) -> Exact {
    let hours = run.hourly_maxima.len().max(1) as u64;
    Exact::from(run.hourly_maxima.iter().sum::<u64>()) / Exact::from(hours)
}

/// The list price of usage that the month of the design does not have.
pub(super) fn price(metering: &Metering, usage: &[Usage]) -> Result<Option<Money>, EstimateError> {
    let priced = |one: &Usage| {
        metering
            .book(&one.subject.region)
            .and_then(|book| book.list_price(&one.usage_type))
            .is_some()
    };
    if !usage.iter().all(priced) {
        return Ok(None);
    }
    Ok(Some(metering.price(usage)?))
}
