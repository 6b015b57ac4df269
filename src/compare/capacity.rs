//! Capacity modes of a table and its indexes, and its table class.

use std::sync::Arc;

use rayon::prelude::*;

use super::search::{Bursts, Capacities, FoundCapacity};
use super::{
    Alternative, AlternativeKind, CapacityMode, CapacityPlan, Context, account_search, table_mut,
};
use crate::capacity::Scaling;
use crate::table::{ByDirection, Direction, TableClass, Target, limits};
use crate::units::{Exact, group_thousands};
use crate::workload::{Capacity, DesignEdit, DesignPart, Replica, TableDesign, Units, toml_text};

/// A mode, and whether its capacity counts on bursts.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Plan {
    mode: CapacityMode,
    bursts: Bursts,
}

impl Plan {
    /// The plans that are listed, in this order. Capacity counts as safe without bursts; plans that
    /// count on bursts say so.
    const ALL: [Plan; 6] = [
        Plan {
            mode: CapacityMode::Fixed,
            bursts: Bursts::Without,
        },
        Plan {
            mode: CapacityMode::AutoScaled,
            bursts: Bursts::Without,
        },
        Plan {
            mode: CapacityMode::Scheduled,
            bursts: Bursts::Without,
        },
        Plan {
            mode: CapacityMode::Cheapest,
            bursts: Bursts::Without,
        },
        Plan {
            mode: CapacityMode::Fixed,
            bursts: Bursts::Counted,
        },
        Plan {
            mode: CapacityMode::AutoScaled,
            bursts: Bursts::Counted,
        },
    ];

    fn kind(self) -> AlternativeKind {
        AlternativeKind::Capacity(CapacityPlan::Provisioned(self.mode, self.bursts))
    }

    fn name(self) -> String {
        let name = match self.mode {
            CapacityMode::Fixed => "provisioned, fixed at the cheapest safe value",
            CapacityMode::AutoScaled => "provisioned, auto scaled",
            CapacityMode::Scheduled => "provisioned, scheduled",
            CapacityMode::Cheapest => "provisioned, cheapest mode for each table and index",
        };
        match self.bursts {
            Bursts::Without => name.to_string(),
            Bursts::Counted => format!("{name}, counting on bursts"),
        }
    }

    fn of(self, account: &Account) -> &Found {
        match self.bursts {
            Bursts::Without => &account.safe,
            Bursts::Counted => &account.bursting,
        }
    }

    fn writes(self, account: &Account) -> &FoundCapacity {
        self.mode.pick(&self.of(account).writes)
    }

    /// The reads that a mode must cover: fixed units are set per replica, scaled units must cover
    /// the region that reads most.
    fn reads(self, account: &Account) -> &FoundCapacity {
        let found = self.of(account);
        let home = self.mode.pick(&found.reads);
        if home.is_fixed() {
            home
        } else {
            self.mode.pick(&found.most_reads)
        }
    }
}

impl CapacityMode {
    fn pick(self, found: &Capacities) -> &FoundCapacity {
        match self {
            CapacityMode::Fixed => &found.fixed,
            CapacityMode::AutoScaled => &found.auto_scaled,
            CapacityMode::Scheduled => &found.scheduled,
            CapacityMode::Cheapest => {
                let ways = [&found.fixed, &found.auto_scaled, &found.scheduled];
                // Of equal costs, take the first, whose capacity changes least.
                ways.into_iter()
                    .min_by_key(|found| found.hourly.mean())
                    .unwrap_or(&found.fixed)
            }
        }
    }
}

/// A table with its local indexes, or a global index, over all its regions.
struct Account {
    index: Option<String>,
    part: DesignPart,
    /// What is safe without bursts.
    safe: Found,
    /// What is safe if AWS provides bursts.
    bursting: Found,
    /// The share of the demand that a new on-demand table throttles while it scales up, in
    /// billionths.
    refused_on_demand: u64,
}

/// The capacities that were found for an account.
struct Found {
    reads: Arc<Capacities>,
    /// The reads of the region that reads most: scaled units, and those of an index, are the same
    /// in every region.
    most_reads: Arc<Capacities>,
    /// The writes of the region that writes most: a global table has the same write capacity in
    /// every region.
    writes: Arc<Capacities>,
    /// Reads of each replica.
    in_replicas: Vec<(String, Arc<Capacities>)>,
}

