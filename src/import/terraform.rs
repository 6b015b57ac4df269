//! Terraform and OpenTofu plans as JSON (`terraform show -json`).
//!
//! A plan contains the values after the change in `planned_values` and each change with its state
//! before in `resource_changes`, so that one plan holds both designs. Blocks are lists of one
//! element. Values known only after apply are missing; references in the configuration show where
//! they come from. The region is that of a provider. Source: Terraform documentation, "JSON Output
//! Format"; the AWS provider's documentation.

use crate::table::Arn;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::draft::{
    Draft, Fields, IndexDraft, Origin, ReplicaDraft, Sourced, TableDraft, UnitsDraft, list, quoted,
};
use super::node::{SourceNode, Value, shown, wrong};
use super::scaling::{self, NOWHERE, ScalingTarget, ScheduledAction, Suspended};
use super::{Context, name_of, names_of};
use crate::diag::Source;

/// A resource of the design that is imported.
struct Resource<'a> {
    address: &'a str,
    kind: &'a str,
    values: &'a SourceNode,
    /// Its configuration, with the module that contains it.
    config: Option<Config<'a>>,
    origin: Origin,
    place: (Arc<Source>, Range<usize>),
    plan: &'a SourceNode,
}

/// A resource of the configuration.
struct Config<'a> {
    node: &'a SourceNode,
    /// The names of the enclosing modules, from the root.
    modules: Vec<String>,
    plan: &'a SourceNode,
}

impl Config<'_> {
    /// What an expression refers to, as addresses from the root: a module's variable is replaced by
    /// the argument of the module call.
    fn resolve(&self, expression: Option<&SourceNode>, modules: &[String]) -> Vec<String> {
        let references = expression
            .and_then(|expression| expression.get("references"))
            .map(SourceNode::elements)
            .unwrap_or_default();
        let prefix: String = modules
            .iter()
            .map(|name| format!("module.{name}."))
            .collect();
        let mut all = Vec::new();
        for reference in references.iter().filter_map(SourceNode::text) {
            if let Some((name, output)) = reference
                .strip_prefix("module.")
                .and_then(|rest| rest.split_once('.'))
            {
                // A module's attribute is the expression of its output.
                let (name, output) = (
                    plain_address(name),
                    output.split(['.', '[']).next().unwrap_or(output),
                );
                let inner = call(self.plan, modules, &name)
                    .and_then(|call| call.at(&["module", "outputs", output, "expression"]));
                let within: Vec<String> = modules.iter().cloned().chain([name]).collect();
                all.extend(self.resolve(inner, &within));
                continue;
            }
            let variable = reference
                .strip_prefix("var.")
                .map(|rest| rest.split(['.', '[']).next().unwrap_or(rest));
            match (variable, modules.split_last()) {
                (Some(variable), Some((own, above))) => {
                    let given = call(self.plan, above, own)
                        .and_then(|call| call.at(&["expressions", variable]));
                    all.extend(self.resolve(given, above));
                }
                _ => all.push(format!("{prefix}{reference}")),
            }
        }
        all
    }
}

/// The call of a module within the module that the names `above` lead to.
fn call<'a>(plan: &'a SourceNode, above: &[String], name: &str) -> Option<&'a SourceNode> {
    let root = plan.at(&["configuration", "root_module"])?;
    let module = above.iter().try_fold(root, |node, name| {
        node.at(&["module_calls", name, "module"])
    })?;
    module.at(&["module_calls", name])
}

impl Resource<'_> {
    /// A value with its comment and place.
    fn said(&self, key: &str, toml: impl Into<String>) -> Sourced {
        let place = self
            .values
            .get(key)
            .map(|node| (self.place.0.clone(), node.span.clone()));
        Sourced::new(
            toml,
            format!("{}: {key}", self.address),
            place.or_else(|| self.origin.clone()),
        )
    }

    /// A number as written.
    fn number(
        &self,
        node: &SourceNode,
        key: &str,
        problems: &mut Vec<crate::diag::Diagnostic>,
    ) -> Option<Sourced> {
        let value = node.get(key)?;
        let Some(text) = value.scalar().filter(|text| {
            crate::units::Exact::parse(text).is_some_and(|number| !number.is_negative())
        }) else {
            let help = "this is not a plan as Terraform writes it; create it again with \
                        `terraform show -json`";
            problems.push(wrong(
                &self.place.0,
                value.span.clone(),
                "wrong-type",
                format!("`{key}` must be a number, found {}", value.kind()),
                help,
            ));
            return None;
        };
        Some(Sourced::new(
            text.into_owned(),
            format!("{}: {key}", self.address),
            Some((self.place.0.clone(), value.span.clone())),
        ))
    }

    /// What a key refers to in the configuration, as addresses of the same plan.
    fn references(&self, key: &str) -> Vec<String> {
        let Some(config) = &self.config else {
            return Vec::new();
        };
        config.resolve(config.node.at(&["expressions", key]), &config.modules)
    }

    /// A text, or the address that it refers to, for a resource whose name is known only after
    /// apply.
    fn text_or_reference(&self, key: &str) -> Option<String> {
        match self.values.text_at(key) {
            Some(text) => Some(text.to_string()),
            None => self
                .references(key)
                .into_iter()
                .find(|one| one.contains("aws_dynamodb_"))
                .map(|one| address_of(&one)),
        }
    }

    /// The planned change of the resource, if any.
    fn change(&self) -> Option<&SourceNode> {
        let changes = self.plan.get("resource_changes")?.elements();
        changes
            .iter()
            .find(|change| change.text_at("address") == Some(self.address))
    }

    /// Whether the plan creates it: then all known values come from the configuration.
    fn is_created(&self) -> bool {
        let actions = self
            .change()
            .and_then(|change| change.at(&["change", "actions"]))
            .map(SourceNode::elements)
            .unwrap_or_default();
        actions.iter().any(|action| action.text() == Some("create"))
    }

    /// What an expression refers to, distinguished from what other instances of the resource and
    /// its modules refer to. `None` if it contains only variables, whose values are in the plan if
    /// they have any.
    fn own_reference(&self, expression: &SourceNode) -> Option<String> {
        let config = self.config.as_ref()?;
        let all: Vec<String> = config.resolve(Some(expression), &config.modules);
        let is_instance = |one: &str| one.contains("each.") || one.contains("count.");
        let own: String = config
            .modules
            .iter()
            .map(|name| format!("module.{name}."))
            .collect();
        let keys = instance_keys(self.address).join(",");
        let by_instance = all.iter().any(|one| is_instance(one));
        let first = all
            .iter()
            .find(|one| !is_instance(one) && !one.starts_with("var."));
        match first {
            None if by_instance => Some(self.address.to_string()),
            None => None,
            Some(first) if by_instance || !own.is_empty() && first.starts_with(&own) => {
                Some(format!("{first} of {keys}"))
            }
            Some(first) => Some(first.clone()),
        }
    }
}

/// The position of the address that a name refers to: an exact match, or else a match without
/// instance keys.
fn meant<'a>(
    addresses: impl Iterator<Item = &'a str> + Clone,
    name: &str,
    of: &str,
) -> Option<usize> {
    if let Some(exact) = addresses.clone().position(|address| address == name) {
        return Some(exact);
    }
    let plain = plain_address(name);
    let same: Vec<(usize, &str)> = addresses
        .enumerate()
        .filter(|(_, address)| plain_address(address) == plain)
        .collect();
    nearest(same.iter().map(|(_, address)| *address), of).map(|at| same[at].0)
}

