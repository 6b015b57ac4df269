//! Where two alternatives cost the same, as numbers.

use super::Context;
use super::commitment::{Offer, list_rate, offers};
use crate::dax::NODE_TYPES;
use crate::meter::{Switches, meter};
use crate::money::Money;
use crate::outcome::Outcome;
use crate::pricing::{LineItem, PriceBook};
use crate::table::{IndexKind, Operation, ReadPage, TableClass};
use crate::units::{Bytes, Exact, GB, MB};
use crate::usage::{FreeTier, Throughput, UsageType};
use crate::workload::TableDesign;

/// A point at which two alternatives cost the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakEven {
    /// What is compared, such as `on-demand = provisioned`.
    pub name: String,
    /// The table; `None` for what holds everywhere.
    pub table: Option<String>,
    /// The index.
    pub index: Option<String>,
    /// Reads or writes, where they differ.
    pub throughput: Option<Throughput>,
    /// Where they cost the same.
    pub value: Exact,
    /// The unit of `value`.
    pub unit: &'static str,
    /// Where the design is now, in the same unit.
    pub here: Option<Exact>,
    /// What it means on which side.
    pub meaning: String,
}

fn money(amount: Money) -> Exact {
    Exact::from(amount.decimal())
}

/// Every break-even of a design.
pub(super) fn of(context: &Context, outcome: &Outcome) -> Vec<BreakEven> {
    let mut all = Vec::new();
    let Some(book) = context.metering.book(&context.workload.region) else { return all };
    all.extend(reservations(book));
    for (at, table) in context.workload.tables.iter().enumerate() {
        all.extend(modes(context, at, table, book));
        all.extend(class(outcome, table, book));
        all.extend(dax(context, outcome, table, book));
        all.extend(indexes(outcome, table, book));
    }
    all
}

/// The share of hours in which a unit must be provisioned to be cheaper reserved: the same for every table.
fn reservations(book: &PriceBook) -> Vec<BreakEven> {
    let mut all = Vec::new();
    for offer in offers(book, None).0 {
        let Offer::Reserved { years, read, write, .. } = offer else { continue };
        for (throughput, unit) in [(Throughput::Read, read), (Throughput::Write, write)] {
            let Some(hour) = list_rate(book, UsageType::capacity_hours(throughput, TableClass::Standard).code()) else { continue };
            all.push(BreakEven {
                name: format!("provisioned = reserved for {years} year{}", if years == 1 { "" } else { "s" }),
                table: None,
                index: None,
                throughput: Some(throughput),
                value: &(&unit / &hour) * &Exact::from(100),
                unit: "% of the hours",
                here: None,
                meaning: "a unit that is provisioned in more of the hours is cheaper reserved".to_string(),
            });
        }
    }
    all
}

