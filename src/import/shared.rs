//! What Terraform and CloudFormation have in common: encryption, DAX clusters, projections.

use std::collections::BTreeSet;

use crate::import::draft::{Draft, Fields, ReplicaDraft, Sourced, TableDraft, quoted, unpriced};
use crate::unread::UnreadKind;

/// The KMS keys of the files, by region (empty: the home region) and name: the same alias in two
/// regions is two keys.
pub(in crate::import) type KmsKeys = BTreeSet<(String, String)>;

/// What the key of a table or a replica adds: a key is charged to the first table that names it; for
/// an AWS managed key only requests are charged.
fn key_count(key: Option<&str>, region: &str, keys: &mut KmsKeys) -> (u8, &'static str) {
    match key {
        None => (
            0,
            "; an AWS managed key has no monthly price, but its requests are charged",
        ),
        Some(key) if !keys.insert((region.to_string(), key.to_string())) => {
            (0, "; the same key is already charged to another table")
        }
        Some(_) => (1, ""),
    }
}

/// Adds the key of a table in its home region.
pub(in crate::import) fn encrypted(
    table: &mut TableDraft,
    key: Option<&str>,
    said: Sourced,
    keys: &mut KmsKeys,
) {
    let (count, words) = key_count(key, "", keys);
    let said = Sourced {
        toml: count.to_string(),
        note: format!("{}{words}", said.note),
        ..said
    };
    table.block("encryption").set("keys", said);
}

/// Adds the key of a replica: each region has its own key with its own price.
pub(in crate::import) fn replica_encrypted(
    replica: &mut ReplicaDraft,
    key: &str,
    said: Sourced,
    keys: &mut KmsKeys,
) {
    let (count, words) = key_count(Some(key), &replica.region.plain(), keys);
    let said = Sourced {
        toml: format!("{{ keys = {count} }}"),
        note: format!("{}{words}", said.note),
        ..said
    };
    replica.fields.set("encryption", said);
}

/// Gives every replica of an encrypted table that names no key the AWS managed key of its region.
pub(in crate::import) fn replicas_without_key(draft: &mut Draft) {
    let encrypted = draft
        .tables
        .iter_mut()
        .filter(|table| table.find_block("encryption").is_some());
    for replica in encrypted.flat_map(|table| &mut table.replicas) {
        let is_witness = replica.fields.get("witness").is_some();
        if replica.fields.get("encryption").is_none() && !is_witness {
            let note = "no KMS key of its own: the AWS managed key of its region";
            let said = Sourced::new("{ keys = 0 }", note, replica.region.origin.clone());
            replica.fields.set("encryption", said);
        }
    }
}

/// The projection of an index, from its type and attributes.
pub(in crate::import) fn projection(kind: &str, attributes: &[String]) -> Option<String> {
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

pub(in crate::import) fn attach_dax(
    draft: &mut Draft,
    label: &str,
    kind: Option<Sourced>,
    nodes: Option<Sourced>,
) {
    let origin = kind.as_ref().and_then(|kind| kind.origin.clone());
    let (Some(kind), Some(nodes)) = (kind, nodes.filter(|nodes| !nodes.is_unknown())) else {
        let words =
            format!("the DAX cluster {label}, whose node type or number of nodes is unknown");
        let said = unpriced(UnreadKind::AfterApply, &words, "", origin);
        match draft.tables.first_mut() {
            Some(table) => table.unpriced.push(said),
            None => draft.unpriced.push(said),
        }
        return;
    };
    // Only if there is a single table is it clear which one the cluster serves.
    let table = match draft.tables.as_mut_slice() {
        [table] if table.find_block("dax").is_none() => table,
        tables => {
            if !tables.is_empty() {
                draft.notes.push(format!(
                    "{label}: the file does not say which table the cluster serves, so only its \
                     nodes are billed; [table.dax] with hit_ratio in a usage file moves it to a table"
                ));
            }
            let mut cluster = Fields::default();
            cluster.set("name", Sourced::text(label, "", origin));
            cluster.set("node_type", kind);
            cluster.set("nodes", nodes);
            draft.clusters.push(cluster);
            return;
        }
    };
    let dax = table.block("dax");
    dax.set("node_type", kind);
    dax.set("nodes", nodes);
    dax.set(
        "hit_ratio",
        Sourced::unknown("the share of eventually consistent reads that it answers, such as 0.9"),
    );
}

/// What a file says about a vector index; a value that it lacks is `None`.
pub(super) struct SaidVector {
    pub name: Option<Sourced>,
    pub attribute: Option<Sourced>,
    pub dimensions: Option<Sourced>,
    pub projection: Option<Sourced>,
    /// Attributes that searches filter by, which the index holds.
    pub filters: Vec<String>,
    /// Where it is written.
    pub place: Sourced,
}

impl SaidVector {
    /// Adds the vector index to its table, or as an unknown cost if it is not known completely.
    pub fn add(self, table: &mut TableDraft) {
        let SaidVector {
            projection,
            filters,
            place,
            ..
        } = self;
        let label = self.name.as_ref().map(Sourced::plain).unwrap_or_default();
        let (Some(name), Some(attribute), Some(dimensions)) =
            (self.name, self.attribute, self.dimensions)
        else {
            let toml = quoted(&format!(
                "the vector index {label}: VectorWriteRequest, VectorSearch and its storage"
            ));
            table.unpriced.push(Sourced { toml, ..place });
            return;
        };
        let mut fields = Fields::default();
        fields.set("name", name);
        fields.set("attribute", attribute);
        fields.set("dimensions", dimensions);
        // An index of keys only also holds what its searches filter by.
        let keys_only = projection
            .as_ref()
            .is_some_and(|said| said.toml == "\"keys-only\"");
        let projection = match projection {
            Some(said) if keys_only && !filters.is_empty() => {
                let names: Vec<String> = filters.iter().map(|name| quoted(name)).collect();
                Some(Sourced {
                    toml: format!("{{ include = [{}] }}", names.join(", ")),
                    note: "the keys, and what its searches filter by".to_string(),
                    ..said
                })
            }
            projection => projection,
        };
        fields.set_some("projection", projection);
        table.vectors.push(fields);
    }
}
