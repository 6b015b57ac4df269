//! The JSON of a comparison, `dynameter.compare/1`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    SwitchRow, UncertaintyRow, decimal, pretty, switch_rows, throughput_word, uncertainty_row,
};
use crate::compare::{Advice, Alternative, BreakEven, Combination, Comparison, Footing, Swing};
use crate::diag::Place;
use crate::workload::DesignEdit;

#[derive(JsonSchema, Serialize)]
pub(super) struct Compared<'a> {
    schema: &'static str,
    workload: &'a str,
    region: &'a str,
    prices: String,
    month_hours: String,
    total_usd: String,
    best: CombinationRow<'a>,
    best_uncommitted: CombinationRow<'a>,
    best_with_decisions: CombinationRow<'a>,
    best_with_decisions_uncommitted: CombinationRow<'a>,
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

#[derive(JsonSchema, Serialize)]
struct CombinationRow<'a> {
    changes: &'a [String],
    monthly_usd: String,
    commitment: Option<CommitmentRow>,
    monthly_with_commitment_usd: String,
}

#[derive(JsonSchema, Serialize)]
struct CommitmentRow {
    reserved_years: Option<u64>,
    reserved_read: String,
    reserved_write: String,
    upfront_usd: String,
    plan_usd_per_hour: String,
}

#[derive(JsonSchema, Serialize)]
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
    edit: Option<String>,
}

#[derive(JsonSchema, Serialize)]
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
    edit: Option<String>,
}

#[derive(JsonSchema, Serialize)]
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

#[derive(JsonSchema, Serialize)]
struct SwingRow<'a> {
    what: &'a str,
    line: usize,
    low_usd: String,
    high_usd: String,
}

/// A comparison as JSON, `dynameter.compare/1`.
pub(in crate::report) fn compare_json(comparison: &Comparison) -> String {
    pretty(&compared(comparison))
}

/// Several comparisons as a list.
pub(in crate::report) fn compares_json(comparisons: &[Comparison]) -> String {
    pretty(&comparisons.iter().map(compared).collect::<Vec<_>>())
}

fn compared(comparison: &Comparison) -> Compared<'_> {
    let outcome = &comparison.outcome;
    Compared {
        schema: "dynameter.compare/1",
        workload: &outcome.workload,
        region: &outcome.region,
        prices: outcome.prices.to_string(),
        month_hours: decimal(outcome.month.hours()),
        total_usd: comparison.total.to_string(),
        best: combination_row(&comparison.best),
        best_uncommitted: combination_row(&comparison.best_uncommitted),
        best_with_decisions: combination_row(&comparison.best_with_decisions),
        best_with_decisions_uncommitted: combination_row(
            &comparison.best_with_decisions_uncommitted,
        ),
        advice: advice_rows(comparison),
        alternatives: comparison
            .alternatives
            .iter()
            .map(|one| alternative_row(comparison, one))
            .collect(),
        break_even: comparison.break_even.iter().map(break_even_row).collect(),
        sensitivity: comparison
            .swings
            .iter()
            .map(|swing| swing_row(comparison, swing))
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
    }
}

fn break_even_row(one: &BreakEven) -> BreakEvenRow<'_> {
    BreakEvenRow {
        name: &one.name,
        table: one.table.as_deref(),
        index: one.index.as_deref(),
        throughput: one.throughput.map(throughput_word),
        value: decimal(&one.value),
        unit: one.unit,
        here: one.here.as_ref().map(decimal),
        meaning: &one.meaning,
    }
}

fn combination_row(one: &Combination) -> CombinationRow<'_> {
    CombinationRow {
        changes: &one.changes,
        monthly_usd: one.monthly.to_string(),
        commitment: one.commitment.as_ref().map(|mix| CommitmentRow {
            reserved_years: mix.years,
            reserved_read: mix.read_units.to_string(),
            reserved_write: mix.write_units.to_string(),
            upfront_usd: decimal(&mix.upfront),
            plan_usd_per_hour: decimal(&mix.plan_usd_per_hour),
        }),
        monthly_with_commitment_usd: one.monthly_with_commitment.to_string(),
    }
}

/// The line of an edit.
fn place_of(comparison: &Comparison, edit: Option<&DesignEdit>) -> Option<Place> {
    edit.and_then(|edit| edit.place(&comparison.written))
}

fn text_of(comparison: &Comparison, edit: Option<&DesignEdit>) -> Option<String> {
    edit.map(|edit| edit.text(&comparison.written))
}

fn advice_rows(comparison: &Comparison) -> Vec<AdviceRow<'_>> {
    let advice = (1..).zip(&comparison.advice);
    advice
        .map(|(rank, one)| advice_row(comparison, rank, one))
        .collect()
}

fn advice_row<'a>(comparison: &'a Comparison, rank: usize, one: &'a Advice) -> AdviceRow<'a> {
    AdviceRow {
        rank,
        kind: one.kind.word(),
        table: one.table.as_deref(),
        index: one.index.as_deref(),
        change: &one.change,
        saves_usd: one.saves.to_string(),
        risk: one.risk.as_deref(),
        decision: one.footing == Footing::Decision,
        in_best: one.in_best,
        file: match place_of(comparison, one.edit.as_ref()) {
            Some(place) => place.file,
            None => comparison.written.file.clone(),
        },
        line: place_of(comparison, one.edit.as_ref()).map(|place| place.line),
        edit: text_of(comparison, one.edit.as_ref()),
    }
}

fn alternative_row<'a>(comparison: &Comparison, one: &'a Alternative) -> AlternativeRow<'a> {
    AlternativeRow {
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
        line: place_of(comparison, one.edit.as_ref()).map(|place| place.line),
        edit: text_of(comparison, one.edit.as_ref()),
    }
}

fn swing_row<'a>(comparison: &Comparison, swing: &'a Swing) -> SwingRow<'a> {
    SwingRow {
        what: &swing.what,
        line: comparison.written.place(&swing.part).line,
        low_usd: swing.low.to_string(),
        high_usd: swing.high.to_string(),
    }
}
