//! PartiQL statements, executed as the operations that they are (rule 2.10).

use std::collections::BTreeMap;

use serde_json::Value;

use super::batches::{Action, by_table, joined_transaction, outcome};
use super::pages::Page;
use super::requests::{
    Done, Effect, Planned, Requests, consistency, given_at, item_of, list, wrong,
};
use crate::replay::dynamodb::expression::{KeyCondition, Test, UpdateExpression};
use crate::replay::dynamodb::key::NamedKey;
use crate::replay::dynamodb::partiql::{self, Statement};
use crate::replay::dynamodb::tables::PageRequest;
use crate::replay::error::CannotExecute;
use crate::table::{
    IndexKind, Item, Operation, Table, TransactionAction, TransactionOutcome, Write, WriteOutcome,
};
use crate::trace::Failure;

/// A statement with what its line gives beside it.
struct Member<'a> {
    statement: &'a Statement,
    /// The level of the request that holds the statement's own parameters.
    level: &'a Value,
    /// The item after it.
    after: Option<&'a Value>,
    /// The keys of the items that it read.
    evaluated_keys: Option<&'a Value>,
    failed: bool,
}

/// A SELECT on a table or an index: the keys by which it reads.
struct Select<'a> {
    table: &'a Table,
    index: Option<usize>,
    conditions: &'a [KeyCondition],
}

impl Select<'_> {
    fn is_local(&self) -> bool {
        self.index
            .is_some_and(|index| self.table.indexes[index].kind == IndexKind::Local)
    }

    /// The partition key of what is read.
    fn partition(&self) -> String {
        match self.index.filter(|_| !self.is_local()) {
            Some(index) => self.table.indexes[index]
                .keys
                .first()
                .cloned()
                .unwrap_or_default(),
            None => self.table.keys.partition.clone(),
        }
    }

    /// The key attributes of what is read.
    fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = match self.index {
            Some(index) => self.table.indexes[index].keys.clone(),
            None => self.table.keys.names().map(str::to_string).collect(),
        };
        keys.push(self.partition());
        keys
    }

    fn is_equal(&self, name: &str) -> bool {
        let is_equal = |one: &KeyCondition| one.name == name && matches!(one.test, Test::Equal(_));
        self.conditions.iter().any(is_equal)
    }

    /// The conditions on keys; none if the partition key is not given, so that everything is read.
    /// Comparisons of other attributes only filter, and do not read less.
    fn on_keys(&self) -> Vec<KeyCondition> {
        if !self.is_equal(&self.partition()) {
            return Vec::new();
        }
        let keys = self.keys();
        let on_key = |one: &&KeyCondition| keys.contains(&one.name);
        self.conditions.iter().filter(on_key).cloned().collect()
    }

    /// The key of the one item that it reads, if it gives a whole key of the table.
    fn one_item(&self) -> Option<Item> {
        let is_whole =
            self.index.is_none() && self.table.keys.names().all(|name| self.is_equal(name));
        let value = |one: KeyCondition| match one.test {
            Test::Equal(value) => Some((one.name, value)),
            _ => None,
        };
        is_whole.then(|| Item(self.on_keys().into_iter().filter_map(value).collect()))
    }

    /// Whether the index lacks an attribute that is returned. `SELECT *` returns what the index
    /// holds, and fetches nothing (rule 11.2).
    fn lacks(&self, returned: Option<&Vec<String>>) -> bool {
        let (Some(index), Some(names)) = (self.index, returned) else {
            return false;
        };
        let index = &self.table.indexes[index];
        names
            .iter()
            .any(|name| !index.holds(&self.table.keys, name))
    }
}

