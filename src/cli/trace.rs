//! Reads and replays traces.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use arrow_array::RecordBatchReader;
use clap::{Args as _, FromArgMatches};

#[cfg(feature = "html")]
use super::args::ReportArgs;
use super::args::{Args, HeadroomArgs, MetricsArgs, ReadingArgs, ReplayArgs};
use super::deal::Traces;
use super::progress::{bar, interruption, working};
use super::signal::writing;
use super::{deal, files, input, output, session};
use crate::bill::is_bill;
use crate::compare::Question;
use crate::files::{FileSource, Progress};
use crate::import::{ImportOptions, Imported, import_metrics};
use crate::meter::Switches;
use crate::pricing::Books;
use crate::replay::{
    self, CONSTANT_BYTES, KEY_BYTES_MAX, KeyShare, Overwrite, PartInput, ReplayError, ReplayPart,
    ReplayRun, Replayed, TraceTraffic, Verify, join, keeps_keys, keys, price,
};
use crate::report::InspectedFiles;
use crate::time::{Date, MonthHours};
use crate::trace::{
    Mapping, ReadOptions, Time, TimeFormat, TimeUnit, Trace, TraceFormat, inspect, parse_time,
    sources, without_doubles,
};
use crate::units::{Exact, group_thousands};
use crate::workload::{Size, Workload};

/// A time, a date, or a duration before now.
pub fn moment(option: &str, text: &str) -> Result<Time> {
    let before_now = || -> Option<Time> {
        let unit = match text.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        let count: i64 = text.strip_prefix('-')?[..text.len() - 2].parse().ok()?;
        let now = chrono::Utc::now().timestamp();
        Some(Time::from_second(now - count.checked_mul(unit)?))
    };
    let date = || Some(Time::from_second(Date::parse(text)?.midnight_second()));
    let found = parse_time(text, None).map(|(time, _)| time);
    match found.or_else(date).or_else(before_now) {
        Some(time) => Ok(time),
        None => bail!(
            "{option} {text:?} is not a time\nhelp: write RFC 3339, such as 2024-01-01T00:00:00Z, a \
             date, seconds since 1970, or a time before now, such as -24h"
        ),
    }
}

fn optional_moment(option: &str, text: Option<&str>) -> Result<Option<Time>> {
    text.map(|text| moment(option, text)).transpose()
}

fn options(asked: &ReadingArgs) -> Result<ReadOptions> {
    let mut mapping = Mapping::default();
    for text in &asked.map {
        mapping.map(text).map_err(anyhow::Error::msg)?;
    }
    for text in &asked.set {
        mapping.set(text).map_err(anyhow::Error::msg)?;
    }
    let kind = match asked.kind.as_deref() {
        None => None,
        Some(name) => match TraceFormat::parse(name) {
            Some(kind) => Some(kind),
            None => {
                let known = TraceFormat::NAMES
                    .iter()
                    .map(|(name, _)| *name)
                    .collect::<Vec<_>>()
                    .join(", ");
                bail!("--kind {name:?} is not a trace format\nhelp: the formats are {known}")
            }
        },
    };
    let time_unit = match asked.time_unit.as_deref() {
        None => None,
        Some(name) => match TimeUnit::NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, unit)) => Some(*unit),
            None => {
                bail!("--time-unit {name:?} is not a unit of time\nhelp: write s, ms, us or ns")
            }
        },
    };
    let (from, to) = (
        optional_moment("--from", asked.from.as_deref())?,
        optional_moment("--to", asked.to.as_deref())?,
    );
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        bail!("--from is not before --to\nhelp: nothing lies between them; --to is exclusive");
    }
    let time_format = asked.time_format.as_deref().map(TimeFormat::parse);
    Ok(ReadOptions {
        kind,
        mapping,
        from,
        to,
        time_format: time_format
            .transpose()
            .map_err(|message| anyhow::anyhow!("--time-format {message}"))?,
        period_seconds: asked.period,
        table: asked.table.clone(),
        time_unit,
        skip_bad_rows: asked.skip_bad_rows,
        window: Some(asked.window),
        ..ReadOptions::default()
    })
}

