//! Headroom as text, Markdown, JSON and CSV.

use super::document::{Body, Document, Entry};
use super::json::{decimal, pretty};
use super::present::Present;
use super::render::csv;
use super::render::text::{clean, signed};
use crate::headroom::{
    AccountHeadroom, Change, ChangeCost, EventAccount, EventOutcome, Headroom, Limit, LimitMonth,
    LostAccount, LostRegion, LostTableState, Part, Readiness, ThrottledUntil,
};
use crate::money::{Money, MoneyError};
use crate::pricing::Bound;
use crate::units::{Exact, count_of};

/// The columns of the parts.
const HEADER: [&str; 6] = ["Part", "Factor", "Limit", "Month", "Next", "Next limit"];
const NUMBERS: [usize; 2] = [1, 4];

/// The columns as CSV.
const COLUMNS: [&str; 14] = [
    "workload",
    "table",
    "index",
    "region",
    "part",
    "busiest_units",
    "factor",
    "bound",
    "limit",
    "month",
    "next_factor",
    "next_limit",
    "because",
    "unknown",
];

impl Present for Headroom {
    fn document(&self) -> Result<Document, MoneyError> {
        let mut document = Document::new(headline(self));
        document.is_warning = is_short(self);
        document = document.note(format!(
            "a part with a factor of 2 holds twice today's traffic; at most {} of requests may be throttled",
            percent(&self.throttled)
        ));
        let sorted = self.first_to_break();
        let rows = sorted.iter().map(|one| row(self, one)).collect();
        document.table("What breaks first", &HEADER, rows, &NUMBERS);
        let why: Vec<Entry> = sorted.iter().filter_map(|one| entry(self, one)).collect();
        document.part("Why, and what to change", entries(why));
        document.part("Unknown months", Body::List(unknown_months(&sorted)));
        for event in &self.events {
            event_part(&mut document, self, event);
        }
        if let Some(lost) = &self.lost {
            lost_part(&mut document, self, lost);
        }
        document.lists(&self.warnings, &self.assumptions, &[]);
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(pretty(&super::json::headroom::headroom(self)))
    }

    fn csv(&self) -> String {
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let number = |number: Option<&Exact>| number.map(decimal).unwrap_or_default();
        let row = |one: &AccountHeadroom| {
            let (first, next) = (one.first(), one.next());
            let unknown = one
                .unknown
                .iter()
                .map(|one| format!("{}: {}", one.kind.word(), one.why));
            vec![
                self.workload.clone(),
                text(one.table.as_ref()),
                text(one.index.as_ref()),
                one.region.clone(),
                one.part.word().to_string(),
                number(one.busiest.as_ref()),
                number(one.factor()),
                bound(one).to_string(),
                first.map_or_else(String::new, |limit| limit.kind.word().to_string()),
                first
                    .and_then(|limit| limit.month.number())
                    .map_or_else(String::new, |number| number.to_string()),
                number(next.map(|limit| &limit.factor)),
                next.map_or_else(String::new, |limit| limit.kind.word().to_string()),
                first.map_or_else(String::new, |limit| limit.because.clone()),
                unknown.collect::<Vec<_>>().join("; "),
            ]
        };
        let rows: Vec<Vec<String>> = self.accounts.iter().map(row).collect();
        csv::write(&COLUMNS, &rows)
    }
}

/// What is known of a part's factor: it is exact, at most that, or there is none.
pub(super) fn bound(one: &AccountHeadroom) -> &'static str {
    match (one.factor(), one.is_upper_bound()) {
        (Some(_), may_be_less) => Bound::of(false, may_be_less).word(),
        (None, true) => Bound::Unknown.word(),
        (None, false) => "none",
    }
}

/// Whether the result needs attention.
fn is_short(headroom: &Headroom) -> bool {
    let tightest = headroom.tightest().map(|(_, limit)| &limit.factor);
    tightest.is_some_and(|factor| *factor < Exact::one())
        || headroom
            .events
            .iter()
            .any(|event| event.holds != Some(true))
        || headroom
            .lost
            .as_ref()
            .is_some_and(|lost| lost.holds != Some(true))
}

