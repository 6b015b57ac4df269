//! The workload file: as written ([`mod@file`]), checked, and as a [`Workload`] that cannot be
//! wrong.

mod builder;
mod codes;
pub(crate) mod decode;
mod export;
pub mod file;
mod quantities;
mod ranges;
mod sizes;
mod traced;
mod validate;
mod written;

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

pub use builder::{Builder, BuilderPart};
pub use codes::CODES;
pub use decode::{FileNumber, Known, Located};
pub use export::{ExportSummary, items as export_items, measure};
pub use quantities::{Duration, Frequency, Profile, Size};
pub use ranges::{Scenario, UncertainValue};
pub use sizes::{IndexEntry, SizeClass, SizeClasses, mean_of, pick_weighted, sum_of};
pub use traced::{ArmUnits, Traced};
pub use written::{DesignPart, Written};

use crate::capacity::{Scaling, Shape};
use crate::dax::{Popularity, hottest_millionths};
use crate::diag::{Diagnostics, Origins, Source};
use crate::meter::Switches;
use crate::pricing::Books;
use crate::storage::Occupied;
use crate::table::{
    ApiName, ByDirection, Consistency, Direction, IndexKind, Table, TableClass, Target,
};
use crate::time::{Date, MonthHours};
use crate::units::{Bytes, Exact, GB};
use crate::usage::FreeTier;

/// The commented file that `init` writes.
pub const TEMPLATE: &str = include_str!("../../workloads/template.toml");

/// The JSON Schema of the workload file, so that editors complete and check it.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(file::WorkloadFile).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), "dynameter workload".into());
    }
    schema
}

/// What a workload file is read with: the books that must have its regions and date, and what
/// replaces its own words.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The price books.
    pub books: &'a Books,
    /// The region in place of the file's.
    pub region: Option<String>,
    /// The date of the prices in place of the file's.
    pub prices: Option<Date>,
    /// The month in place of the file's.
    pub month: Option<MonthHours>,
    /// Which value of every range is taken.
    pub scenario: Scenario,
    /// By how much every rate of an access pattern is multiplied: 1 for the file as it stands.
    pub traffic: Exact,
}

impl<'a> Setting<'a> {
    /// The file as it stands.
    pub fn new(books: &'a Books) -> Setting<'a> {
        Setting {
            books,
            region: None,
            prices: None,
            month: None,
            scenario: Scenario::Likely,
            traffic: Exact::one(),
        }
    }
}

/// Reads and checks a workload file. Paths in it are relative to `folder`.
///
/// # Errors
/// Every mistake of the file, each with its place and the way out.
pub fn load(
    name: &str,
    text: &str,
    folder: &Path,
    setting: &Setting,
) -> Result<Workload, Diagnostics> {
    let source = Source::new(name, text);
    let mut reader = decode::Decoder::new(source, setting.scenario);
    let file = reader.parse::<file::WorkloadFile>();
    let workload = file.and_then(|file| validate::workload(&file, folder, setting, &mut reader));
    Diagnostics::check(reader.finish(), workload)
}

/// The region sets of strongly consistent global tables. Source: Developer Guide, "Global tables:
/// multi-Region strong consistency".
pub const STRONG_REGION_SETS: [&[&str]; 3] = [
    &["us-east-1", "us-east-2", "us-west-2"],
    &["eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"],
    &["ap-northeast-1", "ap-northeast-2", "ap-northeast-3"],
];

/// A design and its traffic, checked. It is made of a file by [`load`], or in Rust by a
/// [`Builder`], and cannot be wrong: what it holds is read through it and never changed from
/// outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Workload(Contents);

impl Deref for Workload {
    type Target = Contents;

    fn deref(&self) -> &Contents {
        &self.0
    }
}

/// What a [`Workload`] holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Contents {
    /// What the design is called.
    pub name: String,
    /// Where it was written, which is no part of what it means.
    pub written: Written,
    /// The region.
    pub region: String,
    /// The date of the prices; the newest where `None`.
    pub prices: Option<Date>,
    /// The length of the month.
    pub month: MonthHours,
    /// The free tiers that apply.
    pub free: BTreeSet<FreeTier>,
    /// The readings of disputed rules.
    pub switches: Switches,
    /// How many years ahead the month lies; the tables have grown until then.
    pub years_ahead: u64,
    /// The tables; at least one. Changed workloads share those that they do not change.
    pub tables: Vec<Arc<TableDesign>>,
}

