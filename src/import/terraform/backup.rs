//! AWS Backup, and the readers of streams.

use super::parts::with_table;
use super::plan::*;
use crate::import::backups::{BackupPlan, BackupSelection, Lifecycle, PlanCopy, PlanRule};
use crate::import::draft::Draft;
use crate::import::node::SourceNode;

/// A backup plan with its rules.
pub(super) fn backup_plan(resource: &Resource) -> BackupPlan {
    let rule = |node: &SourceNode| PlanRule {
        name: format!(
            "{}: {}",
            resource.address,
            node.text_at("rule_name").unwrap_or("rule")
        ),
        schedule: node.text_at("schedule").map(str::to_string),
        life: lifecycle(node),
        copies: node
            .list("copy_action")
            .iter()
            .map(|copy| PlanCopy {
                vault: copy.text_at("destination_vault_arn").map(str::to_string),
                life: lifecycle(copy),
            })
            .collect(),
        origin: resource.origin.clone(),
    };
    BackupPlan {
        id: resource.address.to_string(),
        rules: resource.values.list("rule").iter().map(rule).collect(),
    }
}

fn lifecycle(node: &SourceNode) -> Lifecycle {
    let block = node.block("lifecycle");
    let days = |key: &str| {
        let days = block
            .and_then(|block| block.get(key))
            .and_then(SourceNode::scalar);
        days.filter(|days| days != "0")
            .map(|days| days.into_owned())
    };
    Lifecycle {
        delete_after: days("delete_after"),
        cold_after: days("cold_storage_after"),
    }
}

/// What a plan backs up.
pub(super) fn backup_selection(resource: &Resource) -> BackupSelection {
    let values = resource.values;
    let tags = values.list("selection_tag").iter();
    let tag = |tag: &SourceNode| {
        let texts = tag.text_at("key").zip(tag.text_at("value"));
        texts.map(|(key, value)| (key.to_string(), value.to_string()))
    };
    let conditions = values.block("condition").map(SourceNode::entries);
    let mut conditions = conditions.unwrap_or_default().iter();
    BackupSelection {
        plan: plan_of(resource),
        resources: arns(resource, "resources"),
        excluded: arns(resource, "not_resources"),
        tags: tags.filter_map(tag).collect(),
        has_conditions: conditions.any(|(_, node)| !node.elements().is_empty())
            || resource.has_unknown("selection_tag"),
        label: resource.address.to_string(),
        origin: resource.origin.clone(),
    }
}

/// The address of the plan that a selection refers to.
fn plan_of(resource: &Resource) -> Option<String> {
    let named = |one: &String| one.contains("aws_backup_plan.");
    let reference = resource.references("plan_id").into_iter().find(named);
    reference.map(|one| address_of(&one)).or_else(|| {
        // An applied plan is known by its ID.
        match resource.values.text_at("plan_id") {
            Some(id) => resource.plan.address_of_id("aws_backup_plan", id),
            // An ID known only after apply is that of a plan that this change creates.
            None => resource.plan.only_created("aws_backup_plan"),
        }
    })
}

/// The ARNs of a list; a table whose ARN is known only after apply is named by its address.
fn arns(resource: &Resource, key: &str) -> Vec<Option<String>> {
    let known: Vec<Option<String>> = resource
        .values
        .list(key)
        .iter()
        .map(|node| node.text().map(str::to_string))
        .collect();
    let unknown = resource
        .change()
        .and_then(|change| change.at(&["change", "after_unknown"]))
        .and_then(|unknown| unknown.get(key));
    // AWS computes what the configuration does not set.
    let is_set = resource
        .config
        .as_ref()
        .is_none_or(|config| config.node.at(&["expressions", key]).is_some());
    let is_known = known.iter().all(Option::is_some) && (unknown.is_none() || !known.is_empty());
    if is_known || !is_set {
        return known;
    }
    let references = resource.references(key);
    let tables = references
        .iter()
        .filter(|one| one.contains("aws_dynamodb_table"));
    let mut named: Vec<Option<String>> = tables.map(|one| Some(address_of(one))).collect();
    named.sort();
    named.dedup();
    match named.is_empty() {
        true => vec![None],
        false => known.into_iter().flatten().map(Some).chain(named).collect(),
    }
}

/// A function or a pipe that reads the stream of a table.
///
/// Source: Developer Guide, "Understanding DynamoDB billing for Streams" (rule 5.3): reads of Lambda
/// triggers are free. `Assumption:` those of a pipe are charged, because the guide does not name
/// them as free.
pub(super) fn reader(resource: &Resource, draft: &mut Draft) {
    let is_pipe = resource.kind == "aws_pipes_pipe";
    let key = match is_pipe {
        true => "source",
        false => "event_source_arn",
    };
    let source = resource.text_or_reference(key);
    let is_stream = |source: &String| source.contains("dynamodb");
    let is_off = match is_pipe {
        true => resource.values.text_at("desired_state") == Some("STOPPED"),
        false => resource.values.get("enabled").and_then(SourceNode::truth) == Some(false),
    };
    if is_off || !source.is_some_and(|source| is_stream(&source)) {
        return;
    }
    // A reader of a stream of another table costs nothing here.
    let notes = draft.unpriced.len();
    with_table(resource, key, draft, |table, _| match is_pipe {
        true => table.readers.1 += 1,
        false => table.readers.0 += 1,
    });
    draft.unpriced.truncate(notes);
}
