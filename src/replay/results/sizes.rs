//! Sources of the sizes, and how much the drawn sizes can change the bill.

use crate::estimate::Metering;
use crate::money::Money;
use crate::replay::engine::Engine;
use crate::replay::error::ReplayError;
use crate::replay::state::sizes::SizeSource;
use crate::replay::tally::consumption::TraceSpan;
use crate::table::Direction;
use crate::units::Exact;
use crate::usage::{Throughput, UsageType};

/// Sources of the sizes, and how much the drawn sizes can change the bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows by direction and source.
    pub rows: Vec<(Direction, SizeSource, u64)>,
    /// Units of rows with drawn sizes, by table and direction: as drawn, and with the 1st and the
    /// 99th percentile of the sizes.
    pub drawn: Vec<DrawnSizes>,
    /// Rows whose number of items came from an access pattern.
    pub counts_assumed: u64,
    /// Writes for which it was assumed whether they found an item.
    pub presence_assumed: u64,
    /// Writes whose row does not list the changed attributes.
    pub changes_assumed: u64,
}

/// How much drawn sizes can change the bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnSizes {
    /// The table.
    pub table: String,
    /// Reads or writes.
    pub direction: Direction,
    /// Units with the sizes as drawn.
    pub units: Exact,
    /// Units if every size were the 1st percentile.
    pub low: Exact,
    /// Units if every size were the 99th percentile.
    pub high: Exact,
    /// How much less a month would cost with the small sizes, at on-demand prices.
    pub less: Option<Money>,
    /// How much more it would cost with the large sizes.
    pub more: Option<Money>,
}

pub fn sizes(engine: &Engine, metering: &Metering, span: &TraceSpan) -> Result<Sizes, ReplayError> {
    let provenance = &engine.tally.totals.provenance;
    let mut drawn = Vec::new();
    for ((table, direction), [as_drawn, low, high]) in &provenance.drawn {
        let design = &engine.tables.list[*table].design;
        let throughput = match (direction, design.is_global()) {
            (Direction::Read, _) => Throughput::Read,
            (Direction::Write, true) => Throughput::ReplicatedWrite,
            (Direction::Write, false) => Throughput::Write,
        };
        let usage_type = UsageType::Requests(throughput, design.table.class);
        let price = metering
            .book(&engine.regions[0])
            .and_then(|book| book.list_price(&usage_type))
            .map(|published| published.rate);
        let units = |halves: u128| Exact::whole(halves) / Exact::from(2);
        let (as_drawn, low, high) = (units(*as_drawn), units(*low), units(*high));
        let month = |units: &Exact| (units * &span.factor).ceil();
        let charge = |more: Exact| {
            price
                .as_ref()
                .and_then(|rate| rate.charge(&more, 0).ok())
                .map(|charge| charge.amount)
        };
        let positive = |difference: Exact| {
            if difference.is_negative() {
                Exact::zero()
            } else {
                difference
            }
        };
        drawn.push(DrawnSizes {
            table: design.table.name.clone(),
            direction: *direction,
            less: charge(month(&positive(&as_drawn - &low))),
            more: charge(month(&positive(&high - &as_drawn))),
            units: as_drawn,
            low,
            high,
        });
    }
    Ok(Sizes {
        rows: provenance
            .rows
            .iter()
            .map(|((direction, from), count)| (*direction, *from, *count))
            .collect(),
        drawn,
        counts_assumed: provenance.counts_assumed,
        presence_assumed: provenance.presence_assumed,
        changes_assumed: provenance.changes_assumed,
    })
}
