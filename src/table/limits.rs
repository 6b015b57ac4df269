//! The limits of DynamoDB that a design can break. Source of all: Developer Guide, "Constraints in
//! Amazon DynamoDB" and "Quotas in Amazon DynamoDB".

use super::Direction;
use crate::units::{GB, KB, MB};

/// The largest item, attribute names included: 400 KB.
pub const ITEM_BYTES_MAX: u64 = 400 * KB;
/// The largest partition key value, in bytes.
pub const PARTITION_KEY_BYTES_MAX: u64 = 2048;
/// The largest sort key value, in bytes.
pub const SORT_KEY_BYTES_MAX: u64 = 1024;
/// Local secondary indexes of one table.
pub const LOCAL_INDEXES_MAX: usize = 5;
/// Global secondary indexes of one table (a default quota, raisable).
pub const GLOBAL_INDEXES_MAX: usize = 20;
/// Attributes named by INCLUDE projections over all indexes of one table.
pub const INCLUDED_ATTRIBUTES_MAX: usize = 100;
/// Items that one BatchGetItem may request.
pub const BATCH_GET_ITEMS_MAX: u64 = 100;
/// Items that one BatchWriteItem may write.
pub const BATCH_WRITE_ITEMS_MAX: u64 = 25;
/// Items that one transaction may touch.
pub const TRANSACTION_ITEMS_MAX: u64 = 100;
/// Statements of one BatchExecuteStatement.
pub const BATCH_STATEMENTS_MAX: u64 = 25;
/// Bytes that one page of a Query or Scan reads before it stops: 1 MB.
pub const PAGE_BYTES: u64 = 1024 * KB;
/// Bytes of the items of one transaction. Source: Developer Guide, "Amazon DynamoDB Transactions".
pub const TRANSACTION_BYTES_MAX: u64 = 4 * MB;
/// Bytes of the items of one batch. Source: API Reference, BatchGetItem and BatchWriteItem.
pub const BATCH_BYTES_MAX: u64 = 16 * MB;
/// Bytes of all items and local index entries of one partition key, if a table has local indexes.
/// Source: Developer Guide, "Item collections".
pub const ITEM_COLLECTION_BYTES_MAX: u64 = 10 * GB;
/// The levels of lists and maps inside an attribute.
pub const NESTING_MAX: usize = 32;
/// Significant digits of a number.
pub const NUMBER_DIGITS_MAX: usize = 38;
/// Length of a table's or an index's name, in characters.
pub const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=255;
/// Provisioned units of one table and direction (a default quota, raisable).
pub const PROVISIONED_UNITS_MAX: u64 = 40_000;
/// Provisioned units of all tables and indexes of an account in a region, in one direction (a default
/// quota, raisable); it does not apply to on-demand tables.
pub const ACCOUNT_UNITS_MAX: u64 = 80_000;
/// Readers of a stream's shard at the same time, above which requests can be throttled. Source:
/// Developer Guide, "Change data capture for DynamoDB Streams".
pub const SHARD_READERS_MAX: u64 = 2;
/// Records that one GetRecords returns. Source: API Reference, GetRecords: at most 1 MB or 1,000
/// records.
pub const STREAM_RECORDS_MAX: u64 = 1_000;
/// Bytes that one partition holds.
pub const PARTITION_BYTES_MAX: u64 = 10 * GB;
/// Read units a second that one partition serves.
pub const PARTITION_READ_UNITS_MAX: u64 = 3_000;
/// Write units a second that one partition serves.
pub const PARTITION_WRITE_UNITS_MAX: u64 = 1_000;
/// Units a second that one partition serves in a direction.
pub fn partition_units_max(direction: Direction) -> u64 {
    match direction {
        Direction::Read => PARTITION_READ_UNITS_MAX,
        Direction::Write => PARTITION_WRITE_UNITS_MAX,
    }
}

/// Nodes of one DAX cluster: a primary and ten replicas.
pub const DAX_NODES_MAX: u64 = 11;
