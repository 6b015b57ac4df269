//! Events of other traffic than usual, and how throttled requests are repeated.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{NaiveDateTime, NaiveTime, Timelike, Weekday};

use super::Checker;
use crate::capacity::Retries;
use crate::time::{DAY_MINUTES, Date, WEEK_MINUTES};
use crate::units::Exact;
use crate::workload::decode::{FileNumber, Located};
use crate::workload::file::{EventFile, RetriesFile};
use crate::workload::quantities::Duration;
use crate::workload::{DesignPart, EventTraffic, TableDesign, TrafficEvent};

/// The error code of events.
const CODE: &str = "event";

/// Minutes of a day.
/// The most attempts of a request.
const ATTEMPTS_MAX: u64 = 20;

/// The access patterns of a design, as far as events ask for them.
#[derive(Default)]
struct EventCalls<'a> {
    /// The calls of a month by name, and how many tables have an access pattern of that name.
    usual: BTreeMap<&'a str, (Exact, usize)>,
    /// Those that are called once.
    once: Vec<&'a str>,
}

impl Checker<'_> {
    /// The events of a workload, in their order in the week.
    pub(super) fn events(
        &mut self,
        files: &[Located<EventFile>],
        tables: &[Arc<TableDesign>],
    ) -> Vec<TrafficEvent> {
        self.unique(
            "duplicate-name",
            "event",
            files.iter().map(|file| &file.name),
        );
        let mut calls = EventCalls::default();
        for table in tables {
            let mut own: BTreeMap<&str, Exact> = BTreeMap::new();
            for access in table.patterns() {
                *own.entry(&access.name).or_default() += &access.calls;
            }
            for (name, sum) in own {
                let (usual, tables) = calls.usual.entry(name).or_default();
                *usual += &sum;
                *tables += 1;
            }
            calls
                .once
                .extend(table.once.iter().map(|one| one.name.as_str()));
        }
        let mut events: Vec<(TrafficEvent, &Located<EventFile>)> = Vec::new();
        for file in files {
            let Some(event) = self.event(file, &calls) else {
                continue;
            };
            if let Some((other, _)) = events.iter().find(|(other, _)| overlap(&event, other)) {
                let message = format!(
                    "the event {:?} overlaps {:?}, on line {}",
                    event.name, other.name, other.line
                );
                let help = "make one event of both, or change `at` or `for`";
                self.report(CODE, &file.at.span, message, help);
            }
            self.note(DesignPart::Event(event.name.clone()), &file.name.span);
            events.push((event, file));
        }
        let mut events: Vec<TrafficEvent> = events.into_iter().map(|(event, _)| event).collect();
        events.sort_by_key(|event| event.start);
        events
    }

    fn event(&mut self, file: &Located<EventFile>, calls: &EventCalls) -> Option<TrafficEvent> {
        let begins = self.begins(&file.at);
        let minutes = self.minutes("an event", &file.r#for, WEEK_MINUTES);
        let ramp = file
            .ramp
            .as_ref()
            .map(|ramp| self.minutes("a ramp", ramp, minutes.unwrap_or(WEEK_MINUTES)));
        let traffic = self.event_traffic(file, calls);
        let (start, date) = begins?;
        Some(TrafficEvent {
            name: file.name.value.clone(),
            start,
            date,
            minutes: minutes?,
            ramp: ramp.unwrap_or(Some(0))?,
            traffic: traffic?,
            line: self.reader.source().line(file.name.span.start),
        })
    }

    /// The minute of the week at which an event begins, and its date if it has one.
    fn begins(&mut self, at: &Located<String>) -> Option<(u64, Option<Date>)> {
        if at.is_placeholder() {
            return None;
        }
        let found = day_of_week(&at.value).or_else(|| dated(&at.value));
        if found.is_none() {
            let message = format!(
                "{:?} is not a time of the simulated week, nor a date with a time",
                at.value.chars().take(40).collect::<String>()
            );
            let help = "write a day and a time from 00:00 to 23:59 in UTC, such as \"Tue 14:00\", or \
                        a date and a time, such as \"2026-12-01 14:00\"";
            self.report(CODE, &at.span, message, help);
        }
        found
    }

    /// A length of time in whole minutes.
    fn minutes(&mut self, what: &str, given: &Located<Duration>, most: u64) -> Option<u64> {
        if given.is_placeholder() {
            return None;
        }
        let minutes = &given.value.days() * &Exact::from(DAY_MINUTES);
        let whole = (minutes == minutes.floor())
            .then(|| minutes.to_u64())
            .flatten()
            .filter(|minutes| (1..=most).contains(minutes));
        if whole.is_none() {
            let message = format!(
                "{what} lasts from 1 to {} whole minutes, found {}",
                Exact::from(most),
                minutes.human(3)
            );
            let help = match most == WEEK_MINUTES {
                true => "the simulated time is a week; write a shorter time, such as \"2 hours\"",
                false => "make it no longer than its event",
            };
            self.report(CODE, &given.span, message, help);
        }
        whole
    }

    fn event_traffic(
        &mut self,
        file: &Located<EventFile>,
        calls: &EventCalls,
    ) -> Option<EventTraffic> {
        match (&file.factor, &file.rates) {
            (Some(factor), None) => self.event_factor(file, factor, calls),
            (None, Some(rates)) => {
                if let Some(access) = &file.access {
                    let message = "`rates` name their access patterns, so `access` says nothing";
                    self.report(CODE, &access.span, message, "remove `access`");
                }
                if rates.value.0.is_empty() && !rates.is_placeholder() {
                    let help = "write { \"the name of an access pattern\" = { per_second = … } }";
                    self.report(CODE, &rates.span, "an event without a rate", help);
                }
                let month = self.month.clone();
                let mut all = Vec::new();
                for (name, rate) in &rates.value.0 {
                    let (usual, tables) = self.usual_calls(name, calls)?;
                    if tables > 1 {
                        let message = format!(
                            "{tables} tables have an access pattern {:?}, so that its rate is not clear",
                            name.value
                        );
                        let help = "give the access patterns different names, or write `factor`";
                        self.report(CODE, &name.span, message, help);
                        return None;
                    }
                    if usual.is_zero() {
                        let message = format!(
                            "{:?} is not called outside the event, so its units are not known",
                            name.value
                        );
                        let help = "give the access pattern a rate, however small";
                        self.report(CODE, &name.span, message, help);
                        return None;
                    }
                    let calls = &rate.value.monthly(&month) * &self.traffic;
                    all.push((name.value.clone(), &calls / &usual));
                }
                Some(EventTraffic::Rates(all))
            }
            _ => {
                let message = "an event needs either `factor` or `rates`";
                let help = "add `factor = 3` for three times the usual traffic, or `rates`, but not \
                            both";
                self.report(CODE, &file.name.span, message, help);
                None
            }
        }
    }

    fn event_factor(
        &mut self,
        file: &EventFile,
        factor: &Located<FileNumber>,
        calls: &EventCalls,
    ) -> Option<EventTraffic> {
        let mut names = Vec::new();
        for name in file.access.iter().flat_map(|names| &names.value) {
            self.usual_calls(name, calls)?;
            names.push(name.value.clone());
        }
        if let Some(empty) = file.access.as_ref().filter(|names| names.value.is_empty()) {
            let help = "name access patterns, or remove `access` for all of them";
            self.report(CODE, &empty.span, "an event of no access pattern", help);
        }
        Some(EventTraffic::Factor {
            factor: factor.value.0.clone(),
            access: file.access.is_some().then_some(names),
        })
    }

    /// The calls of an access pattern in a month, and how many tables have one of that name; an error if
    /// there is none.
    fn usual_calls(
        &mut self,
        name: &Located<String>,
        calls: &EventCalls,
    ) -> Option<(Exact, usize)> {
        let known = calls.usual.get(name.value.as_str()).cloned();
        if known.is_none() {
            let shown: String = name.value.chars().take(60).collect();
            if calls.once.contains(&name.value.as_str()) {
                let message =
                    format!("{shown:?} is called once, so it has no rate that an event changes");
                self.report(CODE, &name.span, message, "remove it from the event");
                return None;
            }
            let near = calls
                .usual
                .keys()
                .map(|one| (strsim::damerau_levenshtein(one, &name.value), *one))
                .min();
            let help = match near {
                Some((distance, near)) if distance <= 3 => format!("did you mean {near:?}?"),
                _ => "use the name of an access pattern of the design".to_string(),
            };
            let message = format!("no table has the access pattern {shown:?}");
            self.report(CODE, &name.span, message, help);
        }
        known
    }

    /// How throttled requests are repeated.
    pub(super) fn retries(&mut self, file: &RetriesFile) -> Retries {
        let usual = Retries::default();
        let attempts = file.attempts.as_ref().map_or(usual.attempts, |attempts| {
            self.whole(
                "retries",
                "the number of attempts",
                attempts,
                1..=ATTEMPTS_MAX,
            )
        });
        Retries {
            attempts,
            base_ms: file
                .base
                .as_ref()
                .map_or(usual.base_ms, |base| base.milliseconds),
            jitter: file.jitter.unwrap_or(usual.jitter),
        }
    }
}

