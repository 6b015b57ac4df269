//! Times in the text of a log: found by form and place, never by what happens to parse.
//!
//! A time with a date and a year comes first, then one without a year, then a number since 1970,
//! which counts only at the start of the text or after a name such as `ts=`. Of several times of
//! one form, the first in the text counts. A form that can be read in two ways is an error.

use std::sync::LazyLock;

use chrono::format::{Item, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use regex::{Captures, Match, Regex};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Time;

/// The first moment that can be a time of DynamoDB, which AWS announced on 18 January 2012.
pub const EARLIEST: Time = Time(1_325_376_000 * Time::SECOND);

/// The last moment that a number is taken for.
const LATEST: Time = Time(4_102_444_800 * Time::SECOND);

/// A time that was found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The moment.
    pub time: Time,
    /// Whether the text says the time zone; if not, UTC was taken.
    pub has_zone: bool,
    /// Whether the text says the year; if not, the file's was taken.
    pub has_year: bool,
    /// The bytes of the text that it takes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Why a text has no time that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTime {
    /// There is none.
    Missing,
    /// What was found, and why it is not a time: it can be read in two ways, it has no date, or it
    /// is no moment of DynamoDB.
    Unclear(String),
}

/// How times are read: `--time-format`, and the last moment that a time without a year can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// The form that the user named.
    pub format: Option<TimeFormat>,
    /// The last moment of a file, from its name or its modification time. A time without a year is
    /// the latest one that is not after it.
    pub last: Option<Time>,
}

/// Where the time begins, at the latest, of a line that begins with one: after a bracket, or the
/// priority of syslog.
const LEADING_MAX: usize = 6;

/// How far the time of a relay, at the start of a line, is from the time of the line itself. With
/// more, the other time is part of what the line says, such as a key.
const RELAYED_NANOSECONDS: i64 = 86_400 * Time::SECOND;

/// A form of times in the notation of `strftime`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeFormat {
    items: Vec<Item<'static>>,
}

impl TimeFormat {
    /// Parses a form such as `%d/%m/%Y %H:%M:%S`.
    ///
    /// # Errors
    /// A message, if it is not such a form or gives no moment.
    pub fn parse(text: &str) -> Result<TimeFormat, String> {
        let items: Vec<Item<'static>> = StrftimeItems::new(text).map(Item::to_owned).collect();
        if items.is_empty() || items.contains(&Item::Error) {
            return Err(format!(
                "{text:?} is not a form of times; write it as for strftime, such as \"%d/%m/%Y \
                 %H:%M:%S\""
            ));
        }
        Ok(TimeFormat { items })
    }
}

static FULL: LazyLock<Vec<Form>> = LazyLock::new(|| compiled(&full_forms()));
static WITHOUT_YEAR: LazyLock<Vec<Form>> = LazyLock::new(|| compiled(&forms_without_year()));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    one(
        r#"(?x) (?: ^[\s\["'(]* | (?:^|[\s"'\[({,;]) (?:ts|t|time|timestamp|@timestamp|epoch|date) ["']? \s?[=:]\s? ["']? )
        (?P<number> [0-9]{10}(?:[.,][0-9]{1,9})? | [0-9]{13}(?:[.,][0-9]{1,6})? | [0-9]{16} | [0-9]{19} | [0-9]\.[0-9]{6,}[eE]\+?0?9 )
        (?: [^0-9A-Za-z.] | $ )"#,
    )
});
static CLOCK_TIME: LazyLock<Regex> =
    LazyLock::new(|| one(r"(?:^|[^0-9:.])[0-9]{1,2}:[0-9][0-9]:[0-9][0-9](?:[^0-9:]|$)"));

const MONTH: &str = "(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const TIME: &str = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9][0-9])(?::(?P<second>[0-9][0-9])(?:[.,:](?P<fraction>[0-9]{1,9}))?)?(?:\s?(?P<half>(?:AM|PM|am|pm)(?-u:\b)|[ap]\.[ \u{a0}]?m\.))?";
const ZONE: &str = r"(?:\s?(?P<zone>Z(?-u:\b)|(?:UTC|GMT)?[+-][0-9][0-9]:?[0-9][0-9](?-u:\b)|(?:UTC|GMT)[+-][0-9][0-9]?(?-u:\b)|UTC(?-u:\b)|GMT(?-u:\b)|[A-Z]{3,4}(?-u:\b))|(?P<near>[+-][0-9][0-9](?-u:\b)))?";

fn one(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("{pattern}: {error}"))
}

