//! Backups, streams, archives, replicas, DAX.

use super::vectors::is_search;
use super::{CheckedTable, Checker, class, is_once};
use crate::dax::{NODE_TYPES, Popularity};
use crate::table::{Direction, IndexKind, Table, Target, limits};
use crate::units::{Exact, MB};
use crate::usage::{TRANSFER_NAME, UsageType};
use crate::workload::DesignPart;
use crate::workload::decode::{FileNumber, Known, Located};
use crate::workload::file::{
    ArchiveFile, BackupRuleFile, ClusterFile, DaxFile, InsightsFile, InsightsWord, MeasuredFile,
    OperationWord, PopularityFile, RegionConsistencyWord, ReplicaFile, StorageClassWord,
    StreamFile, TableFile, UnpricedFile, WorkloadFile,
};
use crate::workload::quantities::Duration;
use crate::workload::{
    AccessPattern, Archive, Backup, BackupLife, BackupRule, Capacity, Cluster, ContributorInsights,
    Dax, HitRatio, Measured, PatternCall, Replica, ReplicaIndex, STRONG_REGION_SETS, Stay, Stream,
    TableDesign, Unpriced,
};

/// What a key says of something that is on or off; off without the key, `None` if it is
/// "unknown".
fn switch(written: Option<&Known<bool>>) -> Option<bool> {
    match written {
        None => Some(false),
        Some(Known::Given(on)) => Some(*on),
        Some(Known::Unknown) => None,
    }
}

/// The mode of Contributor Insights, if it is said.
pub(super) fn insights(written: Option<&InsightsFile>) -> Option<ContributorInsights> {
    Some(match written? {
        InsightsFile::On(false) => ContributorInsights::Off,
        InsightsFile::On(true) | InsightsFile::Mode(InsightsWord::AllKeys) => {
            ContributorInsights::AllKeys
        }
        InsightsFile::Mode(InsightsWord::ThrottledKeys) => ContributorInsights::ThrottledKeys,
    })
}

/// The fewest days that a backup stays in cold storage.
const COLD_DAYS_MIN: u64 = 90;

