//! The tables of a replay: declared by a workload, or defined by the trace itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::sizes::{Entries, SizedImages, mixed, salt};
use super::store::Store;
use crate::capacity::partitions;
use crate::capacity::policy::{READ_FLOOR, WRITE_FLOOR};
use crate::replay::dynamodb::key::{KeyValues, named_key};
use crate::replay::dynamodb::tables::Stored;
use crate::replay::error::CannotExecute;
use crate::table::{
    ByDirection, Index, IndexKind, Item, KeySchema, NumberAlignment, Projection, Table, TableClass,
    Transition, Write, WriteOutcome,
};
use crate::trace::{ApiName, SkipReason, TracedKey, slot_of};
use crate::units::{Bytes, Exact};
use crate::workload::{
    AccessPattern, Capacity, IndexEntry, PatternCall, Replica, SizeClasses, TableDesign, Units,
    VectorIndex, Workload,
};

/// A table during a replay.
#[derive(Clone, Debug)]
pub struct TableState {
    /// The design.
    pub design: TableDesign,
    /// Whether a workload declares it, so that its sizes may be drawn.
    pub declared: bool,
    /// The entries that its indexes hold of its items.
    pub entries: Entries,
    /// The entries of items of one entity, or before and after one write.
    kinds: Vec<(SizeClasses, Entries)>,
    /// What is known about its keys.
    pub store: Store,
    /// Its items, if the trace contains them.
    pub stored: Stored,
    /// Whether items were stored.
    pub has_items: bool,
    draws: Draws,
    /// Indexes that the trace deleted.
    ended: BTreeSet<usize>,
    /// The 1st and the 99th percentile of its item sizes, as bounds of a drawn size.
    pub extremes: (Bytes, Bytes),
}

impl TableState {
    fn new(design: TableDesign, declared: bool) -> TableState {
        let entries = Entries::of(&design);
        let kinds = kinds(&design);
        let extremes = extremes(&design);
        let draws = Draws::of(
            design
                .sizes
                .iter()
                .flat_map(SizeClasses::iter)
                .map(|class| (class.weight, class.item.0 as u32)),
        );
        TableState {
            entries,
            kinds,
            extremes,
            draws,
            design,
            declared,
            ended: BTreeSet::new(),
            store: Store::default(),
            stored: Stored::default(),
            has_items: false,
        }
    }

    /// Whether sizes are drawn for keys.
    #[inline]
    pub fn draws(&self) -> bool {
        self.declared && !self.draws.classes.is_empty()
    }

    /// The slot of a key; in a table with a sort key, the slot of its partition key.
    pub fn slot(&self, key: &TracedKey) -> u8 {
        slot_of(if self.design.table.keys.sort.is_some() {
            key.partition
        } else {
            key.hash
        })
    }

    /// Whether an index was deleted, so that it no longer holds entries.
    pub fn has_ended(&self, index: usize) -> bool {
        self.ended.contains(&index)
    }

    /// Deletes an index: what it consumed is kept, and from now on it holds nothing. How many hours
    /// of a month its provisioned capacity is billed is unknown.
    fn end(&mut self, index: usize) {
        self.ended.insert(index);
        if let Some(capacity) = &mut self.design.indexes[index].capacity {
            *capacity = UNKNOWN_UNITS;
        }
        self.design.indexes[index].coverage = Exact::zero();
        self.stored.clear_index(index);
    }

    /// Adds a global index; it replaces a deleted index of the same name.
    fn add(&mut self, index: Index, units: Option<ByDirection<Units>>) {
        let name = index.name.clone();
        match self
            .design
            .table
            .indexes
            .iter()
            .position(|known| known.name == index.name)
        {
            Some(at) if self.ended.remove(&at) => {
                self.design.indexes[at].coverage = Exact::one();
                self.design.table.indexes[at] = index;
            }
            _ => self.design.add_index(index),
        }
        let is_provisioned = self.design.capacity != Capacity::OnDemand;
        if let Some(at) = self
            .design
            .table
            .indexes
            .iter()
            .position(|known| known.name == name)
        {
            self.design.indexes[at].capacity =
                is_provisioned.then(|| units.unwrap_or(UNKNOWN_UNITS));
        }
        self.entries = Entries::of(&self.design);
        self.kinds = kinds(&self.design);
        // Filling an index costs no units (rule 3.11).
        self.stored.reindex(&self.design.table);
    }

