//! The answer, what to change, other traffic, where the money goes, and the effect of ranges.

use super::charts::{self, Bar, ChartLine, LineChart, TornadoBar};
use super::{Chart, Hover, HtmlCell, HtmlTable, ReportError, Section};
use crate::compare::{Advice, Combination, Comparison, Footing};
use crate::diff::{Difference, TotalChange};
use crate::money::Money;
use crate::outcome::Uncertainty;
use crate::report::compare::place;
use crate::report::estimate::{conventions, interval, what_is};
use crate::report::render::text::{clean, signed};
use crate::review::TrafficTable;
use crate::review::{BillShare, DesignTotal, MONTHS, Review, Spending};
use crate::units::{Exact, count_of};

/// The maximum number of changes that are shown.
const ADVICE: usize = 24;

/// The number of bars of a chart; its table has all shares.
const BARS: usize = 10;

pub(super) fn float(money: Money) -> f64 {
    Exact::from(money.decimal()).to_f64()
}

/// A part of a whole in percent.
pub(super) fn share(part: Money, whole: Money) -> String {
    part.percent_of(whole)
        .map(|percent| format!("{percent:.1} %"))
        .unwrap_or_default()
}

/// Notes on a total at other traffic.
pub(super) fn note(sum: Option<&DesignTotal>) -> String {
    let Some(sum) = sum else { return String::new() };
    let mut parts = Vec::new();
    if let Some(first) = sum.short.first() {
        let more = if sum.short.len() > 1 {
            format!(" and {} more", sum.short.len() - 1)
        } else {
            String::new()
        };
        parts.push(format!(
            "some requests are refused: the capacity of {}{more} does not cover the busiest hour",
            clean(first)
        ));
    }
    if sum.unknown > 0 {
        parts.push(format!(
            "unknown figures that are not included: {}",
            sum.unknown
        ));
    }
    parts.join("; ")
}

/// The difference from the baseline in a sentence.
pub(super) fn changed(difference: &Difference) -> Result<String, ReportError> {
    let before = difference.old.total()?;
    let unknown = if difference.old.bill.unknown.is_empty() {
        ""
    } else {
        " plus unknown costs"
    };
    let direction = match difference.change() {
        TotalChange::Unknown => format!(
            "change unknown; the known costs differ by {} from the baseline",
            signed(difference.delta)
        ),
        TotalChange::Known(delta) if delta == Money::ZERO => "the same as the baseline".to_string(),
        TotalChange::Known(delta) => format!("{} compared with the baseline", signed(delta)),
    };
    Ok(clean(&format!(
        "{direction} {}, which cost {}{unknown} a month.",
        difference.old.workload,
        before.human()
    )))
}

/// What has changed since the baseline.
pub(super) fn since(review: &Review) -> Result<Section, ReportError> {
    let mut section = Section::new("since", "What has changed");
    let Some(difference) = &review.baseline else {
        return Ok(section);
    };
    let before = difference.old.total()?;
    let caveat = if difference.old.bill.unknown.is_empty() {
        ""
    } else {
        ", plus unknown costs"
    };
    section.finding = changed(difference)?;
    section.is_open = true;
    section.text(format!(
        "Before: {}: {} a month{caveat}.",
        difference.old.workload,
        before.human()
    ));
    let conditions = |outcome: &crate::outcome::Outcome| {
        (
            outcome.prices,
            outcome.month.clone(),
            outcome.region.clone(),
            outcome.free.clone(),
        )
    };
    if conditions(&difference.old) != conditions(&difference.new) {
        let (before, now) = (conventions(&difference.old), conventions(&difference.new));
        section.text(format!(
            "The baseline was priced under other conditions: {before}; now: {now}."
        ));
    }
    let mut table = HtmlTable::new(
        "Lines that differ, the largest first",
        &["Where", "What", "#Before", "#Now", "#Difference", "Why"],
    );
    for line in &difference.lines {
        let amount = |side: &Option<crate::diff::Side>| {
            side.as_ref()
                .map_or(HtmlCell::from("-"), |side| HtmlCell::from(side.amount))
        };
        table.row([
            HtmlCell::from(place(
                line.subject.table.as_ref(),
                line.subject.index.as_ref(),
            )),
            HtmlCell::from(what_is(
                &line.subject,
                &line.usage_type,
                &difference.new.region,
            )),
            amount(&line.old),
            amount(&line.new),
            HtmlCell::signed(line.delta),
            HtmlCell::from(line.why.join("; ")),
        ]);
    }
    section.table(table);
    for (words, list) in [
        (
            "Known before but unknown now, and therefore not included in the difference:",
            &difference.newly_unknown,
        ),
        (
            "Unknown before but now known or removed, so part of the difference is not a real \
             change:",
            &difference.no_longer_unknown,
        ),
    ] {
        if !list.is_empty() {
            section.text(words);
            section.list(
                list.iter()
                    .map(|unknown| format!("{}: {}", unknown.what, unknown.why))
                    .collect(),
            );
        }
    }
    Ok(section)
}

