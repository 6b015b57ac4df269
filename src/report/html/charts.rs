//! Charts drawn with plotters; the table below each chart has the same numbers.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::escaped;
use super::svg::{GRID, HERE, Svg, TEXT, ink};

/// The width of a drawing in its own units: with a font size of 13 it is readable on a phone, and
/// two fit side by side on a laptop.
pub(super) const WIDTH: u32 = 480;

/// The start and the end of the horizontal axis of a line chart.
pub const SPAN: [i32; 2] = [MARGIN + SIDE, WIDTH as i32 - RIGHT];

/// The margin around a chart.
const MARGIN: i32 = 6;

/// The margin at the right, for half a label.
const RIGHT: i32 = 16;

/// The space at the left, for labels and a title.
const SIDE: i32 = 76;

/// The number of letters of a name that a chart has room for.
const NAME_LETTERS: usize = 44;

/// A line of a chart.
pub struct ChartLine {
    /// Its colour, from 1.
    pub color: u8,
    /// Its points; a value that is not finite is skipped.
    pub points: Vec<(f64, f64)>,
    /// Whether a value holds until the next.
    pub steps: bool,
}

/// Values along an axis.
pub struct LineChart<'a> {
    /// The title below the axis.
    pub x_title: &'a str,
    /// The title at the side.
    pub y_title: &'a str,
    /// The range of the axis.
    pub x_range: (f64, f64),
    /// The lines.
    pub lines: Vec<ChartLine>,
    /// Highlighted points, each with a colour and the words of its tooltip.
    pub dots: Vec<(f64, f64, u8, String)>,
    /// Marked places of the axis, each with a label.
    pub marks: Vec<(f64, String)>,
    /// The label at a place of the axis.
    pub x_label: &'a dyn Fn(f64) -> String,
    /// How many places of the axis have a label.
    pub x_labels: usize,
    /// Whether the vertical axis is in dollars.
    pub dollars: bool,
    /// Whether the vertical axis begins near the lowest value, where lines differ by little,
    /// instead of at 0.
    pub near: bool,
}

/// A number at an axis, as short as the step between labels allows, in the unit of the largest one.
pub fn short(value: f64, step: f64, most: f64) -> String {
    let size = most.max(step);
    let units = [
        (1e15, "e15"),
        (1e12, "T"),
        (1e9, "G"),
        (1e6, "M"),
        (1e4, "k"),
    ];
    let (unit, name) = units
        .into_iter()
        .find(|(unit, _)| size >= *unit)
        .map_or((1.0, ""), |(unit, name)| {
            (if name == "k" { 1e3 } else { unit }, name)
        });
    let (value, step) = (value / unit, step / unit);
    let digits = if step > 0.0 {
        (-step.log10()).ceil().clamp(0.0, 9.0) as usize
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    if text == "0" || text == "-0" {
        "0".to_string()
    } else {
        format!("{text}{name}")
    }
}

/// Wraps what was drawn. The label is for screen readers.
fn svg(body: &str, height: u32, label: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">{body}</svg>",
        escaped(label)
    )
}

/// Draws with plotters, and adds what is drawn without it. If that fails, there is no drawing, but
/// the table has the numbers.
pub(super) fn draw(
    height: u32,
    label: &str,
    what: impl FnOnce(&DrawingArea<Svg<'_>, Shift>) -> Option<String>,
) -> String {
    let mut body = String::new();
    let area = Svg::new(&mut body, (WIDTH, height)).into_drawing_area();
    let drawn = what(&area).filter(|_| area.present().is_ok());
    drop(area);
    drawn
        .map(|more| svg(&(body + &more), height, label))
        .unwrap_or_default()
}

/// The font of a drawing, in a given size.
pub(super) fn font<'a>(size: u32) -> TextStyle<'a> {
    ("sans-serif", size).into_font().color(&ink(TEXT))
}

impl ChartLine {
    /// The points to connect, up to the right edge if the line goes in steps.
    fn path(&self, to: f64) -> Vec<(f64, f64)> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for (x, y) in self.points.iter().filter(|(_, y)| y.is_finite()) {
            if let (true, Some((_, last))) = (self.steps, points.last().copied()) {
                points.push((*x, last));
            }
            points.push((*x, *y));
        }
        if let (true, Some((_, last))) = (self.steps, points.last().copied()) {
            points.push((to, last));
        }
        points
    }
}

