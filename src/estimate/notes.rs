//! What a reader must know beside the figures: assumptions, the switches that matter, warnings.

use crate::pricing::LineItem;
use std::collections::{BTreeMap, BTreeSet};

use super::TableContext;
use super::operations::expand;
use crate::capacity::policy::{OnDemand, Tracking};
use crate::capacity::series::Horizon;
use crate::capacity::{Course, Demand, Shape, Simulations};
use crate::meter::Switch;
use crate::money::{Money, MoneyError};
use crate::pricing::{Bill, PriceBook, price};
use crate::table::{ApiName, Direction, IndexKind, limits};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::{Throughput, Usage, UsageType};
use crate::workload::{
    AccessPattern, Capacity, HitRatio, PatternCall, Reserved, TableDesign, Units, Workload,
    WriteKind, WritePlan,
};

/// Units a second that AWS grants a table by default. Source: Developer Guide, "Quotas in Amazon
/// DynamoDB".
const QUOTA: u64 = limits::PROVISIONED_UNITS_MAX;

/// What AWS does not say, and what the design leaves open, as far as it touches this workload.
pub(super) fn assumptions(
    workload: &Workload,
    bill: &Bill,
    date: Date,
    newest: Option<Date>,
) -> Vec<String> {
    let tables = &workload.tables;
    let any = |holds: &dyn Fn(&TableDesign) -> bool| tables.iter().any(|table| holds(table));
    let any_access =
        |holds: &dyn Fn(&AccessPattern) -> bool| any(&|table| patterns(table).any(holds));
    let mut list: Vec<String> = Vec::new();
    let mut say = |holds: bool, text: &str| {
        if holds {
            list.push(text.to_string());
        }
    };
    let is_free = |line: &&LineItem| {
        line.published.rate.decimal().is_zero() && line.usage_type.free_tier().is_some()
    };
    let free: Vec<_> = bill
        .lines
        .iter()
        .filter(is_free)
        .map(|line| (&line.subject.region, &line.usage_type))
        .collect();
    say(
        free.iter().collect::<BTreeSet<_>>().len() < free.len(),
        "a free tier covers tables, indexes and access patterns in proportion to what they use; \
         AWS takes it off the account's usage and does not say from whose",
    );
    say(
        any(&|table: &TableDesign| !table.unknown.items),
        "the tables hold the given number of items all month",
    );
    say(
        !workload.written.ranges.is_empty(),
        "of each range the likely value is estimated",
    );
    say(
        any_access(
            &|access| matches!(&access.call, PatternCall::Write { plans, refused } if !refused.is_zero() && plans.iter().any(|(plan, _)| plan.kind == WriteKind::Put)),
        ),
        "a put whose condition fails found an item of the pattern's size",
    );
    say(
        any_access(&|access| {
            access.before.is_none()
                && varies(access)
                && matches!(
                    access.call,
                    PatternCall::Write { .. } | PatternCall::Transaction { .. }
                )
        }),
        "a write leaves an item of the size that it found",
    );
    say(
        any_access(&|access| spans_pages(access) && varies(access)),
        "items of different sizes fill a page of 1 MB as items of their mean size would",
    );
    say(
        any(&|table| !table.indexes.is_empty() && table.access.iter().any(changes_unsaid)),
        "a write without `changes` changes every attribute but the keys of indexes",
    );
    say(
        any(&|table| table.access.iter().any(puts_unsaid)),
        "a put without `overwrites` finds no item; an update or delete without `missing` finds one",
    );
    say(
        any_access(
            &|access| matches!(&access.call, PatternCall::Transaction { cancelled, .. } if !cancelled.is_zero()),
        ),
        "a cancelled transaction finds the items that it would have found",
    );
    say(
        any(&|table| !table.ttl_deletes.is_zero()),
        "Time to Live deletes cost no write units where they expire (rule 3.12)",
    );
    say(
        any_access(
            &|access| matches!(&access.call, PatternCall::Page { missing, items, .. } if !missing.is_zero() || *items == 0),
        ),
        "a Query or Scan that finds nothing costs the minimum of one partition, however many it \
         looks into",
    );
    say(
        any(&|table| {
            table.dax.is_some()
                && table.access.iter().any(|access| {
                    access.through_dax && access.operation == Some(ApiName::UpdateItem)
                })
        }),
        "an UpdateItem through DAX costs what it costs without (AWS does not say how DAX obtains \
         the item after it)",
    );
    say(
        any(&|table| table.stream.as_ref().is_some_and(|stream| stream.kinesis)),
        "the Kinesis data stream itself is not in the bill, nor are readers such as Lambda \
         functions",
    );
    say(
        any(&|table| {
            table.is_global()
                && (table.contributor_insights
                    || table.stream.is_some()
                    || !table.backup.kept.is_empty()
                    || table.archive.is_some()
                    || table.dax.is_some())
        }),
        "of a global table, streams, Kinesis, on-demand backups, exports, Contributor Insights \
         and DAX are those of the home region",
    );
    say(
        any(&TableDesign::is_global),
        "the replicas exist already: adding one bills a restore and the transfer of its data",
    );
    say(
        any(&|table| {
            table
                .indexes
                .iter()
                .any(|index| index.coverage != Exact::one())
        }),
        "the share of items that an index covers stays the same: each entry that a changed key \
         removes is matched by one that it puts",
    );
    say(
        any(&TableDesign::is_global),
        "a replicated write sends the whole item to each other region (AWS bills \"replicated \
         bytes\" without defining them)",
    );
    say(
        any(&|table| {
            table.is_global()
                && table.access.iter().any(|access| {
                    matches!(
                        access.call,
                        PatternCall::Write { .. } | PatternCall::Transaction { .. }
                    )
                })
        }),
        "every write is replicated by itself; AWS may combine changes of one item within a short \
         time, which costs less",
    );
    say(
        any(&|table| {
            table.is_global()
                && table
                    .access
                    .iter()
                    .any(|access| writes_without_change(&access.call))
        }),
        "write units of a global table that change nothing (failed conditions, condition checks) \
         are replicated units too",
    );
    say(
        any(&|table| {
            table
                .stream
                .as_ref()
                .is_some_and(|stream| !stream.polling.is_zero() && stream.shards.is_none())
        }),
        "a stream has a shard for each 10 GB of the table or 1,000 writes a second, whichever are \
         more (AWS documents neither)",
    );
    say(
        any(&|table| {
            table
                .stream
                .as_ref()
                .is_some_and(|stream| !stream.polling.is_zero() && !stream.polls_given)
        }),
        "a polling reader calls GetRecords once a second on each shard",
    );
    say(
        any(&|table: &TableDesign| !table.backup.kept.is_empty()),
        "every kept on-demand backup is as large as the table now and bills a whole month; AWS \
         bills one on its first day for the rest of the month and on the 1st of each month that \
         it still exists",
    );
    say(
        any(&|table: &TableDesign| table.archive.is_some()),
        "the archive is in its steady state: as much leaves each S3 class as enters it",
    );
    say(
        any(&|table| {
            table
                .archive
                .as_ref()
                .is_some_and(|archive| archive.compression == Exact::one())
        }),
        "exports are stored as large as DynamoDB bills them; they are gzip, so set `compression` \
         once you have measured one",
    );
    say(
        any(&|table| {
            table
                .archive
                .as_ref()
                .is_some_and(|archive| !archive.keep_given)
        }),
        "exports are kept for a year",
    );
    say(
        any(&|table| {
            table
                .archive
                .as_ref()
                .is_some_and(|archive| archive.incremental)
        }),
        "an incremental export bills the bytes of each changed item once for each change",
    );
    say(
        any(&|table: &TableDesign| table.dax.is_some()),
        "the hit ratio is the share of eventually consistent calls that DAX answers, alike for \
         all patterns",
    );
    say(
        any(&|table: &TableDesign| table.contributor_insights),
        "Contributor Insights sees one event for each item that a call reads or writes, two where \
         the table has a sort key; index writes are none",
    );
    say(
        any(&|table: &TableDesign| table.encryption.is_some()),
        "each caller asks KMS for the table key once in five minutes, all month: an upper bound",
    );
    say(
        any(&|table: &TableDesign| table.reserved.is_some()),
        "the upfront price of reserved capacity is spread evenly over its term",
    );
    for table in tables {
        let all = patterns(table)
            .filter_map(|access| access.sizes.as_ref())
            .chain(&table.sizes);
        // One in a million is worth no words.
        let cut = all
            .filter(|sizes| sizes.cut() * &Exact::from(1_000_000) > Exact::one())
            .max_by_key(|sizes| sizes.cut().clone());
        list.extend(cut.map(|sizes| {
            format!(
                "{}: {} % of a lognormal distribution are above 400 KB and cut off, since no item \
                 is that large; the mean that remains is {} bytes",
                table.table.name,
                (sizes.cut() * &Exact::from(100)).human(4),
                sizes.mean().human(0)
            )
        }));
    }
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
            "the month lies {years} ahead: items and traffic have grown by each table's `growth`, \
             at the prices known now"
        ));
    }
    for table in tables {
        let Some(dax) = &table.dax else { continue };
        let HitRatio::Expected(hit_ratio) = &dax.hit_ratio else {
            continue;
        };
        list.push(format!(
            "{}: a hit ratio of {} follows from the popularity of its keys (Zipf, Che's \
             approximation, a time to live of {} s, all of a node's memory for items)",
            table.table.name,
            hit_ratio.human(4),
            dax.ttl_seconds
        ));
    }
    list.extend(price_notes(bill, date, newest));
    list
}

