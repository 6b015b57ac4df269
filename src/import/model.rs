//! The workload models of other tools: the data model of aws/agent-toolkit-for-aws, the input of
//! awslabs' DynamoDB server, and Infracost usage files.
//!
//! Assumptions of these models are noted beside the value: a peak rate used as the mean, on-demand
//! capacity, one size for all items. Keys that a model does not name are unknown.

use std::sync::Arc;

use super::draft::{
    Draft, Fields, IndexDraft, Origin, Sourced, TableDraft, UnitsDraft, list, number as written,
    quoted,
};
use super::node::{SourceNode, Value, shown, wrong};
use super::shared::projection;
use super::{Context, names_of, usage};
use crate::diag::{Diagnostic, Source};
use crate::units::Exact;

/// Whether a document is a model of a supported tool.
pub(super) fn is_model(document: &SourceNode) -> bool {
    let lists = |key: &str| {
        document
            .get(key)
            .is_some_and(|node| matches!(node.value, Value::List(_)))
    };
    (lists("tables") && lists("access_patterns"))
        || lists("access_pattern_list")
        || document.get("resource_usage").is_some()
}

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], context: Context) -> Draft {
    let made_of = format!("the workload model {}", names_of(documents));
    let mut draft = Draft::of(documents, made_of, "not in the model");
    let asked = context
        .region
        .map(str::to_string)
        .or_else(|| context.usage.and_then(|usage| usage.region()));
    draft.head.set_some(
        "region",
        asked.map(|region| Sourced::text(&region, "from --region or the usage file", None)),
    );
    for (source, document) in documents {
        let mut reading = Reading {
            source,
            problems: &mut *context.problems,
        };
        let tables = if document.get("resource_usage").is_some() {
            usage::tables_of(source, &mut draft.notes, reading.problems)
        } else if document.get("access_pattern_list").is_some() {
            reading.awslabs(document)
        } else {
            reading.toolkit(document)
        };
        draft.tables.extend(tables);
    }
    draft
}

struct Reading<'a> {
    source: &'a Arc<Source>,
    problems: &'a mut Vec<Diagnostic>,
}

/// The operations that a model can have.
const OPERATIONS: [&str; 10] = [
    "GetItem",
    "BatchGetItem",
    "TransactGetItems",
    "Query",
    "Scan",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
];

