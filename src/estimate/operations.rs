//! Turns an access pattern into the operations that one call performs on average, each with its
//! weight.

use crate::dax;
use crate::meter::Switches;
use crate::table::{
    ApiName, EntryEffect, Operation, Projection, ReadPage, Table, TransactionAction,
    TransactionOutcome, Transition, Write, WriteOutcome,
};
use crate::units::{Bytes, Exact};
use crate::workload::{
    AccessPattern, Counts, IndexEntry, ItemsBefore, PatternCall, ReadItems, SizeClass, SizeClasses,
    TableDesign, WriteKind, WritePlan, integer_weights, page_items, sum_of_kinds,
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
    /// Whether sizes of index entries are not known; then they are at most 1 KB.
    pub entries_bounded: bool,
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
                entries_bounded: false,
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
        PatternCall::Get { .. } => get(access, &mut cases),
        PatternCall::Page { index, reads, .. } => {
            let evaluated: Option<Vec<_>> = reads
                .iter()
                .map(|read| Some((evaluated(read, design, *index)?, &read.counts)))
                .collect();
            match evaluated {
                Some(kinds) => pages(access, &kinds, &mut cases),
                None => cases.unknown_read = *index,
            }
            fetched(access, &mut cases);
        }
        PatternCall::Write {
            plans,
            condition_failures,
        } => {
            for (plan, count) in plans {
                let count = count.mean();
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
                let count = count.mean();
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

/// The sizes of the items or entries that a read evaluates, with their weights.
fn evaluated(
    read: &ReadItems,
    design: &TableDesign,
    index: Option<usize>,
) -> Option<Vec<(u64, u64)>> {
    match (&read.sizes, index) {
        (Some(sizes), _) => sizes.evaluated(index),
        (None, Some(at)) => Some(vec![(design.indexes.get(at)?.entry_size?.0, 1)]),
        // The bill reports separately that the size is not known.
        (None, None) => Some(Vec::new()),
    }
}

/// The size classes of items; none if their size is not known, which the bill reports separately.
fn classes(sizes: &Option<SizeClasses>) -> impl Iterator<Item = &SizeClass> {
    sizes.iter().flat_map(SizeClasses::iter)
}

/// The sum of the weights of all classes.
fn total(sizes: &Option<SizeClasses>) -> Exact {
    Exact::from(sizes.as_ref().map_or(1, SizeClasses::total))
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
        for (plan, count) in plans {
            let weight = &committed * &count.mean();
            match plan.kind {
                WriteKind::Delete => cases.push_alone(
                    weight,
                    dax::fill(None),
                    CaseReason::new("7.4", "read of a deleted item", None),
                ),
                WriteKind::Put | WriteKind::Update => {
                    let scale = cases.scale(weight / total(&plan.sizes));
                    for class in classes(&plan.sizes) {
                        let reason =
                            CaseReason::new("7.4", "item read into the cache", Some(class.item));
                        let read = dax::fill(Some(class.item));
                        cases.push(scale, class.weight.into(), read, reason);
                    }
                }
                WriteKind::ConditionCheck => {}
            }
        }
    }
    cases
}

/// The items that a GetItem, BatchGetItem or TransactGetItems reads, each rounded up alone.
fn get(access: &AccessPattern, cases: &mut Cases) {
    let PatternCall::Get {
        reads,
        consistency,
        missing,
    } = &access.call
    else {
        return;
    };
    let rule = match (consistency, access.operation) {
        (None, _) => "2.9",
        (Some(_), Some(ApiName::GetItem)) => "2.2",
        (Some(_), _) => "2.3",
    };
    let operation = |item: Option<Bytes>| match *consistency {
        None => Operation::TransactGetItems { items: vec![item] },
        Some(consistency) if rule == "2.2" => Operation::GetItem { item, consistency },
        Some(consistency) => Operation::BatchGetItem {
            items: vec![item],
            consistency,
        },
    };
    for read in reads {
        let found = (Exact::one() - missing.clone()) * read.counts.mean();
        let scale = cases.scale(found / total(&read.sizes));
        for class in classes(&read.sizes) {
            let reason = CaseReason::new(rule, "item", Some(class.item));
            cases.push(
                scale,
                class.weight.into(),
                operation(Some(class.item)),
                reason,
            );
        }
    }
    cases.push_alone(
        missing * &access.call.items(),
        operation(None),
        CaseReason::new(rule, "no item", None),
    );
}

/// Sizes with their weights, of the items of one kind that a page evaluates.
type KindSizes<'a> = (Vec<(u64, u64)>, &'a Counts);

/// The pages of a Query or Scan (rules 2.4 to 2.7).
///
/// `Assumption:` items of different sizes fill a page as the same number of items of their mean
/// size would, and those of different entities follow each other evenly.
fn pages(access: &AccessPattern, kinds: &[KindSizes], cases: &mut Cases) {
    let PatternCall::Page {
        segments, missing, ..
    } = &access.call
    else {
        return;
    };
    let found = Exact::one() - missing.clone();
    for (counts, share) in combinations(kinds) {
        let weight = &found * &share;
        // Items are divided among the segments as evenly as whole numbers allow; each segment fills
        // its own pages.
        let ends = counts.iter().map(|count| count % segments);
        let mut ends: Vec<u64> = ends.chain([0, *segments]).collect();
        ends.sort_unstable();
        ends.dedup();
        for range in ends.windows(2) {
            let of_segment =
                |count: &u64| count / segments + u64::from(count % segments > range[0]);
            let counts: Vec<u64> = counts.iter().map(of_segment).collect();
            let weight = &weight * &Exact::from(range[1] - range[0]);
            segment_pages(access, kinds, &counts, &weight, cases);
        }
    }
    push_page(access, &[], missing.clone(), cases);
}

/// Every combination of how many items of each kind a call has, with its share of the calls.
fn combinations(kinds: &[KindSizes]) -> Vec<(Vec<u64>, Exact)> {
    kinds
        .iter()
        .fold(vec![(Vec::new(), Exact::one())], |all, (_, counts)| {
            let more = |(before, share): &(Vec<u64>, Exact)| {
                let (before, share) = (before.clone(), share.clone());
                counts.iter().map(move |(count, own)| {
                    let mut counts = before.clone();
                    counts.push(count);
                    (counts, &share * own)
                })
            };
            all.iter().flat_map(more).collect()
        })
}

/// The pages of one segment, or of a whole call, that evaluates `counts` items of each kind.
fn segment_pages(
    access: &AccessPattern,
    kinds: &[KindSizes],
    counts: &[u64],
    weight: &Exact,
    cases: &mut Cases,
) {
    let all: Vec<(&[(u64, u64)], u64)> = kinds
        .iter()
        .zip(counts)
        .map(|((sizes, _), count)| (sizes.as_slice(), *count))
        .filter(|(_, count)| *count > 0)
        .collect();
    let items: u64 = all.iter().map(|(_, count)| count).sum();
    let page_items = page_items(&all);
    if items <= page_items {
        return push_page(access, &all, weight.clone(), cases);
    }
    let mixed = mixture(&all);
    let full = weight * &Exact::from(items / page_items);
    push_page(access, &[(&mixed, page_items)], full, cases);
    if !items.is_multiple_of(page_items) {
        push_page(
            access,
            &[(&mixed, items % page_items)],
            weight.clone(),
            cases,
        );
    }
}

/// The sizes of items of several kinds, in the proportions of their numbers.
fn mixture(kinds: &[(&[(u64, u64)], u64)]) -> Vec<(u64, u64)> {
    if let [(sizes, _)] = kinds {
        return sizes.to_vec();
    }
    let weighted = kinds.iter().flat_map(|(sizes, count)| {
        let total: u64 = sizes.iter().map(|(_, weight)| weight).sum();
        let share = move |weight: u64| Exact::ratio(weight, total) * Exact::from(*count);
        sizes
            .iter()
            .map(move |(size, weight)| (*size, share(*weight)))
    });
    let (sizes, shares): (Vec<u64>, Vec<Exact>) = weighted.unzip();
    sizes.into_iter().zip(integer_weights(&shares)).collect()
}

/// A page that evaluates some items of each kind; none if it finds nothing.
fn push_page(
    access: &AccessPattern,
    kinds: &[(&[(u64, u64)], u64)],
    weight: Exact,
    cases: &mut Cases,
) {
    if weight.is_zero() {
        return;
    }
    let alike = kinds.iter().all(|(sizes, _)| sizes.len() == 1);
    for (bytes, share) in sum_of_kinds(kinds) {
        let what = if kinds.is_empty() {
            "nothing found"
        } else {
            "items evaluated together"
        };
        let size = (alike && !kinds.is_empty()).then_some(bytes);
        cases.push_alone(
            &weight * &share,
            page(access, bytes, None),
            CaseReason::new("2.4", what, size),
        );
    }
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
        reads,
        fetches: true,
        missing,
        ..
    } = &access.call
    else {
        return;
    };
    let first = cases.list.len();
    let found = Exact::one() - missing.clone();
    let mut empty = found.clone();
    for read in reads {
        let none = read.counts.iter().filter(|(count, _)| *count == 0);
        empty = empty * none.map(|(_, share)| share.clone()).sum::<Exact>();
        let scale = cases.scale(&found * &(read.counts.mean() / total(&read.sizes)));
        for class in classes(&read.sizes) {
            let reason = CaseReason::new("2.7", "item fetched from the table", Some(class.item));
            cases.push(
                scale,
                class.weight.into(),
                page(access, Bytes(0), Some(vec![class.item])),
                reason,
            );
        }
    }
    cases.push_alone(
        missing + &empty,
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

/// The classes of the item before and after a write, with their joint weight.
pub(super) fn pairs(plan: &WritePlan) -> Vec<(&SizeClass, &SizeClass, u128)> {
    let own = |class: &SizeClass| u128::from(class.weight);
    let after = classes(&plan.sizes);
    match &plan.before {
        ItemsBefore::Same => after.map(|class| (class, class, own(class))).collect(),
        ItemsBefore::Paired(before) => before
            .iter()
            .zip(after)
            .map(|(before, after)| (before, after, own(after)))
            .collect(),
        ItemsBefore::Given(given) => {
            let with = |after| given.iter().map(move |before: &SizeClass| (before, after));
            let all = after.flat_map(with);
            all.map(|(before, after)| (before, after, own(before) * own(after)))
                .collect()
        }
    }
}

/// The items before and after a write that finds one, with their entries and their joint weight.
#[cfg(all(feature = "aws", feature = "replay"))]
pub(crate) fn changes(plan: &WritePlan, table: &Table) -> Vec<(SizeClass, SizeClass, u128)> {
    let change = |(before, after, weight): (&SizeClass, &SizeClass, u128)| {
        (with_entries(before, after, table), after.clone(), weight)
    };
    pairs(plan).into_iter().map(change).collect()
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
fn pairs_total(plan: &WritePlan) -> Exact {
    match &plan.before {
        ItemsBefore::Same | ItemsBefore::Paired(_) => total(&plan.sizes),
        ItemsBefore::Given(before) => total(&plan.sizes) * Exact::from(before.total()),
    }
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
            table,
            weight,
            ..
        } = *self;
        let first = cases.list.len();
        let delete = plan.kind == WriteKind::Delete;
        let found = cases.scale(&(weight * &plan.finds) / &pairs_total(plan));
        if !cases.scales[found].is_zero() {
            for (before, class, parts) in pairs(plan) {
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
            let absent = cases.scale(absent / total(&plan.sizes));
            for class in classes(&plan.sizes) {
                cases.push(
                    absent,
                    class.weight.into(),
                    operation(insertion(class, table)),
                    CaseReason::new("3.1", "new item", Some(class.item)),
                );
            }
        }
        if plan.sizes.as_ref().is_some_and(has_bounded_entries) {
            for case in &mut cases.list[first..] {
                case.entries_bounded = true;
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
        let found = cases.scale(&(weight * &finds) / &pairs_total(plan));
        for (before, class, parts) in pairs(plan) {
            let write = failed(Some(before.item), class);
            let counted = switches.failed_condition.image(write.old, write.new);
            let reason = CaseReason::new(rule, "condition failed, the item stays", counted);
            cases.push(found, parts, wrapped(write), reason);
        }
        let absent = cases.scale(weight * &((Exact::one() - finds) / total(&plan.sizes)));
        for class in classes(&plan.sizes) {
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
        let Self { plan, weight, .. } = *self;
        let first = cases.list.len();
        let whole = |action: TransactionAction| Operation::TransactWriteItems {
            actions: vec![action],
            outcome,
        };
        if plan.kind == WriteKind::ConditionCheck {
            let found = cases.scale(&(weight * &plan.finds) / &pairs_total(plan));
            for (before, _, parts) in pairs(plan) {
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
    match class.entries.get(index)?.charged(class.item) {
        IndexEntry::Size(size) => Some(size),
        IndexEntry::None | IndexEntry::Unknown => None,
    }
}

/// Whether the sizes of some entries are not known, but their units are.
fn has_bounded_entries(sizes: &SizeClasses) -> bool {
    let mut entries = sizes.iter().flat_map(|class| &class.entries);
    entries.any(|entry| *entry == IndexEntry::Unknown)
}

/// Whether the units of an entry of an index are unknown for some items.
fn has_unknown_entries(sizes: &SizeClasses, index: usize) -> bool {
    sizes.iter().any(|class| {
        let entry = class.entries.get(index).copied();
        entry.is_none_or(|entry| entry.charged(class.item) == IndexEntry::Unknown)
    })
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

/// Whether an access pattern writes entries of an index whose sizes are not known.
pub(super) fn writes_unknown_entries(access: &AccessPattern, at: usize, table: &Table) -> bool {
    let index = &table.indexes[at];
    let writes = |plan: &WritePlan| match plan.kind {
        WriteKind::ConditionCheck => false,
        WriteKind::Delete => !plan.finds.is_zero(),
        WriteKind::Put | WriteKind::Update => {
            plan.finds != Exact::one()
                || index.effect_of(plan.changes.as_deref(), &table.keys) != EntryEffect::Nothing
        }
    };
    let is_unknown = |plan: &WritePlan| {
        let sizes = plan.sizes.as_ref();
        sizes.is_some_and(|sizes| has_unknown_entries(sizes, at))
    };
    let plans = access.call.plans();
    plans
        .iter()
        .any(|(plan, _)| writes(plan) && is_unknown(plan))
}
