//! Descriptions of existing tables by AWS: `aws dynamodb describe-table`,
//! `describe-continuous-backups`, `describe-time-to-live`,
//! `describe-kinesis-streaming-destination`, `describe-contributor-insights`,
//! `list-contributor-insights`, `list-tags-of-resource`, and `aws application-autoscaling
//! describe-scalable-targets`, `describe-scaling-policies`, `describe-scheduled-actions`, `aws dax
//! describe-clusters`, `aws backup get-backup-plan`, `get-backup-selection`.
//!
//! Answers that do not name their table (backups, Time to Live, tags) belong to the table described
//! before them. AWS updates sizes and counts about every six hours. Source: DynamoDB API Reference,
//! TableDescription.

use crate::table::Arn;
use std::sync::Arc;

use super::account::sample;
use super::backups::{self, BackupPlan, BackupSelection, Lifecycle, PlanCopy, PlanRule};
use super::draft::{
    Draft, Fields, IndexDraft, Origin, ReplicaDraft, Sourced, TableDraft, UnitsDraft, list,
    number as written, quoted,
};
use super::node::{SourceNode, wrong};
use super::scaling::{self, AWS_WORDS, ScalingTarget, ScheduledAction, Suspended};
use super::shared::{SaidVector, attach_dax, projection};
use super::{Context, names_of};
use crate::diag::{Diagnostic, Source};
use crate::units::Exact;

/// The keys that identify each AWS response.
const ANSWERS: [&str; 14] = [
    "Table",
    "ContinuousBackupsDescription",
    "TimeToLiveDescription",
    "ScalableTargets",
    "ScalingPolicies",
    "ScheduledActions",
    "TableDescription",
    "KinesisDataStreamDestinations",
    "ContributorInsightsStatus",
    "ContributorInsightsSummaries",
    "Clusters",
    "BackupPlan",
    "BackupSelection",
    "Tags",
];

/// The warm throughput of a table or an index, if it is more than each has from the start: it was
/// raised once and is not charged every month.
///
/// Source: Developer Guide, "DynamoDB warm throughput": 12,000 read and 4,000 write units a second
/// on demand; the provisioned units otherwise.
fn warm(node: &SourceNode, of: &str) -> Option<String> {
    let units = |path: &[&str]| {
        let number = node.at(path).and_then(SourceNode::scalar)?;
        Exact::parse(&number)
    };
    let (read, write) = (
        units(&["WarmThroughput", "ReadUnitsPerSecond"])?,
        units(&["WarmThroughput", "WriteUnitsPerSecond"])?,
    );
    let is_usual = |warm: &Exact, key: &str, usual: u64| {
        let provisioned = units(&["ProvisionedThroughput", key]).unwrap_or_else(Exact::zero);
        *warm <= provisioned.max(Exact::from(usual))
    };
    let usual = is_usual(&read, "ReadCapacityUnits", 12_000)
        && is_usual(&write, "WriteCapacityUnits", 4_000);
    (!usual).then(|| {
        format!(
            "Warm throughput of {of}: {} read and {} write units a second (WarmThroughput). Raising it \
             is charged once, so that it is in no month.",
            read.human(0),
            write.human(0)
        )
    })
}

/// Whether a document is an AWS response or a list of responses.
pub(super) fn is_description(document: &SourceNode) -> bool {
    let one =
        |node: &SourceNode| ANSWERS.iter().any(|key| node.get(key).is_some()) || is_table(node);
    one(document) || document.elements().first().is_some_and(one)
}

