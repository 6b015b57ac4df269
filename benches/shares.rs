//! Measures what it costs to deal a trace to shares, to run each and to join them, beside one process
//! that replays the whole trace, in the same run.
//!
//! `cargo bench --all-features --bench shares`
//!
//! `DYNAMETER_BENCH_ROWS` sets the rows (default: 20,000,000), `DYNAMETER_BENCH_SHARES` the numbers of
//! shares (default: `8,256`). Times are processor seconds, measured by GNU time; the memory is that of
//! the process that uses most.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Calls of an hour of the workload.
const ROWS_OF_AN_HOUR: u64 = 241_370;

/// Processor seconds and the peak of memory in KB.
#[derive(Clone, Copy, Default)]
struct Used {
    seconds: f64,
    memory: u64,
}

impl Used {
    fn add(&mut self, other: Used) {
        self.seconds += other.seconds;
        self.memory = self.memory.max(other.memory);
    }
}

fn main() {
    // `cargo test` runs benchmarks once to check that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rows: u64 = variable("DYNAMETER_BENCH_ROWS", "20000000")
        .parse()
        .expect("a number of rows");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join(format!("target/bench/shares-{rows}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let workload = root.join("workloads/shopping-cart.toml");
    let trace = trace(&folder, &workload, rows);
    let common = |command: &mut Command| {
        command
            .arg("-w")
            .arg(&workload)
            .args(["--quiet", "--threads", "1"]);
    };
    let replay = |arguments: &[&Path], options: &[&str]| {
        let mut command = timed();
        command.arg("replay").args(arguments).args(options);
        common(&mut command);
        measured(&mut command)
    };
    let whole = folder.join("whole.json");
    let one = replay(&[&trace], &["--format", "json", "-o", text(&whole)]);
    println!(
        "one process: {:.1} s, {} MB",
        one.seconds,
        one.memory / 1_000
    );
    println!(
        "{:>6} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}",
        "shares", "deal s", "run s", "join s", "times", "blobs", "run MB", "join MB", "empty ms"
    );
    let input = std::fs::metadata(&trace).map_or(1, |data| data.len());
    for shares in variable("DYNAMETER_BENCH_SHARES", "8,256").split(',') {
        let dealt = folder.join(format!("dealt-{shares}"));
        let parts = folder.join(format!("parts-{shares}"));
        for folder in [&dealt, &parts] {
            std::fs::remove_dir_all(folder).ok();
        }
        std::fs::create_dir_all(&parts).expect("a folder");
        let deal = replay(&[&trace], &["--deal", shares, "-o", text(&dealt)]);
        let mut runs = Used::default();
        let count: u32 = shares.parse().expect("a number of shares");
        for share in 1..=count {
            let part = parts.join(format!("{share:03}.parquet"));
            let share = format!("{share}/{shares}");
            let options = ["--dealt", &share, "--partial", "-o", text(&part)];
            runs.add(replay(&[&dealt], &options));
        }
        let joined = folder.join("joined.json");
        let join = replay(
            &[&parts],
            &["--merge", "--format", "json", "-o", text(&joined)],
        );
        let same = std::fs::read(&whole).expect("a result") == std::fs::read(&joined).expect("one");
        assert!(same, "{shares} shares come to something else");
        println!(
            "{shares:>6} {:>8.1} {:>8.1} {:>8.1} {:>8.2} {:>9.2} {:>9} {:>9} {:>9.0}",
            deal.seconds,
            runs.seconds,
            join.seconds,
            (deal.seconds + runs.seconds) / one.seconds,
            bytes(&dealt) as f64 / input as f64,
            runs.memory / 1_000,
            join.memory / 1_000,
            empty_share(&folder) * 1_000.0,
        );
    }
    println!("times: deal and run to one process; blobs: their bytes to those of the Parquet file");
}

/// The trace, made once.
fn trace(folder: &Path, workload: &Path, rows: u64) -> PathBuf {
    let trace = folder.join("trace.parquet");
    if !trace.exists() {
        let hours = rows.div_ceil(ROWS_OF_AN_HOUR).to_string();
        let arguments = ["--poisson", "--columns", "item_bytes", "--hours", &hours];
        run(Command::new(program())
            .arg("synthesize")
            .arg(workload)
            .args(arguments)
            .arg("-o")
            .arg(&trace));
    }
    trace
}

/// Processor seconds of a share without a row.
fn empty_share(folder: &Path) -> f64 {
    let trace = folder.join("one-key.csv");
    std::fs::write(
        &trace,
        "time,operation,key,item_bytes\n1704067200,GetItem,a,100\n",
    )
    .expect("a file");
    let dealt = folder.join("one-key");
    std::fs::remove_dir_all(&dealt).ok();
    run(Command::new(program())
        .arg("replay")
        .arg(&trace)
        .args(["--deal", "256", "--quiet", "-o"])
        .arg(&dealt));
    let part = folder.join("empty.parquet");
    let mut least = f64::MAX;
    // One of two shares has no row.
    for share in ["1/256", "2/256"] {
        let mut command = timed();
        command
            .arg("replay")
            .arg(&dealt)
            .args(["--dealt", share, "--partial", "--quiet", "-o"]);
        least = least.min(measured(command.arg(&part)).seconds);
    }
    least
}

fn variable(name: &str, default: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| default.to_string())
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_dynameter"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

fn timed() -> Command {
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%U %S %M"]).arg(program());
    command
}

fn run(command: &mut Command) {
    let done = command
        .stdout(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(done.success());
}

fn measured(command: &mut Command) -> Used {
    let output = command
        .stdout(Stdio::null())
        .output()
        .expect("GNU time runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let last = text.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = last
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [user, system, memory] = numbers.as_slice() else {
        panic!("GNU time says {last:?}");
    };
    Used {
        seconds: user + system,
        memory: *memory as u64,
    }
}

fn bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("a folder").flatten();
    files
        .map(|file| file.metadata().map_or(0, |data| data.len()))
        .sum()
}