    /// Describes a write of an item for the meter, and changes the table if the write is applied.
    pub fn write(
        &mut self,
        key: KeyValues,
        new: Option<Item>,
        has_failed: bool,
        numbers: NumberAlignment,
    ) -> Write {
        let outcome = if has_failed {
            WriteOutcome::ConditionFailed
        } else {
            WriteOutcome::Applied
        };
        let table = &self.design.table;
        let mut write = self.stored.write(table, (key, new), outcome, numbers);
        for (at, transition) in write
            .indexes
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| self.ended.contains(at))
        {
            *transition = Transition::Absent;
            self.stored.clear_index(at);
        }
        write
    }

    /// What a write of some attributes does to the entries of every index, from the bytes of the
    /// item before and after it. Unknown entries count as no entry, and the positions of their
    /// indexes are returned.
    pub fn transitions(
        &self,
        hash: u64,
        images: SizedImages,
        changes: Option<&[&str]>,
    ) -> (Vec<Transition>, Vec<usize>) {
        let table = &self.design.table;
        let (before, after) = (
            self.entries_of(images.before),
            self.entries_of(images.after),
        );
        let mut unknown = Vec::new();
        let transitions = table.indexes.iter().enumerate().map(|(at, index)| {
            let mut size = |of: &Entries, bytes: Option<u32>| match bytes
                .map(|bytes| of.entry(at, bytes, hash).charged(Bytes(bytes.into())))
            {
                Some(IndexEntry::Size(size)) => Some(size),
                Some(IndexEntry::Unknown) => {
                    unknown.push(at);
                    None
                }
                Some(IndexEntry::None) | None => None,
            };
            let (old, new) = (size(before, images.old), size(after, images.new));
            Transition::of(old, new, index.effect_of(changes, &table.keys))
        });
        let transitions = transitions.collect();
        unknown.dedup();
        (transitions, unknown)
    }

    /// The entries of items of these sizes.
    fn entries_of(&self, sizes: Option<&SizeClasses>) -> &Entries {
        let mut kinds = self.kinds.iter();
        sizes
            .and_then(|sizes| kinds.find(|(known, _)| known.is_same(sizes)))
            .map_or(&self.entries, |(_, entries)| entries)
    }

    /// Whether items are told apart by their entity, or by what a write does to them.
    pub fn has_kinds(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// The access pattern of a caller, or the first one that calls the same way.
    pub fn pattern(
        &self,
        caller: Option<&str>,
        api: ApiName,
        region: Option<&str>,
        index: Option<usize>,
    ) -> Option<&AccessPattern> {
        let design = &self.design;
        let is_there = |replica: &&Replica| region == Some(replica.region.as_str());
        let elsewhere = design.replicas.iter().filter(is_there);
        let all = || {
            let elsewhere = elsewhere.clone().flat_map(|replica| &replica.access);
            design.access.iter().chain(elsewhere)
        };
        let is_alike = |access: &&AccessPattern| {
            let of_index = match &access.call {
                PatternCall::Page { index: own, .. } => *own == index,
                _ => true,
            };
            access.operation == Some(api) && of_index
        };
        let named = caller.and_then(|caller| all().find(|access| access.name == caller));
        named.or_else(|| all().find(is_alike))
    }

    /// The key of an item of the table.
    ///
    /// # Errors
    /// Which key attribute is missing or of a wrong type.
    pub fn key_of(&self, item: &Item) -> Result<KeyValues, CannotExecute> {
        Stored::key(&self.design.table, item).map_err(|error| (SkipReason::Key, error))
    }

    /// Stores an item of an export, as it was before the trace.
    ///
    /// # Errors
    /// Why it cannot be an item of the table.
    pub fn load(&mut self, item: Item, numbers: NumberAlignment) -> Result<(), CannotExecute> {
        let key = self.key_of(&item)?;
        let bytes = self.design.table.item_size(&item, numbers).0 as u32;
        let named = named_key(&key);
        let slot = self.slot(&named);
        self.store.set(slot, named.hash, Some(bytes), true);
        self.stored.put(&self.design.table, key, Some(item));
        self.has_items = true;
        Ok(())
    }

    /// Partitions of the table at first: by its data, and by what it serves.
    pub fn starting_partitions(&self) -> u64 {
        // If the size of the data is unknown, throughput alone decides.
        let bytes = self
            .design
            .held()
            .map_or_else(Exact::zero, |held| held.data);
        let most = |units: &Units| match units {
            Units::Fixed(units) => *units,
            Units::Scaled(scaling) => scaling.max,
            Units::Unknown => 0,
        };
        let (reads, writes) = match &self.design.capacity {
            Capacity::OnDemand => (READ_FLOOR, WRITE_FLOOR),
            Capacity::Provisioned(units) => (most(&units.read), most(&units.write)),
        };
        partitions(&bytes, &Exact::from(reads), &Exact::from(writes))
            .to_u64()
            .unwrap_or(u64::MAX)
    }

    /// The size drawn for a key, the same as from [`drawn`](super::sizes::drawn).
    #[inline]
    pub fn draw(&self, hash: u64) -> Option<u32> {
        self.draws.of_key(hash)
    }
}