fn is_table(node: &SourceNode) -> bool {
    node.get("TableName").is_some() && node.get("KeySchema").is_some()
}

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], context: Context) -> Draft {
    let mut draft = Draft::of(documents, names_of(documents), "AWS does not say");
    let mut targets: Vec<ScalingTarget> = Vec::new();
    let mut regions: Vec<Sourced> = Vec::new();
    let (mut plans, mut selections) = (Vec::new(), Vec::new());
    for (source, document) in documents {
        let mut reading = Reading {
            source,
            problems: &mut *context.problems,
        };
        for answer in answers(document) {
            if let Some(node) = answer
                .get("Table")
                .or_else(|| answer.get("TableDescription"))
                .or_else(|| is_table(answer).then_some(answer))
            {
                if let Some(region) = reading.region(node) {
                    regions.push(region);
                }
                let account = node
                    .text_at("TableArn")
                    .and_then(|arn| Arn::of(arn).account());
                let table = reading.table(node).map(|table| TableDraft {
                    qualifier: account.map(str::to_string),
                    ..table
                });
                draft.tables.extend(table);
            }
            reading.backups(answer, &mut draft);
            reading.tags(answer, &mut draft);
            if let (Some(sample), Some(table)) = (answer.get("ItemSample"), draft.tables.last_mut())
            {
                sample::apply(sample, table);
            }
            reading.targets(answer, &mut targets);
            plans.extend(reading.plan(answer));
            selections.extend(reading.selection(answer));
        }
    }
    // These responses name their table, which may be described anywhere.
    for (source, document) in documents {
        let mut reading = Reading {
            source,
            problems: &mut *context.problems,
        };
        for answer in answers(document) {
            reading.named(answer, &mut draft);
            let summaries = answer.list("ContributorInsightsSummaries");
            summaries
                .iter()
                .for_each(|one| reading.named(one, &mut draft));
            regions.extend(reading.clusters(answer, &mut draft));
        }
    }
    let asked = context
        .region
        .map(str::to_string)
        .or_else(|| context.usage.and_then(|usage| usage.region()));
    let home = asked
        .map(|region| Sourced::text(&region, "from --region or the usage file", None))
        .or_else(|| regions.first().cloned())
        .or_else(|| {
            let region = context.fallback?;
            Some(Sourced::text(region, "the default region", None))
        });
    draft.head.set_some("region", home.clone());
    draft.may_be_empty = !draft.clusters.is_empty();
    in_one_region(&regions, &mut draft, &documents[0].0, context.problems);
    scaling::join(targets, &mut draft);
    backups::join(&plans, &selections, &mut draft);
    draft
}

/// The responses in a document: itself, or the elements of a list.
pub(super) fn answers(document: &SourceNode) -> &[SourceNode] {
    match document.elements() {
        [] => std::slice::from_ref(document),
        elements => elements,
    }
}

/// Removes a table's own region from its replicas, among which AWS may list it, and refuses tables
/// of another region.
fn in_one_region(
    regions: &[Sourced],
    draft: &mut Draft,
    first: &Arc<Source>,
    problems: &mut Vec<Diagnostic>,
) {
    let Some(own) = regions.first() else {
        return;
    };
    for table in &mut draft.tables {
        table
            .replicas
            .retain(|replica| own.plain() != replica.region.plain());
    }
    for other in regions.iter().filter(|other| own.plain() != other.plain()) {
        let (source, span) = other
            .origin
            .clone()
            .unwrap_or_else(|| (first.clone(), 0..1));
        let message = format!(
            "this table is in {}, but another one is in {}",
            other.plain(),
            own.plain()
        );
        problems.push(wrong(
            &source,
            span,
            "region",
            message,
            "import the tables of one region at a time",
        ));
    }
}

/// Whether point-in-time recovery is on, if an answer says so.
pub(super) fn recovery(answer: &SourceNode) -> Option<bool> {
    let node = answer.at(&RECOVERY)?;
    Some(node.text_at("PointInTimeRecoveryStatus") == Some("ENABLED"))
}

const RECOVERY: [&str; 2] = [
    "ContinuousBackupsDescription",
    "PointInTimeRecoveryDescription",
];

