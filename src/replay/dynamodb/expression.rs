//! Update expressions, key conditions and projections of the API, evaluated over stored items.
//!
//! Source: Developer Guide, "Update expressions", "Key condition expressions", "Projection
//! expressions", "Document paths". Conditions are not evaluated: a log records whether they failed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tokens::{Parsed, Token, TokenStream};
use crate::table::{AttributeValue, Item};

/// A document path: `a.b[0].c`.
pub type Path = Vec<PathStep>;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// A member of a map.
    Name(String),
    /// An element of a list.
    Index(usize),
}

/// An operand of SET.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// The value at a path.
    Path(Path),
    /// A value.
    Value(AttributeValue),
    /// `if_not_exists(path, operand)`.
    IfNotExists(Path, Box<Operand>),
    /// `list_append(operand, operand)`.
    ListAppend(Box<Operand>, Box<Operand>),
    /// A sum, or a difference if the flag is set.
    Sum(Box<Operand>, Box<Operand>, bool),
}

/// What an update does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateExpression {
    /// SET.
    pub set: Vec<(Path, Operand)>,
    /// REMOVE.
    pub remove: Vec<Path>,
    /// ADD.
    pub add: Vec<(Path, AttributeValue)>,
    /// DELETE.
    pub delete: Vec<(Path, AttributeValue)>,
}

/// A condition on a key attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyCondition {
    /// The attribute.
    pub name: String,
    /// What it must be.
    pub test: Test,
}

/// What a key attribute must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equal.
    Equal(AttributeValue),
    /// Less than, or at most if the flag is set.
    Below(AttributeValue, bool),
    /// Greater than, or at least if the flag is set.
    Above(AttributeValue, bool),
    /// Between two values, inclusive.
    Between(AttributeValue, AttributeValue),
    /// Beginning with.
    BeginsWith(AttributeValue),
}

/// Reads tokens with the names and values that a request gives.
pub struct Parser<'a> {
    tokens: TokenStream,
    names: Option<&'a Value>,
    values: BTreeMap<String, AttributeValue>,
}

/// What expressions and PartiQL statements have in common: document paths, functions and sums.
pub trait Grammar {
    /// The tokens that it reads.
    fn tokens(&mut self) -> &mut TokenStream;

    /// Reads the name of an attribute.
    fn name(&mut self) -> Parsed<String>;

    /// Reads an operand of a sum.
    fn operand(&mut self) -> Parsed<Operand>;

    /// Reads a document path, such as `a.b[0].c`.
    fn path(&mut self) -> Parsed<Path> {
        let mut path = vec![PathStep::Name(self.name()?)];
        loop {
            if self.tokens().is_sign(".") {
                path.push(PathStep::Name(self.name()?));
            } else if self.tokens().is_sign("[") {
                let Token::Number(number) = self.tokens().next()? else {
                    return Err("a list index is expected after [".to_string());
                };
                path.push(PathStep::Index(
                    number
                        .parse()
                        .map_err(|_| format!("[{number}] is not a list index"))?,
                ));
                self.tokens().sign("]")?;
            } else {
                return Ok(path);
            }
        }
    }

    /// Reads a path, or a function of one or two of them.
    fn path_or_function(&mut self) -> Parsed<Operand> {
        let Some(function) = self.tokens().call() else {
            return self.path().map(Operand::Path);
        };
        let operand = if self.tokens().is_call("if_not_exists") {
            let path = self.path()?;
            self.tokens().sign(",")?;
            Operand::IfNotExists(path, Box::new(self.sum()?))
        } else if self.tokens().is_call("list_append") {
            let one = self.sum()?;
            self.tokens().sign(",")?;
            Operand::ListAppend(Box::new(one), Box::new(self.sum()?))
        } else {
            return Err(format!(
                "{function} is not a function of an update; use if_not_exists or list_append"
            ));
        };
        self.tokens().sign(")")?;
        Ok(operand)
    }

    /// Reads a sum of operands, or one operand.
    fn sum(&mut self) -> Parsed<Operand> {
        let mut sum = self.operand()?;
        loop {
            let subtract = if self.tokens().is_sign("+") {
                false
            } else if self.tokens().is_sign("-") {
                true
            } else {
                return Ok(sum);
            };
            sum = Operand::Sum(Box::new(sum), Box::new(self.operand()?), subtract);
        }
    }

