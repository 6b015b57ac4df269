//! Tests of the budget check: verdicts, exit codes, outputs, and every error that a budget file can
//! have.

use crate::support::{self, run_in};

use std::path::PathBuf;

use dynameter::check::{BUDGET_CODES, RULES};
use serde_json::Value;

/// Checks the designs of `tests/check`, on a day before the exception of the budget ends.
fn checked(more: &[&str]) -> (i32, String, String) {
    let start = [
        "check",
        "after.toml",
        "--budget",
        "budget.toml",
        "--baseline",
        "before.toml",
        "--today",
        "2026-12-01",
    ];
    run_in(
        &support::root().join("tests/check"),
        &[&start[..], more].concat(),
    )
}

#[test]
fn every_format_says_what_it_said() {
    let mut wrong = Vec::new();
    for format in [
        "text", "json", "markdown", "csv", "github", "sarif", "junit",
    ] {
        let (code, stdout, stderr) = checked(&["--format", format]);
        assert_eq!((code, stderr.as_str()), (1, ""), "{format}");
        wrong.extend(support::golden(
            &support::root().join(format!("tests/golden/check/{format}.text")),
            &stdout,
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_line_that_costs_is_named_with_its_dollars() {
    let (_, json, _) = checked(&["--format", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let estimate = |file: &str| -> Value {
        let (_, text, _) = run_in(
            &support::root().join("tests/check"),
            &["estimate", file, "--format", "json"],
        );
        serde_json::from_str(&text).expect("JSON")
    };
    let (before, after) = (estimate("before.toml"), estimate("after.toml"));
    assert_eq!(
        (&json["before_usd"], &json["total_usd"]),
        (&before["total_usd"], &after["total_usd"])
    );
    let change = json["verdicts"]
        .as_array()
        .expect("verdicts")
        .iter()
        .find(|one| one["measure"] == "increase_usd")
        .expect("a change");
    let decimal = |value: &Value| {
        value
            .as_str()
            .expect("dollars")
            .parse::<rust_decimal::Decimal>()
            .expect("a decimal")
    };
    assert_eq!(
        (&change["status"], decimal(&change["figure"])),
        (
            &Value::from("fail"),
            decimal(&json["delta_usd"]).round_dp(9)
        )
    );
    let text = std::fs::read_to_string(support::root().join("tests/check/after.toml"))
        .expect("a workload");
    let line = text
        .lines()
        .position(|line| line.starts_with("projection"))
        .expect("a projection")
        + 1;
    for cause in change["causes"].as_array().expect("causes") {
        assert_eq!(
            (&cause["file"], &cause["line"], &cause["index"]),
            (
                &Value::from("after.toml"),
                &Value::from(line),
                &Value::from("ByStatus")
            )
        );
    }
    let moved: rust_decimal::Decimal = change["causes"]
        .as_array()
        .expect("causes")
        .iter()
        .map(|cause| {
            cause["amount_usd"]
                .as_str()
                .expect("dollars")
                .parse::<rust_decimal::Decimal>()
                .expect("a decimal")
        })
        .sum();
    assert_eq!(
        moved.normalize().to_string(),
        json["delta_usd"].as_str().expect("dollars")
    );
}

#[test]
fn a_commit_that_widens_a_projection_fails_in_a_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    let git = |arguments: &[&str]| {
        let name = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "commit.gpgsign=false",
        ];
        let output = std::process::Command::new("git")
            .current_dir(folder.path())
            .args(name)
            .args(arguments)
            .output();
        output.is_ok_and(|output| output.status.success())
    };
    if !git(&["init", "-q"]) {
        eprintln!("SKIPPED a_commit_that_widens_a_projection_fails_in_a_repository: no git");
        return;
    }
    let copy = |from: &str, to: &str| {
        std::fs::copy(
            support::root().join("tests/check").join(from),
            folder.path().join(to),
        )
        .expect("a copy")
    };
    std::fs::create_dir(folder.path().join("designs")).expect("a folder");
    copy("before.toml", "designs/orders.toml");
    copy("budget.toml", "budget.toml");
    assert!(git(&["add", "."]) && git(&["commit", "-q", "-m", "before"]));
    let check = |baseline: &str| {
        run_in(
            folder.path(),
            &[
                "check",
                "designs/orders.toml",
                "--budget",
                "budget.toml",
                "--baseline",
                baseline,
                "--today",
                "2026-12-01",
                "--format",
                "github",
            ],
        )
    };
    assert_eq!(check("git:HEAD:").0, 0);
    copy("after.toml", "designs/orders.toml");
    assert!(git(&["commit", "-q", "-a", "-m", "wider"]));
    let (code, stdout, stderr) = check("git:HEAD~1:designs/orders.toml");
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(
        stdout.starts_with("::error file=designs/orders.toml,line=27,title=everything::"),
        "{stdout}"
    );
    assert_eq!(
        check("git:HEAD:").0,
        1,
        "without a change the whole design is still over its limit"
    );
    for (baseline, words) in [
        ("git:nowhere:", "nowhere"),
        ("git:HEAD:no.toml", "no.toml"),
        ("git:HEAD", "git:REV:PATH"),
        ("git::x", "git:REV:PATH"),
        ("git:--help:x", "git:REV:PATH"),
        ("none.toml", "none.toml"),
    ] {
        let (code, stdout, stderr) = check(baseline);
        assert!(
            code == 2 && stdout.starts_with("::error title=dynameter::") && stderr.contains(words),
            "{baseline}: {code} {stderr}"
        );
    }
}

/// Checks a workload and a budget given as texts.
fn check_texts(workload: &str, budget: &str, more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("w.toml"), workload).expect("a workload");
    std::fs::write(folder.path().join("b.toml"), budget).expect("a budget");
    run_in(
        folder.path(),
        &[
            &[
                "check",
                "w.toml",
                "--budget",
                "b.toml",
                "--today",
                "2026-12-01",
            ][..],
            more,
        ]
        .concat(),
    )
}

fn design(more: &str) -> String {
    format!(
        "name = \"Shop\"\nregion = \"us-east-1\"\nprices = \"2024-11-01\"\n[[table]]\nname = \
         \"Items\"\nitems = 1_000_000\npartition_key = {{ name = \"id\", type = \"S\", bytes = 8 \
         }}\n{more}\n[[table.access]]\nname = \"write\"\noperation = \"PutItem\"\nrate = {{ \
         per_second = 10 }}\n"
    )
}

#[test]
fn exit_codes_tell_too_dear_from_could_not_tell() {
    let known = design("item.size = \"1 KB\"");
    let unknown = design(
        "item.size = \"1 KB\"\n[[table.index]]\nname = \"ByOwner\"\nkind = \
         \"global\"\npartition_key = \"owner\"\nprojection = \"keys-only\"",
    );
    for (workload, budget, code, words) in [
        (
            &known,
            "[[limit]]\nmonthly_usd = 1_000\n",
            0,
            "within budget",
        ),
        (
            &known,
            "[[limit]]\nmonthly_usd = { warn = 1 }\n",
            0,
            "with warnings",
        ),
        (&known, "[[limit]]\nmonthly_usd = 1\n", 1, "over budget"),
        (
            &known,
            "[[limit]]\nmonthly_usd = 1\nexception = { until = \"2026-12-01\", reason = \"a \
             launch\" }\n",
            0,
            "exception until 2026-12-01: a launch",
        ),
        (&unknown, "[[limit]]\nmonthly_usd = 1_000\n", 2, "undecided"),
        // The known part already exceeds the limit.
        (&unknown, "[[limit]]\nmonthly_usd = 1\n", 1, "over budget"),
        // The limit needs only known figures.
        (
            &unknown,
            "[[limit]]\naccess = \"write\"\nusage_type = \"TimedStorage-ByteHrs\"\nmonthly_usd = \
             1_000\n",
            0,
            "within budget",
        ),
        (&known, "[lint]\nscan = \"fail\"\n", 0, "no limits"),
    ] {
        let (found, stdout, stderr) = check_texts(workload, budget, &[]);
        assert_eq!(found, code, "{budget}\n{stdout}{stderr}");
        assert!(stdout.contains(words), "{budget}\n{stdout}");
    }
}

#[test]
fn an_increase_over_what_was_unknown_cannot_be_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = |more: &str| {
        format!(
            "item.size = \"1 KB\"\n[[table.index]]\nname = \"ByOwner\"\nkind = \
             \"global\"\npartition_key = \"owner\"\nprojection = \"keys-only\"\n{more}"
        )
    };
    for (name, text) in [
        ("old.toml", design(&index(""))),
        ("new.toml", design(&index("entry_size = \"60 B\""))),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a workload");
    }
    std::fs::write(
        folder.path().join("b.toml"),
        "[[limit]]\nincrease_usd = 0.01\n",
    )
    .expect("a budget");
    let check = |before: &str, now: &str| {
        run_in(
            folder.path(),
            &[
                "check",
                now,
                "--budget",
                "b.toml",
                "--baseline",
                before,
                "--format",
                "json",
            ],
        )
    };
    // What the index cost before is unknown: the increase is at most the apparent one, which is too
    // much for this limit.
    let (code, stdout, _) = check("old.toml", "new.toml");
    let json: Value = serde_json::from_str(&stdout).expect("JSON");
    let verdict = &json["verdicts"][0];
    assert_eq!(
        (code, &verdict["status"], &verdict["bound"]),
        (2, &Value::from("unknown"), &Value::from("at-most")),
        "{stdout}"
    );
    assert_eq!(check("new.toml", "new.toml").0, 0);
}

#[test]
fn a_price_that_nobody_has_is_no_part_of_an_increase_of_something_else() {
    let design = |nodes: u32, rate: u32| {
        design(&format!(
            "item.size = \"1 KB\"\n[table.dax]\nnode_type = \"dax.x9.huge\"\nnodes = \
             {nodes}\nhit_ratio = 0.5\n[[table.access]]\nname = \"w\"\noperation = \
             \"PutItem\"\nrate = {{ per_second = {rate} }}\n"
        ))
    };
    for (nodes, rate, expected) in [(2, 10, 0), (2, 400, 1), (3, 10, 2)] {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [
            ("old.toml", design(2, 10)),
            ("new.toml", design(nodes, rate)),
            ("b.toml", "[[limit]]\nincrease_usd = 1\n".to_string()),
        ] {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        let (code, text, errors) = run_in(
            folder.path(),
            &[
                "check",
                "new.toml",
                "--budget",
                "b.toml",
                "--baseline",
                "old.toml",
            ],
        );
        assert_eq!(
            code, expected,
            "{nodes} nodes, {rate} a second: {text}{errors}"
        );
    }
}

#[test]
fn every_mistake_of_a_budget_is_told_with_its_place() {
    let samples: &[(&str, &str)] = &[
        ("syntax", "[[limit]\n"),
        ("wrong-type", "[[limit]]\nmonthly_usd = true\n"),
        (
            "missing-key",
            "[[limit]]\nmonthly_usd = 1\nexception = { until = \"2027-01-01\" }\n",
        ),
        ("unknown-key", "[[limit]]\nmonthly_us = 1\n"),
        ("unknown-word", "[lint]\nscan = \"fial\"\n"),
        ("negative-number", "[[limit]]\nmonthly_usd = -1\n"),
        ("number-too-large", "[[limit]]\nmonthly_usd = 1e16\n"),
        ("not-a-number", "[[limit]]\nmonthly_usd = \"ten\"\n"),
        (
            "bad-date",
            "[[limit]]\nmonthly_usd = 1\nexception = { until = \"soon\", reason = \"x\" }\n",
        ),
        ("level", "[[limit]]\nmonthly_usd = { warn = 5, fail = 1 }\n"),
        ("no-limit", "[[limit]]\ntable = \"Items\"\n"),
        ("needs", "[[limit]]\nunits = 5\n"),
        (
            "unknown-table",
            "[[limit]]\ntable = \"Item\"\nmonthly_usd = 1\n",
        ),
        (
            "unknown-index",
            "[[limit]]\ntable = \"Items\"\nindex = \"ByOwner\"\nmonthly_usd = 1\n",
        ),
        (
            "unknown-access",
            "[[limit]]\naccess = \"wriet\"\nmonthly_usd = 1\n",
        ),
        (
            "unknown-usage-type",
            "[[limit]]\nusage_type = \"WriteUnits\"\nmonthly_usd = 1\n",
        ),
        (
            "unknown-region",
            "[[limit]]\nregion = \"mars-1\"\nmonthly_usd = 1\n",
        ),
        (
            "expired",
            "[[limit]]\nmonthly_usd = 1\nexception = { until = \"2026-11-30\", reason = \"a \
             launch\" }\n",
        ),
    ];
    let workload = design("item.size = \"1 KB\"");
    for (code, _) in BUDGET_CODES {
        let (_, budget) = samples
            .iter()
            .find(|(sample, _)| sample == code)
            .unwrap_or_else(|| panic!("{code} has no sample"));
        let (found, stdout, stderr) = check_texts(&workload, budget, &[]);
        assert_eq!((found, stdout.as_str()), (2, ""), "{code}: {stderr}");
        assert!(
            stderr.contains(&format!("error[{code}]"))
                && stderr.contains("b.toml:")
                && stderr.contains("help: "),
            "{code}: {stderr}"
        );
    }
    // Without a baseline, a limit for an increase is skipped, and the result says so.
    let (code, stdout, _) = check_texts(&workload, "[[limit]]\nincrease_usd = 1\n", &[]);
    assert!(code == 0 && stdout.contains("--baseline"), "{stdout}");
}

#[test]
fn every_finding_is_found_where_it_is_and_nowhere_else() {
    let index = |more: &str| {
        format!(
            "[[table.index]]\nname = \"ByOwner\"\nkind = \"global\"\npartition_key = \
             \"owner\"\n{more}\n"
        )
    };
    let access = |operation: &str, more: &str| {
        format!(
            "[[table.access]]\nname = \"other\"\noperation = \"{operation}\"\nrate = {{ \
             per_second = 1 }}\n{more}\n"
        )
    };
    let owner = "item.attributes = [{ name = \"owner\", type = \"S\", bytes = 10 }, { name = \
                 \"body\", type = \"S\", bytes = 900 }]\n";
    let samples: Vec<(&str, String)> = vec![
        (
            "scan",
            design(&format!(
                "item.size = \"1 KB\"\n{}",
                access("Scan", "items = 100")
            )),
        ),
        (
            "unread-index",
            design(&format!("{owner}{}", index("projection = \"keys-only\""))),
        ),
        (
            "hot-partition",
            design("item.size = \"1 KB\"\npopularity.zipf = 2.0")
                .replace("per_second = 10", "per_second = 5_000"),
        ),
        (
            "no-auto-scaling",
            design(
                "item.size = \"1 KB\"\ncapacity = { mode = \"provisioned\", read = 20, write = 20 \
                 }",
            ),
        ),
        (
            "under-provisioned",
            design(
                "item.size = \"1 KB\"\ncapacity = { mode = \"provisioned\", read = 5, write = 5 }",
            ),
        ),
        (
            "no-ttl",
            design("item.size = \"1 KB\"").replace("\"Items\"", "\"UserSessions\""),
        ),
        ("item-size", design("item.size = \"350 KB\"")),
        (
            "item-collection",
            design(
                "sort_key = { name = \"sk\", type = \"S\", bytes = 8 }\nitem.size = \"200 \
                 KB\"\n[[table.index]]\nname = \"ByAt\"\nkind = \"local\"\npartition_key = \
                 \"id\"\nsort_key = \"at\"\nprojection = \"keys-only\"\nentry_size = \"60 B\"",
            ),
        ),
        (
            "index-limit",
            design(&format!(
                "{owner}{}",
                (0..18)
                    .map(|at| index("projection = \"keys-only\"")
                        .replace("ByOwner", &format!("ByOwner{at}")))
                    .collect::<String>()
            )),
        ),
        (
            "transaction-size",
            design(&format!(
                "item.histogram = [{{ size = \"1 KB\", share = 0.5 }}, {{ size = \"300 KB\", \
                 share = 0.5 }}]\n{}",
                access("TransactGetItems", "items = 50")
            )),
        ),
        (
            "batch-size",
            design(&format!(
                "item.size = \"300 KB\"\n{}",
                access("BatchGetItem", "items = 90")
            )),
        ),
        (
            "wide-projection",
            design(&format!(
                "sort_key = {{ name = \"sk\", type = \"S\", bytes = 8 \
                 }}\n{owner}[[table.index]]\nname = \"ByOwner\"\nkind = \"local\"\npartition_key \
                 = \"id\"\nsort_key = \"owner\"\nprojection = \"all\"\n{}",
                access("Query", "index = \"ByOwner\"\nitems = 5\nfetches = true")
            )),
        ),
        ("no-pitr", design("item.size = \"1 KB\"")),
    ];
    let more = [
        (
            "hot-partition",
            design(&format!(
                "{owner}{}",
                index("popularity = { zipf = 0, keys = 5 }")
            ))
            .replace("per_second = 10", "per_second = 6_000"),
        ),
        (
            "wide-projection",
            design(&format!(
                "{owner}{}{}",
                index("projection = { include = [\"body\"] }"),
                access(
                    "Query",
                    "index = \"ByOwner\"\nitems = 5\nattributes = [\"owner\"]"
                )
            )),
        ),
    ];
    let codes = |workload: &str, budget: &str| -> Vec<String> {
        let (_, stdout, stderr) = check_texts(workload, budget, &["--format", "json"]);
        let json: Value =
            serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{workload}\n{stderr}"));
        json["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|one| one["code"].as_str().expect("a code").to_string())
            .collect()
    };
    let quiet = codes(&design("item.size = \"1 KB\""), "[lint]\nscan = \"warn\"\n");
    assert!(quiet.is_empty(), "{quiet:?}");
    for (code, workload) in &more {
        assert_eq!(
            codes(
                workload,
                "[lint]\nscan = \"warn\"\nunread-index = \"off\"\n"
            ),
            [*code],
            "{workload}"
        );
    }
    for rule in RULES {
        let (_, workload) = samples
            .iter()
            .find(|(code, _)| *code == rule.code)
            .unwrap_or_else(|| panic!("{} has no sample", rule.code));
        let budget = if rule.code == "no-pitr" {
            "production = [\"Items\"]\n"
        } else {
            "[lint]\nscan = \"warn\"\n"
        };
        let found = codes(workload, budget);
        assert!(
            found.contains(&rule.code.to_string()),
            "{}: {found:?}",
            rule.code
        );
        let off = codes(
            workload,
            &format!(
                "{}[lint]\n{} = \"off\"\n",
                if rule.code == "no-pitr" { budget } else { "" },
                rule.code
            ),
        );
        assert!(
            !off.contains(&rule.code.to_string()),
            "{}: {off:?}",
            rule.code
        );
    }
}

#[test]
fn the_page_of_the_findings_is_that_of_the_rules() {
    let mut page = "# What `check` looks for in a design\n\nThe budget file sets the severity of \
                    each finding: `[lint]`, then `code = \"off\"`, `\"note\"`, `\"warn\"` or \
                    `\"fail\"`. The defaults are below.\n"
        .to_string();
    for rule in RULES {
        page += &format!(
            "\n## {}\n\n{}: **{}**.\n\n{}\n",
            rule.code,
            rule.title,
            rule.severity.word(),
            rule.why
        );
    }
    let wrong = support::golden(&support::root().join("docs/findings.md"), &page);
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}

/// Checks what the schema of SARIF 2.1.0 requires of the parts that are written: required keys and
/// their types.
fn sarif_problems(log: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            problems.push(what);
        }
    };
    must(log["version"] == "2.1.0", "version".to_string());
    must(
        log["$schema"]
            .as_str()
            .is_some_and(|schema| schema.contains("sarif-2.1.0")),
        "$schema".to_string(),
    );
    for run in log["runs"].as_array().into_iter().flatten() {
        let driver = &run["tool"]["driver"];
        must(driver["name"].is_string(), "tool.driver.name".to_string());
        let rules = driver["rules"].as_array().cloned().unwrap_or_default();
        for (at, rule) in rules.iter().enumerate() {
            must(
                rule["id"].is_string()
                    && rule["shortDescription"]["text"].is_string()
                    && rule["fullDescription"]["text"].is_string(),
                format!("rule {at}"),
            );
        }
        for (at, result) in run["results"].as_array().into_iter().flatten().enumerate() {
            must(
                result["message"]["text"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                format!("result {at}: message"),
            );
            must(
                ["none", "note", "warning", "error"]
                    .contains(&result["level"].as_str().unwrap_or_default()),
                format!("result {at}: level"),
            );
            let index = result["ruleIndex"].as_u64().unwrap_or(u64::MAX) as usize;
            must(
                rules
                    .get(index)
                    .is_some_and(|rule| rule["id"] == result["ruleId"]),
                format!("result {at}: ruleIndex"),
            );
            for location in result["locations"].as_array().into_iter().flatten() {
                let physical = &location["physicalLocation"];
                let uri = physical["artifactLocation"]["uri"].as_str().unwrap_or(" ");
                must(
                    !uri.contains([' ', '\\', '#', '?']),
                    format!("result {at}: uri {uri}"),
                );
                must(
                    physical["region"]["startLine"]
                        .as_u64()
                        .is_some_and(|line| line > 0),
                    format!("result {at}: startLine"),
                );
            }
        }
    }
    must(
        log["runs"].as_array().is_some_and(|runs| runs.len() == 1),
        "runs".to_string(),
    );
    problems
}

#[test]
fn other_programs_read_the_outputs() {
    let (_, sarif, _) = checked(&["--format", "sarif"]);
    let log: Value = serde_json::from_str(&sarif).expect("JSON");
    assert_eq!(sarif_problems(&log), Vec::<String>::new());
    assert!(
        log["runs"][0]["results"]
            .as_array()
            .is_some_and(|results| results.len() > 3)
    );

    let (_, junit, _) = checked(&["--format", "junit"]);
    let document = roxmltree::Document::parse(&junit).expect("XML");
    let count = |name: &str| {
        document
            .descendants()
            .filter(|node| node.has_tag_name(name))
            .count()
    };
    let suite = document
        .descendants()
        .find(|node| node.has_tag_name("testsuite"))
        .expect("a suite");
    assert_eq!(
        suite.attribute("tests"),
        Some(count("testcase").to_string().as_str())
    );
    assert_eq!(
        suite.attribute("failures"),
        Some(count("failure").to_string().as_str())
    );
    assert!(count("failure") > 0 && count("testcase") > count("failure"));

    let (_, markdown, _) = checked(&["--format", "markdown"]);
    let parser = pulldown_cmark::Parser::new_ext(&markdown, pulldown_cmark::Options::ENABLE_TABLES);
    let tables = parser
        .filter(|event| {
            matches!(
                event,
                pulldown_cmark::Event::Start(pulldown_cmark::Tag::Table(_))
            )
        })
        .count();
    assert!(tables >= 2, "{tables} tables in\n{markdown}");
}

#[test]
fn names_break_no_output() {
    let name = "a\"b<c>&'|%,:\u{1f600}\u{7}";
    let workload =
        design("item.size = \"1 KB\"").replace("\"write\"", &toml::Value::from(name).to_string());
    let budget = format!(
        "[[limit]]\nname = {0}\naccess = {0}\nmonthly_usd = 1\n",
        toml::Value::from(name)
    );
    for format in [
        "text", "json", "markdown", "csv", "github", "sarif", "junit",
    ] {
        let (code, stdout, stderr) = check_texts(&workload, &budget, &["--format", format]);
        assert_eq!(code, 1, "{format}: {stderr}");
        // CSV contains texts unchanged.
        assert!(format == "csv" || !stdout.contains('\u{7}'), "{format}");
        match format {
            "json" | "sarif" => assert!(
                serde_json::from_str::<Value>(&stdout).is_ok(),
                "{format}: {stdout}"
            ),
            "junit" => assert!(roxmltree::Document::parse(&stdout).is_ok(), "{stdout}"),
            "github" => assert!(
                stdout.lines().all(|line| line.starts_with("::")),
                "{stdout}"
            ),
            _ => {}
        }
    }
}

#[test]
fn formats_of_checks_are_of_checks_alone() {
    let (code, _, stderr) = run_in(
        support::root(),
        &["estimate", "workloads/iot.toml", "--format", "sarif"],
    );
    assert!(code == 2 && stderr.contains("dynameter check"), "{stderr}");
    let (code, stdout, _) = run_in(support::root(), &["schema", "--budget"]);
    let schema: Value = serde_json::from_str(&stdout).expect("a schema");
    assert!(
        code == 0 && schema["properties"]["limit"].is_object(),
        "{stdout}"
    );
    let folder: PathBuf = support::root().join("tests/check");
    let (code, _, stderr) = run_in(
        &folder,
        &[
            "check",
            "after.toml",
            "before.toml",
            "--budget",
            "budget.toml",
            "--baseline",
            "before.toml",
        ],
    );
    assert!(
        code == 2
            && stderr
                .contains("the number of workloads (2) differs from the number of baselines (1)"),
        "{stderr}"
    );
}