/// The resource address in a reference, without the attribute.
fn address_of(reference: &str) -> String {
    let mut parts = Vec::new();
    let mut left = usize::MAX;
    for part in reference.split('.') {
        parts.push(part);
        if part.starts_with("aws_") && left == usize::MAX {
            left = 1;
        } else if left != usize::MAX {
            left -= 1;
        }
        if left == 0 {
            break;
        }
    }
    parts.join(".")
}

/// An address without instance keys: `module.a["x"].aws_dynamodb_table.t[0]` is
/// `module.a.aws_dynamodb_table.t`.
fn plain_address(address: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0_usize;
    let mut quoted = false;
    for c in address.chars() {
        match c {
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], context: Context) -> Draft {
    let mut draft = Draft {
        made_of: format!("the Terraform plan {}", names_of(documents)),
        missing: "not in a plan",
        ..Draft::default()
    };
    let mut resources: Vec<Resource> = Vec::new();
    let before = context.before;
    for (source, plan) in documents {
        resources.extend(if before {
            resources_before(source, plan)
        } else {
            resources_after(source, plan)
        });
    }
    let name = name_of(documents);
    draft
        .head
        .set("name", Sourced::text(&name, "the name of the file", None));
    let regions: Vec<(String, Option<String>)> = resources
        .iter()
        .map(|one| {
            (
                one.address.to_string(),
                region_of(one).map(|(region, _)| region),
            )
        })
        .collect();
    // An existing resource has a region in its ARN; resources with the same provider are in the
    // same region.
    let told = resources
        .iter()
        .zip(&regions)
        .filter(|(_, (_, region))| region.is_some());
    let placed: BTreeSet<Option<&str>> = told.map(|(resource, _)| provider_of(resource)).collect();
    let is_asked =
        context.region.is_some() || context.usage.is_some_and(|usage| usage.region().is_some());
    let home = home(&resources, &mut draft, &context);
    let home = match home {
        Ok(home) => home,
        Err(problem) => {
            context.problems.push(*problem);
            return draft;
        }
    };
    // If no table is in the home region, the whole design is priced as if it were moved there.
    let moved = !regions.iter().any(|(_, region)| *region == home);
    let here = |resource: &Resource| {
        let own = regions
            .iter()
            .find(|(address, _)| address == resource.address)
            .and_then(|(_, region)| region.as_deref());
        moved || home.is_none() || own.is_none() || own == home.as_deref()
    };
    let problems = context.problems;
    let mut targets: Vec<ScalingTarget> = Vec::new();
    let mut keys: BTreeMap<String, ()> = BTreeMap::new();
    for resource in resources
        .iter()
        .filter(|one| one.kind == "aws_dynamodb_table")
    {
        if here(resource) {
            let mut table = table(resource, &mut keys, before, problems);
            if let Some(table) = table.as_mut().filter(|_| !before) {
                not_planned(resource, table);
            }
            let is_told = is_asked || placed.contains(&provider_of(resource));
            if let Some(table) = table.as_mut().filter(|_| !is_told && !placed.is_empty()) {
                table.unpriced.push(Sourced::new(
                    quoted("its region, which the plan does not contain"),
                    resource.address,
                    resource.origin.clone(),
                ));
            }
            draft.tables.extend(table);
        } else {
            draft.notes.push(format!(
                "{}: is in another region and was ignored; import it separately with --region",
                resource.address
            ));
        }
    }
    // Indexes and replicas first, so that resources that refer to them find them.
    let is_part = |kind: &str| {
        matches!(
            kind,
            "aws_dynamodb_global_secondary_index"
                | "aws_dynamodb_table_replica"
                | "aws_dynamodb_global_table"
        )
    };
    let (parts, others): (Vec<&Resource>, Vec<&Resource>) =
        resources.iter().partition(|one| is_part(one.kind));
    for resource in parts.into_iter().chain(others) {
        match resource.kind {
            "aws_dynamodb_table" => {}
            kind if kind.starts_with("awscc_") => {
                draft.notes.push(format!(
                    "{}: tables of the provider awscc are not supported; describe them in a \
                     workload file",
                    resource.address
                ));
            }
            "aws_dynamodb_global_secondary_index" if here(resource) => {
                own_index(resource, &mut draft, problems)
            }
            "aws_dynamodb_table_replica" => own_replica(resource, &mut draft, &mut keys),
            "aws_dynamodb_global_table" => global_table(resource, &mut draft, home.as_deref()),
            "aws_dynamodb_kinesis_streaming_destination" if here(resource) => {
                with_table(resource, "table_name", &mut draft, |table, resource| {
                    table
                        .block("stream")
                        .set("kinesis", resource.said("table_name", "true"));
                });
            }
            "aws_dynamodb_contributor_insights" => insights(resource, &mut draft, here(resource)),
            "aws_dynamodb_table_export" if here(resource) => {
                with_table(resource, "table_arn", &mut draft, |table, resource| {
                    let words = format!(
                        "an export to S3 each time that {} is created",
                        resource.address
                    );
                    table
                        .unpriced
                        .push(resource.said("table_arn", quoted(&words)));
                });
            }
            "aws_dax_cluster" if here(resource) => dax(resource, &mut draft, problems),
            "aws_dynamodb_kinesis_streaming_destination" => {
                with_table(resource, "table_name", &mut draft, |table, resource| {
                    let words = format!(
                        "change data capture to Kinesis in another region ({})",
                        resource.address
                    );
                    table
                        .unpriced
                        .push(resource.said("table_name", quoted(&words)));
                });
            }
            "aws_appautoscaling_target"
            | "aws_appautoscaling_policy"
            | "aws_appautoscaling_scheduled_action" => {
                let elsewhere = if here(resource) {
                    None
                } else {
                    region_of(resource).map(|(region, _)| region)
                };
                scaled(resource, elsewhere, &resources, &mut targets, problems);
            }
            "aws_dax_cluster" => {
                let region = region_of(resource)
                    .map(|(region, _)| region)
                    .unwrap_or_default();
                let words = format!("the DAX cluster {} in {region}", resource.address);
                match draft.tables.iter_mut().find(|table| {
                    table
                        .replicas
                        .iter()
                        .any(|replica| replica.region.plain() == region)
                }) {
                    Some(table) => table
                        .unpriced
                        .push(resource.said("node_type", quoted(&words))),
                    None => draft.notes.push(format!(
                        "{}: is in another region and was ignored; import it separately with \
                         --region",
                        resource.address
                    )),
                }
            }
            "aws_dynamodb_global_secondary_index" | "aws_dynamodb_table_export" => {
                draft.notes.push(format!(
                    "{}: is in another region and was ignored; import it separately with --region",
                    resource.address
                ));
            }
            _ => {}
        }
    }
    let notes = scaling::join(targets, &mut draft.tables);
    draft.notes.extend(notes);
    for (source, plan) in documents {
        if plan.get("errored").and_then(SourceNode::truth) == Some(true) {
            draft.notes.push(format!(
                "{}: Terraform stopped with an error, so the plan is incomplete",
                source.name
            ));
        }
        for deferred in plan
            .get("deferred_changes")
            .map(SourceNode::elements)
            .unwrap_or_default()
        {
            let address = deferred
                .at(&["resource_change", "address"])
                .and_then(SourceNode::text)
                .unwrap_or("a resource");
            draft.notes.push(format!(
                "{address}: is deferred to a later plan and was ignored"
            ));
        }
        for change in plan
            .get("resource_changes")
            .map(SourceNode::elements)
            .unwrap_or_default()
        {
            let forgotten = change.at(&["change", "actions"]).is_some_and(|actions| {
                actions
                    .elements()
                    .iter()
                    .any(|one| one.text() == Some("forget"))
            });
            if forgotten && change.text_at("type") == Some("aws_dynamodb_table") && !before {
                let address = change.text_at("address").unwrap_or_default();
                draft.notes.push(format!(
                    "{address}: is no longer managed by Terraform and was ignored; the table \
                     still exists and costs money"
                ));
            }
        }
    }
    draft
}

/// Every managed resource in the design after the change.
fn resources_after<'a>(source: &Arc<Source>, plan: &'a SourceNode) -> Vec<Resource<'a>> {
    let mut all = Vec::new();
    let root = plan
        .at(&["planned_values", "root_module"])
        .or_else(|| plan.at(&["values", "root_module"]));
    if let Some(root) = root {
        module(source, plan, root, &mut all);
    }
    all
}

