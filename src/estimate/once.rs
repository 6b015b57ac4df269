//! What a design costs once, apart from the month: loads, imports, and what a change of the design
//! causes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::site::Gap;
use super::{EstimateError, Metering, TableContext, TableResult, books_of, run};
use crate::money::MoneyError;
use crate::pricing::{Bill, Books, PriceBook, Unknown, price};
use crate::table::{Direction, IndexKind};
use crate::units::{Exact, GB};
use crate::usage::{Because, Subject, Usage, UsageType};
use crate::workload::{Capacity, TableDesign, Workload};

/// Seconds of an hour: what a unit of provisioned capacity serves in it.
const SECONDS_AN_HOUR: u64 = 3_600;

impl Metering {
    /// What the workload causes once: calls with a rate `once`, and imports.
    ///
    /// A free tier is not applied to it; what is left of one depends on the day.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub(super) fn once(&self) -> Result<Bill, MoneyError> {
        let mut usage = Vec::new();
        let mut unknown = Vec::new();
        for table in &self.workload.tables {
            unknown.extend(warmed(table, &self.workload.region));
            if !is_once(table) {
                continue;
            }
            let context = TableContext {
                workload: &self.workload,
                table,
                simulations: &self.simulations,
            };
            let caused = of_table(&context);
            unknown.extend(caused.gaps.iter().map(|gap| gap.unknown(&self.books)));
            for one in caused.usage {
                match table.capacity {
                    Capacity::Provisioned(_) if one.usage_type.throughput().is_some() => {
                        unknown.push(in_provisioned(&one, &self.books));
                    }
                    _ => usage.push(one),
                }
            }
        }
        let mut bill = price(&usage, &self.books, &Default::default())?;
        bill.unknown.extend(unknown);
        Ok(bill)
    }
}

/// Raised warm throughput: AWS charges it once, at a price that it does not list.
///
/// Source: Developer Guide, "Understanding DynamoDB warm throughput" (rule 6.3).
fn warmed(table: &TableDesign, region: &str) -> impl Iterator<Item = Unknown> {
    let of = move |direction: Direction| {
        let units = Exact::from(table.warm[direction]?);
        Some(Unknown {
            subject: Subject {
                table: Some(table.table.name.clone()),
                index: None,
                region: region.to_string(),
                access: None,
            },
            what: format!(
                "warm throughput of {units} {} units a second",
                direction.word()
            ),
            why: "AWS charges the increase once, and its price list has no price for it; its \
                  console shows the cost before the change"
                .to_string(),
            rate: None,
            quantity: None,
            unread: None,
        })
    };
    Direction::BOTH.into_iter().filter_map(of)
}

/// Whether anything of a table happens once.
fn is_once(table: &TableDesign) -> bool {
    !table.once.is_empty() || table.import.as_ref().is_some_and(|import| import.once)
}

/// Usage that a table causes once, and what is unknown of it.
struct Caused {
    usage: Vec<Usage>,
    gaps: Vec<Gap>,
}

/// The usage of what happens once: that of the table with it, less that of the table without.
fn of_table(context: &TableContext) -> Caused {
    let mut quiet = context.table.clone();
    quiet.access.clear();
    quiet.searches.clear();
    quiet.ttl_deletes = Exact::zero();
    quiet.unknown.ttl_deletes = false;
    for replica in &mut quiet.replicas {
        replica.access.clear();
    }
    // Units that are consumed are billed by request; provisioned units are another matter.
    quiet.capacity = Capacity::OnDemand;
    quiet.on_demand_max = Default::default();
    quiet.import = None;
    let mut busy = quiet.clone();
    busy.access.clone_from(&context.table.once);
    busy.import = context.table.import.clone().filter(|import| import.once);
    if let Some(import) = &mut busy.import {
        import.once = false;
    }
    caused(context, &quiet, &busy)
}

/// What one table design causes more than another.
fn caused(context: &TableContext, quiet: &TableDesign, busy: &TableDesign) -> Caused {
    let result = |table: &TableDesign| run(&TableContext { table, ..*context });
    let (quiet, busy) = (result(quiet), result(busy));
    let mut before: BTreeMap<(Subject, UsageType), Exact> = BTreeMap::new();
    for usage in quiet.usage() {
        let key = (usage.subject.clone(), usage.usage_type.clone());
        *before.entry(key).or_default() += &usage.quantity;
    }
    let more = |usage: &Usage| {
        let key = (usage.subject.clone(), usage.usage_type.clone());
        let quantity = match before.get(&key) {
            Some(before) => &usage.quantity - before,
            None => usage.quantity.clone(),
        };
        (quantity > Exact::zero()).then(|| Usage {
            quantity,
            ..usage.clone()
        })
    };
    Caused {
        usage: busy.usage().filter_map(more).collect(),
        gaps: new_gaps(&quiet, busy),
    }
}

