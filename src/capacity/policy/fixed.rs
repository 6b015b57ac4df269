//! Capacity that never changes.

use super::{PastMinutes, Policy, Quiet, Wish};

/// The same units in every minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Units.
    pub units: u64,
}

impl Policy for Fixed {
    fn start(&self) -> u64 {
        self.units
    }

    fn request(&mut self, _: &PastMinutes) -> Option<Wish> {
        None
    }

    fn quiet(&self, _: u64, _: u64) -> Option<Quiet> {
        Some(Quiet::ALWAYS)
    }
}
