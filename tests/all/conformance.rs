//! Tests the meter against the vectors and AWS's captured answers: every row of a file through the
//! same assertion.

use std::path::{Path, PathBuf};

use crate::support::database::Database;
use dynameter::meter::{ConsumedCapacity, FailedCondition, Switches, meter};
use dynameter::table::{
    Consistency, Index, IndexKind, KeySchema, NumberAlignment, Operation, Projection, ReadPage,
    Table, TableClass, TransactionAction, TransactionOutcome, Transition, Write,
};
use dynameter::units::Bytes;
use serde_json::Value;

/// The vector files: the project's own, the reference folder's, and those that `DYNAMETER_VECTORS`
/// names.
fn vector_files() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("metering");
    let mut files = vec![
        own.join("vectors-public.jsonl"),
        own.join("vectors-2026-08.jsonl"),
    ];
    match std::env::var("DYNAMETER_REFERENCE") {
        Ok(folder) => {
            let folder = Path::new(&folder).join("metering");
            let entries = std::fs::read_dir(&folder).map(|entries| {
                entries
                    .flatten()
                    .map(|entry| entry.path())
                    .collect::<Vec<_>>()
            });
            let is_vectors = |path: &PathBuf| {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .to_string();
                name.starts_with("vectors-")
                    && name.ends_with(".jsonl")
                    && !["vectors-public.jsonl", "vectors-2026-08.jsonl"].contains(&name.as_str())
            };
            files.extend(entries.unwrap_or_default().into_iter().filter(is_vectors));
        }
        Err(_) => {
            println!("skipped: the reference folder's vectors (DYNAMETER_REFERENCE is not set)")
        }
    }
    if let Ok(more) = std::env::var("DYNAMETER_VECTORS") {
        files.extend(std::env::split_paths(&more));
    }
    files
}

fn lines(path: &Path) -> Vec<Value> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect()
}

