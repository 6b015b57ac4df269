//! Defaults of flags: environment variables, and the file `dynameter.toml` beside the designs or in a
//! folder above them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::args::{Args, Command, Defaults};
use crate::opened;

/// The name of the file.
const FILE: &str = "dynameter.toml";

/// The file of defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultsFile {
    /// The budget file of `check`.
    budget: Option<String>,
    /// The usage file of plans and templates.
    usage: Option<String>,
    /// The region of plans and templates that say none.
    region: Option<String>,
    /// The date of the prices, or a folder of price books.
    prices: Option<String>,
    /// The file of commitments.
    commitments: Option<String>,
    /// Hours in a month.
    month_hours: Option<String>,
}

/// Sets what the command leaves open: from the environment, else from the file.
pub fn apply(args: &mut Args) -> Result<()> {
    let (file, folder) = match designs_of(&args.command) {
        Some(paths) => read(paths.first().map_or("-", String::as_str))?,
        None => (DefaultsFile::default(), PathBuf::new()),
    };
    // Paths in the file are relative to it.
    let path =
        |path: Option<String>| path.map(|path| folder.join(path).to_string_lossy().into_owned());
    let from_environment = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    args.defaults = Defaults {
        region: from_environment("DYNAMETER_REGION").or(file.region),
        usage: from_environment("DYNAMETER_USAGE").or(path(file.usage)),
    };
    let prices = file
        .prices
        .map(|prices| match folder.join(&prices).is_dir() {
            true => folder.join(&prices).to_string_lossy().into_owned(),
            false => prices,
        });
    // An import prices nothing.
    let is_priced = !matches!(args.command, Command::Import(_));
    args.prices = args.prices.take().or(prices.filter(|_| is_priced));
    if !args.list_prices {
        args.commitments = args.commitments.take().or(path(file.commitments));
    }
    let month_hours = file.month_hours.filter(|_| is_priced);
    args.month_hours = args.month_hours.take().or(month_hours);
    if let Command::Check(check) = &mut args.command {
        check.budget = check.budget.take().or(path(file.budget));
    }
    Ok(())
}

/// The designs that a command names; `None` for commands about something else.
fn designs_of(command: &Command) -> Option<Vec<String>> {
    Some(match command {
        Command::Estimate(asked) => asked.workloads.clone(),
        Command::Check(check) => check.workloads.clone(),
        Command::Compare(asked) => asked.workloads.clone(),
        Command::Explain(asked) => asked.workloads.clone(),
        Command::Diff(diff) => diff.new.iter().chain([&diff.old]).cloned().collect(),
        Command::Report(report) => report.workloads.clone(),
        Command::Reconcile(asked) => asked.workload.clone(),
        Command::Import(import) => import.files.clone(),
        Command::Drive(drive) => vec![drive.workload.clone()],
        _ => return None,
    })
}

/// The file beside a design or in a folder above it, and its folder.
fn read(design: &str) -> Result<(DefaultsFile, PathBuf)> {
    let start = match design == "-" || design.contains("://") {
        true => PathBuf::new(),
        false => Path::new(design)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default(),
    };
    let absolute = std::path::absolute(match start.as_os_str().is_empty() {
        true => Path::new("."),
        false => &start,
    })?;
    let found = absolute
        .ancestors()
        .find(|folder| folder.join(FILE).is_file() && opened::is_readable(&folder.join(FILE)));
    let Some(folder) = found else {
        return Ok((DefaultsFile::default(), PathBuf::new()));
    };
    let path = folder.join(FILE);
    let text = opened::read_to_string(&path)
        .with_context(|| format!("{}: cannot be read", path.display()))?;
    let file = toml::from_str(&text).map_err(|error| {
        anyhow::anyhow!(
            "{}: {}\nhelp: the keys are budget, usage, region, prices, commitments and month_hours, \
             each a text",
            path.display(),
            error.to_string().trim_end()
        )
    })?;
    Ok((file, relative(folder)?))
}

/// A folder relative to the current one, as messages and annotations show paths.
fn relative(folder: &Path) -> Result<PathBuf> {
    let here = std::env::current_dir()?;
    if let Ok(below) = folder.strip_prefix(&here) {
        return Ok(below.to_path_buf());
    }
    match here.strip_prefix(folder) {
        Ok(above) => Ok(above.components().map(|_| "..").collect()),
        Err(_) => Ok(folder.to_path_buf()),
    }
}
