//! What lies in an account against what a file says: the same tables with the same usage, so that
//! every difference of their costs is one of their settings.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use super::join::{JoinError, join};

/// Two designs of the same tables.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drift {
    /// The tables as they are in the account, with the usage of the file.
    pub account: String,
    /// The tables as the file has them; usage that it does not say is what the account measured.
    pub file: String,
    /// The tables of the file that the account does not have.
    pub missing: Vec<String>,
}

/// The tables of a workload file as they are in an account, of which `account` is the workload
/// file.
///
/// # Errors
/// If a file is not TOML, or they are of different regions.
pub fn drift(file: &str, account: &str) -> Result<Drift, JoinError> {
    let parse = |text: &str| {
        let mut document = text.parse::<DocumentMut>().map_err(JoinError::of)?;
        written_out(document.as_table_mut());
        Ok(document)
    };
    let (own, real) = (parse(file)?, parse(account)?);
    let measured = with_tables(&real, usage(&real, &own));
    let file = join(&own.to_string(), &measured.to_string())?.text;
    let own = parse(&file)?;
    let mut described = Vec::new();
    for table in tables(&real) {
        if let Some(own) = find(&own, table) {
            described.push(used_as(table, &usage_of(own, table), own));
        }
    }
    let missing = tables(&own).filter(|table| find(&real, table).is_none());
    let missing = missing.filter_map(|table| name(table).map(str::to_string));
    Ok(Drift {
        account: with_tables(&own, described).to_string(),
        missing: missing.collect(),
        file,
    })
}

/// Lists of tables, and blocks, that may be written in one line.
const LISTS: [&str; 10] = [
    "table",
    "index",
    "vector_index",
    "entity",
    "replica",
    "access",
    "consumed",
    "measured",
    "dax",
    "commitment",
];
const BLOCKS: [&str; 7] = [
    "capacity",
    "backup",
    "stream",
    "dax",
    "ttl",
    "encryption",
    "popularity",
];

/// Writes lists and blocks over several lines, so that they are all alike.
fn written_out(table: &mut Table) {
    let keys: Vec<String> = table.iter().map(|(key, _)| key.to_string()).collect();
    for key in keys {
        let Some(item) = table.get_mut(&key) else {
            continue;
        };
        let is_list = LISTS.contains(&&*key) && item.is_array();
        let is_block = BLOCKS.contains(&&*key) && item.is_inline_table();
        let old = match is_list || is_block {
            true => std::mem::take(item),
            false => Item::None,
        };
        if is_list {
            *item = old
                .into_array_of_tables()
                .map_or_else(|item| item, Item::ArrayOfTables);
        } else if is_block {
            *item = old.into_table().map_or_else(|item| item, Item::Table);
        }
        match item {
            Item::Table(inner) => written_out(inner),
            Item::ArrayOfTables(list) => list.iter_mut().for_each(written_out),
            _ => {}
        }
    }
}

/// What says how a table is used, not what it is.
const USAGE: [&str; 12] = [
    "items",
    "item",
    "stored",
    "entity",
    "access",
    "consumed",
    "measured",
    "popularity",
    "growth",
    "ttl",
    "import",
    "unpriced",
];

/// The same of an index, of a replica, and of blocks of a table.
const INDEX_USAGE: [&str; 3] = ["coverage", "stored", "popularity"];
const REPLICA_USAGE: [&str; 3] = ["reads", "access", "encryption"];
const BLOCK_USAGE: [(&str, &[&str]); 5] = [
    ("stream", &["readers"]),
    ("dax", &["hit_ratio", "ttl"]),
    ("backup", &["restores_per_year", "restore", "on_demand"]),
    ("capacity", &["reserved"]),
    ("encryption", &["keys", "callers"]),
];

fn tables(document: &DocumentMut) -> impl Iterator<Item = &Table> {
    let list = document.get("table").and_then(Item::as_array_of_tables);
    list.into_iter().flat_map(ArrayOfTables::iter)
}

fn name(table: &Table) -> Option<&str> {
    table.get("name").and_then(Item::as_str)
}

/// The table of a document that has the same name.
fn find<'a>(document: &'a DocumentMut, table: &Table) -> Option<&'a Table> {
    tables(document).find(|one| name(one).is_some() && name(one) == name(table))
}

/// The document with other tables.
fn with_tables(document: &DocumentMut, tables: Vec<Table>) -> DocumentMut {
    let mut list = ArrayOfTables::new();
    tables.into_iter().for_each(|table| list.push(table));
    let mut document = document.clone();
    document.insert("table", Item::ArrayOfTables(list));
    document
}

/// The elements of a list of tables.
fn elements<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> + use<'a> {
    let list = table.get(key).and_then(Item::as_array_of_tables);
    list.into_iter().flat_map(ArrayOfTables::iter)
}

