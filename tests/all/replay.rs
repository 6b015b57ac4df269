//! Tests of replay: every vector as a request log with `--verify`, a synthesized trace of every
//! shipped workload, and traces divided into files in different ways.
#![cfg(feature = "tables")]

use crate::support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dynameter::capacity::Consumption;
use dynameter::estimate::Metering;
use dynameter::files::FileSource;
use dynameter::outcome::Outcome;
use dynameter::pricing::Books;
use dynameter::replay::{self, ReplayOptions, Replayed};
use dynameter::synthesize::{self, TraceLayout};
use dynameter::trace::{self, Time, Trace};
use dynameter::units::Exact;
use dynameter::workload::{self, AccessPattern, PatternCall, TableDesign, Units, Workload};
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

/// Replays files that must be valid.
pub fn replayed(
    files: &[PathBuf],
    workload: Option<&Workload>,
    read: trace::ReadOptions,
    options: &ReplayOptions,
) -> Replayed {
    let sources = files
        .iter()
        .map(|file| FileSource::File(file.clone()))
        .collect();
    let trace = Trace::open(sources, read).unwrap_or_else(|error| panic!("{error}"));
    replay::replay(trace, workload, &Books::embedded(), options, |_| true)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// Expands `{"$rep": ["x", 3]}` to `"xxx"`, everywhere.
fn expand(json: &Value) -> Value {
    match json {
        Value::Object(object) => match object.get("$rep") {
            Some(repeat) => {
                let text = repeat[0].as_str().expect("a text");
                Value::String(text.repeat(repeat[1].as_u64().expect("a count") as usize))
            }
            None => Value::Object(
                object
                    .iter()
                    .map(|(key, value)| (key.clone(), expand(value)))
                    .collect(),
            ),
        },
        Value::Array(list) => Value::Array(list.iter().map(expand).collect()),
        other => other.clone(),
    }
}

/// A vector file as a request log, as a recorder would have written it; `hints` adds what the
/// vectors contain beyond the request (the item after an update; which items a page read).
fn request_log(path: &Path, hints: bool) -> (String, usize) {
    let text = std::fs::read_to_string(path).expect("the vectors");
    let (mut log, mut vectors) = (String::new(), 0);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let line: Value = expand(&serde_json::from_str(line).expect("a JSON line"));
        let entry = match line["kind"].as_str() {
            Some("table") => {
                json!({"time": 0, "operation": "CreateTable", "request": line["create"]})
            }
            Some("vector") => {
                vectors += 1;
                let detail = &line["detail"];
                let mut request = line["op"]["request"].clone();
                // A failed member of a batch has its own error.
                for (at, statement) in detail["statements"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .enumerate()
                {
                    if !statement["error"].is_null() && request["Statements"][at].is_object() {
                        request["Statements"][at]["error"] = statement["error"].clone();
                    }
                }
                let mut entry = json!({"time": line["n"], "operation": line["op"]["api"], "request": request, "consumed": line["expected"]});
                if !line["error"].is_null() {
                    entry["error"] = line["error"].clone();
                }
                if !detail["unprocessed"].is_null() {
                    entry["unprocessed"] = detail["unprocessed"].clone();
                }
                if hints {
                    let after = |list: &str| {
                        detail[list].as_array().map(|list| {
                            list.iter()
                                .map(|one| one["new_item"].clone())
                                .collect::<Vec<_>>()
                        })
                    };
                    match (&line["new_item"], after("writes").or(after("statements"))) {
                        (item @ Value::Object(_), _) => entry["item_after"] = item.clone(),
                        (_, Some(list)) if list.iter().any(Value::is_object) => {
                            let single = line["op"]["api"] == "ExecuteStatement";
                            entry["item_after"] = if single {
                                list[0].clone()
                            } else {
                                Value::Array(list)
                            };
                        }
                        _ => {}
                    }
                }
                // Hash order is internal to DynamoDB, so a page that ends early must say what it
                // read.
                if detail["evaluated_keys"].is_array() {
                    entry["evaluated_keys"] = detail["evaluated_keys"].clone();
                }
                entry
            }
            _ => continue,
        };
        log += &format!("{entry}\n");
    }
    (log, vectors)
}

/// The vector files: the project's own, those of the reference folder, and those that
/// `DYNAMETER_VECTORS` names.
fn vector_files() -> Vec<PathBuf> {
    let mut files = vec![
        support::root().join("metering/vectors-public.jsonl"),
        support::root().join("metering/vectors-2026-08.jsonl"),
    ];
    if let Some(more) = std::env::var_os("DYNAMETER_VECTORS") {
        files.extend(std::env::split_paths(&more));
    }
    files
}

#[test]
fn every_vector_agrees_as_a_request_log() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in vector_files() {
        for hints in [true, false] {
            let (log, vectors) = request_log(&path, hints);
            let file = written(folder.path(), "requests.jsonl", &log);
            let options = ReplayOptions {
                verify: replay::Verify::First,
                ..ReplayOptions::default()
            };
            let replayed = replayed(&[file], None, trace::ReadOptions::default(), &options);
            let verification = replayed.verification.expect("a verification");
            let first: Vec<String> = verification
                .first
                .iter()
                .map(|difference| format!("{difference:?}"))
                .collect();
            assert_eq!(
                verification.mismatches,
                0,
                "{} with hints {hints}:\n{}",
                path.display(),
                first.join("\n")
            );
            assert_eq!(verification.checked, vectors as u64, "{}", path.display());
        }
    }
}

