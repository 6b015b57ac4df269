//! Keys, capacity and indexes of a table.

use std::collections::BTreeMap;

use super::template::Template;
use super::*;
use crate::import::draft::{Fields, IndexDraft, Sourced, TableDraft, UnitsDraft, list, quoted};
use crate::import::node::{NodeKey, SourceNode, shown};
use crate::import::shared::projection;

/// Where a template sets maximum throughputs.
pub(super) struct MaximumSettings {
    /// The block of properties.
    block: &'static str,
    /// Each of its properties, with the key of a workload file.
    keys: &'static [(&'static str, &'static str)],
}

/// The maximums of a `Table` and of its indexes.
pub(super) const MAXIMUMS: MaximumSettings = MaximumSettings {
    block: "OnDemandThroughput",
    keys: &[
        ("MaxReadRequestUnits", "max_read"),
        ("MaxWriteRequestUnits", "max_write"),
    ],
};

/// The maximum of reads of a `GlobalTable`, which each replica has.
pub(super) const READ_MAXIMUM: MaximumSettings = MaximumSettings {
    block: "ReadOnDemandThroughputSettings",
    keys: &[("MaxReadRequestUnits", "max_read")],
};

/// The maximum of writes of a `GlobalTable`.
pub(super) const WRITE_MAXIMUM: MaximumSettings = MaximumSettings {
    block: "WriteOnDemandThroughputSettings",
    keys: &[("MaxWriteRequestUnits", "max_write")],
};

