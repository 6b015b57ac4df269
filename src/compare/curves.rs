//! The curves behind the break-evens, for whoever draws them: what each way to pay costs at other utilizations, what
//! auto scaling would do in the simulated week, what a cache costs at each hit ratio, what backups cost over the years.

use std::sync::Arc;

use rayon::prelude::*;

use super::backups;
use super::cache;
use super::commitment::{BLOCK, Offer, list_rate, offers, rates};
use super::projection::readers;
use super::search::{Found, Lane, Searches};
use super::{Alternative, Changed, Comparison, Context, Kind, Question, with};
use crate::capacity::series::{Arrivals, Series, account_name};
use crate::capacity::{Demand, Hottest, Run, Scaling, simulate};
use crate::dax::NODE_TYPES;
use crate::estimate::{EstimateError, Metering};
use crate::money::{Money, MoneyError};
use crate::pricing::{Books, PriceBook};
use crate::table::{IndexKind, TableClass};
use crate::units::Exact;
use crate::usage::{Throughput, UsageType};
use crate::workload::{Capacity, Dax, TableDesign, Units, Workload};

/// A comparison's curves.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Curves {
    /// What each way to pay for an account costs, by the utilization of its capacity.
    pub utilization: Vec<Utilization>,
    /// Demand and capacity hour by hour.
    pub weeks: Vec<Week>,
    /// What a DAX cluster costs at each hit ratio.
    pub hit_ratios: Vec<HitRatios>,
    /// What keeping backups costs, by years.
    pub retention: Retention,
    /// Cheaper regions, and when a move is paid back.
    pub moves: Vec<Move>,
    /// How many queries a narrower projection is good for.
    pub projections: Vec<Narrower>,
}

/// What each way to pay for one direction of an account costs, by how much of its capacity is used.
///
/// Every curve is a straight line: its cost at no traffic and at full use tell it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Utilization {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// Reads, writes or replicated writes.
    pub throughput: Throughput,
    /// Units of capacity that are used or not: those of the design where they never change, else the least that are safe.
    pub units: u64,
    /// The share of them that the design uses on average, from 0 to 1.
    pub here: Exact,
    /// The ways to pay.
    pub ways: Vec<Way>,
    /// What the design itself pays for it in a month, reservations left out.
    pub designed: Money,
    /// Whether reserved units are beside it, which are paid for by themselves.
    pub reserved: bool,
    /// Where two of them cost the same, from 0 to 1.
    pub crossings: Vec<Crossing>,
}

/// One way to pay.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Way {
    /// Its name.
    pub name: String,
    /// A month without traffic.
    pub idle: Money,
    /// A month in which all of the capacity is used all the time.
    pub full: Money,
    /// A month as the design uses it.
    pub here: Money,
}

/// Two ways to pay that cost the same.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Crossing {
    /// The way that is cheaper below.
    pub below: String,
    /// The way that is cheaper above.
    pub above: String,
    /// The share of the capacity that is used there, from 0 to 1.
    pub share: Exact,
}

/// The simulated time of one account, hour by hour.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
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
pub struct Hours {
    /// Units a second on average in each hour.
    pub demand: Vec<Exact>,
    /// What auto scaling would do, at the cheapest bounds and target that are safe.
    pub auto_scaled: Provided,
    /// The capacity of the design, where it is provisioned.
    pub designed: Option<Provided>,
}

/// Capacity hour by hour, and what it refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Provided {
    /// The bounds, in words.
    pub bounds: String,
    /// The most units of each hour, which it is charged for.
    pub units: Vec<u64>,
    /// Units refused in each hour.
    pub throttled: Vec<Exact>,
    /// The share of the demand that is refused, in billionths.
    pub throttled_billionths: u64,
}

