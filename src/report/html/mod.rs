//! The report: one self-contained page.
//!
//! Sections turn figures into words, tables and charts; the template only arranges them.

#[cfg(feature = "bills")]
mod bill;
mod charts;
mod design;
mod fleet;
mod front;
mod headroom;
#[cfg(feature = "replay")]
mod heat;
mod money;
mod svg;
#[cfg(feature = "replay")]
mod trace;
mod working;

use askama::Template;
use base64::Engine;
pub use fleet::fleet_html;
use front::Front;
use serde::Serialize;

use super::fleet::FleetSummary;
use super::present::Present;
use crate::compare::Curves;
use crate::fleet::compared_fleet;
use crate::money::{Money, MoneyError};
use crate::review::{Review, Spending, TrafficTable};
use crate::units::{Exact, count_of};

/// Why the page cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A figure is too large to be exact.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The template could not be filled.
    #[error("the page could not be written: {0}")]
    Template(#[from] askama::Error),
}

/// Escapes a text for HTML.
fn escaped(text: &str) -> String {
    askama::filters::escape(
        crate::report::render::text::clean(text),
        askama::filters::Html,
    )
    .map(|text| text.to_string())
    .unwrap_or_default()
}

/// A cell of a table.
struct HtmlCell {
    text: String,
    /// The exact figure behind the text.
    exact: Option<String>,
}

impl From<String> for HtmlCell {
    fn from(text: String) -> HtmlCell {
        HtmlCell {
            text: crate::report::render::text::clean(&text),
            exact: None,
        }
    }
}

impl From<&str> for HtmlCell {
    fn from(text: &str) -> HtmlCell {
        HtmlCell::from(text.to_string())
    }
}

impl From<Money> for HtmlCell {
    fn from(money: Money) -> HtmlCell {
        HtmlCell {
            text: money.human(),
            exact: Some(money.to_string()),
        }
    }
}

impl From<Option<Money>> for HtmlCell {
    fn from(money: Option<Money>) -> HtmlCell {
        money.map_or_else(|| HtmlCell::from("unknown"), HtmlCell::from)
    }
}

impl HtmlCell {
    /// The exact figure, if the text does not show it.
    fn attribute(&self) -> Option<&str> {
        let shown: String = self
            .text
            .chars()
            .filter(|c| !matches!(c, '$' | ',' | '+'))
            .collect();
        let shown = shown.split(' ').next().unwrap_or_default();
        self.exact.as_deref().filter(|exact| *exact != shown)
    }

    /// A difference, with its sign.
    fn signed(money: Money) -> HtmlCell {
        HtmlCell {
            text: crate::report::render::text::signed(money),
            exact: Some(money.to_string()),
        }
    }

    /// A figure that is not money.
    fn number(number: &Exact, places: u32) -> HtmlCell {
        HtmlCell {
            text: number.human(places),
            exact: Some(super::json::decimal(number)),
        }
    }

    /// A figure with its unit.
    fn measure(number: &Exact, places: u32, unit: &str) -> HtmlCell {
        HtmlCell {
            text: format!("{} {unit}", number.human(places)),
            exact: Some(super::json::decimal(number)),
        }
    }

    /// A share in percent.
    fn percent(share: &Exact) -> HtmlCell {
        HtmlCell::measure(&(share * &Exact::from(100)), 2, "%")
    }
}

/// The head of a column.
struct Head {
    text: String,
    number: bool,
}

/// A table with a caption.
#[derive(Default)]
struct HtmlTable {
    caption: String,
    header: Vec<Head>,
    rows: Vec<Vec<HtmlCell>>,
    /// Whether it is collapsed at first.
    folded: bool,
}

impl HtmlTable {
    /// A table; a column whose head begins with `#` holds numbers.
    fn new(caption: impl Into<String>, header: &[&str]) -> HtmlTable {
        let head = |text: &&str| match text.strip_prefix('#') {
            Some(text) => Head {
                text: text.to_string(),
                number: true,
            },
            None => Head {
                text: text.to_string(),
                number: false,
            },
        };
        HtmlTable {
            caption: caption.into(),
            header: header.iter().map(head).collect(),
            rows: Vec::new(),
            folded: false,
        }
    }

    fn row<const N: usize>(&mut self, cells: [HtmlCell; N]) {
        self.rows.push(cells.into());
    }

    /// The table, folded if it has more rows than this.
    fn folded_above(self, rows: usize) -> HtmlTable {
        if self.rows.len() > rows {
            self.folded()
        } else {
            self
        }
    }

