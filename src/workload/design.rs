//! A design, checked: its tables, indexes, access patterns and features. Always valid.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use super::counts::{Counts, ReadItems};
use super::membership::ItemKind;
use super::sizes::{IndexEntry, SizeClass, SizeClasses};
use super::traced::Traced;
use super::vectors::{VectorIndex, VectorSearch};
use super::written::Written;
use crate::capacity::{Retries, Scaling, Shape};
use crate::commitments::Commitment;
use crate::dax::Popularity;
use crate::diag::Origins;
use crate::meter::Switches;
use crate::table::{ApiName, ByDirection, Consistency, Direction, Table, TableClass, Target};
use crate::time::{Date, MonthHours};
use crate::units::{Bytes, Exact};
use crate::unread::UnreadKind;
use crate::usage::{FreeTier, UsageType};

/// A checked design with its traffic. It is made from a file by [`load`](super::load), or in Rust by a
/// [`Builder`](super::Builder), and is always valid: code outside this crate can read
/// its contents but not change them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Workload(pub(super) Contents);

impl Deref for Workload {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        &self.0
    }
}

/// The contents of a [`Workload`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contents {
    /// The name of the design.
    pub name: String,
    /// Where it was written; this is not part of its meaning.
    pub written: Written,
    /// The region.
    pub region: String,
    /// The date of the prices; `None` for the newest.
    pub prices: Option<Date>,
    /// The length of the month.
    pub month: MonthHours,
    /// The free tiers that apply.
    pub free: BTreeSet<FreeTier>,
    /// The interpretations of disputed rules.
    pub switches: Switches,
    /// How many years ahead the estimated month is; the tables have already grown until then.
    pub years_ahead: u64,
    /// What the account has bought or agreed in advance.
    pub commitments: Vec<Commitment>,
    /// Times of other traffic than usual, in their order in the week. They are not part of the month.
    pub events: Vec<TrafficEvent>,
    /// How throttled requests are repeated during an event or the loss of a region; `None` if they
    /// are not.
    pub retries: Option<Retries>,
    /// The tables. Changed workloads share the tables that they do not change.
    pub tables: Vec<Arc<TableDesign>>,
    /// DAX clusters that are not in front of a table of the design.
    pub clusters: Vec<Cluster>,
    /// Usage that a bill measured and that belongs to no table.
    pub measured: Vec<Measured>,
    /// Costs of the design that are not known.
    pub unpriced: Vec<Unpriced>,
}

/// A time of other traffic than usual.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrafficEvent {
    /// Its name.
    pub name: String,
    /// The minute of the week at which it begins, from Monday 00:00 UTC.
    pub start: u64,
    /// Its day, if it has a date.
    pub date: Option<Date>,
    /// How long it lasts, in minutes.
    pub minutes: u64,
    /// How long the rates take to rise, in minutes.
    pub ramp: u64,
    /// What is different.
    pub traffic: EventTraffic,
    /// Its line in the file.
    pub line: usize,
}

/// What is different during an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventTraffic {
    /// The rates of some access patterns, or of all, are multiplied.
    Factor {
        /// The factor.
        factor: Exact,
        /// The access patterns; `None` for all.
        access: Option<Vec<String>>,
    },
    /// Access patterns have another rate: its multiple of their mean rate.
    Rates(Vec<(String, Exact)>),
}

impl EventTraffic {
    /// Whether an access pattern has other traffic.
    pub fn changes(&self, access: &str) -> bool {
        match self {
            EventTraffic::Factor { access: None, .. } => true,
            EventTraffic::Factor {
                access: Some(names),
                ..
            } => names.iter().any(|name| name == access),
            EventTraffic::Rates(rates) => rates.iter().any(|(name, _)| name == access),
        }
    }
}

/// A DAX cluster of which only the nodes are charged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cluster {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The node type, such as `dax.r5.large`.
    pub node_type: String,
    /// The number of nodes.
    pub nodes: u64,
}

