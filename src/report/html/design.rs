//! Break-evens, the week, and the alternatives side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::charts::{self, Bar, ChartLine, LineChart};
use super::money::float;
use super::svg::HERE;
use super::{Chart, Detail, Hover, HtmlCell, HtmlTable, Section};
use crate::capacity::Demand;
use crate::compare::{
    Alternative, AlternativeKind, AlternativeState, BreakEvenKind, Crossing, Footing, HitRatios,
    Hours, Payment, Provided, RegionChange, Utilization, Way, Week,
};
use crate::money::Money;
use crate::report::json::throughput_word;
use crate::report::render::text::{clean, signed};
use crate::review::Review;
use crate::table::Direction;
use crate::time::WEEKDAYS;
use crate::units::{Exact, group_thousands};

/// The number of accounts whose break-even is drawn; the table has all of them.
const DRAWN: usize = 8;

/// With more accounts than the first number, weeks are drawn in steps of the second number of
/// hours; if that is more than 1, the charts are small.
const STEPS: [(usize, usize); 3] = [(60, 12), (24, 6), (0, 1)];

/// The number of throttled hours that are marked, the worst first.
const DOTS: usize = 24;

/// The maximum number of alternatives of a kind that are shown.
const SHOWN: usize = 24;

/// Hours of a week.
const WEEK: usize = 168;

fn place(table: &str, index: Option<&str>) -> String {
    clean(&index.map_or_else(|| table.to_string(), |index| format!("{table} / {index}")))
}

/// The cost of each way to pay, by utilization.
pub(super) fn break_even(review: &Review) -> Section {
    let mut section = Section::new("break-even", "On demand or provisioned");
    let mut accounts: Vec<&Utilization> = review.curves.utilization.iter().collect();
    if accounts.is_empty() {
        return section;
    }
    section.text(format!(
        "A provisioned unit is paid for whether it is used or not; on demand, only used units are \
         paid for, at a higher price. Where two lines cross, both cost the same. The capacity is \
         the design's if it is fixed, otherwise the smallest that is safe. Auto scaling uses its \
         cheapest safe bounds; its line shows the same shape of demand at other traffic. Reserved \
         capacity is sold in blocks of 100 units, which all tables of a region share. The figures \
         are for {}, the home region.",
        review.comparison.outcome.region
    ));
    section.finding = break_even_finding(&accounts);
    if let Some(text) = not_drawn(review) {
        section.text(text);
    }
    let size = |one: &Utilization| one.ways.first().map_or(Money::ZERO, |way| way.here);
    accounts.sort_by_key(|one| std::cmp::Reverse(size(one)));
    section.charts(
        accounts
            .iter()
            .take(DRAWN)
            .map(|one| utilization(one))
            .collect(),
    );

    section.table(on_demand_crossings(review));
    section.table(other_crossings(&accounts).folded());
    section.table(modes(review).folded_above(24));
    section
}

/// Where on demand and fixed units cost the same.
fn break_even_finding(accounts: &[&Utilization]) -> String {
    let crossings = accounts.iter().flat_map(|one| &one.crossings);
    let ways = (Payment::OnDemand, Payment::Fixed);
    let shares = crossings.filter(|one| (one.payment_below, one.payment_above) == ways);
    let shares: Vec<&Exact> = shares.map(|one| &one.share).collect();
    let percent = |share: &Exact| (share * &Exact::from(100)).human(1);
    match (shares.iter().min(), shares.iter().max()) {
        (Some(least), Some(most)) if percent(least) == percent(most) => {
            format!("both cost the same at {} % use", percent(least))
        }
        (Some(least), Some(most)) => {
            format!(
                "both cost the same at {} % to {} % use",
                percent(least),
                percent(most)
            )
        }
        _ => "they never cost the same".to_string(),
    }
}

/// The accounts that have demand and no chart.
fn not_drawn(review: &Review) -> Option<String> {
    let outcome = &review.comparison.outcome;
    let has_none = |demand: &&Demand| {
        let of = |one: &Utilization| {
            (&one.table, &one.index, one.throughput)
                == (&demand.table, &demand.index, demand.throughput)
        };
        demand.region == outcome.region
            && (demand.partly_unknown || !demand.mean.is_zero())
            && !review.curves.utilization.iter().any(of)
    };
    let without = outcome.demand.iter().filter(has_none);
    let names: BTreeSet<String> = without.map(|demand| clean(&demand.place())).collect();
    (!names.is_empty()).then(|| {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        format!(
            "Not drawn, because part of the demand or a price is unknown, or an amount is too \
             large: {names}."
        )
    })
}

/// Where ways to pay other than on demand cost the same.
fn other_crossings(accounts: &[&Utilization]) -> HtmlTable {
    let mut table = HtmlTable::new(
        "Where the other ways to pay cost the same, for the tables and indexes that are drawn",
        &[
            "Table or index",
            "Cheaper below",
            "Cheaper above",
            "#Equal at",
        ],
    );
    for account in accounts.iter().take(DRAWN) {
        let crossings = account.crossings.iter();
        for one in crossings.filter(|one| one.payment_below != Payment::OnDemand) {
            table.row([
                HtmlCell::from(name(account)),
                HtmlCell::from(one.below.as_str()),
                HtmlCell::from(one.above.as_str()),
                HtmlCell::percent(&one.share),
            ]);
        }
    }
    table
}

