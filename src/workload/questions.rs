//! What other modules ask of a table: its parts in the file, its entries, what it holds.

use super::counts::Counts;
use super::design::*;
use super::sizes::{IndexEntry, SizeClasses};
use super::written::DesignPart;
use crate::dax::{Load, NODE_TYPES, hit_millionths, hottest_millionths};
use crate::storage::Occupied;
use crate::table::{ByDirection, Direction, IndexKind, TableClass, Target};
use crate::time::MonthHours;
use crate::units::{Exact, GB, KB};

impl AccessPattern {
    /// Lets a Scan of all items follow their number, which grows by a factor for each entity.
    fn read_whole(&mut self, factor: impl Fn(Option<usize>) -> Exact) {
        let PatternCall::Page {
            reads, whole: true, ..
        } = &mut self.call
        else {
            return;
        };
        for read in reads {
            let now = &read.counts.mean() * &factor(read.entity);
            read.counts = Counts::of(now.floor().to_u64().unwrap_or(u64::MAX));
        }
    }
}

impl TableDesign {
    /// A part of the table that is written in its file: `table.part(Part::Capacity)`.
    pub fn part(&self, part: fn(String) -> DesignPart) -> DesignPart {
        part(self.table.name.clone())
    }

    /// An index, by its position, as a part that is written in the file.
    pub fn index_part(&self, at: usize) -> DesignPart {
        DesignPart::Index(self.table.name.clone(), self.table.indexes[at].name.clone())
    }

    /// An access pattern as a part that is written in the file.
    pub fn access_part(&self, access: &str) -> DesignPart {
        DesignPart::Access(self.table.name.clone(), access.to_string())
    }

    /// The table after its items and its traffic have grown by a factor.
    pub(super) fn grown(mut self, factor: &Exact) -> TableDesign {
        if *factor == Exact::one() {
            return self;
        }
        for entity in &mut self.entities {
            entity.items = (&entity.items * factor).ceil();
        }
        self.items = match self.entities.as_slice() {
            [] => (&self.items * factor).ceil(),
            entities => entities.iter().map(|one| one.items.clone()).sum(),
        };
        self.stored = self.stored.map(|stored| &stored * factor);
        for index in &mut self.indexes {
            index.stored = index.stored.take().map(|stored| &stored * factor);
        }
        self.ttl_deletes = &self.ttl_deletes * factor;
        for access in self.access.iter_mut().chain(
            self.replicas
                .iter_mut()
                .flat_map(|replica| &mut replica.access),
        ) {
            access.calls = &access.calls * factor;
            access.read_whole(|_| factor.clone());
        }
        self
    }

    /// The design in a month of a forecast: with other numbers of items, of each entity or of the
    /// table if it has none, and with rates multiplied by `factor`. A rate that follows the items, and
    /// a Scan of all items, change with the number of items instead.
    pub(crate) fn in_month(&mut self, factor: &Exact, items: &[Exact]) {
        let ratio = |before: &Exact, after: &Exact| match before.is_zero() {
            true => Exact::one(),
            false => after / before,
        };
        let all: Exact = items.iter().cloned().sum();
        let entities = self.entities.iter().zip(items);
        let of_entities: Vec<Exact> = entities
            .map(|(one, items)| ratio(&one.items, items))
            .collect();
        let of_table = ratio(&self.items, &all);
        let grows = |entity: Option<usize>| {
            let own = entity.and_then(|at| of_entities.get(at));
            own.unwrap_or(&of_table).clone()
        };
        self.ttl_deletes = &self.ttl_deletes * factor;
        let in_replicas = self.replicas.iter_mut().flat_map(|one| &mut one.access);
        for access in self.access.iter_mut().chain(in_replicas) {
            let rate = match access.follows_items {
                true => grows(access.call.entity()),
                false => factor.clone(),
            };
            access.calls = &access.calls * &rate;
            access.read_whole(grows);
        }
        self.set_items(items);
    }

    /// Sets the number of items of each entity, or of the table if it has none. Storage that was
    /// given in bytes changes with it.
    fn set_items(&mut self, items: &[Exact]) {
        let before = self.items.clone();
        for (entity, items) in self.entities.iter_mut().zip(items) {
            entity.items = items.floor();
        }
        self.items = items.iter().map(Exact::floor).sum();
        let factor = match before.is_zero() {
            true => Exact::one(),
            false => &self.items / &before,
        };
        self.stored = self.stored.take().map(|stored| &stored * &factor);
        for index in &mut self.indexes {
            index.stored = index.stored.take().map(|stored| &stored * &factor);
        }
    }

