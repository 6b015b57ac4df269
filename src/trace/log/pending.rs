//! A value that goes on over several lines, such as an object that JavaScript prints.

use std::borrow::Cow;

use super::mention;

/// The beginning of a value, line by line.
#[derive(Debug, Default)]
pub struct Pending {
    /// Its lines so far.
    pub lines: Vec<String>,
    /// The brackets that are open.
    depth: i64,
    bytes: usize,
    /// Whether it mentions a consumed capacity.
    has_mention: bool,
    /// How often its end was tried.
    tries: u32,
}

/// The longest value that goes on over several lines.
const BYTES_MAX: usize = 1 << 20;

/// How often the end of a value is tried.
const TRIES_MAX: u32 = 64;

/// The most lines of a value before it mentions a consumed capacity.
const LINES_MAX: usize = 256;

impl Pending {
    /// The beginning of a value.
    pub fn new(line: &str) -> Pending {
        let mut pending = Pending::default();
        pending.push(line);
        pending
    }

    /// Whether a line without a call can begin a value: it ends with an open bracket.
    pub fn can_begin(line: &str) -> bool {
        line.trim_end().ends_with(['{', '(', '['])
    }

    /// Adds a line.
    pub fn push(&mut self, line: &str) {
        for byte in line.bytes() {
            match byte {
                b'{' | b'[' | b'(' => self.depth += 1,
                b'}' | b']' | b')' => self.depth -= 1,
                _ => {}
            }
        }
        self.bytes += line.len();
        self.has_mention |= mention(line, 0).is_some();
        self.lines.push(line.to_string());
    }

    /// Whether as many brackets are closed as opened. Brackets within texts can hide the end; then
    /// a line that only closes something may be it.
    pub fn may_end(&mut self) -> bool {
        let last = self.lines.last().map_or("", |line| line.trim());
        let closes = last.starts_with(['}', ']', ')']) && self.has_mention;
        let may = self.depth <= 0 || closes;
        self.tries += u32::from(may);
        may
    }

    /// Whether it is too long to be a value.
    pub fn is_too_long(&self) -> bool {
        self.bytes > BYTES_MAX
            || self.tries > TRIES_MAX
            || (!self.has_mention && self.lines.len() > LINES_MAX)
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines.concat()
    }
}

/// A line without the escape sequences that colour it on a terminal.
pub fn without_colours(line: &str) -> Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        let after = after.strip_prefix('[').unwrap_or(after);
        let end = after.find(|c: char| c.is_ascii_alphabetic());
        rest = end.map_or("", |end| &after[end + 1..]);
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The rest of a line that Kubernetes wrote a time before, if it goes on with a value: it begins
/// with white space, a bracket that closes, or a quote; or if it is marked as part of a line.
pub fn continued(line: &str) -> Option<&str> {
    let (time, rest) = line.split_once(' ')?;
    chrono::DateTime::parse_from_rfc3339(time).ok()?;
    let marked = ["stdout F ", "stderr F ", "stdout P ", "stderr P "];
    let inner = marked.iter().find_map(|mark| rest.strip_prefix(mark));
    let content = inner.unwrap_or(rest);
    let goes_on = content.starts_with([' ', '\t', '}', ']', ')', '\'', '"']);
    goes_on.then_some(content)
}