/// The files of traces that arguments name.
fn sources_of(traces: &[String]) -> Result<Vec<FileSource>> {
    let sources = sources(traces)?;
    no_bills(&sources)?;
    Ok(sources)
}

/// The most that is read of a file to see whether it is a bill, at either end.
const ENDS_BYTES: u64 = 1 << 18;

/// Whether no trace is a bill; a bill would only be met as a trace with wrong columns.
///
/// # Errors
/// The commands that read bills, if one is a bill.
fn no_bills(traces: &[FileSource]) -> Result<()> {
    for trace in traces {
        let FileSource::File(path) = trace else {
            continue;
        };
        // What is read from a pipe here would be lost to the reader of traces, and what cannot be
        // read is an error of that reader.
        if path.is_file()
            && let Ok(ends) = ends(path)
            && is_bill(&ends)
        {
            bail!(files::bill(&trace.shown(), "a trace"));
        }
    }
    Ok(())
}

/// The beginning of a file and, of Parquet, its end, where the names of the columns are.
fn ends(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = crate::opened::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(ENDS_BYTES).read_to_end(&mut bytes)?;
    if bytes.starts_with(b"PAR1") {
        let end = file.metadata()?.len().saturating_sub(ENDS_BYTES);
        file.seek(SeekFrom::Start(end))?;
        file.take(ENDS_BYTES).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Executes a trace; `None` if its part was written to a file instead.
fn run(
    args: &Args,
    asked: &ReplayArgs,
    options: ReadOptions,
    workload: Option<&Workload>,
    replay_options: &replay::ReplayOptions,
) -> Result<Option<ReplayRun>> {
    let trace = opened(args, asked, options, replay_options)?;
    if let Some(rows) = trace.rows().filter(|rows| *rows >= LONG_ROWS) {
        output::note(args, &memory(rows, replay_options));
    }
    let mut run = ReplayRun::new(trace, workload, replay_options)?;
    if let Some(checkpoint) = asked.checkpoint.as_ref().filter(|path| path.exists()) {
        run.resume(checkpoint, workload, replay_options)?;
    }
    let mut saved = run.events_read();
    to_the_end(args, &mut run, |run| {
        if let Some(checkpoint) = asked.checkpoint.as_ref().filter(|_| !run.is_resuming())
            && run.events_read() >= saved + asked.checkpoint_every.max(1)
        {
            output::save(checkpoint, |file| Ok(run.save(file)?))?;
            saved = run.events_read();
        }
        Ok(())
    })?;
    if !asked.partial {
        return Ok(Some(run));
    }
    let share = asked.dealt.as_ref().unwrap_or(&asked.share);
    output::part(args, &format!("share {share}"), |into| {
        Ok(run.finish_part(into)?)
    })?;
    if let Some(checkpoint) = &asked.checkpoint {
        output::forget(checkpoint);
    }
    Ok(None)
}

/// The record batches that the program hands over, if the trace is nothing else.
fn batches(asked: &ReplayArgs) -> Option<Box<dyn RecordBatchReader + Send>> {
    match asked.traces.as_slice() {
        [only] if only == session::BATCHES => session::batches(),
        _ => None,
    }
}

/// The files of the trace, none of which the results replace.
fn readable_sources(args: &Args, asked: &ReplayArgs) -> Result<Vec<FileSource>> {
    let sources = sources_of(&asked.traces)?;
    if sources
        .iter()
        .filter(|source| **source == FileSource::Stdin)
        .count()
        > 1
        || (sources.contains(&FileSource::Stdin) && asked.workload.as_deref() == Some("-"))
    {
        bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    if sources.contains(&FileSource::Stdin) && asked.checkpoint.is_some() {
        bail!(
            "a run over standard input cannot be resumed from a checkpoint\nhelp: write the trace \
             to a file first, or remove --checkpoint"
        );
    }
    // Check this before hours of work, not after them.
    let results = args.output.iter().chain(&asked.checkpoint);
    for result in results.filter(|path| path.as_os_str() != "-") {
        let is_trace = |source: &FileSource| matches!(source, FileSource::File(path) if path.canonicalize().ok() == result.canonicalize().ok());
        if result.exists() && sources.iter().any(is_trace) {
            bail!(
                "{}: is a file that this command reads\nhelp: name another file for the result",
                result.display()
            );
        }
    }
    Ok(sources)
}

/// Opens the trace: files, or the dealt rows of a share.
fn opened(
    args: &Args,
    asked: &ReplayArgs,
    options: ReadOptions,
    replay_options: &replay::ReplayOptions,
) -> Result<Trace> {
    if asked.dealt.is_some() {
        return deal::dealt(asked, replay_options.share, options);
    }
    if let Some(batches) = batches(asked) {
        return Ok(Trace::of_batches(session::BATCHES, batches, options)?);
    }
    let sources = readable_sources(args, asked)?;
    Ok(Trace::open(sources, options)?)
}

/// Executes batch by batch, with a progress bar, until the trace ends or the user presses Ctrl-C.
fn to_the_end(
    args: &Args,
    run: &mut ReplayRun,
    mut after: impl FnMut(&mut ReplayRun) -> Result<()>,
) -> Result<()> {
    let Progress { read, total, rows } = run.trace().progress.clone();
    let bar = bar(
        args,
        total.load(Ordering::Relaxed),
        "{spinner} {bytes} of {total_bytes} read [{wide_bar}] {msg}, {eta} left",
    );
    let stopped = interruption()?;
    let _kept = writing();
    session::reads(&run.trace().progress);
    while run.batch()? {
        bar.set_position(read.load(Ordering::Relaxed));
        let (rows, seconds) = (rows.load(Ordering::Relaxed), bar.elapsed().as_secs().max(1));
        let what = if run.is_resuming() {
            " from before the checkpoint"
        } else {
            ""
        };
        bar.set_message(format!("{rows} rows{what}, {} a second", rows / seconds));
        after(run)?;
        if stopped.load(Ordering::SeqCst) {
            return Err(ReplayError::Stopped.into());
        }
    }
    bar.finish_and_clear();
    let one_by_one = run.calls_one_by_one();
    if one_by_one >= WORTH_A_NOTE {
        let all = group_thousands(&run.events_read().to_string());
        let text = format!(
            "{} of {all} calls were executed one by one, which takes about twice as long as \
             rows of plain calls; \"Large traces\" in docs/traces.md says which rows need it",
            group_thousands(&one_by_one.to_string())
        );
        output::note(args, &text);
    }
    for file in run.trace().grown() {
        let text =
            format!("{file}: grew while it was read; rows added after the start may be missing");
        output::note(args, &text);
    }
    Ok(())
}

/// What follows the execution, in words.
const PRICING: &str = "what the trace consumed is priced";

/// Prices a trace that was executed.
fn priced(
    args: &Args,
    part: ReplayPart,
    workload: Option<&Workload>,
    (books, options): (&Books, &replay::ReplayOptions),
) -> Result<Replayed> {
    let _working = working(args, PRICING)?;
    Ok(price(part, workload, books, options)?)
}

/// From so many calls on, it is said that they were executed one by one.
const WORTH_A_NOTE: u64 = 1_000_000;

/// How a trace is executed.
fn replay_options(
    args: &Args,
    asked: &ReadingArgs,
    date: Option<Date>,
    question: Question,
) -> Result<replay::ReplayOptions> {
    let threads = match asked.threads {
        None => std::thread::available_parallelism().map_or(1, usize::from),
        Some(threads @ 1..=256) => threads,
        Some(threads) => bail!("--threads {threads} is out of range\nhelp: write 1 to 256"),
    };
    Ok(replay::ReplayOptions {
        region: args.region.clone(),
        prices: date,
        month: input::month(args)?.unwrap_or_else(MonthHours::standard),
        from: optional_moment("--from", asked.from.as_deref())?,
        to: optional_moment("--to", asked.to.as_deref())?,
        dax_ttl_seconds: asked.dax_ttl,
        dax_overwrite: match Overwrite::NAMES
            .iter()
            .find(|(name, _)| *name == asked.dax_overwrite)
        {
            Some((_, reading)) => *reading,
            None => bail!(
                "--dax-overwrite {:?} is not a valid value\nhelp: write refresh or keep",
                asked.dax_overwrite
            ),
        },
        threads,
        hot_keys: asked.hot_keys,
        question,
        ..replay::ReplayOptions::default()
    })
}

/// Replays a trace on a workload, for a report.
#[cfg(feature = "html")]
pub fn measured(
    args: &Args,
    asked: &ReportArgs,
    workload: &Workload,
    books: &Books,
    date: Option<Date>,
) -> Result<Replayed> {
    let question = input::question(&asked.question, &asked.horizon)?;
    let mut reading = options(&asked.reading)?;
    reading.keys = keys(workload);
    reading.keep_keys = keeps_keys(workload);
    let options = replay::ReplayOptions {
        from: reading.from,
        to: reading.to,
        ..replay_options(args, &asked.reading, date, question)?
    };
    let mut run = ReplayRun::new(
        Trace::open(sources_of(&asked.trace)?, reading)?,
        Some(workload),
        &options,
    )?;
    to_the_end(args, &mut run, |_| Ok(()))?;
    priced(args, run.finish(), Some(workload), (books, &options))
}

/// Replays traces for their traffic.
pub fn traffic(
    args: &Args,
    asked: &HeadroomArgs,
    workload: &Workload,
    books: &Books,
    date: Option<Date>,
) -> Result<TraceTraffic> {
    let mut reading = options(&asked.reading)?;
    reading.keys = keys(workload);
    reading.keep_keys = keeps_keys(workload);
    let options = replay::ReplayOptions {
        from: reading.from,
        to: reading.to,
        ..replay_options(args, &asked.reading, date, Question::default())?
    };
    let trace = trace_of(&asked.trace, reading)?;
    let mut run = ReplayRun::new(trace, Some(workload), &options)?;
    to_the_end(args, &mut run, |_| Ok(()))?;
    let _working = working(args, PRICING)?;
    Ok(replay::traffic(
        run.finish(),
        Some(workload),
        books,
        &options,
    )?)
}

/// Replays traces for a comparison with a bill, in a window of seconds or whole.
pub fn beside_a_bill(
    args: &Args,
    traces: &[String],
    workload: Option<&Workload>,
    (books, date): (&Books, Option<Date>),
    window: Option<(i64, i64)>,
) -> Result<Replayed> {
    // The defaults of the options with which `replay` reads.
    let command = ReadingArgs::augment_args(clap::Command::new("reconcile"));
    let mut asked = ReadingArgs::from_arg_matches(&command.get_matches_from(["reconcile"]))?;
    asked.from = window.map(|(from, _)| Time::from_second(from).to_string());
    asked.to = window.map(|(_, to)| Time::from_second(to).to_string());
    let mut reading = options(&asked)?;
    if let Some(workload) = workload {
        reading.keys = keys(workload);
        reading.keep_keys = keeps_keys(workload);
    }
    let options = replay_options(args, &asked, date, Question::default())?;
    let mut run = ReplayRun::new(trace_of(traces, reading)?, workload, &options)?;
    to_the_end(args, &mut run, |_| Ok(()))?;
    priced(args, run.finish(), workload, (books, &options))
}

/// Files of a trace, or the record batches that the program hands over.
fn trace_of(traces: &[String], reading: ReadOptions) -> Result<Trace> {
    Ok(match traces {
        [only] if only == session::BATCHES => match session::batches() {
            Some(batches) => Trace::of_batches(only, batches, reading)?,
            None => bail!("{only}: is read only once"),
        },
        _ => Trace::open(sources_of(traces)?, reading)?,
    })
}

/// How much of a verification is shown.
fn verify(asked: Option<&str>) -> Result<Verify> {
    let Some(name) = asked else {
        return Ok(Verify::No);
    };
    match Verify::NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, verify)) => Ok(*verify),
        None => bail!(
            "--verify={name} is not a valid value\nhelp: write --verify for the first ten \
             differences, or --verify=all for every one"
        ),
    }
}

