//! Changes that a comparison proposes: made in the file, the design costs what the comparison says.

use crate::support;

use std::fs;
use std::path::Path;
use std::process::Command;

use dynameter::compare::{Comparison, Question, compare};
use dynameter::estimate::estimate;
use dynameter::money::Money;
use dynameter::pricing::Books;
use dynameter::workload::{self, DesignEdit, EditedFile, Setting, Workload};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn load(name: &str, text: &str, books: &Books) -> Result<Workload, String> {
    let folder = support::root().join("workloads");
    workload::load(name, text, &folder, &Setting::new(books)).map_err(|errors| errors.to_string())
}

/// The total of a file with a change; `None` if the change cannot be written for the user.
fn with(text: &str, edit: &DesignEdit, books: &Books) -> Option<Result<Money, String>> {
    if edit.by_hand.is_some() {
        return None;
    }
    let total = || -> Result<Money, String> {
        let mut file = EditedFile::new(text).map_err(|error| error.to_string())?;
        file.apply(edit).map_err(|error| error.to_string())?;
        let changed = load("edited.toml", &file.to_string(), books)?;
        let outcome = estimate(&changed, books).map_err(|error| error.to_string())?;
        outcome.total().map_err(|error| error.to_string())
    };
    Some(total())
}

/// Two totals that differ by at most a cent, or a thousandth: commitments are bought in whole months
/// of a bill, their savings are found over the hours of a week, and free hours are spread evenly
/// over them.
fn is_close(one: Money, other: Money) -> bool {
    let most = Decimal::new(1, 2).max(other.decimal().abs() / Decimal::ONE_THOUSAND);
    one.minus(other)
        .is_ok_and(|apart| apart.decimal().abs() <= most)
}

/// What does not cost what it should, in a design and its comparison.
fn wrong(text: &str, comparison: &Comparison, books: &Books, checked: &mut usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: String, edit: &DesignEdit, promised: Money, is_committed: bool| {
        let Some(total) = with(text, edit, books) else {
            return;
        };
        *checked += 1;
        match total {
            // What a table has reserved is not valid for another class or for a global table.
            Err(error) if error.contains("error[reserved]") => {}
            Ok(total) if total == promised => {}
            Ok(total) if is_committed && is_close(total, promised) => {}
            Ok(total) => wrong.push(format!("{what}: {total}, not {promised}")),
            Err(error) => wrong.push(format!("{what}: {error}")),
        }
    };
    for one in &comparison.alternatives {
        let (Some(monthly), Some(edit)) = (one.monthly(), &one.edit) else {
            continue;
        };
        let what = format!("{:?} {:?} {}", one.table, one.index, one.name);
        check(what, edit, monthly, one.kind.word() == "commitment");
    }
    let best = &comparison.best;
    check(
        "the best combination".to_string(),
        &best.edit,
        best.monthly_with_commitment,
        true,
    );
    wrong
}

#[test]
fn every_change_of_a_shipped_design_costs_what_the_comparison_says() {
    let books = Books::embedded();
    let (mut all, mut checked) = (Vec::new(), 0);
    for (name, text) in support::shipped() {
        let workload = load(&name, &text, &books).expect("a workload");
        let comparison = compare(&workload, &books, &Question::default()).expect("a comparison");
        let found = wrong(&text, &comparison, &books, &mut checked);
        all.extend(found.into_iter().map(|one| format!("{name}: {one}")));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(checked > 600, "only {checked} changes were made");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn every_change_of_a_random_design_costs_what_the_comparison_says(
        text in super::invariants::design(),
    ) {
        let books = Books::embedded();
        let workload = load("random.toml", &text, &books).expect("a workload");
        let comparison = compare(&workload, &books, &Question::default()).expect("a comparison");
        let found = wrong(&text, &comparison, &books, &mut 0);
        prop_assert!(found.is_empty(), "{}\n{text}", found.join("\n"));
    }
}

/// Runs the binary in a folder.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    support::run_in(folder, arguments)
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read(support::root().join("workloads/shopping-cart.toml")).expect("a design");
    fs::write(folder.path().join("cart.toml"), text).expect("written");
    folder
}

