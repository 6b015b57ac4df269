//! Units of each second without any state: what each row's own size rounds to. A look at a trace
//! before it is replayed: it reads no keys, so what an item was before a write, indexes and caches
//! play no part.

use std::collections::BTreeMap;
use std::path::Path;

use crate::meter;
use crate::table::Consistency;
use crate::trace::{ApiName, TraceError, each_size};
use crate::units::Bytes;

/// Half units that rows of one operation come to in one second, each by its own size; rows without
/// one are left out.
///
/// Reads are taken to be eventually consistent, writes to leave what the row says. `threads` decode
/// side by side; no figure depends on how many.
///
/// # Errors
/// [`TraceError`] where the file is no Parquet with times, operations that DynamoDB has, and sizes.
pub fn each_second(
    path: &Path,
    threads: usize,
) -> Result<BTreeMap<(i64, ApiName), u64>, TraceError> {
    // What a size comes to as a read and as a write, by 1 KB: both round up, so each KB has one of
    // each.
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
