//! Findings about a design, independent of its limits; each with its cost if it has one.

use super::rules::{FindingRule, RULES, Severity};
use super::{Budget, CheckedDesign, Designs, Place};
use crate::money::{Money, MoneyError};
use crate::table::{ApiName, IndexKind, Projection, limits};
use crate::units::{Exact, GB, KB, MB};
use crate::usage::{Throughput, UsageType};
use crate::workload::{AccessPattern, DesignPart, PatternCall, SizeClasses, TableDesign, Units};

/// A finding about a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static FindingRule,
    /// Its severity.
    pub severity: Severity,
    /// The table.
    pub table: String,
    /// The index.
    pub index: Option<String>,
    /// The access pattern.
    pub access: Option<String>,
    /// What was found.
    pub message: String,
    /// Its monthly cost, if it has one.
    pub monthly: Option<Money>,
    /// The line of the workload file.
    pub place: Place,
}

/// A finding before its severity is known.
struct FoundCost {
    code: &'static str,
    index: Option<String>,
    access: Option<String>,
    message: String,
    monthly: Option<Money>,
    part: DesignPart,
}

/// All findings, the most severe first.
pub(super) fn findings(designs: &Designs, budget: &Budget) -> Result<Vec<Finding>, MoneyError> {
    let mut all = Vec::new();
    for design in &designs.now {
        for table in &design.workload.tables {
            for found in of_table(design, table, budget.production.contains(&table.table.name))? {
                let Some(rule) = RULES.iter().find(|rule| rule.code == found.code) else {
                    continue;
                };
                let severity = budget.lint.get(rule.code).copied().unwrap_or(rule.severity);
                if severity > Severity::Off {
                    all.push(Finding {
                        rule,
                        severity,
                        table: table.table.name.clone(),
                        index: found.index,
                        access: found.access,
                        message: found.message,
                        monthly: found.monthly,
                        place: design.workload.written.place(&found.part),
                    });
                }
            }
        }
    }
    all.sort_by(|one, other| {
        other
            .severity
            .cmp(&one.severity)
            .then_with(|| other.monthly.cmp(&one.monthly))
            .then_with(|| one.place.cmp(&other.place))
    });
    Ok(all)
}

/// What a table, an index or an access pattern costs.
fn cost(
    design: &CheckedDesign,
    table: &str,
    is: impl Fn(&crate::pricing::LineItem) -> bool,
) -> Result<Option<Money>, MoneyError> {
    let lines = design.outcome.lines_of(table).filter(|line| is(line));
    let total = Money::sum(lines.map(|line| line.amount))?;
    Ok((total != Money::ZERO).then_some(total))
}

