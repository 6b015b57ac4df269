//! Size distributions as weighted size classes: what the meter is given in place of a mean.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use statrs::distribution::{ContinuousCDF, LogNormal};

use crate::units::{Bytes, Exact, KB};

/// What one index holds of an item of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// No entry: the item lacks an index key.
    None,
    /// An entry of so many bytes.
    Size(Bytes),
    /// An entry whose size nobody gave.
    Unknown,
}

/// Items of one size, with one size of entry in each index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeClass {
    /// Bytes of the item.
    pub item: Bytes,
    /// The entry in each index, by position.
    pub entries: Vec<Entry>,
    /// The share of all items; the shares add up to one.
    pub share: Exact,
}

/// A distribution of item sizes, exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeClasses(Vec<SizeClass>);

/// Shares of a continuous distribution are kept in parts of this many.
const PARTS: u64 = 1_000_000_000_000;

/// Reads round up to this many bytes, so a sum of sizes matters only up to its remainder.
const READ_BLOCK: u64 = 4 * KB;

impl SizeClasses {
    /// Classes from sizes with weights; the weights must not all be zero.
    pub(super) fn new(weighted: impl IntoIterator<Item = (Bytes, Vec<Entry>, Exact)>) -> SizeClasses {
        let weighted: Vec<_> = weighted.into_iter().filter(|(_, _, weight)| !weight.is_zero()).collect();
        let total = weighted.iter().map(|(_, _, weight)| weight.clone()).sum::<Exact>();
        SizeClasses(
            weighted.into_iter().map(|(item, entries, weight)| SizeClass { item, entries, share: weight / total.clone() }).collect(),
        )
    }

    /// The classes.
    pub fn iter(&self) -> impl Iterator<Item = &SizeClass> {
        self.0.iter()
    }

    /// How many classes there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The mean size of an item: for storage and for comparison, never for the meter.
    pub fn mean(&self) -> Exact {
        self.0.iter().map(|class| &Exact::from(class.item.0) * &class.share).sum()
    }

    /// The entries of one index: their number for each item, and their bytes for each item; `None` where
    /// an entry's size is unknown.
    pub fn entries(&self, index: usize) -> Option<(Exact, Exact)> {
        let (mut number, mut bytes) = (Exact::zero(), Exact::zero());
        for class in &self.0 {
            match class.entries.get(index)? {
                Entry::None => {}
                Entry::Unknown => return None,
                Entry::Size(size) => {
                    number += &class.share;
                    bytes += &(&Exact::from(size.0) * &class.share);
                }
            }
        }
        Some((number, bytes))
    }

    /// The sizes of what a read of the table, or of one index, evaluates, with their shares; `None` where
    /// they are unknown.
    pub fn evaluated(&self, index: Option<usize>) -> Option<Vec<(u64, Exact)>> {
        let mut sizes: BTreeMap<u64, Exact> = BTreeMap::new();
        for class in &self.0 {
            let size = match index {
                None => class.item,
                Some(index) => match class.entries.get(index)? {
                    Entry::None => continue,
                    Entry::Unknown => return None,
                    Entry::Size(size) => *size,
                },
            };
            *sizes.entry(size.0).or_insert_with(Exact::zero) += &class.share;
        }
        let total = sizes.values().cloned().sum::<Exact>();
        (!total.is_zero()).then(|| sizes.into_iter().map(|(size, share)| (size, share / total.clone())).collect())
    }

    /// Every item and entry at its mean size, rounded up to whole bytes: what calculators assume.
    pub fn at_their_mean(&self) -> SizeClasses {
        let whole = |mean: Exact| Bytes(mean.ceil().to_u64().unwrap_or(u64::MAX));
        let indexes = self.0.first().map_or(0, |class| class.entries.len());
        let entries = (0..indexes).map(|index| match self.entries(index) {
            None => Entry::Unknown,
            Some((number, _)) if number.is_zero() => Entry::None,
            Some((number, bytes)) => Entry::Size(whole(bytes / number)),
        });
        SizeClasses::new([(whole(self.mean()), entries.collect(), Exact::one())])
    }
}

