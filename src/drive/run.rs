//! A run: tables are made, items put, calls made at their time, and what was made is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::calls::{Request, create_table, requests};
use super::cost::{PUT, REMOVE, cost};
use super::items::ItemMaker;
use super::plan::{calls_of, plan};
use super::planned::{CallItems, CallOutcome, PlannedCall, TablePlan, after};
use super::results::{Called, CalledPattern, Driven, DrivenTable, Facts, results};
use super::tables::{
    MadeTable, account_of, adopt, describe, failed, is_there, make, must_agree, remove, until_ready,
};
use super::{DriveError, DriveEvent, DriveOptions, DriveProgress, LeftOut};
use crate::aws::{Connection, Refusal, is_aws};
use crate::money::Money;
use crate::pricing::Books;
use crate::table::ApiName;
use crate::trace::Time;
use crate::units::{Exact, count_of};
use crate::workload::{PatternCall, Workload, WriteKind};

/// How many calls wait for their answers at most.
const IN_FLIGHT: usize = 32;

/// How many calls a run makes at most.
const CALLS_MAX: u64 = 1_000_000;

/// Items in a BatchWriteItem.
const BATCH: usize = 25;

/// How long the entries of items that were put take to appear in global indexes of AWS.
const UNTIL_INDEXED: Duration = Duration::from_secs(5);

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How often what a batch leaves is sent again.
const ATTEMPTS: u32 = 10;

/// Makes the calls of a workload, and writes their log to a file.
///
/// `tell` is told the cost of the run before anything is done, and how far it is. When `stop` becomes
/// true, the run ends and removes what it made.
///
/// # Errors
/// [`DriveError`] if there is a table of the same name, if the run would cost more than it may, if
/// DynamoDB cannot be reached, or if it was stopped.
pub fn drive(
    workload: &Workload,
    books: &Books,
    options: &DriveOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(DriveEvent),
) -> Result<Driven, DriveError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let facts = runtime.block_on(async {
        let mut run = Run::begin(workload, options, stop, tell).await?;
        run.agree_on_the_cost(workload, books)?;
        let done = run.all().await;
        let left = run.clean().await;
        done.map_err(|error| error.with_what_is_left(&left))?;
        run.log.flush()?;
        Ok::<Facts, DriveError>(run.facts(left))
    })?;
    results(workload, &options.log, facts)
}

impl DriveError {
    /// The same error, with what could not be removed.
    fn with_what_is_left(self, left: &[String]) -> DriveError {
        match left {
            [] => self,
            left => DriveError::new(
                format!("{self}\nnot removed: {}", left.join("; ")),
                "delete it by hand: aws dynamodb delete-table --table-name …",
            ),
        }
    }
}

struct Run<'a> {
    options: &'a DriveOptions,
    stop: &'a AtomicBool,
    tell: &'a mut dyn FnMut(DriveEvent),
    connection: Connection,
    account: Option<String>,
    tables: Vec<TablePlan>,
    made: Vec<MadeTable>,
    log: BufWriter<File>,
    called: BTreeMap<(usize, usize), Called>,
    /// The number of items put into each table.
    put: BTreeMap<usize, u64>,
    /// Tells the tokens of this run from those of others.
    run: String,
}

/// A line of the log.
struct Line {
    api: ApiName,
    request: Value,
    caller: String,
    time: Time,
    answer: Result<Value, Refusal>,
    /// The names of the table's keys, for the items that a page read.
    keys: Vec<String>,
}

/// The answers to a call that was sent.
struct Sent {
    number: u64,
    place: (usize, usize),
    outcome: CallOutcome,
    items: Vec<usize>,
    lines: Vec<Line>,
}

