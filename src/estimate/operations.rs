//! From an access pattern to the operations that one call expects, each with its weight.

use crate::table::{Action, Consistency, Index, Operation, ReadPage, Table, TransactionOutcome, Transition, Write, WriteOutcome};
use crate::units::{Bytes, Exact, MB};
use crate::workload::{Access, Call, Entry, SizeClass, SizeClasses, WriteKind, WritePlan, sum_of};

/// One thing that a call does: an operation, how often a call does it on average, and the words for it.
#[derive(Debug)]
pub(super) struct Case {
    pub operation: Operation,
    pub weight: Exact,
    /// The words and the rule of the table's arm.
    pub table: Reason,
    /// The words of an index that is read.
    pub index: Reason,
    /// Whether only the table's arm counts: the rest is in another case.
    pub table_only: bool,
}

/// Words for a case: what is metered, by which rule, and its size where it is one item's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    pub rule: &'static str,
    pub what: &'static str,
    pub size: Option<Bytes>,
}

impl Reason {
    pub fn new(rule: &'static str, what: &'static str, size: Option<Bytes>) -> Reason {
        Reason { rule, what, size }
    }
}

/// The cases of one call, and the index whose entry sizes it would need but nobody gave.
pub(super) struct Expansion {
    pub cases: Vec<Case>,
    pub unknown_read: Option<usize>,
}

/// Everything that one call of an access pattern does on average.
///
/// Batches and transactions are metered action by action, which changes nothing: every action is rounded
/// for itself (rules 2.3, 3.5, 3.6), and expectations add up.
pub(super) fn expand(access: &Access, table: &Table) -> Expansion {
    let mut cases = Vec::new();
    let mut unknown_read = None;
    match &access.call {
        Call::Get { items, consistency, missing } => get(access, *items, *consistency, missing, &mut cases),
        Call::Page { index, .. } => {
            let sizes = access.sizes.evaluated(*index);
            match (sizes, *index) {
                (None, Some(index)) => unknown_read = Some(index),
                (sizes, _) => pages(access, sizes.unwrap_or_default(), &mut cases),
            }
        }
        Call::Write { plans, refused } => {
            for (plan, count) in plans {
                let count = Exact::from(*count);
                writes(plan, access, table, &(&count * &(Exact::one() - refused.clone())), &mut cases, &|write| {
                    wrap(access.operation, plan.kind, write)
                });
                refusals(plan, access, &(&count * refused), &mut cases);
            }
        }
        Call::Transaction { plans, cancelled, replayed } => {
            let committed = Exact::one() - cancelled.clone() - replayed.clone();
            for (plan, count) in plans {
                let count = Exact::from(*count);
                transaction(plan, access, table, &(&count * &committed), TransactionOutcome::Committed, &mut cases);
                transaction(plan, access, table, &(&count * cancelled), TransactionOutcome::Cancelled, &mut cases);
                transaction(plan, access, table, &(&count * replayed), TransactionOutcome::Replayed, &mut cases);
            }
        }
    }
    Expansion { cases, unknown_read }
}

fn push(cases: &mut Vec<Case>, weight: Exact, operation: Operation, table: Reason) {
    if !weight.is_zero() {
        cases.push(Case { operation, weight, table, index: table, table_only: false });
    }
}

fn get(access: &Access, items: u64, consistency: Option<Consistency>, missing: &Exact, cases: &mut Vec<Case>) {
    let rule = match (consistency, access.operation) {
        (None, _) => "2.9",
        (Some(_), "GetItem") => "2.2",
        (Some(_), _) => "2.3",
    };
    let read = |item: Option<Bytes>| match consistency {
        None => Operation::TransactGetItems { items: vec![item] },
        Some(consistency) if rule == "2.2" => Operation::GetItem { item, consistency },
        Some(consistency) => Operation::BatchGetItem { items: vec![item], consistency },
    };
    let items = Exact::from(items);
    let found = &items * &(Exact::one() - missing.clone());
    for class in access.sizes.iter() {
        push(cases, &found * &class.share, read(Some(class.item)), Reason::new(rule, "item", Some(class.item)));
    }
    push(cases, &items * missing, read(None), Reason::new(rule, "no item", None));
}

