//! Warnings about which items are in sparse indexes: what a file leaves open, and the range that the
//! write units of the index could have.

use crate::table::EntryEffect;
use crate::units::{Bytes, Exact, KB};
use crate::workload::{
    AccessPattern, Counts, IndexEntry, ItemsBefore, SizeClasses, TableDesign, WriteKind, WritePlan,
    vector_bytes,
};

/// What is not said about the entities of a table, or about its sparse indexes.
pub(super) fn warnings(table: &TableDesign) -> Vec<String> {
    match table.entities.is_empty() {
        true => sparse_indexes(table),
        false => unused_entities(table)
            .into_iter()
            .chain(writes_of_no_entity(table))
            .collect(),
    }
}

/// Items that are too small for the vectors that they hold.
pub(super) fn small_for_vectors(table: &TableDesign) -> Vec<String> {
    let Some(sizes) = &table.sizes else {
        return Vec::new();
    };
    let largest = sizes.iter().map(|class| class.item.0).max().unwrap_or(0);
    let is_described = sizes.iter().any(|class| class.attributes.is_some());
    let too_large = table.vectors.iter().filter(|index| {
        !is_described && vector_bytes(&index.attribute, index.dimensions) > largest
    });
    too_large
        .map(|index| {
            format!(
                "{}: items of up to {largest} B cannot hold a vector of {} dimensions, which takes {} \
                 B in the table: the size does not seem to include it; add it to `item`",
                table.table.name,
                index.dimensions,
                vector_bytes(&index.attribute, index.dimensions)
            )
        })
        .collect()
}

/// Entities that no access pattern reads or writes.
fn unused_entities(table: &TableDesign) -> Vec<String> {
    let is_used = |at: usize| {
        table.patterns().any(|access| {
            let mut reads = access.call.reads().iter();
            let mut plans = access.call.plans().iter();
            reads.any(|read| read.entity.is_none_or(|own| own == at))
                || plans.any(|(plan, _)| plan.entity.is_none_or(|own| own == at))
        })
    };
    let unused = table.entities.iter().enumerate();
    unused
        .filter(|(at, _)| !is_used(*at))
        .map(|(_, entity)| {
            format!(
                "{}: no access pattern reads or writes the entity {:?}; only its storage is in the \
                 bill",
                table.table.name, entity.name
            )
        })
        .collect()
}

/// Writes that name none of the entities of their table.
fn writes_of_no_entity(table: &TableDesign) -> Vec<String> {
    let is_open = |(plan, _): &(WritePlan, Counts)| {
        plan.entity.is_none() && plan.kind != WriteKind::ConditionCheck
    };
    table
        .patterns()
        .filter(|access| access.call.plans().iter().any(is_open))
        .map(|access| {
            format!(
                "{}: \"{}\" names no entity: it is metered as writes of all entities, by the number \
                 of their items; add `entity = \"{}\"` or another",
                table.table.name, access.name, table.entities[0].name
            )
        })
        .collect()
}

/// Writes of a table without entities to an index that holds only a share of its items.
fn sparse_indexes(table: &TableDesign) -> Vec<String> {
    let mut list = Vec::new();
    for (at, index) in table.indexes.iter().enumerate() {
        if index.coverage == Exact::one() {
            continue;
        }
        for access in table.patterns() {
            list.extend(open_writes(table, at, access));
        }
    }
    list
}

/// The range of the units that an access pattern consumes of a sparse index, if the file leaves it
/// open.
fn open_writes(table: &TableDesign, at: usize, access: &AccessPattern) -> Option<String> {
    let (index, coverage) = (&table.table.indexes[at], &table.indexes[at].coverage);
    let (mut taken, mut high) = (Exact::zero(), Exact::zero());
    let mut verb = "";
    for (plan, counts) in access.call.plans() {
        let calls = &access.calls * &counts.mean();
        let units = units_of(plan.sizes.as_ref(), at)?;
        let effect = index.effect_of(plan.changes.as_deref(), &table.table.keys);
        let found = match plan.kind {
            WriteKind::Update if effect == EntryEffect::Move => {
                verb = "changes a key of";
                2
            }
            WriteKind::Put | WriteKind::Update if effect == EntryEffect::Rewrite => 1,
            WriteKind::Put | WriteKind::Update => 0,
            WriteKind::Delete => 1,
            WriteKind::ConditionCheck => continue,
        };
        let created = match plan.kind {
            WriteKind::Put | WriteKind::Update => 1,
            WriteKind::Delete | WriteKind::ConditionCheck => 0,
        };
        if created > 0 && plan.finds != Exact::one() && verb.is_empty() {
            verb = "puts items that may be in";
        }
        let each = &plan.finds * &Exact::from(found)
            + (Exact::one() - plan.finds.clone()) * Exact::from(created);
        let most = &(&calls * &each) * &units;
        taken += &(&most * coverage);
        high += &most;
    }
    if verb.is_empty() || high.is_zero() {
        return None;
    }
    let primary = |key: &&String| table.table.keys.names().any(|name| name == key.as_str());
    let keys = index.keys.iter().filter(|key| !primary(key));
    let keys: Vec<String> = keys.map(|key| format!("{key:?}")).collect();
    let percent = coverage * &Exact::from(100);
    Some(format!(
        "{} / {}: \"{}\" {verb} this index, which holds {} % of the items: the estimate takes {} \
         write units a month, as of average items, but they are between 0 and {}; say which items it \
         writes with `sets = [{keys}]`, `removes = [{keys}]`, or an `entity`",
        table.table.name,
        index.name,
        access.name,
        percent.human(2),
        taken.human(0),
        high.human(0),
        keys = keys.join(", ")
    ))
}

/// Write units of the largest entry that an index has of some items; `None` if not known.
fn units_of(sizes: Option<&SizeClasses>, at: usize) -> Option<Exact> {
    let bytes = |entry: &IndexEntry| match entry {
        IndexEntry::Size(size) => Some(*size),
        IndexEntry::None => Some(Bytes(0)),
        IndexEntry::Unknown => None,
    };
    let entries = sizes?.iter().map(|class| bytes(class.entries.get(at)?));
    let largest: Option<Vec<Bytes>> = entries.collect();
    let largest = largest?.into_iter().max()?;
    Some(Exact::from(largest.blocks(KB)))
}

/// Whether a write of the table says which attributes its item has before it and after it.
pub(super) fn is_paired(table: &TableDesign) -> bool {
    let paired = |(plan, _): &(WritePlan, Counts)| matches!(plan.before, ItemsBefore::Paired(_));
    table
        .patterns()
        .any(|access| access.call.plans().iter().any(paired))
}
