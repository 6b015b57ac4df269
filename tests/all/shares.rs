//! The result of a replay is the same, byte for byte, for any number of threads and shares and
//! after an interruption.
#![cfg(feature = "tables")]

use crate::support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt32Array};
use dynameter::files::FileSource;
use dynameter::pricing::Books;
use dynameter::replay::{
    self, KeyShare, PartInput, ReplayError, ReplayOptions, ReplayRun, keys, merge, price,
};
use dynameter::report::Present;
use dynameter::synthesize::{self, TraceLayout};
use dynameter::trace::{self, Time, Trace};
use dynameter::units::Exact;
use dynameter::workload::{self, Workload};

/// A trace to be replayed: its files, and the workload that it runs on.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) workload: Option<Workload>,
}

fn load(path: &str) -> Workload {
    load_text(path, &text(path))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(support::root().join(path)).expect("a workload")
}

fn load_text(path: &str, text: &str) -> Workload {
    let books = Books::embedded();
    workload::load(
        path,
        text,
        &support::root().join("workloads"),
        &workload::Setting::new(&books),
    )
    .unwrap_or_else(|errors| panic!("{errors}"))
}

/// A workload with a fraction of its calls, as a trace of 15 minutes.
fn synthesized(
    folder: &Path,
    name: &str,
    path: &str,
    part: u64,
    layout: TraceLayout,
) -> (PathBuf, Workload) {
    let workload = load(path).with_calls(|calls| calls * &Exact::ratio(1, part));
    let options = synthesize::SynthesizeOptions {
        seconds: 900,
        seed: 5,
        start: Time::from_second(1_704_067_200),
        poisson: true,
        layout,
        columns: None,
    };
    let file = folder.join(name);
    synthesize::synthesize(
        &workload,
        &options,
        std::fs::File::create(&file).expect("a file"),
        &mut |_, _| true,
    )
    .expect("a trace");
    (file, workload)
}

pub(crate) fn cases(folder: &Path) -> Vec<Case> {
    let sample = |name: &str| vec![support::root().join("traces").join(name)];
    let orders = || Some(load("traces/orders.toml"));
    let (cart, cart_workload) = synthesized(
        folder,
        "cart.parquet",
        "workloads/shopping-cart.toml",
        40,
        TraceLayout::Parquet,
    );
    let (global, global_workload) = synthesized(
        folder,
        "global.csv",
        "workloads/global-application.toml",
        400,
        TraceLayout::Csv,
    );
    let (tickets, tickets_workload) = synthesized(
        folder,
        "tickets.parquet",
        "workloads/ticketing.toml",
        10,
        TraceLayout::Parquet,
    );
    vec![
        Case {
            name: "plain rows",
            files: vec![cart],
            workload: Some(cart_workload),
        },
        Case {
            name: "a global table",
            files: vec![global],
            workload: Some(global_workload),
        },
        Case {
            name: "a sort key and popularity",
            files: vec![tickets],
            workload: Some(tickets_workload),
        },
        Case {
            name: "columns",
            files: sample("columns.csv"),
            workload: orders(),
        },
        Case {
            name: "columns that define their table",
            files: sample("columns.ndjson"),
            workload: None,
        },
        Case {
            name: "a request log",
            files: sample("requests.jsonl"),
            workload: None,
        },
        Case {
            name: "streams",
            files: sample("streams.json"),
            workload: None,
        },
        Case {
            name: "a cache trace",
            files: sample("twemcache.csv"),
            workload: None,
        },
        Case {
            name: "CloudTrail",
            files: sample("cloudtrail.json"),
            workload: orders(),
        },
        Case {
            name: "metrics",
            files: sample("cloudwatch.json"),
            workload: None,
        },
        Case {
            name: "an export and CloudTrail",
            files: [sample("export"), sample("cloudtrail.json")].concat(),
            workload: orders(),
        },
    ]
}

