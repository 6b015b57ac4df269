//! The fast path: executes rows of plain calls slot by slot, without an allocation per row.
//!
//! Keys are divided by hash into 256 slots, and the keys of a slot are contiguous in memory. The
//! table entries of the next keys are prefetched while earlier rows are executed. The meter
//! decides what a row consumes. A row that needs more takes the [full path](crate::replay::full),
//! which adds to the same tally.

use prefetch_index::prefetch_index;

use crate::meter;
use crate::replay::cache::curve::{AccessCounts, AccessLog, CACHES_MAX, CacheAccess, CacheUse};
use crate::replay::cache::exact::Which;
use crate::replay::engine::{Engine, Moment};
use crate::replay::error::CannotExecute;
use crate::replay::full::{Events, Pending};
use crate::replay::state::sizes::{KeyFraction, SizeSource, is_global, salt, same_action};
use crate::replay::state::store::{ItemState, Segment};
use crate::replay::state::tables::TableState;
use crate::replay::tally::SlotHotKeys;
use crate::replay::tally::consumption::{CallKind, DemandKey, DemandSeries};
use crate::replay::tally::hot_keys::{HotKeys, KeyUnits, Minutes};
use crate::replay::tally::merge::Merge;
use crate::replay::tally::partitions::SlotSeconds;
use crate::table::{Consistency, Direction, EntryEffect, Transition};
use crate::trace::{
    ApiName, Bad, MemberAction, NO_BYTES, NameTable, PlainRow, RowKind, RowPlace, Rows, Time,
};
use crate::units::Bytes;
use crate::workload::{AccessPattern, IndexEntry, PatternCall, TargetUnits, WritePlan};

/// How many rows ahead table entries are prefetched.
const AHEAD: usize = 16;

/// Rows per cache line.
const ROWS_OF_A_LINE: usize = 64 / size_of::<PlainRow>();

/// Rounds that cover more seconds add to their demand series directly, not to an array.
const DENSE_SECONDS: i64 = 1 << 20;

/// An event that could not be executed.
pub type Failed = (Time, RowPlace, CannotExecute);

/// One account direction in a round.
struct DemandWork {
    key: DemandKey,
    /// Half units of each second of the round; empty if the round covers more than
    /// `DENSE_SECONDS`.
    seconds: Vec<u64>,
    first: i64,
    demand: DemandSeries,
    slots: SlotHotKeys,
    /// The hot keys of the current slot.
    current: HotKeys,
    minutes: Minutes,
}

impl DemandWork {
    /// Adds half units of a second.
    fn add(&mut self, second: i64, halves: u64) {
        match self.seconds.get_mut((second - self.first) as usize) {
            Some(sum) => *sum += halves,
            None => self.demand.add(second, halves),
        }
    }

    /// Adds half units of a row to the hot keys; `known` is the key's half units so far.
    #[inline(always)]
    fn add_row(&mut self, here: &Here, known: u32, halves: u64) {
        let units = KeyUnits {
            known,
            minute: here.minute,
            halves,
        };
        if self.current.add(here.row.hash, units, &mut self.minutes) {
            self.current.name(&here.rows.key(here.row));
        }
    }
}

/// A row and its place.
struct Here<'a> {
    rows: &'a Rows,
    row: &'a PlainRow,
    /// The minute of its second.
    minute: i64,
}

impl Here<'_> {
    #[inline(always)]
    fn order(&self) -> (Time, RowPlace) {
        let at = self.row.at();
        (self.rows.time(at), self.rows.place(at))
    }
}

/// A table in a round.
struct TableWork {
    table: usize,
    /// The keys of the current slot.
    segment: Segment,
    /// The positions in `accounts` of its own reads and writes.
    accounts: [usize; 2],
    /// For each index, the position of its writes in `accounts`; `None` for a local index.
    indexes: Vec<Option<usize>>,
    seconds: SlotSeconds,
    /// The current second of the slot and its minute, with half units of the table's own reads and
    /// writes, and of the writes of each index.
    second: i64,
    minute: i64,
    own: [u64; 2],
    of_indexes: Vec<u64>,
    /// Units of a write to each index.
    units: Vec<u64>,
}

