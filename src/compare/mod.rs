//! Compares a design with every alternative that AWS sells, finds break-evens, and ranks the
//! changes that are worth making.
//!
//! Every alternative is a changed workload that goes through the same meter, ledger and prices as
//! the design itself. An alternative that is not possible is listed with the reason; one that needs
//! a price missing from the price books is unknown, never cheap.

mod advice;
mod alternative;
mod backups;
mod break_even;
mod cache;
mod capacity;
mod commitment;
mod curves;
mod items;
mod mix;
mod places;
mod projection;
mod search;
mod sensitivity;
mod throughput;
mod utilization;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

pub use advice::{Advice, Combination};
pub use alternative::{
    Alternative, AlternativeKind, AlternativeState, BackupPlan, CapacityMode, CapacityPlan,
    Footing, RegionChange,
};
pub use break_even::{BreakEven, BreakEvenKind};
pub use commitment::offers;
pub use curves::{
    Curves, HitRatioPoint, HitRatios, Hours, Move, Narrower, Provided, Retention, Throttles, Week,
    compare_with_curves, designed_throttles,
};
pub use mix::{Mix, Offer, best_mix};
pub use search::{Bursts, FoundCapacity, cheapest_auto_scaled, cheapest_fixed};
pub use sensitivity::{Swing, swings};
pub use throughput::Curve;
pub use utilization::{Crossing, Payment, Utilization, Way};

use crate::capacity::Demand;
use crate::capacity::series::Horizon;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{BookError, Books, PriceBook, Unknown};
use crate::table::{Direction, Target};
use crate::units::Exact;
use crate::usage::FreeTier;
use crate::workload::{TableDesign, Workload, Written};

/// The options of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The share of the demand that may be throttled, in billionths: 1,000 is one in a million.
    pub throttled_billionths: u64,
    /// The factor by which compression shrinks items.
    pub compression: u64,
    /// The number of equal parts that an item is split into.
    pub split: u64,
    /// Years that backups and archives are kept.
    pub retention_years: u64,
    /// How demand is simulated in the search for capacity. Pricing, and the check that a capacity
    /// is safe, always use a week in steps of one second.
    pub horizon: Horizon,
}

impl Default for Question {
    /// One request in a million; items compressed to a quarter, split in two; backups kept for
    /// seven years.
    fn default() -> Question {
        Question {
            throttled_billionths: 1_000,
            compression: 4,
            split: 2,
            retention_years: 7,
            horizon: Horizon::default(),
        }
    }
}

/// A table of a workload by its name.
fn table_mut<'a>(workload: &'a mut Workload, name: &str) -> Option<&'a mut TableDesign> {
    workload
        .contents_mut()
        .tables
        .iter_mut()
        .find(|table| table.table.name == name)
        .map(Arc::make_mut)
}

/// A table of a design, to change it, and the position of one of its indexes.
fn index_mut<'a>(
    workload: &'a mut Workload,
    table: &str,
    index: &str,
) -> Option<(&'a mut TableDesign, usize)> {
    let table = table_mut(workload, table)?;
    let at = table
        .table
        .indexes
        .iter()
        .position(|one| one.name == index)?;
    Some((table, at))
}

/// The design, its alternatives, and what follows from them.
#[must_use]
#[non_exhaustive]
pub struct Comparison {
    /// Where the design was written.
    pub written: Written,
    /// The current design.
    pub outcome: Outcome,
    /// The month's total of the current design.
    pub total: Money,
    /// The alternatives.
    pub alternatives: Vec<Alternative>,
    /// Where two alternatives cost the same.
    pub break_even: Vec<BreakEven>,
    /// What to change, the largest saving first.
    pub advice: Vec<Advice>,
    /// The best consistent combination of changes that the application does not see, with commitments.
    pub best: Combination,
    /// The cheapest such combination without commitments.
    pub best_uncommitted: Combination,
    /// The best combination of all feasible changes, including trade-offs, with commitments.
    pub best_with_decisions: Combination,
    /// The cheapest such combination without commitments.
    pub best_with_decisions_uncommitted: Combination,
    /// How much the total changes with each figure in the file.
    pub swings: Vec<Swing>,
    /// The assumptions of the comparison, in addition to those of the estimate.
    pub assumptions: Vec<String>,
    /// How many capacity simulations were run.
    pub simulations: u64,
}

