//! The usage file: what plans and templates do not say about a table, joined by the table's name,
//! logical ID or address.
//!
//! A small TOML file with the keys of a workload file, or an Infracost usage file. Its values
//! override those of the design.
//!
//! ```toml
//! region = "us-east-1"
//!
//! [parameters]                 # for a CloudFormation template
//! Stage = "prod"
//!
//! [[table]]
//! name  = "Orders"
//! items = 10_000_000
//! item  = { size = "1.8 KB" }
//!
//! [[table.access]]
//! name = "read an order"
//! operation = "GetItem"
//! rate = { per_second = 800 }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::draft::{Draft, Fields, Origin, Sourced, TableDraft, UnitsDraft, number as written};
use super::node::{self, NodeKey, SourceNode, Value, wrong};
use super::unused::UnusedPart;
use crate::diag::{Diagnostic, Source};

/// A usage file.
#[derive(Clone, Debug)]
pub(super) struct UsageFile {
    source: Arc<Source>,
    head: Fields,
    parameters: Vec<(String, SourceNode)>,
    tables: Vec<TableUsage>,
    /// Notes about its values that a workload cannot describe.
    notes: Vec<String>,
}

/// The usage of one table.
#[derive(Clone, Debug)]
struct TableUsage {
    name: String,
    origin: Origin,
    fields: Fields,
    /// `bytes` or `digits` of the keys.
    keys: Vec<(&'static str, Fields)>,
    indexes: Vec<(String, Origin, Fields)>,
    blocks: Vec<(&'static str, Fields)>,
    access: Vec<Fields>,
    consumed: Vec<Fields>,
    replicas: Vec<(String, Origin, Fields, Vec<Fields>)>,
    capacity: Fields,
    /// Notes about its values that a workload cannot describe.
    notes: Vec<String>,
}

const HEAD: [&str; 9] = [
    "name",
    "region",
    "prices",
    "month_hours",
    "free_tier",
    "years_ahead",
    "switches",
    "parameters",
    "table",
];
const TABLE: [&str; 20] = [
    "name",
    "items",
    "stored",
    "item",
    "growth",
    "popularity",
    "partition_key",
    "sort_key",
    "index",
    "access",
    "consumed",
    "ttl",
    "backup",
    "stream",
    "import",
    "archive",
    "dax",
    "encryption",
    "replica",
    "capacity",
];
const BLOCKS: [&str; 7] = [
    "ttl",
    "backup",
    "stream",
    "import",
    "archive",
    "dax",
    "encryption",
];
const INDEX: [&str; 7] = [
    "name",
    "coverage",
    "entry_size",
    "stored",
    "popularity",
    "kind",
    "partition_key",
];
const REPLICA: [&str; 3] = ["region", "reads", "access"];
const CAPACITY: [&str; 4] = ["read", "write", "reserved", "mode"];
const KEY: [&str; 4] = ["bytes", "digits", "name", "type"];

/// Reads a usage file.
///
/// # Errors
/// Every error in it.
pub(super) fn read(source: &Arc<Source>) -> Result<UsageFile, Vec<Diagnostic>> {
    let is_yaml = source.text.lines().any(|line| {
        line.starts_with("resource_usage:") || line.starts_with("resource_type_default_usage:")
    });
    if is_yaml || source.text.trim_start().starts_with('{') {
        let document = node::read(source).map_err(|error| vec![*error])?;
        return infracost(source, &document);
    }
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if let Some(error) = errors.first() {
        let message = format!(
            "not TOML: {}",
            error.message().lines().collect::<Vec<_>>().join("; ")
        );
        let help =
            "a usage file is TOML with the keys of a workload file, or an Infracost usage file";
        return Err(vec![wrong(
            source,
            error.span().unwrap_or(0..0),
            "syntax",
            message,
            help,
        )]);
    }
    let mut reader = UsageReader {
        source,
        found: Vec::new(),
    };
    let usage = reader.usage(document.get_ref());
    if reader.found.is_empty() {
        Ok(usage)
    } else {
        Err(reader.found)
    }
}

type Toml<'a> = Spanned<DeValue<'a>>;

struct UsageReader<'a> {
    source: &'a Arc<Source>,
    found: Vec<Diagnostic>,
}

impl UsageReader<'_> {
    fn known(&mut self, table: &DeTable, keys: &[&str]) {
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !keys.contains(&name) {
                let near = keys
                    .iter()
                    .filter(|_| name.len() < 100)
                    .find(|known| strsim::damerau_levenshtein(known, name) <= 2);
                let help = near.map_or_else(
                    || format!("the allowed keys are {}", keys.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                self.found.push(wrong(
                    self.source,
                    key.span(),
                    "unknown-key",
                    format!("unknown key `{}` in a usage file", node::shown(name)),
                    help,
                ));
            }
        }
    }

    fn origin(&self, value: &Toml) -> Origin {
        Some((self.source.clone(), value.span()))
    }

    fn said(&self, value: &Toml) -> Sourced {
        Sourced::new(
            fragment(value, &self.source.text),
            "the usage file",
            self.origin(value),
        )
    }

    fn table<'t, 'v>(&mut self, value: &'t Toml<'v>, what: &str) -> Option<&'t DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let message = format!(
                "{what} must be a table, found {}",
                value.get_ref().type_str()
            );
            self.found.push(wrong(
                self.source,
                value.span(),
                "wrong-type",
                message,
                "write [header] and keys, or { key = value }",
            ));
        }
        table
    }

    /// The tables in an array of tables.
    fn tables<'t, 'v>(&mut self, value: Option<&'t Toml<'v>>, what: &str) -> Vec<&'t Toml<'v>> {
        let Some(value) = value else {
            return Vec::new();
        };
        let Some(list) = value.get_ref().as_array() else {
            let message = format!(
                "{what} must be an array of tables, found {}",
                value.get_ref().type_str()
            );
            self.found.push(wrong(
                self.source,
                value.span(),
                "wrong-type",
                message,
                format!("write [[{what}]]"),
            ));
            return Vec::new();
        };
        list.iter()
            .filter(|one| self.table(one, what).is_some())
            .collect()
    }

    /// The required name of a table.
    fn name(
        &mut self,
        table: &DeTable,
        key: &str,
        place: &Toml,
        what: &str,
    ) -> Option<(String, Origin)> {
        match table
            .get(key)
            .map(|value| (value.get_ref().as_str(), value))
        {
            Some((Some(name), value)) => Some((name.to_string(), self.origin(value))),
            Some((None, value)) => {
                self.found.push(wrong(
                    self.source,
                    value.span(),
                    "wrong-type",
                    format!("`{key}` must be a text"),
                    "write it in quotes",
                ));
                None
            }
            None => {
                let span = place.span().start..place.span().start + 1;
                self.found.push(wrong(
                    self.source,
                    span,
                    "missing-key",
                    format!("{what} has no `{key}`"),
                    format!("add `{key} = \"…\"`"),
                ));
                None
            }
        }
    }

    fn fields(&mut self, table: &DeTable, keys: &[&str], without: &[&str]) -> Fields {
        self.known(table, keys);
        // A workload file made from metrics can also be used as a usage file: ignore its unknown
        // values.
        let is_unknown = |value: &Toml| value.get_ref().as_str() == Some("unknown");
        let known = table.iter().filter(|(key, value)| {
            keys.contains(&key.get_ref().as_ref())
                && !without.contains(&key.get_ref().as_ref())
                && !is_unknown(value)
        });
        self.in_order(known)
    }

    /// Fields in the order in which they are written.
    fn in_order<'t>(
        &self,
        values: impl Iterator<Item = (&'t Spanned<DeString<'t>>, &'t Toml<'t>)>,
    ) -> Fields {
        let mut values: Vec<_> = values.collect();
        values.sort_by_key(|(key, _)| key.span().start);
        let field = |(key, value): (&Spanned<DeString>, &Toml)| {
            (key.get_ref().to_string(), self.said(value))
        };
        Fields(values.into_iter().map(field).collect())
    }

    /// All keys of a table, unchecked: the workload's reader checks them later.
    fn plain(&self, table: &DeTable) -> Fields {
        let fields = self.in_order(table.iter()).0.into_iter();
        Fields(fields.map(|(key, said)| (bare(&key), said)).collect())
    }

    fn usage(&mut self, document: &DeTable) -> UsageFile {
        self.known(document, &HEAD);
        let mut head = Fields::default();
        for key in &HEAD[..7] {
            if let Some(value) = document.get(*key) {
                head.set(key, self.said(value));
            }
        }
        let mut parameters = Vec::new();
        if let Some(value) = document.get("parameters")
            && let Some(table) = self.table(value, "parameters")
        {
            for (key, value) in table {
                let text = match value.get_ref() {
                    DeValue::String(text) => Value::Text(text.to_string()),
                    DeValue::Boolean(truth) => Value::Bool(*truth),
                    DeValue::Array(list) => {
                        let texts = list
                            .iter()
                            .filter_map(|one| one.get_ref().as_str().map(str::to_string));
                        Value::List(
                            texts
                                .map(|text| SourceNode::new(Value::Text(text), value.span()))
                                .collect(),
                        )
                    }
                    _ => Value::Number(fragment(value, &self.source.text).replace('_', "")),
                };
                parameters.push((
                    key.get_ref().to_string(),
                    SourceNode::new(text, value.span()),
                ));
            }
        }
        let tables = self.tables(document.get("table"), "table");
        let tables = tables
            .into_iter()
            .filter_map(|table| self.of_table(table))
            .collect();
        UsageFile {
            source: self.source.clone(),
            head,
            parameters,
            tables,
            notes: Vec::new(),
        }
    }

    fn of_table(&mut self, place: &Toml) -> Option<TableUsage> {
        let table = place.get_ref().as_table()?;
        let (name, origin) = self.name(table, "name", place, "a table")?;
        let without: Vec<&str> = TABLE[6..].iter().chain(&TABLE[..1]).copied().collect();
        let fields = self.fields(table, &TABLE, &without);
        let mut keys = Vec::new();
        for key in ["partition_key", "sort_key"] {
            if let Some(value) = table
                .get(key)
                .filter(|value| value.get_ref().as_str() != Some("unknown"))
                && let Some(inner) = self.table(value, key)
            {
                keys.push((key, self.fields(inner, &KEY, &[])));
            }
        }
        let mut blocks = Vec::new();
        for name in BLOCKS {
            if let Some(value) = table.get(name)
                && let Some(inner) = self.table(value, name)
            {
                blocks.push((name, self.plain(inner)));
            }
        }
        let mut indexes = Vec::new();
        for place in self.tables(table.get("index"), "table.index") {
            let Some(inner) = place.get_ref().as_table() else {
                continue;
            };
            let Some((name, origin)) = self.name(inner, "name", place, "an index") else {
                continue;
            };
            indexes.push((
                name,
                origin,
                self.fields(inner, &INDEX, &["name", "kind", "partition_key"]),
            ));
        }
        let patterns = |reader: &mut Self, table: &DeTable, key: &str| -> Vec<Fields> {
            let all = reader.tables(table.get(key), &format!("table.{key}"));
            all.into_iter()
                .filter_map(|place| place.get_ref().as_table().map(|inner| reader.plain(inner)))
                .collect()
        };
        let (access, consumed) = (
            patterns(self, table, "access"),
            patterns(self, table, "consumed"),
        );
        let mut replicas = Vec::new();
        for place in self.tables(table.get("replica"), "table.replica") {
            let Some(inner) = place.get_ref().as_table() else {
                continue;
            };
            let Some((region, origin)) = self.name(inner, "region", place, "a replica") else {
                continue;
            };
            let fields = self.fields(inner, &REPLICA, &["region", "access"]);
            let access = patterns(self, inner, "access");
            replicas.push((region, origin, fields, access));
        }
        let capacity = match table.get("capacity") {
            Some(value) => self
                .table(value, "capacity")
                .map(|inner| self.fields(inner, &CAPACITY, &["mode"]))
                .unwrap_or_default(),
            None => Fields::default(),
        };
        Some(TableUsage {
            name,
            origin,
            fields,
            keys,
            indexes,
            blocks,
            access,
            consumed,
            replicas,
            capacity,
            notes: Vec::new(),
        })
    }
}

