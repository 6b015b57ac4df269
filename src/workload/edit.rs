//! Edits of a workload file, which keep its comments, its order and everything else in it.

use std::fmt::{self, Display};

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{DesignPart, Written};
use crate::diag::{Place, harmless, turns};
use crate::units::Exact;

/// What to change in a workload file so that it describes another design.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DesignEdit {
    /// The parts of the file, each with its changes, in the order in which they are made.
    pub parts: Vec<PartEdit>,
    /// What has to be changed as well and cannot be written for the user, in words.
    pub by_hand: Option<String>,
}

/// The changes of one part of a workload file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartEdit {
    /// The part.
    pub part: DesignPart,
    /// Its changes.
    pub changes: Vec<KeyChange>,
}

/// Lines of TOML, and where they belong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedEdit {
    /// The line of the part that is changed.
    pub place: Place,
    /// The lines.
    pub lines: Vec<String>,
}

/// One change within a part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChange {
    /// Writes a key, such as `backup.pitr`, with a value as TOML.
    Set(String, String),
    /// Writes a key only where the file has it.
    Replace(String, String),
    /// Removes a key where the file has it.
    Remove(String),
    /// Removes the part itself.
    RemovePart,
    /// Adds an element to a list, such as `replica`: its keys and their values as TOML.
    Append(String, Vec<(String, String)>),
}

/// Why a file cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The file is not TOML.
    #[error("is not TOML: {0}")]
    Syntax(String),
    /// The file has no such part.
    #[error("has no {0}")]
    Missing(String),
    /// A value is not TOML.
    #[error("`{0}` is not a TOML value")]
    Value(String),
    /// A part of the change is not one of the file.
    #[error("the change cannot be written for you: {0}")]
    ByHand(String),
}

/// A text as a TOML value.
pub fn toml_text(text: &str) -> String {
    harmless_text(text).unwrap_or_else(|| Value::from(text).to_string())
}

/// A text as TOML, with escapes for the characters that change the direction of the text around
/// them; `None` if it has none.
pub(crate) fn harmless_text(text: &str) -> Option<String> {
    text.chars().any(turns).then(|| {
        let escaped = text.chars().map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() || turns(c) => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        });
        format!("\"{}\"", escaped.collect::<String>())
    })
}

impl DesignEdit {
    /// An edit of one part, without a change yet.
    pub fn of(part: DesignPart) -> DesignEdit {
        DesignEdit::default().and(part)
    }

    /// A change that is not one of keys and values, in words.
    pub fn in_words(part: DesignPart, words: impl Into<String>) -> DesignEdit {
        DesignEdit::of(part).by_hand(words)
    }

    /// Goes on with another part.
    #[must_use]
    pub fn and(mut self, part: DesignPart) -> DesignEdit {
        self.parts.push(PartEdit {
            part,
            changes: Vec::new(),
        });
        self
    }

    fn change(mut self, change: KeyChange) -> DesignEdit {
        if let Some(last) = self.parts.last_mut() {
            last.changes.push(change);
        }
        self
    }

    /// Writes a key of the part.
    #[must_use]
    pub fn set(self, key: &str, value: impl Into<String>) -> DesignEdit {
        self.change(KeyChange::Set(key.to_string(), value.into()))
    }

    /// Writes a key of the part where the file has it.
    #[must_use]
    pub fn replace(self, key: &str, value: impl Into<String>) -> DesignEdit {
        self.change(KeyChange::Replace(key.to_string(), value.into()))
    }

    /// Removes keys of the part where the file has them.
    #[must_use]
    pub fn remove(self, keys: &[&str]) -> DesignEdit {
        let remove = |edit: DesignEdit, key: &&str| edit.change(KeyChange::Remove(key.to_string()));
        keys.iter().fold(self, remove)
    }

    /// Removes the part.
    #[must_use]
    pub fn remove_part(self) -> DesignEdit {
        self.change(KeyChange::RemovePart)
    }

    /// Adds an element to a list of the part.
    #[must_use]
    pub fn append(self, list: &str, keys: Vec<(&str, String)>) -> DesignEdit {
        let keys = keys.into_iter();
        let keys = keys.map(|(key, value)| (key.to_string(), value)).collect();
        self.change(KeyChange::Append(list.to_string(), keys))
    }

    /// Says what has to be changed as well.
    #[must_use]
    pub fn by_hand(mut self, words: impl Into<String>) -> DesignEdit {
        self.by_hand = Some(words.into());
        self
    }

