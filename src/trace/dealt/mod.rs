//! Rows of a trace, dealt by the slots of their keys: each share of a file is a blob, which another
//! process executes without reading the file.
//!
//! A blob begins with [`MAGIC`] and ends with a footer, which says from which files its rows are and
//! how many rows these files have together, and with a hash of all its bytes. Between them are
//! pieces: rows of plain calls in columns, or events. Rows keep their time and their number in the
//! file, so that the order of a trace, by time, file and row, does not depend on how its rows travel.

pub(super) mod piece;
mod read;
mod write;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::columns::plain::RowPolicy;
use super::notes::Notes;
use super::share::KeyShare;
use super::{ReadOptions, SkipReason, Time, TraceError};
use crate::opened;
pub use read::DealtReader;
pub use write::BlobWriter;

/// How a blob begins and ends.
const MAGIC: &[u8; 8] = b"DYNDEALT";

/// The version of the format. Blobs of another version are refused.
const FORMAT: u32 = 2;

/// Bytes after the footer: its length, the hash, and [`MAGIC`].
const TAIL: u64 = 8 + 16 + 8;

/// A file of a trace whose rows were dealt: what its reader found, of all shares together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DealtFile {
    /// Its position among the files of the trace, from 0.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// The name of its format; empty if it is no trace and lies beside traces.
    pub format: String,
    /// Rows and events in it, of all shares.
    pub rows: u64,
    /// The sum of their signatures.
    pub signature: u64,
    /// The times of its first and its last event.
    pub span: Option<(Time, Time)>,
    /// Rows that could not be read, by reason.
    pub skipped: Vec<(SkipReason, u64)>,
    /// The first of them.
    pub first_skipped: Vec<(u64, String)>,
    /// The window of time to which it was cut, if one was asked for.
    pub asked: (Option<Time>, Option<Time>),
    /// Notes of its reader.
    pub(crate) notes: Notes,
    /// The tables and indexes that its calls name, and the time and the row that first name each.
    pub(crate) names: Vec<NamedTable>,
}

impl DealtFile {
    /// Extends the time that it covers.
    pub(crate) fn extend(&mut self, first: Time, last: Time) {
        let (from, to) = self.span.unwrap_or((first, last));
        self.span = Some((from.min(first), to.max(last)));
    }
}

/// A table, or one of its indexes, at the first row that names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NamedTable {
    /// The time of the row.
    pub time: Time,
    /// The row.
    pub row: u64,
    /// The table; `None` if the row names none.
    pub table: Option<String>,
    /// The index.
    pub index: Option<String>,
}

/// A file in a blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Own {
    file: DealtFile,
    /// Rows of this share and the sum of their signatures.
    rows: u64,
    signature: u64,
    /// The names to which the numbers in its events refer.
    names: Vec<String>,
    /// Its pieces, in the order of time.
    pieces: Vec<PieceAt>,
}

/// Where a piece is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct PieceAt {
    from: u64,
    bytes: u32,
    /// Bytes before they were compressed.
    unpacked: u32,
}

/// The end of a blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Footer {
    format: u32,
    version: String,
    share: KeyShare,
    /// The tables with a sort key, by which rows were dealt.
    sorted: Vec<String>,
    files: Vec<Own>,
}

/// The dealt rows of one share.
#[derive(Clone, Debug)]
pub struct Blob {
    name: String,
    bytes: Bytes,
    footer: Arc<Footer>,
}

/// Where the bytes of a blob are.
#[derive(Clone, Debug)]
enum Bytes {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

impl Bytes {
    fn open(&self) -> io::Result<Opened> {
        Ok(match self {
            Bytes::File(path) => Opened::File(opened::open(path)?),
            Bytes::Memory(bytes) => Opened::Memory(io::Cursor::new(bytes.clone())),
        })
    }
}

/// A blob that is being read.
enum Opened {
    File(File),
    Memory(io::Cursor<Arc<[u8]>>),
}

impl Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Opened::File(file) => file.read(into),
            Opened::Memory(bytes) => bytes.read(into),
        }
    }
}

