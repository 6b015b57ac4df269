//! The budget gate: limits for the cost of designs, and findings about them, checked before a
//! change is merged.
//!
//! If a figure that a limit needs is unknown, the limit never passes: its result is `unknown`, and
//! the check reports what is missing.

mod file;
mod lint;
mod places;
mod rules;

use std::collections::BTreeSet;

pub use crate::diag::Place;
pub use file::{BUDGET_CODES, Budget, budget, budget_schema};
pub use lint::Finding;
pub use rules::{FindingRule, RULES, Severity};

use crate::compare::designed_throttles;
use crate::diff::{Difference, TotalChange, diff};
use crate::estimate::{EstimateError, once_of_change};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{Bill, Books, LineItem, Unknown};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::{self, Subject, UsageType};
use crate::workload::{Capacity, TableDesign, Workload};

/// A design as it was read and estimated.
#[derive(Clone, Debug)]
pub struct CheckedDesign {
    /// The design.
    pub workload: Workload,
    /// What it costs.
    pub outcome: Outcome,
    /// The text of its file.
    pub text: String,
}

/// The designs that are checked, and their baselines.
#[derive(Clone, Debug, Default)]
pub struct Designs {
    /// The current designs.
    pub now: Vec<CheckedDesign>,
    /// The baseline of each design; empty without a baseline.
    pub before: Vec<CheckedDesign>,
    /// What is paid for commitments that none of several designs uses, now.
    pub unused: Bill,
    /// The same for the baselines.
    pub unused_before: Bill,
}

impl Designs {
    fn all(&self) -> impl Iterator<Item = &CheckedDesign> {
        self.now.iter().chain(&self.before)
    }

    /// The names of all tables.
    pub fn tables(&self) -> BTreeSet<String> {
        self.all()
            .flat_map(|design| design.outcome.tables.clone())
            .collect()
    }

    /// The names of the indexes of a table.
    pub fn indexes(&self, table: Option<&str>) -> BTreeSet<String> {
        self.tables_of(table)
            .flat_map(|design| design.table.indexes.iter().map(|index| index.name.clone()))
            .collect()
    }

    /// The names of the access patterns of a table, or of all tables.
    pub fn accesses(&self, table: Option<&str>) -> BTreeSet<String> {
        let of_workload = self
            .tables_of(table)
            .flat_map(|design| design.access.iter().map(|access| access.name.clone()));
        // Access patterns of replicas appear only in the bill.
        let of_bill = self
            .all()
            .flat_map(|design| &design.outcome.bill.lines)
            .filter_map(|line| line.subject.access.clone());
        of_workload.chain(of_bill).collect()
    }

    /// The usage types of all bills.
    pub fn usage_types(&self) -> BTreeSet<String> {
        self.all()
            .flat_map(|design| &design.outcome.bill.lines)
            .map(|line| line.usage_type.name())
            .collect()
    }

    /// The regions in which something is billed.
    pub fn regions(&self) -> BTreeSet<String> {
        let lines = self
            .all()
            .flat_map(|design| &design.outcome.bill.lines)
            .map(|line| line.subject.region.clone());
        lines
            .chain(self.all().map(|design| design.outcome.region.clone()))
            .collect()
    }

    fn tables_of<'a>(
        &'a self,
        table: Option<&'a str>,
    ) -> impl Iterator<Item = &'a crate::workload::TableDesign> {
        let of = move |design: &&std::sync::Arc<crate::workload::TableDesign>| {
            table.is_none_or(|table| design.table.name == table)
        };
        self.all()
            .flat_map(|design| &design.workload.tables)
            .filter(of)
            .map(std::sync::Arc::as_ref)
    }
}

/// What a limit applies to; everything if no field is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The table.
    pub table: Option<String>,
    /// The index.
    pub index: Option<String>,
    /// The access pattern.
    pub access: Option<String>,
    /// The usage type's name.
    pub usage_type: Option<String>,
    /// The region.
    pub region: Option<String>,
}

