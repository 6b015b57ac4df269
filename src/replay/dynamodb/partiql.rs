//! PartiQL statements, converted to the operations that they are metered as (rules 2.10 and 3.10).
//!
//! Source: Developer Guide, "PartiQL - a SQL-compatible query language for Amazon DynamoDB". A
//! `SELECT` whose `WHERE` gives the partition key is a Query; with the whole primary key of the
//! table it is a GetItem; otherwise it is a Scan.

use serde_json::Value;

use super::expression::{
    Grammar, KeyCondition, Operand, PathStep, Test, UpdateExpression, compared,
};
use super::tokens::{Parsed, Token, TokenStream};
use crate::table::{AttributeValue, Item, Number};

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// SELECT.
    Select {
        /// The table.
        table: String,
        /// The index.
        index: Option<String>,
        /// The attributes that are returned; `None` for all.
        returned: Option<Vec<String>>,
        /// Equalities and ranges of its WHERE, as far as they are joined by AND.
        conditions: Vec<KeyCondition>,
        /// Attributes that OR or IN compares: they may narrow what is read in ways that are not
        /// evaluated.
        residue: Vec<String>,
        /// Whether it reads in descending order of the sort key.
        backward: bool,
    },
    /// INSERT.
    Insert {
        /// The table.
        table: String,
        /// The item.
        item: Item,
    },
    /// UPDATE.
    Update {
        /// The table.
        table: String,
        /// What it changes.
        update: UpdateExpression,
        /// The key.
        key: Item,
    },
    /// DELETE.
    Delete {
        /// The table.
        table: String,
        /// The key.
        key: Item,
    },
}

impl Statement {
    /// Its table.
    pub fn table(&self) -> &str {
        match self {
            Statement::Select { table, .. }
            | Statement::Insert { table, .. }
            | Statement::Update { table, .. }
            | Statement::Delete { table, .. } => table,
        }
    }
}

struct Parser {
    tokens: TokenStream,
    parameters: std::vec::IntoIter<AttributeValue>,
}

/// Reads a statement with its parameters: `{"Statement": "…", "Parameters": […]}`.
///
/// # Errors
/// What cannot be parsed.
pub fn parse(request: &Value) -> Parsed<Statement> {
    let text = request["Statement"]
        .as_str()
        .ok_or_else(|| "Statement is missing".to_string())?;
    let parameters = request["Parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(AttributeValue::from_json);
    let parameters = parameters
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("Parameters: {error}"))?;
    let mut reader = Parser {
        tokens: TokenStream::new(text.trim().trim_end_matches(';'), "statement")?,
        parameters: parameters.into_iter(),
    };
    let statement = reader.statement()?;
    reader.tokens.end("statement")?;
    Ok(statement)
}

impl Grammar for Parser {
    fn tokens(&mut self) -> &mut TokenStream {
        &mut self.tokens
    }

    fn name(&mut self) -> Parsed<String> {
        match self.tokens.next()? {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            other => Err(format!("a name is expected, found {other}")),
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match self.tokens.peek() {
            Some(Token::Word(word))
                if LITERALS.iter().any(|one| word.eq_ignore_ascii_case(one)) =>
            {
                self.value().map(Operand::Value)
            }
            Some(Token::Word(_) | Token::Quoted(_)) => self.path_or_function(),
            _ => self.value().map(Operand::Value),
        }
    }
}

/// The words that are values.
const LITERALS: [&str; 4] = ["true", "false", "null", "missing"];

impl Parser {
    fn table(&mut self) -> Parsed<(String, Option<String>)> {
        let mut table = self.name()?;
        // Without quotation marks, a table name may also contain `-`; `.` begins the index name.
        while self.tokens.is_sign("-") {
            table = format!("{table}-{}", self.name()?);
        }
        let index = if self.tokens.is_sign(".") {
            Some(self.name()?)
        } else {
            None
        };
        Ok((table, index))
    }

