//! Quantities as written in a workload file: sizes, durations, rates, profiles.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::de::DeValue;

use super::decode::{Decode, Decoder, FileNumber, Located, TomlNode, document};
use crate::capacity::{Course, Shape};
use crate::time::{DAY_MINUTES, MonthHours, WEEK_HOURS, WEEK_MINUTES};
use crate::units::{Bytes, Exact, GB, KB, MB};

/// One name or several.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Names {
    /// The names.
    pub fn list(&self) -> Vec<String> {
        match self {
            Names::One(name) => vec![name.clone()],
            Names::Several(names) => names.clone(),
        }
    }
}

impl Decode for Names {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_array() {
            Some(_) => Vec::decode(node, reader).map(Names::Several),
            None => String::decode(node, reader).map(Names::One),
        }
    }
    fn placeholder() -> Self {
        Names::One(String::new())
    }
}

/// The schema of `{ low, likely, high }`.
fn range_schema(of: &str) -> serde_json::Value {
    let end = serde_json::json!({ "type": [of, "number"] });
    serde_json::json!({
        "type": "object", "properties": { "low": end, "likely": end, "high": end },
        "required": ["low", "likely", "high"], "additionalProperties": false
    })
}

/// The schema of a number or a range of numbers.
fn number_or_range() -> serde_json::Value {
    serde_json::json!({ "anyOf": [{ "type": "number", "minimum": 0 }, range_schema("number")] })
}

/// The growth in a year: `0.3` is 30 % more. It may be a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth(pub Exact);

impl JsonSchema for Growth {
    fn schema_name() -> Cow<'static, str> {
        "Growth".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::try_from(number_or_range()).unwrap_or_default()
    }
}

impl Decode for Growth {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        reader
            .ranged(node, |node, reader| {
                FileNumber::decode(node, reader).map(|number| number.0)
            })
            .map(Growth)
    }
    fn placeholder() -> Self {
        Growth(Exact::zero())
    }
}

/// A number of bytes: `512`, `"512 B"`, `"1.8 KB"`, `"4 MB"`, `"100 GB"`, `"2 TB"`; 1 KB is 1,024
/// bytes. Rounded to the nearest whole byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub Bytes);

impl Size {
    /// Reads a size; `None` for anything else.
    pub fn parse(text: &str) -> Option<Size> {
        let text = text.trim();
        let digits = text
            .find(|c: char| c.is_ascii_alphabetic() && c != 'e')
            .unwrap_or(text.len());
        let (number, unit) = (text[..digits].trim(), text[digits..].trim());
        let factor = match unit.to_ascii_uppercase().as_str() {
            "" | "B" | "BYTE" | "BYTES" => 1,
            "KB" | "KIB" => KB,
            "MB" | "MIB" => MB,
            "GB" | "GIB" => GB,
            "TB" | "TIB" => 1024 * GB,
            _ => return None,
        };
        let bytes = Exact::parse(number)? * Exact::from(factor);
        let fits = !bytes.is_negative() && bytes <= Exact::from(1 << 60);
        fits.then(|| bytes.to_u64())
            .flatten()
            .map(|bytes| Size(Bytes(bytes)))
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A number of bytes, or a text such as \"1.8 KB\" (1 KB is 1,024 bytes)",
            "anyOf": [range_schema("string"), { "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^ *[0-9][0-9_.]* *([kKmMgGtT]?i?[bB]|bytes?)? *$" }]
        })
    }
}

