//! The items of a table: of one kind, or of several entities.

use super::items::{Described, Whose};
use super::{Checker, Located};
use crate::table::{Index, Projection, Table};
use crate::units::Exact;

use crate::workload::decode::Known;
use crate::workload::file::{AccessFile, EntityFile, KeyPrefixFile, MembershipFile, TableFile};
use crate::workload::membership::{ItemKind, KnownAttribute, Membership};
use crate::workload::sizes::{ExactClass, SizeClasses};
use crate::workload::{Entity, KeyPrefix};

/// What a file says about the items of a table.
#[derive(Default)]
pub(super) struct TableItems {
    /// The items of a table without entities; `None` if they are not known, or wrong.
    pub described: Option<Described>,
    /// Its entities.
    pub entities: Vec<CheckedEntity>,
    /// The sizes of all its items together; `None` if they are not known, or wrong.
    pub sizes: Option<SizeClasses>,
    /// Whether the sizes are "unknown", and not wrong.
    pub is_unknown: bool,
    /// Whether the sizes already say which items are in an index, so that its coverage no longer
    /// counts.
    pub is_covered: bool,
    /// The indexes whose key attributes only a share of the items has.
    pub optional: Vec<String>,
    /// Whether the number of items is unknown.
    pub unknown_count: bool,
    /// The number of items.
    pub count: Exact,
}

/// An entity, and the attributes that its items can have.
pub(super) struct CheckedEntity {
    pub entity: Entity,
    /// Bytes of each attribute, if they are described.
    pub attributes: Vec<(String, u64)>,
}

impl TableItems {
    /// The entity with a name, and its position.
    pub fn entity(&self, name: &str) -> Option<(usize, &CheckedEntity)> {
        let mut all = self.entities.iter().enumerate();
        all.find(|(_, one)| one.entity.name == name)
    }

    /// What already says which items are in an index, as a message, so that it has no coverage of
    /// its own.
    pub fn says_coverage(&self, index: &str) -> Option<&'static str> {
        let described = self.described.as_ref();
        if !self.entities.is_empty() {
            Some("the entities already say which items are in the index")
        } else if described.is_some_and(|described| described.measured.is_some()) {
            Some("the export already shows which items have the index key")
        } else if self.optional.iter().any(|name| name == index) {
            Some("the shares of its key attributes already say which items are in the index")
        } else {
            None
        }
    }

    /// The kind of the items of a table without entities.
    pub fn kind(&self) -> Option<&ItemKind> {
        self.described.as_ref().map(|described| &described.kind)
    }
}