    /// Whether an access pattern reads an index, by position. Consumed units of the table may
    /// include those of its local indexes.
    pub fn is_read_by(&self, at: usize, access: &AccessPattern) -> bool {
        let of_table = match &access.call {
            PatternCall::Counted {
                direction: Direction::Read,
                target,
            } => *target == Target::Table,
            PatternCall::Unknown {
                direction: Direction::Read,
                targets,
                ..
            } => targets.contains(&Target::Table),
            _ => false,
        };
        access.reads_index(at) || (of_table && self.table.indexes[at].kind == IndexKind::Local)
    }

    /// The patterns that read an index, by its position, in any region.
    pub fn readers_of(&self, at: usize) -> impl Iterator<Item = &AccessPattern> {
        let in_replicas = self.replicas.iter().flat_map(|replica| &replica.access);
        self.access
            .iter()
            .chain(in_replicas)
            .filter(move |access| self.is_read_by(at, access))
    }

    /// The attributes that the readers of an index need; `None` unless there are readers and all of
    /// them list their attributes.
    pub fn wanted_of(&self, at: usize) -> Option<Vec<&str>> {
        let mut wanted = Vec::new();
        let mut readers = self.readers_of(at).peekable();
        readers.peek()?;
        for access in readers {
            wanted.extend(access.attributes.as_ref()?.iter().map(String::as_str));
        }
        Some(wanted)
    }

    /// Attributes, with their bytes, that an index holds but none of its readers needs.
    pub fn unwanted_of(&self, at: usize) -> Vec<&(String, u64)> {
        let (index, keys) = (&self.table.indexes[at], &self.table.keys);
        let Some(wanted) = self.wanted_of(at) else {
            return Vec::new();
        };
        let is_key = |name: &str| {
            index.keys.iter().any(|key| key == name) || keys.names().any(|key| key == name)
        };
        let unwanted =
            |name: &str| index.holds(keys, name) && !is_key(name) && !wanted.contains(&name);
        self.attributes
            .iter()
            .filter(|(name, _)| unwanted(name))
            .collect()
    }

    /// The share of an account's reads and writes that go to its most popular partition key, in
    /// millionths: of the table, or of a global index, which has its own keys. `None` if the popularity
    /// is not given.
    pub fn hottest_millionths(&self, index: Option<&str>) -> Option<ByDirection<u64>> {
        let popularity = match index {
            None if self.entities.iter().any(|one| one.popularity.is_some()) => {
                return Some(ByDirection::each(|direction| {
                    self.hottest_of_entities(direction)
                }));
            }
            None => self.popularity.as_ref(),
            Some(name) => {
                let at = self
                    .table
                    .indexes
                    .iter()
                    .position(|index| index.name == name)?;
                self.indexes[at].popularity.as_ref()
            }
        };
        let millionths = popularity.map(hottest_millionths)?;
        Some(ByDirection::each(|_| millionths))
    }

    /// The same of a table whose entities have keys of different popularity: the entity's part of the
    /// items that the table's calls read or write, times the share of its most popular key.
    ///
    /// `Assumption:` items of all entities consume the same units.
    fn hottest_of_entities(&self, direction: Direction) -> u64 {
        let mut touched = vec![Exact::zero(); self.entities.len()];
        let mut all = Exact::zero();
        for access in &self.access {
            let call = &access.call;
            let of_index = matches!(call, PatternCall::Page { index: Some(_), .. });
            if of_index || access.is_read() != (direction == Direction::Read) {
                continue;
            }
            let reads = call.reads().iter().map(|read| (read.entity, &read.counts));
            let writes = call
                .plans()
                .iter()
                .map(|(plan, counts)| (plan.entity, counts));
            for (entity, counts) in reads.chain(writes) {
                let items = &access.calls * &counts.mean();
                all += &items;
                if let Some(own) = entity.and_then(|at| touched.get_mut(at)) {
                    *own += &items;
                }
            }
        }
        if all.is_zero() {
            return 0;
        }
        let hottest = self.entities.iter().zip(touched).filter_map(|(one, own)| {
            let popularity = one.popularity.as_ref().or(self.popularity.as_ref())?;
            let share = &own / &all;
            (&share * &Exact::from(hottest_millionths(popularity)))
                .floor()
                .to_u64()
        });
        hottest.max().unwrap_or(0)
    }

    /// The sizes of the items that Time to Live deletes; `None` if not known.
    pub fn expiring(&self) -> Option<&SizeClasses> {
        match self.ttl_entity.and_then(|at| self.entities.get(at)) {
            Some(entity) => entity.sizes.as_ref(),
            None => self.sizes.as_ref(),
        }
    }

