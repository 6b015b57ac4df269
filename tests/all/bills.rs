//! Bills: every format says the same, nothing counts twice, what cannot be read says so, and the
//! explanation of a difference adds up.

use crate::support::{self, run_in};

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dynameter::bill::{AwsBill, BillError, Cost, ReadBill, read};
use dynameter::files::Progress;
use dynameter::pricing::Books;
use dynameter::reconcile::{ExpectedBill, Grouping, Question, Reconciled, reconcile};
use dynameter::report::Present;
use dynameter::workload::{Setting, load};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;

fn made(name: &str) -> String {
    let path = support::root().join("tests/data/bills").join(name);
    path.display().to_string()
}

fn read_files(files: &[String]) -> Result<AwsBill, BillError> {
    read(
        files,
        &ReadBill::default(),
        &Progress::default(),
        &AtomicBool::new(false),
    )
}

fn explained(files: &[String], by: &[Grouping]) -> Reconciled {
    let question = Question {
        by: by.to_vec(),
        ..Question::default()
    };
    let bill = read_files(files).expect("a bill");
    reconcile(bill, None, &question, &Books::embedded()).expect("fits")
}

fn json(reconciled: &Reconciled) -> Value {
    serde_json::from_str(&reconciled.json().expect("fits")).expect("JSON")
}

/// What a service of a result costs.
fn service<'a>(result: &'a Value, name: &str, cost: &str) -> &'a Value {
    let all = result["services"].as_array().expect("services");
    let found = all.iter().find(|service| service["service"] == name);
    &found.expect(name)[cost]
}

/// The made bill in the forms that have all four costs: file and number of rows.
const WHOLE_FORMS: [(&str, u64); 5] = [
    ("cur1-legacy.csv.gz", 3_424),
    ("cur1-legacy.zip", 3_424),
    ("cur2.snappy.parquet", 3_424),
    ("focus-1.2.csv.gz", 3_426),
    ("cur1-daily-no-resources.csv.gz", 144),
];

#[test]
fn every_form_of_a_bill_says_the_same() {
    for (file, rows) in WHOLE_FORMS {
        let result = json(&explained(&[made(file)], &[]));
        assert_eq!(result["rows"]["read"], rows, "{file}");
        for (name, cost, usd) in [
            ("AmazonDynamoDB", "billed_usd", "36.6929579734"),
            ("AmazonDynamoDB", "net_usd", "36.6929579734"),
            ("AmazonDynamoDB", "list_usd", "39.0431562234"),
            ("AmazonDynamoDB", "amortised_usd", "52.2206292053"),
            ("AmazonDAX", "billed_usd", "128.52"),
            ("AWSBackup", "billed_usd", "1.2"),
            ("AmazonCloudWatch", "billed_usd", "1"),
            ("DatabaseSavingsPlans", "billed_usd", "0.24"),
            ("DatabaseSavingsPlans", "amortised_usd", "0"),
        ] {
            assert_eq!(service(&result, name, cost), usd, "{file}: {name} {cost}");
        }
    }
    for file in ["ce-costs.csv", "ce-get-cost-and-usage.json"] {
        let result = json(&explained(&[made(file)], &[]));
        assert_eq!(result["billed_usd"], "36.6929579734", "{file}");
        assert_eq!(result["list_usd"], Value::Null, "{file}");
        assert_eq!(result["amortised_usd"], Value::Null, "{file}");
    }
}

/// The groups of a made bill: product, region, usage type, charge and rate, with rows, usage, billed
/// and list cost.
type Expected =
    BTreeMap<(String, String, String, String, String), (u64, Decimal, Decimal, Decimal)>;

fn number(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect(text).normalize()
}

#[test]
fn every_group_of_a_bill_is_as_it_was_made() {
    let mut expected = Expected::new();
    let mut rows = csv::Reader::from_path(made("expected-by-line.csv")).expect("a file");
    for row in rows.records() {
        let row = row.expect("a row");
        let cell = |at: usize| row[at].to_string();
        let rate = match &row[4] {
            "" => String::new(),
            rate => number(rate).to_string(),
        };
        let key = (cell(0), cell(1), cell(2), cell(3), rate);
        let figures = (
            row[5].parse().expect("rows"),
            number(&row[6]),
            number(&row[7]),
            number(&row[8]),
        );
        expected.insert(key, figures);
    }
    for file in [
        "cur1-legacy.csv.gz",
        "cur1-legacy.zip",
        "cur2.snappy.parquet",
    ] {
        let bill = read_files(&[made(file)]).expect("a bill");
        let mut found = Expected::new();
        for line in &bill.lines {
            let total = line.total().expect("fits");
            let name = match line.region.as_deref() {
                Some("us-east-1") | None => line
                    .usage_type
                    .strip_prefix("USE1-")
                    .unwrap_or(&line.usage_type),
                Some(_) => line
                    .usage_type
                    .split_once('-')
                    .map_or(line.usage_type.as_str(), |(_, rest)| rest),
            };
            let key = (
                line.service.clone(),
                line.region
                    .clone()
                    .unwrap_or_else(|| "us-east-1".to_string()),
                name.to_string(),
                line.charge.name().to_string(),
                line.rate.map_or(String::new(), |rate| rate.to_string()),
            );
            let is_counted = line.charge.is_usage() || line.charge.is_purchase();
            let quantity = total.quantity.filter(|_| is_counted);
            let sum = found.entry(key).or_default();
            sum.0 += total.rows;
            sum.1 += quantity.unwrap_or_default();
            sum.2 += total.billed.expect("billed").decimal();
            sum.3 += total.list.expect("list").decimal();
        }
        for (key, figures) in &expected {
            let Some(own) = found.get(key) else {
                panic!("{file}: {key:?} is not on the bill");
            };
            let is_counted = !matches!(
                key.3.as_str(),
                "Tax" | "SavingsPlanNegation" | "Credit" | "Refund" | "EdpDiscount"
            );
            let right = (
                figures.0,
                if is_counted { figures.1 } else { Decimal::ZERO },
                figures.2,
                figures.3,
            );
            let own = (
                own.0,
                own.1.normalize(),
                own.2.normalize(),
                own.3.normalize(),
            );
            assert_eq!(own, right, "{file}: {key:?}");
        }
        assert_eq!(found.len(), expected.len(), "{file}");
    }
}

