//! Designs of several entities: what each transition of an index entry costs, and the twin test over
//! random single-table designs.

use std::fmt::Write as _;
use std::path::Path;

use dynameter::estimate::estimate;
use dynameter::outcome::Outcome;
use dynameter::pricing::Books;
use dynameter::replay::{ReplayOptions, keeps_keys};
use dynameter::synthesize::{self, TraceLayout};
use dynameter::trace::{ReadOptions, Time};
use dynameter::workload::{Setting, Workload, load};
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::replay::{exact_lines, replayed};

fn loaded(text: &str) -> Workload {
    let books = Books::embedded();
    load("entities.toml", text, Path::new("."), &Setting::new(&books))
        .unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

fn estimated(text: &str) -> Outcome {
    estimate(&loaded(text), &Books::embedded()).expect("an estimate")
}

/// Units of an access pattern on the table, or on an index.
fn units(outcome: &Outcome, access: &str, index: Option<&str>) -> String {
    let is = |line: &&dynameter::pricing::LineItem| {
        line.subject.access.as_deref() == Some(access) && line.subject.index.as_deref() == index
    };
    let lines = outcome.bill.lines.iter().filter(is);
    lines
        .map(|line| line.quantity.to_string())
        .collect::<Vec<_>>()
        .join(" + ")
}

const TASKS: &str = r#"
name = "Tasks"
region = "us-east-1"

[[table]]
name = "Tasks"
partition_key = { name = "user", bytes = 16 }
sort_key = { name = "task", bytes = 26 }

[[table.entity]]
name = "Task"
items = 1_000_000
item.attributes = [
  { name = "flag", type = "S", bytes = 1, share = 0.02 },
  { name = "due", type = "N", digits = 10 },
  { name = "body", type = "S", bytes = 2_900 },
]

[[table.index]]
name = "Flagged"
kind = "global"
partition_key = "flag"
projection = "all"
"#;

/// A write of a task, in 1,000 calls a month, and the units of the index for each.
#[test]
fn all_six_transitions_of_an_index_entry_can_be_said() {
    let rows = [
        ("none to entry", "UpdateItem", "sets = [\"flag\"]", "3000"),
        (
            "entry to none",
            "UpdateItem",
            "removes = [\"flag\"]",
            "3000",
        ),
        ("key changed", "UpdateItem", "changes = [\"flag\"]", "6000"),
        ("entry rewritten", "UpdateItem", "changes = [\"due\"]", "60"),
        ("entry unchanged", "UpdateItem", "changes = []", ""),
        (
            "entry removed",
            "DeleteItem",
            "removes = [\"flag\"]",
            "3000",
        ),
        ("entry put", "PutItem", "sets = [\"flag\"]", "3000"),
        (
            "replaced without",
            "PutItem",
            "overwrites = 1\nremoves = [\"flag\"]",
            "3000",
        ),
        ("any deleted", "DeleteItem", "", "60"),
    ];
    let mut text = TASKS.to_string();
    for (name, operation, keys, _) in rows {
        let _ = write!(
            text,
            "\n[[table.access]]\nname = {name:?}\noperation = {operation:?}\nentity = \
             \"Task\"\nrate = {{ per_month = 1_000 }}\n{keys}\n"
        );
    }
    let outcome = estimated(&text);
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(name, _, _, expected)| {
            let found = units(&outcome, name, Some("Flagged"));
            (found != expected).then(|| format!("{name}: {found:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a write does to an item of an entity that has its index keys.
#[derive(Clone, Debug)]
enum Change {
    Put,
    Overwrite,
    Update,
    Sets,
    Removes,
    Changes,
    Nothing,
    Delete,
}

impl Change {
    /// The keys of an access pattern for one write.
    fn keys(&self, attribute: &str) -> (&'static str, String) {
        match self {
            Change::Put => ("PutItem", String::new()),
            Change::Overwrite => ("PutItem", "overwrites = 1".to_string()),
            Change::Update => ("UpdateItem", String::new()),
            Change::Sets => ("UpdateItem", format!("sets = [{attribute:?}]")),
            Change::Removes => ("UpdateItem", format!("removes = [{attribute:?}]")),
            Change::Changes => ("UpdateItem", format!("changes = [{attribute:?}]")),
            Change::Nothing => ("UpdateItem", "changes = []".to_string()),
            Change::Delete => ("DeleteItem", String::new()),
        }
    }
}

/// An entity: bytes of its body, and which of the four index keys it has.
#[derive(Clone, Debug)]
struct Kind {
    body: u64,
    keys: Vec<usize>,
}

#[derive(Clone, Debug)]
struct SingleTable {
    kinds: Vec<Kind>,
    projections: Vec<usize>,
    writes: Vec<(usize, Change, usize)>,
    queries: Vec<(Option<usize>, Vec<u64>)>,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Put),
        Just(Change::Overwrite),
        Just(Change::Update),
        Just(Change::Sets),
        Just(Change::Removes),
        Just(Change::Changes),
        Just(Change::Nothing),
        Just(Change::Delete),
    ]
}

fn single_table() -> impl Strategy<Value = SingleTable> {
    let kind = (20..9_000_u64, subsequence(vec![0, 1, 2, 3], 1..=3))
        .prop_map(|(body, keys)| Kind { body, keys });
    (3..=6_usize).prop_flat_map(move |count| {
        let counts = proptest::collection::vec(0..30_u64, count);
        (
            proptest::collection::vec(kind.clone(), count),
            proptest::collection::vec(0..3_usize, 4),
            proptest::collection::vec((0..count, change(), 0..4_usize), 4..10),
            proptest::collection::vec((proptest::option::of(0..4_usize), counts), 1..4),
        )
            .prop_map(|(kinds, projections, writes, queries)| SingleTable {
                kinds,
                projections,
                writes,
                queries,
            })
    })
}

impl SingleTable {
    /// The design as a workload file. Each index has a key that an entity has.
    fn text(&self) -> String {
        let mut text =
            "name = \"s\"\nregion = \"us-east-1\"\nmonth_hours = 720\n[[table]]\nname = \
                        \"Single\"\npartition_key = { name = \"pk\", bytes = 20 }\nsort_key = { \
                        name = \"sk\", bytes = 20 }\n"
                .to_string();
        let has = |kind: &Kind, at: usize, index: usize| {
            kind.keys.contains(&index) || (at == 0 && self.is_alone(index))
        };
        for (at, kind) in self.kinds.iter().enumerate() {
            let mut attributes =
                format!("{{ name = \"body\", type = \"S\", bytes = {} }}", kind.body);
            for index in (0..4).filter(|index| has(kind, at, *index)) {
                let _ = write!(
                    attributes,
                    ", {{ name = \"k{index}\", type = \"S\", bytes = {} }}",
                    10 + index
                );
            }
            let _ = write!(
                text,
                "[[table.entity]]\nname = \"E{at}\"\nkey_prefix = \"KIND{at}#\"\nitems = {}\nitem.attributes = [{attributes}]\n",
                1_000 * (at + 1)
            );
        }
        for (index, projection) in self.projections.iter().enumerate() {
            let projection = ["\"all\"", "\"keys-only\"", "{ include = [\"body\"] }"][*projection];
            let _ = write!(
                text,
                "[[table.index]]\nname = \"Index{index}\"\nkind = \"global\"\npartition_key = \
                 \"k{index}\"\nprojection = {projection}\n"
            );
        }
        for (number, (at, change, index)) in self.writes.iter().enumerate() {
            let kind = &self.kinds[*at];
            let attribute = match has(kind, *at, *index) {
                true => format!("k{index}"),
                false => "body".to_string(),
            };
            let (operation, keys) = change.keys(&attribute);
            let _ = write!(
                text,
                "[[table.access]]\nname = \"write {number}\"\noperation = {operation:?}\nentity = \
                 \"E{at}\"\nrate = {{ per_second = {} }}\n{keys}\n",
                1 + number % 3
            );
        }
        for (number, (index, counts)) in self.queries.iter().enumerate() {
            let items: Vec<String> = counts
                .iter()
                .enumerate()
                .filter(|(at, _)| index.is_none_or(|index| has(&self.kinds[*at], *at, index)))
                .map(|(at, count)| format!("E{at} = {count}"))
                .collect();
            let index =
                index.map_or_else(String::new, |index| format!("index = \"Index{index}\"\n"));
            let _ = write!(
                text,
                "[[table.access]]\nname = \"query {number}\"\noperation = \"Query\"\n{index}items = \
                 {{ {} }}\nrate = {{ per_second = 1 }}\n",
                items.join(", ")
            );
        }
        text + "[[table.access]]\nname = \"order\"\noperation = \"TransactWriteItems\"\nactions = [{ \
                operation = \"Put\", entity = \"E0\" }, { operation = \"Put\", entity = \"E1\", count \
                = 3 }, { operation = \"Delete\", entity = \"E2\" }]\nrate = { per_second = 1 \
                }\n[[table.access]]\nname = \"both\"\noperation = \"BatchGetItem\"\nitems = { E0 = 1, \
                E2 = 4 }\nrate = { per_second = 2 }\n[[table.access]]\nname = \
                \"load\"\noperation = \"BatchWriteItem\"\nitems = { E1 = 10, E2 = 3 }\nrate = { \
                per_second = 1 }\n"
    }

    /// Whether no entity has the key of an index.
    fn is_alone(&self, index: usize) -> bool {
        self.kinds.iter().all(|kind| !kind.keys.contains(&index))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// A trace made of a single-table design gives the bill of the design, line by line.
    #[test]
    fn the_twin_of_a_single_table_design_is_exact(design in single_table()) {
        let text = design.text();
        let workload = loaded(&text);
        let expected = estimate(&workload, &Books::embedded()).expect("an estimate");
        let expected = exact_lines(&expected);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trace");
        // The entity of a row is named, or known by how its key begins.
        let unnamed = synthesize::HEADER.iter().filter(|column| **column != "entity");
        for columns in [None, Some(unnamed.map(ToString::to_string).collect::<Vec<_>>())] {
            let options = synthesize::SynthesizeOptions {
                seconds: 60,
                seed: 7,
                start: Time::from_second(1_704_067_200),
                poisson: false,
                layout: TraceLayout::Csv,
                columns: columns.clone(),
            };
            let file = std::fs::File::create(&path).expect("a file");
            synthesize::synthesize(&workload, &options, file, &mut |_, _| true).expect("a trace");
            let read = ReadOptions {
                keep_keys: keeps_keys(&workload),
                ..ReadOptions::default()
            };
            let replay = ReplayOptions::default();
            let found = replayed(std::slice::from_ref(&path), Some(&workload), read, &replay).outcome;
            let found = exact_lines(&found);
            let missing: Vec<_> = expected.difference(&found).collect();
            let more: Vec<_> = found.difference(&expected).collect();
            prop_assert!(
                missing.is_empty() && more.is_empty(),
                "{text}\n{columns:?}\nonly estimated: {missing:#?}\nonly replayed: {more:#?}"
            );
        }
    }
}

const PRODUCTS: &str = r#"
name = "Products"
region = "us-east-1"

[[table]]
name = "Products"
items = 1_000_000
partition_key = { name = "id", bytes = 20 }
item.attributes = [
  { name = "embedding", type = "L", share = 0.5 },
  { name = "title", type = "S", bytes = 95 },
  { name = "price", type = "N", digits = 4 },
]

[[table.vector_index]]
name = "ByMeaning"
attribute = "embedding"
dimensions = 1_024
projection = { include = ["title"] }

[[table.vector_index]]
name = "Small"
attribute = "price"
dimensions = 2
projection = "keys-only"
"#;

/// An entry has "embedding" with 4 bytes a dimension, the key and the title: 9 + 4,096 + 22 + 100
/// bytes.
#[test]
fn a_write_to_a_vector_index_is_charged_by_what_it_holds() {
    let rows = [
        ("put with", "PutItem", "sets = [\"embedding\"]", "4227"),
        ("put any", "PutItem", "", "2113.5"),
        (
            "vector changed",
            "UpdateItem",
            "changes = [\"embedding\"]",
            "4227",
        ),
        (
            "title changed",
            "UpdateItem",
            "changes = [\"title\"]",
            "2113.5",
        ),
        (
            "vector removed",
            "UpdateItem",
            "removes = [\"embedding\"]",
            "4227",
        ),
        ("nothing changed", "UpdateItem", "changes = []", ""),
    ];
    let mut text = PRODUCTS.to_string();
    for (name, operation, keys, _) in rows {
        let _ = write!(
            text,
            "\n[[table.access]]\nname = {name:?}\noperation = {operation:?}\nrate = {{ per_month = \
             1_073_741_824 }}\n{keys}\n"
        );
    }
    text += "\n[[table.access]]\nname = \"search\"\noperation = \"SearchVectors\"\nindex = \
             \"ByMeaning\"\nsearch_bytes = \"500 B\"\nrate = { per_month = 1_048_576 }\n";
    let outcome = estimated(&text);
    let of = |access: &str, index: &str| units(&outcome, access, Some(index));
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(name, _, _, expected)| {
            let found = of(name, "ByMeaning");
            (found != expected).then(|| format!("{name}: {found}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Fewer than 1 KB are charged as 1 KB: 2^20 searches of 500 bytes are 1 GB, and 2^30 writes of a
    // small entry 1,024.
    assert_eq!(of("search", "ByMeaning"), "1");
    assert_eq!(of("put any", "Small"), "1024");
}
