//! Turns an access pattern into the operations that one call performs on average, each with its
//! weight.

use crate::dax;
use crate::meter::Switches;
use crate::table::{
    ApiName, Consistency, EntryEffect, Index, Operation, Projection, ReadPage, Table,
    TransactionAction, TransactionOutcome, Transition, Write, WriteOutcome,
};
use crate::units::{Bytes, Exact, MB};
use crate::workload::{
    AccessPattern, IndexEntry, PatternCall, SizeClass, SizeClasses, TableDesign, WriteKind,
    WritePlan, mean_of, sum_of,
};

/// How often something happens in a call: `parts` times a scale, which is an exact number in
/// [`Cases`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Weight {
    pub scale: usize,
    pub parts: u128,
}

/// One thing that a call does: an operation, how often a call does it on average, and its
/// description.
#[derive(Debug)]
pub(super) struct Case {
    pub operation: Operation,
    pub weight: Weight,
    /// The description and the rule for the units of the table itself.
    pub table: CaseReason,
    /// Whether only the units of the table itself count; those of indexes are in another case.
    pub table_only: bool,
    /// Whether the write leaves the item unchanged, so that it appears in no stream and no export.
    pub changes_nothing: bool,
}

/// The description of a case: what is metered, by which rule, and its size if it is a single item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CaseReason {
    pub rule: &'static str,
    pub what: &'static str,
    pub size: Option<Bytes>,
}

impl CaseReason {
    pub fn new(rule: &'static str, what: &'static str, size: Option<Bytes>) -> CaseReason {
        CaseReason { rule, what, size }
    }
}

/// Everything that one call does on average.
///
/// Sums over size classes are sums of integers; the exact fractions that multiply them, the scales,
/// are few.
#[derive(Debug, Default)]
pub(super) struct Cases {
    pub list: Vec<Case>,
    pub scales: Vec<Exact>,
    /// The index whose entry sizes a read needs but which are not known.
    pub unknown_read: Option<usize>,
}

impl Cases {
    /// A new scale.
    fn scale(&mut self, scale: Exact) -> usize {
        self.scales.push(scale);
        self.scales.len() - 1
    }

    fn push(&mut self, scale: usize, parts: u128, operation: Operation, table: CaseReason) {
        if parts > 0 && !self.scales[scale].is_zero() {
            self.list.push(Case {
                operation,
                weight: Weight { scale, parts },
                table,
                table_only: false,
                changes_nothing: false,
            });
        }
    }

    /// A case with its own scale.
    fn push_alone(&mut self, weight: Exact, operation: Operation, table: CaseReason) {
        let scale = self.scale(weight);
        self.push(scale, 1, operation, table);
    }
}

/// Everything that one call of an access pattern does on average.
///
/// Batches and transactions are metered action by action. The result is the same, because every
/// action is rounded separately (rules 2.3, 3.5, 3.6) and expected values add up.
pub(super) fn expand(access: &AccessPattern, design: &TableDesign, switches: &Switches) -> Cases {
    let table = &design.table;
    let mut cases = Cases::default();
    match &access.call {
        PatternCall::Get {
            items,
            consistency,
            missing,
        } => get(access, *items, *consistency, missing, &mut cases),
        PatternCall::Page { index, .. } => match (evaluated(access, design, *index), *index) {
            (None, Some(index)) => {
                cases.unknown_read = Some(index);
                fetched(access, &mut cases);
            }
            (sizes, _) => {
                pages(access, &sizes.unwrap_or_default(), &mut cases);
                fetched(access, &mut cases);
            }
        },
        PatternCall::Write {
            plans,
            condition_failures,
        } => {
            for (plan, count) in plans {
                let count = Exact::from(*count);
                let applied = &count * &(Exact::one() - condition_failures.clone());
                let writes = |weight| PlannedWrites {
                    plan,
                    access,
                    table,
                    weight,
                };
                writes(&applied).expand(&mut cases, &|write| {
                    wrap(access.operation, plan.kind, write)
                });
                writes(&(&count * condition_failures)).with_failed_condition(switches, &mut cases);
            }
        }
        PatternCall::Transaction {
            plans,
            cancelled,
            replayed,
        } => {
            let committed = Exact::one() - cancelled.clone() - replayed.clone();
            for (plan, count) in plans {
                let count = Exact::from(*count);
                for (share, outcome) in [
                    (&committed, TransactionOutcome::Committed),
                    (cancelled, TransactionOutcome::Cancelled),
                    (replayed, TransactionOutcome::Replayed),
                ] {
                    PlannedWrites {
                        plan,
                        access,
                        table,
                        weight: &(&count * share),
                    }
                    .transacted(outcome, &mut cases);
                }
            }
        }
        // Already metered when the trace was read, reported by AWS, or not possible to meter.
        PatternCall::Traced(_) | PatternCall::Counted { .. } | PatternCall::Unknown { .. } => {}
    }
    cases
}

