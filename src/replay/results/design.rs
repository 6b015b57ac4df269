//! A workload file made of a trace: the tables with their entities, as the keys of the items tell
//! them apart, and an access pattern for each kind of call.

use std::collections::{BTreeMap, BTreeSet};

use crate::replay::engine::Engine;
use crate::replay::tally::consumption::TraceSpan;
use crate::replay::tally::found::{
    Change, FoundAction, FoundAttribute, FoundCalls, FoundEntity, FoundItems, FoundKind,
    FoundMember,
};
use crate::table::KeyStart;
use crate::table::{ApiName, Index, IndexKind, Projection, Table, Target};
use crate::units::Exact;
use crate::workload::{TableDesign, Units, Workload};

/// An entity that was found by how the keys of its items begin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundEntityItems {
    /// The table.
    pub table: String,
    /// A name, made of how the keys begin.
    pub name: String,
    /// How the partition key begins; may be empty.
    pub partition: String,
    /// How the sort key begins; may be empty.
    pub sort: String,
    /// The items at the end of the trace.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The entities of the tables in which keys begin in more than one way.
pub(in crate::replay) fn entities(engine: &Engine) -> Vec<FoundEntityItems> {
    let mut all = Vec::new();
    for (at, state) in engine.tables.list.iter().enumerate() {
        let found = Entities::of(engine, at);
        if found.0.len() < 2 {
            continue;
        }
        all.extend(found.0.iter().map(|(start, entity)| FoundEntityItems {
            table: state.design.table.name.clone(),
            name: entity.name.clone(),
            partition: start.partition.clone(),
            sort: start.sort.clone(),
            items: entity.items,
            bytes: entity.bytes,
        }));
    }
    all
}

/// The entities of a table.
struct Entities<'e>(BTreeMap<&'e KeyStart, Described<'e>>);

/// An entity with what is known of its items.
struct Described<'e> {
    name: String,
    /// The items at the end of the trace.
    items: u64,
    /// Their bytes.
    bytes: u64,
    /// The attributes, each with the share of the items that have it; 0 if only earlier ones had it.
    attributes: BTreeMap<&'e str, (FoundAttribute, Exact)>,
}

impl<'e> Described<'e> {
    /// An entity by its items at the end, or by all that were written if none is left.
    fn of(name: String, left: Option<&'e FoundEntity>, written: Option<&'e FoundEntity>) -> Self {
        let mut attributes = BTreeMap::new();
        let of = left.filter(|left| left.items > 0).or(written);
        for (entity, counts) in of
            .map(|of| (of, true))
            .into_iter()
            .chain(written.map(|of| (of, false)))
        {
            for (name, one) in &entity.attributes {
                let share = match counts {
                    true => Exact::ratio(one.items, entity.items.max(1)),
                    false => Exact::zero(),
                };
                attributes
                    .entry(name.as_str())
                    .or_insert_with(|| (one.clone(), share));
            }
        }
        Described {
            name,
            items: left.map_or(0, |left| left.items),
            bytes: left.map_or(0, |left| left.bytes),
            attributes,
        }
    }

    /// Whether some of its items lack an attribute.
    fn is_optional(&self, name: &str) -> bool {
        let own = self.attributes.get(name);
        own.is_some_and(|(_, share)| *share < Exact::one())
    }
}