/// What the whole design costs with a DAX cluster for one table, by the hit ratio.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HitRatios {
    /// The table.
    pub table: String,
    /// A month without DAX.
    pub without: Money,
    /// The hit ratio of the design in percent, where it has a cluster.
    pub here: Option<Exact>,
    /// At each hit ratio in percent: the cheapest cluster that serves the busiest hour.
    pub points: Vec<HitRatio>,
}

/// One hit ratio.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HitRatio {
    /// The hit ratio in percent.
    pub percent: u64,
    /// How many nodes of which type.
    pub cluster: String,
    /// A month of the design with it.
    pub monthly: Money,
}

/// What the whole design costs where all its tables keep backups for years, once they are all there.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Retention {
    /// Years.
    pub years: Vec<u64>,
    /// Each way to keep them with a month's total for each of `years`; `None` where there is none.
    pub ways: Vec<(String, Vec<Option<Money>>)>,
}

/// A cheaper region.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Move {
    /// The region.
    pub region: String,
    /// What a month saves.
    pub saves: Money,
    /// What it costs once to send the data of all tables there; `None` where the book has no such rate.
    pub transfer: Option<Money>,
    /// Months until that is paid back.
    pub months: Option<Exact>,
}

/// A narrower projection: what it saves on writes and storage, each query pays for with reads of the table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Narrower {
    /// The table.
    pub table: String,
    /// The index.
    pub index: String,
    /// The projection.
    pub name: String,
    /// Queries a month as they are.
    pub queries: Exact,
    /// Queries a month at which both projections cost the same; `None` where there is no such number.
    pub break_even: Option<Exact>,
}

/// A comparison with its curves.
///
/// # Errors
/// [`EstimateError`] where the design itself has no estimate.
pub fn compare_with_curves(workload: &Workload, books: &Books, question: &Question) -> Result<(Comparison, Curves), EstimateError> {
    with(workload, books, question, |context, comparison| {
        Ok(Curves {
            utilization: utilization(context)?,
            weeks: weeks(context),
            hit_ratios: hit_ratios(context)?,
            retention: retention(context)?,
            moves: moves(context, comparison)?,
            projections: narrower(context, comparison)?,
        })
    })
}

/// The way's name of what is auto scaled: its line goes from its least units through what the simulation makes of it.
const AUTO_SCALED: &str = "auto scaled";

fn utilization(context: &Context) -> Result<Vec<Utilization>, EstimateError> {
    let Some(book) = context.metering.book(&context.workload.region) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (at, table) in context.workload.tables.iter().enumerate() {
        let home = context.metering.demand_of(at).iter().filter(|demand| demand.region == context.workload.region);
        for demand in home.filter(|demand| !demand.mean.is_zero() && !demand.partly_unknown) {
            match of_account(context, at, table, demand, book) {
                // A figure of more digits than money has is no curve, and says nothing of the design.
                Err(EstimateError::Money(_)) => {}
                curve => all.extend(curve?),
            }
        }
    }
    Ok(all)
}

