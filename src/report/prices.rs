//! Price books for people and machines.

use serde::Serialize;

use super::json::pretty;
use super::table::{Style, aligned};
use super::{csv, markdown};
use crate::pricing::{BookUpdate, ChangedRate, PriceBook, PriceListFile, PublishedRate, Tier};
use crate::units::{Exact, group_thousands};
use crate::usage::UsageType;

/// One region's book in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriceList {
    /// The region.
    pub region: String,
    /// Its name.
    pub location: String,
    /// The first date in the book.
    pub from: String,
    /// The date of its newest price.
    pub newest: String,
    /// How many rates are in force at that date.
    pub rates: usize,
}

const LIST_HEADER: [&str; 5] = ["Region", "Location", "From", "Newest", "Rates"];
const RATES_HEADER: [&str; 8] = [
    "code",
    "usage_type",
    "unit",
    "tier_from",
    "rate_usd",
    "effective_from",
    "source",
    "confidence",
];

fn list_rows(books: &[PriceList]) -> Vec<Vec<String>> {
    books
        .iter()
        .map(|book| {
            vec![
                book.region.clone(),
                book.location.clone(),
                book.from.clone(),
                book.newest.clone(),
                book.rates.to_string(),
            ]
        })
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
    csv::write(
        &LIST_HEADER
            .map(str::to_lowercase)
            .each_ref()
            .map(String::as_str),
        &list_rows(books),
    )
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
            usage_type: UsageType::of_code(&published.code).name(),
            unit: published.unit.clone(),
            tier_from: published.tier_from.to_string(),
            rate_usd: published.rate.to_string(),
            effective_from: published.effective_from.to_string(),
            source: published.source.clone(),
            confidence: published.confidence.clone(),
        }
    }

    fn cells(self) -> Vec<String> {
        vec![
            self.code,
            self.usage_type,
            self.unit,
            self.tier_from,
            self.rate_usd,
            self.effective_from,
            self.source,
            self.confidence,
        ]
    }
}

fn rate_rows(book: &PriceBook) -> Vec<Vec<String>> {
    book.rates()
        .iter()
        .map(|tier| RateRow::new(tier).cells())
        .collect()
}

/// A book's rates as text.
pub fn rates_text(book: &PriceBook, style: Style) -> String {
    let heading = format!(
        "{}, {}, prices of {}, US dollars per unit; an effective_from after that date is the \
         first day on which a source shows the price",
        book.region(),
        book.location(),
        book.date()
    );
    format!(
        "{}\n{}",
        style.strong(&heading),
        aligned(&RATES_HEADER, &rate_rows(book), &[3, 4])
    )
}

/// A book's rates as Markdown.
pub fn rates_markdown(book: &PriceBook) -> String {
    format!(
        "## {}, prices of {}\n\n{}",
        book.region(),
        book.date(),
        markdown::table(&RATES_HEADER, &rate_rows(book), &[3, 4])
    )
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
    pretty(&Prices {
        schema: "dynameter.prices/1",
        region: book.region(),
        location: book.location(),
        date: book.date().to_string(),
        rates,
    })
}

const CHANGED_HEADER: [&str; 8] = [
    "region",
    "code",
    "usage_type",
    "tier_from",
    "before_usd",
    "after_usd",
    "change_percent",
    "effective_from",
];

/// By how much a rate changed, in percent; `None` if one side has no rate, or the first is free.
fn percent(changed: &ChangedRate) -> Option<Exact> {
    let (before, after) = (changed.before.as_ref()?, changed.after.as_ref()?);
    let (before, after) = (
        Exact::from(before.rate.decimal()),
        Exact::from(after.rate.decimal()),
    );
    (!before.is_zero()).then(|| &(&(&after - &before) / &before) * &Exact::from(100))
}

fn changed_rows(changed: &[ChangedRate], nothing: &str) -> Vec<Vec<String>> {
    let rate = |rate: &Option<PublishedRate>| {
        rate.as_ref()
            .map_or(nothing.to_string(), |rate| rate.rate.to_string())
    };
    let row = |one: &ChangedRate| {
        vec![
            one.region.clone(),
            one.code.clone(),
            UsageType::of_code(&one.code).name(),
            one.tier_from.to_string(),
            rate(&one.before),
            rate(&one.after),
            percent(one).map_or(nothing.to_string(), |percent| {
                percent.human(2).replace(',', "")
            }),
            one.after
                .as_ref()
                .map_or(nothing.to_string(), |rate| rate.effective_from.to_string()),
        ]
    };
    changed.iter().map(row).collect()
}

