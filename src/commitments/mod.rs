//! What an account has bought in advance, and what it covers: reserved capacity, Database Savings
//! Plans, a negotiated discount.
//!
//! AWS applies them to all tables of the account, in this order: reserved capacity, hour by hour
//! ([`reserved`]); the free tier, as part of the prices; savings plans, hour by hour ([`plan`]); a
//! negotiated discount on what is then left to pay. What a commitment does not find use for is paid
//! all the same.
//!
//! `Assumption:` reserved capacity is applied before the free tier. AWS documents the order of
//! reservations and savings plans (Savings Plans User Guide, "Understanding how Savings Plans apply
//! to your usage"), not that of the free tier.

pub mod plan;
pub mod reserved;

use std::hash::{Hash, Hasher};

use crate::diag::Place;
use crate::table::ByDirection;
use crate::time::Date;
use crate::units::{Exact, count_of};

/// Months of the term of a Database Savings Plan.
const PLAN_MONTHS: u32 = 12;

/// Something that was bought, or agreed, in advance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Commitment {
    /// What it is.
    pub kind: CommitmentKind,
    /// Its first day; `None` if it has begun.
    pub from: Option<Date>,
    /// The day on which it no longer applies; `None` if that is not given.
    pub until: Option<Date>,
    /// Where it is written; this is not part of its meaning.
    pub place: Place,
}

/// A kind of commitment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommitmentKind {
    /// Reserved capacity of the Standard class (rule 6.8).
    Reserved {
        /// The region that it covers.
        region: String,
        /// Reserved units, multiples of 100.
        units: ByDirection<u64>,
        /// The term: 1 or 3 years.
        years: u64,
    },
    /// A Database Savings Plan.
    SavingsPlan {
        /// Dollars that are paid for every hour.
        usd_per_hour: Exact,
    },
    /// A discount on everything that is billed.
    Discount {
        /// The region; `None` for all regions.
        region: Option<String>,
        /// Percent, from 0 to 100.
        percent: Exact,
    },
}

impl CommitmentKind {
    /// The day on which its term ends if it begins on a day; a discount has no term.
    pub(crate) fn end_of_term(&self, from: Date) -> Option<Date> {
        let months = match self {
            CommitmentKind::Reserved { years, .. } => u32::try_from(12 * years).ok()?,
            CommitmentKind::SavingsPlan { .. } => PLAN_MONTHS,
            CommitmentKind::Discount { .. } => return None,
        };
        from.months_later(months)
    }
}

impl Commitment {
    pub(crate) fn new(
        kind: CommitmentKind,
        (from, until): (Option<Date>, Option<Date>),
        place: Place,
    ) -> Commitment {
        Commitment {
            kind,
            from,
            until,
            place,
        }
    }

    /// Whether it applies on a day.
    pub fn is_in_force(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    /// A description for output, with its place.
    pub fn words(&self) -> String {
        let what = match &self.kind {
            CommitmentKind::Reserved {
                region,
                units,
                years,
            } => {
                let units = [(units.read, "RCU"), (units.write, "WCU")]
                    .into_iter()
                    .filter(|(units, _)| *units > 0)
                    .map(|(units, name)| format!("{} {name}", Exact::from(units)));
                let units: Vec<String> = units.collect();
                format!(
                    "{} reserved in {region} for {}",
                    units.join(" and "),
                    count_of(*years, "year")
                )
            }
            CommitmentKind::SavingsPlan { usd_per_hour } => {
                format!("the savings plan of ${usd_per_hour} an hour")
            }
            CommitmentKind::Discount { region, percent } => {
                let region = region.iter().map(|region| format!(" in {region}"));
                format!("the discount of {percent} %{}", region.collect::<String>())
            }
        };
        format!("{what} ({}:{})", self.place.file, self.place.line)
    }

    /// Lets it begin on a day, unless it has one; it ends with its term at the latest.
    pub(crate) fn begin_on(&mut self, day: Date) {
        let from = *self.from.get_or_insert(day);
        let end = self.kind.end_of_term(from);
        self.until = match (self.until, end) {
            (Some(until), Some(end)) => Some(until.min(end)),
            (until, end) => until.or(end),
        };
    }

    /// That it begins after the day of the prices.
    pub fn begins_later(&self) -> String {
        let from = self.from.map(|from| format!(" on {from}"));
        format!(
            "{}: begins{}, after the day of the prices, and is not in the bill",
            self.words(),
            from.unwrap_or_default()
        )
    }

    /// Why it is not in the bill of a day; `None` if it is.
    pub fn why_not_on(&self, day: Date) -> Option<String> {
        if self.from.is_some_and(|from| from > day) {
            return Some(self.begins_later());
        }
        let until = self.until.filter(|until| *until <= day)?;
        Some(format!(
            "{}: ended on {until}, and the prices are of {day}; it is not in the bill",
            self.words()
        ))
    }

    /// That no table is in its region.
    pub fn is_elsewhere(&self) -> String {
        format!(
            "{}: no table of this run is in that region; it is not in the bill",
            self.words()
        )
    }

    /// The region that it is bound to; `None` if it applies in all.
    pub fn region(&self) -> Option<&str> {
        match &self.kind {
            CommitmentKind::Reserved { region, .. } => Some(region),
            CommitmentKind::SavingsPlan { .. } => None,
            CommitmentKind::Discount { region, .. } => region.as_deref(),
        }
    }
}

impl PartialEq for Commitment {
    fn eq(&self, other: &Commitment) -> bool {
        (&self.kind, self.from, self.until) == (&other.kind, other.from, other.until)
    }
}

impl Eq for Commitment {}

impl Hash for Commitment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.kind, self.from, self.until).hash(state);
    }
}

/// The negotiated discount in a region, in percent: several add up, to at most 100.
pub fn discount_percent(commitments: &[Commitment], region: &str) -> Exact {
    let of = |one: &Commitment| match &one.kind {
        CommitmentKind::Discount {
            region: of,
            percent,
        } if of.as_deref().is_none_or(|of| of == region) => percent.clone(),
        _ => Exact::zero(),
    };
    let sum: Exact = commitments.iter().map(of).sum();
    sum.min(Exact::from(100))
}

/// Dollars an hour that are committed to savings plans.
pub fn plan_usd_per_hour(commitments: &[Commitment]) -> Exact {
    let of = |one: &Commitment| match &one.kind {
        CommitmentKind::SavingsPlan { usd_per_hour } => usd_per_hour.clone(),
        _ => Exact::zero(),
    };
    commitments.iter().map(of).sum()
}
