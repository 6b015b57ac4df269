//! A sample of a table's items: how large they are, how their keys begin and which indexes they are
//! in. Their values are not kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::import::draft::{Fields, Sourced, TableDraft, number, quoted};
use crate::import::node::SourceNode;
use crate::table::{Item, KeyStart, NumberAlignment};
use crate::units::Exact;

/// What is kept of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SampledItem {
    /// Its bytes, as DynamoDB counts them.
    pub size: u64,
    /// How its partition key begins, such as `USER#`.
    pub partition: String,
    /// How its sort key begins.
    pub sort: String,
    /// The indexes whose key attributes it has.
    pub indexes: Vec<String>,
}

/// What is kept of an item in DynamoDB JSON, of a table as DescribeTable describes it; `None` if it
/// is not an item.
pub fn sampled(description: &Value, item: &Value) -> Option<SampledItem> {
    let size = Item::from_json(item).ok()?.size(NumberAlignment::default());
    let keys = |node: &Value| -> Vec<String> {
        let keys = node["KeySchema"].as_array().into_iter().flatten();
        keys.filter_map(|key| key["AttributeName"].as_str().map(str::to_string))
            .collect()
    };
    let own = keys(description);
    let text = |at: usize| item[own.get(at)?.as_str()]["S"].as_str();
    let start = KeyStart::of(text(0), text(1));
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
    let indexes = indexes
        .iter()
        .flat_map(|kind| description[*kind].as_array().into_iter().flatten());
    let held = indexes.filter(|index| keys(index).iter().all(|key| !item[key.as_str()].is_null()));
    let names = held.filter_map(|index| index["IndexName"].as_str().map(str::to_string));
    Some(SampledItem {
        size: size.0,
        indexes: names.collect(),
        partition: start.partition,
        sort: start.sort,
    })
}

/// The largest item. Source: Developer Guide, "Quotas".
const ITEM_BYTES_MAX: u64 = 400 * 1_024;

/// The most entities that are told apart.
const ENTITIES_MAX: usize = 40;

/// Sets the sizes of a table's items, and its entities if their keys tell some apart, from a sample.
pub(in crate::import) fn apply(sample: &SourceNode, table: &mut TableDraft) {
    let text = |node: &SourceNode, key: &str| node.text_at(key).unwrap_or_default().to_string();
    let item = |node: &SourceNode| {
        let size: u64 = node.get("Size")?.scalar()?.parse().ok()?;
        Some(SampledItem {
            size: Some(size).filter(|size| (1..=ITEM_BYTES_MAX).contains(size))?,
            partition: text(node, "Partition"),
            sort: text(node, "Sort"),
            indexes: node
                .list("Indexes")
                .iter()
                .filter_map(|name| name.text().map(str::to_string))
                .collect(),
        })
    };
    let items: Vec<SampledItem> = sample.list("Items").iter().filter_map(item).collect();
    if items.is_empty() {
        return;
    }
    let mut groups: BTreeMap<KeyStart, Vec<&SampledItem>> = BTreeMap::new();
    for item in &items {
        let start = KeyStart {
            partition: item.partition.clone(),
            sort: item.sort.clone(),
        };
        groups.entry(start).or_default().push(item);
    }
    let note = match items.len() {
        1 => "a sample of 1 item".to_string(),
        count => format!("a sample of {count} items"),
    };
    // Without an item in an index, it is not known which entities are in it.
    let is_held = |index: &String| items.iter().any(|item| item.indexes.contains(index));
    let all_held = table.index_names().iter().all(is_held);
    if groups.len() < 2 || groups.len() > ENTITIES_MAX || !all_held {
        let all: Vec<&SampledItem> = items.iter().collect();
        let said = Sourced::new(histogram(&all), note, None);
        table.fields.set("item", said);
        return;
    }
    table.fields.remove("item");
    // The entities say which of their items an index has.
    for index in &mut table.indexes {
        index.fields.remove("coverage");
    }
    table.notes.push(format!(
        "{note}: entities are told apart by how their keys begin"
    ));
    let mut names = BTreeSet::new();
    let indexes = table.index_names();
    let shares = shares(groups.values().map(Vec::len).collect());
    for ((start, members), share) in groups.iter().zip(shares) {
        let name = start.name(&names);
        let mut fields = Fields::default();
        fields.set("name", Sourced::text(&name, "", None));
        names.insert(name);
        fields.set("share", Sourced::new(share, "", None));
        fields.set("item", Sourced::new(histogram(members), "", None));
        fields.set(
            "in_indexes",
            Sourced::new(membership(members, &indexes), "", None),
        );
        fields.set_some("key_prefix", prefix(start));
        table.entities.push(fields);
    }
}

