//! Joins two workload files: the first decides, the second fills in what the first does not say.
//!
//! A value that the first file has stays as it is, with its comment and its place, unless it is
//! `"unknown"`. Tables are the same if they have the same name; indexes, entities and access
//! patterns too; replicas by their region. Tables that only the second file has are added. A table
//! whose access patterns are described gets no measured units as well.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use crate::diag::harmless;

/// Two files as one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct JoinedFile {
    /// The file.
    pub text: String,
    /// What was taken from the second file: the path of each value.
    pub added: Vec<String>,
    /// Where the first file says something else than the second: what it says stays.
    pub kept: Vec<String>,
}

/// Joins two workload files.
///
/// # Errors
/// If a file is not TOML, or they are of different regions.
pub fn join(first: &str, second: &str) -> Result<JoinedFile, JoinError> {
    let parse = |text: &str| text.parse::<DocumentMut>().map_err(JoinError::of);
    let (mut own, other) = (parse(first)?, parse(second)?);
    let region = |document: &DocumentMut| {
        let region = document.get("region").and_then(Item::as_str);
        region
            .filter(|region| *region != UNKNOWN)
            .map(str::to_string)
    };
    if let (Some(first), Some(second)) = (region(&own), region(&other))
        && first != second
    {
        return Err(JoinError::Region { first, second });
    }
    let mut joining = Joining::default();
    joining.document(&mut own, &other);
    let text = with_notes(&own.to_string(), second);
    Ok(JoinedFile {
        text,
        added: joining.added,
        kept: joining.kept,
    })
}

/// Why two files cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A file is not TOML.
    #[error("is not TOML: {0}")]
    Syntax(String),
    /// The files are of different regions.
    #[error("one file is of {first}, the other of {second}; a workload has one region")]
    Region {
        /// The region of the first file.
        first: String,
        /// The region of the second file.
        second: String,
    },
}

impl JoinError {
    pub(super) fn of(error: toml_edit::TomlError) -> JoinError {
        JoinError::Syntax(harmless(&error.to_string()))
    }
}

const UNKNOWN: &str = "unknown";

/// Lists whose elements are told apart by a key, and that key.
const KEYED: [(&str, &str); 7] = [
    ("table", "name"),
    ("index", "name"),
    ("vector_index", "name"),
    ("entity", "name"),
    ("replica", "region"),
    ("dax", "name"),
    ("access", "name"),
];

/// What says how large the items of a table are; entities say it too.
const SIZES: [&str; 3] = ["items", "item", "stored"];

#[derive(Default)]
struct Joining {
    /// Where the values are, such as `Orders.capacity`.
    path: Vec<String>,
    added: Vec<String>,
    kept: Vec<String>,
}

fn is_unknown(item: &Item) -> bool {
    item.as_str() == Some(UNKNOWN)
}

/// The text of a value without its comment.
fn shown(item: &Item) -> String {
    match item {
        Item::Value(value) => value.clone().decorated("", "").to_string(),
        _ => String::new(),
    }
}

impl Joining {
    fn at(&self, key: &str) -> String {
        let mut path = self.path.clone();
        path.push(key.to_string());
        path.join(".")
    }

    fn within(&mut self, key: &str, act: impl FnOnce(&mut Joining)) {
        self.path.push(key.to_string());
        act(self);
        self.path.pop();
    }

    fn document(&mut self, own: &mut DocumentMut, other: &DocumentMut) {
        for (key, item) in other.iter() {
            match key {
                // The first file keeps its name.
                "name" => {}
                _ => self.item(own.as_table_mut(), key, item),
            }
        }
    }

    /// Joins one key of a table.
    fn item(&mut self, own: &mut Table, key: &str, other: &Item) {
        let is_there = own.get(key).is_some_and(|own| !is_unknown(own));
        match other {
            Item::ArrayOfTables(list) => self.list(own, key, list),
            Item::Table(table) if is_there => match own.get_mut(key) {
                Some(Item::Table(own)) => self.block(own, key, table),
                Some(own) => self.differs(key, own, other),
                None => {}
            },
            _ if !is_there => self.take(own, key, other),
            _ if key == "unpriced" => add_elements(own.get_mut(key), other),
            _ => {
                if let Some(own) = own.get(key) {
                    self.differs(key, own, other);
                }
            }
        }
    }

