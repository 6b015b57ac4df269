//! CloudFormation, SAM and CDK templates, JSON and YAML.
//!
//! Expressions are resolved as far as the template allows; values known only after deployment are
//! listed and are unknown in the workload. A template does not say its region. A global table has
//! its write settings at the top level and its read settings per replica; the replica in the home
//! region is the table itself. Source: CloudFormation Template Reference.

mod backup;
mod features;
mod global_table;
mod intrinsic;
mod keys;
mod table;
mod targets;
mod template;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::diag::{Diagnostic, Source};
use crate::import::draft::{Draft, Sourced, TableDraft, unpriced};
use crate::import::node::{self, NodeKey, SourceNode, Value, wrong};
use crate::import::scaling::{self};
use crate::import::shared::{KmsKeys, attach_dax, replicas_without_key};
use crate::import::unused::UnusedPart;
use crate::import::{Context, names_of, stem_of, usage};
use crate::opened;
use crate::unread::UnreadKind;
use intrinsic::{Resolver, Unresolved};
use template::Template;

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], context: Context) -> Draft {
    let made_of = format!("the CloudFormation template {}", names_of(documents));
    let mut draft = Draft::of(documents, made_of, "not in a template");
    draft.may_be_empty = true;
    let asked = context
        .region
        .map(str::to_string)
        .or_else(|| context.usage.and_then(|usage| usage.region()));
    let region = asked
        .or_else(|| only_replica(documents))
        .or_else(|| context.fallback.map(str::to_string));
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
    let given = context
        .usage
        .map(usage::UsageFile::parameters)
        .unwrap_or_default();
    unknown_parameters(documents, &given, &context, &mut draft);
    let mut reading = Reading {
        region,
        reads_beside: context.reads_beside,
        kms_keys: KmsKeys::new(),
        problems: context.problems,
    };
    for (source, template) in documents {
        let stack = Stack {
            source,
            template,
            given: given.clone(),
            depth: 0,
        };
        reading.stack(stack, &mut draft);
    }
    if reading.region.is_none() && draft.tables.iter().any(|table| !table.replicas.is_empty()) {
        draft.notes.push(
            "the region is unknown: after you set it, remove the replica of that region, which is \
             the table itself"
                .to_string(),
        );
    }
    replicas_without_key(&mut draft);
    draft
}

/// A template within another file, such as a Terraform plan.
///
/// # Errors
/// Why the template cannot be read.
pub(super) fn embedded(
    source: Arc<Source>,
    given: BTreeMap<String, SourceNode>,
    region: Option<String>,
    context: &mut Context,
) -> Result<Draft, String> {
    let template = node::read(&source).map_err(|error| error.message)?.node;
    let mut draft = Draft::default();
    let mut reading = Reading {
        region,
        reads_beside: false,
        kms_keys: KmsKeys::new(),
        problems: context.problems,
    };
    let stack = Stack {
        source: &source,
        template: &template,
        given,
        depth: 0,
    };
    reading.stack(stack, &mut draft);
    Ok(draft)
}

/// What the stacks of an import share.
struct Reading<'a> {
    region: Option<String>,
    /// Whether nested templates that lie beside a template may be read.
    reads_beside: bool,
    /// Customer managed keys that are already charged to a table.
    kms_keys: KmsKeys,
    problems: &'a mut Vec<Diagnostic>,
}

/// A template with the values of its parameters.
struct Stack<'a> {
    source: &'a Arc<Source>,
    template: &'a SourceNode,
    given: BTreeMap<String, SourceNode>,
    /// How many stacks it is nested in.
    depth: usize,
}

/// A stack that is nested in another one.
struct NestedStack {
    name: String,
    source: Arc<Source>,
    given: BTreeMap<String, SourceNode>,
}

/// How deeply stacks may be nested; those of a stack that contains itself would never end.
const STACKS_MAX: usize = 10;

