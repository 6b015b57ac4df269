//! Headroom: how far traffic and data may grow until something throttles or meets a limit, what that
//! is, when growth reaches it, and what an event or the loss of a region does.
//!
//! Demand goes through the same ledger as in an estimate or a replay, at other traffic: see
//! [`Traffic`](crate::capacity::Traffic).

mod account;
mod change;
mod cost;
mod event;
mod limit;
mod months;
mod region;
mod search;
mod table;
mod window;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use change::{Change, ChangeCost, Edit, READY};
pub use event::{Caller, EventAccount, EventOutcome, EventThrottling, Readiness};
pub use limit::{Limit, LimitKind, LimitMonth, Part, UnknownLimit};
pub use region::{
    LostAccount, LostCost, LostRegion, LostTable, LostTableState, LostThrottling, ThrottledUntil,
};
pub use window::CurveMinute;

use crate::capacity::Demand;
use crate::estimate::{EstimateError, Metering};
use crate::pricing::Books;
use crate::table::Direction;
use crate::units::Exact;
use crate::usage;
use crate::workload::Written;
use account::Account;
use months::Calendar;

/// What is asked of a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadroomQuestion {
    /// The share of the demand that may be throttled, in billionths: 1,000 is one in a million.
    pub throttled_billionths: u64,
    /// The region that is lost.
    pub without_region: Option<String>,
    /// The minutes that a trace covers, from 1970 on; `None` for a drawn week.
    pub covered: Option<(i64, i64)>,
    /// The partitions that a trace kept busy.
    pub partitions: Vec<BusyPartitions>,
}

/// What the partitions of a table refused in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusyPartitions {
    /// The table.
    pub table: String,
    /// The region.
    pub region: String,
    /// Read units that they refused.
    pub refused_reads: Exact,
    /// Write units that they refused.
    pub refused_writes: Exact,
}

impl Default for HeadroomQuestion {
    /// One request in a million may be throttled, and no region is lost.
    fn default() -> HeadroomQuestion {
        HeadroomQuestion {
            throttled_billionths: 1_000,
            without_region: None,
            covered: None,
            partitions: Vec::new(),
        }
    }
}

/// The hottest key of an account direction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HottestKey {
    /// Its share of the demand.
    pub share: Exact,
    /// The key, if a trace names it.
    pub key: Option<String>,
}

impl HottestKey {
    /// A key of a trace, with its share of the demand.
    pub fn new(key: String, share: Exact) -> HottestKey {
        HottestKey {
            share,
            key: Some(key),
        }
    }
}

/// The hottest keys of account directions, by [`account_name`](crate::capacity::series::account_name).
pub type HottestKeys = BTreeMap<String, HottestKey>;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadroomError {
    /// The design cannot be estimated.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
    /// The region is not one of the design's.
    #[error("no table of the design is in {region:?}\nhelp: the design is in {}", .known.join(", "))]
    NoRegion {
        /// The region that was asked for.
        region: String,
        /// The regions of the design.
        known: Vec<String>,
    },
    /// An event does not begin in the time that the trace covers.
    #[error(
        "{file}:{line}: the event {event:?} is not in the time of the trace\nhelp: give it a date and \
         a time in the trace, or remove --trace to simulate a week of the file's rates"
    )]
    OutsideTheTrace {
        /// The workload file.
        file: String,
        /// The line of the event.
        line: usize,
        /// Its name.
        event: String,
    },
}

/// How far a design is from its limits.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct Headroom {
    /// The name of the design.
    pub workload: String,
    /// Where it was written.
    pub written: Written,
    /// Its home region.
    pub region: String,
    /// The share of the demand that may be throttled.
    pub throttled: Exact,
    /// Each part of the design: reads and writes of each table and index in each region, items, DAX
    /// clusters, streams, and the account.
    pub accounts: Vec<AccountHeadroom>,
    /// What the events of the file do.
    pub events: Vec<EventOutcome>,
    /// What the loss of a region does, if one was named.
    pub lost: Option<LostRegion>,
    /// What breaks a rule of AWS at any traffic.
    pub warnings: Vec<String>,
    /// What was assumed.
    pub assumptions: Vec<String>,
}

/// How far a part of a design is from its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountHeadroom {
    /// The table; `None` for all tables of the account.
    pub table: Option<String>,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Which part.
    pub part: Part,
    /// The units a second of the busiest minute; `None` for what has no units, or if a part of its
    /// demand is not known.
    pub busiest: Option<Exact>,
    /// What limits it, the first limit first.
    pub limits: Vec<Limit>,
    /// Limits whose factor is not known; they may come before the others.
    pub unknown: Vec<UnknownLimit>,
    /// What to change, for each limit that comes before twice the traffic.
    pub changes: Vec<Change>,
}

