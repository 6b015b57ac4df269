//! What a run calls: for each access pattern its calls, each with the items that it needs, so that
//! sizes, shares and numbers of items are those of the design.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draws::{Choice, Drawn, Draws, happens};
use super::items::{ItemMaker, Layout, MadeItem};
use super::planned::{
    CallItems, CallOutcome, LeftOut, PatternPlan, PlannedCall, PlannedWrite, Slot, TablePlan,
    is_of_statements, partition_keys,
};
use crate::estimate::changes;
use crate::table::Target;
use crate::units::{Bytes, Exact};
use crate::workload::{
    AccessPattern, Counts, IndexEntry, KeyPrefix, PatternCall, ReadItems, SizeClass, SizeClasses,
    TableDesign, Workload, WriteKind, WritePlan,
};

/// The maximum number of items that are put into a table beforehand.
const ITEMS_MAX: usize = 100_000;

/// The maximum number of bytes of these items.
const BYTES_MAX: u64 = 1 << 30;

/// The maximum number of indexes with a coverage: every combination of entries is a case.
const COVERED_MAX: usize = 6;

/// How many keys are tried until one is free.
const KEYS_TRIED: u32 = 1_000;

/// How many items serve the reads and writes of an access pattern that all have one size.
const POOL_OF_ONE_SIZE: u64 = 64;

/// … and those that have several.
const POOL_OF_SIZES: u64 = 1_000;

/// How many item collections serve the queries of an access pattern.
const COLLECTIONS: u64 = 50;

/// The items in all collections of an access pattern together.
const COLLECTED_MAX: u64 = 20_000;

/// … and their bytes.
const COLLECTED_BYTES_MAX: u64 = 1 << 26;

/// The number of calls of an access pattern in a run of `seconds` at its rate; at least one.
pub fn calls_of(access: &AccessPattern, workload: &Workload, seconds: &Exact) -> u64 {
    let calls = &access.calls * seconds / workload.month.seconds();
    let nearest = (calls + Exact::ratio(1, 2)).floor();
    nearest.to_u64().unwrap_or(u64::MAX).max(1)
}

/// Plans the calls of a table.
pub fn plan(
    design: &Arc<TableDesign>,
    mut maker: ItemMaker,
    calls_of: &dyn Fn(&AccessPattern) -> u64,
) -> TablePlan {
    for (write, _) in design.access.iter().flat_map(|one| one.call.plans()) {
        maker
            .changed
            .extend(write.changes.iter().flatten().cloned());
    }
    let own = design.sizes.iter();
    let classes = own.chain(design.kinds()).flat_map(SizeClasses::iter);
    for (name, bytes) in classes
        .flat_map(|class| class.attributes.iter())
        .flat_map(|all| all.iter())
    {
        if maker.types.contains_key(name) {
            let value = bytes.saturating_sub(name.len() as u64);
            maker.described.entry(name.clone()).or_insert(value);
        }
    }
    let mut planner = Planner {
        design,
        is_used: !maker.mark.is_empty(),
        maker,
        items: Vec::new(),
        keys: BTreeSet::new(),
        bytes: 0,
        collections: 0,
        layouts: BTreeMap::new(),
        numbers: 0,
    };
    let (mut patterns, mut calls, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let once = design.once.iter().map(|access| (access, 1));
    let regular = design
        .access
        .iter()
        .map(|access| (access, calls_of(access)));
    for (access, count) in regular.chain(once) {
        let (items, bytes) = (planner.items.len(), planner.bytes);
        match planner.pattern(access, patterns.len(), count) {
            Ok((pattern, own)) => {
                patterns.push(pattern);
                calls.extend(own);
            }
            Err(why) => {
                planner.items.truncate(items);
                planner.bytes = bytes;
                left_out.push(LeftOut {
                    table: design.table.name.clone(),
                    access: access.name.clone(),
                    why,
                });
            }
        }
    }
    let of_replicas = design.replicas.iter().flat_map(|one| &one.access);
    let of_replicas = of_replicas.map(|access| (&access.name, "it is called in another region"));
    let of_searches = design.searches.iter();
    let of_searches = of_searches.map(|search| {
        let why = "the bytes that a search of a vector index reads do not follow from a design";
        (&search.name, why)
    });
    left_out.extend(of_replicas.chain(of_searches).map(|(access, why)| LeftOut {
        table: design.table.name.clone(),
        access: access.clone(),
        why: why.to_string(),
    }));
    calls.sort_by_key(|call| (call.at, call.pattern));
    TablePlan {
        design: design.clone(),
        maker: planner.maker,
        patterns,
        items: planner.items,
        calls,
        left_out,
    }
}

/// What decides the attributes of an item.
type LayoutKey = (
    Bytes,
    Vec<IndexEntry>,
    Option<Arc<[(String, u64)]>>,
    Option<usize>,
);

struct Planner<'a> {
    design: &'a TableDesign,
    maker: ItemMaker,
    /// Whether the table has items of others.
    is_used: bool,
    items: Vec<Slot>,
    /// The primary keys that are taken.
    keys: BTreeSet<String>,
    /// Bytes of the items that are put beforehand.
    bytes: u64,
    /// How many collections there are.
    collections: u64,
    layouts: BTreeMap<LayoutKey, Arc<Layout>>,
    /// How many numbers of keys are taken.
    numbers: u64,
}

