//! Random counts of a Poisson distribution.

use rand_core::Rng;
use rand_distr::{Distribution, StandardNormal};
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{Discrete, Poisson};

/// Beyond this expected count, a quantile is computed from a normal quantile by the expansion of
/// Cornish and Fisher: within one of the exact value down to a probability of one in a million.
pub const TABLE_MAX: f64 = 64.0;

/// Poisson draws of one expected value: by inversion from a table, or by a corrected normal.
pub struct PoissonDraws {
    /// The expected count.
    pub expected: f64,
    /// Cumulative probabilities of 0, 1, …, in parts of [`ONE`].
    table: Vec<u64>,
    /// Where the lookup of a number starts, by its first bits; as long as the table is not empty.
    guide: Box<[u16]>,
    /// The standard deviation, and what the third power of a normal deviate is multiplied by.
    deviation: f64,
    third: f64,
}

/// A probability of 1.
const ONE: u64 = 1 << 53;

/// How many starts of lookups a table has: so many that nearly every lookup ends where it starts.
const GUIDE: usize = 512;

/// Numbers that have a start in common.
const EACH_GUIDE: u64 = ONE / GUIDE as u64;

impl PoissonDraws {
    /// For an expected count.
    pub fn new(expected: f64) -> PoissonDraws {
        let mut draws = PoissonDraws {
            expected,
            table: Vec::new(),
            guide: Box::default(),
            deviation: expected.max(0.0).sqrt(),
            third: 1.0 / (72.0 * expected.max(1.0).sqrt()),
        };
        if expected <= 0.0 || expected > TABLE_MAX {
            return draws;
        }
        let Ok(poisson) = Poisson::new(expected) else {
            return draws;
        };
        let last = (expected + 8.0 * expected.sqrt() + 12.0) as u64;
        draws.table.reserve_exact(last as usize + 1);
        let mut probability = poisson.pmf(0);
        let mut sum = 0.0;
        for count in 0..last {
            sum += probability;
            draws.table.push((sum * ONE as f64) as u64);
            probability *= expected / (count + 1) as f64;
        }
        // The last serves all numbers.
        draws.table.push(ONE);
        let mut guide = Vec::with_capacity(GUIDE);
        for (at, cumulative) in draws.table.iter().enumerate() {
            // Numbers from here on are not below this probability.
            let above = cumulative.div_ceil(EACH_GUIDE) as usize;
            guide.resize(above.clamp(guide.len(), GUIDE), at as u16);
        }
        draws.guide = guide.into_boxed_slice();
        draws
    }

    /// Draws a count.
    pub fn draw(&self, random: &mut Pcg64Mcg) -> u64 {
        if self.expected <= 0.0 {
            0
        } else if self.table.is_empty() {
            self.at(StandardNormal.sample(random))
        } else {
            self.find(random.next_u64() >> 11)
        }
    }

    /// The count of a number below [`ONE`].
    #[inline]
    fn find(&self, number: u64) -> u64 {
        let mut found = usize::from(self.guide[(number / EACH_GUIDE) as usize]);
        while self.table[found] <= number {
            found += 1;
        }
        found as u64
    }

    /// The quantile at a normal deviate: the nearest whole number, or 0 below it; `f64::round` is a call
    /// on some machines.
    #[inline]
    fn at(&self, z: f64) -> u64 {
        let corrected = (z * z - 1.0) / 6.0 + (z - z * z * z) * self.third;
        let count = self.expected + self.deviation * z + corrected + 0.5;
        // Counts are far below the largest that fits, and this cast is the faster one.
        count.max(0.0) as i64 as u64
    }

    /// Draws several counts.
    pub fn fill(&self, counts: &mut [u64], random: &mut Pcg64Mcg) {
        // In a variable of its own, the generator stays in registers.
        let mut own = random.clone();
        if self.table.is_empty() {
            for count in counts {
                *count = self.at(StandardNormal.sample(&mut own));
            }
        } else {
            for count in counts {
                *count = self.find(own.next_u64() >> 11);
            }
        }
        *random = own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, DiscreteCDF, Normal};

    #[test]
    fn the_table_is_the_poisson_distribution() {
        for expected in [0.3, 7.0, 63.0] {
            let draws = PoissonDraws::new(expected);
            let poisson = Poisson::new(expected).expect("a rate");
            for (at, cumulative) in draws.table.iter().enumerate() {
                let found = *cumulative as f64 / ONE as f64;
                assert!(
                    (found - poisson.cdf(at as u64)).abs() < 1e-10,
                    "{expected}: {at}"
                );
            }
        }
    }

    #[test]
    fn the_corrected_normal_has_the_quantiles_of_poisson() {
        let normal = Normal::new(0.0, 1.0).expect("a normal");
        for expected in [65.0, 201.0, 1_000.0, 30_000.0] {
            let poisson = Poisson::new(expected).expect("a rate");
            for tail in [0.5, 0.01, 1e-4, 1e-6, 0.99, 0.9999, 1.0 - 1e-6] {
                let exact = poisson.inverse_cdf(1.0 - tail);
                let z = normal.inverse_cdf(1.0 - tail);
                let found = PoissonDraws::new(expected).at(z);
                assert!(
                    found.abs_diff(exact) <= 1,
                    "{expected} at {tail}: {found}, not {exact}"
                );
            }
        }
    }
}
