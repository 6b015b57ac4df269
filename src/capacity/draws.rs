//! Random calls: how many come in each minute, what they consume, and on which steps they fall.
//!
//! The number of calls of a minute is Poisson distributed, and each call consumes units according to
//! the shares. Most minutes matter as a whole only, so the steps of a minute are drawn when they are
//! looked at: given how many they are, calls fall on the steps of a minute evenly and independently.
//! Every minute has random numbers of its own, so a minute that is drawn alone is that of a whole
//! week.

use std::cell::OnceCell;
use std::sync::Arc;

use rand_core::Rng;
use rand_pcg::Pcg64Mcg;

use super::arrivals::{Arrivals, Horizon, seed_of};
use super::fingerprint::mixed;
use super::minute::Minute;
use super::poisson::{PoissonDraws, TABLE_MAX};
use crate::time::DAY_MINUTES;

/// The calls of an account direction.
#[derive(Debug)]
pub struct RandomCalls {
    streams: Vec<Stream>,
    horizon: Horizon,
}

impl RandomCalls {
    /// Calls of the same shape are drawn together, with their rates added and their shares combined.
    pub fn of(arrivals: &[Arrivals], horizon: &Horizon, account: &str) -> RandomCalls {
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
        let streams = groups
            .iter()
            .enumerate()
            .flat_map(|(at, group)| streams(group, seed_of(horizon.seed, account, at)));
        RandomCalls {
            streams: streams.collect(),
            horizon: *horizon,
        }
    }

    /// The demand of each minute, and the most that one of its steps may have.
    pub fn minutes(&self) -> Vec<Minute> {
        let mut minutes = vec![Minute::default(); self.horizon.minutes()];
        let by_seconds = self.horizon.steps_a_minute() == SECONDS;
        self.visit(|at, streams| {
            let minute = &mut minutes[at];
            for (stream, counts) in streams {
                let drawn = stream.minute(at, counts);
                let highest = if by_seconds { drawn.highest } else { drawn.sum };
                minute.sum = minute.sum.saturating_add(drawn.sum);
                minute.highest = minute.highest.saturating_add(highest);
            }
        });
        minutes
    }

    /// How many steps all minutes have.
    pub fn steps_in_all(&self) -> usize {
        self.horizon.steps()
    }

    /// Half units of each step of all minutes, which do not come in order.
    pub fn steps(&self, mut of_minute: impl FnMut(usize, &[u64])) {
        let mut halves = vec![0; self.horizon.steps_a_minute()];
        self.visit(|at, streams| {
            halves.fill(0);
            for (stream, counts) in streams {
                stream.add_steps(at, counts, &mut halves);
            }
            of_minute(at, &halves);
        });
    }

    /// Half units of each step of a minute.
    pub fn steps_of(&self, minute: usize, halves: &mut Vec<u64>) {
        halves.clear();
        halves.resize(self.horizon.steps_a_minute(), 0);
        for stream in &self.streams {
            stream.add_steps(minute, &Counts::of(stream.expected(minute)), halves);
        }
    }

    /// Visits all minutes, those of the same time of day one after the other, so that a table is
    /// computed once for all days that have it in common.
    fn visit(&self, mut visit: impl FnMut(usize, &mut dyn Iterator<Item = (&Stream, &Counts)>)) {
        let a_day = DAY_MINUTES as usize;
        let days = self.horizon.minutes() / a_day;
        let mut tables: Vec<Vec<Counts>> = self.streams.iter().map(|_| Vec::new()).collect();
        let mut used = vec![0; self.streams.len()];
        for minute in 0..a_day {
            for (stream, tables) in self.streams.iter().zip(&mut tables) {
                let of = |day: usize| stream.expected(day * a_day + minute);
                tables.retain(|table| (0..days.min(7)).any(|day| of(day) == table.minute.expected));
            }
            for day in 0..days {
                let at = day * a_day + minute;
                let kept = self.streams.iter().zip(&mut tables).zip(&mut used);
                for ((stream, tables), used) in kept {
                    let expected = stream.expected(at);
                    let known = tables
                        .iter()
                        .position(|one| one.minute.expected == expected);
                    *used = known.unwrap_or_else(|| {
                        tables.push(Counts::of(expected));
                        tables.len() - 1
                    });
                }
                let counts = tables
                    .iter()
                    .zip(&used)
                    .map(|(tables, used)| &tables[*used]);
                visit(at, &mut self.streams.iter().zip(counts));
            }
        }
    }
}