/// Usage that a bill measured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measured {
    /// What is billed.
    pub usage_type: UsageType,
    /// How much of it in a month.
    pub quantity: Exact,
    /// The region.
    pub region: String,
}

/// A cost that a workload cannot describe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unpriced {
    /// What it is.
    pub what: String,
    /// Its kind.
    pub kind: UnreadKind,
}

/// A table with its traffic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableDesign {
    /// The table as the meter sees it.
    pub table: Table,
    /// The number of items; 0 if unknown.
    pub items: Exact,
    /// The sizes of the items and of their index entries; `None` if not known.
    pub sizes: Option<SizeClasses>,
    /// The kinds of its items; none if all are of one kind.
    pub entities: Vec<Entity>,
    /// The total bytes of its items, if given.
    pub stored: Option<Exact>,
    /// Which parts of it are unknown.
    pub unknown: UnknownParts,
    /// The number of items in its export that lack a key of the table.
    pub keyless: u64,
    /// Each attribute with its bytes, name included, if the items are described by their
    /// attributes.
    pub attributes: Vec<(String, u64)>,
    /// Which of its keys are numbers.
    pub number_keys: NumberKeys,
    /// How unevenly its partition keys are accessed.
    pub popularity: Option<Popularity>,
    /// Whether sizes depend on how numbers are stored.
    pub has_numbers: bool,
    /// The properties of each index that the meter does not need, by position.
    pub indexes: Vec<IndexDesign>,
    /// Its vector indexes.
    pub vectors: Vec<VectorIndex>,
    /// Searches of its vector indexes.
    pub searches: Vec<VectorSearch>,
    /// Its capacity mode.
    pub capacity: Capacity,
    /// The maximum throughput of an on-demand table: units a second.
    pub on_demand_max: ByDirection<Option<u64>>,
    /// Its access patterns.
    pub access: Vec<AccessPattern>,
    /// Calls that are made once; they are not part of the month.
    pub once: Vec<AccessPattern>,
    /// The warm throughput to which it is raised once: units a second.
    pub warm: ByDirection<Option<u64>>,
    /// The growth of its rates in a year: 0.3 is 30 % more.
    pub growth: Exact,
    /// Items that Time to Live deletes in a month.
    pub ttl_deletes: Exact,
    /// The entity whose items Time to Live deletes, by position; `None` for all items.
    pub ttl_entity: Option<usize>,
    /// Backups.
    pub backup: Backup,
    /// Usage that a bill measured and that nothing else causes.
    pub measured: Vec<Measured>,
    /// Change data capture.
    pub stream: Option<Stream>,
    /// Imports from Amazon S3.
    pub import: Option<Import>,
    /// Exports kept in S3.
    pub archive: Option<Archive>,
    /// Replicas in other regions.
    pub replicas: Vec<Replica>,
    /// Whether the global table has multi-Region strong consistency (MRSC).
    pub strong: bool,
    /// The region that serves the users of the home region if it is lost; `None` for all replicas, in
    /// equal parts.
    pub failover: Option<String>,
    /// The DAX cluster.
    pub dax: Option<Dax>,
    /// Contributor Insights.
    pub contributor_insights: ContributorInsights,
    /// Customer managed KMS keys.
    pub encryption: Option<Encryption>,
    /// Its features that are not metered.
    pub unpriced: Vec<Unpriced>,
}

/// One kind of items of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// The number of its items; 0 if unknown.
    pub items: Exact,
    /// The sizes of its items and of their index entries; `None` if not known.
    pub sizes: Option<SizeClasses>,
    /// How sizes and entries follow from the attributes of an item; `None` if the sizes are not
    /// known.
    pub kind: Option<ItemKind>,
    /// How the keys of its items begin.
    pub key_prefix: KeyPrefix,
    /// How unevenly its partition keys are accessed, if that is given.
    pub popularity: Option<Popularity>,
}

/// How keys begin; an empty text if this is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyPrefix {
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