impl Scope {
    /// Its description.
    pub fn words(&self) -> String {
        let place: Vec<&str> = [&self.table, &self.index]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let place = (!place.is_empty()).then(|| place.join(" / "));
        let access = self.access.as_ref();
        let access = access.map(|access| format!("access pattern \"{access}\""));
        let region = self.region.as_ref().map(|region| format!("in {region}"));
        let parts = [place, access, self.usage_type.clone(), region];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() {
            return "whole design".to_string();
        }
        parts.join(", ")
    }

    fn holds(&self, subject: &Subject, usage_type: Option<&UsageType>) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        same(&self.table, subject.table.as_deref())
            && same(&self.index, subject.index.as_deref())
            && same(&self.access, subject.access.as_deref())
            && same(&self.region, Some(&subject.region))
            && usage_type.is_none_or(|usage_type| same(&self.usage_type, Some(&usage_type.name())))
    }

    fn lines<'a>(
        &'a self,
        designs: &'a [CheckedDesign],
        unused: &'a Bill,
    ) -> impl Iterator<Item = &'a LineItem> {
        designs
            .iter()
            .flat_map(|design| &design.outcome.bill.lines)
            .chain(&unused.lines)
            .filter(|line| self.holds(&line.subject, Some(&line.usage_type)))
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// Dollars a month.
    Monthly,
    /// Dollars a month more than the baseline.
    Increase,
    /// Percent more than the baseline.
    IncreasePercent,
    /// Units a month.
    Units,
    /// The share of the demand that is refused.
    ThrottledShare,
}

impl Measure {
    /// The key of the budget file.
    pub fn word(self) -> &'static str {
        match self {
            Measure::Monthly => "monthly_usd",
            Measure::Increase => "increase_usd",
            Measure::IncreasePercent => "increase_percent",
            Measure::Units => "units",
            Measure::ThrottledShare => "throttled_share",
        }
    }
}

/// Until a given day, exceeding a limit is only a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The last day.
    pub until: Date,
    /// Why.
    pub reason: String,
}

/// One limit of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The name of the limit.
    pub name: String,
    /// Its line in the budget file, from 1.
    pub line: usize,
    /// What it applies to.
    pub scope: Scope,
    /// What is limited.
    pub measure: Measure,
    /// Above it, the check warns.
    pub warn: Option<Exact>,
    /// Above it, the check fails.
    pub fail: Option<Exact>,
    /// An exception that has not expired.
    pub exception: Option<Exception>,
}

/// The result of a limit, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Within the limit.
    Pass,
    /// Above the warning level.
    Warn,
    /// Above the failure level.
    Fail,
    /// A figure that it needs is not known.
    Unknown,
}

impl Status {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
            Status::Unknown => "unknown",
        }
    }
}

/// A line of the bill that contributes to a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause {
    /// What it applies to.
    pub subject: Subject,
    /// The usage type.
    pub usage_type: UsageType,
    /// The home region of its design.
    pub home: String,
    /// The change since the baseline; if nothing has changed, the amount itself.
    pub amount: Money,
    /// Whether it changed.
    pub moved: bool,
    /// Why it changed.
    pub why: Vec<String>,
    /// The line of the workload file behind it.
    pub place: Place,
}

/// The result of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// The limit.
    pub limit: Limit,
    /// The figure that is limited; `None` if it is not known, or if it is a percentage of a
    /// baseline of zero.
    pub figure: Option<Exact>,
    /// Whether the figure is a lower bound: the missing parts can only increase it.
    pub at_least: bool,
    /// The result.
    pub status: Status,
    /// The unknown parts that the figure needs.
    pub missing: Vec<String>,
    /// The lines that contribute to it, the largest first.
    pub causes: Vec<Cause>,
}

/// The result of a check.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Checked {
    /// The budget file.
    pub budget: String,
    /// The workloads.
    pub workloads: Vec<String>,
    /// The month's total of all designs.
    pub total: Money,
    /// The number of unknown costs in them.
    pub unknown: usize,
    /// The total of the baseline.
    pub before: Option<Money>,
    /// Whether something that became known or unknown may have changed the total by any amount.
    pub change_is_unknown: bool,
    /// The result of each limit.
    pub verdicts: Vec<Verdict>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// What changed, design by design.
    pub differences: Vec<Difference>,
}

