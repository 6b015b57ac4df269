//! Compares the price books with the table of prices that they were made from: no row is missing or
//! different.

use crate::support;

use std::collections::BTreeMap;
use std::path::Path;

use dynameter::pricing::Books;
use dynameter::time::Date;
use dynameter::usage::UsageType;

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
    let mut reader =
        csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

fn compare(path: &Path, newer: &[&str]) {
    let books = Books::embedded();
    let rows = rows(path);
    assert!(
        rows.len() > 1_500,
        "the table of prices is short: {}",
        rows.len()
    );
    let mut wrong = Vec::new();
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        *expected.entry(row.region.clone()).or_default() += 1;
        let date = Date::parse(&row.effective_from).unwrap_or_else(|| panic!("{row:?}"));
        let from: u64 = row.tier_from.parse().unwrap_or_else(|_| panic!("{row:?}"));
        // A price first seen before its region's book starts is looked up on the first day of the
        // book.
        let asked = books
            .span(&row.region)
            .map(|(starts, _)| date.max(starts))
            .unwrap_or(date);
        let tiers = books
            .book(&row.region, Some(asked))
            .map_err(|error| error.to_string())
            .and_then(|book| {
                book.tiers(&UsageType::of_code(&row.code))
                    .map_err(|error| error.to_string())
            });
        let found = match &tiers {
            Ok(tiers) => tiers
                .iter()
                .find(|tier| tier.from == from)
                .map(|tier| tier.published.clone()),
            Err(error) => {
                wrong.push(format!("{row:?}: {error}"));
                continue;
            }
        };
        let same = found.as_ref().is_some_and(|found| {
            let decimal = |text: &str| {
                rust_decimal::Decimal::from_str_exact(text)
                    .or_else(|_| rust_decimal::Decimal::from_scientific(text))
                    .expect("a price")
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
    assert!(
        wrong.is_empty(),
        "{} of {} rows differ:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    assert_eq!(expected.len(), 36, "regions of the table");
    for (region, count) in expected {
        let text = std::fs::read_to_string(support::root().join(format!("pricing/{region}.toml")))
            .expect("the book");
        let known = text
            .lines()
            .filter(|line| line.contains("code = "))
            .filter(|line| !newer.iter().any(|code| line.contains(code)));
        assert_eq!(
            known.count(),
            count,
            "{region}: the book has rates that the table does not have"
        );
    }
}

#[test]
fn the_books_hold_every_row_and_no_other() {
    compare(&support::root().join("tests/data/prices.csv"), &[]);
}

#[test]
fn the_books_hold_every_row_of_the_reference() {
    if let Some(folder) = support::reference("the prices of the reference") {
        // Vector indexes are newer than the table; their prices are in the text beside it, as are
        // those that bills prove.
        compare(
            &folder.join("prices/prices.csv"),
            &[
                "\"vector_",
                "\"aws_backup_",
                "\"savings_plan_",
                "BILL-USE1-201904",
                "FOCUS-SAMPLE-202409",
            ],
        );
    }
}

#[test]
fn the_price_cut_of_november_2024_is_the_difference_between_both_days() {
    let run = |arguments: &[&str]| {
        let output = assert_cmd::Command::cargo_bin("dynameter")
            .expect("the binary")
            .args(arguments)
            .output()
            .expect("it runs");
        (
            output.status.code(),
            String::from_utf8(output.stdout).expect("UTF-8"),
            String::from_utf8(output.stderr).expect("UTF-8"),
        )
    };
    let (code, json, _) = run(&[
        "prices",
        "diff",
        "2024-10-31",
        "2024-11-01",
        "--region",
        "us-east-1",
        "--format",
        "json",
    ]);
    assert_eq!(code, Some(0));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let changed = json["changed"].as_array().expect("rates");
    let of = |code: &str| {
        changed
            .iter()
            .find(|one| one["code"] == code)
            .unwrap_or_else(|| panic!("{code} did not change"))
    };
    for (code, before, after, percent) in [
        (
            "write_request_unit_standard",
            "0.00000125",
            "0.000000625",
            "-50",
        ),
        (
            "read_request_unit_standard",
            "0.00000025",
            "0.000000125",
            "-50",
        ),
        (
            "replicated_write_request_unit_standard",
            "0.000001875",
            "0.000000625",
            "-66.67",
        ),
    ] {
        let one = of(code);
        assert_eq!(
            (
                &one["before_usd"],
                &one["after_usd"],
                &one["change_percent"]
            ),
            (&before.into(), &after.into(), &percent.into()),
            "{code}"
        );
    }
    assert!(
        changed.iter().all(|one| one["code"] != "storage_standard"),
        "storage did not change"
    );
    assert_eq!(
        run(&["prices", "diff", "2025-01-01", "2025-01-01"]).1,
        "no rates differ\n"
    );
    for (arguments, words) in [
        (
            ["prices", "diff", "nowhere", "2024-11-01"],
            "neither a date nor a folder",
        ),
        (
            ["prices", "diff", "2024-11-01", "2024-13-01"],
            "neither a date nor a folder",
        ),
    ] {
        let (code, _, stderr) = run(&arguments);
        assert!(code == Some(2) && stderr.contains(words), "{stderr}");
    }
    let (code, _, stderr) = run(&[
        "prices",
        "diff",
        "2024-10-31",
        "2024-11-01",
        "--region",
        "mars-1",
    ]);
    assert!(code == Some(2) && stderr.contains("mars-1"), "{stderr}");
}
