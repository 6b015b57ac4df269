//! Pages generated from the code: `docs/workload.md` from the schema of the workload file.

use crate::support;

use std::collections::BTreeMap;

use dynameter::workload;
use serde_json::Value;

/// The tables of the workload file in order, with the heading of each.
const TABLES: [(&str, &str); 44] = [
    ("CommitmentFile", "[[commitment]]"),
    ("EventFile", "[[event]]"),
    ("RetriesFile", "[retries]"),
    ("TableFile", "[[table]]"),
    ("KeyFile", "partition_key, sort_key"),
    ("ItemFile", "[table.item]"),
    ("EntityFile", "[[table.entity]]"),
    ("IndexShareFile", "an entry of in_indexes"),
    ("KeyPrefixesFile", "key_prefix: of both keys"),
    ("LognormalFile", "item.lognormal"),
    ("BucketFile", "an entry of item.histogram"),
    ("AttributeFile", "an entry of item.attributes"),
    ("CapacityFile", "[table.capacity]"),
    ("ScaledFile", "read, write: auto scaled"),
    ("ScheduleFile", "an entry of schedule"),
    ("ReservedFile", "reserved"),
    ("IndexFile", "[[table.index]]"),
    ("IncludeFile", "projection: some attributes"),
    ("VectorIndexFile", "[[table.vector_index]]"),
    ("AccessFile", "[[table.access]]"),
    ("MeanFile", "items: a mean"),
    ("CountHistogramFile", "items: a distribution"),
    ("CountBucketFile", "an entry of items.histogram"),
    ("LoadFile", "loads of a profile"),
    ("ActionFile", "an entry of actions"),
    ("ConsumedFile", "[[table.consumed]]"),
    ("MeasuredFile", "[[table.measured]], [[measured]]"),
    ("TtlFile", "[table.ttl]"),
    ("BackupFile", "[table.backup]"),
    ("ScheduleOfBackups", "an entry of backup.on_demand"),
    ("BackupRuleFile", "an entry of backup.plan"),
    ("BackupCopyFile", "an entry of copies"),
    ("StreamFile", "[table.stream]"),
    ("ReadersFile", "stream.readers"),
    ("ImportFile", "[table.import]"),
    ("ArchiveFile", "[table.archive]"),
    ("ExportFile", "archive.export"),
    ("TransitionFile", "an entry of archive.lifecycle"),
    ("ReplicaFile", "[[table.replica]]"),
    ("ReplicaIndexFile", "[[table.replica.index]]"),
    ("ClusterFile", "[[dax]]"),
    ("DaxFile", "[table.dax]"),
    ("PopularityFile", "[table.popularity]"),
    ("EncryptionFile", "[table.encryption]"),
];

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The last part of a reference to a definition.
fn referred(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.rsplit('/').next()
}

/// A short description of the type of a value.
fn kind(value: &Value, definitions: &BTreeMap<&str, &Value>) -> String {
    if let Some(name) = referred(value) {
        return of_definition(name, definitions);
    }
    if let Some(choices) = value["anyOf"].as_array().or(value["oneOf"].as_array()) {
        let mut kinds: Vec<String> = choices
            .iter()
            .filter(|one| one["type"] != "null")
            .map(|one| kind(one, definitions))
            .collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    if let Some(word) = value["const"].as_str() {
        return format!("`\"{word}\"`");
    }
    if let Some(words) = value["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    let types: Vec<&str> = match &value["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several
            .iter()
            .filter_map(Value::as_str)
            .filter(|one| *one != "null")
            .collect(),
        _ => Vec::new(),
    };
    match types.first() {
        Some(&"array")
            if value["minItems"] == value["maxItems"] && value["minItems"].is_number() =>
        {
            format!("{} weights", value["minItems"])
        }
        Some(&"array") => format!("list of {}", kind(&value["items"], definitions)),
        Some(&"object") => "range `{ low, likely, high }`".to_string(),
        Some(&"string") if value.get("pattern").is_some() => {
            "size such as `\"1.8 KB\"`".to_string()
        }
        Some(&"string") => "text".to_string(),
        Some(&"boolean") => "true or false".to_string(),
        Some(&"integer") => "whole number".to_string(),
        Some(other) => (*other).to_string(),
        None => "anything".to_string(),
    }
}

fn of_definition(name: &str, definitions: &BTreeMap<&str, &Value>) -> String {
    if let Some((_, heading)) = TABLES.iter().find(|(table, _)| *table == name) {
        return format!("table, see *{heading}*");
    }
    let definition = definitions
        .get(name)
        .unwrap_or_else(|| panic!("no definition {name}"));
    match name {
        "Rate" => "rate such as `{ per_second = 800 }`".to_string(),
        "CallRate" => "rate such as `{ per_second = 800 }` or `{ once = 1_000_000 }`".to_string(),
        "Duration" => "time such as `\"1 day\"`".to_string(),
        "SwitchesFile" => "table, see *[switches]*".to_string(),
        _ => kind(definition, definitions),
    }
}

fn section(heading: &str, definition: &Value, definitions: &BTreeMap<&str, &Value>) -> String {
    let required: Vec<&str> = definition["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut page = format!(
        "\n## {heading}\n\n{}\n\n| key | value | meaning |\n| --- | --- | --- |\n",
        text(definition, "description")
    );
    let properties = definition["properties"].as_object().expect("properties");
    let (needed, optional): (Vec<_>, Vec<_>) = properties
        .iter()
        .partition(|(key, _)| required.contains(&key.as_str()));
    for (key, value) in needed.into_iter().chain(optional) {
        let mark = if required.contains(&key.as_str()) {
            " (required)"
        } else {
            ""
        };
        page += &format!(
            "| `{key}`{mark} | {} | {} |\n",
            kind(value, definitions).replace('|', "\\|"),
            text(value, "description")
                .replace('|', "\\|")
                .replace('\n', " ")
        );
    }
    page
}

#[test]
fn the_page_of_the_workload_file_is_that_of_its_schema() {
    let schema = workload::schema();
    let definitions: BTreeMap<&str, &Value> = schema["$defs"]
        .as_object()
        .expect("definitions")
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    let mut page =
        "# The workload file\n\nGenerated from the code by `tests/all/docs.rs`; `dynameter \
                    schema` prints the JSON Schema for editors. `dynameter init` writes a \
                    commented file\nto start from. Every rate, size and growth can be a range, `{ \
                    low = …, likely = …, high = … }`; 1 KB is 1,024 bytes.\n"
            .to_string();
    page += &section("the file", &schema, &definitions);
    page += &section("[switches]", definitions["SwitchesFile"], &definitions);
    for (name, heading) in TABLES {
        page += &section(heading, definitions[name], &definitions);
    }
    let documented =
        |name: &str| name == "SwitchesFile" || TABLES.iter().any(|(table, _)| *table == name);
    for (name, definition) in &definitions {
        assert!(
            definition["properties"].is_null()
                || ["Rate", "CallRate"].contains(name)
                || documented(name),
            "{name} is not documented on the page"
        );
    }
    let wrong = support::golden(&support::root().join("docs/workload.md"), &page);
    assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
}
