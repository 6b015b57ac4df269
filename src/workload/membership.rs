//! Which indexes items are in: from the attributes that they have, or as said; and how a write that
//! sets or removes an attribute changes it.

use super::sizes::{ExactClass, IndexEntry, SizeClasses};
use crate::table::{Index, Projection, Table};
use crate::units::{Bytes, Exact};

/// At most this many combinations of optional attributes and memberships are distinguished.
pub const OPTIONAL_MAX: usize = 10;

/// An attribute of items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KnownAttribute {
    /// Its name.
    pub name: String,
    /// Bytes of the name and the value.
    pub bytes: u64,
    /// The share of items that have it.
    pub share: Exact,
}

/// Which items are in an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Membership {
    /// Those that have all of its key attributes; without described attributes, all.
    Attributes,
    /// A share of them.
    Share(Exact),
}

/// The items of an entity, or of a table without entities.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemKind {
    /// Sizes, entries and weights of items that have every attribute.
    pub base: Vec<(Bytes, Vec<IndexEntry>, u64)>,
    /// The share of a distribution that was cut off.
    pub cut: Exact,
    /// The attributes, if the items are described by them.
    pub attributes: Vec<KnownAttribute>,
    /// For each index, by position.
    pub membership: Vec<Membership>,
}

/// An attribute that certain items have, or lack.
pub type Presence<'a> = (&'a str, bool);

/// Which of the attributes in question an item has, and its share of all items.
struct Combination {
    has: Vec<bool>,
    share: Exact,
}

/// All combinations of independent yes or no, given the share of yes.
fn combinations(shares: &[Exact]) -> Vec<Combination> {
    let none = Combination {
        has: Vec::new(),
        share: Exact::one(),
    };
    shares.iter().fold(vec![none], |all, share| {
        let more = |before: &Combination| {
            [(true, share.clone()), (false, Exact::one() - share.clone())].map(|(is, own)| {
                let mut has = before.has.clone();
                has.push(is);
                Combination {
                    has,
                    share: &before.share * &own,
                }
            })
        };
        all.iter().flat_map(more).collect()
    })
}

/// Whether a share leaves both possible.
fn is_open(share: &Exact) -> bool {
    !share.is_zero() && *share != Exact::one()
}

impl ItemKind {
    /// How many independent facts decide which indexes an item is in.
    pub fn optional(&self) -> usize {
        let attributes = self.attributes.iter().filter(|one| is_open(&one.share));
        let shares = self
            .membership
            .iter()
            .filter(|one| matches!(one, Membership::Share(share) if is_open(share)));
        attributes.count() + shares.count()
    }

    /// Whether an item can be in an index; a write can set an attribute that no item has yet.
    pub fn can_be_in(&self, at: usize, table: &Table) -> bool {
        match &self.membership[at] {
            Membership::Share(share) => !share.is_zero(),
            Membership::Attributes if self.attributes.is_empty() => self
                .base
                .iter()
                .any(|(_, entries, _)| entries[at] != IndexEntry::None),
            Membership::Attributes => table.indexes[at].keys.iter().all(|key| {
                self.is_primary(key, table) || self.attributes.iter().any(|one| one.name == *key)
            }),
        }
    }

    /// Whether some items lack an attribute, or are in an index of which it is a key only by a share.
    pub fn may_lack(&self, name: &str, table: &Table) -> bool {
        let is_optional = |one: &KnownAttribute| one.name == name && one.share != Exact::one();
        self.attributes.iter().any(is_optional)
            || table
                .indexes
                .iter()
                .zip(&self.membership)
                .any(|(index, membership)| {
                    *membership != Membership::Attributes
                        && index.keys.iter().any(|key| key == name)
                })
    }

    fn is_primary(&self, name: &str, table: &Table) -> bool {
        table.keys.names().any(|key| key == name)
    }