impl Case {
    fn open(&self) -> Trace {
        let read = trace::ReadOptions {
            keys: self.workload.as_ref().map(keys).unwrap_or_default(),
            ..trace::ReadOptions::default()
        };
        let names: Vec<String> = self
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        Trace::open(trace::sources(&names).expect("files"), read)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn run(&self, options: &ReplayOptions) -> ReplayRun {
        ReplayRun::new(self.open(), self.workload.as_ref(), options)
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn json(&self, run: ReplayRun, options: &ReplayOptions) -> String {
        let replayed = price(
            run.finish(),
            self.workload.as_ref(),
            &Books::embedded(),
            options,
        );
        replayed
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
            .json()
            .expect("JSON")
    }

    pub(crate) fn whole(&self, options: &ReplayOptions) -> String {
        let mut run = self.run(options);
        while run
            .batch()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
        {}
        self.json(run, options)
    }

    fn part(&self, folder: &Path, share: &str, threads: usize) -> PathBuf {
        let share = KeyShare::parse(share).expect("a share");
        let options = ReplayOptions {
            share,
            partial: true,
            threads,
            ..ReplayOptions::default()
        };
        let mut run = self.run(&options);
        while run
            .batch()
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
        {}
        let path = folder.join(format!("{}-{}.parquet", share.number, share.of));
        run.finish_part(std::fs::File::create(&path).expect("a file"))
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        path
    }

    fn merged(&self, parts: &[PathBuf], options: &ReplayOptions) -> Result<String, ReplayError> {
        let parts = parts.iter().cloned().map(PartInput::from);
        let merged = merge(parts, self.workload.as_ref(), &Books::embedded(), options)?;
        Ok(merged.json().expect("JSON"))
    }
}

/// Asserts that two texts are equal; otherwise shows where they begin to differ.
pub(crate) fn assert_same(expected: &str, found: &str, what: &str) {
    let apart = expected
        .lines()
        .zip(found.lines())
        .enumerate()
        .find(|(_, (one, other))| one != other);
    if let Some((line, (one, other))) = apart {
        let before: Vec<&str> = expected.lines().take(line).collect();
        panic!(
            "{what}: line {}:\n  {one}\n  {other}\nafter\n{}",
            line + 1,
            before[before.len().saturating_sub(12)..].join("\n")
                + "\n+++\n"
                + &found
                    .lines()
                    .skip(line)
                    .take(8)
                    .collect::<Vec<_>>()
                    .join("\n")
        );
    }
    assert_eq!(expected.len(), found.len(), "{what}");
}

#[test]
fn threads_shares_and_their_order_do_not_change_a_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    for case in cases(folder.path()) {
        let expected = case.whole(&ReplayOptions::default());
        for threads in [2, 5] {
            let found = case.whole(&ReplayOptions {
                threads,
                ..ReplayOptions::default()
            });
            assert_same(
                &expected,
                &found,
                &format!("{}, {threads} threads", case.name),
            );
        }
        for of in [1, 3] {
            let mut parts: Vec<PathBuf> = (1..=of)
                .map(|share| case.part(folder.path(), &format!("{share}/{of}"), of as usize))
                .collect();
            parts.rotate_left(1);
            let found = case
                .merged(&parts, &ReplayOptions::default())
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_same(&expected, &found, &format!("{}, {of} shares", case.name));
        }
    }
}

#[test]
fn a_run_that_was_broken_off_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = folder.path().join("checkpoint");
    for case in cases(folder.path()) {
        let expected = case.whole(&ReplayOptions::default());
        for (before, after) in [(1, 1), (2, 3), (5, 2)] {
            let options = ReplayOptions {
                threads: before,
                ..ReplayOptions::default()
            };
            let mut run = case.run(&options);
            // Interrupted after its first batch, and again after its second.
            let mut more = run
                .batch()
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            run.save(std::fs::File::create(&checkpoint).expect("a file"))
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            drop(run);
            let options = ReplayOptions {
                threads: after,
                ..ReplayOptions::default()
            };
            let again = || {
                let mut run = case.run(&options);
                run.resume(&checkpoint, case.workload.as_ref(), &options)
                    .unwrap_or_else(|error| panic!("{}: {error}", case.name));
                run
            };
            let mut run = again();
            for _ in 0..2 {
                more = more
                    && run
                        .batch()
                        .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            }
            run.save(std::fs::File::create(&checkpoint).expect("a file"))
                .unwrap_or_else(|error| panic!("{}: {error}", case.name));
            let mut run = again();
            while run
                .batch()
                .unwrap_or_else(|error| panic!("{}: {error}", case.name))
            {}
            assert_same(
                &expected,
                &case.json(run, &options),
                &format!("{}, {before} and {after} threads", case.name),
            );
        }
    }
}

/// A row: time, operation, key, size.
pub(crate) type Row = (i64, &'static str, String, u32);

pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "time",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        ),
        (
            "operation",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
        ),
        (
            "key",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.2))),
        ),
        (
            "item_bytes",
            Arc::new(UInt32Array::from_iter(
                rows.iter().map(|row| (row.3 > 0).then_some(row.3)),
            )),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .expect("a batch")
}