impl<'a> Run<'a> {
    /// Connects, and plans the calls.
    async fn begin(
        workload: &Workload,
        options: &'a DriveOptions,
        stop: &'a AtomicBool,
        tell: &'a mut dyn FnMut(DriveEvent),
    ) -> Result<Run<'a>, DriveError> {
        let url = options.endpoint_url.as_deref();
        let profile = options.profile.as_deref();
        let connection = Connection::open(profile, Some(&workload.region), url).await;
        let connection = connection.map_err(|error| {
            DriveError::new(error.to_string(), "docs/account.md says how to set them up")
        })?;
        let now = (options.clock)();
        let run = format!("{:x}", now.0);
        let seconds = &Exact::from(options.seconds) * &options.scale;
        let names: BTreeSet<&String> = workload.tables.iter().map(|one| &one.table.name).collect();
        if let Some(unknown) = options.uses.iter().find(|name| !names.contains(name)) {
            return Err(DriveError::new(
                format!("--use-table {unknown}: the design has no table of this name"),
                "name a table of the design",
            ));
        }
        let (mut tables, mut account) = (Vec::new(), None);
        for design in &workload.tables {
            let name = &design.table.name;
            let described = describe(&connection, name).await?;
            let mut maker = ItemMaker::new(&design.table, design.number_keys);
            match (&described, options.uses.contains(name)) {
                (Some(described), true) => {
                    adopt(&mut maker, described)?;
                    maker.mark = format!("dynameter{:x}-", now.second());
                }
                (Some(_), false) => return Err(is_there(name)),
                (None, true) => {
                    return Err(DriveError::new(
                        format!("--use-table {name}: there is no table of this name"),
                        "leave --use-table out: the run makes the table and removes it",
                    ));
                }
                (None, false) => {}
            }
            let calls = |access: &_| calls_of(access, workload, &seconds);
            must_be_few(design.access.iter().map(calls).sum())?;
            let table = plan(design, maker, &calls);
            if let Some(described) = described {
                must_agree(&table, &described)?;
                account = account_of(&described);
            }
            tables.push(table);
        }
        Ok(Run {
            options,
            stop,
            tell,
            connection,
            account,
            tables,
            made: Vec::new(),
            log: BufWriter::new(File::create(&options.log)?),
            called: BTreeMap::new(),
            put: BTreeMap::new(),
            run,
        })
    }

    /// Says what the run costs; an account of AWS needs a limit that it is below.
    fn agree_on_the_cost(&mut self, workload: &Workload, books: &Books) -> Result<(), DriveError> {
        let uses = |name: &str| self.options.uses.contains(name);
        let cost = cost(workload, books, &self.tables, &uses)?;
        (self.tell)(DriveEvent::Planned(cost.clone()));
        must_be_few(cost.calls)?;
        if self.tables.iter().all(|table| table.calls.is_empty()) {
            return Err(DriveError::new(
                "no access pattern of the design can be called",
                "describe the calls of the design as [[table.access]], with sizes",
            ));
        }
        let url = self.options.endpoint_url.as_deref();
        if url.is_some_and(|url| !is_aws(url)) {
            return Ok(());
        }
        let shown = |usd: Money| usd.human();
        match (cost.usd, self.options.max_usd) {
            (None, _) => Err(DriveError::new(
                format!(
                    "a price in {} is unknown, and so is what the run costs",
                    workload.region
                ),
                "drive a server on this machine with --endpoint-url",
            )),
            (Some(usd), None) => Err(DriveError::new(
                format!("against AWS, this run costs {} on demand", shown(usd)),
                "allow it with --max-usd, or drive a server on this machine with --endpoint-url",
            )),
            (Some(usd), Some(most)) if usd > most => Err(DriveError::new(
                format!(
                    "the run costs {}, more than --max-usd {}",
                    shown(usd),
                    shown(most)
                ),
                "use a lower --scale or a shorter --for, or allow more",
            )),
            (Some(_), Some(_)) => Ok(()),
        }
    }

    fn must_go_on(&self, done: impl Fn() -> String) -> Result<(), DriveError> {
        match self.stop.load(Ordering::SeqCst) {
            true => Err(DriveError::Stopped(done())),
            false => Ok(()),
        }
    }

    fn progress(&mut self, what: &'static str, done: u64, total: u64) {
        (self.tell)(DriveEvent::Progress(DriveProgress { what, done, total }));
    }

    /// Everything between planning and removing.
    async fn all(&mut self) -> Result<(), DriveError> {
        let total = self.tables.len() as u64;
        for at in 0..self.tables.len() {
            self.must_go_on(|| "making tables".to_string())?;
            self.progress("tables", at as u64, total);
            let table = &self.tables[at];
            let body = create_table(table);
            if !self.options.uses.contains(&table.design.table.name) {
                self.made.push(make(&self.connection, table).await?);
            }
            // The line defines the table for the replay, also if it was there before.
            let line = Line::free(ApiName::CreateTable, body, (self.options.clock)());
            self.write(&line)?;
        }
        for table in &self.made {
            until_ready(&self.connection, table).await?;
        }
        for at in 0..self.tables.len() {
            self.put_items(at).await?;
        }
        let has_indexes = |table: &TablePlan| !table.design.table.indexes.is_empty();
        let url = self.options.endpoint_url.as_deref();
        if url.is_none_or(is_aws) && self.tables.iter().any(has_indexes) {
            tokio::time::sleep(UNTIL_INDEXED).await;
        }
        self.calls().await
    }

    /// Puts the items of a table that its calls find.
    async fn put_items(&mut self, at: usize) -> Result<(), DriveError> {
        let table = &self.tables[at];
        let there = table.items.iter().filter(|slot| slot.is_there);
        let puts: Vec<Value> = there
            .map(|slot| json!({ "PutRequest": { "Item": table.maker.json(&slot.item) } }))
            .collect();
        self.put.insert(at, puts.len() as u64);
        self.batches(at, &puts, (PUT, "items")).await
    }

    /// Makes BatchWriteItem calls until everything was processed.
    async fn batches(
        &mut self,
        at: usize,
        writes: &[Value],
        (caller, what): (&'static str, &'static str),
    ) -> Result<(), DriveError> {
        let name = self.tables[at].design.table.name.clone();
        let total = writes.len() as u64;
        for (number, batch) in writes.chunks(BATCH).enumerate() {
            if caller == PUT {
                self.must_go_on(|| "putting items".to_string())?;
            }
            self.progress(what, (number * BATCH) as u64, total);
            let mut rest = json!({ (&name): batch });
            for attempt in 0..ATTEMPTS {
                let request = json!({ "RequestItems": rest, "ReturnConsumedCapacity": "INDEXES" });
                let time = (self.options.clock)();
                let api = ApiName::BatchWriteItem;
                let answer = self.connection.call(api, &request).await;
                let answer = answer.map_err(|refusal| failed("BatchWriteItem", &name, &refusal))?;
                rest = answer["UnprocessedItems"].clone();
                self.write(&Line {
                    api,
                    request,
                    caller: caller.to_string(),
                    time,
                    answer: Ok(answer),
                    keys: Vec::new(),
                })?;
                if rest.as_object().is_none_or(Map::is_empty) {
                    break;
                }
                if attempt + 1 == ATTEMPTS {
                    return Err(DriveError::new(
                        format!("{name}: DynamoDB leaves items of a batch again and again"),
                        "try again later, or raise the capacity of the table",
                    ));
                }
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
        }
        Ok(())
    }

    /// Makes the calls of all tables, each at its time.
    async fn calls(&mut self) -> Result<(), DriveError> {
        let mut order: Vec<(u64, usize, usize)> = Vec::new();
        for (table, plan) in self.tables.iter().enumerate() {
            order.extend(
                plan.calls
                    .iter()
                    .enumerate()
                    .map(|(call, one)| (one.at, table, call)),
            );
        }
        order.sort_unstable();
        let total = order.len() as u64;
        let start = (self.options.clock)();
        let mut flight = Flight::default();
        for (number, (at, table, call)) in order.into_iter().enumerate() {
            let due = (u128::from(at) * u128::from(self.options.seconds)) << 1;
            // Half a nanosecond is lost at most: the place is a share of 2^64.
            let offset = (due * Time::SECOND as u128) >> 65;
            self.wait(&mut flight, start.0 + offset as i64).await?;
            self.send(&mut flight, number as u64, (table, call)).await?;
            self.progress("calls", number as u64 + 1, total);
        }
        while self.answer(&mut flight).await? {}
        Ok(())
    }

    /// Waits until a time, and takes answers meanwhile.
    async fn wait(&mut self, flight: &mut Flight, due: i64) -> Result<(), DriveError> {
        loop {
            let calls = flight.next;
            self.must_go_on(|| count_of(calls, "call"))?;
            let left = due - (self.options.clock)().0;
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else {
                return Ok(());
            };
            let left = Duration::from_nanos(left).min(LOOK);
            match flight.sent.is_empty() {
                true => tokio::time::sleep(left).await,
                false => {
                    let answered = tokio::time::timeout(left, flight.sent.join_next()).await;
                    if let Ok(Some(answered)) = answered {
                        self.take(flight, answered)?;
                    }
                }
            }
        }
    }

    /// Takes an answer; `false` if nothing is waited for.
    async fn answer(&mut self, flight: &mut Flight) -> Result<bool, DriveError> {
        match flight.sent.join_next().await {
            None => Ok(false),
            Some(answered) => {
                self.take(flight, answered)?;
                Ok(true)
            }
        }
    }

    /// Sends a call, once nothing else writes its items.
    async fn send(
        &mut self,
        flight: &mut Flight,
        number: u64,
        (table, at): (usize, usize),
    ) -> Result<(), DriveError> {
        let call = self.tables[table].calls[at].clone();
        let pattern = &self.tables[table].patterns[call.pattern];
        let caller = pattern.access.name.clone();
        // A Scan of everything must meet what was put, and a repeated call what it repeats.
        let is_alone = pattern.reads_all || call.outcome == CallOutcome::Repeats;
        let items = written(&call);
        let is_busy = |flight: &Flight| {
            items
                .iter()
                .any(|item| flight.busy.contains(&(table, *item)))
        };
        while flight.sent.len() >= IN_FLIGHT
            || is_busy(flight)
            || ((is_alone || flight.is_alone) && !flight.sent.is_empty())
        {
            self.answer(flight).await?;
        }
        flight.is_alone = is_alone;
        let token = format!("{}-{number}", self.run);
        let place = (table, call.pattern);
        let last = flight.committed.get(&place).cloned();
        let requests = match (call.outcome, last) {
            (CallOutcome::Repeats, Some(request)) => vec![request],
            _ => requests(&self.tables[table], &call, &token),
        };
        if let ([request], CallOutcome::Succeeds, ApiName::TransactWriteItems) = (
            requests.as_slice(),
            call.outcome,
            requests.first().map_or(ApiName::Free, |one| one.api),
        ) {
            flight.committed.insert(place, request.clone());
        }
        if call.outcome == CallOutcome::Succeeds {
            self.apply(table, &call);
        }
        flight.busy.extend(items.iter().map(|item| (table, *item)));
        let connection = self.connection.clone();
        let time = (self.options.clock)();
        let keys = &self.tables[table].design.table.keys;
        let keys: Vec<String> = keys.names().map(str::to_string).collect();
        let outcome = call.outcome;
        flight.sent.spawn(async move {
            let mut lines = Vec::new();
            for request in requests {
                lines.extend(pages(&connection, request, (&caller, time), &keys).await);
            }
            Sent {
                number,
                place,
                outcome,
                items,
                lines,
            }
        });
        Ok(())
    }

    /// Takes a call as done: the items are as it leaves them.
    fn apply(&mut self, table: usize, call: &PlannedCall) {
        let CallItems::Writes(writes) = &call.what else {
            return;
        };
        for write in writes {
            let plan = &mut self.tables[table];
            let pattern = &plan.patterns[call.pattern].access;
            let (PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. }) =
                &pattern.call
            else {
                continue;
            };
            let kind = plans[write.plan].0.kind;
            let new = after(plan, call, write);
            let slot = &mut plan.items[write.item];
            match kind {
                WriteKind::ConditionCheck => {}
                WriteKind::Delete => slot.is_there = false,
                WriteKind::Put | WriteKind::Update => {
                    slot.item = new;
                    slot.is_there = true;
                }
            }
        }
    }

    /// Counts a call, and writes its lines in the order in which the calls were made.
    fn take(
        &mut self,
        flight: &mut Flight,
        answered: Result<Sent, tokio::task::JoinError>,
    ) -> Result<(), DriveError> {
        let sent = answered.map_err(|error| {
            DriveError::new(format!("a call was lost: {error}"), "run it again")
        })?;
        for item in &sent.items {
            flight.busy.remove(&(sent.place.0, *item));
        }
        let called = self.called.entry(sent.place).or_default();
        let refusal = sent
            .lines
            .iter()
            .find_map(|line| line.answer.as_ref().err());
        let is_planned = |refusal: &Refusal| {
            sent.outcome == CallOutcome::Fails
                && (refusal.is("ConditionalCheckFailedException")
                    || refusal.is("TransactionCanceledException"))
        };
        match refusal {
            None if !sent.lines.iter().all(Line::states_units) => called.unstated += 1,
            None => {
                let outcome = match sent.outcome {
                    CallOutcome::Fails => CallOutcome::Succeeds,
                    outcome => outcome,
                };
                *called.answered.entry(outcome).or_default() += 1;
            }
            Some(refusal) if is_planned(refusal) => called.failed += 1,
            Some(refusal) if refusal.is_final => {
                let api = sent.lines.first().map_or("a call", |line| line.api.name());
                let table = &self.tables[sent.place.0].design.table.name;
                return Err(failed(api, table, refusal));
            }
            Some(refusal) => {
                let code = refusal
                    .code
                    .clone()
                    .unwrap_or_else(|| "no answer".to_string());
                let own = called
                    .refused
                    .entry(code)
                    .or_insert((0, refusal.message.clone()));
                own.0 += 1;
            }
        }
        flight.done.insert(sent.number, sent.lines);
        while let Some(lines) = flight.done.remove(&flight.next) {
            for line in &lines {
                self.write(line)?;
            }
            flight.next += 1;
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) -> Result<(), DriveError> {
        serde_json::to_writer(&mut self.log, &line.json()).map_err(std::io::Error::from)?;
        self.log.write_all(b"\n")?;
        Ok(())
    }

    /// Removes what the run made; returns what is left, in words.
    async fn clean(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        for at in 0..self.tables.len() {
            let table = &self.tables[at];
            let name = table.design.table.name.clone();
            if !self.options.uses.contains(&name) || !self.put.contains_key(&at) {
                continue;
            }
            let there = table.items.iter().filter(|slot| slot.is_there);
            let deletes: Vec<Value> = there
                .map(|slot| json!({ "DeleteRequest": { "Key": table.maker.key(&slot.item) } }))
                .collect();
            if let Err(error) = self.batches(at, &deletes, (REMOVE, "items removed")).await {
                left.push(format!(
                    "items in {name} whose partition key has {} ({error})",
                    self.tables[at].maker.mark
                ));
            }
        }
        for table in &self.made {
            if let Err(why) = remove(&self.connection, table).await {
                left.push(format!("table {} ({why})", table.name));
            }
        }
        left
    }

    /// What the results are made of.
    fn facts(self, left: Vec<String>) -> Facts {
        let mut called = Vec::new();
        let mut tables = Vec::new();
        let mut left_out: Vec<LeftOut> = Vec::new();
        for (at, table) in self.tables.into_iter().enumerate() {
            let name = table.design.table.name.clone();
            tables.push(DrivenTable {
                is_made: !self.options.uses.contains(&name),
                items: self.put.get(&at).copied().unwrap_or_default(),
                name,
            });
            left_out.extend(table.left_out.iter().cloned());
            for pattern in 0..table.patterns.len() {
                let own = self.called.get(&(at, pattern)).cloned().unwrap_or_default();
                called.push(CalledPattern::of(&table, pattern, own));
            }
            let is_made = !self.options.uses.contains(&table.design.table.name);
            called.extend(CalledPattern::around(&table, is_made));
        }
        Facts {
            endpoint: self.options.endpoint_url.clone(),
            region: self.connection.region.clone(),
            account: self.account,
            tables,
            called,
            left_out,
            left,
        }
    }
}

