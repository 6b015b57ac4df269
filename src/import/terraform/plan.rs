//! The resources of a plan: their values, their configuration, and what they refer to.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::diag::Source;
use crate::import::draft::{Origin, Sourced, unpriced};
use crate::import::node::{SourceNode, Value, wrong};
use crate::import::plan::WITHOUT_BEFORE;
use crate::unread::UnreadKind;

/// A plan with its changes and its configuration by address.
pub(super) struct Plan<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) node: &'a SourceNode,
    /// The change of each resource; none of deposed objects, the leftovers of a replacement that the
    /// next apply deletes.
    changes: BTreeMap<&'a str, &'a SourceNode>,
    /// The resources of the configuration by address without instance keys, each with the names of
    /// the enclosing modules.
    configuration: BTreeMap<String, (&'a SourceNode, Vec<String>)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(source: &'a Arc<Source>, node: &'a SourceNode) -> Plan<'a> {
        let mut configuration = BTreeMap::new();
        if let Some(root) = node.at(&["configuration", "root_module"]) {
            configured(root, &mut Vec::new(), &mut configuration);
        }
        let changes = node.list("resource_changes").iter();
        let lasting = changes.filter(|change| change.get("deposed").is_none());
        Plan {
            source,
            node,
            changes: lasting
                .filter_map(|change| Some((change.text_at("address")?, change)))
                .collect(),
            configuration,
        }
    }

    /// The address of an existing resource of a type that has an ID.
    pub(super) fn address_of_id(&self, kind: &str, id: &str) -> Option<String> {
        let of_id = |change: &&&SourceNode| {
            let before = change.at(&["change", "before", "id"]);
            change.text_at("type") == Some(kind) && before.and_then(SourceNode::text) == Some(id)
        };
        let change = self.changes.values().find(of_id)?;
        change.text_at("address").map(str::to_string)
    }

    /// The address of the only resource of a type among the planned values.
    pub(super) fn only_created(&'a self, kind: &str) -> Option<String> {
        let all = resources_after(self);
        let mut of_kind = all.iter().filter(|one| one.kind == kind);
        match (of_kind.next(), of_kind.next()) {
            (Some(one), None) => Some(one.address.to_string()),
            _ => None,
        }
    }

    /// The configuration of a resource.
    fn config_of(&self, address: &str) -> Option<Config<'a>> {
        let (node, modules) = self.configuration.get(&plain_address(address))?;
        Some(Config {
            node,
            modules: modules.clone(),
            plan: self.node,
        })
    }
}

/// Collects the resources of a module and of the modules that it calls.
fn configured<'a>(
    module: &'a SourceNode,
    modules: &mut Vec<String>,
    all: &mut BTreeMap<String, (&'a SourceNode, Vec<String>)>,
) {
    let prefix: String = modules
        .iter()
        .map(|name| format!("module.{name}."))
        .collect();
    for resource in module.list("resources") {
        if let Some(address) = resource.text_at("address") {
            let entry = (resource, modules.clone());
            all.entry(format!("{prefix}{address}")).or_insert(entry);
        }
    }
    let calls = module.get("module_calls").map(SourceNode::entries);
    for (name, call) in calls.unwrap_or_default() {
        if let Some(inner) = call.get("module") {
            modules.push(name.name.clone());
            configured(inner, modules, all);
            modules.pop();
        }
    }
}

/// A resource of the design that is imported.
pub(super) struct Resource<'a> {
    pub(super) address: &'a str,
    pub(super) kind: &'a str,
    pub(super) values: &'a SourceNode,
    /// Its configuration, with the module that contains it.
    pub(super) config: Option<Config<'a>>,
    pub(super) origin: Origin,
    pub(super) place: (Arc<Source>, Range<usize>),
    pub(super) plan: &'a Plan<'a>,
}

/// A resource of the configuration.
pub(super) struct Config<'a> {
    pub(super) node: &'a SourceNode,
    /// The names of the enclosing modules, from the root.
    pub(super) modules: Vec<String>,
    pub(super) plan: &'a SourceNode,
}

