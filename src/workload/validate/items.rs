//! The size of items: the five ways to give it, and what follows for each index.

use super::Checker;
use crate::table::{Index, IndexKind, Number as StoredNumber, Projection, Table, limits};
use crate::units::{Bytes, Exact};
use crate::workload::decode::{FileNumber, Located};
use crate::workload::export::measure;
use crate::workload::file::{
    AttributeFile, AttributeType, BucketFile, IndexFile, ItemFile, KeyFile, KeyType, LognormalFile,
    TableFile,
};
use crate::workload::membership::{ItemKind, KnownAttribute, Membership, OPTIONAL_MAX};
use crate::workload::sizes::{IndexEntry, SizeClass, SizeClasses, lognormal};
use crate::workload::vectors::vector_bytes;

/// The denominator of the shares of a histogram: 18 decimals.
const SHARE_PARTS: u64 = 1_000_000_000_000_000_000;

/// At most one item in this many may be above the largest size; with more, a lognormal distribution
/// is the wrong shape.
const CUT_MAX: u64 = 100;

/// What is known about a table's items.
pub(super) struct Described {
    pub sizes: SizeClasses,
    /// How many items an export holds.
    pub measured: Option<u64>,
    /// How many of these lack a key of the table.
    pub keyless: u64,
    /// Each attribute with its bytes, name included, if the items are described by their
    /// attributes.
    pub attributes: Vec<(String, u64)>,
    /// Whether the sizes include real numbers, whose digits are known.
    pub has_numbers: bool,
    /// How sizes and entries follow from the attributes of an item.
    pub kind: ItemKind,
}

impl Described {
    /// Items of this kind.
    fn of(kind: ItemKind, table: &Table) -> Described {
        Described {
            sizes: kind.sizes(table, &[]),
            measured: None,
            keyless: 0,
            attributes: Vec::new(),
            has_numbers: false,
            kind,
        }
    }

    /// Items of given sizes, with their entries and weights.
    fn weighted(base: Vec<(Bytes, Vec<IndexEntry>, u64)>, cut: Exact, table: &Table) -> Described {
        let membership = vec![Membership::Attributes; table.indexes.len()];
        let kind = ItemKind {
            base,
            cut,
            attributes: Vec::new(),
            membership,
        };
        Described::of(kind, table)
    }
}

/// Whose items are described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// All items of a table: each index has entries.
    Table,
    /// Those of an entity or of an access pattern, which may be in no index.
    Some,
}

/// Bytes of the longest number: negative, with 38 digits that are not aligned to pairs.
const NUMBER_BYTES_MAX: u64 = 22;

/// An attribute's name and bytes, name included.
type Attributes = Vec<(String, u64)>;

