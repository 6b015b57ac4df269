//! The region of a resource and of a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::*;
use crate::diag::Source;
use crate::import::Context;
use crate::import::draft::{Draft, Sourced, quoted};
use crate::import::node::{SourceNode, wrong};
use crate::table::Arn;

/// The provider of a resource, by its key in the configuration.
pub(super) fn provider_of<'a>(resource: &Resource<'a>) -> Option<&'a str> {
    resource
        .config
        .as_ref()?
        .node
        .text_at("provider_config_key")
}

/// The region of a resource: its own argument, that of its provider, or that in its ARN.
pub(super) fn region_of(resource: &Resource) -> Option<(String, Sourced)> {
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

pub(super) fn provider_region(
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
pub(super) fn is_region(text: &str) -> bool {
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
pub(super) fn home(
    resources: &[Resource],
    others: &[Resource],
    plans: &[Plan],
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
    // Without a table: the region of another resource, of the tables on the other side of the change,
    // or of the provider.
    let other = || {
        let has_table = resources.iter().any(|one| one.kind == "aws_dynamodb_table");
        let all = resources.iter().chain(others).filter(|_| !has_table);
        let of_resource = all.into_iter().find_map(region_of);
        let of_provider = || {
            let mut plans = plans.iter().filter(|_| !has_table);
            plans.find_map(|plan| provider_region(plan.node, "aws", plan.source))
        };
        of_resource.or_else(of_provider).map(|(_, said)| said)
    };
    let fallback = || {
        let region = context.fallback?;
        let note = match context.before {
            true => "the region of the design after the change",
            false => "the default region",
        };
        Some(Sourced::text(region, note, None))
    };
    let own = found.values().next().map(|(_, said)| said.clone());
    let said = match &asked {
        Some(asked) => Some(Sourced::text(
            asked,
            "from --region or the usage file",
            None,
        )),
        None => own.or_else(other).or_else(fallback),
    };
    let Some(said) = said else {
        return Ok(None);
    };
    let home = said.plain();
    draft.head.set("region", said);
    Ok(Some(home))
}
