//! Logs, trails and metrics as people have them: what their lines mean, and that a form, a wrapper
//! or a division into files changes no figure.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support;

/// Runs a replay; its JSON, or what it says on standard error.
fn replay(args: &[&str]) -> Result<Value, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dynameter"));
    command.args(["replay", "--format", "json", "--region", "us-east-1"]);
    let output = command
        .args(args)
        .current_dir(support::root().join("tests/cases/logs"))
        .output()
        .expect("the command runs");
    match output.status.code() {
        Some(0) => Ok(serde_json::from_slice(&output.stdout).expect("JSON")),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// What a beginning of a line means: a moment, or what the error says.
type Meaning = Result<&'static str, &'static str>;

/// Beginnings of lines, and the moment of each.
const BEGINNINGS: &[(&str, Meaning)] = &[
    // ISO 8601 and RFC 3339.
    ("2024-03-09T14:14:13Z", Ok("2024-03-09T14:14:13Z")),
    ("2024-03-09T14:14:13.123Z", Ok("2024-03-09T14:14:13.123Z")),
    (
        "2024-03-09T14:14:13.123456789Z",
        Ok("2024-03-09T14:14:13.123456789Z"),
    ),
    ("2024-03-09T14:14:13+09:00", Ok("2024-03-09T05:14:13Z")),
    (
        "2024-03-09T14:14:13+0900 [main]",
        Ok("2024-03-09T05:14:13Z"),
    ),
    (
        "2024-03-09T14:14:13.001+01:00[Europe/Berlin]",
        Ok("2024-03-09T13:14:13.001Z"),
    ),
    ("2024-03-09T14:14Z", Ok("2024-03-09T14:14:00Z")),
    ("2024-03-09 14:14:13", Ok("2024-03-09T14:14:13Z")),
    (
        "2024-03-09 14:14:13,123 INFO",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    (
        "2024-03-09 14:14:13.123 INFO worker 7",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    (
        "[2024-03-09 14:14:13,123] INFO",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    (
        "[2024-03-09T14:14:13.123Z] \"INFO\"",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    ("2024-03-09 14:14:13 UTC", Ok("2024-03-09T14:14:13Z")),
    ("2024-03-09 14:14:13 +0900\tapp", Ok("2024-03-09T05:14:13Z")),
    ("2024-03-09 14:14:13 +0000 UTC", Ok("2024-03-09T14:14:13Z")),
    (
        "2024-03-09 14:14:13.123 CET",
        Ok("2024-03-09T13:14:13.123Z"),
    ),
    (
        "2024-03-09 14:14:13 account 111122223333",
        Ok("2024-03-09T14:14:13Z"),
    ),
    ("2024/03/09 14:14:13 retry 3", Ok("2024-03-09T14:14:13Z")),
    (
        "2024/03/09 14:14:13.123456",
        Ok("2024-03-09T14:14:13.123456Z"),
    ),
    ("2024.03.09 14:14:13", Ok("2024-03-09T14:14:13Z")),
    ("2024-03-09_14:14:13", Ok("2024-03-09T14:14:13Z")),
    ("2024-Mar-09 14:14:13.123", Ok("2024-03-09T14:14:13.123Z")),
    // Without separators.
    ("20240309T141413Z", Ok("2024-03-09T14:14:13Z")),
    ("20240309 14:14:13.123", Ok("2024-03-09T14:14:13.123Z")),
    (
        "I20240309 14:14:13.123456 7 a.cc:9]",
        Ok("2024-03-09T14:14:13.123456Z"),
    ),
    ("20240309141413", Ok("2024-03-09T14:14:13Z")),
    // Web servers, mail, HTTP.
    (
        "10.0.0.1 - - [09/Mar/2024:14:14:13 +0000]",
        Ok("2024-03-09T14:14:13Z"),
    ),
    (
        "10.0.0.1 - - [09/Mar/2024:14:14:13 -0500] \"GET\"",
        Ok("2024-03-09T19:14:13Z"),
    ),
    ("Sat, 09 Mar 2024 14:14:13 GMT", Ok("2024-03-09T14:14:13Z")),
    ("Sat, 9 Mar 2024 14:14:13 -0800", Ok("2024-03-09T22:14:13Z")),
    (
        "Saturday, 09-Mar-24 14:14:13 GMT",
        Ok("2024-03-09T14:14:13Z"),
    ),
    (
        "09 Mar 2024 14:14:13,123 INFO",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    (
        "09-Mar-2024 14:14:13.123 INFO [main]",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    ("Sat Mar  9 14:14:13 2024", Ok("2024-03-09T14:14:13Z")),
    (
        "[Sat Mar 09 14:14:13.123456 2024] [core:info]",
        Ok("2024-03-09T14:14:13.123456Z"),
    ),
    ("Sat Mar  9 14:14:13 PST 2024", Ok("2024-03-09T22:14:13Z")),
    (
        "Sat Mar 09 2024 14:14:13 GMT+0100 (CET)",
        Ok("2024-03-09T13:14:13Z"),
    ),
    // With half days.
    (
        "Mar 09, 2024 2:14:13 PM com.example.App",
        Ok("2024-03-09T14:14:13Z"),
    ),
    ("Mar 9, 2024 @ 14:14:13.123", Ok("2024-03-09T14:14:13.123Z")),
    ("March 9, 2024 at 12:14:13 AM", Ok("2024-03-09T00:14:13Z")),
    ("25/03/2024 14:14:13", Ok("2024-03-25T14:14:13Z")),
    ("3/25/2024 2:14:13 PM", Ok("2024-03-25T14:14:13Z")),
    ("09.03.2024 14:14:13", Ok("2024-03-09T14:14:13Z")),
    // Without a year: that of the file's name.
    ("Mar  9 14:14:13 host app[12]:", Ok("2024-03-09T14:14:13Z")),
    ("Dec 31 23:59:59 host app[12]:", Ok("2023-12-31T23:59:59Z")),
    (
        "I0309 14:14:13.123456       1 main.go:12]",
        Ok("2024-03-09T14:14:13.123456Z"),
    ),
    (
        "03-09 14:14:13.123  1234  5678 I app:",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    (
        "<14>Mar  9 14:14:13 host 2024-03-09T14:14:12.500Z app",
        Ok("2024-03-09T14:14:12.500Z"),
    ),
    // Numbers since 1970, where a time can be.
    ("1709993653", Ok("2024-03-09T14:14:13Z")),
    ("1709993653.123 [info]", Ok("2024-03-09T14:14:13.123Z")),
    ("1709993653123", Ok("2024-03-09T14:14:13.123Z")),
    ("[1709993653123] info", Ok("2024-03-09T14:14:13.123Z")),
    ("1.709993653123e+09\tINFO", Ok("2024-03-09T14:14:13.123Z")),
    ("level=info ts=1709993653.5", Ok("2024-03-09T14:14:13.500Z")),
    (
        "time=\"2024-03-09T14:14:13Z\" level=info msg=\"",
        Ok("2024-03-09T14:14:13Z"),
    ),
    // Containers.
    (
        "2024-03-09T14:14:13.123456789Z stdout F",
        Ok("2024-03-09T14:14:13.123456789Z"),
    ),
    ("app-1  | 2024-03-09 14:14:13", Ok("2024-03-09T14:14:13Z")),
    ("[12] 2024-03-09 14:14:13", Ok("2024-03-09T14:14:13Z")),
    ("2024-03-09, 2:14:13 p.m.", Ok("2024-03-09T14:14:13Z")),
    (
        "Sat Mar  9 02:14:13 PM UTC 2024",
        Ok("2024-03-09T14:14:13Z"),
    ),
    ("Sat Mar  9 17:14:13 +03 2024", Ok("2024-03-09T14:14:13Z")),
    (
        "09 Mar 14:14:13.123 * redis",
        Ok("2024-03-09T14:14:13.123Z"),
    ),
    ("2024-03-09 16:14:13 SAST", Ok("2024-03-09T14:14:13Z")),
    ("2024-03-09 14:14:13 -11 left", Ok("2024-03-09T14:14:13Z")),
    // Another time in what the line says is not its own.
    (
        "Mar  9 14:14:13 host app[1]: ORDER#2023-01-01T00:00:00Z",
        Ok("2024-03-09T14:14:13Z"),
    ),
    (
        "1709993653 ORDER#2023-01-01T00:00:00Z",
        Ok("2024-03-09T14:14:13Z"),
    ),
    // No time, or not a clear one.
    ("", Err("no time")),
    ("12 items", Err("no time")),
    ("thread 1234567890 done", Err("no time")),
    ("account 111122223333", Err("no time")),
    ("14:14:13.123 [main] INFO", Err("has no date")),
    (
        "03/09/2024 14:14:13",
        Err("a day and a month or a month and a day"),
    ),
    ("2024-03-09 14:14:13 IST", Err("stands for several")),
    ("2024-03-09 14:14:13 CST", Err("stands for several")),
    ("2024-13-09 14:14:13", Err("is not a date")),
    ("2024-03-09 25:14:13", Err("is not a time of day")),
    ("1999-03-09 14:14:13", Err("DynamoDB exists since 2012")),
    ("1970-01-01T00:00:07Z", Err("DynamoDB exists since 2012")),
];

const CALL: &str = "PutItem {\"ConsumedCapacity\":{\"TableName\":\"todo\",\"CapacityUnits\":1.0}}";

#[test]
fn every_beginning_of_a_line_is_read_or_refused() {
    assert!(BEGINNINGS.len() >= 60);
    let folder = tempfile::tempdir().expect("a folder");
    for (beginning, meaning) in BEGINNINGS {
        let path = folder.path().join("app-2024-06-30.log");
        std::fs::write(&path, format!("{beginning} {CALL}\n")).expect("a file");
        let found = replay(&[&path.display().to_string()]);
        match (meaning, found) {
            (Ok(moment), Ok(json)) => {
                let first = json["trace"]["first"].as_str().unwrap_or_default();
                assert_eq!(first, *moment, "{beginning:?}");
            }
            (Err(why), Err(message)) => {
                assert!(message.contains(why), "{beginning:?}: {message}");
            }
            (_, found) => panic!("{beginning:?}: {found:?}"),
        }
    }
}

/// What a case comes to: the units of each operation, or what the error says.
enum Right {
    Units(&'static [&'static str]),
    Error(&'static str),
}

/// The units of each operation, as `table/index operation: reads, writes`.
fn units(json: &Value) -> Vec<String> {
    let mut units = Vec::new();
    for row in json["consumed"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let index = row["index"].as_str().map(|index| format!("/{index}"));
        for operation in row["operations"].as_array().into_iter().flatten() {
            units.push(format!(
                "{}{} {}: {}, {}",
                text(&row["table"]),
                index.as_deref().unwrap_or_default(),
                text(&operation["operation"]),
                text(&operation["read_units"]),
                text(&operation["write_units"])
            ));
        }
    }
    units.sort();
    units
}

#[test]
fn every_log_comes_to_its_units() {
    use Right::{Error, Units};
    let one_put: &[&str] = &["todo PutItem: 0, 1"];
    let two_puts: &[&str] = &["todo PutItem: 0, 2"];
    let put_and_query: &[&str] = &["todo PutItem: 0, 1", "todo Query: 2.5, 0"];
    for (args, right, says) in [
        ("account.log", Units(two_puts), ""),
        (
            "d1.log",
            Units(two_puts),
            "times without a time zone, taken as UTC: 2",
        ),
        ("d3.log", Units(two_puts), "09/Mar/2024:14:14:13 +0000"),
        ("d7.log", Units(two_puts), ""),
        ("d11.log", Units(two_puts), ""),
        ("d12.log", Units(two_puts), ""),
        ("d22.log", Error("no time"), ""),
        ("e1-number-in-text.log", Units(two_puts), ""),
        ("e3-golog.log", Units(two_puts), ""),
        ("l23-fluentd.log", Units(one_put), ""),
        ("l9-powertools.log", Units(put_and_query), ""),
        ("e8-query-word.log", Units(&["todo UpdateItem: 0, 1"]), ""),
        ("e9-pages.log", Units(&["todo Query: 5, 0"]), ""),
        ("l1-python-print.log", Error("--set operation=NAME"), ""),
        (
            "l1-python-print.log --set operation=PutItem",
            Units(&["Replies PutItem: 0, 1"]),
            "the response's date header gives",
        ),
        (
            "l2-python-log.log",
            Units(&["Replies GetItem: 0.5, 0", "Replies PutItem: 0, 1"]),
            "the word \"put\"",
        ),
        (
            "l3-botocore-debug.log",
            Units(&["Replies PutItem: 0, 1", "Replies Query: 12.5, 0"]),
            "at the time of the line before",
        ),
        ("l4-go-debug.log", Units(one_put), ""),
        ("l12-otlp.jsonl", Units(put_and_query), ""),
        ("l14-xray.json", Units(&["todo Query: 2.5, 0"]), ""),
        ("l17-insights.csv", Units(put_and_query), ""),
        ("l18-filter-log-events.json", Units(put_and_query), ""),
        ("m3-stats-day.json", Error("--period"), ""),
        (
            "m3-stats-day.json --period 86400 --table T",
            Units(&["T writes: 0, 86400"]),
            "data points of 86400 seconds, as --period says: 1",
        ),
        ("n1-month-single.json", Error("has one point"), ""),
        ("n3-sparse.json", Error("at least 3600 seconds apart"), ""),
        (
            "n3-sparse.json --period 60 --table T",
            Units(&["T writes: 0, 12000"]),
            "\"total_usd\":\"5.38",
        ),
        (
            "n1-month-single.json --period 2592000 --table T",
            Units(&["T writes: 0, 2592000"]),
            "\"total_usd\":\"1.6425\"",
        ),
        (
            "n3-sparse.json --period 7200",
            Error("less than the period"),
            "",
        ),
        ("m10-gmd-math.json", Error("Consumed RCUs"), ""),
        ("n6-gmd-sampled.json", Error("SampleCount"), ""),
        ("n7-gmd-avg-label.json", Error("Average"), ""),
        ("m17-console-avg.csv", Error("Average"), ""),
        ("m21-grafana-sep.csv", Error("has one point"), ""),
        (
            "m21-grafana-sep.csv --period 60",
            Units(&["Orders reads: 60, 0"]),
            "",
        ),
        (
            "m15-otlp-metrics.json",
            Units(&["Orders reads: 60, 0"]),
            "as the file says",
        ),
        (
            "z3-utf16.json --period 3600 --table T",
            Units(&["T writes: 0, 86400"]),
            "",
        ),
        ("notes", Units(&[]), "events of other services, ignored: 6"),
        (
            "x15-incr-newimage",
            Units(&["Orders PutItem: 0, 3"]),
            "DeleteItem",
        ),
        ("s12-newimage-remove.json", Units(&[]), "DeleteItem"),
        (
            "s4-eventbridge-pipe.json",
            Units(&["Orders PutItem: 0, 9"]),
            "",
        ),
        (
            "k6-firehose-lambda.json",
            Units(&["buses PutItem: 0, 3"]),
            "",
        ),
        (
            "z10-dup.json",
            Units(&["buses PutItem: 0, 2"]),
            "delivered again, ignored: 1",
        ),
        ("t10-lower.jsonl", Units(&[]), "GetItem"),
        ("t14-digest.json", Error("a digest of CloudTrail"), ""),
        (
            "t14-digest.json t10-lower.jsonl",
            Units(&[]),
            "digests of CloudTrail: 1",
        ),
        ("t19-null-params.json", Units(&[]), "Orders"),
        (
            "t22-accessdenied-null.json",
            Units(&[]),
            "failed before they reached a table",
        ),
        ("t3-athena.csv", Units(&[]), "BatchWriteItem"),
        ("t8-subscription.json", Units(&[]), "TransactGetItems"),
        (
            "x1-scan.json",
            Error("the items that a Scan returned of a table"),
            "",
        ),
        ("x6-ion-export", Error("is a full export of Orders"), ""),
        (
            "e1-number-in-text.log --from 2024-03-09T15:00:00Z",
            Units(one_put),
            "left out: 1",
        ),
        (
            "e1-number-in-text.log --to 2024-03-09T15:00:00Z",
            Units(one_put),
            "left out: 1",
        ),
        (
            "n3-sparse.json --period 3600 --from 2024-05-29T17:00:00Z",
            Error("is cut by --from or --to"),
            "",
        ),
        ("d1.log ../logs/d1.log", Units(two_puts), ""),
        (
            "e1-number-in-text.log --from 2024-03-10",
            Error("left out: 2"),
            "",
        ),
    ] {
        let found = replay(&args.split(' ').collect::<Vec<_>>());
        match (right, found) {
            (Units(expected), Ok(json)) => {
                assert_eq!(units(&json), expected, "{args}");
                assert!(
                    json.to_string().replace("\\\"", "\"").contains(says),
                    "{args}: {json:#}"
                );
            }
            (Error(why), Err(message)) => assert!(message.contains(why), "{args}: {message}"),
            (_, found) => panic!("{args}: {found:?}"),
        }
    }
}

/// Calls of a log: moment, operation and half units.
fn calls() -> Vec<(i64, &'static str, u64)> {
    (0..40)
        .map(|number| {
            let operation = ["GetItem", "PutItem", "Query", "UpdateItem"][number as usize % 4];
            (1_709_993_653 + number * 7, operation, 1 + number as u64 % 5)
        })
        .collect()
}

fn capacity(halves: u64) -> Value {
    json!({"TableName": "todo", "CapacityUnits": halves as f64})
}

/// The figures of a result, without the names of files and what the trace leaves open.
fn figures(mut json: Value) -> Value {
    for name in ["files", "formats", "notes"] {
        json["trace"][name] = Value::Null;
    }
    json
}

/// A file in a folder, written as text.
fn written(folder: &Path, name: &str, text: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

#[test]
fn no_form_of_times_changes_a_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let time = |second: i64, form: &str| {
        let moment = chrono::DateTime::from_timestamp(second, 0).expect("a moment");
        moment.format(form).to_string()
    };
    let mut first = None;
    for form in [
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S,000",
        "%Y/%m/%d %H:%M:%S",
        "%d/%b/%Y:%H:%M:%S +0000",
        "%a, %d %b %Y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
        "%b %d, %Y %-I:%M:%S %p",
        "%b %e %H:%M:%S host app:",
        "I%m%d %H:%M:%S.000000 1 a.go:1]",
        "%s",
        "%s000",
        "%d.%m.%Y %H:%M:%S",
    ] {
        let lines: String = calls()
            .iter()
            .map(|(second, operation, halves)| {
                let capacity = json!({"ConsumedCapacity": capacity(*halves)});
                format!("{} {operation} {capacity}\n", time(*second, form))
            })
            .collect();
        let path = written(folder.path(), "app-2024-03-10.log", lines.as_bytes());
        let found = figures(replay(&[&path.display().to_string()]).expect(form));
        assert_eq!(&found, first.get_or_insert(found.clone()), "{form}");
    }
}

#[test]
fn no_wrapper_and_no_division_changes_a_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let moment = |second: i64| {
        let moment = chrono::DateTime::from_timestamp(second, 0).expect("a moment");
        moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    };
    let records: Vec<(i64, Value)> = calls()
        .iter()
        .map(|(second, operation, halves)| {
            let record = json!({
                "time": moment(*second), "operation": operation,
                "ConsumedCapacity": capacity(*halves),
            });
            (*second, record)
        })
        .collect();
    let gzipped = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).expect("gzip");
        encoder.finish().expect("gzip")
    };
    let lines = |each: &dyn Fn(i64, &Value) -> Value| -> Vec<u8> {
        let lines = records
            .iter()
            .map(|(second, record)| each(*second, record).to_string());
        lines.collect::<Vec<_>>().join("\n").into_bytes()
    };
    let list = |each: &dyn Fn(i64, &Value) -> Value| -> Vec<Value> {
        records
            .iter()
            .map(|(second, record)| each(*second, record))
            .collect()
    };
    let document = |value: Value| format!("{value:#}").into_bytes();
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let plain = lines(&|_, record| record.clone());
    let event = |second: i64, record: &Value| json!({"id": second.to_string(), "timestamp": second * 1_000, "message": record.to_string()});
    let half = records.len() / 2;
    let part = |records: &[(i64, Value)]| -> Vec<u8> {
        let lines = records.iter().map(|(_, record)| record.to_string());
        lines.collect::<Vec<_>>().join("\n").into_bytes()
    };
    let wrapped: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("lines", vec![plain.clone()]),
        ("gzip", vec![gzipped(&plain)]),
        (
            "zstd",
            vec![zstd::encode_all(plain.as_slice(), 1).expect("zstd")],
        ),
        (
            "two files",
            vec![part(&records[..half]), part(&records[half..])],
        ),
        (
            "two files, later first",
            vec![part(&records[half..]), part(&records[..half])],
        ),
        (
            "no line ends",
            vec![
                plain
                    .iter()
                    .copied()
                    .filter(|byte| *byte != b'\n')
                    .collect(),
            ],
        ),
        (
            "a list",
            vec![document(Value::Array(list(&|_, record| record.clone())))],
        ),
        (
            "Records",
            vec![document(
                json!({"Records": list(&|_, record| record.clone())}),
            )],
        ),
        (
            "UTF-16",
            vec![
                [0xff, 0xfe]
                    .into_iter()
                    .chain(plain.iter().flat_map(|byte| [*byte, 0]))
                    .collect(),
            ],
        ),
        (
            "filter-log-events",
            vec![document(json!({"events": list(&event)}))],
        ),
        (
            "a subscription",
            vec![document(
                json!({"messageType": "DATA_MESSAGE", "logEvents": list(&event)}),
            )],
        ),
        (
            "a subscription of Lambda",
            vec![document(json!({"awslogs": {"data": base64(&gzipped(
                json!({"messageType": "DATA_MESSAGE", "logEvents": list(&event)}).to_string().as_bytes(),
            ))}}))],
        ),
        (
            "Logs Insights",
            vec![document(json!({"results": list(&|second, record| json!([
                {"field": "@timestamp", "value": moment(second)},
                {"field": "@message", "value": record.to_string()},
            ]))}))],
        ),
        (
            "EventBridge",
            vec![lines(&|second, record| {
                json!({
                    "version": "0", "detail-type": "call", "time": moment(second), "detail": record,
                })
            })],
        ),
        (
            "SQS",
            vec![document(json!({"Records": list(&|_, record| json!({
                "messageId": "m", "body": record.to_string(), "eventSource": "aws:sqs",
            }))}))],
        ),
        (
            "receive-message",
            vec![document(json!({"Messages": list(&|_, record| json!({
                "MessageId": "m", "Body": record.to_string(),
            }))}))],
        ),
        (
            "SNS",
            vec![document(json!({"Records": list(&|_, record| json!({
                "EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": record.to_string()},
            }))}))],
        ),
        (
            "Kinesis",
            vec![document(json!({"Records": list(&|_, record| json!({
                "kinesis": {"data": base64(record.to_string().as_bytes())},
            }))}))],
        ),
        (
            "Firehose",
            vec![document(json!({"records": list(&|_, record| json!({
                "recordId": "r", "data": base64(record.to_string().as_bytes()),
            }))}))],
        ),
        (
            "docker",
            vec![lines(&|second, record| {
                json!({
                    "log": format!("{record}\n"), "stream": "stdout", "time": moment(second),
                })
            })],
        ),
        (
            "Kubernetes",
            vec![
                records
                    .iter()
                    .map(|(second, record)| format!("{} stdout F {record}\n", moment(*second)))
                    .collect::<String>()
                    .into_bytes(),
            ],
        ),
        (
            "journald",
            vec![lines(&|second, record| {
                json!({
                    "MESSAGE": record.to_string(), "__REALTIME_TIMESTAMP": (second * 1_000_000).to_string(),
                })
            })],
        ),
        (
            "a message within a record",
            vec![lines(&|second, record| {
                json!({
                    "level": "info", "time": moment(second), "message": format!("done {record}"),
                })
            })],
        ),
        (
            "a CSV of Logs Insights",
            vec![{
                let mut writer = csv::Writer::from_writer(Vec::new());
                writer
                    .write_record(["@timestamp", "@message"])
                    .expect("CSV");
                for (second, record) in &records {
                    writer
                        .write_record([moment(*second), record.to_string()])
                        .expect("CSV");
                }
                writer.into_inner().expect("CSV")
            }],
        ),
    ];
    let mut first = None;
    for (name, files) in wrapped {
        let inner = folder.path().join(name);
        std::fs::create_dir(&inner).expect("a folder");
        // What lies beside logs changes nothing either.
        for (number, text) in files.iter().enumerate() {
            written(&inner, &format!("{number}.log"), text);
        }
        written(&inner, "README.md", b"The logs of May.\n");
        written(&inner, "empty.log", b"");
        let found = replay(&[&inner.display().to_string()]);
        let found = figures(found.unwrap_or_else(|message| panic!("{name}: {message}")));
        assert_eq!(&found, first.get_or_insert(found.clone()), "{name}");
    }
}

/// An answer of GetMetricData for two minutes.
fn answer(results: &[(&str, &str, [f64; 2])], queries: Value) -> String {
    let results: Vec<Value> = results
        .iter()
        .map(|(id, label, values)| {
            json!({
                "Id": id, "Label": label, "Values": values, "StatusCode": "Complete",
                "Timestamps": ["2024-05-29T16:31:00Z", "2024-05-29T16:30:00Z"],
            })
        })
        .collect();
    json!({"MetricDataResults": results, "Messages": [], "MetricDataQueries": queries}).to_string()
}

/// The query of a metric of the table Orders.
fn asked(id: &str, metric: &str, statistic: &str) -> Value {
    json!({"Id": id, "MetricStat": {"Period": 60, "Stat": statistic, "Metric": {
        "Namespace": "AWS/DynamoDB", "MetricName": metric,
        "Dimensions": [{"Name": "TableName", "Value": "Orders"}],
    }}})
}

#[test]
fn every_notation_comes_to_its_units() {
    use Right::{Error, Units};
    let reads = "ConsumedReadCapacityUnits";
    let span = |attributes: Value| {
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
            "spanId": "1", "startTimeUnixNano": "1709993653001000000", "attributes": attributes,
        }]}]}]})
        .to_string()
    };
    let put: &[&str] = &["todo PutItem: 0, 2"];
    let sixty: &[&str] = &["Orders reads: 60, 0"];
    let none = Value::Null;
    let rows: Vec<(&str, String, &str, Right)> = vec![
        // The output of SDKs.
        (
            "node.log",
            "2024-03-09T14:14:13Z INFO PutItem {\n  '$metadata': { httpStatusCode: 200 },\n  \
             ConsumedCapacity: {\n    CapacityUnits: 2.0,\n    TableName: 'todo'\n  }\n}\n\
             2024-03-09T14:14:14Z INFO done\n".to_string(),
            "",
            Units(put),
        ),
        (
            "java.log",
            "2024-03-09 14:14:13.123 INFO PutItemResponse(ConsumedCapacity=ConsumedCapacity(\
             TableName=todo, CapacityUnits=2.0))\n".to_string(),
            "",
            Units(put),
        ),
        (
            "rust.log",
            "2024-03-09T14:14:13.123Z DEBUG PutItemOutput { consumed_capacity: \
             Some(ConsumedCapacity { table_name: Some(\"todo\"), capacity_units: Some(2.0), \
             table: None, global_secondary_indexes: None }) }\n".to_string(),
            "",
            Units(put),
        ),
        (
            "decimal.log",
            "2024-03-09 14:14:13,1 INFO PutItem {'ConsumedCapacity': {'TableName': 'todo', \
             'CapacityUnits': Decimal('2.0')}}\n".to_string(),
            "",
            Units(put),
        ),
        (
            "escaped.log",
            "2024-03-09T14:14:13Z PutItem \"{\\\"ConsumedCapacity\\\":{\\\"TableName\\\":\
             \\\"todo\\\",\\\"CapacityUnits\\\":2}}\"\n".to_string(),
            "",
            Units(put),
        ),
        (
            "several.log",
            "2024-03-09T14:14:13Z GetItem {\"ConsumedCapacity\":{\"TableName\":\"todo\",\
             \"CapacityUnits\":0.5}} PutItem {\"ConsumedCapacity\":{\"TableName\":\"todo\",\
             \"CapacityUnits\":2}}\n".to_string(),
            "",
            Units(&["todo GetItem: 0.5, 0", "todo PutItem: 0, 2"]),
        ),
        (
            "indexes.log",
            "{\"time\":\"2024-03-09T14:14:13Z\",\"operation\":\"PutItem\",\"ConsumedCapacity\":\
             {\"TableName\":\"todo\",\"CapacityUnits\":3,\"Table\":{\"CapacityUnits\":1},\
             \"GlobalSecondaryIndexes\":{\"g\":{\"CapacityUnits\":2}}}}\n".to_string(),
            "",
            Units(&["todo PutItem: 0, 1", "todo/g PutItem: 0, 2"]),
        ),
        (
            "emf.jsonl",
            "{\"_aws\":{\"Timestamp\":1709993653123,\"CloudWatchMetrics\":[]},\"operation\":\
             \"PutItem\",\"TableName\":\"todo\",\"ConsumedCapacity\":2}\n".to_string(),
            "",
            Units(put),
        ),
        (
            "response.jsonl",
            "{\"ts\":1709993653.5,\"response\":{\"Items\":[],\"ConsumedCapacity\":{\"TableName\":\
             \"todo\",\"CapacityUnits\":2}}}\n".to_string(),
            "",
            Units(&["todo reads: 2, 0"]),
        ),
        (
            "span.json",
            span(json!([
                {"key": "rpc.method", "value": {"stringValue": "PutItem"}},
                {"key": "aws.dynamodb.consumed_capacity", "value": {"arrayValue": {"values": [
                    {"stringValue": "{\"TableName\":\"todo\",\"CapacityUnits\":2}"},
                ]}}},
            ])),
            "",
            Units(put),
        ),
        (
            "lambda.log",
            format!("START RequestId: 1\n2024-03-09T14:14:13.123Z\t1\tINFO\t{CALL}\nEND RequestId: 1\n\
             REPORT RequestId: 1\tDuration: 3 ms\n"),
            "",
            Units(&["todo PutItem: 0, 1"]),
        ),
        (
            "own-list.jsonl",
            "{\"time\":\"2024-03-09T14:14:13Z\",\"operation\":\"Query\",\"results\":[{\"a\":1}],\
             \"response\":{\"ConsumedCapacity\":{\"TableName\":\"todo\",\"CapacityUnits\":2}}}\n".to_string(),
            "",
            Units(&["todo Query: 2, 0"]),
        ),
        (
            "own-list.json",
            "{\n\"time\":\"2024-03-09T14:14:13Z\",\"operation\":\"Query\",\n\"results\":[{\"a\":1}],\n\
             \"response\":{\"ConsumedCapacity\":{\"TableName\":\"todo\",\"CapacityUnits\":2}}}\n".to_string(),
            "",
            Units(&["todo Query: 2, 0"]),
        ),
        (
            "own-message.jsonl",
            "{\"timestamp\":\"2024-03-09T14:14:13Z\",\"id\":7,\"message\":\"done\",\"operation\":\"Query\",\
             \"response\":{\"ConsumedCapacity\":{\"TableName\":\"todo\",\"CapacityUnits\":2}}}\n".to_string(),
            "",
            Units(&["todo Query: 2, 0"]),
        ),
        (
            "search.json",
            answer(
                &[("e", "Orders", [40.0, 20.0])],
                json!([{"Id": "e", "Expression": "SEARCH('{AWS/DynamoDB,TableName} \
                    MetricName=\"ConsumedReadCapacityUnits\"', 'Sum', 60)"}]),
            ),
            "",
            Units(sixty),
        ),
        (
            "two-names.log",
            "2024-03-09T14:14:13Z GetItem or PutItem, one of them: {\"ConsumedCapacity\":\
             {\"TableName\":\"todo\",\"CapacityUnits\":2}}\n".to_string(),
            "",
            Error("several operations, \"GetItem\" and \"PutItem\""),
        ),
        (
            "two-names.log",
            "2024-03-09T14:14:13Z GetItem or PutItem, one of them: {\"ConsumedCapacity\":\
             {\"TableName\":\"todo\",\"CapacityUnits\":2}}\n".to_string(),
            "--set operation=PutItem",
            Units(put),
        ),
        (
            "form.log",
            "at 09|03|2024 14.14.13 PutItem {\"ConsumedCapacity\":{\"TableName\":\"todo\",\
             \"CapacityUnits\":2}}\n".to_string(),
            "--time-format=%d|%m|%Y_%H.%M.%S",
            Error("no time of the form that --time-format names"),
        ),
        (
            "form.log",
            "at 09|03|2024_14.14.13 PutItem {\"ConsumedCapacity\":{\"TableName\":\"todo\",\
             \"CapacityUnits\":2}}\n".to_string(),
            "--time-format=%d|%m|%Y_%H.%M.%S",
            Units(put),
        ),
        ("form.log", format!("1 {CALL}\n"), "--time-format=%Q", Error("is not a form of times")),
        (
            "ruby.log",
            "I, [2024-03-09T14:14:13.5 #12]  INFO -- : put_item #<struct Aws::DynamoDB::Types::PutItemOutput \
             attributes=nil, consumed_capacity=#<struct Aws::DynamoDB::Types::ConsumedCapacity \
             table_name=\"todo\", capacity_units=2.0, table=nil>>\n".to_string(),
            "",
            Units(put),
        ),
        (
            "logrus.log",
            "time=\"2024-03-09T14:14:13Z\" level=info msg=done operation=PutItem \
             ConsumedCapacity=\"{\\\"TableName\\\":\\\"todo\\\",\\\"CapacityUnits\\\":2}\"\n".to_string(),
            "",
            Units(put),
        ),
        (
            "dotnet.jsonl",
            "{\"time\":\"2024-03-09T14:14:13Z\",\"operation\":\"PutItem\",\"ConsumedCapacity\":{\"TableName\":\
             \"todo\",\"CapacityUnits\":2,\"ReadCapacityUnits\":0,\"WriteCapacityUnits\":0}}\n".to_string(),
            "",
            Units(put),
        ),
        (
            "pointer.log",
            "2024-03-09T14:14:13Z GetItem &{ConsumedCapacity:0xc000123456 Item:map[]}\n".to_string(),
            "",
            Error("is the address 0xc000123456"),
        ),
        (
            "comma.log",
            "2024-03-09 14:14:12,001 INFO starting\n2024-03-09 14:14:13,250 INFO PutItem {\"ConsumedCapacity\":\
             {\"TableName\":\"todo\",\"CapacityUnits\":2}}\n".to_string(),
            "",
            Units(put),
        ),
        (
            "text-in-json.log",
            "2024-03-09T14:14:13Z stdout F {\"message\":\"PutItemResponse(ConsumedCapacity=ConsumedCapacity(\
             TableName=todo, CapacityUnits=2.0))\"}\n".to_string(),
            "",
            Units(put),
        ),
        (
            "named-and-not.log",
            "2024-03-09T14:14:13Z PutItem(attempt 1, ConsumedCapacity={TableName: todo, CapacityUnits: 2})\n".to_string(),
            "",
            Units(put),
        ),
        (
            "twice.jsonl",
            "{\"time\":\"2024-03-09T14:14:13Z\",\"operation\":\"PutItem\",\"message\":\"{\\\"ConsumedCapacity\\\":\
             {\\\"TableName\\\":\\\"todo\\\",\\\"CapacityUnits\\\":2}}\",\"ConsumedCapacity\":{\"TableName\":\"todo\",\
             \"CapacityUnits\":2}}\n".to_string(),
            "",
            Units(put),
        ),
        (
            "http.jsonl",
            "{\"time\":\"2024-03-09T14:14:13Z\",\"method\":\"PUT\",\"ConsumedCapacity\":{\"TableName\":\"todo\",\
             \"CapacityUnits\":2}}\n".to_string(),
            "",
            Error("no operation that says so"),
        ),
        (
            "contradiction.jsonl",
            "{\"time\":\"2024-03-09T14:14:13Z\",\"operation\":\"UpdateItem\",\"response\":{\"Item\":{},\
             \"ConsumedCapacity\":{\"TableName\":\"todo\",\"CapacityUnits\":2}}}\n".to_string(),
            "",
            Error("its response is that of a read"),
        ),
        (
            "english.log",
            "2024-03-09T14:14:13Z Scan worker finished updating: {\"ConsumedCapacity\":{\"TableName\":\
             \"todo\",\"CapacityUnits\":2}}\n".to_string(),
            "",
            Error("no operation that says so"),
        ),
        (
            "threads.log",
            "2024-03-09 14:14:13,1 Making request for OperationModel(name=PutItem)\n\
             2024-03-09 14:14:13,2 Making request for OperationModel(name=GetItem)\n\
             b'{\"ConsumedCapacity\":{\"TableName\":\"todo\",\"CapacityUnits\":2}}'\n".to_string(),
            "",
            Error("several operations, \"PutItem\" and \"GetItem\""),
        ),
        (
            "sum.jsonl",
            "{\"time\":\"2024-03-09T14:14:13Z\",\"operation\":\"PutItem\",\"ConsumedCapacity\":{\"TableName\":\
             \"todo\",\"CapacityUnits\":3,\"Table\":{\"CapacityUnits\":2}}}\n".to_string(),
            "",
            Error("has 3 CapacityUnits, but its table and indexes have 2"),
        ),
        (
            "word.log",
            "2024-03-09T14:14:13Z WARN no ConsumedCapacity in the response\n\
             2024-03-09T14:14:13Z PutItem {\"ConsumedCapacity\":{\"TableName\":\"todo\",\"CapacityUnits\":2}}\n".to_string(),
            "",
            Units(put),
        ),
        (
            "huge.jsonl",
            "{\"time\":7e28,\"operation\":\"PutItem\",\"ConsumedCapacity\":{\"TableName\":\"todo\",\
             \"CapacityUnits\":2}}\n".to_string(),
            "",
            Error("no time"),
        ),
        // Metrics.
        (
            "mean-as-sum.json",
            answer(&[("a", "x", [0.2, 0.2])], json!([asked("a", reads, "Sum")])),
            "",
            Error("units are multiples of 0.5"),
        ),
        (
            "two-results.json",
            answer(
                &[("a", &format!("Orders {reads}"), [40.0, 20.0]), ("b", &format!("Orders {reads}"), [40.0, 20.0])],
                none.clone(),
            ),
            "",
            Error("have the same label"),
        ),
        // Of several series, a bad one takes no other with it.
        (
            "one-bad.json",
            answer(
                &[("a", "x", [0.2, 4.0]), ("b", "y", [40.0, 20.0])],
                json!([asked("a", "ConsumedWriteCapacityUnits", "Sum"), asked("b", reads, "Sum")]),
            ),
            "--skip-bad-rows",
            Units(sixty),
        ),
        (
            "late.prom",
            "aws_dynamodb_consumed_read_capacity_units_sum{table_name=\"Orders\"} 60 \
             70000000000000000000000000000.5\n".to_string(),
            "--period 300",
            Error("has no time"),
        ),
        (
            "two-answers.json",
            answer(&[("a", &format!("Orders {reads}"), [40.0, 20.0])], none.clone()).repeat(2),
            "",
            Units(sixty),
        ),
        (
            "large.json",
            answer(&[("a", "x", [5e28, 1.0]), ("n", "y", [5e28, 1.0])],
                json!([asked("a", reads, "Average"), asked("n", reads, "SampleCount")])),
            "",
            Error("is too large"),
        ),
        (
            "labels.json",
            answer(&[("a", &format!("Orders {reads}"), [40.0, 20.0])], none.clone()),
            "",
            Units(sixty),
        ),
        (
            "not-sums.json",
            answer(&[("a", &format!("Orders {reads}"), [0.7, 0.2])], none.clone()),
            "",
            Error("a statistic that is not stated"),
        ),
        (
            "words.json",
            answer(&[("a", &format!("Orders ByStatus {reads}"), [1.0, 2.0])], none.clone()),
            "",
            Error("does not say which is the table"),
        ),
        (
            "words.json",
            answer(&[("a", &format!("Orders ByStatus {reads}"), [1.0, 2.0])], none.clone()),
            "--table Orders",
            Units(&["Orders reads: 0, 0", "Orders/ByStatus reads: 3, 0"]),
        ),
        (
            "means.json",
            answer(
                &[("a", "x", [4.0, 2.0]), ("n", "y", [10.0, 10.0])],
                json!([asked("a", reads, "Average"), asked("n", reads, "SampleCount")]),
            ),
            "",
            Units(sixty),
        ),
        (
            "rate.json",
            answer(
                &[("rate", "reads a second", [0.5, 0.5])],
                json!([asked("m", reads, "Sum"), {"Id": "rate", "Expression": "m/PERIOD(m)"}]),
            ),
            "",
            Units(sixty),
        ),
        (
            "rate-and-sum.json",
            answer(
                &[("rate", "reads a second", [0.5, 0.5]), ("m", "x", [40.0, 20.0])],
                json!([asked("m", reads, "Sum"), {"Id": "rate", "Expression": "m / 60"}]),
            ),
            "",
            Units(sixty),
        ),
        (
            "expression.json",
            answer(
                &[("e", "x", [0.5, 0.5])],
                json!([asked("m", reads, "Sum"), {"Id": "e", "Expression": "m * 2"}]),
            ),
            "",
            Error("is the expression \"m * 2\""),
        ),
        (
            "maximum.json",
            answer(&[("a", "x", [4.0, 2.0])], json!([asked("a", reads, "Maximum")])),
            "",
            Error("another statistic than Sum"),
        ),
        (
            "operation.json",
            answer(
                &[("a", "x", [40.0, 20.0]), ("b", &format!("{reads} TableName=Orders Operation=Query"), [1.0, 1.0])],
                json!([asked("a", reads, "Sum")]),
            ),
            "",
            Units(sixty),
        ),
        (
            "ConsumedReadCapacityUnits.json",
            "[{\"Timestamp\":\"2024-05-29T16:30:00Z\",\"Sum\":40.0},\
             {\"Timestamp\":\"2024-05-29T16:31:00Z\",\"Sum\":20.0}]\n".to_string(),
            "--table Orders",
            Units(sixty),
        ),
        (
            "points.json",
            "[{\"Timestamp\":\"2024-05-29T16:30:00Z\",\"Sum\":40.0}]\n".to_string(),
            "--table Orders --period 60",
            Error("do not say of which metric they are"),
        ),
        (
            "exporter.prom",
            "# HELP aws_dynamodb_consumed_read_capacity_units_sum CloudWatch\n\
             aws_dynamodb_consumed_read_capacity_units_sum{job=\"d\",table_name=\"Orders\",} 40.0 1717000200000\n\
             aws_dynamodb_consumed_read_capacity_units_sum{job=\"d\",table_name=\"Orders\",} 20.0 1717000260000\n"
                .to_string(),
            "",
            Units(sixty),
        ),
        (
            "yace.prom",
            "aws_dynamodb_consumed_read_capacity_units_sum{dimension_TableName=\"Orders\",\
             dimension_GlobalSecondaryIndexName=\"g\",region=\"us-east-1\"} 60 1717000200000\n".to_string(),
            "--period 300",
            Units(&["Orders reads: 0, 0", "Orders/g reads: 60, 0"]),
        ),
        (
            "scrape.prom",
            "aws_dynamodb_consumed_read_capacity_units_sum{table_name=\"Orders\"} 60\n".to_string(),
            "--period 300",
            Error("has no time"),
        ),
        (
            "grafana.csv",
            "\"Time\",\"Orders_ConsumedReadCapacityUnits_Sum\"\n2024-05-29 16:30:00,40\n\
             2024-05-29 16:31:00,20\n".to_string(),
            "",
            Units(sixty),
        ),
        (
            "lake.jsonl",
            json!({
                "class_uid": 6003, "time": 1_717_000_201_000_i64, "cloud": {"region": "us-east-1"},
                "api": {"operation": "PutItem", "service": {"name": "dynamodb.amazonaws.com"},
                        "request": {"data": "{\"tableName\":\"Orders\",\"key\":{\"pk\":\"a\"}}"},
                        "response": {"error": "ThrottlingException"}},
                "resources": [{"uid": "arn:aws:dynamodb:us-east-1:111122223333:table/Orders"}],
                "metadata": {"uid": "1"},
            })
            .to_string()
                + "\n",
            "",
            Units(&[]),
        ),
        // What is not a trace, or not understood.
        ("other.jsonl", "{\"a\":1}\n{\"a\":2}\n".to_string(), "", Error("JSON with the members a")),
        ("other.csv", "a,b,c\n1,2,3\n".to_string(), "", Error("CSV with the columns a, b, c")),
        ("old.csv", "time,operation,key\n2009-01-01T00:00:00Z,GetItem,a\n".to_string(), "", Error("old.csv:2: its time is read as 2009")),
        (
            "long.csv",
            "time,operation,key,item_bytes\n2016-01-01T00:00:00Z,GetItem,a,1\n2024-01-01T00:00:00Z,GetItem,a,1\n".to_string(),
            "",
            Error("more than three years"),
        ),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text, args, right) in rows {
        let path = written(folder.path(), name, text.as_bytes())
            .display()
            .to_string();
        let mut all = vec![path.as_str()];
        all.extend(args.split(' ').filter(|arg| !arg.is_empty()));
        match (right, replay(&all)) {
            (Units(expected), Ok(json)) => assert_eq!(units(&json), expected, "{name} {args}"),
            (Error(why), Err(message)) => {
                assert!(message.contains(why), "{name} {args}: {message}");
            }
            (_, found) => panic!("{name} {args}: {found:?}"),
        }
    }
}

