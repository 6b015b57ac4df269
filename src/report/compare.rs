//! A comparison for people and machines: what to change, every alternative, break-evens, what
//! matters most.

use super::document::{Body, Document, Entry, Table};
use super::estimate::{a_month, bound_word, conventions, switches, uncertainty_part};
use super::fleet::FleetSummary;
use super::json::compare::{compare_json, compares_json};
use super::json::throughput_word;
use super::present::{Present, one_after_another, together};
use super::render::text::{Style, clean, signed};
use super::render::{csv, markdown, text};
use crate::compare::{
    Advice, Alternative, AlternativeKind, AlternativeState, BreakEven, Combination, Comparison,
    Footing, Swing,
};
use crate::fleet::compared_fleet;
use crate::money::{Money, MoneyError};
use crate::pricing::Bound;
use crate::workload::DesignPart;

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

impl Present for Comparison {
    fn document(&self) -> Result<Document, MoneyError> {
        let outcome = &self.outcome;
        let mut document = Document::new(headline(self)).note(conventions(outcome));
        document.part("Best combination", Body::Lines(best_lines(self)));
        let advice = advice_rows(self);
        let entries = advice.iter().map(|row| advice_entry(row)).collect();
        let table = Body::Table(Table::new(&ADVICE_HEADER, advice, &[0, 2, 3]));
        let title = "What to change, ranked by what each change saves alone";
        document.part(title, Body::Entries(entries, Box::new(table)));
        for (title, rows, more) in groups(self) {
            let table = Table {
                more,
                ..Table::new(&ALTERNATIVE_HEADER, rows, &[1, 2])
            };
            document.part(title, Body::Table(table));
        }
        document.table(
            "Break-even",
            &BREAK_EVEN_HEADER,
            break_even_rows(self),
            &[2, 3],
        );
        let title = "Sensitivity: an error of 50 % in one figure";
        document.table(title, &SWING_HEADER, swing_rows(self)?, &[1, 2, 3, 4]);
        uncertainty_part(&mut document, outcome);
        document.lists(&outcome.warnings, &assumptions(self), &switches(outcome));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(compare_json(self))
    }

    fn csv(&self) -> String {
        compare_csv(std::slice::from_ref(self))
    }
}

/// The comparisons of several designs: their tables at a glance, then one after another.
pub struct Comparisons<'a> {
    /// The comparisons.
    pub all: &'a [Comparison],
    /// How many tables the summary shows, the most expensive first; all if `None`.
    pub top: Option<usize>,
}

impl Comparisons<'_> {
    fn documents(&self) -> Result<Vec<Document>, MoneyError> {
        let fleet = &compared_fleet(self.all)?;
        let summary = FleetSummary {
            fleet,
            top: self.top,
        };
        let mut all: Vec<Document> = self
            .all
            .iter()
            .map(Present::document)
            .collect::<Result<_, _>>()?;
        match all.as_mut_slice() {
            [only] if fleet.is_of_several() => only.first_part("All tables", summary.body()?),
            [_, _, ..] => all.insert(0, summary.document()?),
            _ => {}
        }
        Ok(all)
    }
}

impl Present for Comparisons<'_> {
    fn document(&self) -> Result<Document, MoneyError> {
        Ok(together(self.documents()?))
    }

    fn text(&self, style: Style) -> Result<String, MoneyError> {
        let render = |document: &Document| text::render(document, style);
        Ok(one_after_another(&self.documents()?, render))
    }

    fn markdown(&self) -> Result<String, MoneyError> {
        Ok(one_after_another(&self.documents()?, markdown::render))
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(match self.all {
            [one] => compare_json(one),
            several => compares_json(several),
        })
    }

    fn csv(&self) -> String {
        compare_csv(self.all)
    }
}

/// A row of the advice as an entry.
fn advice_entry(row: &[String]) -> Entry {
    let cell = |at: usize| row.get(at).map_or("", String::as_str);
    let details = [("risk", cell(4)), ("edit", cell(5))];
    let details = details.iter().filter(|(_, words)| !words.is_empty());
    Entry {
        mark: format!("{}. ", cell(0)),
        head: format!("{}: saves {} a month ({})", cell(1), cell(2), cell(3)),
        details: details
            .map(|(label, words)| format!("{label}: {words}"))
            .collect(),
    }
}

fn assumptions(comparison: &Comparison) -> Vec<String> {
    let outcome = &comparison.outcome;
    let is_new = |one: &&String| !outcome.assumptions.contains(one);
    let own = comparison.assumptions.iter().filter(is_new);
    let count = format!("capacity simulations run: {}", comparison.simulations);
    outcome
        .assumptions
        .iter()
        .chain(own)
        .cloned()
        .chain([count])
        .collect()
}

/// Every alternative as CSV, exact.
fn compare_csv(comparisons: &[Comparison]) -> String {
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
    let row = |(comparison, one): (&Comparison, &Alternative)| {
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
    let all = comparisons.iter().flat_map(|comparison| {
        let own = comparison.alternatives.iter();
        own.map(move |one| (comparison, one))
    });
    csv::write(&header, &all.map(row).collect::<Vec<_>>())
}

fn headline(comparison: &Comparison) -> String {
    let (name, total, best) = (
        clean(&comparison.outcome.workload),
        comparison.total,
        &comparison.best,
    );
    let bound = comparison.outcome.bill.bound();
    let now = a_month(total, bound);
    match best.monthly_with_commitment < total {
        true => format!(
            "{name}: {now}; {}{} with the best changes and commitments",
            bound_word(bound),
            best.monthly_with_commitment.human()
        ),
        false => format!("{name}: {now}; no change makes it cheaper without a trade-off"),
    }
}

/// The best combinations in sentences.
fn best_lines(comparison: &Comparison) -> Vec<String> {
    // What is known of the design's total is known of every total.
    let bound = match comparison.outcome.bill.bound() {
        Bound::Exact => "",
        Bound::AtLeast => "≥ ",
        Bound::AtMost => "≤ ",
        Bound::Unknown => "known part ",
    };
    let words = |combination: &Combination| {
        let changes = if combination.changes.is_empty() {
            "the design as it is".to_string()
        } else {
            combination.changes.join("; ")
        };
        let mut lines = vec![format!("{bound}{}: {changes}", combination.monthly.human())];
        if let Some(mix) = &combination.commitment {
            lines.push(format!(
                "{bound}{}: also with {}",
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
        let more = parts.join(" and ");
        let more = (!more.is_empty()).then(|| format!("{more} (--format csv shows all)"));
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
