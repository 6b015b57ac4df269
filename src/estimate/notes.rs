//! What a reader must know in addition to the figures: assumptions, the switches that matter,
//! warnings.

use crate::pricing::LineItem;
use std::collections::{BTreeMap, BTreeSet};

use super::operations::expand;
use super::{TableContext, membership};
use crate::capacity::policy::{OnDemand, Tracking};
use crate::capacity::series::Horizon;
use crate::capacity::{Course, Demand, Shape, Simulations};
use crate::meter::Switch;
use crate::money::{Money, MoneyError};
use crate::pricing::{Bill, PriceBook, price};
use crate::table::{ApiName, Direction, IndexKind, Projection, limits};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::{Throughput, Usage, UsageType};
use crate::workload::{
    AccessPattern, Capacity, ContributorInsights, Counts, HitRatio, ItemsBefore, PatternCall,
    ReadItems, SizeClasses, TableDesign, Units, VectorIndex, Workload, WriteKind, WritePlan,
};

/// Units a second that a table can have by default. Source: Developer Guide, "Quotas in Amazon
/// DynamoDB".
const QUOTA: u64 = limits::PROVISIONED_UNITS_MAX;

/// Where an assumption holds.
enum Holds {
    /// In some designs.
    Design(fn(&Workload) -> bool),
    /// In a design with such a table.
    Table(fn(&TableDesign) -> bool),
    /// In a design with such an access pattern.
    Access(fn(&AccessPattern) -> bool),
}

impl Holds {
    fn holds(&self, workload: &Workload) -> bool {
        let mut tables = workload.tables.iter();
        match self {
            Holds::Design(holds) => holds(workload),
            Holds::Table(holds) => tables.any(|table| holds(table)),
            Holds::Access(holds) => tables.any(|table| patterns(table).any(holds)),
        }
    }
}

/// Assumptions about what AWS does not document and what a design leaves open, in the order in
/// which they are listed.
/// What every estimate assumes of the items, and a forecast does not.
pub(crate) const ITEMS_ALL_MONTH: &str = "the tables hold the given number of items all month";

