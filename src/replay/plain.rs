//! The hot path: rows of plain calls, slot by slot, with no allocation for a row.
//!
//! A slot's keys are a 256th of all and lie side by side, and the places of the keys to come are fetched while the rows
//! before them are executed.
//! What a row consumes is what the meter says; what a row needs beyond this goes the [general way](super::rows), to the
//! same tally.

use prefetch_index::prefetch_index;

use super::consumption::{Kind, Lane, LaneKey};
use super::curve::{Access, Asked, CACHES_MAX, Log};
use super::dax::Which;
use super::executor::{Executor, Wrong};
use super::heat::{Heat, Minutes};
use super::sizes::{From, Share, is_global, same_action};
use super::store::{Known, Segment};
use super::tables::TableState;
use super::tally::Grains;
use crate::meter::{self, ConsumedCapacity, Switches};
use crate::table::{Consistency, Transition, Write, WriteOutcome};
use crate::trace::{Action, Api, Bad, NO_BYTES, Names, Place, Row, RowKind, Rows, SLOTS, Time};
use crate::units::Bytes;
use crate::workload::{ArmUnits, Call as Pattern, Entry};

/// The places of so many rows to come are on their way.
const AHEAD: usize = 16;

/// Longer rounds add to their lanes second by second.
const DENSE_SECONDS: i64 = 1 << 20;

/// An event that could not be executed.
pub type Failed = (u64, Place, Wrong);

/// One account's direction in a round.
struct LaneWork {
    key: LaneKey,
    /// Half units of each second of the round; empty where the round is long.
    seconds: Vec<u64>,
    first: i64,
    lane: Lane,
    heat: Vec<Heat>,
    minutes: Minutes,
}

impl LaneWork {
    /// Adds half units of a row; `known` are those of its key so far.
    #[inline(always)]
    fn add(&mut self, here: &Here, known: Option<u64>, halves: u64) {
        if halves == 0 {
            return;
        }
        match self.seconds.get_mut((here.clock.second - self.first) as usize) {
            Some(sum) => *sum += halves,
            None => self.lane.add(here.clock.second, halves),
        }
        let heat = &mut self.heat[usize::from(here.slot)];
        if heat.add(here.row.hash, known, here.clock.minute, halves, &mut self.minutes) {
            heat.name(&here.rows.keys.key(here.row.at()));
        }
    }
}

/// The second and the minute of rows that come in the order of time.
#[derive(Clone, Copy)]
struct Clock {
    second: i64,
    minute: i64,
}

impl Clock {
    const UNSET: Clock = Clock { second: i64::MIN, minute: 0 };

    #[inline]
    fn set(&mut self, second: i64) {
        if second != self.second {
            (self.second, self.minute) = (second, second.div_euclid(60));
        }
    }
}

/// A row and where it stands.
struct Here<'a> {
    rows: &'a Rows,
    row: &'a Row,
    slot: u8,
    clock: Clock,
}

impl Here<'_> {
    fn ordinal(&self) -> u64 {
        self.rows.ordinal + self.row.at() as u64
    }
}

/// The lanes of a table: its own reads and writes, and the writes of each global index.
struct TableWork {
    table: usize,
    /// The keys of the slot that is worked on.
    segment: Segment,
    reads: usize,
    writes: usize,
    /// Of each index, its lane; that of the table for a local one.
    indexes: Vec<usize>,
    grains: Grains,
}

/// A kind of rows, looked at once.
struct KindWork {
    kind: Kind,
    api: Api,
    /// Position of its table's work.
    work: usize,
    consistency: Consistency,
    consistency_assumed: bool,
    /// Of each index: whether a change moves its entry, and whether it rewrites it.
    changes: Vec<(bool, bool)>,
    /// Whether the pattern says that nothing changes.
    changes_nothing: bool,
    finds: Option<Share>,
    sums: Sums,
}

/// What rows of a kind came to.
#[derive(Default)]
struct Sums {
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
    /// By source of the size.
    rows: [u64; 6],
    /// Half units as drawn, at the least and at the most.
    drawn: [u128; 3],
    /// Bytes of eventually consistent reads, which a cache would have been asked for.
    bytes: u64,
    first: i64,
    last: i64,
    /// Positions of the first and the last of these rows; the first is beyond the last where there is none.
    span: (usize, usize),
}

