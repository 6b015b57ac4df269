//! What limits a table apart from its capacity: its items, its DAX cluster, its stream; and the
//! quotas of the account.

use std::collections::BTreeMap;

use super::limit::{Limit, LimitKind, Part, UnknownLimit};
use super::{AccountHeadroom, account::two_places};
use crate::dax::{Load, NODE_TYPES};
use crate::estimate::Metering;
use crate::table::{Direction, limits};
use crate::units::{Exact, GB, KB, MB};
use crate::workload::{Capacity, SizeClasses, TableDesign, Units};

impl AccountHeadroom {
    fn of_table(metering: &Metering, table: &TableDesign, part: Part) -> AccountHeadroom {
        AccountHeadroom {
            table: Some(table.table.name.clone()),
            index: None,
            region: metering.workload().region.clone(),
            part,
            busiest: None,
            limits: Vec::new(),
            unknown: Vec::new(),
            changes: Vec::new(),
        }
    }
}

/// The limits of a table's items, of its cluster and of its stream.
pub(super) fn parts(metering: &Metering, table: &TableDesign) -> Vec<AccountHeadroom> {
    let parts = [
        Some(items(metering, table)),
        cluster(metering, table),
        stream(metering, table),
    ];
    parts.into_iter().flatten().collect()
}

/// The size that at most one item in a million exceeds.
fn large_item(sizes: &SizeClasses) -> u64 {
    let mut classes: Vec<(u64, u64)> = sizes
        .iter()
        .map(|class| (class.item.0, class.weight))
        .collect();
    classes.sort_unstable();
    let total = u128::from(sizes.total());
    let mut above = total;
    for (bytes, weight) in &classes {
        above -= u128::from(*weight);
        if above * 1_000_000 <= total {
            return *bytes;
        }
    }
    0
}

/// How far items may grow: each one in size, and together in a table with local indexes.
fn items(metering: &Metering, table: &TableDesign) -> AccountHeadroom {
    let mut own = AccountHeadroom::of_table(metering, table, Part::Items);
    let sizes = table.entities.iter().flat_map(|one| &one.sizes);
    let large = sizes.chain(&table.sizes).map(large_item).max();
    match large.filter(|bytes| *bytes > 0) {
        Some(bytes) => own.limits.push(Limit::new(
            LimitKind::ItemSize,
            rounded_down(&Exact::ratio(limits::ITEM_BYTES_MAX, bytes)),
            format!(
                "the largest items have {} KB; DynamoDB holds at most 400 KB",
                two_places(bytes as f64 / KB as f64)
            ),
        )),
        None => own.unknown.push(UnknownLimit {
            kind: LimitKind::ItemSize,
            why: "the size of its items is not known".to_string(),
        }),
    }
    if table.table.keys.sort.is_some() {
        match collection(table) {
            Ok(limit) => own.limits.push(limit),
            Err(why) if table.table.has_local_indexes() => own.unknown.push(UnknownLimit {
                kind: LimitKind::ItemCollection,
                why,
            }),
            Err(_) => {}
        }
    }
    own.limits.sort_by(Limit::order);
    own
}

/// The largest item collection: with local indexes it has a limit, without them it fills a partition.
///
/// Source: Developer Guide, "Item collections": with local indexes at most 10 GB for each partition key
/// value, index entries included; without them, a collection of more is divided over partitions.
/// `Assumption:` the most popular key has as large a share of the items as it has of the calls.
fn collection(table: &TableDesign) -> Result<Limit, String> {
    let share = table
        .hottest_millionths(None)
        .map(|millionths| millionths.read.max(millionths.write))
        .ok_or("give the table's `popularity` with the number of its keys")?;
    let held = table
        .held()
        .ok_or("the number or the size of its items is not known")?;
    let mut bytes = held.data;
    let is_limited = table.table.has_local_indexes();
    for (at, index) in table.table.indexes.iter().enumerate() {
        if index.kind == crate::table::IndexKind::Local {
            let entries = table
                .held_by(at)
                .ok_or_else(|| format!("the size of the entries of {} is not known", index.name))?;
            bytes += &entries.data;
        }
    }
    let largest = &bytes * &Exact::ratio(share, 1_000_000);
    if largest.is_zero() {
        return Err("it holds no items yet".to_string());
    }
    let most = Exact::from(limits::ITEM_COLLECTION_BYTES_MAX);
    let gigabytes = (&largest / &Exact::from(GB)).human(3);
    let percent = Exact::ratio(share, 10_000).human(4);
    let (kind, because) = match is_limited {
        true => (
            LimitKind::ItemCollection,
            format!(
                "the largest item collection has {gigabytes} GB with its index entries, {percent} % of \
                 the table; a table with local indexes holds at most 10 GB for a partition key"
            ),
        ),
        false => (
            LimitKind::Partitions,
            format!(
                "the largest item collection has {gigabytes} GB, {percent} % of the table; above 10 GB \
                 DynamoDB divides it over partitions by its sort key"
            ),
        ),
    };
    Ok(Limit::new(kind, rounded_down(&(&most / &largest)), because))
}