fn of_table(
    design: &CheckedDesign,
    table: &TableDesign,
    production: bool,
) -> Result<Vec<FoundCost>, MoneyError> {
    let name = &table.table.name;
    let mut all = Vec::new();
    let found = |code, message: String, part| FoundCost {
        code,
        index: None,
        access: None,
        message,
        monthly: None,
        part,
    };
    let patterns: Vec<&AccessPattern> = table
        .access
        .iter()
        .chain(table.replicas.iter().flat_map(|replica| &replica.access))
        .collect();

    for access in &patterns {
        if access.operation == Some(ApiName::Scan) {
            let monthly = cost(design, name, |line| {
                line.subject.access.as_ref() == Some(&access.name)
            })?;
            let message = format!("\"{}\" scans {name}", access.name);
            all.push(FoundCost {
                access: Some(access.name.clone()),
                monthly,
                ..found("scan", message, table.access_part(&access.name))
            });
        }
        let (items, limit, code) = match &access.call {
            PatternCall::Transaction { plans, .. } => (
                plans.iter().map(|(_, count)| *count).sum::<u64>(),
                limits::TRANSACTION_BYTES_MAX,
                "transaction-size",
            ),
            PatternCall::Get { items, .. }
                if access.operation == Some(ApiName::TransactGetItems) =>
            {
                (*items, limits::TRANSACTION_BYTES_MAX, "transaction-size")
            }
            PatternCall::Get { items, .. } if *items > 1 => {
                (*items, limits::BATCH_BYTES_MAX, "batch-size")
            }
            PatternCall::Write { plans, .. } => (
                plans.iter().map(|(_, count)| *count).sum::<u64>(),
                limits::BATCH_BYTES_MAX,
                "batch-size",
            ),
            _ => continue,
        };
        let largest = largest(
            access
                .sizes
                .iter()
                .flat_map(SizeClasses::iter)
                .map(|class| class.item.0),
        );
        if items > 1 && items.saturating_mul(largest) > limit {
            let bytes = Exact::ratio(items.saturating_mul(largest), MB).human(1);
            let message = format!(
                "{items} items of up to {} KB in one call of \"{}\" are up to {bytes} MB",
                Exact::ratio(largest, KB).human(1),
                access.name
            );
            all.push(FoundCost {
                access: Some(access.name.clone()),
                ..found(code, message, table.access_part(&access.name))
            });
        }
    }

    let largest_item = largest(
        table
            .sizes
            .iter()
            .flat_map(SizeClasses::iter)
            .map(|class| class.item.0),
    );
    if largest_item * 4 > limits::ITEM_BYTES_MAX * 3 {
        let message = format!(
            "items of {name} have up to {} KB; the limit is 400 KB",
            Exact::ratio(largest_item, KB).human(1)
        );
        all.push(found("item-size", message, table.part(DesignPart::Item)));
    }

    let local = table
        .table
        .indexes
        .iter()
        .filter(|index| index.kind == IndexKind::Local)
        .count();
    let global = table.table.indexes.len() - local;
    let data = table.held().map_or_else(Exact::zero, |held| held.data);
    if local > 0 && data > Exact::from(limits::ITEM_COLLECTION_BYTES_MAX) {
        let message = format!(
            "{name} holds {} GB and has local indexes: no partition key can have more than 10 GB",
            (&data / &Exact::from(GB)).human(1)
        );
        all.push(found(
            "item-collection",
            message,
            table.part(DesignPart::Table),
        ));
    }
    if local >= limits::LOCAL_INDEXES_MAX || global + 2 >= limits::GLOBAL_INDEXES_MAX {
        all.push(found(
            "index-limit",
            format!(
                "{name} has {local} of {} local and {global} of {} global indexes",
                limits::LOCAL_INDEXES_MAX,
                limits::GLOBAL_INDEXES_MAX
            ),
            table.part(DesignPart::Table),
        ));
    }

    for (at, index) in table.table.indexes.iter().enumerate() {
        let readers: Vec<&&AccessPattern> = patterns
            .iter()
            .filter(|access| table.is_read_by(at, access))
            .collect();
        let monthly = cost(design, name, |line| {
            line.subject.index.as_ref() == Some(&index.name)
        })?;
        let of = |code, message| FoundCost {
            index: Some(index.name.clone()),
            monthly,
            ..found(code, message, table.index_part(at))
        };
        if readers.is_empty() {
            all.push(of(
                "unread-index",
                format!("no access pattern reads {} of {name}", index.name),
            ));
        }
        let fetched = readers
            .iter()
            .all(|access| matches!(access.call, PatternCall::Page { fetches: true, .. }));
        let unwanted = table.unwanted_of(at);
        if index.projection == Projection::All && !readers.is_empty() && fetched {
            all.push(of(
                "wide-projection",
                format!(
                    "{} holds whole items, and all its readers fetch them from {name} again",
                    index.name
                ),
            ));
        } else if !unwanted.is_empty() {
            let bytes: u64 = unwanted.iter().map(|(_, bytes)| bytes).sum();
            let names: Vec<&str> = unwanted.iter().map(|(name, _)| name.as_str()).collect();
            let message = format!(
                "{} holds attributes that none of its readers needs: {}, {bytes} bytes of each \
                 entry",
                index.name,
                names.join(", ")
            );
            all.push(of("wide-projection", message));
        } else if let (Projection::All, true, Some(wanted)) = (
            &index.projection,
            table.attributes.is_empty(),
            table.wanted_of(at),
        ) {
            let message = format!(
                "{} holds whole items, but its readers need only {}",
                index.name,
                wanted.join(", ")
            );
            all.push(of("wide-projection", message));
        }
    }

    for demand in design
        .outcome
        .demand
        .iter()
        .filter(|demand| demand.table == *name)
    {
        let Some(millionths) = table.hottest_millionths(demand.index.as_deref()) else {
            continue;
        };
        let reads = demand.throughput == Throughput::Read;
        let limit = if reads {
            limits::PARTITION_READ_UNITS_MAX
        } else {
            limits::PARTITION_WRITE_UNITS_MAX
        };
        let asked = &demand.peak * &Exact::ratio(millionths, 1_000_000);
        if asked > Exact::from(limit) {
            let direction = if reads { "read" } else { "write" };
            let message = format!(
                "the most popular key of {} needs {} {direction} units a second in the busiest \
                 hour; one partition serves {}",
                demand.place(),
                asked.human(0),
                Exact::from(limit)
            );
            let at = demand.index.as_ref().and_then(|name| {
                table
                    .table
                    .indexes
                    .iter()
                    .position(|index| index.name == *name)
            });
            let part = at.map_or_else(|| table.part(DesignPart::Table), |at| table.index_part(at));
            all.push(FoundCost {
                index: demand.index.clone(),
                ..found("hot-partition", message, part)
            });
        }
    }

    {
        let fixed = |units: &Units| matches!(units, Units::Fixed(_));
        for target in table.accounts() {
            let Some(units) = table.provisioned(target) else {
                continue;
            };
            let part = || {
                target.index().map_or_else(
                    || table.part(DesignPart::Capacity),
                    |at| table.index_part(at),
                )
            };
            let index = table.index_name(target).map(str::to_string);
            let place = index
                .as_ref()
                .map_or_else(|| name.clone(), |index| format!("{name} / {index}"));
            if units.values().all(fixed) {
                let message =
                    format!("neither auto scaling nor a schedule changes the capacity of {place}");
                all.push(FoundCost {
                    index: index.clone(),
                    ..found("no-auto-scaling", message, part())
                });
            }
            let own = design
                .outcome
                .demand
                .iter()
                .filter(|demand| demand.table == *name && demand.index == index);
            for demand in own {
                let short = demand.provisioned.as_ref().filter(|_| demand.is_short());
                if let Some(units) = short {
                    let message = format!(
                        "{}: {} provisioned units, but the busiest hour needs {} a second",
                        demand.place(),
                        units.high,
                        demand.peak.human(1)
                    );
                    all.push(FoundCost {
                        index: index.clone(),
                        ..found("under-provisioned", message, part())
                    });
                }
            }
        }
    }

    const SESSIONS: [&str; 8] = [
        "session",
        "token",
        "cache",
        "otp",
        "nonce",
        "lock",
        "temp",
        "verification",
    ];
    let lower = name.to_lowercase();
    if table.ttl_deletes.is_zero()
        && !table.unknown.ttl_deletes
        && SESSIONS.iter().any(|word| lower.contains(word))
    {
        let monthly = cost(design, name, |line| {
            matches!(line.usage_type, UsageType::Storage(_))
        })?;
        let message = format!("{name} looks like data that expires, but it has no [table.ttl]");
        all.push(FoundCost {
            monthly,
            ..found("no-ttl", message, table.part(DesignPart::Table))
        });
    }
    if production && !table.backup.pitr && !table.unknown.pitr {
        all.push(found(
            "no-pitr",
            format!("{name} is a production table without point-in-time recovery"),
            table.part(DesignPart::Table),
        ));
    }
    Ok(all)
}

fn largest(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.max().unwrap_or(0)
}