const SOURCES: [From; 6] = [From::Row, From::Seen, From::Export, From::Next, From::Drawn, From::Assumed];

impl Sums {
    const NOWHERE: (usize, usize) = (usize::MAX, 0);

    fn new(indexes: usize) -> Sums {
        Sums { index_writes: vec![0; indexes], first: i64::MAX, last: i64::MIN, span: Sums::NOWHERE, ..Sums::default() }
    }

    /// Takes the times of the first and the last row.
    fn cover(&mut self, rows: &Rows) {
        let (first, last) = std::mem::replace(&mut self.span, Sums::NOWHERE);
        if first <= last {
            self.first = self.first.min(rows.time(first).0);
            self.last = self.last.max(rows.time(last).0);
        }
    }

    /// Counts a row, by the source of its size.
    #[inline]
    fn count(&mut self, from: From, row: &Row) {
        self.rows[from as usize] += 1;
        self.span = (self.span.0.min(row.at()), row.at());
    }
}

/// What a round works on.
struct Work {
    /// Those of which rows take the short way.
    kinds: Vec<Option<KindWork>>,
    tables: Vec<TableWork>,
    lanes: Vec<LaneWork>,
    scratch: Scratch,
}

impl Work {
    /// Fetches the place of the key of a row to come, by its position in this piece, or beyond it in the next; and while
    /// this piece lasts, the rows of the next.
    #[inline(always)]
    fn fetch(&self, piece: &Piece, next: Option<&Piece>, at: usize) {
        let (numbers, row) = match (piece.own.get(at), next) {
            (Some(row), next) => {
                next.iter().for_each(|next| prefetch_index(next.own, at));
                (piece.numbers, row)
            }
            (None, Some(next)) => match next.own.get(at - piece.own.len()) {
                Some(row) => (next.numbers, row),
                None => return,
            },
            (None, None) => return,
        };
        match self.tables.as_slice() {
            [only] => only.segment.fetch(row.hash),
            tables => self.kinds[numbers[row.kind()]].iter().for_each(|kind| tables[kind.work].segment.fetch(row.hash)),
        }
    }
}

/// The rows of a slot that were read together.
struct Piece<'a> {
    rows: &'a Rows,
    /// Where each of their kinds stands among all kinds.
    numbers: &'a [usize],
    own: &'a [Row],
}

/// Buffers of a write that are used again and again.
struct Scratch {
    write: Write,
    consumed: ConsumedCapacity,
}

impl Scratch {
    /// What a write consumes and what it does to each index.
    #[inline]
    fn write(&mut self, state: &TableState, kind: &KindWork, hash: u64, old: Option<u32>, new: Option<u32>, switches: &Switches) {
        self.write.old = old.map(|bytes| Bytes(bytes.into()));
        self.write.new = new.map(|bytes| Bytes(bytes.into()));
        self.write.outcome = WriteOutcome::Applied;
        self.write.indexes.resize(kind.changes.len(), Transition::Absent);
        for (at, (transition, (moves, rewrites))) in self.write.indexes.iter_mut().zip(&kind.changes).enumerate() {
            let size = |bytes: Option<u32>| match bytes.map(|bytes| state.entries.entry(at, bytes, hash)) {
                Some(Entry::Size(size)) => Some(size),
                _ => None,
            };
            *transition = Transition::of(size(old), size(new), *moves, *rewrites);
        }
        self.consumed.table = meter::Arm::default();
        self.consumed.indexes.resize(kind.changes.len(), meter::Arm::default());
        self.consumed.indexes.fill(meter::Arm::default());
        meter::write(&self.write, switches, &mut self.consumed);
    }

    /// Half units of all arms.
    fn halves(&self) -> u128 {
        let total = self.consumed.total();
        u128::from(total.read.halves()) + 2 * u128::from(total.write.0)
    }
}

impl Executor {
    /// Whether rows of a table can take the short way: nothing is sent to other regions, nothing stands before it, and
    /// every index says what it holds.
    fn is_plain(&self, table: usize) -> bool {
        let state = &self.tables.list[table];
        let alone = state.design.replicas.is_empty() && state.design.dax.is_none() && self.caches.sizes.is_empty();
        // Reads of another file may wait for the size that a row tells.
        alone && state.entries.are_known() && self.waiting.is_empty()
    }

