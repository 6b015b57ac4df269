//! Draws as SVG that a style sheet colours: plotters gives the positions, a class gives the style.
//! Texts remain text, and are escaped.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters::prelude::{DrawingBackend, RGBColor};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind,
};

use super::escaped;

/// A colour of the style sheet: its number is stored in the red component, which is never shown.
pub fn ink(number: u8) -> RGBColor {
    RGBColor(number, 0, 0)
}

/// Text and axes.
pub const TEXT: u8 = 0;

/// Lines of a grid.
pub const GRID: u8 = 20;

/// The mark for the current design.
pub const HERE: u8 = 21;

/// An SVG that is being written.
pub struct Svg<'a> {
    text: &'a mut String,
    size: (u32, u32),
    /// The kind and colour of a path that is not closed yet.
    open: Option<(char, u8)>,
}

type DrawnText = Result<(), DrawingErrorKind<Infallible>>;

impl<'a> Svg<'a> {
    /// An empty drawing. The caller writes the element around it.
    pub fn new(text: &'a mut String, size: (u32, u32)) -> Svg<'a> {
        Svg {
            text,
            size,
            open: None,
        }
    }

    fn push(&mut self, element: std::fmt::Arguments) -> DrawnText {
        if self.open.take().is_some() {
            self.text.push_str("\"/>");
        }
        // Writing to a string cannot fail.
        self.text.write_fmt(element).ok();
        Ok(())
    }
}

impl Svg<'_> {
    /// Adds to the open path if it has the same kind and colour; otherwise begins a new one.
    fn path(&mut self, kind: char, color: u8, data: std::fmt::Arguments) -> DrawnText {
        if self.open != Some((kind, color)) {
            self.push(format_args!("<path class=\"{kind}{color}\" d=\""))?;
            self.open = Some((kind, color));
        }
        self.text.write_fmt(data).ok();
        Ok(())
    }
}

impl DrawingBackend for Svg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> DrawnText {
        Ok(())
    }

    fn present(&mut self) -> DrawnText {
        self.push(format_args!(""))
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> DrawnText {
        self.push(format_args!(
            "<path class=\"f{}\" d=\"M{x} {y}h1v1h-1z\"/>",
            color.rgb.0
        ))
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        (x0, y0): BackendCoord,
        (x1, y1): BackendCoord,
        style: &S,
    ) -> DrawnText {
        let color = style.color();
        if color.alpha == 0.0 {
            return Ok(());
        }
        match (x1 - x0, y1 - y0) {
            (dx, 0) => self.path('l', color.rgb.0, format_args!("M{x0} {y0}h{dx}")),
            (0, dy) => self.path('l', color.rgb.0, format_args!("M{x0} {y0}v{dy}")),
            (dx, dy) => self.path('l', color.rgb.0, format_args!("M{x0} {y0}l{dx} {dy}")),
        }
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x0, y0): BackendCoord,
        (x1, y1): BackendCoord,
        style: &S,
        fill: bool,
    ) -> DrawnText {
        let color = style.color();
        if color.alpha == 0.0 {
            return Ok(());
        }
        self.path(
            if fill { 'f' } else { 'l' },
            color.rgb.0,
            format_args!("M{x0} {y0}H{x1}V{y1}H{x0}z"),
        )
    }

    /// Points in the middle of a straight line are left out.
    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> DrawnText {
        let mut points: Vec<BackendCoord> = Vec::new();
        for point in path {
            if points.last() == Some(&point) {
                continue;
            }
            let straight = match points.as_slice() {
                [.., (ax, ay), (bx, by)] => {
                    (i64::from(bx - ax) * i64::from(point.1 - by)
                        == i64::from(by - ay) * i64::from(point.0 - bx))
                        && (bx - ax).signum() == (point.0 - bx).signum()
                        && (by - ay).signum() == (point.1 - by).signum()
                }
                _ => false,
            };
            if straight {
                points.pop();
            }
            points.push(point);
        }
        let mut data = String::new();
        let mut last = (0, 0);
        for (at, (x, y)) in points.iter().copied().enumerate() {
            let (dx, dy) = (x - last.0, y - last.1);
            match (at, dx, dy) {
                (0, ..) => write!(data, "M{x} {y}"),
                (_, _, 0) => write!(data, "h{dx}"),
                (_, 0, _) => write!(data, "v{dy}"),
                _ => write!(data, "l{dx} {dy}"),
            }
            .ok();
            last = (x, y);
        }
        self.push(format_args!(
            "<path class=\"l{}\" d=\"{data}\"/>",
            style.color().rgb.0
        ))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> DrawnText {
        let points: Vec<String> = path.into_iter().map(|(x, y)| format!("{x} {y}")).collect();
        self.push(format_args!(
            "<path class=\"f{}\" d=\"M{}z\"/>",
            style.color().rgb.0,
            points.join("L")
        ))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> DrawnText {
        let class = if fill { 'f' } else { 'l' };
        self.push(format_args!(
            "<circle class=\"{class}{}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>",
            style.color().rgb.0
        ))
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> DrawnText {
        if text.is_empty() {
            return Ok(());
        }
        let across = match style.anchor().h_pos {
            HPos::Left => 's',
            HPos::Right => 'e',
            HPos::Center => 'm',
        };
        let down = match style.anchor().v_pos {
            VPos::Top => 't',
            VPos::Center => 'c',
            VPos::Bottom => 'b',
        };
        let turned = match style.transform() {
            plotters_backend::FontTransform::None => String::new(),
            plotters_backend::FontTransform::Rotate90 => {
                format!(" transform=\"rotate(90 {x} {y})\"")
            }
            plotters_backend::FontTransform::Rotate180 => {
                format!(" transform=\"rotate(180 {x} {y})\"")
            }
            plotters_backend::FontTransform::Rotate270 => {
                format!(" transform=\"rotate(270 {x} {y})\"")
            }
        };
        self.push(format_args!(
            "<text class=\"{across}{down}\" x=\"{x}\" y=\"{y}\"{turned}>{}</text>",
            escaped(text)
        ))
    }
}

#[cfg(test)]
mod tests {
    use plotters::prelude::*;

    use super::*;

    fn drawn(draw: impl FnOnce(&DrawingArea<Svg<'_>, plotters::coord::Shift>)) -> String {
        let mut text = String::new();
        let area = Svg::new(&mut text, (100, 50)).into_drawing_area();
        draw(&area);
        area.present().expect("drawn");
        drop(area);
        text
    }

    #[test]
    fn texts_are_escaped_and_stay_texts() {
        let svg = drawn(|area| {
            area.draw(&Text::new(
                "<script>alert('&')</script>",
                (5, 9),
                ("sans-serif", 12).into_font(),
            ))
            .expect("drawn");
        });
        assert!(
            svg.contains("&#60;script&#62;") && !svg.contains("<script"),
            "{svg}"
        );
    }

    #[test]
    fn rectangles_of_one_colour_are_one_path_and_straight_lines_two_points() {
        let svg = drawn(|area| {
            for at in 0..3 {
                area.draw(&Rectangle::new(
                    [(at * 10, 0), (at * 10 + 9, 5)],
                    ink(3).filled(),
                ))
                .expect("drawn");
            }
            area.draw(&PathElement::new(
                [(0, 0), (5, 5), (10, 10), (10, 20)],
                ink(2),
            ))
            .expect("drawn");
        });
        assert_eq!(svg.matches("<path").count(), 2, "{svg}");
        assert!(svg.contains("d=\"M0 0l10 10v10\""), "{svg}");
    }
}