impl Reading<'_> {
    fn origin(&self, node: &SourceNode) -> Origin {
        Some((self.source.clone(), node.span.clone()))
    }

    fn said(&self, node: &SourceNode, toml: impl Into<String>, note: &str) -> Sourced {
        Sourced::new(toml, note, self.origin(node))
    }

    fn number(&mut self, node: &SourceNode, key: &str) -> Option<Sourced> {
        let value = node.get(key)?;
        let number = value
            .scalar()
            .and_then(|text| Exact::parse(&text))
            .filter(|number| !number.is_negative());
        match number {
            Some(number) => Some(self.said(value, written(&number), key)),
            None => {
                let message = format!(
                    "{key} must be a number of at least 0, found {}",
                    value
                        .scalar()
                        .map_or_else(|| value.kind().to_string(), |text| shown(&text))
                );
                self.problems.push(wrong(
                    self.source,
                    value.span.clone(),
                    "wrong-type",
                    message,
                    "write a number",
                ));
                None
            }
        }
    }

    fn name<'n>(
        &mut self,
        node: &'n SourceNode,
        key: &str,
        what: &str,
    ) -> Option<(&'n str, Origin)> {
        match node.get(key).map(|value| (value.text(), value)) {
            Some((Some(text), value)) => Some((text, self.origin(value))),
            Some((None, value)) => {
                let message = format!("{key} must be a text, found {}", value.kind());
                self.problems.push(wrong(
                    self.source,
                    value.span.clone(),
                    "wrong-type",
                    message,
                    "write a text",
                ));
                None
            }
            None => {
                let span = node.span.start..node.span.start + 1;
                self.problems.push(wrong(
                    self.source,
                    span,
                    "missing-key",
                    format!("{what} has no {key}"),
                    format!("add \"{key}\""),
                ));
                None
            }
        }
    }

    fn list<'n>(&self, node: &'n SourceNode, key: &str) -> &'n [SourceNode] {
        node.list(key)
    }

    /// One size for all items.
    fn size(&mut self, node: &SourceNode, key: &str) -> Option<Sourced> {
        let bytes = self.number(node, key)?;
        Some(Sourced {
            toml: format!("{{ size = {} }}", whole(&bytes.toml)),
            ..bytes
        })
    }

    /// The table that a pattern names.
    fn table_of<'t>(
        &mut self,
        tables: &'t mut [TableDraft],
        pattern: &SourceNode,
        label: &str,
    ) -> Option<&'t mut TableDraft> {
        let (name, origin) = self.name(pattern, "table", label)?;
        let names: Vec<String> = tables.iter().map(|table| table.label.clone()).collect();
        let found = tables.iter_mut().find(|table| table.label == name);
        if found.is_none()
            && let Some((source, span)) = origin
        {
            let help = format!("its tables are: {}", names.join(", "));
            self.problems.push(wrong(
                &source,
                span,
                "unknown-table",
                format!("{label} names the table {name:?}, which the model does not have"),
                help,
            ));
        }
        found
    }

    /// The operation, the rate and the other keys that both models share.
    fn pattern(
        &mut self,
        pattern: &SourceNode,
        name: &str,
        rate: (&str, &str),
        label: &str,
    ) -> Option<Fields> {
        let (operation, origin) = self.name(pattern, "operation", label)?;
        if !OPERATIONS.contains(&operation) {
            if let Some((source, span)) = origin {
                let message = format!("unknown operation {} in a model", shown(operation));
                self.problems.push(wrong(
                    &source,
                    span,
                    "wrong-type",
                    message,
                    format!("the operations are {}", OPERATIONS.join(", ")),
                ));
            }
            return None;
        }
        let mut fields = Fields::default();
        fields.set("name", Sourced::text(name, "", self.origin(pattern)));
        fields.set("operation", Sourced::text(operation, "", origin));
        let (key, note) = rate;
        let rate = self.number(pattern, key).map(|rate| Sourced {
            toml: format!("{{ per_second = {} }}", rate.toml),
            note: note.to_string(),
            ..rate
        });
        fields.set(
            "rate",
            rate.unwrap_or_else(|| {
                Sourced::unknown("not in the model: write a rate such as { per_second = 10 }")
            }),
        );
        Some(fields)
    }

    /// The number of items per call, under the key that the operation needs.
    fn items(&mut self, fields: &mut Fields, node: &SourceNode, key: &str) {
        let operation = fields
            .get("operation")
            .map(Sourced::plain)
            .unwrap_or_default();
        let Some(items) = self.number(node, key) else {
            if [
                "Query",
                "BatchGetItem",
                "TransactGetItems",
                "BatchWriteItem",
                "TransactWriteItems",
            ]
            .contains(&operation.as_str())
            {
                fields.set(
                    "items",
                    Sourced::unknown(
                        "not in the model: how many items does one call read or write? 20",
                    ),
                );
            }
            return;
        };
        let count = whole(&items.toml);
        match operation.as_str() {
            "Query" | "Scan" | "BatchGetItem" | "TransactGetItems" => fields.set(
                "items",
                Sourced {
                    toml: count,
                    ..items
                },
            ),
            "BatchWriteItem" | "TransactWriteItems" => {
                let toml = format!("[{{ operation = \"Put\", count = {count} }}]");
                fields.set(
                    "actions",
                    Sourced {
                        toml,
                        note: format!("{key}, treated as puts of new items"),
                        ..items
                    },
                );
            }
            _ => {}
        }
    }

    fn toolkit(&mut self, document: &SourceNode) -> Vec<TableDraft> {
        let mut tables: Vec<TableDraft> = Vec::new();
        for node in self.list(document, "tables") {
            let table = self.toolkit_table(node);
            tables.extend(table);
        }
        for pattern in self.list(document, "access_patterns") {
            self.toolkit_pattern(pattern, &mut tables);
        }
        tables
    }

    fn toolkit_table(&mut self, node: &SourceNode) -> Option<TableDraft> {
        let (name, origin) = self.name(node, "table_name", "a table")?;
        let mut table = TableDraft::new(Sourced::text(name, "table_name", origin), Vec::new());
        if let Some(class) = node.get("table_class") {
            let word = if class.text().is_some_and(|text| {
                text.to_uppercase().contains("INFREQUENT") || text.to_uppercase().ends_with("IA")
            }) {
                "\"standard-ia\""
            } else {
                "\"standard\""
            };
            table
                .fields
                .set("class", self.said(class, word, "table_class"));
        }
        let types = self.list(node, "attribute_definitions");
        let key = |reading: &Self, key: &str| {
            let value = node.at(&["key_schema", key])?;
            Some(reading.said(value, key_of(types, value.text()?), "key_schema"))
        };
        let (partition, sort) = (key(self, "partition_key"), key(self, "sort_key"));
        table.fields.set_some("partition_key", partition);
        table.fields.set_some("sort_key", sort);
        self.entities(node, &mut table);
        table.capacity.set(
            "mode",
            Sourced::new(
                "\"on-demand\"",
                "the model has no capacity mode; its tool assumes on-demand",
                table.name.origin.clone(),
            ),
        );
        for index in self.list(node, "gsis") {
            let Some((name, origin)) = self.name(index, "index_name", "an index") else {
                continue;
            };
            let fields = self.toolkit_index(index, name);
            let index =
                fields.map(|fields| index_draft(Sourced::text(name, "gsis", origin), fields));
            table.indexes.extend(index);
        }
        for vector in self.list(node, "vector_indexes") {
            let name = vector.text_at("index_name").unwrap_or_default();
            let what = quoted(&format!(
                "the vector index {name}: VectorWriteRequest, VectorSearch and its storage"
            ));
            table.unpriced.push(self.said(vector, what, ""));
        }
        match node.get("global_tables") {
            None => {}
            Some(regions)
                if matches!(regions.value, Value::Bool(false))
                    || regions.text() == Some("false") => {}
            Some(regions) => table.unpriced.push(self.said(
                regions,
                quoted("replicas in other regions: add them as [[table.replica]]"),
                "global_tables",
            )),
        }
        Some(table)
    }

    fn toolkit_index(&mut self, index: &SourceNode, name: &str) -> Option<Fields> {
        let mut fields = Fields::default();
        for key in ["partition_key", "sort_key"] {
            let names = |value: &SourceNode| match value.text() {
                Some(one) => vec![one.to_string()],
                None => texts(value.elements()),
            };
            if let Some(value) = index.get(key) {
                fields.set(key, self.said(value, list(&names(value)), ""));
            }
        }
        if let Some(block) = index.get("projection") {
            let attributes = texts(self.list(block, "attributes"));
            let toml = projection(block.text_at("type").unwrap_or("ALL"), &attributes);
            fields.set_some("projection", toml.map(|toml| self.said(block, toml, "")));
        }
        if fields.get("partition_key").is_none() {
            self.problems.push(wrong(
                self.source,
                index.span.start..index.span.start + 1,
                "missing-key",
                format!("the index {name} has no partition_key"),
                "add \"partition_key\"",
            ));
            return None;
        }
        Some(fields)
    }

    /// The number and sizes of items, from the entities that the table holds.
    fn entities(&mut self, node: &SourceNode, table: &mut TableDraft) {
        let entities = self.list(node, "entities");
        let Some(first) = entities.first() else {
            return;
        };
        let mut counts: Vec<(Option<Sourced>, Option<Sourced>)> = Vec::new();
        for entity in entities {
            counts.push((
                self.number(entity, "estimated_item_count"),
                self.number(entity, "estimated_item_size_bytes"),
            ));
        }
        let exact =
            |said: &Option<Sourced>| said.as_ref().and_then(|said| Exact::parse(&said.toml));
        let numbers: Option<Vec<Exact>> = counts.iter().map(|(count, _)| exact(count)).collect();
        let sizes: Option<Vec<String>> = counts
            .iter()
            .map(|(_, size)| size.as_ref().map(|size| whole(&size.toml)))
            .collect();
        let place = self.origin(first);
        if let Some(numbers) = &numbers {
            let sum: Exact = numbers.iter().cloned().sum();
            table.fields.set(
                "items",
                Sourced::new(written(&sum), "sum of estimated_item_count", place.clone()),
            );
        }
        match (sizes, numbers) {
            (Some(sizes), _) if sizes.len() == 1 => {
                table.fields.set(
                    "item",
                    Sourced::new(
                        format!("{{ size = {} }}", sizes[0]),
                        "estimated_item_size_bytes",
                        place,
                    ),
                );
            }
            (Some(sizes), Some(numbers)) => {
                let total: Exact = numbers.iter().cloned().sum();
                // Shares in billionths; the last one is the rest, so that they add up to one.
                let billion = Exact::from(1_000_000_000);
                let mut left = 1_000_000_000_u64;
                let mut buckets = Vec::new();
                for (at, (size, count)) in sizes.iter().zip(&numbers).enumerate() {
                    let part = if total.is_zero() {
                        0
                    } else {
                        (&(count / &total) * &billion).floor().to_u64().unwrap_or(0)
                    };
                    let part = if at + 1 == sizes.len() {
                        left
                    } else {
                        part.min(left)
                    };
                    left -= part;
                    let share = &Exact::from(part) / &billion;
                    buckets.push(format!("{{ size = {size}, share = {} }}", written(&share)));
                }
                let toml = format!("{{ histogram = [{}] }}", buckets.join(", "));
                table.fields.set(
                    "item",
                    Sourced::new(toml, "entities, weighted by estimated_item_count", place),
                );
            }
            _ => {}
        }
    }

    fn toolkit_pattern(&mut self, pattern: &SourceNode, tables: &mut [TableDraft]) {
        let (name, label) = pattern_names(pattern);
        let rate = if pattern.get("avg_rps").is_some() {
            ("avg_rps", "avg_rps")
        } else {
            (
                "peak_rps",
                "peak_rps, used as the mean, as the model's tool does",
            )
        };
        let Some(mut fields) = self.pattern(pattern, &name, rate, &label) else {
            return;
        };
        let index = pattern
            .get("index")
            .and_then(|node| Some(self.said(node, quoted(node.text()?), "")));
        fields.set_some("index", index);
        self.items(&mut fields, pattern, "items_per_request");
        let operation = fields
            .get("operation")
            .map(Sourced::plain)
            .unwrap_or_default();
        if let Some(consistency) = pattern
            .get("consistency")
            .filter(|_| ["GetItem", "BatchGetItem", "Query", "Scan"].contains(&operation.as_str()))
        {
            let word = if consistency
                .text()
                .is_some_and(|text| text.eq_ignore_ascii_case("strong"))
            {
                "\"strong\""
            } else {
                "\"eventual\""
            };
            fields.set("consistency", self.said(consistency, word, ""));
        }
        if [
            "GetItem",
            "BatchGetItem",
            "Query",
            "UpdateItem",
            "DeleteItem",
        ]
        .contains(&operation.as_str())
        {
            let missing = self.number(pattern, "non_existent_rate");
            fields.set_some("missing", missing);
        }
        if ["PutItem", "UpdateItem", "DeleteItem"].contains(&operation.as_str()) {
            let (failures, before) = (
                self.number(pattern, "conditional_fail_rate"),
                self.number(pattern, "previous_item_size_bytes"),
            );
            fields.set_some("condition_failures", failures);
            fields.set_some(
                "before",
                before.map(|size| Sourced {
                    toml: whole(&size.toml),
                    ..size
                }),
            );
        }
        let size = self.size(pattern, "estimated_item_size_bytes");
        fields.set_some("item", size);
        if let Some(table) = self.table_of(tables, pattern, &label) {
            let problem = no_index(table, pattern.get("index"), &label);
            add(table, fields);
            self.problems.extend(problem.map(|(span, message, help)| {
                wrong(self.source, span, "unknown-table", message, help)
            }));
        }
    }

    fn awslabs(&mut self, document: &SourceNode) -> Vec<TableDraft> {
        let mut tables: Vec<TableDraft> = Vec::new();
        for node in self.list(document, "table_list") {
            tables.extend(self.awslabs_table(node));
        }
        for pattern in self.list(document, "access_pattern_list") {
            self.awslabs_pattern(pattern, &mut tables);
        }
        tables
    }

    fn awslabs_table(&mut self, node: &SourceNode) -> Option<TableDraft> {
        let (name, origin) = self.name(node, "name", "a table")?;
        let mut table = TableDraft::new(Sourced::text(name, "table_list", origin), Vec::new());
        let items = self.number(node, "item_count");
        table.fields.set_some("items", items.clone());
        let size = self.size(node, "item_size_bytes");
        let item_bytes = self.number(node, "item_size_bytes");
        table.fields.set_some("item", size);
        table.capacity.set(
            "mode",
            Sourced::new(
                "\"on-demand\"",
                "the model has no capacity mode; its tool assumes on-demand",
                table.name.origin.clone(),
            ),
        );
        for index in self.list(node, "gsi_list") {
            let index = self.awslabs_index(index, items.as_ref(), item_bytes.as_ref());
            table.indexes.extend(index);
        }
        Some(table)
    }

    fn awslabs_index(
        &mut self,
        index: &SourceNode,
        items: Option<&Sourced>,
        item_bytes: Option<&Sourced>,
    ) -> Option<IndexDraft> {
        let (name, origin) = self.name(index, "name", "an index")?;
        let mut fields = Fields::default();
        let note = "not in the model: the name of its partition key";
        let key = Sourced::new("\"unknown\"", note, origin.clone());
        fields.set("partition_key", key);
        let size = self.number(index, "item_size_bytes");
        let is_smaller = size
            .as_ref()
            .zip(item_bytes)
            .is_some_and(|(size, item)| whole(&size.toml) != whole(&item.toml));
        if is_smaller {
            let note = "not in the model: assumed because its entries are smaller than the items";
            let keys = Sourced::new("\"keys-only\"", note, origin.clone());
            fields.set("projection", keys);
        }
        let size = size.map(|size| Sourced {
            toml: whole(&size.toml),
            ..size
        });
        fields.set_some("entry_size", size);
        let held = self.number(index, "item_count");
        let coverage = held.zip(items).and_then(|(held, items)| {
            Some(Sourced {
                toml: share(&held.toml, &items.toml)?,
                note: "item_count of the index / item_count of the table".to_string(),
                ..held
            })
        });
        fields.set_some("coverage", coverage);
        Some(index_draft(Sourced::text(name, "gsi_list", origin), fields))
    }

    fn awslabs_pattern(&mut self, pattern: &SourceNode, tables: &mut [TableDraft]) {
        let name = pattern
            .text_at("pattern")
            .or_else(|| pattern.text_at("description"))
            .unwrap_or("access pattern")
            .to_string();
        let label = format!("the access pattern {name:?}");
        let Some(mut fields) = self.pattern(pattern, &name, ("rps", "rps"), &label) else {
            return;
        };
        let index = pattern
            .get("gsi")
            .and_then(|node| Some(self.said(node, quoted(node.text()?), "gsi")));
        fields.set_some("index", index);
        self.items(&mut fields, pattern, "item_count");
        if let Some(strong) = pattern.get("strongly_consistent") {
            let word = match strong.truth() {
                Some(true) => "\"strong\"",
                _ => "\"eventual\"",
            };
            fields.set("consistency", self.said(strong, word, ""));
        }
        let size = self.size(pattern, "item_size_bytes");
        fields.set_some("item", size);
        let is_written = fields.get("operation").is_some_and(|operation| {
            ["UpdateItem", "DeleteItem"].contains(&operation.plain().as_str())
        });
        let Some(table) = self.table_of(tables, pattern, &label) else {
            return;
        };
        if is_written && !table.indexes.is_empty() && pattern.get("gsi_list").is_none() {
            table.notes.push(format!(
                "{label} does not name the indexes that it writes; it is assumed to change every \
                 attribute and to write the indexes that contain them"
            ));
        }
        let problem = no_index(table, pattern.get("gsi"), &label);
        add(table, fields);
        let problem = problem
            .map(|(span, message, help)| wrong(self.source, span, "unknown-table", message, help));
        self.problems.extend(problem);
    }
}