#[test]
fn a_table_has_its_usage_and_its_backups() {
    let result = json(&explained(
        &[made("cur1-legacy.csv.gz")],
        &[Grouping::Table],
    ));
    let of = |table: Option<&str>, field: &str| {
        let rows = result["by"].as_array().expect("groups").iter();
        let mut rows = rows.filter(|row| row["service"] == "AmazonDynamoDB");
        let row = rows.find(|row| row["table"].as_str() == table);
        row.expect("a table")[field].clone()
    };
    for (table, usage) in [
        (Some("Orders"), "11.1828851856"),
        (Some("Carts"), "2.5272"),
        (Some("Sessions"), "0"),
        (Some("Logs"), "12.2140295448"),
        (None, "0.015041493"),
    ] {
        assert_eq!(of(table, "usage_usd"), usage, "{table:?}");
    }
    assert_eq!(of(Some("Sessions"), "amortised_usd"), "6.0224547936");
    let usage: Decimal = explained(&[made("cur1-legacy.csv.gz")], &[])
        .by
        .iter()
        .filter(|group| group.key.service == "AmazonDynamoDB")
        .map(|group| group.usage.expect("known").decimal())
        .sum();
    assert_eq!(usage.normalize().to_string(), "25.9391562234");
}

#[test]
fn taxes_and_negations_are_no_usage() {
    let by = [Grouping::Kind, Grouping::Region];
    let result = json(&explained(&[made("cur1-legacy.csv.gz")], &by));
    let of = |usage_type: &str, region: &str| {
        let mut rows = result["by"].as_array().expect("groups").iter();
        let row = rows.find(|row| row["usage_type"] == usage_type && row["region"] == region);
        row.expect(usage_type)["quantity"].clone()
    };
    assert_eq!(of("ReadRequestUnits", "us-east-1"), "3886302");
    assert_eq!(of("TimedStorage-ByteHrs", "us-east-1"), "9.0539369833");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn unpacked(name: &str) -> String {
    let file = std::fs::File::open(made(name)).expect("a file");
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("text");
    text
}

fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, bytes).expect("a file");
    }
    folder
}

fn shown(path: &Path) -> Vec<String> {
    vec![path.display().to_string()]
}

/// The figures of a result, whatever its files are called.
fn figures(mut result: Value) -> Value {
    for key in ["files", "formats", "notes"] {
        result.as_object_mut().expect("an object").remove(key);
    }
    result
}

#[test]
fn cuts_order_and_compression_change_nothing() {
    let text = unpacked("cur1-legacy.csv.gz");
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let mut rows: Vec<&str> = lines.collect();
    rows.reverse();
    let part = |rows: &[&str]| format!("{header}\n{}\n", rows.join("\n")).into_bytes();
    let (first, rest) = rows.split_at(1_000);
    let (second, third) = rest.split_at(1);
    let parts = folder(&[
        ("z.csv", part(first)),
        ("a.csv.gz", [gzip(&part(second)), gzip(b"")].concat()),
        ("b/c.csv.gz", gzip(&part(third))),
    ]);
    let whole = figures(json(&explained(&[made("cur1-legacy.csv.gz")], &[])));
    let cut = figures(json(&explained(&shown(parts.path()), &[])));
    assert_eq!(cut, whole);
    let by_pattern = format!("{}/**/*.csv*", parts.path().display());
    assert_eq!(figures(json(&explained(&[by_pattern], &[]))), whole);
}

#[test]
fn nothing_counts_twice() {
    let once = figures(json(&explained(&[made("cur1-legacy.csv.gz")], &[])));
    let files = [made("cur1-legacy.csv.gz"), made("cur1-legacy.zip")];
    let mut twice = json(&explained(&files, &[]));
    assert_eq!(twice["rows"]["duplicates"], 3_424);
    let notes = twice["notes"].to_string();
    assert!(notes.contains("3424 rows were read twice"), "{notes}");
    assert!(notes.contains("has the same rows as"), "{notes}");
    twice["rows"] = once["rows"].clone();
    assert_eq!(figures(twice), once);
    // A format without IDs: copies of whole files.
    let copies = folder(&[
        ("one.csv", unpacked("focus-1.2.csv.gz").into_bytes()),
        ("two.csv", unpacked("focus-1.2.csv.gz").into_bytes()),
    ]);
    let result = json(&explained(&shown(copies.path()), &[]));
    assert_eq!(
        service(&result, "AmazonDynamoDB", "billed_usd"),
        "36.6929579734"
    );
    assert_eq!(result["rows"]["duplicates"], 3_426);
}