    fn value(&mut self) -> Parsed<AttributeValue> {
        let negative = self.tokens.is_sign("-");
        match self.tokens.next()? {
            Token::Sign("?") => self
                .parameters
                .next()
                .ok_or_else(|| "more ? than Parameters".to_string()),
            Token::Text(text) => Ok(AttributeValue::S(text)),
            Token::Number(number) => {
                let number = if negative {
                    format!("-{number}")
                } else {
                    number
                };
                Number::parse(&number)
                    .map(AttributeValue::N)
                    .map_err(|error| error.to_string())
            }
            Token::Word(word) if word.eq_ignore_ascii_case("true") => {
                Ok(AttributeValue::Bool(true))
            }
            Token::Word(word) if word.eq_ignore_ascii_case("false") => {
                Ok(AttributeValue::Bool(false))
            }
            Token::Word(word)
                if word.eq_ignore_ascii_case("null") || word.eq_ignore_ascii_case("missing") =>
            {
                Ok(AttributeValue::Null)
            }
            Token::Sign("[") => self.list("]").map(AttributeValue::L),
            Token::Sign("{") => {
                let mut map = std::collections::BTreeMap::new();
                while !self.tokens.is_sign("}") {
                    let (Token::Text(name) | Token::Quoted(name)) = self.tokens.next()? else {
                        return Err("a name is expected in { }".to_string());
                    };
                    self.colon()?;
                    map.insert(name, self.value()?);
                    if !self.tokens.is_sign(",") {
                        self.tokens.sign("}")?;
                        break;
                    }
                }
                Ok(AttributeValue::M(map))
            }
            Token::Sign("<<") => set(self.list(">>")?),
            other => Err(format!("a value is expected, found {other}")),
        }
    }

    /// Reads the colon of `'name': value`. Without a space after it, the colon was read as the
    /// beginning of the next token.
    fn colon(&mut self) -> Parsed<()> {
        match self.tokens.peek() {
            Some(Token::Value(text)) if text == ":" => self.tokens.next().map(|_| ()),
            Some(Token::Value(text)) => {
                let rest = text[1..].to_string();
                let token = if rest.starts_with(|c: char| c.is_ascii_digit()) {
                    Token::Number(rest)
                } else {
                    Token::Word(rest)
                };
                self.tokens.replace_next(token);
                Ok(())
            }
            _ => Err(format!(": is expected, {}", self.tokens.found())),
        }
    }

    fn list(&mut self, end: &str) -> Parsed<Vec<AttributeValue>> {
        let mut list = Vec::new();
        while !self.tokens.is_sign(end) {
            list.push(self.value()?);
            if !self.tokens.is_sign(",") {
                self.tokens.sign(end)?;
                break;
            }
        }
        Ok(list)
    }

    /// Reads a WHERE: the comparisons joined by AND, and the attributes compared by OR or IN.
    fn conditions(&mut self) -> Parsed<(Vec<KeyCondition>, Vec<String>)> {
        let (mut conditions, mut residue) = (Vec::new(), Vec::new());
        if self.tokens.is_word("WHERE") {
            self.joined(&mut conditions, &mut residue)?;
        }
        Ok((conditions, residue))
    }

    /// Reads comparisons joined by AND, with parentheses around any of them.
    fn joined(
        &mut self,
        conditions: &mut Vec<KeyCondition>,
        residue: &mut Vec<String>,
    ) -> Parsed<()> {
        loop {
            if self.tokens.is_sign("(") {
                self.joined(conditions, residue)?;
                self.tokens.sign(")")?;
            } else if let Some(condition) = self.condition(residue)? {
                conditions.push(condition);
            }
            if self.tokens.is_word("AND") {
                continue;
            }
            if self.tokens.is_word("OR") {
                // What follows OR is an alternative to everything before it.
                residue.extend(conditions.drain(..).map(|condition| condition.name));
                let mut others = Vec::new();
                self.joined(&mut others, residue)?;
                residue.extend(others.into_iter().map(|condition| condition.name));
            }
            return Ok(());
        }
    }

    /// Reads one comparison; `None` if it does not narrow a key.
    fn condition(&mut self, residue: &mut Vec<String>) -> Parsed<Option<KeyCondition>> {
        if self.tokens.is_word("NOT") {
            let mut ignored = Vec::new();
            if self.tokens.is_sign("(") {
                self.joined(&mut ignored, residue)?;
                self.tokens.sign(")")?;
            } else {
                self.condition(residue)?;
            }
            return Ok(None);
        }
        if let Some(function) = self.tokens.call() {
            self.tokens.is_call(&function);
            let path = self.path()?;
            let value = if self.tokens.is_sign(",") {
                Some(self.value()?)
            } else {
                None
            };
            self.tokens.sign(")")?;
            let name = match path.as_slice() {
                [PathStep::Name(name)] => Some(name.clone()),
                _ => None,
            };
            return Ok(match (function.as_str(), name, value) {
                ("begins_with", Some(name), Some(value)) => Some(KeyCondition {
                    name,
                    test: Test::BeginsWith(value),
                }),
                ("size", ..) => {
                    self.tokens.next()?;
                    self.value()?;
                    None
                }
                _ => None,
            });
        }
        let path = self.path()?;
        let test = if self.tokens.is_word("BETWEEN") {
            let low = self.value()?;
            self.tokens.word("AND")?;
            Some(Test::Between(low, self.value()?))
        } else if self.tokens.is_word("IN") {
            let end = if self.tokens.is_sign("(") { ")" } else { "]" };
            if end == "]" {
                self.tokens.sign("[")?;
            }
            let values = self.list(end)?;
            if let (true, [PathStep::Name(name)]) = (values.len() > 1, path.as_slice()) {
                residue.push(name.clone());
            }
            (values.len() == 1).then(|| Test::Equal(values[0].clone()))
        } else if self.tokens.is_word("IS") {
            self.tokens.is_word("NOT");
            self.tokens.next()?;
            None
        } else {
            let Token::Sign(sign) = self.tokens.next()? else {
                return Err("a comparison is expected in WHERE".to_string());
            };
            let value = self.value()?;
            compared(sign, value).ok()
        };
        let [PathStep::Name(name)] = path.as_slice() else {
            return Ok(None);
        };
        Ok(test.map(|test| KeyCondition {
            name: name.clone(),
            test,
        }))
    }

