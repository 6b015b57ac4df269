//! What DAX would have saved, in units and in money: saved reads compared with node hours.

use std::collections::BTreeSet;

use crate::dax::{Load, NODE_TYPES, NodeType};
use crate::estimate::Metering;
use crate::money::Money;
use crate::replay::cache::curve::{AccessCounts, CachePoint};
use crate::replay::cache::exact::{self, Which};
use crate::replay::engine::Engine;
use crate::replay::tally::consumption::{DemandKey, TraceSpan};
use crate::table::Direction;
use crate::units::{Exact, GB, KB};
use crate::usage::{Throughput, UsageType};
use crate::workload::Workload;

/// What a cache of one size would have answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DaxResult {
    /// The table.
    pub table: String,
    /// Items by key, or pages by their parameters.
    pub which: Which,
    /// The node type with that memory, if there is one.
    pub node_type: Option<&'static str>,
    /// Time to live in seconds; with 0, items do not expire.
    pub ttl_seconds: u64,
    /// One key in 2 to this power was sampled; 0: every key.
    pub sampled: u32,
    /// What the cache would have answered.
    pub point: CachePoint,
    /// What a month of it saves and costs; only for sizes that AWS sells.
    pub cluster: Option<Cluster>,
}

/// A cluster that can serve the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cluster {
    /// How many nodes can serve the busiest second; `None` if eleven are not enough.
    pub nodes: Option<u64>,
    /// The price of the reads that it answers in a month, at on-demand prices; `None` if the price
    /// book has none.
    pub saves: Option<Money>,
    /// The price of its nodes for a month.
    pub costs: Option<Money>,
    /// The hit ratio at which savings and costs are equal; above 1 if no hit ratio is enough.
    pub break_even: Option<Exact>,
}

impl DaxResult {
    /// Reads that it passed on.
    pub fn misses(&self) -> u64 {
        self.point.reads - self.point.hits
    }

    /// The share of reads that it answered; `None` if there were no reads.
    pub fn hit_ratio(&self) -> Option<Exact> {
        (self.point.reads > 0).then(|| Exact::ratio(self.point.hits, self.point.reads))
    }

    /// By how much the hit ratio may be wrong; 0 if it is exact.
    pub fn error(&self) -> Exact {
        Exact::ratio(self.point.error_millionths, 1_000_000)
    }

    /// The share of all keys that was sampled.
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

/// What caches of each table would have answered.
pub(in crate::replay) fn results(
    engine: &Engine,
    workload: &Workload,
    metering: &Metering,
    span: &TraceSpan,
) -> Vec<DaxResult> {
    let (log, caches) = (&engine.tally.keys.accesses, &engine.caches);
    let numbers: BTreeSet<usize> = log
        .asked
        .keys()
        .chain(caches.tables.keys())
        .copied()
        .collect();
    let mut all = Vec::new();
    for cache in numbers {
        let (table, which) = Which::from(cache);
        let design = &engine.tables.list[table].design;
        let ttl_seconds = caches.ttl(design.dax.as_ref());
        let points = match caches.sizes.is_empty() {
            // With a time to live of 0, a query is not cached (rule 7.1).
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
            // Above the first size that evicts nothing, only sizes that AWS sells are listed.
            if !fits || node.is_some() || !caches.sizes.is_empty() {
                all.push(DaxResult {
                    table: design.table.name.clone(),
                    which,
                    node_type: node.map(|node| node.name),
                    ttl_seconds,
                    sampled: log.power,
                    point,
                    cluster: node.map(|node| {
                        cluster(engine, table, node, &point, asked, workload, metering, span)
                    }),
                });
            }
            fits |= point.evicted == 0;
        }
    }
    all
}

/// A cluster of a node type that can serve the busiest second of a trace.
#[allow(clippy::too_many_arguments)]
fn cluster(
    engine: &Engine,
    table: usize,
    node: &NodeType,
    point: &CachePoint,
    asked: AccessCounts,
    workload: &Workload,
    metering: &Metering,
    span: &TraceSpan,
) -> Cluster {
    let design = &engine.tables.list[table].design;
    let seconds = Exact::from(span.seconds());
    // How much more the busiest second has than an average one, from the table's demand series.
    let peak = |direction: Direction| -> Exact {
        let lane = engine.tally.demand.get(&DemandKey {
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
    let book = metering.book(&engine.regions[0]);
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
