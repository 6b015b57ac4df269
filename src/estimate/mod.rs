//! Estimates a workload: its expected operations go through the meter, capacity and prices.
//!
//! ```
//! use std::path::Path;
//! use dynameter::{estimate::estimate, pricing::Books, workload::{self, Setting}};
//!
//! let text = r#"
//! name = "Sessions"
//! region = "us-east-1"
//! prices = "2024-11-01"
//! month_hours = 720
//! [[table]]
//! name = "Sessions"
//! items = 100_000
//! partition_key = { name = "SessionId" }
//! item.size = "0.5 KB"
//! [[table.access]]
//! name = "read a session"
//! operation = "GetItem"
//! rate = { per_day = 10_000_000 }
//! "#;
//! let books = Books::embedded();
//! let workload = workload::load("sessions.toml", text, Path::new("."), &Setting::new(&books))?;
//! let outcome = estimate(&workload, &books)?;
//! // 300 million eventually consistent reads, half a unit each, at $0.125 a million.
//! assert_eq!(outcome.bill.lines[0].amount.to_string(), "18.75");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod calculators;
mod design;
mod expected;
mod features;
mod membership;
mod notes;
mod once;
mod operations;
mod site;
mod throughput;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use crate::capacity::series::Arrivals;
use crate::capacity::{Consumption, Demand, ProvisionedCapacity, Simulations};
use crate::commitments::Commitment;
#[cfg(all(feature = "aws", feature = "replay"))]
use crate::meter::Switches;
use crate::money::{Money, MoneyError};
use crate::outcome::{Calculators, Outcome};
use crate::pricing::{Bill, BookError, Books, PriceBook, Unknown, is_tiered, price};
use crate::table::{Direction, Target};
use crate::time::Date;
use crate::units::Exact;
#[cfg(all(feature = "aws", feature = "replay"))]
use crate::usage::Because;
use crate::usage::{FreeTier, Subject, Usage, UsageType};
#[cfg(all(feature = "aws", feature = "replay"))]
use crate::workload::AccessPattern;
use crate::workload::{Capacity, Entity, PatternCall, Replica, TableDesign, Workload};
pub(crate) use notes::{ITEMS_ALL_MONTH, simulation};
pub use once::{ChangeOnce, once_of_change};
#[cfg(all(feature = "aws", feature = "replay"))]
pub(crate) use operations::changes;

use account::Account;
use expected::{Expected, expect};
use operations::Cases;
use site::{Gap, Settled};
use throughput::Metered;

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// No price book fits.
    #[error(transparent)]
    Book(#[from] BookError),
    /// A figure is too large to be exact.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// What a workload costs in a month.
///
/// # Errors
/// [`EstimateError`] if a region has no price book at the date, or an amount needs more than 28
/// digits.
pub fn estimate(workload: &Workload, books: &Books) -> Result<Outcome, EstimateError> {
    Metering::new(workload, books)?.outcome(books)
}

/// What several workloads of one account cost in a month.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Together {
    /// The outcome of each workload, with its part of the commitments.
    pub outcomes: Vec<Outcome>,
    /// What is paid for commitments that no workload uses. With a single workload, this is part of
    /// its own bill.
    pub unused: Bill,
    /// What is paid up front for commitments. With a single workload, this is part of what it pays
    /// once.
    pub once: Bill,
}

/// Estimates the workloads of an account, which share its commitments: those that the workloads
/// declare, and others.
///
/// # Errors
/// [`EstimateError`] if a region has no price book at the date, or an amount needs more than 28
/// digits.
pub fn estimate_together(
    workloads: &[Workload],
    others: &[Commitment],
    books: &Books,
) -> Result<Together, EstimateError> {
    let meterings = workloads
        .iter()
        .map(|workload| Metering::new(workload, books))
        .collect::<Result<Vec<_>, _>>()?;
    let own = workloads.iter().flat_map(|one| &one.commitments);
    let account = Account::new(&meterings, own.chain(others));
    let outcomes = meterings
        .iter()
        .enumerate()
        .map(|(at, metering)| metering.outcome_in(&account, at, books))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut unused, mut once) = (Bill::default(), Bill::default());
    if account.is_shared() {
        (unused, once) = (account.bills()?.unused, account.paid_up_front()?);
        account.take_discount(&mut once)?;
    }
    Ok(Together {
        outcomes,
        unused,
        once,
    })
}

