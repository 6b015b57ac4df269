//! Results and failures that a user sees.

use std::borrow::Cow;
use std::fmt;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use super::args::{Args, ColorChoice, OutputFormat};
use super::session;
use super::signal::writing;
use crate::diag::{Diagnostic, Diagnostics, harmless};
use crate::opened;
use crate::report::{Present, Style};

/// Failures that are already formatted for the user.
#[derive(Debug)]
pub struct Reported {
    text: String,
    diagnostics: Vec<Diagnostic>,
}

impl Reported {
    /// Several failures, each told once.
    pub fn of(errors: Vec<anyhow::Error>) -> Reported {
        let mut texts: Vec<String> = errors.iter().map(failure).collect();
        texts.dedup();
        Reported {
            text: texts.join("\n\n"),
            diagnostics: errors.iter().flat_map(diagnostics).collect(),
        }
    }
}

/// The mistakes of a failure that have a place in a text.
pub fn diagnostics(error: &anyhow::Error) -> Vec<Diagnostic> {
    if let Some(found) = error.downcast_ref::<Diagnostics>() {
        return found.list().to_vec();
    }
    let reported = error.downcast_ref::<Reported>();
    reported.map_or_else(Vec::new, |reported| reported.diagnostics.clone())
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Reported {}

/// Formats a failure; diagnostics of files and failures of several files are already formatted.
pub fn failure(error: &anyhow::Error) -> String {
    if error.is::<Diagnostics>() || error.is::<Reported>() {
        error.to_string()
    } else {
        harmless(&format!("error: {error:#}"))
    }
}

/// Prints a message to standard error; ignores a closed one.
pub fn say(text: &str) {
    if session::say(&with_addresses(text)) {
        return;
    }
    let _ = writeln!(std::io::stderr().lock(), "{}", with_addresses(text));
}

/// The folder to which objects of Amazon S3 were fetched, with its `/`.
static FETCHED: OnceLock<String> = OnceLock::new();

/// Names the folder to which objects were fetched: outputs show their addresses instead.
#[cfg(feature = "aws")]
pub fn is_fetched_to(folder: &Path) {
    let _ = FETCHED.set(format!("{}/", folder.display()));
}

/// A text in which fetched files have the addresses that they were fetched from.
fn with_addresses(text: &str) -> Cow<'_, str> {
    match FETCHED.get() {
        Some(folder) => Cow::Owned(text.replace(folder, "s3://")),
        None => Cow::Borrowed(text),
    }
}

/// How the result looks: on a terminal with colour and as wide as that is, elsewhere as it is.
pub fn style(args: &Args) -> Style {
    let is_terminal =
        args.output.is_none() && !session::is_active() && std::io::stdout().is_terminal();
    Style {
        color: args.output.is_none() && has_color(args.color, is_terminal),
        width: is_terminal.then(width).flatten(),
    }
}

/// Whether a stream gets colour: as `--color` says, else as the environment says, by the conventions of
/// `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM`.
fn has_color(choice: ColorChoice, is_terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if session::is_active() || anstyle_query::no_color() => false,
        ColorChoice::Auto => {
            anstyle_query::clicolor_force()
                || (is_terminal
                    && anstyle_query::clicolor() != Some(false)
                    && anstyle_query::term_supports_color())
        }
    }
}

/// The width of the terminal in columns: `COLUMNS`, else what the terminal says.
fn width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns.and_then(|columns| columns.parse().ok());
    let of_terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.filter(|width| *width > 0).or_else(of_terminal)
}

/// Prints a failure to standard error: its words `error`, `warning` and `help` in colour.
pub fn say_failure(choice: ColorChoice, text: &str) {
    match has_color(choice, std::io::stderr().is_terminal()) {
        true => say(&painted(text)),
        false => say(text),
    }
}

/// A failure with its words in colour: what stands before the first colon of a line, or after its place.
fn painted(text: &str) -> String {
    const WORDS: [(&str, &str); 4] = [
        ("error", "1;31"),
        ("warning", "1;33"),
        ("help", "1;36"),
        ("note", "1;36"),
    ];
    let line = |line: &str| {
        let word = |(word, color): &(&str, &str)| {
            let at = match line.starts_with(word) {
                true => 0,
                false => line.find(&format!(": {word}"))? + 2,
            };
            // The word, and the code that may follow it.
            let end = at + line[at..].find(": ")?;
            let is_it =
                line[at + word.len()..end].is_empty() || line[at + word.len()..].starts_with('[');
            is_it.then(|| {
                let (before, rest) = line.split_at(at);
                let (own, after) = rest.split_at(end - at);
                format!("{before}\u{1b}[{color}m{own}\u{1b}[0m{after}")
            })
        };
        WORDS
            .iter()
            .find_map(word)
            .unwrap_or_else(|| line.to_string())
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Writes the result to standard output, or to the file of `-o`.
pub fn write(args: &Args, text: &str) -> Result<()> {
    let text = &*with_addresses(text);
    match args.output.as_ref().filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            refuse_inputs(path)?;
            replaced(path, text, true)?;
            note(args, &format!("wrote {}", path.display()));
            Ok(())
        }
        None => print(text),
    }
}