/// Which parts of a table are unknown. Figures that depend on them are unknown as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UnknownParts {
    /// How many items it holds.
    pub items: bool,
    /// How many Time to Live deletes.
    pub ttl_deletes: bool,
    /// The readers of its stream.
    pub stream_readers: bool,
}

/// The mode of CloudWatch Contributor Insights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContributorInsights {
    /// Off.
    #[default]
    Off,
    /// For all keys: every item that is read or written is an event.
    AllKeys,
    /// For throttled keys only: only throttled requests are events.
    ThrottledKeys,
}

/// The properties of an index that the meter does not need.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexDesign {
    /// How many of its key attributes are partition keys; the others are sort keys.
    pub partition_keys: usize,
    /// The share of items that have the index key; 1 if measured sizes already contain it.
    pub coverage: Exact,
    /// The size of an entry, if it is given explicitly.
    pub entry_size: Option<Bytes>,
    /// Provisioned units of a global index.
    pub capacity: Option<ByDirection<Units>>,
    /// The total bytes of its entries, if given.
    pub stored: Option<Exact>,
    /// The maximum throughput of a global index on demand: units a second.
    pub on_demand_max: ByDirection<Option<u64>>,
    /// Contributor Insights.
    pub contributor_insights: ContributorInsights,
    /// How unevenly its partition keys are accessed.
    pub popularity: Option<Popularity>,
}

/// A capacity mode.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// Pay for each request.
    OnDemand,
    /// Pay for capacity by the hour.
    Provisioned(ByDirection<Units>),
}

/// Provisioned units of one direction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Units {
    /// The same at every hour.
    Fixed(u64),
    /// Changed by auto scaling or a schedule, between bounds.
    Scaled(Scaling),
    /// Not known.
    Unknown,
}

impl Units {
    /// How they change; `None` if they are not known.
    pub fn scaling(&self) -> Option<Scaling> {
        match self {
            Units::Fixed(units) => Some(Scaling::fixed(*units)),
            Units::Scaled(scaling) => Some(scaling.clone()),
            Units::Unknown => None,
        }
    }
}

/// Which keys of a table are numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NumberKeys {
    /// The partition key.
    pub partition: bool,
    /// The sort key.
    pub sort: bool,
}

/// Imports from Amazon S3.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Import {
    /// Bytes of one import, uncompressed.
    pub bytes: Exact,
    /// Imports in a month, or all imports that are made once.
    pub times: Exact,
    /// Whether they are made once.
    pub once: bool,
}

/// Customer managed KMS keys of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Encryption {
    /// Keys in the region.
    pub keys: Exact,
    /// Callers for which KMS is asked for the table key.
    pub callers: Exact,
}

/// An access pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessPattern {
    /// The name of the access pattern.
    pub name: String,
    /// The API operation; `None` if the calls are not known.
    pub operation: Option<ApiName>,
    /// Calls in a month.
    pub calls: Exact,
    /// Whether the calls grow with the number of items in a forecast.
    pub follows_items: bool,
    /// When in the week it is called.
    pub shape: Shape,
    /// The sizes of all its items together: what it reads, or the items after a write; `None` if
    /// they or the calls are not known.
    pub sizes: Option<SizeClasses>,
    /// Whether it goes through the DAX cluster, if there is one.
    pub through_dax: bool,
    /// The attributes of each item that a read needs; `None` if all, or if not given.
    pub attributes: Option<Vec<String>>,
    /// What one call does.
    pub call: PatternCall,
}

impl AccessPattern {
    /// Consumed units that were not measured: of a table with its local indexes, or of a global
    /// index.
    pub fn unmeasured(
        table: &Table,
        target: Target,
        direction: Direction,
        why: String,
    ) -> AccessPattern {
        let of = target
            .index()
            .map_or_else(String::new, |at| format!(" of {}", table.indexes[at].name));
        AccessPattern::unknown(
            format!("consumed {}s{of}", direction.word()),
            PatternCall::Unknown {
                direction,
                targets: table.sharing(target, direction),
                why,
            },
        )
    }

