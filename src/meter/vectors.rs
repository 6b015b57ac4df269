//! Vector indexes, which are charged by bytes (rule 11.5).

use crate::table::Transition;
use crate::units::{Bytes, KB};

/// A request of fewer bytes is charged as this many.
const REQUEST_BYTES_MIN: Bytes = Bytes(KB);

/// The bytes that a write is charged for a vector index, by what it does to the entry.
///
/// `Assumption:` an entry that a write removes is charged like one that it writes; AWS does not say.
pub fn vector_write_bytes(transition: Transition) -> Bytes {
    match transition {
        Transition::Absent | Transition::Unchanged => Bytes(0),
        Transition::Removed { old: bytes }
        | Transition::Inserted { new: bytes }
        | Transition::Replaced { new: bytes, .. }
        | Transition::Moved { new: bytes, .. } => bytes.max(REQUEST_BYTES_MIN),
    }
}

/// The bytes that a search is charged for, by those that it searches.
pub fn vector_search_bytes(searched: Bytes) -> Bytes {
    searched.max(REQUEST_BYTES_MIN)
}
