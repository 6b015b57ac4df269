//! Demand as the ledger executes it: units in equal steps of time, from a week's rates or from a
//! trace.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

pub use super::arrivals::{Arrivals, Horizon, seed_of};
use super::draws::RandomCalls;
pub use super::factors::Factors;
pub use super::fingerprint::Fingerprint;
pub use super::minute::Minute;
use super::minute::steps_a_minute;
use super::step_list::StepList;
use super::steps::Steps;
use crate::table::Direction;
use crate::units::Exact;

/// The demand of each minute and of its steps, in half units.
///
/// Half units, because an eventually consistent read of 4 KB is half a unit; integers, so that sums
/// do not depend on how a trace was divided.
///
/// Of demand that is drawn, the steps of a minute are drawn when they are looked at. They are the
/// same whether one minute is looked at or all of them.
#[derive(Clone, Debug)]
pub struct Series {
    /// Seconds of a step, which divide a minute: 1, or 60 if only minutes are known.
    pub step_seconds: u64,
    /// The minute of the week at which it starts, counted from Monday 00:00 UTC; 0 for a drawn
    /// series.
    pub start_minute: u64,
    demand: SeriesDemand,
}

/// Where the demand of a series comes from.
#[derive(Clone, Debug)]
enum SeriesDemand {
    /// All steps are known.
    Known(Arc<KnownSteps>),
    /// Steps are drawn.
    Drawn(Arc<DrawnSteps>),
}

/// The demand of all steps, and of their minutes.
#[derive(Debug)]
struct KnownSteps {
    /// The demand of each whole minute.
    minutes: Vec<Minute>,
    /// Half units of each step.
    steps: StepList,
}

/// Calls whose steps can be drawn.
#[derive(Debug)]
struct DrawnSteps {
    calls: RandomCalls,
    /// The demand of each minute, of which the busiest step is not known, but the most that it may have.
    minutes: Vec<Minute>,
    /// How many times a minute was drawn alone.
    alone: AtomicU64,
    /// All steps, once all were drawn.
    all: OnceLock<KnownSteps>,
}

impl DrawnSteps {
    fn new(calls: RandomCalls) -> DrawnSteps {
        DrawnSteps {
            minutes: calls.minutes(),
            calls,
            alone: AtomicU64::new(0),
            all: OnceLock::new(),
        }
    }

    fn all(&self) -> &KnownSteps {
        self.all.get_or_init(|| {
            let (mut minutes, mut steps) = (
                self.minutes.clone(),
                StepList::zeros(self.calls.steps_in_all()),
            );
            self.calls.steps(|minute, of_minute| {
                steps.set(minute * of_minute.len(), of_minute);
                minutes[minute] = Minute::of(of_minute);
            });
            KnownSteps { minutes, steps }
        })
    }

    /// Whether a minute is to be drawn alone: as long as that is less work than to draw all.
    fn is_drawn_alone(&self, minute: usize) -> bool {
        minute < self.minutes.len()
            && self.all.get().is_none()
            && self.alone.fetch_add(1, Ordering::Relaxed) < self.minutes.len() as u64 / ALONE
    }
}

/// One of this many minutes may be drawn alone before all are drawn, which takes less for each.
const ALONE: u64 = 4;

impl PartialEq for Series {
    fn eq(&self, other: &Series) -> bool {
        (self.step_seconds, self.start_minute, self.halves())
            == (other.step_seconds, other.start_minute, other.halves())
    }
}

impl Eq for Series {}

impl Series {
    /// A series with the given half units in each step of `step_seconds`, starting at a minute of
    /// the week.
    pub fn new(step_seconds: u64, start_minute: u64, halves: Vec<u64>) -> Series {
        let steps = steps_a_minute(step_seconds) as usize;
        let known = KnownSteps {
            minutes: halves.chunks_exact(steps).map(Minute::of).collect(),
            steps: StepList::of(halves),
        };
        Series {
            step_seconds,
            start_minute,
            demand: SeriesDemand::Known(Arc::new(known)),
        }
    }

    /// A series of random calls.
    fn drawn(calls: RandomCalls, horizon: &Horizon) -> Series {
        Series {
            step_seconds: horizon.step_seconds,
            start_minute: 0,
            demand: SeriesDemand::Drawn(Arc::new(DrawnSteps::new(calls))),
        }
    }

    /// A series of the same length without demand.
    #[must_use]
    pub fn idle(&self) -> Series {
        let steps = self.minutes() as usize * self.steps_a_minute();
        Series::new(self.step_seconds, self.start_minute, vec![0; steps])
    }

    /// Half units of each step. Of demand that is drawn, all steps are drawn.
    pub fn halves(&self) -> Vec<u64> {
        self.known().steps.to_vec()
    }

    /// All steps, which are drawn if they were not.
    fn known(&self) -> &KnownSteps {
        match &self.demand {
            SeriesDemand::Known(known) => known,
            SeriesDemand::Drawn(drawn) => drawn.all(),
        }
    }

    /// The demand of each whole minute, with that of its busiest step. Of demand that is drawn, all
    /// steps are drawn.
    pub fn known_minutes(&self) -> &[Minute] {
        &self.known().minutes
    }

    /// The demand of each whole minute; no steps are drawn for it.
    pub fn all_minutes(&self) -> &[Minute] {
        match &self.demand {
            SeriesDemand::Known(known) => &known.minutes,
            SeriesDemand::Drawn(drawn) => match drawn.all.get() {
                Some(known) => &known.minutes,
                None => &drawn.minutes,
            },
        }
    }

