//! `import account` of a large account: 200 tables with 400 indexes, and 14 days of metrics by the
//! minute, from a server on this machine. Prints calls, CPU time and memory of the command.
//!
//! `cargo bench --features aws --bench account`

#[path = "../tests/all/support/stub.rs"]
#[allow(dead_code, reason = "tests look at more of a call")]
mod stub;

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stub::{Answer, Call, Stub};

const TABLES: usize = 200;
/// The most data points of an answer. Source: CloudWatch API Reference, "GetMetricData".
const DATAPOINTS_MAX: usize = 100_800;

fn name(at: usize) -> String {
    format!("table-{at:04}")
}

fn table(name: &str) -> Value {
    let index = |name: &str| {
        json!({
            "IndexName": name,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" },
        })
    };
    json!({ "Table": {
        "TableName": name,
        "TableArn": format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{name}"),
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "GlobalSecondaryIndexes": [index("one"), index("two")],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
        "ItemCount": 1000,
        "TableSizeBytes": 100_000,
    }})
}

fn answer(call: &Call) -> Answer {
    Ok(match call.action.as_str() {
        "ListTables" => {
            let start = call.body["ExclusiveStartTableName"].as_str();
            let start = start.map_or(0, |last| last[6..].parse::<usize>().unwrap_or(0) + 1);
            let names: Vec<String> = (start..TABLES.min(start + 100)).map(name).collect();
            match start + 100 < TABLES {
                true => json!({ "TableNames": names, "LastEvaluatedTableName": names[99] }),
                false => json!({ "TableNames": names }),
            }
        }
        "DescribeTable" => table(call.body["TableName"].as_str().unwrap_or_default()),
        "DescribeContinuousBackups" => json!({ "ContinuousBackupsDescription": {
            "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "ENABLED" },
        }}),
        "GetMetricData" => metrics(call),
        _ => json!({}),
    })
}

/// A page of metrics: as many minutes of all queries as an answer may have.
fn metrics(call: &Call) -> Value {
    let second = |key: &str| call.body[key].as_f64().unwrap_or_default() as i64;
    let (from, to) = (second("StartTime") / 60, second("EndTime") / 60);
    let token = call.body["NextToken"].as_str();
    let start = token.map_or(from, |token| token.parse().unwrap_or(from));
    let empty = Vec::new();
    let queries = call.body["MetricDataQueries"].as_array().unwrap_or(&empty);
    let is_consumed = |query: &&Value| {
        let name = query["MetricStat"]["Metric"]["MetricName"]
            .as_str()
            .unwrap_or_default();
        name.starts_with("Consumed") && name.ends_with("CapacityUnits")
    };
    let busy = queries.iter().filter(is_consumed).count();
    let end = to.min(start + (DATAPOINTS_MAX / busy.max(1)) as i64);
    let result = |query: &Value| {
        let minutes: Vec<i64> = match is_consumed(&query) {
            true => (start..end).collect(),
            false => Vec::new(),
        };
        json!({
            "Id": query["Id"],
            "Label": query["Label"],
            "Timestamps": minutes.iter().map(|minute| minute * 60).collect::<Vec<_>>(),
            "Values": minutes.iter().map(|minute| (minute % 97) as f64 / 2.0).collect::<Vec<_>>(),
            "StatusCode": if end < to { "PartialData" } else { "Complete" },
        })
    };
    let results: Vec<Value> = queries.iter().map(result).collect();
    match end < to {
        true => json!({ "MetricDataResults": results, "NextToken": end.to_string() }),
        false => json!({ "MetricDataResults": results }),
    }
}

fn main() {
    let stub = Stub::start(answer);
    let folder = tempfile::tempdir().expect("a folder");
    for raw in [false, true] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dynameter"));
        command
            .current_dir(folder.path())
            .args(["import", "account", "--region", "eu-west-1", "--quiet"])
            .args(["--endpoint-url", &stub.url])
            .env("AWS_ACCESS_KEY_ID", "id")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .stdout(Stdio::null());
        if raw {
            command.args(["--raw", "raw"]);
        }
        let mut child = command.spawn().expect("the command");
        let (mut memory, mut ticks) = (0, 0);
        while child.try_wait().expect("it runs").is_none() {
            let read = |file: &str| {
                std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap_or_default()
            };
            let status = read("status");
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            memory = memory.max(peak.unwrap_or_default());
            // User and system time, in hundredths of a second.
            let stat = read("stat");
            let words: Vec<&str> = stat.split_whitespace().collect();
            let tick = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
            ticks = ticks.max(tick(13).unwrap_or(0) + tick(14).unwrap_or(0));
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        println!(
            "{}: CPU {}.{:02} s, memory {} MB",
            if raw { "with --raw" } else { "without --raw" },
            ticks / 100,
            ticks % 100,
            memory / 1024
        );
    }
    println!("calls of both runs: {:?}", stub.calls());
}
