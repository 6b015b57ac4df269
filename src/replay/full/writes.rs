//! Writes of rows that know sizes, or some of them.

use super::Events;
use super::calls::SizedItem;
use super::requests::conflicting;
use crate::replay::engine::{CallSite, Engine};
use crate::replay::error::CannotExecute;
use crate::replay::state::sizes::{KeyFraction, SizeSource, SizedImages, drawn, salt, same_action};
use crate::table::{
    ApiName, Direction, Operation, TransactionAction, TransactionOutcome, Transition, Write,
    WriteOutcome,
};
use crate::trace::{Failure, MemberAction, SkipReason, TracedCall};
use crate::units::Bytes;
use crate::workload::{ItemsBefore, SizeClasses, WritePlan};

/// The write of a row: what it does, and the item before and after it.
struct RowWrite<'c> {
    call: &'c TracedCall,
    action: MemberAction,
    old: SizedItem,
    new: Option<(Bytes, SizeSource)>,
    /// The changed attributes: from the row, else from the access pattern, else unknown.
    changes: Option<Vec<String>>,
    /// The sizes that the item is of before the write, and after it.
    kinds: [Option<SizeClasses>; 2],
}

/// The part of an access pattern that does the same as a row.
#[derive(Default)]
struct Expected {
    sizes: Option<SizeClasses>,
    before: Option<SizeClasses>,
    plan: Option<WritePlan>,
}

impl RowWrite<'_> {
    fn has_failed(&self) -> bool {
        self.call.failure.is_some()
    }

    fn is_applied(&self) -> bool {
        !self.has_failed() && !self.call.replayed && self.action != MemberAction::ConditionCheck
    }

    fn old_bytes(&self) -> Option<u32> {
        self.old.0.map(|bytes| bytes.0 as u32)
    }

    fn new_bytes(&self) -> Option<u32> {
        self.new.map(|(bytes, _)| bytes.0 as u32)
    }

    /// Whether it leaves the item as it was: then it has no stream record (rule 5.2).
    fn changes_nothing(&self) -> bool {
        let lists_nothing = self.changes.as_ref().is_some_and(Vec::is_empty);
        lists_nothing && self.old.0.is_some() && self.old.0 == self.new.map(|(bytes, _)| bytes)
    }

    /// The size that decides how well the units are known, and its source.
    fn size(&self) -> SizedItem {
        match self.new {
            Some((bytes, SizeSource::Drawn)) => (Some(bytes), SizeSource::Drawn),
            Some((_, source)) if self.action == MemberAction::Put => (None, source),
            _ => self.old,
        }
    }

    /// What the write does to the entries of every index, at some sizes, and the indexes whose
    /// entries are unknown.
    fn transitions(
        &self,
        engine: &Engine,
        table: usize,
        old: Option<u32>,
        new: Option<u32>,
    ) -> (Vec<Transition>, Vec<usize>) {
        let changes = self.changes.as_ref();
        let changes: Option<Vec<&str>> =
            changes.map(|names| names.iter().map(String::as_str).collect());
        let [before, after] = &self.kinds;
        let images = SizedImages {
            old,
            new,
            before: before.as_ref(),
            after: after.as_ref(),
        };
        let state = engine.state(table);
        state.transitions(self.call.key.hash, images, changes.as_deref())
    }

    fn write(&self, old: Option<Bytes>, new: Option<Bytes>, indexes: Vec<Transition>) -> Write {
        let in_transaction = self.call.api == ApiName::TransactWriteItems;
        Write {
            old,
            new,
            indexes,
            outcome: if self.has_failed() && !in_transaction {
                WriteOutcome::ConditionFailed
            } else {
                WriteOutcome::Applied
            },
        }
    }

    fn operation(&self, write: Write) -> Operation {
        let conflicts = self.call.failure == Some(Failure::Cancelled);
        match self.call.api {
            ApiName::TransactWriteItems => Operation::TransactWriteItems {
                outcome: match (self.has_failed(), self.call.replayed) {
                    (true, _) => TransactionOutcome::Cancelled,
                    (false, true) => TransactionOutcome::Replayed,
                    (false, false) => TransactionOutcome::Committed,
                },
                actions: vec![match self.action {
                    MemberAction::ConditionCheck => TransactionAction::ConditionCheck(write.old),
                    _ => TransactionAction::Write(write),
                }],
            },
            // A failure that costs nothing never comes here; any other is a condition that failed.
            _ if conflicts => conflicting(write),
            ApiName::TimeToLiveDelete => Operation::TimeToLiveDelete(write),
            ApiName::BatchWriteItem => Operation::BatchWriteItem(vec![write]),
            ApiName::UpdateItem => Operation::UpdateItem(write),
            ApiName::DeleteItem => Operation::DeleteItem(write),
            _ => Operation::PutItem(write),
        }
    }

    /// The operation if the item before and after had another size.
    fn resized(&self, engine: &Engine, table: usize, size: Bytes) -> Operation {
        let bytes = |there: Option<u32>| there.map(|_| size.0 as u32);
        let (old, new) = (bytes(self.old_bytes()), bytes(self.new_bytes()));
        let (indexes, _) = self.transitions(engine, table, old, new);
        let item = |there: Option<u32>| there.map(|_| size);
        self.operation(self.write(item(old), item(new), indexes))
    }
}