impl TableWork {
    fn new(table: usize, accounts: [usize; 2], indexes: Vec<Option<usize>>) -> TableWork {
        TableWork {
            table,
            segment: Segment::default(),
            accounts,
            of_indexes: vec![0; indexes.len()],
            units: vec![0; indexes.len()],
            indexes,
            seconds: SlotSeconds::default(),
            second: i64::MIN,
            minute: i64::MIN,
            own: [0, 0],
        }
    }

    /// Adds the totals of the current second to the account directions.
    #[cold]
    fn close(&mut self, slot: u8, accounts: &mut [DemandWork]) {
        let own = std::mem::take(&mut self.own);
        for ((account, halves), direction) in
            self.accounts.into_iter().zip(own).zip(Direction::BOTH)
        {
            if halves > 0 {
                accounts[account].add(self.second, halves);
                self.seconds.add(slot, self.second, direction, halves);
            }
        }
        for (account, halves) in self.indexes.iter().zip(&mut self.of_indexes) {
            let halves = std::mem::take(halves);
            if let Some(account) = account.filter(|_| halves > 0) {
                accounts[account].add(self.second, halves);
            }
        }
    }
}

/// Where the units of a row are added.
struct Sums<'a> {
    state: &'a TableState,
    table: &'a mut TableWork,
    accounts: &'a mut [DemandWork],
    accesses: &'a mut AccessLog,
}

/// What a plain call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Read,
    Put,
    Update,
    Delete,
}

impl Does {
    fn direction(self) -> Direction {
        match self {
            Does::Read => Direction::Read,
            Does::Put | Does::Update | Does::Delete => Direction::Write,
        }
    }
}

/// A kind of rows, prepared once per round.
struct KindWork {
    kind: CallKind,
    does: Does,
    /// Position of its table in the round.
    work: usize,
    consistency: Consistency,
    consistency_assumed: bool,
    /// What a change does to the entry of each index.
    changes: Vec<EntryChange>,
    /// Whether the access pattern says that nothing changes.
    changes_nothing: bool,
    /// The share of writes that find an item, if the access pattern gives it.
    finds: Option<KeyFraction>,
    sums: KindSums,
}

/// What a change of an item does to its entry in an index.
#[derive(Clone, Copy)]
struct EntryChange {
    effect: EntryEffect,
    /// Whether the entry is the whole item.
    whole: bool,
}

/// Totals of the rows of a kind.
#[derive(Default)]
struct KindSums {
    /// Reads that found an item.
    touched: u64,
    /// Half units of reads.
    read_halves: u64,
    /// Units of writes to the table, and to each index.
    write: u64,
    index_writes: Vec<u64>,
    captured: u64,
    sent: u64,
    changes_assumed: u64,
    presence_assumed: u64,
    /// Rows by the source of their size.
    rows: [u64; 6],
    /// Half units of rows with drawn sizes: as drawn, and with the 1st and the 99th percentile of
    /// the sizes.
    drawn: [u128; 3],
    /// Bytes of eventually consistent reads, which a cache could answer.
    bytes: u64,
}

const SOURCES: [SizeSource; 6] = [
    SizeSource::Row,
    SizeSource::Seen,
    SizeSource::Export,
    SizeSource::Next,
    SizeSource::Drawn,
    SizeSource::Assumed,
];

/// The number of a kind whose rows take the full path.
const FULL_PATH: usize = usize::MAX;

/// The state of a round.
#[derive(Default)]
struct Work {
    kinds: Vec<KindWork>,
    tables: Vec<TableWork>,
    accounts: Vec<DemandWork>,
}

/// The rows of one slot in one `Rows` of the round.
struct Piece<'a> {
    rows: &'a Rows,
    /// The position of each of their kinds among all kinds, or [`FULL_PATH`].
    numbers: &'a [usize],
    own: &'a [PlainRow],
}