/// The lognormal distribution of a mean and a 99th percentile, cut off at `largest` bytes, as sizes and weights.
///
/// Classes are 32 bytes wide up to 4 KB, 128 up to 16 KB and 1 KB beyond, none across a block of 1 KB, each at
/// its middle: the units of single items are those of the continuous distribution to 1 in 10^9.
/// `None` where no lognormal has both figures (the percentile must lie between the mean and 14.9 times it).
pub(super) fn lognormal(mean: u64, p99: u64, largest: u64) -> Option<Vec<(Bytes, Exact)>> {
    const Z99: f64 = 2.326_347_874_040_841;
    let ratio = (p99 as f64 / mean as f64).ln();
    let root = Z99 * Z99 - 2.0 * ratio;
    if mean == 0 || ratio <= 0.0 || root < 0.0 {
        return None;
    }
    let sigma = Z99 - root.sqrt();
    let distribution = LogNormal::new((mean as f64).ln() - sigma * sigma / 2.0, sigma).ok()?;
    let (mut classes, mut low, mut below) = (Vec::new(), 0, 0.0);
    while low < largest {
        let width = if low < 4 * KB {
            32
        } else if low < 16 * KB {
            128
        } else {
            KB
        };
        let high = (low + width).min(largest);
        let up_to = distribution.cdf(high as f64);
        let weight = ((up_to - below) * PARTS as f64).round();
        if weight >= 1.0 {
            classes.push((Bytes((low + high).div_ceil(2)), Exact::from(weight as u64)));
        }
        (low, below) = (high, up_to);
    }
    (!classes.is_empty()).then_some(classes)
}

/// The sum of `count` independent sizes, as sizes with shares that have the same mean and the same
/// remainders after blocks of 4 KB: any number of blocks read is then exactly as likely as it is in total.
///
/// Few sizes are added up exactly; many by convolution of the remainders, with an error of about 10^-12.
pub fn sum_of(sizes: &[(u64, Exact)], count: u64) -> Vec<(Bytes, Exact)> {
    match sizes {
        [] => vec![(Bytes(0), Exact::one())],
        [(size, _)] => vec![(Bytes(size * count), Exact::one())],
        _ if count <= 1 => sizes.iter().map(|(size, share)| (Bytes(size * count), share.clone())).collect(),
        [_, _] if count <= 128 => added_exactly(sizes, count),
        [_, _, _] if count <= 16 => added_exactly(sizes, count),
        _ if sizes.len() <= 8 && count <= 4 => added_exactly(sizes, count),
        _ => added_by_remainder(sizes, count),
    }
}

fn added_exactly(sizes: &[(u64, Exact)], count: u64) -> Vec<(Bytes, Exact)> {
    let Some(weights) = whole_weights(sizes) else { return added_by_remainder(sizes, count) };
    let mut sums: BTreeMap<u64, BigUint> = BTreeMap::from([(0, BigUint::from(1u32))]);
    for _ in 0..count {
        let mut next: BTreeMap<u64, BigUint> = BTreeMap::new();
        for (sum, ways) in &sums {
            for ((size, _), weight) in sizes.iter().zip(&weights) {
                *next.entry(sum + size).or_default() += ways * *weight;
            }
        }
        sums = next;
    }
    let total: BigUint = sums.values().sum();
    sums.into_iter().map(|(sum, ways)| (Bytes(sum), Exact::of_integers(ways, total.clone()))).collect()
}

/// The shares as whole numbers in the same proportion, where parts of 10^12 hold them exactly.
fn whole_weights(sizes: &[(u64, Exact)]) -> Option<Vec<u64>> {
    sizes
        .iter()
        .map(|(_, share)| {
            let parts = share * &Exact::from(PARTS);
            (parts == parts.floor()).then(|| parts.to_u64()).flatten()
        })
        .collect()
}

