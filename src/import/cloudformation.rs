//! CloudFormation, SAM and CDK templates, JSON and YAML.
//!
//! Expressions are resolved as far as the template allows; values known only after deployment are
//! listed and are unknown in the workload. A template does not say its region. A global table has
//! its write settings at the top level and its read settings per replica; the replica in the home
//! region is the table itself. Source: CloudFormation Template Reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draft::{
    Draft, Fields, IndexDraft, Origin, ReplicaDraft, Sourced, TableDraft, UnitsDraft, list, quoted,
};
use super::intrinsic::{Resolver, Unresolved};
use super::node::{NodeKey, SourceNode, Value, shown, wrong};
use super::scaling::{self, AWS_WORDS, ScalingTarget, ScheduledAction, Suspended};
use super::terraform::{also_encrypted, attach_dax, encrypted, projection};
use super::{Context, name_of, names_of, usage};
use crate::diag::{Diagnostic, Source};
use crate::units::Exact;

/// A template that is being read.
struct Template<'a> {
    source: &'a Arc<Source>,
    resolver: Resolver<'a>,
    problems: &'a mut Vec<Diagnostic>,
    notes: Vec<String>,
    /// Settings of the current table that are known only after deployment and affect its cost.
    untold: Vec<Sourced>,
}

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
    let mut keys = BTreeMap::new();
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
        };
        reading.resources(template, region.as_deref(), &mut draft, &mut keys);
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

