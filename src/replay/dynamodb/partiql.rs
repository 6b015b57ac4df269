//! PartiQL statements, converted to the operations that they are metered as (rules 2.10 and 3.10).
//!
//! Source: Developer Guide, "PartiQL - a SQL-compatible query language for Amazon DynamoDB". A
//! `SELECT` whose `WHERE` gives the partition key is a Query; with the whole primary key of the
//! table it is a GetItem; otherwise it is a Scan.

use serde_json::Value;

use super::expression::{
    KeyCondition, Operand, PathStep, Test, Token, Tokens, UpdateExpression, compared, tokens,
};
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
    tokens: Vec<Token>,
    at: usize,
    parameters: std::vec::IntoIter<AttributeValue>,
}

type Parsed<T> = Result<T, String>;

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
        tokens: tokens(text.trim().trim_end_matches(';'))?,
        at: 0,
        parameters: parameters.into_iter(),
    };
    let statement = reader.statement()?;
    match reader.tokens.get(reader.at) {
        None => Ok(statement),
        Some(token) => Err(format!("unexpected {token:?} after the statement")),
    }
}

impl Tokens for Parser {
    fn next(&mut self) -> Parsed<Token> {
        let token = self
            .peek()
            .cloned()
            .ok_or_else(|| "the statement ends too early".to_string())?;
        self.at += 1;
        Ok(token)
    }

