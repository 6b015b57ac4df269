//! The integers of the meter: bytes, read units in halves, write units; and [`Exact`], the fraction
//! that holds expected counts until a rate charges them.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_rational::{BigRational, Ratio};
use num_traits::{CheckedAdd, CheckedDiv, CheckedMul, CheckedSub, Signed, ToPrimitive, Zero};
use rust_decimal::Decimal;

/// 1 KB, as DynamoDB counts it: 1,024 bytes. Source: Developer Guide, "Constraints in Amazon
/// DynamoDB".
pub const KB: u64 = 1024;
/// 1 MB: 1,024 KB.
pub const MB: u64 = 1024 * KB;
/// 1 GB: 2^30 bytes.
pub const GB: u64 = 1024 * MB;

/// A size in bytes. Always a whole number; never a mean.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Bytes(pub u64);

impl Bytes {
    /// How many whole blocks of `block` bytes this size needs, at least one.
    ///
    /// Source: Developer Guide, "DynamoDB read and write operations": sizes are rounded up, and the
    /// smallest operation costs one block.
    pub fn blocks(self, block: u64) -> u64 {
        self.0.div_ceil(block).max(1)
    }
}

impl Add for Bytes {
    type Output = Bytes;
    fn add(self, other: Bytes) -> Bytes {
        Bytes(self.0 + other.0)
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(sizes: I) -> Bytes {
        Bytes(sizes.map(|size| size.0).sum())
    }
}

impl fmt::Display for Bytes {
    /// `512 B`, or `1.5 KB` if that is exact with one decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, name) in [(GB, "GB"), (MB, "MB"), (KB, "KB")] {
            if self.0 >= unit && (self.0 * 10).is_multiple_of(unit) {
                let tenths = self.0 * 10 / unit;
                return match tenths % 10 {
                    0 => write!(f, "{} {name}", tenths / 10),
                    tenth => write!(f, "{}.{tenth} {name}", tenths / 10),
                };
            }
        }
        write!(f, "{} B", group_thousands(&self.0.to_string()))
    }
}

/// Read units (RRU on demand, RCU provisioned), counted in halves, because an eventually consistent
/// read of 4 KB is half a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadUnits {
    halves: u64,
}

impl ReadUnits {
    /// Zero units.
    pub const ZERO: ReadUnits = ReadUnits { halves: 0 };

    /// A number of half units.
    pub fn from_halves(halves: u64) -> ReadUnits {
        ReadUnits { halves }
    }

    /// The number of half units.
    pub fn halves(self) -> u64 {
        self.halves
    }

    /// As a fraction of whole units.
    pub fn exact(self) -> Exact {
        Exact::ratio(self.halves, 2)
    }
}

impl Add for ReadUnits {
    type Output = ReadUnits;
    fn add(self, other: ReadUnits) -> ReadUnits {
        ReadUnits {
            halves: self.halves + other.halves,
        }
    }
}

impl AddAssign for ReadUnits {
    fn add_assign(&mut self, other: ReadUnits) {
        self.halves += other.halves;
    }
}

impl Sum for ReadUnits {
    fn sum<I: Iterator<Item = ReadUnits>>(units: I) -> ReadUnits {
        units.fold(ReadUnits::ZERO, Add::add)
    }
}

impl fmt::Display for ReadUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.halves % 2 {
            0 => write!(f, "{}", self.halves / 2),
            _ => write!(f, "{}.5", self.halves / 2),
        }
    }
}

/// Write units (WRU on demand, WCU provisioned; rWRU and rWCU if they are replicated). Whole
/// numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteUnits(pub u64);

impl WriteUnits {
    /// Zero units.
    pub const ZERO: WriteUnits = WriteUnits(0);

    /// As an exact number.
    pub fn exact(self) -> Exact {
        Exact::from(self.0)
    }
}

impl Add for WriteUnits {
    type Output = WriteUnits;
    fn add(self, other: WriteUnits) -> WriteUnits {
        WriteUnits(self.0 + other.0)
    }
}

impl AddAssign for WriteUnits {
    fn add_assign(&mut self, other: WriteUnits) {
        self.0 += other.0;
    }
}

impl Sum for WriteUnits {
    fn sum<I: Iterator<Item = WriteUnits>>(units: I) -> WriteUnits {
        units.fold(WriteUnits::ZERO, Add::add)
    }
}

