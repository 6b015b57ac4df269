//! Demand as the ledger executes it: units in equal steps of time, from a week's rates or from a
//! trace.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{Discrete, Poisson};

use super::shape::Course;
pub use super::shape::WEEK_MINUTES;
use crate::table::Direction;
use crate::units::Exact;

/// The demand of each step, in half units.
///
/// Half units, because an eventually consistent read of 4 KB is half a unit; integers, so that sums
/// do not depend on how a trace was divided.
#[derive(Clone, Debug)]
pub struct Series {
    /// Seconds of a step: 1, or 60 if only minutes are known.
    pub step_seconds: u64,
    /// The minute of the week at which it starts, counted from Monday 00:00 UTC; 0 for a drawn
    /// series.
    pub start_minute: u64,
    halves: Vec<u64>,
    /// The demand of each minute, computed on first use.
    minutes: OnceLock<Vec<Minute>>,
}

/// The demand of a minute, in half units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Of the whole minute.
    pub sum: u64,
    /// Of its busiest step.
    pub highest: u64,
}

impl PartialEq for Series {
    fn eq(&self, other: &Series) -> bool {
        (self.step_seconds, self.start_minute, &self.halves)
            == (other.step_seconds, other.start_minute, &other.halves)
    }
}

impl Eq for Series {}

impl Series {
    /// A series with the given half units in each step of `step_seconds`, starting at a minute of
    /// the week.
    pub fn new(step_seconds: u64, start_minute: u64, halves: Vec<u64>) -> Series {
        Series {
            step_seconds,
            start_minute,
            halves,
            minutes: OnceLock::new(),
        }
    }

    /// A series of the same length without demand.
    #[must_use]
    pub fn idle(&self) -> Series {
        Series::new(
            self.step_seconds,
            self.start_minute,
            vec![0; self.halves.len()],
        )
    }

    /// Half units of each step.
    pub fn halves(&self) -> &[u64] {
        &self.halves
    }

    /// The demand of each whole minute.
    pub fn by_minute(&self) -> &[Minute] {
        let minute = |steps: &[u64]| Minute {
            sum: steps
                .iter()
                .fold(0, |sum: u64, halves| sum.saturating_add(*halves)),
            highest: steps.iter().copied().max().unwrap_or(0),
        };
        self.minutes.get_or_init(|| {
            self.halves
                .chunks_exact(self.steps_a_minute())
                .map(minute)
                .collect()
        })
    }

    /// Units a second of the busiest hour.
    pub fn peak_hour(&self) -> Exact {
        let hour = self.steps_a_minute() * 60;
        let mean = |steps: &[u64]| {
            let sum: u128 = steps.iter().map(|halves| u128::from(*halves)).sum();
            Exact::whole(sum) / Exact::from(2 * steps.len() as u64 * self.step_seconds)
        };
        self.halves
            .chunks(hour.max(1))
            .map(mean)
            .max()
            .unwrap_or_else(Exact::zero)
    }

    /// Steps of a minute.
    pub fn steps_a_minute(&self) -> usize {
        (60 / self.step_seconds.clamp(1, 60)) as usize
    }

    /// Whole minutes.
    pub fn minutes(&self) -> u64 {
        (self.halves.len() / self.steps_a_minute()) as u64
    }

    /// Half units of all steps.
    pub fn sum(&self) -> u128 {
        self.halves.iter().map(|halves| u128::from(*halves)).sum()
    }

    /// The busiest step, as units a second, rounded up.
    pub fn peak_units(&self) -> u64 {
        self.halves
            .iter()
            .max()
            .map_or(0, |halves| halves.div_ceil(2 * self.step_seconds))
    }

    /// The busiest minute, as units a second, rounded up.
    pub fn peak_minute_units(&self) -> u64 {
        self.halves
            .chunks(self.steps_a_minute())
            .map(|minute| minute.iter().sum::<u64>().div_ceil(120))
            .max()
            .unwrap_or(0)
    }
}

