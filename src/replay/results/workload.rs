//! Turns what a trace consumed into a workload of measured calls, which the code of the estimate
//! prices.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capacity::Shape;
use crate::capacity::series::Series;
use crate::meter::ReplicatedLocalIndex;
use crate::replay::dynamodb::key::{named_key, start_of};
use crate::replay::dynamodb::tables::Stored;
use crate::replay::engine::Engine;
use crate::replay::options::ReplayOptions;
use crate::replay::tally::ItemCounts;
use crate::replay::tally::consumption::{CallKind, DemandKey, SECONDS_MINUTES_MAX, TraceSpan};
use crate::table::{ApiName, Direction, Index, IndexKind, Item, Target};
use crate::time::minute_of_week;
use crate::trace::{NameTable, slot_of};
use crate::units::{Bytes, Exact};
use crate::workload::{
    AccessPattern, IndexEntry, PatternCall, SizeClasses, TableDesign, TargetUnits, Traced,
    VectorSearch, Workload, Written,
};

/// Units consumed by a table or an index in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedUnits {
    /// The table.
    pub table: String,
    /// The index; `None` for the table itself.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Read units.
    pub read: Exact,
    /// Write units; for the base table of a global table, replicated write units.
    pub write: Exact,
    /// Whether its write units are replicated write units.
    pub replicated: bool,
    /// The same by operation: its name, calls, read units, write units.
    pub operations: Vec<(String, u64, Exact, Exact)>,
}

/// The design with the calls of the trace in place of its access patterns.
pub(in crate::replay) fn workload(
    engine: &Engine,
    declared: Option<&Workload>,
    names: &NameTable,
    span: &TraceSpan,
    options: &ReplayOptions,
) -> Workload {
    let tables: Vec<Arc<TableDesign>> = (0..engine.tables.list.len())
        .map(|at| Arc::new(table(engine, at, names, span)))
        .collect();
    match declared {
        Some(declared) => declared.clone().with(|contents| {
            (contents.tables, contents.years_ahead) = (tables, 0);
            contents.written = Written::new(&declared.written.file);
        }),
        None => Workload::of_trace(
            "Trace",
            &engine.regions[0],
            options.prices,
            options.month.clone(),
            tables,
        )
        .with(|contents| {
            contents.switches = engine.switches;
            contents.commitments.clone_from(&options.commitments);
        }),
    }
}

/// A series without demand, for a trace that consumed nothing.
pub(in crate::replay) fn idle(span: &TraceSpan) -> BTreeMap<String, Arc<Series>> {
    let minutes = ((span.to - span.from).div_euclid(60)).clamp(1, SECONDS_MINUTES_MAX);
    let start_minute = minute_of_week(span.from.div_euclid(60));
    let series = Series::new(60, start_minute, vec![0; minutes as usize]);
    BTreeMap::from([(String::new(), Arc::new(series))])
}

fn table(engine: &Engine, at: usize, names: &NameTable, span: &TraceSpan) -> TableDesign {
    let state = &engine.tables.list[at];
    let mut design = state.design.clone();
    if !state.declared {
        hold(&mut design, engine, at);
    }
    design.access.clear();
    design.once.clear();
    design.searches = searches(engine, at, span);
    design.popularity = None;
    // If no event of the trace is from another region, replicas read as the design declares.
    if engine.tally.totals.elsewhere.contains(&at) {
        for replica in &mut design.replicas {
            replica.reads = Exact::zero();
            replica.access.clear();
        }
    }
    if engine.tally.totals.time_to_live.contains(&at) {
        design.ttl_deletes = Exact::zero();
    }
    // Sorted by name, independent of the order in which they were read.
    let mut accesses: Vec<(usize, Direction, AccessPattern)> = engine
        .tally
        .totals
        .calls
        .iter()
        .filter(|(kind, _)| kind.table == at)
        .map(|(kind, traced)| {
            (
                kind.region,
                kind.direction,
                access(*kind, traced, &design, names, span),
            )
        })
        .collect();
    accesses.sort_by(
        |(region, direction, one), (other_region, other_direction, other)| {
            (
                region,
                &one.name,
                one.operation.map(ApiName::name),
                direction,
            )
                .cmp(&(
                    other_region,
                    &other.name,
                    other.operation.map(ApiName::name),
                    other_direction,
                ))
        },
    );
    design.access.extend(unmeasured(engine, at, &design));
    for (at_region, direction, access) in accesses {
        let region = &engine.regions[at_region];
        match design.replicas.iter_mut().find(|replica| {
            direction == Direction::Read && at_region > 0 && replica.region == *region
        }) {
            Some(replica) => replica.access.push(access),
            None => design.access.push(access),
        }
    }
    design
}