fn added_by_remainder(sizes: &[(u64, Exact)], count: u64) -> Vec<(Bytes, Exact)> {
    let length = READ_BLOCK as usize;
    let mut spectrum = vec![Complex { re: 0.0, im: 0.0 }; length];
    for (size, share) in sizes {
        spectrum[(size % READ_BLOCK) as usize].re += share.to_f64();
    }
    let mut planner = FftPlanner::new();
    planner.plan_fft_forward(length).process(&mut spectrum);
    let exponent = u32::try_from(count).unwrap_or(u32::MAX);
    spectrum.iter_mut().for_each(|value| *value = value.powu(exponent));
    planner.plan_fft_inverse(length).process(&mut spectrum);

    // Remainders 1 to 4,096, so that a sum is never zero bytes.
    let weights: Vec<(u64, u64)> = spectrum
        .iter()
        .enumerate()
        .map(|(remainder, value)| {
            let share = (value.re / length as f64).max(0.0);
            (if remainder == 0 { READ_BLOCK } else { remainder as u64 }, (share * PARTS as f64).round() as u64)
        })
        .filter(|(_, weight)| *weight > 0)
        .collect();
    let total = Exact::from(weights.iter().map(|(_, weight)| weight).sum::<u64>());
    let mean = sizes.iter().map(|(size, share)| &Exact::from(*size) * share).sum::<Exact>() * Exact::from(count);
    let remainders = weights.iter().map(|(remainder, weight)| Exact::from(remainder * weight)).sum::<Exact>() / total.clone();
    let blocks = (mean - remainders) / Exact::from(READ_BLOCK);
    let blocks = if blocks.is_negative() { Exact::zero() } else { blocks };
    let whole = blocks.floor();
    let above = &blocks - &whole;
    let base = whole.to_u64().unwrap_or(0) * READ_BLOCK;
    let mut sums = Vec::with_capacity(2 * weights.len());
    for (remainder, weight) in weights {
        let share = Exact::from(weight) / total.clone();
        sums.push((Bytes(base + remainder), &share * &(Exact::one() - above.clone())));
        sums.push((Bytes(base + remainder + READ_BLOCK), &share * &above));
    }
    sums.retain(|(_, share)| !share.is_zero());
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(pairs: &[(u64, u64)]) -> Vec<(u64, Exact)> {
        let total = pairs.iter().map(|(_, weight)| weight).sum();
        pairs.iter().map(|(size, weight)| (*size, Exact::ratio(*weight, total))).collect()
    }

    fn blocks(sums: &[(Bytes, Exact)]) -> f64 {
        sums.iter().map(|(bytes, share)| bytes.blocks(READ_BLOCK) as f64 * share.to_f64()).sum()
    }

    #[test]
    fn the_remainder_method_agrees_with_exact_addition() {
        for (sizes, count) in
            [(shares(&[(600, 7), (4300, 3)]), 25), (shares(&[(100, 1), (2000, 1), (9000, 2)]), 7), (shares(&[(1, 1), (8191, 1)]), 2)]
        {
            let (exact, folded) = (added_exactly(&sizes, count), added_by_remainder(&sizes, count));
            let error = (blocks(&exact) - blocks(&folded)).abs();
            assert!(error < 1e-9, "{sizes:?} x {count}: {} and {}", blocks(&exact), blocks(&folded));
            assert_eq!(exact.iter().map(|(_, share)| share.clone()).sum::<Exact>(), Exact::one());
            assert_eq!(folded.iter().map(|(_, share)| share.clone()).sum::<Exact>(), Exact::one());
        }
    }

    #[test]
    fn a_lognormal_keeps_its_mean_and_percentile() {
        let (mean, p99) = (1843, 14_336);
        let classes = lognormal(mean, p99, 400 * KB).expect("a lognormal");
        let total = classes.iter().map(|(_, weight)| weight.to_f64()).sum::<f64>();
        let found = classes.iter().map(|(size, weight)| size.0 as f64 * weight.to_f64()).sum::<f64>() / total;
        assert!((found / mean as f64 - 1.0).abs() < 0.01, "{found}");
        let below = classes.iter().filter(|(size, _)| size.0 <= p99).map(|(_, weight)| weight.to_f64()).sum::<f64>() / total;
        assert!((below - 0.99).abs() < 0.001, "{below}");
        assert_eq!(lognormal(100, 50, 400 * KB), None);
        assert_eq!(lognormal(100, 2000, 400 * KB), None);
    }
}
