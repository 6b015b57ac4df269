//! A series with other traffic: what the same calls would consume if there were more or fewer of
//! them.

use std::sync::Arc;

use super::series::{Arrivals, Minute, Series};
use super::steps::Steps;
use crate::time::WEEK_MINUTES;

/// The demand of an account direction, and what it is expected to be, so that it can be had at other
/// traffic without being drawn again.
///
/// With traffic multiplied by a factor f, calls that arrive at random have f times the mean and f
/// times the variance. The drawn demand X of a step with mean m therefore becomes
/// f·m + √f·(X − m): the same luck at other traffic, and in each step the more demand, the higher the
/// factor. The demand of a trace, of which only X is known, becomes f·X.
#[derive(Clone, Debug)]
pub struct Traffic {
    series: Arc<Series>,
    /// Half units of a step that are expected in each minute, and their standard deviation; `None`
    /// for a trace.
    expected: Option<Vec<Expected>>,
}

/// What a step of a minute is expected to demand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Expected {
    mean: f64,
    deviation: f64,
}

/// Parts of a half unit, so that rounding does not decide.
const PARTS: u64 = 1024;

/// Standard deviations below its mean that a step is not expected to reach.
const DEVIATIONS: f64 = 6.0;

impl Traffic {
    /// The demand that was drawn for arrivals.
    pub fn drawn(series: Arc<Series>, arrivals: &[Arrivals]) -> Traffic {
        let step = series.step_seconds as f64;
        let moments: Vec<(f64, f64)> = arrivals.iter().map(Arrivals::moments).collect();
        let expected = |minute: u64| {
            let (mut mean, mut variance) = (0.0, 0.0);
            for (one, (of_call, square)) in arrivals.iter().zip(&moments) {
                let calls = one.rate(minute % WEEK_MINUTES) * step;
                mean += calls * of_call;
                variance += calls * square;
            }
            Expected {
                mean,
                deviation: variance.sqrt(),
            }
        };
        let week: Vec<Expected> = (0..series.minutes().min(WEEK_MINUTES))
            .map(expected)
            .collect();
        Traffic {
            series,
            expected: Some(week),
        }
    }

    /// The demand of a trace.
    pub fn traced(series: Arc<Series>) -> Traffic {
        Traffic {
            series,
            expected: None,
        }
    }

    /// The demand at the traffic of the design.
    pub fn series(&self) -> &Arc<Series> {
        &self.series
    }

    /// Whether it is the demand of a trace.
    pub fn is_traced(&self) -> bool {
        self.expected.is_none()
    }

    /// Half units of a step that are expected in a minute; of a trace, those that it had.
    pub fn mean(&self, minute: u64) -> f64 {
        match self.expected(minute) {
            Some(expected) => expected.mean,
            None => {
                let steps = self.series.steps_a_minute().max(1) as f64;
                let at = usize::try_from(minute).unwrap_or(usize::MAX);
                let own = self.series.minute(at);
                own.map_or(0.0, |minute| minute.sum as f64 / steps)
            }
        }
    }

    fn expected(&self, minute: u64) -> Option<Expected> {
        let all = self.expected.as_ref()?;
        let at = usize::try_from(minute).ok()? % all.len().max(1);
        all.get(at).copied()
    }

    /// The busiest minute, in half units of a step.
    pub fn highest_mean(&self) -> f64 {
        (0..self.series.minutes())
            .map(|minute| self.mean(minute))
            .fold(0.0, f64::max)
    }

    /// Half units of all steps that are expected.
    pub fn sum(&self) -> f64 {
        let steps = self.series.steps_a_minute() as f64;
        (0..self.series.minutes())
            .map(|minute| self.mean(minute) * steps)
            .sum()
    }

    /// The same time without demand.
    #[must_use]
    pub fn without_demand(&self) -> Traffic {
        let none = |all: &Vec<Expected>| vec![Expected::default(); all.len()];
        Traffic {
            series: Arc::new(self.series.idle()),
            expected: self.expected.as_ref().map(none),
        }
    }