impl Reading<'_> {
    /// Reads the resources of a stack, and then of the stacks that are nested in it.
    fn stack(&mut self, stack: Stack, draft: &mut Draft) {
        let Stack {
            source,
            template,
            given,
            depth,
        } = stack;
        let region = self.region.clone();
        let expanded = Resolver::new(template, region.clone(), given.clone()).expanded();
        let expanded = match expanded {
            Ok(expanded) => expanded,
            Err((node, error)) if error.cycle || error.malformed => {
                self.problems.push(not_expanded(source, &node, &error));
                return;
            }
            Err((node, error)) => {
                // The other resources are read.
                let words = format!("what the loops (Fn::ForEach) make: {}", error.why);
                let origin = Some((source.clone(), node.span.start..node.span.start + 1));
                let said = unpriced(UnreadKind::AfterApply, &words, "", origin);
                draft.unpriced.push(said);
                template.clone()
            }
        };
        let mut reading = Template {
            source,
            resolver: Resolver::new(&expanded, region.clone(), given),
            problems: self.problems,
            notes: Vec::new(),
            untold: Vec::new(),
            unread: Vec::new(),
            conditional: BTreeMap::new(),
            nested: Vec::new(),
            reads_beside: self.reads_beside && depth < STACKS_MAX,
            kms_keys: &mut self.kms_keys,
        };
        reading.transforms(&expanded);
        reading.resources(&expanded, region.as_deref(), draft);
        draft.notes.append(&mut reading.notes);
        draft.unpriced.append(&mut reading.unread);
        for nested in std::mem::take(&mut reading.nested) {
            self.nested(nested, depth, draft);
        }
    }

    fn nested(&mut self, nested: NestedStack, depth: usize, draft: &mut Draft) {
        let template = match node::read(&nested.source) {
            Ok(read) => read.node,
            Err(error) => {
                self.problems.push(*error);
                return;
            }
        };
        let mut inner = Draft::default();
        let stack = Stack {
            source: &nested.source,
            template: &template,
            given: nested.given,
            depth: depth + 1,
        };
        self.stack(stack, &mut inner);
        for table in &mut inner.tables {
            let own = table.qualifier.take();
            table.qualifier = own.or(Some(nested.name.clone()));
        }
        draft.absorb(inner);
    }
}

