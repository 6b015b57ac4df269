//! Capacity modes of a table and its indexes, and its table class.

use std::sync::Arc;

use rayon::prelude::*;

use super::search::{Found, Lane};
use super::{Alternative, Context, Kind, table_mut};
use crate::capacity::Scaling;
use crate::capacity::series::{Arrivals, account_name};
use crate::table::{IndexKind, TableClass, limits};
use crate::units::{Exact, group_thousands};
use crate::usage::Throughput;
use crate::workload::{Capacity, TableDesign, Units};

/// How a table's provisioned capacity could move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Fixed,
    AutoScaled,
    Scheduled,
    Cheapest,
}

impl Account {
    /// The reads that a mode must be enough for: of fixed units, each replica has its own.
    fn reads_of(&self, mode: Mode) -> &Found {
        let home = mode.pick(&self.reads);
        if is_fixed(home) { home } else { mode.pick(&self.most_reads) }
    }
}

fn is_fixed(found: &Found) -> bool {
    found.scaling.target_percent.is_none() && found.scaling.schedule.0.is_empty()
}

impl Mode {
    const ALL: [Mode; 4] = [Mode::Fixed, Mode::AutoScaled, Mode::Scheduled, Mode::Cheapest];

    fn name(self) -> &'static str {
        match self {
            Mode::Fixed => "provisioned, fixed at the cheapest safe value",
            Mode::AutoScaled => "provisioned, auto scaled",
            Mode::Scheduled => "provisioned, scheduled",
            Mode::Cheapest => "provisioned, each table and index its cheapest way",
        }
    }

    fn pick(self, lane: &Lane) -> &Found {
        match self {
            Mode::Fixed => &lane.fixed,
            Mode::AutoScaled => &lane.auto_scaled,
            Mode::Scheduled => &lane.scheduled,
            Mode::Cheapest => {
                let ways = [&lane.fixed, &lane.auto_scaled, &lane.scheduled];
                // Of equals the first, which moves least.
                ways.into_iter().min_by_key(|found| found.hourly.mean()).unwrap_or(&lane.fixed)
            }
        }
    }
}

/// What was found for one account: a table or a global index, over all its regions.
struct Account {
    index: Option<String>,
    line: usize,
    reads: Arc<Lane>,
    /// The region that reads most: units that move, and those of an index, are the same everywhere.
    most_reads: Arc<Lane>,
    /// Of a global table, the region that asks for most: writes are kept in step everywhere.
    writes: Arc<Lane>,
    /// Reads of each replica.
    abroad: Vec<(String, Arc<Lane>)>,
}

/// The accounts of a table, searched.
fn accounts(context: &Context, at: usize, table: &TableDesign) -> Vec<Account> {
    let home = &context.workload.region;
    let lane = |index: Option<&str>, region: &str, reads: bool| {
        let of = |one: &&crate::capacity::Consumption| {
            one.account.as_deref() == index && one.subject.region == region && (one.throughput == Throughput::Read) == reads
        };
        let consumed = context.metering.consumed(at).iter().filter(of);
        let arrivals: Vec<Arrivals> = consumed.map(|one| one.arrivals(&context.workload.month)).collect();
        let name = account_name(&table.table.name, index, region, reads);
        let billing = context.workload.switches.hour_billing;
        context.searches.lane((&name, reads), &arrivals, &context.workload.horizon, context.question.throttled_billionths, billing)
    };
    let global = |(position, index): (usize, &crate::table::Index)| {
        (index.kind == IndexKind::Global).then(|| (Some(index.name.clone()), table.indexes[position].line))
    };
    let names = std::iter::once((None, table.lines.capacity)).chain(table.table.indexes.iter().enumerate().filter_map(global));
    let regions: Vec<&str> = table.replicas.iter().filter(|replica| !replica.witness).map(|replica| replica.region.as_str()).collect();
    let account = |(index, line): (Option<String>, usize)| {
        let name = index.as_deref();
        let everywhere = std::iter::once(home.as_str()).chain(regions.iter().copied()).map(|region| lane(name, region, false));
        let writes = everywhere.max_by_key(|lane| lane.fixed.scaling.min);
        let reading = std::iter::once(home.as_str()).chain(regions.iter().copied()).map(|region| lane(name, region, true));
        let most_reads = reading.max_by_key(|lane| lane.fixed.scaling.min).unwrap_or_else(|| lane(name, home, true));
        Account {
            reads: if name.is_some() { most_reads.clone() } else { lane(name, home, true) },
            most_reads,
            writes: writes.unwrap_or_else(|| lane(name, home, false)),
            abroad: regions.iter().map(|region| (region.to_string(), lane(name, region, true))).collect(),
            index,
            line,
        }
    };
    names.collect::<Vec<_>>().into_par_iter().map(account).collect()
}

