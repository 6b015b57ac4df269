//! Keys of items: their values, and how they begin.

use crate::table::{AttributeValue, KeyStart, Number};
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
            start: start_of(key),
        }
    }
}

/// How a key begins.
pub fn start_of(key: &[KeyValue]) -> KeyStart {
    let mut texts = key.iter().map(|value| match value {
        KeyValue::S(text) => Some(text.as_str()),
        _ => None,
    });
    KeyStart::of(texts.next().flatten(), texts.next().flatten())
}
