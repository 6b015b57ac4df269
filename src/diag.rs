//! Diagnostics: the location, the source line, what was found and what is allowed, and how to fix
//! it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use unicode_width::UnicodeWidthStr;

/// A text that was read, with its name in messages.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user wrote it.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where each line starts.
    starts: Vec<usize>,
}

impl Source {
    /// A text with its name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        let text: String = text.into();
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Arc::new(Source {
            name: name.into(),
            text,
            starts,
        })
    }

    /// Line and column of a byte offset, both from 1; the column counts characters.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let offset = self.floor(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        (
            line,
            self.text[self.starts[line - 1]..offset].chars().count() + 1,
        )
    }

    /// The line of a byte offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        let offset = self.floor(offset);
        self.starts.partition_point(|start| *start <= offset)
    }

    /// The byte offset of a line, from 1, and of a column of characters, from 0.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(self.text.len());
        self.text[start..]
            .char_indices()
            .nth(column)
            .map_or(self.text.len(), |(at, _)| start + at)
    }

    /// The nearest character boundary at or before an offset.
    fn floor(&self, offset: usize) -> usize {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// An error in a file: its location, one sentence about what is wrong and one about how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file; `None` for a value that came from the command line.
    pub source: Option<Arc<Source>>,
    /// The byte range of the error.
    pub span: Range<usize>,
    /// A stable short name, such as `unknown-key`.
    pub code: &'static str,
    /// What was found, and what is allowed.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, help) = (harmless(&self.message), harmless(&self.help));
        let Some(source) = &self.source else {
            return write!(f, "error[{}]: {message}\nhelp: {help}", self.code);
        };
        let (start, end) = (
            source.floor(self.span.start),
            source
                .floor(self.span.end)
                .max(source.floor(self.span.start)),
        );
        let (line, column) = source.line_column(start);
        let line_start = source.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source.text[line_start..]
            .find('\n')
            .map_or(source.text.len(), |at| line_start + at);
        let window = Window::around(
            &source.text[line_start..line_end],
            start - line_start,
            end.min(line_end).saturating_sub(line_start),
        );
        writeln!(
            f,
            "{}:{line}:{column}: error[{}]: {message}",
            harmless_name(&source.name),
            self.code
        )?;
        writeln!(f, "{line} | {}", window.text)?;
        writeln!(
            f,
            "{} | {}{}",
            " ".repeat(line.to_string().len()),
            " ".repeat(window.before.width()),
            "^".repeat(window.marked.width().max(1))
        )?;
        write!(f, "help: {help}")
    }
}

/// Whether a character changes the direction of the text around it.
pub(crate) fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text that is safe to show in a terminal: control and direction-changing characters are
/// replaced, and a long text is cut off.
pub fn harmless(text: &str) -> String {
    const MOST: usize = 2_000;
    let clean = |c: char| {
        if (c.is_control() && c != '\n') || turns(c) {
            '\u{fffd}'
        } else {
            c
        }
    };
    let mut shown: String = text.chars().take(MOST).map(clean).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    // A line that begins like this is an order to GitHub's runner.
    shown.replace("\n::", "\n\u{fffd}::")
}

/// The name of a file that is safe to show: it stays in its line, so that no part of it looks like a
/// message of its own.
pub fn harmless_name(name: &str) -> String {
    harmless(name).replace('\n', "\u{fffd}")
}

/// The part of a line that a message shows; tabs and control characters are replaced with spaces.
struct Window {
    text: String,
    before: String,
    marked: String,
}

impl Window {
    /// The maximum number of characters of a line that a message shows; minified and binary files
    /// have very long lines.
    const WIDTH: usize = 120;

    fn around(line: &str, start: usize, end: usize) -> Window {
        let clean = |text: &str| {
            text.chars()
                .map(|c| match c {
                    c if c.is_control() => ' ',
                    c if turns(c) => '\u{fffd}',
                    c => c,
                })
                .collect::<String>()
        };
        if line.len() <= Self::WIDTH {
            let (before, marked) = (clean(&line[..start]), clean(&line[start..end.max(start)]));
            return Window {
                text: clean(line),
                before,
                marked,
            };
        }
        let before: Vec<char> = clean(&line[..start]).chars().collect();
        let skipped = before.len().saturating_sub(Self::WIDTH / 2);
        let mut shown: String = before[skipped..].iter().collect();
        if skipped > 0 {
            shown.insert(0, '…');
        }
        let marked: String = clean(&line[start..end.max(start)])
            .chars()
            .take(Self::WIDTH / 2)
            .collect();
        let rest: String = clean(&line[start..])
            .chars()
            .take(Self::WIDTH / 2)
            .collect();
        let cut = line[start..].chars().count() > Self::WIDTH / 2;
        Window {
            text: format!("{shown}{rest}{}", if cut { "…" } else { "" }),
            before: shown,
            marked,
        }
    }
}

/// A line of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The resource that is defined there, by its address in a plan or its path in the CDK; `None` if
    /// the line says it.
    pub resource: Option<String>,
}