/// The sizes that a read evaluates, with their weights: those of the pattern's items, or of entries
/// if only their size is given.
fn evaluated(
    access: &AccessPattern,
    design: &TableDesign,
    index: Option<usize>,
) -> Option<Vec<(u64, u64)>> {
    match (&access.sizes, index) {
        (Some(sizes), _) => sizes.evaluated(index),
        (None, Some(at)) => Some(vec![(design.indexes.get(at)?.entry_size?.0, 1)]),
        (None, None) => None,
    }
}

/// The size classes of a pattern's items; none if their size is not known, which the bill reports
/// separately.
fn classes(access: &AccessPattern) -> impl Iterator<Item = &SizeClass> {
    access.sizes.iter().flat_map(SizeClasses::iter)
}

/// The sum of the weights of all classes.
fn total(access: &AccessPattern) -> u64 {
    access.sizes.as_ref().map_or(1, SizeClasses::total)
}

/// What DAX reads after a committed TransactWriteItems to fill its cache (rule 7.4).
pub(super) fn fills(access: &AccessPattern) -> Cases {
    let mut cases = Cases::default();
    if let PatternCall::Transaction {
        plans,
        cancelled,
        replayed,
    } = &access.call
    {
        let committed = Exact::one() - cancelled.clone() - replayed.clone();
        let count = |wanted: &dyn Fn(WriteKind) -> bool| -> u64 {
            plans
                .iter()
                .filter(|(plan, _)| wanted(plan.kind))
                .map(|(_, count)| count)
                .sum()
        };
        let deleted = count(&|kind| kind == WriteKind::Delete);
        let items = count(&|kind| matches!(kind, WriteKind::Put | WriteKind::Update));
        cases.push_alone(
            &committed * &Exact::from(deleted),
            dax::fill(None),
            CaseReason::new("7.4", "read of a deleted item", None),
        );
        let scale = cases.scale(committed * Exact::ratio(items, total(access)));
        for class in classes(access) {
            let reason = CaseReason::new("7.4", "item read into the cache", Some(class.item));
            cases.push(
                scale,
                class.weight.into(),
                dax::fill(Some(class.item)),
                reason,
            );
        }
    }
    cases
}

fn get(
    access: &AccessPattern,
    items: u64,
    consistency: Option<Consistency>,
    missing: &Exact,
    cases: &mut Cases,
) {
    let rule = match (consistency, access.operation) {
        (None, _) => "2.9",
        (Some(_), Some(ApiName::GetItem)) => "2.2",
        (Some(_), _) => "2.3",
    };
    let read = |item: Option<Bytes>| match consistency {
        None => Operation::TransactGetItems { items: vec![item] },
        Some(consistency) if rule == "2.2" => Operation::GetItem { item, consistency },
        Some(consistency) => Operation::BatchGetItem {
            items: vec![item],
            consistency,
        },
    };
    let found = cases.scale((Exact::one() - missing.clone()) * Exact::ratio(items, total(access)));
    for class in classes(access) {
        cases.push(
            found,
            class.weight.into(),
            read(Some(class.item)),
            CaseReason::new(rule, "item", Some(class.item)),
        );
    }
    cases.push_alone(
        missing * &Exact::from(items),
        read(None),
        CaseReason::new(rule, "no item", None),
    );
}