    /// The changes of this edit after those of another.
    #[must_use]
    pub fn then(mut self, other: DesignEdit) -> DesignEdit {
        self.parts.extend(other.parts);
        self.by_hand = self.by_hand.or(other.by_hand);
        self
    }

    /// Its lines of TOML by where they belong in the file. What is removed, and what has to be changed
    /// by hand, is a comment.
    pub fn placed(&self, written: &Written) -> Vec<PlacedEdit> {
        let placed = |edit: &PartEdit| PlacedEdit {
            place: written.place(&edit.part),
            lines: edit.lines(),
        };
        let mut all: Vec<PlacedEdit> = self.parts.iter().map(placed).collect();
        let words = self.by_hand.iter().map(|words| format!("# {words}"));
        if let Some(first) = all.first_mut() {
            first.lines.extend(words);
        }
        all.retain(|edit| !edit.lines.is_empty());
        all
    }

    /// The same as one text: the lines of further places stand under a comment that names the place.
    pub fn text(&self, written: &Written) -> String {
        let mut lines = Vec::new();
        for (at, edit) in self.placed(written).into_iter().enumerate() {
            if at > 0 {
                lines.push(format!("# {}:{}", edit.place.file, edit.place.line));
            }
            lines.extend(edit.lines);
        }
        lines.join("\n")
    }

    /// Where it begins.
    pub fn place(&self, written: &Written) -> Option<Place> {
        let placed = self.placed(written);
        placed.into_iter().next().map(|edit| edit.place)
    }
}

impl PartEdit {
    /// The lines to write in the part, as TOML; what is removed is a comment.
    pub fn lines(&self) -> Vec<String> {
        let prefix = match &self.part {
            DesignPart::Capacity(_) => "capacity.",
            DesignPart::Dax(_) => "dax.",
            _ => "",
        };
        let lines = self.changes.iter().flat_map(|change| match change {
            KeyChange::Set(key, value) => set_lines(&format!("{prefix}{key}"), value),
            KeyChange::RemovePart => vec![format!("# remove {}", part_words(&self.part))],
            KeyChange::Append(list, keys) => {
                let list = match self.part {
                    DesignPart::Region => list.clone(),
                    _ => format!("table.{list}"),
                };
                appended_lines(&list, keys)
            }
            // What is changed only where the file has it needs no words.
            KeyChange::Replace(..) | KeyChange::Remove(_) => Vec::new(),
        });
        lines.collect()
    }
}

fn appended_lines(list: &str, keys: &[(String, String)]) -> Vec<String> {
    let keys = keys.iter().map(|(key, value)| format!("{key} = {value}"));
    std::iter::once(format!("[[{list}]]")).chain(keys).collect()
}

/// The longest list of tables that is written in one line.
const LINE_MAX: usize = 76;

/// A key and its value; a long list of tables has a line for each.
fn set_lines(key: &str, value: &str) -> Vec<String> {
    let line = format!("{key} = {value}");
    match value.parse::<Value>() {
        Ok(Value::Array(list)) if line.len() > LINE_MAX => {
            let elements = list
                .iter()
                .map(|one| format!("  {},", one.to_string().trim()));
            let first = std::iter::once(format!("{key} = ["));
            first.chain(elements).chain(["]".to_string()]).collect()
        }
        _ => vec![line],
    }
}

/// A part in words.
fn part_words(part: &DesignPart) -> String {
    match part {
        DesignPart::Region => "the design".to_string(),
        DesignPart::Event(name) => format!("the event \"{name}\""),
        DesignPart::Table(name) | DesignPart::Item(name) | DesignPart::Capacity(name) => {
            format!("the table {name}")
        }
        DesignPart::Dax(name) => format!("the DAX cluster of {name}"),
        DesignPart::Index(_, index) => format!("the index {index}"),
        DesignPart::Replica(_, region) => format!("the replica in {region}"),
        DesignPart::Access(_, access) => format!("the access pattern \"{access}\""),
        DesignPart::Cluster(_) => "the cluster".to_string(),
        DesignPart::Unpriced(..) => "the unread cost".to_string(),
    }
}

/// A step of the way to a value of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileStep {
    /// A key of a table.
    Key(String),
    /// A position in a list, from 0.
    At(usize),
}

impl Display for FileStep {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            FileStep::Key(key) => f.write_str(key),
            FileStep::At(at) => write!(f, "{}", at + 1),
        }
    }
}

