//! What one call of an access pattern consumes on average, for the table and each index, with the
//! working.

use std::collections::BTreeMap;

use super::operations::{Case, CaseReason, Cases, Weight};
use crate::meter::{
    ConsumedCapacity, Switches, TargetCapacity, change_data_capture_units, meter, replicate,
    replicated_bytes,
};
use crate::table::{Direction, Operation, Table, Target, Transition, Write};
use crate::units::{Bytes, Exact, count_of};
use crate::usage::Because;
use crate::workload::{IndexDesign, TargetUnits, Traced};

/// Expected consumption of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    /// In the region that serves the call: the table, then each index.
    pub home: Vec<Tallies>,
    /// In each other region of a global table.
    pub in_replicas: Vec<Tallies>,
    /// In each of them separately, if a trace gives it.
    pub by_replica: BTreeMap<String, Vec<Tallies>>,
    /// Bytes sent to each other region.
    pub replicated_bytes: Exact,
    /// Change data capture units.
    pub captured: Exact,
}

impl Expected {
    /// In one other region of a global table.
    pub fn in_replica(&self, region: &str) -> &[Tallies] {
        self.by_replica.get(region).unwrap_or(&self.in_replicas)
    }
}

/// Reads and writes of one target.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies {
    pub read: ExpectedUnits,
    pub write: ExpectedUnits,
}

/// Expected units, and what they are for.
#[derive(Clone, Debug, Default)]
pub(super) struct ExpectedUnits {
    /// Expected units of one call.
    pub units: Exact,
    /// Half units of a call with the share of calls that consume them, for simulated demand; for
    /// pages, with the number of such pages.
    pub units_per_call: Vec<(u64, f64)>,
    /// The first few kinds of each rule.
    shown: Vec<(CaseKind, CasePart)>,
    /// How many kinds each rule has.
    kinds: BTreeMap<&'static str, usize>,
    /// The text for units that were metered in a trace.
    traced: Option<String>,
}

/// The number of kinds of a rule that the working shows; the rest is only counted.
const SHOWN: usize = 4;

/// Parts of a tally with the same kind are merged: the same rule, text and units of one operation
/// (in halves, so that reads and writes share the arithmetic).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CaseKind {
    halves: u64,
    rule: &'static str,
    what: &'static str,
}

#[derive(Clone, Debug)]
struct CasePart {
    weight: Exact,
    sizes: Option<(Bytes, Bytes)>,
}

/// Integers summed separately for each scale, and converted to one exact number at the end.
#[derive(Clone, Debug, Default)]
struct Sum(Vec<(usize, u128)>);

impl Sum {
    fn add(&mut self, weight: Weight, times: u64) {
        let more = weight.parts * u128::from(times);
        match self
            .0
            .iter_mut()
            .rev()
            .find(|(scale, _)| *scale == weight.scale)
        {
            Some((_, parts)) => *parts += more,
            None => self.0.push((weight.scale, more)),
        }
    }

    fn exact(&self, scales: &[Exact]) -> Exact {
        self.0
            .iter()
            .map(|(scale, parts)| &scales[*scale] * &Exact::whole(*parts))
            .sum()
    }
}

/// A tally while its cases are added.
#[derive(Clone, Debug, Default)]
struct Adding {
    parts: Vec<Added>,
    positions: BTreeMap<CaseKind, usize>,
    /// The position of the last part: sizes come in order, so most cases have the same kind as the
    /// case before.
    last: usize,
}

/// One kind of a tally while its cases are added.
#[derive(Clone, Debug)]
struct Added {
    kind: CaseKind,
    sum: Sum,
    sizes: Option<(Bytes, Bytes)>,
}

