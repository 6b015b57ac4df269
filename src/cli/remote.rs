//! Inputs that are objects of Amazon S3: fetched before a command begins, to a folder that goes with
//! the process.

use anyhow::{Result, bail};

use super::args::{Args, Command};

/// The beginning of an address.
const S3: &str = "s3://";

/// The arguments of a command that name files to be read.
fn inputs(args: &mut Args) -> Vec<&mut String> {
    let mut all: Vec<&mut String> = Vec::new();
    all.extend(&mut args.usage);
    all.extend(&mut args.commitments);
    match &mut args.command {
        Command::Estimate(asked) => all.extend(&mut asked.workloads),
        Command::Compare(asked) => all.extend(&mut asked.workloads),
        Command::Explain(asked) => all.extend(&mut asked.workloads),
        Command::Diff(diff) => {
            all.push(&mut diff.old);
            all.extend(&mut diff.new);
        }
        Command::Import(import) => all.extend(&mut import.files),
        Command::Check(check) => {
            all.extend(&mut check.workloads);
            all.extend(&mut check.budget);
            all.extend(&mut check.baseline);
        }
        Command::Reconcile(asked) => {
            all.extend(&mut asked.bills);
            all.extend(&mut asked.workload);
            all.extend(&mut asked.trace);
        }
        Command::Report(report) => {
            all.extend(&mut report.workloads);
            all.extend(&mut report.trace);
            all.extend(&mut report.bill);
        }
        Command::Replay(replay) => {
            all.extend(&mut replay.traces);
            all.extend(&mut replay.workload);
        }
        Command::Synthesize(synthesize) => all.push(&mut synthesize.workload),
        Command::Drive(drive) => all.push(&mut drive.workload),
        _ => {}
    }
    all.retain(|input| input.starts_with(S3));
    all
}

/// Refuses the folder of an export, to which the workload file would refer.
fn refuse_exports(args: &Args) -> Result<()> {
    if let Command::Import(import) = &args.command
        && import.kind == "export"
        && let Some(input) = import.files.iter().find(|input| input.starts_with(S3))
    {
        bail!(
            "{input}: a workload file refers to its export, which must stay on this machine\nhelp: \
             run\n  aws s3 cp --recursive {input} export\n  dynameter import export export"
        );
    }
    Ok(())
}

/// The name of the command, for the way on without a connection of its own.
fn command_of(args: &Args) -> String {
    match &args.command {
        Command::Compare { .. } => "compare",
        Command::Explain { .. } => "explain",
        Command::Diff(_) => "diff",
        Command::Import(import) => return format!("import {}", import.kind),
        Command::Check(_) => "check",
        Command::Reconcile(_) => "reconcile",
        Command::Report(_) => "report",
        Command::Replay(_) => "replay",
        Command::Synthesize(_) => "synthesize",
        Command::Drive(_) => "drive",
        _ => "estimate",
    }
    .to_string()
}

/// What was fetched; it is removed at the end.
pub struct Fetched {
    #[cfg(feature = "aws")]
    _folder: Option<tempfile::TempDir>,
}

/// Refuses objects of Amazon S3, and says how to read them all the same.
#[cfg(not(feature = "aws"))]
pub fn fetch(args: &mut Args) -> Result<Fetched> {
    refuse_exports(args)?;
    let command = command_of(args);
    if let Some(input) = inputs(args).first() {
        bail!(
            "{input}: this binary was built without access to AWS\nhelp: run\n  aws s3 cp {input} - | \
             dynameter {command} -\nor build one that has it with `cargo build --release --features \
             aws`"
        );
    }
    Ok(Fetched {})
}

/// Fetches every object that the arguments name, which then name the fetched files.
#[cfg(feature = "aws")]
pub fn fetch(args: &mut Args) -> Result<Fetched> {
    use crate::aws::AskProgress;
    use anyhow::Context;

    use super::{output, progress};

    refuse_exports(args)?;
    if crate::opened::is_confined() && !inputs(args).is_empty() {
        bail!("{S3} is not read here\nhelp: name a file, or give its text");
    }
    if inputs(args).is_empty() {
        return Ok(Fetched { _folder: None });
    }
    let folder = tempfile::Builder::new()
        .prefix(".dynameter-")
        .tempdir()
        .context(
            "a folder for fetched files cannot be made\nhelp: set TMPDIR to one that exists",
        )?;
    output::is_fetched_to(folder.path());
    let command = command_of(args);
    let stop = progress::interruption()?;
    progress::remove_at_the_end(folder.path());
    let bar = progress::bar(args, 1, "{prefix} {bytes}/{total_bytes} ({eta} left)");
    let mut show = |now: AskProgress| {
        bar.set_prefix(now.region);
        bar.set_length(now.total.max(now.done));
        bar.set_position(now.done);
    };
    for input in inputs(args) {
        let path = crate::aws::fetch(input, folder.path(), &stop, &mut show);
        let path = path.with_context(|| {
            format!(
                "{input}: cannot be fetched; `aws s3 cp {input} - | dynameter {command} -` reads a \
                     pipe instead"
            )
        })?;
        let Some(path) = path.to_str() else {
            bail!(
                "{}: is not UTF-8\nhelp: set TMPDIR to another folder",
                path.display()
            );
        };
        *input = path.to_string();
    }
    bar.finish_and_clear();
    Ok(Fetched {
        _folder: Some(folder),
    })
}
