//! Writes the blob of a share.

use std::io::{self, Write};

use hashbrown::HashTable;
use xxhash_rust::xxh3::Xxh3;

use super::piece::{EventPiece, Piece, PieceKeys, RowPiece, signature};
use super::{DealtFile, FORMAT, Footer, MAGIC, Own, PieceAt};
use crate::trace::event::whole_of;
use crate::trace::rows::{NO_BYTES, RowKeys, RowKind, Rows};
use crate::trace::{Event, KeyShare, NameTable};

/// The most rows of a piece: as many as the position of a row can count.
const PIECE_ROWS: usize = 1 << 16;

/// Rows that wait for the end of their piece, of all shares together.
const WAITING_ROWS: usize = 1 << 22;

/// The most events of a piece: they are larger than rows.
const EVENTS: usize = 1 << 13;

/// A writer that counts and hashes what it passes on.
struct Hashing<W> {
    into: W,
    hash: Xxh3,
    written: u64,
}

impl<W: Write> Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.written += bytes.len() as u64;
        self.into.write_all(bytes)
    }
}

/// Writes the rows of one share, file by file.
pub struct BlobWriter<W: Write> {
    into: Hashing<W>,
    share: KeyShare,
    sorted: Vec<String>,
    files: Vec<Own>,
    waiting: Waiting,
    events: EventPiece,
    rows: u64,
    signature: u64,
    pieces: Vec<PieceAt>,
}

/// Rows that wait for the end of their piece.
#[derive(Default)]
struct Waiting {
    piece: RowPiece,
    /// The time and the number of the last row.
    last: (i64, u64),
    /// The texts of the piece by the hash of their key.
    texts: HashTable<(u64, u32)>,
}

/// The rows of a batch that belong to a share, by their position in the batch.
struct Positions {
    /// A bit for each position.
    words: Vec<u64>,
    /// The row at each of these positions.
    rows: Vec<u32>,
}

thread_local! {
    static POSITIONS: std::cell::RefCell<Positions> = const {
        std::cell::RefCell::new(Positions { words: Vec::new(), rows: Vec::new() })
    };
}

impl Positions {
    /// Calls a function with the rows of a share in the order in which they were read.
    fn each(&mut self, rows: &Rows, share: KeyShare, mut row: impl FnMut(usize)) {
        let count = rows.rows.len();
        self.words.clear();
        self.words.resize(count.div_ceil(64), 0);
        self.rows.resize(count.max(self.rows.len()), 0);
        for slot in (0..=u8::MAX).filter(|slot| share.owns(*slot)) {
            let slot = usize::from(slot);
            for number in rows.starts[slot]..rows.starts[slot + 1] {
                let at = rows.rows[number as usize].at();
                self.words[at / 64] |= 1 << (at % 64);
                self.rows[at] = number;
            }
        }
        for (number, word) in self.words.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let at = number * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                row(self.rows[at] as usize);
            }
        }
    }
}

impl<W: Write> BlobWriter<W> {
    /// A blob without rows. `sorted` are the tables with a sort key.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(into: W, share: KeyShare, sorted: Vec<String>) -> io::Result<BlobWriter<W>> {
        let mut into = Hashing {
            into,
            hash: Xxh3::new(),
            written: 0,
        };
        into.write(MAGIC)?;
        Ok(BlobWriter {
            into,
            share,
            sorted,
            files: Vec::new(),
            waiting: Waiting::default(),
            events: EventPiece::default(),
            rows: 0,
            signature: 0,
            pieces: Vec::new(),
        })
    }

    /// Adds the rows of a batch that belong to the share. `is_sorted` says of each of their kinds
    /// whether its table has a sort key.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn rows(&mut self, rows: &Rows, is_sorted: &[bool]) -> io::Result<()> {
        self.end_of_events()?;
        if !self.waiting.fits(rows) {
            self.end_of_rows()?;
        }
        let most = (WAITING_ROWS / self.share.of as usize).clamp(1 << 10, PIECE_ROWS);
        let mut kinds: Vec<Option<u16>> = vec![None; rows.kinds.len()];
        POSITIONS.with_borrow_mut(|positions| {
            let mut done = Ok(());
            positions.each(rows, self.share, |number| {
                if done.is_err() {
                    return;
                }
                if self.waiting.piece.len() >= most {
                    done = self.end_of_rows();
                    kinds.fill(None);
                }
                let row = &rows.rows[number];
                let kind = row.kind();
                let known = *kinds[kind]
                    .get_or_insert_with(|| self.waiting.kind((rows.kinds[kind], is_sorted[kind])));
                self.waiting.push(rows, number, known);
                self.rows += 1;
                let time = rows.time(row.at()).0;
                self.signature = self
                    .signature
                    .wrapping_add(crate::trace::sign(time, row.hash));
            });
            done
        })
    }

    /// Adds an event, with the slot of its key. `counts` is whether the share is the one that counts
    /// it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn event(&mut self, event: Event, slot: u8, counts: bool) -> io::Result<()> {
        self.end_of_rows()?;
        if counts {
            self.rows += 1;
            self.signature = self.signature.wrapping_add(signature(&event));
        }
        self.events.push(event, slot);
        if self.events.len() >= EVENTS {
            self.end_of_events()?;
        }
        Ok(())
    }

    /// Ends the rows of a file, and returns how many the share has and the sum of their signatures.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn end_of_file(&mut self) -> io::Result<(u64, u64)> {
        self.end_of_rows()?;
        self.end_of_events()?;
        Ok((self.rows, self.signature))
    }

    /// Adds the file whose rows have ended to the footer. `names` are the names to which its events
    /// refer.
    pub fn add_file(&mut self, file: DealtFile, names: &NameTable) {
        self.files.push(Own {
            file,
            rows: std::mem::take(&mut self.rows),
            signature: std::mem::take(&mut self.signature),
            names: names.texts().map(str::to_string).collect(),
            pieces: std::mem::take(&mut self.pieces),
        });
    }

    fn end_of_rows(&mut self) -> io::Result<()> {
        if self.waiting.piece.len() == 0 {
            return Ok(());
        }
        let Waiting { piece, .. } = std::mem::take(&mut self.waiting);
        self.piece(&Piece::Rows(piece.packed()))
    }

    fn end_of_events(&mut self) -> io::Result<()> {
        if self.events.len() == 0 {
            return Ok(());
        }
        let events = std::mem::take(&mut self.events);
        self.piece(&Piece::Events(events))
    }

    fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        let bytes = postcard::to_stdvec(piece).map_err(io::Error::other)?;
        let packed = zstd::bulk::compress(&bytes, LEVEL)?;
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
        self.pieces.push(PieceAt {
            from: self.into.written,
            bytes: length(&packed)?,
            unpacked: length(&bytes)?,
        });
        self.into.write(&packed)
    }

    /// Writes the footer.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let footer = Footer {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_string(),
            share: self.share,
            sorted: self.sorted,
            files: self.files,
        };
        let footer = postcard::to_stdvec(&footer).map_err(io::Error::other)?;
        self.into.write(&footer)?;
        let Hashing { mut into, hash, .. } = self.into;
        into.write_all(&(footer.len() as u64).to_le_bytes())?;
        into.write_all(&hash.digest128().to_le_bytes())?;
        into.write_all(MAGIC)?;
        into.flush()?;
        Ok(into)
    }
}