/// A table with its traffic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableDesign {
    /// The table as the meter sees it.
    pub table: Table,
    /// How many items it holds; 0 where unknown.
    pub items: Exact,
    /// How large they are, with their index entries; `None` where that is not known.
    pub sizes: Option<SizeClasses>,
    /// Bytes of its items together, where they are given so.
    pub stored: Option<Exact>,
    /// What of it nobody knows.
    pub unknown: UnknownParts,
    /// Items of its export that lack a key of the table.
    pub keyless: u64,
    /// Each attribute with its bytes, name included, where the items are described by them.
    pub attributes: Vec<(String, u64)>,
    /// Which of its keys are numbers.
    pub number_keys: NumberKeys,
    /// How often some keys are asked for and others not.
    pub popularity: Option<Popularity>,
    /// Whether sizes depend on how numbers are stored.
    pub has_numbers: bool,
    /// What the meter does not need to know of each index, by position.
    pub indexes: Vec<IndexDesign>,
    /// Its capacity mode.
    pub capacity: Capacity,
    /// The maximum throughput of an on-demand table: units a second.
    pub on_demand_max: ByDirection<Option<u64>>,
    /// Reserved capacity: due whatever the mode, and taken off what is provisioned.
    pub reserved: Option<Reserved>,
    /// Its access patterns.
    pub access: Vec<AccessPattern>,
    /// Items that Time to Live deletes in a month.
    pub ttl_deletes: Exact,
    /// Backups.
    pub backup: Backup,
    /// Change data capture.
    pub stream: Option<Stream>,
    /// Imports from Amazon S3.
    pub import: Option<Import>,
    /// Exports kept in S3.
    pub archive: Option<Archive>,
    /// Replicas in other regions.
    pub replicas: Vec<Replica>,
    /// Whether they are strongly consistent among regions (MRSC).
    pub strong: bool,
    /// The DAX cluster.
    pub dax: Option<Dax>,
    /// Whether Contributor Insights is on.
    pub contributor_insights: bool,
    /// Customer managed KMS keys.
    pub encryption: Option<Encryption>,
    /// What it has that is not metered.
    pub unpriced: Vec<String>,
}

impl TableDesign {
    /// A part of the table that its file says: `table.part(Part::Capacity)`.
    pub fn part(&self, part: fn(String) -> DesignPart) -> DesignPart {
        part(self.table.name.clone())
    }

    /// An index, by its position, as a part that the file says.
    pub fn index_part(&self, at: usize) -> DesignPart {
        DesignPart::Index(self.table.name.clone(), self.table.indexes[at].name.clone())
    }

    /// An access pattern as a part that the file says.
    pub fn access_part(&self, access: &str) -> DesignPart {
        DesignPart::Access(self.table.name.clone(), access.to_string())
    }

