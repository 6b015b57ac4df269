//! What differs between two price books of a region.

use std::collections::{BTreeMap, BTreeSet};

use super::{PriceBook, PublishedRate, Tier};

/// A rate that differs, with its values before and after, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedRate {
    /// The region.
    pub region: String,
    /// The code.
    pub code: String,
    /// The first unit of the tier.
    pub tier_from: u64,
    /// The rate in the first book; `None` if it has none.
    pub before: Option<PublishedRate>,
    /// The rate in the second.
    pub after: Option<PublishedRate>,
}

/// The rates that differ between two books, by code and tier. Sources are not compared.
pub fn changed_rates(before: Option<&PriceBook>, after: Option<&PriceBook>) -> Vec<ChangedRate> {
    let rates = |book: Option<&PriceBook>| -> BTreeMap<(String, u64), PublishedRate> {
        let of = |tier: Tier| {
            (
                (tier.published.code.clone(), tier.from),
                (*tier.published).clone(),
            )
        };
        book.map(PriceBook::rates)
            .unwrap_or_default()
            .into_iter()
            .map(of)
            .collect()
    };
    let region = before
        .or(after)
        .map(|book| book.region().to_string())
        .unwrap_or_default();
    let (before, after) = (rates(before), rates(after));
    let keys: BTreeSet<&(String, u64)> = before.keys().chain(after.keys()).collect();
    let differs = |key: &&&(String, u64)| {
        before.get(**key).map(|rate| rate.rate) != after.get(**key).map(|rate| rate.rate)
    };
    keys.iter()
        .filter(differs)
        .map(|key| ChangedRate {
            region: region.clone(),
            code: key.0.clone(),
            tier_from: key.1,
            before: before.get(*key).cloned(),
            after: after.get(*key).cloned(),
        })
        .collect()
}