fn module<'a>(
    source: &Arc<Source>,
    plan: &'a SourceNode,
    node: &'a SourceNode,
    all: &mut Vec<Resource<'a>>,
) {
    for resource in node
        .get("resources")
        .map(SourceNode::elements)
        .unwrap_or_default()
    {
        let Some(values) = resource.get("values") else {
            continue;
        };
        all.extend(self::resource(source, plan, resource, values));
    }
    for child in node
        .get("child_modules")
        .map(SourceNode::elements)
        .unwrap_or_default()
    {
        module(source, plan, child, all);
    }
}

fn resource<'a>(
    source: &Arc<Source>,
    plan: &'a SourceNode,
    node: &'a SourceNode,
    values: &'a SourceNode,
) -> Option<Resource<'a>> {
    if node.text_at("mode") == Some("data") {
        return None;
    }
    let (address, kind) = (node.text_at("address")?, node.text_at("type")?);
    if ![
        "aws_dynamodb_",
        "aws_dax_",
        "aws_appautoscaling_",
        "awscc_dynamodb_",
    ]
    .iter()
    .any(|start| kind.starts_with(start))
    {
        return None;
    }
    let place = (
        source.clone(),
        node.get("address")
            .map_or(node.span.clone(), |node| node.span.clone()),
    );
    Some(Resource {
        address,
        kind,
        values,
        config: config_of(plan, address),
        origin: Some(place.clone()),
        place,
        plan,
    })
}

/// Every managed resource before the change: from the change's prior state, or unchanged.
fn resources_before<'a>(source: &Arc<Source>, plan: &'a SourceNode) -> Vec<Resource<'a>> {
    let changes = plan
        .get("resource_changes")
        .map(SourceNode::elements)
        .unwrap_or_default();
    let mut all: Vec<Resource> = Vec::new();
    for change in changes {
        // Skip deposed objects: leftovers of a replacement that the next apply deletes.
        if let Some(values) = change
            .at(&["change", "before"])
            .filter(|_| change.get("deposed").is_none())
        {
            all.extend(resource(source, plan, change, values));
        }
    }
    let listed = |address: &str| {
        changes
            .iter()
            .any(|change| change.text_at("address") == Some(address))
    };
    all.extend(
        resources_after(source, plan)
            .into_iter()
            .filter(|one| !listed(one.address)),
    );
    all
}

/// The configuration of a resource, found through the module calls in its address.
fn config_of<'a>(plan: &'a SourceNode, address: &str) -> Option<Config<'a>> {
    let mut node = plan.at(&["configuration", "root_module"])?;
    let plain = plain_address(address);
    let mut rest = plain.as_str();
    let mut modules = Vec::new();
    while let Some(inner) = rest.strip_prefix("module.") {
        let (name, after) = inner.split_once('.')?;
        node = node.at(&["module_calls", name, "module"])?;
        modules.push(name.to_string());
        rest = after;
    }
    let of_address = |node: &&SourceNode| node.text_at("address") == Some(rest);
    let node = node.get("resources")?.elements().iter().find(of_address)?;
    Some(Config {
        node,
        modules,
        plan,
    })
}

/// The provider of a resource, by its key in the configuration.
fn provider_of<'a>(resource: &Resource<'a>) -> Option<&'a str> {
    resource
        .config
        .as_ref()?
        .node
        .text_at("provider_config_key")
}

/// The region of a resource: its own argument, that of its provider, or that in its ARN.
fn region_of(resource: &Resource) -> Option<(String, Sourced)> {
    if let Some(region) = resource.values.text_at("region") {
        return Some((region.to_string(), resource.said("region", quoted(region))));
    }
    let by_provider = || {
        let config = resource.config.as_ref()?;
        let key = config.node.text_at("provider_config_key").unwrap_or("aws");
        provider_region(config.plan, key, &resource.place.0).or_else(|| {
            // A provider in a module is prefixed with the module: `module.a:aws`.
            key.rsplit_once(':')
                .and_then(|(_, key)| provider_region(config.plan, key, &resource.place.0))
        })
    };
    // An existing resource has its region in its ARN.
    let by_arn = || {
        let arn = resource.values.text_at("arn")?;
        let region = Arn::of(arn).region()?;
        Some((region.to_string(), resource.said("arn", quoted(region))))
    };
    by_provider().or_else(by_arn)
}

fn provider_region(
    plan: &SourceNode,
    key: &str,
    source: &Arc<Source>,
) -> Option<(String, Sourced)> {
    let provider = plan.at(&["configuration", "provider_config", key])?;
    let region = provider.at(&["expressions", "region"])?;
    let constant = |region: &'_ SourceNode| {
        region.get("constant_value").and_then(|node| {
            node.text()
                .map(|text| (text.to_string(), node.span.clone()))
        })
    };
    // A plan shows what an expression refers to, not how it is evaluated: use it only if it is a
    // single variable whose value is a region.
    let variable = |region: &SourceNode| -> Option<String> {
        let [reference] = region.get("references")?.elements() else {
            return None;
        };
        reference.text()?.strip_prefix("var.").map(str::to_string)
    };
    let of_root = |name: &str| {
        let node = plan.at(&["variables", name, "value"])?;
        node.text()
            .filter(|text| is_region(text))
            .map(|text| (text.to_string(), node.span.clone()))
    };
    // A variable in a module has the value of the module call's argument.
    let modules: Vec<String> = provider
        .text_at("module_address")
        .map(plain_address)
        .unwrap_or_default()
        .split('.')
        .skip(1)
        .step_by(2)
        .map(str::to_string)
        .collect();
    let by_variable = || {
        let name = variable(region)?;
        let Some((own, above)) = modules.split_last() else {
            return of_root(&name);
        };
        let given = call(plan, above, own)?.at(&["expressions", name.as_str()])?;
        constant(given).or_else(|| of_root(&variable(given)?))
    };
    let (text, span) = constant(region).or_else(by_variable)?;
    Some((
        text.clone(),
        Sourced::text(
            &text,
            format!("the region of the provider {key}"),
            Some((source.clone(), span)),
        ),
    ))
}