impl Requests<'_> {
    pub(super) fn execute_statement(&mut self, body: &Value) -> Result<Done, CannotExecute> {
        let statement =
            partiql::parse(body).map_err(|error| wrong(format!("Statement: {error}")))?;
        let done = self.statement(&Member {
            statement: &statement,
            level: body,
            after: self.request.item_after.as_ref(),
            evaluated_keys: self.request.evaluated_keys.as_ref(),
            failed: self.is_failed(),
        })?;
        Ok(Done {
            operation: Operation::ExecuteStatement(Box::new(done.operation)),
            ..done
        })
    }

    pub(super) fn batch_execute_statement(
        &mut self,
        body: &Value,
    ) -> Result<Vec<Done>, CannotExecute> {
        let request = self.request;
        let mut all = Vec::new();
        for (at, level) in list(&body["Statements"]).iter().enumerate() {
            let statement = partiql::parse(level)
                .map_err(|error| wrong(format!("Statements[{at}]: {error}")))?;
            let failure = member_failure(at, level)?;
            // A member that never reached an item costs nothing (rule 11.1).
            if failure == Some(Failure::Free) {
                continue;
            }
            let keys = request.evaluated_keys.as_ref();
            let done = self.statement(&Member {
                statement: &statement,
                level,
                after: given_at(request.item_after.as_ref(), at),
                evaluated_keys: given_at(keys, at).filter(|keys| keys.is_array()),
                failed: failure.is_some() || self.fails(&statement),
            })?;
            all.push((done.table, done));
        }
        let join = |(table, members): (usize, Vec<Done>)| {
            let items = members.iter().map(|done| done.items).sum();
            let keys = members.iter().flat_map(|done| done.keys.clone()).collect();
            let operations = members.into_iter().map(|done| done.operation).collect();
            Done {
                table,
                index: None,
                operation: Operation::BatchExecuteStatement(operations),
                keys,
                items,
                read: BTreeMap::new(),
            }
        };
        Ok(by_table(all).into_iter().map(join).collect())
    }

    pub(super) fn execute_transaction(&mut self, body: &Value) -> Result<Vec<Done>, CannotExecute> {
        let failed = self.is_failed();
        let token = body["ClientRequestToken"].as_str().filter(|_| !failed);
        let token = token.map(|token| format!("statements {token}"));
        let first = token
            .as_ref()
            .and_then(|token| self.tokens.first(token, self.time));
        if let Some(first) = first {
            return Ok(joined_transaction(first, TransactionOutcome::Replayed));
        }
        let mut actions: Vec<Action> = Vec::new();
        let mut members = Vec::new();
        for (at, level) in list(&body["TransactStatements"]).iter().enumerate() {
            let statement = partiql::parse(level)
                .map_err(|error| wrong(format!("TransactStatements[{at}]: {error}")))?;
            let done = self.statement(&Member {
                statement: &statement,
                level,
                after: given_at(self.request.item_after.as_ref(), at),
                evaluated_keys: None,
                failed,
            })?;
            if let (Some(write), Some(key)) = (write_of(&done.operation), done.keys.first()) {
                actions.push((
                    done.table,
                    (TransactionAction::Write(write.clone()), key.clone()),
                ));
            }
            members.push((done.table, done));
        }
        if let Some(token) = token.filter(|_| !actions.is_empty()) {
            self.tokens.remember(&token, self.time, actions);
        }
        let outcome = outcome(failed);
        let join = |(table, members)| joined_statements(table, members, outcome);
        Ok(by_table(members).into_iter().map(join).collect())
    }

    /// Whether a member of a batch fails because of the stored items: an insert of an item that
    /// exists, or an update of one that does not (rule 3.10).
    fn fails(&self, statement: &Statement) -> bool {
        let there = |table: &str, key: &Item| {
            let table = self.table_of(table).ok()?;
            Some(self.stored(table, &self.key_of(table, key).ok()?).is_some())
        };
        match statement {
            Statement::Insert { table, item } => there(table, item) == Some(true),
            Statement::Update { table, key, .. } => there(table, key) == Some(false),
            Statement::Select { .. } | Statement::Delete { .. } => false,
        }
    }

    fn statement(&mut self, member: &Member) -> Result<Done, CannotExecute> {
        let table = self.table_of(member.statement.table())?;
        match member.statement {
            Statement::Insert { item, .. } => {
                let planned = self.put(table, item.clone())?;
                Ok(self.write_statement(planned, member.failed, Operation::PutItem))
            }
            Statement::Update { update, key, .. } => {
                let planned = self.update_statement(table, (update, key), member)?;
                Ok(self.write_statement(planned, member.failed, Operation::UpdateItem))
            }
            Statement::Delete { key, .. } => {
                let planned = Planned {
                    table,
                    key: self.key_of(table, key)?,
                    effect: Effect::Becomes(None),
                };
                Ok(self.write_statement(planned, member.failed, Operation::DeleteItem))
            }
            Statement::Select { .. } => self.select(table, member),
        }
    }

    fn write_statement(
        &mut self,
        planned: Planned,
        failed: bool,
        wrap: fn(Write) -> Operation,
    ) -> Done {
        let (table, key) = (planned.table, NamedKey::of(&planned.key));
        let write = match self.write(planned, failed) {
            TransactionAction::Write(write) => write,
            TransactionAction::ConditionCheck(_) => Write {
                outcome: WriteOutcome::ConditionFailed,
                ..Write::default()
            },
        };
        Done::of_key(table, wrap(write), key, 1)
    }

    fn update_statement(
        &self,
        table: usize,
        (update, key): (&UpdateExpression, &Item),
        member: &Member,
    ) -> Result<Planned, CannotExecute> {
        let values = self.key_of(table, key)?;
        let new = match member.after {
            Some(after) => item_of(after, "item_after")?,
            None => match update.apply(key, self.stored(table, &values)) {
                Ok(item) => item,
                Err(_) if member.failed => key.clone(),
                Err(error) => {
                    return Err(wrong(format!(
                        "Statement: {error}; you can give the item after the statement as \
                         item_after"
                    )));
                }
            },
        };
        Ok(Planned {
            table,
            key: values,
            effect: Effect::Becomes(Some(new)),
        })
    }

    fn select(&mut self, table: usize, member: &Member) -> Result<Done, CannotExecute> {
        let Statement::Select {
            index,
            returned,
            conditions,
            residue,
            backward,
            ..
        } = member.statement
        else {
            return Err(wrong("Statement: expected SELECT"));
        };
        let level = member.level;
        let index = match index {
            Some(index) => Some(self.index_of(table, index)?),
            None => None,
        };
        let select = Select {
            table: &self.state(table).design.table,
            index,
            conditions,
        };
        let keys = select.keys();
        let is_unsure =
            residue.iter().any(|name| keys.contains(name)) || !level["NextToken"].is_null();
        if is_unsure && member.evaluated_keys.is_none() {
            return Err(wrong(
                "Statement: OR, IN and NextToken on a key are not evaluated; you can list the \
                 keys of the items that were read as evaluated_keys",
            ));
        }
        if let Some(key) = select.one_item() {
            let values = self.key_of(table, &key)?;
            let item = self.size_of(table, &values);
            let operation = Operation::GetItem {
                item,
                consistency: consistency(level),
            };
            let items = u64::from(item.is_some());
            return Ok(Done::of_key(table, operation, NamedKey::of(&values), items));
        }
        let on_keys = select.on_keys();
        let page = Page {
            table,
            consistency: consistency(level),
            fetches: select.is_local() && select.lacks(returned.as_ref()),
            evaluated_keys: member.evaluated_keys,
            is_scan: on_keys.is_empty(),
            asked: PageRequest {
                index,
                conditions: on_keys,
                limit: level["Limit"].as_u64(),
                backward: *backward,
                ..PageRequest::default()
            },
        };
        self.read(page)
    }
}

