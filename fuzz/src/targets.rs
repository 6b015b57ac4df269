//! What is fuzzed: each target takes any bytes as one input of a command. Whatever they are, the
//! command ends with 0, 1 or 2, says why if it fails, and prints no control characters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use dynameter::cli::call::{Call, Watch, call};
use serde_json::{Value, json};

/// The word of the arguments that stands for the input, and for a folder to write to.
const INPUT: &str = "INPUT";
const FOLDER: &str = "FOLDER";

/// A kind of input, and the command that reads it.
pub struct Target {
    /// Its name: the folder of its corpus.
    pub name: &'static str,
    /// The name of the file that the command reads.
    file: &'static str,
    /// The arguments; files of the project are named from its root.
    arguments: &'static [&'static str],
    /// Files of the project to start from: all of a folder with an extension, or one.
    seeds: &'static [&'static str],
    /// Makes the file from the bytes; `None` for bytes as they are.
    wrap: Option<fn(&str) -> Value>,
}

/// A target whose input is a whole file.
const fn target(
    name: &'static str,
    file: &'static str,
    arguments: &'static [&'static str],
    seeds: &'static [&'static str],
) -> Target {
    Target {
        name,
        file,
        arguments,
        seeds,
        wrap: None,
    }
}

/// A target whose input is a text in a call of a request log.
const fn call_with(
    name: &'static str,
    wrap: fn(&str) -> Value,
    seeds: &'static [&'static str],
) -> Target {
    Target {
        name,
        file: "input.jsonl",
        arguments: &["replay", INPUT, "--verify"],
        seeds,
        wrap: Some(wrap),
    }
}

/// A part of a replay. Its form changes between versions, so its seed is made when it is needed.
const PART: &str = "input.part";

const REPLAY: &[&str] = &["replay", INPUT, "-w", "traces/orders.toml"];

/// Every target.
pub const TARGETS: &[Target] = &[
    target(
        "workload",
        "input.toml",
        &["estimate", INPUT],
        &["workloads/*.toml"],
    ),
    target(
        "compare",
        "input.toml",
        &["compare", INPUT, "--top", "3"],
        &["workloads/iot.toml", "workloads/shopping-cart.toml"],
    ),
    target(
        "budget",
        "input.toml",
        &[
            "check",
            "workloads/shopping-cart.toml",
            "--today",
            "2025-01-01",
            "--budget",
            INPUT,
        ],
        &["fuzz/seeds/budget/*.toml"],
    ),
    target(
        "commitments",
        "input.toml",
        &["estimate", "workloads/iot.toml", "--commitments", INPUT],
        &["workloads/account/*.toml"],
    ),
    target(
        "usage",
        "input.toml",
        &[
            "estimate",
            "fuzz/seeds/plan/orders.json",
            "--region",
            "us-east-1",
            "--usage",
            INPUT,
        ],
        &["fuzz/seeds/usage/*.toml"],
    ),
    target(
        "plan",
        "input.json",
        &["estimate", INPUT, "--region", "us-east-1"],
        &["fuzz/seeds/plan/*.json"],
    ),
    target(
        "template",
        "input.yaml",
        &["estimate", INPUT, "--region", "us-east-1"],
        &["fuzz/seeds/template/*.yaml"],
    ),
    target(
        "describe",
        "input.json",
        &["import", "describe-table", INPUT, "--region", "us-east-1"],
        &["fuzz/seeds/describe/*.json"],
    ),
    target(
        "model",
        "input.json",
        &["import", "model", INPUT, "--region", "us-east-1"],
        &["fuzz/seeds/model/*.json"],
    ),
    target(
        "prices",
        "input.json",
        &["prices", "import", INPUT, "--into", FOLDER],
        &["fuzz/seeds/prices/*.json"],
    ),
    target(
        "bill",
        "input.csv",
        &["reconcile", INPUT],
        &["tests/data/bills/ce-costs.csv"],
    ),
    target(
        "bill-json",
        "input.json",
        &["reconcile", INPUT],
        &["tests/data/bills/ce-get-cost-and-usage.json"],
    ),
    target(
        "requests",
        "input.jsonl",
        &["replay", INPUT, "--verify"],
        &["traces/requests.jsonl"],
    ),
    target("columns", "input.csv", REPLAY, &["traces/columns.csv"]),
    target("rows", "input.ndjson", REPLAY, &["traces/columns.ndjson"]),
    target("streams", "input.json", REPLAY, &["traces/streams.json"]),
    target(
        "cloudtrail",
        "input.json",
        REPLAY,
        &["traces/cloudtrail.json"],
    ),
    target("log", "input.log", REPLAY, &["traces/application.log"]),
    target(
        "metrics",
        "input.json",
        &["replay", INPUT, "--region", "us-east-1"],
        &[
            "traces/cloudwatch.json",
            "traces/cloudwatch-statistics.json",
            "traces/metric-stream.jsonl",
        ],
    ),
    target(
        "console",
        "input.csv",
        &["replay", INPUT, "--table", "Orders"],
        &["traces/cloudwatch-console.csv"],
    ),
    target(
        "cache",
        "input.oracleGeneral",
        &["replay", INPUT, "--dax", "1 KB"],
        &["traces/cache.oracleGeneral"],
    ),
    target(
        "twemcache",
        "input.csv",
        &["replay", INPUT, "--dax", "1 KB"],
        &["traces/twemcache.csv"],
    ),
    target(
        "parquet",
        "input.parquet",
        REPLAY,
        &["fuzz/seeds/parquet/*.parquet"],
    ),
    target("part", PART, &["replay", "--merge", INPUT], &[PART]),
    target(
        "checkpoint",
        PART,
        &["replay", "traces/requests.jsonl", "--checkpoint", INPUT],
        &[PART],
    ),
    call_with("expression", update, &["fuzz/seeds/expression/*.txt"]),
    call_with("condition", query, &["fuzz/seeds/condition/*.txt"]),
    call_with("partiql", statement, &["fuzz/seeds/partiql/*.txt"]),
];

