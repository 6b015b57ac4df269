//! Random calls: how many come in each step, and what they consume. The number of calls is Poisson
//! distributed, and each call consumes units according to the shares.

use rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{Discrete, Poisson};

use super::arrivals::{Arrivals, DAY_MINUTES, Horizon, seed_of};
use super::shape::WEEK_MINUTES;

/// Calls that follow one shape.
pub struct CallGroup {
    arrivals: Arrivals,
    units_per_call: UnitsPerCall,
    seed: u64,
}

impl CallGroup {
    /// The calls of an account direction: those of the same shape together, with their rates added
    /// and their shares combined.
    pub fn of(arrivals: &[Arrivals], horizon: &Horizon, account: &str) -> Vec<CallGroup> {
        let mut groups: Vec<Arrivals> = Vec::new();
        for one in arrivals.iter().filter(|one| one.per_second > 0.0) {
            match groups
                .iter_mut()
                .find(|group| (&group.shape, group.course) == (&one.shape, one.course))
            {
                Some(group) => {
                    let sum = group.per_second + one.per_second;
                    let (own, new) = (group.per_second / sum, one.per_second / sum);
                    group.calls.iter_mut().for_each(|(_, share)| *share *= own);
                    group.calls.extend(
                        one.calls
                            .iter()
                            .map(|(halves, share)| (*halves, share * new)),
                    );
                    group.per_second = sum;
                }
                None => groups.push(one.clone()),
            }
        }
        let group = |(at, arrivals): (usize, Arrivals)| CallGroup {
            units_per_call: UnitsPerCall::new(&arrivals.calls),
            seed: seed_of(horizon.seed, account, at),
            arrivals,
        };
        groups.into_iter().enumerate().map(group).collect()
    }

    /// Half units of each call that consumes any, if all of them consume the same.
    pub fn each(&self) -> Option<u64> {
        match self.units_per_call.classes.as_slice() {
            [(halves, _)] => Some(*halves),
            _ => None,
        }
    }

    /// Everything that the numbers of calls depend on, as bits.
    pub fn bits(&self) -> Vec<u64> {
        let calls = vec![(1, self.units_per_call.share)];
        let arrivals = Arrivals {
            calls,
            ..self.arrivals.clone()
        };
        [self.seed].into_iter().chain(arrivals.bits()).collect()
    }

    /// Calls that consume units, in a step of a minute of the week.
    fn expected(&self, minute: usize, horizon: &Horizon) -> f64 {
        self.arrivals.rate(minute as u64 % WEEK_MINUTES)
            * self.units_per_call.share
            * horizon.step_seconds as f64
    }

    /// The number of calls of each step, in memory that others have used; `None` if one may be above
    /// 4 billion.
    pub fn calls(&self, horizon: &Horizon, mut calls: Vec<u32>) -> Option<Vec<u32>> {
        let week = 0..WEEK_MINUTES as usize;
        let expected: Vec<f64> = week.map(|minute| self.expected(minute, horizon)).collect();
        if expected.iter().any(|one| *one > f64::from(u32::MAX / 2)) {
            return None;
        }
        calls.clear();
        calls.resize(horizon.steps(), 0);
        let steps = horizon.steps_a_minute();
        if expected.iter().all(|one| *one <= TABLE_MAX) {
            self.draw_days(&expected, &mut calls, steps);
            return Some(calls);
        }
        let mut random = Pcg64Mcg::seed_from_u64(self.seed);
        let mut tables = CountTables::new();
        for (minute, steps) in calls.chunks_mut(steps).enumerate() {
            let counts = tables.of(minute, expected[minute % expected.len()]);
            for step in steps {
                *step = u32::try_from(counts.draw(&mut random)).unwrap_or(u32::MAX);
            }
        }
        Some(calls)
    }

    /// Draws all days at the same time, minute by minute, so that a table is computed once for the
    /// days that have it in common and is used while it is near. Every step in which calls are expected
    /// takes one random number, so it is known with which a day begins, and the result is that of one
    /// day after the other.
    fn draw_days(&self, expected: &[f64], calls: &mut [u32], steps: usize) {
        let of_day = DAY_MINUTES * steps;
        let begin = |day: usize| {
            let before = expected.iter().cycle().take(day * DAY_MINUTES);
            let taken = before.filter(|one| **one > 0.0).count() * steps;
            let mut random = Pcg64Mcg::seed_from_u64(self.seed);
            random.advance(taken as u128);
            random
        };
        let mut days: Vec<Pcg64Mcg> = (0..calls.len() / of_day).map(begin).collect();
        let mut tables: Vec<Counts> = Vec::new();
        for minute in 0..DAY_MINUTES {
            let of = |day: usize| expected[(day * DAY_MINUTES + minute) % expected.len()];
            tables.retain(|table| (0..days.len()).any(|day| of(day) == table.expected));
            for (day, random) in days.iter_mut().enumerate() {
                let known = tables.iter().position(|table| table.expected == of(day));
                let at = known.unwrap_or_else(|| {
                    tables.push(Counts::new(of(day)));
                    tables.len() - 1
                });
                let first = day * of_day + minute * steps;
                for step in &mut calls[first..first + steps] {
                    *step = tables[at].draw(random) as u32;
                }
            }
        }
    }

