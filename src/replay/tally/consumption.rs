//! What a trace consumes: totals of each kind of call, and half units of each second. All are
//! integers, so that a trace may be split anywhere.

use std::sync::Arc;

use super::merge::Merge;
use crate::capacity::series::Series;
use crate::meter::ConsumedCapacity;
use crate::table::Direction;
use crate::time::minute_of_week;
use crate::trace::{ApiName, Name, Time};
use crate::units::Exact;
use crate::workload::{TargetUnits, Traced};

/// An account direction. Capacity belongs to an account: a table with its local indexes, or one
/// global index, in one region; reads and writes are separate.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct DemandKey {
    /// The table, by position.
    pub table: usize,
    /// The global index, by position.
    pub index: Option<usize>,
    /// The region, by position; 0 is the home region.
    pub region: usize,
    /// Reads or writes.
    pub direction: Direction,
}

/// A demand series: half units of each second, for the minutes with demand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DemandSeries {
    minutes: Vec<(i64, Box<[u64; 60]>)>,
    last: usize,
}

/// Longer traces are simulated minute by minute.
pub const SECONDS_MINUTES_MAX: i64 = 31 * 1440;

impl DemandSeries {
    /// Adds half units to a second (since 1970).
    pub fn add(&mut self, second: i64, halves: u64) {
        let (minute, within) = (second.div_euclid(60), second.rem_euclid(60) as usize);
        if self
            .minutes
            .get(self.last)
            .is_none_or(|(known, _)| *known != minute)
        {
            self.last = match self
                .minutes
                .binary_search_by_key(&minute, |(known, _)| *known)
            {
                Ok(at) => at,
                Err(at) => {
                    self.minutes.insert(at, (minute, Box::new([0; 60])));
                    at
                }
            };
        }
        if let Some((_, seconds)) = self.minutes.get_mut(self.last) {
            seconds[within] = seconds[within].saturating_add(halves);
        }
    }

    /// Adds another demand series.
    pub fn join(&mut self, other: &DemandSeries) {
        for (minute, seconds) in &other.minutes {
            for (within, halves) in seconds
                .iter()
                .enumerate()
                .filter(|(_, halves)| **halves > 0)
            {
                self.add(minute * 60 + within as i64, *halves);
            }
        }
    }

    /// Every second with demand, in order.
    pub fn seconds(&self) -> impl Iterator<Item = (i64, u64)> {
        let of = |(minute, seconds): &(i64, Box<[u64; 60]>)| {
            let minute = *minute;
            (0_i64..)
                .zip(**seconds)
                .map(move |(at, halves)| (minute * 60 + at, halves))
        };
        self.minutes
            .iter()
            .flat_map(of)
            .filter(|(_, halves)| *halves > 0)
    }

    /// Percentiles of the half units per second. `seconds` is the number of all seconds, including
    /// those without demand.
    pub fn percentiles<const N: usize>(&self, seconds: u64, hundredths: [u64; N]) -> [u64; N] {
        let mut asked: Vec<u64> = self.seconds().map(|(_, halves)| halves).collect();
        asked.sort_unstable();
        let idle = seconds.saturating_sub(asked.len() as u64);
        hundredths.map(|hundredth| {
            let rank = (seconds * hundredth).div_ceil(100).max(1);
            rank.checked_sub(idle + 1)
                .and_then(|at| asked.get(at as usize))
                .copied()
                .unwrap_or(0)
        })
    }

    /// Half units of all seconds.
    pub fn sum(&self) -> u128 {
        self.minutes
            .iter()
            .flat_map(|(_, seconds)| seconds.iter())
            .map(|halves| u128::from(*halves))
            .sum()
    }

    /// The busiest second with its half units; the first if several are equal.
    pub fn busiest_second(&self) -> Option<(Time, u64)> {
        let seconds = self.minutes.iter().flat_map(|(minute, seconds)| {
            (0_i64..)
                .zip(seconds.iter())
                .map(move |(at, halves)| (minute * 60 + at, *halves))
        });
        let busiest = seconds.fold(None, |most: Option<(i64, u64)>, one| {
            if most.is_none_or(|most| one.1 > most.1) {
                Some(one)
            } else {
                most
            }
        });
        busiest.map(|(second, halves)| (Time::from_second(second), halves))
    }

    /// The busiest minute with its half units.
    pub fn busiest_minute(&self) -> Option<(Time, u64)> {
        let minutes = self
            .minutes
            .iter()
            .map(|(minute, seconds)| (*minute, seconds.iter().sum::<u64>()));
        let busiest = minutes.fold(None, |most: Option<(i64, u64)>, one| {
            if most.is_none_or(|most| one.1 > most.1) {
                Some(one)
            } else {
                most
            }
        });
        busiest.map(|(minute, halves)| (Time::from_second(minute * 60), halves))
    }

    /// The series that the ledger executes, from one minute (since 1970) up to another.
    pub fn series(&self, from: i64, to: i64) -> Series {
        let start_minute = minute_of_week(from);
        let whole = to - from > SECONDS_MINUTES_MAX;
        let steps = if whole { 1 } else { 60 };
        let mut halves = vec![0; ((to - from).max(1) * steps) as usize];
        for (minute, seconds) in self
            .minutes
            .iter()
            .filter(|(minute, _)| (from..to).contains(minute))
        {
            let at = ((minute - from) * steps) as usize;
            match whole {
                true => halves[at] = seconds.iter().sum(),
                false => halves[at..at + 60].copy_from_slice(&seconds[..]),
            }
        }
        Series::new(if whole { 60 } else { 1 }, start_minute, halves)
    }
}

