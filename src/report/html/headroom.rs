//! What breaks first: a chart of factors, the limits behind them, and the curve of each event.

use super::charts::{Bar, ChartLine, LineChart, bars};
use super::{Chart, Hover, HtmlCell, HtmlTable, Section};
use crate::headroom::{AccountHeadroom, CurveMinute, EventOutcome, Headroom, Limit, LimitMonth};
use crate::report::headroom::{change_words, percent, ready_words, times};
use crate::review::Review;
use crate::units::Exact;

/// How many parts are drawn.
const BARS: usize = 24;

/// How many parts the table shows.
const ROWS: usize = 40;

/// Factors above this are drawn as long as this.
const LONGEST: f64 = 10.0;

/// How many curves of an event are drawn.
const CURVES: usize = 8;

/// The section; without blocks if nothing is limited.
pub(super) fn breaks_first(review: &Review) -> Section {
    let mut section = Section::new("headroom", "What breaks first");
    let Some(headroom) = &review.headroom else {
        return section;
    };
    let sorted = headroom.first_to_break();
    if sorted.is_empty() {
        return section;
    }
    section.text(format!(
        "The factor of today's traffic up to which each part of the design meets no quota and \
         throttles at most {} of requests; for items, the factor by which they may grow. A part with a \
         factor of 2 holds twice today's traffic.",
        percent(&headroom.throttled)
    ));
    if let Some((one, factor)) = sorted.iter().find_map(|one| Some((one, one.factor()?))) {
        section.finding = format!("{}, at {}", place(headroom, one), times(factor));
    }
    section.charts(factors(headroom, &sorted).into_iter().collect());
    if sorted.len() > ROWS {
        section.text(format!(
            "The table shows the first {ROWS} of {} parts; `dynameter headroom` lists all of them.",
            sorted.len()
        ));
    }
    section.table(limits(headroom, &sorted).folded_above(16));
    for event in &headroom.events {
        of_event(&mut section, headroom, event);
    }
    section
}

fn place(headroom: &Headroom, one: &AccountHeadroom) -> String {
    format!("{} {}", one.place(&headroom.region), one.part.word())
}

/// A bar for each part whose traffic has a limit.
fn factors(headroom: &Headroom, sorted: &[&AccountHeadroom]) -> Option<Chart> {
    let traffic: Vec<(&&AccountHeadroom, &Limit)> = sorted
        .iter()
        .filter_map(|one| Some((one, one.decisive()?)))
        .take(BARS)
        .collect();
    let all: Vec<Bar> = traffic
        .iter()
        .map(|(one, limit)| {
            let factor = limit.factor.to_f64();
            Bar {
                name: place(headroom, one),
                value: factor.min(LONGEST),
                words: format!("{} {}", times(&limit.factor), limit.kind.name()),
                color: match factor {
                    _ if factor < 1.0 => 4,
                    _ if factor < 2.0 => 2,
                    _ => 1,
                },
            }
        })
        .collect();
    let mut numbers = HtmlTable::new("Factors", &["Part", "#Factor", "Limit"]).folded();
    for (one, limit) in &traffic {
        numbers.row([
            HtmlCell::from(place(headroom, one)),
            HtmlCell::number(&limit.factor, 4),
            HtmlCell::from(limit.kind.name()),
        ]);
    }
    (!all.is_empty()).then(|| Chart {
        title: "The first limit of each part".to_string(),
        svg: bars(&all, "Factors of today's traffic, the lowest first"),
        legend: vec![
            (4, "less than today's traffic".to_string()),
            (2, "less than twice".to_string()),
            (1, "twice or more".to_string()),
        ],
        note: format!("Bars end at {LONGEST} times today's traffic."),
        numbers,
        hover: None,
    })
}

/// What limits each part, when, and what to change.
fn limits(headroom: &Headroom, sorted: &[&AccountHeadroom]) -> HtmlTable {
    let header = [
        "Part",
        "#Factor",
        "Limit",
        "Month",
        "Why",
        "Next",
        "What to change",
    ];
    let mut table = HtmlTable::new("Limits, the lowest factor first", &header);
    for one in sorted.iter().take(ROWS) {
        let unknown = one
            .unknown
            .iter()
            .map(|one| format!("unknown, {}: {}", one.kind.name(), one.why));
        let because = one.first().map(|limit| limit.because.clone());
        let why: Vec<String> = because.into_iter().chain(unknown).collect();
        let factor = match one.factor() {
            None => HtmlCell::from("unknown"),
            Some(factor) if one.is_upper_bound() => HtmlCell {
                text: format!("≤ {}", times(factor)),
                exact: Some(crate::report::json::decimal(factor)),
            },
            Some(factor) => HtmlCell {
                text: times(factor),
                exact: Some(crate::report::json::decimal(factor)),
            },
        };
        let next = one.next().map_or_else(
            || "-".to_string(),
            |next| format!("{} {}", times(&next.factor), next.kind.name()),
        );
        table.row([
            HtmlCell::from(place(headroom, one)),
            factor,
            HtmlCell::from(one.first().map_or("-", |limit| limit.kind.name())),
            HtmlCell::from(one.first().map_or_else(|| "-".to_string(), month)),
            HtmlCell::from(why.join("; ")),
            HtmlCell::from(next),
            HtmlCell::from(changes(one)),
        ]);
    }
    table
}

