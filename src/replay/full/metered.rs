//! What a request did, metered: as a whole for the line's own answer, member by member for hot keys
//! and DAX, which comes to the same units (rules 2.3, 3.5, 3.6).

use std::collections::BTreeMap;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::Events;
use super::requests::{Done, Requests, wrong};
use crate::meter::{ConsumedCapacity, meter};
use crate::replay::cache::exact::Which;
use crate::replay::engine::CallSite;
use crate::replay::error::CannotExecute;
use crate::replay::state::sizes::SizeSource;
use crate::replay::state::tables::Tables;
use crate::replay::tally::verify::{VerifyDifference, answered, stated_number};
use crate::table::{
    ApiName, Arn, Consistency, Direction, Operation, ReadPage, Table, TransactionAction,
    TransactionOutcome, Write, WriteOutcome,
};
use crate::trace::{Failure, Request, SkipReason, TracedKey};
use crate::units::{Bytes, Exact};

/// An operation on one table, with its units.
type Metered = (usize, Operation, ConsumedCapacity);

impl Events<'_> {
    /// Executes one request, meters it and compares the units with those that the line states.
    pub(super) fn request(&mut self, mut request: Request) -> Result<(), CannotExecute> {
        let item = request.item.take();
        let request = &request;
        let is_failed = request.failure.is_some();
        match request.api {
            ApiName::CreateTable | ApiName::UpdateTable | ApiName::DeleteTable if is_failed => {
                return Ok(());
            }
            ApiName::CreateTable => {
                let tables = &mut self.engine.tables;
                tables.create(&request.request).map_err(wrong)?;
                return self.start_with_export(request);
            }
            ApiName::UpdateTable => {
                return Tables::update(&mut self.engine.tables, &request.request).map_err(wrong);
            }
            ApiName::DeleteTable => {
                return Tables::delete(&mut self.engine.tables, &request.request).map_err(wrong);
            }
            ApiName::Free => return Ok(()),
            ApiName::SearchVectors => return self.search(request),
            _ => {}
        }
        if request.failure == Some(Failure::Free) {
            self.engine.tally.totals.refused += 1;
            return Ok(());
        }
        let region = self.engine.region(request.region, self.names)?;
        let mut requests = Requests {
            engine: self.engine,
            tokens: &mut self.pending.tokens,
            request,
            item,
            time: self.time,
            unchanged: Vec::new(),
            changed: Vec::new(),
            vectors: BTreeMap::new(),
        };
        let done = requests.execute()?;
        let (unchanged, changed) = (requests.unchanged, requests.changed);
        let vectors = requests.vectors;
        let mut metered: Vec<Metered> = Vec::new();
        for done in done {
            self.engine.stands_in(done.table, region)?;
            self.found(request, &done, &changed);
            metered.push(self.done(request, done, region));
        }
        for of_table in unchanged {
            let site = self.site_of(request, of_table.table, region, None);
            let call = self.engine.tally.totals.call(site.kind(Direction::Write));
            call.captured = call.captured.saturating_sub(of_table.captured.into());
            let bytes = of_table.bytes.into();
            call.replicated_bytes = call.replicated_bytes.saturating_sub(bytes);
        }
        for ((table, index), bytes) in &vectors {
            let site = self.site_of(request, *table, region, None);
            let call = self.engine.tally.totals.call(site.kind(Direction::Write));
            call.write_vectors(*index, *bytes);
        }
        self.compare(request, &metered);
        self.compare_vectors(request, &vectors);
        Ok(())
    }

    /// Counts a search of a vector index, with the bytes that AWS says it searched: they do not
    /// follow from the items (rule 11.5).
    fn search(&mut self, request: &Request) -> Result<(), CannotExecute> {
        if request.failure.is_some() {
            self.engine.tally.totals.refused += 1;
            return Ok(());
        }
        let body = &request.request;
        let name = body["TableName"].as_str().unwrap_or_default();
        let table = self.engine.tables.of_request(Arn::of(name).table())?;
        let indexes = &self.engine.tables.list[table].design.vectors;
        let asked = body["IndexName"].as_str().unwrap_or_default();
        let Some(index) = indexes.iter().position(|index| index.name == asked) else {
            let names: Vec<&str> = indexes.iter().map(|index| index.name.as_str()).collect();
            let text = format!(
                "no vector index {}; the table has {}",
                asked.escape_debug(),
                names.join(", ")
            );
            return Err((SkipReason::UnknownIndex, text));
        };
        let bytes = vector_bytes(request, asked, "VectorSearchRequestBytes");
        let searches = &mut self.engine.tally.totals.searches;
        *searches.entry((table, index, bytes)).or_default() += 1;
        Ok(())
    }

    /// Compares the bytes that writes are charged for vector indexes with those that the line states.
    fn compare_vectors(&mut self, request: &Request, metered: &BTreeMap<(usize, usize), u128>) {
        let tables = &self.engine.tables.list;
        let differs = |((table, at), bytes): (&(usize, usize), &u128)| {
            let index = &tables[*table].design.vectors[*at].name;
            let said = vector_bytes(request, index, "VectorWriteRequestBytes")?;
            let name = tables[*table].design.table.name.clone();
            let values = (
                format!("{index}, bytes"),
                said.to_string(),
                bytes.to_string(),
            );
            (u128::from(said) != *bytes).then_some((name, values))
        };
        let found: Vec<_> = metered.iter().filter_map(differs).collect();
        let (bad, place, order) = (self.bad, self.place, (self.time, self.place));
        if let Some(verification) = &mut self.engine.tally.totals.verification {
            for (table, values) in found {
                verification.vectors_differ(VerifyDifference {
                    order,
                    place: bad.file_and_row(place),
                    operation: request.api.name().to_string(),
                    caller: request
                        .caller
                        .map_or_else(String::new, |caller| self.names.text(caller).to_string()),
                    table,
                    targets: vec![values],
                    working: "keys, vector and projected attributes, at least 1 KB (rule 11.5)"
                        .to_string(),
                });
            }
        }
    }

    fn site_of(
        &self,
        request: &Request,
        table: usize,
        region: usize,
        index: Option<usize>,
    ) -> CallSite {
        CallSite {
            table,
            region,
            caller: request.caller,
            api: request.api,
            index,
            second: self.moment.second,
            moment: self.moment,
        }
    }

    /// Compares the units of a request with those that its line states.
    fn compare(&mut self, request: &Request, metered: &[Metered]) {
        let Some(stated) = &request.consumed else {
            return;
        };
        let is_batch = matches!(request.api, ApiName::BatchGetItem | ApiName::BatchWriteItem);
        let totals = &mut self.engine.tally.totals;
        if is_batch && request.unprocessed.is_none() {
            let total = |consumed: &ConsumedCapacity| {
                consumed.total().read.exact() + consumed.total().write.exact()
            };
            let all: Exact = metered.iter().map(|(.., consumed)| total(consumed)).sum();
            totals.short_batches += u64::from(answered(stated).is_some_and(|said| said < all));
        }
        let Some(verification) = &mut totals.verification else {
            return;
        };
        let tables = &self.engine.tables.list;
        let table = |at: usize| &tables[at].design.table;
        let metered: Vec<(&Table, &Operation, &ConsumedCapacity)> = metered
            .iter()
            .map(|(at, operation, consumed)| (table(*at), operation, consumed))
            .collect();
        let (bad, order) = (self.bad, (self.time, self.place));
        let place = || bad.file_and_row(order.1);
        let caller = request.caller.map_or("", |caller| self.names.text(caller));
        let call = (request.api.name(), caller);
        verification.check((order, place), call, stated, &metered);
    }

    /// Meters what a request did on one table.
    fn done(&mut self, request: &Request, done: Done, region: usize) -> Metered {
        let table = done.table;
        let site = self.site_of(request, table, region, done.index);
        let engine = &mut *self.engine;
        let design = &engine.state(table).design;
        let whole = meter(&design.table, &done.operation, &engine.switches);
        let kind = site.kind(done.operation.direction());
        let totals = &mut engine.tally.totals;
        let sized = (kind.direction, SizeSource::Row);
        *totals.provenance.rows.entry(sized).or_default() += 1;
        let call = totals.call(kind);
        call.writes = kind.direction == Direction::Write;
        call.index = done.index;
        call.calls += 1;
        call.touched += done.items;
        let bypasses = engine.passes_dax(&site, self.names);
        for (at, member) in members(&done.operation).into_iter().enumerate() {
            let key = done.keys.get(at).or(done.keys.last());
            let key = key.map_or_else(|| TracedKey::of(b""), |named| named.key);
            if !bypasses && self.is_cached(request, &site, &member, &key) {
                self.engine.tally.totals.call(kind).hits += 1;
                continue;
            }
            self.engine.consume(&site, &member, &key);
            if let Some((after, in_transaction)) = written(&member).filter(|_| !bypasses) {
                self.engine
                    .written_through_dax(&site, &key, after, in_transaction);
            }
        }
        (table, done.operation, whole)
    }

    /// Whether a cluster of the design answers a read. A line with AWS's own answer reached the
    /// table.
    fn is_cached(
        &mut self,
        request: &Request,
        site: &CallSite,
        member: &Operation,
        key: &TracedKey,
    ) -> bool {
        if site.region != 0 {
            return false;
        }
        let (which, hash, bytes) = if let Some(item) = cached_item(member) {
            (
                Which::Item,
                key.hash,
                item.map_or(0, |bytes| bytes.0 as u32),
            )
        } else if let Some(page) = cached_page(member) {
            let bytes = u32::try_from(page.evaluated.0).unwrap_or(u32::MAX);
            (Which::Query, parameters(request), bytes)
        } else {
            return false;
        };
        let hit = self
            .engine
            .access(site, site.cache_use(which, hash, bytes, Direction::Read));
        let has_dax = self.engine.state(site.table).design.dax.is_some();
        hit && has_dax && request.consumed.is_none()
    }

    /// Loads the full export of a table that the trace has just defined: the items that it held
    /// when the log began.
    fn start_with_export(&mut self, request: &Request) -> Result<(), CannotExecute> {
        let name = request.request["TableName"].as_str().unwrap_or_default();
        let exports = &mut self.pending.exports;
        let position = exports
            .iter()
            .position(|state| state.table.as_deref().is_none_or(|table| table == name));
        let Some(at) = position else {
            return Ok(());
        };
        let export = exports.remove(at);
        let numbers = self.engine.switches.number_alignment;
        let table = self.engine.tables.of_request(name)?;
        let state = &mut self.engine.tables.list[table];
        let take = &mut |file: &str, line, item| {
            state
                .load(item, numbers)
                .map_err(|(_, text): (SkipReason, String)| format!("{file}:{line}: {text}"))
        };
        crate::trace::starting_items(&export.folder, take).map_err(wrong)
    }
}

