//! Real items of exact sizes: the keys of the table and of the indexes that an item is in, and
//! attributes that fill it up, so that the item and each of its index entries have the bytes that
//! the design says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::table::{Projection, Table};
use crate::workload::{IndexEntry, KeyPrefix, NumberKeys, SizeClass};

/// The type of a key attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// S.
    String,
    /// N.
    Number,
    /// B.
    Binary,
}

impl KeyType {
    /// The type with a name, as the API writes it.
    pub fn parse(name: &str) -> Option<KeyType> {
        match name {
            "S" => Some(KeyType::String),
            "N" => Some(KeyType::Number),
            "B" => Some(KeyType::Binary),
            _ => None,
        }
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            KeyType::String => "S",
            KeyType::Number => "N",
            KeyType::Binary => "B",
        }
    }
}

/// How the items of a table are made.
#[derive(Clone, Debug)]
pub struct ItemMaker {
    /// The table.
    pub table: Table,
    /// The types of the key attributes of the table and its indexes.
    pub types: BTreeMap<String, KeyType>,
    /// Attributes that some access pattern changes: items that are not described by their attributes
    /// have them too.
    pub changed: BTreeSet<String>,
    /// The bytes of the values of keys, as far as the design describes them.
    pub described: BTreeMap<String, u64>,
    /// How all keys begin, in a table that has items of others; else empty.
    pub mark: String,
}

/// The attributes of items of one size, with the bytes of their values.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The size and the entries.
    pub class: SizeClass,
    attributes: Vec<(String, u64)>,
    prefix: KeyPrefix,
}

/// An item.
#[derive(Clone, Debug)]
pub struct MadeItem {
    /// Its attributes.
    pub layout: Arc<Layout>,
    /// The number that its keys contain.
    pub own: u64,
    /// The numbers of keys that it shares with others.
    pub shared: Option<Arc<BTreeMap<String, u64>>>,
    /// How often all attributes were changed that are not keys of indexes.
    pub version: u64,
    /// How often each attribute was changed in addition.
    pub versions: BTreeMap<String, u64>,
}

/// An attribute while its bytes are sought.
#[derive(Clone, Debug)]
struct Sought {
    name: String,
    bytes: u64,
    least: u64,
    most: u64,
    /// Whether the design says its bytes.
    is_described: bool,
}

impl Sought {
    fn total(&self) -> u64 {
        self.name.len() as u64 + self.bytes
    }
}

/// The bytes of keys that are tried, from what reads well to what fits into the smallest items.
const KEY_BYTES: [u64; 9] = [36, 24, 12, 8, 6, 4, 3, 2, 1];

/// A number of 38 digits has 20 bytes.
const NUMBER_BYTES_MAX: u64 = 20;

/// The longest sort key; a partition key may be longer.
const KEY_BYTES_MAX: u64 = 1_024;

impl ItemMaker {
    /// For a table that is going to be made: all keys are strings but those that are numbers.
    pub fn new(table: &Table, numbers: NumberKeys) -> ItemMaker {
        let keys = table.indexes.iter().flat_map(|index| &index.keys);
        let names = table.keys.names().chain(keys.map(String::as_str));
        let mut types: BTreeMap<String, KeyType> = names
            .map(|name| (name.to_string(), KeyType::String))
            .collect();
        if numbers.partition {
            types.insert(table.keys.partition.clone(), KeyType::Number);
        }
        if let (true, Some(sort)) = (numbers.sort, &table.keys.sort) {
            types.insert(sort.clone(), KeyType::Number);
        }
        ItemMaker {
            table: table.clone(),
            types,
            changed: BTreeSet::new(),
            described: BTreeMap::new(),
            mark: String::new(),
        }
    }

    fn is_table_key(&self, name: &str) -> bool {
        self.table.keys.names().any(|key| key == name)
    }