/// A workload, metered table by table. For a changed workload, only the changed tables are metered
/// again.
#[derive(Clone)]
#[must_use]
pub struct Metering {
    workload: Arc<Workload>,
    books: BTreeMap<String, PriceBook>,
    /// The result of each table, and last of what belongs to no table.
    tables: Vec<Arc<TableResult>>,
    simulations: Arc<Simulations>,
    known: Arc<MeteredTables>,
    /// Whether an outcome says what simple calculators would find.
    asks_calculators: bool,
}

/// Table designs of changed workloads that were metered before, keyed by their memory address. Each
/// design is kept alive, so its address cannot be reused.
type MeteredTables = Mutex<BTreeMap<usize, (Arc<TableDesign>, Arc<TableResult>)>>;

impl Metering {
    /// Meters every table.
    ///
    /// # Errors
    /// [`EstimateError`] if a region has no price book at the date.
    pub fn new(workload: &Workload, books: &Books) -> Result<Metering, EstimateError> {
        Metering::with(Simulations::default(), workload, books)
    }

    /// Meters every table of a workload with given simulations, for example with the demand of a
    /// trace, second by second.
    ///
    /// # Errors
    /// [`EstimateError`] if a region has no price book at the date.
    pub fn with(
        simulations: impl Into<Arc<Simulations>>,
        workload: &Workload,
        books: &Books,
    ) -> Result<Metering, EstimateError> {
        let books = books_of(workload, books)?;
        let simulations = simulations.into();
        let mut tables: Vec<Arc<TableResult>> = workload
            .tables
            .par_iter()
            .map(|table| {
                Arc::new(run(&TableContext {
                    workload,
                    table,
                    simulations: &simulations,
                }))
            })
            .collect();
        tables.extend(design::without_table(workload).map(Arc::new));
        Ok(Metering {
            workload: Arc::new(workload.clone()),
            books,
            tables,
            simulations,
            known: Arc::default(),
            asks_calculators: true,
        })
    }

    /// The same metering, whose outcome does not say what simple calculators would find: that takes as
    /// long as the metering itself.
    pub fn without_calculators(self) -> Metering {
        Metering {
            asks_calculators: false,
            ..self
        }
    }

    /// The same metering, as a base for changed workloads when only their bills are needed.
    pub fn for_bills(&self) -> Metering {
        Metering {
            simulations: Arc::new(self.simulations.for_bills()),
            known: Arc::default(),
            ..self.clone()
        }
    }

    /// Meters a changed workload; unchanged tables keep their results.
    ///
    /// # Errors
    /// [`EstimateError`] if a region has no price book at the date.
    pub fn after(&self, changed: &Workload, books: &Books) -> Result<Metering, EstimateError> {
        let (before, books) = (&self.workload, books_of(changed, books)?);
        let simulations = self.simulations.clone();
        let same = before.region == changed.region
            && before.month == changed.month
            && (before.prices, &before.free) == (changed.prices, &changed.free)
            && before.switches == changed.switches;
        let metered = |table: &TableDesign| {
            Arc::new(run(&TableContext {
                workload: changed,
                table,
                simulations: &simulations,
            }))
        };
        let result = |(at, table): (usize, &Arc<TableDesign>)| match (
            before.tables.get(at),
            self.tables.get(at),
        ) {
            (Some(known), Some(result)) if same && Arc::ptr_eq(known, table) => result.clone(),
            _ if !same => metered(table),
            _ => {
                let key = Arc::as_ptr(table) as usize;
                let known = self
                    .known
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get(&key)
                    .map(|(_, result)| result.clone());
                known.unwrap_or_else(|| {
                    let result = metered(table);
                    self.known
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(key, (table.clone(), result.clone()));
                    result
                })
            }
        };
        let tables = changed.tables.iter().enumerate().map(result);
        let own = design::without_table(changed).map(Arc::new);
        let tables = tables.chain(own).collect();
        let workload = Arc::new(changed.clone());
        Ok(Metering {
            asks_calculators: self.asks_calculators,
            workload,
            books,
            tables,
            simulations,
            known: if same {
                self.known.clone()
            } else {
                Arc::default()
            },
        })
    }