fn compiled(patterns: &[String]) -> Vec<Form> {
    patterns.iter().map(|pattern| Form::new(pattern)).collect()
}

/// The parts of a time, by their names in the patterns.
const PARTS: [&str; 12] = [
    "year", "month", "day", "first", "other", "hour", "minute", "second", "fraction", "half",
    "zone", "near",
];

/// A form of times.
struct Form {
    regex: Regex,
    /// The groups of the parts.
    groups: [Option<usize>; PARTS.len()],
}

impl Form {
    fn new(pattern: &str) -> Form {
        let regex = one(pattern);
        let groups = PARTS.map(|part| regex.capture_names().position(|name| name == Some(part)));
        Form { regex, groups }
    }

    /// The first time of this form in a text.
    fn find<'t>(&self, text: &'t str, from: usize) -> Option<Parts<'t>> {
        let captures = self.regex.captures_at(text, from)?;
        Some(Parts {
            start: captures.get_match().start(),
            whole: captures.get_match().as_str(),
            list: self.groups.map(|group| captures.get(group?)),
        })
    }
}

/// A time of some form in a text, by its parts.
struct Parts<'t> {
    start: usize,
    whole: &'t str,
    list: [Option<Match<'t>>; PARTS.len()],
}

impl<'t> Parts<'t> {
    /// A part.
    fn get(&self, name: &str) -> Option<&'t str> {
        let at = PARTS.iter().position(|part| *part == name)?;
        self.list[at].map(|part| part.as_str())
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }

    /// Where the time begins and ends.
    fn place(&self) -> (usize, usize) {
        let parts = || self.list.iter().flatten();
        (
            parts().map(|part| part.start()).min().unwrap_or(0),
            parts().map(|part| part.end()).max().unwrap_or(0),
        )
    }
}

/// Forms with a date and a year.
fn full_forms() -> Vec<String> {
    let separator = r"(?:T|t|_|\s{1,2}|\s?@\s|,\s?|:)";
    vec![
        format!(
            r"(?:^|[^0-9])(?P<year>[0-9]{{4}})[-/.](?P<month>[0-9]{{1,2}}|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[-/.](?P<day>[0-9]{{1,2}}){separator}{TIME}{ZONE}"
        ),
        format!(
            r"(?:^|[^0-9])(?P<year>20[0-9][0-9])(?P<month>[0-9][0-9])(?P<day>[0-9][0-9])[T_ -]?(?P<hour>[0-9][0-9]):?(?P<minute>[0-9][0-9]):?(?P<second>[0-9][0-9])(?:[.,](?P<fraction>[0-9]{{1,9}}))?{ZONE}(?:[^0-9]|$)"
        ),
        format!(
            r"(?:^|[^0-9])(?P<day>[0-9]{{1,2}})[ /-]{MONTH}[a-z]*[ /-](?P<year>[0-9]{{4}})(?:[ ,]{{1,2}}|:){TIME}{ZONE}"
        ),
        format!(
            r"(?:^|[^0-9])(?P<day>[0-9]{{1,2}})-{MONTH}-(?P<year>[0-9][0-9])[ ,]{{1,2}}{TIME}{ZONE}"
        ),
        format!(
            r"(?:^|[^A-Za-z]){MONTH}[a-z]*\.?\s+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>[0-9]{{4}}),?(?:\s@|\sat)?\s{TIME}{ZONE}"
        ),
        format!(
            r"(?:^|[^A-Za-z]){MONTH}\s+(?P<day>[0-9]{{1,2}})\s(?P<hour>[0-9][0-9]):(?P<minute>[0-9][0-9]):(?P<second>[0-9][0-9])(?:[.,](?P<fraction>[0-9]{{1,9}}))?(?:\s(?P<half>AM|PM))?(?:\s(?P<zone>[A-Z]{{3,4}}|[+-][0-9]{{2}}(?:[0-9]{{2}})?))?\s(?P<year>[0-9]{{4}})(?:[^0-9]|$)"
        ),
        format!(
            r"(?:^|[^0-9])(?P<day>[0-9]{{1,2}})\.(?P<month>[0-9]{{1,2}})\.(?P<year>[0-9]{{4}})[ ,T]+{TIME}{ZONE}"
        ),
        format!(
            r"(?:^|[^0-9])(?P<first>[0-9]{{1,2}})[/-](?P<other>[0-9]{{1,2}})[/-](?P<year>[0-9]{{4}})[ ,T:]+{TIME}{ZONE}"
        ),
    ]
}