impl Events<'_> {
    /// Executes the write of a row.
    pub(super) fn row_write(
        &mut self,
        site: &CallSite,
        call: &TracedCall,
    ) -> Result<(), CannotExecute> {
        let site = &CallSite {
            index: None,
            ..*site
        };
        let write = match self.read_write(site, call)? {
            Ok(write) => write,
            Err(why) => {
                self.unmetered(site, why);
                return Ok(());
            }
        };
        let table = site.table;
        self.count(table, Direction::Write, write.size(), |engine, size| {
            write.resized(engine, table, size)
        });
        let (old, new) = (write.old_bytes(), write.new_bytes());
        let (indexes, unknown) = write.transitions(self.engine, table, old, new);
        let after = write.new.map(|(bytes, _)| bytes);
        let operation = write.operation(write.write(write.old.0, after, indexes));
        if write.is_applied() {
            let state = &mut self.engine.tables.list[table];
            state
                .store
                .set(state.slot(&call.key), call.key.hash, new, false);
        }
        let totals = &mut self.engine.tally.totals;
        if call.api == ApiName::TimeToLiveDelete {
            totals.time_to_live.insert(table);
        }
        let kind = site.kind(operation.direction());
        let traced = totals.call(kind);
        traced.calls += 1;
        traced.touched += 1;
        traced.unknown_indexes.extend(unknown);
        let before = (traced.captured, traced.replicated_bytes);
        self.engine.consume(site, &operation, &call.key);
        if write.changes_nothing() {
            let traced = self.engine.tally.totals.call(kind);
            (traced.captured, traced.replicated_bytes) = before;
        }
        if !write.is_applied() {
            return Ok(());
        }
        // Reads that waited for the size came before the write.
        if let Some(bytes) = new {
            self.wake(table, call.key.hash, bytes);
        }
        let is_expired = call.api == ApiName::TimeToLiveDelete;
        if !is_expired && !self.engine.passes_dax(site, self.names) {
            let in_transaction = call.api == ApiName::TransactWriteItems;
            self.engine
                .written_through_dax(site, &call.key, after, in_transaction);
        }
        Ok(())
    }

    /// Reads what a row writes; the inner error is why its units are unknown.
    fn read_write<'c>(
        &mut self,
        site: &CallSite,
        call: &'c TracedCall,
    ) -> Result<Result<RowWrite<'c>, &'static str>, CannotExecute> {
        let action = self.action(call);
        let expected = self.expected(site, call, action);
        let Some(old) = self.item_before(site, call, action, &expected) else {
            return Ok(Err(
                "the row has no sizes, nothing is known about the key, and no workload gives sizes",
            ));
        };
        let new = match (action, call.item_bytes) {
            (MemberAction::Delete | MemberAction::ConditionCheck, _) => None,
            (_, Some(0)) => {
                return Err((
                    SkipReason::WrongType,
                    "item_bytes is 0, but a put or an update always leaves an item".to_string(),
                ));
            }
            (_, Some(bytes)) => Some((Bytes(bytes.into()), SizeSource::Row)),
            (_, None) => match self.item_after(site, call, (action, old), &expected) {
                Some(new) => Some(new),
                None => {
                    return Ok(Err(
                        "the row has no item_bytes, and no workload gives sizes",
                    ));
                }
            },
        };
        let from_row = call.changes.map(|changes| self.names.text(changes));
        let has_indexes = !self
            .engine
            .state(site.table)
            .design
            .table
            .indexes
            .is_empty();
        if from_row.is_none() && old.0.is_some() && new.is_some() && has_indexes {
            self.engine.tally.totals.provenance.changes_assumed += 1;
        }
        let changes = match from_row {
            Some(text) => {
                let names = text
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty());
                Some(names.map(str::to_string).collect())
            }
            None => expected.plan.as_ref().and_then(|plan| plan.changes.clone()),
        };
        Ok(Ok(RowWrite {
            call,
            action,
            old,
            new,
            changes,
            kinds: [expected.before, expected.sizes],
        }))
    }

    /// What the row does: a put if a member of a batch or a transaction does not say.
    fn action(&mut self, call: &TracedCall) -> MemberAction {
        let of_many = matches!(
            call.api,
            ApiName::BatchWriteItem | ApiName::TransactWriteItems
        );
        if call.action.is_none() && of_many {
            self.engine.tally.totals.provenance.actions_assumed += 1;
        }
        call.action.unwrap_or(match call.api {
            ApiName::DeleteItem | ApiName::TimeToLiveDelete => MemberAction::Delete,
            ApiName::UpdateItem => MemberAction::Update,
            _ => MemberAction::Put,
        })
    }

    /// The sizes and the plan of the access pattern, else the sizes of the entity or of the table.
    fn expected(&self, site: &CallSite, call: &TracedCall, action: MemberAction) -> Expected {
        let entity = self.entity(site, call);
        let does = |plan: &WritePlan| {
            let is_own = entity.is_none() || plan.entity.is_none() || plan.entity == entity;
            same_action(plan.kind, action) && is_own
        };
        let plan = self
            .pattern(site)
            .and_then(|pattern| pattern.call.plans().iter().find(|(plan, _)| does(plan)))
            .map(|(plan, _)| plan.clone());
        let sizes = match &plan {
            Some(plan) => plan.sizes.clone(),
            None => self.sizes(site, call).cloned(),
        };
        let before = match plan.as_ref().map(|plan| &plan.before) {
            Some(ItemsBefore::Paired(before)) => Some(before.clone()),
            _ => sizes.clone(),
        };
        Expected {
            sizes,
            before,
            plan,
        }
    }

    /// The item before the write; `None` if nothing is known about it.
    fn item_before(
        &mut self,
        site: &CallSite,
        call: &TracedCall,
        action: MemberAction,
        expected: &Expected,
    ) -> Option<SizedItem> {
        let found = self.item(site.table, call, (call.old_bytes, expected.before.as_ref()));
        let provenance = &mut self.engine.tally.totals.provenance;
        match found {
            Some((old, SizeSource::Drawn)) => {
                provenance.presence_assumed += 1;
                let is_there = match &expected.plan {
                    // A put's condition is assumed to fail because the item exists.
                    _ if call.failure == Some(Failure::Condition)
                        && action == MemberAction::Put =>
                    {
                        true
                    }
                    Some(plan) => KeyFraction::of(&plan.finds).holds(call.key.hash, salt::FINDS),
                    None => action != MemberAction::Put,
                };
                Some((old.filter(|_| is_there), SizeSource::Drawn))
            }
            Some(found) => Some(found),
            None if action == MemberAction::Put || call.item_bytes.is_some() => {
                provenance.presence_assumed += 1;
                Some((None, SizeSource::Assumed))
            }
            None => None,
        }
    }

    /// The item after a put or an update whose row does not give its size: an update leaves the
    /// size as it is, a put draws one.
    fn item_after(
        &self,
        site: &CallSite,
        call: &TracedCall,
        (action, (old, source)): (MemberAction, SizedItem),
        expected: &Expected,
    ) -> Option<(Bytes, SizeSource)> {
        let kept = old.map(|old| (old, source));
        if action == MemberAction::Update && kept.is_some() {
            return kept;
        }
        let is_declared = self.engine.state(site.table).declared;
        let sizes = expected.sizes.as_ref().filter(|_| is_declared);
        let class = sizes.map(|sizes| drawn(sizes, call.key.hash));
        class.map(|class| (class.item, SizeSource::Drawn)).or(kept)
    }
}
