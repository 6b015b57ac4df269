//! What about a design should be looked at, whatever it costs; each with its cost where it has one.

use super::{Budget, CheckedDesign, Designs, Place};
use crate::money::{Money, MoneyError};
use crate::table::{ApiName, IndexKind, Projection, limits};
use crate::units::{Exact, GB, KB, MB};
use crate::usage::{Throughput, UsageType};
use crate::workload::{AccessPattern, DesignPart, PatternCall, SizeClasses, TableDesign, Units};

/// How strictly a finding is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is not looked for.
    Off,
    /// It is told.
    Note,
    /// It is a warning.
    Warn,
    /// It fails the check.
    Fail,
}

impl Severity {
    /// Every one, the mildest first.
    pub const ALL: [Severity; 4] = [
        Severity::Off,
        Severity::Note,
        Severity::Warn,
        Severity::Fail,
    ];

    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Off => "off",
            Severity::Note => "note",
            Severity::Warn => "warn",
            Severity::Fail => "fail",
        }
    }
}

/// Something that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingRule {
    /// Its stable name; the page in the docs has it as its heading.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it matters and what to do, with its source.
    pub why: &'static str,
    /// How strictly it is taken where the budget says nothing.
    pub severity: Severity,
}

/// Everything that is looked for.
pub const RULES: &[FindingRule] = &[
    FindingRule {
        code: "scan",
        title: "a Scan in an access pattern",
        why: "A Scan reads and bills the whole table or index each time, whatever a filter lets \
              through. Query by a key, or keep an index for the question. Source: Developer \
              Guide, \"Best practices for querying and scanning data\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "unread-index",
        title: "an index that no access pattern reads",
        why: "Every write that changes an entry pays for the index, and its storage is billed, \
              read or not. Remove it, or name the access pattern that reads it.",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "wide-projection",
        title: "a projection wider than any query needs",
        why: "What an index holds is written and stored again: with projection \"all\" each entry \
              is as large as its item. It is found where every access pattern that reads the \
              index names the `attributes` that it wants, and the index holds others; or where it \
              holds whole items, and all its readers fetch them from the table again. Project \
              what queries return. The cost named is that of the whole index; `compare` prices \
              the narrower ones. Source: Developer Guide, \"Attribute projections\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "hot-partition",
        title: "a partition key that is asked for more than one partition serves",
        why: "One partition serves 3,000 read units and 1,000 write units a second, whatever the \
              table has; a key of few values, such as a status, soon asks for more, and an index \
              that cannot follow throttles the writes of its table. It is judged by `popularity`, \
              of the table and of each index: how many keys there are (`keys = 5`), and how \
              unevenly they are asked for (`zipf = 0` is even). Spread the key over several, or \
              cache its reads. Source: Developer Guide, \"Burst and adaptive capacity\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "no-auto-scaling",
        title: "provisioned capacity that never changes",
        why: "Fixed units are paid for at night and refuse what is above them by day. Let auto \
              scaling or a schedule move them, or see what `dynameter compare` says of on demand.",
        severity: Severity::Note,
    },
    FindingRule {
        code: "under-provisioned",
        title: "provisioned units below the demand of the busiest hour",
        why: "What is above the units is refused once the burst of five minutes is spent. Raise \
              the units or let them move.",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "no-ttl",
        title: "a table that looks like sessions, tokens or a cache, without Time to Live",
        why: "Items that nobody deletes are stored and backed up for ever; deletions by Time to \
              Live cost nothing. Source: Developer Guide, \"Using time to live\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "no-pitr",
        title: "a production table without point-in-time recovery",
        why: "The budget names the table as production: a mistake that nobody sees at once is \
              lost for good. Source: Developer Guide, \"Point-in-time backups\".",
        severity: Severity::Fail,
    },
    FindingRule {
        code: "item-size",
        title: "items near the limit of 400 KB",
        why: "An item above 400 KB cannot be written, and each write of a large one costs a unit \
              a KB. Keep large attributes in S3, or split the item. Source: Developer Guide, \
              \"Service, account, and table quotas\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "item-collection",
        title: "a table with local indexes and more data than an item collection may hold",
        why: "With a local index all items of one partition key, their entries included, may hold \
              10 GB at most; then writes fail. Make sure that no key gets there, or use a global \
              index. Source: Developer Guide, \"Item collections\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "index-limit",
        title: "as many indexes as a table may have, or nearly",
        why: "A table has 5 local indexes at most, which cannot be added later, and 20 global \
              ones by default. Source: Developer Guide, \"Service, account, and table quotas\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "transaction-size",
        title: "a transaction whose items may exceed 4 MB",
        why: "A transaction holds 100 actions and 4 MB at most, and each item counts with its \
              size. Source: Developer Guide, \"Amazon DynamoDB Transactions\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "batch-size",
        title: "a batch whose items may exceed 16 MB",
        why: "A batch holds 16 MB at most; what is beyond comes back as unprocessed and is asked \
              for again. Source: Developer Guide, API limits of BatchGetItem and BatchWriteItem.",
        severity: Severity::Note,
    },
];

/// Something that should be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static FindingRule,
    /// How strictly it is taken.
    pub severity: Severity,
    /// The table.
    pub table: String,
    /// The index.
    pub index: Option<String>,
    /// The access pattern.
    pub access: Option<String>,
    /// What was found.
    pub message: String,
    /// What it costs in a month, where it has a cost.
    pub monthly: Option<Money>,
    /// The line of the workload file.
    pub place: Place,
}

/// A finding before it is known how strictly it is taken.
struct FoundCost {
    code: &'static str,
    index: Option<String>,
    access: Option<String>,
    message: String,
    monthly: Option<Money>,
    part: DesignPart,
}

/// Everything that is found, the strictest first.
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
            "items of {name} have up to {} KB of 400",
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
            "{name} holds {} GB and has local indexes: no partition key may hold more than 10",
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
                "{} holds what none of its readers wants: {}, {bytes} bytes of an entry",
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
                "{} holds whole items, of which its readers want {}",
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
                "the hottest key of {} is asked for {} {direction} units a second in the busiest \
                 hour, its partition serves {}",
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
                    format!("neither auto scaling nor a schedule moves the capacity of {place}");
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
                        "{}: {} units for {} a second in the busiest hour",
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
        let message = format!(
            "{name} looks like something that ends, and nothing of it does: no [table.ttl]"
        );
        all.push(FoundCost {
            monthly,
            ..found("no-ttl", message, table.part(DesignPart::Table))
        });
    }
    if production && !table.backup.pitr && !table.unknown.pitr {
        all.push(found(
            "no-pitr",
            format!("{name} is production and has no point-in-time recovery"),
            table.part(DesignPart::Table),
        ));
    }
    Ok(all)
}

fn largest(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.max().unwrap_or(0)
}
