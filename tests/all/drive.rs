//! `drive`: the calls of every shipped design, made for real against servers of others.

use crate::support;
use crate::support::server::{Server, run_at};
use crate::support::stub::{Call, Stub};

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// The shipped designs whose tables a local engine can hold.
fn designs() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(support::root().join("workloads")).expect("the designs");
    let paths = folder.flatten().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    paths.sort();
    assert!(paths.len() > 8, "{paths:?}");
    paths
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Drives a design against a server; returns the result, and its log.
fn driven(server: &Server, design: &Path, folder: &Path, more: &[&str]) -> (Value, PathBuf) {
    let log = folder.join("log.ndjson");
    let arguments = [
        &[
            "drive",
            text(design),
            "--endpoint-url",
            &server.url,
            "--format",
            "json",
            "-o",
            text(&log),
        ],
        more,
    ]
    .concat();
    let (code, stdout, stderr) = run_at(folder, None, &arguments);
    assert!(
        !stderr.contains("warning"),
        "{}: {stderr}",
        design.display()
    );
    let result: Value = serde_json::from_str(&stdout).expect("JSON");
    let expected = if result["agrees"] == true { 0 } else { 1 };
    assert_eq!(code, expected, "{}: {stderr}", design.display());
    (result, log)
}

fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name].as_array().expect("a list")
}

/// The access patterns that cannot be driven.
const NOT_CALLED: &[&str] = &["read a payment in Europe"];

/// What every run has, whatever the server.
fn must_be_whole(design: &Path, result: &Value) {
    let shown = design.display();
    for left_out in list(result, "not_called") {
        let access = left_out["access"].as_str().expect("a name");
        assert!(NOT_CALLED.contains(&access), "{shown}: {left_out}");
    }
    assert!(list(result, "not_removed").is_empty(), "{shown}: {result}");
    for pattern in list(result, "patterns") {
        let count = |name: &str| pattern[name].as_u64().expect("a number");
        let calls = count("answered") + count("failed_as_designed") + count("unstated");
        assert!(calls > 0, "{shown}: {pattern}");
        assert_eq!(pattern["refused"], json!([]), "{shown}: {pattern}");
    }
}

/// Whether the replay reads the log and compares as many lines as the run did.
fn must_replay(result: &Value, log: &Path) {
    let folder = log.parent().expect("a folder");
    let arguments = ["replay", text(log), "--verify", "--format", "json"];
    let (code, stdout, stderr) = run_at(folder, None, &arguments);
    assert_eq!(code, 0, "{stderr}");
    let replayed: Value = serde_json::from_str(&stdout).expect("JSON");
    let verification = &replayed["verification"];
    for (own, name) in [("checked", "lines"), ("mismatches", "lines_that_differ")] {
        let count = result[name].to_string();
        assert_eq!(verification[own], count, "{name}: {verification}");
    }
}

#[test]
fn every_design_is_driven_against_moto() {
    let Some(moto) = Server::moto("every_design_is_driven_against_moto") else {
        return;
    };
    for design in designs() {
        let folder = tempfile::tempdir().expect("a folder");
        let (result, log) = driven(&moto, &design, folder.path(), &["--for", "1s"]);
        must_be_whole(&design, &result);
        must_replay(&result, &log);
        assert_eq!(
            moto.script("tests/drive/table.py", &["tables"]).trim(),
            "[]"
        );
    }
}

/// Where dynoxide differs: it sums the items that a Query of a local index fetches before it rounds.
const DYNOXIDE_DIFFERS: &[&str] = &["recent orders in full"];

#[test]
fn every_unit_is_as_estimated_where_nothing_is_left_to_shares() {
    let test = "every_unit_is_as_estimated_where_nothing_is_left_to_shares";
    let Some(dynoxide) = Server::dynoxide(test) else {
        return;
    };
    let mut certain = 0;
    for design in designs() {
        let folder = tempfile::tempdir().expect("a folder");
        let more = ["--for", "1s", "--scale", "0.2"];
        let (result, log) = driven(&dynoxide, &design, folder.path(), &more);
        must_be_whole(&design, &result);
        must_replay(&result, &log);
        for pattern in list(&result, "patterns") {
            if DYNOXIDE_DIFFERS
                .iter()
                .any(|name| pattern["access"] == *name)
            {
                continue;
            }
            let shown = format!("{}: {pattern:#}", design.display());
            assert_eq!(pattern["unstated"], 0, "{shown}");
            for units in list(pattern, "units") {
                assert_eq!(units["metered"], units["consumed"], "{shown}");
                if pattern["certain"] == true && !units["expected"].is_null() {
                    assert_eq!(units["expected"], units["consumed"], "{shown}");
                    certain += 1;
                }
            }
        }
    }
    assert!(certain > 60, "{certain}");
}

