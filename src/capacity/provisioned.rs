//! How provisioned capacity is billed: the units of every hour, less those that are reserved.

use crate::table::{Direction, TableClass};
use crate::time::{HOURS_A_YEAR, MonthHours};
use crate::units::Exact;
use crate::usage::{Because, ReservedPart, Subject, Throughput, Usage, UsageType};

/// Units that are reserved in a region, and for how many years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReservedUnits {
    /// Units, a multiple of 100.
    pub units: u64,
    /// The term: 1 or 3 years.
    pub years: u64,
}

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

    /// Units an hour on average.
    pub fn mean(&self) -> Exact {
        self.unit_hours() / Exact::from(self.sixtieths.len().max(1) as u64)
    }

    /// Subtracts a pool from the units, hour by hour, and returns the units that the pool does not
    /// cover; the pool keeps its unused units. Both have the same hours afterwards.
    fn covered_by(&self, pool: &mut HourlyUnits) -> HourlyUnits {
        let hours = self.hours().max(pool.hours());
        let at = |units: &HourlyUnits, hour: usize| units.sixtieths[hour % units.hours().max(1)];
        let (mut left, mut over) = (Vec::with_capacity(hours), Vec::with_capacity(hours));
        for hour in 0..hours {
            let (units, free) = (at(self, hour), at(pool, hour));
            left.push(units.saturating_sub(free));
            over.push(free.saturating_sub(units));
        }
        pool.sixtieths = over;
        HourlyUnits { sixtieths: left }
    }
}

/// One account's provisioned capacity, and an explanation of how it is scaled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvisionedCapacity {
    /// The account: a table or a global index.
    pub subject: Subject,
    /// Its class.
    pub class: TableClass,
    /// Units of every hour.
    pub hourly: HourlyUnits,
    /// How the units were determined, if they change.
    pub because: Vec<Because>,
}

/// Provisioned units that are charged at the list price, hour by hour: what a further commitment
/// could cover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedCapacity {
    /// The account.
    pub subject: Subject,
    /// Reads, writes or replicated writes.
    pub throughput: Throughput,
    /// Its class.
    pub class: TableClass,
    /// Units of every hour beyond what is reserved.
    pub hourly: HourlyUnits,
}

/// The usage of the accounts of one region and direction: each account by the hour, with reserved
/// units subtracted in the order of the accounts, and the reservation itself.
///
/// Source: Developer Guide, "Provisioned capacity mode" (rule 6.7) and "Reserved capacity" (rule
/// 6.8): a reservation is made for a region and covers any provisioned capacity there, of tables
/// and global indexes; its hourly and upfront prices are due whether it is used or not.
pub fn provisioned(
    table: &Subject,
    accounts: &[ProvisionedCapacity],
    throughput: Throughput,
    reserved: Option<ReservedUnits>,
    month: &MonthHours,
) -> (Vec<Usage>, Vec<ListedCapacity>) {
    let unit = match throughput {
        Throughput::Read => "RCU",
        Throughput::Write => "WCU",
        Throughput::ReplicatedWrite => "rWCU",
    };
    let hours = month.hours();
    let (mut usages, mut all_listed) = (Vec::new(), Vec::new());
    let reserved = reserved.filter(|reserved| reserved.units > 0);
    let mut pool = HourlyUnits::constant(reserved.map_or(0, |reserved| reserved.units));
    for account in accounts {
        let listed = account.hourly.covered_by(&mut pool);
        let quantity = &listed.mean() * hours;
        let constant = account.hourly.is_constant()
            && listed.sixtieths.windows(2).all(|pair| pair[0] == pair[1]);
        let working = match constant {
            true => format!(
                "{} {unit} x {hours} hours = {quantity} {unit}-hours",
                listed.mean()
            ),
            false => format!(
                "{} {unit}-hours in {} simulated hours{}, which is {quantity} in a month of \
                 {hours} hours",
                listed.unit_hours(),
                listed.hours(),
                if reserved.is_some() {
                    " beyond what is reserved"
                } else {
                    ""
                }
            ),
        };
        let mut because = account.because.clone();
        because.push(Because::rule("6.7", working));
        if throughput == Throughput::ReplicatedWrite {
            because.push(Because::rule(
                "4.1",
                "in a global table, replicated units replace ordinary units in every region",
            ));
        }
        let usage_type = UsageType::CapacityHours(throughput, account.class);
        usages.push(Usage {
            subject: account.subject.clone(),
            usage_type,
            quantity,
            because,
        });
        all_listed.push(ListedCapacity {
            subject: account.subject.clone(),
            throughput,
            class: account.class,
            hourly: listed,
        });
    }
    usages.extend(
        reserved
            .iter()
            .flat_map(|reserved| reservation(table, throughput.direction(), reserved, unit, hours)),
    );
    (usages, all_listed)
}

