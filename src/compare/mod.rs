//! What should change: the design under every alternative that AWS sells, break-evens, and a ranked list.
//!
//! Every alternative is a changed workload that goes through the same meter, ledger and prices as the design
//! itself. What cannot be had is listed with the reason; what a price book lacks makes an alternative unknown,
//! never cheap.

mod advice;
mod backups;
mod break_even;
mod cache;
mod capacity;
mod commitment;
mod curves;
mod items;
mod places;
mod projection;
mod search;
mod sensitivity;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

pub use advice::{Advice, Combination};
pub use break_even::BreakEven;
pub use commitment::{Curve, Mix, Offer, best_mix};
pub use curves::{
    Crossing, Curves, HitRatio, HitRatios, Hours, Move, Narrower, Provided, Retention, Throttles, Utilization, Way, Week,
    compare_with_curves, designed_throttles,
};
pub use search::{Found, auto_scaled, cheapest_fixed};
pub use sensitivity::{Swing, swings};

use crate::capacity::Demand;
use crate::diag::{Origins, Place};
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{BookError, Books, Unknown};
use crate::units::Exact;
use crate::usage::{FreeTier, Throughput, Usage};
use crate::workload::{TableDesign, Workload};

/// What the user wants to know of, beside the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The share of the demand that may be throttled, in billionths: 1,000 is one in a million.
    pub throttled_billionths: u64,
    /// By how much items shrink where they are compressed.
    pub compression: u64,
    /// Into how many equal parts an item is split.
    pub split: u64,
    /// Years that backups and archives are kept.
    pub retention_years: u64,
}

impl Default for Question {
    /// One request in a million; items compressed to a quarter, split in two; backups kept for seven years.
    fn default() -> Question {
        Question { throttled_billionths: 1_000, compression: 4, split: 2, retention_years: 7 }
    }
}

/// What an alternative changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Capacity mode and units.
    Capacity,
    /// Reserved capacity and savings plans.
    Commitment,
    /// Standard or Standard-IA.
    TableClass,
    /// What an index holds.
    Projection,
    /// A DAX cluster.
    Dax,
    /// Where the design runs, and its replicas.
    Regions,
    /// Backups and archives.
    Backup,
    /// What readers and writers are promised.
    Consistency,
    /// How items are stored.
    Item,
}

impl Kind {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Capacity => "capacity",
            Kind::Commitment => "commitment",
            Kind::TableClass => "table-class",
            Kind::Projection => "projection",
            Kind::Dax => "dax",
            Kind::Regions => "regions",
            Kind::Backup => "backup",
            Kind::Consistency => "consistency",
            Kind::Item => "item",
        }
    }
}

/// A change of a workload.
pub type Change = Arc<dyn Fn(&mut Workload) + Send + Sync>;

/// One thing that could be otherwise, and what the whole design then costs.
#[derive(Clone)]
pub struct Alternative {
    /// What it changes.
    pub kind: Kind,
    /// What it is.
    pub name: String,
    /// The table that it is about; `None` for the whole design.
    pub table: Option<String>,
    /// The index that it is about.
    pub index: Option<String>,
    /// The month's total of the whole design; `None` where it cannot be had or is not known.
    pub monthly: Option<Money>,
    /// The total less that of the design as it is.
    pub delta: Option<Money>,
    /// Whether AWS sells it and the design allows it.
    pub feasible: bool,
    /// The reason that it is not, or what there is to know.
    pub why: String,
    /// What it asks of whoever decides; `None` where the application sees no difference.
    pub risk: Option<String>,
    /// Whether the application is promised less, or something must be decided that money does not.
    pub decision: bool,
    /// Whether it rests on a fact that the file does not have, such as a hit ratio; then it is no advice.
    pub what_if: bool,
    /// What to write, and the line of the file to write it at.
    pub edit: Option<(usize, String)>,
    /// What it costs beside the design, such as what leaves the table for S3.
    plus: Vec<Usage>,
    /// Alternatives of one slot exclude each other.
    slot: String,
    change: Option<Change>,
}

impl Alternative {
    fn new(kind: Kind, name: impl Into<String>) -> Alternative {
        Alternative {
            kind,
            name: name.into(),
            table: None,
            index: None,
            monthly: None,
            delta: None,
            feasible: true,
            why: String::new(),
            risk: None,
            decision: false,
            what_if: false,
            edit: None,
            plus: Vec::new(),
            slot: String::new(),
            change: None,
        }
    }

