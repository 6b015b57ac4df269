//! Reserved capacity: which provisioned units it covers, hour by hour, and what is left unused.

use super::{Commitment, CommitmentKind};
use crate::capacity::{HourlyUnits, ProvisionedCapacity};
use crate::table::{Direction, TableClass};
use crate::time::{HOURS_A_YEAR, MonthHours};
use crate::units::{Exact, rounded_together};
use crate::usage::{Because, ReservedPart, Subject, Throughput, Usage, UsageType};

/// Provisioned capacity under reservations.
#[derive(Clone, Debug, Default)]
pub struct Covered {
    /// The units of each account that are not covered.
    pub left: Vec<HourlyUnits>,
    /// What each account uses of the reservations.
    pub usage: Vec<Vec<Usage>>,
    /// What no account uses.
    pub unused: Vec<Usage>,
}

/// Covers provisioned capacity by reservations. Each account has the month in which its units are
/// billed; `month` is that of the units that no account uses.
///
/// Source: Developer Guide, "Reserved capacity" (rule 6.8): a reservation is made for a region and
/// covers provisioned capacity of the Standard class there, of tables and global indexes; its
/// hourly and upfront prices are due whether it is used or not.
///
/// `Assumption:` in an hour with more provisioned than reserved units, each account has a part of
/// the reserved units in proportion to its own. This does not change the sum of their costs.
pub fn cover(
    accounts: &[(&ProvisionedCapacity, &MonthHours)],
    commitments: &[&Commitment],
    month: &MonthHours,
) -> Covered {
    let mut covered = Covered {
        left: accounts.iter().map(|(one, _)| one.hourly.clone()).collect(),
        usage: vec![Vec::new(); accounts.len()],
        unused: Vec::new(),
    };
    for commitment in commitments {
        let CommitmentKind::Reserved { units, .. } = &commitment.kind else {
            continue;
        };
        for direction in Direction::BOTH {
            if units[direction] > 0 {
                covered.by(commitment, direction, accounts, month);
            }
        }
    }
    covered
}

/// What is paid up front for a reservation.
pub fn upfront(commitment: &Commitment) -> Vec<Usage> {
    let CommitmentKind::Reserved {
        region,
        units,
        years,
    } = &commitment.kind
    else {
        return Vec::new();
    };
    let paid = Direction::BOTH
        .into_iter()
        .filter(|direction| units[*direction] > 0);
    let usage = paid.map(|direction| Usage {
        subject: Subject::account(region),
        usage_type: UsageType::Reserved {
            years: *years,
            direction,
            part: ReservedPart::Upfront,
        },
        quantity: Exact::from(units[direction]),
        because: vec![Because::rule(
            "6.8",
            format!(
                "{}: paid up front for the whole term; the month has its share of it",
                commitment.words()
            ),
        )],
    });
    usage.collect()
}

impl Covered {
    /// Covers capacity by one direction of one reservation.
    fn by(
        &mut self,
        commitment: &Commitment,
        direction: Direction,
        accounts: &[(&ProvisionedCapacity, &MonthHours)],
        month: &MonthHours,
    ) {
        let CommitmentKind::Reserved {
            region,
            units,
            years,
        } = &commitment.kind
        else {
            return;
        };
        let units = units[direction];
        let own: Vec<usize> = (0..accounts.len())
            .filter(|at| is_covered(accounts[*at].0, region, direction))
            .collect();
        let (hours, taken) = take(&mut self.left, &own, units.saturating_mul(60));
        let hours = Exact::from(60 * hours as u64);
        let mut quantities: Vec<Exact> = own
            .iter()
            .zip(&taken)
            .map(|(at, taken)| &(&Exact::whole(*taken) / &hours) * accounts[*at].1.hours())
            .collect();
        let used: Exact = taken
            .iter()
            .map(|taken| Exact::whole(*taken) / hours.clone())
            .sum();
        let idle = Exact::from(units) - used;
        quantities.push(&idle * month.hours());
        let all = Reservation {
            commitment,
            direction,
            years: *years,
            whole: &Exact::from(units) * month.hours(),
        };
        let lines = all.lines(&quantities);
        for (at, lines) in own.iter().zip(&lines) {
            let subject = &accounts[*at].0.subject;
            self.usage[*at].extend(lines.iter().map(|line| line.of(subject.clone())));
        }
        let unused = lines.last().into_iter().flatten();
        self.unused
            .extend(unused.map(|line| line.of(Subject::account(region))));
    }
}

