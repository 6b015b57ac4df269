//! A table resource: keys, indexes, capacity, features.

use super::plan::*;
use super::region::provider_of;
use crate::diag::Diagnostic;
use crate::import::draft::{
    Fields, IndexDraft, ReplicaDraft, Sourced, TableDraft, UnitsDraft, list, quoted, unpriced,
};
use crate::import::node::{NodeKey, SourceNode, Value, shown, wrong};
use crate::import::shared::{KmsKeys, encrypted, projection, replica_encrypted};
use crate::unread::UnreadKind;

const NO_PLAN: &str = "this is not a plan as Terraform writes it; create it again with `terraform \
                       show -json`";

pub(super) fn table(
    resource: &Resource,
    keys: &mut KmsKeys,
    before: bool,
    problems: &mut Vec<Diagnostic>,
) -> Option<TableDraft> {
    let mut table = named(resource);
    primary_key(resource, &mut table, problems)?;
    let on_demand = mode(resource, &mut table);
    let values = resource.values;
    if on_demand {
        maximum(resource, values, &mut table.capacity, problems);
    } else {
        table.read.fixed = resource.number(values, "read_capacity", problems);
        table.write.fixed = resource.number(values, "write_capacity", problems);
    }
    for index in values.list("global_secondary_index") {
        let index = index_of(resource, index, true, on_demand, problems);
        table.indexes.extend(index);
    }
    for index in values.list("local_secondary_index") {
        let mut local = index_of(resource, index, false, on_demand, problems);
        if let (Some(local), Some(hash)) = (&mut local, values.text_at("hash_key")) {
            let key = resource.said("hash_key", quoted(hash));
            local.fields.0.insert(0, ("partition_key".to_string(), key));
        }
        table.indexes.extend(local);
    }
    features(resource, &mut table, keys, before);
    for node in values.list("replica") {
        replica(resource, node, &mut table, keys);
    }
    witness(resource, &mut table);
    Some(table)
}

/// A table with its name and its class.
fn named(resource: &Resource) -> TableDraft {
    let values = resource.values;
    let (name, note) = match values.text_at("name") {
        Some(name) => (name, format!("{}: name", resource.address)),
        None => (
            resource.address,
            "the name is known only after apply; this is the resource address".to_string(),
        ),
    };
    let origin = values
        .get("name")
        .map(|node| (resource.place.0.clone(), node.span.clone()))
        .or_else(|| resource.origin.clone());
    let mut ids = vec![
        resource.address.to_string(),
        plain_address(resource.address),
    ];
    ids.extend(resource.previous_address().map(str::to_string));
    let mut table = TableDraft::new(Sourced::text(name, note, origin), ids);
    let tags = values.get("tags_all").or(values.get("tags"));
    table.tags = tags.map(tags_of).unwrap_or_default();
    table.has_unknown_tags = resource.has_unknown("tags")
        || resource.has_unknown("tags_all") && has_default_tags(resource);
    table.qualifier = Some(qualifier(resource));
    table.resource = resource.named();
    let class = match values.text_at("table_class") {
        Some("STANDARD_INFREQUENT_ACCESS") => Some("\"standard-ia\""),
        Some("STANDARD") => Some("\"standard\""),
        _ => None,
    };
    let class = class.map(|class| resource.said("table_class", class));
    table.fields.set_some("class", class);
    table
}

fn tags_of(node: &SourceNode) -> Vec<(String, String)> {
    let tag =
        |(key, value): &(NodeKey, SourceNode)| Some((key.name.clone(), value.text()?.to_string()));
    node.entries().iter().filter_map(tag).collect()
}

/// Whether the provider adds tags of its own.
fn has_default_tags(resource: &Resource) -> bool {
    let Some(config) = &resource.config else {
        return false;
    };
    let key = provider_of(resource).unwrap_or("aws");
    let path = [
        "configuration",
        "provider_config",
        key,
        "expressions",
        "default_tags",
    ];
    config.plan.at(&path).is_some()
}

/// What tells a table from one of the same name: its provider, or else its address.
fn qualifier(resource: &Resource) -> String {
    let alias = provider_of(resource).and_then(|key| key.rsplit_once('.'));
    let name = alias.map_or(resource.address, |(_, alias)| alias);
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect()
}