/// The readings of disputed rules.
fn switches(asked: &[String]) -> Result<Switches> {
    let mut switches = Switches::default();
    for text in asked {
        let (name, reading) = text.split_once('=').unwrap_or((text, ""));
        if switches.set(name.trim(), reading.trim()) {
            continue;
        }
        match Switches::NAMES
            .iter()
            .find(|(known, _)| *known == name.trim())
        {
            Some((name, readings)) => bail!(
                "--switch {text:?} is not a reading of this rule\nhelp: {name} must be {}",
                readings.join(" or ")
            ),
            None => {
                let known: Vec<&str> = Switches::NAMES.iter().map(|(name, _)| *name).collect();
                bail!(
                    "--switch {text:?} is not a switch\nhelp: write NAME=READING; the switches \
                     are {}",
                    known.join(", ")
                )
            }
        }
    }
    Ok(switches)
}

/// From this number of rows on, a replay first prints how much memory it needs.
const LONG_ROWS: u64 = 20_000_000;

/// The memory that a run over this many rows needs at most.
fn memory(rows: u64, options: &replay::ReplayOptions) -> String {
    let most = CONSTANT_BYTES + rows.saturating_mul(KEY_BYTES_MAX) / u64::from(options.share.of);
    let gigabytes = |bytes: u64| Exact::ratio(bytes, 1 << 30).human(1);
    format!(
        "{} rows: at most {} GB of memory ({} GB plus {KEY_BYTES_MAX} bytes for each distinct \
         key); use --share to divide the keys over several runs",
        Exact::from(rows),
        gigabytes(most),
        gigabytes(CONSTANT_BYTES)
    )
}

