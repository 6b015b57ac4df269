//! Dealt rows come to the same bytes as one run over the trace, for any number of shares, and no
//! blob and no part is lost, doubled or mistaken without being noticed.
#![cfg(feature = "tables")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use arrow_array::{RecordBatch, RecordBatchIterator};
use dynameter::pricing::Books;
use dynameter::replay::{
    Dealer, KeyShare, PartInput, ReplayError, ReplayOptions, ReplayPart, ReplayRun, can_deal, join,
    keys, price,
};
use dynameter::report::Present;
use dynameter::trace::{self, Blob, DealtFile, ReadOptions, Trace};
use dynameter::workload::Workload;
use proptest::prelude::*;

use crate::shares::{Case, Row, assert_same, batch, cases, parquet};
use crate::support;

fn reading(workload: Option<&Workload>) -> ReadOptions {
    ReadOptions {
        keys: workload.map(keys).unwrap_or_default(),
        ..ReadOptions::default()
    }
}

/// Deals files, each by a dealer of its own, as tasks of an engine do. Blobs of each file and share.
fn deal(files: &[PathBuf], workload: Option<&Workload>, shares: usize) -> Vec<Vec<Vec<u8>>> {
    let one = |(number, file): (u32, &PathBuf)| {
        let blobs = vec![Vec::new(); shares];
        let reading = reading(workload);
        let mut dealer = Dealer::new(blobs, number, workload, &reading, 2).expect("a dealer");
        let names = [file.display().to_string()];
        let source = trace::sources(&names).expect("a file").remove(0);
        let trace = match files.len() {
            1 => Trace::open(vec![source], reading),
            _ => Trace::open_part(source, reading),
        };
        let trace = trace.unwrap_or_else(|error| panic!("{error}"));
        let _: DealtFile = dealer
            .file(trace, |_| true)
            .unwrap_or_else(|error| panic!("{error}"));
        dealer.finish().expect("blobs")
    };
    (0..).zip(files).map(one).collect()
}

fn share(number: usize, of: usize) -> KeyShare {
    KeyShare::parse(&format!("{number}/{of}")).expect("a share")
}

/// Runs a share of dealt rows, and returns the bytes of its part.
fn part(
    blobs: Vec<Vec<u8>>,
    share: KeyShare,
    files: Option<u32>,
    workload: Option<&Workload>,
) -> Result<Vec<u8>, ReplayError> {
    let options = ReplayOptions {
        share,
        partial: true,
        threads: 2,
        ..ReplayOptions::default()
    };
    let blobs = blobs.into_iter().enumerate();
    let blobs = blobs.map(|(at, bytes)| Blob::of_bytes(&format!("blob {at}"), bytes));
    let blobs = blobs.collect::<Result<Vec<Blob>, _>>()?;
    let trace = Trace::dealt(blobs, share, files, reading(workload))?;
    let mut run = ReplayRun::new(trace, workload, &options)?;
    while run.batch()? {}
    let mut bytes = Vec::new();
    run.finish_part(&mut bytes)?;
    Ok(bytes)
}

fn inputs(parts: Vec<Vec<u8>>) -> Vec<PartInput> {
    let input =
        |(at, bytes): (usize, Vec<u8>)| PartInput::Bytes(format!("part {at}"), bytes.into());
    parts.into_iter().enumerate().map(input).collect()
}

fn joined(parts: Vec<Vec<u8>>, workload: Option<&Workload>) -> Result<ReplayPart, ReplayError> {
    let options = ReplayOptions::default();
    join(inputs(parts), workload, &options, true, || true)
}

fn json(part: ReplayPart, workload: Option<&Workload>) -> String {
    let options = ReplayOptions::default();
    let replayed = price(part, workload, &Books::embedded(), &options);
    let replayed = replayed.unwrap_or_else(|error| panic!("{error}"));
    replayed.json().expect("JSON")
}

