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
use super::shared::{SaidVector, projection};
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
        fields.set("rate", self.rate(pattern, rate));
        Some(fields)
    }

    /// The rate under a key, with its note.
    fn rate(&mut self, pattern: &SourceNode, (key, note): (&str, &str)) -> Sourced {
        let rate = self.number(pattern, key).map(|rate| Sourced {
            toml: format!("{{ per_second = {} }}", rate.toml),
            note: note.to_string(),
            ..rate
        });
        rate.unwrap_or_else(|| {
            Sourced::unknown("not in the model: write a rate such as { per_second = 10 }")
        })
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
        self.entities(node, &mut table);
        for vector in self.list(node, "vector_indexes") {
            self.vector_index(vector).add(&mut table);
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

    /// What the model says about a vector index.
    fn vector_index(&mut self, node: &SourceNode) -> SaidVector {
        let text = |reading: &Self, key: &str| {
            let value = node.get(key)?;
            Some(reading.said(value, quoted(value.text()?), key))
        };
        let block = node.get("projection");
        let attributes = block.map_or_else(Vec::new, |block| texts(self.list(block, "attributes")));
        let word = block.and_then(|block| block.text_at("type").or_else(|| block.text()));
        let toml = word.and_then(|word| projection(word, &attributes));
        let schema = node.get("search_schema");
        let mut filters = schema.map_or_else(Vec::new, |schema| {
            texts(self.list(schema, "inline_filters"))
        });
        filters.extend(
            schema
                .and_then(|schema| schema.text_at("partition_key"))
                .map(str::to_string),
        );
        SaidVector {
            name: text(self, "index_name"),
            attribute: text(self, "vector_attribute"),
            dimensions: self.number(node, "dimensions"),
            projection: toml.map(|toml| self.said(node, toml, "projection")),
            filters,
            place: self.said(node, "", ""),
        }
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
        if let [one] = entities {
            let count = self.number(one, "estimated_item_count");
            table.fields.set_some("items", count);
            let size = self.size(one, "estimated_item_size_bytes");
            table.fields.set_some("item", size);
            return;
        }
        for entity in entities {
            let Some((name, origin)) = self.name(entity, "entity_name", "an entity") else {
                continue;
            };
            let mut fields = Fields::default();
            fields.set("name", Sourced::text(name, "", origin));
            let count = self.number(entity, "estimated_item_count");
            fields.set_some("items", count);
            let size = self.size(entity, "estimated_item_size_bytes");
            fields.set_some("item", size);
            if !table.indexes.is_empty() {
                fields.set("in_indexes", self.in_indexes(entity, table));
            }
            table.entities.push(fields);
        }
    }

    /// The indexes that the items of an entity are in: those whose key attributes it lists; all, if
    /// it lists no attributes.
    fn in_indexes(&self, entity: &SourceNode, table: &TableDraft) -> Sourced {
        let attributes = self.list(entity, "attributes");
        let primary = ["partition_key", "sort_key"].map(|key| table.fields.get(key));
        let has = |key: &str| {
            let listed = attributes
                .iter()
                .any(|one| one.text_at("name") == Some(key));
            let is_primary = |said: &&Sourced| said.toml.contains(&format!("name = {key:?}"));
            listed || primary.iter().flatten().any(is_primary)
        };
        let holds = |index: &&IndexDraft| {
            let keys = ["partition_key", "sort_key"].map(|key| index.fields.get(key));
            let names = keys
                .into_iter()
                .flatten()
                .flat_map(|said| names_in(&said.toml));
            attributes.is_empty() || names.into_iter().all(|name| has(&name))
        };
        let names: Vec<String> = table
            .indexes
            .iter()
            .filter(holds)
            .map(|index| index.name.plain())
            .collect();
        let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        let note = match attributes.is_empty() {
            true => "the entity lists no attributes: assumed to be in every index",
            false => "the indexes whose keys are among its attributes",
        };
        let place = entity.get("attributes").unwrap_or(entity);
        self.said(place, format!("[{}]", names.join(", ")), note)
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
        if pattern.text_at("operation") == Some("SearchVectors") {
            self.vector_search(pattern, tables, (&name, &label, rate));
            return;
        }
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
        self.read_keys(pattern, &operation, &mut fields);
        let keys: Vec<String> = tables
            .iter()
            .filter(|table| pattern.text_at("table") == Some(table.label.as_str()))
            .flat_map(|table| ["partition_key", "sort_key"].map(|key| table.fields.get(key)))
            .flatten()
            .flat_map(|said| names_in(&said.toml).into_iter().take(1))
            .collect();
        self.write_keys(pattern, (&operation, &keys), &mut fields);
        let size = match self.sizes(pattern) {
            Some(sizes) => Some(sizes),
            None => self.size(pattern, "estimated_item_size_bytes"),
        };
        fields.set_some("item", size);
        let Some(table) = self.table_of(tables, pattern, &label) else {
            return;
        };
        let problem = no_index(table, pattern.get("index"), &label);
        self.problems.extend(
            problem.map(|(span, message, help)| {
                wrong(self.source, span, "unknown-table", message, help)
            }),
        );
        self.expiring(pattern, &operation, table);
        self.written_entities(pattern, &operation, fields, table);
    }

    /// A vector search, whose cost follows from the bytes that it searches.
    fn vector_search(
        &mut self,
        pattern: &SourceNode,
        tables: &mut [TableDraft],
        (name, label, rate): (&str, &str, (&str, &str)),
    ) {
        let rate = self.rate(pattern, rate);
        let Some(table) = self.table_of(tables, pattern, label) else {
            return;
        };
        let index = pattern.text_at("index").map(str::to_string);
        let is_known = |fields: &Fields| {
            let known = fields.get("name").map(Sourced::plain);
            known.is_some() && known == index
        };
        if !table.vectors.iter().any(is_known) {
            let what = quoted(&format!(
                "VectorSearch by \"{name}\": its vector index is not known"
            ));
            table
                .unpriced
                .push(self.said(pattern, what, "SearchVectors"));
            return;
        }
        let mut fields = Fields::default();
        fields.set("name", Sourced::text(name, "", self.origin(pattern)));
        fields.set("operation", self.said(pattern, "\"SearchVectors\"", ""));
        fields.set("rate", rate);
        let index = pattern
            .get("index")
            .and_then(|node| Some(self.said(node, quoted(node.text()?), "")));
        fields.set_some("index", index);
        let top = self.number(pattern, "top_k");
        fields.set_some("top_k", top);
        fields.set(
            "search_bytes",
            Sourced::unknown("not in the model: the bytes that one search reads, as measured"),
        );
        add(table, fields);
    }

    /// What a read asks for.
    fn read_keys(&mut self, pattern: &SourceNode, operation: &str, fields: &mut Fields) {
        let consistency = pattern
            .get("consistency")
            .filter(|_| ["GetItem", "BatchGetItem", "Query", "Scan"].contains(&operation));
        if let Some(consistency) = consistency {
            let strong = consistency
                .text()
                .is_some_and(|text| text.eq_ignore_ascii_case("strong"));
            let word = match strong {
                true => "\"strong\"",
                false => "\"eventual\"",
            };
            fields.set("consistency", self.said(consistency, word, ""));
        }
        if ["Query", "Scan"].contains(&operation)
            && let Some(wanted) = pattern.get("projection")
        {
            let names = texts(wanted.elements());
            if !names.is_empty() {
                fields.set("attributes", self.said(wanted, array(&names), "projection"));
            }
        }
        let finds_nothing = [
            "GetItem",
            "BatchGetItem",
            "Query",
            "UpdateItem",
            "DeleteItem",
        ];
        if finds_nothing.contains(&operation) {
            let missing = self.number(pattern, "non_existent_rate");
            fields.set_some("missing", missing);
        }
    }

    /// What a write does.
    fn write_keys(
        &mut self,
        pattern: &SourceNode,
        (operation, keys): (&str, &[String]),
        fields: &mut Fields,
    ) {
        let single = ["PutItem", "UpdateItem", "DeleteItem"].contains(&operation);
        let many = ["BatchWriteItem", "TransactWriteItems"].contains(&operation);
        if !single && !many {
            return;
        }
        let failures = self.number(pattern, "conditional_fail_rate");
        match operation {
            // A condition that fails cancels the whole transaction.
            "TransactWriteItems" => fields.set_some("cancelled", failures),
            _ if single => fields.set_some("condition_failures", failures),
            _ => {}
        }
        if operation == "PutItem" {
            let found = self.number(pattern, "non_existent_rate").and_then(|rate| {
                let share = Exact::one() - Exact::parse(&rate.toml)?;
                let toml = written(&share);
                (!share.is_negative()).then_some(Sourced {
                    toml,
                    note: "1 - non_existent_rate".to_string(),
                    ..rate
                })
            });
            fields.set_some("overwrites", found);
        }
        let before = self.number(pattern, "previous_item_size_bytes");
        let replaces = operation == "PutItem" && before.is_some();
        if replaces && fields.get("overwrites").is_none() {
            let said = before.as_ref().map(|size| Sourced {
                toml: "1".to_string(),
                note: "previous_item_size_bytes: the item exists".to_string(),
                ..size.clone()
            });
            fields.set_some("overwrites", said);
        }
        fields.set_some(
            "before",
            before.map(|size| Sourced {
                toml: whole(&size.toml),
                ..size
            }),
        );
        if let Some(changed) = pattern.get("attributes_written")
            && ["PutItem", "UpdateItem"].contains(&operation)
        {
            let names = texts(changed.elements());
            let toml = array(names.iter().filter(|name| !keys.contains(*name)));
            fields.set("changes", self.said(changed, toml, "attributes_written"));
        }
    }

    /// Several sizes of the items of one call, each as often as it is listed.
    fn sizes(&mut self, pattern: &SourceNode) -> Option<Sourced> {
        let node = pattern.get("item_sizes")?;
        let mut counts: std::collections::BTreeMap<u64, u64> = std::collections::BTreeMap::new();
        for size in node.elements() {
            let bytes = size
                .scalar()
                .and_then(|text| Exact::parse(&text)?.ceil().to_u64());
            *counts.entry(bytes?).or_default() += 1;
        }
        let total: u64 = counts.values().sum();
        let last = *counts.keys().next_back()?;
        let billion = 1_000_000_000_u64;
        let mut left = billion;
        let mut buckets = Vec::new();
        for (size, count) in counts {
            let part = match size == last {
                true => left,
                false => (u128::from(count) * u128::from(billion) / u128::from(total)) as u64,
            };
            left -= part;
            let share = written(&Exact::ratio(part, billion));
            buckets.push(format!("{{ size = {size}, share = {share} }}"));
        }
        let toml = format!("{{ histogram = [{}] }}", buckets.join(", "));
        Some(self.said(node, toml, "item_sizes"))
    }

    /// Time to Live: what a pattern puts and keeps for some days expires at the rate of the puts.
    fn expiring(&mut self, pattern: &SourceNode, operation: &str, table: &mut TableDraft) {
        let Some(days) = pattern.get("retention_days") else {
            return;
        };
        if !["PutItem", "BatchWriteItem"].contains(&operation) {
            return;
        }
        let rate = ["avg_rps", "peak_rps"]
            .iter()
            .find_map(|key| Exact::parse(&pattern.get(key)?.scalar()?));
        let items = pattern
            .get("items_per_request")
            .and_then(|items| Exact::parse(&items.scalar()?))
            .filter(|_| operation == "BatchWriteItem")
            .unwrap_or_else(Exact::one);
        let known = table
            .find_block("ttl")
            .and_then(|ttl| ttl.get("deletes"))
            .and_then(|said| {
                let number = said.toml.trim_start_matches("{ per_second = ");
                Exact::parse(number.trim_end_matches(" }"))
            })
            .unwrap_or_else(Exact::zero);
        let said = match rate {
            Some(rate) => {
                let all = known + rate * items;
                let toml = format!("{{ per_second = {} }}", written(&all));
                self.said(
                    days,
                    toml,
                    "retention_days: items expire as fast as they are put",
                )
            }
            None => Sourced::unknown("retention_days, but the rate of the puts is not known"),
        };
        table.block("ttl").set("deletes", said);
    }

    /// Adds a pattern with the entities that it writes: a batch or a transaction of equal numbers of
    /// each, or a pattern for each.
    fn written_entities(
        &mut self,
        pattern: &SourceNode,
        operation: &str,
        mut fields: Fields,
        table: &mut TableDraft,
    ) {
        let node = pattern.get("entities_written");
        let names = node.map_or_else(Vec::new, |node| texts(node.elements()));
        let is_known = |name: &String| {
            let mut known = table
                .entities
                .iter()
                .filter_map(|entity| entity.get("name"));
            known.any(|known| known.plain() == *name)
        };
        let (names, others): (Vec<String>, Vec<String>) = names.into_iter().partition(is_known);
        if let (Some(node), Some(other)) = (node, others.first())
            && !table.entities.is_empty()
        {
            let message = format!(
                "entities_written names {other:?}, an entity that {} does not have",
                table.label
            );
            let known = table
                .entities
                .iter()
                .filter_map(|entity| entity.get("name"));
            let known: Vec<String> = known.map(Sourced::plain).collect();
            let help = format!("its entities are {}", known.join(", "));
            let span = node.span.clone();
            self.problems
                .push(wrong(self.source, span, "wrong-type", message, help));
        }
        self.actions(pattern, operation, &names, &mut fields);
        let Some(node) = node.filter(|_| !names.is_empty()) else {
            return add(table, fields);
        };
        let is_single = ["PutItem", "UpdateItem", "DeleteItem"].contains(&operation);
        if !is_single {
            return add(table, fields);
        }
        let count = Exact::from(names.len() as u64);
        let base = fields.get("name").map(Sourced::plain).unwrap_or_default();
        for name in &names {
            let mut own = fields.clone();
            own.set("entity", self.said(node, quoted(name), "entities_written"));
            if names.len() > 1 {
                own.set(
                    "name",
                    self.said(pattern, quoted(&format!("{base} ({name})")), ""),
                );
                if let Some(rate) = fields.get("rate")
                    && let Some(each) = per_second(&rate.toml)
                {
                    let toml = format!("{{ per_second = {} }}", written(&(each / count.clone())));
                    let note = "the rate divided by the number of entities_written";
                    own.set("rate", Sourced::new(toml, note, rate.origin.clone()));
                }
            }
            add(table, own);
        }
    }

    /// The actions of a batch or a transaction: what the model says that they do, to each entity.
    fn actions(
        &mut self,
        pattern: &SourceNode,
        operation: &str,
        entities: &[String],
        fields: &mut Fields,
    ) {
        let Some(said) = fields.get("actions").cloned() else {
            return;
        };
        let action = pattern.get("write_action");
        let is_batch = operation == "BatchWriteItem";
        let verb = match action.map(|node| node.text().map(str::to_ascii_lowercase)) {
            None => "Put",
            Some(Some(word)) if word == "put" => "Put",
            Some(Some(word)) if word == "delete" => "Delete",
            Some(Some(word)) if word == "update" && !is_batch => "Update",
            Some(_) => {
                let allowed = match is_batch {
                    true => "put or delete",
                    false => "put, update or delete",
                };
                let span = action.map_or(0..0, |node| node.span.clone());
                let message = format!("write_action of a {operation} must be {allowed}");
                let help = format!("write {allowed}");
                self.problems
                    .push(wrong(self.source, span, "wrong-type", message, help));
                return;
            }
        };
        if action.is_none() && entities.is_empty() {
            return;
        }
        let items = pattern
            .get("items_per_request")
            .and_then(|items| Exact::parse(&items.scalar()?))
            .unwrap_or_else(Exact::one);
        let each = &items / &Exact::from(entities.len().max(1) as u64);
        let one = |entity: String| {
            format!(
                "{{ operation = \"{verb}\", {entity}count = {} }}",
                written(&each)
            )
        };
        let actions: Vec<String> = match entities {
            [] => vec![one(String::new())],
            names => names
                .iter()
                .map(|name| one(format!("entity = {}, ", quoted(name))))
                .collect(),
        };
        let note = match entities.len() {
            0 | 1 => "items_per_request, write_action".to_string(),
            _ => "items_per_request, in equal numbers of each of entities_written".to_string(),
        };
        let place = action.map_or(said.origin, |node| self.origin(node));
        let toml = format!("[{}]", actions.join(", "));
        fields.set("actions", Sourced::new(toml, note, place));
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

/// Names as an array of texts.
fn array<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| quoted(name)).collect();
    format!("[{}]", names.join(", "))
}

/// The rate of `{ per_second = 10 }`.
fn per_second(toml: &str) -> Option<Exact> {
    let number = toml.strip_prefix("{ per_second = ")?;
    Exact::parse(number.strip_suffix(" }")?)
}

/// The names in a text such as `"a"` or `["a", "b"]`.
fn names_in(toml: &str) -> Vec<String> {
    let quoted = toml.split('"').skip(1).step_by(2);
    quoted.map(str::to_string).collect()
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
