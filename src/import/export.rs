//! S3 full exports: the number of items in a table, their sizes and their attributes.
//!
//! The workload refers to the export itself, which is measured item by item whenever the workload
//! is loaded. An export does not say which attributes are the keys; a comment lists the attributes
//! that every item has and that could be keys.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::draft::{Draft, Sourced, TableDraft, quoted};
use super::usage::UsageFile;
use crate::diag::Diagnostic;
use crate::opened;
use crate::table::{Arn, AttributeValue, NumberAlignment};
use crate::units::Exact;
use crate::workload::export_items;

/// Statistics of an attribute.
#[derive(Default)]
struct SeenItems {
    items: u64,
    bytes: u64,
    types: BTreeMap<&'static str, u64>,
}

/// The most attributes listed in comments.
const ATTRIBUTES_MAX: usize = 40;

pub(super) fn draft(
    folder: &Path,
    region: Option<&str>,
    usage: Option<&UsageFile>,
    problems: &mut Vec<Diagnostic>,
) -> Draft {
    let shown = folder.display().to_string();
    let mut draft = Draft {
        made_of: format!("the S3 export {shown}"),
        missing: "not in an export",
        ..Draft::default()
    };
    let seen = match SeenExport::of(folder) {
        Ok(seen) => seen,
        Err(message) => {
            let help = "use the folder of a full export (with manifest-summary.json and data/), \
                        or the folder that contains AWSDynamoDB/";
            problems.push(Diagnostic {
                source: None,
                span: 0..0,
                code: "export",
                message,
                help: help.to_string(),
            });
            return draft;
        }
    };
    let (table, own_region) = summary(folder);
    let name = table.unwrap_or_else(|| {
        folder.file_name().map_or_else(
            || "export".to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    });
    draft.head.set(
        "name",
        Sourced::text(&name, "the table of the export", None),
    );
    let asked = region
        .map(str::to_string)
        .or_else(|| usage.and_then(UsageFile::region));
    let note = if asked.is_some() {
        "from --region or the usage file"
    } else {
        "tableArn"
    };
    draft.head.set_some(
        "region",
        asked
            .or(own_region)
            .map(|region| Sourced::text(&region, note, None)),
    );
    let mut table = TableDraft::new(Sourced::text(&name, "tableArn", None), Vec::new());
    let item = Sourced::new(
        format!("{{ export = {} }}", quoted(&shown)),
        seen.sizes_note(),
        None,
    );
    table.fields.set("item", item);
    let items = Sourced::new(
        seen.sizes.len().to_string(),
        "number of items in the export",
        None,
    );
    table.fields.set("items", items);
    table.notes = seen.attribute_notes();
    let key = Sourced::unknown(seen.key_note());
    table.fields.set("partition_key", key);
    draft.tables.push(table);
    draft
}

/// What an export holds.
#[derive(Default)]
struct SeenExport {
    /// The bytes of each item, ascending.
    sizes: Vec<u64>,
    bytes: u64,
    attributes: BTreeMap<String, SeenItems>,
}

impl SeenExport {
    fn of(folder: &Path) -> Result<SeenExport, String> {
        let mut seen = SeenExport::default();
        let numbers = NumberAlignment::default();
        export_items(folder, &mut |_, _, item| {
            let size = item.size(numbers).0;
            seen.bytes += size;
            seen.sizes.push(size);
            for (name, value) in &item.0 {
                let seen = seen.attributes.entry(name.clone()).or_default();
                seen.items += 1;
                seen.bytes += name.len() as u64 + value.size(numbers).0;
                *seen.types.entry(type_of(value)).or_default() += 1;
            }
            Ok(())
        })?;
        seen.sizes.sort_unstable();
        Ok(seen)
    }

    fn items(&self) -> u64 {
        self.sizes.len() as u64
    }

    fn sizes_note(&self) -> String {
        let percentile = |share: u64| {
            let rank = (self.items() * share).div_ceil(100).saturating_sub(1);
            self.sizes.get(rank as usize).copied().unwrap_or(0)
        };
        format!(
            "measured item by item: mean {} B, median {} B, 99th percentile {} B",
            Exact::ratio(self.bytes, self.items().max(1)).human(1),
            percentile(50),
            percentile(99)
        )
    }

    /// The attributes, those of the most bytes first.
    fn attribute_notes(&self) -> Vec<String> {
        let mut listed: Vec<(&String, &SeenItems)> = self.attributes.iter().collect();
        listed.sort_by(|one, other| {
            let by_bytes = other.1.bytes.cmp(&one.1.bytes);
            by_bytes.then_with(|| one.0.cmp(other.0))
        });
        let mut notes = vec![format!(
            "{} items, {} B in total; attributes by total size:",
            self.items(),
            self.bytes
        )];
        for (name, seen) in listed.iter().take(ATTRIBUTES_MAX) {
            let types: Vec<&str> = seen.types.keys().copied().collect();
            notes.push(format!(
                "  {name} ({}): in {} % of the items, {} B on average",
                types.join(", "),
                Exact::ratio(seen.items * 100, self.items().max(1)).human(1),
                Exact::ratio(seen.bytes, seen.items.max(1)).human(1)
            ));
        }
        if listed.len() > ATTRIBUTES_MAX {
            notes.push(format!("  and {} more", listed.len() - ATTRIBUTES_MAX));
        }
        notes
    }

    /// The attributes that could be the partition key: of one key type, in every item.
    fn key_note(&self) -> String {
        let may_be_key = |seen: &SeenItems| {
            seen.items == self.items()
                && seen.types.len() == 1
                && seen.types.keys().all(|kind| ["S", "N", "B"].contains(kind))
        };
        let keys: Vec<&str> = self
            .attributes
            .iter()
            .filter(|(_, seen)| may_be_key(seen))
            .map(|(name, _)| name.as_str())
            .collect();
        let keys = match keys.as_slice() {
            [] => "none, as no attribute of a key type is in every item".to_string(),
            keys => keys.join(", "),
        };
        format!("not in an export; possible keys: {keys}")
    }
}

/// AWS's name of a type.
fn type_of(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::S(_) => "S",
        AttributeValue::N(_) => "N",
        AttributeValue::B(_) => "B",
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::Null => "NULL",
        AttributeValue::Ss(_) => "SS",
        AttributeValue::Ns(_) => "NS",
        AttributeValue::Bs(_) => "BS",
        AttributeValue::L(_) => "L",
        AttributeValue::M(_) => "M",
    }
}

/// The table and the region in the manifest's ARN.
fn summary(folder: &Path) -> (Option<String>, Option<String>) {
    let here = folder.join("manifest-summary.json");
    let below = || {
        let entries = std::fs::read_dir(folder.join("AWSDynamoDB")).ok()?;
        let full = |path: &std::path::PathBuf| {
            let json: Option<Value> = opened::read_to_string(path)
                .ok()
                .and_then(|text| serde_json::from_str(&text).ok());
            json.is_some_and(|json| json["exportFromTime"].is_null())
        };
        let mut found: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path().join("manifest-summary.json"))
            .filter(|path| path.is_file())
            .collect();
        found.sort();
        found.into_iter().find(full)
    };
    let path = if here.is_file() { Some(here) } else { below() };
    let json: Option<Value> = path
        .and_then(|path| opened::read_to_string(&path).ok())
        .and_then(|text| serde_json::from_str(&text).ok());
    let arn = json.and_then(|json| json["tableArn"].as_str().map(str::to_string));
    let arn = arn.as_deref().map(Arn::of);
    (
        arn.map(|arn| arn.table().to_string()),
        arn.and_then(Arn::region).map(str::to_string),
    )
}
