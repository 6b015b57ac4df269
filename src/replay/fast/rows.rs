//! The fast path: executes rows of plain calls slot by slot, without an allocation per row.
//!
//! Keys are divided by hash into 256 slots, and the keys of a slot are contiguous in memory. The
//! table entries of the next keys are prefetched while earlier rows are executed. What a row
//! consumes is what the meter says; what a row needs beyond this goes the [general
//! way](crate::replay::full::calls), to the same tally.

use prefetch_index::prefetch_index;

use crate::meter;
use crate::replay::cache::curve::{AccessCounts, AccessLog, CACHES_MAX, CacheAccess};
use crate::replay::cache::exact::Which;
use crate::replay::executor::{CannotExecute, Executor};
use crate::replay::state::sizes::{KeyFraction, SizeSource, is_global, salt, same_action};
use crate::replay::state::store::{ItemState, Segment};
use crate::replay::state::tables::TableState;
use crate::replay::tally::Grains;
use crate::replay::tally::consumption::{CallKind, DemandKey, DemandSeries};
use crate::replay::tally::hot_keys::{HotKeys, Minutes};
use crate::table::{Consistency, Direction, EntryEffect, Transition};
use crate::trace::{
    ApiName, Bad, MemberAction, NO_BYTES, NameTable, PlainRow, RowKind, RowPlace, Rows, SLOTS,
};
use crate::units::Bytes;
use crate::workload::{ArmUnits, IndexEntry, PatternCall as Pattern};

/// How many rows ahead table entries are prefetched.
const AHEAD: usize = 16;

/// Rows per cache line.
const ROWS_OF_A_LINE: usize = 64 / size_of::<PlainRow>();

/// Rounds that cover more seconds add to their demand series directly, not to an array.
const DENSE_SECONDS: i64 = 1 << 20;

/// An event that could not be executed.
pub type Failed = (u64, RowPlace, CannotExecute);

/// One account direction in a round.
struct DemandWork {
    key: DemandKey,
    /// Half units of each second of the round; empty if the round covers more than
    /// `DENSE_SECONDS`.
    seconds: Vec<u64>,
    first: i64,
    lane: DemandSeries,
    heat: Vec<HotKeys>,
    /// The hot keys of the current slot.
    own: HotKeys,
    minutes: Minutes,
}

impl DemandWork {
    /// Adds half units of a second.
    fn add(&mut self, second: i64, halves: u64) {
        match self.seconds.get_mut((second - self.first) as usize) {
            Some(sum) => *sum += halves,
            None => self.lane.add(second, halves),
        }
    }

