//! Size distributions as weighted size classes, which the meter uses instead of a mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use num_bigint::BigUint;
use num_integer::Integer;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use statrs::distribution::{ContinuousCDF, LogNormal};

use crate::table::{Index, KeySchema, Projection, limits};
use crate::units::{Bytes, Exact, KB};

/// The entry of an item of a class in one index.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, Hash,
)]
pub enum IndexEntry {
    /// No entry: the item lacks an index key.
    None,
    /// An entry of this size.
    Size(Bytes),
    /// An entry whose size is not known.
    Unknown,
}

impl IndexEntry {
    /// The entry as a write of it is charged: one of an item of at most 1 KB costs one unit, also if
    /// its size is not known.
    #[must_use]
    pub fn charged(self, item: Bytes) -> IndexEntry {
        match self {
            IndexEntry::Unknown if item.0 <= KB => IndexEntry::Size(item),
            entry => entry,
        }
    }
}

/// The attributes of an item with their bytes, names included.
pub type ItemAttributes = Arc<[(String, u64)]>;

/// A size class whose weight is an exact number.
pub(super) struct ExactClass {
    pub item: Bytes,
    pub entries: Vec<IndexEntry>,
    pub attributes: Option<ItemAttributes>,
    pub weight: Exact,
}

/// Items of one size, with one entry size in each index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SizeClass {
    /// Bytes of the item.
    pub item: Bytes,
    /// The entry in each index, by position.
    pub entries: Vec<IndexEntry>,
    /// The attributes of the item with their bytes, names included; `None` if they are not
    /// described.
    pub attributes: Option<ItemAttributes>,
    /// The weight of this class: its share of all items is `weight` /
    /// [`total`](SizeClasses::total).
    pub weight: u64,
}

impl SizeClass {
    /// Whether its items are in an index, by position.
    pub fn is_in(&self, index: usize) -> bool {
        !matches!(self.entries.get(index), None | Some(IndexEntry::None))
    }
}

/// An exact distribution of item sizes: weights are integers, so sums over many classes are sums of
/// integers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SizeClasses {
    classes: Arc<[SizeClass]>,
    total: u64,
    cut: Exact,
}

/// The denominator of the shares of a continuous distribution.
const PARTS: u64 = 1_000_000_000_000;

/// Reads are rounded up to a multiple of this many bytes, so the rounding of a sum of sizes depends
/// only on its remainder.
const READ_BLOCK: u64 = 4 * KB;

impl SizeClasses {
    /// Classes with their weights; `None` if there are none.
    pub fn of(
        weighted: impl IntoIterator<Item = (Bytes, Vec<IndexEntry>, u64)>,
    ) -> Option<SizeClasses> {
        let classes = SizeClasses::new(weighted);
        (classes.total > 0).then_some(classes)
    }

    /// Classes with their weights, which must not all be zero.
    pub(super) fn new(
        weighted: impl IntoIterator<Item = (Bytes, Vec<IndexEntry>, u64)>,
    ) -> SizeClasses {
        let class = |(item, entries, weight)| SizeClass {
            item,
            entries,
            attributes: None,
            weight,
        };
        SizeClasses::of_classes(weighted.into_iter().map(class))
    }

    fn of_classes(classes: impl Iterator<Item = SizeClass>) -> SizeClasses {
        let classes: Arc<[SizeClass]> = classes.filter(|class| class.weight > 0).collect();
        SizeClasses {
            total: classes.iter().map(|class| class.weight).sum(),
            classes,
            cut: Exact::zero(),
        }
    }

    /// Classes with exact weights, of which at least one must be above 0. Weights that have no common
    /// denominator within 64 bits are rounded to parts of 2^62.
    pub(super) fn weighted(classes: impl IntoIterator<Item = ExactClass>) -> SizeClasses {
        let classes: Vec<ExactClass> = classes.into_iter().collect();
        let weights: Vec<Exact> = classes.iter().map(|class| class.weight.clone()).collect();
        let weights = integer_weights(&weights);
        SizeClasses::of_classes(
            classes
                .into_iter()
                .zip(weights)
                .map(|(class, weight)| SizeClass {
                    item: class.item,
                    entries: class.entries,
                    attributes: class.attributes,
                    weight,
                }),
        )
    }

