//! Throughput: what the access patterns consume in every region, and what the capacity mode makes of it.

use std::sync::Arc;

use super::Design;
use super::expected::{Expected, Tallies, Tally};
use super::operations::{expand, fills, time_to_live, writes_entries};
use crate::capacity::{Consumption, Demand, ReservedUnits, demand, fixed, on_demand};
use crate::dax;
use crate::meter::ReplicatedLocalIndex;
use crate::table::{Consistency, IndexKind, TableClass};
use crate::units::{Exact, GB};
use crate::usage::{Because, Subject, Throughput, Usage, UsageType};
use crate::workload::{Access, Call, Capacity, Profile, Units};

/// The name that lines of Time to Live carry in place of an access pattern's.
const TIME_TO_LIVE: &str = "Time to Live";

const READ_ROUNDING: &str = "for each 4 KB, rounded up: 0.5 read units eventually consistent, 1 strongly, 2 in a transaction";

/// A table with its traffic, metered.
pub(super) struct Metered<'a> {
    design: &'a Design<'a>,
    patterns: Vec<Pattern<'a>>,
    expired: Option<Expected>,
}

struct Pattern<'a> {
    access: &'a Access,
    expected: Expected,
    /// Reads that DAX adds to fill its cache.
    fills: Tally,
    /// The index whose entry size the pattern's reads would need.
    unknown_read: Option<usize>,
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
    fn hides_demand_of(&self, table: &str, index: Option<&str>, region: &str, reads: bool) -> bool {
        let subject = &self.subject;
        let here = subject.table == table && subject.index.as_deref() == index && subject.region == region;
        here && subject.access.is_some() && (self.usage_type.unit() == "RRU") == reads
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
struct Site<'a> {
    region: &'a str,
    class: TableClass,
    /// Provisioned read units, where they differ from the table's.
    read: Option<u64>,
}