impl LineChart<'_> {
    /// The chart.
    pub fn draw(&self, label: &str) -> String {
        self.draw_in(270, label)
    }

    /// A chart of half the height, for pages with many charts.
    pub fn draw_small(&self, label: &str) -> String {
        self.draw_in(140, label)
    }

    /// The lowest and the highest value of the axis, and the highest of the lines.
    fn y_range(&self) -> (f64, f64, f64) {
        let values = || {
            let points = self.lines.iter().flat_map(|line| &line.points);
            points.map(|(_, y)| *y).filter(|y| y.is_finite())
        };
        let most = values().fold(0.0_f64, f64::max);
        let least = values().fold(most, f64::min);
        let room = (most - least) * 0.1;
        if self.near && room > 0.0 && least > room {
            (least - room, most + room, most)
        } else if most > 0.0 {
            (0.0, most * 1.08, most)
        } else {
            // A chart without data still has an axis.
            (0.0, 1.0, most)
        }
    }

    fn draw_in(&self, height: u32, label: &str) -> String {
        let (bottom, top, most) = self.y_range();
        draw(height, label, |area| {
            let (from, to) = if self.x_range.0 < self.x_range.1 {
                self.x_range
            } else {
                (self.x_range.0, self.x_range.0 + 1.0)
            };
            let mut chart = ChartBuilder::on(area)
                .margin(MARGIN)
                .margin_right(RIGHT)
                .margin_top(if self.marks.is_empty() { 8 } else { 24 })
                .x_label_area_size(if self.x_title.is_empty() { 24 } else { 42 })
                .y_label_area_size(SIDE)
                .build_cartesian_2d(from..to, bottom..top)
                .ok()?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(ink(GRID))
                .axis_style(ink(TEXT))
                .x_desc(self.x_title)
                .y_desc(self.y_title)
                .x_labels(self.x_labels)
                .y_labels(if height < 200 { 3 } else { 6 })
                .x_label_formatter(&|x| (self.x_label)(*x))
                .y_label_formatter(&|y| {
                    if self.dollars {
                        format!("${}", short(*y, (top - bottom) / 12.0, most))
                    } else {
                        short(*y, (top - bottom) / 12.0, most)
                    }
                })
                .label_style(font(16))
                .axis_desc_style(font(17))
                .draw()
                .ok()?;
            for line in &self.lines {
                let path = PathElement::new(line.path(to), ink(line.color));
                chart.draw_series([path]).ok()?;
            }
            for (x, word) in &self.marks {
                chart
                    .draw_series([PathElement::new([(*x, bottom), (*x, top)], ink(HERE))])
                    .ok()?;
                let (left, above) = chart.backend_coord(&(*x, top));
                // Near an edge, the label goes to the side that has room.
                let side = if left < 150 {
                    HPos::Left
                } else if left > 390 {
                    HPos::Right
                } else {
                    HPos::Center
                };
                let style = font(16).pos(Pos::new(side, VPos::Bottom));
                area.draw(&Text::new(word.clone(), (left, above - 5), style))
                    .ok()?;
            }
            let dot = |(x, y, color, words): &(f64, f64, u8, String)| {
                let (left, down) = chart.backend_coord(&(*x, *y));
                format!(
                    "<circle class=\"f{color}\" cx=\"{left}\" cy=\"{down}\" \
                     r=\"5\"><title>{}</title></circle>",
                    escaped(words)
                )
            };
            Some(self.dots.iter().map(dot).collect())
        })
    }
}

/// A bar with its name and its value in words.
pub struct Bar {
    /// What it represents.
    pub name: String,
    /// How long it is.
    pub value: f64,
    /// The value in words.
    pub words: String,
    /// Its colour, from 1.
    pub color: u8,
}