fn of_account(
    context: &Context,
    at: usize,
    table: &TableDesign,
    demand: &Demand,
    book: &PriceBook,
) -> Result<Option<Utilization>, EstimateError> {
    let class = table.table.class;
    let usage = |kind: fn(Throughput, TableClass) -> UsageType| kind(demand.throughput, class);
    let (request, hour) = (rates(book, &usage(UsageType::request_units), true), rates(book, &usage(UsageType::capacity_hours), false));
    let (Some((request, planned_request)), Some((hour, planned_hour))) = (request, hour) else { return Ok(None) };
    let reads = demand.throughput == Throughput::Read;
    let index = demand.index.as_deref();
    let lane = lane(context, at, table, index, reads);
    let fixed = demand.provisioned.as_ref().and_then(|units| units.fixed());
    let units = fixed.unwrap_or(lane.fixed.scaling.min).max(1);
    let here = &demand.mean / &Exact::from(units);
    let hours = context.workload.month.hours();
    let unit_hours = &Exact::from(units) * hours;
    let requests = &unit_hours * &Exact::from(3600);
    // Reads and writes together, since they share the quota of decreases.
    let billing = context.workload.switches.hour_billing;
    let scaled = auto_scaled_runs(context, at, index);
    let follows = &(scaled[usize::from(!reads)].hourly(billing).mean() * hours.clone()) * &hour;
    let idle = &(&Exact::from(lane.auto_scaled.scaling.min) * hours) * &hour;
    let rises = if here.is_zero() || follows < idle { Exact::zero() } else { &(&follows - &idle) / &here };

    let (sold, _) = offers(book, context.workload.prices);
    let reservable = demand.throughput != Throughput::ReplicatedWrite && class == TableClass::Standard;
    let plan = sold.contains(&Offer::Plan);
    // Each as its cost without traffic and with all capacity used.
    let flat = |unit: &Exact| (&unit_hours * unit, &unit_hours * unit);
    let mut lines: Vec<(String, (Exact, Exact))> = vec![
        ("on demand".to_string(), (Exact::zero(), &requests * &request)),
        ("provisioned, fixed".to_string(), flat(&hour)),
        (AUTO_SCALED.to_string(), (idle.clone(), &idle + &rises)),
    ];
    for offer in sold.iter().filter(|_| reservable) {
        if let Offer::Reserved { years, read, write, .. } = offer {
            let unit = if reads { read } else { write };
            // It is sold in blocks, which the tables of a region share.
            let blocks = &Exact::from(units.div_ceil(BLOCK) * BLOCK) * hours;
            let cost = &blocks * unit;
            lines.push((format!("reserved for {years} year{}", if *years == 1 { "" } else { "s" }), (cost.clone(), cost)));
        }
    }
    if plan {
        lines.push(("on demand, savings plan".to_string(), (Exact::zero(), &requests * &planned_request)));
        lines.push(("provisioned, savings plan".to_string(), flat(&planned_hour)));
    }
    let way = |(name, (idle, full)): &(String, (Exact, Exact))| -> Result<Way, MoneyError> {
        let now = idle + &(&(full - idle) * &here);
        Ok(Way { name: name.clone(), idle: Money::dollars(idle)?, full: Money::dollars(full)?, here: Money::dollars(&now)? })
    };
    let designed = match &demand.provisioned {
        None => &requests * &(&request * &here),
        Some(_) => {
            let own = |one: &&crate::capacity::ListedCapacity| {
                (&one.subject.table, &one.subject.index, &one.subject.region, one.throughput)
                    == (&demand.table, &demand.index, &demand.region, demand.throughput)
            };
            // What is reserved is taken off the list of what is charged by the hour.
            let hourly: Exact = context.metering.listed().filter(own).map(|one| one.hourly.mean()).sum();
            &(&hourly * hours) * &hour
        }
    };
    Ok(Some(Utilization {
        designed: Money::dollars(&designed)?,
        reserved: table.reserved.is_some_and(|reserved| if reads { reserved.read > 0 } else { reserved.write > 0 }),
        table: table.table.name.clone(),
        index: demand.index.clone(),
        throughput: demand.throughput,
        units,
        ways: lines.iter().map(way).collect::<Result<_, _>>()?,
        crossings: crossings(&lines),
        here,
    }))
}

/// Where a rising line crosses a flat one, from the least utilization on.
fn crossings(lines: &[(String, (Exact, Exact))]) -> Vec<Crossing> {
    let mut all = Vec::new();
    for (below, (idle, full)) in lines.iter().filter(|(_, (idle, full))| idle < full) {
        for (above, (level, _)) in lines.iter().filter(|(_, (idle, full))| idle == full) {
            let share = &(level - idle) / &(full - idle);
            if !share.is_negative() && share <= Exact::one() {
                all.push(Crossing { below: below.clone(), above: above.clone(), share });
            }
        }
    }
    all.sort_by(|one, other| one.share.cmp(&other.share));
    all
}

