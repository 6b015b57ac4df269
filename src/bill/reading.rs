//! Takes the rows of all files: what readers share, and the mistakes of a file.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::BillError;
use super::columns::{Cells, Columns, Field};
use super::duplicates::{RowsRead, Seen, hash_of};
use super::part::Part;
use super::row::{Taken, WrongCell, row};
use super::values::{Month, decimal};
use crate::files::Progress;

/// In which intervals amounts are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// By day.
    #[default]
    Day,
    /// By hour, for profiles and traces.
    Hour,
}

/// How bills are read.
#[derive(Clone, Debug, Default)]
pub struct ReadBill {
    /// In which intervals amounts are kept.
    pub detail: Detail,
    /// The month to keep (default: all).
    pub month: Option<Month>,
    /// The accounts to keep (default: all).
    pub accounts: Vec<String>,
}

/// What the readers of all files share.
pub(super) struct Reading<'a> {
    pub asked: &'a ReadBill,
    /// The names of all files.
    pub files: &'a [String],
    pub rows: RowsRead,
    pub progress: &'a Progress,
    pub stop: &'a AtomicBool,
}

/// Rows between two looks at the progress and at Ctrl-C.
const ROWS_BETWEEN_LOOKS: u64 = 4_096;

/// The text of an error after Ctrl-C.
const STOPPED: &str = "stopped before the end";

/// What a user can do about a file that is no bill.
pub(super) const FORMATS: &str = "bills are read as Cost and Usage Reports (CSV, zip, gzip or Parquet), FOCUS \
                       exports, answers of `aws ce get-cost-and-usage`, CSV files of the Cost \
                       Explorer console, usage reports, and detailed billing reports (docs/bills.md)";

impl Reading<'_> {
    /// Takes the row of a tabular bill, or counts why not.
    pub fn take(
        &self,
        cells: &impl Cells,
        columns: &Columns,
        part: &mut Part,
    ) -> Result<(), WrongRow> {
        self.count(part, 1)?;
        part.see(digest(cells));
        self.keep(cells, columns, part)
    }

    /// The same for a row that is counted already.
    pub fn keep(
        &self,
        cells: &impl Cells,
        columns: &Columns,
        part: &mut Part,
    ) -> Result<(), WrongRow> {
        let row = match row(cells, columns.format)? {
            Taken::OtherService => {
                part.counts.other_services += 1;
                return Ok(());
            }
            Taken::Total => {
                part.counts.totals += 1;
                return Ok(());
            }
            Taken::Row(row) => row,
        };
        if cells.has(Field::Id) {
            part.has_ids = true;
            let key = key(cells);
            // Formats write the same number in several ways.
            let plain = |field: Field| {
                let text = cells.text(field);
                match decimal(&text) {
                    Some(number) => number.normalize().to_string(),
                    None => text.into_owned(),
                }
            };
            let contents = hash_of(CONTENTS.map(plain));
            match self.rows.see(key, contents, part.file) {
                Seen::New => (),
                Seen::Before => {
                    part.counts.duplicates += 1;
                    return Ok(());
                }
                Seen::Differently(file) => return Err(WrongRow::TwoVersions(file)),
            }
        }
        let asked = self.asked;
        let is_account = |one: &String| *one == row.account;
        let is_asked = asked.month.is_none_or(|month| month == row.month)
            && (asked.accounts.is_empty() || asked.accounts.iter().any(is_account));
        if !is_asked {
            part.counts.not_asked += 1;
            return Ok(());
        }
        part.add(&row).ok_or(WrongRow::TooLarge)
    }

    /// Counts rows that are read; an error after Ctrl-C.
    pub fn count(&self, part: &mut Part, rows: u64) -> Result<(), WrongRow> {
        let before = part.counts.read / ROWS_BETWEEN_LOOKS;
        part.counts.read += rows;
        match part.counts.read / ROWS_BETWEEN_LOOKS == before {
            true => Ok(()),
            false => self.look(),
        }
    }

    /// Shows the progress, and stops after Ctrl-C.
    pub fn look(&self) -> Result<(), WrongRow> {
        self.progress
            .rows
            .fetch_add(ROWS_BETWEEN_LOOKS, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) {
            return Err(WrongRow::Stopped);
        }
        Ok(())
    }
}

pub(super) fn too_large(file: &str) -> BillError {
    BillError::file(file, "a sum of its amounts needs more than 28 digits")
}

/// What tells whether two rows with one ID and interval are the same: all that is used of them.
const CONTENTS: [Field; 16] = [
    Field::UsageType,
    Field::Product,
    Field::Quantity,
    Field::Billed,
    Field::Net,
    Field::List,
    Field::Rate,
    Field::ListRate,
    Field::ChargeType,
    Field::Resource,
    Field::Effective,
    Field::UnusedUpfront,
    Field::UnusedRecurring,
    Field::PlanEffective,
    Field::PlanCommitment,
    Field::PlanUsed,
];

