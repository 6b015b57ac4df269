//! What a reader must know beside the figures: assumptions, the switches that matter, warnings.

use std::collections::{BTreeMap, BTreeSet};

use super::Design;
use super::features::never_hits;
use super::operations::expand;
use crate::capacity::Demand;
use crate::meter::Switch;
use crate::money::{Money, MoneyError};
use crate::pricing::{Bill, PriceBook, price};
use crate::table::{IndexKind, limits};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::{Throughput, Usage, UsageType};
use crate::workload::{Access, Call, Capacity, TableDesign, Workload, WriteKind};

/// Units a second that AWS grants a table by default. Source: Developer Guide, "Quotas in Amazon DynamoDB".
const QUOTA: u64 = limits::PROVISIONED_UNITS_MAX;

/// What AWS does not say, and what the design leaves open, as far as it touches this workload.
pub(super) fn assumptions(workload: &Workload, bill: &Bill, date: Date) -> Vec<String> {
    let tables = &workload.tables;
    let any = |holds: &dyn Fn(&TableDesign) -> bool| tables.iter().any(holds);
    let any_access = |holds: &dyn Fn(&Access) -> bool| any(&|table| table.access.iter().any(holds));
    let mut list: Vec<String> = Vec::new();
    let mut say = |holds: bool, text: &str| {
        if holds {
            list.push(text.to_string());
        }
    };
    say(true, "the tables hold the given number of items all month");
    say(
        any_access(
            &|access| matches!(&access.call, Call::Write { plans, refused } if !refused.is_zero() && plans.iter().any(|(plan, _)| plan.kind == WriteKind::Put)),
        ),
        "a put whose condition fails found an item of the pattern's size",
    );
    say(
        any_access(&|access| {
            access.before.is_none() && access.sizes.count() > 1 && matches!(access.call, Call::Write { .. } | Call::Transaction { .. })
        }),
        "a write leaves an item of the size that it found",
    );
    say(
        any(&|table| table.access.iter().any(|access| spans_pages(access) && access.sizes.count() > 1)),
        "items of different sizes fill a page of 1 MB as items of their mean size would",
    );
    say(
        any(&|table| table.indexes.iter().any(|index| index.coverage != Exact::one())),
        "the share of items that an index covers stays the same: each entry that a changed key removes is matched by one that it puts",
    );
    say(
        any(&TableDesign::is_global),
        "a replicated write sends the whole item to each other region (AWS bills \"replicated bytes\" without defining them)",
    );
    say(
        any(&|table| {
            table.is_global() && table.access.iter().any(|access| matches!(access.call, Call::Write { .. } | Call::Transaction { .. }))
        }),
        "every write is replicated by itself; AWS may combine changes of one item within a short time, which costs less",
    );
    say(
        any(&|table| table.is_global() && table.access.iter().any(|access| writes_without_change(&access.call))),
        "write units of a global table that change nothing (failed conditions, condition checks) are replicated units too",
    );
    say(
        any(&|table| table.stream.as_ref().is_some_and(|stream| !stream.polling.is_zero() && stream.shards.is_none())),
        "a stream has a shard for each 10 GB of the table or 1,000 writes a second, whichever are more (AWS documents neither)",
    );
    say(
        any(&|table| table.stream.as_ref().is_some_and(|stream| !stream.polling.is_zero() && !stream.polls_given)),
        "a polling reader calls GetRecords once a second on each shard",
    );
    say(
        any(&|table: &TableDesign| !table.backup.kept.is_empty()),
        "every kept on-demand backup is as large as the table now and bills a whole month",
    );
    say(
        any(&|table: &TableDesign| table.archive.is_some()),
        "the archive is in its steady state: as much leaves each S3 class as enters it",
    );
    say(
        any(&|table| table.archive.as_ref().is_some_and(|archive| archive.compression == Exact::one())),
        "exports are stored as large as DynamoDB bills them; they are gzip, so set `compression` once you have measured one",
    );
    say(any(&|table| table.archive.as_ref().is_some_and(|archive| !archive.keep_given)), "exports are kept for a year");
    say(
        any(&|table| table.archive.as_ref().is_some_and(|archive| archive.incremental)),
        "an incremental export bills the bytes of each changed item once for each change",
    );
    say(
        any(&|table: &TableDesign| table.dax.is_some()),
        "the hit ratio is the share of eventually consistent calls that DAX answers, alike for all patterns",
    );
    say(
        any(&|table: &TableDesign| table.contributor_insights),
        "Contributor Insights sees one event for each item that a call reads or writes, two where the table has a sort key; index writes are none",
    );
    say(
        any(&|table: &TableDesign| table.encryption.is_some()),
        "each caller asks KMS for the table key once in five minutes, all month: an upper bound",
    );
    say(
        any(&|table| matches!(&table.capacity, Capacity::Provisioned { reserved: Some(_), .. })),
        "the upfront price of reserved capacity is spread evenly over its term",
    );
    list.extend(price_notes(bill, date));
    list
}