/// What differs between two price lists, as text.
pub fn changed_rates_text(changed: &[ChangedRate]) -> String {
    if changed.is_empty() {
        return "no rates differ\n".to_string();
    }
    let count = group_thousands(&changed.len().to_string());
    format!(
        "rates that differ: {count}\n\n{}",
        aligned(&CHANGED_HEADER, &changed_rows(changed, "-"), &[3, 4, 5, 6])
    )
}

/// The same as Markdown.
pub fn changed_rates_markdown(changed: &[ChangedRate]) -> String {
    markdown::table(&CHANGED_HEADER, &changed_rows(changed, "-"), &[3, 4, 5, 6])
}

/// The same as CSV.
pub fn changed_rates_csv(changed: &[ChangedRate]) -> String {
    csv::write(&CHANGED_HEADER, &changed_rows(changed, ""))
}

/// The same as JSON, `dynameter.prices-diff/1`; a missing rate is null.
pub fn changed_rates_json(changed: &[ChangedRate]) -> String {
    let rows = changed_rows(changed, "").into_iter().map(|row| {
        let value = |text: String| {
            if text.is_empty() {
                serde_json::Value::Null
            } else {
                text.into()
            }
        };
        CHANGED_HEADER
            .iter()
            .map(ToString::to_string)
            .zip(row.into_iter().map(value))
            .collect::<serde_json::Map<_, _>>()
    });
    pretty(
        &serde_json::json!({ "schema": "dynameter.prices-diff/1", "changed": rows.collect::<Vec<_>>() }),
    )
}

const OFFER_HEADER: [&str; 6] = ["file", "offer", "version", "regions", "rates", "unknown"];
const UNKNOWN_HEADER: [&str; 6] = [
    "service",
    "usage_type",
    "operation",
    "skus",
    "such_as",
    "why",
];

fn offer_rows(offers: &[PriceListFile]) -> Vec<Vec<String>> {
    let row = |offer: &PriceListFile| {
        let mut regions: Vec<&str> = offer
            .rates
            .iter()
            .map(|rate| rate.region.as_str())
            .collect();
        regions.dedup();
        let unknown: u64 = offer.unknown.values().map(|(skus, _)| skus).sum();
        vec![
            offer.file.clone(),
            offer.code.clone(),
            offer.version.clone(),
            regions.len().to_string(),
            offer.rates.len().to_string(),
            unknown.to_string(),
        ]
    };
    offers.iter().map(row).collect()
}

fn unknown_rows(offers: &[PriceListFile]) -> Vec<Vec<String>> {
    let row = |(product, (skus, sku)): (&crate::pricing::UnknownProduct, &(u64, String))| {
        let (service, usage_type, operation) = (
            product.service.clone(),
            product.usage_type.clone(),
            product.operation.clone(),
        );
        vec![
            service,
            usage_type,
            operation,
            skus.to_string(),
            sku.clone(),
            product.why.to_string(),
        ]
    };
    offers
        .iter()
        .flat_map(|offer| &offer.unknown)
        .map(row)
        .collect()
}

/// The result of an import, in one line.
fn offers_head(update: &BookUpdate, written: Option<&str>) -> String {
    let count = |number: u64| group_thousands(&number.to_string());
    let new = match update.new_regions.as_slice() {
        [] => String::new(),
        regions => format!("; new regions: {}", regions.join(", ")),
    };
    let written = match written {
        Some(folder) => format!("written to {folder}"),
        None => "nothing written (use --into DIR to write the books)".to_string(),
    };
    format!(
        "rates unchanged: {}, new or changed: {}{new}; {written}",
        count(update.confirmed),
        count(update.changed.len() as u64)
    )
}

/// Combines the products of each service that the books do not cover into one line.
fn of_one_service_together(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let (other, mut known): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| row[5] == crate::pricing::ANOTHER_SERVICE);
    for service in other.chunk_by(|one, other| one[0] == other[0]) {
        let skus: u64 = service
            .iter()
            .filter_map(|row| row[3].parse::<u64>().ok())
            .sum();
        let kinds = format!("usage types: {}", service.len());
        known.push(vec![
            service[0][0].clone(),
            kinds,
            String::new(),
            skus.to_string(),
            service[0][4].clone(),
            service[0][5].clone(),
        ]);
    }
    known
}

