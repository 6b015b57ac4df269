//! `compare`: the alternatives of designs, and a design with changes made.

use anyhow::{Context, Result, bail};
use similar::TextDiff;

use super::args::{Args, CompareArgs, OutputFormat};
use super::input::WorkloadText;
use super::progress::bar;
use super::{all_workloads, input, output};
use crate::compare::{Advice, Comparison, Progress, Question, compare_watched};
use crate::estimate::estimate;
use crate::fleet::compared_fleet;
use crate::pricing::Books;
use crate::report::{CHANGES_SHOWN, Comparisons, FleetSummary, Shown};
use crate::time::Date;
use crate::units::count_of;
use crate::workload::{DesignEdit, EditedFile, Workload};

/// The word for the best combination of changes.
const BEST: &str = "best";

/// `dynameter compare`.
pub fn run(args: &Args, asked: &CompareArgs) -> Result<()> {
    let question = input::question(&asked.question, &asked.horizon)?;
    if !asked.apply.is_empty() {
        return apply(args, asked, &question);
    }
    let top = asked
        .top
        .map(|top| usize::try_from(top).unwrap_or(usize::MAX));
    if top.is_some() && !asked.summary && has_everything(args.format) {
        bail!(
            "--top leaves out changes, and JSON and CSV have all of them\nhelp: remove --top, or choose \
             alternatives with --only"
        );
    }
    let all = compared(args, &asked.workloads, &question)?;
    if asked.summary {
        let fleet = &compared_fleet(&all)?;
        return output::present(args, &FleetSummary { fleet, top });
    }
    let all: Vec<Comparison> = match asked.only.is_empty() {
        true => all,
        false => all.into_iter().map(|one| one.only(&asked.only)).collect(),
    };
    let shown = Shown {
        changes: top.unwrap_or(CHANGES_SHOWN),
        // Of one kind, every alternative is of interest.
        all: asked.all || !asked.only.is_empty(),
    };
    output::present(args, &Comparisons { all: &all, shown })
}

/// Whether a format never leaves anything out.
fn has_everything(format: OutputFormat) -> bool {
    matches!(format, OutputFormat::Json | OutputFormat::Csv)
}

/// Compares the alternatives of designs.
pub fn compared(args: &Args, paths: &[String], question: &Question) -> Result<Vec<Comparison>> {
    let (books, date) = input::books(args)?;
    let read = all_workloads(args, paths, &books, date)?;
    let mut all = Vec::new();
    for (workload, text) in &read {
        let workload = committed(args, workload.clone(), &books)?;
        let mut comparison = watched(args, &workload, text, &books, question)?;
        comparison.outcome.uncertainty = input::interval(args, &workload, text, &books, date)
            .with_context(|| text.name.clone())?;
        all.push(comparison);
    }
    Ok(all)
}

/// Compares the alternatives of a design, with a progress bar.
fn watched(
    args: &Args,
    workload: &Workload,
    text: &WorkloadText,
    books: &Books,
    question: &Question,
) -> Result<Comparison> {
    let bar = bar(
        args,
        1,
        "{spinner} alternatives of {msg} [{wide_bar}] {percent} %, {eta} left",
    );
    bar.set_message(text.name.clone());
    let watcher = |Progress { done, total, .. }: Progress| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let comparison = compare_watched(workload, books, question, &watcher);
    bar.finish_and_clear();
    comparison.with_context(|| text.name.clone())
}

/// A design with the commitments of `--commitments`.
fn committed(args: &Args, workload: Workload, books: &Books) -> Result<Workload> {
    let commitments = input::commitments(args, std::slice::from_ref(&workload), books)?;
    Ok(workload.with_commitments(&commitments))
}

