//! Terraform and OpenTofu plans as JSON (`terraform show -json`).
//!
//! A plan contains the values after the change in `planned_values` and each change with its state
//! before in `resource_changes`, so that one plan holds both designs. Blocks are lists of one
//! element. Values known only after apply are missing; references in the configuration show where
//! they come from. The region is that of a provider. Source: Terraform documentation, "JSON Output
//! Format"; the AWS provider's documentation.

mod backup;
mod parts;
pub(super) mod plan;
mod region;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diag::Source;
use crate::import::backups::{self, BackupPlan, BackupSelection};
use crate::import::draft::{Draft, Sourced, TableDraft, unpriced};
use crate::import::node::SourceNode;
use crate::import::scaling::{self, ScalingTarget};
use crate::import::shared::{KmsKeys, replicas_without_key};
use crate::import::{Context, cloudformation, names_of};
use crate::unread::UnreadKind;
use backup::*;
use parts::*;
use plan::*;
use region::*;
use table::*;

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], context: Context) -> Draft {
    let made_of = format!("the Terraform plan {}", names_of(documents));
    let mut draft = Draft::of(documents, made_of, "not in a plan");
    draft.may_be_empty = true;
    let before = context.before;
    let plans: Vec<Plan> = documents
        .iter()
        .map(|(source, plan)| Plan::new(source, plan))
        .collect();
    let of = |before: bool| -> Vec<Resource> {
        let of_plan = |plan| match before {
            true => resources_before(plan),
            false => resources_after(plan),
        };
        plans.iter().flat_map(of_plan).collect()
    };
    let resources = of(before);
    let is_asked =
        context.region.is_some() || context.usage.is_some_and(|usage| usage.region().is_some());
    let home = match home(&resources, &of(!before), &plans, &mut draft, &context) {
        Ok(home) => home,
        Err(problem) => {
            context.problems.push(*problem);
            return draft;
        }
    };
    let mut planned = PlannedResources {
        placed: Placed::of(&resources, home, is_asked),
        resources: &resources,
        context,
        targets: Vec::new(),
        kms_keys: KmsKeys::new(),
        plans: Vec::new(),
        selections: Vec::new(),
    };
    planned.tables(&mut draft);
    planned.parts(&mut draft);
    backups::join(&planned.plans, &planned.selections, &mut draft);
    replicas_without_key(&mut draft);
    scaling::join(planned.targets, &mut draft);
    for plan in &plans {
        not_read(plan, before, &mut draft);
    }
    draft
}

/// Where resources are.
struct Placed {
    /// The region of the design, if it is known.
    home: Option<String>,
    /// The region of each resource, by its address.
    regions: BTreeMap<String, Option<String>>,
    /// The providers of which a resource tells its region in an ARN: resources with the same
    /// provider are in the same region.
    providers: BTreeSet<Option<String>>,
    /// Whether the user names the region.
    is_asked: bool,
    /// Whether no resource is in the home region: the whole design is then priced as if it were
    /// moved there.
    moved: bool,
}

impl Placed {
    fn of(resources: &[Resource], home: Option<String>, is_asked: bool) -> Placed {
        let region = |one: &Resource| region_of(one).map(|(region, _)| region);
        Placed {
            regions: resources
                .iter()
                .rev()
                .map(|one| (one.address.to_string(), region(one)))
                .collect(),
            providers: resources
                .iter()
                .filter(|one| region(one).is_some())
                .map(|one| provider_of(one).map(str::to_string))
                .collect(),
            moved: !resources.iter().any(|one| region(one) == home),
            home,
            is_asked,
        }
    }

    /// Whether a resource belongs to the design: it is in its region, or its region is unknown.
    fn is_here(&self, resource: &Resource) -> bool {
        let own = self
            .regions
            .get(resource.address)
            .and_then(Option::as_deref);
        self.moved || self.home.is_none() || own.is_none() || own == self.home.as_deref()
    }