/// Calls of one shape that consume the same; or kinds of calls of which so few come that each call
/// is drawn by itself.
#[derive(Debug)]
struct Stream {
    /// Calls that are expected in a minute, on average over the week,
    mean: f64,
    /// and by how much each minute differs from it.
    factors: Arc<[f64]>,
    /// Half units of a call, with cumulative shares.
    classes: Vec<(u64, f64)>,
    seed: u64,
}

/// Kinds of calls of which fewer are expected in a minute, on average over the week, are drawn
/// together.
const FEW: f64 = 2.0;

/// The streams of a shape: a Poisson process whose calls are of several kinds is one process for each
/// kind, independent of each other.
fn streams(arrivals: &Arrivals, seed: u64) -> Vec<Stream> {
    let factors = arrivals.shape.by_minute(arrivals.course);
    let (rare, often): (Vec<_>, Vec<_>) = classes(&arrivals.calls)
        .into_iter()
        .partition(|(_, share)| arrivals.per_second * 60.0 * share < FEW);
    let each = often.into_iter().map(|class| vec![class]);
    let together = Some(rare).filter(|rare| !rare.is_empty());
    each.chain(together)
        .enumerate()
        .map(|(at, mut classes)| {
            let share: f64 = classes.iter().map(|(_, share)| share).sum();
            let mut sum = 0.0;
            for (_, part) in &mut classes {
                sum += *part / share;
                *part = sum;
            }
            Stream {
                mean: arrivals.per_second * 60.0 * share,
                factors: factors.clone(),
                classes,
                seed: mixed(seed, at as u64),
            }
        })
        .collect()
}

/// The distinct half units of calls that consume any, in ascending order, with their shares.
fn classes(calls: &[(u64, f64)]) -> Vec<(u64, f64)> {
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
    merged
}

/// What is drawn of a minute: each with random numbers of its own.
#[derive(Clone, Copy)]
enum Draw {
    /// How many calls come.
    Calls,
    /// What each of them consumes.
    Units,
    /// On which steps they fall.
    Steps,
}

impl Stream {
    /// Calls that are expected in a minute.
    fn expected(&self, minute: usize) -> f64 {
        let expected = self.factors[minute % self.factors.len()] * self.mean;
        expected.min(EXPECTED_MAX)
    }

    fn random(&self, minute: usize, draw: Draw) -> Pcg64Mcg {
        let high = mixed(self.seed, minute as u64 * 4 + draw as u64);
        let low = mixed(high, 0);
        Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low))
    }

    fn calls(&self, minute: usize, counts: &Counts) -> u64 {
        counts.minute.draw(&mut self.random(minute, Draw::Calls))
    }

    /// What each call of a minute consumes.
    fn each(&self, minute: usize, calls: u64) -> impl Iterator<Item = u64> {
        let mut random = self.random(minute, Draw::Units);
        (0..calls).map(move |_| pick(&self.classes, uniform(&mut random)))
    }

    /// The demand of a minute, and the most that one of its seconds may have.
    fn minute(&self, minute: usize, counts: &Counts) -> Minute {
        let calls = self.calls(minute, counts);
        match self.classes.as_slice() {
            [(halves, _)] => Minute {
                sum: calls.saturating_mul(*halves),
                highest: calls.min(calls_max(calls)).saturating_mul(*halves),
            },
            _ => {
                let sum = self.each(minute, calls).fold(0, u64::saturating_add);
                Minute { sum, highest: sum }
            }
        }
    }

    /// Adds the half units of each step of a minute.
    fn add_steps(&self, minute: usize, counts: &Counts, steps: &mut [u64]) {
        if let [step] = steps {
            *step = step.saturating_add(self.minute(minute, counts).sum);
            return;
        }
        let calls = self.calls(minute, counts);
        let mut random = self.random(minute, Draw::Steps);
        match self.classes.as_slice() {
            [(halves, _)] => {
                let mut calls_of = [0; SECONDS];
                counts.divide(calls, &mut calls_of, &mut random);
                let seconds = calls_of.chunks(SECONDS / steps.len().clamp(1, SECONDS));
                for (step, calls) in steps.iter_mut().zip(seconds) {
                    let calls: u64 = calls.iter().sum();
                    *step = step.saturating_add(calls.saturating_mul(*halves));
                }
            }
            _ => {
                for halves in self.each(minute, calls) {
                    let step = &mut steps[below(steps.len(), random.next_u32())];
                    *step = step.saturating_add(halves);
                }
            }
        }
    }
}

