//! The ranked list of changes, and the best combinations of changes that do not exclude each other.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rust_decimal::Decimal;

use super::commitment;
use super::mix::{Mix, best_mix};
use super::throughput::Curve;
use super::{Alternative, AlternativeKind, Bursts, CapacityMode, CapacityPlan, Context, Footing};
use crate::estimate::EstimateError;
use crate::money::Money;
use crate::workload::{DesignEdit, Workload};

/// A change worth making.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// What it changes.
    pub kind: AlternativeKind,
    /// The table that it applies to, if any.
    pub table: Option<String>,
    /// The index that it applies to, if any.
    pub index: Option<String>,
    /// What to change.
    pub change: String,
    /// What it saves in a month on its own.
    pub saves: Money,
    /// The explanation.
    pub why: String,
    /// What it risks.
    pub risk: Option<String>,
    /// Whether the application sees no difference, or it is a trade-off.
    pub footing: Footing,
    /// What to write in the file.
    pub edit: Option<DesignEdit>,
    /// Whether it is part of the best combination.
    pub in_best: bool,
    /// Changes with the same slot exclude each other.
    slot: String,
}

impl Advice {
    /// Whether it cannot be made together with another change, since both change the same thing.
    pub fn excludes(&self, other: &Advice) -> bool {
        self.slot == other.slot
    }
}

/// Changes that can be made together, priced as one design.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Combination {
    /// The changes, in the order in which they were chosen.
    pub changes: Vec<String>,
    /// The month's total with them.
    pub monthly: Money,
    /// The best commitments on top of them.
    pub commitment: Option<Mix>,
    /// The month's total with the changes and the commitments.
    pub monthly_with_commitment: Money,
    /// What to write in the file for all of it.
    pub edit: DesignEdit,
}

/// Alternatives that save, the best of each slot, the largest saving first.
pub(super) fn ranked(alternatives: &[Alternative], best: &Combination) -> Vec<Advice> {
    let mut saving: Vec<&Alternative> = alternatives
        .iter()
        .filter(|one| one.saves() && one.footing != Footing::WhatIf)
        .collect();
    // The sort is stable: of equal savings, the alternative that is listed first wins; its capacity
    // changes least.
    saving.sort_by_key(|one| one.delta());
    let mut slots = BTreeSet::new();
    let mut list = Vec::new();
    for one in saving {
        // Only the best of the alternatives that exclude each other becomes advice, with and
        // without a trade-off separately.
        let slot = match one.kind {
            AlternativeKind::Commitment => "commitment".to_string(),
            _ => one.slot.clone(),
        };
        if !slots.insert((slot.clone(), one.footing)) {
            continue;
        }
        if !is_worth_words(one) {
            continue;
        }
        let Some(saves) = one.delta().and_then(|delta| Money::ZERO.minus(delta).ok()) else {
            continue;
        };
        list.push(Advice {
            kind: one.kind.clone(),
            table: one.table.clone(),
            index: one.index.clone(),
            change: one.name.clone(),
            saves,
            why: one.why.clone(),
            risk: one.risk.clone(),
            footing: one.footing,
            edit: one.edit.clone(),
            in_best: best.changes.contains(&described(one)),
            slot,
        });
    }
    list
}

/// A saving below 0.1 % of the new total is not worth the change.
fn is_worth_words(alternative: &Alternative) -> bool {
    let (Some(delta), Some(monthly)) = (alternative.delta(), alternative.monthly()) else {
        return false;
    };
    Money::ZERO.minus(delta).is_ok_and(|saves| {
        saves
            .percent_of(monthly)
            .is_none_or(|percent| percent >= Decimal::new(1, 1))
    })
}

fn described(alternative: &Alternative) -> String {
    let place = [alternative.table.as_deref(), alternative.index.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" / ");
    if place.is_empty() {
        alternative.name.clone()
    } else {
        format!("{place}: {}", alternative.name)
    }
}

/// The best combinations of a set of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BestCombinations {
    /// The cheapest without any commitment.
    pub uncommitted: Combination,
    /// The cheapest with commitments on top; other changes may suit them better.
    pub committed: Combination,
}

