//! API requests, executed in full against the tables in memory.
//!
//! Whether a condition failed comes from the recorded error; everything else is evaluated: update
//! expressions, key conditions, pages. What a line gives (`item_after`, `evaluated_keys`) is used
//! as given.

use crate::trace::StartingState;
use crate::workload::export_items;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::meter::{ConsumedCapacity, change_data_capture_units, meter, replicated_bytes};
use crate::replay::cache::exact::Which;
use crate::replay::dynamodb::expression::{KeyCondition, Parser, legacy_conditions, legacy_update};
use crate::replay::dynamodb::partiql::{self, Statement};
use crate::replay::dynamodb::tables::{KeyValues, Page, PageRequest, Stored, joined, named_key};
use crate::replay::executor::{CannotExecute, Executor};
use crate::replay::state::sizes::SizeSource;
use crate::replay::state::tables::Tables;
use crate::replay::tally::consumption::CallKind;
use crate::replay::tally::verify::answered;
use crate::table::{
    Arn, Consistency, Direction, IndexKind, Item, Operation, Projection, ReadPage, Table,
    TransactionAction, TransactionOutcome, Write, WriteOutcome, limits,
};
use crate::trace::{
    ApiName, Bad, Failure, NameTable, Request, RowPlace, SkipReason, Time, TracedKey,
};
use crate::units::{Bytes, Exact};

/// The first call of a transaction: its time, and what it did on each table.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(in crate::replay) struct Committed {
    time: Time,
    actions: Vec<(usize, (TransactionAction, TracedKey))>,
}

/// How long a ClientRequestToken is valid: ten minutes. Source: API Reference,
/// "TransactWriteItems".
const TOKEN_NANOSECONDS: i64 = 600 * Time::SECOND;

/// What a request does on one table, and the keys of its members, in their order.
struct Done {
    table: usize,
    index: Option<usize>,
    operation: Operation,
    keys: Vec<TracedKey>,
    items: u64,
}

/// A planned write: a request plans all its writes before it changes anything.
struct Planned {
    table: usize,
    key: KeyValues,
    what: Effect,
}

/// Members of a batch that AWS left unprocessed, by table and key: they cost nothing (rules 2.3,
/// 3.5 and 11.7).
struct Unprocessed(Vec<(usize, KeyValues)>);

impl Unprocessed {
    /// Removes a member, and returns whether it was one of them.
    fn take(&mut self, table: usize, key: &KeyValues) -> bool {
        let found = self
            .0
            .iter()
            .position(|(of, known)| *of == table && known == key);
        found.map(|at| self.0.swap_remove(at)).is_some()
    }

    /// Checks that the batch contained all of them.
    fn all_found(&self) -> Result<(), CannotExecute> {
        match self.0.first() {
            None => Ok(()),
            Some((_, key)) => {
                let key = String::from_utf8_lossy(&joined(key))
                    .escape_debug()
                    .to_string();
                Err(wrong(format!(
                    "unprocessed lists {key}, which is not in the batch"
                )))
            }
        }
    }
}

enum Effect {
    Becomes(Option<Item>),
    Check,
}