impl From<&str> for FileStep {
    fn from(key: &str) -> FileStep {
        FileStep::Key(key.to_string())
    }
}

impl From<usize> for FileStep {
    fn from(at: usize) -> FileStep {
        FileStep::At(at)
    }
}

/// A file while it is edited.
#[derive(Clone, Debug)]
pub struct EditedFile {
    document: DocumentMut,
    crlf: bool,
}

impl Display for EditedFile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = self.document.to_string();
        match self.crlf {
            true => f.write_str(&text.replace("\r\n", "\n").replace('\n', "\r\n")),
            false => f.write_str(&text),
        }
    }
}

impl EditedFile {
    /// Begins to edit a file.
    ///
    /// # Errors
    /// [`EditError::Syntax`] if it is not TOML.
    pub fn new(text: &str) -> Result<EditedFile, EditError> {
        let document = text.parse::<DocumentMut>();
        let document = document.map_err(|error| EditError::Syntax(harmless(&error.to_string())))?;
        Ok(EditedFile {
            document,
            crlf: text.contains("\r\n"),
        })
    }

    /// Makes a change of a design.
    ///
    /// # Errors
    /// [`EditError`] if the file lacks a part, or the change cannot be written.
    pub fn apply(&mut self, edit: &DesignEdit) -> Result<(), EditError> {
        if let Some(words) = &edit.by_hand {
            return Err(EditError::ByHand(words.clone()));
        }
        for PartEdit { part, changes } in &edit.parts {
            let way = self.way(part)?;
            for change in changes {
                match change {
                    KeyChange::Set(key, value) => self.set(&joined(&way, key), value)?,
                    KeyChange::Replace(key, value) => {
                        let way = joined(&way, key);
                        if self.item(&way).is_some() {
                            self.set(&way, value)?;
                        }
                    }
                    KeyChange::Remove(key) => self.remove(&joined(&way, key)),
                    KeyChange::RemovePart => self.remove(&way),
                    KeyChange::Append(list, keys) => self.append(&joined(&way, list), keys)?,
                }
            }
        }
        Ok(())
    }

    /// The way to a part.
    fn way(&self, part: &DesignPart) -> Result<Vec<FileStep>, EditError> {
        let table = |name: &String| self.element(&[], "table", "name", name);
        let within = |name: &String, list: &str, key: &str, value: &String| {
            self.element(&table(name)?, list, key, value)
        };
        match part {
            DesignPart::Region => Ok(Vec::new()),
            DesignPart::Event(name) => self.element(&[], "event", "name", name),
            DesignPart::Table(name) => table(name),
            DesignPart::Item(name) => Ok(joined(&table(name)?, "item")),
            DesignPart::Capacity(name) => Ok(joined(&table(name)?, "capacity")),
            DesignPart::Dax(name) => Ok(joined(&table(name)?, "dax")),
            DesignPart::Index(name, index) => within(name, "index", "name", index),
            DesignPart::Replica(name, region) => within(name, "replica", "region", region),
            DesignPart::Access(name, access) => within(name, "access", "name", access),
            DesignPart::Cluster(at) => Ok(vec!["dax".into(), (*at).into()]),
            DesignPart::Unpriced(..) => Err(EditError::Missing(part_words(part))),
        }
    }

    /// The way to the element of a list that has this value under a key.
    fn element(
        &self,
        way: &[FileStep],
        list: &str,
        key: &str,
        value: &str,
    ) -> Result<Vec<FileStep>, EditError> {
        let way = joined(way, list);
        let is_it = |item: Option<&Item>| item.and_then(Item::as_str) == Some(value);
        let at = match self.item(&way) {
            Some(Item::ArrayOfTables(list)) => list.iter().position(|one| is_it(one.get(key))),
            Some(Item::Value(Value::Array(list))) => list.iter().position(|one| {
                let one = one.as_inline_table().and_then(|one| one.get(key));
                one.and_then(Value::as_str) == Some(value)
            }),
            _ => None,
        };
        let at = at.ok_or_else(|| EditError::Missing(format!("{list} `{value}`")))?;
        Ok(way.into_iter().chain([at.into()]).collect())
    }

    fn item(&self, way: &[FileStep]) -> Option<&Item> {
        let [first, rest @ ..] = way else {
            return None;
        };
        let FileStep::Key(key) = first else {
            return None;
        };
        let mut here = Found::Item(self.document.get(key)?);
        for step in rest {
            here = here.step(step)?;
        }
        match here {
            Found::Item(item) => Some(item),
            Found::Table(_) => None,
        }
    }

