//! The JSON of an estimate, `dynameter.estimate/1`: money and units are decimal strings, never
//! floats.

pub mod check;
pub mod compare;
pub mod diff;
pub mod explain;
pub mod headroom;
pub(in crate::report) mod page;
#[cfg(feature = "bills")]
pub mod reconcile;
#[cfg(feature = "replay")]
pub mod replay;
pub(in crate::report) mod schemas;

use schemars::JsonSchema;
use serde::Serialize;

use crate::estimate::Together;
use crate::meter::Switch;
use crate::money::{Money, MoneyError};
use crate::outcome::{Holding, Outcome, RangeSwing, Uncertainty};
use crate::pricing::{Bill, LineItem, Unknown};
use crate::units::{Exact, GB};
use crate::usage::{FreeTier, Subject, Throughput};

/// Decimal places of the figures that are not part of a bill.
const PLACES: u32 = 9;

#[derive(JsonSchema, Serialize)]
struct Estimate<'a> {
    schema: &'static str,
    workload: &'a str,
    region: &'a str,
    prices: String,
    month_hours: String,
    gb_bytes: String,
    free_tier: Vec<&'static str>,
    total_usd: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uncertainty: Option<UncertaintyRow<'a>>,
    unknown: Vec<UnknownJson<'a>>,
    assumptions: &'a [String],
    switches: Vec<SwitchRow>,
    warnings: &'a [String],
    tables: Vec<TableJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_usd: Option<String>,
    calculators: CalculatorsRow<'a>,
    demand: Vec<DemandRow<'a>>,
    holdings: Vec<HoldingRow<'a>>,
    lines: Vec<LineJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    once: Option<OnceJson<'a>>,
}

/// What is paid once and is not part of the month.
#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct OnceJson<'a> {
    total_usd: String,
    lines: Vec<LineJson<'a>>,
    unknown: Vec<UnknownJson<'a>>,
}

/// What is paid once; `None` if nothing is.
pub(in crate::report) fn once_json(once: &Bill) -> Result<Option<OnceJson<'_>>, MoneyError> {
    if once.lines.is_empty() && once.unknown.is_empty() {
        return Ok(None);
    }
    Ok(Some(OnceJson {
        total_usd: once.total()?.to_string(),
        lines: once
            .lines
            .iter()
            .map(|line| LineJson::of(line, None))
            .collect(),
        unknown: once.unknown.iter().map(unknown).collect(),
    }))
}

#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct UnknownJson<'a> {
    table: Option<&'a str>,
    index: Option<&'a str>,
    region: &'a str,
    access: Option<&'a str>,
    what: &'a str,
    why: &'a str,
    rate_usd: Option<String>,
    /// The kind of what was not read, if that is why it is unknown, and where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<UnreadJson<'a>>,
}

/// What was not read.
#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct UnreadJson<'a> {
    kind: &'static str,
    file: &'a str,
    line: usize,
}

/// An interval as every JSON output writes it.
#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct UncertaintyRow<'a> {
    draws: String,
    seed: String,
    p5_usd: String,
    p50_usd: String,
    p95_usd: String,
    ranges: Vec<RangeRow<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct RangeRow<'a> {
    line: usize,
    text: &'a str,
    low_usd: String,
    high_usd: String,
}

pub(in crate::report) fn uncertainty_row(uncertainty: &Uncertainty) -> UncertaintyRow<'_> {
    let range = |swing: &'_ RangeSwing| (swing.low.to_string(), swing.high.to_string());
    UncertaintyRow {
        draws: uncertainty.draws.to_string(),
        seed: uncertainty.seed.to_string(),
        p5_usd: uncertainty.low.to_string(),
        p50_usd: uncertainty.middle.to_string(),
        p95_usd: uncertainty.high.to_string(),
        ranges: uncertainty
            .ranges
            .iter()
            .map(|swing| {
                let (low_usd, high_usd) = range(swing);
                RangeRow {
                    line: swing.line,
                    text: &swing.text,
                    low_usd,
                    high_usd,
                }
            })
            .collect(),
    }
}

/// A switch as every JSON output writes it.
#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct SwitchRow {
    name: &'static str,
    value: &'static str,
    default: bool,
    rule: &'static str,
}

/// The switches that affect an outcome.
pub(in crate::report) fn switch_rows(outcome: &Outcome) -> Vec<SwitchRow> {
    let row = |switch: &Switch| SwitchRow {
        name: switch.name,
        value: switch.value,
        default: switch.default,
        rule: switch.rule,
    };
    outcome.switches.iter().map(row).collect()
}