/// How a member of a batch failed; `None` if it succeeded.
fn member_failure(at: usize, level: &Value) -> Result<Option<Failure>, CannotExecute> {
    let Some(error) = level.get("error").filter(|error| !error.is_null()) else {
        return Ok(None);
    };
    let code = error
        .as_str()
        .or(error["Code"].as_str())
        .unwrap_or_default();
    let failure = Failure::of_member(code).ok_or_else(|| {
        let found = code.escape_debug();
        wrong(format!(
            "Statements[{at}]: error is \"{found}\"; expected the code of a BatchStatementError, \
             such as DuplicateItem"
        ))
    })?;
    Ok(Some(failure))
}

/// The write of one statement.
fn write_of(operation: &Operation) -> Option<&Write> {
    match operation {
        Operation::PutItem(write) | Operation::UpdateItem(write) | Operation::DeleteItem(write) => {
            Some(write)
        }
        _ => None,
    }
}

/// The statements of a transaction on one table, as one operation.
fn joined_statements(table: usize, members: Vec<Done>, outcome: TransactionOutcome) -> Done {
    let touched = members.iter().map(|done| done.items).sum();
    let keys = members.iter().flat_map(|done| done.keys.clone()).collect();
    let (mut items, mut actions) = (Vec::new(), Vec::new());
    for done in &members {
        match &done.operation {
            Operation::GetItem { item, .. } => items.push(*item),
            Operation::Query(page) | Operation::Scan(page) => {
                items.push((done.items > 0).then_some(page.evaluated));
            }
            operation => {
                let write = write_of(operation).cloned();
                actions.extend(write.map(TransactionAction::Write));
            }
        }
    }
    let inner = if actions.is_empty() {
        Operation::TransactGetItems { items }
    } else {
        Operation::TransactWriteItems { actions, outcome }
    };
    Done {
        table,
        index: None,
        operation: Operation::ExecuteTransaction(Box::new(inner)),
        keys,
        items: touched,
        read: BTreeMap::new(),
    }
}