/// The answer in a sentence.
pub(super) fn headline(headroom: &Headroom) -> String {
    let name = clean(&headroom.workload);
    let traffic = match headroom.tightest() {
        None => "no limit is known".to_string(),
        Some((one, first)) => {
            let place = place(headroom, one);
            let (limit, factor) = (first.kind.name(), &first.factor);
            let at_most = match one.is_upper_bound() {
                true => "at most ",
                false => "",
            };
            match (one.part, *factor < Exact::one()) {
                (Part::Items, _) => format!(
                    "the first limit is at {at_most}{} today's data: {place} ({limit})",
                    times(factor)
                ),
                (_, true) => format!(
                    "today's traffic is too much: {place} hold {at_most}{} of it ({limit})",
                    times(factor)
                ),
                (_, false) => format!(
                    "the first limit is at {at_most}{} today's traffic: {place} ({limit})",
                    times(factor)
                ),
            }
        }
    };
    let hidden = headroom.accounts.iter();
    let hidden = hidden.filter(|one| one.decisive().is_none() && one.is_upper_bound());
    let hidden = match hidden.count() {
        0 => String::new(),
        1 => "; the limits of one part are unknown".to_string(),
        count => format!("; the limits of {count} parts are unknown"),
    };
    let failing = headroom
        .events
        .iter()
        .filter(|event| event.holds == Some(false));
    let events = match failing.count() {
        0 => String::new(),
        1 => "; an event does not hold".to_string(),
        count => format!("; {} do not hold", count_of(count as u64, "event")),
    };
    let lost = match headroom
        .lost
        .as_ref()
        .map(|lost| (lost.holds, &lost.region))
    {
        Some((Some(true), region)) => format!("; it holds without {}", clean(region)),
        Some((Some(false), region)) => format!("; it does not hold without {}", clean(region)),
        Some((None, region)) => format!("; whether it holds without {} is unknown", clean(region)),
        None => String::new(),
    };
    format!("{name}: {traffic}{hidden}{events}{lost}")
}

/// A factor, such as "1.92x".
pub(super) fn times(factor: &Exact) -> String {
    let places = match () {
        () if *factor < Exact::from(10) => 2,
        () if *factor < Exact::from(100) => 1,
        () => 0,
    };
    let shown = factor.human(places);
    match shown == "0" && !factor.is_zero() {
        true => format!("{}x", factor.human(4)),
        false => format!("{shown}x"),
    }
}

/// A share as percent.
pub(super) fn percent(share: &Exact) -> String {
    let percent = share * &Exact::from(100);
    let places = match percent < Exact::ratio(1, 100) {
        true => 7,
        false => 2,
    };
    format!("{} %", percent.human(places))
}

/// A part with its place.
fn place(headroom: &Headroom, one: &AccountHeadroom) -> String {
    format!(
        "{} {}",
        clean(&one.place(&headroom.region)),
        one.part.word()
    )
}

fn row(headroom: &Headroom, one: &AccountHeadroom) -> Vec<String> {
    let factor = match one.factor() {
        Some(factor) if one.is_upper_bound() => format!("<= {}", times(factor)),
        Some(factor) => times(factor),
        None => "unknown".to_string(),
    };
    let limit = |limit: Option<&Limit>| limit.map_or("-", |limit| limit.kind.name()).to_string();
    vec![
        place(headroom, one),
        factor,
        limit(one.first()),
        one.first().map_or_else(|| "-".to_string(), month),
        one.next()
            .map_or_else(|| "-".to_string(), |next| times(&next.factor)),
        limit(one.next()),
    ]
}

/// The month of a limit in a table.
fn month(limit: &Limit) -> String {
    match &limit.month {
        LimitMonth::In { number: 1, .. } => "now".to_string(),
        LimitMonth::In { from, .. } => from.to_string()[..7].to_string(),
        LimitMonth::Later(years) => format!("> {years} years"),
        LimitMonth::Never(_) => "never".to_string(),
        LimitMonth::Unknown(_) => "unknown".to_string(),
    }
}

/// Factors below this are explained in text.
const EXPLAINED: u64 = 10;

/// Why a part has its limit, and what to change; only for parts with a low factor, or of which
/// something is not known.
fn entry(headroom: &Headroom, one: &AccountHeadroom) -> Option<Entry> {
    let is_tight = one
        .factor()
        .is_some_and(|factor| *factor < Exact::from(EXPLAINED));
    if !is_tight && !one.is_upper_bound() {
        return None;
    }
    let mut details = Vec::new();
    if let Some(first) = one.first() {
        details.push(clean(&first.because));
        details.extend(month_reason(&first.month));
    }
    for unknown in &one.unknown {
        details.push(format!(
            "unknown, {}: {}",
            unknown.kind.name(),
            clean(&unknown.why)
        ));
    }
    let changes = one.changes.iter();
    details.extend(changes.map(|change| format!("to change: {}", change_words(change))));
    let factor = one.factor().map_or_else(|| "unknown".to_string(), times);
    Some(Entry {
        mark: "- ".to_string(),
        head: format!("{}: {factor}", place(headroom, one)),
        details,
    })
}

fn month_reason(month: &LimitMonth) -> Option<String> {
    match month {
        // Reasons for unknown months are told once, for all parts.
        LimitMonth::In { number: 1, .. } | LimitMonth::Later(_) | LimitMonth::Unknown(_) => None,
        LimitMonth::In { number, from } => Some(format!(
            "growth reaches it in month {number}, which begins on {from}"
        )),
        LimitMonth::Never(why) => Some(format!("growth does not reach it: {why}")),
    }
}