/// The pages of a Query or Scan (rules 2.4 to 2.7).
///
/// `Assumption:` items of different sizes fill a page as the same number of items of their mean
/// size would.
fn pages(access: &AccessPattern, sizes: &[(u64, u64)], cases: &mut Cases) {
    let PatternCall::Page {
        items,
        segments,
        missing,
        ..
    } = &access.call
    else {
        return;
    };
    let found = Exact::one() - missing.clone();
    let mean = mean_of(sizes);
    let page_items = if mean.is_zero() {
        u64::MAX
    } else {
        (Exact::from(MB) / mean)
            .ceil()
            .to_u64()
            .unwrap_or(u64::MAX)
            .max(1)
    };
    let alike = sizes.len() == 1;
    let mut push_page = |count: u64, weight: Exact| {
        if weight.is_zero() {
            return;
        }
        for (bytes, share) in sum_of(sizes, count) {
            let what = if count == 0 {
                "nothing found"
            } else {
                "items evaluated together"
            };
            let reason = CaseReason::new("2.4", what, (alike && count > 0).then_some(bytes));
            cases.push_alone(&weight * &share, page(access, bytes, None), reason);
        }
    };
    // Items are divided among the segments as evenly as whole numbers allow; each segment fills its
    // own pages.
    let (each, more) = (items / segments, items % segments);
    for (count, number) in [(each + 1, more), (each, segments - more)] {
        let weight = &found * &Exact::from(number);
        push_page(page_items, &weight * &Exact::from(count / page_items));
        let rest = count % page_items;
        if rest > 0 || count == 0 {
            push_page(rest, weight);
        }
    }
    push_page(0, missing.clone());
}

/// One page of a Query or Scan.
fn page(access: &AccessPattern, evaluated: Bytes, fetched: Option<Vec<Bytes>>) -> Operation {
    let PatternCall::Page {
        scan,
        index,
        consistency,
        ..
    } = &access.call
    else {
        return Operation::Query(ReadPage::default());
    };
    let page = ReadPage {
        index: *index,
        evaluated,
        consistency: *consistency,
        fetched,
    };
    if *scan {
        Operation::Scan(page)
    } else {
        Operation::Query(page)
    }
}

/// What a query of a local index fetches from the table (rule 2.7).
fn fetched(access: &AccessPattern, cases: &mut Cases) {
    let PatternCall::Page {
        items,
        fetches: true,
        missing,
        ..
    } = &access.call
    else {
        return;
    };
    let first = cases.list.len();
    let found = Exact::one() - missing.clone();
    let scale = cases.scale(&found * &Exact::ratio(*items, total(access)));
    for class in classes(access) {
        let reason = CaseReason::new("2.7", "item fetched from the table", Some(class.item));
        cases.push(
            scale,
            class.weight.into(),
            page(access, Bytes(0), Some(vec![class.item])),
            reason,
        );
    }
    let nothing = if *items == 0 {
        Exact::one()
    } else {
        missing.clone()
    };
    cases.push_alone(
        nothing,
        page(access, Bytes(0), Some(Vec::new())),
        CaseReason::new("2.7a", "nothing fetched", None),
    );
    cases.list[first..]
        .iter_mut()
        .for_each(|case| case.table_only = true);
}

/// The API operation of one write.
fn wrap(operation: Option<ApiName>, kind: WriteKind, write: Write) -> Operation {
    match (operation, kind) {
        (Some(ApiName::BatchWriteItem), _) => Operation::BatchWriteItem(vec![write]),
        (_, WriteKind::Update) => Operation::UpdateItem(write),
        (_, WriteKind::Delete) => Operation::DeleteItem(write),
        _ => Operation::PutItem(write),
    }
}

/// The classes of the item before and after a write, with their joint weight. The size before is
/// the given one, or else the same as after.
fn pairs(access: &AccessPattern) -> Vec<(&SizeClass, &SizeClass, u128)> {
    match &access.before {
        None => classes(access)
            .map(|class| (class, class, u128::from(class.weight)))
            .collect(),
        Some(given) => {
            let with = |class| given.iter().map(move |before: &SizeClass| (before, class));
            let all = classes(access).flat_map(with);
            all.map(|(before, class): (_, &SizeClass)| {
                (
                    before,
                    class,
                    u128::from(before.weight) * u128::from(class.weight),
                )
            })
            .collect()
        }
    }
}