impl<'e> Entities<'e> {
    fn of(engine: &'e Engine, table: usize) -> Entities<'e> {
        let found = &engine.tally.totals.found;
        let starts: BTreeSet<&(usize, KeyStart)> = found
            .entities
            .keys()
            .chain(found.written.keys())
            .filter(|(at, _)| *at == table)
            .collect();
        let mut names = BTreeSet::new();
        let described = starts.into_iter().map(|at| {
            let name = at.1.name(&names);
            names.insert(name.clone());
            let (left, written) = (found.entities.get(at), found.written.get(at));
            (&at.1, Described::of(name, left, written))
        });
        Entities(described.collect())
    }

    /// The name of an entity, if the table has several.
    fn name(&self, start: &KeyStart) -> Option<&str> {
        (self.0.len() > 1)
            .then(|| self.0.get(start).map(|entity| entity.name.as_str()))
            .flatten()
    }
}

/// The workload file of a trace; an error if the trace does not have the items of its tables.
pub(in crate::replay) fn text(
    engine: &Engine,
    measured: &Workload,
    span: &TraceSpan,
) -> Result<String, String> {
    let mut file = File::default();
    file.line("# Made of a trace by `dynameter replay --write-workload`.");
    file.line(&format!("# Rates: the calls of the trace,{}.", span.words));
    file.line("# Entities are told apart by how their keys begin; an attribute has its mean size.");
    file.key("name", &quoted("Measured"));
    file.key("region", &quoted(&measured.region));
    if let Some(prices) = measured.prices {
        file.key("prices", &quoted(&prices.to_string()));
    }
    file.key("month_hours", &plain(measured.month.hours()));
    let mut written = 0;
    for (at, state) in engine.tables.list.iter().enumerate() {
        if state.has_items {
            file.table(engine, at, span);
            written += 1;
        }
    }
    match written {
        0 => Err("the trace does not have the items of its tables".to_string()),
        _ => Ok(file.0),
    }
}

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_string()).to_string()
}

/// A number as TOML; rounded to six decimals.
fn plain(number: &Exact) -> String {
    number.human(6).replace(',', "")
}

fn list(texts: impl IntoIterator<Item = String>) -> String {
    let all: Vec<String> = texts.into_iter().map(|text| quoted(&text)).collect();
    format!("[{}]", all.join(", "))
}

/// The text of a workload file.
#[derive(Default)]
struct File(String);

impl File {
    fn line(&mut self, text: &str) {
        self.0 += text;
        self.0.push('\n');
    }

    fn key(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {value}"));
    }

    fn table(&mut self, engine: &Engine, at: usize, span: &TraceSpan) {
        let design = &engine.tables.list[at].design;
        let table = &design.table;
        let entities = Entities::of(engine, at);
        self.line("\n[[table]]");
        self.key("name", &quoted(&table.name));
        self.keys(table, &entities);
        if let Some(units) = units_of(design, Target::Table) {
            self.key(
                "capacity",
                &format!("{{ mode = \"provisioned\", {units} }}"),
            );
        }
        let unseen = unseen_keys(table, &entities);
        if let [(_, only)] = entities.0.iter().collect::<Vec<_>>().as_slice() {
            self.key("items", &only.items.to_string());
            self.key("item.attributes", &attributes(only, table, &unseen));
        }
        if entities.0.is_empty() {
            self.key("items", "0");
            self.key("item.size", "\"1 KB\"");
        }
        if entities.0.len() > 1 {
            for (at, (start, entity)) in entities.0.iter().enumerate() {
                let unseen = if at == 0 { unseen.as_slice() } else { &[] };
                self.line("\n[[table.entity]]");
                self.key("name", &quoted(&entity.name));
                self.key("items", &entity.items.to_string());
                if !start.is_empty() {
                    let both = format!(
                        "{{ partition = {}, sort = {} }}",
                        quoted(&start.partition),
                        quoted(&start.sort)
                    );
                    self.key("key_prefix", &both);
                }
                self.key("item.attributes", &attributes(entity, table, unseen));
            }
        }
        for (position, index) in table.indexes.iter().enumerate() {
            self.index(index, table);
            let units = units_of(design, Target::Index(position));
            if let (IndexKind::Global, Some(units)) = (index.kind, units) {
                self.line(&units.replace(", ", "\n"));
            }
        }
        let found = &engine.tally.totals.found.calls;
        let mut names = BTreeSet::new();
        let mut expired = 0;
        for (kind, calls) in found.iter().filter(|(kind, _)| kind.table == at) {
            if kind.api == ApiName::TimeToLiveDelete {
                expired += calls.calls;
                continue;
            }
            let pattern = Pattern {
                kind,
                calls,
                table,
                entities: &entities,
                span,
            };
            self.pattern(&pattern, &mut names);
        }
        if expired > 0 {
            self.line("\n[table.ttl]");
            self.key("deletes", &rate(expired, span));
        }
    }