impl Planner<'_> {
    /// The calls of an access pattern.
    ///
    /// # Errors
    /// In words, why it cannot be called.
    fn pattern(
        &mut self,
        access: &AccessPattern,
        at: usize,
        count: u64,
    ) -> Result<(PatternPlan, Vec<PlannedCall>), String> {
        if !self.design.vectors.is_empty() {
            return Err("its table has vector indexes, which are not made".to_string());
        }
        if is_of_statements(access.operation)
            && let Some(why) = impossible(&access.call)
        {
            return Err(why.to_string());
        }
        let mut pattern = PatternPlan {
            access: access.clone(),
            reads_all: false,
            is_certain: is_certain(&access.call, self.design),
        };
        let what: Vec<(CallOutcome, CallItems)> = match &access.call {
            PatternCall::Get { reads, missing, .. } => self.gets(reads, missing, count)?,
            PatternCall::Page { scan: true, .. } if self.is_used => {
                return Err("a Scan would read the items that are in the table".to_string());
            }
            PatternCall::Page {
                scan: true,
                whole,
                reads,
                ..
            } => {
                pattern.reads_all = *whole;
                self.scans(reads, *whole, count)?
            }
            PatternCall::Page {
                index,
                reads,
                missing,
                ..
            } => self.queries(*index, reads, missing, count)?,
            PatternCall::Write { .. } | PatternCall::Transaction { .. } => {
                self.writes(access, count)?
            }
            PatternCall::Unknown { why, .. } => return Err(why.clone()),
            PatternCall::Traced(_) | PatternCall::Counted { .. } => {
                return Err("its units are known, but its calls are not".to_string());
            }
        };
        let call = |(number, (outcome, what))| PlannedCall {
            at: match pattern.reads_all {
                true => 0,
                false => (((number as u128 * 2 + 1) << 63) / u128::from(count)) as u64,
            },
            pattern: at,
            outcome,
            what,
        };
        let calls = what.into_iter().enumerate().map(call).collect();
        Ok((pattern, calls))
    }

    fn layout(&mut self, class: &SizeClass, entity: Option<usize>) -> Result<Arc<Layout>, String> {
        let key = (
            class.item,
            class.entries.clone(),
            class.attributes.clone(),
            entity,
        );
        if let Some(known) = self.layouts.get(&key) {
            return Ok(known.clone());
        }
        let own = entity.and_then(|at| self.design.entities.get(at));
        let prefix = own.map_or_else(KeyPrefix::default, |own| own.key_prefix.clone());
        let layout = Arc::new(self.maker.layout(class, &prefix)?);
        self.layouts.insert(key, layout.clone());
        Ok(layout)
    }

    /// A class with and without its entries in indexes in which only a share of all items is.
    fn covered(
        &self,
        weight: Exact,
        change: &dyn Fn(&[usize]) -> Vec<SizeClass>,
    ) -> Result<Vec<(Vec<SizeClass>, Exact)>, String> {
        let indexes = self.design.indexes.iter().enumerate();
        let shares = indexes.filter(|(_, one)| one.coverage != Exact::one());
        if shares.clone().count() > COVERED_MAX {
            return Err(format!(
                "more than {COVERED_MAX} indexes of its table have a coverage"
            ));
        }
        let mut all = vec![(Vec::new(), weight)];
        for (at, index) in shares {
            let outside = Exact::one() - index.coverage.clone();
            all = all
                .into_iter()
                .flat_map(|(without, weight): (Vec<usize>, Exact)| {
                    let mut more = without.clone();
                    more.push(at);
                    [
                        (without, &weight * &index.coverage),
                        (more, &weight * &outside),
                    ]
                })
                .collect();
        }
        let all = all.into_iter();
        Ok(all
            .map(|(without, weight)| (change(&without), weight))
            .collect())
    }

    /// Items by their sizes; only those that are in an index, if one is given.
    fn choice(
        &mut self,
        sizes: &SizeClasses,
        entity: Option<usize>,
        index: Option<usize>,
    ) -> Result<Choice<Arc<Layout>>, String> {
        let mut all = Vec::new();
        for class in sizes.iter() {
            let change = |without: &[usize]| vec![outside(class, without)];
            for (classes, weight) in self.covered(Exact::from(class.weight), &change)? {
                let is_in = index.is_none_or(|at| classes[0].is_in(at));
                if is_in && !weight.is_zero() {
                    all.push((self.layout(&classes[0], entity)?, weight));
                }
            }
        }
        // Of the smallest items there cannot be many; others stand for them.
        let is_roomy = |layout: &Arc<Layout>| self.room(layout) >= POOL_OF_SIZES;
        if all.iter().any(|(layout, _)| is_roomy(layout)) {
            all.retain(|(layout, _)| is_roomy(layout));
        }
        Ok(Choice::new(all))
    }

    /// How many items of a layout can have keys of their own.
    fn room(&self, layout: &Layout) -> u64 {
        let keys = self.maker.table.keys.names();
        let rooms = keys.map(|key| self.maker.places(layout, key).0);
        rooms.max().unwrap_or_default()
    }

    /// Adds an item under a key that no other has.
    fn add(
        &mut self,
        layout: &Arc<Layout>,
        shared: Option<&Arc<BTreeMap<String, u64>>>,
        is_there: bool,
    ) -> Result<usize, String> {
        if is_there {
            self.bytes += layout.class.item.0;
        }
        if self.items.len() >= ITEMS_MAX || self.bytes > BYTES_MAX {
            return Err(format!(
                "the run would need more than {ITEMS_MAX} items or {} MB of them",
                BYTES_MAX >> 20
            ));
        }
        let too_short = || "its keys are too short for as many items as the run needs".to_string();
        let fits = |(key, number): (&String, &u64)| *number < self.maker.places(layout, key).1;
        if !shared.is_none_or(|shared| shared.iter().all(fits)) {
            return Err(too_short());
        }
        for _ in 0..KEYS_TRIED {
            let own = self.numbers;
            self.numbers += 1;
            let item = MadeItem {
                shared: shared.cloned(),
                ..MadeItem::new(layout.clone(), own)
            };
            let key = self.maker.key(&item);
            let marked = shared.map(|shared| shared.keys().map(String::as_str));
            let marked = marked.into_iter().flatten();
            let marked = marked.chain([self.maker.table.keys.partition.as_str()]);
            let marked = self.maker.part(&item, marked);
            let mut values = marked.as_object().into_iter().flat_map(|all| all.values());
            if !values.all(|value| value.to_string().contains(&self.maker.mark)) {
                return Err(
                    "its keys are too short to tell the items of the run from those that are \
                            in the table"
                        .to_string(),
                );
            }
            if self.keys.insert(key.to_string()) {
                self.items.push(Slot {
                    put: is_there.then(|| layout.clone()),
                    item,
                    is_there,
                    was_sent: false,
                });
                return Ok(self.items.len() - 1);
            }
        }
        Err(too_short())
    }

    /// Items that are put beforehand, with sizes in the shares of a choice.
    fn pool(&mut self, choice: &Choice<Arc<Layout>>, count: u64) -> Result<Vec<usize>, String> {
        let draws = Draws::new(count, Drawn::Size);
        let mut pool = Vec::new();
        for at in 0..count {
            let layout = choice.at(draws.place(at)).cloned();
            let layout = layout.ok_or("no item of it is in the index")?;
            pool.push(self.add(&layout, None, true)?);
        }
        Ok(pool)
    }

    fn gets(
        &mut self,
        reads: &[ReadItems],
        missing: &Exact,
        count: u64,
    ) -> Result<Vec<(CallOutcome, CallItems)>, String> {
        let mut calls = vec![Vec::new(); count as usize];
        let of_reads = counts_of(reads.iter().map(|read| &read.counts), count);
        for (read, counts) in reads.iter().zip(of_reads) {
            let choice = self.choice(known(&read.sizes)?, read.entity, None)?;
            let total: u64 = counts.iter().sum();
            let draws = Draws::new(total, Drawn::Found);
            let size = pool_size(&choice, total, read.counts.most());
            let pool = self.pool(&choice, size)?;
            let first = choice.values().next().cloned();
            let mut number = 0;
            for (call, items) in calls.iter_mut().zip(&counts) {
                for _ in 0..*items {
                    let item = match (happens(missing, draws.place(number)), &first) {
                        (true, Some(layout)) => self.add(layout, None, false)?,
                        _ => pool[(number % size) as usize],
                    };
                    call.push(item);
                    number += 1;
                }
            }
        }
        let keys = |keys| (CallOutcome::Succeeds, CallItems::Keys(keys));
        Ok(calls.into_iter().map(keys).collect())
    }

    fn scans(
        &mut self,
        reads: &[ReadItems],
        whole: bool,
        count: u64,
    ) -> Result<Vec<(CallOutcome, CallItems)>, String> {
        let mut limits = vec![0; count as usize];
        let of_reads = counts_of(reads.iter().map(|read| &read.counts), count);
        for (read, counts) in reads.iter().zip(of_reads) {
            let choice = self.choice(known(&read.sizes)?, read.entity, None)?;
            let size = match whole {
                true => pool_size(&choice, u64::MAX, 0),
                false => read.counts.most(),
            };
            self.pool(&choice, size)?;
            for (limit, count) in limits.iter_mut().zip(counts) {
                *limit += count;
            }
        }
        let scan = |limit| {
            let what = CallItems::Scan((!whole).then_some(limit));
            (CallOutcome::Succeeds, what)
        };
        Ok(limits.into_iter().map(scan).collect())
    }

    fn queries(
        &mut self,
        index: Option<usize>,
        reads: &[ReadItems],
        missing: &Exact,
        count: u64,
    ) -> Result<Vec<(CallOutcome, CallItems)>, String> {
        let mut choices = Vec::new();
        for read in reads {
            choices.push(self.choice(known(&read.sizes)?, read.entity, index)?);
        }
        let most: u64 = reads.iter().map(|read| read.counts.most()).sum();
        if most > 1 && index.is_none() && self.maker.table.keys.sort.is_none() {
            return Err("a table without a sort key has one item under each key".to_string());
        }
        let largest = choices.iter().flat_map(Choice::values);
        let largest = largest.map(|layout| layout.class.item.0).max().unwrap_or(1);
        let collections = (COLLECTED_MAX / most.max(1))
            .min(COLLECTED_BYTES_MAX / most.saturating_mul(largest).max(1))
            .clamp(1, COLLECTIONS)
            .min(count);
        let of_reads = counts_of(reads.iter().map(|read| &read.counts), collections);
        let mut draws = Vec::new();
        for counts in &of_reads {
            draws.push((Draws::new(counts.iter().sum(), Drawn::Size), 0));
        }
        let mut all = Vec::new();
        let of_collection = |at: u64| of_reads.iter().map(move |counts| counts[at as usize]);
        for at in 0..collections {
            let shared = self.shared_keys(index);
            let mut first = None;
            let reads = choices.iter().zip(&mut draws).zip(of_collection(at));
            for ((choice, (places, number)), items) in reads {
                for _ in 0..items {
                    let layout = choice.at(places.place(*number)).cloned();
                    *number += 1;
                    let layout = layout.ok_or("no item of it is in the index")?;
                    let item = self.add(&layout, Some(&shared), true)?;
                    first.get_or_insert(item);
                }
            }
            all.push(match first {
                Some(item) => item,
                None => self.nothing(index, &choices)?,
            });
        }
        let draws = Draws::new(count, Drawn::Found);
        let mut calls = Vec::new();
        for at in 0..count {
            let item = match happens(missing, draws.place(at)) {
                true => self.nothing(index, &choices)?,
                false => all[(at % collections) as usize],
            };
            calls.push((CallOutcome::Succeeds, CallItems::Collection(item)));
        }
        Ok(calls)
    }

    /// The keys that all items of a new collection share: the partition keys of the table or the
    /// index.
    fn shared_keys(&mut self, index: Option<usize>) -> Arc<BTreeMap<String, u64>> {
        let number = self.collections;
        self.collections += 1;
        let keys = partition_keys(self.design, index);
        Arc::new(keys.into_iter().map(|key| (key, number)).collect())
    }

    /// An item that is not there, for a query that finds nothing.
    fn nothing(
        &mut self,
        index: Option<usize>,
        choices: &[Choice<Arc<Layout>>],
    ) -> Result<usize, String> {
        let layout = choices.iter().flat_map(Choice::values).next().cloned();
        let layout = layout.ok_or("no item of it is in the index")?;
        let shared = self.shared_keys(index);
        self.add(&layout, Some(&shared), false)
    }

    fn writes(
        &mut self,
        access: &AccessPattern,
        count: u64,
    ) -> Result<Vec<(CallOutcome, CallItems)>, String> {
        let outcomes = outcomes(&access.call, count);
        let mut calls: Vec<Vec<PlannedWrite>> = vec![Vec::new(); count as usize];
        let of_plans = counts_of(access.call.counts(), count);
        let plans = access.call.plans().iter().zip(of_plans);
        for (at, ((write, _), counts)) in plans.enumerate() {
            let draws = Draws::new(counts.iter().sum(), Drawn::Found);
            let mut finds = Vec::new();
            let mut number = 0;
            for (outcome, items) in outcomes.iter().zip(&counts) {
                for _ in 0..*items {
                    // The condition of a put fails because the item exists.
                    let exists = *outcome == CallOutcome::Fails
                        && write.kind == WriteKind::Put
                        && (matches!(access.call, PatternCall::Write { .. })
                            || is_of_statements(access.operation));
                    finds.push(exists || happens(&write.finds, draws.place(number)));
                    number += 1;
                }
            }
            let most = counts.iter().max().copied().unwrap_or_default();
            let writes = self.of_plan(write, at, &finds, most)?;
            let mut writes = writes.into_iter();
            for (call, items) in calls.iter_mut().zip(&counts) {
                call.extend(writes.by_ref().take(*items as usize));
            }
        }
        let call = |(outcome, writes)| (outcome, CallItems::Writes(writes));
        Ok(outcomes.into_iter().zip(calls).map(call).collect())
    }

    /// The writes of a plan, in their order, of which it is known whether they find an item.
    fn of_plan(
        &mut self,
        write: &WritePlan,
        plan: usize,
        finds: &[bool],
        most: u64,
    ) -> Result<Vec<PlannedWrite>, String> {
        let new = self.choice(known(&write.sizes)?, write.entity, None)?;
        let mut pairs = Vec::new();
        for (before, after, weight) in changes(write, &self.design.table) {
            let change =
                |without: &[usize]| vec![outside(&before, without), outside(&after, without)];
            for (classes, weight) in self.covered(Exact::whole(weight), &change)? {
                if !weight.is_zero() {
                    let before = self.layout(&classes[0], write.entity)?;
                    let after = self.layout(&classes[1], write.entity)?;
                    if !before.has_keys_of(&after, &self.maker.table) {
                        return Err(
                            "its items cannot have the same keys before and after a write"
                                .to_string(),
                        );
                    }
                    pairs.push(((before, after), weight));
                }
            }
        }
        let pairs = Choice::new(pairs);
        let found = finds.iter().filter(|finds| **finds).count() as u64;
        // An item that is the same after the write as before serves the next one too.
        let is_kept = write.kind != WriteKind::Delete
            && pairs
                .values()
                .all(|(before, after)| Arc::ptr_eq(before, after));
        let pool_size = match is_kept {
            true => pool_size(&pairs, found, most),
            false => found,
        };
        let mut pool = Vec::new();
        let draws = Draws::new(pool_size, Drawn::Size);
        for at in 0..pool_size {
            let pair = pairs.at(draws.place(at)).cloned();
            let (before, after) = pair.ok_or("the sizes of its items are unknown")?;
            pool.push((self.add(&before, None, true)?, after));
        }
        let draws = Draws::new(finds.len() as u64 - found, Drawn::Size);
        let (mut taken, mut made) = (0, 0);
        let mut writes = Vec::new();
        for finds in finds {
            let (item, after) = match finds {
                true => {
                    taken += 1;
                    pool[(taken - 1) % pool.len()].clone()
                }
                false => {
                    let layout = new.at(draws.place(made)).cloned();
                    made += 1;
                    let layout = layout.ok_or("the sizes of its items are unknown")?;
                    (self.add(&layout, None, false)?, layout)
                }
            };
            writes.push(PlannedWrite {
                plan,
                item,
                finds: *finds,
                after,
            });
        }
        Ok(writes)
    }
}

