//! Rows that give sizes, or some of them: columns, cache traces, CloudTrail. A size that a row does
//! not give comes from earlier rows of its key, an export, or the workload, and its source is
//! counted.

use crate::replay::cache::exact::Which;
use crate::replay::executor::{CannotExecute, Executor, Waiting};
use crate::replay::state::sizes::{
    KeyFraction, SizeSource, drawn, mixed, salt, same_action, transitions,
};
use crate::replay::state::store::KnownItem;
use crate::replay::tally::consumption::CallKind;
use crate::table::{
    Consistency, Direction, KeySchema, Operation, ReadPage, TransactionAction as Member,
    TransactionOutcome, Write, WriteOutcome, limits,
};
use crate::trace::{ApiName, Failure, MemberAction, Name, NameTable, SkipReason, Time, TracedCall};
use crate::units::Bytes;
use crate::workload::{AccessPattern, IndexEntry, PatternCall as Pattern, TableDesign};

impl Executor {
    /// The access pattern of a caller, else the first one with the same operation and index.
    pub(in crate::replay) fn pattern<'a>(
        design: &'a TableDesign,
        caller: Option<&str>,
        api: ApiName,
        region: Option<&str>,
        index: Option<usize>,
    ) -> Option<&'a AccessPattern> {
        let elsewhere = design
            .replicas
            .iter()
            .filter(|replica| region == Some(replica.region.as_str()))
            .flat_map(|replica| &replica.access);
        let all = design.access.iter().chain(elsewhere);
        let same = |access: &&AccessPattern| {
            let of_index = match &access.call {
                Pattern::Page { index: own, .. } => *own == index,
                _ => true,
            };
            access.operation == Some(api) && of_index
        };
        match caller {
            Some(caller) => all
                .clone()
                .find(|access| access.name == caller)
                .or_else(|| all.clone().find(same)),
            None => all.clone().find(same),
        }
    }

    /// Executes a row that gives sizes, or some of them.
    pub(in crate::replay) fn call(
        &mut self,
        table: Option<Name>,
        call: TracedCall,
        time: Time,
        names: &NameTable,
    ) -> Result<(), CannotExecute> {
        if call.api.is_free() {
            return Ok(());
        }
        let table = self.table(table, names, || KeySchema {
            partition: "key".to_string(),
            sort: None,
        })?;
        let region = self.region(call.region, names)?;
        self.stands_in(table, region)?;
        let index = match call.index {
            None => None,
            Some(name) => {
                let text = names.text(name);
                let found = self.tables.index(table, text);
                let known = || {
                    self.tables.list[table]
                        .design
                        .table
                        .indexes
                        .iter()
                        .map(|index| index.name.as_str())
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                Some(found.ok_or_else(|| {
                    (
                        SkipReason::UnknownIndex,
                        format!(
                            "the table has no index {}; it has {}",
                            text.escape_debug(),
                            known()
                        ),
                    )
                })?)
            }
        };
        if call.failure == Some(Failure::Free) {
            self.tally.refused += 1;
            return Ok(());
        }
        if matches!(
            call.api,
            ApiName::ExecuteStatement
                | ApiName::BatchExecuteStatement
                | ApiName::ExecuteTransaction
        ) {
            return self.unmetered(
                table,
                region,
                &call,
                index,
                "a PartiQL statement can be metered only from a request log, which contains its \
                 text",
            );
        }
        let second = time.second();
        if call.api.is_read() {
            self.row_read(table, region, call, index, second, names)
        } else {
            self.row_write(table, region, call, second, names)
        }
    }

    pub(in crate::replay) fn unmetered(
        &mut self,
        table: usize,
        region: usize,
        call: &TracedCall,
        index: Option<usize>,
        why: &'static str,
    ) -> Result<(), CannotExecute> {
        let reads = call.api.is_read();
        let direction = if reads {
            Direction::Read
        } else {
            Direction::Write
        };
        let kind = CallKind {
            table,
            region,
            caller: call.caller,
            api: Some(call.api),
            direction,
            index,
        };
        let traced = self.tally.consumption.kind(kind);
        (traced.writes, traced.index) = (!reads, index);
        traced.calls += 1;
        traced.add_unmetered(1, why);
        Ok(())
    }

    /// The item of a key: from the row, an earlier row, an export, or drawn from the workload's
    /// sizes.
    pub(in crate::replay) fn item(
        &self,
        table: usize,
        call: &TracedCall,
        given: Option<u32>,
    ) -> Option<(Option<Bytes>, SizeSource)> {
        let there = |bytes: u32| (bytes > 0).then(|| Bytes(bytes.into()));
        if let Some(bytes) = given {
            return Some((there(bytes), SizeSource::Row));
        }
        let state = &self.tables.list[table];
        match state
            .store
            .get(self.slot_of_key(table, &call.key), call.key.hash)
        {
            (KnownItem::There(bytes), from) => return Some((Some(Bytes(bytes.into())), from)),
            (KnownItem::Gone, from) => return Some((None, from)),
            (KnownItem::Unknown, _) => {}
        }
        let class = drawn(
            state.design.sizes.as_ref().filter(|_| state.declared)?,
            call.key.hash,
        );
        Some((Some(class.item), SizeSource::Drawn))
    }

    /// Counts the source of a size; for a drawn size also the units with the 1st and the 99th
    /// percentile of the sizes. `at` gives the operation for a size.
    pub(in crate::replay) fn count(
        &mut self,
        table: usize,
        direction: Direction,
        from: SizeSource,
        drawn: Option<Bytes>,
        at: impl Fn(&Self, Bytes) -> Operation,
    ) {
        *self
            .tally
            .provenance
            .rows
            .entry((direction, from))
            .or_default() += 1;
        if let (SizeSource::Drawn, Some(drawn)) = (from, drawn) {
            let (low, high) = self.tables.list[table].extremes;
            let units = [drawn, low, high].map(|size| self.everywhere(table, &at(self, size)));
            let sums = self
                .tally
                .provenance
                .drawn
                .entry((table, direction))
                .or_default();
            sums.iter_mut()
                .zip(units)
                .for_each(|(sum, units)| *sum += units);
        }
    }

    fn row_read(
        &mut self,
        table: usize,
        region: usize,
        call: TracedCall,
        index: Option<usize>,
        second: i64,
        names: &NameTable,
    ) -> Result<(), CannotExecute> {
        let caller = call.caller.map(|caller| names.text(caller));
        let region_name = self.regions.get(region).map(String::as_str);
        let pattern = Executor::pattern(
            &self.tables.list[table].design,
            caller,
            call.api,
            region_name,
            index,
        );
        let consistency = match (call.consistency, pattern.map(|pattern| &pattern.call)) {
            (Some(said), _) => said,
            (
                None,
                Some(Pattern::Get {
                    consistency: Some(Consistency::Strong),
                    ..
                }),
            ) => {
                self.tally.provenance.consistency_assumed += 1;
                Consistency::Strong
            }
            (None, _) => Consistency::Eventual,
        };
        if matches!(call.api, ApiName::Query | ApiName::Scan) {
            return self.row_page(table, region, call, index, second, caller);
        }
        let Some((item, from)) = self.item(table, &call, call.item_bytes) else {
            if call.sized_by_next {
                let waiting = Waiting {
                    table,
                    region,
                    second,
                    call,
                };
                self.waiting
                    .entry(waiting.call.key.hash ^ table as u64)
                    .or_default()
                    .push(waiting);
                return Ok(());
            }
            return self.unmetered(
                table,
                region,
                &call,
                index,
                "the row has no item_bytes, nothing is known about the key, and no workload gives \
                 sizes",
            );
        };
        self.get(
            table,
            region,
            &call,
            item,
            from,
            consistency,
            second,
            caller,
        );
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    fn get(
        &mut self,
        table: usize,
        region: usize,
        call: &TracedCall,
        item: Option<Bytes>,
        from: SizeSource,
        consistency: Consistency,
        second: i64,
        caller: Option<&str>,
    ) {
        let api = call.api;
        let read_of = move |item: Option<Bytes>| match api {
            ApiName::TransactGetItems => Operation::TransactGetItems { items: vec![item] },
            ApiName::BatchGetItem => Operation::BatchGetItem {
                items: vec![item],
                consistency,
            },
            _ => Operation::GetItem { item, consistency },
        };
        self.count(table, Direction::Read, from, item, |_, size| {
            read_of(Some(size))
        });
        if from == SizeSource::Row {
            let slot = self.slot_of_key(table, &call.key);
            self.tables.list[table].store.set(
                slot,
                call.key.hash,
                item.map(|bytes| bytes.0 as u32),
                false,
            );
        }
        let kind = CallKind {
            table,
            region,
            caller: call.caller,
            api: Some(call.api),
            direction: Direction::Read,
            index: None,
        };
        let cacheable = api != ApiName::TransactGetItems && consistency == Consistency::Eventual;
        let bytes = item.map_or(0, |bytes| bytes.0);
        let passes_by = self.passes_dax(table, caller, call.api, None);
        let goes_through = cacheable && !passes_by && region == 0;
        let answered = goes_through
            && self.access(
                table,
                Which::Item,
                call.key.hash,
                bytes as u32,
                second,
                false,
            );
        let hit = call.cached.unwrap_or(answered);
        let traced = self.tally.consumption.kind(kind);
        traced.calls += 1;
        traced.touched += u64::from(item.is_some());
        if hit {
            traced.hits += 1;
            return;
        }
        let operation = read_of(item);
        self.consume(
            table,
            region,
            call.caller,
            call.api,
            None,
            &operation,
            &call.key,
            second,
        );
    }

    /// One page of a Query or Scan.
    fn row_page(
        &mut self,
        table: usize,
        region: usize,
        call: TracedCall,
        index: Option<usize>,
        second: i64,
        caller: Option<&str>,
    ) -> Result<(), CannotExecute> {
        let state = &self.tables.list[table];
        let region_name = self.regions.get(region).map(String::as_str);
        let pattern = Executor::pattern(&state.design, caller, call.api, region_name, index);
        let consistency = call
            .consistency
            .or(match pattern.map(|pattern| &pattern.call) {
                Some(Pattern::Page { consistency, .. }) => Some(*consistency),
                _ => None,
            });
        let consistency = consistency.unwrap_or_default();
        let drawn_sizes = |count: u64| -> Option<(u64, Vec<Bytes>)> {
            let sizes = pattern
                .map_or(&state.design.sizes, |pattern| &pattern.sizes)
                .as_ref()
                .filter(|_| state.declared)?;
            let (mut sum, mut items) = (0, Vec::new());
            for at in 0..count {
                // A page ends with the item that reaches 1 MB (rule 2.5); the rest of the call is
                // in other rows.
                if sum >= limits::PAGE_BYTES {
                    break;
                }
                let hash = mixed(call.key.hash, salt::of_item(at));
                let class = drawn(sizes, hash);
                let size = match index {
                    None => class.item,
                    Some(index) => match state.entries.entry(index, class.item.0 as u32, hash) {
                        IndexEntry::Size(size) => size,
                        IndexEntry::None => Bytes(0),
                        IndexEntry::Unknown => return None,
                    },
                };
                sum += size.0;
                items.push(class.item);
            }
            Some((sum, items))
        };
        let assumed = match pattern.map(|pattern| &pattern.call) {
            Some(Pattern::Page { items, .. }) => Some(*items),
            _ => None,
        };
        let count = call.evaluated_items.or(assumed);
        let (evaluated, items, from) = match (call.evaluated_bytes, count) {
            (Some(bytes), _) => (Bytes(bytes), Vec::new(), SizeSource::Row),
            (None, Some(count)) => match drawn_sizes(count) {
                Some((bytes, items)) => (Bytes(bytes), items, SizeSource::Drawn),
                None => {
                    return self.unmetered(
                        table,
                        region,
                        &call,
                        index,
                        "the row has no evaluated_bytes, and no workload gives the sizes of the \
                         items that are read",
                    );
                }
            },
            (None, None) => {
                return self.unmetered(
                    table,
                    region,
                    &call,
                    index,
                    "the row has neither evaluated_bytes nor evaluated_items, and no access \
                     pattern of the workload has the same operation and index",
                );
            }
        };
        let fetches = matches!(
            pattern.map(|pattern| &pattern.call),
            Some(Pattern::Page { fetches: true, .. })
        );
        let fetched: Option<Vec<Bytes>> = match &call.fetched {
            Some(sizes) => Some(sizes.iter().map(|size| Bytes((*size).into())).collect()),
            None if fetches && from == SizeSource::Drawn => Some(items.clone()),
            None if fetches => count.and_then(drawn_sizes).map(|(_, items)| items),
            None => None,
        };
        if call.evaluated_bytes.is_none() && call.evaluated_items.is_none() {
            self.tally.provenance.counts_assumed += 1;
        }
        let per_item = count.unwrap_or(1).max(1);
        // Index entries have sizes of their own, and their percentiles are not known.
        let drawn_item = index.is_none().then_some(Bytes(evaluated.0 / per_item));
        self.count(table, Direction::Read, from, drawn_item, |_, size| {
            Operation::Query(ReadPage {
                evaluated: Bytes(size.0.saturating_mul(per_item)),
                consistency,
                ..ReadPage::default()
            })
        });
        let kind = CallKind {
            table,
            region,
            caller: call.caller,
            api: Some(call.api),
            direction: Direction::Read,
            index,
        };
        let traced = self.tally.consumption.kind(kind);
        traced.calls += 1;
        traced.touched += call.evaluated_items.unwrap_or(items.len() as u64);
        traced.index = index;
        if call.cached == Some(true) {
            traced.hits += 1;
            return Ok(());
        }
        let page = ReadPage {
            index,
            evaluated,
            consistency,
            fetched,
        };
        let operation = if call.api == ApiName::Scan {
            Operation::Scan(page)
        } else {
            Operation::Query(page)
        };
        self.consume(
            table,
            region,
            call.caller,
            call.api,
            index,
            &operation,
            &call.key,
            second,
        );
        Ok(())
    }

    fn row_write(
        &mut self,
        table: usize,
        region: usize,
        call: TracedCall,
        second: i64,
        names: &NameTable,
    ) -> Result<(), CannotExecute> {
        if call.action.is_none()
            && matches!(
                call.api,
                ApiName::BatchWriteItem | ApiName::TransactWriteItems
            )
        {
            self.tally.provenance.actions_assumed += 1;
        }
        let action = call.action.unwrap_or(match call.api {
            ApiName::DeleteItem | ApiName::TimeToLiveDelete => MemberAction::Delete,
            ApiName::UpdateItem => MemberAction::Update,
            _ => MemberAction::Put,
        });
        let caller = call.caller.map(|caller| names.text(caller));
        let region_name = self.regions.get(region).map(String::as_str);
        let hash = call.key.hash;
        let design = &self.tables.list[table].design;
        let pattern = Executor::pattern(design, caller, call.api, region_name, None);
        let pattern_sizes = pattern
            .map_or(&design.sizes, |pattern| &pattern.sizes)
            .clone();
        let plan = pattern.and_then(|access| match &access.call {
            Pattern::Write { plans, .. } | Pattern::Transaction { plans, .. } => plans
                .iter()
                .find(|(plan, _)| same_action(plan.kind, action))
                .map(|(plan, _)| plan.clone()),
            _ => None,
        });
        // The item before the write.
        let found = self.item(table, &call, call.old_bytes);
        let declared = self.tables.list[table].declared;
        let (old, old_from) = match found {
            Some((old, SizeSource::Drawn)) => {
                self.tally.provenance.presence_assumed += 1;
                let there = match &plan {
                    // A put's condition is assumed to fail because the item exists.
                    _ if call.failure == Some(Failure::Condition)
                        && action == MemberAction::Put =>
                    {
                        true
                    }
                    Some(plan) => KeyFraction::of(&plan.finds).holds(hash, salt::FINDS),
                    None => action != MemberAction::Put,
                };
                (old.filter(|_| there), SizeSource::Drawn)
            }
            Some(found) => found,
            None if action == MemberAction::Put || call.item_bytes.is_some() => {
                self.tally.provenance.presence_assumed += 1;
                (None, SizeSource::Assumed)
            }
            None => {
                return self.unmetered(
                    table,
                    region,
                    &call,
                    None,
                    "the row has no sizes, nothing is known about the key, and no workload gives \
                     sizes",
                );
            }
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
            (MemberAction::Update, None) if old.is_some() => old.map(|old| (old, old_from)),
            (_, None) => {
                let class = pattern_sizes
                    .as_ref()
                    .filter(|_| declared)
                    .map(|sizes| drawn(sizes, hash));
                match (class, old) {
                    (Some(class), _) => Some((class.item, SizeSource::Drawn)),
                    (None, Some(old)) => Some((old, old_from)),
                    (None, None) => {
                        return self.unmetered(
                            table,
                            region,
                            &call,
                            None,
                            "the row has no item_bytes, and no workload gives sizes",
                        );
                    }
                }
            }
        };
        // The changed attributes: from the row, else from the access pattern, else every attribute
        // that is not a key.
        let from_row = call.changes.map(|changes| names.text(changes));
        if from_row.is_none()
            && old.is_some()
            && new.is_some()
            && !self.tables.list[table].design.table.indexes.is_empty()
        {
            self.tally.provenance.changes_assumed += 1;
        }
        let listed: Option<Vec<String>> = match from_row {
            Some(text) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(str::to_string)
                    .collect(),
            ),
            None => plan.as_ref().and_then(|plan| plan.changes.clone()),
        };
        let changes: Option<Vec<&str>> = listed
            .as_ref()
            .map(|names| names.iter().map(String::as_str).collect());
        let state = &self.tables.list[table];
        let small = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.0 as u32);
        let (old_bytes, new_bytes) = (small(old), small(new.map(|(bytes, _)| bytes)));
        let (moves, unknown) = transitions(
            &state.design,
            &state.entries,
            hash,
            old_bytes,
            new_bytes,
            changes.as_deref(),
        );
        let refused = call.failure.is_some();
        let mut write = Write {
            old,
            new: new.map(|(bytes, _)| bytes),
            indexes: moves,
            outcome: if refused {
                WriteOutcome::ConditionFailed
            } else {
                WriteOutcome::Applied
            },
        };
        // A write that changes nothing has no stream record (rule 5.2).
        let same = changes.as_ref().is_some_and(Vec::is_empty) && old == write.new && old.is_some();
        let (from, drawn_size) = match new {
            Some((bytes, SizeSource::Drawn)) => (SizeSource::Drawn, Some(bytes)),
            Some((_, from)) if action == MemberAction::Put => (from, None),
            _ => (old_from, old),
        };
        if refused && matches!(call.api, ApiName::TransactWriteItems) {
            write.outcome = WriteOutcome::Applied;
        }
        let (api, replayed) = (call.api, call.replayed);
        let operation_of = move |write: Write| match api {
            ApiName::TransactWriteItems => Operation::TransactWriteItems {
                outcome: match (refused, replayed) {
                    (true, _) => TransactionOutcome::Cancelled,
                    (false, true) => TransactionOutcome::Replayed,
                    (false, false) => TransactionOutcome::Committed,
                },
                actions: vec![match action {
                    MemberAction::ConditionCheck => Member::ConditionCheck(write.old),
                    _ => Member::Write(write),
                }],
            },
            ApiName::TimeToLiveDelete => Operation::TimeToLiveDelete(write),
            ApiName::BatchWriteItem => Operation::BatchWriteItem(vec![write]),
            ApiName::UpdateItem => Operation::UpdateItem(write),
            ApiName::DeleteItem => Operation::DeleteItem(write),
            _ => Operation::PutItem(write),
        };
        self.count(
            table,
            Direction::Write,
            from,
            drawn_size,
            |executor, size| {
                let state = &executor.tables.list[table];
                let resized = |bytes: Option<u32>| bytes.map(|_| size.0 as u32);
                let (indexes, _) = transitions(
                    &state.design,
                    &state.entries,
                    hash,
                    resized(old_bytes),
                    resized(new_bytes),
                    changes.as_deref(),
                );
                operation_of(Write {
                    old: write.old.map(|_| size),
                    new: write.new.map(|_| size),
                    indexes,
                    outcome: write.outcome,
                })
            },
        );
        let operation = operation_of(write.clone());
        let applied = !refused && !call.replayed && action != MemberAction::ConditionCheck;
        if applied {
            let slot = self.slot_of_key(table, &call.key);
            self.tables.list[table]
                .store
                .set(slot, hash, new_bytes, false);
        }
        if call.api == ApiName::TimeToLiveDelete {
            self.tally.time_to_live.insert(table);
        }
        let kind = CallKind {
            table,
            region,
            caller: call.caller,
            api: Some(call.api),
            direction: operation.direction(),
            index: None,
        };
        let traced = self.tally.consumption.kind(kind);
        traced.calls += 1;
        traced.touched += 1;
        traced.unknown_indexes.extend(unknown);
        let (captured, sent) = (traced.captured, traced.replicated_bytes);
        self.consume(
            table,
            region,
            call.caller,
            call.api,
            None,
            &operation,
            &call.key,
            second,
        );
        if same {
            let traced = self.tally.consumption.kind(kind);
            (traced.captured, traced.replicated_bytes) = (captured, sent);
        }
        // Reads that waited for the size came before the write.
        if let Some(bytes) = new_bytes.filter(|_| applied) {
            self.wake(table, hash, bytes);
        }
        if applied
            && call.api != ApiName::TimeToLiveDelete
            && !self.passes_dax(table, caller, call.api, None)
        {
            self.written_through_dax(
                kind,
                &call.key,
                write.new,
                call.api == ApiName::TransactWriteItems,
                second,
            );
        }
        Ok(())
    }

    /// Executes the reads that waited for the size that a write now gives.
    fn wake(&mut self, table: usize, hash: u64, bytes: u32) {
        if self.waiting.is_empty() {
            return;
        }
        for waiting in self
            .waiting
            .remove(&(hash ^ table as u64))
            .unwrap_or_default()
        {
            let consistency = waiting.call.consistency.unwrap_or_default();
            let item = Some(Bytes(bytes.into()));
            self.get(
                waiting.table,
                waiting.region,
                &waiting.call,
                item,
                SizeSource::Next,
                consistency,
                waiting.second,
                None,
            );
        }
    }
}