    fn of(mut self, table: &TableDesign, index: Option<&str>) -> Alternative {
        self.table = Some(table.table.name.clone());
        self.index = index.map(str::to_string);
        self
    }

    fn because(mut self, why: impl Into<String>) -> Alternative {
        self.why = why.into();
        self
    }

    fn impossible(mut self, why: impl Into<String>) -> Alternative {
        self.feasible = false;
        self.why = why.into();
        self
    }

    fn risking(mut self, risk: impl Into<String>) -> Alternative {
        self.risk = Some(risk.into());
        self
    }

    /// Something that the owner must decide: less is promised, or facts are needed that the file does not have.
    fn deciding(mut self, risk: impl Into<String>) -> Alternative {
        self.decision = true;
        self.risking(risk)
    }

    /// Something that holds only if a fact does that the file does not have.
    fn if_so(mut self, fact: impl Into<String>) -> Alternative {
        self.what_if = true;
        self.risking(fact)
    }

    fn edit(mut self, line: usize, text: impl Into<String>) -> Alternative {
        self.edit = Some((line, text.into()));
        self
    }

    fn change(mut self, slot: impl Into<String>, change: impl Fn(&mut Workload) + Send + Sync + 'static) -> Alternative {
        self.slot = slot.into();
        self.change = Some(Arc::new(change));
        self
    }
}

/// A table of a workload by its name.
fn table_mut<'a>(workload: &'a mut Workload, name: &str) -> Option<&'a mut TableDesign> {
    workload.tables.iter_mut().find(|table| table.table.name == name).map(Arc::make_mut)
}

/// The design, its alternatives, and what follows from them.
pub struct Comparison {
    /// The file of the design.
    pub file: String,
    /// Where its lines come from, where it was made of other files.
    pub origins: Option<Arc<Origins>>,
    /// The design as it is.
    pub outcome: Outcome,
    /// The month's total as it is.
    pub total: Money,
    /// What could be otherwise.
    pub alternatives: Vec<Alternative>,
    /// Where two alternatives cost the same.
    pub break_even: Vec<BreakEven>,
    /// What to change, the largest saving first.
    pub advice: Vec<Advice>,
    /// The best consistent combination of changes that the application does not see.
    pub best: Combination,
    /// The best of all feasible changes, those that somebody must decide on included.
    pub best_with_decisions: Combination,
    /// By how much the total moves with each figure of the file.
    pub swings: Vec<Swing>,
    /// What the comparison takes for granted, beside the assumptions of the estimate.
    pub assumptions: Vec<String>,
    /// How many capacity simulations were run.
    pub simulations: u64,
}

/// A workload with what it meters to, while its alternatives are asked for.
struct Context<'a> {
    workload: &'a Workload,
    books: &'a Books,
    metering: &'a Metering,
    question: &'a Question,
    /// What has no price in the design as it is.
    unknown: &'a [Unknown],
    searches: &'a search::Searches,
    changed: Changed,
}

/// Tables after a change, by where the change and the table before it lie in memory: what is tried again and again on
/// top of other changes is metered once. Both are kept, so that no other takes their places.
type Changed = Mutex<BTreeMap<(usize, usize), (Arc<TableDesign>, Arc<TableDesign>)>>;

