//! Features of a table that cost: backups, streams, insights, encryption.

use super::template::Template;
use crate::import::draft::{Fields, Sourced, TableDraft, quoted, unpriced};
use crate::import::node::SourceNode;
use crate::import::shared::{SaidVector, encrypted, projection};
use crate::unread::UnreadKind;

impl Template<'_> {
    pub(super) fn warm(&mut self, index: &SourceNode, label: &str) {
        if let Some(warm) = self.child(index, "WarmThroughput", label) {
            let words = format!("{label}: purchased warm throughput");
            let origin = self.origin(&warm);
            self.untold
                .push(unpriced(UnreadKind::Feature, &words, "", origin));
        }
    }

    pub(super) fn insights(&mut self, fields: &mut Fields, node: &SourceNode, label: &str) {
        let Some(settings) = self.child(node, "ContributorInsightsSpecification", label) else {
            return;
        };
        let origin = self.origin(&settings);
        let some = self
            .text(&settings, "Mode", label)
            .is_some_and(|mode| mode == "THROTTLED_KEYS");
        if let Some(on) = self.truth(&settings, "Enabled", label) {
            let said = match some && on {
                true => "\"throttled-keys\"".to_string(),
                false => on.to_string(),
            };
            fields.set(
                "contributor_insights",
                Sourced::new(said, "ContributorInsightsSpecification", origin),
            );
        }
    }

    /// What the template says about a vector index.
    fn vector_index(&mut self, node: &SourceNode, label: &str) -> SaidVector {
        let note = format!("{label}: VectorIndexes");
        let origin = self.origin(node);
        let text = |said: Option<String>| {
            said.map(|text| Sourced::text(&text, note.clone(), origin.clone()))
        };
        let name = text(self.text(node, "IndexName", label));
        let attribute = self
            .child(node, "VectorAttribute", label)
            .and_then(|inner| self.text(&inner, "AttributeName", label));
        let dimensions = self.number(node, "Dimensions", label);
        let block = self.child(node, "Projection", label);
        let word = block
            .as_ref()
            .and_then(|block| self.text(block, "ProjectionType", label));
        let included: Vec<String> = block
            .iter()
            .flat_map(|block| block.list("NonKeyAttributes"))
            .filter_map(|name| name.text().map(str::to_string))
            .collect();
        let filters = self.each(node, "SearchSchema", label);
        let filters = filters
            .iter()
            .filter_map(|one| self.text(one, "AttributeName", label))
            .collect();
        SaidVector {
            name,
            attribute: text(attribute),
            dimensions,
            projection: word
                .and_then(|word| projection(&word, &included))
                .map(|toml| Sourced::new(toml, note.clone(), origin.clone())),
            filters,
            place: Sourced::new("", "", origin.clone()),
        }
    }

    pub(super) fn recovery(&mut self, node: &SourceNode, label: &str) -> Option<Sourced> {
        let label = &format!("{label}: PointInTimeRecoverySpecification");
        let settings = self.child(node, "PointInTimeRecoverySpecification", label)?;
        let origin = self.origin(&settings);
        let note = label.clone();
        match self.truth_or_unknown(&settings, "PointInTimeRecoveryEnabled", label)? {
            Some(true) => Some(Sourced::new("true", note, origin)),
            Some(false) => None,
            None => Some(Sourced {
                origin,
                ..Sourced::unknown(format!("{note}: only known once the stack is deployed"))
            }),
        }
    }

    pub(super) fn streams(&mut self, table: &mut TableDraft, properties: &SourceNode, label: &str) {
        let Some(settings) = self.child(properties, "StreamSpecification", label) else {
            return;
        };
        let origin = self.origin(&settings);
        let view = self
            .text(&settings, "StreamViewType", label)
            .unwrap_or_else(|| "NEW_AND_OLD_IMAGES".to_string());
        let stream = table.block("stream");
        stream.set(
            "view",
            Sourced::new(
                quoted(&view.to_lowercase().replace('_', "-")),
                format!("{label}: StreamSpecification"),
                origin,
            ),
        );
        stream.set(
            "readers",
            Sourced::unknown(
                "not in a template: who reads it? { lambda = 1 } is free, { polling = 1 } is \
                 charged",
            ),
        );
    }

    pub(super) fn kinesis(&mut self, table: &mut TableDraft, node: &SourceNode, label: &str) {
        if let Some(settings) = self.child(node, "KinesisStreamSpecification", label) {
            let origin = self.origin(&settings);
            table.block("stream").set(
                "kinesis",
                Sourced::new(
                    "true",
                    format!("{label}: KinesisStreamSpecification"),
                    origin,
                ),
            );
        }
    }

    /// Adds Time to Live, encryption, and features that a workload cannot describe.
    pub(super) fn features(
        &mut self,
        table: &mut TableDraft,
        properties: &SourceNode,
        key: Option<&SourceNode>,
        label: &str,
    ) {
        let time_to_live = self.child(properties, "TimeToLiveSpecification", label);
        let enabled = time_to_live
            .as_ref()
            .and_then(|settings| self.truth_or_unknown(settings, "Enabled", label));
        if let (Some(settings), Some(Some(true) | None)) = (time_to_live, enabled) {
            if enabled == Some(None) {
                self.not_told(&settings, format!("{label}: Time to Live, on or off"));
            }
            let attribute = self
                .text(&settings, "AttributeName", label)
                .unwrap_or_default();
            let note = format!(
                "{label}: TimeToLiveSpecification on {attribute}; how many items expire? {{ \
                 per_day = 1000 }}"
            );
            let origin = self.origin(&settings);
            table.block("ttl").set(
                "deletes",
                Sourced {
                    origin,
                    ..Sourced::unknown(note)
                },
            );
        }
        if let Some(settings) = self.child(properties, "SSESpecification", label)
            && self.truth(&settings, "SSEEnabled", label) == Some(true)
        {
            let key = self.key_name(settings.get("KMSMasterKeyId").or(key));
            let said = Sourced::new(
                "1",
                format!("{label}: SSESpecification"),
                self.origin(&settings),
            );
            encrypted(table, key.as_deref(), said, self.kms_keys);
        }
        for node in self.each(properties, "VectorIndexes", label) {
            self.vector_index(&node, label).add(table);
        }
        for (key, what) in [
            (
                "ImportSourceSpecification",
                "an import from S3 when the table is created",
            ),
            ("WarmThroughput", "purchased warm throughput"),
        ] {
            if let Some(node) = self.child(properties, key, label) {
                table.unpriced.push(Sourced::new(
                    quoted(what),
                    format!("{label}: {key}"),
                    self.origin(&node),
                ));
            }
        }
    }

    /// Identifies a customer managed key: by its name, or else by the expression that names it.
    /// `None` for the AWS managed key, which has a known alias.
    pub(super) fn key_name(&self, node: Option<&SourceNode>) -> Option<String> {
        let node = node?;
        match self.resolver.resolve(node) {
            Ok(None) => None,
            Ok(Some(resolved))
                if resolved
                    .text()
                    .is_some_and(|text| text.ends_with("alias/aws/dynamodb")) =>
            {
                None
            }
            Ok(Some(resolved)) => Some(
                resolved
                    .text()
                    .map_or_else(|| format!("{:?}", node.value), str::to_string),
            ),
            Err(_) => Some(format!("{:?}", node.value)),
        }
    }
}
