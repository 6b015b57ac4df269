//! The ids of events, to leave out those that were delivered twice.

use std::collections::{BTreeMap, HashSet};

use super::event::{Event, What, hash_of};
use super::{RowPlace, Time};

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

/// The ids of the records of one moment. Copies of a record have the same time, so that in the order
/// of time nothing else must be kept, and the result does not depend on how files were divided.
#[derive(Clone, Debug, Default)]
pub struct RecordIds {
    time: Option<Time>,
    places: BTreeMap<u64, RowPlace>,
}

impl RecordIds {
    /// Removes the events of records that were read before, and returns how many records they are.
    /// The events of all calls are in the order of time.
    pub fn remove_copies(&mut self, events: &mut Vec<Event>) -> u64 {
        let mut copies = 0;
        events.retain(|event| {
            let What::Call(call) = &event.what else {
                return true;
            };
            let Some(id) = call.record else {
                return true;
            };
            if self.time != Some(event.time) {
                self.time = Some(event.time);
                self.places.clear();
            }
            let is_copy = *self.places.entry(id.hash).or_insert(event.place) != event.place;
            copies += u64::from(is_copy && id.is_first);
            !is_copy
        });
        copies
    }
}
