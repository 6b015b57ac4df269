//! JSON records: one or several per line, or documents that contain many.

use std::io::{BufRead, Read};
use std::sync::atomic::Ordering;

use serde_json::{Deserializer, Value};

use super::input::{LINE_BYTES_MAX, TraceText, why};
use super::{Event, EventSink, NameTable, Progress, RowPlace, SkipReason, TraceError, TraceReader};

/// Converts records to events.
pub trait RecordFormat: Send {
    /// Appends the events of a record, or returns why it is bad.
    fn record(
        &mut self,
        record: Value,
        place: RowPlace,
        names: &mut NameTable,
        events: &mut Vec<Event>,
    ) -> Result<(), (SkipReason, String)>;

    /// The record in a line that is not only JSON, such as a log line with text before the JSON.
    fn odd_line(&self, _line: &str) -> Option<Value> {
        None
    }

    /// Notes for the user.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Reads JSON records of a format.
pub struct Json<F> {
    text: TraceText,
    file: u32,
    line: u64,
    record: u64,
    format: F,
    progress: Progress,
}

/// Lines per batch.
const BATCH_LINES: usize = 8_192;

/// The largest document of several lines that is read as a whole.
const DOCUMENT_BYTES_MAX: u64 = 1 << 30;

/// The content of one line.
enum Line {
    Values(Vec<Value>),
    /// The beginning of a document of several lines.
    Unfinished,
    Wrong(String),
}

impl<F: RecordFormat> Json<F> {
    pub fn new(text: TraceText, file: u32, format: F, progress: Progress) -> Json<F> {
        Json {
            text,
            file,
            line: 0,
            record: 0,
            format,
            progress,
        }
    }

    fn line(&mut self, into: &mut Vec<u8>) -> std::io::Result<bool> {
        into.clear();
        let read = (&mut self.text)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', into)?;
        self.line += u64::from(read > 0);
        Ok(read > 0)
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

    /// Converts the records of a value: the value itself, the elements of a list, or its `Records`.
    fn hand_on(
        &mut self,
        value: Value,
        line: Option<u64>,
        sink: &mut EventSink,
    ) -> Result<(), TraceError> {
        match value {
            Value::Array(list) => list
                .into_iter()
                .try_for_each(|value| self.hand_on(value, line, sink)),
            Value::Object(mut object) => match object.get_mut("Records").map(Value::take) {
                Some(Value::Array(list)) => list
                    .into_iter()
                    .try_for_each(|value| self.hand_on(value, line, sink)),
                _ => {
                    self.record += 1;
                    let place = RowPlace {
                        file: self.file,
                        row: line.unwrap_or(self.record),
                    };
                    self.progress.rows.fetch_add(1, Ordering::Relaxed);
                    match self
                        .format
                        .record(Value::Object(object), place, sink.names, sink.events)
                    {
                        Ok(()) => Ok(()),
                        Err((reason, message)) => sink.bad.row(place, reason, message),
                    }
                }
            },
            other => {
                let found: String = other.to_string().chars().take(60).collect();
                sink.bad.row(
                    RowPlace {
                        file: self.file,
                        row: self.line,
                    },
                    SkipReason::Malformed,
                    format!("expected a JSON object, found {found}"),
                )
            }
        }
    }

    /// Reads the rest of a document that began on the line just read.
    fn document(&mut self, start: &[u8], sink: &mut EventSink) -> Result<(), TraceError> {
        let mut whole = start.to_vec();
        let first = self.line;
        if let Err(error) = (&mut self.text)
            .take(DOCUMENT_BYTES_MAX)
            .read_to_end(&mut whole)
        {
            let place = RowPlace {
                file: self.file,
                row: first,
            };
            return sink.bad.row(place, SkipReason::Truncated, why(&error));
        }
        for value in Deserializer::from_slice(&whole).into_iter::<Value>() {
            match value {
                Ok(value) => self.hand_on(value, None, sink)?,
                Err(error) => {
                    let place = RowPlace {
                        file: self.file,
                        row: first + error.line() as u64 - 1,
                    };
                    let reason = if error.is_eof() {
                        SkipReason::Truncated
                    } else {
                        SkipReason::Malformed
                    };
                    return sink.bad.row(place, reason, format!("not JSON: {error}"));
                }
            }
        }
        Ok(())
    }
}

impl<F: RecordFormat> TraceReader for Json<F> {
    fn batch(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let mut line = Vec::new();
        for _ in 0..BATCH_LINES {
            match self.line(&mut line) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(error) => {
                    sink.bad.row(
                        RowPlace {
                            file: self.file,
                            row: self.line + 1,
                        },
                        SkipReason::Truncated,
                        why(&error),
                    )?;
                    return Ok(false);
                }
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if self.line == 1 && line.starts_with(b"\xef\xbb\xbf") {
                line.drain(..3);
            }
            let place = RowPlace {
                file: self.file,
                row: self.line,
            };
            match Json::<F>::values(&line) {
                Line::Values(values) => {
                    let first = sink.events.len();
                    for value in values {
                        self.hand_on(value, Some(place.row), sink)?;
                    }
                    // The records of one document can be in any order.
                    sink.events[first..].sort_by_key(|event| event.time);
                }
                // Only the first record can begin a document; later it is a truncated line.
                Line::Unfinished if self.record == 0 => {
                    let first = sink.events.len();
                    self.document(&line, sink)?;
                    sink.events[first..].sort_by_key(|event| event.time);
                    return Ok(false);
                }
                Line::Unfinished => sink.bad.row(
                    place,
                    SkipReason::Malformed,
                    "incomplete JSON object: the line ends too early",
                )?,
                Line::Wrong(message) => match self.format.odd_line(&String::from_utf8_lossy(&line))
                {
                    Some(value) => self.hand_on(value, Some(place.row), sink)?,
                    None => sink.bad.row(place, SkipReason::Malformed, message)?,
                },
            }
        }
        Ok(true)
    }

    fn notes(&self) -> Vec<String> {
        self.format.notes()
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
