//! What a trace measured: units over time, hot keys, heat map, caches and throttling, compared with
//! what was expected.

use super::charts::{self, Bar, ChartLine, LineChart};
use super::heat::{HeatMapChart, LEVELS};
use super::{Chart, Hover, HtmlCell, HtmlTable, ReportError, Section};
use crate::compare::AlternativeState;
use crate::money::Money;
use crate::replay::{
    AccountRun, DaxResult, HotKey, ModeResult, OverTime, PartitionHeat, Replayed, Summary,
};
use crate::report::estimate::{a_month, unknown_row};
use crate::report::json::throughput_word;
use crate::report::render::text::clean;
use crate::review::{MeasuredCost, MeasuredDemand, Review};
use crate::table::Direction;
use crate::trace::Time;
use crate::units::{Exact, count_of, group_thousands};
use crate::usage;

/// The number of accounts whose units are drawn over time; a table has the totals of all.
const DRAWN: usize = 12;

/// The number of bars of hot keys.
const KEYS: usize = 10;

fn place(table: &str, index: Option<&str>, region: &str, home: &str) -> String {
    clean(&usage::place(
        table,
        index,
        (region != home).then_some(region),
    ))
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Read => "reads",
        Direction::Write => "writes",
    }
}

fn count(number: u64) -> HtmlCell {
    HtmlCell {
        text: group_thousands(&number.to_string()),
        exact: Some(number.to_string()),
    }
}

/// The section of a trace; `None` without one.
pub(super) fn measured(review: &Review) -> Result<Option<Section>, ReportError> {
    let Some(replayed) = &review.replayed else {
        return Ok(None);
    };
    let mut section = Section::new("trace", "The trace");
    section.is_open = true;
    let home = replayed.outcome.region.as_str();
    let trace = &replayed.trace;
    section.text(format!(
        "{} from {} to {} ({}), executed call by call. Scaled to a month: {}.",
        count_of(trace.events, "event"),
        trace.first,
        trace.last,
        trace.files.join(", "),
        a_month(replayed.outcome.total()?, replayed.outcome.bill.bound())
    ));
    section.list(not_executed(trace));
    let mut missing = HtmlTable::new(
        "Unknown in the trace's month (not included in any total)",
        &["Where", "What", "Rate", "Why"],
    );
    replayed
        .outcome
        .bill
        .unknown
        .iter()
        .for_each(|unknown| missing.row(unknown_row(unknown).map(HtmlCell::from)));
    section.table(missing);
    if trace.span.seconds() < 7 * 86_400 {
        section.text(
            "The trace is shorter than a week. The figures below assume that all hours of a month \
             are like its hours, so a difference from the estimate may come from the time of day \
             and not from the file.",
        );
    }
    section.list(
        replayed
            .outcome
            .warnings
            .iter()
            .map(|warning| format!("Warning: {warning}"))
            .collect(),
    );
    beside(review, replayed, &mut section)?;
    section.heading("Units over time");
    section.charts(over_time(replayed, home));
    section.table(peaks(replayed, home));
    section.heading("Capacity modes and what each would have throttled");
    section.table(modes(replayed));
    if !replayed.hot_keys.is_empty() {
        section.heading("Hot keys");
        section.charts(vec![hot_keys(replayed, home)]);
    }
    let strips: Vec<Chart> = replayed
        .partitions
        .iter()
        .filter_map(|heat| strip(heat, home, trace.last))
        .collect();
    if !strips.is_empty() {
        section.heading("Heat map: ranges of keys over time");
        section.charts(strips);
    }
    section.table(partitions(replayed, home));
    let caches = caches(replayed);
    if !caches.is_empty() {
        section.heading("What DAX would have answered");
        section.charts(caches);
    }
    section.heading("Assumptions of the replay");
    section.list(replayed.assumptions.clone());
    Ok(Some(section))
}