impl Checker<'_> {
    pub(super) fn backup(&mut self, written: &Located<TableFile>) -> Backup {
        let Some(backup) = &written.backup else {
            return Backup {
                pitr: Some(false),
                kept: Vec::new(),
                rules: Vec::new(),
                restores: Exact::zero(),
            };
        };
        let schedules = backup.on_demand.as_deref().unwrap_or_default();
        let kept = schedules
            .iter()
            .map(|schedule| self.whole("needs", "backups kept", &schedule.keep, 1..=100_000))
            .collect();
        let a_year = backup
            .restores_per_year
            .as_ref()
            .map_or_else(Exact::zero, |number| number.0.clone());
        Backup {
            pitr: switch(backup.pitr.as_ref()),
            kept,
            rules: backup
                .plan
                .iter()
                .flatten()
                .map(|rule| self.backup_rule(rule))
                .collect(),
            restores: a_year / Exact::from(12),
        }
    }

    fn backup_rule(&mut self, rule: &BackupRuleFile) -> BackupRule {
        let copies = rule.copies.iter().flatten();
        BackupRule {
            every_days: rule.every.value.days(),
            a_month: Exact::one() / rule.every.value.months(&self.month),
            kept: self.backup_life(&rule.keep, rule.cold_after.as_ref()),
            copies: copies
                .map(|copy| {
                    let keep = copy.keep.as_ref().unwrap_or(&rule.keep);
                    let life = self.backup_life(keep, copy.cold_after.as_ref());
                    (copy.region.value.clone(), life)
                })
                .collect(),
        }
    }

    /// How long a backup stays in warm and in cold storage.
    ///
    /// Source: AWS Backup Developer Guide, "Create a backup plan", lifecycle: a backup in cold
    /// storage must be kept there for at least 90 days.
    fn backup_life(
        &mut self,
        keep: &Located<Duration>,
        cold_after: Option<&Located<Duration>>,
    ) -> BackupLife {
        let kept = keep.value.days();
        let Some(cold_after) = cold_after else {
            return BackupLife {
                warm_days: kept,
                cold_days: Exact::zero(),
            };
        };
        let warm_days = cold_after.value.days();
        let cold_days = &kept - &warm_days;
        if cold_days < Exact::from(COLD_DAYS_MIN) {
            let message = format!(
                "a backup in cold storage must be kept there for at least {COLD_DAYS_MIN} days, \
                 but it moves there after {} days and is kept for {}",
                warm_days.human(2),
                kept.human(2)
            );
            let help = format!(
                "keep it for at least {} days, or move it earlier",
                (&warm_days + &Exact::from(COLD_DAYS_MIN)).human(2)
            );
            self.report("lifecycle", &cold_after.span, message, help);
        }
        BackupLife {
            cold_days: match cold_days.is_negative() {
                true => Exact::zero(),
                false => cold_days,
            },
            warm_days,
        }
    }

    pub(super) fn stream(&mut self, written: &Located<StreamFile>) -> Stream {
        let readers = written.readers.as_ref().and_then(|readers| readers.given());
        let of =
            |count: Option<&FileNumber>| count.map_or_else(Exact::zero, |number| number.0.clone());
        Stream {
            lambda: of(readers.and_then(|readers| readers.lambda.as_ref())),
            polling: of(readers.and_then(|readers| readers.polling.as_ref())),
            shards: written
                .shards
                .as_ref()
                .map(|shards| Exact::from(self.whole("needs", "shards", shards, 1..=10_000_000))),
            polls_per_second: written
                .polls_per_second
                .as_ref()
                .map_or_else(Exact::one, |number| number.0.clone()),
            polls_given: written.polls_per_second.is_some(),
            kinesis: written.kinesis.unwrap_or(false),
        }
    }

    pub(super) fn archive(&mut self, written: &Located<ArchiveFile>) -> Archive {
        let keep = written.keep.clone().unwrap_or_else(Duration::year).days();
        let mut stays: Vec<(&'static str, Exact)> = vec![("standard", Exact::zero())];
        for step in written
            .lifecycle
            .iter()
            .flat_map(|lifecycle| lifecycle.iter())
        {
            let last = stays
                .last()
                .map(|(_, day)| day.clone())
                .unwrap_or_else(Exact::zero);
            let day = step.after_days.0.clone();
            let order = |class: &str| CLASSES.iter().position(|(known, _)| *known == class);
            let name = class_name(step.class);
            if (day < last)
                || (day == last && stays.len() > 1)
                || order(name) <= stays.last().and_then(|(class, _)| order(class))
            {
                let message = "each lifecycle transition must be on a later day and to a colder \
                               storage class than the one before";
                self.report(
                    "lifecycle",
                    &step.after_days.span,
                    message,
                    "order them: standard-ia, glacier-instant, glacier-flexible, deep-archive",
                );
            }
            if step.class == StorageClassWord::StandardIa && day < Exact::from(30) {
                self.report(
                    "lifecycle",
                    &step.after_days.span,
                    "S3 moves objects to Standard-IA after 30 days at the earliest",
                    "write 30 or more",
                );
            }
            if day >= keep {
                let message = format!(
                    "exports are kept for {} days, so they never reach day {day}",
                    keep.human(2)
                );
                self.report(
                    "lifecycle",
                    &step.after_days.span,
                    message,
                    "raise `keep`, or remove the transition",
                );
            }
            stays.push((name, day));
        }
        let every = written.export.every.days();
        if written.export.incremental == Some(true)
            && (every > Exact::one() || every < Exact::ratio(15, 1440))
        {
            let message = "an incremental export must cover 15 minutes to 24 hours";
            self.report(
                "export-window",
                &written.export.every.span,
                message,
                "write `every` from \"15 minutes\" to \"1 day\", or export in full",
            );
        }
        let compression = written.compression.as_ref();
        Archive {
            exports: Exact::one() / written.export.every.months(&self.month),
            incremental: written.export.incremental.unwrap_or(false),
            stays: stays_of(&stays, &keep),
            keep_given: written.keep.is_some(),
            compression: compression.map_or_else(Exact::one, |compression| {
                self.share(Some(compression), Exact::one())
            }),
            object_bytes: written.object_size.as_ref().map_or_else(
                || Exact::from(100 * MB),
                |size| Exact::from(size.0.0.max(1)),
            ),
        }
    }

    /// The clusters that are not in front of a table.
    pub(super) fn clusters(&mut self, file: &WorkloadFile) -> Vec<Cluster> {
        let written = file.dax.iter().flatten().enumerate();
        written.map(|(at, one)| self.cluster(at, one)).collect()
    }

    fn cluster(&mut self, at: usize, written: &Located<ClusterFile>) -> Cluster {
        self.note(DesignPart::Cluster(at), &written.node_type.span);
        Cluster {
            name: written.name.as_ref().map(|name| name.value.clone()),
            node_type: self.node_type(&written.node_type),
            nodes: self.nodes(&written.nodes),
        }
    }

    fn node_type(&mut self, node_type: &Located<String>) -> String {
        if !node_type.starts_with("dax.") || node_type.matches('.').count() != 2 {
            let message = format!("{:?} is not a DAX node type", node_type.value);
            self.report(
                "dax",
                &node_type.span,
                message,
                "write a node type such as \"dax.r5.large\" (`dynameter prices show` lists those \
                 with a price)",
            );
        }
        node_type.value.clone()
    }

    fn nodes(&mut self, nodes: &Located<FileNumber>) -> u64 {
        let most = limits::DAX_NODES_MAX;
        self.whole("dax", "the number of nodes", nodes, 1..=most)
    }

    /// Usage that a bill measured.
    pub(super) fn billed_usage(
        &mut self,
        written: Option<&[Located<MeasuredFile>]>,
    ) -> Vec<Measured> {
        let written = written.unwrap_or_default().iter();
        written.filter_map(|one| self.measured_one(one)).collect()
    }

    fn measured_one(&mut self, written: &Located<MeasuredFile>) -> Option<Measured> {
        let name = &written.usage_type;
        let is_transfer = name.value == TRANSFER_NAME;
        if is_transfer != written.to.is_some() {
            let (message, help) = match is_transfer {
                true => (
                    "a transfer needs the region that receives it".to_string(),
                    "add it as `to`, such as to = \"eu-west-1\"",
                ),
                false => (
                    format!("{:?} is no transfer and has no `to`", name.value),
                    "remove `to`",
                ),
            };
            self.report("measured", &name.span, message, help);
            return None;
        }
        let usage_type = match &written.to {
            Some(to) => Some(UsageType::TransferTo(to.value.clone())),
            None => UsageType::named(&name.value),
        };
        let Some(usage_type) = usage_type else {
            self.report(
                "measured",
                &name.span,
                format!("{:?} is not a usage type of DynamoDB", name.value),
                "write it as on a bill, without the prefix of a region, such as \
                 \"Streams-Requests\", \"TimedBackupStorage-ByteHrs\" or \"NodeUsage:dax.r5.large\"",
            );
            return None;
        };
        Some(Measured {
            usage_type,
            quantity: written.quantity.value.0.clone(),
            region: written
                .region
                .as_ref()
                .map_or_else(|| self.region.clone(), |region| region.value.clone()),
        })
    }

    /// Costs that are not known, of a table or of the whole design.
    pub(super) fn unpriced(
        &mut self,
        written: Option<&[Located<UnpricedFile>]>,
        table: Option<&String>,
    ) -> Vec<Unpriced> {
        let written = written.unwrap_or_default();
        for (at, one) in written.iter().enumerate() {
            self.note(DesignPart::Unpriced(table.cloned(), at), &one.span);
        }
        let unpriced = written.iter().map(|one| Unpriced {
            what: one.what.clone(),
            kind: one.kind,
        });
        unpriced.collect()
    }

    pub(super) fn dax(&mut self, written: &Located<DaxFile>, design: &TableDesign) -> Dax {
        let node_type = &written.node_type;
        let named = self.node_type(node_type);
        let ttl_seconds = written.ttl.as_ref().map_or(300, |ttl| {
            (ttl.days() * Exact::from(86_400)).to_u64().unwrap_or(300)
        });
        let hit_ratio = match (&written.hit_ratio, &design.popularity) {
            (
                Some(Located {
                    value: Known::Given(given),
                    span,
                }),
                _,
            ) => {
                let given = Located {
                    value: given.clone(),
                    span: span.clone(),
                };
                HitRatio::Given(self.share(Some(&given), Exact::zero()))
            }
            (
                Some(Located {
                    value: Known::Unknown,
                    ..
                }),
                _,
            ) => HitRatio::Unknown,
            (None, Some(_)) if !NODE_TYPES.iter().any(|known| known.name == node_type.value) => {
                let message = format!(
                    "AWS does not document the capacity of {}, so its hit ratio cannot be computed",
                    node_type.value
                );
                let known = NODE_TYPES.map(|known| known.name).join(", ");
                self.report(
                    "dax",
                    &node_type.span,
                    message,
                    format!("add `hit_ratio = …`, or use one of {known}"),
                );
                HitRatio::Unknown
            }
            (None, Some(_)) => design
                .expected_hit_ratio(&written.node_type, ttl_seconds, &self.month)
                .map_or(HitRatio::Unknown, HitRatio::Expected),
            (None, None) => {
                let help = "add `hit_ratio = 0.9`, or add [table.popularity], from which the hit \
                            ratio is computed";
                self.report(
                    "dax",
                    &node_type.span,
                    "the hit ratio of the cluster is not given",
                    help,
                );
                HitRatio::Unknown
            }
        };
        Dax {
            node_type: named,
            nodes: self.nodes(&written.nodes),
            hit_ratio,
            ttl_seconds,
        }
    }

    /// The popularity of keys. `items` is the default number of keys, or the reason why there is no
    /// default.
    pub(super) fn popularity(
        &mut self,
        written: &Located<PopularityFile>,
        items: Result<&Exact, &str>,
    ) -> Popularity {
        if written.zipf.0 > Exact::from(5) {
            self.report(
                "popularity",
                &written.zipf.span,
                "a Zipf exponent must be from 0 to 5",
                "write an exponent such as 0.99",
            );
        }
        let keys = match &written.keys {
            Some(keys) => self.whole(
                "popularity",
                "the number of keys",
                keys,
                1..=1_000_000_000_000,
            ),
            None => match items {
                Ok(items) => items.to_u64().unwrap_or(1).max(1),
                Err(why) => {
                    self.report("popularity", &written.zipf.span, why, "add `keys = …`");
                    1
                }
            },
        };
        Popularity {
            zipf: written.zipf.0.clone(),
            keys,
        }
    }

    pub(super) fn replicas(&mut self, of: &CheckedTable, capacity: &Capacity) -> Vec<Replica> {
        let written = of.written;
        let files = written.replica.as_deref().unwrap_or_default();
        let strong = written
            .multi_region_consistency
            .as_ref()
            .filter(|word| word.value == RegionConsistencyWord::Strong);
        let mut regions = vec![self.region.clone()];
        for replica in files {
            if regions.contains(&replica.region.value) {
                let message = format!("the table already exists in {:?}", replica.region.value);
                self.report(
                    "replica",
                    &replica.region.span,
                    message,
                    "list each region once, and not the region of the workload, which has the \
                     table itself",
                );
            }
            regions.push(replica.region.value.clone());
            self.replica_fits(replica, strong.is_some(), capacity);
        }
        if let Some(strong) = strong {
            self.strong(&strong.span.clone(), of, &regions);
        }
        files
            .iter()
            .map(|file| self.replica(file, of, capacity))
            .collect()
    }

    /// Checks a replica against its table's consistency and capacity mode.
    fn replica_fits(&mut self, replica: &Located<ReplicaFile>, strong: bool, capacity: &Capacity) {
        if replica.witness == Some(true) && !strong {
            let message = "only a strongly consistent global table can have a witness";
            self.report(
                "replica",
                &replica.region.span,
                message,
                "add `multi_region_consistency = \"strong\"` to the table, or remove `witness`",
            );
        }
        if replica.witness == Some(true) {
            let holds_nothing = [
                ("reads", replica.reads.is_some()),
                ("access", replica.access.is_some()),
                ("read", replica.read.is_some()),
                ("pitr", replica.pitr.is_some()),
                ("class", replica.class.is_some()),
                ("encryption", replica.encryption.is_some()),
                (
                    "contributor_insights",
                    replica.contributor_insights.is_some(),
                ),
            ];
            for (key, _) in holds_nothing.iter().filter(|(_, given)| *given) {
                let message = format!("a witness cannot be read, so it cannot have `{key}`");
                self.report(
                    "replica",
                    &replica.region.span,
                    message,
                    "remove this key, or remove `witness`",
                );
            }
        }
        if let (Some(read), Capacity::OnDemand) = (&replica.read, capacity) {
            self.report(
                "capacity-mode",
                &read.span,
                "the table is on demand, so its replicas have no provisioned units",
                "remove `read` here",
            );
        }
    }

    /// The access patterns of a replica, which are reads.
    fn replica_access(
        &mut self,
        replica: &Located<ReplicaFile>,
        of: &CheckedTable,
    ) -> Vec<AccessPattern> {
        let table = of.table;
        let accesses = replica.access.as_deref().unwrap_or_default();
        let mut access: Vec<AccessPattern> = Vec::new();
        for file in accesses.iter().filter(|file| !is_search(file)) {
            let Some(one) = self.access(file, of) else {
                continue;
            };
            if matches!(
                one.call,
                PatternCall::Write { .. } | PatternCall::Transaction { .. }
            ) {
                let message = "the access patterns of a replica must be reads; writes are \
                                   replicated from whichever region they are made in";
                self.report(
                    "replica",
                    &file.operation.span,
                    message,
                    "move the pattern to [[table.access]]",
                );
            }
            if is_once(file) {
                let message = "the access patterns of a replica cannot be made `once`";
                let help = "move the pattern to [[table.access]], or give a rate with a period";
                self.report("rate", &file.name.span, message, help);
            }
            access.push(one);
        }
        if replica.reads == Some(Known::Unknown) {
            let global = |target: &Target| {
                target
                    .index()
                    .is_none_or(|at| table.indexes[at].kind == IndexKind::Global)
            };
            let targets = Target::all(table.indexes.len()).filter(global).collect();
            let why = format!(
                "the share of the reads of {} in {} is \"unknown\"; give `reads`",
                table.name, replica.region.value
            );
            access.push(self.unknown_reads(
                replica,
                table,
                PatternCall::Unknown {
                    direction: Direction::Read,
                    targets,
                    why,
                },
            ));
        }
        access
    }

    fn replica(
        &mut self,
        replica: &Located<ReplicaFile>,
        of: &CheckedTable,
        capacity: &Capacity,
    ) -> Replica {
        let table = of.table;
        self.note(
            DesignPart::Replica(table.name.clone(), replica.region.value.clone()),
            &replica.region.span,
        );
        let access = self.replica_access(replica, of);
        let indexes = self.replica_indexes(replica, table, capacity);
        let on_demand = *capacity == Capacity::OnDemand;
        if let (Some(most), false) = (&replica.max_read, on_demand) {
            self.report(
                "capacity-mode",
                &most.span,
                "only an on-demand table can have `max_read`",
                "remove it",
            );
        }
        Replica {
            region: replica.region.value.clone(),
            class: replica.class.map_or(table.class, |word| class(Some(word))),
            reads: replica
                .reads
                .as_ref()
                .and_then(|reads| reads.given())
                .map_or_else(Exact::zero, |number| number.0.clone()),
            access,
            read: replica
                .read
                .as_ref()
                .map(|read| self.units(Some(read), "read", &replica.region.span)),
            read_max: replica.max_read.as_ref().map(|most| {
                self.whole(
                    "capacity-mode",
                    "a maximum throughput",
                    most,
                    1..=40_000_000,
                )
            }),
            indexes,
            contributor_insights: insights(replica.contributor_insights.as_ref())
                .unwrap_or_default(),
            pitr: switch(replica.pitr.as_ref()),
            encryption: replica.encryption.as_ref().map(super::encryption),
            witness: replica.witness.unwrap_or(false),
            failover: replica
                .failover
                .as_ref()
                .map(|region| self.failover(region, of.written, &replica.region.value)),
        }
    }

    /// The region that serves a region's users if that is lost: another one of the table that is not
    /// a witness.
    pub(super) fn failover(
        &mut self,
        to: &Located<String>,
        table: &TableFile,
        lost: &str,
    ) -> String {
        let replicas = table.replica.iter().flatten();
        let readable = replicas.filter(|replica| replica.witness != Some(true));
        let regions = readable.map(|replica| replica.region.value.clone());
        let home = self.region.clone();
        let mut others: Vec<String> = std::iter::once(home).chain(regions).collect();
        others.retain(|region| region != lost);
        if !others.contains(&to.value) {
            let message = format!(
                "{:?} cannot serve the users of {lost}: {} has no other replica there",
                to.value, table.name.value
            );
            let help = match others.as_slice() {
                [] => "add [[table.replica]], or remove `failover`".to_string(),
                some => format!("write one of {}", some.join(", ")),
            };
            self.report("replica", &to.span, message, help);
        }
        to.value.clone()
    }

    /// Reads of a replica whose number is unknown.
    fn unknown_reads(
        &mut self,
        replica: &ReplicaFile,
        table: &Table,
        call: PatternCall,
    ) -> AccessPattern {
        let name = format!("reads in {}", replica.region.value);
        self.note(
            DesignPart::Access(table.name.clone(), name.clone()),
            &replica.region.span,
        );
        AccessPattern::unknown(name, call)
    }

    /// The settings of each index in a replica, by its position.
    fn replica_indexes(
        &mut self,
        replica: &ReplicaFile,
        table: &Table,
        capacity: &Capacity,
    ) -> Vec<ReplicaIndex> {
        let mut all = vec![
            ReplicaIndex {
                contributor_insights: insights(replica.contributor_insights.as_ref())
                    .unwrap_or_default(),
                ..ReplicaIndex::default()
            };
            table.indexes.len()
        ];
        self.unique(
            "duplicate-name",
            "index",
            replica.index.iter().flatten().map(|index| &index.name),
        );
        for file in replica.index.iter().flatten() {
            let Some(at) = table
                .indexes
                .iter()
                .position(|index| index.name == file.name.value && index.kind == IndexKind::Global)
            else {
                let message = format!("{} has no global index {:?}", table.name, file.name.value);
                self.report(
                    "unknown-index",
                    &file.name.span,
                    message,
                    "use the name of a global index of the table",
                );
                continue;
            };
            let on_demand = *capacity == Capacity::OnDemand;
            if let (Some(read), true) = (&file.read, on_demand) {
                self.report(
                    "capacity-mode",
                    &read.span,
                    "the table is on demand, so its indexes have no provisioned units",
                    "remove `read` here",
                );
            }
            if let (Some(most), false) = (&file.max_read, on_demand) {
                self.report(
                    "capacity-mode",
                    &most.span,
                    "only an on-demand table can have `max_read`",
                    "remove it",
                );
            }
            all[at].read = file
                .read
                .as_ref()
                .map(|read| self.units(Some(read), "read", &file.name.span));
            all[at].read_max = file.max_read.as_ref().map(|most| {
                self.whole(
                    "capacity-mode",
                    "a maximum throughput",
                    most,
                    1..=40_000_000,
                )
            });
            all[at].contributor_insights = insights(file.contributor_insights.as_ref())
                .unwrap_or(all[at].contributor_insights);
        }
        all
    }

    /// Checks the restrictions of multi-Region strong consistency (rule 4.4).
    fn strong(&mut self, span: &std::ops::Range<usize>, of: &CheckedTable, regions: &[String]) {
        let CheckedTable { written, table, .. } = *of;
        let files = written.replica.as_deref().unwrap_or_default();
        let mut refuse = |message: String, help: &str| self.report("replica", span, message, help);
        if regions.len() != 3 {
            refuse(
                format!(
                    "a strongly consistent global table must have three regions, found {}",
                    regions.len()
                ),
                "list two replicas; one of them can be a witness",
            );
        }
        if !STRONG_REGION_SETS
            .iter()
            .any(|set| regions.iter().all(|region| set.contains(&region.as_str())))
        {
            let sets = STRONG_REGION_SETS.map(|set| set.join(", ")).join("; ");
            refuse(
                format!(
                    "the regions of a strongly consistent global table must belong to one region \
                     set, found {}",
                    regions.join(", ")
                ),
                &format!("the region sets are: {sets}"),
            );
        }
        if files
            .iter()
            .filter(|file| file.witness == Some(true))
            .count()
            > 1
        {
            refuse(
                "a strongly consistent global table can have at most one witness".to_string(),
                "keep one witness",
            );
        }
        if written.ttl.is_some() {
            refuse(
                "a strongly consistent global table cannot use Time to Live".to_string(),
                "remove [table.ttl], or write multi_region_consistency = \"eventual\"",
            );
        }
        if table
            .indexes
            .iter()
            .any(|index| index.kind == IndexKind::Local)
        {
            refuse(
                "a strongly consistent global table cannot have local indexes".to_string(),
                "make the local indexes global",
            );
        }
        let transactional = |operation: OperationWord| {
            matches!(
                operation,
                OperationWord::TransactGetItems
                    | OperationWord::TransactWriteItems
                    | OperationWord::ExecuteTransaction
            )
        };
        let in_replicas = files.iter().flat_map(|file| file.access.iter().flatten());
        if written
            .access
            .iter()
            .flatten()
            .chain(in_replicas)
            .any(|access| transactional(access.operation.value))
        {
            refuse(
                "a strongly consistent global table does not support transactions".to_string(),
                "use single writes with conditions",
            );
        }
    }
}

