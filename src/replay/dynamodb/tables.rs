//! Tables in memory: their items in key order, and what a Query or Scan evaluates.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::expression::{KeyCondition, Test};
use super::key::{KeyValue, KeyValues, start_of};
use crate::table::limits::PAGE_BYTES;
use crate::table::{AttributeValue, Item, KeyStart, NumberAlignment, Table, Write, WriteOutcome};
use crate::units::Bytes;

/// A table with its items, and the entries of its indexes in the order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    items: BTreeMap<KeyValues, Item>,
    /// For each index, the keys of its entries, each followed by the item's key.
    entries: Vec<BTreeMap<KeyValues, KeyValues>>,
}

/// What a page evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Bytes of items or entries.
    pub bytes: Bytes,
    /// Number of items or entries.
    pub count: u64,
    /// The sizes of their items, for a local index that fetches from the table.
    pub items: Vec<Bytes>,
    /// The items, by how their keys begin.
    pub starts: BTreeMap<KeyStart, u64>,
}

/// The request for a page.
#[derive(Clone, Debug, Default)]
pub struct PageRequest {
    /// The index, by position.
    pub index: Option<usize>,
    /// Conditions on its key, for a Query.
    pub conditions: Vec<KeyCondition>,
    /// Whether to read in descending order of the sort key.
    pub backward: bool,
    /// Maximum number of items that are evaluated.
    pub limit: Option<u64>,
    /// Where the previous page ended: the key of its last item, for an index also of its entry.
    pub after: Option<Item>,
    /// The segment of a parallel scan, and the number of segments.
    pub segment: Option<(u64, u64)>,
}

/// Values of some attributes; `None` if one is missing or cannot be a key.
pub fn key_of<'a>(item: &Item, names: impl Iterator<Item = &'a str>) -> Option<KeyValues> {
    names
        .map(|name| item.get(name).and_then(KeyValue::of))
        .collect()
}

impl Stored {
    /// The key of an item.
    ///
    /// # Errors
    /// If an attribute is missing, or if DynamoDB would reject the key.
    pub fn key(table: &Table, item: &Item) -> Result<KeyValues, String> {
        use crate::table::limits::{PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};
        let most = [PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX];
        let value = |(name, most): (&str, u64)| {
            let value = item
                .get(name)
                .ok_or_else(|| format!("{name} is missing; it is a key of {}", table.name))?;
            let value = KeyValue::of(value).ok_or_else(|| {
                format!(
                    "{name} is a key of {} and must be a string, a number or binary",
                    table.name
                )
            })?;
            match value.bytes().len() as u64 {
                0 => Err(format!(
                    "{name} is a key of {} and must not be empty",
                    table.name
                )),
                bytes if bytes > most => Err(format!(
                    "{name} has {bytes} bytes; a key must have 1 to {most}"
                )),
                _ => Ok(value),
            }
        };
        table.keys.names().zip(most).map(value).collect()
    }

    /// The key attributes of an index in order; for a local index, the table's partition key comes
    /// first.
    fn order(table: &Table, index: usize) -> Vec<&str> {
        let own = table.indexes[index].keys.iter().map(String::as_str);
        match table.indexes[index].kind {
            crate::table::IndexKind::Global => own.collect(),
            crate::table::IndexKind::Local => {
                let partition = table.keys.partition.as_str();
                std::iter::once(partition)
                    .chain(own.filter(|name| *name != partition))
                    .collect()
            }
        }
    }

    fn entry_key(table: &Table, index: usize, item: &Item, key: &KeyValues) -> Option<KeyValues> {
        let mut entry = key_of(item, Stored::order(table, index).into_iter())?;
        entry.extend(key.iter().cloned());
        Some(entry)
    }