    /// The same classes, with the share of the distribution that was cut off because no item can be
    /// that large.
    pub(super) fn cut_off(self, cut: Exact) -> SizeClasses {
        SizeClasses { cut, ..self }
    }

    /// The share of the distribution that was cut off because no item can be that large.
    pub fn cut(&self) -> &Exact {
        &self.cut
    }

    /// The classes.
    pub fn iter(&self) -> impl Iterator<Item = &SizeClass> {
        self.classes.iter()
    }

    /// The class at a position in the cumulative weights; `place` is the position, scaled to 0 to
    /// 2^64.
    pub fn at(&self, place: u64) -> &SizeClass {
        let all = self.classes.iter().map(|class| (class, class.weight));
        pick_weighted(all, self.total, place).unwrap_or(&self.classes[0])
    }

    /// Whether both are the same value in memory: the sizes of one entity, or of one write.
    pub fn is_same(&self, other: &SizeClasses) -> bool {
        Arc::ptr_eq(&self.classes, &other.classes)
    }

    /// Whether some items are in no entry of an index.
    pub fn is_sparse(&self) -> bool {
        self.iter()
            .any(|class| class.entries.contains(&IndexEntry::None))
    }

    /// How many classes there are.
    pub fn count(&self) -> usize {
        self.classes.len()
    }

    /// The sum of the weights of all classes.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The mean size of an item: for storage and for comparison, never for the meter.
    pub fn mean(&self) -> Exact {
        let sum: u128 = self
            .classes
            .iter()
            .map(|class| u128::from(class.item.0) * u128::from(class.weight))
            .sum();
        Exact::whole(sum) / Exact::from(self.total)
    }

    /// The number and the bytes of the entries of one index, each per item; `None` if the size of
    /// an entry is unknown.
    pub fn entries(&self, index: usize) -> Option<(Exact, Exact)> {
        let (mut number, mut bytes) = (0, 0_u128);
        for class in self.classes.iter() {
            match class.entries.get(index)? {
                IndexEntry::None => {}
                IndexEntry::Unknown => return None,
                IndexEntry::Size(size) => {
                    number += class.weight;
                    bytes += u128::from(size.0) * u128::from(class.weight);
                }
            }
        }
        Some((
            Exact::ratio(number, self.total),
            Exact::whole(bytes) / Exact::from(self.total),
        ))
    }

    /// The same items with another projection of one index. Entries of items whose attributes are
    /// not described have the size `otherwise`, unless the index holds whole items.
    #[must_use]
    pub fn with_projection(
        &self,
        at: usize,
        (index, keys): (&Index, &KeySchema),
        otherwise: IndexEntry,
    ) -> SizeClasses {
        self.changed(|class| {
            let Some(own) = class.entries.get_mut(at) else {
                return;
            };
            *own = match (*own, &class.attributes) {
                (IndexEntry::None, _) => IndexEntry::None,
                _ if index.projection == Projection::All => IndexEntry::Size(class.item),
                (_, Some(attributes)) => {
                    let held = attributes
                        .iter()
                        .filter(|(name, _)| index.holds(keys, name));
                    IndexEntry::Size(Bytes(held.map(|(_, bytes)| bytes).sum()))
                }
                (_, None) => otherwise,
            };
        })
    }

    /// The same items without one index.
    #[must_use]
    pub fn without_index(&self, index: usize) -> SizeClasses {
        self.changed(|class| {
            if index < class.entries.len() {
                class.entries.remove(index);
            }
        })
    }

    /// The same items at a share of their size, rounded up, and not reduced below `least` bytes;
    /// entries that hold the whole item shrink with it.
    #[must_use]
    pub fn scaled(&self, share: &Exact, least: u64) -> SizeClasses {
        self.changed(|class| {
            let whole = class.item;
            let bytes = (&Exact::from(whole.0) * share)
                .ceil()
                .to_u64()
                .unwrap_or(whole.0);
            class.item = Bytes(
                bytes
                    .clamp(1, crate::table::limits::ITEM_BYTES_MAX)
                    .max(least.min(whole.0)),
            );
            for entry in &mut class.entries {
                if *entry == IndexEntry::Size(whole) {
                    *entry = IndexEntry::Size(class.item);
                }
            }
        })
    }

