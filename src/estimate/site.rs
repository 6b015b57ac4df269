//! One region of a table: what is consumed in it, and how the capacity mode bills it.

use std::collections::BTreeMap;

use super::TableContext;
use super::expected::{ExpectedUnits, Tallies};
use crate::capacity::policy::OnDemand;
use crate::capacity::series::Arrivals;
use crate::capacity::{
    AccountDemand, AccountDirection, Consumption, Demand, Hottest, HourlyUnits, LedgerRun, Limits,
    ProvisionedCapacity, ProvisionedUnits, Scaling, Shape, demand, execute, on_demand,
};
use crate::meter::ReplicatedLocalIndex;
use crate::pricing::{PriceBook, Unknown};
use crate::table::{ByDirection, Direction, Index, IndexKind, TableClass, Target};
use crate::units::{Exact, count_of};
use crate::unread::Unread;
use crate::usage::{Because, Subject, Throughput, Usage, UsageType};
use crate::workload::{AccessPattern, Capacity, PatternCall, Replica, TableDesign, Units};

/// The calls of a month, with the name that their lines have.
#[derive(Clone, Debug)]
pub(super) struct MonthlyCalls<'a> {
    pub name: &'a str,
    pub calls: Exact,
    /// How they are distributed over the week.
    pub shape: Shape,
    /// Whether they are transactions of writes.
    pub transactional: bool,
    /// The region in which they are made; `None` for the home region.
    pub origin: Option<&'a str>,
}

impl MonthlyCalls<'_> {
    /// A share of these calls.
    pub fn times(mut self, share: &Exact) -> Self {
        self.calls = &self.calls * share;
        self
    }
}

/// Something unknown, before its rate is looked up.
pub(super) struct Gap {
    pub subject: Subject,
    pub what: String,
    pub why: String,
    pub usage_type: UsageType,
    /// Whether a cost is missing from the bill, and not only demand from an account.
    pub costs: bool,
    /// What was not read, if that is why it is unknown.
    pub unread: Option<Unread>,
}

impl Gap {
    /// The gap with the rate that it would be charged at.
    pub fn unknown(&self, books: &BTreeMap<String, PriceBook>) -> Unknown {
        let book = books.get(&self.subject.region);
        let rate = book
            .and_then(|book| book.list_price(&self.usage_type))
            .map(|published| (*published).clone());
        Unknown {
            subject: self.subject.clone(),
            what: self.what.clone(),
            why: self.why.clone(),
            rate,
            quantity: None,
            unread: self.unread.clone(),
        }
    }

    /// Whether the unknown is part of an account's demand.
    fn hides_demand_of(
        &self,
        account: Option<&str>,
        direction: Direction,
        table: &TableDesign,
    ) -> bool {
        // The demand of a local index belongs to its table.
        let local = |name: &&str| {
            table
                .table
                .indexes
                .iter()
                .any(|index| index.name == **name && index.kind == IndexKind::Local)
        };
        let index = self.subject.index.as_deref().filter(|name| !local(name));
        self.subject.access.is_some()
            && index == account
            && self.usage_type.direction() == Some(direction)
    }
}

/// What the regions of one table consume and bill.
#[derive(Default)]
pub(super) struct Settled {
    /// On demand, the requests that are billed: one usage for each of `consumed`.
    pub requests: Vec<Usage>,
    pub demand: Vec<Demand>,
    pub gaps: Vec<Gap>,
    pub consumed: Vec<Consumption>,
    /// Provisioned capacity by the hour.
    pub provisioned: Vec<ProvisionedCapacity>,
}

/// One region of a table.
pub(super) struct Site<'a> {
    design: &'a TableContext<'a>,
    region: &'a str,
    class: TableClass,
    /// The replica; `None` in the home region.
    replica: Option<&'a Replica>,
    consumed: Vec<Consumption>,
    gaps: Vec<Gap>,
}

/// What a read unit is, for the working of a line.
const READ_ROUNDING: &str = "for each 4 KB, rounded up: 0.5 read units eventually consistent, 1 \
                             strongly consistent, 2 transactional";