const TIME: &str = "2025-01-01T00:00:00Z";

fn update(text: &str) -> Value {
    json!({ "time": TIME, "operation": "UpdateItem", "request": {
        "TableName": "Orders", "Key": { "pk": { "S": "a" } }, "UpdateExpression": text,
        "ExpressionAttributeNames": { "#n": "count", "#m": "list" },
        "ExpressionAttributeValues": { ":n": { "N": "1" }, ":s": { "SS": ["a", "b"] }, ":l": { "L": [{ "S": "x" }] } } } })
}

fn query(text: &str) -> Value {
    json!({ "time": TIME, "operation": "Query", "request": {
        "TableName": "Orders", "KeyConditionExpression": text,
        "ExpressionAttributeNames": { "#n": "pk" },
        "ExpressionAttributeValues": { ":n": { "S": "a" }, ":s": { "N": "7" } } } })
}

fn statement(text: &str) -> Value {
    json!({ "time": TIME, "operation": "ExecuteStatement", "request": {
        "Statement": text, "Parameters": [{ "S": "a" }, { "N": "7" }] } })
}

/// A table for the calls of a request log.
fn created() -> Value {
    json!({ "time": "2024-12-31T00:00:00Z", "operation": "CreateTable", "request": {
        "TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }] } })
}

impl Target {
    /// The inputs to start from, with their names.
    ///
    /// # Panics
    /// If one cannot be read or made.
    pub fn seeds(&self, root: &Path, scratch: &Scratch) -> Vec<(String, Vec<u8>)> {
        if self.file == PART {
            let part = scratch.folder.join("seed.part").display().to_string();
            let trace = root.join("traces/requests.jsonl").display().to_string();
            let arguments = ["replay", &trace, "--partial", "-o", &part];
            let arguments = arguments.map(str::to_string).to_vec();
            let answer = call(Call::new(arguments, BTreeMap::new(), Watch::default()));
            assert_eq!(answer.code, 0, "{:?}", answer.notes);
            return vec![(PART.to_string(), std::fs::read(part).expect("a part"))];
        }
        let read = |path: PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (name.to_string(), std::fs::read(&path).expect("a seed"))
        };
        self.files(root).into_iter().map(read).collect()
    }

    fn files(&self, root: &Path) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for seed in self.seeds {
            let (folder, name) = seed.rsplit_once('/').unwrap_or((".", seed));
            match name.strip_prefix('*') {
                None => all.push(root.join(seed)),
                Some(extension) => {
                    let files = std::fs::read_dir(root.join(folder))
                        .into_iter()
                        .flatten()
                        .flatten();
                    let files = files.map(|file| file.path());
                    all.extend(files.filter(|file| file.to_string_lossy().ends_with(extension)));
                }
            }
        }
        all.sort();
        all
    }

    /// Runs the command with the input.
    ///
    /// # Panics
    /// If what the command says or its exit code is not what is promised.
    pub fn run(&self, root: &Path, scratch: &Scratch, bytes: &[u8]) {
        let input = scratch.folder.join(self.file);
        let written = match self.wrap {
            None => std::fs::write(&input, bytes),
            Some(wrap) => {
                let line = wrap(&String::from_utf8_lossy(bytes));
                std::fs::write(&input, format!("{}\n{line}\n", created()))
            }
        };
        written.expect("the scratch folder can be written");
        let argument = |argument: &&str| match *argument {
            INPUT => input.display().to_string(),
            FOLDER => scratch.folder.display().to_string(),
            file if root.join(file).is_file() => root.join(file).display().to_string(),
            other => other.to_string(),
        };
        let arguments: Vec<String> = self.arguments.iter().map(argument).collect();
        let answer = call(Call::new(arguments, BTreeMap::new(), Watch::default()));
        assert!(answer.code <= 2, "{}: exit code {}", self.name, answer.code);
        assert!(
            answer.code != 2 || !answer.notes.is_empty(),
            "{}: it fails and does not say why",
            self.name
        );
        let output = String::from_utf8_lossy(&answer.output);
        for text in answer.notes.iter().map(String::as_str).chain([&*output]) {
            let wrong = text.chars().find(|one| is_hostile(*one));
            assert!(wrong.is_none(), "{}: prints {wrong:?}: {text:?}", self.name);
        }
    }
}

/// Characters that a terminal obeys, or that change the order of what is shown.
fn is_hostile(one: char) -> bool {
    (one.is_control() && one != '\n' && one != '\t')
        || matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A folder for the inputs of one thread, in memory where the system has such a folder.
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Makes the folder.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn new() -> Scratch {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let base = match memory.is_dir() {
            true => memory.to_path_buf(),
            false => std::env::temp_dir(),
        };
        let own = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = base.join(format!("dynameter-fuzz-{}-{own}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a scratch folder");
        Scratch { folder }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
