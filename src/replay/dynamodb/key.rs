//! Keys of items: their values, and how they begin.

use crate::table::{AttributeValue, Number};
use crate::trace::TracedKey;

/// A value of a key, in DynamoDB's order: numbers by value, strings and binaries by their bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyValue {
    /// A number.
    N(Number),
    /// A string.
    S(String),
    /// Bytes.
    B(Vec<u8>),
}

impl KeyValue {
    /// The value as a key value, if its type is allowed for keys.
    pub fn of(value: &AttributeValue) -> Option<KeyValue> {
        match value {
            AttributeValue::N(number) => Some(KeyValue::N(number.clone())),
            AttributeValue::S(text) => Some(KeyValue::S(text.clone())),
            AttributeValue::B(bytes) => Some(KeyValue::B(bytes.clone())),
            _ => None,
        }
    }

    /// The bytes that identify a key in every format.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            KeyValue::N(number) => number.to_string().into_bytes(),
            KeyValue::S(text) => text.as_bytes().to_vec(),
            KeyValue::B(bytes) => bytes.clone(),
        }
    }
}

/// The values of a key, in their order.
pub type KeyValues = Vec<KeyValue>;

/// The key of an item as other formats write it: its values joined by `|`.
pub fn joined(key: &[KeyValue]) -> Vec<u8> {
    key.iter()
        .map(KeyValue::bytes)
        .collect::<Vec<_>>()
        .join(&b'|')
}

/// The key of an item as in a trace.
pub fn named_key(key: &[KeyValue]) -> TracedKey {
    TracedKey::of_parts(
        &joined(key),
        &key.first().map(KeyValue::bytes).unwrap_or_default(),
    )
}

/// The key of a member of a request: as it is counted, and how it begins.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct NamedKey {
    /// As in a trace.
    pub key: TracedKey,
    /// How it begins.
    pub start: KeyStart,
}

impl NamedKey {
    /// The key of an item.
    pub fn of(key: &[KeyValue]) -> NamedKey {
        NamedKey {
            key: named_key(key),
            start: KeyStart::of(key),
        }
    }
}

/// How the key of an item begins: `USER#` and `ORDER#`; empty where it tells nothing.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct KeyStart {
    /// Of the partition key.
    pub partition: String,
    /// Of the sort key.
    pub sort: String,
}

/// Characters that end the beginning of a key.
const ENDS: [char; 4] = ['#', ':', '|', '/'];

/// The longest beginning of a key, in characters.
const START_MAX: usize = 40;

impl KeyStart {
    /// How a key begins.
    pub fn of(key: &[KeyValue]) -> KeyStart {
        let mut starts = key.iter().map(start_of);
        KeyStart {
            partition: starts.next().unwrap_or_default(),
            sort: starts.next().unwrap_or_default(),
        }
    }

    /// Whether it tells nothing.
    pub fn is_empty(&self) -> bool {
        self.partition.is_empty() && self.sort.is_empty()
    }
}

/// How a value begins: letters up to and including one of `#`, `:`, `|`, `/`; or a whole word in
/// capitals, such as `PROFILE`.
fn start_of(value: &KeyValue) -> String {
    let KeyValue::S(text) = value else {
        return String::new();
    };
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '-';
    let letters: usize = text.chars().take_while(|c| is_letter(*c)).count();
    let is_word = letters == text.len() && !text.chars().any(|c| c.is_ascii_lowercase());
    let length = match text[letters..].chars().next() {
        Some(end) if ENDS.contains(&end) && letters > 0 => letters + 1,
        None if is_word => letters,
        _ => 0,
    };
    match length <= START_MAX {
        true => text[..length].to_string(),
        false => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_begins_with_letters_and_a_sign_or_is_a_word_in_capitals() {
        let start = |text: &str| start_of(&KeyValue::S(text.to_string()));
        for (key, expected) in [
            ("USER#17", "USER#"),
            ("order-line:9", "order-line:"),
            ("PROFILE", "PROFILE"),
            ("alice", ""),
            ("#17", ""),
            ("", ""),
            ("17#USER", ""),
            ("ÜBER#1", ""),
            ("2024-01-01T00:00", ""),
        ] {
            assert_eq!(start(key), expected, "{key}");
        }
        assert_eq!(start(&("A".repeat(60) + "#1")), "");
    }
}