    /// Executes rows of some slots.
    ///
    /// Those that cannot be executed are returned.
    pub fn rows(&mut self, round: &[Rows], slots: &[usize], names: &Names, bad: &Bad) -> Vec<Failed> {
        let mut failed = Vec::new();
        let (Some(first), Some(last)) = (round.first(), round.last()) else { return failed };
        let (first, last) = (first.first.second(), last.last.second());
        let (mut tables, mut lanes): (Vec<TableWork>, Vec<LaneWork>) = (Vec::new(), Vec::new());
        let (mut known, mut kinds): (Vec<RowKind>, Vec<Option<KindWork>>) = (Vec::new(), Vec::new());
        // Where each kind of each piece of rows stands among all kinds.
        let numbers: Vec<Vec<usize>> = round
            .iter()
            .map(|rows| {
                let mut number = |kind: &RowKind| match known.iter().position(|known| known == kind) {
                    Some(known) => known,
                    None => {
                        known.push(*kind);
                        kinds.push(self.kind_work(kind, names, &mut tables, &mut lanes, first, last));
                        kinds.len() - 1
                    }
                };
                rows.kinds.iter().map(&mut number).collect()
            })
            .collect();
        let mut work = Work { kinds, tables, lanes, scratch: Scratch { write: Write::default(), consumed: ConsumedCapacity::default() } };
        for slot in slots {
            self.swap_segments(&mut work.tables, *slot);
            let pieces: Vec<Piece> =
                round.iter().zip(&numbers).map(|(rows, numbers)| Piece { rows, numbers, own: rows.slot(*slot) }).collect();
            if let Some(first) = pieces.first() {
                (0..AHEAD).for_each(|at| work.fetch(first, pieces.get(1), at));
            }
            for (at, piece) in pieces.iter().enumerate() {
                let (mut from, rows) = (0, piece.rows);
                loop {
                    from = self.run(&mut work, *slot as u8, piece, pieces.get(at + 1), from);
                    let Some(row) = piece.own.get(from) else { break };
                    from += 1;
                    self.swap_segments(&mut work.tables, *slot);
                    self.give_back(&mut work.tables, &mut work.lanes);
                    let ordinal = rows.ordinal + row.at() as u64;
                    if let Err((place, wrong)) = self.event(ordinal, rows.event(row), names, bad) {
                        failed.push((ordinal, place, wrong));
                    }
                    self.take_out(&mut work.tables, &mut work.lanes);
                    self.swap_segments(&mut work.tables, *slot);
                }
                work.kinds.iter_mut().flatten().for_each(|kind| kind.sums.cover(rows));
            }
            self.swap_segments(&mut work.tables, *slot);
        }
        self.give_back(&mut work.tables, &mut work.lanes);
        for lane in work.lanes.into_iter().filter(|lane| lane.lane.sum() > 0 || lane.seconds.iter().any(|halves| *halves > 0)) {
            let own = self.tally.consumption.lanes.entry(lane.key).or_default();
            for (second, halves) in (lane.first..).zip(lane.seconds).filter(|(_, halves)| *halves > 0) {
                own.add(second, halves);
            }
            own.join(&lane.lane);
        }
        for work in work.kinds.into_iter().flatten() {
            self.add_up(work);
        }
        failed
    }

    /// Takes the keys of a slot out of their stores, or gives them back.
    fn swap_segments(&mut self, tables: &mut [TableWork], slot: usize) {
        for work in tables {
            std::mem::swap(&mut work.segment, self.tables.list[work.table].store.segment(slot as u8));
        }
    }

    /// Executes rows of a piece from one on, until one needs the general way: returns which, or how many there are.
    fn run(&mut self, work: &mut Work, slot: u8, piece: &Piece, next: Option<&Piece>, from: usize) -> usize {
        let Piece { rows, numbers, own } = piece;
        let (list, log) = (&self.tables.list, &mut self.tally.log);
        let mut clock = Clock::UNSET;
        for (at, row) in own.iter().enumerate().skip(from) {
            work.fetch(piece, next, at + AHEAD);
            clock.set(rows.second(row));
            let here = Here { rows, row, slot, clock };
            let Work { kinds, tables, lanes, scratch } = work;
            let Some(kind) = &mut kinds[numbers[row.kind()]] else { return at };
            let table = &mut tables[kind.work];
            let done = match kind.kind.reads {
                true => kind.read(&here, list, table, lanes, log),
                false => kind.write(&here, &list[kind.kind.table], table, lanes, log, scratch, &self.switches),
            };
            if !done {
                return at;
            }
        }
        own.len()
    }

