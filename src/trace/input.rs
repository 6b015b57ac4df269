//! Bytes of a trace: files, patterns, standard input; plain, gzip or zstd, detected from the first
//! bytes.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs_io::DecodeReaderBytes;
use flate2::bufread::MultiGzDecoder;

use super::TraceError;
use crate::opened;

/// The longest line that is read: an item of 400 KB is at most a few times larger in JSON.
pub const LINE_BYTES_MAX: u64 = 64 << 20;

/// The origin of a trace's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceSource {
    /// A file, or the folder of an export.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl TraceSource {
    /// Its name in messages.
    pub fn shown(&self) -> String {
        match self {
            TraceSource::File(path) => path.display().to_string(),
            TraceSource::Stdin => "standard input".to_string(),
        }
    }
}

/// The files that the arguments name: paths, patterns such as `logs/*.gz`, folders (all files below
/// them), and `-` for standard input. The files of a pattern or folder are sorted by name.
///
/// # Errors
/// [`TraceError`] if an argument names no file.
pub fn sources(arguments: &[String]) -> Result<Vec<TraceSource>, TraceError> {
    let mut all = Vec::new();
    for argument in arguments {
        if argument == "-" {
            all.push(TraceSource::Stdin);
            continue;
        }
        let path = Path::new(argument);
        if path.is_dir() {
            all.extend(folder(path)?);
        } else if path.exists() {
            all.push(TraceSource::File(path.to_path_buf()));
        } else if argument.contains(['*', '?', '[']) {
            let paths = glob::glob(argument)
                .map_err(|error| TraceError::file(argument, format!("invalid pattern: {error}")))?;
            let mut found: Vec<PathBuf> = paths.filter_map(Result::ok).collect();
            found.sort();
            if found.is_empty() {
                return Err(TraceError::file(argument, "no file matches the pattern"));
            }
            for path in found {
                if path.is_dir() {
                    all.extend(folder(&path)?)
                } else {
                    all.push(TraceSource::File(path))
                }
            }
        } else {
            return Err(TraceError::file(argument, "no such file"));
        }
    }
    Ok(all)
}

/// A folder is either an export or a shorthand for the files in it.
fn folder(path: &Path) -> Result<Vec<TraceSource>, TraceError> {
    if super::export::is_export(path) {
        return Ok(vec![TraceSource::File(path.to_path_buf())]);
    }
    let mut found = Vec::new();
    collect(path, &mut found)
        .map_err(|error| TraceError::file(&path.display().to_string(), error.to_string()))?;
    found.sort();
    if found.is_empty() {
        return Err(TraceError::file(
            &path.display().to_string(),
            "the folder contains no files",
        ));
    }
    Ok(found.into_iter().map(TraceSource::File).collect())
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if super::export::is_export(&path) {
            found.push(path);
        } else if path.is_dir() {
            collect(&path, found)?;
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
pub type TraceText = BufReader<Box<dyn Read + Send>>;

/// Compressions within each other that are undone.
const COMPRESSIONS_MAX: usize = 3;

/// Opens a source and decompresses it; the compression is detected from its first bytes.
///
/// # Errors
/// An I/O error if it cannot be opened.
pub fn open(source: &TraceSource, progress: &Progress) -> io::Result<TraceText> {
    let raw: Box<dyn Read + Send> = match source {
        TraceSource::File(path) => {
            let file = opened::open(path)?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            Box::new(Counting {
                inner: file,
                read: progress.read.clone(),
            })
        }
        TraceSource::Stdin => Box::new(Counting {
            inner: io::stdin(),
            read: progress.read.clone(),
        }),
    };
    let mut text = BufReader::with_capacity(1 << 17, raw);
    // Firehose compresses what CloudWatch Logs has compressed.
    for _ in 0..COMPRESSIONS_MAX {
        let plain: Box<dyn Read + Send> = match text.fill_buf()? {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(text)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(text)?),
            _ => break,
        };
        text = BufReader::with_capacity(1 << 17, plain);
    }
    // Windows PowerShell writes UTF-16, with its mark.
    if matches!(text.fill_buf()?, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        let decoded: Box<dyn Read + Send> = Box::new(DecodeReaderBytes::new(text));
        return Ok(BufReader::with_capacity(1 << 17, decoded));
    }
    Ok(text)
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