/// What to change.
pub(super) fn changes(review: &Review) -> Result<Section, ReportError> {
    let comparison = &review.comparison;
    let mut section = Section::new("changes", "Every change");
    section.table(best_combination(comparison));
    if !review.flat.is_empty() {
        let some = review
            .flat
            .iter()
            .take(6)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = review
            .flat
            .len()
            .checked_sub(7)
            .map(|more| format!(" and {} more", more + 1))
            .unwrap_or_default();
        section.text(format!(
            "The file gives no profile for {some}{more}, so capacity is simulated with the same \
             traffic at every hour of day and night. If the traffic varies, provisioned capacity \
             saves less; a profile or a trace shows how much."
        ));
    }
    section.table(advice_table(comparison));
    if let Some(more) = comparison.advice.len().checked_sub(ADVICE + 1) {
        section.text(format!(
            "… and {} more that save less; `dynameter compare` lists all.",
            more + 1
        ));
    }
    section.finding = match comparison.advice.len() {
        0 => "nothing saves anything on its own".to_string(),
        count => format!(
            "{}, and the best combinations",
            count_of(count as u64, "change")
        ),
    };
    Ok(section)
}

fn best_combination(comparison: &Comparison) -> HtmlTable {
    let mut together = HtmlTable::new(
        "Best combination",
        &[
            "Combination",
            "Changes",
            "#Monthly",
            "Commitments in addition",
            "#Monthly with them",
        ],
    );
    let is_partial = !comparison.outcome.bill.unknown.is_empty();
    // If a cost of the design is unknown, every total is a lower bound.
    let total = |amount: Money| {
        let cell = HtmlCell::from(amount);
        let text = if is_partial {
            format!("≥ {}", cell.text)
        } else {
            cell.text
        };
        HtmlCell { text, ..cell }
    };
    let mut words = |name: &str, combination: &Combination| {
        let changes = if combination.changes.is_empty() {
            "the design as it is".to_string()
        } else {
            combination.changes.join("; ")
        };
        together.row([
            HtmlCell::from(name),
            HtmlCell::from(changes),
            total(combination.monthly),
            HtmlCell::from(
                combination
                    .commitment
                    .as_ref()
                    .map_or("none saves money".to_string(), |mix| mix.words()),
            ),
            total(combination.monthly_with_commitment),
        ]);
    };
    words("no trade-off", &comparison.best);
    if comparison.best_with_decisions != comparison.best {
        words(
            "including trade-offs you have to accept",
            &comparison.best_with_decisions,
        );
    }
    together
}

fn advice_table(comparison: &Comparison) -> HtmlTable {
    let mut table = HtmlTable::new(
        "Changes, ranked by what each saves alone",
        &[
            "Change",
            "#Saves a month",
            "#Share",
            "Notes",
            "Risk",
            "Edit",
        ],
    );
    let row = |advice: &Advice| {
        let to_decide = if advice.footing == Footing::Decision {
            "trade-off: "
        } else {
            ""
        };
        [
            HtmlCell::from(format!(
                "{}: {}",
                place(advice.table.as_ref(), advice.index.as_ref()),
                advice.change
            )),
            HtmlCell::from(advice.saves),
            HtmlCell::from(share(advice.saves, comparison.total)),
            HtmlCell::from(advice.why.as_str()),
            HtmlCell::from(
                advice
                    .risk
                    .as_ref()
                    .map(|risk| format!("{to_decide}{risk}"))
                    .unwrap_or_default(),
            ),
            HtmlCell::from(edit_of(comparison, advice)),
        ]
    };
    comparison
        .advice
        .iter()
        .take(ADVICE)
        .for_each(|advice| table.row(row(advice)));
    table
}

