//! The mix of reserved capacity and a savings plan that costs least.

use super::throughput::{Curve, CurveHour, Reserved, Unreserved, dollars};
use crate::commitments::plan::{parts, proportion};
use crate::money::{Money, MoneyError};
use crate::table::ByDirection;
use crate::time::MonthHours;
use crate::units::Exact;
use crate::workload::{DesignEdit, DesignPart, toml_text};

/// A plan's hourly commitment is a multiple of this: a tenth of a cent.
const PLAN_STEP: i128 = 1_000_000_000;

/// A commitment that can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offer {
    /// Reserved capacity: the term in years, and the cost of a read unit and of a write unit for an
    /// hour, with its share of the upfront price.
    Reserved {
        /// 1 or 3.
        years: u64,
        /// A read unit.
        read: Exact,
        /// A write unit.
        write: Exact,
        /// The upfront price of a unit; its share is included in the hourly costs above.
        upfront: ByDirection<Exact>,
    },
    /// A Database Savings Plan of one year, without an upfront payment.
    Plan,
}

/// Commitments, and what the throughput costs with them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mix {
    /// Years of the reservation; `None` if no units are reserved.
    pub years: Option<u64>,
    /// Reserved read units.
    pub read_units: u64,
    /// Reserved write units.
    pub write_units: u64,
    /// Dollars that the reservation costs up front; each month's share is included in the monthly
    /// cost.
    pub upfront: Exact,
    /// Dollars an hour that are committed to a savings plan.
    pub plan_usd_per_hour: Exact,
    /// The cost of all throughput over the hours of the curve, in parts of a dollar.
    cost: i128,
}

impl Mix {
    /// How much it changes the total of a month.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the amount needs more than 28 digits.
    pub fn change(&self, curve: &Curve, month: &MonthHours) -> Result<Money, MoneyError> {
        let before = curve.cost(&Reserved::default(), 0);
        let saved = (before - self.cost).max(0);
        Money::ZERO.minus(Money::dollars(&curve.monthly(saved, month))?)
    }

    /// What to write in a workload file.
    pub(super) fn edit(&self, region: &str) -> DesignEdit {
        let edit = DesignEdit::of(DesignPart::Region);
        let edit = match self.years {
            Some(years) => {
                let units = [("read", self.read_units), ("write", self.write_units)];
                let units = units.into_iter().filter(|(_, units)| *units > 0);
                let units = units.map(|(key, units)| (key, units.to_string()));
                let keys = [
                    ("kind", toml_text("reserved")),
                    ("region", toml_text(region)),
                ];
                let years = ("years", years.to_string());
                edit.append(
                    "commitment",
                    keys.into_iter().chain(units).chain([years]).collect(),
                )
            }
            None => edit,
        };
        match self.plan_usd_per_hour.is_zero() {
            true => edit,
            false => edit.append(
                "commitment",
                vec![
                    ("kind", toml_text("savings-plan")),
                    ("usd_per_hour", self.plan_usd_per_hour.to_string()),
                ],
            ),
        }
    }

    /// A description for output.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        if let Some(years) = self.years {
            let term = if years == 1 {
                "1 year".to_string()
            } else {
                format!("{years} years")
            };
            let at_once = if self.upfront.is_zero() {
                String::new()
            } else {
                format!(
                    " (includes ${} up front, spread over {} months)",
                    self.upfront.human(2),
                    12 * years
                )
            };
            parts.push(format!(
                "{} RCU and {} WCU reserved for {term}{at_once}",
                Exact::from(self.read_units),
                Exact::from(self.write_units)
            ));
        }
        if !self.plan_usd_per_hour.is_zero() {
            parts.push(format!(
                "a savings plan of ${} an hour for 1 year",
                self.plan_usd_per_hour
            ));
        }
        if parts.is_empty() {
            "no commitment".to_string()
        } else {
            parts.join(" and ")
        }
    }

    /// Whether anything is committed.
    pub fn commits(&self) -> bool {
        self.years.is_some() || !self.plan_usd_per_hour.is_zero()
    }
}

