//! Sizes that a row does not give: from earlier rows of its key, an export, or the workload; and
//! the entries that each index holds of an item.

use crate::table::{IndexKind, Projection};
use crate::trace::MemberAction;
pub(in crate::replay) use crate::trace::{mixed, salt};
use crate::units::{Bytes, Exact};
use crate::workload::{IndexEntry, SizeClass, SizeClasses, TableDesign, WriteKind, pick_weighted};

/// Where a size came from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum SizeSource {
    /// The row itself.
    Row,
    /// An earlier row of the key.
    Seen,
    /// An export, by the key.
    Export,
    /// The next write of the key, for a miss of a cache trace.
    Next,
    /// The workload's distribution, drawn by the key's hash.
    Drawn,
    /// Assumed: the size before a write is unknown, so it is taken to be the size after the write,
    /// or no item.
    Assumed,
}

impl SizeSource {
    /// The words in outputs.
    pub fn word(self) -> &'static str {
        match self {
            SizeSource::Row => "row",
            SizeSource::Seen => "earlier rows of the key",
            SizeSource::Export => "export",
            SizeSource::Next => "the next write of the key",
            SizeSource::Drawn => "workload's distribution",
            SizeSource::Assumed => "taken to be as after the write",
        }
    }
}

/// The size class that is drawn for a key from a distribution; always the same for the same key.
pub fn drawn(sizes: &SizeClasses, hash: u64) -> &SizeClass {
    sizes.at(mixed(hash, salt::SIZE))
}

/// A share of all keys, as parts of 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFraction(u128);

impl KeyFraction {
    /// From an exact share between 0 and 1.
    pub fn of(share: &Exact) -> KeyFraction {
        KeyFraction(
            (share * &Exact::whole(1 << 64))
                .to_i128()
                .map_or(0, |parts| parts.unsigned_abs()),
        )
    }

    /// Whether it contains every key.
    #[inline]
    pub fn is_all(self) -> bool {
        self.0 > u128::from(u64::MAX)
    }

    /// Whether it contains a key; always the same for the same key.
    #[inline]
    pub fn holds(self, hash: u64, salt: u64) -> bool {
        self.is_all() || u128::from(mixed(hash, salt)) < self.0
    }
}

/// The entries that the indexes of a table hold of its items.
#[derive(Clone, Debug)]
pub struct Entries {
    /// The classes, sorted by size; those of the same size keep their order.
    classes: Vec<SizeClass>,
    indexes: Vec<IndexSizes>,
}

/// What one index holds of items.
#[derive(Clone, Debug)]
struct IndexSizes {
    /// Whether it holds whole items.
    whole: bool,
    /// The share of items that it covers.
    coverage: KeyFraction,
    /// The entry of every item, if it is the same for all; if the index holds whole items, entries
    /// of all sizes count as the same.
    same: Option<IndexEntry>,
}

impl Entries {
    /// The entries of the items of a table.
    pub fn of(design: &TableDesign) -> Entries {
        Entries::of_sizes(design, design.sizes.as_ref())
    }

    /// The entries of some items of a table.
    pub fn of_sizes(design: &TableDesign, sizes: Option<&SizeClasses>) -> Entries {
        let mut classes: Vec<SizeClass> = sizes
            .into_iter()
            .flat_map(SizeClasses::iter)
            .cloned()
            .collect();
        classes.sort_by_key(|class| class.item);
        let held = |(at, index): (usize, &crate::workload::IndexDesign)| {
            let whole = design.table.indexes[at].projection == Projection::All;
            let first = classes
                .first()
                .and_then(|class| class.entries.get(at))
                .copied();
            let alike = |class: &SizeClass| match (class.entries.get(at), first) {
                (Some(IndexEntry::Size(_)), Some(IndexEntry::Size(_))) if whole => true,
                (one, first) => one == first.as_ref(),
            };
            IndexSizes {
                whole,
                coverage: KeyFraction::of(&index.coverage),
                same: first.filter(|_| classes.iter().all(alike)),
            }
        };
        let indexes = design.indexes.iter().enumerate().map(held).collect();
        Entries { classes, indexes }
    }

