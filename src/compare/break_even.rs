//! Where two alternatives cost the same, as numbers.

use super::Context;
use super::commitment::offers;
use super::mix::Offer;
use super::utilization::{self, Payment};
use crate::dax::NODE_TYPES;
use crate::meter::{Switches, meter};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{LineItem, PriceBook};
use crate::table::{IndexKind, Operation, ReadPage, TableClass};
use crate::units::{Bytes, Exact, GB, MB};
use crate::usage::{FreeTier, Throughput, UsageType};
use crate::workload::TableDesign;

/// Which alternatives cost the same at a break-even.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakEvenKind {
    /// Provisioned and reserved units.
    Reservation,
    /// On demand and provisioned or reserved capacity.
    Mode,
    /// Both table classes.
    TableClass,
    /// A DAX cluster, and reads of the table.
    Dax,
    /// An index, and a Scan for each query.
    Index,
}

/// A point at which two alternatives cost the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakEven {
    /// Which alternatives it compares.
    pub kind: BreakEvenKind,
    /// What is compared, such as `on-demand = provisioned`.
    pub name: String,
    /// The table; `None` if it applies to every table.
    pub table: Option<String>,
    /// The index.
    pub index: Option<String>,
    /// Reads or writes, if they differ.
    pub throughput: Option<Throughput>,
    /// Where they cost the same.
    pub value: Exact,
    /// The unit of `value`.
    pub unit: &'static str,
    /// The current value of the design, in the same unit.
    pub here: Option<Exact>,
    /// What it means on each side.
    pub meaning: String,
}

fn money(amount: Money) -> Exact {
    Exact::from(amount.decimal())
}

/// Every break-even of a design.
pub(super) fn of(context: &Context, outcome: &Outcome) -> Vec<BreakEven> {
    let mut all = Vec::new();
    let Some(book) = context.metering.book(&context.workload.region) else {
        return all;
    };
    all.extend(reservations(book));
    for (at, table) in context.workload.tables.iter().enumerate() {
        all.extend(modes(context, at, table, book));
        all.extend(class(outcome, table, book));
        all.extend(dax(context, outcome, table, book));
        all.extend(indexes(outcome, table, book));
    }
    all
}

/// The share of hours in which a unit must be provisioned to be cheaper reserved: the same for
/// every table.
fn reservations(book: &PriceBook) -> Vec<BreakEven> {
    let mut all = Vec::new();
    for offer in offers(book, None).0 {
        let Offer::Reserved {
            years, read, write, ..
        } = offer
        else {
            continue;
        };
        for (throughput, unit) in [(Throughput::Read, read), (Throughput::Write, write)] {
            let Some(hour) =
                book.list_rate(&UsageType::CapacityHours(throughput, TableClass::Standard))
            else {
                continue;
            };
            all.push(BreakEven {
                kind: BreakEvenKind::Reservation,
                name: format!(
                    "provisioned = reserved for {years} year{}",
                    if years == 1 { "" } else { "s" }
                ),
                table: None,
                index: None,
                throughput: Some(throughput),
                value: &(&unit / &hour) * &Exact::from(100),
                unit: "% of the hours",
                here: None,
                meaning: "a unit that is provisioned for a larger share of the hours is cheaper \
                          if reserved"
                    .to_string(),
            });
        }
    }
    all
}

/// The utilization at which capacity that is provisioned, or reserved for one or three years, costs
/// the same as on demand.
fn modes(context: &Context, at: usize, table: &TableDesign, book: &PriceBook) -> Vec<BreakEven> {
    let mut all = Vec::new();
    let month = &context.workload.month;
    for demand in context
        .metering
        .demand_of(at)
        .iter()
        .filter(|demand| demand.region == context.workload.region)
    {
        let Some(flat) = utilization::flat(context, at, demand, book) else {
            continue;
        };
        let direction = demand.throughput.direction();
        let own = context.metering.consumed(at).iter().filter(|one| {
            one.account == demand.index
                && one.throughput.direction() == direction
                && one.subject.region == demand.region
        });
        let (units, calls) = own.fold((Exact::zero(), Exact::zero()), |(units, calls), one| {
            (units + one.units.clone(), calls + one.calls.clone())
        });
        for crossing in utilization::crossings(&flat.lines)
            .iter()
            .filter(|one| one.payment_below == Payment::OnDemand)
        {
            let name = match crossing.payment_above {
                Payment::Fixed => "on demand = provisioned".to_string(),
                Payment::Reserved(_) => format!("on demand = {}", crossing.above),
                _ => continue,
            };
            let a_second = &Exact::from(flat.units) * &crossing.share;
            let monthly = &(&a_second * &Exact::from(3600)) * month.hours();
            let requests = match units.is_zero() {
                true => String::new(),
                false => format!(
                    ", {} of this workload's requests a second",
                    (&a_second * &(&calls / &units)).human(2)
                ),
            };
            all.push(BreakEven {
                kind: BreakEvenKind::Mode,
                name,
                table: Some(table.table.name.clone()),
                index: demand.index.clone(),
                throughput: Some(demand.throughput),
                value: &crossing.share * &Exact::from(100),
                unit: "% utilization",
                here: Some(&flat.here * &Exact::from(100)),
                meaning: format!(
                    "of {} provisioned units, which is {} units a month, {} a second{requests}; \
                     above it, on demand is more expensive",
                    Exact::from(flat.units),
                    monthly.human(0),
                    a_second.human(2)
                ),
            });
        }
    }
    all
}