const ASSUMPTIONS: &[(Holds, &str)] = &[
    (Holds::Table(|table| !table.unknown.items), ITEMS_ALL_MONTH),
    (
        Holds::Design(|workload| !workload.written.ranges.is_empty()),
        "the estimate uses the likely value of each range",
    ),
    (
        Holds::Design(|workload| !workload.events.is_empty()),
        "the events of the file are not part of the month; `headroom` says what they do and cost",
    ),
    (
        Holds::Access(
            |access| matches!(&access.call, PatternCall::Write { plans, condition_failures } if !condition_failures.is_zero() && plans.iter().any(|(plan, _)| plan.kind == WriteKind::Put)),
        ),
        "a put whose condition fails finds an item of the pattern's size",
    ),
    (
        Holds::Access(|access| {
            let keeps = |(plan, _): &(WritePlan, Counts)| plan.before == ItemsBefore::Same;
            varies(access) && access.call.plans().iter().any(keeps)
        }),
        "a write does not change the size of an item",
    ),
    (
        Holds::Access(|access| spans_pages(access) && varies(access)),
        "items of different sizes fill a page of 1 MB as items of their mean size would",
    ),
    (
        Holds::Table(|table| !table.indexes.is_empty() && table.access.iter().any(changes_unsaid)),
        "a write without `changes` changes every attribute except the keys of indexes",
    ),
    (
        Holds::Table(|table| table.access.iter().any(puts_unsaid)),
        "a put without `overwrites` finds no item; an update or delete without `missing` finds one",
    ),
    (
        Holds::Access(
            |access| matches!(&access.call, PatternCall::Transaction { cancelled, .. } if !cancelled.is_zero()),
        ),
        "a cancelled transaction finds the same items as a committed one",
    ),
    (
        Holds::Table(|table| !table.ttl_deletes.is_zero()),
        "Time to Live deletes consume no write units in the region where the items expire (rule \
         3.12)",
    ),
    (
        Holds::Access(
            |access| matches!(&access.call, PatternCall::Page { missing, .. } if !missing.is_zero() || may_be_empty(&access.call)),
        ),
        "a Query or Scan that finds nothing costs the minimum for one partition, however many \
         partitions it reads",
    ),
    (
        Holds::Table(|table| {
            table.dax.is_some()
                && table.access.iter().any(|access| {
                    access.through_dax && access.operation == Some(ApiName::UpdateItem)
                })
        }),
        "an UpdateItem through DAX costs the same as without DAX (AWS does not say how DAX \
         obtains the updated item)",
    ),
    (
        Holds::Table(|table| table.stream.as_ref().is_some_and(|stream| stream.kinesis)),
        "the Kinesis data stream itself is not in the bill, nor are readers such as Lambda \
         functions",
    ),
    (
        Holds::Table(|table| {
            table.is_global()
                && (table.contributor_insights != ContributorInsights::Off
                    || table.stream.is_some()
                    || !table.backup.kept.is_empty()
                    || table.archive.is_some()
                    || table.dax.is_some())
        }),
        "for a global table, streams, Kinesis, on-demand backups, exports and DAX are counted in \
         the home region only; Contributor Insights is counted in the home region and in each \
         replica that turns it on",
    ),
    (
        Holds::Table(TableDesign::is_global),
        "the replicas already exist: the restore and data transfer that are billed for adding one \
         are not included",
    ),
    (
        Holds::Table(|table| {
            table
                .indexes
                .iter()
                .any(|index| index.coverage != Exact::one())
        }),
        "the share of items that an index covers stays the same: for each entry that a changed \
         key removes, another one is added",
    ),
    (
        Holds::Table(TableDesign::is_global),
        "a replicated write sends the whole item to each other region (AWS bills \"replicated \
         bytes\" without defining them)",
    ),
    (
        Holds::Table(|table| {
            table.is_global()
                && table.access.iter().any(|access| {
                    matches!(
                        access.call,
                        PatternCall::Write { .. } | PatternCall::Transaction { .. }
                    )
                })
        }),
        "every write is replicated separately; AWS may combine changes of one item within a short \
         time, which costs less",
    ),
    (
        Holds::Table(|table| {
            table.is_global()
                && table
                    .access
                    .iter()
                    .any(|access| writes_without_change(&access.call))
        }),
        "write units of a global table that change nothing (failed conditions, condition checks) \
         are replicated units too",
    ),
    (
        Holds::Table(|table| {
            table
                .stream
                .as_ref()
                .is_some_and(|stream| !stream.polling.is_zero() && stream.shards.is_none())
        }),
        "a stream has one shard for each 10 GB of the table or each 1,000 writes a second, \
         whichever gives more shards (AWS documents neither)",
    ),
    (
        Holds::Table(|table| {
            table
                .stream
                .as_ref()
                .is_some_and(|stream| !stream.polling.is_zero() && !stream.polls_given)
        }),
        "a polling reader calls GetRecords once a second on each shard",
    ),
    (
        Holds::Table(|table| !table.backup.kept.is_empty()),
        "every on-demand backup that is kept is as large as the table is now and is billed for a \
         whole month; AWS bills a backup on its first day for the rest of the month, and on the \
         1st of each later month while it exists",
    ),
    (
        Holds::Table(|table| !table.backup.rules.is_empty()),
        "AWS Backup has made backups for as long as it keeps them; each is as large as the table is \
         now, in warm and in cold storage",
    ),
    (
        Holds::Table(|table| table.archive.is_some()),
        "the archive is in its steady state: as much data leaves each S3 storage class as enters \
         it",
    ),
    (
        Holds::Table(|table| {
            table
                .archive
                .as_ref()
                .is_some_and(|archive| archive.compression == Exact::one())
        }),
        "exports are stored in S3 at the size that DynamoDB bills; they are compressed with gzip, \
         so set `compression` once you have measured one",
    ),
    (
        Holds::Table(|table| {
            table
                .archive
                .as_ref()
                .is_some_and(|archive| !archive.keep_given)
        }),
        "exports are kept for a year",
    ),
    (
        Holds::Table(|table| {
            table
                .archive
                .as_ref()
                .is_some_and(|archive| archive.incremental)
        }),
        "an incremental export bills the bytes of each changed item once for each change",
    ),
    (
        Holds::Access(|access| {
            let assumed = access.call.counts().any(Counts::is_assumed);
            assumed && matches!(access.call, PatternCall::Page { .. })
        }),
        "of a mean number of items that is not whole, such as 2.5, each Query has one of the two whole \
         numbers around it; `items = { histogram = [{ items = 1, share = 0.4 }, …] }` gives the real \
         numbers",
    ),
    (
        Holds::Table(|table| {
            let mut kinds = table
                .entities
                .iter()
                .filter_map(|entity| entity.kind.as_ref());
            // An export shows which items have which attributes.
            let is_sparse = table.sizes.as_ref().is_some_and(SizeClasses::is_sparse);
            let of_one_kind = table.entities.is_empty() && is_sparse && !table.has_numbers;
            of_one_kind || kinds.any(|kind| kind.optional() > 0)
        }),
        "optional attributes, and the shares of entities in indexes, are independent of each other and \
         of the size of an item",
    ),
    (
        Holds::Table(|table| {
            let changes_key = |(plan, _): &(WritePlan, Counts)| {
                let changes = plan.changes.iter().flatten();
                let keys = table.table.indexes.iter().flat_map(|index| &index.keys);
                let keys: Vec<&String> = keys.collect();
                plan.before == ItemsBefore::Same
                    && changes.into_iter().any(|name| keys.contains(&name))
            };
            let is_sparse = table.sizes.as_ref().is_some_and(SizeClasses::is_sparse);
            let mut calls = table.patterns().map(|access| &access.call);
            is_sparse && calls.any(|call| call.plans().iter().any(changes_key))
        }),
        "an item has the attributes in `changes` before and after the write, and so is in the indexes \
         whose keys they are",
    ),
    (
        Holds::Table(|table| {
            let reads = |access: &AccessPattern| {
                let mut reads = access.call.reads().iter();
                reads.any(|read| read.entity.is_none())
            };
            !table.entities.is_empty() && table.patterns().any(reads)
        }),
        "an access pattern that names no entity reads items of all entities, by their numbers",
    ),
    (
        Holds::Access(|access| access.call.reads().len() > 1 && spans_pages(access)),
        "items of several entities are spread evenly over the pages of a Query",
    ),
    (
        Holds::Table(|table| !table.vectors.is_empty()),
        "a GB of vector writes and searches is 2^30 bytes, as elsewhere; AWS does not say, and 10^9 bytes \
         would make them 7.4 % more expensive",
    ),
    (
        Holds::Table(|table| !table.vectors.is_empty()),
        "removing an entry of a vector index is charged like writing it, and Time to Live deletes are \
         free; its storage adds 100 bytes to each entry",
    ),
    (
        Holds::Table(|table| {
            let described = table.sizes.iter().flat_map(|sizes| sizes.iter());
            let mut undescribed = described.filter(|class| class.attributes.is_none());
            let is_open = |index: &VectorIndex| {
                index.projection == Projection::KeysOnly
                    && index.key_bytes.is_none()
                    && index.entry_size.is_none()
            };
            undescribed.next().is_some() && table.vectors.iter().any(is_open)
        }),
        "an entry of a vector index of keys only has 35 bytes in addition to its vector",
    ),
    (
        Holds::Table(changes_its_clock),
        "scheduled actions follow their time zone: the bill is the mean of the 52 weeks of a year, \
         and the clock changes between two weeks",
    ),
    (
        Holds::Table(|table| table.dax.is_some()),
        "the hit ratio is the share of eventually consistent calls that DAX answers, and is the \
         same for all access patterns",
    ),
    (
        Holds::Table(|table| has_insights(table, ContributorInsights::ThrottledKeys)),
        "Contributor Insights for throttled keys has the graphs of throttled keys only, half of all, and \
         no request is throttled: only throttled requests would be events",
    ),
    (
        Holds::Table(|table| has_insights(table, ContributorInsights::AllKeys)),
        "Contributor Insights counts one event for each item that a call reads or writes, or two \
         if the table has a sort key; index writes are not counted",
    ),
    (
        Holds::Table(|table| table.entities.iter().any(|one| one.popularity.is_some())),
        "the share of an entity's most popular key is of the items that calls read or write, each \
         with the same units",
    ),
    (
        Holds::Table(|table| {
            let mut replicas = table.replicas.iter();
            table.encryption.is_some() || replicas.any(|replica| replica.encryption.is_some())
        }),
        "KMS is asked for the table key once every five minutes for each caller, all month; this \
         is an upper bound",
    ),
];