fn total(folder: &Path, file: &str) -> String {
    let (code, stdout, stderr) = run(folder, &["estimate", file, "--format", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let json: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    json["total_usd"].as_str().expect("a total").to_string()
}

#[test]
fn changes_are_written_to_a_file_and_the_file_says_what_they_cost() {
    let folder = folder();
    let at = folder.path();
    let (code, _, stderr) = run(
        at,
        &["compare", "cart.toml", "--apply", "2", "-o", "new.toml"],
    );
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("$20.11 a month with the change, $56.28 without it (-$36.17)"),
        "{stderr}"
    );
    let before = fs::read_to_string(at.join("cart.toml")).expect("the design");
    let after = fs::read_to_string(at.join("new.toml")).expect("the new design");
    let kept = before.lines().filter(|line| !line.starts_with("capacity"));
    for line in kept {
        assert!(after.contains(line), "{line:?} is lost:\n{after}");
    }
    let (code, stdout, _) = run(at, &["compare", "cart.toml", "--apply", "2"]);
    assert_eq!((code, stdout), (0, after));
    let (code, best, stderr) = run(at, &["compare", "cart.toml", "--apply", "best"]);
    assert_eq!(code, 0, "{stderr}");
    fs::write(at.join("best.toml"), best).expect("written");
    assert!(
        total(at, "best.toml").starts_with("13.68"),
        "{}",
        total(at, "best.toml")
    );
}

#[test]
fn git_takes_the_patch_of_a_change() {
    let folder = folder();
    let at = folder.path();
    let (code, patch, stderr) = run(at, &["compare", "cart.toml", "--apply", "1", "--patch"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        patch.starts_with("--- a/cart.toml\n+++ b/cart.toml\n@@"),
        "{patch}"
    );
    fs::write(at.join("cart.patch"), patch).expect("written");
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(at).args(arguments).output();
        let output = output.expect("git runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    git(&["init", "--quiet"]);
    git(&["apply", "cart.patch"]);
    assert!(
        total(at, "cart.toml").starts_with("17.94"),
        "{}",
        total(at, "cart.toml")
    );
}

#[test]
fn changes_that_cannot_be_made_are_refused() {
    let folder = folder();
    let at = folder.path();
    let shop = support::root().join("workloads/leaderboard.toml");
    fs::copy(shop, at.join("leaderboard.toml")).expect("copied");
    let by_hand = {
        let (_, stdout, _) = run(at, &["compare", "leaderboard.toml", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
        let advice = json["advice"].as_array().expect("advice");
        let found = advice.iter().position(|one| {
            one["edit"]
                .as_str()
                .is_some_and(|edit| edit.contains("make each of its writes"))
        });
        (found.expect("a change by hand") + 1).to_string()
    };
    for (arguments, words) in [
        (
            vec!["compare", "cart.toml", "--apply", "9"],
            "2 changes are ranked",
        ),
        (
            vec!["compare", "cart.toml", "--apply", "0"],
            "numbers from 1 to 2",
        ),
        (
            vec!["compare", "cart.toml", "--apply", "1,2"],
            "changes 1 and 2 exclude each other",
        ),
        (
            vec!["compare", "cart.toml", "--apply", "one"],
            "write numbers",
        ),
        (
            vec!["compare", "cart.toml", "cart.toml", "--apply", "1"],
            "2 were given",
        ),
        (vec!["compare", "cart.toml", "--patch"], "--apply"),
        (
            vec!["compare", "cart.toml", "--apply", "1", "--format", "json"],
            "remove --format",
        ),
        (
            vec!["compare", "cart.toml", "--apply", "1", "-o", "cart.toml"],
            "name another file",
        ),
        (
            vec!["compare", "leaderboard.toml", "--apply", &by_hand],
            "cannot be written for you",
        ),
        (
            vec!["compare", "cart.toml", "--top", "3", "--format", "json"],
            "remove --top",
        ),
        (
            vec!["compare", "cart.toml", "--only", "colour"],
            "possible values",
        ),
    ] {
        let (code, stdout, stderr) = run(at, &arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_comparison_shows_what_matters_or_what_is_asked_for() {
    let folder = folder();
    let at = folder.path();
    let text = |more: &[&str]| {
        let (code, stdout, stderr) = run(at, &[&["compare", "cart.toml"], more].concat());
        assert_eq!(code, 0, "{stderr}");
        stdout
    };
    let (short, all, one) = (text(&[]), text(&["--all"]), text(&["--top", "1"]));
    assert!(
        short.lines().count() < 50 && all.lines().count() > 90,
        "{short}"
    );
    assert!(
        short.contains("DAX: no cluster pays: the cheapest adds $532.24"),
        "{short}"
    );
    assert!(all.contains("3 x dax.r5.24xlarge"), "{all}");
    assert!(one.contains("… and 1 smaller change (--all)"), "{one}");
    let dax = text(&["--only", "dax"]);
    assert!(
        dax.contains("3 x dax.r5.24xlarge") && !dax.contains("Regions"),
        "{dax}"
    );
    let json = |more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&text(&[&["--format", "json"], more].concat())).expect("JSON")
    };
    let (whole, dax) = (json(&[]), json(&["--only", "dax"]));
    let kinds = |value: &serde_json::Value| -> std::collections::BTreeSet<String> {
        let all = value["alternatives"]
            .as_array()
            .expect("alternatives")
            .iter();
        all.map(|one| one["kind"].as_str().expect("a kind").to_string())
            .collect()
    };
    assert_eq!(kinds(&whole).len(), 8, "{:?}", kinds(&whole));
    assert_eq!(kinds(&dax).into_iter().collect::<Vec<_>>(), ["dax"]);
    assert_eq!(whole["best"], dax["best"]);
}
