//! The curves behind the break-evens, for charts: what each way to pay costs by utilization, what
//! auto scaling would do in the simulated week, what a cache costs at each hit ratio, and what
//! backups cost over the years.

use std::sync::Arc;

use rayon::prelude::*;

use super::backups;
use super::projection::readers;
use super::search::Searches;
use super::utilization::{self, CostLine, Utilization};
use super::{
    Alternative, AlternativeKind, BackupPlan, Changed, Comparison, Context, Footing, Question,
    RegionChange, account_capacities, with,
};
use crate::capacity::series::Series;
use crate::capacity::{Demand, Hottest, LedgerRun, Scaling, simulate};
use crate::dax::NODE_TYPES;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{Books, PriceBook};
use crate::table::{ByDirection, Direction, Target};
use crate::units::Exact;
use crate::usage::{Throughput, UsageType};
use crate::workload::{Dax, TableDesign, Workload};

/// A comparison's curves.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Curves {
    /// What each way to pay for an account costs, by the utilization of its capacity.
    pub utilization: Vec<Utilization>,
    /// Demand and capacity hour by hour.
    pub weeks: Vec<Week>,
    /// What a DAX cluster costs at each hit ratio.
    pub hit_ratios: Vec<HitRatios>,
    /// What keeping backups costs, by years.
    pub retention: Retention,
    /// Cheaper regions, and when a move pays for itself.
    pub moves: Vec<Move>,
    /// Up to how many queries a narrower projection saves.
    pub projections: Vec<Narrower>,
}

/// The simulated time of one account, hour by hour.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Week {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// Reads.
    pub reads: Hours,
    /// Writes.
    pub writes: Hours,
}

/// One direction of an account, hour by hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Hours {
    /// Units a second on average in each hour.
    pub demand: Vec<Exact>,
    /// What auto scaling would do, at the cheapest bounds and target that are safe.
    pub auto_scaled: Provided,
    /// The capacity of the design, if it is provisioned.
    pub designed: Option<Provided>,
}

/// Capacity hour by hour, and what it throttled.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Provided {
    /// The bounds, in words.
    pub bounds: String,
    /// The highest units in each hour, which the hour is charged for.
    pub units: Vec<u64>,
    /// Units refused in each hour.
    pub throttled: Vec<Exact>,
    /// The share of the demand that is refused, in billionths.
    pub throttled_billionths: u64,
}

/// What the whole design costs with a DAX cluster for one table, by the hit ratio.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct HitRatios {
    /// The table.
    pub table: String,
    /// The month's total without DAX.
    pub without: Money,
    /// The hit ratio of the design in percent, if it has a cluster.
    pub here: Option<Exact>,
    /// At each hit ratio in percent: the cheapest cluster that serves the busiest hour.
    pub points: Vec<HitRatioPoint>,
}

/// One hit ratio.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct HitRatioPoint {
    /// The hit ratio in percent.
    pub percent: u64,
    /// The number and type of the nodes.
    pub cluster: String,
    /// The month's total of the design with it.
    pub monthly: Money,
}

/// What the whole design costs if all its tables keep backups for years, in the steady state.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Retention {
    /// Years.
    pub years: Vec<u64>,
    /// Each way to keep them, with a month's total for each of `years`; `None` if it has no price.
    pub ways: Vec<(String, Vec<Option<Money>>)>,
}

/// A cheaper region.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Move {
    /// The region.
    pub region: String,
    /// What a month saves.
    pub saves: Money,
    /// The one-time cost of transferring the data of all tables there; `None` if the price book
    /// has no rate for it.
    pub transfer: Option<Money>,
    /// Months until that is paid back.
    pub months: Option<Exact>,
}

/// A narrower projection: it saves on writes and storage, but each query also reads the table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Narrower {
    /// The table.
    pub table: String,
    /// The index.
    pub index: String,
    /// The projection.
    pub name: String,
    /// Queries a month in the current design.
    pub queries: Exact,
    /// Queries a month at which both projections cost the same; `None` if there is no such number.
    pub break_even: Option<Exact>,
}