/// Searches the capacities of a table's accounts.
fn accounts(context: &Context, at: usize, table: &TableDesign) -> Vec<Account> {
    let home = context.workload.region.as_str();
    let regions: Vec<&str> = table
        .replicas
        .iter()
        .filter(|replica| !replica.witness)
        .map(|replica| replica.region.as_str())
        .collect();
    let found = |target: Target, bursts: Bursts| {
        let of = |region: &str, direction: Direction| {
            account_search(
                context,
                (at, target),
                (region, direction),
                bursts,
                |searches, asked| searches.capacities(asked),
            )
        };
        let most = |direction: Direction| {
            let everywhere = std::iter::once(home)
                .chain(regions.iter().copied())
                .map(|region| of(region, direction));
            everywhere
                .max_by_key(|found| found.fixed.scaling.min)
                .unwrap_or_else(|| of(home, direction))
        };
        let most_reads = most(Direction::Read);
        Found {
            reads: if target == Target::Table {
                of(home, Direction::Read)
            } else {
                most_reads.clone()
            },
            most_reads,
            writes: most(Direction::Write),
            in_replicas: regions
                .iter()
                .map(|region| (region.to_string(), of(region, Direction::Read)))
                .collect(),
        }
    };
    let account = |target: Target| {
        let refused = |direction: Direction| {
            account_search(
                context,
                (at, target),
                (home, direction),
                Bursts::Without,
                |searches, asked| searches.refused_on_demand(asked),
            )
        };
        let part = target.index().map_or_else(
            || table.part(DesignPart::Capacity),
            |at| table.index_part(at),
        );
        Account {
            index: table.index_name(target).map(str::to_string),
            part,
            safe: found(target, Bursts::Without),
            bursting: found(target, Bursts::Counted),
            refused_on_demand: refused(Direction::Read).max(refused(Direction::Write)),
        }
    };
    table
        .accounts()
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(account)
        .collect()
}

fn units(found: &FoundCapacity) -> Units {
    match found.is_fixed() {
        true => Units::Fixed(found.scaling.min),
        false => Units::Scaled(found.scaling.clone()),
    }
}

/// On demand and every way to provision, for the table with its indexes; and each index separately.
pub(super) fn of(context: &Context, at: usize, table: &TableDesign) -> Vec<Alternative> {
    let name = table.table.name.clone();
    let slot = format!("capacity of {name}");
    let mut all = Vec::new();
    if context
        .metering
        .demand_of(at)
        .iter()
        .any(|demand| demand.partly_unknown)
    {
        let why = "its demand is partly unknown; see the unknowns for what could not be metered";
        let plans = Plan::ALL
            .iter()
            .filter(|plan| plan.bursts == Bursts::Without);
        return plans
            .map(|plan| {
                Alternative::new(plan.kind(), plan.name())
                    .of(table, None)
                    .unknown(why)
            })
            .collect();
    }
    let accounts = accounts(context, at, table);
    if table.capacity != Capacity::OnDemand {
        let target = name.clone();
        let alternative = Alternative::new(
            AlternativeKind::Capacity(CapacityPlan::OnDemand),
            "on demand",
        )
        .of(table, None)
        .because(on_demand_limits(&accounts))
        .edit(on_demand(table))
        .change(slot.clone(), move |workload| {
            if let Some(table) = table_mut(workload, &target) {
                table.capacity = Capacity::OnDemand;
                table.on_demand_max = ByDirection::default();
                table
                    .indexes
                    .iter_mut()
                    .for_each(|index| index.capacity = None);
                table
                    .replicas
                    .iter_mut()
                    .for_each(|replica| replica.read = None);
            }
        });
        all.push(alternative);
    }
    let refuses = context.metering.demand_of(at).iter().any(|demand| {
        demand
            .refused
            .as_ref()
            .is_some_and(|share| !share.is_zero())
    });
    for plan in Plan::ALL {
        let same = |other: Plan| {
            accounts.iter().all(|one| {
                (plan.reads(one), plan.writes(one)) == (other.reads(one), other.writes(one))
            })
        };
        // A plan that bursts do not change is already listed.
        if plan.bursts == Bursts::Counted
            && same(Plan {
                bursts: Bursts::Without,
                ..plan
            })
        {
            continue;
        }
        all.push(provisioned(table, &accounts, plan, &slot, refuses));
    }
    for account in accounts.iter().filter(|account| account.index.is_some()) {
        all.push(one_index(table, account));
    }
    all
}