impl Context<'_> {
    /// Makes an alternative's change.
    fn apply(&self, workload: &mut Workload, alternative: &Alternative) {
        let Some(change) = &alternative.change else { return };
        let of = |name: &String| workload.tables.iter().position(|table| table.table.name == *name);
        let Some(at) = alternative.table.as_ref().and_then(of) else { return change(workload) };
        let before = workload.tables[at].clone();
        let key = (Arc::as_ptr(change).cast::<()>() as usize, Arc::as_ptr(&before) as usize);
        let known = self.changed.lock().unwrap_or_else(PoisonError::into_inner).get(&key).map(|(_, after)| after.clone());
        match known {
            Some(after) => workload.tables[at] = after,
            None => {
                change(workload);
                let after = workload.tables[at].clone();
                self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (before, after));
            }
        }
    }

    /// What the workload costs after a change, and what speaks against it: provisioned units that no longer cover
    /// what is asked of them, a figure that has no price.
    fn price(&self, changed: &Workload) -> Result<(Money, Option<String>), EstimateError> {
        let metering = self.metering.after(self.workload, changed, self.books)?;
        let (total, unknown) = metering.total(changed)?;
        // What is unknown at another rate, or no more, may have changed by any amount.
        let missing = unknown.iter().find(|one| !self.unknown.contains(one)).map(|one| format!("not known: {}", one.what));
        let hidden = self.unknown.iter().find(|one| !unknown.contains(one));
        let hidden = hidden.map(|one| format!("not known: {}, of the design as it is", one.what));
        Ok((total, missing.or(hidden).or_else(|| self.short(&metering))))
    }

    /// Provisioned units that would not cover the demand, where they do, or do better, in the design as it is.
    fn short(&self, changed: &Metering) -> Option<String> {
        let own = |table: usize, demand: &Demand| {
            self.metering.demand_of(table).iter().find(|one| {
                (&one.index, &one.region, one.throughput == Throughput::Read)
                    == (&demand.index, &demand.region, demand.throughput == Throughput::Read)
            })
        };
        let limit = Exact::ratio(self.question.throttled_billionths, 1_000_000_000);
        // A table that was not changed is short of nothing that it was not short of before.
        let tables = (0..self.workload.tables.len()).filter(|table| !changed.is_same(self.metering, *table));
        let demand = tables.flat_map(|table| changed.demand_of(table).iter().map(move |demand| (table, demand)));
        demand.into_iter().find_map(|(table, demand)| {
            let units = demand.provisioned.as_ref()?;
            let before = own(table, demand);
            let place = demand.place();
            match &units.throttled {
                Some(share) if *share > limit => {
                    let was = before.and_then(|one| one.provisioned.as_ref()).and_then(|units| units.throttled.as_ref());
                    let worse = was.is_none_or(|was| share > was);
                    worse.then(|| format!("{place}: its capacity would throttle {} of the demand; give it other bounds", share.human(6)))
                }
                _ if demand.is_short() => {
                    let worse = before
                        .is_none_or(|one| demand.peak > one.peak || one.provisioned.as_ref().is_none_or(|before| before.high > units.high));
                    worse.then(|| {
                        format!(
                            "{place}: its {} provisioned units would not cover the {} a second of the busiest hour; give it more",
                            Exact::from(units.high),
                            demand.peak.human(1)
                        )
                    })
                }
                _ => None,
            }
        })
    }
}

/// Prices a workload under every alternative.
///
/// # Errors
/// [`EstimateError`] where the design itself has no estimate.
pub fn compare(workload: &Workload, books: &Books, question: &Question) -> Result<Comparison, EstimateError> {
    Ok(with(workload, books, question, |_, _| Ok(()))?.0)
}

/// A comparison, and what else is asked for while everything is at hand.
fn with<T>(
    workload: &Workload,
    books: &Books,
    question: &Question,
    more: impl FnOnce(&Context, &Comparison) -> Result<T, EstimateError>,
) -> Result<(Comparison, T), EstimateError> {
    let metering = Metering::new(workload, books)?;
    let outcome = metering.outcome(workload, books)?;
    let unknown = outcome.bill.unknown.clone();
    let total = outcome.total()?;
    let searches = search::Searches::new(metering.simulations().drawn());
    let for_bills = metering.for_bills();
    let context =
        Context { workload, books, metering: &for_bills, question, unknown: &unknown, searches: &searches, changed: Changed::default() };

    let mut alternatives = alternatives(&context);
    alternatives.par_iter_mut().try_for_each(|alternative| context.settle(alternative, total))?;
    alternatives.extend(commitment::alternatives(&context, total)?);
    let (best, best_with_decisions) = advice::combinations(&context, &alternatives, total)?;
    let break_even = break_even::of(&context, &outcome);
    let advice = advice::ranked(&alternatives, &best);
    let swings = swings(workload, books, total)?;
    let simulations = metering.simulations().count() + for_bills.simulations().count() + searches.count();
    let assumptions = assumptions(&context);
    let comparison = Comparison {
        file: workload.file.clone(),
        origins: workload.origins.clone(),
        outcome,
        total,
        alternatives,
        break_even,
        advice,
        best,
        best_with_decisions,
        swings,
        assumptions,
        simulations,
    };
    let more = more(&context, &comparison)?;
    Ok((comparison, more))
}

impl Comparison {
    /// The place of a line of the design.
    pub fn place(&self, line: usize) -> Place {
        let own = || Place { file: self.file.clone(), line };
        self.origins.as_ref().and_then(|origins| origins.place(line)).unwrap_or_else(own)
    }
}