/// A class whose items are not in some indexes.
fn outside(class: &SizeClass, indexes: &[usize]) -> SizeClass {
    let mut class = class.clone();
    for at in indexes {
        if let Some(entry) = class.entries.get_mut(*at) {
            *entry = IndexEntry::None;
        }
    }
    class
}

fn known(sizes: &Option<SizeClasses>) -> Result<&SizeClasses, String> {
    sizes
        .as_ref()
        .ok_or_else(|| "the sizes of its items are unknown".to_string())
}

fn pool_size<T>(choice: &Choice<T>, total: u64, most: u64) -> u64 {
    let enough = match choice.is_fixed() {
        true => POOL_OF_ONE_SIZE,
        false => POOL_OF_SIZES,
    };
    total.min(enough.max(most)).max(u64::from(total > 0))
}

/// How many items of each kind each of some calls has. Of means alone, the numbers of all kinds
/// together stay as close to their sum as whole numbers can, so that no call has more items than the
/// API allows.
fn counts_of<'a>(kinds: impl Iterator<Item = &'a Counts>, calls: u64) -> Vec<Vec<u64>> {
    let draws = Draws::new(calls, Drawn::Count);
    let mut before = Exact::zero();
    let mut all = Vec::new();
    for counts in kinds {
        let choice = Choice::new(counts.iter().map(|(count, share)| (count, share.clone())));
        let after = &before + &counts.mean();
        let count = |at: u64| {
            let place = draws.place(at);
            if !counts.is_assumed() {
                return choice.at(place).copied().unwrap_or_default();
            }
            let offset = Exact::from(place) / Exact::whole(1 << 64);
            let up_to = |sum: &Exact| (sum + &offset).floor();
            let count = up_to(&after) - up_to(&before);
            count.to_u64().unwrap_or_default()
        };
        all.push((0..calls).map(count).collect());
        if counts.is_assumed() {
            before = after;
        }
    }
    all
}

