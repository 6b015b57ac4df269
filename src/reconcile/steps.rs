//! The steps from a design to a bill.

use std::collections::BTreeMap;

use crate::money::Money;
use crate::units::Exact;

/// One reason why a bill and a design differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StepKind {
    /// More or less usage than the design expects.
    Volume,
    /// The bill covers other hours than the design's month.
    Hours,
    /// The price of another date.
    PriceDate,
    /// Free tiers.
    Tier,
    /// Reserved capacity and savings plans.
    Commitments,
    /// Negotiated prices and discounts.
    Negotiated,
    /// Charges for the whole month that are made on its first days.
    FrontLoading,
    /// Usage types that no design can contain.
    NotModelled,
    /// On the bill, and not in the design.
    NotInDesign,
    /// In the design, and not on the bill.
    NotOnBill,
    /// Hours that a trace does not cover.
    OutsideTrace,
    /// Credits, refunds and taxes.
    Credits,
    /// AWS rounds the cost of each row.
    Rounding,
}

impl StepKind {
    /// Every step with its name in output and in a sentence, in order.
    pub const NAMES: [(StepKind, &str, &str); 13] = [
        (
            StepKind::Volume,
            "volume",
            "more or less usage than the design expects",
        ),
        (
            StepKind::Hours,
            "hours",
            "the bill covers other hours than the design's month",
        ),
        (
            StepKind::PriceDate,
            "price-date",
            "list prices of another date",
        ),
        (StepKind::Tier, "tier", "free tiers"),
        (
            StepKind::Commitments,
            "commitments",
            "reserved capacity and savings plans",
        ),
        (
            StepKind::Negotiated,
            "negotiated",
            "negotiated prices and discounts",
        ),
        (
            StepKind::FrontLoading,
            "front-loading",
            "charged on the first days for the whole month",
        ),
        (
            StepKind::NotModelled,
            "not-modelled",
            "usage types that no design can contain",
        ),
        (
            StepKind::NotInDesign,
            "not-in-the-design",
            "on the bill, and not in the design",
        ),
        (
            StepKind::NotOnBill,
            "not-on-the-bill",
            "in the design, and not on the bill",
        ),
        (
            StepKind::OutsideTrace,
            "outside-the-trace",
            "hours of the bill that the trace does not cover",
        ),
        (StepKind::Credits, "credits", "credits, refunds and taxes"),
        (
            StepKind::Rounding,
            "rounding",
            "AWS rounds each row to 10 decimals",
        ),
    ];

    /// Its name in output.
    pub fn name(self) -> &'static str {
        let mut all = StepKind::NAMES.iter();
        all.find(|(kind, ..)| *kind == self)
            .map_or("", |(_, name, _)| name)
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        let mut all = StepKind::NAMES.iter();
        all.find(|(kind, ..)| *kind == self)
            .map_or("", |(.., meaning)| meaning)
    }
}

/// A step from the design to the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// How much the bill is higher for it.
    pub usd: Money,
    /// Its largest parts, in words.
    pub because: Vec<String>,
}

/// The steps as they are summed.
#[derive(Default)]
pub(super) struct Sums {
    pub steps: BTreeMap<StepKind, Exact>,
    pub reasons: BTreeMap<StepKind, Vec<(Exact, String)>>,
    pub unexplained: Exact,
    pub rows: Vec<String>,
    pub unknown: Vec<String>,
}

impl Sums {
    /// Adds a part of a step with its reason, unless it is nothing.
    pub fn add(&mut self, kind: StepKind, usd: Exact, why: impl FnOnce() -> String) {
        if usd.is_zero() {
            return;
        }
        *self.steps.entry(kind).or_insert_with(Exact::zero) += &usd;
        let size = if usd.is_negative() {
            Exact::zero() - usd
        } else {
            usd
        };
        self.reasons.entry(kind).or_default().push((size, why()));
    }
}
