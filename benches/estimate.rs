//! Measures how long an estimate takes: the whole process, as the user sees it, on a workload of
//! twenty tables, with a process that does nothing (`--version`) as the reference; and the same
//! work without starting a process.
//!
//! `cargo bench --bench estimate`

use std::path::Path;
use std::process::{Command, Stdio};

use divan::Bencher;
use dynameter::estimate::estimate;
use dynameter::pricing::Books;
use dynameter::workload::{Setting, load};

fn main() {
    divan::main();
}

/// Twenty tables, each with two indexes and six access patterns; every fourth has a lognormal
/// distribution of sizes, every fourth a histogram, every fourth described attributes.
fn twenty_tables() -> String {
    let mut text = String::from("name = \"Twenty\"\nregion = \"us-east-1\"\n");
    for at in 0..20 {
        let item = match at % 4 {
            0 => "lognormal = { mean = \"1.8 KB\", p99 = \"14 KB\" }",
            1 => {
                "histogram = [{ size = \"600 B\", share = 0.7 }, { size = \"4.2 KB\", share = 0.3 \
                 }]"
            }
            2 => {
                "attributes = [{ name = \"Status\", type = \"S\", bytes = 8 }, { name = \"At\", \
                 type = \"N\", digits = 10 }, { name = \"Body\", type = \"S\", bytes = 900 }]"
            }
            _ => "size = \"1.5 KB\"",
        };
        text += &format!(
            "[[table]]\nname = \"Table{at}\"\nitems = 1_000_000\npartition_key = {{ name = \
             \"pk\", bytes = 16 }}\nsort_key = {{ name = \"sk\", bytes = 20 \
             }}\nitem.{item}\n[table.backup]\npitr = true\n[[table.index]]\nname = \
             \"ByStatus\"\nkind = \"global\"\npartition_key = \"Status\"\nsort_key = \
             \"At\"\ncoverage = 0.3\n[[table.index]]\nname = \"ByTime\"\nkind = \
             \"local\"\npartition_key = \"pk\"\nsort_key = \"At\"\nprojection = \
             \"keys-only\"\n{}\n",
            if at % 4 == 2 { "" } else { "entry_size = 60" }
        );
        for (name, operation, more) in [
            (
                "read",
                "GetItem",
                "missing = 0.02\nprofile = \"office-hours\"",
            ),
            ("read many", "BatchGetItem", "items = 25"),
            (
                "list",
                "Query",
                "index = \"ByStatus\"\nitems = 30\nprofile = \"evening\"",
            ),
            ("create", "PutItem", "overwrites = 0.1"),
            (
                "advance",
                "UpdateItem",
                "changes = [\"Status\"]\ncondition_failures = 0.01",
            ),
            (
                "move",
                "TransactWriteItems",
                "actions = [{ operation = \"Delete\" }, { operation = \"Put\" }]",
            ),
        ] {
            text += &format!(
                "[[table.access]]\nname = \"{name}\"\noperation = \"{operation}\"\nrate = {{ \
                 per_second = {} }}\n{more}\n",
                10 + at
            );
        }
    }
    // Entry sizes are given only if items are not described by attributes.
    text
}

fn run(arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_dynameter"))
        .args(arguments)
        .stdout(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[divan::bench]
fn process_that_does_nothing(bencher: Bencher) {
    bencher.bench(|| run(&["--version"]));
}

#[divan::bench]
fn process_with_twenty_tables(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("twenty.toml");
    std::fs::write(&path, twenty_tables()).expect("written");
    let path = path.to_str().expect("UTF-8").to_string();
    bencher.bench(|| run(&["estimate", &path]));
}

#[divan::bench]
fn load_twenty_tables(bencher: Bencher) {
    let (books, text) = (Books::embedded(), twenty_tables());
    bencher.bench(|| {
        load("twenty.toml", &text, Path::new("."), &Setting::new(&books)).expect("right")
    });
}

#[divan::bench]
fn estimate_twenty_tables(bencher: Bencher) {
    let (books, text) = (Books::embedded(), twenty_tables());
    let workload =
        load("twenty.toml", &text, Path::new("."), &Setting::new(&books)).expect("right");
    bencher.bench(|| estimate(&workload, &books).expect("an estimate"));
}