    /// A part of the demand, from a minute on, which may be before the start. A week that was drawn
    /// repeats; a trace has no demand before its start and after its end.
    #[must_use]
    pub fn window(&self, from: i64, minutes: u64) -> Traffic {
        let steps = self.series.steps_a_minute();
        let all = self.series.minutes() as i64;
        let place = |minute: i64| match &self.expected {
            Some(_) => Some(minute.rem_euclid(all.max(1))),
            None => (0..all).contains(&minute).then_some(minute),
        };
        let mut halves = Vec::with_capacity(minutes as usize * steps);
        let mut room = Vec::new();
        for minute in from..from + minutes as i64 {
            let own = place(minute).and_then(|at| self.series.steps(at as usize, &mut room));
            match own {
                Some(own) => halves.extend_from_slice(own),
                None => halves.resize(halves.len() + steps, 0),
            }
        }
        let start = self.series.start_minute as i64 + from;
        let week = WEEK_MINUTES as i64;
        let series = Series::new(
            self.series.step_seconds,
            start.rem_euclid(week) as u64,
            halves,
        );
        let expected = |_: &Vec<Expected>| {
            (from..from + minutes as i64)
                .map(|minute| self.expected(minute.rem_euclid(week) as u64))
                .map(Option::unwrap_or_default)
                .collect()
        };
        Traffic {
            series: Arc::new(series),
            expected: self.expected.as_ref().map(expected),
        }
    }

    /// The same demand and, from a minute on, shares of others of the same length.
    #[must_use]
    pub fn with_more(&self, others: &[(&Traffic, f64)], from: u64) -> Traffic {
        let steps = self.series.steps_a_minute();
        let mut halves = self.series.halves();
        let mut room = Vec::new();
        for (other, share) in others {
            let other = other.times(*share);
            for minute in from..self.series.minutes() {
                let more = Steps::steps(&other, minute, &mut room).unwrap_or_default();
                let own = halves.iter_mut().skip(minute as usize * steps);
                own.zip(more)
                    .for_each(|(own, more)| *own += (more + PARTS / 2) / PARTS);
            }
        }
        let together = |at: usize, own: &Expected| {
            let mut sum = *own;
            let minute = at as u64;
            for (other, share) in others.iter().filter(|_| minute >= from) {
                let other_mean = other.expected(minute).unwrap_or_default();
                sum.mean += other_mean.mean * share;
                sum.deviation = sum.deviation.hypot(other_mean.deviation * share.sqrt());
            }
            sum
        };
        let expected = self.expected.as_ref().map(|all| {
            all.iter()
                .enumerate()
                .map(|(at, own)| together(at, own))
                .collect()
        });
        let (step, start) = (self.series.step_seconds, self.series.start_minute);
        Traffic {
            series: Arc::new(Series::new(step, start, halves)),
            expected,
        }
    }

    /// The demand with all traffic multiplied by a factor.
    pub fn times(&self, factor: f64) -> OtherTraffic<'_> {
        OtherTraffic {
            traffic: self,
            factor,
            means: None,
        }
    }

    /// The demand with other expected half units of a step in each minute.
    pub fn with_means(&self, means: Vec<f64>) -> OtherTraffic<'_> {
        OtherTraffic {
            traffic: self,
            factor: 1.0,
            means: Some(means),
        }
    }
}

/// The demand of [`Traffic`] at other traffic.
#[derive(Clone, Debug)]
pub struct OtherTraffic<'a> {
    traffic: &'a Traffic,
    /// The factor of every minute, unless `means` are given.
    factor: f64,
    /// Half units of a step that are expected in each minute.
    means: Option<Vec<f64>>,
}

/// How the demand of a step becomes another: `base + slope · demand`.
struct Line {
    base: f64,
    slope: f64,
}

impl Line {
    fn of(&self, halves: f64) -> u64 {
        // A cast rounds down, and makes negative numbers zero.
        ((self.base + self.slope * halves) * PARTS as f64 + 0.5) as u64
    }
}

impl OtherTraffic<'_> {
    /// How the demand of a minute's steps changes.
    fn line(&self, minute: u64) -> Line {
        let wanted = self.means.as_ref().map(|means| {
            let at = usize::try_from(minute).unwrap_or(usize::MAX);
            means.get(at).copied().unwrap_or(0.0)
        });
        let mean = self.traffic.mean(minute);
        let factor = match wanted {
            // Calls in a minute that has none otherwise come evenly.
            Some(wanted) if mean <= 0.0 => {
                return Line {
                    base: wanted,
                    slope: 0.0,
                };
            }
            Some(wanted) => wanted / mean,
            None => self.factor,
        };
        match self.traffic.expected(minute) {
            None => Line {
                base: 0.0,
                slope: factor,
            },
            Some(Expected { mean, deviation }) => {
                let slope = slope(factor, mean, deviation);
                Line {
                    base: (factor - slope) * mean,
                    slope,
                }
            }
        }
    }
}

/// By how much a deviation from the mean grows: by √f, and for less traffic by no more than keeps
/// demand above zero.
fn slope(factor: f64, mean: f64, deviation: f64) -> f64 {
    let root = factor.max(0.0).sqrt();
    if factor >= 1.0 || mean <= 0.0 {
        return root;
    }
    root.min(factor * mean / mean.min(DEVIATIONS * deviation))
}