    /// Builds the entries of all indexes from the items again, after an index was added.
    pub fn reindex(&mut self, table: &Table) {
        self.entries = vec![BTreeMap::new(); table.indexes.len()];
        for (key, item) in &self.items {
            for (at, entries) in self.entries.iter_mut().enumerate() {
                entries.extend(
                    Stored::entry_key(table, at, item, key).map(|entry| (entry, key.clone())),
                );
            }
        }
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// The items in the order of their keys.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// Removes all entries of an index.
    pub fn clear_index(&mut self, index: usize) {
        if let Some(entries) = self.entries.get_mut(index) {
            entries.clear();
        }
    }

    /// The item of a key.
    pub fn get(&self, key: &KeyValues) -> Option<&Item> {
        self.items.get(key)
    }

    /// Stores or replaces the item of a key, or removes it.
    pub fn put(&mut self, table: &Table, key: KeyValues, new: Option<Item>) {
        self.entries.resize(table.indexes.len(), BTreeMap::new());
        for at in 0..table.indexes.len() {
            let old = self
                .items
                .get(&key)
                .and_then(|item| Stored::entry_key(table, at, item, &key));
            let now = new
                .as_ref()
                .and_then(|item| Stored::entry_key(table, at, item, &key));
            if old == now {
                continue;
            }
            if let Some(old) = old {
                self.entries[at].remove(&old);
            }
            if let Some(now) = now {
                self.entries[at].insert(now, key.clone());
            }
        }
        match new {
            Some(item) => self.items.insert(key, item),
            None => self.items.remove(&key),
        };
    }

    /// Describes a write of an item for the meter, and changes the table if the write is applied.
    pub fn write(
        &mut self,
        table: &Table,
        (key, new): (KeyValues, Option<Item>),
        outcome: WriteOutcome,
        numbers: NumberAlignment,
    ) -> Write {
        let old = self.items.get(&key);
        let write = Write {
            old: old.map(|item| table.item_size(item, numbers)),
            new: new.as_ref().map(|item| table.item_size(item, numbers)),
            indexes: table.transitions(old, new.as_ref(), numbers),
            outcome,
        };
        if outcome == WriteOutcome::Applied {
            self.put(table, key, new);
        }
        write
    }

    /// The sizes of the items of some keys, or of their entries in an index.
    pub fn named(
        &self,
        table: &Table,
        index: Option<usize>,
        keys: &[KeyValues],
        numbers: NumberAlignment,
    ) -> Page {
        let mut page = Page::default();
        for item in keys.iter().filter_map(|key| self.items.get(key)) {
            page.add(table, index, item, numbers);
        }
        page
    }

    /// What a Query or Scan evaluates: items in the order of keys, up to its limit or to 1 MB,
    /// whichever comes first; the item that reaches 1 MB is the last.
    ///
    /// Source: API Reference, "Query" and "Scan" (rules 2.4 and 2.5). `Assumption:` a Scan reads
    /// the items in key order; DynamoDB uses the order of a hash that is not public.
    pub fn page(
        &self,
        table: &Table,
        asked: &PageRequest,
        numbers: NumberAlignment,
    ) -> Result<Page, String> {
        let (prefix, ranges) = key_conditions(table, asked)?;
        let after = match &asked.after {
            None => None,
            Some(after) => Some(self.after(table, asked.index, after)?),
        };
        let fits = |key: &KeyValues| {
            ranges
                .iter()
                .all(|(at, test)| key.get(*at).is_some_and(|value| holds(test, value)))
        };
        let in_segment = |key: &KeyValues| match asked.segment {
            Some((segment, of)) if of > 1 => key
                .first()
                .is_some_and(|first| xxhash_rust::xxh3::xxh3_64(&first.bytes()) % of == segment),
            _ => true,
        };
        let mut page = Page::default();
        // A backward page that would continue before the requested range has nothing left.
        if asked.backward && after.as_ref().is_some_and(|after| *after < prefix) {
            return Ok(page);
        }
        let mut visit = |key: &KeyValues, item: &Item| -> bool {
            if !key.starts_with(&prefix) {
                return false;
            }
            if fits(key) && in_segment(key) {
                page.add(table, asked.index, item, numbers);
            }
            page.bytes.0 < PAGE_BYTES && asked.limit.is_none_or(|limit| page.count < limit)
        };
        if asked.limit == Some(0) {
            return Err("Limit is 0; it must be at least 1".to_string());
        }
        let lower = match (&after, asked.backward) {
            (Some(after), false) => Bound::Excluded(after.clone()),
            _ => Bound::Included(prefix.clone()),
        };
        let upper = match (after, asked.backward) {
            (Some(after), true) => Bound::Excluded(after),
            _ => Bound::Unbounded,
        };
        let items = self.in_order(asked.index, (lower, upper));
        // From the end, keys after the requested range come first.
        let mut items: Box<dyn Iterator<Item = (&KeyValues, &Item)>> = match asked.backward {
            true => Box::new(items.rev().skip_while(|(key, _)| !key.starts_with(&prefix))),
            false => Box::new(items),
        };
        let _ = items.all(|(key, item)| visit(key, item));
        Ok(page)
    }

    /// The items of a range in the order of the table's keys, or of an index's.
    fn in_order<'a>(
        &'a self,
        index: Option<usize>,
        range: (Bound<KeyValues>, Bound<KeyValues>),
    ) -> Box<dyn DoubleEndedIterator<Item = (&'a KeyValues, &'a Item)> + 'a> {
        match index {
            None => Box::new(self.items.range(range)),
            Some(index) => {
                let entries = self.entries.get(index).map(|entries| entries.range(range));
                let item = |(entry, key): (&'a KeyValues, &'a KeyValues)| {
                    self.items.get(key).map(|item| (entry, item))
                };
                Box::new(entries.into_iter().flatten().filter_map(item))
            }
        }
    }

    /// Where a page continues: the key in the order of the table or index that is read.
    fn after(
        &self,
        table: &Table,
        index: Option<usize>,
        after: &Item,
    ) -> Result<KeyValues, String> {
        let key =
            Stored::key(table, after).map_err(|error| format!("ExclusiveStartKey: {error}"))?;
        match index {
            None => Ok(key),
            Some(index) => {
                let entry = Stored::entry_key(table, index, after, &key);
                entry.ok_or_else(|| {
                    format!(
                        "ExclusiveStartKey: a key attribute of the index {} is missing",
                        table.indexes[index].name
                    )
                })
            }
        }
    }
}

