//! One region of a table: what is consumed in it, and what the capacity mode makes of that.

use std::sync::Arc;

use super::Design;
use super::expected::{Tallies, Tally};
use crate::capacity::{Consumption, Demand, ReservedUnits, demand, fixed, on_demand};
use crate::meter::ReplicatedLocalIndex;
use crate::table::{Index, IndexKind, TableClass};
use crate::units::Exact;
use crate::usage::{Because, Subject, Throughput, Usage, UsageType};
use crate::workload::{Capacity, Units};

/// Calls of a month, under the name that their lines carry.
#[derive(Clone, Debug)]
pub(super) struct Traffic<'a> {
    pub name: &'a str,
    pub calls: Exact,
    /// The demand of each hour of the week, divided by its mean.
    pub factors: Arc<[Exact]>,
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
    /// Whether the unknown is part of an account's demand.
    fn hides_demand_of(&self, index: Option<&str>, reads: bool) -> bool {
        let requests = self.subject.access.is_some();
        requests && self.subject.index.as_deref() == index && (self.usage_type.unit() == "RRU") == reads
    }
}

/// What the regions of one table consume and bill.
#[derive(Default)]
pub(super) struct Settled {
    pub usage: Vec<Usage>,
    pub demand: Vec<Demand>,
    pub gaps: Vec<Gap>,
    pub consumed: Vec<Consumption>,
}

/// One region of a table.
pub(super) struct Site<'a> {
    design: &'a Design<'a>,
    region: &'a str,
    class: TableClass,
    /// Provisioned read units, where they differ from the table's.
    read: Option<u64>,
    consumed: Vec<Consumption>,
    gaps: Vec<Gap>,
}

/// What a read unit is, for the working of a line.
const READ_ROUNDING: &str = "for each 4 KB, rounded up: 0.5 read units eventually consistent, 1 strongly, 2 in a transaction";

impl<'a> Site<'a> {
    pub fn new(design: &'a Design<'a>, region: &'a str, class: TableClass, read: Option<u64>) -> Site<'a> {
        Site { design, region, class, read, consumed: Vec::new(), gaps: Vec::new() }
    }

    /// The reads of some calls, arm by arm.
    pub fn reads(&mut self, traffic: &Traffic, arms: &[Tallies], reasons: &[Because]) {
        for (arm, tallies) in arms.iter().enumerate() {
            self.consume(traffic, arm, Throughput::Read, &tallies.read, reasons);
        }
    }

    /// The writes of some calls, arm by arm.
    pub fn writes(&mut self, traffic: &Traffic, arms: &[Tallies]) {
        for (arm, tallies) in arms.iter().enumerate() {
            let reasons = self.replicated_reason(arm);
            self.consume(traffic, arm, self.write_throughput(arm), &tallies.write, reasons.as_slice());
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
        let working = format!("{} {unit}s a call x {} calls = {units} {unit}s", tally.units.human(9), traffic.calls);
        because.push(Because::plain(working));
        self.consumed.push(Consumption {
            subject: self.design.subject(index.map(|index| index.name.as_str()), self.region, Some(traffic.name)),
            account: index.filter(|index| index.kind == IndexKind::Global).map(|index| index.name.clone()),
            throughput,
            class: self.class,
            units,
            factors: traffic.factors.clone(),
            because,
        });
    }

    /// The usage of every account in this region: the table with its local indexes, and each global index.
    pub fn settle(mut self, settled: &mut Settled) {
        if self.design.table.capacity == Capacity::OnDemand {
            settled.usage.extend(self.consumed.iter().map(on_demand));
        }
        let global = |(at, index): (usize, &Index)| (index.kind == IndexKind::Global).then_some(at + 1);
        let accounts: Vec<usize> =
            std::iter::once(0).chain(self.design.table.table.indexes.iter().enumerate().filter_map(global)).collect();
        for arm in accounts {
            self.settle_account(arm, Throughput::Read, settled);
            self.settle_account(arm, self.write_throughput(arm), settled);
        }
        settled.consumed.append(&mut self.consumed);
        settled.gaps.append(&mut self.gaps);
    }

    fn settle_account(&mut self, arm: usize, throughput: Throughput, settled: &mut Settled) {
        let month = &self.design.workload.month;
        let index = self.index(arm).map(|index| index.name.as_str());
        let reads = throughput == Throughput::Read;
        let of_account = |one: &&Consumption| one.account.as_deref() == index && (one.throughput == Throughput::Read) == reads;
        let (mean, peak) = demand(self.consumed.iter().filter(of_account), month);
        let subject = self.design.subject(index, self.region, None);
        let units = self.units_of(arm, reads);
        let provisioned = match units {
            Some(Units::Fixed(units)) => {
                let reserved = self.reserved(arm, reads);
                settled.usage.extend(fixed(&subject, throughput, self.class, units, reserved, month));
                Some(units)
            }
            Some(Units::Scaled { min, max }) => {
                let direction = if reads { "read" } else { "write" };
                self.gaps.push(Gap {
                    subject,
                    what: format!("{direction} capacity between {} and {} units", Exact::from(min), Exact::from(max)),
                    why: "auto scaling moves it with the demand; give fixed units to price it".to_string(),
                    usage_type: UsageType::capacity_hours(throughput, self.class),
                    costs: true,
                });
                None
            }
            None => None,
        };
        settled.demand.push(Demand {
            table: self.design.table.table.name.clone(),
            index: index.map(str::to_string),
            region: self.region.to_string(),
            throughput,
            mean,
            peak,
            provisioned,
            partly_unknown: self.gaps.iter().any(|gap| gap.hides_demand_of(index, reads)),
        });
    }

    /// The provisioned units of an account; `None` on demand.
    fn units_of(&self, arm: usize, reads: bool) -> Option<Units> {
        let (read, write) = match (&self.design.table.capacity, arm.checked_sub(1)) {
            (Capacity::OnDemand, _) => return None,
            (Capacity::Provisioned { .. }, None) if reads && self.read.is_some() => return self.read.map(Units::Fixed),
            (Capacity::Provisioned { read, write, .. }, None) => (read, write),
            (Capacity::Provisioned { .. }, Some(at)) => {
                self.design.table.indexes[at].capacity.as_ref().map(|(read, write)| (read, write))?
            }
        };
        Some(if reads { read } else { write }.clone())
    }

    /// Reserved capacity belongs to the table's account in the home region.
    fn reserved(&self, arm: usize, reads: bool) -> Option<ReservedUnits> {
        let Capacity::Provisioned { reserved: Some(reserved), .. } = self.design.table.capacity else { return None };
        let here = arm == 0 && self.region == self.design.workload.region;
        here.then_some(ReservedUnits { units: if reads { reserved.read } else { reserved.write }, years: reserved.years })
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
