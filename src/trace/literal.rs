//! Values as programs print them: JSON, a Python dict, an object of JavaScript, the `toString` of
//! Java, the debug form of Rust and Go. All become a JSON value.

use serde_json::{Map, Number, Value};

/// Why a text is not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// The text ends within the value: it may go on in the next line.
    Unfinished,
    /// It is not a value.
    Wrong,
}

/// How deep values may be nested.
const DEPTH_MAX: usize = 64;

/// The value at the beginning of a text, and where it ends.
///
/// # Errors
/// [`NoValue`] if there is none.
pub fn value(text: &str) -> Result<(Value, usize), NoValue> {
    if text.starts_with("{\"") {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        if let Some(Ok(value)) = values.next() {
            return Ok((value, values.byte_offset()));
        }
    }
    let mut reader = Reader {
        bytes: text.as_bytes(),
        text,
        at: 0,
    };
    let value = reader.value(0)?;
    Ok((value, reader.at))
}

struct Reader<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, NoValue> {
        if depth > DEPTH_MAX {
            return Err(NoValue::Wrong);
        }
        self.blank();
        // References of Go and Rust.
        while matches!(self.peek(), Some(b'&' | b'*')) {
            self.at += 1;
        }
        // A symbol of Ruby.
        if self.peek() == Some(b':')
            && self
                .bytes
                .get(self.at + 1)
                .is_some_and(u8::is_ascii_alphabetic)
        {
            self.at += 1;
        }
        if self.bytes[self.at..].starts_with(b"#<struct ") {
            self.at += b"#<struct ".len();
            // The name of the struct, such as Aws::DynamoDB::Types::ConsumedCapacity.
            let rest = &self.bytes[self.at..];
            let name = rest.iter().position(|byte| b" =>".contains(byte));
            if let Some(length) = name.filter(|length| rest[*length] == b' ') {
                self.at += length;
            }
            return self.members(b'>', depth);
        }
        match self.peek().ok_or(NoValue::Unfinished)? {
            b'{' => {
                self.at += 1;
                self.members(b'}', depth)
            }
            b'[' => {
                self.at += 1;
                self.list(b']', depth)
            }
            b'(' => {
                self.at += 1;
                self.list(b')', depth)
            }
            quote @ (b'"' | b'\'' | b'`') => self.quoted(quote).map(Value::String),
            _ => self.word(depth),
        }
    }

    /// A quoted text.
    fn quoted(&mut self, quote: u8) -> Result<String, NoValue> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let byte = self.peek().ok_or(NoValue::Unfinished)?;
            self.at += 1;
            match byte {
                b'\\' => {
                    let escaped = self.peek().ok_or(NoValue::Unfinished)?;
                    self.at += 1;
                    match escaped {
                        b'n' => text.push(b'\n'),
                        b't' => text.push(b'\t'),
                        b'r' => text.push(b'\r'),
                        b'u' => {
                            let code = self
                                .text
                                .get(self.at..self.at + 4)
                                .and_then(|digits| u32::from_str_radix(digits, 16).ok());
                            let character = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
                            if code.is_some() {
                                self.at += 4;
                            }
                            text.extend(character.to_string().bytes());
                        }
                        other => text.push(other),
                    }
                }
                byte if byte == quote => break,
                byte => text.push(byte),
            }
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// A word, a number, or a name with what it holds, such as `Decimal('1.5')` or `Capacity { … }`.
    fn word(&mut self, depth: usize) -> Result<Value, NoValue> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| !b",;:=()[]{}<>\"'`".contains(&byte) && !byte.is_ascii_whitespace())
        {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).ok_or(NoValue::Wrong)?;
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) if ["b", "u", "r"].contains(&word) => {
                return self.quoted(quote).map(Value::String);
            }
            Some(b'(') => {
                self.at += 1;
                return Ok(match self.members(b')', depth)? {
                    Value::Array(list) if list.len() == 1 => {
                        list.into_iter().next().unwrap_or_default()
                    }
                    other => other,
                });
            }
            Some(b'{') if !word.is_empty() => {
                self.at += 1;
                return self.members(b'}', depth);
            }
            Some(b' ') if self.bytes.get(self.at + 1) == Some(&b'{') && !word.is_empty() => {
                self.at += 2;
                return self.members(b'}', depth);
            }
            _ => {}
        }
        if word.is_empty() {
            return Err(NoValue::Wrong);
        }
        Ok(match word {
            "true" | "True" => Value::Bool(true),
            "false" | "False" => Value::Bool(false),
            "null" | "None" | "nil" | "undefined" => Value::Null,
            word => word
                .parse::<Number>()
                .map_or_else(|_| Value::String(word.to_string()), Value::Number),
        })
    }

    fn list(&mut self, end: u8, depth: usize) -> Result<Value, NoValue> {
        let mut list = Vec::new();
        loop {
            self.separators();
            if self.peek().ok_or(NoValue::Unfinished)? == end {
                self.at += 1;
                return Ok(Value::Array(list));
            }
            list.push(self.value(depth + 1)?);
        }
    }

    /// Members with names, or, if they have none, a list.
    fn members(&mut self, end: u8, depth: usize) -> Result<Value, NoValue> {
        let (mut object, mut list) = (Map::new(), Vec::new());
        loop {
            self.separators();
            if self.peek().ok_or(NoValue::Unfinished)? == end {
                self.at += 1;
                // Entries without a name beside members, as `map[]` of Go leaves, say nothing.
                return Ok(match list.is_empty() || !object.is_empty() {
                    true => Value::Object(object),
                    false => Value::Array(list),
                });
            }
            let name = self.value(depth + 1)?;
            self.blank();
            if matches!(self.peek(), Some(b':' | b'=')) {
                self.at += 1;
                if self.peek() == Some(b'>') {
                    self.at += 1;
                }
                let value = self.value(depth + 1)?;
                let name = match name {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                object.insert(name, value);
            } else if self.peek().is_none() {
                return Err(NoValue::Unfinished);
            } else {
                list.push(name);
            }
        }
    }

    fn separators(&mut self) {
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b';'))
        {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_is_the_same_value() {
        let expected = serde_json::json!({"C": {"TableName": "todo", "CapacityUnits": 1.5}});
        for text in [
            r#"{"C":{"TableName":"todo","CapacityUnits":1.5}}"#,
            r"{'C': {'TableName': 'todo', 'CapacityUnits': 1.5}}",
            r"{'C': {'TableName': u'todo', 'CapacityUnits': Decimal('1.5')}} and more",
            "{ C: { TableName: 'todo', CapacityUnits: 1.5 } }",
            "{\n  C: {\n    CapacityUnits: 1.5,\n    TableName: \"todo\",\n  },\n}",
            "PutItemResponse(C=ConsumedCapacity(TableName=todo, CapacityUnits=1.5))",
            "{C: {TableName: todo,CapacityUnits: 1.5,}}",
            "PutItemOutput { C: Some(ConsumedCapacity { TableName: Some(\"todo\"), CapacityUnits: Some(1.5) }) }",
            "&{C:{TableName:todo CapacityUnits:1.5}}",
            "{\"C\"=>{\"TableName\"=>\"todo\", \"CapacityUnits\"=>1.5}}",
            "{:C=>{:TableName=>\"todo\", :CapacityUnits=>1.5}}",
            "#<struct Output C=#<struct Capacity TableName=\"todo\", CapacityUnits=1.5>>",
            "&{C:{TableName:todo CapacityUnits:1.5} map[]}",
        ] {
            let found = value(text).map(|(value, _)| value).map(decimals);
            assert_eq!(found, Ok(expected.clone()), "{text}");
        }
        for (text, expected) in [
            ("{'a': ", NoValue::Unfinished),
            ("{\"a\": \"", NoValue::Unfinished),
            ("{a: ]", NoValue::Wrong),
            ("", NoValue::Unfinished),
        ] {
            assert_eq!(value(text), Err(expected), "{text}");
        }
    }

    /// Numbers that are texts, as numbers.
    fn decimals(value: Value) -> Value {
        match value {
            Value::String(text) => text
                .parse::<Number>()
                .map_or(Value::String(text), Value::Number),
            Value::Object(object) => Value::Object(
                object
                    .into_iter()
                    .map(|(name, value)| (name, decimals(value)))
                    .collect(),
            ),
            other => other,
        }
    }
}
