//! Reads: single items, pages, transactions (rules 2.1 to 2.9).

use super::{ConsumedCapacity, FetchOfNothing, Switches};
use crate::table::{Consistency, ReadPage};
use crate::units::{Bytes, KB, ReadUnits};

/// Reads are rounded up to blocks of 4 KB.
const READ_BLOCK: u64 = 4 * KB;

/// Units of a number of bytes: half a unit for each 4 KB, or one if strongly consistent.
///
/// Source: Developer Guide, "DynamoDB read and write operations" (rules 1.7 and 2.1).
fn units(bytes: Bytes, consistency: Consistency) -> ReadUnits {
    let halves = match consistency {
        Consistency::Eventual => 1,
        Consistency::Strong => 2,
    };
    ReadUnits::from_halves(bytes.blocks(READ_BLOCK) * halves)
}

/// One key of a GetItem or BatchGetItem; a missing item costs the minimum (rules 2.2 and 2.3).
pub(super) fn get(item: Option<Bytes>, consistency: Consistency) -> ReadUnits {
    units(item.unwrap_or_default(), consistency)
}

/// One key of a TransactGetItems: two units for each 4 KB (rule 2.9). Source: Developer Guide,
/// "DynamoDB transactions: how it works".
pub(super) fn transact_get(item: Option<Bytes>) -> ReadUnits {
    ReadUnits::from_halves(item.unwrap_or_default().blocks(READ_BLOCK) * 4)
}

/// One page of a Query or Scan: the sum of the evaluated sizes is rounded up once and counts for
/// the table or index that was read; items that a local index fetches from the base table are
/// rounded up one by one and count for the table.
///
/// Source: Developer Guide, "Querying tables", "Local secondary indexes" (rules 2.4 to 2.7).
pub(super) fn page(page: &ReadPage, switches: &Switches, consumed: &mut ConsumedCapacity) {
    let read = units(page.evaluated, page.consistency);
    match page.index.and_then(|index| consumed.indexes.get_mut(index)) {
        Some(target) => target.read += read,
        None => consumed.table.read += read,
    }
    let Some(fetched) = &page.fetched else { return };
    if fetched.is_empty() && switches.fetch_of_nothing == FetchOfNothing::Minimum {
        consumed.table.read += units(Bytes(0), page.consistency);
    }
    consumed.table.read += fetched
        .iter()
        .map(|item| units(*item, page.consistency))
        .sum();
}
