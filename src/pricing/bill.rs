//! Makes a bill from usage and price books: lines that can be checked, and what is unknown.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{PriceBook, PublishedRate, Tier};
use crate::money::{Money, MoneyError};
use crate::units::Exact;
use crate::unread::Unread;
use crate::usage::{Because, FreeTier, Subject, Usage, UsageType};

/// One line of a bill: `quantity × rate = amount`, exactly, with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineItem {
    /// What the line is about.
    pub subject: Subject,
    /// What is billed.
    pub usage_type: UsageType,
    /// Its name on the bill, with the region's prefix; `None` if the price book has no prefix.
    pub bill_usage_type: Option<String>,
    /// How much of it, as billed.
    pub quantity: Decimal,
    /// Its published price.
    pub published: PublishedRate,
    /// The first unit of the tier, as it applies: 0 for the first tier that is charged.
    pub tier_from: u64,
    /// Quantity times rate.
    pub amount: Money,
    /// Why.
    pub because: Vec<Because>,
}

/// Something unknown, whose cost is not in the total.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown {
    /// What it is about.
    pub subject: Subject,
    /// What is unknown.
    pub what: String,
    /// Why it is unknown, and how to provide it.
    pub why: String,
    /// What one unit costs, if that is known.
    pub rate: Option<PublishedRate>,
    /// The number of units, if only their price is unknown.
    pub quantity: Option<Exact>,
    /// What was not read, if that is why it is unknown.
    pub unread: Option<Unread>,
}

impl Unknown {
    /// Whether the total has its cost already, which may be too much.
    pub fn is_in_the_bill(&self) -> bool {
        self.unread
            .as_ref()
            .is_some_and(|unread| unread.kind.is_in_the_bill())
    }
}

/// What is known of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// The amount.
    Exact,
    /// The amount or more: a cost is missing from it.
    AtLeast,
    /// The amount or less: it has a cost that may not arise; or it is an increase, and costs of its
    /// baseline are missing.
    AtMost,
    /// Nothing.
    Unknown,
}

impl Bound {
    /// The word for it in files.
    pub fn word(self) -> &'static str {
        match self {
            Bound::Exact => "exact",
            Bound::AtLeast => "at-least",
            Bound::AtMost => "at-most",
            Bound::Unknown => "unknown",
        }
    }

    /// What is known of the sum of amounts.
    pub fn of_all(bounds: impl IntoIterator<Item = Bound>) -> Bound {
        let (mut more, mut less) = (false, false);
        for bound in bounds {
            more |= matches!(bound, Bound::AtLeast | Bound::Unknown);
            less |= matches!(bound, Bound::AtMost | Bound::Unknown);
        }
        Bound::of(more, less)
    }

    /// What is known of an amount that may be more, and less.
    pub fn of(may_be_more: bool, may_be_less: bool) -> Bound {
        match (may_be_more, may_be_less) {
            (false, false) => Bound::Exact,
            (true, false) => Bound::AtLeast,
            (false, true) => Bound::AtMost,
            (true, true) => Bound::Unknown,
        }
    }

    /// What is known of a total of which this is unknown.
    pub fn of_total<'a>(unknown: impl IntoIterator<Item = &'a Unknown>) -> Bound {
        let (mut more, mut less) = (false, false);
        for one in unknown {
            match one.is_in_the_bill() {
                true => less = true,
                false => more = true,
            }
        }
        Bound::of(more, less)
    }

    /// What is known of the sum of two amounts.
    #[must_use]
    pub fn and(self, other: Bound) -> Bound {
        let more = |bound| matches!(bound, Bound::AtLeast | Bound::Unknown);
        let less = |bound| matches!(bound, Bound::AtMost | Bound::Unknown);
        Bound::of(more(self) || more(other), less(self) || less(other))
    }
}

/// A month's bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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
    /// [`MoneyError::TooLarge`] if the sum has more than 28 digits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.lines.iter().map(|line| line.amount))
    }

    /// What is known of the total.
    pub fn bound(&self) -> Bound {
        Bound::of_total(&self.unknown)
    }

    /// Takes a discount off every rate, in percent by region.
    ///
    /// `Assumption:` a negotiated discount applies to everything that is billed, to commitments as
    /// well.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if a rate or an amount needs more than 28 digits.
    pub fn discount(&mut self, percent: impl Fn(&str) -> Exact) -> Result<(), MoneyError> {
        for line in &mut self.lines {
            let percent = percent(&line.subject.region);
            if percent.is_zero() || line.published.rate.is_zero() {
                continue;
            }
            let list = line.published.rate;
            let charge = list.less(&percent)?.charge_exactly(line.quantity)?;
            (line.published.rate, line.amount) = (list.less(&percent)?, charge.amount);
            line.because.push(Because::plain(format!(
                "a negotiated discount of {percent} % off ${list}"
            )));
        }
        for unknown in &mut self.unknown {
            let percent = percent(&unknown.subject.region);
            if let Some(published) = &mut unknown.rate {
                published.rate = published.rate.less(&percent)?;
            }
        }
        Ok(())
    }
}