#[test]
fn the_written_queries_ask_for_all_that_an_answer_needs() {
    let folder = tempfile::tempdir().expect("a folder");
    let description = json!({"Table": {
        "TableName": "Orders", "KeySchema": [],
        "GlobalSecondaryIndexes": [{"IndexName": "ByStatus"}],
    }});
    let described = written(
        folder.path(),
        "orders.json",
        description.to_string().as_bytes(),
    );
    let output = Command::new(env!("CARGO_BIN_EXE_dynameter"))
        .args(["import", "cloudwatch", "--queries", "Carts"])
        .arg(&described)
        .output()
        .expect("the command runs");
    let queries: Vec<Value> = serde_json::from_slice(&output.stdout).expect("queries");
    assert_eq!(queries.len(), 12, "4 metrics of 2 tables and an index");
    assert!(String::from_utf8_lossy(&output.stderr).contains("Carts: the metrics of global"));
    // The answer alone, with the labels of the queries, says everything.
    let results: Vec<Value> = queries
        .iter()
        .map(|query| {
            json!({"Id": query["Id"], "Label": query["Label"], "Values": [30.0],
                   "Timestamps": ["2024-05-29T16:30:00Z"]})
        })
        .collect();
    let path = written(
        folder.path(),
        "answer.json",
        json!({"MetricDataResults": results}).to_string().as_bytes(),
    );
    let json = replay(&[&path.display().to_string()]).expect("units");
    assert_eq!(
        units(&json),
        [
            "Carts reads: 30, 0",
            "Carts writes: 0, 30",
            "Orders reads: 30, 0",
            "Orders writes: 0, 30",
            "Orders/ByStatus reads: 30, 0",
            "Orders/ByStatus writes: 0, 30",
        ]
    );
    let notes = json["trace"]["notes"].to_string();
    assert!(
        notes.contains("data points of 60 seconds, as the file says"),
        "{notes}"
    );
}

