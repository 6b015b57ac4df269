//! Converts other files to workloads: Terraform plans, CloudFormation templates, AWS's descriptions
//! of tables, exports, metrics, and the models of other tools.
//!
//! The result is a workload file with comments: each value says where it came from, and values that
//! the file cannot contain are `"unknown"`, never guessed. A small usage file adds rates and sizes
//! by table name. Every line keeps the place it came from, so that a message, a finding or a budget
//! points to the plan or template itself.
//!
//! ```
//! use dynameter::diag::Source;
//! use dynameter::import::{ImportFormat, ImportOptions, import};
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
//! let options = ImportOptions {
//!     region: Some("us-east-1".to_string()),
//!     ..ImportOptions::default()
//! };
//! let imported = import(ImportFormat::CloudFormation, &[template], &options)?;
//! assert!(imported.text.contains("items         = \"unknown\""));
//! # Ok::<(), dynameter::diag::Diagnostics>(())
//! ```

mod account;
mod backups;
#[cfg(feature = "bills")]
mod bill;
mod cloudformation;
#[cfg(feature = "replay")]
mod cloudwatch;
mod consumed;
mod describe;
mod document;
mod draft;
mod drift;
mod export;
mod join;
mod model;
mod node;
mod plan;
mod pulumi;
mod scaling;
mod shape;
mod shared;
mod synthesized;
mod terraform;
mod unused;
mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Origins, Source};
pub use account::{
    ACCOUNT_SCHEMA, AccountAnswers, AccountManifest, AccountMetric, AccountMetrics, AnswerGap,
    AnswersError, MetricSeries, RegionAnswers, RegionManifest, ReturnedBy, SampledItem, SeriesKey,
    import_account, sampled,
};
use document::ReadFile;
use draft::{Draft, Sourced};
pub use drift::{Drift, drift};
pub use join::{JoinError, JoinedFile, join};
use node::{SourceNode, wrong};
pub use terraform::plan::plain_address;
pub use unused::{UnusedPart, used_nowhere};

/// Every kind of error in an imported file, by its stable short name.
pub const CODES: &[(&str, &str)] = &[
    (
        "syntax",
        "the file is not JSON or YAML, or a usage file is not TOML",
    ),
    (
        "too-deep",
        "values are nested too deeply for a plan or template",
    ),
    (
        "too-large",
        "YAML aliases expand to too many values for a template",
    ),
    ("duplicate-key", "a map contains a key twice"),
    ("cycle", "references or conditions form a cycle"),
    ("not-a-plan", "the file is not of the expected kind"),
    ("no-tables", "the file contains no table"),
    (
        "region",
        "the region of a table is missing or wrong, or tables are in several regions",
    ),
    (
        "wrong-type",
        "a value has the wrong type, such as a text instead of a number",
    ),
    ("missing-key", "a required key of a resource is missing"),
    ("unknown-key", "an unknown key in a usage file"),
    (
        "unknown-table",
        "a usage file, description or model names a table, index or replica that the design does \
         not have",
    ),
    (
        "unknown-parameter",
        "a usage file sets a parameter that the template does not have",
    ),
    ("duplicate-table", "two tables have the same name"),
    ("export", "an S3 export cannot be read"),
];

/// The kinds of files that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportFormat {
    /// A Terraform plan as JSON (`terraform show -json`).
    Terraform,
    /// A CloudFormation, SAM or CDK template, JSON or YAML.
    CloudFormation,
    /// The output of `aws dynamodb describe-table` and similar commands.
    DescribeTable,
    /// The folder of an S3 full export.
    Export,
    /// CloudWatch metrics.
    CloudWatch,
    /// Bills.
    Bill,
    /// The workload model of another tool.
    Model,
    /// The tables of an AWS account.
    Account,
}