    fn is_key(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    /// The attributes of items of a size class.
    ///
    /// # Errors
    /// In words, if no item can be like this.
    pub fn layout(&self, class: &SizeClass, prefix: &KeyPrefix) -> Result<Layout, String> {
        let solved = KEY_BYTES
            .iter()
            .find_map(|bytes| self.solved(class, *bytes));
        let Some(attributes) = solved else {
            return Err(format!(
                "an item of {} B cannot have the keys of the table and its indexes",
                class.item.0
            ));
        };
        Ok(Layout {
            class: class.clone(),
            attributes: attributes
                .into_iter()
                .map(|one| (one.name, one.bytes))
                .collect(),
            prefix: prefix.clone(),
        })
    }

    /// Attributes that give the item and its entries their sizes; `None` if there are none with keys
    /// of so many bytes.
    fn solved(&self, class: &SizeClass, key_bytes: u64) -> Option<Vec<Sought>> {
        let mut all = self.wanted(class, key_bytes)?;
        let of_class = class.attributes.as_ref().map(|all| all.iter());
        let described: u64 = of_class.into_iter().flatten().map(|(_, bytes)| bytes).sum();
        let sized: Vec<(usize, u64)> = class
            .entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| match entry {
                IndexEntry::Size(bytes) if self.table.indexes[at].projection != Projection::All => {
                    Some((at, bytes.0))
                }
                _ => None,
            })
            .collect();
        let mut settled: Vec<usize> = Vec::new();
        for (at, bytes) in sized {
            self.settle_entry(&mut all, at, bytes, &settled)?;
            settled.push(at);
        }
        let has = |all: &[Sought]| all.iter().map(Sought::total).sum::<u64>();
        let wanted = class.item.0.max(described.min(class.item.0));
        let mut over = has(&all).saturating_sub(wanted);
        for described in [false, true] {
            for one in &mut all {
                if over == 0 || one.is_described != described || self.is_held(&one.name, &settled) {
                    continue;
                }
                let less = (one.bytes - one.least.min(one.bytes)).min(over);
                one.bytes -= less;
                over -= less;
            }
        }
        if over > 0 {
            return None;
        }
        let missing = wanted - has(&all);
        if missing > 0 {
            let name = self.filler(&all);
            all.push(Sought {
                bytes: missing.checked_sub(name.len() as u64)?,
                name,
                least: 0,
                most: u64::MAX,
                is_described: false,
            });
        }
        Some(all)
    }

    /// A short name that nothing else has.
    fn filler(&self, all: &[Sought]) -> String {
        let is_free = |name: &String| {
            let is_included = |projection: &Projection| match projection {
                Projection::Include(names) => names.contains(name),
                Projection::KeysOnly | Projection::All => false,
            };
            let mut indexes = self.table.indexes.iter();
            !all.iter().any(|one| one.name == *name)
                && !self.is_key(name)
                && !indexes.any(|index| is_included(&index.projection))
        };
        let mut names = ('a'..='z').rev().map(String::from);
        names.find(is_free).unwrap_or_else(|| "filler".to_string())
    }

    /// The attributes that an item of a class has, with their described bytes, or a few.
    fn wanted(&self, class: &SizeClass, key_bytes: u64) -> Option<Vec<Sought>> {
        let mut all: Vec<Sought> = Vec::new();
        let described = class.attributes.as_ref().map(|all| all.iter());
        for (name, bytes) in described.into_iter().flatten() {
            let value = bytes.saturating_sub(name.len() as u64);
            let one = self.sought(name, value);
            all.push(Sought {
                bytes: value,
                is_described: true,
                ..one
            });
        }
        let mut add = |name: &str, bytes: u64| {
            if !all.iter().any(|one| one.name == name) {
                let known = self.described.get(name);
                all.push(Sought {
                    is_described: known.is_some(),
                    ..self.sought(name, known.copied().unwrap_or(bytes))
                });
            }
        };
        for key in self.table.keys.names() {
            add(key, key_bytes);
        }
        let is_in = |at: usize| class.is_in(at);
        let members = |wanted: bool| {
            let indexes = self.table.indexes.iter().enumerate();
            indexes.filter(move |(at, _)| is_in(*at) == wanted)
        };
        for (_, index) in members(true) {
            for key in &index.keys {
                add(key, key_bytes);
            }
            if let (Projection::Include(names), None) = (&index.projection, &class.attributes) {
                for name in names {
                    add(name, key_bytes.min(4));
                }
            }
        }
        if class.attributes.is_none() {
            for name in &self.changed {
                if !self.is_key(name) {
                    add(name, key_bytes.min(4));
                }
            }
        }
        // An item that is not in an index lacks one of its keys.
        for (_, index) in members(false) {
            let has = |key: &String| all.iter().any(|one| one.name == *key);
            if !index.keys.iter().all(has) {
                continue;
            }
            let is_needed = |key: &String| {
                self.is_table_key(key) || members(true).any(|(_, other)| other.keys.contains(key))
            };
            let left_out = index.keys.iter().find(|key| !is_needed(key))?;
            all.retain(|one| one.name != *left_out);
        }
        Some(all)
    }