    /// Whether the file has a value or a table at the end of a way.
    pub fn has(&self, way: &[FileStep]) -> bool {
        let (Some(last), Some(table)) = (way.last(), way.len().checked_sub(1)) else {
            return true;
        };
        match last {
            FileStep::Key(_) => self.item(way).is_some(),
            FileStep::At(at) => match self.item(&way[..table]) {
                Some(Item::ArrayOfTables(list)) => *at < list.len(),
                Some(Item::Value(Value::Array(list))) => *at < list.len(),
                _ => false,
            },
        }
    }

    /// Writes a value; tables on the way to it that are missing are made. A value that is there keeps
    /// its place and its comment.
    ///
    /// # Errors
    /// [`EditError`] if it is not a TOML value, or the way leads through something that is no table.
    pub fn set(&mut self, way: &[FileStep], value: &str) -> Result<(), EditError> {
        let mut new: Value = value
            .parse()
            .map_err(|_| EditError::Value(value.to_string()))?;
        let missing = || EditError::Missing(way_words(way));
        let Some((last, before)) = way.split_last() else {
            return Err(missing());
        };
        match last {
            FileStep::Key(key) => {
                let table = self.table(before).ok_or_else(missing)?;
                if let Some(Item::Value(old)) = table.get(key) {
                    *new.decor_mut() = old.decor().clone();
                }
                table.insert(key, Item::Value(new));
            }
            FileStep::At(at) => {
                let list = self.array(before).ok_or_else(missing)?;
                if *at >= list.len() {
                    return Err(missing());
                }
                list.replace(*at, new);
            }
        }
        Ok(())
    }

    /// Multiplies the figures at and below the end of a way: numbers, and sizes such as `1.8 KB`. Shares and
    /// targets are not meant to be scaled.
    ///
    /// # Errors
    /// [`EditError::Missing`] if there is no figure.
    pub fn scale(&mut self, way: &[FileStep], factor: &Exact) -> Result<(), EditError> {
        let missing = || EditError::Missing(way_words(way));
        let Some((FileStep::Key(key), before)) = way.split_last() else {
            return Err(missing());
        };
        let table = self.table(before).ok_or_else(missing)?;
        let item = table.get_mut(key).ok_or_else(missing)?;
        match scale_item(item, factor) {
            0 => Err(missing()),
            _ => Ok(()),
        }
    }

    /// Removes a value, a table, or an element of a list.
    pub fn remove(&mut self, way: &[FileStep]) {
        let Some((last, before)) = way.split_last() else {
            return;
        };
        match last {
            FileStep::Key(key) => {
                if self.has(before)
                    && let Some(table) = self.table(before)
                {
                    table.remove(key);
                }
            }
            FileStep::At(at) => {
                let Some((FileStep::Key(key), before)) = before.split_last() else {
                    return;
                };
                let Some(table) = self.table(before) else {
                    return;
                };
                let is_empty = match table.get_mut(key) {
                    Some(Item::ArrayOfTables(list)) if *at < list.len() => {
                        list.remove(*at);
                        list.is_empty()
                    }
                    Some(Item::Value(Value::Array(list))) if *at < list.len() => {
                        list.remove(*at);
                        list.is_empty()
                    }
                    _ => false,
                };
                if is_empty {
                    table.remove(key);
                }
            }
        }
    }

    /// Adds an element to a list of tables, which is made if it is missing.
    ///
    /// # Errors
    /// [`EditError`] if a value is not TOML, or the way does not lead to a list.
    pub fn append(&mut self, way: &[FileStep], keys: &[(String, String)]) -> Result<(), EditError> {
        let mut element = Table::new();
        for (key, value) in keys {
            let value: Value = value
                .parse()
                .map_err(|_| EditError::Value(value.to_string()))?;
            element.insert(key, Item::Value(value));
        }
        let missing = || EditError::Missing(way_words(way));
        let Some((FileStep::Key(key), before)) = way.split_last() else {
            return Err(missing());
        };
        let is_inline = self.is_inline(before);
        let table = self.table(before).ok_or_else(missing)?;
        element.decor_mut().set_prefix("\n");
        match table.get_mut(key) {
            Some(Item::ArrayOfTables(list)) => list.push(element),
            Some(Item::Value(Value::Array(list))) => list.push(element.into_inline_table()),
            Some(_) => return Err(missing()),
            None if is_inline => {
                let list = Array::from_iter([element.into_inline_table()]);
                table.insert(key, Item::Value(Value::Array(list)));
            }
            None => {
                let mut list = ArrayOfTables::new();
                list.push(element);
                table.insert(key, Item::ArrayOfTables(list));
            }
        }
        Ok(())
    }