    /// Looks at a kind of rows; `None` where it does not take the short way.
    fn kind_work(
        &mut self,
        kind: &RowKind,
        names: &Names,
        tables: &mut Vec<TableWork>,
        lanes: &mut Vec<LaneWork>,
        first: i64,
        last: i64,
    ) -> Option<KindWork> {
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
                let mut lane = |index: Option<usize>, reads: bool| {
                    let key = LaneKey { table, index, region: 0, reads };
                    let span = last - first + 1;
                    let seconds = if span <= DENSE_SECONDS { vec![0; span as usize] } else { Vec::new() };
                    let work = LaneWork { key, seconds, first, lane: Lane::default(), heat: Vec::new(), minutes: Minutes::new() };
                    lanes.push(work);
                    lanes.len() - 1
                };
                let (reads, writes) = (lane(None, true), lane(None, false));
                let of = |at| if is_global(&state.design, at) { lane(Some(at), false) } else { writes };
                let indexes = (0..state.design.table.indexes.len()).map(of).collect();
                tables.push(TableWork { table, segment: Segment::default(), reads, writes, indexes, grains: Grains::default() });
                self.take_out(tables, lanes);
                tables.len() - 1
            }
        };
        let design = &self.tables.list[table].design;
        let caller = kind.caller.map(|caller| names.text(caller));
        let pattern = Executor::pattern(design, caller, kind.api, self.regions.first().map(String::as_str), None);
        let assumed = matches!(
            (kind.consistency, pattern.map(|pattern| &pattern.call)),
            (None, Some(Pattern::Get { consistency: Some(Consistency::Strong), .. }))
        );
        let consistency = if assumed { Consistency::Strong } else { kind.consistency.unwrap_or_default() };
        let action = match kind.api {
            Api::PutItem => Action::Put,
            Api::UpdateItem => Action::Update,
            _ => Action::Delete,
        };
        let plan = pattern.and_then(|access| match &access.call {
            Pattern::Write { plans, .. } | Pattern::Transaction { plans, .. } => {
                plans.iter().find(|(plan, _)| same_action(plan.kind, action)).map(|(plan, _)| plan)
            }
            _ => None,
        });
        let listed = plan.and_then(|plan| plan.changes.as_ref());
        let changes = design.table.indexes.iter().map(|index| match listed {
            Some(names) => {
                let moves = names.iter().any(|name| index.keys.iter().any(|key| key == name));
                (moves, names.iter().any(|name| index.holds(&design.table.keys, name)))
            }
            None => (false, index.holds_more_than_keys()),
        });
        let reads = kind.api.is_read();
        Some(KindWork {
            kind: Kind { table, region: 0, caller: kind.caller, api: Some(kind.api), reads, index: None },
            api: kind.api,
            work,
            consistency,
            consistency_assumed: assumed,
            changes: changes.collect(),
            changes_nothing: listed.is_some_and(Vec::is_empty),
            finds: plan.map(|plan| Share::of(&plan.finds)),
            sums: Sums::new(design.table.indexes.len()),
        })
    }

    /// Takes heat and grains out of the tally for the round.
    fn take_out(&mut self, tables: &mut [TableWork], lanes: &mut [LaneWork]) {
        for lane in lanes {
            // A lane that nothing was added to was not given back; an event that went the general way may have begun it.
            if let Some(heat) = self.tally.heat.remove(&lane.key) {
                lane.heat = heat;
                lane.minutes = self.tally.minutes.remove(&lane.key).unwrap_or_default();
            } else if lane.heat.is_empty() {
                lane.heat = vec![Heat::default(); SLOTS];
            }
        }
        for work in tables {
            if let Some(grains) = self.tally.grains.remove(&(work.table, 0)) {
                work.grains = grains;
            }
        }
    }

    /// Gives them back.
    fn give_back(&mut self, tables: &mut [TableWork], lanes: &mut [LaneWork]) {
        for lane in lanes.iter_mut().filter(|lane| lane.heat.iter().any(|heat| heat.total > 0)) {
            self.tally.heat.insert(lane.key, std::mem::take(&mut lane.heat));
            self.tally.minutes.insert(lane.key, std::mem::take(&mut lane.minutes));
        }
        for work in tables {
            self.tally.grains.insert((work.table, 0), std::mem::take(&mut work.grains));
        }
    }

    /// Adds what rows of a kind came to.
    fn add_up(&mut self, work: KindWork) {
        let KindWork { kind, sums, .. } = work;
        let calls = sums.rows.iter().sum();
        if calls == 0 {
            return;
        }
        let provenance = &mut self.tally.provenance;
        for (from, count) in SOURCES.iter().zip(sums.rows).filter(|(_, count)| *count > 0) {
            *provenance.rows.entry((kind.reads, *from)).or_default() += count;
        }
        if sums.rows[From::Drawn as usize] > 0 && sums.drawn.iter().any(|halves| *halves > 0) {
            let drawn = provenance.drawn.entry((kind.table, kind.reads)).or_default();
            drawn.iter_mut().zip(sums.drawn).for_each(|(sum, more)| *sum += more);
        }
        provenance.changes_assumed += sums.changes_assumed;
        provenance.presence_assumed += sums.presence_assumed;
        provenance.consistency_assumed += if work.consistency_assumed { calls } else { 0 };
        let asked = match (kind.reads, work.consistency) {
            (true, Consistency::Eventual) => Some(Asked { reads: calls, halves: sums.read_halves, bytes: sums.bytes, writes: 0 }),
            (true, Consistency::Strong) => None,
            (false, _) => Some(Asked { writes: calls, ..Asked::default() }),
        };
        if let Some(asked) = asked {
            self.tally.log.count(Which::Item.of(kind.table), asked);
        }
        self.tally.events += calls;
        self.tally.cover(Time(sums.first), Time(sums.last));
        let traced = self.tally.consumption.kind(kind);
        traced.writes = !kind.reads;
        traced.calls += calls;
        traced.touched += if kind.reads { sums.touched } else { calls };
        traced.captured += u128::from(sums.captured);
        traced.replicated_bytes += u128::from(sums.sent);
        traced.home.resize(traced.home.len().max(1 + sums.index_writes.len()), ArmUnits::default());
        traced.home[0].read_halves += u128::from(sums.read_halves);
        for (arm, write) in traced.home.iter_mut().zip(std::iter::once(sums.write).chain(sums.index_writes)) {
            arm.write += u128::from(write);
        }
    }
}