impl Steps for OtherTraffic<'_> {
    fn step_seconds(&self) -> u64 {
        self.traffic.series.step_seconds
    }

    fn start_minute(&self) -> u64 {
        self.traffic.series.start_minute
    }

    fn minutes(&self) -> u64 {
        self.traffic.series.minutes()
    }

    fn parts(&self) -> u64 {
        PARTS
    }

    fn minute(&self, at: u64) -> Option<Minute> {
        let minute = Steps::minute(&*self.traffic.series, at)?;
        let line = self.line(at);
        let steps = self.traffic.series.steps_a_minute() as f64;
        let mean = Line {
            base: line.base * steps,
            slope: line.slope,
        };
        Some(Minute {
            sum: mean.of(minute.sum as f64),
            highest: line.of(minute.highest as f64),
        })
    }

    fn steps<'a>(&'a self, at: u64, room: &'a mut Vec<u64>) -> Option<&'a [u64]> {
        let mut own = Vec::new();
        let steps = Steps::steps(&*self.traffic.series, at, &mut own)?;
        let line = self.line(at);
        room.clear();
        room.extend(steps.iter().map(|halves| line.of(*halves as f64)));
        Some(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Course;
    use crate::capacity::series::{Horizon, draw};

    fn traffic(per_second: f64) -> Traffic {
        let arrivals = [Arrivals {
            per_second,
            shape: vec![1.0; 168].into(),
            course: Course::Steps,
            calls: vec![(2, 0.7), (9, 0.3)],
        }];
        let horizon = Horizon {
            days: 1,
            ..Horizon::default()
        };
        Traffic::drawn(Arc::new(draw(&arrivals, &horizon, "t")), &arrivals)
    }

    fn all_steps(other: &OtherTraffic) -> Vec<f64> {
        let mut room = Vec::new();
        let mut all = Vec::new();
        for at in 0..other.minutes() {
            let steps = other.steps(at, &mut room).expect("a minute");
            all.extend(steps.iter().map(|step| *step as f64 / PARTS as f64));
        }
        all
    }

    #[test]
    fn other_traffic_has_the_mean_and_the_variance_of_its_calls() {
        for (per_second, factor) in [(3.0, 4.0), (40.0, 9.0), (400.0, 0.25), (2.0, 0.1)] {
            let traffic = traffic(per_second);
            let steps = all_steps(&traffic.times(factor));
            let count = steps.len() as f64;
            let (mean, square) = (2.0 * 0.7 + 9.0 * 0.3, 4.0 * 0.7 + 81.0 * 0.3);
            let found = steps.iter().sum::<f64>() / count;
            let wanted = mean * per_second * factor;
            assert!((found / wanted - 1.0).abs() < 0.02, "{found}, not {wanted}");
            let spread = steps.iter().map(|one| (one - found).powi(2)).sum::<f64>() / count;
            // Of little traffic, less than all of the variance is kept.
            if factor * per_second > 10.0 {
                let wanted = square * per_second * factor;
                assert!(
                    (spread / wanted - 1.0).abs() < 0.05,
                    "{spread}, not {wanted}"
                );
            }
            assert!(steps.iter().all(|step| *step >= 0.0));
        }
    }

    #[test]
    fn every_step_grows_with_the_factor() {
        let traffic = traffic(1.5);
        let factors = [0.05, 0.3, 0.9, 1.0, 1.1, 3.0, 50.0];
        let all: Vec<Vec<f64>> = factors
            .iter()
            .map(|factor| all_steps(&traffic.times(*factor)))
            .collect();
        for pair in all.windows(2) {
            assert!(
                pair[0]
                    .iter()
                    .zip(&pair[1])
                    .all(|(less, more)| less <= more)
            );
        }
        // The design's own traffic is the drawn series.
        let halves = traffic.series().halves().into_iter();
        let halves = halves.map(|halves| halves as f64);
        assert!(all[3].iter().zip(halves).all(|(one, other)| *one == other));
    }

    #[test]
    fn a_minute_is_the_sum_of_its_steps() {
        let traffic = traffic(20.0);
        let other = traffic.times(1.7);
        let mut room = Vec::new();
        for at in [0, 17, 1_439] {
            let steps = other.steps(at, &mut room).expect("a minute").to_vec();
            let minute = other.minute(at).expect("a minute");
            assert!(steps.iter().all(|step| *step <= minute.highest));
            assert!(minute.sum.abs_diff(steps.iter().sum()) <= 60);
        }
        assert_eq!(other.minute(1_440), None);
    }
}