    /// Reads paths separated by commas: the top-level attributes that they begin with.
    fn top_level_names(&mut self) -> Parsed<Vec<String>> {
        let mut names = Vec::new();
        loop {
            if let Some(PathStep::Name(name)) = self.path()?.into_iter().next() {
                names.push(name);
            }
            if !self.tokens().is_sign(",") {
                return Ok(names);
            }
        }
    }
}

impl Grammar for Parser<'_> {
    fn tokens(&mut self) -> &mut TokenStream {
        &mut self.tokens
    }

    fn name(&mut self) -> Parsed<String> {
        match self.tokens.next()? {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            Token::Name(placeholder) => {
                let named = self
                    .names
                    .and_then(|names| names.get(&placeholder))
                    .and_then(Value::as_str);
                named
                    .map(str::to_string)
                    .ok_or_else(|| format!("{placeholder} is not in ExpressionAttributeNames"))
            }
            other => Err(format!("an attribute is expected, found {other}")),
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        if self.tokens.is_sign("(") {
            let inner = self.sum()?;
            self.tokens.sign(")")?;
            return Ok(inner);
        }
        if let Some(Token::Value(_)) = self.tokens.peek() {
            return self.value().map(Operand::Value);
        }
        self.path_or_function()
    }
}

impl<'a> Parser<'a> {
    /// Creates a parser for an expression of a request.
    pub fn new(text: &str, request: &'a Value) -> Parsed<Parser<'a>> {
        let mut values = BTreeMap::new();
        for (name, value) in request["ExpressionAttributeValues"]
            .as_object()
            .into_iter()
            .flatten()
        {
            values.insert(
                name.clone(),
                AttributeValue::from_json(value).map_err(|error| format!("{name}: {error}"))?,
            );
        }
        Ok(Parser {
            tokens: TokenStream::new(text, "expression")?,
            names: request.get("ExpressionAttributeNames"),
            values,
        })
    }

    fn value(&mut self) -> Parsed<AttributeValue> {
        match self.tokens.next()? {
            Token::Value(name) => self
                .values
                .get(&name)
                .cloned()
                .ok_or_else(|| format!("{name} is not in ExpressionAttributeValues")),
            other => Err(format!("a value is expected, found {other}")),
        }
    }

    /// An update expression.
    pub fn update(mut self) -> Parsed<UpdateExpression> {
        let mut update = UpdateExpression::default();
        while self.tokens.peek().is_some() {
            let clause = self.name()?.to_ascii_uppercase();
            loop {
                let path = self.path()?;
                match clause.as_str() {
                    "SET" => {
                        self.tokens.sign("=")?;
                        update.set.push((path, self.sum()?));
                    }
                    "REMOVE" => update.remove.push(path),
                    "ADD" => update.add.push((path, self.value()?)),
                    "DELETE" => update.delete.push((path, self.value()?)),
                    other => {
                        return Err(format!(
                            "{other} is not a clause of an update expression; use SET, REMOVE, \
                             ADD or DELETE"
                        ));
                    }
                }
                if !self.tokens.is_sign(",") {
                    break;
                }
            }
        }
        Ok(update)
    }

    /// A key condition expression.
    pub fn key_conditions(mut self) -> Parsed<Vec<KeyCondition>> {
        let mut all = Vec::new();
        self.key_conditions_joined(&mut all)?;
        self.tokens.end("key condition")?;
        Ok(all)
    }

    /// Reads conditions joined by AND, with parentheses around any of them.
    fn key_conditions_joined(&mut self, all: &mut Vec<KeyCondition>) -> Parsed<()> {
        loop {
            if self.tokens.is_sign("(") {
                self.key_conditions_joined(all)?;
                self.tokens.sign(")")?;
            } else {
                all.push(self.key_condition()?);
            }
            if !self.tokens.is_word("AND") {
                return Ok(());
            }
        }
    }

    fn key_condition(&mut self) -> Parsed<KeyCondition> {
        if self.tokens.is_call("begins_with") {
            let name = self.name()?;
            self.tokens.sign(",")?;
            let value = self.value()?;
            self.tokens.sign(")")?;
            return Ok(KeyCondition {
                name,
                test: Test::BeginsWith(value),
            });
        }
        let name = self.name()?;
        if self.tokens.is_word("BETWEEN") {
            let low = self.value()?;
            self.tokens.word("AND")?;
            return Ok(KeyCondition {
                name,
                test: Test::Between(low, self.value()?),
            });
        }
        let Token::Sign(sign) = self.tokens.next()? else {
            return Err("a comparison is expected".to_string());
        };
        let value = self.value()?;
        Ok(KeyCondition {
            name,
            test: compared(sign, value)?,
        })
    }

    /// The top-level attributes that a projection names.
    pub fn projection(mut self) -> Parsed<Vec<String>> {
        match self.tokens.peek() {
            None => Ok(Vec::new()),
            Some(_) => self.top_level_names(),
        }
    }
}

/// The test of a comparison.
pub fn compared(sign: &str, value: AttributeValue) -> Parsed<Test> {
    Ok(match sign {
        "=" => Test::Equal(value),
        "<" => Test::Below(value, false),
        "<=" => Test::Below(value, true),
        ">" => Test::Above(value, false),
        ">=" => Test::Above(value, true),
        other => return Err(format!("{other} cannot compare a key")),
    })
}

/// Legacy key conditions, from before the API had expressions: `{"id": {"ComparisonOperator": "EQ",
/// "AttributeValueList": […]}}`.
pub fn legacy_conditions(conditions: &Value) -> Parsed<Vec<KeyCondition>> {
    let one = |(name, condition): (&String, &Value)| {
        let values = condition["AttributeValueList"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let value = |at: usize| {
            let value = values
                .get(at)
                .ok_or_else(|| format!("KeyConditions.{name}: a value is missing"))?;
            AttributeValue::from_json(value)
                .map_err(|error| format!("KeyConditions.{name}: {error}"))
        };
        let test = match condition["ComparisonOperator"].as_str().unwrap_or_default() {
            "EQ" => Test::Equal(value(0)?),
            "LT" => Test::Below(value(0)?, false),
            "LE" => Test::Below(value(0)?, true),
            "GT" => Test::Above(value(0)?, false),
            "GE" => Test::Above(value(0)?, true),
            "BETWEEN" => Test::Between(value(0)?, value(1)?),
            "BEGINS_WITH" => Test::BeginsWith(value(0)?),
            other => {
                return Err(format!(
                    "KeyConditions.{name}: \"{other}\" cannot compare a key"
                ));
            }
        };
        Ok(KeyCondition {
            name: name.clone(),
            test,
        })
    };
    conditions
        .as_object()
        .into_iter()
        .flatten()
        .map(one)
        .collect()
}

fn get<'a>(item: &'a Item, path: &[PathStep]) -> Option<&'a AttributeValue> {
    let (PathStep::Name(first), rest) = path.split_first()? else {
        return None;
    };
    rest.iter()
        .try_fold(item.get(first)?, |value, step| match (step, value) {
            (PathStep::Name(name), AttributeValue::M(map)) => map.get(name),
            (PathStep::Index(at), AttributeValue::L(list)) => list.get(*at),
            _ => None,
        })
}

