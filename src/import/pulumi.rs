//! Pulumi: `pulumi preview --json` and `pulumi stack export`.
//!
//! Pulumi's AWS provider is built on Terraform's: a resource has the same properties, in camel case,
//! with plural names for blocks. Source: Pulumi documentation, "pulumi preview", "pulumi stack
//! export"; Pulumi Registry, "AWS Classic".

use std::collections::BTreeMap;

use super::node::{NodeKey, SourceNode, Value};
use super::plan::{PlanWriter, PlannedResource, with_blocks};

/// The text that stands for a value that is known only after the update.
const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/// The types of resources that are read, with the names that Terraform has for them.
const TYPES: &[(&str, &str)] = &[
    (
        "aws:appautoscaling/policy:Policy",
        "aws_appautoscaling_policy",
    ),
    (
        "aws:appautoscaling/scheduledAction:ScheduledAction",
        "aws_appautoscaling_scheduled_action",
    ),
    (
        "aws:appautoscaling/target:Target",
        "aws_appautoscaling_target",
    ),
    ("aws:backup/plan:Plan", "aws_backup_plan"),
    ("aws:backup/selection:Selection", "aws_backup_selection"),
    ("aws:cloudformation/stack:Stack", "aws_cloudformation_stack"),
    ("aws:dax/cluster:Cluster", "aws_dax_cluster"),
    (
        "aws:dynamodb/contributorInsights:ContributorInsights",
        "aws_dynamodb_contributor_insights",
    ),
    (
        "aws:dynamodb/globalTable:GlobalTable",
        "aws_dynamodb_global_table",
    ),
    (
        "aws:dynamodb/globalSecondaryIndex:GlobalSecondaryIndex",
        "aws_dynamodb_global_secondary_index",
    ),
    (
        "aws:dynamodb/kinesisStreamingDestination:KinesisStreamingDestination",
        "aws_dynamodb_kinesis_streaming_destination",
    ),
    ("aws:dynamodb/table:Table", "aws_dynamodb_table"),
    (
        "aws:dynamodb/tableExport:TableExport",
        "aws_dynamodb_table_export",
    ),
    (
        "aws:dynamodb/tableReplica:TableReplica",
        "aws_dynamodb_table_replica",
    ),
    (
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "aws_lambda_event_source_mapping",
    ),
    ("aws:pipes/pipe:Pipe", "aws_pipes_pipe"),
    // Read as tables of another provider.
    (
        "aws-native:dynamodb:GlobalTable",
        "awscc_dynamodb_global_table",
    ),
    ("aws-native:dynamodb:Table", "awscc_dynamodb_table"),
];

/// Names that are not the camel case of Terraform's.
const NAMES: &[(&str, &str)] = &[
    ("attributes", "attribute"),
    ("conditions", "condition"),
    ("copyActions", "copy_action"),
    ("globalSecondaryIndexes", "global_secondary_index"),
    ("keySchemas", "key_schema"),
    ("localSecondaryIndexes", "local_secondary_index"),
    ("replicas", "replica"),
    ("rules", "rule"),
    ("selectionTags", "selection_tag"),
];

/// The plan of a preview or of a stack; `None` for other documents.
pub(super) fn as_plan(document: &SourceNode) -> Option<SourceNode> {
    let steps = document
        .get("steps")
        .filter(|_| document.get("changeSummary").is_some() || document.get("config").is_some());
    let exported = document.at(&["deployment", "resources"]);
    let mut stack = PulumiStack::default();
    match (steps, exported) {
        (Some(steps), _) => steps.elements().iter().for_each(|step| stack.step(step)),
        (None, Some(resources)) => {
            let resources = resources.elements().iter();
            resources.for_each(|state| stack.add(state, false));
        }
        (None, None) => return None,
    }
    Some(stack.plan(document, steps.is_some()).finish())
}

/// The resources of a stack by URN, before and after.
#[derive(Default)]
struct PulumiStack<'a> {
    order: Vec<&'a str>,
    before: BTreeMap<&'a str, &'a SourceNode>,
    after: BTreeMap<&'a str, &'a SourceNode>,
}

impl<'a> PulumiStack<'a> {
    fn step(&mut self, step: &'a SourceNode) {
        let deletes = step
            .text_at("op")
            .is_some_and(|op| op.starts_with("delete"));
        if let Some(state) = step.get("oldState") {
            self.add(state, true);
        }
        if let Some(state) = step.get("newState").filter(|_| !deletes) {
            self.add(state, false);
        }
    }

