//! CloudFormation, SAM and CDK templates, JSON and YAML.
//!
//! Expressions are resolved as far as the template allows; values known only after deployment are
//! listed and are unknown in the workload. A template does not say its region. A global table has
//! its write settings at the top level and its read settings per replica; the replica in the home
//! region is the table itself. Source: CloudFormation Template Reference.

mod features;
mod global_table;
mod intrinsic;
mod keys;
mod table;
mod targets;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::Source;
use crate::import::draft::{Draft, Sourced, TableDraft, quoted};
use crate::import::node::{NodeKey, SourceNode, Value, wrong};
use crate::import::scaling::{self};
use crate::import::shared::attach_dax;
use crate::import::{Context, name_of, names_of, usage};
use intrinsic::{Resolver, Unresolved};
use template::Template;

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], context: Context) -> Draft {
    let made_of = format!("the CloudFormation template {}", names_of(documents));
    let mut draft = Draft {
        made_of,
        missing: "not in a template",
        ..Draft::default()
    };
    draft.head.set(
        "name",
        Sourced::text(&name_of(documents), "the name of the file", None),
    );
    let asked = context
        .region
        .map(str::to_string)
        .or_else(|| context.usage.and_then(|usage| usage.region()));
    let region = asked.or_else(|| only_replica(documents));
    draft.head.set_some(
        "region",
        region.as_ref().map(|region| {
            Sourced::text(
                region,
                if context.region.is_some() {
                    "from --region"
                } else {
                    ""
                },
                None,
            )
        }),
    );
    let mut kms_keys = BTreeMap::new();
    for (source, template) in documents {
        let given = context
            .usage
            .map(usage::UsageFile::parameters)
            .unwrap_or_default();
        let is_unknown =
            |name: &str| template.at(&["Parameters", name]).is_none() && !name.starts_with("AWS::");
        let unknown: Vec<(String, SourceNode)> = given
            .iter()
            .filter(|(name, _)| is_unknown(name))
            .map(|(name, node)| (name.clone(), node.clone()))
            .collect();
        for (name, node) in unknown {
            let message = format!("{} has no parameter {name:?}", source.name);
            let usage = context
                .usage
                .map_or_else(|| source.clone(), |usage| usage.source().clone());
            context.problems.push(wrong(
                &usage,
                node.span,
                "unknown-parameter",
                message,
                "correct the name under [parameters], or remove it",
            ));
        }
        let expanded = match Resolver::new(template, region.clone(), given.clone()).expanded() {
            Ok(expanded) => expanded,
            Err((node, error)) => {
                let code = if error.cycle { "cycle" } else { "wrong-type" };
                let span = node.span.start..node.span.end.min(node.span.start + 200);
                let message = format!("cannot expand a loop (Fn::ForEach): {}", error.why);
                context.problems.push(wrong(
                    source,
                    span,
                    code,
                    message,
                    "write out the resources instead of the loop",
                ));
                continue;
            }
        };
        let template = &expanded;
        let resolver = Resolver::new(template, region.clone(), given);
        let mut reading = Template {
            source,
            resolver,
            problems: context.problems,
            notes: Vec::new(),
            untold: Vec::new(),
            kms_keys: &mut kms_keys,
        };
        reading.resources(template, region.as_deref(), &mut draft);
        draft.notes.append(&mut reading.notes);
        if region.is_none() && draft.tables.iter().any(|table| !table.replicas.is_empty()) {
            draft.notes.push(
                "the region is unknown: after you set it, remove the replica of that region, \
                 which is the table itself"
                    .to_string(),
            );
        }
    }
    draft
}

