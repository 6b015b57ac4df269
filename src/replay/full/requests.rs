//! API requests, executed in full against the tables in memory.
//!
//! Conditions come from the recorded error; the rest is evaluated: update expressions, key
//! conditions, pages. Values that a line gives (`item_after`, `evaluated_keys`) are used as they
//! are.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::meter::{change_data_capture_units, replicated_bytes, vector_write_bytes};
use crate::replay::dynamodb::expression::{Parser, legacy_update};
use crate::replay::dynamodb::key::{KeyValues, NamedKey, joined, named_key, start_of};
use crate::replay::engine::Engine;
use crate::replay::error::CannotExecute;
use crate::replay::state::tables::TableState;
use crate::replay::state::tokens::Tokens;
use crate::replay::tally::found::{Change, KeyEffect};
use crate::table::{
    ApiName, Arn, Consistency, Item, KeyStart, Operation, Table, TransactionAction,
    TransactionOutcome, Transition, Write, limits,
};
use crate::trace::{Failure, Request, SkipReason, Time, TracedKey};
use crate::units::Bytes;

/// Executes one request against the tables.
pub(super) struct Requests<'e> {
    pub(super) engine: &'e mut Engine,
    pub(super) tokens: &'e mut Tokens,
    pub(super) request: &'e Request,
    /// The item or the key of a call on one item, until it is executed.
    pub(super) item: Option<Item>,
    pub(super) time: Time,
    /// What writes that change nothing would have sent.
    pub(super) unchanged: Vec<Unchanged>,
    /// What updates change.
    pub(super) changed: Vec<Changed>,
    /// Bytes that writes are charged for vector indexes, by table and position.
    pub(super) vectors: BTreeMap<(usize, usize), u128>,
}

/// What a write does to the attributes of an item.
pub(super) struct Changed {
    pub(super) table: usize,
    pub(super) key: TracedKey,
    /// The attributes that it changes; of a new item, its keys of indexes.
    pub(super) attributes: KeyEffect,
    /// The keys of indexes that the item then has.
    pub(super) keys: KeyEffect,
}

/// The attributes that differ between two items.
fn changes(old: &Item, new: &Item) -> KeyEffect {
    let there = new
        .0
        .iter()
        .filter_map(|(name, value)| match old.get(name) {
            None => Some((name.clone(), Change::Sets)),
            Some(before) if before != value => Some((name.clone(), Change::Changes)),
            Some(_) => None,
        });
    let gone = old.0.keys().filter(|name| new.get(name).is_none());
    there
        .chain(gone.map(|name| (name.clone(), Change::Removes)))
        .collect()
}

/// A write of one item that a transaction in progress refuses: it costs what a cancelled transaction
/// costs (rule 3.7c).
pub(super) fn conflicting(write: Write) -> Operation {
    Operation::TransactWriteItems {
        actions: vec![TransactionAction::Write(write)],
        outcome: TransactionOutcome::Cancelled,
    }
}

/// The keys of indexes that a new item has.
fn index_keys(table: &Table, new: &Item) -> KeyEffect {
    let keys = table.indexes.iter().flat_map(|index| &index.keys);
    let mut names: Vec<&String> = keys.filter(|name| new.get(name).is_some()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| (name.clone(), Change::Sets))
        .collect()
}

/// What a write that changes nothing would have sent to streams and replicas.
pub(super) struct Unchanged {
    pub(super) table: usize,
    /// Change data capture units.
    pub(super) captured: u64,
    /// Bytes sent to replicas.
    pub(super) bytes: u64,
}

/// What a request does on one table, and the keys of its members, in their order.
pub(super) struct Done {
    pub(super) table: usize,
    pub(super) index: Option<usize>,
    pub(super) operation: Operation,
    pub(super) keys: Vec<NamedKey>,
    /// How many items it touched.
    pub(super) items: u64,
    /// The items of a page, by how their keys begin.
    pub(super) read: BTreeMap<KeyStart, u64>,
}

impl Done {
    /// An operation on one key.
    pub(super) fn of_key(table: usize, operation: Operation, key: NamedKey, items: u64) -> Done {
        Done {
            table,
            index: None,
            operation,
            keys: vec![key],
            items,
            read: BTreeMap::new(),
        }
    }
}

/// A write that will be executed: everything is read before anything changes.
pub(super) struct Planned {
    pub(super) table: usize,
    pub(super) key: KeyValues,
    pub(super) effect: Effect,
}

/// What a planned write does.
pub(super) enum Effect {
    /// The item after it; `None` if it is deleted.
    Becomes(Option<Item>),
    /// A condition check.
    Check,
}

