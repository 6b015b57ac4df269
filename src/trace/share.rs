//! Shares of all keys: which slots a run counts.

use super::rows::{SLOTS, slot_of};

/// One of several shares of all keys, by slot.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct KeyShare {
    /// The number of this share, from 1.
    pub number: u32,
    /// The number of all shares.
    pub of: u32,
}

impl Default for KeyShare {
    fn default() -> KeyShare {
        KeyShare { number: 1, of: 1 }
    }
}

impl KeyShare {
    /// Reads `2/8`.
    ///
    /// # Errors
    /// What is allowed, if the text is not a share.
    pub fn parse(text: &str) -> Result<KeyShare, String> {
        let found = text.split_once('/').and_then(|(number, of)| {
            Some(KeyShare {
                number: number.trim().parse().ok()?,
                of: of.trim().parse().ok()?,
            })
        });
        match found {
            Some(share)
                if (1..=SLOTS as u32).contains(&share.of)
                    && (1..=share.of).contains(&share.number) =>
            {
                Ok(share)
            }
            _ => Err(format!(
                "{text:?} is not a share; write 1/4 for the first of four shares; {SLOTS} shares \
                 at most"
            )),
        }
    }

    /// The share of some number of shares to which the hash of a key (of its partition key, if the
    /// table has a sort key) belongs; `None` if there cannot be so many.
    pub fn of_hash(hash: u64, of: u32) -> Option<KeyShare> {
        let number = u32::from(slot_of(hash)).checked_rem(of)? + 1;
        (of <= SLOTS as u32).then_some(KeyShare { number, of })
    }

    /// Whether a slot belongs to it.
    #[inline]
    pub fn owns(self, slot: u8) -> bool {
        u32::from(slot) % self.of == self.number - 1
    }

    /// Whether it counts the event with this number, if every share executes all events.
    pub fn counts(self, ordinal: u64) -> bool {
        ordinal % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl std::fmt::Display for KeyShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}