/// Every capacity mode and commitment. If a table is on demand, so are its indexes; alternatives of
/// an index that have no price are left out.
fn modes(review: &Review) -> HtmlTable {
    let mut table = HtmlTable::new(
        "Every capacity mode and commitment",
        &["For", "Mode", "#Monthly", "#Difference", "Notes"],
    );
    for kind in ["capacity", "commitment"] {
        let of = |one: &&Alternative| {
            one.kind.word() == kind && (one.is_priced() || one.index.is_none())
        };
        let all = review.comparison.alternatives.iter().filter(of);
        all.for_each(|one| table.row(alternative(one)));
    }
    table
}

fn name(account: &Utilization) -> String {
    format!(
        "{}, {}s",
        place(&account.table, account.index.as_deref()),
        throughput_word(account.throughput)
    )
}

/// For each account, the utilization above which each flat price is cheaper than on demand.
fn on_demand_crossings(review: &Review) -> HtmlTable {
    let all = &review.curves.utilization;
    let of = |one: &Crossing| one.payment_below == Payment::OnDemand;
    let mut ways: Vec<&str> = Vec::new();
    for one in all
        .iter()
        .flat_map(|account| &account.crossings)
        .filter(|one| of(one))
    {
        if !ways.contains(&one.above.as_str()) {
            ways.push(&one.above);
        }
    }
    let heads: Vec<String> = ways
        .iter()
        .map(|way| format!("#break-even with {way}"))
        .collect();
    let header: Vec<&str> = ["Table or index", "#Units", "#This design"]
        .into_iter()
        .chain(heads.iter().map(String::as_str))
        .collect();
    let mut table = HtmlTable::new(
        "The utilization at which on demand and provisioned cost the same; above it, on demand is \
         more expensive",
        &header,
    );
    for account in all {
        let units = HtmlCell {
            text: group_thousands(&account.units.to_string()),
            exact: Some(account.units.to_string()),
        };
        let mut row = vec![
            HtmlCell::from(name(account)),
            units,
            HtmlCell::percent(&account.here),
        ];
        row.extend(ways.iter().map(|way| {
            let crossing = account
                .crossings
                .iter()
                .find(|one| of(one) && one.above == *way);
            crossing.map_or(HtmlCell::from("-"), |one| HtmlCell::percent(&one.share))
        }));
        table.rows.push(row);
    }
    table.folded_above(16)
}

fn alternative(one: &Alternative) -> [HtmlCell; 5] {
    let whole = "the whole design".to_string();
    let for_what = one
        .table
        .as_ref()
        .map_or(whole, |table| place(table, one.index.as_deref()));
    let what_if = if one.footing == Footing::WhatIf {
        "what if: "
    } else {
        ""
    };
    let name = HtmlCell::from(format!("{what_if}{}", one.name));
    let [monthly, delta] = match one.state {
        AlternativeState::Priced { monthly, delta } => {
            [HtmlCell::from(monthly), HtmlCell::signed(delta)]
        }
        AlternativeState::Unknown | AlternativeState::Impossible => {
            [HtmlCell::from("-"), HtmlCell::from("-")]
        }
    };
    [
        HtmlCell::from(for_what),
        name,
        monthly,
        delta,
        HtmlCell::from(one.words()),
    ]
}

fn utilization(account: &Utilization) -> Chart {
    let units = group_thousands(&account.units.to_string());
    let title = format!(
        "{}, {}s: {units} units",
        place(&account.table, account.index.as_deref()),
        throughput_word(account.throughput)
    );
    let ways = account.ways.iter().enumerate();
    let legend = ways.map(|(at, way)| (at as u8 + 1, way.name.clone()));
    Chart {
        svg: utilization_svg(account, &title),
        legend: legend.chain([(HERE, "the design".to_string())]).collect(),
        note: utilization_note(account),
        numbers: utilization_table(account, &title),
        title,
        hover: None,
    }
}

fn utilization_svg(account: &Utilization, title: &str) -> String {
    let here = (&account.here * &Exact::from(100)).to_f64();
    let end = here.clamp(100.0, 1000.0);
    let shown = here.min(end);
    let line = |(at, way): (usize, &Way)| {
        let (idle, full) = (float(way.idle), float(way.full));
        ChartLine {
            color: at as u8 + 1,
            points: vec![(0.0, idle), (end, idle + (full - idle) * end / 100.0)],
            steps: false,
        }
    };
    let dot = |(at, way): (usize, &Way)| {
        let words = format!(
            "{}: {} a month at the current utilization",
            way.name,
            way.here.human()
        );
        (shown, float(way.here), at as u8 + 1, words)
    };
    let words = format!("the design: {} a month", account.designed.human());
    let designed = (shown, float(account.designed), HERE, words);
    let percent = (&account.here * &Exact::from(100)).human(1);
    let ways = || account.ways.iter().enumerate();
    let lines = LineChart {
        x_title: "utilization of the capacity, %",
        y_title: "$ a month",
        // If the capacity is too small, the utilization is above 100 %.
        x_range: (0.0, end),
        lines: ways().map(line).collect(),
        dots: ways().map(dot).chain([designed]).collect(),
        marks: vec![(shown, format!("you are here: {percent} %"))],
        x_label: &|x| format!("{x:.0}"),
        x_labels: 11,
        dollars: true,
        near: false,
    };
    lines.draw(&format!(
        "Cost by utilization of {title}; the numbers are in the table below"
    ))
}

