//! What the calls of a run consumed: expected, metered and stated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::DriveError;
use super::cost::{self, put, reading_all, removed, whole};
use super::planned::{CallOutcome, LeftOut, TablePlan};
use crate::estimate::{CallUnits, units_of_call};
use crate::files::FileSource;
use crate::replay::{ReplayOptions, ReplayRun, Verification, VerifiedTarget, Verify};
use crate::table::{ApiName, Direction};
use crate::trace::{ReadOptions, Trace, TraceFormat};
use crate::units::Exact;
use crate::usage::Because;
use crate::workload::{AccessPattern, PatternCall, TableDesign, Workload};

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Driven {
    /// The address; `None` for AWS's own.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The account, if it is known.
    pub account: Option<String>,
    /// The tables.
    pub tables: Vec<DrivenTable>,
    /// The access patterns, and what prepared and removed their items.
    pub patterns: Vec<DrivenPattern>,
    /// Access patterns that were not called.
    pub left_out: Vec<LeftOut>,
    /// What could not be removed, in words.
    pub left: Vec<String>,
    /// Lines of the log whose units differ from the meter's.
    pub lines_that_differ: u64,
    /// Lines of the log that state units.
    pub lines: u64,
}

impl Driven {
    /// Whether every call had its answer, every figure is what it must be, and nothing was left.
    pub fn agrees(&self) -> bool {
        let mut patterns = self.patterns.iter();
        self.left.is_empty() && patterns.all(|one| !one.differs() && !one.is_incomplete())
    }
}

/// A table of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrivenTable {
    /// Its name.
    pub name: String,
    /// Whether the run made and removed it.
    pub is_made: bool,
    /// Items that were put beforehand.
    pub items: u64,
}

/// An access pattern of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrivenPattern {
    /// The table.
    pub table: String,
    /// Its name.
    pub access: String,
    /// The API call.
    pub operation: Option<ApiName>,
    /// Whether it is one of the design, not the preparation of the run.
    pub is_of_design: bool,
    /// Calls with an answer.
    pub answered: u64,
    /// Calls that failed as the design says. DynamoDB charges them, but does not state their units.
    pub failed: u64,
    /// Calls with an answer that states no units.
    pub unstated: u64,
    /// Calls that failed otherwise.
    pub refused: Vec<RefusedCalls>,
    /// Whether all calls consume the same, so that expected and metered must agree.
    pub is_certain: bool,
    /// The units of the table and of each index.
    pub units: Vec<DrivenUnits>,
    /// The first difference between what was stated and the meter, in words.
    pub difference: Option<String>,
}

/// Calls that failed with the same exception.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedCalls {
    /// The exception.
    pub code: String,
    /// How many.
    pub calls: u64,
    /// The message of the first.
    pub message: String,
}

/// The units of the calls of an access pattern that have an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrivenUnits {
    /// The index; `None` for the table.
    pub index: Option<String>,
    /// Reads or writes.
    pub direction: Direction,
    /// What the estimate expects for these calls; `None` if it is unknown.
    pub expected: Option<Exact>,
    /// What the meter computes for the calls as they were made.
    pub metered: Exact,
    /// What DynamoDB states.
    pub consumed: Exact,
    /// The working of the estimate for one call, with its rules.
    pub because: Vec<Because>,
}

impl DrivenUnits {
    /// Whether DynamoDB states what the meter computes.
    pub fn agrees(&self) -> bool {
        self.metered == self.consumed
    }

    /// Whether the estimate expects what DynamoDB states.
    pub fn is_as_expected(&self) -> bool {
        self.expected
            .as_ref()
            .is_none_or(|expected| *expected == self.consumed)
    }
}

impl DrivenPattern {
    /// Whether calls failed that the design does not say to fail, or have no answer with units.
    pub fn is_incomplete(&self) -> bool {
        !self.refused.is_empty() || self.unstated > 0
    }