impl AccountHeadroom {
    /// The limit that comes first; `None` if there is none up to a million times the traffic.
    pub fn first(&self) -> Option<&Limit> {
        self.limits.first()
    }

    /// The factor of the first limit.
    pub fn factor(&self) -> Option<&Exact> {
        self.first().map(|limit| &limit.factor)
    }

    /// The limit behind the first.
    pub fn next(&self) -> Option<&Limit> {
        self.limits.get(1)
    }

    /// Whether a limit that is not known may come first.
    pub fn is_upper_bound(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// The first limit beyond which something fails: see [`Limit::is_decisive`].
    pub fn decisive(&self) -> Option<&Limit> {
        self.limits
            .iter()
            .find(|limit| limit.is_decisive(self.part))
    }

    /// Table, index and region, for output; the region only if it is not `home`.
    pub fn place(&self, home: &str) -> String {
        let elsewhere = (self.region != home).then_some(self.region.as_str());
        match &self.table {
            Some(table) => usage::place(table, self.index.as_deref(), elsewhere),
            None => format!("account in {}", self.region),
        }
    }
}

impl Headroom {
    /// The part of the design that meets a limit first, with that limit.
    pub fn tightest(&self) -> Option<(&AccountHeadroom, &Limit)> {
        let decisive = self.accounts.iter();
        decisive
            .filter_map(|one| Some((one, one.decisive()?)))
            .min_by(|one, other| one.1.factor.cmp(&other.1.factor))
    }