    fn sought(&self, name: &str, bytes: u64) -> Sought {
        let (least, most) = match self.types.get(name) {
            // A value of no bytes could not change.
            None => (u64::from(self.changed.contains(name)), u64::MAX),
            Some(KeyType::Number) => (2, NUMBER_BYTES_MAX),
            Some(KeyType::String | KeyType::Binary) => (1, KEY_BYTES_MAX),
        };
        Sought {
            name: name.to_string(),
            bytes: bytes.clamp(least, most),
            least,
            most,
            is_described: false,
        }
    }

    fn is_held(&self, name: &str, indexes: &[usize]) -> bool {
        let holds = |at: &usize| self.table.indexes[*at].holds(&self.table.keys, name);
        indexes.iter().any(holds)
    }

    /// Gives the entry of an index its size, by attributes that no settled entry holds.
    fn settle_entry(
        &self,
        all: &mut [Sought],
        at: usize,
        wanted: u64,
        settled: &[usize],
    ) -> Option<()> {
        let index = &self.table.indexes[at];
        let held = |one: &&mut Sought| index.holds(&self.table.keys, &one.name);
        let has: u64 = all.iter_mut().filter(held).map(|one| one.total()).sum();
        let mut missing = wanted.saturating_sub(has);
        let mut over = has.saturating_sub(wanted);
        let is_open = |one: &&mut Sought| {
            index.holds(&self.table.keys, &one.name)
                && !one.is_described
                && !self.is_held(&one.name, settled)
        };
        for one in all.iter_mut().filter(is_open) {
            let more = (one.most - one.bytes.min(one.most)).min(missing);
            one.bytes += more;
            missing -= more;
        }
        // The longest is shortened first, so that no key becomes too short to tell items apart.
        while over > 0 {
            let open = all.iter_mut().filter(is_open);
            let longest = open.filter(|one| one.bytes > one.least);
            longest.max_by_key(|one| one.bytes)?.bytes -= 1;
            over -= 1;
        }
        (missing == 0 && over == 0).then_some(())
    }

    /// The value of an attribute of an item.
    fn value(&self, item: &MadeItem, name: &str, bytes: u64) -> Value {
        let version = item.version_of(name, self.is_key(name));
        let Some(kind) = self.types.get(name) else {
            return json!({ "S": plain(bytes, version) });
        };
        let room = self.room(&item.layout, name);
        let shared = item.shared.as_ref().and_then(|shared| shared.get(name));
        let number = match shared {
            // Collections have the last numbers, so that no other item falls into one.
            Some(number) => (room - 1).saturating_sub(*number),
            None => item.own % (room - reserved(room)).max(1),
        };
        let may_change = !self.is_table_key(name);
        match kind {
            KeyType::Number => json!({ "N": number_text(bytes, number, version) }),
            KeyType::String | KeyType::Binary => {
                let prefix = item.layout.prefix_of(name, self);
                let key = KeyText {
                    bytes,
                    number,
                    version: may_change.then_some(version),
                };
                let text = key.text(&prefix);
                match kind {
                    KeyType::Binary => json!({ "B": STANDARD.encode(text) }),
                    _ => json!({ "S": text }),
                }
            }
        }
    }

    /// The item in DynamoDB JSON.
    pub fn json(&self, item: &MadeItem) -> Value {
        let attributes = item.layout.attributes.iter();
        let json: Map<String, Value> = attributes
            .map(|(name, bytes)| (name.clone(), self.value(item, name, *bytes)))
            .collect();
        Value::Object(json)
    }

