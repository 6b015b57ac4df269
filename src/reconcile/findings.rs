//! What is worth knowing of a bill: moves, capacity, commitments, free tiers, what has no table.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::causes::{shown, with_unit};
use super::design::CellKey;
use super::difference::{Cell, Difference};
use super::finding::{Finding, FindingKind};
use super::moves::moves;
use super::totals::{day, span};
use crate::bill::{Amounts, AwsBill, BilledKind, BilledLine, ChargeType, Month};
use crate::money::{Money, MoneyError};
use crate::pricing::Books;
use crate::table::Direction;
use crate::units::Exact;
use crate::usage::UsageType;

const DAY: i64 = 86_400;

/// All findings, moves first.
pub(super) fn findings(bill: &AwsBill, books: &Books) -> Result<Vec<Finding>, MoneyError> {
    let mut all = moves(bill)?;
    all.extend(capacity(bill, books)?);
    all.extend(reserved(bill)?);
    all.extend(plans(bill)?);
    all.extend(free_tiers(bill, books));
    all.extend(without_table(bill)?);
    all.extend(not_modelled(bill)?);
    Ok(all)
}

fn sum<'a>(lines: impl Iterator<Item = &'a BilledLine>) -> Result<Amounts, MoneyError> {
    Amounts::sum(lines.flat_map(|line| line.amounts.values()))
        .ok_or_else(|| MoneyError::TooLarge("the sum of the bill".to_string()))
}

/// Tables whose provisioned capacity costs something: how much of it must be used to pay.
fn capacity(bill: &AwsBill, books: &Books) -> Result<Vec<Finding>, MoneyError> {
    type Key<'a> = (Option<&'a str>, &'a str, &'a UsageType);
    let mut tables: BTreeMap<Key<'_>, Vec<&BilledLine>> = BTreeMap::new();
    for line in bill.lines.iter().filter(|line| line.charge.is_usage()) {
        let Some(usage @ UsageType::CapacityHours(..)) = line.kind.usage() else {
            continue;
        };
        let region = line.region.as_deref().unwrap_or_default();
        let key = (line.resource.table.as_deref(), region, usage);
        tables.entry(key).or_default().push(line);
    }
    let hours = span(bill).map_or(0, |(from, to)| (to - from) / 3_600);
    let mut findings = Vec::new();
    for ((table, region, usage), lines) in tables {
        let amounts = sum(lines.iter().copied())?;
        let UsageType::CapacityHours(throughput, class) = usage else {
            continue;
        };
        let billed = amounts.billed.unwrap_or_default();
        let (Some(quantity), false) = (amounts.quantity, billed.is_zero()) else {
            continue;
        };
        let date = bill.months().last().map(|month| month.first_day());
        let book = books
            .book(region, date)
            .or_else(|_| books.book(region, None));
        let requests = UsageType::Requests(*throughput, *class);
        let prices = book.ok().and_then(|book| {
            Some((
                book.list_price(usage)?.rate.decimal(),
                book.list_price(&requests)?.rate.decimal(),
            ))
        });
        let Some((an_hour, a_request)) = prices else {
            continue;
        };
        // A unit of capacity serves 3,600 units of requests in an hour.
        let full = a_request * Decimal::from(3_600);
        let percent = (an_hour * Decimal::ONE_HUNDRED / full).round_dp(1);
        let mean = match hours {
            0 => String::new(),
            hours => format!(
                " ({} units on average)",
                shown(quantity / Decimal::from(hours))
            ),
        };
        let name = table.map(|table| format!("{table}: ")).unwrap_or_default();
        findings.push(Finding {
            kind: FindingKind::Capacity,
            day: None,
            table: table.map(str::to_string),
            usd: Some(billed),
            text: format!(
                "{name}provisioned {} capacity in {region} {}{mean}: on demand costs less if fewer \
                 than {percent} % of it are used. The bill does not say how much is.",
                throughput.word(),
                billed.human(),
            ),
            source: None,
        });
    }
    Ok(findings)
}