/// The sizes of DAX caches to try.
fn dax_sizes(asked: &ReplayArgs) -> Result<Vec<u64>> {
    let texts = asked.dax.iter().map(|text| text.trim());
    texts
        .filter(|text| !text.is_empty())
        .map(|text| match Size::parse(text).map(|size| size.0.0) {
            Some(bytes) if bytes > 0 => Ok(bytes),
            _ => bail!("--dax {text:?} is not a size\nhelp: write sizes such as \"64 MB,1 GB\""),
        })
        .collect()
}

/// Refuses to write a workload of a part of a trace, or into the file of the result.
fn written_apart(args: &Args, asked: &ReplayArgs) -> Result<()> {
    let Some(path) = &asked.write_workload else {
        return Ok(());
    };
    if asked.partial {
        bail!(
            "--write-workload {} needs the whole trace\nhelp: give it to --merge",
            path.display()
        );
    }
    if args.output.as_ref() == Some(path) {
        bail!(
            "-o and --write-workload name the same file, {}\nhelp: name two files",
            path.display()
        );
    }
    Ok(())
}

/// How the trace of `replay` is executed.
fn run_options(
    args: &Args,
    asked: &ReplayArgs,
    workload: Option<&Workload>,
    books: &Books,
    date: Option<Date>,
) -> Result<replay::ReplayOptions> {
    let throttled_billionths = input::billionths("--throttled", &asked.throttled)?;
    Ok(replay::ReplayOptions {
        verify: verify(asked.verify.as_deref())?,
        commitments: match workload {
            Some(_) => Vec::new(),
            None => input::commitments(args, &[], books)?,
        },
        switches: switches(&asked.switch)?,
        dax_sizes: dax_sizes(asked)?,
        share: share(asked)?,
        partial: asked.partial,
        ..replay_options(
            args,
            &asked.reading,
            date,
            Question {
                throttled_billionths,
                ..Question::default()
            },
        )?
    })
}

