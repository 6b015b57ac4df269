//! Measures how fast a replay is: every figure is a ratio to a reference measured in the same run.
//!
//! `cargo bench --all-features --bench replay`
//!
//! The references are DuckDB and libCacheSim, as the Python packages `duckdb` and `libcachesim`
//! (installed in a virtual environment under `target/bench`), and `sonic-rs` (typed, one thread).
//! `DYNAMETER_BENCH_ROWS` sets the number of rows (default: 50 million).

#![allow(
    clippy::too_many_lines,
    reason = "a benchmark sets up what it measures in the order in which it runs"
)]

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use dynameter::files::FileSource;
use dynameter::pricing::Books;
use dynameter::replay::{
    AccessCounts, AccessLog, Cache, CacheAccess, CacheUse, Overwrite, ReplayOptions, ReplayRun,
    each_second, keys,
};
use dynameter::synthesize::{self, TraceLayout};
use dynameter::table::Direction;
use dynameter::trace::{self, Batch, RowPlace, Time, Trace};
use dynameter::workload::{Setting, Workload, load};

/// Rows of the trace, which covers one hour.
const ROWS: u64 = 50_000_000;

/// A rate is the best of this many runs.
const RUNS: usize = 4;

/// How many times a run and its reference alternate.
const TURNS: usize = 5;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // `cargo test` runs benchmarks once to check that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).expect("target/bench");
    let rows = std::env::var("DYNAMETER_BENCH_ROWS")
        .ok()
        .and_then(|rows| rows.parse().ok())
        .unwrap_or(ROWS);
    let python = python(&folder);
    let (text_trace, text_workload) = trace(&folder, rows, "S");
    let (trace, workload) = trace(&folder, rows, "N");
    let rows = File::open(&trace)
        .map(|_| counted(&trace))
        .expect("the trace");
    println!(
        "{rows} rows, {} MB of Parquet",
        std::fs::metadata(&trace).expect("the trace").len() / 1_000_000
    );
    println!(
        "{:<58} {:>14} {:>14} {:>7} {:>7}",
        "", "here", "reference", "ratio", "wanted"
    );
    let probe = scaling();
    println!(
        "{:<58} {:>14} {:>14} {:>7.2} {:>7}",
        "a loop on two threads against one (below 1.8, distrust the rest)", "", "", probe, "1.8"
    );
    for threads in [1, 2] {
        let mut reference = python
            .as_deref()
            .and_then(|python| DuckDb::begin(python, &trace, threads));
        let mut asked = || reference.as_mut().and_then(DuckDb::seconds);
        let stateless = || drop(black_box(each_second(&trace, threads).expect("sums")));
        let numbers = || execute(&trace, &workload, threads);
        let texts = || execute(&text_trace, &text_workload, threads);
        let all: [(&str, f64, &dyn Fn()); 3] = [
            ("stateless", 1.0, &stateless),
            ("full execution, store and index", 0.35, &numbers),
            ("full execution, string keys", 0.35, &texts),
        ];
        let rate = |seconds: f64| rows as f64 / seconds;
        let turns = by_turns(&mut asked, &all.map(|(.., run)| run));
        for ((own, reference), (what, wanted, _)) in turns.into_iter().zip(all) {
            let reference = reference.map(|(seconds, ratio)| (rate(seconds), ratio));
            line_of(
                &format!("{what}, {threads} threads, rows/s (DuckDB)"),
                rate(own),
                reference,
                wanted,
            );
        }
    }
    caches(&folder, python.as_deref(), &trace);
    lines(&folder, &workload);
    // String keys take more memory while they are read.
    memory(&text_trace);
}

/// Seconds of a run.
fn timed(mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64()
}

fn best(mut run: impl FnMut()) -> f64 {
    (0..RUNS)
        .map(|_| timed(&mut run))
        .fold(f64::INFINITY, f64::min)
}

/// For each run: its seconds, the seconds of the reference, and how many times as fast as the
/// reference it is; each is the median over [`TURNS`] turns.
///
/// Each run is timed between two runs of the reference and compared with their mean: the speed of a
/// machine varies, and if the best times were compared, the shorter of the two would profit more
/// from fast moments.
fn by_turns(
    reference: &mut dyn FnMut() -> Option<f64>,
    runs: &[&dyn Fn()],
) -> Vec<(f64, Option<(f64, f64)>)> {
    let mut turns: Vec<Vec<(f64, Option<f64>)>> = vec![Vec::new(); runs.len()];
    let mut before = reference();
    for _ in 0..TURNS {
        for (turns, run) in turns.iter_mut().zip(runs) {
            let own = timed(run);
            let after = reference();
            turns.push((
                own,
                before
                    .zip(after)
                    .map(|(before, after)| (before + after) / 2.0),
            ));
            before = after;
        }
    }
    let middle = |turns: Vec<(f64, Option<f64>)>| {
        let both: Option<Vec<(f64, f64)>> = turns
            .iter()
            .map(|(own, reference)| Some((*own, (*reference)?)))
            .collect();
        let reference = both.map(|both| {
            let seconds = median(both.iter().map(|(_, reference)| *reference));
            (
                seconds,
                median(both.iter().map(|(own, reference)| reference / own)),
            )
        });
        (median(turns.into_iter().map(|(own, _)| own)), reference)
    };
    turns.into_iter().map(middle).collect()
}

