//! The figure of a limit: what is known of it, and what is missing.

use super::{CheckedDesign, Designs, Limit, Measure, Scope};
use crate::compare::designed_throttles;
use crate::estimate::EstimateError;
use crate::money::Money;
use crate::pricing::{Bill, Books, Unknown};
use crate::units::Exact;
use crate::usage::{self, Subject, UsageType};
use crate::workload::{Capacity, TableDesign};

/// What is known of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// The figure.
    Exact,
    /// The figure or more: what is missing can only increase it.
    AtLeast,
    /// The figure or less: only costs of the baseline are missing, which reduce an increase.
    AtMost,
    /// Nothing.
    Unknown,
}

impl Bound {
    /// What is known of a figure that lacks costs of the designs, and of their baselines.
    fn of(missing: &[String], missing_before: &[String]) -> Bound {
        match (missing.is_empty(), missing_before.is_empty()) {
            (true, true) => Bound::Exact,
            (false, true) => Bound::AtLeast,
            (true, false) => Bound::AtMost,
            (false, false) => Bound::Unknown,
        }
    }
}

/// The value of a limit's figure.
pub(super) struct Figure {
    pub value: Option<Exact>,
    /// Whether the baseline is zero, so that the increase has no percentage.
    pub from_nothing: bool,
    pub missing: Vec<String>,
    pub bound: Bound,
}

pub(super) fn figure(
    limit: &Limit,
    designs: &Designs,
    books: &Books,
) -> Result<Figure, EstimateError> {
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
        bound: Bound::of(&missing, &[]),
        missing,
    };
    let (missing, missing_before) = (
        unknown_costs(limit, designs, &designs.now, ""),
        unknown_costs(limit, designs, &designs.before, ", before"),
    );
    let increase = |value: Option<Exact>| Figure {
        from_nothing: value.is_none(),
        value,
        bound: Bound::of(&missing, &missing_before),
        missing: [missing.clone(), missing_before.clone()].concat(),
    };
    Ok(match limit.measure {
        Measure::Monthly => known(now()?, missing),
        Measure::Increase => increase(Some(&now()? - &before()?)),
        Measure::IncreasePercent => {
            let (now, before) = (now()?, before()?);
            increase(match (before.is_zero(), now.is_zero()) {
                (true, true) => Some(Exact::zero()),
                (true, false) => None,
                _ => Some(&(&(&now - &before) / &before) * &Exact::from(100)),
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
            let is_allowed = unknown
                .unread
                .as_ref()
                .is_some_and(|unread| designs.allowed_unread.contains(&unread.kind));
            if is_allowed || !reaches(&limit.scope, unknown, usage.as_ref()) || cancels(at, unknown)
            {
                continue;
            }
            if let (None, Some(unread)) = (&subject.table, &unknown.unread) {
                let place = &unread.place;
                all.push(format!(
                    "{}:{}: {}{when}",
                    place.file, place.line, unknown.what
                ));
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

/// Whether an unknown cost may be within the scope of a limit: what was not read may also be a part
/// of a table that was.
fn reaches(scope: &Scope, unknown: &Unknown, usage: Option<&UsageType>) -> bool {
    let anywhere = unknown.subject.table.is_none()
        && unknown
            .unread
            .as_ref()
            .is_some_and(|unread| unread.kind.reaches_known_tables());
    anywhere || scope.holds(&unknown.subject, usage)
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
            .filter(|one| is_same(one, unknown))
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

/// Whether two costs are the same, wherever they are written.
fn is_same(one: &Unknown, other: &Unknown) -> bool {
    let plain = |unknown: &Unknown| Unknown {
        unread: None,
        ..unknown.clone()
    };
    plain(one) == plain(other)
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
        bound: Bound::Exact,
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
    figure.bound = Bound::of(&figure.missing, &[]);
    Ok(figure)
}