/// The shipped workloads, with traffic reduced so that a trace is small, and the hours that the
/// trace must cover.
fn thinned() -> Vec<(String, Workload, u64)> {
    let books = Books::embedded();
    let load = |(name, text): (String, String)| {
        let setting = workload::Setting::new(&books);
        let workload = workload::load(&name, &text, &support::root().join("workloads"), &setting)
            .unwrap_or_else(|errors| panic!("{errors}"));
        let flat = |access: &AccessPattern| access.shape.is_flat();
        let accesses = |table: &std::sync::Arc<TableDesign>| {
            table
                .access
                .iter()
                .chain(table.replicas.iter().flat_map(|replica| &replica.access))
                .cloned()
                .collect::<Vec<_>>()
        };
        // Only a whole week contains a complete profile.
        let hours = if workload
            .tables
            .iter()
            .flat_map(accesses)
            .all(|access| flat(&access))
        {
            24
        } else {
            168
        };
        let share = Exact::ratio(hours, 1) / workload.month.hours().clone();
        let thin = |calls: &Exact| {
            let events = calls * &share;
            if events > Exact::from(EVENTS) {
                &Exact::from(EVENTS) / &share
            } else {
                calls.clone()
            }
        };
        (name, workload.with_calls(thin), hours)
    };
    support::shipped().into_iter().map(load).collect()
}

/// Calls of an access pattern in a reduced trace.
const EVENTS: u64 = 4_000;

/// How much a line of the replay may differ from the same line of the estimate.
///
/// A trace of N calls has at most one call more or less than the rate gives. Random values (sizes,
/// whether an item is found) have a standard error. It depends on the deviation of a call and,
/// because the size of a key is drawn only once, on how few keys receive most calls. Four standard
/// errors are allowed: with the 150 lines of all designs, one in a hundred runs would fail, but the
/// seed is fixed.
struct Tolerance {
    /// Calls of the trace.
    calls: f64,
    /// The sum of the squares of the shares of all keys: 1 divided by the effective number of
    /// keys.
    concentration: f64,
}

impl Tolerance {
    fn new(table: &TableDesign, calls: f64) -> Tolerance {
        let keys = table.items.to_f64().max(1.0);
        let concentration = match &table.popularity {
            None => 1.0 / keys,
            Some(popularity) => {
                let (zipf, count) = (popularity.zipf.to_f64(), popularity.keys.min(1_000_000));
                let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-zipf)).collect();
                let sum: f64 = weights.iter().sum();
                weights
                    .iter()
                    .map(|weight| (weight / sum) * (weight / sum))
                    .sum()
            }
        };
        Tolerance {
            calls,
            concentration,
        }
    }

    /// The relative tolerance of a value whose deviation is this many times its mean.
    fn of(&self, deviation: f64) -> f64 {
        1.0 / self.calls + 4.0 * deviation * (1.0 / self.calls + self.concentration).sqrt()
    }
}

/// The deviation of the units per call, divided by their mean.
fn deviation(takes: &[(u64, f64)]) -> f64 {
    let shares: f64 = takes.iter().map(|(_, share)| share).sum::<f64>().max(1.0);
    let mean: f64 = takes
        .iter()
        .map(|(halves, share)| *halves as f64 * share / shares)
        .sum();
    let square: f64 = takes
        .iter()
        .map(|(halves, share)| (*halves as f64).powi(2) * share / shares)
        .sum();
    if mean == 0.0 {
        0.0
    } else {
        (square - mean * mean).max(0.0).sqrt() / mean
    }
}

/// The deviation of the sum of all items of a call, divided by its mean, if the call has several
/// items: the estimate keeps only the whole numbers around the mean of such a sum.
fn deviation_of_several(access: &AccessPattern) -> f64 {
    let parts = match &access.call {
        PatternCall::Traced(_) | PatternCall::Counted { .. } | PatternCall::Unknown { .. } => 1,
        call => call.most_items(),
    };
    let sizes = access.sizes.as_ref().expect("sizes");
    let total = sizes.total() as f64;
    let mean = sizes.mean().to_f64();
    let square: f64 = sizes
        .iter()
        .map(|class| (class.item.0 as f64).powi(2) * class.weight as f64 / total)
        .sum();
    // Whether an item is found is also random.
    if parts < 2 {
        0.0
    } else {
        ((square / mean / mean - 1.0).max(0.0).sqrt() + 0.5) / (parts as f64).sqrt()
    }
}

/// Whether all provisioned units of a table are fixed.
fn is_fixed(table: &TableDesign) -> bool {
    let fixed = |units: &Units| matches!(units, Units::Fixed(_));
    table
        .accounts()
        .filter_map(|target| table.provisioned(target))
        .all(|units| units.values().all(fixed))
}

type LineKey = (
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    String,
);

fn lines(outcome: &Outcome) -> BTreeMap<LineKey, (f64, f64)> {
    let mut sums: BTreeMap<LineKey, (f64, f64)> = BTreeMap::new();
    for line in &outcome.bill.lines {
        let subject = &line.subject;
        let key = (
            subject.table.clone(),
            subject.index.clone(),
            subject.region.clone(),
            subject.access.clone(),
            line.usage_type.code().to_string(),
        );
        let sum = sums.entry(key).or_default();
        sum.0 += line.quantity.to_f64().expect("a quantity");
        sum.1 += line.amount.to_string().parse::<f64>().expect("an amount");
    }
    sums
}