    fn folded(mut self) -> HtmlTable {
        self.folded = true;
        self
    }

    /// Whether every column but the first holds numbers.
    fn all_numbers(&self) -> bool {
        self.header.iter().skip(1).all(|head| head.number)
            && self.header.first().is_some_and(|head| !head.number)
    }

    /// Whether it is a list of hours or times that is too long to print.
    fn is_long(&self) -> bool {
        self.rows.len() > 40 && self.all_numbers()
    }

    /// Each cell with the head of its column.
    fn cells<'a>(&'a self, row: &'a [HtmlCell]) -> impl Iterator<Item = (&'a Head, &'a HtmlCell)> {
        self.header.iter().zip(row)
    }
}

/// A chart with its legend and its numbers.
struct Chart {
    title: String,
    svg: String,
    /// Colour and name.
    legend: Vec<(u8, String)>,
    /// Notes, in a sentence or two.
    note: String,
    numbers: HtmlTable,
    /// Where the rows of the table lie along the axis, for the tooltip.
    hover: Option<Hover>,
}

/// Where the rows of a chart's table lie.
struct Hover {
    /// The ends of the axis in the drawing's units.
    pixels: [i32; 2],
    /// The same as values.
    ends: [f64; 2],
    /// The value of each row; if empty, the rows are spread evenly along the axis.
    places: Vec<String>,
}

impl Hover {
    /// Rows at places of an axis.
    fn at(ends: [f64; 2], places: Vec<String>) -> Option<Hover> {
        Some(Hover {
            pixels: charts::SPAN,
            ends,
            places,
        })
    }

    /// Rows one after the other along the whole axis.
    fn evenly() -> Option<Hover> {
        Hover::at([0.0, 1.0], Vec::new())
    }
}

/// A part of a section.
enum HtmlBlock {
    Text(String),
    Heading(String),
    List(Vec<String>),
    Table(HtmlTable),
    Charts(Vec<Chart>),
}

/// A section of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    /// What it says, in a line: a reader need not open it.
    finding: String,
    /// Whether it is open at first.
    is_open: bool,
    blocks: Vec<HtmlBlock>,
}

impl Section {
    fn new(id: &'static str, title: &'static str) -> Section {
        Section {
            id,
            title,
            finding: String::new(),
            is_open: false,
            blocks: Vec::new(),
        }
    }

    fn text(&mut self, text: impl Into<String>) {
        self.blocks
            .push(HtmlBlock::Text(crate::report::render::text::clean(
                &text.into(),
            )));
    }

    fn heading(&mut self, text: impl Into<String>) {
        self.blocks
            .push(HtmlBlock::Heading(crate::report::render::text::clean(
                &text.into(),
            )));
    }

    fn list(&mut self, list: Vec<String>) {
        if !list.is_empty() {
            self.blocks.push(HtmlBlock::List(
                list.iter()
                    .map(|item| crate::report::render::text::clean(item))
                    .collect(),
            ));
        }
    }

    fn table(&mut self, table: HtmlTable) {
        if !table.rows.is_empty() {
            self.blocks.push(HtmlBlock::Table(table));
        }
    }

    fn charts(&mut self, charts: Vec<Chart>) {
        if !charts.is_empty() {
            self.blocks.push(HtmlBlock::Charts(charts));
        }
    }
}

/// The totals for other months and other traffic, as the page's script reads them.
#[derive(Serialize)]
struct Figures {
    months: Vec<String>,
    factors: Vec<String>,
    /// The factor of the design as it is, by position.
    own: usize,
    /// The last factor, by position.
    last: usize,
    tables: Vec<String>,
    /// By month and factor: the total and each table's, exact and formatted; `None` if the design
    /// is not possible.
    sums: Vec<Vec<Option<Vec<[String; 2]>>>>,
    /// By month and factor: notes on refused traffic and on costs that are not included.
    notes: Vec<Vec<String>>,
}