impl Checked {
    /// The worst of all verdicts and findings.
    pub fn status(&self) -> Status {
        let verdicts = self.verdicts.iter().map(|verdict| verdict.status);
        let findings = self.findings.iter().map(|finding| match finding.severity {
            Severity::Fail => Status::Fail,
            Severity::Warn => Status::Warn,
            Severity::Note | Severity::Off => Status::Pass,
        });
        verdicts.chain(findings).max().unwrap_or(Status::Pass)
    }

    /// What the designs pay once, before and now, where it differs from the baseline; no limit is for
    /// it.
    pub fn once(&self) -> Option<(Money, Money)> {
        let all = self.differences.iter();
        let all: Vec<(Money, Money)> = all
            .filter_map(|one| one.once_of_designs().ok().flatten())
            .collect();
        let sum = |of: fn(&(Money, Money)) -> Money| Money::sum(all.iter().map(of)).ok();
        (!all.is_empty()).then_some((sum(|one| one.0)?, sum(|one| one.1)?))
    }

    /// The number of verdicts with this status.
    pub fn count(&self, status: Status) -> usize {
        self.verdicts
            .iter()
            .filter(|verdict| verdict.status == status)
            .count()
    }
}

/// The maximum number of causes that are reported for each verdict.
const CAUSES: usize = 5;

/// Checks designs against a budget.
///
/// # Errors
/// [`EstimateError`] if a sum has more than 28 digits, or a region has no price book.
pub fn check(designs: &Designs, budget: &Budget, books: &Books) -> Result<Checked, EstimateError> {
    let pairs = designs.before.iter().zip(&designs.now);
    let differences = pairs
        .map(|(before, now)| {
            let once = once_of_change(&before.workload, &now.workload, books)?;
            Ok(diff(&before.outcome, &now.outcome)?.with_once(once))
        })
        .collect::<Result<Vec<_>, EstimateError>>()?;
    let all = Scope::default();
    let total = |checked: &[CheckedDesign], unused: &Bill| {
        Money::sum(all.lines(checked, unused).map(|line| line.amount))
    };
    let verdicts = budget
        .limits
        .iter()
        .map(|limit| verdict(limit, designs, &differences, books))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Checked {
        budget: budget.file.clone(),
        workloads: designs
            .now
            .iter()
            .map(|design| design.workload.written.file.clone())
            .collect(),
        total: total(&designs.now, &designs.unused)?,
        unknown: designs
            .now
            .iter()
            .map(|design| design.outcome.bill.unknown.len())
            .sum(),
        change_is_unknown: differences
            .iter()
            .any(|difference| difference.change() == TotalChange::Unknown),
        before: (!designs.before.is_empty())
            .then(|| total(&designs.before, &designs.unused_before))
            .transpose()?,
        verdicts,
        findings: lint::findings(designs, budget)?,
        differences,
    })
}

/// The value of a limit's figure.
struct Figure {
    value: Option<Exact>,
    /// Whether the baseline is zero, so that the increase has no percentage.
    from_nothing: bool,
    missing: Vec<String>,
    /// Whether it is a lower bound: the missing parts can only increase it. Parts missing in the
    /// baseline can reduce an increase.
    at_least: bool,
}

fn verdict(
    limit: &Limit,
    designs: &Designs,
    differences: &[Difference],
    books: &Books,
) -> Result<Verdict, EstimateError> {
    let Figure {
        value,
        from_nothing,
        missing,
        at_least,
    } = figure(limit, designs, books)?;
    let above = |level: &Option<Exact>| {
        level
            .as_ref()
            .is_some_and(|level| from_nothing || value.as_ref().is_some_and(|value| value > level))
    };
    // If a lower bound is already above the level, the missing parts do not matter.
    let status = match (above(&limit.fail), above(&limit.warn)) {
        _ if !missing.is_empty() && !at_least => Status::Unknown,
        (true, _) if limit.exception.is_some() => Status::Warn,
        (true, _) => Status::Fail,
        _ if !missing.is_empty() => Status::Unknown,
        (_, true) => Status::Warn,
        _ => Status::Pass,
    };
    let causes = if status == Status::Pass {
        Vec::new()
    } else {
        causes(limit, designs, differences)
    };
    Ok(Verdict {
        limit: limit.clone(),
        figure: value,
        at_least,
        status,
        missing,
        causes,
    })
}