/// Where a path leads, to change it: the map or the list that contains its last step.
enum Holder<'a> {
    Map(&'a mut BTreeMap<String, AttributeValue>, &'a str),
    List(&'a mut Vec<AttributeValue>, usize),
}

fn holder<'a>(item: &'a mut Item, path: &'a [PathStep]) -> Parsed<Holder<'a>> {
    let wrong = || {
        "the document path leads through a value of the item that is not a map or a list"
            .to_string()
    };
    let mut steps = path.iter();
    let Some(PathStep::Name(first)) = steps.next() else {
        return Err(wrong());
    };
    let mut map_or_value = Holder::Map(&mut item.0, first);
    for step in steps {
        let value = match map_or_value {
            Holder::Map(map, name) => map.get_mut(name),
            Holder::List(list, at) => list.get_mut(at),
        };
        map_or_value = match (value, step) {
            (Some(AttributeValue::M(map)), PathStep::Name(name)) => Holder::Map(map, name),
            (Some(AttributeValue::L(list)), PathStep::Index(at)) => Holder::List(list, *at),
            _ => return Err(wrong()),
        };
    }
    Ok(map_or_value)
}

fn put(item: &mut Item, path: &[PathStep], value: AttributeValue) -> Parsed<()> {
    match holder(item, path)? {
        Holder::Map(map, name) => {
            map.insert(name.to_string(), value);
        }
        // An index beyond the end appends one element.
        Holder::List(list, at) if at < list.len() => list[at] = value,
        Holder::List(list, _) => list.push(value),
    }
    Ok(())
}

