//! Tests of the report page: its figures are those of the other outputs, users' text is never
//! interpreted as markup, and a page that cannot be written leaves no file.

use crate::support;
use crate::support::page;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use dynameter::estimate::estimate;
use dynameter::pricing::Books;
use dynameter::time::MonthHours;
use dynameter::units::Exact;
use dynameter::workload::{self, Setting};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

/// Runs the binary: exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("dynameter")
        .expect("the binary")
        .current_dir(support::root())
        .args(arguments)
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (
        output.status.code().expect("an exit code"),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// The output of a command that must succeed.
fn done(arguments: &[&str]) -> String {
    let (code, stdout, stderr) = run(arguments);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

fn file(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// Every decimal in a value, normalized; a text with a list of figures gives each of them.
fn decimals(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.extend(
                text.split(' ')
                    .filter_map(|word| word.parse::<Decimal>().ok())
                    .map(|decimal| decimal.normalize().to_string()),
            );
        }
        Value::Number(number) => {
            found.insert(number.to_string());
        }
        Value::Array(values) => values.iter().for_each(|value| decimals(value, found)),
        Value::Object(values) => values.values().for_each(|value| decimals(value, found)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// The forms in which a figure can appear on a page: exact, in percent, and rounded for display.
fn shown(json: &Value) -> BTreeSet<String> {
    let mut exact = BTreeSet::new();
    decimals(json, &mut exact);
    // For a heat map, the page shows the sum of each column.
    let strips = json["replay"]["partitions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["strip"]["columns"].as_array());
    for column in strips.flatten() {
        let units = column["units"]
            .as_str()
            .expect("units")
            .split(' ')
            .map(|units| units.parse::<Decimal>().expect("a decimal"));
        exact.insert(units.sum::<Decimal>().normalize().to_string());
    }
    // Units over time are shown per second.
    for account in json["replay"]["over_time"].as_array().into_iter().flatten() {
        let seconds: Decimal = account["column_seconds"]
            .as_str()
            .expect("seconds")
            .parse()
            .expect("a decimal");
        let units = account["units"]
            .as_str()
            .expect("units")
            .split(' ')
            .map(|units| units.parse::<Decimal>().expect("a decimal"));
        exact.extend(units.map(|units| (units / seconds).round_dp(9).normalize().to_string()));
    }
    let mut all = exact.clone();
    for text in &exact {
        let decimal: Decimal = text.parse().expect("a decimal");
        let half_even = |decimal: Decimal, places| {
            decimal.round_dp_with_strategy(places, RoundingStrategy::MidpointNearestEven)
        };
        all.extend((0..=3).map(|places| half_even(decimal, places).normalize().to_string()));
        let percent = decimal.checked_mul(Decimal::ONE_HUNDRED);
        // A share with nine decimal places can be halfway between two percentages with five, and the
        // figure that it was rounded from above or below.
        for strategy in [
            RoundingStrategy::MidpointNearestEven,
            RoundingStrategy::MidpointAwayFromZero,
            RoundingStrategy::MidpointTowardZero,
        ] {
            all.extend(percent.map(|percent| {
                percent
                    .round_dp_with_strategy(5, strategy)
                    .normalize()
                    .to_string()
            }));
        }
        // Billionths of a share.
        all.extend(
            decimal
                .checked_div(Decimal::from(10_000_000))
                .map(|percent| half_even(percent, 5).normalize().to_string()),
        );
    }
    all
}

/// Columns of shares that no other output has: they are calculated from the columns next to them.
const SHARES: [&str; 2] = ["Share", "Measured / estimated"];

/// Figures of a page that are not in the JSON of the same review.
fn strangers(page: &str, json: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(json).expect("JSON");
    let known = shown(&json);
    let mut strange = Vec::new();
    let mut checked = 0;
    for table in page::tables(page) {
        for row in &table.rows {
            for ((head, _), cell) in table
                .heads
                .iter()
                .zip(row)
                .filter(|((head, number), _)| *number && !SHARES.contains(&head.as_str()))
            {
                let figure = cell.figure();
                let Ok(decimal) = figure.parse::<Decimal>() else {
                    continue;
                };
                checked += 1;
                // The JSON has shares with nine decimal places.
                let decimal = if cell.text.ends_with('%') {
                    decimal.round_dp(5)
                } else {
                    decimal
                };
                if !known.contains(&decimal.normalize().to_string()) {
                    strange.push(format!(
                        "{} / {} / {head}: {figure} ({})",
                        table.section, table.caption, cell.text
                    ));
                }
            }
        }
    }
    assert!(checked > 40, "only {checked} figures were found");
    strange
}

#[test]
fn every_figure_of_the_page_is_that_of_the_json() {
    let mut wrong = Vec::new();
    for (name, _) in support::shipped() {
        let workload = format!("workloads/{name}.toml");
        let (page, json) = (
            done(&["report", &workload]),
            done(&["report", &workload, "--format", "json"]),
        );
        wrong.extend(
            strangers(&page, &json)
                .into_iter()
                .map(|one| format!("{workload}: {one}")),
        );
        // The parts of the JSON are those of the other commands.
        let value: Value = serde_json::from_str(&json).expect("JSON");
        let part = |command: &str| -> Value {
            serde_json::from_str(&done(&[command, &workload, "--format", "json"])).expect("JSON")
        };
        assert_eq!(
            value["estimate"]["total_usd"],
            part("estimate")["total_usd"],
            "{workload}"
        );
        assert_eq!(
            value["estimate"]["lines"],
            part("estimate")["lines"],
            "{workload}"
        );
        if value["compare"]["simulations"] == part("compare")["simulations"] {
            assert_eq!(value["compare"], part("compare"), "{workload}");
        }
        let total = value["estimate"]["total_usd"].as_str().expect("a total");
        assert!(
            page.contains(&format!("data-total=\"{total}\"")),
            "{workload}: the total of the page is not {total}"
        );
    }
    assert!(
        wrong.is_empty(),
        "{} figures:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}

#[test]
fn the_lines_of_the_page_are_the_lines_of_the_bill() {
    let page = done(&["report", "workloads/payments.toml"]);
    let json: Value = serde_json::from_str(&done(&[
        "estimate",
        "workloads/payments.toml",
        "--format",
        "json",
    ]))
    .expect("JSON");
    let working = page::tables(&page)
        .into_iter()
        .filter(|table| table.section == "working" && table.caption.ends_with("a month"));
    let rows: Vec<_> = working.flat_map(|table| table.rows).collect();
    let lines = json["lines"].as_array().expect("lines");
    assert_eq!(rows.len(), lines.len());
    let reasons = page::tables(&page)
        .into_iter()
        .find(|table| table.caption == "Reasons behind many lines")
        .expect("reasons");
    let spelt_out = |text: &str| {
        let parts = text.split("; ").map(|part| {
            reasons
                .rows
                .iter()
                .find(|row| row[0].text == part)
                .map_or(part, |row| row[1].text.as_str())
        });
        parts.collect::<Vec<_>>().join("; ")
    };
    for line in lines {
        let text = |key: &str| line[key].as_str().expect("a text").to_string();
        let same = |row: &&Vec<page::Cell>| {
            row[2].figure() == text("quantity")
                && row[4].figure() == text("rate_usd")
                && row[5].figure() == text("amount_usd")
        };
        let row = rows
            .iter()
            .find(same)
            .unwrap_or_else(|| panic!("no row has {line}"));
        let because = line["because"]
            .as_array()
            .expect("reasons")
            .iter()
            .map(|one| one.as_str().expect("a text"))
            .collect::<Vec<_>>();
        assert!(
            rows.iter()
                .any(|row| spelt_out(&row[7].text) == because.join("; ")),
            "{:?}",
            row[7].text
        );
    }
}

/// A design with a rate that a test can multiply: tiers, two tables, provisioned capacity, a
/// stream.
fn with_rates(by: &Exact) -> String {
    let rate = |per_second: u64| (&Exact::from(per_second) * by).human(3).replace(',', "");
    let (reads, writes, others) = (rate(4_000), rate(900), rate(70));
    format!(
        r#"
name = "Scaled"
region = "us-east-1"
prices = "2024-11-01"
free_tier = true

[[table]]
name = "Orders"
items = 2_000_000
partition_key = {{ name = "id", type = "S", bytes = 16 }}
item.size = "1.5 KB"

[[table.access]]
name = "read"
operation = "GetItem"
rate = {{ per_second = {reads} }}

[[table.access]]
name = "write"
operation = "PutItem"
rate = {{ per_second = {writes} }}

[[table]]
name = "Audit"
items = 900_000
partition_key = {{ name = "id", type = "S", bytes = 16 }}
item.size = "700 B"
capacity = {{ mode = "provisioned", read = {{ min = 5, max = 4000, target = 0.7 }}, write = {{ min = 5, max = 4000, target = 0.7 }} }}

[[table.access]]
name = "note"
operation = "PutItem"
rate = {{ per_second = {others} }}
"#
    )
}

#[test]
fn totals_at_other_traffic_and_in_other_months_are_those_of_the_tool() {
    let path = file("scaled.toml", &with_rates(&Exact::one()));
    let page = done(&["report", path.to_str().expect("a path")]);
    let figures: Value = serde_json::from_str(page::between(&page, "id=\"figures\">", "</script>"))
        .expect("figures");
    let books = Books::embedded();
    let texts = |key: &str| {
        figures[key]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| one.as_str().expect("a text").to_string())
            .collect::<Vec<_>>()
    };
    let (months, factors, tables) = (texts("months"), texts("factors"), texts("tables"));
    assert_eq!((months.len(), factors.len(), tables.len()), (3, 16, 2));
    assert_eq!(
        factors[figures["own"].as_u64().expect("a position") as usize],
        "1"
    );
    for (at, hours) in months.iter().enumerate() {
        for (position, factor) in factors.iter().enumerate() {
            let text = with_rates(&Exact::parse(factor).expect("a factor"));
            let month = Exact::parse(hours).and_then(MonthHours::new);
            let setting = Setting {
                month,
                ..Setting::new(&books)
            };
            let workload = workload::load("scaled.toml", &text, support::root(), &setting)
                .unwrap_or_else(|errors| panic!("{errors}"));
            let outcome = estimate(&workload, &books).expect("an estimate");
            let total = outcome.total().expect("a total");
            let of = |name: &String| outcome.total_of(name).expect("a total");
            let expected: Vec<[String; 2]> = std::iter::once(total)
                .chain(tables.iter().map(of))
                .map(|money| [money.to_string(), money.human()])
                .collect();
            assert_eq!(
                figures["sums"][at][position],
                serde_json::to_value(expected).expect("JSON"),
                "{hours} hours, {factor} x"
            );
        }
    }
}

#[test]
fn whatever_users_write_stays_text() {
    let long = "n".repeat(255);
    let names = [
        "<script>alert(1)</script>",
        "</title></svg><img src=x onerror=alert(1)>",
        "\u{202e}\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627}",
        "\u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} & \"quotes\" 'and' more",
        long.as_str(),
    ];
    for (at, name) in names.iter().enumerate() {
        let text = with_rates(&Exact::one())
            .replace(
                "name = \"Scaled\"",
                &format!("name = {}", toml::Value::from(*name)),
            )
            .replace(
                "name = \"read\"",
                &format!("name = {}", toml::Value::from(*name)),
            );
        let path = file(&format!("named-{at}.toml"), &text);
        let page = done(&["report", path.to_str().expect("a path")]);
        let starts = |tag: &str| page.matches(tag).count();
        assert_eq!(
            (starts("<script"), starts("</script"), starts("<img")),
            (2, 2, 0),
            "{name}"
        );
        assert_eq!(
            (starts("<title"), starts("</title")),
            (1 + starts("<circle"), 1 + starts("<circle")),
            "{name}"
        );
        assert_eq!(starts("<svg"), starts("</svg"), "{name}");
        assert!(!page.contains("alert(1)</script>"), "{name}");
        // A character that would reverse the direction of the text after it is replaced.
        assert!(
            page::unescaped(page::between(&page, "<h1", "</h1>"))
                .contains(&name.replace('\u{202e}', "\u{fffd}")),
            "{name}"
        );
        assert!(!page.contains('\u{202e}'), "{name}");
        // The page loads nothing from elsewhere.
        let elsewhere = ["http:", "https:", "@import", "url(", "src="]
            .iter()
            .find(|word| page.replace("data:", "").contains(*word));
        let known = page.contains("src=x onerror") && elsewhere == Some(&"src=");
        assert!(elsewhere.is_none() || known, "{name}: {elsewhere:?}");
    }
}

#[test]
fn a_design_without_any_price_is_unknown_and_not_free() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report/books");
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in ["sources.toml", "global.toml"] {
        std::fs::copy(
            support::root().join("pricing").join(file),
            folder.join(file),
        )
        .expect("a copy");
    }
    let book =
        std::fs::read_to_string(support::root().join("pricing/us-east-1.toml")).expect("a book");
    // Only one rate of the book, which the design does not use.
    let kept = |line: &&str| {
        !line.trim_start().starts_with("{ code") || line.contains("\"contributor_insights_event\"")
    };
    let book: String = book
        .lines()
        .filter(kept)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(folder.join("us-east-1.toml"), book).expect("a book");
    let text = with_rates(&Exact::one())
        .replace("free_tier = true\n", "")
        .replace("prices = \"2024-11-01\"\n", "");
    let path = file("unpriced.toml", &text);
    let page = done(&[
        "report",
        path.to_str().expect("a path"),
        "--prices",
        folder.to_str().expect("a path"),
    ]);
    assert!(
        page.contains("<p class=\"big\" data-total=\"0\">unknown</p>"),
        "{}",
        page::between(&page, "class=\"total\"", "</div>")
    );
    assert!(page.contains("figures are unknown and not included in any total"));
    assert!(page::tables(&page).iter().any(|table| table.caption
        == "Unknown (not included in any total)"
        && table.rows.len() > 3));
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report/out");
    std::fs::create_dir_all(&folder).expect("a folder");
    let missing = folder.join("not/there/page.html");
    for (output, words) in [
        (missing.as_path(), "cannot be written"),
        (folder.as_path(), "is a folder"),
        (Path::new("/dev/full"), ""),
    ] {
        let (code, stdout, stderr) = run(&[
            "report",
            "workloads/iot.toml",
            "-o",
            output.to_str().expect("a path"),
        ]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        assert!(
            stderr.contains(words) && stderr.contains(output.to_str().expect("a path")),
            "{stderr}"
        );
    }
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 0);
    for (arguments, words) in [
        (
            ["report", "workloads/iot.toml", "--format", "csv"],
            "--format json",
        ),
        (
            ["report", "workloads/iot.toml", "--baseline", "nowhere.toml"],
            "nowhere.toml",
        ),
        (
            ["report", "workloads/iot.toml", "--trace", "nowhere.csv"],
            "nowhere.csv",
        ),
        (
            ["report", "-", "--baseline", "-"],
            "standard input can be read only once",
        ),
    ] {
        let (code, _, stderr) = run(&arguments);
        assert!(
            code == 2 && stderr.contains(words),
            "{arguments:?}: {code} {stderr}"
        );
    }
}

#[cfg(feature = "tables")]
#[test]
fn a_trace_and_a_baseline_are_on_the_page() {
    let trace = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report/trace.parquet");
    std::fs::create_dir_all(trace.parent().expect("a folder")).expect("a folder");
    let path = trace.to_str().expect("a path");
    done(&[
        "synthesize",
        "workloads/sessions.toml",
        "--hours",
        "0.2",
        "--poisson",
        "-o",
        path,
        "--quiet",
    ]);
    let arguments = [
        "report",
        "workloads/sessions.toml",
        "--trace",
        path,
        "--baseline",
        "workloads/iot.toml",
    ];
    let (page, json) = (
        done(&arguments),
        done(&[&arguments[..], &["--format", "json"]].concat()),
    );
    assert_eq!(strangers(&page, &json), Vec::<String>::new());
    let value: Value = serde_json::from_str(&json).expect("JSON");
    let replayed: Value = serde_json::from_str(&done(&[
        "replay",
        path,
        "--workload",
        "workloads/sessions.toml",
        "--format",
        "json",
    ]))
    .expect("JSON");
    assert_eq!(value["replay"], replayed);
    let delta = value["diff"]["delta_usd"].as_str().expect("a difference");
    let shown = Decimal::round_dp(&delta.parse::<Decimal>().expect("a decimal"), 2)
        .abs()
        .to_string();
    assert!(
        page::between(&page, "<section id=\"answer\"", "</section>")
            .replace(',', "")
            .contains(&shown),
        "{shown}"
    );
    for heading in [
        "Measured compared with estimated",
        "Units over time",
        "Hot keys",
        "Heat map: ranges of keys over time",
        "What DAX would have answered",
    ] {
        assert!(page.contains(&format!(">{heading}</h3>")), "{heading}");
    }
}

#[test]
fn a_page_of_twenty_tables_with_a_hundred_indexes_is_below_a_megabyte() {
    let path = file("large.toml", &support::large::design(20, 5));
    let page = done(&["report", path.to_str().expect("a path")]);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    let weeks = page::tables(&page)
        .into_iter()
        .filter(|table| table.section == "week")
        .count();
    assert_eq!(weeks, 1 + 120, "each table and each index has its numbers");
}