/// Where a round goes on.
struct Position<'a> {
    slot: u8,
    piece: &'a Piece<'a>,
    next: Option<&'a Piece<'a>>,
    /// The first row of the piece that is not executed yet.
    from: usize,
}

impl Work {
    /// Prefetches the table entry of a later row's key. `at` is the row's position in this piece;
    /// beyond its end, in the next piece.
    #[inline(always)]
    fn fetch(&self, piece: &Piece, next: Option<&Piece>, at: usize) {
        let (numbers, row) = match piece.own.get(at) {
            Some(row) => (piece.numbers, row),
            None => match next
                .and_then(|next| Some((next.numbers, next.own.get(at - piece.own.len())?)))
            {
                Some(found) => found,
                None => return,
            },
        };
        match self.tables.as_slice() {
            [only] => only.segment.fetch(row.hash),
            tables => self
                .kinds
                .get(numbers[row.kind()])
                .into_iter()
                .for_each(|kind| tables[kind.work].segment.fetch(row.hash)),
        }
    }

    /// Executes the rows of a piece, until a row needs the full path. Returns the position of that
    /// row, or the number of rows.
    #[inline(never)]
    fn run(&mut self, position: &Position, list: &[TableState], accesses: &mut AccessLog) -> usize {
        let Position {
            slot,
            piece,
            next,
            from,
        } = *position;
        let Piece { rows, numbers, own } = piece;
        // Prefetch the first rows of the next piece, because their keys are prefetched before it
        // begins.
        if let Some(next) = next {
            let starts = (0..AHEAD).step_by(ROWS_OF_A_LINE);
            starts.for_each(|at| prefetch_index(next.own, at));
        }
        let tables = self.tables.iter_mut();
        tables.for_each(|table| table.segment.make_room());
        for (at, row) in own.iter().enumerate().skip(from) {
            self.fetch(piece, next, at + AHEAD);
            let Some(kind) = self.kinds.get_mut(numbers[row.kind()]) else {
                return at;
            };
            let table = &mut self.tables[kind.work];
            let now = rows.second(row);
            if now != table.second {
                table.close(slot, &mut self.accounts);
                (table.second, table.minute) = (now, now.div_euclid(60));
            }
            let here = Here {
                rows,
                row,
                minute: table.minute,
            };
            let mut sums = Sums {
                state: &list[kind.kind.table],
                table,
                accounts: &mut self.accounts,
                accesses,
            };
            let done = match kind.does {
                Does::Read => kind.read(&here, &mut sums),
                _ => kind.write(&here, &mut sums),
            };
            if !done {
                return at;
            }
        }
        own.len()
    }

    /// Adds the totals of the last second of a slot.
    fn close(&mut self, slot: u8) {
        self.tables
            .iter_mut()
            .for_each(|table| table.close(slot, &mut self.accounts));
    }
}

/// Executes rows of plain calls.
pub struct FastPath<'e> {
    /// The tables, the rules and the sums.
    pub engine: &'e mut Engine,
    /// What the full path remembers between events.
    pub pending: &'e mut Pending,
    /// Numbers of names.
    pub names: &'e NameTable,
    /// The files, for messages.
    pub bad: &'e Bad,
}