/// Prices usage, each line by the book of its region. A price missing from the book becomes an
/// [`Unknown`].
///
/// Tiers and free tiers apply to an account, a region and a month, so all usage of one type fills
/// them together, and each line gets a share of every tier in proportion to its quantity. A free
/// tier that is not enabled is skipped: its units are charged at the next tier.
///
/// `Assumption:` AWS applies a free tier in order of time, to the usage that comes first; usage
/// that is spread over the month in the same way then shares it in proportion.
///
/// # Errors
/// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
pub fn price(
    usage: &[Usage],
    books: &BTreeMap<String, PriceBook>,
    free: &BTreeSet<FreeTier>,
) -> Result<Bill, MoneyError> {
    let mut bill = Bill::default();
    let pools = Pools::of(usage);
    for item in usage.iter().filter(|item| !item.quantity.is_zero()) {
        let region = item.subject.region.as_str();
        let missing = |why: String| {
            let (what, quantity) = (
                format!("the price of {}", describe(item)),
                Some(item.quantity.clone()),
            );
            Unknown {
                subject: item.subject.clone(),
                what,
                why,
                rate: None,
                quantity,
                unread: None,
            }
        };
        let Some(book) = books.get(region) else {
            bill.unknown
                .push(missing(format!("there is no price book for {region}")));
            continue;
        };
        let tiers = match book.tiers(&item.usage_type) {
            Ok(tiers) => tiers,
            Err(error) => {
                bill.unknown.push(missing(error.to_string()));
                continue;
            }
        };
        let tiers = charged(&item.usage_type, &tiers, free);
        let pool = pools.get(item);
        for (tier, quantity) in split(item, tiers, pool) {
            let charge = tier
                .published
                .rate
                .charge(&quantity, item.usage_type.places())
                .map_err(|error| error.of(&describe(item), item.subject.table_name()))?;
            let mut because = item.because.clone();
            if tiers.len() > 1 && pool.lines > 1 {
                because.push(shared(item, tier, pool));
            }
            bill.lines.push(LineItem {
                subject: item.subject.clone(),
                usage_type: item.usage_type.clone(),
                bill_usage_type: bill_name(&item.usage_type, book, books),
                quantity: charge.quantity,
                published: (*tier.published).clone(),
                tier_from: if std::ptr::eq(tier, &tiers[0]) {
                    0
                } else {
                    tier.from
                },
                amount: charge.amount,
                because,
            });
        }
    }
    Ok(bill)
}

/// The name of a usage type on the bill of a region; `None` if the books do not have a prefix that
/// it needs.
fn bill_name(
    usage: &UsageType,
    book: &PriceBook,
    books: &BTreeMap<String, PriceBook>,
) -> Option<String> {
    match usage.destination() {
        Some(region) => usage.bill_name(
            book.usage_prefix()?,
            books.get(region).and_then(PriceBook::transfer_prefix),
        ),
        None => usage.bill_name(book.usage_prefix()?, None),
    }
}

/// Usage of one type in one region: its total quantity and the number of its lines.
#[derive(Clone, Debug, Default)]
struct Pool {
    quantity: Exact,
    lines: usize,
}

/// All usage by region and type, because tiers apply to the whole account.
struct Pools<'a>(BTreeMap<(&'a str, &'a UsageType), Pool>);

impl<'a> Pools<'a> {
    fn of(usage: &'a [Usage]) -> Pools<'a> {
        let mut pools: BTreeMap<(&str, &UsageType), Pool> = BTreeMap::new();
        for item in usage.iter().filter(|item| !item.quantity.is_zero()) {
            let pool = pools
                .entry((&item.subject.region, &item.usage_type))
                .or_default();
            pool.quantity += &item.quantity;
            pool.lines += 1;
        }
        Pools(pools)
    }

    fn get(&self, item: &'a Usage) -> &Pool {
        &self.0[&(item.subject.region.as_str(), &item.usage_type)]
    }
}

/// A usage type with its code and quantity, for output.
fn describe(item: &Usage) -> String {
    let usage = &item.usage_type;
    format!(
        "{} ({}): {} {}",
        usage.name(),
        usage.code(),
        item.quantity.human(usage.places()),
        usage.units()
    )
}

/// Why a line has a share of a tier.
fn shared(item: &Usage, tier: &Tier, pool: &Pool) -> Because {
    let usage = &item.usage_type;
    let tier = match (tier.published.rate.is_zero(), tier.from) {
        (true, _) => "the free tier".to_string(),
        (false, 0) => "the first tier".to_string(),
        (false, from) => format!("the tier from {} {} on", Exact::from(from), usage.units()),
    };
    Because::plain(format!(
        "{tier} applies to the whole account: the line's share of it is its share of all {} {} in \
         {}",
        pool.quantity.human(usage.places()),
        usage.units(),
        item.subject.region
    ))
}

/// The tiers, without a free tier that is not enabled.
fn charged<'a>(usage: &UsageType, tiers: &'a [Tier], free: &BTreeSet<FreeTier>) -> &'a [Tier] {
    let passed_over = usage.free_tier().is_some_and(|tier| !free.contains(&tier));
    let skip = usize::from(passed_over && tiers.len() > 1 && tiers[0].published.rate.is_zero());
    &tiers[skip..]
}