/// The requests of a DAX cluster in the busiest hour.
///
/// Source: Developer Guide, "DAX cluster sizing guide" (rule 7.7).
fn cluster(metering: &Metering, table: &TableDesign) -> Option<AccountHeadroom> {
    let dax = table.dax.as_ref()?;
    let mut own = AccountHeadroom::of_table(metering, table, Part::Dax);
    match load(metering, table) {
        Err(why) => own.unknown.push(UnknownLimit {
            kind: LimitKind::DaxRequests,
            why,
        }),
        Ok((load, requests)) => {
            let served = Exact::from(dax.nodes * requests);
            let used = load.normalized(dax.nodes);
            if used.is_zero() {
                return None;
            }
            let because = format!(
                "{} nodes of {} serve {served} normalized requests a second; the busiest hour has \
                 {}",
                dax.nodes,
                dax.node_type,
                used.human(0)
            );
            let factor = rounded_down(&(&served / &used));
            own.limits
                .push(Limit::new(LimitKind::DaxRequests, factor, because));
        }
    }
    Some(own)
}

/// The load of a cluster, and the requests that one node serves.
fn load(metering: &Metering, table: &TableDesign) -> Result<(Load, u64), String> {
    let dax = table.dax.as_ref().ok_or("it has no cluster")?;
    let node = NODE_TYPES
        .iter()
        .find(|node| node.name == dax.node_type)
        .ok_or_else(|| {
            format!(
                "AWS does not say how many requests {} serves",
                dax.node_type
            )
        })?;
    let ratio = dax
        .hit_ratio
        .known()
        .ok_or("the hit ratio is \"unknown\"")?;
    if !table.is_described() {
        return Err("its calls or the size of its items are not known".to_string());
    }
    Ok((
        table.dax_load(&metering.workload().month, ratio),
        node.requests,
    ))
}

/// What a polling reader of a stream can read, if the number of shards is given.
///
/// Source: API Reference, GetRecords. `Assumption:` a record holds the item before and after.
fn stream(metering: &Metering, table: &TableDesign) -> Option<AccountHeadroom> {
    let stream = table.stream.as_ref()?;
    let mut own = AccountHeadroom::of_table(metering, table, Part::Stream);
    if table.unknown.stream_readers {
        own.unknown.push(UnknownLimit {
            kind: LimitKind::StreamReaders,
            why: "its readers are \"unknown\"".to_string(),
        });
        return Some(own);
    }
    let (Some(shards), false) = (&stream.shards, stream.polling.is_zero()) else {
        return None;
    };
    let month = &metering.workload().month;
    let mut records = Exact::zero();
    for access in &table.access {
        let Some(applied) = access.call.applied() else {
            continue;
        };
        let a_second = &(&access.calls / &month.seconds()) * &access.shape.highest();
        records += &(&(&a_second * &access.call.items()) * &applied);
    }
    if !records.is_zero() {
        // Both images of an item.
        let most = Exact::from(limits::STREAM_RECORDS_MAX);
        let by_bytes = table
            .mean_size()
            .filter(|size| !size.is_zero())
            .map(|size| &Exact::from(MB / 2) / &size);
        let a_call = by_bytes.map_or(most.clone(), |records| records.min(most));
        let reads = &(shards * &stream.polls_per_second) * &a_call;
        let because = format!(
            "a reader polls {} {} times a second, at most {} records each; the busiest hour writes \
             {} records a second",
            crate::units::count_of(shards.clone(), "shard"),
            stream.polls_per_second.human(3),
            a_call.human(0),
            records.human(1)
        );
        let factor = rounded_down(&(&reads / &records));
        own.limits
            .push(Limit::new(LimitKind::StreamReaders, factor, because));
    }
    own.limits.sort_by(Limit::order);
    Some(own)
}