impl Checker<'_> {
    pub(super) fn key_size(&mut self, key: &KeyFile, what: &str, most: u64) {
        if let Some(bytes) = &key.bytes
            && !(1..=most).contains(&bytes.0.0)
        {
            let message = format!(
                "a {what} key value must have 1 to {most} bytes, found {}",
                bytes.0.0
            );
            self.report(
                "key-size",
                &bytes.span,
                message,
                "shorten the key; long values belong in other attributes",
            );
        }
        if let (Some(bytes), Some(KeyType::N)) = (&key.bytes, key.r#type)
            && bytes.0.0 > NUMBER_BYTES_MAX
        {
            let message = format!(
                "a number has at most {NUMBER_BYTES_MAX} bytes, found {}",
                bytes.0.0
            );
            self.report(
                "key-size",
                &bytes.span,
                message,
                "give its `digits` instead, 1 to 38",
            );
        }
        if let Some(digits) = &key.digits {
            self.whole("key-size", "the number of digits", digits, 1..=38);
        }
    }

    /// The sizes of a table's items, or of one access pattern's.
    pub(super) fn items(
        &mut self,
        item: &ItemFile,
        span: &std::ops::Range<usize>,
        written: &Located<TableFile>,
        (table, whose): (&Table, Whose),
    ) -> Option<Described> {
        let given = [
            item.size.is_some(),
            item.lognormal.is_some(),
            item.histogram.is_some(),
            item.attributes.is_some(),
            item.export.is_some(),
        ];
        let count = given.iter().filter(|given| **given).count();
        if count != 1 {
            let message = format!("an item's size must be given in exactly one way, found {count}");
            self.report(
                "item-source",
                span,
                message,
                "give exactly one of size, lognormal, histogram, attributes, export",
            );
            return None;
        }
        let indexes = written.index.as_deref().unwrap_or_default();
        let keys = key_attributes(written);
        let least = key_bytes_min(written);
        let plain = |weighted: Vec<(Bytes, u64)>, cut: Exact| {
            let classes = weighted.into_iter().map(|(size, weight)| {
                let entries = table
                    .indexes
                    .iter()
                    .zip(indexes)
                    .map(|(index, file)| entry(size, index, file, table, &keys));
                (size, entries.collect(), weight)
            });
            Described::weighted(classes.collect(), cut, table)
        };
        if let Some(size) = &item.size {
            let bytes = self.item_bytes(size.0.0, &size.span)?;
            self.holds_its_key(bytes, least, &size.span)?;
            return self.fits_local_indexes(
                plain(vec![(bytes, 1)], Exact::zero()),
                table,
                &size.span,
            );
        }
        if let Some(given) = &item.lognormal {
            let (classes, cut) = self.lognormal(given, least)?;
            return Some(plain(classes, cut));
        }
        if let Some(buckets) = &item.histogram {
            let classes = self.histogram(buckets, least)?;
            return self.fits_local_indexes(plain(classes, Exact::zero()), table, &buckets.span);
        }
        if let Some(path) = &item.export {
            return self.measured(path, table, indexes);
        }
        self.described(item.attributes.as_ref()?, written, table, whose)
    }

    /// The size classes of a lognormal distribution, and the share that is cut off.
    fn lognormal(
        &mut self,
        given: &Located<LognormalFile>,
        least: u64,
    ) -> Option<(Vec<(Bytes, u64)>, Exact)> {
        let (mean, p99) = (given.mean.0.0, given.p99.0.0);
        self.item_bytes(p99, &given.p99.span)?;
        self.holds_its_key(given.mean.0, least, &given.mean.span)?;
        let Some((classes, cut)) = lognormal(mean, p99, limits::ITEM_BYTES_MAX) else {
            let message = "no lognormal distribution has this mean and this 99th percentile";
            self.report(
                "lognormal",
                &given.span,
                message,
                "the percentile must be between the mean and 14.9 times the mean; for other \
                     shapes, give a histogram",
            );
            return None;
        };
        if &cut * &Exact::from(CUT_MAX) > Exact::one() {
            let percent = (&cut * &Exact::from(100)).human(3);
            let message = format!(
                "{percent} % of the items of this distribution would be above 400 KB, the \
                     largest size of an item"
            );
            self.report(
                "lognormal",
                &given.span,
                message,
                "lower the percentile, or give a histogram of the real sizes",
            );
            return None;
        }
        Some((classes, cut))
    }

    /// The sizes of a histogram with their weights.
    fn histogram(
        &mut self,
        buckets: &Located<Vec<Located<BucketFile>>>,
        least: u64,
    ) -> Option<Vec<(Bytes, u64)>> {
        let total = buckets
            .iter()
            .map(|bucket| bucket.share.0.clone())
            .sum::<Exact>();
        let sizes: Vec<Option<Bytes>> = buckets
            .iter()
            .map(|bucket| self.item_bytes(bucket.size.0.0, &bucket.size.span))
            .collect();
        for bucket in buckets.iter() {
            self.share(Some(&bucket.share), Exact::zero());
            if !bucket.size.is_placeholder() {
                self.holds_its_key(bucket.size.0, least, &bucket.size.span)?;
            }
        }
        let complete = !buckets
            .iter()
            .any(|bucket| bucket.share.is_placeholder() || bucket.is_placeholder());
        if total != Exact::one() && complete {
            self.report(
                "shares-sum",
                &buckets.span,
                format!("the shares add up to {}, not to 1", total.as_written()),
                "correct the shares",
            );
            return None;
        }
        let weights: Vec<Option<u64>> = buckets
            .iter()
            .map(|bucket| self.weight(&bucket.share))
            .collect();
        let sizes = sizes.into_iter().collect::<Option<Vec<_>>>()?;
        let weights = weights.into_iter().collect::<Option<Vec<_>>>()?;
        Some(sizes.into_iter().zip(weights).collect())
    }

    /// Checks that an item is large enough for its primary key.
    fn holds_its_key(
        &mut self,
        bytes: Bytes,
        least: u64,
        span: &std::ops::Range<usize>,
    ) -> Option<()> {
        if bytes.0 >= least {
            return Some(());
        }
        let message = format!(
            "an item of {} bytes cannot hold its primary key, whose names and values have at \
             least {least} bytes",
            bytes.0
        );
        self.report(
            "item-size",
            span,
            message,
            "correct the size, or the `bytes` of the keys",
        );
        None
    }

    /// Checks that an item and its entries in all local indexes have at most 400 KB together (rule
    /// 1.8).
    fn fits_local_indexes(
        &mut self,
        described: Described,
        table: &Table,
        span: &std::ops::Range<usize>,
    ) -> Option<Described> {
        let local = |at: &usize| table.indexes[*at].kind == IndexKind::Local;
        let together = |class: &SizeClass| {
            let entries =
                (0..table.indexes.len())
                    .filter(local)
                    .map(|at| match class.entries.get(at) {
                        Some(IndexEntry::Size(size)) => size.0,
                        _ => 0,
                    });
            class.item.0 + entries.sum::<u64>()
        };
        let most = described.sizes.iter().map(together).max().unwrap_or(0);
        if most > limits::ITEM_BYTES_MAX
            && table
                .indexes
                .iter()
                .any(|index| index.kind == IndexKind::Local)
        {
            let message = format!(
                "an item and its entries in the local indexes have {most} bytes together; the \
                 limit of DynamoDB is 409600 (400 KB)"
            );
            self.report(
                "item-size",
                span,
                message,
                "project fewer attributes, make the index global, or split the item",
            );
            return None;
        }
        Some(described)
    }

    /// A share of items as a whole number of parts.
    fn weight(&mut self, share: &Located<FileNumber>) -> Option<u64> {
        let parts = &share.0 * &Exact::from(SHARE_PARTS);
        let weight = (parts == parts.floor()).then(|| parts.to_u64()).flatten();
        if weight.is_none() {
            self.report(
                "share",
                &share.span,
                "a share of items can have at most 18 decimals",
                "round the shares so that they add up to 1",
            );
        }
        weight
    }

    /// Checks that an item can have this size.
    fn item_bytes(&mut self, bytes: u64, span: &std::ops::Range<usize>) -> Option<Bytes> {
        if (1..=limits::ITEM_BYTES_MAX).contains(&bytes) {
            return Some(Bytes(bytes));
        }
        let message = format!(
            "an item cannot have {bytes} bytes; DynamoDB allows 1 to {} bytes (400 KB)",
            limits::ITEM_BYTES_MAX
        );
        self.report(
            "item-size",
            span,
            message,
            "split the item, or store large attributes elsewhere, such as in S3, and only their \
             keys here",
        );
        None
    }

    /// The size of the item before a write, if it is given.
    pub(super) fn before(
        &mut self,
        size: &Located<crate::workload::Size>,
        written: &Located<TableFile>,
        table: &Table,
    ) -> Option<SizeClasses> {
        let bytes = self.item_bytes(size.0.0, &size.span)?;
        let keys = key_attributes(written);
        let indexes = written.index.as_deref().unwrap_or_default();
        let entries = table
            .indexes
            .iter()
            .zip(indexes)
            .map(|(index, file)| entry(bytes, index, file, table, &keys))
            .collect();
        Some(SizeClasses::new([(bytes, entries, 1)]))
    }

    fn measured(
        &mut self,
        path: &Located<String>,
        table: &Table,
        indexes: &[Located<IndexFile>],
    ) -> Option<Described> {
        match measure(
            &self.folder.join(&path.value),
            table,
            self.switches.number_alignment,
        ) {
            Err(message) => {
                self.report(
                    "export",
                    &path.span,
                    message,
                    "name the folder of an S3 full export in DYNAMODB_JSON format, relative to \
                     this file",
                );
                None
            }
            Ok(measured) => {
                for at in &measured.empty_indexes {
                    let message = format!(
                        "no item of the export has the key of the index {:?}",
                        table.indexes[*at].name
                    );
                    self.report(
                        "index-attribute",
                        &indexes[*at].partition_key.span,
                        message,
                        "use an attribute that items have",
                    );
                }
                for size in indexes.iter().filter_map(|index| index.entry_size.as_ref()) {
                    self.report(
                        "item-source",
                        &size.span,
                        "the export already gives the size of an entry",
                        "remove `entry_size`",
                    );
                }
                let base = measured.weighted().collect();
                Some(Described {
                    measured: Some(measured.items),
                    keyless: measured.keyless,
                    has_numbers: true,
                    ..Described::weighted(base, Exact::zero(), table)
                })
            }
        }
    }

    /// Items described by their attributes: exact sizes and entries.
    fn described(
        &mut self,
        attributes: &Located<Vec<Located<AttributeFile>>>,
        written: &Located<TableFile>,
        table: &Table,
        whose: Whose,
    ) -> Option<Described> {
        self.unique(
            "duplicate-name",
            "attribute",
            attributes.iter().map(|attribute| &attribute.name),
        );
        let listed: Vec<Option<(String, u64)>> = attributes
            .iter()
            .map(
                |attribute| match vector_of(written, &attribute.name.value) {
                    Some(bytes) => Some((attribute.name.value.clone(), bytes)),
                    None => self.attribute(attribute),
                },
            )
            .collect();
        let mut all: Attributes = listed.into_iter().collect::<Option<_>>()?;
        self.add_keys(written, &mut all)?;
        let indexes = written.index.as_deref().unwrap_or_default();
        for (index, file) in table.indexes.iter().zip(indexes) {
            self.index_attributes(index, file, attributes, (&all, whose));
        }
        let total = all
            .iter()
            .fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        self.item_bytes(total, &attributes.span)?;
        let known = |(name, bytes): &(String, u64)| KnownAttribute {
            name: name.clone(),
            bytes: *bytes,
            share: attributes
                .iter()
                .find(|attribute| attribute.name.value == *name)
                .and_then(|attribute| attribute.share.as_ref())
                .map_or_else(Exact::one, |share| share.0.clone()),
        };
        let kind = ItemKind {
            base: Vec::new(),
            cut: Exact::zero(),
            attributes: all.iter().map(known).collect(),
            membership: vec![Membership::Attributes; table.indexes.len()],
        };
        self.few_optional(&kind, &attributes.span)?;
        let described = Described {
            attributes: all,
            ..Described::of(kind, table)
        };
        self.fits_local_indexes(described, table, &attributes.span)
    }

    /// Checks that there are not too many combinations of optional attributes.
    pub(super) fn few_optional(
        &mut self,
        kind: &ItemKind,
        span: &std::ops::Range<usize>,
    ) -> Option<()> {
        if kind.optional() <= OPTIONAL_MAX {
            return Some(());
        }
        let message = format!(
            "{} attributes or indexes have a share between 0 and 1; at most {OPTIONAL_MAX} are \
             possible, because every combination is metered",
            kind.optional()
        );
        let help = "divide the items into entities, or leave out the shares of attributes that no \
                    index has as a key";
        self.report("share", span, message, help);
        None
    }

    /// Adds the primary key to the attributes, where they do not list it.
    fn add_keys(&mut self, written: &Located<TableFile>, all: &mut Attributes) -> Option<()> {
        let partition = written
            .partition_key
            .given()
            .map(|key| (key, &written.partition_key.span));
        let sort = written.sort_key.as_ref().map(|key| (&key.value, &key.span));
        for (key, span) in partition.into_iter().chain(sort) {
            if all.iter().any(|(name, _)| *name == key.name.value) {
                continue;
            }
            match key_bytes(key) {
                Some(bytes) => all.push((key.name.value.clone(), bytes)),
                None => {
                    let message = format!(
                        "the length of the key {:?} is missing; the item's size is the sum of its \
                         attributes",
                        key.name.value
                    );
                    self.report(
                        "attribute",
                        span,
                        message,
                        "add `bytes = …` (S, B) or `digits = …` (N)",
                    );
                    return None;
                }
            }
        }
        Some(())
    }

    /// Checks that the attributes of an index are described, and that its keys have a key type.
    fn index_attributes(
        &mut self,
        index: &Index,
        file: &Located<IndexFile>,
        attributes: &[Located<AttributeFile>],
        (all, whose): (&Attributes, Whose),
    ) {
        let included = if let Projection::Include(names) = &index.projection {
            names.as_slice()
        } else {
            &[]
        };
        for name in index.keys.iter().chain(included) {
            if whose == Whose::Table && !all.iter().any(|(known, _)| known == name) {
                let span = file
                    .projection
                    .as_ref()
                    .filter(|_| included.contains(name))
                    .map_or(&file.partition_key.span, |p| &p.span)
                    .clone();
                let message = format!(
                    "the index {:?} names {name:?}, an attribute that no item has",
                    index.name
                );
                self.report(
                    "index-attribute",
                    &span,
                    message,
                    "use a described attribute, or describe this one under `item`",
                );
            }
        }
        for attribute in attributes
            .iter()
            .filter(|attribute| index.keys.contains(&attribute.name.value))
        {
            if !matches!(
                attribute.r#type,
                AttributeType::S | AttributeType::N | AttributeType::B
            ) {
                let message = format!(
                    "{:?} is of type {}; an index key must be S, N or B",
                    attribute.name.value,
                    attribute.r#type.word()
                );
                self.report(
                    "index-attribute",
                    &file.partition_key.span,
                    message,
                    "use another attribute as the index key",
                );
            }
        }
        if let Some(size) = &file.entry_size {
            let message = "the attributes already give the size of an entry";
            self.report("item-source", &size.span, message, "remove `entry_size`");
        }
    }

    /// Bytes of an attribute, name included.
    fn attribute(&mut self, attribute: &Located<AttributeFile>) -> Option<(String, u64)> {
        self.share(attribute.share.as_ref(), Exact::one());
        let elements = match &attribute.elements {
            Some(elements) => self.whole("attribute", "elements", elements, 0..=400_000),
            None => 1,
        };
        let bytes = attribute.bytes.as_ref().map(|bytes| bytes.0.0);
        let digits = attribute
            .digits
            .as_ref()
            .map(|digits| self.whole("attribute", "digits", digits, 1..=38));
        let number = digits.map(|digits| number_bytes(digits, attribute.negative.unwrap_or(false)));
        use AttributeType as Type;
        let value = match attribute.r#type {
            Type::Bool | Type::Null => Some(1),
            Type::S | Type::B => bytes,
            Type::N => number.or(bytes.filter(|bytes| *bytes <= NUMBER_BYTES_MAX)),
            Type::Ss | Type::Bs => bytes.map(|bytes| bytes.saturating_mul(elements)),
            Type::Ns => number.or(bytes).map(|bytes| bytes.saturating_mul(elements)),
            Type::L | Type::M => bytes.map(|bytes| {
                bytes.saturating_add(3 + attribute.elements.as_ref().map_or(0, |_| elements))
            }),
        };
        let Some(value) = value else {
            let needed = if matches!(attribute.r#type, Type::N | Type::Ns) {
                "digits"
            } else {
                "bytes"
            };
            let message = format!(
                "an attribute of type {} needs `{needed}`",
                attribute.r#type.word()
            );
            self.report(
                "attribute",
                &attribute.name.span,
                message,
                format!("add `{needed} = …`"),
            );
            return None;
        };
        let name = attribute.name.value.clone();
        let bytes = value.saturating_add(name.len() as u64);
        Some((name, bytes))
    }
}

