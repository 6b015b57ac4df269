//! Throughput: what the access patterns consume in every region.

use super::TableContext;
use super::expected::{Expected, ExpectedUnits, counted, measured};
use super::operations::{expand, fills, time_to_live, writes_unknown_entries};
use super::site::{MonthlyCalls, Settled, Site};
use crate::capacity::Shape;
use crate::dax;
use crate::table::{ApiName, Consistency, Direction};
use crate::units::{Exact, GB};
use crate::usage::{Because, Usage, UsageType};
use crate::workload::{AccessPattern, PatternCall, Replica};

/// The name that lines of Time to Live have instead of an access pattern's name.
const TIME_TO_LIVE: &str = "Time to Live";

/// A table with its traffic, metered.
pub(super) struct Metered<'a> {
    design: &'a TableContext<'a>,
    patterns: Vec<Pattern<'a>>,
    /// What one Time to Live delete writes, if there are any.
    expired: Option<Expected>,
}

struct Pattern<'a> {
    access: &'a AccessPattern,
    expected: Expected,
    /// Reads that DAX adds to fill its cache.
    fills: ExpectedUnits,
    /// The index whose entry size the pattern's reads need but which is not known.
    unknown_read: Option<usize>,
    /// The indexes whose entry sizes its writes need but which are not known.
    unknown_writes: Vec<usize>,
}