/// Whether actions come at other times of UTC in one part of the year.
fn changes_its_clock(table: &TableDesign) -> bool {
    let units = table
        .accounts()
        .filter_map(|target| table.provisioned(target));
    let changes = |units: &Units| match units {
        Units::Scaled(scaling) => !scaling.schedule.parts.is_empty(),
        _ => false,
    };
    units.into_iter().any(|units| units.values().any(changes))
}

/// Whether Contributor Insights has a mode for the table, an index or a replica.
fn has_insights(table: &TableDesign, mode: ContributorInsights) -> bool {
    let mut indexes = table.indexes.iter();
    let mut replicas = table.replicas.iter();
    table.contributor_insights == mode
        || indexes.any(|index| index.contributor_insights == mode)
        || replicas.any(|replica| replica.contributor_insights == mode)
}

/// Assumptions about what AWS does not document and what the design leaves open, if they affect
/// this workload.
pub(super) fn assumptions(
    workload: &Workload,
    bill: &Bill,
    date: Date,
    newest: Option<Date>,
) -> Vec<String> {
    let tables = &workload.tables;
    let mut list: Vec<String> = Vec::new();
    list.extend(divided_free_tier(bill).map(str::to_string));
    let held = ASSUMPTIONS
        .iter()
        .filter(|(holds, _)| holds.holds(workload));
    list.extend(held.map(|(_, text)| text.to_string()));
    list.extend(tables.iter().filter_map(|table| cut_distribution(table)));
    if tables.iter().any(|table| moves(table)) {
        list.extend(simulation(workload, &Horizon::default()));
    }
    if workload.years_ahead > 0 {
        let years = if workload.years_ahead == 1 {
            "a year".to_string()
        } else {
            format!("{} years", workload.years_ahead)
        };
        list.push(format!(
            "the estimated month is {years} ahead: items and traffic have grown by each table's \
             `growth`, and prices are those known now"
        ));
    }
    list.extend(tables.iter().filter_map(|table| expected_hit_ratio(table)));
    list.extend(price_notes(bill, date, newest));
    list
}