/// Bytes of an attribute that a vector index reads, name included; `None` for any other attribute.
fn vector_of(written: &TableFile, name: &str) -> Option<u64> {
    let mut vectors = written.vector_index.iter().flatten();
    let vector = vectors.find(|vector| vector.attribute.value == name)?;
    Some(vector_bytes(name, vector.dimensions.0.to_u64()?))
}

/// Bytes of a number with this many digits before the decimal point, by the item-size rule.
fn number_bytes(digits: u64, negative: bool) -> u64 {
    let text = format!(
        "{}{}",
        if negative { "-" } else { "" },
        "1".repeat(usize::try_from(digits).unwrap_or(38))
    );
    StoredNumber::parse(&text).map_or(21, |number| number.size(Default::default()).0)
}

/// Bytes of a key attribute, name included, if the length of its value is given.
fn key_bytes(key: &KeyFile) -> Option<u64> {
    let digits = key
        .digits
        .as_ref()
        .and_then(|digits| digits.0.to_u64())
        .filter(|digits| (1..=38).contains(digits));
    let value = match key.r#type {
        Some(KeyType::N) => digits
            .map(|digits| number_bytes(digits, false))
            .or(key.bytes.as_ref().map(|bytes| bytes.0.0)),
        _ => key.bytes.as_ref().map(|bytes| bytes.0.0),
    }?;
    Some(value + key.name.value.len() as u64)
}

