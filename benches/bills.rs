//! Measures how fast bills are read, and in how much memory, beside DuckDB, which sums the costs of
//! the same files by usage type and day, in the same run.
//!
//! `cargo bench --all-features --bench bills`
//!
//! `DYNAMETER_BENCH_ROWS` sets the rows (default: 1,000,000), of which every tenth is of DynamoDB.
//! DuckDB is the Python package `duckdb` of the `python3` on the path, or of the program that
//! `DYNAMETER_PYTHON` names.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The files of the bill.
const FILES: u64 = 4;

/// The columns of a Cost and Usage Report that are filled here, and those of products, reservations
/// and tags, most of which are empty in a real one.
const COLUMNS: &str = "identity/LineItemId,identity/TimeInterval,bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,lineItem/UsageType,lineItem/Operation,lineItem/ResourceId,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedRate,lineItem/UnblendedCost,lineItem/LineItemDescription,product/ProductName,product/regionCode,pricing/publicOnDemandCost,pricing/publicOnDemandRate,pricing/unit";
const EMPTY_COLUMNS: usize = 90;

/// Usage types of DynamoDB with the price of a unit in parts of ten billion.
const KINDS: [(&str, u64); 5] = [
    ("ReadRequestUnits", 1_250),
    ("WriteRequestUnits", 6_250),
    ("TimedStorage-ByteHrs", 2_500_000_000),
    ("ReadCapacityUnit-Hrs", 1_300_000),
    ("WriteCapacityUnit-Hrs", 6_500_000),
];

/// Products of other services.
const OTHERS: [(&str, &str); 4] = [
    ("AmazonEC2", "BoxUsage:t3.micro"),
    ("AmazonS3", "TimedStorage-ByteHrs"),
    ("AmazonRDS", "InstanceUsage:db.t3.micro"),
    ("AWSLambda", "Request"),
];

fn main() {
    // `cargo test` runs benchmarks once to check that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rows = std::env::var("DYNAMETER_BENCH_ROWS").ok();
    let rows = rows.and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/bench/bill-{rows}"));
    let csv = csv_files(&folder.join("csv"), rows);
    let parquet = parquet_files(&csv, &folder.join("parquet"));
    println!(
        "{:<28} {:>8} {:>9} {:>9} {:>9} {:>10}",
        "input", "threads", "seconds", "DuckDB", "times", "memory MB"
    );
    for (what, folder) in [("CSV, gzip", csv), ("Parquet", parquet)] {
        let Some(folder) = folder else {
            println!("{what}: DuckDB is not there to write it");
            continue;
        };
        for threads in [1, 2] {
            let (seconds, memory) = best(|| read(&folder, threads));
            let reference = best_of(|| duckdb(&folder, threads));
            let shown = |number: Option<f64>| {
                number.map_or("-".to_string(), |number| format!("{number:.2}"))
            };
            println!(
                "{what:<28} {threads:>8} {:>9.2} {:>9} {:>9} {:>10}",
                seconds.as_secs_f64(),
                shown(reference),
                shown(reference.map(|reference| reference / seconds.as_secs_f64())),
                memory / 1_000
            );
        }
    }
}

