//! A run: tables are made, items put, calls made at their time, and what was made is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::calls::{Request, create_table, requests};
use super::cost::{PUT, REMOVE, cost};
use super::items::ItemMaker;
use super::plan::{calls_of, plan};
use super::planned::{CallItems, CallOutcome, PlannedCall, TablePlan, after};
use super::results::{Called, CalledPattern, Driven, DrivenTable, Facts, results};
use super::sent::{Flight, Line, Sent, pages, rest_of};
use super::tables::{
    MadeTable, account_of, adopt, describe, failed, is_there, make, must_agree, remove, until_ready,
};
use super::{DriveError, DriveEvent, DriveOptions, DriveProgress, LeftOut};
use crate::aws::{Connection, Refusal};
use crate::money::Money;
use crate::pricing::Books;
use crate::table::ApiName;
use crate::trace::Time;
use crate::units::{Exact, count_of};
use crate::workload::{PatternCall, Workload, WriteKind};

/// How many calls a run makes at most.
const CALLS_MAX: u64 = 1_000_000;

/// Items in a BatchWriteItem.
const BATCH: usize = 25;

/// How long the entries of items that were put take to appear in global indexes of AWS.
const UNTIL_INDEXED: Duration = Duration::from_secs(5);

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How long calls are waited for before items are removed from a table that stays.
const UNTIL_ANSWERED: Duration = Duration::from_secs(30);

/// A token of a transaction is known for ten minutes; a repeated call must come well before.
const TOKEN_NANOSECONDS: i64 = 8 * 60 * Time::SECOND;

