//! Global tables, and replicas of custom resources.

use super::keys::{READ_MAXIMUM, WRITE_MAXIMUM};
use super::template::Template;
use crate::import::draft::{
    Draft, Fields, ReplicaDraft, Sourced, TableDraft, UnitsDraft, unpriced,
};
use crate::import::node::{NodeKey, SourceNode, Value};
use crate::import::shared::replica_encrypted;
use crate::unread::UnreadKind;

/// Where a global table sets its units in one direction.
pub(super) struct UnitsSettings {
    block: &'static str,
    /// The property of fixed units.
    fixed: &'static str,
    /// The block of auto scaling.
    scaled: &'static str,
}

const READ_UNITS: UnitsSettings = UnitsSettings {
    block: "ReadProvisionedThroughputSettings",
    fixed: "ReadCapacityUnits",
    scaled: "ReadCapacityAutoScalingSettings",
};

const WRITE_UNITS: UnitsSettings = UnitsSettings {
    block: "WriteProvisionedThroughputSettings",
    fixed: "WriteCapacityUnits",
    scaled: "WriteCapacityAutoScalingSettings",
};

impl Template<'_> {
    /// Units of a global table in one direction: fixed or auto scaled.
    pub(super) fn settings(
        &mut self,
        node: &SourceNode,
        names: &UnitsSettings,
        label: &str,
    ) -> UnitsDraft {
        let mut units = UnitsDraft::default();
        let Some(settings) = self.child(node, names.block, label) else {
            return units;
        };
        units.fixed = self.number(&settings, names.fixed, label);
        let Some(scaling) = self.child(&settings, names.scaled, label) else {
            return units;
        };
        units.min = self.number(&scaling, "MinCapacity", label);
        units.max = self.number(&scaling, "MaxCapacity", label);
        units.fixed = units
            .fixed
            .or_else(|| self.number(&scaling, "SeedCapacity", label));
        if let Some(tracking) =
            self.child(&scaling, "TargetTrackingScalingPolicyConfiguration", label)
        {
            units.target = self.number(&tracking, "TargetValue", label);
        }
        units
    }

    pub(super) fn reads(&mut self, node: &SourceNode, label: &str) -> UnitsDraft {
        self.settings(node, &READ_UNITS, label)
    }

    pub(super) fn writes(&mut self, node: &SourceNode, label: &str) -> UnitsDraft {
        self.settings(node, &WRITE_UNITS, label)
    }

    pub(super) fn global_table(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
        region: Option<&str>,
    ) -> Option<TableDraft> {
        let label = key.name.clone();
        if let Some(table) = self.text(properties, "GlobalTableSourceArn", &label) {
            // Its keys and its writes are those of the table of the other account.
            let words = format!("{label}: a replica of {table}, a table of another account");
            self.unread(UnreadKind::OtherAccount, &words, resource);
            return None;
        }
        let mut table = self.new_table(key, resource, properties);
        let replicas: Vec<(Option<String>, SourceNode)> = self
            .each(properties, "Replicas", &label)
            .into_iter()
            .map(|replica| (self.text(&replica, "Region", &label), replica))
            .collect();
        let home = self.home_replica(&label, resource, &replicas, region)?;
        let class = self.class(&home, &label);
        table.fields.set_some("class", class);
        if !self.keys(&mut table, properties, key, resource) {
            return None;
        }
        let on_demand = self.mode(&mut table, properties, &label, resource);
        if on_demand {
            let mut capacity = std::mem::take(&mut table.capacity);
            self.maximum(&mut capacity, &home, &READ_MAXIMUM, &label);
            self.maximum(&mut capacity, properties, &WRITE_MAXIMUM, &label);
            table.capacity = capacity;
        } else {
            table.read = self.reads(&home, &label);
            table.write = self.writes(properties, &label);
        }
        self.indexes(&mut table, properties, &home, &label);
        let mut fields = std::mem::take(&mut table.fields);
        self.insights(&mut fields, &home, &label);
        table.fields = fields;
        if table.fields.get("contributor_insights").is_some() {
            table.insights_alone();
        }
        let recovery = self.recovery(&home, &label);
        table.add_recovery(recovery);
        // A global table has a stream for replication; the template does not say whether it has
        // other readers.
        self.streams(&mut table, properties, &label);
        self.kinesis(&mut table, &home, &label);
        // A key belongs to one region, so each replica names its own.
        let key = home.at(&["SSESpecification", "KMSMasterKeyId"]).cloned();
        self.features(&mut table, properties, key.as_ref(), &label);
        self.strong_consistency(&mut table, properties, &label);
        let others = replicas
            .iter()
            .filter(|(name, _)| region.is_none() || name.as_deref() != region);
        for (name, node) in others {
            self.other_replica(&mut table, name.as_deref(), node, &label);
        }
        self.witnesses(&mut table, properties, &label);
        Some(table)
    }

    /// The replica in the region of the stack, which is the table itself; nothing if that region is
    /// unknown.
    fn home_replica(
        &mut self,
        label: &str,
        resource: &SourceNode,
        replicas: &[(Option<String>, SourceNode)],
        region: Option<&str>,
    ) -> Option<SourceNode> {
        let Some(region) = region else {
            return Some(SourceNode::new(Value::Map(Vec::new()), 0..0));
        };
        let is_home = |(name, _): &&(Option<String>, SourceNode)| name.as_deref() == Some(region);
        if let Some((_, node)) = replicas.iter().find(is_home) {
            return Some(node.clone());
        }
        let names: Vec<&str> = replicas
            .iter()
            .filter_map(|(name, _)| name.as_deref())
            .collect();
        self.problem(
            resource,
            "region",
            format!("{label} has no replica in {region}, the region of the stack"),
            &format!(
                "set --region to the region of one of its replicas: {}",
                names.join(", ")
            ),
        );
        None
    }

    /// Adds the indexes, whose reads the home replica sets.
    fn indexes(
        &mut self,
        table: &mut TableDraft,
        properties: &SourceNode,
        home: &SourceNode,
        label: &str,
    ) {
        let on_demand = !table.is_provisioned();
        let of_home = self.each(home, "GlobalSecondaryIndexes", label);
        for node in self.each(properties, "GlobalSecondaryIndexes", label) {
            let Some(mut index) = self.index(&node, label, true, None) else {
                continue;
            };
            let name = index.name.plain();
            let inner = format!("{label} / {name}");
            let here = of_home
                .iter()
                .find(|node| self.text(node, "IndexName", label).as_deref() == Some(name.as_str()));
            if on_demand {
                let mut fields = std::mem::take(&mut index.fields);
                if let Some(here) = here {
                    self.maximum(&mut fields, here, &READ_MAXIMUM, &inner);
                }
                self.maximum(&mut fields, &node, &WRITE_MAXIMUM, &inner);
                index.fields = fields;
            } else {
                index.read = here
                    .map(|here| self.reads(here, &inner))
                    .unwrap_or_default();
                index.write = self.writes(&node, &inner);
            }
            if let Some(here) = here {
                self.insights(&mut index.fields, here, &inner);
            }
            self.warm(&node, &inner);
            table.indexes.push(index);
        }
        for node in self.each(properties, "LocalSecondaryIndexes", label) {
            let partition = self.schema(properties, label).0.into_iter().next();
            let index = self.index(&node, label, false, partition.as_deref());
            table.indexes.extend(index);
        }
    }

    fn strong_consistency(&mut self, table: &mut TableDraft, properties: &SourceNode, label: &str) {
        let consistency = self.text(properties, "MultiRegionConsistency", label);
        if consistency.as_deref() != Some("STRONG") {
            return;
        }
        let origin = properties
            .get("MultiRegionConsistency")
            .and_then(|node| self.origin(node));
        let note = format!("{label}: MultiRegionConsistency");
        let said = Sourced::new("\"strong\"", note, origin);
        table.fields.set("multi_region_consistency", said);
    }

    /// Adds a replica in another region.
    fn other_replica(
        &mut self,
        table: &mut TableDraft,
        name: Option<&str>,
        node: &SourceNode,
        label: &str,
    ) {
        let Some(name) = name else {
            table.unpriced.push(self.unresolved_replica(node));
            return;
        };
        let mut replica = self.replica(name, node, label);
        let home_class = table.fields.get("class");
        let is_standard = home_class.is_none_or(|said| said.toml == "\"standard\"");
        if replica.fields.get("class").is_none() && !is_standard {
            let note = "no TableClass, which means STANDARD";
            let said = Sourced::new("\"standard\"", note, replica.region.origin.clone());
            replica.fields.set("class", said);
        }
        let insights = replica.fields.get("contributor_insights");
        if insights.is_some_and(|said| said.toml == "true") {
            replica.insights_alone(table.global_names().into_iter());
        }
        if let Some(key) = self.key_name(node.at(&["SSESpecification", "KMSMasterKeyId"])) {
            let note = format!("{label}: the KMS key in {name}");
            let said = Sourced::new("1", note, self.origin(node));
            replica_encrypted(&mut replica, &key, said, self.kms_keys);
        }
        table.replicas.push(replica);
    }

    fn witnesses(&mut self, table: &mut TableDraft, properties: &SourceNode, label: &str) {
        for node in self.each(properties, "GlobalTableWitnesses", label) {
            let Some(name) = self.text(&node, "Region", label) else {
                continue;
            };
            let origin = self.origin(&node);
            let mut fields = Fields::default();
            fields.set("witness", Sourced::new("true", "", origin.clone()));
            let region = Sourced::text(&name, format!("{label}: GlobalTableWitnesses"), origin);
            table.replicas.push(ReplicaDraft {
                region,
                fields,
                read: UnitsDraft::default(),
                indexes: Vec::new(),
                access: Vec::new(),
            });
        }
    }

    pub(super) fn replica(&mut self, name: &str, node: &SourceNode, label: &str) -> ReplicaDraft {
        let inner = format!("{label} in {name}");
        let origin = node
            .get("Region")
            .map_or_else(|| self.origin(node), |node| self.origin(node));
        let mut fields = Fields::default();
        let class = self.class(node, &inner);
        fields.set_some("class", class);
        fields.set_some("pitr", self.recovery(node, &inner));
        self.insights(&mut fields, node, &inner);
        self.maximum(&mut fields, node, &READ_MAXIMUM, &inner);
        if let Some(kinesis) = self.child(node, "KinesisStreamSpecification", &inner) {
            let what = format!("change data capture to Kinesis in {name}");
            let origin = self.origin(&kinesis);
            self.untold
                .push(unpriced(UnreadKind::OtherRegion, &what, "", origin));
        }
        let read = self.reads(node, &inner);
        let mut indexes = Vec::new();
        for index in self.each(node, "GlobalSecondaryIndexes", &inner) {
            let Some(name) = self.text(&index, "IndexName", &inner) else {
                continue;
            };
            let own = format!("{inner} / {name}");
            let mut fields = Fields::default();
            self.maximum(&mut fields, &index, &READ_MAXIMUM, &own);
            self.insights(&mut fields, &index, &own);
            let read = self.reads(&index, &own);
            indexes.push((name, read, fields));
        }
        ReplicaDraft {
            region: Sourced::text(name, format!("{label}: Replicas"), origin),
            fields,
            read,
            indexes,
            access: Vec::new(),
        }
    }

    fn unresolved_replica(&self, node: &SourceNode) -> Sourced {
        let words = "a replica in a region that cannot be resolved";
        unpriced(UnreadKind::AfterApply, words, "", self.origin(node))
    }

    /// A replica added by a custom resource, which the CDK generates for `replicationRegions`.
    pub(super) fn custom_replica(
        &mut self,
        key: &NodeKey,
        properties: &SourceNode,
        draft: &mut Draft,
    ) {
        let label = &key.name;
        let (name, region) = (
            self.text(properties, "TableName", label),
            self.text(properties, "Region", label),
        );
        let origin = properties.get("Region").and_then(|node| self.origin(node));
        let Some(table) = draft
            .tables
            .iter_mut()
            .find(|table| name.as_deref().is_some_and(|name| table.is(name)))
        else {
            let words = format!("{label}: a replica of a table that is not in this template");
            self.unread(UnreadKind::OtherTable, &words, properties);
            return;
        };
        match region {
            Some(region) => {
                let region =
                    Sourced::text(&region, format!("{label}: Custom::DynamoDBReplica"), origin);
                let (fields, read) = (Fields::default(), UnitsDraft::default());
                table.replicas.push(ReplicaDraft {
                    region,
                    fields,
                    read,
                    indexes: Vec::new(),
                    access: Vec::new(),
                });
            }
            None => table.unpriced.push(self.unresolved_replica(properties)),
        }
    }
}
