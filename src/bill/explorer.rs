//! Answers of Cost Explorer, as `aws ce get-cost-and-usage` prints them.
//!
//! Source: AWS Cost Explorer API, `GetCostAndUsage`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::BillError;
use super::amounts::Amounts;
use super::charge::ChargeType;
use super::duplicates::hash_of;
use super::kind::{BilledKind, DYNAMODB, kind, service};
use super::part::Part;
use super::reading::{Reading, WrongRow, not_a_bill};
use super::row::{Rated, Row};
use super::values::{Month, decimal, second};
use crate::money::Money;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    group_definitions: Vec<GroupDefinition>,
    results_by_time: Vec<Period>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupDefinition {
    #[serde(rename = "Type")]
    kind: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Period {
    time_period: Interval,
    #[serde(default)]
    total: BTreeMap<String, Metric>,
    #[serde(default)]
    groups: Vec<Keyed>,
    #[serde(default)]
    estimated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Interval {
    start: String,
    end: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keyed {
    keys: Vec<String>,
    metrics: BTreeMap<String, Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    amount: String,
    unit: Option<String>,
}

/// What costs are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    Service,
    UsageType,
    Region,
    Account,
    RecordType,
    Resource,
    /// A dimension that says nothing about what was used, such as a tag.
    Other,
}

impl Dimension {
    /// The names of the console, in English.
    pub const CONSOLE: [(&str, Dimension); 5] = [
        ("Service", Dimension::Service),
        ("Usage type", Dimension::UsageType),
        ("Region", Dimension::Region),
        ("Linked account", Dimension::Account),
        ("Resource", Dimension::Resource),
    ];

    /// By the heading of a console file.
    pub fn of_the_console(name: &str) -> Option<Dimension> {
        let mut all = Dimension::CONSOLE.iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, dimension)| *dimension)
    }

    fn of(definition: &GroupDefinition) -> Dimension {
        match (definition.kind.as_str(), definition.key.as_str()) {
            ("DIMENSION", "SERVICE") => Dimension::Service,
            ("DIMENSION", "USAGE_TYPE") => Dimension::UsageType,
            ("DIMENSION", "REGION") => Dimension::Region,
            ("DIMENSION", "LINKED_ACCOUNT") => Dimension::Account,
            ("DIMENSION", "RECORD_TYPE") => Dimension::RecordType,
            ("DIMENSION", "RESOURCE_ID") => Dimension::Resource,
            _ => Dimension::Other,
        }
    }
}

/// What a group costs in a period.
pub(super) struct Charged {
    pub start: i64,
    pub seconds: u64,
    pub charge: ChargeType,
    pub amounts: Amounts,
}

/// The keys of a group of costs.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    service: Option<&'a str>,
    usage_type: &'a str,
    region: &'a str,
    account: &'a str,
    record_type: &'a str,
    resource: &'a str,
}