/// A comparison with its curves.
///
/// # Errors
/// [`EstimateError`] if the design itself cannot be estimated.
pub fn compare_with_curves(
    workload: &Workload,
    books: &Books,
    question: &Question,
) -> Result<(Comparison, Curves), EstimateError> {
    with(workload, books, question, &|_| (), |context, comparison| {
        Ok(Curves {
            utilization: utilization(context, &comparison.outcome)?,
            weeks: weeks(context),
            hit_ratios: hit_ratios(context)?,
            retention: retention(context)?,
            moves: moves(context, comparison)?,
            projections: narrower(context, comparison)?,
        })
    })
}

fn utilization(context: &Context, outcome: &Outcome) -> Result<Vec<Utilization>, EstimateError> {
    let Some(book) = context.metering.book(&context.workload.region) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for (at, table) in context.workload.tables.iter().enumerate() {
        let home = context
            .metering
            .demand_of(at)
            .iter()
            .filter(|demand| demand.region == context.workload.region);
        for demand in home.filter(|demand| !demand.mean.is_zero()) {
            let Some(flat) = utilization::flat(context, at, demand, book) else {
                continue;
            };
            let line = auto_scaled_line(context, at, demand, book, &flat.here);
            match utilization::utilization(table, demand, outcome, flat, line) {
                // If an amount needs more digits than `Money` has, only this curve is left out.
                Err(EstimateError::Money(_)) => {}
                curve => all.push(curve?),
            }
        }
    }
    Ok(all)
}

/// The simulated cost of auto scaling for an account direction. Reads and writes are simulated
/// together because they share the quota of decreases.
fn auto_scaled_line(
    context: &Context,
    at: usize,
    demand: &Demand,
    book: &PriceBook,
    here: &Exact,
) -> Option<CostLine> {
    let table = &context.workload.tables[at];
    let (target, direction) = (
        utilization::target_of(table, demand),
        demand.throughput.direction(),
    );
    let hour = book.list_rate(&UsageType::CapacityHours(
        demand.throughput,
        table.table.class,
    ))?;
    let found = account_capacities(context, at, target, &demand.region, direction);
    let billing = context.workload.switches.hour_billing;
    let simulated = auto_scaled_runs(context, at, target)[direction]
        .hourly(billing)
        .mean();
    Some(utilization::auto_scaled(
        &found.auto_scaled,
        &simulated,
        here,
        &hour,
        context.workload.month.hours(),
    ))
}

/// The table and each global index, hour by hour.
fn weeks(context: &Context) -> Vec<Week> {
    let tables = context.workload.tables.iter().enumerate();
    let accounts: Vec<(usize, Target)> = tables
        .flat_map(|(at, table)| table.accounts().map(move |target| (at, target)))
        .collect();
    accounts
        .into_par_iter()
        .filter_map(|(at, target)| week(context, at, target))
        .collect()
}

fn week(context: &Context, at: usize, target: Target) -> Option<Week> {
    let table = &context.workload.tables[at];
    let index = table.index_name(target).map(str::to_string);
    let unknown = |demand: &Demand| demand.index == index && demand.partly_unknown;
    if context.metering.demand_of(at).iter().any(unknown) {
        return None;
    }
    let series = ByDirection::each(|direction| series(context, at, target, direction));
    let scaled = auto_scaled_runs(context, at, target);
    let designed = designed(table, target);
    let runs = designed.as_ref().map(|scaling| {
        simulate(
            ByDirection::each(|direction| (&*series[direction], &scaling[direction])),
            hottest(table, target),
        )
    });
    let hours = |direction: Direction| {
        let found = account_capacities(context, at, target, &context.workload.region, direction);
        Hours {
            demand: series[direction].by_hour(),
            auto_scaled: provided(&scaled[direction], words(&found.auto_scaled.scaling)),
            designed: runs
                .as_ref()
                .zip(designed.as_ref())
                .map(|(runs, scaling)| provided(&runs[direction], words(&scaling[direction]))),
        }
    };
    Some(Week {
        reads: hours(Direction::Read),
        writes: hours(Direction::Write),
        table: table.table.name.clone(),
        index,
    })
}

/// What the capacity of a design throttles in one account direction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Throttles {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// Reads or writes.
    pub direction: Direction,
    /// The share of the simulated demand.
    pub share: Exact,
}

