//! Joins two workload files: the first decides, the second fills in what the first does not say.
//!
//! A value that the first file has stays as it is, with its comment and its place, unless it is
//! `"unknown"`. Tables are the same if they have the same name; indexes, entities and access
//! patterns too; replicas by their region. Tables that only the second file has are added. A table
//! whose access patterns are described gets no measured units as well.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

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
    let mut text = with_notes(&own.to_string(), second);
    // As the first file is written.
    if first.contains("\r\n") {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    if first.starts_with(BOM) && !text.starts_with(BOM) {
        text.insert(0, BOM);
    }
    if joining.added.is_empty() {
        // Nothing is new, not even a note.
        text = first.to_string();
    }
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

/// The mark at the beginning of a file that some editors write.
const BOM: char = '\u{feff}';

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

/// A value by what it means, however it is written.
fn plain(item: &Item) -> Option<toml::Value> {
    let text = format!("v = {}", shown(item).replace('\n', " "));
    let table: toml::Table = text.parse().ok()?;
    table.get("v").cloned()
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
                Some(Item::Value(Value::InlineTable(own))) => self.inline(own, key, table),
                _ => {}
            },
            _ if !is_there => self.take(own, key, other),
            _ if key == "unpriced" => {
                if add_elements(own.get_mut(key), other) {
                    self.added.push(self.at(key));
                }
            }
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
        if let Item::Table(table) = other
            && table.iter().all(|(_, item)| is_unknown(item))
        {
            return;
        }
        let mut item = other.clone();
        if let Item::Table(table) = &mut item {
            placed_last(table);
        }
        self.added.push(harmless(&self.at(key)));
        match own.get_mut(key) {
            // What stands above the key stays.
            Some(slot) => *slot = item,
            None => {
                own.insert(key, item);
            }
        }
    }

    /// Fills in a block that is written in one line, such as `backup = { pitr = "unknown" }`.
    fn inline(&mut self, own: &mut InlineTable, key: &str, other: &Table) {
        let mode = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_string);
        let other_mode = other.get("mode").and_then(Item::as_value);
        if key == "capacity" && mode(own.get("mode")) != mode(other_mode) {
            return;
        }
        self.within(key, |joining| {
            for (key, item) in other.iter() {
                let is_told = own
                    .get(key)
                    .is_some_and(|own| own.as_str() != Some(UNKNOWN));
                let Some(value) = item.as_value().filter(|_| !is_unknown(item)) else {
                    continue;
                };
                match (is_told, own.get(key)) {
                    (true, Some(value)) => joining.differs(key, &value.clone().into(), item),
                    _ => {
                        own.insert(key, value.clone().decorated(" ", " "));
                        joining.added.push(joining.at(key));
                    }
                }
            }
        });
    }

    fn differs(&mut self, key: &str, own: &Item, other: &Item) {
        let is_same = plain(own).is_some() && plain(own) == plain(other);
        let (own, other) = (shown(own), shown(other));
        let is_told = !own.is_empty() && !other.is_empty();
        if !is_same && own != other && is_told && other != format!("{UNKNOWN:?}") {
            let text = format!("{}: {own} stays; the other file says {other}", self.at(key));
            self.kept.push(harmless(&text.replace('\n', " ")));
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
        let has = |key: &str| own.get(key).is_some_and(|item| !is_unknown(item));
        let told = Told {
            entities: has("entity"),
            sizes: has("items") && (has("item") || has("entity")),
            item: has("item"),
            access: has("access"),
        };
        for (key, item) in other.iter() {
            let is_told = match key {
                "items" | "item" => told.entities,
                // What is stored follows from items and their sizes.
                "stored" => told.entities || told.sizes,
                "entity" => told.entities || told.item,
                "consumed" | "measured" => told.access,
                _ => false,
            };
            if is_told {
                continue;
            }
            match (key, item) {
                ("consumed", Item::ArrayOfTables(list)) => self.consumed(own, list),
                _ => self.item(own, key, item),
            }
        }
        if own.get("entity").is_some() && own.get("item").is_some_and(is_unknown) {
            own.remove("item");
        }
    }

    /// Joins a list of tables: its elements by their key, or as a whole.
    fn list(&mut self, own: &mut Table, key: &str, other: &ArrayOfTables) {
        let is_empty = |item: &Item| item.as_array().is_some_and(toml_edit::Array::is_empty);
        match own.get(key) {
            Some(Item::ArrayOfTables(_)) | None => {}
            Some(item) if is_empty(item) => {
                own.remove(key);
            }
            Some(_) => {
                let path = self.at(key);
                self.kept.push(format!(
                    "{path} is written in one line and stays; write it as [[{key}]] to join it"
                ));
                return;
            }
        }
        // The entities of a table say which of its items an index has.
        let sized = own.get("entity").is_some()
            || own
                .get("item")
                .and_then(Item::as_table_like)
                .is_some_and(|item| item.contains_key("attributes") || item.contains_key("export"));
        let mode = mode_of(own);
        let ready = |table: &Table| {
            let mut table = table.clone();
            if key == "index" {
                if sized {
                    table.remove("coverage");
                }
                in_mode(&mut table, mode.as_deref());
            }
            table
        };
        let name = KEYED.iter().find(|(list, _)| *list == key);
        let name = name.map(|(_, name)| *name);
        let is_there = own.get(key).is_some();
        if !is_there {
            let mut list = ArrayOfTables::new();
            for table in other.iter() {
                self.push(&mut list, key, ready(table));
            }
            own.insert(key, Item::ArrayOfTables(list));
            return;
        }
        let list = own.get_mut(key).and_then(Item::as_array_of_tables_mut);
        let (Some(list), Some(name)) = (list, name) else {
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
                    let mut table = table.clone();
                    if key == "index" && sized {
                        table.remove("coverage");
                    }
                    if key == "index" && mode.is_some() && mode != mode_of_index(&table) {
                        table.remove("read");
                        table.remove("write");
                    }
                    self.within(&label, |joining| joining.all(own, &table));
                }
                None => self.push(list, key, ready(table)),
            }
        }
    }

    /// Adds an element that the first file does not have.
    fn push(&mut self, list: &mut ArrayOfTables, key: &str, mut table: Table) {
        let name = KEYED.iter().find(|(list, _)| *list == key);
        let label = label(&table, key, name.map_or("name", |(_, name)| name));
        self.added.push(harmless(&self.at(&label)));
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
            let mut new = measured.clone();
            for word in ["read", "write"] {
                let Some(units) = measured.get(word) else {
                    continue;
                };
                let mut same = list.iter_mut().filter(|one| index(one) == target);
                let told = same.find(|one| one.get(word).is_some());
                match told {
                    Some(one) if one.get(word).is_some_and(is_unknown) => {
                        if is_unknown(units) {
                            new.remove(word);
                            continue;
                        }
                        // The comment of the first says what to write for both.
                        let comment = one.remove(word).as_ref().and_then(comment);
                        if let (Some(comment), Some(value)) = (comment, other_unknown(one)) {
                            value.decor_mut().set_suffix(comment);
                        }
                    }
                    Some(one) => {
                        let name = target.clone().unwrap_or_else(|| "consumed".to_string());
                        let own = one.get(word).cloned().unwrap_or_default();
                        self.within(&name, |joining| joining.differs(word, &own, units));
                        new.remove(word);
                    }
                    None if is_unknown(units) => {
                        new.remove(word);
                    }
                    None => {}
                }
            }
            let is_new = new.get("read").is_some() || new.get("write").is_some();
            let is_empty = |one: &Table| one.get("read").is_none() && one.get("write").is_none();
            let emptied = list
                .iter()
                .position(|one| is_empty(one) && index(one) == target);
            match emptied.and_then(|at| list.get_mut(at)) {
                // The block of an unknown figure gets the figure, below what stands above it.
                Some(one) if is_new => {
                    let name = label(&new, "consumed", "index");
                    self.added.push(harmless(&self.at(&name)));
                    for (key, item) in new.iter().filter(|(key, _)| *key != "index") {
                        one.insert(key, item.clone());
                    }
                }
                _ if is_new => self.push(list, "consumed", new),
                _ => {}
            }
            list.retain(|one| !is_empty(one));
        }
    }
}