    /// Calls whose number and units are both unknown.
    pub(super) fn unknown(name: String, call: PatternCall) -> AccessPattern {
        AccessPattern {
            name,
            operation: None,
            calls: Exact::zero(),
            follows_items: false,
            shape: Shape::flat(),
            sizes: None,
            attributes: None,
            through_dax: false,
            call,
        }
    }

    /// Whether it reads.
    pub fn is_read(&self) -> bool {
        match &self.call {
            PatternCall::Get { .. } | PatternCall::Page { .. } => true,
            PatternCall::Write { .. } | PatternCall::Transaction { .. } => false,
            PatternCall::Traced(traced) => !traced.writes,
            PatternCall::Counted { direction, .. } | PatternCall::Unknown { direction, .. } => {
                *direction == Direction::Read
            }
        }
    }

    /// Whether it reads an index, by position. Calls with unknown units count as reading every
    /// index that they may read.
    pub fn reads_index(&self, at: usize) -> bool {
        match &self.call {
            PatternCall::Page { index, .. } => *index == Some(at),
            PatternCall::Traced(traced) => traced.index == Some(at) && !traced.writes,
            PatternCall::Counted {
                direction: Direction::Read,
                target,
            } => *target == Target::Index(at),
            PatternCall::Unknown {
                direction: Direction::Read,
                targets,
                ..
            } => targets.contains(&Target::Index(at)),
            PatternCall::Counted { .. }
            | PatternCall::Unknown { .. }
            | PatternCall::Get { .. }
            | PatternCall::Write { .. }
            | PatternCall::Transaction { .. } => false,
        }
    }

    /// Whether a DAX cluster can answer it: an eventually consistent read that goes through it
    /// (rule 7.2).
    pub fn is_cacheable(&self) -> bool {
        let eventual = match &self.call {
            PatternCall::Get { consistency, .. } => *consistency == Some(Consistency::Eventual),
            PatternCall::Page { consistency, .. } => *consistency == Consistency::Eventual,
            PatternCall::Write { .. }
            | PatternCall::Transaction { .. }
            | PatternCall::Traced(_)
            | PatternCall::Counted { .. }
            | PatternCall::Unknown { .. } => false,
        };
        eventual && self.through_dax
    }
}

/// What one call of an access pattern does. Shares are of calls or of their items.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PatternCall {
    /// GetItem, BatchGetItem, TransactGetItems.
    Get {
        /// The items whose keys a call gives.
        reads: Vec<ReadItems>,
        /// `None` in a transaction.
        consistency: Option<Consistency>,
        /// The share of keys that find no item.
        missing: Exact,
    },
    /// Query and Scan.
    Page {
        /// Whether it is a Scan.
        scan: bool,
        /// The index read, by position.
        index: Option<usize>,
        /// The items that a call evaluates over all its pages.
        reads: Vec<ReadItems>,
        /// Whether these are all items that there are: the default of a Scan.
        whole: bool,
        /// Parallel segments, among which the items are divided.
        segments: u64,
        /// Eventual or strong.
        consistency: Consistency,
        /// Whether a local index query fetches from the table.
        fetches: bool,
        /// The share of calls that find nothing.
        missing: Exact,
    },
    /// Writes outside a transaction: one, or a batch of several.
    Write {
        /// The writes, and the number of each.
        plans: Vec<(WritePlan, Counts)>,
        /// The share whose condition fails.
        condition_failures: Exact,
    },
    /// TransactWriteItems.
    Transaction {
        /// Its actions, and how many of each.
        plans: Vec<(WritePlan, Counts)>,
        /// The share of calls that are cancelled.
        cancelled: Exact,
        /// The share of calls that are repeated with the same token.
        replayed: Exact,
    },
    /// Calls of a trace, metered one by one.
    Traced(Traced),
    /// Units that AWS reported, without the calls: each call counts as one unit.
    Counted {
        /// Whether they are read or write units.
        direction: Direction,
        /// The table or index that consumed them.
        target: Target,
    },
    /// Calls whose consumption is not known.
    Unknown {
        /// Whether they read or write.
        direction: Direction,
        /// The table and indexes whose units they may consume.
        targets: Vec<Target>,
        /// What is not known.
        why: String,
    },
}

