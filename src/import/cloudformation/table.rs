//! Tables of AWS::DynamoDB::Table and AWS::Serverless::SimpleTable.

use super::keys::MAXIMUMS;
use super::template::Template;
use crate::import::draft::{Sourced, TableDraft, quoted};
use crate::import::node::{NodeKey, SourceNode};

impl Template<'_> {
    pub(super) fn new_table(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
    ) -> TableDraft {
        let label = &key.name;
        let name = self.text(properties, "TableName", label);
        let origin = properties.get("TableName").map_or_else(
            || Some((self.source.clone(), key.span.clone())),
            |node| self.origin(node),
        );
        let note = match (&name, properties.get("TableName")) {
            (Some(_), _) => format!("{label}: TableName"),
            (None, Some(_)) => {
                "its logical ID: TableName is only known once the stack is deployed".to_string()
            }
            (None, None) => "its logical ID: the template has no TableName".to_string(),
        };
        let _ = resource;
        // A table name has at least three characters, a logical ID at least one.
        let stand_in = if label.chars().count() < 3 {
            format!("{label}-table")
        } else {
            label.clone()
        };
        TableDraft::new(
            Sourced::text(name.as_deref().unwrap_or(&stand_in), note, origin),
            vec![label.clone()],
        )
    }

    pub(super) fn table(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
    ) -> Option<TableDraft> {
        let label = key.name.clone();
        let mut table = self.new_table(key, resource, properties);
        let class = self.class(properties, &label);
        table.fields.set_some("class", class);
        if !self.keys(&mut table, properties, key, resource) {
            return None;
        }
        let on_demand = self.mode(&mut table, properties, &label, resource);
        if on_demand {
            let mut capacity = std::mem::take(&mut table.capacity);
            self.maximum(&mut capacity, properties, &MAXIMUMS, &label);
            table.capacity = capacity;
        } else if let Some(units) = self.child(properties, "ProvisionedThroughput", &label) {
            table.read.fixed = self.number(&units, "ReadCapacityUnits", &label);
            table.write.fixed = self.number(&units, "WriteCapacityUnits", &label);
        }
        for node in self.each(properties, "GlobalSecondaryIndexes", &label) {
            let Some(mut index) = self.index(&node, &label, true, None) else {
                continue;
            };
            let inner = format!("{label} / {}", index.name.plain());
            if on_demand {
                let mut fields = std::mem::take(&mut index.fields);
                self.maximum(&mut fields, &node, &MAXIMUMS, &inner);
                index.fields = fields;
            } else if let Some(units) = self.child(&node, "ProvisionedThroughput", &inner) {
                index.read.fixed = self.number(&units, "ReadCapacityUnits", &inner);
                index.write.fixed = self.number(&units, "WriteCapacityUnits", &inner);
            }
            self.insights(&mut index.fields, &node, &inner);
            self.warm(&node, &inner);
            table.indexes.push(index);
        }
        for node in self.each(properties, "LocalSecondaryIndexes", &label) {
            let partition = self.schema(properties, &label).0.into_iter().next();
            let index = self.index(&node, &label, false, partition.as_deref());
            table.indexes.extend(index);
        }
        let mut fields = std::mem::take(&mut table.fields);
        self.insights(&mut fields, properties, &label);
        table.fields = fields;
        if table.fields.get("contributor_insights").is_some() {
            table.insights_alone();
        }
        let recovery = self.recovery(properties, &label);
        table.add_recovery(recovery);
        self.streams(&mut table, properties, &label);
        self.kinesis(&mut table, properties, &label);
        self.features(&mut table, properties, None, &label);
        Some(table)
    }

    pub(super) fn simple_table(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
    ) -> Option<TableDraft> {
        let label = key.name.clone();
        let mut table = self.new_table(key, resource, properties);
        let own = self.child(properties, "PrimaryKey", &label);
        let origin = own
            .as_ref()
            .map_or_else(|| self.origin(resource), |node| self.origin(node));
        let (name, kind) = match &own {
            Some(own) => (
                self.text(own, "Name", &label),
                self.text(own, "Type", &label),
            ),
            None => (None, None),
        };
        // Source: SAM specification, AWS::Serverless::SimpleTable: the default primary key is id of
        // type String.
        let name = name.unwrap_or_else(|| "id".to_string());
        let kind = match kind.as_deref() {
            Some("Number") => "N",
            Some("Binary") => "B",
            _ => "S",
        };
        let note = if own.is_some() {
            format!("{label}: PrimaryKey")
        } else {
            format!("{label}: no PrimaryKey, which means id")
        };
        table.fields.set(
            "partition_key",
            Sourced::new(
                format!("{{ name = {}, type = {} }}", quoted(&name), quoted(kind)),
                note,
                origin.clone(),
            ),
        );
        match self.child(properties, "ProvisionedThroughput", &label) {
            Some(units) => {
                table.capacity.set(
                    "mode",
                    Sourced::new(
                        "\"provisioned\"",
                        format!("{label}: ProvisionedThroughput"),
                        self.origin(&units),
                    ),
                );
                table.read.fixed = self.number(&units, "ReadCapacityUnits", &label);
                table.write.fixed = self.number(&units, "WriteCapacityUnits", &label);
            }
            None => table.capacity.set(
                "mode",
                Sourced::new(
                    "\"on-demand\"",
                    format!("{label}: no ProvisionedThroughput"),
                    origin,
                ),
            ),
        }
        let recovery = self.recovery(properties, &label);
        table.add_recovery(recovery);
        if self.child(properties, "SSESpecification", &label).is_some() {
            self.features(&mut table, properties, None, &label);
        }
        Some(table)
    }
}