    /// The table when its items and its traffic have grown by a factor.
    fn grown(mut self, factor: &Exact) -> TableDesign {
        if *factor == Exact::one() {
            return self;
        }
        self.items = (&self.items * factor).ceil();
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
        }
        self
    }

    /// Whether a pattern reads an index, by position. Units of the table may be those of its local
    /// indexes.
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
        let abroad = self.replicas.iter().flat_map(|replica| &replica.access);
        self.access
            .iter()
            .chain(abroad)
            .filter(move |access| self.is_read_by(at, access))
    }

    /// The attributes that the readers of an index want, where each of them says so.
    pub fn wanted_of(&self, at: usize) -> Option<Vec<&str>> {
        let mut wanted = Vec::new();
        let mut readers = self.readers_of(at).peekable();
        readers.peek()?;
        for access in readers {
            wanted.extend(access.attributes.as_ref()?.iter().map(String::as_str));
        }
        Some(wanted)
    }

    /// Attributes, with their bytes, that an index holds and none of its readers wants.
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

    /// The share of an account's requests that its most popular partition key gets, in millionths:
    /// of the table, or of a global index, which has keys of its own. `None` where nobody says.
    pub fn hottest_millionths(&self, index: Option<&str>) -> Option<u64> {
        let popularity = match index {
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
        popularity.map(hottest_millionths)
    }

    /// Whether the size of its items is known.
    pub fn is_sized(&self) -> bool {
        self.sizes.is_some()
    }

    /// Whether its calls and the size of its items are known, so that a change of either can be
    /// metered.
    pub fn is_described(&self) -> bool {
        let abroad = self.replicas.iter().flat_map(|replica| &replica.access);
        let is_call = |access: &AccessPattern| {
            !matches!(
                access.call,
                PatternCall::Counted { .. } | PatternCall::Unknown { .. }
            )
        };
        self.is_sized() && self.access.iter().chain(abroad).all(is_call)
    }

    /// What its items occupy; `None` where that is not known.
    pub fn held(&self) -> Option<Occupied> {
        let of_sizes = || self.sizes.as_ref().map(|sizes| &self.items * &sizes.mean());
        if self.unknown.items {
            return None;
        }
        Some(Occupied {
            count: self.items.clone(),
            data: self.stored.clone().or_else(of_sizes)?,
        })
    }

    /// The entries of an index, by its position: their number for each item that it covers, and
    /// their bytes; `None` where an entry's size is not known.
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

    /// Gives every size that is known, of the table and of its access patterns, another.
    pub fn resize(&mut self, change: impl Fn(&SizeClasses) -> SizeClasses) {
        self.sizes = self.sizes.as_ref().map(&change);
        for access in self.access.iter_mut().chain(
            self.replicas
                .iter_mut()
                .flat_map(|replica| &mut replica.access),
        ) {
            access.sizes = access.sizes.as_ref().map(&change);
            access.before = access.before.as_ref().map(&change);
        }
    }

    /// The mean size of an item; `None` where it is not known.
    pub fn mean_size(&self) -> Option<Exact> {
        self.sizes.as_ref().map(SizeClasses::mean)
    }

    /// What the entries of an index occupy, by its position; `None` where that is not known.
    pub fn held_by(&self, index: usize) -> Option<Occupied> {
        let design = &self.indexes[index];
        if self.unknown.items {
            return None;
        }
        let covered = &self.items * &design.coverage;
        match (&design.stored, self.entries(index)) {
            (Some(stored), Some((number, _))) => Some(Occupied {
                count: &covered * &number,
                data: stored.clone(),
            }),
            (Some(stored), None) => Some(Occupied {
                count: covered,
                data: stored.clone(),
            }),
            (None, Some((number, bytes))) => Some(Occupied {
                count: &covered * &number,
                data: &covered * &bytes,
            }),
            (None, None) => None,
        }
    }

    /// Keys a second that eventually consistent reads through DAX ask for.
    pub fn cached_reads_per_second(&self, month: &MonthHours) -> Exact {
        let calls = |access: &AccessPattern| match &access.call {
            PatternCall::Get { items, .. } => &access.calls * &Exact::from(*items),
            _ => access.calls.clone(),
        };
        self.access
            .iter()
            .filter(|access| access.is_cacheable())
            .map(calls)
            .sum::<Exact>()
            / month.seconds()
    }

    /// Items that the memory of a DAX node holds; `None` where their size is not known.
    ///
    /// `Assumption:` all of its memory holds items, each with 100 bytes of the cache's own; AWS
    /// states neither.
    pub fn cache_entries(&self, memory_gb: u64) -> Option<u64> {
        let item = self.mean_size()? + Exact::from(100);
        Some(
            (Exact::from(memory_gb * GB) / item)
                .floor()
                .to_u64()
                .unwrap_or(u64::MAX),
        )
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

    /// Whose capacity a target uses: a global index has its own, a local index uses its table's.
    pub fn account_of(&self, target: Target) -> Target {
        self.table.account_of(target)
    }

    /// The targets that have capacity of their own: the table and its global indexes.
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

/// What of a table nobody knows. Figures that need it are unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UnknownParts {
    /// How many items it holds.
    pub items: bool,
    /// How many Time to Live deletes.
    pub ttl_deletes: bool,
    /// Who reads its stream.
    pub stream_readers: bool,
    /// Whether point-in-time recovery is on.
    pub pitr: bool,
}

/// What the meter does not need to know of an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexDesign {
    /// The share of items that carry the index key; 1 where the sizes were measured and tell.
    pub coverage: Exact,
    /// The size of an entry, where it is given by itself.
    pub entry_size: Option<Bytes>,
    /// Provisioned units of a global index.
    pub capacity: Option<ByDirection<Units>>,
    /// Bytes of its entries together, where they are given so.
    pub stored: Option<Exact>,
    /// The maximum throughput of a global index on demand: units a second.
    pub on_demand_max: ByDirection<Option<u64>>,
    /// Whether Contributor Insights is on.
    pub contributor_insights: bool,
    /// How its partition keys are asked for.
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
    /// Moved by auto scaling or a schedule between bounds.
    Scaled(Scaling),
    /// Not known.
    Unknown,
}