/// A manifest of a data export, and one of a Cost and Usage Report.
fn export_manifest(file: &str) -> Vec<u8> {
    format!(r#"{{"executionId": "x", "dataFiles": ["s3://bucket/{file}"]}}"#).into_bytes()
}

fn report_manifest(file: &str) -> Vec<u8> {
    format!(
        r#"{{"assemblyId": "x", "billingPeriod": {{"start": "20261001T000000.000Z", "end": "20261101T000000.000Z"}}, "reportKeys": ["{file}"]}}"#
    )
    .into_bytes()
}

#[test]
fn a_folder_is_read_by_its_newest_manifest() {
    let now = std::fs::read(made("cur1-legacy.csv.gz")).expect("a file");
    // An earlier version: other amounts.
    let before = gzip(
        unpacked("cur1-legacy.csv.gz")
            .replace(",1.2000000000", ",1.1000000000")
            .as_bytes(),
    );
    let export = folder(&[
        (
            "data/BILLING_PERIOD=2026-10/20261007T00-a/r-1.csv.gz",
            before.clone(),
        ),
        (
            "data/BILLING_PERIOD=2026-10/20261008T00-b/r-1.csv.gz",
            now.clone(),
        ),
        (
            "metadata/BILLING_PERIOD=2026-10/20261007T00-a/r-Manifest.json",
            export_manifest("data/BILLING_PERIOD=2026-10/20261007T00-a/r-1.csv.gz"),
        ),
        (
            "metadata/BILLING_PERIOD=2026-10/20261008T00-b/r-Manifest.json",
            export_manifest("data/BILLING_PERIOD=2026-10/20261008T00-b/r-1.csv.gz"),
        ),
    ]);
    let report = folder(&[
        ("20261001-20261101/aaaa/r-1.csv.gz", now),
        ("20261001-20261101/zzzz/r-1.csv.gz", before),
        (
            "20261001-20261101/aaaa/r-Manifest.json",
            report_manifest("p/20261001-20261101/aaaa/r-1.csv.gz"),
        ),
        (
            "20261001-20261101/zzzz/r-Manifest.json",
            report_manifest("p/20261001-20261101/zzzz/r-1.csv.gz"),
        ),
        (
            "20261001-20261101/r-Manifest.json",
            report_manifest("p/20261001-20261101/aaaa/r-1.csv.gz"),
        ),
    ]);
    for folder in [&export, &report] {
        let result = json(&explained(&shown(folder.path()), &[]));
        assert_eq!(
            service(&result, "AmazonDynamoDB", "billed_usd"),
            "36.6929579734"
        );
        assert_eq!(service(&result, "AWSBackup", "billed_usd"), "1.2");
        assert_eq!(result["rows"]["read"], 3_424);
        let note = result["notes"][0].as_str().expect("a note");
        assert!(note.starts_with("1 file of an earlier version"), "{note}");
    }
    // Without manifests, two versions of one row are an error that names both files.
    for name in ["metadata", "20261001-20261101/r-Manifest.json"] {
        std::fs::remove_dir_all(export.path().join(name)).ok();
    }
    let error = read_files(&shown(export.path())).expect_err("two versions");
    assert!(error.to_string().contains("-a/r-1.csv.gz"), "{error}");
    assert!(error.to_string().contains("-b/r-1.csv.gz"), "{error}");
}

/// A row of a legacy report.
const HEADER: &str = "identity/LineItemId,identity/TimeInterval,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,lineItem/UsageType,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedRate,lineItem/UnblendedCost";

fn row(amount: &str, currency: &str, cost: &str) -> String {
    format!(
        "a,2026-10-01T00:00:00Z/2026-10-01T01:00:00Z,1,Usage,2026-10-01T00:00:00Z,2026-10-01T01:00:00Z,AmazonDynamoDB,ReadRequestUnits,{amount},{currency},0.000000125,{cost}"
    )
}

#[test]
fn what_cannot_be_read_says_why() {
    let cut = {
        let bytes = std::fs::read(made("cur1-legacy.csv.gz")).expect("a file");
        bytes[..bytes.len() / 2].to_vec()
    };
    let cases: [(&str, Vec<u8>, &str, &str); 20] = [
        (
            "semicolons",
            HEADER.replace(',', ";").into(),
            "is separated by semicolons",
            "commas",
        ),
        (
            "a column twice",
            format!("{HEADER},lineItem/UsageAmount\n").into(),
            "has the column lineItem/UsageAmount twice",
            "remove",
        ),
        (
            "two files in one",
            format!("{HEADER}\n{}\n{HEADER}\n", row("1", "USD", "1")).into(),
            "row 3 is the header again",
            "as AWS delivers them",
        ),
        (
            "a time before AWS",
            format!("{HEADER}\n{}\n", row("1", "USD", "1").replace("2026", "0001")).into(),
            "expected two times since 2006",
            "",
        ),
        (
            "a number too large",
            format!("{HEADER}\n{}\n", row("1e20", "USD", "1")).into(),
            "expected a number below",
            "",
        ),
        (
            "groups without a service",
            r#"{"GroupDefinitions": [{"Type": "DIMENSION", "Key": "REGION"}], "ResultsByTime": [{"TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"}, "Groups": []}]}"#.into(),
            "neither by service nor by usage type",
            "--group-by",
        ),
        (
            "usage types of other services",
            "\"Usage type\",\"BoxUsage:t3.micro($)\",\"ReadRequestUnits($)\"\n\"Usage type total\",1,1\n".into(),
            "1 of its 2 usage types are not those of DynamoDB",
            "filter",
        ),
        (
            "a zip without a bill",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            "is an empty zip archive",
            "",
        ),
        ("PDF", b"%PDF-1.4 ...".to_vec(), "is a PDF", "as CSV"),
        (
            "another language",
            "\"Servi\u{e7}o\",\"DynamoDB($)\",\"Custos totais($)\"\n\"Total\",1,1\n".into(),
            "whose first column is \"Servi\u{e7}o\"",
            "English",
        ),
        (
            "another currency",
            format!("{HEADER}\n{}\n", row("1", "CNY", "1")).into(),
            "found \"CNY\"",
            "",
        ),
        (
            "no number",
            format!("{HEADER}\n{}\n", row("one", "USD", "1")).into(),
            ":2: lineItem/UsageAmount: expected a number of at most 28 digits, with a decimal point, found \"one\"",
            "",
        ),
        (
            "a short row",
            format!("{HEADER}\na,b\n").into(),
            "row 2 has 2 of 12 cells",
            "again",
        ),
        (
            "missing columns",
            "lineItem/UsageType,lineItem/ProductCode\nx,y\n".into(),
            "lacks the columns lineItem/LineItemType, lineItem/UsageStartDate, lineItem/UnblendedCost",
            "include all columns",
        ),
        ("cut gzip", cut, "incomplete", ""),
        (
            "other CSV",
            "a,b\n1,2\n".into(),
            "its columns begin with \"a\", \"b\"",
            "docs/bills.md",
        ),
        ("empty", Vec::new(), "is empty", ""),
        (
            "other JSON",
            "{\"a\": 1}".into(),
            "not an answer of Cost Explorer",
            "",
        ),
        (
            "one page",
            "{\"ResultsByTime\": [], \"NextPageToken\": \"x\"}".into(),
            "first page of several",
            "--next-page-token",
        ),
        (
            "another service",
            format!(
                "{HEADER}\n{}\n",
                row("1", "USD", "1").replace("AmazonDynamoDB", "AmazonS3")
            )
            .into(),
            "1 rows were read, 1 of them of other services",
            "",
        ),
    ];
    for (what, bytes, message, help) in cases {
        let files = folder(&[("bill", bytes)]);
        let path = files.path().join("bill");
        let error = read_files(&shown(&path)).expect_err(what).to_string();
        assert!(error.contains(message), "{what}: {error}");
        assert!(error.contains(help), "{what}: {error}");
    }
}

#[test]
fn the_same_usage_in_two_forms_is_refused() {
    for other in [
        "focus-1.2.csv.gz",
        "cur1-daily-no-resources.csv.gz",
        "ce-get-cost-and-usage.json",
        "ce-costs.csv",
    ] {
        let files = [made("cur1-legacy.csv.gz"), made(other)];
        let error = read_files(&files).expect_err(other).to_string();
        assert!(error.contains("would count twice"), "{other}: {error}");
    }
    let files = [made("ce-costs.csv"), made("ce-get-cost-and-usage.json")];
    assert!(read_files(&files).is_err());
}

#[test]
fn a_manifest_whose_files_are_missing_is_an_error() {
    let folder = folder(&[
        (
            "r-1.csv.gz",
            std::fs::read(made("cur1-legacy.csv.gz")).expect("a file"),
        ),
        (
            "r-Manifest.json",
            report_manifest("p/20261001-20261101/aaaa/r-2.csv.gz"),
        ),
    ]);
    let error = read_files(&shown(folder.path()))
        .expect_err("missing")
        .to_string();
    assert!(
        error.contains("names 1 files, of which 1 are not in"),
        "{error}"
    );
}

#[test]
fn odd_rows_are_counted() {
    let negative = folder(&[(
        "bill",
        format!("{HEADER}\n{}\n", row("-2", "USD", "-0.00000025")).into_bytes(),
    )]);
    let bill = read_files(&shown(&negative.path().join("bill"))).expect("a bill");
    let is_said = |text: &str| bill.notes.iter().any(|note| note.contains(text));
    assert!(is_said("negative quantity"), "{:?}", bill.notes);
    // A detailed billing report repeats its sums.
    let detailed = "InvoiceID,PayerAccountId,LinkedAccountId,RecordType,RecordId,ProductName,UsageType,Operation,ItemDescription,UsageStartDate,UsageEndDate,UsageQuantity,Rate,Cost\n\
        i,1,1,LineItem,r1,Amazon DynamoDB,ReadRequestUnits,PayPerRequestThroughput,x,2019-05-01 00:00:00,2019-05-01 01:00:00,1000,0.00000025,0.00025\n\
        i,1,1,AccountTotal,t1,,,,Total,,,,,0.00025\n";
    let detailed = folder(&[("dbr.csv", detailed.into())]);
    let bill = read_files(&shown(&detailed.path().join("dbr.csv"))).expect("a bill");
    assert_eq!((bill.rows.kept, bill.rows.totals), (1, 1));
    let total = bill.total().expect("fits");
    assert_eq!(total.billed.expect("known").to_string(), "0.00025");
    // A usage report counts byte-hours.
    let usage = "Service,Operation,UsageType,Resource,StartTime,EndTime,UsageValue\n\
        AmazonDynamoDB,StandardStorage,EU-TimedStorage-ByteHrs,Orders,05/01/19 00:00:00,05/01/19 01:00:00,798863917056\n";
    let usage = folder(&[("usage.csv", usage.into())]);
    let bill = read_files(&shown(&usage.path().join("usage.csv"))).expect("a bill");
    let line = &bill.lines[0];
    assert_eq!(line.resource.table.as_deref(), Some("Orders"));
    assert_eq!(line.region.as_deref(), Some("eu-west-1"));
    // 744 GB-hours of a month of 744 hours.
    let total = line.total().expect("fits");
    assert_eq!(total.quantity.expect("known").normalize(), Decimal::ONE);
    assert_eq!(total.billed, None);
}

#[test]
fn a_month_or_account_that_is_not_there_is_an_error() {
    for option in ["--month=2026-09", "--account=9"] {
        let (code, _, error) = run_in(
            support::root(),
            &["reconcile", "tests/data/bills/cur1-legacy.csv.gz", option],
        );
        assert_eq!(code, 2, "{option}");
        assert!(error.contains("has no charge for DynamoDB"), "{error}");
        assert!(error.contains("3088 rows"), "{error}");
    }
}

/// Real rows: file, rows of DynamoDB, regions, usage in GB, billed and list cost.
const REAL: [(&str, u64, usize, &str, &str, &str); 4] = [
    (
        "cur1-2018-11-dynamodb.parquet",
        36,
        12,
        "0.0000038676",
        "0",
        "0.0000004099",
    ),
    (
        "cur1-2018-11-dynamodb.athena.csv",
        36,
        12,
        "0.0000038676",
        "0",
        "0.0000004099",
    ),
    (
        "cur1-2018-11-dynamodb.legacy.csv.gz",
        36,
        12,
        "0.0000038676",
        "0",
        "0.0000004099",
    ),
    (
        "cur1-2019-11-dynamodb.athena.csv",
        39,
        13,
        "0.0000020943",
        "0",
        "0.0000002181",
    ),
];

fn reference(test: &str, name: &str) -> Option<PathBuf> {
    let folder = support::reference(test)?;
    Some(folder.join("formats").join(name))
}

#[test]
fn real_rows_are_read_to_the_last_digit() {
    for (name, rows, regions, gb, billed, list) in REAL {
        let Some(path) = reference(
            "real_rows_are_read_to_the_last_digit",
            &format!("bills/{name}"),
        ) else {
            return;
        };
        let bill = read_files(&shown(&path)).expect("a bill");
        assert_eq!(bill.rows.kept, rows, "{name}");
        let mut found: Vec<_> = bill
            .lines
            .iter()
            .filter_map(|line| line.region.clone())
            .collect();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), regions, "{name}: {found:?}");
        let total = bill.total().expect("fits");
        let text = |amount: Option<dynameter::money::Money>| amount.expect("known").to_string();
        assert_eq!(
            total.quantity.expect("known").normalize().to_string(),
            gb,
            "{name}"
        );
        assert_eq!(
            (text(total.billed).as_str(), text(total.list).as_str()),
            (billed, list),
            "{name}"
        );
    }
}