fn figure(limit: &Limit, designs: &Designs, books: &Books) -> Result<Figure, EstimateError> {
    let scope = &limit.scope;
    let dollars = |checked: &[CheckedDesign], unused: &Bill| {
        Money::sum(scope.lines(checked, unused).map(|line| line.amount))
            .map(|money| Exact::from(money.decimal()))
    };
    let now = || dollars(&designs.now, &designs.unused);
    let before = || dollars(&designs.before, &designs.unused_before);
    let known = |value: Exact, missing: Vec<String>| Figure {
        value: Some(value),
        from_nothing: false,
        missing,
        at_least: true,
    };
    let (missing, missing_before) = (
        unknown_costs(limit, designs, &designs.now, ""),
        unknown_costs(limit, designs, &designs.before, ", before"),
    );
    let increase = |figure: Figure| Figure {
        at_least: missing_before.is_empty(),
        ..figure
    };
    let both = || [missing.clone(), missing_before.clone()].concat();
    Ok(match limit.measure {
        Measure::Monthly => known(now()?, missing),
        Measure::Increase => increase(known(&now()? - &before()?, both())),
        Measure::IncreasePercent => {
            let (now, before) = (now()?, before()?);
            increase(match (before.is_zero(), now.is_zero()) {
                (true, true) => known(Exact::zero(), both()),
                (true, false) => Figure {
                    value: None,
                    from_nothing: true,
                    missing: both(),
                    at_least: true,
                },
                _ => known(&(&(&now - &before) / &before) * &Exact::from(100), both()),
            })
        }
        Measure::Units => known(
            scope
                .lines(&designs.now, &designs.unused)
                .map(|line| Exact::from(line.quantity))
                .sum(),
            missing,
        ),
        Measure::ThrottledShare => throttled(scope, designs, books)?,
    })
}

/// The costs within a limit's scope that are unknown, each with its place; `when` is added to it.
fn unknown_costs(
    limit: &Limit,
    designs: &Designs,
    examined: &[CheckedDesign],
    when: &str,
) -> Vec<String> {
    // A cost that is unknown before and after in the same way is not part of a change.
    let cancels = |at: usize, unknown: &Unknown| {
        limit.measure == Measure::Increase
            && is_unchanged(designs.now.get(at), designs.before.get(at), unknown)
    };
    let mut all = Vec::new();
    for (at, design) in examined.iter().enumerate() {
        for unknown in &design.outcome.bill.unknown {
            let rate = unknown.rate.as_ref();
            let usage = rate.map(|rate| UsageType::of_code(&rate.code));
            let subject = &unknown.subject;
            if !limit.scope.holds(subject, usage.as_ref()) || cancels(at, unknown) {
                continue;
            }
            let elsewhere = (subject.region != design.outcome.region).then_some(&subject.region);
            let place = usage::place(
                subject.table_name(),
                subject.index.as_deref(),
                elsewhere.map(String::as_str),
            );
            all.push(format!("{place}: {}{when}", unknown.what));
        }
    }
    all
}

/// Whether an unknown cost is the same in the baseline: the same number of units without a price,
/// or, at a known rate, a cost of a table in which only the capacity has changed.
fn is_unchanged(
    now: Option<&CheckedDesign>,
    before: Option<&CheckedDesign>,
    unknown: &Unknown,
) -> bool {
    let (Some(now), Some(before)) = (now, before) else {
        return false;
    };
    let both = [now, before];
    let [count, count_before] = both.map(|design| {
        design
            .outcome
            .bill
            .unknown
            .iter()
            .filter(|one| *one == unknown)
            .count()
    });
    if count != count_before {
        return false;
    }
    // A cost without a rate may have grown.
    let table = |design: &CheckedDesign| {
        let table = design
            .workload
            .tables
            .iter()
            .find(|table| unknown.subject.is_of(&table.table.name))?;
        Some(without_capacity(table))
    };
    let is_alike = || {
        unknown.rate.is_some()
            && now.workload.region == before.workload.region
            && table(now) == table(before)
    };
    unknown.quantity.is_some() || is_alike()
}