impl Config<'_> {
    /// What an expression refers to, as addresses from the root: a module's variable is replaced by
    /// the argument of the module call.
    pub(super) fn resolve(
        &self,
        expression: Option<&SourceNode>,
        modules: &[String],
    ) -> Vec<String> {
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
pub(super) fn call<'a>(
    plan: &'a SourceNode,
    above: &[String],
    name: &str,
) -> Option<&'a SourceNode> {
    let root = plan.at(&["configuration", "root_module"])?;
    let module = above.iter().try_fold(root, |node, name| {
        node.at(&["module_calls", name, "module"])
    })?;
    module.at(&["module_calls", name])
}

impl<'a> Resource<'a> {
    /// A value with its comment and place.
    pub(super) fn said(&self, key: &str, toml: impl Into<String>) -> Sourced {
        let place = self
            .values
            .get(key)
            .map(|node| (self.place.0.clone(), node.span.clone()));
        let note = format!("{}: {key}", self.address);
        Sourced {
            resource: self.named(),
            ..Sourced::new(toml, note, place.or_else(|| self.origin.clone()))
        }
    }

    /// The address, as values carry it.
    pub(super) fn named(&self) -> Option<Arc<str>> {
        Some(Arc::from(self.address))
    }

    /// Something that is not read, at the place of the resource.
    pub(super) fn unread(&self, kind: UnreadKind, what: &str) -> Sourced {
        Sourced {
            resource: self.named(),
            ..unpriced(kind, what, "", self.origin.clone())
        }
    }

    /// A number as written.
    pub(super) fn number(
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
        let place = Some((self.place.0.clone(), value.span.clone()));
        Some(Sourced {
            resource: self.named(),
            ..Sourced::new(text.into_owned(), format!("{}: {key}", self.address), place)
        })
    }

    /// What a key refers to in the configuration, as addresses of the same plan.
    pub(super) fn references(&self, key: &str) -> Vec<String> {
        let Some(config) = &self.config else {
            return Vec::new();
        };
        config.resolve(config.node.at(&["expressions", key]), &config.modules)
    }

    /// A text, or the address that it refers to, for a resource whose name is known only after
    /// apply.
    pub(super) fn text_or_reference(&self, key: &str) -> Option<String> {
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
    pub(super) fn change(&self) -> Option<&'a SourceNode> {
        self.plan.changes.get(self.address).copied()
    }

    /// Whether an attribute or a part of it is known only after apply.
    pub(super) fn has_unknown(&self, key: &str) -> bool {
        let unknown = self
            .change()
            .and_then(|change| change.at(&["change", "after_unknown", key]));
        unknown.is_some_and(holds_true)
    }