    /// The same items at one size; entries that hold the whole item have its size too.
    pub(super) fn of_size(&self, given: &SizeClass) -> SizeClasses {
        self.changed(|class| {
            let whole = IndexEntry::Size(class.item);
            for entry in &mut class.entries {
                if *entry == whole {
                    *entry = IndexEntry::Size(given.item);
                }
            }
            class.item = given.item;
        })
    }

    fn changed(&self, change: impl Fn(&mut SizeClass)) -> SizeClasses {
        let mut classes: Vec<SizeClass> = self.classes.to_vec();
        classes.iter_mut().for_each(change);
        SizeClasses {
            classes: classes.into(),
            total: self.total,
            cut: self.cut.clone(),
        }
    }

    /// The same sizes, with entries present or absent in the same proportions as in `other`. If all
    /// entries are present in `other`, the sizes stay unchanged.
    pub(super) fn covered_like(&self, other: &SizeClasses) -> SizeClasses {
        let mut masks: BTreeMap<Vec<bool>, u64> = BTreeMap::new();
        for class in other.iter() {
            let mask = class
                .entries
                .iter()
                .map(|entry| *entry == IndexEntry::None)
                .collect();
            *masks.entry(mask).or_default() += class.weight;
        }
        if masks.keys().all(|mask| mask.iter().all(|absent| !absent)) {
            return self.clone();
        }
        let divisor = masks
            .values()
            .fold(0, |divisor: u64, weight| divisor.gcd(weight))
            .max(1);
        let own = self
            .classes
            .iter()
            .fold(0, |divisor: u64, class| divisor.gcd(&class.weight))
            .max(1);
        SizeClasses::of_classes(self.classes.iter().flat_map(|class| {
            masks.iter().map(move |(mask, weight)| {
                let entries = class
                    .entries
                    .iter()
                    .zip(mask)
                    .map(|(entry, absent)| if *absent { IndexEntry::None } else { *entry });
                SizeClass {
                    item: class.item,
                    entries: entries.collect(),
                    attributes: class.attributes.clone(),
                    weight: (class.weight / own).saturating_mul(weight / divisor),
                }
            })
        }))
    }

    /// The sizes of the items or entries that a read of the table, or of one index, evaluates, with
    /// their weights; `None` if they are unknown.
    pub fn evaluated(&self, index: Option<usize>) -> Option<Vec<(u64, u64)>> {
        let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
        for class in self.classes.iter() {
            let size = match index {
                None => class.item,
                Some(index) => match class.entries.get(index)? {
                    IndexEntry::None => continue,
                    IndexEntry::Unknown => return None,
                    IndexEntry::Size(size) => *size,
                },
            };
            *sizes.entry(size.0).or_default() += class.weight;
        }
        Some(sizes.into_iter().collect())
    }

    /// Every item and entry at its mean size, rounded up to whole bytes: what calculators assume.
    #[must_use]
    pub fn at_their_mean(&self) -> SizeClasses {
        let whole = |mean: Exact| Bytes(mean.ceil().to_u64().unwrap_or(u64::MAX));
        let indexes = self.classes.first().map_or(0, |class| class.entries.len());
        let entries = (0..indexes).map(|index| match self.entries(index) {
            None => IndexEntry::Unknown,
            Some((number, _)) if number.is_zero() => IndexEntry::None,
            Some((number, bytes)) => IndexEntry::Size(whole(bytes / number)),
        });
        SizeClasses::new([(whole(self.mean()), entries.collect(), 1)])
    }
}