/// What the provisioned capacity of a design throttles in its home region, by simulation.
///
/// # Errors
/// [`EstimateError`] if a region has no price book at the date.
pub fn designed_throttles(
    workload: &Workload,
    books: &Books,
) -> Result<Vec<Throttles>, EstimateError> {
    let metering = Metering::new(workload, books)?;
    let searches = Searches::new(metering.simulations().drawn());
    let question = Question::default();
    let context = Context {
        workload,
        books,
        metering: &metering,
        question: &question,
        unknown: &[],
        searches: &searches,
        changed: Changed::default(),
    };
    let mut all = Vec::new();
    for (at, table) in workload.tables.iter().enumerate() {
        for target in table.accounts() {
            let Some(scaling) = designed(table, target) else {
                continue;
            };
            let series = ByDirection::each(|direction| series(&context, at, target, direction));
            let runs = simulate(
                ByDirection::each(|direction| (&*series[direction], &scaling[direction])),
                hottest(table, target),
            );
            for (direction, run) in runs.iter() {
                let share = Exact::ratio(run.throttled_billionths(), 1_000_000_000);
                let index = table.index_name(target).map(str::to_string);
                all.push(Throttles {
                    table: table.table.name.clone(),
                    index,
                    direction,
                    share,
                });
            }
        }
    }
    Ok(all)
}

/// Simulates auto scaling of an account with the bounds and targets that were found.
fn auto_scaled_runs(context: &Context, at: usize, target: Target) -> ByDirection<LedgerRun> {
    let table = &context.workload.tables[at];
    let home = &context.workload.region;
    let series = ByDirection::each(|direction| series(context, at, target, direction));
    let found =
        ByDirection::each(|direction| account_capacities(context, at, target, home, direction));
    let account =
        ByDirection::each(|direction| (&*series[direction], &found[direction].auto_scaled.scaling));
    simulate(account, hottest(table, target))
}

/// The drawn demand of one account direction in the home region.
fn series(context: &Context, at: usize, target: Target, direction: Direction) -> Arc<Series> {
    let (name, arrivals) =
        context
            .metering
            .arrivals(at, target, &context.workload.region, direction);
    context.metering.simulations().series(&name, &arrivals)
}

/// The hottest key of an account.
fn hottest(table: &TableDesign, target: Target) -> Option<ByDirection<Hottest>> {
    table
        .hottest_millionths(table.index_name(target))
        .map(Hottest::of)
}

/// The capacity that a design gives an account; `None` on demand, and if units are unknown.
fn designed(table: &TableDesign, target: Target) -> Option<ByDirection<Scaling>> {
    let units = table.provisioned(target)?;
    Some(ByDirection {
        read: units.read.scaling()?,
        write: units.write.scaling()?,
    })
}

fn words(scaling: &Scaling) -> String {
    let Scaling {
        min,
        max,
        target_percent,
        schedule,
    } = scaling;
    let (min, max) = (Exact::from(*min), Exact::from(*max));
    match (target_percent, schedule.actions.is_empty()) {
        (Some(target), true) => format!("{min} to {max} units at {target} %"),
        (Some(target), false) => format!("{min} to {max} units at {target} %, and a schedule"),
        (None, false) => "by a schedule".to_string(),
        (None, true) => format!("{min} units"),
    }
}

fn provided(run: &LedgerRun, bounds: String) -> Provided {
    let mut throttled = vec![0_u64; run.hourly_maxima.len()];
    for (minute, halves) in &run.throttled_minutes {
        if let Some(hour) = throttled.get_mut((minute / 60) as usize) {
            *hour += halves;
        }
    }
    Provided {
        bounds,
        units: run.hourly_maxima.clone(),
        throttled: throttled
            .into_iter()
            .map(|halves| Exact::ratio(halves, 2))
            .collect(),
        throttled_billionths: run.throttled_billionths(),
    }
}

/// Hit ratios in percent at which clusters are priced.
const HIT_RATIOS: [u64; 13] = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100];