    /// Whether a table is written in one line with the value that has it.
    fn is_inline(&self, way: &[FileStep]) -> bool {
        let ends = (1..=way.len()).map(|end| &way[..end]);
        ends.filter_map(|way| self.item(way))
            .any(|item| matches!(item, Item::Value(_)))
    }

    fn array(&mut self, way: &[FileStep]) -> Option<&mut Array> {
        let (FileStep::Key(key), before) = way.split_last()? else {
            return None;
        };
        self.table(before)?.get_mut(key)?.as_array_mut()
    }

    /// The table at the end of a way; missing tables are made, written in one line.
    fn table(&mut self, way: &[FileStep]) -> Option<&mut dyn TableLike> {
        let mut here: &mut dyn TableLike = self.document.as_table_mut();
        let mut steps = way.iter().peekable();
        while let Some(step) = steps.next() {
            let FileStep::Key(key) = step else {
                return None;
            };
            if here.get(key).is_none() {
                here.insert(key, Item::Value(Value::InlineTable(InlineTable::new())));
            }
            let item = here.get_mut(key)?;
            here = match steps.next_if(|next| matches!(next, FileStep::At(_))) {
                Some(FileStep::At(at)) => match item {
                    Item::ArrayOfTables(list) => list.get_mut(*at)?,
                    Item::Value(Value::Array(list)) => list.get_mut(*at)?.as_inline_table_mut()?,
                    _ => return None,
                },
                _ => item.as_table_like_mut()?,
            };
        }
        Some(here)
    }
}

/// Multiplies the figures of an item; returns how many there are.
fn scale_item(item: &mut Item, factor: &Exact) -> usize {
    match item {
        Item::Value(value) => scale_value(value, factor),
        Item::Table(table) => {
            let items = table.iter_mut().map(|(_, item)| scale_item(item, factor));
            items.sum()
        }
        Item::ArrayOfTables(_) | Item::None => 0,
    }
}

fn scale_value(value: &mut Value, factor: &Exact) -> usize {
    let text = match value {
        Value::Integer(number) => number.value().to_string(),
        Value::Float(number) => number.display_repr().into_owned(),
        Value::String(text) => text.value().clone(),
        Value::InlineTable(table) => {
            let values = table
                .iter_mut()
                .map(|(_, value)| scale_value(value, factor));
            return values.sum();
        }
        _ => return 0,
    };
    let figure = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let Some(number) = Exact::parse(&figure.replace('_', "")) else {
        return 0;
    };
    let scaled = (&number * factor).human(9).replace(',', "");
    let scaled = format!("{scaled}{}", &text[figure.len()..]);
    let written = match value {
        Value::String(_) => toml_text(&scaled),
        _ => scaled,
    };
    let Ok(mut new) = written.parse::<Value>() else {
        return 0;
    };
    *new.decor_mut() = value.decor().clone();
    *value = new;
    1
}

/// The line on which the value at the end of a way begins, from 1; `None` if the file is not TOML or has no
/// such value.
pub fn line_of(text: &str, way: &[FileStep]) -> Option<usize> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut here = Found::Table(document.as_table());
    for step in way {
        here = here.step(step)?;
    }
    let span = match here {
        Found::Item(item) => item.span()?,
        Found::Table(_) => return None,
    };
    Some(1 + text.get(..span.start)?.matches('\n').count())
}

/// A place on the way to a value.
#[derive(Clone, Copy)]
enum Found<'a> {
    Item(&'a Item),
    Table(&'a dyn TableLike),
}

impl<'a> Found<'a> {
    fn step(self, step: &FileStep) -> Option<Found<'a>> {
        match (self, step) {
            (Found::Item(item), FileStep::Key(key)) => {
                item.as_table_like()?.get(key).map(Found::Item)
            }
            (Found::Table(table), FileStep::Key(key)) => table.get(key).map(Found::Item),
            (Found::Item(Item::ArrayOfTables(list)), FileStep::At(at)) => {
                list.get(*at).map(|table| Found::Table(table))
            }
            (Found::Item(Item::Value(Value::Array(list))), FileStep::At(at)) => list
                .get(*at)
                .and_then(Value::as_inline_table)
                .map(|table| Found::Table(table)),
            _ => None,
        }
    }
}

