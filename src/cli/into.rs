//! `--into`: a workload file that takes what is imported.

use std::path::Path;

use anyhow::{Result, bail};

use super::args::{Args, ImportArgs};
use super::output;
use crate::diag::harmless;
use crate::import::{JoinError, JoinedFile, join};
use crate::opened;

/// Writes the result: in place of the file of `--into`, unless `-o` names another.
pub fn written(args: &Args, asked: &ImportArgs, text: &str) -> Result<()> {
    match asked.into.as_ref().filter(|_| args.output.is_none()) {
        Some(path) if existing(path)? == text => {
            output::note(args, &format!("{}: stays as it is", path.display()));
            Ok(())
        }
        Some(path) => {
            output::over(path, text)?;
            output::note(args, &format!("wrote {}", path.display()));
            Ok(())
        }
        None => output::new(args, text),
    }
}

/// The workload file of `--into`.
pub fn existing(path: &Path) -> Result<String> {
    const HELP: &str = "name a workload file that exists, or write a new one with -o";
    let text = opened::read_to_string(path);
    let text = text.map_err(|error| {
        anyhow::anyhow!("{}: cannot be read: {error}\nhelp: {HELP}", path.display())
    })?;
    let plain = text.trim_start_matches('\u{feff}');
    match plain.parse::<toml::Table>() {
        Ok(_) => Ok(text),
        Err(error) => bail!(
            "{}: is not TOML: {}\nhelp: {HELP}",
            path.display(),
            harmless(error.message())
        ),
    }
}

/// Joins a workload file with what was imported from a file of this name.
pub fn joined(first: &str, second: &str, name: &str) -> Result<JoinedFile> {
    join(first, second).map_err(|error| {
        let help = match error {
            JoinError::Region { .. } => "import each region into a file of its own",
            _ => "correct the file",
        };
        anyhow::anyhow!("{name}: {error}\nhelp: {help}")
    })
}

/// How many paths a message lists.
const LISTED: usize = 10;

/// Says what an import into an existing file has taken, and what it has left as it was.
pub fn say_what_changed(args: &Args, name: &str, joined: &JoinedFile, is_into: bool) {
    let listed = |paths: &[String]| {
        let mut text: String = paths
            .iter()
            .take(LISTED)
            .map(|path| format!("\n  {path}"))
            .collect();
        if paths.len() > LISTED {
            text.push_str(&format!("\n  and {} more", paths.len() - LISTED));
        }
        text
    };
    if is_into {
        let text = match joined.added.len() {
            0 => format!("{name}: has nothing new"),
            1 => format!("{name}: 1 value was added:{}", listed(&joined.added)),
            count => format!(
                "{name}: {count} values were added:{}",
                listed(&joined.added)
            ),
        };
        output::note(args, &text);
    }
    if !joined.kept.is_empty() {
        let text = format!("{name}: says something else:{}", listed(&joined.kept));
        output::note(args, &text);
    }
}
