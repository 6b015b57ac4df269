//! Files of several kinds as one workload file, and files imported into one that exists.

use crate::support::{self, run_in};

use std::collections::BTreeMap;

use dynameter::import::{JoinError, drift, join};
use dynameter::outcome::Outcome;

const HEAD: &str = "name = \"Shop\"\nregion = \"us-east-1\"\n";

fn table(text: &str) -> String {
    format!("{HEAD}\n[[table]]\nname = \"Orders\"\n{text}")
}

#[test]
fn a_file_joined_with_itself_stays_as_it_is() {
    for (name, text) in support::shipped() {
        let joined = join(&text, &text).expect("a workload");
        assert_eq!(joined.text, text, "{name}");
        assert!(
            joined.added.is_empty() && joined.kept.is_empty(),
            "{name}: {joined:?}"
        );
    }
}

#[test]
fn a_table_that_is_added_changes_no_other() {
    let other = "\n[[table]]\nname = \"Joined\"\nitems = 10\nitem = { size = \"1 KB\" }\n\
                 partition_key = { name = \"pk\", type = \"S\" }\n\n[[table.access]]\nname = \"read\"\n\
                 operation = \"GetItem\"\nrate = { per_second = 1 }\n";
    for (name, text) in support::shipped() {
        let parsed: toml::Table = text.parse().expect("TOML");
        let region = parsed["region"].as_str().expect("a region");
        let second = format!("name = \"Other\"\nregion = {region:?}\n{other}");
        let joined = join(&text, &second).expect("workloads");
        assert_eq!(joined.added, ["Joined"], "{name}");
        let (before, after) = (
            support::estimated(&name, &text),
            support::estimated(&name, &joined.text),
        );
        // A free tier may be shared with the new table; quantities are not.
        type Quantities = BTreeMap<(Option<String>, String), rust_decimal::Decimal>;
        let quantities = |outcome: &Outcome| -> Quantities {
            let mut all = Quantities::new();
            for line in &outcome.bill.lines {
                let key = (line.subject.table.clone(), format!("{:?}", line.usage_type));
                *all.entry(key).or_default() += line.quantity;
            }
            all.retain(|(table, _), _| table.as_deref() != Some("Joined"));
            all
        };
        assert_eq!(quantities(&before), quantities(&after), "{name}");
    }
}

#[test]
fn an_account_that_is_as_its_file_says_has_no_drift() {
    for (name, text) in support::shipped() {
        let same = drift(&text, &text).expect("a workload");
        let total = |text: &str| support::estimated(&name, text).total().expect("a total");
        assert_eq!(total(&same.account), total(&text), "{name}");
        assert_eq!(total(&same.file), total(&text), "{name}");
        assert!(same.missing.is_empty(), "{name}: {:?}", same.missing);
    }
}

#[test]
fn drift_is_of_settings_and_never_of_usage() {
    let of = |text: &str| {
        table(&format!(
            "partition_key = {{ name = \"pk\", type = \"S\" }}\n{text}"
        ))
    };
    let file = of(
        "items = 1000\nitem = { size = \"1 KB\" }\n\n[[table.access]]\nname = \"read\"\noperation = \
         \"GetItem\"\nrate = { per_second = 1 }\n",
    );
    let account = of(
        "items = 9000000\nitem = \"unknown\"\nclass = \"standard-ia\"\n\n[[table.index]]\nname = \
         \"extra\"\nkind = \"global\"\npartition_key = \"c\"\nprojection = \"all\"\n\n[[table.consumed]]\nread \
         = { per_hour = 5 }\n\n[[table.consumed]]\nindex = \"extra\"\nread = { per_hour = 5 }\n\n\
         [table.backup]\npitr = true\n",
    );
    let found = drift(&file, &account).expect("workloads");
    for expected in [
        "standard-ia",
        "extra",
        "pitr = true",
        "items = 1000",
        "per_second = 1",
    ] {
        assert!(
            found.account.contains(expected),
            "{expected}: {}",
            found.account
        );
    }
    for wrong in ["9000000", "per_hour"] {
        assert!(!found.account.contains(wrong), "{wrong}: {}", found.account);
    }
    for wrong in ["standard-ia", "extra", "pitr"] {
        assert!(!found.file.contains(wrong), "{wrong}: {}", found.file);
    }
    // Usage that the file does not say is what the account measured.
    let unknown = of("items = \"unknown\"\nitem = \"unknown\"\n");
    let found = drift(&unknown, &account).expect("workloads");
    assert!(found.file.contains("items = 9000000"), "{}", found.file);
    assert!(
        found.file.contains("read = { per_hour = 5 }"),
        "{}",
        found.file
    );
    assert!(!found.file.contains("extra"), "{}", found.file);
}

