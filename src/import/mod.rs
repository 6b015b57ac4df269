//! Other people's files turned into workloads: Terraform plans, CloudFormation templates, what AWS
//! itself describes, exports, metrics, and the models of other tools.
//!
//! What is made is a workload file with comments: each value says where it came from, and what a
//! file of its kind does not hold is `"unknown"`, never a guess. A small usage file joins rates and
//! sizes by table name. Every line knows the place that it comes from, so that a message, a finding
//! or a budget points at the plan or the template itself.
//!
//! ```
//! use dynameter::diag::Source;
//! use dynameter::import::{self, Asked};
//!
//! let template = Source::new("stack.yaml", "
//! Resources:
//!   Orders:
//!     Type: AWS::DynamoDB::Table
//!     Properties:
//!       BillingMode: PAY_PER_REQUEST
//!       AttributeDefinitions: [{AttributeName: Id, AttributeType: S}]
//!       KeySchema: [{AttributeName: Id, KeyType: HASH}]
//! ");
//! let asked = Asked { region: Some("us-east-1".to_string()), ..Asked::default() };
//! let imported = import::import(import::Kind::CloudFormation, &[template], &asked)?;
//! assert!(imported.text.contains("items         = \"unknown\""));
//! # Ok::<(), dynameter::diag::Diagnostics>(())
//! ```

mod cloudformation;
#[cfg(feature = "replay")]
mod cloudwatch;
mod describe;
mod draft;
mod export;
mod intrinsic;
mod model;
mod node;
mod scaling;
mod terraform;
mod usage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Origins, Source};
use draft::Draft;
use node::{SourceNode, wrong};

/// Every kind of mistake in a file that is imported, by its stable short name.
pub const CODES: &[(&str, &str)] = &[
    (
        "syntax",
        "the file is not JSON or YAML, or not TOML where a usage file is",
    ),
    (
        "too-deep",
        "values nested deeper than in any plan or template",
    ),
    (
        "too-large",
        "aliases that stand for more values than any template has",
    ),
    ("duplicate-key", "a key that a map has twice"),
    (
        "cycle",
        "references that lead back to themselves, or loops without end",
    ),
    ("not-a-plan", "a file of another kind than was asked for"),
    ("no-tables", "a file without a table"),
    (
        "region",
        "tables whose region is not said, or of several regions",
    ),
    ("wrong-type", "a text where a number belongs, and the like"),
    ("missing-key", "something that a resource cannot be without"),
    ("unknown-key", "a key that a usage file does not have"),
    (
        "unknown-table",
        "a usage file's table, index or replica that the design does not have",
    ),
    (
        "unknown-parameter",
        "a parameter that the template does not have",
    ),
    ("duplicate-table", "two tables of one name"),
    ("export", "an S3 export that cannot be read"),
];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFormat {
    /// A Terraform plan as JSON (`terraform show -json`).
    Terraform,
    /// A CloudFormation, SAM or CDK template, JSON or YAML.
    CloudFormation,
    /// The output of `aws dynamodb describe-table` and its like.
    DescribeTable,
    /// The folder of an S3 full export.
    Export,
    /// CloudWatch metrics.
    CloudWatch,
    /// The workload model of another tool.
    Model,
}

impl ImportFormat {
    /// Every kind with its word.
    pub const ALL: [(ImportFormat, &'static str); 6] = [
        (ImportFormat::Terraform, "terraform"),
        (ImportFormat::CloudFormation, "cloudformation"),
        (ImportFormat::DescribeTable, "describe-table"),
        (ImportFormat::Export, "export"),
        (ImportFormat::CloudWatch, "cloudwatch"),
        (ImportFormat::Model, "model"),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        ImportFormat::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, word)| word)
    }

    /// What a file of the kind is called, with its article.
    pub fn described(self) -> &'static str {
        match self {
            ImportFormat::Terraform => "a Terraform plan",
            ImportFormat::CloudFormation => "a CloudFormation template",
            ImportFormat::DescribeTable => "a description of a table",
            ImportFormat::Export => "an S3 export",
            ImportFormat::CloudWatch => "CloudWatch metrics",
            ImportFormat::Model => "a workload model",
        }
    }

    /// The kind of a word.
    pub fn parse(word: &str) -> Option<ImportFormat> {
        ImportFormat::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(kind, _)| *kind)
    }
}

