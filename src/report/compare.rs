//! A comparison for people and machines: what to change, every alternative, break-evens, what
//! matters most.

use crate::workload::DesignPart;
use serde::Serialize;

use super::estimate::{RANGE_HEADER, a_month, conventions, interval, range_rows, switches};
use super::json::{
    SwitchRow, UncertaintyRow, decimal, pretty, switch_rows, throughput_word, uncertainty_row,
};
use super::table::{Style, aligned, clean, indented, signed};
use super::{csv, markdown};
use crate::compare::{
    Advice, Alternative, AlternativeKind, AlternativeState, BreakEven, Combination, Comparison,
    Footing, Swing,
};
use crate::money::{Money, MoneyError};

/// The number of alternatives of one kind and table to show; the rest are counted.
const SHOWN: usize = 8;

const ADVICE_HEADER: [&str; 6] = ["#", "Change", "Saves", "Share", "Risk", "Edit"];
const ALTERNATIVE_HEADER: [&str; 4] = ["Alternative", "Monthly", "Difference", "Why"];
const BREAK_EVEN_HEADER: [&str; 5] = ["Where", "What", "Break-even", "This design", "Meaning"];
const SWING_HEADER: [&str; 5] = [
    "Figure",
    "Line",
    "50 % less",
    "50 % more",
    "Change in total",
];

/// A comparison as aligned text.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn compare_text(comparison: &Comparison, style: Style) -> Result<String, MoneyError> {
    let mut text = format!(
        "{}\n{}\n",
        style.strong(&headline(comparison)),
        style.quiet(&conventions(&comparison.outcome))
    );
    text += &format!("\n{}\n", style.strong("Best combination"));
    text += &best_lines(comparison)
        .iter()
        .map(|line| format!("  {}\n", clean(line)))
        .collect::<String>();
    let advice = advice_rows(comparison);
    if !advice.is_empty() {
        text += &format!(
            "\n{}\n",
            style.strong("What to change, ranked by what each change saves alone")
        );
        for row in &advice {
            let [number, change, saves, share, risk, place] = row.as_slice() else {
                continue;
            };
            text += &format!(
                "  {number}. {}: saves {saves} a month ({share})\n",
                clean(change)
            );
            text += &[("risk", risk), ("edit", place)]
                .iter()
                .filter(|(_, words)| !words.is_empty())
                .map(|(label, words)| format!("     {label}: {}\n", clean(words)))
                .collect::<String>();
        }
    }
    for (title, rows, more) in groups(comparison) {
        text += &format!("\n{}\n", style.strong(&clean(&title)));
        text += &indented(&aligned(&ALTERNATIVE_HEADER, &rows, &[1, 2]));
        text += &more
            .map(|more| format!("  … and {more} (--format csv shows all)\n"))
            .unwrap_or_default();
    }
    if !comparison.break_even.is_empty() {
        text += &format!("\n{}\n", style.strong("Break-even"));
        text += &indented(&aligned(
            &BREAK_EVEN_HEADER,
            &break_even_rows(comparison),
            &[2, 3],
        ));
    }
    if !comparison.swings.is_empty() {
        text += &format!(
            "\n{}\n",
            style.strong("Sensitivity: an error of 50 % in one figure")
        );
        text += &indented(&aligned(
            &SWING_HEADER,
            &swing_rows(comparison)?,
            &[1, 2, 3, 4],
        ));
    }
    if let Some(uncertainty) = &comparison.outcome.uncertainty {
        text += &format!("\n{}\n", style.strong(&interval(uncertainty)));
        text += &indented(&aligned(
            &RANGE_HEADER,
            &range_rows(uncertainty),
            &[0, 2, 3],
        ));
    }
    for (title, list) in lists(comparison) {
        if !list.is_empty() {
            text += &format!("\n{}\n", style.strong(title));
            text += &list
                .iter()
                .map(|item| format!("  - {}\n", clean(item)))
                .collect::<String>();
        }
    }
    Ok(text)
}

