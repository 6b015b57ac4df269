//! The files that arguments name (paths, patterns, folders, standard input) and their bytes, which
//! are decompressed as they are read: gzip or zstd, detected from the first bytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "replay")]
use encoding_rs_io::DecodeReaderBytes;
use flate2::bufread::MultiGzDecoder;

use crate::diag::harmless_name;
use crate::opened;

/// The longest line that is read: an item of 400 KB is at most a few times larger in JSON.
pub const LINE_BYTES_MAX: u64 = 64 << 20;

/// Why an argument names no file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {message}")]
pub struct FilesError {
    /// The argument, or the folder.
    pub file: String,
    /// What is wrong.
    pub message: String,
}

impl FilesError {
    fn new(file: impl Into<String>, message: impl Into<String>) -> FilesError {
        FilesError {
            file: file.into(),
            message: message.into(),
        }
    }
}

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSource {
    /// A file, or a folder that is read as one thing, such as an export.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl FileSource {
    /// Its name in messages.
    pub fn shown(&self) -> String {
        match self {
            FileSource::File(path) => harmless_name(&path.display().to_string()),
            FileSource::Stdin => "standard input".to_string(),
        }
    }
}

/// The files that arguments name: paths, patterns such as `logs/*.gz`, folders (all files below
/// them), and `-` for standard input. The files of a pattern or folder are sorted by name. A folder
/// for which `is_one` is true is read as one thing.
///
/// # Errors
/// [`FilesError`] if an argument names no file.
pub fn sources(
    arguments: &[String],
    is_one: fn(&Path) -> bool,
) -> Result<Vec<FileSource>, FilesError> {
    let mut all = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            all.push(FileSource::Stdin);
        } else if path.is_dir() {
            all.extend(folder(path, is_one)?);
        } else if path.exists() {
            all.push(FileSource::File(path.to_path_buf()));
        } else if argument.contains(['*', '?', '[']) {
            for path in matching(argument)? {
                if path.is_dir() {
                    all.extend(folder(&path, is_one)?);
                } else {
                    all.push(FileSource::File(path));
                }
            }
        } else {
            return Err(FilesError::new(argument, "no such file"));
        }
    }
    Ok(all)
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, FilesError> {
    let paths = glob::glob(pattern)
        .map_err(|error| FilesError::new(pattern, format!("invalid pattern: {error}")))?;
    let mut found: Vec<PathBuf> = paths.filter_map(Result::ok).collect();
    found.sort();
    if found.is_empty() {
        return Err(FilesError::new(pattern, "no file matches the pattern"));
    }
    Ok(found)
}

fn folder(path: &Path, is_one: fn(&Path) -> bool) -> Result<Vec<FileSource>, FilesError> {
    if is_one(path) {
        return Ok(vec![FileSource::File(path.to_path_buf())]);
    }
    let mut found = Vec::new();
    let mut visited = BTreeSet::new();
    collect(path, is_one, &mut visited, &mut found)
        .map_err(|error| FilesError::new(path.display().to_string(), error.to_string()))?;
    found.sort();
    if found.is_empty() {
        let message = "the folder contains no files";
        return Err(FilesError::new(path.display().to_string(), message));
    }
    Ok(found.into_iter().map(FileSource::File).collect())
}

/// Files below a folder; a folder that links lead to again is read once.
fn collect(
    folder: &Path,
    is_one: fn(&Path) -> bool,
    visited: &mut BTreeSet<PathBuf>,
    found: &mut Vec<PathBuf>,
) -> io::Result<()> {
    if !visited.insert(folder.canonicalize()?) {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() && !is_one(&path) {
            collect(&path, is_one, visited, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// The bytes read so far and the total; shared with the code that shows progress.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Bytes read, before decompression.
    pub read: Arc<AtomicU64>,
    /// Bytes of all files.
    pub total: Arc<AtomicU64>,
    /// Rows read.
    pub rows: Arc<AtomicU64>,
}

struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A source's bytes, decompressed.
pub type FileText = BufReader<Box<dyn Read + Send>>;

/// Compressions within each other that are undone.
const COMPRESSIONS_MAX: usize = 3;

/// Opens a source and decompresses it; the compression is detected from its first bytes.
///
/// # Errors
/// An I/O error if it cannot be opened.
pub fn open(source: &FileSource, progress: &Progress) -> io::Result<FileText> {
    let raw: Box<dyn Read + Send> = match source {
        FileSource::File(path) => {
            // A pipe without a writer would wait for one.
            if !std::fs::metadata(path)?.is_file() {
                return Err(io::Error::other("not a regular file; read a pipe with `-`"));
            }
            let file = opened::open(path)?;
            Box::new(Counting {
                inner: file,
                read: progress.read.clone(),
            })
        }
        FileSource::Stdin => Box::new(Counting {
            inner: io::stdin(),
            read: progress.read.clone(),
        }),
    };
    decompressed(raw)
}

/// Decompresses bytes; the compression is detected from the first of them.
///
/// # Errors
/// An I/O error if they cannot be read.
pub(crate) fn decompressed<'a>(
    raw: Box<dyn Read + Send + 'a>,
) -> io::Result<BufReader<Box<dyn Read + Send + 'a>>> {
    let mut text = BufReader::with_capacity(1 << 17, raw);
    // Firehose compresses what CloudWatch Logs has compressed.
    for _ in 0..COMPRESSIONS_MAX {
        let plain: Box<dyn Read + Send + 'a> = match text.fill_buf()? {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(text)),
            #[cfg(feature = "replay")]
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(text)?),
            _ => break,
        };
        text = BufReader::with_capacity(1 << 17, plain);
    }
    // Windows PowerShell writes UTF-16, with its mark.
    #[cfg(feature = "replay")]
    if matches!(text.fill_buf()?, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        let decoded: Box<dyn Read + Send + 'a> = Box::new(DecodeReaderBytes::new(text));
        return Ok(BufReader::with_capacity(1 << 17, decoded));
    }
    Ok(text)
}

/// A file whose parts are read in any order.
pub(crate) enum Whole {
    /// The file itself.
    File(File),
    /// Its bytes, if it is compressed or comes from standard input.
    Bytes(Vec<u8>),
}

impl Whole {
    /// A file that begins with `magic`, once it is decompressed to `text`.
    pub fn read(source: &FileSource, magic: &[u8], mut text: impl Read) -> io::Result<Whole> {
        if let FileSource::File(path) = source
            && is_plain(path, magic)
        {
            return opened::open(path).map(Whole::File);
        }
        let mut bytes = Vec::new();
        text.read_to_end(&mut bytes)?;
        Ok(Whole::Bytes(bytes))
    }
}

/// Whether a file begins with these bytes without being decompressed.
fn is_plain(path: &Path, magic: &[u8]) -> bool {
    let mut first = [0; 4];
    let read = opened::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first.starts_with(magic)
}

/// Why reading stopped, as a message; says so if compressed data is truncated.
pub fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the compressed data is incomplete; the file is truncated".to_string()
        }
        _ => format!("cannot be read: {error}"),
    }
}
