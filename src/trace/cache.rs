//! Cache traces: twemcache CSV, libCacheSim's oracleGeneral, and vscsi block traces. They contain
//! keys with sizes, but no tables.
//!
//! In twemcache a get of size 0 is a miss, not an empty item: its size is that of the next set of
//! the key. Sources: "A large scale analysis of hundreds of in-memory cache clusters at Twitter"
//! (OSDI 2020) for the columns; libCacheSim's documentation for the records.

use std::io::{BufRead, Read};
use std::sync::atomic::Ordering;

use super::notes::Notes;
use super::{
    ApiName, Event, EventSink, RowPlace, SkipReason, Time, TraceError, TraceReader, TracedCall,
    TracedKey, What,
};
use crate::files::{FileText, Progress, why};
use crate::table::limits;

/// Records per batch.
const BATCH: usize = 65_536;

/// Rows `timestamp,key,key size,value size,client,operation,TTL`, without a header.
pub struct Twemcache {
    text: FileText,
    file: u32,
    table: Option<String>,
    line: u64,
    misses: u64,
    progress: Progress,
}

impl Twemcache {
    pub fn new(text: FileText, file: u32, table: Option<String>, progress: Progress) -> Twemcache {
        Twemcache {
            text,
            file,
            table,
            line: 0,
            misses: 0,
            progress,
        }
    }

    fn row(&mut self, line: &str) -> Result<Option<(Time, TracedCall)>, (SkipReason, String)> {
        // Keys may contain commas; the six other fields do not.
        let (time, rest) = line.split_once(',').unwrap_or((line, ""));
        let fields: Vec<&str> = rest.rsplitn(6, ',').collect();
        let [_ttl, operation, _client, value_size, key_size, key] = fields.as_slice() else {
            return Err((
                SkipReason::Malformed,
                "expected seven fields: time, key, key size, value size, client, operation, TTL"
                    .to_string(),
            ));
        };
        let number = |name: &str, text: &str| {
            text.trim().parse::<u64>().map_err(|_| {
                (
                    SkipReason::WrongType,
                    format!("{name} is \"{text}\"; expected a whole number"),
                )
            })
        };
        let seconds = number("the time", time).map_err(|(_, text)| (SkipReason::Time, text))?;
        let (key_size, value_size) = (
            number("the key size", key_size)?,
            number("the value size", value_size)?,
        );
        let api = match operation.trim() {
            "get" | "gets" => ApiName::GetItem,
            "set" | "add" | "replace" | "cas" => ApiName::PutItem,
            "append" | "prepend" | "incr" | "decr" | "touch" => ApiName::UpdateItem,
            "delete" => ApiName::DeleteItem,
            other => {
                let known =
                    "get, gets, set, add, replace, cas, append, prepend, incr, decr, touch, delete";
                return Err((
                    SkipReason::UnknownOperation,
                    format!(
                        "unknown cache operation \"{}\"; the known operations are {known}",
                        other.escape_debug()
                    ),
                ));
            }
        };
        let bytes = key_size.saturating_add(value_size);
        if bytes > limits::ITEM_BYTES_MAX {
            return Err((
                SkipReason::ItemSize,
                format!(
                    "an item of {bytes} bytes; DynamoDB items have at most 409600 bytes (400 KB)"
                ),
            ));
        }
        if key.len() as u64 > limits::PARTITION_KEY_BYTES_MAX {
            return Err((
                SkipReason::Key,
                format!(
                    "a key of {} bytes; a partition key has at most 2,048 bytes",
                    key.len()
                ),
            ));
        }
        let mut call = TracedCall::new(api, TracedKey::of(key.as_bytes()));
        match (api, value_size) {
            // The row does not give the size of the item: a delete or a partial change.
            (ApiName::DeleteItem | ApiName::UpdateItem, _) => {}
            (ApiName::GetItem, 0) => {
                call.sized_by_next = true;
                self.misses += 1;
            }
            _ => call.item_bytes = Some(bytes as u32),
        }
        let seconds = i64::try_from(seconds).map_err(|_| {
            (
                SkipReason::Time,
                format!("the time {seconds} is out of range"),
            )
        })?;
        Ok(Some((Time::from_second(seconds), call)))
    }
}

impl TraceReader for Twemcache {
    fn batch(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let EventSink {
            names, events, bad, ..
        } = sink;
        let table = self.table.as_deref().map(|table| names.number(table));
        let mut line = Vec::new();
        for _ in 0..BATCH {
            line.clear();
            match (&mut self.text).take(1 << 20).read_until(b'\n', &mut line) {
                Ok(0) => return Ok(false),
                Ok(_) => self.line += 1,
                Err(error) => {
                    bad.row(
                        RowPlace {
                            file: self.file,
                            row: self.line + 1,
                        },
                        SkipReason::Truncated,
                        why(&error),
                    )?;
                    return Ok(false);
                }
            }
            let text = String::from_utf8_lossy(&line);
            if text.trim().is_empty() {
                continue;
            }
            let place = RowPlace {
                file: self.file,
                row: self.line,
            };
            self.progress.rows.fetch_add(1, Ordering::Relaxed);
            match self.row(text.trim_end()) {
                Ok(Some((time, call))) => events.push(Event {
                    time,
                    place,
                    table,
                    what: What::Call(call),
                }),
                Ok(None) => {}
                Err((reason, message)) => bad.row(place, reason, message)?,
            }
        }
        Ok(true)
    }

