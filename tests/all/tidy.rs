//! Checks the code structure: modules import only lower layers, and some words are banned.

use crate::support;

use std::path::{Path, PathBuf};

/// Modules by layer, lowest first. A module imports modules of lower layers and its own files.
const LAYERS: &[&[&str]] = &[
    &["units", "diag", "guard", "opened", "rules"],
    &["files", "money", "time", "unread"],
    &["table"],
    &["meter", "storage"],
    &["usage"],
    &["pricing"],
    &["capacity", "dax"],
    &["commitments"],
    &["workload", "outcome"],
    &["bill", "trace"],
    &["estimate"],
    &["compare", "diff", "forecast", "uncertainty"],
    &["headroom"],
    &["check", "fleet", "import"],
    &["aws", "replay"],
    &["drive", "frames", "reconcile", "synthesize"],
    &["review"],
    &["report"],
    &["cli"],
];

/// Words that no source may contain, with what to do instead.
const BANNED: &[(&str, &str)] = &[
    (
        concat!("TO", "DO"),
        "do it, or document that it is not done",
    ),
    (concat!("FIX", "ME"), "fix it"),
    (".unwrap()", "handle the error; `expect` in tests"),
    ("panic!(", "return an error"),
    (concat!("unimplemented", "!("), "implement it"),
    ("println!(", "return the text; only `cli` writes"),
    (
        "HashMap",
        "its order is random; use BTreeMap, so that the same input gives the same bytes",
    ),
    (
        "SystemTime",
        "no clock: the same input gives the same bytes",
    ),
    (
        "Instant::now",
        "no clock: the same input gives the same bytes",
    ),
];

/// Files that may use floats: distributions, and conversions for charts.
const FLOATS: &[&str] = &[
    "units.rs",
    "workload/counts.rs",
    "workload/sizes.rs",
    // CloudWatch answers in floats; they hold half units exactly.
    "aws/metrics.rs",
    "import/account/metrics.rs",
    "estimate/expected.rs",
    "dax.rs",
    "workload/ranges.rs",
    "capacity/mod.rs",
    "capacity/arrivals.rs",
    "capacity/draws.rs",
    "capacity/factors.rs",
    "capacity/poisson.rs",
    "capacity/series.rs",
    "capacity/traffic.rs",
    "headroom/account.rs",
    "headroom/change.rs",
    "headroom/event/mod.rs",
    "headroom/event/ready.rs",
    "headroom/event/simulated.rs",
    "headroom/region.rs",
    "headroom/search.rs",
    "headroom/table.rs",
    "headroom/window.rs",
    "synthesize/calls.rs",
    "report/json.rs",
    "report/html/bill.rs",
    "report/html/charts.rs",
    "report/html/design.rs",
    "report/html/headroom.rs",
    "report/html/mod.rs",
    "report/html/money.rs",
    "report/html/trace.rs",
];

/// The files that may create a billed quantity or an amount, by the code that creates it. The bill
/// is the only source of both: code that presents or compares reads its lines, and prices another
/// design by metering it.
const MAKERS: &[(&str, &[&str])] = &[
    // A quantity of a usage type: results of the estimate and of the capacity simulation, and what
    // an alternative adds.
    (
        "Usage {",
        &[
            "capacity/mod.rs",
            "capacity/provisioned.rs",
            "commitments/reserved.rs",
            "compare/backups.rs",
            "estimate/account.rs",
            "estimate/design.rs",
            "estimate/features.rs",
            "estimate/notes.rs",
            "estimate/once.rs",
            "estimate/throughput.rs",
            "estimate/vectors.rs",
            "headroom/cost.rs",
            "pricing/bill.rs",
            "usage.rs",
        ],
    ),
    ("LineItem {", &["pricing/bill.rs"]),
    // The price of a quantity. A replay prices the effect of unknown sizes and of simulated
    // caches.
    (
        ".charge(",
        &[
            "money.rs",
            "pricing/bill.rs",
            "replay/results/dax.rs",
            "replay/results/sizes.rs",
        ],
    ),
    // A price without a quantity, for break-even points.
    (
        ".list_rate(",
        &[
            "compare/break_even.rs",
            "compare/throughput.rs",
            "compare/curves.rs",
            "estimate/account.rs",
            "pricing/book.rs",
        ],
    ),
    // The billed part of the demand; for a trace in another capacity mode, the demand of its
    // execution.
    (
        "billed:",
        &[
            "capacity/demand.rs",
            "capacity/mod.rs",
            "estimate/site.rs",
            "replay/results/modes.rs",
        ],
    ),
];

pub fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found)
            } else {
                found.push(path)
            }
        }
    }
    let root = support::root().join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let name = |path: &Path| {
        path.strip_prefix(&root)
            .expect("below src")
            .to_string_lossy()
            .replace('\\', "/")
    };
    paths
        .iter()
        .map(|path| (name(path), std::fs::read_to_string(path).expect("a source")))
        .collect()
}

/// The code of a source without its tests.
pub fn without_tests(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(at, line)| (at + 1, line))
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn module(file: &str) -> &str {
    file.split('/')
        .next()
        .map_or(file, |first| first.trim_end_matches(".rs"))
}

/// The modules that a line names: `crate::module`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::")
        .filter(|(at, _)| !line[..*at].ends_with('$'))
        .map(|(at, found)| {
            let rest = &line[at + found.len()..];
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default()
        })
}

