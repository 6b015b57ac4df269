//! The books against the table of prices that they were made from: no row missing, none different.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use dynameter::pricing::Books;
use dynameter::time::Date;

/// A row of the table: region, code, unit, price, tier, date, source, confidence.
#[derive(Debug, serde::Deserialize)]
struct Row {
    region: String,
    code: String,
    unit: String,
    usd: String,
    tier_from: String,
    effective_from: String,
    source: String,
    confidence: String,
}

fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

fn compare(path: &Path) {
    let books = Books::embedded();
    let rows = rows(path);
    assert!(rows.len() > 1_500, "the table of prices is short: {}", rows.len());
    let mut wrong = Vec::new();
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        *expected.entry(row.region.clone()).or_default() += 1;
        let date = Date::parse(&row.effective_from).unwrap_or_else(|| panic!("{row:?}"));
        let from: u64 = row.tier_from.parse().unwrap_or_else(|_| panic!("{row:?}"));
        // A price first seen before its region's book starts is asked at the first day of the book.
        let asked = books.span(&row.region).map(|(starts, _)| date.max(starts)).unwrap_or(date);
        let tiers = books
            .book(&row.region, Some(asked))
            .map_err(|error| error.to_string())
            .and_then(|book| book.tiers(&row.code).map_err(|error| error.to_string()));
        let found = match &tiers {
            Ok(tiers) => tiers.iter().find(|tier| tier.from == from).map(|tier| tier.published.clone()),
            Err(error) => {
                wrong.push(format!("{row:?}: {error}"));
                continue;
            }
        };
        let same = found.as_ref().is_some_and(|found| {
            let decimal = |text: &str| {
                rust_decimal::Decimal::from_str_exact(text).or_else(|_| rust_decimal::Decimal::from_scientific(text)).expect("a price")
            };
            found.rate.decimal() == decimal(&row.usd).normalize()
                && found.unit == row.unit
                && found.source == row.source
                && found.confidence == row.confidence
        });
        if !same {
            wrong.push(format!("{row:?}: the book has {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(expected.len(), 36, "regions of the table");
    for (region, count) in expected {
        let text = std::fs::read_to_string(support::root().join(format!("pricing/{region}.toml"))).expect("the book");
        assert_eq!(text.matches("code = ").count(), count, "{region}: the book has rates that the table has not");
    }
}

#[test]
fn the_books_hold_every_row_and_no_other() {
    compare(&support::root().join("tests/data/prices.csv"));
}

#[test]
fn the_books_hold_every_row_of_the_reference() {
    if let Some(folder) = support::reference("the prices of the reference") {
        compare(&folder.join("prices/prices.csv"));
    }
}