/// Bytes of a vector index that a line states; `None` if it states none.
fn vector_bytes(request: &Request, index: &str, what: &str) -> Option<u64> {
    let stated = request.consumed.as_ref()?;
    let answers = match stated {
        Value::Array(answers) => answers.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut values = answers
        .iter()
        .filter_map(|one| stated_number(one["VectorIndexes"][index].get(what))?.to_u64());
    values.next()
}

/// The key of the query cache: all parameters of a Query or Scan (rule 7.1).
fn parameters(request: &Request) -> u64 {
    xxh3_64(format!("{}{}", request.api.name(), request.request).as_bytes())
}

/// The page of a Query or Scan that the query cache may answer.
fn cached_page(member: &Operation) -> Option<&ReadPage> {
    let is_cached = |page: &&ReadPage| page.consistency == Consistency::Eventual;
    match member {
        Operation::Query(page) | Operation::Scan(page) => Some(page).filter(is_cached),
        _ => None,
    }
}

/// The item of a read by key that the item cache may answer.
fn cached_item(member: &Operation) -> Option<Option<Bytes>> {
    match member {
        Operation::GetItem {
            item,
            consistency: Consistency::Eventual,
        } => Some(*item),
        Operation::BatchGetItem {
            items,
            consistency: Consistency::Eventual,
        } => Some(items.first().copied().flatten()),
        _ => None,
    }
}

/// The members of an operation, each an operation of its own, if that comes to the same units.
fn members(operation: &Operation) -> Vec<Operation> {
    match operation {
        Operation::BatchGetItem { items, consistency } => items
            .iter()
            .map(|item| Operation::BatchGetItem {
                items: vec![*item],
                consistency: *consistency,
            })
            .collect(),
        Operation::TransactGetItems { items } => items
            .iter()
            .map(|item| Operation::TransactGetItems { items: vec![*item] })
            .collect(),
        Operation::BatchWriteItem(batch) => batch
            .iter()
            .map(|write| Operation::BatchWriteItem(vec![write.clone()]))
            .collect(),
        Operation::TransactWriteItems { actions, outcome } => actions
            .iter()
            .map(|action| Operation::TransactWriteItems {
                actions: vec![action.clone()],
                outcome: *outcome,
            })
            .collect(),
        Operation::ExecuteTransaction(inner) => members(inner)
            .into_iter()
            .map(|one| Operation::ExecuteTransaction(Box::new(one)))
            .collect(),
        other => vec![other.clone()],
    }
}

/// The item that an applied write leaves, and whether it was in a transaction.
fn written(operation: &Operation) -> Option<(Option<Bytes>, bool)> {
    let applied = |write: &Write| (write.outcome == WriteOutcome::Applied).then_some(write.new);
    match operation {
        Operation::PutItem(write) | Operation::UpdateItem(write) | Operation::DeleteItem(write) => {
            applied(write).map(|new| (new, false))
        }
        Operation::BatchWriteItem(batch) => batch.first().and_then(applied).map(|new| (new, false)),
        Operation::TransactWriteItems {
            actions,
            outcome: TransactionOutcome::Committed,
        } => match actions.first() {
            Some(TransactionAction::Write(write)) => Some((write.new, true)),
            _ => None,
        },
        _ => None,
    }
}