fn hit_ratios(context: &Context) -> Result<Vec<HitRatios>, EstimateError> {
    let month = &context.workload.month;
    let Some(book) = context.metering.book(&context.workload.region) else {
        return Ok(Vec::new());
    };
    let tables = context.workload.tables.par_iter().enumerate();
    // If reads have no price, savings on them cannot be computed.
    let priced = |table: &TableDesign| {
        let usage = UsageType::Requests(Throughput::Read, table.table.class);
        book.list_rate(&usage).is_some()
    };
    let cached = tables.filter(|(_, table)| {
        table.is_described() && !table.cached_reads_per_second(month).is_zero() && priced(table)
    });
    let curve =
        |(at, table): (usize, &Arc<TableDesign>)| -> Result<Option<HitRatios>, EstimateError> {
            let with = |dax: Option<Dax>| -> Result<Option<Money>, EstimateError> {
                let mut changed = context.workload.clone();
                Arc::make_mut(&mut changed.contents_mut().tables[at]).dax = dax;
                Ok(context.price(&changed)?.ok())
            };
            let Some(without) = with(None)? else {
                return Ok(None);
            };
            let mut points = Vec::new();
            for percent in HIT_RATIOS {
                let ratio = Exact::ratio(percent, 100);
                let load = table.dax_load(&context.workload.month, &ratio);
                let cluster = |node: &crate::dax::NodeType| {
                    let hour = book.list_rate(&UsageType::DaxNode(node.name.to_string()))?;
                    let nodes = load.nodes_needed(node)?;
                    Some((&hour * &Exact::from(nodes), nodes, node.name))
                };
                let Some((_, nodes, node)) = NODE_TYPES
                    .iter()
                    .filter_map(cluster)
                    .min_by(|one, other| one.0.cmp(&other.0))
                else {
                    continue;
                };
                let ttl_seconds = table.dax.as_ref().map_or(300, |dax| dax.ttl_seconds);
                let dax = Dax {
                    node_type: node.to_string(),
                    nodes,
                    hit_ratio: crate::workload::HitRatio::Given(ratio),
                    ttl_seconds,
                };
                if let Some(monthly) = with(Some(dax))? {
                    points.push(HitRatioPoint {
                        percent,
                        cluster: format!("{nodes} x {node}"),
                        monthly,
                    });
                }
            }
            Ok((!points.is_empty()).then(|| HitRatios {
                table: table.table.name.clone(),
                here: table
                    .dax
                    .as_ref()
                    .and_then(|dax| dax.hit_ratio.known())
                    .map(|share| share * &Exact::from(100)),
                without,
                points,
            }))
        };
    Ok(cached
        .map(curve)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Years for which backups are kept.
const YEARS: [u64; 6] = [1, 2, 3, 5, 7, 10];

/// Ways to keep backups.
const WAYS: [(BackupPlan, &str); 3] = [
    (
        BackupPlan::MonthlyBackups,
        "monthly on-demand backups, kept",
    ),
    (
        BackupPlan::MonthlyExports,
        "monthly exports, kept in S3 Standard",
    ),
    (
        BackupPlan::MonthlyExportsToDeepArchive,
        "monthly exports, Standard-IA after 30 days, Deep Archive after 90",
    ),
];

fn retention(context: &Context) -> Result<Retention, EstimateError> {
    let year = |years: &u64| -> Result<Vec<Option<Money>>, EstimateError> {
        let question = Question {
            retention_years: *years,
            ..context.question.clone()
        };
        let asked = Context {
            question: &question,
            changed: Changed::default(),
            ..*context
        };
        let tables: Vec<Vec<Alternative>> = context
            .workload
            .tables
            .iter()
            .map(|table| backups::of(&asked, table))
            .collect();
        WAYS.iter()
            .map(|(plan, _)| {
                let mut changed = context.workload.clone();
                for alternatives in &tables {
                    let kept = |one: &&Alternative| one.kind == AlternativeKind::Backup(*plan);
                    if let Some(change) = alternatives
                        .iter()
                        .find(kept)
                        .and_then(|one| one.change.as_ref())
                    {
                        change(&mut changed);
                    }
                }
                Ok(asked.price(&changed)?.ok())
            })
            .collect()
    };
    let by_year = YEARS.par_iter().map(year).collect::<Result<Vec<_>, _>>()?;
    let of = |way: usize| by_year.iter().map(|ways| ways[way]).collect();
    let ways = WAYS
        .iter()
        .enumerate()
        .map(|(way, (_, name))| (name.to_string(), of(way)))
        .collect();
    Ok(Retention {
        years: YEARS.to_vec(),
        ways,
    })
}

/// Regions in which the design costs less, and the cost of moving its data there.
fn moves(context: &Context, comparison: &Comparison) -> Result<Vec<Move>, EstimateError> {
    let book = context.metering.book(&context.workload.region);
    let bytes: Option<Exact> = comparison
        .outcome
        .holdings
        .iter()
        .filter(|held| held.index.is_none())
        .map(|held| held.data.clone())
        .sum();
    let gigabytes = bytes.map(|bytes| bytes / Exact::from(crate::units::GB));
    let mut all = Vec::new();
    for one in comparison.alternatives.iter().filter(|one| one.saves()) {
        let (AlternativeKind::Regions(RegionChange::MoveTo(region)), Some(delta)) =
            (&one.kind, one.delta())
        else {
            continue;
        };
        let rate = book.and_then(|book| book.list_rate(&UsageType::TransferTo(region.clone())));
        let transfer = rate
            .zip(gigabytes.as_ref())
            .map(|(rate, gigabytes)| &rate * gigabytes);
        let saves = Money::ZERO.minus(delta)?;
        let months = transfer
            .as_ref()
            .map(|transfer| transfer / &Exact::from(saves.decimal()));
        all.push(Move {
            region: region.to_string(),
            saves,
            transfer: transfer
                .map(|transfer| Money::dollars(&transfer))
                .transpose()?,
            months,
        });
    }
    all.sort_by(|one, other| {
        other
            .saves
            .cmp(&one.saves)
            .then_with(|| one.region.cmp(&other.region))
    });
    Ok(all)
}

/// For each index that is queried, up to how many queries its narrower projections save.
fn narrower(context: &Context, comparison: &Comparison) -> Result<Vec<Narrower>, EstimateError> {
    let narrow = |one: &&Alternative| {
        one.kind == AlternativeKind::Projection
            && one.footing == Footing::Decision
            && one.change.is_some()
            && one.is_priced()
    };
    let all: Vec<&Alternative> = comparison.alternatives.iter().filter(narrow).collect();
    let one = |one: &&Alternative| -> Result<Option<Narrower>, EstimateError> {
        let (Some(table), Some(index), Some(delta)) = (&one.table, &one.index, one.delta()) else {
            return Ok(None);
        };
        let Some(at) = context
            .workload
            .tables
            .iter()
            .position(|design| design.table.name == *table)
        else {
            return Ok(None);
        };
        let design = &context.workload.tables[at];
        let Some(position) = design
            .table
            .indexes
            .iter()
            .position(|one| one.name == *index)
        else {
            return Ok(None);
        };
        if readers(design, position).is_empty() {
            return Ok(None);
        }
        // Without queries, the whole difference is what the narrower entries save.
        let mut unread = context.workload.clone();
        let table_mut = Arc::make_mut(&mut unread.contents_mut().tables[at]);
        let mut queries = Exact::zero();
        let patterns = table_mut.access.iter_mut().chain(
            table_mut
                .replicas
                .iter_mut()
                .flat_map(|replica| &mut replica.access),
        );
        for access in patterns.filter(|access| design.is_read_by(position, access)) {
            queries += &access.calls;
            access.calls = Exact::zero();
        }
        let mut narrowed = unread.clone();
        context.apply(&mut narrowed, one);
        let (Ok(before), Ok(after)) = (context.price(&unread)?, context.price(&narrowed)?) else {
            return Ok(None);
        };
        let saves = Exact::from(before.minus(after)?.decimal());
        let fetches = &Exact::from(delta.decimal()) + &saves;
        let possible = !saves.is_negative() && !fetches.is_zero() && !fetches.is_negative();
        let break_even = possible.then(|| &queries * &(&saves / &fetches));
        Ok(Some(Narrower {
            table: table.clone(),
            index: index.clone(),
            name: one.name.clone(),
            queries,
            break_even,
        }))
    };
    Ok(all
        .par_iter()
        .map(one)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}