    /// The keys of a table, with the mean bytes of their values.
    fn keys(&mut self, table: &Table, entities: &Entities) {
        let keys = [
            ("partition_key", Some(&table.keys.partition)),
            ("sort_key", table.keys.sort.as_ref()),
        ];
        for (key, name) in keys {
            let Some(name) = name else { continue };
            let found = entities.0.values();
            let found = found.filter_map(|entity| entity.attributes.get(name.as_str()));
            let (mut items, mut bytes, mut kind) = (0, 0, "S");
            for (one, _) in found {
                items += one.items;
                bytes += one.bytes;
                kind = match (one.numbers > 0, one.binary > 0) {
                    (true, _) => "N",
                    (_, true) => "B",
                    _ => kind,
                };
            }
            let size = match kind {
                "N" => String::new(),
                _ => format!(", bytes = {}", mean(bytes, items).max(1)),
            };
            let value = format!("{{ name = {}, type = \"{kind}\"{size} }}", quoted(name));
            self.key(key, &value);
        }
    }

    fn index(&mut self, index: &Index, table: &Table) {
        self.line("\n[[table.index]]");
        self.key("name", &quoted(&index.name));
        let keys: Vec<String> = index.keys.clone();
        match index.kind {
            IndexKind::Global => {
                self.key("kind", "\"global\"");
                let (partition, sort) = keys.split_at(1.min(keys.len()));
                self.key("partition_key", &one_or_list(partition));
                if !sort.is_empty() {
                    self.key("sort_key", &one_or_list(sort));
                }
            }
            IndexKind::Local => {
                self.key("kind", "\"local\"");
                self.key("partition_key", &quoted(&table.keys.partition));
                if let Some(sort) = keys.last() {
                    self.key("sort_key", &quoted(sort));
                }
            }
        }
        let projection = match &index.projection {
            Projection::All => "\"all\"".to_string(),
            Projection::KeysOnly => "\"keys-only\"".to_string(),
            Projection::Include(names) => {
                format!("{{ include = {} }}", list(names.iter().cloned()))
            }
        };
        self.key("projection", &projection);
    }

    fn pattern(&mut self, pattern: &Pattern, names: &mut BTreeSet<String>) {
        let Some(keys) = pattern.keys() else {
            self.line(&format!(
                "\n# Not described: {} calls of {}.",
                pattern.calls.calls,
                pattern.kind.api.name()
            ));
            return;
        };
        let name = pattern.name();
        let numbered = (2..).map(|number| format!("{name} {number}"));
        let mut candidates = std::iter::once(name.clone()).chain(numbered);
        let free = candidates.find(|name| !names.contains(name));
        let name = free.unwrap_or(name.clone());
        names.insert(name.clone());
        self.line("\n[[table.access]]");
        self.key("name", &quoted(&name));
        self.key("operation", &quoted(pattern.kind.api.name()));
        for (key, value) in keys {
            self.key(key, &value);
        }
        self.key("rate", &rate(pattern.calls.calls, pattern.span));
    }
}

/// Calls of the trace as a rate.
fn rate(calls: u64, span: &TraceSpan) -> String {
    let a_month = &Exact::from(calls) * &span.factor;
    format!("{{ per_month = {} }}", plain(&a_month))
}

/// Fixed provisioned units of a table or an index.
fn units_of(design: &TableDesign, target: Target) -> Option<String> {
    let units = design.provisioned(target)?;
    match (&units.read, &units.write) {
        (Units::Fixed(read), Units::Fixed(write)) => {
            Some(format!("read = {read}, write = {write}"))
        }
        _ => None,
    }
}

fn one_or_list(names: &[String]) -> String {
    match names {
        [one] => quoted(one),
        several => list(several.iter().cloned()),
    }
}

/// A mean, rounded half up.
fn mean(sum: u64, count: u64) -> u64 {
    (2 * sum + count) / (2 * count.max(1))
}