/// How a free tier is divided, if several lines use the same one.
fn divided_free_tier(bill: &Bill) -> Option<&'static str> {
    let is_free = |line: &&LineItem| {
        line.published.rate.decimal().is_zero() && line.usage_type.free_tier().is_some()
    };
    let free: Vec<_> = bill
        .lines
        .iter()
        .filter(is_free)
        .map(|line| (&line.subject.region, &line.usage_type))
        .collect();
    let is_divided = free.iter().collect::<BTreeSet<_>>().len() < free.len();
    is_divided.then_some(
        "a free tier is divided among tables, indexes and access patterns in proportion to their \
         usage; AWS subtracts it from the usage of the whole account and does not say how it is \
         divided",
    )
}

/// A distribution of sizes that reaches above the largest item. A share below one in a million is
/// not mentioned.
fn cut_distribution(table: &TableDesign) -> Option<String> {
    let all = patterns(table)
        .filter_map(|access| access.sizes.as_ref())
        .chain(&table.sizes);
    let sizes = all
        .filter(|sizes| sizes.cut() * &Exact::from(1_000_000) > Exact::one())
        .max_by_key(|sizes| sizes.cut().clone())?;
    Some(format!(
        "{}: {} % of a lognormal distribution is above 400 KB and is cut off, since no item can be \
         that large; the remaining mean is {} bytes",
        table.table.name,
        (sizes.cut() * &Exact::from(100)).human(4),
        sizes.mean().human(0)
    ))
}

/// A hit ratio that follows from the popularity of keys.
fn expected_hit_ratio(table: &TableDesign) -> Option<String> {
    let dax = table.dax.as_ref()?;
    let HitRatio::Expected(hit_ratio) = &dax.hit_ratio else {
        return None;
    };
    Some(format!(
        "{}: the hit ratio of {} is computed from the popularity of its keys (Zipf, Che's \
         approximation, a time to live of {} s, all memory of a node used for items)",
        table.table.name,
        hit_ratio.human(4),
        dax.ttl_seconds
    ))
}

/// Whether any capacity of a table is simulated: with auto scaling, a schedule, or a maximum
/// throughput on demand.
fn moves(table: &TableDesign) -> bool {
    let scaled = |units: &Units| matches!(units, Units::Scaled(_));
    match table.capacity {
        Capacity::Provisioned(_) => table
            .accounts()
            .filter_map(|target| table.provisioned(target))
            .any(|units| units.values().any(scaled)),
        Capacity::OnDemand => {
            let limited = |target| {
                Direction::BOTH
                    .into_iter()
                    .any(|direction| table.maximum(target, direction).is_some())
            };
            table.accounts().any(limited)
        }
    }
}