/// What to write in the file for a change, as TOML; each place of the file is a comment.
pub(super) fn edit_of(comparison: &Comparison, advice: &Advice) -> String {
    let placed = advice.edit.iter();
    let placed = placed.flat_map(|edit| edit.placed(&comparison.written));
    let lines = placed.flat_map(|edit| {
        let place = format!("# {}:{}", edit.place.file, edit.place.line);
        std::iter::once(place).chain(edit.lines)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The totals at other traffic.
pub(super) fn traffic(review: &Review) -> Section {
    let traffic = &review.traffic;
    let mut section = Section::new("traffic", "Other traffic levels");
    section.text(
        "The rates of all access patterns are multiplied; stored items, deletions by Time to \
         Live, settings and provisioned units stay as they are in the file. Every total is a \
         separate estimate, including price tiers and free tiers.",
    );
    if traffic
        .sums
        .iter()
        .flatten()
        .flatten()
        .any(|sum| !sum.short.is_empty())
    {
        section.text(
            "* The capacity of the design does not cover the busiest hour at this traffic: some \
             requests are refused, so the total is not the cost of serving that traffic.",
        );
    }
    let points: Vec<(f64, f64)> = match traffic.sums.first() {
        Some(own) => traffic
            .factors
            .iter()
            .zip(own)
            .filter_map(|(factor, sum)| Some((factor.to_f64(), float(sum.as_ref()?.total))))
            .collect(),
        None => Vec::new(),
    };
    let lines = LineChart {
        x_title: "traffic, as a multiple of the file's",
        y_title: "$ a month",
        x_range: (0.0, 10.0),
        lines: vec![ChartLine {
            color: 1,
            points,
            steps: false,
        }],
        dots: Vec::new(),
        marks: vec![(1.0, "the file".to_string())],
        x_label: &|x| format!("{x:.0} x"),
        x_labels: 11,
        dollars: true,
        near: false,
    };
    let title = "The month's total by traffic".to_string();
    let places = traffic
        .factors
        .iter()
        .map(|factor| factor.human(1))
        .collect();
    section.finding = traffic_finding(traffic);
    section.charts(vec![Chart {
        svg: lines.draw(&format!(
            "{title}, from a tenth to ten times the rates of the file; the numbers are in the \
             table below"
        )),
        title,
        legend: vec![(1, "total, with the file's month length".to_string())],
        note: String::new(),
        numbers: traffic_table(traffic),
        hover: Hover::at([0.0, 10.0], places),
    }]);
    section
}

/// What the month costs at the least and the most traffic that is shown.
fn traffic_finding(traffic: &TrafficTable) -> String {
    let own = traffic.sums.first();
    let ends = own.and_then(|own| Some((own.first()?.as_ref()?, own.last()?.as_ref()?)));
    ends.map_or_else(String::new, |(least, most)| {
        format!(
            "a tenth to ten times as much: {} to {}",
            least.total.human(),
            most.total.human()
        )
    })
}

/// Where the money goes.
pub(super) fn spending(review: &Review) -> Result<Section, ReportError> {
    let mut section = Section::new("spending", "Where the money goes");
    section.finding = "by kind, table, index, access pattern, region and usage type".to_string();
    let total = review.comparison.total;
    let chart = |(at, spending): (usize, &Spending)| {
        let color = at as u8 % 8 + 1;
        let bar = |one: &BillShare| Bar {
            name: one.name.clone(),
            value: float(one.amount),
            words: format!("{}, {}", one.amount.human(), share(one.amount, total)),
            color,
        };
        let bars: Vec<Bar> = spending.shares.iter().take(BARS).map(bar).collect();
        let mut table = HtmlTable::new(
            format!("Monthly cost by {}", spending.by),
            &[spending.by, "#Monthly", "#Share"],
        );
        for one in &spending.shares {
            table.row([
                HtmlCell::from(one.name.clone()),
                HtmlCell::from(one.amount),
                HtmlCell::from(share(one.amount, total)),
            ]);
        }
        let more = spending.shares.len().saturating_sub(BARS);
        Chart {
            title: format!("By {}", spending.by),
            svg: charts::bars(
                &bars,
                &format!("Dollars a month by {}, the largest first", spending.by),
            ),
            legend: Vec::new(),
            note: if more > 0 {
                format!("The {BARS} largest; the table has {more} more.")
            } else {
                String::new()
            },
            numbers: table,
            hover: None,
        }
    };
    section.charts(
        review
            .spending
            .iter()
            .filter(|spending| !spending.shares.is_empty())
            .enumerate()
            .map(chart)
            .collect(),
    );
    Ok(section)
}

/// The interval of the total, the tornado chart, and the effect of an error in each figure.
pub(super) fn ranges(review: &Review) -> Result<Option<Section>, ReportError> {
    let comparison = &review.comparison;
    let mut section = Section::new("ranges", "How certain the total is");
    if let Some(uncertainty) = &comparison.outcome.uncertainty {
        section.finding = interval(uncertainty);
        section.charts(vec![range_chart(comparison, uncertainty, BARS)]);
    }
    if !comparison.swings.is_empty() {
        if section.finding.is_empty() {
            let count = comparison.swings.len() as u64;
            section.finding = format!(
                "{}, each 50 % less and 50 % more",
                count_of(count, "figure")
            );
        }
        section.charts(vec![tornado_chart(comparison, BARS)]);
    }
    Ok((!section.blocks.is_empty()).then_some(section))
}

/// The total with each range of the file at its ends.
pub(super) fn range_chart(
    comparison: &Comparison,
    uncertainty: &Uncertainty,
    bars: usize,
) -> Chart {
    let range = |swing: &crate::outcome::RangeSwing| TornadoBar {
        name: format!("line {}: {}", swing.line, swing.text.trim()),
        ends: (float(swing.low), float(swing.high)),
        words: (swing.low.human(), swing.high.human()),
    };
    let ranges: Vec<TornadoBar> = uncertainty.ranges.iter().take(bars).map(range).collect();
    let mut table = HtmlTable::new(
        "The total with one range at its low or high end",
        &["#Line", "Range", "#Total at low end", "#Total at high end"],
    );
    for swing in &uncertainty.ranges {
        let line = HtmlCell {
            text: swing.line.to_string(),
            exact: Some(swing.line.to_string()),
        };
        table.row([
            line,
            HtmlCell::from(swing.text.trim()),
            HtmlCell::from(swing.low),
            HtmlCell::from(swing.high),
        ]);
    }
    Chart {
        title: "Which range matters most".to_string(),
        svg: charts::tornado(
            &ranges,
            float(comparison.total),
            "The month's total with each range at its lowest and its highest",
        ),
        legend: Vec::new(),
        note: format!(
            "The line is the total with every range at its likely value, {}.",
            comparison.total.human()
        ),
        numbers: table,
        hover: None,
    }
}

/// The total with each figure of the file 50 % lower and higher.
pub(super) fn tornado_chart(comparison: &Comparison, bars: usize) -> Chart {
    let mut table = HtmlTable::new(
        "What an error of 50 % in one figure does to the total",
        &["Figure", "#Line", "#50 % less", "#50 % more"],
    );
    let range = |swing: &crate::compare::Swing| TornadoBar {
        name: swing.what.clone(),
        ends: (float(swing.low), float(swing.high)),
        words: (swing.low.human(), swing.high.human()),
    };
    for swing in &comparison.swings {
        let line = comparison.written.place(&swing.part).line.to_string();
        table.row([
            HtmlCell::from(swing.what.clone()),
            HtmlCell {
                text: line.clone(),
                exact: Some(line),
            },
            HtmlCell::from(swing.low),
            HtmlCell::from(swing.high),
        ]);
    }
    let ranges: Vec<TornadoBar> = comparison.swings.iter().take(bars).map(range).collect();
    Chart {
        title: "Sensitivity: an error of 50 % in one figure".to_string(),
        svg: charts::tornado(
            &ranges,
            float(comparison.total),
            "The month's total with each figure 50 % lower and 50 % higher",
        ),
        legend: Vec::new(),
        note: format!("The line is the total, {}.", comparison.total.human()),
        numbers: table,
        hover: None,
    }
}

fn traffic_table(traffic: &TrafficTable) -> HtmlTable {
    let heads: Vec<String> = traffic
        .months
        .iter()
        .map(|month| {
            let hours = month.hours().human(2);
            let words = MONTHS
                .iter()
                .find(|(known, _)| Exact::from(*known) == *month.hours())
                .map(|(_, words)| format!(" ({words})"));
            format!("#{hours} hours{}", words.unwrap_or_default())
        })
        .collect();
    let header: Vec<&str> = std::iter::once("#Traffic")
        .chain(heads.iter().map(String::as_str))
        .collect();
    let mut table = HtmlTable::new(
        "A month's total by traffic and length of the month",
        &header,
    );
    for (at, factor) in traffic.factors.iter().enumerate() {
        let of = |sums: &Vec<Option<crate::review::DesignTotal>>| match &sums[at] {
            Some(sum) => {
                let marks = [(sum.unknown > 0, "≥ "), (!sum.short.is_empty(), " *")]
                    .map(|(is, mark)| if is { mark } else { "" });
                HtmlCell {
                    text: format!("{}{}{}", marks[0], sum.total.human(), marks[1]),
                    exact: Some(sum.total.to_string()),
                }
            }
            None => HtmlCell::from("not possible"),
        };
        let first = HtmlCell {
            text: format!("{} x", factor.human(1)),
            exact: Some(factor.human(1)),
        };
        table.rows.push(
            std::iter::once(first)
                .chain(traffic.sums.iter().map(of))
                .collect(),
        );
    }
    table
}
