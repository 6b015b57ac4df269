//! What to change so that a part of a design holds twice its traffic, and what that costs.

use std::sync::Arc;

use super::account::Account;
use super::limit::{Limit, LimitKind, Part};
use super::{AccountHeadroom, HeadroomError};
use crate::capacity::{Scaling, Traffic};
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
    /// What to write in the workload file, and on which line; `None` if the file does not say it.
    pub edit: Option<(usize, String)>,
    /// What it costs.
    pub cost: ChangeCost,
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

    /// What to change so that an account direction holds twice its traffic; `None` if it does.
    pub fn of(
        &self,
        headroom: &AccountHeadroom,
        own: &[Account],
    ) -> Result<Option<Change>, HeadroomError> {
        let Some(limit) = tight(headroom) else {
            return Ok(None);
        };
        let is_it = |one: &&Account| {
            let index = match limit.kind {
                LimitKind::IndexBackPressure => &limit.index,
                _ => &headroom.index,
            };
            Some(&one.demand.table) == headroom.table.as_ref()
                && one.demand.index == *index
                && one.demand.region == headroom.region
                && Part::from(one.direction) == headroom.part
        };
        let Some(account) = own.iter().find(is_it) else {
            return Ok(None);
        };
        match limit.kind {
            LimitKind::HotKey | LimitKind::Partition => Ok(Some(spread(limit))),
            LimitKind::TableQuota => Ok(Some(Change {
                what: "ask AWS to raise the quota of the table (Service Quotas)".to_string(),
                edit: None,
                cost: ChangeCost::Monthly(Money::ZERO),
            })),
            LimitKind::InitialCapacity | LimitKind::Doubling | LimitKind::WarmThroughput => {
                Ok(Some(warm(self.workload(), account, READY as f64)))
            }
            LimitKind::MaximumThroughput => self.maximum(account).map(Some),
            _ => self.units(account),
        }
    }

    /// More provisioned units.
    fn units(&self, account: &Account) -> Result<Option<Change>, HeadroomError> {
        let Some(units) = account.units_for(READY as f64) else {
            return Ok(None);
        };
        let words = format!(" for {READY} times the traffic");
        self.provide(account, units, &words).map(Some)
    }

    fn provide(&self, account: &Account, units: u64, why: &str) -> Result<Change, HeadroomError> {
        let (part, _) = written_place(account);
        let what = format!(
            "provide {} {}{why}",
            Exact::from(units),
            account.unit_name()
        );
        let line = self.workload().written.line(&part);
        Ok(Change {
            what,
            edit: Some((line, raised_text(account, units))),
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
    pub fn for_peak(
        &self,
        account: &Account,
        demand: &Traffic,
    ) -> Result<Option<Change>, HeadroomError> {
        let factor = demand.highest_mean() / account.traffic.highest_mean().max(f64::MIN_POSITIVE);
        if account.design.capacity == Capacity::OnDemand {
            return Ok(Some(warm(self.workload(), account, factor)));
        }
        match account.units_for(factor) {
            Some(units) => self.provide(account, units, "").map(Some),
            None => Ok(None),
        }
    }

    /// A higher maximum throughput.
    fn maximum(&self, account: &Account) -> Result<Change, HeadroomError> {
        let most = account
            .units_for(READY as f64)
            .unwrap_or(limits::PROVISIONED_UNITS_MAX);
        let (part, place) = written_place(account);
        let what = format!(
            "raise the maximum to {} {} a second",
            Exact::from(most),
            account.unit_name()
        );
        let cost = self.cost(account.table, |table| set_maximum(table, account, most))?;
        Ok(Change {
            what,
            edit: Some((
                self.workload().written.line(&part),
                format!("{place}max_{} = {most}", account.direction.word()),
            )),
            cost,
        })
    }

    /// What to change in a table's cluster or stream.
    pub fn of_table(
        &self,
        headroom: &AccountHeadroom,
        table: usize,
    ) -> Result<Option<Change>, HeadroomError> {
        let Some(limit) = tight(headroom) else {
            return Ok(None);
        };
        let design = &self.workload().tables[table];
        let text = |what: &str| Change {
            what: what.to_string(),
            edit: None,
            cost: ChangeCost::Unknown("it depends on how the application is changed".to_string()),
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
            edit: Some((line, format!("node_type = \"{name}\", nodes = {nodes}"))),
            cost,
        }))
    }
}

/// The first limit, if it comes before twice the traffic.
fn tight(headroom: &AccountHeadroom) -> Option<&Limit> {
    headroom
        .first()
        .filter(|limit| limit.factor < Exact::from(READY))
}

/// Spreads the hottest key.
fn spread(limit: &Limit) -> Change {
    let parts = match limit.factor.is_zero() {
        true => Exact::from(READY),
        false => (&Exact::from(READY) / &limit.factor).ceil(),
    };
    Change {
        what: format!(
            "spread the items of the hottest key over {parts} keys, for example with a suffix (write \
             sharding)"
        ),
        edit: None,
        cost: ChangeCost::Unknown("it depends on how the application is changed".to_string()),
    }
}

/// Warm throughput for a factor of the traffic.
fn warm(workload: &Workload, account: &Account, factor: f64) -> Change {
    let units = (account.busiest() * factor).ceil() as u64;
    let key = account.direction.word();
    let part = account.design.part(DesignPart::Capacity);
    let edit = (account.target == Target::Table && account.replica.is_none()).then(|| {
        (
            workload.written.line(&part),
            format!("warm_{key} = {units}"),
        )
    });
    Change {
        what: format!(
            "raise the warm throughput to {} {} a second before the traffic comes",
            Exact::from(units),
            account.unit_name()
        ),
        edit,
        cost: ChangeCost::Unknown(WARM_PRICE.to_string()),
    }
}

/// Why the price of warm throughput is not known.
pub(super) const WARM_PRICE: &str =
    "AWS charges warm throughput once, at a price that it does not list";

/// The part of the file that has the capacity of an account, and what to write before an edit of it.
pub(super) fn written_place(account: &Account) -> (DesignPart, String) {
    let part = match account.target {
        Target::Table => account.design.part(DesignPart::Capacity),
        Target::Index(at) => account.design.index_part(at),
    };
    let place = account
        .replica
        .filter(|_| account.direction == Direction::Read)
        .map_or_else(String::new, |replica| {
            format!("replica {}: ", replica.region)
        });
    (part, place)
}

/// The provisioned units of an account direction, raised so that there are enough: the maximum of auto
/// scaling, or also its minimum if the maximum is enough already.
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
        _ => Units::Fixed(units),
    }
}

/// The same, as it is written in the file.
pub(super) fn raised_text(account: &Account, units: u64) -> String {
    let key = account.direction.word();
    let (_, place) = written_place(account);
    let place = match &account.demand.index {
        Some(index) => format!("{index}: {place}"),
        None => place,
    };
    match raised(account, units) {
        Units::Scaled(scaling) => {
            let target = scaling.target_percent.map_or_else(String::new, |target| {
                format!(", target = {}", Exact::ratio(target, 100).human(2))
            });
            format!(
                "{place}{key} = {{ min = {}, max = {}{target} }}",
                scaling.min, scaling.max
            )
        }
        _ => format!("{place}{key} = {units}"),
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
