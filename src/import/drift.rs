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
    let parse = |text: &str| text.parse::<DocumentMut>().map_err(JoinError::of);
    let (own, real) = (parse(file)?, parse(account)?);
    let measured = with_tables(&real, usage(&real, &own));
    let file = join(file, &measured.to_string())?.text;
    let own = parse(&file)?;
    let settings = tables(&real).filter(|table| find(&own, table).is_some());
    let settings = settings.map(without_usage).collect();
    let mut account = with_tables(&own, settings);
    // Clusters are compared if the file has some: others may serve other tables.
    if own.contains_key("dax") {
        match real.get("dax") {
            Some(clusters) => account.insert("dax", clusters.clone()),
            None => account.remove("dax"),
        };
    }
    let told = with_tables(&own, usage(&own, &real));
    let account = join(&account.to_string(), &told.to_string())?.text;
    let missing = tables(&own).filter(|table| find(&real, table).is_none());
    let missing = missing.filter_map(|table| name(table).map(str::to_string));
    Ok(Drift {
        account,
        missing: missing.collect(),
        file,
    })
}

/// What says how a table is used, not what it is.
const USAGE: [&str; 11] = [
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
];

/// The same of an index, and of a replica.
const INDEX_USAGE: [&str; 3] = ["coverage", "stored", "popularity"];
const REPLICA_USAGE: [&str; 2] = ["reads", "access"];

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
            (key, item) if USAGE.contains(&key) => {
                own.insert(key, item.clone());
            }
            _ => {}
        }
    }
    own
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

/// What a table is, without its usage.
fn without_usage(table: &Table) -> Table {
    let mut own = table.clone();
    USAGE.iter().for_each(|key| {
        own.remove(key);
    });
    for (key, keys) in [
        ("index", &INDEX_USAGE as &[&str]),
        ("replica", &REPLICA_USAGE),
    ] {
        let list = own.get_mut(key).and_then(Item::as_array_of_tables_mut);
        for one in list.into_iter().flat_map(ArrayOfTables::iter_mut) {
            keys.iter().for_each(|key| {
                one.remove(key);
            });
        }
    }
    own
}
