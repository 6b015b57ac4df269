//! Many tables at a glance.

use crate::support::{self, run_in};

use serde_json::Value;

fn json(folder: &std::path::Path, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend(["--format", "json"]);
    let (code, stdout, stderr) = run_in(folder, &all);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    serde_json::from_str(&stdout).expect("JSON")
}

fn decimal(value: &Value) -> rust_decimal::Decimal {
    value.as_str().expect("a text").parse().expect("a decimal")
}

#[test]
fn every_shipped_design_is_in_the_summary_and_the_totals_agree() {
    let folder = support::root().join("workloads");
    let summary = json(&folder, &["estimate", ".", "--summary"]);
    assert_eq!(summary["schema"], "dynameter.fleet/1");
    let rows = summary["tables"].as_array().expect("tables");
    let amounts: Vec<_> = rows
        .iter()
        .map(|row| decimal(&row["monthly_usd"]))
        .collect();
    assert!(
        amounts.is_sorted_by(|one, other| one >= other),
        "{amounts:?}"
    );
    let sum: rust_decimal::Decimal = amounts.iter().sum();
    assert_eq!(sum, decimal(&summary["total_usd"]));

    // The estimate of each file says the same of each of its tables.
    let estimates = json(&folder, &["estimate", "."]);
    for estimate in estimates.as_array().expect("estimates") {
        for table in estimate["tables"].as_array().into_iter().flatten() {
            let is_it = |row: &&Value| {
                row["workload"] == estimate["workload"] && row["table"] == table["table"]
            };
            let row = rows.iter().find(is_it);
            if let Some(row) = row {
                assert_eq!(row["monthly_usd"], table["total_usd"], "{table}");
            } else {
                assert_eq!(table["table"], "account", "{table}");
            }
        }
    }
    let top = json(&folder, &["estimate", ".", "--summary", "--top", "3"]);
    assert_eq!(top["tables"].as_array().expect("tables")[..], rows[..3]);
    assert_eq!(top["total_usd"], summary["total_usd"]);
    assert_eq!(top["count"], rows.len());
}

const TABLES: &str = r#"name = "Two"
region = "us-east-1"
prices = "2024-11-01"

[[table]]
name = "Cheap"
items = 10
item = { size = "1 KB" }
partition_key = { name = "pk", type = "S" }

[[table.access]]
name = "read"
operation = "GetItem"
rate = { per_second = 1 }

[[table]]
name = "Idle"
items = 10
item = { size = "1 KB" }
partition_key = { name = "pk", type = "S" }

[table.capacity]
mode = "provisioned"
read = 100
write = 40

[[table.access]]
name = "read"
operation = "GetItem"
consistency = "strong"
rate = { per_second = 25 }

[[table.access]]
name = "write"
operation = "PutItem"
rate = { per_second = 2 }
"#;

#[test]
fn a_line_says_how_a_table_is_used_and_what_to_change() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("two.toml"), TABLES).expect("a file");
    for (command, name) in [("estimate", "estimate"), ("compare", "compare")] {
        let (code, stdout, stderr) = run_in(folder.path(), &[command, "two.toml", "--summary"]);
        assert_eq!(code, 0, "{stderr}");
        let golden = support::root().join(format!("tests/golden/fleet/{name}.txt"));
        let differs = support::golden(&golden, &stdout);
        assert!(differs.is_none(), "{}", differs.unwrap_or_default());
    }
    let summary = json(folder.path(), &["compare", "two.toml", "--summary"]);
    let idle = &summary["tables"][0];
    assert_eq!(idle["table"], "Idle");
    assert_eq!(
        (&idle["reads_used"], &idle["writes_used"]),
        (&"0.25".into(), &"0.05".into())
    );
    assert!(decimal(&idle["best"]["saves_usd"]).is_sign_positive());

    // The whole output begins with the same lines, and --top leaves out the others.
    let (_, all, _) = run_in(folder.path(), &["estimate", "two.toml"]);
    let (_, top, _) = run_in(folder.path(), &["estimate", "two.toml", "--top", "1"]);
    let sections = |text: &str| {
        let starts = |name: &str| {
            text.lines()
                .any(|line| line.starts_with(&format!("{name}  $")))
        };
        (starts("Idle"), starts("Cheap"))
    };
    assert_eq!(
        (sections(&all), sections(&top)),
        ((true, true), (true, false))
    );
    assert!(top.contains("… and 1 more table: $"), "{top}");
}

