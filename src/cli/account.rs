//! `import account`: the tables of an AWS account become workload files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::args::{AccountArgs, Args, DiffArgs, ImportArgs};
use super::input::WorkloadText;
use super::{files, input, into, output};
use crate::diag::harmless;
use crate::import::{AccountAnswers, ImportOptions, import_account};
use crate::workload::Workload;

/// Imports an account, or the folder in which its answers were kept.
pub fn run(args: &Args, asked: &ImportArgs, files: &[String]) -> Result<()> {
    let answers = match files {
        [folder] => kept(args, asked, Path::new(folder))?,
        [] => asked_now(args, &asked.of_account, &args.regions, &asked.metrics.table)?,
        several => bail!(
            "`import account` takes one folder, but {} were given\nhelp: name the folder that --raw \
             wrote, or none to ask the account itself",
            several.len()
        ),
    };
    let mut texts = Vec::new();
    let several = answers.regions.len() > 1;
    for (at, region) in answers.regions.iter().enumerate() {
        let own = ImportOptions {
            region: Some(region.region.clone()),
            is_one_of_several: several,
            ..input::asked(args)?
        };
        let imported = import_account(&answers, at, &own)?;
        for note in region.unanswered() {
            output::note(
                args,
                &harmless(&format!("warning: {}: {note}", region.region)),
            );
        }
        texts.push((region.region.as_str(), imported.text));
    }
    write(args, asked, &texts)
}

#[cfg(not(feature = "aws"))]
fn asked_now(_: &Args, _: &AccountArgs, _: &[String], _: &[String]) -> Result<AccountAnswers> {
    bail!(super::NO_ACCOUNT)
}

/// How many days of metrics are read: CloudWatch keeps 15 days of minutes.
#[cfg(feature = "aws")]
const DAYS: u32 = 14;

/// Asks AWS; keeps its answers if `--raw` is given.
#[cfg(feature = "aws")]
fn asked_now(
    args: &Args,
    account: &AccountArgs,
    regions: &[String],
    tables: &[String],
) -> Result<AccountAnswers> {
    use crate::aws::{AccountRequest, AskEvent, ask};

    if crate::opened::is_confined() {
        bail!("an account is not asked here\nhelp: name the folder that --raw wrote");
    }
    let raw = account
        .raw
        .as_deref()
        .map(output::NewFolder::new)
        .transpose()?;
    if let Some(folder) = &raw {
        super::progress::remove_at_the_end(folder.path());
    }
    // Whole hours, so that each hour of the day is there as often; the newest minutes come late.
    let now = chrono::Utc::now().timestamp() - 600;
    let to = now.div_euclid(3_600) * 3_600;
    let days = i64::from(account.days.unwrap_or(DAYS));
    let request = AccountRequest {
        profile: account.profile.clone(),
        regions: regions.to_vec(),
        tables: tables.to_vec(),
        from: to - days * 86_400,
        to,
        endpoint_url: account.endpoint_url.clone(),
        sample: account.from_sample.unwrap_or_default(),
        raw: raw.as_ref().map(|folder| folder.path().to_path_buf()),
    };
    let stop = super::progress::interruption()?;
    let bar = super::progress::bar(args, 1, "{prefix}: {msg} {pos}/{len} ({eta} left)");
    let mut tell = |event: AskEvent| match event {
        AskEvent::Progress(now) => {
            bar.set_prefix(now.region);
            bar.set_message(now.what);
            bar.set_length(now.total.max(now.done));
            bar.set_position(now.done);
        }
        AskEvent::Sampling(tables) => {
            let cost = cost_of(&tables);
            bar.suspend(|| output::note(args, &cost));
        }
    };
    let answered = ask(&request, &stop, &mut tell);
    bar.finish_and_clear();
    let answered = answered?;
    for message in &answered.failed {
        output::note(args, &harmless(&format!("warning: {message}")));
    }
    if let Some(folder) = raw {
        let path = folder.keep()?;
        output::note(args, &format!("kept AWS's answers in {}", path.display()));
    }
    Ok(answered.answers)
}

/// What reading a sample costs, in words.
#[cfg(feature = "aws")]
fn cost_of(sample: &crate::aws::SampledTables) -> String {
    use crate::pricing::Books;
    use crate::table::ApiName;
    use crate::workload::{Builder, BuilderPart, Setting};

    let books = Books::embedded();
    let mut design = Builder::new("sample", &sample.region);
    let mut all = 0;
    for (name, items, mean) in &sample.tables {
        all += items;
        let part = BuilderPart::table(name, "pk")
            .set("items", *items as i64)
            .set("item.size", format!("{} B", (*mean).max(8)).as_str())
            .access(
                "read a sample",
                ApiName::GetItem,
                "rate.once",
                *items as i64,
            );
        design = design.table(part);
    }
    let built = design.build(&Setting::new(&books));
    let outcome = built
        .ok()
        .and_then(|workload| crate::estimate::estimate(&workload, &books).ok());
    let total = outcome.and_then(|outcome| outcome.once.total().ok());
    let cost = match total {
        Some(total) => format!("about {} on demand", total.human()),
        None => format!("its price in {} is unknown", sample.region),
    };
    let tables = match sample.tables.len() {
        1 => "1 table".to_string(),
        count => format!("{count} tables"),
    };
    format!(
        "{}: reads {all} items of {tables}: {cost}; provisioned tables use units that they have",
        sample.region
    )
}

