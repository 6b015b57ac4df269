//! A comparison for people and machines: what to change, every alternative, break-evens, what
//! matters most.

use super::document::{Body, Document, Entry, Table};
use super::estimate::{a_month, bound_mark, bound_word, conventions, switches, uncertainty_part};
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
use crate::units::count_of;

/// The number of changes that are shown if nothing else is asked for.
pub const CHANGES_SHOWN: usize = 10;

const BEST_HEADER: [&str; 4] = ["Together", "Monthly", "Difference", "How"];
const ADVICE_HEADER: [&str; 6] = ["#", "Change", "Saves", "Share", "Kind", "Edit"];
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
        document(self, Shown::default())
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(compare_json(self))
    }

    fn csv(&self) -> String {
        compare_csv(std::slice::from_ref(self))
    }
}

/// How much of a comparison is shown to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The number of changes, those that save most first.
    pub changes: usize,
    /// Whether every alternative, break-even and assumption is shown, or only what matters.
    pub all: bool,
}

impl Default for Shown {
    fn default() -> Shown {
        Shown {
            changes: CHANGES_SHOWN,
            all: false,
        }
    }
}

/// A comparison for people.
fn document(comparison: &Comparison, shown: Shown) -> Result<Document, MoneyError> {
    let outcome = &comparison.outcome;
    let mut document = Document::new(headline(comparison)).note(conventions(outcome));
    let best = Table::new(&BEST_HEADER, best_rows(comparison)?, &[1, 2]).saving(&[2]);
    document.part("The best combinations of changes", Body::Table(best));
    let limit = if shown.all { usize::MAX } else { shown.changes };
    let changes = comparison.advice.len();
    let more = match changes.saturating_sub(limit) {
        0 => None,
        hidden => Some(format!(
            "{} (--all)",
            count_of(hidden as u64, "smaller change")
        )),
    };
    let table = Table::new(&ADVICE_HEADER, advice_rows(comparison, limit), &[0, 2, 3]);
    let title = "What to change, ranked by what each change saves alone";
    let table = Table {
        more,
        ..table.saving(&[2]).folding(&[5, 3, 4])
    };
    document.part(title, Body::Table(table));
    document.part(
        "What to write, and what it risks",
        Body::Edits(edit_entries(comparison, limit)),
    );
    if shown.all {
        everything(&mut document, comparison)?;
    } else {
        document.part("Other alternatives", Body::Lines(other_lines(comparison)));
    }
    uncertainty_part(&mut document, outcome);
    document.warning("Warnings", Body::List(outcome.warnings.clone()));
    if shown.all {
        document.part("Assumptions", Body::List(assumptions(comparison)));
        document.part("Switches", Body::List(switches(outcome)));
    } else {
        document.part("Next", Body::List(next_steps(comparison)));
    }
    Ok(document)
}

/// Every alternative by kind and table, break-evens, and what each figure of the file matters.
fn everything(document: &mut Document, comparison: &Comparison) -> Result<(), MoneyError> {
    for (title, rows) in groups(comparison) {
        let table = Table::new(&ALTERNATIVE_HEADER, rows, &[1, 2]).saving(&[2]);
        document.part(title, Body::Table(table));
    }
    let rows = break_even_rows(comparison);
    document.table("Break-even", &BREAK_EVEN_HEADER, rows, &[2, 3]);
    let title = "Sensitivity: an error of 50 % in one figure";
    document.table(title, &SWING_HEADER, swing_rows(comparison)?, &[1, 2, 3, 4]);
    Ok(())
}

/// The comparisons of several designs: their tables at a glance, then one after another.
pub struct Comparisons<'a> {
    /// The comparisons.
    pub all: &'a [Comparison],
    /// How much of each is shown.
    pub shown: Shown,
}

