//! What each thing on a bill cost, day by day.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::bill::{AwsBill, BilledKind, BilledLine, ChargeType};
use crate::money::{Money, MoneyError};

/// The seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// One thing that is billed every day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Thing {
    pub service: String,
    pub resource: Option<String>,
    pub region: Option<String>,
    pub kind: BilledKind,
}

impl Thing {
    /// Its name in a sentence.
    pub fn name(&self) -> String {
        let what = self.kind.name();
        let of = self.resource.as_ref().map(|name| format!("{name}: "));
        let region = self.region.as_ref().map(|region| format!(" in {region}"));
        format!(
            "{}{what}{}",
            of.unwrap_or_default(),
            region.unwrap_or_default()
        )
    }
}

/// What a thing cost on a day, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DayOf {
    pub billed: Money,
    /// What was used or bought; `None` if the bill has costs only.
    pub quantity: Option<Decimal>,
    /// Usage that was billed at no charge.
    pub free: Decimal,
    /// Usage that reserved capacity covers, and that a savings plan covers.
    pub reserved: Decimal,
    pub planned: Decimal,
    /// The highest rate of the day.
    pub rate: Decimal,
    /// What was paid for commitments.
    pub fee: Money,
}

/// A day without charges.
impl Default for DayOf {
    fn default() -> DayOf {
        DayOf {
            billed: Money::ZERO,
            quantity: Some(Decimal::ZERO),
            free: Decimal::ZERO,
            reserved: Decimal::ZERO,
            planned: Decimal::ZERO,
            rate: Decimal::ZERO,
            fee: Money::ZERO,
        }
    }
}

/// The days of each thing, without taxes, credits and refunds.
pub(super) fn days_of(bill: &AwsBill) -> Result<BTreeMap<Thing, BTreeMap<i64, DayOf>>, MoneyError> {
    let mut all: BTreeMap<Thing, BTreeMap<i64, DayOf>> = BTreeMap::new();
    let is_kept = |charge: ChargeType| {
        charge.is_usage() || charge.is_purchase() || charge == ChargeType::SavingsPlanNegation
    };
    // A row of a whole month does not say on which day.
    let has_day = |line: &&BilledLine| line.charge.is_purchase() || line.times.has_days();
    let kept = bill.lines.iter().filter(|line| is_kept(line.charge));
    for line in kept.filter(has_day) {
        let thing = Thing {
            service: line.service.clone(),
            resource: line.resource.name().map(str::to_string),
            region: line.region.clone(),
            kind: line.kind.clone(),
        };
        let days = all.entry(thing).or_default();
        for (start, amounts) in &line.amounts {
            let of = days.entry(start.div_euclid(DAY) * DAY).or_default();
            let billed = amounts.billed.unwrap_or_default();
            of.billed = of.billed.plus(billed)?;
            if line.charge != ChargeType::SavingsPlanNegation {
                let both = of.quantity.zip(amounts.quantity);
                of.quantity = both.map(|(sum, quantity)| sum + quantity);
            }
            // Without quantities, none of these is shown.
            let quantity = amounts.quantity.unwrap_or_default();
            match line.charge {
                charge if charge.is_purchase() => of.fee = of.fee.plus(billed)?,
                ChargeType::DiscountedUsage => of.reserved += quantity,
                ChargeType::SavingsPlanCoveredUsage => of.planned += quantity,
                ChargeType::Usage if billed.is_zero() => of.free += quantity,
                _ => (),
            }
            of.rate = of.rate.max(line.rate.unwrap_or_default());
        }
    }
    Ok(all)
}
