//! The units that a table or an index consumed, as rates with a profile.

use super::draft::{Fields, Sourced, number};
use super::shape::{DAY, HOUR, hour_of_the_week, shape};
use crate::table::Direction;
use crate::time::{WEEK_HOURS, utc};
use crate::units::Exact;

/// The units that one direction of a table or an index consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConsumedUnits {
    halves: u128,
    /// Half units in each hour of the week, from Monday 00:00 UTC.
    hours: Vec<u128>,
    /// The busiest data point, if one has units.
    busiest: Option<DataPoint>,
}

/// The half units of some seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DataPoint {
    pub start: i64,
    pub seconds: u32,
    pub halves: u64,
}

impl Default for ConsumedUnits {
    fn default() -> ConsumedUnits {
        ConsumedUnits {
            halves: 0,
            hours: vec![0; WEEK_HOURS],
            busiest: None,
        }
    }
}

impl ConsumedUnits {
    pub fn add(&mut self, point: DataPoint) {
        self.halves += u128::from(point.halves);
        self.hours[hour_of_the_week(point.start)] += u128::from(point.halves);
        let rate = |one: &DataPoint, other: &DataPoint| {
            u128::from(one.halves) * u128::from(other.seconds.max(1))
        };
        let is_busier = match &self.busiest {
            None => point.halves > 0,
            Some(most) => rate(&point, most) > rate(most, &point),
        };
        if is_busier {
            self.busiest = Some(point);
        }
    }

    /// All units.
    pub fn units(&self) -> Exact {
        Exact::whole(self.halves) / Exact::from(2)
    }

    /// The fields of `[[table.consumed]]`: the rate with its profile, of the time from `from` to
    /// `to`.
    pub fn fields(&self, index: Option<&str>, direction: Direction, from: i64, to: i64) -> Fields {
        let mut fields = Fields::default();
        fields.set_some("index", index.map(|name| Sourced::text(name, "", None)));
        let (word, metric) = match direction {
            Direction::Write => ("write", "ConsumedWriteCapacityUnits"),
            Direction::Read => ("read", "ConsumedReadCapacityUnits"),
        };
        let span = (to - from).max(1);
        let of_slot = |halves: &u128| Exact::whole(*halves) / Exact::from(2);
        let hours: Vec<Exact> = self.hours.iter().map(of_slot).collect();
        let (mean, profile) = shape(&hours, from, to);
        let note = match &self.busiest {
            None => format!("{metric}: no units in {} days", days(span)),
            Some(busiest) => {
                let units = Exact::from(busiest.halves) / Exact::from(2);
                let rate = units / Exact::from(u64::from(busiest.seconds.max(1)));
                format!(
                    "{metric}: {} units in {} days; at most {} per second, at {}",
                    self.units(),
                    days(span),
                    rate.human(2),
                    utc(busiest.start)
                )
            }
        };
        let per_hour = number(&(&mean * &Exact::from(HOUR as u64)));
        let rate = format!("{{ per_hour = {per_hour} }}");
        fields.set(word, Sourced::new(rate, note, None));
        if let Some(weights) = profile {
            let list: Vec<String> = weights.iter().map(number).collect();
            let note = match weights.len() {
                24 => "by the hour of the day, UTC",
                _ => "by the hour of the week, from Monday 00:00 UTC",
            };
            let list = format!("[{}]", list.join(", "));
            fields.set("profile", Sourced::new(list, note, None));
        }
        fields
    }
}

/// Seconds in days.
pub(super) fn days(seconds: i64) -> String {
    (Exact::from(seconds.max(0) as u64) / Exact::from(DAY as u64)).human(2)
}
