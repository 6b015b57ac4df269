//! The calls of access patterns: when they arrive, and the rows of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, Zipf};
use rand_pcg::Pcg64Mcg;

use super::SynthesizeOptions;
use crate::capacity::Shape;
use crate::capacity::series::{Arrivals, seed_of};
use crate::dax::Popularity;
use crate::replay::key_class;
use crate::table::Consistency;
use crate::time::WEEK_MINUTES;
use crate::trace::{ApiName, MemberAction, Time, TracedKey, mixed, salt};
use crate::units::{Bytes, Exact};
use crate::workload::{
    AccessPattern, Counts, Entity, ItemsBefore, KeyPrefix, PatternCall, ReadItems, SizeClasses,
    SizesTimes, TableDesign, Workload, WriteKind, WritePlan, page_items, pick_weighted, sum_of,
};

/// A row of a trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SynthesizedRow {
    pub time: i64,
    pub operation: &'static str,
    pub table: Arc<str>,
    pub key: String,
    pub index: Option<Arc<str>>,
    pub item_bytes: Option<u64>,
    pub old_bytes: Option<u64>,
    pub evaluated_bytes: Option<u64>,
    pub evaluated_items: Option<u64>,
    pub fetched_bytes: Option<String>,
    pub consistency: Option<&'static str>,
    pub region: Option<Arc<str>>,
    pub error: Option<&'static str>,
    pub caller: Option<Arc<str>>,
    pub action: Option<&'static str>,
    pub changes: Option<Arc<str>>,
    pub entity: Option<Arc<str>>,
    pub cached: Option<bool>,
    pub replayed: Option<bool>,
}

impl SynthesizedRow {
    /// Empties all columns except these.
    pub fn keep(&mut self, columns: &[&str]) {
        let gone = |column: &str| !columns.contains(&column);
        if gone("table") {
            self.table = "".into();
        }
        for (column, bytes) in [
            ("item_bytes", &mut self.item_bytes),
            ("old_bytes", &mut self.old_bytes),
            ("evaluated_bytes", &mut self.evaluated_bytes),
            ("evaluated_items", &mut self.evaluated_items),
        ] {
            bytes.take_if(|_| gone(column));
        }
        for (column, text) in [
            ("index", &mut self.index),
            ("region", &mut self.region),
            ("caller", &mut self.caller),
            ("changes", &mut self.changes),
            ("entity", &mut self.entity),
        ] {
            text.take_if(|_| gone(column));
        }
        for (column, word) in [
            ("consistency", &mut self.consistency),
            ("error", &mut self.error),
            ("action", &mut self.action),
        ] {
            word.take_if(|_| gone(column));
        }
        for (column, flag) in [
            ("cached", &mut self.cached),
            ("replayed", &mut self.replayed),
        ] {
            flag.take_if(|_| gone(column));
        }
        self.fetched_bytes.take_if(|_| gone("fetched_bytes"));
    }
}

/// Calls of one kind over time.
pub struct CallStream {
    /// Intervals of constant rate: the second at which each begins, and the expected number of
    /// calls before it.
    starts: Vec<(u64, f64)>,
    /// The interval of the next call.
    stretch: usize,
    expected: Exact,
    /// The position of the next call: the number of calls before it, on the scale of `starts`.
    position: f64,
    poisson: bool,
    random: Pcg64Mcg,
    maker: Maker,
}

/// Generates the rows of a call.
struct Maker {
    table: Arc<str>,
    region: Option<Arc<str>>,
    caller: Option<Arc<str>>,
    sorted: bool,
    /// Whether partition keys and sort keys are numbers.
    numbers: [bool; 2],
    /// The keys of the items of a table without entities, or of all items together.
    keys: Keys,
    /// The entities of the table.
    entities: Vec<MakerEntity>,
    fresh: u64,
    tag: u64,
    /// Distributions of sums of sizes, by the kind of items and their number.
    sums: BTreeMap<(usize, u64), Vec<(u64, f64)>>,
    hit_ratio: Option<f64>,
    kind: MakerKind,
}

enum MakerKind {
    Access {
        access: Box<AccessPattern>,
        api: ApiName,
        index: Option<Arc<str>>,
        plans: Vec<Planned>,
    },
    TimeToLive {
        entity: Option<usize>,
        sizes: Option<SizeClasses>,
    },
}