/// The name of an access pattern, and how messages call it.
fn pattern_names(pattern: &SourceNode) -> (String, String) {
    let id = pattern.text_at("pattern_id").unwrap_or_default();
    let description = pattern.text_at("description").unwrap_or_default();
    match (id, description) {
        ("", description) => (description.to_string(), "an access pattern".to_string()),
        (id, "") => (id.to_string(), format!("the access pattern {id}")),
        (id, description) => (
            format!("{id}: {description}"),
            format!("the access pattern {id}"),
        ),
    }
}

fn texts(nodes: &[SourceNode]) -> Vec<String> {
    let texts = nodes.iter().filter_map(SourceNode::text);
    texts.map(str::to_string).collect()
}

/// Adds a pattern under a unique name.
fn add(table: &mut TableDraft, mut fields: Fields) {
    let name = fields.get("name").map(Sourced::plain).unwrap_or_default();
    let is_taken = |name: &str| {
        table.access.iter().any(|access| {
            access
                .get("name")
                .is_some_and(|known| known.plain() == name)
        })
    };
    if is_taken(&name)
        && let Some(free) = (2..)
            .map(|at| format!("{name} ({at})"))
            .find(|name| !is_taken(name))
        && let Some(said) = fields.get("name").cloned()
    {
        fields.set(
            "name",
            Sourced {
                toml: quoted(&free),
                ..said
            },
        );
    }
    table.access.push(fields);
}

