//! Replay: every vector as a request log under `--verify`, the twin of every shipped workload, and how a trace is cut.
#![cfg(feature = "replay")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dynameter::capacity::Consumption;
use dynameter::estimate::Metering;
use dynameter::outcome::Outcome;
use dynameter::pricing::Books;
use dynameter::replay::{self, Options, Replayed};
use dynameter::synthesize::{self, Layout};
use dynameter::trace::{self, Source, Time, Trace};
use dynameter::units::Exact;
use dynameter::workload::{self, Access, Call, Capacity, TableDesign, Units, Workload};
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

/// Replays files that must be right.
fn replayed(files: &[PathBuf], workload: Option<&Workload>, read: trace::Options, options: &Options) -> Replayed {
    let sources = files.iter().map(|file| Source::File(file.clone())).collect();
    let trace = Trace::open(sources, read).unwrap_or_else(|error| panic!("{error}"));
    replay::replay(trace, workload, &Books::embedded(), options, |_| true).unwrap_or_else(|error| panic!("{error}"))
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
            None => Value::Object(object.iter().map(|(key, value)| (key.clone(), expand(value))).collect()),
        },
        Value::Array(list) => Value::Array(list.iter().map(expand).collect()),
        other => other.clone(),
    }
}

/// A vector file as a request log: what a recorder would have written, `hints` with what the vectors know beyond the
/// request (the item after an update; which items a page read).
fn request_log(path: &Path, hints: bool) -> (String, usize) {
    let text = std::fs::read_to_string(path).expect("the vectors");
    let (mut log, mut vectors) = (String::new(), 0);
    for line in text.lines().filter(|line| !line.is_empty()) {
        let line: Value = expand(&serde_json::from_str(line).expect("a JSON line"));
        let entry = match line["kind"].as_str() {
            Some("table") => json!({"time": 0, "operation": "CreateTable", "request": line["create"]}),
            Some("vector") => {
                vectors += 1;
                let detail = &line["detail"];
                let mut request = line["op"]["request"].clone();
                // A member of a batch that failed carries its error.
                for (at, statement) in detail["statements"].as_array().into_iter().flatten().enumerate() {
                    if !statement["error"].is_null() && request["Statements"][at].is_object() {
                        request["Statements"][at]["error"] = statement["error"].clone();
                    }
                }
                let mut entry =
                    json!({"time": line["n"], "operation": line["op"]["api"], "request": request, "consumed": line["expected"]});
                if !line["error"].is_null() {
                    entry["error"] = line["error"].clone();
                }
                if hints {
                    let after =
                        |list: &str| detail[list].as_array().map(|list| list.iter().map(|one| one["new_item"].clone()).collect::<Vec<_>>());
                    match (&line["new_item"], after("writes").or(after("statements"))) {
                        (item @ Value::Object(_), _) => entry["item_after"] = item.clone(),
                        (_, Some(list)) if list.iter().any(Value::is_object) => {
                            let single = line["op"]["api"] == "ExecuteStatement";
                            entry["item_after"] = if single { list[0].clone() } else { Value::Array(list) };
                        }
                        _ => {}
                    }
                }
                // Hash order is private to a server, so a page that ends early must say what it read.
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

/// The vector files: the project's own, and others that the reference folder or `DYNAMETER_VECTORS` have.
fn vector_files() -> Vec<PathBuf> {
    let mut files = vec![support::root().join("metering/vectors-public.jsonl")];
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
            let options = Options { verify: true, ..Options::default() };
            let replayed = replayed(&[file], None, trace::Options::default(), &options);
            let verification = replayed.verification.expect("a verification");
            let first: Vec<String> = verification.first.iter().map(|difference| format!("{difference:?}")).collect();
            assert_eq!(verification.mismatches, 0, "{} with hints {hints}:\n{}", path.display(), first.join("\n"));
            assert_eq!(verification.checked, vectors as u64, "{}", path.display());
        }
    }
}

/// The shipped workloads, their traffic thinned so that a trace of it is small; with the hours that it must last.
fn thinned() -> Vec<(String, Workload, u64)> {
    let books = Books::embedded();
    let load = |(name, text): (String, String)| {
        let setting = workload::Setting::new(&books);
        let mut workload =
            workload::load(&name, &text, &support::root().join("workloads"), &setting).unwrap_or_else(|errors| panic!("{errors}"));
        let flat = |access: &Access| access.factors.iter().all(|factor| *factor == Exact::one());
        let accesses = |table: &TableDesign| {
            table.access.iter().chain(table.replicas.iter().flat_map(|replica| &replica.access)).cloned().collect::<Vec<_>>()
        };
        // A profile is all there only in a whole week.
        let hours = if workload.tables.iter().flat_map(accesses).all(|access| flat(&access)) { 24 } else { 168 };
        let share = Exact::ratio(hours, 1) / workload.month.hours().clone();
        for table in &mut workload.tables {
            let thin = |calls: &Exact| {
                let events = calls * &share;
                if events > Exact::from(EVENTS) { &Exact::from(EVENTS) / &share } else { calls.clone() }
            };
            table.ttl_deletes = thin(&table.ttl_deletes);
            for access in table.access.iter_mut().chain(table.replicas.iter_mut().flat_map(|replica| &mut replica.access)) {
                access.calls = thin(&access.calls);
            }
        }
        workload.ranges.clear();
        (name, workload, hours)
    };
    support::shipped().into_iter().map(load).collect()
}

/// Calls of an access pattern in a thinned trace.
const EVENTS: u64 = 4_000;

/// How far a line of the replay may lie from the estimate's.
///
/// A trace of N calls has at most one call more or less than the rate says. What is drawn for a call (sizes, whether
/// something is found) has a standard error: of a call by its own deviation, of keys by how few of them take all
/// calls (their sizes are drawn once). Four of them are allowed: of the 150 lines of all designs one in a hundred runs
/// would fail, and the seed is fixed.
struct Tolerance {
    /// Calls of the trace.
    calls: f64,
    /// The sum of the squares of the shares of all keys: 1 by how many keys count.
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
                weights.iter().map(|weight| (weight / sum) * (weight / sum)).sum()
            }
        };
        Tolerance { calls, concentration }
    }

    /// Relative, for something whose deviation is so many times its mean.
    fn of(&self, deviation: f64) -> f64 {
        1.0 / self.calls + 4.0 * deviation * (1.0 / self.calls + self.concentration).sqrt()
    }
}