impl Comparisons<'_> {
    fn documents(&self) -> Result<Vec<Document>, MoneyError> {
        let fleet = &compared_fleet(self.all)?;
        let summary = FleetSummary { fleet, top: None };
        let mut all: Vec<Document> = self
            .all
            .iter()
            .map(|one| document(one, self.shown))
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
            .as_ref()
            .and_then(|edit| {
                let line = edit.place(&comparison.written)?.line;
                Some((line.to_string(), edit.text(&comparison.written)))
            })
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

pub(super) fn headline(comparison: &Comparison) -> String {
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

/// The best combinations: without and with trade-offs, each with its commitments.
pub(super) fn best_rows(comparison: &Comparison) -> Result<Vec<Vec<String>>, MoneyError> {
    // What is known of the design's total is known of every total.
    let bound = bound_mark(comparison.outcome.bill.bound());
    let row = |name: &str, monthly: Money, how: String| -> Result<Vec<String>, MoneyError> {
        let delta = monthly.minus(comparison.total)?;
        let percent = delta.percent_of(comparison.total);
        Ok(vec![
            name.to_string(),
            format!("{bound}{}", monthly.human()),
            percent.map_or_else(|| signed(delta), |percent| format!("{percent:+.1} %")),
            how,
        ])
    };
    let mut rows = Vec::new();
    let mut add =
        |names: [&str; 2], plain: &Combination, with: &Combination| -> Result<(), MoneyError> {
            if plain.monthly < comparison.total {
                rows.push(row(names[0], plain.monthly, plain.changes.join("; "))?);
            }
            if let Some(mix) = &with.commitment {
                let mut how = vec![mix.words()];
                if with.changes != plain.changes {
                    how.extend(with.changes.iter().cloned());
                }
                rows.push(row(names[1], with.monthly_with_commitment, how.join("; "))?);
            }
            Ok(())
        };
    let (best, plain) = (&comparison.best, &comparison.best_uncommitted);
    add(["without trade-offs", "… and commitments"], plain, best)?;
    let all = &comparison.best_with_decisions;
    let all_plain = &comparison.best_with_decisions_uncommitted;
    if (all, all_plain) != (best, plain) {
        add(["with trade-offs", "… and commitments"], all_plain, all)?;
    }
    Ok(rows)
}

/// The words for a table, an index, or the whole design.
pub(super) fn place(table: Option<&String>, index: Option<&String>) -> String {
    match (table, index) {
        (Some(table), Some(index)) => format!("{table} / {index}"),
        (Some(table), None) => table.clone(),
        _ => "the whole design".to_string(),
    }
}

/// What kind of change it is for its owner.
pub(super) fn advice_kind(advice: &Advice) -> &'static str {
    match (&advice.kind, advice.footing) {
        (AlternativeKind::Commitment, _) => "commitment",
        (_, Footing::Decision) => "trade-off",
        (_, Footing::Sure | Footing::WhatIf) => "no trade-off",
    }
}

/// The style of its tag on a page.
#[cfg(feature = "html")]
pub(super) fn advice_tag(advice: &Advice) -> &'static str {
    match (&advice.kind, advice.footing) {
        (AlternativeKind::Commitment, _) => "commit",
        (_, Footing::Decision) => "choice",
        (_, Footing::Sure | Footing::WhatIf) => "sure",
    }
}

fn advice_rows(comparison: &Comparison, limit: usize) -> Vec<Vec<String>> {
    let row = |(at, advice): (usize, &Advice)| {
        let percent = advice.saves.percent_of(comparison.total);
        let place = advice.edit.as_ref();
        let place = place.and_then(|edit| edit.place(&comparison.written));
        vec![
            (at + 1).to_string(),
            advice_name(advice),
            advice.saves.human(),
            percent.map_or_else(String::new, |percent| format!("{percent:.1} %")),
            advice_kind(advice).to_string(),
            place.map_or_else(String::new, |place| {
                format!("{}:{}", place.file, place.line)
            }),
        ]
    };
    let advice = comparison.advice.iter().enumerate();
    advice.take(limit).map(row).collect()
}

/// A change, with what it is of.
pub(super) fn advice_name(advice: &Advice) -> String {
    match &advice.table {
        None => advice.change.clone(),
        table => {
            let place = place(table.as_ref(), advice.index.as_ref());
            format!("{place}: {}", advice.change)
        }
    }
}

/// For each change, what it risks, and the TOML to paste.
fn edit_entries(comparison: &Comparison, limit: usize) -> Vec<Entry> {
    let entry = |(at, advice): (usize, &Advice)| {
        let edit = advice.edit.iter();
        let placed = edit.flat_map(|edit| edit.placed(&comparison.written));
        let mut details = Vec::new();
        for edit in placed {
            details.push(format!("# {}:{}", edit.place.file, edit.place.line));
            details.extend(edit.lines);
        }
        let risk = advice.risk.clone().unwrap_or_default();
        Entry {
            mark: format!("{}. ", at + 1),
            head: match risk.is_empty() {
                true => advice_name(advice),
                false => format!("{}: {risk}", advice_name(advice)),
            },
            details,
        }
    };
    let advice = comparison.advice.iter().enumerate();
    advice.take(limit).map(entry).collect()
}

