//! Terraform and OpenTofu plans as JSON (`terraform show -json`).
//!
//! A plan contains the values after the change in `planned_values` and each change with its state
//! before in `resource_changes`, so that one plan holds both designs. Blocks are lists of one
//! element. Values known only after apply are missing; references in the configuration show where
//! they come from. The region is that of a provider. Source: Terraform documentation, "JSON Output
//! Format"; the AWS provider's documentation.

mod parts;
pub(super) mod plan;
mod region;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diag::{Diagnostic, Source};
use crate::import::draft::{Draft, Sourced, TableDraft, quoted};
use crate::import::node::SourceNode;
use crate::import::scaling::{self, ScalingTarget};
use crate::import::shared::{KmsKeys, replicas_without_key};
use crate::import::{Context, names_of};
use parts::*;
use plan::*;
use region::*;
use table::*;

pub(super) fn draft(documents: &[(Arc<Source>, SourceNode)], context: Context) -> Draft {
    let made_of = format!("the Terraform plan {}", names_of(documents));
    let mut draft = Draft::of(documents, made_of, "not in a plan");
    let before = context.before;
    let resources: Vec<Resource> = documents
        .iter()
        .flat_map(|(source, plan)| match before {
            true => resources_before(source, plan),
            false => resources_after(source, plan),
        })
        .collect();
    let is_asked =
        context.region.is_some() || context.usage.is_some_and(|usage| usage.region().is_some());
    let home = match home(&resources, &mut draft, &context) {
        Ok(home) => home,
        Err(problem) => {
            context.problems.push(*problem);
            return draft;
        }
    };
    let mut planned = PlannedResources {
        placed: Placed::of(&resources, home, is_asked),
        resources: &resources,
        before,
        targets: Vec::new(),
        kms_keys: KmsKeys::new(),
        problems: context.problems,
    };
    planned.tables(&mut draft);
    planned.parts(&mut draft);
    replicas_without_key(&mut draft);
    let notes = scaling::join(planned.targets, &mut draft.tables);
    draft.notes.extend(notes);
    for (source, plan) in documents {
        draft.notes.extend(not_read(source, plan, before));
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
struct PlannedResources<'a> {
    resources: &'a [Resource<'a>],
    placed: Placed,
    before: bool,
    targets: Vec<ScalingTarget>,
    /// Customer managed keys that are already charged to a table.
    kms_keys: KmsKeys,
    problems: &'a mut Vec<Diagnostic>,
}

impl PlannedResources<'_> {
    fn tables(&mut self, draft: &mut Draft) {
        let tables = self.resources.iter();
        for resource in tables.filter(|one| one.kind == "aws_dynamodb_table") {
            if !self.placed.is_here(resource) {
                draft.notes.push(elsewhere(resource));
                continue;
            }
            let Some(mut table) = table(resource, &mut self.kms_keys, self.before, self.problems)
            else {
                continue;
            };
            if !self.before {
                not_planned(resource, &mut table);
            }
            if self.placed.is_untold(resource) {
                table.unpriced.push(Sourced::new(
                    quoted("its region, which the plan does not contain"),
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
        match resource.kind {
            kind if kind.starts_with("awscc_") => draft.notes.push(format!(
                "{}: tables of the provider awscc are not supported; describe them in a workload \
                 file",
                resource.address
            )),
            "aws_dynamodb_global_secondary_index" if here => {
                own_index(resource, draft, self.problems)
            }
            "aws_dynamodb_table_replica" => own_replica(resource, draft, &mut self.kms_keys),
            "aws_dynamodb_global_table" => {
                global_table(resource, draft, self.placed.home.as_deref())
            }
            "aws_dynamodb_contributor_insights" => insights(resource, draft, here),
            "aws_dynamodb_kinesis_streaming_destination" => kinesis(resource, draft, here),
            "aws_dynamodb_table_export" if here => export(resource, draft),
            "aws_dax_cluster" if here => dax(resource, draft, self.problems),
            "aws_dax_cluster" => remote_dax(resource, draft),
            "aws_appautoscaling_target"
            | "aws_appautoscaling_policy"
            | "aws_appautoscaling_scheduled_action" => {
                let region = region_of(resource).map(|(region, _)| region);
                let elsewhere = region.filter(|_| !here);
                let resources = self.resources;
                scaled(
                    resource,
                    elsewhere,
                    resources,
                    &mut self.targets,
                    self.problems,
                );
            }
            "aws_dynamodb_global_secondary_index" | "aws_dynamodb_table_export" => {
                draft.notes.push(elsewhere(resource))
            }
            _ => {}
        }
    }
}

fn elsewhere(resource: &Resource) -> String {
    format!(
        "{}: is in another region and was ignored; import it separately with --region",
        resource.address
    )
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
            let said = resource.said("table_name", quoted(&words));
            table.unpriced.push(said);
        }
    });
}

fn export(resource: &Resource, draft: &mut Draft) {
    with_table(resource, "table_arn", draft, |table, resource| {
        let words = format!(
            "an export to S3 each time that {} is created",
            resource.address
        );
        let said = resource.said("table_arn", quoted(&words));
        table.unpriced.push(said);
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
            let said = resource.said("node_type", quoted(&words));
            table.unpriced.push(said);
        }
        None => draft.notes.push(elsewhere(resource)),
    }
}

/// What a plan says that is no resource of it: an error, deferred changes, forgotten tables.
fn not_read(source: &Source, plan: &SourceNode, before: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if plan.get("errored").and_then(SourceNode::truth) == Some(true) {
        notes.push(format!(
            "{}: Terraform stopped with an error, so the plan is incomplete",
            source.name
        ));
    }
    for deferred in plan.list("deferred_changes") {
        let address = deferred
            .at(&["resource_change", "address"])
            .and_then(SourceNode::text)
            .unwrap_or("a resource");
        notes.push(format!(
            "{address}: is deferred to a later plan and was ignored"
        ));
    }
    for change in plan.list("resource_changes") {
        let forgotten = change.at(&["change", "actions"]).is_some_and(|actions| {
            let mut actions = actions.elements().iter();
            actions.any(|one| one.text() == Some("forget"))
        });
        if forgotten && change.text_at("type") == Some("aws_dynamodb_table") && !before {
            let address = change.text_at("address").unwrap_or_default();
            notes.push(format!(
                "{address}: is no longer managed by Terraform and was ignored; the table still \
                 exists and costs money"
            ));
        }
    }
    notes
}