impl ImportFormat {
    /// Every kind with its name on the command line.
    pub const ALL: [(ImportFormat, &'static str); 8] = [
        (ImportFormat::Terraform, "terraform"),
        (ImportFormat::CloudFormation, "cloudformation"),
        (ImportFormat::DescribeTable, "describe-table"),
        (ImportFormat::Export, "export"),
        (ImportFormat::CloudWatch, "cloudwatch"),
        (ImportFormat::Bill, "bill"),
        (ImportFormat::Model, "model"),
        (ImportFormat::Account, "account"),
    ];

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        ImportFormat::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, word)| word)
    }

    /// How messages refer to a file of this kind, with an article.
    pub fn described(self) -> &'static str {
        match self {
            ImportFormat::Terraform => "a Terraform plan",
            ImportFormat::CloudFormation => "a CloudFormation template",
            ImportFormat::DescribeTable => "a description of a table",
            ImportFormat::Export => "an S3 export",
            ImportFormat::CloudWatch => "CloudWatch metrics",
            ImportFormat::Bill => "a bill",
            ImportFormat::Model => "a workload model",
            ImportFormat::Account => "an account",
        }
    }

    /// The kind that has a name.
    pub fn parse(word: &str) -> Option<ImportFormat> {
        ImportFormat::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(kind, _)| *kind)
    }
}

/// The options of an import.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The region; overrides that of the file.
    pub region: Option<String>,
    /// The usage file.
    pub usage: Option<Arc<Source>>,
    /// Whether to import the design before a plan's changes instead of the one after them.
    pub before: bool,
    /// The region to use if no other source gives one: for a design before a change, that of the
    /// design after it.
    pub fallback: Option<String>,
    /// Whether the usage file may describe parts that this design does not have, because it is one
    /// of several; [`Imported::unused`] returns them, and [`used_nowhere`] finds those that no
    /// design has.
    pub is_one_of_several: bool,
    /// Whether the result is joined to another file, which says what this one can only assume, such
    /// as the capacity mode of a table of which there are metrics.
    pub is_joined: bool,
    /// Whether nested templates that lie beside a template may be read.
    pub reads_beside: bool,
}

/// A workload file made by an import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Imported {
    /// The file, with its comments.
    pub text: String,
    /// The origin of each line.
    pub origins: Origins,
    /// The region, if known.
    pub region: Option<String>,
    /// What could not be imported, or was imported in one of several possible ways; also comments
    /// in the file.
    pub notes: Vec<String>,
    /// The parts of the usage file that the design does not have.
    pub unused: Vec<UnusedPart>,
}

/// A parsed file that is not a workload file.
#[derive(Clone, Debug)]
pub struct ImportDocument {
    file: ReadFile,
    kind: ImportFormat,
}

impl ImportDocument {
    /// Reads a file and detects its kind; `None` for a workload file.
    ///
    /// # Errors
    /// If the file cannot be read or is of an unknown kind.
    pub fn read(source: &Arc<Source>) -> Result<Option<ImportDocument>, Diagnostics> {
        if !document::is_foreign(source) {
            return Ok(None);
        }
        let file = ReadFile::read(source)?;
        match file.kind() {
            Some(kind) => Ok(Some(ImportDocument { file, kind })),
            None => Err(file.unknown_kind().into()),
        }
    }

    /// Whether it also contains the design before a change.
    pub fn has_before(&self) -> bool {
        self.kind == ImportFormat::Terraform && terraform::plan::has_before(&self.file.node)
    }

    /// The kind of the file.
    pub fn kind(&self) -> ImportFormat {
        self.kind
    }

    /// Converts it to a workload file.
    ///
    /// # Errors
    /// Every error in it or in the usage file, each with its place and a way to fix it.
    pub fn import(&self, asked: &ImportOptions) -> Result<Imported, Diagnostics> {
        imported(self.kind, std::slice::from_ref(&self.file), asked)
    }
}

/// Converts files of one kind to a workload file; for exports and metrics see `import_export` and
/// `import_metrics`.
///
/// # Errors
/// Every error in the files, each with its place and a way to fix it.
pub fn import(
    kind: ImportFormat,
    sources: &[Arc<Source>],
    asked: &ImportOptions,
) -> Result<Imported, Diagnostics> {
    let mut found = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        match ReadFile::read(source) {
            Ok(file) => files.push(file),
            Err(error) => found.push(error),
        }
    }
    found.extend(files.iter().filter_map(|file| file.is_not(kind)));
    match Diagnostics::of(found) {
        Some(all) => Err(all),
        None => imported(kind, &files, asked),
    }
}