/// Whether a text is the name of a region, such as `us-east-1` or `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some((number, words)), true) = (parts.split_last(), parts.len() >= 3) else {
        return false;
    };
    number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.is_empty()
        && words
            .iter()
            .all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The home region: the given one, or else that of the tables.
fn home(
    resources: &[Resource],
    draft: &mut Draft,
    context: &Context,
) -> Result<Option<String>, Box<crate::diag::Diagnostic>> {
    let mut found: BTreeMap<String, (&Resource, Sourced)> = BTreeMap::new();
    for resource in resources
        .iter()
        .filter(|one| one.kind == "aws_dynamodb_table")
    {
        if let Some((region, said)) = region_of(resource) {
            found.entry(region).or_insert((resource, said));
        }
    }
    let asked = context
        .region
        .map(str::to_string)
        .or_else(|| context.usage.and_then(|usage| usage.region()));
    let several = found.len() > 1
        && asked
            .as_ref()
            .is_none_or(|asked| !found.contains_key(asked));
    if let (true, Some((resource, _))) = (several, found.values().next_back()) {
        let list = found.keys().cloned().collect::<Vec<_>>().join(", ");
        let message = format!("the plan has tables in several regions: {list}");
        let help =
            "a workload has one region: choose one with --region, and import the others separately";
        return Err(Box::new(wrong(
            &resource.place.0,
            resource.place.1.clone(),
            "region",
            message,
            help,
        )));
    }
    let said = match (&asked, found.values().next()) {
        (Some(asked), _) => Sourced::text(asked, "from --region or the usage file", None),
        (None, Some((_, said))) => said.clone(),
        (None, None) => match context.fallback {
            Some(region) => {
                Sourced::text(region, "the region of the design after the change", None)
            }
            None => return Ok(None),
        },
    };
    let home = said.plain();
    draft.head.set("region", said);
    Ok(Some(home))
}

/// Runs `act` on the table that a resource names; adds a note if the table is not in the plan. If
/// it is unknown which table is named, the resource becomes unpriced.
fn with_table(
    resource: &Resource,
    key: &str,
    draft: &mut Draft,
    act: impl FnOnce(&mut TableDraft, &Resource),
) {
    let Some(named) = resource.text_or_reference(key) else {
        let words = format!(
            "{}: cannot determine which table it belongs to",
            resource.address
        );
        match draft.tables.first_mut() {
            Some(table) => table.unpriced.push(resource.said(key, quoted(&words))),
            None => draft.notes.push(words),
        }
        return;
    };
    let name = Arn::of(&named).table();
    let address = |table: &TableDraft| table.ids.first().cloned().unwrap_or_default();
    let plain = plain_address(name);
    let mut of_name: Vec<&mut TableDraft> = draft
        .tables
        .iter_mut()
        .filter(|table| table.is(name) || table.is(&plain))
        .collect();
    let addresses: Vec<String> = of_name.iter().map(|table| address(table)).collect();
    let by_name = of_name.iter().position(|table| table.label == name);
    let at =
        by_name.or_else(|| meant(addresses.iter().map(String::as_str), name, resource.address));
    match at {
        Some(at) => act(of_name.swap_remove(at), resource),
        None if addresses.len() > 1 => {
            draft.notes.push(format!(
                "{}: cannot determine which of {} it belongs to; ignored",
                resource.address,
                addresses.join(", ")
            ));
        }
        None => draft.notes.push(format!(
            "{}: its table ({name}) is not in this plan; ignored",
            resource.address
        )),
    }
}

/// The instance keys in an address: `x` and `0` of `module.a["x"].aws_dynamodb_table.t[0]`.
fn instance_keys(address: &str) -> Vec<String> {
    let keyed = address
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split(']').next());
    keyed.map(|key| key.trim_matches('"').to_string()).collect()
}

/// The position of the address that belongs to `of`: the only one, or else the one with the same
/// instance keys; `None` if there is none or more than one.
fn nearest<'a>(addresses: impl Iterator<Item = &'a str>, of: &str) -> Option<usize> {
    let addresses: Vec<&str> = addresses.collect();
    if addresses.len() <= 1 {
        return (!addresses.is_empty()).then_some(0);
    }
    let own = instance_keys(of);
    // The instance keys of modules come first; a resource with `count` or `for_each` adds its own.
    let mut same = addresses.iter().enumerate().filter(|(_, address)| {
        let keys = instance_keys(address);
        !own.is_empty()
            && (keys == own || keys.starts_with(&own) || own.starts_with(&keys) && !keys.is_empty())
    });
    match (same.next(), same.next()) {
        (Some((at, _)), None) => Some(at),
        _ => None,
    }
}

