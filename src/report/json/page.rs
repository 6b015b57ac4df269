//! What a page shows of an estimate, `dynameter.page/1`: the exact figures of `dynameter.estimate/1`,
//! each with the text that the command line shows for it. A page computes and formats nothing.

use serde::Serialize;

use super::pretty;
use crate::compare::{Advice, Comparison};
use crate::diff::{Difference, TotalChange, diff};
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::{Bound, LineItem};
use crate::report::compare::{
    advice_kind, advice_name, best_rows, headline as compare_headline, other_lines,
};
use crate::report::estimate::{
    a_month, bound_mark, conventions, rate_text, share_of, switches, unknown_row, usage_name,
    what_is, what_of,
};
use crate::report::render::text::{clean, signed};
use crate::review::spending;
use crate::units::group_thousands;

/// An amount: exact, and as it is shown.
#[derive(Serialize)]
struct Amount {
    usd: String,
    text: String,
    /// Its share of the month's total in percent, as it is shown; empty if the total is nothing.
    share: String,
    /// The same for the width of a bar, 0 to 100.
    percent: String,
}

impl Amount {
    fn new(money: Money, total: Money) -> Amount {
        let percent = money.percent_of(total);
        Amount {
            usd: money.to_string(),
            text: money.human(),
            share: share_of(money, total),
            percent: percent.map_or_else(|| "0".to_string(), |percent| format!("{percent:.3}")),
        }
    }
}

#[derive(Serialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    amount: Amount,
}

#[derive(Serialize)]
struct PageLine {
    what: String,
    usage_type: String,
    quantity: String,
    unit: &'static str,
    rate: String,
    #[serde(flatten)]
    amount: Amount,
    because: Vec<String>,
    since: String,
    source: String,
}

#[derive(Serialize)]
struct PageTable {
    name: String,
    #[serde(flatten)]
    amount: Amount,
    lines: Vec<PageLine>,
}

#[derive(Serialize)]
struct PageUnknown {
    place: String,
    what: String,
    rate: String,
    why: String,
}

/// The difference from the version that was kept to compare with.
#[derive(Serialize)]
struct PageChange {
    usd: String,
    text: String,
    /// Whether it costs less.
    saves: bool,
    /// Whether nothing is unknown on one side only.
    is_known: bool,
    /// The lines that changed.
    lines: Vec<ChangedLine>,
}

#[derive(Serialize)]
struct ChangedLine {
    place: String,
    usage_type: String,
    usd: String,
    text: String,
    saves: bool,
}

#[derive(Serialize)]
struct Page {
    schema: &'static str,
    workload: String,
    total: Amount,
    /// The total with what is known of it, such as `≥ $12.00`.
    total_text: String,
    /// The total in a sentence, with what is known of it.
    headline: String,
    /// Whether everything has a price.
    is_complete: bool,
    conventions: String,
    kinds: Vec<Named>,
    tables: Vec<PageTable>,
    once: Vec<PageLine>,
    unknown: Vec<PageUnknown>,
    warnings: Vec<String>,
    assumptions: Vec<String>,
    switches: Vec<String>,
    change: Option<PageChange>,
}

fn line(line: &LineItem, home: &str, total: Money) -> PageLine {
    let published = &line.published;
    PageLine {
        what: clean(&what_of(line, home)),
        usage_type: usage_name(line),
        quantity: group_thousands(&line.quantity.to_string()),
        unit: line.usage_type.unit(),
        rate: rate_text(published.rate, &line.usage_type),
        amount: Amount::new(line.amount, total),
        because: line
            .because
            .iter()
            .map(|one| clean(&one.to_string()))
            .collect(),
        since: published.effective_from.to_string(),
        source: format!("{} ({} confidence)", published.source, published.confidence),
    }
}

fn change(difference: &Difference) -> Result<PageChange, MoneyError> {
    let lines = difference.lines.iter().map(|line| ChangedLine {
        place: clean(&format!(
            "{} / {}",
            line.subject.table_name(),
            what_is(&line.subject, &line.usage_type, &difference.new.region)
        )),
        usage_type: line.usage_type.name(),
        usd: line.delta.to_string(),
        text: signed(line.delta),
        saves: line.delta < Money::ZERO,
    });
    Ok(PageChange {
        usd: difference.delta.to_string(),
        text: signed(difference.delta),
        saves: difference.delta < Money::ZERO,
        is_known: matches!(difference.change(), TotalChange::Known(_)),
        lines: lines.collect(),
    })
}