#[test]
fn the_first_file_decides_and_the_second_fills_in() {
    // The first file, the second, what the result has, and what it does not have.
    let rows: &[(&str, &str, &[&str], &[&str])] = &[
        (
            "items = 7 # mine\n",
            "items = 9\n",
            &["items = 7 # mine"],
            &["9"],
        ),
        (
            "items = \"unknown\" # how many?\n",
            "items = 9 # counted\n",
            &["items = 9 # counted"],
            &["unknown"],
        ),
        ("", "items = \"unknown\"\n", &[], &["items"]),
        (
            "[table.capacity]\nmode = \"on-demand\"\n",
            "[table.capacity]\nmode = \"provisioned\"\nread = 5\n",
            &["on-demand"],
            &["read = 5", "provisioned"],
        ),
        (
            "[table.capacity]\nmode = \"provisioned\"\nread = 7\n",
            "[table.capacity]\nmode = \"provisioned\"\nread = 5\nwrite = 6\n",
            &["read = 7", "write = 6"],
            &["read = 5"],
        ),
        (
            "[[table.index]]\nname = \"a\"\nkind = \"global\"\n",
            "[[table.index]]\nname = \"b\"\nkind = \"local\"\n\n[[table.index]]\nname = \"a\"\n\
             coverage = 0.5\n",
            &[
                "name = \"a\"\nkind = \"global\"\ncoverage = 0.5",
                "name = \"b\"",
            ],
            &[],
        ),
        (
            "[[table.consumed]]\nread = \"unknown\"\nwrite = { per_second = 1 }\n",
            "[[table.consumed]]\nread = { per_hour = 5 }\n\n[[table.consumed]]\nwrite = { per_hour = 6 \
             }\n",
            &["read = { per_hour = 5 }", "write = { per_second = 1 }"],
            &["unknown", "per_hour = 6"],
        ),
        (
            "[[table.access]]\nname = \"a\"\n",
            "[[table.consumed]]\nread = { per_hour = 5 }\n",
            &["name = \"a\""],
            &["consumed"],
        ),
        (
            "[[table.entity]]\nname = \"Order\"\n",
            "items = 5\nitem = { size = \"1 KB\" }\nstored = \"5 B\"\n",
            &["Order"],
            &["items", "stored"],
        ),
        (
            "unpriced = [\"a\"]\n",
            "unpriced = [\"a\", \"b\"]\n",
            &["[\"a\", \"b\"]"],
            &[],
        ),
        (
            "[[table.replica]]\nregion = \"eu-west-1\"\npitr = \"unknown\"\n",
            "[[table.replica]]\nregion = \"eu-west-1\"\npitr = true\n",
            &["pitr = true"],
            &["unknown"],
        ),
    ];
    let provisioned = "[table.capacity]\nmode = \"provisioned\"\nread = 5\nwrite = 5\n";
    let index = "[[table.index]]\nname = \"a\"\nkind = \"global\"\ncoverage = 0.5\n";
    let more = [
        // What is written in one line stays, and blocks in one line are filled in.
        (
            "index = [{ name = \"mine\", kind = \"global\" }]\n".to_string(),
            index.to_string(),
            vec!["index = [{ name = \"mine\", kind = \"global\" }]"],
            vec!["coverage"],
        ),
        (
            "backup = { pitr = \"unknown\" }\n".to_string(),
            "[table.backup]\npitr = true\n".to_string(),
            vec!["backup = { pitr = true }"],
            vec!["unknown"],
        ),
        // What follows from something else is not said twice.
        (
            "items = 7\nitem = { size = \"1 KB\" }\n".to_string(),
            "stored = \"5 B\"\n".to_string(),
            vec!["items = 7"],
            vec!["stored"],
        ),
        (
            format!(
                "[[table.entity]]\nname = \"Order\"\n\n{}",
                index.replace("coverage = 0.5\n", "")
            ),
            index.to_string(),
            vec!["name = \"a\""],
            vec!["coverage"],
        ),
        (
            "item = { size = \"1 KB\" }\n".to_string(),
            "[[table.entity]]\nname = \"Order\"\n".to_string(),
            vec!["1 KB"],
            vec!["entity"],
        ),
        // An index has the units of its table's mode.
        (
            provisioned.to_string(),
            index.to_string(),
            vec!["read = \"unknown\"", "write = \"unknown\""],
            vec![],
        ),
        (
            "[table.capacity]\nmode = \"on-demand\"\n".to_string(),
            format!("{provisioned}\n{index}read = 5\nwrite = 5\n"),
            vec!["coverage = 0.5"],
            vec!["read = 5"],
        ),
        // What stands above a figure stays.
        (
            "# ask Bob\nitems = \"unknown\" # how many?\n".to_string(),
            "items = 9\n".to_string(),
            vec!["# ask Bob\nitems = 9"],
            vec![],
        ),
        (
            "# by Eve\n[[table.consumed]]\nread = \"unknown\"\n".to_string(),
            "[[table.consumed]]\nread = { per_hour = 5 }\nwrite = { per_hour = 6 }\n".to_string(),
            vec![
                "# by Eve\n[[table.consumed]]\nread = { per_hour = 5 }",
                "write = { per_hour = 6 }",
            ],
            vec!["unknown"],
        ),
        (
            "[[table.consumed]]\nread = { per_second = 1 }\n".to_string(),
            "[[table.consumed]]\nread = { per_hour = 5 }\nwrite = { per_hour = 6 }\n".to_string(),
            vec!["read = { per_second = 1 }", "write = { per_hour = 6 }"],
            vec!["per_hour = 5"],
        ),
    ];
    let rows = rows.iter().map(|(first, second, has, lacks)| {
        (
            first.to_string(),
            second.to_string(),
            has.to_vec(),
            lacks.to_vec(),
        )
    });
    for (first, second, has, lacks) in rows.chain(more) {
        let (first, second) = (&*first, &*second);
        let joined = join(&table(first), &table(second)).expect("TOML");
        let text = &joined.text;
        for expected in has {
            assert!(
                text.contains(expected),
                "{first}+{second}: no {expected:?} in {text}"
            );
        }
        for wrong in lacks {
            assert!(
                !text.contains(wrong),
                "{first}+{second}: {wrong:?} in {text}"
            );
        }
        // Joining again changes nothing.
        let again = join(text, &table(second)).expect("TOML");
        assert_eq!(again.text, *text);
        assert!(
            again.added.is_empty(),
            "{first}+{second}: {:?}",
            again.added
        );
    }
}