/// A number between 0 and 1.
fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A whole number below another, from 32 random bits.
fn below(end: usize, bits: u32) -> usize {
    ((u64::from(bits) * end as u64) >> 32) as usize
}

fn pick(classes: &[(u64, f64)], at: f64) -> u64 {
    let found = classes.partition_point(|(_, up_to)| *up_to <= at);
    classes[found.min(classes.len() - 1)].0
}

/// The most calls of a minute that are expected: no table serves as many, and sums of as many fit.
const EXPECTED_MAX: f64 = 1e15;

/// Steps of a minute that is divided.
const SECONDS: usize = 60;

/// Up to this many expected calls of a minute are put on its steps one by one.
const ONE_BY_ONE: f64 = 200.0;

/// Draws of the number of calls of a minute, and of its steps.
struct Counts {
    minute: PoissonDraws,
    /// Computed once steps are drawn: most minutes are drawn without them.
    step: OnceCell<PoissonDraws>,
}

impl Counts {
    /// For the number of calls that is expected in a minute.
    fn of(expected: f64) -> Counts {
        Counts {
            minute: PoissonDraws::new(expected),
            step: OnceCell::new(),
        }
    }

    /// Draws of a step, as if a few calls fewer came, so that in few minutes one must be taken back.
    fn of_step(expected: f64) -> PoissonDraws {
        let mean = expected / SECONDS as f64;
        PoissonDraws::new(if expected <= ONE_BY_ONE {
            0.0
        } else if mean > TABLE_MAX {
            mean
        } else {
            mean - 3.0 * expected.sqrt() / SECONDS as f64
        })
    }

    /// Divides calls among the steps of a minute: as independent Poisson numbers, given their sum.
    ///
    /// The calls of independent steps, given how many they are, fall on the steps evenly and
    /// independently, and so do those that are added to them or taken from them at random.
    ///
    /// Of more than 64 expected calls a second, whose numbers are nearly normal, the difference is
    /// divided evenly: the variance of a second is then that of the expected calls, not of those that
    /// came. It is right within 1 % over all minutes, and within 6 % in a minute three standard
    /// deviations off, whose busiest second has half a call more or less.
    fn divide(&self, calls: u64, steps: &mut [u64; SECONDS], random: &mut Pcg64Mcg) {
        let of_step = self
            .step
            .get_or_init(|| Counts::of_step(self.minute.expected));
        if of_step.expected > 0.0 {
            of_step.fill(steps, random);
        }
        let mut drawn: u64 = steps.iter().sum();
        if of_step.expected > TABLE_MAX {
            let more = (calls as i64 - drawn as i64).div_euclid(SECONDS as i64);
            steps
                .iter_mut()
                .for_each(|step| *step = step.saturating_add_signed(more));
            drawn = steps.iter().sum();
        }
        if drawn > calls {
            take(steps, drawn - calls, random);
        }
        put(steps, calls.saturating_sub(drawn), random);
        let most = calls_max(calls);
        if steps.iter().any(|step| *step > most) {
            level(steps, most);
        }
    }
}

/// The most calls of a second, given those of its minute, so that it is known of a minute whose
/// seconds were not drawn. More would come in less than one of a trillion minutes.
fn calls_max(of_minute: u64) -> u64 {
    let mean = of_minute as f64 / SECONDS as f64;
    (mean + 8.0 * mean.sqrt() + 13.0) as u64
}

/// Moves what a step has above the most to the steps that have least.
fn level(steps: &mut [u64; SECONDS], most: u64) {
    for at in 0..steps.len() {
        while steps[at] > most {
            if let Some(least) = steps.iter_mut().min() {
                *least += 1;
            }
            steps[at] -= 1;
        }
    }
}

/// Adds calls to random steps.
fn put(steps: &mut [u64; SECONDS], calls: u64, random: &mut Pcg64Mcg) {
    for _ in 0..calls / 2 {
        let bits = random.next_u64();
        steps[below(SECONDS, bits as u32)] += 1;
        steps[below(SECONDS, (bits >> 32) as u32)] += 1;
    }
    if !calls.is_multiple_of(2) {
        steps[below(SECONDS, random.next_u32())] += 1;
    }
}

