//! What each index could hold: keys only, some attributes, or all; or no index at all.

use std::collections::BTreeMap;

use super::{Alternative, AlternativeKind, index_mut, table_mut};
use crate::table::{ApiName, Consistency, Index, IndexKind, KeySchema, Projection};
use crate::units::{Bytes, Exact};
use crate::workload::{
    AccessPattern, DesignEdit, IndexEntry, PatternCall, SizeClasses, TableDesign, toml_text,
};

/// At most this many INCLUDE sets are shown, the narrowest first.
const SETS_MAX: usize = 6;

pub(super) fn of(table: &TableDesign) -> Vec<Alternative> {
    (0..table.table.indexes.len())
        .filter(|_| table.is_described())
        .flat_map(|at| of_index(table, at))
        .collect()
}

fn of_index(table: &TableDesign, at: usize) -> Vec<Alternative> {
    let index = &table.table.indexes[at];
    let mut all = Vec::new();
    for (name, projection) in projections(table, at) {
        all.push(projected(table, at, name, projection));
    }
    let readers = readers(table, at);
    let none =
        Alternative::new(AlternativeKind::Projection, "no index").of(table, Some(&index.name));
    all.push(match readers.as_slice() {
        [] => {
            let (target, name) = (table.table.name.clone(), index.name.clone());
            none.because("no access pattern in the file reads it")
                .deciding("something not listed in the file may read it")
                .edit(DesignEdit::of(table.index_part(at)).remove_part())
                .change(
                    format!("projection of {} / {}", table.table.name, index.name),
                    move |workload| {
                        if let Some(table) = table_mut(workload, &target) {
                            remove(table, &name);
                        }
                    },
                )
        }
        names => none.impossible(format!("it is read by {}", quoted(names))),
    });
    let known = table.entries(at).is_some();
    let says_members = table.sizes.as_ref().is_some_and(SizeClasses::is_sparse);
    if known
        && !says_members
        && table.indexes[at].coverage == Exact::one()
        && !index
            .keys
            .iter()
            .all(|key| table.table.keys.names().any(|own| own == key))
    {
        let (target, name) = (table.table.name.clone(), index.name.clone());
        all.push(
            Alternative::new(
                AlternativeKind::Projection,
                "sparse: a tenth of the items have the index key",
            )
            .of(table, Some(&index.name))
            .because("an item without the key attribute has no entry and costs no index writes")
            .if_so("only items that queries of the index need may have its key attribute")
            .edit(DesignEdit::of(table.index_part(at)).set("coverage", "0.1"))
            .change(
                format!("coverage of {} / {}", table.table.name, index.name),
                move |workload| {
                    if let Some((table, at)) = index_mut(workload, &target, &name) {
                        table.indexes[at].coverage = Exact::ratio(1, 10);
                    }
                },
            ),
        );
    }
    all
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The names of the patterns that read an index, in any region.
pub(super) fn readers(table: &TableDesign, at: usize) -> Vec<&str> {
    table
        .readers_of(at)
        .map(|access| access.name.as_str())
        .collect()
}

/// The projections other than the current one: keys only, sets of attributes with the smallest
/// first, all.
fn projections(table: &TableDesign, at: usize) -> Vec<(String, Projection)> {
    let index = &table.table.indexes[at];
    let known = attributes(table);
    let mut all = vec![("keys-only".to_string(), Projection::KeysOnly)];
    let is_key = |name: &str| {
        index.keys.iter().any(|key| key == name) || table.table.keys.names().any(|key| key == name)
    };
    let include = |names: Vec<String>| {
        (
            format!("include {}", names.join(", ")),
            Projection::Include(names),
        )
    };
    // The attributes that its readers need, if all of them list theirs.
    if let Some(wanted) = table.wanted_of(at) {
        let names = known.iter().map(|(name, _)| *name);
        let names = names.filter(|name| !is_key(name) && wanted.contains(name));
        all.extend(
            Some(names.map(str::to_string).collect::<Vec<_>>())
                .filter(|names| !names.is_empty())
                .map(include),
        );
    }
    let mut others: Vec<(&str, u64)> = known
        .iter()
        .copied()
        .filter(|(name, _)| !is_key(name))
        .collect();
    others.sort_by_key(|(name, bytes)| (*bytes, *name));
    // A set that needs as many blocks as a wider one has no advantage.
    let keys: u64 = known
        .iter()
        .filter(|(name, _)| is_key(name))
        .map(|(_, bytes)| bytes)
        .sum();
    let mut sets: Vec<(u64, Vec<String>)> = Vec::new();
    let (mut bytes, mut names) = (keys, Vec::new());
    for (name, own) in others.iter().take(others.len().saturating_sub(1)) {
        bytes += own;
        names.push(name.to_string());
        match sets
            .last_mut()
            .filter(|(last, _)| last.div_ceil(1024) == bytes.div_ceil(1024))
        {
            Some(last) => *last = (bytes, names.clone()),
            None => sets.push((bytes, names.clone())),
        }
    }
    for (_, names) in sets.into_iter().take(SETS_MAX) {
        let set = include(names);
        if !all.iter().any(|(_, known)| same(known, &set.1)) {
            all.push(set);
        }
    }
    all.push(("all".to_string(), Projection::All));
    all.retain(|(_, projection)| !same(projection, &index.projection));
    all
}

fn same(one: &Projection, other: &Projection) -> bool {
    match (one, other) {
        (Projection::Include(one), Projection::Include(other)) => {
            let sorted = |names: &[String]| {
                let mut names = names.to_vec();
                names.sort();
                names
            };
            sorted(one) == sorted(other)
        }
        _ => one == other,
    }
}

fn projected(table: &TableDesign, at: usize, name: String, projection: Projection) -> Alternative {
    let index = &table.table.indexes[at];
    let alternative =
        Alternative::new(AlternativeKind::Projection, name).of(table, Some(&index.name));
    let Some(entry) = entry_of(table, at, &projection) else {
        return alternative.unknown(
            "the size of an entry with this projection; describe the items by their attributes",
        );
    };
    let lost: Vec<&str> = held(table, at, &index.projection)
        .into_iter()
        .filter(|name| !held(table, at, &projection).contains(name))
        .collect();
    let narrower =
        !lost.is_empty() || (index.projection == Projection::All && projection != Projection::All);
    let readers = readers(table, at);
    let narrow = with(index, &projection);
    let fetching: Vec<&str> = table
        .readers_of(at)
        .filter(|access| wants_more(access, &narrow, &table.table.keys))
        .map(|access| access.name.as_str())
        .collect();
    let fetched = narrower && !fetching.is_empty();
    let entry = match entry == entry.ceil() {
        true => Bytes(entry.to_u64().unwrap_or(u64::MAX)).to_string(),
        false => format!("{} B on average", entry.human(1)),
    };
    let why = match (fetched, narrower) {
        (true, _) => format!(
            "entries are {entry}; {} then {} each item from the table",
            quoted(&fetching),
            if fetching.len() == 1 { "reads" } else { "read" }
        ),
        (false, true) if readers.is_empty() => {
            format!("entries are {entry}; no access pattern in the file reads the index")
        }
        (false, true) => format!(
            "entries are {entry}, with all the attributes needed by {}",
            quoted(&readers)
        ),
        (false, false) => format!("entries are {entry}"),
    };
    let edit = DesignEdit::of(table.index_part(at));
    let edit = edit.set("projection", projection_toml(&projection));
    let edit = match projection {
        // Its entries are as large as the items then.
        Projection::All => edit.remove(&["entry_size"]),
        Projection::KeysOnly | Projection::Include(_) => edit,
    };
    let (target, name) = (table.table.name.clone(), index.name.clone());
    let alternative = alternative
        .because(why)
        .edit(match (fetched, index.kind) {
            (true, IndexKind::Global) => {
                edit.by_hand("add a BatchGetItem that reads the items found by each query")
            }
            (true, IndexKind::Local) => {
                let readers = table.access.iter().filter(|one| one.reads_index(at));
                readers.fold(edit, |edit, access| {
                    edit.and(table.access_part(&access.name))
                        .set("fetches", "true")
                })
            }
            (false, _) => edit,
        })
        .change(
            format!("projection of {} / {}", table.table.name, index.name),
            move |workload| {
                if let Some((table, at)) = index_mut(workload, &target, &name) {
                    project(table, at, &projection, fetched);
                }
            },
        );
    alternative.recreating(narrower, fetched, readers.is_empty())
}

impl Alternative {
    /// What an index that is recreated asks of its readers.
    fn recreating(self, narrower: bool, fetched: bool, unread: bool) -> Alternative {
        let work = "the index must be recreated and its readers changed";
        match narrower {
        true if !fetched && !unread => {
            self.risking("the index must be recreated")
        }
        true if fetched => self.deciding(format!(
            "{work}: each query becomes two calls, and the second reads the table, which may be \
             newer than the index"
        )),
        true => self.deciding(format!(
            "{work}; something not listed in the file may read the index"
        )),
        false => self.risking(work),
    }
    }
}

/// A projection as a workload file writes it.
fn projection_toml(projection: &Projection) -> String {
    match projection {
        Projection::KeysOnly => toml_text("keys-only"),
        Projection::All => toml_text("all"),
        Projection::Include(names) => {
            let names: Vec<String> = names.iter().map(|name| toml_text(name)).collect();
            format!("{{ include = [{}] }}", names.join(", "))
        }
    }
}

/// Whether a read needs attributes that an index does not hold; a read that does not list its
/// attributes needs all.
fn wants_more(access: &AccessPattern, index: &Index, keys: &KeySchema) -> bool {
    access
        .attributes
        .as_ref()
        .is_none_or(|wanted| wanted.iter().any(|name| !index.holds(keys, name)))
}

/// The attributes that the items of a table can have, with the bytes of the largest; none if they
/// are not described.
fn attributes(table: &TableDesign) -> Vec<(&str, u64)> {
    let classes = table.sizes.iter().flat_map(SizeClasses::iter);
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for class in classes {
        for (name, bytes) in class.attributes.iter().flat_map(|all| all.iter()) {
            let most = all.entry(name.as_str()).or_default();
            *most = (*most).max(*bytes);
        }
    }
    all.into_iter().collect()
}

/// The attributes that an index holds, as far as they are known.
fn held<'a>(table: &'a TableDesign, at: usize, projection: &Projection) -> Vec<&'a str> {
    let index = with(&table.table.indexes[at], projection);
    let names = attributes(table).into_iter().map(|(name, _)| name);
    names
        .filter(|name| index.holds(&table.table.keys, name))
        .collect()
}

