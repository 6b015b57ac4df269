//! Changes with their images (streams, incremental exports), and units that AWS counted.

use crate::replay::dynamodb::tables::{Stored, named_key};
use crate::replay::executor::{CannotExecute, Executor};
use crate::replay::state::sizes::{SizeSource, is_global, transitions};
use crate::replay::tally::consumption::{CallKind, DemandKey};
use crate::table::{Direction, Item, KeySchema, Operation, Write, WriteOutcome, limits};
use crate::trace::{
    ApiName, Bad, Counted, ItemChange, Name, NameTable, RowPlace, SkipReason, Time, TracedCall,
    TracedKey,
};
use crate::units::Bytes;

impl Executor {
    /// Executes a change with its images.
    pub(in crate::replay) fn change(
        &mut self,
        table: Option<Name>,
        change: ItemChange,
        time: Time,
        place: RowPlace,
        names: &NameTable,
        bad: &Bad,
    ) -> Result<(), CannotExecute> {
        let keys = || {
            let mut names = change.keys.0.keys().cloned();
            KeySchema {
                partition: names.next().unwrap_or_else(|| "key".to_string()),
                sort: names.next(),
            }
        };
        let table = self.table(table, names, keys)?;
        let region = self.region(change.region, names)?;
        self.stands_in(table, region)?;
        let numbers = self.switches.number_alignment;
        if let (Some(said), Some(verification)) = (change.size_bytes, &mut self.tally.verification)
        {
            let images = change
                .old
                .iter()
                .chain(&change.new)
                .map(|item| item.size(numbers))
                .sum::<Bytes>();
            verification.check_size(
                self.ordinal,
                || format!("{}:{}", bad.file(place), place.row),
                said,
                change.keys.size(numbers) + images,
            );
        }
        let state = &mut self.tables.list[table];
        for item in change.old.iter().chain(&change.new) {
            let bytes = item.size(numbers).0;
            if bytes > limits::ITEM_BYTES_MAX {
                return Err((
                    SkipReason::ItemSize,
                    format!(
                        "an image has {bytes} bytes; a DynamoDB item has at most 409600 bytes \
                         (400 KB)"
                    ),
                ));
            }
        }
        let key = Stored::key(&state.design.table, &change.keys)
            .map_err(|error| (SkipReason::Key, format!("Keys: {error}")))?;
        let hashed = named_key(&key);
        let known = state.stored.get(&key).cloned();
        // A stream view without old images does not say whether the item existed before.
        let (there_before, there_after) = change.there.unwrap_or((
            change.old.is_some() || known.is_some(),
            change.new.is_some(),
        ));
        let guessed = change.there.is_none() && known.is_none();
        let old: Option<Item> = if change.has_old {
            change.old.clone()
        } else {
            known.filter(|_| change.there.is_none() || there_before)
        };
        let new: Option<Item> = change.new.clone();
        let images =
            (change.has_old || old.is_some() || !there_before) && (change.has_new || !there_after);
        let (write, from) = if images {
            let write = Write {
                old: old.as_ref().map(|item| item.size(numbers)),
                new: new.as_ref().map(|item| item.size(numbers)),
                indexes: state
                    .design
                    .table
                    .transitions(old.as_ref(), new.as_ref(), numbers),
                outcome: WriteOutcome::Applied,
            };
            (
                write,
                if guessed {
                    SizeSource::Assumed
                } else if change.has_old {
                    SizeSource::Row
                } else {
                    SizeSource::Seen
                },
            )
        } else {
            let call = TracedCall {
                old_bytes: None,
                ..TracedCall::new(ApiName::PutItem, hashed)
            };
            let seen = self.item(table, &call, None);
            let new_bytes = new.as_ref().map(|item| item.size(numbers));
            let (old_bytes, from) = match (there_before, &old, seen) {
                (false, ..) => (None, SizeSource::Row),
                (true, Some(old), _) => (Some(old.size(numbers)), SizeSource::Seen),
                (true, None, Some((Some(bytes), from))) => (Some(bytes), from),
                // The old image is unknown: it is assumed to be as large as the new one.
                (true, None, _) => (new_bytes, SizeSource::Assumed),
            };
            let new_bytes = if there_after {
                new_bytes.or(old_bytes)
            } else {
                None
            };
            if there_after && new_bytes.is_none() || there_before && old_bytes.is_none() {
                return self.unmetered_change(table, region);
            }
            let state = &self.tables.list[table];
            let small = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.0 as u32);
            let (moves, _) = transitions(
                &state.design,
                &state.entries,
                hashed.hash,
                small(old_bytes),
                small(new_bytes),
                None,
            );
            (
                Write {
                    old: old_bytes,
                    new: new_bytes,
                    indexes: moves,
                    outcome: WriteOutcome::Applied,
                },
                from,
            )
        };
        let drawn = write.clone();
        self.count(
            table,
            Direction::Write,
            from,
            write.old.max(write.new),
            |_, size| {
                Operation::PutItem(Write {
                    old: drawn.old.map(|_| size),
                    new: drawn.new.map(|_| size),
                    ..Write::default()
                })
            },
        );
        let (api, operation) = match (change.time_to_live, write.new) {
            (true, _) => {
                self.tally.time_to_live.insert(table);
                (
                    ApiName::TimeToLiveDelete,
                    Operation::TimeToLiveDelete(write.clone()),
                )
            }
            (false, None) => (ApiName::DeleteItem, Operation::DeleteItem(write.clone())),
            (false, Some(_)) => (ApiName::PutItem, Operation::PutItem(write.clone())),
        };
        let slot = self.slot_of_key(table, &hashed);
        let state = &mut self.tables.list[table];
        state.store.set(
            slot,
            hashed.hash,
            write.new.map(|bytes| bytes.0 as u32),
            false,
        );
        if !change.has_old || state.has_items {
            // The new image is the old image of the key's next record.
            let design = state.design.table.clone();
            state.stored.put(&design, key, new);
            state.has_items = true;
        }
        let traced = self.tally.consumption.kind(CallKind {
            table,
            region,
            caller: None,
            api: Some(api),
            direction: Direction::Write,
            index: None,
        });
        traced.calls += 1;
        traced.touched += 1;
        self.consume(
            table,
            region,
            None,
            api,
            None,
            &operation,
            &hashed,
            time.second(),
        );
        Ok(())
    }

    fn unmetered_change(&mut self, table: usize, region: usize) -> Result<(), CannotExecute> {
        let call = TracedCall::new(ApiName::PutItem, TracedKey::of(b""));
        self.unmetered(
            table,
            region,
            &call,
            None,
            "the stream's view type has no images, and neither the workload nor an earlier record \
             gives a size",
        )
    }

    /// Adds units that AWS counted.
    pub(in crate::replay) fn counted(
        &mut self,
        table: Option<Name>,
        counted: Counted,
        time: Time,
        names: &NameTable,
    ) -> Result<(), CannotExecute> {
        let table = self.table(table, names, || KeySchema {
            partition: "key".to_string(),
            sort: None,
        })?;
        let region = self.region(counted.region, names)?;
        self.stands_in(table, region)?;
        self.tally.counted_regions.insert((
            table,
            if counted.api.is_some() {
                usize::MAX
            } else {
                region
            },
        ));
        let index = match counted.index {
            None => None,
            Some(name) => {
                let text = names.text(name);
                let found = self.tables.index(table, text);
                Some(found.ok_or_else(|| {
                    (
                        SkipReason::UnknownIndex,
                        format!("the table has no index {}", text.escape_debug()),
                    )
                })?)
            }
        };
        let arm = index.map_or(0, |at| at + 1);
        let design = &self.tables.list[table].design;
        let account = index.filter(|at| is_global(design, *at));
        self.tally
            .metered
            .extend(counted.metric.map(|direction| (table, account, direction)));
        for (direction, halves) in [
            (Direction::Read, counted.read_halves),
            (Direction::Write, counted.write_halves),
        ] {
            let reads = direction == Direction::Read;
            let is_call = counted.api.is_some_and(|api| api.is_read() == reads)
                || (counted.api.is_none() && halves > 0);
            if halves == 0 && !is_call {
                continue;
            }
            let kind = CallKind {
                table,
                region,
                caller: counted.caller,
                api: counted.api,
                direction,
                index: index.filter(|_| reads),
            };
            let traced = self.tally.consumption.kind(kind);
            (traced.writes, traced.index) = (!reads, kind.index);
            // A call that also writes index entries is one call.
            traced.calls = traced.calls.saturating_add(
                counted
                    .calls
                    .filter(|_| reads || index.is_none())
                    .unwrap_or(0),
            );
            if !reads && halves > 0 {
                self.tally.counted_writes.insert(table);
            }
            let (read, write) = if reads { (halves, 0) } else { (0, halves) };
            let name = (!reads && region > 0).then(|| self.regions[region].clone());
            self.tally
                .consumption
                .add_counted(kind, arm, read, write, name.as_deref());
            let lane = DemandKey {
                table,
                index: account,
                region,
                direction,
            };
            let seconds = u64::from(counted.seconds.max(1));
            // Divide evenly over the period, and spread the remainder one by one.
            let (each, more) = (halves / seconds, halves % seconds);
            for second in 0..seconds {
                let before = more * second / seconds;
                let part = each + (more * (second + 1) / seconds - before);
                self.tally
                    .consumption
                    .demand(lane, time.second() + second as i64, part);
            }
        }
        Ok(())
    }

    /// Adds replicated writes that the trace does not count: if it has only the home region's
    /// writes of a global table, each replica is assumed to have as many (rule 4.1). If the trace
    /// has metrics of a replica, these are used.
    pub(in crate::replay) fn copy_counted(&mut self) {
        for table in self.tally.counted_writes.clone() {
            let replicas = &self.tables.list[table].design.replicas;
            let copies: Vec<String> = replicas
                .iter()
                .filter(|replica| !replica.witness)
                .map(|replica| replica.region.clone())
                .collect();
            let known = self
                .tally
                .counted_regions
                .iter()
                .any(|(at, region)| *at == table && *region != 0 && *region != usize::MAX);
            if copies.is_empty() || known {
                continue;
            }
            self.copies_assumed.insert(table);
            let transactional = |kind: &CallKind| {
                matches!(
                    kind.api,
                    Some(ApiName::TransactWriteItems | ApiName::ExecuteTransaction)
                )
            };
            for (kind, traced) in self
                .tally
                .consumption
                .kinds
                .iter_mut()
                .filter(|(kind, _)| kind.table == table && kind.direction == Direction::Write)
            {
                let mut arms = traced.home.clone();
                // A transaction doubles the units only in the home region (rule 4.6).
                if let (true, Some(arm)) = (transactional(kind), arms.first_mut()) {
                    arm.write /= 2;
                }
                traced
                    .abroad
                    .extend(copies.iter().map(|region| (region.clone(), arms.clone())));
            }
            let lanes: Vec<(DemandKey, crate::replay::tally::consumption::DemandSeries)> = self
                .tally
                .consumption
                .lanes
                .iter()
                .filter(|(lane, _)| {
                    lane.table == table && lane.direction == Direction::Write && lane.region == 0
                })
                .map(|(lane, demand)| (*lane, demand.clone()))
                .collect();
            for (lane, demand) in lanes {
                for region in copies
                    .iter()
                    .filter_map(|name| self.regions.iter().position(|region| region == name))
                {
                    self.tally
                        .consumption
                        .lanes
                        .insert(DemandKey { region, ..lane }, demand.clone());
                }
            }
        }
    }
}