/// How long and how finely demand is simulated, and from which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon {
    /// Whole days.
    pub days: u64,
    /// Seconds of a step: 1 or 60.
    pub step_seconds: u64,
    /// The seed of all draws.
    pub seed: u64,
}

impl Default for Horizon {
    /// A week, second by second.
    fn default() -> Horizon {
        Horizon {
            days: 7,
            step_seconds: 1,
            seed: 1,
        }
    }
}

/// Calls that arrive at random, and the units per call.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrivals {
    /// Calls a second, on average over the week.
    pub per_second: f64,
    /// The rate of each hour of the week, or of each minute, divided by its mean.
    pub shape: Arc<[f64]>,
    /// How the rate goes from one hour to the next.
    pub course: Course,
    /// Half units of a call, with the share of calls that consume them; if the shares add up to
    /// less than 1, the other calls consume nothing.
    pub calls: Vec<(u64, f64)>,
}

impl Arrivals {
    /// Everything that a draw depends on, as bits.
    pub fn bits(&self) -> impl Iterator<Item = u64> {
        let calls = self
            .calls
            .iter()
            .flat_map(|(halves, share)| [*halves, share.to_bits()]);
        let course = u64::from(self.course == Course::Smooth);
        [self.per_second.to_bits(), course]
            .into_iter()
            .chain(self.shape.iter().map(|factor| factor.to_bits()))
            .chain(calls)
    }

    /// The rate of a minute of the week: that of its hour, or, if the course is smooth,
    /// interpolated between the middles of two hours. The mean over the week is the same either
    /// way.
    pub fn rate(&self, minute: u64) -> f64 {
        let hours = self.shape.len().max(1) as u64;
        if self.course == Course::Steps {
            let each = (WEEK_MINUTES / hours).max(1);
            return self.per_second * self.shape[((minute / each) % hours) as usize];
        }
        let from_middle = minute + hours * 60 - 30;
        let (hour, past) = ((from_middle / 60) % hours, from_middle % 60);
        let (before, after) = (
            self.shape[hour as usize],
            self.shape[((hour + 1) % hours) as usize],
        );
        self.per_second * (before + (after - before) * past as f64 / 60.0)
    }
}

/// Draws the units of every step: the number of calls is Poisson distributed, and each call
/// consumes units according to the shares.
pub fn draw(arrivals: &[Arrivals], horizon: &Horizon, account: &str) -> Series {
    draw_into(Vec::new(), arrivals, horizon, account)
}

/// The same, in memory that another series has used.
fn draw_into(
    mut halves: Vec<u64>,
    arrivals: &[Arrivals],
    horizon: &Horizon,
    account: &str,
) -> Series {
    let groups = grouped(arrivals);
    let steps_a_minute = (60 / horizon.step_seconds) as usize;
    halves.clear();
    halves.resize(horizon.days as usize * DAY_MINUTES * steps_a_minute, 0);
    for (at, group) in groups.iter().enumerate() {
        let mut random = Pcg64Mcg::seed_from_u64(seed_of(horizon.seed, account, at));
        let units_per_call = UnitsPerCall::new(&group.calls);
        let mut tables = CountTables::new();
        for (minute, steps) in halves.chunks_mut(steps_a_minute).enumerate() {
            let counts = tables.of(
                minute,
                group.rate(minute as u64 % WEEK_MINUTES)
                    * units_per_call.share
                    * horizon.step_seconds as f64,
            );
            for step in steps {
                let calls = counts.draw(&mut random);
                *step += units_per_call.of(calls, &mut random);
            }
        }
    }
    Series::new(horizon.step_seconds, 0, halves)
}

/// Merges arrivals of the same shape: adds their rates and combines their shares.
fn grouped(arrivals: &[Arrivals]) -> Vec<Arrivals> {
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
    groups
}

/// A cache of drawn series, so that few are drawn twice; or the series of a trace, which are not
/// drawn.
#[derive(Debug, Default)]
pub struct DrawnSeries {
    kept: Mutex<KeptSeries>,
    traced: Option<BTreeMap<String, Arc<Series>>>,
}

