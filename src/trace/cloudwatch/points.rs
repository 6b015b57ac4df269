//! The data points of metrics, until a file has ended: their statistic and their period may be said
//! after them, and CloudWatch gives them in any order.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Metric, MetricPoint, PeriodFrom, malformed, not_stated};
use crate::trace::ids::EventIds;
use crate::trace::notes::{Notes, Passed, Taken};
use crate::trace::{Event, NameTable, RowPlace, SkipReason, Time, Wrong};

/// What the values of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statistic {
    /// The sum of the period.
    Sum,
    /// The sum of the period divided by its seconds.
    Rate,
    /// The mean of a call.
    Average,
    /// The number of calls.
    SampleCount,
    /// Anything else: the largest, the smallest, a percentile.
    Other,
}

impl Statistic {
    /// The statistic that a word names.
    pub fn parse(word: &str) -> Option<Statistic> {
        let lower = word.to_ascii_lowercase();
        Some(match lower.as_str() {
            "sum" => Statistic::Sum,
            "average" | "avg" | "mean" => Statistic::Average,
            "samplecount" | "sample_count" | "n" => Statistic::SampleCount,
            "per-second" | "persecond" | "/s" | "rate" => Statistic::Rate,
            "maximum" | "minimum" | "max" | "min" | "iqm" => Statistic::Other,
            word if word.starts_with('p') && word[1..].parse::<Decimal>().is_ok() => {
                Statistic::Other
            }
            word if ["tm", "wm", "pr", "tc", "ts"]
                .iter()
                .any(|name| word.starts_with(name) && word[2..].starts_with(['(', '9'])) =>
            {
                Statistic::Other
            }
            _ => return None,
        })
    }
}

/// The metric of a table or an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    pub metric: Metric,
    pub table: Option<String>,
    pub index: Option<String>,
    pub region: Option<String>,
}

impl Series {
    /// As messages name it.
    fn shown(&self) -> String {
        let names = [&self.table, &self.index].into_iter().flatten();
        let names: Vec<&str> = names.map(String::as_str).collect();
        match names.is_empty() {
            true => self.metric.name().to_string(),
            false => format!("{} of {}", self.metric.name(), names.join("/")),
        }
    }
}

/// The values of a series, with the line or record of each.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// Seconds since 1970 and the value.
    pub list: Vec<(i64, Decimal)>,
    /// The seconds of a data point, if the file or the command line says so, and which of them.
    pub period: Option<(u32, PeriodFrom)>,
    /// The first record.
    pub row: u64,
    /// The id of the result, or the column, that they are from.
    pub id: String,
}

/// The points of a file.
#[derive(Debug, Default)]
pub struct Points {
    all: BTreeMap<Series, BTreeMap<Option<Statistic>, Values>>,
    /// The series of the points whose units are known, with the seconds of a point and the record.
    series: Vec<(Series, u32, u64)>,
    /// The points whose units are known, from when they are handed out the latest first.
    known: Vec<KnownPoint>,
    is_sorted: bool,
}

/// A point whose units are known.
#[derive(Clone, Copy, Debug)]
struct KnownPoint {
    second: i64,
    halves: u64,
    calls: Option<u64>,
    series: u32,
}

/// Where what is known of points goes beside the points.
pub struct PointSink<'a> {
    pub notes: &'a mut Notes,
    pub ids: &'a mut EventIds,
    /// Series that are left out, and why.
    pub wrong: &'a mut Vec<Wrong>,
}

/// The events that are handed out at a time.
const BATCH_POINTS: usize = 8_192;

impl Points {
    /// The values of a series with a statistic, which is `None` if it is not stated.
    pub fn of(&mut self, series: Series, statistic: Option<Statistic>) -> &mut Values {
        self.all
            .entry(series)
            .or_default()
            .entry(statistic)
            .or_default()
    }

    /// Calculates the units of all points. `asked` is the period of the command line. A series whose
    /// units cannot be told from its statistics, or whose period is not known, gives none: it is in
    /// `sink.wrong`.
    pub fn finish(&mut self, asked: Option<u32>, sink: &mut PointSink) {
        for (series, statistics) in std::mem::take(&mut self.all) {
            let first = self.known.len();
            if let Err(wrong) = self.finish_series(series, statistics, asked, sink) {
                self.known.truncate(first);
                sink.wrong.push(wrong);
            }
        }
    }