/// A comparison as Markdown.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn compare_markdown(comparison: &Comparison) -> Result<String, MoneyError> {
    let mut text = format!(
        "## {}\n\n{}\n",
        markdown::escape(&headline(comparison)),
        conventions(&comparison.outcome)
    );
    text += &format!(
        "\n### Best combination\n\n{}",
        markdown::list(&best_lines(comparison))
    );
    let advice = advice_rows(comparison);
    if !advice.is_empty() {
        text += &format!(
            "\n### What to change\n\n{}",
            markdown::table(&ADVICE_HEADER, &advice, &[0, 2, 3])
        );
    }
    for (title, rows, more) in groups(comparison) {
        text += &format!(
            "\n### {}\n\n{}",
            markdown::escape(&title),
            markdown::table(&ALTERNATIVE_HEADER, &rows, &[1, 2])
        );
        text += &more
            .map(|more| format!("\n… and {more}.\n"))
            .unwrap_or_default();
    }
    for (title, header, rows, numbers) in [
        (
            "Break-even",
            &BREAK_EVEN_HEADER,
            break_even_rows(comparison),
            &[2, 3][..],
        ),
        (
            "Sensitivity: an error of 50 % in one figure",
            &SWING_HEADER,
            swing_rows(comparison)?,
            &[1, 2, 3, 4][..],
        ),
    ] {
        if !rows.is_empty() {
            text += &format!(
                "\n### {title}\n\n{}",
                markdown::table(header, &rows, numbers)
            );
        }
    }
    if let Some(uncertainty) = &comparison.outcome.uncertainty {
        text += &format!(
            "\n### {}\n\n{}",
            interval(uncertainty),
            markdown::table(&RANGE_HEADER, &range_rows(uncertainty), &[0, 2, 3])
        );
    }
    for (title, list) in lists(comparison) {
        if !list.is_empty() {
            text += &format!("\n### {title}\n\n{}", markdown::list(&list));
        }
    }
    Ok(text)
}

/// Every alternative as CSV, exact.
pub fn compare_csv(comparison: &Comparison) -> String {
    let header = [
        "workload",
        "kind",
        "name",
        "table",
        "index",
        "monthly_usd",
        "delta_usd",
        "feasible",
        "state",
        "footing",
        "why",
        "risk",
        "decision",
        "what_if",
        "line",
        "edit",
    ];
    let row = |one: &Alternative| {
        let exact = |money: Option<Money>| money.map(|money| money.to_string()).unwrap_or_default();
        let (line, edit) = one
            .edit
            .clone()
            .map(|(part, edit)| (comparison.written.place(&part).line.to_string(), edit))
            .unwrap_or_default();
        vec![
            comparison.outcome.workload.clone(),
            one.kind.word().to_string(),
            one.name.clone(),
            one.table.clone().unwrap_or_default(),
            one.index.clone().unwrap_or_default(),
            exact(one.monthly()),
            exact(one.delta()),
            one.is_priced().to_string(),
            one.state.word().to_string(),
            one.footing.word().to_string(),
            one.why.clone(),
            one.risk.clone().unwrap_or_default(),
            (one.footing == Footing::Decision).to_string(),
            (one.footing == Footing::WhatIf).to_string(),
            line,
            edit,
        ]
    };
    csv::write(
        &header,
        &comparison.alternatives.iter().map(row).collect::<Vec<_>>(),
    )
}

fn headline(comparison: &Comparison) -> String {
    let (name, total, best) = (
        clean(&comparison.outcome.workload),
        comparison.total,
        &comparison.best,
    );
    let now = a_month(total, comparison.outcome.bill.unknown.len());
    let at_least = if comparison.outcome.bill.unknown.is_empty() {
        ""
    } else {
        "at least "
    };
    match best.monthly_with_commitment < total {
        true => format!(
            "{name}: {now}; {at_least}{} with the best changes and commitments",
            best.monthly_with_commitment.human()
        ),
        false => format!("{name}: {now}; no change makes it cheaper without a trade-off"),
    }
}

