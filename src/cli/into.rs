//! `--into`: a workload file that takes what is imported.

use std::path::Path;

use anyhow::{Context, Result};

use super::args::{Args, ImportArgs};
use super::output;
use dynameter::import::JoinedFile;
use dynameter::opened;

/// Writes the result: in place of the file of `--into`, unless `-o` names another.
pub fn written(args: &Args, asked: &ImportArgs, text: &str) -> Result<()> {
    match asked.into.as_ref().filter(|_| args.output.is_none()) {
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
    opened::read_to_string(path).with_context(|| {
        format!(
            "{}: cannot be read\nhelp: name a workload file that exists, or write a new one with -o",
            path.display()
        )
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