impl fmt::Display for WriteUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An exact number that is not money: an expected count, a share, a quantity before it is charged.
///
/// A fraction of unlimited integers, so that `per_day` over a month of 730 hours (365/12 days)
/// loses nothing before `Rate::charge`, the only place that rounds. Most fractions fit into machine
/// integers and are kept there, which is several times faster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Exact(Fraction);

/// A fraction in lowest terms: `Small` whenever it fits, so that equal numbers have equal forms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Fraction {
    Small(Ratio<i128>),
    Large(Box<BigRational>),
}

impl Exact {
    /// Zero.
    pub fn zero() -> Exact {
        Exact::from(0)
    }

    /// One.
    pub fn one() -> Exact {
        Exact::from(1)
    }

    /// `numerator / denominator`. The denominator must not be zero.
    pub fn ratio(numerator: u64, denominator: u64) -> Exact {
        Exact(Fraction::Small(Ratio::new(
            numerator.into(),
            denominator.into(),
        )))
    }

    /// A large whole number.
    pub fn whole(number: u128) -> Exact {
        match i128::try_from(number) {
            Ok(number) => Exact(Fraction::Small(Ratio::from(number))),
            Err(_) => Exact(Fraction::Large(Box::new(BigRational::from(BigInt::from(
                number,
            ))))),
        }
    }

    /// `numerator / denominator` of unlimited integers. The denominator must not be zero.
    pub fn of_integers(numerator: BigUint, denominator: BigUint) -> Exact {
        Exact::of(BigRational::new(numerator.into(), denominator.into()))
    }

    /// The smallest form of a fraction.
    fn of(large: BigRational) -> Exact {
        // The lowest `i128` has no positive counterpart, so it is kept as an unlimited integer.
        let small = |number: &BigInt| number.to_i128().filter(|number| *number != i128::MIN);
        Exact(match (small(large.numer()), small(large.denom())) {
            (Some(numerator), Some(denominator)) => {
                Fraction::Small(Ratio::new_raw(numerator, denominator))
            }
            _ => Fraction::Large(Box::new(large)),
        })
    }

    fn large(&self) -> BigRational {
        match &self.0 {
            Fraction::Small(small) => {
                BigRational::new_raw((*small.numer()).into(), (*small.denom()).into())
            }
            Fraction::Large(large) => (**large).clone(),
        }
    }

    /// Reads a decimal number as people and TOML write it: `1_000`, `0.25`, `1e6`, `-3.5`.
    ///
    /// `None` for anything else, NaN and infinities included, and for exponents beyond ±40.
    pub fn parse(text: &str) -> Option<Exact> {
        let plain: String = text.chars().filter(|c| *c != '_').collect();
        let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (
                mantissa,
                exponent
                    .parse::<i32>()
                    .ok()
                    .filter(|exponent| (-40..=40).contains(exponent))?,
            ),
            None => (plain.as_str(), 0),
        };
        let (sign, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || digits.len() > 60 {
            return None;
        }
        let number: BigInt = format!("{whole}{fraction}").parse().ok()?;
        let shift = exponent - i32::try_from(fraction.len()).ok()?;
        let power = num_traits::pow(BigInt::from(10), usize::try_from(shift.abs()).ok()?);
        let number = number * sign;
        Some(Exact::of(match shift < 0 {
            true => BigRational::new(number, power),
            false => BigRational::from(number * power),
        }))
    }

    /// Whether this is zero.
    pub fn is_zero(&self) -> bool {
        matches!(&self.0, Fraction::Small(small) if small.is_zero())
    }