/// Adds the parameters of the usage file that no template has.
fn unknown_parameters(
    documents: &[(Arc<Source>, SourceNode)],
    given: &BTreeMap<String, SourceNode>,
    context: &Context,
    draft: &mut Draft,
) {
    let is_unknown = |name: &str| {
        let mut templates = documents.iter();
        let has = |(_, template): &(Arc<Source>, SourceNode)| {
            template.at(&["Parameters", name]).is_some()
        };
        !name.starts_with("AWS::") && !templates.any(has)
    };
    let Some(usage) = context.usage else { return };
    for (name, node) in given.iter().filter(|(name, _)| is_unknown(name)) {
        draft.unused.push(UnusedPart::of(wrong(
            usage.source(),
            node.span.clone(),
            "unknown-parameter",
            format!("{} has no parameter {name:?}", names_of(documents)),
            "correct the name under [parameters], or remove it",
        )));
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
        scaling::join(targets, draft);
        for (key, resource) in of_type(&created, "AWS::DAX::Cluster") {
            self.dax(key, resource, draft);
        }
        self.readers(&created, draft);
        self.backups(&created, draft);
        for (key, resource) in &created {
            self.other_costs(key, resource);
        }
        draft.unpriced.append(&mut self.untold);
    }

    /// What a resource may cost in ways that are not read, and whether it is created at all.
    fn other_costs(&mut self, key: &NodeKey, resource: &SourceNode) {
        if let Some(why) = self
            .conditional
            .remove(&key.name)
            .filter(|_| is_read(resource))
        {
            let words = format!("{}: {UNTOLD_CONDITION}: {why}", key.name);
            self.unread(UnreadKind::Condition, &words, resource);
        }
        let kind = resource.text_at("Type").unwrap_or_default();
        let properties = properties_of(resource);
        let (unread, words) = match kind {
            "AWS::CloudFormation::StackSet"
            | "AWS::ServiceCatalog::CloudFormationProvisionedProduct" => {
                let body = properties.text_at("TemplateBody");
                let costs = ["DynamoDB", "DAX"];
                if body.is_some_and(|body| !costs.iter().any(|cost| body.contains(cost))) {
                    return;
                }
                (
                    UnreadKind::NestedStack,
                    "the tables of stacks that it deploys",
                )
            }
            "AWS::Backup::RestoreTestingSelection" if properties.mentions("dynamodb") => {
                (UnreadKind::Feature, "restores that it tests")
            }
            "AWS::Scheduler::Schedule" if properties.mentions("aws-sdk:dynamodb") => {
                (UnreadKind::Feature, "calls of DynamoDB on a schedule")
            }
            "AWS::OSIS::Pipeline"
            | "AWS::Redshift::Integration"
            | "AWS::Glue::Integration"
            | "AWS::RDS::Integration"
                if properties.mentions("dynamodb") || properties.mentions("streamarn") =>
            {
                (UnreadKind::Feature, "what it reads of a table")
            }
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => return,
            kind if kind.starts_with("AWS::DynamoDB::") => (
                UnreadKind::Feature,
                "a resource of a type that is not known",
            ),
            _ => return,
        };
        self.unread(unread, &format!("{}: {words}", key.name), resource);
    }

    /// Properties of a table that are not known, and may cost.
    fn unknown_properties(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
        properties: &SourceNode,
    ) {
        let kind = resource.text_at("Type").unwrap_or_default();
        if !kind.starts_with("AWS::DynamoDB::") {
            return;
        }
        for (name, node) in properties.entries() {
            let is_known =
                PROPERTIES.contains(&name.name.as_str()) || name.name.starts_with("Fn::");
            if !is_known {
                let words = format!(
                    "{}: the property {}, which is not known",
                    key.name, name.name
                );
                let origin = self.origin(node);
                self.untold
                    .push(unpriced(UnreadKind::Feature, &words, "", origin));
            }
        }
    }

    /// The resources whose condition is true or unresolved.
    fn created(&mut self, resources: &SourceNode) -> Vec<(NodeKey, SourceNode)> {
        let mut created = Vec::new();
        for (key, resource) in resources.entries() {
            if key.name.starts_with("Fn::Transform")
                || resource.at(&["Properties", "Fn::Transform"]).is_some() && is_read(resource)
            {
                let words = format!("{}: what a macro or AWS::Include adds", key.name);
                self.unread(UnreadKind::Include, &words, resource);
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
                    None => properties.clone(),
                };
                self.simple_table(key, resource, &properties)
            }
            "Custom::AmplifyDynamoDBTable" => {
                let properties = in_pascal_case(&properties);
                self.table(key, resource, &properties)
            }
            "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
                self.nested_stack(key, resource, &properties);
                return None;
            }
            kind if kind.ends_with("::MODULE") => {
                let words = format!("{}: the resources of the module {kind}", key.name);
                self.unread(UnreadKind::Module, &words, resource);
                return None;
            }
            kind if may_make_tables(kind, &properties) => {
                let words = format!(
                    "{}: tables that the custom resource {kind} may make",
                    key.name
                );
                self.unread(UnreadKind::CustomResource, &words, resource);
                return None;
            }
            _ => return None,
        };
        self.unknown_properties(key, resource, &properties);
        let table = self.with_untold(table);
        table.map(|mut table| {
            if let Some(why) = self.conditional.remove(&key.name) {
                let words = format!("{UNTOLD_CONDITION}: {why}");
                let origin = self.origin(resource);
                let said = unpriced(UnreadKind::Condition, &words, "", origin);
                table.unpriced.push(said);
                table.is_conditional = true;
            }
            self.name_stack(&mut table, resource, &properties);
            table
        })
    }

    /// Records what tells a table from one of the same name in another stack: the path of the CDK, or
    /// the file.
    fn name_stack(&self, table: &mut TableDraft, resource: &SourceNode, properties: &SourceNode) {
        let path = resource.at(&["Metadata", "aws:cdk:path"]);
        let path = path.and_then(SourceNode::text);
        if let Some(path) = path {
            let construct = path.strip_suffix("/Resource").unwrap_or(path);
            table.ids.push(construct.to_string());
            table.resource = Some(Arc::from(construct));
        }
        let stack = path.and_then(|path| path.split('/').next());
        table.qualifier = match stack {
            Some(stack) => Some(stack.to_string()),
            None => Some(stem_of(&self.source.name)),
        };
        let Some(tags) = properties.get("Tags") else {
            return;
        };
        let listed = tags.elements().len();
        let tags = self.resolver.resolve(tags);
        table.has_unknown_tags = tags.is_err();
        let tag = |tag: &SourceNode| {
            let texts = tag.text_at("Key").zip(tag.text_at("Value"));
            texts.map(|(key, value)| (key.to_string(), value.to_string()))
        };
        if let Ok(Some(tags)) = tags {
            table.tags = tags.elements().iter().filter_map(tag).collect();
            table.has_unknown_tags = table.tags.len() < listed;
        }
    }

    /// A stack whose template lies beside this one, or that is not read.
    fn nested_stack(&mut self, key: &NodeKey, resource: &SourceNode, properties: &SourceNode) {
        // The stack that the CDK adds for `replicationRegions` has functions and no table.
        if key.name.contains("awscdkawsdynamodbReplicaProvider") {
            return;
        }
        let path = resource
            .at(&["Metadata", "aws:asset:path"])
            .and_then(SourceNode::text)
            .map(str::to_string);
        let location = |name: &str| {
            let node = properties.get(name)?;
            let resolved = self.resolver.resolve(node).ok().flatten()?;
            resolved.text().map(str::to_string)
        };
        let path = path
            .or_else(|| location("TemplateURL"))
            .or_else(|| location("Location"));
        let beside = path.as_deref().filter(|_| self.reads_beside);
        let Some(source) = beside.and_then(|path| beside_file(self.source, path)) else {
            let template = path.map_or(String::new(), |path| format!(" ({path})"));
            let words = format!("{}: the tables of a nested stack{template}", key.name);
            self.unread(UnreadKind::NestedStack, &words, resource);
            return;
        };
        let given = properties.get("Parameters").map(SourceNode::entries);
        let given = given.unwrap_or_default().iter().filter_map(|(key, node)| {
            let value = self.resolver.resolve(node).ok().flatten()?;
            Some((key.name.clone(), value))
        });
        let given = given.collect();
        self.nested.push(NestedStack {
            name: key.name.clone(),
            source,
            given,
        });
    }

    /// Adds what macros of the whole template may add.
    fn transforms(&mut self, template: &SourceNode) {
        let Some(node) = template.get("Transform") else {
            return;
        };
        let all = match node.elements() {
            [] => std::slice::from_ref(node),
            all => all,
        };
        for one in all {
            let name = one
                .text()
                .or_else(|| one.text_at("Name"))
                .unwrap_or("a macro");
            let adds_nothing = [
                "AWS::Serverless-",
                "AWS::LanguageExtensions",
                "AWS::CodeDeploy",
            ]
            .iter()
            .chain(&["AWS::SecretsManager-", "AWS::ServiceCatalog"])
            .any(|start| name.starts_with(start));
            if !adds_nothing {
                let words = format!("what the macro {name} adds or changes");
                self.unread(UnreadKind::Include, &words, one);
            }
        }
    }

    /// Something that is not read.
    fn unread(&mut self, kind: UnreadKind, what: &str, node: &SourceNode) {
        let span = node.span.start..node.span.end.min(node.span.start + 1);
        let origin = Some((self.source.clone(), span));
        self.unread.push(unpriced(kind, what, "", origin));
    }

    fn scaling_plan(&mut self, key: &NodeKey, resource: &SourceNode, draft: &mut Draft) {
        let words = format!(
            "the scaling plan {}, which is not supported: set min, max and target of the tables it \
             scales",
            key.name
        );
        let said = unpriced(UnreadKind::Scaling, &words, "", self.origin(resource));
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
            Err(Unresolved { why, cycle, .. }) => {
                if cycle {
                    self.problem(
                        condition,
                        "cycle",
                        format!("{}: {why}", key.name),
                        "break the cycle: replace one of the references by a value",
                    );
                } else {
                    self.conditional.insert(key.name.clone(), why);
                }
                true
            }
        }
    }
}

