//! What people see and type: colour, widths, filters, schemas, manual pages, completions, watching.

use crate::support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

const CART: &str = "workloads/shopping-cart.toml";

fn binary() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("dynameter"));
    command.current_dir(support::root());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn output(command: &mut Command) -> (String, String) {
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn colour_is_as_the_command_line_and_the_environment_say() {
    let has = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = binary();
        command.args(["compare", CART]).args(arguments);
        command.envs(environment.iter().copied());
        output(&mut command).0.contains('\u{1b}')
    };
    for (arguments, environment, colored) in [
        (&[][..], &[][..], false),
        (&["--color", "always"], &[], true),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["-o", "-", "--color", "auto"], &[("TERM", "dumb")], false),
    ] {
        assert_eq!(
            has(arguments, environment),
            colored,
            "{arguments:?} {environment:?}"
        );
    }
    let (stdout, _) = output(binary().args(["compare", CART, "--color", "always"]));
    assert!(
        stdout.contains("\u{1b}[32m-64.3 %\u{1b}[0m"),
        "savings are green: {stdout}"
    );
    assert!(
        stdout.starts_with("\u{1b}[1mShopping cart"),
        "the total is bold: {stdout}"
    );
    let wrong = support::root().join("tests/cases");
    let (_, stderr) = output(
        binary()
            .args(["estimate", "nowhere.toml", "--color", "always"])
            .current_dir(wrong),
    );
    assert!(
        stderr.starts_with("\u{1b}[1;31merror\u{1b}[0m: nowhere.toml"),
        "{stderr:?}"
    );
    assert!(stderr.contains("\u{1b}[1;36mhelp\u{1b}[0m: "), "{stderr:?}");
}

/// The widest line of what a terminal of so many columns shows; `None` where `script` is missing.
fn widest(arguments: &str, columns: usize) -> Option<(usize, String)> {
    let program = assert_cmd::cargo::cargo_bin("dynameter");
    let line = format!(
        "stty rows 40 cols {columns} && '{}' {arguments}",
        program.display()
    );
    let output = Command::new("script")
        .current_dir(support::root())
        .args(["-qec", &line, "/dev/null"])
        .env_remove("COLUMNS")
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .replace('\r', "");
    // Lines of TOML stay whole, so that they can be pasted.
    let is_code =
        |line: &&str| line.starts_with("     ") && line.contains(" = ") || line.contains("cron = ");
    let lines = text.lines().filter(|line| !is_code(line));
    let widest = lines.map(|line| line.chars().count()).max().unwrap_or(0);
    Some((widest, text))
}

#[test]
fn tables_fit_the_terminal_and_nothing_changes_in_a_pipe() {
    for arguments in [
        "estimate workloads/shop.toml",
        "estimate workloads/marketplace.toml --summary",
        "compare workloads/tenants.toml --all",
        "compare workloads/shopping-cart.toml",
        "headroom workloads/launch.toml",
        "diff workloads/shopping-cart.toml workloads/sessions.toml",
    ] {
        for columns in [80, 120] {
            let Some((widest, text)) = widest(arguments, columns) else {
                eprintln!("SKIPPED the widths of terminals: `script` is not installed");
                return;
            };
            assert!(text.lines().count() > 3, "{arguments}: {text}");
            assert!(
                widest <= columns,
                "{arguments}: {widest} of {columns} columns\n{text}"
            );
        }
    }
}

#[test]
fn explanations_are_of_the_lines_that_are_named() {
    let explain = |more: &[&str]| {
        output(
            binary()
                .args(["explain", "workloads/tenants.toml"])
                .args(more),
        )
    };
    let json = |more: &[&str]| -> Vec<Value> {
        let text = explain(&[&["--format", "json"], more].concat()).0;
        let value: Value = serde_json::from_str(&text).expect("JSON");
        value["lines"].as_array().expect("lines").clone()
    };
    let all = json(&[]);
    let numbers: Vec<u64> = all
        .iter()
        .map(|line| line["number"].as_u64().expect("a number"))
        .collect();
    assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>());
    let table = all[0]["table"].as_str().expect("a table");
    let own: Vec<&Value> = all.iter().filter(|line| line["table"] == table).collect();
    assert_eq!(json(&["--table", table]).iter().collect::<Vec<_>>(), own);
    assert_eq!(json(&["--line", "2,3"]), all[1..3]);
    let access = all[0]["access"].as_str().expect("an access pattern");
    let (text, _) = explain(&["--access", access]);
    assert!(
        text.contains("\n1. ") && !text.contains("\nstorage"),
        "{text}"
    );
    for rule in all[0]["rules"].as_array().expect("rules") {
        assert!(
            text.contains(&format!("  {} ", rule.as_str().expect("a rule"))),
            "{rule}: {text}"
        );
    }
    let (stdout, stderr) = explain(&["--table", "Nothing"]);
    assert!(
        stdout.is_empty() && stderr.contains("help: the lines are 1 to"),
        "{stderr}"
    );
}

