//! What other programs ask of the command line: schemas, completions, manual pages.

use std::path::Path;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;
use clap::{Arg, CommandFactory, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::{Args, IMPORT_KINDS, SchemaArgs};
use super::output;
use crate::pricing::Books;
use crate::report::output_schemas;
use crate::workload;

/// The names of the schemas: of the files that are read, then of the results.
fn schemas() -> Vec<(&'static str, serde_json::Value)> {
    let files = [
        ("workload", workload::schema()),
        ("budget", crate::check::budget_schema().to_value()),
    ];
    files.into_iter().chain(output_schemas()).collect()
}

/// `dynameter schema`.
pub fn schema(args: &Args, asked: &SchemaArgs) -> Result<()> {
    let pretty = |schema: &serde_json::Value| -> Result<String> {
        Ok(serde_json::to_string_pretty(schema)? + "\n")
    };
    let all = schemas();
    if let (Some(folder), None, false) = (folder(args), &asked.name, asked.budget) {
        for (name, schema) in &all {
            output::replace(
                &folder.join(format!("{name}.schema.json")),
                &pretty(schema)?,
            )?;
        }
        let count = all.len();
        output::note(
            args,
            &format!("wrote {count} schemas to {}", folder.display()),
        );
        return Ok(());
    }
    let name = match (&asked.name, asked.budget) {
        (_, true) => "budget",
        (Some(name), _) => name,
        (None, _) => "workload",
    };
    let Some((_, schema)) = all.iter().find(|(listed, _)| *listed == name) else {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        bail!(
            "{name:?} has no schema\nhelp: write one of {}",
            names.join(", ")
        );
    };
    output::write(args, &pretty(schema)?)
}

/// The folder that `-o` names, if it is one.
fn folder(args: &Args) -> Option<&Path> {
    args.output.as_deref().filter(|path| path.is_dir())
}

/// `dynameter completions`.
pub fn completions(args: &Args, shell: Shell) -> Result<()> {
    let books = Books::embedded();
    let regions: Vec<String> = books.regions().map(str::to_string).collect();
    let mut command = Args::command().mut_args(|arg| completed(arg, &regions));
    command.build();
    let command_names: Vec<String> = command
        .get_subcommands()
        .map(|one| one.get_name().to_string())
        .collect();
    for name in command_names {
        command = command.mut_subcommand(name, |one| one.mut_args(|arg| completed(arg, &regions)));
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "dynameter", &mut script);
    output::write(args, &String::from_utf8(script)?)
}

/// An argument with the values and files that a shell may complete. They are suggestions: the command
/// says better what is wrong with others.
fn completed(arg: Arg, regions: &[String]) -> Arg {
    let words: Vec<String> = match arg.get_id().as_str() {
        "regions" => regions.to_vec(),
        "without_region" => regions.to_vec(),
        "kind" if arg.is_positional() => IMPORT_KINDS.map(str::to_string).to_vec(),
        #[cfg(feature = "replay")]
        "kind" => {
            let names = crate::trace::TraceFormat::NAMES.iter();
            names.map(|(name, _)| name.to_string()).collect()
        }
        _ => Vec::new(),
    };
    if !words.is_empty() {
        return arg.value_parser(PossibleValuesParser::new(words));
    }
    let names = arg.get_value_names().unwrap_or_default();
    let is = |word: &str| names.iter().any(|name| name.as_str().contains(word));
    let takes_files = matches!(
        arg.get_id().as_str(),
        "workloads" | "workload" | "traces" | "bills" | "files" | "file" | "old" | "new"
    );
    match (
        is("DIR"),
        is("FILE") || is("OLD") || is("TRACE") || is("BILL"),
    ) {
        (true, false) => arg.value_hint(ValueHint::DirPath),
        (_, true) => arg.value_hint(ValueHint::AnyPath),
        _ if takes_files => arg.value_hint(ValueHint::AnyPath),
        _ => arg,
    }
}

/// `dynameter man`: the page of the program or of a command, or all pages in a folder.
pub fn man(args: &Args, name: Option<&str>) -> Result<()> {
    let mut command = Args::command();
    command.build();
    let render = |command: &clap::Command| -> Result<String> {
        let mut page = Vec::new();
        Man::new(command.clone()).render(&mut page)?;
        Ok(String::from_utf8(page)?)
    };
    let commands = || {
        command
            .get_subcommands()
            .filter(|one| one.get_name() != "help")
    };
    if let (Some(folder), None) = (folder(args), name) {
        output::replace(&folder.join("dynameter.1"), &render(&command)?)?;
        for one in commands() {
            let file = format!("dynameter-{}.1", one.get_name());
            output::replace(&folder.join(file), &render(one)?)?;
        }
        let count = commands().count() + 1;
        output::note(
            args,
            &format!("wrote {count} pages to {}", folder.display()),
        );
        return Ok(());
    }
    let Some(name) = name else {
        return output::write(args, &render(&command)?);
    };
    let Some(found) = commands().find(|one| one.get_name() == name) else {
        let names: Vec<&str> = commands().map(clap::Command::get_name).collect();
        bail!(
            "{name:?} is no command\nhelp: write one of {}",
            names.join(", ")
        );
    };
    output::write(args, &render(found)?)
}