/// Whether a resource is one that is read.
fn is_read(resource: &SourceNode) -> bool {
    let kind = resource.text_at("Type").unwrap_or_default();
    let read = [
        "AWS::DynamoDB::",
        "AWS::DAX::Cluster",
        "AWS::Backup::",
        "Table",
        "Scaling",
        "Stack",
    ];
    read.iter().any(|word| kind.contains(word))
}

/// The properties of tables that are read, or that cost nothing.
///
/// Source: CloudFormation Template Reference, AWS::DynamoDB::Table and AWS::DynamoDB::GlobalTable.
const PROPERTIES: &[&str] = &[
    "AttributeDefinitions",
    "BillingMode",
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "GlobalTableSettingsReplicationMode",
    "GlobalTableSourceArn",
    "GlobalTableWitnesses",
    "ImportSourceSpecification",
    "KeySchema",
    "KinesisStreamSpecification",
    "LocalSecondaryIndexes",
    "MultiRegionConsistency",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "ProvisionedThroughput",
    "ReadOnDemandThroughputSettings",
    "ReadProvisionedThroughputSettings",
    "Replicas",
    "ResourcePolicy",
    "SSESpecification",
    "StreamSpecification",
    "TableClass",
    "TableName",
    "Tags",
    "TimeToLiveSpecification",
    "VectorIndexes",
    "WarmThroughput",
    "WriteOnDemandThroughputSettings",
    "WriteProvisionedThroughputSettings",
];

