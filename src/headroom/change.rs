//! What to change so that a part of a design holds twice its traffic, and what that costs.

use std::sync::Arc;

use super::account::Account;
use super::limit::{Limit, LimitKind, Part};
use super::{AccountHeadroom, HeadroomError};
use crate::capacity::{Scaling, Steps, Traffic};
use crate::dax::NODE_TYPES;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::pricing::Books;
use crate::table::{ByDirection, Direction, Target, limits};
use crate::units::Exact;
use crate::workload::{Capacity, DesignPart, TableDesign, Units, Workload};

/// The factor of today's traffic that a change makes room for.
pub const READY: u64 = 2;

/// A change that makes room for twice the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// What to do.
    pub what: String,
    /// What to write in the workload file; empty if that does not say it.
    pub edits: Vec<Edit>,
    /// What it costs.
    pub cost: ChangeCost,
}

/// What to write in the workload file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// The line of the part to change, from 1: of a capacity, an index or a replica.
    pub line: usize,
    /// The keys, as TOML.
    pub text: String,
}

/// What a change costs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangeCost {
    /// The difference of the month's total.
    Monthly(Money),
    /// What is paid once.
    Once(Money),
    /// Not known; why.
    Unknown(String),
}

impl ChangeCost {
    /// What is paid once, if its price is known.
    pub(super) fn of_once(cost: Option<Money>) -> ChangeCost {
        cost.map_or_else(
            || ChangeCost::Unknown("the price book lacks a price".to_string()),
            ChangeCost::Once,
        )
    }

    /// The amount, if it is known.
    pub fn amount(&self) -> Option<Money> {
        match self {
            ChangeCost::Monthly(amount) | ChangeCost::Once(amount) => Some(*amount),
            ChangeCost::Unknown(_) => None,
        }
    }

    /// The cheapest first, and what is not known last.
    pub(super) fn order(&self) -> (bool, Option<Money>) {
        (self.amount().is_none(), self.amount())
    }
}

/// Finds changes and prices them.
pub(super) struct Changes<'a> {
    metering: Metering,
    books: &'a Books,
    total: Money,
}