/// Whether auto scaling or a schedule moves any of a table's units.
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

/// What a simulation of capacity takes for granted.
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
            "; the rate of a profile with `profile_shape = \"smooth\"` changes evenly between the \
             middles of two hours"
        }
        false if shapes.iter().any(|shape| !shape.is_flat()) => {
            "; the rate is constant within the hour of a profile's weight"
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
        "minute by minute (what is throttled within a minute is not seen)"
    };
    vec![
        format!(
            "capacity that moves is simulated over {} days, {step}: calls arrive at random \
             (Poisson, seed {}), and what is throttled does not come again{course}",
            horizon.days, horizon.seed
        ),
        format!(
            "auto scaling raises capacity after {up_minutes} minutes above the target and lowers \
             it after {down_minutes} minutes {gap_points} points below; an alarm takes \
             {alarm_delay_minutes} minutes (AWS: \"up to a few\"), a change {apply_delay_minutes} \
             more (\"several\"); a scheduled change takes effect at its minute"
        ),
        "the pages of a Query or Scan are asked for one by one, spread like the calls themselves"
            .to_string(),
        "300 seconds of unused capacity are kept for bursts, which AWS gives as far as it can; \
         where a table or an index has no `popularity`, its keys are even enough that no \
         partition is throttled before it"
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

/// Whether calls of a table are unknown as a whole.
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

fn plans(access: &AccessPattern) -> &[(WritePlan, u64)] {
    match &access.call {
        PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. } => plans,
        PatternCall::Get { .. }
        | PatternCall::Page { .. }
        | PatternCall::Traced(_)
        | PatternCall::Counted { .. }
        | PatternCall::Unknown { .. } => &[],
    }
}