fn table(
    resource: &Resource,
    keys: &mut BTreeMap<String, ()>,
    before: bool,
    problems: &mut Vec<crate::diag::Diagnostic>,
) -> Option<TableDraft> {
    let values = resource.values;
    let (name, known) = match values.text_at("name") {
        Some(name) => (name, true),
        None => (resource.address, false),
    };
    let note = if known {
        format!("{}: name", resource.address)
    } else {
        "the name is known only after apply; this is the resource address".to_string()
    };
    let origin = values
        .get("name")
        .map(|node| (resource.place.0.clone(), node.span.clone()))
        .or_else(|| resource.origin.clone());
    let ids = vec![
        resource.address.to_string(),
        plain_address(resource.address),
    ];
    let mut table = TableDraft::new(Sourced::text(name, note, origin), ids);
    match values.text_at("table_class") {
        Some("STANDARD_INFREQUENT_ACCESS") => table
            .fields
            .set("class", resource.said("table_class", "\"standard-ia\"")),
        Some("STANDARD") => table
            .fields
            .set("class", resource.said("table_class", "\"standard\"")),
        _ => {}
    }
    let types = values
        .get("attribute")
        .map(SourceNode::elements)
        .unwrap_or_default();
    let key = |name: &str| key_of(types, name);
    match values.text_at("hash_key") {
        Some(hash) => table
            .fields
            .set("partition_key", resource.said("hash_key", key(hash))),
        None if values.get("restore_source_name").is_some()
            || values.get("restore_source_table_arn").is_some() => {}
        None => {
            let help = "this is not a plan as Terraform writes it; create it again with \
                        `terraform show -json`";
            problems.push(wrong(
                &resource.place.0,
                resource.place.1.clone(),
                "missing-key",
                format!("{} has no hash_key", resource.address),
                help,
            ));
            return None;
        }
    }
    if let Some(range) = values.text_at("range_key") {
        table
            .fields
            .set("sort_key", resource.said("range_key", key(range)));
    }
    // The default of billing_mode is PROVISIONED.
    let mode = values.text_at("billing_mode").unwrap_or("PROVISIONED");
    let on_demand = mode == "PAY_PER_REQUEST";
    let mode_said = if values.get("billing_mode").is_some() {
        resource.said(
            "billing_mode",
            if on_demand {
                "\"on-demand\""
            } else {
                "\"provisioned\""
            },
        )
    } else {
        Sourced::new(
            "\"provisioned\"",
            format!(
                "{}: no billing_mode, which means PROVISIONED",
                resource.address
            ),
            resource.origin.clone(),
        )
    };
    table.capacity.set("mode", mode_said);
    if on_demand {
        maximum(resource, values, &mut table.capacity, problems);
    } else {
        table.read.fixed = resource.number(values, "read_capacity", problems);
        table.write.fixed = resource.number(values, "write_capacity", problems);
    }
    for index in values
        .get("global_secondary_index")
        .map(SourceNode::elements)
        .unwrap_or_default()
    {
        table
            .indexes
            .extend(index_of(resource, index, true, on_demand, problems));
    }
    for index in values
        .get("local_secondary_index")
        .map(SourceNode::elements)
        .unwrap_or_default()
    {
        let mut local = index_of(resource, index, false, on_demand, problems);
        if let (Some(local), Some(hash)) = (&mut local, values.text_at("hash_key")) {
            local.fields.0.insert(
                0,
                (
                    "partition_key".to_string(),
                    resource.said("hash_key", quoted(hash)),
                ),
            );
        }
        table.indexes.extend(local);
    }
    features(resource, &mut table, keys, before);
    for replica in values
        .get("replica")
        .map(SourceNode::elements)
        .unwrap_or_default()
    {
        let Some(region) = replica.text_at("region_name") else {
            continue;
        };
        let place = Some((resource.place.0.clone(), replica.span.clone()));
        let mut draft = replica_of(Sourced::text(
            region,
            format!("{}: replica", resource.address),
            place.clone(),
        ));
        if replica
            .get("point_in_time_recovery")
            .and_then(SourceNode::truth)
            == Some(true)
        {
            draft.fields.set(
                "pitr",
                Sourced::new("true", "point_in_time_recovery", place.clone()),
            );
        }
        if let Some(key) = replica.text_at("kms_key_arn").filter(|key| !key.is_empty()) {
            also_encrypted(
                &mut table,
                key,
                Sourced::new(
                    "1",
                    format!("{}: the KMS key in {region}", resource.address),
                    place.clone(),
                ),
                keys,
            );
        }
        if replica.text_at("consistency_mode") == Some("STRONG") {
            table.fields.set(
                "multi_region_consistency",
                Sourced::new("\"strong\"", "consistency_mode", place),
            );
        }
        table.replicas.push(draft);
    }
    if let Some((witness, region)) = values
        .block("global_table_witness")
        .and_then(|node| Some((node, node.text_at("region_name")?)))
    {
        let place = Some((resource.place.0.clone(), witness.span.clone()));
        let mut draft = replica_of(Sourced::text(
            region,
            format!("{}: global_table_witness", resource.address),
            place.clone(),
        ));
        draft.fields.set("witness", Sourced::new("true", "", place));
        table.replicas.push(draft);
    }
    Some(table)
}

/// Adds the settings of a table that are known only after apply and affect its cost as unpriced.
fn not_planned(resource: &Resource, table: &mut TableDraft) {
    let Some(unknown) = resource
        .change()
        .and_then(|change| change.at(&["change", "after_unknown"]))
    else {
        return;
    };
    fn holds_true(node: &SourceNode) -> bool {
        match &node.value {
            Value::Bool(truth) => *truth,
            Value::List(elements) => elements.iter().any(holds_true),
            Value::Map(entries) => entries.iter().any(|(key, node)| {
                !matches!(key.name.as_str(), "kms_key_arn" | "arn" | "stream_arn")
                    && holds_true(node)
            }),
            _ => false,
        }
    }
    for key in [
        "global_secondary_index",
        "local_secondary_index",
        "replica",
        "point_in_time_recovery",
        "stream_enabled",
        "table_class",
        "server_side_encryption",
        "billing_mode",
        "ttl",
    ] {
        // Attributes that AWS computes for each index or replica are not settings: count only a
        // block that is unknown as a whole, or an unknown on/off switch. Settings that are not
        // configured have AWS's default, which the plan of a new table does not show.
        let configured = resource
            .config
            .as_ref()
            .is_none_or(|config| config.node.at(&["expressions", key]).is_some());
        // `dynamic` blocks do not appear in the configuration.
        let found = unknown.get(key).filter(|node| match key {
            "global_secondary_index" | "local_secondary_index" | "replica" => {
                node.truth() == Some(true)
            }
            _ => holds_true(node) && (configured || matches!(node.value, Value::List(_))),
        });
        if let Some(node) = found {
            let origin = Some((resource.place.0.clone(), node.span.clone()));
            table.unpriced.push(Sourced::new(
                quoted(&format!("{key}: known only after apply")),
                resource.address,
                origin,
            ));
        }
    }
}

fn replica_of(region: Sourced) -> ReplicaDraft {
    ReplicaDraft {
        region,
        fields: Fields::default(),
        read: UnitsDraft::default(),
        indexes: Vec::new(),
        access: Vec::new(),
    }
}

/// Adds Time to Live, recovery, streams, encryption, and features that a workload cannot describe.
fn features(
    resource: &Resource,
    table: &mut TableDraft,
    keys: &mut BTreeMap<String, ()>,
    before: bool,
) {
    let values = resource.values;
    if let Some(ttl) = values
        .block("ttl")
        .filter(|ttl| ttl.get("enabled").and_then(SourceNode::truth) == Some(true))
    {
        let attribute = ttl
            .text_at("attribute_name")
            .unwrap_or_default()
            .to_string();
        let note = format!(
            "{}: ttl on {attribute}; how many items expire? {{ per_day = 1000 }}",
            resource.address
        );
        table.block("ttl").set(
            "deletes",
            Sourced {
                note,
                ..resource.said("ttl", super::draft::UNKNOWN)
            },
        );
    }
    if let Some(pitr) = values
        .block("point_in_time_recovery")
        .filter(|pitr| pitr.get("enabled").and_then(SourceNode::truth) == Some(true))
    {
        let days = pitr
            .get("recovery_period_in_days")
            .and_then(SourceNode::scalar)
            .map(|days| format!(", {days} days (the price does not depend on it)"));
        let note = format!(
            "{}: point_in_time_recovery{}",
            resource.address,
            days.unwrap_or_default()
        );
        table.block("backup").set(
            "pitr",
            Sourced {
                note,
                ..resource.said("point_in_time_recovery", "true")
            },
        );
    }
    if values.get("stream_enabled").and_then(SourceNode::truth) == Some(true) {
        let view = values
            .text_at("stream_view_type")
            .unwrap_or("NEW_AND_OLD_IMAGES")
            .to_lowercase()
            .replace('_', "-");
        let said = resource.said("stream_view_type", quoted(&view));
        let stream = table.block("stream");
        stream.set("view", said);
        stream.set(
            "readers",
            Sourced::unknown(
                "not in a plan: who reads it? { lambda = 1 } is free, { polling = 1 } is charged",
            ),
        );
    }
    if let Some(encryption) = values
        .block("server_side_encryption")
        .filter(|one| one.get("enabled").and_then(SourceNode::truth) == Some(true))
    {
        let said = resource.said("server_side_encryption", "1");
        // A table's state contains the ARN even of an AWS managed key; the configuration names only
        // customer managed keys.
        let block = resource
            .config
            .as_ref()
            .and_then(|config| config.node.at(&["expressions", "server_side_encryption"]));
        let written = resource
            .config
            .as_ref()
            .map(|_| block.and_then(|blocks| blocks.elements().first()?.get("kms_key_arn")));
        let known = encryption
            .text_at("kms_key_arn")
            .filter(|arn| !arn.is_empty())
            .map(str::to_string);
        // A value that is present but empty means no customer managed key, even if an expression
        // could set one.
        let is_empty = known.is_none()
            && encryption
                .entries()
                .iter()
                .any(|(key, _)| key.name == "kms_key_arn");
        let key = match written {
            _ if is_empty => None,
            // `dynamic` blocks, and blocks from before the change, are not in the configuration.
            _ if before || block.is_none() => known,
            Some(Some(expression)) => known.or_else(|| resource.own_reference(expression)),
            Some(None) => None,
            None => known,
        };
        encrypted(table, key.as_deref(), said, keys);
    }
    if values
        .get("import_table")
        .is_some_and(|node| !node.elements().is_empty())
    {
        let what = quoted("an import from S3 when the table is created");
        table.unpriced.push(Sourced {
            note: String::new(),
            ..resource.said("import_table", what)
        });
    }
    // Every table has some free warm throughput, which its state shows; only the configuration
    // shows what is purchased.
    let of_index = |node: &SourceNode| {
        node.get("global_secondary_index")
            .is_some_and(|blocks| blocks.elements().iter().any(is_warm))
    };
    if said_or_new(resource).any(|node| is_warm(node) || of_index(node)) {
        let what = quoted("purchased warm throughput");
        table.unpriced.push(Sourced {
            note: String::new(),
            ..resource.said("warm_throughput", what)
        });
    }
    let restored = [
        "restore_source_name",
        "restore_source_table_arn",
        "restore_backup_arn",
    ];
    if let Some(key) = restored
        .into_iter()
        .find(|key| values.get(key).is_some())
        .filter(|_| resource.is_created())
    {
        let what = quoted("a restore when the table is created, charged per GB");
        table.unpriced.push(Sourced {
            note: String::new(),
            ..resource.said(key, what)
        });
    }
}

