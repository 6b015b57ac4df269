//! JSON documents, read record by record: a list, an object with a list of records such as
//! CloudTrail's `Records`, or many objects one after the other, with or without line ends. Only one
//! record is in memory at a time.

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::SkipReason;
use crate::files::why;

/// The largest record: an item of 400 KB is at most a few times larger in JSON, a batch 16 MB.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// A part of a document.
pub enum Part {
    /// A record.
    Record(Value),
    /// The end of an object whose lists of records were handed out, with its other members.
    End(Map<String, Value>),
}

/// Why a document cannot be read further: the line, from 1 where the document begins.
pub struct Broken {
    /// The reason.
    pub reason: SkipReason,
    /// The line.
    pub line: u64,
    /// What was found.
    pub message: String,
}

/// A document that is being read.
pub struct Document<R> {
    text: R,
    line: u64,
    /// The members of the object that is open, read so far, but for its lists of records.
    pub around: Map<String, Value>,
    open: Open,
    /// Whether the open object had a list of records.
    has_records: bool,
    /// The bytes of the values read so far.
    pub bytes: u64,
    buffer: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    List,
    Object,
    ListInObject,
}

impl<R: BufRead> Document<R> {
    pub fn new(text: R) -> Document<R> {
        Document {
            text,
            line: 1,
            around: Map::new(),
            open: Open::Nothing,
            has_records: false,
            bytes: 0,
            buffer: Vec::new(),
        }
    }

    /// The next part; `None` at the end. `lists` are the names of lists of records.
    pub fn next(&mut self, lists: &[&str]) -> Result<Option<Part>, Broken> {
        loop {
            let Some(byte) = self.peek()? else {
                return match self.open {
                    Open::Nothing => Ok(None),
                    _ => Err(self.broken(
                        SkipReason::Truncated,
                        "not JSON: the document ends too early",
                    )),
                };
            };
            match (self.open, byte) {
                (_, b',') => self.text.consume(1),
                (Open::Nothing, b'{') => {
                    self.text.consume(1);
                    (self.open, self.has_records) = (Open::Object, false);
                    self.around = Map::new();
                }
                (Open::Nothing, b'[') => {
                    self.text.consume(1);
                    self.open = Open::List;
                }
                (Open::List, b']') => {
                    self.text.consume(1);
                    self.open = Open::Nothing;
                }
                (Open::ListInObject, b']') => {
                    self.text.consume(1);
                    self.open = Open::Object;
                }
                (Open::Object, b'}') => {
                    self.text.consume(1);
                    self.open = Open::Nothing;
                    let around = std::mem::take(&mut self.around);
                    return Ok(Some(match self.has_records {
                        true => Part::End(around),
                        false => Part::Record(Value::Object(around)),
                    }));
                }
                (Open::Object, _) => self.member(lists)?,
                (Open::Nothing | Open::List | Open::ListInObject, _) => {
                    return Ok(Some(Part::Record(self.value()?)));
                }
            }
        }
    }

    /// Reads a member of the open object; of a list of records, only its beginning.
    fn member(&mut self, lists: &[&str]) -> Result<(), Broken> {
        let Value::String(name) = self.value()? else {
            return Err(self.broken(
                SkipReason::Malformed,
                "not JSON: expected the name of a member",
            ));
        };
        if self.peek()? != Some(b':') {
            return Err(self.broken(
                SkipReason::Malformed,
                "not JSON: expected `:` after the name of a member",
            ));
        }
        self.text.consume(1);
        if self.peek()? == Some(b'[') && lists.contains(&name.as_str()) {
            self.text.consume(1);
            (self.open, self.has_records) = (Open::ListInObject, true);
            return Ok(());
        }
        let value = self.value()?;
        self.around.insert(name, value);
        Ok(())
    }

    fn broken(&self, reason: SkipReason, message: impl Into<String>) -> Broken {
        Broken {
            reason,
            line: self.line,
            message: message.into(),
        }
    }

    fn unreadable(&self, error: &io::Error) -> Broken {
        self.broken(SkipReason::Truncated, why(error))
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Result<Option<u8>, Broken> {
        loop {
            let bytes = match self.text.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => return Err(self.unreadable(&error)),
            };
            if bytes.is_empty() {
                return Ok(None);
            }
            let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace());
            let (mut count, mut lines) = (0, 0);
            for byte in blank {
                count += 1;
                lines += u64::from(*byte == b'\n');
            }
            let found = bytes.get(count).copied();
            self.text.consume(count);
            self.line += lines;
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Reads a whole value.
    fn value(&mut self) -> Result<Value, Broken> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let first = self.line;
        let read = self.raw(&mut buffer);
        let value = read.and_then(|()| {
            serde_json::from_slice(&buffer).map_err(|error| Broken {
                reason: match error.is_eof() {
                    true => SkipReason::Truncated,
                    false => SkipReason::Malformed,
                },
                line: first + error.line() as u64 - 1,
                message: format!("not JSON: {error}"),
            })
        });
        buffer.shrink_to(1 << 20);
        self.buffer = buffer;
        value
    }