/// The distribution from which sizes are drawn.
#[derive(Clone, Debug)]
struct Draws {
    /// The cumulative weight at the end of each size class, with the size.
    classes: Vec<(u64, u32)>,
    /// For each 256th of the total weight, the class in which it begins, so that few classes are
    /// searched.
    guide: Vec<u32>,
}

/// The number of entries of the guide.
const GUIDES: u64 = 256;

impl Draws {
    /// Creates the distribution from weights and sizes.
    fn of(classes: impl Iterator<Item = (u64, u32)>) -> Draws {
        let mut end = 0;
        let class = |(weight, bytes)| {
            end += weight;
            (end, bytes)
        };
        let classes: Vec<(u64, u32)> = classes.map(class).collect();
        let begin = |part: u64| (u128::from(end) * u128::from(part) / u128::from(GUIDES)) as u64;
        let guide = (0..GUIDES)
            .map(|part| classes.partition_point(|(end, _)| *end <= begin(part)) as u32)
            .collect();
        Draws { classes, guide }
    }

    #[inline]
    fn of_key(&self, hash: u64) -> Option<u32> {
        let total = self.classes.last()?.0;
        let drawn = mixed(hash, salt::SIZE);
        let at = ((u128::from(drawn) * u128::from(total)) >> 64) as u64;
        let from = self.guide[(drawn >> 56) as usize] as usize;
        self.classes[from..]
            .iter()
            .find(|(end, _)| *end > at)
            .map(|(_, bytes)| *bytes)
    }
}

/// The entries of entities and of items before and after writes.
fn kinds(design: &TableDesign) -> Vec<(SizeClasses, Entries)> {
    let mut all: Vec<(SizeClasses, Entries)> = Vec::new();
    for sizes in design.kinds() {
        if all.iter().all(|(known, _)| !known.is_same(sizes)) {
            all.push((sizes.clone(), Entries::of_sizes(design, Some(sizes))));
        }
    }
    all
}

/// The 1st and the 99th percentile of the item sizes.
fn extremes(design: &TableDesign) -> (Bytes, Bytes) {
    let mut sizes: Vec<(Bytes, u64)> = design
        .sizes
        .iter()
        .flat_map(SizeClasses::iter)
        .map(|class| (class.item, class.weight))
        .collect();
    sizes.sort_unstable();
    let total: u128 = sizes.iter().map(|(_, weight)| u128::from(*weight)).sum();
    let at = |hundredth: u128| {
        let mut sum = 0;
        let found = sizes.iter().find(|(_, weight)| {
            sum += u128::from(*weight);
            sum * 100 >= total * hundredth
        });
        found.map_or(Bytes(0), |(size, _)| *size)
    };
    (at(1), at(99))
}

