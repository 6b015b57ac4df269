//! A run of this program for a tool, confined to some folders.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// How long a call may take.
const LONGEST: Duration = Duration::from_secs(600);

/// What a run wrote, and its exit code.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// The variable that names the folders to which a run is confined.
pub const CONFINED: &str = "DYNAMETER_CONFINED_TO";

/// Confines this process, if it was started so.
pub fn confine() {
    if let Some(folders) = std::env::var_os(CONFINED) {
        let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
        crate::opened::confine(folders);
    }
}

/// Runs this program in a folder; it may read only what is in `folders`.
///
/// # Errors
/// In words, if it cannot be started or takes too long.
pub async fn run(root: &Path, folders: &[&Path], arguments: &[String]) -> Result<Ran, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let confined = std::env::join_paths(folders).map_err(|error| error.to_string())?;
    let mut command = tokio::process::Command::new(program);
    // No setting and no credential of this machine reaches the run.
    command.env_clear();
    for needed in ["SystemRoot", "TEMP", "TMP", "TMPDIR"] {
        if let Some(value) = std::env::var_os(needed) {
            command.env(needed, value);
        }
    }
    command
        .env(CONFINED, confined)
        .env("NO_COLOR", "1")
        .current_dir(root)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let output = tokio::time::timeout(LONGEST, command.output()).await;
    let output = output
        .map_err(|_| format!("stopped after {} minutes", LONGEST.as_secs() / 60))?
        .map_err(|error| format!("cannot be run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran {
        code: output.status.code().unwrap_or(2),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    })
}
