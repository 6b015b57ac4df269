//! What DAX would have caught, in units and in money: saved reads against node hours.

use std::collections::BTreeSet;

use crate::dax::{Load, NODE_TYPES, NodeType};
use crate::estimate::Metering;
use crate::money::Money;
use crate::replay::cache::curve::{AccessCounts, CachePoint};
use crate::replay::cache::exact::{self, Which};
use crate::replay::executor::Executor;
use crate::replay::tally::consumption::{DemandKey, TraceSpan};
use crate::table::Direction;
use crate::units::{Exact, GB, KB};
use crate::usage::{Throughput, UsageType};
use crate::workload::Workload;

/// What a cache of one size would have caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaxResult {
    /// The table.
    pub table: String,
    /// Items by key, or pages by their parameters.
    pub which: Which,
    /// The node type of that memory, where one has it.
    pub node_type: Option<&'static str>,
    /// Seconds that it keeps an item; 0: as long as there is room.
    pub ttl_seconds: u64,
    /// One key in 2 to this power was followed; 0: every key.
    pub sampled: u32,
    /// What was caught.
    pub point: CachePoint,
    /// What a month of it saves and costs, of a size that can be bought.
    pub cluster: Option<Cluster>,
}

/// A cluster that serves what a trace asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// How many nodes serve the busiest second; `None` where eleven do not.
    pub nodes: Option<u64>,
    /// A month of reads that it answers, at on-demand prices; `None` where the book lacks them.
    pub saves: Option<Money>,
    /// A month of its nodes.
    pub costs: Option<Money>,
    /// The hit ratio at which both are equal; above 1 where no ratio is enough.
    pub break_even: Option<Exact>,
}

impl DaxResult {
    /// Reads that it passed on.
    pub fn misses(&self) -> u64 {
        self.point.reads - self.point.hits
    }

    /// The share of reads that it answered; `None` where there was none.
    pub fn hit_ratio(&self) -> Option<Exact> {
        (self.point.reads > 0).then(|| Exact::ratio(self.point.hits, self.point.reads))
    }

    /// By how much the hit ratio may be wrong: 0 where it is exact.
    pub fn error(&self) -> Exact {
        Exact::ratio(self.point.error_millionths, 1_000_000)
    }

    /// The share of all keys that was followed.
    pub fn followed(&self) -> Exact {
        Exact::ratio(1, 1_u64 << self.sampled.min(63))
    }

    /// Read units that it saved.
    pub fn saved_units(&self) -> Exact {
        Exact::ratio(self.point.saved_halves, 2)
    }
}

/// Sizes of caches: those of the node types, and powers of four below them for the shape of the
/// curve.
fn sizes(own: Option<u64>) -> Vec<u64> {
    let nodes = NODE_TYPES.iter().map(|node| node.memory_gb * GB);
    let smallest = nodes.clone().min().unwrap_or(GB);
    let mut sizes: Vec<u64> = (20..63)
        .step_by(2)
        .map(|power| 1 << power)
        .take_while(|bytes| *bytes < smallest)
        .chain(nodes)
        .chain(own)
        .collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// What caches of each table would have caught.
pub(in crate::replay) fn results(
    executor: &Executor,
    workload: &Workload,
    metering: &Metering,
    span: &TraceSpan,
) -> Vec<DaxResult> {
    let (log, caches) = (&executor.tally.log, &executor.caches);
    let numbers: BTreeSet<usize> = log
        .asked
        .keys()
        .chain(caches.tables.keys())
        .copied()
        .collect();
    let mut all = Vec::new();
    for cache in numbers {
        let (table, which) = Which::from(cache);
        let design = &executor.tables.list[table].design;
        let ttl_seconds = caches.ttl(design.dax.as_ref());
        let points = match caches.sizes.is_empty() {
            // A query is not cached without a time to live (rule 7.1).
            true if which == Which::Query && ttl_seconds == 0 => Vec::new(),
            true => log.curve(
                cache,
                &sizes(design.dax.as_ref().and_then(exact::memory)),
                ttl_seconds,
                caches.overwrite,
            ),
            false => caches.caught(cache),
        };
        let asked = log
            .asked
            .get(&cache)
            .copied()
            .or(caches.tables.get(&cache).map(|sized| sized.asked))
            .unwrap_or_default();
        let mut fits = false;
        for point in points.into_iter().filter(|point| point.reads > 0) {
            let node = NODE_TYPES
                .iter()
                .find(|node| node.memory_gb * GB == point.bytes);
            // Beyond the first size that holds everything, only what can be bought is of interest.
            if !fits || node.is_some() || !caches.sizes.is_empty() {
                all.push(DaxResult {
                    table: design.table.name.clone(),
                    which,
                    node_type: node.map(|node| node.name),
                    ttl_seconds,
                    sampled: log.power,
                    point,
                    cluster: node.map(|node| {
                        cluster(
                            executor, table, node, &point, asked, workload, metering, span,
                        )
                    }),
                });
            }
            fits |= point.evicted == 0;
        }
    }
    all
}

/// A cluster of a node type for what a trace asks for in its busiest second.
#[allow(clippy::too_many_arguments)]
fn cluster(
    executor: &Executor,
    table: usize,
    node: &NodeType,
    point: &CachePoint,
    asked: AccessCounts,
    workload: &Workload,
    metering: &Metering,
    span: &TraceSpan,
) -> Cluster {
    let design = &executor.tables.list[table].design;
    let seconds = Exact::from(span.seconds());
    // As much more in the busiest second as the table's lanes have then.
    let peak = |direction: Direction| -> Exact {
        let lane = executor.tally.consumption.lanes.get(&DemandKey {
            table,
            index: None,
            region: 0,
            direction,
        });
        let busiest = lane.and_then(|lane| Some((lane.busiest_second()?.1, lane.sum())));
        busiest.map_or_else(Exact::one, |(halves, sum)| {
            &(&Exact::from(halves) * &seconds) / &Exact::whole(sum.max(1))
        })
    };
    let a_second = |count: u64, peak: &Exact| &(&Exact::from(count) / &seconds) * peak;
    let reads = peak(Direction::Read);
    let load = Load {
        hits: a_second(point.hits, &reads),
        misses: a_second(point.reads - point.hits, &reads),
        writes: a_second(asked.writes, &peak(Direction::Write)),
        size_kb: Exact::ratio(asked.bytes, (asked.reads * KB).max(1)),
    };
    let nodes = load.nodes_needed(node);
    let book = metering.book(&executor.regions[0]);
    let rate = |code: &UsageType| {
        book.and_then(|book| book.list_price(code))
            .map(|published| published.rate)
    };
    let charge = |code: &UsageType, quantity: Exact| {
        rate(code)
            .and_then(|rate| rate.charge(&quantity, 0).ok())
            .map(|charge| charge.amount)
    };
    let reads = UsageType::Requests(Throughput::Read, design.table.class);
    let month = |halves: u64| (&Exact::ratio(halves, 2) * &span.factor).ceil();
    let (saves, all) = (
        charge(&reads, month(point.saved_halves)),
        charge(&reads, month(asked.halves)),
    );
    let hours = |nodes: u64| &Exact::from(nodes) * workload.month.hours();
    let costs =
        nodes.and_then(|nodes| charge(&UsageType::DaxNode(node.name.to_string()), hours(nodes)));
    let times = |(costs, all): (Money, Money)| Exact::parse(&costs.times(all)?.to_string());
    let break_even = costs.zip(all).and_then(times);
    Cluster {
        nodes,
        saves,
        costs,
        break_even,
    }
}