/// A TOML key, quoted if needed.
fn bare(key: &str) -> String {
    let plain = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain {
        key.to_string()
    } else {
        super::draft::quoted(key)
    }
}

/// A value on one line, as written; tables as `{ }`.
fn fragment(value: &Toml, text: &str) -> String {
    match value.get_ref() {
        DeValue::Array(elements) => format!(
            "[{}]",
            elements
                .iter()
                .map(|one| fragment(one, text))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        DeValue::Table(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(key, _)| key.span().start);
            let entry = |(key, value): &(&Spanned<_>, &Toml)| {
                let key: &std::borrow::Cow<str> = key.get_ref();
                format!("{} = {}", bare(key), fragment(value, text))
            };
            let inner: Vec<String> = entries
                .iter()
                .map(|(key, value)| entry(&(key, value)))
                .collect();
            if inner.is_empty() {
                "{}".to_string()
            } else {
                format!("{{ {} }}", inner.join(", "))
            }
        }
        DeValue::String(written) => super::draft::quoted(written),
        _ => text.get(value.span()).unwrap_or_default().to_string(),
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
        for usage in &self.tables {
            self.cluster_of(usage, draft);
            let Some(table) = draft.tables.iter_mut().find(|table| table.is(&usage.name)) else {
                let message = format!("the design has no table {:?}", usage.name);
                let help = format!("the tables are: {there}");
                unused.push(UnusedPart::of(self.unknown(&usage.origin, message, &help)));
                // Without its table, every part of it is unused as well.
                unused.extend(self.parts_of(usage).into_iter().map(UnusedPart::within));
                continue;
            };
            if joined.contains(&table.label) {
                let message = format!(
                    "{:?} refers to the table {}, which the file already describes",
                    usage.name, table.label
                );
                let span = usage.origin.as_ref().map_or(0..0, |(_, span)| span.clone());
                problems.push(wrong(
                    &self.source,
                    span,
                    "duplicate-table",
                    message,
                    "describe each table once",
                ));
            }
            joined.push(table.label.clone());
            self.join_table(usage, table, &mut unused);
        }
        unused
    }

    /// Moves a cluster to the table for which the usage file has settings of DAX, if the design only
    /// guesses which table it serves.
    fn cluster_of(&self, usage: &TableUsage, draft: &mut Draft) {
        let asks = usage.blocks.iter().any(|(name, _)| *name == "dax");
        let Some(at) = draft.tables.iter().position(|table| table.is(&usage.name)) else {
            return;
        };
        if !asks || draft.tables[at].find_block("dax").is_some() {
            return;
        }
        let is_guess = |table: &&mut TableDraft| {
            let named = |own: &&TableUsage| table.is(&own.name);
            let own = self.tables.iter().find(named);
            let has_settings =
                own.is_some_and(|own| own.blocks.iter().any(|(name, _)| *name == "dax"));
            table.is_dax_guessed && !has_settings
        };
        let found = draft.tables.iter_mut().find(is_guess);
        if let Some(dax) = found.and_then(|table| table.take_block("dax")) {
            draft.tables[at].blocks.push(("dax", dax));
        }
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

    fn join_table(&self, usage: &TableUsage, table: &mut TableDraft, unused: &mut Vec<UnusedPart>) {
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

/// Reads an Infracost usage file: monthly units and sizes, by resource address.
///
/// Source: Infracost documentation, "Usage file"; the keys are those of its DynamoDB resource.
fn infracost(source: &Arc<Source>, document: &SourceNode) -> Result<UsageFile, Vec<Diagnostic>> {
    let mut usage = UsageFile {
        source: source.clone(),
        head: Fields::default(),
        parameters: Vec::new(),
        tables: Vec::new(),
        notes: Vec::new(),
    };
    let mut found = Vec::new();
    let Some(resources) = document
        .get("resource_usage")
        .filter(|node| matches!(node.value, Value::Map(_)))
    else {
        let help = "an Infracost usage file has resource_usage; a dynameter usage file is TOML \
                    with [[table]]";
        return Err(vec![wrong(
            source,
            0..1,
            "not-a-plan",
            "this is not a usage file",
            help,
        )]);
    };
    if document.get("resource_type_default_usage").is_some() {
        usage.notes.push(
            "resource_type_default_usage: defaults for all tables were not imported: list each \
             table separately"
                .to_string(),
        );
    }
    for (address, given) in resources.entries() {
        if address.name.contains("aws_appautoscaling_target") {
            let words = "the scaled capacity was not imported: set `capacity` of the table in a \
                         TOML usage file";
            usage.notes.push(format!("{}: {words}", address.name));
        }
        if !is_table(&address.name) {
            continue;
        }
        let table = infracost_table(source, address, given, &mut found);
        usage.tables.push(table);
    }
    if found.is_empty() {
        Ok(usage)
    } else {
        Err(found)
    }
}

fn infracost_table(
    source: &Arc<Source>,
    address: &NodeKey,
    given: &SourceNode,
    problems: &mut Vec<Diagnostic>,
) -> TableUsage {
    let mut table = TableUsage {
        name: address.name.clone(),
        origin: Some((source.clone(), address.span.clone())),
        fields: Fields::default(),
        keys: Vec::new(),
        indexes: Vec::new(),
        blocks: Vec::new(),
        access: Vec::new(),
        consumed: Vec::new(),
        replicas: Vec::new(),
        capacity: Fields::default(),
        notes: Vec::new(),
    };
    let mut consumed = Fields::default();
    for (key, value) in given.entries() {
        let Some(number) = value
            .scalar()
            .and_then(|text| crate::units::Exact::parse(&text))
            .filter(|number| !number.is_negative())
        else {
            problems.push(wrong(
                source,
                value.span.clone(),
                "wrong-type",
                format!("{} must be a number, found {}", key.name, value.kind()),
                "write a number",
            ));
            continue;
        };
        let said = |toml: String| {
            Sourced::new(
                toml,
                format!("{}: {}", address.name, key.name),
                Some((source.clone(), value.span.clone())),
            )
        };
        let written = written(&number);
        match key.name.as_str() {
            "monthly_read_request_units" => {
                consumed.set("read", said(format!("{{ per_month = {written} }}")))
            }
            "monthly_write_request_units" => {
                consumed.set("write", said(format!("{{ per_month = {written} }}")))
            }
            "storage_gb" => table
                .fields
                .set("stored", said(format!("\"{written} GB\""))),
            other => table.notes.push(format!(
                "{other} = {written} in the usage file was not imported: use `backup`, \
                 `stream` or `archive` instead"
            )),
        }
    }
    if !consumed.is_empty() {
        table.consumed.push(consumed);
    }
    table
}

fn is_table(address: &str) -> bool {
    let last = address
        .rsplit_once("aws_dynamodb_table.")
        .map(|(before, _)| before);
    last.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        || !address.contains("aws_")
}

/// The tables of an Infracost usage file that is imported without a design.
pub(super) fn tables_of(
    source: &Arc<Source>,
    notes: &mut Vec<String>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<TableDraft> {
    let usage = match node::read(source)
        .map_err(|error| vec![*error])
        .and_then(|document| infracost(source, &document))
    {
        Ok(usage) => usage,
        Err(found) => {
            problems.extend(found);
            return Vec::new();
        }
    };
    notes.extend(usage.notes.iter().cloned());
    let table = |one: &TableUsage| {
        let short = one
            .name
            .rsplit("aws_dynamodb_table.")
            .next()
            .unwrap_or(&one.name)
            .to_string();
        let mut table = TableDraft::new(
            Sourced::text(&short, one.name.clone(), one.origin.clone()),
            vec![one.name.clone()],
        );
        let mut unused = Vec::new();
        usage.join_table(one, &mut table, &mut unused);
        problems.extend(unused.into_iter().map(UnusedPart::into_error));
        table
    };
    usage.tables.iter().map(table).collect()
}