#[test]
fn a_table_that_is_there_is_used_only_if_it_is_named() {
    let test = "a_table_that_is_there_is_used_only_if_it_is_named";
    let Some(moto) = Server::moto(test) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let design = support::root().join("workloads/sessions.toml");
    moto.script("tests/drive/table.py", &["make"]);
    let run = |more: &[&str]| {
        let asked = [
            "drive",
            text(&design),
            "--endpoint-url",
            &moto.url,
            "--for",
            "1s",
        ];
        run_at(folder.path(), None, &[&asked, more].concat())
    };
    let (code, _, stderr) = run(&[]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("there is a table of this name"), "{stderr}");
    assert!(stderr.contains("--use-table Sessions"), "{stderr}");
    let (code, stdout, stderr) = run(&["--use-table", "Sessions"]);
    // moto counts by rules of its own.
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains("Sessions used, "), "{stdout}");
    assert!(stdout.contains("(items removed afterwards)"), "{stdout}");
    // What was there before, and nothing else, is there.
    let held = moto.script("tests/drive/table.py", &["items"]);
    let held: Value = serde_json::from_str(&held).expect("JSON");
    assert_eq!(held, json!([{"SessionId": {"S": "mine"}}]));
    let (code, _, stderr) = run(&["--use-table", "Others"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("the design has no table of this name"),
        "{stderr}"
    );
}

/// A server that has one table, of the given keys.
fn server_with(table: Option<Value>) -> Stub {
    Stub::start(move |call: &Call| match (call.action.as_str(), &table) {
        ("DescribeTable", Some(table)) => Ok(json!({ "Table": table })),
        ("DescribeTable", None) => Err(("ResourceNotFoundException", "none".to_string())),
        (other, _) => Err(("ValidationException", format!("{other} was called"))),
    })
}

#[test]
fn a_run_against_aws_needs_a_limit_and_does_nothing_before() {
    let stub = server_with(None);
    let folder = tempfile::tempdir().expect("a folder");
    let design = support::root().join("workloads/leaderboard.toml");
    let run = |more: &[&str]| {
        let asked = ["drive", text(&design)];
        run_at(folder.path(), Some(&stub.url), &[&asked, more].concat())
    };
    for (more, expected) in [
        (&[][..], "against AWS, this run costs $0.00"),
        (
            &["--max-usd", "0.0000001"],
            "more than --max-usd $0.0000001",
        ),
        (&["--max-usd", "-1"], "is not an amount"),
        (&["--scale", "0"], "is not a number above 0"),
        (&["--for", "1 fortnight"], "is not a duration"),
        (&["--endpoint-url", "localhost:8000"], "is not an address"),
        (&["-o", "none/log.ndjson"], "cannot be written"),
        (&["--scale", "1000000"], "more than 1000000 calls"),
        (&["-o", "-"], "needs a file"),
    ] {
        let (code, stdout, stderr) = run(more);
        assert_eq!(code, 2, "{more:?}: {stdout}{stderr}");
        assert!(stderr.contains(expected), "{more:?}: {stderr}");
    }
    let called: Vec<String> = stub.calls().into_keys().collect();
    assert_eq!(called, ["DescribeTable"]);
}

#[test]
fn a_table_of_other_keys_is_not_used() {
    let stub = server_with(Some(json!({
        "TableName": "Sessions",
        "KeySchema": [{"AttributeName": "Other", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "Other", "AttributeType": "S"}],
    })));
    let folder = tempfile::tempdir().expect("a folder");
    let design = support::root().join("workloads/sessions.toml");
    let asked = ["drive", text(&design), "--endpoint-url", &stub.url];
    let asked = [&asked[..], &["--use-table", "Sessions"]].concat();
    let (code, _, stderr) = run_at(folder.path(), None, &asked);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("its keys are not those of the design"),
        "{stderr}"
    );
    let called: Vec<String> = stub.calls().into_keys().collect();
    assert_eq!(called, ["DescribeTable"]);
}

