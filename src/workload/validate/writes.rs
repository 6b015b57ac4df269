//! Writes: what one write of an access pattern does, and the writes of a batch or a transaction.

use super::Checker;
use super::counts::Allowed;
use super::pattern::{CheckedAccess, Family, PatternItems};
use crate::table::{Table, limits};
use crate::units::Exact;
use crate::workload::decode::{FileNumber, Known, Located};
use crate::workload::file::{
    AccessFile, ActionFile, ActionWord, ItemsFile, OperationWord, StatementWord,
};
use crate::workload::membership::Presence;
use crate::workload::sizes::SizeClasses;
use crate::workload::{Counts, ItemsBefore, PatternCall, WriteKind, WritePlan};

/// The names of attributes, where they are written.
pub(super) type Names<'a> = Option<&'a Located<Vec<Located<String>>>>;

/// What is written about one write: the keys of an access pattern or of an action.
#[derive(Clone, Copy)]
pub(super) struct WrittenPlan<'a> {
    missing: Option<&'a Located<FileNumber>>,
    overwrites: Option<&'a Located<FileNumber>>,
    changes: Names<'a>,
    sets: Names<'a>,
    removes: Names<'a>,
    /// The size of the item before the write.
    before: Option<&'a SizeClasses>,
}

impl<'a> WrittenPlan<'a> {
    pub(super) fn of(access: &'a AccessFile, before: Option<&'a SizeClasses>) -> Self {
        Self {
            missing: access.missing.as_ref(),
            overwrites: access.overwrites.as_ref(),
            changes: access.changes.as_ref(),
            sets: access.sets.as_ref(),
            removes: access.removes.as_ref(),
            before,
        }
    }
}