/// A way and the keys after it, such as `backup.pitr`.
fn joined(way: &[FileStep], keys: &str) -> Vec<FileStep> {
    let keys = keys.split('.').map(FileStep::from);
    way.iter().cloned().chain(keys).collect()
}

fn way_words(way: &[FileStep]) -> String {
    let steps: Vec<String> = way.iter().map(FileStep::to_string).collect();
    format!("`{}`", steps.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\nregion = \"us-east-1\" # home\n\n[[table]]\nname = \"Orders\"\n\
                        capacity = { mode = \"on-demand\" } # for now\n\n[[table.index]]\nname = \"ByDay\"\n\
                        projection = \"all\"\n\n[[table]]\nname = \"Carts\"\nbackup.pitr = true\n";

    #[test]
    fn characters_that_turn_the_text_are_escaped() {
        let text = "a\u{202e}b \"c\\ d\n";
        let written = toml_text(text);
        assert_eq!(written, "\"a\\u202Eb \\\"c\\\\ d\\u000A\"");
        let read: toml::Table = toml::from_str(&format!("text = {written}")).expect("TOML");
        assert_eq!(read["text"].as_str(), Some(text));
        assert_eq!(toml_text("plain"), "\"plain\"");
    }

    fn edited(edit: DesignEdit) -> Result<String, EditError> {
        let mut file = EditedFile::new(FILE)?;
        file.apply(&edit)?;
        Ok(file.to_string())
    }

    #[test]
    fn values_are_changed_where_they_are_and_everything_else_stays() {
        let orders = || DesignPart::Capacity("Orders".to_string());
        let index = DesignPart::Index("Orders".to_string(), "ByDay".to_string());
        let edit = DesignEdit::of(orders())
            .set("mode", "\"provisioned\"")
            .set("read", "5")
            .and(index)
            .set("projection", "\"keys-only\"");
        let text = edited(edit).unwrap();
        assert!(
            text.contains("capacity = { mode = \"provisioned\" , read = 5 } # for now")
                || text.contains("capacity = { mode = \"provisioned\", read = 5 } # for now"),
            "{text}"
        );
        assert!(text.contains("projection = \"keys-only\"\n"));
        assert!(text.starts_with("# mine\nregion = \"us-east-1\" # home\n"));
    }

    #[test]
    fn parts_are_added_and_removed() {
        let index = DesignPart::Index("Orders".to_string(), "ByDay".to_string());
        let text = edited(DesignEdit::of(index).remove_part()).unwrap();
        assert!(!text.contains("index"), "{text}");
        let carts = DesignPart::Table("Orders".to_string());
        let replica = vec![("region", toml_text("eu-west-1"))];
        let text = edited(DesignEdit::of(carts).append("replica", replica)).unwrap();
        let (orders, _) = text.split_once("name = \"Carts\"").unwrap();
        assert!(
            orders.contains("[[table.replica]]\nregion = \"eu-west-1\"\n"),
            "{text}"
        );
    }

    #[test]
    fn figures_are_scaled_exactly() {
        let text =
            "rate = { per_second = { low = 0.1, likely = 1_000 } } # calls\nsize = \"1.8 KB\"\n";
        let mut file = EditedFile::new(text).unwrap();
        let three = Exact::from(3);
        file.scale(&["rate".into()], &three).unwrap();
        file.scale(&["size".into()], &three).unwrap();
        assert_eq!(
            file.to_string(),
            "rate = { per_second = { low = 0.3, likely = 3000 } } # calls\nsize = \"5.4 KB\"\n"
        );
        assert!(file.scale(&["none".into()], &three).is_err());
    }

    #[test]
    fn what_the_file_lacks_is_an_error() {
        let edit = DesignEdit::of(DesignPart::Table("Users".to_string())).set("items", "1");
        assert_eq!(
            edited(edit),
            Err(EditError::Missing("table `Users`".to_string()))
        );
        let edit = DesignEdit::of(DesignPart::Region).set("region", "us east");
        assert_eq!(edited(edit), Err(EditError::Value("us east".to_string())));
        let edit = DesignEdit::in_words(DesignPart::Region, "call a query");
        assert!(matches!(edited(edit), Err(EditError::ByHand(_))));
    }
}