impl<'a> Group<'a> {
    pub fn of(keys: &[(Dimension, &'a str)]) -> Group<'a> {
        let mut group = Group::default();
        for (dimension, key) in keys {
            match dimension {
                Dimension::Service => group.service = Some(key),
                Dimension::UsageType => group.usage_type = key,
                Dimension::Region => group.region = key,
                Dimension::Account => group.account = key,
                Dimension::RecordType => group.record_type = key,
                Dimension::Resource => group.resource = key,
                Dimension::Other => (),
            }
        }
        group
    }

    /// The service of the group. Without one, usage types are taken as those of DynamoDB, as in an
    /// answer that is filtered.
    fn service(&self) -> Option<&str> {
        match self.service {
            Some(name) => service("", name, self.usage_type, self.resource),
            None if self.usage_type.contains("NodeUsage:dax") => Some("AmazonDAX"),
            None => Some(DYNAMODB),
        }
    }

    /// Adds the costs of the group in a period.
    pub fn add(
        &self,
        reading: &Reading<'_>,
        part: &mut Part,
        charged: Charged,
    ) -> Result<(), WrongRow> {
        let Charged {
            start,
            seconds,
            charge,
            amounts,
        } = charged;
        part.counts.read += 1;
        part.see(hash_of((
            (self.service, self.usage_type, self.region, self.account),
            (self.record_type, self.resource, start, seconds),
            amounts.billed.map(|billed| billed.to_string()),
            amounts.quantity.map(|quantity| quantity.to_string()),
        )));
        let Some(service) = self.service() else {
            part.counts.other_services += 1;
            return Ok(());
        };
        let Some(month) = Month::of(start) else {
            return Err(WrongRow::TooLarge);
        };
        let asked = reading.asked;
        let is_account = |one: &String| one == self.account;
        let is_asked = asked.month.is_none_or(|asked| asked == month)
            && (asked.accounts.is_empty() || asked.accounts.iter().any(is_account));
        if !is_asked {
            part.counts.not_asked += 1;
            return Ok(());
        }
        if self.service.is_none() {
            let note = "The costs are not grouped by service: their usage types are taken as those \
                        of DynamoDB; some, such as TimedStorage-ByteHrs, are also those of others.";
            part.notes.push(note.to_string());
            part.notes.dedup();
        }
        // Without record types, the names tell what is a fee.
        let charge = match charge {
            ChargeType::Usage if self.usage_type.contains("HeavyUsage:dynamodb") => {
                ChargeType::RiFee
            }
            ChargeType::Usage if self.usage_type.contains("DatabaseSP:") => {
                ChargeType::SavingsPlanRecurringFee
            }
            charge => charge,
        };
        let amounts = match charge.is_usage() || charge.is_purchase() {
            true => amounts,
            false => Amounts {
                quantity: Some(Decimal::ZERO),
                ..amounts
            },
        };
        let row = Row {
            month,
            account: Cow::Borrowed(self.account),
            service: service.to_string(),
            usage_type: Cow::Borrowed(self.usage_type),
            region: Cow::Borrowed(self.region),
            resource: Cow::Borrowed(self.resource),
            sku: Cow::Borrowed(""),
            charge,
            rate: None,
            list_rate: None,
            start,
            seconds,
            amounts,
            is_as_rated: Rated::Unrated,
        };
        part.add(&row).ok_or(WrongRow::TooLarge)
    }
}

/// The values of Cost Explorer's dimension `RECORD_TYPE` that are not the types of a report.
const RECORD_TYPES: [(&str, ChargeType); 4] = [
    ("", ChargeType::Usage),
    (
        "Enterprise Discount Program Discount",
        ChargeType::EdpDiscount,
    ),
    ("Recurring reservation fee", ChargeType::RiFee),
    ("Upfront reservation fee", ChargeType::Fee),
];

fn record_type(name: &str) -> ChargeType {
    let mut all = RECORD_TYPES.iter();
    all.find(|(known, _)| *known == name)
        .map_or_else(|| ChargeType::named(name), |(_, charge)| *charge)
}

impl Answer {
    /// What its groups are keyed by; an error if they do not tell what is DynamoDB's.
    fn dimensions(&self, name: &str) -> Result<Vec<Dimension>, BillError> {
        if self
            .next_page_token
            .as_ref()
            .is_some_and(|token| !token.is_empty())
        {
            return Err(
                BillError::file(name, "is the first page of several (NextPageToken)").help(
                    "fetch the other pages with --next-page-token, and name all files together",
                ),
            );
        }
        let is_keyed = self
            .results_by_time
            .iter()
            .any(|period| period.groups.iter().any(|group| !group.keys.is_empty()));
        if is_keyed && self.group_definitions.is_empty() {
            return Err(BillError::file(
                name,
                "has groups without GroupDefinitions, which say what their keys are",
            )
            .help("give the answer as `aws ce get-cost-and-usage` prints it"));
        }
        let dimensions: Vec<Dimension> = self.group_definitions.iter().map(Dimension::of).collect();
        if let Some(at) = dimensions
            .iter()
            .position(|dimension| *dimension == Dimension::UsageType)
            .filter(|_| !dimensions.contains(&Dimension::Service))
        {
            let groups = self
                .results_by_time
                .iter()
                .flat_map(|period| &period.groups);
            let keys = groups.filter_map(|group| group.keys.get(at));
            is_of_dynamodb(name, keys.map(String::as_str))?;
        }
        let tells = [Dimension::Service, Dimension::UsageType];
        if !self.results_by_time.is_empty() && !tells.iter().any(|one| dimensions.contains(one)) {
            return Err(BillError::file(
                name,
                "is grouped neither by service nor by usage type, so that it does not say what is \
                 DynamoDB's",
            )
            .help("add --group-by Type=DIMENSION,Key=USAGE_TYPE; two groups are allowed"));
        }
        Ok(dimensions)
    }
}

/// Reads an answer.
pub(super) fn read(
    reading: &Reading<'_>,
    name: &str,
    text: impl BufRead,
    part: &mut Part,
) -> Result<(), BillError> {
    let answer: Answer = serde_json::from_reader(text).map_err(|error| {
        not_a_bill(
            name,
            &format!("it is JSON, but not an answer of Cost Explorer: {error}"),
        )
    })?;
    let dimensions = answer.dimensions(name)?;
    part.formats.insert("answer of Cost Explorer");
    for (at, period) in answer.results_by_time.iter().enumerate() {
        let place = format!("{name}: ResultsByTime[{at}]");
        let times = second(&period.time_period.start).zip(second(&period.time_period.end));
        let Some((start, end)) = times else {
            let found = &period.time_period.start;
            let message = format!("expected a TimePeriod of two days, found {found:?}");
            return Err(BillError::file(&place, message));
        };
        if period.estimated {
            let note = "Cost Explorer says that the costs are estimated: the month is not over.";
            part.notes.push(note.to_string());
        }
        let whole: Vec<(&[String], &BTreeMap<String, Metric>)> = if period.groups.is_empty() {
            vec![(&[], &period.total)]
        } else {
            let groups = period.groups.iter();
            groups
                .map(|group| (group.keys.as_slice(), &group.metrics))
                .collect()
        };
        let seconds = u64::try_from(end - start).unwrap_or_default();
        for (keys, metrics) in whole.into_iter().filter(|(_, metrics)| !metrics.is_empty()) {
            let keys: Vec<(Dimension, &str)> = dimensions
                .iter()
                .copied()
                .zip(keys.iter().map(String::as_str))
                .collect();
            let group = Group::of(&keys);
            let charge = record_type(group.record_type);
            let amounts = amounts(metrics).map_err(|message| BillError::file(&place, message))?;
            let charged = Charged {
                start,
                seconds,
                charge,
                amounts,
            };
            group
                .add(reading, part, charged)
                .map_err(|_| BillError::file(&place, "a sum needs more than 28 digits"))?;
        }
    }
    Ok(())
}

/// The amounts of a group.
fn amounts(metrics: &BTreeMap<String, Metric>) -> Result<Amounts, String> {
    let number = |name: &str| -> Result<Option<Decimal>, String> {
        let Some(metric) = metrics.get(name) else {
            return Ok(None);
        };
        let is_cost = name != "UsageQuantity";
        match metric.unit.as_deref() {
            Some(unit) if is_cost && !matches!(unit, "USD" | "N/A") => {
                return Err(format!(
                    "{name} is in {unit}; AWS's prices are in US dollars, so that bills in other \
                     currencies cannot be compared with them"
                ));
            }
            _ => (),
        }
        match decimal(&metric.amount) {
            Some(amount) => Ok(Some(amount)),
            None => Err(format!("{name}: {:?} is not a number", metric.amount)),
        }
    };
    let money =
        |name: &str| -> Result<Option<Money>, String> { Ok(number(name)?.map(Money::billed)) };
    let billed = money("UnblendedCost")?;
    if billed.is_none() && number("UsageQuantity")?.is_none() {
        return Err(format!(
            "has {}, but no UnblendedCost; ask for it with --metrics UnblendedCost UsageQuantity",
            metrics.keys().cloned().collect::<Vec<_>>().join(", ")
        ));
    }
    Ok(Amounts {
        rows: 1,
        quantity: number("UsageQuantity")?,
        billed,
        list: None,
        net: money("NetUnblendedCost")?,
        amortised: money("AmortizedCost")?,
    })
}

/// An error if most usage types of costs that are not grouped by service are not those of
/// DynamoDB.
pub(super) fn is_of_dynamodb<'a>(
    name: &str,
    usage_types: impl Iterator<Item = &'a str>,
) -> Result<(), BillError> {
    let is_known = |usage_type: &str| {
        !matches!(kind(DYNAMODB, usage_type).0, BilledKind::NotModelled(_))
            || usage_type.contains("NodeUsage:dax")
    };
    let types: BTreeSet<&str> = usage_types.filter(|one| !one.is_empty()).collect();
    let unknown: Vec<&&str> = types.iter().filter(|one| !is_known(one)).collect();
    if unknown.len() * 4 <= types.len() {
        return Ok(());
    }
    let message = format!(
        "is not grouped by service, and {} of its {} usage types are not those of DynamoDB, such as {}",
        unknown.len(),
        types.len(),
        unknown[0]
    );
    Err(BillError::file(name, message)
        .help("filter the costs by the service Amazon DynamoDB, or group them by service"))
}