#[test]
fn rows_of_another_service_are_counted() {
    let name = "bills/cur1-2018-12-ec2-reservations.parquet";
    let Some(path) = reference("rows_of_another_service_are_counted", name) else {
        return;
    };
    let error = read_files(&shown(&path))
        .expect_err("no DynamoDB")
        .to_string();
    assert!(
        error.contains("817 rows were read, 817 of them of other services"),
        "{error}"
    );
}

#[test]
fn focus_rows_are_known_by_their_sku() {
    let name = "focus/focus-1.0-dynamodb-rows.csv";
    let Some(path) = reference("focus_rows_are_known_by_their_sku", name) else {
        return;
    };
    let bill = read_files(&shown(&path)).expect("a bill");
    let total = bill.total().expect("fits");
    assert_eq!(total.billed.expect("known").to_string(), "0.0034355");
    // Its effective costs were set to zero.
    assert_eq!(total.amortised, None);
    let mut found: Vec<String> = bill
        .lines
        .iter()
        .map(|line| {
            let total = line.total().expect("fits");
            format!(
                "{} {} {} {}",
                line.region.as_deref().unwrap_or_default(),
                line.kind.name(),
                total.quantity.expect("known").normalize(),
                total.billed.expect("known")
            )
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "us-east-2 TimedStorage-ByteHrs 0.0000000394 0",
            "us-east-2 WriteCapacityUnit-Hrs 1 0",
            "us-west-2 ReadRequestUnits 17 0.00000425",
            "us-west-2 TimedStorage-ByteHrs 0.0000000004 0",
            "us-west-2 TimedStorage-ByteHrs 0.0000015936 0",
            "us-west-2 WriteCapacityUnit-Hrs 5 0.00325",
            "us-west-2 WriteRequestUnits 145 0.00018125",
        ]
    );
}