    /// Whether a figure is not what it must be: stated and metered differ, or expected and stated
    /// although nothing was left to the shares of sizes and numbers.
    pub fn differs(&self) -> bool {
        let differs =
            |units: &DrivenUnits| !units.agrees() || (self.is_certain && !units.is_as_expected());
        self.units.iter().any(differs)
    }
}

/// What became of the calls of an access pattern.
#[derive(Clone, Debug, Default)]
pub struct Called {
    /// Calls with an answer, by what became of them.
    pub answered: BTreeMap<CallOutcome, u64>,
    /// Calls that failed as the design says, whose units DynamoDB does not state.
    pub failed: u64,
    /// Calls with an answer that states no units.
    pub unstated: u64,
    /// Calls that failed otherwise: how many of each exception, and the first message.
    pub refused: BTreeMap<String, (u64, String)>,
}

/// What a run found.
pub struct Facts {
    /// The address; `None` for AWS's own.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// The account, if it is known.
    pub account: Option<String>,
    /// The tables.
    pub tables: Vec<DrivenTable>,
    /// The access patterns.
    pub called: Vec<CalledPattern>,
    /// Access patterns that were not called.
    pub left_out: Vec<LeftOut>,
    /// What could not be removed.
    pub left: Vec<String>,
}

/// An access pattern, with what became of its calls.
pub struct CalledPattern {
    design: std::sync::Arc<TableDesign>,
    access: AccessPattern,
    is_of_design: bool,
    is_certain: bool,
    called: Called,
}

impl CalledPattern {
    /// Of the design.
    pub fn of(table: &TablePlan, pattern: usize, called: Called) -> CalledPattern {
        let plan = &table.patterns[pattern];
        let mut access = plan.access.clone();
        let mut is_certain = plan.is_certain;
        if let PatternCall::Page { scan: true, .. } = &access.call {
            is_certain &= cost::is_certain(table, &access.call);
        }
        if plan.reads_all {
            access.call = reading_all(table, &access.call);
        }
        CalledPattern {
            design: table.design.clone(),
            access,
            is_of_design: true,
            is_certain,
            called,
        }
    }

    /// What put the items of the run, and removed them again.
    pub fn around(table: &TablePlan, is_made: bool) -> Vec<CalledPattern> {
        let design = std::sync::Arc::new(whole(table));
        let one = |access: AccessPattern, is_certain: bool| CalledPattern {
            design: design.clone(),
            called: Called {
                answered: BTreeMap::from([(
                    CallOutcome::Succeeds,
                    access.calls.to_u64().unwrap_or_default(),
                )]),
                ..Called::default()
            },
            access,
            is_of_design: false,
            is_certain,
        };
        let put = put(table).map(|put| one(put, true));
        // What is removed may not all have been there.
        let removed = removed(table).filter(|_| !is_made);
        let removed = removed.map(|removed| one(removed, false));
        put.into_iter().chain(removed).collect()
    }

    /// The units that the estimate expects of the calls that have an answer.
    fn expected(&self, workload: &Workload) -> Vec<CallUnits> {
        let mut all: Vec<CallUnits> = Vec::new();
        for (outcome, calls) in &self.called.answered {
            let access = of_outcome(&self.access, *outcome);
            let calls = Exact::from(*calls);
            for one in units_of_call(&access, &self.design, &workload.switches) {
                let units = one.units.map(|units| &units * &calls);
                let same = |other: &&mut CallUnits| {
                    (other.target, other.direction) == (one.target, one.direction)
                };
                match all.iter_mut().find(same) {
                    Some(own) => own.units = own.units.take().zip(units).map(|(a, b)| a + b),
                    None => all.push(CallUnits { units, ..one }),
                }
            }
        }
        all
    }
}