/// A kind of call: calls of one kind are one line of the bill.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct CallKind {
    /// The table, by position.
    pub table: usize,
    /// The region in which they were made, by position.
    pub region: usize,
    /// The access pattern or the caller; `None` if unknown, then the operation's name is shown.
    pub caller: Option<Name>,
    /// The API call; `None` for units that are not split by operation.
    pub api: Option<ApiName>,
    /// Reads or writes; needed for units that are not split by operation.
    pub direction: Direction,
    /// The index that was read, by position.
    pub index: Option<usize>,
}

/// The units of a call in the home region, or in a replica.
fn targets_in<'a>(call: &'a mut Traced, replica: Option<&str>) -> &'a mut Vec<TargetUnits> {
    match replica {
        None => &mut call.home,
        Some(region) => call.in_replicas.entry(region.to_string()).or_default(),
    }
}

fn add_to_target(targets: &mut Vec<TargetUnits>, at: usize, read_halves: u64, write: u64) {
    if targets.len() <= at {
        targets.resize(at + 1, TargetUnits::default());
    }
    targets[at].read_halves += u128::from(read_halves);
    targets[at].write += u128::from(write);
}

/// Adds what one call consumed in the home region, or in a replica.
pub fn add_units(call: &mut Traced, consumed: &ConsumedCapacity, replica: Option<&str>) {
    let targets = targets_in(call, replica);
    let all = std::iter::once(consumed.of_table()).chain(consumed.indexes.iter().copied());
    for (at, target) in all.enumerate() {
        add_to_target(targets, at, target.read.halves(), target.write.0);
    }
}

/// Adds half units that AWS counted on one target, in the home region or in a replica.
pub fn add_counted(
    call: &mut Traced,
    target: usize,
    (direction, halves): (Direction, u64),
    replica: Option<&str>,
) {
    let targets = targets_in(call, replica);
    match direction {
        Direction::Read => add_to_target(targets, target, halves, 0),
        // Write units are whole; a metric gives them as half units too.
        Direction::Write => add_to_target(targets, target, 0, halves.div_ceil(2)),
    }
}

impl Merge for Traced {
    fn merge_from(&mut self, other: Traced) {
        self.add(&other);
    }
}

impl Merge for DemandSeries {
    fn merge_from(&mut self, other: DemandSeries) {
        self.join(&other);
    }
}

/// The time that a trace covers, and the exact factor from it to a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSpan {
    /// The first second.
    pub from: i64,
    /// The second after the last.
    pub to: i64,
    /// Seconds of a month divided by seconds of the trace.
    pub factor: Exact,
    /// The factor in words.
    pub words: Arc<str>,
}

impl TraceSpan {
    /// From the minute of the first event to the end of the minute of the last event, unless `from`
    /// or `to` is given.
    pub fn new(
        first: Time,
        last: Time,
        from: Option<Time>,
        to: Option<Time>,
        month_seconds: &Exact,
    ) -> TraceSpan {
        let end = |to: Time| match from {
            // The number of seconds between both, also if they begin at a fraction of a second.
            Some(from) => {
                from.second()
                    + (to.0.saturating_sub(from.0)).div_euclid(Time::SECOND)
                    + i64::from(to.0.saturating_sub(from.0).rem_euclid(Time::SECOND) > 0)
            }
            None => to.second() + i64::from(to.0.rem_euclid(Time::SECOND) > 0),
        };
        let to = to.map_or((last.second().div_euclid(60) + 1) * 60, end);
        let from = from.map_or(first.second().div_euclid(60) * 60, Time::second);
        let to = to.max(from + 1);
        let seconds = Exact::from((to - from) as u64);
        let factor = month_seconds / &seconds;
        let words = format!(
            " of {seconds} s, multiplied by {} for a month",
            factor.human(6)
        )
        .into();
        TraceSpan {
            from,
            to,
            factor,
            words,
        }
    }

    /// Seconds.
    pub fn seconds(&self) -> u64 {
        (self.to - self.from) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_keeps_seconds_apart_and_becomes_a_series() {
        let mut lane = DemandSeries::default();
        // Monday, 1 January 2024, 00:01:05 UTC, and the minute before.
        let monday = 1_704_067_200;
        lane.add(monday + 65, 4);
        lane.add(monday + 2, 6);
        lane.add(monday + 65, 4);
        assert_eq!(
            (lane.sum(), lane.busiest_second()),
            (14, Some((Time::from_second(monday + 65), 8)))
        );
        // Eight of ten seconds have no demand.
        assert_eq!(lane.percentiles(10, [50, 80, 90, 91, 100]), [0, 0, 6, 8, 8]);
        let series = lane.series(monday / 60, monday / 60 + 3);
        assert_eq!(
            (
                series.start_minute,
                series.step_seconds,
                series.halves().len()
            ),
            (0, 1, 180)
        );
        assert_eq!(
            (series.halves()[2], series.halves()[65], series.sum()),
            (6, 8, 14)
        );
        let long = lane.series(monday / 60, monday / 60 + SECONDS_MINUTES_MAX + 1);
        assert_eq!(
            (long.step_seconds, long.halves()[0], long.halves()[1]),
            (60, 6, 8)
        );
    }

    #[test]
    fn a_trace_covers_whole_minutes() {
        let span = TraceSpan::new(
            Time::from_second(61),
            Time::from_second(3_595),
            None,
            None,
            &Exact::from(730 * 3600),
        );
        assert_eq!(
            (span.from, span.to, span.factor.human(9)),
            (60, 3_600, "742.372881356".to_string())
        );
        let given = TraceSpan::new(
            Time::from_second(61),
            Time::from_second(70),
            Some(Time(0)),
            Some(Time::from_second(3_600)),
            &Exact::from(7_200),
        );
        assert_eq!((given.seconds(), given.factor), (3_600, Exact::from(2)));
    }
}