/// The median of some figures; NaN if there are none.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = figures.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn line(what: &str, here: f64, reference: Option<f64>, wanted: f64) {
    line_of(
        what,
        here,
        reference.map(|reference| (reference, here / reference)),
        wanted,
    );
}

/// Prints a rate of this project, the rate of the reference, and their ratio.
fn line_of(what: &str, here: f64, reference: Option<(f64, f64)>, wanted: f64) {
    let human = |rate: f64| {
        if rate >= 1e6 {
            format!("{:.2} M", rate / 1e6)
        } else {
            format!("{rate:.2}")
        }
    };
    match reference {
        Some((reference, ratio)) => {
            println!(
                "{what:<58} {:>14} {:>14} {ratio:>7.2} {wanted:>7}",
                human(here),
                human(reference)
            );
        }
        None => println!(
            "{what:<58} {:>14} {:>14} {:>7} {wanted:>7}",
            human(here),
            "not there",
            "-"
        ),
    }
    std::io::stdout().flush().ok();
}

/// How much faster two threads are than one.
fn scaling() -> f64 {
    #[inline(never)]
    fn work() {
        let mut sum = black_box(1_u64);
        for _ in 0..300_000_000 {
            sum = (sum ^ (sum >> 7)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        black_box(sum);
    }
    let threads = |count: usize| {
        best(|| std::thread::scope(|scope| (0..count).for_each(|_| drop(scope.spawn(work)))))
    };
    let (one, two) = (threads(1), threads(2));
    2.0 * one / two
}

/// Python with the reference packages; `None` if they cannot be installed.
fn python(folder: &Path) -> Option<PathBuf> {
    let environment = folder.join("python");
    let python = environment.join("bin/python");
    let ready = |python: &Path| {
        Command::new(python)
            .args(["-c", "import duckdb, libcachesim"])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !ready(&python) {
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&environment)
            .status()
            .ok()?;
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "duckdb", "libcachesim"])
            .status()
            .ok()?;
    }
    if ready(&python) {
        return Some(python);
    }
    println!(
        "the references duckdb and libcachesim are not installed: install Python 3 with venv and \
         pip, and connect to a network"
    );
    None
}

fn said(python: &Path, program: &str) -> Option<f64> {
    let output = Command::new(python).args(["-c", program]).output().ok()?;
    if !output.status.success() {
        println!(
            "{}",
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .last()
                .unwrap_or_default()
        );
        return None;
    }
    String::from_utf8(output.stdout)
        .ok()?
        .split_whitespace()
        .last()?
        .parse()
        .ok()
}

/// The fastest form of the query in DuckDB: both sums for each second and operation, of which one
/// is selected afterwards.
struct DuckDb {
    process: Child,
    answers: BufReader<ChildStdout>,
}