impl Comparison {
    /// The same comparison with the alternatives and changes of these kinds only, by their words. The
    /// best combinations stay those of all.
    pub fn only(mut self, kinds: &[String]) -> Comparison {
        let is_asked = |kind: &AlternativeKind| kinds.iter().any(|one| one == kind.word());
        self.alternatives.retain(|one| is_asked(&one.kind));
        self.advice.retain(|one| is_asked(&one.kind));
        self
    }
}

/// A workload and its metering, for building and pricing its alternatives.
struct Context<'a> {
    workload: &'a Workload,
    books: &'a Books,
    metering: &'a Metering,
    question: &'a Question,
    /// What has no price in the current design.
    unknown: &'a [Unknown],
    searches: &'a search::Searches,
    changed: Changed,
}

/// Why a changed workload has no price.
enum Against {
    /// A figure needed for its price is unknown.
    Unknown(String),
    /// It does not serve the traffic.
    Impossible(String),
}

/// A cache of changed tables, by the addresses of the change and of the table before it, so that a
/// change that is tried repeatedly on top of others is metered once. Both tables are kept alive so
/// that their addresses are not reused.
type Changed = Mutex<BTreeMap<(usize, usize), (Arc<TableDesign>, Arc<TableDesign>)>>;

impl Context<'_> {
    /// Applies an alternative's change.
    fn apply(&self, workload: &mut Workload, alternative: &Alternative) {
        let Some(change) = &alternative.change else {
            return;
        };
        let of = |name: &String| {
            workload
                .tables
                .iter()
                .position(|table| table.table.name == *name)
        };
        let Some(at) = alternative.table.as_ref().and_then(of) else {
            return change(workload);
        };
        let before = workload.tables[at].clone();
        let key = (
            Arc::as_ptr(change).cast::<()>() as usize,
            Arc::as_ptr(&before) as usize,
        );
        let known = self
            .changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .map(|(_, after)| after.clone());
        match known {
            Some(after) => workload.contents_mut().tables[at] = after,
            None => {
                change(workload);
                let month = workload.month.clone();
                if let Some(table) = alternative
                    .table
                    .as_ref()
                    .and_then(|name| table_mut(workload, name))
                {
                    table.update_hit_ratio(&month);
                }
                let after = workload.tables[at].clone();
                self.changed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(key, (before, after));
            }
        }
    }

    /// The cost of the workload after a change, or why it has none: provisioned units no longer
    /// cover the demand, or a figure has no price.
    fn price(&self, changed: &Workload) -> Result<Result<Money, Against>, EstimateError> {
        let metering = self.metering.after(changed, self.books)?;
        let (total, unknown) = metering.total()?;
        // An unknown whose rate has changed, or that has disappeared, may have changed by any
        // amount.
        if let Some(missing) = unknown.iter().find(|one| !self.unknown.contains(one)) {
            return Ok(Err(Against::Unknown(missing.what.clone())));
        }
        if let Some(hidden) = self.unknown.iter().find(|one| !unknown.contains(one)) {
            return Ok(Err(Against::Unknown(format!(
                "{}, in the current design",
                hidden.what
            ))));
        }
        Ok(self
            .short(&metering)
            .map_or(Ok(total), |why| Err(Against::Impossible(why))))
    }

    /// Finds provisioned units that do not cover the demand after the change but do in the current
    /// design. If the design already throttles more than is allowed, a change may throttle up to 10
    /// % more than the design.
    fn short(&self, changed: &Metering) -> Option<String> {
        // A region that the change adds is compared with a region that the table already has.
        let own = |table: usize, demand: &Demand| {
            let alike = |one: &&Demand| {
                (&one.index, one.throughput.direction())
                    == (&demand.index, demand.throughput.direction())
            };
            let mut all = self.metering.demand_of(table).iter().filter(alike);
            all.clone()
                .find(|one| one.region == demand.region)
                .or_else(|| all.next())
        };
        let limit = Exact::ratio(self.question.throttled_billionths, 1_000_000_000);
        // An unchanged table cannot have become short of capacity.
        let tables =
            (0..self.workload.tables.len()).filter(|table| !changed.is_same(self.metering, *table));
        let demand = tables.flat_map(|table| {
            changed
                .demand_of(table)
                .iter()
                .map(move |demand| (table, demand))
        });
        demand.into_iter().find_map(|(table, demand)| {
            let units = demand.provisioned.as_ref()?;
            let before = own(table, demand);
            let place = demand.place();
            match &units.throttled {
                Some(share) if *share > limit => {
                    let was = before
                        .and_then(|one| one.provisioned.as_ref())
                        .and_then(|units| units.throttled.as_ref());
                    let worse = was.is_none_or(|was| *share > was * &Exact::ratio(11, 10));
                    let percent = share * &Exact::from(100);
                    worse.then(|| {
                        format!(
                            "{place}: its capacity would throttle {} % of requests; change its \
                             minimum or maximum",
                            percent.human(3)
                        )
                    })
                }
                _ if demand.is_short() => {
                    let worse = before.is_none_or(|one| {
                        demand.peak > one.peak
                            || one
                                .provisioned
                                .as_ref()
                                .is_none_or(|before| before.high > units.high)
                    });
                    worse.then(|| {
                        format!(
                            "{place}: its {} provisioned units do not cover the {} units a second \
                             of the busiest hour; provision more",
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

/// How far a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The parts of the work that are done.
    pub done: usize,
    /// All parts.
    pub total: usize,
}

/// Is told how far a comparison is, from any thread.
pub type Watcher<'a> = dyn Fn(Progress) + Sync + 'a;

/// Prices a workload under every alternative.
///
/// # Errors
/// [`EstimateError`] if the design itself cannot be estimated.
pub fn compare(
    workload: &Workload,
    books: &Books,
    question: &Question,
) -> Result<Comparison, EstimateError> {
    compare_watched(workload, books, question, &|_| ())
}

/// The same, and tells how far it is.
///
/// # Errors
/// [`EstimateError`] if the design itself cannot be estimated.
pub fn compare_watched(
    workload: &Workload,
    books: &Books,
    question: &Question,
    watcher: &Watcher,
) -> Result<Comparison, EstimateError> {
    Ok(with(workload, books, question, watcher, |_, _| Ok(()))?.0)
}

/// A comparison, and the result of `more`, which can use its context.
fn with<T>(
    workload: &Workload,
    books: &Books,
    question: &Question,
    watcher: &Watcher,
    more: impl FnOnce(&Context, &Comparison) -> Result<T, EstimateError>,
) -> Result<(Comparison, T), EstimateError> {
    let metering = Metering::new(workload, books)?;
    let outcome = metering.outcome(books)?;
    let unknown = outcome.bill.unknown.clone();
    let total = outcome.total()?;
    let searches = search::Searches::new(metering.simulations().drawn());
    let for_bills = metering.for_bills();
    let context = Context {
        workload,
        books,
        metering: &for_bills,
        question,
        unknown: &unknown,
        searches: &searches,
        changed: Changed::default(),
    };

    let parts = AtomicUsize::new(0);
    // The combinations and what follows from them take about as long as the alternatives.
    let all_parts = 2 * PARTS_A_TABLE * workload.tables.len() + 1;
    let tell = |more: usize| {
        let done = more + parts.fetch_add(more, Ordering::Relaxed);
        let total = all_parts;
        watcher(Progress { done, total });
    };
    let mut alternatives = alternatives(&context, total, &tell)?;
    alternatives.extend(commitment::alternatives(&context, total)?);
    let (kept, all) = advice::combinations(&context, &alternatives, total)?;
    tell(PARTS_A_TABLE * workload.tables.len() / 2);
    let break_even = break_even::of(&context, &outcome);
    let advice = advice::ranked(&alternatives, &kept.committed);
    let swings = swings(workload, books, total)?;
    let simulations =
        metering.simulations().count() + for_bills.simulations().count() + searches.count();
    let assumptions = assumptions(&context, &outcome);
    let comparison = Comparison {
        written: workload.written.clone(),
        outcome,
        total,
        alternatives,
        break_even,
        advice,
        best: kept.committed,
        best_uncommitted: kept.uncommitted,
        best_with_decisions: all.committed,
        best_with_decisions_uncommitted: all.uncommitted,
        swings,
        assumptions,
        simulations,
    };
    let more = more(&context, &comparison)?;
    tell(all_parts - parts.load(Ordering::Relaxed));
    Ok((comparison, more))
}

/// A design in another capacity mode: the alternative, and the changed workload if the alternative
/// has a price.
pub type Mode = (Alternative, Option<Workload>);

/// A metered workload in every capacity mode, and the unchanged workload with every commitment.
///
/// # Errors
/// [`EstimateError`] if an amount needs more than 28 digits.
pub fn capacities(
    metering: &Metering,
    workload: &Workload,
    outcome: &Outcome,
    books: &Books,
    question: &Question,
) -> Result<Vec<Mode>, EstimateError> {
    let total = outcome.total()?;
    let searches = search::Searches::new(metering.simulations().drawn());
    let context = Context {
        workload,
        books,
        metering,
        question,
        unknown: &outcome.bill.unknown,
        searches: &searches,
        changed: Changed::default(),
    };
    let tables = workload.tables.iter().enumerate();
    let mut all: Vec<Alternative> = tables
        .flat_map(|(at, table)| {
            capacity::of(&context, at, table)
                .into_iter()
                .chain(capacity::classes(table))
        })
        .collect();
    all.par_iter_mut()
        .try_for_each(|alternative| context.settle(alternative, total))?;
    all.extend(commitment::alternatives(&context, total)?);
    let changed = |alternative: Alternative| {
        let changed = alternative
            .change
            .as_ref()
            .filter(|_| alternative.is_priced())
            .map(|change| {
                let mut changed = workload.clone();
                change(&mut changed);
                changed
            });
        (alternative, changed)
    };
    Ok(all.into_iter().map(changed).collect())
}

/// Runs a search for the demand of an account direction in a region.
fn account_search<T>(
    context: &Context,
    (at, target): (usize, Target),
    (region, direction): (&str, Direction),
    bursts: Bursts,
    search: impl FnOnce(&search::Searches, &search::DirectionDemand) -> T,
) -> T {
    let (name, arrivals) = context.metering.arrivals(at, target, region, direction);
    let asked = search::DirectionDemand {
        name: &name,
        direction,
        arrivals: &arrivals,
        horizon: &context.question.horizon,
        limit: context.question.throttled_billionths,
        billing: context.workload.switches.hour_billing,
        bursts,
    };
    search(context.searches, &asked)
}

/// The cheapest capacities of an account direction that are safe without bursts.
fn account_capacities(
    context: &Context,
    at: usize,
    target: Target,
    region: &str,
    direction: Direction,
) -> Arc<search::Capacities> {
    account_search(
        context,
        (at, target),
        (region, direction),
        Bursts::Without,
        |searches, asked| searches.capacities(asked),
    )
}

/// The parts of a table's alternatives of which progress is told.
const PARTS_A_TABLE: usize = 1_000;

/// Every alternative except commitments, which are added on top of a capacity. `tell` is told how many
/// more parts are done.
///
/// A table's capacities are searched and priced before those of the next, so that its series are still
/// kept.
fn alternatives(
    context: &Context,
    total: Money,
    tell: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Alternative>, EstimateError> {
    let of = |(at, table): (usize, &Arc<TableDesign>)| {
        let mut own = capacity::of(context, at, table);
        tell(PARTS_A_TABLE / 2);
        own.extend(capacity::classes(table));
        own.extend(projection::of(table));
        own.extend(items::of(context, table));
        own.extend(cache::of(context, table));
        own.extend(backups::of(context, table));
        own.extend(places::replicas(context, table));
        let each = PARTS_A_TABLE / 2 / own.len().max(1);
        own.par_iter_mut().try_for_each(|one| {
            context.settle(one, total)?;
            tell(each);
            Ok::<(), EstimateError>(())
        })?;
        Ok(own)
    };
    let tables = context.workload.tables.par_iter().enumerate().map(of);
    let tables: Vec<Result<Vec<Alternative>, EstimateError>> = tables.collect();
    let mut all = Vec::new();
    for own in tables {
        all.extend(own?);
    }
    let mut regions = places::regions(context);
    regions
        .par_iter_mut()
        .try_for_each(|one| context.settle(one, total))?;
    all.extend(regions);
    Ok(all)
}

impl Context<'_> {
    /// Prices an alternative by applying its change. An alternative that needs a price which is
    /// missing becomes unknown.
    fn settle(&self, alternative: &mut Alternative, total: Money) -> Result<(), EstimateError> {
        if alternative.change.is_none() || alternative.state == AlternativeState::Impossible {
            return Ok(());
        }
        let mut changed = self.workload.clone();
        self.apply(&mut changed, alternative);
        match self.price(&changed) {
            Ok(Err(Against::Unknown(why))) => *alternative = alternative.clone().unknown(why),
            Ok(Err(Against::Impossible(why))) => *alternative = alternative.clone().impossible(why),
            Ok(Ok(monthly)) => {
                let monthly = Money::sum([monthly, self.metering.price(&alternative.plus)?])?;
                alternative.state = AlternativeState::Priced {
                    monthly,
                    delta: monthly.minus(total)?,
                };
            }
            Err(EstimateError::Book(BookError::TooEarly {
                region,
                date,
                starts,
                ..
            })) => {
                *alternative = alternative.clone().unknown(format!(
                    "the price book of {region} starts at {starts}, after {date}"
                ));
            }
            Err(EstimateError::Book(error)) => {
                *alternative = alternative.clone().unknown(error.to_string())
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn assumptions(context: &Context, outcome: &Outcome) -> Vec<String> {
    let mut list =
        crate::estimate::simulation(context.workload, context.metering.simulations().horizon());
    let share = Exact::ratio(context.question.throttled_billionths, 1_000_000_000);
    list.push(format!(
        "provisioned capacity is safe if at most {} of the simulated demand is throttled",
        share.human(9)
    ));
    list.push(
        "fixed, scheduled and auto scaled capacity must stay within this limit without burst \
         capacity, which AWS does not guarantee; alternatives that count on bursts say so"
            .to_string(),
    );
    list.push(
        "the search for auto scaled capacity assumes that a higher minimum never throttles more; \
         for unusual traffic, another minimum can cost a few percent less"
            .to_string(),
    );
    list.push(
        "calls are drawn at random separately for a table and for each of its global indexes"
            .to_string(),
    );
    if let Some(plan) = context
        .metering
        .book(&context.workload.region)
        .and_then(PriceBook::savings_plan)
    {
        list.push(format!(
            "Database Savings Plans reduce the price of on-demand throughput by {} % and of \
             provisioned throughput by {} %: {}",
            plan.on_demand_percent, plan.provisioned_percent, plan.note
        ));
    }
    list.push(
        "with a narrower projection, each item that a query of the index evaluates is also read \
         from the table, in batches of 100"
            .to_string(),
    );
    if outcome.free.contains(&FreeTier::Throughput) {
        list.push(
            "the free tier's capacity hours are subtracted, evenly over the month, from what \
             commitments could cover"
                .to_string(),
        );
    }
    list.push(
        "compressing or splitting items changes only their sizes; the cost of processor time and \
         of development is not included"
            .to_string(),
    );
    list
}