/// The full header of a legacy report.
const COLUMNS: &str = "identity/LineItemId,identity/TimeInterval,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,lineItem/UsageType,lineItem/Operation,lineItem/ResourceId,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedRate,lineItem/UnblendedCost,product/regionCode,pricing/publicOnDemandCost,pricing/publicOnDemandRate,reservation/EffectiveCost,reservation/UnusedAmortizedUpfrontFeeForBillingPeriod,reservation/UnusedRecurringFee,reservation/ReservationARN,savingsPlan/SavingsPlanEffectiveCost,savingsPlan/TotalCommitmentToDate,savingsPlan/UsedCommitment";

/// Usage types of made rows, with list prices of two dates.
const KINDS: [(&str, &str, [&str; 2]); 9] = [
    (
        "ReadRequestUnits",
        "AmazonDynamoDB",
        ["0.000000125", "0.00000025"],
    ),
    (
        "WriteRequestUnits",
        "AmazonDynamoDB",
        ["0.000000625", "0.00000125"],
    ),
    (
        "ReadCapacityUnit-Hrs",
        "AmazonDynamoDB",
        ["0.00013", "0.00013"],
    ),
    (
        "WriteCapacityUnit-Hrs",
        "AmazonDynamoDB",
        ["0.00065", "0.00065"],
    ),
    ("TimedStorage-ByteHrs", "AmazonDynamoDB", ["0.25", "0.285"]),
    ("TimedPITRStorage-ByteHrs", "AmazonDynamoDB", ["0.2", "0.2"]),
    (
        "TimedBackupStorage-ByteHrs",
        "AmazonDynamoDB",
        ["0.1", "0.1"],
    ),
    (
        "USE1-SomethingNew-Units",
        "AmazonDynamoDB",
        ["0.001", "0.002"],
    ),
    ("NodeUsage:dax.r5.large", "AmazonDAX", ["0.255", "0.255"]),
];

/// A made row: its table, kind, hour, usage in parts of ten billion, list price, discount in percent
/// and sort of charge.
type MadeRow = (usize, usize, u32, u64, usize, u32, usize);

fn tenths(parts: u64) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(parts), 10)
}

