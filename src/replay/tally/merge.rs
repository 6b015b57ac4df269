//! Adding up what threads, shares and checkpoints found, in any order: integers, sets, and maps of
//! both.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// A sum of parts of one trace. Merging is commutative, so the result does not depend on how the
/// trace was divided.
pub trait Merge {
    /// Adds another part.
    fn merge_from(&mut self, other: Self);
}

impl Merge for u64 {
    fn merge_from(&mut self, other: u64) {
        *self += other;
    }
}

impl Merge for u128 {
    fn merge_from(&mut self, other: u128) {
        *self += other;
    }
}

impl<T: Merge, const N: usize> Merge for [T; N] {
    fn merge_from(&mut self, other: [T; N]) {
        for (own, other) in self.iter_mut().zip(other) {
            own.merge_from(other);
        }
    }
}

impl<T: Merge> Merge for Option<T> {
    fn merge_from(&mut self, other: Option<T>) {
        match (self, other) {
            (Some(own), Some(other)) => own.merge_from(other),
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
    }
}

impl<T: Ord> Merge for BTreeSet<T> {
    fn merge_from(&mut self, other: BTreeSet<T>) {
        self.extend(other);
    }
}

impl<K: Ord, V: Merge> Merge for BTreeMap<K, V> {
    fn merge_from(&mut self, other: BTreeMap<K, V>) {
        for (key, value) in other {
            match self.entry(key) {
                Entry::Occupied(mut own) => own.get_mut().merge_from(value),
                Entry::Vacant(place) => {
                    place.insert(value);
                }
            }
        }
    }
}

/// Declares a struct of sums that is merged field by field. A new counter is one line here.
macro_rules! sums {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::replay::tally::merge::Merge for $name {
            fn merge_from(&mut self, other: $name) {
                $(self.$field.merge_from(other.$field);)*
            }
        }
    };
}

pub(in crate::replay) use sums;