/// A table without its capacity.
fn without_capacity(table: &TableDesign) -> TableDesign {
    let mut plain = table.clone();
    plain.capacity = Capacity::OnDemand;
    plain.on_demand_max = Default::default();
    for index in &mut plain.indexes {
        (index.capacity, index.on_demand_max) = Default::default();
    }
    for replica in &mut plain.replicas {
        (replica.read, replica.read_max) = (None, None);
        for index in &mut replica.indexes {
            (index.read, index.read_max) = (None, None);
        }
    }
    plain
}

/// The largest share of an account's demand that is refused.
fn throttled(scope: &Scope, designs: &Designs, books: &Books) -> Result<Figure, EstimateError> {
    let mut figure = Figure {
        value: Some(Exact::zero()),
        from_nothing: false,
        missing: Vec::new(),
        at_least: true,
    };
    for design in &designs.now {
        let simulated = designed_throttles(&design.workload, books)?;
        for demand in &design.outcome.demand {
            let subject = Subject {
                table: Some(demand.table.clone()),
                index: demand.index.clone(),
                region: demand.region.clone(),
                access: None,
            };
            if !scope.holds(&subject, None) {
                continue;
            }
            if demand.partly_unknown {
                figure
                    .missing
                    .push(format!("the demand of {}", demand.place()));
                continue;
            }
            let mut tables = design
                .workload
                .tables
                .iter()
                .filter(|table| table.table.name == demand.table);
            if demand.provisioned.is_none()
                && tables.any(|table| table.capacity != Capacity::OnDemand)
            {
                figure
                    .missing
                    .push(format!("the provisioned units of {}", demand.place()));
                continue;
            }
            let direction = demand.throughput.direction();
            let of = |one: &&crate::compare::Throttles| {
                (&one.table, &one.index, one.direction) == (&demand.table, &demand.index, direction)
            };
            let provisioned = demand
                .provisioned
                .as_ref()
                .and_then(|units| units.throttled.clone());
            let home = demand.region == design.outcome.region;
            let simulated = simulated
                .iter()
                .find(of)
                .filter(|_| home)
                .map(|one| one.share.clone());
            let share = match (provisioned, simulated, &demand.refused, &demand.provisioned) {
                (Some(share), ..) | (None, Some(share), ..) => share,
                (_, _, Some(refused), _) => refused.clone(),
                (_, _, _, None) => Exact::zero(),
                _ => {
                    figure.missing.push(format!(
                        "the share of requests that the provisioned units of {} refuse",
                        demand.place()
                    ));
                    continue;
                }
            };
            figure.value = figure.value.max(Some(share));
        }
    }
    Ok(figure)
}

fn causes(limit: &Limit, designs: &Designs, differences: &[Difference]) -> Vec<Cause> {
    let mut all: Vec<Cause> = Vec::new();
    for ((at, design), difference) in designs.now.iter().enumerate().zip(differences) {
        let moved = difference
            .lines
            .iter()
            .filter(|line| limit.scope.holds(&line.subject, Some(&line.usage_type)));
        all.extend(moved.map(|line| Cause {
            subject: line.subject.clone(),
            usage_type: line.usage_type.clone(),
            home: design.outcome.region.clone(),
            amount: line.delta,
            moved: true,
            why: line.why.clone(),
            place: places::of(design, designs.before.get(at), &line.subject),
        }));
    }
    // If no line has changed, the causes are the lines of the limit itself.
    if all.is_empty() {
        let none = Bill::default();
        for design in &designs.now {
            all.extend(
                limit
                    .scope
                    .lines(std::slice::from_ref(design), &none)
                    .map(|line| Cause {
                        subject: line.subject.clone(),
                        usage_type: line.usage_type.clone(),
                        home: design.outcome.region.clone(),
                        amount: line.amount,
                        moved: false,
                        why: line.because.iter().map(ToString::to_string).collect(),
                        place: places::of(design, None, &line.subject),
                    }),
            );
        }
    }
    all.sort_by(|one, other| {
        other
            .amount
            .cmp(&one.amount)
            .then_with(|| (&one.subject, &one.usage_type).cmp(&(&other.subject, &other.usage_type)))
    });
    all.truncate(CAUSES);
    all
}
