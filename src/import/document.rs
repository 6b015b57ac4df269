//! A file as its tool writes it: what it is, and the document within it.

use std::path::Path;
use std::sync::Arc;

use super::node::{self, SourceNode, Value, wrong};
use super::{ImportFormat, describe, model, pulumi, synthesized};
use crate::diag::{Diagnostic, Source};

/// A file that was read.
#[derive(Clone, Debug)]
pub(super) struct ReadFile {
    pub source: Arc<Source>,
    pub node: SourceNode,
    /// Keys that a map contains twice.
    duplicates: Vec<Diagnostic>,
}

impl ReadFile {
    /// Reads a file, and takes the document out of what other tools put around it.
    ///
    /// # Errors
    /// The first error in it.
    pub fn read(source: &Arc<Source>) -> Result<ReadFile, Diagnostic> {
        let source = without_wrapper(source);
        let read = node::read(&source).map_err(|error| *error)?;
        let file = ReadFile {
            source,
            node: read.node,
            duplicates: read.duplicates,
        };
        file.within()
    }

    /// The document within an answer, and plans of other tools as Terraform writes them.
    fn within(self) -> Result<ReadFile, Diagnostic> {
        // The answer of `aws cloudformation get-template`.
        if let Some(body) = self.node.get("TemplateBody") {
            return match body.text() {
                Some(text) => ReadFile::read(&Source::new(&self.source.name, text)),
                None => Ok(ReadFile {
                    node: body.clone(),
                    ..self
                }),
            };
        }
        let node = pulumi::as_plan(&self.node).or_else(|| synthesized::as_plan(&self.node));
        Ok(match node {
            Some(node) => ReadFile { node, ..self },
            None => self,
        })
    }

    /// What the file is; `None` if it is nothing that is known.
    pub fn kind(&self) -> Option<ImportFormat> {
        kind_of(&self.node)
    }

    /// The error for a file that is not of a kind.
    pub fn is_not(&self, kind: ImportFormat) -> Option<Diagnostic> {
        let seems = self.kind();
        if seems == Some(kind) {
            return None;
        }
        let start = self.node.span.start..self.node.span.start.saturating_add(1);
        Some(match seems {
            Some(other) => wrong(
                &self.source,
                start,
                "not-a-plan",
                format!("this is {}, not {}", other.described(), kind.described()),
                format!(
                    "run `dynameter import {} {}`",
                    other.word(),
                    self.source.name
                ),
            ),
            None => self.unknown_kind(),
        })
    }

    /// The error for a document that is not a design; names what it seems to be.
    pub fn unknown_kind(&self) -> Diagnostic {
        unknown_kind(&self.source, &self.node)
    }

    /// Keys that are there twice in what is read.
    pub fn wrong_keys(&self) -> Vec<Diagnostic> {
        let duplicates = self.duplicates.iter();
        let wrong = duplicates.filter(|one| self.is_read(one.span.start));
        wrong.cloned().collect()
    }

    /// Notes about keys that are there twice elsewhere, of which the last one counts.
    pub fn harmless_keys(&self) -> Vec<String> {
        let duplicates = self.duplicates.iter();
        let harmless = duplicates.filter(|one| !self.is_read(one.span.start));
        let note = |one: &Diagnostic| {
            let (line, _) = self.source.line_column(one.span.start);
            format!("line {line}: {}; the last one counts", one.message)
        };
        harmless.map(note).collect()
    }

    /// Whether a place is in what an import reads: of a template, its resources that cost, and what
    /// they may refer to.
    fn is_read(&self, at: usize) -> bool {
        let Some(resources) = self.node.get("Resources") else {
            return true;
        };
        if !resources.span.contains(&at) {
            return true;
        }
        let resource = |(_, resource): &&(node::NodeKey, SourceNode)| resource.span.contains(&at);
        match resources.entries().iter().find(resource) {
            None => true,
            Some((_, resource)) => {
                let kind = resource.text_at("Type").unwrap_or_default();
                let services = ["DynamoDB", "DAX", "Scaling", "Backup", "Table", "Stack"];
                services.iter().any(|service| kind.contains(service))
            }
        }
    }
}