/// A day of the week and a time, such as "Tue 14:00".
fn day_of_week(text: &str) -> Option<(u64, Option<Date>)> {
    let (day, time) = text.trim().split_once(' ')?;
    let day: Weekday = day.parse().ok()?;
    let time = NaiveTime::parse_from_str(time.trim(), "%H:%M").ok()?;
    Some((minute_of_week(day, time), None))
}

/// A date and a time, such as "2026-12-01 14:00", "2026-12-01T14:00" or "2026-12-01T14:00Z".
fn dated(text: &str) -> Option<(u64, Option<Date>)> {
    let text = text.trim().trim_end_matches('Z');
    let forms = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let found = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    let date = Date::parse(&found.date().to_string())?;
    let day = chrono::Datelike::weekday(&found.date());
    Some((minute_of_week(day, found.time()), Some(date)))
}

fn minute_of_week(day: Weekday, time: NaiveTime) -> u64 {
    let days = u64::from(day.num_days_from_monday());
    days * DAY_MINUTES + u64::from(time.hour() * 60 + time.minute())
}

/// Whether two events share a minute; the week begins again after Sunday. Events of different dates
/// overlap only if both have a date and the dates are less than their lengths apart.
fn overlap(one: &TrafficEvent, other: &TrafficEvent) -> bool {
    if let (Some(first), Some(second)) = (one.date, other.date) {
        let (a, b) = (absolute(first, one), absolute(second, other));
        return a < b + other.minutes as i64 && b < a + one.minutes as i64;
    }
    let apart = |from: &TrafficEvent, to: &TrafficEvent| {
        (to.start + WEEK_MINUTES - from.start) % WEEK_MINUTES
    };
    apart(one, other) < one.minutes || apart(other, one) < other.minutes
}

/// The minute at which an event with a date begins, from 1970 on.
fn absolute(date: Date, event: &TrafficEvent) -> i64 {
    date.midnight_second() / 60 + (event.start % DAY_MINUTES) as i64
}
