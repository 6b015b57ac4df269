//! Tabular bills as CSV.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use ::csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::columns::{Cells, Columns, Field, Format};
use super::part::Part;
use super::reading::{Mistakes, Reading, not_a_bill};
use super::{BillError, console};
use crate::files::{LINE_BYTES_MAX, why};

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

/// A reader that gives up on a row without an end, such as one with an open quote.
struct Bounded<R> {
    inner: R,
    since_row: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.since_row.set(self.since_row.get() + count as u64);
        if self.since_row.get() > LINE_BYTES_MAX {
            let message = "a row is longer than 64 MB; look for a quote that is not closed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(count)
    }
}

fn is_header_again(record: &ByteRecord, header: &[&str]) -> bool {
    let is_same = |(cell, name): (&[u8], &&str)| cell == name.as_bytes();
    record.get(0) == header.first().map(|name| name.as_bytes())
        && record.iter().zip(header).all(is_same)
}

/// Reads a CSV file of any format.
pub(super) fn read(
    reading: &Reading<'_>,
    name: &str,
    text: impl BufRead,
    part: &mut Part,
) -> Result<(), BillError> {
    let since_row = Rc::new(Cell::new(0));
    let bounded = Bounded {
        inner: text,
        since_row: since_row.clone(),
    };
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(bounded);
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
        since_row.set(0);
        if is_header_again(&record, &header) {
            let message =
                format!("row {number} is the header again: several files are joined in one");
            return Err(BillError::file(name, message).help("give the files as AWS delivers them"));
        }
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
        let other = [(';', "semicolons"), ('\t', "tabs")];
        let other = other
            .iter()
            .find(|(separator, _)| header.len() < 3 && header.concat().contains(*separator));
        return Err(match other {
            Some((_, words)) => BillError::file(name, format!("is separated by {words}")).help(
                "save it with commas between the cells, as AWS delivers it, with decimal points",
            ),
            None => not_a_bill(name, &found),
        });
    };
    if let Some(twice) = Columns::twice(format, header) {
        let message = format!("has the column {twice} twice");
        return Err(BillError::file(name, message).help("remove one of them"));
    }
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
