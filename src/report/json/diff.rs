//! The JSON of a difference, `dynameter.diff/1`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{OnceJson, decimal, once_json, pretty};
use crate::diff::{Difference, Side, TotalChange};
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::Unknown;

#[derive(JsonSchema, Serialize)]
pub(super) struct DiffJson<'a> {
    schema: &'static str,
    old: DesignRow<'a>,
    new: DesignRow<'a>,
    /// `null` where something is unknown on one side only.
    delta_usd: Option<String>,
    /// The change of the known costs.
    known_delta_usd: String,
    tables: Vec<ChangedTableRow<'a>>,
    lines: Vec<ChangedLineRow<'a>>,
    unchanged_lines: usize,
    new_warnings: &'a [String],
    newly_unknown: Vec<ChangedUnknownRow<'a>>,
    no_longer_unknown: Vec<ChangedUnknownRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    once: Option<OnceJson<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    free_of_charge: &'a [String],
}

#[derive(JsonSchema, Serialize)]
struct DesignRow<'a> {
    workload: &'a str,
    region: &'a str,
    prices: String,
    month_hours: String,
    total_usd: String,
    /// What it pays once, if the other design pays another amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    once_usd: Option<String>,
}

#[derive(JsonSchema, Serialize)]
struct ChangedTableRow<'a> {
    table: &'a str,
    delta_usd: Option<String>,
    known_delta_usd: String,
}

#[derive(JsonSchema, Serialize)]
struct ChangedLineRow<'a> {
    table: Option<&'a str>,
    index: Option<&'a str>,
    region: &'a str,
    access: Option<&'a str>,
    usage_type: String,
    unit: &'static str,
    old: Option<SideRow>,
    new: Option<SideRow>,
    delta_usd: String,
    why: &'a [String],
}

#[derive(JsonSchema, Serialize)]
struct SideRow {
    quantity: String,
    rate_usd: String,
    amount_usd: String,
}

#[derive(JsonSchema, Serialize)]
struct ChangedUnknownRow<'a> {
    table: Option<&'a str>,
    index: Option<&'a str>,
    what: &'a str,
    why: &'a str,
}

/// A difference as JSON, `dynameter.diff/1`.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub(in crate::report) fn diff_json(difference: &Difference) -> Result<String, MoneyError> {
    let once = difference.once_of_designs()?;
    fn design(outcome: &Outcome, once: Option<Money>) -> Result<DesignRow<'_>, MoneyError> {
        Ok(DesignRow {
            workload: &outcome.workload,
            region: &outcome.region,
            prices: outcome.prices.to_string(),
            month_hours: decimal(outcome.month.hours()),
            total_usd: outcome.total()?.to_string(),
            once_usd: once.map(|once| once.to_string()),
        })
    }
    fn unknown(one: &Unknown) -> ChangedUnknownRow<'_> {
        ChangedUnknownRow {
            table: one.subject.table.as_deref(),
            index: one.subject.index.as_deref(),
            what: &one.what,
            why: &one.why,
        }
    }
    let known = |change: TotalChange| match change {
        TotalChange::Known(delta) => Some(delta.to_string()),
        TotalChange::Unknown => None,
    };
    let side = |side: Side| SideRow {
        quantity: side.quantity.to_string(),
        rate_usd: side.rate.to_string(),
        amount_usd: side.amount.to_string(),
    };
    Ok(pretty(&DiffJson {
        schema: "dynameter.diff/1",
        old: design(&difference.old, once.map(|(before, _)| before))?,
        new: design(&difference.new, once.map(|(_, after)| after))?,
        delta_usd: known(difference.change()),
        known_delta_usd: difference.delta.to_string(),
        tables: difference
            .tables
            .iter()
            .map(|(table, delta)| ChangedTableRow {
                table,
                delta_usd: known(difference.change_of(table, *delta)),
                known_delta_usd: delta.to_string(),
            })
            .collect(),
        lines: difference
            .lines
            .iter()
            .map(|line| ChangedLineRow {
                table: line.subject.table.as_deref(),
                index: line.subject.index.as_deref(),
                region: &line.subject.region,
                access: line.subject.access.as_deref(),
                usage_type: line.usage_type.name(),
                unit: line.usage_type.unit(),
                old: line.old.map(side),
                new: line.new.map(side),
                delta_usd: line.delta.to_string(),
                why: &line.why,
            })
            .collect(),
        unchanged_lines: difference.unchanged,
        new_warnings: &difference.new_warnings,
        newly_unknown: difference.newly_unknown.iter().map(unknown).collect(),
        no_longer_unknown: difference.no_longer_unknown.iter().map(unknown).collect(),
        once: once_json(&difference.once.bill)?,
        free_of_charge: &difference.once.free,
    }))
}
