//! The types of charges.

/// What a row of a bill is, by the names of the Cost and Usage Report.
///
/// Source: Cost and Usage Reports, "Line item details", `lineItem/LineItemType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChargeType {
    /// Usage at the price that applies to it.
    Usage,
    /// Usage that reserved capacity covers.
    DiscountedUsage,
    /// Usage that a savings plan covers, at list price.
    SavingsPlanCoveredUsage,
    /// Takes the list price of covered usage off the bill again.
    SavingsPlanNegation,
    /// The hourly commitment of a savings plan.
    SavingsPlanRecurringFee,
    /// What was paid up front for a savings plan.
    SavingsPlanUpfrontFee,
    /// The monthly fee of reserved capacity.
    RiFee,
    /// A fee that is paid once, such as that of reserved capacity up front.
    Fee,
    /// The part of a commitment that no usage took; a row of FOCUS, where it is not billed.
    UnusedCommitment,
    /// Tax.
    Tax,
    /// A credit.
    Credit,
    /// A refund.
    Refund,
    /// A discount of the enterprise discount program.
    EdpDiscount,
    /// A discount that depends on the use of another service.
    BundledDiscount,
    /// A negotiated price.
    PrivateRateDiscount,
    /// A type that is not in this list.
    Other,
}

impl ChargeType {
    /// All types with a name in the Cost and Usage Report.
    const NAMES: &[(&str, ChargeType)] = &[
        ("Usage", ChargeType::Usage),
        ("DiscountedUsage", ChargeType::DiscountedUsage),
        (
            "SavingsPlanCoveredUsage",
            ChargeType::SavingsPlanCoveredUsage,
        ),
        ("SavingsPlanNegation", ChargeType::SavingsPlanNegation),
        (
            "SavingsPlanRecurringFee",
            ChargeType::SavingsPlanRecurringFee,
        ),
        ("SavingsPlanUpfrontFee", ChargeType::SavingsPlanUpfrontFee),
        ("RIFee", ChargeType::RiFee),
        ("Fee", ChargeType::Fee),
        ("UnusedCommitment", ChargeType::UnusedCommitment),
        ("Tax", ChargeType::Tax),
        ("Credit", ChargeType::Credit),
        ("Refund", ChargeType::Refund),
        ("EdpDiscount", ChargeType::EdpDiscount),
        ("BundledDiscount", ChargeType::BundledDiscount),
        ("PrivateRateDiscount", ChargeType::PrivateRateDiscount),
    ];

    /// By its name in a Cost and Usage Report.
    pub(super) fn named(name: &str) -> ChargeType {
        let mut all = ChargeType::NAMES.iter();
        all.find(|(known, _)| *known == name)
            .map_or(ChargeType::Other, |(_, charge)| *charge)
    }

    /// Its name in a Cost and Usage Report.
    pub fn name(self) -> &'static str {
        let mut all = ChargeType::NAMES.iter();
        all.find(|(_, charge)| *charge == self)
            .map_or("Other", |(name, _)| name)
    }

    /// Whether its quantity is usage; taxes, credits and negations repeat a usage type and sometimes
    /// a quantity.
    pub fn is_usage(self) -> bool {
        matches!(
            self,
            ChargeType::Usage | ChargeType::DiscountedUsage | ChargeType::SavingsPlanCoveredUsage
        )
    }

    /// Whether it buys a commitment.
    pub fn is_purchase(self) -> bool {
        matches!(
            self,
            ChargeType::RiFee
                | ChargeType::Fee
                | ChargeType::SavingsPlanRecurringFee
                | ChargeType::SavingsPlanUpfrontFee
        )
    }

    /// Whether it is a negotiated discount.
    pub fn is_discount(self) -> bool {
        matches!(
            self,
            ChargeType::EdpDiscount | ChargeType::BundledDiscount | ChargeType::PrivateRateDiscount
        )
    }
}
