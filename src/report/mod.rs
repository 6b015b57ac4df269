//! Presenters: a value goes in, a text comes out. Nothing here computes a figure.
//!
//! A result makes a `Document`, which `render` writes as text or Markdown, and
//! its own JSON and CSV: [`Present`]. The report of a design review is a page of its own.

mod check;
mod compare;
#[cfg(feature = "replay")]
mod deal;
mod diff;
mod document;
#[cfg(all(feature = "aws", feature = "replay"))]
mod drive;
mod estimate;
mod estimates;
mod explain;
mod fleet;
mod forecast;
mod headroom;
#[cfg(feature = "html")]
mod html;
#[cfg(feature = "replay")]
mod inspect;
mod json;
mod lines;
mod present;
mod prices;
#[cfg(feature = "bills")]
mod reconcile;
mod render;
#[cfg(feature = "replay")]
mod replay;
mod rules;

pub use check::{check_github, check_gitlab, check_junit, check_sarif, check_slack, github_error};
pub use compare::{CHANGES_SHOWN, Comparisons, Shown};
#[cfg(feature = "replay")]
pub use deal::DealtTrace;
pub use estimates::Estimates;
pub use explain::Explanation;
pub use fleet::FleetSummary;
#[cfg(feature = "html")]
pub use html::{ReportError, fleet_html, interactive_html, report_html, report_json};
#[cfg(feature = "replay")]
pub use inspect::InspectedFiles;
pub use json::page::{changes_json, page_json};
pub use json::schemas::output_schemas;
pub use lines::LineFilter;
pub use present::Present;
pub use prices::{ChangedRates, ImportedPrices, PriceList, PriceLists};
pub use render::text::Style;
pub use rules::MeteringRules;