/// What a page shows of an estimate, and of its difference from an earlier one.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn page_json(outcome: &Outcome, before: Option<&Outcome>) -> Result<String, MoneyError> {
    let total = outcome.total()?;
    let home = &outcome.region;
    let kinds = spending(outcome)?.into_iter().find(|one| one.by == "kind");
    let kinds = kinds.map_or_else(Vec::new, |kinds| kinds.shares);
    let tables = outcome.sections().into_iter().map(|section| {
        Ok(PageTable {
            name: clean(section.name),
            amount: Amount::new(section.total()?, total),
            lines: section
                .lines
                .iter()
                .map(|one| line(one, home, total))
                .collect(),
        })
    });
    let unknown = outcome.bill.unknown.iter().map(|one| {
        let [place, what, rate, why] = unknown_row(one).map(|text| clean(&text));
        PageUnknown {
            place,
            what,
            rate,
            why,
        }
    });
    let difference = before.map(|before| diff(before, outcome)).transpose()?;
    let bound = outcome.bill.bound();
    Ok(pretty(&Page {
        schema: "dynameter.page/1",
        workload: clean(&outcome.workload),
        total: Amount::new(total, total),
        total_text: format!("{}{}", bound_mark(bound), total.human()),
        headline: a_month(total, bound),
        is_complete: bound == Bound::Exact,
        conventions: conventions(outcome),
        kinds: kinds
            .into_iter()
            .map(|share| Named {
                name: share.name,
                amount: Amount::new(share.amount, total),
            })
            .collect(),
        tables: tables.collect::<Result<_, MoneyError>>()?,
        once: outcome
            .once
            .lines
            .iter()
            .map(|one| line(one, home, total))
            .collect(),
        unknown: unknown.collect(),
        warnings: outcome.warnings.clone(),
        assumptions: outcome.assumptions.clone(),
        switches: switches(outcome),
        change: difference.as_ref().map(change).transpose()?,
    }))
}

/// A change that is worth making.
#[derive(Serialize)]
struct PageAdvice {
    number: usize,
    change: String,
    /// What it saves.
    #[serde(flatten)]
    saves: Amount,
    /// No trade-off, trade-off, or commitment.
    kind: &'static str,
    why: String,
    risk: Option<String>,
    line: Option<usize>,
    /// What to write in the file, as TOML.
    edit: Option<String>,
    /// Whether the edit can be made for the user.
    can_apply: bool,
}

/// A combination of changes, as it is shown.
#[derive(Serialize)]
struct PageCombination {
    name: String,
    monthly: String,
    difference: String,
    how: String,
}

#[derive(Serialize)]
struct PageChanges {
    schema: &'static str,
    headline: String,
    changes: Vec<PageAdvice>,
    combinations: Vec<PageCombination>,
    /// What is left, by kind.
    others: Vec<String>,
}

/// What a page shows of a comparison: the changes that are worth making.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn changes_json(comparison: &Comparison) -> Result<String, MoneyError> {
    let advice = |(at, one): (usize, &Advice)| PageAdvice {
        number: at + 1,
        change: clean(&advice_name(one)),
        saves: Amount::new(one.saves, comparison.total),
        kind: advice_kind(one),
        why: clean(&one.why),
        risk: one.risk.as_ref().map(|risk| clean(risk)),
        line: one
            .edit
            .as_ref()
            .and_then(|edit| edit.place(&comparison.written))
            .map(|place| place.line),
        edit: one.edit.as_ref().map(|edit| edit.text(&comparison.written)),
        can_apply: one.edit.as_ref().is_some_and(|edit| edit.by_hand.is_none()),
    };
    let combination = |row: Vec<String>| {
        let mut cells = row.into_iter().map(|cell| clean(&cell));
        let mut next = || cells.next().unwrap_or_default();
        PageCombination {
            name: next(),
            monthly: next(),
            difference: next(),
            how: next(),
        }
    };
    let best = best_rows(comparison)?;
    Ok(pretty(&PageChanges {
        schema: "dynameter.page-changes/1",
        headline: compare_headline(comparison),
        changes: comparison.advice.iter().enumerate().map(advice).collect(),
        combinations: best.into_iter().map(combination).collect(),
        others: other_lines(comparison),
    }))
}
