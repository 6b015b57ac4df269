//! Usage and a book make a bill: lines that prove themselves, and what is unknown.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{PriceBook, PublishedRate, Tier};
use crate::money::{Money, MoneyError};
use crate::units::Exact;
use crate::usage::{Because, FreeTier, Subject, Usage, UsageType};

/// One line of a bill: `quantity × rate = amount`, exactly, and because of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineItem {
    /// What the line is about.
    pub subject: Subject,
    /// What is billed.
    pub usage_type: UsageType,
    /// How much of it, as billed.
    pub quantity: Decimal,
    /// Its published price.
    pub published: PublishedRate,
    /// Quantity times rate.
    pub amount: Money,
    /// Why.
    pub because: Vec<Because>,
}

/// Something that is not known, so that its cost is in no total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What it is about.
    pub subject: Subject,
    /// What is unknown.
    pub what: String,
    /// Why it is, and how to make it known.
    pub why: String,
    /// What one unit costs, where that is known.
    pub rate: Option<PublishedRate>,
    /// How many units there are, where their price alone is not known.
    pub quantity: Option<Exact>,
}

/// A month's bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// The lines, in the order of the design.
    pub lines: Vec<LineItem>,
    /// What could not be priced.
    pub unknown: Vec<Unknown>,
}

impl Bill {
    /// The sum of the lines: never stored.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] where the sum has more than 28 digits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.lines.iter().map(|line| line.amount))
    }
}

/// Prices usage, each line by the book of its region. What a book lacks becomes an [`Unknown`].
///
/// Tiers and free tiers belong to an account, a region and a month, so lines of one usage type fill them
/// together, in their order. A free tier that is not asked for is passed over: its units cost the next tier.
///
/// # Errors
/// [`MoneyError::TooLarge`] where an amount needs more than 28 digits.
pub fn price(usage: &[Usage], books: &BTreeMap<String, PriceBook>, free: &BTreeSet<FreeTier>) -> Result<Bill, MoneyError> {
    let mut bill = Bill::default();
    let mut used: BTreeMap<(&str, &str), Exact> = BTreeMap::new();
    for item in usage.iter().filter(|item| !item.quantity.is_zero()) {
        let (region, code) = (item.subject.region.as_str(), item.usage_type.code());
        let missing = |why: String| {
            let (what, quantity) = (format!("the price of {}", describe(item)), Some(item.quantity.clone()));
            Unknown { subject: item.subject.clone(), what, why, rate: None, quantity }
        };
        let tiers = match books.get(region).map(|book| book.tiers(code)) {
            Some(Ok(tiers)) => tiers,
            Some(Err(error)) => {
                bill.unknown.push(missing(error.to_string()));
                continue;
            }
            None => {
                bill.unknown.push(missing(format!("no price book of {region} is at hand")));
                continue;
            }
        };
        let before = used.entry((region, code)).or_insert_with(Exact::zero);
        for (tier, quantity) in split(&item.usage_type, &tiers, free, before, &item.quantity) {
            let charge = tier
                .published
                .rate
                .charge(&quantity, item.usage_type.places())
                .map_err(|error| error.of(&describe(item), &item.subject.table))?;
            bill.lines.push(LineItem {
                subject: item.subject.clone(),
                usage_type: item.usage_type.clone(),
                quantity: charge.quantity,
                published: (*tier.published).clone(),
                amount: charge.amount,
                because: item.because.clone(),
            });
        }
        *before += &item.quantity;
    }
    Ok(bill)
}

/// A usage type with its code and quantity, for people.
fn describe(item: &Usage) -> String {
    let usage = &item.usage_type;
    format!("{} ({}): {} {}s", usage.name(), usage.code(), item.quantity.human(usage.places()), usage.unit())
}

/// The tiers without a free one that is not given.
fn charged<'a>(usage: &UsageType, tiers: &'a [Tier], free: &BTreeSet<FreeTier>) -> &'a [Tier] {
    let passed_over = usage.free_tier().is_some_and(|tier| !free.contains(&tier));
    let skip = usize::from(passed_over && tiers.len() > 1 && tiers[0].published.rate.is_zero());
    &tiers[skip..]
}

/// Whether the price of a unit depends on how many are used in all, by all tables.
pub fn is_tiered(usage: &Usage, books: &BTreeMap<String, PriceBook>, free: &BTreeSet<FreeTier>) -> bool {
    match books.get(&usage.subject.region).map(|book| book.tiers(usage.usage_type.code())) {
        Some(Ok(tiers)) => charged(&usage.usage_type, &tiers, free).len() > 1,
        _ => false,
    }
}

/// Divides a quantity among tiers, after what earlier lines have used of them.
fn split<'a>(usage: &UsageType, tiers: &'a [Tier], free: &BTreeSet<FreeTier>, before: &Exact, quantity: &Exact) -> Vec<(&'a Tier, Exact)> {
    let tiers = charged(usage, tiers, free);
    let (start, end) = (before.clone(), before + quantity);
    let mut parts = Vec::new();
    for (at, tier) in tiers.iter().enumerate() {
        let from = if at == 0 { Exact::zero() } else { Exact::from(tier.from) };
        let to = tiers.get(at + 1).map_or_else(|| end.clone(), |next| Exact::from(next.from));
        let (low, high) = (from.max(start.clone()), to.min(end.clone()));
        if low < high {
            parts.push((tier, high - low));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::Books;
    use crate::table::TableClass;
    use crate::time::Date;

    fn usage(usage_type: UsageType, quantity: u64) -> Usage {
        let subject = Subject { table: "t".into(), index: None, region: "us-east-1".into(), access: None };
        Usage { subject, usage_type, quantity: Exact::from(quantity), because: Vec::new() }
    }

    fn bill(usage: &[Usage], free: &[FreeTier]) -> Bill {
        let book = Books::embedded().book("us-east-1", Date::parse("2026-01-01")).expect("a book");
        price(usage, &BTreeMap::from([("us-east-1".to_string(), book)]), &free.iter().copied().collect()).expect("fits")
    }

    fn amounts(bill: &Bill) -> Vec<String> {
        bill.lines.iter().map(|line| format!("{} x {} = {}", line.quantity, line.published.rate, line.amount)).collect()
    }

    #[test]
    fn a_free_tier_is_a_line_of_its_own_and_shared_by_all_tables() {
        let storage = || UsageType::storage(TableClass::Standard);
        let both = [usage(storage(), 20), usage(storage(), 80)];
        assert_eq!(amounts(&bill(&both, &[FreeTier::Storage])), ["20 x 0 = 0", "5 x 0 = 0", "75 x 0.25 = 18.75"]);
        assert_eq!(amounts(&bill(&both, &[])), ["20 x 0.25 = 5", "80 x 0.25 = 20"]);
    }

    #[test]
    fn volume_tiers_apply_whatever_the_free_tier() {
        let s3 = [usage(UsageType::of_code("s3_storage_standard"), 60_000)];
        assert_eq!(amounts(&bill(&s3, &[])), ["51200 x 0.023 = 1177.6", "8800 x 0.022 = 193.6"]);
    }

    #[test]
    fn what_a_book_lacks_is_unknown_and_in_no_total() {
        let bill = bill(&[usage(UsageType::dax_node("dax.r7.large"), 730)], &[]);
        assert!(bill.lines.is_empty());
        assert!(bill.unknown[0].why.contains("it has r5.12xlarge"), "{}", bill.unknown[0].why);
        assert_eq!(bill.total(), Ok(Money::ZERO));
    }
}