/// An entity, and which of its keys a call is for.
struct MakerEntity {
    name: Arc<str>,
    /// How its keys begin.
    prefix: KeyPrefix,
    keys: Keys,
}

/// A write, and the attributes that it changes.
struct Planned {
    plan: WritePlan,
    counts: Counts,
    finds: f64,
    changes: Option<Arc<str>>,
}

/// Which key a call is for.
enum Keys {
    Uniform(u64),
    Zipf(Zipf<f64>),
}

impl Keys {
    /// The keys of some items.
    fn of(popularity: Option<&Popularity>, items: &Exact) -> Keys {
        let items = items.to_u64().unwrap_or(u64::MAX).max(1);
        match popularity {
            Some(popularity) => {
                Zipf::new(popularity.keys.max(1) as f64, probability(&popularity.zipf))
                    .map_or(Keys::Uniform(items), Keys::Zipf)
            }
            None => Keys::Uniform(items),
        }
    }
}

impl MakerEntity {
    /// The entities of a table. Keys of one whose prefix is not said begin with its name.
    fn all(table: &TableDesign) -> Vec<MakerEntity> {
        let entity = |one: &Entity| MakerEntity {
            name: one.name.as_str().into(),
            prefix: match one.key_prefix == KeyPrefix::default() {
                false => one.key_prefix.clone(),
                true => KeyPrefix {
                    partition: format!("{}#", one.name),
                    ..KeyPrefix::default()
                },
            },
            keys: Keys::of(
                one.popularity.as_ref().or(table.popularity.as_ref()),
                &one.items,
            ),
        };
        table.entities.iter().map(entity).collect()
    }
}

/// A share as a probability.
fn probability(share: &Exact) -> f64 {
    share.to_f64()
}

fn uniform(random: &mut Pcg64Mcg) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether any row of a workload's trace has a value in a column.
pub fn holds(workload: &Workload, column: &str) -> bool {
    let writes = |access: &AccessPattern| {
        matches!(
            access.call,
            PatternCall::Write { .. } | PatternCall::Transaction { .. }
        )
    };
    let of = |access: &AccessPattern| match (column, &access.call) {
        ("index", PatternCall::Page { index, .. }) => index.is_some(),
        ("fetched_bytes", PatternCall::Page { fetches, .. }) => *fetches,
        ("evaluated_bytes" | "evaluated_items" | "consistency", PatternCall::Page { .. }) => true,
        ("item_bytes" | "consistency", PatternCall::Get { .. }) => true,
        (
            "error",
            PatternCall::Write {
                condition_failures, ..
            },
        ) => !condition_failures.is_zero(),
        ("error", PatternCall::Transaction { cancelled, .. }) => !cancelled.is_zero(),
        ("replayed", PatternCall::Transaction { replayed, .. }) => !replayed.is_zero(),
        ("changes", PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. }) => {
            plans.iter().any(|(plan, _)| plan.changes.is_some())
        }
        ("action", _) => {
            access.operation == Some(ApiName::BatchWriteItem)
                || matches!(access.call, PatternCall::Transaction { .. })
        }
        ("item_bytes" | "old_bytes", _) => writes(access),
        _ => false,
    };
    let table = |table: &TableDesign| match column {
        "region" => table.is_global() || !table.replicas.is_empty(),
        "cached" => table.dax.is_some(),
        "entity" => !table.entities.is_empty(),
        "old_bytes" if !table.ttl_deletes.is_zero() => true,
        _ => table
            .access
            .iter()
            .chain(table.replicas.iter().flat_map(|replica| &replica.access))
            .any(of),
    };
    matches!(column, "time" | "operation" | "table" | "key" | "caller")
        || workload.tables.iter().any(|design| table(design))
}

/// All streams of calls to the tables of a workload.
pub fn streams(workload: &Workload, options: &SynthesizeOptions) -> Vec<CallStream> {
    let mut all = Vec::new();
    for table in &workload.tables {
        let site = CallSite {
            workload,
            options,
            table,
        };
        let global = table.is_global();
        let home: Option<Arc<str>> = global.then(|| workload.region.as_str().into());
        for access in &table.access {
            all.push(site.stream(access, home.clone(), &Exact::one()));
        }
        for replica in table.replicas.iter().filter(|replica| !replica.witness) {
            let region: Option<Arc<str>> = Some(replica.region.as_str().into());
            for access in table
                .access
                .iter()
                .filter(|access| access.is_read() && !replica.reads.is_zero())
            {
                all.push(site.stream(access, region.clone(), &replica.reads));
            }
            for access in &replica.access {
                all.push(site.stream(access, region.clone(), &Exact::one()));
            }
        }
        if !table.ttl_deletes.is_zero() {
            let kind = MakerKind::TimeToLive {
                entity: table.ttl_entity,
                sizes: table.expiring().cloned(),
            };
            all.push(site.calls(CallPlan {
                name: "Time to Live",
                region: home.clone(),
                calls: table.ttl_deletes.clone(),
                shape: &Shape::flat(),
                kind,
                hit_ratio: None,
            }));
        }
    }
    all
}