    /// Whether this is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Fraction::Small(small) => small.is_negative(),
            Fraction::Large(large) => large.is_negative(),
        }
    }

    /// The smallest whole number that is not below this one.
    #[must_use]
    pub fn ceil(&self) -> Exact {
        let floor = self.floor();
        if floor == *self {
            floor
        } else {
            floor + Exact::one()
        }
    }

    /// The largest whole number that is not above this one.
    #[must_use]
    pub fn floor(&self) -> Exact {
        match &self.0 {
            Fraction::Small(small) => Exact(Fraction::Small(Ratio::from(
                small.numer().div_floor(small.denom()),
            ))),
            Fraction::Large(large) => Exact::of(large.floor()),
        }
    }

    /// The nearest whole number (halves to even) as `u64`; `None` if it does not fit.
    pub fn to_u64(&self) -> Option<u64> {
        self.rounded(0).to_u64()
    }

    /// The nearest whole number as `i128`; `None` if it does not fit.
    pub fn to_i128(&self) -> Option<i128> {
        self.rounded(0).to_i128()
    }

    /// The numerator and the denominator, in lowest terms, of a number that is not negative.
    pub(crate) fn numbers(&self) -> (BigUint, BigUint) {
        let large = self.large();
        (
            large.numer().magnitude().clone(),
            large.denom().magnitude().clone(),
        )
    }

    /// The nearest float, for charts and statistics only.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Fraction::Small(small) => *small.numer() as f64 / *small.denom() as f64,
            Fraction::Large(large) => large.to_f64().unwrap_or(f64::NAN),
        }
    }

    /// Rounded half to even to `places` decimals, as a decimal without trailing zeros; `None` if it
    /// has more digits than a decimal holds (28).
    pub fn to_decimal(&self, places: u32) -> Option<Decimal> {
        let mantissa = self.rounded(places).to_i128()?;
        Decimal::try_from_i128_with_scale(mantissa, places)
            .ok()
            .map(|decimal| decimal.normalize())
    }

    /// This number times 10^`places`, as the nearest integer, halves to even.
    fn rounded(&self, places: u32) -> BigInt {
        let large = self.large();
        let scaled = large.numer() * num_traits::pow(BigInt::from(10), places as usize);
        let (quotient, remainder) = scaled.div_mod_floor(large.denom());
        let twice = remainder * 2;
        let up = twice > *large.denom() || (twice == *large.denom() && quotient.is_odd());
        if up { quotient + 1 } else { quotient }
    }

    /// For output: at most `places` decimals, thousands separated by commas.
    pub fn human(&self, places: u32) -> String {
        match self.to_decimal(places) {
            Some(decimal) => group_thousands(&decimal.to_string()),
            // Beyond 28 digits, the fraction is not shown.
            None => group_thousands(&self.rounded(0).to_string()),
        }
    }

    /// A number as a file may contain it: all decimals, up to twenty.
    pub fn as_written(&self) -> String {
        self.human(20)
    }
}

/// Rounds the parts of a whole to `places` decimals, so that they still add up to it: every part is
/// rounded down, except the last that is not zero, which has the rest.
pub(crate) fn rounded_together(parts: &[Exact], places: u32) -> Vec<Exact> {
    let scale = Exact::from(10_u64.pow(places));
    let mut rounded: Vec<Exact> = parts
        .iter()
        .map(|part| (part * &scale).floor() / scale.clone())
        .collect();
    if let Some(last) = parts.iter().rposition(|part| !part.is_zero()) {
        let lost: Exact = parts
            .iter()
            .zip(&rounded)
            .map(|(part, rounded)| part - rounded)
            .sum();
        rounded[last] += &lost;
    }
    rounded
}

/// A noun in the singular for one, in the plural for any other number: `1 call`, `2 calls`.
pub(crate) fn plural(is_one: bool, noun: &str) -> String {
    format!("{noun}{}", if is_one { "" } else { "s" })
}

/// A number with its noun: `1 call`, `1,200 calls`.
pub(crate) fn count_of(number: impl Into<Exact>, noun: &str) -> String {
    let number = number.into();
    format!("{number} {}", plural(number == Exact::one(), noun))
}

