//! The amounts of charges, and their sums.

use rust_decimal::Decimal;

use crate::money::{Money, exact_sum};

/// The four costs of a charge, by AWS's definitions.
///
/// Source: AWS Cost Management User Guide, "Exploring your data using Cost Explorer", "Show costs
/// as".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cost {
    /// Unblended: as billed on the day on which it is charged.
    #[default]
    Billed,
    /// At public on-demand prices, of usage only.
    List,
    /// Unblended, after negotiated discounts.
    Net,
    /// With the fees of commitments spread over their term, and over the usage that they cover.
    Amortised,
}

impl Cost {
    /// Every cost with its name in options and output.
    pub const NAMES: [(&str, Cost); 4] = [
        ("billed", Cost::Billed),
        ("list", Cost::List),
        ("net", Cost::Net),
        ("amortised", Cost::Amortised),
    ];

    /// Its name in options and output.
    pub fn name(self) -> &'static str {
        let mut all = Cost::NAMES.iter();
        all.find(|(_, cost)| *cost == self)
            .map_or("", |(name, _)| name)
    }
}

/// A quantity and the costs of it. `None` is unknown: the bill does not say; a sum with something
/// unknown is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// The rows of the bill.
    pub rows: u64,
    /// The usage, in the unit of its kind; zero for what is not usage.
    pub quantity: Option<Decimal>,
    /// As billed.
    pub billed: Option<Money>,
    /// At list price.
    pub list: Option<Money>,
    /// After negotiated discounts.
    pub net: Option<Money>,
    /// Amortised.
    pub amortised: Option<Money>,
}

impl Default for Amounts {
    fn default() -> Amounts {
        Amounts {
            rows: 0,
            quantity: Some(Decimal::ZERO),
            billed: Some(Money::ZERO),
            list: Some(Money::ZERO),
            net: Some(Money::ZERO),
            amortised: Some(Money::ZERO),
        }
    }
}

impl Amounts {
    /// One of the costs.
    pub fn cost(&self, cost: Cost) -> Option<Money> {
        match cost {
            Cost::Billed => self.billed,
            Cost::List => self.list,
            Cost::Net => self.net,
            Cost::Amortised => self.amortised,
        }
    }

    /// Adds other amounts; `None` if a sum needs more than 28 digits.
    pub fn add(&mut self, other: &Amounts) -> Option<()> {
        fn sum<T>(
            one: Option<T>,
            other: Option<T>,
            add: impl Fn(T, T) -> Option<T>,
        ) -> Option<Option<T>> {
            match (one, other) {
                (Some(one), Some(other)) => add(one, other).map(Some),
                _ => Some(None),
            }
        }
        let plus = |one: Money, other: Money| one.plus(other).ok();
        self.quantity = sum(self.quantity, other.quantity, exact_sum)?;
        self.billed = sum(self.billed, other.billed, plus)?;
        self.list = sum(self.list, other.list, plus)?;
        self.net = sum(self.net, other.net, plus)?;
        self.amortised = sum(self.amortised, other.amortised, plus)?;
        self.rows += other.rows;
        Some(())
    }

    /// The sum of several; `None` if it needs more than 28 digits.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Amounts>) -> Option<Amounts> {
        let mut sum = Amounts::default();
        for amounts in all {
            sum.add(amounts)?;
        }
        Some(sum)
    }
}
