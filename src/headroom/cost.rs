//! What more traffic costs: requests on demand, and unit-hours of provisioned capacity.

use crate::capacity::Demand;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::units::Exact;
use crate::usage::{Subject, Usage, UsageType};

use super::account::Account;

impl Account<'_> {
    fn usage(&self, usage_type: UsageType, quantity: Exact) -> Usage {
        Usage {
            subject: Subject {
                table: Some(self.demand.table.clone()),
                index: self.demand.index.clone(),
                region: self.demand.region.clone(),
                access: None,
            },
            usage_type,
            quantity,
            because: Vec::new(),
        }
    }

    fn class(&self) -> crate::table::TableClass {
        let own = self.design.table.class;
        self.replica.map_or(own, |replica| replica.class)
    }

    /// Request units.
    pub fn requests(&self, units: Exact) -> Usage {
        self.usage(
            UsageType::Requests(self.demand.throughput, self.class()),
            units,
        )
    }

    /// Unit-hours of provisioned capacity.
    pub fn unit_hours(&self, hours: Exact) -> Usage {
        self.usage(
            UsageType::CapacityHours(self.demand.throughput, self.class()),
            hours,
        )
    }
}

/// Unit-hours of an account direction without a demand.
pub(super) fn unit_hours(
    metering: &Metering,
    table: usize,
    demand: &Demand,
    hours: Exact,
) -> Usage {
    let design = &metering.workload().tables[table];
    let replica = design.replica_in(&demand.region);
    let class = replica.map_or(design.table.class, |replica| replica.class);
    Usage {
        subject: Subject {
            table: Some(demand.table.clone()),
            index: demand.index.clone(),
            region: demand.region.clone(),
            access: None,
        },
        usage_type: UsageType::CapacityHours(demand.throughput, class),
        quantity: hours,
        because: Vec::new(),
    }
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
