//! The heat map: units over time and ranges of keys.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::charts::{WIDTH, draw, font};
use super::svg::{GRID, ink};

/// The number of levels of the heat map, not counting 0 for nothing.
pub const LEVELS: u8 = 6;

/// A heat map: columns of time, rows of key ranges; each cell has a level, 0 for nothing.
pub struct HeatMapChart<'a> {
    /// The cells, column by column.
    pub levels: Vec<Vec<u8>>,
    /// The label below its left end.
    pub from: &'a str,
    /// The label below its right end.
    pub to: &'a str,
}

impl HeatMapChart<'_> {
    /// Draws the heat map as SVG.
    pub fn draw(&self, label: &str) -> String {
        const TOP: i32 = 4;
        const HEIGHT: i32 = 192;
        const LEFT: i32 = 26;
        let rows = self.levels.iter().map(Vec::len).max().unwrap_or(0).max(1) as i32;
        let columns = self.levels.len().max(1) as i32;
        let x = |column: i32| LEFT + (WIDTH as i32 - LEFT - 4) * column / columns;
        let y = |row: i32| TOP + HEIGHT * row / rows;
        draw(226, label, |area| {
            for level in 1..=LEVELS {
                for (column, cells) in self.levels.iter().enumerate() {
                    for (row, _) in cells.iter().enumerate().filter(|(_, cell)| **cell == level) {
                        let (column, row) = (column as i32, row as i32);
                        let corners = [(x(column), y(row)), (x(column + 1), y(row + 1))];
                        area.draw(&Rectangle::new(corners, ink(30 + level).filled()))
                            .ok()?;
                    }
                }
            }
            area.draw(&Rectangle::new(
                [(LEFT, TOP), (WIDTH as i32 - 4, TOP + HEIGHT)],
                ink(GRID),
            ))
            .ok()?;
            let turned = font(16)
                .pos(Pos::new(HPos::Center, VPos::Bottom))
                .transform(FontTransform::Rotate270);
            area.draw(&Text::new(
                "keys by hash",
                (LEFT - 6, TOP + HEIGHT / 2),
                turned,
            ))
            .ok()?;
            area.draw(&Text::new(
                self.from.to_string(),
                (LEFT, TOP + HEIGHT + 6),
                font(16).pos(Pos::new(HPos::Left, VPos::Top)),
            ))
            .ok()?;
            let end = font(16).pos(Pos::new(HPos::Right, VPos::Top));
            area.draw(&Text::new(
                self.to.to_string(),
                (WIDTH as i32 - 4, TOP + HEIGHT + 6),
                end,
            ))
            .ok()?;
            Some(String::new())
        })
    }
}