/// What a new on-demand table throttles until it has scaled up.
fn on_demand_limits(accounts: &[Account]) -> String {
    match accounts
        .iter()
        .map(|account| account.refused_on_demand)
        .max()
        .unwrap_or(0)
    {
        0 => "you pay for each request and for no unused capacity".to_string(),
        some => format!(
            "a new table serves 4,000 writes and 12,000 reads a second, then up to twice its \
             previous peak: {} of requests in the first week are throttled; to avoid this, raise \
             its warm throughput first",
            percent(some)
        ),
    }
}

/// A share in billionths as percent.
fn percent(billionths: u64) -> String {
    format!("{} %", Exact::ratio(billionths, 10_000_000).human(7))
}

/// An account's index, its reads and writes, and the reads of its replicas.
type Chosen = (Option<String>, ByDirection<Units>, Vec<(String, u64)>);

/// A table with all its global indexes, provisioned in one mode.
fn provisioned(
    table: &TableDesign,
    accounts: &[Account],
    plan: Plan,
    slot: &str,
    refuses: bool,
) -> Alternative {
    let alternative = Alternative::new(plan.kind(), plan.name()).of(table, None);
    let most = found(accounts, plan).map(|found| found.highest).max();
    let most = most.unwrap_or(0);
    let quota = limits::PROVISIONED_UNITS_MAX;
    if most > quota * 1_000 {
        return alternative.impossible(format!(
            "{} units are more than 1,000 times AWS's default quota for a table",
            Exact::from(most)
        ));
    }
    let mut why = reason(accounts, plan);
    if refuses {
        why += "; it also serves the requests that the design's maximum throughput refuses";
    }
    if most > quota {
        why += "; this exceeds AWS's default quota of 40,000 units for a table, so request a \
                quota increase";
    }
    let alternative = match (plan.bursts, plan.mode) {
        (Bursts::Counted, _) => {
            alternative.deciding("relies on burst capacity, which AWS does not guarantee")
        }
        (Bursts::Without, CapacityMode::Fixed) => {
            alternative.risking("throttles demand above what the file describes")
        }
        (Bursts::Without, _) => alternative.risking(
            "throttles a sudden increase that the profile does not show until capacity catches up",
        ),
    };
    let target = table.table.name.clone();
    let chosen = chosen(accounts, plan);
    alternative
        .because(why)
        .edit(written(table, accounts, plan))
        .change(slot, move |workload| {
            if let Some(table) = table_mut(workload, &target) {
                chosen.iter().for_each(|chosen| set_capacity(table, chosen));
            }
        })
}

/// The settings of all accounts, in both directions.
fn found(accounts: &[Account], plan: Plan) -> impl Iterator<Item = &FoundCapacity> {
    accounts
        .iter()
        .flat_map(move |account| [plan.reads(account), plan.writes(account)])
}

/// What a plan chooses for each account.
fn chosen(accounts: &[Account], plan: Plan) -> Vec<Chosen> {
    let of = |account: &Account| {
        let in_replicas = plan.of(account).in_replicas.iter();
        let in_replicas = in_replicas
            .map(|(region, found)| (region.clone(), found.fixed.scaling.min))
            .collect();
        let units = ByDirection {
            read: units(plan.reads(account)),
            write: units(plan.writes(account)),
        };
        (account.index.clone(), units, in_replicas)
    };
    accounts.iter().map(of).collect()
}

/// What a plan chooses, in words, and how much of the demand it throttles.
fn reason(accounts: &[Account], plan: Plan) -> String {
    let words = |account: &Account| {
        let place = account
            .index
            .as_ref()
            .map(|index| format!("{index}: "))
            .unwrap_or_default();
        format!(
            "{place}reads {}, writes {}",
            described(plan.reads(account)),
            described(plan.writes(account))
        )
    };
    let throttled = found(accounts, plan).map(|found| found.throttled_billionths);
    format!(
        "{}; {}",
        accounts.iter().map(words).collect::<Vec<_>>().join("; "),
        throttles(throttled.max().unwrap_or(0), plan.bursts)
    )
}