    /// Appends the bytes of one value.
    fn raw(&mut self, into: &mut Vec<u8>) -> Result<(), Broken> {
        let mut scan = Scan::default();
        loop {
            let bytes = match self.text.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) => return Err(self.unreadable(&error)),
            };
            if bytes.is_empty() {
                return Ok(());
            }
            let (taken, ended) = scan.take(bytes);
            self.line += memchr::memchr_iter(b'\n', &bytes[..taken]).count() as u64;
            self.bytes += taken as u64;
            into.extend_from_slice(&bytes[..taken]);
            self.text.consume(taken);
            if ended {
                return Ok(());
            }
            if into.len() > RECORD_BYTES_MAX {
                let text = format!("a value of more than {} MB", RECORD_BYTES_MAX >> 20);
                return Err(self.broken(SkipReason::Malformed, text));
            }
        }
    }
}

/// Where a value ends, found byte by byte.
#[derive(Default)]
struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// Whether the value is a number or a word, which ends before the next separator.
    bare: bool,
}

impl Scan {
    /// How many of these bytes belong to the value, and whether it ends there.
    fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if self.in_text {
                if std::mem::take(&mut self.escaped) {
                    at += 1;
                    continue;
                }
                match memchr::memchr2(b'"', b'\\', &bytes[at..]) {
                    None => return (bytes.len(), false),
                    Some(ahead) => at += ahead + 1,
                }
                if bytes[at - 1] == b'\\' {
                    self.escaped = true;
                    continue;
                }
                self.in_text = false;
                if self.depth == 0 {
                    return (at, true);
                }
                continue;
            }
            match byte {
                b'"' if !self.bare => self.in_text = true,
                b'{' | b'[' if !self.bare => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                b',' | b'}' | b']' | b':' if self.depth == 0 && self.bare => return (at, true),
                // A separator where a value should be: one byte, which is no JSON.
                b',' | b'}' | b']' | b':' if self.depth == 0 => return (at + 1, true),
                byte if self.depth == 0 && byte.is_ascii_whitespace() => return (at, true),
                _ if self.depth == 0 => self.bare = true,
                _ => {}
            }
            at += 1;
        }
        (at, false)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn parts(text: &str, buffer: usize) -> Vec<String> {
        let reader = BufReader::with_capacity(buffer, text.as_bytes());
        let mut document = Document::new(reader);
        let mut parts = Vec::new();
        loop {
            match document.next(&["Records"]) {
                Ok(Some(Part::Record(value))) => parts.push(value.to_string()),
                Ok(Some(Part::End(around))) => parts.push(format!("end {}", Value::Object(around))),
                Ok(None) => return parts,
                Err(broken) => {
                    parts.push(format!("{}: {}", broken.line, broken.message));
                    return parts;
                }
            }
        }
    }

    #[test]
    fn records_are_handed_out_one_by_one() {
        for (text, expected) in [
            ("", vec![]),
            ("{\"a\": 1}\n{\"a\": 2}", vec!["{\"a\":1}", "{\"a\":2}"]),
            (
                "{\"a\":1}{\"a\":\"}\\\"\"}",
                vec!["{\"a\":1}", "{\"a\":\"}\\\"\"}"],
            ),
            (
                "[1, [2, 3], {\"a\": []}, true]",
                vec!["1", "[2,3]", "{\"a\":[]}", "true"],
            ),
            (
                "{\"n\": 1.5, \"Records\": [{\"x\": {\"y\": [1]}}, {}], \"m\": null}",
                vec!["{\"x\":{\"y\":[1]}}", "{}", "end {\"m\":null,\"n\":1.5}"],
            ),
            ("{\"Records\": []}", vec!["end {}"]),
            (
                "{\"a\": [\n1,\n",
                vec!["3: not JSON: EOF while parsing a value at line 3 column 0"],
            ),
            (
                "{\"Records\": [{}",
                vec!["{}", "1: not JSON: the document ends too early"],
            ),
            (
                "{\n\"a\" 1}",
                vec!["2: not JSON: expected `:` after the name of a member"],
            ),
        ] {
            for buffer in [1, 3, 64] {
                assert_eq!(parts(text, buffer), expected, "{text}");
            }
        }
    }
}