/// The nodes that contain explicit settings: the configuration, and the values of resources that
/// the plan creates.
fn said_or_new<'a>(resource: &'a Resource) -> impl Iterator<Item = &'a SourceNode> {
    let written = resource
        .config
        .as_ref()
        .and_then(|config| config.node.get("expressions"));
    written
        .into_iter()
        .chain(Some(resource.values).filter(|_| resource.is_created()))
}

fn is_warm(node: &SourceNode) -> bool {
    node.get("warm_throughput")
        .is_some_and(|warm| !warm.elements().is_empty() || !warm.entries().is_empty())
}

/// A key is charged to the first table that names it; for an AWS managed key only requests are
/// charged.
pub(super) fn encrypted(
    table: &mut TableDraft,
    key: Option<&str>,
    said: Sourced,
    keys: &mut BTreeMap<String, ()>,
) {
    let (count, words) = match key {
        None => (
            "0",
            "; an AWS managed key has no monthly price, but its requests are charged",
        ),
        Some(arn) if keys.insert(arn.to_string(), ()).is_some() => {
            ("0", "; the same key is already charged to another table")
        }
        Some(_) => ("1", ""),
    };
    let note = format!("{}{words}", said.note);
    table.block("encryption").set(
        "keys",
        Sourced {
            toml: count.to_string(),
            note,
            ..said
        },
    );
}

/// Adds the key of a replica: each region has its own key with its own price.
pub(super) fn also_encrypted(
    table: &mut TableDraft,
    key: &str,
    said: Sourced,
    keys: &mut BTreeMap<String, ()>,
) {
    if keys.insert(key.to_string(), ()).is_some() {
        return;
    }
    let known = table.block("encryption").get("keys").cloned();
    let count = known
        .as_ref()
        .and_then(|known| known.toml.parse::<u64>().ok())
        .unwrap_or(0)
        + 1;
    let note = known.map_or(said.note.clone(), |known| {
        format!("{}; {}", known.note, said.note)
    });
    table.block("encryption").set(
        "keys",
        Sourced {
            toml: count.to_string(),
            note,
            ..said
        },
    );
}

/// The maximum throughput of an on-demand table or index; -1 means no maximum.
fn maximum(
    resource: &Resource,
    node: &SourceNode,
    fields: &mut Fields,
    problems: &mut Vec<crate::diag::Diagnostic>,
) {
    let Some(block) = node.block("on_demand_throughput") else {
        return;
    };
    for (key, name) in [
        ("max_read_request_units", "max_read"),
        ("max_write_request_units", "max_write"),
    ] {
        let limited = block
            .get(key)
            .and_then(SourceNode::scalar)
            .is_some_and(|text| text != "-1" && text != "0");
        if limited {
            fields.set_some(name, resource.number(block, key, problems));
        }
    }
}

/// A key attribute with its type.
fn key_of(types: &[SourceNode], name: &str) -> String {
    let of_name = |node: &&SourceNode| node.text_at("name") == Some(name);
    let kind = types
        .iter()
        .find(of_name)
        .and_then(|node| node.text_at("type"))
        .filter(|kind| ["S", "N", "B"].contains(kind));
    match kind {
        Some(kind) => format!("{{ name = {}, type = {} }}", quoted(name), quoted(kind)),
        None => format!("{{ name = {} }}", quoted(name)),
    }
}

/// The projection of an index, from its type and attributes.
pub(super) fn projection(kind: &str, attributes: &[String]) -> Option<String> {
    match kind {
        "ALL" => Some("\"all\"".to_string()),
        "KEYS_ONLY" => Some("\"keys-only\"".to_string()),
        "INCLUDE" => {
            let names: Vec<String> = attributes.iter().map(|name| quoted(name)).collect();
            Some(format!("{{ include = [{}] }}", names.join(", ")))
        }
        _ => None,
    }
}

fn texts(node: Option<&SourceNode>) -> Vec<String> {
    node.map(SourceNode::elements)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| node.text().map(str::to_string))
        .collect()
}

/// The key attributes of an index of one key type.
fn keys_of(index: &SourceNode, single: &str, several: &str, kind: &str) -> Vec<String> {
    let schema = index
        .get("key_schema")
        .map(SourceNode::elements)
        .unwrap_or_default();
    let of_kind = |node: &&SourceNode| node.text_at("key_type") == Some(kind);
    let named: Vec<String> = schema
        .iter()
        .filter(of_kind)
        .filter_map(|node| node.text_at("attribute_name").map(str::to_string))
        .collect();
    let listed = texts(index.get(several));
    let one = index
        .text_at(single)
        .filter(|name| !name.is_empty())
        .map(|name| vec![name.to_string()]);
    one.filter(|_| named.is_empty())
        .unwrap_or(if named.is_empty() { listed } else { named })
}

