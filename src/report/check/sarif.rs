//! SARIF 2.1.0, for code scanning. Source: OASIS, "Static Analysis Results Interchange Format
//! (SARIF) Version 2.1.0".

use std::collections::BTreeSet;

use serde::Serialize;

use super::{finding_sentence, sentence, unread_sentence, unread_status, what};
use crate::check::{Checked, Limit, Place, RULES, Severity, Status};
use crate::report::json::pretty;
use crate::report::render::text::clean;
use crate::unread::UnreadKind;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifLog {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<SarifRun>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    semantic_version: &'static str,
    rules: Vec<SarifRule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    id: String,
    short_description: SarifText,
    full_description: SarifText,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct SarifText {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: SarifText,
    locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
}

/// What stays the same when lines move: code scanning recognises a result by it.
#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "dynameterSubject/v1")]
    subject: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
}

/// The resource of a plan or the construct of the CDK.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

fn text(text: impl AsRef<str>) -> SarifText {
    SarifText {
        text: clean(text.as_ref()),
    }
}

/// A path as a relative URI reference; reserved characters are percent-encoded.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.replace('\\', "/")
        .bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn location(place: &Place) -> Location {
    let physical_location = Physical {
        artifact_location: Artifact {
            uri: uri(&place.file),
        },
        region: Region {
            start_line: place.line.max(1),
        },
    };
    let resource = place.resource.as_ref().map(|resource| LogicalLocation {
        fully_qualified_name: clean(resource),
        kind: "resource",
    });
    Location {
        physical_location,
        logical_locations: resource.into_iter().collect(),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Off => "none",
        Severity::Note => "note",
        Severity::Warn => "warning",
        Severity::Fail => "error",
    }
}

/// The rule ID of a limit: one rule for each limit, so that code scanning shows and dismisses them
/// separately.
fn limit_id(limit: &Limit) -> String {
    format!("budget/{}/{}", limit.name, limit.measure.word())
}

fn unread_id(kind: UnreadKind) -> String {
    format!("unread/{}", kind.word())
}

/// The rules of a check: its limits, the kinds of what was not read, and the findings.
fn rules(checked: &Checked) -> Vec<SarifRule> {
    let rule = |id: String, title: &str, why: &str, level| SarifRule {
        id,
        short_description: text(title),
        full_description: text(why),
        default_configuration: Configuration { level },
    };
    let mut rules: Vec<SarifRule> = Vec::new();
    for verdict in &checked.verdicts {
        let limit = &verdict.limit;
        let title = format!("{}: {}", limit.name, what(verdict));
        let why = "The design must stay within the limits of the budget file.";
        let one = rule(limit_id(limit), &title, why, "error");
        if !rules.iter().any(|known| known.id == one.id) {
            rules.push(one);
        }
    }
    let kinds: BTreeSet<UnreadKind> = checked.unread.iter().map(|one| one.unread.kind).collect();
    rules.extend(kinds.into_iter().map(|kind| {
        let why = match kind.is_in_the_bill() {
            true => "Its cost is in the bill, which is an upper bound.",
            false => "Its cost is unknown, and limits that need it are undecided.",
        };
        rule(unread_id(kind), kind.meaning(), why, "error")
    }));
    rules.extend(RULES.iter().map(|one| {
        rule(
            one.code.to_string(),
            one.title,
            one.why,
            level(one.severity),
        )
    }));
    rules
}

/// The level of a status.
fn level_of(status: Status) -> &'static str {
    match status {
        Status::Pass => "note",
        Status::Warn => "warning",
        Status::Fail | Status::Unknown => "error",
    }
}

/// A check as SARIF 2.1.0.
pub fn check_sarif(checked: &Checked) -> String {
    let rules = rules(checked);
    let result = |id: String, level, message: String, place: &Place, same: String| SarifResult {
        rule_index: rules.iter().position(|rule| rule.id == id).unwrap_or(0),
        partial_fingerprints: Fingerprints {
            subject: clean(&format!("{id}|{same}")),
        },
        rule_id: id,
        level,
        message: text(message),
        locations: vec![location(place)],
    };
    let over = checked.verdicts.iter();
    let over = over.filter(|verdict| verdict.status > Status::Pass);
    let verdicts = over.map(|verdict| {
        let budget = Place::new(checked.budget.clone(), verdict.limit.line);
        let place = verdict.place();
        result(
            limit_id(&verdict.limit),
            level_of(verdict.status),
            format!("{}: {}", verdict.limit.name, sentence(verdict)),
            place.unwrap_or(&budget),
            verdict.limit.scope.words(),
        )
    });
    let unread = checked.unread.iter().map(|one| {
        let same = format!("{}|{}", one.table.as_deref().unwrap_or_default(), one.what);
        result(
            unread_id(one.unread.kind),
            level_of(unread_status(checked, one)),
            unread_sentence(one),
            &one.unread.place,
            same,
        )
    });
    let findings = checked.findings.iter().map(|finding| {
        result(
            finding.rule.code.to_string(),
            level(finding.severity),
            finding_sentence(finding),
            &finding.place,
            [
                Some(finding.table.as_str()),
                finding.index.as_deref(),
                finding.access.as_deref(),
            ]
            .map(Option::unwrap_or_default)
            .join("|"),
        )
    });
    let results = verdicts.chain(unread).chain(findings).collect();
    let version = env!("CARGO_PKG_VERSION");
    pretty(&SarifLog {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: vec![SarifRun {
            tool: Tool {
                driver: Driver {
                    name: "dynameter",
                    version,
                    semantic_version: version,
                    rules,
                },
            },
            column_kind: "unicodeCodePoints",
            results,
        }],
    })
}