struct Reading<'a> {
    source: &'a Arc<Source>,
    problems: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    fn origin(&self, node: &SourceNode) -> Origin {
        Some((self.source.clone(), node.span.clone()))
    }

    fn said(&self, node: &SourceNode, toml: impl Into<String>, note: &str) -> Sourced {
        Sourced::new(toml, note, self.origin(node))
    }

    /// The region in a table's ARN.
    fn region(&self, node: &SourceNode) -> Option<Sourced> {
        let arn = node.get("TableArn")?;
        let text = arn.text()?;
        let region = Arn::of(text).region()?;
        Some(Sourced::text(region, "TableArn", self.origin(arn)))
    }

    fn number(&mut self, node: &SourceNode, key: &str) -> Option<Sourced> {
        let value = node.get(key)?;
        let text = value
            .scalar()
            .filter(|text| Exact::parse(text).is_some_and(|number| !number.is_negative()));
        match text {
            Some(text) => Some(self.said(value, text.into_owned(), key)),
            None => {
                let found = value.scalar().map_or_else(
                    || value.kind().to_string(),
                    |text| super::node::shown(&text),
                );
                let message = format!("{key} must be a number of at least 0, found {found}");
                self.problems.push(wrong(
                    self.source,
                    value.span.clone(),
                    "wrong-type",
                    message,
                    "save the AWS response unchanged",
                ));
                None
            }
        }
    }

    /// Provisioned units; AWS returns 0 for on-demand tables.
    fn units(&mut self, node: &SourceNode, key: &str) -> Option<Sourced> {
        let units = node.get("ProvisionedThroughput").cloned()?;
        self.number(&units, key).filter(|said| said.toml != "0")
    }

    fn table(&mut self, node: &SourceNode) -> Option<TableDraft> {
        if node.text_at("TableStatus") == Some("DELETING") {
            return None;
        }
        let name = node.get("TableName").cloned();
        let Some((name, place)) = name.as_ref().and_then(|node| Some((node.text()?, node))) else {
            self.problems.push(wrong(
                self.source,
                node.span.start..node.span.start + 1,
                "missing-key",
                "the table has no TableName",
                "save the AWS response unchanged",
            ));
            return None;
        };
        let ids = node
            .text_at("TableArn")
            .map(str::to_string)
            .into_iter()
            .collect();
        let mut table = TableDraft::new(Sourced::text(name, "TableName", self.origin(place)), ids);
        // Until an answer says its tags.
        table.has_unknown_tags = true;
        let class = self.class(node, "TableClassSummary");
        table.fields.set_some("class", class);
        let items = self.size_of_table(node, &mut table.fields);
        let types = node.list("AttributeDefinitions");
        let (hash, range) = schema(node);
        let place = node.get("KeySchema").unwrap_or(node);
        let Some(hash) = hash.first() else {
            self.problems.push(wrong(
                self.source,
                place.span.clone(),
                "missing-key",
                format!("{name} has no partition key"),
                "save the AWS response unchanged",
            ));
            return None;
        };
        table.fields.set(
            "partition_key",
            self.said(place, key_of(types, hash), "KeySchema"),
        );
        if let Some(range) = range.first() {
            table.fields.set(
                "sort_key",
                self.said(place, key_of(types, range), "KeySchema"),
            );
        }
        let on_demand = self.mode(node, &mut table);
        for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            for index in node.list(kind) {
                let index = self.index(index, kind, on_demand, items.as_ref());
                table.indexes.extend(index);
            }
        }
        let note = "not in this response: also import the output of `aws dynamodb \
                    describe-continuous-backups` after it, or write true or false";
        table.block("backup").set("pitr", Sourced::unknown(note));
        self.features(node, &mut table);
        self.replicas(node, &mut table, on_demand);
        table.notes.extend(warm(node, "the table"));
        for index in node.list("GlobalSecondaryIndexes") {
            let name = index.text_at("IndexName").unwrap_or("an index");
            table.notes.extend(warm(index, name));
        }
        Some(table)
    }

    /// The class of a table or of a replica.
    fn class(&self, node: &SourceNode, summary: &str) -> Option<Sourced> {
        let class = node.at(&[summary, "TableClass"])?;
        let word = match class.text() {
            Some("STANDARD_INFREQUENT_ACCESS") => "\"standard-ia\"",
            _ => "\"standard\"",
        };
        Some(self.said(class, word, summary))
    }

    /// Sets the number of items and the bytes of a table; returns the number.
    fn size_of_table(&mut self, node: &SourceNode, fields: &mut Fields) -> Option<Sourced> {
        let items = self.number(node, "ItemCount");
        let bytes = self.number(node, "TableSizeBytes");
        let note = match mean(items.as_ref(), bytes.as_ref()) {
            Some(mean) => format!(
                "the mean is {mean} B, but each item is rounded up separately: {{ size = … }}, or \
                 a lognormal, histogram or export"
            ),
            None => "how large is an item? { size = \"1 KB\" }, or a lognormal, histogram, \
                     attributes or export"
                .to_string(),
        };
        let counted = items.clone().map(|said| Sourced {
            note: "ItemCount, updated about every six hours".to_string(),
            ..said
        });
        let stored = bytes.map(|said| Sourced {
            toml: quoted(&format!("{} B", said.toml)),
            ..said
        });
        fields.set_some("items", counted);
        fields.set_some("stored", stored);
        fields.set("item", Sourced::unknown(note));
        items
    }

    /// Sets the capacity mode with its units; returns whether it is on demand.
    fn mode(&mut self, node: &SourceNode, table: &mut TableDraft) -> bool {
        let mode = node.at(&["BillingModeSummary", "BillingMode"]);
        let on_demand = mode.and_then(SourceNode::text) == Some("PAY_PER_REQUEST");
        let word = if on_demand {
            "\"on-demand\""
        } else {
            "\"provisioned\""
        };
        let note = if mode.is_some() {
            "BillingModeSummary"
        } else {
            "no BillingModeSummary, which means PROVISIONED"
        };
        table
            .capacity
            .set("mode", self.said(mode.unwrap_or(node), word, note));
        if on_demand {
            self.maximum(node, &mut table.capacity);
        } else {
            table.read.fixed = self.units(node, "ReadCapacityUnits");
            table.write.fixed = self.units(node, "WriteCapacityUnits");
        }
        on_demand
    }

    fn maximum(&mut self, node: &SourceNode, fields: &mut Fields) {
        let Some(block) = node.get("OnDemandThroughput").cloned() else {
            return;
        };
        for (key, name) in [
            ("MaxReadRequestUnits", "max_read"),
            ("MaxWriteRequestUnits", "max_write"),
        ] {
            // -1 means no maximum.
            if block
                .get(key)
                .and_then(SourceNode::scalar)
                .is_some_and(|text| text != "-1")
            {
                fields.set_some(name, self.number(&block, key));
            }
        }
    }

    fn index(
        &mut self,
        node: &SourceNode,
        kind: &str,
        on_demand: bool,
        items: Option<&Sourced>,
    ) -> Option<IndexDraft> {
        if node.text_at("IndexStatus") == Some("DELETING") {
            return None;
        }
        let name = node.get("IndexName")?;
        let global = kind == "GlobalSecondaryIndexes";
        let mut fields = Fields::default();
        let (hash, range) = schema(node);
        let place = node.get("KeySchema").unwrap_or(node);
        if hash.is_empty() {
            self.problems.push(wrong(
                self.source,
                place.span.clone(),
                "missing-key",
                "the index has no partition key",
                "save the AWS response unchanged",
            ));
            return None;
        }
        fields.set("partition_key", self.said(place, list(&hash), "KeySchema"));
        if !range.is_empty() {
            fields.set("sort_key", self.said(place, list(&range), "KeySchema"));
        }
        if let Some(block) = node.get("Projection") {
            let attributes: Vec<String> = block
                .list("NonKeyAttributes")
                .iter()
                .filter_map(|one| one.text().map(str::to_string))
                .collect();
            let toml = projection(
                block.text_at("ProjectionType").unwrap_or("ALL"),
                &attributes,
            );
            fields.set_some(
                "projection",
                toml.map(|toml| self.said(block, toml, "Projection")),
            );
        }
        let held = self.number(node, "ItemCount");
        if let Some((held, coverage)) = held
            .as_ref()
            .and_then(|held| Some((held, coverage(held, items?)?)))
        {
            fields.set(
                "coverage",
                Sourced {
                    toml: coverage,
                    note: format!(
                        "ItemCount of the index / ItemCount of the table: {} / {}",
                        held.toml,
                        items.map_or("", |items| &items.toml)
                    ),
                    ..held.clone()
                },
            );
        }
        let bytes = self.number(node, "IndexSizeBytes");
        fields.set_some(
            "stored",
            bytes.map(|said| Sourced {
                toml: quoted(&format!("{} B", said.toml)),
                ..said
            }),
        );
        let (mut read, mut write) = (UnitsDraft::default(), UnitsDraft::default());
        if global && on_demand {
            self.maximum(node, &mut fields);
        } else if global {
            read.fixed = self.units(node, "ReadCapacityUnits");
            write.fixed = self.units(node, "WriteCapacityUnits");
        }
        let name = Sourced::text(name.text()?, kind, self.origin(name));
        Some(IndexDraft {
            name,
            global,
            fields,
            read,
            write,
            schedule: Vec::new(),
        })
    }

    fn features(&mut self, node: &SourceNode, table: &mut TableDraft) {
        if let Some(stream) = node
            .get("StreamSpecification")
            .filter(|stream| stream.get("StreamEnabled").and_then(SourceNode::truth) == Some(true))
        {
            let view = stream
                .text_at("StreamViewType")
                .unwrap_or("NEW_AND_OLD_IMAGES")
                .to_lowercase()
                .replace('_', "-");
            let said = self.said(stream, quoted(&view), "StreamSpecification");
            let block = table.block("stream");
            block.set("view", said);
            block.set(
                "readers",
                Sourced::unknown(
                    "AWS does not say: who reads it? { lambda = 1 } is free, { polling = 1 } is \
                     charged",
                ),
            );
        }
        if let Some(encryption) = node.get("SSEDescription").filter(|one| {
            one.text_at("SSEType") == Some("KMS") && one.text_at("Status") != Some("DISABLED")
        }) {
            // The response names the key both for AWS managed and for customer managed keys.
            let what = quoted(
                "the KMS key: $1 a month if it is customer managed (set `encryption`), nothing if \
                 it is AWS managed",
            );
            table.unpriced.push(self.said(encryption, what, ""));
        }
        for vector in node.list("VectorIndexes") {
            self.vector_index(vector).add(table);
        }
        if node.text_at("MultiRegionConsistency") == Some("STRONG")
            && let Some(place) = node.get("MultiRegionConsistency")
        {
            table.fields.set(
                "multi_region_consistency",
                self.said(place, "\"strong\"", "MultiRegionConsistency"),
            );
        }
    }

    /// What an answer says about a vector index.
    fn vector_index(&mut self, node: &SourceNode) -> SaidVector {
        let text = |reading: &Self, value: Option<&SourceNode>, note: &str| {
            let value = value?;
            Some(reading.said(value, quoted(value.text()?), note))
        };
        let included: Vec<String> = node
            .at(&["Projection", "NonKeyAttributes"])
            .into_iter()
            .flat_map(SourceNode::elements)
            .filter_map(|name| name.text().map(str::to_string))
            .collect();
        let toml = node
            .at(&["Projection", "ProjectionType"])
            .and_then(|word| projection(word.text()?, &included));
        let filters = node.list("SearchSchema").iter();
        SaidVector {
            name: text(self, node.get("IndexName"), "VectorIndexes"),
            attribute: text(self, node.at(&["VectorAttribute", "AttributeName"]), ""),
            dimensions: self.number(node, "Dimensions"),
            projection: toml.map(|toml| self.said(node, toml, "Projection")),
            filters: filters
                .filter_map(|one| one.text_at("AttributeName").map(str::to_string))
                .collect(),
            place: self.said(node, "", ""),
        }
    }

    fn replicas(&mut self, node: &SourceNode, table: &mut TableDraft, on_demand: bool) {
        let own = self.region(node).map(|own| own.plain());
        for replica in node.list("Replicas") {
            let region = replica.get("RegionName");
            let is_deleted = replica.text_at("ReplicaStatus") == Some("DELETING");
            let Some(region) = region.filter(|_| !is_deleted) else {
                continue;
            };
            let key = replica.get("KMSMasterKeyId").filter(|key| {
                key.text()
                    .is_some_and(|key| !key.ends_with("alias/aws/dynamodb"))
            });
            let is_home = own.as_deref() == region.text() && own.is_some();
            if let Some(key) = key.filter(|_| !is_home) {
                let words = format!(
                    "the KMS key in {}: $1 a month if it is customer managed",
                    region.text().unwrap_or_default()
                );
                table.unpriced.push(self.said(key, quoted(&words), ""));
            }
            let replica = self.replica(replica, region, on_demand);
            table.replicas.push(replica);
        }
        for witness in node.list("GlobalTableWitnesses") {
            let Some(region) = witness.get("RegionName").or_else(|| witness.get("Region")) else {
                continue;
            };
            let mut fields = Fields::default();
            fields.set("witness", self.said(witness, "true", ""));
            table.replicas.push(ReplicaDraft {
                region: self.region_name(region, "GlobalTableWitnesses"),
                fields,
                read: UnitsDraft::default(),
                indexes: Vec::new(),
                access: Vec::new(),
            });
        }
    }

    fn region_name(&self, node: &SourceNode, note: &str) -> Sourced {
        Sourced::text(node.text().unwrap_or_default(), note, self.origin(node))
    }

    /// A replica with its class, and what it overrides for itself and its indexes.
    fn replica(
        &mut self,
        replica: &SourceNode,
        region: &SourceNode,
        on_demand: bool,
    ) -> ReplicaDraft {
        let mut fields = Fields::default();
        self.override_of(replica, &mut fields);
        let class = self.class(replica, "ReplicaTableClassSummary");
        fields.set_some("class", class);
        let read = self.overridden_units(replica, on_demand);
        let mut indexes = Vec::new();
        for index in replica.list("GlobalSecondaryIndexes") {
            let read = self.overridden_units(index, on_demand);
            let mut own = Fields::default();
            self.override_of(index, &mut own);
            let name = index.text_at("IndexName");
            indexes.extend(name.map(|name| (name.to_string(), read, own)));
        }
        let note = "not in this response: `aws dynamodb describe-continuous-backups --region …` \
                    says it; write true or false";
        fields.set("pitr", Sourced::unknown(note));
        ReplicaDraft {
            region: self.region_name(region, "Replicas"),
            fields,
            read,
            indexes,
            access: Vec::new(),
        }
    }

    /// The read units of a replica, if they override those of the table.
    fn overridden_units(&mut self, node: &SourceNode, on_demand: bool) -> UnitsDraft {
        let block = node.get("ProvisionedThroughputOverride");
        let fixed = block.and_then(|block| self.number(block, "ReadCapacityUnits"));
        UnitsDraft {
            fixed: fixed.filter(|_| !on_demand),
            ..UnitsDraft::default()
        }
    }

    /// The maximum read throughput of a replica, if it overrides that of the table.
    fn override_of(&mut self, node: &SourceNode, fields: &mut Fields) {
        let Some(block) = node.get("OnDemandThroughputOverride").cloned() else {
            return;
        };
        if block
            .get("MaxReadRequestUnits")
            .and_then(SourceNode::scalar)
            .is_some_and(|text| text != "-1")
        {
            fields.set_some("max_read", self.number(&block, "MaxReadRequestUnits"));
        }
    }

    /// Adds point-in-time recovery and Time to Live to the table described last.
    fn backups(&mut self, answer: &SourceNode, draft: &mut Draft) {
        let found = [
            (answer.at(&RECOVERY), "PointInTimeRecoveryStatus"),
            (answer.get("TimeToLiveDescription"), "TimeToLiveStatus"),
        ];
        for (node, key) in found {
            let Some(node) = node else { continue };
            let on = node.text_at(key) == Some("ENABLED");
            if !on && key == "TimeToLiveStatus" {
                continue;
            }
            let Some(table) = draft.tables.last_mut() else {
                let help = "put the output of `describe-table` for its table before it";
                self.problems.push(wrong(
                    self.source,
                    node.span.clone(),
                    "unknown-table",
                    "this response does not name its table",
                    help,
                ));
                continue;
            };
            if key == "TimeToLiveStatus" {
                let note = format!(
                    "on {}; how many items expire? {{ per_day = 1000 }}",
                    node.text_at("AttributeName").unwrap_or_default()
                );
                table.block("ttl").set(
                    "deletes",
                    Sourced {
                        origin: self.origin(node),
                        ..Sourced::unknown(note)
                    },
                );
            } else {
                table.block("backup").set(
                    "pitr",
                    self.said(node, on.to_string(), "PointInTimeRecoveryDescription"),
                );
            }
        }
    }

    /// Adds tags to the table described last.
    fn tags(&mut self, answer: &SourceNode, draft: &mut Draft) {
        if let (Some(_), Some(table)) = (answer.get("Tags"), draft.tables.last_mut()) {
            table.has_unknown_tags = false;
            for tag in answer.list("Tags") {
                let text = |key| tag.text_at(key).unwrap_or_default().to_string();
                table.tags.push((text("Key"), text("Value")));
            }
        }
    }

    /// A backup plan with its rules.
    fn plan(&self, answer: &SourceNode) -> Option<BackupPlan> {
        let plan = answer.get("BackupPlan")?;
        let copy = |action: &SourceNode| PlanCopy {
            vault: action
                .text_at("DestinationBackupVaultArn")
                .map(str::to_string),
            life: lifecycle(action),
        };
        let rule = |rule: &SourceNode| PlanRule {
            name: rule.text_at("RuleName").unwrap_or("a rule").to_string(),
            schedule: rule.text_at("ScheduleExpression").map(str::to_string),
            life: lifecycle(rule),
            copies: rule.list("CopyActions").iter().map(copy).collect(),
            origin: self.origin(rule),
        };
        Some(BackupPlan {
            id: answer
                .text_at("BackupPlanId")
                .unwrap_or_default()
                .to_string(),
            rules: plan.list("Rules").iter().map(rule).collect(),
        })
    }

    /// What a backup plan selects.
    fn selection(&self, answer: &SourceNode) -> Option<BackupSelection> {
        let selection = answer.get("BackupSelection")?;
        let arns = |key: &str| -> Vec<Option<String>> {
            let list = selection.list(key).iter();
            list.map(|arn| arn.text().map(str::to_string)).collect()
        };
        let tag = |one: &SourceNode| {
            let text = |key| one.text_at(key).unwrap_or_default().to_string();
            (text("ConditionKey"), text("ConditionValue"))
        };
        let conditions = selection.get("Conditions").into_iter();
        let mut conditions = conditions.flat_map(|all| all.entries());
        Some(BackupSelection {
            plan: answer.text_at("BackupPlanId").map(str::to_string),
            resources: arns("Resources"),
            excluded: arns("NotResources"),
            tags: selection.list("ListOfTags").iter().map(tag).collect(),
            has_conditions: conditions.any(|(_, list)| !list.elements().is_empty()),
            label: selection
                .text_at("SelectionName")
                .unwrap_or("a backup selection")
                .to_string(),
            origin: self.origin(selection),
        })
    }

    /// Adds change data capture and Contributor Insights to the table that they name.
    fn named(&mut self, answer: &SourceNode, draft: &mut Draft) {
        let streams = answer.list("KinesisDataStreamDestinations");
        let is_active = |one: &&SourceNode| {
            matches!(
                one.text_at("DestinationStatus"),
                Some("ACTIVE" | "ENABLING" | "UPDATING")
            )
        };
        let stream = streams.iter().find(is_active);
        let insights = answer
            .get("ContributorInsightsStatus")
            .filter(|one| matches!(one.text(), Some("ENABLED" | "ENABLING")));
        let Some(place) = stream.or(insights) else {
            return;
        };
        let name = answer.text_at("TableName").unwrap_or_default();
        let name = name.rsplit_once("table/").map_or(name, |(_, name)| name);
        let Some(table) = draft.tables.iter_mut().find(|table| table.is(name)) else {
            let message = format!("this is for the table {name:?}, which no response describes");
            self.problems.push(wrong(
                self.source,
                place.span.clone(),
                "unknown-table",
                message,
                "also import the output of `aws dynamodb describe-table` for this table",
            ));
            return;
        };
        if let Some(stream) = stream {
            table.block("stream").set(
                "kinesis",
                self.said(stream, "true", "KinesisDataStreamDestinations"),
            );
        }
        let Some(status) = insights else { return };
        let is_throttled = answer
            .text_at("ContributorInsightsMode")
            .is_some_and(|mode| mode.starts_with("THROTTLED"));
        let mode = match is_throttled {
            true => "\"throttled-keys\"",
            false => "true",
        };
        let said = self.said(status, mode, "ContributorInsightsStatus");
        match answer.text_at("IndexName").filter(|name| !name.is_empty()) {
            Some(name) => match table.index(name) {
                Some(index) => index.fields.set("contributor_insights", said),
                None => table.notes.push(format!(
                    "Contributor Insights for the index {name}, which the table does not have; \
                     ignored"
                )),
            },
            None => {
                table.fields.set("contributor_insights", said);
                table.insights_alone();
            }
        }
    }

    /// DAX clusters (`aws dax describe-clusters`); returns their regions.
    fn clusters(&mut self, answer: &SourceNode, draft: &mut Draft) -> Vec<Sourced> {
        let mut regions = Vec::new();
        for node in answer.list("Clusters") {
            let Some(kind) = node.get("NodeType") else {
                continue;
            };
            let name = node.text_at("ClusterName").unwrap_or("cluster");
            let kind = Sourced::text(
                kind.text().unwrap_or_default(),
                format!("{name}: NodeType"),
                self.origin(kind),
            );
            let nodes = self.number(node, "TotalNodes");
            attach_dax(draft, name, Some(kind), nodes);
            let arn = node.get("ClusterArn");
            let region = arn.and_then(|arn| Some((Arn::of(arn.text()?).region()?, arn)));
            regions.extend(
                region.map(|(region, arn)| Sourced::text(region, "ClusterArn", self.origin(arn))),
            );
        }
        regions
    }

    fn targets(&mut self, answer: &SourceNode, targets: &mut Vec<ScalingTarget>) {
        let lists = [
            ("ScalableTargets", "RoleARN"),
            ("ScalingPolicies", "PolicyName"),
            ("ScheduledActions", "ScheduledActionName"),
        ];
        for (list, name) in lists {
            for node in answer.list(list) {
                if node
                    .text_at("ServiceNamespace")
                    .is_some_and(|namespace| namespace != "dynamodb")
                {
                    continue;
                }
                let id = node.text_at("ResourceId").unwrap_or_default().to_string();
                let dimension = node
                    .text_at("ScalableDimension")
                    .unwrap_or_default()
                    .to_string();
                let label = node.text_at(name).unwrap_or(list).to_string();
                let at = targets
                    .iter()
                    .position(|target| target.resource == id && target.dimension == dimension)
                    .unwrap_or_else(|| {
                        targets.push(ScalingTarget {
                            resource: id.clone(),
                            dimension,
                            label: format!("the target of {id}"),
                            ..ScalingTarget::default()
                        });
                        targets.len() - 1
                    });
                match list {
                    "ScalableTargets" => {
                        targets[at].min = self.number(node, "MinCapacity");
                        targets[at].max = self.number(node, "MaxCapacity");
                        targets[at].suspended = node
                            .get("SuspendedState")
                            .map(|state| Suspended::of(state, AWS_WORDS))
                            .unwrap_or_default();
                    }
                    "ScalingPolicies" => {
                        if let Some(tracking) = node.get("TargetTrackingScalingPolicyConfiguration")
                        {
                            targets[at].percent =
                                match tracking.get("CustomizedMetricSpecification") {
                                    Some(_) => Some(Sourced::unknown(scaling::OWN_METRIC)),
                                    None => self.number(tracking, "TargetValue"),
                                };
                        }
                    }
                    _ => {
                        let step = self.scheduled_action(node, label);
                        targets[at].steps.extend(step);
                    }
                }
            }
        }
    }
}