    /// The bill of the metered workload.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn bill(&self) -> Result<Bill, MoneyError> {
        Ok(self.alone().bills()?.of(0))
    }

    /// An account with this workload and its commitments only.
    fn alone(&self) -> Account<'_> {
        Account::new([self], &self.workload.commitments)
    }

    /// The total of the metered workload, and what has no price: the same as in its
    /// [`bill`](Metering::bill), but without lines. The part of the total that belongs to a single
    /// table is cached with it.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn total(&self) -> Result<(Money, Vec<Unknown>), MoneyError> {
        let workload = &self.workload;
        if !workload.commitments.is_empty() {
            // What a table costs then depends on all others.
            let bill = self.bill()?;
            return Ok((bill.total()?, bill.unknown));
        }
        let sums = |table: &Arc<TableResult>| -> Result<Arc<Alone>, MoneyError> {
            match table.alone.get() {
                Some(alone) => Ok(alone.clone()),
                None => {
                    let alone = Alone::of(table, &self.books, &workload.free)?;
                    Ok(table.alone.get_or_init(|| alone).clone())
                }
            }
        };
        let sums = self
            .tables
            .iter()
            .map(sums)
            .collect::<Result<Vec<_>, _>>()?;
        let all = |table: &TableResult, at: &usize| table.usage().nth(*at).cloned();
        let shared: Vec<Usage> = self
            .tables
            .iter()
            .zip(&sums)
            .flat_map(|(table, alone)| alone.shared.iter().filter_map(move |at| all(table, at)))
            .collect();
        let shared = price(&shared, &self.books, &workload.free)?;
        let total = Money::sum(
            sums.iter()
                .map(|alone| alone.total)
                .chain([shared.total()?]),
        )?;
        let unknown = self
            .tables
            .iter()
            .flat_map(|table| table.alone.get())
            .flat_map(|alone| &alone.unknown)
            .cloned();
        Ok((total, unknown.collect()))
    }

    /// Whether a table has the same result as in another metering of a workload with the same
    /// tables.
    pub fn is_same(&self, other: &Metering, table: usize) -> bool {
        matches!((self.tables.get(table), other.tables.get(table)), (Some(one), Some(two)) if Arc::ptr_eq(one, two))
    }

    /// Units a second of each account of a table, by its position.
    pub fn demand_of(&self, table: usize) -> &[Demand] {
        self.tables
            .get(table)
            .map_or(&[], |result| &result.settled.demand)
    }

    /// The cost of usage that is not part of the design.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn price(&self, usage: &[Usage]) -> Result<Money, MoneyError> {
        price(usage, &self.books, &self.workload.free)?.total()
    }

    /// Capacity unit-hours of the bill that AWS's free tier covers, by region and usage type.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if an amount needs more than 28 digits.
    pub fn free_hours(&self) -> Result<BTreeMap<(String, UsageType), Exact>, MoneyError> {
        let mut free: BTreeMap<(String, UsageType), Exact> = BTreeMap::new();
        if !self.workload.free.contains(&FreeTier::Throughput) {
            return Ok(free);
        }
        let month = &self.workload.month;
        let listed = self.listed();
        let usage: Vec<Usage> = listed
            .iter()
            .map(|one| one.usage(month).without_working())
            .collect();
        for line in price(&usage, &self.books, &self.workload.free)?
            .lines
            .iter()
            .filter(|line| line.published.rate.is_zero())
        {
            *free
                .entry((line.subject.region.clone(), line.usage_type.clone()))
                .or_default() += &Exact::from(line.quantity);
        }
        Ok(free)
    }

    /// The metered workload.
    pub fn workload(&self) -> &Workload {
        &self.workload
    }

    /// What the access patterns of a table consume and how much of it is billed, by the table's
    /// position.
    pub fn consumed(&self, table: usize) -> &[Consumption] {
        self.tables
            .get(table)
            .map_or(&[], |result| &result.settled.consumed)
    }

    /// The calls that use the capacity of an account in a region, with the name of its series: of a
    /// table by its position, or of its global index.
    pub fn arrivals(
        &self,
        table: usize,
        target: Target,
        region: &str,
        direction: Direction,
    ) -> (String, Vec<Arrivals>) {
        let design = &self.workload.tables[table];
        let index = design.index_name(target);
        let own = self.consumed(table).iter().filter(|one| {
            one.account.as_deref() == index
                && one.subject.region == region
                && one.throughput.direction() == direction
        });
        let month = &self.workload.month;
        (
            self.simulations
                .drawn()
                .name(&design.table.name, index, region, direction),
            own.map(|one| one.arrivals(month)).collect(),
        )
    }

    /// Provisioned units of all tables that no reservation covers.
    pub fn listed(&self) -> Vec<ProvisionedCapacity> {
        self.alone().listed(0)
    }

    /// Units a second of each account.
    pub fn demand(&self) -> impl Iterator<Item = &Demand> {
        self.tables.iter().flat_map(|result| &result.settled.demand)
    }

    /// The book of a region that the workload names.
    pub fn book(&self, region: &str) -> Option<&PriceBook> {
        self.books.get(region)
    }

    /// The simulations that were run for it.
    pub fn simulations(&self) -> &Simulations {
        &self.simulations
    }

    /// The outcome of the metered workload.
    ///
    /// # Errors
    /// [`EstimateError`] if an amount needs more than 28 digits.
    pub fn outcome(&self, books: &Books) -> Result<Outcome, EstimateError> {
        self.outcome_in(&self.alone(), 0, books)
    }

    /// The outcome as one design of an account.
    fn outcome_in(
        &self,
        account: &Account,
        at: usize,
        books: &Books,
    ) -> Result<Outcome, EstimateError> {
        let workload = self.workload.as_ref();
        let newest = books.span(&workload.region).ok().map(|(_, newest)| newest);
        let (books, metered) = (&self.books, &self.tables);
        let bill = account.bills()?.of(at);
        let total = bill.total()?;
        let calculators = Calculators {
            at_mean_size: match self.asks_calculators {
                true => self
                    .mean_size_total(account, at)?
                    .filter(|mean| total.differs_by_a_percent(*mean)),
                false => None,
            },
            plain_calls: workload
                .tables
                .iter()
                .zip(metered)
                .filter(|(_, result)| {
                    !result
                        .settled
                        .demand
                        .iter()
                        .any(|demand| demand.partly_unknown)
                })
                .flat_map(|(table, result)| calculators::plain_calls(table, &result.settled))
                .collect(),
        };
        let demand: Vec<_> = self.demand().cloned().collect();
        let simulations = &self.simulations;
        let assumptions = notes::assumptions(workload, &bill, date_of(workload, books), newest);
        let warnings = notes::warnings(workload, &demand, &bill, books, simulations)?;
        Ok(Outcome {
            workload: workload.name.clone(),
            region: workload.region.clone(),
            prices: date_of(workload, books),
            newest_prices: newest,
            month: workload.month.clone(),
            // A free tier that no region of the design has does not apply to the design.
            free: workload
                .free
                .iter()
                .copied()
                .filter(|tier| books.values().any(|book| book.gives(*tier)))
                .collect(),
            tables: workload
                .tables
                .iter()
                .map(|table| table.table.name.clone())
                .collect(),
            assumptions: assumptions
                .into_iter()
                .chain(account.assumptions())
                .collect(),
            switches: notes::switches(workload),
            warnings: warnings
                .into_iter()
                .chain(account.warnings(&bill))
                .collect(),
            entities: entities(workload),
            holdings: workload
                .tables
                .iter()
                .flat_map(|table| {
                    features::holdings(&TableContext {
                        workload,
                        table,
                        simulations,
                    })
                })
                .collect(),
            demand,
            once: self.once_in(account)?,
            bill,
            calculators,
            uncertainty: None,
        })
    }

    /// What is paid once: for the design's own calls, and up front for its commitments.
    fn once_in(&self, account: &Account) -> Result<Bill, MoneyError> {
        let own = self.once()?;
        let paid = account.paid_up_front()?;
        let mut bill = match account.is_shared() {
            true => own,
            false => Bill {
                lines: own.lines.into_iter().chain(paid.lines).collect(),
                unknown: own.unknown.into_iter().chain(paid.unknown).collect(),
            },
        };
        account.take_discount(&mut bill)?;
        Ok(bill)
    }

    /// The total with every item at its mean size; `None` if sizes do not vary.
    fn mean_size_total(&self, account: &Account, at: usize) -> Result<Option<Money>, MoneyError> {
        let workload = self.workload.as_ref();
        let at_mean = |table: &Arc<TableDesign>| {
            calculators::at_mean_sizes(table).map(|table| {
                run(&TableContext {
                    workload,
                    table: &table,
                    simulations: &self.simulations,
                })
            })
        };
        let means: Vec<Option<TableResult>> = workload.tables.par_iter().map(at_mean).collect();
        if means.iter().all(Option::is_none) {
            return Ok(None);
        }
        let results = means
            .iter()
            .zip(&self.tables)
            .map(|(mean, exact)| mean.as_ref().unwrap_or(exact))
            .chain(self.tables.iter().skip(means.len()).map(AsRef::as_ref))
            .collect();
        let bills = account.with_results(at, results).bills()?;
        bills.of(at).total().map(Some)
    }
}