/// The assumptions of a simulation of capacity.
pub(crate) fn simulation(workload: &Workload, horizon: &Horizon) -> Vec<String> {
    let shapes: Vec<&Shape> = workload
        .tables
        .iter()
        .flat_map(|table| patterns(table))
        .map(|access| &access.shape)
        .collect();
    let course = match shapes
        .iter()
        .any(|shape| shape.course() == Course::Smooth && !shape.is_flat())
    {
        true => {
            "; the rate of a profile with `profile_shape = \"smooth\"` changes linearly from the \
             middle of one hour to the middle of the next"
        }
        false if shapes.iter().any(|shape| !shape.is_flat()) => {
            "; the rate is constant within each hour of a profile"
        }
        false => "",
    };
    let Tracking {
        up_minutes,
        down_minutes,
        gap_points,
        alarm_delay_minutes,
        apply_delay_minutes,
        ..
    } = Tracking::default();
    let step = if horizon.step_seconds == 1 {
        "second by second"
    } else {
        "minute by minute (throttling within a minute is not visible)"
    };
    vec![
        format!(
            "capacity that changes is simulated over {} days, {step}: calls arrive at random \
             (Poisson, seed {}), and throttled calls are not retried{course}",
            horizon.days, horizon.seed
        ),
        format!(
            "auto scaling raises capacity after {up_minutes} minutes above the target and lowers \
             it after {down_minutes} minutes {gap_points} points below the target; an alarm takes \
             {alarm_delay_minutes} minutes (AWS: \"up to a few\") and a change \
             {apply_delay_minutes} more (AWS: \"several\"); a scheduled action takes effect in \
             its minute"
        ),
        "the pages of a Query or Scan are requested one at a time, distributed over the week like \
         the calls"
            .to_string(),
        "300 seconds of unused capacity are kept for bursts, which AWS provides on a best-effort \
         basis; the keys of a table or an index without `popularity` are accessed evenly enough \
         that no partition is throttled before the table or the index itself"
            .to_string(),
    ]
}

/// Whether a table's traffic comes from a trace.
fn is_traced(workload: &Workload, table: &str) -> bool {
    let of_trace = |design: &TableDesign| {
        design
            .access
            .iter()
            .any(|access| matches!(access.call, PatternCall::Traced(_)))
    };
    workload
        .tables
        .iter()
        .any(|design| design.table.name == table && of_trace(design))
}

/// Whether a table has calls that are completely unknown.
fn is_unknown(workload: &Workload, table: &str) -> bool {
    let unknown = |design: &TableDesign| {
        patterns(design).any(|access| matches!(access.call, PatternCall::Unknown { .. }))
    };
    workload
        .tables
        .iter()
        .any(|design| design.table.name == table && unknown(design))
}

/// The access patterns of a table in all its regions.
fn patterns(table: &TableDesign) -> impl Iterator<Item = &AccessPattern> {
    table
        .access
        .iter()
        .chain(table.replicas.iter().flat_map(|replica| &replica.access))
}

fn changes_unsaid(access: &AccessPattern) -> bool {
    access.call.plans().iter().any(|(plan, _)| {
        plan.changes.is_none()
            && !plan.finds.is_zero()
            && matches!(plan.kind, WriteKind::Put | WriteKind::Update)
    })
}

fn puts_unsaid(access: &AccessPattern) -> bool {
    access.call.plans().iter().any(|(plan, _)| match plan.kind {
        WriteKind::Put => plan.finds.is_zero(),
        WriteKind::Update | WriteKind::Delete => plan.finds == Exact::one(),
        WriteKind::ConditionCheck => false,
    })
}

/// Notes on prices that are not certain: from sources other than AWS, or first seen after the
/// requested date.
fn price_notes(bill: &Bill, date: Date, newest: Option<Date>) -> Vec<String> {
    let (mut unsure, mut later) = (BTreeSet::new(), BTreeSet::new());
    let unknown = bill.unknown.iter().filter_map(|unknown| {
        unknown
            .rate
            .as_ref()
            .map(|rate| (unknown.subject.region.as_str(), rate))
    });
    let lines = bill
        .lines
        .iter()
        .map(|line| (line.subject.region.as_str(), &line.published));
    for (region, rate) in lines.chain(unknown) {
        let name = format!(
            "{} in {region} (${}",
            UsageType::of_code(&rate.code).name(),
            rate.rate
        );
        if rate.confidence != "high" {
            unsure.insert(format!("{name}, {}, {})", rate.confidence, rate.source));
        }
        if rate.first_seen && rate.effective_from > date {
            later.insert(format!("{name}, {})", rate.effective_from));
        }
    }
    let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join("; ");
    let mut notes = Vec::new();
    if let Some(newest) = newest.filter(|newest| *newest < date) {
        notes.push(format!(
            "the newest prices in the price book are of {newest}; later prices may differ"
        ));
    }
    if !unsure.is_empty() {
        notes.push(format!(
            "prices that are not fully confirmed, with confidence and source: {}",
            list(unsure)
        ));
    }
    if !later.is_empty() {
        notes.push(format!(
            "prices first seen after {date} and assumed to apply on that date as well: {}",
            list(later)
        ));
    }
    notes
}

/// Whether a call is billed for writes that change nothing.
fn writes_without_change(call: &PatternCall) -> bool {
    match call {
        PatternCall::Write {
            condition_failures, ..
        } => !condition_failures.is_zero(),
        PatternCall::Transaction {
            plans, cancelled, ..
        } => {
            !cancelled.is_zero()
                || plans
                    .iter()
                    .any(|(plan, _)| plan.kind == WriteKind::ConditionCheck)
        }
        PatternCall::Get { .. }
        | PatternCall::Page { .. }
        | PatternCall::Traced(_)
        | PatternCall::Counted { .. }
        | PatternCall::Unknown { .. } => false,
    }
}