impl Template<'_> {
    fn origin(&self, node: &SourceNode) -> Origin {
        Some((self.source.clone(), node.span.clone()))
    }

    fn problem(&mut self, node: &SourceNode, code: &'static str, message: String, help: &str) {
        let span = node.span.start..node.span.end.min(node.span.start + 200);
        self.problems
            .push(wrong(self.source, span, code, message, help));
    }

    /// The value of an expression. An unresolved expression becomes a note; a cycle is an error.
    fn told(
        &mut self,
        node: &SourceNode,
        label: &str,
        result: Result<Option<SourceNode>, Unresolved>,
    ) -> Option<SourceNode> {
        match result {
            Ok(value) => value,
            Err(Unresolved { why, cycle: true }) => {
                self.problem(
                    node,
                    "cycle",
                    format!("{label}: {why}"),
                    "break the cycle: replace one of the references by a value",
                );
                None
            }
            Err(Unresolved { why, .. }) => {
                self.notes.push(format!("{label}: {why}"));
                None
            }
        }
    }

    /// A property with its outermost `Fn::If`, `Ref` or `Fn::FindInMap` resolved, but not the
    /// values within it. If a condition is unresolved, chooses the branch that is not
    /// `AWS::NoValue` and also returns the reason.
    fn open(&self, node: &SourceNode) -> Result<(Option<SourceNode>, Option<String>), Unresolved> {
        let (mut node, mut taken) = (node.clone(), None);
        for _ in 0..50 {
            let [(key, argument)] = node.entries() else {
                return Ok((Some(node), taken));
            };
            match (key.name.as_str(), argument.elements()) {
                ("Fn::If", [name, yes, no]) => {
                    let holds = match self.resolver.holds(name.text().unwrap_or_default()) {
                        Err(error) if error.cycle => return Err(error),
                        Err(error) => {
                            taken = Some(error.why);
                            yes.text_at("Ref") != Some("AWS::NoValue")
                        }
                        Ok(holds) => holds,
                    };
                    node = if holds { yes.clone() } else { no.clone() };
                }
                ("Ref", _) | ("Fn::FindInMap", _) => {
                    return self.resolver.resolve(&node).map(|node| (node, taken));
                }
                _ => return Ok((Some(node), taken)),
            }
        }
        Err(Unresolved {
            why: "its conditions are nested too deeply".to_string(),
            cycle: true,
        })
    }

    fn opened(&mut self, node: &SourceNode, label: &str) -> Option<SourceNode> {
        let (opened, taken) = match self.open(node) {
            Ok((opened, taken)) => (Ok(opened), taken),
            Err(error) => (Err(error), None),
        };
        if let Some(why) = taken {
            self.notes
                .push(format!("{label}: {UNTOLD_CONDITION}: {why}"));
        }
        if matches!(&opened, Err(error) if !error.cycle) {
            self.not_told(node, label.to_string());
        }
        self.told(node, label, opened)
    }

    /// Records a setting that affects the cost but is known only after deployment.
    fn not_told(&mut self, node: &SourceNode, what: String) {
        self.untold.push(Sourced::new(
            quoted(&format!("{what}: only known once the stack is deployed")),
            "",
            self.origin(node),
        ));
    }

    fn child(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<SourceNode> {
        let value = node.get(key)?;
        self.opened(value, &format!("{label}: {key}"))
    }

    /// The elements of a list, without those that are removed or unresolved.
    fn each(&mut self, node: &SourceNode, key: &str, label: &str) -> Vec<SourceNode> {
        let Some(list) = self.child(node, key, label) else {
            return Vec::new();
        };
        if !matches!(list.value, Value::List(_)) {
            self.problem(
                &list,
                "wrong-type",
                format!("{label}: {key} must be a list, found {}", list.kind()),
                "write a list, with a - or in [ ]",
            );
            return Vec::new();
        }
        let elements: Vec<SourceNode> = list.elements().to_vec();
        elements
            .iter()
            .filter_map(|element| self.opened(element, &format!("{label}: {key}")))
            .collect()
    }

    fn text(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<String> {
        let value = node.get(key)?;
        let resolved = self.resolver.resolve(value);
        let resolved = self.told(value, &format!("{label}: {key}"), resolved)?;
        match resolved.scalar() {
            Some(text) => Some(text.into_owned()),
            None => {
                self.problem(
                    value,
                    "wrong-type",
                    format!("{label}: {key} must be a text, found {}", resolved.kind()),
                    "write a text",
                );
                None
            }
        }
    }

    /// Whether a setting is on; `None` if it is unresolved.
    fn truth(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<bool> {
        let value = node.get(key)?;
        let resolved = self.resolver.resolve(value);
        if matches!(&resolved, Err(error) if !error.cycle) {
            self.not_told(value, format!("{label}: {key}, on or off"));
        }
        let told = self.told(value, &format!("{label}: {key}"), resolved)?;
        let truth = told.truth();
        if truth.is_none() {
            let found = told.scalar().map_or_else(
                || told.kind().to_string(),
                |text| format!("{:?}", shown(&text)),
            );
            self.problem(
                value,
                "wrong-type",
                format!("{label}: {key} must be true or false, found {found}"),
                "write true or false",
            );
        }
        truth
    }

    /// The same for settings that can be unknown in a workload: `Some(None)` if unresolved.
    fn truth_or_unknown(
        &mut self,
        node: &SourceNode,
        key: &str,
        label: &str,
    ) -> Option<Option<bool>> {
        let before = self.untold.len();
        let truth = self.truth(node, key, label);
        let told = self.untold.len() == before;
        self.untold.truncate(before);
        if told { truth.map(Some) } else { Some(None) }
    }

    /// A number of units; unknown, with the reason, if it is unresolved.
    fn number(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<Sourced> {
        let value = node.get(key)?;
        let origin = self.origin(value);
        match self.resolver.resolve(value) {
            Ok(None) => None,
            Ok(Some(resolved)) => {
                let text = resolved
                    .scalar()
                    .filter(|text| Exact::parse(text).is_some_and(|number| !number.is_negative()));
                let Some(text) = text else {
                    let found = resolved.scalar().map_or_else(
                        || resolved.kind().to_string(),
                        |text| format!("{:?}", shown(&text)),
                    );
                    self.problem(
                        value,
                        "wrong-type",
                        format!("{label}: {key} must be a number, found {found}"),
                        "write a number",
                    );
                    return None;
                };
                Some(Sourced::new(
                    text.trim().to_string(),
                    format!("{label}: {key}"),
                    origin,
                ))
            }
            Err(error) if error.cycle => {
                self.told(value, &format!("{label}: {key}"), Err(error));
                None
            }
            Err(Unresolved { why, .. }) => Some(Sourced {
                origin,
                ..Sourced::unknown(format!("{label}: {key}: {why}"))
            }),
        }
    }

    fn resources(
        &mut self,
        template: &SourceNode,
        region: Option<&str>,
        draft: &mut Draft,
        keys: &mut BTreeMap<String, ()>,
    ) {
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
                    let table = self.table(key, resource, &properties, keys);
                    let table = self.with_untold(table);
                    draft.tables.extend(table);
                }
                "AWS::DynamoDB::GlobalTable" => {
                    let table = self.global_table(key, resource, &properties, region, keys);
                    let table = self.with_untold(table);
                    draft.tables.extend(table);
                }
                "AWS::Serverless::SimpleTable" => {
                    // Common properties of all simple tables are under Globals.
                    let properties = match template.at(&["Globals", "SimpleTable"]) {
                        Some(globals) => with_globals(&properties, globals),
                        None => properties,
                    };
                    let table = self.simple_table(key, resource, &properties, keys);
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

    /// A replica added by a custom resource, which the CDK generates for `replicationRegions`.
    fn custom_replica(&mut self, key: &NodeKey, properties: &SourceNode, draft: &mut Draft) {
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
            self.notes.push(format!(
                "{label}: a replica of a table that is not in this template; ignored"
            ));
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
            None => table.unpriced.push(Sourced::new(
                quoted("a replica in a region that cannot be resolved"),
                "",
                origin,
            )),
        }
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

    fn new_table(
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

    /// Partition and sort keys of a key schema.
    fn schema(&mut self, node: &SourceNode, label: &str) -> (Vec<String>, Vec<String>) {
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

    fn types(&mut self, properties: &SourceNode, label: &str) -> BTreeMap<String, String> {
        let mut types = BTreeMap::new();
        for attribute in self.each(properties, "AttributeDefinitions", label) {
            let name = self.text(&attribute, "AttributeName", label);
            let kind = self.text(&attribute, "AttributeType", label);
            types.extend(name.zip(kind));
        }
        types
    }

    fn keys(
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
    fn mode(
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

    fn class(&mut self, properties: &SourceNode, label: &str) -> Option<Sourced> {
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

    fn projection(&mut self, fields: &mut Fields, index: &SourceNode, label: &str) {
        let Some(node) = self.child(index, "Projection", label) else {
            return;
        };
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

    fn index(
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
    fn maximum(
        &mut self,
        fields: &mut Fields,
        node: &SourceNode,
        block: &str,
        pairs: &[(&str, &str)],
        label: &str,
    ) {
        let Some(settings) = self.child(node, block, label) else {
            return;
        };
        for (key, name) in pairs {
            let said = self.number_or_none(&settings, key, label);
            if said.as_ref().is_some_and(Sourced::is_unknown) {
                self.not_told(&settings, format!("{label}: {key}"));
            }
            fields.set_some(name, said.filter(|said| !said.is_unknown()));
        }
    }

    fn number_or_none(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<Sourced> {
        let resolved = node
            .get(key)
            .and_then(|value| self.resolver.resolve(value).ok().flatten());
        let none = resolved
            .as_ref()
            .and_then(SourceNode::scalar)
            .is_some_and(|text| text == "-1");
        if none {
            None
        } else {
            self.number(node, key, label)
        }
    }

    fn table(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
        keys: &mut BTreeMap<String, ()>,
    ) -> Option<TableDraft> {
        let label = key.name.clone();
        let mut table = self.new_table(key, resource, properties);
        let class = self.class(properties, &label);
        table.fields.set_some("class", class);
        if !self.keys(&mut table, properties, key, resource) {
            return None;
        }
        let on_demand = self.mode(&mut table, properties, &label, resource);
        let throughput = [
            ("MaxReadRequestUnits", "max_read"),
            ("MaxWriteRequestUnits", "max_write"),
        ];
        if on_demand {
            let mut capacity = std::mem::take(&mut table.capacity);
            self.maximum(
                &mut capacity,
                properties,
                "OnDemandThroughput",
                &throughput,
                &label,
            );
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
                self.maximum(
                    &mut fields,
                    &node,
                    "OnDemandThroughput",
                    &throughput,
                    &inner,
                );
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
        self.recovery(&mut table, properties, &label);
        self.streams(&mut table, properties, &label);
        self.kinesis(&mut table, properties, &label);
        self.features(&mut table, properties, None, &label, keys);
        Some(table)
    }

    fn warm(&mut self, index: &SourceNode, label: &str) {
        if let Some(warm) = self.child(index, "WarmThroughput", label) {
            self.untold.push(Sourced::new(
                quoted(&format!("{label}: purchased warm throughput")),
                "",
                self.origin(&warm),
            ));
        }
    }

    fn insights(&mut self, fields: &mut Fields, node: &SourceNode, label: &str) {
        let Some(settings) = self.child(node, "ContributorInsightsSpecification", label) else {
            return;
        };
        let origin = self.origin(&settings);
        let some = self
            .text(&settings, "Mode", label)
            .is_some_and(|mode| mode == "THROTTLED_KEYS");
        if let Some(on) = self.truth(&settings, "Enabled", label) {
            if some && on {
                self.untold.push(Sourced::new(
                    quoted(&format!(
                        "{label}: Contributor Insights for throttled keys only"
                    )),
                    "",
                    origin,
                ));
                return;
            }
            fields.set(
                "contributor_insights",
                Sourced::new(on.to_string(), "ContributorInsightsSpecification", origin),
            );
        }
    }

    fn recovery(&mut self, table: &mut TableDraft, node: &SourceNode, label: &str) {
        let label = &format!("{label}: PointInTimeRecoverySpecification");
        let Some(settings) = self.child(node, "PointInTimeRecoverySpecification", label) else {
            return;
        };
        let origin = self.origin(&settings);
        let note = label.clone();
        match self.truth_or_unknown(&settings, "PointInTimeRecoveryEnabled", label) {
            Some(Some(true)) => table
                .block("backup")
                .set("pitr", Sourced::new("true", note, origin)),
            Some(None) => table.block("backup").set(
                "pitr",
                Sourced {
                    origin,
                    ..Sourced::unknown(format!("{note}: only known once the stack is deployed"))
                },
            ),
            _ => {}
        }
    }

    fn streams(&mut self, table: &mut TableDraft, properties: &SourceNode, label: &str) {
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

    fn kinesis(&mut self, table: &mut TableDraft, node: &SourceNode, label: &str) {
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
    fn features(
        &mut self,
        table: &mut TableDraft,
        properties: &SourceNode,
        key: Option<&SourceNode>,
        label: &str,
        keys: &mut BTreeMap<String, ()>,
    ) {
        if let Some(settings) = self.child(properties, "TimeToLiveSpecification", label)
            && matches!(
                self.truth_or_unknown(&settings, "Enabled", label),
                Some(Some(true) | None)
            )
        {
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
            encrypted(table, key.as_deref(), said, keys);
        }
        for node in self.each(properties, "VectorIndexes", label) {
            let name = self.text(&node, "IndexName", label).unwrap_or_default();
            let origin = self.origin(&node);
            table.unpriced.push(Sourced::new(
                quoted(&format!(
                    "the vector index {name}: VectorWriteRequest, VectorSearch and its storage"
                )),
                "",
                origin,
            ));
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
    fn key_name(&self, node: Option<&SourceNode>) -> Option<String> {
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

    /// Units of a global table in one direction: fixed or auto scaled.
    fn settings(
        &mut self,
        node: &SourceNode,
        block: &str,
        fixed: &str,
        scaled: &str,
        label: &str,
    ) -> UnitsDraft {
        let mut units = UnitsDraft::default();
        let Some(settings) = self.child(node, block, label) else {
            return units;
        };
        units.fixed = self.number(&settings, fixed, label);
        let Some(scaling) = self.child(&settings, scaled, label) else {
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

    fn reads(&mut self, node: &SourceNode, label: &str) -> UnitsDraft {
        self.settings(
            node,
            "ReadProvisionedThroughputSettings",
            "ReadCapacityUnits",
            "ReadCapacityAutoScalingSettings",
            label,
        )
    }

    fn writes(&mut self, node: &SourceNode, label: &str) -> UnitsDraft {
        self.settings(
            node,
            "WriteProvisionedThroughputSettings",
            "WriteCapacityUnits",
            "WriteCapacityAutoScalingSettings",
            label,
        )
    }

    fn global_table(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
        region: Option<&str>,
        keys: &mut BTreeMap<String, ()>,
    ) -> Option<TableDraft> {
        let label = key.name.clone();
        let mut table = self.new_table(key, resource, properties);
        let replicas = self.each(properties, "Replicas", &label);
        let named: Vec<(Option<String>, SourceNode)> = replicas
            .into_iter()
            .map(|replica| (self.text(&replica, "Region", &label), replica))
            .collect();
        let home = named
            .iter()
            .find(|(name, _)| region.is_some() && name.as_deref() == region)
            .map(|(_, node)| node.clone());
        let empty = SourceNode::new(Value::Map(Vec::new()), 0..0);
        if let (Some(region), None) = (region, &home) {
            let list: Vec<&str> = named
                .iter()
                .filter_map(|(name, _)| name.as_deref())
                .collect();
            let message = format!("{label} has no replica in {region}, the region of the stack");
            self.problem(
                resource,
                "region",
                message,
                &format!(
                    "set --region to the region of one of its replicas: {}",
                    list.join(", ")
                ),
            );
            return None;
        }
        let home = home.unwrap_or(empty);
        let class = self.class(&home, &label);
        table.fields.set_some("class", class);
        if !self.keys(&mut table, properties, key, resource) {
            return None;
        }
        let on_demand = self.mode(&mut table, properties, &label, resource);
        if on_demand {
            let mut capacity = std::mem::take(&mut table.capacity);
            self.maximum(
                &mut capacity,
                &home,
                "ReadOnDemandThroughputSettings",
                &[("MaxReadRequestUnits", "max_read")],
                &label,
            );
            self.maximum(
                &mut capacity,
                properties,
                "WriteOnDemandThroughputSettings",
                &[("MaxWriteRequestUnits", "max_write")],
                &label,
            );
            table.capacity = capacity;
        } else {
            table.read = self.reads(&home, &label);
            table.write = self.writes(properties, &label);
        }
        let of_home = self.each(&home, "GlobalSecondaryIndexes", &label);
        for node in self.each(properties, "GlobalSecondaryIndexes", &label) {
            let Some(mut index) = self.index(&node, &label, true, None) else {
                continue;
            };
            let name = index.name.plain();
            let inner = format!("{label} / {name}");
            let here = of_home.iter().find(|node| {
                self.text(node, "IndexName", &label).as_deref() == Some(name.as_str())
            });
            if on_demand {
                let mut fields = std::mem::take(&mut index.fields);
                if let Some(here) = here {
                    self.maximum(
                        &mut fields,
                        here,
                        "ReadOnDemandThroughputSettings",
                        &[("MaxReadRequestUnits", "max_read")],
                        &inner,
                    );
                }
                self.maximum(
                    &mut fields,
                    &node,
                    "WriteOnDemandThroughputSettings",
                    &[("MaxWriteRequestUnits", "max_write")],
                    &inner,
                );
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
        for node in self.each(properties, "LocalSecondaryIndexes", &label) {
            let partition = self.schema(properties, &label).0.into_iter().next();
            let index = self.index(&node, &label, false, partition.as_deref());
            table.indexes.extend(index);
        }
        let mut fields = std::mem::take(&mut table.fields);
        self.insights(&mut fields, &home, &label);
        table.fields = fields;
        if table.fields.get("contributor_insights").is_some() {
            table.insights_alone();
        }
        self.recovery(&mut table, &home, &label);
        // A global table has a stream for replication; the template does not say whether it has
        // other readers.
        self.streams(&mut table, properties, &label);
        self.kinesis(&mut table, &home, &label);
        // A key belongs to one region, so each replica names its own.
        let key = home.at(&["SSESpecification", "KMSMasterKeyId"]).cloned();
        self.features(&mut table, properties, key.as_ref(), &label, keys);
        if self
            .text(properties, "MultiRegionConsistency", &label)
            .as_deref()
            == Some("STRONG")
        {
            let origin = properties
                .get("MultiRegionConsistency")
                .and_then(|node| self.origin(node));
            table.fields.set(
                "multi_region_consistency",
                Sourced::new(
                    "\"strong\"",
                    format!("{label}: MultiRegionConsistency"),
                    origin,
                ),
            );
        }
        let home_class = table
            .fields
            .get("class")
            .map_or("\"standard\"".to_string(), |said| said.toml.clone());
        for (name, node) in named
            .iter()
            .filter(|(name, _)| region.is_none() || name.as_deref() != region)
        {
            let Some(name) = name else {
                table.unpriced.push(Sourced::new(
                    quoted("a replica in a region that cannot be resolved"),
                    "",
                    self.origin(node),
                ));
                continue;
            };
            let mut replica = self.replica(name, node, &label);
            if replica.fields.get("class").is_none() && home_class != "\"standard\"" {
                replica.fields.set(
                    "class",
                    Sourced::new(
                        "\"standard\"",
                        "no TableClass, which means STANDARD",
                        replica.region.origin.clone(),
                    ),
                );
            }
            if replica
                .fields
                .get("contributor_insights")
                .is_some_and(|said| said.toml == "true")
            {
                replica.insights_alone(table.global_names().into_iter());
            }
            if let Some(key) = self.key_name(node.at(&["SSESpecification", "KMSMasterKeyId"])) {
                let note = format!("{label}: the KMS key in {name}");
                also_encrypted(
                    &mut table,
                    &key,
                    Sourced::new("1", note, self.origin(node)),
                    keys,
                );
            }
            table.replicas.push(replica);
        }
        for node in self.each(properties, "GlobalTableWitnesses", &label) {
            let Some(name) = self.text(&node, "Region", &label) else {
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
        Some(table)
    }

    fn replica(&mut self, name: &str, node: &SourceNode, label: &str) -> ReplicaDraft {
        let inner = format!("{label} in {name}");
        let origin = node
            .get("Region")
            .map_or_else(|| self.origin(node), |node| self.origin(node));
        let mut fields = Fields::default();
        let class = self.class(node, &inner);
        fields.set_some("class", class);
        if let Some(settings) = self.child(node, "PointInTimeRecoverySpecification", &inner) {
            let origin = self.origin(&settings);
            if self.truth(&settings, "PointInTimeRecoveryEnabled", &inner) == Some(true) {
                fields.set(
                    "pitr",
                    Sourced::new("true", "PointInTimeRecoverySpecification", origin),
                );
            }
        }
        self.insights(&mut fields, node, &inner);
        self.maximum(
            &mut fields,
            node,
            "ReadOnDemandThroughputSettings",
            &[("MaxReadRequestUnits", "max_read")],
            &inner,
        );
        if let Some(kinesis) = self.child(node, "KinesisStreamSpecification", &inner) {
            let what = format!("change data capture to Kinesis in {name}");
            self.untold
                .push(Sourced::new(quoted(&what), "", self.origin(&kinesis)));
        }
        let read = self.reads(node, &inner);
        let mut indexes = Vec::new();
        for index in self.each(node, "GlobalSecondaryIndexes", &inner) {
            let Some(name) = self.text(&index, "IndexName", &inner) else {
                continue;
            };
            let own = format!("{inner} / {name}");
            let mut fields = Fields::default();
            self.maximum(
                &mut fields,
                &index,
                "ReadOnDemandThroughputSettings",
                &[("MaxReadRequestUnits", "max_read")],
                &own,
            );
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

    fn simple_table(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
        keys: &mut BTreeMap<String, ()>,
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
        self.recovery(&mut table, properties, &label);
        if self.child(properties, "SSESpecification", &label).is_some() {
            self.features(&mut table, properties, None, &label, keys);
        }
        Some(table)
    }

    /// Reads scalable targets with their policies and schedules.
    fn targets(
        &mut self,
        there: &[(NodeKey, SourceNode)],
        of: &dyn Fn(&SourceNode) -> SourceNode,
    ) -> Vec<ScalingTarget> {
        let mut targets: Vec<(String, Option<SourceNode>, ScalingTarget)> = Vec::new();
        for (key, resource) in there.iter().filter(|(_, node)| {
            node.text_at("Type") == Some("AWS::ApplicationAutoScaling::ScalableTarget")
        }) {
            let (label, properties) = (&key.name, of(resource));
            if self
                .text(&properties, "ServiceNamespace", label)
                .is_some_and(|namespace| namespace != "dynamodb")
            {
                continue;
            }
            let mut target = ScalingTarget {
                resource: self
                    .text(&properties, "ResourceId", label)
                    .unwrap_or_default(),
                dimension: self
                    .text(&properties, "ScalableDimension", label)
                    .unwrap_or_default(),
                min: self.number(&properties, "MinCapacity", label),
                max: self.number(&properties, "MaxCapacity", label),
                label: label.clone(),
                ..ScalingTarget::default()
            };
            if let Some(state) = properties.get("SuspendedState") {
                let resolved = self.resolver.resolve(state);
                let state = self.told(state, &format!("{label}: SuspendedState"), resolved);
                target.suspended = state
                    .map(|state| Suspended::of(&state, AWS_WORDS))
                    .unwrap_or_default();
            }
            for action in self.each(&properties, "ScheduledActions", label) {
                let name = self
                    .text(&action, "ScheduledActionName", label)
                    .unwrap_or_else(|| label.clone());
                let Some(schedule) = self.text(&action, "Schedule", label) else {
                    continue;
                };
                let origin = self.origin(&action);
                let timezone = self.text(&action, "Timezone", label);
                let Some(bounds) = self.child(&action, "ScalableTargetAction", label) else {
                    continue;
                };
                let (min, max) = (
                    self.number(&bounds, "MinCapacity", label),
                    self.number(&bounds, "MaxCapacity", label),
                );
                let is_temporary =
                    action.get("StartTime").is_some() || action.get("EndTime").is_some();
                target.steps.push(ScheduledAction {
                    schedule: Sourced::text(&schedule, name, origin),
                    timezone,
                    is_temporary,
                    min,
                    max,
                });
            }
            targets.push((label.clone(), properties.get("ResourceId").cloned(), target));
        }
        for (key, resource) in there.iter().filter(|(_, node)| {
            node.text_at("Type") == Some("AWS::ApplicationAutoScaling::ScalingPolicy")
        }) {
            let (label, properties) = (&key.name, of(resource));
            let id = self.text(&properties, "ScalingTargetId", label);
            let resource_id = self.text(&properties, "ResourceId", label);
            let dimension = self.text(&properties, "ScalableDimension", label);
            let Some(tracking) = self.child(
                &properties,
                "TargetTrackingScalingPolicyConfiguration",
                label,
            ) else {
                continue;
            };
            let percent = match tracking.get("CustomizedMetricSpecification") {
                Some(_) => Some(Sourced::unknown(format!(
                    "{label}: {}",
                    scaling::OWN_METRIC
                ))),
                None => self.number(&tracking, "TargetValue", label),
            };
            let written = properties.get("ResourceId").map(unplaced);
            let mine = |(name, of, target): &&mut (String, Option<SourceNode>, ScalingTarget)| {
                // A reference to a target resolves to its ID, which AWS derives from the resource
                // and the dimension. Values known only after deployment are taken as equal if they
                // are written the same way.
                let same = resource_id.as_ref() == Some(&target.resource)
                    || resource_id.is_none() && of.as_ref().map(unplaced) == written;
                id.as_ref() == Some(name)
                    || (written.is_some() && same && dimension.as_ref() == Some(&target.dimension))
            };
            match targets.iter_mut().find(mine) {
                Some((.., target)) => target.percent = percent,
                None => self.notes.push(format!(
                    "{label}: scales a target that is not in this template; ignored"
                )),
            }
        }
        targets.into_iter().map(|(.., target)| target).collect()
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