fn index_of(
    resource: &Resource,
    node: &SourceNode,
    global: bool,
    on_demand: bool,
    problems: &mut Vec<crate::diag::Diagnostic>,
) -> Option<IndexDraft> {
    let place = Some((resource.place.0.clone(), node.span.clone()));
    let name = node
        .text_at("name")
        .or_else(|| node.text_at("index_name"))?;
    let at = |key: &str| {
        node.get(key)
            .map(|found| (resource.place.0.clone(), found.span.clone()))
            .or_else(|| place.clone())
    };
    let mut fields = Fields::default();
    let (hash, range) = (
        keys_of(node, "hash_key", "hash_keys", "HASH"),
        keys_of(node, "range_key", "range_keys", "RANGE"),
    );
    if global {
        if hash.is_empty() {
            let message = format!(
                "the index {} of {} has no partition key",
                shown(name),
                resource.address
            );
            problems.push(wrong(
                &resource.place.0,
                node.span.clone(),
                "missing-key",
                message,
                "this is not a plan as Terraform writes it; create it again with `terraform show \
                 -json`",
            ));
            return None;
        }
        fields.set(
            "partition_key",
            Sourced::new(list(&hash), "hash_key", at("hash_key")),
        );
    }
    if !range.is_empty() {
        fields.set(
            "sort_key",
            Sourced::new(list(&range), "range_key", at("range_key")),
        );
    }
    let block = node.block("projection").unwrap_or(node);
    if let Some(projection) = projection(
        block.text_at("projection_type").unwrap_or("ALL"),
        &texts(block.get("non_key_attributes")),
    ) {
        let words = if block
            .get("non_key_attributes")
            .is_some_and(|node| !node.elements().is_empty())
        {
            "projection_type, non_key_attributes"
        } else {
            "projection_type"
        };
        let origin = block
            .get("projection_type")
            .map(|found| (resource.place.0.clone(), found.span.clone()))
            .or_else(|| place.clone());
        fields.set("projection", Sourced::new(projection, words, origin));
    }
    let (mut read, mut write) = (UnitsDraft::default(), UnitsDraft::default());
    if global && on_demand {
        maximum(resource, node, &mut fields, problems);
    } else if global {
        let block = node.block("provisioned_throughput").unwrap_or(node);
        let number = |keys: [&str; 2], problems: &mut Vec<_>| {
            keys.iter()
                .find_map(|key| resource.number(block, key, problems))
        };
        read.fixed = number(["read_capacity", "read_capacity_units"], problems);
        write.fixed = number(["write_capacity", "write_capacity_units"], problems);
    }
    let name = Sourced::text(
        name,
        format!(
            "{}: {}",
            resource.address,
            if global {
                "global_secondary_index"
            } else {
                "local_secondary_index"
            }
        ),
        at("name"),
    );
    Some(IndexDraft {
        name,
        global,
        fields,
        read,
        write,
        schedule: Vec::new(),
    })
}

/// An index that is a separate resource.
fn own_index(resource: &Resource, draft: &mut Draft, problems: &mut Vec<crate::diag::Diagnostic>) {
    with_table(resource, "table_name", draft, |table, resource| {
        let on_demand = !table.is_provisioned();
        let index = index_of(resource, resource.values, true, on_demand, problems);
        if said_or_new(resource).any(is_warm) {
            let what = quoted(&format!("purchased warm throughput ({})", resource.address));
            table.unpriced.push(Sourced {
                note: String::new(),
                ..resource.said("warm_throughput", what)
            });
        }
        table.indexes.extend(index.map(|index| IndexDraft {
            name: Sourced {
                note: resource.address.to_string(),
                ..index.name.clone()
            },
            ..index
        }));
    });
}

/// A replica that is a separate resource, in the region of its provider.
fn own_replica(resource: &Resource, draft: &mut Draft, keys: &mut BTreeMap<String, ()>) {
    let region = region_of(resource);
    with_table(resource, "global_table_arn", draft, |table, resource| {
        let Some((_, region)) = region else {
            table.notes.push(format!(
                "{}: a replica in a region that the plan does not contain",
                resource.address
            ));
            table.unpriced.push(resource.said(
                "global_table_arn",
                quoted("a replica in a region that the plan does not contain"),
            ));
            return;
        };
        let mut replica = replica_of(Sourced {
            note: format!("{}: {}", resource.address, region.note),
            origin: resource.origin.clone(),
            ..region
        });
        match resource.values.text_at("table_class_override") {
            Some("STANDARD_INFREQUENT_ACCESS") => replica.fields.set(
                "class",
                resource.said("table_class_override", "\"standard-ia\""),
            ),
            Some("STANDARD") => replica.fields.set(
                "class",
                resource.said("table_class_override", "\"standard\""),
            ),
            _ => {}
        }
        if resource
            .values
            .get("point_in_time_recovery")
            .and_then(SourceNode::truth)
            == Some(true)
        {
            replica
                .fields
                .set("pitr", resource.said("point_in_time_recovery", "true"));
        }
        if let Some(key) = resource
            .values
            .text_at("kms_key_arn")
            .filter(|key| !key.is_empty())
        {
            also_encrypted(table, key, resource.said("kms_key_arn", "1"), keys);
        }
        table.replicas.push(replica);
    });
}

/// A global table of version 2017.11.29: tables of the same name in several regions.
fn global_table(resource: &Resource, draft: &mut Draft, home: Option<&str>) {
    with_table(resource, "name", draft, |table, resource| {
        for replica in resource
            .values
            .get("replica")
            .map(SourceNode::elements)
            .unwrap_or_default()
        {
            let Some(region) = replica
                .text_at("region_name")
                .filter(|region| Some(*region) != home)
            else {
                continue;
            };
            let place = Some((resource.place.0.clone(), replica.span.clone()));
            let note = format!("{}: a global table of version 2017.11.29", resource.address);
            table
                .replicas
                .push(replica_of(Sourced::text(region, note, place)));
        }
    });
}

fn insights(resource: &Resource, draft: &mut Draft, here: bool) {
    let region = region_of(resource).map(|(region, _)| region);
    with_table(resource, "table_name", draft, |table, resource| {
        let index = resource
            .values
            .text_at("index_name")
            .filter(|name| !name.is_empty())
            .map(str::to_string);
        if resource.values.text_at("mode") == Some("THROTTLED_KEYS") {
            let words = format!(
                "Contributor Insights for throttled keys only ({})",
                resource.address
            );
            table.unpriced.push(resource.said("mode", quoted(&words)));
            return;
        }
        let said = resource.said("table_name", "true");
        let set = |fields: &mut Fields| fields.set("contributor_insights", said.clone());
        if !here {
            let global = table.global_names();
            let Some(replica) = table
                .replicas
                .iter_mut()
                .find(|replica| Some(replica.region.plain()) == region)
            else {
                table.notes.push(format!(
                    "{}: the table has no replica in its region; ignored",
                    resource.address
                ));
                return;
            };
            match index {
                None => {
                    set(&mut replica.fields);
                    replica.insights_alone(global.into_iter());
                }
                Some(name) => set(replica.index(&name).1),
            }
            return;
        }
        match index {
            None => {
                set(&mut table.fields);
                table.insights_alone();
            }
            Some(name) => match table.index(&name) {
                Some(index) => set(&mut index.fields),
                None => table.notes.push(format!(
                    "{}: the table has no index {name}; ignored",
                    resource.address
                )),
            },
        }
    });
}