impl FastPath<'_> {
    /// Executes rows of some slots, and returns the rows that cannot be executed.
    pub fn rows(mut self, round: &[Rows], slots: &[usize]) -> Vec<Failed> {
        let (Some(first), Some(last)) = (round.first(), round.last()) else {
            return Vec::new();
        };
        let seconds = (first.first.second(), last.last.second());
        let mut work = Work::default();
        let numbers = self.number_kinds(round, &mut work, seconds);
        let mut failed = Vec::new();
        for slot in slots {
            let pieces: Vec<Piece> = round
                .iter()
                .zip(&numbers)
                .map(|(rows, numbers)| Piece {
                    rows,
                    numbers,
                    own: rows.slot(*slot),
                })
                .collect();
            self.slot(&mut work, *slot as u8, &pieces, &mut failed);
        }
        self.give_back(&mut work);
        self.add_demand(work.accounts);
        for kind in work.kinds {
            self.add_up(kind);
        }
        failed
    }

    /// Prepares every kind of rows of a round, and returns their positions in `work`.
    fn number_kinds(
        &mut self,
        round: &[Rows],
        work: &mut Work,
        seconds: (i64, i64),
    ) -> Vec<Vec<usize>> {
        let mut known: Vec<(RowKind, usize)> = Vec::new();
        let mut number = |kind: &RowKind| match known.iter().find(|(known, _)| known == kind) {
            Some((_, number)) => *number,
            None => {
                let number = self.kind_work(kind, work, seconds).unwrap_or(FULL_PATH);
                known.push((*kind, number));
                number
            }
        };
        round
            .iter()
            .map(|rows| rows.kinds.iter().map(&mut number).collect())
            .collect()
    }

    /// Executes the rows of one slot.
    fn slot(&mut self, work: &mut Work, slot: u8, pieces: &[Piece], failed: &mut Vec<Failed>) {
        self.swap_slot(work, slot);
        if let Some(first) = pieces.first() {
            (0..AHEAD).for_each(|at| work.fetch(first, pieces.get(1), at));
        }
        for (at, piece) in pieces.iter().enumerate() {
            let (mut from, rows) = (0, piece.rows);
            loop {
                let position = Position {
                    slot,
                    piece,
                    next: pieces.get(at + 1),
                    from,
                };
                let (list, tally) = (&self.engine.tables.list, &mut self.engine.tally);
                let until = work.run(&position, list, &mut tally.keys.accesses);
                let done = &piece.own[from..until];
                if let (Some(first), Some(last)) = (done.first(), done.last()) {
                    let (first, last) = (rows.time(first.at()), rows.time(last.at()));
                    tally.totals.cover(first, last);
                }
                let Some(row) = piece.own.get(until) else {
                    break;
                };
                from = until + 1;
                work.close(slot);
                self.swap_slot(work, slot);
                self.give_back(work);
                failed.extend(self.on_full_path(rows, row));
                self.take_out(work);
                self.swap_slot(work, slot);
            }
        }
        work.close(slot);
        self.swap_slot(work, slot);
    }

    /// Executes a row on the full path; returns it if it cannot be executed.
    fn on_full_path(&mut self, rows: &Rows, row: &PlainRow) -> Option<Failed> {
        let event = rows.event(row);
        let events = Events {
            engine: self.engine,
            pending: self.pending,
            names: self.names,
            bad: self.bad,
            time: event.time,
            place: event.place,
            moment: Moment::new(event.time, event.place),
        };
        let time = event.time;
        let (place, wrong) = events.execute(event).err()?;
        Some((time, place, wrong))
    }

    /// Moves the keys of a slot out of their stores and its hot keys out of their account
    /// directions, or moves both back.
    fn swap_slot(&mut self, work: &mut Work, slot: u8) {
        for table in &mut work.tables {
            let store = &mut self.engine.tables.list[table.table].store;
            std::mem::swap(&mut table.segment, store.segment(slot));
        }
        for account in &mut work.accounts {
            std::mem::swap(&mut account.current, account.slots.slot(slot));
        }
    }

    /// Whether rows of a table can take the fast path: it has no replicas and no cache to simulate
    /// in order, its items are of one kind, and the entries of every index are known.
    fn is_plain(&self, table: usize) -> bool {
        let state = self.engine.state(table);
        let is_alone = state.design.replicas.is_empty()
            && state.design.dax.is_none()
            && !state.has_kinds()
            && self.engine.caches.sizes.is_empty();
        // Reads of another file may wait for the size that a row gives.
        is_alone && state.entries.are_known() && self.pending.waiting.is_empty()
    }

    /// Prepares a kind of rows, and returns its position among all kinds; `None` if it cannot take
    /// the fast path.
    fn kind_work(&mut self, kind: &RowKind, work: &mut Work, seconds: (i64, i64)) -> Option<usize> {
        let table = match kind.table {
            Some(name) => self.engine.tables.find(self.names.text(name)),
            None => self.engine.tables.only(),
        }?;
        if !self.is_plain(table) || Which::Item.of(table) >= CACHES_MAX {
            return None;
        }
        let known = work.tables.iter().position(|work| work.table == table);
        let at = known.unwrap_or_else(|| self.table_work(table, work, seconds));
        let state = self.engine.state(table);
        let design = &state.design;
        let caller = kind.caller.map(|caller| self.names.text(caller));
        let region = self.engine.regions.first().map(String::as_str);
        let pattern = state.pattern(caller, kind.api, region, None);
        let (consistency, consistency_assumed) = consistency_of(kind, pattern);
        let (does, action) = match kind.api {
            ApiName::PutItem => (Does::Put, MemberAction::Put),
            ApiName::UpdateItem => (Does::Update, MemberAction::Update),
            ApiName::DeleteItem => (Does::Delete, MemberAction::Delete),
            _ => (Does::Read, MemberAction::Put),
        };
        let plan = plan_of(pattern, action);
        let listed = plan.and_then(|plan| plan.changes.as_ref());
        let indexes = design.table.indexes.iter().enumerate();
        let changes = indexes.map(|(at, index)| EntryChange {
            effect: index.effect_of(listed.map(Vec::as_slice), &design.table.keys),
            whole: state.entries.is_whole(at),
        });
        work.kinds.push(KindWork {
            kind: CallKind {
                table,
                region: 0,
                caller: kind.caller,
                api: Some(kind.api),
                direction: does.direction(),
                index: None,
            },
            does,
            work: at,
            consistency,
            consistency_assumed,
            changes: changes.collect(),
            changes_nothing: listed.is_some_and(Vec::is_empty),
            finds: plan.map(|plan| KeyFraction::of(&plan.finds)),
            sums: KindSums {
                index_writes: vec![0; design.table.indexes.len()],
                ..KindSums::default()
            },
        });
        Some(work.kinds.len() - 1)
    }

    /// Prepares a table with its account directions, and returns its position.
    fn table_work(&mut self, table: usize, work: &mut Work, (first, last): (i64, i64)) -> usize {
        let design = &self.engine.state(table).design;
        let mut account = |index: Option<usize>, direction: Direction| {
            let span = last - first + 1;
            let is_dense = span <= DENSE_SECONDS;
            work.accounts.push(DemandWork {
                key: DemandKey {
                    table,
                    index,
                    region: 0,
                    direction,
                },
                seconds: vec![0; if is_dense { span as usize } else { 0 }],
                first,
                demand: DemandSeries::default(),
                slots: SlotHotKeys::default(),
                current: HotKeys::default(),
                minutes: Minutes::new(),
            });
            work.accounts.len() - 1
        };
        let own = Direction::BOTH.map(|direction| account(None, direction));
        let indexes = (0..design.table.indexes.len())
            .map(|at| is_global(design, at).then(|| account(Some(at), Direction::Write)))
            .collect();
        work.tables.push(TableWork::new(table, own, indexes));
        self.take_out(work);
        work.tables.len() - 1
    }

    /// Moves hot keys and slot seconds out of the tally for the round.
    fn take_out(&mut self, work: &mut Work) {
        let keys = &mut self.engine.tally.keys;
        for account in &mut work.accounts {
            // An account direction without units was not moved back; an event on the full path may
            // have created it in the tally.
            if let Some(slots) = keys.hot.remove(&account.key) {
                account.slots = slots;
                account.minutes = keys.minutes.remove(&account.key).unwrap_or_default();
            }
        }
        for table in &mut work.tables {
            if let Some(seconds) = keys.seconds.remove(&(table.table, 0)) {
                table.seconds = seconds;
            }
        }
    }

    /// Moves them back.
    fn give_back(&mut self, work: &mut Work) {
        let keys = &mut self.engine.tally.keys;
        for account in &mut work.accounts {
            if account.slots.0.iter().any(|hot| hot.total > 0) {
                let slots = std::mem::take(&mut account.slots);
                keys.hot.insert(account.key, slots);
                let minutes = std::mem::take(&mut account.minutes);
                keys.minutes.insert(account.key, minutes);
            }
        }
        for table in &mut work.tables {
            let seconds = std::mem::take(&mut table.seconds);
            keys.seconds.insert((table.table, 0), seconds);
        }
    }

    /// Adds the demand of the round to the tally.
    fn add_demand(&mut self, accounts: Vec<DemandWork>) {
        for account in accounts {
            let is_idle = account.seconds.iter().all(|halves| *halves == 0);
            if is_idle && account.demand.sum() == 0 {
                continue;
            }
            let own = self.engine.tally.demand.entry(account.key).or_default();
            for (second, halves) in (account.first..).zip(account.seconds) {
                if halves > 0 {
                    own.add(second, halves);
                }
            }
            own.join(&account.demand);
        }
    }

    /// Adds the totals of the rows of a kind to the tally.
    fn add_up(&mut self, work: KindWork) {
        let KindWork { kind, sums, .. } = work;
        let calls: u64 = sums.rows.iter().sum();
        if calls == 0 {
            return;
        }
        let totals = &mut self.engine.tally.totals;
        let provenance = &mut totals.provenance;
        for (source, count) in SOURCES.iter().zip(sums.rows) {
            if count > 0 {
                *provenance
                    .rows
                    .entry((kind.direction, *source))
                    .or_default() += count;
            }
        }
        let is_drawn = sums.rows[SizeSource::Drawn as usize] > 0;
        if is_drawn && sums.drawn.iter().any(|halves| *halves > 0) {
            let account = (kind.table, kind.direction);
            provenance
                .drawn
                .entry(account)
                .or_default()
                .merge_from(sums.drawn);
        }
        provenance.changes_assumed += sums.changes_assumed;
        provenance.presence_assumed += sums.presence_assumed;
        provenance.consistency_assumed += if work.consistency_assumed { calls } else { 0 };
        totals.events += calls;
        let is_read = kind.direction == Direction::Read;
        let traced = totals.call(kind);
        traced.writes = !is_read;
        traced.calls += calls;
        traced.touched += if is_read { sums.touched } else { calls };
        traced.captured += u128::from(sums.captured);
        traced.replicated_bytes += u128::from(sums.sent);
        let targets = &mut traced.home;
        let count = targets.len().max(1 + sums.index_writes.len());
        targets.resize(count, TargetUnits::default());
        targets[0].read_halves += u128::from(sums.read_halves);
        let writes = std::iter::once(sums.write).chain(sums.index_writes);
        for (target, write) in targets.iter_mut().zip(writes) {
            target.write += u128::from(write);
        }
        let accesses = &mut self.engine.tally.keys.accesses;
        let item_cache = Which::Item.of(kind.table);
        match (kind.direction, work.consistency) {
            (Direction::Read, Consistency::Strong) => {}
            (Direction::Read, Consistency::Eventual) => accesses.count(
                item_cache,
                AccessCounts {
                    reads: calls,
                    halves: sums.read_halves,
                    bytes: sums.bytes,
                    writes: 0,
                },
            ),
            (Direction::Write, _) => accesses.count(
                item_cache,
                AccessCounts {
                    writes: calls,
                    ..AccessCounts::default()
                },
            ),
        }
    }
}