/// Keys of indexes that no item of the trace has.
fn unseen_keys<'t>(table: &'t Table, entities: &Entities) -> Vec<&'t str> {
    let is_seen = |name: &str| {
        let mut all = entities.0.values();
        all.any(|entity| entity.attributes.contains_key(name))
    };
    let keys = table.indexes.iter().flat_map(|index| &index.keys);
    let unseen = keys.filter(|name| !is_seen(name) && table.keys.names().all(|key| key != *name));
    let unseen: BTreeSet<&str> = unseen.map(String::as_str).collect();
    unseen.into_iter().collect()
}

/// The attributes of an entity besides the keys of the table, each with the mean bytes of its values
/// and the share of the items that have it.
fn attributes(entity: &Described, table: &Table, unseen: &[&str]) -> String {
    let is_key = |name: &str| table.keys.names().any(|key| key == name);
    let own = entity.attributes.iter().filter(|(name, _)| !is_key(name));
    let rows = own.map(|(name, (one, share))| {
        let bytes = mean(one.bytes, one.items);
        let value = match (one.numbers > 0, one.binary > 0) {
            (true, _) => format!("type = \"N\", bytes = {}", bytes.clamp(1, 21)),
            (_, true) => format!("type = \"B\", bytes = {bytes}"),
            _ => format!("type = \"S\", bytes = {bytes}"),
        };
        let share = match *share < Exact::one() {
            true => format!(", share = {}", plain(share)),
            false => String::new(),
        };
        format!("  {{ name = {}, {value}{share} }},\n", quoted(name))
    });
    let unseen = unseen.iter().map(|name| {
        let name = quoted(name);
        format!("  {{ name = {name}, type = \"S\", bytes = 1, share = 0 }},  # in no item of the trace\n")
    });
    format!("[\n{}]", rows.chain(unseen).collect::<String>())
}

fn share(part: u64, whole: u64) -> String {
    plain(&Exact::ratio(part, whole.max(1)))
}

/// Calls of one kind as an access pattern.
struct Pattern<'a> {
    kind: &'a FoundKind,
    calls: &'a FoundCalls,
    table: &'a Table,
    entities: &'a Entities<'a>,
    span: &'a TraceSpan,
}