fn units(found: &Found) -> Units {
    match is_fixed(found) {
        true => Units::Fixed(found.scaling.min),
        false => Units::Scaled(found.scaling.clone()),
    }
}

/// On demand and every way to provision, for the table with its indexes; and each index by itself.
pub(super) fn of(context: &Context, at: usize, table: &TableDesign) -> Vec<Alternative> {
    let name = table.table.name.clone();
    let slot = format!("capacity of {name}");
    let mut all = Vec::new();
    if context.metering.demand().any(|demand| demand.table == name && demand.partly_unknown) {
        let why = "its demand is partly unknown: what could not be metered is listed as unknown";
        return Mode::ALL.map(|mode| Alternative::new(Kind::Capacity, mode.name()).of(table, None).impossible(why)).into();
    }
    let accounts = accounts(context, at, table);
    if table.capacity != Capacity::OnDemand {
        let (target, edit) = (name.clone(), "mode = \"on-demand\"");
        let alternative = Alternative::new(Kind::Capacity, "on demand")
            .of(table, None)
            .because(on_demand_limits(&accounts))
            .edit(table.lines.capacity, edit)
            .change(slot.clone(), move |workload| {
                if let Some(table) = table_mut(workload, &target) {
                    table.capacity = Capacity::OnDemand;
                    table.on_demand_max = [None; 2];
                    table.indexes.iter_mut().for_each(|index| index.capacity = None);
                    table.replicas.iter_mut().for_each(|replica| replica.read = None);
                }
            });
        all.push(alternative);
    }
    for mode in Mode::ALL {
        all.push(provisioned(table, &accounts, mode, &slot));
    }
    for account in accounts.iter().filter(|account| account.index.is_some()) {
        all.push(one_index(table, account));
    }
    all
}

/// What a new on-demand table refuses until it has grown.
fn on_demand_limits(accounts: &[Account]) -> String {
    let lanes = accounts.iter().flat_map(|account| [&account.reads, &account.writes]);
    match lanes.map(|lane| lane.on_demand_billionths).max().unwrap_or(0) {
        0 => "pays for each request and never more than is asked for".to_string(),
        some => format!(
            "a new table serves 4,000 writes and 12,000 reads a second and then twice its last peak: {} of the first week's demand is throttled; raise its warm throughput before",
            Exact::ratio(some, 1_000_000_000).human(6)
        ),
    }
}

/// An account's index, its reads and writes, and the reads of its replicas.
type Chosen = (Option<String>, Units, Units, Vec<(String, u64)>);