/// Whether a reservation of a region and direction covers an account.
fn is_covered(account: &ProvisionedCapacity, region: &str, direction: Direction) -> bool {
    account.subject.region == region
        && account.class == TableClass::Standard
        && account.throughput != Throughput::ReplicatedWrite
        && account.throughput.direction() == direction
}

/// Takes up to `pool` sixtieths of units in every hour off some accounts. Returns the number of
/// hours, and what was taken of each account.
fn take(left: &mut [HourlyUnits], own: &[usize], pool: u64) -> (usize, Vec<u128>) {
    let hours = own.iter().map(|at| left[*at].hours()).max().unwrap_or(1);
    let mut taken = vec![0_u128; own.len()];
    let mut rest: Vec<Vec<u64>> = vec![Vec::with_capacity(hours); own.len()];
    for hour in 0..hours {
        let units: Vec<u64> = own.iter().map(|at| left[*at].sixtieths_at(hour)).collect();
        for (at, part) in in_proportion(&units, pool).into_iter().enumerate() {
            taken[at] += u128::from(part);
            rest[at].push(units[at] - part);
        }
    }
    for (at, rest) in own.iter().zip(rest) {
        let is_constant = rest.windows(2).all(|pair| pair[0] == pair[1]);
        let kept = if is_constant { 1 } else { rest.len() };
        left[*at] = HourlyUnits::of_minute_sums(rest[..kept].to_vec());
    }
    (hours, taken)
}

/// Divides a pool among units, in proportion to them: whole numbers, none larger than its units,
/// whose sum is the smaller of the pool and all units.
fn in_proportion(units: &[u64], pool: u64) -> Vec<u64> {
    let all: u128 = units.iter().map(|units| u128::from(*units)).sum();
    if all <= u128::from(pool) {
        return units.to_vec();
    }
    let product = |units: u64| u128::from(units) * u128::from(pool);
    let mut parts: Vec<u64> = units
        .iter()
        .map(|units| u64::try_from(product(*units) / all).unwrap_or(*units))
        .collect();
    let mut missing = pool - parts.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(product(units[*at]) % all));
    for at in order {
        if missing > 0 && parts[at] < units[at] {
            parts[at] += 1;
            missing -= 1;
        }
    }
    parts
}

/// One direction of a reservation, for the lines of a month.
struct Reservation<'a> {
    commitment: &'a Commitment,
    direction: Direction,
    years: u64,
    /// Its unit-hours of the month.
    whole: Exact,
}

/// A line that is not about a table yet.
struct Part {
    usage_type: UsageType,
    quantity: Exact,
    because: String,
}

impl Part {
    fn of(&self, subject: Subject) -> Usage {
        Usage {
            subject,
            usage_type: self.usage_type.clone(),
            quantity: self.quantity.clone(),
            because: vec![Because::rule("6.8", self.because.clone())],
        }
    }
}