/// The utilization at which provisioned, reserved for one and for three years, costs what on demand does.
fn modes(context: &Context, at: usize, table: &TableDesign, book: &PriceBook) -> Vec<BreakEven> {
    let mut all = Vec::new();
    let month = &context.workload.month;
    let (sold, _) = offers(book, None);
    let home = context.metering.demand().filter(|demand| demand.table == table.table.name && demand.region == context.workload.region);
    for demand in home {
        let (request, hour) = (
            UsageType::request_units(demand.throughput, table.table.class),
            UsageType::capacity_hours(demand.throughput, table.table.class),
        );
        let (Some(request), Some(hour)) = (list_rate(book, request.code()), list_rate(book, hour.code())) else { continue };
        // A unit provisioned for an hour serves 3,600 requests of one unit.
        let full = &request * &Exact::from(3600);
        let capacity = demand.provisioned.as_ref().and_then(|units| units.fixed()).map_or_else(|| demand.peak.ceil(), Exact::from);
        if capacity.is_zero() {
            continue;
        }
        let reads = demand.throughput == Throughput::Read;
        let of_account = |one: &&crate::capacity::Consumption| {
            one.account == demand.index && (one.throughput == Throughput::Read) == reads && one.subject.region == demand.region
        };
        let consumed = context.metering.consumed(at).iter().filter(of_account);
        let (units, calls) =
            consumed.fold((Exact::zero(), Exact::zero()), |(units, calls), one| (units + one.units.clone(), calls + one.calls.clone()));
        let used = &demand.mean / &capacity;
        let one = |name: String, value: Exact, unit: &'static str, here: Option<Exact>, meaning: String| BreakEven {
            name,
            table: Some(table.table.name.clone()),
            index: demand.index.clone(),
            throughput: Some(demand.throughput),
            value: &value * &Exact::from(100),
            unit,
            here,
            meaning,
        };
        let against_on_demand = |name: String, share: Exact| {
            let a_second = &capacity * &share;
            let monthly = &(&a_second * &Exact::from(3600)) * month.hours();
            let requests = match units.is_zero() {
                true => String::new(),
                false => format!(", {} of this workload's requests a second", (&a_second * &(&calls / &units)).human(2)),
            };
            let meaning = format!(
                "of {} provisioned units; {} units a month, {} a second{requests}: above it on demand is dearer",
                capacity.human(0),
                monthly.human(0),
                a_second.human(2)
            );
            one(name, share, "% utilization", Some(&used * &Exact::from(100)), meaning)
        };
        all.push(against_on_demand("on demand = provisioned".to_string(), &hour / &full));
        let reservable = demand.throughput != Throughput::ReplicatedWrite && table.table.class == TableClass::Standard;
        for offer in sold.iter().filter(|_| reservable) {
            let Offer::Reserved { years, read, write, .. } = offer else { continue };
            let unit = if reads { read } else { write };
            let term = format!("{years} year{}", if *years == 1 { "" } else { "s" });
            all.push(against_on_demand(format!("on demand = reserved for {term}"), unit / &full));
        }
    }
    all
}

/// The storage at which both classes cost the same, with the throughput as it is.
fn class(outcome: &Outcome, table: &TableDesign, book: &PriceBook) -> Option<BreakEven> {
    let rate = |usage: UsageType| list_rate(book, usage.code());
    let home = |line: &&LineItem| line.subject.table == table.table.name && line.subject.region == outcome.region;
    let (mut now, mut other, mut stored) = (Exact::zero(), Exact::zero(), Exact::zero());
    let class = table.table.class;
    let other_class = if class == TableClass::Standard { TableClass::StandardIa } else { TableClass::Standard };
    for line in outcome.bill.lines.iter().filter(home) {
        let quantity = Exact::from(line.quantity);
        for throughput in [Throughput::Read, Throughput::Write, Throughput::ReplicatedWrite] {
            for usage in [UsageType::request_units as fn(Throughput, TableClass) -> UsageType, UsageType::capacity_hours] {
                if line.usage_type == usage(throughput, class) {
                    now += &money(line.amount);
                    other += &(&quantity * &rate(usage(throughput, other_class))?);
                }
            }
        }
        if line.usage_type == UsageType::storage(class) {
            stored += &quantity;
        }
    }
    let (standard, rare) = (rate(UsageType::storage(TableClass::Standard))?, rate(UsageType::storage(TableClass::StandardIa))?);
    let dearer = if class == TableClass::Standard { &other - &now } else { &now - &other };
    let gigabytes = &dearer / &(&standard - &rare);
    // The 25 GB that AWS gives of Standard storage move the point.
    let given = if outcome.free.contains(&FreeTier::Storage) { &Exact::from(25) * &standard } else { Exact::zero() };
    let gigabytes = gigabytes + given / (&standard - &rare);
    if gigabytes.is_negative() || now.is_zero() {
        return None;
    }
    let throughput = if class == TableClass::Standard { &now } else { &other };
    let ratio = &(&gigabytes * &standard) / throughput;
    Some(BreakEven {
        name: "Standard = Standard-IA".to_string(),
        table: Some(table.table.name.clone()),
        index: None,
        throughput: None,
        value: gigabytes,
        unit: "GB stored",
        here: Some(stored),
        meaning: format!(
            "with more, Standard-IA is cheaper: where Standard storage costs {} of Standard throughput or more",
            ratio.human(3)
        ),
    })
}