impl Seek for Opened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Opened::File(file) => file.seek(to),
            Opened::Memory(bytes) => bytes.seek(to),
        }
    }
}

const DEAL_AGAIN: &str = "deal the file again with replay --deal, with this version";

impl Blob {
    /// Opens a file and compares it with its hash.
    ///
    /// # Errors
    /// [`TraceError`] if it is no blob of this version, or damaged.
    pub fn open(path: &Path) -> Result<Blob, TraceError> {
        Blob::new(path.display().to_string(), Bytes::File(path.to_path_buf()))
    }

    /// Takes bytes and compares them with their hash.
    ///
    /// # Errors
    /// As [`open`](Blob::open).
    pub fn of_bytes(name: &str, bytes: impl Into<Arc<[u8]>>) -> Result<Blob, TraceError> {
        Blob::new(name.to_string(), Bytes::Memory(bytes.into()))
    }

    fn new(name: String, bytes: Bytes) -> Result<Blob, TraceError> {
        let cannot = |error: io::Error| TraceError::file(&name, format!("cannot be read: {error}"));
        let mut opened = bytes.open().map_err(cannot)?;
        let wrong = |message: &str| TraceError::file(&name, message).help(DEAL_AGAIN);
        let footer = match checked_footer(&mut opened).map_err(cannot)? {
            Checked::Whole(footer) => footer,
            Checked::Damaged => {
                return Err(wrong(
                    "is damaged: its content differs from what was written",
                ));
            }
            Checked::NoBlob => {
                let message = "is not a blob of dealt rows, or is truncated";
                return Err(wrong(message));
            }
        };
        let footer: Footer = postcard::from_bytes(&footer)
            .map_err(|_| wrong("was written by another version of dynameter"))?;
        if (footer.format, footer.version.as_str()) != (FORMAT, env!("CARGO_PKG_VERSION")) {
            let message = format!(
                "was written by version {}; this is version {}",
                footer.version,
                env!("CARGO_PKG_VERSION")
            );
            return Err(wrong(&message));
        }
        Ok(Blob {
            name,
            bytes,
            footer: Arc::new(footer),
        })
    }

    /// The share that it belongs to.
    pub fn share(&self) -> KeyShare {
        self.footer.share
    }

    /// The files whose rows it has.
    pub fn files(&self) -> impl Iterator<Item = &DealtFile> {
        self.footer.files.iter().map(|own| &own.file)
    }

    /// The rows of its share.
    pub fn rows(&self) -> u64 {
        self.footer.files.iter().map(|own| own.rows).sum()
    }

    /// Rows of its share in the file at a position.
    pub(super) fn own_rows(&self, at: usize) -> u64 {
        self.footer.files.get(at).map_or(0, |own| own.rows)
    }