/// Forms with a date but no year.
fn forms_without_year() -> Vec<String> {
    vec![
        format!(r"(?:^|[^A-Za-z]){MONTH}\s+(?P<day>[0-9]{{1,2}})\s{TIME}{ZONE}"),
        format!(r"(?:^|[^0-9])(?P<day>[0-9]{{1,2}})[ -]{MONTH}\s{TIME}{ZONE}"),
        format!(r"^\s*[IWEFD](?P<month>[0-9][0-9])(?P<day>[0-9][0-9])\s+{TIME}"),
        format!(r"^\s*\[?(?P<month>[0-9][0-9])-(?P<day>[0-9][0-9])\s{TIME}{ZONE}"),
    ]
}

/// How far into a line the form that the user named is looked for.
const FORM_TEXT_MAX: usize = 512;

/// A form that the line before had, which the next line most probably has too.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastForm(Option<(usize, usize)>);

impl Clock {
    /// The time in a text.
    ///
    /// # Errors
    /// [`NoTime`] if there is none, or if it is not clear.
    pub fn find(&self, text: &str, last: &mut LastForm) -> Result<Found, NoTime> {
        if let Some(format) = &self.format {
            return self.by_format(text, format);
        }
        // The first word of most lines is a time of RFC 3339, which nothing can precede.
        let word = text.split([' ', '\t']).next().unwrap_or_default();
        if word.len() >= 20
            && let Ok(moment) = DateTime::parse_from_rfc3339(word)
            && let Some(nanoseconds) = moment.timestamp_nanos_opt()
        {
            return Ok(Found {
                time: Time(nanoseconds),
                has_zone: true,
                has_year: true,
                start: 0,
                end: word.len(),
            });
        }
        let forms = &*FULL;
        // The form and the place of the line before are tried first: most logs have one form.
        if let Some((form, start)) = last.0
            && text.is_char_boundary(start)
            && let Some(parts) = forms[form].find(text, start)
            && parts.place().0 == start
        {
            return self.read(&parts);
        }
        let mut best: Option<(usize, usize, Parts)> = None;
        for (at, form) in forms.iter().enumerate() {
            if let Some(parts) = form.find(text, 0) {
                let (start, _) = parts.place();
                if best.as_ref().is_none_or(|(first, ..)| start < *first) {
                    best = Some((start, at, parts));
                }
            }
        }
        if let Some((start, form, parts)) = best {
            let found = self.read(&parts)?;
            if start > LEADING_MAX
                && let Some(leading) = self.leading(text)
                && (leading.time.0 - found.time.0).abs() > RELAYED_NANOSECONDS
            {
                return Ok(leading);
            }
            // The form's text can begin a byte before the time, at what separates it.
            last.0 = (parts.start == start).then_some((form, start));
            return Ok(found);
        }
        for form in WITHOUT_YEAR.iter() {
            if let Some(parts) = form.find(text, 0) {
                return self.read(&parts);
            }
        }
        if let Some(found) = number_in(text) {
            return Ok(found);
        }
        match CLOCK_TIME.find(text) {
            Some(found) => Err(NoTime::Unclear(format!(
                "\"{}\" has no date",
                found.as_str().trim()
            ))),
            None => Err(NoTime::Missing),
        }
    }

    /// The time without a year, or the number, with which a text begins.
    fn leading(&self, text: &str) -> Option<Found> {
        let forms = WITHOUT_YEAR.iter().filter_map(|form| form.find(text, 0));
        let leading = forms.filter_map(|parts| self.read(&parts).ok());
        let mut found = leading.chain(number_in(text));
        found.find(|found| found.start <= LEADING_MAX)
    }

    /// The time that a whole text is, such as a member of a JSON object.
    ///
    /// # Errors
    /// [`NoTime`] if it is not a time.
    pub fn whole(&self, text: &str, last: &mut LastForm) -> Result<Found, NoTime> {
        let found = self.find(text, last)?;
        let before = text[..found.start].trim_matches(|c: char| !c.is_ascii_digit());
        match before.is_empty() {
            true => Ok(found),
            false => Err(NoTime::Missing),
        }
    }