fn utilization_table(account: &Utilization, title: &str) -> HtmlTable {
    let mut table = HtmlTable::new(
        format!("{title}, $ a month"),
        &[
            "Way to pay",
            "#Unused",
            "#At current utilization",
            "#Fully used",
        ],
    );
    let nothing = || HtmlCell::from("-");
    table.row([
        HtmlCell::from("the design"),
        nothing(),
        HtmlCell::from(account.designed),
        nothing(),
    ]);
    for way in &account.ways {
        table.row([
            HtmlCell::from(way.name.as_str()),
            HtmlCell::from(way.idle),
            HtmlCell::from(way.here),
            HtmlCell::from(way.full),
        ]);
    }
    table
}

fn utilization_note(account: &Utilization) -> String {
    let first = account
        .crossings
        .iter()
        .find(|one| (one.payment_below, one.payment_above) == (Payment::OnDemand, Payment::Fixed));
    let equal = first.map(|one| {
        let share = (&one.share * &Exact::from(100)).human(2);
        format!("On demand and fixed units cost the same at {share} %. ")
    });
    let equal = equal.unwrap_or_default();
    let over = if account.here > Exact::one() {
        "The demand is more than the capacity serves: some requests are refused. "
    } else {
        ""
    };
    let pays = account.designed.human();
    if account.reserved {
        return format!(
            "{over}{equal}In addition to its reserved units, the design pays {pays} a month here."
        );
    }
    // A commitment is a separate question from how capacity changes.
    let ways = account.ways.iter();
    let free = ways.filter(|way| !way.payment.is_commitment());
    let cheapest = free.min_by_key(|way| way.here);
    // The design may be cheaper than any way that is drawn, for example with its own bounds.
    let cheapest = cheapest
        .filter(|way| way.here < account.designed)
        .map(|way| {
            format!(
                "; the cheapest without a commitment is {}, at {}",
                way.name,
                way.here.human()
            )
        });
    let cheapest = cheapest.unwrap_or_default();
    format!("{over}{equal}The design pays {pays} a month here{cheapest}.")
}

/// Demand and capacity hour by hour.
pub(super) fn week(review: &Review, detail: Detail) -> Section {
    let mut section = Section::new("week", "The week");
    let asked = |week: &&Week| {
        [&week.reads, &week.writes]
            .iter()
            .any(|hours| hours.demand.iter().any(|units| !units.is_zero()))
    };
    let weeks: Vec<&Week> = review.curves.weeks.iter().filter(asked).collect();
    if weeks.is_empty() {
        return section;
    }
    let step = STEPS
        .iter()
        .find(|(more, _)| weeks.len() > *more)
        .map_or(1, |(_, step)| *step);
    let each = if step == 1 {
        "hour".to_string()
    } else {
        format!("{step} hours")
    };
    section.text(format!(
        "Demand is the mean of each {each} of the first simulated week, starting on Monday, in \
         the home region. Capacity is the maximum in that time; each hour is billed at its \
         maximum (the default reading of rule 6.7). If a capacity throttles requests, a column \
         next to it shows the throttled units."
    ));
    section.finding = match weeks.len() {
        1 => "demand and capacity, hour by hour".to_string(),
        several => format!("demand and capacity of {several} tables and indexes, hour by hour"),
    };
    section.table(weeks_table(&weeks).folded_above(16));
    if weeks.len() > detail.weeks {
        section.text(format!(
            "The first {} of {} tables and indexes are drawn; the table lists all of them.",
            detail.weeks,
            weeks.len()
        ));
    }
    // If there are few accounts, each direction has its own chart; if many, both share one.
    let charts = weeks
        .into_iter()
        .take(detail.weeks)
        .flat_map(|week| match step {
            1 => directions(week)
                .into_iter()
                .map(|direction| hour_by_hour(week, &[direction], step))
                .collect(),
            _ => vec![hour_by_hour(week, &directions(week), step)],
        });
    section.charts(charts.collect());
    section
}

/// What auto scaling would do in each account.
fn weeks_table(weeks: &[&Week]) -> HtmlTable {
    let mut table = HtmlTable::new(
        "What auto scaling would do, and what it would throttle",
        &[
            "Table or index",
            "Direction",
            "Auto scaled between",
            "#Minimum",
            "#Maximum",
            "#Throttled",
            "#Throttled as designed",
        ],
    );
    for week in weeks {
        for (direction, hours) in directions(week) {
            let units = |units: Option<&u64>| {
                units.map_or(HtmlCell::from("-"), |units| {
                    HtmlCell::number(&Exact::from(*units), 0)
                })
            };
            let provided = &hours.auto_scaled;
            table.row([
                HtmlCell::from(place(&week.table, week.index.as_deref())),
                HtmlCell::from(direction),
                HtmlCell::from(provided.bounds.as_str()),
                units(provided.units.iter().min()),
                units(provided.units.iter().max()),
                throttled(provided),
                hours
                    .designed
                    .as_ref()
                    .map_or(HtmlCell::from("-"), throttled),
            ]);
        }
    }
    table
}

/// The directions that have any demand.
fn directions(week: &Week) -> Vec<(&'static str, &Hours)> {
    let all = [("reads", &week.reads), ("writes", &week.writes)];
    all.into_iter()
        .filter(|(_, hours)| hours.demand.iter().any(|units| !units.is_zero()))
        .collect()
}

