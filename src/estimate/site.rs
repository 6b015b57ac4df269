//! One region of a table: what is consumed in it, and what the capacity mode makes of that.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Design;
use super::expected::{Tallies, Tally};
use crate::capacity::policy::{OnDemand, READ_FLOOR, WRITE_FLOOR};
use crate::capacity::series::{Arrivals, account_name};
use crate::capacity::{
    Consumption, Demand, Hottest, HourlyUnits, Lane, Limits, ListedCapacity, ProvisionedCapacity, ProvisionedUnits, ReservedUnits, Run,
    Scaling, demand, execute, on_demand, provisioned,
};
use crate::meter::ReplicatedLocalIndex;
use crate::pricing::{PriceBook, Unknown};
use crate::table::{Index, IndexKind, TableClass};
use crate::units::Exact;
use crate::usage::{Because, Subject, Throughput, Usage, UsageType};
use crate::workload::{Access, Call, Capacity, Replica, TableDesign, Units};

/// Calls of a month, under the name that their lines carry.
#[derive(Clone, Debug)]
pub(super) struct Traffic<'a> {
    pub name: &'a str,
    pub calls: Exact,
    /// The demand of each hour of the week, divided by its mean.
    pub factors: Arc<[Exact]>,
    /// Whether they are transactions of writes.
    pub transactional: bool,
    /// The region in which they are made; `None` for the home region.
    pub origin: Option<&'a str>,
}

impl Traffic<'_> {
    /// A share of these calls.
    pub fn times(mut self, share: &Exact) -> Self {
        self.calls = &self.calls * share;
        self
    }
}

/// Something that cannot be known, before it has a rate.
pub(super) struct Gap {
    pub subject: Subject,
    pub what: String,
    pub why: String,
    pub usage_type: UsageType,
    /// Whether money is missing from the bill, and not only demand from an account.
    pub costs: bool,
}

impl Gap {
    /// The gap with the rate that it would be charged at.
    pub fn unknown(&self, books: &BTreeMap<String, PriceBook>) -> Unknown {
        let book = books.get(&self.subject.region);
        let rate = book.and_then(|book| book.list_price(self.usage_type.code())).map(|published| (*published).clone());
        Unknown { subject: self.subject.clone(), what: self.what.clone(), why: self.why.clone(), rate, quantity: None }
    }

    /// Whether the unknown is part of an account's demand.
    fn hides_demand_of(&self, account: Option<&str>, reads: bool, table: &TableDesign) -> bool {
        // A local index's demand is its table's.
        let local = |name: &&str| table.table.indexes.iter().any(|index| index.name == **name && index.kind == IndexKind::Local);
        let index = self.subject.index.as_deref().filter(|name| !local(name));
        self.subject.access.is_some() && index == account && (self.usage_type.unit() == "RRU") == reads
    }
}

/// What the regions of one table consume and bill.
#[derive(Default)]
pub(super) struct Settled {
    pub usage: Vec<Usage>,
    pub demand: Vec<Demand>,
    pub gaps: Vec<Gap>,
    pub consumed: Vec<Consumption>,
    pub listed: Vec<ListedCapacity>,
}

/// One region of a table.
pub(super) struct Site<'a> {
    design: &'a Design<'a>,
    region: &'a str,
    class: TableClass,
    /// The replica, in another region than the home region.
    replica: Option<&'a Replica>,
    consumed: Vec<Consumption>,
    gaps: Vec<Gap>,
}

/// What a read unit is, for the working of a line.
const READ_ROUNDING: &str = "for each 4 KB, rounded up: 0.5 read units eventually consistent, 1 strongly, 2 in a transaction";

