//! Requests of several members: batches and transactions.

use std::collections::BTreeMap;

use serde_json::Value;

use super::requests::{
    Done, Effect, Planned, Requests, consistency, given_at, item_of, list, shown, wrong,
};
use crate::replay::dynamodb::key::{KeyValues, NamedKey};
use crate::replay::error::CannotExecute;
use crate::table::{Operation, TransactionAction, TransactionOutcome};
use crate::units::Bytes;

/// Members of a batch that AWS left unprocessed, by table and key: they cost nothing (rules 2.3,
/// 3.5 and 11.7).
struct Unprocessed(Vec<(usize, KeyValues)>);

impl Unprocessed {
    /// Whether a member is one of them.
    fn take(&mut self, table: usize, key: &KeyValues) -> bool {
        let is_it = |(of, known): &(usize, KeyValues)| *of == table && known == key;
        let found = self.0.iter().position(is_it);
        found.map(|at| self.0.swap_remove(at)).is_some()
    }

    /// The batch held all of them.
    fn all_found(&self) -> Result<(), CannotExecute> {
        match self.0.first() {
            None => Ok(()),
            Some((_, key)) => Err(wrong(format!(
                "unprocessed names {}, which is not in the batch",
                shown(key)
            ))),
        }
    }
}

/// Groups members by table, in the order of their first appearance.
pub(super) fn by_table<T>(all: impl IntoIterator<Item = (usize, T)>) -> Vec<(usize, Vec<T>)> {
    let mut tables: Vec<(usize, Vec<T>)> = Vec::new();
    for (table, one) in all {
        match tables.iter_mut().find(|(known, _)| *known == table) {
            Some((_, list)) => list.push(one),
            None => tables.push((table, vec![one])),
        }
    }
    tables
}

/// A member of a transaction of writes: the table, what it does, and its key.
pub(super) type Action = (usize, (TransactionAction, NamedKey));

/// Actions as one operation of each table.
pub(super) fn joined_actions(
    actions: Vec<Action>,
    wrap: impl Fn(Vec<TransactionAction>) -> Operation,
) -> Vec<Done> {
    let join = |(table, actions): (usize, Vec<(TransactionAction, NamedKey)>)| {
        let items = actions.len() as u64;
        let (actions, keys) = actions.into_iter().unzip();
        Done {
            table,
            index: None,
            operation: wrap(actions),
            keys,
            items,
            read: BTreeMap::new(),
        }
    };
    by_table(actions).into_iter().map(join).collect()
}

/// A transaction of writes as one operation of each table.
pub(super) fn joined_transaction(actions: Vec<Action>, outcome: TransactionOutcome) -> Vec<Done> {
    joined_actions(actions, |actions| Operation::TransactWriteItems {
        actions,
        outcome,
    })
}

/// How a transaction ended.
pub(super) fn outcome(failed: bool) -> TransactionOutcome {
    if failed {
        TransactionOutcome::Cancelled
    } else {
        TransactionOutcome::Committed
    }
}

/// Reads of one table, joined: sizes and keys.
fn joined_reads(
    table: usize,
    reads: Vec<(Option<Bytes>, NamedKey)>,
    wrap: impl Fn(Vec<Option<Bytes>>) -> Operation,
) -> Done {
    let items = reads.iter().filter(|(item, _)| item.is_some()).count() as u64;
    let (sizes, keys) = reads.into_iter().unzip();
    Done {
        table,
        index: None,
        operation: wrap(sizes),
        keys,
        items,
        read: BTreeMap::new(),
    }
}

/// The tables of a batch with their members.
fn request_items(body: &Value) -> Result<&serde_json::Map<String, Value>, CannotExecute> {
    body["RequestItems"]
        .as_object()
        .ok_or_else(|| wrong("RequestItems is missing"))
}

