//! Reads bills: files in parallel, each in bounded memory.

use std::collections::BTreeMap;
use std::io::{BufRead, Cursor, Read, Seek};
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::MultiGzDecoder;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::billed::{AwsBill, RowCounts};
use super::duplicates::RowsRead;
use super::part::{Oddities, Part};
use super::reading::{Detail, FORMATS, ReadBill, Reading, not_a_bill, too_large};
use super::values::Month;
use super::{BillError, console, csv, explorer, folder};
use crate::files::{FileSource, Progress, Whole, decompressed, open, why};

/// What identifies a zip archive, a Parquet file and a PDF.
const ZIP: &[u8] = b"PK\x03\x04";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const PARQUET: &[u8] = b"PAR1";
const PDF: &[u8] = b"%PDF";

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

/// Formats whose rows are sums of groups.
const GROUPED: [&str; 2] = [
    "answer of Cost Explorer",
    "CSV of the Cost Explorer console",
];

/// The file that covers a month of an account, with its formats and the seconds of its rows.
type CoveredBy = (String, Vec<&'static str>, u64);

/// Which months of which accounts are covered, and how.
#[derive(Default)]
struct Covered(BTreeMap<(Month, String), CoveredBy>);

impl Covered {
    /// Records what a file covers; an error if another format, or rows of another length, cover it
    /// already: the same usage would count twice.
    fn take(&mut self, part: &Part, file: &str) -> Result<(), BillError> {
        let formats: Vec<&'static str> = part.formats.iter().copied().collect();
        for ((month, account), seconds) in &part.intervals {
            // A usage type without usage in most hours may have no hourly row in a file.
            let length = |seconds: u64| match seconds {
                0..=3_600 => "hour",
                3_601..=86_400 => "day",
                _ => "month",
            };
            // Costs of one account may be grouped without it.
            let other = self.0.iter().find(|((other, of), _)| {
                other == month && (of == account || of.is_empty() || account.is_empty())
            });
            if let Some((_, (first, known, other))) = other {
                let is_same = *known == formats && length(*seconds) == length(*other);
                if !is_same {
                    let message = format!(
                        "covers {month} by the {} as {}, which {first} covers by the {} as {}: the same \
                         usage would count twice",
                        length(*seconds),
                        formats.join(", "),
                        length(*other),
                        known.join(", ")
                    );
                    return Err(BillError::file(file, message)
                        .help("give one of them; the one by the hour says more"));
                }
            }
            let own = (file.to_string(), formats.clone(), *seconds);
            self.0.entry((*month, account.clone())).or_insert(own);
        }
        Ok(())
    }
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
    let mut covered = Covered::default();
    for (at, mut part) in parts.into_iter().enumerate() {
        formats.extend(part.formats.iter().copied());
        let known = (part.contents, part.counts.read);
        let first = contents.get(&known).filter(|_| part.counts.read > 0);
        if let Some(first) = first {
            notes.push(format!(
                "{} has the same rows as {} and was not counted again.",
                bill.files[at], bill.files[*first]
            ));
            if !part.has_ids {
                let rows = part.counts.read;
                bill.rows.add(&RowCounts {
                    read: rows,
                    duplicates: rows,
                    ..RowCounts::default()
                });
                continue;
            }
            // Each of its rows that are kept was counted once already, here or there.
            part.counts.duplicates += std::mem::take(&mut part.counts.other_services);
        }
        contents.entry(known).or_insert(at);
        bill.rows.add(&part.counts);
        oddities.add(&part.oddities);
        for note in &part.notes {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        let file = bill.files[at].clone();
        covered.take(&part, &file)?;
        let has_groups = part.formats.iter().any(|format| GROUPED.contains(format));
        let twice = part
            .into_lines(&mut lines)
            .ok_or_else(|| too_large(&file))?;
        if let Some((head, _)) = twice.filter(|_| has_groups) {
            let message = format!(
                "has costs of {} in {} that another file has as well",
                head.usage_type, head.month
            );
            return Err(BillError::file(&file, message).help(
                "give one answer for each period: Cost Explorer does not say which costs are the same",
            ));
        }
    }
    bill.lines = lines.into_values().collect();
    bill.formats = formats.into_iter().collect();
    Ok(oddities)
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
        "row has no amortised cost, or zero for what is not free,",
        "rows have no amortised cost, or zero for what is not free,",
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

/// The bytes of a file that tell whether it is a bill.
const BEGINNING: u64 = 1 << 16;

/// Whether a file is a bill, also in gzip, zip or Parquet.
pub fn is_bill(bytes: &[u8]) -> bool {
    let mut beginning = Vec::new();
    if bytes.starts_with(b"\x1f\x8b") {
        let packed = MultiGzDecoder::new(bytes).take(BEGINNING);
        // A cut file still has its beginning.
        let _ = { packed }.read_to_end(&mut beginning);
        return is_text_of_a_bill(&beginning);
    }
    if bytes.starts_with(ZIP) {
        let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
            return false;
        };
        let Ok(entry) = archive.by_index(0) else {
            return false;
        };
        let _ = entry.take(BEGINNING).read_to_end(&mut beginning);
        return is_text_of_a_bill(&beginning);
    }
    if bytes.starts_with(PARQUET) {
        let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
        return has(b"line_item_usage_type")
            || has(b"lineItem/UsageType")
            || has(b"ChargeCategory");
    }
    is_text_of_a_bill(bytes)
}

fn is_text_of_a_bill(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(BEGINNING as usize)]);
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
        if start.starts_with(EMPTY_ZIP) {
            return Err(BillError::file(&name, "is an empty zip archive").help(FORMATS));
        }
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
        text: impl Read,
        part: &mut Part,
    ) -> Result<(), BillError> {
        let read = Whole::read(source, ZIP, text).map_err(|error| {
            let message = format!("is a zip archive that cannot be read: {error}");
            BillError::file(name, message)
        })?;
        match read {
            Whole::File(file) => self.archive(name, std::io::BufReader::new(file), part),
            Whole::Bytes(bytes) => self.archive(name, Cursor::new(bytes), part),
        }
    }

    fn archive(
        &self,
        name: &str,
        file: impl Read + Seek + Send,
        part: &mut Part,
    ) -> Result<(), BillError> {
        let wrong = |error: zip::result::ZipError| {
            BillError::file(
                name,
                format!("is a zip archive that cannot be read: {error}"),
            )
        };
        let mut archive = zip::ZipArchive::new(file).map_err(wrong)?;
        let mut contents: Vec<(u64, u64)> = Vec::new();
        let mut bills = 0;
        for at in 0..archive.len() {
            let entry = archive.by_index(at).map_err(wrong)?;
            let inner = entry.name().map_err(wrong)?.into_owned();
            let base = inner
                .rsplit('/')
                .next()
                .unwrap_or(&inner)
                .to_ascii_lowercase();
            let is_beside = inner.starts_with("__MACOSX/")
                || base.starts_with('.')
                || base.ends_with("manifest.json");
            if !entry.is_file() || is_beside {
                continue;
            }
            bills += 1;
            let name = format!("{name}/{inner}");
            let before = (part.contents, part.counts.read);
            let text = decompressed(Box::new(entry))
                .map_err(|error| BillError::file(&name, why(&error)))?;
            self.text(&name, text, part)?;
            let own = (
                part.contents.wrapping_sub(before.0),
                part.counts.read - before.1,
            );
            if !part.has_ids && contents.contains(&own) {
                let message = "has the same rows as another file of the archive";
                return Err(BillError::file(&name, message).help("remove one of them"));
            }
            contents.push(own);
        }
        if bills == 0 {
            return Err(BillError::file(name, "is a zip archive without a bill").help(FORMATS));
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
        let file = Whole::read(source, PARQUET, text).map_err(|error| {
            let message = format!("is Parquet that cannot be read: {error}");
            BillError::file(name, message)
        })?;
        let read = || super::parquet::read(self, file, name, part);
        crate::guard::guarded(read).unwrap_or_else(|why| {
            let message = format!("is Parquet that cannot be read: {why}");
            Err(BillError::file(name, message))
        })
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
        let has_mark = start.starts_with(b"\xef\xbb\xbf");
        let plain = if has_mark { &start[3..] } else { start };
        let first = plain
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
            .copied();
        let is_pdf = start.starts_with(PDF);
        if has_mark {
            text.consume(3);
        }
        match first {
            None => Err(BillError::file(name, "is empty").help(FORMATS)),
            _ if is_pdf => Err(BillError::file(
                name,
                "is a PDF, whose amounts are rounded to cents and whose tables cannot be read \
                 reliably",
            )
            .help(
                "export the same month as CSV: Billing and Cost Management, Cost Explorer, group by \
                 Usage type, Download as CSV; or create a Cost and Usage Report",
            )),
            Some(b'{') => explorer::read(self, name, text, part),
            Some(b'[') => Err(not_a_bill(name, "it is a list in JSON")),
            _ => csv::read(self, name, text, part),
        }
    }
}
