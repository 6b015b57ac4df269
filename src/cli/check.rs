//! `check`: designs and their baselines against a budget, with an exit code for CI.

use std::process::Command;

use anyhow::{Result, bail};

use super::args::{Args, CheckArgs, OutputFormat};
use super::input::Role;
use super::{WRONG, files, input, output};
use dynameter::check::{Checked, CheckedDesign, Designs, Status, budget, check as checked};
use dynameter::commitments::Commitment;
use dynameter::estimate::estimate_together;
use dynameter::pricing::{Bill, Books};
use dynameter::report;
use dynameter::time::Date;
use dynameter::unread::UnreadKind;
use dynameter::workload::Workload;

/// Exit code of designs that are over budget.
const OVER: u8 = 1;

/// The prefix of a baseline that is read from git.
const GIT: &str = "git:";

/// `dynameter check`.
pub fn check(args: &Args, asked: &CheckArgs) -> Result<u8> {
    let workloads = files::designs(args, &asked.workloads)?;
    let asked = &CheckArgs {
        workloads,
        ..asked.clone()
    };
    let (books, date) = input::books(args)?;
    let files = asked
        .workloads
        .iter()
        .chain(&asked.baseline)
        .chain([&asked.budget]);
    if files.filter(|path| *path == "-").count() > 1 {
        bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    if !asked.baseline.is_empty() && asked.baseline.len() != asked.workloads.len() {
        bail!(
            "the number of workloads ({}) differs from the number of baselines ({})\nhelp: give \
             --baseline once for each workload, in their order",
            asked.workloads.len(),
            asked.baseline.len()
        );
    }
    let today = match &asked.today {
        Some(text) => input::date("--today", text)?,
        None => Date::from(chrono::Utc::now().date_naive()),
    };
    let designs = designs(args, asked, &books, date)?;
    let file = input::source(&asked.budget)?;
    let budget = budget(&file.name, &file.text, &designs, today)?;
    let checked = checked(&designs, &budget, &books)?;
    match args.format {
        OutputFormat::Github => output::write(args, &report::check_github(&checked))?,
        OutputFormat::Sarif => output::write(args, &report::check_sarif(&checked))?,
        OutputFormat::Junit => output::write(args, &report::check_junit(&checked))?,
        _ => output::present(args, &checked)?,
    }
    Ok(code(&checked))
}

/// An unknown figure takes precedence over an exceeded limit: neither may be merged, and only the
/// exceeded limit can be seen in a bill.
fn code(checked: &Checked) -> u8 {
    match checked.status() {
        Status::Pass | Status::Warn => 0,
        Status::Fail => OVER,
        Status::Unknown => {
            output::say(
                "error: a figure that the budget needs is unknown; the result lists what is \
                 missing",
            );
            WRONG
        }
    }
}

/// Reads and estimates the designs and their baselines.
fn designs(args: &Args, asked: &CheckArgs, books: &Books, date: Option<Date>) -> Result<Designs> {
    // Read every file before the first is checked, so that all errors are reported together.
    let role = match asked.workloads.len() > 1 || !asked.baseline.is_empty() {
        true => Role::OneOfSeveral,
        false => Role::Only,
    };
    let now = asked
        .workloads
        .iter()
        .map(|path| input::design(args, input::source(path)?, role));
    let before = asked.baseline.iter().zip(&asked.workloads);
    let before = before
        .map(|(path, workload)| input::design(args, baseline(path, workload)?, Role::OneOfSeveral));
    let (mut texts, before): (
        Vec<Result<input::WorkloadText>>,
        Vec<Result<input::WorkloadText>>,
    ) = (now.collect(), before.collect());
    let read = texts.iter().chain(&before).flatten();
    if role == Role::OneOfSeveral && texts.iter().chain(&before).all(Result::is_ok) {
        input::usage_is_used(read)?;
    }
    // Without --baseline, plans are their own baselines, but only if all workloads are plans.
    let planned: Vec<input::WorkloadText> = match before.is_empty() {
        true => texts
            .iter_mut()
            .flatten()
            .filter_map(input::WorkloadText::before)
            .collect(),
        false => Vec::new(),
    };
    let planned = if planned.len() == texts.len() {
        planned
    } else {
        Vec::new()
    };
    let designs = texts
        .into_iter()
        .chain(before)
        .chain(planned.into_iter().map(Ok));
    let designs = designs.map(|text| {
        let source = text?;
        Ok((input::loaded(args, &source, books, date)?, source.text))
    });
    let (designs, errors): (Vec<_>, Vec<_>) = designs.partition(Result::is_ok);
    let errors: Vec<String> = errors
        .into_iter()
        .filter_map(Result::err)
        .map(|error| output::failure(&error))
        .collect();
    if !errors.is_empty() {
        return Err(output::Reported(errors.join("\n\n")).into());
    }
    let (mut workloads, mut texts): (Vec<Workload>, Vec<String>) =
        designs.into_iter().flatten().unzip();
    let commitments = input::commitments(args, &workloads, books)?;
    let before = workloads.split_off(asked.workloads.len());
    let texts_before = texts.split_off(asked.workloads.len());
    let (now, unused) = together(workloads, texts, &commitments, books)?;
    let (before, unused_before) = together(before, texts_before, &commitments, books)?;
    Ok(Designs {
        now,
        before,
        unused,
        unused_before,
        allowed_unread: asked
            .allow_unread
            .iter()
            .filter_map(|word| UnreadKind::parse(word))
            .collect(),
    })
}

/// Estimates designs that share commitments.
fn together(
    workloads: Vec<Workload>,
    texts: Vec<String>,
    commitments: &[Commitment],
    books: &Books,
) -> Result<(Vec<CheckedDesign>, Bill)> {
    let together = estimate_together(&workloads, commitments, books)?;
    let designs = workloads
        .into_iter()
        .zip(together.outcomes)
        .zip(texts)
        .map(|((workload, outcome), text)| CheckedDesign {
            workload: workload.with_commitments(commitments),
            outcome,
            text,
        })
        .collect();
    Ok((designs, together.unused))
}

/// Reads a baseline: a file, or a version of it in git.
fn baseline(path: &str, workload: &str) -> Result<input::WorkloadText> {
    let Some(object) = path.strip_prefix(GIT) else {
        return input::source(path);
    };
    let Some((revision, file)) = object.split_once(':') else {
        bail!(
            "--baseline {path:?} does not name a file\nhelp: write git:REV:PATH, or git:REV: for \
             the same path, such as git:origin/main:"
        );
    };
    let file = if file.is_empty() { workload } else { file };
    if revision.is_empty() || revision.starts_with('-') || file.is_empty() || file == "-" {
        bail!(
            "--baseline {path:?} is not a revision and a path\nhelp: write git:REV:PATH, such as \
             git:origin/main:design.toml"
        );
    }
    // Try the path from the root of the repository, then from the current folder.
    let mut why = String::new();
    for object in [format!("{revision}:{file}"), format!("{revision}:./{file}")] {
        let output = Command::new("git")
            .args(["show", "--no-textconv", "--end-of-options", &object])
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) => bail!(
                "--baseline {path:?}: git cannot be run: {error}\nhelp: install git, or give the \
                 baseline as a file"
            ),
        };
        if output.status.success() {
            let Ok(text) = String::from_utf8(output.stdout) else {
                bail!(
                    "--baseline {path:?}: {file} of {revision} is not UTF-8 text\nhelp: name a \
                     workload file"
                );
            };
            return Ok(input::WorkloadText::new(
                format!("{revision}:{file}"),
                text,
                workload,
            ));
        }
        if why.is_empty() {
            why = String::from_utf8_lossy(&output.stderr)
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("fatal: ")
                .to_string();
        }
    }
    bail!(
        "--baseline {path:?}: {why}\nhelp: name a revision and a path that exist in git; in CI, \
         fetch the revision first (fetch-depth: 0)"
    )
}