    /// The sizes of items, of which some attributes are known to be there or not.
    ///
    /// `Assumption:` optional attributes, and memberships that are given as shares, are independent
    /// of each other and of the size.
    pub fn sizes(&self, table: &Table, known: &[Presence]) -> SizeClasses {
        let follows = |one: &Membership| *one == Membership::Attributes;
        if self.attributes.is_empty() && known.is_empty() && self.membership.iter().all(follows) {
            return SizeClasses::new(self.base.iter().cloned()).cut_off(self.cut.clone());
        }
        let said = |name: &str| {
            known
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, has)| *has)
        };
        // Shares of items that are in an index, as far as they do not follow from attributes.
        let shares: Vec<Option<Exact>> = table
            .indexes
            .iter()
            .zip(&self.membership)
            .map(|(index, membership)| match membership {
                Membership::Attributes => None,
                Membership::Share(share) => Some(said_share(index, share, &said)),
            })
            .collect();
        let open: Vec<usize> = (0..shares.len())
            .filter(|at| shares[*at].as_ref().is_some_and(is_open))
            .collect();
        let of_open: Vec<Exact> = open.iter().filter_map(|at| shares[*at].clone()).collect();
        let memberships = combinations(&of_open);
        let is_member = |at: usize, combination: &Combination| match &shares[at] {
            None => true,
            Some(share) => match open.iter().position(|one| *one == at) {
                Some(position) => combination.has[position],
                None => !share.is_zero(),
            },
        };
        let masked = |entries: Vec<IndexEntry>, combination: &Combination| {
            entries
                .into_iter()
                .enumerate()
                .map(|(at, entry)| match is_member(at, combination) {
                    true => entry,
                    false => IndexEntry::None,
                })
                .collect::<Vec<_>>()
        };
        let base = match self.attributes.is_empty() {
            true => self.measured(table, known),
            false => self.described(table, &said),
        };
        SizeClasses::weighted(base.into_iter().flat_map(|class| {
            let masked = &masked;
            memberships.iter().map(move |combination| ExactClass {
                item: class.item,
                entries: masked(class.entries.clone(), combination),
                attributes: class.attributes.clone(),
                weight: &class.weight * &combination.share,
            })
        }))
        .cut_off(self.cut.clone())
    }

    /// Sizes and entries by the attributes that items have.
    fn described(&self, table: &Table, said: &dyn Fn(&str) -> Option<bool>) -> Vec<ExactClass> {
        let share_of = |one: &KnownAttribute| match said(&one.name) {
            Some(true) => Exact::one(),
            Some(false) => Exact::zero(),
            None => one.share.clone(),
        };
        let shares: Vec<Exact> = self.attributes.iter().map(share_of).collect();
        let open: Vec<usize> = (0..shares.len())
            .filter(|at| is_open(&shares[*at]))
            .collect();
        let of_open: Vec<Exact> = open.iter().map(|at| shares[*at].clone()).collect();
        let class = |combination: Combination| {
            let has = |at: usize| match open.iter().position(|one| *one == at) {
                Some(position) => combination.has[position],
                None => !shares[at].is_zero(),
            };
            let present: Vec<&KnownAttribute> = self
                .attributes
                .iter()
                .enumerate()
                .filter(|(at, _)| has(*at))
                .map(|(_, one)| one)
                .collect();
            let entry = |(index, membership): (&Index, &Membership)| {
                let covered = *membership != Membership::Attributes
                    || index
                        .keys
                        .iter()
                        .all(|key| present.iter().any(|one| one.name == *key));
                let held = present
                    .iter()
                    .filter(|one| index.holds(&table.keys, &one.name));
                match covered {
                    true => IndexEntry::Size(Bytes(held.map(|one| one.bytes).sum())),
                    false => IndexEntry::None,
                }
            };
            let item = Bytes(present.iter().map(|one| one.bytes).sum());
            let entries = table.indexes.iter().zip(&self.membership).map(entry);
            let attributes = present.iter().map(|one| (one.name.clone(), one.bytes));
            ExactClass {
                item,
                entries: entries.collect(),
                attributes: Some(attributes.collect()),
                weight: combination.share.clone(),
            }
        };
        combinations(&of_open).into_iter().map(class).collect()
    }

    /// Measured or given sizes. If an attribute of an index key is known to be there, or not, only
    /// items that are in the index count, with or without their entry.
    fn measured(&self, table: &Table, known: &[Presence]) -> Vec<ExactClass> {
        let decided: Vec<(usize, bool)> = table
            .indexes
            .iter()
            .zip(&self.membership)
            .enumerate()
            .filter(|(_, (_, membership))| **membership == Membership::Attributes)
            .filter_map(|(at, (index, _))| {
                let mut said = known
                    .iter()
                    .filter(|(name, _)| index.keys.iter().any(|key| key == name))
                    .map(|(_, has)| *has)
                    .peekable();
                said.peek()?;
                Some((at, said.all(|has| has)))
            })
            .collect();
        let is_in = |entries: &[IndexEntry]| {
            decided
                .iter()
                .all(|(at, _)| entries[*at] != IndexEntry::None)
        };
        let any = self.base.iter().any(|(_, entries, _)| is_in(entries));
        let class = |(item, entries, weight): &(Bytes, Vec<IndexEntry>, u64)| {
            let mut entries = entries.clone();
            for (at, has) in &decided {
                entries[*at] = match (has, entries[*at]) {
                    (false, _) => IndexEntry::None,
                    (true, IndexEntry::None) => entry_of_unknown(&table.indexes[*at], *item),
                    (true, entry) => entry,
                };
            }
            ExactClass {
                item: *item,
                entries,
                attributes: None,
                weight: Exact::from(*weight),
            }
        };
        self.base
            .iter()
            .filter(|(_, entries, _)| !any || is_in(entries))
            .map(class)
            .collect()
    }
}

/// The entry of an item in an index in which no measured item is.
fn entry_of_unknown(index: &Index, item: Bytes) -> IndexEntry {
    match index.projection {
        Projection::All => IndexEntry::Size(item),
        _ => IndexEntry::Unknown,
    }
}

/// The share of items that are in an index, if it is known of some attributes whether they are
/// there.
fn said_share(index: &Index, share: &Exact, said: &dyn Fn(&str) -> Option<bool>) -> Exact {
    let of_keys: Vec<bool> = index.keys.iter().filter_map(|key| said(key)).collect();
    match of_keys.as_slice() {
        [] => share.clone(),
        has if has.iter().all(|has| *has) => Exact::one(),
        _ => Exact::zero(),
    }
}
