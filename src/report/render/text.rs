//! Documents as aligned text, for a terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::money::Money;
use crate::report::document::{Body, Document, Entry, Note, Part, Table as Rows};

/// Whether a text may have colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// ANSI escapes are wanted.
    pub color: bool,
}

impl Style {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }

    /// A heading or a total.
    pub(in crate::report) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Something that needs attention.
    pub(in crate::report) fn warning(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something less important.
    pub(in crate::report) fn quiet(self, text: &str) -> String {
        self.wrap("2", text)
    }
}

/// A name that is safe to show: without control characters, and without marks that change the
/// direction of the text around it.
pub(in crate::report) fn clean(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    name.chars()
        .map(|c| {
            if c.is_control() || turns(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Rows aligned in columns under a header; `numbers` holds the positions of the numeric columns.
pub(in crate::report) fn aligned(
    header: &[&str],
    rows: &[Vec<String>],
    numbers: &[usize],
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(ToString::to_string).collect::<Vec<_>>());
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell)).collect::<Vec<_>>());
    }
    for at in numbers {
        if let Some(column) = table.column_mut(*at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// Lines, each indented by a space.
pub(in crate::report) fn indented(body: &str) -> String {
    body.lines().map(|line| format!(" {line}\n")).collect()
}

/// A difference, with its sign.
pub(in crate::report) fn signed(money: Money) -> String {
    if money > Money::ZERO {
        format!("+{}", money.human())
    } else {
        money.human()
    }
}

/// A document as aligned text.
pub(in crate::report) fn render(document: &Document, style: Style) -> String {
    let mut text = String::new();
    if !document.headline.is_empty() {
        let headline = clean(&document.headline);
        let headline = if document.is_warning {
            style.warning(&headline)
        } else {
            style.strong(&headline)
        };
        text += &format!("{headline}\n");
    }
    for note in &document.notes {
        text += &style.quiet(&note_text(note));
    }
    for part in &document.parts {
        text += &part_text(part, document.is_flush, style);
    }
    text
}

fn note_text(note: &Note) -> String {
    let (label, lines) = match note {
        Note::Line(line) => return format!("{}\n", clean(line)),
        Note::Labelled(label, lines) => (*label, lines),
    };
    let label_of = |at: usize| if at == 0 { label } else { "" };
    let lines = lines.iter().enumerate();
    lines
        .map(|(at, line)| format!("{:<8}{}\n", label_of(at), clean(line)))
        .collect()
}

fn part_text(part: &Part, is_flush: bool, style: Style) -> String {
    if let Body::Paragraph(text) = &part.body {
        return format!("\n{}\n", clean(text));
    }
    let title = match &part.figure {
        Some(figure) => format!("{}  {figure}", clean(&part.title)),
        None => clean(&part.title),
    };
    let title = match (part.is_warning, title.is_empty()) {
        (_, true) => String::new(),
        (true, false) => format!("\n{}\n", style.warning(&title)),
        (false, false) => format!("\n{}\n", style.strong(&title)),
    };
    let line = |line: &String| format!("  {}\n", clean(line));
    let body = match &part.body {
        Body::Table(rows) => table_text(rows, is_flush),
        Body::List(items) => items
            .iter()
            .map(|item| format!("  - {}\n", clean(item)))
            .collect(),
        Body::Lines(lines) => lines.iter().map(line).collect(),
        Body::Entries(entries, _) => entries.iter().map(entry_text).collect(),
        Body::Paragraph(_) => String::new(),
    };
    title + &body
}

fn table_text(rows: &Rows, is_flush: bool) -> String {
    if rows.rows.is_empty() {
        return String::new();
    }
    let table = aligned(&rows.header, &rows.rows, rows.numbers);
    let more = rows.more.as_ref();
    let indentation = if is_flush { "" } else { "  " };
    let more = more.map(|more| format!("{indentation}… and {more}\n"));
    let table = if is_flush { table } else { indented(&table) };
    table + &more.unwrap_or_default()
}

fn entry_text(entry: &Entry) -> String {
    let indentation = " ".repeat(2 + entry.mark.chars().count().clamp(2, 3));
    let details = entry.details.iter();
    let details: String = details
        .map(|detail| format!("{indentation}{}\n", clean(detail)))
        .collect();
    format!("  {}{}\n{details}", entry.mark, clean(&entry.head))
}