/// The cheapest mix of offers. More offers never make it more expensive, because no offer has to be
/// used.
///
/// If a plan discounts all provisioned throughput alike, and on-demand throughput no less, every mix that
/// is possible costs at least as much. Otherwise a cheaper one may be missed.
pub fn best_mix(curve: &Curve, offers: &[Offer]) -> Mix {
    let has_plan = offers.contains(&Offer::Plan);
    let terms = offers.iter().filter_map(|offer| match offer {
        Offer::Reserved {
            years, read, write, ..
        } => Some(Terms {
            years: *years,
            read: parts(read),
            write: parts(write),
        }),
        Offer::Plan => None,
    });
    let best = |terms: Option<Terms>| {
        let search = MixSearch::new(curve, terms, has_plan);
        let found = search.best();
        (found, search.reserved(found.blocks))
    };
    let all = std::iter::once(None).chain(terms.map(Some)).map(best);
    let (found, reserved) = all.min_by_key(|(found, _)| *found).unwrap_or_default();
    let upfront = |offer: &Offer| match offer {
        Offer::Reserved { years, upfront, .. } if *years == reserved.years => Some(
            &(&upfront.read * &Exact::from(reserved.read))
                + &(&upfront.write * &Exact::from(reserved.write)),
        ),
        _ => None,
    };
    Mix {
        upfront: offers.iter().find_map(upfront).unwrap_or_default(),
        years: (reserved.read + reserved.write > 0).then_some(reserved.years),
        read_units: reserved.read,
        write_units: reserved.write,
        plan_usd_per_hour: dollars(plan_parts(found.plan)),
        cost: found.cost,
    }
}

/// The terms of a reservation.
#[derive(Clone, Copy, Default)]
struct Terms {
    years: u64,
    /// The hourly cost of a read unit, in parts of a dollar,
    read: i128,
    /// and of a write unit.
    write: i128,
}

/// Reserved blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Blocks {
    read: u64,
    write: u64,
}

impl Blocks {
    /// As many as the busiest hour can use.
    fn most(curve: &Curve) -> Blocks {
        let most = |units: fn(&CurveHour) -> u64| {
            let busiest = curve.hours.iter().map(units).max().unwrap_or(0);
            busiest.div_ceil(60).div_ceil(curve.block.max(1))
        };
        Blocks {
            read: most(|hour| hour.reads),
            write: most(|hour| hour.writes),
        }
    }
}

/// What is committed, and what all hours cost then. The cheapest comes first, and of equally cheap
/// ones that which commits least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Tried {
    cost: i128,
    /// Steps of a plan.
    plan: u64,
    blocks: Blocks,
}

/// Ways to change a reservation.
#[derive(Clone, Copy)]
enum Along {
    Reads,
    Writes,
    /// More writes, and fewer reads that cost the same under a plan.
    Exchange,
    /// More writes, and more reads that cost the same under a plan.
    Together,
}

/// The search for the cheapest reservation of a term, with or without a plan.
///
/// What an hour costs is convex in what is reserved and in what a plan covers together. With the best
/// plan for each reservation, it is linear in the reads and the writes but for kinks, where a
/// reservation covers an hour, or where two hours need the same of a plan. Each is at a number of reads
/// or of writes, or where their costs under a plan have the same difference or the same sum. So a
/// reservation that no change along these four ways improves is the best one.
struct MixSearch<'a> {
    curve: &'a Curve,
    terms: Terms,
    has_plan: bool,
    is_convex: bool,
    most: Blocks,
}

