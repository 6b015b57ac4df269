//! What can limit a part of a design, and when it does.

use std::cmp::Ordering;

use crate::table::Direction;
use crate::time::Date;
use crate::units::Exact;

/// What limits a part of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LimitKind {
    /// Provisioned units that never change.
    ProvisionedUnits,
    /// The maximum of auto scaling.
    AutoScalingMaximum,
    /// Demand rises faster than auto scaling adds capacity.
    AutoScalingSpeed,
    /// The bounds that a schedule sets at that time.
    Schedule,
    /// What a new on-demand table serves.
    InitialCapacity,
    /// The warm throughput to which a table was raised.
    WarmThroughput,
    /// Twice the previous peak of an on-demand table.
    Doubling,
    /// The maximum throughput that the owner has set.
    MaximumThroughput,
    /// AWS's quota of a table or an index.
    TableQuota,
    /// AWS's quota of all provisioned tables of an account in a region.
    AccountQuota,
    /// The partition of the hottest key.
    HotKey,
    /// The partition of an item collection that cannot be split.
    Partition,
    /// Partitions: of a trace, those that refused requests already; of growing items, the size above
    /// which an item collection is divided.
    Partitions,
    /// An index that throttles writes to its table.
    IndexBackPressure,
    /// The largest item that DynamoDB holds.
    ItemSize,
    /// The largest item collection of a table with local indexes.
    ItemCollection,
    /// The requests that the nodes of a DAX cluster serve.
    DaxRequests,
    /// The readers of a stream's shards.
    StreamReaders,
    /// The demand itself, which is not known.
    Demand,
}

impl LimitKind {
    /// Every kind.
    pub const ALL: [LimitKind; 19] = [
        LimitKind::ProvisionedUnits,
        LimitKind::AutoScalingMaximum,
        LimitKind::AutoScalingSpeed,
        LimitKind::Schedule,
        LimitKind::InitialCapacity,
        LimitKind::WarmThroughput,
        LimitKind::Doubling,
        LimitKind::MaximumThroughput,
        LimitKind::TableQuota,
        LimitKind::AccountQuota,
        LimitKind::HotKey,
        LimitKind::Partition,
        LimitKind::Partitions,
        LimitKind::IndexBackPressure,
        LimitKind::ItemSize,
        LimitKind::ItemCollection,
        LimitKind::DaxRequests,
        LimitKind::StreamReaders,
        LimitKind::Demand,
    ];

    /// The word in JSON and CSV.
    pub fn word(self) -> &'static str {
        match self {
            LimitKind::ProvisionedUnits => "provisioned-units",
            LimitKind::AutoScalingMaximum => "auto-scaling-maximum",
            LimitKind::AutoScalingSpeed => "auto-scaling-speed",
            LimitKind::Schedule => "schedule",
            LimitKind::InitialCapacity => "initial-capacity",
            LimitKind::WarmThroughput => "warm-throughput",
            LimitKind::Doubling => "doubling",
            LimitKind::MaximumThroughput => "maximum-throughput",
            LimitKind::TableQuota => "table-quota",
            LimitKind::AccountQuota => "account-quota",
            LimitKind::HotKey => "hot-key",
            LimitKind::Partition => "partition",
            LimitKind::Partitions => "partitions",
            LimitKind::IndexBackPressure => "index-back-pressure",
            LimitKind::ItemSize => "item-size",
            LimitKind::ItemCollection => "item-collection",
            LimitKind::DaxRequests => "dax-requests",
            LimitKind::StreamReaders => "stream-readers",
            LimitKind::Demand => "demand",
        }
    }

    /// Its name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            LimitKind::ProvisionedUnits => "provisioned units",
            LimitKind::AutoScalingMaximum => "auto scaling's maximum",
            LimitKind::AutoScalingSpeed => "auto scaling's speed",
            LimitKind::Schedule => "scheduled capacity",
            LimitKind::InitialCapacity => "initial capacity",
            LimitKind::WarmThroughput => "warm throughput",
            LimitKind::Doubling => "double the previous peak",
            LimitKind::MaximumThroughput => "maximum throughput",
            LimitKind::TableQuota => "table quota",
            LimitKind::AccountQuota => "account quota",
            LimitKind::HotKey => "hottest key",
            LimitKind::Partition => "partition",
            LimitKind::Partitions => "partitions",
            LimitKind::IndexBackPressure => "back-pressure of an index",
            LimitKind::ItemSize => "item size",
            LimitKind::ItemCollection => "item collection",
            LimitKind::DaxRequests => "DAX requests",
            LimitKind::StreamReaders => "stream readers",
            LimitKind::Demand => "demand",
        }
    }
}