/// The primary key; a table that is restored has that of its source.
fn primary_key(
    resource: &Resource,
    table: &mut TableDraft,
    problems: &mut Vec<Diagnostic>,
) -> Option<()> {
    let values = resource.values;
    let key = |name: &str| key_of(values.list("attribute"), name);
    let is_restored = values.get("restore_source_name").is_some()
        || values.get("restore_source_table_arn").is_some();
    match values.text_at("hash_key") {
        Some(hash) => table
            .fields
            .set("partition_key", resource.said("hash_key", key(hash))),
        None if is_restored => {}
        None => {
            problems.push(wrong(
                &resource.place.0,
                resource.place.1.clone(),
                "missing-key",
                format!("{} has no hash_key", resource.address),
                NO_PLAN,
            ));
            return None;
        }
    }
    if let Some(range) = values.text_at("range_key") {
        let sort = resource.said("range_key", key(range));
        table.fields.set("sort_key", sort);
    }
    Some(())
}

/// Sets the capacity mode; returns whether it is on demand.
fn mode(resource: &Resource, table: &mut TableDraft) -> bool {
    // The default of billing_mode is PROVISIONED.
    let mode = resource.values.text_at("billing_mode");
    let on_demand = mode == Some("PAY_PER_REQUEST");
    let word = match on_demand {
        true => "\"on-demand\"",
        false => "\"provisioned\"",
    };
    let said = match resource.values.get("billing_mode") {
        Some(_) => resource.said("billing_mode", word),
        None => Sourced::new(
            word,
            format!(
                "{}: no billing_mode, which means PROVISIONED",
                resource.address
            ),
            resource.origin.clone(),
        ),
    };
    table.capacity.set("mode", said);
    on_demand
}

/// Adds a replica, with its recovery and its encryption.
fn replica(resource: &Resource, node: &SourceNode, table: &mut TableDraft, keys: &mut KmsKeys) {
    let Some(region) = node.text_at("region_name") else {
        return;
    };
    let place = Some((resource.place.0.clone(), node.span.clone()));
    let note = format!("{}: replica", resource.address);
    let mut draft = replica_of(Sourced::text(region, note, place.clone()));
    if is_on(node, "point_in_time_recovery") {
        let said = Sourced::new("true", "point_in_time_recovery", place.clone());
        draft.fields.set("pitr", said);
    }
    if let Some(key) = replica_key(resource, node, region) {
        let note = format!("{}: the KMS key in {region}", resource.address);
        let said = Sourced::new("1", note, place.clone());
        replica_encrypted(&mut draft, &key, said, keys);
    }
    if node.text_at("consistency_mode") == Some("STRONG") {
        let said = Sourced::new("\"strong\"", "consistency_mode", place);
        table.fields.set("multi_region_consistency", said);
    }
    table.replicas.push(draft);
}

/// Adds the witness of a table with multi-Region strong consistency.
fn witness(resource: &Resource, table: &mut TableDraft) {
    let block = resource.values.block("global_table_witness");
    let Some((node, region)) = block.and_then(|node| Some((node, node.text_at("region_name")?)))
    else {
        return;
    };
    let place = Some((resource.place.0.clone(), node.span.clone()));
    let note = format!("{}: global_table_witness", resource.address);
    let mut draft = replica_of(Sourced::text(region, note, place.clone()));
    draft.fields.set("witness", Sourced::new("true", "", place));
    table.replicas.push(draft);
}

/// Whether a setting is `true`.
fn is_on(node: &SourceNode, key: &str) -> bool {
    node.get(key).and_then(SourceNode::truth) == Some(true)
}

/// The settings of a table that have a price: the attributes of the resource, and of its blocks.
/// Whatever else is known only after apply changes nothing.
const PRICED: &[(&str, &[&str])] = &[
    ("billing_mode", &[]),
    ("table_class", &[]),
    ("stream_enabled", &[]),
    ("restore_source_name", &[]),
    ("restore_source_table_arn", &[]),
    ("ttl", &["enabled"]),
    ("point_in_time_recovery", &["enabled"]),
    ("server_side_encryption", &["enabled"]),
    ("global_secondary_index", INDEX),
    ("local_secondary_index", INDEX),
    ("replica", &["region_name", "point_in_time_recovery"]),
    ("global_table_witness", &["region_name"]),
    ("on_demand_throughput", MAXIMUM),
    ("import_table", &["input_format", "s3_bucket_source"]),
    (
        "warm_throughput",
        &["read_units_per_second", "write_units_per_second"],
    ),
];