/// The pages of a Query or Scan (rules 2.4 to 2.7).
///
/// `Assumption:` items of different sizes fill a page as so many items of their mean size would.
fn pages(access: &Access, sizes: Vec<(u64, Exact)>, cases: &mut Vec<Case>) {
    let Call::Page { scan, index, items, segments, consistency, fetches, missing } = &access.call else { return };
    let page = |evaluated: Bytes, fetched: Option<Vec<Bytes>>| {
        let page = ReadPage { index: *index, evaluated, consistency: *consistency, fetched };
        if *scan { Operation::Scan(page) } else { Operation::Query(page) }
    };
    let found = Exact::one() - missing.clone();
    let mean = sizes.iter().map(|(size, share)| &Exact::from(*size) * share).sum::<Exact>();
    let page_items = if mean.is_zero() { u64::MAX } else { (Exact::from(MB) / mean).ceil().to_u64().unwrap_or(u64::MAX).max(1) };
    let alike = sizes.len() == 1;
    let mut push_page = |count: u64, weight: Exact| {
        if weight.is_zero() {
            return;
        }
        for (bytes, share) in sum_of(&sizes, count) {
            let what = if count == 0 { "nothing found" } else { "items evaluated together" };
            let reason = Reason::new("2.4", what, (alike && count > 0).then_some(bytes));
            push(cases, &weight * &share, page(bytes, None), reason);
        }
    };
    // Segments share the items as evenly as whole numbers allow; each fills its own pages.
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
    if *fetches {
        for class in access.sizes.iter() {
            let weight = &(&found * &Exact::from(*items)) * &class.share;
            push(
                cases,
                weight,
                page(Bytes(0), Some(vec![class.item])),
                Reason::new("2.7", "item fetched from the table", Some(class.item)),
            );
            cases.iter_mut().last().into_iter().for_each(|case| case.table_only = true);
        }
        let nothing = if *items == 0 { Exact::one() } else { missing.clone() };
        if !nothing.is_zero() {
            push(cases, nothing, page(Bytes(0), Some(Vec::new())), Reason::new("2.7a", "nothing fetched", None));
            cases.iter_mut().last().into_iter().for_each(|case| case.table_only = true);
        }
    }
}

/// The API operation of one write.
fn wrap(operation: &str, kind: WriteKind, write: Write) -> Operation {
    match (operation, kind) {
        ("BatchWriteItem", _) => Operation::BatchWriteItem(vec![write]),
        (_, WriteKind::Update) => Operation::UpdateItem(write),
        (_, WriteKind::Delete) => Operation::DeleteItem(write),
        _ => Operation::PutItem(write),
    }
}

/// The item that a write finds: of the size given for before, else of the size that it leaves.
fn found<'a>(access: &'a Access, class: &'a SizeClass) -> impl Iterator<Item = (&'a SizeClass, Exact)> {
    let given = access.before.iter().flat_map(SizeClasses::iter).map(|before| (before, before.share.clone()));
    let same = access.before.is_none().then(|| (class, Exact::one()));
    given.chain(same)
}

fn writes(plan: &WritePlan, access: &Access, table: &Table, weight: &Exact, cases: &mut Vec<Case>, operation: &dyn Fn(Write) -> Operation) {
    let absent = Exact::one() - plan.finds.clone();
    for class in access.sizes.iter() {
        let weight = weight * &class.share;
        for (before, share) in found(access, class) {
            let weight = &(&weight * &plan.finds) * &share;
            let (write, what) = match plan.kind {
                WriteKind::Delete => (deletion(Some(before), table), "item deleted"),
                _ => (change(plan, before, class, table), "item before and after"),
            };
            let size = write.old.max(write.new);
            let rule = if plan.kind == WriteKind::Delete { "3.2" } else { "3.1" };
            push(cases, weight, operation(write), Reason::new(rule, what, size));
        }
        let (write, reason) = match plan.kind {
            WriteKind::Delete => (deletion(None, table), Reason::new("3.2", "no item to delete", None)),
            _ => (insertion(class, table), Reason::new("3.1", "new item", Some(class.item))),
        };
        push(cases, &weight * &absent, operation(write), reason);
    }
}

/// Writes that a condition refuses. A put's condition fails because of the item that is there.
fn refusals(plan: &WritePlan, access: &Access, weight: &Exact, cases: &mut Vec<Case>) {
    let finds = if plan.kind == WriteKind::Put { Exact::one() } else { plan.finds.clone() };
    for class in access.sizes.iter() {
        let weight = weight * &class.share;
        let refused = |old: Option<Bytes>| {
            let new = (plan.kind != WriteKind::Delete).then_some(class.item);
            wrap(access.operation, plan.kind, Write { old, new, indexes: Vec::new(), outcome: WriteOutcome::ConditionFailed })
        };
        for (before, share) in found(access, class) {
            let weight = &(&weight * &finds) * &share;
            push(cases, weight, refused(Some(before.item)), Reason::new("3.7", "condition failed, the item stays", Some(before.item)));
        }
        let weight = &weight * &(Exact::one() - finds.clone());
        push(cases, weight, refused(None), Reason::new("3.7", "condition failed, no item", None));
    }
}