/// Deals, runs and joins; the blobs of each share come in another order than they were dealt.
fn dealt(files: &[PathBuf], workload: Option<&Workload>, shares: usize) -> String {
    let blobs = deal(files, workload, shares);
    let run = |number: usize| {
        let own = blobs.iter().rev().map(|file| file[number - 1].clone());
        let count = Some(files.len() as u32);
        part(own.collect(), share(number, shares), count, workload)
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let mut parts: Vec<Vec<u8>> = (1..=shares).map(run).collect();
    parts.rotate_left(shares / 2);
    json(
        joined(parts, workload).unwrap_or_else(|error| panic!("{error}")),
        workload,
    )
}

#[test]
fn dealt_rows_of_every_format_of_calls_come_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let is_dealt = |case: &&Case| {
        ![
            "a request log",
            "streams",
            "metrics",
            "an export and CloudTrail",
        ]
        .contains(&case.name)
    };
    for case in cases(folder.path()).iter().filter(is_dealt) {
        let workload = case.workload.as_ref();
        if workload.is_some_and(|workload| workload.tables.iter().any(|table| table.dax.is_some()))
        {
            let error = can_deal(workload, &ReplayOptions::default(), []).expect_err("DAX");
            assert!(
                error.to_string().contains("needs all rows in one order"),
                "{error}"
            );
            continue;
        }
        let expected = case.whole(&ReplayOptions::default());
        for shares in [1, 2, 7] {
            let found = dealt(&case.files, case.workload.as_ref(), shares);
            assert_same(&expected, &found, &format!("{}, {shares}", case.name));
        }
    }
}