/// Takes random calls from their steps.
fn take(steps: &mut [u64; SECONDS], calls: u64, random: &mut Pcg64Mcg) {
    let most = steps.iter().copied().max().unwrap_or(0);
    for _ in 0..calls {
        loop {
            let step = &mut steps[below(SECONDS, random.next_u32())];
            if uniform(random) * (most as f64) < *step as f64 {
                *step -= 1;
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Course;
    use rand_core::SeedableRng;

    fn calls(per_second: f64, course: Course, horizon: &Horizon) -> RandomCalls {
        // No calls at midnight.
        let shape = (0..168).map(|hour| f64::from(hour % 24) / 12.0);
        let arrivals = Arrivals {
            per_second,
            shape: shape.collect(),
            course,
            calls: vec![(3, 0.25), (3, 0.5), (20, 0.01), (7, 0.001)],
        };
        RandomCalls::of(&[arrivals], horizon, "t")
    }

    fn all_steps(calls: &RandomCalls) -> Vec<u64> {
        let mut all = vec![0; calls.horizon.steps()];
        calls.steps(|minute, steps| {
            all[minute * steps.len()..][..steps.len()].copy_from_slice(steps);
        });
        all
    }

    #[test]
    fn a_minute_is_the_same_alone_in_its_week_and_without_its_steps() {
        for (per_second, days) in [(0.05, 7), (3.0, 7), (90.0, 9), (6_000.0, 1), (1e30, 1)] {
            for course in [Course::Steps, Course::Smooth] {
                let horizon = Horizon {
                    days,
                    step_seconds: 1,
                    seed: 7,
                };
                let all = calls(per_second, course, &horizon);
                let (minutes, steps) = (all.minutes(), all_steps(&all));
                let mut alone = Vec::new();
                for (at, (minute, of_minute)) in minutes.iter().zip(steps.chunks(60)).enumerate() {
                    let sum = of_minute.iter().copied().fold(0, u64::saturating_add);
                    assert_eq!(minute.sum, sum, "{per_second} {course:?}: {at}");
                    assert!(of_minute.iter().all(|step| *step <= minute.highest));
                    all.steps_of(at, &mut alone);
                    assert_eq!(alone, of_minute, "{per_second} {course:?}: {at}");
                }
                let by_ten = Horizon {
                    step_seconds: 10,
                    ..horizon
                };
                let by_ten = calls(per_second, course, &by_ten);
                let (bounds, steps) = (by_ten.minutes(), all_steps(&by_ten));
                for (bound, of_minute) in bounds.iter().zip(steps.chunks(6)) {
                    let sum = of_minute.iter().copied().fold(0, u64::saturating_add);
                    assert_eq!(bound.sum, sum);
                    assert!(of_minute.iter().all(|step| *step <= bound.highest));
                }
                let by_minutes = Horizon {
                    step_seconds: 60,
                    ..horizon
                };
                let sums: Vec<u64> = minutes.iter().map(|minute| minute.sum).collect();
                assert_eq!(all_steps(&calls(per_second, course, &by_minutes)), sums);
            }
        }
    }

    /// The steps of minutes with a given number of calls must have the variance and the extremes of
    /// calls that are put on them one by one.
    #[test]
    fn calls_fall_on_steps_evenly_and_independently() {
        for expected in [150.0, 400.0, 3_000.0, 20_000.0] {
            let counts = Counts::of(expected);
            let calls = (expected + expected.sqrt()) as u64;
            let mut random = Pcg64Mcg::seed_from_u64(1);
            let rounds = 2_000;
            let moments = |divide: &mut dyn FnMut(&mut [u64; SECONDS])| {
                let (mut square, mut highest) = (0.0, 0.0);
                for _ in 0..rounds {
                    let mut steps = [0; SECONDS];
                    divide(&mut steps);
                    assert_eq!(steps.iter().sum::<u64>(), calls);
                    let mean = calls as f64 / SECONDS as f64;
                    square += steps
                        .iter()
                        .map(|step| (*step as f64 - mean).powi(2))
                        .sum::<f64>();
                    highest += steps.iter().copied().max().unwrap_or(0) as f64;
                }
                (square / f64::from(rounds), highest / f64::from(rounds))
            };
            let found = moments(&mut |steps| counts.divide(calls, steps, &mut random));
            let mut other = Pcg64Mcg::seed_from_u64(2);
            let wanted = moments(&mut |steps| put(steps, calls, &mut other));
            assert!(
                (found.0 / wanted.0 - 1.0).abs() < 0.03,
                "{expected}: {found:?}, not {wanted:?}"
            );
            assert!(
                (found.1 / wanted.1 - 1.0).abs() < 0.01,
                "{expected}: {found:?}, not {wanted:?}"
            );
        }
    }
}