impl DuckDb {
    /// Starts the process and runs the query once.
    fn begin(python: &Path, trace: &Path, threads: usize) -> Option<DuckDb> {
        let program = format!(
            "import duckdb, sys, time\nc = duckdb.connect(); c.execute('set threads={threads}'); \
             c.execute('set enable_progress_bar=false')\nq = \"\"\"select s, operation, case when \
             operation = 'GetItem' then r else 2 * w end from (select time // 1000000 s, \
             operation, sum((item_bytes + 1023) // 1024) w, sum((item_bytes + 4095) // 4096) r \
             from '{}' group by 1, 2)\"\"\"\nfor _ in sys.stdin:\n\x20   a = time.time(); \
             c.execute(q).fetchall(); print(time.time() - a, flush=True)",
            trace.display()
        );
        let command = Command::new(python)
            .args(["-c", &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = command.ok()?;
        let answers = BufReader::new(process.stdout.take()?);
        let mut duckdb = DuckDb { process, answers };
        duckdb.seconds().map(|_| duckdb)
    }

    /// Seconds of the query.
    fn seconds(&mut self) -> Option<f64> {
        writeln!(self.process.stdin.as_mut()?).ok()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        let seconds = answer.trim().parse().ok();
        if seconds.is_none() {
            println!("DuckDB was expected to print its seconds, but printed {answer:?}");
        }
        seconds
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The trace with keys of a type, created once.
fn trace(folder: &Path, rows: u64, keys: &str) -> (PathBuf, Workload) {
    let text = include_str!("replay.toml").replace("type = \"N\"", &format!("type = \"{keys}\""));
    let workload = load(
        "replay.toml",
        &text,
        folder,
        &Setting::new(&Books::embedded()),
    )
    .unwrap_or_else(|errors| panic!("{errors}"));
    let path = folder.join(format!("{rows}-{keys}.parquet"));
    if !path.exists() {
        let seconds = (3_600 * rows / ROWS).max(1);
        let options = synthesize::SynthesizeOptions {
            seconds,
            seed: 1,
            start: Time::from_second(1_704_067_200),
            poisson: true,
            layout: TraceLayout::Parquet,
            columns: Some(
                ["time", "operation", "key", "item_bytes"]
                    .map(str::to_string)
                    .to_vec(),
            ),
        };
        let beside = folder.join("unfinished");
        synthesize::synthesize(
            &workload,
            &options,
            File::create(&beside).expect("a file"),
            &mut |_, _| true,
        )
        .expect("a trace");
        std::fs::rename(beside, &path).expect("a file");
    }
    (path, workload)
}

fn opened(path: &Path, workload: &Workload) -> Trace {
    Trace::open(
        vec![FileSource::File(path.to_path_buf())],
        trace::ReadOptions {
            keys: keys(workload),
            ..trace::ReadOptions::default()
        },
    )
    .expect("a trace")
}

fn counted(path: &Path) -> u64 {
    Trace::open(
        vec![FileSource::File(path.to_path_buf())],
        trace::ReadOptions::default(),
    )
    .expect("a trace")
    .rows()
    .expect("rows")
}

/// Reads and executes all rows; the time of pricing, which follows, does not depend on their
/// number.
fn execute(path: &Path, workload: &Workload, threads: usize) {
    let options = ReplayOptions {
        threads,
        ..ReplayOptions::default()
    };
    let mut run = ReplayRun::new(opened(path, workload), Some(workload), &options).expect("a run");
    while run.batch().expect("a batch") {}
    black_box(run.events_read());
}

/// One size of DAX's item cache against libCacheSim, and the whole curve against one size.
fn caches(folder: &Path, python: Option<&Path>, trace: &Path) {
    let mut reader = Trace::open(
        vec![FileSource::File(trace.to_path_buf())],
        trace::ReadOptions::default(),
    )
    .expect("a trace");
    let mut asked: Vec<(u64, u32, i64)> = Vec::new();
    while asked.len() < 20_000_000 {
        let Batch::Rows(rows) = reader.batch().expect("rows") else {
            break;
        };
        for rows in &rows {
            let mut own = rows.rows.clone();
            own.sort_unstable_by_key(|row| row.at());
            asked.extend(own.iter().map(|row| {
                (
                    row.hash,
                    if row.bytes() == u32::MAX {
                        1
                    } else {
                        row.bytes()
                    },
                    rows.second(row),
                )
            }));
        }
    }
    let binary = folder.join("requests.oracleGeneral");
    let mut file = std::io::BufWriter::new(File::create(&binary).expect("a file"));
    for (key, bytes, second) in &asked {
        file.write_all(&(*second as u32).to_le_bytes())
            .expect("written");
        file.write_all(&key.to_le_bytes()).expect("written");
        file.write_all(&bytes.to_le_bytes()).expect("written");
        file.write_all(&(-1_i64).to_le_bytes()).expect("written");
    }
    drop(file);
    let mut one_size = Duration::ZERO;
    for capacity in [64 << 20, 1 << 30_u64] {
        let mut misses = 0;
        let mut run = || {
            let mut cache = Cache::new(capacity);
            for group in asked.chunks(16) {
                black_box(cache.touch(group.iter().map(|(key, ..)| *key)));
                for (key, bytes, second) in group {
                    cache.read(*key, *bytes, *second, 0);
                }
            }
            misses = asked.len() as u64 - cache.hits;
        };
        let seconds = best(&mut run);
        one_size = Duration::from_secs_f64(seconds);
        let program = format!(
            "import libcachesim as l, time\nbest = 1e9\nfor _ in range({RUNS}):\n\x20   r = \
             l.TraceReader(trace='{}', trace_type=l.TraceType.ORACLE_GENERAL_TRACE)\n\x20   c = \
             l.LRU(cache_size={capacity}, consider_obj_metadata=False)\n\x20   a = time.time(); \
             o, b = c.process_trace(r); best = min(best, time.time() - a)\nassert abs(o * {} - \
             {misses}) < 2, (o, {misses} / {})\nprint(best)",
            binary.display(),
            asked.len(),
            asked.len()
        );
        let reference = python.and_then(|python| said(python, &program));
        let rate = |seconds: f64| asked.len() as f64 / seconds;
        line(
            &format!(
                "one exact LRU of {} MiB, requests/s (libCacheSim)",
                capacity >> 20
            ),
            rate(seconds),
            reference.map(rate),
            1.0,
        );
    }
    std::fs::remove_file(&binary).ok();
    let seconds = best(|| {
        let mut log = AccessLog::default();
        let mut sum = AccessCounts::default();
        for (at, (key, bytes, second)) in asked.iter().enumerate() {
            sum.add(*bytes, false);
            let of = CacheUse {
                cache: 0,
                hash: *key,
                bytes: *bytes,
                second: *second,
                direction: Direction::Read,
            };
            log.push(*key, || {
                let place = RowPlace {
                    file: 0,
                    row: at as u64,
                };
                CacheAccess::new((Time::from_second(of.second), place), of)
            });
        }
        log.count(0, sum);
        let sizes: Vec<u64> = (20..34)
            .step_by(2)
            .map(|power| 1 << power)
            .chain((1..=8).map(|node| (16 * node) << 30))
            .collect();
        black_box(log.curve(0, &sizes, 300, Overwrite::Refresh));
    });
    let one = one_size.as_secs_f64();
    println!(
        "{:<58} {:>14.2} {:>14.2} {:>7.2} {:>7}",
        "the whole curve, s (one exact LRU of 1 GiB; at most 3 times)",
        seconds,
        one,
        seconds / one,
        3
    );
}

/// The columns of a line, as read by `sonic-rs` alone.
#[derive(serde::Deserialize)]
#[allow(dead_code)]
struct Line<'a> {
    time: i64,
    operation: &'a str,
    table: Option<&'a str>,
    key: &'a str,
    item_bytes: Option<u32>,
    old_bytes: Option<u32>,
    consistency: Option<&'a str>,
    caller: Option<&'a str>,
}

fn lines(folder: &Path, workload: &Workload) {
    let (plain, gz) = (folder.join("lines.ndjson"), folder.join("lines.ndjson.gz"));
    let options = synthesize::SynthesizeOptions {
        seconds: 100,
        seed: 1,
        start: Time::from_second(1_704_067_200),
        poisson: true,
        layout: TraceLayout::NdJson,
        columns: None,
    };
    synthesize::synthesize(
        workload,
        &options,
        File::create(&plain).expect("a file"),
        &mut |_, _| true,
    )
    .expect("a trace");
    let text = std::fs::read(&plain).expect("the lines");
    let mut encoder = flate2::write::GzEncoder::new(
        File::create(&gz).expect("a file"),
        flate2::Compression::default(),
    );
    encoder
        .write_all(&text)
        .and_then(|()| encoder.finish().map(drop))
        .expect("a gzip");
    let sonic = || {
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        black_box(
            lines
                .map(|line| sonic_rs::from_slice::<Line>(line).expect("a line").time)
                .fold(0, i64::wrapping_add),
        );
    };
    let rate = |seconds: f64| text.len() as f64 / seconds;
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        let read = |path: &Path| {
            pool.install(|| {
                let mut trace = opened(path, workload);
                while !matches!(trace.batch().expect("rows"), Batch::End) {}
            });
        };
        let (plain, gz) = (|| read(&plain), || read(&gz));
        let all: [(&str, f64, &dyn Fn()); 2] =
            [("NDJSON", 0.6, &plain), ("NDJSON in gzip", 0.4, &gz)];
        let turns = by_turns(&mut || Some(timed(sonic)), &all.map(|(.., run)| run));
        for ((own, reference), (what, wanted, _)) in turns.into_iter().zip(all) {
            let reference = reference.map(|(seconds, ratio)| (rate(seconds), ratio));
            line_of(
                &format!("{what}, {threads} threads, B/s of text (sonic-rs)"),
                rate(own),
                reference,
                wanted,
            );
        }
    }
}

/// Prints the time and the peak memory of the whole process.
fn memory(trace: &Path) {
    let binary = Path::new(env!("CARGO_BIN_EXE_dynameter"));
    let mut child = Command::new(binary)
        .args(["replay", "--quiet", "--format", "json", "--workload"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/replay.toml"))
        .arg(trace)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a run");
    let (mut most, start) = (0_u64, Instant::now());
    while child.try_wait().expect("a state").is_none() {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = most.max(
            line.and_then(|line| line.split_whitespace().next()?.parse().ok())
                .unwrap_or(0),
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    println!(
        "{:<58} {:>12.2} s {:>11} MB",
        "the whole process, all threads: time and memory",
        start.elapsed().as_secs_f64(),
        most / 1_000
    );
}