impl Template<'_> {
    fn resources(&mut self, template: &SourceNode, region: Option<&str>, draft: &mut Draft) {
        let Some(resources) = template.get("Resources") else {
            return;
        };
        let mut there: Vec<(NodeKey, SourceNode)> = Vec::new();
        for (key, resource) in resources.entries() {
            if key.name.starts_with("Fn::Transform")
                || resource.at(&["Properties", "Fn::Transform"]).is_some()
            {
                self.notes.push(format!(
                    "{}: what a macro or AWS::Include adds is not in the template and was not \
                     imported",
                    key.name
                ));
            }
            if self.is_there(key, resource) {
                there.push((key.clone(), resource.clone()));
            }
        }
        let empty = SourceNode::new(Value::Map(Vec::new()), 0..0);
        let of = |node: &SourceNode| {
            node.get("Properties")
                .cloned()
                .unwrap_or_else(|| empty.clone())
        };
        for (key, resource) in &there {
            let properties = of(resource);
            match resource.text_at("Type").unwrap_or_default() {
                "AWS::DynamoDB::Table" => {
                    let table = self.table(key, resource, &properties);
                    let table = self.with_untold(table);
                    draft.tables.extend(table);
                }
                "AWS::DynamoDB::GlobalTable" => {
                    let table = self.global_table(key, resource, &properties, region);
                    let table = self.with_untold(table);
                    draft.tables.extend(table);
                }
                "AWS::Serverless::SimpleTable" => {
                    // Common properties of all simple tables are under Globals.
                    let properties = match template.at(&["Globals", "SimpleTable"]) {
                        Some(globals) => with_globals(&properties, globals),
                        None => properties,
                    };
                    let table = self.simple_table(key, resource, &properties);
                    let table = self.with_untold(table);
                    draft.tables.extend(table);
                }
                "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
                    self.notes.push(format!(
                        "{}: the tables of a nested stack are in another template; import it \
                         separately",
                        key.name
                    ));
                }
                kind if kind.ends_with("::MODULE") => {
                    self.notes.push(format!(
                        "{}: the resources of a module are in the registry and were not imported",
                        key.name
                    ));
                }
                _ => {}
            }
        }
        for (key, resource) in there
            .iter()
            .filter(|(_, node)| node.text_at("Type") == Some("Custom::DynamoDBReplica"))
        {
            self.custom_replica(key, &of(resource), draft);
        }
        for (key, resource) in there
            .iter()
            .filter(|(_, node)| node.text_at("Type") == Some("AWS::AutoScalingPlans::ScalingPlan"))
        {
            let words = format!(
                "the scaling plan {}, which is not supported: set min, max and target of the \
                 tables it scales",
                key.name
            );
            let origin = self.origin(resource);
            if let Some(table) = draft.tables.iter_mut().find(|table| table.is_provisioned()) {
                table
                    .unpriced
                    .push(Sourced::new(quoted(&words), "", origin));
            }
        }
        let targets = self.targets(&there, &of);
        let notes = scaling::join(targets, &mut draft.tables);
        self.notes.extend(notes);
        for (key, resource) in &there {
            if resource.text_at("Type") == Some("AWS::DAX::Cluster") {
                let properties = of(resource);
                let origin = self.origin(resource);
                let label = key.name.clone();
                let kind = self
                    .text(&properties, "NodeType", &label)
                    .map(|kind| Sourced::text(&kind, format!("{label}: NodeType"), origin));
                let nodes = self.number(&properties, "ReplicationFactor", &label);
                attach_dax(draft, &label, kind, nodes);
            }
        }
    }

    fn with_untold(&mut self, table: Option<TableDraft>) -> Option<TableDraft> {
        let untold = std::mem::take(&mut self.untold);
        table.map(|mut table| {
            table.unpriced.extend(untold);
            table
        })
    }

    /// Whether a resource is created: its condition is true or unresolved.
    fn is_there(&mut self, key: &NodeKey, resource: &SourceNode) -> bool {
        let Some(condition) = resource.get("Condition") else {
            return true;
        };
        match self.resolver.holds(condition.text().unwrap_or_default()) {
            Ok(holds) => holds,
            Err(Unresolved { why, cycle }) => {
                if cycle {
                    self.problem(
                        condition,
                        "cycle",
                        format!("{}: {why}", key.name),
                        "break the cycle: replace one of the references by a value",
                    );
                } else {
                    self.notes
                        .push(format!("{}: {UNTOLD_CONDITION}: {why}", key.name));
                }
                true
            }
        }
    }
}

/// The region of the global tables, if all of them have one and the same replica region.
fn only_replica(documents: &[(Arc<Source>, SourceNode)]) -> Option<String> {
    let resources = documents.iter().flat_map(|(_, template)| {
        template
            .get("Resources")
            .map(SourceNode::entries)
            .unwrap_or_default()
    });
    let global = resources
        .filter(|(_, resource)| resource.text_at("Type") == Some("AWS::DynamoDB::GlobalTable"));
    let mut regions: Vec<&str> = Vec::new();
    for (_, table) in global {
        match table
            .at(&["Properties", "Replicas"])
            .map(SourceNode::elements)
        {
            Some([one]) => regions.push(one.text_at("Region")?),
            _ => return None,
        }
    }
    regions.dedup();
    match regions.as_slice() {
        [one] => Some(one.to_string()),
        _ => None,
    }
}

/// A value without its place, so that it can be compared.
fn unplaced(node: &SourceNode) -> SourceNode {
    let value = match &node.value {
        Value::List(elements) => Value::List(elements.iter().map(unplaced).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, node)| {
                    (
                        NodeKey {
                            name: key.name.clone(),
                            span: 0..0,
                        },
                        unplaced(node),
                    )
                })
                .collect(),
        ),
        other => other.clone(),
    };
    SourceNode::new(value, 0..0)
}

/// Properties, with missing ones added from `Globals`.
fn with_globals(properties: &SourceNode, globals: &SourceNode) -> SourceNode {
    let own = properties.entries().iter();
    let more = globals.entries().iter().filter(|(key, _)| {
        !properties
            .entries()
            .iter()
            .any(|(known, _)| known.name == key.name)
    });
    SourceNode::new(
        Value::Map(own.chain(more).cloned().collect()),
        properties.span.clone(),
    )
}

/// The text of a note about an unresolved condition.
pub(super) const UNTOLD_CONDITION: &str =
    "assumed to be present, because its condition cannot be resolved";

/// Stands for the name of a key that is known only after deployment.
const UNTOLD: &str = "unknown";

/// Whether a table sets provisioned units; used to infer the capacity mode if BillingMode is
/// unresolved.
fn has_units(properties: &SourceNode) -> bool {
    [
        "ProvisionedThroughput",
        "WriteProvisionedThroughputSettings",
    ]
    .iter()
    .any(|key| properties.get(key).is_some())
}
