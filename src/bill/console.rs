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
use super::explorer::{Charged, Dimension, Group, is_of_dynamodb};
use super::part::Part;
use super::reading::{Reading, WrongRow, not_a_bill};
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

/// What a user does about a file in another language.
const ENGLISH: &str = "switch the console to English (Unified settings, Language) and download the \
                       file again; numbers must have a decimal point";

/// A file of the console.
struct ConsoleFile<'a> {
    name: &'a str,
    header: &'a [&'a str],
    dimension: Dimension,
    /// The number of columns before that of the totals.
    groups: usize,
    /// Whether its lines are months.
    is_monthly: bool,
}

/// Reads the lines below a header.
pub(super) fn read(
    reading: &Reading<'_>,
    name: &str,
    header: &[&str],
    rows: impl Iterator<Item = Result<StringRecord, csv::Error>>,
    part: &mut Part,
) -> Result<(), BillError> {
    let Some(dimension) = Dimension::of_the_console(header[0]) else {
        let found = format!(
            "it is a file of the Cost Explorer console whose first column is {:?}; expected {}",
            header[0],
            Dimension::CONSOLE
                .map(|(name, _)| format!("{name:?}"))
                .join(", ")
        );
        return Err(BillError::file(name, found).help(ENGLISH));
    };
    part.formats.insert("CSV of the Cost Explorer console");
    let rows: Vec<StringRecord> = rows
        .collect::<Result<_, _>>()
        .map_err(|_| not_a_bill(name, "it is not CSV"))?;
    let has_total = header.last().is_some_and(|last| is_total(last));
    let starts: Vec<i64> = rows
        .iter()
        .filter_map(|row| second(row.get(0)?.trim()))
        .collect();
    // Lines of months have the first of each.
    let is_first =
        |start: &i64| Month::of(*start).is_some_and(|month| month.first_second() == *start);
    let file = ConsoleFile {
        name,
        header,
        dimension,
        groups: header.len() - usize::from(has_total),
        is_monthly: !starts.is_empty() && starts.iter().all(is_first),
    };
    if dimension == Dimension::UsageType {
        is_of_dynamodb(name, (1..file.groups).map(|column| file.key(column)))?;
    }
    file.lines(reading, &rows, part)
}

impl ConsoleFile<'_> {
    /// The key of a column's group.
    fn key(&self, column: usize) -> &str {
        self.header[column].trim_end_matches(DOLLARS).trim()
    }

    fn lines(
        &self,
        reading: &Reading<'_>,
        rows: &[StringRecord],
        part: &mut Part,
    ) -> Result<(), BillError> {
        let mut sums: Vec<Decimal> = vec![Decimal::ZERO; self.header.len()];
        let mut totals: Option<Vec<Decimal>> = None;
        for (at, row) in rows.iter().enumerate() {
            let place = format!("{}:{}", self.name, at + 2);
            let cells = self.amounts(row, &place)?;
            match second(row.get(0).unwrap_or_default().trim()) {
                Some(start) => {
                    for (column, cell) in cells.iter().enumerate() {
                        sums[column + 1] = exact_sum(sums[column + 1], *cell).unwrap_or_default();
                    }
                    self.line(reading, (row, start), &cells, part)
                        .map_err(|_| BillError::file(&place, "a sum needs more than 28 digits"))?;
                }
                // The line of totals is the first below the header.
                None if at == 0 => totals = Some(cells),
                None => {
                    let found = row.get(0).unwrap_or_default();
                    let message = format!("expected a day such as 2026-10-01, found {found:?}");
                    return Err(BillError::file(&place, message).help(ENGLISH));
                }
            }
        }
        let differs = |(at, total): (usize, &Decimal)| (*total != sums[at + 1]).then_some(at + 1);
        match totals.iter().flatten().enumerate().find_map(differs) {
            None => Ok(()),
            Some(column) => {
                let message = format!(
                    "the lines of {:?} sum to {}, which is not its total: the file is incomplete or \
                     was edited",
                    self.header[column], sums[column]
                );
                Err(BillError::file(self.name, message).help("download the file again"))
            }
        }
    }

    /// The amounts of a line; an empty cell is zero here.
    fn amounts(&self, row: &StringRecord, place: &str) -> Result<Vec<Decimal>, BillError> {
        let cells = row.iter().skip(1).map(|cell| match cell.trim() {
            "" => Some(Decimal::ZERO),
            cell => decimal(cell),
        });
        let cells: Option<Vec<Decimal>> = cells.collect();
        cells
            .filter(|cells| cells.len() + 1 == self.header.len())
            .ok_or_else(|| {
                BillError::file(place, "expected an amount in every column of the header")
                    .help(ENGLISH)
            })
    }

    /// Takes the groups of a line; an empty cell is no charge.
    fn line(
        &self,
        reading: &Reading<'_>,
        (row, start): (&StringRecord, i64),
        cells: &[Decimal],
        part: &mut Part,
    ) -> Result<(), WrongRow> {
        let seconds = match Month::of(start).filter(|_| self.is_monthly) {
            Some(month) => month.hours() * 3_600,
            None => 86_400,
        };
        let is_charge =
            |column: &usize| row.get(*column).is_some_and(|cell| !cell.trim().is_empty());
        for column in (1..self.groups).filter(is_charge) {
            let charged = Charged {
                start,
                seconds,
                charge: ChargeType::Usage,
                amounts: Amounts {
                    rows: 1,
                    quantity: None,
                    billed: Some(Money::billed(cells[column - 1])),
                    list: None,
                    net: None,
                    amortised: None,
                },
            };
            Group::of(&[(self.dimension, self.key(column))]).add(reading, part, charged)?;
        }
        Ok(())
    }
}