/// The size of the item of a row that gives none, and from where it is known; `None` where it needs a closer look.
#[inline]
fn remembered(state: &TableState, segment: &Segment, at: usize, hash: u64) -> Option<(Option<u32>, From)> {
    Some(match segment.known(at) {
        (Known::There(bytes), from) => (Some(bytes), from),
        (Known::Gone, from) => (None, from),
        (Known::Unknown, _) if state.declared => (Some(state.draw(hash)?), From::Drawn),
        (Known::Unknown, _) => (None, From::Assumed),
    })
}

/// The size that a row gives; 0 is no item.
#[inline]
fn given(bytes: u32) -> Option<u32> {
    (bytes > 0).then_some(bytes)
}

impl KindWork {
    /// One read; `false` where it needs the general way, and nothing has happened.
    #[inline(always)]
    fn read(&mut self, here: &Here, list: &[TableState], table: &mut TableWork, lanes: &mut [LaneWork], log: &mut Log) -> bool {
        let (segment, hash) = (&mut table.segment, here.row.hash);
        let at = segment.find(hash);
        let consistency = self.consistency;
        let get = |bytes: Option<u32>| meter::get(bytes.map(|bytes| Bytes(bytes.into())), consistency).halves();
        let sums = &mut self.sums;
        let (found, from, halves, known) = match here.row.bytes() {
            NO_BYTES => {
                let state = &list[self.kind.table];
                let Some((found, from)) = remembered(state, segment, at, hash) else { return false };
                let halves = get(found);
                match from {
                    From::Assumed => return false,
                    From::Drawn => {
                        let (low, high) = state.extremes;
                        let drawn = [found, Some(low.0 as u32), Some(high.0 as u32)].map(|bytes| u128::from(get(bytes)));
                        sums.drawn.iter_mut().zip(drawn).for_each(|(sum, more)| *sum += more);
                    }
                    _ => {}
                }
                (found, from, halves, segment.warm(at, halves))
            }
            bytes => {
                let (found, halves) = (given(bytes), get(given(bytes)));
                (found, From::Row, halves, Some(segment.put(at, hash, found, halves)))
            }
        };
        sums.count(from, here.row);
        sums.touched += u64::from(found.is_some());
        sums.read_halves += halves;
        if consistency == Consistency::Eventual {
            let bytes = found.unwrap_or(0);
            sums.bytes += u64::from(bytes);
            let cache = Which::Item.of(self.kind.table);
            log.push(hash, || Access::new(here.ordinal(), cache, hash, here.clock.second, bytes, false));
        }
        table.grains.add(here.slot, here.clock.second, true, halves);
        lanes[table.reads].add(here, known, halves);
        true
    }