/// Everything that a series depends on.
type SeriesKey = (String, Vec<u64>, Horizon);

/// The series that were used last.
#[derive(Debug, Default)]
struct KeptSeries {
    /// The one that was used last comes last.
    recent: VecDeque<(SeriesKey, Arc<Series>)>,
    /// Steps of all of them together.
    steps: usize,
    /// The memory of series that are no longer kept, for others: a search draws hundreds, and new
    /// memory takes longer than the draws.
    spare: Vec<Vec<u64>>,
}

/// The most steps that are kept of all series together: 200 MB.
const KEPT_STEPS: usize = 25_000_000;

/// How many unused series are kept as memory for others.
const SPARE_MAX: usize = 4;

impl KeptSeries {
    fn find(&mut self, asked: &SeriesKey) -> Option<Arc<Series>> {
        let at = self.recent.iter().position(|(key, _)| key == asked)?;
        let found = self.recent.remove(at)?;
        let series = found.1.clone();
        self.recent.push_back(found);
        Some(series)
    }

    fn keep(&mut self, asked: SeriesKey, series: Arc<Series>) {
        self.steps += series.halves.len();
        self.recent.push_back((asked, series));
        while self.steps > KEPT_STEPS && self.recent.len() > 1 {
            let Some((_, oldest)) = self.recent.pop_front() else {
                return;
            };
            self.steps -= oldest.halves.len();
            if self.spare.len() < SPARE_MAX
                && let Some(series) = Arc::into_inner(oldest)
            {
                self.spare.push(series.halves);
            }
        }
    }
}

impl DrawnSeries {
    /// The series of a trace, by [`account_name`]; an account that it does not contain was idle.
    pub fn traced(series: BTreeMap<String, Arc<Series>>) -> DrawnSeries {
        DrawnSeries {
            traced: Some(series),
            ..DrawnSeries::default()
        }
    }

    /// The name of an account direction's series. A trace has one for each region; drawn calls do
    /// not depend on the region, so that the same traffic costs elsewhere differs by its prices
    /// alone, and what is written to a global table is the same in every region.
    pub fn name(
        &self,
        table: &str,
        index: Option<&str>,
        region: &str,
        direction: Direction,
    ) -> String {
        let region = if self.traced.is_some() { region } else { "" };
        account_name(table, index, region, direction)
    }

    /// The series of an account direction in a trace; `None` if series are drawn.
    pub fn of_trace(&self, account: &str) -> Option<Arc<Series>> {
        let traced = self.traced.as_ref()?;
        let idle = || traced.values().next().map(|other| other.idle());
        traced
            .get(account)
            .cloned()
            .or_else(|| idle().map(Arc::new))
    }

    /// The series of an account direction.
    pub fn series(&self, account: &str, arrivals: &[Arrivals], horizon: &Horizon) -> Arc<Series> {
        if let Some(series) = self.of_trace(account) {
            return series;
        }
        let asked = (
            account.to_string(),
            arrivals.iter().flat_map(Arrivals::bits).collect(),
            *horizon,
        );
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = kept().find(&asked) {
            return series;
        }
        let memory = kept().spare.pop().unwrap_or_default();
        let series = Arc::new(draw_into(memory, arrivals, horizon, account));
        kept().keep(asked, series.clone());
        series
    }
}

/// The name of an account direction in a region.
pub fn account_name(
    table: &str,
    index: Option<&str>,
    region: &str,
    direction: Direction,
) -> String {
    format!(
        "{table}/{}/{region}/{}",
        index.unwrap_or_default(),
        direction.word()
    )
}

