//! What limits a table apart from its capacity: its items, its DAX cluster, its stream; and the
//! quotas of the account.

use std::collections::BTreeMap;

use super::limit::{Limit, LimitKind, Part, UnknownLimit};
use super::{AccountHeadroom, account::two_places};
use crate::dax::{Load, NODE_TYPES};
use crate::estimate::Metering;
use crate::table::{Direction, limits};
use crate::units::{Exact, GB, KB, MB};
use crate::workload::TableDesign;

/// Readers of a shard that DynamoDB serves at the same time.
///
/// Source: Developer Guide, "Change data capture for DynamoDB Streams": no more than two processes
/// should read from the same shard, or requests are throttled.
const READERS_MAX: u64 = 2;

/// Records that one GetRecords returns.
///
/// Source: API Reference, GetRecords: at most 1 MB or 1,000 records.
const RECORDS_MAX: u64 = 1_000;

/// AWS's default quota of provisioned units of all tables and indexes of an account in a region.
///
/// Source: Developer Guide, "Quotas in Amazon DynamoDB".
const ACCOUNT_UNITS_MAX: u64 = 80_000;

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
            change: None,
        }
    }
}

/// The limits of a table's items, of its cluster and of its stream.
pub(super) fn parts(metering: &Metering, table: &TableDesign) -> Vec<AccountHeadroom> {
    let parts = [
        items(metering, table),
        cluster(metering, table),
        stream(metering, table),
    ];
    parts.into_iter().flatten().collect()
}

/// How far items may grow: each one in size, and together in a table with local indexes.
fn items(metering: &Metering, table: &TableDesign) -> Option<AccountHeadroom> {
    let mut own = AccountHeadroom::of_table(metering, table, Part::Items);
    let sizes = table.entities.iter().flat_map(|one| &one.sizes);
    let largest = sizes
        .chain(&table.sizes)
        .flat_map(|sizes| sizes.iter())
        .map(|class| class.item.0)
        .max();
    match largest.filter(|bytes| *bytes > 0) {
        Some(bytes) => own.limits.push(Limit::new(
            LimitKind::ItemSize,
            rounded_down(&Exact::ratio(limits::ITEM_BYTES_MAX, bytes)),
            format!(
                "the largest item has {} KB; DynamoDB holds at most 400 KB",
                two_places(bytes as f64 / KB as f64)
            ),
        )),
        None => own.unknown.push(UnknownLimit {
            kind: LimitKind::ItemSize,
            why: "the size of its items is not known".to_string(),
        }),
    }
    if table.table.has_local_indexes() {
        match collection(table) {
            Ok(limit) => own.limits.push(limit),
            Err(why) => own.unknown.push(UnknownLimit {
                kind: LimitKind::ItemCollection,
                why,
            }),
        }
    }
    own.limits.sort_by(Limit::order);
    Some(own)
}

/// The largest item collection of a table with local indexes.
///
/// Source: Developer Guide, "Item collections": at most 10 GB for each partition key value, with the
/// entries of all local indexes. `Assumption:` the most popular key has as large a share of the items
/// as it has of the calls.
fn collection(table: &TableDesign) -> Result<Limit, String> {
    let share = table
        .hottest_millionths(None)
        .map(|millionths| millionths.read.max(millionths.write))
        .ok_or("give the table's `popularity` with the number of its keys")?;
    let held = table
        .held()
        .ok_or("the number or the size of its items is not known")?;
    let mut bytes = held.data;
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
    let because = format!(
        "the largest item collection has {} GB with its index entries, {} % of the table; a table \
         with local indexes holds at most 10 GB for a partition key",
        (&largest / &Exact::from(GB)).human(3),
        Exact::ratio(share, 10_000).human(4)
    );
    Ok(Limit::new(
        LimitKind::ItemCollection,
        rounded_down(&(&most / &largest)),
        because,
    ))
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

/// The readers of a stream: how many there are for a shard, and what they can read.
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
    let readers = &stream.polling + &stream.lambda;
    if readers > Exact::from(READERS_MAX) {
        own.limits.push(Limit::new(
            LimitKind::StreamReaders,
            Exact::zero(),
            format!("{readers} readers read each shard; more than {READERS_MAX} are throttled"),
        ));
    }
    let (Some(shards), false) = (&stream.shards, stream.polling.is_zero()) else {
        return (!own.limits.is_empty()).then_some(own);
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
        let by_bytes = table.mean_size().map(|size| &Exact::from(MB) / &size);
        let a_call = by_bytes.map_or(Exact::from(RECORDS_MAX), |bytes| {
            bytes.min(Exact::from(RECORDS_MAX))
        });
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

/// The quota of provisioned units of an account, in each region and direction.
///
/// Source: Developer Guide, "Quotas in Amazon DynamoDB": it applies to provisioned tables and indexes
/// together, and not to on-demand tables. `Assumption:` the account has no other tables, and
/// provisioned units grow with traffic.
pub(super) fn account_quotas(metering: &Metering) -> Vec<AccountHeadroom> {
    let mut sums: BTreeMap<(String, Direction), u64> = BTreeMap::new();
    for demand in metering.demand() {
        if let Some(units) = &demand.provisioned {
            let key = (demand.region.clone(), demand.throughput.direction());
            *sums.entry(key).or_default() += units.high;
        }
    }
    let one = |((region, direction), units): ((String, Direction), u64)| {
        let because = format!(
            "{} of AWS's default quota of {} provisioned {} units of an account in {region} are \
             used; units grow with traffic",
            Exact::from(units),
            Exact::from(ACCOUNT_UNITS_MAX),
            direction.word()
        );
        let factor = rounded_down(&Exact::ratio(ACCOUNT_UNITS_MAX, units.max(1)));
        AccountHeadroom {
            table: None,
            index: None,
            region,
            part: Part::from(direction),
            busiest: None,
            limits: vec![Limit::new(LimitKind::AccountQuota, factor, because)],
            unknown: Vec::new(),
            change: None,
        }
    };
    sums.into_iter().map(one).collect()
}

/// Writes that an index throttles with its own: a limit of its table for each index with a demand.
///
/// Source: Developer Guide, "Global secondary indexes": if an index has not enough write capacity,
/// writes to the table are throttled (rule 3.8b).
pub(super) fn back_pressure(accounts: &mut [AccountHeadroom]) {
    let of_indexes: Vec<(AccountHeadroom, Limit)> = accounts
        .iter()
        .filter(|one| one.index.is_some() && one.part == Part::Writes)
        .filter_map(|one| Some((one.clone(), one.limits.first()?.clone())))
        .collect();
    for table in accounts
        .iter_mut()
        .filter(|one| one.index.is_none() && one.part == Part::Writes)
    {
        for (index, limit) in &of_indexes {
            if (&index.table, &index.region) != (&table.table, &table.region) {
                continue;
            }
            let name = index.index.clone().unwrap_or_default();
            let because = format!(
                "writes that change entries of {name} are throttled with them: {}, {}",
                limit.kind.name(),
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