fn throttled(provided: &Provided) -> HtmlCell {
    HtmlCell::measure(
        &(&Exact::ratio(provided.throttled_billionths, 1_000_000_000) * &Exact::from(100)),
        6,
        "%",
    )
}

/// The hour of a week, in words.
fn hour(at: usize) -> String {
    format!("{} {:02}", WEEKDAYS[(at / 24) % 7], at % 24)
}

/// The hours of one step of a chart.
type Span = std::ops::Range<usize>;

/// The parts of a chart of a week, while they are collected.
#[derive(Default)]
struct WeekChart {
    spans: Vec<Span>,
    lines: Vec<ChartLine>,
    legend: Vec<(u8, String)>,
    dots: Vec<(f64, f64, u8, String)>,
    header: Vec<String>,
    columns: Vec<Vec<String>>,
}

/// The highest capacity in some hours.
fn most(provided: &Provided, span: &Span) -> u64 {
    let units = provided.units.get(span.clone());
    units
        .and_then(|units| units.iter().max().copied())
        .unwrap_or(0)
}

/// Units throttled in some hours.
fn throttled_in(provided: &Provided, span: &Span) -> Exact {
    let units = provided.throttled.get(span.clone()).unwrap_or_default();
    units.iter().cloned().sum()
}

impl WeekChart {
    fn line(&mut self, color: u8, units: impl Fn(&Span) -> f64) {
        let points = self.spans.iter();
        let points = points.map(|span| (span.start as f64, units(span)));
        self.lines.push(ChartLine {
            color,
            points: points.collect(),
            steps: true,
        });
    }

    fn column(&mut self, header: String, cell: impl Fn(&Span) -> String) {
        self.header.push(header);
        self.columns.push(self.spans.iter().map(cell).collect());
    }

    fn demand(&mut self, color: u8, direction: &str, hours: &Hours) {
        let mean = |span: &Span| {
            let units = hours.demand.get(span.clone()).unwrap_or_default();
            units.iter().cloned().sum::<Exact>() / Exact::from(units.len().max(1) as u64)
        };
        self.line(color, |span| mean(span).to_f64());
        self.legend.push((color, format!("{direction}: demand")));
        self.column(format!("#{direction}: demand"), |span| mean(span).human(2));
    }

    fn capacity(&mut self, color: u8, (direction, what): (&str, &str), provided: &Provided) {
        self.line(color, |span| most(provided, span) as f64);
        self.legend.push((color, format!("{direction}: {what}")));
        self.column(format!("#{what}"), |span| {
            group_thousands(&most(provided, span).to_string())
        });
        if provided.throttled.iter().all(Exact::is_zero) {
            return;
        }
        self.column("#throttled".to_string(), |span| {
            throttled_in(provided, span).human(1)
        });
        let mut hits: Vec<(Exact, &Span)> = self
            .spans
            .iter()
            .map(|span| (throttled_in(provided, span), span))
            .filter(|(units, _)| !units.is_zero())
            .collect();
        hits.sort_by(|one, other| other.0.cmp(&one.0));
        let dot = |(units, span): (Exact, &Span)| {
            let (hour, units) = (hour(span.start), units.human(1));
            let words = format!("{hour}: {units} units throttled, {what}");
            (span.start as f64, most(provided, span) as f64, HERE, words)
        };
        let dots: Vec<_> = hits.into_iter().take(DOTS).map(dot).collect();
        self.dots.extend(dots);
    }

    fn table(&self, title: &str) -> HtmlTable {
        let header: Vec<&str> = ["From"]
            .into_iter()
            .chain(self.header.iter().map(String::as_str))
            .collect();
        let mut table = HtmlTable::new(format!("{title}: units a second"), &header);
        for (at, span) in self.spans.iter().enumerate() {
            let columns = self.columns.iter();
            let cells = columns.map(|column| HtmlCell::from(column[at].as_str()));
            let first = HtmlCell::from(hour(span.start));
            table
                .rows
                .push(std::iter::once(first).chain(cells).collect());
        }
        table
    }
}

/// The direction of a week that a throughput is of, if it has any demand.
pub(super) fn largest_direction(
    week: &Week,
    direction: Direction,
) -> Option<(&'static str, &Hours)> {
    let word = match direction {
        Direction::Read => "reads",
        Direction::Write => "writes",
    };
    directions(week).into_iter().find(|(name, _)| *name == word)
}

/// Demand and capacity of one direction through the week.
pub(super) fn week_chart(week: &Week, direction: &'static str, hours: &Hours) -> Chart {
    hour_by_hour(week, &[(direction, hours)], 1)
}