    /// Whether the region of a table is only assumed, while other resources tell theirs.
    fn is_untold(&self, resource: &Resource) -> bool {
        let provider = provider_of(resource).map(str::to_string);
        !self.is_asked && !self.providers.is_empty() && !self.providers.contains(&provider)
    }
}

/// The resources of a plan, and what is collected from them.
struct PlannedResources<'a, 'c> {
    resources: &'a [Resource<'a>],
    placed: Placed,
    context: Context<'c>,
    targets: Vec<ScalingTarget>,
    /// Customer managed keys that are already charged to a table.
    kms_keys: KmsKeys,
    plans: Vec<BackupPlan>,
    selections: Vec<BackupSelection>,
}

impl PlannedResources<'_, '_> {
    fn tables(&mut self, draft: &mut Draft) {
        let before = self.context.before;
        let tables = self.resources.iter();
        for resource in tables.filter(|one| one.kind == "aws_dynamodb_table") {
            if !self.placed.is_here(resource) {
                draft.unpriced.push(elsewhere(resource));
                continue;
            }
            let problems = &mut *self.context.problems;
            let Some(mut table) = table(resource, &mut self.kms_keys, before, problems) else {
                continue;
            };
            let forgotten = resource.change().is_some_and(is_forgotten);
            if !before && !forgotten {
                not_planned(resource, &mut table);
            }
            if !before && forgotten {
                table.notes.push(format!(
                    "{}: is no longer managed by Terraform; the table still exists and costs money",
                    resource.address
                ));
            }
            if self.placed.is_untold(resource) {
                table.unpriced.push(unpriced(
                    UnreadKind::AfterApply,
                    "its region, which the plan does not contain",
                    resource.address,
                    resource.origin.clone(),
                ));
            }
            draft.tables.push(table);
        }
    }

    /// Everything that belongs to a table but is a resource of its own: indexes and replicas first,
    /// so that resources that refer to them find them.
    fn parts(&mut self, draft: &mut Draft) {
        let is_first = |one: &&Resource| {
            matches!(
                one.kind,
                "aws_dynamodb_global_secondary_index"
                    | "aws_dynamodb_table_replica"
                    | "aws_dynamodb_global_table"
            )
        };
        let (first, others): (Vec<&Resource>, Vec<&Resource>) =
            self.resources.iter().partition(is_first);
        for resource in first.into_iter().chain(others) {
            self.part(resource, draft);
        }
    }

    fn part(&mut self, resource: &Resource, draft: &mut Draft) {
        let here = self.placed.is_here(resource);
        let problems = &mut *self.context.problems;
        match resource.kind {
            "awscc_dynamodb_table" | "awscc_dynamodb_global_table" => {
                let words = format!("{}: a table of the provider awscc", resource.address);
                let said = resource.unread(UnreadKind::OtherProvider, &words);
                draft.unpriced.push(said);
            }
            "aws_dynamodb_global_secondary_index" if here => own_index(resource, draft, problems),
            "aws_dynamodb_table_replica" => own_replica(resource, draft, &mut self.kms_keys),
            "aws_dynamodb_global_table" => {
                global_table(resource, draft, self.placed.home.as_deref())
            }
            "aws_dynamodb_contributor_insights" => insights(resource, draft, here),
            "aws_dynamodb_kinesis_streaming_destination" => kinesis(resource, draft, here),
            "aws_dynamodb_table_export" if here => export(resource, draft),
            "aws_dax_cluster" if here => dax(resource, draft, problems),
            "aws_dax_cluster" => remote_dax(resource, draft),
            "aws_appautoscaling_target"
            | "aws_appautoscaling_policy"
            | "aws_appautoscaling_scheduled_action" => {
                let region = region_of(resource).map(|(region, _)| region);
                let elsewhere = region.filter(|_| !here);
                let targets = &mut self.targets;
                scaled(resource, elsewhere, self.resources, targets, problems);
            }
            "aws_backup_plan" => self.plans.push(backup_plan(resource)),
            "aws_backup_selection" => self.selections.push(backup_selection(resource)),
            "aws_lambda_event_source_mapping" | "aws_pipes_pipe" => reader(resource, draft),
            "aws_cloudformation_stack" if here => stack(resource, draft, &mut self.context),
            "aws_dynamodb_global_secondary_index"
            | "aws_dynamodb_table_export"
            | "aws_cloudformation_stack" => draft.unpriced.push(elsewhere(resource)),
            "aws_dynamodb_table"
            | "aws_dynamodb_table_item"
            | "aws_dynamodb_tag"
            | "aws_dynamodb_resource_policy"
            | "aws_dax_parameter_group"
            | "aws_dax_subnet_group" => {}
            kind => draft.unpriced.extend(other_cost(resource, kind)),
        }
    }
}

