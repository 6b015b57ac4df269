//! Parsing of times in traces.

use chrono::{DateTime, NaiveDateTime};

use super::Time;

/// The unit of a numeric time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl From<&arrow_schema::TimeUnit> for TimeUnit {
    fn from(unit: &arrow_schema::TimeUnit) -> TimeUnit {
        match unit {
            arrow_schema::TimeUnit::Second => TimeUnit::Seconds,
            arrow_schema::TimeUnit::Millisecond => TimeUnit::Milliseconds,
            arrow_schema::TimeUnit::Microsecond => TimeUnit::Microseconds,
            arrow_schema::TimeUnit::Nanosecond => TimeUnit::Nanoseconds,
        }
    }
}

impl TimeUnit {
    /// The units with their names on the command line.
    pub const NAMES: [(&'static str, TimeUnit); 4] = [
        ("s", TimeUnit::Seconds),
        ("ms", TimeUnit::Milliseconds),
        ("us", TimeUnit::Microseconds),
        ("ns", TimeUnit::Nanoseconds),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        TimeUnit::NAMES
            .iter()
            .find(|(_, unit)| *unit == self)
            .map_or("", |(name, _)| name)
    }

    /// Nanoseconds per unit.
    pub fn nanoseconds(self) -> i64 {
        match self {
            TimeUnit::Seconds => 1_000_000_000,
            TimeUnit::Milliseconds => 1_000_000,
            TimeUnit::Microseconds => 1_000,
            TimeUnit::Nanoseconds => 1,
        }
    }

    /// The unit of a numeric time, detected from its magnitude: seconds up to the year 5138.
    pub fn of(number: i64) -> TimeUnit {
        match number.unsigned_abs() {
            0..100_000_000_000 => TimeUnit::Seconds,
            100_000_000_000..100_000_000_000_000 => TimeUnit::Milliseconds,
            100_000_000_000_000..100_000_000_000_000_000 => TimeUnit::Microseconds,
            _ => TimeUnit::Nanoseconds,
        }
    }

    /// The time of a number in this unit; `None` if it is outside the years 1677 to 2262.
    pub fn time(self, number: i64) -> Option<Time> {
        number.checked_mul(self.nanoseconds()).map(Time)
    }
}

/// Parses a decimal number of a unit, such as `1664559083.25`; `None` for anything else. Without a
/// unit, it is detected from the magnitude.
pub fn parse_number(text: &str, unit: Option<TimeUnit>) -> Option<(Time, TimeUnit)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let number: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let unit = unit.unwrap_or_else(|| TimeUnit::of(number));
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let part = digits.parse::<i64>().ok()? * unit.nanoseconds() / Time::SECOND;
    let time = unit.time(number)?;
    let part = if whole.starts_with('-') { -part } else { part };
    Some((Time(time.0.checked_add(part)?), unit))
}

/// Parses a time: RFC 3339, or the same without a time zone (UTC), or a number since 1970, whose
/// unit is detected from its magnitude if none is given. Returns the unit if it was a number.
pub fn parse_time(text: &str, unit: Option<TimeUnit>) -> Option<(Time, Option<TimeUnit>)> {
    let text = text.trim();
    if let Some((time, unit)) = parse_number(text, unit) {
        return Some((time, Some(unit)));
    }
    let nanoseconds = match DateTime::parse_from_rfc3339(text) {
        Ok(moment) => moment.timestamp_nanos_opt(),
        Err(_) => {
            let formats = [
                "%Y-%m-%d %H:%M:%S%.f",
                "%Y-%m-%dT%H:%M:%S%.f",
                "%Y/%m/%d %H:%M:%S%.f",
                "%Y-%m-%d %H:%M:%S%.f UTC",
            ];
            let found = formats
                .iter()
                .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
            found.and_then(|moment| moment.and_utc().timestamp_nanos_opt())
        }
    };
    nanoseconds.map(|nanoseconds| (Time(nanoseconds), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form() {
        let second = 1_664_559_083;
        for (text, expected) in [
            ("1664559083", second * Time::SECOND),
            ("1664559083.5", second * Time::SECOND + 500_000_000),
            ("1664559083000", second * Time::SECOND),
            ("1664559083000000", second * Time::SECOND),
            ("1664559083000000001", second * Time::SECOND + 1),
            ("2022-09-30T17:31:23Z", second * Time::SECOND),
            (
                "2022-09-30T19:31:23.250+02:00",
                second * Time::SECOND + 250_000_000,
            ),
            ("2022-09-30 17:31:23", second * Time::SECOND),
            ("2022/09/30 17:31:23", second * Time::SECOND),
        ] {
            assert_eq!(
                parse_time(text, None).map(|(time, _)| time),
                Some(Time(expected)),
                "{text}"
            );
        }
        for text in [
            "",
            "soon",
            "2022-13-01T00:00:00Z",
            "1e9",
            "99999999999999999999",
        ] {
            assert_eq!(parse_time(text, None), None, "{text}");
        }
        assert_eq!(
            parse_time("5", Some(TimeUnit::Milliseconds)).map(|(time, _)| time),
            Some(Time(5_000_000))
        );
    }
}