impl Reservation<'_> {
    /// The hourly and the upfront line of each quantity of unit-hours; the last one is unused.
    fn lines(&self, quantities: &[Exact]) -> Vec<Vec<Part>> {
        let [hourly, upfront] =
            [ReservedPart::Hourly, ReservedPart::Upfront].map(|part| UsageType::Reserved {
                years: self.years,
                direction: self.direction,
                part,
            });
        let term = Exact::from(HOURS_A_YEAR * self.years);
        let payments: Vec<Exact> = quantities.iter().map(|one| one / &term).collect();
        let hours = rounded_together(quantities, hourly.places());
        let payments = rounded_together(&payments, upfront.places());
        let unit = match self.direction {
            Direction::Read => "RCU",
            Direction::Write => "WCU",
        };
        let line = |at: usize| {
            let (hours, payments) = (&hours[at], &payments[at]);
            let use_ = if at + 1 == quantities.len() {
                "are not used by any table"
            } else {
                "are used here"
            };
            let paid_hourly = format!(
                "{}: of {} {unit}-hours, {hours} {use_}",
                self.commitment.words(),
                self.whole
            );
            let paid_upfront = format!(
                "paid up front for {term} hours; the share of {hours} {unit}-hours is {} upfront \
                 payments",
                payments.human(9)
            );
            let part = |usage_type: &UsageType, quantity: &Exact, because: String| Part {
                usage_type: usage_type.clone(),
                quantity: quantity.clone(),
                because,
            };
            vec![
                part(&hourly, hours, paid_hourly),
                part(&upfront, payments, paid_upfront),
            ]
        };
        (0..quantities.len()).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Place;
    use crate::table::ByDirection;

    fn account(table: &str, index: Option<&str>, hourly: HourlyUnits) -> ProvisionedCapacity {
        ProvisionedCapacity {
            subject: Subject {
                table: Some(table.to_string()),
                index: index.map(str::to_string),
                region: "us-east-1".into(),
                access: None,
            },
            throughput: Throughput::Write,
            class: TableClass::Standard,
            hourly,
            because: Vec::new(),
        }
    }

    fn reserved(region: &str, write: u64, years: u64) -> Commitment {
        let kind = CommitmentKind::Reserved {
            region: region.to_string(),
            units: ByDirection { read: 0, write },
            years,
        };
        let place = Place::new("a.toml".to_string(), 3);
        Commitment::new(kind, (None, None), place)
    }

    /// The units left in each hour, and the quantities used and unused.
    fn found(
        accounts: &[ProvisionedCapacity],
        commitments: &[Commitment],
    ) -> (Vec<String>, String) {
        let month = MonthHours::standard();
        let accounts: Vec<_> = accounts.iter().map(|one| (one, &month)).collect();
        let covered = cover(&accounts, &commitments.iter().collect::<Vec<_>>(), &month);
        let quantities = |usages: &[Usage]| {
            let all: Vec<String> = usages.iter().map(|usage| usage.quantity.human(9)).collect();
            all.join(" ")
        };
        let each = covered.left.iter().zip(&covered.usage).map(|(left, used)| {
            let units: Vec<u64> = (0..left.hours())
                .map(|at| left.sixtieths_at(at) / 60)
                .collect();
            format!("{units:?} {}", quantities(used))
        });
        (each.collect(), quantities(&covered.unused))
    }

    #[test]
    fn reserved_units_are_taken_off_the_list_price() {
        let one = account("t", None, HourlyUnits::constant(150));
        let (each, unused) = found(&[one], &[reserved("us-east-1", 100, 3)]);
        assert_eq!(each, ["[50] 73,000 2.777777778"]);
        assert_eq!(unused, "0 0");
    }

    #[test]
    fn a_reservation_covers_all_tables_and_indexes_of_its_region() {
        let all = [
            account("a", None, HourlyUnits::of_maxima(vec![100, 300])),
            account("b", Some("i"), HourlyUnits::constant(100)),
        ];
        let (each, unused) = found(&all, &[reserved("us-east-1", 300, 1)]);
        // The first kind of hour leaves 100 units unused; in the second, the table has three
        // quarters of the reserved units.
        assert_eq!(each[0], "[0, 75] 118,625 13.541666666");
        assert_eq!(each[1], "[0, 25] 63,875 7.291666666");
        assert_eq!(unused, "36,500 4.166666668");
        let (each, unused) = found(&all, &[reserved("eu-west-1", 100, 1)]);
        assert_eq!(
            each,
            ["[100, 300] 0 0", "[100] 0 0"].map(|text| text.replace(" 0 0", " "))
        );
        assert_eq!(unused, "73,000 8.333333333");
    }

    #[test]
    fn parts_of_a_pool_are_whole_and_fit() {
        assert_eq!(in_proportion(&[1, 1, 1], 2), [1, 1, 0]);
        assert_eq!(in_proportion(&[7, 0, 5], 100), [7, 0, 5]);
        assert_eq!(in_proportion(&[70, 20, 10], 10), [7, 2, 1]);
        assert_eq!(in_proportion(&[], 10), Vec::<u64>::new());
    }
}
