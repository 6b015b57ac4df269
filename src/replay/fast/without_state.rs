//! Units of each second without any state: the size in each row, rounded up to units. This is a
//! quick preview of a trace before it is replayed. It reads no keys, so it ignores item sizes
//! before a write, indexes and caches.

use std::collections::BTreeMap;
use std::path::Path;

use crate::meter;
use crate::table::Consistency;
use crate::trace::{ApiName, TraceError, each_size};
use crate::units::Bytes;

/// Half units by second and operation, from the size in each row; rows without a size are ignored.
///
/// Reads are assumed to be eventually consistent, and writes to leave an item of the row's size.
/// `threads` is the number of threads that decode in parallel; no figure depends on it.
///
/// # Errors
/// [`TraceError`] if the file is not a Parquet file with times, DynamoDB operations and sizes.
pub fn each_second(
    path: &Path,
    threads: usize,
) -> Result<BTreeMap<(i64, ApiName), u64>, TraceError> {
    // Half units of a read and of a write for each size in KB. Both round up, so all sizes within
    // one KB have the same.
    let halves = |kilobytes: u64, reads: bool| match reads {
        true => meter::get(Some(Bytes(kilobytes * 1024)), Consistency::Eventual).halves(),
        false => 2 * meter::table_write(None, Some(Bytes(kilobytes * 1024))).0,
    };
    let steps: Vec<[u32; 2]> = (0..=400)
        .map(|kilobytes| {
            [
                halves(kilobytes, true) as u32,
                halves(kilobytes, false) as u32,
            ]
        })
        .collect();
    let mut all = BTreeMap::new();
    for (second, operation, [reads, writes]) in each_size(path, threads, &steps)? {
        let unknown = || {
            TraceError::file(
                &path.display().to_string(),
                format!("DynamoDB has no operation \"{}\"", operation.escape_debug()),
            )
        };
        let api = ApiName::parse(&operation).ok_or_else(unknown)?;
        *all.entry((second, api)).or_default() += if api.is_read() { reads } else { writes };
    }
    Ok(all)
}