impl<'a> Site<'a> {
    pub fn new(
        design: &'a TableContext<'a>,
        region: &'a str,
        class: TableClass,
        replica: Option<&'a Replica>,
    ) -> Site<'a> {
        Site {
            design,
            region,
            class,
            replica,
            consumed: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// The reads of some calls: of the table, then of each index.
    pub fn reads(&mut self, traffic: &MonthlyCalls, targets: &[Tallies], reasons: &[Because]) {
        for (target, tallies) in Target::all(targets.len()).zip(targets) {
            self.consume(traffic, (target, Throughput::Read), &tallies.read, reasons);
        }
    }

    /// The writes of some calls: of the table, then of each index.
    pub fn writes(&mut self, traffic: &MonthlyCalls, targets: &[Tallies], reasons: &[Because]) {
        for (target, tallies) in Target::all(targets.len()).zip(targets) {
            let local = self
                .index(target)
                .is_some_and(|index| index.kind == IndexKind::Local);
            let own = local
                .then(|| Because::rule("3.8b", "a local index consumes write units of its table"));
            let transacted = (target != Target::Table && traffic.transactional)
                .then(|| Because::rule("3.9", "a transaction doubles the base table's units only"));
            let all: Vec<Because> = reasons
                .iter()
                .cloned()
                .chain(own)
                .chain(transacted)
                .chain(self.replicated_reason(target))
                .collect();
            self.consume(
                traffic,
                (target, self.write_throughput(target)),
                &tallies.write,
                &all,
            );
        }
    }

    /// The reads with which DAX fills its cache after transactions (rule 7.4).
    pub fn fill(&mut self, traffic: &MonthlyCalls, tally: &ExpectedUnits) {
        let reason = Because::rule(
            "7.4",
            "DAX reads each item of a transaction again to fill its cache",
        );
        self.consume(traffic, (Target::Table, Throughput::Read), tally, &[reason]);
    }

    /// Reads of an index whose entry size is not known.
    pub fn unknown_reads(&mut self, access: &str, index: Option<usize>) {
        let usage_type = UsageType::Requests(Throughput::Read, self.class);
        let gap = |index| {
            self.design.entry_gap(
                self.entries_of(index, access),
                "the read units of its entries",
                usage_type,
            )
        };
        self.gaps.extend(index.map(gap));
    }

    /// Calls of a trace that could not be metered.
    pub fn unmetered(&mut self, access: &AccessPattern) {
        self.unmetered_call(access);
        let PatternCall::Traced(traced) = &access.call else {
            return;
        };
        if traced.unmetered == 0 {
            return;
        }
        let throughput = if traced.writes {
            self.write_throughput(Target::Table)
        } else {
            Throughput::Read
        };
        self.gaps.push(Gap {
            unread: None,
            subject: self.design.subject(None, self.region, Some(&access.name)),
            what: format!(
                "the units of {} of \"{}\" in the trace",
                count_of(traced.unmetered, "call"),
                access.name
            ),
            why: traced.unmetered_why.to_string(),
            usage_type: UsageType::Requests(throughput, self.class),
            costs: self.design.table.capacity == Capacity::OnDemand,
        });
    }

    /// Calls whose consumption is not known.
    pub fn unmetered_call(&mut self, access: &AccessPattern) {
        let PatternCall::Unknown {
            direction,
            targets,
            why,
        } = &access.call
        else {
            return;
        };
        for target in targets {
            let throughput = match direction {
                Direction::Read => Throughput::Read,
                Direction::Write => self.write_throughput(*target),
            };
            let index = self.index_name(*target);
            let calls = if access.calls.is_zero() {
                String::new()
            } else {
                format!(", {} calls a month", access.calls.human(0))
            };
            self.gaps.push(Gap {
                unread: None,
                subject: self.design.subject(index, self.region, Some(&access.name)),
                what: format!(
                    "the {}s of \"{}\"{}{calls}",
                    unit_name(throughput),
                    access.name,
                    index
                        .map(|index| format!(" in {index}"))
                        .unwrap_or_default()
                ),
                why: why.clone(),
                usage_type: UsageType::Requests(throughput, self.class),
                costs: self.design.table.capacity == Capacity::OnDemand,
            });
        }
    }

    /// An unknown number of Time to Live deletes, in another region.
    pub fn unknown_deletes(&mut self) {
        let throughput = self.write_throughput(Target::Table);
        self.gaps.push(Gap {
            unread: None,
            subject: self.design.subject(None, self.region, Some("Time to Live")),
            what: format!("the {}s of Time to Live deletes", unit_name(throughput)),
            why: "the number of items that expire is \"unknown\"; give `deletes`".to_string(),
            usage_type: UsageType::Requests(throughput, self.class),
            costs: self.design.table.capacity == Capacity::OnDemand,
        });
    }

    /// The entries of an index, as an access pattern reads or writes them.
    fn entries_of(&self, index: usize, access: &str) -> Subject {
        let name = &self.design.table.table.indexes[index].name;
        self.design.subject(Some(name), self.region, Some(access))
    }

    /// Writes to indexes whose entry sizes are not known.
    pub fn unknown_writes(&mut self, access: &str, indexes: &[usize]) {
        for index in indexes {
            let usage_type =
                UsageType::Requests(self.write_throughput(Target::Index(*index)), self.class);
            self.gaps.push(self.design.entry_gap(
                self.entries_of(*index, access),
                "the write units of its entries",
                usage_type,
            ));
        }
    }

    /// The index of a target; `None` for the table.
    fn index(&self, target: Target) -> Option<&'a Index> {
        target
            .index()
            .and_then(|at| self.design.table.table.indexes.get(at))
    }

