//! The hot path: rows of plain calls, slot by slot, with no allocation for a row.
//!
//! A slot's keys are a 256th of all and lie side by side, and the places of the next rows' keys are fetched together.
//! What a row consumes is what the meter says; what a row needs beyond this goes the [general way](super::rows), to the
//! same tally.

use super::consumption::{Kind, Lane, LaneKey};
use super::curve::{Access, Asked, CACHES_MAX};
use super::dax::Which;
use super::executor::{Executor, Wrong};
use super::heat::{Heat, Minutes};
use super::sizes::{From, Share, is_global, same_action};
use super::store::Known;
use super::tables::TableState;
use super::tally::Grains;
use crate::meter::{self, ConsumedCapacity, Switches};
use crate::table::{Consistency, Transition, Write, WriteOutcome};
use crate::trace::{Action, Api, Bad, NO_BYTES, Names, Place, Row, RowKind, Rows, SLOTS, Time};
use crate::units::Bytes;
use crate::workload::{ArmUnits, Call as Pattern, Entry};

/// Rows whose places are fetched together.
const TOGETHER: usize = 16;

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
    #[inline]
    fn add(&mut self, slot: usize, row: &Row, known: Option<u64>, clock: &Clock, halves: u64, rows: &Rows) {
        if halves == 0 {
            return;
        }
        match self.seconds.get_mut((clock.second - self.first) as usize) {
            Some(sum) => *sum += halves,
            None => self.lane.add(clock.second, halves),
        }
        let heat = &mut self.heat[slot];
        if heat.add(row.hash, known, clock.minute, halves, &mut self.minutes) {
            heat.name(&rows.keys.key(row.at()));
        }
    }
}

/// The second and the minute of rows that come in the order of time.
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

/// The lanes of a table: its own reads and writes, and the writes of each global index.
struct TableWork {
    table: usize,
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
    arms: Vec<(u64, u64)>,
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
    /// Positions of the first and the last of these rows.
    span: Option<(usize, usize)>,
}

const SOURCES: [From; 6] = [From::Row, From::Seen, From::Export, From::Next, From::Drawn, From::Assumed];

impl Sums {
    fn new(arms: usize) -> Sums {
        Sums { arms: vec![(0, 0); arms], first: i64::MAX, last: i64::MIN, ..Sums::default() }
    }

    #[inline]
    fn span(&mut self, at: usize) {
        self.span = Some((self.span.map_or(at, |(first, _)| first), at));
    }

    /// Takes the times of the first and the last row.
    fn cover(&mut self, rows: &Rows) {
        if let Some((first, last)) = self.span.take() {
            self.first = self.first.min(rows.time(first).0);
            self.last = self.last.max(rows.time(last).0);
        }
    }

