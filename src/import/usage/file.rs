//! What a usage file says, and how it joins a design.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, Source};
use crate::import::draft::{Draft, Fields, Origin, Sourced, TableDraft, UnitsDraft};
use crate::import::node::{SourceNode, wrong};
use crate::import::unused::UnusedPart;

/// A usage file.
#[derive(Clone, Debug)]
pub(in crate::import) struct UsageFile {
    pub source: Arc<Source>,
    pub head: Fields,
    pub parameters: Vec<(String, SourceNode)>,
    pub tables: Vec<TableUsage>,
    /// Values that apply to all tables that do not have their own.
    pub defaults: Option<TableUsage>,
    /// Whether it also speaks of tables of other designs.
    pub is_shared: bool,
    /// Notes about its values that a workload cannot describe.
    pub notes: Vec<String>,
}

/// The usage of one table.
#[derive(Clone, Debug, Default)]
pub(in crate::import) struct TableUsage {
    pub name: String,
    pub origin: Origin,
    pub fields: Fields,
    /// `bytes` or `digits` of the keys.
    pub keys: Vec<(&'static str, Fields)>,
    pub indexes: Vec<(String, Origin, Fields)>,
    pub blocks: Vec<(&'static str, Fields)>,
    pub access: Vec<Fields>,
    pub consumed: Vec<Fields>,
    pub replicas: Vec<(String, Origin, Fields, Vec<Fields>)>,
    pub capacity: Fields,
    /// Costs that a workload cannot describe.
    pub unpriced: Vec<Sourced>,
    /// Notes about its values that a workload cannot describe.
    pub notes: Vec<String>,
}

impl TableUsage {
    /// Whether the name stands for several tables: `aws_dynamodb_table.orders[*]`.
    fn is_pattern(&self) -> bool {
        self.name.contains("[*]")
    }

    /// Whether a pattern stands for a table.
    fn matches(&self, table: &TableDraft) -> bool {
        // Each wildcard stands for one instance key.
        let parts: Vec<&str> = self.name.split("[*]").collect();
        table.ids.iter().any(|id| {
            let mut rest = id.as_str();
            parts.iter().enumerate().all(|(at, part)| {
                let Some(after) = rest.strip_prefix(part) else {
                    return false;
                };
                rest = after;
                if at + 1 == parts.len() {
                    return rest.is_empty();
                }
                match rest.starts_with('[').then(|| rest.find(']')).flatten() {
                    Some(end) => {
                        rest = &rest[end + 1..];
                        true
                    }
                    None => false,
                }
            })
        })
    }

    /// What it says and a table does not have yet.
    fn without(&self, table: &TableDraft) -> TableUsage {
        let mut missing = self.clone();
        missing
            .fields
            .0
            .retain(|(key, _)| table.fields.get(key).is_none());
        for consumed in &mut missing.consumed {
            let has = |key: &str| {
                let own = table
                    .consumed
                    .iter()
                    .filter(|one| one.get("index").is_none());
                own.into_iter().any(|one| one.get(key).is_some())
            };
            consumed.0.retain(|(key, _)| !has(key));
        }
        missing.consumed.retain(|consumed| !consumed.is_empty());
        if !table.access.is_empty() {
            missing.consumed.clear();
        }
        missing
    }
}

impl UsageFile {
    /// The region that it gives.
    pub fn region(&self) -> Option<String> {
        self.head.get("region").map(Sourced::plain)
    }

    /// Values for the parameters of a template.
    pub fn parameters(&self) -> BTreeMap<String, SourceNode> {
        self.parameters.iter().cloned().collect()
    }

    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Adds all values to the draft. Returns the parts of the file that the design does not have.
    pub fn join(&self, draft: &mut Draft, problems: &mut Vec<Diagnostic>) -> Vec<UnusedPart> {
        for (key, said) in &self.head.0 {
            if !matches!(key.as_str(), "region" | "name") || draft.head.get(key).is_none() {
                draft.head.set(key, said.clone());
            }
        }
        draft.notes.extend(self.notes.iter().cloned());
        let mut unused = Vec::new();
        let mut joined: Vec<String> = Vec::new();
        let there = listed(draft.tables.iter().map(|table| table.label.clone()), "none");
        for usage in self.tables.iter().filter(|usage| !usage.is_pattern()) {
            self.cluster_of(usage, draft);
            let Some(table) = draft.tables.iter_mut().find(|table| table.is(&usage.name)) else {
                let message = format!("the design has no table {:?}", usage.name);
                if self.is_shared {
                    let note = format!("{message}; its usage was not imported");
                    draft.notes.push(note);
                    continue;
                }
                let help = format!("the tables are: {there}");
                unused.push(UnusedPart::of(self.unknown(&usage.origin, message, &help)));
                // Without its table, every part of it is unused as well.
                unused.extend(self.parts_of(usage).into_iter().map(UnusedPart::within));
                continue;
            };
            if joined.contains(&table.label) {
                problems.push(self.described_twice(usage, table));
            }
            joined.push(table.label.clone());
            self.join_table(usage, table, &mut unused);
        }
        let patterns = self.tables.iter().filter(|usage| usage.is_pattern());
        for usage in patterns.chain(&self.defaults) {
            let is_default = self
                .defaults
                .as_ref()
                .is_some_and(|all| std::ptr::eq(all, usage));
            let tables = draft.tables.iter_mut();
            for table in tables.filter(|table| is_default || usage.matches(table)) {
                let missing = usage.without(table);
                self.join_table(&missing, table, &mut unused);
            }
        }
        unused
    }

    fn described_twice(&self, usage: &TableUsage, table: &TableDraft) -> Diagnostic {
        let message = format!(
            "{:?} refers to the table {}, which the file already describes",
            usage.name, table.label
        );
        let span = usage.origin.as_ref().map_or(0..0, |(_, span)| span.clone());
        let help = "describe each table once";
        wrong(&self.source, span, "duplicate-table", message, help)
    }

    /// Moves a cluster to the table for which the usage file has settings of DAX, if the design does
    /// not say which table it serves.
    fn cluster_of(&self, usage: &TableUsage, draft: &mut Draft) {
        let asks = usage.blocks.iter().any(|(name, _)| *name == "dax");
        let Some(at) = draft.tables.iter().position(|table| table.is(&usage.name)) else {
            return;
        };
        if !asks || draft.tables[at].find_block("dax").is_some() {
            return;
        }
        let Some(mut dax) = draft.clusters.pop() else {
            return;
        };
        dax.remove("name");
        draft.tables[at].blocks.push(("dax", dax));
    }

    /// The parts of a table that a design may lack.
    fn parts_of(&self, usage: &TableUsage) -> Vec<Diagnostic> {
        let indexes = usage.indexes.iter().map(|(_, origin, _)| origin.clone());
        let replicas = usage.replicas.iter().map(|(_, origin, ..)| origin.clone());
        let calls = usage.access.iter().chain(&usage.consumed);
        let in_replicas = usage.replicas.iter().flat_map(|(.., access)| access);
        let named = calls.chain(in_replicas).filter_map(|one| one.get("index"));
        let named = named.map(|said| said.origin.clone());
        let origins = indexes.chain(replicas).chain(named);
        origins
            .map(|origin| self.unknown(&origin, String::new(), ""))
            .collect()
    }

    fn unknown(&self, origin: &Origin, message: String, help: &str) -> Diagnostic {
        let span = origin.as_ref().map_or(0..0, |(_, span)| span.clone());
        wrong(&self.source, span, "unknown-table", message, help)
    }

    pub(super) fn join_table(
        &self,
        usage: &TableUsage,
        table: &mut TableDraft,
        unused: &mut Vec<UnusedPart>,
    ) {
        table.fields.take(&usage.fields);
        let item = usage.fields.get("item");
        let is_export = item.is_some_and(|item| item.toml.contains("export"));
        if is_export && usage.fields.get("items").is_none() {
            table.fields.remove("items");
        }
        for (key, sizes) in &usage.keys {
            let said = key_with(table.fields.get(key), sizes, &usage.origin);
            table.fields.set(key, said);
        }
        self.join_indexes(usage, table, unused);
        self.join_blocks(usage, table, unused);
        let access = self.of_known_indexes(&usage.access, table, unused);
        let consumed = self.of_known_indexes(&usage.consumed, table, unused);
        table.access.extend(access);
        table.consumed.extend(consumed);
        self.join_replicas(usage, table, unused);
        for (key, said) in &usage.capacity.0 {
            let fixed = || UnitsDraft {
                fixed: Some(said.clone()),
                ..UnitsDraft::default()
            };
            match key.as_str() {
                "read" => table.read = fixed(),
                "write" => table.write = fixed(),
                _ => table.capacity.set(key, said.clone()),
            }
        }
        table.unpriced.extend(usage.unpriced.iter().cloned());
        table.notes.extend(usage.notes.iter().cloned());
    }

    /// Access patterns and consumed units, without those of an index that the table does not have.
    fn of_known_indexes(
        &self,
        calls: &[Fields],
        table: &TableDraft,
        unused: &mut Vec<UnusedPart>,
    ) -> Vec<Fields> {
        let names = table.index_names();
        let is_known = |one: &&Fields| match one.get("index") {
            None => true,
            Some(said) if names.contains(&said.plain()) => true,
            Some(said) => {
                let message = format!("{} has no index {:?}", table.label, said.plain());
                let help = format!("its indexes are: {}", listed(names.iter().cloned(), "none"));
                let found = self.unknown(&said.origin, message, &help);
                unused.push(UnusedPart::of(found));
                false
            }
        };
        calls.iter().filter(is_known).cloned().collect()
    }

    fn join_indexes(
        &self,
        usage: &TableUsage,
        table: &mut TableDraft,
        unused: &mut Vec<UnusedPart>,
    ) {
        for (name, origin, fields) in &usage.indexes {
            if let Some(index) = table.index(name) {
                index.fields.take(fields);
                continue;
            }
            let names = table.indexes.iter().map(|index| index.name.plain());
            let help = format!("its indexes are: {}", listed(names, "none"));
            let message = format!("{} has no index {name:?}", table.label);
            unused.push(UnusedPart::of(self.unknown(origin, message, &help)));
        }
    }

    fn join_blocks(
        &self,
        usage: &TableUsage,
        table: &mut TableDraft,
        unused: &mut Vec<UnusedPart>,
    ) {
        for (name, fields) in &usage.blocks {
            // Stream settings need a stream and DAX settings need a cluster.
            let needed = match *name {
                "dax" => Some(("node_type", "no DAX cluster")),
                "stream" => Some(("view", "no stream")),
                _ => None,
            };
            let is_there = table.find_block(name).is_some();
            if let Some((_, what)) = needed.filter(|(key, _)| {
                !is_there && fields.get(key).is_none() && fields.get("kinesis").is_none()
            }) {
                let help =
                    format!("remove [table.{name}] from the usage file, or add one to the design");
                let message = format!("{} has {what}", table.label);
                unused.push(UnusedPart::of(self.unknown(&usage.origin, message, &help)));
                continue;
            }
            table.block(name).take(fields);
        }
    }

    fn join_replicas(
        &self,
        usage: &TableUsage,
        table: &mut TableDraft,
        unused: &mut Vec<UnusedPart>,
    ) {
        for (region, origin, fields, access) in &usage.replicas {
            let access = self.of_known_indexes(access, table, unused);
            let mut replicas = table.replicas.iter_mut();
            if let Some(replica) = replicas.find(|replica| replica.region.plain() == *region) {
                replica.fields.take(fields);
                replica.access.extend(access);
                continue;
            }
            let names = table.replicas.iter().map(|replica| replica.region.plain());
            let help = format!("its replicas are in: {}", listed(names, "no other region"));
            let message = format!("{} has no replica in {region:?}", table.label);
            unused.push(UnusedPart::of(self.unknown(origin, message, &help)));
        }
    }
}

/// Names in a list, or a word for none.
fn listed(names: impl Iterator<Item = String>, none: &str) -> String {
    let names: Vec<String> = names.collect();
    match names.as_slice() {
        [] => none.to_string(),
        names => names.join(", "),
    }
}

/// A key of the design with the sizes of the usage file, or the key of the usage file.
fn key_with(own: Option<&Sourced>, sizes: &Fields, origin: &Origin) -> Sourced {
    let given: Vec<String> = sizes
        .0
        .iter()
        .map(|(key, said)| format!("{key} = {}", said.toml))
        .collect();
    let given = given.join(", ");
    let is_named = sizes.get("name").is_some();
    match own.filter(|own| own.toml.starts_with('{') && !is_named) {
        Some(own) => Sourced {
            toml: format!("{}, {given} }}", own.toml.trim_end_matches([' ', '}'])),
            ..own.clone()
        },
        None => Sourced::new(format!("{{ {given} }}"), "the usage file", origin.clone()),
    }
}