/// The item before a write, given only by its size, with its index entries: the same as after the
/// write, except in an index that holds the whole item.
fn with_entries(before: &SizeClass, after: &SizeClass, table: &Table) -> SizeClass {
    let entry = |(at, own): (usize, &IndexEntry)| match (
        own,
        after.entries.get(at),
        &table.indexes[at].projection,
    ) {
        (IndexEntry::Unknown, Some(IndexEntry::Size(_)), Projection::All) => {
            IndexEntry::Size(before.item)
        }
        (IndexEntry::Unknown, Some(known), _) => *known,
        _ => *own,
    };
    SizeClass {
        entries: before.entries.iter().enumerate().map(entry).collect(),
        ..before.clone()
    }
}

/// The total of the weights of [`pairs`].
fn pairs_total(access: &AccessPattern) -> Exact {
    Exact::from(total(access))
        * access
            .before
            .as_ref()
            .map_or_else(Exact::one, |before| Exact::from(before.total()))
}

/// The writes of one plan in some calls of an access pattern.
#[derive(Clone, Copy)]
struct PlannedWrites<'a> {
    plan: &'a WritePlan,
    access: &'a AccessPattern,
    table: &'a Table,
    /// How many of the plan's writes a call makes on average.
    weight: &'a Exact,
}

impl PlannedWrites<'_> {
    /// Writes of items that are applied.
    fn expand(&self, cases: &mut Cases, operation: &dyn Fn(Write) -> Operation) {
        let Self {
            plan,
            access,
            table,
            weight,
        } = *self;
        let delete = plan.kind == WriteKind::Delete;
        let found = cases.scale(&(weight * &plan.finds) / &pairs_total(access));
        if !cases.scales[found].is_zero() {
            for (before, class, parts) in pairs(access) {
                let before = &with_entries(before, class, table);
                let (write, rule, what) = match delete {
                    true => (deletion(Some(before), table), "3.2", "item deleted"),
                    false => (
                        change(plan, before, class, table),
                        "3.1",
                        "item before and after",
                    ),
                };
                let size = write.old.max(write.new);
                cases.push(
                    found,
                    parts,
                    operation(write),
                    CaseReason::new(rule, what, size),
                );
                if let Some(case) = cases.list.last_mut() {
                    case.changes_nothing = !delete
                        && before.item == class.item
                        && plan.changes.as_ref().is_some_and(Vec::is_empty);
                }
            }
        }
        let absent = weight * &(Exact::one() - plan.finds.clone());
        if delete {
            cases.push_alone(
                absent,
                operation(deletion(None, table)),
                CaseReason::new("3.2", "no item to delete", None),
            );
        } else if !absent.is_zero() {
            let absent = cases.scale(absent / Exact::from(total(access)));
            for class in classes(access) {
                cases.push(
                    absent,
                    class.weight.into(),
                    operation(insertion(class, table)),
                    CaseReason::new("3.1", "new item", Some(class.item)),
                );
            }
        }
    }

    /// Writes whose condition fails. The condition of a put fails because an item exists.
    fn with_failed_condition(&self, switches: &Switches, cases: &mut Cases) {
        let Self {
            plan,
            access,
            weight,
            ..
        } = *self;
        let rule = switches.failed_condition().rule;
        if weight.is_zero() {
            return;
        }
        let finds = if plan.kind == WriteKind::Put {
            Exact::one()
        } else {
            plan.finds.clone()
        };
        let failed = |old: Option<Bytes>, class: &SizeClass| Write {
            old,
            new: (plan.kind != WriteKind::Delete).then_some(class.item),
            indexes: Vec::new(),
            outcome: WriteOutcome::ConditionFailed,
        };
        let wrapped = |write| wrap(access.operation, plan.kind, write);
        let found = cases.scale(&(weight * &finds) / &pairs_total(access));
        for (before, class, parts) in pairs(access) {
            let write = failed(Some(before.item), class);
            let counted = switches.failed_condition.image(write.old, write.new);
            let reason = CaseReason::new(rule, "condition failed, the item stays", counted);
            cases.push(found, parts, wrapped(write), reason);
        }
        let absent = cases.scale(weight * &((Exact::one() - finds) / Exact::from(total(access))));
        for class in classes(access) {
            cases.push(
                absent,
                class.weight.into(),
                wrapped(failed(None, class)),
                CaseReason::new(rule, "condition failed, no item", None),
            );
        }
    }

    /// Actions of transactions with one outcome.
    fn transacted(&self, outcome: TransactionOutcome, cases: &mut Cases) {
        let Self {
            plan,
            access,
            weight,
            ..
        } = *self;
        let first = cases.list.len();
        let whole = |action: TransactionAction| Operation::TransactWriteItems {
            actions: vec![action],
            outcome,
        };
        if plan.kind == WriteKind::ConditionCheck {
            let found = cases.scale(&(weight * &plan.finds) / &pairs_total(access));
            for (before, _, parts) in pairs(access) {
                let reason =
                    CaseReason::new("3.6", "condition check of an item", Some(before.item));
                cases.push(
                    found,
                    parts,
                    whole(TransactionAction::ConditionCheck(Some(before.item))),
                    reason,
                );
            }
            let absent = weight * &(Exact::one() - plan.finds.clone());
            cases.push_alone(
                absent,
                whole(TransactionAction::ConditionCheck(None)),
                CaseReason::new("3.6", "condition check, no item", None),
            );
        } else {
            self.expand(cases, &|write| whole(TransactionAction::Write(write)));
        }
        for case in &mut cases.list[first..] {
            case.table = match outcome {
                TransactionOutcome::Committed => CaseReason {
                    rule: "3.6",
                    ..case.table
                },
                TransactionOutcome::Cancelled => {
                    CaseReason::new("3.7a", "transaction cancelled", None)
                }
                TransactionOutcome::Replayed => {
                    CaseReason::new("3.7b", "token repeated, items read again", None)
                }
            };
        }
    }
}