impl Place {
    /// A line of a file.
    pub fn new(file: impl Into<String>, line: usize) -> Place {
        Place {
            file: file.into(),
            line,
            resource: None,
        }
    }
}

/// Where the lines of a text come from, if it was generated from other files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

/// Where a line comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The text and the bytes in it; `None` for a line without an origin.
    pub span: Option<(Arc<Source>, Range<usize>)>,
    /// The resource that the line belongs to.
    pub resource: Option<Arc<str>>,
}

impl Origin {
    /// The bytes of a text, and the resource that they belong to.
    pub fn new(span: Option<(Arc<Source>, Range<usize>)>, resource: Option<Arc<str>>) -> Origin {
        Origin { span, resource }
    }
}

impl Origins {
    /// The origin of each line, in order.
    pub fn new(lines: Vec<Origin>) -> Origins {
        Origins(lines)
    }

    /// The origin of a line, from 1; for a line without an origin, that of the nearest line before
    /// it that has one.
    pub fn of(&self, line: usize) -> Option<&(Arc<Source>, Range<usize>)> {
        self.nearest(line).and_then(|origin| origin.span.as_ref())
    }

    /// The origin of a line or of the nearest line before it that has one.
    fn nearest(&self, line: usize) -> Option<&Origin> {
        let until = line.min(self.0.len());
        let mut before = self.0[..until].iter().rev();
        before.find(|origin| origin.span.is_some())
    }

    /// The location that a line, from 1, comes from.
    pub fn place(&self, line: usize) -> Option<Place> {
        let origin = self.nearest(line)?;
        let (source, span) = origin.span.as_ref()?;
        Some(Place {
            file: source.name.clone(),
            line: source.line(span.start),
            resource: origin
                .resource
                .as_ref()
                .map(|resource| resource.to_string()),
        })
    }
}

/// The maximum number of diagnostics shown; a file with more has a more general problem.
const SHOWN: usize = 200;

/// All errors in what was read; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.render())]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// `Ok(value)` if there are no errors; otherwise all errors, in the order of the file.
    ///
    /// # Errors
    /// The diagnostics, if there are any.
    pub fn check<T>(mut found: Vec<Diagnostic>, value: Option<T>) -> Result<T, Diagnostics> {
        found.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
        found.dedup();
        match value {
            Some(value) if found.is_empty() => Ok(value),
            _ => Err(Diagnostics(found)),
        }
    }

    /// Several errors; `None` if there are none.
    pub fn of(mut found: Vec<Diagnostic>) -> Option<Diagnostics> {
        found.dedup();
        (!found.is_empty()).then_some(Diagnostics(found))
    }

    /// The same diagnostics, at the locations that the lines come from.
    #[must_use]
    pub fn at_origins(self, origins: &Origins) -> Diagnostics {
        // A message may name another line of the text.
        let told = |message: String| {
            let other = message
                .rsplit_once(" in line ")
                .and_then(|(start, line)| Some((start, origins.place(line.parse().ok()?)?)));
            other
                .map(|(start, place)| format!("{start} at {}:{}", place.file, place.line))
                .unwrap_or(message)
        };
        let moved = |found: Diagnostic| match found
            .source
            .as_ref()
            .and_then(|source| origins.of(source.line(found.span.start)))
        {
            Some((source, span)) => Diagnostic {
                source: Some(source.clone()),
                span: span.clone(),
                message: told(found.message),
                ..found
            },
            None => found,
        };
        Diagnostics(self.0.into_iter().map(moved).collect())
    }

    /// The diagnostics, in the order of the file.
    pub fn list(&self) -> &[Diagnostic] {
        &self.0
    }

    fn render(&self) -> String {
        let shown = self.0.iter().take(SHOWN).map(Diagnostic::to_string);
        let more = self.0.len().saturating_sub(SHOWN);
        let rest = (more > 0).then(|| format!("… errors not shown: {more}; fix these first"));
        shown.chain(rest).collect::<Vec<_>>().join("\n\n")
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, span: Range<usize>) -> String {
        let source = Some(Source::new("orders.toml", text));
        Diagnostic {
            source,
            span,
            code: "item-size",
            message: "wrong".into(),
            help: "mend it".into(),
        }
        .to_string()
    }

    #[test]
    fn a_diagnostic_shows_the_place_the_line_and_the_way_out() {
        let text = "name = \"x\"\nsize = \"512KB\"\n";
        assert_eq!(
            at(text, 18..25),
            "orders.toml:2:8: error[item-size]: wrong\n2 | size = \"512KB\"\n  |        \
             ^^^^^^^\nhelp: mend it"
        );
    }

    #[test]
    fn any_span_is_rendered_without_a_panic() {
        let text = "größe = \"日本\"\t\u{1f600}";
        for start in 0..text.len() + 3 {
            for end in 0..text.len() + 3 {
                assert!(at(text, start..end).contains("help: mend it"));
            }
        }
        assert!(at("", 0..0).starts_with("orders.toml:1:1:"));
        assert!(at(&"x".repeat(100_000), 50_000..50_010).len() < 600);
    }
}