/// One table's metered result.
struct TableResult {
    settled: Settled,
    /// The usage of its provisioned capacity, all at the list price.
    capacity: Vec<Usage>,
    features: Vec<Usage>,
    gaps: Vec<Gap>,
    /// Its part of the total, computed when it is first needed.
    alone: OnceLock<Arc<Alone>>,
}

impl TableResult {
    /// Everything that is billed, without any commitment.
    fn usage(&self) -> impl Iterator<Item = &Usage> {
        self.settled
            .requests
            .iter()
            .chain(&self.capacity)
            .chain(&self.features)
    }
}

/// The cost of a table that does not depend on other tables: everything whose price does not depend
/// on the quantity.
struct Alone {
    total: Money,
    /// What has no price.
    unknown: Vec<Unknown>,
    /// Positions of the usage whose tiers all tables share.
    shared: Vec<usize>,
}

impl Alone {
    fn of(
        table: &TableResult,
        books: &BTreeMap<String, PriceBook>,
        free: &BTreeSet<FreeTier>,
    ) -> Result<Arc<Alone>, MoneyError> {
        let (shared, own): (Vec<_>, Vec<_>) = table
            .usage()
            .enumerate()
            .partition(|(_, usage)| is_tiered(usage, books, free));
        let own: Vec<Usage> = own
            .into_iter()
            .map(|(_, usage)| usage.without_working())
            .collect();
        let bill = price(&own, books, free)?;
        let gaps = table
            .gaps
            .iter()
            .filter(|gap| gap.costs)
            .map(|gap| gap.unknown(books));
        let total = bill.total()?;
        let unknown = bill.unknown.into_iter().chain(gaps).collect();
        Ok(Arc::new(Alone {
            total,
            unknown,
            shared: shared.into_iter().map(|(at, _)| at).collect(),
        }))
    }
}