/// Prices that are not certain: found by others than AWS, or first seen after the date asked.
fn price_notes(bill: &Bill, date: Date) -> Vec<String> {
    let (mut unsure, mut later) = (BTreeSet::new(), BTreeSet::new());
    let unknown = bill.unknown.iter().filter_map(|unknown| unknown.rate.as_ref().map(|rate| (unknown.subject.region.as_str(), rate)));
    let lines = bill.lines.iter().map(|line| (line.subject.region.as_str(), &line.published));
    for (region, rate) in lines.chain(unknown) {
        let name = format!("{} in {region} (${}", UsageType::of_code(rate.code.clone()).name(), rate.rate);
        if rate.confidence != "high" {
            unsure.insert(format!("{name}, {}, {})", rate.confidence, rate.source));
        }
        if rate.first_seen && rate.effective_from > date {
            later.insert(format!("{name}, {})", rate.effective_from));
        }
    }
    let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join("; ");
    let mut notes = Vec::new();
    if !unsure.is_empty() {
        notes.push(format!("prices that no file of AWS confirms: {}", list(unsure)));
    }
    if !later.is_empty() {
        notes.push(format!("prices first seen after {date} and taken for it as well: {}", list(later)));
    }
    notes
}

/// Whether a call pays for writes that leave everything as it was.
fn writes_without_change(call: &Call) -> bool {
    match call {
        Call::Write { refused, .. } => !refused.is_zero(),
        Call::Transaction { plans, cancelled, .. } => {
            !cancelled.is_zero() || plans.iter().any(|(plan, _)| plan.kind == WriteKind::ConditionCheck)
        }
        Call::Get { .. } | Call::Page { .. } => false,
    }
}

/// Whether a read fills more than one page.
fn spans_pages(access: &Access) -> bool {
    let Call::Page { items, .. } = &access.call else { return false };
    access.sizes.mean() * Exact::from(*items) > Exact::from(limits::PAGE_BYTES)
}

/// The switches that change a figure of this workload, or could.
pub(super) fn switches(workload: &Workload) -> Vec<Switch> {
    let switches = &workload.switches;
    let tables = &workload.tables;
    let any = |holds: &dyn Fn(&TableDesign) -> bool| tables.iter().any(holds);
    let any_call = |holds: &dyn Fn(&Call) -> bool| any(&|table| table.access.iter().any(|access| holds(&access.call)));
    let local = |table: &TableDesign| table.table.indexes.iter().any(|index| index.kind == IndexKind::Local);
    let backed_up = |table: &TableDesign| {
        let backup = &table.backup;
        backup.pitr
            || !backup.kept.is_empty()
            || !backup.restores.is_zero()
            || table.archive.is_some()
            || table.replicas.iter().any(|replica| replica.pitr)
    };
    let listed = [
        (any(&|table| table.has_numbers), switches.number_alignment()),
        (any_call(&|call| matches!(call, Call::Write { refused, .. } if !refused.is_zero())), switches.failed_condition()),
        (
            any_call(&|call| matches!(call, Call::Page { fetches: true, missing, items, .. } if !missing.is_zero() || *items == 0)),
            switches.fetch_of_nothing(),
        ),
        (
            any(&|table| table.is_global() && table.access.iter().any(|access| matches!(access.call, Call::Transaction { .. }))),
            switches.replicated_transaction(),
        ),
        (any(&|table| table.is_global() && local(table)), switches.replicated_local_index()),
        (any(&|table| backed_up(table)), switches.backup_overhead()),
    ];
    listed.into_iter().filter(|(matters, _)| *matters).map(|(_, switch)| switch).collect()
}