/// Reserved capacity: what was bought, and how much of it was used.
fn reserved(bill: &AwsBill) -> Result<Vec<Finding>, MoneyError> {
    let mut findings = Vec::new();
    let mut regions: Vec<(&Month, Option<&str>, Direction)> = bill
        .lines
        .iter()
        .filter_map(|line| match (&line.kind, line.charge) {
            (BilledKind::Reserved(direction), ChargeType::RiFee) => {
                Some((&line.month, line.region.as_deref(), *direction))
            }
            _ => None,
        })
        .collect();
    regions.sort();
    regions.dedup();
    for (month, region, direction) in regions {
        let is_here = |line: &&BilledLine| line.month == *month && line.region.as_deref() == region;
        let bought = sum(bill.lines.iter().filter(is_here).filter(|line| {
            line.kind == BilledKind::Reserved(direction) && line.charge == ChargeType::RiFee
        }))?;
        let is_capacity = |line: &&BilledLine| {
            line.kind.usage().is_some_and(|usage| {
                matches!(usage, UsageType::CapacityHours(..))
                    && usage.direction() == Some(direction)
            })
        };
        let of = |charge: ChargeType| {
            let lines = bill.lines.iter().filter(is_here).filter(is_capacity);
            sum(lines.filter(move |line| line.charge == charge))
        };
        let used = of(ChargeType::DiscountedUsage)?;
        let paid = of(ChargeType::Usage)?;
        let (Some(bought_hours), Some(used_hours)) = (bought.quantity, used.quantity) else {
            continue;
        };
        let percent = used_hours
            .checked_mul(Decimal::ONE_HUNDRED)
            .and_then(|hundredfold| hundredfold.checked_div(bought_hours))
            .unwrap_or_default()
            .round_dp(1);
        let kind = BilledKind::Reserved(direction);
        let beyond = match paid.quantity.filter(|paid| !paid.is_zero()) {
            Some(paid) => format!(
                "; {} were billed at other prices beside it",
                with_unit(paid, &kind)
            ),
            None => String::new(),
        };
        let until = span(bill).map(|(_, to)| format!(" until {}", day(to - 1)));
        findings.push(Finding {
            kind: FindingKind::Reserved,
            day: None,
            table: None,
            usd: bought.billed,
            text: format!(
                "reserved {} capacity in {} for {month}: {} bought for the whole month, {} used{} \
                 ({percent} %), {} not used{beyond}",
                direction.word(),
                region.unwrap_or("an unknown region"),
                with_unit(bought_hours, &kind),
                shown(used_hours),
                until.unwrap_or_default(),
                shown((bought_hours - used_hours).max(Decimal::ZERO)),
            ),
            source: None,
        });
    }
    Ok(findings)
}

/// Savings plans: the commitment, and how much of it tables used.
fn plans(bill: &AwsBill) -> Result<Vec<Finding>, MoneyError> {
    let of = |charge: ChargeType| {
        let lines = bill.lines.iter().filter(move |line| line.charge == charge);
        sum(lines)
    };
    let fee = of(ChargeType::SavingsPlanRecurringFee)?;
    let covered = of(ChargeType::SavingsPlanCoveredUsage)?;
    if fee.rows == 0 && covered.rows == 0 {
        return Ok(Vec::new());
    }
    let money = |amount: Option<Money>| amount.map_or("unknown".to_string(), Money::human);
    Ok(vec![Finding {
        kind: FindingKind::SavingsPlan,
        day: None,
        table: None,
        usd: fee.billed,
        text: format!(
            "savings plan: {} committed; it covers usage of DynamoDB that costs {} at list price for \
             {} of the commitment",
            money(fee.billed),
            money(covered.list),
            money(covered.amortised)
        ),
        source: Some("Savings Plans User Guide"),
    }])
}

/// Free tiers: how much of them was used, and when they ended.
fn free_tiers(bill: &AwsBill, books: &Books) -> Vec<Finding> {
    type Key<'a> = (&'a Month, &'a str, &'a UsageType);
    let mut tiers: BTreeMap<Key<'_>, (Decimal, i64, bool)> = BTreeMap::new();
    for line in &bill.lines {
        let Some(usage) = line
            .kind
            .usage()
            .filter(|usage| usage.free_tier().is_some())
        else {
            continue;
        };
        if line.charge != ChargeType::Usage {
            continue;
        }
        let key = (
            &line.month,
            line.region.as_deref().unwrap_or_default(),
            usage,
        );
        let (free, last, is_paid) = tiers.entry(key).or_default();
        for (start, amounts) in &line.amounts {
            let quantity = amounts.quantity.unwrap_or_default();
            match amounts.billed {
                Some(billed) if billed.is_zero() => {
                    *free += quantity;
                    *last = (*last).max(start.div_euclid(DAY) * DAY);
                }
                _ => *is_paid = true,
            }
        }
    }
    let of = |((month, region, usage), (free, last, is_paid)): (Key<'_>, (Decimal, i64, bool))| {
        let book = books
            .book(region, Some(month.first_day()))
            .or_else(|_| books.book(region, None));
        let free_hours = book.ok()?.free_quantity(usage);
        if free.is_zero() || free_hours.is_zero() {
            return None;
        }
        let kind = BilledKind::Usage(usage.clone());
        // The books have the tier of a month of 31 days or of 730 hours; what a bill gives counts.
        let ended = match is_paid {
            true => format!("; it was used up on {}", day(last)),
            false => {
                let share = Exact::from(free) * Exact::from(100) / free_hours;
                format!("; that is {} % of it", share.human(0))
            }
        };
        Some(Finding {
            kind: FindingKind::FreeTier,
            day: is_paid.then(|| day(last)),
            table: None,
            usd: Some(Money::ZERO),
            text: format!(
                "free tier of {} in {region}, {month}: {} were free{ended}",
                usage.purpose(),
                with_unit(free, &kind)
            ),
            source: Some("Amazon DynamoDB pricing, \"AWS Free Tier\""),
        })
    };
    tiers.into_iter().filter_map(of).collect()
}