/// Rows that were skipped, and calls that cost nothing.
fn not_executed(trace: &Summary) -> Vec<String> {
    let skipped = trace
        .skipped
        .iter()
        .map(|(reason, rows)| format!("Skipped {}: {}", count_of(*rows, "row"), reason.word()));
    let refused = (trace.refused > 0).then(|| {
        format!(
            "Throttled or refused in the trace: {}. They cost nothing, so the demand is higher \
             than what is billed",
            count_of(trace.refused, "call")
        )
    });
    let throttled = (trace.throttled > 0).then(|| {
        format!(
            "Throttled according to the metrics of the trace: {}",
            count_of(trace.throttled, "request")
        )
    });
    skipped.chain(refused).chain(throttled).collect()
}

/// Measured and expected, side by side.
fn beside(review: &Review, replayed: &Replayed, section: &mut Section) -> Result<(), ReportError> {
    section.heading("Measured compared with estimated");
    let (expected, measured) = (review.comparison.total, replayed.outcome.total()?);
    let mut total = HtmlTable::new("The month's total", &["", "#Monthly"]);
    total.row([
        HtmlCell::from("estimated from the file"),
        HtmlCell::from(expected),
    ]);
    total.row([
        HtmlCell::from("measured in the trace, scaled to a month"),
        HtmlCell::from(measured),
    ]);
    let Some(beside) = review.measured()? else {
        return Ok(());
    };
    total.row([
        HtmlCell::from("difference"),
        HtmlCell::signed(beside.difference),
    ]);
    section.table(total);
    section.table(demand_table(&beside.demand, &replayed.outcome.region));
    section.table(cost_table(beside.cost).folded_above(16));
    section.text(
        "A trace shows only requests. Stored data, backups, nodes and the hit ratio of a DAX \
         cluster are taken from the file; what a cache would have answered in the trace is shown \
         below.",
    );
    if review.years_ahead > 0 {
        section.text(
            "The file describes a month in the future: its rates include growth, those of the \
             trace do not.",
        );
    }
    Ok(())
}

/// A time of a trace without the `T` and `Z` of RFC 3339; if the trace has no absolute times, the
/// seconds.
fn moment(time: Time) -> String {
    time.to_string()
        .replace('T', " ")
        .trim_end_matches('Z')
        .to_string()
}

fn demand_table(all: &[MeasuredDemand], home: &str) -> HtmlTable {
    let mut demand = HtmlTable::new(
        "Units a second on average",
        &[
            "Table or index",
            "Direction",
            "#Estimated",
            "#Measured",
            "#Measured / estimated",
        ],
    );
    for one in all {
        let units = |units: &Option<Exact>| {
            units
                .as_ref()
                .map_or(HtmlCell::from("-"), |units| HtmlCell::number(units, 3))
        };
        let times = match (&one.expected, &one.measured) {
            (Some(expected), Some(measured)) if !expected.is_zero() => {
                HtmlCell::number(&(measured / expected), 3)
            }
            _ => HtmlCell::from("-"),
        };
        demand.row([
            HtmlCell::from(place(&one.table, one.index.as_deref(), &one.region, home)),
            HtmlCell::from(throughput_word(one.throughput)),
            units(&one.expected),
            units(&one.measured),
            times,
        ]);
    }
    demand
}

fn cost_table(all: Vec<MeasuredCost>) -> HtmlTable {
    let mut costs = HtmlTable::new(
        "Dollars a month",
        &[
            "Table",
            "Usage type",
            "#Estimated",
            "#Measured",
            "#Difference",
        ],
    );
    for one in all {
        let amount = |amount: Option<Money>| amount.map_or(HtmlCell::from("-"), HtmlCell::from);
        let cells = [
            HtmlCell::from(one.table),
            HtmlCell::from(one.usage_type),
            amount(one.expected),
            amount(one.measured),
        ];
        let [table, usage, expected, measured] = cells;
        costs.row([
            table,
            usage,
            expected,
            measured,
            HtmlCell::signed(one.difference),
        ]);
    }
    costs
}

