//! Progress bars and Ctrl-C.

#[cfg(feature = "aws")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::Args;
use super::session;
#[cfg(feature = "replay")]
use super::signal::at_once;
use super::signal::ends_at_once;

/// How often a bar is drawn.
pub const TICK: Duration = Duration::from_millis(200);

/// What is done after a trace was read: a spinner says it, and the first Ctrl-C ends it.
#[cfg(feature = "replay")]
pub struct Working {
    bar: ProgressBar,
    /// Whether the first Ctrl-C ended the process before.
    before: bool,
}

/// Shows what is done from now on.
///
/// # Errors
/// [`ReplayError::Stopped`](crate::replay::ReplayError::Stopped) if Ctrl-C was pressed before.
#[cfg(feature = "replay")]
pub fn working(args: &Args, what: &'static str) -> Result<Working> {
    let bar = bar(args, 0, "{spinner} {msg} ({elapsed})");
    bar.set_message(what);
    let working = Working {
        bar,
        before: at_once(true),
    };
    if interruption()?.load(Ordering::SeqCst) {
        return Err(crate::replay::ReplayError::Stopped.into());
    }
    Ok(working)
}

#[cfg(feature = "replay")]
impl Drop for Working {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        at_once(self.before);
    }
}

/// A flag that Ctrl-C sets; a second Ctrl-C ends the process immediately.
pub fn interruption() -> Result<Arc<AtomicBool>> {
    if let Some(stopped) = session::stopped() {
        return Ok(stopped);
    }
    // A process has one handler; a second reader shares its flag.
    static STOPPED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(stopped) = STOPPED.get() {
        return Ok(stopped.clone());
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = stopped.clone();
    ctrlc::set_handler(move || {
        let is_second = flag.swap(true, Ordering::SeqCst);
        let at_once = ends_at_once();
        if is_second || *at_once {
            let folders = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
            for folder in folders.iter() {
                let _ = std::fs::remove_dir_all(folder);
            }
            let left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
            for text in left.iter() {
                super::output::say(text);
            }
            let (text, code) = match is_second {
                true => (
                    "ended at once by a second signal; no result was written",
                    130,
                ),
                false => ("error: stopped by Ctrl-C; no output was written", 2),
            };
            super::output::say(text);
            std::process::exit(code);
        }
    })
    .context("the Ctrl-C handler cannot be installed")?;
    Ok(STOPPED.get_or_init(|| stopped).clone())
}

/// Folders that do not stay when the process is ended.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What stays when the process is ended, in words.
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Says that something stays if a second Ctrl-C ends the process.
#[cfg(all(feature = "aws", feature = "replay"))]
pub fn stays_at_the_end(text: String) {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    left.push(text);
}

/// Removes a folder if a second Ctrl-C ends the process.
#[cfg(feature = "aws")]
pub fn remove_at_the_end(folder: &Path) {
    let mut temporary = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
    temporary.push(folder.to_path_buf());
}

/// A progress bar on standard error; hidden if that is not a terminal.
pub fn bar(args: &Args, total: u64, template: &str) -> ProgressBar {
    let target = if args.quiet || session::is_active() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(5)
    };
    let bar = ProgressBar::with_draw_target((total > 0).then_some(total), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

/// Says on standard error what is done, as long as it takes.
#[cfg(feature = "html")]
pub fn during<T>(args: &Args, what: &'static str, work: impl FnOnce() -> T) -> T {
    let bar = bar(args, 0, "{spinner} {msg} ({elapsed})");
    bar.set_message(what);
    let done = work();
    bar.finish_and_clear();
    done
}