fn hour_by_hour(week: &Week, directions: &[(&'static str, &Hours)], step: usize) -> Chart {
    let (reads, writes) = (week.reads.demand.len(), week.writes.demand.len());
    let count = reads.max(writes).min(WEEK);
    let mut parts = WeekChart {
        spans: (0..count)
            .step_by(step)
            .map(|from| from..count.min(from + step))
            .collect(),
        ..WeekChart::default()
    };
    for (at, (direction, hours)) in directions.iter().enumerate() {
        let base = at as u8 * 3 + 1;
        parts.demand(base, direction, hours);
        parts.capacity(base + 1, (direction, "auto scaled"), &hours.auto_scaled);
        if let Some(designed) = &hours.designed {
            parts.capacity(base + 2, (direction, "as designed"), designed);
        }
    }
    if !parts.dots.is_empty() {
        parts.legend.push((HERE, "throttled".to_string()));
    }
    let title = match directions {
        [(direction, _)] => format!("{}, {direction}", place(&week.table, week.index.as_deref())),
        _ => place(&week.table, week.index.as_deref()),
    };
    let day = |x: f64| {
        hour(x as usize)
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_string()
    };
    let numbers = parts.table(&title);
    let chart = LineChart {
        x_title: "",
        y_title: "units a second",
        x_range: (0.0, count as f64),
        lines: parts.lines,
        dots: parts.dots,
        marks: Vec::new(),
        x_label: &day,
        x_labels: 8,
        dollars: false,
        near: false,
    };
    Chart {
        svg: if step == 1 {
            chart.draw(&label(&title))
        } else {
            chart.draw_small(&label(&title))
        },
        title,
        legend: parts.legend,
        note: String::new(),
        numbers,
        hover: Hover::evenly(),
    }
}

fn label(title: &str) -> String {
    format!("Demand and capacity of {title} over the week; the numbers are in the table below")
}

/// All other alternatives.
pub(super) fn alternatives(review: &Review, detail: Detail) -> Section {
    let mut section = Section::new("alternatives", "Alternatives");
    section.finding = alternatives_finding(review);
    projections(review, &mut section, detail.projections);
    dax(review, &mut section, detail.hit_ratios);
    regions(review, &mut section);
    classes(review, &mut section);
    backups(review, &mut section);
    for (kind, title) in [
        (AlternativeKind::Consistency, "Consistency"),
        (AlternativeKind::Item, "How items are stored"),
    ] {
        if review
            .comparison
            .alternatives
            .iter()
            .any(|one| one.kind == kind)
        {
            section.heading(title);
            some_of(review, &mut section, title, |one| one.kind == kind);
        }
    }
    section
}

/// What the other alternatives come to: the regions, and whether a cache pays.
fn alternatives_finding(review: &Review) -> String {
    let comparison = &review.comparison;
    let of = |word: &'static str| {
        let all = comparison.alternatives.iter();
        all.filter(move |one| one.kind.word() == word && one.is_priced())
    };
    let mut parts = Vec::new();
    let regions = of("regions").filter(|one| moved_to(one).is_some());
    let mut deltas: Vec<(Money, &str)> = regions
        .filter_map(|one| Some((one.delta()?, moved_to(one)?)))
        .collect();
    deltas.sort_unstable();
    if let (Some((least, first)), Some((most, last))) = (deltas.first(), deltas.last()) {
        parts.push(match deltas.len() {
            1 => format!("{first} costs {}", signed(*least)),
            _ => format!(
                "other regions from {} ({first}) to {} ({last})",
                signed(*least),
                signed(*most)
            ),
        });
    }
    if of("dax").next().is_some() {
        parts.push(match of("dax").any(Alternative::saves) {
            true => "a DAX cluster can pay".to_string(),
            false => "no DAX cluster pays".to_string(),
        });
    }
    parts.push("projections, classes, backups, consistency".to_string());
    parts.join("; ")
}

/// Alternatives, the cheapest first; if there are many, the first ones and the number of the
/// others.
fn some_of(
    review: &Review,
    section: &mut Section,
    caption: &str,
    of: impl Fn(&Alternative) -> bool,
) {
    let mut rows: Vec<&Alternative> = review
        .comparison
        .alternatives
        .iter()
        .filter(|one| of(one))
        .collect();
    rows.sort_by_key(|one| (!one.is_priced(), one.monthly()));
    let mut table = kinds_table(caption);
    // What several rows would repeat is said once.
    let common = common_words(&rows);
    for one in rows.iter().take(SHOWN) {
        let mut row = alternative(one);
        if common.as_deref() == Some(&one.words()) {
            row[4] = HtmlCell::from("");
        }
        table.row(row);
    }
    if let Some(words) = common {
        section.text(format!("Where nothing else is noted: {words}."));
    }
    section.table(table.folded_above(12));
    if let Some(more) = rows.len().checked_sub(SHOWN + 1) {
        section.text(format!(
            "… and {} more that are more expensive or have no price; `dynameter compare --format \
             csv` lists all.",
            more + 1
        ));
    }
}

/// The words of at least three alternatives.
fn common_words(rows: &[&Alternative]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in rows.iter().take(SHOWN) {
        *counts.entry(one.words()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    let most = most.filter(|(words, count)| *count >= 3 && !words.is_empty());
    most.map(|(words, _)| words)
}

fn kinds_table(caption: &str) -> HtmlTable {
    HtmlTable::new(
        caption,
        &["For", "Alternative", "#Monthly", "#Difference", "Notes"],
    )
}

fn break_evens(review: &Review, kind: BreakEvenKind) -> HtmlTable {
    let mut table = HtmlTable::new(
        "Where both cost the same",
        &["Where", "What", "#Break-even", "#This design", "Meaning"],
    );
    for one in review
        .comparison
        .break_even
        .iter()
        .filter(|one| one.kind == kind)
    {
        let place = one
            .table
            .as_ref()
            .map_or("the whole design".to_string(), |table| {
                place(table, one.index.as_deref())
            });
        table.row([
            HtmlCell::from(place),
            HtmlCell::from(one.name.as_str()),
            if one.unit == "% hits" && one.value > Exact::from(100) {
                HtmlCell::from("none")
            } else {
                HtmlCell::measure(&one.value, 2, one.unit)
            },
            one.here
                .as_ref()
                .map_or(HtmlCell::from("-"), |here| HtmlCell::number(here, 2)),
            HtmlCell::from(one.meaning.as_str()),
        ]);
    }
    table
}

fn projections(review: &Review, section: &mut Section, rows: usize) {
    let all: Vec<&Alternative> = review
        .comparison
        .alternatives
        .iter()
        .filter(|one| one.kind == AlternativeKind::Projection)
        .collect();
    if all.is_empty() {
        return;
    }
    section.heading("Index projections");
    let mut table =
        kinds_table("Each index with other projections, compared with the design as it is");
    // Alternatives that are not possible are left out, such as removing an index that is read.
    let possible = |one: &&&Alternative| one.state != AlternativeState::Impossible;
    let possible: Vec<_> = all.iter().filter(possible).collect();
    possible
        .iter()
        .take(rows)
        .for_each(|one| table.row(alternative(one)));
    if possible.len() > rows {
        section.text(format!(
            "The first {rows} of {} projections; `dynameter compare --format csv` lists all.",
            possible.len()
        ));
    }
    section.table(table.folded_above(24));
    let mut narrower = HtmlTable::new(
        "Break-even of narrower projections: with fewer queries a month, the narrower projection \
         is cheaper",
        &["Index", "Projection", "#Queries a month", "#Break-even"],
    );
    for one in review.curves.projections.iter().take(rows) {
        narrower.row([
            HtmlCell::from(place(&one.table, Some(&one.index))),
            HtmlCell::from(one.name.as_str()),
            HtmlCell::number(&one.queries, 0),
            one.break_even.as_ref().map_or(
                HtmlCell::from("none: it saves nothing, or its queries cost nothing more"),
                |queries| HtmlCell {
                    text: format!("about {}", about(queries)),
                    exact: Some(crate::report::json::decimal(queries)),
                },
            ),
        ]);
    }
    section.table(narrower.folded_above(24));
    section.table(break_evens(review, BreakEvenKind::Index));
}

/// A number rounded down to two significant digits, for approximate figures.
fn about(number: &Exact) -> String {
    let whole = number.human(0).replace(',', "");
    let rounded: String = whole
        .chars()
        .enumerate()
        .map(|(at, digit)| if at < 2 { digit } else { '0' })
        .collect();
    group_thousands(&rounded)
}

fn dax(review: &Review, section: &mut Section, curves: usize) {
    if review.curves.hit_ratios.is_empty() {
        return;
    }
    section.heading("DAX: cost by hit ratio");
    // Where no hit ratio pays, a sentence says so, and no cluster is listed.
    let pays = |curve: &&HitRatios| {
        curve.here.is_some()
            || curve
                .points
                .iter()
                .any(|point| point.monthly < curve.without)
    };
    let (paying, others): (Vec<_>, Vec<_>) = review.curves.hit_ratios.iter().partition(pays);
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|curve| clean(&curve.table)).collect();
        section.text(format!(
            "No cluster pays for {}: at this traffic, no hit ratio saves what the nodes cost.",
            names.join(", ")
        ));
    }
    if paying.is_empty() {
        return;
    }
    let charts = paying
        .iter()
        .take(curves)
        .map(|curve| hit_ratios(review, curve));
    section.charts(charts.collect());
    if paying.len() > curves {
        section.text(format!(
            "The first {curves} of {} tables that a cache could serve are drawn.",
            paying.len()
        ));
    }
    section.table(break_evens(review, BreakEvenKind::Dax));
    some_of(review, section, "DAX clusters", |one| {
        let table = one.table.as_ref();
        one.kind == AlternativeKind::Dax && paying.iter().any(|curve| Some(&curve.table) == table)
    });
}

fn hit_ratios(review: &Review, curve: &HitRatios) -> Chart {
    let flat = |color: u8, money: Money| ChartLine {
        color,
        points: vec![(0.0, float(money)), (100.0, float(money))],
        steps: false,
    };
    let with = ChartLine {
        color: 1,
        points: curve
            .points
            .iter()
            .map(|point| (point.percent as f64, float(point.monthly)))
            .collect(),
        steps: false,
    };
    let total = review.comparison.total;
    let lines = LineChart {
        x_title: "hit ratio, %",
        y_title: "$ a month, not from 0",
        x_range: (0.0, 100.0),
        lines: vec![with, flat(2, curve.without)],
        dots: Vec::new(),
        marks: curve
            .here
            .iter()
            .map(|here| (here.to_f64(), format!("you are here: {} %", here.human(2))))
            .collect(),
        x_label: &|x| format!("{x:.0}"),
        x_labels: 11,
        dollars: true,
        near: true,
    };
    let title = clean(&curve.table);
    let note = cheapest_hit_ratio(curve);
    Chart {
        svg: lines.draw(&format!(
            "The month's total by hit ratio for {title}; the numbers are in the table below"
        )),
        legend: vec![
            (
                1,
                "with the cheapest cluster that serves the demand".to_string(),
            ),
            (2, "without DAX".to_string()),
        ],
        note: if total == curve.without {
            note
        } else {
            format!("{note} The design as it is: {}.", total.human())
        },
        numbers: hit_ratio_table(curve, &title),
        title,
        hover: Hover::at(
            [0.0, 100.0],
            curve
                .points
                .iter()
                .map(|point| point.percent.to_string())
                .collect(),
        ),
    }
}

fn hit_ratio_table(curve: &HitRatios, title: &str) -> HtmlTable {
    let mut table = HtmlTable::new(
        format!("{title}: the whole design with a DAX cluster"),
        &["#Hit ratio", "Cluster", "#Monthly"],
    );
    for point in &curve.points {
        let percent = HtmlCell {
            text: format!("{} %", point.percent),
            exact: Some(point.percent.to_string()),
        };
        table.row([
            percent,
            HtmlCell::from(point.cluster.as_str()),
            HtmlCell::from(point.monthly),
        ]);
    }
    table.row([
        HtmlCell::from("-"),
        HtmlCell::from("without DAX"),
        HtmlCell::from(curve.without),
    ]);
    table
}

fn cheapest_hit_ratio(curve: &HitRatios) -> String {
    let cheaper = curve
        .points
        .iter()
        .find(|point| point.monthly < curve.without);
    match cheaper {
        Some(point) => format!(
            "Of the hit ratios in the table, {} % is the lowest at which a cluster is cheaper \
             than no cluster.",
            point.percent
        ),
        None => "At this traffic, no hit ratio saves enough to pay for the nodes.".to_string(),
    }
}

fn regions(review: &Review, section: &mut Section) {
    let comparison = &review.comparison;
    let mut all: Vec<(&str, Money)> = comparison
        .alternatives
        .iter()
        .filter_map(|one| Some((moved_to(one)?, one.monthly()?)))
        .collect();
    if !comparison
        .alternatives
        .iter()
        .any(|one| matches!(one.kind, AlternativeKind::Regions(_)))
    {
        return;
    }
    section.heading("Regions");
    let home = comparison.outcome.region.as_str();
    all.push((home, comparison.total));
    all.sort_by(|one, other| one.1.cmp(&other.1).then_with(|| one.0.cmp(other.0)));
    if all.len() == 1 {
        section.text(unpriced(review));
    }
    if all.len() > 1 {
        section.charts(vec![Chart {
            title: "The same design in other regions".to_string(),
            svg: charts::bars(
                &region_bars(&all, home),
                "The month's total by region: the cheapest, this one and the most expensive",
            ),
            legend: Vec::new(),
            note: format!(
                "{}{}",
                if all.len() > 3 {
                    "The cheapest, this one and the most expensive; the table lists all."
                } else {
                    ""
                },
                unpriced(review)
            ),
            numbers: regions_table(review, &all),
            hover: None,
        }]);
    }
    section.table(moves_table(review).folded_above(8));
    some_of(review, section, "Replicas", |one| {
        one.kind == AlternativeKind::Regions(RegionChange::Replicas)
    });
}

fn regions_table(review: &Review, all: &[(&str, Money)]) -> HtmlTable {
    let comparison = &review.comparison;
    let home = comparison.outcome.region.as_str();
    let mut table = HtmlTable::new(
        "The same design at the prices of each region",
        &["Region", "#Monthly", "#Difference"],
    );
    for (region, monthly) in all {
        let here = if *region == home {
            format!("{region} (current)")
        } else {
            region.to_string()
        };
        table.row([
            HtmlCell::from(here),
            HtmlCell::from(*monthly),
            monthly
                .minus(comparison.total)
                .map_or(HtmlCell::from("-"), HtmlCell::signed),
        ]);
    }
    table
}

fn region_bars(all: &[(&str, Money)], home: &str) -> Vec<Bar> {
    // The cheapest regions, the home region and the most expensive one show the spread.
    let last = all.len() - 1;
    let shown = |(at, (region, monthly)): (usize, &(&str, Money))| {
        let is_home = *region == home;
        let bar = Bar {
            name: if is_home {
                format!("{region} (current)")
            } else {
                region.to_string()
            },
            value: float(*monthly),
            words: monthly.human(),
            color: if is_home { 2 } else { 1 },
        };
        (at < 6 || is_home || at == last).then_some(bar)
    };
    all.iter().enumerate().filter_map(shown).collect()
}

fn moves_table(review: &Review) -> HtmlTable {
    let comparison = &review.comparison;
    let mut moves = HtmlTable::new(
        "How many months of savings pay for a move to a cheaper region (by at least 0.1 %): only \
         the transfer of the tables' data is counted, not exports, imports, running both regions \
         in parallel, or the work",
        &["Region", "#Saves a month", "#Transfer, once", "#Months"],
    );
    // A saving of less than a thousandth is not worth a move.
    let worth = |one: &&crate::compare::Move| {
        one.saves
            .percent_of(comparison.total)
            .is_some_and(|percent| !percent.is_zero())
    };
    for one in review.curves.moves.iter().filter(worth) {
        moves.row([
            HtmlCell::from(one.region.as_str()),
            HtmlCell::from(one.saves),
            HtmlCell::from(one.transfer),
            one.months
                .as_ref()
                .map_or(HtmlCell::from("unknown"), |months| {
                    HtmlCell::number(months, 2)
                }),
        ]);
    }
    moves
}

/// The region to which an alternative moves the whole design.
fn moved_to(one: &Alternative) -> Option<&str> {
    match &one.kind {
        AlternativeKind::Regions(RegionChange::MoveTo(region)) => Some(region),
        _ => None,
    }
}

/// The regions that are not compared, and why.
fn unpriced(review: &Review) -> String {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in review
        .comparison
        .alternatives
        .iter()
        .filter(|one| !one.is_priced())
    {
        let Some(region) = moved_to(one) else {
            continue;
        };
        match reasons.iter_mut().find(|(why, _)| *why == one.why) {
            Some((_, regions)) => regions.push(region),
            None => reasons.push((&one.why, vec![region])),
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let count: usize = reasons.iter().map(|(_, regions)| regions.len()).sum();
    reasons.sort_by_key(|(_, regions)| std::cmp::Reverse(regions.len()));
    let words = reasons
        .iter()
        .take(3)
        .map(|(why, regions)| format!("{} ({why})", regions.join(", ")));
    let more = reasons
        .len()
        .checked_sub(4)
        .map(|more| format!("; other reasons: {}", more + 1))
        .unwrap_or_default();
    clean(&format!(
        " Regions not compared ({count}): {}{more}.",
        words.collect::<Vec<_>>().join("; ")
    ))
}

fn classes(review: &Review, section: &mut Section) {
    if !review
        .comparison
        .alternatives
        .iter()
        .any(|one| matches!(one.kind, AlternativeKind::TableClass(_)))
    {
        return;
    }
    section.heading("Table class");
    some_of(review, section, "The other table class", |one| {
        matches!(one.kind, AlternativeKind::TableClass(_))
    });
    section.table(break_evens(review, BreakEvenKind::TableClass));
}

fn backups(review: &Review, section: &mut Section) {
    let retention = &review.curves.retention;
    let known = retention
        .ways
        .iter()
        .any(|(_, totals)| totals.iter().any(Option::is_some));
    if known {
        section.heading("Backups over the years");
        section.charts(vec![retention_chart(review)]);
    }
    some_of(review, section, "Backups and archives", |one| {
        matches!(one.kind, AlternativeKind::Backup(_))
    });
}

fn retention_chart(review: &Review) -> Chart {
    let retention = &review.curves.retention;
    let line = |(at, (_, totals)): (usize, &(String, Vec<Option<Money>>))| ChartLine {
        color: at as u8 + 1,
        points: retention
            .years
            .iter()
            .zip(totals)
            .filter_map(|(years, total)| Some((*years as f64, float((*total)?))))
            .collect(),
        steps: false,
    };
    let mut lines: Vec<ChartLine> = retention
        .ways
        .iter()
        .enumerate()
        .map(line)
        .filter(|line| !line.points.is_empty())
        .collect();
    let own = retention.ways.len() as u8 + 1;
    let total = float(review.comparison.total);
    lines.push(ChartLine {
        color: own,
        points: vec![(1.0, total), (10.0, total)],
        steps: false,
    });
    let chart = LineChart {
        x_title: "years that backups are kept",
        y_title: "$ a month, not from 0",
        x_range: (1.0, 10.0),
        lines,
        dots: Vec::new(),
        marks: Vec::new(),
        x_label: &|x| format!("{x:.0}"),
        x_labels: 10,
        dollars: true,
        near: true,
    };
    let mut legend: Vec<(u8, String)> = retention
        .ways
        .iter()
        .enumerate()
        .filter(|(_, (_, totals))| totals.iter().any(Option::is_some))
        .map(|(at, (name, _))| (at as u8 + 1, name.clone()))
        .collect();
    legend.push((
        own,
        format!("as designed: {}", review.comparison.total.human()),
    ));
    Chart {
        title: "A monthly backup of every table".to_string(),
        svg: chart.draw(
            "The month's total by the years that backups are kept; the numbers are in the \
                 table below",
        ),
        legend,
        note: format!(
            "{} Exports replace those that the design makes now.",
            cheapest(review)
        )
        .trim()
        .to_string(),
        numbers: retention_table(review),
        hover: Hover::at(
            [1.0, 10.0],
            retention.years.iter().map(u64::to_string).collect(),
        ),
    }
}

fn retention_table(review: &Review) -> HtmlTable {
    let retention = &review.curves.retention;
    let mut header: Vec<String> = vec!["#Years".to_string()];
    header.extend(retention.ways.iter().map(|(name, _)| format!("#{name}")));
    let mut table = HtmlTable::new(
        "The month's total once backups of all tables cover this many years",
        &header.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    for (at, years) in retention.years.iter().enumerate() {
        let first = HtmlCell {
            text: years.to_string(),
            exact: Some(years.to_string()),
        };
        let totals = retention
            .ways
            .iter()
            .map(|(_, totals)| totals[at].map_or(HtmlCell::from("unknown"), HtmlCell::from));
        table
            .rows
            .push(std::iter::once(first).chain(totals).collect());
    }
    table
}

/// Which way to keep backups is cheapest, and from which year another one is.
fn cheapest(review: &Review) -> String {
    let retention = &review.curves.retention;
    let best = |at: usize| {
        let known = retention
            .ways
            .iter()
            .filter_map(|(name, totals)| Some((totals[at]?, name.as_str())));
        known.min().map(|(_, name)| name)
    };
    let mut parts: Vec<String> = Vec::new();
    let mut last = None;
    for (at, years) in retention.years.iter().enumerate() {
        let now = best(at);
        if let Some(name) = now.filter(|_| now != last) {
            let years = if *years == 1 {
                "1 year".to_string()
            } else {
                format!("{years} years")
            };
            parts.push(format!("from {years}: {name}"));
        }
        last = now.or(last);
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("The cheapest of these: {}.", parts.join("; "))
    }
}
