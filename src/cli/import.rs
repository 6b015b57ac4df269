//! `import`: files of one or several kinds, or an account, become a workload file.

use anyhow::{Result, bail};

use super::args::{Args, ImportArgs, MetricsArgs, OutputFormat};
use super::{account, bill, files, input, into};
#[cfg(feature = "replay")]
use super::{output, trace};
use crate::import::{ImportFormat, ImportOptions};

/// Files of one kind.
struct FileGroup {
    kind: ImportFormat,
    files: Vec<String>,
}

impl FileGroup {
    /// The files of a kind, before the first is named.
    fn of(kind: ImportFormat) -> FileGroup {
        FileGroup {
            kind,
            files: Vec::new(),
        }
    }
}

/// Runs `import`.
pub fn run(args: &Args, asked: &ImportArgs) -> Result<()> {
    let groups = groups(asked)?;
    check(args, asked, &groups)?;
    #[cfg(feature = "replay")]
    if !asked.metrics.queries.is_empty() {
        return output::write(args, &trace::queries(args, &asked.metrics.queries)?);
    }
    if let [only] = groups.as_slice()
        && only.kind == ImportFormat::Account
    {
        return account::run(args, asked, &only.files);
    }
    let mut result = match &asked.into {
        Some(path) => Some(into::existing(path)?),
        None => None,
    };
    let mut told = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let mut options = ImportOptions {
            is_joined: groups.len() > 1 || asked.into.is_some(),
            ..input::asked(args)?
        };
        if at > 0 {
            // It speaks of the tables of the first files.
            options.usage = None;
        }
        let text = of_group(args, asked, group, options)?;
        result = Some(match result {
            None => text,
            Some(first) => {
                let name = group.files.join(", ");
                let joined = into::joined(&first, &text, &name)?;
                told.push((name, joined.clone()));
                joined.text
            }
        });
    }
    let text = result.unwrap_or_default();
    for (name, joined) in &told {
        into::say_what_changed(args, name, joined, asked.into.is_some());
    }
    into::written(args, asked, &text)
}

/// The files by kind: each name of a kind begins a new group.
fn groups(asked: &ImportArgs) -> Result<Vec<FileGroup>> {
    let kind = |word: &str| {
        ImportFormat::parse(word).ok_or_else(|| {
            let words: Vec<&str> = ImportFormat::ALL.iter().map(|(_, word)| *word).collect();
            anyhow::anyhow!(
                "{word:?} is not a kind of file that can be imported\nhelp: use one of {}",
                words.join(", ")
            )
        })
    };
    let mut groups = vec![FileGroup::of(kind(&asked.kind)?)];
    for file in &asked.files {
        match (ImportFormat::parse(file), groups.last_mut()) {
            (None, Some(last)) => last.files.push(file.clone()),
            (kind, _) => groups.extend(kind.map(FileGroup::of)),
        }
    }
    let is_empty = |group: &&FileGroup| group.files.is_empty();
    let of_nothing = groups.iter().filter(is_empty);
    let mut of_nothing = of_nothing.filter(|group| group.kind != ImportFormat::Account);
    if let Some(empty) = of_nothing.next()
        && asked.metrics.queries.is_empty()
    {
        let word = empty.kind.word();
        bail!(
            "no file of the kind {word} is named\nhelp: name one after it: dynameter import {word} \
             FILE; write ./{word} for a file of this name"
        );
    }
    Ok(groups)
}

/// Refuses options that are for other kinds of files.
fn check(args: &Args, asked: &ImportArgs, groups: &[FileGroup]) -> Result<()> {
    let has = |kind: ImportFormat| groups.iter().any(|group| group.kind == kind);
    let inputs = groups.iter().flat_map(|group| &group.files);
    if inputs.filter(|path| *path == "-").count() > 1 {
        bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    let is_of_bill = asked.month.is_some() || !asked.account.is_empty();
    if is_of_bill && !has(ImportFormat::Bill) {
        bail!("--month and --account are only for bills\nhelp: remove them");
    }
    if asked.before && !has(ImportFormat::Terraform) {
        bail!("--before is only for Terraform plans\nhelp: remove --before");
    }
    if args.month_hours.is_some() || args.prices.is_some() {
        bail!(
            "import does not use --month-hours and --prices\nhelp: remove them, and give them to \
             `dynameter estimate`"
        );
    }
    if args.format != OutputFormat::Text {
        bail!("import writes a workload file, which is TOML\nhelp: remove --format");
    }
    let of_metrics = MetricsArgs {
        table: Vec::new(),
        ..asked.metrics.clone()
    };
    if of_metrics != MetricsArgs::default() && !has(ImportFormat::CloudWatch) {
        bail!(
            "--period, --from, --to and --queries are only for CloudWatch metrics\nhelp: remove \
             them"
        );
    }
    let tables = &asked.metrics.table;
    if !tables.is_empty() && !has(ImportFormat::CloudWatch) && !has(ImportFormat::Account) {
        bail!("--table is only for CloudWatch metrics and accounts\nhelp: remove it");
    }
    if tables.len() > 1 && !has(ImportFormat::Account) {
        bail!(
            "--table names the one table of CloudWatch metrics that do not name theirs, but {} \
             were given\nhelp: import the metrics of each table separately",
            tables.len()
        );
    }
    if groups.len() > 1 && has(ImportFormat::Account) {
        bail!(
            "an account is imported alone\nhelp: import it first, then the files into its workload \
             file with --into"
        );
    }
    let account = &asked.of_account;
    if *account != Default::default() && !has(ImportFormat::Account) {
        bail!(
            "--profile, --days, --from-sample, --raw and --endpoint-url are only for accounts\nhelp: \
             remove them"
        );
    }
    Ok(())
}

/// The workload file of the files of one kind.
fn of_group(
    args: &Args,
    asked: &ImportArgs,
    group: &FileGroup,
    options: ImportOptions,
) -> Result<String> {
    let imported = match group.kind {
        #[cfg(feature = "replay")]
        ImportFormat::CloudWatch => trace::imported(&group.files, &asked.metrics, &options)?,
        #[cfg(not(feature = "replay"))]
        ImportFormat::CloudWatch => bail!(super::LIGHT),
        ImportFormat::Bill => bill::imported(args, asked, &group.files, &options)?,
        // Its folder is the export itself.
        ImportFormat::Export => input::imported(group.kind, &group.files, &options)?,
        kind => {
            let files = files::designs(args, &group.files)?;
            let before = asked.before && kind == ImportFormat::Terraform;
            input::imported(kind, &files, &ImportOptions { before, ..options })?
        }
    };
    Ok(imported.text)
}