    fn is_sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &str) -> Parsed<()> {
        if self.is_sign(sign) {
            Ok(())
        } else {
            Err(format!("{sign} is expected, found {:?}", self.peek()))
        }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.next()? {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            other => Err(format!("a name is expected, found {other:?}")),
        }
    }
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn is_word(&mut self, word: &str) -> bool {
        let is =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &str) -> Parsed<()> {
        if self.is_word(word) {
            Ok(())
        } else {
            Err(format!("{word} is expected, found {:?}", self.peek()))
        }
    }

    fn table(&mut self) -> Parsed<(String, Option<String>)> {
        let mut table = self.name()?;
        // Without quotation marks, a table name may also contain `-`; `.` begins the index name.
        while self.is_sign("-") {
            table = format!("{table}-{}", self.name()?);
        }
        let index = if self.is_sign(".") {
            Some(self.name()?)
        } else {
            None
        };
        Ok((table, index))
    }

    fn value(&mut self) -> Parsed<AttributeValue> {
        let negative = self.is_sign("-");
        match self.next()? {
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
                while !self.is_sign("}") {
                    let (Token::Text(name) | Token::Quoted(name)) = self.next()? else {
                        return Err("a name is expected in { }".to_string());
                    };
                    self.colon()?;
                    map.insert(name, self.value()?);
                    if !self.is_sign(",") {
                        self.sign("}")?;
                        break;
                    }
                }
                Ok(AttributeValue::M(map))
            }
            Token::Sign("<<") => set(self.list(">>")?),
            other => Err(format!("a value is expected, found {other:?}")),
        }
    }

    /// Reads the colon of `'name': value`. Without a space after it, the colon was read as the
    /// beginning of the next token.
    fn colon(&mut self) -> Parsed<()> {
        match self.tokens.get_mut(self.at) {
            Some(Token::Value(text)) if text == ":" => {
                self.at += 1;
                Ok(())
            }
            Some(Token::Value(text)) => {
                let rest = text.split_off(1);
                let token = if rest.starts_with(|c: char| c.is_ascii_digit()) {
                    Token::Number(rest)
                } else {
                    Token::Word(rest)
                };
                self.tokens[self.at] = token;
                Ok(())
            }
            other => Err(format!(": is expected, found {other:?}")),
        }
    }

    fn list(&mut self, end: &str) -> Parsed<Vec<AttributeValue>> {
        let mut list = Vec::new();
        while !self.is_sign(end) {
            list.push(self.value()?);
            if !self.is_sign(",") {
                self.sign(end)?;
                break;
            }
        }
        Ok(list)
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let is_path = matches!(self.peek(), Some(Token::Word(_) | Token::Quoted(_)))
            && !matches!(self.peek(), Some(Token::Word(word)) if ["true", "false", "null", "missing"].contains(&word.to_ascii_lowercase().as_str()));
        if !is_path {
            return self.value().map(Operand::Value);
        }
        let function = match (self.peek(), self.tokens.get(self.at + 1)) {
            (Some(Token::Word(name)), Some(Token::Sign("("))) => Some(name.to_ascii_lowercase()),
            _ => None,
        };
        match function.as_deref() {
            None => self.path().map(Operand::Path),
            Some("list_append") => {
                self.at += 2;
                let one = self.operand()?;
                self.sign(",")?;
                let other = self.operand()?;
                self.sign(")")?;
                Ok(Operand::ListAppend(Box::new(one), Box::new(other)))
            }
            Some("if_not_exists") => {
                self.at += 2;
                let path = self.path()?;
                self.sign(",")?;
                let other = self.operand()?;
                self.sign(")")?;
                Ok(Operand::IfNotExists(path, Box::new(other)))
            }
            Some(other) => Err(format!(
                "the function {other} is not evaluated; give the item after the statement as \
                 item_after"
            )),
        }
    }

    fn sum(&mut self) -> Parsed<Operand> {
        let mut sum = self.operand()?;
        loop {
            let subtract = if self.is_sign("+") {
                false
            } else if self.is_sign("-") {
                true
            } else {
                return Ok(sum);
            };
            sum = Operand::Sum(Box::new(sum), Box::new(self.operand()?), subtract);
        }
    }

    /// Reads a WHERE: the comparisons joined by AND, and the attributes compared by OR or IN.
    fn conditions(&mut self) -> Parsed<(Vec<KeyCondition>, Vec<String>)> {
        let (mut conditions, mut residue) = (Vec::new(), Vec::new());
        if self.is_word("WHERE") {
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
            if self.is_sign("(") {
                self.joined(conditions, residue)?;
                self.sign(")")?;
            } else if let Some(condition) = self.condition(residue)? {
                conditions.push(condition);
            }
            if self.is_word("AND") {
                continue;
            }
            if self.is_word("OR") {
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
        if self.is_word("NOT") {
            let mut ignored = Vec::new();
            if self.is_sign("(") {
                self.joined(&mut ignored, residue)?;
                self.sign(")")?;
            } else {
                self.condition(residue)?;
            }
            return Ok(None);
        }
        let call = matches!(self.tokens.get(self.at + 1), Some(Token::Sign("(")));
        if call {
            let function = self.name()?.to_ascii_lowercase();
            self.sign("(")?;
            let path = self.path()?;
            let value = if self.is_sign(",") {
                Some(self.value()?)
            } else {
                None
            };
            self.sign(")")?;
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
                    self.at += 1;
                    self.value()?;
                    None
                }
                _ => None,
            });
        }
        let path = self.path()?;
        let test = if self.is_word("BETWEEN") {
            let low = self.value()?;
            self.word("AND")?;
            Some(Test::Between(low, self.value()?))
        } else if self.is_word("IN") {
            let end = if self.is_sign("(") { ")" } else { "]" };
            if end == "]" {
                self.sign("[")?;
            }
            let values = self.list(end)?;
            if let (true, [PathStep::Name(name)]) = (values.len() > 1, path.as_slice()) {
                residue.push(name.clone());
            }
            (values.len() == 1).then(|| Test::Equal(values[0].clone()))
        } else if self.is_word("IS") {
            self.is_word("NOT");
            self.next()?;
            None
        } else {
            let Token::Sign(sign) = self.next()? else {
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
        let adds = match (self.peek(), self.tokens.get(self.at + 1)) {
            (Some(Token::Word(word)), Some(Token::Sign("(")))
                if word.eq_ignore_ascii_case("set_add") =>
            {
                true
            }
            (Some(Token::Word(word)), Some(Token::Sign("(")))
                if word.eq_ignore_ascii_case("set_delete") =>
            {
                false
            }
            _ => return Ok(None),
        };
        self.at += 2;
        self.path()?;
        self.sign(",")?;
        let value = self.value()?;
        self.sign(")")?;
        Ok(Some((adds, value)))
    }

    fn returning(&mut self) {
        if self.is_word("RETURNING") {
            self.at = self.tokens.len();
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        if self.is_word("SELECT") {
            return self.select();
        }
        if self.is_word("INSERT") {
            return self.insert();
        }
        if self.is_word("UPDATE") {
            return self.update();
        }
        if self.is_word("DELETE") {
            return self.delete();
        }
        Err(format!(
            "a statement begins with SELECT, INSERT, UPDATE or DELETE, found {:?}",
            self.peek()
        ))
    }

    fn select(&mut self) -> Parsed<Statement> {
        let returned = if self.is_sign("*") {
            None
        } else {
            let mut names = Vec::new();
            loop {
                if let Some(PathStep::Name(name)) = self.path()?.into_iter().next() {
                    names.push(name);
                }
                if !self.is_sign(",") {
                    break;
                }
            }
            Some(names)
        };
        self.word("FROM")?;
        let (table, index) = self.table()?;
        let (conditions, residue) = self.conditions()?;
        let mut backward = false;
        if self.is_word("ORDER") {
            backward = self.tokens[self.at..].iter().any(
                |token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("DESC")),
            );
            self.at = self.tokens.len();
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
        self.word("INTO")?;
        let (table, _) = self.table()?;
        self.word("VALUE")?;
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
            if self.is_word("SET") {
                loop {
                    let path = self.path()?;
                    self.sign("=")?;
                    match self.set_function()? {
                        Some((true, more)) => update.add.push((path, more)),
                        Some((false, less)) => update.delete.push((path, less)),
                        None => update.set.push((path, self.sum()?)),
                    }
                    if !self.is_sign(",") {
                        break;
                    }
                }
            } else if self.is_word("REMOVE") {
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
        self.word("FROM")?;
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