fn imported(
    kind: ImportFormat,
    files: &[ReadFile],
    asked: &ImportOptions,
) -> Result<Imported, Diagnostics> {
    let usage = read_usage(asked)?;
    let mut problems: Vec<Diagnostic> = files.iter().flat_map(ReadFile::wrong_keys).collect();
    let documents: Vec<(Arc<Source>, SourceNode)> = files
        .iter()
        .map(|file| (file.source.clone(), file.node.clone()))
        .collect();
    let documents = documents.as_slice();
    let (region, fallback) = (asked.region.as_deref(), asked.fallback.as_deref());
    let context = Context {
        region,
        usage: usage.as_ref(),
        before: asked.before,
        fallback,
        reads_beside: asked.reads_beside,
        problems: &mut problems,
    };
    let mut draft = match kind {
        ImportFormat::Terraform => terraform::draft(documents, context),
        ImportFormat::CloudFormation => cloudformation::draft(documents, context),
        ImportFormat::DescribeTable => describe::draft(documents, context),
        ImportFormat::Model => model::draft(documents, context),
        // Functions of their own read these.
        ImportFormat::Export
        | ImportFormat::CloudWatch
        | ImportFormat::Bill
        | ImportFormat::Account => Draft::default(),
    };
    draft
        .notes
        .extend(files.iter().flat_map(ReadFile::harmless_keys));
    finish(
        draft,
        usage.as_ref(),
        asked.is_one_of_several,
        documents,
        problems,
    )
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
        help: "fix the usage file".into(),
    }
}

/// Converts the folder of an S3 full export to a workload file.
///
/// # Errors
/// Every error in the export or the usage file.
pub fn import_export(folder: &Path, asked: &ImportOptions) -> Result<Imported, Diagnostics> {
    let usage = read_usage(asked)?;
    let mut problems = Vec::new();
    let draft = export::draft(
        folder,
        asked.region.as_deref(),
        usage.as_ref(),
        &mut problems,
    );
    finish(
        draft,
        usage.as_ref(),
        asked.is_one_of_several,
        &[],
        problems,
    )
}

/// Converts CloudWatch metrics to a workload file; `reading` says which table and period metrics
/// have that do not name them, and from when to when they count.
///
/// # Errors
/// If a file cannot be read, or every error in the usage file.
#[cfg(feature = "replay")]
pub fn import_metrics(
    sources: Vec<crate::files::FileSource>,
    reading: crate::trace::ReadOptions,
    asked: &ImportOptions,
) -> Result<Imported, MetricsError> {
    let usage = read_usage(asked)?;
    let region = asked
        .region
        .clone()
        .or_else(|| usage.as_ref().and_then(usage::UsageFile::region));
    let draft = cloudwatch::draft(sources, reading, region.as_deref(), asked.is_joined)?;
    Ok(finish(
        draft,
        usage.as_ref(),
        asked.is_one_of_several,
        &[],
        Vec::new(),
    )?)
}

/// Converts a bill to a workload file of measured usage.
///
/// # Errors
/// If the bill has several months, no quantities or no region, or every error in the usage file.
#[cfg(feature = "bills")]
pub fn import_bill(
    bill: &crate::bill::AwsBill,
    books: &crate::pricing::Books,
    asked: &ImportOptions,
) -> Result<Imported, BillImportError> {
    let usage = read_usage(asked)?;
    let draft = bill::draft(bill, asked.region.as_deref(), books).map_err(BillImportError::Bill)?;
    Ok(finish(
        draft,
        usage.as_ref(),
        asked.is_one_of_several,
        &[],
        Vec::new(),
    )?)
}