/// A table with all its global indexes provisioned in one way.
fn provisioned(table: &TableDesign, accounts: &[Account], mode: Mode, slot: &str) -> Alternative {
    let chosen: Vec<Chosen> = accounts
        .iter()
        .map(|account| {
            let abroad = account.abroad.iter().map(|(region, lane)| (region.clone(), lane.fixed.scaling.min)).collect();
            (account.index.clone(), units(account.reads_of(mode)), units(mode.pick(&account.writes)), abroad)
        })
        .collect();
    let words = |account: &Account| {
        let (reads, writes) = (account.reads_of(mode), mode.pick(&account.writes));
        let place = account.index.as_ref().map(|index| format!("{index}: ")).unwrap_or_default();
        format!("{place}reads {}, writes {}", described(reads), described(writes))
    };
    let worst = accounts.iter().flat_map(|account| [account.reads_of(mode), mode.pick(&account.writes)]);
    let throttled = worst.map(|found| found.throttled_billionths).max().unwrap_or(0);
    let why = format!("{}; {}", accounts.iter().map(words).collect::<Vec<_>>().join("; "), throttles(throttled));
    let edit = accounts
        .iter()
        .map(|account| {
            let (reads, writes) = (account.reads_of(mode), mode.pick(&account.writes));
            match &account.index {
                None => format!("mode = \"provisioned\", {}, {}{}", toml("read", reads), toml("write", writes), schedule(reads, writes)),
                Some(index) => {
                    format!(
                        "{index} (line {}): {}, {}{}",
                        account.line,
                        toml("read", reads),
                        toml("write", writes),
                        schedule(reads, writes)
                    )
                }
            }
        })
        .collect::<Vec<_>>()
        .join("; ");
    let most = accounts.iter().flat_map(|account| [account.reads_of(mode).highest, mode.pick(&account.writes).highest]).max().unwrap_or(0);
    let quota = limits::PROVISIONED_UNITS_MAX;
    if most > quota * 1_000 {
        let why = format!("{} units are more than any table has", Exact::from(most));
        return Alternative::new(Kind::Capacity, mode.name()).of(table, None).impossible(why);
    }
    let why = if most > quota { format!("{why}; more than AWS's default quota of 40,000 units a table, ask for more") } else { why };
    let moves = mode != Mode::Fixed;
    let risk = if moves {
        "throttling while capacity follows a jump that the profile does not show"
    } else {
        "throttling beyond the demand that the file describes"
    };
    let target = table.table.name.clone();
    Alternative::new(Kind::Capacity, mode.name()).of(table, None).because(why).risking(risk).edit(table.lines.capacity, edit).change(
        slot,
        move |workload| {
            let Some(table) = table_mut(workload, &target) else { return };
            for (index, read, write, abroad) in &chosen {
                match index {
                    None => {
                        table.capacity = Capacity::Provisioned { read: read.clone(), write: write.clone() };
                        for replica in &mut table.replicas {
                            let own = abroad.iter().find(|(region, _)| *region == replica.region).map(|(_, units)| *units);
                            replica.read = own.filter(|_| matches!(read, Units::Fixed(_))).map(Units::Fixed);
                        }
                    }
                    Some(name) => {
                        if let Some(at) = table.table.indexes.iter().position(|index| index.name == *name) {
                            table.indexes[at].capacity = Some((read.clone(), write.clone()));
                        }
                    }
                }
            }
        },
    )
}

/// One index of a provisioned table, its table left as it is.
fn one_index(table: &TableDesign, account: &Account) -> Alternative {
    let (reads, writes) = (Mode::Cheapest.pick(&account.reads).clone(), Mode::Cheapest.pick(&account.writes).clone());
    let index = account.index.clone().unwrap_or_default();
    let words = format!("reads {}, writes {}", described(&reads), described(&writes));
    let alternative = Alternative::new(Kind::Capacity, "this index its cheapest way").of(table, Some(&index));
    if table.capacity == Capacity::OnDemand {
        return alternative.impossible(format!("an index has its table's mode, on demand; provisioned it would need {words}"));
    }
    let target = table.table.name.clone();
    alternative
        .because(format!("{words}; {}", throttles(reads.throttled_billionths.max(writes.throttled_billionths))))
        .risking("throttling of the index, and with it of writes to the table")
        .edit(account.line, format!("{}, {}{}", toml("read", &reads), toml("write", &writes), schedule(&reads, &writes)))
        .change(format!("capacity of {} / {index}", table.table.name), move |workload| {
            let Some(table) = table_mut(workload, &target).filter(|table| table.capacity != Capacity::OnDemand) else { return };
            if let Some(at) = table.table.indexes.iter().position(|one| one.name == index) {
                table.indexes[at].capacity = Some((units(&reads), units(&writes)));
            }
        })
}