/// A separate seed for each account and group (FNV-1a), so that a change to one does not affect the
/// others.
pub fn seed_of(seed: u64, account: &str, group: usize) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    account
        .bytes()
        .chain((group as u64).to_le_bytes())
        .fold(start, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
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
            [(halves, _)] => calls * halves,
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

const DAY_MINUTES: usize = 1440;

/// Poisson draws of one expected value: by inversion from a table, or by a corrected normal.
struct Counts {
    expected: f64,
    /// Cumulative probabilities of `first`, `first + 1`, …
    table: Vec<f64>,
    first: u64,
    /// Where the lookup of a number between 0 and 1 starts, by its first eight bits; as long as
    /// the table is not empty.
    guide: Vec<u16>,
    /// The standard deviation.
    deviation: f64,
}

/// How many starts of lookups a table has.
const GUIDE: usize = 256;

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
        let mut from = 0;
        counts.guide = (0..GUIDE)
            .map(|bits| {
                let table = &counts.table;
                while from + 1 < table.len() && table[from] <= bits as f64 / GUIDE as f64 {
                    from += 1;
                }
                from as u16
            })
            .collect();
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
    use statrs::distribution::{ContinuousCDF, DiscreteCDF, Normal};

    fn flat(per_second: f64, calls: &[(u64, f64)]) -> Arrivals {
        Arrivals {
            per_second,
            shape: vec![1.0; 168].into(),
            course: Course::Steps,
            calls: calls.to_vec(),
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_seconds_and_another_gives_others() {
        let arrivals = [flat(3.0, &[(1, 0.5), (2, 0.5)])];
        let of = |seed, account| {
            draw(
                &arrivals,
                &Horizon {
                    days: 1,
                    step_seconds: 1,
                    seed,
                },
                account,
            )
        };
        assert_eq!(of(1, "a"), of(1, "a"));
        assert_ne!(of(1, "a"), of(2, "a"));
        assert_ne!(of(1, "a"), of(1, "b"));
    }

    #[test]
    fn draws_have_the_mean_and_the_variance_of_the_arrivals() {
        for per_second in [0.01, 2.0, 40.0, 180.0, 900.0, 50_000.0] {
            for calls in [vec![(2, 1.0)], vec![(1, 0.6), (9, 0.3)]] {
                let series = draw(
                    &[flat(per_second, &calls)],
                    &Horizon {
                        days: 2,
                        ..Horizon::default()
                    },
                    "t",
                );
                let count = series.halves.len() as f64;
                let moment = |power: i32| {
                    calls
                        .iter()
                        .map(|(halves, share)| (*halves as f64).powi(power) * share)
                        .sum::<f64>()
                        * per_second
                };
                let (mean, variance) = (moment(1), moment(2));
                let found = series.sum() as f64 / count;
                let spread = series
                    .halves
                    .iter()
                    .map(|halves| (*halves as f64 - found).powi(2))
                    .sum::<f64>()
                    / count;
                // Six standard errors of either.
                assert!(
                    (found - mean).abs() < 6.0 * (variance / count).sqrt(),
                    "{per_second}: mean {found}, not {mean}"
                );
                assert!(
                    (spread / variance - 1.0).abs() < 0.05 + 20.0 / (count * per_second).sqrt(),
                    "{per_second}: {spread}, not {variance}"
                );
            }
        }
    }

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

    #[test]
    fn a_profile_is_followed_and_keeps_its_mean() {
        let mut shape = vec![0.5; 168];
        shape[10] = 84.5;
        let arrivals = |course| Arrivals {
            per_second: 2.0,
            shape: shape.clone().into(),
            course,
            calls: vec![(2, 1.0)],
        };
        let (steps, smooth) = (arrivals(Course::Steps), arrivals(Course::Smooth));
        for (minute, by_steps, smoothly) in [
            (10 * 60 + 30, 169.0, 169.0),
            (11 * 60, 1.0, 85.0),
            (10 * 60, 169.0, 85.0),
            (0, 1.0, 1.0),
        ] {
            assert_eq!(
                (steps.rate(minute), smooth.rate(minute)),
                (by_steps, smoothly),
                "{minute}"
            );
        }
        for arrivals in [steps, smooth] {
            let mean = (0..WEEK_MINUTES)
                .map(|minute| arrivals.rate(minute))
                .sum::<f64>()
                / WEEK_MINUTES as f64;
            assert!((mean - 2.0).abs() < 1e-9, "{mean}");
        }
    }
}
