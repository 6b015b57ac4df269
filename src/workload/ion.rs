//! Items of an export in Amazon Ion. Source: "DynamoDB table export output format", Developer Guide:
//! one item on each line, as `$ion_1_0 {Item:{…}}`; numbers are decimals, binary values are blobs,
//! sets are lists with the annotation `$dynamodb_SS`, `$dynamodb_NS` or `$dynamodb_BS`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ion_rs::{Element, Value as Ion};
use serde_json::{Map, Value, json};

/// The item of a line, as DynamoDB JSON.
///
/// # Errors
/// A message, if the line is not Ion or has no item.
pub(super) fn item(line: &[u8]) -> Result<Value, String> {
    let elements = Element::read_all(line).map_err(|error| format!("not Amazon Ion: {error}"))?;
    let first = elements.iter().next();
    let item = first
        .and_then(Element::as_struct)
        .and_then(|outer| outer.get("Item"))
        .and_then(Element::as_struct)
        .ok_or("no Item; a full export in ION has one item on each line")?;
    let mut attributes = Map::new();
    for (name, value) in item.fields() {
        attributes.insert(
            name.text().unwrap_or_default().to_string(),
            attribute(value)?,
        );
    }
    Ok(Value::Object(attributes))
}

/// An attribute as DynamoDB JSON.
fn attribute(element: &Element) -> Result<Value, String> {
    let set = element
        .annotations()
        .iter()
        .filter_map(|annotation| annotation.text()?.strip_prefix("$dynamodb_"))
        .next()
        .map(str::to_string);
    if let Some(kind) = set {
        let list = element
            .as_list()
            .ok_or_else(|| format!("a set {kind} that is no list"))?;
        let members = list
            .iter()
            .map(scalar)
            .collect::<Result<Vec<Value>, String>>()?;
        return Ok(json!({ kind: members }));
    }
    Ok(match element.value() {
        Ion::Null(_) => json!({ "NULL": true }),
        Ion::Bool(value) => json!({ "BOOL": value }),
        Ion::Int(_) | Ion::Decimal(_) | Ion::Float(_) => json!({ "N": scalar(element)? }),
        Ion::String(_) | Ion::Symbol(_) => json!({ "S": scalar(element)? }),
        Ion::Blob(_) | Ion::Clob(_) => json!({ "B": scalar(element)? }),
        Ion::List(list) | Ion::SExp(list) => {
            let members = list.iter().map(attribute);
            json!({ "L": members.collect::<Result<Vec<Value>, String>>()? })
        }
        Ion::Struct(fields) => {
            let mut members = Map::new();
            for (name, value) in fields.fields() {
                members.insert(
                    name.text().unwrap_or_default().to_string(),
                    attribute(value)?,
                );
            }
            json!({ "M": members })
        }
        Ion::Timestamp(_) => return Err("a timestamp, which is no type of DynamoDB".to_string()),
    })
}

/// A text, a number or a binary value, as the text of DynamoDB JSON.
fn scalar(element: &Element) -> Result<Value, String> {
    Ok(match element.value() {
        Ion::String(text) => json!(text.text()),
        Ion::Symbol(text) => json!(text.text().unwrap_or_default()),
        Ion::Int(number) => json!(number.to_string()),
        Ion::Float(number) => json!(number.to_string()),
        Ion::Decimal(number) => {
            let coefficient = number.coefficient();
            let sign = if coefficient.is_negative() { "-" } else { "" };
            let digits = coefficient.magnitude().to_string();
            json!(format!("{sign}{digits}E{}", number.exponent()))
        }
        Ion::Blob(bytes) | Ion::Clob(bytes) => json!(STANDARD.encode(bytes.as_ref())),
        other => return Err(format!("{other:?} is no text, number or binary value")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Item, NumberAlignment};

    #[test]
    fn an_item_in_ion_is_the_same_as_in_json() {
        let ion = br#"$ion_1_0 {Item:{pk:"c0",n:103.,d:-1.5d-3,big:123456789012345678901234567890.,b:{{aGVsbG8=}},t:true,z:null,l:["a",1.],m:{x:"y"},s:$dynamodb_SS::["a","b"],bs:$dynamodb_BS::[{{aGVsbG8=}}],ns:$dynamodb_NS::[1.,2.5]}}"#;
        let json = json!({
            "pk": {"S": "c0"}, "n": {"N": "103"}, "d": {"N": "-0.0015"},
            "big": {"N": "123456789012345678901234567890"}, "b": {"B": "aGVsbG8="},
            "t": {"BOOL": true}, "z": {"NULL": true}, "l": {"L": [{"S": "a"}, {"N": "1"}]},
            "m": {"M": {"x": {"S": "y"}}}, "s": {"SS": ["a", "b"]}, "bs": {"BS": ["aGVsbG8="]},
            "ns": {"NS": ["1", "2.5"]},
        });
        let read = |value: &Value| Item::from_json(value).expect("an item");
        let item = read(&item(ion).expect("Ion"));
        assert_eq!(item, read(&json));
        let numbers = NumberAlignment::default();
        assert_eq!(item.size(numbers), read(&json).size(numbers));
        for wrong in ["{}", "$ion_1_0 {Item:{a:2024-01-01T}}", "{Item:", "[1]"] {
            assert!(super::item(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
