//! Commitments as alternatives: reserved capacity, Database Savings Plans, and the best mix of both.

use super::mix::{Offer, best_mix};
use super::throughput::Curve;
use super::{Alternative, AlternativeKind, AlternativeState, Context};
use crate::commitments::CommitmentKind;
use crate::estimate::EstimateError;
use crate::money::{Money, MoneyError};
use crate::pricing::PriceBook;
use crate::table::{ByDirection, Direction, TableClass};
use crate::time::{Date, HOURS_A_YEAR};
use crate::units::Exact;
use crate::usage::{ReservedPart, UsageType};
use crate::workload::Workload;

/// The terms of reserved capacity, in years.
fn terms(book: &PriceBook) -> Vec<u64> {
    book.reserved_terms()
        .map(|terms| terms.terms_years.clone())
        .unwrap_or_default()
}

/// The commitments sold in a region, and for each term that is not sold there, the reason.
pub fn offers(book: &PriceBook, asked: Option<Date>) -> (Vec<Offer>, Vec<(u64, String)>) {
    let (mut sold, mut missing) = (Vec::new(), Vec::new());
    for years in terms(book) {
        let unit = |direction: Direction| -> Result<(Exact, Exact), String> {
            let of = |part: ReservedPart| -> Result<Exact, String> {
                let tiers = book
                    .tiers(&UsageType::Reserved {
                        years,
                        direction,
                        part,
                    })
                    .map_err(|error| error.to_string())?;
                Ok(tiers
                    .first()
                    .map(|tier| Exact::from(tier.published.rate.decimal()))
                    .unwrap_or_default())
            };
            let upfront = of(ReservedPart::Upfront)?;
            Ok((
                of(ReservedPart::Hourly)? + &upfront / &Exact::from(HOURS_A_YEAR * years),
                upfront,
            ))
        };
        match (unit(Direction::Read), unit(Direction::Write)) {
            (Ok((read, upfront_read)), Ok((write, upfront_write))) => {
                sold.push(Offer::Reserved {
                    years,
                    read,
                    write,
                    upfront: ByDirection {
                        read: upfront_read,
                        write: upfront_write,
                    },
                });
            }
            (Err(why), _) | (_, Err(why)) => missing.push((years, why)),
        }
    }
    if book.sells_savings_plans(asked) {
        sold.push(Offer::Plan);
    }
    (sold, missing)
}

const SAVINGS_PLAN: &str = "a Database Savings Plan";

/// The best mix of some commitments on the current design.
fn priced(
    curve: &Curve,
    workload: &Workload,
    total: Money,
    name: &str,
    offers: &[Offer],
) -> Result<Alternative, MoneyError> {
    let alternative = Alternative::new(AlternativeKind::Commitment, name);
    let mix = best_mix(curve, offers);
    if !mix.commits() {
        return Ok(alternative.impossible("it would save nothing on the current design"));
    }
    let delta = mix.change(curve, &workload.month)?;
    let mut alternative = alternative
        .because(mix.words())
        .risking("you pay for the whole term, even if traffic drops")
        .edit(mix.edit(&workload.region));
    alternative.state = AlternativeState::Priced {
        monthly: Money::sum([total, delta])?,
        delta,
    };
    Ok(alternative)
}

/// Why no savings plan can be bought; `None` if one can.
fn no_plan(curve: &Curve, book: &PriceBook, prices: Option<Date>) -> Option<String> {
    if curve.is_empty() {
        return Some("the design has no throughput to cover".to_string());
    }
    if book.sells_savings_plans(prices) {
        return None;
    }
    Some(match book.savings_plan() {
        Some(plan) => format!(
            "AWS has sold it since {}, and the prices used are from {}",
            plan.sold_from,
            book.date()
        ),
        None => "the price books do not list its discount".to_string(),
    })
}

/// Whether the account has reserved capacity already.
fn has_reserved(workload: &Workload) -> bool {
    let mut kinds = workload.commitments.iter().map(|one| &one.kind);
    kinds.any(|kind| matches!(kind, CommitmentKind::Reserved { .. }))
}

/// Each commitment on the current design, and the best mix. Commitments on top of other capacity
/// modes are part of the combinations.
pub(super) fn alternatives(
    context: &Context,
    total: Money,
) -> Result<Vec<Alternative>, EstimateError> {
    let workload = context.workload;
    let Some(book) = context.metering.book(&workload.region) else {
        return Ok(Vec::new());
    };
    let curve = Curve::of(context.metering)?;
    let (sold, missing) = offers(book, workload.prices);
    let mut all = Vec::new();
    let priced = |name: &str, offers: &[Offer]| priced(&curve, workload, total, name, offers);
    for years in terms(book) {
        let name = format!(
            "reserved capacity for {years} year{}",
            if years == 1 { "" } else { "s" }
        );
        let offer = sold
            .iter()
            .find(|offer| matches!(offer, Offer::Reserved { years: of, .. } if *of == years));
        all.push(match offer {
            None => {
                let why = missing
                    .iter()
                    .find(|(of, _)| *of == years)
                    .map(|(_, why)| why.clone())
                    .unwrap_or_default();
                Alternative::new(AlternativeKind::Commitment, name)
                    .impossible(format!("not available in {}: {why}", workload.region))
            }
            Some(_) if !curve.is_reservable() && has_reserved(workload) => {
                Alternative::new(AlternativeKind::Commitment, name)
                    .impossible("what the account has reserved already covers all that it could")
            }
            Some(_) if !curve.is_reservable() => {
                Alternative::new(AlternativeKind::Commitment, name).impossible(
                    "it covers only provisioned Standard-class capacity of single-region tables, \
                     and the design has none",
                )
            }
            Some(offer) => priced(&name, std::slice::from_ref(offer))?,
        });
    }
    all.push(match no_plan(&curve, book, workload.prices) {
        Some(why) => Alternative::new(AlternativeKind::Commitment, SAVINGS_PLAN).impossible(why),
        None => priced(SAVINGS_PLAN, &[Offer::Plan])?,
    });
    if !curve.is_empty() && !sold.is_empty() {
        all.push(priced(
            "the best mix of reserved capacity and savings plan",
            &sold,
        )?);
    }
    let ia: Vec<&str> = workload
        .tables
        .iter()
        .filter(|table| table.table.class == TableClass::StandardIa)
        .map(|table| table.table.name.as_str())
        .collect();
    for table in ia {
        let mut alternative = Alternative::new(
            AlternativeKind::Commitment,
            "reserved capacity of a Standard-IA table",
        )
        .impossible("reserved capacity covers the Standard class only");
        alternative.table = Some(table.to_string());
        all.push(alternative);
    }
    Ok(all)
}