impl Units {
    /// How they move; `None` where they are not known.
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
    /// Imports in a month.
    pub times: Exact,
}

/// Customer managed KMS keys of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Encryption {
    /// Keys in each region.
    pub keys: Exact,
    /// Callers that ask KMS for the table key.
    pub callers: Exact,
}

/// Reserved capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reserved {
    /// Read units.
    pub read: u64,
    /// Write units.
    pub write: u64,
    /// The term, 1 or 3 years.
    pub years: u64,
}

/// An access pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccessPattern {
    /// What it is called.
    pub name: String,
    /// The API call; `None` where units are known and the calls are not.
    pub operation: Option<ApiName>,
    /// Calls in a month.
    pub calls: Exact,
    /// When in the week it is called.
    pub shape: Shape,
    /// The items it reads or leaves; `None` where their size is not known, and where units are
    /// known and the calls are not.
    pub sizes: Option<SizeClasses>,
    /// The items it finds before a write, where they differ.
    pub before: Option<SizeClasses>,
    /// Whether it goes through the DAX cluster, where there is one.
    pub through_dax: bool,
    /// The attributes that a read wants of each item; `None`: all of them, or nobody says.
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

    /// Calls of which neither the number nor the units are known.
    pub(super) fn unknown(name: String, call: PatternCall) -> AccessPattern {
        AccessPattern {
            name,
            operation: None,
            calls: Exact::zero(),
            shape: Shape::flat(),
            sizes: None,
            before: None,
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

    /// Whether it reads an index, by position; of units that nobody knows, it may.
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
pub enum PatternCall {
    /// GetItem, BatchGetItem, TransactGetItems: so many keys.
    Get {
        /// Keys of one call.
        items: u64,
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
        /// Items evaluated by one call over all its pages.
        items: u64,
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
        /// What is written, and how many of each.
        plans: Vec<(WritePlan, u64)>,
        /// The share whose condition fails.
        refused: Exact,
    },
    /// TransactWriteItems.
    Transaction {
        /// Its actions, and how many of each.
        plans: Vec<(WritePlan, u64)>,
        /// The share of calls that are cancelled.
        cancelled: Exact,
        /// The share of calls that are repeated by their token.
        replayed: Exact,
    },
    /// Calls of a trace, metered one by one.
    Traced(Traced),
    /// Units that AWS counted, without the calls: each call stands for one unit.
    Counted {
        /// Whether they are read or write units.
        direction: Direction,
        /// Whose units they are.
        target: Target,
    },
    /// Calls of which it is not known what they consume.
    Unknown {
        /// Whether they read or write.
        direction: Direction,
        /// Whose units they consume.
        targets: Vec<Target>,
        /// What is not known.
        why: String,
    },
}

/// What one write does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WritePlan {
    /// Put, Update, Delete or ConditionCheck.
    pub kind: WriteKind,
    /// The share that finds an item.
    pub finds: Exact,
    /// The attributes that change where one is found; `None`: all that are no index key.
    pub changes: Option<Vec<String>>,
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
    /// Whether point-in-time recovery is on.
    pub pitr: bool,
    /// On-demand backups that are kept at any time: how many by each schedule.
    pub kept: Vec<u64>,
    /// Restores in a month.
    pub restores: Exact,
}

/// Change data capture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// Readers that poll.
    pub polling: Exact,
    /// Shards, where given.
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
    /// Whether they hold only changes.
    pub incremental: bool,
    /// The classes that an object lives in: price code of the class, first and last day there.
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
    /// Days billed: not fewer than the class's minimum, unless it moves on.
    pub billed_days: Exact,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replica {
    /// The region.
    pub region: String,
    /// The table class there.
    pub class: TableClass,
    /// Reads there, as a share of the table's own.
    pub reads: Exact,
    /// Access patterns there.
    pub access: Vec<AccessPattern>,
    /// Provisioned read units there, where they differ from the table's.
    pub read: Option<Units>,
    /// The maximum read throughput there, where it differs from the table's.
    pub read_max: Option<u64>,
    /// What differs of the indexes there, by position.
    pub indexes: Vec<ReplicaIndex>,
    /// Whether Contributor Insights is on there.
    pub contributor_insights: bool,
    /// Whether point-in-time recovery is on there.
    pub pitr: bool,
    /// Whether it is a witness.
    pub witness: bool,
}

/// An index of a replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReplicaIndex {
    /// Provisioned read units there, where they differ from the table's.
    pub read: Option<Units>,
    /// The maximum read throughput there, where it differs from the table's.
    pub read_max: Option<u64>,
    /// Whether Contributor Insights is on there.
    pub contributor_insights: bool,
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
    /// As the file says, or as it was measured.
    Given(Exact),
    /// As it follows from the popularity of keys.
    Expected(Exact),
    /// Not known.
    Unknown,
}