fn changes(one: &AccountHeadroom) -> String {
    match one.changes.as_slice() {
        [] => "-".to_string(),
        some => some.iter().map(change_words).collect::<Vec<_>>().join("; "),
    }
}

fn month(limit: &Limit) -> String {
    match &limit.month {
        LimitMonth::In { number: 1, .. } => "now".to_string(),
        LimitMonth::In { number, from } => format!("{number}, from {from}"),
        LimitMonth::Later(years) => format!("after {years} years"),
        LimitMonth::Never(why) => format!("never: {why}"),
        LimitMonth::Unknown(why) => format!("unknown: {why}"),
    }
}

/// An event: what throttles, its curves, and how to be ready.
fn of_event(section: &mut Section, headroom: &Headroom, event: &EventOutcome) {
    let verdict = match event.holds {
        Some(true) => "the capacity holds",
        Some(false) => "the capacity does not hold",
        None => "whether the capacity holds is unknown",
    };
    section.heading(format!(
        "Event \"{}\", {} to {}: {verdict}",
        event.name, event.from, event.to
    ));
    let header = [
        "Part",
        "#Usual",
        "#Event",
        "#Throttled",
        "#Minutes",
        "For whom",
    ];
    let mut table = HtmlTable::new("Units a second of the busiest minute", &header);
    for one in &event.accounts {
        let callers: Vec<String> = one
            .callers
            .iter()
            .map(|caller| {
                let percent = (&caller.share * &Exact::from(100)).human(0);
                format!("{} {percent} %", caller.access)
            })
            .collect();
        table.row([
            HtmlCell::from(one.place(&headroom.region)),
            units(&one.usual),
            units(&one.busiest),
            match &one.happened {
                None => HtmlCell::from("unknown"),
                Some(happened) => HtmlCell::percent(&happened.throttled),
            },
            match &one.happened {
                None => HtmlCell::from("unknown"),
                Some(happened) => HtmlCell::number(&Exact::from(happened.minutes), 0),
            },
            HtmlCell::from(callers.join(", ")),
        ]);
    }
    section.table(table);
    let drawn = event.accounts.iter().filter_map(|one| {
        let minutes = one.happened.as_ref()?.curve.as_slice();
        (!minutes.is_empty()).then(|| curve(event, one.place(&headroom.region), minutes))
    });
    let charts: Vec<Chart> = drawn.take(CURVES).collect();
    section.charts(charts);
    let ready: Vec<String> = event.readiness.iter().map(ready_words).collect();
    if !ready.is_empty() {
        section.text("How to be ready, the cheapest first:");
        section.list(ready);
    }
}

fn units(units: &Option<Exact>) -> HtmlCell {
    let number = |units: &Exact| HtmlCell::number(units, 1);
    units
        .as_ref()
        .map_or_else(|| HtmlCell::from("unknown"), number)
}

/// Demand, what is served and capacity in the minutes of an event.
fn curve(event: &EventOutcome, name: String, curve: &[CurveMinute]) -> Chart {
    let points = |of: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        let minutes = curve.iter().enumerate();
        minutes
            .map(|(at, minute)| (minute.minute as f64, of(at)))
            .collect()
    };
    let line = |color: u8, steps: bool, of: &dyn Fn(usize) -> f64| ChartLine {
        color,
        points: points(of),
        steps,
    };
    let first = curve.first().map_or(0, |minute| minute.minute) as f64;
    let last = curve.last().map_or(1, |minute| minute.minute) as f64;
    let mut lines = vec![
        line(3, true, &|at| curve[at].capacity as f64),
        line(2, false, &|at| curve[at].demanded.to_f64()),
        line(1, false, &|at| curve[at].served.to_f64()),
    ];
    let mut legend = vec![
        (2, "demand".to_string()),
        (1, "served".to_string()),
        (3, "capacity".to_string()),
    ];
    if curve.iter().any(|minute| !minute.repeated.is_zero()) {
        let all = |at: usize| (&curve[at].demanded + &curve[at].repeated).to_f64();
        lines.insert(0, line(4, false, &all));
        legend.push((4, "demand with repeated requests".to_string()));
    }
    let chart = LineChart {
        x_title: "minutes from the beginning",
        y_title: "units a second",
        x_range: (first, last),
        lines,
        dots: Vec::new(),
        marks: vec![
            (0.0, "begins".to_string()),
            (event.minutes as f64, "ends".to_string()),
        ],
        x_label: &|minute| format!("{minute:.0}"),
        x_labels: 8,
        dollars: false,
        near: false,
    };
    let mut numbers = HtmlTable::new(
        format!("{name}: minute by minute"),
        &["#Minute", "#Demand", "#Repeated", "#Served", "#Capacity"],
    )
    .folded();
    for minute in curve {
        numbers.row([
            HtmlCell::from(minute.minute.to_string()),
            HtmlCell::number(&minute.demanded, 1),
            HtmlCell::number(&minute.repeated, 1),
            HtmlCell::number(&minute.served, 1),
            HtmlCell::number(&Exact::from(minute.capacity), 0),
        ]);
    }
    let places = curve.iter().map(|one| one.minute.to_string());
    Chart {
        svg: chart.draw(&format!("{name} during {}", event.name)),
        title: name,
        legend,
        note: String::new(),
        hover: Hover::at([first, last], places.collect()),
        numbers,
    }
}