/// The calls that ask for an account's direction in the home region.
fn arrivals(context: &Context, at: usize, index: Option<&str>, reads: bool) -> Vec<Arrivals> {
    let home = &context.workload.region;
    let of = |one: &&crate::capacity::Consumption| {
        one.account.as_deref() == index && one.subject.region == *home && (one.throughput == Throughput::Read) == reads
    };
    context.metering.consumed(at).iter().filter(of).map(|one| one.arrivals(&context.workload.month)).collect()
}

/// The capacities that were found for an account's direction.
fn lane(context: &Context, at: usize, table: &TableDesign, index: Option<&str>, reads: bool) -> Arc<Lane> {
    let arrivals = arrivals(context, at, index, reads);
    let name = account_name(&table.table.name, index, &context.workload.region, reads);
    let billing = context.workload.switches.hour_billing;
    context.searches.lane((&name, reads), &arrivals, &context.workload.horizon, context.question.throttled_billionths, billing)
}

/// The table and each global index, hour by hour.
fn weeks(context: &Context) -> Vec<Week> {
    let accounts: Vec<(usize, Option<String>)> = context
        .workload
        .tables
        .iter()
        .enumerate()
        .flat_map(|(at, table)| {
            let global = table.table.indexes.iter().filter(|index| index.kind == IndexKind::Global).map(|index| Some(index.name.clone()));
            std::iter::once(None).chain(global).map(move |index| (at, index))
        })
        .collect();
    accounts.into_par_iter().filter_map(|(at, index)| week(context, at, index)).collect()
}

fn week(context: &Context, at: usize, index: Option<String>) -> Option<Week> {
    let table = &context.workload.tables[at];
    let name = index.as_deref();
    let unknown = |demand: &Demand| demand.index == index && demand.partly_unknown;
    if context.metering.demand_of(at).iter().any(unknown) {
        return None;
    }
    let (reads, writes) = (series(context, at, name, true), series(context, at, name, false));
    let (hot_reads, hot_writes) = hottest(table, name).unzip();
    let run = |read: &Scaling, write: &Scaling| simulate(&[(&reads, read, hot_reads), (&writes, write, hot_writes)]);
    let found = [true, false].map(|reads| lane(context, at, table, name, reads).auto_scaled.clone());
    let scaled = auto_scaled_runs(context, at, name);
    let designed = designed(table, name).map(|(read, write)| (run(&read, &write), [words(&read), words(&write)]));
    let hours = |series: &Series, lane: usize, found: &Found| Hours {
        demand: demand(series),
        auto_scaled: provided(&scaled[lane], words(&found.scaling)),
        designed: designed.as_ref().map(|(runs, words)| provided(&runs[lane], words[lane].clone())),
    };
    Some(Week { reads: hours(&reads, 0, &found[0]), writes: hours(&writes, 1, &found[1]), table: table.table.name.clone(), index })
}

/// What the capacity of a design refuses of one direction of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttles {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// Reads or writes.
    pub reads: bool,
    /// The share of the simulated demand.
    pub share: Exact,
}

/// What the provisioned capacity of a design refuses in its home region, simulated.
///
/// # Errors
/// [`EstimateError`] where a region has no book at the date.
pub fn designed_throttles(workload: &Workload, books: &Books) -> Result<Vec<Throttles>, EstimateError> {
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
    for (at, table) in workload.tables.iter().enumerate().filter(|(_, table)| table.capacity != Capacity::OnDemand) {
        let global = table.table.indexes.iter().filter(|index| index.kind == IndexKind::Global).map(|index| Some(index.name.clone()));
        for index in std::iter::once(None).chain(global) {
            let name = index.as_deref();
            let Some((read, write)) = designed(table, name) else { continue };
            let (reads, writes) = (series(&context, at, name, true), series(&context, at, name, false));
            let (hot_reads, hot_writes) = hottest(table, name).unzip();
            let runs = simulate(&[(&reads, &read, hot_reads), (&writes, &write, hot_writes)]);
            for (run, reads) in runs.iter().zip([true, false]) {
                let share = Exact::ratio(run.throttled_billionths(), 1_000_000_000);
                all.push(Throttles { table: table.table.name.clone(), index: index.clone(), reads, share });
            }
        }
    }
    Ok(all)
}