/// One step in which a trace defined a table or an index.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Definition {
    /// A name in a row.
    Table(String, KeySchema),
    /// The name of an index in a row.
    Index(usize, String),
    /// A CreateTable request.
    Create(String),
    /// An UpdateTable request.
    Update(String),
}

/// The tables by their names and numbers.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// How the trace defined tables.
    pub definitions: Vec<Definition>,
    /// The tables.
    pub list: Vec<TableState>,
    numbers: BTreeMap<String, usize>,
    /// Whether a workload declares them; then a trace can add tables only with CreateTable.
    declared: bool,
}

impl Tables {
    /// The tables of a workload; none without a workload.
    pub fn new(workload: Option<&Workload>) -> Tables {
        let mut tables = Tables {
            declared: workload.is_some(),
            ..Tables::default()
        };
        for design in workload.into_iter().flat_map(|workload| &workload.tables) {
            tables
                .numbers
                .insert(design.table.name.clone(), tables.list.len());
            tables
                .list
                .push(TableState::new(TableDesign::clone(design), true));
        }
        tables
    }

    /// The position of a table; `None` if it is not defined.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The table, if there is exactly one.
    pub fn only(&self) -> Option<usize> {
        (self.list.len() == 1).then_some(0)
    }

    /// The position of the table that a request names.
    ///
    /// # Errors
    /// Which tables are defined.
    pub fn of_request(&self, name: &str) -> Result<usize, CannotExecute> {
        self.find(name).ok_or_else(|| {
            let defined = match self.names() {
                none if none.is_empty() => {
                    "none; begin the log with CreateTable, or give a workload".to_string()
                }
                names => names,
            };
            let name = name.escape_debug();
            (
                SkipReason::UnknownTable,
                format!("no table {name}; defined tables: {defined}"),
            )
        })
    }

