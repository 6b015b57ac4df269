//! Totals of a bill: by service, and by what is asked for.

use std::collections::BTreeMap;

use crate::bill::{Amounts, AwsBill, BilledKind, BilledLine, ChargeType};
use crate::money::{Money, MoneyError};
use crate::time::Date;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// What charges are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Grouping {
    /// The table, or what else the bill names.
    Table,
    /// The kind of usage: the usage type without the prefix of its region.
    Kind,
    /// The region.
    Region,
    /// The account that caused the charge.
    Account,
    /// The type of the line item.
    Charge,
    /// The month of the bill.
    Month,
    /// The day, in UTC.
    Day,
    /// The hour, in UTC.
    Hour,
    /// The access pattern or index that causes usage in a design.
    Access,
}

impl Grouping {
    /// Every grouping with its name in options and output.
    pub const NAMES: [(&str, Grouping); 9] = [
        ("table", Grouping::Table),
        ("kind", Grouping::Kind),
        ("region", Grouping::Region),
        ("account", Grouping::Account),
        ("charge", Grouping::Charge),
        ("month", Grouping::Month),
        ("day", Grouping::Day),
        ("hour", Grouping::Hour),
        ("access", Grouping::Access),
    ];
}

/// What the charges of a group have in common; `None` where the group does not distinguish, or
/// where a charge has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// The first second of the hour, day or month.
    pub start: Option<i64>,
    /// The product code; empty for all services together.
    pub service: String,
    /// The table.
    pub table: Option<String>,
    /// What else the bill names, such as a DAX cluster.
    pub resource: Option<String>,
    /// The kind.
    pub kind: Option<BilledKind>,
    /// The region.
    pub region: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The type of the line item.
    pub charge: Option<ChargeType>,
    /// The index of a design.
    pub index: Option<String>,
    /// The access pattern of a design.
    pub access: Option<String>,
}

/// A group of charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub key: GroupKey,
    /// Their sums. The quantity counts usage; it means something if all are of one kind.
    pub amounts: Amounts,
    /// What was billed for usage alone: without taxes, credits, fees, and what takes covered usage
    /// off the bill again.
    pub usage: Option<Money>,
}

/// The total of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTotal {
    /// Its product code on the bill.
    pub service: String,
    /// Its sums. A savings plan counts to the service that it covers in the amortised cost; its fee
    /// rows stay under their own product code in the others.
    pub amounts: Amounts,
}

/// The services of a bill, the most expensive first.
pub(super) fn services(bill: &AwsBill) -> Option<Vec<ServiceTotal>> {
    let mut by_service: BTreeMap<&str, Amounts> = BTreeMap::new();
    for line in &bill.lines {
        let mut amounts = line.total()?;
        amounts.quantity = None;
        let is_plan = line.kind == BilledKind::SavingsPlan;
        if is_plan {
            let of_usage = Amounts {
                quantity: None,
                amortised: amounts.amortised.replace(Money::ZERO),
                ..Amounts::default()
            };
            by_service
                .entry("AmazonDynamoDB")
                .or_default()
                .add(&of_usage)?;
        }
        by_service.entry(&line.service).or_default().add(&amounts)?;
    }
    let mut services: Vec<ServiceTotal> = by_service
        .into_iter()
        .map(|(service, amounts)| ServiceTotal {
            service: service.to_string(),
            amounts,
        })
        .collect();
    services.sort_by_key(|service| std::cmp::Reverse(service.amounts.billed));
    Some(services)
}

/// Groups of lines, in the order of their keys.
pub(super) fn groups<'a>(
    lines: impl Iterator<Item = &'a BilledLine>,
    by: &[Grouping],
) -> Option<Vec<Group>> {
    let mut groups: BTreeMap<GroupKey, (Amounts, Option<Money>)> = BTreeMap::new();
    let slot = match (by.contains(&Grouping::Hour), by.contains(&Grouping::Day)) {
        (true, _) => Some(HOUR),
        (false, true) => Some(DAY),
        (false, false) => None,
    };
    for line in lines {
        let key = key(line, by);
        for (start, amounts) in &line.amounts {
            let start = match slot {
                Some(slot) => Some(start.div_euclid(slot) * slot),
                None => by
                    .contains(&Grouping::Month)
                    .then(|| line.month.first_second()),
            };
            let key = GroupKey {
                start,
                ..key.clone()
            };
            let empty = || (Amounts::default(), Some(Money::ZERO));
            let (sum, usage) = groups.entry(key).or_insert_with(empty);
            sum.add(amounts)?;
            if line.charge.is_usage() {
                *usage = match (*usage, amounts.billed) {
                    (Some(sum), Some(billed)) => Some(sum.plus(billed).ok()?),
                    _ => None,
                };
            }
        }
    }
    let groups = groups.into_iter().map(|(key, (amounts, usage))| Group {
        key,
        amounts,
        usage,
    });
    Some(groups.collect())
}

/// The same groups, each for all services together.
pub(super) fn of_all_services(groups: Vec<Group>) -> Option<Vec<Group>> {
    let mut joined: BTreeMap<GroupKey, Group> = BTreeMap::new();
    for mut group in groups {
        group.key.service.clear();
        match joined.get_mut(&group.key) {
            Some(known) => {
                known.amounts.add(&group.amounts)?;
                known.usage = match (known.usage, group.usage) {
                    (Some(one), Some(other)) => Some(one.plus(other).ok()?),
                    _ => None,
                };
            }
            None => {
                joined.insert(group.key.clone(), group);
            }
        }
    }
    Some(joined.into_values().collect())
}

fn key(line: &BilledLine, by: &[Grouping]) -> GroupKey {
    let has = |grouping: Grouping| by.contains(&grouping);
    let text = |grouping: Grouping, text: &Option<String>| text.clone().filter(|_| has(grouping));
    GroupKey {
        start: None,
        service: line.service.clone(),
        table: text(Grouping::Table, &line.resource.table),
        resource: text(Grouping::Table, &line.resource.other),
        kind: has(Grouping::Kind).then(|| line.kind.clone()),
        region: text(Grouping::Region, &line.region),
        account: has(Grouping::Account).then(|| line.account.clone()),
        charge: has(Grouping::Charge).then_some(line.charge),
        ..GroupKey::default()
    }
}

/// The sum of amounts.
pub(super) fn sum<'a>(
    amounts: impl IntoIterator<Item = &'a Amounts>,
) -> Result<Amounts, MoneyError> {
    Amounts::sum(amounts).ok_or_else(too_large)
}

/// The error of a sum that needs more than 28 digits.
pub(super) fn too_large() -> MoneyError {
    MoneyError::TooLarge("the sum of the bill".to_string())
}

/// The day of a moment, `YYYY-MM-DD`.
pub(super) fn day(second: i64) -> String {
    Date::of_second(second).map_or_else(String::new, |date| date.to_string())
}
