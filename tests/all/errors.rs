//! One sample for each kind of error, with the message that the user sees. `DYNAMETER_BLESS=1`
//! rewrites the messages and the list in `docs/errors.md`.

use crate::support;

use std::path::Path;

use dynameter::pricing::Books;
use dynameter::workload::{CODES, Setting, load};

/// Kinds of errors that a workload file alone cannot cause.
const ELSEWHERE: [&str; 1] = ["price-book"];

#[test]
fn every_kind_of_mistake_has_a_sample_that_says_so() {
    let folder = support::root().join("tests/errors");
    let mut list = String::from(
        "# Errors in a workload file\n\nAll errors in a file are reported together, each with its \
         location, the source line and how to fix it. The word in brackets is the error code.\n",
    );
    let mut wrong = Vec::new();
    for (code, meaning) in CODES.iter().filter(|(code, _)| !ELSEWHERE.contains(code)) {
        let path = folder.join(format!("{code}.toml"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = format!("{code}.toml");
        let found = load(&name, &text, &folder, &Setting::new(&Books::embedded())).expect_err(code);
        if !found
            .list()
            .iter()
            .any(|diagnostic| diagnostic.code == *code)
        {
            wrong.push(format!("{name} does not show {code}:\n{found}"));
        }
        for diagnostic in found.list() {
            assert!(
                !diagnostic.message.is_empty() && !diagnostic.help.is_empty(),
                "{name}: {diagnostic}"
            );
        }
        let shown = found
            .to_string()
            .replace(&format!("{}/", folder.display()), "");
        list += &format!("\n## {code}: {meaning}\n\n```text\n{shown}\n```\n");
        wrong.extend(support::golden(
            &folder.join(format!("{code}.txt")),
            &format!("{shown}\n"),
        ));
    }
    wrong.extend(support::golden(
        &support::root().join("docs/errors.md"),
        &list,
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_sample_is_of_a_listed_kind() {
    let stem = |path: &Path| {
        path.file_stem()
            .expect("a name")
            .to_string_lossy()
            .to_string()
    };
    for entry in std::fs::read_dir(support::root().join("tests/errors"))
        .expect("the samples")
        .flatten()
    {
        assert!(
            CODES.iter().any(|(code, _)| *code == stem(&entry.path())),
            "{}",
            entry.path().display()
        );
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let text = "name = \"x\"\nregion = \"mars-1\"\nmonth_hours = 9_999\n[[table]]\nname = \
                \"T\"\nitems = -1\npartition_key = { nmae = \"id\" }\nitem.size = \"9 MB\"\n";
    let found = load(
        "x.toml",
        text,
        Path::new("."),
        &Setting::new(&Books::embedded()),
    )
    .expect_err("mistakes");
    let codes: Vec<&str> = found
        .list()
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    let expected = [
        "region",
        "month-hours",
        "name-length",
        "negative-number",
        "missing-key",
        "unknown-key",
        "item-size",
    ];
    assert_eq!(codes, expected, "{found}");
}

#[test]
fn a_wrong_value_is_told_once_and_hides_no_other() {
    let text = "name = 5\nregion = \"us-east-1\"\n[[table]]\nname = \"Items\"\nitems = \
                \"many\"\npartition_key = { name = \"id\" }\nitem.size = \"1 \
                KB\"\n[[table.index]]\nname = 7\nkind = \"globul\"\npartition_key = \
                \"k\"\n[[table.access]]\nname = \"read\"\noperation = \"GetItme\"\nitems = \
                4\nrate = { per_day = 1 }\n[[table.access]]\nname = \"list\"\noperation = \
                \"Query\"\nindex = \"ByOwner\"\nitems = \"x\"\nrate = { per_day = -1 }\nmissing = \
                3\n";
    let found = load(
        "x.toml",
        text,
        Path::new("."),
        &Setting::new(&Books::embedded()),
    )
    .expect_err("mistakes");
    let codes: Vec<&str> = found
        .list()
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect();
    let expected = [
        "wrong-type",
        "wrong-type",
        "wrong-type",
        "unknown-word",
        "unknown-word",
        "wrong-type",
        "negative-number",
        "share",
    ];
    assert_eq!(codes, expected, "{found}");
}