/// `dynameter replay`.
pub fn replay(args: &Args, asked: &ReplayArgs) -> Result<()> {
    if asked.inspect {
        let inspected = inspect(&sources_of(&asked.traces)?, &options(&asked.reading)?)?;
        return output::present(args, &InspectedFiles(inspected));
    }
    let (books, date) = input::books(args)?;
    let mut options = options(&asked.reading)?;
    let workload = asked
        .workload
        .as_deref()
        .map(|path| input::workload(args, path, &books, date))
        .transpose()?;
    if let Some(workload) = &workload {
        options.keys = keys(workload);
        options.keep_keys = keeps_keys(workload);
    }
    if let (None, Some(region)) = (&workload, &args.region) {
        books.book(region, date)?;
    }
    let replay_options = replay::ReplayOptions {
        // A time before now is taken once.
        from: options.from,
        to: options.to,
        ..run_options(args, asked, workload.as_ref(), &books, date)?
    };
    if asked.partial && args.output.is_none() {
        bail!(
            "--partial needs a file\nhelp: name it with -o part.parquet, or write -o - for \
             standard output"
        );
    }
    written_apart(args, asked)?;
    if asked.deal.is_some() {
        let traces = match batches(asked) {
            Some(batches) => Traces::Batches(batches),
            None => Traces::Files(without_doubles(readable_sources(args, asked)?)),
        };
        let run = (workload.as_ref(), &replay_options);
        return deal::deal(args, asked, traces, &options, run);
    }
    if replay_options.share.of > 1 && !asked.partial {
        bail!(
            "--share {} without --partial would price one share as if it were the whole \
             trace\nhelp: write --share {} --partial -o part.parquet, and join all parts with \
             --merge",
            asked.share,
            asked.share
        );
    }
    let replayed = if asked.merge {
        let part = joined(asked, workload.as_ref(), &replay_options)?;
        if asked.partial {
            return output::part(args, "the joined shares", |into| {
                Ok(part.write(workload.as_ref(), &replay_options, into)?)
            });
        }
        priced(args, part, workload.as_ref(), (&books, &replay_options))?
    } else {
        let Some(run) = run(args, asked, options, workload.as_ref(), &replay_options)? else {
            return Ok(());
        };
        let options = (&books, &replay_options);
        priced(args, run.finish(), workload.as_ref(), options)?
    };
    if let Some(path) = &asked.write_workload {
        write_workload(args, &replayed, path)?;
    }
    output::present(args, &replayed)?;
    // The result is there, so the checkpoint is no longer needed.
    if let Some(checkpoint) = &asked.checkpoint {
        output::forget(checkpoint);
    }
    Ok(())
}

