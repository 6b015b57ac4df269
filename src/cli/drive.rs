//! `drive`: the calls of a design, made for real.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::args::{Args, DriveArgs, OutputFormat};
use super::progress::{bar, interruption, stays_at_the_end};
use super::{input, output};
use crate::drive::{self, DriveEvent, DriveOptions};
use crate::money::Money;
use crate::report::Present;
use crate::trace::Time;
use crate::units::Exact;

/// `dynameter drive`.
pub fn run(args: &Args, asked: &DriveArgs) -> Result<u8> {
    let log = args.output.as_ref().filter(|path| path.as_os_str() != "-");
    if args.output.is_some() && log.is_none() {
        bail!("the log of a run needs a file\nhelp: name one with -o, such as -o log.ndjson");
    }
    if let Some(url) = &asked.endpoint_url
        && !(url.starts_with("http://") || url.starts_with("https://"))
    {
        bail!("--endpoint-url {url:?} is not an address\nhelp: write http://{url}");
    }
    let (books, date) = input::books(args)?;
    let workload = input::workload(args, &asked.workload, &books, date)?;
    // Beside the log, so that it is known before the run whether it can be written there.
    let folder = log.and_then(|path| path.parent());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    if let Some(path) = log {
        output::refuse_inputs(path)?;
    }
    let kept = match (log, folder) {
        (None, _) => tempfile::NamedTempFile::new(),
        (Some(_), None) => tempfile::NamedTempFile::new_in("."),
        (Some(_), Some(folder)) => tempfile::NamedTempFile::new_in(folder),
    };
    let kept = kept.context("the log cannot be written")?;
    let options = DriveOptions {
        log: kept.path().to_path_buf(),
        endpoint_url: asked.endpoint_url.clone(),
        profile: asked.profile.clone(),
        seconds: seconds(&asked.duration)?,
        scale: above_zero("--scale", &asked.scale)?,
        max_usd: asked.max_usd.as_deref().map(dollars).transpose()?,
        uses: asked
            .use_table
            .iter()
            .cloned()
            .collect::<BTreeSet<String>>(),
        clock: now,
    };
    let stopped = interruption()?;
    let bar = bar(args, 1, "{msg} {pos}/{len} [{wide_bar}] {eta} left");
    let mut tell = |event: DriveEvent| match event {
        DriveEvent::Planned(cost) => bar.suspend(|| output::note(args, &cost.to_string())),
        DriveEvent::Touches(table) => {
            stays_at_the_end(format!(
                "not removed: {table}, if the run made it, and the items of the run in it"
            ));
        }
        DriveEvent::Progress(now) => {
            bar.set_message(now.what);
            bar.set_length(now.total.max(now.done));
            bar.set_position(now.done);
        }
    };
    let driven = drive::drive(&workload, &books, &options, &stopped, &mut tell);
    bar.finish_and_clear();
    let driven = driven?;
    let text = match args.format {
        OutputFormat::Json => driven.json()?,
        OutputFormat::Markdown => driven.markdown()?,
        OutputFormat::Csv => driven.csv(),
        _ => driven.text(output::style(args))?,
    };
    output::print(&text)?;
    if let Some(path) = log {
        output::file(path, |file| {
            let mut from = std::fs::File::open(kept.path())?;
            std::io::copy(&mut from, file)?;
            Ok(())
        })?;
        let shown = path.display();
        output::note(
            args,
            &format!("wrote {shown}; compare it again with: dynameter replay {shown} --verify"),
        );
    }
    Ok(u8::from(!driven.agrees()))
}

fn now() -> Time {
    Time(chrono::Utc::now().timestamp_nanos_opt().unwrap_or_default())
}

/// A duration in whole seconds.
fn seconds(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        _ => 0,
    };
    let number = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    match number {
        Some(seconds @ 1..=86_400) => Ok(seconds),
        _ => {
            bail!("--for {text:?} is not a duration\nhelp: write 1s to 24h, such as 60s, 5m or 1h")
        }
    }
}

fn above_zero(option: &str, text: &str) -> Result<Exact> {
    match Exact::parse(text).filter(|number| !number.is_negative() && !number.is_zero()) {
        Some(number) => Ok(number),
        None => bail!("{option} {text:?} is not a number above 0\nhelp: write such as 0.01 or 1"),
    }
}

fn dollars(text: &str) -> Result<Money> {
    let plain = text.strip_prefix('$').unwrap_or(text);
    let amount = Exact::parse(plain).filter(|amount| !amount.is_negative());
    match amount.and_then(|amount| Money::dollars(&amount).ok()) {
        Some(amount) => Ok(amount),
        None => bail!("--max-usd {text:?} is not an amount\nhelp: write dollars, such as 0.50"),
    }
}