/// The storage at which both classes cost the same, at the current throughput.
fn class(outcome: &Outcome, table: &TableDesign, book: &PriceBook) -> Option<BreakEven> {
    let rate = |usage: UsageType| book.list_rate(&usage);
    let home = |line: &&LineItem| {
        line.subject.is_of(&table.table.name) && line.subject.region == outcome.region
    };
    let (mut now, mut other, mut stored) = (Exact::zero(), Exact::zero(), Exact::zero());
    let class = table.table.class;
    let other_class = if class == TableClass::Standard {
        TableClass::StandardIa
    } else {
        TableClass::Standard
    };
    for line in outcome.bill.lines.iter().filter(home) {
        let quantity = Exact::from(line.quantity);
        let elsewhere = line.usage_type.in_class(class, other_class);
        if let Some(usage) = elsewhere {
            now += &money(line.amount);
            other += &(&quantity * &rate(usage)?);
        }
        if line.usage_type == UsageType::Storage(class) {
            stored += &quantity;
        }
    }
    let (standard, rare) = (
        rate(UsageType::Storage(TableClass::Standard))?,
        rate(UsageType::Storage(TableClass::StandardIa))?,
    );
    let dearer = if class == TableClass::Standard {
        &other - &now
    } else {
        &now - &other
    };
    let gigabytes = &dearer / &(&standard - &rare);
    // The free tier for Standard storage moves the break-even.
    let given = match outcome.free.contains(&FreeTier::Storage) {
        true => &book.free_quantity(&UsageType::Storage(TableClass::Standard)) * &standard,
        false => Exact::zero(),
    };
    let gigabytes = gigabytes + given / (&standard - &rare);
    if gigabytes.is_negative() || now.is_zero() {
        return None;
    }
    let throughput = if class == TableClass::Standard {
        &now
    } else {
        &other
    };
    let ratio = &(&gigabytes * &standard) / throughput;
    Some(BreakEven {
        kind: BreakEvenKind::TableClass,
        name: "Standard = Standard-IA".to_string(),
        table: Some(table.table.name.clone()),
        index: None,
        throughput: None,
        value: gigabytes,
        unit: "GB stored",
        here: Some(stored),
        meaning: format!(
            "with more storage, Standard-IA is cheaper: Standard storage then costs at least {} \
             times as much as Standard throughput",
            ratio.human(3)
        ),
    })
}

