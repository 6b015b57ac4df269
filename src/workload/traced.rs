//! What the calls of a trace consumed; it replaces the expected consumption of an access pattern.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Units of one target: the base table or one index.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, Hash,
)]
pub struct TargetUnits {
    /// Half read units.
    pub read_halves: u128,
    /// Write units.
    pub write: u128,
}

/// What the calls of one kind consumed over a whole trace. All figures are integers, so traces can
/// be split and joined exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, Hash)]
pub struct Traced {
    /// The number of calls.
    pub calls: u64,
    /// Whether AWS reported only their units, and the number of calls is unknown.
    pub uncounted: bool,
    /// The region of the replica in which its writes were made; `None` for the home region.
    pub origin: Option<String>,
    /// What they consumed in the home region (reads of a replica: in the replica's region): the
    /// table, then each index.
    pub home: Vec<TargetUnits>,
    /// What writes consumed in each replica.
    pub in_replicas: BTreeMap<String, Vec<TargetUnits>>,
    /// Half read units that DAX consumed afterwards to fill its cache.
    pub fill_halves: u128,
    /// Bytes sent to each other region.
    pub replicated_bytes: u128,
    /// Change data capture units.
    pub captured: u128,
    /// Bytes that their writes are charged for each vector index, by position; `None` if the trace
    /// does not say what they write.
    pub vector_bytes: Option<BTreeMap<usize, u128>>,
    /// The number of items that were read or written.
    pub touched: u64,
    /// The index that was read, by position.
    pub index: Option<usize>,
    /// Whether they write.
    pub writes: bool,
    /// Whether they are transactions.
    pub transactional: bool,
    /// How many of the calls a DAX cluster answered; these consumed nothing.
    pub hits: u64,
    /// The indexes, by position, whose entries were written but have an unknown size.
    pub unknown_indexes: BTreeSet<usize>,
    /// How many of the calls could not be metered.
    pub unmetered: u64,
    /// Why they could not be metered.
    pub unmetered_why: String,
    /// How the trace is scaled to a month, as text for the working.
    pub scaled: Arc<str>,
}

impl Traced {
    /// Adds what other calls of the same kind consumed.
    pub fn add(&mut self, other: &Traced) {
        let add = |arms: &mut Vec<TargetUnits>, more: &[TargetUnits]| {
            arms.resize(arms.len().max(more.len()), TargetUnits::default());
            for (arm, more) in arms.iter_mut().zip(more) {
                arm.read_halves += more.read_halves;
                arm.write += more.write;
            }
        };
        add(&mut self.home, &other.home);
        for (region, arms) in &other.in_replicas {
            add(self.in_replicas.entry(region.clone()).or_default(), arms);
        }
        self.calls += other.calls;
        self.fill_halves += other.fill_halves;
        self.replicated_bytes += other.replicated_bytes;
        self.captured += other.captured;
        for (index, bytes) in other.vector_bytes.iter().flatten() {
            self.write_vectors(*index, *bytes);
        }
        if other.vector_bytes.is_some() {
            self.vector_bytes.get_or_insert_default();
        }
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

    /// Adds bytes that writes are charged for a vector index.
    pub fn write_vectors(&mut self, index: usize, bytes: u128) {
        let known = self.vector_bytes.get_or_insert_default();
        *known.entry(index).or_default() += bytes;
    }

    /// Adds calls that could not be metered; of several reasons, the alphabetically first one is
    /// kept.
    pub fn add_unmetered(&mut self, calls: u64, why: &str) {
        if self.unmetered == 0 || why < self.unmetered_why.as_str() {
            self.unmetered_why = why.to_string();
        }
        self.unmetered += calls;
    }
}