/// S3 storage classes, coldest last, with the minimum number of days that each bills. Source:
/// Amazon S3 User Guide, "Understanding and managing Amazon S3 storage classes" (rule 12.3).
const CLASSES: [(&str, u64); 5] = [
    ("standard", 0),
    ("standard_ia", 30),
    ("glacier_instant", 90),
    ("glacier_flexible", 90),
    ("deep_archive", 180),
];

fn class_name(word: StorageClassWord) -> &'static str {
    match word {
        StorageClassWord::StandardIa => "standard_ia",
        StorageClassWord::GlacierInstant => "glacier_instant",
        StorageClassWord::GlacierFlexible => "glacier_flexible",
        StorageClassWord::DeepArchive => "deep_archive",
    }
}

/// The stays of an object in its storage classes, from the days on which it enters them. If it
/// leaves a class early, the class's minimum is billed.
fn stays_of(entered: &[(&'static str, Exact)], keep: &Exact) -> Vec<Stay> {
    let stay = |(at, (class, from)): (usize, &(&'static str, Exact))| {
        let until = entered.get(at + 1).map_or(keep, |(_, day)| day);
        let days = if until > from {
            until - from
        } else {
            Exact::zero()
        };
        let minimum = CLASSES
            .iter()
            .find(|(known, _)| known == class)
            .map_or(0, |(_, days)| *days);
        let billed_days = days.clone().max(Exact::from(minimum));
        Stay {
            class,
            days,
            billed_days,
        }
    };
    entered
        .iter()
        .enumerate()
        .map(stay)
        .filter(|stay| !stay.billed_days.is_zero())
        .collect()
}