/// Where calls are made: on one table of a workload.
struct CallSite<'a> {
    workload: &'a Workload,
    options: &'a SynthesizeOptions,
    table: &'a TableDesign,
}

/// What is called, how often and when.
struct CallPlan<'a> {
    /// The access pattern, which the trace names as its caller.
    name: &'a str,
    region: Option<Arc<str>>,
    /// Calls a month.
    calls: Exact,
    shape: &'a Shape,
    kind: MakerKind,
    /// The share of reads that a DAX cluster answers; `None` if they do not go through one.
    hit_ratio: Option<f64>,
}

impl CallSite<'_> {
    /// The calls of an access pattern, or a share of them, in one region.
    fn stream(
        &self,
        access: &AccessPattern,
        region: Option<Arc<str>>,
        share: &Exact,
    ) -> CallStream {
        let Self {
            workload, table, ..
        } = *self;
        let (index, plans) = match &access.call {
            PatternCall::Page { index, .. } => (*index, &[][..]),
            PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. } => {
                (None, plans.as_slice())
            }
            PatternCall::Get { .. }
            | PatternCall::Traced(_)
            | PatternCall::Counted { .. }
            | PatternCall::Unknown { .. } => (None, &[][..]),
        };
        let index = index
            .and_then(|at| table.table.indexes.get(at))
            .map(|index| index.name.as_str().into());
        let planned = |(plan, counts): &(WritePlan, Counts)| Planned {
            finds: probability(&plan.finds),
            changes: plan.changes.as_ref().map(|names| names.join(",").into()),
            plan: plan.clone(),
            counts: counts.clone(),
        };
        let api = match (&access.call, access.operation) {
            (_, Some(operation)) if !operation.is_partiql() => operation,
            // A PartiQL statement is written as the operation that it performs.
            (
                PatternCall::Get {
                    consistency: None, ..
                },
                _,
            ) => ApiName::TransactGetItems,
            (PatternCall::Get { .. }, _) if access.call.most_items() == 1 => ApiName::GetItem,
            (PatternCall::Get { .. }, _) => ApiName::BatchGetItem,
            (PatternCall::Page { scan: true, .. }, _) => ApiName::Scan,
            (PatternCall::Transaction { .. }, _) => ApiName::TransactWriteItems,
            (PatternCall::Write { .. }, _) => ApiName::BatchWriteItem,
            _ => ApiName::Query,
        };
        let here = region
            .as_deref()
            .is_none_or(|region| region == workload.region);
        let hit_ratio = table
            .dax
            .as_ref()
            .filter(|_| access.is_cacheable() && here)
            .and_then(|dax| dax.hit_ratio.known())
            .map(probability);
        let kind = MakerKind::Access {
            access: Box::new(access.clone()),
            api,
            index,
            plans: plans.iter().map(planned).collect(),
        };
        self.calls(CallPlan {
            name: &access.name,
            region,
            calls: &access.calls * share,
            shape: &access.shape,
            kind,
            hit_ratio,
        })
    }

    fn calls(&self, plan: CallPlan) -> CallStream {
        let Self {
            workload,
            options,
            table,
        } = *self;
        let CallPlan {
            name,
            region,
            calls,
            shape,
            kind,
            hit_ratio,
        } = plan;
        // Minutes of the week from Monday 00:00 on; 1 January 1970 was a Thursday. Within the hours of
        // a profile, the rate changes as in the simulation of demand.
        let second = options.start.second() + 3 * 86_400;
        let (first_minute, into_minute) = (second.div_euclid(60), second.rem_euclid(60) as u64);
        let a_second = &calls / &workload.month.seconds();
        let flat = shape.is_flat();
        let expected = &a_second * &Exact::from(options.seconds);
        let arrivals = Arrivals {
            per_second: a_second.to_f64(),
            shape: shape.simulated().clone(),
            course: shape.course(),
            calls: Vec::new(),
        };
        let (mut starts, mut sum) = (vec![(0, 0.0)], 0.0);
        let mut done = 0;
        while done < options.seconds {
            let minute = first_minute + (done + into_minute) as i64 / 60;
            // A constant rate is one interval.
            let length = if flat {
                options.seconds
            } else {
                (60 - (done + into_minute) % 60).min(options.seconds - done)
            };
            sum += arrivals.rate(minute.rem_euclid(WEEK_MINUTES as i64) as u64) * length as f64;
            done += length;
            starts.push((done, sum));
        }
        let account = format!(
            "{}/{name}/{}",
            table.table.name,
            region.as_deref().unwrap_or_default()
        );
        let mut random = Pcg64Mcg::seed_from_u64(seed_of(options.seed, &account, 7));
        let maker = Maker {
            table: table.table.name.as_str().into(),
            region,
            caller: (!matches!(kind, MakerKind::TimeToLive { .. })).then(|| name.into()),
            sorted: table.table.keys.sort.is_some(),
            numbers: [table.number_keys.partition, table.number_keys.sort],
            keys: Keys::of(table.popularity.as_ref(), &table.items),
            entities: MakerEntity::all(table),
            fresh: 0,
            tag: seed_of(options.seed, &account, 11) & 0xffff_ffff,
            sums: BTreeMap::new(),
            hit_ratio,
            kind,
        };
        // Start half a call before the first, so that the number of calls is the expected number,
        // rounded.
        let position = if options.poisson {
            exponential(&mut random)
        } else {
            0.5
        };
        CallStream {
            starts,
            stretch: 0,
            expected,
            position,
            poisson: options.poisson,
            random,
            maker,
        }
    }
}

