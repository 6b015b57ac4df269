//! What the checks of an access pattern know of it: its family, its items and its table.

use super::CheckedTable;
use crate::workload::decode::Located;
use crate::workload::file::AccessFile;
use crate::workload::membership::ItemKind;
use crate::workload::sizes::SizeClasses;
use crate::workload::{Counts, ReadItems, WriteKind};

/// The families of operations, which determine the keys that are allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Get,
    Page,
    Write(WriteKind),
    Batch,
    Transaction,
}

/// The items that an access pattern or one of its actions is about.
#[derive(Clone, Default)]
pub(super) struct PatternItems {
    /// The entity, by position.
    pub entity: Option<usize>,
    /// How their sizes and entries follow from their attributes; `None` if they are of several
    /// entities, or if their size is not known.
    pub kind: Option<ItemKind>,
    /// Their sizes.
    pub sizes: Option<SizeClasses>,
    /// The attributes that they can have; none if they are not described.
    pub attributes: Vec<String>,
}

/// An access pattern with what its items are.
pub(super) struct CheckedAccess<'a> {
    pub access: &'a Located<AccessFile>,
    pub of: &'a CheckedTable<'a>,
    /// Its items, if they are not given by entity.
    pub items: PatternItems,
    /// The size of an item before a write.
    pub before: Option<SizeClasses>,
}

impl PatternItems {
    /// Some of these items as a call reads them.
    pub(super) fn read(&self, counts: Counts) -> ReadItems {
        ReadItems {
            entity: self.entity,
            sizes: self.sizes.clone(),
            counts,
        }
    }
}