/// What becomes of each of some calls. One that repeats another comes after one that succeeds.
fn outcomes(call: &PatternCall, calls: u64) -> Vec<CallOutcome> {
    let none = Exact::zero();
    let (fails, repeats) = match call {
        PatternCall::Write {
            condition_failures, ..
        } => (condition_failures, &none),
        PatternCall::Transaction {
            cancelled,
            replayed,
            ..
        } => (cancelled, replayed),
        _ => (&none, &none),
    };
    let succeeds = Exact::one() - fails.clone() - repeats.clone();
    let choice = Choice::new([
        (CallOutcome::Fails, fails.clone()),
        (CallOutcome::Repeats, repeats.clone()),
        (CallOutcome::Succeeds, succeeds),
    ]);
    let draws = Draws::new(calls, Drawn::Outcome);
    let mut outcomes: Vec<CallOutcome> = (0..calls)
        .map(|at| choice.at(draws.place(at)).copied())
        .map(|one| one.unwrap_or(CallOutcome::Succeeds))
        .collect();
    let succeeds = |one: &CallOutcome| *one == CallOutcome::Succeeds;
    match outcomes.iter().position(succeeds) {
        Some(first) => outcomes.swap(0, first),
        None => {
            let repeats = |one: &CallOutcome| *one == CallOutcome::Repeats;
            if let Some(first) = outcomes.iter().position(repeats) {
                outcomes[first] = CallOutcome::Succeeds;
                outcomes.swap(0, first);
            }
        }
    }
    outcomes
}

