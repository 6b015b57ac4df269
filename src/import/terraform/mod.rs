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

use crate::diag::Source;
use crate::import::draft::{Draft, Sourced, quoted};
use crate::import::node::SourceNode;
use crate::import::scaling::{self, ScalingTarget};
use crate::import::{Context, name_of, names_of};
use parts::*;
use plan::*;
use region::*;
use table::*;

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