/// Why a bill cannot be converted to a workload.
#[cfg(feature = "bills")]
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BillImportError {
    /// The bill does not say enough.
    #[error("{0}")]
    Bill(String),
    /// The usage file has errors.
    #[error(transparent)]
    Usage(#[from] Diagnostics),
}

/// Why metrics cannot be converted to a workload.
#[cfg(feature = "replay")]
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The metrics cannot be read.
    #[error(transparent)]
    Trace(#[from] crate::trace::TraceError),
    /// The usage file has errors.
    #[error(transparent)]
    Usage(#[from] Diagnostics),
}

/// Adds the values of the usage file and writes the workload.
fn finish(
    mut draft: Draft,
    usage: Option<&usage::UsageFile>,
    is_one_of_several: bool,
    documents: &[(Arc<Source>, SourceNode)],
    mut problems: Vec<Diagnostic>,
) -> Result<Imported, Diagnostics> {
    if draft.tables.is_empty() && problems.is_empty() {
        match draft.may_be_empty {
            true => without_tables(&mut draft, documents),
            false => problems.push(no_tables(&draft, documents)),
        }
    }
    tell_apart(&mut draft);
    problems.extend(tables_defined_twice(&draft));
    let mut unused = usage.map_or_else(Vec::new, |usage| usage.join(&mut draft, &mut problems));
    unused.append(&mut draft.unused);
    if !is_one_of_several && let Some(found) = used_nowhere(std::slice::from_ref(&unused)) {
        problems.extend(found.list().iter().cloned());
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
        .map(Sourced::plain);
    Ok(Imported {
        text,
        origins,
        region,
        notes: draft.all_notes(),
        unused,
    })
}

/// A design without tables costs what is not in its tables, which may be nothing.
fn without_tables(draft: &mut Draft, documents: &[(Arc<Source>, SourceNode)]) {
    let has_costs =
        !draft.clusters.is_empty() || !draft.unpriced.is_empty() || !draft.measured.is_empty();
    if draft.head.get("region").is_none() && draft.clusters.is_empty() {
        let note = "the design has no table, so prices of any region do";
        draft
            .head
            .set("region", Sourced::text(ANY_REGION, note, None));
    }
    if !has_costs {
        let several = documents.len() > 1;
        draft.notes.push(match several {
            true => format!(
                "{} contain no DynamoDB table and cost nothing",
                names_of(documents)
            ),
            false => "contains no DynamoDB table and costs nothing".to_string(),
        });
    }
}

/// The region of a design that bills nothing.
const ANY_REGION: &str = "us-east-1";

fn no_tables(draft: &Draft, documents: &[(Arc<Source>, SourceNode)]) -> Diagnostic {
    let source = documents.first().map(|(source, _)| source.clone());
    let (message, help) = (
        "the file contains no DynamoDB table",
        "use a file that contains a table",
    );
    // The notes may say why there is none.
    let message: Vec<&str> = std::iter::once(message)
        .chain(draft.notes.iter().map(String::as_str))
        .collect();
    Diagnostic {
        span: if source.is_some() { 0..1 } else { 0..0 },
        source,
        code: "no-tables",
        message: message.join("; "),
        help: help.into(),
    }
}

/// Gives tables of the same name in several stacks or accounts names of their own.
fn tell_apart(draft: &mut Draft) {
    let mut count: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
    for table in &draft.tables {
        let own = count.entry(table.label.clone()).or_default();
        own.insert(table.qualifier.clone());
    }
    for table in &mut draft.tables {
        let several = count.get(&table.label).is_some_and(|own| own.len() > 1);
        if let Some(qualifier) = table.qualifier.clone().filter(|_| several) {
            let label = table.label.clone();
            table.label = format!("{qualifier}.{label}");
            table.name.toml = draft::quoted(&table.label);
            table.ids.retain(|id| *id != label);
            table.notes.push(format!(
                "several tables are called {label}; this one is named after its stack, provider or account"
            ));
        }
    }
}

fn tables_defined_twice(draft: &Draft) -> Vec<Diagnostic> {
    let mut seen = BTreeMap::new();
    let mut problems = Vec::new();
    for table in &draft.tables {
        let origin = &table.name.origin;
        let first: Option<draft::Origin> = seen.insert(table.label.clone(), origin.clone());
        let (Some(first), Some((source, span))) = (first, origin) else {
            continue;
        };
        let at = first.map(|(source, span)| {
            let line = source.line(span.start);
            format!(", first at {}:{line}", source.name)
        });
        let help = match table.is_conditional {
            true => {
                "a condition chooses between them: set its parameters under [parameters] in a usage \
                 file"
            }
            false => "rename one of them, or make sure that each file is given only once",
        };
        problems.push(wrong(
            source,
            span.clone(),
            "duplicate-table",
            format!(
                "the table {:?} is defined twice{}",
                table.label,
                at.unwrap_or_default()
            ),
            help,
        ));
    }
    problems
}

/// State shared by the readers of one import.
struct Context<'a> {
    region: Option<&'a str>,
    usage: Option<&'a usage::UsageFile>,
    before: bool,
    fallback: Option<&'a str>,
    reads_beside: bool,
    problems: &'a mut Vec<Diagnostic>,
}

/// The default name of a design: that of its first file.
fn name_of(sources: &[(Arc<Source>, SourceNode)]) -> String {
    let first = sources.first();
    stem_of(first.map_or("", |(source, _)| &source.name))
}

/// The name of a file without its folder and its extensions.
fn stem_of(path: &str) -> String {
    let path = PathBuf::from(path);
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

/// The names of the files, for the first line of the result.
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