/// Calls that wait for their answers.
#[derive(Default)]
struct Flight {
    sent: JoinSet<Sent>,
    /// Items that are being written, by table.
    busy: BTreeSet<(usize, usize)>,
    /// The last transaction of each access pattern.
    committed: BTreeMap<(usize, usize), Request>,
    /// Lines of calls that are done while an earlier one is not.
    done: BTreeMap<u64, Vec<Line>>,
    /// The number of the next call to be written.
    next: u64,
    /// Whether the last call must not run beside others.
    is_alone: bool,
}

fn must_be_few(calls: u64) -> Result<(), DriveError> {
    match calls > CALLS_MAX {
        true => Err(DriveError::new(
            format!("the run would have more than {CALLS_MAX} calls"),
            "use a lower --scale or a shorter --for",
        )),
        false => Ok(()),
    }
}

/// The items that a call writes.
fn written(call: &PlannedCall) -> Vec<usize> {
    match &call.what {
        CallItems::Writes(writes) => writes.iter().map(|write| write.item).collect(),
        CallItems::Keys(_) | CallItems::Collection(_) | CallItems::Scan(_) => Vec::new(),
    }
}

/// Makes a call with all its pages.
async fn pages(
    connection: &Connection,
    request: Request,
    (caller, time): (&str, Time),
    keys: &[String],
) -> Vec<Line> {
    let Request {
        api,
        mut body,
        limit,
        is_page,
    } = request;
    let mut left = limit;
    let mut lines = Vec::new();
    loop {
        if let Some(left) = left {
            body["Limit"] = json!(left.max(1));
        }
        let answer = connection.call(api, &body).await;
        let next = answer.as_ref().ok().and_then(|answer| {
            let items = answer["Items"].as_array().map_or(0, Vec::len) as u64;
            let scanned = answer["ScannedCount"].as_u64().unwrap_or(items);
            left = left.map(|left| left.saturating_sub(scanned));
            let next = ["LastEvaluatedKey", "NextToken"].into_iter();
            let mut next = next.filter_map(|member| answer.get(member));
            next.find(|next| next.is_object() || next.is_string())
                .cloned()
        });
        lines.push(Line {
            api,
            request: body.clone(),
            caller: caller.to_string(),
            time,
            answer,
            keys: if is_page { keys.to_vec() } else { Vec::new() },
        });
        match next.filter(|_| is_page && left != Some(0)) {
            Some(token @ Value::String(_)) => body["NextToken"] = token,
            Some(key) => body["ExclusiveStartKey"] = key,
            None => return lines,
        }
    }
}

