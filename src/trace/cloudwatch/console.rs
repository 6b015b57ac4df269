//! Metrics in CSV: of the CloudWatch console, and of Grafana. Header lines name the metrics; each
//! row has a time and a value for each metric.

use std::sync::atomic::Ordering;

use rust_decimal::Decimal;

use super::label::Label;
use super::points::{PointSink, Points, Series, Statistic};
use super::{PeriodFrom, SPREAD, decimal};
use crate::files::{FileText, Progress};
use crate::trace::moment::{Clock, LastForm};
use crate::trace::notes::{Notes, Passed};
use crate::trace::{Bad, EventSink, RowPlace, SkipReason, TraceError, TraceReader};

/// Reads the CSV of a console.
pub struct Console {
    text: FileText,
    file: u32,
    table: Option<String>,
    period: Option<u32>,
    /// The points, once the file was read.
    points: Option<Points>,
    notes: Notes,
    progress: Progress,
}

impl Console {
    /// Creates a reader; `table` is used for metrics that do not name one, `period` before what the
    /// file says.
    pub fn new(
        text: FileText,
        file: u32,
        table: Option<String>,
        period: Option<u32>,
        progress: Progress,
    ) -> Console {
        Console {
            text,
            file,
            table,
            period,
            points: None,
            notes: Notes::default(),
            progress,
        }
    }
}

/// A column of values.
struct Column {
    /// Its number, from 1.
    name: String,
    series: Series,
    statistic: Option<Statistic>,
    period: Option<u32>,
}

/// The header's lines, each by the word in its first cell.
#[derive(Default)]
struct Header(Vec<Vec<String>>);

impl Header {
    /// The cell of a column in the line that begins with a word.
    fn cell(&self, line: &str, column: usize) -> Option<&str> {
        let mut lines = self.0.iter();
        let found = lines.find(|cells| cells.first().is_some_and(|first| first == line))?;
        let cell = found.get(column).map(|cell| cell.trim());
        cell.filter(|cell| !cell.is_empty())
    }

    /// What a column is; `None` if it is no metric that counts, with what it is.
    ///
    /// # Errors
    /// A message, if the label can be read in several ways.
    fn column(&self, column: usize, table: Option<&str>) -> Result<Result<Column, String>, String> {
        let cells = || self.0.iter().filter_map(|cells| cells.get(column));
        let labels: Vec<Label> = cells().map(|cell| Label::parse(cell)).collect();
        let Some(label) = labels.into_iter().find(|label| label.metric.is_some()) else {
            let first = cells().next().cloned().unwrap_or_default();
            return match cells().any(|cell| Label::is_vague(cell)) {
                true => Err(format!(
                    "the column \"{first}\" does not say which metric it is; give the graph the \
                     metric's own name as its label"
                )),
                false => Ok(Err(first)),
            };
        };
        let Some(metric) = label.metric else {
            return Ok(Err(String::new()));
        };
        let known: Vec<String> = table.map(str::to_string).into_iter().collect();
        let (own, index) = label.place(&known).map_err(|words| {
            format!(
                "a column names \"{words}\", and does not say which is the table; name it with \
                 --table"
            )
        })?;
        let stated = self.cell("Statistic", column).map(|word| {
            Statistic::parse(word).ok_or_else(|| format!("\"{word}\" is not a statistic"))
        });
        Ok(Ok(Column {
            name: (column + 1).to_string(),
            series: Series {
                metric,
                table: own.or_else(|| table.map(str::to_string)),
                index,
                region: self.cell("Region", column).map(str::to_string),
            },
            statistic: stated.transpose()?.or(label.statistic),
            period: self
                .cell("Period", column)
                .and_then(|cell| cell.parse().ok())
                .or(label.period),
        }))
    }
}

impl Header {
    /// The columns after the first; `None` for those that are no metric that counts.
    fn columns(
        &self,
        table: Option<&str>,
        notes: &mut Notes,
    ) -> Result<Vec<Option<Column>>, String> {
        let width = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let mut columns = Vec::new();
        for column in 1..width {
            columns.push(match self.column(column, table)? {
                Ok(column) => Some(column),
                Err(name) => {
                    if !name.is_empty() {
                        notes.pass(Passed::Metric(name));
                    }
                    None
                }
            });
        }
        Ok(columns)
    }
}