/// How much pieces are compressed: little, because decoding them must cost less than decoding the
/// trace.
const LEVEL: i32 = 1;

impl Waiting {
    /// Whether rows have the same unit of time and the same form of keys as those that wait.
    fn fits(&self, rows: &Rows) -> bool {
        let are_numbers = matches!(rows.keys(), RowKeys::Hashes | RowKeys::Whole(_));
        let has_numbers = matches!(self.piece.keys, PieceKeys::Numbers(_));
        let follows = rows.time(0).0 >= self.last.0.saturating_mul(self.piece.each);
        self.piece.len() == 0
            || self.piece.each == rows.each() && are_numbers == has_numbers && follows
    }

    /// The position of a kind in the piece.
    fn kind(&mut self, kind: (RowKind, bool)) -> u16 {
        let kinds = &mut self.piece.kinds;
        let found = kinds.iter().position(|known| *known == kind);
        found.unwrap_or_else(|| {
            kinds.push(kind);
            kinds.len() - 1
        }) as u16
    }

    fn push(&mut self, rows: &Rows, number: usize, kind: u16) {
        let row = &rows.rows[number];
        let at = row.at();
        let (time, place) = (rows.units(at), rows.place(at).row);
        let piece = &mut self.piece;
        if piece.times.is_empty() {
            (piece.each, piece.time, piece.row) = (rows.each(), time, place);
            self.last = (time, place);
            if !matches!(rows.keys(), RowKeys::Hashes | RowKeys::Whole(_)) {
                piece.keys = PieceKeys::Texts {
                    texts: Vec::new(),
                    lengths: Vec::new(),
                    of: Vec::new(),
                };
            }
        }
        // Rows are in the order of time and of their number; a number that goes back wraps around.
        piece.times.push(time.wrapping_sub(self.last.0) as u64);
        piece.rows.push(place.wrapping_sub(self.last.1));
        self.last = (time, place);
        piece.of.push(kind);
        let written = |bytes: u32| if bytes == NO_BYTES { 0 } else { bytes + 1 };
        piece.bytes.push(written(row.bytes()));
        piece.old.push(written(rows.old(row)));
        match &mut piece.keys {
            PieceKeys::Numbers(numbers) => numbers.push(match rows.keys() {
                RowKeys::Whole(all) => all.value(at),
                _ => whole_of(row.hash),
            }),
            PieceKeys::Texts { texts, lengths, of } => {
                // The slot is in the top bits, which are few in one share: they go last.
                let hash = row.hash.rotate_left(8);
                let same = |(known, _): &(u64, u32)| *known == hash;
                let entry = self.texts.entry(hash, same, |(known, _)| *known);
                let next = (hash, lengths.len() as u32);
                let entry = entry.or_insert_with(|| {
                    let text = rows.key_bytes(at);
                    texts.extend_from_slice(text);
                    lengths.push(text.len() as u16);
                    next
                });
                of.push(entry.get().1);
            }
        }
    }
}

impl RowPiece {
    /// Without columns that say nothing.
    fn packed(mut self) -> RowPiece {
        if self.kinds.len() == 1 {
            self.of.clear();
        }
        for sizes in [&mut self.bytes, &mut self.old] {
            if sizes.iter().all(|bytes| *bytes == 0) {
                sizes.clear();
            }
        }
        self
    }
}
