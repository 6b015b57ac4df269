//! What moved on a bill from one day to the next.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::days::{DAY, DayOf, Thing, days_of};
use super::finding::Finding;
use crate::bill::{AwsBill, BilledKind};
use crate::money::{Money, MoneyError};
use crate::usage::UsageType;

/// The most moves that are shown.
const MOVES_MAX: usize = 12;

/// The days of the means before and after a move.
const MEAN_DAYS: i64 = 3;

/// The moves from which a thing goes up and down.
const RHYTHM_MIN: usize = 4;

/// The share of the bill that a move must change until its end, in percent.
const SHARE_PERCENT: Decimal = Decimal::ONE;

/// The moves of a bill, in the order of their days.
pub(super) fn moves(bill: &AwsBill) -> Result<Vec<Finding>, MoneyError> {
    let Some((from, to)) = bill.span() else {
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
    let all = days_of(bill)?;
    let mut moves: Vec<(Money, Finding)> = Vec::new();
    for (thing, days) in &all {
        let days = Days {
            days,
            first,
            last: last.max(first),
        };
        let mut own: Vec<(Money, Finding)> = Vec::new();
        let own_days = days.days.keys();
        let (least, most) = (own_days.clone().min(), own_days.max());
        let (Some(mut at), Some(most)) = (least.copied(), most.copied()) else {
            continue;
        };
        while at <= most.saturating_add(DAY) {
            let [before, now, after] = [at - DAY, at, at + DAY].map(|at| days.of(at));
            if days.is_alone(at) {
                if is_large(now.billed) {
                    own.push((now.billed, super::causes::once(thing, at, &now)));
                }
            } else if let Some((change, effect)) = days.lasting(at)?
                && is_large(effect)
            {
                let grown = grown(&all, thing, at);
                let around = [&before, &now, &after];
                let finding = super::causes::step(thing, at, around, change, grown);
                own.push((effect.max(Money::ZERO.minus(effect)?), finding));
            }
            at += DAY;
        }
        moves.extend(without_rhythm(own));
    }
    moves.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    moves.truncate(MOVES_MAX);
    let mut moves: Vec<Finding> = moves.into_iter().map(|(_, finding)| finding).collect();
    moves.sort_by(|one, other| (&one.day, &one.text).cmp(&(&other.day, &other.text)));
    Ok(moves)
}

/// The moves of one thing. What goes up and down every few days is told once.
fn without_rhythm(mut own: Vec<(Money, Finding)>) -> Vec<(Money, Finding)> {
    if own.len() < RHYTHM_MIN {
        return own;
    }
    let count = own.len();
    own.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    own.truncate(1);
    for (_, finding) in &mut own {
        let because = finding.because.get_or_insert_default();
        *because = format!("{because}; the largest of {count} changes, up and down");
    }
    own
}

/// The days of a thing.
struct Days<'a> {
    days: &'a BTreeMap<i64, DayOf>,
    /// The first and last whole day.
    first: i64,
    last: i64,
}

impl Days<'_> {
    fn of(&self, at: i64) -> DayOf {
        self.days.get(&at).copied().unwrap_or_default()
    }

    /// Whether something is charged on this day and on none beside it.
    fn is_alone(&self, at: i64) -> bool {
        let is_free = |at: i64| self.of(at).billed.is_zero();
        is_free(at - DAY) && is_free(at + DAY) && !is_free(at)
    }

    /// The mean of the whole days from one to another, without charges of single days.
    fn mean(&self, from: i64, to: i64) -> Result<Option<Decimal>, MoneyError> {
        let mut sum = Money::ZERO;
        let mut count = 0_u32;
        let mut at = from.max(self.first);
        while at <= to.min(self.last) {
            if !self.is_alone(at) {
                sum = sum.plus(self.of(at).billed)?;
            }
            count += 1;
            at += DAY;
        }
        Ok(sum.decimal().checked_div(Decimal::from(count)))
    }

    /// The change on a day, if it lasts, and what it makes until the end of the bill.
    fn lasting(&self, at: i64) -> Result<Option<(Money, Money)>, MoneyError> {
        if !(self.first + DAY..=self.last).contains(&at) || self.is_alone(at - DAY) {
            return Ok(None);
        }
        let before = self.mean(at - MEAN_DAYS * DAY, at - DAY)?;
        let after = self.mean(at, at + (MEAN_DAYS - 1) * DAY)?;
        let (Some(before), Some(after)) = (before, after) else {
            return Ok(None);
        };
        let change = self.of(at).billed.minus(self.of(at - DAY).billed)?;
        let difference = after - before;
        // A fifth of the larger side, most of it on this day.
        let is_clear = difference.abs() * Decimal::from(5) >= before.abs().max(after.abs())
            && change.decimal() * difference > Decimal::ZERO
            && change.decimal().abs() * Decimal::TWO >= difference.abs();
        let days = Decimal::from((self.last - at) / DAY + 1);
        let effect = difference.checked_mul(days).map(Money::billed);
        Ok(effect.filter(|_| is_clear).map(|effect| (change, effect)))
    }
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
    let before = days.get(&(at - DAY))?.quantity?;
    let after = days.get(&(at + 2 * DAY))?.quantity?;
    let twentieth = before.checked_div(Decimal::from(20))?;
    (after > before.checked_add(twentieth)?).then_some((before, after))
}