    /// All its access patterns, in every region.
    pub fn patterns(&self) -> impl Iterator<Item = &AccessPattern> {
        let in_replicas = self.replicas.iter().flat_map(|replica| &replica.access);
        self.access.iter().chain(in_replicas)
    }

    /// The sizes of entities, and of the items before and after writes, that say which indexes they
    /// are in, apart from those of the table as a whole.
    pub fn kinds(&self) -> impl Iterator<Item = &SizeClasses> {
        let plans = self.patterns().flat_map(|access| access.call.plans());
        let sparse = self.sizes.as_ref().is_some_and(SizeClasses::is_sparse);
        let of_plans = plans.flat_map(move |(plan, _)| plan.kinds(sparse));
        let of_entities = self.entities.iter().flat_map(|entity| &entity.sizes);
        let own = self.sizes.as_ref();
        of_entities
            .chain(of_plans)
            .filter(move |sizes| own.is_none_or(|own| !own.is_same(sizes)))
    }

    /// Whether the size of its items is known.
    pub fn is_sized(&self) -> bool {
        self.sizes.is_some()
    }

    /// Whether its calls and the size of its items are known, so that a change of either can be
    /// metered.
    pub fn is_described(&self) -> bool {
        let in_replicas = self.replicas.iter().flat_map(|replica| &replica.access);
        let is_call = |access: &AccessPattern| {
            !matches!(
                access.call,
                PatternCall::Counted { .. } | PatternCall::Unknown { .. }
            )
        };
        self.is_sized() && self.access.iter().chain(in_replicas).all(is_call)
    }

    /// The storage that its items occupy; `None` if not known.
    pub fn held(&self) -> Option<Occupied> {
        let of_entity = |one: &Entity| Some(&one.items * &one.sizes.as_ref()?.mean());
        let of_sizes = || match self.entities.as_slice() {
            [] => Some(&self.items * &self.sizes.as_ref()?.mean()),
            entities => entities.iter().map(of_entity).sum(),
        };
        if self.unknown.items {
            return None;
        }
        Some(Occupied {
            count: self.items.clone(),
            data: self.stored.clone().or_else(of_sizes)?,
        })
    }

    /// The number of entries of an index and their bytes, each per item that the index covers, by
    /// its position; `None` if the size of an entry is not known.
    pub fn entries(&self, index: usize) -> Option<(Exact, Exact)> {
        match &self.sizes {
            Some(sizes) => sizes.entries(index),
            None => self
                .indexes
                .get(index)?
                .entry_size
                .map(|size| (Exact::one(), Exact::from(size.0))),
        }
    }

    /// Changes every known size, of the table and of its access patterns.
    pub fn resize(&mut self, change: impl Fn(&SizeClasses) -> SizeClasses) {
        self.sizes = self.sizes.as_ref().map(&change);
        for entity in &mut self.entities {
            entity.sizes = entity.sizes.as_ref().map(&change);
        }
        for access in self.access.iter_mut().chain(
            self.replicas
                .iter_mut()
                .flat_map(|replica| &mut replica.access),
        ) {
            access.sizes = access.sizes.as_ref().map(&change);
            access
                .call
                .sizes_mut()
                .for_each(|sizes| *sizes = change(sizes));
        }
    }

    /// The mean size of an item; `None` if not known.
    pub fn mean_size(&self) -> Option<Exact> {
        self.sizes.as_ref().map(SizeClasses::mean)
    }

    /// The storage that the entries of an index occupy, by its position; `None` if not known.
    pub fn held_by(&self, index: usize) -> Option<Occupied> {
        let design = &self.indexes[index];
        if self.unknown.items {
            return None;
        }
        let covered = &self.items * &design.coverage;
        let entries = self.all_entries(index);
        match (&design.stored, entries) {
            (Some(stored), Some((count, _))) => Some(Occupied {
                count,
                data: stored.clone(),
            }),
            (Some(stored), None) => Some(Occupied {
                count: covered,
                data: stored.clone(),
            }),
            (None, Some((count, data))) => Some(Occupied { count, data }),
            (None, None) => None,
        }
    }