    fn add(&mut self, state: &'a SourceNode, is_before: bool) {
        let Some(urn) = state.text_at("urn") else {
            return;
        };
        if !self.order.contains(&urn) {
            self.order.push(urn);
        }
        let states = match is_before {
            true => &mut self.before,
            false => &mut self.after,
        };
        states.insert(urn, state);
    }

    fn plan(&self, document: &SourceNode, has_before: bool) -> PlanWriter {
        let mut plan = PlanWriter {
            has_before,
            ..PlanWriter::default()
        };
        // The region of a provider, or else of the stack.
        let of_stack = document.at(&["config", "aws:region"]);
        for urn in &self.order {
            let state = self.after.get(urn).or(self.before.get(urn));
            let Some(state) = state else { continue };
            let kind = state.text_at("type").unwrap_or_default();
            if kind == "pulumi:providers:aws" {
                let region = state.at(&["inputs", "region"]);
                if let Some(region) = region.or(of_stack) {
                    plan.regions.push((urn.to_string(), region.clone()));
                }
            }
            let known = TYPES.iter().find(|(name, _)| *name == kind);
            if let Some((_, terraform)) = known {
                plan.resources.push(self.resource(urn, state, terraform));
            }
        }
        if let Some(region) = of_stack {
            plan.regions.push(("aws".to_string(), region.clone()));
        }
        plan
    }

    fn resource(&self, urn: &str, state: &SourceNode, kind: &str) -> PlannedResource {
        let of = |states: &BTreeMap<&str, &SourceNode>, keys: [&str; 2]| {
            let state = states.get(urn)?;
            let values = keys.iter().find_map(|key| state.get(key))?;
            Some(with_blocks(&renamed(values)))
        };
        let inputs = self.after.get(urn).and_then(|state| state.get("inputs"));
        let inputs = inputs.map(SourceNode::entries).unwrap_or_default();
        let unknown = inputs.iter().filter(|(_, node)| is_unknown(node));
        let depends = state.get("propertyDependencies").map(SourceNode::entries);
        let references = depends.unwrap_or_default().iter().map(|(key, urns)| {
            let urns = urns.elements().iter().filter_map(SourceNode::text);
            (snake_case(&key.name), urns.filter_map(address_of).collect())
        });
        // A provider is named by its URN and its ID.
        let provider = state.text_at("provider");
        let provider = provider
            .and_then(|text| text.rsplit_once("::"))
            .map(|(urn, _)| urn);
        PlannedResource {
            kind: kind.to_string(),
            name: urn.rsplit("::").next().unwrap_or(urn).to_string(),
            before: of(&self.before, ["outputs", "inputs"]),
            after: of(&self.after, ["inputs", "outputs"]),
            references: references.collect(),
            unknown: unknown.map(|(key, _)| snake_case(&key.name)).collect(),
            provider: provider.unwrap_or("aws").to_string(),
            span: state.get("urn").map_or(0..0, |urn| urn.span.clone()),
        }
    }
}

/// The address of a resource that a URN names.
fn address_of(urn: &str) -> Option<String> {
    let name = urn.rsplit("::").next()?;
    let kind = urn.split("::").nth(2)?.rsplit('$').next()?;
    let (_, kind) = TYPES.iter().find(|(known, _)| *known == kind)?;
    Some(format!("{kind}.{name}.id"))
}

fn is_unknown(node: &SourceNode) -> bool {
    node.text() == Some(UNKNOWN)
}

/// Properties with Terraform's names, without values that are unknown.
fn renamed(node: &SourceNode) -> SourceNode {
    let value = match &node.value {
        Value::List(elements) => {
            let known = elements.iter().filter(|one| !is_unknown(one));
            Value::List(known.map(renamed).collect())
        }
        Value::Map(entries) => {
            let known = entries.iter().filter(|(key, node)| {
                // Pulumi's own entries begin with two underscores.
                !is_unknown(node) && !key.name.starts_with("__")
            });
            let entry = |(key, node): &(NodeKey, SourceNode)| {
                let name = snake_case(&key.name);
                let is_free = matches!(name.as_str(), "tags" | "tags_all" | "parameters");
                let node = if is_free { node.clone() } else { renamed(node) };
                let span = key.span.clone();
                (NodeKey { name, span }, node)
            };
            Value::Map(known.map(entry).collect())
        }
        other => other.clone(),
    };
    SourceNode::new(value, node.span.clone())
}

/// Terraform's name of a property.
fn snake_case(name: &str) -> String {
    if let Some((_, known)) = NAMES.iter().find(|(own, _)| *own == name) {
        return known.to_string();
    }
    let mut all = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            all.push('_');
        }
        all.push(c.to_ascii_lowercase());
    }
    all
}