impl Decode for Size {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        if node.get_ref().as_table().is_some() {
            let bytes = reader.ranged(node, |node, reader| match node.get_ref().as_table() {
                Some(_) => {
                    reader.wrong_type(node, "a size, such as \"1.8 KB\" or a number of bytes");
                    None
                }
                None => Size::decode(node, reader).map(|size| Exact::from(size.0.0)),
            })?;
            return bytes.to_u64().map(|bytes| Size(Bytes(bytes)));
        }
        let size = match node.get_ref() {
            DeValue::String(text) => Size::parse(text),
            DeValue::Integer(integer) if integer.as_str().starts_with('-') => {
                return FileNumber::decode(node, reader).and(None);
            }
            DeValue::Integer(integer) if integer.radix() == 10 => Size::parse(integer.as_str()),
            DeValue::Float(_) => {
                return FileNumber::decode(node, reader)
                    .and_then(|number| number.0.to_u64())
                    .map(|bytes| Size(Bytes(bytes)));
            }
            _ => {
                reader.wrong_type(node, "a size, such as \"1.8 KB\" or a number of bytes");
                return None;
            }
        };
        if size.is_none() {
            let message = "not a size from zero bytes to 1 EB";
            reader.report(
                "bad-size",
                node.span(),
                message,
                "write a number and a unit (B, KB, MB, GB or TB), such as \"1.8 KB\"",
            );
        }
        size
    }
    fn placeholder() -> Self {
        Size(Bytes(1))
    }
}

/// A length of time: `"5 minutes"`, `"12 h"`, `"1 day"`, `"2 weeks"`, `"1 month"`, `"7 years"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duration {
    number: Exact,
    unit: SpanUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpanUnit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Duration {
    /// A year, the default of `keep`.
    pub(super) fn year() -> Duration {
        Duration {
            number: Exact::one(),
            unit: SpanUnit::Year,
        }
    }

    fn parse(text: &str) -> Option<Duration> {
        let text = text.trim();
        let digits = text
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(text.len());
        let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
            "min" | "minute" | "minutes" => SpanUnit::Minute,
            "h" | "hour" | "hours" => SpanUnit::Hour,
            "d" | "day" | "days" => SpanUnit::Day,
            "w" | "week" | "weeks" => SpanUnit::Week,
            "month" | "months" => SpanUnit::Month,
            "y" | "year" | "years" => SpanUnit::Year,
            _ => return None,
        };
        let number = Exact::parse(text[..digits].trim())?;
        let sane = !number.is_zero() && !number.is_negative() && number <= Exact::from(100_000);
        sane.then_some(Duration { number, unit })
    }

    /// How many months of the given length this is; a year is twelve months.
    pub fn months(&self, month: &MonthHours) -> Exact {
        let hours = |hours: u64| &Exact::from(hours) / month.hours();
        let unit = match self.unit {
            SpanUnit::Minute => hours(1) / Exact::from(60),
            SpanUnit::Hour => hours(1),
            SpanUnit::Day => hours(24),
            SpanUnit::Week => hours(168),
            SpanUnit::Month => Exact::one(),
            SpanUnit::Year => Exact::from(12),
        };
        &self.number * &unit
    }

    /// How many days this is; a month is 365/12 days.
    pub fn days(&self) -> Exact {
        let unit = match self.unit {
            SpanUnit::Minute => Exact::ratio(1, 1440),
            SpanUnit::Hour => Exact::ratio(1, 24),
            SpanUnit::Day => Exact::one(),
            SpanUnit::Week => Exact::from(7),
            SpanUnit::Month => Exact::ratio(365, 12),
            SpanUnit::Year => Exact::from(365),
        };
        &self.number * &unit
    }
}

/// A wait of a program: `"50 ms"` or `"1 s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Milliseconds, 1 to 20,000.
    pub milliseconds: u64,
}

impl Wait {
    fn parse(text: &str) -> Option<Wait> {
        let text = text.trim();
        let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
        let factor = match text[digits..].to_ascii_lowercase().as_str() {
            "ms" | "milliseconds" => 1,
            "s" | "second" | "seconds" => 1_000,
            _ => return None,
        };
        let milliseconds = Exact::parse(text[..digits].trim())? * Exact::from(factor);
        let milliseconds = milliseconds.to_u64()?;
        (1..=20_000)
            .contains(&milliseconds)
            .then_some(Wait { milliseconds })
    }
}

impl JsonSchema for Wait {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Wait".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "description": "A wait such as \"50 ms\" or \"1 s\"", "type": "string" })
    }
}