impl<'a> Site<'a> {
    pub fn new(design: &'a Design<'a>, region: &'a str, class: TableClass, replica: Option<&'a Replica>) -> Site<'a> {
        Site { design, region, class, replica, consumed: Vec::new(), gaps: Vec::new() }
    }

    /// The reads of some calls, arm by arm.
    pub fn reads(&mut self, traffic: &Traffic, arms: &[Tallies], reasons: &[Because]) {
        for (arm, tallies) in arms.iter().enumerate() {
            self.consume(traffic, arm, Throughput::Read, &tallies.read, reasons);
        }
    }

    /// The writes of some calls, arm by arm.
    pub fn writes(&mut self, traffic: &Traffic, arms: &[Tallies], reasons: &[Because]) {
        for (arm, tallies) in arms.iter().enumerate() {
            let local = self.index(arm).is_some_and(|index| index.kind == IndexKind::Local);
            let own = local.then(|| Because::rule("3.8b", "a local index writes on its table's capacity"));
            let transacted =
                (arm > 0 && traffic.transactional).then(|| Because::rule("3.9", "a transaction doubles the base table's units only"));
            let all: Vec<Because> = reasons.iter().cloned().chain(own).chain(transacted).chain(self.replicated_reason(arm)).collect();
            self.consume(traffic, arm, self.write_throughput(arm), &tallies.write, &all);
        }
    }

    /// The reads by which DAX fills its cache after transactions (rule 7.4).
    pub fn fill(&mut self, traffic: &Traffic, tally: &Tally) {
        let reason = Because::rule("7.4", "DAX reads each item of a transaction again to fill its cache");
        self.consume(traffic, 0, Throughput::Read, tally, &[reason]);
    }

    /// Reads of an index whose entry size nobody gave.
    pub fn unknown_reads(&mut self, access: &str, index: Option<usize>) {
        let usage_type = UsageType::request_units(Throughput::Read, self.class);
        let gap = |index| self.design.entry_gap(index, Some(access), self.region, "the read units of its entries", usage_type);
        self.gaps.extend(index.map(gap));
    }

    /// Calls of a trace that could not be metered.
    pub fn unmetered(&mut self, access: &Access) {
        self.unmetered_call(access);
        let Call::Traced(traced) = &access.call else { return };
        if traced.unmetered == 0 {
            return;
        }
        let throughput = if traced.writes { self.write_throughput(0) } else { Throughput::Read };
        self.gaps.push(Gap {
            subject: self.design.subject(None, self.region, Some(&access.name)),
            what: format!("the units of {} calls of \"{}\" in the trace", Exact::from(traced.unmetered), access.name),
            why: traced.unmetered_why.to_string(),
            usage_type: UsageType::request_units(throughput, self.class),
            costs: self.design.table.capacity == Capacity::OnDemand,
        });
    }

    /// Calls of which it is not known what they consume.
    pub fn unmetered_call(&mut self, access: &Access) {
        let Call::Unknown { writes, arms, why } = &access.call else { return };
        for arm in arms {
            let throughput = if *writes { self.write_throughput(*arm) } else { Throughput::Read };
            let index = self.index(*arm).map(|index| index.name.as_str());
            let calls = if access.calls.is_zero() { String::new() } else { format!(", {} calls a month", access.calls.human(0)) };
            self.gaps.push(Gap {
                subject: self.design.subject(index, self.region, Some(&access.name)),
                what: format!(
                    "the {}s of \"{}\"{}{calls}",
                    unit_name(throughput),
                    access.name,
                    index.map(|index| format!(" in {index}")).unwrap_or_default()
                ),
                why: why.clone(),
                usage_type: UsageType::request_units(throughput, self.class),
                costs: self.design.table.capacity == Capacity::OnDemand,
            });
        }
    }

    /// Deletes of Time to Live in another region, of which nobody knows how many there are.
    pub fn unknown_deletes(&mut self) {
        let throughput = self.write_throughput(0);
        self.gaps.push(Gap {
            subject: self.design.subject(None, self.region, Some("Time to Live")),
            what: format!("the {}s of Time to Live's deletes", unit_name(throughput)),
            why: "how many items expire is \"unknown\"; give `deletes`".to_string(),
            usage_type: UsageType::request_units(throughput, self.class),
            costs: self.design.table.capacity == Capacity::OnDemand,
        });
    }

    /// Writes to indexes whose entry sizes nobody gave.
    pub fn unknown_writes(&mut self, access: &str, indexes: &[usize]) {
        for index in indexes {
            let usage_type = UsageType::request_units(self.write_throughput(index + 1), self.class);
            self.gaps.push(self.design.entry_gap(*index, Some(access), self.region, "the write units of its entries", usage_type));
        }
    }

    /// The index of an arm; `None` for the base table, which is arm 0.
    fn index(&self, arm: usize) -> Option<&'a Index> {
        arm.checked_sub(1).and_then(|at| self.design.table.table.indexes.get(at))
    }

    /// Writes to the base table of a global table, and by default to its local indexes, are replicated units.
    fn write_throughput(&self, arm: usize) -> Throughput {
        let local = self.index(arm).is_some_and(|index| index.kind == IndexKind::Local);
        let replicated = arm == 0 || (local && self.design.workload.switches.replicated_local_index == ReplicatedLocalIndex::Replicated);
        if self.design.table.is_global() && replicated { Throughput::ReplicatedWrite } else { Throughput::Write }
    }

    fn replicated_reason(&self, arm: usize) -> Option<Because> {
        self.design.table.is_global().then(|| match self.index(arm).map(|index| index.kind) {
            None => Because::rule("4.1", "a global table pays a replicated write in every region, this one included"),
            Some(IndexKind::Local) => Because::rule("4.2l", "a local index of a global table writes on its table's units in every region"),
            Some(IndexKind::Global) => Because::rule("4.2", "a global index of a global table pays ordinary writes in every region"),
        })
    }

    fn consume(&mut self, traffic: &Traffic, arm: usize, throughput: Throughput, tally: &Tally, reasons: &[Because]) {
        let units = &tally.units * &traffic.calls;
        if units.is_zero() {
            return;
        }
        let index = self.index(arm);
        let unit = unit_name(throughput);
        let mut because = tally.because(unit);
        because.push(match throughput {
            Throughput::Read => Because::rule("2.1", READ_ROUNDING),
            Throughput::Write | Throughput::ReplicatedWrite => Because::rule("1.7", "a write unit for each 1 KB, rounded up"),
        });
        let coverage = arm.checked_sub(1).map(|at| &self.design.table.indexes[at].coverage).filter(|_| throughput != Throughput::Read);
        if let Some(coverage) = coverage.filter(|coverage| **coverage != Exact::one()) {
            because.push(Because::rule("1.6", format!("{} of the items carry the key of the index", coverage.human(6))));
        }
        because.extend(reasons.iter().cloned());
        let each = if tally.units == Exact::one() { unit.to_string() } else { format!("{unit}s") };
        let working = format!("{} {each} a call x {} calls = {units} {unit}s", tally.units.human(9), traffic.calls);
        because.push(Because::plain(working));
        self.consumed.push(Consumption {
            subject: self.design.subject(index.map(|index| index.name.as_str()), self.region, Some(traffic.name)),
            account: index.filter(|index| index.kind == IndexKind::Global).map(|index| index.name.clone()),
            throughput,
            class: self.class,
            units,
            factors: traffic.factors.clone(),
            calls: traffic.calls.clone(),
            takes: tally.takes.clone(),
            because,
        });
    }

    /// The usage of every account in this region: the table with its local indexes, and each global index.
    pub fn settle(mut self, settled: &mut Settled) {
        let on_demand_mode = self.design.table.capacity == Capacity::OnDemand;
        let global = |(at, index): (usize, &Index)| (index.kind == IndexKind::Global).then_some(at + 1);
        let arms: Vec<usize> = std::iter::once(0).chain(self.design.table.table.indexes.iter().enumerate().filter_map(global)).collect();
        let of_arm = |arm: &usize| [true, false].map(|reads| self.refused(*arm, reads).filter(|_| on_demand_mode));
        let refused: Vec<[Option<Exact>; 2]> = arms.iter().map(of_arm).collect();
        if on_demand_mode {
            settled.usage.extend(self.consumed.iter().map(|one| {
                let mut usage = on_demand(one);
                let name = |arm: &usize| self.index(*arm).map(|index| index.name.as_str());
                let account = arms.iter().position(|arm| name(arm) == one.account.as_deref());
                let share = account.and_then(|at| refused[at][usize::from(one.throughput != Throughput::Read)].as_ref());
                if let Some(share) = share.filter(|share| !share.is_zero()) {
                    usage.quantity = &usage.quantity * &(Exact::one() - share.clone());
                    let whose = if one.account.is_none() { "table" } else { "index" };
                    let text = format!("{} of them are refused beyond the {whose}'s maximum throughput, and not billed", share.human(6));
                    usage.because.push(Because::rule("6.3", text));
                }
                usage
            }));
        }
        let accounts: Vec<Account> = arms.iter().map(|arm| self.account(*arm)).collect();
        for (arm, account) in arms.iter().zip(&accounts) {
            self.unsettled(*arm, account);
        }
        for reads in [true, false] {
            let lanes = accounts.iter().map(|account| if reads { &account.read } else { &account.write });
            // Of a global table, replicated and ordinary units have prices of their own.
            for throughput in [Throughput::Read, Throughput::ReplicatedWrite, Throughput::Write] {
                let capacities: Vec<ProvisionedCapacity> =
                    lanes.clone().filter(|lane| lane.demand.throughput == throughput).filter_map(|lane| lane.capacity.clone()).collect();
                let reserved = self.reserved(reads).filter(|_| throughput != Throughput::ReplicatedWrite);
                let due = reserved.is_some() && (reads == (throughput == Throughput::Read));
                if !capacities.is_empty() || due {
                    let table = self.design.subject(None, self.region, None);
                    let (usage, listed) = provisioned(&table, &capacities, throughput, reserved, &self.design.workload.month);
                    settled.usage.extend(usage);
                    settled.listed.extend(listed);
                }
            }
        }
        for (at, account) in accounts.into_iter().enumerate() {
            let [reads, writes] = refused[at].clone();
            let (mut read, mut write) = (account.read.demand, account.write.demand);
            (read.refused, write.refused) = (reads, writes);
            settled.demand.extend([read, write]);
        }
        settled.consumed.append(&mut self.consumed);
        settled.gaps.append(&mut self.gaps);
    }

    /// Capacity of an account that is not known, or that moves with demand that is not known.
    fn unsettled(&mut self, arm: usize, account: &Account) {
        for (reads, direction) in [(true, &account.read), (false, &account.write)] {
            let throughput = direction.demand.throughput;
            let units = format!("{}s", unit_name(throughput));
            let (what, why) = match self.given_units(arm, reads) {
                Some(Units::Unknown) => {
                    let why = "the units are \"unknown\"; give a number, or { min = …, max = …, target = … }".to_string();
                    (format!("the provisioned {units}"), why)
                }
                // Bounds without a target: what moves the units is not known. Units that a schedule alone moves have one bound.
                Some(Units::Scaled(scaling))
                    if scaling.target_percent.is_none() && (scaling.schedule.0.is_empty() || scaling.min < scaling.max) =>
                {
                    let (low, high) = (Exact::from(scaling.min), Exact::from(scaling.max));
                    let why = format!("the target of auto scaling is \"unknown\": {low} to {high} {units}; give `target`");
                    (format!("{units} that auto scaling adds"), why)
                }
                Some(Units::Scaled(scaling)) if direction.demand.partly_unknown => {
                    let (low, high) = (Exact::from(scaling.min), Exact::from(scaling.max));
                    let why = format!("auto scaling follows demand, which is partly unknown: {low} to {high} {units}");
                    (format!("{units} that auto scaling adds for unknown demand"), why)
                }
                _ => continue,
            };
            let subject = self.design.subject(self.index(arm).map(|index| index.name.as_str()), self.region, None);
            self.gaps.push(Gap { subject, what, why, usage_type: UsageType::capacity_hours(throughput, self.class), costs: true });
        }
    }

    /// The share of an account's demand that its maximum throughput refuses.
    ///
    /// Source: Developer Guide, "DynamoDB maximum throughput for on-demand tables" (rule 6.3): best effort.
    fn refused(&self, arm: usize, reads: bool) -> Option<Exact> {
        let own = match arm.checked_sub(1) {
            None => self.design.table.on_demand_max[usize::from(!reads)],
            Some(at) => self.design.table.indexes[at].on_demand_max[usize::from(!reads)],
        };
        // What a replica does not set for itself, it has from the table.
        let there = self.replica.filter(|_| reads).and_then(|replica| match arm.checked_sub(1) {
            None => replica.read_max,
            Some(at) => replica.indexes.get(at).and_then(|index| index.read_max),
        });
        let most = there.or(own)?;
        let arrivals = self.arrivals(arm, reads);
        if arrivals.is_empty() {
            return Some(Exact::zero());
        }
        let series = self.design.simulations.drawn().series(&self.lane_name(arm, reads), &arrivals, &self.design.workload.horizon);
        let floor = if reads { READ_FLOOR } else { WRITE_FLOOR };
        let run = execute(&mut [Lane::new(&series, OnDemand { floor, units_max: Some(most) })], &Limits::default()).pop()?;
        let share = Exact::whole(run.throttled) / Exact::whole(run.demanded.max(1));
        Some(share)
    }

    /// What is asked of the reads and the writes of one account, and what is provisioned for them. Capacity that
    /// moves is simulated, both directions together.
    fn account(&self, arm: usize) -> Account {
        let (read, write) = (self.units_of(arm, true), self.units_of(arm, false));
        // Without a schedule, what nobody asks for stays at its least units.
        let moves = [(&read, true), (&write, false)].into_iter().any(|(units, reads)| match units {
            Some(Units::Scaled(scaling)) => !scaling.schedule.0.is_empty() || self.is_asked_for(arm, reads),
            _ => false,
        });
        let runs = if moves {
            let of = |units: &Option<Units>| units.as_ref().map_or(Scaling::fixed(1), scaling);
            let (reads, writes) = (self.arrivals(arm, true), self.arrivals(arm, false));
            let (reads, writes) = ((self.lane_name(arm, true), reads), (self.lane_name(arm, false), writes));
            self.design.simulations.account(
                (&reads.0, &reads.1),
                (&writes.0, &writes.1),
                &self.design.workload.horizon,
                (&of(&read), &of(&write)),
                self.design.table.hottest_millionths(self.index(arm).map(|index| index.name.as_str())).map(Hottest::of),
            )
        } else {
            Arc::default()
        };
        Account { read: self.lane(arm, true, read, runs.first()), write: self.lane(arm, false, write, runs.get(1)) }
    }

    /// Whether anybody asks for an account's direction; of a trace, its series tells.
    fn is_asked_for(&self, arm: usize, reads: bool) -> bool {
        self.design.simulations.drawn().of_trace(&self.lane_name(arm, reads)).is_some() || !self.consumed_by(arm, reads).is_empty()
    }

    /// The calls that ask for an account's direction.
    fn arrivals(&self, arm: usize, reads: bool) -> Vec<Arrivals> {
        self.consumed_by(arm, reads).iter().map(|one| one.arrivals(&self.design.workload.month)).collect()
    }

    fn lane(&self, arm: usize, reads: bool, units: Option<Units>, run: Option<&Run>) -> DirectionOf {
        let consumed = &self.consumed_by(arm, reads);
        let run = run.filter(|_| matches!(units, Some(Units::Scaled(_))));
        let index = self.index(arm).map(|index| index.name.as_str());
        let throughput = if reads { Throughput::Read } else { self.write_throughput(arm) };
        let (mean, mut peak) = demand(consumed.iter().copied(), &self.design.workload.month);
        if let Some(series) = self.design.simulations.drawn().of_trace(&self.lane_name(arm, reads)) {
            peak = series.peak_hour();
        }
        let billing = self.design.workload.switches.hour_billing;
        let capacity = units.as_ref().map(|units| ProvisionedCapacity {
            subject: self.design.subject(index, self.region, None),
            class: self.class,
            hourly: match (units, run) {
                (Units::Unknown, _) => HourlyUnits::constant(0),
                (Units::Fixed(units), _) => HourlyUnits::constant(*units),
                (Units::Scaled(scaling), None) => HourlyUnits::constant(scaling.min),
                (Units::Scaled(_), Some(run)) => run.hourly(billing),
            },
            because: self.moved(units, run, throughput).into_iter().chain(self.drivers(consumed, throughput)).collect(),
        });
        let provisioned = units.and_then(|units| match (units, run) {
            (Units::Unknown, _) => None,
            (Units::Scaled(_), Some(run)) => Some(ProvisionedUnits {
                low: run.lowest,
                high: run.highest,
                throttled: Some(Exact::ratio(run.throttled_billionths(), 1_000_000_000)),
            }),
            (Units::Scaled(Scaling { min: units, .. }), None) => {
                Some(ProvisionedUnits { low: units, high: units, throttled: Some(Exact::zero()) })
            }
            (Units::Fixed(units), _) => Some(ProvisionedUnits { low: units, high: units, throttled: None }),
        });
        let demand = Demand {
            table: self.design.table.table.name.clone(),
            index: index.map(str::to_string),
            region: self.region.to_string(),
            throughput,
            mean,
            peak,
            provisioned,
            refused: None,
            partly_unknown: self.gaps.iter().any(|gap| gap.hides_demand_of(index, reads, self.design.table)),
        };
        DirectionOf { demand, capacity }
    }

    fn consumed_by(&self, arm: usize, reads: bool) -> Vec<&Consumption> {
        let index = self.index(arm).map(|index| index.name.as_str());
        let of_account = |one: &&Consumption| one.account.as_deref() == index && (one.throughput == Throughput::Read) == reads;
        self.consumed.iter().filter(of_account).collect()
    }

    /// A name for the draws of an account's direction, so that each has its own.
    fn lane_name(&self, arm: usize, reads: bool) -> String {
        let index = self.index(arm).map(|index| index.name.as_str());
        account_name(&self.design.table.table.name, index, self.region, reads)
    }

    /// What moves the units, where anything does.
    fn moved(&self, units: &Units, run: Option<&Run>, throughput: Throughput) -> Option<Because> {
        let (Units::Scaled(scaling), Some(run)) = (units, run) else { return None };
        let unit = match throughput {
            Throughput::Read => "RCU",
            Throughput::Write => "WCU",
            Throughput::ReplicatedWrite => "rWCU",
        };
        let bounds = format!("between {} and {} {unit}", Exact::from(scaling.min), Exact::from(scaling.max));
        let how = match (scaling.target_percent, scaling.schedule.0.is_empty()) {
            (Some(target), true) => format!("auto scaling {bounds} at a target of {target} %"),
            (Some(target), false) => format!("auto scaling {bounds} at a target of {target} %, and a schedule"),
            (None, _) => "a schedule moves the units".to_string(),
        };
        let text = format!("{how}: {} to {} {unit} in the simulated time", Exact::from(run.lowest), Exact::from(run.highest));
        Some(Because::rule("6.6", text))
    }

    /// Which access patterns ask for the capacity, for how much of it, and how that comes about.
    fn drivers(&self, consumed: &[&Consumption], throughput: Throughput) -> Vec<Because> {
        let seconds = self.design.workload.month.seconds();
        let mut parts: Vec<(String, Exact)> = Vec::new();
        for one in consumed {
            let name = one.subject.access.clone().unwrap_or_default();
            let units = &one.units / &seconds;
            match parts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += &units,
                None => parts.push((name, units)),
            }
        }
        parts.sort_by(|one, other| other.1.cmp(&one.1));
        let text = parts.iter().map(|(name, units)| format!("\"{name}\" {}", units.human(2))).collect::<Vec<_>>().join(", ");
        if text.is_empty() {
            return Vec::new();
        }
        let working = consumed.iter().flat_map(|one| {
            let name = one.subject.access.as_deref().unwrap_or_default();
            let place = one.subject.index.as_ref().map(|index| format!(" / {index}")).unwrap_or_default();
            one.because.iter().map(move |because| Because { text: format!("{name}{place}: {}", because.text), ..because.clone() })
        });
        let sum = Because::plain(format!("asked for, {}s a second on average: {text}", unit_name(throughput)));
        std::iter::once(sum).chain(working).collect()
    }

    /// The provisioned units of an account; `None` on demand, and where they are not known.
    fn units_of(&self, arm: usize, reads: bool) -> Option<Units> {
        self.given_units(arm, reads).filter(|units| *units != Units::Unknown)
    }

    /// The same with those that are not known.
    fn given_units(&self, arm: usize, reads: bool) -> Option<Units> {
        let there = self.replica.filter(|_| reads).and_then(|replica| match arm.checked_sub(1) {
            None => replica.read.clone(),
            Some(at) => replica.indexes.get(at).and_then(|index| index.read.clone()),
        });
        let (read, write) = match (&self.design.table.capacity, arm.checked_sub(1)) {
            (Capacity::OnDemand, _) => return None,
            (Capacity::Provisioned { .. }, _) if there.is_some() => return there,
            (Capacity::Provisioned { read, write }, None) => (read, write),
            (Capacity::Provisioned { .. }, Some(at)) => {
                self.design.table.indexes[at].capacity.as_ref().map(|(read, write)| (read, write))?
            }
        };
        Some(if reads { read } else { write }.clone())
    }

    /// Reserved capacity covers the home region.
    fn reserved(&self, reads: bool) -> Option<ReservedUnits> {
        let reserved = self.design.table.reserved?;
        let here = self.region == self.design.workload.region;
        here.then_some(ReservedUnits { units: if reads { reserved.read } else { reserved.write }, years: reserved.years })
    }
}

/// One account of a site, its directions settled.
struct Account {
    read: DirectionOf,
    write: DirectionOf,
}

/// The demand of one direction, and its capacity where it is provisioned.
struct DirectionOf {
    demand: Demand,
    capacity: Option<ProvisionedCapacity>,
}

fn scaling(units: &Units) -> Scaling {
    match units {
        Units::Fixed(units) => Scaling::fixed(*units),
        Units::Scaled(scaling) => scaling.clone(),
        Units::Unknown => Scaling::fixed(1),
    }
}

/// The unit's name while the mode is open.
fn unit_name(throughput: Throughput) -> &'static str {
    match throughput {
        Throughput::Read => "read unit",
        Throughput::Write => "write unit",
        Throughput::ReplicatedWrite => "replicated write unit",
    }
}