impl Reading<'_> {
    fn scheduled_action(&mut self, node: &SourceNode, label: String) -> Option<ScheduledAction> {
        let action = node.get("ScalableTargetAction")?;
        let schedule = Sourced::text(
            node.text_at("Schedule").unwrap_or_default(),
            label,
            self.origin(node),
        );
        Some(ScheduledAction {
            schedule,
            timezone: node.text_at("Timezone").map(str::to_string),
            is_temporary: node.get("StartTime").is_some() || node.get("EndTime").is_some(),
            min: self.number(action, "MinCapacity"),
            max: self.number(action, "MaxCapacity"),
        })
    }
}

/// How long the backups of a rule or a copy are kept.
fn lifecycle(node: &SourceNode) -> Lifecycle {
    let days = |key: &str| {
        let days = node.at(&["Lifecycle", key])?.scalar()?;
        (days != "0").then(|| days.into_owned())
    };
    Lifecycle {
        delete_after: days("DeleteAfterDays"),
        cold_after: days("MoveToColdStorageAfterDays"),
    }
}

/// Partition and sort keys of a key schema.
fn schema(node: &SourceNode) -> (Vec<String>, Vec<String>) {
    let elements = node.list("KeySchema");
    let of = |kind: &str| {
        let mine = elements
            .iter()
            .filter(|one| one.text_at("KeyType") == Some(kind));
        mine.filter_map(|one| one.text_at("AttributeName").map(str::to_string))
            .collect()
    };
    (of("HASH"), of("RANGE"))
}

fn key_of(types: &[SourceNode], name: &str) -> String {
    let kind = types
        .iter()
        .find(|one| one.text_at("AttributeName") == Some(name))
        .and_then(|one| one.text_at("AttributeType"));
    match kind.filter(|kind| ["S", "N", "B"].contains(kind)) {
        Some(kind) => format!("{{ name = {}, type = {} }}", quoted(name), quoted(kind)),
        None => format!("{{ name = {} }}", quoted(name)),
    }
}

/// The mean size of an item, formatted.
fn mean(items: Option<&Sourced>, bytes: Option<&Sourced>) -> Option<String> {
    let (items, bytes) = (Exact::parse(&items?.toml)?, Exact::parse(&bytes?.toml)?);
    (!items.is_zero()).then(|| (&bytes / &items).human(1))
}

/// The share of items that have an index entry, if not all have one.
fn coverage(held: &Sourced, items: &Sourced) -> Option<String> {
    let (held, items) = (Exact::parse(&held.toml)?, Exact::parse(&items.toml)?);
    (held < items).then(|| written(&(&held / &items)))
}
