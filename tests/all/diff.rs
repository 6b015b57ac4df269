//! Differences add up, and intervals of ranges have the expected ends.

use crate::support;

use std::path::Path;

use dynameter::diff::diff;
use dynameter::money::Money;
use dynameter::pricing::Books;
use dynameter::uncertainty::uncertainty;
use dynameter::workload::{self, Scenario, Setting, Workload};

#[test]
fn the_lines_of_a_difference_add_up_to_it() {
    let outcomes: Vec<_> = support::shipped()
        .iter()
        .map(|(name, text)| support::estimated(name, text))
        .collect();
    for old in &outcomes {
        for new in &outcomes {
            let difference = diff(old, new).expect("fits");
            let (before, after) = (old.total().expect("fits"), new.total().expect("fits"));
            assert_eq!(Ok(difference.delta), after.minus(before));
            assert_eq!(
                Money::sum(difference.lines.iter().map(|line| line.delta)),
                Ok(difference.delta)
            );
            assert_eq!(
                Money::sum(difference.tables.iter().map(|(_, delta)| *delta)),
                Ok(difference.delta)
            );
            assert_eq!(
                old.workload == new.workload,
                difference.lines.is_empty(),
                "{} and {}",
                old.workload,
                new.workload
            );
        }
    }
}

const RANGED: &str = r#"
name = "ranged"
region = "us-east-1"
prices = "2024-11-01"
month_hours = 720
years_ahead = 2
[[table]]
name = "Items"
items = 0
growth = { low = 0, likely = 0.5, high = 1 }
partition_key = { name = "pk" }
item.size = "1 KB"
[[table.access]]
name = "write"
operation = "PutItem"
rate = { per_month = { low = 1_000_000, likely = 2_000_000, high = 4_000_000 } }
"#;

fn load(scenario: Scenario, books: &Books) -> Workload {
    let setting = Setting {
        scenario,
        ..Setting::new(books)
    };
    workload::load("ranged.toml", RANGED, Path::new("."), &setting)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn ranges_give_an_interval_and_say_which_matters_most() {
    let books = Books::embedded();
    let workload = load(Scenario::Likely, &books);
    let ask = || {
        let again = |scenario| Ok(load(scenario, &books));
        uncertainty(&workload, &books, &again)
            .expect("an interval")
            .expect("ranges")
    };
    let found = ask();
    assert_eq!(found, ask(), "the same seed gives the same interval");
    // Two million writes, growing by a half twice, at $0.625 per million; one range at its ends,
    // the other at its likely value.
    let ends: Vec<(usize, String, String)> = found
        .ranges
        .iter()
        .map(|swing| (swing.line, swing.low.to_string(), swing.high.to_string()))
        .collect();
    assert_eq!(
        ends,
        [
            (16, "1.40625".into(), "5.625".into()),
            (10, "1.25".into(), "5".into())
        ]
    );
    let total = |text: &str| text.parse::<f64>().expect("a number");
    let (low, middle, high) = (
        total(&found.low.to_string()),
        total(&found.middle.to_string()),
        total(&found.high.to_string()),
    );
    assert!(
        0.625 < low && low < middle && middle < high && high < 10.0,
        "{low} {middle} {high}"
    );
}