    /// Some attributes of the item in DynamoDB JSON.
    pub fn part<'n>(&self, item: &MadeItem, names: impl IntoIterator<Item = &'n str>) -> Value {
        let one = |name: &str| {
            let bytes = item.layout.bytes_of(name)?;
            Some((name.to_string(), self.value(item, name, bytes)))
        };
        Value::Object(names.into_iter().filter_map(one).collect())
    }

    /// The primary key of the item.
    pub fn key(&self, item: &MadeItem) -> Value {
        self.part(item, self.table.keys.names())
    }

    /// How many items can each have a key of its own, and how many collections.
    pub fn places(&self, layout: &Layout, name: &str) -> (u64, u64) {
        let room = self.room(layout, name);
        (room - reserved(room), reserved(room))
    }

    /// How many different values a key of a layout can have.
    fn room(&self, layout: &Layout, name: &str) -> u64 {
        let bytes = layout.bytes_of(name).unwrap_or_default();
        match self.types.get(name) {
            Some(KeyType::Number) => 10_u64
                .checked_pow((2 * bytes).saturating_sub(4).min(64) as u32)
                .unwrap_or(u64::MAX),
            _ => {
                let key = KeyText {
                    bytes,
                    number: 0,
                    version: (!self.is_table_key(name)).then_some(0),
                };
                key.room(&layout.prefix_of(name, self))
            }
        }
    }
}

impl Layout {
    /// Whether the values of a table's keys have the same bytes as in another layout.
    pub fn has_keys_of(&self, other: &Layout, table: &Table) -> bool {
        let mut keys = table.keys.names();
        keys.all(|key| self.bytes_of(key) == other.bytes_of(key))
    }

    /// The bytes of the value of an attribute; `None` if items do not have it.
    fn bytes_of(&self, name: &str) -> Option<u64> {
        let mut all = self.attributes.iter();
        all.find(|(own, _)| own == name).map(|(_, bytes)| *bytes)
    }

    /// How the value of a key begins.
    fn prefix_of(&self, name: &str, maker: &ItemMaker) -> String {
        let own = match name {
            name if name == maker.table.keys.partition => &self.prefix.partition,
            name if maker.table.keys.sort.as_deref() == Some(name) => {
                return self.prefix.sort.clone();
            }
            _ => return maker.mark.clone(),
        };
        format!("{own}{}", maker.mark)
    }
}

impl MadeItem {
    /// An item whose attributes were not changed yet.
    pub fn new(layout: Arc<Layout>, own: u64) -> MadeItem {
        MadeItem {
            layout,
            own,
            shared: None,
            version: 0,
            versions: BTreeMap::new(),
        }
    }

    fn version_of(&self, name: &str, is_key: bool) -> u64 {
        let own = self.versions.get(name).copied().unwrap_or_default();
        match is_key {
            true => own,
            false => own + self.version,
        }
    }

    /// The item after a write that changes some attributes; `None` for all that are not keys of
    /// indexes.
    #[must_use]
    pub fn after(&self, layout: &Arc<Layout>, changes: Option<&[String]>) -> MadeItem {
        let mut after = MadeItem {
            layout: layout.clone(),
            ..self.clone()
        };
        match changes {
            None => after.version += 1,
            Some(names) => {
                for name in names {
                    *after.versions.entry(name.clone()).or_default() += 1;
                }
            }
        }
        after
    }
}

/// How many of the values of a key are for collections.
fn reserved(room: u64) -> u64 {
    (room / 2).min(1 << 20)
}

/// The digits of numbers in keys, and of versions.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn digit(value: u64) -> char {
    char::from(DIGITS[(value % 36) as usize])
}

/// A value of some bytes that differs from version to version.
fn plain(bytes: u64, version: u64) -> String {
    let mut text = "x".repeat(bytes.saturating_sub(1) as usize);
    if bytes > 0 {
        text.push(digit(version));
    }
    text
}

/// The value of a key attribute.
struct KeyText {
    bytes: u64,
    number: u64,
    /// Its last character, for a key of an index, which may change.
    version: Option<u64>,
}

