//! The same calls as PartiQL statements.

use serde_json::{Map, Value, json};

use super::planned::{
    CallItems, CallOutcome, ItemChange, PlannedCall, PlannedWrite, TablePlan, after, index_of,
    is_strong, item_change, partition_keys,
};
use crate::table::ApiName;
use crate::workload::{PatternCall, WriteKind};

/// A text in the quotes of a name.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn table_name(table: &TablePlan) -> String {
    quoted(&table.design.table.name)
}

/// A WHERE on attributes, with their values as parameters.
fn matching(values: &Map<String, Value>) -> (String, Vec<Value>) {
    let names = values.keys().map(|name| format!("{} = ?", quoted(name)));
    let names: Vec<String> = names.collect();
    (
        format!("WHERE {}", names.join(" AND ")),
        values.values().cloned().collect(),
    )
}

fn statement(text: String, parameters: Vec<Value>) -> Value {
    match parameters.is_empty() {
        true => json!({ "Statement": text }),
        false => json!({ "Statement": text, "Parameters": parameters }),
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The request of a call.
pub fn request(table: &TablePlan, api: ApiName, call: &PlannedCall, token: &str) -> Value {
    let access = &table.patterns[call.pattern].access;
    let strong = is_strong(&access.call);
    let mut all = match &call.what {
        CallItems::Keys(items) => items.iter().map(|item| get(table, *item)).collect(),
        CallItems::Collection(item) => vec![page(table, &access.call, Some(*item))],
        CallItems::Scan(_) => vec![page(table, &access.call, None)],
        CallItems::Writes(writes) => {
            let write = |(at, one): (usize, &PlannedWrite)| {
                let fails = call.outcome == CallOutcome::Fails && at == 0;
                write(table, call, one, fails)
            };
            writes.iter().enumerate().map(write).collect::<Vec<_>>()
        }
    };
    if strong && api != ApiName::ExecuteTransaction {
        for one in &mut all {
            one["ConsistentRead"] = json!(true);
        }
    }
    match api {
        ApiName::BatchExecuteStatement => json!({ "Statements": all }),
        ApiName::ExecuteTransaction => {
            json!({ "TransactStatements": all, "ClientRequestToken": token })
        }
        _ => all.into_iter().next().unwrap_or_default(),
    }
}

fn get(table: &TablePlan, item: usize) -> Value {
    let key = members(table.maker.key(&table.items[item].item));
    let (matching, parameters) = matching(&key);
    let text = format!("SELECT * FROM {} {matching}", table_name(table));
    statement(text, parameters)
}

fn page(table: &TablePlan, call: &PatternCall, item: Option<usize>) -> Value {
    let (index, _) = index_of(&table.design, call);
    let of = index.map_or(String::new(), |at| {
        format!(".{}", quoted(&table.design.table.indexes[at].name))
    });
    let keys = partition_keys(&table.design, index);
    let (matching, parameters) = match item {
        Some(item) => {
            let item = &table.items[item].item;
            let keys = keys.iter().map(String::as_str);
            matching(&members(table.maker.part(item, keys)))
        }
        None => (String::new(), Vec::new()),
    };
    let text = format!("SELECT * FROM {}{of} {matching}", table_name(table));
    statement(text.trim_end().to_string(), parameters)
}

/// One write. A condition that fails compares an attribute that no item has.
fn write(table: &TablePlan, call: &PlannedCall, write: &PlannedWrite, fails: bool) -> Value {
    let access = &table.patterns[call.pattern].access;
    let kind = access.call.plans()[write.plan].0.kind;
    let before = &table.items[write.item].item;
    let new = members(table.maker.json(&after(table, call, write)));
    let name = table_name(table);
    let (mut matching, key) = matching(&members(table.maker.key(before)));
    let mut end = key;
    if fails {
        matching.push_str(" AND \"none\" = ?");
        end.push(json!({ "S": "none" }));
    }
    match kind {
        WriteKind::Put => {
            let names = new
                .keys()
                .map(|name| format!("'{}': ?", name.replace('\'', "''")));
            let names: Vec<String> = names.collect();
            let text = format!("INSERT INTO {name} VALUE {{{}}}", names.join(", "));
            statement(text, new.values().cloned().collect())
        }
        WriteKind::Update => {
            let old = match write.finds {
                true => members(table.maker.json(before)),
                false => Map::new(),
            };
            let is_key = |name: &str| table.design.table.keys.names().any(|key| key == name);
            let ItemChange { set, removed } = item_change(&old, &new, is_key);
            let clauses = set
                .iter()
                .map(|(name, _)| format!("SET {} = ?", quoted(name)));
            let clauses = clauses.chain(
                removed
                    .iter()
                    .map(|name| format!("REMOVE {}", quoted(name))),
            );
            let clauses: Vec<String> = clauses.collect();
            let text = format!("UPDATE {name} {} {matching}", clauses.join(" "));
            let values = set.iter().map(|(_, value)| (*value).clone());
            statement(text, values.chain(end).collect())
        }
        WriteKind::Delete | WriteKind::ConditionCheck => {
            statement(format!("DELETE FROM {name} {matching}"), end)
        }
    }
}
