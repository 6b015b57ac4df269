//! An item: attributes by name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::value::{AttributeValue, NumberAlignment, ValueError};
use crate::units::Bytes;

/// An item as DynamoDB stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Item(pub BTreeMap<String, AttributeValue>);

impl Item {
    /// Reads an item of DynamoDB JSON, `{"name": {"S": "text"}, …}`.
    ///
    /// # Errors
    /// [`ValueError`] if a value is not DynamoDB JSON.
    pub fn from_json(json: &Value) -> Result<Item, ValueError> {
        let object = json
            .as_object()
            .ok_or_else(|| ValueError::Shape(json.to_string().chars().take(60).collect()))?;
        let attributes = object
            .iter()
            .map(|(name, value)| Ok((name.clone(), AttributeValue::from_json(value)?)));
        Ok(Item(attributes.collect::<Result<_, ValueError>>()?))
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.get(name)
    }

    /// Bytes of the item: its names in UTF-8 and its values, without any overhead.
    ///
    /// Source: Developer Guide, "DynamoDB item sizes and formats" (rule 1.1). The 100 bytes per
    /// item apply to storage only.
    pub fn size(&self, numbers: NumberAlignment) -> Bytes {
        self.0
            .iter()
            .map(|(name, value)| attribute_size(name, value, numbers))
            .sum()
    }
}

/// Bytes of one attribute: its name and its value.
pub(super) fn attribute_size(
    name: &str,
    value: &AttributeValue,
    numbers: NumberAlignment,
) -> Bytes {
    Bytes(name.len() as u64) + value.size(numbers)
}