/// The consistency of reads of a kind, and whether it is assumed because the access pattern is
/// strongly consistent.
fn consistency_of(kind: &RowKind, pattern: Option<&AccessPattern>) -> (Consistency, bool) {
    let strong = Some(Consistency::Strong);
    match (kind.consistency, pattern.map(|pattern| &pattern.call)) {
        (None, Some(PatternCall::Get { consistency, .. })) if *consistency == strong => {
            (Consistency::Strong, true)
        }
        (given, _) => (given.unwrap_or_default(), false),
    }
}

/// The write of an access pattern that does the same as rows of a kind.
fn plan_of(pattern: Option<&AccessPattern>, action: MemberAction) -> Option<&WritePlan> {
    let plans = match &pattern?.call {
        PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. } => plans,
        _ => return None,
    };
    plans
        .iter()
        .find(|(plan, _)| same_action(plan.kind, action))
        .map(|(plan, _)| plan)
}

/// Bytes of an item, if there is one.
#[inline(always)]
fn item(bytes: u32) -> Option<Bytes> {
    (bytes != NO_BYTES).then(|| Bytes(bytes.into()))
}

/// The size that a row gives; 0 means that there is no item.
#[inline(always)]
fn given(bytes: u32) -> u32 {
    if bytes == 0 { NO_BYTES } else { bytes }
}