impl Decode for Wait {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let text = String::decode(node, reader)?;
        let wait = Wait::parse(&text);
        if wait.is_none() {
            reader.report(
                "bad-duration",
                node.span(),
                "not a wait from 1 ms to 20 s",
                "write a number and a unit (ms or s), such as \"50 ms\"",
            );
        }
        wait
    }
    fn placeholder() -> Self {
        Wait {
            milliseconds: 1_000,
        }
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "description": "A length of time, such as \"1 day\" or \"7 years\"", "type": "string" })
    }
}

impl Decode for Duration {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let text = String::decode(node, reader)?;
        let span = Duration::parse(&text);
        if span.is_none() {
            let help = "write a number and a unit (minutes, hours, days, weeks, months or years), \
                        such as \"1 day\"";
            reader.report(
                "bad-duration",
                node.span(),
                "not a length of time greater than zero",
                help,
            );
        }
        span
    }
    fn placeholder() -> Self {
        Duration::year()
    }
}

/// How often something happens: exactly one of `per_second`, `per_minute`, `per_hour`, `per_day`,
/// `per_week`, `per_month`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequency {
    number: Exact,
    /// Hours of one period; `None` for a month.
    period_hours: Option<Exact>,
}

impl Frequency {
    /// How often it happens in a month: `per_day` counts (hours of the month / 24) times;
    /// `per_month` counts once, whatever the month's length.
    pub fn monthly(&self, month: &MonthHours) -> Exact {
        match &self.period_hours {
            Some(period) => &(&self.number * month.hours()) / period,
            None => self.number.clone(),
        }
    }
}

/// How often something happens, or how often it is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallRate {
    /// Again and again.
    Recurring(Frequency),
    /// A number of times, once.
    Once(Exact),
}

impl CallRate {
    /// How often it happens in a month; what is done once counts with all its times.
    pub fn monthly(&self, month: &MonthHours) -> Exact {
        match self {
            CallRate::Recurring(rate) => rate.monthly(month),
            CallRate::Once(times) => times.clone(),
        }
    }

    /// Whether it is done once.
    pub fn is_once(&self) -> bool {
        matches!(self, CallRate::Once(_))
    }
}

/// The key of what is done once.
const ONCE: &str = "once";

impl JsonSchema for CallRate {
    fn schema_name() -> Cow<'static, str> {
        "CallRate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        rate_schema(&[&PERIODS[..], &[ONCE]].concat())
    }
}

impl Decode for CallRate {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let keys = [&PERIODS[..], &[ONCE]].concat();
        let (key, number) = one_period(node, reader, &keys)?;
        Some(match key {
            ONCE => CallRate::Once(number),
            period => CallRate::Recurring(Frequency::of(period, number)),
        })
    }
    fn placeholder() -> Self {
        CallRate::Recurring(Frequency::placeholder())
    }
}

const PERIODS: [&str; 6] = [
    "per_second",
    "per_minute",
    "per_hour",
    "per_day",
    "per_week",
    "per_month",
];

impl JsonSchema for Frequency {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        rate_schema(&PERIODS)
    }
}

fn rate_schema(keys: &[&str]) -> Schema {
    let properties: serde_json::Map<String, serde_json::Value> = keys
        .iter()
        .map(|key| (key.to_string(), number_or_range()))
        .collect();
    schemars::json_schema!({
        "description": "How often something happens: exactly one of the keys",
        "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1
    })
}

impl Decode for Frequency {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        if node
            .get_ref()
            .as_table()
            .is_some_and(|table| table.contains_key(ONCE))
        {
            reader.report(
                "rate",
                node.span(),
                "only access patterns and imports can happen `once`",
                format!("write exactly one of {}", PERIODS.join(", ")),
            );
            return None;
        }
        let (period, number) = one_period(node, reader, &PERIODS)?;
        Some(Frequency::of(period, number))
    }
    fn placeholder() -> Self {
        Frequency {
            number: Exact::zero(),
            period_hours: None,
        }
    }
}