impl Pattern<'_> {
    /// A name: the operation, and the entity or the index.
    fn name(&self) -> String {
        let index = self.kind.index.and_then(|at| self.table.indexes.get(at));
        let entity = self.only_entity();
        let condition = [&self.kind.start.partition, &self.kind.start.sort];
        let condition: Vec<&str> = condition
            .into_iter()
            .map(String::as_str)
            .filter(|start| !start.is_empty())
            .collect();
        let of = match (index, entity, condition.as_slice()) {
            (Some(index), ..) => index.name.clone(),
            (None, Some(entity), _) if !self.is_page() => {
                format!("{entity}{}", self.effect_words())
            }
            (None, _, []) => self.effect_words(),
            (None, _, starts) => starts.join(" "),
        };
        format!("{} {of}", self.kind.api.name()).trim().to_string()
    }

    fn is_page(&self) -> bool {
        matches!(self.kind.api, ApiName::Query | ApiName::Scan)
    }

    /// The entity of all items, if there is only one.
    fn only_entity(&self) -> Option<&str> {
        let starts: BTreeSet<&KeyStart> = self.calls.items.keys().map(|one| &one.start).collect();
        match starts.into_iter().collect::<Vec<_>>().as_slice() {
            [only] => self.entities.name(only),
            _ => None,
        }
    }

    /// The keys of the access pattern besides its name, operation and rate; `None` if it cannot be
    /// described.
    fn keys(&self) -> Option<Vec<(&'static str, String)>> {
        let mut keys = Vec::new();
        if self.kind.strong {
            keys.push(("consistency", "\"strong\"".to_string()));
        }
        match self.kind.api {
            ApiName::Query | ApiName::Scan => self.page(&mut keys),
            ApiName::GetItem => self.get(&mut keys),
            ApiName::BatchGetItem | ApiName::TransactGetItems => self.gets(&mut keys)?,
            ApiName::PutItem | ApiName::UpdateItem | ApiName::DeleteItem => {
                self.write(&mut keys)?
            }
            ApiName::BatchWriteItem | ApiName::TransactWriteItems => self.actions(&mut keys),
            _ => return None,
        }
        Some(keys)
    }

    fn entity(&self, keys: &mut Vec<(&'static str, String)>) {
        if let Some(entity) = self.only_entity() {
            keys.push(("entity", quoted(entity)));
        }
    }

    fn page(&self, keys: &mut Vec<(&'static str, String)>) {
        if let Some(index) = self.kind.index.and_then(|at| self.table.indexes.get(at)) {
            keys.push(("index", quoted(&index.name)));
        }
        let calls = self.calls.calls.max(1);
        let all: u64 = self.calls.items.values().map(|items| items.items).sum();
        if all == 0 {
            keys.push(("items", "1".to_string()));
            keys.push(("missing", "1".to_string()));
            return;
        }
        let empty = self.calls.counts.get(&0).copied().unwrap_or_default();
        let found = calls - empty.min(calls);
        if empty > 0 {
            keys.push(("missing", share(empty, calls)));
        }
        let named: Vec<(&str, &FoundItems)> = self
            .calls
            .items
            .iter()
            .filter_map(|(one, items)| Some((self.entities.name(&one.start)?, items)))
            .collect();
        let value = match named.as_slice() {
            [] => self.counts(found),
            [(only, _)] => format!("{{ {} = {} }}", quoted(only), self.counts(found)),
            several => {
                let each = several.iter().map(|(name, items)| {
                    format!("{} = {}", quoted(name), share(items.items, found))
                });
                format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
            }
        };
        keys.push(("items", value));
    }

    /// The numbers of items of the pages that find any.
    fn counts(&self, found: u64) -> String {
        let some = self.calls.counts.iter().filter(|(items, _)| **items > 0);
        let some: Vec<(&u64, &u64)> = some.collect();
        if let [(items, _)] = some.as_slice() {
            return items.to_string();
        }
        // Shares are rounded, and the last has the rest.
        let mut left = Exact::one();
        let last = some.len().saturating_sub(1);
        let rows = some.iter().enumerate().map(|(at, (items, calls))| {
            let rounded = Exact::parse(&share(**calls, found)).unwrap_or_default();
            let own = if at == last { left.clone() } else { rounded };
            left = &left - &own;
            format!("{{ items = {items}, share = {} }}", plain(&own))
        });
        format!(
            "{{ histogram = [{}] }}",
            rows.collect::<Vec<_>>().join(", ")
        )
    }

    fn get(&self, keys: &mut Vec<(&'static str, String)>) {
        self.entity(keys);
        let (items, found) = self.sums();
        if found < items {
            keys.push(("missing", share(items - found, items)));
        }
    }

    /// Items and those that were there.
    fn sums(&self) -> (u64, u64) {
        let all = self.calls.items.values();
        all.fold((0, 0), |(items, found), one| {
            (items + one.items, found + one.found)
        })
    }

    fn gets(&self, keys: &mut Vec<(&'static str, String)>) -> Option<()> {
        self.entity(keys);
        let (items, found) = self.sums();
        if items == 0 {
            return None;
        }
        let calls = self.calls.calls.max(1);
        keys.push(("items", format!("{{ mean = {} }}", share(items, calls))));
        if found < items {
            keys.push(("missing", share(items - found, items)));
        }
        Some(())
    }

    fn write(&self, keys: &mut Vec<(&'static str, String)>) -> Option<()> {
        self.entity(keys);
        let (member, items) = self.calls.items.iter().next()?;
        keys.extend(finds(member.action, items));
        if self.calls.failed > 0 {
            keys.push((
                "condition_failures",
                share(self.calls.failed, self.calls.calls),
            ));
        }
        keys.extend(self.changes(member, items));
        Some(())
    }

    fn actions(&self, keys: &mut Vec<(&'static str, String)>) {
        let calls = self.calls.calls.max(1);
        let row = |(member, items): (&FoundMember, &FoundItems)| {
            let operation = match member.action {
                FoundAction::Put => "Put",
                FoundAction::Update => "Update",
                FoundAction::Delete => "Delete",
                FoundAction::Check | FoundAction::Read => "ConditionCheck",
            };
            let mut cells = vec![format!("operation = \"{operation}\"")];
            let entity = self.entities.name(&member.start);
            cells.extend(entity.map(|name| format!("entity = {}", quoted(name))));
            cells.push(format!("count = {}", share(items.items, calls)));
            let changes = self.changes(member, items);
            let rest = finds(member.action, items).into_iter().chain(changes);
            cells.extend(rest.map(|(key, value)| format!("{key} = {value}")));
            format!("  {{ {} }},\n", cells.join(", "))
        };
        let rows: String = self.calls.items.iter().map(row).collect();
        keys.push(("actions", format!("[\n{rows}]")));
        if self.kind.api == ApiName::TransactWriteItems {
            let cancelled = self.calls.failed.saturating_sub(self.calls.repeated);
            for (key, count) in [("cancelled", cancelled), ("replayed", self.calls.repeated)] {
                if count > 0 {
                    keys.push((key, share(count, calls)));
                }
            }
        }
    }
}

impl Pattern<'_> {
    /// What writes do to attributes: of updates, those that at least half of them change, add or
    /// remove; of puts, the optional keys of indexes that they have.
    fn changes(&self, member: &FoundMember, items: &FoundItems) -> Vec<(&'static str, String)> {
        let Some(entity) = self.entities.0.get(&member.start) else {
            return Vec::new();
        };
        let often = |how: Change| {
            // An attribute is named once: for what happens to it most often.
            let own = items.changed.iter().filter(move |(_, counts)| {
                let count = counts[how as usize];
                let earlier = &counts[..how as usize];
                let most = counts.iter().max() == Some(&count) && !earlier.contains(&count);
                most && count > 0 && 2 * count >= items.items
            });
            let known = own.filter(|(name, _)| entity.attributes.contains_key(name.as_str()));
            known.map(|(name, _)| name.clone()).collect::<Vec<_>>()
        };
        let optional = |names: Vec<String>| -> Vec<String> {
            let own = names.into_iter().filter(|name| entity.is_optional(name));
            own.collect()
        };
        let mut keys = Vec::new();
        let (sets, removes) = match member.action {
            FoundAction::Put => {
                let has = |name: &String| member.effect.iter().any(|(own, _)| own == name);
                let keys = self.table.indexes.iter().flat_map(|index| &index.keys);
                let keys: BTreeSet<&String> = keys.collect();
                let (sets, lacks): (Vec<_>, Vec<_>) = keys.into_iter().cloned().partition(has);
                // Of an item that was there, the keys are not known.
                let lacks = if items.found == 0 { lacks } else { Vec::new() };
                (optional(sets), optional(lacks))
            }
            FoundAction::Update if !items.changed.is_empty() => {
                keys.push(("changes", list(often(Change::Changes))));
                (
                    optional(often(Change::Sets)),
                    optional(often(Change::Removes)),
                )
            }
            _ => return keys,
        };
        for (key, names) in [("sets", sets), ("removes", removes)] {
            if !names.is_empty() {
                keys.push((key, list(names)));
            }
        }
        keys
    }

    /// What a write of one item does to keys of indexes, in words.
    fn effect_words(&self) -> String {
        let entity = self.entities.0.get(&self.kind.start);
        let words = self.kind.effect.iter().filter_map(|(name, how)| {
            let word = match (self.kind.api, how) {
                (ApiName::PutItem, _) => "with",
                (_, Change::Changes) => "changes",
                (_, Change::Sets) => "sets",
                (_, Change::Removes) => "removes",
            };
            entity?.is_optional(name).then(|| format!(" {word} {name}"))
        });
        words.collect()
    }
}

/// How many writes find an item, if that is not what is assumed.
fn finds(action: FoundAction, items: &FoundItems) -> Option<(&'static str, String)> {
    let missing = items.items - items.found;
    match action {
        FoundAction::Put => {
            (items.found > 0).then(|| ("overwrites", share(items.found, items.items)))
        }
        FoundAction::Read => None,
        _ => (missing > 0).then(|| ("missing", share(missing, items.items))),
    }
}
