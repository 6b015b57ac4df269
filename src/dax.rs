//! DynamoDB Accelerator: which reads reach the table behind a cache, and what writes add to them.

use crate::table::{Consistency, Operation};
use crate::units::{Bytes, Exact};

/// The share of a read pattern's units that the table still pays for behind a cache of a given hit ratio:
/// misses of eventually consistent reads, and every strong or transactional read (`None`).
///
/// Source: Developer Guide, "DAX: how it works" (rule 7.2).
pub fn share_that_passes(consistency: Option<Consistency>, hit_ratio: &Exact) -> Exact {
    match consistency {
        Some(Consistency::Eventual) => Exact::one() - hit_ratio.clone(),
        Some(Consistency::Strong) | None => Exact::one(),
    }
}

/// What DAX reads after a TransactWriteItems to fill its item cache: the item of one action.
///
/// Source: Developer Guide, "DynamoDB transactions: how it works" (rule 7.4).
pub fn fill(item: Option<Bytes>) -> Operation {
    Operation::TransactGetItems { items: vec![item] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_eventual_reads_are_answered_by_the_cache() {
        let hit_ratio = Exact::ratio(19, 20);
        assert_eq!(share_that_passes(Some(Consistency::Eventual), &hit_ratio), Exact::ratio(1, 20));
        assert_eq!(share_that_passes(Some(Consistency::Strong), &hit_ratio), Exact::one());
        assert_eq!(share_that_passes(None, &hit_ratio), Exact::one());
    }
}