    /// Adds the units of all calls to those of each step.
    pub fn add_to(&self, halves: &mut Vec<u64>, horizon: &Horizon) {
        halves.resize(horizon.steps(), 0);
        let mut random = Pcg64Mcg::seed_from_u64(self.seed);
        let mut tables = CountTables::new();
        let minutes = halves.chunks_mut(horizon.steps_a_minute());
        for (minute, steps) in minutes.enumerate() {
            let counts = tables.of(minute, self.expected(minute, horizon));
            for step in steps {
                let calls = counts.draw(&mut random);
                *step = step.saturating_add(self.units_per_call.of(calls, &mut random));
            }
        }
    }
}

/// Adds calls that consume the same number of half units each to those of each step.
pub fn add_calls(halves: &mut Vec<u64>, calls: &[u32], each: u64) {
    let of = |calls: &u32| u64::from(*calls).saturating_mul(each);
    if halves.is_empty() {
        return halves.extend(calls.iter().map(of));
    }
    for (step, calls) in halves.iter_mut().zip(calls) {
        *step = step.saturating_add(of(calls));
    }
}

/// A number between 0 and 1.
fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// What calls consume: their half units with cumulative shares.
struct UnitsPerCall {
    /// The share of calls that consume units.
    share: f64,
    classes: Vec<(u64, f64)>,
    mean: f64,
    deviation: f64,
}

/// Up to this many calls are drawn one by one; the sum of more calls is drawn from a normal
/// distribution with their mean and deviation (central limit theorem).
const ONE_BY_ONE: u64 = 24;

impl UnitsPerCall {
    fn new(calls: &[(u64, f64)]) -> UnitsPerCall {
        let mut merged: Vec<(u64, f64)> = Vec::new();
        let mut sorted: Vec<_> = calls
            .iter()
            .copied()
            .filter(|(halves, share)| *halves > 0 && *share > 0.0)
            .collect();
        sorted.sort_by_key(|(halves, _)| *halves);
        for (halves, share) in sorted {
            match merged.last_mut().filter(|(last, _)| *last == halves) {
                Some((_, sum)) => *sum += share,
                None => merged.push((halves, share)),
            }
        }
        let share: f64 = merged.iter().map(|(_, share)| share).sum();
        let moment = |power: i32| {
            merged
                .iter()
                .map(|(halves, part)| (*halves as f64).powi(power) * part / share)
                .sum::<f64>()
        };
        let (mean, square) = if share > 0.0 {
            (moment(1), moment(2))
        } else {
            (0.0, 0.0)
        };
        let mut sum = 0.0;
        for (_, part) in &mut merged {
            sum += *part / share;
            *part = sum;
        }
        UnitsPerCall {
            share,
            classes: merged,
            mean,
            deviation: (square - mean * mean).max(0.0).sqrt(),
        }
    }

    fn of(&self, calls: u64, random: &mut Pcg64Mcg) -> u64 {
        match self.classes.as_slice() {
            [] => 0,
            [(halves, _)] => calls.saturating_mul(*halves),
            classes if calls <= ONE_BY_ONE => {
                (0..calls).map(|_| pick(classes, uniform(random))).sum()
            }
            classes => {
                let z: f64 = StandardNormal.sample(random);
                let drawn = calls as f64 * self.mean + (calls as f64).sqrt() * self.deviation * z;
                rounded(drawn).max(calls * classes[0].0)
            }
        }
    }
}

fn pick(classes: &[(u64, f64)], at: f64) -> u64 {
    let found = classes.partition_point(|(_, up_to)| *up_to <= at);
    classes[found.min(classes.len() - 1)].0
}

/// Beyond this many expected calls, a Poisson quantile is computed from a normal quantile,
/// corrected for skewness (Cornish–Fisher): within one call of the exact value down to a
/// probability of one in ten million.
const TABLE_MAX: f64 = 200.0;

/// The tables of a day's minutes: weekdays have the same rates, and a table takes longer to compute
/// than the draws of a minute.
struct CountTables {
    by_minute: Vec<Counts>,
    last: usize,
}

impl CountTables {
    fn new() -> CountTables {
        CountTables {
            by_minute: (0..DAY_MINUTES).map(|_| Counts::new(0.0)).collect(),
            last: 0,
        }
    }

    fn of(&mut self, minute: usize, expected: f64) -> &Counts {
        if self.by_minute[self.last].expected != expected {
            self.last = minute % DAY_MINUTES;
            if self.by_minute[self.last].expected != expected {
                self.by_minute[self.last] = Counts::new(expected);
            }
        }
        &self.by_minute[self.last]
    }
}

/// Poisson draws of one expected value: by inversion from a table, or by a corrected normal.
struct Counts {
    expected: f64,
    /// Cumulative probabilities of `first`, `first + 1`, …
    table: Vec<f64>,
    first: u64,
    /// Where the lookup of a number between 0 and 1 starts, by its first ten bits; as long as the
    /// table is not empty.
    guide: Vec<u16>,
    /// The standard deviation.
    deviation: f64,
}

