//! Numbers and times as bills write them.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::money::Money;
use crate::time::Date;

/// The decimals to which AWS rounds the cost of a row.
const COST_PLACES: u32 = 10;

/// A calendar month, `YYYY-MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u32,
}

impl Month {
    /// Reads `YYYY-MM`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        let is_number = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())
        };
        let month = (is_number(year, 4) && is_number(month, 2)).then(|| Month {
            year: year.parse().unwrap_or_default(),
            month: month.parse().unwrap_or_default(),
        })?;
        (1..=12).contains(&month.month).then_some(month)
    }

    /// The month of a moment, in seconds since 1970.
    pub(super) fn of(second: i64) -> Option<Month> {
        let time = chrono::DateTime::from_timestamp(second, 0)?;
        Some(Month {
            year: time.year(),
            month: time.month(),
        })
    }

    fn first(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        Date::from(self.first())
    }

    /// Its first second, since 1970 in UTC.
    pub fn first_second(self) -> i64 {
        self.first_day().midnight_second()
    }

    /// The second after its last, since 1970 in UTC.
    pub fn end_second(self) -> i64 {
        let seconds = self.hours() * 3_600;
        self.first_second().saturating_add_unsigned(seconds)
    }

    /// Its hours: 672 to 744.
    pub fn hours(self) -> u64 {
        let next = self.first().checked_add_months(chrono::Months::new(1));
        let days = next.map_or(31, |next| (next - self.first()).num_days());
        24 * days.unsigned_abs()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// Whether a cell says nothing: empty, `\N` of Hive, or `NULL`.
pub(super) fn is_empty(text: &str) -> bool {
    matches!(text, "" | "\\N" | "NULL" | "null")
}

/// A number as bills write it: plain, or with an exponent such as `1.21E-8`. `None` for anything
/// else.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    // A sign or digits; the library would take underscores too.
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    // Zeros at the end say nothing, and may be more than a decimal holds.
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    };
    let is_empty = matches!(short, "" | "-");
    let text = if is_empty && text.len() > 1 {
        "0"
    } else {
        short
    };
    is_plain.then(|| Decimal::from_str_exact(text).ok())?
}

/// What AWS bills for a quantity at a rate: the product, rounded half up to 10 decimals.
pub(super) fn row_cost(quantity: Decimal, rate: Decimal) -> Option<Money> {
    let product = quantity.checked_mul(rate)?;
    let half_up = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    Some(Money::billed(
        product.round_dp_with_strategy(COST_PLACES, half_up),
    ))
}

/// A moment as bills write it, in seconds since 1970, UTC: `2026-10-01T00:00:00Z`,
/// `2026-10-01 00:00:00`, `2026-10-01`, or `10/01/26 00:00:00`. `None` for anything else.
pub(super) fn second(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    let day = match date.as_bytes().get(2) {
        Some(b'/') => of_the_console(date)?,
        _ => Date::parse(date)?.midnight_second(),
    };
    if time.is_empty() {
        return Some(day);
    }
    let clock = time.get(..8).unwrap_or(time);
    let zone = time.get(8..).unwrap_or_default();
    let (fraction, zone) = match zone.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", zone),
    };
    let is_utc = matches!(zone, "" | "Z" | "z" | "+00:00" | " UTC");
    let clock = chrono::NaiveTime::parse_from_str(clock, "%H:%M:%S").ok()?;
    let of_day = chrono::Timelike::num_seconds_from_midnight(&clock);
    (is_utc && fraction.len() <= 9).then_some(day + i64::from(of_day))
}

/// `10/01/26` or `10/01/2026`: month, day, year.
fn of_the_console(date: &str) -> Option<i64> {
    let mut parts = date.split('/').map(str::parse::<u32>);
    let (month, day, year) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let year = if year < 100 { 2_000 + year } else { year };
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    parts
        .next()
        .is_none()
        .then(|| Date::from(day).midnight_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_bills_write_them() {
        for (text, right) in [
            ("0.0000000000", "0"),
            ("0.000000039400000", "0.0000000394"),
            ("1.21E-8", "0.0000000121"),
            ("2e-07", "0.0000002"),
            ("-1.25", "-1.25"),
            ("744.0", "744"),
        ] {
            let read = decimal(text).map(|number| number.normalize().to_string());
            assert_eq!(read.as_deref(), Some(right), "{text}");
        }
        for text in ["", "1,5", "$1", "1_000", "one", "--1", "1e"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_bills_write_them() {
        for text in [
            "2026-10-01T00:00:00Z",
            "2026-10-01T00:00:00.000Z",
            "2026-10-01 00:00:00",
            "2026-10-01 00:00:00.000 UTC",
            "2026-10-01",
            "10/01/26 00:00:00",
            "10/01/2026 00:00:00",
        ] {
            assert_eq!(second(text), Some(1_790_812_800), "{text}");
        }
        for text in [
            "",
            "2026-10",
            "2026-10-01T25:00:00Z",
            "01.10.2026",
            "13/13/26",
            "2026-10-01T00:00:00+02:00",
        ] {
            assert_eq!(second(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_has_its_own_hours() {
        for (month, hours) in [
            ("2026-10", 744),
            ("2026-09", 720),
            ("2026-02", 672),
            ("2028-02", 696),
        ] {
            assert_eq!(
                Month::parse(month).map(Month::hours),
                Some(hours),
                "{month}"
            );
        }
        for text in ["2026-13", "2026-1", "2026", "26-10", "2026-10-01"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_cost_is_rounded_half_up_to_ten_decimals() {
        let cost = |quantity, rate| {
            let (quantity, rate) = (decimal(quantity)?, decimal(rate)?);
            row_cost(quantity, rate).map(|cost| cost.to_string())
        };
        assert_eq!(cost("0.6720430108", "0.1").as_deref(), Some("0.0672043011"));
        assert_eq!(cost("0.0000000005", "0.1").as_deref(), Some("0.0000000001"));
    }
}