/// The first letters of a name; the table has the full name.
fn cut(name: &str, letters: usize) -> String {
    // Marks that change the direction of a text would also change the text beside it.
    let plain = |c: &char| {
        !c.is_control() && !matches!(*c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut text: String = name.chars().filter(plain).collect();
    if text.chars().count() > letters {
        text = text.chars().take(letters - 1).chain(['…']).collect();
    }
    text
}

/// Bars below one another, each with its name above it.
pub fn bars(bars: &[Bar], label: &str) -> String {
    const ROW: i32 = 36;
    let most = bars.iter().map(|bar| bar.value).fold(0.0_f64, f64::max);
    draw(bars.len() as u32 * ROW as u32 + 6, label, |area| {
        for (at, bar) in bars.iter().enumerate() {
            let top = at as i32 * ROW;
            let letters = NAME_LETTERS.saturating_sub(bar.words.chars().count().saturating_sub(8));
            area.draw(&Text::new(
                cut(&bar.name, letters.max(12)),
                (2, top + 16),
                font(17).pos(Pos::new(HPos::Left, VPos::Bottom)),
            ))
            .ok()?;
            let end = font(17).pos(Pos::new(HPos::Right, VPos::Bottom));
            area.draw(&Text::new(
                bar.words.clone(),
                (WIDTH as i32 - 2, top + 16),
                end,
            ))
            .ok()?;
            let share = if most > 0.0 {
                (bar.value / most).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let length = ((f64::from(WIDTH - 4) * share) as i32).max(1);
            area.draw(&Rectangle::new(
                [(2, top + 20), (2 + length, top + 31)],
                ink(bar.color).filled(),
            ))
            .ok()?;
        }
        Some(String::new())
    })
}

/// Ranges below one another around a middle, each with its name above it: a tornado.
pub struct TornadoBar {
    /// What it represents.
    pub name: String,
    /// Its ends.
    pub ends: (f64, f64),
    /// The ends in words.
    pub words: (String, String),
}

/// Draws ranges around a middle.
pub fn tornado(ranges: &[TornadoBar], middle: f64, label: &str) -> String {
    const ROW: i32 = 50;
    let low = ranges
        .iter()
        .flat_map(|range| [range.ends.0, range.ends.1])
        .fold(middle, f64::min);
    let high = ranges
        .iter()
        .flat_map(|range| [range.ends.0, range.ends.1])
        .fold(middle, f64::max);
    let width = if high > low { high - low } else { 1.0 };
    let at = |value: f64| 4 + (f64::from(WIDTH - 8) * (value - low) / width) as i32;
    draw(ranges.len() as u32 * ROW as u32 + 6, label, |area| {
        for (position, range) in ranges.iter().enumerate() {
            let top = position as i32 * ROW;
            area.draw(&Text::new(
                cut(&range.name, 58),
                (4, top + 16),
                font(17).pos(Pos::new(HPos::Left, VPos::Bottom)),
            ))
            .ok()?;
            let (one, other) = (
                at(range.ends.0.min(range.ends.1)),
                at(range.ends.0.max(range.ends.1)),
            );
            area.draw(&Rectangle::new(
                [(one, top + 19), (other.max(one + 1), top + 30)],
                ink(1).filled(),
            ))
            .ok()?;
            let words = if range.ends.0 <= range.ends.1 {
                [&range.words.0, &range.words.1]
            } else {
                [&range.words.1, &range.words.0]
            };
            let text = format!("{} to {}", words[0], words[1]);
            let line = at(middle);
            area.draw(&PathElement::new(
                [(line, top + 17), (line, top + 32)],
                ink(HERE),
            ))
            .ok()?;
            let centre = ((one + other) / 2).clamp(110, WIDTH as i32 - 110);
            area.draw(&Text::new(
                text,
                (centre, top + 33),
                font(15).pos(Pos::new(HPos::Center, VPos::Top)),
            ))
            .ok()?;
        }
        Some(String::new())
    })
}

/// A step of a waterfall.
#[cfg(feature = "bills")]
pub struct WaterfallStep {
    /// What it is.
    pub name: String,
    /// Where it begins and ends.
    pub ends: (f64, f64),
    /// Its size in words.
    pub words: String,
    /// Its colour, from 1.
    pub color: u8,
}

/// Steps below one another, each from where the one before ended.
#[cfg(feature = "bills")]
pub fn waterfall(steps: &[WaterfallStep], label: &str) -> String {
    const ROW: i32 = 36;
    let ends = || steps.iter().flat_map(|step| [step.ends.0, step.ends.1]);
    let low = ends().fold(0.0_f64, f64::min);
    let high = ends().fold(0.0_f64, f64::max);
    let width = if high > low { high - low } else { 1.0 };
    let at = |value: f64| 2 + (f64::from(WIDTH - 4) * (value - low) / width) as i32;
    draw(steps.len() as u32 * ROW as u32 + 6, label, |area| {
        for (position, step) in steps.iter().enumerate() {
            let top = position as i32 * ROW;
            let start = font(17).pos(Pos::new(HPos::Left, VPos::Bottom));
            area.draw(&Text::new(cut(&step.name, 36), (2, top + 16), start))
                .ok()?;
            let end = font(17).pos(Pos::new(HPos::Right, VPos::Bottom));
            area.draw(&Text::new(
                step.words.clone(),
                (WIDTH as i32 - 2, top + 16),
                end,
            ))
            .ok()?;
            let (one, other) = (
                at(step.ends.0.min(step.ends.1)),
                at(step.ends.0.max(step.ends.1)),
            );
            area.draw(&Rectangle::new(
                [(one, top + 20), (other.max(one + 1), top + 31)],
                ink(step.color).filled(),
            ))
            .ok()?;
        }
        Some(String::new())
    })
}