#[test]
fn modules_import_lower_layers_only() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let own = module(&file);
        if ["lib", "main"].contains(&own) {
            continue;
        }
        let Some(here) = layer(own) else {
            wrong.push(format!(
                "{file}: the module {own} has no layer; add it to a layer in tests/all/tidy.rs"
            ));
            continue;
        };
        for (line, code) in without_tests(&text) {
            for other in named(code).filter(|other| *other != own) {
                match layer(other) {
                    Some(there) if there < here => {}
                    Some(_) => wrong.push(format!("{file}:{line}: {own} may not import {other}")),
                    None => wrong.push(format!(
                        "{file}:{line}: {own} imports {other}, which has no layer"
                    )),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_library_lists_its_modules_in_the_order_of_the_layers() {
    let text = std::fs::read_to_string(support::root().join("src/lib.rs")).expect("the library");
    let listed: Vec<&str> = text
        .lines()
        .map(|line| line.strip_prefix("pub ").unwrap_or(line))
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let layers: Vec<usize> = listed
        .iter()
        .map(|module| layer(module).unwrap_or_else(|| panic!("{module} has no layer")))
        .collect();
    assert!(layers.is_sorted(), "{listed:?} are in layers {layers:?}");
    assert_eq!(
        listed.len(),
        LAYERS.iter().map(|modules| modules.len()).sum::<usize>(),
        "a layer lists a module that does not exist"
    );
}

#[test]
fn the_architecture_shows_the_layers() {
    let text = std::fs::read_to_string(support::root().join("docs/ARCHITECTURE.md")).expect("docs");
    for (number, modules) in LAYERS.iter().enumerate() {
        let row = format!("{number:>3}    {}", modules.join("  "));
        assert!(
            text.contains(&row),
            "docs/ARCHITECTURE.md: add the row {row:?}"
        );
    }
}

#[test]
fn some_words_stay_out() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        for (line, code) in without_tests(&text) {
            for (word, way_out) in BANNED.iter().filter(|(word, _)| code.contains(word)) {
                let allowed = *word == "println!("
                    && (file.starts_with("cli/") || code.contains("eprintln!("));
                if !allowed {
                    wrong.push(format!("src/{file}:{line}: {word}: {way_out}"));
                }
            }
            if code.contains("f64")
                && !FLOATS.contains(&file.as_str())
                && !code.trim_start().starts_with("//")
            {
                wrong.push(format!(
                    "src/{file}:{line}: f64: units and money are exact; only distributions and \
                     charts use floats"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_dependency_has_its_reason_beside_it() {
    let text = std::fs::read_to_string(support::root().join("Cargo.toml")).expect("the manifest");
    let mut section = "";
    for (at, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            section = line;
        }
        let dependency = section.ends_with("dependencies]") && line.contains(" = ");
        assert!(
            !dependency || line.contains(" # "),
            "Cargo.toml:{}: add a comment with the reason for this dependency: {line}",
            at + 1
        );
    }
}

#[test]
fn only_the_bill_and_what_meters_make_quantities_and_amounts() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        // These read and explain what AWS billed; they make nothing of it.
        if file.starts_with("bill/") || file.starts_with("reconcile/") {
            continue;
        }
        for (line, code) in without_tests(&text) {
            let code = code.split("//").next().unwrap_or_default();
            let is_made = |word: &str| {
                // A longer type name, a definition or an `impl` does not create a value.
                code.match_indices(word).any(|(at, _)| {
                    let before = &code[..at];
                    let is_whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
                    let is_item = ["struct ", "impl ", "enum ", "for ", "-> "]
                        .iter()
                        .any(|item| before.ends_with(item));
                    word.starts_with('.') || (is_whole && !is_item)
                })
            };
            let found = MAKERS
                .iter()
                .filter(|(word, files)| is_made(word) && !files.contains(&file.as_str()));
            wrong.extend(found.map(|(word, files)| {
                format!(
                    "{file}:{line}: {word} may be used only in {}",
                    files.join(", ")
                )
            }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The numbers of the rules that a line names, such as "rule 3.8" or "rules 3.1 and 3.2".
fn cited(line: &str) -> Vec<&str> {
    let is_number = |word: &&str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
        digits.split_once('.').is_some_and(|(section, rule)| {
            section.parse::<u8>().is_ok() && rule.parse::<u8>().is_ok()
        })
    };
    let mut found = Vec::new();
    for start in ["rule ", "rules "] {
        for (at, _) in line.match_indices(start) {
            let words = line[at + start.len()..].split([' ', ',', ')', ':', ';', '"']);
            found.extend(
                words
                    .map(|word| word.trim_end_matches('.'))
                    .filter(|word| !word.is_empty())
                    .take_while(|word| is_number(word) || *word == "and" || *word == "to")
                    .filter(is_number),
            );
        }
    }
    found
}

#[test]
fn every_rule_that_is_cited_is_listed() {
    let mut wrong = Vec::new();
    let docs = [
        "README.md",
        "docs/traces.md",
        "docs/workload.md",
        "docs/import.md",
    ];
    let docs = docs.map(|file| {
        let text = std::fs::read_to_string(support::root().join(file)).expect("a file of docs");
        (file.to_string(), text)
    });
    let mut count = 0;
    for (file, text) in sources().into_iter().chain(docs) {
        for (at, line) in text.lines().enumerate() {
            for number in cited(line) {
                count += 1;
                if dynameter::rules::rule(number).is_none() {
                    wrong.push(format!("{file}:{}: rule {number} is not listed", at + 1));
                }
            }
        }
    }
    assert!(count > 100, "only {count} citations found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