impl Frequency {
    fn of(period: &str, number: Exact) -> Frequency {
        let period_hours = match period {
            "per_second" => Some(Exact::ratio(1, 3600)),
            "per_minute" => Some(Exact::ratio(1, 60)),
            "per_hour" => Some(Exact::one()),
            "per_day" => Some(Exact::from(24)),
            "per_week" => Some(Exact::from(168)),
            _ => None,
        };
        Frequency {
            number,
            period_hours,
        }
    }
}

/// The only key of a rate, which is one of `keys`, and its number.
fn one_period<'k>(
    node: &TomlNode,
    reader: &mut Decoder,
    keys: &[&'k str],
) -> Option<(&'k str, Exact)> {
    let Some(table) = node.get_ref().as_table() else {
        reader.wrong_type(node, "a rate, such as { per_second = 800 }");
        return None;
    };
    reader.known_keys(table, keys);
    let given: Vec<(&str, &TomlNode)> = keys
        .iter()
        .filter_map(|key| Some((*key, table.get(*key)?)))
        .collect();
    let [(key, value)] = given.as_slice() else {
        let message = format!("a rate needs exactly one period, found {}", given.len());
        let help = format!("write exactly one of {}", keys.join(", "));
        reader.report("rate", node.span(), message, help);
        return None;
    };
    let number = reader.ranged(value, |node, reader| {
        FileNumber::decode(node, reader).map(|number| number.0)
    })?;
    Some((key, number))
}

/// The shape of a rate over the week; the given rate is its mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile(Weights);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Weights {
    /// Each hour of the week, from Monday 00:00 UTC; not all zero.
    Hours(Vec<Exact>),
    /// Loads at set times, with no calls between them.
    Loads(Vec<LoadFile>),
}

/// The named profiles, with the weight of each hour of each weekday (0 is Monday).
type HourWeight = fn(weekday: usize, hour: usize) -> u64;
const PROFILES: [(&str, HourWeight); 5] = [
    ("flat", |_, _| 1),
    ("office-hours", |weekday, hour| {
        if weekday < 5 && (9..17).contains(&hour) {
            10
        } else {
            1
        }
    }),
    (
        "daytime",
        |_, hour| if (8..22).contains(&hour) { 4 } else { 1 },
    ),
    (
        "evening",
        |_, hour| if (18..23).contains(&hour) { 6 } else { 1 },
    ),
    ("weekend", |weekday, _| if weekday >= 5 { 4 } else { 1 }),
];

/// The days of a week, as cron writes them.
const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
document! {
    /// A load at a set time, every day or on the given days.
    pub struct LoadFile {
        /// When it begins, in UTC: "02:00", or "MON 02:00" for once a week.
        at: Located<String>,
        /// How long it lasts, such as "5 minutes"; whole minutes.
        r#for: Located<Duration>,
        /// The days on which it begins, such as "MON" or ["MON", "THU"]; (default: every day).
        on: Option<Located<Names>>,
    }
}