/// A server whose calls are refused from some moment on.
#[test]
fn what_was_made_is_removed_when_a_call_is_refused() {
    let stub = Stub::start(|call: &Call| {
        let described = json!({ "TableStatus": "ACTIVE", "TableId": "1" });
        match call.action.as_str() {
            "DescribeTable" if call.before == 0 => {
                Err(("ResourceNotFoundException", "none".to_string()))
            }
            "DescribeTable" => Ok(json!({ "Table": described })),
            "CreateTable" => Ok(json!({ "TableDescription": described })),
            "DeleteTable" => Ok(json!({ "TableDescription": described })),
            _ => Err(("AccessDeniedException", "not allowed".to_string())),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let design = support::root().join("workloads/sessions.toml");
    let log = folder.path().join("log.ndjson");
    let asked = [
        "drive",
        text(&design),
        "--endpoint-url",
        &stub.url,
        "-o",
        text(&log),
    ];
    let (code, _, stderr) = run_at(folder.path(), None, &asked);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("dynamodb:BatchWriteItem is refused"),
        "{stderr}"
    );
    assert!(!log.exists(), "no log of half a run");
    assert_eq!(stub.calls()["DeleteTable"], 1);
}

#[cfg(unix)]
#[test]
fn ctrl_c_removes_what_was_made() {
    let Some(moto) = Server::moto("ctrl_c_removes_what_was_made") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let design = support::root().join("workloads/sessions.toml");
    let binary = assert_cmd::cargo::cargo_bin("dynameter");
    let child = std::process::Command::new(binary)
        .current_dir(folder.path())
        .args(["drive", text(&design), "--endpoint-url", &moto.url])
        .args(["--for", "10m", "-o", "log.ndjson"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let tables = || moto.script("tests/drive/table.py", &["tables"]);
    for _ in 0..300 {
        if tables().contains("Sessions") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let id = child.id().to_string();
    let stopped = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(stopped.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("what the run made was removed"), "{stderr}");
    assert_eq!(tables().trim(), "[]");
    assert!(!folder.path().join("log.ndjson").exists());
}

/// Writes to items of another size before keep their keys, so that nothing stays in a table that is
/// used, and index entries change as the design says.
#[test]
fn items_keep_their_keys_whatever_their_size_before() {
    let Some(dynoxide) = Server::dynoxide("items_keep_their_keys_whatever_their_size_before")
    else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let design = folder.path().join("design.toml");
    std::fs::write(
        &design,
        r#"
name = "x"
region = "us-east-1"
[[table]]
name = "Orders"
items = 1_000
partition_key = { name = "p", bytes = 80 }
sort_key = { name = "s", bytes = 30 }
item.attributes = [{ name = "owner", type = "S", bytes = 20 }, { name = "text", type = "S", bytes = 900 }]
[[table.index]]
name = "ByOwner"
kind = "global"
partition_key = "owner"
projection = "all"
[[table.access]]
name = "grow"
operation = "PutItem"
overwrites = 1
before = "3 KB"
rate = { per_second = 20 }
[[table.access]]
name = "fail"
operation = "DeleteItem"
condition_failures = 0.25
rate = { per_second = 20 }
[[table.access]]
name = "repeat"
operation = "ExecuteTransaction"
statement = "UPDATE"
items = 2
replayed = 0.5
rate = { per_second = 20 }
"#,
    )
    .expect("written");
    let more = ["--for", "1s", "--scale", "1"];
    let (result, _) = driven(&dynoxide, &design, folder.path(), &more);
    assert_eq!(result["agrees"], true, "{result:#}");
    let patterns = list(&result, "patterns");
    assert!(
        patterns.iter().all(|pattern| pattern["certain"] == true),
        "{result:#}"
    );
    let pattern = |name: &str| {
        patterns
            .iter()
            .find(|one| one["access"] == name)
            .expect("it")
    };
    assert_eq!(pattern("fail")["failed_as_designed"], 5);
    // A repeated call reads, the others write.
    let units = list(pattern("repeat"), "units");
    assert!(
        units.iter().any(|one| one["direction"] == "read"),
        "{result:#}"
    );
}

/// Random calls of an independent engine, metered again from the log: 10,000, or as many as
/// `DYNAMETER_CALLS` says.
#[test]
fn random_calls_consume_what_an_independent_engine_says() {
    let test = "random_calls_consume_what_an_independent_engine_says";
    let Some(dynoxide) = Server::dynoxide(test) else {
        return;
    };
    let asked = std::env::var("DYNAMETER_CALLS").ok();
    let count: u64 = asked.map_or(10_000, |text| text.parse().expect("a number of calls"));
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("calls.jsonl");
    let (count, log) = (count.to_string(), text(&log));
    dynoxide.script("tests/drive/random_calls.py", &[&count, "1", log]);
    // It pairs the digits of a number as rule 1.3a has it; nothing else differs.
    let arguments = [
        "replay",
        log,
        "--verify=all",
        "--switch",
        "number_alignment=split",
        "--format",
        "json",
        "--quiet",
    ];
    let (code, output, errors) = support::run_in(folder.path(), &arguments);
    assert_eq!(code, 0, "{errors}");
    let result: Value = serde_json::from_str(&output).expect("JSON");
    let verification = &result["verification"];
    let figure = |name: &str| -> u64 {
        let figure = verification[name]
            .as_str()
            .and_then(|text| text.parse().ok());
        figure.unwrap_or_else(|| panic!("no {name}: {verification:#}"))
    };
    let made: u64 = count.parse().expect("a number");
    assert!(figure("checked") > made / 2, "{verification:#}");
    assert_eq!(figure("mismatches"), 0, "{verification:#}");
}