fn over_time(replayed: &Replayed, home: &str) -> Vec<Chart> {
    let mut accounts: Vec<AccountOverTime> = Vec::new();
    let same = |one: &OverTime, other: &OverTime| {
        (&one.table, &one.index, &one.region) == (&other.table, &other.index, &other.region)
    };
    for one in &replayed.over_time {
        let at = match accounts.iter().position(|(known, ..)| same(known, one)) {
            Some(at) => at,
            None => {
                accounts.push((one, None, None));
                accounts.len() - 1
            }
        };
        *(if one.direction == Direction::Read {
            &mut accounts[at].1
        } else {
            &mut accounts[at].2
        }) = Some(one);
    }
    accounts
        .iter()
        .take(DRAWN)
        .map(|account| account_over_time(account, home))
        .collect()
}

fn peaks(replayed: &Replayed, home: &str) -> HtmlTable {
    let mut table = HtmlTable::new(
        "Units a second",
        &[
            "Table or index",
            "Direction",
            "#Mean",
            "#Median second",
            "#p95",
            "#p99",
            "#Busiest second",
            "At",
        ],
    );
    for peak in &replayed.peaks {
        let [half, most, nearly_all] = &peak.percentiles;
        table.row([
            HtmlCell::from(place(
                &peak.table,
                peak.index.as_deref(),
                &peak.region,
                home,
            )),
            HtmlCell::from(direction(peak.direction)),
            HtmlCell::number(&peak.mean, 2),
            HtmlCell::number(half, 1),
            HtmlCell::number(most, 1),
            HtmlCell::number(nearly_all, 1),
            HtmlCell::number(&peak.second.1, 1),
            HtmlCell::from(moment(peak.second.0)),
        ]);
    }
    table
}

fn modes(replayed: &Replayed) -> HtmlTable {
    let mut table = HtmlTable::new(
        "The monthly cost of every mode, and the requests of the trace that it would have \
         throttled",
        &[
            "For",
            "Mode",
            "#Monthly",
            "#Throttled requests",
            "First throttled",
            "Notes",
        ],
    );
    for mode in &replayed.capacity {
        let ModeResult {
            table: name,
            mode: words,
            as_designed,
            state,
            why,
            accounts,
            ..
        } = mode;
        let throttled: u64 = accounts
            .iter()
            .map(|account: &AccountRun| account.throttled_requests)
            .sum();
        let first = accounts
            .iter()
            .filter_map(|account| account.first_throttled)
            .min();
        table.row([
            HtmlCell::from(
                name.as_ref()
                    .map_or("the whole design".to_string(), |table| clean(table)),
            ),
            HtmlCell::from(if *as_designed {
                format!("{words} (the design)")
            } else {
                words.clone()
            }),
            match state {
                AlternativeState::Priced { monthly, .. } => HtmlCell::from(*monthly),
                AlternativeState::Unknown | AlternativeState::Impossible => HtmlCell::from("-"),
            },
            if accounts.is_empty() {
                HtmlCell::from("-")
            } else {
                count(throttled)
            },
            first.map_or(HtmlCell::from("-"), |time| HtmlCell::from(moment(time))),
            HtmlCell::from(match state {
                AlternativeState::Priced { .. } => why.clone(),
                AlternativeState::Unknown => format!("not known: {why}"),
                AlternativeState::Impossible => format!("not possible: {why}"),
            }),
        ]);
    }
    table.folded_above(16)
}