/// Joins parts, of all shares or, with `--partial`, of some.
fn joined(
    asked: &ReplayArgs,
    workload: Option<&Workload>,
    options: &replay::ReplayOptions,
) -> Result<ReplayPart> {
    let mut parts: Vec<PartInput> = Vec::new();
    for source in sources(&asked.traces)? {
        match source {
            FileSource::File(path) => parts.push(PartInput::File(path)),
            FileSource::Stdin => {
                bail!("parts cannot be read from standard input\nhelp: name their files")
            }
        }
    }
    let stopped = interruption()?;
    let tick = || !stopped.load(Ordering::SeqCst);
    Ok(join(parts, workload, options, !asked.partial, tick)?)
}

/// The share of the keys that is replayed.
fn share(asked: &ReplayArgs) -> Result<KeyShare> {
    let (option, text) = match &asked.dealt {
        Some(text) => ("--dealt", text),
        None => ("--share", &asked.share),
    };
    KeyShare::parse(text).map_err(|message| anyhow::anyhow!("{option} {message}"))
}

/// Writes the workload file that is made of a trace.
fn write_workload(args: &Args, replayed: &Replayed, path: &Path) -> Result<()> {
    let text = match &replayed.workload_file {
        Ok(text) => text,
        Err(why) => bail!(
            "--write-workload: {why}\nhelp: give a request log, which has the requests with their \
             items (docs/traces.md)"
        ),
    };
    output::create(path, text)?;
    output::note(
        args,
        &format!("wrote {0}; now run: dynameter estimate {0}", path.display()),
    );
    Ok(())
}