fn run(design: &TableContext) -> TableResult {
    let metered = Metered::new(design);
    let mut settled = metered.settle();
    let mut gaps = std::mem::take(&mut settled.gaps);
    let features = features::features(design, &metered, &mut gaps);
    let month = &design.workload.month;
    TableResult {
        capacity: settled
            .provisioned
            .iter()
            .map(|one| one.usage(month))
            .collect(),
        settled,
        features,
        gaps,
        alone: OnceLock::new(),
    }
}

/// The price book of every region in the workload, all at one date: the given date, or else the
/// newest of the home region.
fn books_of(workload: &Workload, books: &Books) -> Result<BTreeMap<String, PriceBook>, BookError> {
    let home = books.book(&workload.region, workload.prices)?;
    let date = home.date();
    let mut all = BTreeMap::from([(workload.region.clone(), home)]);
    let own = workload.regions();
    let bought = workload.commitments.iter().filter_map(Commitment::region);
    for region in own.iter().map(String::as_str).chain(bought) {
        if !all.contains_key(region) {
            all.insert(region.to_string(), books.book(region, Some(date))?);
        }
    }
    Ok(all)
}

fn date_of(workload: &Workload, books: &BTreeMap<String, PriceBook>) -> Date {
    books[&workload.region].date()
}