    /// The number of all entries of an index and their bytes, by its position; `None` if the size of
    /// an entry is not known.
    fn all_entries(&self, index: usize) -> Option<(Exact, Exact)> {
        if self.entities.is_empty() {
            let covered = &self.items * &self.indexes[index].coverage;
            let (number, bytes) = self.entries(index)?;
            return Some((&covered * &number, &covered * &bytes));
        }
        let (mut number, mut data) = (Exact::zero(), Exact::zero());
        for entity in &self.entities {
            let (each, bytes) = entity.sizes.as_ref()?.entries(index)?;
            number += &(&entity.items * &each);
            data += &(&entity.items * &bytes);
        }
        Some((number, data))
    }

    /// The storage that the entries of a vector index occupy, by its position; `None` if not known.
    pub fn held_by_vector(&self, at: usize) -> Option<Occupied> {
        let index = self.vectors.get(at)?;
        if self.unknown.items {
            return None;
        }
        let whole = [(&self.items, self.sizes.as_ref())];
        let parts: Vec<(&Exact, Option<&SizeClasses>)> = match self.entities.as_slice() {
            [] => whole.to_vec(),
            entities => entities
                .iter()
                .map(|entity| (&entity.items, entity.sizes.as_ref()))
                .collect(),
        };
        let (mut count, mut data) = (Exact::zero(), Exact::zero());
        for (items, sizes) in parts {
            let sizes = sizes?;
            for class in sizes.iter() {
                let share = index.share(class) * Exact::ratio(class.weight, sizes.total());
                let entries = items * &share;
                match index.entry(class, &self.table.keys) {
                    IndexEntry::None => {}
                    IndexEntry::Unknown => return None,
                    IndexEntry::Size(size) => {
                        count += &entries;
                        data += &(&entries * &Exact::from(size.0));
                    }
                }
            }
        }
        Some(Occupied { count, data })
    }

    /// Keys a second that eventually consistent reads through DAX request.
    pub fn cached_reads_per_second(&self, month: &MonthHours) -> Exact {
        let calls = |access: &AccessPattern| match &access.call {
            PatternCall::Get { .. } => &access.calls * &access.call.items(),
            _ => access.calls.clone(),
        };
        self.access
            .iter()
            .filter(|access| access.is_cacheable())
            .map(calls)
            .sum::<Exact>()
            / month.seconds()
    }

    /// The load of its DAX cluster in the busiest hour, at a hit ratio; its items must have a known
    /// size.
    pub fn dax_load(&self, month: &MonthHours, hit_ratio: &Exact) -> Load {
        let busiest = |access: &AccessPattern| access.shape.highest();
        let a_second =
            |access: &AccessPattern| &(&access.calls / &month.seconds()) * &busiest(access);
        let mean = self.mean_size().unwrap_or_else(Exact::one);
        let mut load = Load {
            hits: Exact::zero(),
            misses: Exact::zero(),
            writes: Exact::zero(),
            size_kb: &mean / &Exact::from(KB),
        };
        for access in self.access.iter().filter(|access| access.through_dax) {
            // Counted in items of the table's mean size, because the load depends on bytes.
            let larger = access
                .sizes
                .as_ref()
                .map_or_else(|| mean.clone(), |sizes| sizes.mean())
                / mean.clone();
            let calls = &a_second(access) * &larger;
            match &access.call {
                PatternCall::Get { .. } | PatternCall::Page { .. } => {
                    let reads = &calls * &access.call.items().max(Exact::one());
                    let hits = if access.is_cacheable() {
                        &reads * hit_ratio
                    } else {
                        Exact::zero()
                    };
                    load.misses += &(&reads - &hits);
                    load.hits += &hits;
                }
                PatternCall::Write { .. } | PatternCall::Transaction { .. } => {
                    load.writes += &(&calls * &access.call.items());
                }
                PatternCall::Traced(_)
                | PatternCall::Counted { .. }
                | PatternCall::Unknown { .. } => {}
            }
        }
        load
    }

    /// The number of items that fit into the memory of a DAX node; `None` if their size is not
    /// known.
    ///
    /// `Assumption:` all of the memory holds items, and the cache adds 100 bytes to each; AWS
    /// documents neither.
    pub fn cache_entries(&self, memory_gb: u64) -> Option<u64> {
        let item = self.mean_size()? + Exact::from(100);
        Some(
            (Exact::from(memory_gb * GB) / item)
                .floor()
                .to_u64()
                .unwrap_or(u64::MAX),
        )
    }

