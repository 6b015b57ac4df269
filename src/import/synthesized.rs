//! Configurations of Terraform in JSON, as the CDK for Terraform synthesizes them.
//!
//! Source: Terraform documentation, "JSON Configuration Syntax"; CDK for Terraform, "cdktf synth".

use super::node::{NodeKey, SourceNode, Value};
use super::plan::{PlanWriter, PlannedResource, map, with_blocks};

/// The plan of a configuration, in which every resource is created; `None` for other documents.
pub(super) fn as_plan(document: &SourceNode) -> Option<SourceNode> {
    let is_configuration = document
        .get("terraform")
        .or(document.get("provider"))
        .is_some();
    let kinds = document.get("resource").filter(|_| is_configuration)?;
    let reader = Configuration { document };
    let mut plan = PlanWriter {
        regions: reader.regions(),
        ..PlanWriter::default()
    };
    for (kind, all) in kinds.entries() {
        for (name, resource) in all.entries() {
            plan.resources.push(reader.resource(kind, name, resource));
        }
    }
    Some(plan.finish())
}

struct Configuration<'a> {
    document: &'a SourceNode,
}

impl Configuration<'_> {
    /// The regions of the providers of AWS, each with its alias.
    fn regions(&self) -> Vec<(String, SourceNode)> {
        let providers = self.document.at(&["provider", "aws"]);
        let all = match providers.map(SourceNode::elements) {
            None | Some([]) => providers.into_iter().collect::<Vec<_>>(),
            Some(all) => all.iter().collect(),
        };
        let region = |provider: &&SourceNode| {
            let region = self.value(provider.get("region")?)?;
            let key = match provider.text_at("alias") {
                Some(alias) => format!("aws.{alias}"),
                None => "aws".to_string(),
            };
            Some((key, region))
        };
        all.iter().filter_map(region).collect()
    }

    fn resource(&self, kind: &NodeKey, name: &NodeKey, node: &SourceNode) -> PlannedResource {
        let mut values = Vec::new();
        let (mut references, mut unknown) = (Vec::new(), Vec::new());
        for (key, value) in node.entries() {
            let meta = [
                "//",
                "provider",
                "depends_on",
                "count",
                "for_each",
                "lifecycle",
            ];
            if meta.contains(&key.name.as_str()) && kind.name != "aws_backup_plan" {
                continue;
            }
            let named = references_of(value);
            match self.value(value) {
                Some(value) => values.push((key.name.clone(), value)),
                None => unknown.push(key.name.clone()),
            }
            references.push((key.name.clone(), named));
        }
        // How many there are is known only after apply.
        if node.get("count").or(node.get("for_each")).is_some() {
            unknown.push("billing_mode".to_string());
        }
        let provider = node.text_at("provider").unwrap_or("aws");
        PlannedResource {
            kind: kind.name.clone(),
            name: name.name.clone(),
            before: None,
            after: Some(with_blocks(&map(values, &node.span))),
            references,
            unknown,
            provider: provider
                .trim_start_matches("${")
                .trim_end_matches('}')
                .to_string(),
            span: name.span.clone(),
        }
    }

    /// A value, with variables replaced by their defaults; `None` if an expression remains.
    fn value(&self, node: &SourceNode) -> Option<SourceNode> {
        let value = match &node.value {
            Value::Text(text) if text.contains("${") => {
                let name = text.strip_prefix("${")?.strip_suffix('}')?;
                let default = match name.split_once('.')? {
                    ("var", name) => self.document.at(&["variable", name, "default"])?,
                    ("local", name) => self.document.at(&["locals", name])?,
                    _ => return None,
                };
                return self.value(default);
            }
            Value::List(elements) => Value::List(
                elements
                    .iter()
                    .map(|one| self.value(one))
                    .collect::<Option<_>>()?,
            ),
            Value::Map(entries) => {
                // What a block refers to is left out of it, as in a plan.
                let known = |(key, node): &(NodeKey, SourceNode)| {
                    self.value(node).map(|node| (key.clone(), node))
                };
                Value::Map(entries.iter().filter_map(known).collect())
            }
            other => other.clone(),
        };
        Some(SourceNode::new(value, node.span.clone()))
    }
}

/// The addresses that the expressions of a value name.
fn references_of(node: &SourceNode) -> Vec<String> {
    match &node.value {
        Value::Text(text) => text
            .split("${")
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .map(str::to_string)
            .collect(),
        Value::List(elements) => elements.iter().flat_map(references_of).collect(),
        Value::Map(entries) => entries
            .iter()
            .flat_map(|(_, node)| references_of(node))
            .collect(),
        _ => Vec::new(),
    }
}