#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct TableJson<'a> {
    table: &'a str,
    total_usd: String,
}

#[derive(JsonSchema, Serialize)]
struct CalculatorsRow<'a> {
    at_mean_size_usd: Option<String>,
    plain_calls: Vec<PlainRow<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct PlainRow<'a> {
    table: &'a str,
    throughput: &'static str,
    plain_units: String,
    exact_units: String,
}

#[derive(JsonSchema, Serialize)]
struct DemandRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    throughput: &'static str,
    mean_per_second: String,
    peak_per_second: String,
    provisioned: Option<String>,
    provisioned_low: Option<String>,
    provisioned_high: Option<String>,
    throttled_share: Option<String>,
    partly_unknown: bool,
}

#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct HoldingRow<'a> {
    table: &'a str,
    index: Option<&'a str>,
    count: String,
    data_bytes: Option<String>,
}

/// An element of the array of several estimates.
#[derive(JsonSchema, Serialize)]
#[serde(untagged)]
enum Element<'a> {
    Estimate(Box<Estimate<'a>>),
    Account(AccountJson<'a>),
}

/// What no design uses of the account's commitments.
#[derive(JsonSchema, Serialize)]
struct AccountJson<'a> {
    schema: &'static str,
    total_usd: String,
    lines: Vec<LineJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    once: Option<OnceJson<'a>>,
}

/// A line as every JSON output writes it.
#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct LineJson<'a> {
    table: Option<&'a str>,
    index: Option<&'a str>,
    region: &'a str,
    access: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<&'a str>,
    service: &'static str,
    usage_type: String,
    bill_usage_type: Option<&'a str>,
    quantity: String,
    unit: &'static str,
    rate_usd: String,
    amount_usd: String,
    because: Vec<String>,
}

impl<'a> LineJson<'a> {
    pub(in crate::report) fn new(outcome: &'a Outcome, line: &'a LineItem) -> LineJson<'a> {
        LineJson::of(line, outcome.entity(&line.subject))
    }

    fn of(line: &'a LineItem, entity: Option<&'a str>) -> LineJson<'a> {
        let Subject {
            table,
            index,
            region,
            access,
        } = &line.subject;
        LineJson {
            table: table.as_deref(),
            index: index.as_deref(),
            region,
            access: access.as_deref(),
            entity,
            service: line.usage_type.service(),
            usage_type: line.usage_type.name(),
            bill_usage_type: line.bill_usage_type.as_deref(),
            quantity: line.quantity.to_string(),
            unit: line.usage_type.unit(),
            rate_usd: line.published.rate.to_string(),
            amount_usd: line.amount.to_string(),
            because: line.because.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The lines of a bill.
pub(in crate::report) fn line_rows(outcome: &Outcome) -> Vec<LineJson<'_>> {
    let lines = outcome.bill.lines.iter();
    lines.map(|line| LineJson::new(outcome, line)).collect()
}

/// The word for a direction of throughput.
pub(in crate::report) fn throughput_word(throughput: Throughput) -> &'static str {
    match throughput {
        Throughput::Read => "read",
        Throughput::Write => "write",
        Throughput::ReplicatedWrite => "replicated write",
    }
}

/// The word for a free tier.
pub(in crate::report) fn free_word(free: FreeTier) -> &'static str {
    match free {
        FreeTier::Throughput => "throughput",
        FreeTier::Storage => "storage",
        FreeTier::Streams => "streams",
    }
}

/// A figure that is not part of a bill, as a decimal string.
pub(in crate::report) fn decimal(number: &Exact) -> String {
    number.to_decimal(PLACES).map_or_else(
        || number.human(0).replace(',', ""),
        |decimal| decimal.to_string(),
    )
}

/// Each table with its total.
pub(in crate::report) fn table_rows(outcome: &Outcome) -> Result<Vec<TableJson<'_>>, MoneyError> {
    let totals = outcome.totals()?;
    Ok(outcome
        .tables
        .iter()
        .map(|name| TableJson {
            table: name,
            total_usd: totals[name.as_str()].to_string(),
        })
        .collect())
}

/// What belongs to the account and to no table; `None` if there is nothing.
fn account_usd(outcome: &Outcome) -> Result<Option<String>, MoneyError> {
    let amounts: Vec<Money> = outcome.account_lines().map(|line| line.amount).collect();
    match amounts.is_empty() {
        true => Ok(None),
        false => Ok(Some(Money::sum(amounts)?.to_string())),
    }
}

