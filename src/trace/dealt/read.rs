//! Reads the rows of one file in a blob.

use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::Ordering;

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::piece::{Piece as Written, signature};
use super::{Blob, DEAL_AGAIN, Opened, Own};
use crate::files::Progress;
use crate::trace::columns::plain::RowPolicy;
use crate::trace::{
    Event, KeyShare, Name, Piece, ReadOptions, Shared, TraceError, TraceReader, What,
};

/// Pieces that are decoded in one round, so that every thread has enough work.
const ROUND_PIECES: usize = 16;

/// Reads the rows of one file.
pub struct DealtReader {
    blob: Blob,
    /// The position of the file in the blob.
    at: usize,
    opened: Option<Opened>,
    /// The next piece.
    next: usize,
    /// The names of the blob in the trace.
    names: Option<Vec<Name>>,
    policy: RowPolicy,
    keep_keys: bool,
    progress: Progress,
    /// Rows read so far and the sum of their signatures.
    rows: u64,
    signature: u64,
}

impl DealtReader {
    /// Reads the file at a position of a blob.
    pub fn new(blob: Blob, at: usize, options: &ReadOptions, progress: Progress) -> DealtReader {
        DealtReader {
            blob,
            at,
            opened: None,
            next: 0,
            names: None,
            policy: RowPolicy::new(options),
            keep_keys: options.keep_keys,
            progress,
            rows: 0,
            signature: 0,
        }
    }

    fn own(&self) -> &Own {
        &self.blob.footer.files[self.at]
    }

    fn damaged(&self, what: &str) -> TraceError {
        let message = format!("share {}: {what}", self.blob.share());
        TraceError::file(self.blob.name(), message).help(DEAL_AGAIN)
    }

    /// The bytes of some pieces.
    fn read(&mut self, count: usize) -> Result<Vec<(Vec<u8>, u32)>, TraceError> {
        let cannot = |error: std::io::Error| {
            TraceError::file(self.blob.name(), format!("cannot be read: {error}"))
        };
        let opened = match &mut self.opened {
            Some(opened) => opened,
            none => none.insert(self.blob.bytes.open().map_err(cannot)?),
        };
        let pieces = &self.blob.footer.files[self.at].pieces;
        let mut read = Vec::new();
        for piece in pieces.iter().skip(self.next).take(count) {
            let mut bytes = vec![0; piece.bytes as usize];
            let done = opened.seek(SeekFrom::Start(piece.from));
            done.and_then(|_| opened.read_exact(&mut bytes))
                .map_err(cannot)?;
            read.push((bytes, piece.unpacked));
        }
        self.next += read.len();
        Ok(read)
    }

    /// Whether a row belongs to the share; every share executes the definitions of tables.
    fn is_own(share: KeyShare, event: &Event, slot: u8) -> bool {
        let is_definition = match &event.what {
            What::Request(request) => request.api.is_free(),
            _ => false,
        };
        is_definition || share.owns(slot)
    }

    /// Adds the rows of decoded pieces to what was read, and compares it at the end with what the
    /// footer says.
    fn count(&mut self, pieces: &[Piece]) -> Result<(), TraceError> {
        let share = self.blob.share();
        for piece in pieces {
            match piece {
                Piece::Rows(rows) => {
                    self.rows += rows.rows.len() as u64;
                    self.signature = self.signature.wrapping_add(rows.signature);
                }
                Piece::Events(events) => {
                    for event in events.iter().filter(|event| share.counts_event(event)) {
                        self.rows += 1;
                        self.signature = self.signature.wrapping_add(signature(event));
                    }
                }
            }
        }
        let own = self.own();
        let is_whole = (self.rows, self.signature) == (own.rows, own.signature);
        if self.next == own.pieces.len() && !is_whole {
            return Err(self.damaged("its rows are not those that its footer counts"));
        }
        Ok(())
    }
}

impl KeyShare {
    /// Whether it counts an event that is in its blob: definitions of tables are in all blobs.
    pub(crate) fn counts_event(self, event: &Event) -> bool {
        match &event.what {
            What::Request(request) => self.number == 1 || !request.api.is_free(),
            _ => true,
        }
    }
}

/// A piece as it is read, with the names of the trace; `None` if it is damaged or has rows of
/// another share.
fn decoded(
    (bytes, unpacked): (&[u8], u32),
    reader: (&RowPolicy, bool, KeyShare),
    file: u32,
    names: &[Name],
) -> Option<Piece> {
    let (policy, keep_keys, share) = reader;
    let bytes = zstd::bulk::decompress(bytes, unpacked as usize).ok()?;
    match postcard::from_bytes(&bytes).ok()? {
        Written::Rows(piece) => {
            let rows = piece.rows(file, names, policy.spare())?;
            let has = |slot: &usize| !rows.slot(*slot).is_empty();
            let slots = (0..crate::trace::SLOTS).filter(has);
            let are_own = slots.into_iter().all(|slot| share.owns(slot as u8));
            are_own.then(|| match keep_keys {
                true => Piece::Events(rows.events()),
                false => Piece::Rows(rows),
            })
        }
        Written::Events(piece) => {
            let slots = piece.slots();
            let events = piece.events(file, names)?;
            let is_own = |(event, slot): (&Event, u8)| DealtReader::is_own(share, event, slot);
            let are_own = events.iter().zip(slots).all(is_own);
            are_own.then_some(Piece::Events(events))
        }
    }
}

impl TraceReader for DealtReader {
    fn pieces(
        &mut self,
        look: bool,
        shared: &mut Shared,
    ) -> Result<(Vec<Piece>, bool), TraceError> {
        let own = &self.blob.footer.files[self.at];
        let names = self
            .names
            .get_or_insert_with(|| {
                own.names
                    .iter()
                    .map(|name| shared.names.number(name))
                    .collect()
            })
            .clone();
        let read = self.read(if look { 1 } else { ROUND_PIECES })?;
        let bytes: u64 = read.iter().map(|(bytes, _)| bytes.len() as u64).sum();
        self.progress.read.fetch_add(bytes, Ordering::Relaxed);
        let (file, share) = (self.own().file.number, self.blob.share());
        let reader = (&self.policy, self.keep_keys, share);
        let one =
            |(bytes, unpacked): (Vec<u8>, u32)| decoded((&bytes, unpacked), reader, file, &names);
        let pieces: Option<Vec<Piece>> = read.into_par_iter().map(one).collect();
        let pieces = pieces.ok_or_else(|| self.damaged("it has rows of another share"))?;
        let before = self.rows;
        self.count(&pieces)?;
        let rows = self.rows - before;
        self.progress.rows.fetch_add(rows, Ordering::Relaxed);
        let more = self.next < self.own().pieces.len();
        Ok((pieces, more))
    }
}