impl Adding {
    fn add(&mut self, reason: CaseReason, halves: u64, weight: Weight) {
        if halves == 0 {
            return;
        }
        let (kind, size) = (
            CaseKind {
                halves,
                rule: reason.rule,
                what: reason.what,
            },
            reason.size.map(|size| (size, size)),
        );
        if self
            .parts
            .get(self.last)
            .is_none_or(|last| last.kind != kind)
        {
            let next = self.parts.len();
            self.last = *self.positions.entry(kind).or_insert(next);
            if self.last == next {
                self.parts.push(Added {
                    kind,
                    sum: Sum::default(),
                    sizes: size,
                });
            }
        }
        let part = &mut self.parts[self.last];
        part.sum.add(weight, 1);
        part.sizes = part
            .sizes
            .zip(size)
            .map(|((low, high), (size, _))| (low.min(size), high.max(size)));
    }

    /// If a call does one of several things, each is listed; if it does several, their sum is
    /// represented by the two whole numbers around the mean.
    fn units_per_call(&self, scales: &[Exact], factor: &Exact) -> Vec<(u64, f64)> {
        let factor = factor.to_f64();
        let scales: Vec<f64> = scales.iter().map(|scale| scale.to_f64() * factor).collect();
        let share = |sum: &Sum| {
            sum.0
                .iter()
                .map(|(scale, parts)| scales[*scale] * *parts as f64)
                .sum::<f64>()
        };
        let parts: Vec<(u64, f64)> = self
            .parts
            .iter()
            .map(|part| (part.kind.halves, share(&part.sum)))
            .collect();
        // The pages of one Query or Scan follow one another as capacity allows, so each counts as a
        // separate call.
        let paged = self
            .parts
            .iter()
            .all(|part| matches!(part.kind.rule, "2.4" | "2.7" | "2.7a"));
        if paged || parts.iter().map(|(_, share)| share).sum::<f64>() <= 1.0 + 1e-9 {
            return parts;
        }
        let mean: f64 = parts
            .iter()
            .map(|(halves, share)| *halves as f64 * share)
            .sum();
        let (whole, fraction) = (mean.floor(), mean.fract());
        vec![(whole as u64, 1.0 - fraction), (whole as u64 + 1, fraction)]
    }

    fn finish(self, scales: &[Exact], factor: &Exact) -> ExpectedUnits {
        let mut tally = ExpectedUnits::default();
        if factor.is_zero() || self.parts.is_empty() {
            return tally;
        }
        let mut kinds: Vec<&Added> = self.parts.iter().collect();
        kinds.sort_by_key(|part| (part.kind.rule, part.kind.what, part.kind.halves));
        let mut halves = Sum::default();
        for Added { kind, sum, sizes } in kinds {
            sum.0.iter().for_each(|(scale, parts)| {
                halves.add(
                    Weight {
                        scale: *scale,
                        parts: *parts,
                    },
                    kind.halves,
                )
            });
            let known = tally.kinds.entry(kind.rule).or_default();
            *known += 1;
            if *known <= SHOWN + 1 {
                tally.shown.push((
                    *kind,
                    CasePart {
                        weight: &sum.exact(scales) * factor,
                        sizes: *sizes,
                    },
                ));
            }
        }
        tally.units = &(&halves.exact(scales) * factor) * &Exact::ratio(1, 2);
        tally.units_per_call = self.units_per_call(scales, factor);
        tally
    }
}

impl ExpectedUnits {
    /// The total units that the calls of a trace consumed.
    pub fn measured(halves: u128, traced: &Traced) -> ExpectedUnits {
        if halves == 0 {
            return ExpectedUnits::default();
        }
        let units = Exact::whole(halves) / Exact::from(2);
        let calls = if traced.uncounted {
            "an unknown number of calls".to_string()
        } else {
            count_of(traced.calls, "call")
        };
        let text = format!(
            "{} of {calls} in the trace{}",
            count_of(units.clone(), "unit"),
            traced.scaled
        );
        let units = units / Exact::from(traced.calls.max(1));
        let units_per_call = vec![(
            (&units * &Exact::from(2))
                .ceil()
                .to_u64()
                .unwrap_or(u64::MAX),
            1.0,
        )];
        ExpectedUnits {
            units,
            units_per_call,
            traced: Some(text),
            ..ExpectedUnits::default()
        }
    }

