//! Presenters: a value goes in, a text comes out. Nothing here computes a figure.

mod check;
mod compare;
mod csv;
mod diff;
mod estimate;
mod explain;
#[cfg(feature = "html")]
mod html;
mod json;
mod markdown;
mod prices;
#[cfg(feature = "replay")]
mod replay;
mod table;

pub use check::{
    check_csv, check_github, check_json, check_junit, check_markdown, check_sarif, check_text,
};
pub use compare::{compare_csv, compare_json, compare_markdown, compare_text};
pub use diff::{diff_csv, diff_json, diff_markdown, diff_text};
pub use estimate::{estimate_csv, estimate_markdown, estimate_text};
pub use explain::{explain_json, explain_text};
#[cfg(feature = "html")]
pub use html::{ReportError, report_html, report_json};
pub use json::{estimate_json, estimates_json};
pub use prices::{
    PriceList, changed_rates_csv, changed_rates_json, changed_rates_markdown, changed_rates_text,
    list_csv, list_json, list_markdown, list_text, offers_csv, offers_json, offers_markdown,
    offers_text, rates_csv, rates_json, rates_markdown, rates_text,
};
#[cfg(feature = "replay")]
pub use replay::{replay_csv, replay_json, replay_markdown, replay_text};
pub use table::Style;