impl PatternCall {
    /// The items that it reads, by kind; none if it writes, or if its calls are not known.
    pub fn reads(&self) -> &[ReadItems] {
        match self {
            PatternCall::Get { reads, .. } | PatternCall::Page { reads, .. } => reads,
            PatternCall::Write { .. }
            | PatternCall::Transaction { .. }
            | PatternCall::Traced(_)
            | PatternCall::Counted { .. }
            | PatternCall::Unknown { .. } => &[],
        }
    }

    /// Its writes, and the number of each; none if it reads, or if its calls are not known.
    pub fn plans(&self) -> &[(WritePlan, Counts)] {
        match self {
            PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. } => plans,
            PatternCall::Get { .. }
            | PatternCall::Page { .. }
            | PatternCall::Traced(_)
            | PatternCall::Counted { .. }
            | PatternCall::Unknown { .. } => &[],
        }
    }

    /// The share of its calls that change items; `None` unless it writes items that are known.
    pub(crate) fn applied(&self) -> Option<Exact> {
        match self {
            PatternCall::Write {
                condition_failures, ..
            } => Some(Exact::one() - condition_failures.clone()),
            PatternCall::Transaction {
                cancelled,
                replayed,
                ..
            } => Some(Exact::one() - cancelled.clone() - replayed.clone()),
            _ => None,
        }
    }

    /// The entity of all items that it reads or writes, by position, if there is only one.
    pub fn entity(&self) -> Option<usize> {
        let reads = self.reads().iter().map(|read| read.entity);
        let mut all = reads.chain(self.plans().iter().map(|(plan, _)| plan.entity));
        let first = all.next()??;
        all.all(|one| one == Some(first)).then_some(first)
    }

    /// How many items a call reads or writes, on average.
    pub fn items(&self) -> Exact {
        self.counts().map(Counts::mean).sum()
    }

    /// How many items a call reads or writes at most.
    pub fn most_items(&self) -> u64 {
        self.counts()
            .fold(0, |sum: u64, counts| sum.saturating_add(counts.most()))
    }

    /// How many items of each kind a call reads or writes.
    pub fn counts(&self) -> impl Iterator<Item = &Counts> {
        let reads = self.reads().iter().map(|read| &read.counts);
        reads.chain(self.plans().iter().map(|(_, counts)| counts))
    }

    /// The sizes of all items that it reads, or that are there before and after its writes.
    pub(super) fn sizes_mut(&mut self) -> impl Iterator<Item = &mut SizeClasses> + '_ {
        let (reads, plans) = match self {
            PatternCall::Get { reads, .. } | PatternCall::Page { reads, .. } => {
                (reads.as_mut_slice(), &mut [][..])
            }
            PatternCall::Write { plans, .. } | PatternCall::Transaction { plans, .. } => {
                (&mut [][..], plans.as_mut_slice())
            }
            PatternCall::Traced(_) | PatternCall::Counted { .. } | PatternCall::Unknown { .. } => {
                (&mut [][..], &mut [][..])
            }
        };
        reads
            .iter_mut()
            .flat_map(|read| &mut read.sizes)
            .chain(plans.iter_mut().flat_map(|(plan, _)| plan.sizes_mut()))
    }
}

/// What one write does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WritePlan {
    /// Put, Update, Delete or ConditionCheck.
    pub kind: WriteKind,
    /// The share that finds an item.
    pub finds: Exact,
    /// The attributes that change if an item is found; `None` for all that are not an index key.
    pub changes: Option<Vec<String>>,
    /// The entity whose items it writes, by position; `None` in a table without entities, or if they
    /// are of all entities.
    pub entity: Option<usize>,
    /// The items after the write; `None` if their size is not known.
    pub sizes: Option<SizeClasses>,
    /// The items before the write.
    pub before: ItemsBefore,
}