impl Figures {
    fn new(traffic: &TrafficTable, tables: &[String]) -> Figures {
        let both = |money: &Money| [money.to_string(), money.human()];
        let sum = |sum: &Option<crate::review::DesignTotal>| {
            sum.as_ref().map(|sum| {
                std::iter::once(&sum.total)
                    .chain(&sum.tables)
                    .map(both)
                    .collect()
            })
        };
        Figures {
            months: traffic
                .months
                .iter()
                .map(|month| month.hours().human(2))
                .collect(),
            factors: traffic
                .factors
                .iter()
                .map(|factor| factor.human(1))
                .collect(),
            own: traffic
                .factors
                .iter()
                .position(|factor| *factor == Exact::one())
                .unwrap_or(0),
            last: traffic.factors.len().saturating_sub(1),
            tables: tables
                .iter()
                .map(|table| crate::report::render::text::clean(table))
                .collect(),
            sums: traffic
                .sums
                .iter()
                .map(|factors| factors.iter().map(sum).collect())
                .collect(),
            notes: traffic
                .sums
                .iter()
                .map(|factors| {
                    factors
                        .iter()
                        .map(|sum| money::note(sum.as_ref()))
                        .collect()
                })
                .collect(),
        }
    }

    /// As JSON for a script element, escaped so that nothing in it can end the element.
    fn json(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_default()
            .replace('<', "\\u003c")
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    title: String,
    subtitle: String,
    /// What the design has, in a line.
    contents: String,
    front: Front,
    figures: &'a Figures,
    data: String,
    sections: Vec<Section>,
    style: &'static str,
    script: &'static str,
    /// What the page may load and run.
    policy: &'static str,
    interactive: Option<&'a Interactive>,
}

/// What a page runs: its own scripts, and nothing from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// The same with the engine, which runs in workers.
const ENGINE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' \
                             'wasm-unsafe-eval' blob:; worker-src blob:; img-src data:";

/// The engine in a page, and the design that it estimates anew.
struct Interactive {
    engine: String,
    design: String,
    factors: String,
    script: String,
}

impl Interactive {
    fn new(engine: &[u8], design: &str, traffic: &TrafficTable) -> Interactive {
        let json = |value: &serde_json::Value| value.to_string().replace('<', "\\u003c");
        let factors = traffic.factors.iter().map(|factor| factor.human(1));
        // The client is a module of the playground; here it stands in a script of its own.
        let client = include_str!("../../../templates/engine.js").replace("export async", "async");
        let sliders = include_str!("../../../templates/interactive.js");
        Interactive {
            engine: base64::engine::general_purpose::STANDARD.encode(engine),
            design: json(&design.into()),
            factors: json(&factors.collect::<Vec<_>>().into()),
            script: format!("(() => {{\n{client}\n{sliders}}})();"),
        }
    }
}

/// The data of a page that no other output has.
#[derive(Serialize)]
struct Behind<'a> {
    curves: &'a Curves,
    spending: &'a [Spending],
    traffic: &'a TrafficTable,
}

/// The figures of a page, `dynameter.report/1`: the JSON of the estimate, the comparison, the
/// difference and the replay, its tables at a glance, and the curves behind the charts.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn report_json(review: &Review) -> Result<String, MoneyError> {
    let behind = Behind {
        curves: &review.curves,
        spending: &review.spending,
        traffic: &review.traffic,
    };
    let mut parts = vec![
        ("estimate", review.comparison.outcome.json()?),
        ("compare", review.comparison.json()?),
        ("behind", super::json::pretty(&behind)),
    ];
    let fleet = compared_fleet(std::slice::from_ref(&review.comparison))?;
    if fleet.is_of_several() {
        let fleet = &fleet;
        parts.push(("fleet", FleetSummary { fleet, top: None }.json()?));
    }
    if let Some(headroom) = &review.headroom {
        parts.push(("headroom", headroom.json()?));
    }
    if let Some(difference) = &review.baseline {
        parts.push(("diff", difference.json()?));
    }
    #[cfg(feature = "bills")]
    if let Some(reconciled) = &review.reconciled {
        parts.push(("reconcile", reconciled.json()?));
    }
    #[cfg(feature = "replay")]
    if let Some(replayed) = &review.replayed {
        parts.push(("replay", replayed.json()?));
        parts.push(("measured", super::json::pretty(&review.measured()?)));
    }
    let indented = |text: &str| text.trim_end().replace('\n', "\n  ");
    let parts: Vec<String> = parts
        .iter()
        .map(|(name, text)| format!(",\n  \"{name}\": {}", indented(text)))
        .collect();
    Ok(format!(
        "{{\n  \"schema\": \"dynameter.report/1\"{}\n}}\n",
        parts.concat()
    ))
}

/// The style of all pages: the colours that they share with the playground, and their own.
const STYLE: &str = concat!(
    include_str!("../../../templates/tokens.css"),
    include_str!("../../../templates/report.css")
);