/// Imports CloudWatch metrics as a workload file.
pub fn imported(
    files: &[String],
    metrics: &MetricsArgs,
    asked: &ImportOptions,
) -> Result<Imported> {
    let reading = ReadOptions {
        table: metrics.table.first().cloned(),
        period_seconds: metrics.period,
        from: optional_moment("--from", metrics.from.as_deref())?,
        to: optional_moment("--to", metrics.to.as_deref())?,
        ..ReadOptions::default()
    };
    Ok(import_metrics(sources_of(files)?, reading, asked)?)
}

/// The queries for GetMetricData of tables: names, files of describe-table, or folders of them.
pub fn queries(args: &Args, tables: &[String]) -> Result<String> {
    let mut named: Vec<(String, Vec<String>)> = Vec::new();
    let mut without_indexes = Vec::new();
    for asked in tables {
        let path = Path::new(asked);
        if !path.exists() {
            if !is_table_name(asked) {
                bail!(
                    "--queries {asked:?} is neither a file nor the name of a table\nhelp: name a \
                     table, a file with the answer of `aws dynamodb describe-table`, or a folder \
                     of them"
                );
            }
            without_indexes.push(asked.as_str());
            named.push((asked.clone(), Vec::new()));
            continue;
        }
        for source in sources(std::slice::from_ref(asked))? {
            named.extend(described(&source.shown())?);
        }
    }
    named.dedup();
    if !without_indexes.is_empty() {
        output::note(
            args,
            &format!(
                "{}: the metrics of global secondary indexes are asked for only if the table is \
                 given as the answer of `aws dynamodb describe-table`",
                without_indexes.join(", ")
            ),
        );
    }
    let queries = crate::trace::queries(&named);
    let count = queries.as_array().map_or(0, Vec::len);
    if count > QUERIES_MAX {
        output::note(
            args,
            &format!(
                "{count} queries: one call of GetMetricData takes {QUERIES_MAX}, so divide the \
                 tables over several files"
            ),
        );
    }
    Ok(format!("{queries:#}\n"))
}

/// The most queries in a call. Source: API Reference, "GetMetricData".
const QUERIES_MAX: usize = 500;

/// Whether a text can be the name of a table: 3 to 255 letters, digits, `_`, `-` and `.`.
fn is_table_name(text: &str) -> bool {
    (3..=255).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// The tables that a file describes, with their global indexes.
fn described(path: &str) -> Result<Vec<(String, Vec<String>)>> {
    let text = crate::opened::read_to_string(Path::new(path))
        .with_context(|| format!("{path}: cannot be read"))?;
    let mut tables = Vec::new();
    for value in serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>() {
        let value = value.with_context(|| format!("{path}: not JSON"))?;
        let table = match value["Table"].is_object() {
            true => &value["Table"],
            false => &value,
        };
        let Some(name) = table["TableName"].as_str() else {
            bail!(
                "{path}: no Table.TableName\nhelp: give the answer of `aws dynamodb \
                 describe-table`"
            );
        };
        let indexes = table["GlobalSecondaryIndexes"].as_array();
        let names = indexes.into_iter().flatten();
        let names = names.filter_map(|index| index["IndexName"].as_str().map(str::to_string));
        tables.push((name.to_string(), names.collect()));
    }
    Ok(tables)
}