#[test]
fn the_twin_of_every_shipped_workload_agrees_with_its_estimate() {
    let books = Books::embedded();
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    for (name, workload, hours) in thinned() {
        let metering = Metering::new(&workload, &books).expect("an estimate");
        let estimate = metering.outcome(&books).expect("an estimate");
        let start = Time::from_second(1_704_067_200);
        let path = folder.path().join(format!("{name}.parquet"));
        let options = synthesize::SynthesizeOptions {
            seconds: hours * 3_600,
            seed: 1,
            start,
            poisson: false,
            layout: TraceLayout::Parquet,
            columns: None,
        };
        let file = std::fs::File::create(&path).expect("a file");
        let rows =
            synthesize::synthesize(&workload, &options, file, &mut |_, _| true).expect("a trace");
        let window = ReplayOptions {
            from: Some(start),
            to: Some(Time::from_second(1_704_067_200 + hours as i64 * 3_600)),
            ..ReplayOptions::default()
        };
        let replayed = replayed(
            &[path],
            Some(&workload),
            trace::ReadOptions::default(),
            &window,
        );
        assert!(rows > 0 && replayed.trace.skipped.is_empty(), "{name}");
        let (expected, found) = (lines(&estimate), lines(&replayed.outcome));
        let factor = replayed.trace.span.factor.to_f64();
        for key in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            let (table, index, region, access, code) = key;
            let ((quantity, amount), (measured, measured_amount)) = (
                expected.get(key).copied().unwrap_or_default(),
                found.get(key).copied().unwrap_or_default(),
            );
            let design = workload
                .tables
                .iter()
                .find(|design| Some(&design.table.name) == table.as_ref())
                .expect("a table");
            let at = workload
                .tables
                .iter()
                .position(|design| Some(&design.table.name) == table.as_ref())
                .expect("a table");
            let same = |one: &&Consumption| {
                one.subject.index == *index
                    && one.subject.region == *region
                    && one.subject.access == *access
            };
            let consumed: Vec<&Consumption> = metering.consumed(at).iter().filter(same).collect();
            let tolerance = match access {
                // Incremental exports contain the changes: the writes of all access patterns.
                None if code.starts_with("s3_") || code == "export_s3_incremental" => 0.01,
                // What the design declares besides its traffic is the same to the last digit.
                None if !code.contains("capacity_unit_hour") => 0.0,
                // So is fixed capacity. Scaled capacity follows demand, which is random in the
                // estimate and even in the trace.
                None if is_fixed(design) => 0.0,
                None => 0.1,
                Some(access) => {
                    let own = design
                        .access
                        .iter()
                        .chain(design.replicas.iter().flat_map(|replica| &replica.access))
                        .find(|one| one.name == *access);
                    let month = consumed.first().map_or_else(
                        || own.map_or(design.ttl_deletes.clone(), |own| own.calls.clone()),
                        |one| one.calls.clone(),
                    );
                    let tolerance = Tolerance::new(design, (month.to_f64() / factor).max(0.5));
                    let request = code.contains("request_unit");
                    // Bytes deviate with the sizes, and with whether an item is found.
                    let deviation = consumed
                        .iter()
                        .filter(|_| request)
                        .map(|one| deviation(&one.units_per_call))
                        .fold(if request { 0.0 } else { 2.0 }, f64::max);
                    // Behind DAX, which reads reach the table is also random.
                    let passes = if design.dax.is_some() { 1.0 } else { 0.0 };
                    tolerance.of(deviation + passes + own.map_or(0.0, deviation_of_several))
                }
            };
            let differs = |one: f64, other: f64| {
                (one - other).abs() > one.abs().max(other.abs()) * (tolerance + 1e-7)
            };
            if differs(quantity, measured)
                || (differs(amount, measured_amount) && (amount - measured_amount).abs() > 1e-6)
            {
                wrong.push(format!(
                    "{name}: {key:?}: estimate {quantity} (${amount}), replay {measured} \
                     (${measured_amount}), allowed {tolerance:.4}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A design without randomness: one item size, and every rate gives a whole number of calls in the
/// trace.
const WITHOUT_CHANCE: &str = r#"
name        = "Without chance"
region      = "us-east-1"
prices      = "2024-11-01"

[[table]]
name          = "Orders"
items         = 1_000_000
partition_key = { name = "CustomerId", type = "S", bytes = 16 }
sort_key      = { name = "OrderId", type = "S", bytes = 26 }
item.attributes = [{ name = "Status", type = "S", bytes = 8 }, { name = "Payload", type = "S", bytes = 2_700 }]
stream        = { view = "new-and-old-images", kinesis = true }
dax           = { node_type = "dax.r5.large", nodes = 3, hit_ratio = 0 }
capacity      = { mode = "provisioned", read = 900, write = 700 }

[[table.index]]
name = "ByStatus"
kind = "global"
partition_key = "Status"
projection = "all"
read = 100
write = 300

[[table.index]]
name = "ByPayload"
kind = "local"
partition_key = "CustomerId"
sort_key = "Status"
projection = "keys-only"

[[table.replica]]
region = "eu-west-1"
reads = 1

[[table.access]]
name = "read"
operation = "GetItem"
rate = { per_second = 20 }

[[table.access]]
name = "read twenty strongly"
operation = "BatchGetItem"
items = 20
consistency = "strong"
rate = { per_minute = 30 }

[[table.access]]
name = "all of a customer"
operation = "Query"
items = 700
rate = { per_minute = 6 }

[[table.access]]
name = "of a status, in full"
operation = "Query"
index = "ByPayload"
items = 5
fetches = true
rate = { per_minute = 12 }

[[table.access]]
name = "put"
operation = "PutItem"
rate = { per_second = 10 }

[[table.access]]
name = "advance"
operation = "UpdateItem"
changes = ["Status"]
rate = { per_second = 10 }

[[table.access]]
name = "touch"
operation = "UpdateItem"
changes = []
rate = { per_minute = 60 }

[[table.access]]
name = "transact"
operation = "TransactWriteItems"
actions = [{ operation = "Put" }, { operation = "Update", changes = ["Payload"] }, { operation = "Delete" }, { operation = "ConditionCheck" }]
rate = { per_minute = 120 }

[[table.access]]
name = "store"
operation = "BatchWriteItem"
actions = [{ operation = "Put" }, { operation = "Put" }, { operation = "Delete" }]
rate = { per_minute = 60 }
"#;

#[test]
fn the_twin_of_a_workload_without_chance_is_exact() {
    let books = Books::embedded();
    let folder = tempfile::tempdir().expect("a folder");
    for text in [
        WITHOUT_CHANCE.to_string(),
        WITHOUT_CHANCE
            .replace(
                "capacity      = { mode = \"provisioned\", read = 900, write = 700 }",
                "",
            )
            .replace("read = 100\nwrite = 300\n", ""),
    ] {
        let workload = workload::load(
            "chance.toml",
            &text,
            Path::new("."),
            &workload::Setting::new(&books),
        )
        .unwrap_or_else(|errors| panic!("{errors}"));
        let estimate = dynameter::estimate::estimate(&workload, &books).expect("an estimate");
        for layout in [TraceLayout::Parquet, TraceLayout::Csv, TraceLayout::NdJson] {
            let path = folder.path().join("trace");
            let options = synthesize::SynthesizeOptions {
                seconds: 600,
                seed: 7,
                start: Time::from_second(1_704_067_200),
                poisson: false,
                layout,
                columns: None,
            };
            synthesize::synthesize(
                &workload,
                &options,
                std::fs::File::create(&path).expect("a file"),
                &mut |_, _| true,
            )
            .expect("a trace");
            let replayed = replayed(
                &[path],
                Some(&workload),
                trace::ReadOptions::default(),
                &ReplayOptions::default(),
            );
            let (expected, found) = (exact_lines(&estimate), exact_lines(&replayed.outcome));
            let differ: Vec<String> = expected
                .iter()
                .zip(&found)
                .filter(|(one, other)| one != other)
                .map(|(one, other)| format!("{one:?}\n  {other:?}"))
                .collect();
            assert!(
                differ.is_empty() && expected.len() == found.len(),
                "{layout:?}: {} and {} lines\n{}",
                expected.len(),
                found.len(),
                differ.join("\n")
            );
            assert_eq!(
                estimate.total().expect("a total"),
                replayed.outcome.total().expect("a total"),
                "{layout:?}"
            );
            assert_eq!(
                estimate.bill.unknown.len(),
                replayed.outcome.bill.unknown.len()
            );
        }
    }
}

/// Every line with its exact quantity and amount.
pub fn exact_lines(outcome: &Outcome) -> BTreeSet<(LineKey, String, String)> {
    let line = |line: &dynameter::pricing::LineItem| {
        let subject = &line.subject;
        let key = (
            subject.table.clone(),
            subject.index.clone(),
            subject.region.clone(),
            subject.access.clone(),
            line.usage_type.code().to_string(),
        );
        (key, line.quantity.to_string(), line.amount.to_string())
    };
    outcome.bill.lines.iter().map(line).collect()
}

/// The sample traces, with the arguments that a new user would type.
const SAMPLES: &[(&str, &[&str])] = &[
    ("requests", &["requests.jsonl", "--verify"]),
    ("columns-csv", &["columns.csv", "--workload", "orders.toml"]),
    (
        "columns-ndjson",
        &["columns.ndjson", "--workload", "orders.toml"],
    ),
    ("streams", &["streams.json", "--verify"]),
    (
        "streams-workload",
        &["streams.json", "--workload", "orders.toml"],
    ),
    ("incremental-export", &["incremental"]),
    (
        "export-and-cloudtrail",
        &["export", "cloudtrail.json", "--workload", "orders.toml"],
    ),
    (
        "cloudtrail",
        &["cloudtrail.json", "--workload", "orders.toml"],
    ),
    ("cloudwatch", &["cloudwatch.json"]),
    (
        "cloudwatch-statistics",
        &["cloudwatch-statistics.json", "--table", "Orders"],
    ),
    ("metric-stream", &["metric-stream.jsonl"]),
    (
        "cloudwatch-console",
        &["cloudwatch-console.csv", "--table", "Orders"],
    ),
    ("log", &["application.log"]),
    ("twemcache", &["twemcache.csv", "--dax", "1 KB,1 MB"]),
    ("oracle-general", &["cache.oracleGeneral"]),
];

fn dynameter(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = assert_cmd::Command::cargo_bin("dynameter")
        .expect("the binary")
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("a run");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn every_sample_is_replayed_by_one_command() {
    let folder = support::root().join("traces");
    let mut wrong = Vec::new();
    for (name, arguments) in SAMPLES {
        for format in ["text", "json"] {
            let all: Vec<&str> = ["replay"]
                .iter()
                .chain(*arguments)
                .copied()
                .chain(["--prices", "2024-11-01", "--format", format])
                .collect();
            let (code, out, error) = dynameter(&folder, &all);
            assert_eq!((code, error.as_str()), (0, ""), "{name}: {all:?}");
            if format == "json" {
                proved(name, &serde_json::from_str(&out).expect("JSON"));
            }
            let golden = support::root().join(format!("tests/golden/replay/{name}.{format}"));
            wrong.extend(support::golden(&golden, &out));
        }
        let all: Vec<&str> = ["replay"]
            .iter()
            .chain(*arguments)
            .copied()
            .chain(["--format", "markdown"])
            .collect();
        assert!(dynameter(&folder, &all).1.starts_with("## "), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asserts that every line is quantity × rate, that the total is their sum, and that units and
/// cache requests add up.
fn proved(name: &str, json: &Value) {
    use rust_decimal::Decimal;
    let number = |value: &Value| {
        value
            .as_str()
            .expect("a decimal string")
            .parse::<Decimal>()
            .expect("a decimal")
    };
    let lines = json["lines"].as_array().expect("lines");
    for line in lines {
        let product = number(&line["quantity"]) * number(&line["rate_usd"]);
        assert_eq!(
            product.normalize(),
            number(&line["amount_usd"]).normalize(),
            "{name}: {line}"
        );
    }
    let sum: Decimal = lines.iter().map(|line| number(&line["amount_usd"])).sum();
    assert_eq!(
        sum.normalize(),
        number(&json["total_usd"]).normalize(),
        "{name}"
    );
    for consumed in json["consumed"].as_array().expect("consumed") {
        let sum = |field: &str| {
            consumed["operations"]
                .as_array()
                .expect("operations")
                .iter()
                .map(|one| number(&one[field]))
                .sum::<Decimal>()
        };
        assert_eq!(sum("read_units"), number(&consumed["read_units"]), "{name}");
        assert_eq!(
            sum("write_units"),
            number(&consumed["write_units"]) + number(&consumed["replicated_write_units"]),
            "{name}"
        );
    }
    for dax in json["dax"].as_array().expect("dax") {
        assert_eq!(
            number(&dax["hits"]) + number(&dax["misses"]),
            number(&dax["requests"]),
            "{name}"
        );
    }
}

/// What is wrong with a trace, how the error begins, and the reason under which such rows are
/// counted.
#[test]
fn bad_input_stops_with_its_place_or_is_counted() {
    use std::io::Write;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let workload = support::root().join("traces/orders.toml");
    let workload = workload.to_str().expect("a path");
    let good = "2024-05-29T16:30:00Z,GetItem,Orders,a,100\n";
    let header = "time,operation,table,key,item_bytes\n";
    let csv = |rows: &[&str]| format!("{header}{good}{}{good}", rows.concat());
    let key = "k".repeat(1 << 20);
    let cases: Vec<(&str, String, &str, &str)> = vec![
        (
            "type.csv",
            csv(&["2024-05-29T16:30:00Z,GetItem,Orders,a,large\n"]),
            "type.csv:3: item_bytes is \"large\"",
            "wrong type",
        ),
        (
            "time.csv",
            csv(&["soon,GetItem,Orders,a,1\n"]),
            "time.csv:3: time is \"soon\"",
            "no time",
        ),
        (
            "operation.csv",
            csv(&["2024-05-29T16:30:00Z,GetThing,Orders,a,1\n"]),
            "operation.csv:3: unknown operation \"GetThing\"",
            "unknown operation",
        ),
        (
            "table.csv",
            csv(&["2024-05-29T16:30:00Z,GetItem,Elsewhere,a,1\n"]),
            "table.csv:3: the workload defines no table Elsewhere",
            "unknown table",
        ),
        (
            "key.csv",
            csv(&[&format!("2024-05-29T16:30:00Z,GetItem,Orders,{key},1\n")]),
            "key.csv:3: a key of 1048576 bytes",
            "bad key",
        ),
        (
            "nokey.csv",
            csv(&["2024-05-29T16:30:00Z,GetItem,Orders,,1\n"]),
            "nokey.csv:3: no key",
            "bad key",
        ),
        (
            "item.csv",
            csv(&["2024-05-29T16:30:00Z,PutItem,Orders,a,409601\n"]),
            "item.csv:3: item_bytes is 409601",
            "item too large",
        ),
        (
            "half.ndjson",
            "{\"time\":1,\"operation\":\"GetItem\",\"key\":\"a\",\"item_bytes\":5}\n{\"time\":2,\"\
             operation\":\"Get\n{\"time\":3,\"operation\":\"GetItem\",\"key\":\"a\",\"item_bytes\"\
             :5}\n"
                .to_string(),
            "half.ndjson:2: not a JSON object",
            "malformed",
        ),
        (
            "half.jsonl",
            "{\"time\":1,\"operation\":\"GetItem\",\"request\":{\"TableName\":\"Orders\",\"Key\":\
             {\"CustomerId\":{\"S\":\"a\"},\"OrderId\":{\"S\":\"b\"}}}}\n{\"time\":2,\"operation\"\
             :\"Get\n"
                .to_string(),
            "half.jsonl:2: ",
            "malformed",
        ),
        (
            "request.jsonl",
            "{\"time\":1,\"operation\":\"PutItem\",\"request\":{\"TableName\":\"Orders\",\"Item\":\
             {\"CustomerId\":{\"S\":\"a\"},\"OrderId\":{\"S\":\"b\"}}}}\n{\"time\":2,\"operation\"\
             :\"PutItem\",\"request\":{\"TableName\":\"Orders\",\"Item\":{\"CustomerId\":{\"S\":\"\
             a\"}}}}\n"
                .to_string(),
            "request.jsonl:2: OrderId is missing",
            "bad key",
        ),
    ];
    for (name, text, message, reason) in &cases {
        written(path, name, text);
        let (code, out, error) = dynameter(
            path,
            &[
                "replay",
                name,
                "--workload",
                workload,
                "--table",
                "Orders",
                "-o",
                "out.json",
                "--format",
                "json",
            ],
        );
        assert_eq!((code, out.as_str()), (2, ""), "{name}: {error}");
        assert!(
            error.starts_with(&format!("error: {message}")) && error.contains("help: "),
            "{name}: {error}"
        );
        assert!(!path.join("out.json").exists(), "{name} left a file");
        let (code, out, error) = dynameter(
            path,
            &[
                "replay",
                name,
                "--workload",
                workload,
                "--table",
                "Orders",
                "--skip-bad-rows",
                "--format",
                "json",
            ],
        );
        assert_eq!(code, 0, "{name}: {error}");
        let json: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(
            json["trace"]["skipped"],
            json!([{"reason": reason, "rows": "1"}]),
            "{name}"
        );
        assert!(json["trace"]["events"] != "0", "{name}");
    }

    // A time that jumps back by a year, more than the window allows.
    let late = format!(
        "{header}{}2023-05-29T16:30:00Z,GetItem,Orders,a,1\n",
        good.repeat(40)
    );
    written(path, "late.csv", &late);
    let (code, _, error) = dynameter(path, &["replay", "late.csv", "--workload", workload]);
    assert!(
        code == 2
            && error.starts_with(
                "error: late.csv:42: its time 2023-05-29T16:30:00Z is more than 25 hours before"
            ),
        "{error}"
    );
    let lines: String = (0..200_000)
        .map(|row| format!("2024-05-29T16:30:{:02}Z,GetItem,Orders,a,1\n", row / 4_000))
        .collect();
    written(
        path,
        "later.csv",
        &format!("{header}{lines}2023-05-29T16:30:00Z,GetItem,Orders,a,1\n"),
    );
    let (code, _, error) = dynameter(path, &["replay", "later.csv", "--workload", workload]);
    assert_eq!(code, 2);
    assert!(
        error.starts_with("error: later.csv:200002: its time 2023-05-29T16:30:00Z is before ")
            && error.contains("--window"),
        "{error}"
    );

    // Times that are too far apart to be correct.
    written(
        path,
        "ages.csv",
        &format!("{header}1,GetItem,Orders,a,1\n1700000000000000,GetItem,Orders,a,1\n"),
    );
    let (code, _, error) = dynameter(path, &["replay", "ages.csv", "--workload", workload]);
    assert!(
        code == 2
            && (error.contains("more than three years") || error.contains("ages.csv:3: time is")),
        "{error}"
    );

    // Files that are not traces.
    written(path, "empty.csv", "");
    written(path, "words.txt", "these are only words\n");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(csv(&[&good.repeat(2_000)]).as_bytes())
        .expect("written");
    let whole = gz.finish().expect("a gzip");
    std::fs::write(path.join("cut.csv.gz"), &whole[..whole.len() / 2]).expect("a file");
    std::fs::write(path.join("whole.csv.gz"), &whole).expect("a file");
    for (name, message) in [
        ("empty.csv", "empty.csv: not a trace: the file is empty"),
        (
            "words.txt",
            "words.txt: not a trace: text without a call of DynamoDB",
        ),
        (
            "cut.csv.gz",
            "the compressed data is incomplete; the file is truncated",
        ),
        ("missing.csv", "missing.csv: no such file"),
        ("*.nothing", "*.nothing: no file matches"),
    ] {
        let (code, out, error) = dynameter(path, &["replay", name, "--workload", workload]);
        assert_eq!((code, out.as_str()), (2, ""), "{name}");
        assert!(error.contains(message), "{name}: {error}");
    }
    let events = |arguments: &[&str]| {
        let all: Vec<&str> = ["replay"]
            .iter()
            .chain(arguments)
            .copied()
            .chain(["--workload", workload, "--format", "json"])
            .collect();
        let (code, out, error) = dynameter(path, &all);
        assert_eq!(code, 0, "{arguments:?}: {error}");
        serde_json::from_str::<Value>(&out).expect("JSON")["trace"].clone()
    };
    assert_eq!(events(&["whole.csv.gz"])["events"], "2002");
    assert_eq!(
        events(&["cut.csv.gz", "--skip-bad-rows"])["skipped"],
        json!([{"reason": "truncated file", "rows": "1"}])
    );
    // Parquet with other columns.
    let mut frame = polars::prelude::df!("when" => [1_i64, 2], "op" => ["GetItem", "GetItem"], "id" => ["a", "b"]).expect("a frame");
    let file = std::fs::File::create(path.join("other.parquet")).expect("a file");
    polars::prelude::ParquetWriter::new(file)
        .finish(&mut frame)
        .expect("written");
    let (code, _, error) = dynameter(path, &["replay", "other.parquet", "--workload", workload]);
    assert_eq!(code, 2);
    assert!(
        error.contains("other.parquet: missing column: time, operation, key; the file has the columns when, op, id")
            && error.contains("--map"),
        "{error}"
    );
    assert_eq!(
        events(&[
            "other.parquet",
            "--map",
            "time=when",
            "--map",
            "operation=op",
            "--map",
            "id=key"
        ])["events"],
        "2"
    );
}

/// Asserts that a workload's trace gives the same figures in every format; returns the type of the
/// key column in Parquet.
fn same_in_every_format(text: &str, columns: &[&str]) -> arrow_schema::DataType {
    let folder = tempfile::tempdir().expect("a folder");
    let books = Books::embedded();
    let setting = workload::Setting::new(&books);
    let workload = workload::load("numbers.toml", text, Path::new("."), &setting)
        .unwrap_or_else(|errors| panic!("{errors}"));
    const PARTS: [&str; 5] = ["consumed", "total_usd", "hot_keys", "sizes", "dax"];
    let mut keys = arrow_schema::DataType::Null;
    let figures = [TraceLayout::Parquet, TraceLayout::Csv, TraceLayout::NdJson].map(|layout| {
        let path = folder.path().join("trace");
        let start = Time::from_second(1_704_067_200);
        let columns = Some(columns.iter().map(ToString::to_string).collect());
        let options = synthesize::SynthesizeOptions {
            seconds: 3,
            seed: 7,
            start,
            poisson: true,
            layout,
            columns,
        };
        synthesize::synthesize(
            &workload,
            &options,
            std::fs::File::create(&path).expect("a file"),
            &mut |_, _| true,
        )
        .expect("a trace");
        if layout == TraceLayout::Parquet {
            let file = std::fs::File::open(&path).expect("the trace");
            let reader =
                parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
                    .expect("Parquet");
            keys = reader
                .schema()
                .field_with_name("key")
                .expect("keys")
                .data_type()
                .clone();
        }
        let read = trace::ReadOptions {
            keys: dynameter::replay::keys(&workload),
            ..trace::ReadOptions::default()
        };
        let replayed = replayed(&[path], Some(&workload), read, &ReplayOptions::default());
        let json: Value =
            serde_json::from_str(&dynameter::report::Present::json(&replayed).expect("JSON"))
                .expect("JSON");
        assert!(
            json["hot_keys"]
                .as_array()
                .is_some_and(|keys| !keys.is_empty())
        );
        PARTS.map(|part| json[part].clone())
    });
    for (at, part) in PARTS.iter().enumerate() {
        assert_eq!(figures[0][at], figures[1][at], "{part} of Parquet and CSV");
        assert_eq!(
            figures[0][at], figures[2][at],
            "{part} of Parquet and NDJSON"
        );
    }
    keys
}

#[test]
fn a_key_that_is_a_number_is_the_same_key_in_every_format() {
    let text = include_str!("../../benches/replay.toml")
        .replace("_333 }", " }")
        .replace("_389 }", " }")
        .replace("10_000_000", "2_000");
    let keys = same_in_every_format(&text, &["time", "operation", "key", "item_bytes"]);
    assert_eq!(
        keys,
        arrow_schema::DataType::Int64,
        "the key column of a table with a number key holds numbers"
    );
    // Two tables whose calls alternate: writes without a size take the full path, reads between
    // them the fast path.
    let (_, table) = text.split_once("[[table]]\n").expect("a table");
    let sorted = "type = \"S\", bytes = 8 }\nsort_key = { name = \"at\", type = \"N\", bytes = 8 }";
    let other = table
        .replace("\"Items\"", "\"Others\"")
        .replace("type = \"N\", bytes = 8 }", sorted);
    let keys = same_in_every_format(
        &format!("{text}\n[[table]]\n{other}"),
        &["time", "operation", "table", "key"],
    );
    assert_ne!(
        keys,
        arrow_schema::DataType::Int64,
        "with a second table that has string keys, it holds none"
    );
}

#[test]
fn the_result_does_not_depend_on_how_the_trace_is_cut_or_compressed() {
    use std::io::Write;
    let books = Books::embedded();
    let folder = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(support::root().join("workloads/marketplace.toml"))
        .expect("a workload");
    let workload = workload::load(
        "marketplace.toml",
        &text,
        &support::root().join("workloads"),
        &workload::Setting::new(&books),
    )
    .unwrap_or_else(|errors| panic!("{errors}"));
    let workload = workload
        .with_table_alone("Orders")
        .with_calls(|calls| calls * &Exact::ratio(1, 20));
    let path = folder.path().join("whole.csv");
    let options = synthesize::SynthesizeOptions {
        seconds: 600,
        seed: 3,
        start: Time::from_second(1_704_067_200),
        poisson: true,
        layout: TraceLayout::Csv,
        columns: None,
    };
    synthesize::synthesize(
        &workload,
        &options,
        std::fs::File::create(&path).expect("a file"),
        &mut |_, _| true,
    )
    .expect("a trace");
    let whole = std::fs::read_to_string(&path).expect("the trace");
    let (header, rows) = whole.split_once('\n').expect("a header");
    let lines: Vec<&str> = rows.lines().collect();
    let json = |files: &[PathBuf], window: Option<usize>| {
        let read = trace::ReadOptions {
            window,
            ..trace::ReadOptions::default()
        };
        let replayed = replayed(files, Some(&workload), read, &ReplayOptions::default());
        let mut json: Value =
            serde_json::from_str(&dynameter::report::Present::json(&replayed).expect("JSON"))
                .expect("JSON");
        json["trace"]["files"] = Value::Null;
        json
    };
    let expected = json(std::slice::from_ref(&path), None);
    let piece = |name: String, lines: &[&str]| {
        written(
            folder.path(),
            &name,
            &format!("{header}\n{}\n", lines.join("\n")),
        )
    };
    // Divided by time, with the files given in another order; every third row in another file; one
    // file in gzip; out of order within the window.
    let mut cut: Vec<PathBuf> = lines
        .chunks(lines.len() / 7 + 1)
        .enumerate()
        .map(|(at, lines)| piece(format!("cut{at}.csv"), lines))
        .collect();
    cut.reverse();
    assert_eq!(expected, json(&cut, None), "divided by time");
    assert_eq!(
        expected,
        json(&cut, Some(100)),
        "divided by time with a small window"
    );
    let dealt: Vec<PathBuf> = (0..3)
        .map(|hand| {
            piece(
                format!("dealt{hand}.csv"),
                &lines
                    .iter()
                    .skip(hand)
                    .step_by(3)
                    .copied()
                    .collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(expected, json(&dealt, None), "divided by row");
    let mut gz = flate2::write::GzEncoder::new(
        std::fs::File::create(folder.path().join("whole.csv.gz")).expect("a file"),
        flate2::Compression::fast(),
    );
    gz.write_all(whole.as_bytes()).expect("written");
    gz.finish().expect("a gzip");
    assert_eq!(
        expected,
        json(&[folder.path().join("whole.csv.gz")], None),
        "gzip"
    );
    let mut shuffled = lines.clone();
    shuffled.chunks_mut(50).for_each(<[&str]>::reverse);
    // Only the rows within a second stay shuffled.
    shuffled.sort_by_key(|line| {
        line.split(',')
            .next()
            .and_then(|time| time.parse::<i64>().ok())
            .expect("a time")
            / 1_000_000
    });
    let shuffled = json(&[piece("shuffled.csv".to_string(), &shuffled)], None);
    assert_eq!(
        (&expected["total_usd"], &expected["consumed"]),
        (&shuffled["total_usd"], &shuffled["consumed"]),
        "out of order"
    );
}

/// The real samples of the reference folder: sizes to the byte, and the counts given in their
/// descriptions.
#[test]
fn the_real_samples_are_read_to_the_byte() {
    let Some(reference) = support::reference("the real samples") else {
        return;
    };
    let formats = reference.join("formats");
    let verify = ReplayOptions {
        verify: replay::Verify::First,
        ..ReplayOptions::default()
    };
    let read = |path: PathBuf| replayed(&[path], None, trace::ReadOptions::default(), &verify);
    let stream = read(formats.join("logs/docs-stream-record-insert.json"));
    let verification = stream.verification.expect("a verification");
    assert_eq!(
        (verification.sizes_checked, verification.size_mismatches),
        (1, 0),
        "SizeBytes 174"
    );
    // The example in older documentation was edited and is inconsistent: a warning, not an error.
    let edited = read(formats.join("logs/docs-stream-lambda-event.json"))
        .verification
        .expect("a verification");
    assert_eq!((edited.sizes_checked, edited.size_mismatches), (1, 1));
    let export =
        read(formats.join("s3-export/unicorn_activities/AWSDynamoDB/01716791487000-6ddcf8cf"));
    assert_eq!(
        (export.trace.events, export.trace.span.seconds()),
        (15, 900)
    );
    assert_eq!(export.outcome.region, "us-west-1");
    let trail = read(reference.join("traces/cloudtrail/dynamodb_doc_examples.json"));
    assert!(
        trail.trace.events > 0
            && trail
                .outcome
                .bill
                .unknown
                .iter()
                .any(|unknown| unknown.what.contains("PutItem"))
    );
    // Block I/O treated as items: the sums given in the description of the traces.
    let vscsi = read(reference.join("traces/cloudphysics/cloudPhysicsIO.vscsi"));
    assert_eq!(
        (
            vscsi.trace.events,
            vscsi.consumed[0].read.to_string().as_str()
        ),
        (113_872, "219,767")
    );
    let oracle = read(reference.join("traces/cloudphysics/cloudPhysicsIO.oracleGeneral.bin"));
    assert_eq!(oracle.trace.events, 113_872);
    let twitter = read(reference.join("traces/twitter/twitter_sample_100.csv"));
    assert_eq!(twitter.trace.events, 100);
}

/// What DAX would have served, checked against published LRU results: read misses, write-through.
#[test]
fn dax_catches_what_the_ground_truth_says() {
    let Some(reference) = support::reference("the ground truth of caches") else {
        return;
    };
    let truth = std::fs::read_to_string(reference.join("traces/GROUND_TRUTH.csv"))
        .expect("the ground truth");
    let mut checked = 0;
    for line in truth.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let [
            "cloudphysics",
            _,
            "bytes",
            capacity,
            ttl,
            "dax_write_through",
            requests,
            misses,
            ..,
        ] = cells.as_slice()
        else {
            continue;
        };
        let options = ReplayOptions {
            dax_sizes: vec![capacity.parse().expect("bytes")],
            dax_ttl_seconds: Some(ttl.parse().expect("seconds")),
            ..ReplayOptions::default()
        };
        let replayed = replayed(
            &[reference.join("traces/cloudphysics/cloudPhysicsIO.vscsi")],
            None,
            trace::ReadOptions::default(),
            &options,
        );
        let caught = &replayed.dax[0].point;
        assert_eq!(
            (
                caught.reads.to_string().as_str(),
                (caught.reads - caught.hits).to_string().as_str()
            ),
            (*requests, *misses),
            "{line}"
        );
        checked += 1;
    }
    assert!(checked > 10, "{checked} rows");
}
