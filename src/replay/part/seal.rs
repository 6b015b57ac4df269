//! The seal (checksum) of a Parquet file that the program reads again: a hash of all its bytes,
//! stored in its own footer.
//!
//! The hash is stored in the metadata of the footer as 32 hexadecimal digits. It is computed over
//! the file with zeros in place of these digits, so a file is whole only if every bit is as it was
//! written, including those of the hash.

use std::io::{self, Read, Seek, SeekFrom, Write};

use parquet::file::metadata::KeyValue;
use xxhash_rust::xxh3::Xxh3;

use crate::trace::hash_bytes;

/// The text before the digits.
const MARK: &[u8] = b"xxh3-128 ";

/// Digits of the hash.
const DIGITS: usize = 32;

/// The metadata entry that reserves space for the hash until it is known.
pub fn metadata() -> KeyValue {
    let place = [MARK, &[b'0'; DIGITS]].concat();
    KeyValue::new(
        "dynameter.seal".to_string(),
        String::from_utf8_lossy(&place).into_owned(),
    )
}

/// The hash as hexadecimal digits.
fn digits(hash: &Xxh3) -> String {
    format!("{:032x}", hash.digest128())
}

/// Where the digits of a seal begin.
fn place(bytes: &[u8]) -> Option<usize> {
    let at = memchr::memmem::rfind(bytes, MARK)? + MARK.len();
    (at + DIGITS <= bytes.len()).then_some(at)
}

/// A writer that hashes what it passes on, and holds the footer back until the hash is known.
pub struct Sealing<W> {
    into: W,
    hash: Xxh3,
    footer: Option<Vec<u8>>,
}

impl<W: Write> Sealing<W> {
    /// Wraps another writer.
    pub fn new(into: W) -> Sealing<W> {
        Sealing {
            into,
            hash: Xxh3::new(),
            footer: None,
        }
    }

    /// All bytes written after this call belong to the footer.
    pub fn begin_footer(&mut self) {
        self.footer.get_or_insert_default();
    }

    /// Puts the hash into its place and writes the footer.
    ///
    /// # Errors
    /// If the footer cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        let mut footer = self.footer.take().unwrap_or_default();
        self.hash.update(&footer);
        let at = place(&footer)
            .ok_or_else(|| io::Error::other("the footer has no space for its hash"))?;
        footer[at..at + DIGITS].copy_from_slice(digits(&self.hash).as_bytes());
        self.into.write_all(&footer)?;
        self.into.flush()
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(footer) = &mut self.footer {
            footer.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let written = self.into.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// Bytes after the footer: its length, and Parquet's magic number.
const TAIL: u64 = 8;

/// The result of checking a file's seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// Every bit is as it was written.
    Whole,
    /// Some bit is not as it was written.
    Broken,
    /// The footer has no seal.
    Missing,
}

/// Compares a file with its seal. The whole file is read, and nothing in it is trusted before that.
///
/// # Errors
/// If the file cannot be read.
pub fn check(file: &mut (impl Read + Seek)) -> io::Result<Seal> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail = [0; TAIL as usize];
    if length < TAIL {
        return Ok(Seal::Missing);
    }
    file.seek(SeekFrom::Start(length - TAIL))?;
    file.read_exact(&mut tail)?;
    let footer_length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]])) + TAIL;
    if footer_length > length {
        return Ok(Seal::Missing);
    }
    file.seek(SeekFrom::Start(length - footer_length))?;
    let mut footer = Vec::new();
    file.read_to_end(&mut footer)?;
    let Some(at) = place(&footer) else {
        return Ok(Seal::Missing);
    };
    let written = footer[at..at + DIGITS].to_vec();
    footer[at..at + DIGITS].fill(b'0');

    let mut hash = Xxh3::new();
    file.seek(SeekFrom::Start(0))?;
    hash_bytes(file, length - footer_length, &mut hash)?;
    hash.update(&footer);
    file.seek(SeekFrom::Start(0))?;
    Ok(if digits(&hash).as_bytes() == written {
        Seal::Whole
    } else {
        Seal::Broken
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};
    use std::sync::Arc;

    use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;

    use super::{Seal, Sealing, check, metadata};

    fn sealed() -> Vec<u8> {
        let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(0..40));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).expect("a batch");
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(vec![metadata()]))
            .build();
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::try_new(Sealing::new(&mut bytes), batch.schema(), Some(properties))
                .expect("a writer");
        writer.write(&batch).expect("rows");
        writer.flush().expect("a row group");
        writer.inner_mut().begin_footer();
        writer
            .into_inner()
            .expect("a footer")
            .finish()
            .expect("a seal");
        bytes
    }

    #[test]
    fn every_flipped_bit_every_lost_and_every_added_byte_is_seen() {
        let bytes = sealed();
        let seal = |bytes: &[u8]| check(&mut Cursor::new(bytes)).expect("bytes are read");
        assert_eq!(seal(&bytes), Seal::Whole);
        let mut changed = bytes.clone();
        for bit in 0..bytes.len() * 8 {
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(seal(&changed), Seal::Whole, "bit {bit}");
            changed[bit / 8] ^= 1 << (bit % 8);
        }
        for length in 0..bytes.len() {
            assert_ne!(seal(&bytes[..length]), Seal::Whole, "{length} bytes");
            let added = [&bytes[..length], &[0], &bytes[length..]].concat();
            assert_ne!(seal(&added), Seal::Whole, "a byte at {length}");
        }
    }

    #[test]
    fn a_seal_needs_its_place() {
        let mut sealing = Sealing::new(Vec::new());
        sealing.begin_footer();
        sealing.write_all(b"no place").expect("bytes");
        assert!(sealing.finish().is_err());
    }
}