    /// Reads the key that a WHERE gives by equalities.
    fn key(&mut self) -> Parsed<Item> {
        let (conditions, _) = self.conditions()?;
        let equal = conditions
            .into_iter()
            .filter_map(|condition| match condition.test {
                Test::Equal(value) => Some((condition.name, value)),
                _ => None,
            });
        let key = Item(equal.collect());
        if key.0.is_empty() {
            Err(
                "a write needs the whole key (with the sort key, if the table has one) in its \
                 WHERE"
                    .to_string(),
            )
        } else {
            Ok(key)
        }
    }

    /// Reads `set_add(path, value)` or `set_delete(path, value)`; returns whether it adds, and the
    /// value.
    fn set_function(&mut self) -> Parsed<Option<(bool, AttributeValue)>> {
        let adds = self.tokens.is_call("set_add");
        if !adds && !self.tokens.is_call("set_delete") {
            return Ok(None);
        }
        self.path()?;
        self.tokens.sign(",")?;
        let value = self.value()?;
        self.tokens.sign(")")?;
        Ok(Some((adds, value)))
    }

    fn returning(&mut self) {
        if self.tokens.is_word("RETURNING") {
            self.tokens.rest();
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if self.tokens.is_word("SELECT") {
            return self.select();
        }
        if self.tokens.is_word("INSERT") {
            return self.insert();
        }
        if self.tokens.is_word("UPDATE") {
            return self.update();
        }
        if self.tokens.is_word("DELETE") {
            return self.delete();
        }
        Err(format!(
            "a statement begins with SELECT, INSERT, UPDATE or DELETE, {}",
            self.tokens.found()
        ))
    }

    fn select(&mut self) -> Parsed<Statement> {
        let returned = if self.tokens.is_sign("*") {
            None
        } else {
            Some(self.top_level_names()?)
        };
        self.tokens.word("FROM")?;
        let (table, index) = self.table()?;
        let (conditions, residue) = self.conditions()?;
        let mut backward = false;
        if self.tokens.is_word("ORDER") {
            backward = self.tokens.rest().iter().any(
                |token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("DESC")),
            );
        }
        Ok(Statement::Select {
            table,
            index,
            returned,
            conditions,
            residue,
            backward,
        })
    }

    fn insert(&mut self) -> Parsed<Statement> {
        self.tokens.word("INTO")?;
        let (table, _) = self.table()?;
        self.tokens.word("VALUE")?;
        let AttributeValue::M(item) = self.value()? else {
            return Err("INSERT takes an item in { }".to_string());
        };
        Ok(Statement::Insert {
            table,
            item: Item(item),
        })
    }

    fn update(&mut self) -> Parsed<Statement> {
        let (table, _) = self.table()?;
        let mut update = UpdateExpression::default();
        loop {
            if self.tokens.is_word("SET") {
                loop {
                    let path = self.path()?;
                    self.tokens.sign("=")?;
                    match self.set_function()? {
                        Some((true, more)) => update.add.push((path, more)),
                        Some((false, less)) => update.delete.push((path, less)),
                        None => update.set.push((path, self.sum()?)),
                    }
                    if !self.tokens.is_sign(",") {
                        break;
                    }
                }
            } else if self.tokens.is_word("REMOVE") {
                update.remove.push(self.path()?);
            } else {
                break;
            }
        }
        let key = self.key()?;
        self.returning();
        Ok(Statement::Update { table, update, key })
    }