/// A table within its workload.
#[derive(Clone, Copy)]
struct TableContext<'a> {
    workload: &'a Workload,
    table: &'a TableDesign,
    simulations: &'a Simulations,
}

impl<'a> TableContext<'a> {
    fn subject(&self, index: Option<&str>, region: &str, access: Option<&str>) -> Subject {
        Subject {
            table: Some(self.table.table.name.clone()),
            index: index.map(str::to_string),
            region: region.to_string(),
            access: access.map(str::to_string),
        }
    }

    /// The replicas that store a copy: all but witnesses.
    fn copies(&self) -> impl Iterator<Item = &'a Replica> {
        self.table
            .replicas
            .iter()
            .filter(|replica| !replica.witness)
    }

    /// Whether a trace has writes made outside the home region.
    fn is_written_elsewhere(&self) -> bool {
        self.table.access.iter().any(
            |access| matches!(&access.call, PatternCall::Traced(traced) if traced.origin.is_some()),
        )
    }

    fn expect(&self, cases: &Cases) -> Expected {
        expect(
            cases,
            &self.table.table,
            &self.table.indexes,
            &self.workload.switches,
            self.table.is_global(),
        )
    }

    /// A gap that depends on the number or the size of the items, which are not known.
    fn gap(&self, region: &str, what: String, usage_type: UsageType) -> Gap {
        if !self.table.entities.is_empty() {
            let is_unsized = |entity: &&Entity| entity.sizes.is_none();
            let names: Vec<&str> = match self.table.is_sized() {
                true => Vec::new(),
                false => {
                    let entities = self.table.entities.iter().filter(is_unsized);
                    entities.map(|entity| entity.name.as_str()).collect()
                }
            };
            let why = match names.as_slice() {
                [] => {
                    "the number of items of an entity is \"unknown\"; give its `items`".to_string()
                }
                names => format!(
                    "the size of the items of {} is \"unknown\"; give `item` of each entity",
                    names.join(", ")
                ),
            };
            return self.gap_because(region, what, usage_type)(&why);
        }
        let why = match (self.table.unknown.items, self.table.is_sized()) {
            (true, true) => "the number of items is \"unknown\"; give `items`",
            (false, _) => "the size of the items is \"unknown\"; give `item`",
            (true, false) => {
                "the number and the size of the items are \"unknown\"; give `items` and `item`"
            }
        };
        self.gap_because(region, what, usage_type)(why)
    }

    /// A gap in a region; the returned function takes the reason.
    fn gap_because(
        &self,
        region: &str,
        what: String,
        usage_type: UsageType,
    ) -> impl FnOnce(&str) -> Gap + use<> {
        let subject = self.subject(None, region, None);
        move |why| Gap {
            unread: None,
            subject,
            what,
            why: why.to_string(),
            usage_type,
            costs: true,
        }
    }

    /// A gap that depends on the size of the entries of the subject's index, which is not known. If capacity is
    /// provisioned, unknown requests hide demand but no cost.
    fn entry_gap(&self, subject: Subject, what: &str, usage_type: UsageType) -> Gap {
        let name = subject.index.as_deref().unwrap_or_default();
        Gap {
            unread: None,
            what: format!("{what} in {name}"),
            why: match subject.access {
                None if self.table.unknown.items => {
                    "the number of items is \"unknown\"; give `items`".to_string()
                }
                _ => "the size of an entry is not given; describe the item by its attributes, or \
                      give the index an entry_size"
                    .to_string(),
            },
            usage_type,
            costs: subject.access.is_none() || self.table.capacity == Capacity::OnDemand,
            subject,
        }
    }
}

