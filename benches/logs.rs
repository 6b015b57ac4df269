//! Measures how fast logs, trails and metrics are read, and in how much memory: each beside
//! serde_json, which only parses the same bytes into values, in the same run.
//!
//! `cargo bench --all-features --bench logs`
//!
//! `DYNAMETER_BENCH_MB` sets the size of the CloudTrail document (default: 1,000 MB).

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Lines of the logs.
const LINES: u64 = 1_000_000;

fn main() {
    // `cargo test` runs benchmarks once to check that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).expect("target/bench");
    let megabytes = std::env::var("DYNAMETER_BENCH_MB").ok();
    let megabytes = megabytes
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000);
    println!(
        "{:<44} {:>8} {:>9} {:>12} {:>10}",
        "input", "MB", "seconds", "of parsing", "memory MB"
    );
    for (what, path) in [
        ("log, JSON lines", json_lines(&folder)),
        ("log, text before JSON", text_lines(&folder)),
        ("CloudTrail, one document", trail(&folder, megabytes)),
        ("GetMetricData, one answer", metrics(&folder, megabytes / 5)),
    ] {
        let bytes = std::fs::metadata(&path).map_or(0, |data| data.len());
        let parsing = parsed(&path);
        let (seconds, memory) = replayed(&path);
        println!(
            "{what:<44} {:>8} {:>9.2} {:>12.2} {:>10}",
            bytes / 1_000_000,
            seconds.as_secs_f64(),
            seconds.as_secs_f64() / parsing.as_secs_f64(),
            memory / 1_000
        );
    }
}

/// A file in a folder, written by `fill`.
fn written(folder: &Path, name: &str, fill: impl FnOnce(&mut BufWriter<File>)) -> PathBuf {
    let path = folder.join(name);
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    fill(&mut file);
    file.flush().expect("a file");
    path
}

/// A moment, 50 milliseconds after the one before.
fn moment(number: u64) -> String {
    let milliseconds = 1_716_940_800_000 + number as i64 * 50;
    let moment = chrono::DateTime::from_timestamp_millis(milliseconds).expect("a moment");
    moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn call(number: u64) -> (&'static str, Value) {
    let operation = ["GetItem", "PutItem", "Query"][number as usize % 3];
    let capacity = json!({"TableName": "Orders", "CapacityUnits": 1 + number % 8});
    (
        operation,
        json!({"operation": operation, "response": {"ConsumedCapacity": capacity}}),
    )
}

fn json_lines(folder: &Path) -> PathBuf {
    written(folder, "lines.jsonl", |file| {
        for number in 0..LINES {
            let (_, mut line) = call(number);
            line["time"] = json!(moment(number));
            writeln!(file, "{line}").expect("a line");
        }
    })
}

fn text_lines(folder: &Path) -> PathBuf {
    written(folder, "text.log", |file| {
        for number in 0..LINES {
            let (_, line) = call(number);
            writeln!(file, "{} INFO orders {line}", moment(number)).expect("a line");
        }
    })
}

fn trail(folder: &Path, megabytes: u64) -> PathBuf {
    written(folder, "trail.json", |file| {
        write!(file, "{{\"Records\":[").expect("the beginning");
        let mut bytes = 0;
        for number in 0.. {
            let event = json!({
                "eventVersion": "1.09", "eventTime": moment(number), "eventID": number.to_string(),
                "eventSource": "dynamodb.amazonaws.com", "eventName": "GetItem",
                "awsRegion": "eu-west-2", "sourceIPAddress": "192.0.2.1", "userAgent": "Boto3/1.28",
                "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLE:app",
                    "arn": "arn:aws:sts::111122223333:assumed-role/app/app"},
                "requestParameters": {"tableName": "Orders", "key": {"pk": format!("k{}", number % 50_000)}},
                "responseElements": null, "readOnly": true, "managementEvent": false,
                "resources": [{"accountId": "111122223333", "type": "AWS::DynamoDB::Table",
                    "ARN": "arn:aws:dynamodb:eu-west-2:111122223333:table/Orders"}],
            });
            let text = event.to_string();
            bytes += text.len() as u64;
            if bytes > megabytes * 1_000_000 {
                break;
            }
            let separator = if number == 0 { "" } else { "," };
            write!(file, "{separator}{text}").expect("an event");
        }
        write!(file, "]}}").expect("the end");
    })
}

/// An answer of GetMetricData, as the command line prints it, newest first.
fn metrics(folder: &Path, megabytes: u64) -> PathBuf {
    written(folder, "metrics.json", |file| {
        write!(file, "{{\n \"MetricDataResults\": [").expect("the beginning");
        // 15 days by the minute, some 60 bytes a point.
        let points = 21_600;
        for table in 0..(megabytes * 1_000_000 / (points * 60)).max(1) {
            let label =
                format!("ConsumedReadCapacityUnits TableName=Table{table} Stat=Sum Period=60");
            let minutes = (0..points).rev();
            let time = |minute: u64| {
                let second = 1_716_940_800 + minute as i64 * 60;
                let moment = chrono::DateTime::from_timestamp(second, 0).expect("a moment");
                moment.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
            };
            let times: Vec<String> = minutes.clone().map(time).collect();
            let values: Vec<f64> = minutes.map(|minute| (minute % 900) as f64 / 2.0).collect();
            let result = json!({
                "Id": format!("m{table}"), "Label": label, "Timestamps": times, "Values": values,
            });
            let separator = if table == 0 { "" } else { "," };
            write!(file, "{separator}\n{result:#}").expect("a result");
        }
        write!(file, "\n ],\n \"Messages\": []\n}}\n").expect("the end");
    })
}

/// The time in which serde_json parses a file: each line, or the records of its document as a
/// stream would.
fn parsed(path: &Path) -> Duration {
    let begun = Instant::now();
    let text = BufReader::new(File::open(path).expect("the file"));
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        let whole = std::fs::read(path).expect("the file");
        black_box(serde_json::from_slice::<Value>(&whole).expect("JSON"));
    } else {
        for line in text.lines() {
            let line = line.expect("a line");
            let start = line.find('{').unwrap_or(0);
            black_box(serde_json::from_str::<Value>(&line[start..]).expect("JSON"));
        }
    }
    begun.elapsed()
}

/// The time and the peak memory, in kB, of a replay in a process of its own.
fn replayed(path: &Path) -> (Duration, u64) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_dynameter"))
        .args(["replay", "--quiet", "--region", "us-east-1"])
        .arg(path)
        .stdout(Stdio::null())
        .spawn()
        .expect("the command runs");
    let mut memory = 0;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().split(' ').next()?.parse().ok());
        memory = memory.max(peak.unwrap_or(0));
        if let Some(status) = child.try_wait().expect("the process") {
            assert!(status.success(), "{}", path.display());
            return (begun.elapsed(), memory);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