/// What the owner of the design should look at.
pub(super) fn warnings(
    workload: &Workload,
    demand: &[Demand],
    bill: &Bill,
    books: &BTreeMap<String, PriceBook>,
) -> Result<Vec<String>, MoneyError> {
    let mut list = Vec::new();
    for one in demand {
        list.extend(short_of(one));
        if one.partly_unknown {
            list.push(format!(
                "{}: its {} demand is partly unknown, because the size of an entry is not given",
                place_of(one),
                kind_of(one)
            ));
        }
    }
    for table in &workload.tables {
        if table.access.is_empty() {
            list.push(format!("{}: no access pattern is given, so no request is in the bill", table.table.name));
        }
        let Some(dax) = &table.dax else { continue };
        for access in table.access.iter().filter(|access| access.through_dax && never_hits(access)) {
            list.push(past_the_cache(&Design { workload, table }, access, &dax.hit_ratio, bill, books)?);
        }
    }
    Ok(list)
}

/// Provisioned units below the demand, or a demand beyond AWS's quota.
fn short_of(demand: &Demand) -> Option<String> {
    let (kind, place) = (kind_of(demand), place_of(demand));
    let (mean, peak) = (demand.mean.human(1), demand.peak.human(1));
    if let Some(throttled) = demand.provisioned.as_ref().and_then(|units| units.throttled.as_ref()).filter(|share| !share.is_zero()) {
        let percent = throttled * &Exact::from(100);
        return Some(format!("{place}: {} % of the {kind} units are throttled while capacity follows the demand", percent.human(6)));
    }
    match demand.provisioned.as_ref().and_then(|units| units.fixed()) {
        Some(units) if Exact::from(units) < demand.mean => Some(format!(
            "{place}: {} provisioned {kind} units are fewer than the mean demand of {mean} a second: the difference is throttled",
            Exact::from(units)
        )),
        Some(units) if Exact::from(units) < demand.peak => Some(format!(
            "{place}: {} provisioned {kind} units are fewer than the {peak} a second of the busiest hour: requests are throttled then",
            Exact::from(units)
        )),
        _ if demand.peak > Exact::from(QUOTA) => Some(format!(
            "{place}: {peak} {kind} units a second in the busiest hour exceed AWS's default quota of 40,000; ask AWS to raise it"
        )),
        _ => None,
    }
}

fn kind_of(demand: &Demand) -> &'static str {
    if demand.throughput == Throughput::Read { "read" } else { "write" }
}

fn place_of(demand: &Demand) -> String {
    match &demand.index {
        Some(index) => format!("{} / {index} in {}", demand.table, demand.region),
        None => format!("{} in {}", demand.table, demand.region),
    }
}

/// What reads that a cache never answers cost, and what they would cost otherwise.
fn past_the_cache(
    design: &Design,
    access: &Access,
    hit_ratio: &Exact,
    bill: &Bill,
    books: &BTreeMap<String, PriceBook>,
) -> Result<String, MoneyError> {
    let name = &access.name;
    let table = &design.table.table.name;
    let start = format!("{table}: \"{name}\" reads strongly or in a transaction, which DAX passes on to the table and never answers");
    let mut eventual = access.clone();
    match &mut eventual.call {
        Call::Get { consistency, .. } => *consistency = Some(Default::default()),
        Call::Page { consistency, .. } => *consistency = Default::default(),
        Call::Write { .. } | Call::Transaction { .. } => {}
    }
    let read = |access: &Access| -> Exact {
        let expected = design.expect(&expand(access, &design.table.table, &design.workload.switches));
        expected.home.iter().map(|arm| arm.read.units.clone()).sum::<Exact>() * access.calls.clone()
    };
    let (consumed, units) = (read(access), read(&eventual));
    let behind = &units * &(Exact::one() - hit_ratio.clone());
    if design.table.capacity != Capacity::OnDemand {
        return Ok(format!(
            "{start}; eventually consistent, it takes {} read units a month, behind DAX {}",
            units.human(1),
            behind.human(1)
        ));
    }
    let usage = |quantity: Exact| Usage {
        subject: design.subject(None, &design.workload.region, Some(name)),
        usage_type: UsageType::request_units(Throughput::Read, design.table.table.class),
        quantity,
        because: Vec::new(),
    };
    let cost = |quantity: Exact| price(&[usage(quantity)], books, &BTreeSet::new())?.total();
    let now = bill.lines.iter().filter(|line| line.subject.access.as_ref() == Some(name) && line.subject.table == *table);
    let now = Money::sum(now.filter(|line| line.usage_type.unit() == "RRU").map(|line| line.amount))?;
    let misses = Exact::one() - hit_ratio.clone();
    let counted = consumed * misses;
    Ok(format!(
        "{start}: it costs {} now, not the {} of a guide that counts hits; eventually consistent it costs {} without DAX, {} behind it (and the nodes)",
        now.human(),
        cost(counted)?.human(),
        cost(units)?.human(),
        cost(behind)?.human()
    ))
}