/// Usage that names no table.
fn without_table(bill: &AwsBill) -> Result<Vec<Finding>, MoneyError> {
    let usage = || bill.lines.iter().filter(|line| line.charge.is_usage());
    let nameless = || usage().filter(|line| line.resource.name().is_none());
    let amounts = sum(nameless())?;
    let has_tables = usage().any(|line| line.resource.table.is_some());
    let Some(billed) = amounts.billed.filter(|billed| !billed.is_zero()) else {
        return Ok(Vec::new());
    };
    let text = match has_tables {
        true => {
            let mut kinds: Vec<&str> = nameless().map(|line| line.kind.purpose()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            format!(
                "{} of usage name no table: {}",
                billed.human(),
                kinds.join(", ")
            )
        }
        false => "the bill names no tables: include resource IDs in the export to see which table \
                  costs what"
            .to_string(),
    };
    Ok(vec![Finding {
        kind: FindingKind::NotAttributable,
        day: None,
        table: None,
        usd: Some(billed),
        text,
        source: None,
    }])
}

/// Usage types that are not modelled.
fn not_modelled(bill: &AwsBill) -> Result<Vec<Finding>, MoneyError> {
    let mut names: BTreeMap<&str, Vec<&BilledLine>> = BTreeMap::new();
    for line in &bill.lines {
        if let BilledKind::NotModelled(name) = &line.kind {
            names.entry(name).or_default().push(line);
        }
    }
    let mut findings = Vec::new();
    for (name, lines) in names {
        let amounts = sum(lines.iter().copied())?;
        let name = match name {
            "" => "charges without a usage type",
            name => name,
        };
        findings.push(Finding {
            kind: FindingKind::NotModelled,
            day: None,
            table: None,
            usd: amounts.billed,
            text: format!(
                "{name}: {}; no design can contain this usage type",
                amounts.billed.map_or("unknown".to_string(), Money::human)
            ),
            source: None,
        });
    }
    Ok(findings)
}

/// How much of provisioned capacity a trace used, and what its requests would cost on demand.
pub(super) fn used(difference: &Difference) -> Vec<Finding> {
    let cells = difference.cells.iter();
    let capacity = cells.filter_map(|cell| match &cell.key.usage {
        UsageType::CapacityHours(throughput, class) => {
            Some((cell, UsageType::Requests(*throughput, *class)))
        }
        _ => None,
    });
    let finding = |(cell, requests): (&Cell, UsageType)| {
        let key = CellKey {
            usage: requests,
            ..cell.key.clone()
        };
        let measured = difference.cells.iter().find(|one| one.key == key)?;
        let units = measured.expected_quantity.clone()?;
        let hours = Exact::from(cell.billed_quantity?);
        if hours.is_zero() {
            return None;
        }
        let capacity = &hours * &Exact::from(3_600);
        let percent = &(&units * &Exact::from(100)) / &capacity;
        let kind = BilledKind::Usage(cell.key.usage.clone());
        let table = cell.key.table.as_ref().map(|table| format!("{table}: "));
        Some(Finding {
            kind: FindingKind::Capacity,
            day: None,
            table: cell.key.table.clone(),
            usd: Some(cell.billed),
            text: format!(
                "{}{} % of the provisioned {} in {} was used: {} of {} units in the hours of the trace",
                table.unwrap_or_default(),
                percent.human(2),
                kind.purpose(),
                cell.key.region,
                units.human(1),
                capacity.human(0)
            ),
            source: None,
        })
    };
    capacity.filter_map(finding).collect()
}
