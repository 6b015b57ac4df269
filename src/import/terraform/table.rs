//! A table resource: keys, indexes, capacity, features.

use std::collections::BTreeMap;

use super::plan::*;
use crate::import::draft::{
    Fields, IndexDraft, ReplicaDraft, Sourced, TableDraft, UnitsDraft, list, quoted,
};
use crate::import::node::{SourceNode, Value, shown, wrong};
use crate::import::shared::{also_encrypted, encrypted, projection};

pub(super) fn table(
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
pub(super) fn not_planned(resource: &Resource, table: &mut TableDraft) {
    let Some(unknown) = resource
        .change()
        .and_then(|change| change.at(&["change", "after_unknown"]))
    else {
        return;
    };
    pub(super) fn holds_true(node: &SourceNode) -> bool {
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

pub(super) fn replica_of(region: Sourced) -> ReplicaDraft {
    ReplicaDraft {
        region,
        fields: Fields::default(),
        read: UnitsDraft::default(),
        indexes: Vec::new(),
        access: Vec::new(),
    }
}

/// Adds Time to Live, recovery, streams, encryption, and features that a workload cannot describe.
pub(super) fn features(
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
                ..resource.said("ttl", crate::import::draft::UNKNOWN)
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
pub(super) fn said_or_new<'a>(resource: &'a Resource) -> impl Iterator<Item = &'a SourceNode> {
    let written = resource
        .config
        .as_ref()
        .and_then(|config| config.node.get("expressions"));
    written
        .into_iter()
        .chain(Some(resource.values).filter(|_| resource.is_created()))
}

pub(super) fn is_warm(node: &SourceNode) -> bool {
    node.get("warm_throughput")
        .is_some_and(|warm| !warm.elements().is_empty() || !warm.entries().is_empty())
}

/// The maximum throughput of an on-demand table or index; -1 means no maximum.
pub(super) fn maximum(
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
pub(super) fn key_of(types: &[SourceNode], name: &str) -> String {
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

pub(super) fn texts(node: Option<&SourceNode>) -> Vec<String> {
    node.map(SourceNode::elements)
        .unwrap_or_default()
        .iter()
        .filter_map(|node| node.text().map(str::to_string))
        .collect()
}

/// The key attributes of an index of one key type.
pub(super) fn keys_of(index: &SourceNode, single: &str, several: &str, kind: &str) -> Vec<String> {
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

pub(super) fn index_of(
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