impl WritePlan {
    /// The sizes of its items after and before the write, as far as they say which indexes the items
    /// are in: all of them in a table that has items without entries.
    pub fn kinds(&self, sparse: bool) -> impl Iterator<Item = &SizeClasses> {
        let after = self.sizes.as_ref();
        let (after, before) = match &self.before {
            ItemsBefore::Paired(before) => (after, Some(before)),
            ItemsBefore::Same | ItemsBefore::Given(_) => {
                (after.filter(|sizes| sparse || sizes.is_sparse()), None)
            }
        };
        after.into_iter().chain(before)
    }

    /// The sizes of its items, after and before the write.
    fn sizes_mut(&mut self) -> impl Iterator<Item = &mut SizeClasses> {
        let before = match &mut self.before {
            ItemsBefore::Same => None,
            ItemsBefore::Given(sizes) | ItemsBefore::Paired(sizes) => Some(sizes),
        };
        self.sizes.as_mut().into_iter().chain(before)
    }
}

/// The items before a write.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ItemsBefore {
    /// As large as after the write, and in the same indexes.
    Same,
    /// Of these sizes, whatever the size after the write.
    Given(SizeClasses),
    /// One class for each class of the items after the write, in the same order: the same items
    /// without an attribute that the write sets, or with one that it removes.
    Paired(SizeClasses),
}

/// The kinds of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteKind {
    /// Puts a whole item.
    Put,
    /// Changes attributes, or creates the item.
    Update,
    /// Deletes the item.
    Delete,
    /// Checks a condition in a transaction.
    ConditionCheck,
}

/// Backups and restores.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backup {
    /// Whether point-in-time recovery is on; `None` if not known.
    pub pitr: Option<bool>,
    /// The number of on-demand backups kept at any time, for each schedule.
    pub kept: Vec<u64>,
    /// The rules of AWS Backup plans.
    pub rules: Vec<BackupRule>,
    /// Restores in a month.
    pub restores: Exact,
}

/// A rule of an AWS Backup plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BackupRule {
    /// Days between two backups.
    pub every_days: Exact,
    /// Backups in a month.
    pub a_month: Exact,
    /// How long each is kept in the table's region.
    pub kept: BackupLife,
    /// The copies of each in other regions.
    pub copies: Vec<(String, BackupLife)>,
}

/// How long a backup is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BackupLife {
    /// Days in warm storage.
    pub warm_days: Exact,
    /// Days in cold storage after that; 0 for none.
    pub cold_days: Exact,
}

/// Change data capture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// Lambda triggers.
    pub lambda: Exact,
    /// Readers that poll.
    pub polling: Exact,
    /// The number of shards, if given.
    pub shards: Option<Exact>,
    /// Calls a second on each shard by each polling reader.
    pub polls_per_second: Exact,
    /// Whether `polls_per_second` was given.
    pub polls_given: bool,
    /// Whether changes go to a Kinesis data stream.
    pub kinesis: bool,
}

/// Exports kept in S3.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Archive {
    /// Exports in a month.
    pub exports: Exact,
    /// Whether they are incremental.
    pub incremental: bool,
    /// The storage classes of an object, with its days in each.
    pub stays: Vec<Stay>,
    /// Whether `keep` was given.
    pub keep_given: bool,
    /// Bytes stored for each byte exported.
    pub compression: Exact,
    /// Bytes of an object.
    pub object_bytes: Exact,
}

