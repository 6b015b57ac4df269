//! Demand as the ledger executes it: units in equal steps of time, from a week's rates or from a
//! trace.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use super::arrivals::{Arrivals, Horizon, seed_of};
use super::draws::{CallGroup, add_calls};
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

/// Draws the units of every step: the number of calls is Poisson distributed, and each call
/// consumes units according to the shares.
pub fn draw(arrivals: &[Arrivals], horizon: &Horizon, account: &str) -> Series {
    let drawn = DrawnSeries::default().series(account, arrivals, horizon);
    Arc::unwrap_or_clone(drawn)
}

/// A cache of drawn series, so that few are drawn twice; or the series of a trace, which are not
/// drawn.
#[derive(Debug, Default)]
pub struct DrawnSeries {
    kept: Mutex<Kept<Series>>,
    calls: Mutex<Kept<Vec<u32>>>,
    traced: Option<BTreeMap<String, Arc<Series>>>,
}

/// Everything that a series, or the numbers of its calls, depends on.
type SeriesKey = (String, Vec<u64>, Horizon);

/// What was used last, of what has a figure for each step.
#[derive(Debug)]
struct Kept<T> {
    /// The one that was used last comes last.
    recent: VecDeque<(SeriesKey, Arc<T>)>,
    /// Steps of all of them together.
    steps: usize,
    /// What is no longer kept, as memory for others: a comparison draws hundreds of series, and new
    /// memory takes longer than the draws.
    spare: Vec<T>,
}

/// The most steps that are kept of all series together: 200 MB, and half as much of numbers of calls.
const KEPT_STEPS: usize = 25_000_000;

/// How many unused series are kept as memory for others.
const SPARE_MAX: usize = 4;

impl<T> Default for Kept<T> {
    fn default() -> Kept<T> {
        Kept {
            recent: VecDeque::new(),
            steps: 0,
            spare: Vec::new(),
        }
    }
}

impl<T> Kept<T> {
    fn find(&mut self, asked: &SeriesKey) -> Option<Arc<T>> {
        let at = self.recent.iter().position(|(key, _)| key == asked)?;
        let found = self.recent.remove(at)?;
        let kept = found.1.clone();
        self.recent.push_back(found);
        Some(kept)
    }

    fn keep(&mut self, asked: SeriesKey, new: T) -> Arc<T> {
        let new = Arc::new(new);
        self.steps += asked.2.steps();
        self.recent.push_back((asked, new.clone()));
        while self.steps > KEPT_STEPS && self.recent.len() > 1 {
            let Some(((.., horizon), oldest)) = self.recent.pop_front() else {
                break;
            };
            self.steps -= horizon.steps();
            if self.spare.len() < SPARE_MAX {
                self.spare.extend(Arc::into_inner(oldest));
            }
        }
        new
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
        let mut halves = kept().spare.pop().map_or_else(Vec::new, |old| old.halves);
        halves.clear();
        for group in CallGroup::of(arrivals, horizon, account) {
            match group.each().zip(self.calls(&group, account, horizon)) {
                Some((each, calls)) => add_calls(&mut halves, &calls, each),
                None => group.add_to(&mut halves, horizon),
            }
        }
        halves.resize(horizon.steps(), 0);
        kept().keep(asked, Series::new(horizon.step_seconds, 0, halves))
    }

    /// The number of calls of each step, if all of them consume the same. They do not depend on how
    /// much that is, so a change to sizes or to the consistency of reads draws nothing.
    fn calls(&self, group: &CallGroup, account: &str, horizon: &Horizon) -> Option<Arc<Vec<u32>>> {
        let asked = (account.to_string(), group.bits(), *horizon);
        let kept = || self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = kept().find(&asked) {
            return Some(calls);
        }
        let room = kept().spare.pop().unwrap_or_default();
        let calls = group.calls(horizon, room)?;
        Some(kept().keep(asked, calls))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Course;

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