/// Whether a call may read no item at all.
fn may_be_empty(call: &PatternCall) -> bool {
    call.counts().all(Counts::may_be_none)
}

/// Whether its items have several sizes.
fn varies(access: &AccessPattern) -> bool {
    access.sizes.as_ref().is_some_and(|sizes| sizes.count() > 1)
}

/// Whether a read fills more than one page.
fn spans_pages(access: &AccessPattern) -> bool {
    let bytes = |read: &ReadItems| {
        let sizes = read.sizes.as_ref()?;
        Some(sizes.mean() * Exact::from(read.counts.most()))
    };
    matches!(access.call, PatternCall::Page { .. })
        && access.call.reads().iter().filter_map(bytes).sum::<Exact>()
            > Exact::from(limits::PAGE_BYTES)
}

/// The switches that affect a figure of this workload, or could affect one.
pub(super) fn switches(workload: &Workload) -> Vec<Switch> {
    let switches = &workload.switches;
    let tables = &workload.tables;
    let any = |holds: &dyn Fn(&TableDesign) -> bool| tables.iter().any(|table| holds(table));
    let any_call = |holds: &dyn Fn(&PatternCall) -> bool| {
        any(&|table| patterns(table).any(|access| holds(&access.call)))
    };
    let local = |table: &TableDesign| {
        table
            .table
            .indexes
            .iter()
            .any(|index| index.kind == IndexKind::Local)
    };
    let backed_up = |table: &TableDesign| {
        let backup = &table.backup;
        backup.pitr != Some(false)
            || !backup.kept.is_empty()
            || !backup.rules.is_empty()
            || !backup.restores.is_zero()
            || table.archive.is_some()
            || table
                .replicas
                .iter()
                .any(|replica| replica.pitr != Some(false))
    };
    let listed = [
        (any(&|table| table.has_numbers), switches.number_alignment()),
        (
            any_call(
                &|call| matches!(call, PatternCall::Write { condition_failures, .. } if !condition_failures.is_zero()),
            ),
            switches.failed_condition(),
        ),
        (
            any_call(
                &|call| matches!(call, PatternCall::Page { fetches: true, missing, .. } if !missing.is_zero() || may_be_empty(call)),
            ),
            switches.fetch_of_nothing(),
        ),
        (
            any(&|table| {
                table.is_global()
                    && table
                        .access
                        .iter()
                        .any(|access| matches!(access.call, PatternCall::Transaction { .. }))
            }),
            switches.replicated_transaction(),
        ),
        (
            any(&|table| table.is_global() && local(table)),
            switches.replicated_local_index(),
        ),
        (any(&|table| backed_up(table)), switches.backup_overhead()),
        (
            any(&|table| moves(table) && table.capacity != Capacity::OnDemand),
            switches.hour_billing(),
        ),
    ];
    listed
        .into_iter()
        .filter(|(matters, _)| *matters)
        .map(|(_, switch)| switch)
        .collect()
}

/// Items without keys; exports and restores without what they need.
fn of_backups_and_keys(table: &TableDesign) -> Vec<String> {
    let mut list = Vec::new();
    if table.keyless > 0 {
        list.push(format!(
            "{}: items of its export that lack a key of the table: {}; check that it is not the \
             export of another table",
            table.table.name,
            Exact::from(table.keyless)
        ));
    }
    if table.archive.is_some() && table.backup.pitr == Some(false) {
        list.push(format!(
            "{}: exports to S3 need point-in-time recovery, which is off here: its price is \
             not in the bill; set `pitr = true` under [table.backup]",
            table.table.name
        ));
    }
    let backup = &table.backup;
    if !backup.restores.is_zero()
        && backup.pitr == Some(false)
        && backup.kept.is_empty()
        && backup.rules.is_empty()
    {
        list.push(format!(
            "{}: there is no backup to restore from; set `pitr = true` or add `on_demand` \
             under [table.backup]",
            table.table.name
        ));
    }
    list
}

/// Scans through a cache, and a table without any call.
fn of_calls(table: &TableDesign) -> Vec<String> {
    let mut list = Vec::new();
    if table.dax.is_some() {
        for access in patterns(table).filter(|access| {
            access.through_dax && matches!(access.call, PatternCall::Page { scan: true, .. })
        }) {
            list.push(format!(
                "{}: the hit ratio of DAX is also applied to the Scan \"{}\"; set `dax = \
                 false` in that access pattern if every call is different",
                table.table.name, access.name
            ));
        }
    }
    if table.access.is_empty() && table.once.is_empty() {
        list.push(format!(
            "{}: no access pattern is given, so the bill contains no requests",
            table.table.name
        ));
    }
    list
}

