//! Finds the factor up to which something holds.

use crate::units::Exact;

/// The highest factor that is looked for; what holds there has no limit that matters.
const FACTOR_MAX: f64 = 1e6;

/// The lowest factor that is looked for; what does not hold there holds at none.
const FACTOR_MIN: f64 = 1e-4;

/// By how much the two ends of a search differ at last.
const PRECISION: f64 = 1.0003;

/// By how much a search moves away from its first guess at first, and at most.
const STEPS: (f64, f64) = (1.03, 1.3);

/// The factor up to which something holds, found from a guess: it holds there, and three
/// ten-thousandths above it does not. `None` if it holds at a million times the traffic; 0 if it holds at none.
pub(super) fn greatest(guess: f64, holds: impl Fn(f64) -> bool) -> Option<f64> {
    let guess = if guess.is_finite() { guess } else { 1.0 };
    let mut low = guess.clamp(FACTOR_MIN, FACTOR_MAX);
    let mut high = low;
    let (mut step, widest) = STEPS;
    if holds(low) {
        loop {
            high = low * step;
            if high > FACTOR_MAX {
                return None;
            }
            if !holds(high) {
                break;
            }
            low = high;
            step = (step * step).min(widest);
        }
    } else {
        loop {
            low = high / step;
            if low < FACTOR_MIN {
                return Some(0.0);
            }
            if holds(low) {
                break;
            }
            high = low;
            step = (step * step).min(widest);
        }
    }
    while high / low > PRECISION {
        let middle = (low * high).sqrt();
        if holds(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    Some(low)
}

/// The least whole number from 1 that is enough, found from a guess; more is always enough as well.
/// `None` if `most` is not.
pub(super) fn least(guess: u64, most: u64, is_enough: impl Fn(u64) -> bool) -> Option<u64> {
    let mut high = guess.clamp(1, most);
    while !is_enough(high) {
        if high == most {
            return None;
        }
        high = (high + high / 4 + 1).min(most);
    }
    let mut low = 0;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_enough(middle) {
            high = middle
        } else {
            low = middle
        }
    }
    Some(high)
}

/// A factor with five digits, rounded down, so that what it says still holds.
pub(super) fn rounded(factor: f64) -> Exact {
    if factor.is_nan() || factor <= 0.0 {
        return Exact::zero();
    }
    let digits = 4 - factor.log10().floor() as i32;
    // What differs from five digits by less than a billionth was exact.
    let scaled = (factor * 10_f64.powi(digits) * (1.0 + 1e-9)).floor();
    match digits {
        0.. => Exact::ratio(scaled as u64, 10_u64.pow(digits.unsigned_abs().min(18))),
        _ => Exact::from(10_u64.pow(digits.unsigned_abs().min(18))) * Exact::from(scaled as u64),
    }
}

/// Units that are expected, to the nearest thousandth.
pub(super) fn expected(units: f64) -> Exact {
    // A cast makes negative numbers zero, and what is too large the largest.
    Exact::whole((units * 1_000.0 + 0.5) as u128) / Exact::from(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_found_from_any_guess() {
        for limit in [0.002, 0.7, 1.0, 37.5, 120_000.0] {
            for guess in [1e-9, 0.5, 1.0, 60.0, 1e9, f64::NAN] {
                let found = greatest(guess, |factor| factor <= limit).expect("a limit");
                assert!(found <= limit && found * 1.0004 > limit, "{limit} {found}");
            }
        }
        assert_eq!(greatest(1.0, |_| true), None);
        assert_eq!(greatest(1.0, |_| false), Some(0.0));
    }

    #[test]
    fn the_least_number_is_found() {
        for wanted in [1, 2, 57, 9_999] {
            for guess in [0, 1, 60, 100_000] {
                assert_eq!(least(guess, 10_000, |one| one >= wanted), Some(wanted));
            }
        }
        assert_eq!(least(1, 10, |one| one > 10), None);
    }

    #[test]
    fn expected_units_have_three_decimal_places() {
        for (units, words) in [
            (654.545_4, "654.545"),
            (0.000_6, "0.001"),
            (-1.0, "0"),
            (1e15, "1,000,000,000,000,000"),
        ] {
            assert_eq!(expected(units).human(9), words);
        }
    }

    #[test]
    fn factors_have_five_digits() {
        for (factor, words) in [
            (2.0, "2"),
            (1.999_999_999_999, "2"),
            (1.234_567, "1.2345"),
            (0.012_345_67, "0.012345"),
            (123_456.7, "123,450"),
            (0.0, "0"),
        ] {
            assert_eq!(rounded(factor).human(9), words);
        }
    }
}