/// A stay of an archived object in one S3 storage class.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stay {
    /// The class as the price books name it, such as `glacier_instant`.
    pub class: &'static str,
    /// Days stored in the class.
    pub days: Exact,
    /// Days billed: at least the minimum of the class.
    pub billed_days: Exact,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    /// The region.
    pub region: String,
    /// The table class in that region.
    pub class: TableClass,
    /// Reads in that region, as a share of the table's own.
    pub reads: Exact,
    /// Access patterns in that region.
    pub access: Vec<AccessPattern>,
    /// Provisioned read units in that region, if they differ from the table's.
    pub read: Option<Units>,
    /// The maximum read throughput in that region, if it differs from the table's.
    pub read_max: Option<u64>,
    /// What differs for the indexes in that region, by position.
    pub indexes: Vec<ReplicaIndex>,
    /// Whether Contributor Insights is on in that region.
    pub contributor_insights: ContributorInsights,
    /// Whether point-in-time recovery is on in that region; `None` if not known.
    pub pitr: Option<bool>,
    /// Its KMS keys, if they differ from the table's.
    pub encryption: Option<Encryption>,
    /// Whether it is a witness.
    pub witness: bool,
    /// The region that serves its users if it is lost; `None` for all others, in equal parts.
    pub failover: Option<String>,
}

/// An index of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReplicaIndex {
    /// Provisioned read units in that region, if they differ from the table's.
    pub read: Option<Units>,
    /// The maximum read throughput in that region, if it differs from the table's.
    pub read_max: Option<u64>,
    /// Whether Contributor Insights is on in that region.
    pub contributor_insights: ContributorInsights,
}

/// A DAX cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dax {
    /// The node type, such as `dax.r5.large`.
    pub node_type: String,
    /// How many nodes.
    pub nodes: u64,
    /// The share of eventually consistent reads that it answers.
    pub hit_ratio: HitRatio,
    /// Seconds that it keeps an item.
    pub ttl_seconds: u64,
}

/// The share of eventually consistent reads that a DAX cluster answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HitRatio {
    /// Given in the file, or measured.
    Given(Exact),
    /// Computed from the popularity of keys.
    Expected(Exact),
    /// Not known.
    Unknown,
}

impl HitRatio {
    /// The share, if it is known.
    pub fn known(&self) -> Option<&Exact> {
        match self {
            HitRatio::Given(share) | HitRatio::Expected(share) => Some(share),
            HitRatio::Unknown => None,
        }
    }
}

impl Workload {
    /// The same design with further commitments of its account.
    #[must_use]
    pub fn with_commitments(mut self, others: &[Commitment]) -> Workload {
        self.0.commitments.extend_from_slice(others);
        self
    }

    /// The same design without commitments and discounts.
    #[must_use]
    pub fn without_commitments(mut self) -> Workload {
        self.0.commitments.clear();
        self
    }

    /// The same design with the commitments of another version of it.
    #[must_use]
    pub fn with_commitments_of(mut self, other: &Workload) -> Workload {
        self.0.commitments.clone_from(&other.commitments);
        self
    }

    /// Its regions: its own, and those of replicas and of copies of backups.
    pub fn regions(&self) -> BTreeSet<String> {
        let of_table = |table: &Arc<TableDesign>| -> Vec<String> {
            let replicas = table.replicas.iter().map(|one| one.region.clone());
            let copies = table.backup.rules.iter().flat_map(|rule| &rule.copies);
            replicas
                .chain(copies.map(|(region, _)| region.clone()))
                .collect()
        };
        let others = self.tables.iter().flat_map(of_table);
        let measured = self.tables.iter().flat_map(|table| &table.measured);
        let measured = measured.chain(&self.measured).map(|one| one.region.clone());
        others
            .chain(measured)
            .chain([self.region.clone()])
            .collect()
    }

    /// A workload without a file, whose tables are known from a trace.
    #[cfg(feature = "replay")]
    pub(crate) fn of_trace(
        name: &str,
        region: &str,
        prices: Option<Date>,
        month: MonthHours,
        tables: Vec<Arc<TableDesign>>,
    ) -> Workload {
        Workload(Contents {
            name: name.to_string(),
            written: Written::default(),
            region: region.to_string(),
            prices,
            month,
            free: BTreeSet::new(),
            switches: Switches::default(),
            years_ahead: 0,
            commitments: Vec::new(),
            events: Vec::new(),
            retries: None,
            tables,
            clusters: Vec::new(),
            measured: Vec::new(),
            unpriced: Vec::new(),
        })
    }

