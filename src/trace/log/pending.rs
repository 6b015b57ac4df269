//! A value that goes on over several lines, such as an object that JavaScript prints.

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
    pub has_mention: bool,
}

/// The longest value that goes on over several lines.
const BYTES_MAX: usize = 1 << 20;

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
    pub fn may_end(&self) -> bool {
        let last = self.lines.last().map_or("", |line| line.trim());
        let closes = last.starts_with(['}', ']', ')']) && self.has_mention;
        self.depth <= 0 || closes
    }

    /// Whether it is too long to be a value.
    pub fn is_too_long(&self) -> bool {
        self.bytes > BYTES_MAX || (!self.has_mention && self.lines.len() > LINES_MAX)
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.lines.concat()
    }
}
