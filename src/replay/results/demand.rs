//! Units of each account over time: averages, peaks, percentiles.

use crate::replay::engine::Engine;
use crate::replay::tally::consumption::{DemandKey, DemandSeries, TraceSpan};
use crate::replay::tally::partitions::HEAT_MAP_COLUMNS;
use crate::table::Direction;
use crate::trace::Time;
use crate::units::Exact;

/// The busiest second and minute of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peak {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// Average units per second over the trace.
    pub mean: Exact,
    /// The 50th, 95th and 99th percentile of the units per second.
    pub percentiles: [Exact; 3],
    /// When the busiest second was, and its units.
    pub second: (Time, Exact),
    /// When the busiest minute was, and its average units per second.
    pub minute: (Time, Exact),
}

/// Units of an account over time, in at most 128 columns of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverTime {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads or writes.
    pub direction: Direction,
    /// When the first column begins.
    pub first: Time,
    /// Length of a column in seconds.
    pub column_seconds: u64,
    /// Units of each column.
    pub units: Vec<Exact>,
}

pub fn peaks(engine: &Engine, span: &TraceSpan) -> Vec<Peak> {
    let peak = |(lane, demand): (&DemandKey, &DemandSeries)| {
        let (table, index, region) = engine.place(lane.table, lane.index, lane.region);
        let (second, halves) = demand.busiest_second()?;
        let (minute, minute_halves) = demand.busiest_minute()?;
        Some(Peak {
            table,
            index,
            region,
            direction: lane.direction,
            mean: Exact::whole(demand.sum()) / Exact::from(2 * span.seconds()),
            percentiles: demand
                .percentiles(span.seconds(), [50, 95, 99])
                .map(|halves| Exact::ratio(halves, 2)),
            second: (second, Exact::ratio(halves, 2)),
            minute: (minute, Exact::ratio(minute_halves, 120)),
        })
    };
    engine.tally.demand.iter().filter_map(peak).collect()
}

/// Columns of the same length for all accounts: the shortest usual length (such as 10 s or 5 min)
/// that needs at most 128 columns.
pub fn over_time(engine: &Engine, span: &TraceSpan) -> Vec<OverTime> {
    const LENGTHS: [u64; 15] = [
        1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400,
    ];
    let seconds = span.seconds();
    let fits = |length: &u64| seconds.div_ceil(*length) <= HEAT_MAP_COLUMNS as u64;
    let days = seconds.div_ceil(86_400).div_ceil(HEAT_MAP_COLUMNS as u64);
    let length = LENGTHS.into_iter().find(fits).unwrap_or(days * 86_400);
    let of = |(lane, demand): (&DemandKey, &DemandSeries)| {
        let (table, index, region) = engine.place(lane.table, lane.index, lane.region);
        let mut halves = vec![0_u64; seconds.div_ceil(length).max(1) as usize];
        for (second, more) in demand.seconds() {
            // Seconds outside of the time that the trace covers have no column.
            if let Some(column) = usize::try_from((second - span.from).div_euclid(length as i64))
                .ok()
                .and_then(|at| halves.get_mut(at))
            {
                *column += more;
            }
        }
        let units = halves
            .into_iter()
            .map(|halves| Exact::ratio(halves, 2))
            .collect();
        OverTime {
            table,
            index,
            region,
            direction: lane.direction,
            first: Time::from_second(span.from),
            column_seconds: length,
            units,
        }
    };
    engine.tally.demand.iter().map(of).collect()
}