#[test]
fn folders_and_patterns_are_fleets_of_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("one.toml"), TABLES).expect("a file");
    std::fs::write(at("two.toml"), TABLES.replace("\"Two\"", "\"Other\"")).expect("a file");
    // Neither is a workload.
    std::fs::write(at("usage.toml"), "[[table]]\nname = \"Cheap\"\nitems = 5\n").expect("a file");
    std::fs::write(at("dynameter.toml"), "month_hours = \"730\"\n").expect("a file");
    for design in [".", "*.toml"] {
        let design = if design == "*.toml" {
            "[ot]*.toml"
        } else {
            design
        };
        for command in ["estimate", "compare"] {
            let summary = json(folder.path(), &[command, design, "--summary"]);
            let rows = summary["tables"].as_array().expect("tables");
            let tables = rows.iter().filter(|row| row["table"].is_string()).count();
            assert_eq!(tables, 4, "{command} {design}: {summary}");
        }
        let compared = json(folder.path(), &["compare", design]);
        assert_eq!(compared.as_array().map(Vec::len), Some(2));
    }
}

#[cfg(feature = "html")]
#[test]
fn a_page_shows_all_tables_of_several_designs() {
    let folder = support::root().join("workloads");
    let files = ["leaderboard.toml", "sessions.toml", "iot.toml"];
    let run = |more: &[&str]| {
        let (code, stdout, stderr) = run_in(&folder, &[&["report"], &files[..], more].concat());
        assert_eq!(code, 0, "{stderr}");
        stdout
    };
    let page = run(&[]);
    let compared = json(&folder, &[&["compare", "--summary"], &files[..]].concat());
    let total = format!(
        "data-total=\"{}\"",
        compared["total_usd"].as_str().expect("a text")
    );
    assert!(page.contains(&total), "{total}");
    for expected in [
        "<h1 dir=\"auto\">3 designs</h1>",
        "By design",
        "Scores (Leaderboard)",
        "Readings",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let figures: Value = serde_json::from_str(&run(&["--format", "json"])).expect("JSON");
    assert_eq!(figures, compared);
    let (_, page, _) = run_in(&folder, &["report", "payments.toml", "iot.toml"]);
    for expected in [
        "at least $",
        "unknown and not in the total",
        "the storage of its entries in ByTier",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let most = run(&["--top", "1"]);
    assert!(most.contains("The 1 most expensive of 3 tables"), "{most}");
    let (code, _, stderr) = run_in(
        &folder,
        &["report", "iot.toml", "--summary", "--baseline", "iot.toml"],
    );
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("--baseline is for the page of one design"),
        "{stderr}"
    );
}

#[cfg(feature = "html")]
#[test]
fn the_page_of_a_thousand_tables_is_small() {
    let mut text = "name = \"Fleet\"\nregion = \"us-east-1\"\n".to_string();
    for number in 0..1_000 {
        text += &format!(
            "[[table]]\nname = \"orders-of-customer-{number:04}\"\nitems = {}\n\
             partition_key = {{ name = \"pk\" }}\nitem.size = \"4 KB\"\n",
            number * 1_000
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("fleet.toml"), text).expect("written");
    let (code, page, stderr) = run_in(folder.path(), &["report", "fleet.toml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("1000 tables without"), "{stderr}");
    assert!(page.len() < 2_000_000, "{}", page.len());
    for number in [0, 500, 999] {
        assert!(
            page.contains(&format!("orders-of-customer-{number:04}")),
            "{number}"
        );
    }
}

#[test]
fn several_designs_are_explained_one_after_another() {
    let folder = support::root().join("workloads");
    let files = ["explain", "iot.toml", "sessions.toml"];
    let (code, text, stderr) = run_in(&folder, &files);
    assert_eq!(code, 0, "{stderr}");
    let alone: Vec<String> = files[1..]
        .iter()
        .map(|file| run_in(&folder, &["explain", file]).1)
        .collect();
    assert_eq!(text, alone.join("\n"));
    let all = json(&folder, &files);
    assert_eq!(all[0]["schema"], "dynameter.explain/1");
    assert_eq!(all.as_array().map(Vec::len), Some(2));
}