fn hot_keys(replayed: &Replayed, home: &str) -> Chart {
    let name = |key: &HotKey| {
        format!(
            "{} ({}, {})",
            key.key,
            place(&key.table, key.index.as_deref(), &key.region, home),
            direction(key.direction)
        )
    };
    let mut all: Vec<&HotKey> = replayed.hot_keys.iter().collect();
    all.sort_by(|one, other| other.units.cmp(&one.units));
    let bar = |key: &&HotKey| Bar {
        name: name(key),
        value: key.units.to_f64(),
        words: format!("{} units", key.units.human(1)),
        color: if key.direction == Direction::Read {
            1
        } else {
            2
        },
    };
    let bars: Vec<Bar> = all.iter().take(KEYS).map(bar).collect();
    let mut table = HtmlTable::new(
        "The keys that consumed the most units; if there is an error, the true units are between \
         the units minus the error and the units",
        &[
            "Table or index",
            "Direction",
            "Key",
            "#Units",
            "#Error",
            "#Share of its table or index",
        ],
    );
    for key in &all {
        table.row([
            HtmlCell::from(place(&key.table, key.index.as_deref(), &key.region, home)),
            HtmlCell::from(direction(key.direction)),
            HtmlCell::from(key.key.as_str()),
            HtmlCell::number(&key.units, 1),
            HtmlCell::number(&key.error, 1),
            HtmlCell::percent(&key.share),
        ]);
    }
    Chart {
        title: "The hottest keys".to_string(),
        svg: charts::bars(
            &bars,
            "The keys that consumed the most units, the hottest first",
        ),
        legend: vec![(1, "reads".to_string()), (2, "writes".to_string())],
        note: String::new(),
        numbers: table,
        hover: None,
    }
}

fn strip(heat: &PartitionHeat, home: &str, last_event: Time) -> Option<Chart> {
    let until = moment(Time::from_second(last_event.second()));
    let (first, seconds) = heat.heat_map.start()?;
    let columns: Vec<(i64, Vec<Exact>)> = heat.heat_map.units().collect();
    let last = columns.last().map(|(column, _)| *column)?;
    let most = columns
        .iter()
        .flat_map(|(_, units)| units)
        .max()
        .cloned()
        .unwrap_or_default();
    // Levels are powers of four below the hottest cell, so that moderately used ranges are visible
    // next to hot ones.
    let level = |units: &Exact| match units.is_zero() {
        true => 0,
        false => {
            let cooler = (0..LEVELS - 1)
                .take_while(|power| units * &Exact::from(4_u64.pow(u32::from(*power) + 1)) < most)
                .count();
            LEVELS - cooler as u8
        }
    };
    let mut levels = vec![Vec::new(); last as usize + 1];
    for (column, units) in &columns {
        levels[*column as usize] = units.iter().map(level).collect();
    }
    let at = |column: i64| moment(Time::from_second(first.second() + column * seconds));
    let title = place(&heat.table, None, &heat.region, home);
    let mut table = HtmlTable::new(
        format!("{title}: units of each {seconds} s, reads and writes together"),
        &[
            "From",
            "#Units",
            "#Units of the hottest range",
            "#Hottest range",
        ],
    );
    for (column, units) in &columns {
        let all: Exact = units.iter().cloned().sum();
        let hottest = units
            .iter()
            .enumerate()
            .max_by(|one, other| one.1.cmp(other.1).then(other.0.cmp(&one.0)));
        let (range, most) = hottest
            .map(|(range, most)| (range, most.clone()))
            .unwrap_or_default();
        table.row([
            HtmlCell::from(at(*column)),
            HtmlCell::number(&all, 1),
            HtmlCell::number(&most, 1),
            count(range as u64 + 1),
        ]);
    }
    // The last column may extend past the end of the trace.
    let end = at(last + 1);
    let (from, to) = (at(0), if end > until { until } else { end });
    Some(Chart {
        svg: HeatMapChart {
            levels,
            from: &from,
            to: &to,
        }
        .draw(&format!(
            "Heat map of {title}: ranges of keys over time; the table below has the hottest range \
             of each column"
        )),
        title,
        legend: (1..=LEVELS)
            .rev()
            .map(|level| (30 + level, heat_words(level, &most, seconds)))
            .collect(),
        note: format!(
            "Rows are {} ranges of keys by hash; a column is {seconds} s.",
            crate::replay::HEAT_MAP_ROWS
        ),
        numbers: table,
        hover: None,
    })
}

fn heat_words(level: u8, most: &Exact, seconds: i64) -> String {
    let edge = |level: u8| most / &Exact::from(4_u64.pow(u32::from(LEVELS - level)));
    let to = edge(level);
    match level {
        1 => format!("up to {}", to.human(1)),
        LEVELS => format!(
            "{} to {} units in {seconds} s",
            edge(level - 1).human(1),
            to.human(1)
        ),
        _ => format!("{} to {}", edge(level - 1).human(1), to.human(1)),
    }
}

