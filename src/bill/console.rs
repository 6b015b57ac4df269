//! The CSV of the Cost Explorer console: one column for each group, one line for each day or month,
//! costs only.
//!
//! Source: real files that users quote: `"Service","EC2-Instances($)",…,"Total costs($)"`, then the
//! totals, then the days.

use csv::StringRecord;
use rust_decimal::Decimal;

use super::BillError;
use super::amounts::Amounts;
use super::charge::ChargeType;
use super::explorer::{Dimension, Group, is_of_dynamodb};
use super::part::Part;
use super::reading::{Reading, not_a_bill};
use super::values::{Month, decimal, second};
use crate::money::{Money, exact_sum};

/// What ends the name of each column.
const DOLLARS: &str = "($)";

/// Whether a column sums all others: `Total costs($)` or, in older files, `Total cost ($)`.
fn is_total(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| !c.is_whitespace()).collect();
    matches!(
        plain.to_ascii_lowercase().as_str(),
        "totalcosts($)" | "totalcost($)"
    )
}

/// Whether a header is one of the console, in any language.
pub(super) fn is_header(header: &[&str]) -> bool {
    header.len() >= 2 && header[1..].iter().all(|name| name.ends_with(DOLLARS))
}

/// Reads the lines below a header.
pub(super) fn read(
    reading: &Reading<'_>,
    name: &str,
    header: &[&str],
    rows: impl Iterator<Item = Result<StringRecord, csv::Error>>,
    part: &mut Part,
) -> Result<(), BillError> {
    let english = "switch the console to English (Unified settings, Language) and download the file \
                   again; numbers must have a decimal point";
    let Some(dimension) = Dimension::of_the_console(header[0]) else {
        let found = format!(
            "it is a file of the Cost Explorer console whose first column is {:?}; expected {}",
            header[0],
            Dimension::CONSOLE
                .map(|(name, _)| format!("{name:?}"))
                .join(", ")
        );
        return Err(BillError::file(name, found).help(english));
    };
    part.formats.insert("CSV of the Cost Explorer console");
    let has_total = header.last().is_some_and(|last| is_total(last));
    let groups = header.len() - usize::from(has_total);
    if dimension == Dimension::UsageType {
        let types = header[1..groups].iter();
        is_of_dynamodb(
            name,
            types.map(|column| column.trim_end_matches(DOLLARS).trim()),
        )?;
    }
    let mut sums: Vec<Decimal> = vec![Decimal::ZERO; header.len()];
    let mut totals: Option<Vec<Decimal>> = None;
    let rows: Vec<StringRecord> = rows
        .collect::<Result<_, _>>()
        .map_err(|_| not_a_bill(name, "it is not CSV"))?;
    let starts: Vec<i64> = rows
        .iter()
        .filter_map(|row| second(row.get(0)?.trim()))
        .collect();
    // Lines of months have the first of each.
    let is_monthly = !starts.is_empty()
        && starts
            .iter()
            .all(|start| Month::of(*start).is_some_and(|month| month.first_second() == *start));
    for (at, row) in rows.into_iter().enumerate() {
        let place = format!("{name}:{}", at + 2);
        let cells: Vec<Decimal> = row
            .iter()
            .skip(1)
            .map(|cell| match cell.trim() {
                "" => Some(Decimal::ZERO),
                cell => decimal(cell),
            })
            .collect::<Option<_>>()
            .filter(|cells: &Vec<Decimal>| cells.len() + 1 == header.len())
            .ok_or_else(|| {
                BillError::file(&place, "expected an amount in every column of the header")
                    .help(english)
            })?;
        let Some(start) = second(row.get(0).unwrap_or_default().trim()) else {
            // The line of totals is the first below the header.
            if at == 0 {
                totals = Some(cells);
                continue;
            }
            let found = row.get(0).unwrap_or_default();
            let message = format!("expected a day such as 2026-10-01, found {found:?}");
            return Err(BillError::file(&place, message).help(english));
        };
        let seconds = match Month::of(start).filter(|_| is_monthly) {
            Some(month) => month.hours() * 3_600,
            None => 86_400,
        };
        for (column, cell) in cells.iter().enumerate() {
            sums[column + 1] = exact_sum(sums[column + 1], *cell).unwrap_or_default();
        }
        for column in 1..groups {
            // An empty cell is no charge.
            if row.get(column).is_none_or(|cell| cell.trim().is_empty()) {
                continue;
            }
            let key = header[column].trim_end_matches(DOLLARS).trim();
            let group = Group::of(&[(dimension, key)]);
            let amounts = Amounts {
                rows: 1,
                quantity: None,
                billed: Some(Money::billed(cells[column - 1])),
                list: None,
                net: None,
                amortised: None,
            };
            let charge = ChargeType::Usage;
            group
                .add(reading, part, start, seconds, charge, amounts)
                .map_err(|_| BillError::file(&place, "a sum needs more than 28 digits"))?;
        }
    }
    let differs = |(at, total): (usize, &Decimal)| (*total != sums[at + 1]).then_some(at + 1);
    if let Some(column) = totals.iter().flatten().enumerate().find_map(differs) {
        let message = format!(
            "the lines of {:?} sum to {}, which is not its total: the file is incomplete or was edited",
            header[column], sums[column]
        );
        return Err(BillError::file(name, message).help("download the file again"));
    }
    Ok(())
}