/// An index with another projection.
fn with(index: &Index, projection: &Projection) -> Index {
    Index {
        projection: projection.clone(),
        ..index.clone()
    }
}

/// The mean bytes of an entry of a projection; `None` if they are not known.
fn entry_of(table: &TableDesign, at: usize, projection: &Projection) -> Option<Exact> {
    let index = with(&table.table.indexes[at], projection);
    let projected = |sizes: &SizeClasses| {
        sizes.with_projection(at, (&index, &table.table.keys), IndexEntry::Unknown)
    };
    let (number, bytes) = projected(table.sizes.as_ref()?).entries(at)?;
    // Entries of an entity that the table does not hold yet are not known.
    (!number.is_zero()).then(|| bytes / number)
}

/// Changes the projection of an index; if it is narrower, its readers fetch the missing attributes
/// from the table.
fn project(table: &mut TableDesign, at: usize, projection: &Projection, fetched: bool) {
    let Some(entry) = entry_of(table, at, projection) else {
        return;
    };
    table.table.indexes[at].projection = projection.clone();
    // Items whose attributes are not described have entries like the others.
    let otherwise = IndexEntry::Size(Bytes(entry.ceil().to_u64().unwrap_or(u64::MAX)));
    let (index, keys) = (table.table.indexes[at].clone(), table.table.keys.clone());
    table.resize(|sizes| sizes.with_projection(at, (&index, &keys), otherwise));
    let fetch = |patterns: &mut Vec<AccessPattern>| {
        let mut more = Vec::new();
        for access in patterns.iter_mut().filter(|access| access.reads_index(at)) {
            let (wants, said) = (
                wants_more(access, &index, &keys),
                access.attributes.is_some(),
            );
            let PatternCall::Page {
                reads,
                fetches,
                missing,
                ..
            } = &mut access.call
            else {
                continue;
            };
            if index.kind == IndexKind::Local {
                *fetches = if said { wants } else { fetched || *fetches };
                continue;
            }
            if !fetched || !wants {
                continue;
            }
            // A batch has at most 100 keys; each is rounded up alone, so how they are divided among
            // calls does not matter.
            let (reads, found) = (reads.clone(), Exact::one() - missing.clone());
            let items: Exact = reads.iter().map(|read| read.counts.mean()).sum();
            if items.is_zero() {
                continue;
            }
            let call = PatternCall::Get {
                reads,
                consistency: Some(Consistency::Eventual),
                missing: Exact::zero(),
            };
            more.push(AccessPattern {
                name: format!("{}, fetched from the table", access.name),
                operation: Some(ApiName::BatchGetItem),
                calls: &access.calls * &found,
                call,
                ..access.clone()
            });
        }
        patterns.extend(more.into_iter().filter(|access| !access.calls.is_zero()));
    };
    fetch(&mut table.access);
    table
        .replicas
        .iter_mut()
        .for_each(|replica| fetch(&mut replica.access));
}

/// Removes an index that nothing reads.
pub(super) fn remove(table: &mut TableDesign, name: &str) {
    let Some(at) = table
        .table
        .indexes
        .iter()
        .position(|index| index.name == name)
    else {
        return;
    };
    table.table.indexes.remove(at);
    table.indexes.remove(at);
    table.resize(|sizes| sizes.without_index(at));
    for access in table.access.iter_mut().chain(
        table
            .replicas
            .iter_mut()
            .flat_map(|replica| &mut replica.access),
    ) {
        if let PatternCall::Page {
            index: Some(index), ..
        } = &mut access.call
            && *index > at
        {
            *index -= 1;
        }
    }
}
