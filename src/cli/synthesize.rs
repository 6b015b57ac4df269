//! Generates traces from a workload.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::{Result, bail};

use super::args::{Args, SynthesizeArgs};
use super::progress::{bar, interruption};
use super::trace::moment;
use super::{input, output};
use crate::synthesize::{self, HEADER, SynthesizeError, SynthesizeOptions, TraceLayout};
use crate::units::Exact;

/// `dynameter synthesize`.
pub fn synthesize(args: &Args, asked: &SynthesizeArgs) -> Result<()> {
    let (books, date) = input::books(args)?;
    let workload = input::workload(args, &asked.workload, &books, date)?;
    let path = args.output.as_ref().filter(|path| path.as_os_str() != "-");
    let options = options(asked, path)?;
    let bar = bar(
        args,
        options.seconds,
        "{spinner} {pos} of {len} s [{wide_bar}] {msg}, {eta} left",
    );
    let stopped = interruption()?;
    let mut tick = |second: u64, rows: u64| {
        bar.set_position(second);
        bar.set_message(format!("{rows} rows"));
        !stopped.load(Ordering::SeqCst)
    };
    match path {
        Some(path) => {
            let rows = output::file(path, |file| {
                Ok(synthesize::synthesize(
                    &workload, &options, file, &mut tick,
                )?)
            })?;
            bar.finish_and_clear();
            output::note(args, &format!("rows written to {}: {rows}", path.display()));
        }
        None => {
            if options.layout == TraceLayout::Parquet {
                bail!(
                    "Parquet cannot be written to standard output\nhelp: name a file with -o, or \
                     write --layout csv or --layout ndjson"
                );
            }
            let result = synthesize::synthesize(&workload, &options, std::io::stdout(), &mut tick);
            bar.finish_and_clear();
            match result {
                Err(SynthesizeError::Write(error))
                    if error.kind() == std::io::ErrorKind::BrokenPipe => {}
                Err(SynthesizeError::Stopped) => bail!(
                    "stopped by Ctrl-C; standard output holds only the beginning of the trace"
                ),
                result => {
                    result?;
                }
            }
        }
    }
    Ok(())
}

/// What the trace is made of.
fn options(asked: &SynthesizeArgs, path: Option<&PathBuf>) -> Result<SynthesizeOptions> {
    let hours =
        match Exact::parse(&asked.hours).filter(|hours| !hours.is_negative() && !hours.is_zero()) {
            Some(hours) => hours,
            None => bail!(
                "--hours {:?} is not a number above 0\nhelp: write hours, such as 1, 0.5 or 24",
                asked.hours
            ),
        };
    let layout = layout(asked, path)?;
    if let Some(unknown) = asked
        .columns
        .iter()
        .find(|column| !HEADER.contains(&column.as_str()))
    {
        bail!(
            "--columns {unknown:?} is not a column\nhelp: the columns are {}",
            HEADER.join(", ")
        );
    }
    let columns = (!asked.columns.is_empty()).then(|| asked.columns.clone());
    Ok(SynthesizeOptions {
        seconds: (hours * Exact::from(3600))
            .ceil()
            .to_u64()
            .unwrap_or(u64::MAX),
        seed: asked.seed,
        start: moment("--start", &asked.start)?,
        poisson: asked.poisson,
        layout,
        columns,
    })
}

/// The layout that is asked for, or else that of the name of the file.
fn layout(asked: &SynthesizeArgs, path: Option<&PathBuf>) -> Result<TraceLayout> {
    let layout = match (asked.layout.as_deref(), path) {
        (Some(name), _) => match TraceLayout::parse(name) {
            Some(layout) => layout,
            None => bail!("--layout {name:?} is not a layout\nhelp: write parquet, csv or ndjson"),
        },
        (None, Some(path)) => match TraceLayout::of_name(&path.to_string_lossy()) {
            Some(layout) => layout,
            None if path.starts_with("/dev") => TraceLayout::Parquet,
            None => bail!(
                "{}: the name does not end in .parquet, .csv or .ndjson\nhelp: rename the file, \
                 or give --layout",
                path.display()
            ),
        },
        (None, None) => {
            bail!(
                "synthesize needs -o FILE for Parquet\nhelp: name a file, or write --layout csv \
                 or --layout ndjson for standard output"
            )
        }
    };
    Ok(layout)
}