    /// Adds half units of a row to the hot keys; `known` is the key's half units so far.
    #[inline(always)]
    fn warm(&mut self, here: &Here, known: u32, halves: u64) {
        if self
            .own
            .add(here.row.hash, known, here.minute, halves, &mut self.minutes)
        {
            self.own.name(&here.rows.key(here.row));
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
    fn ordinal(&self) -> u64 {
        self.rows.ordinal + self.row.at() as u64
    }
}

/// A table in a round.
struct TableWork {
    table: usize,
    /// The keys of the current slot.
    segment: Segment,
    /// The positions in `lanes` of its own reads and writes.
    lanes: [usize; 2],
    /// For each index, the position of its writes in `lanes`; `None` for a local index.
    indexes: Vec<Option<usize>>,
    grains: Grains,
    /// The current second of the slot and its minute, with half units of the table's own reads and
    /// writes, and of the writes of each index.
    second: i64,
    minute: i64,
    own: [u64; 2],
    arms: Vec<u64>,
    /// Units of a write to each index.
    units: Vec<u64>,
}

impl TableWork {
    fn new(table: usize, lanes: [usize; 2], indexes: Vec<Option<usize>>) -> TableWork {
        let (arms, units) = (vec![0; indexes.len()], vec![0; indexes.len()]);
        let (segment, grains) = (Segment::default(), Grains::default());
        TableWork {
            table,
            segment,
            lanes,
            indexes,
            grains,
            second: i64::MIN,
            minute: i64::MIN,
            own: [0, 0],
            arms,
            units,
        }
    }

    /// Adds the totals of the current second to the account directions.
    #[cold]
    fn close(&mut self, slot: u8, lanes: &mut [DemandWork]) {
        let own = std::mem::take(&mut self.own);
        for ((lane, halves), direction) in self
            .lanes
            .into_iter()
            .zip(own)
            .zip(Direction::BOTH)
            .filter(|((_, halves), _)| *halves > 0)
        {
            lanes[lane].add(self.second, halves);
            self.grains.add(slot, self.second, direction, halves);
        }
        for (lane, halves) in self.indexes.iter().zip(&mut self.arms) {
            let halves = std::mem::take(halves);
            if let Some(lane) = lane.filter(|_| halves > 0) {
                lanes[lane].add(self.second, halves);
            }
        }
    }
}

/// What a plain call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Read,
    Put,
    Update,
    Delete,
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
const GENERAL: usize = usize::MAX;

/// The state of a round.
struct Work {
    kinds: Vec<KindWork>,
    tables: Vec<TableWork>,
    lanes: Vec<DemandWork>,
}

/// The rows of one slot in one `Rows` of the round.
struct Piece<'a> {
    rows: &'a Rows,
    /// The position of each of their kinds among all kinds, or [`GENERAL`].
    numbers: &'a [usize],
    own: &'a [PlainRow],
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

    /// Executes the rows of a piece from position `from` on, until a row needs the full path.
    /// Returns the position of that row, or the number of rows.
    #[inline(never)]
    fn run(
        &mut self,
        slot: u8,
        piece: &Piece,
        next: Option<&Piece>,
        from: usize,
        list: &[TableState],
        log: &mut AccessLog,
    ) -> usize {
        let Piece { rows, numbers, own } = piece;
        // Prefetch the first rows of the next piece, because their keys are prefetched before it
        // begins.
        next.iter().for_each(|next| {
            (0..AHEAD)
                .step_by(ROWS_OF_A_LINE)
                .for_each(|at| prefetch_index(next.own, at))
        });
        self.tables
            .iter_mut()
            .for_each(|table| table.segment.make_room());
        for (at, row) in own.iter().enumerate().skip(from) {
            self.fetch(piece, next, at + AHEAD);
            let Some(kind) = self.kinds.get_mut(numbers[row.kind()]) else {
                return at;
            };
            let table = &mut self.tables[kind.work];
            let now = rows.second(row);
            if now != table.second {
                table.close(slot, &mut self.lanes);
                (table.second, table.minute) = (now, now.div_euclid(60));
            }
            let here = Here {
                rows,
                row,
                minute: table.minute,
            };
            let done = match kind.does {
                Does::Read => kind.read(&here, list, table, &mut self.lanes, log),
                _ => kind.write(&here, list, table, &mut self.lanes, log),
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
            .for_each(|table| table.close(slot, &mut self.lanes));
    }
}

impl Executor {
    /// Whether rows of a table can take the fast path: it has no replicas and no cache to simulate
    /// in order, and the entries of every index are known.
    fn is_plain(&self, table: usize) -> bool {
        let state = &self.tables.list[table];
        let alone = state.design.replicas.is_empty()
            && state.design.dax.is_none()
            && self.caches.sizes.is_empty();
        // Reads of another file may wait for the size that a row gives.
        alone && state.entries.are_known() && self.waiting.is_empty()
    }

    /// Executes rows of some slots.
    ///
    /// Returns the rows that cannot be executed.
    pub fn rows(
        &mut self,
        round: &[Rows],
        slots: &[usize],
        names: &NameTable,
        bad: &Bad,
    ) -> Vec<Failed> {
        let mut failed = Vec::new();
        let (Some(first), Some(last)) = (round.first(), round.last()) else {
            return failed;
        };
        let (first, last) = (first.first.second(), last.last.second());
        let mut work = Work {
            kinds: Vec::new(),
            tables: Vec::new(),
            lanes: Vec::new(),
        };
        let mut known: Vec<(RowKind, usize)> = Vec::new();
        let mut number = |kind: &RowKind| match known.iter().find(|(known, _)| known == kind) {
            Some((_, number)) => *number,
            None => {
                let number = self
                    .kind_work(kind, names, &mut work, first, last)
                    .unwrap_or(GENERAL);
                known.push((*kind, number));
                number
            }
        };
        let numbers: Vec<Vec<usize>> = round
            .iter()
            .map(|rows| rows.kinds.iter().map(&mut number).collect())
            .collect();
        for slot in slots {
            let own = *slot as u8;
            self.swap_slot(&mut work, *slot);
            let pieces: Vec<Piece> = round
                .iter()
                .zip(&numbers)
                .map(|(rows, numbers)| Piece {
                    rows,
                    numbers,
                    own: rows.slot(*slot),
                })
                .collect();
            if let Some(first) = pieces.first() {
                (0..AHEAD).for_each(|at| work.fetch(first, pieces.get(1), at));
            }
            for (at, piece) in pieces.iter().enumerate() {
                let (mut from, rows) = (0, piece.rows);
                loop {
                    let next = pieces.get(at + 1);
                    let until = work.run(
                        own,
                        piece,
                        next,
                        from,
                        &self.tables.list,
                        &mut self.tally.log,
                    );
                    if let (Some(first), Some(last)) = (
                        piece.own[from..until].first(),
                        piece.own[from..until].last(),
                    ) {
                        self.tally
                            .cover(rows.time(first.at()), rows.time(last.at()));
                    }
                    let Some(row) = piece.own.get(until) else {
                        break;
                    };
                    from = until + 1;
                    work.close(own);
                    self.swap_slot(&mut work, *slot);
                    self.give_back(&mut work.tables, &mut work.lanes);
                    let ordinal = rows.ordinal + row.at() as u64;
                    if let Err((place, wrong)) = self.event(ordinal, rows.event(row), names, bad) {
                        failed.push((ordinal, place, wrong));
                    }
                    self.take_out(&mut work.tables, &mut work.lanes);
                    self.swap_slot(&mut work, *slot);
                }
            }
            work.close(own);
            self.swap_slot(&mut work, *slot);
        }
        self.give_back(&mut work.tables, &mut work.lanes);
        for lane in work
            .lanes
            .into_iter()
            .filter(|lane| lane.lane.sum() > 0 || lane.seconds.iter().any(|halves| *halves > 0))
        {
            let own = self.tally.consumption.lanes.entry(lane.key).or_default();
            for (second, halves) in (lane.first..)
                .zip(lane.seconds)
                .filter(|(_, halves)| *halves > 0)
            {
                own.add(second, halves);
            }
            own.join(&lane.lane);
        }
        for work in work.kinds {
            self.add_up(work);
        }
        failed
    }

    /// Moves the keys of a slot out of their stores and its hot keys out of their account
    /// directions, or moves both back.
    fn swap_slot(&mut self, work: &mut Work, slot: usize) {
        for table in &mut work.tables {
            std::mem::swap(
                &mut table.segment,
                self.tables.list[table.table].store.segment(slot as u8),
            );
        }
        for lane in &mut work.lanes {
            std::mem::swap(&mut lane.own, &mut lane.heat[slot]);
        }
    }

    /// Prepares a kind of rows, and returns its position among all kinds; `None` if it cannot take
    /// the fast path.
    fn kind_work(
        &mut self,
        kind: &RowKind,
        names: &NameTable,
        work: &mut Work,
        first: i64,
        last: i64,
    ) -> Option<usize> {
        let Work {
            kinds,
            tables,
            lanes,
            ..
        } = work;
        let table = match kind.table {
            Some(name) => self.tables.find(names.text(name)),
            None => self.tables.only(),
        }?;
        if !self.is_plain(table) || Which::Item.of(table) >= CACHES_MAX {
            return None;
        }
        let state = &self.tables.list[table];
        let work = match tables.iter().position(|work| work.table == table) {
            Some(known) => known,
            None => {
                let mut lane = |index: Option<usize>, direction: Direction| {
                    let key = DemandKey {
                        table,
                        index,
                        region: 0,
                        direction,
                    };
                    let span = last - first + 1;
                    let seconds = if span <= DENSE_SECONDS {
                        vec![0; span as usize]
                    } else {
                        Vec::new()
                    };
                    let (lane, heat, own, minutes) = (
                        DemandSeries::default(),
                        Vec::new(),
                        HotKeys::default(),
                        Minutes::new(),
                    );
                    lanes.push(DemandWork {
                        key,
                        seconds,
                        first,
                        lane,
                        heat,
                        own,
                        minutes,
                    });
                    lanes.len() - 1
                };
                let own = Direction::BOTH.map(|direction| lane(None, direction));
                let of =
                    |at| is_global(&state.design, at).then(|| lane(Some(at), Direction::Write));
                let indexes: Vec<Option<usize>> =
                    (0..state.design.table.indexes.len()).map(of).collect();
                tables.push(TableWork::new(table, own, indexes));
                self.take_out(tables, lanes);
                tables.len() - 1
            }
        };
        let design = &self.tables.list[table].design;
        let caller = kind.caller.map(|caller| names.text(caller));
        let pattern = Executor::pattern(
            design,
            caller,
            kind.api,
            self.regions.first().map(String::as_str),
            None,
        );
        let assumed = matches!(
            (kind.consistency, pattern.map(|pattern| &pattern.call)),
            (
                None,
                Some(Pattern::Get {
                    consistency: Some(Consistency::Strong),
                    ..
                })
            )
        );
        let consistency = if assumed {
            Consistency::Strong
        } else {
            kind.consistency.unwrap_or_default()
        };
        let (does, action) = match kind.api {
            ApiName::PutItem => (Does::Put, MemberAction::Put),
            ApiName::UpdateItem => (Does::Update, MemberAction::Update),
            ApiName::DeleteItem => (Does::Delete, MemberAction::Delete),
            _ => (Does::Read, MemberAction::Put),
        };
        let plan = pattern.and_then(|access| match &access.call {
            Pattern::Write { plans, .. } | Pattern::Transaction { plans, .. } => plans
                .iter()
                .find(|(plan, _)| same_action(plan.kind, action))
                .map(|(plan, _)| plan),
            _ => None,
        });
        let listed = plan.and_then(|plan| plan.changes.as_ref());
        let entries = &self.tables.list[table].entries;
        let changes = design.table.indexes.iter().enumerate().map(|(at, index)| {
            let effect = index.effect_of(listed.map(Vec::as_slice), &design.table.keys);
            EntryChange {
                effect,
                whole: entries.is_whole(at),
            }
        });
        let direction = if does == Does::Read {
            Direction::Read
        } else {
            Direction::Write
        };
        kinds.push(KindWork {
            kind: CallKind {
                table,
                region: 0,
                caller: kind.caller,
                api: Some(kind.api),
                direction,
                index: None,
            },
            does,
            work,
            consistency,
            consistency_assumed: assumed,
            changes: changes.collect(),
            changes_nothing: listed.is_some_and(Vec::is_empty),
            finds: plan.map(|plan| KeyFraction::of(&plan.finds)),
            sums: KindSums {
                index_writes: vec![0; design.table.indexes.len()],
                ..KindSums::default()
            },
        });
        Some(kinds.len() - 1)
    }

    /// Moves hot keys and slot seconds out of the tally for the round.
    fn take_out(&mut self, tables: &mut [TableWork], lanes: &mut [DemandWork]) {
        for lane in lanes {
            // An account direction without units was not moved back; an event on the full path may
            // have created it in the tally.
            if let Some(heat) = self.tally.heat.remove(&lane.key) {
                lane.heat = heat;
                lane.minutes = self.tally.minutes.remove(&lane.key).unwrap_or_default();
            } else if lane.heat.is_empty() {
                lane.heat = vec![HotKeys::default(); SLOTS];
            }
        }
        for work in tables {
            if let Some(grains) = self.tally.grains.remove(&(work.table, 0)) {
                work.grains = grains;
            }
        }
    }

    /// Moves them back.
    fn give_back(&mut self, tables: &mut [TableWork], lanes: &mut [DemandWork]) {
        for lane in lanes
            .iter_mut()
            .filter(|lane| lane.heat.iter().any(|heat| heat.total > 0))
        {
            self.tally
                .heat
                .insert(lane.key, std::mem::take(&mut lane.heat));
            self.tally
                .minutes
                .insert(lane.key, std::mem::take(&mut lane.minutes));
        }
        for work in tables {
            self.tally
                .grains
                .insert((work.table, 0), std::mem::take(&mut work.grains));
        }
    }

    /// Adds the totals of the rows of a kind to the tally.
    fn add_up(&mut self, work: KindWork) {
        let KindWork { kind, sums, .. } = work;
        let calls = sums.rows.iter().sum();
        if calls == 0 {
            return;
        }
        let provenance = &mut self.tally.provenance;
        for (from, count) in SOURCES
            .iter()
            .zip(sums.rows)
            .filter(|(_, count)| *count > 0)
        {
            *provenance.rows.entry((kind.direction, *from)).or_default() += count;
        }
        if sums.rows[SizeSource::Drawn as usize] > 0 && sums.drawn.iter().any(|halves| *halves > 0)
        {
            let drawn = provenance
                .drawn
                .entry((kind.table, kind.direction))
                .or_default();
            drawn
                .iter_mut()
                .zip(sums.drawn)
                .for_each(|(sum, more)| *sum += more);
        }
        provenance.changes_assumed += sums.changes_assumed;
        provenance.presence_assumed += sums.presence_assumed;
        provenance.consistency_assumed += if work.consistency_assumed { calls } else { 0 };
        let asked = match (kind.direction, work.consistency) {
            (Direction::Read, Consistency::Eventual) => Some(AccessCounts {
                reads: calls,
                halves: sums.read_halves,
                bytes: sums.bytes,
                writes: 0,
            }),
            (Direction::Read, Consistency::Strong) => None,
            (Direction::Write, _) => Some(AccessCounts {
                writes: calls,
                ..AccessCounts::default()
            }),
        };
        if let Some(asked) = asked {
            self.tally.log.count(Which::Item.of(kind.table), asked);
        }
        self.tally.events += calls;
        let traced = self.tally.consumption.kind(kind);
        traced.writes = kind.direction == Direction::Write;
        traced.calls += calls;
        traced.touched += if kind.direction == Direction::Read {
            sums.touched
        } else {
            calls
        };
        traced.captured += u128::from(sums.captured);
        traced.replicated_bytes += u128::from(sums.sent);
        traced.home.resize(
            traced.home.len().max(1 + sums.index_writes.len()),
            ArmUnits::default(),
        );
        traced.home[0].read_halves += u128::from(sums.read_halves);
        for (arm, write) in traced
            .home
            .iter_mut()
            .zip(std::iter::once(sums.write).chain(sums.index_writes))
        {
            arm.write += u128::from(write);
        }
    }
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
    fn read(
        &mut self,
        here: &Here,
        list: &[TableState],
        table: &mut TableWork,
        lanes: &mut [DemandWork],
        log: &mut AccessLog,
    ) -> bool {
        let Here { rows, row, .. } = here;
        let (segment, hash, consistency) = (&mut table.segment, row.hash, self.consistency);
        let get = |item: Option<Bytes>| meter::get(item, consistency).halves();
        let sums = &mut self.sums;
        let spot = segment.find(hash);
        let (bytes, from, halves, known) = match row.bytes() {
            NO_BYTES => {
                let state = &list[self.kind.table];
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
                (bytes, from, halves, segment.warm(spot, halves as u32))
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
            let (cache, ordinal) = (Which::Item.of(self.kind.table), here.ordinal());
            log.push(hash, || {
                CacheAccess::new(ordinal, cache, hash, rows.second(row), bytes, false)
            });
        }
        table.own[0] += halves;
        lanes[table.lanes[0]].warm(here, known, halves);
        true
    }

    /// Units of a write to one index, from the bytes of the item before and after it.
    #[inline(always)]
    fn index_write(&self, state: &TableState, index: usize, hash: u64, old: u32, new: u32) -> u64 {
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
            .map(|index| self.index_write(state, index, hash, old, new))
            .sum::<u64>();
        2 * u128::from(meter::table_write(item(old), item(new)).0 + indexes)
    }

    /// Executes one write. Returns `false`, without any effect, if it needs the full path.
    #[inline(always)]
    fn write(
        &mut self,
        here: &Here,
        list: &[TableState],
        table: &mut TableWork,
        lanes: &mut [DemandWork],
        log: &mut AccessLog,
    ) -> bool {
        let Here { rows, row, .. } = here;
        let (hash, bytes, does, state) = (row.hash, row.bytes(), self.does, &list[self.kind.table]);
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
            table.units[at] = self.index_write(state, at, hash, old, new);
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
        for (at, (units, lane)) in table.units.iter().zip(&table.indexes).enumerate() {
            sums.index_writes[at] += units;
            match *lane {
                None => own += units,
                Some(_) if *units == 0 => {}
                Some(lane) => {
                    table.arms[at] += 2 * units;
                    lanes[lane].warm(here, known, 2 * units);
                }
            }
        }
        table.own[1] += 2 * own;
        lanes[table.lanes[1]].warm(here, known, 2 * own);
        if from == SizeSource::Drawn && old != NO_BYTES {
            let (low, high) = state.extremes;
            let resized = |bytes: u32, size: u32| if bytes == NO_BYTES { NO_BYTES } else { size };
            for (at, size) in [old, low.0 as u32, high.0 as u32].into_iter().enumerate() {
                self.sums.drawn[at] +=
                    self.halves(state, hash, resized(old, size), resized(new, size));
            }
        }
        let (cache, ordinal) = (Which::Item.of(self.kind.table), here.ordinal());
        let bytes = if new == NO_BYTES { 0 } else { new };
        log.push(hash, || {
            CacheAccess::new(ordinal, cache, hash, rows.second(row), bytes, true)
        });
        true
    }
}