/// What a document says about the usage of the tables that another has as well, of indexes and
/// replicas that the other has.
fn usage(document: &DocumentMut, other: &DocumentMut) -> Vec<Table> {
    let all = tables(document).filter_map(|table| Some((table, find(other, table)?)));
    all.map(|(table, other)| usage_of(table, other)).collect()
}

fn usage_of(table: &Table, other: &Table) -> Table {
    let mut own = Table::new();
    let is_index = |name: Option<&str>| {
        let mut all = elements(other, "index").chain(elements(other, "vector_index"));
        name.is_none() || all.any(|one| one.get("name").and_then(Item::as_str) == name)
    };
    for (key, item) in table.iter() {
        match (key, item) {
            ("access" | "consumed", Item::ArrayOfTables(list)) => {
                let mut known = ArrayOfTables::new();
                list.iter()
                    .filter(|one| is_index(one.get("index").and_then(Item::as_str)))
                    .for_each(|one| known.push(one.clone()));
                if !known.is_empty() {
                    own.insert(key, Item::ArrayOfTables(known));
                }
            }
            ("index" | "replica", Item::ArrayOfTables(list)) => {
                let (name, keys): (&str, &[&str]) = match key {
                    "index" => ("name", &INDEX_USAGE),
                    _ => ("region", &REPLICA_USAGE),
                };
                let mut kept = ArrayOfTables::new();
                let others: Vec<&str> = elements(other, key)
                    .filter_map(|one| one.get(name).and_then(Item::as_str))
                    .collect();
                list.iter()
                    .filter(|one| {
                        let own = one.get(name).and_then(Item::as_str);
                        own.is_some_and(|own| others.contains(&own))
                    })
                    .for_each(|one| kept.push(only(one, name, keys)));
                if !kept.is_empty() {
                    own.insert(key, Item::ArrayOfTables(kept));
                }
            }
            ("name", item) => {
                own.insert(key, item.clone());
            }
            ("entity", Item::ArrayOfTables(list)) => {
                let mut list = list.clone();
                list.iter_mut()
                    .for_each(|entity| in_indexes_of(entity, &is_index));
                own.insert(key, Item::ArrayOfTables(list));
            }
            (key, item) if USAGE.contains(&key) => {
                own.insert(key, item.clone());
            }
            _ => {}
        }
    }
    own
}

/// Leaves out the indexes of an entity that are not there.
fn in_indexes_of(entity: &mut Table, is_index: &impl Fn(Option<&str>) -> bool) {
    let list = entity.get_mut("in_indexes").and_then(Item::as_array_mut);
    let Some(list) = list else { return };
    list.retain(|value| {
        let table = value.as_inline_table();
        let name = table.and_then(|table| table.get("index")).or(Some(value));
        is_index(name.and_then(toml_edit::Value::as_str))
    });
}

/// A table with its name and some of its keys.
fn only(table: &Table, name: &str, keys: &[&str]) -> Table {
    let mut own = Table::new();
    for (key, item) in table.iter() {
        if key == name || keys.contains(&key) {
            own.insert(key, item.clone());
        }
    }
    own
}

/// A table as the account has it, used as a file says.
fn used_as(real: &Table, usage: &Table, own: &Table) -> Table {
    let mut table = real.clone();
    USAGE.iter().for_each(|key| {
        table.remove(key);
    });
    for (key, item) in usage.iter() {
        match key {
            "index" | "replica" => {}
            _ => {
                table.insert(key, item.clone());
            }
        }
    }
    // How long keys are is not in a description.
    for key in ["partition_key", "sort_key"] {
        if let (Some(_), Some(item)) = (table.get(key), own.get(key)) {
            table.insert(key, item.clone());
        }
    }
    for (key, name, keys) in [
        ("index", "name", &INDEX_USAGE as &[&str]),
        ("replica", "region", &REPLICA_USAGE),
    ] {
        let list = table.get_mut(key).and_then(Item::as_array_of_tables_mut);
        for one in list.into_iter().flat_map(ArrayOfTables::iter_mut) {
            let told = elements(usage, key).find(|told| {
                let name =
                    |table: &Table| table.get(name).and_then(Item::as_str).map(str::to_string);
                name(told) == name(one)
            });
            take_usage(one, told, keys);
        }
    }
    for (block, keys) in BLOCK_USAGE {
        let told = own.get(block).and_then(Item::as_table);
        if let Some(block) = table.get_mut(block).and_then(Item::as_table_mut) {
            take_usage(block, told, keys);
        }
    }
    // Clusters that serve other tables as well are not of this table.
    if own.get("dax").is_none() {
        table.remove("dax");
    }
    table
}

/// Replaces what a block says about usage.
fn take_usage(block: &mut Table, told: Option<&Table>, keys: &[&str]) {
    for key in keys {
        block.remove(key);
        if let Some(item) = told.and_then(|told| told.get(key)) {
            block.insert(key, item.clone());
        }
    }
}