/// Calls of AWS's APIs that a custom resource may make without a cost that is read here: they read
/// and write items, or ask.
const HARMLESS_CALLS: &[&str] = &[
    "batchgetitem",
    "batchwriteitem",
    "deleteitem",
    "describe",
    "get",
    "list",
    "putitem",
    "query",
    "scan",
    "tagresource",
    "transact",
    "untagresource",
    "updateitem",
];

/// Whether a custom resource may make or change tables and what belongs to them: its type or its
/// properties name them.
fn may_make_tables(kind: &str, properties: &SourceNode) -> bool {
    let is_custom = kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource";
    if !is_custom || kind == "Custom::DynamoDBReplica" {
        return false;
    }
    let lower = kind.to_ascii_lowercase();
    let of_others = [
        "routetable",
        "glue",
        "athena",
        "redshift",
        "timestream",
        "rds",
        "bigquery",
    ];
    let by_type = ["dynamo", "ddb", "globaltable", "dax"]
        .iter()
        .any(|word| lower.contains(word))
        || lower.ends_with("table") && !of_others.iter().any(|word| lower.contains(word));
    let has_keys = ["KeySchema", "keySchema", "AttributeDefinitions"];
    let by_keys = has_keys.iter().any(|key| properties.get(key).is_some());
    by_type || by_keys || calls_tables(properties)
}

/// Whether the calls that a value describes, as those of the CDK's AwsCustomResource, make or change
/// what costs.
fn calls_tables(node: &SourceNode) -> bool {
    match &node.value {
        Value::Text(text) => {
            let text = text.to_ascii_lowercase().replace(' ', "");
            let services = [
                "dynamodb",
                "dax",
                "backup",
                "cloudformation",
                "applicationautoscaling",
            ];
            let names_service = services.iter().any(|service| {
                text.contains(&format!("\"service\":\"{service}\""))
                    || text.contains(&format!("client-{service}\""))
                    || text.contains("client-application-auto-scaling\"")
            });
            let action = text.split("\"action\":\"").nth(1);
            let is_harmless = action.is_some_and(|action| {
                let action = action.trim_end_matches("command");
                HARMLESS_CALLS.iter().any(|call| action.starts_with(call))
            });
            names_service && !is_harmless || text.contains("createtable")
        }
        Value::List(elements) => elements.iter().any(calls_tables),
        Value::Map(entries) => entries.iter().any(|(_, node)| calls_tables(node)),
        _ => false,
    }
}

/// Properties whose keys begin with capital letters, as in CloudFormation.
fn in_pascal_case(node: &SourceNode) -> SourceNode {
    let renamed = |name: &str| match name {
        "sseSpecification" => "SSESpecification".to_string(),
        "sseEnabled" => "SSEEnabled".to_string(),
        "sseType" => "SSEType".to_string(),
        "kmsMasterKeyId" => "KMSMasterKeyId".to_string(),
        "timeToLiveAttribute" => "TimeToLiveSpecification".to_string(),
        name => {
            let mut letters = name.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    };
    let value = match &node.value {
        Value::List(elements) => Value::List(elements.iter().map(in_pascal_case).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, node)| {
                    let key = NodeKey {
                        name: renamed(&key.name),
                        span: key.span.clone(),
                    };
                    (key, in_pascal_case(node))
                })
                .collect(),
        ),
        other => other.clone(),
    };
    SourceNode::new(value, node.span.clone())
}

/// The size limit of a nested template: CloudFormation takes 1 MB.
const TEMPLATE_BYTES_MAX: u64 = 4 << 20;

/// A file that lies beside another; `None` if there is none.
fn beside_file(source: &Source, path: &str) -> Option<Arc<Source>> {
    let is_url = path.contains("://") || Path::new(path).is_absolute();
    if is_url || source.name.starts_with('<') {
        return None;
    }
    let path = Path::new(&source.name).parent()?.join(path);
    let file = opened::open(&path).ok()?;
    let mut text = String::new();
    file.take(TEMPLATE_BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    Some(Source::new(path.to_string_lossy(), text))
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