impl BestCombinations {
    /// The better of both in each respect.
    fn or(self, other: BestCombinations) -> BestCombinations {
        BestCombinations {
            uncommitted: match other.uncommitted.monthly < self.uncommitted.monthly {
                true => other.uncommitted,
                false => self.uncommitted,
            },
            committed: match other.committed.monthly_with_commitment
                < self.committed.monthly_with_commitment
            {
                true => other.committed,
                false => self.committed,
            },
        }
    }
}

/// The best combinations without trade-offs, and those of all feasible changes.
pub(super) fn combinations(
    context: &Context,
    alternatives: &[Alternative],
    total: Money,
) -> Result<(BestCombinations, BestCombinations), EstimateError> {
    let (kept, all) = rayon::join(
        || combine(context, alternatives, total, false),
        || combine(context, alternatives, total, true),
    );
    let kept = kept?;
    // A greedy search with more choices may end with a worse result, so take the better of both.
    let all = kept.clone().or(all?);
    Ok((kept, all))
}

/// Greedy search: applies the change that saves most, prices the others again on top of it, and
/// repeats until nothing saves.
fn combine(
    context: &Context,
    alternatives: &[Alternative],
    total: Money,
    decisions: bool,
) -> Result<BestCombinations, EstimateError> {
    let usable: Vec<&Alternative> = alternatives
        .iter()
        .filter(|one| one.is_priced() && one.change.is_some())
        .filter(|one| {
            one.footing == Footing::Sure || (decisions && one.footing == Footing::Decision)
        })
        .collect();
    let none = Combination {
        changes: Vec::new(),
        monthly: total,
        commitment: None,
        monthly_with_commitment: total,
        edit: DesignEdit::default(),
    };
    let mut best = BestCombinations {
        uncommitted: none.clone(),
        committed: none,
    };
    // Starts from the design itself, and from each capacity mode that commitments could build on.
    let found: Vec<Result<BestCombinations, EstimateError>> = starts(&usable)
        .into_par_iter()
        .map(|start| climb(context, &usable, start, total))
        .collect();
    for found in found {
        best = best.or(found?);
    }
    Ok(best)
}

/// The first changes of a combination: none, or every table provisioned. Fixed units save most on
/// their own; scaled units decrease when other changes reduce the demand.
fn starts<'a>(usable: &[&'a Alternative]) -> Vec<Vec<&'a Alternative>> {
    let all = |(mode, bursts): (CapacityMode, Bursts)| -> Vec<&'a Alternative> {
        let kind = AlternativeKind::Capacity(CapacityPlan::Provisioned(mode, bursts));
        usable
            .iter()
            .copied()
            .filter(|one| one.kind == kind)
            .collect()
    };
    let provisioned = [
        (CapacityMode::Fixed, Bursts::Without),
        (CapacityMode::Cheapest, Bursts::Without),
        (CapacityMode::AutoScaled, Bursts::Without),
        (CapacityMode::AutoScaled, Bursts::Counted),
    ]
    .map(all);
    std::iter::once(Vec::new())
        .chain(provisioned.into_iter().filter(|start| !start.is_empty()))
        .collect()
}

/// A priced step: the changed workload, its total, and the alternative that led there.
type AdviceStep<'a> = (Money, Workload, &'a Alternative);