impl<'a> Metered<'a> {
    /// Meters every access pattern of a table.
    pub fn new(design: &'a Design<'a>) -> Metered<'a> {
        let patterns = design.table.access.iter().map(|access| pattern(design, access)).collect();
        let ttl = &design.table.ttl_deletes;
        let expired = (!ttl.is_zero()).then(|| design.expect(&time_to_live(&design.table.sizes, &design.table.table)));
        Metered { design, patterns, expired }
    }

    /// Bytes that the writes of a month change, Time to Live included: what replicas receive and
    /// incremental exports hold.
    pub fn changed_bytes(&self) -> Exact {
        let patterns = self.patterns.iter().map(|pattern| &pattern.access.calls * &pattern.expected.replicated_bytes);
        patterns.chain(self.expired.iter().map(|expected| &self.design.table.ttl_deletes * &expected.replicated_bytes)).sum()
    }

    /// Change data capture units of a month: by access pattern, with calls and units of one.
    pub fn captured(&self) -> Vec<(&str, Exact, Exact)> {
        let patterns = self
            .patterns
            .iter()
            .map(|pattern| (pattern.access.name.as_str(), pattern.access.calls.clone(), pattern.expected.captured.clone()));
        let ttl = self.expired.iter().map(|expected| (TIME_TO_LIVE, self.design.table.ttl_deletes.clone(), expected.captured.clone()));
        patterns.chain(ttl).filter(|(_, _, units)| !units.is_zero()).collect()
    }

    /// Transfer out of the home region to each other region that stores a copy.
    pub fn transfer(&self) -> Vec<Usage> {
        let design = self.design;
        let sent = self.patterns.iter().map(|pattern| (pattern.access.name.as_str(), &pattern.access.calls, &pattern.expected));
        let expired = self.expired.iter().map(|expected| (TIME_TO_LIVE, &design.table.ttl_deletes, expected));
        let sent: Vec<_> = sent.chain(expired).filter(|(_, _, expected)| !expected.replicated_bytes.is_zero()).collect();
        let replicas = design.table.replicas.iter().filter(|replica| !replica.witness);
        let to = |region: &str| {
            let usage = |(name, calls, expected): &(&str, &Exact, &Expected)| {
                let bytes = *calls * &expected.replicated_bytes;
                let gigabytes = &bytes / &Exact::from(GB);
                let working = format!("{calls} x {} B = {} GB", expected.replicated_bytes.human(3), gigabytes.human(9));
                Usage {
                    subject: design.subject(None, &design.workload.region, Some(name)),
                    usage_type: UsageType::transfer_to(region),
                    quantity: gigabytes,
                    because: vec![Because::rule("4.9", format!("to {region}: {working}"))],
                }
            };
            sent.iter().map(usage).collect::<Vec<_>>()
        };
        replicas.flat_map(|replica| to(&replica.region)).collect()
    }

    /// Consumption and bill of the home region, then of each replica's.
    pub fn settle(&self) -> Settled {
        let design = self.design;
        let mut settled = Settled::default();
        let home = Site { region: &design.workload.region, class: design.table.table.class, read: None };
        let mut consumed = Vec::new();
        for pattern in &self.patterns {
            self.at_home(pattern, &home, &mut consumed, &mut settled.gaps);
        }
        self.settle_site(&home, consumed, &mut settled);
        for replica in design.table.replicas.iter().filter(|replica| !replica.witness) {
            let site = Site { region: &replica.region, class: replica.class, read: replica.read };
            let mut consumed = Vec::new();
            for pattern in &self.patterns {
                self.abroad(
                    pattern.access.name.as_str(),
                    &pattern.access.calls,
                    &pattern.access.factors,
                    &pattern.expected,
                    &site,
                    &mut consumed,
                );
                if !replica.reads.is_zero() {
                    let calls = &pattern.access.calls * &replica.reads;
                    let share = Because::plain(format!("{} times the reads of {}", replica.reads.human(6), design.workload.region));
                    self.reads(pattern, &calls, &Exact::one(), &[share], &site, &mut consumed, &mut settled.gaps);
                }
            }
            if let Some(expired) = &self.expired {
                let flat = Profile::flat_factors();
                self.abroad(TIME_TO_LIVE, &design.table.ttl_deletes, &flat, expired, &site, &mut consumed);
            }
            for access in &replica.access {
                let pattern = pattern(design, access);
                self.reads(&pattern, &access.calls, &Exact::one(), &[], &site, &mut consumed, &mut settled.gaps);
            }
            self.settle_site(&site, consumed, &mut settled);
        }
        settled
    }

    fn at_home(&self, pattern: &Pattern, site: &Site, consumed: &mut Vec<Consumption>, gaps: &mut Vec<Gap>) {
        let design = self.design;
        let dax = design.table.dax.as_ref().filter(|_| pattern.access.through_dax);
        let (passes, because) = match (dax, &pattern.access.call) {
            (Some(dax), Call::Get { consistency, .. }) => passing(*consistency, &dax.hit_ratio),
            (Some(dax), Call::Page { consistency, .. }) => passing(Some(*consistency), &dax.hit_ratio),
            _ => (Exact::one(), Vec::new()),
        };
        self.reads(pattern, &pattern.access.calls, &passes, &because, site, consumed, gaps);
        let fills = &pattern.fills;
        let reason = Because::rule("7.4", "DAX reads each item of a transaction again to fill its cache");
        self.consume(
            0,
            Throughput::Read,
            fills,
            (&pattern.access.name, &pattern.access.calls, &pattern.access.factors),
            &[reason],
            site,
            consumed,
        );
        let calls = (pattern.access.name.as_str(), &pattern.access.calls, &pattern.access.factors);
        for (arm, tallies) in pattern.expected.home.iter().enumerate() {
            self.consume(arm, self.write_throughput(arm), &tallies.write, calls, &self.replicated_reason(arm), site, consumed);
        }
        let table = &design.table.table;
        for (at, index) in table.indexes.iter().enumerate() {
            if pattern.access.sizes.entries(at).is_none() && writes_entries(pattern.access, index, table) {
                let usage_type = UsageType::request_units(self.write_throughput(at + 1), site.class);
                gaps.push(design.entry_gap(at, Some(&pattern.access.name), site.region, "the write units of its entries", usage_type));
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // one call's worth of context, passed on unchanged
    fn reads(
        &self,
        pattern: &Pattern,
        calls: &Exact,
        passes: &Exact,
        reasons: &[Because],
        site: &Site,
        consumed: &mut Vec<Consumption>,
        gaps: &mut Vec<Gap>,
    ) {
        let calls = calls * passes;
        let calls = (pattern.access.name.as_str(), &calls, &pattern.access.factors);
        for (arm, Tallies { read, .. }) in pattern.expected.home.iter().enumerate() {
            self.consume(arm, Throughput::Read, read, calls, reasons, site, consumed);
        }
        if let Some(index) = pattern.unknown_read {
            let usage_type = UsageType::request_units(Throughput::Read, site.class);
            gaps.push(self.design.entry_gap(index, Some(&pattern.access.name), site.region, "the read units of its entries", usage_type));
        }
    }

    fn abroad(&self, name: &str, calls: &Exact, factors: &Arc<[Exact]>, expected: &Expected, site: &Site, consumed: &mut Vec<Consumption>) {
        for (arm, tallies) in expected.abroad.iter().enumerate() {
            self.consume(
                arm,
                self.write_throughput(arm),
                &tallies.write,
                (name, calls, factors),
                &self.replicated_reason(arm),
                site,
                consumed,
            );
        }
    }

    /// Writes to the base table of a global table, and by default to its local indexes, are replicated units.
    fn write_throughput(&self, arm: usize) -> Throughput {
        let design = self.design;
        let local = arm > 0 && design.table.table.indexes[arm - 1].kind == IndexKind::Local;
        let replicated = arm == 0 || (local && design.workload.switches.replicated_local_index == ReplicatedLocalIndex::Replicated);
        if design.table.is_global() && replicated { Throughput::ReplicatedWrite } else { Throughput::Write }
    }

    fn replicated_reason(&self, arm: usize) -> Vec<Because> {
        if !self.design.table.is_global() {
            return Vec::new();
        }
        let local = arm > 0 && self.design.table.table.indexes[arm - 1].kind == IndexKind::Local;
        vec![match (arm, local) {
            (0, _) => Because::rule("4.1", "a global table pays a replicated write in every region, this one included"),
            (_, true) => Because::rule("4.2l", "a local index of a global table writes on its table's units in every region"),
            (_, false) => Because::rule("4.2", "a global index of a global table pays ordinary writes in every region"),
        }]
    }

    #[allow(clippy::too_many_arguments)] // one line's worth of context
    fn consume(
        &self,
        arm: usize,
        throughput: Throughput,
        tally: &Tally,
        (name, calls, factors): (&str, &Exact, &Arc<[Exact]>),
        reasons: &[Because],
        site: &Site,
        consumed: &mut Vec<Consumption>,
    ) {
        let each = tally.units.clone();
        let units = &each * calls;
        if units.is_zero() {
            return;
        }
        let design = self.design;
        let index = arm.checked_sub(1).map(|at| &design.table.table.indexes[at]);
        let unit = unit_name(throughput);
        let mut because = tally.because(unit);
        because.push(match throughput {
            Throughput::Read => Because::rule("2.1", READ_ROUNDING),
            Throughput::Write | Throughput::ReplicatedWrite => Because::rule("1.7", "a write unit for each 1 KB, rounded up"),
        });
        if let (Some(at), Throughput::Write | Throughput::ReplicatedWrite) = (arm.checked_sub(1), throughput) {
            let coverage = &design.table.indexes[at].coverage;
            if *coverage != Exact::one() {
                because.push(Because::rule("1.6", format!("{} of the items carry the key of the index", coverage.human(6))));
            }
        }
        because.extend(reasons.iter().cloned());
        because.push(Because::plain(format!("{} {unit}s a call x {calls} calls = {units} {unit}s", each.human(9))));
        consumed.push(Consumption {
            subject: design.subject(index.map(|index| index.name.as_str()), site.region, Some(name)),
            account: index.filter(|index| index.kind == IndexKind::Global).map(|index| index.name.clone()),
            throughput,
            class: site.class,
            units,
            factors: factors.clone(),
            because,
        });
    }

    fn settle_site(&self, site: &Site, consumed: Vec<Consumption>, settled: &mut Settled) {
        let design = self.design;
        let table = &design.table.table;
        let accounts = std::iter::once(None)
            .chain(table.indexes.iter().enumerate().filter(|(_, index)| index.kind == IndexKind::Global).map(|(at, _)| Some(at)));
        if design.table.capacity == Capacity::OnDemand {
            settled.usage.extend(consumed.iter().map(on_demand));
        }
        for account in accounts {
            let index = account.map(|at| table.indexes[at].name.as_str());
            let writes = self.write_throughput(account.map_or(0, |at| at + 1));
            for throughput in [Throughput::Read, writes] {
                let reads = throughput == Throughput::Read;
                let of_account =
                    consumed.iter().filter(|one| one.account.as_deref() == index && (one.throughput == Throughput::Read) == reads);
                let (mean, peak) = demand(of_account, &design.workload.month);
                let units = self.units_of(account, reads, site);
                let provisioned = match units {
                    Some(Units::Fixed(units)) => Some(units),
                    _ => None,
                };
                let subject = design.subject(index, site.region, None);
                match units {
                    Some(Units::Fixed(units)) => {
                        let reserved = self.reserved(account, reads, site);
                        settled.usage.extend(fixed(&subject, throughput, site.class, units, reserved, &design.workload.month));
                    }
                    Some(Units::Scaled { min, max }) => settled.gaps.push(Gap {
                        subject,
                        what: format!(
                            "{} capacity between {} and {} units",
                            if reads { "read" } else { "write" },
                            Exact::from(min),
                            Exact::from(max)
                        ),
                        why: "auto scaling moves it with the demand; give fixed units to price it".to_string(),
                        usage_type: UsageType::capacity_hours(throughput, site.class),
                        costs: true,
                    }),
                    None => {}
                }
                settled.demand.push(Demand {
                    table: table.name.clone(),
                    index: index.map(str::to_string),
                    region: site.region.to_string(),
                    throughput,
                    mean,
                    peak,
                    provisioned,
                    partly_unknown: settled.gaps.iter().any(|gap| gap.hides_demand_of(&table.name, index, site.region, reads)),
                });
            }
        }
        settled.consumed.extend(consumed);
    }

    /// The provisioned units of an account; `None` on demand.
    fn units_of(&self, account: Option<usize>, reads: bool, site: &Site) -> Option<Units> {
        let Capacity::Provisioned { read, write, .. } = &self.design.table.capacity else { return None };
        match (account, site.read) {
            (None, Some(units)) if reads => Some(Units::Fixed(units)),
            (None, _) => Some(if reads { read } else { write }.clone()),
            (Some(at), _) => {
                let (read, write) = self.design.table.indexes[at].capacity.as_ref()?;
                Some(if reads { read } else { write }.clone())
            }
        }
    }

    /// Reserved capacity belongs to the table's account in the home region.
    fn reserved(&self, account: Option<usize>, reads: bool, site: &Site) -> Option<ReservedUnits> {
        let Capacity::Provisioned { reserved: Some(reserved), .. } = self.design.table.capacity else { return None };
        let here = account.is_none() && site.region == self.design.workload.region;
        here.then_some(ReservedUnits { units: if reads { reserved.read } else { reserved.write }, years: reserved.years })
    }
}

/// The unit's short name while the mode is open.
fn unit_name(throughput: Throughput) -> &'static str {
    match throughput {
        Throughput::Read => "read unit",
        Throughput::Write => "write unit",
        Throughput::ReplicatedWrite => "replicated write unit",
    }
}

/// The share of reads that reach the table behind DAX, and the words for it.
fn passing(consistency: Option<Consistency>, hit_ratio: &Exact) -> (Exact, Vec<Because>) {
    let passes = dax::share_that_passes(consistency, hit_ratio);
    let text = match consistency {
        Some(Consistency::Eventual) => format!("DAX answers {} of the calls; {} reach the table", hit_ratio.human(6), passes.human(6)),
        _ => "strong and transactional reads pass through DAX and are never a hit".to_string(),
    };
    (passes, vec![Because::rule("7.2", text)])
}

fn pattern<'a>(design: &'a Design<'a>, access: &'a Access) -> Pattern<'a> {
    let cases = expand(access, &design.table.table, &design.workload.switches);
    let behind_dax = design.table.dax.is_some() && access.through_dax;
    let fills = behind_dax.then(|| design.expect(&fills(access)).home.into_iter().next()).flatten();
    Pattern { access, expected: design.expect(&cases), fills: fills.unwrap_or_default().read, unknown_read: cases.unknown_read }
}
