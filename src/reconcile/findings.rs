//! What is worth knowing of a bill: moves, capacity, commitments, free tiers, what has no table.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::causes::{shown, with_unit};
use super::days::DAY;
use super::design::{CellKey, UNKNOWN_REGION};
use super::difference::{Cell, Difference};
use super::finding::{Finding, FindingKind};
use super::moves::moves;
use super::prices::ListPrices;
use super::totals::{self, day};
use crate::bill::{Amounts, AwsBill, BilledKind, BilledLine, ChargeType, Month, Times};
use crate::money::{Money, MoneyError};
use crate::pricing::Books;
use crate::table::Direction;
use crate::units::Exact;
use crate::usage::UsageType;

/// All findings, moves first.
pub(super) fn findings(bill: &AwsBill, books: &Books) -> Result<Vec<Finding>, MoneyError> {
    let mut all = moves(bill)?;
    all.extend(capacity(bill, books)?);
    all.extend(reserved(bill)?);
    all.extend(plans(bill)?);
    all.extend(free_tiers(bill, books));
    all.extend(discounts(bill)?);
    all.extend(tables(bill));
    all.extend(without_table(bill)?);
    all.extend(not_modelled(bill)?);
    Ok(all)
}

fn sum<'a>(lines: impl Iterator<Item = &'a BilledLine>) -> Result<Amounts, MoneyError> {
    totals::sum(lines.flat_map(|line| line.amounts.values()))
}

/// Tables whose provisioned capacity costs something: how much of it must be used to pay.
fn capacity(bill: &AwsBill, books: &Books) -> Result<Vec<Finding>, MoneyError> {
    type Key<'a> = (Option<&'a str>, Option<&'a str>, &'a UsageType);
    let mut tables: BTreeMap<Key<'_>, Vec<&BilledLine>> = BTreeMap::new();
    for line in bill.lines.iter().filter(|line| line.charge.is_usage()) {
        let Some(usage @ UsageType::CapacityHours(..)) = line.kind.usage() else {
            continue;
        };
        let (table, region) = (line.resource.table.as_deref(), line.region.as_deref());
        let key = (table, region, usage);
        tables.entry(key).or_default().push(line);
    }
    let hours = bill.span().map_or(0, |(from, to)| (to - from) / 3_600);
    let prices = ListPrices::of(bill, books);
    let mut findings = Vec::new();
    for ((table, region, usage), lines) in tables {
        let amounts = sum(lines.iter().copied())?;
        let UsageType::CapacityHours(throughput, class) = usage else {
            continue;
        };
        let billed = amounts.billed.filter(|billed| !billed.is_zero());
        let Some((quantity, billed)) = amounts.quantity.zip(billed) else {
            continue;
        };
        let requests = UsageType::Requests(*throughput, *class);
        let Some(a_request) = prices.beyond_free(region, &requests) else {
            continue;
        };
        // A unit of capacity serves 3,600 units of requests in an hour. What is billed counts: free
        // and reserved hours cost nothing here.
        let full = quantity
            .checked_mul(Decimal::from(3_600))
            .and_then(|units| units.checked_mul(a_request));
        let percent = full.and_then(|full| billed.percent_of(Money::billed(full)));
        let Some(percent) = percent else { continue };
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
                "{name}provisioned {} capacity in {} {}{mean}: on demand costs less if fewer \
                 than {percent} % of it are used. The bill does not say how much is.",
                throughput.word(),
                region.unwrap_or(UNKNOWN_REGION),
                billed.human(),
            ),
            because: None,
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
        let kind = BilledKind::Reserved(direction);
        let beyond = match paid.quantity.filter(|paid| !paid.is_zero()) {
            Some(paid) => format!(
                "; {} were billed at other prices beside it",
                with_unit(paid, &kind)
            ),
            None => String::new(),
        };
        let so_far = so_far(bill, bought_hours, |line| {
            is_here(&line)
                && line.kind == BilledKind::Reserved(direction)
                && line.charge == ChargeType::RiFee
        });
        let percent = used_hours
            .checked_mul(Decimal::ONE_HUNDRED)
            .and_then(|hundredfold| hundredfold.checked_div(so_far))
            .unwrap_or_default()
            .round_dp(1)
            .min(Decimal::ONE_HUNDRED);
        let of_month = match so_far == bought_hours {
            true => String::new(),
            false => format!(
                " in the hours of the bill, of {} in the month",
                with_unit(bought_hours, &kind)
            ),
        };
        findings.push(Finding {
            kind: FindingKind::Reserved,
            day: None,
            table: None,
            usd: bought.billed,
            text: format!(
                "reserved {} capacity in {}, {month}: {} of {} used ({percent} %){of_month}, {} not \
                 used{beyond}",
                direction.word(),
                region.unwrap_or(UNKNOWN_REGION),
                shown(used_hours),
                with_unit(so_far, &kind),
                shown((so_far - used_hours).max(Decimal::ZERO)),
            ),
            because: None,
            source: None,
        });
    }
    Ok(findings)
}

