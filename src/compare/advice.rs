//! The ranked list of changes, and the combinations that exclude nothing.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rust_decimal::Decimal;

use super::commitment::{self, Curve, Mix, best_mix};
use super::{Alternative, AlternativeKind, Bursts, CapacityMode, CapacityPlan, Context, Footing};
use crate::estimate::EstimateError;
use crate::money::Money;
use crate::workload::{DesignPart, Workload};

/// A change worth making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What it changes.
    pub kind: AlternativeKind,
    /// The table, where it is about one.
    pub table: Option<String>,
    /// The index, where it is about one.
    pub index: Option<String>,
    /// What to change.
    pub change: String,
    /// What it alone saves in a month.
    pub saves: Money,
    /// What there is to know of it.
    pub why: String,
    /// What it risks.
    pub risk: Option<String>,
    /// Whether the application sees no difference, or the owner must decide.
    pub footing: Footing,
    /// The part of the file, and what to write there.
    pub edit: Option<(DesignPart, String)>,
    /// Whether it is part of the best combination.
    pub in_best: bool,
}

/// Changes that go together, priced as one design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// The changes, in the order in which they save.
    pub changes: Vec<String>,
    /// The month's total with them.
    pub monthly: Money,
    /// The commitments that are best on top of them.
    pub commitment: Option<Mix>,
    /// The month's total with these as well.
    pub monthly_with_commitment: Money,
}

/// Alternatives that save, the best of each slot, the largest saving first.
pub(super) fn ranked(alternatives: &[Alternative], best: &Combination) -> Vec<Advice> {
    let mut saving: Vec<&Alternative> = alternatives
        .iter()
        .filter(|one| one.saves() && one.footing != Footing::WhatIf)
        .collect();
    // Of equals the first, which moves least.
    saving.sort_by_key(|one| one.delta());
    let mut slots = BTreeSet::new();
    let mut list = Vec::new();
    for one in saving {
        // Of alternatives that exclude each other the best alone is advice; so of those that need a
        // decision.
        let slot = match one.kind {
            AlternativeKind::Commitment => "commitment".to_string(),
            _ => one.slot.clone(),
        };
        if !slots.insert((slot, one.footing)) {
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
        });
    }
    list
}

/// A saving below a thousandth of what is left is not worth the change.
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

/// The best combination that asks for no decision, and that of everything that can be had.
pub(super) fn combinations(
    context: &Context,
    alternatives: &[Alternative],
    total: Money,
) -> Result<(Combination, Combination), EstimateError> {
    let (kept, all) = rayon::join(
        || combine(context, alternatives, total, false),
        || combine(context, alternatives, total, true),
    );
    let (kept, all) = (kept?, all?);
    // A way that starts from more choices may end at a worse place; the better of both is the best
    // of all.
    let all = if all.monthly_with_commitment <= kept.monthly_with_commitment {
        all
    } else {
        kept.clone()
    };
    Ok((kept, all))
}

/// Takes the change that saves most, prices everything again on top of it, and goes on until
/// nothing saves.
fn combine(
    context: &Context,
    alternatives: &[Alternative],
    total: Money,
    decisions: bool,
) -> Result<Combination, EstimateError> {
    let usable: Vec<&Alternative> = alternatives
        .iter()
        .filter(|one| one.is_priced() && one.change.is_some())
        .filter(|one| {
            one.footing == Footing::Sure || (decisions && one.footing == Footing::Decision)
        })
        .collect();
    let mut best: Option<Combination> = None;
    // From the design itself, and from each capacity that could be the base of commitments.
    let found: Vec<Result<Combination, EstimateError>> = starts(&usable)
        .into_par_iter()
        .map(|start| climb(context, &usable, start, total))
        .collect();
    for found in found {
        let found = found?;
        if best
            .as_ref()
            .is_none_or(|best| found.monthly_with_commitment < best.monthly_with_commitment)
        {
            best = Some(found);
        }
    }
    Ok(best.unwrap_or(Combination {
        changes: Vec::new(),
        monthly: total,
        commitment: None,
        monthly_with_commitment: total,
    }))
}

/// The first changes of a combination: none, or every table provisioned. Units that are fixed save
/// most by themselves; those that follow the demand fall with what other changes save.
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
) -> Result<Combination, EstimateError> {
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
            // What each table could do alone, they cannot do together.
            Err(_) => return committed(context, context.workload, Vec::new(), total),
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
        // Of equals the first, so that the order of threads does not matter.
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
    // What is committed on the way in may save more than every change after it; and a change that
    // saves little may stand in the way of a commitment that saves more.
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
    Ok(best)
}

/// The combination without the one change whose absence, with its commitments, saves most.
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

/// A combination with the commitments that are best on top of it.
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
    let delta = commitment::delta(&curve, &mix, &workload.month)?;
    Ok(Combination {
        changes: taken.into_iter().map(described).collect(),
        monthly,
        monthly_with_commitment: Money::sum([monthly, delta])?,
        commitment: mix.commits().then_some(mix),
    })
}

/// As many changes as are priced again in a step; those that saved least by themselves are left
/// out.
const TRIED_MAX: usize = 40;