fn exponential(random: &mut Pcg64Mcg) -> f64 {
    -(1.0 - uniform(random)).ln()
}

impl CallStream {
    /// How many calls are expected.
    pub fn expected(&self) -> Exact {
        self.expected.clone()
    }

    /// When the next call comes, in nanoseconds from the start.
    pub fn next_time(&mut self) -> Option<i64> {
        let (_, total) = *self.starts.last()?;
        // Sums of many minutes are exact to a few parts in 10^12.
        if self.position > total * (1.0 + 1e-11) || total == 0.0 {
            return None;
        }
        while self.stretch + 2 < self.starts.len()
            && self.starts[self.stretch + 1].1 < self.position
        {
            self.stretch += 1;
        }
        let ((start, before), (end, after)) = (
            self.starts[self.stretch],
            *self.starts.get(self.stretch + 1)?,
        );
        let within = if after > before {
            ((self.position - before) / (after - before)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let last = end as i64 * Time::SECOND - 1;
        Some(
            (start as i64 * Time::SECOND
                + (within * (end - start) as f64 * Time::SECOND as f64) as i64)
                .min(last),
        )
    }

    /// Appends the rows of the current call.
    pub fn call(&mut self, time: Time, rows: &mut Vec<SynthesizedRow>) {
        self.position += if self.poisson {
            exponential(&mut self.random)
        } else {
            1.0
        };
        self.maker.rows(time, &mut self.random, rows);
    }
}

/// One call of an access pattern.
#[derive(Clone, Copy)]
struct CallAt<'a> {
    access: &'a AccessPattern,
    api: ApiName,
    time: Time,
}

impl Maker {
    fn key_text(&self, entity: Option<usize>, number: u64, fresh: bool) -> String {
        let text = |number: u64, whole: bool| match (whole, fresh) {
            (true, false) => number.to_string(),
            // Larger than the number of any item, within 18 digits; each stream has its own range
            // of 100 million numbers.
            (true, true) => ((self.tag | 1 << 31) * 100_000_000 + number).to_string(),
            (false, true) => format!("new{:08x}-{number}", self.tag),
            (false, false) => format!("item-{number}"),
        };
        let [partition, sort] = self.numbers;
        let prefix = entity
            .and_then(|at| self.entities.get(at))
            .map(|entity| &entity.prefix);
        let begins = |prefix: Option<&String>, is_number: bool| match is_number {
            true => String::new(),
            false => prefix.cloned().unwrap_or_default(),
        };
        let first = begins(prefix.map(|prefix| &prefix.partition), partition);
        // In a table with a sort key, ten items share a partition key.
        if self.sorted {
            let second = begins(prefix.map(|prefix| &prefix.sort), sort);
            let partition = text(number / 10, partition);
            format!("{first}{partition}|{second}{}", text(number, sort))
        } else {
            format!("{first}{}", text(number, partition))
        }
    }