impl HitRatio {
    /// The share, where it is known.
    pub fn known(&self) -> Option<&Exact> {
        match self {
            HitRatio::Given(share) | HitRatio::Expected(share) => Some(share),
            HitRatio::Unknown => None,
        }
    }
}

impl TableDesign {
    /// A table of which only the schema is known: no items, no traffic, no features.
    pub fn of(table: Table, capacity: Capacity) -> TableDesign {
        let mut design = TableDesign {
            table: Table {
                indexes: Vec::new(),
                ..table.clone()
            },
            items: Exact::zero(),
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
            reserved: None,
            access: Vec::new(),
            ttl_deletes: Exact::zero(),
            backup: Backup {
                pitr: false,
                kept: Vec::new(),
                restores: Exact::zero(),
            },
            stream: None,
            import: None,
            archive: None,
            replicas: Vec::new(),
            strong: false,
            dax: None,
            contributor_insights: false,
            encryption: None,
            unpriced: Vec::new(),
        };
        table
            .indexes
            .into_iter()
            .for_each(|index| design.add_index(index));
        design
    }

    /// Adds an index of which only the schema is known.
    pub fn add_index(&mut self, index: crate::table::Index) {
        self.table.indexes.push(index);
        self.indexes.push(IndexDesign {
            coverage: Exact::one(),
            entry_size: None,
            capacity: None,
            stored: None,
            on_demand_max: ByDirection::default(),
            contributor_insights: false,
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

impl Workload {
    /// A workload that no file declares: tables of which a trace tells.
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
            tables,
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

    /// The same, read from a file that was made of others: where its lines come from.
    #[must_use]
    pub fn made_of(self, origins: Arc<Origins>) -> Workload {
        self.with(|contents| contents.written.origins = Some(origins))
    }

    /// The same with other rates: of each access pattern, and of Time to Live, the calls of a month
    /// that `calls` makes of those that there are; 0 where that is less. Its ranges are gone,
    /// since their values are.
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

    /// The same with one of its tables alone; as it is where it has none of that name.
    #[must_use]
    pub fn with_table_alone(self, name: &str) -> Workload {
        match self.tables.iter().any(|table| table.table.name == name) {
            true => self.with(|contents| contents.tables.retain(|table| table.table.name == name)),
            false => self,
        }
    }
}