/// The hours that fees pay for until the end of the bill: the fee of a month is for all its hours,
/// and a bill may have only some of them.
fn so_far(bill: &AwsBill, bought: Decimal, is_fee: impl Fn(&BilledLine) -> bool) -> Decimal {
    let fees = bill.lines.iter().filter(|line| is_fee(line));
    let times = Times::span(fees.map(|line| line.times));
    match (times, bill.span()) {
        (Some((from, to)), Some((_, end))) if end < to && from < end => {
            let share = Exact::ratio((end - from).unsigned_abs(), (to - from).unsigned_abs());
            let hours = (Exact::from(bought) * share).to_decimal(0);
            hours.unwrap_or(bought)
        }
        _ => bought,
    }
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
    let unused = match (fee.billed, covered.amortised) {
        (Some(fee), Some(used)) => Some(fee.minus(used)?),
        _ => None,
    };
    Ok(vec![Finding {
        kind: FindingKind::SavingsPlan,
        day: None,
        table: None,
        usd: fee.billed,
        text: format!(
            "savings plan: {} committed, {} of it used for usage of DynamoDB that costs {} at list \
             price, {} not used by DynamoDB",
            money(fee.billed),
            money(covered.amortised),
            money(covered.list),
            money(unused)
        ),
        because: None,
        source: Some("Savings Plans User Guide"),
    }])
}

/// Free tiers: how much of them was used, and when they ended.
fn free_tiers(bill: &AwsBill, books: &Books) -> Vec<Finding> {
    type Key<'a> = (&'a Month, Option<&'a str>, &'a UsageType);
    let mut tiers: BTreeMap<Key<'_>, (Decimal, i64, bool)> = BTreeMap::new();
    for line in &bill.lines {
        let Some(usage) = line
            .kind
            .usage()
            .filter(|usage| usage.free_tier().is_some())
        else {
            continue;
        };
        // Without rates, what is billed at zero may be reserved as well.
        if line.charge != ChargeType::Usage || line.list_rate.or(line.rate).is_none() {
            continue;
        }
        let key = (&line.month, line.region.as_deref(), usage);
        let (free, last, is_paid) = tiers.entry(key).or_default();
        for (start, amounts) in &line.amounts {
            let Some((quantity, billed)) = amounts.quantity.zip(amounts.billed) else {
                continue;
            };
            if billed.is_zero() {
                *free += quantity;
                *last = (*last).max(start.div_euclid(DAY) * DAY);
            } else {
                *is_paid = true;
            }
        }
    }
    let prices = ListPrices::of(bill, books);
    let of = |((month, region, usage), (free, last, is_paid)): (Key<'_>, (Decimal, i64, bool))| {
        let free_hours = prices.free_quantity(region, usage, *month)?;
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
                "free tier of {} in {}, {month}: {} {} free{ended}",
                usage.purpose(),
                region.unwrap_or(UNKNOWN_REGION),
                with_unit(free, &kind),
                if free == Decimal::ONE { "was" } else { "were" }
            ),
            because: None,
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
        because: None,
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
            because: None,
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
                cell.key.region.as_deref().unwrap_or(UNKNOWN_REGION),
                units.human(1),
                capacity.human(0)
            ),
            because: None,
            source: None,
        })
    };
    capacity.filter_map(finding).collect()
}