impl Checker<'_> {
    /// The items of a table; `None` if they are wrong.
    pub(super) fn table_items(
        &mut self,
        written: &Located<TableFile>,
        table: &Table,
    ) -> TableItems {
        let entities = written.entity.as_deref().unwrap_or_default();
        match &written.item {
            Some(item) if entities.is_empty() => match &item.value {
                Known::Given(given) => {
                    let whose = (table, Whose::Table);
                    let described = self.items(given, &item.span, written, whose);
                    self.of_one_kind(written, table, described, false)
                }
                Known::Unknown => self.of_one_kind(written, table, None, true),
            },
            None if entities.is_empty() => {
                let start = written.span.start..written.span.start + 1;
                self.report(
                    "missing-key",
                    &start,
                    "the key `item` is missing here",
                    "add `item = { size = \"1 KB\" }`, or a [[table.entity]] for each kind of items",
                );
                self.of_one_kind(written, table, None, false)
            }
            Some(item) => {
                self.report(
                    "entity",
                    &item.span,
                    "a table with entities has no `item` of its own",
                    "remove `item`; each [[table.entity]] has its own",
                );
                self.of_entities(written, entities, table)
            }
            None => self.of_entities(written, entities, table),
        }
    }

    fn of_one_kind(
        &mut self,
        written: &Located<TableFile>,
        table: &Table,
        mut described: Option<Described>,
        is_unknown: bool,
    ) -> TableItems {
        let measured = described.as_ref().and_then(|described| described.measured);
        let count = self.number_of_items(written, measured);
        let mut is_covered = measured.is_some();
        if let Some(described) = &mut described
            && says_membership(written)
        {
            // Some calls say which items are in an index, so all must be told apart.
            let coverage = |at: usize| {
                let index = written.index.iter().flatten().nth(at)?;
                Some(index.coverage.as_ref()?.value.0.clone())
            };
            for (at, membership) in described.kind.membership.iter_mut().enumerate() {
                if let Some(share) = coverage(at).filter(|share| *share < Exact::one()) {
                    *membership = Membership::Share(share);
                }
            }
            described.sizes = described.kind.sizes(table, &[]);
            is_covered = true;
        }
        let optional = |index: &&Index| {
            let is_open = |one: &KnownAttribute| one.share != Exact::one();
            let mut attributes = described.iter().flat_map(|one| &one.kind.attributes);
            attributes.any(|one| is_open(one) && index.keys.contains(&one.name))
        };
        let optional = table.indexes.iter().filter(optional);
        TableItems {
            sizes: described.as_ref().map(|described| described.sizes.clone()),
            optional: optional.map(|index| index.name.clone()).collect(),
            described,
            is_unknown,
            is_covered,
            unknown_count: written
                .items
                .as_ref()
                .is_some_and(|items| items.value == Known::Unknown),
            count,
            ..TableItems::default()
        }
    }

    fn of_entities(
        &mut self,
        written: &Located<TableFile>,
        files: &[Located<EntityFile>],
        table: &Table,
    ) -> TableItems {
        self.unique(
            "duplicate-name",
            "entity",
            files.iter().map(|entity| &entity.name),
        );
        let given = written.items.as_ref().and_then(|items| items.value.given());
        let total = match (given, &written.items) {
            (Some(items), Some(place)) => {
                let items = Located {
                    value: items.clone(),
                    span: place.span.clone(),
                };
                Some(self.number(&items))
            }
            _ => None,
        };
        let entities: Vec<Option<CheckedEntity>> = files
            .iter()
            .map(|file| self.entity(file, written, table, total.as_ref()))
            .collect();
        let is_wrong = entities.iter().any(Option::is_none);
        let entities: Vec<CheckedEntity> = entities.into_iter().flatten().collect();
        let is_unknown = files.iter().any(|file| file.item.value == Known::Unknown);
        let unknown_count = files.iter().any(|file| match &file.items {
            Some(items) => items.value == Known::Unknown,
            None => file.share.is_some() && total.is_none(),
        });
        let count: Exact = entities.iter().map(|one| one.entity.items.clone()).sum();
        if !is_wrong {
            self.entities_add_up(written, files, total.as_ref().zip(Some(&count)));
            if !is_unknown {
                self.indexes_have_entities(written, &entities, table);
            }
        }
        let sizes = mixed(&entities).filter(|_| !is_wrong && !unknown_count);
        let is_unmixed = sizes.is_none();
        TableItems {
            sizes,
            described: None,
            optional: Vec::new(),
            is_unknown: is_unmixed && !is_wrong,
            is_covered: true,
            unknown_count,
            count,
            entities,
        }
    }

    /// One entity; `None` if it is wrong.
    fn entity(
        &mut self,
        file: &Located<EntityFile>,
        written: &Located<TableFile>,
        table: &Table,
        total: Option<&Exact>,
    ) -> Option<CheckedEntity> {
        if ["mean", "histogram"].contains(&file.name.value.as_str()) {
            let message = format!("{:?} cannot be the name of an entity", file.name.value);
            self.report("entity", &file.name.span, message, "choose another name");
        }
        let items = match (&file.items, &file.share) {
            (Some(items), None) => match items.value.given() {
                Some(given) => {
                    let items = Located {
                        value: given.clone(),
                        span: items.span.clone(),
                    };
                    self.number(&items)
                }
                None => Exact::zero(),
            },
            (None, Some(share)) => {
                let own = self.share(Some(share), Exact::zero());
                if written.items.is_none() {
                    let message = "an entity's `share` is of the table's items, whose number is \
                                   missing";
                    self.report(
                        "entity",
                        &share.span,
                        message,
                        "add `items = …` to the table, or give the entity's `items` instead",
                    );
                }
                total.map_or_else(Exact::zero, |total| total * &own)
            }
            _ => {
                let message = format!(
                    "the entity {:?} needs either `items` or `share`",
                    file.name.value
                );
                self.report(
                    "entity",
                    &file.name.span,
                    message,
                    "add `items = 1_000`, `items = \"unknown\"`, or `share = 0.1`",
                );
                Exact::zero()
            }
        };
        let described = match &file.item.value {
            Known::Unknown => None,
            Known::Given(item) => {
                let whose = (table, Whose::Some);
                Some(self.items(item, &file.item.span, written, whose)?)
            }
        };
        let described = match described {
            Some(described) => Some(self.with_membership(described, file, table)?),
            None => None,
        };
        let key_prefix = self.key_prefix(file, table);
        let keys = match file.items.as_ref().map(|items| &items.value) {
            Some(Known::Unknown) => {
                Err("the number of keys defaults to the number of items, which is \"unknown\"")
            }
            _ => Ok(&items),
        };
        let popularity = file.popularity.as_ref();
        let popularity = popularity.map(|written| self.popularity(written, keys));
        Some(CheckedEntity {
            attributes: described
                .as_ref()
                .map(|described| described.attributes.clone())
                .unwrap_or_default(),
            entity: Entity {
                name: file.name.value.clone(),
                items,
                sizes: described.as_ref().map(|described| described.sizes.clone()),
                kind: described.map(|described| described.kind),
                key_prefix,
                popularity,
            },
        })
    }

    /// The position of an entity that a key names.
    pub(super) fn entity_named(
        &mut self,
        name: &Located<String>,
        items: &TableItems,
    ) -> Option<usize> {
        if let Some((at, _)) = items.entity(&name.value) {
            return Some(at);
        }
        let names = items
            .entities
            .iter()
            .map(|one| format!("{:?}", one.entity.name));
        let names = names.collect::<Vec<_>>().join(", ");
        let help = match names.as_str() {
            "" => "define it with [[table.entity]]".to_string(),
            names => format!("its entities are {names}"),
        };
        let message = format!("the table has no entity {:?}", name.value);
        self.report("unknown-entity", &name.span, message, help);
        None
    }

    /// How the keys of an entity's items begin.
    fn key_prefix(&mut self, file: &EntityFile, table: &Table) -> KeyPrefix {
        let Some(written) = &file.key_prefix else {
            return KeyPrefix::default();
        };
        let prefix = match &written.value {
            KeyPrefixFile::Partition(partition) => KeyPrefix {
                partition: partition.clone(),
                ..KeyPrefix::default()
            },
            KeyPrefixFile::Both(both) => KeyPrefix {
                partition: both.partition.clone().unwrap_or_default(),
                sort: both.sort.clone().unwrap_or_default(),
            },
        };
        if prefix == KeyPrefix::default() {
            let message = "a prefix has at least one character";
            self.report("entity", &written.span, message, "remove `key_prefix`");
        }
        if !prefix.sort.is_empty() && table.keys.sort.is_none() {
            let message = "the table has no sort key";
            self.report("entity", &written.span, message, "remove `sort`");
        }
        prefix
    }

    /// A whole number of items.
    pub(super) fn number(&mut self, items: &Located<crate::workload::FileNumber>) -> Exact {
        Exact::from(self.whole("items", "the number of items", items, 0..=LARGEST))
    }

    /// Adds the indexes that the items of an entity are in, where this is said.
    fn with_membership(
        &mut self,
        mut described: Described,
        file: &Located<EntityFile>,
        table: &Table,
    ) -> Option<Described> {
        let Some(listed) = &file.in_indexes else {
            let is_open = described.attributes.is_empty() && described.measured.is_none();
            if is_open && !table.indexes.is_empty() {
                let message = format!(
                    "it is not said which indexes the items of {:?} are in",
                    file.name.value
                );
                let names = table
                    .indexes
                    .iter()
                    .map(|index| format!("{:?}", index.name));
                let help = format!(
                    "add `in_indexes = [{}]` with those that hold them, or describe the items by \
                     `attributes`",
                    names.collect::<Vec<_>>().join(", ")
                );
                self.report("entity", &file.name.span, message, help);
                return None;
            }
            return Some(described);
        };
        let mut shares = vec![Exact::zero(); table.indexes.len()];
        for one in listed.iter() {
            let (name, share) = match &one.value {
                MembershipFile::All(name) => (name, Exact::one()),
                MembershipFile::Share(of) => {
                    (&of.index.value, self.share(Some(&of.share), Exact::one()))
                }
            };
            match table.indexes.iter().position(|index| index.name == *name) {
                Some(at) => shares[at] = share,
                None => {
                    let names = table
                        .indexes
                        .iter()
                        .map(|index| format!("{:?}", index.name));
                    let names = names.collect::<Vec<_>>().join(", ");
                    let help = match names.as_str() {
                        "" => "define it with [[table.index]]".to_string(),
                        names => format!("its indexes are {names}"),
                    };
                    let message = format!("the table {:?} has no index {name:?}", table.name);
                    self.report("unknown-index", &one.span, message, help);
                }
            }
        }
        described.kind.membership = shares.into_iter().map(Membership::Share).collect();
        self.few_optional(&described.kind, &listed.span)?;
        described.sizes = described.kind.sizes(table, &[]);
        Some(described)
    }

    /// Checks shares and numbers of entities against the number of the table's items.
    fn entities_add_up(
        &mut self,
        written: &Located<TableFile>,
        files: &[Located<EntityFile>],
        totals: Option<(&Exact, &Exact)>,
    ) {
        let Some(place) = &written.items else { return };
        let shares: Exact = files
            .iter()
            .filter_map(|file| file.share.as_ref())
            .map(|share| share.value.0.clone())
            .sum();
        if shares > Exact::one() {
            let message = format!(
                "the shares of the entities add up to {}, more than all items",
                shares.as_written()
            );
            self.report("shares-sum", &place.span, message, "correct the shares");
            return;
        }
        let is_known = |file: &Located<EntityFile>| {
            file.items
                .as_ref()
                .is_none_or(|items| items.value != Known::Unknown)
        };
        if let Some((total, count)) = totals
            && files.iter().all(is_known)
            && total != count
        {
            let message = format!("the entities have {count} items together, the table {total}");
            self.report(
                "items",
                &place.span,
                message,
                "remove `items` from the table, or correct those of the entities",
            );
        }
    }

    /// Checks that each index can hold items of an entity, and each attribute that it includes is
    /// one of them.
    fn indexes_have_entities(
        &mut self,
        written: &Located<TableFile>,
        entities: &[CheckedEntity],
        table: &Table,
    ) {
        let files = written.index.iter().flatten();
        for ((at, index), file) in table.indexes.iter().enumerate().zip(files) {
            let can = |one: &CheckedEntity| {
                let kind = one.entity.kind.as_ref();
                kind.is_some_and(|kind| kind.can_be_in(at, table))
            };
            if !entities.iter().any(can) {
                let message = format!(
                    "no entity can be in the index {:?}: none has all of its key attributes",
                    index.name
                );
                self.report(
                    "index-attribute",
                    &file.partition_key.span,
                    message,
                    "describe the attributes of the entity that it is for, or add the index to its \
                     `in_indexes`",
                );
            }
            let described = entities.iter().all(|one| !one.attributes.is_empty());
            let Projection::Include(names) = &index.projection else {
                continue;
            };
            let has = |name: &String| {
                let mut all = entities.iter().flat_map(|one| &one.attributes);
                all.any(|(known, _)| known == name)
            };
            for name in names.iter().filter(|name| described && !has(name)) {
                let span = file
                    .projection
                    .as_ref()
                    .map_or(&file.partition_key.span, |projection| &projection.span);
                let message = format!(
                    "the index {:?} names {name:?}, an attribute that no entity has",
                    index.name
                );
                self.report(
                    "index-attribute",
                    span,
                    message,
                    "use a described attribute, or describe this one in an entity",
                );
            }
        }
    }
}

