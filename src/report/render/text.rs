//! Documents as aligned text, for a terminal.

pub use super::style::Style;
pub(in crate::report) use super::style::clean;

use super::columns;
use crate::money::Money;
use crate::report::document::{Body, Document, Entry, Note, Part, Table};

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
        for line in style.wrapped(&clean(&document.headline), "", "") {
            text += &match document.is_warning {
                true => style.warning(&line),
                false => style.strong(&line),
            };
            text.push('\n');
        }
    }
    for note in &document.notes {
        text += &note_text(note, style);
    }
    for part in &document.parts {
        text += &part_text(part, document.is_flush, style);
    }
    text
}

fn note_text(note: &Note, style: Style) -> String {
    let lines = match note {
        Note::Line(line) => style.wrapped(&clean(line), "", ""),
        Note::Labelled(label, lines) => {
            let label = format!("{label:<8}");
            let rest = " ".repeat(label.len());
            let lines = lines.iter().enumerate();
            let of = |(at, line): (usize, &String)| {
                style.wrapped(&clean(line), if at == 0 { &label } else { &rest }, &rest)
            };
            lines.flat_map(of).collect()
        }
    };
    let quiet = lines.iter().map(|line| format!("{}\n", style.quiet(line)));
    quiet.collect()
}

fn part_text(part: &Part, is_flush: bool, style: Style) -> String {
    if let Body::Paragraph(text) = &part.body {
        return format!("\n{}", style.lines(&clean(text), "", ""));
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
    let body = match &part.body {
        Body::Table(table) => table_text(table, is_flush, style),
        Body::List(items) => items
            .iter()
            .map(|item| style.lines(&clean(item), "  - ", "    "))
            .collect(),
        Body::Lines(lines) => lines
            .iter()
            .map(|line| {
                // Lines that belong to the one before are indented further.
                let own = line.len() - line.trim_start().len();
                let (first, rest) = (" ".repeat(2 + own), " ".repeat(4 + own));
                style.lines(clean(line).trim_start(), &first, &rest)
            })
            .collect(),
        Body::Entries(entries, _) => {
            let entries = entries.iter().map(|entry| entry_text(entry, style));
            entries.collect()
        }
        Body::Edits(entries) => {
            let entries = entries.iter().map(|entry| edit_text(entry, style));
            entries.collect()
        }
        Body::Paragraph(_) => String::new(),
    };
    title + &body
}

fn table_text(table: &Table, is_flush: bool, style: Style) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let indentation = if is_flush { "" } else { "  " };
    let more = table.more.as_ref();
    let more = more.map(|more| style.lines(&format!("… and {more}"), indentation, indentation));
    columns::aligned(table, indentation, style) + &more.unwrap_or_default()
}

/// An entry with lines that stay as they are, however long.
fn edit_text(entry: &Entry, style: Style) -> String {
    let indentation = " ".repeat(2 + entry.mark.chars().count());
    let first = format!("  {}", entry.mark);
    let code = entry.details.iter();
    let code: String = code
        .map(|line| format!("{indentation}{}\n", clean(line)))
        .collect();
    style.lines(&clean(&entry.head), &first, &indentation) + &code
}

fn entry_text(entry: &Entry, style: Style) -> String {
    let indentation = " ".repeat(2 + entry.mark.chars().count().clamp(2, 3));
    let details = entry.details.iter();
    let details: String = details
        .map(|detail| style.lines(&clean(detail), &indentation, &indentation))
        .collect();
    let head = style.lines(
        &clean(&entry.head),
        &format!("  {}", entry.mark),
        &indentation,
    );
    head + &details
}
