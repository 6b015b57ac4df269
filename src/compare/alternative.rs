//! An alternative to the design: what it changes, what the design then costs, and what it depends
//! on.

use std::sync::Arc;

use super::Bursts;
use crate::money::Money;
use crate::table::TableClass;
use crate::usage::Usage;
use crate::workload::{DesignEdit, TableDesign, Workload};

/// What an alternative changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AlternativeKind {
    /// Capacity mode and units.
    Capacity(CapacityPlan),
    /// Reserved capacity and savings plans.
    Commitment,
    /// The table class.
    TableClass(TableClass),
    /// What an index holds.
    Projection,
    /// A DAX cluster.
    Dax,
    /// Where the design runs, and its replicas.
    Regions(RegionChange),
    /// Backups and archives.
    Backup(BackupPlan),
    /// The consistency of reads, and transactions.
    Consistency,
    /// How items are stored.
    Item,
}

/// A capacity mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CapacityPlan {
    /// The table on demand.
    OnDemand,
    /// The table with its indexes provisioned.
    Provisioned(CapacityMode, Bursts),
    /// One index of a provisioned table.
    Index,
}

/// How provisioned capacity changes over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CapacityMode {
    /// Never.
    Fixed,
    /// By auto scaling.
    AutoScaled,
    /// By a schedule.
    Scheduled,
    /// In the cheapest mode for the table and for each index.
    Cheapest,
}

/// A change of regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RegionChange {
    /// The whole design in another region.
    MoveTo(String),
    /// More or fewer replicas, or strong consistency between them.
    Replicas,
}

/// How data is backed up and archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BackupPlan {
    /// Point-in-time recovery, on or off.
    Recovery,
    /// No on-demand backups.
    WithoutBackups,
    /// On-demand backups every month.
    MonthlyBackups,
    /// Exports every month, kept in S3 Standard.
    MonthlyExports,
    /// Exports every month, moved to S3 Glacier Deep Archive.
    MonthlyExportsToDeepArchive,
    /// Old items expire into S3.
    Expiry,
}

impl AlternativeKind {
    /// The words of all kinds, in the order in which they are shown, and what each is about.
    pub const ALL: [(&str, &str); 9] = [
        ("capacity", "Capacity"),
        ("commitment", "Commitments"),
        ("table-class", "Table class"),
        ("projection", "Projections"),
        ("dax", "DAX"),
        ("regions", "Regions"),
        ("backup", "Backups"),
        ("consistency", "Consistency"),
        ("item", "Items"),
    ];

    /// The word in outputs.
    pub fn word(&self) -> &'static str {
        match self {
            AlternativeKind::Capacity(_) => "capacity",
            AlternativeKind::Commitment => "commitment",
            AlternativeKind::TableClass(_) => "table-class",
            AlternativeKind::Projection => "projection",
            AlternativeKind::Dax => "dax",
            AlternativeKind::Regions(_) => "regions",
            AlternativeKind::Backup(_) => "backup",
            AlternativeKind::Consistency => "consistency",
            AlternativeKind::Item => "item",
        }
    }

    /// Whether it is about capacity.
    pub fn is_capacity(&self) -> bool {
        matches!(self, AlternativeKind::Capacity(_))
    }
}

/// Whether an alternative is possible, and what the design then costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlternativeState {
    /// It is possible.
    Priced {
        /// The month's total of the whole design.
        monthly: Money,
        /// The difference from the total of the current design.
        delta: Money,
    },
    /// A figure needed for its price is unknown.
    Unknown,
    /// AWS does not sell it, or the design excludes it.
    Impossible,
}

impl AlternativeState {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            AlternativeState::Priced { .. } => "priced",
            AlternativeState::Unknown => "unknown",
            AlternativeState::Impossible => "impossible",
        }
    }
}

/// What an alternative depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Footing {
    /// The application sees no difference.
    Sure,
    /// A trade-off: the application gets weaker guarantees, or the choice involves more than cost.
    Decision,
    /// A fact that is not in the file, such as a hit ratio. It is never given as advice.
    WhatIf,
}

impl Footing {
    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Footing::Sure => "sure",
            Footing::Decision => "decision",
            Footing::WhatIf => "what-if",
        }
    }
}

/// A change of a workload.
pub type DesignChange = Arc<dyn Fn(&mut Workload) + Send + Sync>;

