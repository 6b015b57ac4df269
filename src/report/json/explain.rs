//! The JSON of an explanation, `dynameter.explain/1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{LineJson, SwitchRow, free_word, pretty, switch_rows};
use crate::money::MoneyError;
use crate::outcome::{Outcome, rules_of};
use crate::pricing::LineItem;
use crate::report::estimate::what;
use crate::report::lines::LineFilter;
use crate::report::rules::rule_rows;
use crate::units::GB;

#[derive(JsonSchema, Serialize)]
pub(super) struct Explained<'a> {
    schema: &'static str,
    workload: &'a str,
    region: &'a str,
    prices: String,
    month_hours: String,
    gb_bytes: String,
    free_tier: Vec<&'static str>,
    total_usd: String,
    switches: Vec<SwitchRow>,
    lines: Vec<ExplainedLine<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    once: Vec<ExplainedLine<'a>>,
    unknown: Vec<BTreeMap<&'static str, String>>,
    rules: Vec<BTreeMap<&'static str, &'static str>>,
    sources: BTreeMap<&'static str, &'static str>,
    assumptions: &'a [String],
    warnings: &'a [String],
}

#[derive(JsonSchema, Serialize)]
struct ExplainedLine<'a> {
    number: usize,
    #[serde(flatten)]
    line: LineJson<'a>,
    rules: Vec<&'static str>,
    rate: BTreeMap<&'static str, String>,
}

/// Lines with their rules and the origin of their rates.
fn explained<'a>(
    outcome: &'a Outcome,
    lines: impl Iterator<Item = (usize, &'a LineItem)>,
) -> Vec<ExplainedLine<'a>> {
    let rate = |line: &LineItem| {
        let published = &line.published;
        BTreeMap::from([
            (
                "book",
                format!("{} at {}", line.subject.region, outcome.prices),
            ),
            ("code", published.code.clone()),
            ("tier_from", published.tier_from.to_string()),
            ("effective_from", published.effective_from.to_string()),
            ("first_seen", published.first_seen.to_string()),
            ("source", published.source.clone()),
            ("confidence", published.confidence.clone()),
        ])
    };
    let line = |(number, item): (usize, &'a LineItem)| ExplainedLine {
        number,
        line: LineJson::new(outcome, item),
        rules: item
            .because
            .iter()
            .filter_map(|because| because.rule)
            .collect(),
        rate: rate(item),
    };
    lines.map(line).collect()
}

/// Every line with its working, as JSON, `dynameter.explain/1`; a list of several designs.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub(in crate::report) fn explain_json(
    outcomes: &[Outcome],
    filter: &LineFilter,
) -> Result<String, MoneyError> {
    let design = |outcome| design(outcome, filter);
    Ok(match outcomes {
        [one] => pretty(&design(one)?),
        several => pretty(&several.iter().map(design).collect::<Result<Vec<_>, _>>()?),
    })
}

fn design<'a>(outcome: &'a Outcome, filter: &LineFilter) -> Result<Explained<'a>, MoneyError> {
    let shown = filter.of(outcome);
    let monthly = shown
        .monthly
        .iter()
        .flat_map(|(_, lines)| lines.iter().copied());
    let unknown = outcome.bill.unknown.iter().filter(|_| shown.is_all);
    Ok(Explained {
        schema: "dynameter.explain/1",
        workload: &outcome.workload,
        region: &outcome.region,
        prices: outcome.prices.to_string(),
        month_hours: outcome.month.hours().human(9).replace(',', ""),
        gb_bytes: GB.to_string(),
        free_tier: outcome.free.iter().map(|free| free_word(*free)).collect(),
        total_usd: outcome.total()?.to_string(),
        switches: switch_rows(outcome),
        lines: explained(outcome, monthly),
        once: explained(outcome, shown.once.iter().copied()),
        unknown: unknown
            .map(|unknown| {
                let rate = unknown
                    .rate
                    .as_ref()
                    .map(|rate| rate.rate.to_string())
                    .unwrap_or_default();
                let where_ = format!(
                    "{} / {}",
                    unknown.subject.table_name(),
                    what(&unknown.subject, "(table)", &outcome.region)
                );
                BTreeMap::from([
                    ("where", where_),
                    ("what", unknown.what.clone()),
                    ("why", unknown.why.clone()),
                    ("rate_usd", rate),
                ])
            })
            .collect(),
        rules: rule_rows(&match shown.is_all {
            true => outcome.rules(),
            false => rules_of(shown.all().map(|(_, line)| *line)),
        }),
        sources: outcome.documents(),
        assumptions: &outcome.assumptions,
        warnings: &outcome.warnings,
    })
}