/// Shares of counts that add up to 1 exactly.
fn shares(counts: Vec<usize>) -> Vec<String> {
    let all: usize = counts.iter().sum();
    let millionths = |count: usize| count as u64 * 1_000_000 / all.max(1) as u64;
    let mut parts: Vec<u64> = counts.iter().map(|count| millionths(*count)).collect();
    let rest = 1_000_000 - parts.iter().sum::<u64>();
    if let Some(most) = (0..parts.len()).max_by_key(|at| counts[*at]) {
        parts[most] += rest;
    }
    let share = |part: u64| number(&Exact::ratio(part, 1_000_000));
    parts.into_iter().map(share).collect()
}

/// The largest number of different sizes that are kept as they are.
const SIZES_MAX: usize = 24;

/// Sizes with their shares. Of many, those that fill the same kilobytes count as their mean, which
/// costs the same to write and to read.
fn histogram(items: &[&SampledItem]) -> String {
    let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
    for item in items {
        *sizes.entry(item.size).or_default() += 1;
    }
    if sizes.len() > SIZES_MAX {
        let mut blocks: BTreeMap<u64, (u64, usize)> = BTreeMap::new();
        for (size, count) in &sizes {
            let (bytes, all) = blocks.entry(size.div_ceil(1_024)).or_default();
            *bytes += size * *count as u64;
            *all += count;
        }
        let blocks = blocks.into_values();
        sizes = blocks
            .map(|(bytes, count)| (bytes / count as u64, count))
            .collect();
    }
    let shares = shares(sizes.values().copied().collect());
    let buckets: Vec<String> = sizes
        .keys()
        .zip(shares)
        .map(|(size, share)| format!("{{ size = \"{size} B\", share = {share} }}"))
        .collect();
    match (sizes.len(), sizes.keys().next()) {
        (1, Some(size)) => format!("{{ size = \"{size} B\" }}"),
        _ => format!("{{ histogram = [{}] }}", buckets.join(", ")),
    }
}

/// The indexes that items are in, with the share of the items.
fn membership(items: &[&SampledItem], indexes: &[String]) -> String {
    let entries: Vec<String> = indexes
        .iter()
        .filter_map(|index| {
            let held = items.iter().filter(|item| item.indexes.contains(index));
            let count = held.count();
            let share = number(&Exact::ratio(count as u64, items.len() as u64));
            (count > 0).then(|| match count == items.len() {
                true => quoted(index),
                false => format!("{{ index = {}, share = {share} }}", quoted(index)),
            })
        })
        .collect();
    format!("[{}]", entries.join(", "))
}

/// How the keys of an entity begin; `None` if they tell nothing.
fn prefix(start: &KeyStart) -> Option<Sourced> {
    let toml = match (start.partition.is_empty(), start.sort.is_empty()) {
        (true, true) => return None,
        (false, true) => quoted(&start.partition),
        (true, false) => format!("{{ sort = {} }}", quoted(&start.sort)),
        (false, false) => format!(
            "{{ partition = {}, sort = {} }}",
            quoted(&start.partition),
            quoted(&start.sort)
        ),
    };
    Some(Sourced::new(toml, "", None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_one() {
        for counts in [vec![1, 1, 1], vec![7], vec![1, 999_999, 3], vec![2; 24]] {
            let all = shares(counts.clone());
            let sum: Exact = all.iter().filter_map(|share| Exact::parse(share)).sum();
            assert_eq!(sum, Exact::one(), "{counts:?}: {all:?}");
        }
    }

    #[test]
    fn many_sizes_keep_their_blocks() {
        let items: Vec<SampledItem> = (1..=4_000)
            .map(|size| SampledItem {
                size,
                ..SampledItem::default()
            })
            .collect();
        let all: Vec<&SampledItem> = items.iter().collect();
        let text = histogram(&all);
        assert_eq!(text.matches("size = ").count(), 4, "{text}");
        assert!(
            text.contains("{ size = \"512 B\", share = 0.256 }"),
            "{text}"
        );
    }
}