/// Streams that more readers read than DynamoDB serves at the same time.
///
/// Source: Developer Guide, "Change data capture for DynamoDB Streams": more than two readers of a shard
/// can be throttled; AWS Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB": of a global
/// table, one.
pub(super) fn crowded_streams(metering: &Metering) -> Vec<String> {
    let of_table = |table: &std::sync::Arc<TableDesign>| {
        let stream = table.stream.as_ref()?;
        let readers = &stream.polling + &stream.lambda;
        let most = match table.is_global() {
            true => 1,
            false => limits::SHARD_READERS_MAX,
        };
        (readers > Exact::from(most)).then(|| {
            let whose = match table.is_global() {
                true => "of a global table's stream, whose replication reads as well",
                false => "of a stream",
            };
            format!(
                "{}: {readers} readers read each shard; more than {most} {whose} can be throttled",
                table.table.name
            )
        })
    };
    metering
        .workload()
        .tables
        .iter()
        .filter_map(of_table)
        .collect()
}

/// The quota of provisioned units of an account, in each region and direction.
///
/// Source: Developer Guide, "Quotas in Amazon DynamoDB": it applies to provisioned tables and indexes
/// together, and not to on-demand tables. `Assumption:` the account has no other tables, and
/// provisioned units grow with traffic.
pub(super) fn account_quotas(metering: &Metering) -> Vec<AccountHeadroom> {
    let mut sums: BTreeMap<(String, Direction), u64> = BTreeMap::new();
    let mut unknown: BTreeMap<(String, Direction), String> = BTreeMap::new();
    let tables = metering.workload().tables.iter().enumerate();
    for (at, table) in tables.filter(|(_, table)| table.capacity != Capacity::OnDemand) {
        for demand in metering.demand_of(at) {
            let direction = demand.throughput.direction();
            let key = (demand.region.clone(), direction);
            let target = table.target_named(demand.index.as_deref());
            let given = table.units_in(target, direction, table.replica_in(&demand.region));
            match &demand.provisioned {
                Some(units) => *sums.entry(key).or_default() += units.high,
                None if matches!(given, Some(Units::Unknown) | None) => {
                    let why = format!("the provisioned units of {} are not known", demand.place());
                    unknown.entry(key).or_insert(why);
                }
                None => {}
            }
        }
    }
    let one = |((region, direction), units): ((String, Direction), u64)| {
        let why = unknown.get(&(region.clone(), direction)).cloned();
        let because = format!(
            "{} of AWS's default quota of {} provisioned {} units of an account in {region} are \
             used; units grow with traffic",
            Exact::from(units),
            Exact::from(limits::ACCOUNT_UNITS_MAX),
            direction.word()
        );
        let factor = rounded_down(&Exact::ratio(limits::ACCOUNT_UNITS_MAX, units.max(1)));
        AccountHeadroom {
            table: None,
            index: None,
            region,
            part: Part::from(direction),
            busiest: None,
            limits: vec![Limit::new(LimitKind::AccountQuota, factor, because)],
            unknown: why
                .map(|why| UnknownLimit {
                    kind: LimitKind::AccountQuota,
                    why,
                })
                .into_iter()
                .collect(),
            changes: Vec::new(),
        }
    };
    sums.into_iter().map(one).collect()
}

/// Writes that an index throttles with its own: a limit of its table for each index with a demand.
///
/// Source: Developer Guide, "Global secondary indexes": if an index has not enough write capacity,
/// writes to the table are throttled (rule 3.8b).
pub(super) fn back_pressure(accounts: &mut [AccountHeadroom]) {
    let of_indexes: Vec<AccountHeadroom> = accounts
        .iter()
        .filter(|one| one.index.is_some() && one.part == Part::Writes)
        .cloned()
        .collect();
    for table in accounts
        .iter_mut()
        .filter(|one| one.index.is_none() && one.part == Part::Writes)
    {
        for index in &of_indexes {
            if (&index.table, &index.region) != (&table.table, &table.region) {
                continue;
            }
            let name = index.index.clone().unwrap_or_default();
            if index.is_upper_bound() {
                table.unknown.push(UnknownLimit {
                    kind: LimitKind::IndexBackPressure,
                    why: format!("what limits {name} is not known"),
                });
            }
            let Some(limit) = index.first() else {
                continue;
            };
            let because = format!(
                "when {name} throttles, so do the writes that change its entries: {}",
                limit.because
            );
            table.limits.push(Limit {
                index: Some(name),
                ..Limit::new(LimitKind::IndexBackPressure, limit.factor.clone(), because)
            });
        }
        table.limits.sort_by(Limit::order);
    }
}

/// A factor with at most five digits, rounded down.
fn rounded_down(factor: &Exact) -> Exact {
    super::search::rounded(factor.to_f64())
}