    /// The names of all tables.
    pub fn names(&self) -> String {
        self.list
            .iter()
            .map(|state| state.design.table.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The position of a table. Without a workload, an unknown table is defined by its name and
    /// what is known about its keys.
    pub fn find_or_define(
        &mut self,
        name: &str,
        keys: impl FnOnce() -> KeySchema,
    ) -> Option<usize> {
        if let Some(known) = self.find(name) {
            return Some(known);
        }
        if self.declared {
            return None;
        }
        let table = Table {
            name: name.to_string(),
            class: TableClass::Standard,
            keys: keys(),
            indexes: Vec::new(),
            vectors: Vec::new(),
        };
        self.definitions
            .push(Definition::Table(name.to_string(), table.keys.clone()));
        Some(self.define(TableDesign::of(table, Capacity::OnDemand)))
    }

    fn define(&mut self, design: TableDesign) -> usize {
        let at = self.list.len();
        self.numbers.insert(design.table.name.clone(), at);
        self.list.push(TableState::new(design, false));
        at
    }

    /// The position of an index. In a table that no workload declares, an unknown index is defined
    /// by its name alone.
    pub fn index(&mut self, table: usize, name: &str) -> Option<usize> {
        let state = self.list.get_mut(table)?;
        if let Some(known) = state
            .design
            .table
            .indexes
            .iter()
            .position(|index| index.name == name)
        {
            return Some(known);
        }
        if state.declared {
            return None;
        }
        let index = Index {
            name: name.to_string(),
            kind: IndexKind::Global,
            keys: Vec::new(),
            projection: Projection::KeysOnly,
        };
        state.design.add_index(index);
        self.definitions
            .push(Definition::Index(table, name.to_string()));
        Some(state.design.table.indexes.len() - 1)
    }

    /// Executes a CreateTable request. A table that a workload declares stays as it is declared.
    ///
    /// # Errors
    /// What is missing in the request.
    pub fn create(&mut self, request: &Value) -> Result<(), String> {
        let text = |value: &Value, name: &str| {
            value[name]
                .as_str()
                .map(str::to_string)
                .ok_or_else(|| format!("{name} is missing in CreateTable"))
        };
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let keys = |schema: &Value, kind: &str| -> Result<Vec<String>, String> {
            list(schema)
                .iter()
                .filter(|key| key["KeyType"] == kind)
                .map(|key| text(key, "AttributeName"))
                .collect()
        };
        let name = text(request, "TableName")?;
        if let Some(known) = self.find(&name) {
            let state = &self.list[known];
            return match state.declared || state.stored.count() == 0 {
                true => Ok(()),
                false => Err(format!("the table {name} already exists")),
            };
        }
        let (mut indexes, mut capacities) = (Vec::new(), Vec::new());
        for (field, kind) in [
            ("LocalSecondaryIndexes", IndexKind::Local),
            ("GlobalSecondaryIndexes", IndexKind::Global),
        ] {
            for index in list(&request[field]) {
                indexes.push(index_of(&index, kind)?);
                capacities.push(provisioned(&index));
            }
        }
        let vectors = list(&request["VectorIndexes"])
            .iter()
            .map(vector_index_of)
            .collect::<Result<Vec<_>, _>>()?;
        let partition = keys(&request["KeySchema"], "HASH")?
            .into_iter()
            .next()
            .ok_or_else(|| "the KeySchema has no HASH key".to_string())?;
        let sort = keys(&request["KeySchema"], "RANGE")?.into_iter().next();
        let class = match request["TableClass"].as_str() {
            Some("STANDARD_INFREQUENT_ACCESS") => TableClass::StandardIa,
            _ => TableClass::Standard,
        };
        let on_demand = request["BillingMode"].as_str() == Some("PAY_PER_REQUEST");
        let capacity = match provisioned(request).filter(|_| !on_demand) {
            Some(units) => Capacity::Provisioned(units),
            None => Capacity::OnDemand,
        };
        let table = Table {
            name,
            class,
            keys: KeySchema { partition, sort },
            indexes: Vec::new(),
            vectors: vectors.iter().map(VectorIndex::read).collect(),
        };
        let is_provisioned = capacity != Capacity::OnDemand;
        let mut design = TableDesign::of(table, capacity);
        design.vectors = vectors;
        for (index, capacity) in indexes.into_iter().zip(capacities) {
            let global = index.kind == IndexKind::Global;
            design.add_index(index);
            if let Some(last) = design.indexes.last_mut() {
                last.capacity =
                    (is_provisioned && global).then(|| capacity.unwrap_or(UNKNOWN_UNITS));
            }
        }
        self.define(design);
        self.definitions
            .push(Definition::Create(request.to_string()));
        Ok(())
    }

    /// Repeats the definitions of a trace.
    ///
    /// # Errors
    /// What is missing in a request.
    pub fn define_again(&mut self, definitions: &[Definition]) -> Result<(), String> {
        let json =
            |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        for definition in definitions {
            match definition {
                Definition::Table(name, keys) => drop(self.find_or_define(name, || keys.clone())),
                Definition::Index(table, name) => drop(self.index(*table, name)),
                Definition::Create(request) => self.create(&json(request)?)?,
                Definition::Update(request) => self.update(&json(request)?)?,
            }
        }
        Ok(())
    }

    /// Executes an UpdateTable request: only additions and deletions of global indexes, in tables
    /// that no workload declares.
    ///
    /// # Errors
    /// What is missing in the request, or cannot be replayed.
    pub fn update(&mut self, request: &Value) -> Result<(), String> {
        let name = request["TableName"].as_str().unwrap_or_default();
        let table = self
            .find(name)
            .ok_or_else(|| format!("the table {} is not defined", name.escape_debug()))?;
        let state = &mut self.list[table];
        let is_declared = state.declared;
        for update in request["GlobalSecondaryIndexUpdates"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|_| !is_declared)
        {
            if let Some(index) = update.get("Delete") {
                let name = index["IndexName"].as_str().unwrap_or_default();
                let there = state
                    .design
                    .table
                    .indexes
                    .iter()
                    .position(|known| known.name == name);
                let there = there.filter(|at| !state.has_ended(*at));
                state.end(there.ok_or_else(|| {
                    format!(
                        "{} is not an index of {}",
                        name.escape_debug(),
                        state.design.table.name
                    )
                })?);
            }
            if let Some(index) = update.get("Create") {
                state.add(index_of(index, IndexKind::Global)?, provisioned(index));
            }
        }
        self.definitions
            .push(Definition::Update(request.to_string()));
        Ok(())
    }

    /// Executes a DeleteTable request: the items are deleted; what the table consumed is kept.
    ///
    /// # Errors
    /// If the table does not exist.
    pub fn delete(&mut self, request: &Value) -> Result<(), String> {
        let name = request["TableName"].as_str().unwrap_or_default();
        let table = self
            .find(name)
            .ok_or_else(|| format!("the table {} is not defined", name.escape_debug()))?;
        let state = &mut self.list[table];
        (state.store, state.stored) = (Store::default(), Stored::default());
        Ok(())
    }
}

/// Provisioned units that a request does not give.
const UNKNOWN_UNITS: ByDirection<Units> = ByDirection {
    read: Units::Unknown,
    write: Units::Unknown,
};

/// The provisioned units of a table or an index in a request; `None` if it gives none.
fn provisioned(level: &Value) -> Option<ByDirection<Units>> {
    let units = |name: &str| {
        level["ProvisionedThroughput"][name]
            .as_u64()
            .filter(|units| *units > 0)
            .map(Units::Fixed)
    };
    units("ReadCapacityUnits")
        .zip(units("WriteCapacityUnits"))
        .map(|(read, write)| ByDirection { read, write })
}

/// An index as a CreateTable or an UpdateTable describes it.
/// A vector index of a CreateTable.
fn vector_index_of(index: &Value) -> Result<VectorIndex, String> {
    let name = index["IndexName"]
        .as_str()
        .ok_or_else(|| "a vector index without IndexName".to_string())?;
    let attribute = index["VectorAttribute"]["AttributeName"].as_str();
    let (Some(attribute), Some(dimensions)) = (attribute, index["Dimensions"].as_u64()) else {
        return Err(format!(
            "the vector index {} has no VectorAttribute or no Dimensions",
            name.escape_debug()
        ));
    };
    Ok(VectorIndex {
        name: name.to_string(),
        attribute: attribute.to_string(),
        dimensions,
        projection: projection_of(index),
        coverage: Exact::one(),
        entry_size: None,
        key_bytes: None,
    })
}

/// What an index of a CreateTable holds besides its keys.
fn projection_of(index: &Value) -> Projection {
    let names = index["Projection"]["NonKeyAttributes"].as_array();
    match index["Projection"]["ProjectionType"].as_str() {
        Some("ALL") => Projection::All,
        Some("INCLUDE") => {
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            Projection::Include(names.map(str::to_string).collect())
        }
        _ => Projection::KeysOnly,
    }
}

fn index_of(index: &Value, kind: IndexKind) -> Result<Index, String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let keys = |kind: &str| {
        let of_kind = list(&index["KeySchema"])
            .into_iter()
            .filter(|key| key["KeyType"] == kind);
        of_kind
            .filter_map(|key| key["AttributeName"].as_str().map(str::to_string))
            .collect::<Vec<_>>()
    };
    let name = index["IndexName"]
        .as_str()
        .ok_or_else(|| "an index without IndexName".to_string())?;
    let keys = [keys("HASH"), keys("RANGE")].concat();
    if keys.is_empty() {
        return Err(format!(
            "the index {} has no KeySchema",
            name.escape_debug()
        ));
    }
    Ok(Index {
        name: name.to_string(),
        kind,
        keys,
        projection: projection_of(index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_leads_to_the_class_that_is_drawn() {
        for weights in [
            vec![1],
            vec![3, 1, 996],
            (1..700).collect(),
            vec![u64::MAX / 4; 3],
        ] {
            let draws = Draws::of(weights.iter().copied().zip(0..));
            let total: u64 = weights.iter().sum();
            for key in 0..20_000 {
                let mut at =
                    ((u128::from(mixed(key, salt::SIZE)) * u128::from(total)) >> 64) as u64;
                let class = weights.iter().position(|weight| {
                    let here = at < *weight;
                    at = at.wrapping_sub(*weight);
                    here
                });
                assert_eq!(draws.of_key(key).map(|bytes| bytes as usize), class);
            }
        }
        assert_eq!(Draws::of(std::iter::empty()).of_key(7), None);
    }
}
