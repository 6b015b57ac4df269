//! Tables in aligned columns, as wide as the terminal allows.

use unicode_width::UnicodeWidthStr;

use super::style::{Style, clean};
use crate::report::document::Table;

/// The space between two columns.
const GAP: usize = 2;

/// A cell that says that a figure is not known.
const UNKNOWN: &str = "unknown";

/// A table as text. Where the width is not enough, columns move below their rows, and in the end the widest
/// of the others above; no cell is cut or broken.
pub(super) fn aligned(table: &Table, indentation: &str, style: Style) -> String {
    let layout = Layout::new(table, indentation, style);
    let header: Vec<String> = table.header.iter().map(ToString::to_string).collect();
    let mut text = layout.line(&header, &|_, text| text);
    for row in &table.rows {
        let row: Vec<String> = row.iter().map(|cell| clean(cell)).collect();
        text += &layout.row(&row);
    }
    text
}

/// Where the cells of a table stand.
struct Layout<'a> {
    table: &'a Table,
    indentation: &'a str,
    style: Style,
    /// The width of each column.
    widths: Vec<usize>,
    /// The columns that stand side by side.
    shown: Vec<usize>,
    /// The columns below each row.
    below: Vec<usize>,
    /// The column that stands above the others, if one is too wide to stand beside them.
    above: Option<usize>,
}

impl<'a> Layout<'a> {
    fn new(table: &'a Table, indentation: &'a str, style: Style) -> Layout<'a> {
        let width = |at: usize| {
            let cells = table.rows.iter().filter_map(|row| row.get(at));
            let widest = cells.map(|cell| clean(cell).width()).max().unwrap_or(0);
            widest.max(table.header.get(at).map_or(0, |head| head.width()))
        };
        let mut layout = Layout {
            table,
            indentation,
            style,
            widths: (0..table.header.len()).map(width).collect(),
            shown: (0..table.header.len()).collect(),
            below: Vec::new(),
            above: None,
        };
        layout.fold();
        layout
    }

    /// Moves columns until the rest fits.
    fn fold(&mut self) {
        let Some(width) = self.style.width else {
            return;
        };
        for at in self.order() {
            if self.width() <= width {
                return;
            }
            self.shown.retain(|shown| *shown != at);
            self.below.push(at);
            self.below.sort_unstable();
        }
        if self.width() > width && self.shown.len() > 1 {
            self.above = self.shown.iter().copied().max_by_key(|at| self.widths[*at]);
            self.shown.retain(|at| Some(*at) != self.above);
        }
    }

    /// The columns that may move, the first to go first: those that the table names, else texts from
    /// the right.
    fn order(&self) -> Vec<usize> {
        if !self.table.below.is_empty() {
            return self.table.below.to_vec();
        }
        let texts = (1..self.widths.len()).rev();
        texts
            .filter(|at| !self.table.numbers.contains(at))
            .collect()
    }

    /// The width of the columns side by side.
    fn width(&self) -> usize {
        let own: usize = self.shown.iter().map(|at| self.widths[*at]).sum();
        self.indentation.len() + own + GAP * self.shown.len().saturating_sub(1)
    }

    fn line(&self, cells: &[String], paint: &dyn Fn(usize, String) -> String) -> String {
        let mut line = String::new();
        for (place, at) in self.shown.iter().enumerate() {
            let cell = cells.get(*at).map_or("", String::as_str);
            let space = " ".repeat(self.widths[*at].saturating_sub(cell.width()));
            let painted = paint(*at, cell.to_string());
            if place > 0 {
                line += &" ".repeat(GAP);
            }
            line += &match self.table.numbers.contains(at) {
                true => format!("{space}{painted}"),
                false => format!("{painted}{space}"),
            };
        }
        let line = format!("{}{line}", self.indentation);
        format!("{}\n", line.trim_end())
    }

    fn row(&self, cells: &[String]) -> String {
        let paint = |at: usize, cell: String| self.painted(at, cell);
        let deeper = format!("{}    ", self.indentation);
        let mut text = String::new();
        if let Some(above) = self.above {
            let cell = cells.get(above).map_or("", String::as_str);
            text += &self.style.lines(cell, self.indentation, &deeper);
        }
        text += &self.line(cells, &paint);
        let words = self.below.iter().filter_map(|at| cells.get(*at));
        let words = words.filter(|cell| !cell.is_empty() && *cell != "-");
        let words = words.cloned().collect::<Vec<_>>().join("  ");
        if !words.is_empty() {
            for line in self.style.wrapped(&words, &deeper, &deeper) {
                text += &format!("{}\n", self.style.quiet(&line));
            }
        }
        text
    }

    /// A cell in its colour.
    fn painted(&self, at: usize, cell: String) -> String {
        let saves = !matches!(cell.as_str(), "" | "-" | "$0.00") && !cell.starts_with('+');
        match self.table.savings.contains(&at) {
            true if saves => self.style.saving(&cell),
            _ if cell == UNKNOWN => self.style.warning(&cell),
            _ => cell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let row = |cells: [&str; 4]| cells.map(str::to_string).to_vec();
        let rows = vec![
            row(["Orders", "ReadRequestUnits", "1,000", "because it is read"]),
            row(["Carts and lists", "WriteRequestUnits", "20", "-"]),
        ];
        Table::new(&["What", "Usage type", "Units", "Why"], rows, &[2])
    }

    fn text(width: Option<usize>) -> String {
        let style = Style {
            color: false,
            width,
        };
        aligned(&table(), "  ", style)
    }

    #[test]
    fn a_pipe_gets_every_column() {
        assert_eq!(
            text(None),
            "  What             Usage type         Units  Why\n  \
             Orders           ReadRequestUnits   1,000  because it is read\n  \
             Carts and lists  WriteRequestUnits     20  -\n"
        );
        assert_eq!(text(Some(80)), text(None));
    }

    #[test]
    fn columns_that_do_not_fit_move_below_their_row() {
        assert_eq!(
            text(Some(46)),
            "  What             Usage type         Units\n  \
             Orders           ReadRequestUnits   1,000\n      because it is read\n  \
             Carts and lists  WriteRequestUnits     20\n"
        );
        let narrow = text(Some(30));
        assert!(narrow.lines().all(|line| line.width() <= 30), "{narrow}");
        assert!(
            narrow.contains("ReadRequestUnits\n      because"),
            "{narrow}"
        );
    }

    #[test]
    fn a_first_column_that_is_too_wide_stands_above() {
        let narrow = text(Some(20));
        assert!(
            narrow.starts_with("  Units\n  Orders\n  1,000\n"),
            "{narrow}"
        );
    }
}
