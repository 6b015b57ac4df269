//! The working: every line of the bill with its rule, its rate, its book and its date, and what is taken for granted.

use super::{Cell, ReportError, Section, Table};
use crate::pricing::LineItem;
use crate::report::estimate::{switches, unknown_row, usage_name, what_of};
use crate::report::table::clean;
use crate::review::Review;
use crate::units::group_thousands;

pub(super) fn working(review: &Review) -> Result<Section, ReportError> {
    let comparison = &review.comparison;
    let outcome = &comparison.outcome;
    let mut section = Section::new("working", "The working");
    if !outcome.bill.unknown.is_empty() {
        let mut table = Table::new("Unknown, and in no total", &["Where", "What", "Rate", "Why"]);
        outcome.bill.unknown.iter().for_each(|unknown| table.row(unknown_row(unknown).map(Cell::from)));
        section.table(table);
    }
    let source = |line: &LineItem| [line.published.source.clone(), line.published.confidence.clone()];
    let mut sources: Vec<[String; 2]> = outcome.bill.lines.iter().map(source).collect();
    sources.sort();
    sources.dedup();
    let number = |line: &LineItem| sources.iter().position(|known| *known == source(line)).map_or(0, |at| at + 1);
    for name in &outcome.tables {
        let caption = format!("{}: {} a month", clean(name), outcome.total_of(name)?.human());
        let mut table =
            Table::new(caption, &["What", "Usage type", "#Quantity", "Unit", "#Rate", "#Amount", "Rate since", "Because"]).folded();
        for line in outcome.lines_of(name) {
            table.row(row(line, &outcome.region, number(line)));
        }
        section.table(table);
    }
    let mut table = Table::new("Price books behind the rates", &["Book", "Source", "Confidence"]);
    for (at, [source, confidence]) in sources.iter().enumerate() {
        table.row([Cell::from(format!("[{}]", at + 1)), Cell::from(source.as_str()), Cell::from(confidence.as_str())]);
    }
    section.table(table);

    let mut assumptions = outcome.assumptions.clone();
    assumptions.extend(comparison.assumptions.iter().filter(|one| !outcome.assumptions.contains(one)).cloned());
    assumptions.push(format!("{} capacity simulations were run", comparison.simulations));
    section.heading("Assumptions");
    section.list(assumptions);
    let switches = switches(outcome);
    if !switches.is_empty() {
        section.heading("Switches: readings of rules that AWS leaves open");
        section.list(switches);
    }
    Ok(section)
}

fn row(line: &LineItem, home: &str, book: usize) -> [Cell; 8] {
    let exact = |text: String, exact: String| Cell { text, exact: Some(exact) };
    let quantity = line.quantity.to_string();
    let published = &line.published;
    [
        Cell::from(match &line.subject.region {
            region if region == home => what_of(line, home),
            region => format!("{}, {region}", what_of(line, region)),
        }),
        Cell::from(usage_name(line)),
        exact(group_thousands(&quantity), quantity),
        Cell::from(line.usage_type.unit()),
        exact(format!("${}", published.rate), published.rate.to_string()),
        Cell::from(line.amount),
        Cell::from(format!("{} [{book}]", published.effective_from)),
        Cell::from(line.because.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    ]
}
