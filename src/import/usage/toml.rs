//! The usage file in TOML, with the keys of a workload file.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::file::{TableUsage, UsageFile};
use crate::diag::{Diagnostic, Source};
use crate::import::draft::{Fields, Origin, Sourced, quoted};
use crate::import::node::{self, SourceNode, Value, wrong};

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

/// Reads a usage file in TOML.
///
/// # Errors
/// Every error in it.
pub(super) fn read(source: &Arc<Source>) -> Result<UsageFile, Vec<Diagnostic>> {
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
                self.report(
                    key.span(),
                    "unknown-key",
                    format!("unknown key `{}` in a usage file", node::shown(name)),
                    help,
                );
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

    fn report(
        &mut self,
        span: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.found
            .push(wrong(self.source, span, code, message, help));
    }

    fn table<'t, 'v>(&mut self, value: &'t Toml<'v>, what: &str) -> Option<&'t DeTable<'v>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let message = format!(
                "{what} must be a table, found {}",
                value.get_ref().type_str()
            );
            self.report(
                value.span(),
                "wrong-type",
                message,
                "write [header] and keys, or { key = value }",
            );
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
            self.report(
                value.span(),
                "wrong-type",
                message,
                format!("write [[{what}]]"),
            );
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
                self.report(
                    value.span(),
                    "wrong-type",
                    format!("`{key}` must be a text"),
                    "write it in quotes",
                );
                None
            }
            None => {
                let span = place.span().start..place.span().start + 1;
                self.report(
                    span,
                    "missing-key",
                    format!("{what} has no `{key}`"),
                    format!("add `{key} = \"…\"`"),
                );
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
            defaults: None,
            is_shared: false,
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
            unpriced: Vec::new(),
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
    if plain { key.to_string() } else { quoted(key) }
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
        DeValue::String(written) => quoted(written),
        _ => text.get(value.span()).unwrap_or_default().to_string(),
    }
}
