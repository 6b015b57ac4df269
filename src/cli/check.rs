//! `check`: designs and their baselines against a budget, with an exit code for CI.

use std::process::Command;

use anyhow::{Result, bail};

use super::args::{Args, CheckArgs, OutputFormat};
use super::input::Role;
use super::source::TerraformSource;
use super::{WRONG, files, input, output, session};
use crate::check::{
    BudgetSetting, Checked, CheckedDesign, Designs, Place, Status, budget, check as checked,
};
use crate::commitments::Commitment;
use crate::estimate::estimate_together;
use crate::pricing::{Bill, Books};
use crate::report;
use crate::time::Date;
use crate::unread::UnreadKind;
use crate::workload::Workload;

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
    let Some(budget_path) = &asked.budget else {
        bail!(
            "no budget is given\nhelp: give --budget FILE, or `budget` in dynameter.toml; `dynameter \
             init --budget budget.toml` writes one to start from"
        );
    };
    let files = asked
        .workloads
        .iter()
        .chain(&asked.baseline)
        .chain([budget_path]);
    if files.filter(|path| *path == "-").count() > 1 {
        bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    // The same revision for every workload.
    let baselines = match asked.baseline.as_slice() {
        [one] if is_revision(one) => vec![one.clone(); asked.workloads.len()],
        all => all.to_vec(),
    };
    let asked = &CheckArgs {
        baseline: baselines,
        ..asked.clone()
    };
    if !asked.baseline.is_empty() && asked.baseline.len() != asked.workloads.len() {
        bail!(
            "the number of workloads ({}) differs from the number of baselines ({})\nhelp: give \
             --baseline once for each workload, in their order, or once as git:REV: for all",
            asked.workloads.len(),
            asked.baseline.len()
        );
    }
    let today = match &asked.today {
        Some(text) => input::date("--today", text)?,
        None => Date::from(chrono::Utc::now().date_naive()),
    };
    let designs = designs(args, asked, &books, date)?;
    let file = match budget_path.starts_with(GIT) {
        true => baseline(budget_path, "")?,
        false => Some(input::source(budget_path)?),
    };
    let Some(file) = file else {
        bail!(
            "--budget {budget_path:?}: the revision does not have this file\nhelp: name one that it has"
        );
    };
    let setting = BudgetSetting {
        today,
        is_partial: asked.partial,
    };
    let budget = budget(&file.name, &file.text, &designs, setting)?;
    let mut checked = checked(&designs, &budget, &books)?;
    point_to_source(&mut checked, asked)?;
    match args.format {
        OutputFormat::Github => output::write(args, &report::check_github(&checked))?,
        OutputFormat::Sarif => output::write(args, &report::check_sarif(&checked))?,
        OutputFormat::Junit => output::write(args, &report::check_junit(&checked))?,
        OutputFormat::Gitlab => output::write(args, &report::check_gitlab(&checked))?,
        OutputFormat::Slack => output::write(args, &report::check_slack(&checked))?,
        _ => output::present(args, &checked)?,
    }
    Ok(code(&checked))
}

/// Whether a baseline is a revision of git for the same path as the workload's.
fn is_revision(baseline: &str) -> bool {
    let object = baseline.strip_prefix(GIT);
    object.is_some_and(|object| {
        object
            .split_once(':')
            .is_some_and(|(_, path)| path.is_empty())
    })
}

/// Replaces the places in a plan, which is one line, by those in the Terraform files.
fn point_to_source(checked: &mut Checked, asked: &CheckArgs) -> Result<()> {
    let root = asked.source.clone().unwrap_or_default();
    if asked.source.is_some() && !root.is_dir() {
        bail!(
            "--source {}: is not a folder\nhelp: name the folder of the Terraform files that the \
             plan is made of",
            root.display()
        );
    }
    let mut source = TerraformSource::new(&root);
    for place in checked.places_mut() {
        let address = place.resource.clone().filter(|one| one.contains("aws"));
        let found = address
            .as_deref()
            .and_then(|address| source.place_of(address));
        if let Some(found) = found {
            *place = Place {
                resource: address,
                ..found
            };
        }
    }
    Ok(())
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
                 missing\nhelp: give what a plan or a template lacks in a usage file: --usage \
                 usage.toml (docs/import.md)",
            );
            WRONG
        }
    }
}