/// Puts commas between the thousands of a plain decimal number.
pub fn group_thousands(number: &str) -> String {
    let (sign, rest) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

impl Default for Exact {
    /// Zero.
    fn default() -> Exact {
        Exact::zero()
    }
}

impl From<u64> for Exact {
    fn from(number: u64) -> Exact {
        Exact(Fraction::Small(Ratio::from(i128::from(number))))
    }
}

impl From<Decimal> for Exact {
    fn from(decimal: Decimal) -> Exact {
        let power = num_traits::pow(BigInt::from(10), decimal.scale() as usize);
        Exact::of(BigRational::new(decimal.mantissa().into(), power))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> Ordering {
        match (&self.0, &other.0) {
            (Fraction::Small(one), Fraction::Small(other)) => one.cmp(other),
            _ => self.large().cmp(&other.large()),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

macro_rules! arithmetic {
    ($($trait:ident $method:ident $checked:ident $op:tt),*) => {$(
        impl $trait<&Exact> for &Exact {
            type Output = Exact;
            fn $method(self, other: &Exact) -> Exact {
                if let (Fraction::Small(one), Fraction::Small(other)) = (&self.0, &other.0)
                    && let Some(result) = one.$checked(other)
                    && *result.numer() != i128::MIN
                {
                    return Exact(Fraction::Small(result));
                }
                Exact::of(self.large() $op other.large())
            }
        }
        impl $trait for Exact {
            type Output = Exact;
            fn $method(self, other: Exact) -> Exact {
                &self $op &other
            }
        }
    )*};
}
arithmetic!(Add add checked_add +, Sub sub checked_sub -, Mul mul checked_mul *, Div div checked_div /);

impl AddAssign<&Exact> for Exact {
    fn add_assign(&mut self, other: &Exact) {
        *self = &*self + other;
    }
}

impl Sum for Exact {
    fn sum<I: Iterator<Item = Exact>>(numbers: I) -> Exact {
        numbers.fold(Exact::zero(), |sum, number| sum + number)
    }
}

impl serde::Serialize for Exact {
    /// A decimal of at most nine places, as a string.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.to_decimal(9) {
            Some(decimal) => serializer.collect_str(&decimal),
            None => serializer.collect_str(&self.human(0).replace(',', "")),
        }
    }
}

impl fmt::Display for Exact {
    /// At most six decimals, thousands separated.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.human(6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_without_loss() {
        for (text, expected) in [
            ("0.1", "0.1"),
            ("1_000", "1,000"),
            ("1.5e3", "1,500"),
            ("-2.50", "-2.5"),
            ("12e-2", "0.12"),
        ] {
            assert_eq!(Exact::parse(text).expect(text).to_string(), expected);
        }
        for text in [
            "",
            "nan",
            "inf",
            "1e400",
            "1.0e-2147483648",
            ".5",
            "1.2.3",
            "0x10",
            "--1",
        ] {
            assert_eq!(Exact::parse(text), None, "{text}");
        }
    }

    #[test]
    fn machine_integers_and_unlimited_ones_agree() {
        let large = Exact::parse("170141183460469231731687303715884105727")
            .expect("the largest machine integer");
        let tiny = Exact::one() / (large.clone() * large.clone());
        assert!(matches!(tiny.0, Fraction::Large(_)));
        assert_eq!((tiny.clone() * large.clone()) * large.clone(), Exact::one());
        assert!(matches!(
            (large.clone() + large.clone() - large.clone()).0,
            Fraction::Small(_)
        ));
        assert!(tiny < Exact::one() && large > tiny && !tiny.is_zero());
        let minus = Exact::zero() - large.clone() - Exact::one();
        assert_eq!(minus.clone() + Exact::one() + large.clone(), Exact::zero());
        assert!(minus.is_negative() && minus < Exact::zero());
        assert_eq!(
            ((large.clone() + large.clone()) / Exact::from(4)).floor() + Exact::one(),
            (large / Exact::from(2)).ceil()
        );
        assert_eq!(Exact::parse("-1.5").expect("number").floor().human(0), "-2");
        assert_eq!(Exact::parse("-1.5").expect("number").ceil().human(0), "-1");
    }

    #[test]
    fn rounding_is_half_to_even() {
        for (text, places, expected) in [
            ("0.5", 0, "0"),
            ("1.5", 0, "2"),
            ("-0.5", 0, "0"),
            ("-1.5", 0, "-2"),
            ("0.125", 2, "0.12"),
        ] {
            assert_eq!(
                Exact::parse(text).expect(text).human(places),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_month_of_730_hours_has_exactly_365_twelfths_of_a_day() {
        let days = Exact::from(730) / Exact::from(24);
        assert_eq!(days.clone() * Exact::from(12), Exact::from(365));
        assert_eq!(days.human(9), "30.416666667");
    }

    #[test]
    fn sizes_are_shown_in_the_largest_unit_that_is_exact() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1,023 B"),
            (1024, "1 KB"),
            (1536, "1.5 KB"),
            (1843, "1,843 B"),
            (3 * MB, "3 MB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), expected);
        }
    }
}