    /// A copy with a change, which must keep the contents valid.
    #[must_use]
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Contents)) -> Workload {
        change(&mut self.0);
        self
    }

    /// The contents, to be changed by an alternative. The caller must keep them valid.
    pub(crate) fn contents_mut(&mut self) -> &mut Contents {
        &mut self.0
    }

    /// The same workload, read from a file that was generated from others; `origins` says where its
    /// lines come from.
    #[must_use]
    pub fn made_of(self, origins: Arc<Origins>) -> Workload {
        self.with(|contents| contents.written.origins = Some(origins))
    }

    /// The same workload with other rates: `calls` maps the calls of a month to new ones, for each
    /// access pattern and for Time to Live; negative results become 0. The ranges are removed,
    /// since their values no longer apply.
    #[must_use]
    pub fn with_calls(self, calls: impl Fn(&Exact) -> Exact) -> Workload {
        let changed = |given: &Exact| {
            let changed = calls(given);
            if changed.is_negative() {
                Exact::zero()
            } else {
                changed
            }
        };
        self.with(|contents| {
            contents.written.ranges.clear();
            for table in &mut contents.tables {
                let table = Arc::make_mut(table);
                table.ttl_deletes = changed(&table.ttl_deletes);
                for access in table.access.iter_mut().chain(
                    table
                        .replicas
                        .iter_mut()
                        .flat_map(|replica| &mut replica.access),
                ) {
                    access.calls = changed(&access.calls);
                }
            }
        })
    }

    /// The same workload with only one of its tables; unchanged if it has no table of that name.
    #[must_use]
    pub fn with_table_alone(self, name: &str) -> Workload {
        match self.tables.iter().any(|table| table.table.name == name) {
            true => self.with(|contents| contents.tables.retain(|table| table.table.name == name)),
            false => self,
        }
    }
}

impl TableDesign {
    /// A table with only its schema: no items, no traffic, no features.
    pub fn of(table: Table, capacity: Capacity) -> TableDesign {
        let mut design = TableDesign {
            table: Table {
                indexes: Vec::new(),
                ..table.clone()
            },
            items: Exact::zero(),
            entities: Vec::new(),
            vectors: Vec::new(),
            searches: Vec::new(),
            stored: None,
            unknown: UnknownParts::default(),
            sizes: None,
            keyless: 0,
            attributes: Vec::new(),
            number_keys: NumberKeys::default(),
            popularity: None,
            has_numbers: false,
            indexes: Vec::new(),
            capacity,
            on_demand_max: ByDirection::default(),
            access: Vec::new(),
            once: Vec::new(),
            warm: ByDirection::default(),
            growth: Exact::zero(),
            ttl_deletes: Exact::zero(),
            ttl_entity: None,
            backup: Backup {
                pitr: Some(false),
                kept: Vec::new(),
                rules: Vec::new(),
                restores: Exact::zero(),
            },
            measured: Vec::new(),
            stream: None,
            import: None,
            archive: None,
            replicas: Vec::new(),
            strong: false,
            failover: None,
            dax: None,
            contributor_insights: ContributorInsights::Off,
            encryption: None,
            unpriced: Vec::new(),
        };
        table
            .indexes
            .into_iter()
            .for_each(|index| design.add_index(index));
        design
    }

    /// Adds an index with only its schema.
    pub fn add_index(&mut self, index: crate::table::Index) {
        self.table.indexes.push(index);
        self.indexes.push(IndexDesign {
            partition_keys: 1,
            coverage: Exact::one(),
            entry_size: None,
            capacity: None,
            stored: None,
            on_demand_max: ByDirection::default(),
            contributor_insights: ContributorInsights::Off,
            popularity: None,
        });
        let with = |class: &SizeClass| {
            (
                class.item,
                class
                    .entries
                    .iter()
                    .copied()
                    .chain([IndexEntry::Unknown])
                    .collect(),
                class.weight,
            )
        };
        self.sizes = self
            .sizes
            .as_ref()
            .and_then(|sizes| SizeClasses::of(sizes.iter().map(with).collect::<Vec<_>>()));
    }
}
