//! Price books for people and machines.

use serde::Serialize;

use super::json::pretty;
use super::table::{Style, aligned};
use super::{csv, markdown};
use crate::pricing::{ChangedRate, PriceBook, PublishedRate, Tier};
use crate::units::{Exact, group_thousands};
use crate::usage::UsageType;

/// One region's book in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceList {
    /// The region.
    pub region: String,
    /// Its name.
    pub location: String,
    /// The first date that the book knows.
    pub from: String,
    /// The date of its newest price.
    pub newest: String,
    /// How many rates are in force at that date.
    pub rates: usize,
}

const LIST_HEADER: [&str; 5] = ["Region", "Location", "From", "Newest", "Rates"];
const RATES_HEADER: [&str; 8] = ["code", "usage_type", "unit", "tier_from", "rate_usd", "effective_from", "source", "confidence"];

fn list_rows(books: &[PriceList]) -> Vec<Vec<String>> {
    books
        .iter()
        .map(|book| vec![book.region.clone(), book.location.clone(), book.from.clone(), book.newest.clone(), book.rates.to_string()])
        .collect()
}

/// The books as text.
pub fn list_text(books: &[PriceList]) -> String {
    aligned(&LIST_HEADER, &list_rows(books), &[4])
}

/// The books as Markdown.
pub fn list_markdown(books: &[PriceList]) -> String {
    markdown::table(&LIST_HEADER, &list_rows(books), &[4])
}

/// The books as CSV.
pub fn list_csv(books: &[PriceList]) -> String {
    csv::write(&LIST_HEADER.map(str::to_lowercase).each_ref().map(String::as_str), &list_rows(books))
}

/// The books as JSON, `dynameter.books/1`.
pub fn list_json(books: &[PriceList]) -> String {
    pretty(&serde_json::json!({ "schema": "dynameter.books/1", "books": books }))
}

#[derive(Serialize)]
struct RateRow {
    code: String,
    usage_type: String,
    unit: String,
    tier_from: String,
    rate_usd: String,
    effective_from: String,
    source: String,
    confidence: String,
}

impl RateRow {
    fn new(tier: &Tier) -> RateRow {
        let published = &tier.published;
        RateRow {
            code: published.code.clone(),
            usage_type: UsageType::of_code(published.code.clone()).name(),
            unit: published.unit.clone(),
            tier_from: published.tier_from.to_string(),
            rate_usd: published.rate.to_string(),
            effective_from: published.effective_from.to_string(),
            source: published.source.clone(),
            confidence: published.confidence.clone(),
        }
    }

    fn cells(self) -> Vec<String> {
        vec![self.code, self.usage_type, self.unit, self.tier_from, self.rate_usd, self.effective_from, self.source, self.confidence]
    }
}

fn rate_rows(book: &PriceBook) -> Vec<Vec<String>> {
    book.rates().iter().map(|tier| RateRow::new(tier).cells()).collect()
}

/// A book's rates as text.
pub fn rates_text(book: &PriceBook, style: Style) -> String {
    let heading = format!(
        "{}, {}, prices of {}, US dollars for one unit; a later day is the first on which a source shows the price",
        book.region(),
        book.location(),
        book.date()
    );
    format!("{}\n{}", style.strong(&heading), aligned(&RATES_HEADER, &rate_rows(book), &[3, 4]))
}

/// A book's rates as Markdown.
pub fn rates_markdown(book: &PriceBook) -> String {
    format!("## {}, prices of {}\n\n{}", book.region(), book.date(), markdown::table(&RATES_HEADER, &rate_rows(book), &[3, 4]))
}

/// A book's rates as CSV.
pub fn rates_csv(book: &PriceBook) -> String {
    csv::write(&RATES_HEADER, &rate_rows(book))
}

#[derive(Serialize)]
struct Prices<'a> {
    schema: &'static str,
    region: &'a str,
    location: &'a str,
    date: String,
    rates: Vec<RateRow>,
}

/// A book's rates as JSON, `dynameter.prices/1`.
pub fn rates_json(book: &PriceBook) -> String {
    let rates = book.rates().iter().map(RateRow::new).collect();
    pretty(&Prices { schema: "dynameter.prices/1", region: book.region(), location: book.location(), date: book.date().to_string(), rates })
}

const CHANGED_HEADER: [&str; 8] =
    ["region", "code", "usage_type", "tier_from", "before_usd", "after_usd", "change_percent", "effective_from"];

/// By how much a rate changed, in percent; nothing where there is no rate on a side, or the first is free.
fn percent(changed: &ChangedRate) -> Option<Exact> {
    let (before, after) = (changed.before.as_ref()?, changed.after.as_ref()?);
    let (before, after) = (Exact::from(before.rate.decimal()), Exact::from(after.rate.decimal()));
    (!before.is_zero()).then(|| &(&(&after - &before) / &before) * &Exact::from(100))
}

fn changed_rows(changed: &[ChangedRate], nothing: &str) -> Vec<Vec<String>> {
    let rate = |rate: &Option<PublishedRate>| rate.as_ref().map_or(nothing.to_string(), |rate| rate.rate.to_string());
    let row = |one: &ChangedRate| {
        vec![
            one.region.clone(),
            one.code.clone(),
            UsageType::of_code(one.code.clone()).name(),
            one.tier_from.to_string(),
            rate(&one.before),
            rate(&one.after),
            percent(one).map_or(nothing.to_string(), |percent| percent.human(2).replace(',', "")),
            one.after.as_ref().map_or(nothing.to_string(), |rate| rate.effective_from.to_string()),
        ]
    };
    changed.iter().map(row).collect()
}

/// What differs between two price lists, as text.
pub fn changed_rates_text(changed: &[ChangedRate]) -> String {
    if changed.is_empty() {
        return "no rate differs\n".to_string();
    }
    let count = group_thousands(&changed.len().to_string());
    format!("{count} rates differ\n\n{}", aligned(&CHANGED_HEADER, &changed_rows(changed, "-"), &[3, 4, 5, 6]))
}

/// The same as Markdown.
pub fn changed_rates_markdown(changed: &[ChangedRate]) -> String {
    markdown::table(&CHANGED_HEADER, &changed_rows(changed, "-"), &[3, 4, 5, 6])
}

/// The same as CSV.
pub fn changed_rates_csv(changed: &[ChangedRate]) -> String {
    csv::write(&CHANGED_HEADER, &changed_rows(changed, ""))
}

/// The same as JSON, `dynameter.prices-diff/1`; a rate that is not there is null.
pub fn changed_rates_json(changed: &[ChangedRate]) -> String {
    let rows = changed_rows(changed, "").into_iter().map(|row| {
        let value = |text: String| if text.is_empty() { serde_json::Value::Null } else { text.into() };
        CHANGED_HEADER.iter().map(ToString::to_string).zip(row.into_iter().map(value)).collect::<serde_json::Map<_, _>>()
    });
    pretty(&serde_json::json!({ "schema": "dynameter.prices-diff/1", "changed": rows.collect::<Vec<_>>() }))
}
