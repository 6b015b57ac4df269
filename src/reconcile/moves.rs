//! What moved on a bill from one day to the next.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::days::{DAY, DayOf, Thing, days_of};
use super::finding::Finding;
use super::totals::span;
use crate::bill::{AwsBill, BilledKind};
use crate::money::{Money, MoneyError};
use crate::usage::UsageType;

/// The most moves that are shown.
const MOVES_MAX: usize = 12;

/// The share of the bill that a move must change, in percent.
const SHARE_PERCENT: Decimal = Decimal::ONE;

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
    let all = days_of(bill)?;
    for (thing, days) in &all {
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
                let finding = super::causes::once(thing, at, &now);
                moves.push((now.billed, finding));
            } else if (first + DAY..=last).contains(&at)
                && !is_alone
                && !is_after_one
                && is_large(size)
            {
                let finding = super::causes::step(
                    thing,
                    at,
                    [&before, &now, &after],
                    change,
                    grown(&all, thing, at),
                );
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

/// The storage of a thing's table before a day and two days later, if it grew by a twentieth or more.
fn grown(
    all: &BTreeMap<Thing, BTreeMap<i64, DayOf>>,
    thing: &Thing,
    at: i64,
) -> Option<(Decimal, Decimal)> {
    let is_storage = |kind: &BilledKind| matches!(kind, BilledKind::Usage(UsageType::Storage(_)));
    let (_, days) = all.iter().find(|(other, _)| {
        is_storage(&other.kind)
            && other.resource == thing.resource
            && other.region == thing.region
            && thing.resource.is_some()
    })?;
    let before = days.get(&(at - DAY))?.quantity;
    let after = days.get(&(at + 2 * DAY))?.quantity;
    let twentieth = before.checked_div(Decimal::from(20))?;
    (after > before.checked_add(twentieth)?).then_some((before, after))
}