/// `--apply`: the workload file with changes made, or their patch.
fn apply(args: &Args, asked: &CompareArgs, question: &Question) -> Result<()> {
    if args.format != OutputFormat::Text {
        bail!("--apply writes a workload file or a patch\nhelp: remove --format");
    }
    let (books, date) = input::books(args)?;
    let [(workload, text)] = one_design(args, asked, &books, date)?;
    let workload = committed(args, workload, &books)?;
    let comparison = watched(args, &workload, &text, &books, question)?;
    let edit = edit(asked, &comparison)?;
    let mut file = EditedFile::new(&text.text)?;
    file.apply(&edit).with_context(|| {
        format!(
            "{}: --apply {} is not possible",
            text.name,
            asked.apply.join(",")
        )
    })?;
    let edited = text.with_text(file.to_string());
    // The total is that of the file as it is written, not a sum of what was promised.
    let changed = committed(args, input::loaded(args, &edited, &books, date)?, &books)?;
    let total = estimate(&changed, &books)?.total()?;
    let delta = total.minus(comparison.total)?;
    let result = match asked.patch {
        true => patch(&text.name, &text.text, &edited.text),
        false => edited.text,
    };
    output::write(args, &result)?;
    output::note(
        args,
        &format!(
            "{} a month with the change, {} without it ({}{})",
            total.human(),
            comparison.total.human(),
            if delta > crate::money::Money::ZERO {
                "+"
            } else {
                ""
            },
            delta.human()
        ),
    );
    Ok(())
}

/// The only design, which must be a workload file.
fn one_design(
    args: &Args,
    asked: &CompareArgs,
    books: &Books,
    date: Option<Date>,
) -> Result<[(Workload, WorkloadText); 1]> {
    let read = all_workloads(args, &asked.workloads, books, date)?;
    let count = read.len();
    let Ok([(workload, text)]) = <[_; 1]>::try_from(read) else {
        bail!("--apply changes one workload file, but {count} were given\nhelp: name one");
    };
    if text.is_made() {
        bail!(
            "{}: --apply changes workload files, and this is made of another file\nhelp: `dynameter import` \
             writes a workload file of it",
            text.name
        );
    }
    Ok([(workload, text)])
}

/// The edit of the changes that are asked for.
fn edit(asked: &CompareArgs, comparison: &Comparison) -> Result<DesignEdit> {
    if asked.apply == [BEST] {
        if comparison.best.changes.is_empty() && comparison.best.commitment.is_none() {
            bail!("no change makes the design cheaper without a trade-off");
        }
        return Ok(comparison.best.edit.clone());
    }
    let advice = &comparison.advice;
    let mut chosen: Vec<(&String, &Advice)> = Vec::new();
    for number in &asked.apply {
        let at = number
            .parse::<usize>()
            .ok()
            .and_then(|at| at.checked_sub(1));
        let Some(one) = at.and_then(|at| advice.get(at)) else {
            bail!(
                "--apply {number:?}: {} ranked\nhelp: {}",
                match advice.len() {
                    1 => "1 change is".to_string(),
                    several => format!("{} are", count_of(several as u64, "change")),
                },
                match advice.len() {
                    0 => "nothing makes this design cheaper".to_string(),
                    several => format!("write numbers from 1 to {several}, or {BEST} alone"),
                }
            );
        };
        if let Some((other, _)) = chosen.iter().find(|(_, other)| other.excludes(one)) {
            bail!(
                "--apply {}: changes {other} and {number} exclude each other\nhelp: choose one of them",
                asked.apply.join(",")
            );
        }
        chosen.push((number, one));
    }
    let edits = chosen.iter().filter_map(|(_, one)| one.edit.clone());
    Ok(edits.fold(DesignEdit::default(), DesignEdit::then))
}

/// The lines that differ, as a patch of a file.
fn patch(name: &str, before: &str, after: &str) -> String {
    let name = match std::env::current_dir() {
        Ok(folder) => {
            let path = std::path::Path::new(name);
            let path = path.strip_prefix(&folder).unwrap_or(path);
            path.to_string_lossy().trim_start_matches("./").to_string()
        }
        Err(_) => name.to_string(),
    };
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    let unified = unified.header(&format!("a/{name}"), &format!("b/{name}"));
    unified.to_string()
}
