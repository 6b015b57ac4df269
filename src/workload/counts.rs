//! How many items a call reads or writes: whole numbers with their shares.

use super::sizes::SizeClasses;
use crate::units::Exact;

/// The numbers of items that calls have, each with its share of the calls. The shares add up to 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Counts {
    shares: Vec<(u64, Exact)>,
    assumed: bool,
}

impl Counts {
    /// The same number in every call.
    pub fn of(count: u64) -> Counts {
        Counts {
            shares: vec![(count, Exact::one())],
            assumed: false,
        }
    }

    /// The whole numbers around a mean.
    ///
    /// `Assumption:` of a mean alone, such as 2.5, every call has one of the two whole numbers around
    /// it. This matters only for a Query or Scan, which rounds up the sum of its items.
    pub fn around(mean: &Exact) -> Counts {
        let low = mean.floor();
        let above = mean - &low;
        let count = low.to_u64().unwrap_or(u64::MAX);
        if above.is_zero() {
            return Counts::of(count);
        }
        Counts {
            shares: vec![
                (count, Exact::one() - above.clone()),
                (count.saturating_add(1), above),
            ],
            assumed: true,
        }
    }

    /// Numbers with their shares, which must add up to 1; the same number may occur several times.
    pub fn shared(shares: impl IntoIterator<Item = (u64, Exact)>) -> Counts {
        let mut sums = std::collections::BTreeMap::<u64, Exact>::new();
        for (count, share) in shares {
            let sum = sums.entry(count).or_insert_with(Exact::zero);
            *sum = &*sum + &share;
        }
        Counts {
            shares: sums
                .into_iter()
                .filter(|(_, share)| !share.is_zero())
                .collect(),
            assumed: false,
        }
    }

    /// The numbers with their shares, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Exact)> {
        self.shares.iter().map(|(count, share)| (*count, share))
    }

    /// The mean.
    pub fn mean(&self) -> Exact {
        self.iter()
            .map(|(count, share)| share * &Exact::from(count))
            .sum()
    }

    /// The largest number.
    pub fn most(&self) -> u64 {
        self.shares.last().map_or(0, |(count, _)| *count)
    }

    /// The number that a limit of the API holds for: of a mean alone, the mean.
    pub fn limited(&self) -> Exact {
        match self.assumed {
            true => self.mean(),
            false => Exact::from(self.most()),
        }
    }

    /// The number, if it is the same in every call.
    pub fn fixed(&self) -> Option<u64> {
        match self.shares.as_slice() {
            [(count, _)] => Some(*count),
            _ => None,
        }
    }

    /// Whether the distribution follows from a mean alone.
    pub fn is_assumed(&self) -> bool {
        self.assumed
    }

    /// Whether some calls have no item.
    pub fn may_be_none(&self) -> bool {
        self.shares.first().is_some_and(|(count, _)| *count == 0)
    }

    /// The same calls with other numbers.
    #[must_use]
    pub fn map(&self, change: impl Fn(u64) -> u64) -> Counts {
        Counts {
            assumed: self.assumed,
            ..Counts::shared(
                self.iter()
                    .map(|(count, share)| (change(count), share.clone())),
            )
        }
    }

    /// The number at a position from 0 to 1.
    pub fn at(&self, place: f64) -> u64 {
        let mut up_to = 0.0;
        self.iter()
            .find(|(_, share)| {
                up_to += share.to_f64();
                place < up_to
            })
            .map_or_else(|| self.most(), |(count, _)| count)
    }
}

/// Items of one kind that a call reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadItems {
    /// The entity, by position; `None` in a table without entities, or if they are of all entities.
    pub entity: Option<usize>,
    /// The sizes of the items; `None` if they are not known.
    pub sizes: Option<SizeClasses>,
    /// How many of them a call reads.
    pub counts: Counts,
}