/// The hit ratio and the request rate at which three of the smallest DAX nodes pay for themselves.
fn dax(context: &Context, outcome: &Outcome, table: &TableDesign, book: &PriceBook) -> Vec<BreakEven> {
    let month = &context.workload.month;
    let reads = table.cached_reads_per_second(month);
    let node = &NODE_TYPES[0];
    let Some(hour) = list_rate(book, UsageType::dax_node(node.name).code()) else { return Vec::new() };
    if reads.is_zero() {
        return Vec::new();
    }
    let cached = |line: &&LineItem| {
        line.subject.table == table.table.name
            && line.subject.region == outcome.region
            && line.usage_type.unit() == "RRU"
            && table.access.iter().any(|access| access.is_cacheable() && Some(&access.name) == line.subject.access.as_ref())
    };
    let paid: Exact = outcome.bill.lines.iter().filter(cached).map(|line| money(line.amount)).sum();
    // What the same reads cost without a cache.
    let passes = table.dax.as_ref().map_or_else(Exact::one, |dax| Exact::one() - dax.hit_ratio.clone());
    let nodes = &(&hour * month.hours()) * &Exact::from(3);
    if paid.is_zero() || passes.is_zero() {
        return Vec::new();
    }
    let whole = &paid / &passes;
    let ratio = &nodes / &whole;
    let never = ratio > Exact::one();
    let here = table.dax.as_ref().map(|dax| &dax.hit_ratio * &Exact::from(100));
    let one = |name: String, value: Exact, unit, here, meaning: String| BreakEven {
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
                "more than all: no hit ratio pays for the nodes at this traffic".to_string()
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

/// How many queries a month an index must answer to be cheaper than a Scan of the table for each.
fn indexes(outcome: &Outcome, table: &TableDesign, book: &PriceBook) -> Vec<BreakEven> {
    let mut all = Vec::new();
    let class = table.table.class;
    let Some(rate) = list_rate(book, UsageType::request_units(Throughput::Read, class).code()) else { return all };
    let Some(data) = table.held().map(|held| held.data) else { return all };
    let page = |evaluated: Bytes| {
        let scan = Operation::Scan(ReadPage { evaluated, ..ReadPage::default() });
        meter(&table.table, &scan, &Switches::default()).table.read.exact()
    };
    let full = (&data / &Exact::from(MB)).floor();
    let rest = Bytes((&data - &(&full * &Exact::from(MB))).ceil().to_u64().unwrap_or(0));
    let units = &(&full * &page(Bytes(MB))) + &(if rest.0 > 0 || full.is_zero() { page(rest) } else { Exact::zero() });
    let scan = &units * &rate;
    for (at, index) in table.table.indexes.iter().enumerate() {
        let of_index = |line: &&LineItem| line.subject.table == table.table.name && line.subject.index.as_ref() == Some(&index.name);
        let reads = |line: &&LineItem| line.usage_type.unit() == "RRU";
        let lines = || outcome.bill.lines.iter().filter(of_index);
        let cost: Exact = lines().filter(|line| !reads(line)).map(|line| money(line.amount)).sum();
        let queries: Exact = table.access.iter().filter(|access| table.is_read_by(at, access)).map(|access| access.calls.clone()).sum();
        let one_query: Exact = match queries.is_zero() {
            true => Exact::zero(),
            false => lines().filter(reads).map(|line| money(line.amount)).sum::<Exact>() / queries.clone(),
        };
        let unknown =
            outcome.bill.unknown.iter().any(|one| one.subject.table == table.table.name && one.subject.index.as_ref() == Some(&index.name));
        if scan <= one_query || cost.is_zero() || unknown {
            continue;
        }
        let kind = if index.kind == IndexKind::Global { "global" } else { "local" };
        all.push(BreakEven {
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