/// What an import is asked for.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The region, in place of the file's.
    pub region: Option<String>,
    /// The usage file.
    pub usage: Option<Arc<Source>>,
    /// Whether the design before the change of a plan is wanted, and not the one after it.
    pub before: bool,
    /// The region where neither the file nor anybody else says one: of a design before a change,
    /// that of the one after it.
    pub fallback: Option<String>,
    /// Whether the usage file may speak of tables that are not there: of a design before a change,
    /// or of one of several.
    pub lenient: bool,
}

/// A workload file that was made of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The file, with its comments.
    pub text: String,
    /// Where its lines come from.
    pub origins: Origins,
    /// The region, where it is known.
    pub region: Option<String>,
    /// What could not be taken over, or was taken in one of several ways; comments of the file as
    /// well.
    pub notes: Vec<String>,
}

/// A file of another kind than a workload, read.
#[derive(Clone, Debug)]
pub struct ImportDocument {
    source: Arc<Source>,
    node: SourceNode,
    kind: ImportFormat,
}

impl ImportDocument {
    /// Reads a file and finds out what it is; `None` for a workload file.
    ///
    /// # Errors
    /// A document that is none of the kinds, or cannot be read.
    pub fn read(source: &Arc<Source>) -> Result<Option<ImportDocument>, Diagnostics> {
        if !is_foreign(source) {
            return Ok(None);
        }
        let node = node::read(source).map_err(|error| Diagnostics::from(*error))?;
        match kind_of(&node) {
            Some(kind) => Ok(Some(ImportDocument {
                source: source.clone(),
                node,
                kind,
            })),
            None => Err(unknown_kind(source, &node).into()),
        }
    }

    /// Whether it holds the design before a change as well: a plan that changes tables that there
    /// are.
    pub fn has_before(&self) -> bool {
        self.kind == ImportFormat::Terraform && terraform::has_before(&self.node)
    }

    /// What kind of file it is.
    pub fn kind(&self) -> ImportFormat {
        self.kind
    }

    /// Makes a workload file of it.
    ///
    /// # Errors
    /// Everything that is wrong with it or with the usage file, each with its place and the way
    /// out.
    pub fn import(&self, asked: &ImportOptions) -> Result<Imported, Diagnostics> {
        imported(
            self.kind,
            &[(self.source.clone(), self.node.clone())],
            asked,
        )
    }
}

