//! The budget gate: limits for the cost of designs, and findings about them, checked before a
//! change is merged.
//!
//! If a figure that a limit needs is unknown, the limit never passes: its result is `unknown`, and
//! the check reports what is missing.

mod figure;
mod file;
mod headroom;
mod lint;
mod places;
mod rules;

use std::collections::BTreeSet;

pub use crate::diag::Place;
pub use file::{
    BUDGET_CODES, BUDGET_TEMPLATE, Budget, BudgetSetting, SkippedLimit, budget, budget_schema,
};
pub use lint::Finding;
pub use rules::{FindingRule, RULES, Severity};

use crate::diff::{Difference, TotalChange, diff};
use crate::estimate::{EstimateError, once_of_change};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{Bill, Books, Bound, LineItem};
use crate::time::Date;
use crate::units::Exact;
use crate::unread::{Unread, UnreadKind};
use crate::usage::{Subject, UsageType};
use crate::workload::Workload;
use figure::{Figure, figure};

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
    /// The kinds of unread costs that `--allow-unread` accepts: they do not make a
    /// limit unknown.
    pub allowed_unread: BTreeSet<UnreadKind>,
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
    /// The factor of today's traffic up to which it holds; the levels are the least that is allowed.
    Headroom,
    /// How many events of the design do not hold.
    Events,
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
            Measure::Headroom => "headroom",
            Measure::Events => "events",
        }
    }

    /// Whether the levels are the least that is allowed, and not the most.
    pub fn is_least(self) -> bool {
        self == Measure::Headroom
    }

    /// Whether it is about the capacity of a design, and not about its bill.
    pub fn is_of_capacity(self) -> bool {
        matches!(self, Measure::Headroom | Measure::Events)
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
    /// Above it, the check warns; of a measure that [`is_least`](Measure::is_least), below it.
    pub warn: Option<Exact>,
    /// Above it, the check fails; of a measure that [`is_least`](Measure::is_least), below it.
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
    /// What is known of the figure.
    pub bound: Bound,
    /// The result.
    pub status: Status,
    /// The unknown parts that the figure needs.
    pub missing: Vec<String>,
    /// The lines that contribute to it, the largest first.
    pub causes: Vec<Cause>,
    /// For a measure of capacity: what limits it, the tightest first.
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// The place of the workload file behind it; `None` if there is none.
    pub fn place(&self) -> Option<&Place> {
        let causes = self.causes.iter().map(|cause| &cause.place);
        causes
            .chain(self.reasons.iter().map(|reason| &reason.place))
            .next()
    }
}

/// What limits the capacity of a design.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// What it is, in a sentence.
    pub what: String,
    /// The line of the workload file behind it.
    pub place: Place,
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
    /// What is known of the total.
    pub bound: Bound,
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
    /// What the current designs contain or point to that was not read.
    pub unread: Vec<NotRead>,
    /// The limits that are not checked in this run.
    pub skipped: Vec<SkippedLimit>,
}

/// A part of a design that was not read, so that its cost is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotRead {
    /// The table that it belongs to; `None` for the whole design.
    pub table: Option<String>,
    /// What it is.
    pub what: String,
    /// Why it was not read, and what to do.
    pub why: String,
    /// Its kind and its place.
    pub unread: Unread,
    /// Whether `--allow-unread` accepts its kind, so that it does not make a limit unknown.
    pub is_allowed: bool,
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

    /// Every place in the result, to be replaced by a better one.
    pub fn places_mut(&mut self) -> impl Iterator<Item = &mut Place> {
        let findings = self.findings.iter_mut().map(|one| &mut one.place);
        let unread = self.unread.iter_mut().map(|one| &mut one.unread.place);
        let reasons = self.verdicts.iter_mut();
        let (mut of_causes, mut of_reasons) = (Vec::new(), Vec::new());
        for verdict in reasons {
            of_causes.extend(verdict.causes.iter_mut().map(|one| &mut one.place));
            of_reasons.extend(verdict.reasons.iter_mut().map(|one| &mut one.place));
        }
        of_causes
            .into_iter()
            .chain(of_reasons)
            .chain(findings)
            .chain(unread)
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
    let capacity = headroom::of(designs, budget, books);
    let verdicts = budget
        .limits
        .iter()
        .map(|limit| {
            let figure = match limit.measure.is_of_capacity() {
                true => headroom::figure(limit, designs, &capacity),
                false => figure(limit, designs, books)?,
            };
            Ok(verdict(limit, figure, designs, &differences))
        })
        .collect::<Result<Vec<_>, EstimateError>>()?;
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
        bound: designs
            .now
            .iter()
            .map(|design| design.outcome.bill.bound())
            .fold(Bound::Exact, Bound::and),
        change_is_unknown: differences
            .iter()
            .any(|difference| difference.change() == TotalChange::Unknown),
        before: (!designs.before.is_empty())
            .then(|| total(&designs.before, &designs.unused_before))
            .transpose()?,
        verdicts,
        findings: lint::findings(designs, budget)?,
        differences,
        unread: not_read(designs),
        skipped: budget.skipped.clone(),
    })
}

/// What the current designs could not read.
fn not_read(designs: &Designs) -> Vec<NotRead> {
    let unknown = designs.now.iter().flat_map(|one| &one.outcome.bill.unknown);
    let not_read = unknown.filter_map(|one| {
        let unread = one.unread.clone()?;
        Some(NotRead {
            table: one.subject.table.clone(),
            what: one.what.clone(),
            why: one.why.clone(),
            is_allowed: designs.allowed_unread.contains(&unread.kind),
            unread,
        })
    });
    not_read.collect()
}

fn verdict(
    limit: &Limit,
    figure: Figure,
    designs: &Designs,
    differences: &[Difference],
) -> Verdict {
    let Figure {
        value,
        from_nothing,
        missing,
        bound,
        has_allowed,
        reasons,
    } = figure;
    let is_least = limit.measure.is_least();
    let beyond = |level: &Option<Exact>| {
        level.as_ref().is_some_and(|level| {
            let is_beyond = |value: &Exact| match is_least {
                true => value < level,
                false => value > level,
            };
            from_nothing || value.as_ref().is_some_and(is_beyond)
        })
    };
    // A figure that is at least so much is certainly above a level, and one that is at most so much
    // is certainly below one.
    let side = match (bound, is_least) {
        (Bound::AtLeast, true) => Bound::AtMost,
        (Bound::AtMost, true) => Bound::AtLeast,
        (bound, _) => bound,
    };
    // A lower bound above the level decides, and so does an upper bound below it: what is missing
    // does not matter then.
    let status = match (side, beyond(&limit.fail), beyond(&limit.warn)) {
        (Bound::Unknown, ..) | (Bound::AtMost, true, _) => Status::Unknown,
        (_, true, _) if limit.exception.is_some() => Status::Warn,
        (_, true, _) => Status::Fail,
        (Bound::AtLeast, false, _) => Status::Unknown,
        (_, false, true) => Status::Warn,
        _ => Status::Pass,
    };
    let causes = if status == Status::Pass || limit.measure.is_of_capacity() {
        Vec::new()
    } else {
        causes(limit, designs, differences)
    };
    Verdict {
        limit: limit.clone(),
        figure: value,
        // What is accepted is still missing from the figure.
        bound: match bound {
            Bound::Exact if has_allowed => Bound::AtLeast,
            Bound::AtMost if has_allowed => Bound::Unknown,
            bound => bound,
        },
        reasons: match status {
            Status::Pass => Vec::new(),
            _ => reasons,
        },
        status,
        missing,
        causes,
    }
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