/// A design in another capacity mode: the alternative with its price, and the changed workload where it has one.
pub type Mode = (Alternative, Option<Workload>);

/// A metered workload in every capacity mode, and with every commitment on top of it as it is.
///
/// # Errors
/// [`EstimateError`] where an amount needs more than 28 digits.
pub fn capacities(
    metering: &Metering,
    workload: &Workload,
    outcome: &Outcome,
    books: &Books,
    question: &Question,
) -> Result<Vec<Mode>, EstimateError> {
    let total = outcome.total()?;
    let searches = search::Searches::new(metering.simulations().drawn());
    let context =
        Context { workload, books, metering, question, unknown: &outcome.bill.unknown, searches: &searches, changed: Changed::default() };
    let tables = workload.tables.iter().enumerate();
    let mut all: Vec<Alternative> =
        tables.flat_map(|(at, table)| capacity::of(&context, at, table).into_iter().chain(capacity::classes(table))).collect();
    all.par_iter_mut().try_for_each(|alternative| context.settle(alternative, total))?;
    all.extend(commitment::alternatives(&context, total)?);
    let changed = |alternative: Alternative| {
        let changed = alternative.change.as_ref().filter(|_| alternative.feasible).map(|change| {
            let mut changed = workload.clone();
            change(&mut changed);
            changed
        });
        (alternative, changed)
    };
    Ok(all.into_iter().map(changed).collect())
}

/// Every alternative but commitments, which are made on top of a capacity; not yet priced.
fn alternatives(context: &Context) -> Vec<Alternative> {
    let mut all = Vec::new();
    let capacities: Vec<Vec<Alternative>> =
        context.workload.tables.par_iter().enumerate().map(|(at, table)| capacity::of(context, at, table)).collect();
    for (table, capacities) in context.workload.tables.iter().zip(capacities) {
        all.extend(capacities);
        all.extend(capacity::classes(table));
        all.extend(projection::of(table));
        all.extend(items::of(context, table));
        all.extend(cache::of(context, table));
        all.extend(backups::of(context, table));
        all.extend(places::replicas(context, table));
    }
    all.extend(places::regions(context));
    all
}

impl Context<'_> {
    /// Prices an alternative by its change. A figure that lacks a price which the design has is no figure.
    fn settle(&self, alternative: &mut Alternative, total: Money) -> Result<(), EstimateError> {
        if alternative.change.is_none() || !alternative.feasible {
            return Ok(());
        }
        let mut changed = self.workload.clone();
        self.apply(&mut changed, alternative);
        match self.price(&changed) {
            Ok((_, Some(against))) => {
                alternative.feasible = false;
                alternative.why = against;
                alternative.change = None;
            }
            Ok((monthly, None)) => {
                let monthly = Money::sum([monthly, self.metering.price(self.workload, &alternative.plus)?])?;
                alternative.delta = Some(monthly.minus(total)?);
                alternative.monthly = Some(monthly);
            }
            Err(EstimateError::Book(error)) => {
                alternative.feasible = false;
                alternative.why = match error {
                    BookError::TooEarly { region, date, starts, .. } => {
                        format!("the prices of {region} are known from {starts} on, not at {date}")
                    }
                    other => other.to_string(),
                };
                alternative.change = None;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn assumptions(context: &Context) -> Vec<String> {
    let mut list = crate::estimate::simulation(&context.workload.horizon);
    let share = Exact::ratio(context.question.throttled_billionths, 1_000_000_000);
    list.push(format!("provisioned capacity is safe where at most {} of the simulated demand is throttled", share.human(9)));
    list.push("fixed and scheduled capacity is safe without bursts, which AWS gives as far as it can; auto scaling lives on them while it follows".to_string());
    list.push("each of the accounts of a table, its own and its global indexes', draws its calls by itself".to_string());
    list.push(
        "Database Savings Plans take 18 % off on-demand and 12 % off provisioned throughput: read from AWS's offer file of ap-south-2, \
         inferred elsewhere"
            .to_string(),
    );
    list.push(
        "a narrower projection makes each item that a query of the index evaluates a read of the table, in batches of 100".to_string(),
    );
    if context.workload.free.contains(&FreeTier::Throughput) {
        list.push("the free tier's capacity hours are taken off what commitments could cover evenly over the month".to_string());
    }
    list.push("compressed and split items change in size alone; what they cost in processor time or in code is in no figure".to_string());
    list
}