    /// The working: for each rule, how often × how many units, for what.
    pub fn because(&self, unit: &str) -> Vec<Because> {
        let mut rules: Vec<(&'static str, Vec<String>)> = Vec::new();
        for (CaseKind { halves, rule, what }, part) in &self.shown {
            let times = if part.weight == Exact::one() {
                String::new()
            } else {
                format!("{} x ", part.weight.human(6))
            };
            let size = match part.sizes {
                Some((low, high)) if low == high => format!(", {low}"),
                Some((low, high)) => format!(", {low} to {high}"),
                None => String::new(),
            };
            let plural = if *halves == 2 {
                unit
            } else {
                &format!("{unit}s")
            };
            let text = format!(
                "{times}{} {plural} ({what}{size})",
                Exact::ratio(*halves, 2).human(1)
            );
            match rules.last_mut().filter(|(last, _)| last == rule) {
                Some((_, texts)) => texts.push(text),
                None => rules.push((rule, vec![text])),
            }
        }
        let sum = |(rule, texts): (&'static str, Vec<String>)| {
            // A single remaining term is shown: it is as short as saying that there is one.
            let more = self
                .kinds
                .get(rule)
                .map_or(0, |kinds| kinds - SHOWN.min(*kinds));
            match more {
                0 | 1 => Because::rule(rule, texts.join(" + ")),
                _ => Because::rule(
                    rule,
                    format!("{} + {more} more sizes", texts[..SHOWN].join(" + ")),
                ),
            }
        };
        rules
            .into_iter()
            .map(sum)
            .chain(self.traced.iter().map(Because::plain))
            .collect()
    }
}

/// What one call of a trace consumed on average.
pub(super) fn measured(traced: &Traced) -> Expected {
    let tallies = |target: &TargetUnits| Tallies {
        read: ExpectedUnits::measured(target.read_halves, traced),
        write: ExpectedUnits::measured(target.write * 2, traced),
    };
    let calls = Exact::from(traced.calls.max(1));
    Expected {
        home: traced.home.iter().map(tallies).collect(),
        in_replicas: Vec::new(),
        by_replica: traced
            .in_replicas
            .iter()
            .map(|(region, targets)| (region.clone(), targets.iter().map(tallies).collect()))
            .collect(),
        replicated_bytes: Exact::whole(traced.replicated_bytes) / calls.clone(),
        captured: Exact::whole(traced.captured) / calls,
    }
}

/// One unit of one target, as AWS reported it: a write is repeated in every other region of a
/// global table.
pub(super) fn counted(direction: Direction, target: Target, table: &Table) -> Expected {
    let one = ExpectedUnits {
        units: Exact::one(),
        units_per_call: vec![(2, 1.0)],
        traced: Some("1 unit, as AWS reports it".to_string()),
        ..ExpectedUnits::default()
    };
    let tallies = |at: Target| match (at == target, direction) {
        (false, _) => Tallies::default(),
        (true, Direction::Read) => Tallies {
            read: one.clone(),
            write: ExpectedUnits::default(),
        },
        (true, Direction::Write) => Tallies {
            read: ExpectedUnits::default(),
            write: one.clone(),
        },
    };
    let home: Vec<Tallies> = Target::all(table.indexes.len()).map(tallies).collect();
    let in_replicas = match direction {
        Direction::Read => Vec::new(),
        Direction::Write => home.clone(),
    };
    Expected {
        home,
        in_replicas,
        by_replica: BTreeMap::new(),
        replicated_bytes: Exact::zero(),
        captured: Exact::zero(),
    }
}

/// Meters the cases and adds up their expected units. The write units of an index are multiplied by
/// its coverage.
pub(super) fn expect(
    cases: &Cases,
    table: &Table,
    designs: &[IndexDesign],
    switches: &Switches,
    replicated: bool,
) -> Expected {
    let targets = table.indexes.len() + 1;
    let (mut home, mut in_replicas) = (
        vec![[Adding::default(), Adding::default()]; targets],
        vec![[Adding::default(), Adding::default()]; targets],
    );
    let (mut sent, mut captured) = (Sum::default(), Sum::default());
    for case in &cases.list {
        add(&mut home, &meter(table, &case.operation, switches), case);
        if replicated {
            add(
                &mut in_replicas,
                &replicate(table, &case.operation, switches),
                case,
            );
        }
        if !case.changes_nothing {
            sent.add(case.weight, replicated_bytes(&case.operation).0);
            captured.add(case.weight, change_data_capture_units(&case.operation));
        }
    }
    let finish = |targets: Vec<[Adding; 2]>| {
        let one = Exact::one();
        let tallies = |(at, [read, write]): (usize, [Adding; 2])| {
            let coverage = at
                .checked_sub(1)
                .and_then(|index| designs.get(index))
                .map_or(&one, |design| &design.coverage);
            Tallies {
                read: read.finish(&cases.scales, &one),
                write: write.finish(&cases.scales, coverage),
            }
        };
        targets.into_iter().enumerate().map(tallies).collect()
    };
    Expected {
        home: finish(home),
        in_replicas: finish(in_replicas),
        by_replica: BTreeMap::new(),
        replicated_bytes: sent.exact(&cases.scales),
        captured: captured.exact(&cases.scales),
    }
}

fn add(targets: &mut [[Adding; 2]], consumed: &ConsumedCapacity, case: &Case) {
    let mut put = |at: usize, target: &TargetCapacity, reason: CaseReason| {
        let [read, write] = &mut targets[at];
        read.add(reason, target.read.halves(), case.weight);
        write.add(reason, target.write.0 * 2, case.weight);
    };
    put(0, &consumed.of_table(), case.table);
    if case.table_only {
        return;
    }
    let transitions = written(&case.operation)
        .map(|write| write.indexes.as_slice())
        .unwrap_or_default();
    for (at, target) in consumed.indexes.iter().enumerate() {
        put(
            at + 1,
            target,
            transitions.get(at).map_or(case.table, |transition| {
                reason(transition, case.entries_bounded)
            }),
        );
    }
}

/// The write inside an operation of one action.
fn written(operation: &Operation) -> Option<&Write> {
    use crate::table::TransactionAction;
    match operation {
        Operation::PutItem(write)
        | Operation::UpdateItem(write)
        | Operation::DeleteItem(write)
        | Operation::TimeToLiveDelete(write) => Some(write),
        Operation::BatchWriteItem(batch) => batch.first(),
        Operation::TransactWriteItems { actions, .. } => match actions.first() {
            Some(TransactionAction::Write(write)) => Some(write),
            _ => None,
        },
        _ => None,
    }
}

fn reason(transition: &Transition, bounded: bool) -> CaseReason {
    let (what, at_most, size) = match *transition {
        Transition::Absent => ("no entry", "no entry", None),
        Transition::Unchanged => ("entry unchanged", "entry unchanged", None),
        Transition::Inserted { new } => ("entry put", "entry put, at most 1 KB", Some(new)),
        Transition::Removed { old } => ("entry deleted", "entry deleted, at most 1 KB", Some(old)),
        Transition::Replaced { old, new } => (
            "entry rewritten",
            "entry rewritten, at most 1 KB",
            Some(old.max(new)),
        ),
        Transition::Moved { new, .. } => (
            "entry deleted and put at its new key",
            "entry of at most 1 KB deleted and put at its new key",
            Some(new),
        ),
    };
    match bounded {
        true => CaseReason::new("3.8", at_most, None),
        false => CaseReason::new("3.8", what, size),
    }
}
