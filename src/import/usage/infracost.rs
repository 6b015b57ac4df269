//! Infracost's usage file: monthly units and sizes, by resource address.
//!
//! Source: Infracost documentation, "Usage file"; the keys are those of its DynamoDB resource. An
//! entry for the resource itself takes precedence over one with wildcards, and this over the
//! defaults of the type.

use std::sync::Arc;

use super::file::{TableUsage, UsageFile};
use crate::diag::{Diagnostic, Source};
use crate::import::draft::{Fields, Sourced, TableDraft, number as written, unpriced};
use crate::import::node::{self, NodeKey, SourceNode, wrong};
use crate::import::unused::UnusedPart;
use crate::units::Exact;
use crate::unread::UnreadKind;

/// The keys of its DynamoDB resource that have no counterpart, with what they are.
const WITHOUT_COUNTERPART: &[(&str, &str)] = &[
    (
        "on_demand_backup_storage_gb",
        "on-demand backups: use `backup.on_demand`",
    ),
    (
        "monthly_data_restored_gb",
        "restores: use `backup.restores_per_year`",
    ),
    (
        "monthly_streams_read_request_units",
        "reads of the stream: use `stream.readers`",
    ),
    ("monthly_data_exported_gb", "exports: use `archive`"),
];

/// The type of tables in addresses.
const TABLE: &str = "aws_dynamodb_table";

/// Reads an Infracost usage file.
pub(super) fn read(
    source: &Arc<Source>,
    document: &SourceNode,
) -> Result<UsageFile, Vec<Diagnostic>> {
    let mut usage = UsageFile {
        source: source.clone(),
        head: Fields::default(),
        parameters: Vec::new(),
        tables: Vec::new(),
        defaults: None,
        is_shared: true,
        notes: Vec::new(),
    };
    if let Some(files) = files_of_projects(document) {
        let help = format!("give the usage file of one project: --usage {files}");
        let message =
            "this is a configuration of Infracost, which names the usage files of projects";
        return Err(vec![wrong(source, 0..1, "not-a-plan", message, help)]);
    }
    let mut found = Vec::new();
    // The file itself, and the projects in it.
    for part in std::iter::once(document).chain(document.list("projects")) {
        read_part(source, part, &mut usage, &mut found);
    }
    let has_any = |part: &SourceNode| {
        part.get("resource_usage").is_some() || part.get("resource_type_default_usage").is_some()
    };
    let mut parts = std::iter::once(document).chain(document.list("projects"));
    if !parts.any(has_any) {
        let help = "an Infracost usage file has resource_usage; a dynameter usage file is TOML \
                    with [[table]]";
        let message = "this is not a usage file";
        return Err(vec![wrong(source, 0..1, "not-a-plan", message, help)]);
    }
    match found.is_empty() {
        true => Ok(usage),
        false => Err(found),
    }
}

/// The usage files that a configuration of projects names.
fn files_of_projects(document: &SourceNode) -> Option<String> {
    let mut files: Vec<&str> = document
        .list("projects")
        .iter()
        .filter_map(|project| project.text_at("usage_file"))
        .collect();
    files.dedup();
    (!files.is_empty()).then(|| files.join(", --usage "))
}

fn read_part(
    source: &Arc<Source>,
    part: &SourceNode,
    usage: &mut UsageFile,
    found: &mut Vec<Diagnostic>,
) {
    let defaults = part
        .get("resource_type_default_usage")
        .map(SourceNode::entries);
    for (kind, given) in defaults.unwrap_or_default() {
        if kind.name == TABLE {
            usage.defaults = Some(table(source, kind, given, found));
        }
    }
    let resources = part.get("resource_usage").map(SourceNode::entries);
    for (address, given) in resources.unwrap_or_default() {
        if address.name.contains("aws_appautoscaling_target") {
            let words = "the scaled capacity was not imported: set `capacity` of the table in a \
                         TOML usage file";
            usage.notes.push(format!("{}: {words}", address.name));
        }
        if is_table(&address.name, given) {
            usage.tables.push(table(source, address, given, found));
        }
    }
}

