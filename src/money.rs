//! Exact money. A [`Rate`] charges a quantity; nothing else rounds and nothing else multiplies
//! money.

use std::borrow::Cow;
use std::fmt;

use rust_decimal::Decimal;

use crate::units::{Exact, group_thousands};

/// The decimals that a price may have: enough for every list price less a discount.
const RATE_PLACES_MAX: u32 = 20;

/// An amount of US dollars: an exact decimal, never a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(Decimal);

/// What one unit costs: US dollars, exact, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(Decimal);

/// A quantity as it is billed, and its amount: `quantity × rate = amount`, to the last digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The billed quantity.
    pub quantity: Decimal,
    /// Quantity times rate, exactly.
    pub amount: Money,
}

/// Why money could not be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// A product or a sum has more than 28 digits.
    #[error(
        "{0} needs more than 28 digits; no DynamoDB bill is that large, so look for a rate or a \
         size with too many zeros"
    )]
    TooLarge(String),
    /// A text that is not a price.
    #[error("{0:?} is not a price; write dollars as a plain decimal, such as \"0.000000625\"")]
    NotAPrice(String),
}

impl MoneyError {
    /// The same error, with the table and what was charged.
    #[must_use]
    pub fn of(self, what: &str, table: &str) -> MoneyError {
        match self {
            MoneyError::TooLarge(product) => {
                MoneyError::TooLarge(format!("{table}: {what}: {product}"))
            }
            other => other,
        }
    }
}

impl Money {
    /// Zero dollars.
    pub const ZERO: Money = Money(Decimal::ZERO);

    /// The exact decimal, without trailing zeros.
    pub fn decimal(self) -> Decimal {
        self.0.normalize()
    }

    /// The exact sum, or an error if it would lose a digit.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the sum has more than 28 digits.
    pub fn sum(amounts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        amounts.into_iter().try_fold(Money::ZERO, Money::plus)
    }

    /// This amount and another, exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the sum has more than 28 digits.
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        exact_sum(self.0, other.0)
            .map(Money)
            .ok_or_else(|| MoneyError::TooLarge(format!("the sum of ${} and ${}", self.0, other.0)))
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// An amount that a bill states.
    pub fn billed(amount: Decimal) -> Money {
        Money(amount)
    }

    /// An amount of dollars: a charge at a rate of one dollar, so that it is rounded like any other
    /// charge.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if it needs more than 28 digits.
    pub fn dollars(amount: &Exact) -> Result<Money, MoneyError> {
        Ok(Rate(Decimal::ONE).charge(amount, 9)?.amount)
    }

    /// This amount less another, exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the difference has more than 28 digits.
    pub fn minus(self, other: Money) -> Result<Money, MoneyError> {
        Money::sum([self, Money(-other.0)])
    }

    /// Rounded to cents for output, with thousands separated: `$1,234.57`. An amount that is not
    /// zero but rounds to zero keeps two significant digits: `$0.000037`.
    pub fn human(self) -> String {
        let cents = self.0.round_dp(2);
        if cents.is_zero() && !self.0.is_zero() {
            let sign = if self.0.is_sign_negative() { "-" } else { "" };
            return format!(
                "{sign}${}",
                self.0.abs().round_sf(2).unwrap_or(self.0).normalize()
            );
        }
        let text = group_thousands(&format!("{:.2}", cents.abs()));
        if self.0.is_sign_negative() && !cents.is_zero() {
            format!("-${text}")
        } else {
            format!("${text}")
        }
    }

    /// This amount as a share of `whole`, in percent with one decimal; `None` if `whole` is zero.
    pub fn percent_of(self, whole: Money) -> Option<Decimal> {
        self.0
            .checked_mul(Decimal::ONE_HUNDRED)?
            .checked_div(whole.0)
            .map(|percent| percent.round_dp(1))
    }

    /// How many times `other` this amount is, with two decimals; `None` if `other` is zero.
    pub fn times(self, other: Money) -> Option<Decimal> {
        self.0.checked_div(other.0).map(|times| times.round_dp(2))
    }

    /// Whether two amounts differ by more than 1 % of the first.
    pub fn differs_by_a_percent(self, other: Money) -> bool {
        let difference = self
            .0
            .checked_sub(other.0)
            .map(|difference| difference.abs());
        difference
            .and_then(|difference| difference.checked_mul(Decimal::ONE_HUNDRED))
            .is_none_or(|hundredfold| hundredfold > self.0.abs())
    }
}

/// The exact sum of two decimals; `None` if it has more than 28 digits.
pub(crate) fn exact_sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let total = one.checked_add(other)?;
    // The library drops digits that do not fit; the sum then has a smaller scale than the operands
    // need.
    let is_exact = total.scale() >= one.scale().max(other.scale())
        || total.scale() >= one.normalize().scale().max(other.normalize().scale());
    is_exact.then_some(total)
}