    fn delete(&mut self) -> Parsed<Statement> {
        self.tokens.word("FROM")?;
        let (table, _) = self.table()?;
        let key = self.key()?;
        self.returning();
        Ok(Statement::Delete { table, key })
    }
}

fn set(values: Vec<AttributeValue>) -> Parsed<AttributeValue> {
    let wrong =
        || "a set in << >> must contain only strings, only numbers or only binaries".to_string();
    match values.first() {
        Some(AttributeValue::S(_)) => {
            let texts = values.into_iter().map(|value| {
                if let AttributeValue::S(text) = value {
                    Ok(text)
                } else {
                    Err(wrong())
                }
            });
            Ok(AttributeValue::Ss(texts.collect::<Parsed<_>>()?))
        }
        Some(AttributeValue::N(_)) => {
            let numbers = values.into_iter().map(|value| {
                if let AttributeValue::N(number) = value {
                    Ok(number)
                } else {
                    Err(wrong())
                }
            });
            Ok(AttributeValue::Ns(numbers.collect::<Parsed<_>>()?))
        }
        Some(AttributeValue::B(_)) => {
            let bytes = values.into_iter().map(|value| {
                if let AttributeValue::B(bytes) = value {
                    Ok(bytes)
                } else {
                    Err(wrong())
                }
            });
            Ok(AttributeValue::Bs(bytes.collect::<Parsed<_>>()?))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn statement(text: &str, parameters: Value) -> Parsed<Statement> {
        parse(&json!({"Statement": text, "Parameters": parameters}))
    }

    #[test]
    fn statements_are_read() {
        let select = statement(
            "SELECT pk, \"a\".b FROM \"T-1\".\"by-g\" WHERE g = ? AND sk BETWEEN 1 AND 2 AND z <> \
             'it''s'",
            json!([{"S": "x"}]),
        );
        let Ok(Statement::Select {
            table,
            index,
            returned,
            conditions,
            residue,
            ..
        }) = select
        else {
            panic!("{select:?}")
        };
        assert_eq!(
            (
                table.as_str(),
                index.as_deref(),
                conditions.len(),
                residue.len()
            ),
            ("T-1", Some("by-g"), 2, 0)
        );
        assert_eq!(returned, Some(vec!["pk".to_string(), "a".to_string()]));
        let insert = statement(
            "INSERT INTO Music VALUE {'pk': ?, 'n':-5, 'l': [1, true, NULL], 's': <<'a','b'>>}",
            json!([{"S": "x"}]),
        );
        let Ok(Statement::Insert { item, .. }) = insert else {
            panic!("{insert:?}")
        };
        assert_eq!(item, Item::from_json(&json!({"pk": {"S": "x"}, "n": {"N": "-5"}, "l": {"L": [{"N": "1"}, {"BOOL": true}, {"NULL": true}]}, "s": {"SS": ["a", "b"]}})).expect("an item"));
        let update = statement(
            "UPDATE \"Music\" SET n = n + 1 SET m.x = ? REMOVE old WHERE pk = 'a' AND sk = 2 \
             RETURNING ALL NEW *",
            json!([{"S": "x"}]),
        );
        let Ok(Statement::Update { update, key, .. }) = update else {
            panic!("{update:?}")
        };
        assert_eq!(
            (update.set.len(), update.remove.len(), key.0.len()),
            (2, 1, 2)
        );
        assert!(matches!(
            statement("DELETE FROM Music WHERE pk = 'a';", json!([])),
            Ok(Statement::Delete { .. })
        ));
        let either = statement(
            "SELECT * FROM Music WHERE pk = 'a' OR (pk = ? AND b IN [1, 2])",
            json!([{"S": "x"}]),
        );
        let Ok(Statement::Select {
            conditions,
            residue,
            ..
        }) = either
        else {
            panic!("{either:?}")
        };
        assert_eq!(
            (conditions.len(), residue),
            (0, vec!["pk".to_string(), "b".to_string(), "pk".to_string()])
        );
        let down = statement(
            "SELECT * FROM Music WHERE pk = 'a' AND (a = 1 AND b = 2) ORDER BY sk DESC",
            json!([]),
        );
        assert!(
            matches!(down, Ok(Statement::Select { ref conditions, backward: true, .. }) if conditions.len() == 3),
            "{down:?}"
        );
    }

    #[test]
    fn what_is_no_statement_says_why() {
        for (text, part) in [
            ("DROP TABLE x", "begins with SELECT"),
            ("SELECT * FROM", "ends too early"),
            ("INSERT INTO x VALUE {'a': ?}", "more ? than Parameters"),
            ("UPDATE x SET a = 1", "whole key"),
            ("SELECT * FROM x WHERE a = 'b", "does not end"),
        ] {
            let error = statement(text, json!([])).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