/// An error in a load: its location, the message, and how to write it.
type WrongLoad = (std::ops::Range<usize>, String, &'static str);

impl LoadFile {
    /// The minutes of the week at which it begins, and how many minutes it lasts.
    ///
    /// # Errors
    /// The location, the message, and how to write it, if the load is invalid.
    fn minutes(&self) -> Result<(Vec<u64>, u64), WrongLoad> {
        let text = self.at.value.trim();
        let (day, time) = match text.split_once(' ') {
            Some((day, time)) => (Some(day), time.trim()),
            None => (None, text),
        };
        let Some(minute) = minute_of_day(time) else {
            return Err(self.wrong_at(format!("{text:?} is not a time of day")));
        };
        let days = self.days(day)?;
        let lasts = self.length(match days.len() {
            1 => 7 * DAY_MINUTES,
            _ => DAY_MINUTES,
        })?;
        let starts = days.iter().map(|day| day * DAY_MINUTES + minute).collect();
        Ok((starts, lasts))
    }

    fn wrong_at(&self, message: String) -> WrongLoad {
        (
            self.at.span.clone(),
            message,
            "write a time of day in UTC such as \"02:00\", or a day and a time such as \"MON 02:00\"",
        )
    }

    /// The days of the week: the one in `at`, those in `on`, or all.
    fn days(&self, day: Option<&str>) -> Result<Vec<u64>, WrongLoad> {
        let position = |name: &str| {
            let mut days = DAYS.iter();
            let day = days.position(|day| day.eq_ignore_ascii_case(name));
            day.map(|day| day as u64)
        };
        let on = match (day, &self.on) {
            (Some(_), Some(on)) => {
                return Err((
                    on.span.clone(),
                    "the days are given in both `at` and `on`".to_string(),
                    "give them either in `at` or in `on`",
                ));
            }
            (Some(day), None) => {
                let message = || format!("{day:?} is not a day of the week");
                let day = position(day).ok_or_else(|| self.wrong_at(message()))?;
                return Ok(vec![day]);
            }
            (None, None) => return Ok((0..7).collect()),
            (None, Some(on)) => on,
        };
        let unknown = |name: &str| {
            (
                on.span.clone(),
                format!("{name:?} is not a day of the week"),
                "write MON, TUE, WED, THU, FRI, SAT or SUN",
            )
        };
        let days = on
            .value
            .list()
            .iter()
            .map(|name| position(name).ok_or_else(|| unknown(name)))
            .collect::<Result<Vec<_>, _>>()?;
        if days.is_empty() {
            return Err((
                on.span.clone(),
                "`on` names no day".to_string(),
                "name at least one, or remove `on`",
            ));
        }
        Ok(days)
    }

    /// How many minutes the load lasts, at most so many.
    fn length(&self, most: u64) -> Result<u64, WrongLoad> {
        let lasts = self.r#for.days() * Exact::from(DAY_MINUTES);
        let whole = (lasts == lasts.floor()).then(|| lasts.to_u64()).flatten();
        whole
            .filter(|minutes| (1..=most).contains(minutes))
            .ok_or_else(|| {
                let message = format!(
                    "a load must last a whole number of minutes, from 1 to {}",
                    Exact::from(most)
                );
                (
                    self.r#for.span.clone(),
                    message,
                    "write a length of time such as \"5 minutes\" or \"2 hours\"",
                )
            })
    }
}

/// The minute of the day of a time such as `02:00`.
fn minute_of_day(time: &str) -> Option<u64> {
    let (hour, minute) = time.split_once(':')?;
    let digits = |text: &str, most: u64| {
        let number = text.parse::<u64>().ok();
        number.filter(|number| text.len() == 2 && *number <= most)
    };
    Some(digits(hour, 23)? * 60 + digits(minute, 59)?)
}

impl Profile {
    /// The same at every hour.
    pub fn flat() -> Profile {
        Profile(Weights::Hours(vec![Exact::one(); WEEK_HOURS]))
    }

    fn named(name: &str) -> Option<Profile> {
        let (_, weight) = PROFILES.iter().find(|(known, _)| *known == name)?;
        Some(Profile(Weights::Hours(
            (0..WEEK_HOURS)
                .map(|hour| Exact::from(weight(hour / 24, hour % 24)))
                .collect(),
        )))
    }

    /// The weight of each moment of the week divided by the mean weight. Loads at set times begin
    /// and end exactly at those times; `course` does not change them.
    pub fn shape(&self, course: Course) -> Shape {
        let shape = match &self.0 {
            Weights::Hours(weights) => Shape::of_hours(weights, course),
            Weights::Loads(loads) => {
                let mut weights = vec![Exact::zero(); WEEK_MINUTES as usize];
                for (starts, lasts) in loads.iter().filter_map(|load| load.minutes().ok()) {
                    for minute in starts.iter().flat_map(|start| *start..*start + lasts) {
                        weights[(minute % WEEK_MINUTES) as usize] = Exact::one();
                    }
                }
                Shape::of_minutes(&weights)
            }
        };
        shape.unwrap_or_else(Shape::flat)
    }
}

impl JsonSchema for Profile {
    fn schema_name() -> Cow<'static, str> {
        "Profile".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let weights = |count: u32| serde_json::json!({ "type": "array", "items": { "type": "number", "minimum": 0 }, "minItems": count, "maxItems": count });
        let load = generator.subschema_for::<LoadFile>();
        schemars::json_schema!({
            "description": "The shape over the week: a name, 24 weights (a day) or 168 (a week from Monday), or loads at set times such as { at = \"02:00\", for = \"5 minutes\" }",
            "anyOf": [{ "enum": PROFILES.map(|(name, _)| name) }, weights(24), weights(168), load, { "type": "array", "items": load, "minItems": 1 }]
        })
    }
}