/// Reads and estimates the designs and their baselines.
fn designs(args: &Args, asked: &CheckArgs, books: &Books, date: Option<Date>) -> Result<Designs> {
    // Read every file before the first is checked, so that all errors are reported together.
    let is_shared = asked.partial || asked.workloads.len() > 1 || !asked.baseline.is_empty();
    let role = match is_shared {
        true => Role::OneOfSeveral,
        false => Role::Only,
    };
    let now = asked
        .workloads
        .iter()
        .map(|path| input::design(args, input::source(path)?, role));
    let mut texts: Vec<Result<input::WorkloadText>> = now.collect();
    let before = asked.baseline.iter().zip(&asked.workloads).zip(&mut texts);
    let before = before.map(|((path, workload), now)| {
        // A plan is its own baseline, whatever git has.
        let own = now.as_mut().ok().filter(|_| path.starts_with(GIT));
        if let Some(before) = own.and_then(input::WorkloadText::before) {
            return Ok(before);
        }
        match baseline(path, workload)? {
            Some(text) => input::design(args, text, Role::OneOfSeveral),
            None => new_in_git(path, workload, now.as_ref().ok()),
        }
    });
    let before: Vec<Result<input::WorkloadText>> = before.collect();
    let read = texts.iter().chain(&before).flatten();
    let all_read = texts.iter().chain(&before).all(Result::is_ok);
    match input::usage_is_used(read) {
        Err(error) if all_read && role == Role::OneOfSeveral && !asked.partial => {
            return Err(error);
        }
        _ => {}
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
    let errors: Vec<anyhow::Error> = errors.into_iter().filter_map(Result::err).collect();
    if !errors.is_empty() {
        return Err(output::Reported::of(errors).into());
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

/// Reads a baseline: a file, or a version of it in git; `None` for a file that is new in git.
fn baseline(path: &str, workload: &str) -> Result<Option<input::WorkloadText>> {
    let Some(object) = path.strip_prefix(GIT) else {
        let is_text = path == "-" || session::text(path).is_some();
        if !is_text && !std::path::Path::new(path).exists() {
            bail!(
                "--baseline {path}: there is no such file\nhelp: name a file that exists, or a \
                 revision of git: git:{path}:"
            );
        }
        return input::source(path).map(Some);
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
    let commit = format!("{revision}^{{commit}}");
    if git(
        path,
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ],
    )?
    .is_none()
    {
        let help = match revision.split_once('/') {
            Some((remote, branch)) => format!(
                "fetch it first: `git fetch {remote} {branch}`; in GitHub Actions, check out with \
                 `fetch-depth: 0`"
            ),
            None => "name a revision that exists, such as origin/main; in CI, fetch it first \
                     (`fetch-depth: 0`)"
                .to_string(),
        };
        bail!(
            "--baseline {path:?}: this repository has no revision {revision:?}, or this is no \
             repository\nhelp: {help}"
        );
    }
    // Try the path from the root of the repository, then from the current folder.
    for object in [format!("{revision}:{file}"), format!("{revision}:./{file}")] {
        let show = ["show", "--no-textconv", "--end-of-options", &object];
        if let Some(bytes) = git(path, &show)? {
            let Ok(text) = String::from_utf8(bytes) else {
                bail!(
                    "--baseline {path:?}: {file} of {revision} is not UTF-8 text\nhelp: name a \
                     workload file"
                );
            };
            let name = format!("{revision}:{file}");
            return Ok(Some(input::WorkloadText::new(name, text, workload)));
        }
    }
    // A file that exists here and not there is new. One that exists nowhere is a mistake.
    if !std::path::Path::new(file).is_file() {
        bail!(
            "--baseline {path:?}: {revision} has no file {file}, and neither has the current \
             folder\nhelp: name a path that exists in git"
        );
    }
    Ok(None)
}

/// The design before its file was new in git. What git ignores is made from other files, which may
/// have been there.
fn new_in_git(
    path: &str,
    workload: &str,
    now: Option<&input::WorkloadText>,
) -> Result<input::WorkloadText> {
    if git(path, &["check-ignore", "--quiet", workload])?.is_some() {
        bail!(
            "--baseline {path:?}: git ignores {workload}, so it has no earlier version there\nhelp: \
             make the file of the earlier revision as well, and give it as --baseline FILE; or \
             give no baseline"
        );
    }
    Ok(input::without_tables(path, now))
}

/// The output of git; `None` if it fails.
fn git(path: &str, arguments: &[&str]) -> Result<Option<Vec<u8>>> {
    match Command::new("git").args(arguments).output() {
        Ok(output) => Ok(output.status.success().then_some(output.stdout)),
        Err(error) => bail!(
            "--baseline {path:?}: git cannot be run: {error}\nhelp: install git, or give the \
             baseline as a file"
        ),
    }
}
