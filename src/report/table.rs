//! Tables and styles for a terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::money::Money;

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
    pub(super) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Something that needs attention.
    pub(super) fn warning(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something less important.
    pub(super) fn quiet(self, text: &str) -> String {
        self.wrap("2", text)
    }
}

/// A name that is safe to show: without control characters, and without marks that change the
/// direction of the text around it.
pub(super) fn clean(name: &str) -> String {
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
pub(super) fn aligned(header: &[&str], rows: &[Vec<String>], numbers: &[usize]) -> String {
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
pub(super) fn indented(body: &str) -> String {
    body.lines().map(|line| format!(" {line}\n")).collect()
}

/// A difference, with its sign.
pub(super) fn signed(money: Money) -> String {
    if money > Money::ZERO {
        format!("+{}", money.human())
    } else {
        money.human()
    }
}