/// A text without what wraps it: the lines that the wrapper of hashicorp/setup-terraform adds, or the
/// quotes of a text that contains the document.
fn without_wrapper(source: &Arc<Source>) -> Arc<Source> {
    let text = &source.text;
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with("[command]") {
        // As many spaces, so that places stay the same.
        let blank = |line: &str| match line.starts_with("[command]") || line.starts_with("::") {
            true => " ".repeat(line.len()),
            false => line.to_string(),
        };
        let lines: Vec<String> = text.split('\n').map(blank).collect();
        return Source::new(&source.name, lines.join("\n"));
    }
    match start.starts_with("\"{") {
        true => match serde_json::from_str::<String>(start.trim_end()) {
            Ok(inner) => Source::new(&source.name, inner),
            Err(_) => source.clone(),
        },
        false => source.clone(),
    }
}

/// Whether a file is not TOML, judged by its name and its content.
pub(super) fn is_foreign(source: &Source) -> bool {
    let extension = Path::new(&source.name)
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
        .to_lowercase();
    match extension.as_str() {
        "toml" => false,
        "json" | "yaml" | "yml" | "template" => true,
        _ => {
            let text = source.text.trim_start_matches('\u{feff}').trim_start();
            let is_yaml = |line: &str| {
                [
                    "AWSTemplateFormatVersion:",
                    "Resources:",
                    "Transform:",
                    "resource_usage:",
                ]
                .iter()
                .any(|start| line.starts_with(start))
            };
            text.starts_with(['{', '"'])
                || text.starts_with("[command]")
                || source.text.lines().take(200).any(is_yaml)
        }
    }
}

fn kind_of(document: &SourceNode) -> Option<ImportFormat> {
    let has = |key: &str| document.get(key).is_some();
    if has("format_version") && (has("planned_values") || has("values") || has("resource_changes"))
    {
        Some(ImportFormat::Terraform)
    } else if document
        .get("Resources")
        .is_some_and(|resources| matches!(resources.value, Value::Map(_)))
    {
        Some(ImportFormat::CloudFormation)
    } else if describe::is_description(document) {
        Some(ImportFormat::DescribeTable)
    } else if model::is_model(document) {
        Some(ImportFormat::Model)
    } else {
        None
    }
}

/// The error for a document that is not a design; names what it seems to be.
fn unknown_kind(source: &Arc<Source>, document: &SourceNode) -> Diagnostic {
    let first = document.elements().first().unwrap_or(document);
    let has = |key: &str| document.get(key).is_some();
    let start = document.span.start..document.span.start.saturating_add(1);
    let (message, help) = if first.get("@level").is_some() && first.get("@message").is_some() {
        (
            "this is the log output of `terraform plan -json`, not a plan",
            "run `terraform plan -out plan.bin`, then `terraform show -json plan.bin > plan.json`",
        )
    } else if has("terraform_version") && has("lineage") {
        (
            "this is a Terraform state file, which only Terraform should read",
            "run `terraform show -json > current.json` and use that file",
        )
    } else if has("steps") || has("changeSummary") {
        (
            "this is a Pulumi preview, not a Terraform plan",
            "describe the tables in a workload file; `dynameter init` creates a starting point",
        )
    } else if has("MetricDataResults") || has("Datapoints") {
        (
            "these are CloudWatch metrics, which are not a complete design",
            "convert them to a workload file first: `dynameter import cloudwatch FILE`",
        )
    } else {
        (
            "unrecognised file: not a workload, plan, template, description or model",
            "use a workload file (.toml), a Terraform plan as JSON, a CloudFormation template, \
             the output of `aws dynamodb describe-table`, or a workload model",
        )
    };
    wrong(source, start, "not-a-plan", message, help)
}
