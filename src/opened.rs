//! The files that were read, so that no result overwrites one of them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The files that this process has read, by their canonical paths.
static OPENED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

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
/// The error of the operating system.
pub fn open(path: &Path) -> io::Result<File> {
    File::open(path).inspect(|_| remember(path))
}

/// Reads a text file, and remembers it.
///
/// # Errors
/// The error of the operating system.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path).inspect(|_| remember(path))
}

/// Whether a path leads to a regular file that this process has read, under any name.
pub fn is_opened(path: &Path) -> bool {
    let opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    path.canonicalize()
        .is_ok_and(|path| path.is_file() && opened.contains(&path))
}
