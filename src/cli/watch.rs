//! `--watch`: a command again whenever a file that it read changes.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use super::args::{Args, Command};
use super::{executed, output};
use crate::opened;

/// How often the files are looked at.
const TICK: Duration = Duration::from_millis(200);

/// Clears a terminal, and goes to its beginning.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// Whether a command is to run again and again.
pub fn is_asked(command: &Command) -> bool {
    match command {
        Command::Estimate(asked) => asked.watch,
        Command::Check(asked) => asked.watch,
        _ => false,
    }
}

/// The files that were read, and what shows that one has changed: its time and its size, or that it is
/// gone.
fn files() -> BTreeMap<PathBuf, Option<(String, u64)>> {
    let state = |path: PathBuf| {
        let found = path.metadata().ok();
        let found = found.and_then(|found| {
            let time = found.modified().ok()?;
            Some((format!("{time:?}"), found.len()))
        });
        (path, found)
    };
    opened::paths().into_iter().map(state).collect()
}

/// Runs a command, and again after each change, until the process is ended. Returns the exit code of a
/// command that read no file.
pub fn run(args: &Args) -> u8 {
    let is_terminal = std::io::stdout().is_terminal() && args.output.is_none();
    loop {
        let code = executed(&mut args.clone());
        let before = files();
        if before.is_empty() {
            return code;
        }
        output::note(args, "watching for changes; Ctrl-C ends");
        // A file that is being written changes for a while, and may be gone for a moment.
        let mut last = before.clone();
        loop {
            std::thread::sleep(TICK);
            let now = files();
            if now != before && now == last && now.values().all(Option::is_some) {
                break;
            }
            last = now;
        }
        let _ = output::print(if is_terminal { CLEAR } else { "\n" });
    }
}