impl<'a> Changes<'a> {
    pub fn new(metering: &Metering, books: &'a Books) -> Result<Changes<'a>, HeadroomError> {
        let metering = metering.for_bills();
        let (total, _) = metering.total().map_err(EstimateError::from)?;
        Ok(Changes {
            metering,
            books,
            total,
        })
    }

    fn workload(&self) -> &Workload {
        self.metering.workload()
    }

    /// The cost of a changed table.
    fn cost(
        &self,
        table: usize,
        change: impl FnOnce(&mut TableDesign),
    ) -> Result<ChangeCost, HeadroomError> {
        let changed = self
            .workload()
            .clone()
            .with(|contents| change(Arc::make_mut(&mut contents.tables[table])));
        let after = self.metering.after(&changed, self.books)?;
        let (total, unknown) = after.total().map_err(EstimateError::from)?;
        let (_, before) = self.metering.total().map_err(EstimateError::from)?;
        if let Some(missing) = unknown.iter().find(|one| !before.contains(one)) {
            return Ok(ChangeCost::Unknown(missing.what.clone()));
        }
        let delta = total.minus(self.total).map_err(EstimateError::from)?;
        Ok(ChangeCost::Monthly(delta))
    }

    /// What to change so that an account direction holds twice its traffic: for each limit that comes
    /// before that.
    pub fn of(
        &self,
        headroom: &AccountHeadroom,
        own: &[Account],
    ) -> Result<Vec<Change>, HeadroomError> {
        let mut all: Vec<Change> = Vec::new();
        for limit in tight(headroom) {
            let index = match limit.kind {
                LimitKind::IndexBackPressure => &limit.index,
                _ => &headroom.index,
            };
            let is_it = |one: &&Account| {
                Some(&one.demand.table) == headroom.table.as_ref()
                    && one.demand.index == *index
                    && one.demand.region == headroom.region
                    && Part::from(one.direction) == headroom.part
            };
            let Some(account) = own.iter().find(is_it) else {
                continue;
            };
            let change = self.of_limit(account, limit)?;
            // Several limits may need the same units.
            all.extend(change.filter(|change| !all.contains(change)));
        }
        Ok(all)
    }

    fn of_limit(&self, account: &Account, limit: &Limit) -> Result<Option<Change>, HeadroomError> {
        Ok(Some(match limit.kind {
            LimitKind::HotKey | LimitKind::Partition => spread(&limit.factor),
            LimitKind::TableQuota => Change {
                what: "ask AWS to raise the quota of the table (Service Quotas)".to_string(),
                edits: Vec::new(),
                cost: ChangeCost::Monthly(Money::ZERO),
            },
            LimitKind::InitialCapacity | LimitKind::Doubling | LimitKind::WarmThroughput => {
                let units = self.needed(account);
                warm(self.workload(), account, units.unwrap_or(u64::MAX))
            }
            LimitKind::MaximumThroughput => {
                let most = self.needed(account).unwrap_or(u64::MAX);
                self.maximum(account, most)?
            }
            LimitKind::Schedule => Change {
                what: format!(
                    "raise what the schedule of {} provides at the busiest time to {} {}",
                    account.name(),
                    self.needed(account).map_or_else(
                        || "more".to_string(),
                        |units| { Exact::from(units).to_string() }
                    ),
                    account.unit_name()
                ),
                edits: Vec::new(),
                cost: ChangeCost::Unknown("it depends on the hours that are raised".to_string()),
            },
            _ => return self.units(account),
        }))
    }

    /// The least units for twice the traffic.
    fn needed(&self, account: &Account) -> Option<u64> {
        account.units_for(READY as f64)
    }

    /// More provisioned units.
    fn units(&self, account: &Account) -> Result<Option<Change>, HeadroomError> {
        let Some(units) = self.needed(account) else {
            return Ok(None);
        };
        let words = format!(" for {READY} times the traffic");
        self.provide(account, units, &words).map(Some)
    }

    fn provide(&self, account: &Account, units: u64, why: &str) -> Result<Change, HeadroomError> {
        let what = format!(
            "provide {} {}{why}{}",
            Exact::from(units),
            account.unit_name(),
            beyond_quota(units)
        );
        if account.has_schedule() {
            // The actions of its schedule set the bounds again.
            return Ok(Change {
                what: format!("{what}: raise the actions of its schedule"),
                edits: Vec::new(),
                cost: ChangeCost::Unknown("it depends on the hours that are raised".to_string()),
            });
        }
        Ok(Change {
            what,
            edits: vec![edit_of(
                self.workload(),
                account,
                raised_text(account, units),
            )],
            cost: self.cost_of_minimum(account.table, &[(account, units)])?,
        })
    }

    /// What it costs to have at least some units all the time.
    pub fn cost_of_minimum(
        &self,
        table: usize,
        needed: &[(&Account, u64)],
    ) -> Result<ChangeCost, HeadroomError> {
        self.cost(table, |table| {
            for (account, units) in needed {
                set_units(table, account, raised(account, *units));
            }
        })
    }

    /// What to change so that an account direction serves another demand at once.
    pub fn for_demand(
        &self,
        account: &Account,
        demand: &Traffic,
    ) -> Result<Option<Change>, HeadroomError> {
        let unit = demand.series().unit() as f64;
        let guess = (demand.highest_mean() / unit).ceil() as u64;
        let Some(units) = account.units_for_demand(&**demand.series(), guess) else {
            return Ok(None);
        };
        match account.design.capacity {
            Capacity::OnDemand => self.on_demand(account, units).map(Some),
            Capacity::Provisioned(_) => self.provide(account, units, "").map(Some),
        }
    }

    /// More that an on-demand account serves at once: a higher maximum throughput, or warm throughput.
    pub fn on_demand(&self, account: &Account, units: u64) -> Result<Change, HeadroomError> {
        match account.maximum().filter(|most| *most < units) {
            Some(_) => self.maximum(account, units),
            None => Ok(warm(self.workload(), account, units)),
        }
    }

    /// A higher maximum throughput.
    pub fn maximum(&self, account: &Account, most: u64) -> Result<Change, HeadroomError> {
        let what = format!(
            "raise the maximum throughput of {} to {} {} a second{}",
            account.name(),
            Exact::from(most),
            account.unit_name(),
            beyond_quota(most)
        );
        let text = format!("max_{} = {most}", account.direction.word());
        Ok(Change {
            what,
            edits: vec![edit_of(self.workload(), account, text)],
            cost: self.cost(account.table, |table| set_maximum(table, account, most))?,
        })
    }

    /// What to change in a table's cluster or stream.
    pub fn of_table(
        &self,
        headroom: &AccountHeadroom,
        table: usize,
    ) -> Result<Vec<Change>, HeadroomError> {
        let design = &self.workload().tables[table];
        let mut all = Vec::new();
        for limit in tight(headroom) {
            all.extend(self.of_part(design, table, limit)?);
        }
        Ok(all)
    }

    fn of_part(
        &self,
        design: &TableDesign,
        table: usize,
        limit: &Limit,
    ) -> Result<Option<Change>, HeadroomError> {
        let text = |what: &str| Change {
            what: what.to_string(),
            edits: Vec::new(),
            cost: ChangeCost::Unknown(APPLICATION.to_string()),
        };
        Ok(Some(match limit.kind {
            LimitKind::DaxRequests => return self.nodes(design, table),
            LimitKind::StreamReaders => {
                text("read each shard with one reader that passes the records on to the others")
            }
            LimitKind::ItemCollection => text(
                "spread the items of a key over several keys, or replace the local indexes by global \
                 ones",
            ),
            LimitKind::ItemSize => {
                text("split the items, compress them, or keep large attributes in Amazon S3")
            }
            _ => return Ok(None),
        }))
    }

    /// More nodes of a DAX cluster, or larger ones.
    fn nodes(&self, design: &TableDesign, table: usize) -> Result<Option<Change>, HeadroomError> {
        let Some(dax) = &design.dax else {
            return Ok(None);
        };
        let Some(ratio) = dax.hit_ratio.known() else {
            return Ok(None);
        };
        let load = design.dax_load(&self.workload().month, ratio);
        let enough = |requests: u64, nodes: u64| {
            let used = &load.normalized(nodes) * &Exact::from(READY);
            used <= Exact::from(requests * nodes)
        };
        let same = NODE_TYPES.iter().filter(|node| node.name == dax.node_type);
        let larger = NODE_TYPES.iter();
        let found = same.chain(larger).find_map(|node| {
            (dax.nodes..=limits::DAX_NODES_MAX)
                .find(|nodes| enough(node.requests, *nodes))
                .map(|nodes| (node.name, nodes))
        });
        let Some((name, nodes)) = found else {
            return Ok(None);
        };
        let cost = self.cost(table, |table| {
            if let Some(dax) = &mut table.dax {
                (dax.node_type, dax.nodes) = (name.to_string(), nodes);
            }
        })?;
        let line = self.workload().written.line(&design.part(DesignPart::Dax));
        Ok(Some(Change {
            what: format!("run {nodes} nodes of {name}"),
            edits: vec![Edit {
                line,
                text: format!("node_type = \"{name}\", nodes = {nodes}"),
            }],
            cost,
        }))
    }
}

/// The limits that come before twice the traffic.
fn tight(headroom: &AccountHeadroom) -> impl Iterator<Item = &Limit> {
    let limits = headroom.limits.iter();
    limits.take_while(|limit| limit.factor < Exact::from(READY))
}

/// Why the cost of a change is not known: it is not one of the design.
const APPLICATION: &str = "it depends on how the application is changed";

/// Spreads the hottest key, which holds a factor of its traffic, for twice the traffic.
pub(super) fn spread(factor: &Exact) -> Change {
    let parts = match factor.is_zero() {
        true => Exact::from(READY),
        false => (&Exact::from(READY) / factor).ceil(),
    };
    Change {
        what: format!(
            "spread the items of the hottest key over {parts} keys, for example with a suffix (write \
             sharding)"
        ),
        edits: Vec::new(),
        cost: ChangeCost::Unknown(APPLICATION.to_string()),
    }
}

/// What to say of more units than AWS's default quota for a table or an index.
pub(super) fn beyond_quota(units: u64) -> String {
    let quota = limits::PROVISIONED_UNITS_MAX;
    match units > quota {
        true => format!(
            " (above AWS's default quota of {}, which it can raise)",
            Exact::from(quota)
        ),
        false => String::new(),
    }
}

/// Warm throughput.
///
/// Source: Developer Guide, "Understanding DynamoDB warm throughput" (rule 6.3): raising it is charged
/// once.
pub(super) fn warm(workload: &Workload, account: &Account, units: u64) -> Change {
    // The file has warm throughput of a table only.
    let text = format!("warm_{} = {units}", account.direction.word());
    let of_table = account.target == Target::Table && account.replica.is_none();
    Change {
        what: format!(
            "raise the warm throughput of {} to {} {} a second before the traffic comes{}",
            account.name(),
            Exact::from(units),
            account.unit_name(),
            beyond_quota(units)
        ),
        edits: of_table
            .then(|| edit_of(workload, account, text))
            .into_iter()
            .collect(),
        cost: ChangeCost::Unknown(
            "AWS charges warm throughput once, at a price that it does not list".to_string(),
        ),
    }
}

/// An edit of the capacity of an account direction: of the table, of its index, or of the replica that
/// has read units of its own.
pub(super) fn edit_of(workload: &Workload, account: &Account, text: String) -> Edit {
    let table = &account.design.table.name;
    let replica = account
        .replica
        .filter(|_| account.direction == Direction::Read);
    let part = match (replica, account.target) {
        (Some(replica), _) => DesignPart::Replica(table.clone(), replica.region.clone()),
        (None, Target::Table) => account.design.part(DesignPart::Capacity),
        (None, Target::Index(at)) => account.design.index_part(at),
    };
    let text = match (replica, &account.demand.index) {
        (Some(_), Some(index)) => format!("index = [{{ name = \"{index}\", {text} }}]"),
        _ => text,
    };
    Edit {
        line: workload.written.line(&part),
        text,
    }
}

/// The provisioned units of an account direction, raised so that there are enough: the maximum of auto
/// scaling, or also its minimum if the maximum is enough already. What is enough is not lowered.
fn raised(account: &Account, units: u64) -> Units {
    match account
        .design
        .units_in(account.target, account.direction, account.replica)
    {
        Some(Units::Scaled(scaling)) => Units::Scaled(Scaling {
            min: match scaling.max >= units {
                true => scaling.min.max(units),
                false => scaling.min,
            },
            max: scaling.max.max(units),
            ..scaling
        }),
        Some(Units::Fixed(own)) => Units::Fixed(own.max(units)),
        Some(Units::Unknown) | None => Units::Fixed(units),
    }
}

/// The same, as it is written in the file.
pub(super) fn raised_text(account: &Account, units: u64) -> String {
    let key = account.direction.word();
    match raised(account, units) {
        Units::Scaled(scaling) => {
            let target = scaling.target_percent.map_or_else(String::new, |target| {
                format!(", target = {}", Exact::ratio(target, 100).human(2))
            });
            format!(
                "{key} = {{ min = {}, max = {}{target} }}",
                scaling.min, scaling.max
            )
        }
        Units::Fixed(units) => format!("{key} = {units}"),
        Units::Unknown => format!("{key} = \"unknown\""),
    }
}

/// Sets the provisioned units of an account direction.
fn set_units(table: &mut TableDesign, account: &Account, units: Units) {
    if account.direction == Direction::Read
        && let Some(replica) = replica_mut(table, account)
    {
        match account.target {
            Target::Table => replica.read = Some(units),
            Target::Index(at) => {
                if let Some(index) = replica.indexes.get_mut(at) {
                    index.read = Some(units);
                }
            }
        }
        return;
    }
    let set = |own: &mut ByDirection<Units>| match account.direction {
        Direction::Read => own.read = units,
        Direction::Write => own.write = units,
    };
    match account.target {
        Target::Table => {
            if let Capacity::Provisioned(own) = &mut table.capacity {
                set(own);
            }
        }
        Target::Index(at) => {
            if let Some(own) = &mut table.indexes[at].capacity {
                set(own);
            }
        }
    }
}

/// Sets the maximum throughput of an account direction.
fn set_maximum(table: &mut TableDesign, account: &Account, units: u64) {
    if account.direction == Direction::Read
        && let Some(replica) = replica_mut(table, account)
    {
        match account.target {
            Target::Table => replica.read_max = Some(units),
            Target::Index(at) => {
                if let Some(index) = replica.indexes.get_mut(at) {
                    index.read_max = Some(units);
                }
            }
        }
        return;
    }
    let own = match account.target {
        Target::Table => &mut table.on_demand_max,
        Target::Index(at) => &mut table.indexes[at].on_demand_max,
    };
    match account.direction {
        Direction::Read => own.read = Some(units),
        Direction::Write => own.write = Some(units),
    }
}

fn replica_mut<'t>(
    table: &'t mut TableDesign,
    account: &Account,
) -> Option<&'t mut crate::workload::Replica> {
    let region = account.replica.map(|replica| replica.region.as_str())?;
    table.replicas.iter_mut().find(|one| one.region == region)
}