/// What the design has.
fn contents(review: &Review) -> String {
    let outcome = &review.comparison.outcome;
    let unknown = outcome.bill.unknown.len();
    let lines = outcome.bill.lines.len();
    format!(
        "{}, {}, {unknown} unknown",
        count_of(outcome.tables.len() as u64, "table"),
        count_of(lines as u64, "line"),
    )
}

/// How much of a large design is drawn and written out, to limit the size of its page.
#[derive(Clone, Copy)]
struct Detail {
    /// Tables and indexes whose week is drawn.
    weeks: usize,
    /// Rows of projections.
    projections: usize,
    /// Charts of hit ratios.
    hit_ratios: usize,
    /// A reason behind at least this many lines is written out only once.
    often: usize,
}

/// From the most to the least detail.
const DETAILS: [Detail; 4] = [
    Detail {
        weeks: 120,
        projections: 1_000,
        hit_ratios: 40,
        often: 20,
    },
    Detail {
        weeks: 80,
        projections: 200,
        hit_ratios: 12,
        often: 6,
    },
    Detail {
        weeks: 40,
        projections: 60,
        hit_ratios: 6,
        often: 3,
    },
    Detail {
        weeks: 12,
        projections: 24,
        hit_ratios: 2,
        often: 2,
    },
];

/// The maximum size of a page in bytes, if one of the details is enough to stay below it.
const PAGE_BYTES_MAX: usize = 980_000;

/// A review as a page.
///
/// # Errors
/// [`ReportError`] where a sum has more than 28 digits.
pub fn report_html(review: &Review) -> Result<String, ReportError> {
    smallest(0, |detail| page(review, detail, None))
}

/// A review as a page with sliders for each access pattern and each item size: the page holds the engine
/// (`engine.wasm.gz` of the playground) and the design, a workload file that is estimated anew.
///
/// # Errors
/// [`ReportError`] where a sum has more than 28 digits.
pub fn interactive_html(
    review: &Review,
    engine: &[u8],
    design: &str,
) -> Result<String, ReportError> {
    let interactive = Interactive::new(engine, design, &review.traffic);
    smallest(interactive.engine.len(), |detail| {
        page(review, detail, Some(&interactive))
    })
}

/// The most detailed page that is not too large, apart from the bytes of the engine.
fn smallest(
    engine_bytes: usize,
    page: impl Fn(Detail) -> Result<String, ReportError>,
) -> Result<String, ReportError> {
    let mut text = String::new();
    for detail in DETAILS {
        text = page(detail)?;
        if text.len() <= PAGE_BYTES_MAX + engine_bytes {
            break;
        }
    }
    Ok(text)
}

fn page(
    review: &Review,
    detail: Detail,
    interactive: Option<&Interactive>,
) -> Result<String, ReportError> {
    let outcome = &review.comparison.outcome;
    let figures = Figures::new(&review.traffic, &outcome.tables);
    let mut sections = vec![
        fleet::tables(review)?,
        money::since(review)?,
        money::changes(review)?,
        money::traffic(review),
        design::break_even(review),
        design::week(review, detail),
        headroom::breaks_first(review),
        money::spending(review)?,
        design::alternatives(review, detail),
    ];
    #[cfg(feature = "bills")]
    sections.extend(bill::billed(review)?);
    #[cfg(feature = "replay")]
    sections.extend(trace::measured(review)?);
    sections.extend(money::ranges(review)?);
    sections.push(working::working(review, detail)?);
    sections.retain(|section| !section.blocks.is_empty());
    let page = ReportPage {
        title: match outcome.workload.trim() {
            "" => "Unnamed design".to_string(),
            name => crate::report::render::text::clean(name),
        },
        subtitle: match review.years_ahead {
            0 => super::estimate::conventions(outcome),
            1 => format!(
                "a month one year ahead, with growth included; {}",
                super::estimate::conventions(outcome)
            ),
            years => format!(
                "a month {years} years ahead, with growth included; {}",
                super::estimate::conventions(outcome)
            ),
        },
        contents: contents(review),
        front: front::front(review)?,
        data: figures.json(),
        figures: &figures,
        sections,
        style: STYLE,
        script: include_str!("../../../templates/report.js"),
        policy: match interactive {
            Some(_) => ENGINE_POLICY,
            None => POLICY,
        },
        interactive,
    };
    Ok(page.render()?)
}
