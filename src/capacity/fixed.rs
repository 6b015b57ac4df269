//! Provisioned capacity that never changes, with the part that is reserved.

use crate::table::TableClass;
use crate::time::MonthHours;
use crate::units::Exact;
use crate::usage::{Because, Subject, Throughput, Usage, UsageType};

/// Units that are reserved of an account, and for how many years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReservedUnits {
    /// Units, a multiple of 100.
    pub units: u64,
    /// The term: 1 or 3 years.
    pub years: u64,
}

/// The usage of an account with the same provisioned units at every hour.
///
/// Source: Developer Guide, "Provisioned capacity mode" (rule 6.7) and "Reserved capacity" (rule 6.8): the
/// reserved units have an hourly price whether used or not, and an upfront price that is spread over the term.
pub fn fixed(
    subject: &Subject,
    throughput: Throughput,
    class: TableClass,
    units: u64,
    reserved: Option<ReservedUnits>,
    month: &MonthHours,
) -> Vec<Usage> {
    let (unit, direction) = match throughput {
        Throughput::Read => ("RCU", "read"),
        Throughput::Write => ("WCU", "write"),
        Throughput::ReplicatedWrite => ("rWCU", "write"),
    };
    let usage =
        |usage_type: UsageType, quantity: Exact, because: Vec<Because>| Usage { subject: subject.clone(), usage_type, quantity, because };
    let covered = reserved.map_or(0, |reserved| reserved.units);
    let listed = units.saturating_sub(covered);
    let hours = month.hours();
    let quantity = &Exact::from(listed) * hours;
    let working = format!("{} {unit} x {hours} hours = {quantity} {unit}-hours", Exact::from(listed));
    let mut because = vec![Because::rule("6.7", working)];
    if throughput == Throughput::ReplicatedWrite {
        because.push(Because::rule("4.1", "in a global table the replicated unit replaces the ordinary one in every region"));
    }
    let mut usages = vec![usage(UsageType::capacity_hours(throughput, class), quantity, because)];
    if let Some(ReservedUnits { units, years }) = reserved.filter(|reserved| reserved.units > 0) {
        let code = |part: &str| UsageType::of_code(format!("reserved_{years}yr_{direction}_{part}"));
        let number = Exact::from(units);
        let hourly = &number * hours;
        let term_hours = Exact::from(8760 * years);
        let upfront = &hourly / &term_hours;
        let because = Because::rule("6.8", format!("{number} reserved {unit} x {hours} hours = {hourly} {unit}-hours"));
        usages.push(usage(code("hourly"), hourly, vec![because]));
        let working =
            format!("{number} reserved {unit} paid once for {term_hours} hours; {hours} of them are {} upfront payments", upfront.human(9));
        usages.push(usage(code("upfront_per_unit"), upfront, vec![Because::rule("6.8", working)]));
    }
    usages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_units_are_taken_off_the_list_price() {
        let subject = Subject { table: "t".into(), index: None, region: "us-east-1".into(), access: None };
        let reserved = Some(ReservedUnits { units: 100, years: 3 });
        let usages = fixed(&subject, Throughput::Write, TableClass::Standard, 150, reserved, &MonthHours::standard());
        let shown: Vec<_> = usages.iter().map(|usage| (usage.usage_type.code(), usage.quantity.human(9))).collect();
        assert_eq!(
            shown,
            [
                ("write_capacity_unit_hour_standard", "36,500".to_string()),
                ("reserved_3yr_write_hourly", "73,000".to_string()),
                ("reserved_3yr_write_upfront_per_unit", "2.777777778".to_string())
            ]
        );
    }
}
