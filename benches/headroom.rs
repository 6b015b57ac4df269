//! Measures how long it takes to say what breaks first: of one table, and of twenty tables with a
//! hundred indexes, without starting a process.
//!
//! `cargo bench --bench headroom`

use std::path::Path;

use divan::Bencher;
use dynameter::estimate::Metering;
use dynameter::headroom::{HeadroomQuestion, HottestKeys, headroom};
use dynameter::pricing::Books;
use dynameter::workload::{Setting, Workload, load};

fn main() {
    divan::main();
}

/// Tables with five global indexes each: every third is on demand, every third has fixed units, every
/// third is auto scaled; each has its own profile and its own popularity of keys.
fn tables(count: usize) -> Workload {
    let mut text = String::from("name = \"Tables\"\nregion = \"us-east-1\"\nyears_ahead = 0\n");
    for at in 0..count {
        let (capacity, units) = match at % 3 {
            0 => ("{ mode = \"on-demand\" }", ""),
            1 => (
                "{ mode = \"provisioned\", read = 900, write = 400 }",
                "read = 300\nwrite = 400\n",
            ),
            _ => (
                "{ mode = \"provisioned\", read = { min = 50, max = 4_000, target = 0.7 }, write = { \
                 min = 50, max = 2_000, target = 0.5 } }",
                "read = { min = 20, max = 1_000, target = 0.7 }\nwrite = { min = 50, max = 2_000, \
                 target = 0.7 }\n",
            ),
        };
        let profile = ["flat", "daytime", "office-hours", "evening"][at % 4];
        text += &format!(
            "[[table]]\nname = \"Table{at}\"\nitems = 1_000_000\ngrowth = 0.3\npartition_key = {{ name \
             = \"pk\" }}\nitem.size = \"1.5 KB\"\npopularity = {{ zipf = 0.{} }}\ncapacity = {capacity}\n",
            at % 9
        );
        for index in 0..5 {
            text += &format!(
                "[[table.index]]\nname = \"Index{index}\"\nkind = \"global\"\npartition_key = \
                 \"k{index}\"\nprojection = \"keys-only\"\nentry_size = 400\n{units}"
            );
        }
        text += &format!(
            "[[table.access]]\nname = \"read\"\noperation = \"GetItem\"\nrate = {{ per_second = {} \
             }}\nprofile = \"{profile}\"\n[[table.access]]\nname = \"write\"\noperation = \
             \"PutItem\"\nrate = {{ per_second = {} }}\nprofile = \"{profile}\"\n",
            200 + at,
            40 + at
        );
        for index in 0..5 {
            text += &format!(
                "[[table.access]]\nname = \"list {index}\"\noperation = \"Query\"\nindex = \
                 \"Index{index}\"\nitems = 12\nrate = {{ per_second = {} }}\nprofile = \
                 \"{profile}\"\n",
                10 + index
            );
        }
    }
    let books = Books::embedded();
    load("tables.toml", &text, Path::new("."), &Setting::new(&books))
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn measured(bencher: Bencher, count: usize) {
    let books = Books::embedded();
    let workload = tables(count);
    bencher.bench_local(|| {
        let metering = Metering::new(&workload, &books).expect("metered");
        let question = HeadroomQuestion::default();
        headroom(&metering, &books, &HottestKeys::new(), &question).expect("headroom")
    });
}

#[divan::bench(sample_count = 10)]
fn one_table_with_five_indexes(bencher: Bencher) {
    measured(bencher, 1);
}

#[divan::bench(sample_count = 5)]
fn twenty_tables_with_a_hundred_indexes(bencher: Bencher) {
    measured(bencher, 20);
}
