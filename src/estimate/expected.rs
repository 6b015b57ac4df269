//! What one call of an access pattern consumes on average, arm by arm, with the working.

use std::collections::BTreeMap;

use super::operations::{Case, Reason};
use crate::meter::{Arm, ConsumedCapacity, Switches, change_data_capture_units, meter, replicate, replicated_bytes};
use crate::table::{Operation, Table, Transition, Write};
use crate::units::{Bytes, Exact};
use crate::usage::Because;
use crate::workload::IndexDesign;

/// Expected consumption of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// In the region that serves the call: the table, then each index.
    pub home: Vec<Tallies>,
    /// In each other region of a global table.
    pub abroad: Vec<Tallies>,
    /// Bytes sent to each other region.
    pub replicated_bytes: Exact,
    /// Change data capture units.
    pub captured: Exact,
}

/// Reads and writes of one arm.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies {
    pub read: Tally,
    pub write: Tally,
}

/// Expected units, by what they are for.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    parts: BTreeMap<(&'static str, &'static str, Units), Part>,
}

/// Units of one operation, in halves so that reads and writes share the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Units {
    halves: u64,
}

impl Units {
    fn exact(self) -> Exact {
        Exact::ratio(self.halves, 2)
    }
}

#[derive(Clone, Debug)]
struct Part {
    weight: Exact,
    sizes: Option<(Bytes, Bytes)>,
}

impl Tally {
    fn add(&mut self, reason: Reason, halves: u64, weight: &Exact) {
        if halves == 0 || weight.is_zero() {
            return;
        }
        let size = reason.size.map(|size| (size, size));
        match self.parts.get_mut(&(reason.rule, reason.what, Units { halves })) {
            Some(part) => {
                part.weight += weight;
                part.sizes = part.sizes.zip(size).map(|((low, high), (size, _))| (low.min(size), high.max(size)));
            }
            None => {
                self.parts.insert((reason.rule, reason.what, Units { halves }), Part { weight: weight.clone(), sizes: size });
            }
        }
    }

    /// Expected units of one call.
    pub fn units(&self) -> Exact {
        self.parts.iter().map(|((.., units), part)| &units.exact() * &part.weight).sum()
    }

    /// The working: for each rule, how often × how many units, for what.
    pub fn because(&self, unit: &str) -> Vec<Because> {
        let mut rules: Vec<(&'static str, Vec<String>)> = Vec::new();
        for ((rule, what, units), part) in &self.parts {
            let times = if part.weight == Exact::one() { String::new() } else { format!("{} x ", part.weight.human(6)) };
            let size = match part.sizes {
                Some((low, high)) if low == high => format!(", {low}"),
                Some((low, high)) => format!(", {} to {} B", low.0, high.0),
                None => String::new(),
            };
            let plural = if units.halves == 2 { unit } else { &format!("{unit}s") };
            let text = format!("{times}{} {plural} ({what}{size})", units.exact().human(1));
            match rules.last_mut().filter(|(last, _)| last == rule) {
                Some((_, texts)) => texts.push(text),
                None => rules.push((rule, vec![text])),
            }
        }
        rules.into_iter().map(|(rule, texts)| Because::rule(rule, shortened(texts))).collect()
    }
}

/// A sum of at most four terms; the rest is counted.
fn shortened(texts: Vec<String>) -> String {
    let more = texts.len().saturating_sub(4);
    let rest = if more > 1 { format!(" + {more} more sizes") } else { String::new() };
    let shown = if more > 1 { 4 } else { texts.len() };
    format!("{}{rest}", texts[..shown].join(" + "))
}

/// Meters the cases and adds up what they expect. An index of a given coverage counts that much of its arm.
pub(super) fn expect(cases: &[Case], table: &Table, designs: &[IndexDesign], switches: &Switches, replicated: bool) -> Expected {
    let arms = table.indexes.len() + 1;
    let mut expected = Expected { home: vec![Tallies::default(); arms], abroad: vec![Tallies::default(); arms], ..Expected::default() };
    for case in cases {
        let consumed = meter(table, &case.operation, switches);
        add(&mut expected.home, &consumed, case, designs);
        if replicated {
            let consumed = replicate(table, &case.operation, switches);
            add(&mut expected.abroad, &consumed, case, designs);
        }
        expected.replicated_bytes += &(&case.weight * &Exact::from(replicated_bytes(&case.operation).0));
        expected.captured += &(&case.weight * &Exact::from(change_data_capture_units(&case.operation)));
    }
    expected
}

fn add(arms: &mut [Tallies], consumed: &ConsumedCapacity, case: &Case, designs: &[IndexDesign]) {
    let mut put = |at: usize, arm: &Arm, reason: Reason, weight: &Exact| {
        arms[at].read.add(reason, arm.read.halves(), weight);
        arms[at].write.add(reason, arm.write.0 * 2, weight);
    };
    put(0, &consumed.table, case.table, &case.weight);
    if case.table_only {
        return;
    }
    let transitions = written(&case.operation).map(|write| write.indexes.as_slice()).unwrap_or_default();
    for (at, (arm, design)) in consumed.indexes.iter().zip(designs).enumerate() {
        match transitions.get(at) {
            Some(transition) => put(at + 1, arm, reason(transition), &(&case.weight * &design.coverage)),
            None => put(at + 1, arm, case.index, &case.weight),
        }
    }
}

/// The write inside an operation of one action.
fn written(operation: &Operation) -> Option<&Write> {
    use crate::table::Action;
    match operation {
        Operation::PutItem(write) | Operation::UpdateItem(write) | Operation::DeleteItem(write) | Operation::TimeToLiveDelete(write) => {
            Some(write)
        }
        Operation::BatchWriteItem(batch) => batch.first(),
        Operation::TransactWriteItems { actions, .. } => match actions.first() {
            Some(Action::Write(write)) => Some(write),
            _ => None,
        },
        _ => None,
    }
}

fn reason(transition: &Transition) -> Reason {
    match *transition {
        Transition::Absent => Reason::new("3.8", "no entry", None),
        Transition::Unchanged => Reason::new("3.8", "entry unchanged", None),
        Transition::Inserted { new } => Reason::new("3.8", "entry put", Some(new)),
        Transition::Removed { old } => Reason::new("3.8", "entry deleted", Some(old)),
        Transition::Replaced { old, new } => Reason::new("3.8", "entry rewritten", Some(old.max(new))),
        Transition::Moved { new, .. } => Reason::new("3.8", "entry deleted and put at its new key", Some(new)),
    }
}