/// The minimum bytes of the primary key: a value whose length is not given counts as one byte.
fn key_bytes_min(written: &Located<TableFile>) -> u64 {
    let keys = written
        .partition_key
        .given()
        .into_iter()
        .chain(written.sort_key.as_ref().map(|key| &key.value));
    keys.map(|key| key_bytes(key).unwrap_or(key.name.value.len() as u64 + 1))
        .sum()
}

/// The primary key's attributes whose lengths are given.
pub(super) fn key_attributes(written: &Located<TableFile>) -> Attributes {
    let keys = written
        .partition_key
        .given()
        .into_iter()
        .chain(written.sort_key.as_ref().map(|key| &key.value));
    keys.filter_map(|key| Some((key.name.value.clone(), key_bytes(key)?)))
        .collect()
}

/// The message for an `entry_size` that differs from the item size, in an index that holds all
/// attributes: its entries are whole items.
pub(super) fn whole_entry_size(
    index: &Index,
    file: &IndexFile,
    sizes: &SizeClasses,
) -> Option<String> {
    let size = file
        .entry_size
        .as_ref()
        .filter(|_| index.projection == Projection::All)?;
    let differs = sizes.iter().any(|class| class.item != size.0);
    differs.then(|| {
        format!(
            "entry_size is {} B, but the index {:?} holds all attributes, so each entry is as \
             large as its item: {} B on average",
            size.0.0,
            index.name,
            sizes.mean().human(1)
        )
    })
}

fn entry(
    item: Bytes,
    index: &Index,
    file: &Located<IndexFile>,
    table: &Table,
    keys: &Attributes,
) -> IndexEntry {
    match &file.entry_size {
        Some(size) if index.projection != Projection::All => {
            return IndexEntry::Size(size.0.min(item));
        }
        _ => {}
    }
    let known = |name: &str| {
        keys.iter()
            .find(|(known, _)| known == name)
            .map(|(_, bytes)| *bytes)
    };
    let mut held: Vec<&str> = table
        .keys
        .names()
        .chain(index.keys.iter().map(String::as_str))
        .collect();
    match &index.projection {
        Projection::All => return IndexEntry::Size(item),
        Projection::Include(names) => held.extend(names.iter().map(String::as_str)),
        Projection::KeysOnly => {}
    }
    held.sort_unstable();
    held.dedup();
    held.into_iter()
        .map(known)
        .sum::<Option<u64>>()
        .map_or(IndexEntry::Unknown, |bytes| {
            IndexEntry::Size(Bytes(bytes).min(item))
        })
}