/// What to write in the workload file for each account.
fn written(table: &TableDesign, accounts: &[Account], plan: Plan) -> DesignEdit {
    let of = |edit: DesignEdit, account: &Account| {
        let (reads, writes) = (plan.reads(account), plan.writes(account));
        if account.index.is_some() {
            return units_edit(edit.and(account.part.clone()), reads, writes);
        }
        let edit = edit.and(table.part(DesignPart::Capacity));
        let edit = units_edit(edit.set("mode", toml_text("provisioned")), reads, writes);
        let in_replicas = &plan.of(account).in_replicas;
        table.replicas.iter().fold(edit, |edit, replica| {
            let edit = edit.and(replica_part(table, replica)).remove(&["max_read"]);
            let own = in_replicas
                .iter()
                .find(|(region, _)| *region == replica.region);
            match own.filter(|_| matches!(units(reads), Units::Fixed(_))) {
                Some((_, found)) => edit.set("read", found.fixed.scaling.min.to_string()),
                None => edit.remove(&["read"]),
            }
        })
    };
    accounts.iter().fold(DesignEdit::default(), of)
}

/// What to write in the workload file for an on-demand table.
fn on_demand(table: &TableDesign) -> DesignEdit {
    const PROVISIONED: [&str; 3] = ["read", "write", "schedule"];
    let edit = DesignEdit::of(table.part(DesignPart::Capacity));
    let edit = edit
        .set("mode", toml_text("on-demand"))
        .remove(&PROVISIONED);
    let indexes = 0..table.indexes.len();
    let edit = indexes.fold(edit, |edit, at| {
        edit.and(table.index_part(at)).remove(&PROVISIONED)
    });
    table.replicas.iter().fold(edit, |edit, replica| {
        edit.and(replica_part(table, replica)).remove(&["read"])
    })
}

fn replica_part(table: &TableDesign, replica: &Replica) -> DesignPart {
    DesignPart::Replica(table.table.name.clone(), replica.region.clone())
}

/// The units of an account, as the workload file writes them.
fn units_edit(edit: DesignEdit, reads: &FoundCapacity, writes: &FoundCapacity) -> DesignEdit {
    let edit = edit
        .set("read", toml(reads))
        .set("write", toml(writes))
        .remove(&["max_read", "max_write"]);
    match schedule(reads, writes) {
        Some(schedule) => edit.set("schedule", schedule),
        None => edit.remove(&["schedule"]),
    }
}

/// Sets the capacity of a table and of its replicas, or of one of its indexes.
fn set_capacity(table: &mut TableDesign, (index, units, in_replicas): &Chosen) {
    let Some(name) = index else {
        table.capacity = Capacity::Provisioned(units.clone());
        for replica in &mut table.replicas {
            let own = in_replicas
                .iter()
                .find(|(region, _)| *region == replica.region)
                .map(|(_, units)| *units);
            replica.read = own
                .filter(|_| matches!(units.read, Units::Fixed(_)))
                .map(Units::Fixed);
        }
        return;
    };
    let mut indexes = table.table.indexes.iter();
    if let Some(at) = indexes.position(|index| index.name == *name) {
        table.indexes[at].capacity = Some(units.clone());
    }
}

/// One index of a provisioned table; the table does not change.
fn one_index(table: &TableDesign, account: &Account) -> Alternative {
    let (reads, writes) = (
        CapacityMode::Cheapest.pick(&account.safe.reads).clone(),
        CapacityMode::Cheapest.pick(&account.safe.writes).clone(),
    );
    let index = account.index.clone().unwrap_or_default();
    let words = format!("reads {}, writes {}", described(&reads), described(&writes));
    let alternative = Alternative::new(
        AlternativeKind::Capacity(CapacityPlan::Index),
        "this index in its cheapest mode",
    )
    .of(table, Some(&index));
    if table.capacity == Capacity::OnDemand {
        return alternative.impossible(format!(
            "an index has the same mode as its table, which is on demand; provisioned, it would \
             need {words}"
        ));
    }
    let target = table.table.name.clone();
    let throttled = reads.throttled_billionths.max(writes.throttled_billionths);
    alternative
        .because(format!(
            "{words}; {}",
            throttles(throttled, Bursts::Without)
        ))
        .risking("throttling of the index also throttles writes to the table")
        .edit(units_edit(
            DesignEdit::of(account.part.clone()),
            &reads,
            &writes,
        ))
        .change(
            format!("capacity of {} / {index}", table.table.name),
            move |workload| {
                let Some(table) = table_mut(workload, &target)
                    .filter(|table| table.capacity != Capacity::OnDemand)
                else {
                    return;
                };
                if let Some(at) = table.table.indexes.iter().position(|one| one.name == index) {
                    table.indexes[at].capacity = Some(ByDirection {
                        read: units(&reads),
                        write: units(&writes),
                    });
                }
            },
        )
}