/// Whole numbers in the proportions of exact weights, as small as possible. If they do not fit into
/// 62 bits together, they are rounded.
pub fn integer_weights(weights: &[Exact]) -> Vec<u64> {
    const LARGEST: u64 = 1 << 62;
    let fractions: Vec<(BigUint, BigUint)> = weights.iter().map(Exact::numbers).collect();
    let common = fractions
        .iter()
        .fold(BigUint::from(1_u32), |common, (_, denominator)| {
            common.lcm(denominator)
        });
    let mut whole: Vec<BigUint> = fractions
        .iter()
        .map(|(numerator, denominator)| numerator * (&common / denominator))
        .collect();
    let divisor = whole
        .iter()
        .fold(BigUint::from(0_u32), |divisor, weight| divisor.gcd(weight))
        .max(BigUint::from(1_u32));
    let total: BigUint = whole.iter().sum::<BigUint>() / &divisor;
    let fits = total <= BigUint::from(LARGEST);
    for weight in &mut whole {
        *weight = &*weight / &divisor;
        if !fits {
            *weight = (&*weight * LARGEST + &total / 2_u32) / &total;
        }
    }
    whole
        .iter()
        .map(|weight| u64::try_from(weight).unwrap_or(u64::MAX))
        .collect()
}

/// The element at a position in the cumulative weights; `place` is the position, scaled to 0 to
/// 2^64. `None` if there are no elements.
pub fn pick_weighted<T>(
    all: impl IntoIterator<Item = (T, u64)>,
    total: u64,
    place: u64,
) -> Option<T> {
    let mut at = ((u128::from(place) * u128::from(total)) >> 64) as u64;
    for (one, weight) in all {
        if at < weight {
            return Some(one);
        }
        at -= weight;
    }
    None
}

/// The weighted mean of sizes; zero if there are none.
pub fn mean_of(sizes: &[(u64, u64)]) -> Exact {
    let (mut bytes, mut total) = (0_u128, 0_u128);
    for (size, weight) in sizes {
        bytes += u128::from(*size) * u128::from(*weight);
        total += u128::from(*weight);
    }
    if total == 0 {
        Exact::zero()
    } else {
        Exact::whole(bytes) / Exact::whole(total)
    }
}

/// The lognormal distribution with a given mean and 99th percentile, cut off at `largest` bytes, as
/// sizes and weights.
///
/// Classes are 32 bytes wide up to 4 KB, 128 bytes up to 16 KB and 1 KB beyond. No class crosses a
/// multiple of 1 KB, and each is represented by its middle, so the units of single items equal
/// those of the continuous distribution, without the part that is cut off, to 1 in 10^9. Also
/// returns the share that is cut off. `None` if no lognormal distribution has both figures (the
/// percentile must be between the mean and 14.9 times the mean).
pub(super) fn lognormal(mean: u64, p99: u64, largest: u64) -> Option<(Vec<(Bytes, u64)>, Exact)> {
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
            classes.push((Bytes((low + high).div_ceil(2)), weight as u64));
        }
        (low, below) = (high, up_to);
    }
    (!classes.is_empty()).then_some((
        classes,
        Exact::ratio(((1.0 - below).max(0.0) * PARTS as f64) as u64, PARTS),
    ))
}

/// The sum of `count` independent sizes with given weights, as sizes with shares that have the same
/// mean number of 4 KB blocks, so that reading them costs the same on average as reading the full
/// distribution.
///
/// A few sizes are added exactly; many are added by convolution of their remainders modulo 4 KB,
/// with an error of about 10^-12 blocks.
pub fn sum_of(sizes: &[(u64, u64)], count: u64) -> Vec<(Bytes, Exact)> {
    match sizes {
        [] => vec![(Bytes(0), Exact::one())],
        [(size, _)] => vec![(Bytes(size * count), Exact::one())],
        _ if count == 0 => vec![(Bytes(0), Exact::one())],
        _ if count == 1 => added_exactly(&[(sizes, 1)]),
        [_, _] if count <= 128 => added_exactly(&[(sizes, count)]),
        [_, _, _] if count <= 16 => added_exactly(&[(sizes, count)]),
        _ if sizes.len() <= 8 && count <= 4 => added_exactly(&[(sizes, count)]),
        _ => added_by_remainder(&[(sizes, count)]),
    }
}

