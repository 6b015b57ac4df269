//! The files that were read, so that no result overwrites one of them; and the folders to which a
//! process is confined.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The files that this process has read, by their canonical paths.
static OPENED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The folders outside of which nothing is read; everywhere if none is set.
static CONFINED: OnceLock<Vec<PathBuf>> = OnceLock::new();

/// Confines this process: from now on, only files below these folders are read. They must be
/// canonical paths.
pub fn confine(folders: Vec<PathBuf>) {
    // Confined once, it stays so.
    let _ = CONFINED.set(folders);
}

/// Whether this process is confined, so that it uses no network either.
pub fn is_confined() -> bool {
    CONFINED.get().is_some()
}

/// Whether a process that may be confined may read a path.
pub fn is_readable(path: &Path) -> bool {
    must_be_inside(path).is_ok()
}

/// Whether a path may be read.
fn must_be_inside(path: &Path) -> io::Result<()> {
    let Some(folders) = CONFINED.get() else {
        return Ok(());
    };
    let path = path.canonicalize()?;
    let is_file = path.metadata()?.is_file();
    match folders.iter().any(|folder| path.starts_with(folder)) {
        true if is_file => Ok(()),
        true => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "is not a regular file",
        )),
        false => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "lies outside of the folder that may be read",
        )),
    }
}

fn remember(path: &Path) {
    if let Ok(path) = path.canonicalize() {
        OPENED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path);
    }
}

/// Opens a file to read it, and remembers it.
///
/// # Errors
/// The error of the operating system, or that the process is confined to other folders.
pub fn open(path: &Path) -> io::Result<File> {
    must_be_inside(path)?;
    File::open(path).inspect(|_| remember(path))
}

/// Reads a text file, and remembers it.
///
/// # Errors
/// The error of the operating system, or that the process is confined to other folders.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    must_be_inside(path)?;
    std::fs::read_to_string(path).inspect(|_| remember(path))
}

/// The files that this process has read, by their canonical paths.
pub fn paths() -> Vec<PathBuf> {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    opened.iter().cloned().collect()
}

/// Whether a path leads to a regular file that this process has read, under any name.
pub fn is_opened(path: &Path) -> bool {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    path.canonicalize()
        .is_ok_and(|path| path.is_file() && opened.contains(&path))
}
