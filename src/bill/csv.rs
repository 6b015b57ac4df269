//! Tabular bills as CSV.

use std::borrow::Cow;
use std::io::BufRead;

use ::csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::columns::{Cells, Columns, Field, Format};
use super::part::Part;
use super::reading::{Mistakes, Reading, not_a_bill};
use super::{BillError, console};
use crate::files::why;

/// A row of a CSV file.
struct CsvCells<'a> {
    record: &'a ByteRecord,
    columns: &'a Columns,
}

impl Cells for CsvCells<'_> {
    fn text(&self, field: Field) -> Cow<'_, str> {
        let cell = self.columns.at(field).and_then(|at| self.record.get(at));
        cell.map_or(Cow::Borrowed(""), String::from_utf8_lossy)
    }

    fn has(&self, field: Field) -> bool {
        self.columns.has(field)
    }
}

/// Reads a CSV file of any format.
pub(super) fn read(
    reading: &Reading<'_>,
    name: &str,
    text: impl BufRead,
    part: &mut Part,
) -> Result<(), BillError> {
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text);
    let unreadable = |error: ::csv::Error| match error.into_kind() {
        ::csv::ErrorKind::Io(error) => BillError::file(name, why(&error)),
        _ => not_a_bill(name, "it is not CSV"),
    };
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(unreadable)?;
    let header = StringRecord::from_byte_record_lossy(record.clone());
    let header: Vec<&str> = header
        .iter()
        .map(|cell| cell.trim_start_matches('\u{feff}').trim())
        .collect();
    if console::is_header(&header) {
        let rows = reader.into_records();
        return console::read(reading, name, &header, rows, part);
    }
    let columns = columns(name, &header)?;
    part.formats.insert(columns.format.name());
    let mut mistakes = Mistakes::default();
    let mut number = 1;
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        number += 1;
        if record.len() != header.len() {
            let message = format!(
                "row {number} has {} of {} cells; the file is incomplete or was edited",
                record.len(),
                header.len()
            );
            return Err(BillError::file(name, message)
                .help("download the file again, and read it as AWS delivers it"));
        }
        let cells = CsvCells {
            record: &record,
            columns: &columns,
        };
        if let Err(wrong) = reading.take(&cells, &columns, part) {
            mistakes.add(name, number, wrong)?;
        }
    }
    mistakes.finish(name, reading.files)
}

/// The columns of a table, or why it is no bill.
pub(super) fn columns(name: &str, header: &[&str]) -> Result<Columns, BillError> {
    let Some(format) = Format::of(header) else {
        let first: Vec<String> = header
            .iter()
            .take(5)
            .map(|cell| format!("{:?}", cell.chars().take(40).collect::<String>()))
            .collect();
        let found = format!("its columns begin with {}", first.join(", "));
        return Err(not_a_bill(name, &found));
    };
    Columns::of(format, header).map_err(|missing| {
        let message = format!(
            "lacks the column{} {} of a {}",
            if missing.len() == 1 { "" } else { "s" },
            missing.join(", "),
            format.name()
        );
        BillError::file(name, message).help(
            "include all columns in the export; it may also have resource IDs, which tell tables",
        )
    })
}
