//! Why a bill moved: the rules of AWS that explain charges of single days and changes.

use rust_decimal::Decimal;

use super::days::{DayOf, Thing};
use super::finding::{Finding, FindingKind};
use super::totals::day;
use crate::bill::BilledKind;
use crate::money::Money;
use crate::table::Direction;
use crate::time::Date;
use crate::units::{group_thousands, plural};
use crate::usage::UsageType;

/// A quantity for people.
pub(super) fn shown(quantity: Decimal) -> String {
    let rounded = match quantity.abs() >= Decimal::from(100) {
        true => quantity.round_dp(0),
        false => quantity.round_sf(3).unwrap_or(quantity),
    };
    group_thousands(&rounded.normalize().to_string())
}

/// A quantity with its unit.
pub(super) fn with_unit(quantity: Decimal, kind: &BilledKind) -> String {
    let unit = match kind.unit() {
        "GB" => "GB".to_string(),
        unit => plural(quantity == Decimal::ONE, unit),
    };
    format!("{} {unit}", shown(quantity))
}

/// What a day used, with its unit.
fn used(day: &DayOf, kind: &BilledKind) -> String {
    match day.quantity {
        None => "an unknown quantity".to_string(),
        Some(quantity) => with_unit(quantity, kind),
    }
}

/// A charge of one day.
pub(super) fn once(thing: &Thing, at: i64, now: &DayOf) -> Finding {
    let is_first = Date::of_second(at).is_some_and(|date| date.day() == 1);
    let (because, rule) = match &thing.kind {
        BilledKind::Reserved(_) => (
            "the fee of reserved capacity is charged on the 1st for all hours of the month"
                .to_string(),
            Some("Developer Guide, \"DynamoDB reserved capacity\""),
        ),
        BilledKind::Usage(usage) if *usage == UsageType::BACKUP => (
            match is_first {
                true => "backups that exist on the 1st are charged on that day for the whole month",
                false => "a backup is charged when it is created, for the rest of the month",
            }
            .to_string(),
            Some("AWS re:Post: on-demand backups are charged on the 1st for the month"),
        ),
        BilledKind::Usage(usage) if usage.service() == "AWSBackup" => (
            format!("backups of AWS Backup: {}", used(now, &thing.kind)),
            None,
        ),
        BilledKind::Usage(usage) if usage.is_charged_once() => (
            format!(
                "{} of {}, charged once by its size",
                thing.kind.purpose().trim_end_matches('s'),
                used(now, &thing.kind)
            ),
            Some("Amazon DynamoDB pricing"),
        ),
        BilledKind::Usage(usage) if usage.service() == "AmazonCloudWatch" => {
            (format!("{} for the month", used(now, &thing.kind)), None)
        }
        kind => (format!("only on this day: {}", used(now, kind)), None),
    };
    Finding {
        kind: FindingKind::Once,
        day: Some(day(at)),
        table: thing.resource.clone(),
        usd: Some(now.billed),
        text: format!("{} {}", thing.name(), now.billed.human()),
        because: Some(because),
        source: rule,
    }
}

/// A change from one day to the next.
///
/// `days` are the day before, this one and the next; `grown` is the storage of its table on both
/// sides, if it grew.
pub(super) fn step(
    thing: &Thing,
    at: i64,
    days: [&DayOf; 3],
    change: Money,
    grown: Option<(Decimal, Decimal)>,
) -> Finding {
    let (because, source) = cause(thing, days, change, grown);
    Finding {
        kind: FindingKind::Move,
        day: Some(day(at)),
        table: thing.resource.clone(),
        usd: Some(change),
        text: format!(
            "{} {}{} a day",
            thing.name(),
            if change > Money::ZERO { "+" } else { "" },
            change.human()
        ),
        because: Some(because),
        source,
    }
}

/// Why something changed from one day to the next, and where AWS says so.
fn cause(
    thing: &Thing,
    [before, now, after]: [&DayOf; 3],
    change: Money,
    grown: Option<(Decimal, Decimal)>,
) -> (String, Option<&'static str>) {
    let from = used(before, &thing.kind);
    let to = used(now, &thing.kind);
    let zero = Decimal::ZERO;
    let quantities = before.quantity.zip(now.quantity);
    let is_about = quantities.is_some_and(|(before, now)| {
        (before - now).abs() * Decimal::ONE_HUNDRED <= before.abs().max(now.abs())
    });
    let has_none = |day: &DayOf| day.quantity.is_none_or(|quantity| quantity.is_zero());
    let is_write = thing.kind.usage().and_then(UsageType::direction) == Some(Direction::Write);
    let is_twice = |other: &DayOf| {
        let both = now.quantity.zip(other.quantity);
        both.is_some_and(|(now, other)| now > other * Decimal::TWO)
    };
    let is_peak = is_twice(before) && is_twice(after);
    if let Some((least, most)) = grown.filter(|_| is_write && is_peak) {
        return (
            format!(
                "{to} on this day, {from} on the day before, and the storage grew from {} to {} \
                 GB-months a day: an index was built, or data was loaded",
                shown(least),
                shown(most)
            ),
            Some("Developer Guide, \"Managing Global Secondary Indexes\""),
        );
    }
    if let Some(cause) = of_commitments(thing, before, now) {
        return cause;
    }
    if before.free > now.free && change > Money::ZERO {
        (
            "the free tier of the month is used up; it goes to the first hours of the month, whatever \
             their table"
                .to_string(),
            Some("Amazon DynamoDB pricing, \"AWS Free Tier\""),
        )
    } else if before.rate != now.rate && before.rate > zero && now.rate > zero && is_about {
        (
            format!(
                "the price of a unit changed from ${} to ${}",
                before.rate.normalize(),
                now.rate.normalize()
            ),
            None,
        )
    } else if has_none(before) && before.billed.is_zero() {
        (format!("begins with {to} a day"), None)
    } else if has_none(now) && now.billed.is_zero() {
        (format!("ends; {from} on the day before"), None)
    } else if quantities.is_none() {
        let (from, to) = (before.billed.human(), now.billed.human());
        (format!("from {from} to {to} a day"), None)
    } else {
        (format!("from {from} to {to} a day"), None)
    }
}

/// What reserved capacity or a savings plan has to do with a change.
fn of_commitments(
    thing: &Thing,
    before: &DayOf,
    now: &DayOf,
) -> Option<(String, Option<&'static str>)> {
    let cause = if before.reserved > Decimal::ZERO && now.reserved < before.reserved {
        (
            format!(
                "reserved capacity covered {} the day before and {} on this day; it ended or moved \
                 to other tables",
                with_unit(before.reserved, &thing.kind),
                with_unit(now.reserved, &thing.kind)
            ),
            Some("Developer Guide, \"DynamoDB reserved capacity\""),
        )
    } else if now.reserved > before.reserved {
        (
            format!(
                "reserved capacity covers {} from this day on",
                with_unit(now.reserved, &thing.kind)
            ),
            Some("Developer Guide, \"DynamoDB reserved capacity\""),
        )
    } else if now.planned > before.planned && now.planned > Decimal::ZERO {
        (
            format!(
                "a savings plan covers {} from this day on",
                with_unit(now.planned, &thing.kind)
            ),
            Some("Savings Plans User Guide"),
        )
    } else if before.planned > now.planned {
        (
            "a savings plan covers less of it than on the day before".to_string(),
            Some("Savings Plans User Guide"),
        )
    } else {
        return None;
    };
    Some(cause)
}