pub(crate) fn parquet(path: &Path, rows: &[Row], group: usize) {
    let batch = batch(rows);
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .build();
    let file = std::fs::File::create(path).expect("a file");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), Some(properties))
        .expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a file");
}

/// The fast path of plain rows gives the same result as the full path, which a CSV file takes.
#[test]
fn both_ways_through_the_engine_come_to_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let (orders, sessions) = (text("traces/orders.toml"), text("workloads/sessions.toml"));
    let held =
        |projection: &str| orders.replace("projection    = { include = [\"Total\"] }", projection);
    let cases = [
        ("an index of some attributes", orders.clone()),
        ("no index", sessions),
        ("an index of whole items", held("projection = \"all\"")),
        (
            "a sparse index of whole items",
            held("projection = \"all\"\ncoverage = 0.4"),
        ),
        (
            "a sparse index of keys",
            held("projection = \"keys-only\"\ncoverage = 0.4"),
        ),
    ];
    let mut seen: Vec<String> = Vec::new();
    for (name, text) in cases {
        let workload = load_text(name, &text);
        let text = |at: u64| {
            let random = at.wrapping_mul(0x9e37_79b9_7f4a_7c16) >> 20;
            let operation = [
                "GetItem",
                "PutItem",
                "GetItem",
                "UpdateItem",
                "DeleteItem",
                "BatchGetItem",
            ][(random % 6) as usize];
            let key = format!("k{}|{}", random / 6 % 40 * (random / 7 % 9), random % 30);
            let bytes = match (operation, random % 5) {
                ("DeleteItem", _) | ("GetItem" | "UpdateItem", 0) => 0,
                (_, size) => 200 * (size as u32) * (size as u32) + 30,
            };
            (
                1_704_067_200_000_000 + at as i64 * 7_003,
                operation,
                key,
                bytes,
            )
        };
        let rows: Vec<_> = (0..70_000).map(text).collect();
        let table = &workload.tables[0].table.name;
        let short = folder.path().join("short.parquet");
        parquet(&short, &rows, 20_000);
        // A CSV file takes the full path.
        let long = folder.path().join("long.csv");
        let line = |(time, operation, key, bytes): &Row| {
            format!(
                "{time},{operation},{table},{key},{}\n",
                if *bytes > 0 {
                    bytes.to_string()
                } else {
                    String::new()
                }
            )
        };
        std::fs::write(
            &long,
            format!(
                "time,operation,table,key,item_bytes\n{}",
                rows.iter().map(line).collect::<String>()
            ),
        )
        .expect("a file");
        let json = |file: PathBuf| {
            let read = trace::ReadOptions {
                keys: keys(&workload),
                table: Some(table.clone()),
                ..trace::ReadOptions::default()
            };
            let trace = Trace::open(vec![FileSource::File(file)], read)
                .unwrap_or_else(|error| panic!("{error}"));
            let replayed = replay::replay(
                trace,
                Some(&workload),
                &Books::embedded(),
                &ReplayOptions {
                    threads: 2,
                    ..ReplayOptions::default()
                },
                |_| true,
            );
            let json = replayed
                .unwrap_or_else(|error| panic!("{error}"))
                .json()
                .expect("JSON");
            json.lines()
                .filter(|line| {
                    !line.contains("short.parquet")
                        && !line.contains("long.csv")
                        && !line.contains("\"parquet\"")
                        && !line.contains("\"csv\"")
                })
                .collect::<Vec<_>>()
                .join("\n")
        };
        let result = json(short);
        assert_same(&json(long), &result, name);
        assert!(
            !seen.contains(&result),
            "{name} has the same result as another case"
        );
        seen.push(result);
    }
}

