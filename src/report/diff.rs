//! What a design change costs, for people and machines.

use serde::Serialize;

use super::estimate::{conventions, headline, usage_name_of, what_is};
use super::json::pretty;
use super::table::{Style, aligned, clean, indented, signed};
use super::{csv, markdown};
use crate::diff::{ChangedLine, Difference, Side, TotalChange};
use crate::money::MoneyError;
use crate::outcome::Outcome;
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

/// A difference as aligned text.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn diff_text(difference: &Difference, style: Style) -> Result<String, MoneyError> {
    let mut text = format!("{}\n", style.strong(&summary(difference)?));
    text += &style.quiet(&format!(
        "before: {}\n        {}\n",
        headline(&difference.old)?,
        conventions(&difference.old)
    ));
    text += &style.quiet(&format!(
        "after:  {}\n        {}\n",
        headline(&difference.new)?,
        conventions(&difference.new)
    ));
    if difference.tables.len() > 1 {
        text += &format!("\n{}\n", style.strong("By table"));
        text += &indented(&aligned(&TABLE_HEADER, &table_rows(difference), &[1]));
    }
    if !difference.lines.is_empty() {
        text += &format!("\n{}\n", style.strong("Lines that changed"));
        text += &indented(&aligned(&LINE_HEADER, &line_rows(difference), &[2, 3, 4]));
        text += &format!("\n{}\n", style.strong("Why"));
        for line in difference.lines.iter().filter(|line| !line.why.is_empty()) {
            text += &format!(
                "  {} / {}: {}\n",
                clean(&line.subject.table),
                clean(&what(line, difference)),
                signed(line.delta)
            );
            text += &line
                .why
                .iter()
                .map(|why| format!("    {}\n", clean(why)))
                .collect::<String>();
        }
    }
    text += &format!("\nUnchanged lines: {}.\n", difference.unchanged);
    for (title, list) in unknowns(difference) {
        if !list.is_empty() {
            text += &format!("\n{}\n", style.warning(title));
            text += &list
                .iter()
                .map(|item| format!("  - {}\n", clean(item)))
                .collect::<String>();
        }
    }
    Ok(text)
}

/// A difference as Markdown.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn diff_markdown(difference: &Difference) -> Result<String, MoneyError> {
    let mut text = format!("## {}\n\n", markdown::escape(&summary(difference)?));
    text += &format!(
        "- before: {}, {}\n",
        markdown::escape(&headline(&difference.old)?),
        conventions(&difference.old)
    );
    text += &format!(
        "- after: {}, {}\n",
        markdown::escape(&headline(&difference.new)?),
        conventions(&difference.new)
    );
    if difference.tables.len() > 1 {
        text += &format!(
            "\n{}",
            markdown::table(&TABLE_HEADER, &table_rows(difference), &[1])
        );
    }
    if !difference.lines.is_empty() {
        text += &format!(
            "\n### Lines that changed\n\n{}",
            markdown::table(&LINE_HEADER, &line_rows(difference), &[2, 3, 4])
        );
        let why = |line: &ChangedLine| {
            let head = format!(
                "{} / {}: {}",
                line.subject.table,
                what(line, difference),
                signed(line.delta)
            );
            format!("{head}: {}", line.why.join("; "))
        };
        let list: Vec<String> = difference
            .lines
            .iter()
            .filter(|line| !line.why.is_empty())
            .map(why)
            .collect();
        text += &format!("\n### Why\n\n{}", markdown::list(&list));
    }
    text += &format!("\nUnchanged lines: {}.\n", difference.unchanged);
    for (title, list) in unknowns(difference) {
        if !list.is_empty() {
            text += &format!("\n### {title}\n\n{}", markdown::list(&list));
        }
    }
    Ok(text)
}