/// Replays a file and passes each vector and the meter's answer to `check`, which returns what
/// differs.
fn replay(
    path: &Path,
    switches: Switches,
    check: impl Fn(&Value, &[Value]) -> Option<String>,
) -> usize {
    let mut database = Database::new(switches);
    let (mut vectors, mut wrong) = (0, Vec::new());
    for line in lines(path) {
        match line["kind"].as_str() {
            Some("table") => database.create(&line["create"]),
            Some("vector") => {
                vectors += 1;
                let answer = database.run(&line);
                wrong.extend(check(&line, &answer).map(|difference| {
                    format!("n {} ({}): {difference}", line["n"], line["family"])
                }));
            }
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{}: {} of {vectors} differ\n{}",
        path.display(),
        wrong.len(),
        wrong.join("\n")
    );
    vectors
}

#[test]
fn the_meter_answers_every_vector() {
    for path in vector_files() {
        let vectors = replay(&path, Switches::default(), |line, answer| {
            let alternatives = line["alt"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|_| line["grade"] == "C")
                .map(|alt| &alt["expected"]);
            let accepted = std::iter::once(&line["expected"])
                .chain(alternatives)
                .any(|expected| crate::support::database::same(expected, answer));
            (!accepted).then(|| {
                format!(
                    "expected {}, metered {}",
                    line["expected"],
                    Value::from(answer.to_vec())
                )
            })
        });
        println!("{}: {vectors} vectors", path.display());
        assert!(vectors > 0, "{} holds no vectors", path.display());
    }
}

/// The switches give the other readings of the grade C rows, so both readings can be selected.
#[test]
fn the_switches_give_the_other_readings() {
    let other = [
        (
            "number-alignment",
            Switches {
                number_alignment: NumberAlignment::Split,
                ..Switches::default()
            },
        ),
        (
            "failed-condition-size",
            Switches {
                failed_condition: FailedCondition::Larger,
                ..Switches::default()
            },
        ),
    ];
    for (reason, switches) in other {
        for path in vector_files() {
            replay(&path, switches, |line, answer| {
                let concerned = line["grade"] == "C"
                    && line["reasons"]
                        .as_array()
                        .is_some_and(|reasons| reasons.iter().any(|r| r == reason));
                let found = line["alt"].as_array().is_some_and(|alts| {
                    alts.iter()
                        .any(|alt| crate::support::database::same(&alt["expected"], answer))
                });
                (concerned && !found).then(|| {
                    format!(
                        "expected {}, metered {}",
                        line["alt"],
                        Value::from(answer.to_vec())
                    )
                })
            });
        }
    }
}

/// A table with a global index at 0 and a local one at 1, as in the captures.
fn captured_table() -> Table {
    let index = |name: &str, kind| Index {
        name: name.into(),
        kind,
        keys: vec![format!("{name}Key")],
        projection: Projection::All,
    };
    Table {
        name: "captured".into(),
        class: TableClass::Standard,
        keys: KeySchema {
            partition: "pk".into(),
            sort: Some("sk".into()),
        },
        indexes: vec![
            index("gsi", IndexKind::Global),
            index("lsi", IndexKind::Local),
        ],
        vectors: Vec::new(),
    }
}

/// Parses a size as written in the captures: `3017`, `<1024`, `~1550`.
fn bytes(text: &str) -> Option<Bytes> {
    let digits = text.trim_start_matches(['<', '~']).parse::<u64>().ok()?;
    Some(Bytes(if text.starts_with('<') {
        digits / 2
    } else {
        digits
    }))
}

/// The operation of a captured case: the sizes come from the file, the change of each index entry
/// from the case's description.
fn captured_operation(case: &str, row: &[String]) -> Operation {
    let (old, new, old_entry, new_entry) = (
        bytes(&row[3]),
        bytes(&row[4]),
        bytes(&row[5]),
        bytes(&row[6]),
    );
    let entry = |size: Option<Bytes>| size.unwrap_or(Bytes(100));
    let (o, n) = (entry(old_entry), entry(new_entry));
    let inserted = Transition::Inserted { new: n };
    let removed = Transition::Removed { old: o };
    let replaced = Transition::Replaced { old: o, new: n };
    let moved = Transition::Moved { old: o, new: n };
    let (absent, unchanged) = (Transition::Absent, Transition::Unchanged);
    let indexes = match case {
        "A1" | "S1" => vec![inserted, absent],
        "A3" => vec![absent, inserted],
        "A4" => vec![inserted, inserted],
        "A5" => vec![unchanged, unchanged],
        "A6" => vec![unchanged, replaced],
        "A7" => vec![replaced, replaced],
        "A8" => vec![moved, replaced],
        "A9" => vec![removed, replaced],
        "A10" => vec![unchanged, moved],
        "A11" => vec![removed, removed],
        "S2" | "S3" | "R2" => vec![replaced, absent],
        "S4" | "S5" => vec![moved, absent],
        "S6" | "S7" => vec![removed, absent],
        "L1" => vec![absent, replaced],
        "L2" => vec![absent, moved],
        _ => vec![absent, absent],
    };
    let write = Write {
        old,
        new,
        indexes,
        ..Write::default()
    };
    let transact = |actions, outcome| Operation::TransactWriteItems { actions, outcome };
    let committed = TransactionOutcome::Committed;
    let page = |evaluated, index, fetched| {
        Operation::Query(ReadPage {
            index,
            evaluated,
            consistency: Consistency::Eventual,
            fetched,
        })
    };
    match case {
        "T1" => transact(
            vec![
                TransactionAction::Write(write.clone()),
                TransactionAction::Write(write),
            ],
            committed,
        ),
        "T2" | "T4" | "T6" => transact(vec![TransactionAction::Write(write)], committed),
        "T3" => transact(vec![TransactionAction::ConditionCheck(old)], committed),
        "T5" | "T7" => transact(
            vec![TransactionAction::Write(write)],
            TransactionOutcome::Replayed,
        ),
        "T8" => {
            let write = Write {
                new: Some(Bytes(500)),
                indexes: vec![Transition::Inserted { new: Bytes(500) }; 2],
                ..Write::default()
            };
            transact(vec![TransactionAction::Write(write)], committed)
        }
        "T9" => Operation::TransactGetItems { items: vec![None] },
        "G1" => Operation::GetItem {
            item: old,
            consistency: Consistency::Strong,
        },
        "G2" => Operation::GetItem {
            item: old,
            consistency: Consistency::Eventual,
        },
        "G3" => Operation::BatchGetItem {
            items: vec![None],
            consistency: Consistency::Eventual,
        },
        "G4" => Operation::BatchWriteItem(vec![Write::default()]),
        "Q1" => page(Bytes(4 * 3050), None, None),
        "Q2" => page(Bytes(400), Some(0), None),
        "Q3" => page(Bytes(300), Some(1), Some(vec![Bytes(9 * 1024); 3])),
        _ if row[2] == "DeleteItem" => Operation::DeleteItem(write),
        _ if row[2] == "PutItem" => Operation::PutItem(write),
        _ => Operation::UpdateItem(write),
    }
}

/// Half units of a captured target (the table or one index): `>0` is -1, an empty cell is `None`.
fn captured_units(text: &str) -> Option<i64> {
    match text {
        "" => None,
        ">0" => Some(-1),
        number => Some((number.parse::<f64>().expect("units") * 2.0) as i64),
    }
}

#[test]
fn the_meter_agrees_with_every_case_captured_on_aws() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("metering/aws-captured-capacity-cases.csv");
    let text = std::fs::read_to_string(path).expect("the captured cases");
    let table = captured_table();
    let (mut cases, mut wrong) = (0, Vec::new());
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("case,"))
    {
        cases += 1;
        let row = crate::support::database::csv_cells(line);
        let case = row[0].as_str();
        if case == "N1" {
            for (literal, size) in [("42", 2), ("-42", 3), ("0", 1), ("0.0000001", 2)] {
                let number = dynameter::table::Number::parse(literal).expect(literal);
                if number.size(NumberAlignment::default()) != Bytes(size) {
                    wrong.push(format!("N1: {literal} is not {size} bytes"));
                }
            }
            continue;
        }
        let consumed: ConsumedCapacity = meter(
            &table,
            &captured_operation(case, &row),
            &Switches::default(),
        );
        let halves = |target: dynameter::meter::TargetCapacity| {
            (target.read.halves() + 2 * target.write.0) as i64
        };
        let mut expected = [8, 9, 10, 11].map(|column| captured_units(&row[column]));
        match case {
            "T8" => expected = [Some(8), Some(4), Some(2), Some(2)], /* two on the table, one on */
            // each index
            "Q3" => expected = [None, Some(9), None, None], // the capture has only the base table
            _ => {}
        }
        let metered = [
            consumed.total(),
            consumed.table,
            consumed.indexes[0],
            consumed.indexes[1],
        ]
        .map(halves);
        let agree = expected
            .iter()
            .zip(metered)
            .all(|(expected, metered)| match expected {
                None => true,
                Some(-1) => metered > 0,
                Some(units) => *units == metered,
            });
        if !agree {
            wrong.push(format!(
                "{case}: expected {expected:?} half units (total, table, gsi, lsi), metered \
                 {metered:?}"
            ));
        }
    }
    assert_eq!(cases, 40);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
