//! Figures that are not known exactly: ranges, and the scenarios that pick one value of each.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::units::Exact;

/// Which value of each range is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// The likely value of each range.
    #[default]
    Likely,
    /// The lowest value of each range.
    Low,
    /// The highest value of each range.
    High,
    /// The lowest value of one range, by its position in the file; the likely value of all others.
    OnlyLow(usize),
    /// The highest value of one range; the likely value of all others.
    OnlyHigh(usize),
    /// Values drawn at random: the seed and the number of the draw.
    Drawn(u64, u64),
}

/// A range of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncertainValue {
    /// The line, from 1.
    pub line: usize,
    /// The line's text.
    pub text: String,
    /// The lowest value.
    pub low: Exact,
    /// The likely value.
    pub likely: Exact,
    /// The highest value.
    pub high: Exact,
}

impl Scenario {
    /// The value of the range at a position of the file.
    pub(super) fn pick(self, at: usize, range: &UncertainValue) -> Exact {
        match self {
            Scenario::Low => range.low.clone(),
            Scenario::High => range.high.clone(),
            Scenario::OnlyLow(one) if one == at => range.low.clone(),
            Scenario::OnlyHigh(one) if one == at => range.high.clone(),
            Scenario::Drawn(seed, draw) => triangular(range, seed, draw, at),
            Scenario::Likely | Scenario::OnlyLow(_) | Scenario::OnlyHigh(_) => range.likely.clone(),
        }
    }
}

/// A draw from the triangular distribution between the lowest and the highest value, with its peak
/// at the likely value, rounded to a millionth of the range.
fn triangular(range: &UncertainValue, seed: u64, draw: u64, at: usize) -> Exact {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ draw.wrapping_mul(0xd1b5_4a32_d192_ed03)
        ^ (at as u64).wrapping_mul(0x8cb9_2ba7_2f3d_8dd7);
    let mut random = Pcg64Mcg::seed_from_u64(mixed);
    let uniform = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let width = &range.high - &range.low;
    if width.is_zero() {
        return range.likely.clone();
    }
    let peak = (&(&range.likely - &range.low) / &width).to_f64();
    let share = if uniform < peak {
        (uniform * peak).sqrt()
    } else {
        1.0 - ((1.0 - uniform) * (1.0 - peak)).sqrt()
    };
    &range.low + &(&width * &Exact::ratio((share.clamp(0.0, 1.0) * 1e6).round() as u64, 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_the_range_and_have_the_mean_of_the_triangle() {
        let range = UncertainValue {
            line: 1,
            text: String::new(),
            low: Exact::from(10),
            likely: Exact::from(20),
            high: Exact::from(60),
        };
        let draws: Vec<f64> = (0..20_000)
            .map(|draw| Scenario::Drawn(7, draw).pick(3, &range).to_f64())
            .collect();
        assert!(draws.iter().all(|value| (10.0..=60.0).contains(value)));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((mean - 30.0).abs() < 0.3, "{mean}");
        assert_eq!(
            Scenario::Drawn(7, 5).pick(3, &range),
            Scenario::Drawn(7, 5).pick(3, &range)
        );
        assert_ne!(
            Scenario::Drawn(7, 5).pick(3, &range),
            Scenario::Drawn(8, 5).pick(3, &range)
        );
    }
}
