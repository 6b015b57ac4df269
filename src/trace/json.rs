//! JSON records: one or several per line, or documents that contain many, in any wrapper.

use std::io::{BufRead, Cursor, Read};
use std::sync::atomic::Ordering;

use serde_json::{Deserializer, Map, Value};

use super::document::{Document, Part};
use super::ids::EventIds;
use super::notes::{Notes, Passed};
use super::unwrap::{self, Around, Inner};
use super::{
    Bad, Event, EventSink, NameTable, RowPlace, SkipReason, TraceError, TraceReader, Wrong,
};
use crate::files::{FileText, LINE_BYTES_MAX, Progress, why};

/// Converts records to events.
pub trait RecordFormat: Send {
    /// Appends the events of a record, or returns why it is bad.
    fn record(&mut self, record: Value, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong>;

    /// Appends the events of a line that is not JSON. In most formats such a line contains no call.
    fn line(&mut self, line: &str, _of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        if line.trim_start().starts_with(['{', '[']) {
            let shown: String = line.trim_start().chars().take(60).collect();
            let message = format!("the record in a wrapper is not JSON: {shown}");
            return Err((SkipReason::Malformed, message));
        }
        sink.notes.pass(Passed::NoCall);
        Ok(())
    }

    /// Whether a file of lines may begin with lines that are not JSON.
    fn has_lines(&self) -> bool {
        false
    }

    /// The members of a document that are lists of records.
    fn lists(&self) -> &'static [&'static str] {
        &unwrap::LISTS
    }

    /// Appends what a document has left at its end: its members beside the lists of records.
    fn end(&mut self, _of: &RecordOf, _sink: &mut RecordSink) -> Result<(), Wrong> {
        Ok(())
    }

    /// Appends what is left at the end of the file.
    fn end_of_file(&mut self, _of: &RecordOf, _sink: &mut RecordSink) -> Result<(), Wrong> {
        Ok(())
    }

    /// Appends the next events that were kept until the end of the file, in the order of time;
    /// `false` if there are no more.
    fn rest(&mut self, _file: u32, _sink: &mut EventSink) -> bool {
        false
    }

    /// What the format does not contain, and what was left out. Called once, at the end.
    fn notes(&self) -> Notes {
        Notes::default()
    }
}

/// Where a record is from.
pub struct RecordOf<'a> {
    /// Its place in the trace.
    pub place: RowPlace,
    /// What the wrappers around it say.
    pub around: &'a Around,
    /// The other members of the document.
    pub document: &'a Map<String, Value>,
}

/// Where the events of a record go.
pub struct RecordSink<'a> {
    pub names: &'a mut NameTable,
    pub events: &'a mut Vec<Event>,
    pub notes: &'a mut Notes,
    pub ids: &'a mut EventIds,
    /// What is wrong with parts of a record whose other parts are read.
    pub wrong: &'a mut Vec<Wrong>,
}

/// Counts what is wrong with a record as bad rows.
fn told(
    done: Result<(), Wrong>,
    wrong: Vec<Wrong>,
    place: RowPlace,
    bad: &mut Bad,
) -> Result<(), TraceError> {
    for (reason, message) in wrong.into_iter().chain(done.err()) {
        bad.row(place, reason, message)?;
    }
    Ok(())
}

/// Reads JSON records of a format.
pub struct Json<F> {
    text: Text,
    file: u32,
    line: u64,
    record: u64,
    format: F,
    notes: Notes,
    progress: Progress,
}

/// The text, line by line or as documents.
enum Text {
    Lines(FileText),
    /// Rows of a CSV file, each an object of its cells.
    Rows(Box<csv::Reader<FileText>>),
    /// With the number of lines before.
    Documents(Box<Document<Box<dyn BufRead + Send>>>, u64),
    Ended,
}

/// Lines per batch.
const BATCH_LINES: usize = 8_192;

