//! The factors of a shape as they are simulated.

use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use crate::units::Exact;

/// Minutes of a week.
pub const WEEK_MINUTES: u64 = 7 * 24 * 60;

/// How a rate changes from the weight of one hour to that of the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Course {
    /// The rate is constant within an hour.
    #[default]
    Steps,
    /// The rate changes evenly between the middles of two hours.
    Smooth,
}

/// The rate of each hour of the week, or of each minute, divided by its mean.
#[derive(Clone, Debug)]
pub struct Factors(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    all: Box<[f64]>,
    fingerprint: Fingerprint,
    /// The rates of all minutes, by the course from one hour to the next, once they are needed.
    minutes: [OnceLock<Arc<[f64]>>; 2],
}

impl Factors {
    /// The factor of each minute of the week, computed once for each course.
    pub(super) fn by_minute(&self, course: Course) -> Arc<[f64]> {
        let all = self.0.minutes[course as usize].get_or_init(|| {
            let minutes = 0..WEEK_MINUTES;
            minutes.map(|minute| self.at(minute, course)).collect()
        });
        all.clone()
    }

    /// The factor of a minute of the week: that of its hour, or, if the course is smooth,
    /// interpolated between the middles of two hours. The mean over the week is the same either
    /// way.
    pub(super) fn at(&self, minute: u64, course: Course) -> f64 {
        let hours = self.len().max(1) as u64;
        if course == Course::Steps {
            let each = (WEEK_MINUTES / hours).max(1);
            return self[((minute / each) % hours) as usize];
        }
        let from_middle = minute + hours * 60 - 30;
        let (hour, past) = ((from_middle / 60) % hours, from_middle % 60);
        let (before, after) = (self[hour as usize], self[((hour + 1) % hours) as usize]);
        before + (after - before) * past as f64 / 60.0
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }
}

impl FromIterator<f64> for Factors {
    fn from_iter<I: IntoIterator<Item = f64>>(factors: I) -> Factors {
        let all: Box<[f64]> = factors.into_iter().collect();
        let fingerprint = Fingerprint::of(all.iter().map(|factor| factor.to_bits()));
        Factors(Arc::new(Inner {
            all,
            fingerprint,
            minutes: Default::default(),
        }))
    }
}

impl<'a> FromIterator<&'a Exact> for Factors {
    fn from_iter<I: IntoIterator<Item = &'a Exact>>(factors: I) -> Factors {
        factors.into_iter().map(Exact::to_f64).collect()
    }
}

impl From<Vec<f64>> for Factors {
    fn from(factors: Vec<f64>) -> Factors {
        factors.into_iter().collect()
    }
}

impl Deref for Factors {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0.all
    }
}

impl PartialEq for Factors {
    fn eq(&self, other: &Factors) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }
}

impl Eq for Factors {}

impl Hash for Factors {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.fingerprint.hash(state);
    }
}

/// 128 bits of what something depends on. What has the same is taken to be the same: of a billion
/// different things, two have the same by chance once in 10²⁰ times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// The fingerprint of a sequence.
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Fingerprint {
        let (mut count, mut sums) = (0, [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344]);
        for number in numbers {
            sums = [mixed(sums[0], number), mixed(!number, sums[1])];
            count += 1;
        }
        Fingerprint([mixed(sums[0], count), mixed(sums[1], count)])
    }

    /// Both halves.
    pub fn halves(self) -> [u64; 2] {
        self.0
    }
}

/// A number that depends on a seed and another number in all of its bits (SplitMix64).
pub fn mixed(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_that_differ_in_anything_have_other_fingerprints() {
        let mut all: Vec<Fingerprint> = (0..64)
            .flat_map(|bit| (0..20).map(move |at| (bit, at)))
            .map(|(bit, at)| {
                Fingerprint::of((0..20).map(|other| if other == at { 1 << bit } else { 0 }))
            })
            .chain((0..200).map(|zeros| Fingerprint::of(vec![0; zeros])))
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for half in [0, 1] {
            let mut halves: Vec<u64> = all.iter().map(|one| one.halves()[half]).collect();
            halves.sort_unstable();
            halves.dedup();
            assert_eq!(halves.len(), count, "each half differs as well");
        }
    }
}
