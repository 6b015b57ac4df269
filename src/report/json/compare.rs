//! The JSON of a comparison, `dynameter.compare/1`.

use serde::Serialize;

use super::{
    SwitchRow, UncertaintyRow, decimal, pretty, switch_rows, throughput_word, uncertainty_row,
};
use crate::compare::{Advice, Combination, Comparison, Footing};

#[derive(Serialize)]
struct Compared<'a> {
    schema: &'static str,
    workload: &'a str,
    region: &'a str,
    prices: String,
    month_hours: String,
    total_usd: String,
    best: CombinationRow<'a>,
    best_with_decisions: CombinationRow<'a>,
    advice: Vec<AdviceRow<'a>>,
    alternatives: Vec<AlternativeRow<'a>>,
    break_even: Vec<BreakEvenRow<'a>>,
    sensitivity: Vec<SwingRow<'a>>,
    uncertainty: Option<UncertaintyRow<'a>>,
    unknown: Vec<&'a str>,
    warnings: &'a [String],
    assumptions: Vec<&'a String>,
    switches: Vec<SwitchRow>,
    simulations: String,
}

#[derive(Serialize)]
struct CombinationRow<'a> {
    changes: &'a [String],
    monthly_usd: String,
    commitment: Option<CommitmentRow>,
    monthly_with_commitment_usd: String,
}

#[derive(Serialize)]
struct CommitmentRow {
    reserved_years: Option<u64>,
    reserved_read: String,
    reserved_write: String,
    upfront_usd: String,
    plan_usd_per_hour: String,
}

#[derive(Serialize)]
struct AdviceRow<'a> {
    rank: usize,
    kind: &'static str,
    table: Option<&'a str>,
    index: Option<&'a str>,
    change: &'a str,
    saves_usd: String,
    risk: Option<&'a str>,
    decision: bool,
    in_best: bool,
    file: String,
    line: Option<usize>,
    edit: Option<&'a str>,
}

#[derive(Serialize)]
struct AlternativeRow<'a> {
    kind: &'static str,
    name: &'a str,
    table: Option<&'a str>,
    index: Option<&'a str>,
    monthly_usd: Option<String>,
    delta_usd: Option<String>,
    feasible: bool,
    state: &'static str,
    footing: &'static str,
    why: &'a str,
    risk: Option<&'a str>,
    decision: bool,
    what_if: bool,
    line: Option<usize>,
    edit: Option<&'a str>,
}

#[derive(Serialize)]
struct BreakEvenRow<'a> {
    name: &'a str,
    table: Option<&'a str>,
    index: Option<&'a str>,
    throughput: Option<&'static str>,
    value: String,
    unit: &'static str,
    here: Option<String>,
    meaning: &'a str,
}

#[derive(Serialize)]
struct SwingRow<'a> {
    what: &'a str,
    line: usize,
    low_usd: String,
    high_usd: String,
}

/// A comparison as JSON, `dynameter.compare/1`.
pub(in crate::report) fn compare_json(comparison: &Comparison) -> String {
    let outcome = &comparison.outcome;
    let combination = |one: &'_ Combination| -> (String, String, Option<CommitmentRow>) {
        let commitment = one.commitment.as_ref().map(|mix| CommitmentRow {
            reserved_years: mix.years,
            reserved_read: mix.read_units.to_string(),
            reserved_write: mix.write_units.to_string(),
            upfront_usd: decimal(&mix.upfront),
            plan_usd_per_hour: decimal(&mix.plan_usd_per_hour),
        });
        (
            one.monthly.to_string(),
            one.monthly_with_commitment.to_string(),
            commitment,
        )
    };
    fn row<'a>(
        one: &'a Combination,
        (monthly_usd, with, commitment): (String, String, Option<CommitmentRow>),
    ) -> CombinationRow<'a> {
        CombinationRow {
            changes: &one.changes,
            monthly_usd,
            commitment,
            monthly_with_commitment_usd: with,
        }
    }
    let advice = |(at, one): (usize, &'_ Advice)| (at + 1, one.saves.to_string());
    pretty(&Compared {
        schema: "dynameter.compare/1",
        workload: &outcome.workload,
        region: &outcome.region,
        prices: outcome.prices.to_string(),
        month_hours: decimal(outcome.month.hours()),
        total_usd: comparison.total.to_string(),
        best: row(&comparison.best, combination(&comparison.best)),
        best_with_decisions: row(
            &comparison.best_with_decisions,
            combination(&comparison.best_with_decisions),
        ),
        advice: comparison
            .advice
            .iter()
            .enumerate()
            .map(|(at, one)| {
                let (rank, saves_usd) = advice((at, one));
                AdviceRow {
                    rank,
                    kind: one.kind.word(),
                    table: one.table.as_deref(),
                    index: one.index.as_deref(),
                    change: &one.change,
                    saves_usd,
                    risk: one.risk.as_deref(),
                    decision: one.footing == Footing::Decision,
                    in_best: one.in_best,
                    file: one.edit.as_ref().map_or_else(
                        || comparison.written.file.clone(),
                        |(part, _)| comparison.written.place(part).file,
                    ),
                    line: one
                        .edit
                        .as_ref()
                        .map(|(part, _)| comparison.written.place(part).line),
                    edit: one.edit.as_ref().map(|(_, text)| text.as_str()),
                }
            })
            .collect(),
        alternatives: comparison
            .alternatives
            .iter()
            .map(|one| AlternativeRow {
                kind: one.kind.word(),
                name: &one.name,
                table: one.table.as_deref(),
                index: one.index.as_deref(),
                monthly_usd: one.monthly().map(|money| money.to_string()),
                delta_usd: one.delta().map(|money| money.to_string()),
                feasible: one.is_priced(),
                state: one.state.word(),
                footing: one.footing.word(),
                why: &one.why,
                risk: one.risk.as_deref(),
                decision: one.footing == Footing::Decision,
                what_if: one.footing == Footing::WhatIf,
                line: one
                    .edit
                    .as_ref()
                    .map(|(part, _)| comparison.written.place(part).line),
                edit: one.edit.as_ref().map(|(_, text)| text.as_str()),
            })
            .collect(),
        break_even: comparison
            .break_even
            .iter()
            .map(|one| BreakEvenRow {
                name: &one.name,
                table: one.table.as_deref(),
                index: one.index.as_deref(),
                throughput: one.throughput.map(throughput_word),
                value: decimal(&one.value),
                unit: one.unit,
                here: one.here.as_ref().map(decimal),
                meaning: &one.meaning,
            })
            .collect(),
        sensitivity: comparison
            .swings
            .iter()
            .map(|swing| SwingRow {
                what: &swing.what,
                line: comparison.written.place(&swing.part).line,
                low_usd: swing.low.to_string(),
                high_usd: swing.high.to_string(),
            })
            .collect(),
        uncertainty: outcome.uncertainty.as_ref().map(uncertainty_row),
        unknown: outcome
            .bill
            .unknown
            .iter()
            .map(|unknown| unknown.what.as_str())
            .collect(),
        warnings: &outcome.warnings,
        assumptions: outcome
            .assumptions
            .iter()
            .chain(
                comparison
                    .assumptions
                    .iter()
                    .filter(|one| !outcome.assumptions.contains(one)),
            )
            .collect(),
        switches: switch_rows(outcome),
        simulations: comparison.simulations.to_string(),
    })
}
