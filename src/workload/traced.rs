//! What the calls of a trace consumed, in the place of an access pattern's expectation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Units of one arm: the base table, or one index.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, Hash,
)]
pub struct ArmUnits {
    /// Half read units.
    pub read_halves: u128,
    /// Write units.
    pub write: u128,
}

/// What the calls of one kind consumed over a whole trace: integers, so that traces may be cut and
/// joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, Hash)]
pub struct Traced {
    /// How many there were.
    pub calls: u64,
    /// Whether AWS counted their units, and nobody the calls.
    pub uncounted: bool,
    /// The other region of a global table in which its writes were made; `None` for the home
    /// region.
    pub origin: Option<String>,
    /// What they consumed in the home region, reads of a replica in the replica's: the table, then
    /// each index.
    pub home: Vec<ArmUnits>,
    /// What writes consumed in each other region of a global table.
    pub abroad: BTreeMap<String, Vec<ArmUnits>>,
    /// Half read units by which DAX filled its cache afterwards.
    pub fill_halves: u128,
    /// Bytes sent to each other region.
    pub replicated_bytes: u128,
    /// Change data capture units.
    pub captured: u128,
    /// Items that were touched.
    pub touched: u64,
    /// The index that was read, by position.
    pub index: Option<usize>,
    /// Whether they write.
    pub writes: bool,
    /// Whether they are transactions.
    pub transactional: bool,
    /// How many of the calls a DAX cluster answered, so that they consumed nothing.
    pub hits: u64,
    /// The indexes, by position, whose entries were written though nobody gave their size.
    pub unknown_indexes: BTreeSet<usize>,
    /// How many of the calls could not be metered.
    pub unmetered: u64,
    /// Why not.
    pub unmetered_why: String,
    /// What a month has more of everything, for the working.
    pub scaled: Arc<str>,
}

impl Traced {
    /// Adds what other calls of the same kind consumed.
    pub fn add(&mut self, other: &Traced) {
        let add = |arms: &mut Vec<ArmUnits>, more: &[ArmUnits]| {
            arms.resize(arms.len().max(more.len()), ArmUnits::default());
            for (arm, more) in arms.iter_mut().zip(more) {
                arm.read_halves += more.read_halves;
                arm.write += more.write;
            }
        };
        add(&mut self.home, &other.home);
        for (region, arms) in &other.abroad {
            add(self.abroad.entry(region.clone()).or_default(), arms);
        }
        self.calls += other.calls;
        self.fill_halves += other.fill_halves;
        self.replicated_bytes += other.replicated_bytes;
        self.captured += other.captured;
        self.touched += other.touched;
        self.hits += other.hits;
        self.unknown_indexes.extend(&other.unknown_indexes);
        if other.unmetered > 0 {
            self.add_unmetered(other.unmetered, &other.unmetered_why);
        }
        self.uncounted |= other.uncounted;
        self.writes |= other.writes;
        self.transactional |= other.transactional;
        self.index = self.index.or(other.index);
        self.origin = self.origin.take().or_else(|| other.origin.clone());
    }

    /// Calls that could not be metered; of several reasons the first by name stays.
    pub fn add_unmetered(&mut self, calls: u64, why: &str) {
        if self.unmetered == 0 || why < self.unmetered_why.as_str() {
            self.unmetered_why = why.to_string();
        }
        self.unmetered += calls;
    }
}
