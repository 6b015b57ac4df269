//! The working: every line of the bill with its rule, its rate, its book and its date, and what is
//! assumed.

use std::collections::BTreeMap;

use super::{Detail, HtmlCell, HtmlTable, ReportError, Section};
use crate::compare::Comparison;
use crate::outcome::Outcome;
use crate::pricing::LineItem;
use crate::report::estimate::{rate_text, switches, unknown_row, usage_name, what_of};
use crate::report::render::text::clean;
use crate::review::Review;
use crate::units::{count_of, group_thousands};
use crate::usage::Because;

pub(super) fn working(review: &Review, detail: Detail) -> Result<Section, ReportError> {
    let comparison = &review.comparison;
    let outcome = &comparison.outcome;
    let mut section = Section::new("working", "The working");
    section.finding = format!(
        "{}, each with its rule, rate and source; {}",
        count_of(outcome.bill.lines.len() as u64, "line"),
        count_of(assumptions(comparison).len() as u64, "assumption")
    );
    if !outcome.bill.unknown.is_empty() {
        let mut table = HtmlTable::new(
            "Unknown (not included in any total)",
            &["Where", "What", "Rate", "Why"],
        );
        outcome
            .bill
            .unknown
            .iter()
            .for_each(|unknown| table.row(unknown_row(unknown).map(HtmlCell::from)));
        section.table(table);
    }
    let lines = outcome.bill.lines.iter().chain(&outcome.once.lines);
    let mut sources: Vec<[String; 2]> = lines.map(source_of).collect();
    sources.sort();
    sources.dedup();
    let often = frequent_reasons(outcome, detail.often);
    let number = |line: &LineItem| {
        sources
            .iter()
            .position(|known| *known == source_of(line))
            .map_or(0, |at| at + 1)
    };
    for part in outcome.sections() {
        let (name, total) = (clean(part.name), part.total()?.human());
        let mut table = HtmlTable::new(format!("{name}: {total} a month"), &LINE_HEADER).folded();
        for line in part.lines {
            table.row(row(line, &outcome.region, number(line), &often));
        }
        section.table(table);
    }
    if !outcome.once.lines.is_empty() {
        let total = outcome.once.total()?.human();
        let caption = format!("Paid once, not added to the month: {total}");
        let mut table = HtmlTable::new(caption, &LINE_HEADER);
        for line in &outcome.once.lines {
            table.row(row(line, &outcome.region, number(line), &often));
        }
        section.table(table);
    }
    section.table(reasons_table(&often));
    section.table(sources_table(&sources));
    section.heading("Assumptions");
    section.list(assumptions(comparison));
    let switches = switches(outcome);
    if !switches.is_empty() {
        section.heading("Switches: readings of rules that AWS leaves open");
        section.list(switches);
    }
    Ok(section)
}

/// The header of the lines.
const LINE_HEADER: [&str; 8] = [
    "What",
    "Usage type",
    "#Quantity",
    "Unit",
    "#Rate",
    "#Amount",
    "Rate since",
    "Because",
];

fn row(line: &LineItem, home: &str, book: usize, often: &[&Because]) -> [HtmlCell; 8] {
    let exact = |text: String, exact: String| HtmlCell {
        text,
        exact: Some(exact),
    };
    let quantity = line.quantity.to_string();
    let published = &line.published;
    [
        HtmlCell::from(match &line.subject.region {
            region if region == home => what_of(line, home),
            region => format!("{}, {region}", what_of(line, region)),
        }),
        HtmlCell::from(usage_name(line)),
        exact(group_thousands(&quantity), quantity),
        HtmlCell::from(line.usage_type.unit()),
        exact(
            rate_text(published.rate, &line.usage_type),
            published.rate.to_string(),
        ),
        HtmlCell::from(line.amount),
        HtmlCell::from(format!("{} [{book}]", published.effective_from)),
        HtmlCell::from(
            line.because
                .iter()
                .map(
                    |because| match often.iter().position(|known| *known == because) {
                        Some(at) => format!("(R{})", at + 1),
                        None => because.to_string(),
                    },
                )
                .collect::<Vec<_>>()
                .join("; "),
        ),
    ]
}

/// The source of a line's rate, and how reliable it is.
fn source_of(line: &LineItem) -> [String; 2] {
    [
        line.published.source.clone(),
        line.published.confidence.clone(),
    ]
}

/// Reasons behind at least `lines` lines, which are written out only once.
fn frequent_reasons(outcome: &Outcome, lines: usize) -> Vec<&Because> {
    let mut reasons: BTreeMap<&Because, usize> = BTreeMap::new();
    let all = outcome.bill.lines.iter().flat_map(|line| &line.because);
    for because in all.filter(|because| because.rule.is_some()) {
        *reasons.entry(because).or_default() += 1;
    }
    let often = reasons.into_iter().filter(|(_, count)| *count >= lines);
    often.map(|(because, _)| because).collect()
}

fn reasons_table(often: &[&Because]) -> HtmlTable {
    let mut table = HtmlTable::new("Reasons behind many lines", &["Reason", "Text"]);
    for (at, because) in often.iter().enumerate() {
        table.row([
            HtmlCell::from(format!("(R{})", at + 1)),
            HtmlCell::from(because.to_string()),
        ]);
    }
    table
}

fn sources_table(sources: &[[String; 2]]) -> HtmlTable {
    let mut table = HtmlTable::new(
        "Price books behind the rates",
        &["Book", "Source", "Confidence"],
    );
    for (at, [source, confidence]) in sources.iter().enumerate() {
        table.row([
            HtmlCell::from(format!("[{}]", at + 1)),
            HtmlCell::from(source.as_str()),
            HtmlCell::from(confidence.as_str()),
        ]);
    }
    table
}

fn assumptions(comparison: &Comparison) -> Vec<String> {
    let outcome = &comparison.outcome;
    let mut assumptions = outcome.assumptions.clone();
    assumptions.extend(
        comparison
            .assumptions
            .iter()
            .filter(|one| !outcome.assumptions.contains(one))
            .cloned(),
    );
    assumptions.push(format!(
        "capacity simulations run: {}",
        comparison.simulations
    ));
    assumptions
}