impl KeyText {
    /// The characters for the number, after a prefix that leaves room for it.
    fn width<'p>(&self, prefix: &'p str) -> (&'p str, u64) {
        let end = u64::from(self.version.is_some());
        let width = |prefix: &str| self.bytes.saturating_sub(prefix.len() as u64 + end);
        match width(prefix) {
            0 => ("", width("")),
            width => (prefix, width),
        }
    }

    fn room(&self, prefix: &str) -> u64 {
        let (_, width) = self.width(prefix);
        36_u64.checked_pow(width.min(64) as u32).unwrap_or(u64::MAX)
    }

    fn text(&self, prefix: &str) -> String {
        let (prefix, width) = self.width(prefix);
        let mut digits = Vec::new();
        let mut rest = self.number;
        for _ in 0..width {
            digits.push(digit(rest % 36));
            rest /= 36;
        }
        let number: String = digits.into_iter().rev().collect();
        let end: String = self.version.map(digit).into_iter().collect();
        format!("{prefix}{number}{end}")
    }
}

/// A number of some bytes: two digits a byte after the first, none of them at an end a zero.
fn number_text(bytes: u64, number: u64, version: u64) -> String {
    let digits = (2 * bytes).saturating_sub(2).clamp(2, 38) as usize;
    let width = digits - 2;
    let middle = format!("{number:0width$}");
    let middle = match width {
        0 => "",
        width => &middle[middle.len() - width..],
    };
    format!("1{middle}{}", 1 + version % 9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Index, IndexKind, Item, KeySchema, NumberAlignment, TableClass};
    use crate::units::Bytes;

    fn table(projection: Projection) -> Table {
        let index = |name: &str, keys: &[&str], projection| Index {
            name: name.to_string(),
            kind: IndexKind::Global,
            keys: keys.iter().map(|key| key.to_string()).collect(),
            projection,
        };
        Table {
            name: "Orders".to_string(),
            class: TableClass::Standard,
            keys: KeySchema {
                partition: "pk".to_string(),
                sort: Some("sk".to_string()),
            },
            indexes: vec![
                index("whole", &["owner"], Projection::All),
                index("part", &["state", "pk"], projection),
            ],
            vectors: Vec::new(),
        }
    }

    #[test]
    fn items_and_entries_have_exactly_their_bytes() {
        let include = Projection::Include(vec!["total".to_string()]);
        for projection in [Projection::KeysOnly, include] {
            for numbers in [false, true] {
                let table = table(projection.clone());
                let numbers = NumberKeys {
                    partition: numbers,
                    sort: false,
                };
                let mut maker = ItemMaker::new(&table, numbers);
                maker.changed.insert("note".to_string());
                for bytes in [60, 100, 1_024, 4_097] {
                    for entries in [[true, true], [true, false], [false, true], [false, false]] {
                        let size = |at: usize, bytes: u64| match entries[at] {
                            true => IndexEntry::Size(Bytes(bytes)),
                            false => IndexEntry::None,
                        };
                        let class = SizeClass {
                            item: Bytes(bytes),
                            entries: vec![size(0, bytes), size(1, 48)],
                            attributes: None,
                            weight: 1,
                        };
                        let layout = maker
                            .layout(&class, &KeyPrefix::default())
                            .expect("a layout");
                        let mut item = MadeItem::new(Arc::new(layout), 12);
                        for _ in 0..3 {
                            let json = maker.json(&item);
                            let read = Item::from_json(&json).expect("an item");
                            let found = read.size(NumberAlignment::Aligned);
                            assert_eq!(found, class.item, "{json}");
                            for (at, index) in table.indexes.iter().enumerate() {
                                let entry =
                                    index.entry_size(&table.keys, &read, NumberAlignment::Aligned);
                                let expected = match class.entries[at] {
                                    IndexEntry::Size(bytes) => Some(bytes),
                                    _ => None,
                                };
                                assert_eq!(entry, expected, "{json}");
                            }
                            let layout = item.layout.clone();
                            item = item.after(&layout, None);
                        }
                    }
                }
            }
        }
    }
}