/// A resource that may cost money in ways that are not read; `None` for one that does not.
fn other_cost(resource: &Resource, kind: &str) -> Option<Sourced> {
    let address = resource.address;
    let names = |word: &str| resource.values.mentions(word);
    let (unread, words) = match kind {
        "aws_cloudformation_stack_set"
        | "aws_cloudformation_stack_set_instance"
        | "aws_cloudformation_stack_instances"
        | "aws_serverlessapplicationrepository_cloudformation_stack"
        | "aws_servicecatalog_provisioned_product" => {
            let body = resource.values.text_at("template_body");
            let is_harmless =
                body.is_some_and(|body| !body.contains("DynamoDB") && !body.contains("DAX"));
            if is_harmless {
                return None;
            }
            (
                UnreadKind::NestedStack,
                "the tables of stacks that it deploys",
            )
        }
        "aws_cloudcontrolapi_resource" => {
            let own = resource
                .values
                .text_at("type_name")
                .unwrap_or("AWS::DynamoDB::");
            let costs = ["DynamoDB", "DAX", "Backup", "Scaling", "CloudFormation"];
            if !costs.iter().any(|cost| own.contains(cost)) {
                return None;
            }
            (UnreadKind::OtherProvider, "a resource of Cloud Control")
        }
        kind if kind.starts_with("awscc_") => (
            UnreadKind::OtherProvider,
            "a resource of the provider awscc",
        ),
        "aws_backup_restore_testing_plan" => return None,
        "aws_backup_restore_testing_selection" if !names("dynamodb") => return None,
        "aws_backup_restore_testing_selection" => (UnreadKind::Feature, "restores that it tests"),
        "aws_scheduler_schedule" if !names("aws-sdk:dynamodb") => return None,
        "aws_scheduler_schedule" => (UnreadKind::Feature, "calls of DynamoDB on a schedule"),
        kind if kind.starts_with("aws_dynamodb_") || kind.starts_with("aws_dax_") => (
            UnreadKind::Feature,
            "a resource of a type that is not known",
        ),
        // Pipelines and integrations read exports and streams.
        _ if names("dynamodb") => (UnreadKind::Feature, "what it reads of a table"),
        _ => return None,
    };
    Some(resource.unread(unread, &format!("{address}: {words}")))
}

fn elsewhere(resource: &Resource) -> Sourced {
    let region = region_of(resource).map(|(region, _)| region);
    let region = region.unwrap_or_else(|| "another region".to_string());
    let words = format!("{}: is in {region}", resource.address);
    resource.unread(UnreadKind::OtherRegion, &words)
}

/// Change data capture to Kinesis; that of another region has no place in a workload.
fn kinesis(resource: &Resource, draft: &mut Draft, here: bool) {
    with_table(resource, "table_name", draft, |table, resource| {
        if here {
            let said = resource.said("table_name", "true");
            table.block("stream").set("kinesis", said);
        } else {
            let words = format!(
                "change data capture to Kinesis in another region ({})",
                resource.address
            );
            table
                .unpriced
                .push(resource.unread(UnreadKind::OtherRegion, &words));
        }
    });
}

