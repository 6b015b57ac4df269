//! Findings about a design, independent of its limits; each with its cost if it has one.

use std::collections::BTreeMap;

use super::rules::{FindingRule, RULES, Severity};
use super::{Budget, CheckedDesign, Designs, Place};
use crate::capacity::Demand;
use crate::money::{Money, MoneyError};
use crate::pricing::LineItem;
use crate::table::{ApiName, IndexKind, Projection, limits};
use crate::units::{Exact, GB, KB, MB};
use crate::usage::{Throughput, UsageType};
use crate::workload::{AccessPattern, DesignPart, PatternCall, SizeClasses, TableDesign, Units};

/// A finding about a design.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
        let mut lines: BTreeMap<&str, Vec<&LineItem>> = BTreeMap::new();
        for line in &design.outcome.bill.lines {
            let own = lines.entry(line.subject.table_name()).or_default();
            own.push(line);
        }
        for table in &design.workload.tables {
            let name = &table.table.name;
            let production = budget.production.contains(name);
            let own = lines.remove(name.as_str()).unwrap_or_default();
            for found in LintedTable::of(design, table, own).findings(production)? {
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

impl FoundCost {
    fn new(code: &'static str, message: impl Into<String>, part: DesignPart) -> FoundCost {
        FoundCost {
            code,
            index: None,
            access: None,
            message: message.into(),
            monthly: None,
            part,
        }
    }
}

/// Words in the names of tables whose items usually expire.
const EXPIRING: [&str; 8] = [
    "session",
    "token",
    "cache",
    "otp",
    "nonce",
    "lock",
    "temp",
    "verification",
];

/// A table that is examined.
struct LintedTable<'a> {
    design: &'a CheckedDesign,
    table: &'a TableDesign,
    /// The access patterns of the table and of its replicas.
    patterns: Vec<&'a AccessPattern>,
    /// Its lines of the bill.
    lines: Vec<&'a LineItem>,
}

impl<'a> LintedTable<'a> {
    fn of(
        design: &'a CheckedDesign,
        table: &'a TableDesign,
        lines: Vec<&'a LineItem>,
    ) -> LintedTable<'a> {
        let replicas = table.replicas.iter().flat_map(|replica| &replica.access);
        LintedTable {
            design,
            table,
            patterns: table.access.iter().chain(replicas).collect(),
            lines,
        }
    }

    fn name(&self) -> &'a str {
        &self.table.table.name
    }

    fn findings(&self, production: bool) -> Result<Vec<FoundCost>, MoneyError> {
        let mut all = Vec::new();
        for access in &self.patterns {
            all.extend(self.scan(access)?);
            all.extend(self.size_of_call(access));
        }
        all.extend(self.item_size());
        all.extend(self.item_collection());
        all.extend(self.index_limit());
        for at in 0..self.table.table.indexes.len() {
            all.extend(self.index(at)?);
        }
        all.extend(self.hot_partitions());
        all.extend(self.provisioned());
        all.extend(self.no_ttl()?);
        all.extend(self.no_pitr().filter(|_| production));
        Ok(all)
    }

    /// What the lines of this table cost that are of one kind; `None` for nothing.
    fn cost(&self, is: impl Fn(&LineItem) -> bool) -> Result<Option<Money>, MoneyError> {
        let lines = self.lines.iter().filter(|line| is(line));
        let total = Money::sum(lines.map(|line| line.amount))?;
        Ok((total != Money::ZERO).then_some(total))
    }

    fn scan(&self, access: &AccessPattern) -> Result<Option<FoundCost>, MoneyError> {
        if access.operation != Some(ApiName::Scan) {
            return Ok(None);
        }
        let message = format!("\"{}\" scans {}", access.name, self.name());
        Ok(Some(FoundCost {
            access: Some(access.name.clone()),
            monthly: self.cost(|line| line.subject.access.as_ref() == Some(&access.name))?,
            ..FoundCost::new("scan", message, self.table.access_part(&access.name))
        }))
    }

    /// A batch or a transaction that can exceed the size of a call.
    fn size_of_call(&self, access: &AccessPattern) -> Option<FoundCost> {
        let items = access.call.most_items();
        let (limit, code) = match &access.call {
            PatternCall::Transaction { .. } => (limits::TRANSACTION_BYTES_MAX, "transaction-size"),
            PatternCall::Get { .. } if access.operation == Some(ApiName::TransactGetItems) => {
                (limits::TRANSACTION_BYTES_MAX, "transaction-size")
            }
            PatternCall::Get { .. } | PatternCall::Write { .. } => {
                (limits::BATCH_BYTES_MAX, "batch-size")
            }
            _ => return None,
        };
        let largest = largest(access.sizes.as_ref());
        if items <= 1 || items.saturating_mul(largest) <= limit {
            return None;
        }
        let message = format!(
            "{items} items of up to {} KB in one call of \"{}\" are up to {} MB",
            Exact::ratio(largest, KB).human(1),
            access.name,
            Exact::ratio(items.saturating_mul(largest), MB).human(1)
        );
        Some(FoundCost {
            access: Some(access.name.clone()),
            ..FoundCost::new(code, message, self.table.access_part(&access.name))
        })
    }

    fn item_size(&self) -> Option<FoundCost> {
        let largest = largest(self.table.sizes.as_ref());
        (largest * 4 > limits::ITEM_BYTES_MAX * 3).then(|| {
            let message = format!(
                "items of {} have up to {} KB; the limit is 400 KB",
                self.name(),
                Exact::ratio(largest, KB).human(1)
            );
            FoundCost::new("item-size", message, self.table.part(DesignPart::Item))
        })
    }

    fn local_indexes(&self) -> usize {
        let indexes = self.table.table.indexes.iter();
        indexes
            .filter(|index| index.kind == IndexKind::Local)
            .count()
    }

    fn item_collection(&self) -> Option<FoundCost> {
        let data = self.table.held().map_or_else(Exact::zero, |held| held.data);
        let limit = Exact::from(limits::ITEM_COLLECTION_BYTES_MAX);
        (self.local_indexes() > 0 && data > limit).then(|| {
            let message = format!(
                "{} holds {} GB and has local indexes: no partition key can have more than 10 GB",
                self.name(),
                (&data / &Exact::from(GB)).human(1)
            );
            FoundCost::new(
                "item-collection",
                message,
                self.table.part(DesignPart::Table),
            )
        })
    }

    fn index_limit(&self) -> Option<FoundCost> {
        let local = self.local_indexes();
        let global = self.table.table.indexes.len() - local;
        (local >= limits::LOCAL_INDEXES_MAX || global + 2 >= limits::GLOBAL_INDEXES_MAX).then(
            || {
                let message = format!(
                    "{} has {local} of {} local and {global} of {} global indexes",
                    self.name(),
                    limits::LOCAL_INDEXES_MAX,
                    limits::GLOBAL_INDEXES_MAX
                );
                FoundCost::new("index-limit", message, self.table.part(DesignPart::Table))
            },
        )
    }

    /// An index that nothing reads, or that holds more than its readers need.
    fn index(&self, at: usize) -> Result<Vec<FoundCost>, MoneyError> {
        let index = &self.table.table.indexes[at];
        let readers: Vec<_> = self
            .patterns
            .iter()
            .filter(|access| self.table.is_read_by(at, access))
            .collect();
        let monthly = self.cost(|line| line.subject.index.as_ref() == Some(&index.name))?;
        let found = |code, message| FoundCost {
            index: Some(index.name.clone()),
            monthly,
            ..FoundCost::new(code, message, self.table.index_part(at))
        };
        let mut all = Vec::new();
        if readers.is_empty() {
            let message = format!("no access pattern reads {} of {}", index.name, self.name());
            all.push(found("unread-index", message));
        }
        let fetched = !readers.is_empty()
            && readers
                .iter()
                .all(|access| matches!(access.call, PatternCall::Page { fetches: true, .. }));
        let wide = self.wide_projection(at, fetched);
        all.extend(wide.map(|message| found("wide-projection", message)));
        Ok(all)
    }

    /// What an index holds that its readers do not need; `fetched` if all of them read the items
    /// again from the table.
    fn wide_projection(&self, at: usize, fetched: bool) -> Option<String> {
        let index = &self.table.table.indexes[at];
        let unwanted = self.table.unwanted_of(at);
        if index.projection == Projection::All && fetched {
            return Some(format!(
                "{} holds whole items, and all its readers fetch them from {} again",
                index.name,
                self.name()
            ));
        }
        if !unwanted.is_empty() {
            let bytes: u64 = unwanted.iter().map(|(_, bytes)| bytes).sum();
            let names: Vec<&str> = unwanted.iter().map(|(name, _)| name.as_str()).collect();
            return Some(format!(
                "{} holds attributes that none of its readers needs: {}, {bytes} bytes of each \
                 entry",
                index.name,
                names.join(", ")
            ));
        }
        let whole = index.projection == Projection::All && self.table.attributes.is_empty();
        let wanted = self.table.wanted_of(at).filter(|_| whole)?;
        Some(format!(
            "{} holds whole items, but its readers need only {}",
            index.name,
            wanted.join(", ")
        ))
    }

    fn demand(&self) -> impl Iterator<Item = &'a Demand> {
        let name = self.name();
        let all = self.design.outcome.demand.iter();
        all.filter(move |demand| demand.table == name)
    }

    fn hot_partitions(&self) -> Vec<FoundCost> {
        self.demand()
            .filter_map(|demand| self.hot_partition(demand))
            .collect()
    }

    fn hot_partition(&self, demand: &Demand) -> Option<FoundCost> {
        let table = self.table;
        let millionths = table.hottest_millionths(demand.index.as_deref())?;
        let (limit, direction) = match demand.throughput {
            Throughput::Read => (limits::PARTITION_READ_UNITS_MAX, "read"),
            _ => (limits::PARTITION_WRITE_UNITS_MAX, "write"),
        };
        let millionths = millionths[demand.throughput.direction()];
        let asked = &demand.peak * &Exact::ratio(millionths, 1_000_000);
        if asked <= Exact::from(limit) {
            return None;
        }
        let message = format!(
            "the most popular key of {} needs {} {direction} units a second in the busiest hour; \
             one partition serves {}",
            demand.place(),
            asked.human(0),
            Exact::from(limit)
        );
        let at = demand.index.as_ref().and_then(|name| {
            let indexes = &table.table.indexes;
            indexes.iter().position(|index| index.name == *name)
        });
        let part = at.map_or_else(|| table.part(DesignPart::Table), |at| table.index_part(at));
        Some(FoundCost {
            index: demand.index.clone(),
            ..FoundCost::new("hot-partition", message, part)
        })
    }

    /// Provisioned capacity that nothing changes, or that is below its demand.
    fn provisioned(&self) -> Vec<FoundCost> {
        let table = self.table;
        let mut all = Vec::new();
        for target in table.accounts() {
            let Some(units) = table.provisioned(target) else {
                continue;
            };
            let index = table.index_name(target).map(str::to_string);
            let part = || match target.index() {
                None => table.part(DesignPart::Capacity),
                Some(at) => table.index_part(at),
            };
            let found = |code, message| FoundCost {
                index: index.clone(),
                ..FoundCost::new(code, message, part())
            };
            if units.values().all(|units| matches!(units, Units::Fixed(_))) {
                let place = match &index {
                    None => self.name().to_string(),
                    Some(index) => format!("{} / {index}", self.name()),
                };
                let message =
                    format!("neither auto scaling nor a schedule changes the capacity of {place}");
                all.push(found("no-auto-scaling", message));
            }
            let short = self
                .demand()
                .filter(|demand| demand.index == index && demand.is_short());
            for (demand, units) in
                short.filter_map(|demand| Some((demand, demand.provisioned.as_ref()?)))
            {
                let message = format!(
                    "{}: {} provisioned units, but the busiest hour needs {} a second",
                    demand.place(),
                    units.high,
                    demand.peak.human(1)
                );
                all.push(found("under-provisioned", message));
            }
        }
        all
    }

    fn no_ttl(&self) -> Result<Option<FoundCost>, MoneyError> {
        let table = self.table;
        let lower = self.name().to_lowercase();
        let expires = EXPIRING.iter().any(|word| lower.contains(word));
        if !expires || !table.ttl_deletes.is_zero() || table.unknown.ttl_deletes {
            return Ok(None);
        }
        let message = format!(
            "{} looks like data that expires, but it has no [table.ttl]",
            self.name()
        );
        Ok(Some(FoundCost {
            monthly: self.cost(|line| matches!(line.usage_type, UsageType::Storage(_)))?,
            ..FoundCost::new("no-ttl", message, table.part(DesignPart::Table))
        }))
    }

    fn no_pitr(&self) -> Option<FoundCost> {
        let table = self.table;
        (table.backup.pitr == Some(false)).then(|| {
            let message = format!(
                "{} is a production table without point-in-time recovery",
                self.name()
            );
            FoundCost::new("no-pitr", message, table.part(DesignPart::Table))
        })
    }
}

/// The bytes of the largest item; 0 if no size is known.
fn largest(sizes: Option<&SizeClasses>) -> u64 {
    let classes = sizes.into_iter().flat_map(SizeClasses::iter);
    classes.map(|class| class.item.0).max().unwrap_or(0)
}
