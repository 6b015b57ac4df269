//! Pages of reports in a real headless browser: 1280 and 400 pixels wide, in print, light and dark.
//! No console messages, no horizontal scrolling, no overlapping texts, enough contrast, working
//! interactions.
//!
//! Needs Chromium (Debian: `apt-get install chromium`); without it, the test prints that it is
//! skipped and passes.

use crate::support;
use crate::support::page;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The browser, if one is installed.
fn browser() -> Option<String> {
    let named = std::env::var("DYNAMETER_CHROMIUM").ok();
    let known = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ]
    .map(str::to_string);
    let answers = |name: &String| {
        Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    named.into_iter().chain(known).find(answers)
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn report(arguments: &[&str], name: &str) -> String {
    let path = folder().join(name);
    let output = assert_cmd::Command::cargo_bin("dynameter")
        .expect("the binary")
        .current_dir(support::root())
        .arg("report")
        .args(arguments)
        .arg("-o")
        .arg(&path)
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read_to_string(path).expect("a page")
}

fn run(browser: &str, width: u32, arguments: &[&str]) -> Output {
    let profile = tempfile::tempdir().expect("a folder");
    Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},1200"))
        .args(arguments)
        .output()
        .expect("the browser runs")
}

/// The problems that the browser finds in a page at a width; `as_if` changes the copy that it
/// loads.
fn problems(
    browser: &str,
    page: &str,
    name: &str,
    width: u32,
    as_if: &[(&str, &str)],
) -> Vec<String> {
    let mut copy = as_if.iter().fold(page.to_string(), |page, (from, to)| {
        assert!(page.contains(from), "{name}: the page has no {from}");
        page.replace(from, to)
    });
    let checks = include_str!("support/checks.js");
    copy = copy.replace("</body>", &format!("<script>{checks}</script></body>"));
    let path = folder().join(format!("{name}.checked.html"));
    std::fs::write(&path, copy).expect("a copy");
    // A window has a minimum width; a frame has none.
    let around = folder().join(format!("{name}.frame.html"));
    let frame = format!(
        "<!doctype html><title>{name}</title><script>addEventListener(\"message\", (event) => {{ \
         const said = document.createElement(\"pre\"); said.id = \"checked\"; said.textContent = \
         event.data; document.body.append(said); }});</script><body style=\"margin:0\"><iframe \
         src=\"{name}.checked.html\" style=\"border:0;width:{width}px;height:1200px\"></iframe>"
    );
    std::fs::write(&around, frame).expect("a frame");
    let url = format!("file://{}", around.display());
    let output = run(
        browser,
        1400,
        &["--virtual-time-budget=10000", "--dump-dom", &url],
    );
    let (dom, log) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let result = page::unescaped(page::between(&dom, "<pre id=\"checked\">", "</pre>"))
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    let said: Value = serde_json::from_str(&result)
        .unwrap_or_else(|error| panic!("{name}: the checks did not run: {error}\n{log}"));
    assert_eq!(said["width"].as_u64(), Some(u64::from(width)), "{name}");
    assert!(
        said["charts"].as_u64().is_some_and(|charts| charts > 3),
        "{name}: {said}"
    );
    if name == "shopping-cart-wide" {
        let number = |key: &str| said[key].as_u64().expect("a number");
        assert!(number("words") <= 1_200, "{} words", number("words"));
        assert!(number("height") <= 5_000, "{} pixels", number("height"));
    }
    let mut all: Vec<String> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(|line| format!("{name}: {line}"))
        .collect();
    all.extend(
        said["problems"]
            .as_array()
            .expect("problems")
            .iter()
            .map(|one| format!("{name}: {one}")),
    );
    all
}

const DARK: (&str, &str) = ("(prefers-color-scheme:dark)", "all");
const PAPER: (&str, &str) = ("@media print", "@media all");

#[cfg(feature = "tables")]
#[test]
fn pages_are_whole_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!(
            "SKIPPED pages_are_whole_in_a_browser: no Chromium (apt-get install chromium, or name \
             one in DYNAMETER_CHROMIUM)"
        );
        return;
    };
    let trace = folder().join("trace.parquet");
    let made = assert_cmd::Command::cargo_bin("dynameter")
        .expect("the binary")
        .current_dir(support::root())
        .args([
            "synthesize",
            "workloads/ticketing.toml",
            "--hours",
            "0.1",
            "--poisson",
            "-o",
        ])
        .arg(&trace)
        .output()
        .expect("it runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let odd = folder().join("odd.toml");
    let text = std::fs::read_to_string(support::root().join("workloads/sessions.toml"))
        .expect("a workload");
    // Users choose the names of the workload and of its access patterns freely; AWS restricts the
    // names of tables.
    let (mut head, mut count) = (String::new(), 0);
    let named = text.lines().map(|line| {
        if line.starts_with('[') {
            head = line.to_string();
        }
        if !line.starts_with("name ") || !["", "[[table.access]]"].contains(&head.as_str()) {
            return format!("{line}\n");
        }
        count += 1;
        let name = format!(
            "{count} \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f600} <script>alert(1)</script> {}",
            "n".repeat(200)
        );
        format!("name = {}\n", toml::Value::from(name))
    });
    std::fs::write(&odd, named.collect::<String>()).expect("a workload");
    let large = folder().join("large.toml");
    std::fs::write(&large, support::large::design(20, 5)).expect("a workload");
    let (trace, odd, large) = (
        trace.to_string_lossy(),
        odd.to_string_lossy(),
        large.to_string_lossy(),
    );
    let pages: Vec<(&str, Vec<&str>)> = vec![
        ("shopping-cart", vec!["workloads/shopping-cart.toml"]),
        ("payments", vec!["workloads/payments.toml"]),
        ("marketplace", vec!["workloads/marketplace.toml"]),
        (
            "global-application",
            vec!["workloads/global-application.toml"],
        ),
        ("iot", vec!["workloads/iot.toml"]),
        (
            "traced",
            vec![
                "workloads/ticketing.toml",
                "--trace",
                &trace,
                "--baseline",
                "workloads/sessions.toml",
            ],
        ),
        ("odd", vec![&odd]),
        ("large", vec![&large]),
    ];
    let mut wrong = Vec::new();
    for (name, arguments) in &pages {
        let page = report(arguments, &format!("{name}.html"));
        for (kind, width, as_if) in [
            ("wide", 1280, &[][..]),
            ("phone", 400, &[]),
            ("dark", 1280, &[DARK]),
            ("paper", 794, &[PAPER]),
        ] {
            wrong.extend(problems(
                &browser,
                &page,
                &format!("{name}-{kind}"),
                width,
                as_if,
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} problems:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(60)].join("\n")
    );
    // Screenshots to look at.
    let page = folder().join("traced.html");
    for (name, width) in [("wide", 1280), ("phone", 400)] {
        let picture = folder().join(format!("{name}.png"));
        run(
            &browser,
            width,
            &[
                &format!("--screenshot={}", picture.display()),
                &format!("file://{}", page.display()),
            ],
        );
        let bytes = std::fs::metadata(&picture).expect("a picture").len();
        assert!(bytes > 20_000, "{}: {bytes} bytes", picture.display());
    }
    let paper = folder().join("paper.pdf");
    run(
        &browser,
        1280,
        &[
            "--no-pdf-header-footer",
            &format!("--print-to-pdf={}", paper.display()),
            &format!("file://{}", page.display()),
        ],
    );
    assert!(std::fs::read(&paper).expect("a print").starts_with(b"%PDF"));
}