/// Requests of single keys, with the definition of their table.
fn request_log(path: &Path) {
    let table = r#"{"time":"2024-01-01T00:00:00Z","operation":"CreateTable","request":{"TableName":"t","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{"IndexName":"g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]}}"#;
    let mut lines = vec![table.to_string()];
    for at in 0..2_000_u64 {
        let random = at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17;
        let key = format!(
            r#""pk":{{"S":"u{}"}},"sk":{{"S":"s{}"}}"#,
            random % 40,
            random / 40 % 7
        );
        let value = "x".repeat((random % 3_000) as usize);
        let (operation, rest) = match random % 4 {
            0 => (
                "PutItem",
                format!(
                    r#""Item":{{{key},"g":{{"S":"{}"}},"v":{{"S":"{value}"}}}}"#,
                    at % 3
                ),
            ),
            1 => (
                "UpdateItem",
                format!(
                    r#""Key":{{{key}}},"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{{":v":{{"S":"{value}"}}}}"#
                ),
            ),
            2 => ("DeleteItem", format!(r#""Key":{{{key}}}"#)),
            _ => ("GetItem", format!(r#""Key":{{{key}}}"#)),
        };
        lines.push(format!(
            r#"{{"time":"2024-01-01T00:{:02}:{:02}Z","operation":"{operation}","request":{{"TableName":"t",{rest}}},"consumed":{{"TableName":"t","CapacityUnits":1}}}}"#,
            at / 60,
            at % 60
        ));
    }
    std::fs::write(path, lines.join("\n")).expect("a log");
}

#[test]
fn a_request_log_of_single_keys_is_dealt() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log.jsonl");
    request_log(&log);
    let case = Case {
        name: "single keys",
        files: vec![log],
        workload: None,
    };
    let expected = case.whole(&ReplayOptions::default());
    for shares in [1, 5] {
        assert_same(
            &expected,
            &dealt(&case.files, None, shares),
            "a request log",
        );
    }
    // A log with a Query is refused, with its place.
    let names = [support::root()
        .join("traces/requests.jsonl")
        .display()
        .to_string()];
    let trace = Trace::open(trace::sources(&names).expect("a file"), reading(None));
    let mut dealer = Dealer::new(vec![Vec::new()], 0, None, &reading(None), 1).expect("a dealer");
    let error = dealer
        .file(trace.expect("a trace"), |_| true)
        .expect_err("a Query");
    assert!(
        error
            .to_string()
            .contains("requests.jsonl:6: a request log with Query"),
        "{error}"
    );
}

/// Rows of a made trace.
fn rows(count: u64, seed: u64) -> Vec<Row> {
    let row = |at: u64| {
        let random = (at + seed).wrapping_mul(0x9e37_79b9_7f4a_7c16) >> 20;
        let operation = ["GetItem", "PutItem", "UpdateItem", "DeleteItem"][(random % 4) as usize];
        let key = match random % 3 {
            0 => format!("{}", random % 90),
            _ => format!("k{}|{}", random % 50, random % 7),
        };
        let bytes = if random.is_multiple_of(5) {
            0
        } else {
            100 + random as u32 % 5_000
        };
        let time = 1_704_067_200_000_000 + at as i64 / 3 * 20_011;
        (time, operation, key, bytes)
    };
    (0..count).map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Files cut anywhere, shares of any number, parts in any order, a tree of joins.
    #[test]
    fn no_cut_and_no_share_changes_a_figure(
        cuts in proptest::collection::vec(1_usize..3_000, 0..5),
        shares in prop_oneof![Just(1_usize), Just(2), Just(7), Just(64), Just(256)],
        seed in 0_u64..1_000,
        turn in 0_usize..256,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let all = rows(3_000, seed);
        let mut cuts: Vec<usize> = cuts.into_iter().chain([0, all.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut files = Vec::new();
        for (at, ends) in cuts.windows(2).enumerate() {
            let path = folder.path().join(format!("{at}.parquet"));
            parquet(&path, &all[ends[0]..ends[1]], 700);
            files.push(path);
        }
        let case = Case { name: "cut", files, workload: None };
        let expected = case.whole(&ReplayOptions::default());
        let blobs = deal(&case.files, None, shares);
        let again = deal(&case.files, None, shares);
        prop_assert_eq!(&blobs, &again, "a task that is repeated");
        let run = |number: usize| {
            let own = blobs.iter().map(|file| file[number - 1].clone());
            part(own.collect(), share(number, shares), None, None).expect("a part")
        };
        let mut parts: Vec<Vec<u8>> = (1..=shares).map(run).collect();
        prop_assert_eq!(&run(1), &parts[0], "a task that is repeated");
        parts.rotate_left(turn % shares);
        // A tree: groups of four, then all of them.
        let options = ReplayOptions::default();
        let group = |parts: &[Vec<u8>]| {
            let inputs = inputs(parts.to_vec());
            let part = join(inputs, None, &options, false, || true).expect("a group");
            let mut bytes = Vec::new();
            part.write(None, &options, &mut bytes).expect("a part");
            bytes
        };
        let groups: Vec<Vec<u8>> = parts.chunks(4).map(group).collect();
        let found = json(joined(groups, None).expect("a whole"), None);
        assert_same(&expected, &found, "cut");
    }
}

#[test]
fn what_is_lost_doubled_or_mistaken_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<PathBuf> = (0..3)
        .map(|at| {
            let path = folder.path().join(format!("{at}.parquet"));
            parquet(&path, &rows(500, 700 * at), 500);
            path
        })
        .collect();
    let blobs = deal(&files, None, 2);
    let own = |number: usize| -> Vec<Vec<u8>> {
        blobs.iter().map(|file| file[number - 1].clone()).collect()
    };
    let run = |blobs: Vec<Vec<u8>>, number: usize, count: Option<u32>| {
        part(blobs, share(number, 2), count, None)
    };
    let text = |result: Result<Vec<u8>, ReplayError>| result.expect_err("an error").to_string();

    let mut lost = own(1);
    lost.remove(1);
    let error = text(run(lost, 1, None));
    assert!(
        error.contains("share 1/2: missing blobs of file 1"),
        "{error}"
    );
    let mut lost = own(1);
    lost.pop();
    let error = text(run(lost.clone(), 1, Some(3)));
    assert!(
        error.contains("share 1/2: missing blobs of file 2"),
        "{error}"
    );
    // Without the number of files, the join finds it.
    let short = run(lost, 1, None).expect("a part");
    let whole = run(own(2), 2, None).expect("a part");
    let error = joined(vec![whole.clone(), short], None)
        .err()
        .expect("an error")
        .to_string();
    assert!(
        error.contains("share 1/2 is of another trace") && error.contains("2.parquet"),
        "{error}"
    );

    let mut doubled = own(1);
    doubled.push(doubled[0].clone());
    let error = text(run(doubled, 1, None));
    assert!(
        error.contains("share 1/2: file 0") && error.contains("is in blob 0 too"),
        "{error}"
    );

    let mut foreign = own(1);
    foreign[1] = own(2)[1].clone();
    let error = text(run(foreign, 1, None));
    assert!(
        error.contains("has the rows of share 2/2, not of 1/2"),
        "{error}"
    );

    for at in [9, 100, 1_000] {
        let mut damaged = own(1);
        damaged[0][at] ^= 4;
        let error = text(run(damaged, 1, None));
        assert!(error.contains("blob 0: is damaged"), "{error}");
    }
    let mut truncated = own(1);
    truncated[0].truncate(500);
    let error = text(run(truncated, 1, None));
    assert!(error.contains("or is truncated"), "{error}");

    let first = run(own(1), 1, None).expect("a part");
    let error = joined(vec![first.clone()], None)
        .err()
        .expect("an error")
        .to_string();
    assert!(error.contains("missing shares: 2/2"), "{error}");
    let error = joined(vec![first.clone(), whole, first], None)
        .err()
        .expect("an error");
    assert!(
        error.to_string().contains("share 1/2, and so is part 0"),
        "{error}"
    );

    // Rows dealt without the sort key of their table do not run with it.
    let orders = support::root().join("traces/orders.toml");
    let books = Books::embedded();
    let workload = dynameter::workload::load(
        "orders.toml",
        &std::fs::read_to_string(orders).expect("a workload"),
        support::root(),
        &dynameter::workload::Setting::new(&books),
    );
    let workload = workload.unwrap_or_else(|errors| panic!("{errors}"));
    let error = text(part(own(1), share(1, 2), None, Some(&workload)));
    assert!(
        error.contains("its rows were dealt by other keys"),
        "{error}"
    );
}

#[test]
fn record_batches_and_arrow_streams_are_traces() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.parquet");
    let rows = rows(5_000, 3);
    parquet(&file, &rows, 5_000);
    let case = Case {
        name: "batches",
        files: vec![file],
        workload: None,
    };
    let name = case.files[0].display().to_string();
    let expected = case.whole(&ReplayOptions::default());
    let all: Vec<RecordBatch> = rows.chunks(1_300).map(batch).collect();
    let schema = all[0].schema();
    let reader = RecordBatchIterator::new(all.clone().into_iter().map(Ok), schema.clone());
    let trace = Trace::of_batches(&name, Box::new(reader), ReadOptions::default());
    let options = ReplayOptions::default();
    let mut run = ReplayRun::new(trace.expect("a trace"), None, &options).expect("a run");
    while run.batch().expect("a batch") {}
    let found = json(run.finish(), None);
    let kind = |text: &str| text.replace("\"parquet\"", "\"arrow\"");
    assert_same(&kind(&expected), &found, "record batches");

    // The same as a stream on standard input, and its part on standard output.
    let mut stream = Vec::new();
    let mut writer =
        arrow_ipc::writer::StreamWriter::try_new(&mut stream, &schema).expect("a stream");
    all.iter()
        .for_each(|batch| writer.write(batch).expect("rows"));
    writer.finish().expect("a stream");
    drop(writer);
    let input = folder.path().join("input");
    std::fs::write(&input, &stream).expect("a stream");
    let program = env!("CARGO_BIN_EXE_dynameter");
    let done = Command::new(program)
        .args(["replay", "-", "--partial", "-o", "-"])
        .stdin(std::fs::File::open(&input).expect("a stream"))
        .stderr(Stdio::inherit())
        .output()
        .expect("the program runs");
    assert!(done.status.success());
    let part = joined(vec![done.stdout], None).expect("a part");
    let found = json(part, None).replace("standard input", &name);
    assert_same(&kind(&expected), &found, "a stream");
}