/// A number that looks random and is the same in every run.
fn mixed(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// Parts of ten billion as a decimal.
fn decimal(parts: u128) -> String {
    format!("{}.{:010}", parts / 10_000_000_000, parts % 10_000_000_000)
}

fn row(number: u64) -> String {
    let hour = number / 200 % 744;
    let moment = |hour: u64| match hour {
        744 => "2026-11-01T00:00:00Z".to_string(),
        hour => format!("2026-10-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24),
    };
    let (start, end) = (moment(hour), moment(hour + 1));
    let random = mixed(number);
    let (product, usage_type, rate, quantity, resource) = if number.is_multiple_of(10) {
        let (usage_type, rate) = KINDS[(number / 10 % 5) as usize];
        let table = number / 50 % 100;
        let resource = format!("arn:aws:dynamodb:us-east-1:111122223333:table/Table{table}");
        (
            "AmazonDynamoDB",
            usage_type,
            rate,
            random % 1_000_000_000,
            resource,
        )
    } else {
        let (product, usage_type) = OTHERS[(number % 4) as usize];
        let resource = format!("resource-{}", number % 1_000);
        (product, usage_type, 104_000_000, random % 100, resource)
    };
    let cost = decimal(u128::from(quantity) * u128::from(rate));
    let rate = decimal(u128::from(rate));
    format!(
        "{:016x}{:016x}{:016x}abcd,{start}/{end},111122223333,2026-10-01T00:00:00Z,111122223333,Usage,{start},{end},{product},{usage_type},Operation,{resource},{quantity},USD,{rate},{cost},a description of the price as AWS writes it in US East (N. Virginia),{product},us-east-1,{cost},{rate},Units{}",
        mixed(number + 1),
        mixed(number + 2),
        mixed(number + 3),
        ",".repeat(EMPTY_COLUMNS)
    )
}

fn csv_files(folder: &Path, rows: u64) -> Option<PathBuf> {
    std::fs::create_dir_all(folder).ok()?;
    for file in 0..FILES {
        let path = folder.join(format!("bill-{file}.csv.gz"));
        if path.exists() {
            continue;
        }
        let mut text = BufWriter::new(GzEncoder::new(
            File::create(&path).ok()?,
            Compression::new(4),
        ));
        let empty: Vec<String> = (0..EMPTY_COLUMNS)
            .map(|at| format!("product/c{at}"))
            .collect();
        writeln!(text, "{COLUMNS},{}", empty.join(",")).ok()?;
        for number in file * rows / FILES..(file + 1) * rows / FILES {
            writeln!(text, "{}", row(number)).ok()?;
        }
        text.into_inner().ok()?.finish().ok()?;
    }
    Some(folder.to_path_buf())
}

fn python(program: &str) -> Option<String> {
    let python = std::env::var("DYNAMETER_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let output = Command::new(python).args(["-c", program]).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The same bill as AWS writes it in Parquet: costs and quantities as doubles, times as times.
fn parquet_files(csv: &Option<PathBuf>, folder: &Path) -> Option<PathBuf> {
    let csv = csv.as_ref()?;
    std::fs::create_dir_all(folder).ok()?;
    let program = format!(
        "import duckdb, glob, os, re\n\
         c = duckdb.connect()\n\
         n = lambda x: re.sub('([A-Z])', r'_\\1', x.replace('/', '_')).lower().replace('__', '_')\n\
         doubles = {{'line_item_usage_amount', 'line_item_unblended_cost', 'pricing_public_on_demand_cost'}}\n\
         times = {{'line_item_usage_start_date', 'line_item_usage_end_date', 'bill_billing_period_start_date'}}\n\
         for f in sorted(glob.glob('{csv}/*.gz')):\n\
         \x20   o = '{out}/' + os.path.basename(f).replace('.csv.gz', '.parquet')\n\
         \x20   if os.path.exists(o): continue\n\
         \x20   cols = [r[0] for r in c.execute(f\"describe select * from read_csv('{{f}}', all_varchar=true)\").fetchall()]\n\
         \x20   cast = lambda x: f'cast(\"{{x}}\" as double)' if n(x) in doubles else f'cast(\"{{x}}\" as timestamp)' if n(x) in times else f'\"{{x}}\"'\n\
         \x20   sel = ', '.join(f'{{cast(x)}} as {{n(x)}}' for x in cols)\n\
         \x20   c.execute(f\"copy (select {{sel}} from read_csv('{{f}}', all_varchar=true)) to '{{o}}' (format parquet)\")",
        csv = csv.display(),
        out = folder.display()
    );
    python(&program).map(|_| folder.to_path_buf())
}

/// Seconds of the query in DuckDB.
fn duckdb(folder: &Path, threads: usize) -> Option<f64> {
    let is_csv = folder.ends_with("csv");
    let (source, names) = match is_csv {
        true => (
            format!("read_csv('{}/*.gz', all_varchar=true)", folder.display()),
            [
                "\\\"lineItem/UsageType\\\"",
                "\\\"lineItem/UsageStartDate\\\"",
                "\\\"lineItem/UnblendedCost\\\"",
                "\\\"lineItem/ProductCode\\\"",
            ],
        ),
        false => (
            format!("'{}/*.parquet'", folder.display()),
            [
                "line_item_usage_type",
                "line_item_usage_start_date",
                "line_item_unblended_cost",
                "line_item_product_code",
            ],
        ),
    };
    let [usage_type, start, cost, product] = names;
    let program = format!(
        "import duckdb, time\nc = duckdb.connect(); c.execute('set threads={threads}')\n\
         a = time.time()\nc.execute(\"select {usage_type}, cast({start} as date), sum(cast({cost} as \
         double)) from {source} where {product} = 'AmazonDynamoDB' group by 1, 2\").fetchall()\n\
         print(time.time() - a)"
    );
    python(&program)?.parse().ok()
}

fn best_of(seconds: impl Fn() -> Option<f64>) -> Option<f64> {
    (0..3).filter_map(|_| seconds()).reduce(f64::min)
}

fn best(run: impl Fn() -> (Duration, u64)) -> (Duration, u64) {
    let mut all: Vec<(Duration, u64)> = (0..3).map(|_| run()).collect();
    all.sort();
    all[0]
}

/// Seconds of `reconcile`, and its largest memory in KB.
fn read(folder: &Path, threads: usize) -> (Duration, u64) {
    let start = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_dynameter"))
        .args(["reconcile", "--quiet", "--format", "json"])
        .arg(folder)
        .env("RAYON_NUM_THREADS", threads.to_string())
        .stdout(Stdio::null())
        .spawn();
    let mut child = child.expect("the command runs");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut memory = 0;
    // The peak is in the status of the process as long as it runs.
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.split_whitespace().next()?.parse().ok());
        memory = memory.max(peak.unwrap_or(0));
        match child.try_wait().expect("the command runs") {
            Some(status) => {
                assert!(status.success(), "reconcile failed");
                return (start.elapsed(), memory);
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}