/// Refuses options of accounts where none is read.
pub fn are_none(account: &AccountArgs) -> Result<()> {
    if *account != AccountArgs::default() {
        bail!(
            "--profile, --days, --from-sample, --raw and --endpoint-url are only for accounts\nhelp: remove them, or \
             add --diff-account"
        );
    }
    Ok(())
}

/// The tables of a file as they are in the account, and as the file has them.
pub fn drift(args: &Args, asked: &DiffArgs, folder: &str) -> Result<Vec<(Workload, WorkloadText)>> {
    let (books, date) = input::books(args)?;
    let path = files::design(&asked.old)?;
    let file = input::design(args, input::source(&path)?, input::Role::Only)?;
    let read: toml::Table = file
        .text
        .parse()
        .with_context(|| format!("{path}: is not TOML"))?;
    let text = |value: &toml::Value, key: &str| {
        let text = value.get(key).and_then(toml::Value::as_str);
        text.map(str::to_string)
    };
    let region = read.get("region").and_then(toml::Value::as_str);
    let region = args.region.as_deref().or(region);
    let Some(region) = region.filter(|region| *region != "unknown") else {
        bail!("{path}: names no region\nhelp: give --region");
    };
    let region = region.to_string();
    let tables = read.get("table").and_then(toml::Value::as_array);
    let tables = tables.into_iter().flatten();
    let names: Vec<String> = tables.filter_map(|table| text(table, "name")).collect();
    let mut answers = match folder {
        "" => asked_now(
            args,
            &asked.of_account,
            std::slice::from_ref(&region),
            &names,
        )?,
        folder => {
            are_none(&asked.of_account)?;
            AccountAnswers::read(Path::new(folder))?
        }
    };
    let at = answers.regions.iter().position(|one| one.region == region);
    let Some(at) = at else {
        bail!(
            "{folder}: has no answers about {region}, the region of {path}\nhelp: name a folder that \
             has, or give --region"
        );
    };
    // A global table is described in the first region.
    answers.regions[..=at].rotate_right(1);
    let at = 0;
    for note in answers.regions[at].unanswered() {
        output::note(args, &harmless(&format!("warning: {region}: {note}")));
    }
    let options = ImportOptions {
        region: Some(region),
        ..ImportOptions::default()
    };
    let account = import_account(&answers, at, &options)?;
    let drift = crate::import::drift(&file.text, &account.text).with_context(|| path.clone())?;
    if !drift.missing.is_empty() {
        let tables = drift.missing.join(", ");
        output::note(
            args,
            &harmless(&format!("note: the account does not have {tables}")),
        );
    }
    let workload = |name: String, text: String| {
        let text = WorkloadText::new(name, text, &path);
        let workload = input::parsed(args, &text, &books, date)?;
        Ok((workload, text))
    };
    let of = format!("{path} in the account");
    [
        workload(of, drift.account),
        workload(path.clone(), drift.file),
    ]
    .into_iter()
    .collect()
}

/// Reads a folder of answers.
fn kept(args: &Args, asked: &ImportArgs, folder: &Path) -> Result<AccountAnswers> {
    let account = &asked.of_account;
    if *account != Default::default() || !args.regions.is_empty() || !asked.metrics.table.is_empty()
    {
        bail!(
            "--profile, --region, --table, --days, --from-sample, --raw and --endpoint-url say what the account is \
             asked for, and a folder has its answers\nhelp: remove them"
        );
    }
    Ok(AccountAnswers::read(folder)?)
}

/// Writes one file, or one for each region.
fn write(args: &Args, asked: &ImportArgs, texts: &[(&str, String)]) -> Result<()> {
    if let [(_, text)] = texts {
        let Some(path) = &asked.into else {
            return output::new(args, text);
        };
        let joined = into::joined(&into::existing(path)?, text, "the account")?;
        into::say_what_changed(args, "the account", &joined, true);
        return into::written(args, asked, &joined.text);
    }
    if asked.into.is_some() {
        bail!(
            "--into changes one workload file, which has one region, but {} were asked for\nhelp: \
             give one --region",
            texts.len()
        );
    }
    let Some(path) = args.output.as_ref().filter(|path| path.as_os_str() != "-") else {
        bail!(
            "a workload file has one region, but {} were asked for\nhelp: name the files with -o: \
             fleet.toml becomes fleet-{}.toml and so on",
            texts.len(),
            texts[0].0
        );
    };
    let paths: Vec<PathBuf> = texts
        .iter()
        .map(|(region, _)| named(path, region))
        .collect();
    for path in &paths {
        output::must_not_exist(path)?;
    }
    for (path, (_, text)) in paths.iter().zip(texts) {
        output::create(path, text)?;
    }
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    output::note(
        args,
        &format!(
            "wrote {}; replace the \"unknown\" values, then run: dynameter estimate {}",
            paths.join(", "),
            paths.join(" ")
        ),
    );
    Ok(())
}

/// The file of a region: `fleet.toml` becomes `fleet-eu-west-1.toml`.
fn named(path: &Path, region: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let end = path.extension().unwrap_or_default().to_string_lossy();
    let end = if end.is_empty() { "toml".into() } else { end };
    path.with_file_name(format!("{stem}-{region}.{end}"))
}