/// What a row is known by: its ID and interval. A row without an ID is known by all that it says.
fn key(cells: &impl Cells) -> u64 {
    let id = cells.text(Field::Id);
    let interval = cells.text(Field::Interval);
    let times = [cells.text(Field::Start), cells.text(Field::End)];
    match (id.is_empty(), interval.is_empty()) {
        (false, false) => hash_of([id, interval]),
        (false, true) => hash_of((id, times)),
        (true, _) => hash_of((
            CONTENTS.map(|field| cells.text(field)),
            (interval, times),
            [cells.text(Field::Account), cells.text(Field::Description)],
        )),
    }
}

/// A hash of a row, by which copies of whole files are recognised: of all that is used of it, if
/// its rows have no IDs.
pub(super) fn digest(cells: &impl Cells) -> u64 {
    let short = [
        cells.text(Field::Start),
        cells.text(Field::UsageType),
        cells.text(Field::Product),
        cells.text(Field::Billed),
    ];
    match cells.has(Field::Id) {
        true => hash_of(short),
        false => hash_of((
            short,
            CONTENTS.map(|field| cells.text(field)),
            [
                cells.text(Field::Account),
                cells.text(Field::Region),
                cells.text(Field::ProductName),
                cells.text(Field::Sku),
                cells.text(Field::Description),
                cells.text(Field::CommitmentStatus),
            ],
        )),
    }
}

/// Why a row cannot be taken.
pub(super) enum WrongRow {
    Cell(WrongCell),
    /// The row with its ID and interval in this file has other contents.
    TwoVersions(u16),
    TooLarge,
    Stopped,
}

impl From<WrongCell> for WrongRow {
    fn from(wrong: WrongCell) -> WrongRow {
        WrongRow::Cell(wrong)
    }
}

/// The mistakes in a file: each once, with its first row.
#[derive(Default)]
pub(super) struct Mistakes {
    cells: BTreeMap<(&'static str, &'static str), (u64, String, u64)>,
    /// The first row that another file has with other contents, that file, and how many there are.
    two_versions: Option<(u64, u16, u64)>,
}

impl Mistakes {
    /// Records a mistake; an error if reading cannot go on.
    pub fn add(&mut self, name: &str, row: u64, wrong: WrongRow) -> Result<(), BillError> {
        match wrong {
            WrongRow::Cell(cell) => {
                let first = (row, cell.found, 0);
                let known = self.cells.entry((cell.column, cell.expected));
                known.or_insert(first).2 += 1;
            }
            WrongRow::TwoVersions(file) => {
                self.two_versions.get_or_insert((row, file, 0)).2 += 1;
            }
            WrongRow::TooLarge => return Err(too_large(name)),
            WrongRow::Stopped => return Err(BillError::file(name, STOPPED)),
        }
        Ok(())
    }

    /// All mistakes of the file; an error if there are some.
    pub fn finish(self, name: &str, files: &[String]) -> Result<(), BillError> {
        let more = |count: u64| match count {
            0 | 1 => String::new(),
            2 => " (and in another row)".to_string(),
            count => format!(" (and in {} more rows)", count - 1),
        };
        let mut help = None;
        let mut problems = Vec::new();
        for ((column, expected), (row, found, count)) in self.cells {
            problems.push(format!(
                "{name}:{row}: {column}: expected {expected}, found {found:?}{}",
                more(count)
            ));
        }
        if let Some((row, file, count)) = self.two_versions {
            let other = files.get(usize::from(file)).map_or("", String::as_str);
            let rows = match count {
                1 => format!("row {row}"),
                count => format!("row {row} and {} more", count - 1),
            };
            problems.push(format!(
                "{name}: {rows} of it are in {other} as well, with the same IDs and intervals and other \
                 amounts: the files hold two versions of one bill"
            ));
            help = Some(
                "AWS writes a bill anew several times a day; name the files of one version, or a \
                 folder with the manifest of the report, which says what the newest are"
                    .to_string(),
            );
        }
        if problems.is_empty() {
            return Ok(());
        }
        let help = help.or_else(|| {
            Some(
                "bills are read as AWS delivers them; a spreadsheet program changes numbers and \
                 times when it saves them"
                    .to_string(),
            )
        });
        Err(BillError { problems, help })
    }
}

/// The error for a table or a JSON file that is no bill.
pub(super) fn not_a_bill(name: &str, found: &str) -> BillError {
    BillError::file(name, format!("is not a bill of AWS: {found}")).help(FORMATS)
}