impl<'a> Metered<'a> {
    /// Meters every access pattern of a table.
    pub fn new(design: &'a TableContext<'a>) -> Metered<'a> {
        let patterns = design
            .table
            .access
            .iter()
            .map(|access| pattern(design, access))
            .collect();
        let ttl = &design.table.ttl_deletes;
        let sizes = design.table.expiring().filter(|_| !ttl.is_zero());
        let expired = sizes.map(|sizes| design.expect(&time_to_live(sizes, &design.table.table)));
        Metered {
            design,
            patterns,
            expired,
        }
    }

    /// Everything that writes: access patterns and Time to Live, with the expected consumption of
    /// one call of each.
    fn writers(&self) -> impl Iterator<Item = (MonthlyCalls<'_>, &Expected)> {
        let patterns = self
            .patterns
            .iter()
            .map(|pattern| (traffic(pattern.access), &pattern.expected));
        let expired = self.expired.iter().map(|expected| {
            let calls = self.design.table.ttl_deletes.clone();
            (
                MonthlyCalls {
                    name: TIME_TO_LIVE,
                    calls,
                    shape: Shape::flat(),
                    transactional: false,
                    origin: None,
                },
                expected,
            )
        });
        patterns.chain(expired)
    }

    /// Whether there are writes whose changes are not known: only their units are known, or
    /// nothing.
    pub fn hides_writes(&self) -> bool {
        self.design.table.unknown.ttl_deletes
            || self.patterns.iter().any(|pattern| {
                matches!(
                    pattern.access.call,
                    PatternCall::Counted {
                        direction: Direction::Write,
                        ..
                    } | PatternCall::Unknown {
                        direction: Direction::Write,
                        ..
                    }
                )
            })
    }

    /// Bytes that the writes of a month change, Time to Live included: what replicas receive and
    /// incremental exports hold.
    pub fn changed_bytes(&self) -> Exact {
        self.writers()
            .map(|(traffic, expected)| &traffic.calls * &expected.replicated_bytes)
            .sum()
    }

    /// Change data capture units of a month: the writer, its calls and the units of one call.
    pub fn captured(&self) -> Vec<(&str, Exact, Exact)> {
        let captured = self
            .writers()
            .map(|(traffic, expected)| (traffic.name, traffic.calls, expected.captured.clone()));
        captured.filter(|(_, _, units)| !units.is_zero()).collect()
    }

    /// Data transfer from the region of a write to each other region that stores a copy.
    pub fn transfer(&self) -> Vec<Usage> {
        let design = self.design;
        let home = &design.workload.region;
        let to = |region: &'a str| {
            let usage = move |(traffic, expected): (MonthlyCalls, &Expected)| {
                let origin = traffic.origin.unwrap_or(home);
                let gigabytes = &(&traffic.calls * &expected.replicated_bytes) / &Exact::from(GB);
                let working = format!(
                    "{} x {} B = {} GB",
                    traffic.calls,
                    expected.replicated_bytes.human(3),
                    gigabytes.human(9)
                );
                let usage = Usage {
                    subject: design.subject(None, origin, Some(traffic.name)),
                    usage_type: UsageType::TransferTo(region.to_string()),
                    quantity: gigabytes,
                    because: vec![Because::rule("4.9", format!("to {region}: {working}"))],
                };
                (origin != region && !usage.quantity.is_zero()).then_some(usage)
            };
            self.writers().filter_map(usage).collect::<Vec<_>>()
        };
        let regions = design
            .copies()
            .map(|replica| replica.region.as_str())
            .chain(design.is_written_elsewhere().then_some(home.as_str()));
        regions.flat_map(to).collect()
    }

    /// Consumption and bill of the home region, then of each replica's.
    pub fn settle(&self) -> Settled {
        let design = self.design;
        let mut settled = Settled::default();
        let mut home = Site::new(
            design,
            &design.workload.region,
            design.table.table.class,
            None,
        );
        for pattern in &self.patterns {
            let traffic = traffic(pattern.access);
            let (passes, reasons) = passing(design, pattern.access);
            let reasons: Vec<Because> =
                reasons.into_iter().chain(partiql(pattern.access)).collect();
            home.reads(
                &traffic.clone().times(&passes),
                &pattern.expected.home,
                &reasons,
            );
            home.unknown_reads(traffic.name, pattern.unknown_read);
            home.fill(&traffic, &pattern.fills);
            home.writes(
                &traffic,
                &pattern.expected.home,
                &write_reasons(pattern.access),
            );
            home.unknown_writes(traffic.name, &pattern.unknown_writes);
            home.unmetered(pattern.access);
        }
        home.settle(&mut settled);
        for replica in design.copies() {
            self.settle_copy(replica, &mut settled);
        }
        settled
    }

    /// A replica receives the writes of all writers, a share of the reads of the table's access
    /// patterns, and the reads of its own.
    fn settle_copy(&self, replica: &'a Replica, settled: &mut Settled) {
        let design = self.design;
        let mut site = Site::new(design, &replica.region, replica.class, Some(replica));
        for (traffic, expected) in self.writers() {
            site.writes(&traffic, expected.in_replica(&replica.region), &[]);
        }
        if design.table.unknown.ttl_deletes {
            site.unknown_deletes();
        }
        if self.expired.is_some() {
            // A delete removes the entry of every index that has one.
            let unknown = |at: &usize| design.table.entries(*at).is_none();
            let unknown: Vec<usize> = (0..design.table.table.indexes.len())
                .filter(unknown)
                .collect();
            site.unknown_writes(TIME_TO_LIVE, &unknown);
        }
        let share = Because::plain(format!(
            "{} x the reads of {}",
            replica.reads.human(6),
            design.workload.region
        ));
        for pattern in &self.patterns {
            site.unknown_writes(&pattern.access.name, &pattern.unknown_writes);
            if !pattern.access.is_read() || !replica.reads.is_zero() {
                site.unmetered_call(pattern.access);
            }
            // A transaction repeated with its token reads in the region where the write is called
            // (rule 3.7b).
            if pattern.access.is_read() && !replica.reads.is_zero() {
                site.reads(
                    &traffic(pattern.access).times(&replica.reads),
                    &pattern.expected.home,
                    std::slice::from_ref(&share),
                );
                site.unknown_reads(&pattern.access.name, pattern.unknown_read);
            }
        }
        for access in &replica.access {
            let pattern = pattern(design, access);
            site.reads(&traffic(access), &pattern.expected.home, &[]);
            site.unknown_reads(&access.name, pattern.unknown_read);
            site.unmetered(access);
        }
        site.settle(settled);
    }
}

