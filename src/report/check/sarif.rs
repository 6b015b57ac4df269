//! SARIF 2.1.0, for code scanning. Source: OASIS, "Static Analysis Results Interchange Format
//! (SARIF) Version 2.1.0".

use serde::Serialize;

use super::{finding_sentence, sentence};
use crate::check::{Checked, Place, RULES, Severity, Status};
use crate::report::json::pretty;
use crate::report::render::text::clean;

/// The rule ID of every budget limit.
const BUDGET: &str = "budget";

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
    id: &'static str,
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
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: SarifText,
    locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
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
    Location { physical_location }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Off => "none",
        Severity::Note => "note",
        Severity::Warn => "warning",
        Severity::Fail => "error",
    }
}

/// A check as SARIF 2.1.0.
pub fn check_sarif(checked: &Checked) -> String {
    let rule = |id, title: &str, why: &str, level| SarifRule {
        id,
        short_description: text(title),
        full_description: text(why),
        default_configuration: Configuration { level },
    };
    let mut rules = vec![rule(
        BUDGET,
        "a budget limit",
        "The design must stay within the limits of the budget file.",
        "error",
    )];
    rules.extend(
        RULES
            .iter()
            .map(|one| rule(one.code, one.title, one.why, level(one.severity))),
    );
    let index = |code: &str| rules.iter().position(|rule| rule.id == code).unwrap_or(0);
    let budget = |line: usize| Place {
        file: checked.budget.clone(),
        line,
    };
    let verdicts = checked
        .verdicts
        .iter()
        .filter(|verdict| verdict.status > Status::Pass)
        .map(|verdict| SarifResult {
            rule_id: BUDGET,
            rule_index: 0,
            level: if verdict.status == Status::Warn {
                "warning"
            } else {
                "error"
            },
            message: text(format!("{}: {}", verdict.limit.name, sentence(verdict))),
            locations: vec![location(&verdict.causes.first().map_or_else(
                || budget(verdict.limit.line),
                |cause| cause.place.clone(),
            ))],
        });
    let findings = checked.findings.iter().map(|finding| SarifResult {
        rule_id: finding.rule.code,
        rule_index: index(finding.rule.code),
        level: level(finding.severity),
        message: text(finding_sentence(finding)),
        locations: vec![location(&finding.place)],
    });
    let results = verdicts.chain(findings).collect();
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