    fn notes(&self) -> Notes {
        let misses = || {
            format!(
                "gets of size 0 ({}) are misses; the size of each is that of the next set of its \
                 key",
                self.misses
            )
        };
        let mapped = "cache operations are mapped to DynamoDB operations: get to GetItem; set, \
                      add, replace and cas to PutItem; append, prepend, incr, decr and touch to \
                      UpdateItem; delete to DeleteItem; an item's size is that of its key and its \
                      value";
        let texts = std::iter::once(mapped.to_string()).chain((self.misses > 0).then(misses));
        Notes::of_format(texts)
    }
}

/// Fixed-length records: libCacheSim's oracleGeneral (24 bytes: u32 time, u64 id, u32 size, i64
/// next access) or vscsi (32 bytes: u32 number, u32 length, u32 segments, u16 command, u16 version,
/// u64 block, u64 microseconds).
pub struct Records {
    text: FileText,
    file: u32,
    table: Option<String>,
    vscsi: bool,
    row: u64,
    progress: Progress,
}

/// The SCSI read and write commands of 6, 10, 12 and 16 bytes.
const SCSI_READS: [u16; 4] = [0x08, 0x28, 0xa8, 0x88];
const SCSI_WRITES: [u16; 4] = [0x0a, 0x2a, 0xaa, 0x8a];

impl Records {
    pub fn new(
        text: FileText,
        file: u32,
        table: Option<String>,
        vscsi: bool,
        progress: Progress,
    ) -> Records {
        Records {
            text,
            file,
            table,
            vscsi,
            row: 0,
            progress,
        }
    }

    fn record(&self, bytes: &[u8]) -> Result<(Time, TracedCall), (SkipReason, String)> {
        let u32_at = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let u64_at = |at: usize| u64::from(u32_at(at)) | (u64::from(u32_at(at + 4)) << 32);
        let (time, id, size, api) = match self.vscsi {
            false => (
                Time::from_second(i64::from(u32_at(0))),
                u64_at(4),
                u32_at(12),
                ApiName::GetItem,
            ),
            true => {
                let command = u16::from_le_bytes([bytes[12], bytes[13]]);
                let api = match command {
                    _ if SCSI_READS.contains(&command) => ApiName::GetItem,
                    _ if SCSI_WRITES.contains(&command) => ApiName::PutItem,
                    other => {
                        return Err((
                            SkipReason::UnknownOperation,
                            format!(
                                "unknown SCSI command {other:#04x}; only reads and writes are \
                                 supported"
                            ),
                        ));
                    }
                };
                let time = Time((u64_at(24).min(i64::MAX as u64 / 1_000) * 1_000) as i64);
                (time, u64_at(16), u32_at(4), api)
            }
        };
        if u64::from(size) > limits::ITEM_BYTES_MAX {
            return Err((
                SkipReason::ItemSize,
                format!(
                    "an item of {size} bytes; DynamoDB items have at most 409600 bytes (400 KB)"
                ),
            ));
        }
        let mut call = TracedCall::new(api, TracedKey::of(id.to_string().as_bytes()));
        call.item_bytes = Some(size);
        Ok((time, call))
    }
}

impl TraceReader for Records {
    fn batch(&mut self, sink: &mut EventSink) -> Result<bool, TraceError> {
        let EventSink {
            names, events, bad, ..
        } = sink;
        let table = self.table.as_deref().map(|table| names.number(table));
        let length = if self.vscsi { 32 } else { 24 };
        let mut block = Vec::with_capacity(BATCH * length);
        let read = (&mut self.text)
            .take((BATCH * length) as u64)
            .read_to_end(&mut block);
        for bytes in block.chunks_exact(length) {
            self.row += 1;
            let place = RowPlace {
                file: self.file,
                row: self.row,
            };
            match self.record(bytes) {
                Ok((time, call)) => events.push(Event {
                    time,
                    place,
                    table,
                    what: What::Call(call),
                }),
                Err((reason, message)) => bad.row(place, reason, message)?,
            }
        }
        self.progress
            .rows
            .fetch_add((block.len() / length) as u64, Ordering::Relaxed);
        let place = RowPlace {
            file: self.file,
            row: self.row + 1,
        };
        match read {
            Err(error) => bad.row(place, SkipReason::Truncated, why(&error))?,
            Ok(_) if block.len() % length != 0 => {
                bad.row(
                    place,
                    SkipReason::Truncated,
                    format!(
                        "the last record is incomplete: {} of {length} bytes",
                        block.len() % length
                    ),
                )?;
            }
            Ok(count) => return Ok(count > 0),
        }
        Ok(false)
    }

    fn notes(&self) -> Notes {
        let text = match self.vscsi {
            true => {
                "blocks are treated as items: a read as GetItem, a write as PutItem, the length \
                 as the item's size"
            }
            false => {
                "oracleGeneral contains no operations: every request is treated as a GetItem of \
                 an item of its size"
            }
        };
        Notes::of_format([text.to_string()])
    }
}
