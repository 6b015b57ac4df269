//! How provisioned capacity is billed: the units of every hour.

use crate::table::TableClass;
use crate::time::MonthHours;
use crate::units::Exact;
use crate::usage::{Because, Subject, Throughput, Usage, UsageType};

/// Provisioned units of each simulated hour; fixed capacity is a single hour. Stored in sixtieths,
/// so that an hour can count by its highest value or by the mean of its minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourlyUnits {
    sixtieths: Vec<u64>,
}

impl HourlyUnits {
    /// The same at every hour.
    pub fn constant(units: u64) -> HourlyUnits {
        HourlyUnits::of_maxima(vec![units])
    }

    /// Each hour by its highest value (rule 6.7).
    pub fn of_maxima(units: Vec<u64>) -> HourlyUnits {
        HourlyUnits {
            sixtieths: units
                .into_iter()
                .map(|units| units.saturating_mul(60))
                .collect(),
        }
    }

    /// Each hour by the sum of its minutes, which is sixty times their mean.
    pub fn of_minute_sums(sixtieths: Vec<u64>) -> HourlyUnits {
        HourlyUnits { sixtieths }
    }

    /// Units of an hour, in sixtieths; hours wrap around at the end.
    pub fn sixtieths_at(&self, hour: usize) -> u64 {
        self.sixtieths[hour % self.sixtieths.len().max(1)]
    }

    /// How many hours there are.
    pub fn hours(&self) -> usize {
        self.sixtieths.len()
    }

    /// Whether every hour is like the first.
    pub fn is_constant(&self) -> bool {
        self.sixtieths.len() == 1
    }

    /// Units added up over the hours.
    pub fn unit_hours(&self) -> Exact {
        Exact::whole(self.sixtieths.iter().map(|units| u128::from(*units)).sum()) / Exact::from(60)
    }

    /// The most units that every hour can have at least, so that the sum stays below some unit-hours;
    /// 0 if the sum is not below them already.
    pub fn minimum_below(&self, unit_hours: &Exact) -> u64 {
        let sum = |units: u64| {
            let hours = self.sixtieths.iter();
            let raised = hours.map(|own| u128::from((*own).max(units.saturating_mul(60))));
            Exact::whole(raised.sum()) / Exact::from(60)
        };
        let highest = self.sixtieths.iter().max().map_or(0, |most| most / 60);
        let of_hour = unit_hours / &Exact::from(self.sixtieths.len().max(1) as u64);
        let (mut low, mut high) = (0, highest.max(of_hour.ceil().to_u64().unwrap_or(u64::MAX)));
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if sum(middle) < *unit_hours {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Units an hour on average.
    pub fn mean(&self) -> Exact {
        self.unit_hours() / Exact::from(self.sixtieths.len().max(1) as u64)
    }
}

/// One direction of an account's provisioned capacity, and an explanation of how it is scaled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvisionedCapacity {
    /// The account: a table or a global index.
    pub subject: Subject,
    /// Reads, writes or replicated writes.
    pub throughput: Throughput,
    /// Its class.
    pub class: TableClass,
    /// Units of every hour.
    pub hourly: HourlyUnits,
    /// How the units were determined, if they change.
    pub because: Vec<Because>,
}

impl ProvisionedCapacity {
    /// What its units are called.
    pub fn unit(&self) -> &'static str {
        match self.throughput {
            Throughput::Read => "RCU",
            Throughput::Write => "WCU",
            Throughput::ReplicatedWrite => "rWCU",
        }
    }

    /// What its unit-hours are billed as.
    pub fn usage_type(&self) -> UsageType {
        UsageType::CapacityHours(self.throughput, self.class)
    }

    /// Its unit-hours of a month, at the list price.
    ///
    /// Source: Developer Guide, "Provisioned capacity mode" (rule 6.7).
    pub fn usage(&self, month: &MonthHours) -> Usage {
        let (unit, hours) = (self.unit(), month.hours());
        let quantity = &self.hourly.mean() * hours;
        let working = match self.hourly.is_constant() {
            true => format!(
                "{} {unit} x {hours} hours = {quantity} {unit}-hours",
                self.hourly.mean()
            ),
            false => format!(
                "{} {unit}-hours in {} simulated hours, which is {quantity} in a month of {hours} \
                 hours",
                self.hourly.unit_hours(),
                self.hourly.hours()
            ),
        };
        let mut because = self.because.clone();
        because.push(Because::rule("6.7", working));
        if self.throughput == Throughput::ReplicatedWrite {
            because.push(Because::rule(
                "4.1",
                "in a global table, replicated units replace ordinary units in every region",
            ));
        }
        Usage {
            subject: self.subject.clone(),
            usage_type: self.usage_type(),
            quantity,
            because,
        }
    }
}