/// The error if a pattern names an index that its table does not have.
fn no_index(
    table: &TableDraft,
    named: Option<&SourceNode>,
    label: &str,
) -> Option<(std::ops::Range<usize>, String, String)> {
    let node = named?;
    let name = node.text()?;
    let names: Vec<String> = table
        .indexes
        .iter()
        .map(|index| index.name.plain())
        .collect();
    let message = format!(
        "{label} uses the index {:?}, which {} does not have",
        shown(name),
        table.label
    );
    let help = format!(
        "its indexes are: {}",
        if names.is_empty() {
            "none".to_string()
        } else {
            names.join(", ")
        }
    );
    (!names.iter().any(|known| known == name)).then_some((node.span.clone(), message, help))
}

fn index_draft(name: Sourced, fields: Fields) -> IndexDraft {
    let (read, write) = (UnitsDraft::default(), UnitsDraft::default());
    IndexDraft {
        name,
        global: true,
        fields,
        read,
        write,
        schedule: Vec::new(),
    }
}

fn key_of(types: &[SourceNode], name: &str) -> String {
    let of_name = |node: &&SourceNode| {
        ["attribute_name", "AttributeName", "name"]
            .iter()
            .any(|key| node.text_at(key) == Some(name))
    };
    let kind = types.iter().find(of_name).and_then(|node| {
        ["attribute_type", "AttributeType", "type"]
            .iter()
            .find_map(|key| node.text_at(key))
    });
    match kind.filter(|kind| ["S", "N", "B"].contains(kind)) {
        Some(kind) => format!("{{ name = {}, type = {} }}", quoted(name), quoted(kind)),
        None => format!("{{ name = {} }}", quoted(name)),
    }
}

/// A number of bytes or items, rounded up to a whole number.
fn whole(number: &str) -> String {
    Exact::parse(number).map_or_else(|| number.to_string(), |number| written(&number.ceil()))
}

fn share(held: &str, items: &str) -> Option<String> {
    let (held, items) = (Exact::parse(held)?, Exact::parse(items)?);
    (held < items).then(|| written(&(&held / &items)))
}
