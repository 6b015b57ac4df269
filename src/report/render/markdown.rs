//! Documents as Markdown.

use crate::report::document::{Body, Document, Entry, Note, Part};

/// Escapes a text, so that it contains no markup.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A table; `numbers` holds the positions of the numeric columns.
pub(in crate::report) fn table(header: &[&str], rows: &[Vec<String>], numbers: &[usize]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let rule = (0..header.len())
        .map(|at| if numbers.contains(&at) { "---:" } else { "---" }.to_string())
        .collect();
    let head = line(header.iter().map(ToString::to_string).collect());
    let body: String = rows
        .iter()
        .map(|row| line(row.iter().map(|cell| escape(cell)).collect()))
        .collect();
    head + &line(rule) + &body
}

/// A list.
pub(in crate::report) fn list(items: &[String]) -> String {
    items
        .iter()
        .map(|item| format!("- {}\n", escape(item)))
        .collect()
}

/// A document as Markdown.
pub(in crate::report) fn render(document: &Document) -> String {
    let mut text = String::new();
    if !document.headline.is_empty() {
        text += &format!("## {}\n", escape(&document.headline));
    }
    let is_list = |note: &Note| matches!(note, Note::Labelled(..));
    for (at, note) in document.notes.iter().enumerate() {
        let follows_list = at > 0 && is_list(&document.notes[at - 1]);
        if !(is_list(note) && follows_list) {
            text.push('\n');
        }
        text += &match note {
            Note::Line(line) => format!("{}\n", escape(line)),
            Note::Labelled(label, lines) => format!("- {label} {}\n", escape(&lines.join(", "))),
        };
    }
    for part in &document.parts {
        let body = part_text(part);
        // The first part of a document without a headline is at its beginning.
        text += if text.is_empty() {
            body.trim_start_matches('\n')
        } else {
            &body
        };
    }
    text
}

fn part_text(part: &Part) -> String {
    let title = match &part.figure {
        Some(figure) => format!("{}: {}", escape(&part.title), escape(figure)),
        None => escape(&part.title),
    };
    let title = if title.is_empty() {
        String::new()
    } else {
        format!("\n### {title}\n")
    };
    format!("{title}\n{}", body_text(&part.body))
}

/// A numbered entry with a block of code.
fn edit_text(entry: &Entry) -> String {
    let indentation = " ".repeat(entry.mark.chars().count());
    let head = format!("{}{}\n", entry.mark, escape(&entry.head));
    if entry.details.is_empty() {
        return head;
    }
    let plain = |line: &String| line.replace(char::is_control, " ").replace("```", "`");
    let lines = entry.details.iter().map(plain);
    let fenced = std::iter::once("```toml".to_string()).chain(lines);
    let fenced = fenced.chain(["```".to_string()]);
    let block: String = fenced
        .map(|line| format!("{indentation}{line}\n"))
        .collect();
    format!("{head}\n{block}\n")
}

fn body_text(body: &Body) -> String {
    match body {
        Body::Table(rows) if rows.rows.is_empty() => String::new(),
        Body::Table(rows) => {
            let more = rows.more.as_ref().map(|more| format!("\n… and {more}\n"));
            table(&rows.header, &rows.rows, rows.numbers) + &more.unwrap_or_default()
        }
        Body::List(items) | Body::Lines(items) => list(items),
        Body::Entries(_, other) => body_text(other),
        Body::Edits(entries) => entries.iter().map(edit_text).collect(),
        Body::Paragraph(text) => format!("{}\n", escape(text)),
    }
}