/// Whether the price of a unit depends on the total usage of all tables.
pub fn is_tiered(
    usage: &Usage,
    books: &BTreeMap<String, PriceBook>,
    free: &BTreeSet<FreeTier>,
) -> bool {
    match books
        .get(&usage.subject.region)
        .map(|book| book.tiers(&usage.usage_type))
    {
        Some(Ok(tiers)) => charged(&usage.usage_type, &tiers, free).len() > 1,
        _ => false,
    }
}

/// Divides a quantity among the tiers that all usage of its type fills.
fn split<'a>(item: &Usage, tiers: &'a [Tier], pool: &Pool) -> Vec<(&'a Tier, Exact)> {
    let in_tier = |at: usize, tier: &Tier| {
        let from = if at == 0 {
            Exact::zero()
        } else {
            Exact::from(tier.from)
        };
        let to = tiers.get(at + 1).map_or_else(
            || pool.quantity.clone(),
            |next| Exact::from(next.from).min(pool.quantity.clone()),
        );
        if from < to { to - from } else { Exact::zero() }
    };
    let filled: Vec<(&Tier, Exact)> = tiers
        .iter()
        .enumerate()
        .map(|(at, tier)| (tier, in_tier(at, tier)))
        .filter(|(_, part)| !part.is_zero())
        .collect();
    let Some(((last, _), lower)) = filled.split_last() else {
        return Vec::new();
    };
    // Fractions that a quantity on a bill cannot show go to the last tier, so that the parts add up
    // to the whole.
    let scale = Exact::from(10_u64.pow(item.usage_type.places()));
    let mut left = item.quantity.clone();
    let mut parts = Vec::new();
    for (tier, part) in lower {
        let own = &(part * &item.quantity) / &pool.quantity;
        let own = if pool.lines > 1 {
            (&own * &scale).floor() / scale.clone()
        } else {
            own
        };
        left = left - own.clone();
        parts.push((*tier, own));
    }
    parts.push((*last, left));
    parts.retain(|(_, part)| !part.is_zero());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::Books;
    use crate::table::TableClass;
    use crate::time::Date;

    fn usage(usage_type: UsageType, quantity: u64) -> Usage {
        let subject = Subject {
            table: Some("t".into()),
            index: None,
            region: "us-east-1".into(),
            access: None,
        };
        Usage {
            subject,
            usage_type,
            quantity: Exact::from(quantity),
            because: Vec::new(),
        }
    }

    fn bill(usage: &[Usage], free: &[FreeTier]) -> Bill {
        let book = Books::embedded()
            .book("us-east-1", Date::parse("2026-01-01"))
            .expect("a book");
        price(
            usage,
            &BTreeMap::from([("us-east-1".to_string(), book)]),
            &free.iter().copied().collect(),
        )
        .expect("fits")
    }

    fn amounts(bill: &Bill) -> Vec<String> {
        bill.lines
            .iter()
            .map(|line| {
                format!(
                    "{} x {} = {}",
                    line.quantity, line.published.rate, line.amount
                )
            })
            .collect()
    }

    #[test]
    fn a_free_tier_is_a_line_of_its_own_and_shared_by_all_tables() {
        let storage = || UsageType::Storage(TableClass::Standard);
        let both = [usage(storage(), 20), usage(storage(), 80)];
        assert_eq!(
            amounts(&bill(&both, &[FreeTier::Storage])),
            [
                "5 x 0 = 0",
                "15 x 0.25 = 3.75",
                "20 x 0 = 0",
                "60 x 0.25 = 15"
            ]
        );
        assert_eq!(
            amounts(&bill(&both, &[])),
            ["20 x 0.25 = 5", "80 x 0.25 = 20"]
        );
    }

    #[test]
    fn volume_tiers_apply_whatever_the_free_tier() {
        let s3 = [usage(UsageType::s3_storage("standard"), 60_000)];
        assert_eq!(
            amounts(&bill(&s3, &[])),
            ["51200 x 0.023 = 1177.6", "8800 x 0.022 = 193.6"]
        );
    }

    #[test]
    fn what_a_book_lacks_is_unknown_and_in_no_total() {
        let bill = bill(
            &[usage(UsageType::DaxNode("dax.r7.large".to_string()), 730)],
            &[],
        );
        assert!(bill.lines.is_empty());
        assert!(
            bill.unknown[0].why.contains("it has r5.12xlarge"),
            "{}",
            bill.unknown[0].why
        );
        assert_eq!(bill.total(), Ok(Money::ZERO));
    }
}