impl Page {
    fn add(&mut self, table: &Table, index: Option<usize>, item: &Item, numbers: NumberAlignment) {
        if let Some(key) = key_of(item, table.keys.names()) {
            *self.starts.entry(start_of(&key)).or_default() += 1;
        }
        let size = table.item_size(item, numbers);
        let evaluated = match index {
            None => Some(size),
            Some(index) => table.indexes[index].entry_size(&table.keys, item, numbers),
        };
        let Some(evaluated) = evaluated else { return };
        self.bytes = self.bytes + evaluated;
        self.count += 1;
        self.items.push(size);
    }
}

fn holds(test: &Test, value: &KeyValue) -> bool {
    let compare = |other: &AttributeValue| {
        KeyValue::of(other)
            .filter(|other| same_type(value, other))
            .map(|other| value.cmp(&other))
    };
    match test {
        Test::Equal(other) => compare(other) == Some(Ordering::Equal),
        Test::Below(other, or_equal) => compare(other).is_some_and(|order| {
            order == Ordering::Less || (*or_equal && order == Ordering::Equal)
        }),
        Test::Above(other, or_equal) => compare(other).is_some_and(|order| {
            order == Ordering::Greater || (*or_equal && order == Ordering::Equal)
        }),
        Test::Between(low, high) => {
            compare(low).is_some_and(|order| order != Ordering::Less)
                && compare(high).is_some_and(|order| order != Ordering::Greater)
        }
        Test::BeginsWith(start) => match (value, start) {
            (KeyValue::S(text), AttributeValue::S(start)) => text.starts_with(start.as_str()),
            (KeyValue::B(bytes), AttributeValue::B(start)) => bytes.starts_with(start),
            _ => false,
        },
    }
}

fn same_type(one: &KeyValue, other: &KeyValue) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Conditions on keys: the values of those that are compared for equality, and the tests of the
/// others, each with its position among the keys.
type KeyConditions<'a> = (KeyValues, Vec<(usize, &'a Test)>);

