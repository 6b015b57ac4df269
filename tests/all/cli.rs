//! Tests of the command with bad input and unusual output paths: a clear error, exit code 2, no
//! panic, no partial file.

use crate::support;

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use dynameter::workload::TEMPLATE;

fn dynameter(folder: &Path, arguments: &[&str]) -> Output {
    Command::cargo_bin("dynameter")
        .expect("the binary")
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("it runs")
}

/// Asserts that the command failed with exit code 2, an error that contains the words, and nothing
/// on standard output.
fn refused(output: &Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(stderr.len() < 20_000, "an error of {} bytes", stderr.len());
    for word in words {
        assert!(stderr.contains(word), "no {word:?} in:\n{stderr}");
    }
}

fn refuse_file(name: &str, bytes: &[u8], words: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), bytes).expect("written");
    refused(&dynameter(folder.path(), &["estimate", name]), words);
    refused(&dynameter(folder.path(), &["explain", name]), words);
}

#[test]
fn files_that_are_no_workload_are_refused() {
    refuse_file(
        "empty.toml",
        b"",
        &[
            "empty.toml:1:1",
            "`name` is missing",
            "`region` is missing",
            "help:",
        ],
    );
    refuse_file(
        "binary.toml",
        &[0, 1, 2, 3, 255, 254, 0, 0],
        &["binary.toml:1", "UTF-8", "help:"],
    );
    refuse_file(
        "latin.toml",
        b"name = \"caf\xe9\"\n",
        &["latin.toml:1", "UTF-8"],
    );
    refuse_file(
        "control.toml",
        b"name = \"a\0b\"\n",
        &["control.toml:1:", "syntax"],
    );
    refuse_file(
        "zip.toml",
        b"PK\x03\x04tfplan",
        &["zip.toml: is a Terraform plan in its binary form", "help:"],
    );
    refuse_file(
        "json.toml",
        b"{\"name\": \"x\", \"region\": \"us-east-1\"}",
        &["json.toml:1:", "syntax"],
    );
    refuse_file(
        "array.toml",
        b"table = 5\nname = \"x\"\nregion = \"us-east-1\"",
        &["array.toml:1:9", "wrong-type"],
    );
    for nesting in ["[", "{a=", "[[", "a."] {
        let text = format!("x = {}", nesting.repeat(100_000));
        refuse_file("deep.toml", text.as_bytes(), &["deep.toml:1:", "syntax"]);
        refuse_file(
            "deeper.toml",
            nesting.repeat(100_000).as_bytes(),
            &["deeper.toml:1:", "syntax"],
        );
    }
    refuse_file(
        "long.toml",
        format!("name = \"{}\"", "x".repeat(3_000_000)).as_bytes(),
        &["`region` is missing"],
    );
}

#[test]
fn a_truncated_file_is_refused_or_still_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.toml");
    for at in (0..TEMPLATE.len())
        .step_by(97)
        .filter(|at| TEMPLATE.is_char_boundary(*at))
    {
        fs::write(&path, &TEMPLATE[..at]).expect("written");
        let output = dynameter(folder.path(), &["estimate", "cut.toml"]);
        match output.status.code() {
            Some(0) => {}
            _ => refused(&output, &["cut.toml:", "help:"]),
        }
    }
}

#[test]
fn a_file_of_100_mb_is_refused_without_reading_it_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = fs::File::create(folder.path().join("huge.toml")).expect("a file");
    file.set_len(100 << 20).expect("100 MB");
    refused(
        &dynameter(folder.path(), &["estimate", "huge.toml"]),
        &["huge.toml: is larger than 64 MB"],
    );
}

#[test]
fn places_that_cannot_be_read_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    refused(
        &dynameter(folder.path(), &["estimate", "nowhere.toml"]),
        &["nowhere.toml: cannot be opened", "dynameter init"],
    );
    refused(
        &dynameter(folder.path(), &["estimate", "."]),
        &[".: is a folder", "help:"],
    );
    refused(&dynameter(folder.path(), &["estimate"]), &["WORKLOAD"]);
    refused(
        &dynameter(folder.path(), &["estimate", "-", "--prices", "nowhere"]),
        &["neither a date nor a folder"],
    );
    refused(
        &dynameter(folder.path(), &["prices", "list", "--prices", "."]),
        &["has no price book"],
    );
    fs::write(
        folder.path().join("us-east-1.toml"),
        "region = \"us-east-1\"\nrates = [{ code = 1 }]\n",
    )
    .expect("written");
    refused(
        &dynameter(folder.path(), &["prices", "list", "--prices", "."]),
        &["us-east-1.toml", "code"],
    );
    fs::write(folder.path().join("w.toml"), TEMPLATE).expect("written");
    refused(
        &dynameter(folder.path(), &["estimate", "w.toml", "--prices", "."]),
        &["error[price-book]", "us-east-1.toml"],
    );
}