    /// The share of eventually consistent reads that a DAX cluster of a node type answers, computed
    /// from the popularity of keys; `None` if that, the item size or the node type is not known. Every
    /// node holds the same items, so more nodes do not hold more items (rule 7.6).
    pub fn expected_hit_ratio(
        &self,
        node_type: &str,
        ttl_seconds: u64,
        month: &MonthHours,
    ) -> Option<Exact> {
        let popularity = self.popularity.as_ref()?;
        let node = NODE_TYPES.iter().find(|known| known.name == node_type)?;
        let millionths = hit_millionths(
            popularity,
            &self.cached_reads_per_second(month),
            self.cache_entries(node.memory_gb)?,
            Some(ttl_seconds),
        );
        Some(Exact::ratio(millionths, 1_000_000))
    }

    /// Computes the hit ratio of its DAX cluster again, if it follows from the popularity of keys: its
    /// reads or its items have changed.
    pub fn update_hit_ratio(&mut self, month: &MonthHours) {
        let Some(dax) = &self.dax else { return };
        let computed = matches!(dax.hit_ratio, HitRatio::Expected(_));
        let found = self.expected_hit_ratio(&dax.node_type, dax.ttl_seconds, month);
        if let (true, Some(found), Some(dax)) = (computed, found, &mut self.dax) {
            dax.hit_ratio = HitRatio::Expected(found);
        }
    }

    /// The provisioned units of the table with its local indexes, or of a global index, in the home
    /// region; `None` on demand.
    pub fn provisioned(&self, target: Target) -> Option<&ByDirection<Units>> {
        let Capacity::Provisioned(own) = &self.capacity else {
            return None;
        };
        match self.account_of(target) {
            Target::Table => Some(own),
            Target::Index(at) => self.indexes.get(at)?.capacity.as_ref(),
        }
    }

    /// The maximum throughput of the table with its local indexes, or of a global index.
    pub fn maximum(&self, target: Target, direction: Direction) -> Option<u64> {
        match self.account_of(target) {
            Target::Table => self.on_demand_max[direction],
            Target::Index(at) => self
                .indexes
                .get(at)
                .and_then(|index| index.on_demand_max[direction]),
        }
    }

    /// The target of an index, by its name; the table for `None`.
    pub fn target_named(&self, index: Option<&str>) -> Target {
        let at = |name: &str| {
            let mut indexes = self.table.indexes.iter();
            indexes.position(|index| index.name == name)
        };
        Target::from(index.and_then(at))
    }

    /// The table class in a region: a replica may have its own.
    pub(crate) fn class_in(&self, region: &str) -> TableClass {
        let replica = self.replica_in(region);
        replica.map_or(self.table.class, |replica| replica.class)
    }

    /// The replica in a region; `None` for the home region.
    pub fn replica_in(&self, region: &str) -> Option<&Replica> {
        self.replicas.iter().find(|one| one.region == region)
    }

    /// The provisioned units of an account in a region, given by its replica, or `None` for the home
    /// region; `None` on demand. A replica inherits from the table what it does not set, and has the
    /// table's write units.
    pub fn units_in(
        &self,
        target: Target,
        direction: Direction,
        replica: Option<&Replica>,
    ) -> Option<Units> {
        let own = self.provisioned(target)?;
        let there = replica
            .filter(|_| direction == Direction::Read)
            .and_then(|replica| match self.account_of(target) {
                Target::Table => replica.read.clone(),
                Target::Index(at) => replica.indexes.get(at).and_then(|index| index.read.clone()),
            });
        Some(there.unwrap_or_else(|| own[direction].clone()))
    }

    /// The maximum throughput of an account in a region, in the same way.
    pub fn maximum_in(
        &self,
        target: Target,
        direction: Direction,
        replica: Option<&Replica>,
    ) -> Option<u64> {
        let there = replica
            .filter(|_| direction == Direction::Read)
            .and_then(|replica| match self.account_of(target) {
                Target::Table => replica.read_max,
                Target::Index(at) => replica.indexes.get(at).and_then(|index| index.read_max),
            });
        there.or(self.maximum(target, direction))
    }

    /// Whose capacity a target uses: a global index has its own, a local index uses its table's.
    pub fn account_of(&self, target: Target) -> Target {
        self.table.account_of(target)
    }

    /// The targets with their own capacity: the table and its global indexes.
    pub fn accounts(&self) -> impl Iterator<Item = Target> {
        Target::all(self.table.indexes.len()).filter(|target| self.account_of(*target) == *target)
    }

    /// The name of the index of a target; `None` for the table.
    pub fn index_name(&self, target: Target) -> Option<&str> {
        target
            .index()
            .and_then(|at| self.table.indexes.get(at))
            .map(|index| index.name.as_str())
    }

    /// Whether this is a global table.
    pub fn is_global(&self) -> bool {
        !self.replicas.is_empty()
    }
}