    /// Half units of each whole minute.
    pub fn sums(&self) -> impl Iterator<Item = u64> {
        self.all_minutes().iter().map(|minute| minute.sum)
    }

    /// The demand of a minute; no steps are drawn for it.
    pub fn minute(&self, at: usize) -> Option<Minute> {
        self.all_minutes().get(at).copied()
    }

    /// Half units of each step of a minute; `room` may be used to draw them.
    pub fn steps<'a>(&'a self, minute: usize, room: &'a mut Vec<u64>) -> Option<&'a [u64]> {
        let steps = self.steps_a_minute();
        let first = minute.checked_mul(steps)?;
        let range = first..first.checked_add(steps)?;
        if let SeriesDemand::Drawn(drawn) = &self.demand
            && drawn.is_drawn_alone(minute)
        {
            drawn.calls.steps_of(minute, room);
            return Some(room);
        }
        self.known().steps.get(range, room)
    }

    /// Units a second of the busiest hour.
    pub fn peak_hour(&self) -> Exact {
        self.by_hour().into_iter().max().unwrap_or_else(Exact::zero)
    }

    /// Units a second of each hour on average.
    pub fn by_hour(&self) -> Vec<Exact> {
        let mean = |minutes: &[Minute]| {
            let sum: u128 = minutes.iter().map(|minute| u128::from(minute.sum)).sum();
            Exact::whole(sum) / Exact::from(120 * minutes.len() as u64)
        };
        self.all_minutes().chunks(60).map(mean).collect()
    }

    /// Whole minutes.
    pub fn minutes(&self) -> u64 {
        self.all_minutes().len() as u64
    }

    /// Seconds of all whole minutes.
    pub fn seconds(&self) -> u64 {
        60 * self.minutes()
    }

    /// Half units of all whole minutes.
    pub fn sum(&self) -> u128 {
        self.sums().map(u128::from).sum()
    }

    /// The busiest step, as units a second, rounded up.
    pub fn peak_units(&self) -> u64 {
        let highest = self.known_minutes().iter().map(|minute| minute.highest);
        highest
            .max()
            .map_or(0, |halves| halves.div_ceil(self.unit()))
    }

    /// The busiest minute, as units a second, rounded up.
    pub fn peak_minute_units(&self) -> u64 {
        let busiest = self.sums().max();
        busiest.map_or(0, |halves| halves.div_ceil(120))
    }
}

impl Steps for Series {
    fn step_seconds(&self) -> u64 {
        self.step_seconds
    }

    fn start_minute(&self) -> u64 {
        self.start_minute
    }

    fn minutes(&self) -> u64 {
        Series::minutes(self)
    }

    fn minute(&self, at: u64) -> Option<Minute> {
        Series::minute(self, usize::try_from(at).ok()?)
    }

    fn all_minutes(&self) -> Option<&[Minute]> {
        Some(Series::all_minutes(self))
    }

    fn steps<'a>(&'a self, at: u64, room: &'a mut Vec<u64>) -> Option<&'a [u64]> {
        Series::steps(self, usize::try_from(at).ok()?, room)
    }
}

/// Draws the demand of calls: their number is Poisson distributed, and each call consumes units
/// according to the shares.
pub fn draw(arrivals: &[Arrivals], horizon: &Horizon, account: &str) -> Series {
    Series::drawn(RandomCalls::of(arrivals, horizon, account), horizon)
}

/// A cache of drawn series, so that few are drawn twice; or the series of a trace, which are not
/// drawn.
#[derive(Debug, Default)]
pub struct DrawnSeries {
    kept: Mutex<Kept>,
    traced: Option<BTreeMap<String, Arc<Series>>>,
}

/// Everything that a series depends on.
type SeriesKey = (String, Fingerprint, Horizon);

/// The series that were used last.
#[derive(Debug, Default)]
struct Kept {
    /// The one that was used last comes last.
    recent: VecDeque<(SeriesKey, Arc<Series>)>,
    /// Steps of all of them together, whether they are drawn or not.
    steps: usize,
}

/// The most steps that are kept of all series together: 100 MB if all are drawn.
const KEPT_STEPS: usize = 25_000_000;

impl Kept {
    fn find(&mut self, asked: &SeriesKey) -> Option<Arc<Series>> {
        let at = self.recent.iter().position(|(key, _)| key == asked)?;
        let found = self.recent.remove(at)?;
        let kept = found.1.clone();
        self.recent.push_back(found);
        Some(kept)
    }

    fn keep(&mut self, asked: SeriesKey, new: Series) -> Arc<Series> {
        let new = Arc::new(new);
        self.steps += asked.2.steps();
        self.recent.push_back((asked, new.clone()));
        while self.steps > KEPT_STEPS && self.recent.len() > 1 {
            let Some(((.., horizon), _)) = self.recent.pop_front() else {
                break;
            };
            self.steps -= horizon.steps();
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
            Arrivals::fingerprint(arrivals),
            *horizon,
        );
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = kept().find(&asked) {
            return series;
        }
        let new = draw(arrivals, horizon, account);
        kept().keep(asked, new)
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
    use crate::time::WEEK_MINUTES;

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
                let count = series.halves().len() as f64;
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
                    .halves()
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