/// The sum of independent sizes of several kinds, each with how many there are, as in [`sum_of`].
pub fn sum_of_kinds(kinds: &[SizesTimes]) -> Vec<(Bytes, Exact)> {
    let kinds: Vec<SizesTimes> = kinds
        .iter()
        .copied()
        .filter(|(sizes, count)| !sizes.is_empty() && *count > 0)
        .collect();
    match kinds.as_slice() {
        [] => vec![(Bytes(0), Exact::one())],
        [(sizes, count)] => sum_of(sizes, *count),
        kinds if distinct_sums(kinds) <= DISTINCT_SUMS_MAX => added_exactly(kinds),
        kinds => added_by_remainder(kinds),
    }
}

/// How many items fill a page of 1 MB at their mean size, of kinds that are mixed in these numbers.
pub fn page_items(kinds: &[SizesTimes]) -> u64 {
    let items: u64 = kinds.iter().map(|(_, count)| count).sum();
    let bytes: Exact = kinds
        .iter()
        .map(|(sizes, count)| mean_of(sizes) * Exact::from(*count))
        .sum();
    if bytes.is_zero() {
        return u64::MAX;
    }
    (Exact::from(limits::PAGE_BYTES) * Exact::from(items) / bytes)
        .ceil()
        .to_u64()
        .unwrap_or(u64::MAX)
        .max(1)
}

/// Sizes with their weights, and how many of them are added.
pub type SizesTimes<'a> = (&'a [(u64, u64)], u64);

/// The number of different sums up to which sizes of several kinds are added exactly.
const DISTINCT_SUMS_MAX: u64 = 4_096;

/// How many different sums there can be, at most.
fn distinct_sums(kinds: &[SizesTimes]) -> u64 {
    let of_kind = |(sizes, count): &SizesTimes| {
        // Combinations with repetition: (count + n - 1) choose (n - 1).
        (1..sizes.len() as u64).fold(1_u64, |sums, at| {
            sums.saturating_mul(count.saturating_add(at)) / at
        })
    };
    kinds.iter().fold(1, |product: u64, kind| {
        product.saturating_mul(of_kind(kind))
    })
}

/// The distribution of the sum by its number of blocks; each number is represented by the largest
/// sum with that number.
fn added_exactly(kinds: &[SizesTimes]) -> Vec<(Bytes, Exact)> {
    let mut sums: BTreeMap<u64, BigUint> = BTreeMap::from([(0, BigUint::from(1_u32))]);
    for (sizes, count) in kinds {
        let divisor = sizes
            .iter()
            .fold(0, |divisor, (_, weight)| weight.gcd(&divisor))
            .max(1);
        for _ in 0..*count {
            let mut next: BTreeMap<u64, BigUint> = BTreeMap::new();
            for (sum, ways) in &sums {
                for (size, weight) in *sizes {
                    *next.entry(sum + size).or_default() += ways * (weight / divisor);
                }
            }
            sums = next;
        }
    }
    let total: BigUint = sums.values().sum();
    let mut blocks: BTreeMap<u64, (Bytes, BigUint)> = BTreeMap::new();
    for (sum, ways) in sums {
        let (largest, all) = blocks.entry(Bytes(sum).blocks(READ_BLOCK)).or_default();
        *largest = (*largest).max(Bytes(sum));
        *all += ways;
    }
    blocks
        .into_values()
        .map(|(sum, ways)| (sum, Exact::of_integers(ways, total.clone())))
        .collect()
}

