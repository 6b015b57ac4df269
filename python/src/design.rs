//! Designs that are dictionaries: as TOML, and the places of their mistakes as paths.

use std::ops::Range;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

/// A dictionary as TOML, each of its members on a line. Members that are `null` are left out.
///
/// # Errors
/// In words, if it is no dictionary, or has a value that TOML does not have.
pub fn toml_of(json: &str) -> Result<String, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let Value::Object(members) = value else {
        return Err("a design is a dictionary".to_string());
    };
    let mut text = String::new();
    for (name, value) in members {
        if let Some(value) = toml_value(value)? {
            let line = toml::Table::from_iter([(name, value)]);
            let name = line.keys().next().map(|name| quoted(name));
            let value = line.values().next().map(toml::Value::to_string);
            if let (Some(name), Some(value)) = (name, value) {
                text += &format!("{name} = {value}\n");
            }
        }
    }
    Ok(text)
}

/// A key as it is written.
fn quoted(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_string(),
        false => toml::Value::String(name.to_string()).to_string(),
    }
}

fn toml_value(value: Value) -> Result<Option<toml::Value>, String> {
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Bool(flag) => flag.into(),
        Value::String(text) => text.into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(float)) if !number.is_u64() => float.into(),
            _ => return Err(format!("{number} is too large for TOML")),
        },
        Value::Array(list) => {
            let values = list.into_iter().map(toml_value);
            let values = values.collect::<Result<Vec<_>, _>>()?;
            toml::Value::Array(values.into_iter().flatten().collect())
        }
        Value::Object(members) => {
            let mut table = toml::Table::new();
            for (name, value) in members {
                if let Some(value) = toml_value(value)? {
                    table.insert(name, value);
                }
            }
            table.into()
        }
    }))
}

/// The path of what stands at a place of a text, such as `table[0].items`; `None` if there is nothing.
pub fn path(text: &str, span: Range<usize>) -> Option<String> {
    let table = DeTable::parse(text).ok()?;
    let mut path = String::new();
    in_table(table.get_ref(), &span, &mut path);
    (!path.is_empty()).then_some(path)
}

/// Whether one range is within another.
fn is_in(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

fn in_table(table: &DeTable<'_>, span: &Range<usize>, path: &mut String) {
    for (key, value) in table.iter() {
        let of_key = is_in(span, &key.span());
        if !of_key && !is_in(span, &value.span()) {
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&quoted(key.get_ref()));
        if !of_key {
            in_value(value.get_ref(), span, path);
        }
        return;
    }
}

fn in_value(value: &DeValue<'_>, span: &Range<usize>, path: &mut String) {
    match value {
        DeValue::Table(table) => in_table(table, span, path),
        DeValue::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                if is_in(span, &value.span()) {
                    path.push_str(&format!("[{at}]"));
                    return in_value(value.get_ref(), span, path);
                }
            }
        }
        _ => {}
    }
}