    fn finish_series(
        &mut self,
        series: Series,
        mut statistics: BTreeMap<Option<Statistic>, Values>,
        asked: Option<u32>,
        sink: &mut PointSink,
    ) -> Result<(), Wrong> {
        let counts = statistics.remove(&Some(Statistic::SampleCount));
        let Some((statistic, values)) = chosen(&mut statistics) else {
            return match counts {
                Some(_) => Err(not_units(&series, "SampleCount")),
                None => Ok(()),
            };
        };
        match statistic {
            Some(Statistic::Average) if counts.is_none() => {
                return Err(not_units(&series, "Average"));
            }
            Some(Statistic::Other) => {
                return Err(not_units(&series, "another statistic than Sum"));
            }
            _ => {}
        }
        let values = sorted(&series, values, sink.notes)?;
        if values.list.is_empty() {
            return Ok(());
        }
        let (seconds, from) = period(&series, &values, asked)?;
        let counts: BTreeMap<i64, Decimal> =
            counts.map_or_else(BTreeMap::new, |counts| counts.list.into_iter().collect());
        let number = self.series.len() as u32;
        let (first, mut repeated) = (self.known.len(), 0);
        for (second, value) in &values.list {
            let calls = counts.get(second).copied();
            let units = units(&series, statistic, *value, calls, seconds)?;
            // Downloads of several files overlap.
            if !is_new(&series, *second, units, sink.ids)? {
                repeated += 1;
                continue;
            }
            self.known.push(KnownPoint {
                second: *second,
                halves: halves(units).ok_or_else(|| too_large(&series, units))?,
                calls: calls.and_then(|calls| calls.to_u64()),
                series: number,
            });
        }
        let taken = (self.known.len() - first) as u64;
        let notes = &mut *sink.notes;
        if repeated > 0 {
            *notes.passed.entry(Passed::Duplicate).or_default() += repeated;
        }
        if series.table.is_none() {
            notes.take(Taken::NoTable);
        }
        match statistic {
            Some(Statistic::Sum) => {}
            None => *notes.taken.entry(Taken::Statistic).or_default() += taken,
            _ => *notes.taken.entry(Taken::Converted).or_default() += taken,
        }
        let points = notes
            .periods
            .entry((seconds, from.text().into()))
            .or_default();
        *points += values.list.len() as u64;
        self.series.push((series, seconds, values.row.max(1)));
        Ok(())
    }

    /// Appends the next events in the order of time; `false` if there are no more.
    pub fn hand_out(&mut self, file: u32, names: &mut NameTable, events: &mut Vec<Event>) -> bool {
        if !self.is_sorted {
            self.known
                .sort_by_key(|point| std::cmp::Reverse(point.second));
            self.is_sorted = true;
        }
        let left = self.known.len().saturating_sub(BATCH_POINTS);
        for known in self.known.drain(left..).rev() {
            let (series, seconds, row) = &self.series[known.series as usize];
            let point = MetricPoint {
                metric: series.metric,
                table: series.table.as_deref(),
                index: series.index.as_deref(),
                region: series.region.as_deref(),
                time: Time::from_second(known.second),
                halves: known.halves,
                calls: known.calls,
                seconds: *seconds,
            };
            let place = RowPlace { file, row: *row };
            events.push(point.event(place, names));
        }
        !self.known.is_empty()
    }
}

/// Whether a point was not read before, of another file.
///
/// # Errors
/// If it was read with another value.
fn is_new(series: &Series, second: i64, units: Decimal, ids: &mut EventIds) -> Result<bool, Wrong> {
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let point = format!(
        "{} {}/{} {} {second}",
        series.metric.name(),
        name(&series.table),
        name(&series.index),
        name(&series.region)
    );
    let is_new = ids.is_new(&point);
    match (is_new, ids.is_new(&format!("{point} {units}"))) {
        (true, _) => Ok(true),
        (false, false) => Ok(false),
        (false, true) => Err((
            SkipReason::Malformed,
            format!(
                "{} has another value at {} in another file; if they are of two accounts or \
                 regions, replay each by itself",
                series.shown(),
                Time::from_second(second)
            ),
        )),
    }
}

/// Half units, to the nearest; `None` if there are more than can be counted.
pub fn halves(units: Decimal) -> Option<u64> {
    units.checked_mul(Decimal::TWO)?.round().to_u64()
}

fn too_large(series: &Series, value: Decimal) -> Wrong {
    malformed(format!("{}: {value} is too large", series.shown()))
}