/// The conditions of a request, in the order of the keys of the table or index that it reads.
fn key_conditions<'a>(table: &Table, asked: &'a PageRequest) -> Result<KeyConditions<'a>, String> {
    let order: Vec<&str> = match asked.index {
        Some(index) => Stored::order(table, index),
        None => table.keys.names().collect(),
    };
    let mut prefix = KeyValues::new();
    let mut ranges = Vec::new();
    for name in &order {
        match asked
            .conditions
            .iter()
            .find(|condition| condition.name == *name)
        {
            Some(KeyCondition {
                test: Test::Equal(value),
                ..
            }) if ranges.is_empty() => {
                prefix.push(KeyValue::of(value).ok_or_else(|| {
                    format!("{name} is compared with a value that cannot be a key")
                })?);
            }
            Some(condition) => ranges.push((prefix.len() + ranges.len(), &condition.test)),
            None => break,
        }
    }
    if let Some(other) = asked
        .conditions
        .iter()
        .find(|condition| !order.contains(&condition.name.as_str()))
    {
        return Err(format!(
            "{} is not a key of the table or index that is queried; its keys are {}",
            other.name,
            order.join(", ")
        ));
    }
    if !asked.conditions.is_empty() && prefix.is_empty() {
        return Err(format!(
            "a Query needs an equality condition on {}",
            order.first().unwrap_or(&"the partition key")
        ));
    }
    Ok((prefix, ranges))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::table::Number;
    use crate::table::{Index, IndexKind, KeySchema, Projection, TableClass};

    fn table() -> Table {
        let index = |name: &str, kind, keys: &[&str]| Index {
            name: name.into(),
            kind,
            keys: keys.iter().map(|key| key.to_string()).collect(),
            projection: Projection::KeysOnly,
        };
        Table {
            name: "Orders".into(),
            class: TableClass::Standard,
            keys: KeySchema {
                partition: "pk".into(),
                sort: Some("sk".into()),
            },
            indexes: vec![
                index("lsi", IndexKind::Local, &["l"]),
                index("gsi", IndexKind::Global, &["g", "sk"]),
            ],
            vectors: Vec::new(),
        }
    }

    fn stored() -> Stored {
        let mut stored = Stored::default();
        for pk in ["a", "b"] {
            for sk in 1..=10 {
                let item = json!({"pk": {"S": pk}, "sk": {"N": sk.to_string()}, "l": {"N": (20 - sk).to_string()}, "g": {"S": if sk % 2 == 0 { "even" } else { "odd" }}});
                let item = Item::from_json(&item).expect("an item");
                stored.put(
                    &table(),
                    Stored::key(&table(), &item).expect("a key"),
                    Some(item),
                );
            }
        }
        stored
    }

    fn count(
        index: Option<usize>,
        conditions: &[(&str, Test)],
        change: impl Fn(&mut PageRequest),
    ) -> u64 {
        let conditions = conditions
            .iter()
            .map(|(name, test)| KeyCondition {
                name: name.to_string(),
                test: test.clone(),
            })
            .collect();
        let mut asked = PageRequest {
            index,
            conditions,
            ..PageRequest::default()
        };
        change(&mut asked);
        stored()
            .page(&table(), &asked, NumberAlignment::Aligned)
            .expect("a page")
            .count
    }

    fn n(number: u32) -> AttributeValue {
        AttributeValue::N(Number::parse(&number.to_string()).expect("a number"))
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    #[test]
    fn pages_hold_what_their_conditions_ask_for() {
        let a = || ("pk", Test::Equal(s("a")));
        assert_eq!(count(None, &[a()], |_| {}), 10);
        assert_eq!(count(None, &[], |_| {}), 20);
        assert_eq!(
            count(None, &[a(), ("sk", Test::Between(n(3), n(10)))], |_| {}),
            8
        );
        assert_eq!(
            count(None, &[a(), ("sk", Test::Above(n(9), false))], |asked| {
                asked.backward = true
            }),
            1
        );
        assert_eq!(count(None, &[a()], |asked| asked.limit = Some(3)), 3);
        assert_eq!(count(None, &[("pk", Test::Equal(s("z")))], |_| {}), 0);
        assert_eq!(
            count(Some(0), &[a(), ("l", Test::Below(n(12), true))], |_| {}),
            3
        );
        assert_eq!(count(Some(1), &[("g", Test::Equal(s("even")))], |_| {}), 10);
        assert_eq!(
            count(
                Some(1),
                &[("g", Test::Equal(s("even"))), ("sk", Test::Equal(n(4)))],
                |_| {}
            ),
            2
        );
    }

    #[test]
    fn pages_go_on_where_the_last_ended_in_both_directions() {
        let a = || [("pk", Test::Equal(s("a")))];
        let start = |json: serde_json::Value| Some(Item::from_json(&json).expect("a key"));
        let from = || start(json!({"pk": {"S": "a"}, "sk": {"N": "4"}}));
        assert_eq!(count(None, &a(), |asked| asked.after = from()), 6);
        assert_eq!(
            count(None, &a(), |asked| {
                asked.after = from();
                asked.backward = true;
            }),
            3
        );
        let entry = || start(json!({"pk": {"S": "a"}, "sk": {"N": "4"}, "g": {"S": "even"}}));
        assert_eq!(
            count(Some(1), &[("g", Test::Equal(s("even")))], |asked| asked
                .after =
                entry()),
            7
        );
        let segments: u64 = (0..3)
            .map(|segment| count(None, &[], |asked| asked.segment = Some((segment, 3))))
            .sum();
        assert_eq!(segments, 20);
    }
}