    /// The address that it had before, if it is moved.
    pub(super) fn previous_address(&self) -> Option<&'a str> {
        self.change()?.text_at("previous_address")
    }

    /// Whether the plan creates it: then all known values come from the configuration.
    pub(super) fn is_created(&self) -> bool {
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
    pub(super) fn own_reference(&self, expression: &SourceNode) -> Option<String> {
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
pub(super) fn meant<'a>(
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
pub(super) fn address_of(reference: &str) -> String {
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
pub fn plain_address(address: &str) -> String {
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

/// Whether a value or a part of it is `true`.
pub(super) fn holds_true(node: &SourceNode) -> bool {
    match &node.value {
        Value::Bool(truth) => *truth,
        Value::List(elements) => elements.iter().any(holds_true),
        Value::Map(entries) => entries.iter().any(|(_, node)| holds_true(node)),
        _ => false,
    }
}

/// The start of the types that are read.
const READ: &[&str] = &[
    "aws_dynamodb_",
    "aws_dax_",
    "aws_appautoscaling_",
    "aws_backup_plan",
    "aws_backup_restore_testing_",
    "aws_backup_selection",
    "aws_cloudcontrolapi_resource",
    "aws_cloudformation_stack",
    "aws_glue_integration",
    "aws_lambda_event_source_mapping",
    "aws_osis_pipeline",
    "aws_pipes_pipe",
    "aws_rds_integration",
    "aws_redshift_integration",
    "aws_scheduler_schedule",
    "aws_serverlessapplicationrepository_cloudformation_stack",
    "aws_servicecatalog_provisioned_product",
    "awscc_applicationautoscaling_",
    "awscc_backup_",
    "awscc_cloudformation_stack",
    "awscc_dax_cluster",
    "awscc_dynamodb_",
];

/// Whether resources of a type are read.
pub(super) fn is_read(kind: &str) -> bool {
    READ.iter().any(|start| kind.starts_with(start))
}

/// Every managed resource in the design after the change. What Terraform forgets stays in the
/// account and goes on costing money.
pub(super) fn resources_after<'a>(plan: &'a Plan<'a>) -> Vec<Resource<'a>> {
    let mut all = Vec::new();
    let root = plan
        .node
        .at(&["planned_values", "root_module"])
        .or_else(|| plan.node.at(&["values", "root_module"]));
    if let Some(root) = root {
        module(plan, root, &mut all);
    }
    let forgotten = plan.changes.values().filter(|change| is_forgotten(change));
    for change in forgotten {
        if let Some(values) = change.at(&["change", "before"]) {
            all.extend(resource(plan, change, values));
        }
    }
    all
}

/// Whether Terraform no longer manages a resource that stays as it is.
pub(super) fn is_forgotten(change: &SourceNode) -> bool {
    let actions = change.at(&["change", "actions"]);
    let actions = actions.map(SourceNode::elements).unwrap_or_default();
    actions.iter().any(|one| one.text() == Some("forget"))
}

fn module<'a>(plan: &'a Plan<'a>, node: &'a SourceNode, all: &mut Vec<Resource<'a>>) {
    for one in node.list("resources") {
        let Some(values) = one.get("values") else {
            continue;
        };
        all.extend(resource(plan, one, values));
    }
    for child in node.list("child_modules") {
        module(plan, child, all);
    }
}

fn resource<'a>(
    plan: &'a Plan<'a>,
    node: &'a SourceNode,
    values: &'a SourceNode,
) -> Option<Resource<'a>> {
    if node.text_at("mode") == Some("data") {
        return None;
    }
    let (address, kind) = (node.text_at("address")?, node.text_at("type")?);
    if !is_read(kind) {
        return None;
    }
    let address_node = node.get("address").unwrap_or(node);
    let place = (plan.source.clone(), address_node.span.clone());
    Some(Resource {
        address,
        kind,
        values,
        config: plan.config_of(address),
        origin: Some(place.clone()),
        place,
        plan,
    })
}

/// Every managed resource before the change: from the change's prior state, or unchanged.
pub(super) fn resources_before<'a>(plan: &'a Plan<'a>) -> Vec<Resource<'a>> {
    let mut all: Vec<Resource> = Vec::new();
    // In the order of the plan.
    for change in plan.node.list("resource_changes") {
        let is_deposed = change.get("deposed").is_some();
        if let Some(values) = change.at(&["change", "before"]).filter(|_| !is_deposed) {
            all.extend(resource(plan, change, values));
        }
    }
    let unlisted = resources_after(plan).into_iter();
    all.extend(unlisted.filter(|one| !plan.changes.contains_key(one.address)));
    all
}

/// The instance keys in an address: `x` and `0` of `module.a["x"].aws_dynamodb_table.t[0]`.
pub(super) fn instance_keys(address: &str) -> Vec<String> {
    let keyed = address
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split(']').next());
    keyed.map(|key| key.trim_matches('"').to_string()).collect()
}

/// The position of the address that belongs to `of`: the only one, or else the one with the same
/// instance keys; `None` if there is none or more than one.
pub(super) fn nearest<'a>(addresses: impl Iterator<Item = &'a str>, of: &str) -> Option<usize> {
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

/// Whether a plan says what there was before, which may be nothing.
pub(in crate::import) fn has_before(plan: &SourceNode) -> bool {
    plan.get("planned_values").is_some() && plan.get(WITHOUT_BEFORE).is_none()
}