fn wrong(text: impl Into<String>) -> CannotExecute {
    (SkipReason::Request, text.into())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn consistency(level: &Value) -> Consistency {
    if level["ConsistentRead"] == true {
        Consistency::Strong
    } else {
        Consistency::Eventual
    }
}

/// Groups operations by table, in the order of their first appearance.
fn by_table<T>(all: impl IntoIterator<Item = (usize, T)>) -> Vec<(usize, Vec<T>)> {
    let mut tables: Vec<(usize, Vec<T>)> = Vec::new();
    for (table, one) in all {
        match tables.iter_mut().find(|(known, _)| *known == table) {
            Some((_, list)) => list.push(one),
            None => tables.push((table, vec![one])),
        }
    }
    tables
}

/// The key of the query cache: a hash of all parameters of a Query or Scan (rule 7.1).
fn parameters(request: &Request) -> u64 {
    xxh3_64(format!("{}{}", request.api.name(), request.request).as_bytes())
}

/// The page of a Query or Scan that the query cache may answer.
fn cached_page(member: &Operation) -> Option<&ReadPage> {
    match member {
        Operation::Query(page) | Operation::Scan(page)
            if page.consistency == Consistency::Eventual =>
        {
            Some(page)
        }
        _ => None,
    }
}

impl Executor {
    /// Executes one request, meters it, and compares the result with the ConsumedCapacity of the
    /// line.
    pub(in crate::replay) fn request(
        &mut self,
        request: &Request,
        time: Time,
        place: RowPlace,
        names: &NameTable,
        bad: &Bad,
    ) -> Result<(), CannotExecute> {
        if request.api == ApiName::CreateTable {
            if request.failure.is_some() {
                return Ok(());
            }
            self.tables.create(&request.request).map_err(wrong)?;
            return self.start_with_export(&request.request);
        }
        if matches!(request.api, ApiName::UpdateTable | ApiName::DeleteTable) {
            let refused = request.failure.is_some();
            let done = if request.api == ApiName::UpdateTable {
                Tables::update
            } else {
                Tables::delete
            };
            return if refused {
                Ok(())
            } else {
                done(&mut self.tables, &request.request).map_err(wrong)
            };
        }
        if request.api == ApiName::Free {
            return Ok(());
        }
        if request.failure == Some(Failure::Free) {
            self.tally.refused += 1;
            return Ok(());
        }
        let region = self.region(request.region, names)?;
        let done = self.execute(request, time)?;
        let mut metered: Vec<(usize, Operation, ConsumedCapacity)> = Vec::new();
        for done in done {
            self.stands_in(done.table, region)?;
            metered.push(self.done(request, done, region, time.second(), names));
        }
        for (table, captured, bytes) in std::mem::take(&mut self.unchanged) {
            let kind = CallKind {
                table,
                region,
                caller: request.caller,
                api: Some(request.api),
                direction: Direction::Write,
                index: None,
            };
            let traced = self.tally.consumption.kind(kind);
            traced.captured = traced.captured.saturating_sub(captured.into());
            traced.replicated_bytes = traced.replicated_bytes.saturating_sub(bytes.into());
        }
        if let (Some(consumed), None, ApiName::BatchGetItem | ApiName::BatchWriteItem) =
            (&request.consumed, &request.unprocessed, request.api)
        {
            let total = |consumed: &ConsumedCapacity| {
                consumed.total().read.exact() + consumed.total().write.exact()
            };
            let metered: Exact = metered.iter().map(|(.., consumed)| total(consumed)).sum();
            self.tally.short_batches +=
                u64::from(answered(consumed).is_some_and(|said| said < metered));
        }
        if let (Some(consumed), Some(verification)) =
            (&request.consumed, &mut self.tally.verification)
        {
            let tables = &self.tables;
            let metered: Vec<(&Table, &Operation, &ConsumedCapacity)> = metered
                .iter()
                .map(|(table, operation, consumed)| {
                    (&tables.list[*table].design.table, operation, consumed)
                })
                .collect();
            let place = || format!("{}:{}", bad.file(place), place.row);
            verification.check(self.ordinal, place, request.api.name(), consumed, &metered);
        }
        Ok(())
    }

    /// Meters what a request did on one table: as a whole for the comparison with the line's
    /// ConsumedCapacity, and member by member for hot keys and DAX. Both have the same total (rules
    /// 2.3, 3.5, 3.6).
    fn done(
        &mut self,
        request: &Request,
        done: Done,
        region: usize,
        second: i64,
        names: &NameTable,
    ) -> (usize, Operation, ConsumedCapacity) {
        let Done {
            table,
            index,
            operation,
            keys,
            items,
        } = done;
        let whole = meter(
            &self.tables.list[table].design.table,
            &operation,
            &self.switches,
        );
        let kind = CallKind {
            table,
            region,
            caller: request.caller,
            api: Some(request.api),
            direction: operation.direction(),
            index,
        };
        let traced = self.tally.consumption.kind(kind);
        (traced.writes, traced.index) = (kind.direction == Direction::Write, index);
        traced.calls += 1;
        traced.touched += items;
        *self
            .tally
            .provenance
            .rows
            .entry((kind.direction, SizeSource::Row))
            .or_default() += 1;
        let caller = request.caller.map(|caller| names.text(caller));
        let passes_by = self.passes_dax(table, caller, request.api, index);
        let has_dax = self.tables.list[table].design.dax.is_some() && region == 0 && !passes_by;
        for (at, member) in members(&operation).into_iter().enumerate() {
            let key = keys
                .get(at)
                .or(keys.last())
                .copied()
                .unwrap_or_else(|| TracedKey::of(b""));
            if let (Some((item, Consistency::Eventual)), false) = (cached_read(&member), passes_by)
            {
                let bytes = item.map_or(0, |bytes| bytes.0 as u32);
                let hit =
                    region == 0 && self.access(table, Which::Item, key.hash, bytes, second, false);
                // A call whose line has a ConsumedCapacity was answered by the table, not by the
                // cache.
                if hit && has_dax && request.consumed.is_none() {
                    self.tally.consumption.kind(kind).hits += 1;
                    continue;
                }
            }
            if let (Some(page), false, 0) = (cached_page(&member), passes_by, region) {
                let bytes = u32::try_from(page.evaluated.0).unwrap_or(u32::MAX);
                let hit = self.access(
                    table,
                    Which::Query,
                    parameters(request),
                    bytes,
                    second,
                    false,
                );
                if hit && has_dax && request.consumed.is_none() {
                    self.tally.consumption.kind(kind).hits += 1;
                    continue;
                }
            }
            self.consume(
                table,
                region,
                request.caller,
                request.api,
                index,
                &member,
                &key,
                second,
            );
            if let Some((after, transaction)) = written(&member).filter(|_| !passes_by) {
                self.written_through_dax(kind, &key, after, transaction, second);
            }
        }
        (table, operation, whole)
    }

    /// The members of a batch that AWS left unprocessed.
    fn unprocessed(&self, request: &Request) -> Result<Unprocessed, CannotExecute> {
        let mut all = Vec::new();
        for (name, level) in request
            .unprocessed
            .iter()
            .filter_map(Value::as_object)
            .flatten()
        {
            let table = self.table_of(name)?;
            let members = if level.is_array() {
                list(level)
            } else {
                list(&level["Keys"])
            };
            for one in members {
                let key = [&one["PutRequest"]["Item"], &one["DeleteRequest"]["Key"]]
                    .into_iter()
                    .find(|key| !key.is_null())
                    .unwrap_or(one);
                all.push((
                    table,
                    self.key_of(table, &Executor::item_of(key, "unprocessed")?)?,
                ));
            }
        }
        Ok(Unprocessed(all))
    }

    fn named(&self, level: &Value) -> Result<usize, CannotExecute> {
        let name = level["TableName"]
            .as_str()
            .ok_or_else(|| wrong("TableName is missing"))?;
        self.table_of(name)
    }

    fn table_of(&self, name: &str) -> Result<usize, CannotExecute> {
        let name = Arn::of(name).table();
        self.tables.find(name).ok_or_else(|| {
            let defined = self.tables.names();
            let text = if defined.is_empty() {
                "none; begin the log with a CreateTable, or give a workload".to_string()
            } else {
                defined
            };
            (
                SkipReason::UnknownTable,
                format!(
                    "the table {} is not defined; defined tables: {text}",
                    name.escape_debug()
                ),
            )
        })
    }

    fn item_of(json: &Value, what: &str) -> Result<Item, CannotExecute> {
        if json.is_null() {
            return Err(wrong(format!("{what} is missing")));
        }
        Item::from_json(json).map_err(|error| wrong(format!("{what}: {error}")))
    }

    fn key_of(&self, table: usize, item: &Item) -> Result<KeyValues, CannotExecute> {
        Stored::key(&self.tables.list[table].design.table, item)
            .map_err(|error| (SkipReason::Key, error))
    }

    /// Checks the size of an item that a put writes. The item after an update may be larger: its
    /// limit applies to what the statement writes (rule 11.4), and a recorded call without an error
    /// is assumed to have succeeded.
    fn sized(&self, item: Item) -> Result<Item, CannotExecute> {
        let bytes = item.size(self.switches.number_alignment).0;
        if bytes > limits::ITEM_BYTES_MAX {
            return Err((
                SkipReason::ItemSize,
                format!(
                    "the item of the put has {bytes} bytes; a DynamoDB item has at most 409600 \
                     bytes (400 KB)"
                ),
            ));
        }
        Ok(item)
    }

    fn stored(&self, table: usize, key: &KeyValues) -> Option<&Item> {
        self.tables.list[table].stored.get(key)
    }

    fn size_of(&self, table: usize, key: &KeyValues) -> Option<Bytes> {
        self.stored(table, key)
            .map(|item| item.size(self.switches.number_alignment))
    }

    fn write(&mut self, planned: Planned, refused: bool) -> TransactionAction {
        let numbers = self.switches.number_alignment;
        let Planned { table, key, what } = planned;
        match what {
            Effect::Check => TransactionAction::ConditionCheck(self.size_of(table, &key)),
            Effect::Becomes(new) => {
                let state = &mut self.tables.list[table];
                state.has_items = true;
                let named = named_key(&key);
                let slot = state.slot(&named);
                let size = new.as_ref().map(|item| item.size(numbers).0 as u32);
                // A write that changes nothing has no stream record (rule 5.2).
                if let Some(old) = state
                    .stored
                    .get(&key)
                    .filter(|old| !refused && Some(*old) == new.as_ref())
                {
                    let bytes = Some(old.size(numbers));
                    let same = Operation::PutItem(Write {
                        old: bytes,
                        new: bytes,
                        ..Write::default()
                    });
                    self.unchanged.push((
                        table,
                        change_data_capture_units(&same),
                        replicated_bytes(&same).0,
                    ));
                }
                let write = state.write(key, new, refused, numbers);
                if !refused {
                    state.store.set(slot, named.hash, size, false);
                }
                TransactionAction::Write(write)
            }
        }
    }

    /// Plans a put of an item.
    fn put(&self, table: usize, item: Item) -> Result<Planned, CannotExecute> {
        let item = self.sized(item)?;
        Ok(Planned {
            table,
            key: self.key_of(table, &item)?,
            what: Effect::Becomes(Some(item)),
        })
    }

    /// Plans an update: the item after it is given by the line, or evaluated. A failed update
    /// leaves the item unchanged.
    fn update(
        &self,
        table: usize,
        level: &Value,
        after: Option<&Value>,
        failed: bool,
    ) -> Result<Planned, CannotExecute> {
        let key_item = Executor::item_of(&level["Key"], "Key")?;
        let key = self.key_of(table, &key_item)?;
        let before = self.stored(table, &key);
        let new = match after {
            Some(Value::Null) => None,
            Some(after) => Some(Executor::item_of(after, "item_after")?),
            None => {
                let update = match (&level["UpdateExpression"], &level["AttributeUpdates"]) {
                    (Value::String(text), _) => Parser::new(text, level).and_then(Parser::update),
                    (_, legacy) => legacy_update(legacy),
                };
                let evaluated = update.and_then(|update| update.apply(&key_item, before));
                match evaluated {
                    Ok(item) => Some(item),
                    // A condition failed before the expression was evaluated.
                    Err(_) if failed => before.cloned(),
                    Err(error) => {
                        return Err(wrong(format!(
                            "UpdateExpression: {error}; you can give the item after the update as \
                             item_after"
                        )));
                    }
                }
            }
        };
        Ok(Planned {
            table,
            key,
            what: Effect::Becomes(new),
        })
    }

    fn execute(&mut self, request: &Request, time: Time) -> Result<Vec<Done>, CannotExecute> {
        let body = &request.request;
        let failed = request.failure.is_some();
        let after = request.item_after.as_ref();
        let single = |write: TransactionAction,
                      wrap: fn(Write) -> Operation,
                      table: usize,
                      key: TracedKey| {
            let TransactionAction::Write(write) = write else {
                return Vec::new();
            };
            vec![Done {
                table,
                index: None,
                operation: wrap(write),
                keys: vec![key],
                items: 1,
            }]
        };
        Ok(match request.api {
            ApiName::PutItem => {
                let table = self.named(body)?;
                let planned = self.put(table, Executor::item_of(&body["Item"], "Item")?)?;
                let key = named_key(&planned.key);
                single(self.write(planned, failed), Operation::PutItem, table, key)
            }
            ApiName::UpdateItem => {
                let table = self.named(body)?;
                let planned = self.update(table, body, after, failed)?;
                let key = named_key(&planned.key);
                single(
                    self.write(planned, failed),
                    Operation::UpdateItem,
                    table,
                    key,
                )
            }
            ApiName::DeleteItem => {
                let table = self.named(body)?;
                let values = self.key_of(table, &Executor::item_of(&body["Key"], "Key")?)?;
                let key = named_key(&values);
                let planned = Planned {
                    table,
                    key: values,
                    what: Effect::Becomes(None),
                };
                single(
                    self.write(planned, failed),
                    Operation::DeleteItem,
                    table,
                    key,
                )
            }
            ApiName::GetItem => {
                let table = self.named(body)?;
                let values = self.key_of(table, &Executor::item_of(&body["Key"], "Key")?)?;
                let item = self.size_of(table, &values);
                let operation = Operation::GetItem {
                    item,
                    consistency: consistency(body),
                };
                vec![Done {
                    table,
                    index: None,
                    operation,
                    keys: vec![named_key(&values)],
                    items: u64::from(item.is_some()),
                }]
            }
            ApiName::BatchGetItem => {
                let mut all = Vec::new();
                let mut left = self.unprocessed(request)?;
                for (name, level) in body["RequestItems"]
                    .as_object()
                    .ok_or_else(|| wrong("RequestItems is missing"))?
                {
                    let table = self.table_of(name)?;
                    let (mut items, mut keys) = (Vec::new(), Vec::new());
                    for one in list(&level["Keys"]) {
                        let values = self.key_of(table, &Executor::item_of(one, "Keys")?)?;
                        if left.take(table, &values) {
                            continue;
                        }
                        keys.push(named_key(&values));
                        items.push(self.size_of(table, &values));
                    }
                    if items.is_empty() {
                        continue;
                    }
                    let touched = items.iter().flatten().count() as u64;
                    let operation = Operation::BatchGetItem {
                        items,
                        consistency: consistency(level),
                    };
                    all.push(Done {
                        table,
                        index: None,
                        operation,
                        keys,
                        items: touched,
                    });
                }
                left.all_found()?;
                all
            }
            ApiName::TransactGetItems => {
                let mut reads = Vec::new();
                for one in list(&body["TransactItems"]) {
                    let table = self.named(&one["Get"])?;
                    let values =
                        self.key_of(table, &Executor::item_of(&one["Get"]["Key"], "Key")?)?;
                    reads.push((table, (self.size_of(table, &values), named_key(&values))));
                }
                let done = |(table, reads): (usize, Vec<(Option<Bytes>, TracedKey)>)| {
                    let (items, keys): (Vec<Option<Bytes>>, Vec<TracedKey>) =
                        reads.into_iter().unzip();
                    let touched = items.iter().flatten().count() as u64;
                    Done {
                        table,
                        index: None,
                        operation: Operation::TransactGetItems { items },
                        keys,
                        items: touched,
                    }
                };
                by_table(reads).into_iter().map(done).collect()
            }
            ApiName::BatchWriteItem => {
                let mut planned = Vec::new();
                let mut left = self.unprocessed(request)?;
                for (name, requests) in body["RequestItems"]
                    .as_object()
                    .ok_or_else(|| wrong("RequestItems is missing"))?
                {
                    let table = self.table_of(name)?;
                    for one in list(requests) {
                        let member = match (one.get("PutRequest"), one.get("DeleteRequest")) {
                            (Some(put), _) => self
                                .put(table, Executor::item_of(&put["Item"], "PutRequest.Item")?)?,
                            (None, Some(delete)) => {
                                let key = self.key_of(
                                    table,
                                    &Executor::item_of(&delete["Key"], "DeleteRequest.Key")?,
                                )?;
                                Planned {
                                    table,
                                    key,
                                    what: Effect::Becomes(None),
                                }
                            }
                            (None, None) => {
                                return Err(wrong(
                                    "a member of RequestItems is neither PutRequest nor \
                                     DeleteRequest",
                                ));
                            }
                        };
                        if !left.take(table, &member.key) {
                            planned.push(member);
                        }
                    }
                }
                left.all_found()?;
                self.written(planned, failed, |actions| {
                    let writes = actions.into_iter().filter_map(|action| {
                        if let TransactionAction::Write(write) = action {
                            Some(write)
                        } else {
                            None
                        }
                    });
                    Operation::BatchWriteItem(writes.collect())
                })
            }
            ApiName::TransactWriteItems => self.transact(request, time)?,
            ApiName::Query | ApiName::Scan => {
                let table = self.named(body)?;
                vec![self.page(
                    table,
                    body,
                    request.evaluated_keys.as_ref(),
                    request.api == ApiName::Scan,
                )?]
            }
            ApiName::ExecuteStatement => {
                let statement =
                    partiql::parse(body).map_err(|error| wrong(format!("Statement: {error}")))?;
                let done = self.statement(
                    &statement,
                    body,
                    after,
                    request.evaluated_keys.as_ref(),
                    failed,
                )?;
                vec![Done {
                    operation: Operation::ExecuteStatement(Box::new(done.operation)),
                    ..done
                }]
            }
            ApiName::BatchExecuteStatement => {
                let mut all = Vec::new();
                for (at, one) in list(&body["Statements"]).iter().enumerate() {
                    let statement = partiql::parse(one)
                        .map_err(|error| wrong(format!("Statements[{at}]: {error}")))?;
                    let after = after
                        .and_then(|list| list.get(at))
                        .filter(|after| !after.is_null());
                    let keys = request
                        .evaluated_keys
                        .as_ref()
                        .and_then(|list| list.get(at))
                        .filter(|keys| keys.is_array());
                    // A failed member has its own error. One that never reached an item costs
                    // nothing (rule 11.1).
                    let error = one.get("error").filter(|error| !error.is_null());
                    let failure = error.map(|error| {
                        let code = error
                            .as_str()
                            .or(error["Code"].as_str())
                            .unwrap_or_default();
                        Failure::of_member(code).ok_or_else(|| {
                            let found = code.escape_debug();
                            wrong(format!(
                                "Statements[{at}]: error is \"{found}\"; expected the code of a \
                                 BatchStatementError, such as DuplicateItem"
                            ))
                        })
                    });
                    if failure.transpose()? == Some(Failure::Free) {
                        continue;
                    }
                    let failed = error.is_some() || self.fails(&statement);
                    let done = self.statement(&statement, one, after, keys, failed)?;
                    all.push((done.table, done));
                }
                let join = |(table, members): (usize, Vec<Done>)| {
                    let items = members.iter().map(|done| done.items).sum();
                    let keys = members.iter().flat_map(|done| done.keys.clone()).collect();
                    let operations = members.into_iter().map(|done| done.operation).collect();
                    Done {
                        table,
                        index: None,
                        operation: Operation::BatchExecuteStatement(operations),
                        keys,
                        items,
                    }
                };
                by_table(all).into_iter().map(join).collect()
            }
            ApiName::ExecuteTransaction => self.execute_transaction(request, time)?,
            ApiName::TimeToLiveDelete => {
                let table = self.named(body)?;
                let values = self.key_of(table, &Executor::item_of(&body["Key"], "Key")?)?;
                let key = named_key(&values);
                self.tally.time_to_live.insert(table);
                let planned = Planned {
                    table,
                    key: values,
                    what: Effect::Becomes(None),
                };
                single(
                    self.write(planned, failed),
                    Operation::TimeToLiveDelete,
                    table,
                    key,
                )
            }
            ApiName::CreateTable | ApiName::UpdateTable | ApiName::DeleteTable | ApiName::Free => {
                Vec::new()
            }
        })
    }

    /// Executes planned writes, and groups them by table.
    fn written(
        &mut self,
        planned: Vec<Planned>,
        refused: bool,
        wrap: impl Fn(Vec<TransactionAction>) -> Operation,
    ) -> Vec<Done> {
        let mut actions = Vec::new();
        for one in planned {
            let (table, key) = (one.table, named_key(&one.key));
            actions.push((table, (self.write(one, refused), key)));
        }
        let join = |(table, actions): (usize, Vec<(TransactionAction, TracedKey)>)| {
            let items = actions.len() as u64;
            let (actions, keys): (Vec<TransactionAction>, Vec<TracedKey>) =
                actions.into_iter().unzip();
            Done {
                table,
                index: None,
                operation: wrap(actions),
                keys,
                items,
            }
        };
        by_table(actions).into_iter().map(join).collect()
    }

    fn transact(&mut self, request: &Request, time: Time) -> Result<Vec<Done>, CannotExecute> {
        let body = &request.request;
        let failed = request.failure.is_some();
        let token = body["ClientRequestToken"].as_str().map(str::to_string);
        if let Some(first) = token
            .as_ref()
            .and_then(|token| self.tokens.get(token))
            .filter(|_| !failed)
            && time.0.saturating_sub(first.time.0) <= TOKEN_NANOSECONDS
        {
            return Ok(joined_transaction(
                first.actions.clone(),
                TransactionOutcome::Replayed,
            ));
        }
        let mut planned = Vec::new();
        for (at, member) in list(&body["TransactItems"]).iter().enumerate() {
            let (kind, level) = member
                .as_object()
                .and_then(|member| member.iter().next())
                .ok_or_else(|| wrong("a member of TransactItems is empty"))?;
            let table = self.named(level)?;
            let after = request
                .item_after
                .as_ref()
                .and_then(|list| list.get(at))
                .filter(|after| !after.is_null());
            planned.push(match kind.as_str() {
                "Put" => self.put(table, Executor::item_of(&level["Item"], "Put.Item")?)?,
                "Update" => self.update(table, level, after, failed)?,
                "Delete" | "ConditionCheck" => {
                    let key = self.key_of(table, &Executor::item_of(&level["Key"], "Key")?)?;
                    let what = if kind == "Delete" {
                        Effect::Becomes(None)
                    } else {
                        Effect::Check
                    };
                    Planned { table, key, what }
                }
                other => {
                    return Err(wrong(format!(
                        "TransactItems[{at}]: found {other}; expected Put, Update, Delete or \
                         ConditionCheck"
                    )));
                }
            });
        }
        let mut actions = Vec::new();
        for one in planned {
            let (table, key) = (one.table, named_key(&one.key));
            actions.push((table, (self.write(one, failed), key)));
        }
        if let Some(token) = token.filter(|_| !failed) {
            self.tokens
                .retain(|_, known| time.0.saturating_sub(known.time.0) <= TOKEN_NANOSECONDS);
            self.tokens.insert(
                token,
                Committed {
                    time,
                    actions: actions.clone(),
                },
            );
        }
        let outcome = if failed {
            TransactionOutcome::Cancelled
        } else {
            TransactionOutcome::Committed
        };
        Ok(joined_transaction(actions, outcome))
    }

    fn execute_transaction(
        &mut self,
        request: &Request,
        time: Time,
    ) -> Result<Vec<Done>, CannotExecute> {
        let failed = request.failure.is_some();
        let token = request.request["ClientRequestToken"]
            .as_str()
            .map(|token| format!("statements {token}"));
        if let Some(first) = token
            .as_ref()
            .and_then(|token| self.tokens.get(token))
            .filter(|_| !failed)
            && time.0.saturating_sub(first.time.0) <= TOKEN_NANOSECONDS
        {
            return Ok(joined_transaction(
                first.actions.clone(),
                TransactionOutcome::Replayed,
            ));
        }
        let mut actions = Vec::new();
        let mut members = Vec::new();
        for (at, one) in list(&request.request["TransactStatements"])
            .iter()
            .enumerate()
        {
            let statement = partiql::parse(one)
                .map_err(|error| wrong(format!("TransactStatements[{at}]: {error}")))?;
            let after = request
                .item_after
                .as_ref()
                .and_then(|list| list.get(at))
                .filter(|after| !after.is_null());
            let done = self.statement(&statement, one, after, None, failed)?;
            if let Operation::PutItem(write)
            | Operation::UpdateItem(write)
            | Operation::DeleteItem(write) = &done.operation
            {
                actions.extend(
                    done.keys
                        .first()
                        .map(|key| (done.table, (TransactionAction::Write(write.clone()), *key))),
                );
            }
            members.push((done.table, done));
        }
        if let Some(token) = token.filter(|_| !failed && !actions.is_empty()) {
            self.tokens.insert(token, Committed { time, actions });
        }
        let outcome = if failed {
            TransactionOutcome::Cancelled
        } else {
            TransactionOutcome::Committed
        };
        let join = |(table, members): (usize, Vec<Done>)| {
            let touched = members.iter().map(|done| done.items).sum();
            let keys = members.iter().flat_map(|done| done.keys.clone()).collect();
            let (mut items, mut actions) = (Vec::new(), Vec::new());
            for done in members {
                match done.operation {
                    Operation::GetItem { item, .. } => items.push(item),
                    Operation::Query(page) | Operation::Scan(page) => {
                        items.push((done.items > 0).then_some(page.evaluated))
                    }
                    Operation::PutItem(write)
                    | Operation::UpdateItem(write)
                    | Operation::DeleteItem(write) => actions.push(TransactionAction::Write(write)),
                    _ => {}
                }
            }
            let inner = if actions.is_empty() {
                Operation::TransactGetItems { items }
            } else {
                Operation::TransactWriteItems { actions, outcome }
            };
            Done {
                table,
                index: None,
                operation: Operation::ExecuteTransaction(Box::new(inner)),
                keys,
                items: touched,
            }
        };
        Ok(by_table(members).into_iter().map(join).collect())
    }

    /// Whether a member of a batch fails because of the stored items: an insert of an item that
    /// exists, or an update of one that does not (rule 3.10).
    fn fails(&self, statement: &Statement) -> bool {
        let there = |table: &str, key: &Item| {
            let table = self.table_of(table).ok()?;
            Some(self.stored(table, &self.key_of(table, key).ok()?).is_some())
        };
        match statement {
            Statement::Insert { table, item } => there(table, item) == Some(true),
            Statement::Update { table, key, .. } => there(table, key) == Some(false),
            Statement::Select { .. } | Statement::Delete { .. } => false,
        }
    }

    fn statement(
        &mut self,
        statement: &Statement,
        level: &Value,
        after: Option<&Value>,
        evaluated_keys: Option<&Value>,
        failed: bool,
    ) -> Result<Done, CannotExecute> {
        let table = self.table_of(statement.table())?;
        let write = |executor: &mut Executor, planned: Planned, wrap: fn(Write) -> Operation| {
            let key = named_key(&planned.key);
            let operation = match executor.write(planned, failed) {
                TransactionAction::Write(write) => wrap(write),
                TransactionAction::ConditionCheck(_) => wrap(Write {
                    outcome: WriteOutcome::ConditionFailed,
                    ..Write::default()
                }),
            };
            Done {
                table,
                index: None,
                operation,
                keys: vec![key],
                items: 1,
            }
        };
        Ok(match statement {
            Statement::Insert { item, .. } => {
                let planned = self.put(table, item.clone())?;
                write(self, planned, Operation::PutItem)
            }
            Statement::Update { update, key, .. } => {
                let values = self.key_of(table, key)?;
                let new = match after {
                    Some(after) => Executor::item_of(after, "item_after")?,
                    None => match update.apply(key, self.stored(table, &values)) {
                        Ok(item) => item,
                        Err(_) if failed => key.clone(),
                        Err(error) => {
                            return Err(wrong(format!(
                                "Statement: {error}; you can give the item after the statement as \
                                 item_after"
                            )));
                        }
                    },
                };
                write(
                    self,
                    Planned {
                        table,
                        key: values,
                        what: Effect::Becomes(Some(new)),
                    },
                    Operation::UpdateItem,
                )
            }
            Statement::Delete { key, .. } => {
                let values = self.key_of(table, key)?;
                write(
                    self,
                    Planned {
                        table,
                        key: values,
                        what: Effect::Becomes(None),
                    },
                    Operation::DeleteItem,
                )
            }
            Statement::Select {
                index,
                returned,
                conditions,
                residue,
                backward,
                ..
            } => {
                let position = index
                    .as_deref()
                    .map(|index| self.index_of(table, index))
                    .transpose()?;
                let design = &self.tables.list[table].design.table;
                let partition = match position {
                    Some(index) => design.indexes[index]
                        .keys
                        .first()
                        .cloned()
                        .unwrap_or_default(),
                    None => design.keys.partition.clone(),
                };
                let local =
                    position.is_some_and(|index| design.indexes[index].kind == IndexKind::Local);
                let partition = if local {
                    design.keys.partition.clone()
                } else {
                    partition
                };
                let mut order: Vec<String> = match position {
                    Some(index) => design.indexes[index].keys.clone(),
                    None => design.keys.names().map(str::to_string).collect(),
                };
                order.push(partition.clone());
                let unsure = residue.iter().any(|name| order.contains(name))
                    || !level["NextToken"].is_null();
                if unsure && evaluated_keys.is_none() {
                    let text = "OR, IN and NextToken on a key are not evaluated; you can list the \
                                keys of the items that were read as evaluated_keys";
                    return Err(wrong(format!("Statement: {text}")));
                }
                let equal = |name: &str| {
                    conditions.iter().any(|one| {
                        one.name == name
                            && matches!(
                                one.test,
                                crate::replay::dynamodb::expression::Test::Equal(_)
                            )
                    })
                };
                // Comparisons of other attributes are a filter, which does not reduce what is read.
                let keyed: Vec<KeyCondition> = if equal(&partition) {
                    conditions
                        .iter()
                        .filter(|one| order.contains(&one.name))
                        .cloned()
                        .collect()
                } else {
                    Vec::new()
                };
                let whole_key = position.is_none() && design.keys.names().all(equal);
                if whole_key {
                    let key = Item(
                        keyed
                            .iter()
                            .filter_map(|one| {
                                if let crate::replay::dynamodb::expression::Test::Equal(value) =
                                    &one.test
                                {
                                    Some((one.name.clone(), value.clone()))
                                } else {
                                    None
                                }
                            })
                            .collect(),
                    );
                    let values = self.key_of(table, &key)?;
                    let item = self.size_of(table, &values);
                    let operation = Operation::GetItem {
                        item,
                        consistency: consistency(level),
                    };
                    return Ok(Done {
                        table,
                        index: None,
                        operation,
                        keys: vec![named_key(&values)],
                        items: u64::from(item.is_some()),
                    });
                }
                let scan = keyed.is_empty();
                let asked = PageRequest {
                    index: position,
                    conditions: keyed,
                    limit: level["Limit"].as_u64(),
                    backward: *backward,
                    ..PageRequest::default()
                };
                let outside = match returned {
                    Some(names) => position.is_some_and(|index| {
                        names
                            .iter()
                            .any(|name| !design.indexes[index].holds(&design.keys, name))
                    }),
                    // `SELECT *` returns what the index holds, and fetches nothing from the table
                    // (rule 11.2).
                    None => false,
                };
                self.read(
                    table,
                    asked,
                    consistency(level),
                    local && outside,
                    evaluated_keys,
                    scan,
                )?
            }
        })
    }

    fn index_of(&self, table: usize, name: &str) -> Result<usize, CannotExecute> {
        let state = &self.tables.list[table];
        let indexes = &state.design.table.indexes;
        let there = (0..indexes.len()).filter(|at| !state.has_ended(*at));
        there
            .clone()
            .find(|at| indexes[*at].name == name)
            .ok_or_else(|| {
                let known = there
                    .map(|at| &indexes[at])
                    .map(|index| index.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", ");
                (
                    SkipReason::UnknownIndex,
                    format!(
                        "the table has no index {}; it has {known}",
                        name.escape_debug()
                    ),
                )
            })
    }

    /// One page of a Query or Scan.
    fn page(
        &mut self,
        table: usize,
        body: &Value,
        evaluated_keys: Option<&Value>,
        scan: bool,
    ) -> Result<Done, CannotExecute> {
        let index = body["IndexName"]
            .as_str()
            .map(|name| self.index_of(table, name))
            .transpose()?;
        let conditions = match (&body["KeyConditionExpression"], &body["KeyConditions"]) {
            (Value::String(text), _) => Parser::new(text, body)
                .and_then(Parser::key_conditions)
                .map_err(|error| wrong(format!("KeyConditionExpression: {error}")))?,
            (_, legacy @ Value::Object(_)) => legacy_conditions(legacy).map_err(wrong)?,
            _ if scan => Vec::new(),
            _ => return Err(wrong("a Query needs a KeyConditionExpression")),
        };
        let after = body.get("ExclusiveStartKey").filter(|key| !key.is_null());
        let after = after
            .map(|key| Executor::item_of(key, "ExclusiveStartKey"))
            .transpose()?;
        let segment = body["Segment"].as_u64().zip(body["TotalSegments"].as_u64());
        let asked = PageRequest {
            index,
            conditions,
            backward: body["ScanIndexForward"] == false,
            limit: body["Limit"].as_u64(),
            after,
            segment,
        };
        let fetches = self.fetches(table, index, body)?;
        self.read(
            table,
            asked,
            consistency(body),
            fetches,
            evaluated_keys,
            scan,
        )
    }

    /// Whether a read of a local index requests attributes that the index does not hold (rule 2.7).
    fn fetches(
        &self,
        table: usize,
        index: Option<usize>,
        body: &Value,
    ) -> Result<bool, CannotExecute> {
        let table = &self.tables.list[table].design.table;
        let Some(index) = index
            .map(|at| &table.indexes[at])
            .filter(|index| index.kind == IndexKind::Local)
        else {
            return Ok(false);
        };
        if body["Select"] == "ALL_ATTRIBUTES" {
            return Ok(index.projection != Projection::All);
        }
        let names = match (&body["ProjectionExpression"], &body["AttributesToGet"]) {
            (Value::String(text), _) => Parser::new(text, body)
                .and_then(Parser::projection)
                .map_err(|error| wrong(format!("ProjectionExpression: {error}")))?,
            (_, legacy) => list(legacy)
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_string)
                .collect(),
        };
        Ok(names.iter().any(|name| !index.holds(&table.keys, name)))
    }

    fn read(
        &mut self,
        table: usize,
        asked: PageRequest,
        consistency: Consistency,
        fetches: bool,
        evaluated_keys: Option<&Value>,
        scan: bool,
    ) -> Result<Done, CannotExecute> {
        let numbers = self.switches.number_alignment;
        if scan && evaluated_keys.is_none() {
            self.tally.provenance.scans += 1;
        }
        let state = &self.tables.list[table];
        let page: Page = match evaluated_keys {
            Some(keys) => {
                let keys = list(keys).iter().map(|key| {
                    let item = Executor::item_of(key, "evaluated_keys")?;
                    self.key_of(table, &item)
                });
                let keys: Vec<KeyValues> = keys.collect::<Result<_, _>>()?;
                if let Some(missing) = keys.iter().find(|key| state.stored.get(key).is_none()) {
                    let text = String::from_utf8_lossy(&joined(missing))
                        .escape_debug()
                        .to_string();
                    return Err(wrong(format!(
                        "evaluated_keys lists {text}, but the table has no such item"
                    )));
                }
                state
                    .stored
                    .named(&state.design.table, asked.index, &keys, numbers)
            }
            None => state
                .stored
                .page(&state.design.table, &asked, numbers)
                .map_err(wrong)?,
        };
        let equal = asked.conditions.iter().find_map(|one| match &one.test {
            crate::replay::dynamodb::expression::Test::Equal(value) => {
                crate::replay::dynamodb::tables::KeyValue::of(value)
            }
            _ => None,
        });
        let key = TracedKey::of(&equal.map(|value| value.bytes()).unwrap_or_default());
        let read = ReadPage {
            index: asked.index,
            evaluated: page.bytes,
            consistency,
            fetched: fetches.then(|| page.items.clone()),
        };
        let operation = if scan {
            Operation::Scan(read)
        } else {
            Operation::Query(read)
        };
        Ok(Done {
            table,
            index: asked.index,
            operation,
            keys: vec![key],
            items: page.count,
        })
    }

    /// Loads the full export of a table that the trace has just defined: the items that it held
    /// when the log began.
    fn start_with_export(&mut self, request: &Value) -> Result<(), CannotExecute> {
        let name = request["TableName"].as_str().unwrap_or_default();
        let own = |state: &StartingState| state.table.as_deref().is_none_or(|table| table == name);
        let Some(at) = self.exports.iter().position(own) else {
            return Ok(());
        };
        let export = self.exports.remove(at);
        let table = self.table_of(name)?;
        let take = &mut |file: &str, line, item| {
            self.start_with(table, item)
                .map_err(|(_, text)| format!("{file}:{line}: {text}"))
        };
        export_items(&export.folder, take).map_err(wrong)
    }

    /// Adds an item of an export to the starting state.
    ///
    /// # Errors
    /// Why it cannot be an item of the table.
    pub fn start_with(&mut self, table: usize, item: Item) -> Result<(), CannotExecute> {
        let key = self.key_of(table, &item)?;
        let bytes = item.size(self.switches.number_alignment).0 as u32;
        let state = &mut self.tables.list[table];
        let named = named_key(&key);
        let slot = state.slot(&named);
        state.store.set(slot, named.hash, Some(bytes), true);
        state.stored.put(&state.design.table, key, Some(item));
        state.has_items = true;
        Ok(())
    }
}

fn joined_transaction(
    actions: Vec<(usize, (TransactionAction, TracedKey))>,
    outcome: TransactionOutcome,
) -> Vec<Done> {
    let join = |(table, actions): (usize, Vec<(TransactionAction, TracedKey)>)| {
        let items = actions.len() as u64;
        let (actions, keys) = actions.into_iter().unzip();
        Done {
            table,
            index: None,
            operation: Operation::TransactWriteItems { actions, outcome },
            keys,
            items,
        }
    };
    by_table(actions).into_iter().map(join).collect()
}

/// The members of an operation, each as an operation of its own, if that consumes the same in
/// total.
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

/// The item of a read by key that a cache may answer, and its consistency.
fn cached_read(operation: &Operation) -> Option<(Option<Bytes>, Consistency)> {
    match operation {
        Operation::GetItem { item, consistency } => Some((*item, *consistency)),
        Operation::BatchGetItem { items, consistency } => {
            Some((items.first().copied().flatten(), *consistency))
        }
        _ => None,
    }
}

/// The size that an applied write left, and whether the write was in a transaction.
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
