//! Numbers that stand for what something depends on, however much that is.

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

    /// As two numbers, each of which depends on all of the sequence.
    pub fn numbers(self) -> [u64; 2] {
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
        for at in [0, 1] {
            let mut numbers: Vec<u64> = all.iter().map(|one| one.numbers()[at]).collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), count, "each number differs as well");
        }
    }
}
