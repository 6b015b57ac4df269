//! Something worth knowing of a bill.

use crate::money::Money;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// A charge of one day.
    Once,
    /// A change from one day to the next.
    Move,
    /// Provisioned capacity beside what its requests would cost.
    Capacity,
    /// Reserved capacity.
    Reserved,
    /// A savings plan.
    SavingsPlan,
    /// A free tier.
    FreeTier,
    /// Charges that name no table.
    NotAttributable,
    /// Usage types that are not modelled.
    NotModelled,
    /// A table that began or ended within the bill.
    Table,
    /// Prices below the list price.
    Discount,
}

impl FindingKind {
    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            FindingKind::Once => "once",
            FindingKind::Move => "move",
            FindingKind::Capacity => "capacity",
            FindingKind::Reserved => "reserved",
            FindingKind::SavingsPlan => "savings-plan",
            FindingKind::FreeTier => "free-tier",
            FindingKind::NotAttributable => "not-attributable",
            FindingKind::NotModelled => "not-modelled",
            FindingKind::Table => "table",
            FindingKind::Discount => "discount",
        }
    }
}

/// Something worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub kind: FindingKind,
    /// The day, if it is about one.
    pub day: Option<String>,
    /// The table or other resource, if it is about one.
    pub table: Option<String>,
    /// The dollars that it is about; `None` if the bill does not say.
    pub usd: Option<Money>,
    /// What it is.
    pub text: String,
    /// Why, if a rule or the bill itself explains it.
    pub because: Option<String>,
    /// Where AWS says so, if a rule explains it.
    pub source: Option<&'static str>,
}
