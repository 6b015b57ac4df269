//! Many tables at a glance: a line for each, the most expensive first, with its capacity mode, how
//! far its provisioned units are used, and the change that saves most.

use std::collections::BTreeSet;

use crate::compare::Comparison;
use crate::estimate::Together;
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::Bound;
use crate::units::Exact;
use crate::usage::Throughput;

/// How the throughput of a table is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetMode {
    /// By the request.
    OnDemand,
    /// By the hour, with fixed units.
    Provisioned,
    /// By the hour, with auto scaling of a table or an index.
    AutoScaled,
}

impl FleetMode {
    /// Its name in outputs.
    pub fn word(self) -> &'static str {
        match self {
            FleetMode::OnDemand => "on-demand",
            FleetMode::Provisioned => "provisioned",
            FleetMode::AutoScaled => "auto scaled",
        }
    }
}

/// The change of a table that saves most.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BestChange {
    /// What to change.
    pub change: String,
    /// What it saves in a month on its own.
    pub saves: Money,
}

/// A table in a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetTable {
    /// The design that it is in.
    pub workload: String,
    /// Its home region.
    pub region: String,
    /// Its name; `None` for charges of the account that belong to no table.
    pub table: Option<String>,
    /// How its throughput is paid for; `None` if it has none.
    pub mode: Option<FleetMode>,
    /// The share of its provisioned read units that is consumed, its indexes and replicas included;
    /// `None` on demand, or if a figure is unknown.
    pub reads_used: Option<Exact>,
    /// The same of writes.
    pub writes_used: Option<Exact>,
    /// What is known of its cost in a month.
    pub monthly: Money,
    /// What is known of that amount.
    pub bound: Bound,
    /// The change that saves most on its own; `None` if none saves anything, or if alternatives were
    /// not compared.
    pub best: Option<BestChange>,
}

/// The tables of one or several designs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fleet {
    /// The tables, the most expensive first; then what belongs to no table.
    pub tables: Vec<FleetTable>,
    /// What all cost together in a month, as far as it is known.
    pub monthly: Money,
    /// What is known of that amount.
    pub bound: Bound,
    /// Whether alternatives were compared, so that a table without a best change has none.
    pub is_compared: bool,
}

impl Fleet {
    /// Whether it has several tables.
    pub fn is_of_several(&self) -> bool {
        let tables = self.tables.iter().filter(|one| one.table.is_some());
        tables.count() > 1
    }
}

/// The tables of the designs of one account.
///
/// # Errors
/// If a sum has more than 28 digits.
pub fn fleet(together: &Together) -> Result<Fleet, MoneyError> {
    let mut tables = Vec::new();
    for outcome in &together.outcomes {
        tables.extend(tables_of(outcome, None)?);
    }
    let unused = &together.unused;
    if let (false, Some(first)) = (unused.lines.is_empty(), together.outcomes.first()) {
        tables.push(FleetTable {
            // What no design uses of the account's commitments belongs to none.
            workload: String::new(),
            region: first.region.clone(),
            table: None,
            mode: None,
            reads_used: None,
            writes_used: None,
            monthly: unused.total()?,
            bound: Bound::Exact,
            best: None,
        });
    }
    ranked(tables, false)
}

/// The tables of designs whose alternatives were compared.
///
/// # Errors
/// If a sum has more than 28 digits.
pub fn compared_fleet(comparisons: &[Comparison]) -> Result<Fleet, MoneyError> {
    let mut tables = Vec::new();
    for comparison in comparisons {
        tables.extend(tables_of(&comparison.outcome, Some(comparison))?);
    }
    ranked(tables, true)
}

fn ranked(mut tables: Vec<FleetTable>, is_compared: bool) -> Result<Fleet, MoneyError> {
    tables.sort_by(|one, other| {
        let is_account = |one: &FleetTable| one.table.is_none();
        let names = (&one.workload, &one.table).cmp(&(&other.workload, &other.table));
        let by_cost = other.monthly.cmp(&one.monthly).then(names);
        is_account(one).cmp(&is_account(other)).then(by_cost)
    });
    let monthly = Money::sum(tables.iter().map(|table| table.monthly))?;
    Ok(Fleet {
        is_compared,
        bound: Bound::of_all(tables.iter().map(|table| table.bound)),
        tables,
        monthly,
    })
}

fn tables_of(
    outcome: &Outcome,
    comparison: Option<&Comparison>,
) -> Result<Vec<FleetTable>, MoneyError> {
    let mut names: Vec<Option<&str>> = outcome.tables.iter().map(|name| Some(&**name)).collect();
    let has_account = outcome.account_lines().next().is_some()
        || outcome
            .bill
            .unknown
            .iter()
            .any(|one| one.subject.table.is_none());
    names.extend(has_account.then_some(None));
    let table = |name: Option<&str>| {
        let lines = outcome.bill.lines.iter();
        let own = lines.filter(|line| line.subject.table.as_deref() == name);
        let unknown = outcome.bill.unknown.iter();
        let unknown = unknown.filter(|one| one.subject.table.as_deref() == name);
        let used = |reads: bool| name.and_then(|name| used(outcome, name, reads));
        let advice = comparison.map_or(&[][..], |one| &one.advice);
        let best = advice.iter().find(|advice| advice.table.as_deref() == name);
        Ok(FleetTable {
            workload: outcome.workload.clone(),
            region: outcome.region.clone(),
            table: name.map(str::to_string),
            mode: name.and_then(|name| mode(outcome, name)),
            reads_used: used(true),
            writes_used: used(false),
            monthly: Money::sum(own.map(|line| line.amount))?,
            bound: Bound::of_total(unknown),
            best: best.filter(|_| name.is_some()).map(|advice| BestChange {
                change: advice.change.clone(),
                saves: advice.saves,
            }),
        })
    };
    names.into_iter().map(table).collect()
}

fn mode(outcome: &Outcome, table: &str) -> Option<FleetMode> {
    let own = outcome.demand.iter().filter(|demand| demand.table == table);
    let modes: BTreeSet<u8> = own
        .map(|demand| match &demand.provisioned {
            None => 0,
            Some(units) if units.fixed().is_some() => 1,
            Some(_) => 2,
        })
        .collect();
    Some(match modes.last()? {
        0 => FleetMode::OnDemand,
        1 => FleetMode::Provisioned,
        _ => FleetMode::AutoScaled,
    })
}

/// The share of the provisioned units that a table consumes.
fn used(outcome: &Outcome, table: &str, reads: bool) -> Option<Exact> {
    let own = outcome
        .demand
        .iter()
        .filter(|demand| demand.table == table && (demand.throughput == Throughput::Read) == reads);
    let (mut consumed, mut provisioned) = (Exact::zero(), Exact::zero());
    for demand in own {
        if demand.partly_unknown {
            return None;
        }
        provisioned = provisioned + demand.provisioned.as_ref()?.mean.clone();
        consumed = consumed + demand.mean.clone();
    }
    (!provisioned.is_zero()).then(|| consumed / provisioned)
}