fn climb(
    context: &Context,
    usable: &[&Alternative],
    start: Vec<&Alternative>,
    total: Money,
) -> Result<BestCombinations, EstimateError> {
    let mut workload = context.workload.clone();
    let mut monthly = total;
    let mut taken: Vec<&Alternative> = Vec::new();
    for one in start {
        context.apply(&mut workload, one);
        taken.push(one);
    }
    if !taken.is_empty() {
        match context.price(&workload)? {
            Ok(now) => monthly = now,
            // The changes are possible one by one, but not together.
            Err(_) => {
                let as_it_is = committed(context, context.workload, Vec::new(), total)?;
                return Ok(BestCombinations {
                    uncommitted: as_it_is.clone(),
                    committed: as_it_is,
                });
            }
        }
    }
    let first = committed(context, &workload, taken.clone(), monthly)?;
    let mut untried: Vec<&Alternative> = usable.iter().copied().filter(|one| one.saves()).collect();
    untried.sort_by_key(|one| one.delta());
    loop {
        let open = untried
            .iter()
            .filter(|one| taken.iter().all(|other| other.slot != one.slot))
            .take(TRIED_MAX);
        let candidates: Vec<&Alternative> = open.copied().collect();
        let priced = candidates.par_iter().filter_map(|one| {
            let mut changed = workload.clone();
            context.apply(&mut changed, one);
            let now = context.price(&changed).ok()?.ok()?;
            (now < monthly).then_some((now, changed, *one))
        });
        // Of equal totals, take the first, so that the order of threads does not matter.
        let steps: Vec<AdviceStep> = priced.collect();
        let step = steps.into_iter().min_by_key(|(now, _, _)| *now);
        match step {
            Some((now, changed, one)) => {
                (monthly, workload) = (now, changed);
                taken.push(one);
            }
            None => break,
        }
    }
    let end = committed(context, &workload, taken.clone(), monthly)?;
    let uncommitted = if first.monthly <= end.monthly {
        first.clone()
    } else {
        end.clone()
    };
    // Commitments on the starting capacity may save more than all later changes, and a change that
    // saves little may prevent a commitment that saves more.
    let mut best = if first.monthly_with_commitment <= end.monthly_with_commitment {
        first
    } else {
        end
    };
    let mut left = taken;
    while let Some((at, without)) = without_one(context, &left, &best)? {
        best = without;
        left.remove(at);
    }
    Ok(BestCombinations {
        uncommitted,
        committed: best,
    })
}

/// The combination without the one change whose removal lowers the total, commitments included,
/// most.
fn without_one(
    context: &Context,
    taken: &[&Alternative],
    best: &Combination,
) -> Result<Option<(usize, Combination)>, EstimateError> {
    let without = |at: usize| -> Result<Option<Combination>, EstimateError> {
        let rest: Vec<&Alternative> = taken
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, one)| *one)
            .collect();
        let mut workload = context.workload.clone();
        rest.iter()
            .for_each(|one| context.apply(&mut workload, one));
        let Ok(monthly) = context.price(&workload)? else {
            return Ok(None);
        };
        committed(context, &workload, rest, monthly).map(Some)
    };
    let all: Vec<Result<Option<Combination>, EstimateError>> =
        (0..taken.len()).into_par_iter().map(without).collect();
    let mut found: Option<(usize, Combination)> = None;
    for (at, without) in all.into_iter().enumerate() {
        let Some(without) = without? else { continue };
        let least = found
            .as_ref()
            .map_or(best.monthly_with_commitment, |(_, found)| {
                found.monthly_with_commitment
            });
        if without.monthly_with_commitment < least {
            found = Some((at, without));
        }
    }
    Ok(found)
}

/// A combination with the best commitments on top of it.
fn committed(
    context: &Context,
    workload: &Workload,
    taken: Vec<&Alternative>,
    monthly: Money,
) -> Result<Combination, EstimateError> {
    let metering = context.metering.after(workload, context.books)?;
    let curve = Curve::of(&metering)?;
    let offers = metering
        .book(&workload.region)
        .map(|book| commitment::offers(book, workload.prices).0)
        .unwrap_or_default();
    let mix = best_mix(&curve, &offers);
    let delta = mix.change(&curve, &workload.month)?;
    let edits = taken.iter().filter_map(|one| one.edit.clone());
    let edit = edits.fold(DesignEdit::default(), DesignEdit::then);
    Ok(Combination {
        changes: taken.iter().map(|one| described(one)).collect(),
        monthly,
        monthly_with_commitment: Money::sum([monthly, delta])?,
        edit: match mix.commits() {
            true => edit.then(mix.edit(&workload.region)),
            false => edit,
        },
        commitment: mix.commits().then_some(mix),
    })
}

/// The most changes that are priced again in a step; those that save least on their own are left
/// out.
const TRIED_MAX: usize = 40;