fn table(
    source: &Arc<Source>,
    address: &NodeKey,
    given: &SourceNode,
    problems: &mut Vec<Diagnostic>,
) -> TableUsage {
    let mut table = TableUsage {
        name: address.name.clone(),
        origin: Some((source.clone(), address.span.clone())),
        ..TableUsage::default()
    };
    let mut consumed = Fields::default();
    for (key, value) in given.entries() {
        let Some(number) = value
            .scalar()
            .and_then(|text| Exact::parse(&text))
            .filter(|number| !number.is_negative())
        else {
            problems.push(wrong(
                source,
                value.span.clone(),
                "wrong-type",
                format!("{} must be a number, found {}", key.name, value.kind()),
                "write a number",
            ));
            continue;
        };
        let origin = Some((source.clone(), value.span.clone()));
        let said = |toml: String| {
            Sourced::new(
                toml,
                format!("{}: {}", address.name, key.name),
                origin.clone(),
            )
        };
        let text = written(&number);
        match key.name.as_str() {
            "monthly_read_request_units" => {
                consumed.set("read", said(format!("{{ per_month = {text} }}")))
            }
            "monthly_write_request_units" => {
                consumed.set("write", said(format!("{{ per_month = {text} }}")))
            }
            "storage_gb" => table.fields.set("stored", said(format!("\"{text} GB\""))),
            "pitr_backup_storage_gb" => table.notes.push(format!(
                "pitr_backup_storage_gb = {text} of the usage file was not imported: the size of \
                 the table says it"
            )),
            other if !number.is_zero() => {
                let known = WITHOUT_COUNTERPART.iter().find(|(name, _)| *name == other);
                let words = known.map_or("a key that is not known", |(_, words)| words);
                let what = format!("{other} = {text} of the usage file, {words}");
                let said = unpriced(UnreadKind::Feature, &what, "", origin.clone());
                table.unpriced.push(said);
            }
            _ => {}
        }
    }
    if !consumed.is_empty() {
        table.consumed.push(consumed);
    }
    table
}

/// Whether an entry is for a table: its address says so, or it is the logical ID of a template and
/// has a key of tables.
fn is_table(address: &str, given: &SourceNode) -> bool {
    let last = address
        .rsplit_once("aws_dynamodb_table.")
        .map(|(before, _)| before);
    let is_logical_id = !address.contains(['.', '_'])
        && given.entries().iter().any(|(key, _)| {
            let name = key.name.as_str();
            let own = ["monthly_read_request_units", "monthly_write_request_units"];
            own.contains(&name) || WITHOUT_COUNTERPART.iter().any(|(known, _)| *known == name)
        });
    is_logical_id || last.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The tables of an Infracost usage file that is imported without a design.
pub(in crate::import) fn tables_of(
    source: &Arc<Source>,
    notes: &mut Vec<String>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<TableDraft> {
    let usage = match node::read(source)
        .map_err(|error| vec![*error])
        .and_then(|found| read(source, &found.node))
    {
        Ok(usage) => usage,
        Err(found) => {
            problems.extend(found);
            return Vec::new();
        }
    };
    notes.extend(usage.notes.iter().cloned());
    let table = |one: &TableUsage| {
        let short = one
            .name
            .rsplit("aws_dynamodb_table.")
            .next()
            .unwrap_or(&one.name)
            .to_string();
        let mut table = TableDraft::new(
            Sourced::text(&short, one.name.clone(), one.origin.clone()),
            vec![one.name.clone()],
        );
        let mut unused = Vec::new();
        usage.join_table(one, &mut table, &mut unused);
        problems.extend(unused.into_iter().map(UnusedPart::into_error));
        table
    };
    usage.tables.iter().map(table).collect()
}