fn evaluate(operand: &Operand, before: &Item) -> Parsed<AttributeValue> {
    match operand {
        Operand::Value(value) => Ok(value.clone()),
        Operand::Path(path) => get(before, path)
            .cloned()
            .ok_or_else(|| "an attribute of the expression does not exist in the item".to_string()),
        Operand::IfNotExists(path, other) => match get(before, path) {
            Some(value) => Ok(value.clone()),
            None => evaluate(other, before),
        },
        Operand::ListAppend(one, other) => match (evaluate(one, before)?, evaluate(other, before)?)
        {
            (AttributeValue::L(mut list), AttributeValue::L(more)) => {
                list.extend(more);
                Ok(AttributeValue::L(list))
            }
            _ => Err("list_append takes two lists".to_string()),
        },
        Operand::Sum(one, other, subtract) => {
            match (evaluate(one, before)?, evaluate(other, before)?) {
                (AttributeValue::N(one), AttributeValue::N(other)) => one
                    .plus(&other, *subtract)
                    .map(AttributeValue::N)
                    .map_err(|error| error.to_string()),
                _ => Err("+ and - take two numbers".to_string()),
            }
        }
    }
}

fn united(value: Option<&AttributeValue>, more: &AttributeValue) -> Parsed<AttributeValue> {
    Ok(match (value, more) {
        (None, more) => more.clone(),
        (Some(AttributeValue::N(one)), AttributeValue::N(more)) => {
            AttributeValue::N(one.plus(more, false).map_err(|error| error.to_string())?)
        }
        (Some(AttributeValue::Ss(set)), AttributeValue::Ss(more)) => {
            AttributeValue::Ss(set.union(more).cloned().collect())
        }
        (Some(AttributeValue::Ns(set)), AttributeValue::Ns(more)) => {
            AttributeValue::Ns(set.union(more).cloned().collect())
        }
        (Some(AttributeValue::Bs(set)), AttributeValue::Bs(more)) => {
            AttributeValue::Bs(set.union(more).cloned().collect())
        }
        _ => {
            return Err(
                "ADD takes a number for a number attribute, or a set for a set attribute of the \
                 same type"
                    .to_string(),
            );
        }
    })
}

/// What is left of a set; `None` if nothing is left, because DynamoDB has no empty sets.
fn without(value: &AttributeValue, less: &AttributeValue) -> Parsed<Option<AttributeValue>> {
    Ok(match (value, less) {
        (AttributeValue::Ss(set), AttributeValue::Ss(less)) => {
            Some(set.difference(less).cloned().collect())
                .filter(|left: &std::collections::BTreeSet<_>| !left.is_empty())
                .map(AttributeValue::Ss)
        }
        (AttributeValue::Ns(set), AttributeValue::Ns(less)) => {
            Some(set.difference(less).cloned().collect())
                .filter(|left: &std::collections::BTreeSet<_>| !left.is_empty())
                .map(AttributeValue::Ns)
        }
        (AttributeValue::Bs(set), AttributeValue::Bs(less)) => {
            Some(set.difference(less).cloned().collect())
                .filter(|left: &std::collections::BTreeSet<_>| !left.is_empty())
                .map(AttributeValue::Bs)
        }
        _ => return Err("DELETE takes a set for a set attribute of the same type".to_string()),
    })
}