/// The best combinations in sentences.
fn best_lines(comparison: &Comparison) -> Vec<String> {
    // If a cost of the design is unknown, every total is a lower bound.
    let at_least = if comparison.outcome.bill.unknown.is_empty() {
        ""
    } else {
        "≥ "
    };
    let words = |combination: &Combination| {
        let changes = if combination.changes.is_empty() {
            "the design as it is".to_string()
        } else {
            combination.changes.join("; ")
        };
        let mut lines = vec![format!(
            "{at_least}{}: {changes}",
            combination.monthly.human()
        )];
        if let Some(mix) = &combination.commitment {
            lines.push(format!(
                "{at_least}{}: also with {}",
                combination.monthly_with_commitment.human(),
                mix.words()
            ));
        }
        lines
    };
    let mut lines = words(&comparison.best);
    if comparison.best_with_decisions != comparison.best {
        lines.push("including trade-offs you have to accept:".to_string());
        lines.extend(
            words(&comparison.best_with_decisions)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    }
    lines
}

/// The words for a table, an index, or the whole design.
pub(super) fn place(table: Option<&String>, index: Option<&String>) -> String {
    match (table, index) {
        (Some(table), Some(index)) => format!("{table} / {index}"),
        (Some(table), None) => table.clone(),
        _ => "the whole design".to_string(),
    }
}

fn advice_rows(comparison: &Comparison) -> Vec<Vec<String>> {
    let row = |(at, advice): (usize, &Advice)| {
        let share = advice
            .saves
            .percent_of(comparison.total)
            .map(|percent| format!("{percent:.1} %"))
            .unwrap_or_default();
        let to_decide = if advice.footing == Footing::Decision {
            "trade-off: "
        } else {
            ""
        };
        vec![
            (at + 1).to_string(),
            format!(
                "{}: {}",
                place(advice.table.as_ref(), advice.index.as_ref()),
                advice.change
            ),
            advice.saves.human(),
            share,
            advice
                .risk
                .as_ref()
                .map(|risk| format!("{to_decide}{risk}"))
                .unwrap_or_default(),
            advice
                .edit
                .as_ref()
                .map(|(part, text)| format!("{}: {text}", place_of(comparison, part)))
                .unwrap_or_default(),
        ]
    };
    comparison.advice.iter().enumerate().map(row).collect()
}

/// Alternatives by kind and table: a title, the rows that are shown, and how many are not.
fn groups(comparison: &Comparison) -> Vec<(String, Vec<Vec<String>>, Option<String>)> {
    let mut keys: Vec<(&AlternativeKind, Option<&String>)> = Vec::new();
    for one in &comparison.alternatives {
        if !keys
            .iter()
            .any(|(kind, table)| (kind.word(), *table) == (one.kind.word(), one.table.as_ref()))
        {
            keys.push((&one.kind, one.table.as_ref()));
        }
    }
    let rank = |kind: &AlternativeKind| TITLES.iter().position(|(word, _)| *word == kind.word());
    keys.sort_by_key(|(kind, _)| rank(kind));
    let is_partial = !comparison.outcome.bill.unknown.is_empty();
    let group = |(kind, table): (&AlternativeKind, Option<&String>)| {
        let of = |one: &&Alternative| one.kind.word() == kind.word() && one.table.as_ref() == table;
        let mut all: Vec<&Alternative> = comparison.alternatives.iter().filter(of).collect();
        all.sort_by_key(|one| (!one.is_priced(), one.monthly(), one.name.clone()));
        let priced = all.iter().filter(|one| one.is_priced()).count();
        let shown = |(at, one): (usize, &&Alternative)| {
            let hidden = if one.is_priced() {
                at >= SHOWN
            } else {
                at - priced >= SHOWN
            };
            (!hidden).then(|| alternative_row(one, is_partial))
        };
        let rows: Vec<Vec<String>> = all.iter().enumerate().filter_map(shown).collect();
        let (more_expensive, without) = (
            priced.saturating_sub(SHOWN),
            (all.len() - priced).saturating_sub(SHOWN),
        );
        let words = [
            (more_expensive, "more expensive"),
            (without, "without a price"),
        ];
        let parts: Vec<String> = words
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let more = (!parts.is_empty()).then(|| parts.join(" and "));
        let title = TITLES
            .iter()
            .find(|(word, _)| *word == kind.word())
            .map_or(kind.word(), |(_, title)| title);
        (format!("{title}: {}", place(table, None)), rows, more)
    };
    keys.into_iter().map(group).collect()
}

/// The titles of the kinds of alternatives, in the order in which they are shown.
const TITLES: [(&str, &str); 9] = [
    ("capacity", "Capacity"),
    ("commitment", "Commitments"),
    ("table-class", "Table class"),
    ("projection", "Projections"),
    ("dax", "DAX"),
    ("regions", "Regions"),
    ("backup", "Backups"),
    ("consistency", "Consistency"),
    ("item", "Items"),
];

/// One alternative. If a cost of the design is unknown, every total is a lower bound.
fn alternative_row(one: &Alternative, is_partial: bool) -> Vec<String> {
    let name = match &one.index {
        Some(index) => format!("{index}: {}", one.name),
        None => one.name.clone(),
    };
    match one.state {
        AlternativeState::Priced { monthly, delta } => {
            let what_if = if one.footing == Footing::WhatIf {
                "what if: "
            } else {
                ""
            };
            let monthly = if is_partial {
                format!("≥ {}", monthly.human())
            } else {
                monthly.human()
            };
            vec![
                format!("{what_if}{name}"),
                monthly,
                signed(delta),
                one.words(),
            ]
        }
        AlternativeState::Unknown | AlternativeState::Impossible => {
            vec![name, "-".to_string(), "-".to_string(), one.words()]
        }
    }
}

fn break_even_rows(comparison: &Comparison) -> Vec<Vec<String>> {
    let row = |one: &BreakEven| {
        let direction = one
            .throughput
            .map(|throughput| format!(", {}s", throughput_word(throughput)))
            .unwrap_or_default();
        vec![
            format!(
                "{}{direction}",
                place(one.table.as_ref(), one.index.as_ref())
            ),
            one.name.clone(),
            format!("{} {}", one.value.human(2), one.unit),
            one.here
                .as_ref()
                .map_or_else(|| "-".to_string(), |here| here.human(2)),
            one.meaning.clone(),
        ]
    };
    comparison.break_even.iter().map(row).collect()
}

/// A line of the design, as `file:line`.
pub(super) fn place_of(comparison: &Comparison, part: &DesignPart) -> String {
    let place = comparison.written.place(part);
    format!("{}:{}", place.file, place.line)
}

fn swing_rows(comparison: &Comparison) -> Result<Vec<Vec<String>>, MoneyError> {
    let row = |swing: &Swing| -> Result<Vec<String>, MoneyError> {
        let percent = |money: Money| -> Result<String, MoneyError> {
            let percent = money.minus(comparison.total)?.percent_of(comparison.total);
            Ok(percent
                .map(|percent| format!("{percent:+.1} %"))
                .unwrap_or_default())
        };
        Ok(vec![
            swing.what.clone(),
            comparison.written.place(&swing.part).line.to_string(),
            swing.low.human(),
            swing.high.human(),
            format!("{} to {}", percent(swing.low)?, percent(swing.high)?),
        ])
    };
    comparison.swings.iter().map(row).collect()
}

fn lists(comparison: &Comparison) -> [(&'static str, Vec<String>); 3] {
    let mut assumptions = comparison.outcome.assumptions.clone();
    assumptions.extend(
        comparison
            .assumptions
            .iter()
            .filter(|one| !comparison.outcome.assumptions.contains(one))
            .cloned(),
    );
    assumptions.push(format!(
        "capacity simulations run: {}",
        comparison.simulations
    ));
    [
        ("Warnings", comparison.outcome.warnings.clone()),
        ("Assumptions", assumptions),
        ("Switches", switches(&comparison.outcome)),
    ]
}

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
pub fn compare_json(comparison: &Comparison) -> String {
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
