//! Reads bills: files in parallel, each in bounded memory.

use std::collections::BTreeMap;
use std::io::{BufRead, Cursor, Read, Seek};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::billed::{AwsBill, RowCounts};
use super::columns::{Cells, Columns, Field};
use super::duplicates::{RowsRead, Seen, hash_of};
use super::part::{Oddities, Part};
use super::row::{Taken, WrongCell, row};
use super::values::Month;
use super::{BillError, console, csv, explorer, folder};
use crate::files::{FileSource, Progress, open, why};

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
    rows: RowsRead,
    progress: &'a Progress,
    stop: &'a AtomicBool,
}

/// Rows between two looks at the progress and at Ctrl-C.
const ROWS_BETWEEN_LOOKS: u64 = 4_096;

/// What identifies a zip archive, a Parquet file and a PDF.
const ZIP: &[u8] = b"PK\x03\x04";
const PARQUET: &[u8] = b"PAR1";
const PDF: &[u8] = b"%PDF";

/// The text of an error after Ctrl-C.
const STOPPED: &str = "stopped before the end";

/// What a user can do about a file that is no bill.
const FORMATS: &str = "bills are read as Cost and Usage Reports (CSV, zip, gzip or Parquet), FOCUS \
                       exports, answers of `aws ce get-cost-and-usage`, CSV files of the Cost \
                       Explorer console, usage reports, and detailed billing reports (docs/bills.md)";

/// Reads bills.
///
/// # Errors
/// [`BillError`] if a file is no bill, if a row cannot be read, if two versions of a row differ, or
/// if nothing is left of the month or accounts that are asked for.
pub fn read(
    arguments: &[String],
    asked: &ReadBill,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<AwsBill, BillError> {
    let (sources, mut notes) = folder::files(arguments)?;
    for source in &sources {
        if let FileSource::File(path) = source {
            let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
            progress.total.fetch_add(bytes, Ordering::Relaxed);
        }
    }
    let files: Vec<String> = sources.iter().map(FileSource::shown).collect();
    let reading = Reading {
        asked,
        files: &files,
        rows: RowsRead::new(),
        progress,
        stop,
    };
    let parts: Vec<Result<Part, BillError>> = sources
        .par_iter()
        .enumerate()
        .map(|(at, source)| reading.file(at, source))
        .collect();
    let mut problems = Vec::new();
    let mut help = None;
    let mut whole = Vec::new();
    for part in parts {
        match part {
            Ok(part) => whole.push(part),
            Err(error) => {
                problems.extend(error.problems);
                help = help.or(error.help);
            }
        }
    }
    problems.dedup();
    if !problems.is_empty() {
        return Err(BillError { problems, help });
    }
    let mut bill = AwsBill {
        files: files.clone(),
        ..AwsBill::default()
    };
    let oddities = join(&mut bill, whole, &mut notes)?;
    bill.notes = notes;
    bill.notes.extend(notes_of(&bill.rows, &oddities));
    if bill.lines.is_empty() {
        return Err(nothing(&bill, asked));
    }
    Ok(bill)
}

/// Joins the parts in the order of their files. Copies of files whose rows have no IDs count once.
fn join(
    bill: &mut AwsBill,
    parts: Vec<Part>,
    notes: &mut Vec<String>,
) -> Result<Oddities, BillError> {
    let mut lines = BTreeMap::new();
    let mut oddities = Oddities::default();
    let mut contents: BTreeMap<(u64, u64), usize> = BTreeMap::new();
    let mut formats = std::collections::BTreeSet::new();
    for (at, part) in parts.into_iter().enumerate() {
        formats.extend(part.formats.iter().copied());
        let known = (part.contents, part.counts.read);
        if !part.has_ids && part.counts.read > 0 {
            if let Some(first) = contents.get(&known) {
                let rows = part.counts.read;
                bill.rows.add(&RowCounts {
                    read: rows,
                    duplicates: rows,
                    ..RowCounts::default()
                });
                notes.push(format!(
                    "{} has the same rows as {} and was not counted again.",
                    bill.files[at], bill.files[*first]
                ));
                continue;
            }
            contents.insert(known, at);
        }
        bill.rows.add(&part.counts);
        oddities.add(&part.oddities);
        for note in &part.notes {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        let file = &bill.files[at];
        part.into_lines(&mut lines).ok_or_else(|| too_large(file))?;
    }
    bill.lines = lines.into_values().collect();
    bill.formats = formats.into_iter().collect();
    Ok(oddities)
}

fn too_large(file: &str) -> BillError {
    BillError::file(file, "a sum of its amounts needs more than 28 digits")
}

/// What a reader of the bill should know.
fn notes_of(rows: &RowCounts, oddities: &Oddities) -> Vec<String> {
    let mut notes = Vec::new();
    let mut count = |count: u64, one: &str, several: &str, rest: &str| match count {
        0 => (),
        1 => notes.push(format!("1 {one} {rest}")),
        count => notes.push(format!("{count} {several} {rest}")),
    };
    count(
        rows.duplicates,
        "row was read twice, with the same ID and interval, and",
        "rows were read twice, with the same IDs and intervals, and",
        "counted once.",
    );
    count(
        rows.totals,
        "row repeats a total and was",
        "rows repeat totals and were",
        "left out.",
    );
    count(
        oddities.negative,
        "row of usage has a negative quantity:",
        "rows of usage have negative quantities:",
        "they are counted as they are written.",
    );
    count(
        oddities.otherwise_rated,
        "row costs",
        "rows cost",
        "something else than quantity × rate, as in reports by day or month, where AWS sums hours \
         that are rounded.",
    );
    count(
        oddities.not_amortised,
        "row has no amortised cost, or one of zero that cannot be,",
        "rows have no amortised cost, or one of zero that cannot be,",
        "so that the amortised total is unknown.",
    );
    count(
        oddities.unlisted,
        "row has no list price,",
        "rows have no list price,",
        "so that the total at list price is unknown.",
    );
    count(
        oddities.other_types,
        "row is a line item of a type that is not known;",
        "rows are line items of types that are not known;",
        "they count as charges, but not as usage.",
    );
    notes
}

/// Why no charge is left.
fn nothing(bill: &AwsBill, asked: &ReadBill) -> BillError {
    let files = match bill.files.as_slice() {
        [file] => file.clone(),
        files => format!("{} files", files.len()),
    };
    if bill.rows.not_asked > 0 {
        let month = asked.month.map(|month| format!(" in {month}"));
        let accounts = match asked.accounts.as_slice() {
            [] => String::new(),
            accounts => format!(" of account {}", accounts.join(" or ")),
        };
        let message = format!(
            "has no charge for DynamoDB{}{accounts}; its {} rows for DynamoDB are of other months or \
             accounts",
            month.unwrap_or_default(),
            bill.rows.not_asked
        );
        return BillError::file(&files, message)
            .help("run `dynameter reconcile` without --month and --account to see what it has");
    }
    let message = format!(
        "has no charge for DynamoDB: {} rows were read, {} of them of other services",
        bill.rows.read, bill.rows.other_services
    );
    BillError::file(&files, message).help(
        "check that the file is the bill of the account or payer that uses DynamoDB, and that its \
         export is not filtered to other services",
    )
}

/// Whether bytes at the beginning of a file are those of a bill.
pub fn is_bill(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 16)]);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        return text.contains("\"ResultsByTime\"");
    }
    let header = text.lines().next().unwrap_or_default();
    let cells: Vec<&str> = header
        .split(',')
        .map(|cell| cell.trim_matches('"'))
        .collect();
    super::columns::Format::of(&cells).is_some() || console::is_header(&cells)
}

