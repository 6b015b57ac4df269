//! What moved on a bill from one day to the next.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::findings::Finding;
use super::totals::{day, span};
use crate::bill::{AwsBill, BilledKind, ChargeType};
use crate::money::{Money, MoneyError};

const DAY: i64 = 86_400;

/// The most moves that are shown.
const MOVES_MAX: usize = 12;

/// The share of the bill that a move must change, in percent.
const SHARE_PERCENT: Decimal = Decimal::ONE;

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
        let what = match &self.kind {
            BilledKind::NotModelled(name) => name.as_str(),
            kind => kind.purpose(),
        };
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DayOf {
    pub billed: Money,
    /// Usage of every sort.
    pub quantity: Decimal,
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

/// The days of each thing, without taxes, credits and refunds.
fn days_of(bill: &AwsBill) -> Result<BTreeMap<Thing, BTreeMap<i64, DayOf>>, MoneyError> {
    let mut all: BTreeMap<Thing, BTreeMap<i64, DayOf>> = BTreeMap::new();
    let is_kept = |charge: ChargeType| {
        charge.is_usage() || charge.is_purchase() || charge == ChargeType::SavingsPlanNegation
    };
    for line in bill.lines.iter().filter(|line| is_kept(line.charge)) {
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
            let quantity = amounts.quantity.unwrap_or_default();
            match line.charge {
                charge if charge.is_purchase() => of.fee = of.fee.plus(billed)?,
                ChargeType::DiscountedUsage => of.reserved += quantity,
                ChargeType::SavingsPlanCoveredUsage => of.planned += quantity,
                ChargeType::Usage if billed.is_zero() => of.free += quantity,
                _ => (),
            }
            if line.charge.is_usage() {
                of.quantity += quantity;
            }
            of.rate = of.rate.max(line.rate.unwrap_or_default());
        }
    }
    Ok(all)
}

/// The moves of a bill, in the order of their days.
pub(super) fn moves(bill: &AwsBill) -> Result<Vec<Finding>, MoneyError> {
    let Some((from, to)) = span(bill) else {
        return Ok(Vec::new());
    };
    let total = Money::sum(bill.lines.iter().flat_map(|line| {
        line.amounts
            .values()
            .filter_map(|amounts| amounts.billed)
            .filter(|billed| *billed > Money::ZERO)
    }))?;
    let is_large = |amount: Money| {
        let share = amount.percent_of(total).unwrap_or_default();
        share.abs() >= SHARE_PERCENT
    };
    // The first and last day count only if they are whole.
    let first = from.div_euclid(DAY) * DAY + if from % DAY == 0 { 0 } else { DAY };
    let last = to.div_euclid(DAY) * DAY - DAY;
    let mut moves: Vec<(Money, Finding)> = Vec::new();
    for (thing, days) in days_of(bill)? {
        let of = |at: i64| days.get(&at).copied().unwrap_or_default();
        let mut at = from.div_euclid(DAY) * DAY;
        while at <= to {
            let (before, now, after) = (of(at - DAY), of(at), of(at + DAY));
            let is_alone =
                before.billed.is_zero() && after.billed.is_zero() && !now.billed.is_zero();
            let is_after_one = before.billed > Money::ZERO
                && now.billed.is_zero()
                && of(at - 2 * DAY).billed.is_zero();
            let change = now.billed.minus(before.billed)?;
            let size = change.max(Money::ZERO.minus(change)?);
            if is_alone && is_large(now.billed) {
                let finding = super::causes::once(&thing, at, &now);
                moves.push((now.billed, finding));
            } else if (first + DAY..=last).contains(&at)
                && !is_alone
                && !is_after_one
                && is_large(size)
            {
                let finding = super::causes::step(&thing, at, &before, &now, change);
                moves.push((size, finding));
            }
            at += DAY;
        }
    }
    moves.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    moves.truncate(MOVES_MAX);
    let mut moves: Vec<Finding> = moves.into_iter().map(|(_, finding)| finding).collect();
    moves.sort_by(|one, other| (&one.day, &one.text).cmp(&(&other.day, &other.text)));
    Ok(moves)
}

/// The day of a move, for its finding.
pub(super) fn on(at: i64) -> Option<String> {
    Some(day(at))
}