/// The item size for a row that gives none, and its source; `None` if the row needs the full path.
#[inline]
fn remembered(state: &TableState, seen: Option<ItemState>, hash: u64) -> Option<(u32, SizeSource)> {
    Some(match seen {
        Some(seen) => (seen.bytes(), seen.from()),
        None if state.declared => (state.draw(hash)?, SizeSource::Drawn),
        None => (NO_BYTES, SizeSource::Assumed),
    })
}

impl KindWork {
    /// Executes one read. Returns `false`, without any effect, if it needs the full path.
    #[inline(always)]
    fn read(&mut self, here: &Here, into: &mut Sums) -> bool {
        let Here { rows, row, .. } = here;
        let segment = &mut into.table.segment;
        let (hash, consistency) = (row.hash, self.consistency);
        let get = |item: Option<Bytes>| meter::get(item, consistency).halves();
        let sums = &mut self.sums;
        let spot = segment.find(hash);
        let (bytes, from, halves, known) = match row.bytes() {
            NO_BYTES => {
                let state = into.state;
                let Some((bytes, from)) = remembered(state, segment.seen(spot), hash) else {
                    return false;
                };
                let halves = get(item(bytes));
                match from {
                    SizeSource::Assumed => return false,
                    SizeSource::Drawn => {
                        let (low, high) = state.extremes;
                        let drawn =
                            [item(bytes), Some(low), Some(high)].map(|item| u128::from(get(item)));
                        sums.drawn
                            .iter_mut()
                            .zip(drawn)
                            .for_each(|(sum, more)| *sum += more);
                    }
                    _ => {}
                }
                // Drawn sizes are not stored.
                (bytes, from, halves, segment.add_units(spot, halves as u32))
            }
            bytes => {
                let bytes = given(bytes);
                let halves = get(item(bytes));
                (
                    bytes,
                    SizeSource::Row,
                    halves,
                    segment.put(spot, hash, bytes, halves as u32),
                )
            }
        };
        let found = item(bytes);
        sums.rows[from as usize] += 1;
        sums.touched += u64::from(found.is_some());
        sums.read_halves += halves;
        if consistency == Consistency::Eventual {
            let bytes = found.map_or(0, |bytes| bytes.0 as u32);
            sums.bytes += u64::from(bytes);
            let cache = Which::Item.of(self.kind.table);
            into.accesses.push(hash, || {
                CacheAccess::new(
                    here.order(),
                    CacheUse {
                        cache,
                        hash,
                        bytes,
                        second: rows.second(row),
                        direction: Direction::Read,
                    },
                )
            });
        }
        let table = &mut *into.table;
        table.own[0] += halves;
        into.accounts[table.accounts[0]].add_row(here, known, halves);
        true
    }