/// How many starts of lookups a table has: so many that nearly every lookup ends where it starts.
const GUIDE: usize = 1024;

impl Counts {
    fn new(expected: f64) -> Counts {
        let mut counts = Counts {
            expected,
            table: Vec::new(),
            first: 0,
            guide: Vec::new(),
            deviation: expected.max(0.0).sqrt(),
        };
        if expected <= 0.0 || expected > TABLE_MAX {
            return counts;
        }
        let Ok(poisson) = Poisson::new(expected) else {
            return counts;
        };
        let spread = 8.0 * expected.sqrt() + 12.0;
        counts.first = (expected - spread).max(0.0) as u64;
        let last = (expected + spread) as u64;
        counts
            .table
            .reserve_exact((last - counts.first) as usize + 1);
        let mut probability = poisson.pmf(counts.first);
        let mut sum = 0.0;
        for count in counts.first..=last {
            sum += probability;
            counts.table.push(sum);
            probability *= expected / (count + 1) as f64;
        }
        let before = counts.table.iter().take(counts.table.len() - 1);
        for (at, cumulative) in before.enumerate() {
            // Numbers from here on are above this probability.
            let above = (cumulative * GUIDE as f64).ceil() as usize;
            counts
                .guide
                .resize(above.clamp(counts.guide.len(), GUIDE), at as u16);
        }
        let last = counts.table.len() - 1;
        counts.guide.resize(GUIDE, last as u16);
        counts
    }

    fn draw(&self, random: &mut Pcg64Mcg) -> u64 {
        if self.expected <= 0.0 {
            return 0;
        }
        if self.table.is_empty() {
            let z: f64 = StandardNormal.sample(random);
            return normal_count(self.expected, self.deviation, z);
        }
        let at = uniform(random);
        let mut found = usize::from(self.guide[(at * GUIDE as f64) as usize]);
        while found + 1 < self.table.len() && self.table[found] <= at {
            found += 1;
        }
        self.first + found as u64
    }
}

/// The nearest whole number, or 0 below it; `f64::round` is a call on some machines.
fn rounded(value: f64) -> u64 {
    (value + 0.5) as u64
}

/// The Poisson quantile at a normal deviate.
fn normal_count(expected: f64, deviation: f64, z: f64) -> u64 {
    rounded(expected + deviation * z + (z * z - 1.0) / 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Course;
    use statrs::distribution::{ContinuousCDF, DiscreteCDF, Normal};

    #[test]
    fn the_table_is_the_poisson_distribution() {
        for expected in [0.3, 7.0, 199.0] {
            let counts = Counts::new(expected);
            let poisson = Poisson::new(expected).expect("a rate");
            for (at, cumulative) in counts.table.iter().enumerate() {
                assert!(
                    (cumulative - poisson.cdf(counts.first + at as u64)).abs() < 1e-10,
                    "{expected}: {at}"
                );
            }
        }
    }

    #[test]
    fn the_corrected_normal_has_the_quantiles_of_poisson() {
        let normal = Normal::new(0.0, 1.0).expect("a normal");
        for expected in [201.0, 1_000.0, 30_000.0] {
            let poisson = Poisson::new(expected).expect("a rate");
            for tail in [0.5, 0.01, 1e-4, 1e-6] {
                let exact = poisson.inverse_cdf(1.0 - tail);
                let z = normal.inverse_cdf(1.0 - tail);
                let found = normal_count(expected, expected.sqrt(), z);
                assert!(
                    found.abs_diff(exact) <= 1,
                    "{expected} at {tail}: {found}, not {exact}"
                );
            }
        }
    }

    /// The units of a group, step after step.
    fn one_by_one(group: &CallGroup, horizon: &Horizon) -> Vec<u64> {
        let mut halves = Vec::new();
        group.add_to(&mut halves, horizon);
        halves
    }

    #[test]
    fn days_that_are_drawn_together_are_those_that_are_drawn_one_after_the_other() {
        for (step_seconds, per_second, days) in
            [(1, 3.0, 7), (1, 90.0, 9), (60, 1.5, 8), (1, 400.0, 1)]
        {
            for course in [Course::Steps, Course::Smooth] {
                // No calls at midnight.
                let shape = (0..168).map(|hour| f64::from(hour % 24) / 12.0);
                let arrivals = Arrivals {
                    per_second,
                    shape: shape.collect(),
                    course,
                    calls: vec![(3, 0.25), (3, 0.5)],
                };
                let horizon = Horizon {
                    days,
                    step_seconds,
                    seed: 7,
                };
                let groups = CallGroup::of(&[arrivals], &horizon, "t");
                let [group] = groups.as_slice() else {
                    unreachable!("one shape is one group");
                };
                let mut together = Vec::new();
                let calls = group.calls(&horizon, vec![9]).expect("few calls");
                add_calls(&mut together, &calls, group.each().expect("all alike"));
                assert_eq!(
                    together,
                    one_by_one(group, &horizon),
                    "{per_second} {course:?}"
                );
            }
        }
    }
}
