//! The ids of events, to leave out those that were delivered twice.

use std::collections::HashSet;

use super::event::hash_of;

/// The ids of the last events: at least this number, at most twice as many.
const KEPT: usize = 1 << 20;

/// The ids of the events read last. Services that deliver at least once repeat an event within
/// minutes.
#[derive(Clone, Debug, Default)]
pub struct EventIds {
    newer: HashSet<u64>,
    older: HashSet<u64>,
}

impl EventIds {
    /// Whether an id is new. It is kept.
    pub fn is_new(&mut self, id: &str) -> bool {
        let hash = hash_of(id.as_bytes());
        if self.older.contains(&hash) || !self.newer.insert(hash) {
            return false;
        }
        if self.newer.len() >= KEPT {
            self.older = std::mem::take(&mut self.newer);
        }
        true
    }
}