/// The entity of each access pattern that is about one.
fn entities(workload: &Workload) -> BTreeMap<(String, String), String> {
    let mut all = BTreeMap::new();
    for table in &workload.tables {
        for access in table.patterns() {
            let reads = access.call.reads().iter().map(|read| read.entity);
            let plans = access.call.plans().iter().map(|(plan, _)| plan.entity);
            let mut own = reads.chain(plans);
            let Some(Some(first)) = own.next() else {
                continue;
            };
            if own.all(|entity| entity == Some(first)) {
                let key = (table.table.name.clone(), access.name.clone());
                all.insert(key, table.entities[first].name.clone());
            }
        }
    }
    all
}

/// What one call of an access pattern consumes on average in the region that serves it.
#[cfg(all(feature = "aws", feature = "replay"))]
#[derive(Clone, Debug)]
pub(crate) struct CallUnits {
    /// The table or the index.
    pub target: Target,
    /// Reads or writes.
    pub direction: Direction,
    /// The units, on average; `None` if they are unknown.
    pub units: Option<Exact>,
    /// The working, with its rules.
    pub because: Vec<Because>,
}

/// What one call of an access pattern consumes on average: of the table and of each index that it
/// uses. DAX answers nothing.
#[cfg(all(feature = "aws", feature = "replay"))]
pub(crate) fn units_of_call(
    access: &AccessPattern,
    design: &TableDesign,
    switches: &Switches,
) -> Vec<CallUnits> {
    let cases = operations::expand(access, design, switches);
    let expected = expect(&cases, &design.table, &design.indexes, switches, false);
    let of = |(target, tallies): (Target, expected::Tallies)| {
        let both = [
            (Direction::Read, tallies.read),
            (Direction::Write, tallies.write),
        ];
        both.map(|(direction, tally)| CallUnits {
            target,
            direction,
            because: tally.because(match direction {
                Direction::Read => "read unit",
                Direction::Write => "write unit",
            }),
            units: Some(tally.units),
        })
    };
    let targets = || Target::all(design.table.indexes.len());
    let known = targets().zip(expected.home).flat_map(of);
    let known = known.filter(|one| one.units.as_ref().is_some_and(|units| !units.is_zero()));
    let unknown = |at: usize, direction| CallUnits {
        target: Target::Index(at),
        direction,
        units: None,
        because: Vec::new(),
    };
    let is_unknown = |at: &usize| operations::writes_unknown_entries(access, *at, &design.table);
    let written = (0..design.table.indexes.len()).filter(is_unknown);
    let written = written.map(|at| unknown(at, Direction::Write));
    let read = cases.unknown_read.map(|at| unknown(at, Direction::Read));
    let unknown: Vec<CallUnits> = written.chain(read).collect();
    let is_known = |one: &CallUnits| {
        let same =
            |other: &CallUnits| (other.target, other.direction) == (one.target, one.direction);
        !unknown.iter().any(same)
    };
    let mut all: Vec<CallUnits> = known.filter(is_known).collect();
    all.extend(unknown);
    all
}
