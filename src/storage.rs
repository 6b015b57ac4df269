//! Billed bytes: what a table and its indexes occupy, as storage bills it.

use crate::units::Exact;

/// Bytes that storage adds to each item and each index entry (rule 1.10). Source: Developer Guide,
/// "DynamoDB item sizes and formats" and "Storage considerations for global secondary indexes".
pub const OVERHEAD_BYTES: u64 = 100;

/// Bytes that storage adds to each item of a global table, in addition to the 100 (rule 1.10).
pub const GLOBAL_TABLE_OVERHEAD_BYTES: u64 = 48;

/// What items or index entries occupy: their number and their total bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupied {
    /// Items, or index entries.
    pub count: Exact,
    /// Their sizes added up, without any overhead.
    pub data: Exact,
}

impl Occupied {
    /// Bytes that storage bills: the data and the overhead of each item or entry.
    pub fn billed(&self, global_table_item: bool) -> Exact {
        let extra = if global_table_item {
            GLOBAL_TABLE_OVERHEAD_BYTES
        } else {
            0
        };
        &self.data + &(&self.count * &Exact::from(OVERHEAD_BYTES + extra))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_adds_to_each_item() {
        let items = Occupied {
            count: Exact::from(10),
            data: Exact::from(5_000),
        };
        assert_eq!(items.billed(false), Exact::from(6_000));
        assert_eq!(items.billed(true), Exact::from(6_480));
    }
}