fn export(resource: &Resource, draft: &mut Draft) {
    with_table(resource, "table_arn", draft, |table, resource| {
        let words = format!(
            "an export to S3 each time that {} is created",
            resource.address
        );
        table
            .unpriced
            .push(resource.unread(UnreadKind::Feature, &words));
    });
}

/// A DAX cluster in another region, which may be that of a replica.
fn remote_dax(resource: &Resource, draft: &mut Draft) {
    let region = region_of(resource)
        .map(|(region, _)| region)
        .unwrap_or_default();
    let is_there = |table: &&mut TableDraft| {
        let mut replicas = table.replicas.iter();
        replicas.any(|replica| replica.region.plain() == region)
    };
    match draft.tables.iter_mut().find(is_there) {
        Some(table) => {
            let words = format!("the DAX cluster {} in {region}", resource.address);
            table
                .unpriced
                .push(resource.unread(UnreadKind::OtherRegion, &words));
        }
        None => draft.unpriced.push(elsewhere(resource)),
    }
}

/// A stack of CloudFormation that Terraform deploys, with its template in the plan.
fn stack(resource: &Resource, draft: &mut Draft, context: &mut Context) {
    let values = resource.values;
    let Some(body) = values.text_at("template_body") else {
        let words = format!(
            "{}: a stack whose template is not in the plan",
            resource.address
        );
        let kind = UnreadKind::NestedStack;
        draft.unpriced.push(resource.unread(kind, &words));
        return;
    };
    let given = values.get("parameters").map(SourceNode::entries);
    let given = given.unwrap_or_default().iter();
    let given = given.map(|(key, node)| (key.name.clone(), node.clone()));
    let inner = cloudformation::embedded(
        Source::new(format!("the template of {}", resource.address), body),
        given.collect(),
        draft.head.get("region").map(Sourced::plain),
        context,
    );
    match inner {
        Ok(mut inner) => {
            inner.relocate(&resource.origin);
            for table in &mut inner.tables {
                table.qualifier = Some(resource.address.to_string());
            }
            draft.absorb(inner);
        }
        Err(why) => {
            let words = format!("{}: its template cannot be read: {why}", resource.address);
            draft
                .unpriced
                .push(resource.unread(UnreadKind::NestedStack, &words));
        }
    }
}

/// What a plan says that is no resource of it: an error, deferred changes.
fn not_read(plan: &Plan, before: bool, draft: &mut Draft) {
    let origin = |node: &SourceNode| Some((plan.source.clone(), node.span.clone()));
    // The state before is complete, whatever happens later.
    if before {
        return;
    }
    if let Some(errored) = plan
        .node
        .get("errored")
        .filter(|one| one.truth() == Some(true))
    {
        let words = "what the plan lacks, because Terraform stopped with an error";
        let said = unpriced(UnreadKind::PlanError, words, "", origin(errored));
        draft.unpriced.push(said);
    }
    let is_partial = plan.node.get("complete").and_then(SourceNode::truth) == Some(false);
    if let Some(complete) = plan.node.get("complete").filter(|_| is_partial)
        && plan.node.list("deferred_changes").is_empty()
    {
        let words =
            "what the plan leaves out, because it is of a part of the configuration (-target)";
        let said = unpriced(UnreadKind::PlanError, words, "", origin(complete));
        draft.unpriced.push(said);
    }
    for deferred in plan.node.list("deferred_changes") {
        let change = deferred.get("resource_change").unwrap_or(deferred);
        if change.text_at("type").is_some_and(|kind| !is_read(kind)) {
            continue;
        }
        let address = change.text_at("address").unwrap_or("a resource");
        let words = format!("{address}: is deferred to a later plan");
        draft
            .unpriced
            .push(unpriced(UnreadKind::Deferred, &words, "", origin(change)));
    }
}