    /// One write; `false` where it needs the general way, and nothing has happened.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    fn write(
        &mut self,
        here: &Here,
        state: &TableState,
        table: &mut TableWork,
        lanes: &mut [LaneWork],
        log: &mut Log,
        scratch: &mut Scratch,
        switches: &Switches,
    ) -> bool {
        let (row, hash, action) = (here.row, here.row.hash, self.api);
        let at = table.segment.find(hash);
        let (found, from) = match here.rows.old(row) {
            NO_BYTES => match remembered(state, &table.segment, at, hash) {
                Some(remembered) => remembered,
                None => return false,
            },
            bytes => (given(bytes), From::Row),
        };
        let (old, old_from, presumed) = match (from, found) {
            (From::Drawn, found) => {
                let there = self.finds.as_ref().map_or(action != Api::PutItem, |finds| finds.holds(hash, 3));
                (found.filter(|_| there), From::Drawn, true)
            }
            (From::Assumed, _) if action == Api::PutItem || row.bytes() != NO_BYTES => (None, From::Assumed, true),
            (From::Assumed, _) => return false,
            (from, found) => (found, from, false),
        };
        let new = match (action, row.bytes()) {
            (Api::DeleteItem, _) => None,
            (_, NO_BYTES) if action == Api::UpdateItem && old.is_some() => old,
            (_, NO_BYTES) => return false,
            (_, bytes) => Some(bytes),
        };
        let from = if action == Api::PutItem { From::Row } else { old_from };
        scratch.write(state, self, hash, old, new, switches);
        let (captured, sent) = match self.changes_nothing && old == new && old.is_some() {
            true => (0, Bytes(0)),
            false => meter::sent(&scratch.write),
        };
        let consumed = &scratch.consumed;
        let sums = &mut self.sums;
        sums.count(from, row);
        sums.captured += captured;
        sums.sent += sent.0;
        sums.presence_assumed += u64::from(presumed);
        sums.changes_assumed += u64::from(old.is_some() && new.is_some() && !self.changes.is_empty());
        let total = 2 * consumed.total().write.0;
        let known = Some(table.segment.put(at, hash, new, total));
        let mut own = consumed.table.write.0;
        sums.write += own;
        for ((arm, sum), lane) in consumed.indexes.iter().zip(&mut sums.index_writes).zip(&table.indexes) {
            *sum += arm.write.0;
            match *lane {
                lane if lane == table.writes => own += arm.write.0,
                lane => lanes[lane].add(here, known, 2 * arm.write.0),
            }
        }
        lanes[table.writes].add(here, known, 2 * own);
        table.grains.add(here.slot, here.clock.second, false, 2 * own);
        if let (From::Drawn, Some(bytes)) = (from, old) {
            let (low, high) = state.extremes;
            let resized = |bytes: Option<u32>, size: u32| bytes.map(|_| size);
            for (at, size) in [bytes, low.0 as u32, high.0 as u32].into_iter().enumerate() {
                scratch.write(state, self, hash, resized(old, size), resized(new, size), switches);
                self.sums.drawn[at] += scratch.halves();
            }
        }
        let cache = Which::Item.of(self.kind.table);
        log.push(hash, || Access::new(here.ordinal(), cache, hash, here.clock.second, new.unwrap_or(0), true));
        true
    }
}