    /// The time at the start of the text, or of a word, that has the form which the user named.
    fn by_format(&self, text: &str, format: &TimeFormat) -> Result<Found, NoTime> {
        let mut starts = vec![0];
        let head = text.char_indices().take(FORM_TEXT_MAX);
        starts.extend(head.filter_map(|(at, c)| {
            (c.is_whitespace() || "[(=\"'".contains(c)).then_some(at + c.len_utf8())
        }));
        for start in starts {
            let mut parsed = Parsed::new();
            let rest = parse_and_remainder(&mut parsed, &text[start..], format.items.iter());
            let Ok(rest) = rest else { continue };
            let end = text.len() - rest.len();
            let naive = |parsed: &Parsed| parsed.to_naive_datetime_with_offset(0).ok();
            let has_zone = parsed.offset().is_some() || parsed.timestamp().is_some();
            let has_year = naive(&parsed).is_some();
            if !has_year {
                let year = self.year(&|year| {
                    let mut parsed = parsed.clone();
                    parsed.set_year(i64::from(year)).ok()?;
                    naive(&parsed)
                });
                let Some(year) = year else {
                    if self.last.is_none() {
                        let message = "the form that --time-format names has no year, and the \
                                       input is not a file";
                        return Err(NoTime::Unclear(message.to_string()));
                    }
                    continue;
                };
                parsed.set_year(i64::from(year)).ok();
            }
            let offset = parsed.offset().unwrap_or(0);
            let Ok(naive) = parsed.to_naive_datetime_with_offset(offset) else {
                continue;
            };
            let Some(time) = moment(naive, offset) else {
                continue;
            };
            return Ok(Found {
                time,
                has_zone,
                has_year,
                start,
                end,
            });
        }
        Err(NoTime::Unclear(
            "no time of the form that --time-format names".to_string(),
        ))
    }

    /// The latest year in which a time without one is not after the last moment of its file.
    fn year(&self, naive: &dyn Fn(i32) -> Option<NaiveDateTime>) -> Option<i32> {
        let last = DateTime::from_timestamp_nanos(self.last?.0).naive_utc();
        // A day's grace, for the time zone.
        let last = last.checked_add_signed(chrono::TimeDelta::days(1))?;
        let year = last.year();
        (year - 4..=year)
            .rev()
            .find(|year| naive(*year).is_some_and(|moment| moment <= last))
    }

    /// The moment of a form that matched.
    fn read(&self, parts: &Parts) -> Result<Found, NoTime> {
        let (start, end) = parts.place();
        let shown = || {
            parts
                .whole
                .trim_matches(|c: char| !c.is_ascii_alphanumeric())
        };
        let unclear = |why: &str| NoTime::Unclear(format!("\"{}\" {why}", shown()));
        let time = of_day(parts).ok_or_else(|| unclear("is not a time of day"))?;
        let (month, day) = month_and_day(parts).map_err(unclear)?;
        let naive = |year: i32| Some(NaiveDate::from_ymd_opt(year, month, day)?.and_time(time));
        let stated = parts.get("year");
        let year = match stated {
            Some(year) => year.parse::<i32>().ok().map(|number| {
                if year.len() == 2 {
                    2000 + number
                } else {
                    number
                }
            }),
            None if self.last.is_none() => {
                return Err(unclear("has no year, and the input is not a file"));
            }
            None => self.year(&naive),
        };
        let naive = year
            .and_then(naive)
            .ok_or_else(|| unclear("is not a date"))?;
        let zone = parts.get("zone").or_else(|| parts.get("near"));
        let offset = zone.map_or(Ok(None), offset).map_err(unclear)?;
        let time = moment(naive, offset.unwrap_or(0)).ok_or_else(|| unclear("is out of range"))?;
        // A word such as INFO that follows is not a zone.
        let end = match (zone, offset) {
            (Some(zone), None) => end - zone.len(),
            _ => end,
        };
        Ok(Found {
            time,
            has_zone: offset.is_some(),
            has_year: stated.is_some(),
            start,
            end,
        })
    }
}

fn of_day(parts: &Parts) -> Option<NaiveTime> {
    let number =
        |name: &str| -> Option<u32> { parts.get(name).map_or(Some(0), |part| part.parse().ok()) };
    let hour = match parts.get("half") {
        None => number("hour")?,
        Some(half) => {
            let hour = number("hour").filter(|hour| (1..=12).contains(hour))? % 12;
            match half.starts_with(['p', 'P']) {
                true => hour + 12,
                false => hour,
            }
        }
    };
    let fraction = parts.get("fraction").unwrap_or_default();
    let nanoseconds: u32 = format!("{fraction:0<9}").parse().ok()?;
    // A leap second, 60, is taken as the second before it.
    let second = match number("second")? {
        60 => 59,
        second => second,
    };
    NaiveTime::from_hms_nano_opt(hour, number("minute")?, second, nanoseconds)
}