/// Warnings for the owner of the design.
pub(super) fn warnings(
    workload: &Workload,
    demand: &[Demand],
    bill: &Bill,
    books: &BTreeMap<String, PriceBook>,
    simulations: &Simulations,
) -> Result<Vec<String>, MoneyError> {
    let mut list = Vec::new();
    for one in demand {
        list.extend(short_of(one));
        list.extend(
            workload
                .tables
                .iter()
                .find(|table| table.table.name == one.table)
                .and_then(|table| beyond_a_new_table(table, one)),
        );
        // Calls that are completely unknown are listed in the bill with the reason.
        if one.partly_unknown && !is_unknown(workload, &one.table) {
            let why = if is_traced(workload, &one.table) {
                "calls of the trace could not be metered"
            } else {
                "the size of an entry is not given"
            };
            list.push(format!(
                "{}: the {} demand is partly unknown, because {why}",
                one.place(),
                kind_of(one)
            ));
        }
    }
    for table in &workload.tables {
        list.extend(hot_key(table, demand));
        list.extend(of_backups_and_keys(table));
        list.extend(of_calls(table));
        list.extend(membership::warnings(table));
        list.extend(membership::small_for_vectors(table));
        if let (Capacity::Provisioned(_), Some(index)) = (&table.capacity, table.vectors.first()) {
            list.push(format!(
                "{} / {}: vector indexes are billed by request; AWS offers them for on-demand tables",
                table.table.name, index.name
            ));
        }
        let Some(hit_ratio) = table.dax.as_ref().and_then(|dax| dax.hit_ratio.known()) else {
            continue;
        };
        for access in table
            .access
            .iter()
            .filter(|access| access.through_dax && access.is_read() && !access.is_cacheable())
        {
            list.push(past_the_cache(
                &TableContext {
                    workload,
                    table,
                    simulations,
                },
                access,
                hit_ratio,
                bill,
                books,
            )?);
        }
    }
    Ok(list)
}

/// A key that receives more requests than one partition can serve.
fn hot_key(table: &TableDesign, demand: &[Demand]) -> Option<String> {
    let over = |one: &Demand| {
        let most = limits::partition_units_max(one.throughput.direction());
        let own = (one.table == table.table.name)
            .then(|| table.hottest_millionths(one.index.as_deref()))
            .flatten();
        let direction = one.throughput.direction();
        own.map(|millionths| Exact::ratio(millionths[direction], 1_000_000))
            .filter(|share| &one.peak * share > Exact::from(most))
    };
    let (one, share) = demand.iter().find_map(|one| Some((one, over(one)?)))?;
    Some(format!(
        "{}: the most popular key gets {} % of the {} units, {} a second in the busiest hour: \
         more than the 3,000 read or 1,000 write units of one partition, so it is throttled \
         regardless of the table's capacity",
        one.place(),
        (&share * &Exact::from(100)).human(2),
        kind_of(one),
        (&one.peak * &share).human(0)
    ))
}

/// The effect on the table when an index refuses writes.
///
/// Source: Developer Guide, "Using Global Secondary Indexes in DynamoDB", provisioned throughput
/// considerations: "If the write capacity of the index is not sufficient, the write to the table is
/// throttled."
fn back_pressure(demand: &Demand) -> &'static str {
    match (&demand.index, demand.throughput.direction()) {
        (Some(_), Direction::Write) => {
            ", and so are the writes of the table, since a write succeeds only if all its indexes \
             accept it"
        }
        _ => "",
    }
}