#[test]
fn a_file_stays_as_its_editor_wrote_it() {
    let windows = format!("\u{feff}{}", table("items = 7\n").replace('\n', "\r\n"));
    let joined = join(&windows, &table("class = \"standard\"\n")).expect("TOML");
    assert!(joined.text.starts_with('\u{feff}'));
    assert!(
        joined.text.contains("class = \"standard\"\r\n"),
        "{:?}",
        joined.text
    );
    assert!(!joined.text.replace("\r\n", "").contains('\n'));
    let open = table("items = 7");
    let once = join(&open, &table("class = \"standard\"\n"))
        .expect("TOML")
        .text;
    assert_eq!(
        join(&once, &table("class = \"standard\"\n"))
            .expect("TOML")
            .text,
        once
    );
    // Values that are written otherwise are the same.
    let same = join(&table("items = 1_000\n"), &table("items = 1000\n")).expect("TOML");
    assert!(same.kept.is_empty(), "{same:?}");
}

#[test]
fn an_import_never_breaks_a_design() {
    // A description of each table of every shipped design, which says little.
    for (name, text) in support::shipped() {
        let parsed: toml::Table = text.parse().expect("TOML");
        let mut second = format!("name = \"x\"\nregion = {}\n", parsed["region"]);
        for table in parsed["table"].as_array().expect("tables") {
            second.push_str(&format!(
                "\n[[table]]\nname = {}\nitems = 9\nstored = \"9 MB\"\nitem = \"unknown\"\n",
                table["name"]
            ));
            let indexes = table.get("index").and_then(toml::Value::as_array);
            for index in indexes.into_iter().flatten() {
                let index = &index["name"];
                second.push_str(&format!(
                    "\n[[table.index]]\nname = {index}\ncoverage = 0.5\nstored = \"1 MB\"\n"
                ));
            }
        }
        let joined = join(&text, &second).expect("TOML");
        let _ = support::estimated(&name, &joined.text);
    }
}