/// Searches of the vector indexes of a table.
fn searches(engine: &Engine, table: usize, span: &TraceSpan) -> Vec<VectorSearch> {
    let all = engine.tally.totals.searches.iter();
    let own = all.filter(|((of, ..), _)| *of == table);
    own.map(|((_, index, bytes), calls)| VectorSearch {
        name: ApiName::SearchVectors.name().to_string(),
        index: *index,
        region: None,
        calls: Some(&Exact::from(*calls) * &span.factor),
        shape: Shape::flat(),
        bytes: bytes.map(Bytes),
    })
    .collect()
}

/// The demand that metrics do not count: it is unknown, unless something else in the trace gives it.
fn unmeasured(engine: &Engine, at: usize, design: &TableDesign) -> Vec<AccessPattern> {
    let metered = &engine.tally.totals.metered;
    if !metered.iter().any(|(table, ..)| *table == at) {
        return Vec::new();
    }
    let is_known = |(target, direction): &(Target, Direction)| {
        let account = (at, target.index(), *direction);
        let told = |key: &DemandKey| (key.table, key.index, key.direction) == account;
        metered.contains(&account) || engine.tally.demand.keys().any(told)
    };
    design
        .accounts()
        .flat_map(|target| [(target, Direction::Read), (target, Direction::Write)])
        .filter(|account| !is_known(account))
        .map(|(target, direction)| {
            let whose = design.index_name(target).map_or_else(
                || design.table.name.clone(),
                |index| format!("{index} of {}", design.table.name),
            );
            let why = format!(
                "the trace has no metric that counts the {}s of {whose}; get this metric from \
                 CloudWatch as well",
                direction.word()
            );
            AccessPattern::unmeasured(&design.table, target, direction, why)
        })
        .collect()
}

/// Sets what a table that no workload declares holds at the end, as far as the trace shows: the
/// number of items and their sizes.
fn hold(design: &mut TableDesign, engine: &Engine, at: usize) {
    let classes = engine
        .tally
        .totals
        .held
        .get(&at)
        .cloned()
        .unwrap_or_default();
    let count = classes.values().sum::<u64>();
    design.items = Exact::from(count);
    design.sizes = SizeClasses::of(
        classes
            .into_iter()
            .map(|((size, entries), count)| (size, entries, count)),
    );
    if count == 0 {
        // If the trace has the table's items, the table is empty at the end; otherwise nothing is
        // known about its items.
        let is_empty = engine.tables.list[at].has_items;
        design.unknown.items = !is_empty;
        design.stored = is_empty.then(Exact::zero);
    }
}

impl Engine {
    /// What a table holds of the keys of this share: its items if the trace has them, else what is
    /// known about its keys.
    pub(in crate::replay) fn held(&self, at: usize) -> ItemCounts {
        let state = &self.tables.list[at];
        let table = &state.design.table;
        let numbers = self.switches.number_alignment;
        let mut classes = ItemCounts::new();
        if state.has_items {
            let own = |item: &&Item| {
                Stored::key(table, item)
                    .is_ok_and(|key| self.share.owns(slot_of(named_key(&key).hash)))
            };
            for item in state.stored.items().filter(own) {
                let entry = |index: &Index| {
                    index
                        .entry_size(&table.keys, item, numbers)
                        .map_or(IndexEntry::None, IndexEntry::Size)
                };
                *classes
                    .entry((
                        table.item_size(item, numbers),
                        table.indexes.iter().map(entry).collect(),
                    ))
                    .or_default() += 1;
            }
        } else {
            let entries = vec![IndexEntry::Unknown; table.indexes.len()];
            let sizes = state.store.sizes(|slot| self.share.owns(slot));
            classes.extend(
                sizes
                    .into_iter()
                    .map(|(bytes, count)| ((Bytes(bytes.into()), entries.clone()), count)),
            );
        }
        classes
    }
}

impl Engine {
    /// The items of this share of the keys at the end, by how their keys begin.
    pub(in crate::replay) fn entities(&mut self, at: usize) {
        let state = &self.tables.list[at];
        let table = &state.design.table;
        let numbers = self.switches.number_alignment;
        for item in state.stored.items() {
            let Ok(key) = Stored::key(table, item) else {
                continue;
            };
            if !self.share.owns(slot_of(named_key(&key).hash)) {
                continue;
            }
            let found = self.tally.totals.found.entity(at, start_of(&key));
            found.add(item, table, numbers);
        }
    }
}

