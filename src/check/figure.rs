//! The figure of a limit: what is known of it, and what is missing.

use super::{CheckedDesign, Designs, Limit, Measure, Reason, Scope};
use crate::compare::designed_throttles;
use crate::estimate::EstimateError;
use crate::money::Money;
use crate::pricing::{Bill, Books, Bound, Unknown};
use crate::units::Exact;
use crate::usage::{self, Subject, UsageType};
use crate::workload::{Capacity, TableDesign};

/// The value of a limit's figure.
pub(super) struct Figure {
    pub value: Option<Exact>,
    /// Whether the baseline is zero, so that the increase has no percentage.
    pub from_nothing: bool,
    pub missing: Vec<String>,
    /// What decides.
    pub bound: Bound,
    /// Whether a cost is missing whose kind `--allow-unread` accepts, which does not decide.
    pub has_allowed: bool,
    /// What limits the capacity.
    pub reasons: Vec<Reason>,
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
    let UnknownCosts {
        missing,
        included,
        has_allowed,
    } = unknown_costs(limit, designs, &designs.now, "");
    let before_costs = unknown_costs(limit, designs, &designs.before, ", before");
    // What is missing now, or was too much before, can only make an increase larger.
    let known = |value: Exact| Figure {
        value: Some(value),
        from_nothing: false,
        bound: Bound::of(!missing.is_empty(), !included.is_empty()),
        missing: [missing.as_slice(), &included].concat(),
        has_allowed,
        reasons: Vec::new(),
    };
    let more = [missing.as_slice(), &before_costs.included].concat();
    let less = [included.as_slice(), &before_costs.missing].concat();
    let increase = |value: Option<Exact>| Figure {
        from_nothing: value.is_none(),
        value,
        bound: Bound::of(!more.is_empty(), !less.is_empty()),
        missing: [more.as_slice(), &less].concat(),
        has_allowed,
        reasons: Vec::new(),
    };
    Ok(match limit.measure {
        Measure::Monthly => known(now()?),
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
        ),
        // The figures of capacity are found elsewhere.
        Measure::ThrottledShare | Measure::Headroom | Measure::Events => {
            throttled(scope, designs, books)?
        }
    })
}

/// The costs within the scope of a limit that are not known, each with its place.
#[derive(Default)]
struct UnknownCosts {
    /// Those that the bill lacks.
    missing: Vec<String>,
    /// Those that the bill has, perhaps for nothing.
    included: Vec<String>,
    /// Whether `--allow-unread` accepts others.
    has_allowed: bool,
}

/// The costs within a limit's scope that are unknown; `when` is added to their places.
fn unknown_costs(
    limit: &Limit,
    designs: &Designs,
    examined: &[CheckedDesign],
    when: &str,
) -> UnknownCosts {
    // A cost that is unknown before and after in the same way is not part of a change.
    let cancels = |at: usize, unknown: &Unknown| {
        limit.measure == Measure::Increase
            && is_unchanged(designs.now.get(at), designs.before.get(at), unknown)
    };
    let mut costs = UnknownCosts::default();
    for (at, design) in examined.iter().enumerate() {
        for unknown in &design.outcome.bill.unknown {
            let rate = unknown.rate.as_ref();
            let usage = rate.map(|rate| UsageType::of_code(&rate.code));
            let subject = &unknown.subject;
            let is_allowed = unknown
                .unread
                .as_ref()
                .is_some_and(|unread| designs.allowed_unread.contains(&unread.kind));
            if !reaches(&limit.scope, designs, unknown, usage.as_ref()) || cancels(at, unknown) {
                continue;
            }
            if is_allowed {
                costs.has_allowed = true;
                continue;
            }
            let all = match unknown.is_in_the_bill() {
                true => &mut costs.included,
                false => &mut costs.missing,
            };
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
    costs
}

/// Whether an unknown cost may be within the scope of a limit: what was not read may be a part of a
/// table that was, or the table or region that no design has.
fn reaches(scope: &Scope, designs: &Designs, unknown: &Unknown, usage: Option<&UsageType>) -> bool {
    let Some(unread) = unknown
        .unread
        .as_ref()
        .filter(|_| unknown.subject.table.is_none())
    else {
        return scope.holds(&unknown.subject, usage);
    };
    let is_elsewhere = scope
        .table
        .as_ref()
        .is_some_and(|table| !designs.tables().contains(table))
        || scope
            .region
            .as_ref()
            .is_some_and(|region| !designs.regions().contains(region));
    is_elsewhere || unread.kind.reaches_known_tables() || scope.holds(&unknown.subject, usage)
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
        has_allowed: false,
        reasons: Vec::new(),
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
    figure.bound = Bound::of(!figure.missing.is_empty(), false);
    Ok(figure)
}