/// The deviation of what a call takes, by its mean.
fn deviation(takes: &[(u64, f64)]) -> f64 {
    let shares: f64 = takes.iter().map(|(_, share)| share).sum::<f64>().max(1.0);
    let mean: f64 = takes.iter().map(|(halves, share)| *halves as f64 * share / shares).sum();
    let square: f64 = takes.iter().map(|(halves, share)| (*halves as f64).powi(2) * share / shares).sum();
    if mean == 0.0 { 0.0 } else { (square - mean * mean).max(0.0).sqrt() / mean }
}

/// The deviation of the sum of all items of a call, by its mean, where it has several: the estimate keeps of such a sum only the
/// whole numbers around its mean.
fn deviation_of_several(access: &Access) -> f64 {
    let parts = match &access.call {
        Call::Get { items, .. } | Call::Page { items, .. } => *items,
        Call::Write { plans, .. } | Call::Transaction { plans, .. } => plans.iter().map(|(_, count)| count).sum(),
        Call::Traced(_) => 1,
    };
    let total = access.sizes.total() as f64;
    let mean = access.sizes.mean().to_f64();
    let square: f64 = access.sizes.iter().map(|class| (class.item.0 as f64).powi(2) * class.weight as f64 / total).sum();
    // What is found and what is not is drawn as well.
    if parts < 2 { 0.0 } else { ((square / mean / mean - 1.0).max(0.0).sqrt() + 0.5) / (parts as f64).sqrt() }
}

/// Whether no provisioned units of a table move.
fn is_fixed(table: &TableDesign) -> bool {
    let fixed = |units: &Units| matches!(units, Units::Fixed(_));
    let own = match &table.capacity {
        Capacity::OnDemand => true,
        Capacity::Provisioned { read, write } => fixed(read) && fixed(write),
    };
    own && table.indexes.iter().filter_map(|index| index.capacity.as_ref()).all(|(read, write)| fixed(read) && fixed(write))
}