/// Bytes of a document per batch.
const BATCH_BYTES: u64 = 16 << 20;

/// A line that is longer, and begins an object or a list, is read record by record.
const SHORT_LINE_BYTES_MAX: u64 = 1 << 20;

/// The content of one line.
enum Line {
    Values(Vec<Value>),
    /// The beginning of a document of several lines.
    Unfinished,
    Wrong(String),
}

/// A record that cannot be read, or an error that ends the run.
enum Stop {
    Bad(Wrong),
    Run(TraceError),
}

impl From<String> for Stop {
    fn from(message: String) -> Stop {
        Stop::Bad((SkipReason::Malformed, message))
    }
}

impl<F: RecordFormat> Json<F> {
    pub fn new(text: FileText, file: u32, format: F, progress: Progress) -> Json<F> {
        Json::of(Text::Lines(text), file, format, progress)
    }

    fn of(text: Text, file: u32, format: F, progress: Progress) -> Json<F> {
        Json {
            text,
            file,
            line: 0,
            record: 0,
            format,
            notes: Notes::default(),
            progress,
        }
    }

    /// Reads CSV with a header: each row is a record whose members are its cells.
    pub fn rows(text: FileText, file: u32, format: F, progress: Progress) -> Json<F> {
        let rows = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        Json::of(Text::Rows(Box::new(rows)), file, format, progress)
    }

    fn place(&self, row: u64) -> RowPlace {
        RowPlace {
            file: self.file,
            row,
        }
    }

    fn values(text: &[u8]) -> Line {
        let mut values = Vec::new();
        for value in Deserializer::from_slice(text).into_iter::<Value>() {
            match value {
                Ok(value) => values.push(value),
                Err(error) if error.is_eof() => return Line::Unfinished,
                Err(error) => return Line::Wrong(format!("not JSON: {error}")),
            }
        }
        Line::Values(values)
    }

    /// Converts what is in a value's wrappers. `line` is its line; in a document of several lines,
    /// records are numbered.
    fn hand_on(
        &mut self,
        value: Value,
        line: Option<u64>,
        document: &Map<String, Value>,
        sink: &mut EventSink,
    ) -> Result<(), TraceError> {
        let (file, mut number) = (self.file, self.record);
        let (format, progress) = (&mut self.format, &self.progress);
        let EventSink {
            names,
            events,
            bad,
            ids,
        } = sink;
        let mut row = line.unwrap_or(number + 1);
        let mut each = |inner: Inner, around: &Around, notes: &mut Notes| {
            number += 1;
            progress.rows.fetch_add(1, Ordering::Relaxed);
            row = line.unwrap_or(number);
            let of = RecordOf {
                place: RowPlace { file, row },
                around,
                document,
            };
            let mut wrong = Vec::new();
            let mut sink = RecordSink {
                names,
                events,
                notes,
                ids,
                wrong: &mut wrong,
            };
            let done = match inner {
                Inner::Record(value @ Value::Object(_)) => format.record(value, &of, &mut sink),
                Inner::Record(other) => {
                    let found: String = other.to_string().chars().take(60).collect();
                    let message = format!("expected a JSON object, found {found}");
                    Err((SkipReason::Malformed, message))
                }
                Inner::Line(line) => format.line(&line, &of, &mut sink),
            };
            told(done, wrong, of.place, bad).map_err(Stop::Run)
        };
        let done = unwrap::unwrap(value, &Around::default(), &mut self.notes, &mut each);
        self.record = number;
        match done {
            Ok(()) => Ok(()),
            Err(Stop::Run(error)) => Err(error),
            Err(Stop::Bad((reason, message))) => {
                sink.bad.row(RowPlace { file, row }, reason, message)
            }
        }
    }