/// The calls of an access pattern that have one outcome.
fn of_outcome(access: &AccessPattern, outcome: CallOutcome) -> AccessPattern {
    let mut access = access.clone();
    match &mut access.call {
        PatternCall::Write {
            condition_failures, ..
        } => *condition_failures = Exact::zero(),
        PatternCall::Transaction {
            cancelled,
            replayed,
            ..
        } => {
            *cancelled = Exact::zero();
            *replayed = match outcome {
                CallOutcome::Repeats => Exact::one(),
                CallOutcome::Succeeds | CallOutcome::Fails => Exact::zero(),
            };
        }
        _ => {}
    }
    access
}

/// Executes the log, and compares.
pub fn results(workload: &Workload, log: &Path, facts: Facts) -> Result<Driven, DriveError> {
    let verification = verified(workload, log)?;
    let called = facts.called.iter();
    let patterns = called
        .map(|one| pattern(workload, one, &verification))
        .collect();
    Ok(Driven {
        endpoint: facts.endpoint,
        region: facts.region,
        account: facts.account,
        tables: facts.tables,
        patterns,
        left_out: facts.left_out,
        left: facts.left,
        lines_that_differ: verification.mismatches,
        lines: verification.checked,
    })
}

fn verified(workload: &Workload, log: &Path) -> Result<Verification, DriveError> {
    let options = ReplayOptions {
        region: Some(workload.region.clone()),
        switches: workload.switches,
        verify: Verify::All,
        ..ReplayOptions::default()
    };
    let reading = ReadOptions {
        kind: Some(TraceFormat::Requests),
        ..ReadOptions::default()
    };
    let trace = Trace::open(vec![FileSource::File(log.to_path_buf())], reading);
    let trace = trace.map_err(crate::replay::ReplayError::from)?;
    let mut run = ReplayRun::new(trace, None, &options)?;
    while run.batch()? {}
    Ok(run.finish().verification().unwrap_or_default())
}

fn pattern(workload: &Workload, called: &CalledPattern, all: &Verification) -> DrivenPattern {
    let table = &called.design.table;
    let access = &called.access;
    let is_own = |of: &VerifiedTarget| of.table == table.name && of.caller == access.name;
    let expected = called.expected(workload);
    let name = |one: &CallUnits| one.target.index().map(|at| table.indexes[at].name.clone());
    let mut places: BTreeSet<(Option<String>, Direction)> = all
        .units
        .keys()
        .filter(|of| is_own(of))
        .map(|of| (of.index.clone(), of.direction))
        .collect();
    places.extend(expected.iter().map(|one| (name(one), one.direction)));
    let units = places.into_iter().map(|(index, direction)| {
        let own = expected
            .iter()
            .find(|one| (name(one), one.direction) == (index.clone(), direction));
        let of = VerifiedTarget {
            table: table.name.clone(),
            caller: access.name.clone(),
            index: index.clone(),
            direction,
        };
        let found = all.units.get(&of).copied().unwrap_or_default();
        DrivenUnits {
            index,
            direction,
            expected: own.map_or(Some(Exact::zero()), |one| one.units.clone()),
            metered: found.metered(),
            consumed: found.stated(),
            because: own.map(|one| one.because.clone()).unwrap_or_default(),
        }
    });
    let first = all.first.iter();
    let mut first = first.filter(|one| one.table == table.name && one.caller == access.name);
    let difference = first.next().map(|one| {
        let values = one.targets.iter();
        let values: Vec<String> = values
            .map(|(of, said, metered)| format!("{of}: {said} stated, {metered} metered"))
            .collect();
        format!(
            "{} of {} ({})",
            values.join(", "),
            one.working,
            one.operation
        )
    });
    let refused = called.called.refused.iter();
    DrivenPattern {
        table: table.name.clone(),
        access: access.name.clone(),
        operation: access.operation,
        is_of_design: called.is_of_design,
        answered: called.called.answered.values().sum(),
        failed: called.called.failed,
        unstated: called.called.unstated,
        refused: refused
            .map(|(code, (calls, message))| RefusedCalls {
                code: code.clone(),
                calls: *calls,
                message: message.clone(),
            })
            .collect(),
        is_certain: called.is_certain,
        units: units.collect(),
        difference,
    }
}