fn month_and_day(parts: &Parts) -> Result<(u32, u32), &'static str> {
    const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    if let (Some(first), Some(other)) = (parts.number("first"), parts.number("other")) {
        return match (first, other) {
            (first, other) if first > 12 => Ok((other, first)),
            (first, other) if other > 12 => Ok((first, other)),
            (first, other) if first == other => Ok((first, other)),
            _ => Err(
                "can be a day and a month or a month and a day; say which with --time-format, such \
                 as --time-format \"%d/%m/%Y %H:%M:%S\"",
            ),
        };
    }
    let name = parts.get("month").unwrap_or_default();
    let named = NAMES.iter().position(|known| *known == name);
    let month = named
        .map(|at| at as u32 + 1)
        .or_else(|| name.parse().ok())
        .ok_or("has no month")?;
    Ok((month, parts.number("day").ok_or("has no day")?))
}

/// Abbreviations of time zones, and their hours before UTC. Those of North America are in RFC 2822.
const ZONES: [(&str, i32); 30] = [
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("WET", 0),
    ("WEST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("MSK", 3),
    ("SGT", 8),
    ("HKT", 8),
    ("JST", 9),
    ("KST", 9),
    ("AEST", 10),
    ("AEDT", 11),
    ("WAT", 1),
    ("SAST", 2),
    ("EAT", 3),
    ("PKT", 5),
    ("WIB", 7),
    ("NZST", 12),
    ("NZDT", 13),
];

/// The seconds of a time zone; `None` if the word is not one.
fn offset(zone: &str) -> Result<Option<i32>, &'static str> {
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == zone) {
        return Ok(Some(hours * 3_600));
    }
    if ["IST", "BST", "CST"].contains(&zone) {
        return Err(
            "has a time zone that stands for several; write it as an offset, or name the form with \
             --time-format",
        );
    }
    let Some(at) = zone.find(['+', '-']) else {
        return Ok(None);
    };
    let digits: String = zone[at + 1..]
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let number = |range: std::ops::Range<usize>| -> i32 {
        digits
            .get(range)
            .map_or(0, |part| part.parse().unwrap_or(0))
    };
    let seconds = number(0..2) * 3_600 + number(2..4) * 60;
    Ok(Some(if zone[at..].starts_with('-') {
        -seconds
    } else {
        seconds
    }))
}

fn moment(naive: NaiveDateTime, offset: i32) -> Option<Time> {
    let zone = FixedOffset::east_opt(offset)?;
    let moment = naive.and_local_timezone(zone).single()?;
    moment.timestamp_nanos_opt().map(Time)
}

/// The last moment that a file can contain: the end of the day in its name, such as
/// `app-2024-03-09.log`, else its last change.
pub fn last_of_file(file: &str) -> Option<Time> {
    static DAY: LazyLock<Regex> = LazyLock::new(|| {
        one(
            r"(?:^|[^0-9])(?P<year>20[0-9][0-9])[-_./]?(?P<month>[01][0-9])[-_./]?(?P<day>[0-3][0-9])(?:[^0-9]|$)",
        )
    });
    let number = |captures: &Captures, name: &str| -> Option<u32> {
        captures.name(name)?.as_str().parse().ok()
    };
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let captures = DAY
        .captures(name)
        .or_else(|| DAY.captures_iter(file).last());
    let of_name = captures.and_then(|captures| {
        let day = NaiveDate::from_ymd_opt(
            number(&captures, "year")? as i32,
            number(&captures, "month")?,
            number(&captures, "day")?,
        )?;
        moment(day.and_hms_opt(23, 59, 59)?, 0)
    });
    of_name.or_else(|| {
        let changed = std::fs::metadata(file).ok()?.modified().ok()?;
        let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Time::from_second(since.as_secs() as i64))
    })
}

/// A number since 1970 in a text, where a time can stand.
fn number_in(text: &str) -> Option<Found> {
    let number = NUMBER.captures(text)?.name("number")?;
    Some(Found {
        time: since_1970(number.as_str())?,
        has_zone: true,
        has_year: true,
        start: number.start(),
        end: number.end(),
    })
}

/// The moment of a number since 1970, if it is one at which DynamoDB existed. Its unit is that of
/// its magnitude.
pub fn since_1970(text: &str) -> Option<Time> {
    let text = text.replace(',', ".");
    let time = match text.contains(['e', 'E']) {
        // zap writes seconds as 1.709993653123e+09.
        true => {
            let seconds = Decimal::from_scientific(&text.replace("e+", "e")).ok()?;
            Time(seconds.checked_mul(Decimal::from(Time::SECOND))?.to_i64()?)
        }
        false => super::time::parse_number(&text, None)?.0,
    };
    (EARLIEST..LATEST).contains(&time).then_some(time)
}
