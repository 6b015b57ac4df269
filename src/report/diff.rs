//! What a design change costs, for people and machines.

use super::document::{Body, Document, Entry, Note};
use super::estimate::{conventions, headline, once_parts, usage_name_of, what_is};
use super::json::diff::diff_json;
use super::present::Present;
use super::render::csv;
use super::render::text::{clean, signed};
use crate::diff::{ChangedLine, Difference, Side, TotalChange};
use crate::money::MoneyError;
use crate::pricing::Unknown;
use crate::units::group_thousands;

const LINE_HEADER: [&str; 6] = [
    "What",
    "Usage type",
    "Before",
    "After",
    "Difference",
    "Quantity",
];
const TABLE_HEADER: [&str; 2] = ["Table", "Difference"];

impl Present for Difference {
    fn document(&self) -> Result<Document, MoneyError> {
        let mut document = Document::new(summary(self)?);
        for (label, outcome) in [("before:", &self.old), ("after:", &self.new)] {
            let lines = vec![headline(outcome)?, conventions(outcome)];
            document.notes.push(Note::Labelled(label, lines));
        }
        if self.tables.len() > 1 {
            document.table("By table", &TABLE_HEADER, table_rows(self), &[1]);
        }
        let lines = line_rows(self);
        document.table("Lines that changed", &LINE_HEADER, lines, &[2, 3, 4]);
        document.part("Why", why(self));
        let unchanged = format!("Unchanged lines: {}.", self.unchanged);
        document.part("", Body::Paragraph(unchanged));
        let unknown = |list: &[Unknown]| {
            let words =
                |one: &Unknown| format!("{}: {}: {}", one.subject.table_name(), one.what, one.why);
            Body::List(list.iter().map(words).collect())
        };
        if let Some((before, after)) = self.once_of_designs()? {
            let text = format!(
                "Paid once by each design, not added to the month: {} before, {} after.",
                before.human(),
                after.human()
            );
            document.part("", Body::Paragraph(text));
        }
        once_parts(&mut document, &self.once.bill, &self.new.region)?;
        let free = Body::List(self.once.free.clone());
        document.part("Once, without charge", free);
        document.warning("New warnings", Body::List(self.new_warnings.clone()));
        let title = "Newly unknown (not included in any total)";
        document.warning(title, unknown(&self.newly_unknown));
        document.warning("No longer unknown", unknown(&self.no_longer_unknown));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        diff_json(self)
    }

    fn csv(&self) -> String {
        diff_csv(self)
    }
}

/// Why lines changed.
fn why(difference: &Difference) -> Body {
    let explained = || difference.lines.iter().filter(|line| !line.why.is_empty());
    let head = |line: &ChangedLine| {
        let what = what(line, difference);
        format!(
            "{} / {what}: {}",
            line.subject.table_name(),
            signed(line.delta)
        )
    };
    let entry = |line: &ChangedLine| Entry {
        mark: String::new(),
        head: head(line),
        details: line.why.clone(),
    };
    let item = |line: &ChangedLine| format!("{}: {}", head(line), line.why.join("; "));
    let list = Body::List(explained().map(item).collect());
    Body::Entries(explained().map(entry).collect(), Box::new(list))
}

/// The lines that changed as CSV, exact.
fn diff_csv(difference: &Difference) -> String {
    let header = [
        "table",
        "index",
        "region",
        "access",
        "usage_type",
        "unit",
        "old_quantity",
        "old_rate_usd",
        "old_amount_usd",
        "new_quantity",
        "new_rate_usd",
        "new_amount_usd",
        "delta_usd",
        "why",
    ];
    let side = |side: Option<Side>| match side {
        Some(side) => [
            side.quantity.to_string(),
            side.rate.to_string(),
            side.amount.to_string(),
        ],
        None => [String::new(), String::new(), String::new()],
    };
    let row = |line: &ChangedLine| {
        let subject = line.subject.clone();
        let place = [
            subject.table.unwrap_or_default(),
            subject.index.unwrap_or_default(),
            subject.region,
            subject.access.unwrap_or_default(),
        ];
        let usage = [line.usage_type.name(), line.usage_type.unit().to_string()];
        let end = [line.delta.to_string(), line.why.join("; ")];
        [
            place.to_vec(),
            usage.to_vec(),
            side(line.old).to_vec(),
            side(line.new).to_vec(),
            end.to_vec(),
        ]
        .concat()
    };
    csv::write(
        &header,
        &difference.lines.iter().map(row).collect::<Vec<_>>(),
    )
}

fn summary(difference: &Difference) -> Result<String, MoneyError> {
    let (old, new) = (difference.old.total()?, difference.new.total()?);
    let name = clean(&difference.new.workload);
    Ok(match difference.change() {
        TotalChange::Known(delta) => {
            let percent = delta
                .percent_of(old)
                .map(|percent| format!(", {percent:+.1} %"))
                .unwrap_or_default();
            let both = if difference.new.bill.unknown.is_empty() {
                ""
            } else {
                "; costs unknown in both are left out"
            };
            format!(
                "{name}: from {} to {} a month ({}{percent}){both}",
                old.human(),
                new.human(),
                signed(delta)
            )
        }
        TotalChange::Unknown => format!(
            "{name}: change unknown; the known costs change from {} to {} a month ({})",
            old.human(),
            new.human(),
            signed(difference.delta)
        ),
    })
}

fn what(line: &ChangedLine, difference: &Difference) -> String {
    what_is(&line.subject, &line.usage_type, &difference.new.region)
}

fn table_rows(difference: &Difference) -> Vec<Vec<String>> {
    let words = |table: &str, delta| match difference.change_of(table, delta) {
        TotalChange::Known(delta) => signed(delta),
        TotalChange::Unknown => "unknown".to_string(),
    };
    difference
        .tables
        .iter()
        .map(|(table, delta)| vec![table.clone(), words(table, *delta)])
        .collect()
}

fn line_rows(difference: &Difference) -> Vec<Vec<String>> {
    let amount =
        |side: Option<Side>| side.map_or_else(|| "-".to_string(), |side| side.amount.human());
    let quantity = |side: Option<Side>| {
        side.map_or_else(
            || "none".to_string(),
            |side| group_thousands(&side.quantity.to_string()),
        )
    };
    let several = difference.tables.len() > 1;
    let row = |line: &ChangedLine| {
        let place = if several {
            format!("{} / ", line.subject.table_name())
        } else {
            String::new()
        };
        vec![
            format!("{place}{}", what(line, difference)),
            usage_name_of(&line.usage_type),
            amount(line.old),
            amount(line.new),
            signed(line.delta),
            format!(
                "{} to {} {}",
                quantity(line.old),
                quantity(line.new),
                line.usage_type.unit()
            ),
        ]
    };
    difference.lines.iter().map(row).collect()
}