fn transaction(plan: &WritePlan, access: &Access, table: &Table, weight: &Exact, outcome: TransactionOutcome, cases: &mut Vec<Case>) {
    let first = cases.len();
    let whole = |action: Action| Operation::TransactWriteItems { actions: vec![action], outcome };
    if plan.kind == WriteKind::ConditionCheck {
        for class in access.sizes.iter() {
            for (before, share) in found(access, class) {
                let weight = &(&(weight * &class.share) * &plan.finds) * &share;
                push(
                    cases,
                    weight,
                    whole(Action::ConditionCheck(Some(before.item))),
                    Reason::new("3.6", "condition check of an item", Some(before.item)),
                );
            }
        }
        let absent = weight * &(Exact::one() - plan.finds.clone());
        push(cases, absent, whole(Action::ConditionCheck(None)), Reason::new("3.6", "condition check, no item", None));
    } else {
        writes(plan, access, table, weight, cases, &|write| whole(Action::Write(write)));
    }
    for case in &mut cases[first..] {
        let (rule, what, size) = match outcome {
            TransactionOutcome::Committed => ("3.6", case.table.what, case.table.size),
            TransactionOutcome::Cancelled => ("3.7a", "transaction cancelled", None),
            TransactionOutcome::Replayed => ("3.7b", "token repeated, items read again", None),
        };
        case.table = Reason::new(rule, what, size);
        case.index = case.table;
    }
}

/// The deletes of Time to Live: one for each size class.
pub(super) fn time_to_live(sizes: &SizeClasses, table: &Table) -> Vec<Case> {
    let mut cases = Vec::new();
    for class in sizes.iter() {
        let operation = Operation::TimeToLiveDelete(deletion(Some(class), table));
        push(&mut cases, class.share.clone(), operation, Reason::new("4.5", "item expired", Some(class.item)));
    }
    cases
}

/// The size of an entry for a transition; a size that nobody gave counts as no entry and is reported elsewhere.
fn entry(class: &SizeClass, index: usize) -> Option<Bytes> {
    match class.entries.get(index) {
        Some(Entry::Size(size)) => Some(*size),
        _ => None,
    }
}

fn insertion(class: &SizeClass, table: &Table) -> Write {
    let transition = |index: usize| entry(class, index).map_or(Transition::Absent, |new| Transition::Inserted { new });
    Write { new: Some(class.item), indexes: (0..table.indexes.len()).map(transition).collect(), ..Write::default() }
}

fn deletion(class: Option<&SizeClass>, table: &Table) -> Write {
    let transition =
        |index: usize| class.and_then(|class| entry(class, index)).map_or(Transition::Absent, |old| Transition::Removed { old });
    Write { old: class.map(|class| class.item), indexes: (0..table.indexes.len()).map(transition).collect(), ..Write::default() }
}

/// A write over an item. What becomes of an index entry follows from the attributes that change.
///
/// In a sparse index a changed key may as well appear or disappear; as long as its coverage stays the same,
/// one entry put for each entry removed costs what a move costs, so all are counted as moves.
fn change(plan: &WritePlan, before: &SizeClass, after: &SizeClass, table: &Table) -> Write {
    let transition = |at: usize| {
        let index = &table.indexes[at];
        match (entry(before, at), entry(after, at)) {
            (None, None) => Transition::Absent,
            (None, Some(new)) => Transition::Inserted { new },
            (Some(old), None) => Transition::Removed { old },
            (Some(old), Some(new)) => match effect(plan, index, table) {
                Effect::Move => Transition::Moved { old, new },
                Effect::Rewrite => Transition::Replaced { old, new },
                Effect::Nothing => Transition::Unchanged,
            },
        }
    };
    Write { old: Some(before.item), new: Some(after.item), indexes: (0..table.indexes.len()).map(transition).collect(), ..Write::default() }
}

/// What a change of an item means for its entry in an index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Nothing,
    Rewrite,
    Move,
}

fn effect(plan: &WritePlan, index: &Index, table: &Table) -> Effect {
    match &plan.changes {
        Some(changes) if changes.iter().any(|name| index.keys.contains(name)) => Effect::Move,
        Some(changes) if changes.iter().any(|name| index.holds(&table.keys, name)) => Effect::Rewrite,
        Some(_) => Effect::Nothing,
        None if index.holds_more_than_keys() => Effect::Rewrite,
        None => Effect::Nothing,
    }
}

/// Whether an access pattern writes entries of an index, so that their size matters.
pub(super) fn writes_entries(access: &Access, index: &Index, table: &Table) -> bool {
    let (Call::Write { plans, .. } | Call::Transaction { plans, .. }) = &access.call else { return false };
    plans.iter().any(|(plan, _)| match plan.kind {
        WriteKind::ConditionCheck => false,
        WriteKind::Delete => !plan.finds.is_zero(),
        WriteKind::Put | WriteKind::Update => plan.finds != Exact::one() || effect(plan, index, table) != Effect::Nothing,
    })
}