/// Provisioned units below the demand, or demand above AWS's quota.
fn short_of(demand: &Demand) -> Option<String> {
    let (kind, place, back) = (kind_of(demand), demand.place(), back_pressure(demand));
    let (mean, peak) = (demand.mean.human(1), demand.peak.human(1));
    if let Some(refused) = demand.refused.as_ref().filter(|share| !share.is_zero()) {
        let percent = refused * &Exact::from(100);
        let whose = if demand.index.is_some() {
            "index"
        } else {
            "table"
        };
        return Some(format!(
            "{place}: {} % of the {kind} units exceed the {whose}'s maximum throughput and are \
             refused{back}",
            percent.human(6)
        ));
    }
    if let Some(throttled) = demand
        .provisioned
        .as_ref()
        .and_then(|units| units.throttled.as_ref())
        .filter(|share| !share.is_zero())
    {
        let percent = throttled * &Exact::from(100);
        return Some(format!(
            "{place}: {} % of the {kind} units are throttled while capacity adapts to the \
             demand{back}",
            percent.human(6)
        ));
    }
    let words = |units: u64, what: String, when: &str| {
        let plural = if units == 1 {
            "unit is less"
        } else {
            "units are fewer"
        };
        format!(
            "{place}: {} provisioned {kind} {plural} than {what}: requests are \
             throttled{when}{back}",
            Exact::from(units)
        )
    };
    match demand.provisioned.as_ref().and_then(|units| units.fixed()) {
        Some(units) if Exact::from(units) < demand.mean => Some(words(
            units,
            format!("the mean demand of {mean} a second"),
            "",
        )),
        Some(units) if Exact::from(units) < demand.peak => Some(words(
            units,
            format!("the {peak} a second of the busiest hour"),
            " then",
        )),
        _ if demand.peak > Exact::from(QUOTA) => Some(format!(
            "{place}: {peak} {kind} units a second in the busiest hour exceed AWS's default quota \
             of 40,000; ask AWS to raise it"
        )),
        _ => None,
    }
}

/// On-demand traffic that a new table cannot serve immediately.
fn beyond_a_new_table(table: &TableDesign, demand: &Demand) -> Option<String> {
    let floor = OnDemand::new(demand.throughput.direction(), None).floor;
    let new = table.capacity == Capacity::OnDemand && demand.peak > Exact::from(floor);
    new.then(|| {
        format!(
            "{}: the demand is {} {} units a second in the busiest hour; a new on-demand table \
             serves {} immediately and then up to twice its previous peak; increase its warm \
             throughput before such traffic begins (rule 6.1)",
            demand.place(),
            demand.peak.human(0),
            kind_of(demand),
            Exact::from(floor)
        )
    })
}

fn kind_of(demand: &Demand) -> &'static str {
    demand.throughput.direction().word()
}

/// The cost of reads that a cache never answers, and their cost with eventual consistency.
fn past_the_cache(
    design: &TableContext,
    access: &AccessPattern,
    hit_ratio: &Exact,
    bill: &Bill,
    books: &BTreeMap<String, PriceBook>,
) -> Result<String, MoneyError> {
    let name = &access.name;
    let table = &design.table.table.name;
    let start = format!(
        "{table}: the reads of \"{name}\" are strongly consistent or transactional, so DAX passes \
         them to the table and never answers them"
    );
    let mut eventual = access.clone();
    match &mut eventual.call {
        PatternCall::Get { consistency, .. } => *consistency = Some(Default::default()),
        PatternCall::Page { consistency, .. } => *consistency = Default::default(),
        PatternCall::Write { .. }
        | PatternCall::Transaction { .. }
        | PatternCall::Traced(_)
        | PatternCall::Counted { .. }
        | PatternCall::Unknown { .. } => {}
    }
    let read = |access: &AccessPattern| -> Exact {
        let expected = design.expect(&expand(access, design.table, &design.workload.switches));
        expected
            .home
            .iter()
            .map(|target| target.read.units.clone())
            .sum::<Exact>()
            * access.calls.clone()
    };
    let (consumed, units) = (read(access), read(&eventual));
    let behind = &units * &(Exact::one() - hit_ratio.clone());
    if design.table.capacity != Capacity::OnDemand {
        return Ok(format!(
            "{start}; with eventual consistency, they consume {} read units a month, or {} behind \
             DAX",
            units.human(1),
            behind.human(1)
        ));
    }
    let usage = |quantity: Exact| Usage {
        subject: design.subject(None, &design.workload.region, Some(name)),
        usage_type: UsageType::Requests(Throughput::Read, design.table.table.class),
        quantity,
        because: Vec::new(),
    };
    let cost = |quantity: Exact| price(&[usage(quantity)], books, &BTreeSet::new())?.total();
    let now = bill
        .lines
        .iter()
        .filter(|line| line.subject.access.as_ref() == Some(name) && line.subject.is_of(table));
    let home = |line: &&crate::pricing::LineItem| {
        line.usage_type.is_read_request() && line.subject.region == design.workload.region
    };
    let now = Money::sum(now.filter(home).map(|line| line.amount))?;
    let misses = Exact::one() - hit_ratio.clone();
    let counted = consumed * misses;
    Ok(format!(
        "{start}: they cost {} now, and not {}, as the hit ratio would suggest; with eventual \
         consistency, they cost {} without DAX and {} behind it (plus the nodes)",
        now.human(),
        cost(counted)?.human(),
        cost(units)?.human(),
        cost(behind)?.human()
    ))
}