/// A value of a metric; a message, if the cell is not a number.
fn value_of(cell: &str) -> Result<Decimal, String> {
    decimal(cell.trim())
        .ok_or_else(|| format!("\"{}\" is not a number of at least 0", cell.escape_debug()))
}

impl Console {
    /// Reads the whole file: its points may come in any order.
    fn read(&mut self, bad: &mut Bad) -> Result<Points, TraceError> {
        let file = self.file;
        let place = |row: u64| RowPlace { file, row };
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(&mut self.text);
        let (mut header, mut columns) = (Header::default(), None);
        let mut points = Points::default();
        let mut row = csv::StringRecord::new();
        loop {
            match rows.read_record(&mut row) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let line = place(rows.position().line());
                    let message = format!("cannot be read as CSV: {error}");
                    bad.row(line, SkipReason::Truncated, message)?;
                    break;
                }
            }
            let line = row.position().map_or(1, csv::Position::line);
            let first = row.get(0).unwrap_or_default();
            let first = first.trim_start_matches('\u{feff}').trim();
            let clock = Clock::default();
            let Ok(found) = clock.whole(first, &mut LastForm::default()) else {
                let is_time = first.starts_with(|c: char| c.is_ascii_digit());
                if columns.is_none() && !is_time {
                    let cells = row.iter().map(|cell| cell.trim().to_string());
                    header.0.push(cells.collect());
                } else {
                    let message = format!("\"{}\" is not a time", first.escape_debug());
                    bad.row(place(line), SkipReason::Time, message)?;
                }
                continue;
            };
            let time = found.time;
            self.progress.rows.fetch_add(1, Ordering::Relaxed);
            self.notes.take_assumed(&found);
            self.notes.see(time, first);
            if columns.is_none() {
                columns = match header.columns(self.table.as_deref(), &mut self.notes) {
                    Ok(found) => Some(found),
                    Err(message) => {
                        bad.row(place(1), SkipReason::Malformed, message)?;
                        Some(Vec::new())
                    }
                };
            }
            let cells = row.iter().skip(1).zip(columns.iter().flatten());
            for (cell, column) in cells.filter(|(cell, _)| !cell.trim().is_empty()) {
                let Some(column) = column else { continue };
                match value_of(cell) {
                    Ok(value) => {
                        let values = points.of(column.series.clone(), column.statistic);
                        if !values.list.is_empty() && values.id != column.name {
                            let message = format!(
                                "the columns {} and {} have the same label; plot each region and \
                                 account by itself",
                                values.id, column.name
                            );
                            return Err(TraceError::file(bad.file(place(line)), message));
                        }
                        values.id = column.name.clone();
                        values.list.push((time.second(), value));
                        values.period = column.period.map(|seconds| (seconds, PeriodFrom::File));
                        values.row = line;
                    }
                    Err(message) => bad.row(place(line), SkipReason::WrongType, message)?,
                }
            }
        }
        Ok(points)
    }
}

impl TraceReader for Console {
    fn batch(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        if self.points.is_none() {
            let mut points = self.read(sink.bad)?;
            let place = RowPlace {
                file: self.file,
                row: 1,
            };
            let mut wrong = Vec::new();
            let mut rest = PointSink {
                notes: &mut self.notes,
                ids: sink.ids,
                wrong: &mut wrong,
            };
            points.finish(self.period, &mut rest);
            for (reason, message) in wrong {
                sink.bad.row(place, reason, message)?;
            }
            self.points = Some(points);
        }
        let more = self
            .points
            .as_mut()
            .is_some_and(|points| points.hand_out(self.file, sink.names, sink.events));
        Ok(more)
    }

    fn notes(&self) -> Notes {
        let mut notes = self.notes.clone();
        notes.format.insert(SPREAD.to_string());
        notes
    }
}
