//! What a fuzzer calls directly, since a whole command for each input takes a hundred times as long.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::dynamodb::expression::Parser;
use super::dynamodb::partiql;
use crate::table::{Item, NumberAlignment};

/// A request with names and values, for expressions that refer to them.
static REQUEST: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "ExpressionAttributeNames": { "#n": "count", "#m": "list", "#k": "pk" },
        "ExpressionAttributeValues": {
            ":n": { "N": "1" }, ":s": { "SS": ["a", "b"] }, ":l": { "L": [{ "S": "x" }] },
            ":t": { "S": "a" }, ":m": { "M": { "a": { "NULL": true } } } } })
});

/// An item to update.
static ITEM: LazyLock<Value> = LazyLock::new(|| {
    json!({ "pk": { "S": "a" }, "count": { "N": "7" }, "list": { "L": [{ "S": "x" }, { "M": { "b": { "N": "1" } } }] },
        "set": { "SS": ["a", "c"] } })
});

/// Reads an update expression, and updates an item with it.
pub fn update(text: &str) {
    static BEFORE: LazyLock<Item> = LazyLock::new(|| Item::from_json(&ITEM).expect("an item"));
    let after = |text: &str| -> Result<Item, String> {
        let update = Parser::new(text, &REQUEST)?.update()?;
        update.apply(&BEFORE, None)?;
        update.apply(&BEFORE, Some(&BEFORE))
    };
    if let Ok(after) = after(text) {
        after.size(NumberAlignment::default());
    }
}

/// Reads a key condition and a projection.
pub fn condition(text: &str) {
    let _ = Parser::new(text, &REQUEST).map(Parser::key_conditions);
    let _ = Parser::new(text, &REQUEST).map(Parser::projection);
}

/// Reads a PartiQL statement.
pub fn statement(text: &str) {
    let request = json!({ "Statement": text, "Parameters": [{ "S": "a" }, { "N": "7" }] });
    let _ = partiql::parse(&request);
}