    /// Gives the format something that is in no wrapper, with the members of its document.
    fn give(
        &mut self,
        row: u64,
        document: &Map<String, Value>,
        sink: &mut EventSink,
        call: impl FnOnce(&mut F, &RecordOf, &mut RecordSink) -> Result<(), Wrong>,
    ) -> Result<(), TraceError> {
        let around = Around::default();
        let of = RecordOf {
            place: self.place(row),
            around: &around,
            document,
        };
        let mut wrong = Vec::new();
        let mut records = RecordSink {
            names: sink.names,
            events: sink.events,
            notes: &mut self.notes,
            ids: sink.ids,
            wrong: &mut wrong,
        };
        let done = call(&mut self.format, &of, &mut records);
        told(done, wrong, of.place, sink.bad)
    }

    /// A line of text, to the format.
    fn text_line(&mut self, line: &str, sink: &mut EventSink) -> Result<(), TraceError> {
        self.record += 1;
        self.progress.rows.fetch_add(1, Ordering::Relaxed);
        self.give(self.line, &Map::new(), sink, |format, of, records| {
            format.line(line, of, records)
        })
    }

    /// Tells the format that a document has ended.
    fn end(
        &mut self,
        document: &Map<String, Value>,
        sink: &mut EventSink,
    ) -> Result<(), TraceError> {
        self.give(self.record.max(1), document, sink, F::end)
    }

    /// Ends the file; what was kept until its end is handed out next.
    fn ended(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        self.text = Text::Ended;
        self.give(self.record.max(1), &Map::new(), sink, F::end_of_file)?;
        Ok(true)
    }

    /// Reads the next records of documents; `false` at the end. The records of a document can be in
    /// any order, so the events of a batch are sorted.
    fn documents(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let first = sink.events.len();
        let more = self.document_records(sink)?;
        sink.events[first..].sort_by_key(|event| event.time);
        Ok(more)
    }

    fn document_records(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let mut until = None;
        loop {
            let Text::Documents(document, before) = &mut self.text else {
                return Ok(true);
            };
            if document.bytes > *until.get_or_insert(document.bytes + BATCH_BYTES) {
                return Ok(true);
            }
            let (part, before) = (document.next(self.format.lists()), *before);
            match part {
                Ok(Some(Part::Record(value))) => {
                    let around = std::mem::take(&mut document.around);
                    self.hand_on(value, None, &around, sink)?;
                    if let Text::Documents(document, _) = &mut self.text {
                        document.around = around;
                    }
                }
                Ok(Some(Part::End(around))) => self.end(&around, sink)?,
                Ok(None) => return self.ended(sink),
                Err(broken) => {
                    let place = self.place(before + broken.line);
                    sink.bad.row(place, broken.reason, broken.message)?;
                    return self.ended(sink);
                }
            }
        }
    }

    /// Reads the next rows of a CSV file; `false` at the end.
    fn cells(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let mut row = csv::StringRecord::new();
        for _ in 0..BATCH_LINES {
            let Text::Rows(rows) = &mut self.text else {
                return Ok(false);
            };
            let read = rows.read_record(&mut row);
            let line = row.position().map_or(1, csv::Position::line);
            match read {
                Ok(true) => {
                    let names = match rows.headers() {
                        Ok(names) => names.clone(),
                        Err(_) => csv::StringRecord::new(),
                    };
                    let cells = names.iter().zip(&row);
                    let record = cells
                        .filter(|(_, cell)| !cell.is_empty())
                        .map(|(name, cell)| {
                            let name = name.trim_start_matches('\u{feff}').trim();
                            (name.to_string(), Value::String(cell.to_string()))
                        })
                        .collect();
                    self.hand_on(Value::Object(record), Some(line), &Map::new(), sink)?;
                }
                Ok(false) => return self.ended(sink),
                Err(error) => {
                    let place = self.place(line);
                    let message = format!("not CSV: {error}");
                    sink.bad.row(place, SkipReason::Malformed, message)?;
                }
            }
        }
        Ok(true)
    }