/// Why months are not known, each reason with the parts.
fn unknown_months(sorted: &[&AccountHeadroom]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for one in sorted {
        let Some(LimitMonth::Unknown(why)) = one.first().map(|limit| &limit.month) else {
            continue;
        };
        let table = one
            .table
            .clone()
            .unwrap_or_else(|| "the account".to_string());
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, tables)) if tables.contains(&table) => {}
            Some((_, tables)) => tables.push(table),
            None => reasons.push((why, vec![table])),
        }
    }
    let words = reasons.into_iter();
    words
        .map(|(why, tables)| format!("{}: {why}", clean(&tables.join(", "))))
        .collect()
}

/// A change with its lines and its cost.
pub(super) fn change_words(change: &Change) -> String {
    let edits: Vec<String> = change
        .edits
        .iter()
        .map(|edit| format!("line {}: {}", edit.line, clean(&edit.text)))
        .collect();
    let edits = match edits.is_empty() {
        true => String::new(),
        false => format!(" ({})", edits.join("; ")),
    };
    format!(
        "{}{edits}, {}",
        clean(&change.what),
        cost_words(&change.cost)
    )
}

pub(super) fn cost_words(cost: &ChangeCost) -> String {
    match cost {
        ChangeCost::Monthly(delta) => format!("{} a month", signed(*delta)),
        ChangeCost::Once(amount) => format!("{} once", signed(*amount)),
        ChangeCost::Unknown(why) => format!("cost unknown: {why}"),
    }
}

/// Entries in text, a list in Markdown.
fn entries(all: Vec<Entry>) -> Body {
    let lines = all
        .iter()
        .map(|entry| format!("{}: {}", entry.head, entry.details.join("; ")))
        .collect();
    Body::Entries(all, Box::new(Body::List(lines)))
}

const EVENT_HEADER: [&str; 6] = ["Part", "Usual", "Event", "Throttled", "Minutes", "For whom"];
const EVENT_NUMBERS: [usize; 4] = [1, 2, 3, 4];

fn event_part(document: &mut Document, headroom: &Headroom, event: &EventOutcome) {
    let verdict = match event.holds {
        Some(true) => "holds",
        Some(false) => "does not hold",
        None => "unknown",
    };
    let title = format!(
        "Event \"{}\", {} to {}: {verdict}",
        clean(&event.name),
        event.from,
        event.to
    );
    let rows: Vec<Vec<String>> = event
        .accounts
        .iter()
        .map(|one| event_row(headroom, one))
        .collect();
    let body = Body::Table(super::document::Table::new(
        &EVENT_HEADER,
        rows,
        &EVENT_NUMBERS,
    ));
    match event.holds == Some(true) {
        true => document.part(title, body),
        false => document.warning(title, body),
    }
    let mut lines: Vec<String> = event
        .accounts
        .iter()
        .filter_map(|one| throttling(headroom, one))
        .collect();
    lines.push(event_cost(event));
    document.part(String::new(), Body::List(lines));
    let ready = event.readiness.iter().map(ready_words).collect();
    document.part(
        format!("Ready for \"{}\", the cheapest first", clean(&event.name)),
        Body::List(ready),
    );
}

/// What the traffic of an event costs beside the usual.
fn event_cost(event: &EventOutcome) -> String {
    let what = match event.holds {
        Some(true) => "its traffic",
        _ => "what is served of its traffic",
    };
    match &event.cost {
        _ if event.accounts.is_empty() => {
            "it changes the traffic of no access pattern whose demand is known".to_string()
        }
        None => {
            "what its traffic costs is unknown: a price, a demand or a capacity is not known".into()
        }
        Some(cost) if *cost < Money::ZERO => {
            let less = Money::ZERO.minus(*cost).unwrap_or_default();
            format!("{what} costs {} less than the usual", less.human())
        }
        Some(cost) => format!("{what} costs {} more than the usual", cost.human()),
    }
}

fn event_row(headroom: &Headroom, one: &EventAccount) -> Vec<String> {
    let place = clean(&one.place(&headroom.region));
    let callers = one.callers.iter().take(2).map(|caller| {
        let share = (&caller.share * &Exact::from(100)).human(0);
        format!("{} {share} %", clean(&caller.access))
    });
    let (throttled, minutes) = match &one.happened {
        None => ("unknown".to_string(), "-".to_string()),
        Some(happened) => (percent(&happened.throttled), happened.minutes.to_string()),
    };
    vec![
        place,
        units(&one.usual),
        units(&one.busiest),
        throttled,
        minutes,
        callers.collect::<Vec<_>>().join(", "),
    ]
}