/// Time to Live deletes: one for each size class.
pub(super) fn time_to_live(sizes: &SizeClasses, table: &Table) -> Cases {
    let mut cases = Cases::default();
    let scale = cases.scale(Exact::ratio(1, sizes.total()));
    for class in sizes.iter() {
        let operation = Operation::TimeToLiveDelete(deletion(Some(class), table));
        cases.push(
            scale,
            class.weight.into(),
            operation,
            CaseReason::new("4.5", "item expired", Some(class.item)),
        );
    }
    cases
}

/// The size of an entry for a transition; an unknown size counts as no entry and is reported
/// elsewhere.
fn entry(class: &SizeClass, index: usize) -> Option<Bytes> {
    match class.entries.get(index) {
        Some(IndexEntry::Size(size)) => Some(*size),
        _ => None,
    }
}

fn insertion(class: &SizeClass, table: &Table) -> Write {
    let transition = |index: usize| {
        entry(class, index).map_or(Transition::Absent, |new| Transition::Inserted { new })
    };
    Write {
        new: Some(class.item),
        indexes: (0..table.indexes.len()).map(transition).collect(),
        ..Write::default()
    }
}

fn deletion(class: Option<&SizeClass>, table: &Table) -> Write {
    let transition = |index: usize| {
        class
            .and_then(|class| entry(class, index))
            .map_or(Transition::Absent, |old| Transition::Removed { old })
    };
    Write {
        old: class.map(|class| class.item),
        indexes: (0..table.indexes.len()).map(transition).collect(),
        ..Write::default()
    }
}

/// A write to an existing item. The effect on an index entry depends on the attributes that change.
///
/// In a sparse index, a changed key can also appear or disappear. As long as the coverage stays the
/// same, one added entry for each removed entry costs the same as a move, so all are counted as
/// moves.
fn change(plan: &WritePlan, before: &SizeClass, after: &SizeClass, table: &Table) -> Write {
    let transition = |at: usize| {
        let effect = table.indexes[at].effect_of(plan.changes.as_deref(), &table.keys);
        Transition::of(entry(before, at), entry(after, at), effect)
    };
    Write {
        old: Some(before.item),
        new: Some(after.item),
        indexes: (0..table.indexes.len()).map(transition).collect(),
        ..Write::default()
    }
}

/// Whether an access pattern writes entries of an index, so that their size matters.
pub(super) fn writes_entries(access: &AccessPattern, index: &Index, table: &Table) -> bool {
    let (PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. }) = &access.call
    else {
        return false;
    };
    plans.iter().any(|(plan, _)| match plan.kind {
        WriteKind::ConditionCheck => false,
        WriteKind::Delete => !plan.finds.is_zero(),
        WriteKind::Put | WriteKind::Update => {
            plan.finds != Exact::one()
                || index.effect_of(plan.changes.as_deref(), &table.keys) != EntryEffect::Nothing
        }
    })
}