/// Makes the calls of a workload, and writes their log to a file.
///
/// `tell` receives the cost of the run before anything is done, and then its progress. When `stop` becomes
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
    flight: Flight,
    /// The number of items put into each table.
    put: BTreeMap<usize, u64>,
    /// Tells the tokens of this run from those of others.
    run: String,
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
        let run = base_36(now.0.unsigned_abs());
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
                    maker.mark = format!("dynameter{run}-");
                }
                (Some(_), false) => return Err(is_there(name)),
                (None, true) => {
                    return Err(DriveError::new(
                        format!("--use-table {name}: there is no table of this name"),
                        "remove --use-table: the run makes the table and removes it",
                    ));
                }
                (None, false) => {}
            }
            let calls = |access: &_| calls_of(access, workload, &seconds);
            must_be_few(design.access.iter().map(calls).fold(0, u64::saturating_add))?;
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
            flight: Flight::default(),
            put: BTreeMap::new(),
            run,
        })
    }

    /// Says what the run costs; an account of AWS needs a limit that it is below.
    fn agree_on_the_cost(&mut self, workload: &Workload, books: &Books) -> Result<(), DriveError> {
        let uses = |name: &str| self.options.uses.contains(name);
        if self.tables.iter().all(|table| table.calls.is_empty()) {
            let left_out = self.tables.iter().flat_map(|table| &table.left_out);
            let why = left_out.map(|one| format!("\n  {}: {}", one.access, one.why));
            let why: String = why.collect();
            return Err(DriveError::new(
                format!("no access pattern of the design can be called{why}"),
                "describe the calls of the design as [[table.access]], with sizes",
            ));
        }
        let cost = cost(workload, books, &self.tables, &uses)?;
        (self.tell)(DriveEvent::Planned(cost.clone()));
        must_be_few(cost.calls)?;
        if self.options.is_local() {
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

    /// Waits for work, unless the run is stopped.
    async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, DriveError> {
        let mut work = Box::pin(work);
        loop {
            match tokio::time::timeout(LOOK, &mut work).await {
                Ok(done) => return Ok(done),
                Err(_) => self.must_go_on(|| "while waiting for DynamoDB".to_string())?,
            }
        }
    }

    fn progress(&mut self, what: &'static str, done: u64, total: u64) {
        (self.tell)(DriveEvent::Progress(DriveProgress { what, done, total }));
    }

    /// Everything between planning and removing.
    async fn all(&mut self) -> Result<(), DriveError> {
        let total = self.tables.len() as u64;
        for at in 0..self.tables.len() {
            self.must_go_on(|| "while making tables".to_string())?;
            self.progress("tables", at as u64, total);
            let table = &self.tables[at];
            let body = create_table(table);
            (self.tell)(DriveEvent::Touches(table.design.table.name.clone()));
            if !self.options.uses.contains(&table.design.table.name) {
                self.made.push(make(&self.connection, table).await?);
            }
            // The line defines the table for the replay, also if it was there before.
            let line = Line::free(ApiName::CreateTable, body, (self.options.clock)());
            self.write(&line)?;
        }
        for table in &self.made {
            self.until_stopped(until_ready(&self.connection, table))
                .await??;
        }
        for at in 0..self.tables.len() {
            self.put_items(at).await?;
        }
        let has_indexes = |table: &TablePlan| !table.design.table.indexes.is_empty();
        if !self.options.is_local() && self.tables.iter().any(has_indexes) {
            self.until_stopped(tokio::time::sleep(UNTIL_INDEXED))
                .await?;
        }
        self.calls().await
    }

    /// Puts the items of a table that its calls find.
    async fn put_items(&mut self, at: usize) -> Result<(), DriveError> {
        let table = &mut self.tables[at];
        let mut puts = Vec::new();
        for (number, slot) in table.items.iter_mut().enumerate() {
            if slot.is_there {
                slot.was_sent = true;
                puts.push(number);
            }
        }
        self.put.insert(at, puts.len() as u64);
        self.batches(at, &puts, Batch::Put).await
    }

    /// Makes BatchWriteItem calls for some items until everything was processed.
    async fn batches(&mut self, at: usize, items: &[usize], what: Batch) -> Result<(), DriveError> {
        let name = self.tables[at].design.table.name.clone();
        for (number, batch) in items.chunks(BATCH).enumerate() {
            if what == Batch::Put {
                self.must_go_on(|| "while putting items".to_string())?;
            }
            self.progress(what.word(), (number * BATCH) as u64, items.len() as u64);
            let table = &self.tables[at];
            let write = |item: &usize| {
                let item = &table.items[*item].item;
                match what {
                    Batch::Put => json!({ "PutRequest": { "Item": table.maker.json(item) } }),
                    Batch::Remove => json!({ "DeleteRequest": { "Key": table.maker.key(item) } }),
                }
            };
            let writes: Vec<Value> = batch.iter().map(write).collect();
            let request = Request {
                api: ApiName::BatchWriteItem,
                body: json!({
                    "RequestItems": { (&name): writes },
                    "ReturnConsumedCapacity": "INDEXES",
                }),
                limit: None,
                is_page: false,
            };
            let time = (self.options.clock)();
            let connection = self.connection.clone();
            let sent = pages(&connection, request, (what.caller(), time), &[]);
            // What is put into a table that stays must be known, to be removed again.
            let lines = match what == Batch::Put && !self.options.uses.contains(&name) {
                true => self.until_stopped(sent).await?,
                false => sent.await,
            };
            for line in &lines {
                self.write(line)?;
            }
            match lines.last().map(|line| &line.answer) {
                Some(Err(refusal)) => return Err(failed("BatchWriteItem", &name, refusal)),
                Some(Ok(answer)) if rest_of(answer).is_some() => {
                    return Err(DriveError::new(
                        format!(
                            "{name}: DynamoDB did not process all items of a batch after several attempts"
                        ),
                        "try again later, or raise the capacity of the table",
                    ));
                }
                _ => {}
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
        for (number, (at, table, call)) in order.into_iter().enumerate() {
            let due = (u128::from(at) * u128::from(self.options.seconds)) << 1;
            // Half a nanosecond is lost at most: the place is a share of 2^64.
            let offset = (due * Time::SECOND as u128) >> 65;
            self.wait(start.0 + offset as i64).await?;
            self.send(number as u64, (table, call)).await?;
            self.progress("calls", number as u64 + 1, total);
        }
        while self.answer().await? {}
        Ok(())
    }

    /// Waits until a time, and takes the answers that arrive until then.
    async fn wait(&mut self, due: i64) -> Result<(), DriveError> {
        loop {
            self.must_go_on(|| format!("after {}", count_of(self.flight.next, "call")))?;
            let left = due - (self.options.clock)().0;
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else {
                return Ok(());
            };
            let left = Duration::from_nanos(left).min(LOOK);
            match self.flight.sent.is_empty() {
                true => tokio::time::sleep(left).await,
                false => {
                    let answered = tokio::time::timeout(left, self.flight.sent.join_next()).await;
                    if let Ok(Some(answered)) = answered {
                        self.take(answered)?;
                    }
                }
            }
        }
    }

    /// Takes an answer; `false` if nothing is waited for.
    async fn answer(&mut self) -> Result<bool, DriveError> {
        loop {
            match tokio::time::timeout(LOOK, self.flight.sent.join_next()).await {
                Ok(None) => return Ok(false),
                Ok(Some(answered)) => {
                    self.take(answered)?;
                    return Ok(true);
                }
                Err(_) => {
                    self.must_go_on(|| format!("after {}", count_of(self.flight.next, "call")))?
                }
            }
        }
    }

    /// Sends a call, once nothing else writes its items.
    async fn send(&mut self, number: u64, (table, at): (usize, usize)) -> Result<(), DriveError> {
        let mut call = self.tables[table].calls[at].clone();
        let pattern = &self.tables[table].patterns[call.pattern];
        let caller = pattern.access.name.clone();
        let items = written(&call);
        // A Scan must meet what was put, and a repeated call what it repeats.
        let is_alone =
            matches!(call.what, CallItems::Scan(_)) || call.outcome == CallOutcome::Repeats;
        while self.flight.must_wait(table, &items, is_alone) {
            self.answer().await?;
        }
        self.flight.is_alone = is_alone;
        let time = (self.options.clock)();
        let place = (table, call.pattern);
        let last = self.flight.committed.get(&place);
        let last = last.filter(|(sent, _)| time.0 - sent.0 < TOKEN_NANOSECONDS);
        let requests = match (call.outcome, last) {
            (CallOutcome::Repeats, Some((_, request))) => vec![request.clone()],
            (outcome, _) => {
                if outcome == CallOutcome::Repeats {
                    call.outcome = CallOutcome::Succeeds;
                }
                let token = format!("{}-{number}", self.run);
                requests(&self.tables[table], &call, &token)
            }
        };
        for item in &items {
            self.tables[table].items[*item].was_sent = true;
        }
        if call.outcome == CallOutcome::Succeeds {
            self.apply(table, &call);
        }
        self.flight
            .busy
            .extend(items.iter().map(|item| (table, *item)));
        let connection = self.connection.clone();
        let keys = &self.tables[table].design.table.keys;
        let keys: Vec<String> = keys.names().map(str::to_string).collect();
        let outcome = call.outcome;
        self.flight.sent.spawn(async move {
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
    fn take(&mut self, answered: Result<Sent, tokio::task::JoinError>) -> Result<(), DriveError> {
        let sent = answered.map_err(|error| {
            DriveError::new(format!("a call was lost: {error}"), "run it again")
        })?;
        for item in &sent.items {
            self.flight.busy.remove(&(sent.place.0, *item));
        }
        let called = self.called.entry(sent.place).or_default();
        let refusal = sent
            .lines
            .iter()
            .find_map(|line| line.answer.as_ref().err());
        let is_planned = |refusal: &Refusal| {
            let codes = [
                "ConditionalCheckFailedException",
                "DuplicateItemException",
                "TransactionCanceledException",
            ];
            sent.outcome == CallOutcome::Fails && codes.into_iter().any(|code| refusal.is(code))
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
        if let ([line], None, CallOutcome::Succeeds) =
            (sent.lines.as_slice(), refusal, sent.outcome)
            && line.request.get("ClientRequestToken").is_some()
        {
            let request = Request {
                api: line.api,
                body: line.request.clone(),
                limit: None,
                is_page: false,
            };
            self.flight
                .committed
                .insert(sent.place, (line.time, request));
        }
        self.flight.done.insert(sent.number, sent.lines);
        while let Some(lines) = self.flight.done.remove(&self.flight.next) {
            for line in &lines {
                self.write(line)?;
            }
            self.flight.next += 1;
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
        // Calls whose answers have not come may still put items into tables that stay.
        let patience = match self.options.uses.is_empty() {
            true => Duration::ZERO,
            false => UNTIL_ANSWERED,
        };
        let all = async { while self.flight.sent.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() && !self.options.uses.is_empty() {
            left.push("what calls without an answer may have put".to_string());
        }
        self.flight.sent.abort_all();
        for at in 0..self.tables.len() {
            let table = &self.tables[at];
            let name = table.design.table.name.clone();
            if !self.options.uses.contains(&name) {
                continue;
            }
            let sent = table.items.iter().enumerate();
            let sent =
                sent.filter(|(_, slot)| slot.was_sent || slot.is_there && slot.put.is_none());
            let items: Vec<usize> = sent.map(|(number, _)| number).collect();
            if let Err(error) = self.batches(at, &items, Batch::Remove).await {
                let mark = &self.tables[at].maker.mark;
                let why = error.to_string();
                let why = why.lines().next().unwrap_or_default();
                left.push(format!(
                    "items of {name} whose partition key contains {mark} ({why})"
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

/// What a batch of the run itself does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Batch {
    /// Puts items beforehand.
    Put,
    /// Removes them afterwards.
    Remove,
}

impl Batch {
    fn caller(self) -> &'static str {
        match self {
            Batch::Put => PUT,
            Batch::Remove => REMOVE,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Batch::Put => "items",
            Batch::Remove => "items removed",
        }
    }
}

/// A number in few characters.
fn base_36(mut number: u64) -> String {
    let mut text = Vec::new();
    while number > 0 || text.is_empty() {
        text.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
    }
    text.into_iter().rev().collect()
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