fn new_gaps(quiet: &TableResult, busy: TableResult) -> Vec<Gap> {
    let is_new = |gap: &Gap| {
        let mut known = quiet.gaps.iter();
        !known.any(|one| one.subject == gap.subject && one.what == gap.what)
    };
    busy.gaps
        .into_iter()
        .filter(|gap| gap.costs && is_new(gap))
        .collect()
}

/// Calls on a table with provisioned capacity: what they cost depends on how long capacity is
/// raised for them.
fn in_provisioned(usage: &Usage, books: &BTreeMap<String, PriceBook>) -> Unknown {
    let hours = &usage.quantity / &Exact::from(SECONDS_AN_HOUR);
    let capacity = match &usage.usage_type {
        UsageType::Requests(throughput, class) => UsageType::CapacityHours(*throughput, *class),
        other => other.clone(),
    };
    let (unit, calls) = (capacity.unit(), usage.usage_type.direction());
    let what = match calls {
        Some(Direction::Read) => "reads",
        _ => "writes",
    };
    Unknown {
        subject: usage.subject.clone(),
        what: format!(
            "the capacity for {} {what} that are made once",
            usage.quantity.human(0)
        ),
        why: format!(
            "capacity is provisioned: the calls need {} {unit}s, in addition to what the table \
             uses at the time; what is not free then must be provisioned for them",
            hours.human(2)
        ),
        rate: books
            .get(&usage.subject.region)
            .and_then(|book| book.list_price(&capacity))
            .map(|published| (*published).clone()),
        quantity: Some(hours),
        unread: None,
    }
}

/// What a change of the design causes once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeOnce {
    /// What is billed.
    pub bill: Bill,
    /// What happens without charge.
    pub free: Vec<String>,
}

/// What it costs once to change one design into another: a replica that is added receives a copy of
/// the table; an index that is added is built without charge.
///
/// Source: Developer Guide, "Global tables: billing" (rule 4.9): adding a replica is charged as a
/// restore of the table in the new region, and as transfer to it. Rule 3.11: building a
/// new index is not charged.
///
/// # Errors
/// [`EstimateError`] if a region has no price book at the date, or an amount needs more than 28
/// digits.
pub fn once_of_change(
    before: &Workload,
    after: &Workload,
    books: &Books,
) -> Result<ChangeOnce, EstimateError> {
    let books = books_of(after, books)?;
    let (mut usage, mut unknown, mut free) = (Vec::new(), Vec::new(), Vec::new());
    for table in &after.tables {
        let name = &table.table.name;
        let same = |one: &&Arc<TableDesign>| one.table.name == *name;
        let Some(old) = before.tables.iter().find(same) else {
            continue;
        };
        for index in &table.table.indexes {
            let is_new = old.table.indexes.iter().all(|one| one.name != index.name);
            if is_new && index.kind == IndexKind::Global {
                free.push(format!(
                    "{name}: the index {} is filled without charge; it must be able to take the \
                     writes meanwhile",
                    index.name
                ));
            }
        }
        for replica in &table.replicas {
            let region = &replica.region;
            let had = old.replicas.iter().any(|one| one.region == *region);
            if had || before.region == *region {
                continue;
            }
            let copied = copied(after, table, region);
            usage.extend(copied.usage);
            unknown.extend(copied.gaps.iter().map(|gap| gap.unknown(&books)));
        }
    }
    let mut bill = price(&usage, &books, &Default::default())?;
    bill.unknown.extend(unknown);
    Ok(ChangeOnce { bill, free })
}

/// The copy of a table that a new replica receives.
fn copied(workload: &Workload, table: &TableDesign, region: &str) -> Caused {
    let home = &workload.region;
    let elsewhere = workload
        .clone()
        .with(|contents| contents.region = region.to_string());
    let simulations = Default::default();
    let context = TableContext {
        workload: &elsewhere,
        table,
        simulations: &simulations,
    };
    let mut quiet = table.clone();
    quiet.access.clear();
    quiet.searches.clear();
    quiet.replicas.clear();
    quiet.ttl_deletes = Exact::zero();
    quiet.backup.restores = Exact::zero();
    let mut busy = quiet.clone();
    busy.backup.restores = Exact::one();
    let mut caused = caused(&context, &quiet, &busy);
    for restore in &mut caused.usage {
        let text = format!("adding a replica in {region} is charged as a restore of the table");
        restore.because.push(Because::rule("4.9", text));
    }
    if let Some(held) = table.held() {
        let gigabytes = &held.data / &Exact::from(GB);
        let text = format!(
            "the copy of the table goes to {region}: {} B = {} GB",
            held.data,
            gigabytes.human(9)
        );
        caused.usage.push(Usage {
            subject: Subject {
                table: Some(table.table.name.clone()),
                index: None,
                region: home.clone(),
                access: None,
            },
            usage_type: UsageType::TransferTo(region.to_string()),
            quantity: gigabytes,
            because: vec![Because::rule("4.9", text)],
        });
    }
    caused
}