/// A plan does not say which tables a DAX cluster serves: use the first table that has no cluster
/// yet.
fn dax(resource: &Resource, draft: &mut Draft, problems: &mut Vec<crate::diag::Diagnostic>) {
    let nodes = resource.number(resource.values, "replication_factor", problems);
    let kind = resource
        .values
        .text_at("node_type")
        .map(|kind| resource.said("node_type", quoted(kind)));
    attach_dax(draft, resource.address, kind, nodes);
}

pub(super) fn attach_dax(
    draft: &mut Draft,
    label: &str,
    kind: Option<Sourced>,
    nodes: Option<Sourced>,
) {
    let several = draft.tables.len() > 1;
    let Some(table) = draft
        .tables
        .iter_mut()
        .find(|table| table.find_block("dax").is_none())
    else {
        let words = format!("the DAX cluster {label}: each table already has one");
        match draft.tables.first_mut() {
            Some(table) => table.unpriced.push(Sourced::new(
                quoted(&words),
                "",
                kind.and_then(|kind| kind.origin),
            )),
            None => draft
                .notes
                .push(format!("{label}: a DAX cluster without a table; ignored")),
        }
        return;
    };
    let (Some(kind), Some(nodes)) = (kind, nodes.filter(|nodes| !nodes.is_unknown())) else {
        let words =
            format!("the DAX cluster {label}, whose node type or number of nodes is unknown");
        table.unpriced.push(Sourced::new(quoted(&words), "", None));
        return;
    };
    if several {
        table.notes.push(format!(
            "{label}: the file does not say which table the cluster serves; move [table.dax] to \
             that table"
        ));
    }
    let dax = table.block("dax");
    dax.set("node_type", kind);
    dax.set("nodes", nodes);
    dax.set(
        "hit_ratio",
        Sourced::unknown("the share of eventually consistent reads that it answers, such as 0.9"),
    );
}

/// Auto scaling: adds a target, or a policy or schedule to its target.
fn scaled(
    resource: &Resource,
    region: Option<String>,
    resources: &[Resource],
    targets: &mut Vec<ScalingTarget>,
    problems: &mut Vec<crate::diag::Diagnostic>,
) {
    let values = resource.values;
    if values
        .text_at("service_namespace")
        .is_some_and(|namespace| namespace != "dynamodb")
    {
        return;
    }
    let dimension = values.text_at("scalable_dimension").map(str::to_string);
    let target_of = |resource: &Resource| {
        resource
            .references("resource_id")
            .into_iter()
            .find(|one| one.contains("aws_appautoscaling_target"))
    };
    // A policy may refer to its target, and the target to its table.
    let by_target = || {
        let address = address_of(&target_of(resource)?);
        let targets: Vec<&Resource> = resources
            .iter()
            .filter(|one| one.kind == "aws_appautoscaling_target")
            .collect();
        meant(
            targets.iter().map(|one| one.address),
            &address,
            resource.address,
        )
        .map(|at| targets[at])
    };
    let named = |resource: &Resource| {
        resource
            .values
            .text_at("resource_id")
            .map(str::to_string)
            .or_else(|| {
                let table = resource
                    .text_or_reference("resource_id")
                    .filter(|text| text.contains("aws_dynamodb_table"))?;
                let tables: Vec<&Resource> = resources
                    .iter()
                    .filter(|one| one.kind == "aws_dynamodb_table")
                    .collect();
                // If several instances match equally, choose none.
                let at = meant(
                    tables.iter().map(|one| one.address),
                    &table,
                    resource.address,
                )?;
                // Of a text that contains a reference, a plan keeps only the reference: the name of
                // the index is lost.
                let of_index = resource
                    .values
                    .text_at("scalable_dimension")
                    .is_some_and(|dimension| dimension.contains(":index:"));
                Some(format!(
                    "table/{}{}",
                    tables[at].address,
                    if of_index { "/index/*" } else { "" }
                ))
            })
    };
    // If it is unknown what a target scales, it still gets its own entry with its bounds.
    let alone = || {
        format!(
            "{NOWHERE}{}",
            by_target().map_or(resource.address, |one| one.address)
        )
    };
    let id = named(resource)
        .or_else(|| by_target().and_then(named))
        .unwrap_or_else(alone);
    let dimension = dimension
        .or_else(|| {
            by_target().and_then(|one| one.values.text_at("scalable_dimension").map(str::to_string))
        })
        .unwrap_or_default();
    let same = |target: &ScalingTarget| {
        target.resource == id && target.dimension == dimension && target.region == region
    };
    let at = targets.iter().position(same).unwrap_or_else(|| {
        targets.push(ScalingTarget {
            resource: id.clone(),
            dimension: dimension.clone(),
            region: region.clone(),
            label: resource.address.to_string(),
            ..ScalingTarget::default()
        });
        targets.len() - 1
    });
    let target = &mut targets[at];
    match resource.kind {
        "aws_appautoscaling_target" => {
            target.label = resource.address.to_string();
            let unknown = |key: &str| {
                Sourced::unknown(format!(
                    "{}: {key} is known only after apply",
                    resource.address
                ))
            };
            target.min = Some(
                resource
                    .number(values, "min_capacity", problems)
                    .unwrap_or_else(|| unknown("min_capacity")),
            );
            target.max = Some(
                resource
                    .number(values, "max_capacity", problems)
                    .unwrap_or_else(|| unknown("max_capacity")),
            );
            let words = [
                "dynamic_scaling_in_suspended",
                "dynamic_scaling_out_suspended",
                "scheduled_scaling_suspended",
            ];
            target.suspended = values
                .block("suspended_state")
                .map(|state| Suspended::of(state, words))
                .unwrap_or_default();
        }
        "aws_appautoscaling_policy" => {
            if let Some(tracking) = values.block("target_tracking_scaling_policy_configuration") {
                let unknown = |why: &str| Sourced::unknown(format!("{}: {why}", resource.address));
                target.percent = Some(match tracking.block("customized_metric_specification") {
                    Some(_) => unknown(scaling::OWN_METRIC),
                    None => resource
                        .number(tracking, "target_value", problems)
                        .unwrap_or_else(|| unknown("target_value is known only after apply")),
                });
            }
        }
        _ => {
            let Some(action) = values.block("scalable_target_action") else {
                return;
            };
            target.steps.push(ScheduledAction {
                schedule: Sourced {
                    note: resource.address.to_string(),
                    ..resource.said(
                        "schedule",
                        quoted(values.text_at("schedule").unwrap_or_default()),
                    )
                },
                timezone: values.text_at("timezone").map(str::to_string),
                is_temporary: ["start_time", "end_time"]
                    .iter()
                    .any(|key| values.text_at(key).is_some_and(|time| !time.is_empty())),
                min: resource.number(action, "min_capacity", problems),
                max: resource.number(action, "max_capacity", problems),
            });
        }
    }
}

/// Whether a plan changes or deletes an existing table: its prior state is then a baseline.
pub(super) fn has_before(plan: &SourceNode) -> bool {
    let changes = plan
        .get("resource_changes")
        .map(SourceNode::elements)
        .unwrap_or_default();
    changes.iter().any(|change| {
        let was_there = change
            .at(&["change", "before"])
            .is_some_and(|before| matches!(before.value, Value::Map(_)));
        was_there && change.text_at("type") == Some("aws_dynamodb_table")
    })
}