impl Requests<'_> {
    /// The members of a batch that AWS left unprocessed.
    fn unprocessed(&self) -> Result<Unprocessed, CannotExecute> {
        let mut all = Vec::new();
        let levels = self.request.unprocessed.iter().filter_map(Value::as_object);
        for (name, level) in levels.flatten() {
            let table = self.table_of(name)?;
            let members = if level.is_array() {
                list(level)
            } else {
                list(&level["Keys"])
            };
            for one in members {
                let key = [&one["PutRequest"]["Item"], &one["DeleteRequest"]["Key"]]
                    .into_iter()
                    .find(|key| !key.is_null())
                    .unwrap_or(one);
                all.push((table, self.key_of(table, &item_of(key, "unprocessed")?)?));
            }
        }
        Ok(Unprocessed(all))
    }

    pub(super) fn batch_get(&mut self, body: &Value) -> Result<Vec<Done>, CannotExecute> {
        let mut all = Vec::new();
        let mut left = self.unprocessed()?;
        for (name, level) in request_items(body)? {
            let table = self.table_of(name)?;
            let mut reads = Vec::new();
            for one in list(&level["Keys"]) {
                let values = self.key_of(table, &item_of(one, "Keys")?)?;
                if !left.take(table, &values) {
                    reads.push((self.size_of(table, &values), NamedKey::of(&values)));
                }
            }
            if !reads.is_empty() {
                let consistency = consistency(level);
                all.push(joined_reads(table, reads, |items| {
                    Operation::BatchGetItem { items, consistency }
                }));
            }
        }
        left.all_found()?;
        Ok(all)
    }

    pub(super) fn transact_get(&mut self, body: &Value) -> Result<Vec<Done>, CannotExecute> {
        let mut reads = Vec::new();
        for one in list(&body["TransactItems"]) {
            let get = &one["Get"];
            let table = self.named(get)?;
            let values = self.key_of(table, &item_of(&get["Key"], "Key")?)?;
            reads.push((table, (self.size_of(table, &values), NamedKey::of(&values))));
        }
        let join = |(table, reads)| {
            joined_reads(table, reads, |items| Operation::TransactGetItems { items })
        };
        Ok(by_table(reads).into_iter().map(join).collect())
    }

    pub(super) fn batch_write(&mut self, body: &Value) -> Result<Vec<Done>, CannotExecute> {
        let mut planned = Vec::new();
        let mut left = self.unprocessed()?;
        for (name, requests) in request_items(body)? {
            let table = self.table_of(name)?;
            for one in list(requests) {
                let member = self.batch_member(table, one)?;
                if !left.take(table, &member.key) {
                    planned.push(member);
                }
            }
        }
        left.all_found()?;
        let write = |action| match action {
            TransactionAction::Write(write) => Some(write),
            TransactionAction::ConditionCheck(_) => None,
        };
        let actions = self.write_all(planned);
        Ok(joined_actions(actions, |actions| {
            Operation::BatchWriteItem(actions.into_iter().filter_map(write).collect())
        }))
    }

    /// One member of a BatchWriteItem.
    fn batch_member(&self, table: usize, member: &Value) -> Result<Planned, CannotExecute> {
        match (member.get("PutRequest"), member.get("DeleteRequest")) {
            (Some(put), _) => self.put(table, item_of(&put["Item"], "PutRequest.Item")?),
            (None, Some(delete)) => Ok(Planned {
                table,
                key: self.key_of(table, &item_of(&delete["Key"], "DeleteRequest.Key")?)?,
                effect: Effect::Becomes(None),
            }),
            (None, None) => Err(wrong(
                "a member of RequestItems is neither PutRequest nor DeleteRequest",
            )),
        }
    }

    /// Executes planned writes.
    fn write_all(&mut self, planned: Vec<Planned>) -> Vec<Action> {
        let failed = self.is_failed();
        let mut actions = Vec::new();
        for one in planned {
            let (table, key) = (one.table, NamedKey::of(&one.key));
            actions.push((table, (self.write(one, failed), key)));
        }
        actions
    }

    pub(super) fn transact_write(&mut self, body: &Value) -> Result<Vec<Done>, CannotExecute> {
        let failed = self.is_failed();
        let token = body["ClientRequestToken"].as_str().filter(|_| !failed);
        if let Some(first) = token.and_then(|token| self.tokens.first(token, self.time)) {
            return Ok(joined_transaction(first, TransactionOutcome::Replayed));
        }
        let mut planned = Vec::new();
        for (at, member) in list(&body["TransactItems"]).iter().enumerate() {
            planned.push(self.transaction_member(at, member)?);
        }
        let actions = self.write_all(planned);
        if let Some(token) = token {
            self.tokens.remember(token, self.time, actions.clone());
        }
        Ok(joined_transaction(actions, outcome(failed)))
    }

    /// One member of a TransactWriteItems.
    fn transaction_member(&self, at: usize, member: &Value) -> Result<Planned, CannotExecute> {
        let only = member.as_object().and_then(|member| member.iter().next());
        let (kind, level) = only.ok_or_else(|| wrong("a member of TransactItems is empty"))?;
        let table = self.named(level)?;
        let key = || item_of(&level["Key"], "Key");
        match kind.as_str() {
            "Put" => self.put(table, item_of(&level["Item"], "Put.Item")?),
            "Update" => {
                let after = given_at(self.request.item_after.as_ref(), at);
                self.update((table, &key()?), level, after)
            }
            "Delete" => self.delete(level, &key()?),
            "ConditionCheck" => Ok(Planned {
                effect: Effect::Check,
                ..self.delete(level, &key()?)?
            }),
            other => Err(wrong(format!(
                "TransactItems[{at}]: found {other}; expected Put, Update, Delete or \
                 ConditionCheck"
            ))),
        }
    }
}