#[test]
fn a_result_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    assert_eq!(
        dynameter(folder.path(), &["init", "w.toml"]).status.code(),
        Some(0)
    );
    // The template, below the line that names its schema for editors.
    let written = fs::read_to_string(at("w.toml")).expect("the workload");
    assert!(
        written.starts_with("#:schema ./workload.schema.json\n"),
        "{written}"
    );
    assert!(written.ends_with(TEMPLATE), "{written}");
    refused(
        &dynameter(folder.path(), &["init", "w.toml"]),
        &["w.toml: exists already"],
    );

    let output = dynameter(
        folder.path(),
        &["estimate", "w.toml", "-o", "out.txt", "--quiet"],
    );
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
    let first = fs::read_to_string(at("out.txt")).expect("a result");
    assert!(first.starts_with("Orders: $"), "{first}");

    // A failure leaves the existing file unchanged.
    fs::write(at("bad.toml"), "name = 1").expect("written");
    refused(
        &dynameter(folder.path(), &["estimate", "bad.toml", "-o", "out.txt"]),
        &["bad.toml:1:8"],
    );
    assert_eq!(
        fs::read_to_string(at("out.txt")).expect("still there"),
        first
    );
    refused(
        &dynameter(
            folder.path(),
            &["estimate", "w.toml", "-o", "nowhere/out.txt"],
        ),
        &["nowhere/out.txt: cannot be written"],
    );
    fs::create_dir(at("folder")).expect("a folder");
    refused(
        &dynameter(folder.path(), &["estimate", "w.toml", "-o", "folder"]),
        &["folder: is a folder"],
    );
    let left: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left.len(), 4, "no temporary file is left: {left:?}");
}

#[test]
fn a_full_disk_is_told() {
    if !Path::new("/dev/full").exists() {
        eprintln!("SKIPPED a_full_disk_is_told: this system has no /dev/full");
        return;
    }
    refused(
        &dynameter(
            support::root(),
            &["estimate", "workloads/sessions.toml", "-o", "/dev/full"],
        ),
        &["/dev/full: cannot be written"],
    );
}

#[test]
fn a_workload_comes_from_standard_input_too() {
    let run = |text: &str| {
        Command::cargo_bin("dynameter")
            .expect("the binary")
            .args(["estimate", "-"])
            .write_stdin(text)
            .output()
            .expect("it runs")
    };
    let output = run(TEMPLATE);
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).starts_with("Orders: $")
    );
    refused(&run("name = 1"), &["<stdin>:1:8"]);
}

#[test]
fn a_name_cannot_draw_on_the_terminal_or_run_in_a_spreadsheet() {
    let text = TEMPLATE.replace("\"Orders\"", "\"=cmd|'\\u001b[31m | <b>*x*\"");
    let run = |format: &str| {
        let output = Command::cargo_bin("dynameter")
            .expect("the binary")
            .args(["estimate", "-", "--format", format])
            .write_stdin(text.clone())
            .output();
        String::from_utf8(output.expect("it runs").stdout).expect("UTF-8")
    };
    assert!(!run("text").contains('\u{1b}'));
    assert!(run("markdown").contains("\\| \\<b\\>\\*x\\*"));
    assert!(
        run("csv")
            .lines()
            .nth(1)
            .expect("a row")
            .starts_with("'=cmd")
    );
    let json: serde_json::Value = serde_json::from_str(&run("json")).expect("JSON");
    assert_eq!(json["workload"], "=cmd|'\u{1b}[31m | <b>*x*");
}

