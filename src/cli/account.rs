//! `import account`: the tables of an AWS account become workload files.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::args::{Args, ImportArgs};
use super::{input, into, output};
use dynameter::import::{AccountAnswers, ImportOptions, import_account, join};

/// Imports an account, or the folder in which its answers were kept.
pub fn run(args: &Args, asked: &ImportArgs, files: &[String]) -> Result<()> {
    let answers = match files {
        [folder] => kept(args, asked, Path::new(folder))?,
        [] => asked_now(args, asked)?,
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
            output::note(args, &format!("warning: {}: {note}", region.region));
        }
        texts.push((region.region.as_str(), imported.text));
    }
    write(args, asked, &texts)
}

#[cfg(not(feature = "aws"))]
fn asked_now(_: &Args, _: &ImportArgs) -> Result<AccountAnswers> {
    bail!(super::NO_ACCOUNT)
}

/// How many days of metrics are read: CloudWatch keeps 15 days of minutes.
#[cfg(feature = "aws")]
const DAYS: u32 = 14;

/// Asks AWS; keeps its answers if `--raw` is given.
#[cfg(feature = "aws")]
fn asked_now(args: &Args, asked: &ImportArgs) -> Result<AccountAnswers> {
    use dynameter::aws::{AccountRequest, AskProgress, ask};

    let account = &asked.of_account;
    let raw = account
        .raw
        .as_deref()
        .map(output::NewFolder::new)
        .transpose()?;
    // Whole hours, so that each hour of the day is there as often.
    let to = chrono::Utc::now().timestamp().div_euclid(3_600) * 3_600;
    let days = i64::from(account.days.unwrap_or(DAYS));
    let request = AccountRequest {
        profile: account.profile.clone(),
        regions: args.regions.clone(),
        tables: asked.metrics.table.clone(),
        from: to - days * 86_400,
        to,
        endpoint_url: account.endpoint_url.clone(),
        raw: raw.as_ref().map(|folder| folder.path().to_path_buf()),
    };
    let stop = super::progress::interruption()?;
    let bar = super::progress::bar(args, 1, "{prefix}: {msg} {pos}/{len} ({eta} left)");
    let mut progress = |now: AskProgress| {
        bar.set_prefix(now.region);
        bar.set_message(now.what);
        bar.set_length(now.total.max(now.done));
        bar.set_position(now.done);
    };
    let answered = ask(&request, &stop, &mut progress);
    bar.finish_and_clear();
    let answered = answered?;
    for message in &answered.failed {
        output::note(args, &format!("warning: {message}"));
    }
    if let Some(folder) = raw {
        let path = folder.keep()?;
        output::note(args, &format!("kept AWS's answers in {}", path.display()));
    }
    Ok(answered.answers)
}

/// Reads a folder of answers.
fn kept(args: &Args, asked: &ImportArgs, folder: &Path) -> Result<AccountAnswers> {
    let account = &asked.of_account;
    if *account != Default::default() || !args.regions.is_empty() || !asked.metrics.table.is_empty()
    {
        bail!(
            "--profile, --region, --table, --days, --raw and --endpoint-url say what the account is \
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
        let joined =
            join(&into::existing(path)?, text).with_context(|| path.display().to_string())?;
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