/// The lines that changed as CSV, exact.
pub fn diff_csv(difference: &Difference) -> String {
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
            subject.table,
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
            format!("{} / ", line.subject.table)
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

fn unknowns(difference: &Difference) -> [(&'static str, Vec<String>); 3] {
    let words = |list: &[Unknown]| {
        list.iter()
            .map(|one| format!("{}: {}: {}", one.subject.table, one.what, one.why))
            .collect()
    };
    [
        ("New warnings", difference.new_warnings.clone()),
        (
            "Newly unknown (not included in any total)",
            words(&difference.newly_unknown),
        ),
        ("No longer unknown", words(&difference.no_longer_unknown)),
    ]
}

#[derive(Serialize)]
struct DiffJson<'a> {
    schema: &'static str,
    old: DesignRow<'a>,
    new: DesignRow<'a>,
    /// `null` where something is unknown on one side only.
    delta_usd: Option<String>,
    /// The change of the known costs.
    known_delta_usd: String,
    tables: Vec<ChangedTableRow<'a>>,
    lines: Vec<ChangedLineRow<'a>>,
    unchanged_lines: usize,
    new_warnings: &'a [String],
    newly_unknown: Vec<ChangedUnknownRow<'a>>,
    no_longer_unknown: Vec<ChangedUnknownRow<'a>>,
}

#[derive(Serialize)]
struct DesignRow<'a> {
    workload: &'a str,
    region: &'a str,
    prices: String,
    month_hours: String,
    total_usd: String,
}

#[derive(Serialize)]
struct ChangedTableRow<'a> {
    table: &'a str,
    delta_usd: Option<String>,
    known_delta_usd: String,
}

#[derive(Serialize)]
struct ChangedLineRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    access: Option<&'a str>,
    usage_type: String,
    unit: &'static str,
    old: Option<SideRow>,
    new: Option<SideRow>,
    delta_usd: String,
    why: &'a [String],
}

#[derive(Serialize)]
struct SideRow {
    quantity: String,
    rate_usd: String,
    amount_usd: String,
}

#[derive(Serialize)]
struct ChangedUnknownRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    what: &'a str,
    why: &'a str,
}

/// A difference as JSON, `dynameter.diff/1`.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn diff_json(difference: &Difference) -> Result<String, MoneyError> {
    fn design(outcome: &Outcome) -> Result<DesignRow<'_>, MoneyError> {
        Ok(DesignRow {
            workload: &outcome.workload,
            region: &outcome.region,
            prices: outcome.prices.to_string(),
            month_hours: super::json::decimal(outcome.month.hours()),
            total_usd: outcome.total()?.to_string(),
        })
    }
    fn unknown(one: &Unknown) -> ChangedUnknownRow<'_> {
        ChangedUnknownRow {
            table: &one.subject.table,
            index: one.subject.index.as_deref(),
            what: &one.what,
            why: &one.why,
        }
    }
    let known = |change: TotalChange| match change {
        TotalChange::Known(delta) => Some(delta.to_string()),
        TotalChange::Unknown => None,
    };
    let side = |side: Side| SideRow {
        quantity: side.quantity.to_string(),
        rate_usd: side.rate.to_string(),
        amount_usd: side.amount.to_string(),
    };
    Ok(pretty(&DiffJson {
        schema: "dynameter.diff/1",
        old: design(&difference.old)?,
        new: design(&difference.new)?,
        delta_usd: known(difference.change()),
        known_delta_usd: difference.delta.to_string(),
        tables: difference
            .tables
            .iter()
            .map(|(table, delta)| ChangedTableRow {
                table,
                delta_usd: known(difference.change_of(table, *delta)),
                known_delta_usd: delta.to_string(),
            })
            .collect(),
        lines: difference
            .lines
            .iter()
            .map(|line| ChangedLineRow {
                table: &line.subject.table,
                index: line.subject.index.as_deref(),
                region: &line.subject.region,
                access: line.subject.access.as_deref(),
                usage_type: line.usage_type.name(),
                unit: line.usage_type.unit(),
                old: line.old.map(side),
                new: line.new.map(side),
                delta_usd: line.delta.to_string(),
                why: &line.why,
            })
            .collect(),
        unchanged_lines: difference.unchanged,
        new_warnings: &difference.new_warnings,
        newly_unknown: difference.newly_unknown.iter().map(unknown).collect(),
        no_longer_unknown: difference.no_longer_unknown.iter().map(unknown).collect(),
    }))
}