/// What auto scaling makes of an account at the bounds and targets that were found.
fn auto_scaled_runs(context: &Context, at: usize, index: Option<&str>) -> Vec<Run> {
    let table = &context.workload.tables[at];
    let (reads, writes) = (series(context, at, index, true), series(context, at, index, false));
    let (hot_reads, hot_writes) = hottest(table, index).unzip();
    let [read, write] = [true, false].map(|reads| lane(context, at, table, index, reads).auto_scaled.scaling.clone());
    simulate(&[(&reads, &read, hot_reads), (&writes, &write, hot_writes)])
}

/// What is asked of one direction of an account in the home region, drawn.
fn series(context: &Context, at: usize, index: Option<&str>, reads: bool) -> Arc<Series> {
    let account = account_name(&context.workload.tables[at].table.name, index, &context.workload.region, reads);
    context.searches.drawn().series(&account, &arrivals(context, at, index, reads), &context.workload.horizon)
}

/// The hottest key of an account.
fn hottest(table: &TableDesign, index: Option<&str>) -> Option<(Hottest, Hottest)> {
    table.hottest_millionths(index).map(Hottest::of)
}

/// The capacity that a design gives an account.
fn designed(table: &TableDesign, index: Option<&str>) -> Option<(Scaling, Scaling)> {
    let scaling = |units: &Units| match units {
        Units::Fixed(units) => Scaling::fixed(*units),
        Units::Scaled(scaling) => scaling.clone(),
        Units::Unknown => Scaling::fixed(1),
    };
    let Capacity::Provisioned { read, write } = &table.capacity else { return None };
    let own = match index {
        None => Some((read, write)),
        Some(name) => {
            let at = table.table.indexes.iter().position(|index| index.name == name)?;
            table.indexes[at].capacity.as_ref().map(|(read, write)| (read, write))
        }
    };
    own.map(|(read, write)| (scaling(read), scaling(write)))
}

fn words(scaling: &Scaling) -> String {
    let Scaling { min, max, target_percent, schedule } = scaling;
    let (min, max) = (Exact::from(*min), Exact::from(*max));
    match (target_percent, schedule.0.is_empty()) {
        (Some(target), true) => format!("{min} to {max} units at {target} %"),
        (Some(target), false) => format!("{min} to {max} units at {target} %, and a schedule"),
        (None, false) => "by a schedule".to_string(),
        (None, true) => format!("{min} units"),
    }
}

/// Units a second of each hour on average.
fn demand(series: &Series) -> Vec<Exact> {
    let an_hour = (3600 / series.step_seconds) as usize;
    let mean = |hour: &[u64]| Exact::ratio(hour.iter().sum(), 2 * series.step_seconds * hour.len() as u64);
    series.halves.chunks(an_hour).map(mean).collect()
}

fn provided(run: &Run, bounds: String) -> Provided {
    let mut throttled = vec![0_u64; run.hourly_maxima.len()];
    for (minute, halves) in &run.throttled_minutes {
        if let Some(hour) = throttled.get_mut((minute / 60) as usize) {
            *hour += halves;
        }
    }
    Provided {
        bounds,
        units: run.hourly_maxima.clone(),
        throttled: throttled.into_iter().map(|halves| Exact::ratio(halves, 2)).collect(),
        throttled_billionths: run.throttled_billionths(),
    }
}

/// Hit ratios in percent at which clusters are priced.
const HIT_RATIOS: [u64; 13] = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100];