    /// The key of an existing item.
    fn there(&self, entity: Option<usize>, random: &mut Pcg64Mcg) -> String {
        let own = entity.and_then(|at| self.entities.get(at));
        let number = match own.map_or(&self.keys, |entity| &entity.keys) {
            Keys::Uniform(items) => {
                ((u128::from(random.next_u64()) * u128::from(*items)) >> 64) as u64
            }
            Keys::Zipf(zipf) => zipf.sample(random) as u64 - 1,
        };
        self.key_text(entity, number, false)
    }

    /// A key that was never used.
    fn new_key(&mut self, entity: Option<usize>) -> String {
        self.fresh += 1;
        self.key_text(entity, self.fresh, true)
    }

    /// The name of an entity, as a value of its column.
    fn entity(&self, entity: Option<usize>) -> Option<Arc<str>> {
        let entity = self.entities.get(entity?)?;
        Some(entity.name.clone())
    }

    fn row(&self, time: Time, operation: &'static str, key: String) -> SynthesizedRow {
        SynthesizedRow {
            time: time.0.div_euclid(1_000),
            operation,
            table: self.table.clone(),
            key,
            region: self.region.clone(),
            caller: self.caller.clone(),
            ..SynthesizedRow::default()
        }
    }

    fn rows(&mut self, time: Time, random: &mut Pcg64Mcg, rows: &mut Vec<SynthesizedRow>) {
        // Taken out for the call, so that the other fields of the maker can be changed.
        let kind = std::mem::replace(&mut self.kind, NOTHING);
        let call = |access, api| CallAt { access, api, time };
        match &kind {
            MakerKind::TimeToLive { entity, sizes } => {
                let key = self.there(*entity, random);
                let bytes = size(sizes, &key);
                rows.push(SynthesizedRow {
                    old_bytes: bytes,
                    entity: self.entity(*entity),
                    ..self.row(time, ApiName::TimeToLiveDelete.name(), key)
                });
            }
            MakerKind::Access {
                access,
                api,
                index,
                plans,
            } => match &access.call {
                PatternCall::Get { .. } => self.gets(&call(access, *api), random, rows),
                PatternCall::Page { .. } => {
                    self.pages(&call(access, *api), index.as_ref(), random, rows)
                }
                PatternCall::Write {
                    condition_failures, ..
                } => {
                    let failing = probability(condition_failures);
                    for planned in plans {
                        for _ in 0..drawn_count(&planned.counts, random) {
                            let fails = failing > 0.0 && uniform(random) < failing;
                            let error = fails.then_some("ConditionalCheckFailedException");
                            let finds = if fails && planned.plan.kind == WriteKind::Put {
                                1.0
                            } else {
                                planned.finds
                            };
                            let row = self.write(&call(access, *api), planned, finds, random);
                            rows.push(SynthesizedRow { error, ..row });
                        }
                    }
                }
                PatternCall::Transaction {
                    cancelled,
                    replayed,
                    ..
                } => {
                    let at = uniform(random);
                    let cancels = at < probability(cancelled);
                    let repeats = !cancels && at < probability(cancelled) + probability(replayed);
                    for planned in plans {
                        for _ in 0..drawn_count(&planned.counts, random) {
                            let row =
                                self.write(&call(access, *api), planned, planned.finds, random);
                            let error = cancels.then_some("TransactionCanceledException");
                            rows.push(SynthesizedRow {
                                error,
                                replayed: repeats.then_some(true),
                                ..row
                            });
                        }
                    }
                }
                PatternCall::Traced(_)
                | PatternCall::Counted { .. }
                | PatternCall::Unknown { .. } => {}
            },
        }
        self.kind = kind;
    }