impl Template<'_> {
    /// Partition and sort keys of a key schema.
    pub(super) fn schema(&mut self, node: &SourceNode, label: &str) -> (Vec<String>, Vec<String>) {
        let (mut hash, mut range) = (Vec::new(), Vec::new());
        for element in self.each(node, "KeySchema", label) {
            let name = self
                .text(&element, "AttributeName", label)
                .unwrap_or_else(|| UNTOLD.to_string());
            match self.text(&element, "KeyType", label).as_deref() {
                Some("RANGE") => range.push(name),
                _ => hash.push(name),
            }
        }
        (hash, range)
    }

    pub(super) fn types(
        &mut self,
        properties: &SourceNode,
        label: &str,
    ) -> BTreeMap<String, String> {
        let mut types = BTreeMap::new();
        for attribute in self.each(properties, "AttributeDefinitions", label) {
            let name = self.text(&attribute, "AttributeName", label);
            let kind = self.text(&attribute, "AttributeType", label);
            types.extend(name.zip(kind));
        }
        types
    }

    pub(super) fn keys(
        &mut self,
        table: &mut TableDraft,
        properties: &SourceNode,
        key: &NodeKey,
        resource: &SourceNode,
    ) -> bool {
        let label = key.name.clone();
        let types = self.types(properties, &label);
        let (hash, range) = self.schema(properties, &label);
        let origin = properties
            .get("KeySchema")
            .map_or_else(|| self.origin(resource), |node| self.origin(node));
        let Some(hash) = hash.first() else {
            let message = format!("{label} has no partition key");
            self.problem(
                resource,
                "missing-key",
                message,
                "add a KeySchema with a HASH key",
            );
            return false;
        };
        let written = |name: &String| match types
            .get(name)
            .filter(|kind| ["S", "N", "B"].contains(&kind.as_str()))
        {
            Some(kind) => format!("{{ name = {}, type = {} }}", quoted(name), quoted(kind)),
            None => format!("{{ name = {} }}", quoted(name)),
        };
        let key = if hash == UNTOLD {
            quoted(UNTOLD)
        } else {
            written(hash)
        };
        table.fields.set(
            "partition_key",
            Sourced::new(key, format!("{label}: KeySchema"), origin.clone()),
        );
        if let Some(range) = range.first() {
            table.fields.set(
                "sort_key",
                Sourced::new(written(range), format!("{label}: KeySchema"), origin),
            );
        }
        true
    }

    /// The capacity mode; the default of BillingMode is PROVISIONED.
    pub(super) fn mode(
        &mut self,
        table: &mut TableDraft,
        properties: &SourceNode,
        label: &str,
        resource: &SourceNode,
    ) -> bool {
        let mode = self.text(properties, "BillingMode", label);
        let origin = properties
            .get("BillingMode")
            .map_or_else(|| self.origin(resource), |node| self.origin(node));
        let (on_demand, note) = match (mode.as_deref(), properties.get("BillingMode")) {
            (Some(mode), _) => (mode == "PAY_PER_REQUEST", format!("{label}: BillingMode")),
            (None, Some(node)) if self.resolver.resolve(node).is_err() => {
                self.not_told(node, format!("{label}: the capacity mode"));
                (
                    !has_units(properties),
                    format!(
                        "{label}: BillingMode is only known once the stack is deployed; inferred \
                         from whether units are set"
                    ),
                )
            }
            (None, Some(_)) => (
                false,
                format!("{label}: no BillingMode, which means PROVISIONED"),
            ),
            (None, None) => (
                false,
                format!("{label}: no BillingMode, which means PROVISIONED"),
            ),
        };
        table.capacity.set(
            "mode",
            Sourced::new(
                if on_demand {
                    "\"on-demand\""
                } else {
                    "\"provisioned\""
                },
                note,
                origin,
            ),
        );
        on_demand
    }

    pub(super) fn class(&mut self, properties: &SourceNode, label: &str) -> Option<Sourced> {
        let node = properties.get("TableClass")?;
        let Some(class) = self.text(properties, "TableClass", label) else {
            // If it resolves to no value, the default class applies.
            if self.resolver.resolve(node).is_err() {
                self.not_told(node, format!("{label}: the table class"));
            }
            return None;
        };
        let origin = self.origin(node);
        let word = match class.as_str() {
            "STANDARD_INFREQUENT_ACCESS" => "\"standard-ia\"",
            "STANDARD" => "\"standard\"",
            other => {
                let message = format!(
                    "{label}: TableClass must be STANDARD or STANDARD_INFREQUENT_ACCESS, found \
                     {:?}",
                    shown(other)
                );
                self.problem(node, "wrong-type", message, "use one of the two");
                return None;
            }
        };
        Some(Sourced::new(word, format!("{label}: TableClass"), origin))
    }

    pub(super) fn projection(&mut self, fields: &mut Fields, index: &SourceNode, label: &str) {
        let Some(node) = self.child(index, "Projection", label) else {
            return;
        };
        for key in ["ProjectionType", "NonKeyAttributes"] {
            let value = node.get(key);
            if let Some(value) = value.filter(|value| self.resolver.resolve(value).is_err()) {
                self.not_told(value, format!("{label}: {key}"));
            }
        }
        let attributes: Vec<String> = match self.child(&node, "NonKeyAttributes", label) {
            Some(list) => {
                let resolved = self.resolver.resolve(&list);
                let list = self.told(&list, label, resolved);
                list.iter()
                    .flat_map(|list| list.elements())
                    .filter_map(|node| node.text().map(str::to_string))
                    .collect()
            }
            None => Vec::new(),
        };
        let kind = self
            .text(&node, "ProjectionType", label)
            .unwrap_or_else(|| {
                if attributes.is_empty() {
                    "ALL"
                } else {
                    "INCLUDE"
                }
                .to_string()
            });
        let origin = self.origin(&node);
        fields.set_some(
            "projection",
            projection(&kind, &attributes).map(|toml| Sourced::new(toml, "Projection", origin)),
        );
    }

    pub(super) fn index(
        &mut self,
        node: &SourceNode,
        label: &str,
        global: bool,
        partition: Option<&str>,
    ) -> Option<IndexDraft> {
        let name = self
            .text(node, "IndexName", label)
            .unwrap_or_else(|| format!("index-{}", node.span.start));
        let place = node
            .get("IndexName")
            .map_or_else(|| self.origin(node), |node| self.origin(node));
        let inner = format!("{label} / {name}");
        let (mut hash, range) = self.schema(node, &inner);
        if let Some(key) = partition.filter(|_| !global) {
            // A local secondary index has its table's partition key.
            hash = vec![key.to_string()];
        }
        if hash.is_empty() {
            self.problem(
                node,
                "missing-key",
                format!("{inner} has no partition key"),
                "add a KeySchema with a HASH key",
            );
            return None;
        }
        let origin = node
            .get("KeySchema")
            .map_or_else(|| place.clone(), |node| self.origin(node));
        let mut fields = Fields::default();
        fields.set(
            "partition_key",
            Sourced::new(list(&hash), "KeySchema", origin.clone()),
        );
        if !range.is_empty() {
            fields.set("sort_key", Sourced::new(list(&range), "KeySchema", origin));
        }
        self.projection(&mut fields, node, &inner);
        let kind = if global {
            "GlobalSecondaryIndexes"
        } else {
            "LocalSecondaryIndexes"
        };
        let name = Sourced::text(&name, format!("{label}: {kind}"), place);
        let (read, write) = (UnitsDraft::default(), UnitsDraft::default());
        Some(IndexDraft {
            name,
            global,
            fields,
            read,
            write,
            schedule: Vec::new(),
        })
    }

    /// A maximum throughput; -1 means no maximum.
    pub(super) fn maximum(
        &mut self,
        fields: &mut Fields,
        node: &SourceNode,
        maximum: &MaximumSettings,
        label: &str,
    ) {
        let Some(settings) = self.child(node, maximum.block, label) else {
            return;
        };
        for (key, name) in maximum.keys {
            let said = self.number_or_none(&settings, key, label);
            if said.as_ref().is_some_and(Sourced::is_unknown) {
                self.not_told(&settings, format!("{label}: {key}"));
            }
            fields.set_some(name, said.filter(|said| !said.is_unknown()));
        }
    }
}