impl serde::Serialize for Money {
    /// The exact decimal, as a string.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An exact amount in US dollars, as a decimal string",
            "type": "string",
            "pattern": "^-?[0-9]+([.][0-9]+)?$",
        })
    }
}

impl fmt::Display for Money {
    /// The exact decimal, for machines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.decimal())
    }
}

impl Rate {
    /// Reads a price as AWS publishes it: a plain decimal of dollars.
    ///
    /// # Errors
    /// [`MoneyError::NotAPrice`] for anything else, negative prices included.
    pub fn parse(text: &str) -> Result<Rate, MoneyError> {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let decimal = plain.then(|| Decimal::from_str_exact(text).ok()).flatten();
        decimal
            .map(|decimal| Rate(decimal.normalize()))
            .ok_or_else(|| MoneyError::NotAPrice(text.to_string()))
    }

    /// The exact price of one unit.
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// The price of a million units, exactly; `None` if it needs more than 28 digits.
    pub fn per_million(self) -> Option<Rate> {
        let million = self.0.checked_mul(Decimal::from(1_000_000))?;
        Some(Rate(million.normalize()))
    }

    /// Whether the unit is free.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// This price less some percent of it, exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if it needs more than 28 digits.
    pub fn less(self, percent: &Exact) -> Result<Rate, MoneyError> {
        let hundred = Exact::from(100);
        let share = (&hundred - percent) / hundred;
        let exact = &Exact::from(self.0) * &share;
        exact
            .to_decimal(RATE_PLACES_MAX)
            .filter(|decimal| Exact::from(*decimal) == exact)
            .map(Rate)
            .ok_or_else(|| MoneyError::TooLarge(format!("${} less {percent} %", self.0)))
    }

    /// Charges a quantity that is on a bill already.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the product needs more than 28 digits.
    pub fn charge_exactly(self, quantity: Decimal) -> Result<Charge, MoneyError> {
        self.charge(&Exact::from(quantity), quantity.scale())
    }

    /// Charges a quantity. **The only place that rounds**: the quantity is rounded half to even to
    /// `places` decimals, as on a bill; the product is exact.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if the quantity or the product needs more than 28 digits.
    pub fn charge(self, quantity: &Exact, places: u32) -> Result<Charge, MoneyError> {
        let too_large =
            || MoneyError::TooLarge(format!("{} × ${}", quantity.human(places), self.0));
        let quantity = quantity.to_decimal(places).ok_or_else(too_large)?;
        let amount = quantity.checked_mul(self.0).ok_or_else(too_large)?;
        // A product that does not fit is returned without its last digits.
        let whole = quantity.is_zero()
            || self.0.is_zero()
            || amount.scale() == quantity.scale() + self.0.scale();
        if whole {
            Ok(Charge {
                quantity,
                amount: Money(amount),
            })
        } else {
            Err(too_large())
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).expect(text)
    }

    #[test]
    fn a_charge_is_the_exact_product_of_what_it_shows() {
        let third = Exact::ratio(1, 3);
        let charge = rate("0.000000625").charge(&third, 6).expect("fits");
        assert_eq!(charge.quantity.to_string(), "0.333333");
        assert_eq!(charge.amount.to_string(), "0.000000208333125");
    }

    #[test]
    fn a_product_that_loses_digits_is_an_error() {
        let quantity = Exact::parse("79228162514264337593.543951").expect("number");
        let error = rate("0.0000001169")
            .charge(&quantity, 6)
            .expect_err("too many digits");
        assert!(matches!(error, MoneyError::TooLarge(_)));
        assert!(
            rate("0.0000000000000000000000000001")
                .charge(&Exact::ratio(1, 10), 6)
                .is_err()
        );
        let huge = rate("1").charge(&Exact::parse("1e30").expect("number"), 6);
        assert!(huge.is_err());
    }

    #[test]
    fn a_sum_that_loses_digits_is_an_error() {
        let large = Money(Decimal::from_str_exact("79228162514264337593543950").expect("decimal"));
        let small = Money(Decimal::from_str_exact("0.000000000000001").expect("decimal"));
        assert!(Money::sum([large, small]).is_err());
        assert_eq!(
            Money::sum([small, small]).expect("fits").to_string(),
            "0.000000000000002"
        );
    }

    #[test]
    fn prices_are_plain_decimals() {
        for text in [
            "",
            "-1",
            "1e-6",
            "nan",
            "0,5",
            "1.2.3",
            "99999999999999999999999999999999",
        ] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn people_see_cents_and_never_a_false_zero() {
        for (amount, expected) in [
            ("1234.565", "$1,234.56"),
            ("0", "$0.00"),
            ("0.0000371", "$0.000037"),
            ("0.005", "$0.005"),
            ("-0.0021", "-$0.0021"),
            ("-12.5", "-$12.50"),
        ] {
            assert_eq!(
                Money(Decimal::from_str_exact(amount).expect("decimal")).human(),
                expected
            );
        }
    }
}