    /// Bytes of the rows of the file at a position.
    pub(super) fn own_bytes(&self, at: usize) -> u64 {
        let pieces = self.footer.files.get(at).map(|own| own.pieces.as_slice());
        let bytes = |piece: &PieceAt| u64::from(piece.bytes);
        pieces.unwrap_or_default().iter().map(bytes).sum()
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The files of the blobs of one share in the order of their numbers: each with its blob and its
/// position there. `count` is the number of files of the trace, if it is known.
///
/// # Errors
/// [`TraceError`] if a blob is missing, given twice, of another share or dealt in another way.
pub fn ordered(
    blobs: Vec<Blob>,
    share: KeyShare,
    count: Option<u32>,
    options: &ReadOptions,
) -> Result<Vec<(Blob, usize)>, TraceError> {
    let mut files: BTreeMap<u32, (Blob, usize)> = BTreeMap::new();
    let sorted = RowPolicy::new(options).sorted_tables();
    for blob in blobs {
        let wrong = |message: String| TraceError::file(blob.name(), message);
        if blob.share() != share {
            let message = format!("has the rows of share {}, not of {share}", blob.share());
            return Err(wrong(message).help("give each run the blobs of its own share"));
        }
        if blob.footer.sorted != sorted {
            let message = format!(
                "share {share}: its rows were dealt by other keys: tables with a sort key were {} \
                 then and are {} now",
                listed(&blob.footer.sorted),
                listed(&sorted)
            );
            return Err(wrong(message).help("give the same --workload as for --deal"));
        }
        for (at, file) in blob.files().enumerate() {
            let (number, name) = (file.number, file.name.clone());
            if let Some((other, _)) = files.insert(number, (blob.clone(), at)) {
                let message = format!(
                    "share {share}: file {number} ({name}) is in {} too",
                    other.name()
                );
                return Err(wrong(message).help("give each blob once"));
            }
        }
    }
    let mut windows = files
        .values()
        .filter_map(|(blob, at)| Some((blob, blob.files().nth(*at)?.asked)));
    if let Some((_, first)) = windows.next()
        && let Some((blob, _)) = windows.find(|(_, other)| *other != first)
    {
        let message =
            "its rows were dealt with another --from or --to than those of the other files";
        return Err(
            TraceError::file(blob.name(), message).help("deal all files with the same window")
        );
    }
    let end = files.last_key_value().map_or(0, |(last, _)| last + 1);
    let count = count.unwrap_or(end).max(end);
    let missing: Vec<String> = (0..count)
        .filter(|number| !files.contains_key(number))
        .map(|number| number.to_string())
        .collect();
    if !missing.is_empty() || count == 0 {
        let message = match count {
            0 => format!("share {share}: no blobs"),
            _ => format!(
                "share {share}: missing blobs of file {}",
                missing.join(", ")
            ),
        };
        let help = "give the blobs of all files that were dealt; files are numbered from 0";
        return Err(TraceError::file("dealt rows", message).help(help));
    }
    Ok(files.into_values().collect())
}

fn listed(tables: &[String]) -> String {
    match tables.is_empty() {
        true => "none".to_string(),
        false => tables.join(", "),
    }
}

/// What the bytes of a blob are.
enum Checked {
    Whole(Vec<u8>),
    Damaged,
    NoBlob,
}

/// Adds the next bytes of a file to a hash.
pub fn hash_bytes(file: &mut impl Read, count: u64, hash: &mut Xxh3) -> io::Result<()> {
    let mut left = count;
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        let piece = &mut buffer[..left.min(1 << 20) as usize];
        file.read_exact(piece)?;
        hash.update(piece);
        left -= piece.len() as u64;
    }
    Ok(())
}

/// The footer, if the hash fits all bytes before it.
fn checked_footer(opened: &mut Opened) -> io::Result<Checked> {
    let length = opened.seek(SeekFrom::End(0))?;
    if length < TAIL + MAGIC.len() as u64 {
        return Ok(Checked::NoBlob);
    }
    opened.seek(SeekFrom::Start(length - TAIL))?;
    let mut tail = [0; TAIL as usize];
    opened.read_exact(&mut tail)?;
    let (size, rest) = tail.split_at(8);
    let (hash, magic) = rest.split_at(16);
    let size = size
        .iter()
        .rev()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    if magic != MAGIC || size > length - TAIL - MAGIC.len() as u64 {
        return Ok(Checked::NoBlob);
    }
    let mut found = Xxh3::new();
    opened.seek(SeekFrom::Start(0))?;
    hash_bytes(opened, length - TAIL, &mut found)?;
    if found.digest128().to_le_bytes() != hash {
        return Ok(Checked::Damaged);
    }
    opened.seek(SeekFrom::Start(length - TAIL - size))?;
    let mut footer = vec![0; size as usize];
    opened.read_exact(&mut footer)?;
    Ok(Checked::Whole(footer))
}