impl Decode for Profile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let help = || {
            format!(
                "write {}, 24 or 168 weights that are not all zero, or {{ at = \"02:00\", for = \
                 \"5 minutes\" }}",
                PROFILES.map(|(name, _)| format!("{name:?}")).join(", ")
            )
        };
        let profile = match node.get_ref() {
            DeValue::String(name) => Profile::named(name),
            DeValue::Table(_) => {
                return Profile::loads(vec![LoadFile::decode(node, reader)?], reader);
            }
            DeValue::Array(list)
                if list
                    .first()
                    .is_some_and(|first| first.get_ref().as_table().is_some()) =>
            {
                return Profile::loads(Vec::<LoadFile>::decode(node, reader)?, reader);
            }
            DeValue::Array(_) => {
                let given: Vec<Exact> = Vec::<FileNumber>::decode(node, reader)?
                    .into_iter()
                    .map(|number| number.0)
                    .collect();
                let weights = if given.len() == 24 {
                    (0..7).flat_map(|_| given.clone()).collect()
                } else {
                    given
                };
                let valid =
                    weights.len() == WEEK_HOURS && weights.iter().any(|weight| !weight.is_zero());
                valid.then_some(Profile(Weights::Hours(weights)))
            }
            _ => {
                reader.wrong_type(
                    node,
                    "a profile's name, an array of weights, or loads at set times",
                );
                return None;
            }
        };
        if profile.is_none() {
            reader.report("profile", node.span(), "not a valid profile", help());
        }
        profile
    }
    fn placeholder() -> Self {
        Profile::flat()
    }
}

impl Profile {
    /// A profile of loads at set times; invalid loads are reported.
    fn loads(loads: Vec<LoadFile>, reader: &mut Decoder) -> Option<Profile> {
        let mut right = true;
        for load in loads
            .iter()
            .filter(|load| !load.at.is_placeholder() && !load.r#for.is_placeholder())
        {
            if let Err((span, message, help)) = load.minutes() {
                right = false;
                reader.report("profile", span, message, help);
            }
        }
        right.then_some(Profile(Weights::Loads(loads)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("1 KB", 1024),
            ("1.8 KB", 1843),
            ("600 B", 600),
            ("512KB", 512 * KB),
            ("100 GB", 100 * GB),
            ("42", 42),
        ] {
            assert_eq!(Size::parse(text), Some(Size(Bytes(bytes))), "{text}");
        }
        for text in ["", "KB", "1 XB", "-1 KB", "1e99 GB", "nan"] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_of_720_hours_has_thirty_days() {
        let month = MonthHours::new(Exact::from(720)).expect("a month");
        let rate = Frequency {
            number: Exact::from(1_000_000),
            period_hours: Some(Exact::from(24)),
        };
        assert_eq!(rate.monthly(&month), Exact::from(30_000_000));
        assert_eq!(
            Duration::parse("15 days").expect("a span").months(&month),
            Exact::ratio(1, 2)
        );
    }

    #[test]
    fn a_profile_keeps_the_mean() {
        for (name, _) in PROFILES {
            let shape = Profile::named(name).expect(name).shape(Course::Steps);
            assert_eq!(
                shape.factors().iter().cloned().sum::<Exact>(),
                Exact::from(168),
                "{name}"
            );
        }
    }
}