/// Writes to standard output.
pub fn print(text: &str) -> Result<()> {
    let _whole = writing();
    if session::print(text.as_bytes()) {
        return Ok(());
    }
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // The reader has closed the pipe, which is not an error.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

/// Refuses to write a result over a file that the command has read.
pub fn refuse_inputs(path: &Path) -> Result<()> {
    if opened::is_opened(path) {
        bail!(
            "{}: is a file that this command reads\nhelp: name another file for the result",
            path.display()
        );
    }
    Ok(())
}

/// Like `write`, but never overwrites an existing file, which the user may have edited.
pub fn new(args: &Args, text: &str) -> Result<()> {
    match args.output.as_ref().filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            create(path, text)?;
            note(
                args,
                &format!(
                    "wrote {0}; replace the \"unknown\" values, then run: dynameter estimate {0}",
                    path.display()
                ),
            );
            Ok(())
        }
        None => write(args, text),
    }
}

/// A folder that gets its name once everything is in it.
#[cfg(feature = "aws")]
pub struct NewFolder<'a> {
    /// The name.
    path: &'a Path,
    /// Where it is until then.
    beside: tempfile::TempDir,
}

#[cfg(feature = "aws")]
impl<'a> NewFolder<'a> {
    /// A folder that must not exist yet.
    pub fn new(path: &'a Path) -> Result<NewFolder<'a>> {
        must_not_exist(path)?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let beside = tempfile::Builder::new()
            .prefix(".dynameter-")
            .tempdir_in(parent)
            .map_err(|error| failed(path, &error))?;
        Ok(NewFolder { path, beside })
    }

    /// Where its files are written.
    pub fn path(&self) -> &Path {
        self.beside.path()
    }

    /// Gives it its name.
    pub fn keep(self) -> Result<&'a Path> {
        must_not_exist(self.path)?;
        std::fs::rename(self.beside.path(), self.path)
            .map_err(|error| failed(self.path, &error))?;
        Ok(self.path)
    }
}

fn exists(path: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{}: exists already and is not overwritten\nhelp: name another file, or remove this one",
        path.display()
    )
}

/// Refuses a path at which something is already.
pub fn must_not_exist(path: &Path) -> Result<()> {
    match path.exists() {
        true => Err(exists(path)),
        false => Ok(()),
    }
}

/// Writes a file that the command was asked to change.
pub fn over(path: &Path, text: &str) -> Result<()> {
    replaced(path, text, true)
}

/// Writes a file that must not exist yet.
pub fn create(path: &Path, text: &str) -> Result<()> {
    replaced(path, text, false)
}

/// Writes a file with `fill`, to a temporary file that is renamed once complete; returns what
/// `fill` returns.
#[cfg(feature = "replay")]
pub fn file<T>(path: &Path, fill: impl FnOnce(&mut std::fs::File) -> Result<T>) -> Result<T> {
    refuse_inputs(path)?;
    let resolved = path.canonicalize().ok();
    let path = resolved.as_deref().unwrap_or(path);
    if let Some(mut device) = device(path)? {
        return fill(&mut device).with_context(|| path.display().to_string());
    }
    let mut file = beside(path)?;
    let done = fill(file.as_file_mut()).with_context(|| path.display().to_string())?;
    file.as_file()
        .sync_all()
        .map_err(|error| failed(path, &error))?;
    file.persist(path)
        .map_err(|error| failed(path, &error.error))?;
    Ok(done)
}

/// What is at a path if it is neither a file nor a folder, such as a pipe.
#[cfg(feature = "replay")]
fn device(path: &Path) -> Result<Option<std::fs::File>> {
    if path.is_dir() {
        bail!("{}: is a folder\nhelp: name a file in it", path.display());
    }
    if !path.exists() || path.is_file() {
        return Ok(None);
    }
    let opened = std::fs::OpenOptions::new().write(true).open(path);
    opened
        .with_context(|| format!("{}: cannot be written", path.display()))
        .map(Some)
}

/// Writes a part to the file of `-o`, or to standard output.
#[cfg(feature = "replay")]
pub fn part(
    args: &Args,
    what: &str,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    let Some(path) = args.output.as_ref().filter(|path| path.as_os_str() != "-") else {
        if session::is_active() {
            let mut bytes = Vec::new();
            fill(&mut bytes)?;
            session::print(&bytes);
            return Ok(());
        }
        let mut out = std::io::BufWriter::new(std::io::stdout());
        if std::io::stdout().is_terminal() {
            bail!("a part is not for a terminal\nhelp: name a file with -o, or use a pipe");
        }
        fill(&mut out)?;
        return out.flush().context("cannot write to standard output");
    };
    file(path, |into| fill(into))?;
    note(args, &format!("wrote {what} to {}", path.display()));
    Ok(())
}

/// Where a checkpoint is written before it replaces the one before. Its name is always the same, so that
/// the next run removes what a run that was killed has left.
#[cfg(feature = "replay")]
fn unfinished(checkpoint: &Path) -> std::path::PathBuf {
    let resolved = checkpoint.canonicalize().ok();
    let checkpoint = resolved.as_deref().unwrap_or(checkpoint);
    let name = checkpoint.file_name().unwrap_or_default();
    checkpoint.with_file_name(format!(".{}.unfinished", name.to_string_lossy()))
}