fn cost_of(quantity: Decimal, rate: Decimal) -> Decimal {
    let half_up = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    (quantity * rate).round_dp_with_strategy(10, half_up)
}

/// The rows of a report for a made row: a negation comes with what it takes off.
fn report_rows(at: usize, made: &MadeRow) -> Vec<String> {
    let (table, kind, hour, parts, price, percent, sort) = *made;
    let (usage_type, product, prices) = KINDS[kind];
    let list = Decimal::from_str_exact(prices[price]).expect("a price");
    let discount = Decimal::from(100 - percent) / Decimal::ONE_HUNDRED;
    let quantity = tenths(parts);
    let moment = |hour: u32| format!("2026-10-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24);
    let (start, end) = (moment(hour), moment(hour + 1));
    let row = |charge: &str,
               quantity: Decimal,
               rate: Decimal,
               cost: Decimal,
               list: Decimal,
               more: &str| {
        let public = cost_of(quantity, list);
        format!(
            "{at}-{charge},{start}/{end},2026-10-01T00:00:00Z,1,{charge},{start},{end},{product},{usage_type},,arn:aws:dynamodb:us-east-1:1:table/Table{table},{quantity},USD,{rate},{cost},us-east-1,{public},{list},{more}"
        )
    };
    let zero = Decimal::ZERO;
    let effective = cost_of(quantity, list) / Decimal::TWO;
    match sort {
        0..=5 => {
            let rate = list * discount;
            vec![row(
                "Usage",
                quantity,
                rate,
                cost_of(quantity, rate),
                list,
                ",,,,,,",
            )]
        }
        6 => vec![row("Usage", quantity, zero, zero, zero, ",,,,,,")],
        7 => vec![row(
            "DiscountedUsage",
            quantity,
            zero,
            zero,
            list,
            &format!("{effective},,,arn,,,"),
        )],
        8 => {
            let cost = cost_of(quantity, list);
            vec![
                row(
                    "SavingsPlanCoveredUsage",
                    quantity,
                    list,
                    cost,
                    list,
                    &format!(",,,,{effective},,"),
                ),
                row(
                    "SavingsPlanNegation",
                    quantity,
                    -list,
                    -cost,
                    zero,
                    ",,,,,,",
                ),
            ]
        }
        9 => vec![row(
            "RIFee",
            quantity,
            list,
            cost_of(quantity, list),
            zero,
            ",0.1,0.2,arn,,,",
        )],
        10 => vec![row(
            "Tax",
            Decimal::ONE,
            zero,
            tenths(parts),
            zero,
            ",,,,,,",
        )],
        11 => vec![row("Credit", zero, zero, -tenths(parts), zero, ",,,,,,")],
        _ => vec![row(
            "EdpDiscount",
            zero,
            zero,
            -tenths(parts),
            zero,
            ",,,,,,",
        )],
    }
}

fn design(units: [u64; 4], month: u64, free: bool) -> String {
    let [reads, writes, capacity, bytes] = units;
    format!(
        r#"
name = "x"
region = "us-east-1"
month_hours = {month}
free_tier = {free}

[[table]]
name = "Table0"
partition_key = "unknown"
item = "unknown"
items = 0
stored = {bytes}
[[table.consumed]]
read = {{ per_month = {reads} }}
write = {{ per_month = {writes} }}
[table.backup]
pitr = true

[[table]]
name = "Table1"
partition_key = "unknown"
item = "unknown"
items = 0
stored = 0
[table.capacity]
mode = "provisioned"
read = {capacity}
write = 1
[[table.consumed]]
read = {{ per_month = 0 }}
write = {{ per_month = 0 }}

[[commitment]]
kind = "discount"
percent = 7
"#
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The steps between a bill and a design are their difference, and nothing of a bill that is made
    /// by the rules is unexplained, whatever the order of its rows.
    #[test]
    fn steps_add_up_to_the_difference(
        made in prop::collection::vec(
            (0_usize..4, 0_usize..KINDS.len(), 0_u32..743, 0_u64..2_000_000_000_000, 0_usize..2, 0_u32..30, 0_usize..13),
            1..60,
        ),
        units in [0_u64..10_000_000, 0_u64..10_000_000, 1_u64..1_000, 0_u64..1_000_000_000_000],
        month in 600_u64..745,
        free: bool,
    ) {
        let mut rows: Vec<String> = made.iter().enumerate().flat_map(|(at, made)| report_rows(at, made)).collect();
        let text = |rows: &[String]| format!("{COLUMNS}\n{}\n", rows.join("\n")).into_bytes();
        let forward = text(&rows);
        rows.reverse();
        let half = rows.len() / 2;
        let files = folder(&[
            ("whole/a.csv", forward),
            ("cut/a.csv.gz", gzip(&text(&rows[half..]))),
            ("cut/b.csv", text(&rows[..half])),
        ]);
        let books = Books::embedded();
        let workload = load("x.toml", &design(units, month, free), Path::new("."), &Setting::new(&books)).expect("a design");
        let expected = ExpectedBill::of(&[workload], &[], &books).expect("priced");
        for cost in [Cost::Billed, Cost::List, Cost::Net, Cost::Amortised] {
            let question = Question { cost, ..Question::default() };
            let mut results = Vec::new();
            for part in ["whole", "cut"] {
                let bill = read_files(&shown(&files.path().join(part))).expect("a bill");
                let result = reconcile(bill, Some(&expected), &question, &books).expect("fits");
                let difference = result.difference.clone().expect("a difference");
                let steps: Decimal = difference.steps.iter().map(|step| step.usd.decimal()).sum();
                let whole = difference.bill.decimal() - difference.design.decimal();
                prop_assert_eq!(steps + difference.unexplained.decimal(), whole, "{:?}", cost);
                prop_assert!(difference.unexplained.is_zero(), "{:?}: {:?}", cost, difference.unexplained_rows);
                results.push(figures(json(&result)));
            }
            prop_assert_eq!(&results[0], &results[1]);
        }
    }
}

/// Accounts of which people quote quantities and amounts: their Cost Explorer answer, what it costs,
/// and the month and region.
#[test]
fn quantities_without_rates_are_priced_by_the_books() {
    let answer = |month: &str, end: &str, groups: &[(&str, &str, &str)]| {
        let groups: Vec<String> = groups
            .iter()
            .map(|(usage_type, quantity, usd)| {
                format!(
                    r#"{{"Keys": ["{usage_type}"], "Metrics": {{"UnblendedCost": {{"Amount": "{usd}", "Unit": "USD"}}, "UsageQuantity": {{"Amount": "{quantity}", "Unit": "N/A"}}}}}}"#
                )
            })
            .collect();
        format!(
            r#"{{"GroupDefinitions": [{{"Type": "DIMENSION", "Key": "USAGE_TYPE"}}], "ResultsByTime": [{{"TimePeriod": {{"Start": "{month}", "End": "{end}"}}, "Total": {{}}, "Groups": [{}]}}]}}"#,
            groups.join(",")
        )
    };
    let cases: [(&str, String, &str); 4] = [
        (
            "1,356 WRU and 4,321 RRU",
            answer(
                "2026-08-01",
                "2026-09-01",
                &[
                    ("USW2-WriteRequestUnits", "1356", "0.0008475"),
                    ("USW2-ReadRequestUnits", "4321", "0.000540125"),
                ],
            ),
            "0.001387625",
        ),
        (
            "60 + 60 units with the free tier",
            answer(
                "2026-08-01",
                "2026-09-01",
                &[
                    ("ReadCapacityUnit-Hrs", "44640", "3.3852"),
                    ("WriteCapacityUnit-Hrs", "44640", "16.926"),
                ],
            ),
            "20.3112",
        ),
        (
            "23 + 23 units within the free tier",
            answer(
                "2026-08-01",
                "2026-09-01",
                &[
                    ("EU-ReadCapacityUnit-Hrs", "17112", "0"),
                    ("EU-WriteCapacityUnit-Hrs", "17112", "0"),
                ],
            ),
            "0",
        ),
        (
            "prices of 2019",
            answer(
                "2019-04-19",
                "2019-04-22",
                &[
                    ("ReadRequestUnits", "5677", "0.00141925"),
                    ("WriteRequestUnits", "697004", "0.871255"),
                ],
            ),
            "0.87267425",
        ),
    ];
    let books = Books::embedded();
    for (what, text, usd) in cases {
        let files = folder(&[("answer.json", text.into_bytes())]);
        let bill = read_files(&shown(&files.path().join("answer.json"))).expect(what);
        let total = bill.total().expect("fits");
        assert_eq!(total.billed.expect("known").to_string(), usd, "{what}");
        // A design without tables: every dollar is on the bill, and none is unexplained.
        let empty = "name = \"x\"\nregion = \"us-east-1\"\ntable = []\n";
        let workload = load("x.toml", empty, Path::new("."), &Setting::new(&books)).expect(what);
        let expected = ExpectedBill::of(&[workload], &[], &books).expect(what);
        let result = reconcile(bill, Some(&expected), &Question::default(), &books).expect(what);
        let difference = result.difference.expect(what);
        assert!(
            difference.unexplained.is_zero(),
            "{what}: {:?}",
            difference.unexplained_rows
        );
    }
}

#[test]
fn sums_of_quoted_bills_are_exact() {
    // Tokyo, May 2019, and Osaka: unit-hours, price and sum as a tool of AWS asserts them.
    for (quantity, rate, sum) in [
        ("36792145", "0.0001484", "5459.954318"),
        ("15380042", "0.000742", "11411.991164"),
        ("3716", "0.00013", "0.48308"),
        ("3716", "0.00065", "2.4154"),
    ] {
        let text = format!(
            "{HEADER}\n{}\n",
            row(quantity, "USD", sum).replace("0.000000125", rate)
        );
        let files = folder(&[("bill.csv", text.into_bytes())]);
        let bill = read_files(&shown(&files.path().join("bill.csv"))).expect("a bill");
        let note = "something else than quantity";
        assert!(!bill.notes.iter().any(|one| one.contains(note)), "{sum}");
        let total = bill.total().expect("fits");
        assert_eq!(total.billed.expect("known").to_string(), sum);
    }
}

#[test]
fn the_effective_cost_of_a_reservation_is_its_two_fees() {
    let made = (0, 3, 0, 20_000_000_000, 0, 0, 7);
    let mut row = report_rows(0, &made).remove(0);
    let (before, after) = row.split_once(",,,arn").expect("a reservation");
    let (before, _) = before.rsplit_once(',').expect("an effective cost");
    row = format!("{before},0.00049074,,,arn{after}");
    let text = format!("{COLUMNS}\n{row}\n");
    let files = folder(&[("bill.csv", text.into_bytes())]);
    let bill = read_files(&shown(&files.path().join("bill.csv"))).expect("a bill");
    let total = bill.total().expect("fits");
    assert_eq!(total.amortised.expect("known").to_string(), "0.00049074");
    assert_eq!(total.list.expect("known").to_string(), "0.0013");
    assert_eq!(total.billed.expect("known").to_string(), "0");
}

#[test]
fn a_workload_of_a_whole_month_costs_what_the_bill_lists() {
    // Every hour of October: on demand, with storage and stream reads.
    let mut rows = Vec::new();
    let mut list = Decimal::ZERO;
    for hour in 0..744_u32 {
        for (at, (usage_type, quantity, rate)) in [
            ("ReadRequestUnits", "1000.5", "0.000000125"),
            ("WriteRequestUnits", "40", "0.000000625"),
            ("TimedStorage-ByteHrs", "0.25", "0.25"),
        ]
        .into_iter()
        .enumerate()
        {
            let (quantity, rate) = (number(quantity), number(rate));
            let cost = cost_of(quantity, rate);
            list += cost;
            let moment = |hour: u32| match hour {
                744 => "2026-11-01T00:00:00Z".to_string(),
                hour => format!("2026-10-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24),
            };
            let (start, end) = (moment(hour), moment(hour + 1));
            rows.push(format!(
                "{hour}-{at},{start}/{end},2026-10-01T00:00:00Z,1,Usage,{start},{end},AmazonDynamoDB,{usage_type},,arn:aws:dynamodb:us-east-1:1:table/Orders,{quantity},USD,{rate},{cost},us-east-1,{cost},{rate},,,,,,,"
            ));
        }
    }
    let text = format!("{COLUMNS}\n{}\n", rows.join("\n"));
    let files = folder(&[("bill.csv", text.into_bytes())]);
    let path = files.path().join("bill.csv").display().to_string();
    let output = files.path().join("measured.toml").display().to_string();
    let (code, _, error) = run_in(files.path(), &["import", "bill", &path, "-o", &output]);
    assert_eq!(code, 0, "{error}");
    let (code, estimate, error) = run_in(files.path(), &["estimate", &output, "--format", "json"]);
    assert_eq!(code, 0, "{error}");
    let estimate: Value = serde_json::from_str(&estimate).expect("JSON");
    let total = estimate["total_usd"].as_str().expect("a total");
    let difference = (number(total) - list).abs();
    assert!(difference < number("0.0001"), "{total} for {list}");
    assert_eq!(estimate["unknown"], serde_json::json!([]));
}

#[test]
fn what_is_unexplained_decides_the_exit_code() {
    // 8 million reads at $0.125 a million, billed at $3 instead of $1.
    let text = format!("{HEADER}\n{}\n", row("8000000", "USD", "3"));
    let empty = "name = \"x\"\nregion = \"us-east-1\"\ntable = []\n";
    let files = folder(&[
        ("bill.csv", text.into_bytes()),
        ("x.toml", empty.as_bytes().to_vec()),
    ]);
    let two_thirds = "--tolerance=66.6666666666666666666666666%";
    let huge = "--tolerance=79228162514264337593543950335";
    for (options, code) in [
        (&[][..], 1),
        (&["--tolerance=66%"], 1),
        (&[two_thirds], 1),
        (&["--tolerance=67%"], 0),
        (&[huge], 0),
        (&["--tolerance-usd=1.99"], 1),
        (&["--tolerance-usd=$2"], 0),
        (&["--tolerance=1%", "--tolerance-usd=2"], 0),
        (&["--tolerance=-1"], 2),
        (&["--tolerance=NaN"], 2),
    ] {
        let mut command = vec!["reconcile", "bill.csv", "--workload", "x.toml"];
        command.extend(options);
        let (found, _, error) = run_in(files.path(), &command);
        assert_eq!(found, code, "{options:?}: {error}");
    }
}

/// A region, a fee and a commitment that a bill does not tell are said, in the explanation and in the
/// workload that is made of it.
#[test]
fn what_a_bill_does_not_say_is_said() {
    let known = row("8000000", "USD", "1");
    let elsewhere = known.replace("ReadRequestUnits", "QQQ9-ReadRequestUnits");
    let unpriced = row("100", "USD", "1")
        .replace("ReadRequestUnits", "QQQ9-ReadCapacityUnit-Hrs")
        .replace("0.000000125", "");
    let plan = row("24", "USD", "2.4")
        .replace("T01:00:00Z", "T23:00:00Z")
        .replace(",Usage,", ",SavingsPlanRecurringFee,")
        .replace("AmazonDynamoDB", "ComputeSavingsPlans")
        .replace("ReadRequestUnits", "DatabaseSP:1yrNoUpfront")
        .replace("0.000000125", "0.1");
    let fee = row("", "USD", "5")
        .replace(",Usage,", ",RIFee,")
        .replace("ReadRequestUnits", "HeavyUsage:dynamodb.read");
    let rows: Vec<String> = [known, elsewhere, unpriced, plan, fee]
        .iter()
        .enumerate()
        .map(|(at, row)| format!("{at}{row}"))
        .collect();
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let empty = "name = \"x\"\nregion = \"us-east-1\"\ntable = []\n";
    let files = folder(&[
        ("bill.csv", text.into_bytes()),
        ("x.toml", empty.as_bytes().to_vec()),
    ]);
    let reconciled = ["reconcile", "bill.csv", "--workload", "x.toml"];
    let imported = ["import", "bill", "bill.csv"];
    for (command, code, texts) in [
        (
            &reconciled[..],
            2,
            &[
                "ReadRequestUnits in an unknown region: $1.00\n",
                "ReadCapacityUnit-Hrs in an unknown region: neither the bill nor the books have its \
                 price, so that its $1.00 cannot be divided",
                "  ReadCapacityUnit-Hrs in an unknown region          100 ",
                "only on this day: 24 hours",
            ][..],
        ),
        (
            &imported[..],
            0,
            &[
                "QQQ9-ReadRequestUnits of no table in an unknown region: the bill does not say where it \
                 was used.",
                "A savings plan is left out: its commitment is by the hour, and the bill has no hours.",
                "A fee of reserved capacity in us-east-1 is left out: the bill does not have its \
                 unit-hours.",
            ][..],
        ),
    ] {
        let (found, shown, error) = run_in(files.path(), command);
        assert_eq!(found, code, "{error}");
        for text in texts {
            assert!(shown.contains(text), "{text}: {shown}");
        }
    }
}