fn partitions(replayed: &Replayed, home: &str) -> HtmlTable {
    let mut table = HtmlTable::new(
        "Partitions",
        &[
            "Table",
            "#At first",
            "#At the end",
            "#Refused read units",
            "#Refused write units",
            "First refused",
        ],
    );
    for heat in &replayed.partitions {
        table.row([
            HtmlCell::from(place(&heat.table, None, &heat.region, home)),
            count(heat.first),
            count(heat.last),
            HtmlCell::number(&heat.refused_reads, 1),
            HtmlCell::number(&heat.refused_writes, 1),
            heat.first_refusal
                .map_or(HtmlCell::from("-"), |time| HtmlCell::from(moment(time))),
        ]);
    }
    table
}

/// A size of memory, in its largest unit.
fn memory(bytes: u64) -> String {
    let (unit, name) = [
        (1_u64 << 40, "TB"),
        (1 << 30, "GB"),
        (1 << 20, "MB"),
        (1 << 10, "KB"),
    ]
    .into_iter()
    .find(|(unit, _)| bytes >= *unit)
    .unwrap_or((1, "B"));
    format!("{} {name}", Exact::ratio(bytes, unit).human(1))
}

/// An account with its reads and its writes over time.
type AccountOverTime<'a> = (&'a OverTime, Option<&'a OverTime>, Option<&'a OverTime>);

/// When a column begins.
fn column_start(account: &OverTime, at: usize) -> Time {
    Time::from_second(account.first.second() + at as i64 * account.column_seconds as i64)
}

fn account_over_time((account, reads, writes): &AccountOverTime, home: &str) -> Chart {
    let seconds = account.column_seconds;
    let units = |one: &Option<&OverTime>| {
        one.map(|one| one.units.as_slice())
            .unwrap_or_default()
            .to_vec()
    };
    let (reads, writes) = (units(reads), units(writes));
    let rate = |units: &Exact| units / &Exact::from(seconds);
    let line = |color: u8, units: &[Exact]| ChartLine {
        color,
        points: units
            .iter()
            .enumerate()
            .map(|(at, units)| (at as f64, rate(units).to_f64()))
            .collect(),
        steps: true,
    };
    let title = place(
        &account.table,
        account.index.as_deref(),
        &account.region,
        home,
    );
    let columns = reads.len().max(writes.len());
    let label = |x: f64| {
        let text = moment(column_start(account, x.max(0.0) as usize));
        // Within a day, the hour; over days, the day.
        let (day, hour) = text.split_once(' ').unwrap_or((&text, ""));
        let is_long = columns as u64 * seconds > 2 * 86_400;
        if is_long {
            day.get(5..).unwrap_or(day).to_string()
        } else {
            hour.get(..if seconds < 60 { 8 } else { 5 })
                .unwrap_or(hour)
                .to_string()
        }
    };
    let mut lines = Vec::new();
    let mut legend = Vec::new();
    for (color, units, name) in [(1, &reads, "reads"), (2, &writes, "writes")] {
        if !units.is_empty() {
            lines.push(line(color, units));
            legend.push((color, name.to_string()));
        }
    }
    let chart = LineChart {
        x_title: "",
        y_title: "units a second",
        x_range: (0.0, columns as f64),
        lines,
        dots: Vec::new(),
        marks: Vec::new(),
        x_label: &label,
        x_labels: 6,
        dollars: false,
        near: false,
    };
    Chart {
        svg: chart.draw(&format!(
            "Units a second of {title} over the time of the trace; the numbers are in the \
             table below"
        )),
        legend,
        note: String::new(),
        numbers: over_time_table(account, &title, [&reads, &writes]),
        title,
        hover: Hover::evenly(),
    }
}