impl UpdateExpression {
    /// The item after the update. All operands refer to the item before it; if there is none, the
    /// update starts from the key.
    pub fn apply(&self, key: &Item, before: Option<&Item>) -> Parsed<Item> {
        let start = before.unwrap_or(key);
        let mut after = start.clone();
        let sets = self
            .set
            .iter()
            .map(|(path, operand)| Ok((path, evaluate(operand, start)?)));
        for (path, value) in sets.collect::<Parsed<Vec<_>>>()? {
            put(&mut after, path, value)?;
        }
        for (path, more) in &self.add {
            let value = united(get(start, path), more)?;
            put(&mut after, path, value)?;
        }
        for (path, less) in &self.delete {
            let Some(value) = get(start, path) else {
                continue;
            };
            match without(value, less)? {
                Some(left) => put(&mut after, path, left)?,
                None => remove(&mut after, path)?,
            }
        }
        // Remove from the end of a list first, so that earlier positions do not change.
        let mut removed: Vec<&Path> = self.remove.iter().collect();
        removed.sort_by_key(|path| match path.last() {
            Some(PathStep::Index(at)) => std::cmp::Reverse(*at),
            _ => std::cmp::Reverse(0),
        });
        for path in removed {
            if get(start, path).is_some() {
                remove(&mut after, path)?;
            }
        }
        Ok(after)
    }
}

fn remove(item: &mut Item, path: &[PathStep]) -> Parsed<()> {
    match holder(item, path)? {
        Holder::Map(map, name) => {
            map.remove(name);
        }
        Holder::List(list, at) if at < list.len() => {
            list.remove(at);
        }
        Holder::List(..) => {}
    }
    Ok(())
}