/// What is left, by kind: what would save under a condition, what costs more, and what has no price.
pub(super) fn other_lines(comparison: &Comparison) -> Vec<String> {
    let line = |(word, title): &(&str, &str)| {
        let of = comparison.alternatives.iter();
        let all: Vec<&Alternative> = of.filter(|one| one.kind.word() == *word).collect();
        let parts = [conditional(&all), more_expensive(&all), unpriced(&all)].concat();
        (!parts.is_empty()).then(|| format!("{title}: {}", parts.join(", ")))
    };
    AlternativeKind::ALL.iter().filter_map(line).collect()
}

/// What-ifs that save: they are no advice, since the file does not say whether they hold.
fn conditional(all: &[&Alternative]) -> Vec<String> {
    let saving = all
        .iter()
        .filter(|one| one.footing == Footing::WhatIf && one.saves());
    let saves = saving.filter_map(|one| Money::ZERO.minus(one.delta()?).ok());
    let saves: Vec<Money> = saves.collect();
    let most = saves.iter().max();
    let words = most.map(|most| match saves.len() {
        1 => format!(
            "1 would save {}, if what --all says of it holds",
            most.human()
        ),
        several => format!(
            "{several} would save up to {}, if what --all says of them holds",
            most.human()
        ),
    });
    words.into_iter().collect()
}

fn more_expensive(all: &[&Alternative]) -> Vec<String> {
    let others = all.iter().filter(|one| !one.saves());
    let mut deltas: Vec<Money> = others.filter_map(|one| one.delta()).collect();
    deltas.sort_unstable();
    let (Some(least), Some(most)) = (deltas.first(), deltas.last()) else {
        return Vec::new();
    };
    let is_cache = all.iter().all(|one| one.kind == AlternativeKind::Dax);
    vec![match deltas.len() {
        // The price of the largest cluster is not useful if the smallest does not pay.
        _ if is_cache && !all.iter().any(|one| one.saves()) => {
            format!("no cluster pays: the cheapest adds {}", least.human())
        }
        1 => format!("1 costs {} more", least.human()),
        several => format!("{several} cost {} to {} more", least.human(), most.human()),
    }]
}

fn unpriced(all: &[&Alternative]) -> Vec<String> {
    let states = [
        (AlternativeState::Impossible, "not possible"),
        (AlternativeState::Unknown, "unknown"),
    ];
    let words = states.iter().filter_map(|(state, words)| {
        match all.iter().filter(|one| one.state == *state).count() {
            0 => None,
            1 => Some(format!("1 is {words}")),
            several => Some(format!("{several} are {words}")),
        }
    });
    words.collect()
}

/// What to do next.
fn next_steps(comparison: &Comparison) -> Vec<String> {
    let outcome = &comparison.outcome;
    let file = &comparison.written.file;
    let (assumed, switches) = (assumptions(comparison).len(), outcome.switches.len());
    let mut lines = vec![format!(
        "`--all` shows every alternative with its reason, the break-evens, {} and {}",
        count_of(assumed as u64, "assumption"),
        match switches {
            1 => "1 switch".to_string(),
            several => format!("{several} switches"),
        },
    )];
    if comparison.advice.iter().any(|one| one.edit.is_some()) {
        lines.push(format!(
            "`dynameter compare {file} --apply 1 -o new.toml` writes a file with change 1"
        ));
    }
    lines
}

/// Alternatives by kind and table: a title, and the rows.
fn groups(comparison: &Comparison) -> Vec<(String, Vec<Vec<String>>)> {
    let mut keys: Vec<(&str, Option<&String>)> = Vec::new();
    for one in &comparison.alternatives {
        let key = (one.kind.word(), one.table.as_ref());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let rank = |kind: &str| {
        AlternativeKind::ALL
            .iter()
            .position(|(word, _)| *word == kind)
    };
    keys.sort_by_key(|(kind, _)| rank(kind));
    let is_partial = !comparison.outcome.bill.unknown.is_empty();
    let group = |(kind, table): (&str, Option<&String>)| {
        let of = |one: &&Alternative| one.kind.word() == kind && one.table.as_ref() == table;
        let mut all: Vec<&Alternative> = comparison.alternatives.iter().filter(of).collect();
        all.sort_by_key(|one| (!one.is_priced(), one.monthly(), one.name.clone()));
        let rows = all
            .iter()
            .map(|one| alternative_row(one, is_partial))
            .collect();
        let title = AlternativeKind::ALL.iter().find(|(word, _)| *word == kind);
        let title = title.map_or(kind, |(_, title)| title);
        (format!("{title}: {}", place(table, None)), rows)
    };
    keys.into_iter().map(group).collect()
}

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
