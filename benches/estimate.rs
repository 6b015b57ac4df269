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

/// Twenty single-table designs of six entities each, with two sparse indexes and ten access patterns.
fn twenty_designs_of_six_entities() -> String {
    let mut text = String::from("name = \"Entities\"\nregion = \"us-east-1\"\n");
    for at in 0..20 {
        text += &format!(
            "[[table]]\nname = \"Table{at}\"\npartition_key = {{ name = \"PK\", bytes = 24 }}\n\
             sort_key = {{ name = \"SK\", bytes = 28 }}\n"
        );
        for entity in 0..6 {
            let first = if entity < 3 {
                ", { name = \"First\", type = \"S\", bytes = 20, share = 0.4 }"
            } else {
                ""
            };
            let second = if entity % 2 == 0 {
                ", { name = \"Second\", type = \"S\", bytes = 12 }"
            } else {
                ""
            };
            text += &format!(
                "[[table.entity]]\nname = \"Entity{entity}\"\nitems = {}\n\
                 item.attributes = [{{ name = \"Body\", type = \"S\", bytes = {} }}{first}{second}]\n",
                1_000 * (entity + 1),
                200 + 700 * entity
            );
        }
        for (name, projection) in [("First", "all"), ("Second", "keys-only")] {
            text += &format!(
                "[[table.index]]\nname = \"By{name}\"\nkind = \"global\"\n\
                 partition_key = \"{name}\"\nprojection = \"{projection}\"\n"
            );
        }
        for entity in 0..6 {
            let (operation, more) = match entity {
                0 => ("PutItem", "sets = [\"First\"]"),
                1 => ("UpdateItem", "changes = [\"Body\"]"),
                2 => ("UpdateItem", "removes = [\"First\"]"),
                3 => ("DeleteItem", ""),
                _ => ("GetItem", ""),
            };
            text += &format!(
                "[[table.access]]\nname = \"{operation} {entity}\"\noperation = \"{operation}\"\n\
                 entity = \"Entity{entity}\"\nrate = {{ per_second = {} }}\n{more}\n",
                5 + entity
            );
        }
        text += "[[table.access]]\nname = \"list\"\noperation = \"Query\"\n\
                 items = { Entity0 = 1, Entity1 = 8.5, Entity2 = 2 }\nrate = { per_second = 20 }\n";
    }
    text
}

/// One table with two access patterns.
const SMALL: &str = "name = \"Small\"\nregion = \"us-east-1\"\n[[table]]\nname = \"Sessions\"\n\
    items = 100_000\npartition_key = { name = \"Id\" }\nitem.size = \"0.5 KB\"\n\
    [[table.access]]\nname = \"read\"\noperation = \"GetItem\"\nrate = { per_second = 100 }\n\
    [[table.access]]\nname = \"write\"\noperation = \"PutItem\"\nrate = { per_second = 10 }\n";

/// A plan of tables with an index, each of which is changed, and their usage file.
fn plan(tables: usize) -> (String, String) {
    let values = |at: usize, read: u64| {
        format!(
            "{{\"name\":\"table-{at}\",\"billing_mode\":\"PROVISIONED\",\"hash_key\":\"pk\",\
             \"read_capacity\":{read},\"write_capacity\":5,\"attribute\":[{{\"name\":\"pk\",\
             \"type\":\"S\"}},{{\"name\":\"g\",\"type\":\"S\"}}],\"global_secondary_index\":\
             [{{\"name\":\"by-g\",\"hash_key\":\"g\",\"projection_type\":\"KEYS_ONLY\",\
             \"read_capacity\":2,\"write_capacity\":2}}]}}"
        )
    };
    let named = |at: usize| {
        format!(
            "\"address\":\"aws_dynamodb_table.t{at}\",\"mode\":\"managed\",\"type\":\
             \"aws_dynamodb_table\",\"name\":\"t{at}\""
        )
    };
    let list = |one: &dyn Fn(usize) -> String| (0..tables).map(one).collect::<Vec<_>>().join(",");
    let planned = list(&|at| format!("{{{},\"values\":{}}}", named(at), values(at, 5)));
    let changes = list(&|at| {
        format!(
            "{{{},\"change\":{{\"actions\":[\"update\"],\"before\":{},\"after\":{},\
             \"after_unknown\":{{}}}}}}",
            named(at),
            values(at, 4),
            values(at, 5)
        )
    });
    let configured = list(&|at| {
        format!(
            "{{{},\"provider_config_key\":\"aws\",\"expressions\":{{}}}}",
            named(at)
        )
    });
    let text = format!(
        "{{\"format_version\":\"1.2\",\"planned_values\":{{\"root_module\":{{\"resources\":\
         [{planned}]}}}},\"resource_changes\":[{changes}],\"configuration\":{{\"provider_config\":\
         {{\"aws\":{{\"expressions\":{{\"region\":{{\"constant_value\":\"eu-west-1\"}}}}}}}},\
         \"root_module\":{{\"resources\":[{configured}]}}}}}}"
    );
    let usage = (0..tables).map(|at| {
        format!(
            "[[table]]\nname = \"table-{at}\"\nitems = 1_000_000\nitem = {{ size = \"1 KB\" \
             }}\nconsumed = [{{ read = {{ per_second = 1 }}, write = {{ per_second = 1 }} }}, {{ \
             index = \"by-g\", read = {{ per_second = 1 }}, write = {{ per_second = 1 }} \
             }}]\n[[table.index]]\nname = \"by-g\"\nentry_size = \"60 B\"\n"
        )
    });
    (text, usage.collect())
}

/// Measures a process that checks a plan with its usage file: both sides, and the difference.
#[divan::bench(args = [500, 1000, 3000], sample_count = 5)]
fn process_that_checks_a_plan(bencher: Bencher, tables: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let (plan, usage) = plan(tables);
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    write("plan.json", &plan);
    write("usage.toml", &usage);
    write("budget.toml", "[[limit]]\nincrease_usd = 1_000_000\n");
    bencher.bench_local(|| {
        let done = Command::new(env!("CARGO_BIN_EXE_dynameter"))
            .args([
                "check",
                "plan.json",
                "--usage",
                "usage.toml",
                "--budget",
                "budget.toml",
            ])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .status();
        assert!(done.expect("it runs").success());
    });
}

/// Measures a process that estimates a text.
fn process(bencher: Bencher, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("design.toml");
    std::fs::write(&path, text).expect("written");
    let path = path.to_str().expect("UTF-8").to_string();
    bencher.bench(|| run(&["estimate", &path]));
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
    process(bencher, &twenty_tables());
}

#[divan::bench]
fn process_with_twenty_tables_of_six_entities(bencher: Bencher) {
    process(bencher, &twenty_designs_of_six_entities());
}

#[divan::bench]
fn process_with_a_small_file(bencher: Bencher) {
    process(bencher, SMALL);
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
