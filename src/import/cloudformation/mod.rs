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

use crate::diag::{Diagnostic, Source};
use crate::import::draft::{Draft, Sourced, TableDraft, quoted};
use crate::import::node::{NodeKey, SourceNode, Value, wrong};
use crate::import::scaling::{self};
use crate::import::shared::{KmsKeys, attach_dax, replicas_without_key};
use crate::import::{Context, names_of, usage};
use intrinsic::{Resolver, Unresolved};
use template::Template;

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], mut context: Context) -> Draft {
    let made_of = format!("the CloudFormation template {}", names_of(documents));
    let mut draft = Draft::of(documents, made_of, "not in a template");
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
    let mut kms_keys = KmsKeys::new();
    for (source, template) in documents {
        let given = context
            .usage
            .map(usage::UsageFile::parameters)
            .unwrap_or_default();
        unknown_parameters(source, template, &given, &mut context);
        let Some(expanded) = Resolver::new(template, region.clone(), given.clone())
            .expanded()
            .map_err(|(node, error)| context.problems.push(not_expanded(source, &node, &error)))
            .ok()
        else {
            continue;
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
    replicas_without_key(&mut draft);
    draft
}

/// Reports parameters of the usage file that the template does not have.
fn unknown_parameters(
    source: &Arc<Source>,
    template: &SourceNode,
    given: &BTreeMap<String, SourceNode>,
    context: &mut Context,
) {
    let is_unknown =
        |name: &str| template.at(&["Parameters", name]).is_none() && !name.starts_with("AWS::");
    let usage = context.usage.map_or(source, |usage| usage.source());
    for (name, node) in given.iter().filter(|(name, _)| is_unknown(name)) {
        context.problems.push(wrong(
            usage,
            node.span.clone(),
            "unknown-parameter",
            format!("{} has no parameter {name:?}", source.name),
            "correct the name under [parameters], or remove it",
        ));
    }
}

fn not_expanded(source: &Arc<Source>, node: &SourceNode, error: &Unresolved) -> Diagnostic {
    wrong(
        source,
        node.span.start..node.span.end.min(node.span.start + 200),
        if error.cycle { "cycle" } else { "wrong-type" },
        format!("cannot expand a loop (Fn::ForEach): {}", error.why),
        "write out the resources instead of the loop",
    )
}

/// The properties of a resource.
fn properties_of(resource: &SourceNode) -> SourceNode {
    let properties = resource.get("Properties").cloned();
    properties.unwrap_or_else(|| SourceNode::new(Value::Map(Vec::new()), 0..0))
}

/// The resources of one type.
fn of_type<'a>(
    resources: &'a [(NodeKey, SourceNode)],
    kind: &'a str,
) -> impl Iterator<Item = &'a (NodeKey, SourceNode)> {
    resources
        .iter()
        .filter(move |(_, node)| node.text_at("Type") == Some(kind))
}

impl Template<'_> {
    fn resources(&mut self, template: &SourceNode, region: Option<&str>, draft: &mut Draft) {
        let Some(resources) = template.get("Resources") else {
            return;
        };
        let created = self.created(resources);
        for (key, resource) in &created {
            let table = self.table_of(template, key, resource, region);
            draft.tables.extend(table);
        }
        for (key, resource) in of_type(&created, "Custom::DynamoDBReplica") {
            self.custom_replica(key, &properties_of(resource), draft);
        }
        for (key, resource) in of_type(&created, "AWS::AutoScalingPlans::ScalingPlan") {
            self.scaling_plan(key, resource, draft);
        }
        let targets = self.targets(&created);
        let notes = scaling::join(targets, &mut draft.tables);
        self.notes.extend(notes);
        for (key, resource) in of_type(&created, "AWS::DAX::Cluster") {
            self.dax(key, resource, draft);
        }
    }

    /// The resources whose condition is true or unresolved.
    fn created(&mut self, resources: &SourceNode) -> Vec<(NodeKey, SourceNode)> {
        let mut created = Vec::new();
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
                created.push((key.clone(), resource.clone()));
            }
        }
        created
    }

    /// The table that a resource creates; resources that may create tables elsewhere are noted.
    fn table_of(
        &mut self,
        template: &SourceNode,
        key: &NodeKey,
        resource: &SourceNode,
        region: Option<&str>,
    ) -> Option<TableDraft> {
        let properties = properties_of(resource);
        let table = match resource.text_at("Type").unwrap_or_default() {
            "AWS::DynamoDB::Table" => self.table(key, resource, &properties),
            "AWS::DynamoDB::GlobalTable" => self.global_table(key, resource, &properties, region),
            "AWS::Serverless::SimpleTable" => {
                // Common properties of all simple tables are under Globals.
                let properties = match template.at(&["Globals", "SimpleTable"]) {
                    Some(globals) => with_globals(&properties, globals),
                    None => properties,
                };
                self.simple_table(key, resource, &properties)
            }
            "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
                self.notes.push(format!(
                    "{}: the tables of a nested stack are in another template; import it separately",
                    key.name
                ));
                return None;
            }
            kind if kind.ends_with("::MODULE") => {
                self.notes.push(format!(
                    "{}: the resources of a module are in the registry and were not imported",
                    key.name
                ));
                return None;
            }
            _ => return None,
        };
        self.with_untold(table)
    }

    fn scaling_plan(&mut self, key: &NodeKey, resource: &SourceNode, draft: &mut Draft) {
        let words = format!(
            "the scaling plan {}, which is not supported: set min, max and target of the tables it \
             scales",
            key.name
        );
        let said = Sourced::new(quoted(&words), "", self.origin(resource));
        if let Some(table) = draft.tables.iter_mut().find(|table| table.is_provisioned()) {
            table.unpriced.push(said);
        }
    }

    fn dax(&mut self, key: &NodeKey, resource: &SourceNode, draft: &mut Draft) {
        let properties = properties_of(resource);
        let (label, origin) = (&key.name, self.origin(resource));
        let kind = self
            .text(&properties, "NodeType", label)
            .map(|kind| Sourced::text(&kind, format!("{label}: NodeType"), origin));
        let nodes = self.number(&properties, "ReplicationFactor", label);
        attach_dax(draft, label, kind, nodes);
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