    /// The items that one GetItem, BatchGetItem or TransactGetItems reads.
    fn gets(&mut self, call: &CallAt, random: &mut Pcg64Mcg, rows: &mut Vec<SynthesizedRow>) {
        let CallAt { access, api, time } = *call;
        let PatternCall::Get {
            reads,
            consistency,
            missing,
        } = &access.call
        else {
            return;
        };
        let missing = probability(missing);
        // A DAX cluster answers the whole call or passes it on.
        let hit = self.hit_ratio.map(|ratio| uniform(random) < ratio);
        for read in reads {
            for _ in 0..drawn_count(&read.counts, random) {
                let gone = missing > 0.0 && uniform(random) < missing;
                let key = if gone {
                    self.new_key(read.entity)
                } else {
                    self.there(read.entity, random)
                };
                let bytes = if gone {
                    Some(0)
                } else {
                    size(&read.sizes, &key)
                };
                rows.push(SynthesizedRow {
                    item_bytes: bytes,
                    consistency: consistency.map(word),
                    cached: hit,
                    entity: self.entity(read.entity),
                    ..self.row(time, api.name(), key)
                });
            }
        }
    }

    fn write(
        &mut self,
        call: &CallAt,
        planned: &Planned,
        finds: f64,
        random: &mut Pcg64Mcg,
    ) -> SynthesizedRow {
        let CallAt { api, time, .. } = *call;
        let plan = &planned.plan;
        let found = finds >= 1.0 || (finds > 0.0 && uniform(random) < finds);
        let key = if found {
            self.there(plan.entity, random)
        } else {
            self.new_key(plan.entity)
        };
        let after = size(&plan.sizes, &key);
        let before = match &plan.before {
            ItemsBefore::Same => after,
            ItemsBefore::Paired(sizes) => Some(class_of(sizes, &key)),
            ItemsBefore::Given(sizes) => Some(class_of(sizes, &format!("before {key}"))),
        };
        let leaves = matches!(planned.plan.kind, WriteKind::Put | WriteKind::Update);
        let action = match planned.plan.kind {
            WriteKind::Put => MemberAction::Put,
            WriteKind::Update => MemberAction::Update,
            WriteKind::Delete => MemberAction::Delete,
            WriteKind::ConditionCheck => MemberAction::ConditionCheck,
        };
        let member = matches!(api, ApiName::BatchWriteItem | ApiName::TransactWriteItems);
        SynthesizedRow {
            item_bytes: after.filter(|_| leaves),
            old_bytes: if found { before } else { Some(0) },
            action: member.then(|| action.name()),
            changes: planned.changes.clone().filter(|_| leaves),
            entity: self.entity(plan.entity),
            ..self.row(time, api.name(), key)
        }
    }

    /// The pages of a Query or Scan; each has as many items as would fill it at their mean size.
    fn pages(
        &mut self,
        call: &CallAt,
        index: Option<&Arc<str>>,
        random: &mut Pcg64Mcg,
        rows: &mut Vec<SynthesizedRow>,
    ) {
        let CallAt { access, api, time } = *call;
        let PatternCall::Page {
            index: at,
            reads,
            segments,
            consistency,
            fetches,
            missing,
            ..
        } = &access.call
        else {
            return;
        };
        let entity = reads.first().and_then(|read| read.entity);
        let key = self.there(entity, random);
        let key = if self.sorted {
            key.split('|').next().unwrap_or_default().to_string()
        } else {
            key
        };
        let hit = self.hit_ratio.map(|ratio| uniform(random) < ratio);
        let missing = probability(missing);
        let nothing = missing > 0.0 && uniform(random) < missing;
        let counts: Vec<u64> = reads
            .iter()
            .map(|read| match nothing {
                true => 0,
                false => drawn_count(&read.counts, random),
            })
            .collect();
        let evaluated: Vec<Option<Vec<(u64, u64)>>> = reads
            .iter()
            .map(|read| read.sizes.as_ref().and_then(|sizes| sizes.evaluated(*at)))
            .collect();
        let segments = if nothing { 1 } else { *segments };
        for segment in 0..segments {
            let of_segment = |count: &u64| count / segments + u64::from(segment < count % segments);
            let mut left: Vec<u64> = counts.iter().map(of_segment).collect();
            let kinds: Vec<SizesTimes> = evaluated
                .iter()
                .zip(&left)
                .map(|(sizes, count)| (sizes.as_deref().unwrap_or_default(), *count))
                .collect();
            let page_items = page_items(&kinds);
            loop {
                let page = next_page(&mut left, page_items);
                let bytes = evaluated.iter().enumerate().zip(&page);
                let bytes: Option<u64> = bytes
                    .map(|((kind, sizes), count)| {
                        Some(self.sum((kind, sizes.as_ref()?), *count, random))
                    })
                    .sum();
                let fetched = fetches.then(|| fetched_bytes(reads, &page, random));
                rows.push(SynthesizedRow {
                    index: index.cloned(),
                    evaluated_bytes: bytes,
                    evaluated_items: Some(page.iter().sum()),
                    fetched_bytes: fetched,
                    consistency: Some(word(*consistency)),
                    cached: hit,
                    entity: match reads.as_slice() {
                        [read] => self.entity(read.entity),
                        _ => None,
                    },
                    ..self.row(time, api.name(), key.clone())
                });
                if left.iter().all(|count| *count == 0) {
                    break;
                }
            }
        }
    }

