//! Changes of items with their images: records of streams and of incremental exports.

use super::Events;
use super::calls::SizedItem;
use crate::replay::dynamodb::key::{KeyValues, named_key};
use crate::replay::dynamodb::tables::Stored;
use crate::replay::engine::CallSite;
use crate::replay::error::CannotExecute;
use crate::replay::state::sizes::{SizeSource, SizedImages};
use crate::table::{ApiName, Direction, Item, KeySchema, Operation, Write, WriteOutcome, limits};
use crate::trace::{ItemChange, Name, SkipReason, TracedCall, TracedKey};
use crate::units::Bytes;

/// What is known of the item before and after a change.
struct Images {
    key: KeyValues,
    hashed: TracedKey,
    /// Whether there was an item before, and whether there is one after.
    there: (bool, bool),
    old: Option<Item>,
    new: Option<Item>,
    /// Whether it is only assumed that there was none before.
    is_guessed: bool,
}

impl Events<'_> {
    /// A change with its images.
    pub(super) fn change(
        &mut self,
        table: Option<Name>,
        change: ItemChange,
    ) -> Result<(), CannotExecute> {
        let engine = &mut *self.engine;
        let keys = || KeySchema::of_names(change.keys.0.keys());
        let table = engine.table(table, self.names, keys)?;
        let region = engine.region(change.region, self.names)?;
        engine.stands_in(table, region)?;
        self.check_stated_size(&change);
        self.images_are_items(&change)?;
        let images = self.images(table, &change)?;
        let written = if images.are_known(&change) {
            Some(self.change_of_images(table, &change, &images))
        } else {
            self.change_of_sizes(table, &images)
        };
        let site = CallSite {
            table,
            region,
            caller: None,
            api: match (change.time_to_live, images.there.1) {
                (true, _) => ApiName::TimeToLiveDelete,
                (false, false) => ApiName::DeleteItem,
                (false, true) => ApiName::PutItem,
            },
            index: None,
            second: self.moment.second,
            moment: self.moment,
        };
        let Some((write, source)) = written else {
            self.unmetered(
                &site,
                "the stream view contains no images, and neither the workload nor an earlier \
                 record gives a size",
            );
            return Ok(());
        };
        let is_there = (write.old.is_some(), write.new.is_some());
        let size = (write.old.max(write.new), source);
        self.count(table, Direction::Write, size, |_, size| {
            Operation::PutItem(Write {
                old: is_there.0.then_some(size),
                new: is_there.1.then_some(size),
                ..Write::default()
            })
        });
        self.store_change(&site, change.has_old, images, &write);
        Ok(())
    }

    /// Compares the size that a record states with the calculated one.
    fn check_stated_size(&mut self, change: &ItemChange) {
        let numbers = self.engine.switches.number_alignment;
        let (bad, place) = (self.bad, self.place);
        let verification = &mut self.engine.tally.totals.verification;
        if let (Some(stated), Some(verification)) = (change.size_bytes, verification) {
            let images = change.old.iter().chain(&change.new);
            let images = images.map(|item| item.size(numbers)).sum::<Bytes>();
            let calculated = change.keys.size(numbers) + images;
            verification.check_size(
                (self.time, place),
                || bad.file_and_row(place),
                stated,
                calculated,
            );
        }
    }

    /// No image is larger than an item can be.
    fn images_are_items(&self, change: &ItemChange) -> Result<(), CannotExecute> {
        let numbers = self.engine.switches.number_alignment;
        for item in change.old.iter().chain(&change.new) {
            let bytes = item.size(numbers).0;
            if bytes > limits::ITEM_BYTES_MAX {
                let text = format!(
                    "an image of {bytes} bytes; a DynamoDB item has at most 409600 bytes (400 KB)"
                );
                return Err((SkipReason::ItemSize, text));
            }
        }
        Ok(())
    }

    fn images(&self, table: usize, change: &ItemChange) -> Result<Images, CannotExecute> {
        let state = self.engine.state(table);
        let key = Stored::key(&state.design.table, &change.keys)
            .map_err(|error| (SkipReason::Key, format!("Keys: {error}")))?;
        let known = state.stored.get(&key).cloned();
        // A view without old images does not say whether there was an item; what is deleted was
        // there.
        let there = change.there.unwrap_or((
            change.old.is_some() || known.is_some() || change.new.is_none(),
            change.new.is_some(),
        ));
        let is_guessed = change.there.is_none() && known.is_none() && change.new.is_some();
        let old = if change.has_old {
            change.old.clone()
        } else {
            known.filter(|_| change.there.is_none() || there.0)
        };
        Ok(Images {
            hashed: named_key(&key),
            key,
            there,
            old,
            new: change.new.clone(),
            is_guessed,
        })
    }

    /// The write between two known images, and the source of its sizes.
    fn change_of_images(
        &self,
        table: usize,
        change: &ItemChange,
        images: &Images,
    ) -> (Write, SizeSource) {
        let numbers = self.engine.switches.number_alignment;
        let (old, new) = (images.old.as_ref(), images.new.as_ref());
        let write = Write {
            old: old.map(|item| item.size(numbers)),
            new: new.map(|item| item.size(numbers)),
            indexes: self
                .engine
                .state(table)
                .design
                .table
                .transitions(old, new, numbers),
            outcome: WriteOutcome::Applied,
        };
        let source = if images.is_guessed {
            SizeSource::Assumed
        } else if change.has_old {
            SizeSource::Row
        } else {
            SizeSource::Seen
        };
        (write, source)
    }

    /// The write between sizes, where an image is missing; `None` if a size is unknown.
    fn change_of_sizes(&self, table: usize, images: &Images) -> Option<(Write, SizeSource)> {
        let numbers = self.engine.switches.number_alignment;
        let (there_before, there_after) = images.there;
        let call = TracedCall::new(ApiName::PutItem, images.hashed);
        let sizes = self.engine.state(table).design.sizes.as_ref();
        let seen: Option<SizedItem> = self.item(table, &call, (None, sizes));
        let new = images.new.as_ref().map(|item| item.size(numbers));
        let (old, source) = match (there_before, &images.old, seen) {
            (false, ..) => (None, SizeSource::Row),
            (true, Some(old), _) => (Some(old.size(numbers)), SizeSource::Seen),
            (true, None, Some((Some(bytes), source))) => (Some(bytes), source),
            // The old image is unknown: it is assumed to be as large as the new image.
            (true, None, _) => (new, SizeSource::Assumed),
        };
        let new = if there_after { new.or(old) } else { None };
        if there_after && new.is_none() || there_before && old.is_none() {
            return None;
        }
        let small = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.0 as u32);
        let state = self.engine.state(table);
        let (indexes, _) = state.transitions(
            images.hashed.hash,
            SizedImages::of(small(old), small(new)),
            None,
        );
        let write = Write {
            old,
            new,
            indexes,
            outcome: WriteOutcome::Applied,
        };
        Some((write, source))
    }

    /// Keeps the item after a change, and meters the change.
    fn store_change(&mut self, site: &CallSite, has_old: bool, images: Images, write: &Write) {
        let operation = match site.api {
            ApiName::TimeToLiveDelete => {
                self.engine.tally.totals.time_to_live.insert(site.table);
                Operation::TimeToLiveDelete(write.clone())
            }
            ApiName::DeleteItem => Operation::DeleteItem(write.clone()),
            _ => Operation::PutItem(write.clone()),
        };
        let state = &mut self.engine.tables.list[site.table];
        let bytes = write.new.map(|bytes| bytes.0 as u32);
        let slot = state.slot(&images.hashed);
        state.store.set(slot, images.hashed.hash, bytes, false);
        if !has_old || state.has_items {
            // The new image is the old image of the next record.
            let design = state.design.table.clone();
            state.stored.put(&design, images.key, images.new);
            state.has_items = true;
        }
        let call = self.engine.tally.totals.call(site.kind(Direction::Write));
        call.calls += 1;
        call.touched += 1;
        self.engine.consume(site, &operation, &images.hashed);
    }
}

impl Images {
    /// Whether both images are known, as far as there are items.
    fn are_known(&self, change: &ItemChange) -> bool {
        let (there_before, there_after) = self.there;
        let old_is_known = change.has_old || self.old.is_some() || !there_before;
        let new_is_known = change.has_new || !there_after;
        old_is_known && new_is_known
    }
}
