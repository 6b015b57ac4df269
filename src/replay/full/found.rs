//! Counts what a request does to the items of each entity, for a workload file made of the trace.

use std::collections::BTreeSet;

use super::Events;
use super::requests::{Changed, Done};
use crate::replay::dynamodb::key::NamedKey;
use crate::replay::tally::found::{FoundAction, FoundKind, FoundMember, KeyEffect};
use crate::table::{
    ApiName, Consistency, KeyStart, Operation, TransactionAction, TransactionOutcome, Write,
    WriteOutcome,
};
use crate::trace::Request;

/// A member of an operation: what it does, whether it finds an item, and how it ends.
type Member = (FoundAction, bool, WriteOutcome);

impl Events<'_> {
    /// Counts a request on one table.
    pub(super) fn found(&mut self, request: &Request, done: &Done, changes: &[Changed]) {
        let members = members(&done.operation);
        let table = &self.engine.tables.list[done.table].design.table;
        let keys: BTreeSet<&String> = table.indexes.iter().flat_map(|index| &index.keys).collect();
        let change_of = |key: &NamedKey| {
            let mut own = changes.iter().filter(|one| one.table == done.table);
            own.find(|one| one.key.hash == key.key.hash)
        };
        let effect = |(action, ..): &Member, key: &NamedKey| -> KeyEffect {
            match (action, change_of(key)) {
                (FoundAction::Put, Some(change)) => change.keys.clone(),
                (FoundAction::Update, Some(change)) => {
                    let own = change
                        .attributes
                        .iter()
                        .filter(|(name, _)| keys.contains(name));
                    own.cloned().collect()
                }
                _ => KeyEffect::new(),
            }
        };
        let effects = members.iter().zip(&done.keys);
        let effects: Vec<KeyEffect> = effects.map(|(member, key)| effect(member, key)).collect();
        let is_single = done.keys.len() == 1;
        let start = match done.keys.first() {
            Some(key) if is_single => key.start.clone(),
            _ => KeyStart::default(),
        };
        let calls = self.engine.tally.totals.found.calls(FoundKind {
            table: done.table,
            api: equivalent(request.api, &done.operation),
            index: done.index,
            strong: is_strong(&done.operation),
            start,
            effect: match effects.as_slice() {
                [only] if is_single => only.clone(),
                _ => KeyEffect::new(),
            },
        });
        calls.calls += 1;
        if is_repeated(&done.operation) {
            calls.repeated += 1;
        }
        let failed = members
            .iter()
            .any(|(.., outcome)| *outcome != WriteOutcome::Applied);
        calls.failed += u64::from(failed || is_cancelled(&done.operation));
        let read: u64 = done.read.values().sum();
        if is_page(&done.operation) {
            calls.count(read);
        }
        for (start, items) in &done.read {
            let member = FoundMember {
                start: start.clone(),
                action: FoundAction::Read,
                effect: KeyEffect::new(),
            };
            let found = calls.items.entry(member).or_default();
            found.items += items;
            found.found += items;
        }
        let members = members.iter().zip(&done.keys).zip(effects);
        for (((action, found, _), key), effect) in members {
            let member = FoundMember {
                start: key.start.clone(),
                action: *action,
                effect,
            };
            let items = calls.item(member, *found);
            if *action == FoundAction::Update {
                for (name, how) in change_of(key).iter().flat_map(|one| &one.attributes) {
                    items.changed.entry(name.clone()).or_default()[*how as usize] += 1;
                }
            }
        }
    }
}

/// Whether an operation reads pages.
fn is_page(operation: &Operation) -> bool {
    match operation {
        Operation::Query(_) | Operation::Scan(_) => true,
        Operation::ExecuteStatement(inner) => is_page(inner),
        _ => false,
    }
}

/// The API call that a statement is equivalent to; any other call is itself.
fn equivalent(api: ApiName, operation: &Operation) -> ApiName {
    let Operation::ExecuteStatement(inner) = operation else {
        return api;
    };
    match inner.as_ref() {
        Operation::GetItem { .. } => ApiName::GetItem,
        Operation::Query(_) => ApiName::Query,
        Operation::Scan(_) => ApiName::Scan,
        Operation::PutItem(_) => ApiName::PutItem,
        Operation::UpdateItem(_) => ApiName::UpdateItem,
        Operation::DeleteItem(_) => ApiName::DeleteItem,
        _ => api,
    }
}

/// Whether an operation reads with strong consistency.
fn is_strong(operation: &Operation) -> bool {
    match operation {
        Operation::GetItem { consistency, .. } | Operation::BatchGetItem { consistency, .. } => {
            *consistency == Consistency::Strong
        }
        Operation::Query(page) | Operation::Scan(page) => page.consistency == Consistency::Strong,
        Operation::ExecuteStatement(inner) => is_strong(inner),
        _ => false,
    }
}

fn ending(operation: &Operation) -> Option<TransactionOutcome> {
    match operation {
        Operation::TransactWriteItems { outcome, .. } => Some(*outcome),
        Operation::ExecuteTransaction(inner) => ending(inner),
        _ => None,
    }
}

fn is_repeated(operation: &Operation) -> bool {
    ending(operation) == Some(TransactionOutcome::Replayed)
}

fn is_cancelled(operation: &Operation) -> bool {
    ending(operation) == Some(TransactionOutcome::Cancelled)
}

/// The members of an operation; none of a page.
fn members(operation: &Operation) -> Vec<Member> {
    let read = |found: bool| (FoundAction::Read, found, WriteOutcome::Applied);
    let write = |action: FoundAction, write: &Write| (action, write.old.is_some(), write.outcome);
    match operation {
        Operation::GetItem { item, .. } => vec![read(item.is_some())],
        Operation::BatchGetItem { items, .. } | Operation::TransactGetItems { items } => {
            items.iter().map(|item| read(item.is_some())).collect()
        }
        Operation::PutItem(one) => vec![write(FoundAction::Put, one)],
        Operation::UpdateItem(one) => vec![write(FoundAction::Update, one)],
        Operation::DeleteItem(one) | Operation::TimeToLiveDelete(one) => {
            vec![write(FoundAction::Delete, one)]
        }
        Operation::BatchWriteItem(all) => {
            let member = |one: &Write| match one.new {
                Some(_) => write(FoundAction::Put, one),
                None => write(FoundAction::Delete, one),
            };
            all.iter().map(member).collect()
        }
        Operation::TransactWriteItems { actions, .. } => actions.iter().map(action).collect(),
        Operation::ExecuteStatement(inner) | Operation::ExecuteTransaction(inner) => members(inner),
        _ => Vec::new(),
    }
}

/// A member of a transaction. A transaction does not say of an item that stays whether it was put or
/// updated: what leaves an item in place counts as an update.
fn action(action: &TransactionAction) -> Member {
    match action {
        TransactionAction::ConditionCheck(item) => {
            (FoundAction::Check, item.is_some(), WriteOutcome::Applied)
        }
        TransactionAction::Write(write) => {
            let kind = match (write.old, write.new) {
                (_, None) => FoundAction::Delete,
                (None, Some(_)) => FoundAction::Put,
                (Some(_), Some(_)) => FoundAction::Update,
            };
            (kind, write.old.is_some(), write.outcome)
        }
    }
}