/// Negotiated prices and discounts: how much they take off.
fn discounts(bill: &AwsBill) -> Result<Vec<Finding>, MoneyError> {
    let usage = || {
        bill.lines
            .iter()
            .filter(|line| line.charge == ChargeType::Usage)
    };
    let is_below = |line: &&BilledLine| {
        line.rate
            .zip(line.list_rate)
            .is_some_and(|(rate, list)| rate < list && !rate.is_zero())
    };
    let below = sum(usage().filter(is_below))?;
    let mut findings = Vec::new();
    if let Some((list, billed)) = below.list.zip(below.billed).filter(|_| below.rows > 0) {
        let off = list.minus(billed)?;
        let percents: BTreeSet<Decimal> = usage()
            .filter(is_below)
            .filter_map(|line| {
                let (rate, list) = line.rate.zip(line.list_rate)?;
                let percent = (list - rate) * Decimal::ONE_HUNDRED;
                percent.checked_div(list).map(|percent| percent.round_dp(2))
            })
            .collect();
        let how = match percents.len() {
            1 => percents.first().map_or_else(String::new, |percent| {
                format!(": {} % off every price", percent.normalize())
            }),
            _ => String::new(),
        };
        findings.push((
            off,
            format!("negotiated prices take {} off usage{how}", off.human()),
        ));
    }
    let rows = sum(bill.lines.iter().filter(|line| line.charge.is_discount()))?;
    if let Some(billed) = rows.billed.filter(|billed| !billed.is_zero()) {
        let off = Money::ZERO.minus(billed)?;
        let text = format!("discounts in rows of their own take {} off", off.human());
        findings.push((off, text));
    }
    let all = sum(bill.lines.iter())?;
    if let Some((billed, net)) = all
        .billed
        .zip(all.net)
        .filter(|(billed, net)| billed != net)
    {
        let off = billed.minus(net)?;
        let text = format!("discounts in the net costs take {} off", off.human());
        findings.push((off, text));
    }
    let finding = |(usd, text): (Money, String)| Finding {
        kind: FindingKind::Discount,
        day: None,
        table: None,
        usd: Some(usd),
        text,
        because: None,
        source: None,
    };
    Ok(findings.into_iter().map(finding).collect())
}

/// Tables whose usage begins or ends more than a day within the bill.
fn tables(bill: &AwsBill) -> Vec<Finding> {
    let Some((from, to)) = bill.span() else {
        return Vec::new();
    };
    let mut times: BTreeMap<(&str, Option<&str>), Times> = BTreeMap::new();
    for line in bill.lines.iter().filter(|line| line.charge.is_usage()) {
        let Some(table) = line.resource.table.as_deref() else {
            continue;
        };
        // A backup outlives its table.
        let is_backup = line.kind.usage() == Some(&UsageType::BACKUP);
        if is_backup || !line.times.has_days() {
            continue;
        }
        let known = times
            .entry((table, line.region.as_deref()))
            .or_insert(line.times);
        *known = known.and(line.times);
    }
    let mut findings = Vec::new();
    for ((table, region), own) in times {
        let (first, last) = (own.from, own.to);
        let region = region.unwrap_or(UNKNOWN_REGION);
        let texts = [
            (first >= from + DAY).then_some((
                first,
                "its usage begins: it was created, or had none before",
            )),
            (last + DAY <= to).then_some((
                last - 1,
                "its usage ends: it was deleted, or has none since",
            )),
        ];
        for (at, because) in texts.into_iter().flatten() {
            findings.push(Finding {
                kind: FindingKind::Table,
                day: Some(day(at)),
                table: Some(table.to_string()),
                usd: None,
                text: format!("{table} in {region}, {}: {because}", day(at)),
                because: None,
                source: None,
            });
        }
    }
    findings
}