fn access(
    kind: CallKind,
    traced: &Traced,
    design: &TableDesign,
    names: &NameTable,
    span: &TraceSpan,
) -> AccessPattern {
    let operation = api_name(kind.api, kind.direction);
    let index = kind
        .index
        .and_then(|at| design.table.indexes.get(at))
        .map(|index| index.name.as_str());
    let name = match (kind.caller.map(|caller| names.text(caller)), index) {
        (Some(caller), _) => caller.to_string(),
        (None, Some(index)) => format!("{operation} {index}"),
        (None, None) if operation == "TimeToLiveDelete" => "Time to Live".to_string(),
        (None, None) => operation.to_string(),
    };
    // Units without a number of calls count as one call.
    let calls = traced.calls.max(1);
    let traced = Traced {
        uncounted: traced.calls == 0,
        calls,
        scaled: span.words.clone(),
        ..traced.clone()
    };
    AccessPattern {
        name,
        operation: kind.api,
        calls: &Exact::from(calls) * &span.factor,
        follows_items: false,
        shape: Shape::flat(),
        sizes: design.sizes.clone(),
        attributes: None,
        through_dax: false,
        call: PatternCall::Traced(traced),
    }
}

/// Calls and units of each operation.
type ByOperation = BTreeMap<&'static str, (u64, TargetUnits)>;

/// Units consumed by each table and index in each region, by operation.
pub(in crate::replay) fn consumed(engine: &Engine) -> Vec<ConsumedUnits> {
    let mut all: BTreeMap<(usize, usize, usize), ByOperation> = BTreeMap::new();
    for (kind, traced) in &engine.tally.totals.calls {
        let operation = api_name(kind.api, kind.direction);
        // Reads belong to the region that served them, writes to the home region and to each
        // replica.
        let here = if kind.direction == Direction::Read {
            kind.region
        } else {
            0
        };
        let elsewhere = traced.in_replicas.iter().filter_map(|(name, targets)| {
            Some((
                engine.regions.iter().position(|region| region == name)?,
                targets,
            ))
        });
        for (region, targets) in std::iter::once((here, &traced.home)).chain(elsewhere) {
            for (target, units) in targets.iter().enumerate() {
                let used = units.read_halves > 0 || units.write > 0;
                // Calls that consume nothing on the table are still counted as its calls.
                if !(used || target == 0 && region == kind.region) {
                    continue;
                }
                let (calls, sum) = all
                    .entry((kind.table, target, region))
                    .or_default()
                    .entry(operation)
                    .or_default();
                *calls += if region == kind.region {
                    traced.calls
                } else {
                    0
                };
                // DAX is in the home region, and reads only the table.
                sum.read_halves += units.read_halves
                    + if target == 0 && region == here {
                        traced.fill_halves
                    } else {
                        0
                    };
                sum.write += units.write;
            }
        }
    }
    let row = |((table, target, region), operations): ((usize, usize, usize), ByOperation)| {
        let design = &engine.tables.list[table].design;
        let index = target
            .checked_sub(1)
            .and_then(|at| design.table.indexes.get(at));
        let local = index.is_some_and(|index| index.kind == IndexKind::Local);
        let replicated = design.is_global()
            && (index.is_none()
                || (local
                    && engine.switches.replicated_local_index == ReplicatedLocalIndex::Replicated));
        let (read, write) = (
            |units: &TargetUnits| Exact::whole(units.read_halves) / Exact::from(2),
            |units: &TargetUnits| Exact::whole(units.write),
        );
        ConsumedUnits {
            table: design.table.name.clone(),
            index: index.map(|index| index.name.clone()),
            region: engine.regions[region].clone(),
            read: operations.values().map(|(_, units)| read(units)).sum(),
            write: operations.values().map(|(_, units)| write(units)).sum(),
            replicated,
            operations: operations
                .iter()
                .map(|(name, (calls, units))| (name.to_string(), *calls, read(units), write(units)))
                .collect(),
        }
    };
    all.into_iter().map(row).collect()
}

/// The name of an API call; `reads` or `writes` for units that are not split by operation.
fn api_name(api: Option<ApiName>, direction: Direction) -> &'static str {
    match (api, direction) {
        (Some(api), _) => api.name(),
        (None, Direction::Read) => "reads",
        (None, Direction::Write) => "writes",
    }
}