    /// The total bytes of `count` items of a kind.
    fn sum(
        &mut self,
        (kind, sizes): (usize, &[(u64, u64)]),
        count: u64,
        random: &mut Pcg64Mcg,
    ) -> u64 {
        const ONE_BY_ONE: u64 = 64;
        match sizes {
            [(size, _)] => size * count,
            _ if count <= ONE_BY_ONE => {
                let total: u64 = sizes.iter().map(|(_, weight)| weight).sum();
                (0..count)
                    .map(|_| pick(sizes, total, random.next_u64()))
                    .sum()
            }
            _ => {
                // Larger counts are drawn from sums that have the same mean number of blocks.
                let sums = self.sums.entry((kind, count)).or_insert_with(|| {
                    let mut up_to = 0.0;
                    let sum = |(bytes, share): (Bytes, Exact)| {
                        up_to += share.to_f64();
                        (bytes.0, up_to)
                    };
                    sum_of(sizes, count).into_iter().map(sum).collect()
                });
                let at = uniform(random);
                sums.iter()
                    .find(|(_, up_to)| at < *up_to)
                    .or(sums.last())
                    .map_or(0, |(bytes, _)| *bytes)
            }
        }
    }
}

fn pick(sizes: &[(u64, u64)], total: u64, random: u64) -> u64 {
    pick_weighted(sizes.iter().copied(), total, random).unwrap_or(0)
}

fn word(consistency: Consistency) -> &'static str {
    match consistency {
        Consistency::Eventual => "eventual",
        Consistency::Strong => "strong",
    }
}

/// The bytes of a key's item, drawn by the key's hash as in a replay.
fn size(sizes: &Option<SizeClasses>, key: &str) -> Option<u64> {
    sizes.as_ref().map(|sizes| class_of(sizes, key))
}

/// The bytes of the class that is drawn for a key.
fn class_of(sizes: &SizeClasses, key: &str) -> u64 {
    key_class(sizes, TracedKey::of(key.as_bytes()).hash).item.0
}

/// How many items a call has; without chance if the number is the same in every call.
fn drawn_count(counts: &Counts, random: &mut Pcg64Mcg) -> u64 {
    match counts.fixed() {
        Some(count) => count,
        None => counts.at(uniform(random)),
    }
}

/// Takes the items of the next page, of each kind in proportion to what is left.
fn next_page(left: &mut [u64], page_items: u64) -> Vec<u64> {
    let all: u64 = left.iter().sum();
    let mut rest = all.min(page_items);
    let mut after: u64 = all;
    let mut page = Vec::new();
    for count in left.iter_mut() {
        // The last kinds get what the rounding of the others leaves.
        let own = match after {
            0 => 0,
            after => (u128::from(rest) * u128::from(*count)).div_ceil(u128::from(after)) as u64,
        };
        let own = own.min(*count).min(rest);
        after -= *count;
        rest -= own;
        *count -= own;
        page.push(own);
    }
    page
}

/// The bytes of the items that a page fetches from the table, one after the other.
fn fetched_bytes(reads: &[ReadItems], page: &[u64], random: &mut Pcg64Mcg) -> String {
    let mut all = Vec::new();
    for (read, count) in reads.iter().zip(page) {
        let Some(sizes) = &read.sizes else { continue };
        for _ in 0..*count {
            let class = sizes.at(mixed(random.next_u64(), salt::SIZE));
            all.push(class.item.0.to_string());
        }
    }
    all.join(" ")
}

/// Stands for the calls of a maker while it makes one.
const NOTHING: MakerKind = MakerKind::TimeToLive {
    entity: None,
    sizes: None,
};
