//! Price books for people and machines.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Body, Document, Note, Table};
use super::json::pretty;
use super::present::Present;
use super::render::csv;
use crate::money::MoneyError;
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

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
pub(super) struct Prices<'a> {
    schema: &'static str,
    region: &'a str,
    location: &'a str,
    date: String,
    rates: Vec<RateRow>,
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

/// A list of price books.
pub struct PriceLists(pub Vec<PriceList>);

impl Present for PriceLists {
    fn document(&self) -> Result<Document, MoneyError> {
        Ok(flush("", &LIST_HEADER, list_rows(&self.0), &[4]))
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(pretty(
            &serde_json::json!({ "schema": "dynameter.books/1", "books": self.0 }),
        ))
    }

    fn csv(&self) -> String {
        let header = LIST_HEADER.map(str::to_lowercase);
        csv::write(&header.each_ref().map(String::as_str), &list_rows(&self.0))
    }
}

/// A document of one table, which the text does not indent.
fn flush(
    headline: &str,
    header: &[&'static str],
    rows: Vec<Vec<String>>,
    numbers: &'static [usize],
) -> Document {
    let mut document = Document::new(headline);
    document.is_flush = true;
    document.any_part("", None, Body::Table(Table::new(header, rows, numbers)));
    document
}

impl Present for PriceBook {
    fn document(&self) -> Result<Document, MoneyError> {
        let headline = format!(
            "{}, {}, prices of {}, US dollars per unit; an effective_from after that date is the \
             first day on which a source shows the price",
            self.region(),
            self.location(),
            self.date()
        );
        Ok(flush(&headline, &RATES_HEADER, rate_rows(self), &[3, 4]))
    }

    fn json(&self) -> Result<String, MoneyError> {
        let rates = self.rates().iter().map(RateRow::new).collect();
        Ok(pretty(&Prices {
            schema: "dynameter.prices/1",
            region: self.region(),
            location: self.location(),
            date: self.date().to_string(),
            rates,
        }))
    }

    fn csv(&self) -> String {
        csv::write(&RATES_HEADER, &rate_rows(self))
    }
}

/// What differs between two price lists.
pub struct ChangedRates<'a>(pub &'a [ChangedRate]);

impl Present for ChangedRates<'_> {
    fn document(&self) -> Result<Document, MoneyError> {
        if self.0.is_empty() {
            return Ok(Document::new("no rates differ"));
        }
        let count = group_thousands(&self.0.len().to_string());
        let headline = format!("rates that differ: {count}");
        let rows = changed_rows(self.0, "-");
        let mut document = flush(&headline, &CHANGED_HEADER, rows, &[3, 4, 5, 6]);
        document.notes.push(Note::Line(String::new()));
        Ok(document)
    }

    /// A missing rate is null.
    fn json(&self) -> Result<String, MoneyError> {
        let changed = objects(&CHANGED_HEADER, changed_rows(self.0, ""));
        Ok(pretty(
            &serde_json::json!({ "schema": "dynameter.prices-diff/1", "changed": changed }),
        ))
    }

    fn csv(&self) -> String {
        csv::write(&CHANGED_HEADER, &changed_rows(self.0, ""))
    }
}

/// The result of importing price list files.
pub struct ImportedPrices<'a> {
    /// The files.
    pub files: &'a [PriceListFile],
    /// What they change in the books.
    pub update: &'a BookUpdate,
    /// The folder to which the books were written.
    pub written: Option<&'a str>,
}

impl Present for ImportedPrices<'_> {
    fn document(&self) -> Result<Document, MoneyError> {
        let headline = offers_head(self.update, self.written);
        let rows = offer_rows(self.files);
        let mut document = flush(&headline, &OFFER_HEADER, rows, &[3, 4, 5]);
        document.notes.push(Note::Line(String::new()));
        let changed = changed_rows(&self.update.changed, "-");
        document.table("New and changed", &CHANGED_HEADER, changed, &[3, 4, 5, 6]);
        let mut unknown = of_one_service_together(unknown_rows(self.files));
        let hidden = unknown.len().saturating_sub(UNKNOWN_SHOWN);
        unknown.truncate(UNKNOWN_SHOWN);
        let table = Table {
            more: (hidden > 0)
                .then(|| format!("{hidden} more (use --format csv or json to list all)")),
            ..Table::new(&UNKNOWN_HEADER, unknown, &[3])
        };
        document.part("Unknown to the books, and not imported", Body::Table(table));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(pretty(&serde_json::json!({
            "schema": "dynameter.prices-import/1",
            "written": self.written,
            "offers": objects(&OFFER_HEADER, offer_rows(self.files)),
            "confirmed": self.update.confirmed.to_string(),
            "changed": objects(&CHANGED_HEADER, changed_rows(&self.update.changed, "")),
            "unknown": objects(&UNKNOWN_HEADER, unknown_rows(self.files)),
            "new_regions": self.update.new_regions,
        })))
    }

    /// Changed rates, then unknown products; the first column tells which.
    fn csv(&self) -> String {
        let kind = std::iter::once("kind");
        let header: Vec<&str> = kind.chain(CHANGED_HEADER).chain(UNKNOWN_HEADER).collect();
        let blank = |cells: usize| vec![String::new(); cells];
        let changed = changed_rows(&self.update.changed, "").into_iter();
        let changed = changed.map(|row| {
            let kind = vec!["changed".to_string()];
            [kind, row, blank(UNKNOWN_HEADER.len())].concat()
        });
        let unknown = unknown_rows(self.files).into_iter();
        let unknown = unknown.map(|row| {
            let kind = vec!["unknown".to_string()];
            [kind, blank(CHANGED_HEADER.len()), row].concat()
        });
        csv::write(&header, &changed.chain(unknown).collect::<Vec<_>>())
    }
}

/// Rows as JSON objects; an empty cell is null.
fn objects(header: &[&str], rows: Vec<Vec<String>>) -> Vec<serde_json::Value> {
    let value = |text: String| {
        if text.is_empty() {
            serde_json::Value::Null
        } else {
            text.into()
        }
    };
    let object = |row: Vec<String>| {
        let names = header.iter().map(ToString::to_string);
        serde_json::Value::Object(names.zip(row.into_iter().map(value)).collect())
    };
    rows.into_iter().map(object).collect()
}