/// What each table and index holds.
pub(in crate::report) fn holding_rows(outcome: &Outcome) -> Vec<HoldingRow<'_>> {
    let row = |holding: &'_ Holding| (decimal(&holding.count), holding.data.as_ref().map(decimal));
    outcome
        .holdings
        .iter()
        .map(|holding| {
            let (count, data_bytes) = row(holding);
            HoldingRow {
                table: &holding.table,
                index: holding.index.as_deref(),
                count,
                data_bytes,
            }
        })
        .collect()
}

fn estimate<'a>(outcome: &'a Outcome) -> Result<Estimate<'a>, MoneyError> {
    let calculators = &outcome.calculators;
    Ok(Estimate {
        schema: "dynameter.estimate/1",
        workload: &outcome.workload,
        region: &outcome.region,
        prices: outcome.prices.to_string(),
        month_hours: decimal(outcome.month.hours()),
        gb_bytes: GB.to_string(),
        free_tier: outcome.free.iter().map(|free| free_word(*free)).collect(),
        total_usd: outcome.total()?.to_string(),
        uncertainty: outcome.uncertainty.as_ref().map(uncertainty_row),
        unknown: outcome.bill.unknown.iter().map(unknown).collect(),
        assumptions: &outcome.assumptions,
        switches: switch_rows(outcome),
        warnings: &outcome.warnings,
        tables: table_rows(outcome)?,
        account_usd: account_usd(outcome)?,
        calculators: CalculatorsRow {
            at_mean_size_usd: calculators.at_mean_size.map(|money| money.to_string()),
            plain_calls: calculators
                .plain_calls
                .iter()
                .map(|plain| PlainRow {
                    table: &plain.table,
                    throughput: throughput_word(plain.throughput),
                    plain_units: decimal(&plain.plain),
                    exact_units: decimal(&plain.exact),
                })
                .collect(),
        },
        demand: outcome
            .demand
            .iter()
            .map(|demand| DemandRow {
                table: &demand.table,
                index: demand.index.as_deref(),
                region: &demand.region,
                throughput: throughput_word(demand.throughput),
                mean_per_second: decimal(&demand.mean),
                peak_per_second: decimal(&demand.peak),
                provisioned: demand
                    .provisioned
                    .as_ref()
                    .and_then(|units| units.fixed())
                    .map(|units| units.to_string()),
                provisioned_low: demand
                    .provisioned
                    .as_ref()
                    .map(|units| units.low.to_string()),
                provisioned_high: demand
                    .provisioned
                    .as_ref()
                    .map(|units| units.high.to_string()),
                throttled_share: demand
                    .provisioned
                    .as_ref()
                    .and_then(|units| units.throttled.as_ref())
                    .or(demand.refused.as_ref())
                    .map(decimal),
                partly_unknown: demand.partly_unknown,
            })
            .collect(),
        holdings: holding_rows(outcome),
        lines: line_rows(outcome),
        once: once_json(&outcome.once)?,
    })
}

pub(in crate::report) fn unknown(unknown: &Unknown) -> UnknownJson<'_> {
    let Subject {
        table,
        index,
        region,
        access,
    } = &unknown.subject;
    UnknownJson {
        table: table.as_deref(),
        index: index.as_deref(),
        region,
        access: access.as_deref(),
        what: &unknown.what,
        why: &unknown.why,
        rate_usd: unknown.rate.as_ref().map(|rate| rate.rate.to_string()),
        unread: unknown.unread.as_ref().map(|unread| UnreadJson {
            kind: unread.kind.word(),
            file: &unread.place.file,
            line: unread.place.line,
        }),
    }
}

/// One estimate.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub(in crate::report) fn estimate_json(outcome: &Outcome) -> Result<String, MoneyError> {
    Ok(pretty(&estimate(outcome)?))
}

/// Several estimates, as an array. If commitments are left unused, the last element is the account's.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub(in crate::report) fn estimates_json(together: &Together) -> Result<String, MoneyError> {
    let estimates = together.outcomes.iter().map(estimate);
    let mut all = estimates
        .map(|one| one.map(|one| Element::Estimate(Box::new(one))))
        .collect::<Result<Vec<_>, MoneyError>>()?;
    if !together.unused.lines.is_empty() || !together.once.lines.is_empty() {
        let account = AccountJson {
            schema: "dynameter.account/1",
            total_usd: together.unused.total()?.to_string(),
            lines: together
                .unused
                .lines
                .iter()
                .map(|line| LineJson::of(line, None))
                .collect(),
            once: once_json(&together.once)?,
        };
        all.push(Element::Account(account));
    }
    Ok(pretty(&all))
}

/// Indented JSON with a newline at its end. Structs of strings always serialize.
pub(in crate::report) fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .unwrap_or_default()
}