pub(super) fn wrong(text: impl Into<String>) -> CannotExecute {
    (SkipReason::Request, text.into())
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn consistency(level: &Value) -> Consistency {
    if level["ConsistentRead"] == true {
        Consistency::Strong
    } else {
        Consistency::Eventual
    }
}

/// A key in words.
pub(super) fn shown(key: &KeyValues) -> String {
    let text = String::from_utf8_lossy(&joined(key)).into_owned();
    text.escape_debug().to_string()
}

pub(super) fn item_of(json: &Value, what: &str) -> Result<Item, CannotExecute> {
    if json.is_null() {
        return Err(wrong(format!("{what} is missing")));
    }
    Item::from_json(json).map_err(|error| wrong(format!("{what}: {error}")))
}

/// The entry at a position of a list that a line gives beside the request, if it is not null.
pub(super) fn given_at(list: Option<&Value>, at: usize) -> Option<&Value> {
    list.and_then(|list| list.get(at))
        .filter(|given| !given.is_null())
}

impl Requests<'_> {
    /// Executes the request, and returns what it does on each table.
    pub(super) fn execute(&mut self) -> Result<Vec<Done>, CannotExecute> {
        let request = self.request;
        let body = &request.request;
        Ok(match request.api {
            ApiName::PutItem => {
                let table = self.named(body)?;
                let item = self.own(body, "Item")?;
                let planned = self.put(table, item)?;
                self.single(planned, Operation::PutItem)
            }
            ApiName::UpdateItem => {
                let table = self.named(body)?;
                let key = self.own(body, "Key")?;
                let planned = self.update((table, &key), body, request.item_after.as_ref())?;
                self.single(planned, Operation::UpdateItem)
            }
            ApiName::DeleteItem => {
                let key = self.own(body, "Key")?;
                let planned = self.delete(body, &key)?;
                self.single(planned, Operation::DeleteItem)
            }
            ApiName::TimeToLiveDelete => {
                let key = self.own(body, "Key")?;
                let planned = self.delete(body, &key)?;
                let totals = &mut self.engine.tally.totals;
                totals.time_to_live.insert(planned.table);
                self.single(planned, Operation::TimeToLiveDelete)
            }
            ApiName::GetItem => vec![self.get_item(body)?],
            ApiName::Query | ApiName::Scan => vec![self.page(body)?],
            ApiName::BatchGetItem => self.batch_get(body)?,
            ApiName::BatchWriteItem => self.batch_write(body)?,
            ApiName::TransactGetItems => self.transact_get(body)?,
            ApiName::TransactWriteItems => self.transact_write(body)?,
            ApiName::ExecuteStatement => vec![self.execute_statement(body)?],
            ApiName::BatchExecuteStatement => self.batch_execute_statement(body)?,
            ApiName::ExecuteTransaction => self.execute_transaction(body)?,
            ApiName::CreateTable
            | ApiName::UpdateTable
            | ApiName::DeleteTable
            | ApiName::SearchVectors
            | ApiName::Free => Vec::new(),
        })
    }

    /// The item or the key of a call on one item, which was read with it if it is valid.
    fn own(&mut self, body: &Value, name: &str) -> Result<Item, CannotExecute> {
        match self.item.take() {
            Some(item) => Ok(item),
            None => item_of(&body[name], name),
        }
    }

    /// Whether the log says that the request failed.
    pub(super) fn is_failed(&self) -> bool {
        self.request.failure.is_some()
    }

    pub(super) fn state(&self, table: usize) -> &TableState {
        self.engine.state(table)
    }

    /// The table that a level of the request names.
    pub(super) fn named(&self, level: &Value) -> Result<usize, CannotExecute> {
        let name = level["TableName"].as_str();
        self.table_of(name.ok_or_else(|| wrong("TableName is missing"))?)
    }

    pub(super) fn table_of(&self, name: &str) -> Result<usize, CannotExecute> {
        self.engine.tables.of_request(Arn::of(name).table())
    }

    pub(super) fn key_of(&self, table: usize, item: &Item) -> Result<KeyValues, CannotExecute> {
        self.state(table).key_of(item)
    }

    pub(super) fn stored(&self, table: usize, key: &KeyValues) -> Option<&Item> {
        self.state(table).stored.get(key)
    }

    pub(super) fn size_of(&self, table: usize, key: &KeyValues) -> Option<Bytes> {
        let numbers = self.engine.switches.number_alignment;
        let design = &self.state(table).design.table;
        self.stored(table, key)
            .map(|item| design.item_size(item, numbers))
    }

    /// Executes a write of one key.
    fn single(&mut self, planned: Planned, wrap: fn(Write) -> Operation) -> Vec<Done> {
        let (table, key) = (planned.table, NamedKey::of(&planned.key));
        match self.write(planned, self.is_failed()) {
            TransactionAction::Write(write) => {
                let operation = match self.request.failure {
                    Some(Failure::Cancelled) => conflicting(write),
                    _ => wrap(write),
                };
                vec![Done::of_key(table, operation, key, 1)]
            }
            TransactionAction::ConditionCheck(_) => Vec::new(),
        }
    }

    fn get_item(&mut self, body: &Value) -> Result<Done, CannotExecute> {
        let table = self.named(body)?;
        let key = self.own(body, "Key")?;
        let values = self.key_of(table, &key)?;
        let item = self.size_of(table, &values);
        let operation = Operation::GetItem {
            item,
            consistency: consistency(body),
        };
        let items = u64::from(item.is_some());
        Ok(Done::of_key(table, operation, NamedKey::of(&values), items))
    }

    /// Executes a planned write, and describes it for the meter.
    pub(super) fn write(&mut self, planned: Planned, has_failed: bool) -> TransactionAction {
        let numbers = self.engine.switches.number_alignment;
        let Planned { table, key, effect } = planned;
        let Effect::Becomes(new) = effect else {
            return TransactionAction::ConditionCheck(self.size_of(table, &key));
        };
        let state = &mut self.engine.tables.list[table];
        state.has_items = true;
        let named = named_key(&key);
        let slot = state.slot(&named);
        let design = &state.design;
        let size = new
            .as_ref()
            .map(|item| design.table.item_size(item, numbers).0 as u32);
        // A write that changes nothing has no stream record (rule 5.2).
        let old = state.stored.get(&key);
        if let Some(old) = old.filter(|old| !has_failed && Some(*old) == new.as_ref()) {
            let bytes = Some(design.table.item_size(old, numbers));
            let same = Operation::PutItem(Write {
                old: bytes,
                new: bytes,
                ..Write::default()
            });
            self.unchanged.push(Unchanged {
                table,
                captured: change_data_capture_units(&same),
                bytes: replicated_bytes(&same).0,
            });
        }
        if let Some(new) = &new {
            let keys = index_keys(&state.design.table, new);
            let attributes = match old {
                Some(old) => changes(old, new),
                None => keys.clone(),
            };
            let found = &mut self.engine.tally.totals.found;
            let written = found.written(table, start_of(&key));
            written.add(new, &state.design.table, numbers);
            self.changed.push(Changed {
                table,
                key: named,
                attributes,
                keys,
            });
        }
        for (at, index) in design.vectors.iter().enumerate() {
            let view = |item| index.view(&design.table, item, numbers);
            let transition = Transition::of(
                old.and_then(view),
                new.as_ref().and_then(view),
                index.effect(&design.table, old, new.as_ref()),
            );
            let bytes = match has_failed {
                true => 0,
                false => vector_write_bytes(transition).0,
            };
            *self.vectors.entry((table, at)).or_default() += u128::from(bytes);
        }
        let write = state.write(key, new, has_failed, numbers);
        if !has_failed {
            state.store.set(slot, named.hash, size, false);
        }
        TransactionAction::Write(write)
    }

    /// Plans a put of an item. An item after an update may be larger than the limit: its limit
    /// counts what the statement writes (rule 11.4), and a recorded call without an error is
    /// trusted.
    pub(super) fn put(&self, table: usize, item: Item) -> Result<Planned, CannotExecute> {
        let bytes = item.size(self.engine.switches.number_alignment).0;
        if bytes > limits::ITEM_BYTES_MAX {
            let text =
                format!("a put of {bytes} bytes; DynamoDB accepts at most 409600 bytes (400 KB)");
            return Err((SkipReason::ItemSize, text));
        }
        Ok(Planned {
            table,
            key: self.key_of(table, &item)?,
            effect: Effect::Becomes(Some(item)),
        })
    }

    /// Plans a delete.
    pub(super) fn delete(&self, level: &Value, key: &Item) -> Result<Planned, CannotExecute> {
        let table = self.named(level)?;
        Ok(Planned {
            table,
            key: self.key_of(table, key)?,
            effect: Effect::Becomes(None),
        })
    }

    /// Plans an update: the item after it is given by the line, or evaluated. A failed update
    /// leaves the item unchanged.
    pub(super) fn update(
        &self,
        (table, key_item): (usize, &Item),
        level: &Value,
        after: Option<&Value>,
    ) -> Result<Planned, CannotExecute> {
        let key = self.key_of(table, key_item)?;
        let before = self.stored(table, &key);
        let new = match after {
            Some(Value::Null) => None,
            Some(after) => Some(item_of(after, "item_after")?),
            None => {
                let update = match (&level["UpdateExpression"], &level["AttributeUpdates"]) {
                    (Value::String(text), _) => Parser::new(text, level).and_then(Parser::update),
                    (_, legacy) => legacy_update(legacy),
                };
                match update.and_then(|update| update.apply(key_item, before)) {
                    Ok(item) => Some(item),
                    // A condition failed before the expression was evaluated.
                    Err(_) if self.is_failed() => before.cloned(),
                    Err(error) => {
                        return Err(wrong(format!(
                            "UpdateExpression: {error}; you can give the item after the update as \
                             item_after"
                        )));
                    }
                }
            }
        };
        Ok(Planned {
            table,
            key,
            effect: Effect::Becomes(new),
        })
    }
}