    /// Units of a write to one index, from the bytes of the item before and after it.
    #[inline(always)]
    fn index_write(
        &self,
        state: &TableState,
        index: usize,
        hash: u64,
        (old, new): (u32, u32),
    ) -> u64 {
        let EntryChange { effect, whole } = self.changes[index];
        let size = |bytes: u32| match item(bytes)? {
            bytes if whole => Some(bytes),
            _ => match state.entries.entry(index, bytes, hash) {
                IndexEntry::Size(size) => Some(size),
                IndexEntry::None | IndexEntry::Unknown => None,
            },
        };
        meter::index_write(Transition::of(size(old), size(new), effect)).0
    }

    /// Half units of a write, on the table and all indexes.
    fn halves(&self, state: &TableState, hash: u64, old: u32, new: u32) -> u128 {
        let indexes = (0..self.changes.len())
            .map(|index| self.index_write(state, index, hash, (old, new)))
            .sum::<u64>();
        2 * u128::from(meter::table_write(item(old), item(new)).0 + indexes)
    }

    /// Executes one write. Returns `false`, without any effect, if it needs the full path.
    #[expect(
        clippy::too_many_lines,
        reason = "one pass over a row, of which millions are executed each second"
    )]
    #[inline(always)]
    fn write(&mut self, here: &Here, into: &mut Sums) -> bool {
        let Here { rows, row, .. } = here;
        let (hash, bytes, does, state) = (row.hash, row.bytes(), self.does, into.state);
        let table = &mut *into.table;
        let spot = table.segment.find(hash);
        let (old, from) = match (rows.old(row), table.segment.seen(spot)) {
            (NO_BYTES, Some(seen)) => (seen.bytes(), seen.from()),
            // For an unknown key, whether it has an item is drawn before its size.
            (NO_BYTES, None)
                if state.draws()
                    && !self
                        .finds
                        .as_ref()
                        .map_or(does != Does::Put, |finds| finds.holds(hash, salt::FINDS)) =>
            {
                (NO_BYTES, SizeSource::Drawn)
            }
            (NO_BYTES, None) => match remembered(state, None, hash) {
                None => return false,
                Some((_, SizeSource::Assumed)) if does != Does::Put && bytes == NO_BYTES => {
                    return false;
                }
                Some(drawn) => drawn,
            },
            (old, _) => (given(old), SizeSource::Row),
        };
        let new = match (does, bytes) {
            (Does::Delete, _) => NO_BYTES,
            (Does::Update, NO_BYTES) if old != NO_BYTES => old,
            (_, NO_BYTES) => return false,
            (_, bytes) => bytes,
        };
        let (before, after) = (item(old), item(new));
        let (captured, sent) = match self.changes_nothing && old == new && old != NO_BYTES {
            true => (0, Bytes(0)),
            false => meter::sent(before, after),
        };
        let mut own = meter::table_write(before, after).0;
        let mut all = own;
        for at in 0..self.changes.len() {
            table.units[at] = self.index_write(state, at, hash, (old, new));
            all += table.units[at];
        }
        let known = table.segment.put(spot, hash, new, 2 * all as u32);
        let sums = &mut self.sums;
        sums.presence_assumed += u64::from(matches!(from, SizeSource::Drawn | SizeSource::Assumed));
        let from = if does == Does::Put {
            SizeSource::Row
        } else {
            from
        };
        sums.rows[from as usize] += 1;
        sums.captured += captured;
        sums.sent += sent.0;
        sums.changes_assumed +=
            u64::from((old != NO_BYTES) & (new != NO_BYTES) & !self.changes.is_empty());
        sums.write += own;
        for (at, (units, account)) in table.units.iter().zip(&table.indexes).enumerate() {
            sums.index_writes[at] += units;
            match *account {
                None => own += units,
                Some(_) if *units == 0 => {}
                Some(account) => {
                    table.of_indexes[at] += 2 * units;
                    into.accounts[account].add_row(here, known, 2 * units);
                }
            }
        }
        table.own[1] += 2 * own;
        into.accounts[table.accounts[1]].add_row(here, known, 2 * own);
        if from == SizeSource::Drawn && old != NO_BYTES {
            let (low, high) = state.extremes;
            let resized = |bytes: u32, size: u32| if bytes == NO_BYTES { NO_BYTES } else { size };
            for (at, size) in [old, low.0 as u32, high.0 as u32].into_iter().enumerate() {
                self.sums.drawn[at] +=
                    self.halves(state, hash, resized(old, size), resized(new, size));
            }
        }
        let cache = Which::Item.of(self.kind.table);
        let bytes = if new == NO_BYTES { 0 } else { new };
        into.accesses.push(hash, || {
            CacheAccess::new(
                here.order(),
                CacheUse {
                    cache,
                    hash,
                    bytes,
                    second: rows.second(row),
                    direction: Direction::Write,
                },
            )
        });
        true
    }
}
