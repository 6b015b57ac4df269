//! Calendar dates of prices, and the length of a billing month.

use std::fmt;

use chrono::NaiveDate;

use crate::units::Exact;

/// The days of the week, as outputs and cron name them.
pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Hours of a week.
pub const WEEK_HOURS: usize = 7 * 24;

/// Minutes of a day.
pub const DAY_MINUTES: u64 = 24 * 60;

/// Minutes of a week.
pub const WEEK_MINUTES: u64 = 7 * DAY_MINUTES;

/// The minute of the week, counted from Monday 00:00 UTC, of a minute counted from 1970 on.
pub(crate) fn minute_of_week(minute: i64) -> u64 {
    // The first of January 1970 was a Thursday.
    let day = DAY_MINUTES as i64;
    (minute + 3 * day).rem_euclid(7 * day).unsigned_abs()
}

/// A second since 1970 in UTC, as RFC 3339 writes it.
pub fn utc(second: i64) -> String {
    let time = chrono::DateTime::from_timestamp(second, 0).unwrap_or_default();
    format!("{}Z", time.format("%Y-%m-%dT%H:%M:%S"))
}

/// A calendar day, `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(NaiveDate);

impl From<NaiveDate> for Date {
    fn from(date: NaiveDate) -> Date {
        Date(date)
    }
}

impl Date {
    /// The year.
    pub fn year(self) -> i32 {
        chrono::Datelike::year(&self.0)
    }

    /// Reads `YYYY-MM-DD`; `None` for anything else and for days that do not exist.
    pub fn parse(text: &str) -> Option<Date> {
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| {
                if at == 4 || at == 7 {
                    b == b'-'
                } else {
                    b.is_ascii_digit()
                }
            });
        shape
            .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
            .flatten()
            .map(Date)
    }

    /// The day of a second since 1970, in UTC; `None` beyond the calendar.
    pub fn of_second(second: i64) -> Option<Date> {
        let time = chrono::DateTime::from_timestamp(second, 0)?;
        Some(Date(time.date_naive()))
    }

    /// The day of its month, from 1.
    pub fn day(self) -> u32 {
        chrono::Datelike::day(&self.0)
    }

    /// Seconds from 1970 to its beginning, in UTC.
    pub fn midnight_second(self) -> i64 {
        self.0
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp()
    }

    /// The same day some months later, or the last day of that month; `None` beyond the calendar.
    pub fn months_later(self, months: u32) -> Option<Date> {
        self.0
            .checked_add_months(chrono::Months::new(months))
            .map(Date)
    }
}

impl<'de> serde::Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        Date::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("{text:?} is not a date; write YYYY-MM-DD"))
        })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// Hours of a year of 365 days, as used for the terms of reserved capacity.
pub const HOURS_A_YEAR: u64 = 8_760;

/// The hours of a month: 1 to 744 (default: 730); 720 for 30 days.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, Hash)]
pub struct MonthHours(Exact);

impl MonthHours {
    /// What AWS's calculators use: 365 × 24 / 12.
    pub fn standard() -> MonthHours {
        MonthHours(Exact::from(730))
    }

    /// `None` outside 1 to 744 hours.
    pub fn new(hours: Exact) -> Option<MonthHours> {
        (hours >= Exact::one() && hours <= Exact::from(744)).then_some(MonthHours(hours))
    }

    /// The hours.
    pub fn hours(&self) -> &Exact {
        &self.0
    }

    /// The seconds.
    pub fn seconds(&self) -> Exact {
        &self.0 * &Exact::from(3600)
    }

    /// The days of 24 hours.
    pub fn days(&self) -> Exact {
        &self.0 / &Exact::from(24)
    }

    /// This month as a share of a year of 8,760 hours.
    pub fn years(&self) -> Exact {
        &self.0 / &Exact::from(8760)
    }
}

impl fmt::Display for MonthHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_days_are_dates() {
        assert_eq!(
            Date::parse("2024-11-01").expect("a day").to_string(),
            "2024-11-01"
        );
        for text in [
            "2024-02-30",
            "2024-1-1",
            "24-01-01",
            "",
            "2024-11-01T00:00",
            "+024-11-01",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }
}