/// Whether every call of an access pattern that succeeds consumes the same units.
fn is_certain(call: &PatternCall, design: &TableDesign) -> bool {
    let is_whole = |share: &Exact| share.is_zero() || *share == Exact::one();
    let has_one_size =
        |sizes: &Option<SizeClasses>| sizes.as_ref().is_some_and(|sizes| sizes.count() == 1);
    let reads = call.reads().iter();
    let one_size = reads.clone().all(|read| has_one_size(&read.sizes));
    let fixed = call.counts().all(|counts| counts.fixed().is_some());
    let covers = |at: usize| is_whole(&design.indexes[at].coverage);
    let plans = call.plans().iter();
    let of_plans = plans.clone().all(|(plan, _)| {
        let before = match &plan.before {
            crate::workload::ItemsBefore::Same => true,
            crate::workload::ItemsBefore::Given(sizes)
            | crate::workload::ItemsBefore::Paired(sizes) => sizes.count() == 1,
        };
        let targets = Target::all(design.table.indexes.len());
        let indexes = targets.filter_map(Target::index);
        is_whole(&plan.finds)
            && has_one_size(&plan.sizes)
            && before
            && indexes.into_iter().all(covers)
    });
    match call {
        PatternCall::Get { missing, .. } => one_size && fixed && is_whole(missing),
        PatternCall::Page {
            scan,
            segments,
            whole,
            missing,
            ..
        } => {
            let is_even = !scan || *segments == 1;
            one_size && (fixed || *whole) && is_whole(missing) && is_even
        }
        _ => of_plans && fixed,
    }
}

/// Why an access pattern cannot be called by statements; `None` if it can.
fn impossible(call: &PatternCall) -> Option<&'static str> {
    let checks = call.plans().iter();
    let mut checks = checks.filter(|(plan, _)| plan.kind == WriteKind::ConditionCheck);
    let fails = |plan: &WritePlan| match plan.kind {
        WriteKind::Put => !plan.finds.is_zero(),
        WriteKind::Update => plan.finds != Exact::one(),
        WriteKind::Delete | WriteKind::ConditionCheck => false,
    };
    match call {
        _ if call.plans().iter().any(|(plan, _)| fails(plan)) => Some(
            "an INSERT of an item that is there fails, and so does an UPDATE of one that is not",
        ),
        PatternCall::Page { fetches: true, .. } => {
            Some("a statement that fetches attributes from the table must name them")
        }
        _ if checks.next().is_some() => Some("the condition of a statement must be written out"),
        _ => None,
    }
}