    /// Takes a value that the first file does not have; an unknown one says nothing new.
    fn take(&mut self, own: &mut Table, key: &str, other: &Item) {
        let is_empty = other.as_array().is_some_and(toml_edit::Array::is_empty);
        if is_unknown(other) || is_empty {
            return;
        }
        if let Item::Table(table) = other {
            let known = table.iter().any(|(_, item)| !is_unknown(item));
            if !known {
                return;
            }
        }
        let mut item = other.clone();
        if let Item::Table(table) = &mut item {
            placed_last(table);
        }
        self.added.push(self.at(key));
        own.insert(key, item);
    }

    fn differs(&mut self, key: &str, own: &Item, other: &Item) {
        let (own, other) = (shown(own), shown(other));
        if own != other && !own.is_empty() && other != format!("{UNKNOWN:?}") {
            let text = format!("{}: {own} stays; the other file says {other}", self.at(key));
            self.kept.push(harmless(&text));
        }
    }

    /// Joins a block such as `[table.capacity]`.
    fn block(&mut self, own: &mut Table, key: &str, other: &Table) {
        let mode = |table: &Table| table.get("mode").and_then(Item::as_str).map(str::to_string);
        if key == "capacity" && mode(own) != mode(other) {
            // Units of one mode mean nothing in the other.
            self.within(key, |joining| {
                if let (Some(own), Some(other)) = (own.get("mode"), other.get("mode")) {
                    joining.differs("mode", own, other);
                }
            });
            return;
        }
        self.within(key, |joining| joining.all(own, other));
    }

    fn all(&mut self, own: &mut Table, other: &Table) {
        let has_entities = own.get("entity").is_some();
        let has_access = own.get("access").is_some();
        for (key, item) in other.iter() {
            let is_told = (has_entities && SIZES.contains(&key))
                || (has_access && ["consumed", "measured"].contains(&key));
            if is_told {
                continue;
            }
            match (key, item) {
                ("consumed", Item::ArrayOfTables(list)) => self.consumed(own, list),
                _ => self.item(own, key, item),
            }
        }
    }

    /// Joins a list of tables: its elements by their key, or as a whole.
    fn list(&mut self, own: &mut Table, key: &str, other: &ArrayOfTables) {
        let named = KEYED.iter().find(|(list, _)| *list == key);
        let is_there = own.get(key).and_then(Item::as_array_of_tables);
        let is_there = is_there.is_some_and(|list| !list.is_empty());
        let Some((_, name)) = named.filter(|_| is_there) else {
            if !is_there {
                let mut list = ArrayOfTables::new();
                other
                    .iter()
                    .for_each(|table| self.push(&mut list, key, table));
                own.insert(key, Item::ArrayOfTables(list));
            }
            return;
        };
        let Some(list) = own.get_mut(key).and_then(Item::as_array_of_tables_mut) else {
            return;
        };
        for table in other.iter() {
            let is_it = |one: &Table| {
                let same = one.get(name).and_then(Item::as_str);
                same.is_some() && same == table.get(name).and_then(Item::as_str)
            };
            let label = label(table, key, name);
            let at = list.iter().position(is_it);
            match at.and_then(|at| list.get_mut(at)) {
                Some(own) => {
                    add_notes(own, table);
                    self.within(&label, |joining| joining.all(own, table));
                }
                None => self.push(list, key, table),
            }
        }
    }

    /// Adds an element that the first file does not have.
    fn push(&mut self, list: &mut ArrayOfTables, key: &str, table: &Table) {
        let name = KEYED.iter().find(|(list, _)| *list == key);
        let label = label(table, key, name.map_or("name", |(_, name)| name));
        self.added.push(self.at(&label));
        let mut table = table.clone();
        placed_last(&mut table);
        list.push(table);
    }

