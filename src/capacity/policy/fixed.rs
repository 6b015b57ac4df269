//! Capacity that never changes.

use super::{PastMinutes, Policy, Wish};

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
}