/// The two whole numbers of blocks around the mean number. The mean number of blocks is (mean sum -
/// mean remainder) / block size + 1, where a remainder is 1 to 4,096 bytes. The remainders of a sum
/// are the circular convolution of the remainders of its parts.
fn added_by_remainder(kinds: &[SizesTimes]) -> Vec<(Bytes, Exact)> {
    let length = READ_BLOCK as usize;
    let mut planner = FftPlanner::new();
    let mut spectrum = vec![Complex { re: 1.0, im: 0.0 }; length];
    for (sizes, count) in kinds {
        let total: f64 = sizes.iter().map(|(_, weight)| *weight as f64).sum();
        let mut one = vec![Complex { re: 0.0, im: 0.0 }; length];
        for (size, weight) in *sizes {
            one[(size % READ_BLOCK) as usize].re += *weight as f64 / total;
        }
        planner.plan_fft_forward(length).process(&mut one);
        let exponent = u32::try_from(*count).unwrap_or(u32::MAX);
        for (all, one) in spectrum.iter_mut().zip(one) {
            *all *= one.powu(exponent);
        }
    }
    planner.plan_fft_inverse(length).process(&mut spectrum);

    let (mut bytes, mut parts) = (0_u128, 0_u128);
    for (remainder, value) in spectrum.iter().enumerate() {
        let weight = ((value.re / length as f64).max(0.0) * PARTS as f64).round() as u128;
        let remainder = if remainder == 0 {
            u128::from(READ_BLOCK)
        } else {
            remainder as u128
        };
        bytes += remainder * weight;
        parts += weight;
    }
    let mean_remainder = Exact::whole(bytes) / Exact::whole(parts.max(1));
    let mean: Exact = kinds
        .iter()
        .map(|(sizes, count)| mean_of(sizes) * Exact::from(*count))
        .sum();
    let blocks = (mean - mean_remainder) / Exact::from(READ_BLOCK) + Exact::one();
    let blocks = blocks.max(Exact::one());
    let whole = blocks.floor();
    let above = &blocks - &whole;
    let size =
        |blocks: &Exact| Bytes(blocks.to_u64().unwrap_or(u64::MAX / READ_BLOCK) * READ_BLOCK);
    let both = [
        (size(&whole), Exact::one() - above.clone()),
        (size(&(whole + Exact::one())), above),
    ];
    both.into_iter()
        .filter(|(_, share)| !share.is_zero())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(sums: &[(Bytes, Exact)]) -> f64 {
        sums.iter()
            .map(|(bytes, share)| bytes.blocks(READ_BLOCK) as f64 * share.to_f64())
            .sum()
    }

    #[test]
    fn the_remainder_method_agrees_with_exact_addition() {
        for (sizes, count) in [
            (vec![(600, 7), (4300, 3)], 25),
            (vec![(100, 1), (2000, 1), (9000, 2)], 7),
            (vec![(1, 1), (8191, 1)], 2),
        ] {
            let kinds: [SizesTimes; 1] = [(&sizes, count)];
            let (exact, folded) = (added_exactly(&kinds), added_by_remainder(&kinds));
            let error = (blocks(&exact) - blocks(&folded)).abs();
            assert!(
                error < 1e-9,
                "{sizes:?} x {count}: {} and {}",
                blocks(&exact),
                blocks(&folded)
            );
            assert_eq!(
                exact.iter().map(|(_, share)| share.clone()).sum::<Exact>(),
                Exact::one()
            );
            assert_eq!(
                folded.iter().map(|(_, share)| share.clone()).sum::<Exact>(),
                Exact::one()
            );
        }
    }

    #[test]
    fn a_lognormal_keeps_its_mean_and_percentile() {
        let (mean, p99) = (1843, 14_336);
        let (classes, cut) = lognormal(mean, p99, 400 * KB).expect("a lognormal");
        assert!(cut.to_f64() < 1e-6, "{cut}");
        let total = classes
            .iter()
            .map(|(_, weight)| *weight as f64)
            .sum::<f64>();
        let found = classes
            .iter()
            .map(|(size, weight)| size.0 as f64 * *weight as f64)
            .sum::<f64>()
            / total;
        assert!((found / mean as f64 - 1.0).abs() < 0.01, "{found}");
        let below = classes
            .iter()
            .filter(|(size, _)| size.0 <= p99)
            .map(|(_, weight)| *weight as f64)
            .sum::<f64>()
            / total;
        assert!((below - 0.99).abs() < 0.001, "{below}");
        assert_eq!(lognormal(100, 50, 400 * KB), None);
        assert_eq!(lognormal(100, 2000, 400 * KB), None);
    }
}
