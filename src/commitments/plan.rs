//! A Database Savings Plan: dollars an hour that cover usage at lower prices.
//!
//! Source: Savings Plans User Guide, "Understanding how Savings Plans apply to your usage": in each
//! hour, a plan covers the usage with the highest discount first, and of equal discounts the usage
//! with the lowest price under the plan; what it does not cover is charged at the list price; what
//! it does not find use for in an hour is paid all the same.

use num_bigint::BigInt;

use crate::units::Exact;

/// Hourly amounts are whole numbers; this many make a dollar.
pub const PARTS_OF_A_DOLLAR: u64 = 1_000_000_000_000;

/// A cost, of one unit for an hour or in total: at the list price and under a savings plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HourCost {
    /// At the list price, in parts of a dollar.
    pub list: i128,
    /// Under a plan, in parts of a dollar.
    pub plan: i128,
}

impl HourCost {
    /// Lets a plan cover it; returns what remains at the list price. A plan that covers part of the
    /// plan price covers the same proportion of the list price.
    pub fn beyond(self, plan: &mut i128) -> i128 {
        let covered = self.plan.min(*plan);
        *plan -= covered;
        match covered {
            0 => self.list,
            all if all == self.plan => 0,
            part => self.list - proportion(self.list, part, self.plan),
        }
    }
}

/// Usage that a plan can cover.
#[derive(Clone, Debug)]
pub struct PlannedUsage {
    /// The list price of a unit.
    pub list: Exact,
    /// The price of a unit under the plan.
    pub plan: Exact,
    /// Its cost under the plan in every hour, in parts of a dollar; hours wrap around at the end.
    pub hourly: Vec<i128>,
}

impl PlannedUsage {
    fn at(&self, hour: usize) -> i128 {
        self.hourly[hour % self.hourly.len().max(1)]
    }

    /// The order in which plans cover usage: the largest discount first, then the lowest price.
    fn order(&self) -> (Exact, Exact) {
        (&self.plan / &self.list, self.plan.clone())
    }
}

/// What a plan covers of one usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanShare {
    /// The cost under the plan that is covered, in parts of a dollar, over all hours.
    pub covered: i128,
    /// The whole cost under the plan.
    pub whole: i128,
}

/// Covers usage by a plan of some parts of a dollar an hour.
///
/// `Assumption:` usage of equal prices shares what is left of a plan in proportion. This does not
/// change the sum of their costs.
pub fn cover(an_hour: i128, usages: &[PlannedUsage]) -> Vec<PlanShare> {
    let hours = usages.iter().map(|one| one.hourly.len()).max().unwrap_or(0);
    let mut order: Vec<(usize, (Exact, Exact))> =
        usages.iter().map(PlannedUsage::order).enumerate().collect();
    order.sort_by(|one, two| one.1.cmp(&two.1));
    let groups: Vec<Vec<usize>> = order
        .chunk_by(|one, two| one.1 == two.1)
        .map(|group| group.iter().map(|(at, _)| *at).collect())
        .collect();
    let mut shares = vec![PlanShare::default(); usages.len()];
    for hour in 0..hours {
        let mut left = an_hour;
        for group in &groups {
            let all: i128 = group.iter().map(|at| usages[*at].at(hour)).sum();
            let covered = all.min(left);
            left -= covered;
            let mut rest = covered;
            for (place, at) in group.iter().enumerate() {
                let own = usages[*at].at(hour);
                let part = if covered == all {
                    own
                } else if place + 1 == group.len() {
                    rest
                } else {
                    proportion(covered, own, all)
                };
                rest -= part;
                shares[*at].covered += part;
                shares[*at].whole += own;
            }
        }
    }
    shares
}

/// Dollars in parts, rounded down.
pub fn parts(dollars: &Exact) -> i128 {
    let scaled = dollars * &Exact::from(PARTS_OF_A_DOLLAR);
    scaled
        .floor()
        .to_i128()
        .unwrap_or(i128::MAX / 1_000_000_000)
}

/// `amount × part / whole`, exact even if the product does not fit into an `i128`.
pub fn proportion(amount: i128, part: i128, whole: i128) -> i128 {
    match amount.checked_mul(part) {
        Some(product) => product / whole,
        None => i128::try_from(BigInt::from(amount) * BigInt::from(part) / BigInt::from(whole))
            .unwrap_or(amount),
    }
}

/// Subtracts `amount` from the hours, as evenly as possible without going below zero.
pub fn take_evenly(hours: &mut [u64], amount: u64) {
    let taken = |level: u64| {
        hours
            .iter()
            .map(|units| u128::from(*units.min(&level)))
            .sum::<u128>()
    };
    let (mut low, mut high) = (0, hours.iter().copied().max().unwrap_or(0));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if taken(middle) <= u128::from(amount) {
            low = middle
        } else {
            high = middle - 1
        }
    }
    let mut rest = u64::try_from(u128::from(amount) - taken(low)).unwrap_or(0);
    for units in hours.iter_mut() {
        *units = units.saturating_sub(low);
        let one_more = rest.min(1).min(*units);
        (*units, rest) = (*units - one_more, rest - one_more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_relieved_as_evenly_as_they_can_be() {
        let mut hours = [10, 2, 7, 0];
        take_evenly(&mut hours, 11);
        assert_eq!(hours, [5, 0, 3, 0]);
        take_evenly(&mut hours, 100);
        assert_eq!(hours, [0; 4]);
    }

    #[test]
    fn a_proportion_of_a_large_amount_does_not_wrap() {
        assert_eq!(
            proportion(
                16_000_000_000 * 10_i128.pow(15),
                82 * 10_i128.pow(22),
                100 * 10_i128.pow(22)
            ),
            13_120_000_000 * 10_i128.pow(15)
        );
    }

    #[test]
    fn a_plan_covers_the_largest_discount_first_and_equals_in_proportion() {
        let usage = |list: u64, plan: u64, hourly: &[i128]| PlannedUsage {
            list: Exact::from(list),
            plan: Exact::from(plan),
            hourly: hourly.to_vec(),
        };
        // Provisioned at 12 %, two requests at 18 %; the second hour has less to cover.
        let usages = [
            usage(100, 88, &[50, 10]),
            usage(50, 41, &[30, 10]),
            usage(50, 41, &[90, 0]),
        ];
        let covered = |an_hour| -> Vec<i128> {
            cover(an_hour, &usages)
                .iter()
                .map(|share| share.covered)
                .collect()
        };
        assert_eq!(covered(60), [10, 15 + 10, 45]);
        assert_eq!(covered(130), [10 + 10, 30 + 10, 90]);
        assert_eq!(covered(1_000), [60, 40, 90]);
        assert_eq!(
            cover(0, &usages)[0],
            PlanShare {
                covered: 0,
                whole: 60
            }
        );
    }
}
