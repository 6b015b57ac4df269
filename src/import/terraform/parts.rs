//! Resources that belong to a table: indexes and replicas of their own, insights, DAX, scaling.

use super::plan::*;
use super::region::*;
use super::table::*;
use crate::import::draft::{Draft, Fields, IndexDraft, Sourced, TableDraft, quoted};
use crate::import::node::SourceNode;
use crate::import::scaling::{self, NOWHERE, ScalingTarget, ScheduledAction, Suspended};
use crate::import::shared::{KmsKeys, attach_dax, replica_encrypted};
use crate::table::Arn;
use crate::unread::UnreadKind;

/// Runs `act` on the table that a resource names; adds a note if the table is not in the plan. If
/// it is unknown which table is named, the resource becomes unpriced.
pub(super) fn with_table(
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
        let said = resource.unread(UnreadKind::AfterApply, &words);
        draft.unpriced.push(said);
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
            let words = format!(
                "{}: cannot determine which of {} it belongs to",
                resource.address,
                addresses.join(", ")
            );
            let said = resource.unread(UnreadKind::AfterApply, &words);
            draft.unpriced.push(said);
        }
        None => {
            let words = format!(
                "{}: its table ({name}) is not in this plan",
                resource.address
            );
            let said = resource.unread(UnreadKind::OtherTable, &words);
            draft.unpriced.push(said);
        }
    }
}

/// An index that is a separate resource.
pub(super) fn own_index(
    resource: &Resource,
    draft: &mut Draft,
    problems: &mut Vec<crate::diag::Diagnostic>,
) {
    with_table(resource, "table_name", draft, |table, resource| {
        let on_demand = !table.is_provisioned();
        let index = index_of(resource, resource.values, true, on_demand, problems);
        if said_or_new(resource).any(is_warm) {
            let what = format!("purchased warm throughput ({})", resource.address);
            let what = resource.unread(UnreadKind::Feature, &what);
            table.unpriced.push(what);
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
pub(super) fn own_replica(resource: &Resource, draft: &mut Draft, keys: &mut KmsKeys) {
    let region = region_of(resource);
    with_table(resource, "global_table_arn", draft, |table, resource| {
        let Some((_, region)) = region else {
            let words = format!(
                "{}: a replica in a region that the plan does not contain",
                resource.address
            );
            table
                .unpriced
                .push(resource.unread(UnreadKind::AfterApply, &words));
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
        let is_named = resource.config.as_ref().is_none_or(|config| {
            let expression = config.node.at(&["expressions", "kms_key_arn"]);
            expression.is_some()
        });
        let key = resource.text_or_reference("kms_key_arn");
        if let Some(key) = key.filter(|key| is_named && !key.is_empty()) {
            let said = resource.said("kms_key_arn", "1");
            replica_encrypted(&mut replica, &key, said, keys);
        }
        table.replicas.push(replica);
    });
}

/// A global table of version 2017.11.29: tables of the same name in several regions.
pub(super) fn global_table(resource: &Resource, draft: &mut Draft, home: Option<&str>) {
    with_table(resource, "name", draft, |table, resource| {
        for replica in resource.values.list("replica") {
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

pub(super) fn insights(resource: &Resource, draft: &mut Draft, here: bool) {
    let region = region_of(resource).map(|(region, _)| region);
    with_table(resource, "table_name", draft, |table, resource| {
        let index = resource
            .values
            .text_at("index_name")
            .filter(|name| !name.is_empty())
            .map(str::to_string);
        let said = match resource.values.text_at("mode") {
            Some("THROTTLED_KEYS") => resource.said("mode", "\"throttled-keys\""),
            _ => resource.said("table_name", "true"),
        };
        let set = |fields: &mut Fields| fields.set("contributor_insights", said.clone());
        if !here {
            let global = table.global_names();
            let Some(replica) = table
                .replicas
                .iter_mut()
                .find(|replica| Some(replica.region.plain()) == region)
            else {
                let words = format!(
                    "{}: the table has no replica in its region",
                    resource.address
                );
                table
                    .unpriced
                    .push(resource.unread(UnreadKind::OtherRegion, &words));
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
                None => {
                    let words = format!("{}: the table has no index {name}", resource.address);
                    table
                        .unpriced
                        .push(resource.unread(UnreadKind::OtherTable, &words));
                }
            },
        }
    });
}

/// A plan does not say which tables a DAX cluster serves: use the first table that has no cluster
/// yet.
pub(super) fn dax(
    resource: &Resource,
    draft: &mut Draft,
    problems: &mut Vec<crate::diag::Diagnostic>,
) {
    let nodes = resource.number(resource.values, "replication_factor", problems);
    let kind = resource
        .values
        .text_at("node_type")
        .map(|kind| resource.said("node_type", quoted(kind)));
    attach_dax(draft, resource.address, kind, nodes);
}

/// Auto scaling: adds a target, or a policy or schedule to its target.
pub(super) fn scaled(
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