#[test]
fn odd_traces_have_right_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("odd.parquet");
    let put = |at: i64, key: String| (at, "PutItem", key, 1_000_u32);
    let second = 1_704_067_200_000_000_i64;
    let month = 31 * 86_400 * 1_000_000;
    let cases: Vec<(&str, Vec<Row>)> = vec![
        (
            "one key",
            (0..70_000)
                .map(|at| put(second + at, "one".to_string()))
                .collect(),
        ),
        (
            "every key once",
            (0..70_000)
                .map(|at| put(second + at * 1_000, format!("key {at}")))
                .collect(),
        ),
        (
            "one second",
            (0..70_000)
                .map(|at| put(second, format!("key {}", at % 700)))
                .collect(),
        ),
        (
            "a gap of a month",
            (0..70_000)
                .map(|at| {
                    put(
                        second + at + if at > 35_000 { month } else { 0 },
                        format!("key {}", at % 7_000),
                    )
                })
                .collect(),
        ),
    ];
    for (name, rows) in cases {
        parquet(&path, &rows, 30_000);
        let case = Case {
            name,
            files: vec![path.clone()],
            workload: None,
        };
        let expected = case.whole(&ReplayOptions::default());
        let json: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
        assert_eq!(
            (
                json["trace"]["events"].as_str(),
                json["consumed"][0]["write_units"].as_str()
            ),
            (Some("70000"), Some("70000")),
            "{name}"
        );
        assert_same(
            &expected,
            &case.whole(&ReplayOptions {
                threads: 3,
                ..ReplayOptions::default()
            }),
            name,
        );
        let parts: Vec<PathBuf> = (1..=2)
            .map(|share| case.part(folder.path(), &format!("{share}/2"), 1))
            .collect();
        assert_same(
            &expected,
            &case
                .merged(&parts, &ReplayOptions::default())
                .unwrap_or_else(|error| panic!("{name}: {error}")),
            name,
        );
    }
}

#[test]
fn parts_and_checkpoints_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = |file: &str| Case {
        name: "samples",
        files: vec![support::root().join("traces").join(file)],
        workload: Some(load("traces/orders.toml")),
    };
    let (columns, other) = (case("columns.csv"), case("cloudtrail.json"));
    let of = |case: &Case, name: &str, share: &str| {
        let inner = folder.path().join(name);
        std::fs::create_dir_all(&inner).expect("a folder");
        case.part(&inner, share, 1)
    };
    let (one, two, foreign) = (
        of(&columns, "a", "1/2"),
        of(&columns, "b", "2/2"),
        of(&other, "c", "2/2"),
    );
    let third = of(&columns, "d", "2/3");
    let refused = |parts: &[&PathBuf], text: &str| {
        let parts: Vec<PathBuf> = parts.iter().map(|part| part.to_path_buf()).collect();
        let error = columns
            .merged(&parts, &ReplayOptions::default())
            .expect_err(text)
            .to_string();
        assert!(error.contains(text), "{error}\nshould say: {text}");
    };
    refused(&[&one], "missing shares: 2/2");
    refused(&[&one, &two, &two], "is share 2/2, and so is");
    refused(&[&one, &foreign], "is of another trace than");
    refused(&[&one, &third], "is share 2/3, but");
    let broken = folder.path().join("broken.parquet");
    let bytes = std::fs::read(&one).expect("a part");
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).expect("a file");
    refused(&[&broken, &two], "is not a part or checkpoint");
    refused(
        &[&support::root().join("traces/columns.csv"), &two],
        "is not a part or checkpoint",
    );
    // Flips one bit of each byte in turn.
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        std::fs::write(&broken, changed).expect("a file");
        let error = columns
            .merged(&[broken.clone(), two.clone()], &ReplayOptions::default())
            .expect_err("a damaged part")
            .to_string();
        assert!(error.contains("damaged"), "byte {at}: {error}");
    }
    let error = columns
        .merged(
            &[one.clone(), two.clone()],
            &ReplayOptions {
                verify: replay::Verify::First,
                ..ReplayOptions::default()
            },
        )
        .expect_err("settings")
        .to_string();
    assert!(error.contains("was made with other settings"), "{error}");
    // A checkpoint of another trace, and a part given as a checkpoint.
    let checkpoint = folder.path().join("checkpoint");
    let mut run = columns.run(&ReplayOptions::default());
    run.batch().expect("a batch");
    run.save(std::fs::File::create(&checkpoint).expect("a file"))
        .expect("a checkpoint");
    let mut run = other.run(&ReplayOptions::default());
    run.resume(
        &checkpoint,
        other.workload.as_ref(),
        &ReplayOptions::default(),
    )
    .expect("the same settings");
    let error = loop {
        match run.batch() {
            Ok(true) => {}
            Ok(false) => panic!("a checkpoint of another trace was taken"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("of another trace") || error.contains("more events than the trace has"),
        "{error}"
    );
    let error = other
        .run(&ReplayOptions::default())
        .resume(&one, other.workload.as_ref(), &ReplayOptions::default())
        .expect_err("a part")
        .to_string();
    assert!(error.contains("is a part, not a checkpoint"), "{error}");
}

/// Parts are matched by the meaning of their workload, not by its file name, its comments or its
/// line numbers.
#[test]
fn parts_join_whatever_file_their_workload_was_read_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = text("traces/orders.toml");
    let noted = format!(
        "# A note.\n\n{}",
        own.replace("[[table]]", "# Another.\n\n[[table]]")
    );
    let other = own.replacen(
        "[[table]]",
        "[switches]\nfailed_condition = \"larger\"\n[[table]]",
        1,
    );
    let case = |name: &str, text: &str| Case {
        name: "samples",
        files: vec![support::root().join("traces/columns.csv")],
        workload: Some(load_text(name, text)),
    };
    let (plain, noted, other) = (
        case("traces/orders.toml", &own),
        case("elsewhere/noted.toml", &noted),
        case("traces/orders.toml", &other),
    );
    assert_eq!(plain.workload, noted.workload);
    assert_ne!(plain.workload, other.workload);
    let whole = plain.whole(&ReplayOptions::default());
    let part = |case: &Case, share: &str| {
        let inner = folder.path().join(share.replace('/', "-"));
        std::fs::create_dir_all(&inner).expect("a folder");
        case.part(&inner, share, 1)
    };
    let parts = [part(&plain, "1/2"), part(&noted, "2/2")];
    for case in [&plain, &noted] {
        let merged = case
            .merged(&parts, &ReplayOptions::default())
            .expect("the parts join");
        assert_same(&whole, &merged, "parts of workloads with the same meaning");
    }
    let error = other
        .merged(&parts, &ReplayOptions::default())
        .expect_err("another meaning")
        .to_string();
    assert!(error.contains("was made with other settings"), "{error}");
}