fn described(found: &FoundCapacity) -> String {
    let Scaling {
        min,
        max,
        target_percent,
        schedule,
    } = &found.scaling;
    let group = |units: u64| group_thousands(&units.to_string());
    match (target_percent, schedule.actions.is_empty()) {
        (Some(target), _) => format!("{} to {} at {target} %", group(*min), group(*max)),
        (None, false) => {
            let least = schedule
                .actions
                .iter()
                .filter_map(|(_, bounds)| bounds.min)
                .min()
                .unwrap_or(*min);
            format!(
                "{} to {} in {} scheduled changes a week",
                group(least),
                group(found.highest),
                schedule.actions.len()
            )
        }
        (None, true) => group(*min),
    }
}

fn throttles(billionths: u64, bursts: Bursts) -> String {
    let rule = match bursts {
        Bursts::Without => "without bursts",
        Bursts::Counted => "with bursts",
    };
    match billionths {
        0 => format!("throttles nothing in the simulation {rule}"),
        some => format!("throttles {} of requests {rule}", percent(some)),
    }
}

/// Units, as the workload file writes them.
fn toml(found: &FoundCapacity) -> String {
    let Scaling {
        min,
        max,
        target_percent,
        ..
    } = &found.scaling;
    match target_percent {
        Some(target) => format!("{{ min = {min}, max = {max}, target = 0.{target} }}"),
        None => min.to_string(),
    }
}

/// The scheduled actions of an account, as written in the workload file.
fn schedule(reads: &FoundCapacity, writes: &FoundCapacity) -> Option<String> {
    let mut actions: Vec<(String, String)> = Vec::new();
    for (direction, found) in [("read", reads), ("write", writes)] {
        let mut groups: Vec<(u64, u64, Vec<u64>)> = Vec::new();
        for (minute, bounds) in &found.scaling.schedule.actions {
            let (time, units) = (minute % 1440, bounds.min.unwrap_or(1));
            match groups
                .iter_mut()
                .find(|(at, of, _)| *at == time && *of == units)
            {
                Some((_, _, days)) => days.push(minute / 1440),
                None => groups.push((time, units, vec![minute / 1440])),
            }
        }
        for (time, units, days) in groups {
            let week: Vec<&str> = days.iter().map(|day| DAYS[(*day % 7) as usize]).collect();
            let days = if week.len() == 7 {
                "*".to_string()
            } else {
                week.join(",")
            };
            actions.push((
                format!("{} {} * * {days}", time % 60, time / 60),
                format!("min_{direction} = {units}, max_{direction} = {units}"),
            ));
        }
    }
    if actions.is_empty() {
        return None;
    }
    let list = actions
        .into_iter()
        .map(|(cron, bounds)| format!("{{ cron = \"{cron}\", {bounds} }}"))
        .collect::<Vec<_>>()
        .join(", ");
    Some(format!("[{list}]"))
}

const DAYS: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// The other table class.
pub(super) fn classes(table: &TableDesign) -> Vec<Alternative> {
    let (other, name, word) = match table.table.class {
        TableClass::Standard => (TableClass::StandardIa, "Standard-IA", "standard-ia"),
        TableClass::StandardIa => (TableClass::Standard, "Standard", "standard"),
    };
    let alternative = Alternative::new(AlternativeKind::TableClass(other), name).of(table, None);
    let target = table.table.name.clone();
    vec![
        alternative
            .because(
                "Standard-IA has cheaper storage and more expensive throughput; AWS allows two \
                 changes of table class in 30 days",
            )
            .edit({
                let edit = DesignEdit::of(table.part(DesignPart::Table));
                let edit = edit.set("class", toml_text(word));
                let replicas = table.replicas.iter();
                let alike = replicas.filter(|replica| replica.class == table.table.class);
                alike.fold(edit, |edit, replica| {
                    let region = replica.region.clone();
                    let part = DesignPart::Replica(table.table.name.clone(), region);
                    edit.and(part).replace("class", toml_text(word))
                })
            })
            .change(format!("class of {}", table.table.name), move |workload| {
                if let Some(table) = table_mut(workload, &target) {
                    let before = table.table.class;
                    table.table.class = other;
                    table
                        .replicas
                        .iter_mut()
                        .filter(|replica| replica.class == before)
                        .for_each(|replica| replica.class = other);
                }
            }),
    ]
}