/// What the first file says of a table.
struct Told {
    entities: bool,
    sizes: bool,
    item: bool,
    access: bool,
}

/// The capacity mode of a table.
fn mode_of(table: &Table) -> Option<String> {
    let capacity = table.get("capacity").and_then(Item::as_table_like)?;
    let mode = capacity.get("mode").and_then(Item::as_str)?;
    Some(mode.to_string())
}

/// The mode that an index is written for.
fn mode_of_index(index: &Table) -> Option<String> {
    let has_units = index.get("read").is_some() || index.get("write").is_some();
    Some(
        if has_units {
            "provisioned"
        } else {
            "on-demand"
        }
        .to_string(),
    )
}

/// Gives an index the units that the mode of its table needs, as unknown, or takes them away.
fn in_mode(index: &mut Table, mode: Option<&str>) {
    let is_local = index.get("kind").and_then(Item::as_str) == Some("local");
    for word in ["read", "write"] {
        match mode {
            Some("provisioned") if !is_local && index.get(word).is_none() => {
                index.insert(word, Item::Value(UNKNOWN.into()));
            }
            Some("on-demand") => {
                index.remove(word);
            }
            _ => {}
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

/// Adds the elements of a list that are not in it; returns whether there were any.
fn add_elements(own: Option<&mut Item>, other: &Item) -> bool {
    let own = own.and_then(Item::as_array_mut);
    let (Some(own), Some(other)) = (own, other.as_array()) else {
        return false;
    };
    let plain = |value: &Value| value.clone().decorated("", "").to_string();
    let before = own.len();
    for value in other.iter() {
        if !own.iter().any(|known| plain(known) == plain(value)) {
            own.push_formatted(value.clone());
        }
    }
    own.len() > before
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
        true => format!("{}\n\n{}\n", new.join("\n"), text.trim_end_matches('\n')),
        false => lines.join("\n") + "\n",
    }
}