#[test]
fn results_are_what_their_schemas_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_str().expect("a path");
    let (_, stderr) = output(binary().args(["schema", "-o", at]));
    assert!(stderr.contains("schemas to"), "{stderr}");
    let budget = folder.path().join("budget.toml");
    fs::write(
        &budget,
        "[[limit]]\nname = \"all\"\nmonthly_usd = { fail = 9000 }\n",
    )
    .expect("written");
    let budget = budget.to_str().expect("a path");
    let mut checked = 0;
    for (schema, arguments) in [
        ("estimate", vec!["estimate", "workloads/tenants.toml"]),
        (
            "estimate",
            vec![
                "estimate",
                "workloads/ticketing.toml",
                "workloads/payments.toml",
            ],
        ),
        ("compare", vec!["compare", CART]),
        (
            "explain",
            vec!["explain", "workloads/payments.toml", "--line", "1"],
        ),
        ("diff", vec!["diff", CART, "workloads/sessions.toml"]),
        ("check", vec!["check", CART, "--budget", budget]),
        ("headroom", vec!["headroom", "workloads/launch.toml"]),
        (
            "forecast",
            vec!["estimate", "workloads/tenants.toml", "--months", "3"],
        ),
        (
            "fleet",
            vec!["estimate", "workloads/tenants.toml", "--summary"],
        ),
        ("prices", vec!["prices", "show", "--region", "us-east-1"]),
    ] {
        let text = fs::read_to_string(folder.path().join(format!("{schema}.schema.json")));
        let schema: Value = serde_json::from_str(&text.expect("a schema")).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let (stdout, stderr) = output(binary().args(&arguments).args(["--format", "json"]));
        let value: Value =
            serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
        let wrong: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(
            wrong.is_empty(),
            "{arguments:?}: {}",
            wrong[..wrong.len().min(5)].join("\n")
        );
        // A schema that allows anything proves nothing.
        assert!(
            !validator.is_valid(&serde_json::json!({ "schema": 1 })),
            "{arguments:?}"
        );
        checked += 1;
    }
    assert_eq!(checked, 10);
    let (stdout, stderr) = output(binary().args(["schema", "nothing"]));
    assert!(
        stdout.is_empty() && stderr.contains("help: write one of workload, budget, estimate"),
        "{stderr}"
    );
}

#[test]
fn each_command_has_a_manual_page_and_completions_know_the_values() {
    let folder = tempfile::tempdir().expect("a folder");
    output(binary().args(["man", "-o", folder.path().to_str().expect("a path")]));
    let names: Vec<String> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let (help, _) = output(binary().arg("--help"));
    let commands = help.split_once("Commands:").expect("commands").1;
    let commands = commands.split("\n\n").next().expect("commands").lines();
    let commands: Vec<&str> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 15, "{commands:?}");
    for command in &commands {
        assert!(
            names.contains(&format!("dynameter-{command}.1")),
            "{command}: {names:?}"
        );
    }
    assert_eq!(names.len(), commands.len() + 1);
    // The others complete only names.
    for shell in ["bash", "zsh", "fish"] {
        let (script, _) = output(binary().args(["completions", shell]));
        for word in ["eu-central-1", "describe-table", "markdown", "projection"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
    }
}

#[test]
fn a_watched_design_is_estimated_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cart.toml");
    let text = fs::read_to_string(support::root().join(CART)).expect("a design");
    fs::write(&file, &text).expect("written");
    let mut child = binary()
        .args(["estimate", "cart.toml", "--watch"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let (send, receive) = mpsc::channel();
    let listen = |pipe: Box<dyn Read + Send>| {
        let send = send.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
    };
    listen(Box::new(child.stdout.take().expect("a pipe")));
    listen(Box::new(child.stderr.take().expect("a pipe")));
    // The two streams arrive in any order: what was waited for is taken out of what was seen.
    let mut seen = String::new();
    let mut wait = |words: &str| {
        while !seen.contains(words) {
            match receive.recv_timeout(Duration::from_secs(60)) {
                Ok(line) => seen += &format!("{line}\n"),
                Err(_) => panic!("no {words:?} in {seen}"),
            }
        }
        seen = seen.replacen(words, "", 1);
    };
    wait("$56.28 a month");
    wait("watching for changes");
    fs::write(&file, text.replace("\"Carts\"", "[")).expect("written");
    wait("error");
    wait("watching for changes");
    fs::write(&file, text.replace("\"Shopping cart\"", "\"Another cart\"")).expect("written");
    wait("Another cart: $56.28 a month");
    child.kill().expect("ended");
    child.wait().expect("ended");
}