#[test]
fn items_of_a_scan_and_of_an_export_in_ion_are_sizes() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = support::root().join("tests/cases/logs");
    let call = |key: &str| {
        format!(
            "{{\"time\":\"2024-05-29T16:30:00Z\",\"operation\":\"GetItem\",\"table\":\"Orders\",\"key\":\"{key}|o\"}}\n"
        )
    };
    let workload = "name = \"t\"\nregion = \"us-east-1\"\n[[table]]\nname = \"Orders\"\n\
                    partition_key.name = \"pk\"\nsort_key.name = \"sk\"\nitems = 3\nitem.size = \"1 KB\"\n\
                    [table.capacity]\nmode = \"on-demand\"\n";
    let workload = written(folder.path(), "w.toml", workload.as_bytes());
    let workload = workload.display().to_string();
    for (state, key, table) in [
        ("x1-scan.json", "c1", "Orders"),
        ("x6-ion-export", "c0", "Orders"),
    ] {
        let trace = written(folder.path(), "calls.jsonl", call(key).as_bytes());
        let (state, trace) = (cases.join(state), trace.display().to_string());
        let state = state.display().to_string();
        let args = [
            state.as_str(),
            trace.as_str(),
            "--table",
            table,
            "-w",
            workload.as_str(),
        ];
        let json = replay(&args).unwrap_or_else(|message| panic!("{state}: {message}"));
        // Without the item, the size would come from the workload.
        let rows = json!([{"throughput": "read", "source": "export", "rows": "1"}]);
        assert_eq!(json["sizes"]["rows"], rows, "{state}");
    }
}

#[test]
fn inspecting_shows_what_is_understood_without_running() {
    let output = Command::new(env!("CARGO_BIN_EXE_dynameter"))
        .args([
            "replay",
            "--inspect",
            "l9-powertools.log",
            "t14-digest.json",
            "x1-scan.json",
        ])
        .current_dir(support::root().join("tests/cases/logs"))
        .output()
        .expect("the command runs");
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "Files: 3, of which traces: 1. Nothing was run.",
        "Format: log",
        "Fields: ConsumedCapacity, cold_start, function_name, level",
        "2024-03-09T14:14:13.001Z PutItem on todo: 0 read and 1 write units",
        "2024-03-09T14:14:14.001Z Query on todo: 2.5 read and 0 write units",
        "Not a trace: a digest of CloudTrail",
        "the items that a Scan returned",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('$'), "{text}");
}