    /// The class of an item of a given size: a class of that size, drawn by the key, else the
    /// nearest one.
    fn class(&self, bytes: u32, hash: u64) -> Option<&SizeClass> {
        let bytes = Bytes(bytes.into());
        let first = self.classes.partition_point(|class| class.item < bytes);
        let same = &self.classes[first..self.classes.partition_point(|class| class.item <= bytes)];
        let total: u64 = same.iter().map(|class| class.weight).sum();
        let found = pick_weighted(
            same.iter().map(|class| (class, class.weight)),
            total,
            mixed(hash, salt::CLASS_OF_SIZE),
        );
        if found.is_some() {
            return found;
        }
        let (below, above) = (
            first.checked_sub(1).and_then(|at| self.classes.get(at)),
            self.classes.get(first),
        );
        match (below, above) {
            (Some(below), Some(above)) if bytes.0 - below.item.0 <= above.item.0 - bytes.0 => {
                Some(below)
            }
            (_, Some(above)) => Some(above),
            (below, None) => below,
        }
    }

    /// Whether the entries of every index are known for every item.
    pub fn are_known(&self) -> bool {
        (0..self.indexes.len()).all(|at| {
            self.classes
                .iter()
                .all(|class| !matches!(class.entries.get(at), None | Some(IndexEntry::Unknown)))
        })
    }

    /// Whether an index holds every item whole.
    pub fn is_whole(&self, index: usize) -> bool {
        let whole = |held: &IndexSizes| {
            held.whole && held.coverage.is_all() && matches!(held.same, Some(IndexEntry::Size(_)))
        };
        self.indexes.get(index).is_some_and(whole)
    }

    /// The entry that one index holds of an item of a given size.
    pub fn entry(&self, index: usize, bytes: u32, hash: u64) -> IndexEntry {
        let Some(known) = self.indexes.get(index) else {
            return IndexEntry::None;
        };
        if !known.coverage.holds(hash, salt::of_index(index)) {
            return IndexEntry::None;
        }
        let whole = known.whole;
        match known.same {
            Some(IndexEntry::Size(_)) if whole => return IndexEntry::Size(Bytes(bytes.into())),
            Some(same) if same != IndexEntry::Unknown => return same,
            _ => {}
        }
        match self
            .class(bytes, hash)
            .and_then(|class| class.entries.get(index))
        {
            Some(IndexEntry::Size(_)) if whole => IndexEntry::Size(Bytes(bytes.into())),
            Some(entry) => *entry,
            None => IndexEntry::Unknown,
        }
    }
}

/// An item before and after a write.
#[derive(Clone, Copy, Default)]
pub struct SizedImages<'a> {
    /// Bytes before the write; `None` if there was no item.
    pub old: Option<u32>,
    /// Bytes after the write; `None` if there is no item.
    pub new: Option<u32>,
    /// The sizes that the item before the write is of; those of the table if `None`.
    pub before: Option<&'a SizeClasses>,
    /// The sizes that the item after the write is of; those of the table if `None`.
    pub after: Option<&'a SizeClasses>,
}

impl SizedImages<'_> {
    /// Bytes of an item of the table.
    pub fn of(old: Option<u32>, new: Option<u32>) -> SizedImages<'static> {
        SizedImages {
            old,
            new,
            ..SizedImages::default()
        }
    }
}

/// Whether the write of an access pattern does the same as the action of a row.
pub fn same_action(kind: WriteKind, action: MemberAction) -> bool {
    matches!(
        (kind, action),
        (WriteKind::Put, MemberAction::Put)
            | (WriteKind::Update, MemberAction::Update)
            | (WriteKind::Delete, MemberAction::Delete)
            | (WriteKind::ConditionCheck, MemberAction::ConditionCheck)
    )
}

/// Whether an index is global.
pub fn is_global(design: &TableDesign, index: usize) -> bool {
    design
        .table
        .indexes
        .get(index)
        .is_some_and(|index| index.kind == IndexKind::Global)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_holds_for_that_share_of_keys() {
        let quarter = KeyFraction::of(&Exact::ratio(1, 4));
        let covered = (0..100_000_u64)
            .filter(|key| quarter.holds(mixed(*key, 99), 16))
            .count();
        assert!((24_500..25_500).contains(&covered), "{covered}");
        assert!(
            KeyFraction::of(&Exact::one()).holds(7, 1)
                && !KeyFraction::of(&Exact::zero()).holds(7, 1)
        );
    }
}