/// The hit ratio and the request rate at which three of the smallest DAX nodes pay for themselves.
fn dax(
    context: &Context,
    outcome: &Outcome,
    table: &TableDesign,
    book: &PriceBook,
) -> Vec<BreakEven> {
    let month = &context.workload.month;
    let reads = table.cached_reads_per_second(month);
    let node = &NODE_TYPES[0];
    let Some(hour) = book.list_rate(&UsageType::DaxNode(node.name.to_string())) else {
        return Vec::new();
    };
    if reads.is_zero() {
        return Vec::new();
    }
    let cached = |line: &&LineItem| {
        line.subject.is_of(&table.table.name)
            && line.subject.region == outcome.region
            && line.usage_type.is_read_request()
            && table.access.iter().any(|access| {
                access.is_cacheable() && Some(&access.name) == line.subject.access.as_ref()
            })
    };
    let paid: Exact = outcome
        .bill
        .lines
        .iter()
        .filter(cached)
        .map(|line| money(line.amount))
        .sum();
    // What the same reads cost without a cache.
    let share = table.dax.as_ref().map(|dax| dax.hit_ratio.known());
    // If a cluster's hit ratio is unknown, the cost of the reads without a cache is unknown as
    // well.
    if share == Some(None) {
        return Vec::new();
    }
    let share = share.flatten();
    let passes = share.map_or_else(Exact::one, |share| Exact::one() - share.clone());
    let nodes = &(&hour * month.hours()) * &Exact::from(3);
    if paid.is_zero() || passes.is_zero() {
        return Vec::new();
    }
    let whole = &paid / &passes;
    let ratio = &nodes / &whole;
    let never = ratio > Exact::one();
    let here = share.map(|share| share * &Exact::from(100));
    let one = |name: String, value: Exact, unit, here, meaning: String| BreakEven {
        kind: BreakEvenKind::Dax,
        name,
        table: Some(table.table.name.clone()),
        index: None,
        throughput: Some(Throughput::Read),
        value,
        unit,
        here,
        meaning,
    };
    let at = Exact::ratio(9, 10);
    vec![
        one(
            format!("3 x {} = reads of the table", node.name),
            &ratio * &Exact::from(100),
            "% hits",
            here,
            if never {
                "above 100 %: no hit ratio pays for the nodes at this traffic".to_string()
            } else {
                "a higher hit ratio pays for the nodes".to_string()
            },
        ),
        one(
            format!("3 x {} = reads of the table, at 90 % hits", node.name),
            &(&reads * &ratio) / &at,
            "cacheable reads a second",
            Some(reads),
            "more traffic of the same kind pays for the nodes".to_string(),
        ),
    ]
}

/// The units of a Scan of a table.
fn scan_units(table: &TableDesign, data: &Exact) -> Exact {
    let page = |evaluated: Bytes| {
        let scan = Operation::Scan(ReadPage {
            evaluated,
            ..ReadPage::default()
        });
        meter(&table.table, &scan, &Switches::default())
            .table
            .read
            .exact()
    };
    let full = (data / &Exact::from(MB)).floor();
    let rest = Bytes(
        (data - &(&full * &Exact::from(MB)))
            .ceil()
            .to_u64()
            .unwrap_or(0),
    );
    &(&full * &page(Bytes(MB)))
        + &(if rest.0 > 0 || full.is_zero() {
            page(rest)
        } else {
            Exact::zero()
        })
}

/// How many queries a month an index must answer to be cheaper than a Scan of the table for each
/// query.
fn indexes(outcome: &Outcome, table: &TableDesign, book: &PriceBook) -> Vec<BreakEven> {
    let mut all = Vec::new();
    let class = table.table.class;
    let Some(rate) = book.list_rate(&UsageType::Requests(Throughput::Read, class)) else {
        return all;
    };
    let Some(data) = table.held().map(|held| held.data) else {
        return all;
    };
    let scan = &scan_units(table, &data) * &rate;
    for (at, index) in table.table.indexes.iter().enumerate() {
        let of_index = |line: &&LineItem| {
            line.subject.is_of(&table.table.name)
                && line.subject.index.as_ref() == Some(&index.name)
        };
        let reads = |line: &&LineItem| line.usage_type.is_read_request();
        let lines = || outcome.bill.lines.iter().filter(of_index);
        let cost: Exact = lines()
            .filter(|line| !reads(line))
            .map(|line| money(line.amount))
            .sum();
        let queries: Exact = table
            .access
            .iter()
            .filter(|access| table.is_read_by(at, access))
            .map(|access| access.calls.clone())
            .sum();
        let one_query: Exact = match queries.is_zero() {
            true => Exact::zero(),
            false => {
                lines()
                    .filter(reads)
                    .map(|line| money(line.amount))
                    .sum::<Exact>()
                    / queries.clone()
            }
        };
        let unknown = outcome.bill.unknown.iter().any(|one| {
            one.subject.is_of(&table.table.name) && one.subject.index.as_ref() == Some(&index.name)
        });
        if scan <= one_query || cost.is_zero() || unknown {
            continue;
        }
        let kind = if index.kind == IndexKind::Global {
            "global"
        } else {
            "local"
        };
        all.push(BreakEven {
            kind: BreakEvenKind::Index,
            name: "index = a Scan for each query".to_string(),
            table: Some(table.table.name.clone()),
            index: Some(index.name.clone()),
            throughput: None,
            value: &cost / &(&scan - &one_query),
            unit: "queries a month",
            here: Some(queries),
            meaning: format!(
                "the {kind} index costs ${} a month to keep; a Scan of {} GB costs ${} on demand",
                cost.human(2),
                (&data / &Exact::from(GB)).human(2),
                scan.human(6)
            ),
        });
    }
    all
}