fn described(found: &Found) -> String {
    let Scaling { min, max, target_percent, schedule } = &found.scaling;
    let group = |units: u64| group_thousands(&units.to_string());
    match (target_percent, schedule.0.is_empty()) {
        (Some(target), _) => format!("{} to {} at {target} %", group(*min), group(*max)),
        (None, false) => {
            let least = schedule.0.iter().filter_map(|(_, bounds)| bounds.min).min().unwrap_or(*min);
            format!("{} to {} in {} scheduled changes a week", group(least), group(found.highest), schedule.0.len())
        }
        (None, true) => group(*min),
    }
}

fn throttles(billionths: u64) -> String {
    match billionths {
        0 => "throttles nothing in the simulated time".to_string(),
        some => format!("throttles {} of the demand", Exact::ratio(some, 1_000_000_000).human(9)),
    }
}

fn toml(key: &str, found: &Found) -> String {
    let Scaling { min, max, target_percent, .. } = &found.scaling;
    match target_percent {
        Some(target) => format!("{key} = {{ min = {min}, max = {max}, target = 0.{target} }}"),
        None => format!("{key} = {min}"),
    }
}

/// The scheduled actions of a table's own account, as the file writes them.
fn schedule(reads: &Found, writes: &Found) -> String {
    let mut actions: Vec<(String, String)> = Vec::new();
    for (direction, found) in [("read", reads), ("write", writes)] {
        let mut groups: Vec<(u64, u64, Vec<u64>)> = Vec::new();
        for (minute, bounds) in &found.scaling.schedule.0 {
            let (time, units) = (minute % 1440, bounds.min.unwrap_or(1));
            match groups.iter_mut().find(|(at, of, _)| *at == time && *of == units) {
                Some((_, _, days)) => days.push(minute / 1440),
                None => groups.push((time, units, vec![minute / 1440])),
            }
        }
        for (time, units, days) in groups {
            let week: Vec<&str> = days.iter().map(|day| DAYS[(*day % 7) as usize]).collect();
            let days = if week.len() == 7 { "*".to_string() } else { week.join(",") };
            actions
                .push((format!("{} {} * * {days}", time % 60, time / 60), format!("min_{direction} = {units}, max_{direction} = {units}")));
        }
    }
    if actions.is_empty() {
        return String::new();
    }
    let list = actions.into_iter().map(|(cron, bounds)| format!("{{ cron = \"{cron}\", {bounds} }}")).collect::<Vec<_>>().join(", ");
    format!(", schedule = [{list}]")
}

const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// The other table class.
pub(super) fn classes(table: &TableDesign) -> Vec<Alternative> {
    let (other, name, word) = match table.table.class {
        TableClass::Standard => (TableClass::StandardIa, "Standard-IA", "standard-ia"),
        TableClass::StandardIa => (TableClass::Standard, "Standard", "standard"),
    };
    let alternative = Alternative::new(Kind::TableClass, name).of(table, None);
    if other == TableClass::StandardIa && table.reserved.is_some() {
        let why = "reserved capacity covers the Standard class only, and the table's would be paid for nothing";
        return vec![alternative.impossible(why)];
    }
    let target = table.table.name.clone();
    vec![
        alternative
            .because("storage is cheaper and throughput dearer in Standard-IA; AWS allows two changes of class in 30 days")
            .edit(table.lines.table, format!("class = \"{word}\""))
            .change(format!("class of {}", table.table.name), move |workload| {
                if let Some(table) = table_mut(workload, &target) {
                    let before = table.table.class;
                    table.table.class = other;
                    table.replicas.iter_mut().filter(|replica| replica.class == before).for_each(|replica| replica.class = other);
                }
            }),
    ]
}