/// Legacy updates, from before the API had expressions: `{"name": {"Action": "PUT", "Value":
/// {…}}}`.
pub fn legacy_update(updates: &Value) -> Parsed<UpdateExpression> {
    let mut update = UpdateExpression::default();
    for (name, change) in updates.as_object().into_iter().flatten() {
        let path = vec![PathStep::Name(name.clone())];
        let value = match change.get("Value") {
            Some(value) => Some(
                AttributeValue::from_json(value)
                    .map_err(|error| format!("AttributeUpdates.{name}: {error}"))?,
            ),
            None => None,
        };
        match (change["Action"].as_str().unwrap_or("PUT"), value) {
            ("PUT", Some(value)) => update.set.push((path, Operand::Value(value))),
            ("ADD", Some(AttributeValue::L(list))) => {
                let before = Operand::IfNotExists(
                    path.clone(),
                    Box::new(Operand::Value(AttributeValue::L(Vec::new()))),
                );
                update.set.push((
                    path,
                    Operand::ListAppend(
                        Box::new(before),
                        Box::new(Operand::Value(AttributeValue::L(list))),
                    ),
                ));
            }
            ("ADD", Some(value)) => update.add.push((path, value)),
            ("DELETE", Some(value)) => update.delete.push((path, value)),
            ("DELETE", None) => update.remove.push(path),
            (action, _) => {
                return Err(format!(
                    "AttributeUpdates.{name}: {action} has no value, or is not an action"
                ));
            }
        }
    }
    Ok(update)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn updated(expression: &str, values: Value, names: Value, before: Value) -> Parsed<Item> {
        let request =
            json!({"ExpressionAttributeValues": values, "ExpressionAttributeNames": names});
        let before = Item::from_json(&before).expect("an item");
        Parser::new(expression, &request)?
            .update()?
            .apply(&before, Some(&before))
    }

    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    #[test]
    fn updates_do_what_the_guide_says() {
        let before = json!({"id": {"S": "1"}, "n": {"N": "5"}, "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}, "s": {"SS": ["a", "b"]}, "m": {"M": {"x": {"M": {"y": {"S": "z"}}}}}});
        let changed = |expression: &str, values: Value, name: &str, expected: Value| {
            let after = updated(
                expression,
                values,
                json!({"#n": "n", "#y": "y"}),
                before.clone(),
            )
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
            let expected = if expected.is_null() {
                None
            } else {
                Some(AttributeValue::from_json(&expected).expect("a value"))
            };
            assert_eq!(after.get(name), expected.as_ref(), "{expression}");
        };
        changed(
            "SET #n = #n + :one",
            json!({":one": {"N": "1"}}),
            "n",
            json!({"N": "6"}),
        );
        changed(
            "set n = :one - n",
            json!({":one": {"N": "1"}}),
            "n",
            json!({"N": "-4"}),
        );
        changed(
            "SET k = if_not_exists(k, :one)",
            json!({":one": {"N": "1"}}),
            "k",
            json!({"N": "1"}),
        );
        changed(
            "SET n = if_not_exists(n, :one) + :one",
            json!({":one": {"N": "1"}}),
            "n",
            json!({"N": "6"}),
        );
        changed(
            "SET l = list_append(:new, l)",
            json!({":new": {"L": [{"N": "0"}]}}),
            "l",
            json!({"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}, {"N": "3"}]}),
        );
        changed(
            "SET l[9] = :one, l[0] = :one",
            json!({":one": {"N": "7"}}),
            "l",
            json!({"L": [{"N": "7"}, {"N": "2"}, {"N": "3"}, {"N": "7"}]}),
        );
        changed(
            "SET m.x.#y = :one",
            json!({":one": {"N": "1"}}),
            "m",
            json!({"M": {"x": {"M": {"y": {"N": "1"}}}}}),
        );
        changed(
            "REMOVE l[0], l[1]",
            json!({}),
            "l",
            json!({"L": [{"N": "3"}]}),
        );
        changed(
            "REMOVE m.x.y, nothing",
            json!({}),
            "m",
            json!({"M": {"x": {"M": {}}}}),
        );
        changed(
            "ADD n :one, fresh :one",
            json!({":one": {"N": "1"}}),
            "fresh",
            json!({"N": "1"}),
        );
        changed(
            "ADD s :more",
            json!({":more": {"SS": ["b", "c"]}}),
            "s",
            json!({"SS": ["a", "b", "c"]}),
        );
        changed(
            "DELETE s :less",
            json!({":less": {"SS": ["b"]}}),
            "s",
            json!({"SS": ["a"]}),
        );
        changed(
            "DELETE s :less",
            json!({":less": {"SS": ["b", "a"]}}),
            "s",
            Value::Null,
        );
        changed(
            "SET a = n REMOVE n ADD q :one",
            json!({":one": {"N": "1"}}),
            "a",
            json!({"N": "5"}),
        );
    }

    #[test]
    fn what_is_no_update_says_why() {
        for (expression, part) in [
            ("SET a", "= is expected"),
            (
                "SET a = :missing",
                ":missing is not in ExpressionAttributeValues",
            ),
            (
                "SET #missing = :a",
                "#missing is not in ExpressionAttributeNames",
            ),
            ("FROB a", "FROB is not a clause"),
            ("SET a = missing", "does not exist"),
            ("SET id.x = :a", "document path"),
            ("SET a = sqrt(id)", "sqrt is not a function"),
            ("SET a = :a +", "ends too early"),
            ("SET a = id + :a", "two numbers"),
            ("ADD id :a", "ADD takes"),
            ("SET a ; b", "is not understood"),
        ] {
            let error = updated(
                expression,
                json!({":a": {"N": "1"}}),
                json!({}),
                json!({"id": {"S": "1"}}),
            )
            .expect_err(expression);
            assert!(error.contains(part), "{expression}: {error}");
        }
    }

    #[test]
    fn key_conditions_are_read_in_every_form() {
        let request = json!({"ExpressionAttributeValues": {":a": {"N": "1"}, ":b": {"N": "2"}}});
        let conditions = |text: &str| Parser::new(text, &request).and_then(Parser::key_conditions);
        assert_eq!(conditions("pk = :a").expect("one").len(), 1);
        let two = conditions("(pk = :a) and (sk BETWEEN :a AND :b)").expect("two");
        assert!(matches!(two[1].test, Test::Between(..)));
        assert!(matches!(
            conditions("pk = :a AND begins_with(sk, :b)").expect("two")[1].test,
            Test::BeginsWith(_)
        ));
        assert_eq!(conditions("(pk = :a AND sk = :b)").expect("two").len(), 2);
        assert!(conditions("pk = :a OR sk = :b").is_err());
        assert!(conditions("pk <> :a").is_err());
    }
}