/// The number of unknown products that the text lists; every other format lists all.
const UNKNOWN_SHOWN: usize = 40;

/// The result of an import, as text.
pub fn offers_text(
    offers: &[PriceListFile],
    update: &BookUpdate,
    written: Option<&str>,
    style: Style,
) -> String {
    let mut text = format!(
        "{}\n\n{}",
        style.strong(&offers_head(update, written)),
        aligned(&OFFER_HEADER, &offer_rows(offers), &[3, 4, 5])
    );
    if !update.changed.is_empty() {
        text += &format!(
            "\n{}\n{}",
            style.strong("New and changed"),
            aligned(
                &CHANGED_HEADER,
                &changed_rows(&update.changed, "-"),
                &[3, 4, 5, 6]
            )
        );
    }
    let unknown = of_one_service_together(unknown_rows(offers));
    if !unknown.is_empty() {
        let shown = &unknown[..unknown.len().min(UNKNOWN_SHOWN)];
        text += &format!(
            "\n{}\n{}",
            style.strong("Unknown to the books, and not imported"),
            aligned(&UNKNOWN_HEADER, shown, &[3])
        );
        if unknown.len() > shown.len() {
            text += &format!(
                "… and {} more (use --format csv or json to list all)\n",
                unknown.len() - shown.len()
            );
        }
    }
    text
}

/// The result of an import, as Markdown.
pub fn offers_markdown(
    offers: &[PriceListFile],
    update: &BookUpdate,
    written: Option<&str>,
) -> String {
    let mut text = format!(
        "{}\n\n{}",
        markdown::escape(&offers_head(update, written)),
        markdown::table(&OFFER_HEADER, &offer_rows(offers), &[3, 4, 5])
    );
    if !update.changed.is_empty() {
        text += &format!(
            "\n### New and changed\n\n{}",
            changed_rates_markdown(&update.changed)
        );
    }
    let unknown = unknown_rows(offers);
    if !unknown.is_empty() {
        text += &format!(
            "\n### Unknown to the books, and not imported\n\n{}",
            markdown::table(&UNKNOWN_HEADER, &unknown, &[3])
        );
    }
    text
}

/// The result of an import, as CSV: changed rates, then unknown products; the first column tells
/// which.
pub fn offers_csv(offers: &[PriceListFile], update: &BookUpdate) -> String {
    let header: Vec<&str> = std::iter::once("kind")
        .chain(CHANGED_HEADER)
        .chain(UNKNOWN_HEADER)
        .collect();
    let blank = |cells: usize| std::iter::repeat_n(String::new(), cells);
    let changed = changed_rows(&update.changed, "").into_iter();
    let changed = changed.map(|row| {
        std::iter::once("changed".to_string())
            .chain(row)
            .chain(blank(UNKNOWN_HEADER.len()))
            .collect()
    });
    let unknown = unknown_rows(offers).into_iter();
    let unknown = unknown.map(|row| {
        std::iter::once("unknown".to_string())
            .chain(blank(CHANGED_HEADER.len()))
            .chain(row)
            .collect()
    });
    csv::write(
        &header,
        &changed.chain(unknown).collect::<Vec<Vec<String>>>(),
    )
}

/// The result of an import, as JSON, `dynameter.prices-import/1`.
pub fn offers_json(offers: &[PriceListFile], update: &BookUpdate, written: Option<&str>) -> String {
    let objects = |header: &[&str], rows: Vec<Vec<String>>| -> Vec<serde_json::Value> {
        let value = |text: String| {
            if text.is_empty() {
                serde_json::Value::Null
            } else {
                text.into()
            }
        };
        let object = |row: Vec<String>| {
            let fields = header
                .iter()
                .map(ToString::to_string)
                .zip(row.into_iter().map(value));
            serde_json::Value::Object(fields.collect())
        };
        rows.into_iter().map(object).collect()
    };
    pretty(&serde_json::json!({
        "schema": "dynameter.prices-import/1",
        "written": written,
        "offers": objects(&OFFER_HEADER, offer_rows(offers)),
        "confirmed": update.confirmed.to_string(),
        "changed": objects(&CHANGED_HEADER, changed_rows(&update.changed, "")),
        "unknown": objects(&UNKNOWN_HEADER, unknown_rows(offers)),
        "new_regions": update.new_regions,
    }))
}