/// Units a second, if they are known.
fn units(units: &Option<Exact>) -> String {
    let words = |units: &Exact| units.human(1);
    units.as_ref().map_or_else(|| "unknown".to_string(), words)
}

/// When an account direction throttles in an event, and what repeated requests add.
fn throttling(headroom: &Headroom, one: &EventAccount) -> Option<String> {
    let happened = one.happened.as_ref()?;
    let (first, last) = happened.first_minute.zip(happened.last_minute)?;
    let place = clean(&one.place(&headroom.region));
    let when = match first == last {
        true => format!("in minute {first}"),
        false => format!("from minute {first} to minute {last}"),
    };
    let mut words = format!("{place} throttle {when}");
    if let Some(index) = &happened.by_index {
        words += &format!(", mostly because {} throttles", clean(index));
    }
    if !happened.usually_throttled.is_zero() {
        words += &format!(
            "; without the event, {} are throttled at that time",
            percent(&happened.usually_throttled)
        );
    }
    if happened.by_hottest_key > Exact::ratio(1, 2) {
        words += ", mostly the hottest key";
    }
    if !happened.repeated.is_zero() {
        words += &format!(
            "; repeated requests add {} to the demand, and {} of requests use up their attempts",
            percent(&happened.repeated),
            percent(&happened.given_up)
        );
    }
    Some(words)
}

pub(super) fn ready_words(ready: &Readiness) -> String {
    let down = ready.down.as_ref().map_or_else(String::new, |down| {
        format!("; capacity may go down again from {down}")
    });
    format!(
        "{}: {}{down}",
        clean(&ready.table),
        change_words(&ready.change)
    )
}

const LOST_HEADER: [&str; 6] = [
    "Part",
    "Before",
    "After",
    "Throttled, 1st hour",
    "Until",
    "To hold at once",
];
const LOST_NUMBERS: [usize; 3] = [1, 2, 3];

fn lost_part(document: &mut Document, headroom: &Headroom, lost: &LostRegion) {
    let verdict = match lost.holds {
        Some(true) => "the others hold",
        Some(false) => "the others do not hold",
        None => "unknown whether the others hold",
    };
    let title = format!("Without {}: {verdict}", clean(&lost.region));
    let rows: Vec<Vec<String>> = lost
        .accounts
        .iter()
        .map(|one| lost_row(headroom, one))
        .collect();
    let tables = lost.tables.iter().map(|table| {
        let served: Vec<String> = table
            .served_by
            .iter()
            .map(|(region, share)| match *share == Exact::one() {
                true => region.clone(),
                false => format!("{region} ({})", percent(share)),
            })
            .collect();
        let served = match table.state {
            LostTableState::Down => "down".to_string(),
            LostTableState::Witness => "not affected".to_string(),
            LostTableState::Served => format!("served by {}", served.join(", ")),
        };
        format!("{}: {served}; {}", clean(&table.table), table.words)
    });
    let mut lines: Vec<String> = tables.collect();
    lines.extend(match &lost.cost {
        _ if lost.accounts.is_empty() && lost.holds.is_some() => None,
        Some(cost) => Some(format!(
            "the other regions cost {} more for an hour of average traffic, {} for a day, {} for a \
             month",
            cost.hour.human(),
            cost.day.human(),
            cost.month.human()
        )),
        None => Some(
            "what the other regions cost is unknown: a price, a demand or a capacity is not known"
                .into(),
        ),
    });
    match lost.holds == Some(true) {
        true => document.part(title, Body::List(lines)),
        false => document.warning(title, Body::List(lines)),
    }
    document.table(
        format!("Lost at the beginning of the busiest hour{}", lost_at(lost)),
        &LOST_HEADER,
        rows,
        &LOST_NUMBERS,
    );
}

/// When the region is lost, if that is the same for all.
fn lost_at(lost: &LostRegion) -> String {
    match lost.accounts.first() {
        Some(first) if lost.accounts.iter().all(|one| one.at == first.at) => {
            format!(", {}", first.at)
        }
        _ => String::new(),
    }
}

fn lost_row(headroom: &Headroom, one: &LostAccount) -> Vec<String> {
    let place = clean(&one.place(&headroom.region));
    let (throttled, until) = match &one.happened {
        None => ("unknown".to_string(), "unknown".to_string()),
        Some(happened) => {
            let until = match happened.until {
                ThrottledUntil::Minutes(minutes) => format!("{minutes} min"),
                ThrottledUntil::Longer if !happened.holds => "> 12 hours".to_string(),
                ThrottledUntil::Longer | ThrottledUntil::Never => "holds".to_string(),
            };
            (percent(&happened.throttled), until)
        }
    };
    vec![
        place,
        one.before.human(1),
        one.after.human(1),
        throttled,
        until,
        one.change
            .as_ref()
            .map_or_else(|| "-".to_string(), change_words),
    ]
}