impl Line {
    /// Of a call that consumes nothing.
    fn free(api: ApiName, request: Value, time: Time) -> Line {
        Line {
            api,
            request,
            caller: String::new(),
            time,
            answer: Ok(Value::Null),
            keys: Vec::new(),
        }
    }

    /// Whether the answer states units.
    fn states_units(&self) -> bool {
        let answer = self.answer.as_ref().ok();
        let stated = answer.and_then(|answer| answer.get("ConsumedCapacity"));
        stated.is_some_and(|stated| match stated {
            Value::Array(list) => !list.is_empty(),
            stated => stated.is_object(),
        })
    }

    /// The line, as the replay reads it.
    fn json(&self) -> Value {
        let mut line = json!({
            "time": self.time.to_string(),
            "operation": self.api.name(),
            "request": self.request,
        });
        if !self.caller.is_empty() {
            line["caller"] = json!(self.caller);
        }
        match &self.answer {
            Ok(answer) => {
                let members = [
                    ("ConsumedCapacity", "consumed"),
                    ("UnprocessedItems", "unprocessed"),
                    ("UnprocessedKeys", "unprocessed"),
                ];
                for (member, name) in members {
                    if name == "consumed" && !self.states_units() {
                        continue;
                    }
                    if let Some(value) = answer.get(member) {
                        line[name] = value.clone();
                    }
                }
                if let (Some(items), false) = (answer["Items"].as_array(), self.keys.is_empty()) {
                    let key = |item: &Value| {
                        let one = |name: &String| Some((name.clone(), item.get(name)?.clone()));
                        Value::Object(self.keys.iter().filter_map(one).collect())
                    };
                    line["evaluated_keys"] = items.iter().map(key).collect();
                }
            }
            Err(refusal) => {
                let code = refusal
                    .code
                    .as_deref()
                    .unwrap_or("ServiceUnavailableException");
                line["error"] = json!(code);
            }
        }
        line
    }
}