    fn index_name(&self, target: Target) -> Option<&'a str> {
        self.index(target).map(|index| index.name.as_str())
    }

    /// Writes to the base table of a global table, and by default to its local indexes, consume
    /// replicated write units.
    fn write_throughput(&self, target: Target) -> Throughput {
        let local = self
            .index(target)
            .is_some_and(|index| index.kind == IndexKind::Local);
        let replicated = target == Target::Table
            || (local
                && self.design.workload.switches.replicated_local_index
                    == ReplicatedLocalIndex::Replicated);
        if self.design.table.is_global() && replicated {
            Throughput::ReplicatedWrite
        } else {
            Throughput::Write
        }
    }

    fn replicated_reason(&self, target: Target) -> Option<Because> {
        self.design
            .table
            .is_global()
            .then(|| match self.index(target).map(|index| index.kind) {
                None => Because::rule(
                    "4.1",
                    "a global table pays for a replicated write in every region, including this \
                     one",
                ),
                Some(IndexKind::Local) => Because::rule(
                    "4.2l",
                    "a local index of a global table consumes write units of its table in every \
                     region",
                ),
                Some(IndexKind::Global) => Because::rule(
                    "4.2",
                    "a global index of a global table pays for ordinary writes in every region",
                ),
            })
    }

    fn consume(
        &mut self,
        traffic: &MonthlyCalls,
        (target, throughput): (Target, Throughput),
        tally: &ExpectedUnits,
        reasons: &[Because],
    ) {
        let units = &tally.units * &traffic.calls;
        if units.is_zero() {
            return;
        }
        let index = self.index(target);
        let unit = unit_name(throughput);
        let mut because = tally.because(unit);
        because.push(match throughput {
            Throughput::Read => Because::rule("2.1", READ_ROUNDING),
            Throughput::Write | Throughput::ReplicatedWrite => {
                Because::rule("1.7", "a write unit for each 1 KB, rounded up")
            }
        });
        let coverage = target
            .index()
            .map(|at| &self.design.table.indexes[at].coverage)
            .filter(|_| throughput != Throughput::Read);
        if let Some(coverage) = coverage.filter(|coverage| **coverage != Exact::one()) {
            because.push(Because::rule(
                "1.6",
                format!(
                    "the share of items that have the index key is {}",
                    coverage.human(6)
                ),
            ));
        }
        because.extend(reasons.iter().cloned());
        let each = if tally.units == Exact::one() {
            unit.to_string()
        } else {
            format!("{unit}s")
        };
        let working = format!(
            "{} {each} a call x {} calls = {units} {unit}s",
            tally.units.human(9),
            traffic.calls
        );
        because.push(Because::plain(working));
        self.consumed.push(Consumption {
            subject: self.design.subject(
                index.map(|index| index.name.as_str()),
                self.region,
                Some(traffic.name),
            ),
            account: index
                .filter(|index| index.kind == IndexKind::Global)
                .map(|index| index.name.clone()),
            throughput,
            class: self.class,
            billed: Exact::zero(),
            units,
            shape: traffic.shape.clone(),
            calls: traffic.calls.clone(),
            units_per_call: tally.units_per_call.clone(),
            because,
        });
    }

    /// The usage of every account in this region: the table with its local indexes, and each global
    /// index.
    pub fn settle(mut self, settled: &mut Settled) {
        let targets: Vec<Target> = self.design.table.accounts().collect();
        let refused: Vec<ByDirection<Option<Exact>>> = targets
            .iter()
            .map(|target| ByDirection::each(|direction| self.refused(*target, direction)))
            .collect();
        if self.design.table.capacity == Capacity::OnDemand {
            self.bill_requests(&targets, &refused, settled);
        }
        let accounts: Vec<ByDirection<Settling>> =
            targets.iter().map(|target| self.account(*target)).collect();
        for (target, account) in targets.iter().zip(&accounts) {
            self.unsettled(*target, account);
        }
        for direction in Direction::BOTH {
            // For a global table, replicated and ordinary write units have different prices.
            for throughput in [
                Throughput::Read,
                Throughput::ReplicatedWrite,
                Throughput::Write,
            ] {
                let own = accounts.iter().map(|account| &account[direction]);
                let capacities = own.filter_map(|one| one.capacity.as_ref());
                let of_throughput = capacities.filter(|one| one.throughput == throughput);
                settled.provisioned.extend(of_throughput.cloned());
            }
        }
        for (account, refused) in accounts.into_iter().zip(refused) {
            settled.demand.extend([
                Demand {
                    refused: refused.read,
                    ..account.read.demand
                },
                Demand {
                    refused: refused.write,
                    ..account.write.demand
                },
            ]);
        }
        settled.consumed.append(&mut self.consumed);
        settled.gaps.append(&mut self.gaps);
    }

    /// On demand, consumed units are billed, except those that a maximum throughput refuses. Only
    /// this function decides that, for the table and its indexes.
    fn bill_requests(
        &mut self,
        targets: &[Target],
        refused: &[ByDirection<Option<Exact>>],
        settled: &mut Settled,
    ) {
        let table = self.design.table;
        for one in &mut self.consumed {
            let own = targets
                .iter()
                .position(|target| table.index_name(*target) == one.account.as_deref());
            let share = own
                .and_then(|at| refused[at][one.throughput.direction()].as_ref())
                .filter(|share| !share.is_zero());
            one.billed = match share {
                Some(share) => &one.units * &(Exact::one() - share.clone()),
                None => one.units.clone(),
            };
            let mut usage = on_demand(one);
            if let Some(share) = share {
                let whose = if one.account.is_none() {
                    "table"
                } else {
                    "index"
                };
                let text = format!(
                    "{} of them exceed the {whose}'s maximum throughput; they are refused and not \
                     billed",
                    share.human(6)
                );
                usage.because.push(Because::rule("6.3", text));
            }
            settled.requests.push(usage);
        }
    }

    /// Capacity of an account that is unknown, or that depends on unknown demand.
    fn unsettled(&mut self, target: Target, account: &ByDirection<Settling>) {
        for (direction, settling) in account.iter() {
            let throughput = settling.demand.throughput;
            let units = format!("{}s", unit_name(throughput));
            let (what, why) = match self.design.table.units_in(target, direction, self.replica) {
                Some(Units::Unknown) => {
                    let why = "the units are \"unknown\"; give a number, or { min = …, max = …, \
                               target = … }"
                        .to_string();
                    (format!("the provisioned {units}"), why)
                }
                // Bounds without a target: how the units change is not known. Units that only a
                // schedule changes have equal bounds.
                Some(Units::Scaled(scaling))
                    if scaling.target_percent.is_none()
                        && (scaling.schedule.actions.is_empty() || scaling.min < scaling.max) =>
                {
                    let (low, high) = (Exact::from(scaling.min), Exact::from(scaling.max));
                    let why = format!(
                        "the target of auto scaling is \"unknown\": {low} to {high} {units}; give \
                         `target`"
                    );
                    (format!("{units} that auto scaling adds"), why)
                }
                Some(Units::Scaled(scaling))
                    if settling.demand.partly_unknown && scaling.min < scaling.max =>
                {
                    let (low, high) = (Exact::from(scaling.min), Exact::from(scaling.max));
                    let why = format!(
                        "auto scaling follows demand, which is partly unknown: {low} to {high} \
                         {units}"
                    );
                    (
                        format!("{units} that auto scaling adds for unknown demand"),
                        why,
                    )
                }
                _ => continue,
            };
            let subject = self
                .design
                .subject(self.index_name(target), self.region, None);
            self.gaps.push(Gap {
                unread: None,
                subject,
                what,
                why,
                usage_type: UsageType::CapacityHours(throughput, self.class),
                costs: true,
            });
        }
    }

    /// The share of an account's demand that its maximum throughput refuses; `None` if it has no
    /// maximum.
    ///
    /// Source: Developer Guide, "DynamoDB maximum throughput for on-demand tables" (rule 6.3): best
    /// effort.
    fn refused(&self, target: Target, direction: Direction) -> Option<Exact> {
        if self.design.table.capacity != Capacity::OnDemand {
            return None;
        }
        let table = self.design.table;
        let most = table.maximum_in(target, direction, self.replica)?;
        let arrivals = self.arrivals(target, direction);
        if arrivals.is_empty() {
            return Some(Exact::zero());
        }
        let series = self
            .design
            .simulations
            .series(&self.series_name(target, direction), &arrivals);
        let run = execute(
            &mut [AccountDirection::new(
                &*series,
                OnDemand::new(direction, Some(most)),
            )],
            &Limits::default(),
        )
        .pop()?;
        Some(Exact::whole(run.throttled) / Exact::whole(run.demanded.max(1)))
    }

    /// The demand for reads and writes of one account, and the capacity provisioned for them.
    /// Capacity that changes is simulated, both directions together.
    fn account(&self, target: Target) -> ByDirection<Settling> {
        let units = ByDirection::each(|direction| {
            self.design.table.units_in(target, direction, self.replica)
        });
        let scaling = units
            .as_ref()
            .map(|units| units.as_ref().and_then(Units::scaling));
        // Without a schedule, capacity without demand stays at its minimum.
        let moves = units.iter().any(|(direction, units)| match units {
            Some(Units::Scaled(scaling)) => {
                let follows = scaling.target_percent.is_some();
                !scaling.schedule.actions.is_empty()
                    || follows && self.is_asked_for(target, direction)
            }
            _ => false,
        });
        let runs = moves.then(|| {
            let asked = ByDirection::each(|direction| AccountDemand {
                name: self.series_name(target, direction),
                arrivals: self.arrivals(target, direction),
                // A direction with unknown units is simulated with constant capacity.
                scaling: scaling[direction]
                    .clone()
                    .unwrap_or_else(|| Scaling::fixed(1)),
            });
            let hottest = self
                .design
                .table
                .hottest_millionths(self.index_name(target))
                .map(Hottest::of);
            self.design.simulations.account(&asked, hottest)
        });
        ByDirection::each(|direction| {
            self.settling(
                target,
                direction,
                units[direction].as_ref(),
                runs.as_deref().map(|runs| &runs[direction]),
            )
        })
    }

    /// Whether an account direction has demand; for a trace, this depends on its series.
    fn is_asked_for(&self, target: Target, direction: Direction) -> bool {
        let traced = self
            .design
            .simulations
            .drawn()
            .of_trace(&self.series_name(target, direction));
        traced.is_some() || !self.consumed_by(target, direction).is_empty()
    }

    /// The calls that consume units of an account direction.
    fn arrivals(&self, target: Target, direction: Direction) -> Vec<Arrivals> {
        self.consumed_by(target, direction)
            .iter()
            .map(|one| one.arrivals(&self.design.workload.month))
            .collect()
    }

    fn settling(
        &self,
        target: Target,
        direction: Direction,
        units: Option<&Units>,
        run: Option<&LedgerRun>,
    ) -> Settling {
        let consumed = &self.consumed_by(target, direction);
        let run = run.filter(|_| matches!(units, Some(Units::Scaled(_))));
        let index = self.index_name(target);
        let throughput = match direction {
            Direction::Read => Throughput::Read,
            Direction::Write => self.write_throughput(target),
        };
        let (mean, mut peak) = demand(consumed.iter().copied(), &self.design.workload.month);
        if let Some(series) = self
            .design
            .simulations
            .drawn()
            .of_trace(&self.series_name(target, direction))
        {
            peak = series.peak_hour();
        }
        let billing = self.design.workload.switches.hour_billing;
        let hourly = match (units, run) {
            // Listed as a gap and not billed.
            (None | Some(Units::Unknown), _) => None,
            (Some(Units::Fixed(units)), _) => Some(HourlyUnits::constant(*units)),
            (Some(Units::Scaled(scaling)), None) => Some(HourlyUnits::constant(scaling.min)),
            (Some(Units::Scaled(_)), Some(run)) => Some(run.hourly(billing)),
        };
        let hourly_mean = hourly.as_ref().map_or_else(Exact::zero, HourlyUnits::mean);
        let provisioned = units.and_then(|units| match (units, run) {
            (Units::Unknown, _) => None,
            (Units::Scaled(_), Some(run)) => Some(ProvisionedUnits {
                low: run.lowest,
                high: run.highest,
                mean: hourly_mean.clone(),
                throttled: Some(Exact::ratio(run.throttled_billionths(), 1_000_000_000)),
            }),
            (Units::Scaled(Scaling { min, .. }), None) => Some(ProvisionedUnits {
                low: *min,
                high: *min,
                mean: hourly_mean.clone(),
                throttled: Some(Exact::zero()),
            }),
            (Units::Fixed(units), _) => Some(ProvisionedUnits {
                low: *units,
                high: *units,
                mean: hourly_mean.clone(),
                throttled: None,
            }),
        });
        let moved = units.and_then(|units| self.moved(units, run, throughput));
        let capacity = hourly.map(|hourly| ProvisionedCapacity {
            subject: self.design.subject(index, self.region, None),
            throughput,
            class: self.class,
            hourly,
            because: moved
                .into_iter()
                .chain(self.drivers(consumed, throughput))
                .collect(),
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
            partly_unknown: self
                .gaps
                .iter()
                .any(|gap| gap.hides_demand_of(index, direction, self.design.table)),
        };
        Settling { demand, capacity }
    }

    fn consumed_by(&self, target: Target, direction: Direction) -> Vec<&Consumption> {
        let index = self.index_name(target);
        let of_account = |one: &&Consumption| {
            one.account.as_deref() == index && one.throughput.direction() == direction
        };
        self.consumed.iter().filter(of_account).collect()
    }

    /// The name of an account direction, so that each has its own random calls.
    fn series_name(&self, target: Target, direction: Direction) -> String {
        self.design.simulations.drawn().name(
            &self.design.table.table.name,
            self.index_name(target),
            self.region,
            direction,
        )
    }

    /// What changes the units, if anything does.
    fn moved(
        &self,
        units: &Units,
        run: Option<&LedgerRun>,
        throughput: Throughput,
    ) -> Option<Because> {
        let (Units::Scaled(scaling), Some(run)) = (units, run) else {
            return None;
        };
        let unit = match throughput {
            Throughput::Read => "RCU",
            Throughput::Write => "WCU",
            Throughput::ReplicatedWrite => "rWCU",
        };
        let bounds = format!(
            "between {} and {} {unit}",
            Exact::from(scaling.min),
            Exact::from(scaling.max)
        );
        let how = match (scaling.target_percent, scaling.schedule.actions.is_empty()) {
            (Some(target), true) => format!("auto scaling {bounds} at a target of {target} %"),
            (Some(target), false) => {
                format!("auto scaling {bounds} at a target of {target} %, and a schedule")
            }
            (None, _) => "a schedule changes the units".to_string(),
        };
        let text = format!(
            "{how}: {} to {} {unit} in the simulated time",
            Exact::from(run.lowest),
            Exact::from(run.highest)
        );
        Some(Because::rule("6.6", text))
    }

    /// Which access patterns use the capacity, how much of it each uses, and how that is computed.
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
        let text = parts
            .iter()
            .map(|(name, units)| format!("\"{name}\" {}", units.human(2)))
            .collect::<Vec<_>>()
            .join(", ");
        if text.is_empty() {
            return Vec::new();
        }
        let working = consumed.iter().flat_map(|one| {
            let name = one.subject.access.as_deref().unwrap_or_default();
            let place = one
                .subject
                .index
                .as_ref()
                .map(|index| format!(" / {index}"))
                .unwrap_or_default();
            one.because.iter().map(move |because| Because {
                text: format!("{name}{place}: {}", because.text),
                ..because.clone()
            })
        });
        let sum = Because::plain(format!(
            "demand in {}s a second, on average: {text}",
            unit_name(throughput)
        ));
        std::iter::once(sum).chain(working).collect()
    }
}

/// One account direction: its demand, and its capacity if that is provisioned and known.
struct Settling {
    demand: Demand,
    capacity: Option<ProvisionedCapacity>,
}

/// The name of the unit, independent of the capacity mode.
fn unit_name(throughput: Throughput) -> &'static str {
    match throughput {
        Throughput::Read => "read unit",
        Throughput::Write => "write unit",
        Throughput::ReplicatedWrite => "replicated write unit",
    }
}