#[test]
fn what_cannot_be_joined_says_why() {
    let other = HEAD.replace("us-east-1", "eu-west-1");
    assert!(matches!(join(HEAD, &other), Err(JoinError::Region { .. })));
    assert!(matches!(join("a = [", HEAD), Err(JoinError::Syntax(_))));
    assert!(join(&HEAD.replace("us-east-1", "unknown"), &other).is_ok());
}

/// A description of a table, and metrics of it.
const DESCRIBED: &str = r#"{"Table": {"TableName": "Orders", "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/Orders",
  "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "ItemCount": 10, "TableSizeBytes": 5000,
  "BillingModeSummary": {"BillingMode": "PROVISIONED"},
  "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}}}"#;
const METRICS: &str = r#"{"MetricDataResults": [{"Id": "a",
  "Label": "ConsumedReadCapacityUnits TableName=Orders Stat=Sum Period=60",
  "Timestamps": ["2026-11-01T00:00:00Z", "2026-11-01T00:01:00Z"], "Values": [60.0, 30.0]}]}"#;

#[cfg(feature = "replay")]
#[test]
fn several_kinds_become_one_file() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("d.json"), DESCRIBED).expect("a file");
    std::fs::write(folder.path().join("m.json"), METRICS).expect("a file");
    let asked = ["import", "describe-table", "d.json", "cloudwatch", "m.json"];
    let (code, stdout, stderr) = run_in(folder.path(), &asked);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stderr, "");
    let golden = support::root().join("tests/golden/import/joined.toml");
    let differs = support::golden(&golden, &stdout);
    assert!(differs.is_none(), "{}", differs.unwrap_or_default());

    // Into a file that exists, which is replaced; with -o it stays.
    std::fs::write(folder.path().join("my.toml"), table("items = 7\n")).expect("a file");
    let asked = [
        "import",
        "describe-table",
        "d.json",
        "--into",
        "my.toml",
        "-o",
        "new.toml",
    ];
    let (code, _, stderr) = run_in(folder.path(), &asked);
    assert_eq!(code, 0, "{stderr}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    assert_eq!(read("my.toml"), table("items = 7\n"));
    let (code, _, stderr) = run_in(folder.path(), &asked[..5]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(read("my.toml"), read("new.toml"));
    assert!(
        stderr.contains("d.json: says something else:\n  Orders.items: 7 stays"),
        "{stderr}"
    );
}

#[test]
fn wrong_groups_of_files_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("d.json"), DESCRIBED).expect("a file");
    for (arguments, expected) in [
        (
            &["describe-table"] as &[&str],
            "no file of the kind describe-table is named",
        ),
        (
            &["describe-table", "cloudwatch"],
            "no file of the kind describe-table is named",
        ),
        (
            &["describe-table", "d.json", "account"],
            "an account is imported alone",
        ),
        (
            &["describe-table", "d.json", "--into", "none.toml"],
            "none.toml: cannot be read",
        ),
        (
            &["describe-table", "d.json", "--raw", "x"],
            "are only for accounts",
        ),
        (
            &["describe-table", "-", "model", "-"],
            "standard input can be read only once",
        ),
        (
            &[
                "describe-table",
                "d.json",
                "--region",
                "us-east-1",
                "--region",
                "eu-west-1",
            ],
            "--region is given 2 times",
        ),
        (&["account", "none"], "none/account.json"),
    ] {
        let mut all = vec!["import"];
        all.extend(arguments);
        let (code, _, stderr) = run_in(folder.path(), &all);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}
