//! Folders in which AWS's answers were kept, as people, disks and time leave them.

use crate::support::run_in;

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

const FROM: i64 = 1_793_491_200;
const HOUR: i64 = 3_600;

fn time(second: i64) -> String {
    let time = chrono::DateTime::from_timestamp(second, 0).expect("a time");
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn table(name: &str, created: Option<i64>) -> Value {
    json!([{ "Table": {
        "TableName": name,
        "TableArn": format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{name}"),
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
        "ItemCount": 0,
        "TableSizeBytes": 0,
        "CreationDateTime": created,
    }}])
}

/// Reads of every hour from one to another.
fn reads(table: &str, from: i64, to: i64) -> Value {
    let hours: Vec<i64> = (from..to).step_by(HOUR as usize).collect();
    json!({ "MetricDataResults": [{
        "Id": "q0",
        "Label": format!("ConsumedReadCapacityUnits TableName={table} Stat=Sum Period=60"),
        "Timestamps": hours.iter().map(|hour| time(*hour)).collect::<Vec<_>>(),
        "Values": vec![60.0; hours.len()],
    }]})
}

/// Writes the answers of two days about a region.
fn write(folder: &Path, tables: &[(&str, Value)], metrics: &[Value]) {
    let own = folder.join("eu-west-1");
    std::fs::create_dir_all(own.join("tables")).expect("a folder");
    std::fs::create_dir_all(own.join("metrics")).expect("a folder");
    let manifest = json!({
        "schema": "dynameter.answers/1",
        "account": "123456789012",
        "from": time(FROM),
        "to": time(FROM + 48 * HOUR),
        "regions": [{ "region": "eu-west-1", "gaps": [] }],
    });
    std::fs::write(folder.join("account.json"), manifest.to_string()).expect("a file");
    for (name, answers) in tables {
        let path = own.join(format!("tables/{name}.json"));
        std::fs::write(path, answers.to_string()).expect("a file");
    }
    for (at, page) in metrics.iter().enumerate() {
        let file = std::fs::File::create(own.join(format!("metrics/{at:03}-00000.json.gz")));
        let mut packed =
            flate2::write::GzEncoder::new(file.expect("a file"), flate2::Compression::fast());
        packed
            .write_all(page.to_string().as_bytes())
            .expect("a page");
        packed.finish().expect("a page");
    }
}

fn imported(tables: &[(&str, Value)], metrics: &[Value]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder.path().join("raw"), tables, metrics);
    run_in(folder.path(), &["import", "account", "raw"])
}

#[test]
fn a_table_is_as_old_as_its_name() {
    let day = 24 * HOUR;
    let both = [reads("Orders", FROM, FROM + 2 * day)];
    let second = [reads("Orders", FROM + day, FROM + 2 * day)];
    // When the table was created, the metrics, and what the file says.
    for (created, metrics, expected) in [
        (None, &both, "read = { per_hour = 60 }"),
        (Some(FROM + day), &second, "read = { per_hour = 60 }"),
        // A table of the same name was there before: the units are of both, and so is the time.
        (Some(FROM + day), &both, "read = { per_hour = 60 }"),
        (Some(FROM + day), &both, "after a table of the same name"),
        (
            Some(FROM + 3 * day),
            &[reads("Orders", 0, 0)],
            "after the time of the metrics",
        ),
        (
            Some(FROM + 3 * day),
            &[reads("Orders", 0, 0)],
            "read  = \"unknown\"",
        ),
        // AWS has not counted its items yet.
        (
            Some(FROM + 2 * day - HOUR),
            &second,
            "items         = \"unknown\"",
        ),
    ] {
        let (code, stdout, stderr) = imported(&[("Orders", table("Orders", created))], metrics);
        assert_eq!(code, 0, "{stderr}");
        assert!(
            stdout.contains(expected),
            "{created:?}: no {expected:?} in {stdout}"
        );
    }
}

#[test]
fn tables_stand_by_name_whatever_follows_it() {
    let tables = ["Orders-archive", "Orders", "Orders.old"];
    let tables = tables.map(|name| (name, table(name, None)));
    let (code, stdout, stderr) = imported(&tables, &[]);
    assert_eq!(code, 0, "{stderr}");
    let at = |name: &str| stdout.find(&format!("= \"{name}\"")).expect(name);
    assert!(at("Orders") < at("Orders-archive"), "{stdout}");
    assert!(at("Orders-archive") < at("Orders.old"), "{stdout}");
}

#[test]
fn a_broken_folder_is_refused_with_its_file() {
    let orders = || ("Orders", table("Orders", None));
    let hour = |second| reads("Orders", second, second + HOUR);
    let mut cut = hour(FROM);
    cut["MetricDataResults"][0]["Values"] = json!([]);
    let mut label = hour(FROM);
    label["MetricDataResults"][0]["Label"] = json!("CPU");
    let mut period = hour(FROM);
    period["MetricDataResults"][0]["Label"] =
        json!("ConsumedReadCapacityUnits TableName=Orders Stat=Sum Period=0");
    let mut negative = hour(FROM);
    negative["MetricDataResults"][0]["Values"] = json!([-1.0]);
    for (tables, metrics, expected) in [
        (
            vec![("Orders", json!([1, 2]))],
            vec![],
            "does not describe a table",
        ),
        (vec![orders()], vec![cut], "1 timestamps have 0 values"),
        (vec![orders()], vec![label], "is not the label of a metric"),
        (vec![orders()], vec![period], "is not the label of a metric"),
        (vec![orders()], vec![negative], "is not a data point"),
        (
            vec![orders()],
            vec![hour(FROM - HOUR)],
            "is outside the time of the metrics",
        ),
        (
            vec![orders()],
            vec![hour(FROM), hour(FROM)],
            "is there twice, or out of order",
        ),
    ] {
        let (code, _, stderr) = imported(&tables, &metrics);
        assert_eq!(code, 2, "{expected}: {stderr}");
        assert!(stderr.contains(expected), "{expected}: {stderr}");
        assert!(stderr.contains("raw/eu-west-1/"), "{expected}: {stderr}");
    }
    // Sizes that no item has are no items.
    let mut strange = table("Orders", None);
    let items = json!([{ "Size": 9_223_372_036_854_775_808_u64 }, { "Size": 0 }, { "Size": "-1" }]);
    strange
        .as_array_mut()
        .expect("answers")
        .push(json!({ "ItemSample": { "Items": items } }));
    let (code, stdout, stderr) = imported(&[("Orders", strange)], &[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("item          = \"unknown\""), "{stdout}");
}