impl<'a> MixSearch<'a> {
    /// Without terms, nothing is reserved.
    fn new(curve: &'a Curve, terms: Option<Terms>, has_plan: bool) -> MixSearch<'a> {
        MixSearch {
            curve,
            most: match terms {
                Some(_) => Blocks::most(curve),
                None => Blocks::default(),
            },
            terms: terms.unwrap_or_default(),
            has_plan,
            is_convex: curve.is_convex(),
        }
    }

    fn reserved(&self, blocks: Blocks) -> Reserved {
        let (read, write) = (
            blocks.read * self.curve.block,
            blocks.write * self.curve.block,
        );
        Reserved {
            years: self.terms.years,
            read,
            write,
            cost: i128::from(read) * self.terms.read + i128::from(write) * self.terms.write,
        }
    }

    /// The cheapest plan on top of some blocks, found from a plan near it.
    fn tried(&self, blocks: Blocks, near: u64) -> Tried {
        let reserved = self.reserved(blocks);
        let left = self.curve.unreserved(&reserved);
        let cost = |plan: u64| self.curve.cost_beyond(&left, &reserved, plan_parts(plan));
        let steps = || left.iter().flat_map(|hour| self.plans(hour));
        let (cost, plan) = match (self.has_plan, self.is_convex) {
            (false, _) => (cost(0), 0),
            (true, true) => lowest(near, steps().max().unwrap_or(0), cost),
            (true, false) => {
                let mut all: Vec<u64> = steps().chain([0]).collect();
                all.sort_unstable();
                all.dedup();
                let last = all.last().copied();
                let every = all.len().div_ceil(LEVELS_MAX);
                let some = all.into_iter().step_by(every).chain(last);
                let tried = some.map(|plan| (cost(plan), plan));
                tried.min().unwrap_or_default()
            }
        };
        Tried { cost, plan, blocks }
    }

    /// The plans around what one could cover in an hour, in steps.
    fn plans(&self, hour: &Unreserved) -> [u64; 4] {
        let on_demand = hour.on_demand.plan - self.curve.bought;
        let steps = |level: i128| u64::try_from(level.max(0) / PLAN_STEP).unwrap_or(u64::MAX);
        let (first, all) = (steps(on_demand), steps(on_demand + hour.provisioned.plan));
        [first, first.saturating_add(1), all, all.saturating_add(1)]
    }

    fn best(&self) -> Tried {
        let list = self.against(self.curve.read.list, self.curve.write.list);
        let plan = self.against(self.curve.read.plan, self.curve.write.plan);
        let starts = [list, plan, Blocks::default(), self.most];
        let mut starts = starts.map(|blocks| self.tried(blocks, 0));
        starts.sort_unstable();
        let count = match self.is_convex {
            true => 1,
            false => starts.len(),
        };
        let found = starts.into_iter().take(count);
        found
            .map(|start| self.improved(start))
            .min()
            .unwrap_or_default()
    }

    /// Improves blocks until no change improves them any more.
    fn improved(&self, mut best: Tried) -> Tried {
        loop {
            let before = best.cost;
            for along in [
                Along::Reads,
                Along::Writes,
                Along::Exchange,
                Along::Together,
            ] {
                best = best.min(self.along(along, best));
            }
            if best.cost == before {
                best = best.min(self.nearby(best));
            }
            if best.cost == before {
                return best;
            }
        }
    }

    /// The best of the blocks around some, which ways in whole blocks may miss.
    fn nearby(&self, from: Tried) -> Tried {
        let Blocks { read, write } = from.blocks;
        let around = |at: u64, by: u64, most: u64| at.saturating_sub(by)..=(at + by).min(most);
        let all = around(write, 1, self.most.write).flat_map(|write| {
            let reads = around(read, NEARBY_READS, self.most.read);
            reads.map(move |read| Blocks { read, write })
        });
        let tried = all.map(|blocks| self.tried(blocks, from.plan));
        tried.min().unwrap_or(from)
    }

    /// The best of all changes along a way.
    fn along(&self, along: Along, from: Tried) -> Tried {
        let Blocks { read, write } = from.blocks;
        let Some((first, last)) = self.ends(along, from.blocks) else {
            return from;
        };
        let blocks = |at: u64| match along {
            Along::Reads => Blocks { read: at, write },
            Along::Writes => Blocks { read, write: at },
            Along::Exchange | Along::Together => {
                let more = i128::from(at) - i128::from(write);
                let reads = proportion(more, self.curve.write.plan, self.curve.read.plan);
                let reads = match along {
                    Along::Exchange => i128::from(read) - reads,
                    _ => i128::from(read) + reads,
                };
                Blocks {
                    read: u64::try_from(reads).unwrap_or(0).min(self.most.read),
                    write: at,
                }
            }
        };
        let start = match along {
            Along::Reads => read,
            _ => write,
        };
        let tried = |at: u64| self.tried(blocks(first + at), from.plan);
        let (_, at) = lowest(start - first, last - first, |at| tried(at).cost);
        tried(at)
    }

    /// The first and the last number of reads, or of writes, along a way; `None` if it leads nowhere.
    fn ends(&self, along: Along, Blocks { read, write }: Blocks) -> Option<(u64, u64)> {
        let Blocks {
            read: most_reads,
            write: most_writes,
        } = self.most;
        let (of_read, of_write) = (self.curve.read.plan, self.curve.write.plan);
        let writes = |reads: u64| -> u64 {
            let writes = proportion(i128::from(reads), of_read, of_write);
            u64::try_from(writes).unwrap_or(u64::MAX)
        };
        let (fewer, more) = match along {
            Along::Reads => return Some((0, most_reads)),
            Along::Writes => return Some((0, most_writes)),
            _ if of_read <= 0 || of_write <= 0 => return None,
            Along::Exchange => (writes(most_reads.saturating_sub(read)), writes(read)),
            Along::Together => (writes(read), writes(most_reads.saturating_sub(read))),
        };
        Some((
            write.saturating_sub(fewer),
            write.saturating_add(more).min(most_writes),
        ))
    }

    /// The cheapest blocks if each unit that is not reserved has a price.
    fn against(&self, read: i128, write: i128) -> Blocks {
        let block = self.curve.block;
        let best = |units: fn(&CurveHour) -> u64, most: u64, price: i128, reserved: i128| {
            let cost = |blocks: u64| -> i128 {
                let covered = blocks * block;
                let of_hour = |hour: &CurveHour| {
                    let left = i128::from(units(hour).saturating_sub(covered * 60));
                    (left * price / 60 + i128::from(covered) * reserved) * i128::from(hour.count)
                };
                self.curve.hours.iter().map(of_hour).sum()
            };
            lowest(0, most, cost).1
        };
        Blocks {
            read: best(|hour| hour.reads, self.most.read, read, self.terms.read),
            write: best(|hour| hour.writes, self.most.write, write, self.terms.write),
        }
    }
}

/// The most levels of a plan that are tried if its cost is not convex.
const LEVELS_MAX: usize = 100;

/// How many blocks of reads are tried around the best: a block of writes costs as much as five of them.
const NEARBY_READS: u64 = 6;

/// Steps of a plan, in parts of a dollar.
fn plan_parts(steps: u64) -> i128 {
    i128::from(steps) * PLAN_STEP
}

/// The lowest value of a convex function of the numbers up to `most`, and the first number that has it:
/// found from a start by steps that double, then by bisection.
fn lowest(start: u64, most: u64, value: impl Fn(u64) -> i128) -> (i128, u64) {
    let start = start.min(most);
    let falls = |at: u64| at < most && value(at + 1) < value(at);
    let (mut low, mut high, mut step) = (0, most, 1);
    if falls(start) {
        low = start + 1;
        while let Some(at) = start.checked_add(step).filter(|at| *at < most) {
            if !falls(at) {
                high = at;
                break;
            }
            low = at + 1;
            step = step.saturating_mul(2);
        }
    } else {
        high = start;
        while let Some(at) = start.checked_sub(step) {
            if falls(at) {
                low = at + 1;
                break;
            }
            high = at;
            step = step.saturating_mul(2);
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        match falls(middle) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    (value(low), low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitments::plan::HourCost;
    use rand_core::{Rng, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    fn curve(reads: &[u64], writes: &[u64], on_demand: &[i128]) -> Curve {
        let hours = reads.iter().zip(writes).zip(on_demand);
        let hour = |((reads, writes), list): ((&u64, &u64), &i128)| CurveHour {
            on_demand: HourCost {
                list: *list,
                plan: list * 82 / 100,
            },
            reads: reads * 60,
            writes: writes * 60,
            ..CurveHour::default()
        };
        Curve {
            hours: hours.map(hour).collect(),
            read: HourCost {
                list: 130_000_000,
                plan: 114_400_000,
            },
            write: HourCost {
                list: 650_000_000,
                plan: 572_000_000,
            },
            block: 100,
            bought: 0,
            paid: Exact::one(),
        }
    }

    fn reserved(years: u64) -> Offer {
        let (read, write) = if years == 1 {
            ((598, 7), (2992, 7))
        } else {
            ((299, 7), (1495, 7))
        };
        let exact = |(mantissa, places): (u64, u32)| Exact::ratio(mantissa, 10_u64.pow(places));
        Offer::Reserved {
            years,
            read: exact(read),
            write: exact(write),
            upfront: ByDirection {
                read: Exact::from(1),
                write: Exact::from(5),
            },
        }
    }

    #[test]
    fn blocks_that_are_used_less_than_they_cost_are_not_bought() {
        // 100 units always, and 300 in one hour of four: the second block would be used a quarter
        // of the time.
        let mix = best_mix(
            &curve(&[0; 4], &[100, 100, 100, 300], &[0; 4]),
            &[reserved(1)],
        );
        assert_eq!(
            (mix.years, mix.read_units, mix.write_units),
            (Some(1), 0, 100)
        );
        let mix = best_mix(
            &curve(&[0; 4], &[100, 100, 100, 300], &[0; 4]),
            &[reserved(3)],
        );
        assert_eq!(
            mix.write_units, 300,
            "three years cost less than a quarter of the list price"
        );
    }

    #[test]
    fn what_a_plan_that_was_bought_covers_is_not_reserved_as_well() {
        let mut curve = curve(&[10_000; 4], &[0; 4], &[0; 4]);
        curve.bought = 3_000 * curve.read.plan;
        let mix = best_mix(&curve, &[reserved(1)]);
        assert_eq!(mix.read_units, 7_000);
        assert!(best_mix(&curve, &[reserved(1), Offer::Plan]).cost <= mix.cost);
    }

    #[test]
    fn more_offers_never_cost_more() {
        let curves = [
            curve(
                &[900, 10, 450, 120],
                &[700, 710, 50, 300],
                &[0, 5_000_000_000, 90_000_000_000, 1_000_000_000],
            ),
            curve(&[0; 4], &[0; 4], &[4_000_000_000; 4]),
            curve(&[99; 4], &[1; 4], &[0; 4]),
        ];
        for curve in curves {
            let all = [reserved(1), reserved(3), Offer::Plan];
            let subsets = (0..8_usize).map(|mask| {
                all.iter()
                    .enumerate()
                    .filter(|(at, _)| mask & (1 << at) != 0)
                    .map(|(_, offer)| offer.clone())
                    .collect()
            });
            let subsets: Vec<Vec<Offer>> = subsets.collect();
            for fewer in &subsets {
                for more in subsets
                    .iter()
                    .filter(|more| fewer.iter().all(|offer| more.contains(offer)))
                {
                    assert!(best_mix(&curve, more).cost <= best_mix(&curve, fewer).cost);
                }
            }
        }
    }

    /// Every number of blocks with every plan that could be the best one.
    fn cheapest_of_all(search: &MixSearch) -> i128 {
        let reads = 0..=search.most.read;
        let blocks = reads.flat_map(|read| (0..=search.most.write).map(move |write| (read, write)));
        let costs = blocks.map(|(read, write)| {
            let reserved = search.reserved(Blocks { read, write });
            let left = search.curve.unreserved(&reserved);
            let plans = left.iter().flat_map(|hour| search.plans(hour));
            let plans = plans.filter(|_| search.has_plan).chain([0]);
            let cost = |plan| search.curve.cost_beyond(&left, &reserved, plan_parts(plan));
            plans.map(cost).min().unwrap_or_default()
        });
        costs.min().unwrap_or_default()
    }

    #[test]
    fn the_mix_is_the_cheapest_of_all() {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let (mut reserve, mut plan, mut both) = (0, 0, 0);
        for round in 0..240 {
            let mut any = |most: u64| random.next_u64() % most;
            let most = [3, 400, 2_500][round % 3];
            let reads: Vec<u64> = (0..12).map(|_| any(most)).collect();
            let writes: Vec<u64> = (0..12).map(|_| any(most / 2 + 1)).collect();
            let on_demand: Vec<i128> = (0..12)
                .map(|_| i128::from(any(2) * any(900_000_000 * most)))
                .collect();
            let mut curve = curve(&reads, &writes, &on_demand);
            assert!(curve.is_convex());
            curve.bought = i128::from(any(2) * any(300_000_000 * most));
            for has_plan in [false, true] {
                let terms = Terms {
                    years: 1,
                    read: 85_428_571,
                    write: 427_142_857,
                };
                let search = MixSearch::new(&curve, Some(terms), has_plan);
                let (found, least) = (search.best(), cheapest_of_all(&search));
                assert_eq!(found.cost, least, "{round}: {found:?}");
                let reserves = found.blocks != Blocks::default();
                reserve += u32::from(reserves);
                plan += u32::from(found.plan > 0);
                both += u32::from(reserves && found.plan > 0);
            }
        }
        assert!(
            reserve > 50 && plan > 50 && both > 20,
            "{reserve}, {plan}, {both}"
        );
    }

    #[test]
    fn unequal_discounts_of_a_plan_never_make_more_offers_cost_more() {
        let mut curve = curve(&[900, 10, 450, 120], &[700, 710, 50, 300], &[0; 4]);
        for (hour, list) in curve.hours.iter_mut().zip([3, 40, 7, 90]) {
            let list = list * 1_000_000_000;
            hour.bound = HourCost { list, plan: list };
        }
        assert!(!curve.is_convex());
        let search = MixSearch::new(&curve, None, true);
        let nothing = search.tried(Blocks::default(), 0).cost;
        let offers = [reserved(1), reserved(3), Offer::Plan];
        let costs = (0..=3).map(|offers_taken| best_mix(&curve, &offers[..offers_taken]).cost);
        let costs: Vec<i128> = costs.collect();
        assert!(costs.is_sorted_by(|fewer, more| fewer >= more), "{costs:?}");
        assert!(costs[3] <= nothing && nothing < costs[0], "{costs:?}");
    }

    #[test]
    fn a_plan_of_flat_on_demand_saves_its_eighteen_percent() {
        let curve = curve(&[0; 4], &[0; 4], &[100_000_000_000; 4]);
        let mix = best_mix(&curve, &[Offer::Plan]);
        assert_eq!(mix.plan_usd_per_hour, Exact::ratio(82, 1000));
        assert_eq!(mix.cost, 4 * 82_000_000_000);
    }
}
