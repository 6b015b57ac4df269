//! Measures how long a comparison takes: a table with five global indexes, simulated minute by
//! minute for a year and second by second for a week, and one estimate of it as the reference; one
//! simulation of the ledger; and the page of a report for twenty tables with a hundred indexes, and
//! the comparison that it is made from.
//!
//! `cargo bench --bench compare`. Each comparison prints the number of its simulations to standard
//! error.

#[path = "../tests/all/support/large.rs"]
mod large;

use std::path::Path;

use divan::Bencher;
use dynameter::capacity::policy::{AutoScaling, Fixed, Tracking};
use dynameter::capacity::series::{Arrivals, Horizon, Series, draw};
use dynameter::capacity::{AccountDirection, Course, Limits, execute};
use dynameter::compare::{Question, compare};
use dynameter::estimate::estimate;
use dynameter::pricing::Books;
use dynameter::report::report_html;
use dynameter::review::review;
use dynameter::time::MonthHours;
use dynameter::units::Exact;
use dynameter::workload::{Setting, Workload, load};

fn main() {
    divan::main();
}

/// One table, five global indexes, eight access patterns with three profiles.
fn five_indexes(books: &Books) -> Workload {
    let attributes: Vec<String> = (0..8)
        .map(|at| {
            format!(
                "{{ name = \"A{at}\", type = \"S\", bytes = {} }}",
                20 + at * 30
            )
        })
        .collect();
    let mut text = format!(
        "name = \"Year\"\nregion = \"us-east-1\"\n[[table]]\nname = \"Orders\"\nitems = \
         10_000_000\npartition_key = {{ name = \"CustomerId\", bytes = 16 }}\nsort_key = {{ name \
         = \"OrderId\", bytes = 26 }}\nitem.attributes = [{}]\n",
        attributes.join(", ")
    );
    for at in 0..5 {
        text += &format!(
            "[[table.index]]\nname = \"By{at}\"\nkind = \"global\"\npartition_key = \
             \"A{at}\"\nprojection = \"all\"\n[[table.access]]\nname = \"query {at}\"\noperation \
             = \"Query\"\nindex = \"By{at}\"\nitems = 10\nrate = {{ per_second = {} }}\nprofile = \
             \"office-hours\"\n",
            20 + at * 30
        );
    }
    for (name, operation, more, rate, profile) in [
        ("read", "GetItem", "", 800, "office-hours"),
        ("put", "PutItem", "", 120, "daytime"),
        (
            "update",
            "UpdateItem",
            "changes = [\"A1\", \"A7\"]\n",
            90,
            "evening",
        ),
    ] {
        text += &format!(
            "[[table.access]]\nname = \"{name}\"\noperation = \"{operation}\"\n{more}rate = {{ \
             per_second = {rate} }}\nprofile = \"{profile}\"\n"
        );
    }
    load("bench.toml", &text, Path::new("."), &Setting::new(books))
        .unwrap_or_else(|errors| unreachable!("{errors}"))
}

fn comparison(bencher: Bencher, horizon: Horizon) {
    let books = Books::embedded();
    let workload = five_indexes(&books);
    let question = Question {
        horizon,
        ..Question::default()
    };
    let run = || compare(&workload, &books, &question).map(|comparison| comparison.simulations);
    eprintln!("{} simulations", run().unwrap_or_default());
    bencher.bench(run);
}

#[divan::bench(sample_count = 5)]
fn compare_a_year_of_minutes(bencher: Bencher) {
    comparison(
        bencher,
        Horizon {
            days: 365,
            step_seconds: 60,
            seed: 1,
        },
    );
}

#[divan::bench(sample_count = 5)]
fn compare_a_week_of_seconds(bencher: Bencher) {
    comparison(bencher, Horizon::default());
}

#[divan::bench]
fn estimate_once(bencher: Bencher) {
    let books = Books::embedded();
    let workload = five_indexes(&books);
    bencher.bench(|| estimate(&workload, &books).map(|outcome| outcome.bill.lines.len()));
}

fn week() -> Series {
    let shape: Vec<f64> = (0..168)
        .map(|hour| if hour % 24 < 12 { 0.4 } else { 1.6 })
        .collect();
    let arrivals = Arrivals {
        per_second: 300.0,
        shape: shape.into(),
        course: Course::Smooth,
        calls: vec![(1, 0.8), (4, 0.2)],
    };
    draw(&[arrivals], &Horizon::default(), "bench")
}

#[divan::bench]
fn draw_a_week_of_seconds(bencher: Bencher) {
    bencher.bench(week);
}

#[divan::bench]
fn execute_a_week_of_fixed_capacity(bencher: Bencher) {
    let series = week();
    bencher.bench(|| {
        execute(
            &mut [AccountDirection::new(&series, Fixed { units: 600 })],
            &Limits::default(),
        )
        .len()
    });
}

#[divan::bench]
fn execute_a_week_of_auto_scaling(bencher: Bencher) {
    let series = week();
    bencher.bench(|| {
        execute(
            &mut [AccountDirection::new(
                &series,
                AutoScaling::new(5, 5_000, Tracking::default()),
            )],
            &Limits::default(),
        )
        .len()
    });
}

/// Twenty tables with a hundred indexes.
fn twenty_tables(books: &Books) -> (Workload, String) {
    let text = large::design(20, 5);
    let workload = load("bench.toml", &text, Path::new("."), &Setting::new(books))
        .unwrap_or_else(|errors| unreachable!("{errors}"));
    (workload, text)
}

#[divan::bench(sample_count = 10)]
fn compare_twenty_tables(bencher: Bencher) {
    let books = Books::embedded();
    let (workload, _) = twenty_tables(&books);
    bencher.bench(|| {
        compare(&workload, &books, &Question::default()).map(|comparison| comparison.simulations)
    });
}

#[divan::bench(sample_count = 10)]
fn report_of_twenty_tables(bencher: Bencher) {
    let books = Books::embedded();
    let (workload, text) = twenty_tables(&books);
    let again = |month: &MonthHours, traffic: &Exact| {
        let setting = Setting {
            month: Some(month.clone()),
            traffic: traffic.clone(),
            ..Setting::new(&books)
        };
        load("bench.toml", &text, Path::new("."), &setting)
    };
    bencher.bench(|| {
        review(&workload, &books, &Question::default(), &again)
            .map(|review| report_html(&review).map(|page| page.len()))
    });
}