impl Checker<'_> {
    pub(super) fn plan(
        &mut self,
        kind: WriteKind,
        written: WrittenPlan,
        (items, table): (&PatternItems, &Table),
    ) -> WritePlan {
        let WrittenPlan {
            missing,
            overwrites,
            changes,
            sets,
            removes,
            ..
        } = written;
        let misplaced = match kind {
            WriteKind::Put => missing.map(|missing| {
                (
                    &missing.span,
                    "a put does not support `missing`",
                    "write `overwrites`, the share of puts that replace an item",
                )
            }),
            _ => overwrites.map(|overwrites| {
                (
                    &overwrites.span,
                    "only a put supports `overwrites`",
                    "write `missing`, the share that finds no item",
                )
            }),
        };
        if let Some((span, message, help)) = misplaced {
            self.report("not-for-this-operation", &span.clone(), message, help);
        }
        let says = PresenceSaid {
            sets: texts(sets),
            removes: texts(removes),
            changes: texts(changes),
        };
        self.attributes_fit(kind, &written, (items, table));
        let finds = match kind {
            WriteKind::Put => self.share(overwrites, Exact::zero()),
            _ => Exact::one() - self.share(missing, Exact::zero()),
        };
        let (sizes, before) = says.images(items, written.before, table);
        let added = || says.sets.iter().chain(&says.removes).cloned();
        WritePlan {
            kind,
            finds,
            changes: match changes {
                Some(_) => Some(says.changes.iter().cloned().chain(added()).collect()),
                None if says.is_empty() || kind != WriteKind::Update => None,
                None => Some(added().collect()),
            },
            entity: items.entity,
            sizes,
            before,
        }
    }

    /// Checks the attributes that a write sets, removes or changes.
    fn attributes_fit(
        &mut self,
        kind: WriteKind,
        written: &WrittenPlan,
        (items, table): (&PatternItems, &Table),
    ) {
        let (changes, sets, removes) = (written.changes, written.sets, written.removes);
        let (changed, set, removed) = (listed(changes), listed(sets), listed(removes));
        for change in changed.iter().chain(set).chain(removed) {
            if table.keys.names().any(|key| key == change.value) {
                let message = format!(
                    "{:?} is part of the primary key, which a write cannot change",
                    change.value
                );
                self.report(
                    "changes",
                    &change.span,
                    message,
                    "model it as a Delete and a Put, preferably in one TransactWriteItems",
                );
            }
        }
        for twice in removed.iter().chain(changed) {
            let mut others = set.iter().chain(removed.iter().filter(|one| *one != twice));
            if others.any(|one| one.value == twice.value) {
                let message = format!(
                    "{:?} is named twice among `sets`, `removes` and `changes`",
                    twice.value
                );
                let help = "`sets`: the item has it only after the write; `removes`: only before \
                            it; `changes`: before and after";
                self.report("changes", &twice.span, message, help);
            }
        }
        let not_allowed = match kind {
            WriteKind::Delete => [changes, sets],
            WriteKind::ConditionCheck => [changes.or(removes), sets],
            WriteKind::Put | WriteKind::Update => [None, None],
        };
        for names in not_allowed.into_iter().flatten() {
            self.report(
                "not-for-this-operation",
                &names.span,
                "a Delete or a ConditionCheck does not change attributes",
                "remove it",
            );
        }
        if items.kind.is_none() && items.sizes.is_some() && !(set.is_empty() && removed.is_empty())
        {
            let place = sets.or(removes).map(|names| names.span.clone());
            self.report(
                "entity",
                &place.unwrap_or_default(),
                "the table has entities, and it is not said which of them the write is of",
                "add `entity = \"…\"`",
            );
        }
    }

    /// A batch or a transaction: its actions, or a number of identical items.
    pub(super) fn several(
        &mut self,
        checked: &CheckedAccess,
        family: Family,
    ) -> Option<PatternCall> {
        let access = checked.access;
        let (most, transaction) = match family {
            Family::Transaction => (limits::TRANSACTION_ITEMS_MAX, true),
            _ => (limits::BATCH_WRITE_ITEMS_MAX, false),
        };
        let kind = match access.statement.as_ref().map(|statement| statement.value) {
            Some(StatementWord::Update) => WriteKind::Update,
            Some(StatementWord::Delete) => WriteKind::Delete,
            _ => WriteKind::Put,
        };
        let plans = self.plans(checked, (kind, most))?;
        let count: Exact = plans.iter().map(|(_, counts)| counts.limited()).sum();
        if count < Exact::one() || count > Exact::from(most) {
            let message = format!(
                "one {} must have 1 to {most} items, found {count}",
                access.operation.word()
            );
            self.report(
                "batch-size",
                &access.operation.span,
                message,
                "split the call",
            );
        }
        if !transaction {
            return Some(PatternCall::Write {
                plans,
                condition_failures: Exact::zero(),
            });
        }
        let cancelled = self.share(access.cancelled.as_ref(), Exact::zero());
        let replayed = self.share(access.replayed.as_ref(), Exact::zero());
        if &cancelled + &replayed > Exact::one() {
            let message = "`cancelled` and `replayed` together exceed all calls";
            self.report(
                "shares-of-calls",
                &access.operation.span,
                message,
                "both are shares of all calls; lower one of them",
            );
        }
        Some(PatternCall::Transaction {
            plans,
            cancelled,
            replayed,
        })
    }

    /// The writes of a batch or a transaction, and the number of each.
    fn plans(
        &mut self,
        checked: &CheckedAccess,
        (kind, most): (WriteKind, u64),
    ) -> Option<Vec<(WritePlan, Counts)>> {
        let (access, table) = (checked.access, checked.of.table);
        let written = WrittenPlan::of(access, checked.before.as_ref());
        match (&access.actions, &access.items) {
            (Some(actions), None) => actions
                .iter()
                .map(|action| self.action(action, checked))
                .collect(),
            (None, Some(items)) => {
                let allowed = Allowed::batch("the number of items of one call", most);
                let parts = match &items.value {
                    Known::Unknown => vec![(checked.items.clone(), Counts::of(1))],
                    Known::Given(ItemsFile::One(count)) => {
                        let counts = self.counts(count, &items.span, &allowed)?;
                        vec![(checked.items.clone(), counts)]
                    }
                    Known::Given(ItemsFile::ByEntity(counts)) => {
                        self.by_entity(counts, &items.span, &allowed, checked)?
                    }
                };
                let plan = |(items, counts): (PatternItems, Counts)| {
                    (self.plan(kind, written, (&items, table)), counts)
                };
                Some(parts.into_iter().map(plan).collect())
            }
            _ => {
                let message = format!(
                    "{} needs either `actions` or `items`",
                    access.operation.word()
                );
                let example =
                    "write `actions = [{ operation = \"Put\" }, { operation = \"Delete\" }]`";
                let help = if most == limits::TRANSACTION_ITEMS_MAX {
                    example.to_string()
                } else {
                    format!("{example}, or `items = 25` for 25 puts")
                };
                self.report("needs", &access.operation.span, message, help);
                None
            }
        }
    }

    fn action(
        &mut self,
        action: &Located<ActionFile>,
        checked: &CheckedAccess,
    ) -> Option<(WritePlan, Counts)> {
        let operation = checked.access.operation.value;
        let kind = match action.operation.value {
            ActionWord::Put => WriteKind::Put,
            ActionWord::Update => WriteKind::Update,
            ActionWord::Delete => WriteKind::Delete,
            ActionWord::ConditionCheck => WriteKind::ConditionCheck,
        };
        let (refused, help) = match operation {
            OperationWord::BatchWriteItem => (
                matches!(kind, WriteKind::Update | WriteKind::ConditionCheck),
                "a BatchWriteItem can contain only Put and Delete; use UpdateItem calls, or a \
                 TransactWriteItems",
            ),
            OperationWord::BatchExecuteStatement => (
                kind == WriteKind::ConditionCheck,
                "a BatchExecuteStatement can contain only Put (INSERT), Update and Delete",
            ),
            _ => (false, ""),
        };
        if refused {
            let message = format!(
                "{} does not support {}",
                operation.word(),
                action.operation.word()
            );
            self.report(
                "not-for-this-operation",
                &action.operation.span,
                message,
                help,
            );
        }
        let allowed = Allowed::batch("count", limits::TRANSACTION_ITEMS_MAX);
        let counts = match &action.count {
            Some(count) => self.counts(count, &count.span, &allowed)?,
            None => Counts::of(1),
        };
        let items = match &action.entity {
            Some(name) => self.items_of_entity(name, checked.of)?,
            None => checked.items.clone(),
        };
        let written = WrittenPlan {
            missing: action.missing.as_ref(),
            overwrites: action.overwrites.as_ref(),
            changes: action.changes.as_ref(),
            sets: action.sets.as_ref(),
            removes: action.removes.as_ref(),
            before: checked.before.as_ref(),
        };
        let plan = self.plan(kind, written, (&items, checked.of.table));
        Some((plan, counts))
    }
}