    /// Joins measured units: each direction of the table and of each index has its own.
    fn consumed(&mut self, own: &mut Table, other: &ArrayOfTables) {
        let index = |table: &Table| {
            table
                .get("index")
                .and_then(Item::as_str)
                .map(str::to_string)
        };
        let empty = || Item::ArrayOfTables(ArrayOfTables::new());
        let Some(list) = own
            .entry("consumed")
            .or_insert_with(empty)
            .as_array_of_tables_mut()
        else {
            return;
        };
        for measured in other.iter() {
            let target = index(measured);
            let mut is_new = false;
            for word in ["read", "write"] {
                let Some(units) = measured.get(word).filter(|units| !is_unknown(units)) else {
                    continue;
                };
                let mut same = list.iter_mut().filter(|one| index(one) == target);
                let told = same.find(|one| one.get(word).is_some());
                match told {
                    Some(one) if one.get(word).is_some_and(is_unknown) => {
                        let comment = one.remove(word).as_ref().and_then(comment);
                        // The comment of the first says what to write for both.
                        if let (Some(comment), Some(value)) = (comment, other_unknown(one)) {
                            value.decor_mut().set_suffix(comment);
                        }
                        is_new = true;
                    }
                    Some(one) => {
                        let name = target.clone().unwrap_or_else(|| "consumed".to_string());
                        let own = one.get(word).cloned().unwrap_or_default();
                        self.within(&name, |joining| joining.differs(word, &own, units));
                    }
                    None => is_new = true,
                }
            }
            list.retain(|one| one.get("read").is_some() || one.get("write").is_some());
            if is_new {
                self.push(list, "consumed", measured);
            }
        }
    }
}

/// The comment behind a value.
fn comment(item: &Item) -> Option<String> {
    let suffix = item.as_value()?.decor().suffix()?.as_str()?;
    let is_said = suffix.contains('#') && !suffix.contains("the same");
    is_said.then(|| suffix.to_string())
}

/// The direction of measured units that is still unknown.
fn other_unknown(measured: &mut Table) -> Option<&mut Value> {
    let word = ["read", "write"]
        .into_iter()
        .find(|word| measured.get(word).is_some_and(is_unknown))?;
    measured.get_mut(word)?.as_value_mut()
}

/// How a table of a list is called.
fn label(table: &Table, key: &str, name: &str) -> String {
    let own = table.get(name).or_else(|| table.get("index"));
    let own = own.and_then(Item::as_str);
    let word = ["read", "write"]
        .iter()
        .find(|word| table.get(word).is_some());
    match (own, word) {
        (Some(own), Some(word)) if key == "consumed" => format!("{own}.{word}"),
        (None, Some(word)) if key == "consumed" => (*word).to_string(),
        (Some(own), _) => own.to_string(),
        (None, _) => key.to_string(),
    }
}

/// Writes a table after everything that its parent already has.
fn placed_last(table: &mut Table) {
    table.set_position(None);
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(inner) => placed_last(inner),
            Item::ArrayOfTables(list) => list.iter_mut().for_each(placed_last),
            _ => {}
        }
    }
}

/// Adds the elements of a list that are not in it.
fn add_elements(own: Option<&mut Item>, other: &Item) {
    let own = own.and_then(Item::as_array_mut);
    let (Some(own), Some(other)) = (own, other.as_array()) else {
        return;
    };
    let plain = |value: &Value| value.clone().decorated("", "").to_string();
    for value in other.iter() {
        if !own.iter().any(|known| plain(known) == plain(value)) {
            own.push_formatted(value.clone());
        }
    }
}

/// Adds the notes of a table, which are comments before its first key.
fn add_notes(own: &mut Table, other: &Table) {
    let first = |table: &Table| {
        let (key, _) = table.iter().next()?;
        table
            .key(key)?
            .leaf_decor()
            .prefix()?
            .as_str()
            .map(str::to_string)
    };
    let Some(notes) = first(other) else { return };
    let before = first(own).unwrap_or_default();
    let new: String = notes
        .lines()
        .filter(|line| line.starts_with('#') && !before.lines().any(|own| own == *line))
        .map(|line| format!("{line}\n"))
        .collect();
    let Some(mut key) = own.iter_mut().next().map(|(key, _)| key) else {
        return;
    };
    key.leaf_decor_mut().set_prefix(format!("{before}{new}"));
}

/// Adds the notes at the beginning of the second file to those of the first.
fn with_notes(text: &str, second: &str) -> String {
    let notes = |text: &str| -> Vec<String> {
        let lines = text.lines().take_while(|line| line.starts_with('#'));
        lines.map(str::to_string).collect()
    };
    let own = notes(text);
    let is_new = |line: &String| !own.contains(line) && !line.starts_with("# Each value says");
    let new: Vec<String> = notes(second).into_iter().filter(is_new).collect();
    let rest = text.lines().skip(own.len());
    let lines: Vec<&str> = own
        .iter()
        .chain(&new)
        .map(String::as_str)
        .chain(rest)
        .collect();
    match own.is_empty() && !new.is_empty() {
        true => format!("{}\n\n{text}", new.join("\n")),
        false => lines.join("\n") + "\n",
    }
}
