//! Shares that come out as exactly as whole numbers of calls allow: spread evenly, not drawn at
//! random.

use num_integer::Integer;

use crate::units::Exact;

/// Places from 0 to 2^64, one for each of some calls: evenly spread, in a mixed order.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    count: u64,
    stride: u64,
}

/// What is drawn. Each has its own order, so that one does not decide another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// What becomes of a call.
    Outcome,
    /// How many items it has.
    Count,
    /// Whether an item is found.
    Found,
    /// The size of an item.
    Size,
}

impl Drawn {
    /// The part of all calls, in ten thousandths, by which the next place is further on: powers of
    /// the inverse of the root of x^5 = x + 1, which together leave no gaps (the R sequence of four
    /// dimensions by Martin Roberts).
    fn step(self) -> u64 {
        match self {
            Drawn::Outcome => 8_567,
            Drawn::Count => 7_339,
            Drawn::Found => 6_287,
            Drawn::Size => 5_386,
        }
    }
}

impl Draws {
    /// For a number of calls or items.
    pub fn new(count: u64, what: Drawn) -> Draws {
        let count = count.max(1);
        let mut stride = (count * what.step() / 10_000).max(1);
        while stride.gcd(&count) != 1 {
            stride += 1;
        }
        Draws { count, stride }
    }

    /// The place of one of them.
    pub fn place(&self, at: u64) -> u64 {
        let count = u128::from(self.count);
        let step = u128::from(at) * u128::from(self.stride) % count;
        (((step * 2 + 1) << 63) / count) as u64
    }
}

/// Where a share ends, on the scale of the places.
fn end_of(share: &Exact) -> u64 {
    let end = (share * &Exact::whole(1 << 64)).floor();
    end.to_u64().unwrap_or(u64::MAX)
}

/// Whether something that happens in a share of all cases happens at a place.
pub fn happens(share: &Exact, place: u64) -> bool {
    place < end_of(share)
}

/// One of several values, each with its share.
#[derive(Clone, Debug)]
pub struct Choice<T>(Vec<(u64, T)>);

impl<T> Choice<T> {
    /// Values with their weights.
    pub fn new(weighted: impl IntoIterator<Item = (T, Exact)>) -> Choice<T> {
        let weighted: Vec<(T, Exact)> = weighted.into_iter().collect();
        let total: Exact = weighted.iter().map(|(_, weight)| weight.clone()).sum();
        let mut sum = Exact::zero();
        let mut ends = Vec::new();
        for (value, weight) in weighted.into_iter().filter(|(_, one)| !one.is_zero()) {
            sum = sum + weight;
            ends.push((end_of(&(&sum / &total)), value));
        }
        Choice(ends)
    }

    /// The value at a place; `None` if there are no values.
    pub fn at(&self, place: u64) -> Option<&T> {
        let found = self.0.iter().find(|(end, _)| place < *end);
        found.or(self.0.last()).map(|(_, value)| value)
    }

    /// Whether there is only one value.
    pub fn is_fixed(&self) -> bool {
        self.0.len() <= 1
    }

    /// All values.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_come_out_exactly() {
        for count in [1, 2, 7, 100, 1_000] {
            for what in [Drawn::Outcome, Drawn::Count, Drawn::Found, Drawn::Size] {
                let draws = Draws::new(count, what);
                let share = Exact::ratio(1, 4);
                let happened = (0..count).filter(|at| happens(&share, draws.place(*at)));
                let expected = (count + 2) / 4;
                let happened = happened.count() as u64;
                assert!(happened.abs_diff(expected) <= 1, "{happened} of {count}");
                if count.is_multiple_of(4) {
                    assert_eq!(happened, count / 4);
                }
            }
        }
        // What becomes of a call says nothing of its sizes.
        for count in [100, 101, 997, 4_991] {
            let (outcomes, sizes) = (
                Draws::new(count, Drawn::Outcome),
                Draws::new(count, Drawn::Size),
            );
            let half = Exact::ratio(1, 2);
            let first = (0..count).filter(|at| happens(&half, outcomes.place(*at)));
            let both = first.filter(|at| happens(&half, sizes.place(*at))).count() as u64;
            assert!(both.abs_diff(count / 4) <= count / 20, "{both} of {count}");
        }
        let choice = Choice::new([("a", Exact::from(1)), ("b", Exact::from(3))]);
        let draws = Draws::new(8, Drawn::Count);
        let of_b = (0..8).filter(|at| choice.at(draws.place(*at)) == Some(&"b"));
        assert_eq!(of_b.count(), 6);
    }
}