/// What a write says about the attributes of its item.
struct PresenceSaid {
    sets: Vec<String>,
    removes: Vec<String>,
    changes: Vec<String>,
}

impl PresenceSaid {
    /// Whether the item has the same attributes before and after the write.
    fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.removes.is_empty()
    }

    /// The items after the write, and before it.
    fn images(
        &self,
        items: &PatternItems,
        given: Option<&SizeClasses>,
        table: &Table,
    ) -> (Option<SizeClasses>, ItemsBefore) {
        let same = || given.map_or(ItemsBefore::Same, |sizes| ItemsBefore::Given(sizes.clone()));
        let Some(kind) = &items.kind else {
            return (items.sizes.clone(), same());
        };
        // An attribute that changes was there before, and is there afterwards.
        let stays: Vec<Presence> = self
            .changes
            .iter()
            .filter(|name| kind.may_lack(name, table))
            .map(|name| (name.as_str(), true))
            .collect();
        if self.is_empty() {
            let sizes = match stays.is_empty() {
                true => items.sizes.clone(),
                false => Some(kind.sizes(table, &stays)),
            };
            return (sizes, same());
        }
        let image = |has_set: bool| {
            let set = self.sets.iter().map(|name| (name.as_str(), has_set));
            let removed = self.removes.iter().map(|name| (name.as_str(), !has_set));
            let known: Vec<Presence> = set.chain(removed).chain(stays.iter().copied()).collect();
            kind.sizes(table, &known)
        };
        let before = match given.and_then(|sizes| sizes.iter().next()) {
            Some(given) => image(false).of_size(given),
            None => image(false),
        };
        (Some(image(true)), ItemsBefore::Paired(before))
    }
}

/// The names of attributes, as texts.
fn texts(names: Names) -> Vec<String> {
    listed(names)
        .iter()
        .map(|name| name.value.clone())
        .collect()
}

fn listed(names: Names<'_>) -> &[Located<String>] {
    names.map_or(&[], |names| names.value.as_slice())
}