/// Whether a text is no TOML, by its name and how it begins.
fn is_foreign(source: &Source) -> bool {
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
            text.starts_with('{') || source.text.lines().take(200).any(is_yaml)
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
        .is_some_and(|resources| matches!(resources.value, node::Value::Map(_)))
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

/// A document that is no design, with what it seems to be.
fn unknown_kind(source: &Arc<Source>, document: &SourceNode) -> Diagnostic {
    let has = |key: &str| document.get(key).is_some();
    let start = document.span.start..document.span.start.saturating_add(1);
    let (message, help) = if has("terraform_version") && has("lineage") {
        (
            "this is Terraform's state file, which no tool but Terraform should read",
            "run `terraform show -json > state.json` and name that file",
        )
    } else if has("steps") || has("changeSummary") {
        (
            "this is a preview of Pulumi, not a Terraform plan",
            "write the tables as a workload file; `dynameter init` writes one to start from",
        )
    } else if has("MetricDataResults") || has("Datapoints") {
        (
            "these are CloudWatch metrics, which are no design by themselves",
            "make a workload file of them first: `dynameter import cloudwatch FILE`",
        )
    } else {
        (
            "this is none of the files that hold a design",
            "name a workload file (.toml), a Terraform plan as JSON, a CloudFormation template, \
             the output of `aws dynamodb describe-table`, or a workload model",
        )
    };
    wrong(source, start, "not-a-plan", message, help)
}

/// Makes a workload file of files of one kind; exports and metrics have functions of their own.
///
/// # Errors
/// Everything that is wrong with the files, each with its place and the way out.
pub fn import(
    kind: ImportFormat,
    sources: &[Arc<Source>],
    asked: &ImportOptions,
) -> Result<Imported, Diagnostics> {
    let mut found = Vec::new();
    let mut documents = Vec::new();
    for source in sources {
        match node::read(source) {
            Ok(node) => documents.push((source.clone(), node)),
            Err(error) => found.push(*error),
        }
    }
    for (source, node) in &documents {
        let seems = kind_of(node);
        if seems != Some(kind) {
            let start = node.span.start..node.span.start.saturating_add(1);
            found.push(match seems {
                Some(other) => {
                    let message =
                        format!("this is {}, not {}", other.described(), kind.described());
                    wrong(
                        source,
                        start,
                        "not-a-plan",
                        message,
                        format!("run `dynameter import {} {}`", other.word(), source.name),
                    )
                }
                None => unknown_kind(source, node),
            });
        }
    }
    match Diagnostics::of(found) {
        Some(all) => Err(all),
        None => imported(kind, &documents, asked),
    }
}

fn imported(
    kind: ImportFormat,
    documents: &[(Arc<Source>, SourceNode)],
    asked: &ImportOptions,
) -> Result<Imported, Diagnostics> {
    let usage = read_usage(asked)?;
    let mut problems = Vec::new();
    let (region, fallback) = (asked.region.as_deref(), asked.fallback.as_deref());
    let context = Context {
        region,
        usage: usage.as_ref(),
        before: asked.before,
        fallback,
        problems: &mut problems,
    };
    let draft = match kind {
        ImportFormat::Terraform => terraform::draft(documents, context),
        ImportFormat::CloudFormation => cloudformation::draft(documents, context),
        ImportFormat::DescribeTable => describe::draft(documents, context),
        ImportFormat::Model => model::draft(documents, context),
        ImportFormat::Export | ImportFormat::CloudWatch => Draft::default(), /* read by functions
                                                                              * of their own */
    };
    finish(draft, usage.as_ref(), asked.lenient, documents, problems)
}

fn read_usage(asked: &ImportOptions) -> Result<Option<usage::UsageFile>, Diagnostics> {
    match asked.usage.as_ref().map(usage::read).transpose() {
        Ok(usage) => Ok(usage),
        Err(found) => Err(Diagnostics::of(found).unwrap_or_else(|| unreadable().into())),
    }
}

fn unreadable() -> Diagnostic {
    Diagnostic {
        source: None,
        span: 0..0,
        code: "syntax",
        message: "the usage file cannot be read".into(),
        help: "mend it".into(),
    }
}

/// Makes a workload file of the folder of an S3 full export.
///
/// # Errors
/// Everything that is wrong with the export or the usage file.
pub fn import_export(folder: &Path, asked: &ImportOptions) -> Result<Imported, Diagnostics> {
    let usage = read_usage(asked)?;
    let mut problems = Vec::new();
    let draft = export::draft(
        folder,
        asked.region.as_deref(),
        usage.as_ref(),
        &mut problems,
    );
    finish(draft, usage.as_ref(), asked.lenient, &[], problems)
}

/// Makes a workload file of CloudWatch metrics; of those that name no table, `table` is the table.
///
/// # Errors
/// A file that cannot be read, or everything that is wrong with the usage file.
#[cfg(feature = "replay")]
pub fn import_metrics(
    sources: Vec<crate::trace::TraceSource>,
    table: Option<String>,
    asked: &ImportOptions,
) -> Result<Imported, MetricsError> {
    let usage = read_usage(asked)?;
    let region = asked
        .region
        .clone()
        .or_else(|| usage.as_ref().and_then(usage::UsageFile::region));
    let draft = cloudwatch::draft(sources, table, region.as_deref())?;
    Ok(finish(
        draft,
        usage.as_ref(),
        asked.lenient,
        &[],
        Vec::new(),
    )?)
}

/// Why metrics make no workload.
#[cfg(feature = "replay")]
#[derive(Clone, Debug, thiserror::Error)]
pub enum MetricsError {
    /// The metrics cannot be read.
    #[error(transparent)]
    Trace(#[from] crate::trace::TraceError),
    /// The usage file is wrong.
    #[error(transparent)]
    Usage(#[from] Diagnostics),
}

/// Joins the usage file and writes the workload.
fn finish(
    mut draft: Draft,
    usage: Option<&usage::UsageFile>,
    lenient: bool,
    documents: &[(Arc<Source>, SourceNode)],
    mut problems: Vec<Diagnostic>,
) -> Result<Imported, Diagnostics> {
    if draft.tables.is_empty() && problems.is_empty() {
        let source = documents.first().map(|(source, _)| source.clone());
        let span = if source.is_some() { 0..1 } else { 0..0 };
        let (message, help) = match documents
            .iter()
            .any(|(_, node)| terraform::has_before(node))
        {
            true => (
                "no table is left after the plan",
                "`dynameter import terraform --before` has the design that it deletes",
            ),
            false => (
                "there is no DynamoDB table in it",
                "name a file that has one",
            ),
        };
        // Why there is none may stand in the notes.
        let message = std::iter::once(message.to_string())
            .chain(draft.notes.iter().cloned())
            .collect::<Vec<_>>()
            .join("; ");
        problems.push(Diagnostic {
            source,
            span,
            code: "no-tables",
            message,
            help: help.into(),
        });
    }
    let mut seen: std::collections::BTreeMap<String, draft::Origin> =
        std::collections::BTreeMap::new();
    for table in &draft.tables {
        if let (Some(first), Some((source, span))) = (
            seen.insert(table.label.clone(), table.name.origin.clone()),
            &table.name.origin,
        ) {
            let at = first.map(|(source, span)| {
                format!(
                    ", first at {}:{}",
                    source.name,
                    source.line_column(span.start).0
                )
            });
            let message = format!(
                "the table {:?} is there twice{}",
                table.label,
                at.unwrap_or_default()
            );
            let help = match draft
                .notes
                .iter()
                .any(|note| note.contains(cloudformation::UNTOLD_CONDITION))
            {
                true => {
                    "a condition chooses between them: give its parameters under [parameters] of a \
                     usage file"
                }
                false => "give one of them another name, or name each file once",
            };
            problems.push(wrong(
                source,
                span.clone(),
                "duplicate-table",
                message,
                help,
            ));
        }
    }
    if let Some(usage) = usage {
        usage.join(&mut draft, lenient, &mut problems);
    }
    if let Some(all) = Diagnostics::of(problems) {
        return Err(all);
    }
    draft.complete();
    let (text, origins) = draft.write();
    let region = draft
        .head
        .get("region")
        .filter(|region| !region.is_unknown())
        .map(draft::Sourced::plain);
    Ok(Imported {
        text,
        origins,
        region,
        notes: draft.all_notes(),
    })
}

/// What the readers of one import share.
struct Context<'a> {
    region: Option<&'a str>,
    usage: Option<&'a usage::UsageFile>,
    before: bool,
    fallback: Option<&'a str>,
    problems: &'a mut Vec<Diagnostic>,
}

/// The name of a design that has none: that of its file.
fn name_of(sources: &[(Arc<Source>, SourceNode)]) -> String {
    let path = sources
        .first()
        .map(|(source, _)| PathBuf::from(&source.name))
        .unwrap_or_default();
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("design");
    let stem = name
        .split('.')
        .next()
        .filter(|stem| !stem.is_empty() && !stem.starts_with('<'))
        .unwrap_or("design");
    stem.to_string()
}

/// The names of files, for the first line.
fn names_of(sources: &[(Arc<Source>, SourceNode)]) -> String {
    let base = |path: &str| {
        Path::new(path).file_name().map_or_else(
            || path.to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    };
    sources
        .iter()
        .map(|(source, _)| base(&source.name))
        .collect::<Vec<_>>()
        .join(", ")
}