fn hit_ratios(context: &Context) -> Result<Vec<HitRatios>, EstimateError> {
    let month = &context.workload.month;
    let Some(book) = context.metering.book(&context.workload.region) else { return Ok(Vec::new()) };
    let tables = context.workload.tables.par_iter().enumerate();
    // Where reads have no price, nothing can be saved on them.
    let priced = |table: &TableDesign| {
        let usage = UsageType::request_units(Throughput::Read, table.table.class);
        list_rate(book, usage.code()).is_some()
    };
    let cached = tables.filter(|(_, table)| table.is_described() && !table.cached_reads_per_second(month).is_zero() && priced(table));
    let curve = |(at, table): (usize, &Arc<TableDesign>)| -> Result<Option<HitRatios>, EstimateError> {
        let with = |dax: Option<Dax>| -> Result<Option<Money>, EstimateError> {
            let mut changed = context.workload.clone();
            Arc::make_mut(&mut changed.tables[at]).dax = dax;
            let (monthly, against) = context.price(&changed)?;
            Ok(against.is_none().then_some(monthly))
        };
        let Some(without) = with(None)? else { return Ok(None) };
        let mut points = Vec::new();
        for percent in HIT_RATIOS {
            let ratio = Exact::ratio(percent, 100);
            let load = cache::load(context, table, &ratio);
            let cluster = |node: &crate::dax::NodeType| {
                let hour = list_rate(book, UsageType::dax_node(node.name).code())?;
                let nodes = load.nodes_needed(node)?;
                Some((&hour * &Exact::from(nodes), nodes, node.name))
            };
            let Some((_, nodes, node)) = NODE_TYPES.iter().filter_map(cluster).min_by(|one, other| one.0.cmp(&other.0)) else { continue };
            let ttl_seconds = table.dax.as_ref().map_or(300, |dax| dax.ttl_seconds);
            let dax = Dax { node_type: node.to_string(), nodes, hit_ratio: ratio, ttl_seconds, given: true, unknown: false };
            if let Some(monthly) = with(Some(dax))? {
                points.push(HitRatio { percent, cluster: format!("{nodes} x {node}"), monthly });
            }
        }
        Ok((!points.is_empty()).then(|| HitRatios {
            table: table.table.name.clone(),
            here: table.dax.as_ref().map(|dax| &dax.hit_ratio * &Exact::from(100)),
            without,
            points,
        }))
    };
    Ok(cached.map(curve).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Years for which backups are kept.
const YEARS: [u64; 6] = [1, 2, 3, 5, 7, 10];

/// Ways to keep backups, as the alternatives of a table name them.
const WAYS: [(&str, &str); 3] = [
    ("on-demand backups", "monthly on-demand backups, kept"),
    ("S3 Standard", "monthly exports, kept in S3 Standard"),
    ("Deep Archive", "monthly exports, Standard-IA after 30 days, Deep Archive after 90"),
];

fn retention(context: &Context) -> Result<Retention, EstimateError> {
    let year = |years: &u64| -> Result<Vec<Option<Money>>, EstimateError> {
        let question = Question { retention_years: *years, ..context.question.clone() };
        let asked = Context { question: &question, changed: Changed::default(), ..*context };
        let tables: Vec<Vec<Alternative>> = context.workload.tables.iter().map(|table| backups::of(&asked, table)).collect();
        WAYS.iter()
            .map(|(part, _)| {
                let mut changed = context.workload.clone();
                for alternatives in &tables {
                    let kept = |one: &&Alternative| one.name.starts_with("monthly") && one.name.contains(part);
                    if let Some(change) = alternatives.iter().find(kept).and_then(|one| one.change.as_ref()) {
                        change(&mut changed);
                    }
                }
                let (monthly, against) = asked.price(&changed)?;
                Ok(against.is_none().then_some(monthly))
            })
            .collect()
    };
    let by_year = YEARS.par_iter().map(year).collect::<Result<Vec<_>, _>>()?;
    let of = |way: usize| by_year.iter().map(|ways| ways[way]).collect();
    let ways = WAYS.iter().enumerate().map(|(way, (_, name))| (name.to_string(), of(way))).collect();
    Ok(Retention { years: YEARS.to_vec(), ways })
}

/// Regions in which the design costs less, and what it takes to bring its data there.
fn moves(context: &Context, comparison: &Comparison) -> Result<Vec<Move>, EstimateError> {
    let book = context.metering.book(&context.workload.region);
    let bytes: Option<Exact> = comparison.outcome.holdings.iter().filter(|held| held.index.is_none()).map(|held| held.data.clone()).sum();
    let gigabytes = bytes.map(|bytes| bytes / Exact::from(crate::units::GB));
    let cheaper =
        |one: &&Alternative| one.kind == Kind::Regions && one.table.is_none() && one.delta.is_some_and(|delta| delta < Money::ZERO);
    let mut all = Vec::new();
    for one in comparison.alternatives.iter().filter(cheaper) {
        let (Some(region), Some(delta)) = (one.name.strip_prefix("in "), one.delta) else { continue };
        let rate = book.and_then(|book| list_rate(book, UsageType::transfer_to(region).code()));
        let transfer = rate.zip(gigabytes.as_ref()).map(|(rate, gigabytes)| &rate * gigabytes);
        let saves = Money::ZERO.minus(delta)?;
        let months = transfer.as_ref().map(|transfer| transfer / &Exact::from(saves.decimal()));
        all.push(Move {
            region: region.to_string(),
            saves,
            transfer: transfer.map(|transfer| Money::dollars(&transfer)).transpose()?,
            months,
        });
    }
    all.sort_by(|one, other| other.saves.cmp(&one.saves).then_with(|| one.region.cmp(&other.region)));
    Ok(all)
}

/// For each index that is queried, how many queries its narrower projections are good for.
fn narrower(context: &Context, comparison: &Comparison) -> Result<Vec<Narrower>, EstimateError> {
    let narrow = |one: &&Alternative| one.kind == Kind::Projection && one.decision && one.change.is_some() && one.monthly.is_some();
    let all: Vec<&Alternative> = comparison.alternatives.iter().filter(narrow).collect();
    let one = |one: &&Alternative| -> Result<Option<Narrower>, EstimateError> {
        let (Some(table), Some(index), Some(delta)) = (&one.table, &one.index, one.delta) else { return Ok(None) };
        let Some(at) = context.workload.tables.iter().position(|design| design.table.name == *table) else { return Ok(None) };
        let design = &context.workload.tables[at];
        let Some(position) = design.table.indexes.iter().position(|one| one.name == *index) else { return Ok(None) };
        if readers(design, position).is_empty() {
            return Ok(None);
        }
        // Without a query, all of the difference is what the narrower entries save.
        let mut unread = context.workload.clone();
        let table_mut = Arc::make_mut(&mut unread.tables[at]);
        let mut queries = Exact::zero();
        let patterns = table_mut.access.iter_mut().chain(table_mut.replicas.iter_mut().flat_map(|replica| &mut replica.access));
        for access in patterns.filter(|access| design.is_read_by(position, access)) {
            queries += &access.calls;
            access.calls = Exact::zero();
        }
        let mut narrowed = unread.clone();
        context.apply(&mut narrowed, one);
        let ((before, None), (after, None)) = (context.price(&unread)?, context.price(&narrowed)?) else { return Ok(None) };
        let saves = Exact::from(before.minus(after)?.decimal());
        let fetches = &Exact::from(delta.decimal()) + &saves;
        let possible = !saves.is_negative() && !fetches.is_zero() && !fetches.is_negative();
        let break_even = possible.then(|| &queries * &(&saves / &fetches));
        Ok(Some(Narrower { table: table.clone(), index: index.clone(), name: one.name.clone(), queries, break_even }))
    };
    Ok(all.par_iter().map(one).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