/// A PartiQL statement costs the same as the equivalent operation.
fn partiql(access: &AccessPattern) -> Option<Because> {
    let operation = access
        .operation
        .filter(|operation| operation.is_partiql())?;
    Some(Because::rule(
        "2.10",
        format!("{operation} costs the same as the operations that its statements stand for"),
    ))
}

/// Explanations of what a write costs: a batch saves nothing, and a PartiQL statement costs the
/// same as its operation.
fn write_reasons(access: &AccessPattern) -> Vec<Because> {
    let batch = || Because::rule("3.5", "a batch costs the same as its writes one by one");
    let is_batch = matches!(
        access.operation,
        Some(ApiName::BatchWriteItem | ApiName::BatchExecuteStatement)
    );
    is_batch
        .then(batch)
        .into_iter()
        .chain(partiql(access))
        .collect()
}

fn traffic(access: &AccessPattern) -> MonthlyCalls<'_> {
    MonthlyCalls {
        origin: match &access.call {
            PatternCall::Traced(traced) => traced.origin.as_deref(),
            _ => None,
        },
        name: &access.name,
        calls: access.calls.clone(),
        shape: access.shape.clone(),
        transactional: match &access.call {
            PatternCall::Transaction { .. } => true,
            PatternCall::Traced(traced) => traced.transactional,
            _ => false,
        },
    }
}

/// The share of a pattern's reads that reach the table behind DAX, and its explanation.
pub(super) fn passing(design: &TableContext, access: &AccessPattern) -> (Exact, Vec<Because>) {
    let consistency = match &access.call {
        PatternCall::Get { consistency, .. } => *consistency,
        PatternCall::Page { consistency, .. } => Some(*consistency),
        PatternCall::Write { .. }
        | PatternCall::Transaction { .. }
        | PatternCall::Traced(_)
        | PatternCall::Counted { .. }
        | PatternCall::Unknown { .. } => {
            return (Exact::one(), Vec::new());
        }
    };
    let Some(dax) = design.table.dax.as_ref().filter(|_| access.through_dax) else {
        return (Exact::one(), Vec::new());
    };
    // Calls whose hit ratio is not known are completely unknown.
    let Some(hit_ratio) = dax.hit_ratio.known() else {
        return (Exact::one(), Vec::new());
    };
    let passes = dax::share_that_passes(consistency, hit_ratio);
    let text = match consistency {
        Some(Consistency::Eventual) => {
            format!(
                "DAX answers {} of the calls; {} reach the table",
                hit_ratio.human(6),
                passes.human(6)
            )
        }
        _ => "strongly consistent and transactional reads pass through DAX and are never a hit"
            .to_string(),
    };
    (passes, vec![Because::rule("7.2", text)])
}

fn pattern<'a>(design: &'a TableContext<'a>, access: &'a AccessPattern) -> Pattern<'a> {
    let table = &design.table.table;
    if let PatternCall::Traced(traced) = &access.call {
        let fills = ExpectedUnits::measured(traced.fill_halves, traced);
        let unknown_writes = traced.unknown_indexes.iter().copied().collect();
        return Pattern {
            access,
            expected: measured(traced),
            fills,
            unknown_read: None,
            unknown_writes,
        };
    }
    if let PatternCall::Counted { direction, target } = &access.call {
        return Pattern {
            access,
            expected: counted(*direction, *target, table),
            fills: ExpectedUnits::default(),
            unknown_read: None,
            unknown_writes: Vec::new(),
        };
    }
    let cases = expand(access, design.table, &design.workload.switches);
    let behind_dax = design.table.dax.is_some() && access.through_dax;
    let fills = behind_dax
        .then(|| design.expect(&fills(access)).home.into_iter().next())
        .flatten();
    let unknown = |at: &usize| writes_unknown_entries(access, *at, table);
    Pattern {
        access,
        expected: design.expect(&cases),
        fills: fills.unwrap_or_default().read,
        unknown_read: cases.unknown_read,
        unknown_writes: (0..table.indexes.len()).filter(unknown).collect(),
    }
}