const INDEX: &[&str] = &[
    "name",
    "projection_type",
    "non_key_attributes",
    "on_demand_throughput",
];

const MAXIMUM: &[&str] = &["max_read_request_units", "max_write_request_units"];

/// Blocks that AWS never adds by itself: if one is unknown as a whole, its number is unknown.
const NEVER_COMPUTED: &[&str] = &[
    "global_secondary_index",
    "local_secondary_index",
    "replica",
    "global_table_witness",
    "on_demand_throughput",
    "import_table",
];

/// Adds the settings of a table that are known only after apply and affect its cost as unpriced.
pub(super) fn not_planned(resource: &Resource, table: &mut TableDraft) {
    let Some(unknown) = resource
        .change()
        .and_then(|change| change.at(&["change", "after_unknown"]))
    else {
        return;
    };
    for (key, nested) in PRICED {
        let Some(node) = unknown.get(key) else {
            continue;
        };
        // Settings that are not configured have AWS's default, which the plan of a new table does
        // not show. `dynamic` blocks are lists and do not appear in the configuration.
        let configured = resource
            .config
            .as_ref()
            .is_none_or(|config| config.node.at(&["expressions", key]).is_some());
        let is_unknown = match &node.value {
            Value::List(blocks) => blocks.iter().any(|block| {
                let of_block = |key: &&str| block.get(key).is_some_and(holds_true);
                block.truth() == Some(true) || nested.iter().any(of_block)
            }),
            _ => node.truth() == Some(true) && (configured || NEVER_COMPUTED.contains(key)),
        };
        if is_unknown {
            table.unpriced.push(unpriced(
                UnreadKind::AfterApply,
                &format!("{key}: known only after apply"),
                resource.address,
                resource.origin.clone(),
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
    keys: &mut KmsKeys,
    before: bool,
) {
    let enabled = |block: &str| {
        let block = resource.values.block(block);
        block.filter(|block| is_on(block, "enabled"))
    };
    if let Some(ttl) = enabled("ttl") {
        let attribute = ttl.text_at("attribute_name").unwrap_or_default();
        let note = format!(
            "{}: ttl on {attribute}; how many items expire? {{ per_day = 1000 }}",
            resource.address
        );
        let said = resource.said("ttl", crate::import::draft::UNKNOWN);
        table.block("ttl").set("deletes", Sourced { note, ..said });
    }
    if let Some(pitr) = enabled("point_in_time_recovery") {
        let days = pitr
            .get("recovery_period_in_days")
            .and_then(SourceNode::scalar)
            .map(|days| format!(", {days} days (the price does not depend on it)"));
        let note = format!(
            "{}: point_in_time_recovery{}",
            resource.address,
            days.unwrap_or_default()
        );
        let said = resource.said("point_in_time_recovery", "true");
        table.block("backup").set("pitr", Sourced { note, ..said });
    }
    if is_on(resource.values, "stream_enabled") {
        stream(resource, table);
    }
    if let Some(encryption) = enabled("server_side_encryption") {
        let key = kms_key(resource, encryption, before);
        let said = resource.said("server_side_encryption", "1");
        encrypted(table, key.as_deref(), said, keys);
    }
    not_described(resource, table);
}

fn stream(resource: &Resource, table: &mut TableDraft) {
    let view = resource
        .values
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

/// The customer managed key of a table, by its ARN or by the expression that names it.
///
/// A table's state contains the ARN even of an AWS managed key; the configuration names only
/// customer managed keys.
fn kms_key(resource: &Resource, encryption: &SourceNode, before: bool) -> Option<String> {
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
    // A value that is present but empty means no customer managed key, even if an expression could
    // set one.
    let is_empty = known.is_none()
        && encryption
            .entries()
            .iter()
            .any(|(key, _)| key.name == "kms_key_arn");
    match written {
        _ if is_empty => None,
        // `dynamic` blocks, and blocks from before the change, are not in the configuration.
        _ if before || block.is_none() => known,
        Some(Some(expression)) => known.or_else(|| resource.own_reference(expression)),
        Some(None) => None,
        None => known,
    }
}

/// The customer managed key of a replica, as [`kms_key`]; the configuration has its replicas in
/// another order.
fn replica_key(resource: &Resource, node: &SourceNode, region: &str) -> Option<String> {
    let known = node.text_at("kms_key_arn").filter(|arn| !arn.is_empty());
    let known = known.map(str::to_string);
    let config = resource.config.as_ref();
    let blocks = config.and_then(|config| config.node.at(&["expressions", "replica"]));
    let of_region = |block: &&SourceNode| {
        let name = block.at(&["region_name", "constant_value"]);
        name.and_then(SourceNode::text) == Some(region)
    };
    match blocks.and_then(|blocks| blocks.elements().iter().find(of_region)) {
        // `dynamic` blocks, and regions that are expressions, are not told apart.
        None => known,
        Some(block) => {
            let expression = block.get("kms_key_arn")?;
            known.or_else(|| resource.own_reference(expression))
        }
    }
}

/// What a workload cannot describe: imports, purchased warm throughput, restores.
fn not_described(resource: &Resource, table: &mut TableDraft) {
    let values = resource.values;
    let mut add = |key: &str, what: &str| {
        let origin = resource.said(key, "").origin;
        let said = unpriced(UnreadKind::Feature, what, "", origin);
        table.unpriced.push(said);
    };
    if !values.list("import_table").is_empty() {
        let what = "an import from S3 when the table is created";
        add("import_table", what);
    }
    // Every table has some free warm throughput, which its state shows; only the configuration
    // shows what is purchased.
    let of_index = |node: &SourceNode| node.list("global_secondary_index").iter().any(is_warm);
    if said_or_new(resource).any(|node| is_warm(node) || of_index(node)) {
        add("warm_throughput", "purchased warm throughput");
    }
    let restored = [
        "restore_source_name",
        "restore_source_table_arn",
        "restore_backup_arn",
    ];
    let restored = restored.into_iter().find(|key| values.get(key).is_some());
    if let Some(key) = restored.filter(|_| resource.is_created()) {
        add(key, "a restore when the table is created, charged per GB");
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
    problems: &mut Vec<Diagnostic>,
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
    let schema = index.list("key_schema");
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
    problems: &mut Vec<Diagnostic>,
) -> Option<IndexDraft> {
    let name = node
        .text_at("name")
        .or_else(|| node.text_at("index_name"))?;
    let place = |key: &str| {
        let span = node.get(key).unwrap_or(node).span.clone();
        Some((resource.place.0.clone(), span))
    };
    let mut fields = Fields::default();
    let hash = keys_of(node, "hash_key", "hash_keys", "HASH");
    if global && hash.is_empty() {
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
            NO_PLAN,
        ));
        return None;
    }
    if global {
        let said = Sourced::new(list(&hash), "hash_key", place("hash_key"));
        fields.set("partition_key", said);
    }
    let range = keys_of(node, "range_key", "range_keys", "RANGE");
    if !range.is_empty() {
        let said = Sourced::new(list(&range), "range_key", place("range_key"));
        fields.set("sort_key", said);
    }
    fields.set_some("projection", projection_of(resource, node));
    let (mut read, mut write) = (UnitsDraft::default(), UnitsDraft::default());
    if global && on_demand {
        maximum(resource, node, &mut fields, problems);
    } else if global {
        let block = node.block("provisioned_throughput").unwrap_or(node);
        let mut number = |keys: [&str; 2]| {
            keys.iter()
                .find_map(|key| resource.number(block, key, problems))
        };
        read.fixed = number(["read_capacity", "read_capacity_units"]);
        write.fixed = number(["write_capacity", "write_capacity_units"]);
    }
    let kind = match global {
        true => "global_secondary_index",
        false => "local_secondary_index",
    };
    let note = format!("{}: {kind}", resource.address);
    Some(IndexDraft {
        name: Sourced::text(name, note, place("name")),
        global,
        fields,
        read,
        write,
        schedule: Vec::new(),
    })
}

/// The projection of an index.
fn projection_of(resource: &Resource, node: &SourceNode) -> Option<Sourced> {
    let block = node.block("projection").unwrap_or(node);
    let toml = projection(
        block.text_at("projection_type").unwrap_or("ALL"),
        &texts(block.get("non_key_attributes")),
    )?;
    let words = match block.list("non_key_attributes") {
        [] => "projection_type",
        _ => "projection_type, non_key_attributes",
    };
    let span = block.get("projection_type").unwrap_or(node).span.clone();
    Some(Sourced::new(
        toml,
        words,
        Some((resource.place.0.clone(), span)),
    ))
}