/// The hours and the upfront payments of a reservation.
fn reservation(
    table: &Subject,
    direction: Direction,
    reserved: &ReservedUnits,
    unit: &str,
    hours: &Exact,
) -> [Usage; 2] {
    let ReservedUnits { units, years } = *reserved;
    let usage = |part: ReservedPart, quantity: Exact, working: String| Usage {
        subject: table.clone(),
        usage_type: UsageType::Reserved {
            years,
            direction,
            part,
        },
        quantity,
        because: vec![Because::rule("6.8", working)],
    };
    let number = Exact::from(units);
    let hourly = &number * hours;
    let term_hours = Exact::from(HOURS_A_YEAR * years);
    let upfront = &hourly / &term_hours;
    let paid_hourly = format!("{number} reserved {unit} x {hours} hours = {hourly} {unit}-hours");
    let paid_upfront = format!(
        "{number} reserved {unit}, paid up front for {term_hours} hours; the share of {hours} hours \
         is {} upfront payments",
        upfront.human(9)
    );
    [
        usage(ReservedPart::Hourly, hourly, paid_hourly),
        usage(ReservedPart::Upfront, upfront, paid_upfront),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(index: Option<&str>, hourly: HourlyUnits) -> ProvisionedCapacity {
        let subject = Subject {
            table: "t".into(),
            index: index.map(str::to_string),
            region: "us-east-1".into(),
            access: None,
        };
        ProvisionedCapacity {
            subject,
            class: TableClass::Standard,
            hourly,
            because: Vec::new(),
        }
    }

    fn quantities(
        accounts: &[ProvisionedCapacity],
        reserved: Option<ReservedUnits>,
    ) -> Vec<(String, String)> {
        let table = account(None, HourlyUnits::constant(0)).subject;
        let (usages, _) = provisioned(
            &table,
            accounts,
            Throughput::Write,
            reserved,
            &MonthHours::standard(),
        );
        usages
            .iter()
            .map(|usage| (usage.usage_type.code().to_string(), usage.quantity.human(9)))
            .collect()
    }

    fn pair(code: &str, quantity: &str) -> (String, String) {
        (code.to_string(), quantity.to_string())
    }

    #[test]
    fn reserved_units_are_taken_off_the_list_price() {
        let reserved = Some(ReservedUnits {
            units: 100,
            years: 3,
        });
        assert_eq!(
            quantities(&[account(None, HourlyUnits::constant(150))], reserved),
            [
                pair("write_capacity_unit_hour_standard", "36,500"),
                pair("reserved_3yr_write_hourly", "73,000"),
                pair("reserved_3yr_write_upfront_per_unit", "2.777777778")
            ]
        );
    }

    #[test]
    fn a_reservation_covers_the_table_and_then_its_indexes_hour_by_hour() {
        let reserved = Some(ReservedUnits {
            units: 200,
            years: 1,
        });
        let table = account(None, HourlyUnits::of_maxima(vec![100, 300]));
        let index = account(Some("i"), HourlyUnits::constant(150));
        let found = quantities(&[table, index], reserved);
        // The first kind of hour leaves 100 reserved units for the index; the second kind leaves
        // none, and 100 units of the table are not covered.
        assert_eq!(
            found[0],
            pair("write_capacity_unit_hour_standard", "36,500")
        );
        assert_eq!(
            found[1],
            pair("write_capacity_unit_hour_standard", "73,000")
        );
    }

    #[test]
    fn an_hour_counts_by_its_maximum_or_by_its_minutes() {
        assert_eq!(HourlyUnits::of_maxima(vec![10, 20]).mean(), Exact::from(15));
        assert_eq!(
            HourlyUnits::of_minute_sums(vec![60 * 10 + 30]).mean(),
            Exact::ratio(21, 2)
        );
    }
}