/// The month in which growth reaches a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitMonth {
    /// A month.
    In {
        /// Its number; 1 is the month that is estimated.
        number: u64,
        /// Its first day.
        from: Date,
    },
    /// Not in the time that is looked at, in years.
    Later(u64),
    /// Growth does not reach it; the reason.
    Never(String),
    /// Not known; the reason.
    Unknown(String),
}

impl LimitKind {
    /// Whether something fails beyond it, so that it counts as a limit of the design; the size of single
    /// items and the division of collections over partitions do not.
    fn is_decisive(self, part: Part) -> bool {
        part != Part::Items || self == LimitKind::ItemCollection
    }
}

impl Limit {
    /// Whether it counts as a limit of the design: all but the size of single items, and the size above
    /// which an item collection is divided over partitions.
    pub fn is_decisive(&self, part: Part) -> bool {
        self.kind.is_decisive(part)
    }
}

impl UnknownLimit {
    /// Whether it counts as a limit of the design, as [`Limit::is_decisive`].
    pub fn is_decisive(&self, part: Part) -> bool {
        self.kind.is_decisive(part)
    }
}

impl LimitMonth {
    /// The number of the month, if growth reaches the limit.
    pub fn number(&self) -> Option<u64> {
        match self {
            LimitMonth::In { number, .. } => Some(*number),
            LimitMonth::Later(_) | LimitMonth::Never(_) | LimitMonth::Unknown(_) => None,
        }
    }
}

/// One limit of a part of a design.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limit {
    /// What limits it.
    pub kind: LimitKind,
    /// The global index that throttles its table, if that limits it.
    pub index: Option<String>,
    /// The factor of today's traffic, or of today's data for [`Part::Items`], up to which it holds; 0
    /// if it does not hold at any.
    pub factor: Exact,
    /// The figures behind it.
    pub because: String,
    /// When growth reaches it.
    pub month: LimitMonth,
}

impl Limit {
    pub(super) fn new(kind: LimitKind, factor: Exact, because: impl Into<String>) -> Limit {
        Limit {
            kind,
            index: None,
            factor,
            because: because.into(),
            month: LimitMonth::Unknown(String::new()),
        }
    }

    /// The lowest factor first; of equal factors, in the order of the kinds.
    pub(super) fn order(&self, other: &Limit) -> Ordering {
        (&self.factor, self.kind, &self.index).cmp(&(&other.factor, other.kind, &other.index))
    }
}

/// A limit whose factor is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownLimit {
    /// What would limit it.
    pub kind: LimitKind,
    /// What is not known.
    pub why: String,
}

/// A part of a design that has its own limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// Reads.
    Reads,
    /// Writes.
    Writes,
    /// The items, which grow in size and in number.
    Items,
    /// The DAX cluster.
    Dax,
    /// The stream.
    Stream,
}

impl Part {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Part::Reads => "reads",
            Part::Writes => "writes",
            Part::Items => "items",
            Part::Dax => "dax",
            Part::Stream => "stream",
        }
    }

    /// Its direction, if it has one.
    pub fn direction(self) -> Option<Direction> {
        match self {
            Part::Reads => Some(Direction::Read),
            Part::Writes => Some(Direction::Write),
            Part::Items | Part::Dax | Part::Stream => None,
        }
    }
}

impl From<Direction> for Part {
    fn from(direction: Direction) -> Part {
        match direction {
            Direction::Read => Part::Reads,
            Direction::Write => Part::Writes,
        }
    }
}
