//! The files of designs that a command names: patterns and folders expanded, and a way on for files
//! that are no designs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::bill::is_bill;

use super::args::Args;
use super::output;

/// The templates that the CDK synthesizes, one for each stack.
const TEMPLATE: &str = ".template.json";

/// Those of stacks within other stacks, which are read with the outer stack.
const NESTED: &str = ".nested.template.json";

/// The template that `serverless package` writes.
const SERVERLESS: &str = "cloudformation-template-update-stack.json";

/// The files that arguments name: patterns that the shell does not expand, and the templates of a
/// folder. Each is a design of its own.
pub fn designs(args: &Args, paths: &[String]) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for path in paths {
        all.extend(expanded(path)?);
    }
    let nested = |path: &String| path.ends_with(NESTED);
    let folder = |path: &String| Path::new(path).parent().map(Path::to_path_buf);
    let outer: Vec<Option<PathBuf>> = all
        .iter()
        .filter(|path| !nested(path))
        .map(folder)
        .collect();
    all.retain(|path| {
        let is_within = nested(path) && outer.contains(&folder(path));
        if is_within {
            output::note(
                args,
                &format!("note: {path}: is read with the stack that it is nested in"),
            );
        }
        !is_within
    });
    Ok(all)
}

/// The file that an argument of a single design names.
pub fn design(path: &str) -> Result<String> {
    let mut all = expanded(path)?;
    match (all.pop(), all.len()) {
        (Some(one), 0) => Ok(one),
        (Some(last), _) => {
            all.push(last);
            bail!(
                "{path}: contains several designs: {}\nhelp: name one of them",
                all.join(", ")
            )
        }
        (None, _) => Ok(path.to_string()),
    }
}

fn expanded(path: &str) -> Result<Vec<String>> {
    if path == "-" || Path::new(path).is_file() {
        return Ok(vec![path.to_string()]);
    }
    if Path::new(path).is_dir() {
        return in_folder(path);
    }
    if path.contains("://") || !path.contains(['*', '?', '[']) {
        return Ok(vec![path.to_string()]);
    }
    let found = glob::glob(path)
        .map_err(|error| anyhow::anyhow!("{path}: is not a pattern of files: {error}"))?;
    let mut files: Vec<String> = found
        .flatten()
        .filter(|path| path.is_file())
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("{path}: no file matches this pattern\nhelp: name files that exist");
    }
    Ok(files)
}

/// The designs in a folder: the templates that the CDK or the Serverless Framework wrote, or its
/// workload files.
fn in_folder(folder: &str) -> Result<Vec<String>> {
    let names = names_in(folder);
    let within = |name: &String| Path::new(folder).join(name).to_string_lossy().into_owned();
    let of_cdk = names.iter().filter(|name| name.ends_with(TEMPLATE));
    let of_cdk: Vec<String> = of_cdk
        .filter(|name| !name.ends_with(NESTED))
        .map(within)
        .collect();
    if !of_cdk.is_empty() {
        return Ok(of_cdk);
    }
    if names.iter().any(|name| name == SERVERLESS) {
        return Ok(vec![within(&SERVERLESS.to_string())]);
    }
    let files = names.iter().filter(|name| name.ends_with(".toml"));
    let workloads: Vec<String> = files.map(within).filter(|path| is_workload(path)).collect();
    if !workloads.is_empty() {
        return Ok(workloads);
    }
    bail!(
        "{folder}: is a folder, and no workload file or template in it can be read\nhelp: {}",
        of_folder(folder, &names)
    )
}

/// Whether a file is meant as a workload: unlike usage files and budgets, it has a name, a region
/// and tables. One with a mistake may be one.
fn is_workload(path: &str) -> bool {
    let Ok(text) = crate::opened::read_to_string(Path::new(path)) else {
        return false;
    };
    match text.parse::<toml::Table>() {
        Ok(file) => ["name", "region", "table"]
            .iter()
            .all(|key| file.contains_key(*key)),
        Err(_) => text.lines().any(|line| line.trim() == "[[table]]"),
    }
}

