//! Reads of rows that know sizes, or some of them: columns, cache traces, CloudTrail. What a row
//! does not give comes from earlier rows of its key, an export, or the workload, and is counted.

use super::{Events, Waiting};
use crate::replay::cache::exact::Which;
use crate::replay::engine::{CallSite, Engine};
use crate::replay::error::CannotExecute;
use crate::replay::state::sizes::{SizeSource, drawn, mixed, salt};
use crate::replay::state::store::KnownItem;
use crate::table::{ApiName, Consistency, Direction, KeySchema, Operation, ReadPage, limits};
use crate::trace::{Failure, Name, SkipReason, TracedCall};
use crate::units::Bytes;
use crate::workload::{AccessPattern, Entity, IndexEntry, KeyPrefix, PatternCall, SizeClasses};

/// The size of an item (`None` if there is no item) and where it came from.
pub(super) type SizedItem = (Option<Bytes>, SizeSource);

/// What a Query or Scan evaluated, and where it came from.
struct Evaluated {
    bytes: Bytes,
    /// The items, if they were drawn.
    items: Vec<Bytes>,
    source: SizeSource,
}

impl Events<'_> {
    /// A row that knows sizes, or some of them.
    pub(super) fn call(
        &mut self,
        table: Option<Name>,
        call: TracedCall,
    ) -> Result<(), CannotExecute> {
        if call.api.is_free() {
            return Ok(());
        }
        let site = self.site(table, &call)?;
        if call.failure == Some(Failure::Free) {
            self.engine.tally.totals.refused += 1;
            return Ok(());
        }
        if matches!(
            call.api,
            ApiName::ExecuteStatement
                | ApiName::BatchExecuteStatement
                | ApiName::ExecuteTransaction
        ) {
            self.unmetered(
                &site,
                "a PartiQL statement is costed by the request log, which has its text",
            );
            return Ok(());
        }
        if call.api == ApiName::SearchVectors {
            self.unmetered(
                &site,
                "a search of a vector index is read in a request log, which says how many bytes it \
                 searched",
            );
            return Ok(());
        }
        if !call.api.is_read() {
            return self.row_write(&site, &call);
        }
        if matches!(call.api, ApiName::Query | ApiName::Scan) {
            self.row_page(&site, &call);
        } else {
            self.row_get(&site, call);
        }
        Ok(())
    }

    /// The table, the region and the index of a row.
    fn site(&mut self, table: Option<Name>, call: &TracedCall) -> Result<CallSite, CannotExecute> {
        let engine = &mut *self.engine;
        let table = engine.table(table, self.names, KeySchema::unnamed)?;
        let region = engine.region(call.region, self.names)?;
        engine.stands_in(table, region)?;
        let index = self.index(table, call.index)?;
        self.has_entity(table, call.entity)?;
        Ok(CallSite {
            table,
            region,
            caller: call.caller,
            api: call.api,
            index,
            second: self.moment.second,
            moment: self.moment,
        })
    }

    /// Checks that a table with entities has the one that a row names.
    fn has_entity(&self, table: usize, name: Option<Name>) -> Result<(), CannotExecute> {
        let entities = &self.engine.state(table).design.entities;
        let Some(name) = name.filter(|_| !entities.is_empty()) else {
            return Ok(());
        };
        let text = self.names.text(name);
        if entities.iter().any(|one| one.name == text) {
            return Ok(());
        }
        let known: Vec<&str> = entities.iter().map(|one| one.name.as_str()).collect();
        let text = format!(
            "the table has no entity {}; it has {}",
            text.escape_debug(),
            known.join(", ")
        );
        Err((SkipReason::UnknownEntity, text))
    }

    /// The position of an index that a row names.
    pub(super) fn index(
        &mut self,
        table: usize,
        name: Option<Name>,
    ) -> Result<Option<usize>, CannotExecute> {
        let Some(name) = name else { return Ok(None) };
        let text = self.names.text(name);
        if let Some(found) = self.engine.tables.index(table, text) {
            return Ok(Some(found));
        }
        let indexes = &self.engine.state(table).design.table.indexes;
        let known: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
        let text = format!(
            "the table has no index {}; it has {}",
            text.escape_debug(),
            known.join(", ")
        );
        Err((SkipReason::UnknownIndex, text))
    }

    /// The access pattern of the row's caller, or the first one that calls the same way.
    pub(super) fn pattern(&self, site: &CallSite) -> Option<&AccessPattern> {
        let region = self.engine.regions.get(site.region).map(String::as_str);
        let state = self.engine.state(site.table);
        state.pattern(self.caller(site.caller), site.api, region, site.index)
    }

    /// The entity that the row names, or else the one whose keys begin most like the row's, by
    /// position.
    pub(super) fn entity(&self, site: &CallSite, call: &TracedCall) -> Option<usize> {
        let entities = &self.engine.state(site.table).design.entities;
        if let Some(name) = call.entity {
            let name = self.names.text(name);
            return entities.iter().position(|one| one.name == name);
        }
        let prefix = |one: &Entity| {
            let KeyPrefix { partition, sort } = &one.key_prefix;
            let begins = call.key.begins_with(partition.as_bytes(), sort.as_bytes());
            let length = partition.len() + sort.len();
            (begins && length > 0).then_some(length)
        };
        let matches = entities.iter().enumerate();
        let matches = matches.filter_map(|(at, one)| Some((prefix(one)?, at)));
        // Of two entities with the same prefix, it is not known which.
        let longest = matches.clone().max()?;
        let alike = matches.filter(|(length, _)| *length == longest.0).count();
        (alike == 1).then_some(longest.1)
    }

    /// The sizes of the items that a row is about: of its entity, of its access pattern, or of the
    /// table; `None` if they are not known.
    pub(super) fn sizes(&self, site: &CallSite, call: &TracedCall) -> Option<&SizeClasses> {
        let design = &self.engine.state(site.table).design;
        if let Some(at) = self.entity(site, call) {
            return design.entities.get(at)?.sizes.as_ref();
        }
        match self.pattern(site) {
            Some(pattern) if !design.entities.is_empty() => pattern.sizes.as_ref(),
            _ => design.sizes.as_ref(),
        }
    }

    /// The item stored under a key: from the row, earlier rows, an export, or drawn from sizes.
    pub(super) fn item(
        &self,
        table: usize,
        call: &TracedCall,
        (given, sizes): (Option<u32>, Option<&SizeClasses>),
    ) -> Option<SizedItem> {
        if let Some(bytes) = given {
            let item = (bytes > 0).then(|| Bytes(bytes.into()));
            return Some((item, SizeSource::Row));
        }
        let state = self.engine.state(table);
        let hash = call.key.hash;
        match state.store.get(state.slot(&call.key), hash) {
            (KnownItem::There(bytes), from) => return Some((Some(Bytes(bytes.into())), from)),
            (KnownItem::Gone, from) => return Some((None, from)),
            (KnownItem::Unknown, _) => {}
        }
        let sizes = sizes.filter(|_| state.declared)?;
        Some((Some(drawn(sizes, hash).item), SizeSource::Drawn))
    }

    /// Counts where a size came from; for a drawn size, also the units at the 1st and the 99th
    /// percentile of the sizes. `at` is the operation at a size.
    pub(super) fn count(
        &mut self,
        table: usize,
        direction: Direction,
        (item, source): SizedItem,
        at: impl Fn(&Engine, Bytes) -> Operation,
    ) {
        let provenance = &mut self.engine.tally.totals.provenance;
        *provenance.rows.entry((direction, source)).or_default() += 1;
        let (SizeSource::Drawn, Some(drawn)) = (source, item) else {
            return;
        };
        let (low, high) = self.engine.state(table).extremes;
        let units =
            [drawn, low, high].map(|size| self.engine.everywhere(table, &at(self.engine, size)));
        let provenance = &mut self.engine.tally.totals.provenance;
        let sums = provenance.drawn.entry((table, direction)).or_default();
        for (sum, units) in sums.iter_mut().zip(units) {
            *sum += units;
        }
    }

    fn row_get(&mut self, site: &CallSite, call: TracedCall) {
        let strong = |pattern: &AccessPattern| {
            let consistency = match &pattern.call {
                PatternCall::Get { consistency, .. } => *consistency,
                _ => None,
            };
            consistency == Some(Consistency::Strong)
        };
        let is_strong = call.consistency.is_none() && self.pattern(site).is_some_and(strong);
        let consistency = if is_strong {
            self.engine.tally.totals.provenance.consistency_assumed += 1;
            Consistency::Strong
        } else {
            call.consistency.unwrap_or_default()
        };
        let sizes = self.sizes(site, &call);
        if let Some(item) = self.item(site.table, &call, (call.item_bytes, sizes)) {
            let site = CallSite {
                index: None,
                ..*site
            };
            self.get(&site, &call, item, consistency);
        } else if call.sized_by_next {
            let waiting = Waiting {
                table: site.table,
                region: site.region,
                second: site.second,
                call,
            };
            let key = waiting.call.key.hash ^ site.table as u64;
            self.pending.waiting.entry(key).or_default().push(waiting);
        } else {
            self.unmetered(
                site,
                "the row has no item_bytes, nothing is known about the key, and no workload gives \
                 sizes",
            );
        }
    }

    /// Reads one item of a known size.
    fn get(
        &mut self,
        site: &CallSite,
        call: &TracedCall,
        (item, source): SizedItem,
        consistency: Consistency,
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
        self.count(site.table, Direction::Read, (item, source), |_, size| {
            read_of(Some(size))
        });
        let hash = call.key.hash;
        if source == SizeSource::Row {
            let state = &mut self.engine.tables.list[site.table];
            let bytes = item.map(|bytes| bytes.0 as u32);
            state.store.set(state.slot(&call.key), hash, bytes, false);
        }
        let cacheable = api != ApiName::TransactGetItems && consistency == Consistency::Eventual;
        let bypasses = self.engine.passes_dax(site, self.names);
        let bytes = item.map_or(0, |bytes| bytes.0 as u32);
        let answered = cacheable
            && !bypasses
            && site.region == 0
            && self.engine.access(
                site,
                site.cache_use(Which::Item, hash, bytes, Direction::Read),
            );
        let traced = self.engine.tally.totals.call(site.kind(Direction::Read));
        traced.calls += 1;
        traced.touched += u64::from(item.is_some());
        if call.cached.unwrap_or(answered) {
            traced.hits += 1;
            return;
        }
        self.engine.consume(site, &read_of(item), &call.key);
    }

    /// Executes the reads that waited for the size that a write now gives.
    pub(super) fn wake(&mut self, table: usize, hash: u64, bytes: u32) {
        if self.pending.waiting.is_empty() {
            return;
        }
        let waiting = self.pending.waiting.remove(&(hash ^ table as u64));
        for waiting in waiting.unwrap_or_default() {
            let site = CallSite {
                table: waiting.table,
                region: waiting.region,
                caller: waiting.call.caller,
                api: waiting.call.api,
                index: None,
                second: waiting.second,
                moment: self.moment,
            };
            let consistency = waiting.call.consistency.unwrap_or_default();
            let item = (Some(Bytes(bytes.into())), SizeSource::Next);
            self.get(&site, &waiting.call, item, consistency);
        }
    }

    /// One page of a Query or Scan.
    fn row_page(&mut self, site: &CallSite, call: &TracedCall) {
        let (consistency_of_pattern, items_of_pattern, fetches) =
            match self.pattern(site).map(|pattern| &pattern.call) {
                Some(
                    call @ PatternCall::Page {
                        consistency,
                        fetches,
                        ..
                    },
                ) => (Some(*consistency), call.items().to_u64(), *fetches),
                _ => (None, None, false),
            };
        let consistency = call.consistency.or(consistency_of_pattern);
        let consistency = consistency.unwrap_or_default();
        let count = call.evaluated_items.or(items_of_pattern);
        let evaluated = match self.evaluated(site, call, count) {
            Ok(evaluated) => evaluated,
            Err(why) => return self.unmetered(site, why),
        };
        let fetched: Option<Vec<Bytes>> = match &call.fetched {
            Some(sizes) => Some(sizes.iter().map(|size| Bytes((*size).into())).collect()),
            None if fetches && evaluated.source == SizeSource::Drawn => {
                Some(evaluated.items.clone())
            }
            None if fetches => count
                .and_then(|count| self.drawn_page(site, call, count))
                .map(|(_, items)| items),
            None => None,
        };
        if call.evaluated_bytes.is_none() && call.evaluated_items.is_none() {
            self.engine.tally.totals.provenance.counts_assumed += 1;
        }
        let per_item = count.unwrap_or(1).max(1);
        // Index entries have sizes of their own, and their percentiles are not known.
        let item = site
            .index
            .is_none()
            .then_some(Bytes(evaluated.bytes.0 / per_item));
        let at = |_: &Engine, size: Bytes| {
            Operation::Query(ReadPage {
                evaluated: Bytes(size.0.saturating_mul(per_item)),
                consistency,
                ..ReadPage::default()
            })
        };
        self.count(site.table, Direction::Read, (item, evaluated.source), at);
        let traced = self.engine.tally.totals.call(site.kind(Direction::Read));
        traced.calls += 1;
        traced.touched += call.evaluated_items.unwrap_or(evaluated.items.len() as u64);
        traced.index = site.index;
        if call.cached == Some(true) {
            traced.hits += 1;
            return;
        }
        let page = ReadPage {
            index: site.index,
            evaluated: evaluated.bytes,
            consistency,
            fetched,
        };
        let operation = if call.api == ApiName::Scan {
            Operation::Scan(page)
        } else {
            Operation::Query(page)
        };
        self.engine.consume(site, &operation, &call.key);
    }

    /// What a page evaluated: from the row, or drawn for its number of items.
    fn evaluated(
        &self,
        site: &CallSite,
        call: &TracedCall,
        count: Option<u64>,
    ) -> Result<Evaluated, &'static str> {
        if let Some(bytes) = call.evaluated_bytes {
            return Ok(Evaluated {
                bytes: Bytes(bytes),
                items: Vec::new(),
                source: SizeSource::Row,
            });
        }
        let count = count.ok_or(
            "the row has neither evaluated_bytes nor evaluated_items, and no access pattern of \
             the workload has the same operation and index",
        )?;
        let (bytes, items) = self.drawn_page(site, call, count).ok_or(
            "the row has no evaluated_bytes, and no workload gives the sizes of the items that \
             are read",
        )?;
        Ok(Evaluated {
            bytes: Bytes(bytes),
            items,
            source: SizeSource::Drawn,
        })
    }

    /// Draws the items of a page: what it evaluates, in bytes, and the items' sizes. `None` if
    /// sizes are unknown.
    fn drawn_page(
        &self,
        site: &CallSite,
        call: &TracedCall,
        count: u64,
    ) -> Option<(u64, Vec<Bytes>)> {
        let state = self.engine.state(site.table);
        let sizes: &Option<SizeClasses> = self
            .pattern(site)
            .map_or(&state.design.sizes, |pattern| &pattern.sizes);
        let sizes = sizes.as_ref().filter(|_| state.declared)?;
        let (mut sum, mut items) = (0, Vec::new());
        for at in 0..count {
            // A page ends with the item that reaches 1 MB (rule 2.5); the rest of the call is in
            // other rows.
            if sum >= limits::PAGE_BYTES {
                break;
            }
            let hash = mixed(call.key.hash, salt::of_item(at));
            let item = drawn(sizes, hash).item;
            let size = match site.index {
                None => item,
                Some(index) => match state.entries.entry(index, item.0 as u32, hash) {
                    IndexEntry::Size(size) => size,
                    IndexEntry::None => Bytes(0),
                    IndexEntry::Unknown => return None,
                },
            };
            sum += size.0;
            items.push(item);
        }
        Some((sum, items))
    }
}