impl Reading<'_> {
    fn file(&self, at: usize, source: &FileSource) -> Result<Part, BillError> {
        let name = source.shown();
        let mut text =
            open(source, self.progress).map_err(|error| BillError::file(&name, why(&error)))?;
        let mut part = Part::new(match self.asked.detail {
            Detail::Day => 86_400,
            Detail::Hour => 3_600,
        });
        part.file = u16::try_from(at).unwrap_or(u16::MAX);
        let start = text
            .fill_buf()
            .map_err(|error| BillError::file(&name, why(&error)))?;
        if start.starts_with(ZIP) {
            self.zip(source, &name, text, &mut part)?;
        } else if start.starts_with(PARQUET) {
            self.parquet(source, &name, text, &mut part)?;
        } else {
            self.text(&name, text, &mut part)?;
        }
        Ok(part)
    }

    /// Every file in a zip archive.
    fn zip(
        &self,
        source: &FileSource,
        name: &str,
        mut text: impl Read,
        part: &mut Part,
    ) -> Result<(), BillError> {
        let wrong = |error: &dyn std::fmt::Display| {
            BillError::file(
                name,
                format!("is a zip archive that cannot be read: {error}"),
            )
        };
        match source {
            FileSource::File(path) => {
                let file = crate::opened::open(path).map_err(|error| wrong(&error))?;
                self.archive(name, std::io::BufReader::new(file), part)
            }
            FileSource::Stdin => {
                let mut bytes = Vec::new();
                text.read_to_end(&mut bytes)
                    .map_err(|error| wrong(&error))?;
                self.archive(name, Cursor::new(bytes), part)
            }
        }
    }

    fn archive(
        &self,
        name: &str,
        file: impl Read + Seek,
        part: &mut Part,
    ) -> Result<(), BillError> {
        let wrong = |error: zip::result::ZipError| {
            BillError::file(
                name,
                format!("is a zip archive that cannot be read: {error}"),
            )
        };
        let mut archive = zip::ZipArchive::new(file).map_err(wrong)?;
        for at in 0..archive.len() {
            let entry = archive.by_index(at).map_err(wrong)?;
            if entry.is_file() {
                let name = format!("{name}/{}", entry.name().map_err(wrong)?);
                self.text(
                    &name,
                    std::io::BufReader::with_capacity(1 << 17, entry),
                    part,
                )?;
            }
        }
        Ok(())
    }

    #[cfg(feature = "replay")]
    fn parquet(
        &self,
        source: &FileSource,
        name: &str,
        text: impl Read,
        part: &mut Part,
    ) -> Result<(), BillError> {
        super::parquet::read(self, source, name, text, part)
    }

    #[cfg(not(feature = "replay"))]
    fn parquet(
        &self,
        _: &FileSource,
        name: &str,
        _: impl Read,
        _: &mut Part,
    ) -> Result<(), BillError> {
        Err(
            BillError::file(name, "is Parquet, which this binary was built without").help(
                "build one that reads it with `cargo build --release --features replay` (it takes \
                 minutes to compile), or export the bill as CSV",
            ),
        )
    }

    /// A CSV or JSON file.
    fn text(&self, name: &str, mut text: impl BufRead, part: &mut Part) -> Result<(), BillError> {
        let start = text
            .fill_buf()
            .map_err(|error| BillError::file(name, why(&error)))?;
        let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => Err(BillError::file(name, "is empty").help(FORMATS)),
            _ if start.starts_with(PDF) => Err(BillError::file(
                name,
                "is a PDF, whose amounts are rounded to cents and whose tables cannot be read \
                 reliably",
            )
            .help(
                "export the same month as CSV: Billing and Cost Management, Cost Explorer, group by \
                 Usage type, Download as CSV; or create a Cost and Usage Report",
            )),
            Some(b'{') => explorer::read(self, name, text, part),
            _ => csv::read(self, name, text, part),
        }
    }

    /// Takes the row of a tabular bill, or counts why not.
    pub fn take(
        &self,
        cells: &impl Cells,
        columns: &Columns,
        part: &mut Part,
    ) -> Result<(), WrongRow> {
        part.counts.read += 1;
        if part.counts.read.is_multiple_of(ROWS_BETWEEN_LOOKS) {
            self.look()?;
        }
        let id = cells.text(Field::Id);
        if id.is_empty() {
            let all = [
                Field::Start,
                Field::Account,
                Field::UsageType,
                Field::Sku,
                Field::Resource,
                Field::Quantity,
                Field::Billed,
                Field::ChargeType,
            ];
            let row = all.map(|field| cells.text(field).into_owned());
            part.contents = part.contents.wrapping_add(hash_of(row));
        } else {
            part.has_ids = true;
            let contents = hash_of([
                cells.text(Field::UsageType),
                cells.text(Field::Product),
                cells.text(Field::Quantity),
                cells.text(Field::Billed),
                cells.text(Field::ChargeType),
                cells.text(Field::Resource),
            ]);
            match self.rows.see(
                hash_of([id, cells.text(Field::Interval)]),
                contents,
                part.file,
            ) {
                Seen::New => (),
                Seen::Before => {
                    part.counts.duplicates += 1;
                    return Ok(());
                }
                Seen::Differently(file) => return Err(WrongRow::TwoVersions(file)),
            }
        }
        match row(cells, columns.format)? {
            Taken::OtherService => part.counts.other_services += 1,
            Taken::Total => part.counts.totals += 1,
            Taken::Row(row) => {
                let asked = self.asked;
                let is_asked = asked.month.is_none_or(|month| month == row.month)
                    && (asked.accounts.is_empty()
                        || asked.accounts.iter().any(|one| *one == row.account));
                if is_asked {
                    part.add(&row).ok_or(WrongRow::TooLarge)?;
                } else {
                    part.counts.not_asked += 1;
                }
            }
        }
        Ok(())
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
            problems.push(format!(
                "{name}:{row}: {other} has this row with other amounts: the files hold two versions \
                 of the same bill{}",
                more(count)
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
        Err(BillError { problems, help })
    }
}

/// The error for a table or a JSON file that is no bill.
pub(super) fn not_a_bill(name: &str, found: &str) -> BillError {
    BillError::file(name, format!("is not a bill of AWS: {found}")).help(FORMATS)
}