/// The names of the files in a folder, in order.
fn names_in(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What leads from a folder to a file that can be read.
fn of_folder(folder: &str, names: &[String]) -> String {
    let has = |name: &str| names.iter().any(|own| own == name);
    let ends = |end: &str| names.iter().any(|own| own.ends_with(end));
    if ends(".tf") {
        terraform(folder)
    } else if has("cdk.json") {
        format!("run\n  (cd {folder} && npx cdk synth)\n  dynameter estimate {folder}/cdk.out")
    } else if has("serverless.yml") || has("serverless.yaml") {
        serverless(folder)
    } else if has("Pulumi.yaml") {
        format!(
            "run\n  pulumi preview --json --cwd {folder} > preview.json\n  dynameter estimate preview.json"
        )
    } else if has("samconfig.toml") || has("template.yaml") || has("template.yml") {
        "name the template in it, such as template.yaml".to_string()
    } else {
        "name a file: a workload (.toml), a Terraform plan as JSON, or a CloudFormation template"
            .to_string()
    }
}

/// The commands that make a plan of a folder of Terraform files.
fn terraform(folder: &str) -> String {
    let (tool, is_there) = match (on_path("terraform"), on_path("tofu")) {
        (false, true) => ("tofu", true),
        (is_there, _) => ("terraform", is_there),
    };
    let chdir = match folder {
        "" | "." => String::new(),
        folder => format!(" -chdir={folder}"),
    };
    let is_initialised = Path::new(folder).join(".terraform").is_dir();
    let mut lines = Vec::new();
    if !is_there || !is_initialised {
        lines.push(format!("{tool}{chdir} init"));
    }
    lines.push(format!("{tool}{chdir} plan -out=plan.bin"));
    lines.push(format!("{tool}{chdir} show -json plan.bin > plan.json"));
    lines.push("dynameter estimate plan.json".to_string());
    format!("make a plan, and read that:\n  {}", lines.join("\n  "))
}

fn on_path(tool: &str) -> bool {
    let version = Command::new(tool)
        .arg("-version")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

fn serverless(folder: &str) -> String {
    let (cd, place) = match folder {
        "" | "." => (String::new(), ".serverless".to_string()),
        folder => (format!("cd {folder} && "), format!("{folder}/.serverless")),
    };
    format!(
        "package it, and read the template that this writes:\n  {cd}npx serverless package\n  \
         dynameter estimate {place}/{SERVERLESS}"
    )
}

/// What leads from a file that is no design to one that can be read; `None` if the file may be one.
pub fn way_on(path: &str, bytes: &[u8]) -> Option<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = Path::new(path)
        .parent()
        .map(|folder| folder.to_string_lossy().into_owned());
    let folder = folder.unwrap_or_default();
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if ends(&[".tf", ".hcl", ".tofu"]) {
        let help = terraform(&folder);
        return Some(format!(
            "{path}: is a Terraform file; what it makes is in the plan\nhelp: {help}"
        ));
    }
    if ends(&[".tfstate"]) {
        return Some(format!(
            "{path}: is a Terraform state file, which only Terraform should read\nhelp: \
             run\n  terraform show -json {path} > current.json\n  dynameter estimate current.json"
        ));
    }
    if ends(&[".ts", ".py", ".js", ".java", ".cs", ".go"]) {
        return Some(format!(
            "{path}: is a program\nhelp: if it is a CDK app, run\n  npx cdk synth\n  dynameter \
             estimate cdk.out"
        ));
    }
    if is_bill(bytes) {
        return Some(bill(path, "a design"));
    }
    let packed: [(&[u8], &str, &str); 3] = [
        (b"\x1f\x8b", "is compressed with gzip", "gunzip -c"),
        (
            b"\x28\xb5\x2f\xfd",
            "is compressed with Zstandard",
            "zstd -dc",
        ),
        (b"BZh", "is compressed with bzip2", "bzip2 -dc"),
    ];
    if let Some((_, what, tool)) = packed.iter().find(|(magic, ..)| bytes.starts_with(magic)) {
        return Some(format!(
            "{path}: {what}\nhelp: unpack it first: `{tool} {path} | dynameter estimate -`; if it \
             is a trace, run `dynameter replay {path}`"
        ));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Some(zip(path, bytes));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(format!(
            "{path}: is a tar archive\nhelp: unpack it first: `tar xf {path}`"
        ));
    }
    if bytes.starts_with(b"PAR1") {
        return Some(format!(
            "{path}: is Parquet: a trace, not a design\nhelp: run `dynameter replay {path}`"
        ));
    }
    of_text(
        path,
        &folder,
        &String::from_utf8_lossy(&bytes[..bytes.len().min(8_192)]),
    )
}

/// What to do with a bill, which is not what the command reads.
pub fn bill(path: &str, reads: &str) -> String {
    format!(
        "{path}: is a bill of AWS, not {reads}\nhelp: explain it, or make a workload of \
         it:\n  dynameter reconcile {path}\n  dynameter import bill {path} -o measured.toml"
    )
}

/// A ZIP archive: a plan in its binary form has an entry `tfplan`.
fn zip(path: &str, bytes: &[u8]) -> String {
    let has = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    match has(b"tfplan") {
        true => format!(
            "{path}: is a Terraform plan in its binary form\nhelp: run\n  terraform show -json \
             {path} > plan.json\n  dynameter estimate plan.json"
        ),
        false => format!(
            "{path}: is a ZIP archive\nhelp: unpack it first: `unzip {path}`; if it is a \
             Terraform plan, run `terraform show -json {path} > plan.json`"
        ),
    }
}

/// Texts that are no designs.
fn of_text(path: &str, folder: &str, text: &str) -> Option<String> {
    let has_line = |start: &str| text.lines().any(|line| line.starts_with(start));
    let is_serverless = has_line("service:")
        && ["provider:", "functions:", "resources:"]
            .iter()
            .any(|key| has_line(key));
    if is_serverless {
        let help = serverless(folder);
        return Some(format!(
            "{path}: is a configuration of the Serverless Framework, which turns it into a \
             template\nhelp: {help}"
        ));
    }
    if has_line("resource \"aws_") || has_line("terraform {") || has_line("provider \"aws\"") {
        let help = terraform(folder);
        return Some(format!(
            "{path}: is a Terraform file; what it makes is in the plan\nhelp: {help}"
        ));
    }
    let shown = [
        "Terraform will perform",
        "Terraform used the selected providers",
        "OpenTofu used",
    ];
    if text
        .lines()
        .any(|line| shown.iter().any(|start| line.contains(start)))
    {
        let help = terraform(folder);
        return Some(format!(
            "{path}: is a plan as Terraform shows it to people\nhelp: {help}"
        ));
    }
    None
}

/// What leads to a file that is not on this machine; `None` for a path.
pub fn elsewhere(path: &str) -> Option<String> {
    let (scheme, _) = path.split_once("://")?;
    let command = match scheme {
        "s3" => format!("aws s3 cp {path} -"),
        "http" | "https" => format!("curl -sSfL {path}"),
        "gs" => format!("gsutil cat {path}"),
        _ => return None,
    };
    Some(format!(
        "{path}: is not on this machine, and dynameter reads nothing over the network\nhelp: \
         run\n  {command} | dynameter estimate -"
    ))
}