/// An alternative, and what the whole design then costs.
#[derive(Clone)]
#[non_exhaustive]
pub struct Alternative {
    /// What it changes.
    pub kind: AlternativeKind,
    /// What it is.
    pub name: String,
    /// The table that it applies to; `None` for the whole design.
    pub table: Option<String>,
    /// The index that it applies to.
    pub index: Option<String>,
    /// Whether it is possible, and at what price.
    pub state: AlternativeState,
    /// The explanation, or the reason why it is impossible or unknown.
    pub why: String,
    /// What it depends on.
    pub footing: Footing,
    /// What it risks, what the trade-off is, or which fact must hold.
    pub risk: Option<String>,
    /// What to write in the file.
    pub edit: Option<DesignEdit>,
    /// Usage in addition to that of the design, such as data moved from the table to S3.
    pub(super) plus: Vec<Usage>,
    /// Alternatives with the same slot exclude each other.
    pub(super) slot: String,
    pub(super) change: Option<DesignChange>,
}

impl Alternative {
    /// An alternative whose price is not known yet.
    pub(super) fn new(kind: AlternativeKind, name: impl Into<String>) -> Alternative {
        Alternative {
            kind,
            name: name.into(),
            table: None,
            index: None,
            state: AlternativeState::Unknown,
            why: String::new(),
            footing: Footing::Sure,
            risk: None,
            edit: None,
            plus: Vec::new(),
            slot: String::new(),
            change: None,
        }
    }

    /// The month's total of the whole design; `None` if the alternative is impossible or unknown.
    pub fn monthly(&self) -> Option<Money> {
        match self.state {
            AlternativeState::Priced { monthly, .. } => Some(monthly),
            AlternativeState::Unknown | AlternativeState::Impossible => None,
        }
    }

    /// The difference from the total of the current design.
    pub fn delta(&self) -> Option<Money> {
        match self.state {
            AlternativeState::Priced { delta, .. } => Some(delta),
            AlternativeState::Unknown | AlternativeState::Impossible => None,
        }
    }

    /// Whether it has a price.
    pub fn is_priced(&self) -> bool {
        self.monthly().is_some()
    }

    /// Whether it costs less than the current design.
    pub fn saves(&self) -> bool {
        self.delta().is_some_and(|delta| delta < Money::ZERO)
    }

    /// The explanation for output; for a what-if, the fact that must hold.
    pub fn words(&self) -> String {
        match (self.state, self.footing) {
            (AlternativeState::Unknown, _) => format!("not known: {}", self.why),
            (AlternativeState::Impossible, _) => format!("not possible: {}", self.why),
            (AlternativeState::Priced { .. }, Footing::WhatIf) => {
                self.risk.clone().unwrap_or_default()
            }
            (AlternativeState::Priced { .. }, _) => self.why.clone(),
        }
    }

    pub(super) fn of(mut self, table: &TableDesign, index: Option<&str>) -> Alternative {
        self.table = Some(table.table.name.clone());
        self.index = index.map(str::to_string);
        self
    }

    pub(super) fn because(mut self, why: impl Into<String>) -> Alternative {
        self.why = why.into();
        self
    }

    pub(super) fn impossible(self, why: impl Into<String>) -> Alternative {
        Alternative {
            state: AlternativeState::Impossible,
            why: why.into(),
            change: None,
            ..self
        }
    }

    pub(super) fn unknown(self, why: impl Into<String>) -> Alternative {
        Alternative {
            state: AlternativeState::Unknown,
            why: why.into(),
            change: None,
            ..self
        }
    }

    pub(super) fn risking(mut self, risk: impl Into<String>) -> Alternative {
        self.risk = Some(risk.into());
        self
    }

    /// Marks it as a trade-off that the owner must accept.
    pub(super) fn deciding(mut self, risk: impl Into<String>) -> Alternative {
        self.footing = Footing::Decision;
        self.risking(risk)
    }

    /// Marks it as a what-if: it depends on a fact that is not in the file.
    pub(super) fn if_so(mut self, fact: impl Into<String>) -> Alternative {
        self.footing = Footing::WhatIf;
        self.risking(fact)
    }

    pub(super) fn edit(mut self, edit: DesignEdit) -> Alternative {
        self.edit = Some(edit);
        self
    }

    pub(super) fn change(
        mut self,
        slot: impl Into<String>,
        change: impl Fn(&mut Workload) + Send + Sync + 'static,
    ) -> Alternative {
        self.slot = slot.into();
        self.change = Some(Arc::new(change));
        self
    }
}