/// A command that is killed without warning resumes.
#[test]
fn a_killed_run_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (trace, _) = synthesized(
        folder.path(),
        "cart.parquet",
        "workloads/shopping-cart.toml",
        8,
        TraceLayout::Parquet,
    );
    let workload = support::root().join("workloads/shopping-cart.toml");
    let command = |more: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("dynameter"));
        command
            .current_dir(folder.path())
            .arg("replay")
            .arg(&trace)
            .arg("--workload")
            .arg(&workload)
            .args(["--format", "json", "--quiet"])
            .args(more);
        command
    };
    let output = |mut command: Command| {
        let output = command.output().expect("a run");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    };
    let expected = output(command(&[]));
    let checkpointed = ["--checkpoint", "run.checkpoint", "--checkpoint-every", "1"];
    let mut child = command(&checkpointed)
        .stdout(Stdio::null())
        .spawn()
        .expect("a run");
    while !folder.path().join("run.checkpoint").exists()
        && child.try_wait().expect("a state").is_none()
    {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert_same(
        &expected,
        &output(command(&checkpointed)),
        "killed and resumed",
    );
    assert!(
        !folder.path().join("run.checkpoint").exists(),
        "a checkpoint is removed at the end of its run"
    );
    // A full disk is an error.
    let full = command(&["--partial", "-o", "/dev/full"])
        .output()
        .expect("a run");
    assert_eq!(
        full.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&full.stderr)
    );
}

/// Each row counts by its own size: reads in half units of 4 KB, writes in units of 1 KB; rows
/// without a size are left out.
#[test]
fn sums_without_state_are_the_rounded_sizes() {
    use dynameter::replay::each_second;
    use dynameter::trace::ApiName;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.parquet");
    let second = 1_704_067_200_i64;
    let row = |at: i64, operation: &'static str, bytes: u32| {
        (second * 1_000_000 + at, operation, format!("k{at}"), bytes)
    };
    let rows = [
        row(0, "GetItem", 5_000),
        row(1, "PutItem", 1_500),
        row(999_999, "PutItem", 1_024),
        row(1_000_000, "PutItem", 1_025),
        row(1_000_001, "DeleteItem", 0),
    ];
    parquet(&path, &rows, 2);
    let expected = [
        ((second, ApiName::GetItem), 2),
        ((second, ApiName::PutItem), 6),
        ((second + 1, ApiName::PutItem), 4),
    ];
    for threads in [1, 2] {
        assert_eq!(
            each_second(&path, threads)
                .expect("sums")
                .into_iter()
                .collect::<Vec<_>>(),
            expected,
            "{threads} threads"
        );
    }
    assert!(each_second(&support::root().join("traces/columns.csv"), 1).is_err());
}