    /// The parts that have a limit or an unknown one, the lowest factor first.
    pub fn first_to_break(&self) -> Vec<&AccountHeadroom> {
        let mut all: Vec<&AccountHeadroom> = self
            .accounts
            .iter()
            .filter(|one| one.factor().is_some() || one.is_upper_bound())
            .collect();
        all.sort_by(|one, other| {
            let key = |one: &AccountHeadroom| (one.factor().is_none(), one.factor().cloned());
            key(one).cmp(&key(other))
        });
        all
    }
}

/// Whether all hold: not if one does not, and not known if that of one is not known.
fn all_hold(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for one in each {
        match one {
            Some(false) => return Some(false),
            None => all = None,
            Some(true) => {}
        }
    }
    all
}

/// A table or an index, with its region if that is not `home`, and a direction.
fn place_of(
    (table, index): (&str, Option<&str>),
    region: &str,
    direction: Direction,
    home: &str,
) -> String {
    let elsewhere = (region != home).then_some(region);
    let place = usage::place(table, index, elsewhere);
    format!("{place} {}s", direction.word())
}

/// How far a metered design is from its limits. `keys` are the hottest keys of a trace.
///
/// # Errors
/// [`HeadroomError`] if a changed design cannot be estimated, a region is not one of the design's, or
/// an event is not in the trace.
pub fn headroom(
    metering: &Metering,
    books: &Books,
    keys: &HottestKeys,
    question: &HeadroomQuestion,
) -> Result<Headroom, HeadroomError> {
    let workload = metering.workload();
    let limit = question.throttled_billionths;
    let demands: Vec<(usize, &Demand)> = (0..workload.tables.len())
        .flat_map(|at| metering.demand_of(at).iter().map(move |one| (at, one)))
        .collect();
    let simulated: Vec<(usize, Option<Account>)> = demands
        .par_iter()
        .map(|(at, demand)| (*at, Account::of(metering, *at, demand, keys, limit)))
        .collect();
    let mut accounts: Vec<AccountHeadroom> = simulated
        .par_iter()
        .zip(&demands)
        .map(|((_, account), (_, demand))| of_account(demand, account.as_ref()))
        .collect();
    for account in &mut accounts {
        account.unknown.extend(busy_partitions(account, question));
    }
    table::back_pressure(&mut accounts);
    let own: Vec<Account> = simulated.into_iter().filter_map(|(_, one)| one).collect();
    let changes = change::Changes::new(metering, books)?;
    accounts.par_iter_mut().try_for_each(|account| {
        account.changes = changes.of(account, &own)?;
        Ok::<(), HeadroomError>(())
    })?;
    for (at, table) in workload.tables.iter().enumerate() {
        let parts = table::parts(metering, table);
        let last = accounts
            .iter()
            .rposition(|one| one.table.as_deref() == Some(&table.table.name));
        let place = last.map_or(accounts.len(), |last| last + 1);
        for mut part in parts.into_iter().rev() {
            part.changes = changes.of_table(&part, at)?;
            accounts.insert(place, part);
        }
    }
    accounts.extend(table::account_quotas(metering));
    let calendar = Calendar {
        first: metering.book(&workload.region).map(|book| book.date()),
    };
    for account in &mut accounts {
        let named = |name: &String| workload.tables.iter().find(|one| one.table.name == *name);
        let table = account.table.as_ref().and_then(named);
        for limit in &mut account.limits {
            limit.month = calendar.reaches(table.map(AsRef::as_ref), limit);
        }
    }
    let events = event::all(metering, &changes, &own, question)?;
    let lost = match &question.without_region {
        Some(region) => Some(region::without(metering, &changes, &own, region)?),
        None => None,
    };
    Ok(Headroom {
        workload: workload.name.clone(),
        written: workload.written.clone(),
        region: workload.region.clone(),
        throttled: Exact::ratio(limit, 1_000_000_000),
        warnings: table::crowded_streams(metering),
        assumptions: assumptions(metering, &own, &accounts, question),
        accounts,
        events,
        lost,
    })
}

/// One direction of an account, without what other accounts do to it.
fn of_account(demand: &Demand, account: Option<&Account>) -> AccountHeadroom {
    let mut own = AccountHeadroom {
        table: Some(demand.table.clone()),
        index: demand.index.clone(),
        region: demand.region.clone(),
        part: Part::from(demand.throughput.direction()),
        busiest: (!demand.partly_unknown).then(Exact::zero),
        limits: Vec::new(),
        unknown: Vec::new(),
        changes: Vec::new(),
    };
    if demand.partly_unknown {
        own.unknown.push(UnknownLimit {
            kind: LimitKind::Demand,
            why: "a part of its demand is not known".to_string(),
        });
    }
    if let Some(account) = account {
        let (limits, unknown) = account.limits();
        own.busiest = (!demand.partly_unknown).then(|| search::expected(account.busiest()));
        own.limits = limits;
        own.unknown.extend(unknown);
        own.limits.sort_by(Limit::order);
    }
    own
}

/// Partitions that refused requests in the trace already: how they would divide other traffic is not
/// known.
fn busy_partitions(own: &AccountHeadroom, question: &HeadroomQuestion) -> Option<UnknownLimit> {
    let busy = question
        .partitions
        .iter()
        .find(|one| own.table.as_ref() == Some(&one.table) && own.region == one.region)?;
    let refused = match own.part {
        Part::Reads => &busy.refused_reads,
        Part::Writes => &busy.refused_writes,
        Part::Items | Part::Dax | Part::Stream => return None,
    };
    (own.index.is_none() && !refused.is_zero()).then(|| UnknownLimit {
        kind: LimitKind::Partitions,
        why: format!(
            "partitions refused {} units in the trace already; `replay` shows when, and of which keys",
            refused.human(1)
        ),
    })
}

/// What was assumed, as far as it matters for this design.
fn assumptions(
    metering: &Metering,
    own: &[Account],
    accounts: &[AccountHeadroom],
    question: &HeadroomQuestion,
) -> Vec<String> {
    let share = Exact::ratio(question.throttled_billionths, 1_000_000_000);
    let mut all = vec![format!(
        "a limit is reached when more than {} of the demand is throttled",
        share.human(9)
    )];
    match own.first().map(|one| one.traffic.is_traced()) {
        Some(true) => {
            let (first, last) = question.covered.unwrap_or_default();
            all.push(format!(
                "traffic is that of the trace, which covers {} minutes; at a factor of 2, each of its \
                 calls comes twice at the same time",
                Exact::from(last.abs_diff(first))
            ));
        }
        _ => all.extend(crate::estimate::simulation(
            metering.workload(),
            metering.simulations().horizon(),
        )),
    }
    let has = |kind: LimitKind| {
        let mut limits = accounts.iter().flat_map(|one| &one.limits);
        limits.any(|limit| limit.kind == kind)
    };
    let workload = metering.workload();
    if has(LimitKind::HotKey) || has(LimitKind::Partition) {
        all.push(
            "the calls of the hottest key come evenly within a minute and go to one partition; with a \
             sort key and no local index, DynamoDB may divide its items and serve more"
                .into(),
        );
    }
    if has(LimitKind::InitialCapacity) || has(LimitKind::Doubling) {
        all.push(
            "on-demand tables have served the traffic of the design before, and their peak is that \
             of their busiest minute"
                .into(),
        );
    }
    if has(LimitKind::ItemCollection) || has(LimitKind::Partitions) {
        all.push("the most popular key has as large a share of the items as of the calls".into());
    }
    if has(LimitKind::AccountQuota) {
        all.push(
            "the account has no other provisioned tables in these regions, and provisioned units grow \
             with traffic"
                .into(),
        );
    }
    if has(LimitKind::StreamReaders) {
        all.push("a record of a stream holds the item before and after its change".into());
    }
    if workload.retries.is_some()
        && (!workload.events.is_empty() || question.without_region.is_some())
    {
        all.push(
            "factors do not repeat throttled requests; events and the loss of a region repeat them as \
             `retries` says: in the next second at the earliest, with a random wait spread evenly over \
             its seconds, and no client uses up the retry quota of its SDK"
                .into(),
        );
    }
    all
}
