//! Makes Terraform's plan of what other tools write: the resources with their values, what they
//! refer to, and the changes.

use std::ops::Range;

use super::node::{NodeKey, SourceNode, Value};

/// A resource of a plan under construction.
pub(super) struct PlannedResource {
    pub kind: String,
    pub name: String,
    /// Its values before and after; `None` where it does not exist.
    pub before: Option<SourceNode>,
    pub after: Option<SourceNode>,
    /// What its values refer to: the key, and addresses.
    pub references: Vec<(String, Vec<String>)>,
    /// The keys of values that are known only after apply.
    pub unknown: Vec<String>,
    pub provider: String,
    pub span: Range<usize>,
}

impl PlannedResource {
    fn address(&self) -> String {
        format!("{}.{}", self.kind, self.name)
    }
}

/// A plan under construction.
#[derive(Default)]
pub(super) struct PlanWriter {
    pub resources: Vec<PlannedResource>,
    /// The region of each provider.
    pub regions: Vec<(String, SourceNode)>,
    /// Whether the document says what there was before.
    pub has_before: bool,
}

/// The key by which a plan says that it knows nothing about what there was before.
pub(super) const WITHOUT_BEFORE: &str = "without_before";

impl PlanWriter {
    /// The plan as Terraform writes it.
    pub fn finish(self) -> SourceNode {
        let all = &self.resources;
        let after = all.iter().filter(|one| one.after.is_some());
        let planned = after.clone().map(|one| {
            let values = one.after.clone().unwrap_or_else(nothing);
            described(one, vec![("values", values)])
        });
        let changes = all.iter().map(|one| {
            let unknown = one.unknown.iter();
            let unknown = unknown.map(|key| (key.clone(), at(Value::Bool(true), &one.span)));
            let change = vec![
                (
                    "actions",
                    at(Value::List(vec![text(action(one), &one.span)]), &one.span),
                ),
                ("before", one.before.clone().unwrap_or_else(nothing)),
                ("after_unknown", map(unknown.collect(), &one.span)),
            ];
            described(one, vec![("change", fields(change, &one.span))])
        });
        let configured = after.map(|one| {
            let expression = |(key, addresses): &(String, Vec<String>)| {
                let addresses = addresses.iter().map(|one_of| text(one_of, &one.span));
                let list = at(Value::List(addresses.collect()), &one.span);
                (key.clone(), fields(vec![("references", list)], &one.span))
            };
            let expressions = one.references.iter().map(expression).collect();
            described(
                one,
                vec![
                    ("provider_config_key", text(&one.provider, &one.span)),
                    ("expressions", map(expressions, &one.span)),
                ],
            )
        });
        let providers = self.regions.iter().map(|(key, region)| {
            let constant = fields(vec![("constant_value", region.clone())], &region.span);
            let expressions = fields(vec![("region", constant)], &region.span);
            (
                key.clone(),
                fields(vec![("expressions", expressions)], &region.span),
            )
        });
        let module = |resources: Vec<SourceNode>| {
            let list = at(Value::List(resources), &(0..0));
            let root = fields(vec![("resources", list)], &(0..0));
            ("root_module", root)
        };
        let mut plan = vec![
            ("format_version", text("1.2", &(0..0))),
            (
                "planned_values",
                fields(vec![module(planned.collect())], &(0..0)),
            ),
            (
                "resource_changes",
                at(Value::List(changes.collect()), &(0..0)),
            ),
            (
                "configuration",
                fields(
                    vec![
                        ("provider_config", map(providers.collect(), &(0..0))),
                        module(configured.collect()),
                    ],
                    &(0..0),
                ),
            ),
        ];
        if !self.has_before {
            plan.push((WITHOUT_BEFORE, at(Value::Bool(true), &(0..0))));
        }
        fields(plan, &(0..1))
    }
}

fn action(one: &PlannedResource) -> &'static str {
    match (&one.before, &one.after) {
        (None, _) => "create",
        (Some(_), None) => "delete",
        (Some(_), Some(_)) => "update",
    }
}

/// A resource with its address and its type, and more.
fn described(one: &PlannedResource, more: Vec<(&'static str, SourceNode)>) -> SourceNode {
    let mut all = vec![
        ("address", text(&one.address(), &one.span)),
        ("mode", text("managed", &one.span)),
        ("type", text(&one.kind, &one.span)),
    ];
    all.extend(more);
    fields(all, &one.span)
}

fn at(value: Value, span: &Range<usize>) -> SourceNode {
    SourceNode::new(value, span.clone())
}

fn nothing() -> SourceNode {
    SourceNode::new(Value::Null, 0..0)
}

fn text(text: &str, span: &Range<usize>) -> SourceNode {
    at(Value::Text(text.to_string()), span)
}

fn fields(entries: Vec<(&'static str, SourceNode)>, span: &Range<usize>) -> SourceNode {
    let entries = entries.into_iter();
    map(
        entries.map(|(key, node)| (key.to_string(), node)).collect(),
        span,
    )
}

/// A map of names and values.
pub(super) fn map(entries: Vec<(String, SourceNode)>, span: &Range<usize>) -> SourceNode {
    let entry = |(name, node): (String, SourceNode)| {
        let span = node.span.clone();
        (NodeKey { name, span }, node)
    };
    at(Value::Map(entries.into_iter().map(entry).collect()), span)
}

/// The blocks of resources, which a plan writes as lists.
const BLOCKS: &[&str] = &[
    "attribute",
    "condition",
    "copy_action",
    "customized_metric_specification",
    "global_secondary_index",
    "global_table_witness",
    "import_table",
    "key_schema",
    "lifecycle",
    "local_secondary_index",
    "on_demand_throughput",
    "point_in_time_recovery",
    "predefined_metric_specification",
    "projection",
    "provisioned_throughput",
    "replica",
    "rule",
    "s3_bucket_source",
    "scalable_target_action",
    "selection_tag",
    "server_side_encryption",
    "suspended_state",
    "target_tracking_scaling_policy_configuration",
    "ttl",
    "warm_throughput",
];

/// A value with its blocks as lists.
pub(super) fn with_blocks(node: &SourceNode) -> SourceNode {
    let value = match &node.value {
        Value::List(elements) => Value::List(elements.iter().map(with_blocks).collect()),
        Value::Map(entries) => {
            let entry = |(key, node): &(NodeKey, SourceNode)| {
                let node = with_blocks(node);
                let is_block = BLOCKS.contains(&key.name.as_str());
                let node = match (&node.value, is_block) {
                    (Value::Map(_), true) => {
                        let span = node.span.clone();
                        SourceNode::new(Value::List(vec![node]), span)
                    }
                    _ => node,
                };
                (key.clone(), node)
            };
            Value::Map(entries.iter().map(entry).collect())
        }
        other => other.clone(),
    };
    SourceNode::new(value, node.span.clone())
}