/// Every file that a command opens is an input: usage, budget, price books, the files of a pattern,
/// of a folder and of an export, and links to them.
#[test]
fn no_result_is_written_over_a_file_that_was_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = |from: &str, to: &str| {
        let to = folder.path().join(to);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(support::root().join(from), to).expect("a copy");
    };
    for name in ["plan.json", "usage.toml"] {
        copy(&format!("tests/import/{name}"), name);
    }
    for entry in std::fs::read_dir(support::root().join("pricing"))
        .expect("books")
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        copy(&format!("pricing/{name}"), &format!("books/{name}"));
    }
    for part in [
        "manifest-files.json",
        "data/part-one.json.gz",
        "data/part-two.json.gz",
    ] {
        copy(
            &format!("workloads/catalog-export/{part}"),
            &format!("catalog-export/{part}"),
        );
    }
    copy("workloads/marketplace.toml", "marketplace.toml");
    copy("workloads/shopping-cart.toml", "cart.toml");
    copy("tests/cases/budget-50.toml", "budget.toml");
    copy("traces/orders.toml", "orders.toml");
    copy("traces/columns.csv", "traces/one.csv");
    copy("traces/columns.csv", "traces/two.csv");
    #[cfg(unix)]
    std::os::unix::fs::symlink("usage.toml", folder.path().join("link.toml")).expect("a link");
    let mut all = vec![
        ("estimate plan.json --usage usage.toml", "usage.toml"),
        ("check cart.toml --budget budget.toml", "budget.toml"),
        (
            "check cart.toml --budget budget.toml --baseline orders.toml",
            "orders.toml",
        ),
        ("estimate cart.toml --prices books", "books/us-east-1.toml"),
        (
            "estimate marketplace.toml",
            "catalog-export/data/part-two.json.gz",
        ),
        (
            "estimate marketplace.toml",
            "catalog-export/manifest-files.json",
        ),
    ];
    if cfg!(unix) {
        all.push(("estimate plan.json --usage usage.toml", "link.toml"));
    }
    if cfg!(feature = "replay") {
        all.push((
            "replay traces/*.csv --workload orders.toml",
            "traces/one.csv",
        ));
        all.push(("replay traces --workload orders.toml", "traces/two.csv"));
        all.push((
            "replay traces/one.csv --workload orders.toml",
            "orders.toml",
        ));
    }
    for (command, result) in all {
        let before = std::fs::read(folder.path().join(result)).expect("the file");
        let output = Command::cargo_bin("dynameter")
            .expect("the binary")
            .current_dir(folder.path())
            .args(command.split(' '))
            .args(["-o", result])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(2),
            "{command} -o {result}: {said}"
        );
        assert!(
            said.contains("is a file that this command reads"),
            "{command} -o {result}: {said}"
        );
        assert_eq!(
            std::fs::read(folder.path().join(result)).expect("the file"),
            before,
            "{command} -o {result}"
        );
    }
}

/// An export does not contain the key schema of its table; a log that begins with the table's
/// CreateTable does.
#[cfg(feature = "replay")]
#[test]
fn a_log_defines_the_table_of_a_full_export() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = folder.path().join("export");
    fs::create_dir_all(export.join("data")).expect("a folder");
    for part in [
        "manifest-files.json",
        "data/part-one.json.gz",
        "data/part-two.json.gz",
    ] {
        fs::copy(
            support::root().join("workloads/catalog-export").join(part),
            export.join(part),
        )
        .expect("a copy");
    }
    let summary = r#"{"tableArn":"arn:aws:dynamodb:us-east-1:123456789012:table/Catalog","exportType":"FULL_EXPORT","itemCount":16}"#;
    fs::write(export.join("manifest-summary.json"), summary).expect("written");
    let create = |name: &str| {
        format!(
            r#"{{"time":"2026-11-01T00:00:00Z","operation":"CreateTable","request":{{"TableName":"{name}","KeySchema":[{{"AttributeName":"Sku","KeyType":"HASH"}}]}}}}"#
        )
    };
    let read = r#"{"time":"2026-11-01T00:00:01Z","operation":"GetItem","request":{"TableName":"NAME","Key":{"Sku":{"S":"sku-00000"}}}}"#;
    for (name, code, words) in [
        ("Catalog", 0, "Catalog     16"),
        (
            "Other",
            2,
            "is a full export of Catalog, but neither a workload nor the trace",
        ),
    ] {
        let log = format!("{}\n{}\n", create(name), read.replace("NAME", name));
        fs::write(folder.path().join("log.jsonl"), log).expect("written");
        let output = dynameter(folder.path(), &["replay", "export", "log.jsonl"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{name}: {said}");
        assert!(said.contains(words), "{name}: {said}");
    }
}