    /// Reads the text as documents from the line that was just read.
    fn become_documents(&mut self, line: Vec<u8>) {
        if let Text::Lines(text) = std::mem::replace(&mut self.text, Text::Ended) {
            let whole: Box<dyn BufRead + Send> = Box::new(Cursor::new(line).chain(text));
            let document = Box::new(Document::new(whole));
            self.text = Text::Documents(document, self.line.saturating_sub(1));
        }
    }

    /// Reads the lines of a batch; `false` at the end.
    fn lines(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let mut line = Vec::new();
        for _ in 0..BATCH_LINES {
            match self.line(&mut line) {
                Ok(true) => {}
                Ok(false) => return self.ended(sink),
                Err(error) => {
                    let place = self.place(self.line + 1);
                    sink.bad.row(place, SkipReason::Truncated, why(&error))?;
                    return self.ended(sink);
                }
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if self.line == 1 && line.starts_with(b"\xef\xbb\xbf") {
                line.drain(..3);
            }
            let is_json = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
            let is_long = line.len() as u64 >= SHORT_LINE_BYTES_MAX;
            if is_json && is_long && !self.format.has_lines() {
                self.become_documents(std::mem::take(&mut line));
                return Ok(true);
            }
            let row = self.line;
            let values = match is_json || !self.format.has_lines() {
                true => Json::<F>::values(&line),
                false => Line::Wrong(String::new()),
            };
            match values {
                Line::Values(values) => {
                    let first = sink.events.len();
                    for value in values {
                        self.hand_on(value, Some(row), &Map::new(), sink)?;
                    }
                    // The records of one document can be in any order.
                    sink.events[first..].sort_by_key(|event| event.time);
                }
                // Only the first record can begin a document; later it is a truncated line.
                Line::Unfinished if self.record == 0 && !self.format.has_lines() => {
                    self.become_documents(std::mem::take(&mut line));
                    return Ok(true);
                }
                Line::Unfinished | Line::Wrong(_) if self.format.has_lines() => {
                    self.text_line(&String::from_utf8_lossy(&line), sink)?;
                }
                Line::Unfinished => sink.bad.row(
                    self.place(row),
                    SkipReason::Malformed,
                    "incomplete JSON object: the line ends too early",
                )?,
                Line::Wrong(message) => {
                    sink.bad
                        .row(self.place(row), SkipReason::Malformed, message)?;
                }
            }
        }
        Ok(true)
    }

    /// The next line, or at least the beginning of a document.
    fn line(&mut self, into: &mut Vec<u8>) -> std::io::Result<bool> {
        into.clear();
        let Text::Lines(text) = &mut self.text else {
            return Ok(false);
        };
        let mut read = text.take(SHORT_LINE_BYTES_MAX).read_until(b'\n', into)?;
        let is_json = matches!(into.trim_ascii_start().first(), Some(b'{' | b'['));
        if read as u64 == SHORT_LINE_BYTES_MAX && (!is_json || self.format.has_lines()) {
            read += text.take(LINE_BYTES_MAX).read_until(b'\n', into)?;
        }
        self.line += u64::from(read > 0);
        Ok(read > 0)
    }
}

impl<F: RecordFormat> TraceReader for Json<F> {
    fn batch(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        match self.text {
            Text::Lines(_) => self.lines(sink),
            Text::Documents(..) => self.documents(sink),
            Text::Rows(_) => self.cells(sink),
            Text::Ended => Ok(self.format.rest(self.file, sink)),
        }
    }

    fn notes(&self) -> Notes {
        let mut notes = self.format.notes();
        notes.merge(self.notes.clone());
        notes
    }
}

/// A member of an object, by its name in any case: CloudTrail mixes cases within one event.
pub fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let object = object.as_object()?;
    object
        .get(name)
        .or_else(|| {
            object
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
        .filter(|v| !v.is_null())
}

/// A member that is a text.
pub fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    member(object, name).and_then(Value::as_str)
}