    #[inline]
    fn source(&mut self, from: From) {
        self.rows[from as usize] += 1;
    }
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
        let mut lanes: Vec<LaneWork> = Vec::new();
        let mut tables: Vec<TableWork> = Vec::new();
        let mut kinds: Vec<(RowKind, Option<KindWork>)> = Vec::new();
        // Where each kind of each piece of rows stands among all kinds.
        let numbers: Vec<Vec<usize>> = round
            .iter()
            .map(|rows| {
                let mut number = |kind: &RowKind| match kinds.iter().position(|(known, _)| known == kind) {
                    Some(known) => known,
                    None => {
                        let work = self.kind_work(kind, names, &mut tables, &mut lanes, first, last);
                        kinds.push((*kind, work));
                        kinds.len() - 1
                    }
                };
                rows.kinds.iter().map(&mut number).collect()
            })
            .collect();
        let mut scratch = Scratch { write: Write::default(), consumed: ConsumedCapacity::default() };
        let mut sink = 0;
        for slot in slots {
            for (rows, numbers) in round.iter().zip(&numbers) {
                let own = rows.slot(*slot);
                let table = tables.first().map(|work| work.table);
                let touch = |executor: &Executor, from: usize| match (table, own.get(from..own.len().min(from + TOGETHER))) {
                    (Some(table), Some(group)) => executor.tables.list[table].store.touch(*slot as u8, group.iter().map(|row| row.hash)),
                    _ => 0,
                };
                let mut clock = Clock::UNSET;
                sink ^= touch(self, 0);
                for (at, group) in own.chunks(TOGETHER).enumerate() {
                    // The places of the rows after these come while these are executed.
                    sink ^= touch(self, (at + 1) * TOGETHER);
                    for row in group {
                        clock.set(rows.second(row));
                        let done = match &mut kinds[numbers[row.kind()]].1 {
                            Some(kind) => self.plain(kind, *slot, row, rows, &clock, &mut tables, &mut lanes, &mut scratch),
                            None => false,
                        };
                        if !done {
                            self.give_back(&mut tables, &mut lanes);
                            let ordinal = rows.ordinal + row.at() as u64;
                            if let Err((place, wrong)) = self.event(ordinal, rows.event(row), names, bad) {
                                failed.push((ordinal, place, wrong));
                            }
                            self.take_out(&mut tables, &mut lanes);
                        }
                    }
                }
                kinds.iter_mut().filter_map(|(_, kind)| kind.as_mut()).for_each(|kind| kind.sums.cover(rows));
            }
        }
        std::hint::black_box(sink);
        self.give_back(&mut tables, &mut lanes);
        for lane in lanes.into_iter().filter(|lane| lane.lane.sum() > 0 || lane.seconds.iter().any(|halves| *halves > 0)) {
            let own = self.tally.consumption.lanes.entry(lane.key).or_default();
            for (second, halves) in (lane.first..).zip(lane.seconds).filter(|(_, halves)| *halves > 0) {
                own.add(second, halves);
            }
            own.join(&lane.lane);
        }
        for work in kinds.into_iter().filter_map(|(_, work)| work) {
            self.add_up(work);
        }
        failed
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
                tables.push(TableWork { table, reads, writes, indexes, grains: Grains::default() });
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
            sums: Sums::new(1 + design.table.indexes.len()),
        })
    }

    /// Takes heat and grains out of the tally for the round.
    fn take_out(&mut self, tables: &mut [TableWork], lanes: &mut [LaneWork]) {
        for lane in lanes {
            if lane.heat.is_empty() {
                lane.heat = self.tally.heat.remove(&lane.key).unwrap_or_else(|| vec![Heat::default(); SLOTS]);
                lane.minutes = self.tally.minutes.remove(&lane.key).unwrap_or_default();
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
            (true, Consistency::Eventual) => Some(Asked { reads: calls, halves: sums.arms[0].0, bytes: sums.bytes, writes: 0 }),
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
        traced.home.resize(traced.home.len().max(sums.arms.len()), ArmUnits::default());
        for (arm, (read_halves, write)) in traced.home.iter_mut().zip(sums.arms) {
            arm.read_halves += u128::from(read_halves);
            arm.write += u128::from(write);
        }
    }

    /// One row; `false` where it needs the general way, and nothing has happened.
    #[inline]
    #[allow(clippy::too_many_arguments)]
    fn plain(
        &mut self,
        kind: &mut KindWork,
        slot: usize,
        row: &Row,
        rows: &Rows,
        clock: &Clock,
        tables: &mut [TableWork],
        lanes: &mut [LaneWork],
        scratch: &mut Scratch,
    ) -> bool {
        let table = kind.kind.table;
        let state = &mut self.tables.list[table];
        let there = |bytes: u32| (bytes > 0).then_some(bytes);
        let given = if kind.kind.reads { row.bytes() } else { rows.old(row) };
        let slot_number = slot as u8;
        let spot = state.store.find(slot_number, row.hash);
        let (found, from) = match given {
            NO_BYTES => match state.store.known(spot) {
                (Known::There(bytes), from) => (Some(bytes), from),
                (Known::Gone, from) => (None, from),
                (Known::Unknown, _) if state.declared => match state.draw(row.hash) {
                    Some(bytes) => (Some(bytes), From::Drawn),
                    None => return false,
                },
                (Known::Unknown, _) => (None, From::Assumed),
            },
            bytes => (there(bytes), From::Row),
        };
        let second = clock.second;
        let work = &mut tables[kind.work];
        if kind.kind.reads {
            if from == From::Assumed {
                return false;
            }
            let sums = &mut kind.sums;
            let consistency = kind.consistency;
            let get = |bytes: Option<u32>| meter::get(bytes.map(|bytes| Bytes(bytes.into())), consistency).halves();
            if from == From::Drawn {
                let (low, high) = state.extremes;
                let at = |bytes: Bytes| u128::from(meter::get(Some(bytes), consistency).halves());
                let drawn = [u128::from(get(found)), at(low), at(high)];
                sums.drawn.iter_mut().zip(drawn).for_each(|(sum, more)| *sum += more);
            }
            let halves = get(found);
            let known = match from {
                From::Row => Some(state.store.put(spot, found, halves)),
                _ => state.store.warm(spot, halves),
            };
            sums.source(from);
            sums.touched += u64::from(found.is_some());
            sums.arms[0].0 += halves;
            sums.span(row.at());
            if consistency == Consistency::Eventual {
                sums.bytes += u64::from(found.unwrap_or(0));
                let ordinal = rows.ordinal + row.at() as u64;
                self.tally.log.push(Access::new(ordinal, Which::Item.of(table), row.hash, second, found.unwrap_or(0), false));
            }
            work.grains.add(slot_number, second, true, halves);
            lanes[work.reads].add(slot, row, known, clock, halves, rows);
            return true;
        }
        let action = kind.api;
        let (old, old_from, presumed) = match (from, found) {
            (From::Drawn, found) => {
                let there = kind.finds.as_ref().map_or(action != Api::PutItem, |finds| finds.holds(row.hash, 3));
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
        scratch.write(state, kind, row.hash, old, new, &self.switches);
        let (captured, sent) = match kind.changes_nothing && old == new && old.is_some() {
            true => (0, Bytes(0)),
            false => meter::sent(&scratch.write),
        };
        let consumed = &scratch.consumed;
        let sums = &mut kind.sums;
        sums.source(from);
        sums.captured += captured;
        sums.sent += sent.0;
        sums.presence_assumed += u64::from(presumed);
        sums.changes_assumed += u64::from(old.is_some() && new.is_some() && !kind.changes.is_empty());
        sums.span(row.at());
        let total = 2 * consumed.total().write.0;
        let known = Some(state.store.put(spot, new, total));
        let mut own = consumed.table.write.0;
        sums.arms[0].1 += own;
        for (at, arm) in consumed.indexes.iter().enumerate() {
            sums.arms[1 + at].1 += arm.write.0;
            match work.indexes[at] {
                lane if lane == work.writes => own += arm.write.0,
                lane => lanes[lane].add(slot, row, known, clock, 2 * arm.write.0, rows),
            }
        }
        lanes[work.writes].add(slot, row, known, clock, 2 * own, rows);
        work.grains.add(slot_number, second, false, 2 * own);
        if let (From::Drawn, Some(bytes)) = (from, old) {
            let (low, high) = state.extremes;
            let resized = |bytes: Option<u32>, size: u32| bytes.map(|_| size);
            for (at, size) in [bytes, low.0 as u32, high.0 as u32].into_iter().enumerate() {
                scratch.write(state, kind, row.hash, resized(old, size), resized(new, size), &self.switches);
                kind.sums.drawn[at] += scratch.halves();
            }
        }
        let ordinal = rows.ordinal + row.at() as u64;
        self.tally.log.push(Access::new(ordinal, Which::Item.of(table), row.hash, second, new.unwrap_or(0), true));
        true
    }
}
