//! Sizes of the items that are known from the trace.

use std::collections::BTreeMap;

use crate::replay::engine::Engine;
use crate::replay::tally::ItemCounts;
use crate::units::Exact;

/// Sizes of the items of a table that are known from the trace, at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSizes {
    /// The table.
    pub table: String,
    /// How many items there are.
    pub items: u64,
    /// Average size in bytes.
    pub mean: Exact,
    /// The 50th, 95th and 99th percentile of the sizes in bytes, and the largest size.
    pub percentiles: [u64; 4],
}

/// Sizes of the items that are known from the trace, at its end.
pub fn item_sizes(engine: &Engine) -> Vec<ItemSizes> {
    let of = |(table, held): (&usize, &ItemCounts)| {
        let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
        for ((bytes, _), count) in held {
            *sizes.entry(bytes.0).or_default() += count;
        }
        let items = sizes.values().sum::<u64>();
        let at = |hundredth: u64| {
            let (rank, mut before) = ((items * hundredth).div_ceil(100), 0);
            let found = sizes.iter().find(|(_, count)| {
                before += **count;
                before >= rank
            });
            found.map(|(bytes, _)| *bytes)
        };
        let percentiles = [at(50)?, at(95)?, at(99)?, at(100)?];
        let bytes = sizes
            .iter()
            .map(|(bytes, count)| u128::from(*bytes) * u128::from(*count))
            .sum::<u128>();
        let mean = Exact::whole(bytes) / Exact::from(items);
        Some(ItemSizes {
            table: engine.tables.list[*table].design.table.name.clone(),
            items,
            mean,
            percentiles,
        })
    };
    engine.tally.totals.held.iter().filter_map(of).collect()
}