/// The statistic from which the units are calculated: the sum if there is one.
fn chosen(
    statistics: &mut BTreeMap<Option<Statistic>, Values>,
) -> Option<(Option<Statistic>, Values)> {
    // A later page may not repeat the statistic.
    if let Some(unstated) = statistics.remove(&None) {
        match statistics.get_mut(&Some(Statistic::Sum)) {
            Some(stated) => stated.list.extend(unstated.list),
            None => {
                statistics.insert(None, unstated);
            }
        }
    }
    [
        Some(Statistic::Sum),
        None,
        Some(Statistic::Rate),
        Some(Statistic::Average),
        Some(Statistic::Other),
    ]
    .into_iter()
    .find_map(|statistic| Some((statistic, statistics.remove(&statistic)?)))
}

/// The values in time order, each once.
fn sorted(series: &Series, mut values: Values, notes: &mut Notes) -> Result<Values, Wrong> {
    values.list.sort_by_key(|(second, _)| *second);
    let count = values.list.len();
    values.list.dedup();
    let repeated = count - values.list.len();
    if repeated > 0 {
        *notes.passed.entry(Passed::Duplicate).or_default() += repeated as u64;
    }
    let twice = values.list.windows(2).find(|pair| pair[0].0 == pair[1].0);
    match twice {
        None => Ok(values),
        Some(pair) => Err((
            SkipReason::Malformed,
            format!(
                "{} has two values, {} and {}, at {}",
                series.shown(),
                pair[0].1,
                pair[1].1,
                Time::from_second(pair[0].0)
            ),
        )),
    }
}

/// The shortest period of DynamoDB's metrics.
const MINUTE: i64 = 60;

/// The seconds of a data point. Points a minute apart have a period of a minute: it cannot be
/// longer than their distance, and DynamoDB has no metrics by shorter periods. Source: "DynamoDB
/// metrics and dimensions", Developer Guide.
fn period(
    series: &Series,
    values: &Values,
    asked: Option<u32>,
) -> Result<(u32, PeriodFrom), Wrong> {
    let gaps = values.list.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let gap = gaps.min();
    let stated = asked
        .map(|seconds| (seconds, PeriodFrom::Option))
        .or(values.period);
    if let Some((seconds, from)) = stated {
        return match gap {
            Some(gap) if gap < i64::from(seconds) => Err((
                SkipReason::NotStated,
                format!(
                    "{} has points that are {gap} seconds apart, which is less than the period \
                     of {seconds} seconds {}",
                    series.shown(),
                    from.text()
                ),
            )),
            _ => Ok((seconds, from)),
        };
    }
    if gap == Some(MINUTE) {
        return Ok((MINUTE as u32, PeriodFrom::Distance));
    }
    let apart = match gap {
        None => "has one point".to_string(),
        Some(gap) => format!("has points that are at least {gap} seconds apart"),
    };
    Err((
        SkipReason::NotStated,
        format!(
            "{} {apart}, and the file does not say which period they cover; give the period that \
             you asked CloudWatch for, such as --period {}",
            series.shown(),
            gap.unwrap_or(300)
        ),
    ))
}

/// The units of a point.
fn units(
    series: &Series,
    statistic: Option<Statistic>,
    value: Decimal,
    calls: Option<Decimal>,
    seconds: u32,
) -> Result<Decimal, Wrong> {
    let halves = value.checked_mul(Decimal::TWO);
    let is_units = halves.is_some_and(|halves| halves.fract().is_zero());
    let product = |other: Decimal| {
        let product = value.checked_mul(other);
        product.ok_or_else(|| too_large(series, value))
    };
    match (statistic, calls) {
        (Some(Statistic::Sum) | None, _) if is_units => Ok(value),
        (Some(Statistic::Sum), _) => Err(not_stated(format!(
            "{} has the sum {value}, but units are multiples of 0.5: it is a mean or a rate",
            series.shown()
        ))),
        (None, _) => Err(not_units(series, "a statistic that is not stated")),
        (Some(Statistic::Rate), _) => product(Decimal::from(seconds)),
        (Some(Statistic::Average), Some(calls)) => product(calls),
        (Some(Statistic::Average), None) => Err(not_units(
            series,
            "Average, and a point without its SampleCount",
        )),
        (Some(Statistic::SampleCount | Statistic::Other), _) => {
            Err(not_units(series, "another statistic than Sum"))
        }
    }
}

fn not_units(series: &Series, statistic: &str) -> Wrong {
    let message = format!(
        "{} was requested with {statistic}, which does not give the units: request the statistic \
         Sum, or Average and SampleCount together",
        series.shown()
    );
    (SkipReason::NotStated, message)
}