fn changes_unsaid(access: &AccessPattern) -> bool {
    plans(access).iter().any(|(plan, _)| {
        plan.changes.is_none()
            && !plan.finds.is_zero()
            && matches!(plan.kind, WriteKind::Put | WriteKind::Update)
    })
}

fn puts_unsaid(access: &AccessPattern) -> bool {
    plans(access).iter().any(|(plan, _)| match plan.kind {
        WriteKind::Put => plan.finds.is_zero(),
        WriteKind::Update | WriteKind::Delete => plan.finds == Exact::one(),
        WriteKind::ConditionCheck => false,
    })
}

/// Prices that are not certain: found by others than AWS, or first seen after the date asked.
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
            "the newest prices that the book knows are of {newest}; later ones may differ"
        ));
    }
    if !unsure.is_empty() {
        notes.push(format!(
            "prices that are not confirmed beyond doubt, with confidence and source: {}",
            list(unsure)
        ));
    }
    if !later.is_empty() {
        notes.push(format!(
            "prices first seen after {date} and taken for it as well: {}",
            list(later)
        ));
    }
    notes
}

/// Whether a call pays for writes that leave everything as it was.
fn writes_without_change(call: &PatternCall) -> bool {
    match call {
        PatternCall::Write { refused, .. } => !refused.is_zero(),
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

/// Whether its items have several sizes.
fn varies(access: &AccessPattern) -> bool {
    access.sizes.as_ref().is_some_and(|sizes| sizes.count() > 1)
}

/// Whether a read fills more than one page.
fn spans_pages(access: &AccessPattern) -> bool {
    let PatternCall::Page { items, .. } = &access.call else {
        return false;
    };
    access
        .sizes
        .as_ref()
        .is_some_and(|sizes| sizes.mean() * Exact::from(*items) > Exact::from(limits::PAGE_BYTES))
}

/// The switches that change a figure of this workload, or could.
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
        backup.pitr
            || !backup.kept.is_empty()
            || !backup.restores.is_zero()
            || table.archive.is_some()
            || table.replicas.iter().any(|replica| replica.pitr)
    };
    let listed = [
        (any(&|table| table.has_numbers), switches.number_alignment()),
        (
            any_call(
                &|call| matches!(call, PatternCall::Write { refused, .. } if !refused.is_zero()),
            ),
            switches.failed_condition(),
        ),
        (
            any_call(
                &|call| matches!(call, PatternCall::Page { fetches: true, missing, items, .. } if !missing.is_zero() || *items == 0),
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

/// What the owner of the design should look at.
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
        // Calls that are unknown as a whole are lines of the bill that say why.
        if one.partly_unknown && !is_unknown(workload, &one.table) {
            let why = if is_traced(workload, &one.table) {
                "calls of the trace could not be metered"
            } else {
                "the size of an entry is not given"
            };
            list.push(format!(
                "{}: its {} demand is partly unknown, because {why}",
                one.place(),
                kind_of(one)
            ));
        }
    }
    for table in &workload.tables {
        list.extend(hot_key(table, demand));
        if table.keyless > 0 {
            list.push(format!(
                "{}: {} items of its export lack a key of the table; is it the export of another \
                 one?",
                table.table.name,
                Exact::from(table.keyless)
            ));
        }
        if table.archive.is_some() && !table.backup.pitr {
            list.push(format!(
                "{}: exports to S3 need point-in-time recovery, which is off here: its price is \
                 not in the bill; set `pitr = true` under [table.backup]",
                table.table.name
            ));
        }
        if !table.backup.restores.is_zero() && !table.backup.pitr && table.backup.kept.is_empty() {
            list.push(format!(
                "{}: nothing is backed up that could be restored",
                table.table.name
            ));
        }
        if let Some(reserved) = &table.reserved {
            list.extend(over_reserved(table, reserved, demand));
        }
        if table.dax.is_some() {
            for access in patterns(table).filter(|access| {
                access.through_dax && matches!(access.call, PatternCall::Page { scan: true, .. })
            }) {
                list.push(format!(
                    "{}: the hit ratio of DAX counts for the Scan \"{}\" too; set `dax = false` \
                     there if each is another",
                    table.table.name, access.name
                ));
            }
        }
        if table.access.is_empty() {
            list.push(format!(
                "{}: no access pattern is given, so no request is in the bill",
                table.table.name
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

/// A key that is asked for more often than one partition serves.
fn hot_key(table: &TableDesign, demand: &[Demand]) -> Option<String> {
    let over = |one: &Demand| {
        let most = limits::partition_units_max(one.throughput.direction());
        let own = (one.table == table.table.name)
            .then(|| table.hottest_millionths(one.index.as_deref()))
            .flatten();
        own.map(|millionths| Exact::ratio(millionths, 1_000_000))
            .filter(|share| &one.peak * share > Exact::from(most))
    };
    let (one, share) = demand.iter().find_map(|one| Some((one, over(one)?)))?;
    Some(format!(
        "{}: the most popular key gets {} % of the {} units, {} a second in the busiest hour: \
         more than the 3,000 read or 1,000 write units of one partition, so it is throttled \
         whatever the capacity",
        one.place(),
        (&share * &Exact::from(100)).human(2),
        kind_of(one),
        (&one.peak * &share).human(0)
    ))
}

/// A reservation of more units than are provisioned in the home region.
fn over_reserved(table: &TableDesign, reserved: &Reserved, demand: &[Demand]) -> Option<String> {
    let home = demand
        .iter()
        .filter(|one| one.table == table.table.name)
        .map(|one| one.region.as_str())
        .next()?;
    let provisioned = |direction: Direction| -> u64 {
        let of = |one: &&Demand| {
            one.table == table.table.name
                && one.region == home
                && one.throughput.direction() == direction
        };
        demand
            .iter()
            .filter(of)
            .filter_map(|one| one.provisioned.as_ref())
            .map(|units| units.high)
            .sum()
    };
    let (read, write) = (provisioned(Direction::Read), provisioned(Direction::Write));
    (reserved.read > read || reserved.write > write).then(|| {
        format!(
            "{}: {} read and {} write units are reserved, but no more than {} and {} are \
             provisioned: the rest is paid for nothing",
            table.table.name,
            Exact::from(reserved.read),
            Exact::from(reserved.write),
            Exact::from(read),
            Exact::from(write)
        )
    })
}

/// What an index that refuses writes does to its table.
///
/// Source: Developer Guide, "Using Global Secondary Indexes in DynamoDB", provisioned throughput
/// considerations: "If the write capacity of the index is not sufficient, the write to the table is
/// throttled."
fn back_pressure(demand: &Demand) -> &'static str {
    match (&demand.index, demand.throughput.direction()) {
        (Some(_), Direction::Write) => {
            ", and with them the writes of the table, since a write succeeds only if its indexes \
             take it"
        }
        _ => "",
    }
}

/// Provisioned units below the demand, or a demand beyond AWS's quota.
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
            "{place}: {} % of the {kind} units are refused beyond the {whose}'s maximum \
             throughput{back}",
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
            "{place}: {} % of the {kind} units are throttled while capacity follows the \
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

/// An on-demand demand that a new table does not serve at once.
fn beyond_a_new_table(table: &TableDesign, demand: &Demand) -> Option<String> {
    let floor = OnDemand::new(demand.throughput.direction(), None).floor;
    let new = table.capacity == Capacity::OnDemand && demand.peak > Exact::from(floor);
    new.then(|| {
        format!(
            "{}: {} {} units a second are asked for in the busiest hour; a new on-demand table \
             serves {} at once and then up to twice its last peak: raise its warm throughput \
             before such traffic begins (rule 6.1)",
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

/// What reads that a cache never answers cost, and what they would cost otherwise.
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
        "{table}: \"{name}\" reads strongly or in a transaction, which DAX passes on to the table \
         and never answers"
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
            .map(|arm| arm.read.units.clone())
            .sum::<Exact>()
            * access.calls.clone()
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
        usage_type: UsageType::Requests(Throughput::Read, design.table.table.class),
        quantity,
        because: Vec::new(),
    };
    let cost = |quantity: Exact| price(&[usage(quantity)], books, &BTreeSet::new())?.total();
    let now = bill
        .lines
        .iter()
        .filter(|line| line.subject.access.as_ref() == Some(name) && line.subject.table == *table);
    let home = |line: &&crate::pricing::LineItem| {
        line.usage_type.is_read_request() && line.subject.region == design.workload.region
    };
    let now = Money::sum(now.filter(home).map(|line| line.amount))?;
    let misses = Exact::one() - hit_ratio.clone();
    let counted = consumed * misses;
    Ok(format!(
        "{start}: it costs {} now, not the {} of a guide that counts hits; eventually consistent \
         it costs {} without DAX, {} behind it (and the nodes)",
        now.human(),
        cost(counted)?.human(),
        cost(units)?.human(),
        cost(behind)?.human()
    ))
}