type LineKey = (String, Option<String>, String, Option<String>, String);

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
        let estimate = metering.outcome(&workload, &books).expect("an estimate");
        let start = Time::from_second(1_704_067_200);
        let path = folder.path().join(format!("{name}.parquet"));
        let options = synthesize::Options { seconds: hours * 3_600, seed: 1, start, poisson: false, layout: Layout::Parquet };
        let file = std::fs::File::create(&path).expect("a file");
        let rows = synthesize::synthesize(&workload, &options, file, &mut |_, _| true).expect("a trace");
        let window = Options { from: Some(start), to: Some(Time::from_second(1_704_067_200 + hours as i64 * 3_600)), ..Options::default() };
        let replayed = replayed(&[path], Some(&workload), trace::Options::default(), &window);
        assert!(rows > 0 && replayed.trace.skipped.is_empty(), "{name}");
        let (expected, found) = (lines(&estimate), lines(&replayed.outcome));
        let factor = replayed.trace.span.factor.to_f64();
        for key in expected.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
            let (table, index, region, access, code) = key;
            let ((quantity, amount), (measured, measured_amount)) =
                (expected.get(key).copied().unwrap_or_default(), found.get(key).copied().unwrap_or_default());
            let design = workload.tables.iter().find(|design| design.table.name == *table).expect("a table");
            let at = workload.tables.iter().position(|design| design.table.name == *table).expect("a table");
            let same = |one: &&Consumption| one.subject.index == *index && one.subject.region == *region && one.subject.access == *access;
            let consumed: Vec<&Consumption> = metering.consumed(at).iter().filter(same).collect();
            let tolerance = match access {
                // Incremental exports hold what was changed: the writes of all patterns.
                None if code.starts_with("s3_") || code == "export_s3_incremental" => 0.01,
                // What the design declares beside its traffic is the same to the last digit.
                None if !code.contains("capacity_unit_hour") => 0.0,
                // Fixed capacity as well; what moves follows demand that was drawn for one and laid out evenly for the other.
                None if is_fixed(design) => 0.0,
                None => 0.1,
                Some(access) => {
                    let own = design
                        .access
                        .iter()
                        .chain(design.replicas.iter().flat_map(|replica| &replica.access))
                        .find(|one| one.name == *access);
                    let month = consumed
                        .first()
                        .map_or_else(|| own.map_or(design.ttl_deletes.clone(), |own| own.calls.clone()), |one| one.calls.clone());
                    let tolerance = Tolerance::new(design, (month.to_f64() / factor).max(0.5));
                    let request = code.contains("request_unit");
                    // Bytes deviate as sizes do, and by whether something is found.
                    let deviation = consumed
                        .iter()
                        .filter(|_| request)
                        .map(|one| deviation(&one.takes))
                        .fold(if request { 0.0 } else { 2.0 }, f64::max);
                    // Behind DAX, who passes is drawn as well.
                    let passes = if design.dax.is_some() { 1.0 } else { 0.0 };
                    tolerance.of(deviation + passes + own.map_or(0.0, deviation_of_several))
                }
            };
            let differs = |one: f64, other: f64| (one - other).abs() > one.abs().max(other.abs()) * (tolerance + 1e-7);
            if differs(quantity, measured) || (differs(amount, measured_amount) && (amount - measured_amount).abs() > 1e-6) {
                wrong.push(format!(
                    "{name}: {key:?}: estimate {quantity} (${amount}), replay {measured} (${measured_amount}), allowed {tolerance:.4}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A design in which nothing is left to chance: one size, every rate a whole number of calls in the trace.
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
            .replace("capacity      = { mode = \"provisioned\", read = 900, write = 700 }", "")
            .replace("read = 100\nwrite = 300\n", ""),
    ] {
        let workload = workload::load("chance.toml", &text, Path::new("."), &workload::Setting::new(&books))
            .unwrap_or_else(|errors| panic!("{errors}"));
        let estimate = dynameter::estimate::estimate(&workload, &books).expect("an estimate");
        for layout in [Layout::Parquet, Layout::Csv, Layout::NdJson] {
            let path = folder.path().join("trace");
            let options = synthesize::Options { seconds: 600, seed: 7, start: Time::from_second(1_704_067_200), poisson: false, layout };
            synthesize::synthesize(&workload, &options, std::fs::File::create(&path).expect("a file"), &mut |_, _| true).expect("a trace");
            let replayed = replayed(&[path], Some(&workload), trace::Options::default(), &Options::default());
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
            assert_eq!(estimate.total().expect("a total"), replayed.outcome.total().expect("a total"), "{layout:?}");
            assert_eq!(estimate.bill.unknown.len(), replayed.outcome.bill.unknown.len());
        }
    }
}

/// Every line with its exact quantity and amount.
fn exact_lines(outcome: &Outcome) -> BTreeSet<(LineKey, String, String)> {
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