/// Removes a checkpoint that is no longer needed, and what is left of one that was not finished.
#[cfg(feature = "replay")]
pub fn forget(checkpoint: &Path) {
    for path in [unfinished(checkpoint).as_path(), checkpoint] {
        std::fs::remove_file(path).ok();
    }
}

/// Writes a checkpoint, which may replace the one that the command has read.
#[cfg(feature = "replay")]
pub fn save<T>(path: &Path, fill: impl FnOnce(&mut std::fs::File) -> Result<T>) -> Result<T> {
    // A symbolic link is followed: its target is replaced, not the link.
    let resolved = path.canonicalize().ok();
    let path = resolved.as_deref().unwrap_or(path);
    if let Some(mut device) = device(path)? {
        return fill(&mut device).with_context(|| path.display().to_string());
    }
    let wrong = |error: std::io::Error| failed(path, &error);
    let started = unfinished(path);
    std::fs::remove_file(&started).ok();
    let mut file = std::fs::File::create_new(&started).map_err(wrong)?;
    // Removed unless it becomes the checkpoint.
    let started = tempfile::TempPath::try_from_path(started).map_err(wrong)?;
    if let Ok(existing) = std::fs::metadata(path) {
        file.set_permissions(existing.permissions())
            .map_err(wrong)?;
    }
    let done = fill(&mut file).with_context(|| path.display().to_string())?;
    file.sync_all().map_err(wrong)?;
    drop(file);
    started.persist(path).map_err(|error| wrong(error.error))?;
    Ok(done)
}

/// Writes price books into a folder: all are complete in temporary files before the first is
/// renamed.
pub fn books(folder: &Path, texts: &std::collections::BTreeMap<String, String>) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut written = Vec::new();
    for (region, text) in texts {
        let path = folder.join(format!("{region}.toml"));
        let mut file = beside(&path)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.as_file().sync_all())
            .map_err(|error| failed(&path, &error))?;
        written.push((file, path));
    }
    for (file, path) in written {
        file.persist(&path)
            .map_err(|error| failed(&path, &error.error))?;
    }
    Ok(())
}

/// A temporary file in a folder, which others may read as they may read any file made there.
pub fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".dynameter-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// A temporary file in the folder of `path`, to be renamed to it.
fn beside(path: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = temporary(folder).map_err(|error| failed(path, &error))?;
    if let Ok(existing) = std::fs::metadata(path) {
        file.as_file()
            .set_permissions(existing.permissions())
            .map_err(|error| failed(path, &error))?;
    }
    Ok(file)
}

fn failed(path: &Path, error: &std::io::Error) -> anyhow::Error {
    let help = match error.kind() {
        ErrorKind::StorageFull => "free some space, or name a file on another disk",
        _ => "name a file in a folder that exists and is writable",
    };
    anyhow::anyhow!(
        "{}: cannot be written: {error}\nhelp: {help}",
        path.display()
    )
}

/// Prints a message to standard error, unless `--quiet` is given.
pub fn note(args: &Args, text: &str) {
    if !args.quiet {
        say(text);
    }
}

/// Writes a file atomically, over one that may be there.
pub fn replace(path: &Path, text: &str) -> Result<()> {
    refuse_inputs(path)?;
    replaced(path, text, true)
}

/// Writes a file atomically: to a temporary file, which is then renamed.
fn replaced(path: &Path, text: &str, overwrite: bool) -> Result<()> {
    let _whole = writing();
    // A symbolic link is followed: its target is replaced, not the link.
    let resolved = if overwrite {
        path.canonicalize().ok()
    } else {
        None
    };
    let device = overwrite
        && path.exists()
        && (path.starts_with("/dev") || path.starts_with("/proc") || !path.is_file());
    if device && !path.is_dir() {
        return std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("{}: cannot be written", path.display()));
    }
    let path = resolved.as_deref().unwrap_or(path);
    let shown = path.display();
    if path.is_dir() {
        bail!("{shown}: is a folder\nhelp: name a file in it");
    }
    let failed = |error: std::io::Error| failed(path, &error);
    let mut file = beside(path)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed)?;
    if overwrite {
        file.persist(path).map_err(|error| failed(error.error))?;
    } else if let Err(error) = file.persist_noclobber(path) {
        return Err(match error.error.kind() {
            ErrorKind::AlreadyExists => exists(path),
            _ => failed(error.error),
        });
    }
    Ok(())
}

/// Writes a result in the requested format.
pub fn present(args: &Args, value: &impl Present) -> Result<()> {
    write(args, &rendered(args, value)?)
}

/// A result in the requested format.
pub fn rendered(args: &Args, value: &impl Present) -> Result<String> {
    Ok(match args.format {
        OutputFormat::Json => value.json()?,
        OutputFormat::Markdown => value.markdown()?,
        OutputFormat::Csv => value.csv(),
        _ => value.text(style(args))?,
    })
}