fn over_time_table(account: &OverTime, title: &str, [reads, writes]: [&[Exact]; 2]) -> HtmlTable {
    let seconds = account.column_seconds;
    let mut table = HtmlTable::new(
        format!("{title}: units a second, in steps of {seconds} s"),
        &["From", "#Reads", "#Writes"],
    );
    let columns = reads.len().max(writes.len());
    for at in 0..columns {
        let cell = |units: &[Exact]| {
            units.get(at).map_or(HtmlCell::from("-"), |units| {
                HtmlCell::number(&(units / &Exact::from(seconds)), 2)
            })
        };
        table.row([
            HtmlCell::from(moment(column_start(account, at))),
            cell(reads),
            cell(writes),
        ]);
    }
    table
}

fn caches(replayed: &Replayed) -> Vec<Chart> {
    let mut names: Vec<(&str, &'static str)> = replayed
        .dax
        .iter()
        .map(|dax| (dax.table.as_str(), dax.which.word()))
        .collect();
    names.dedup();
    names
        .into_iter()
        .map(|(name, which)| cache_chart(replayed, name, which))
        .collect()
}

fn cache_chart(replayed: &Replayed, name: &str, which: &str) -> Chart {
    let points: Vec<&DaxResult> = replayed
        .dax
        .iter()
        .filter(|dax| dax.table == name && dax.which.word() == which)
        .collect();
    // On a logarithmic axis (base 2): memory doubles from one node size to the next.
    let power = |bytes: u64| (bytes.max(1) as f64).log2();
    let line: Vec<(f64, f64)> = points
        .iter()
        .filter_map(|point| {
            Some((
                power(point.point.bytes),
                point.hit_ratio()?.to_f64() * 100.0,
            ))
        })
        .collect();
    let ends = (
        line.first().map_or(20.0, |point| point.0.floor()),
        line.last().map_or(21.0, |point| point.0.ceil()),
    );
    let chart = LineChart {
        x_title: "memory of a node",
        y_title: "hits, %",
        x_range: ends,
        lines: vec![ChartLine {
            color: 1,
            points: line.clone(),
            steps: false,
        }],
        dots: Vec::new(),
        marks: Vec::new(),
        x_label: &|x| memory(2_f64.powf(x).round() as u64),
        x_labels: 6,
        dollars: false,
        near: false,
    };
    let title = format!("{}, {which} cache", clean(name));
    let sampled = points.iter().any(|point| point.sampled > 0);
    Chart {
        svg: chart.draw(&format!(
            "Hit ratio by memory of {title}; the numbers are in the table below"
        )),
        legend: vec![(1, "share of reads that hit".to_string())],
        note: if sampled {
            "Measured on a sample of the keys; the error is in the table.".to_string()
        } else {
            String::new()
        },
        numbers: cache_table(&points, &title),
        title,
        hover: Hover::at(
            [ends.0, ends.1],
            points
                .iter()
                .map(|point| format!("{:.3}", power(point.point.bytes)))
                .collect(),
        ),
    }
}

fn cache_table(points: &[&DaxResult], title: &str) -> HtmlTable {
    let mut table = HtmlTable::new(
        title,
        &[
            "#Memory",
            "Node type",
            "#Hit ratio",
            "#Error",
            "#Saves a month",
            "#Nodes cost a month",
            "#Break-even hit ratio",
        ],
    );
    for point in points {
        let cluster = point.cluster.as_ref();
        let money =
            |money: Option<Option<Money>>| money.map_or(HtmlCell::from("-"), HtmlCell::from);
        table.row([
            HtmlCell {
                text: memory(point.point.bytes),
                exact: Some(point.point.bytes.to_string()),
            },
            HtmlCell::from(point.node_type.unwrap_or("-")),
            point
                .hit_ratio()
                .map_or(HtmlCell::from("-"), |ratio| HtmlCell::percent(&ratio)),
            HtmlCell::percent(&point.error()),
            money(cluster.map(|cluster| cluster.saves)),
            money(cluster.map(|cluster| cluster.costs)),
            match cluster.and_then(|cluster| cluster.break_even.as_ref()) {
                Some(ratio) if *ratio > Exact::one() => HtmlCell::from("none"),
                ratio => ratio.map_or(HtmlCell::from("-"), HtmlCell::percent),
            },
        ]);
    }
    table
}