/// The largest number of items.
const LARGEST: u64 = 1_000_000_000_000_000;

/// The sizes of the items of all entities together, each by the number of its items; `None` if a size
/// or a number is not known, or if there are no items.
fn mixed(entities: &[CheckedEntity]) -> Option<SizeClasses> {
    if entities.iter().all(|one| one.entity.items.is_zero()) {
        return None;
    }
    let parts: Vec<(&SizeClasses, Exact)> = entities
        .iter()
        .map(|one| Some((one.entity.sizes.as_ref()?, one.entity.items.clone())))
        .collect::<Option<_>>()?;
    Some(mix(&parts))
}

/// Sizes of several kinds together, in the given proportions.
pub(super) fn mix(parts: &[(&SizeClasses, Exact)]) -> SizeClasses {
    if let [(sizes, _)] = parts {
        return (*sizes).clone();
    }
    // The same size with the same entries and attributes is one class.
    let mut sums = std::collections::BTreeMap::new();
    for (sizes, items) in parts {
        for class in sizes.iter() {
            let weight = items * &Exact::ratio(class.weight, sizes.total());
            let sum = sums
                .entry((class.item, &class.entries, &class.attributes))
                .or_insert_with(Exact::zero);
            *sum = &*sum + &weight;
        }
    }
    let class = |((item, entries, attributes), weight): ((_, &Vec<_>, &Option<_>), _)| ExactClass {
        item,
        entries: entries.clone(),
        attributes: attributes.clone(),
        weight,
    };
    SizeClasses::weighted(sums.into_iter().map(class))
}

/// Whether some calls on a table without entities say which items are in its indexes: they set or
/// remove attributes, or have items with attributes of their own.
fn says_membership(written: &TableFile) -> bool {
    let in_replicas = written.replica.iter().flatten();
    let says = |access: &Located<AccessFile>| {
        let by_attributes = access
            .item
            .as_ref()
            .is_some_and(|item| item.attributes.is_some());
        let of_actions = access
            .actions
            .iter()
            .flat_map(|actions| actions.iter())
            .any(|action| action.sets.is_some() || action.removes.is_some());
        by_attributes || of_actions || access.sets.is_some() || access.removes.is_some()
    };
    written
        .access
        .iter()
        .flatten()
        .chain(in_replicas.flat_map(|replica| replica.access.iter().flatten()))
        .any(says)
}
