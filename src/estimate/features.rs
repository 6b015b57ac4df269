//! Everything that is billed in addition to throughput: storage, backups, streams, exports,
//! archives, DAX and the rest.

use super::design::{nodes, why_unread};
use super::site::Gap;
use super::throughput::{Metered, passing};
use super::{TableContext, vectors};
use crate::capacity::partitions;
use crate::meter::BackupOverhead;
use crate::outcome::Holding;
use crate::storage::{GLOBAL_TABLE_OVERHEAD_BYTES, OVERHEAD_BYTES, Occupied};
use crate::table::{IndexKind, TableClass};
use crate::units::{Exact, GB, KB, MB, count_of, plural};
use crate::unread::Unread;
use crate::usage::{Because, Subject, Usage, UsageType};
use crate::workload::{
    AccessPattern, Archive, BackupLife, BackupRule, ContributorInsights, DesignPart, Encryption,
    Import, PatternCall,
};

/// The minimum that an incremental export bills. Source: Developer Guide, "DynamoDB data export to
/// Amazon S3" (rule 5.6).
const INCREMENTAL_EXPORT_BYTES_MIN: u64 = 10 * MB;

/// The maximum rate at which DynamoDB asks KMS for the table key for one caller: once every five
/// minutes (rule 12.2).
const KEY_REQUESTS_AN_HOUR: u64 = 12;

/// Why a cost that depends on writes is unknown.
const UNKNOWN_WRITES: &str = "at most the units of these writes are known; describe the writes as \
                              [[table.access]] with the size of the items";

/// Usage of one table in addition to its throughput, in all its regions.
pub(super) fn features(
    design: &TableContext,
    metered: &Metered,
    gaps: &mut Vec<Gap>,
) -> Vec<Usage> {
    let mut lines = UsageLines {
        design,
        metered,
        gaps,
        usage: Vec::new(),
    };
    lines.storage(&design.workload.region, design.table.table.class);
    lines.backups(&design.workload.region, design.table.backup.pitr, true);
    lines.streams();
    lines.exports();
    lines.import();
    lines.dax();
    lines.contributor_insights();
    lines.encryption(&design.workload.region, design.table.encryption.as_ref());
    lines.usage.extend(metered.transfer());
    lines.unknown_transfer();
    lines.measured();
    lines.usage.extend(vectors::usage(design, lines.gaps));
    lines.unpriced();
    for replica in design.copies() {
        lines.storage(&replica.region, replica.class);
        lines.backups(&replica.region, replica.pitr, false);
        let own = replica.encryption.as_ref();
        lines.encryption(&replica.region, own.or(design.table.encryption.as_ref()));
    }
    lines.usage
}

/// What the table and its indexes hold.
pub(super) fn holdings(design: &TableContext) -> Vec<Holding> {
    let table = &design.table.table;
    let holding = |index: Option<usize>, occupied: Option<Occupied>| Holding {
        table: table.name.clone(),
        index: index.map(|at| table.indexes[at].name.clone()),
        count: occupied
            .as_ref()
            .map_or_else(Exact::zero, |occupied| occupied.count.clone()),
        data: occupied.map(|occupied| occupied.data),
    };
    let own = match items(design) {
        Some(held) => holding(None, Some(held)),
        None => Holding {
            count: design.table.items.clone(),
            ..holding(None, None)
        },
    };
    let indexes = (0..table.indexes.len()).map(|at| match entries(design, at) {
        Some(occupied) => holding(Some(at), Some(occupied)),
        None => Holding {
            count: &design.table.items * &design.table.indexes[at].coverage,
            ..holding(Some(at), None)
        },
    });
    std::iter::once(own).chain(indexes).collect()
}

fn items(design: &TableContext) -> Option<Occupied> {
    design.table.held()
}

/// Entries of an index; `None` if their size is unknown.
fn entries(design: &TableContext, index: usize) -> Option<Occupied> {
    design.table.held_by(index)
}

struct UsageLines<'a> {
    design: &'a TableContext<'a>,
    metered: &'a Metered<'a>,
    gaps: &'a mut Vec<Gap>,
    usage: Vec<Usage>,
}

impl UsageLines<'_> {
    fn push(
        &mut self,
        subject: Subject,
        usage_type: UsageType,
        quantity: Exact,
        because: Vec<Because>,
    ) {
        self.usage.push(Usage {
            subject,
            usage_type,
            quantity,
            because,
        });
    }

    fn of_table(&mut self, region: &str, usage_type: UsageType, quantity: Exact, because: Because) {
        let subject = self.design.subject(None, region, None);
        self.push(subject, usage_type, quantity, vec![because]);
    }

    fn storage(&mut self, region: &str, class: TableClass) {
        let design = self.design;
        let global = design.table.is_global();
        let overhead = if global {
            OVERHEAD_BYTES + GLOBAL_TABLE_OVERHEAD_BYTES
        } else {
            OVERHEAD_BYTES
        };
        match items(design) {
            Some(own) => {
                let because = stored("items", &own, overhead, global);
                self.push(
                    self.design.subject(None, region, None),
                    UsageType::Storage(class),
                    &own.billed(global) / &Exact::from(GB),
                    because,
                );
            }
            None => match &design.table.stored {
                // The bytes are known, but the total overhead of the items is not.
                Some(stored) => {
                    let gigabytes = stored / &Exact::from(GB);
                    let text = format!(
                        "{stored} B stored = {} GB, without the overhead of each item",
                        gigabytes.human(9)
                    );
                    self.push(
                        self.design.subject(None, region, None),
                        UsageType::Storage(class),
                        gigabytes,
                        vec![Because::rule("1.10", text)],
                    );
                    let what = format!("the {overhead} bytes that storage adds to each item");
                    self.gaps
                        .push(design.gap(region, what, UsageType::Storage(class)));
                }
                None => self.gaps.push(design.gap(
                    region,
                    "the storage of its items".to_string(),
                    UsageType::Storage(class),
                )),
            },
        }
        for (at, index) in design.table.table.indexes.iter().enumerate() {
            match entries(design, at) {
                Some(held) => {
                    let mut because = stored("entries", &held, OVERHEAD_BYTES, false);
                    because.insert(
                        0,
                        Because::rule(
                            "1.6",
                            "an entry holds the keys and the projected attributes",
                        ),
                    );
                    self.push(
                        self.design.subject(Some(&index.name), region, None),
                        UsageType::Storage(class),
                        &held.billed(false) / &Exact::from(GB),
                        because,
                    );
                }
                None => {
                    let gap = design.entry_gap(
                        design.subject(Some(&index.name), region, None),
                        "the storage of its entries",
                        UsageType::Storage(class),
                    );
                    self.gaps.push(gap);
                }
            }
        }
    }

    /// The bytes in backups, restores and exports: the table's data with its local indexes, or with
    /// all indexes. If the entries of an included index have no known size, a gap of the usage type
    /// is added.
    fn backed_up(
        &mut self,
        every_index: bool,
        region: &str,
        usage_type: &UsageType,
        what: &str,
    ) -> (Exact, String) {
        let design = self.design;
        let global = design.table.is_global();
        let included = design.workload.switches.backup_overhead == BackupOverhead::Included;
        let bytes = |held: Occupied, global: bool| {
            if included {
                held.billed(global)
            } else {
                held.data
            }
        };
        let own = items(design)
            .map(|held| bytes(held, global))
            .or_else(|| design.table.stored.clone().filter(|_| !included));
        if own.is_none() {
            self.gaps.push(design.gap(
                region,
                what.replace("its entries", "its items"),
                usage_type.clone(),
            ));
        }
        let mut sum = own.unwrap_or_else(Exact::zero);
        let mut names = vec!["the items".to_string()];
        for (at, index) in design.table.table.indexes.iter().enumerate() {
            if !every_index && index.kind == IndexKind::Global {
                continue;
            }
            match entries(design, at) {
                Some(held) => {
                    sum += &bytes(held, false);
                    names.push(index.name.clone());
                }
                None => self.gaps.push(design.entry_gap(
                    design.subject(Some(&index.name), region, None),
                    what,
                    usage_type.clone(),
                )),
            }
        }
        (sum, names.join(" and "))
    }

    fn backups(&mut self, region: &str, pitr: Option<bool>, home: bool) {
        let backup = &self.design.table.backup;
        if pitr.is_none() {
            let what = "point-in-time recovery, on or off".to_string();
            let gap = self.design.gap_because(region, what, UsageType::PITR);
            self.gaps.push(gap(
                "whether it is on is \"unknown\"; give `pitr = true` or `pitr = false`",
            ));
        }
        if pitr == Some(true) {
            let (bytes, what) = self.backed_up(
                false,
                region,
                &UsageType::PITR,
                "the point-in-time recovery of its entries",
            );
            let gigabytes = &bytes / &Exact::from(GB);
            let text = format!(
                "{what}: {bytes} B = {} GB, for any recovery window",
                gigabytes.human(9)
            );
            self.of_table(
                region,
                UsageType::PITR,
                gigabytes,
                Because::rule("5.3", text),
            );
        }
        if !home {
            return;
        }
        for kept in &backup.kept {
            let kept = Exact::from(*kept);
            let (bytes, what) = self.backed_up(
                false,
                region,
                &UsageType::BACKUP,
                "the backups of its entries",
            );
            let gigabytes = &bytes / &Exact::from(GB);
            let text = format!("backups kept: {kept} x {} GB ({what})", gigabytes.human(9));
            self.of_table(
                region,
                UsageType::BACKUP,
                &kept * &gigabytes,
                Because::rule("5.4", text),
            );
        }
        for rule in &backup.rules {
            self.backup_rule(region, rule);
        }
        if !backup.restores.is_zero() {
            // AWS Backup bills restores itself, by the size of the backup.
            let own = pitr != Some(false) || !backup.kept.is_empty() || backup.rules.is_empty();
            let usage_type = match own {
                true => UsageType::RESTORE,
                false => UsageType::AWS_BACKUP_RESTORE,
            };
            let (bytes, what) =
                self.backed_up(own, region, &usage_type, "the restores of its entries");
            let gigabytes = &bytes / &Exact::from(GB);
            let text = format!(
                "restores a month: {} x {} GB ({what})",
                backup.restores.human(9),
                gigabytes.human(9)
            );
            self.of_table(
                region,
                usage_type,
                &backup.restores * &gigabytes,
                Because::rule("5.5", text),
            );
        }
    }

    /// Backups of a rule of AWS Backup: as many as are kept at any time, each as large as the table
    /// is now.
    fn backup_rule(&mut self, region: &str, rule: &BackupRule) {
        let what = "the backups of its entries by AWS Backup";
        let warm = UsageType::AWS_BACKUP_WARM;
        let (bytes, held) = self.backed_up(false, region, &warm, what);
        let gigabytes = &bytes / &Exact::from(GB);
        self.kept_backups(region, rule, &rule.kept, (&gigabytes, &held));
        for (other, life) in &rule.copies {
            self.kept_backups(other, rule, life, (&gigabytes, &held));
            // Only a copy to another region is charged as a transfer.
            if other == region {
                continue;
            }
            let backups = &rule.a_month;
            let text = format!(
                "copies a month to {other}: {} x {} GB ({held})",
                backups.human(6),
                gigabytes.human(9)
            );
            self.of_table(
                region,
                UsageType::AWS_BACKUP_COPY,
                backups * &gigabytes,
                Because::rule("5.4", text),
            );
        }
    }

    /// The backups of a rule that a region holds in warm and in cold storage.
    fn kept_backups(
        &mut self,
        region: &str,
        rule: &BackupRule,
        life: &BackupLife,
        (gigabytes, held): (&Exact, &str),
    ) {
        let kept = [
            (UsageType::AWS_BACKUP_WARM, &life.warm_days, "warm"),
            (UsageType::AWS_BACKUP_COLD, &life.cold_days, "cold"),
        ];
        for (usage_type, days, storage) in kept {
            if days.is_zero() {
                continue;
            }
            let count = days / &rule.every_days;
            let text = format!(
                "backups in {storage} storage: one {} for {} days = {} x {} GB ({held})",
                match rule.every_days == Exact::one() {
                    true => "a day".to_string(),
                    false => format!("every {} days", rule.every_days.human(6)),
                },
                days.human(6),
                count.human(6),
                gigabytes.human(9)
            );
            self.of_table(
                region,
                usage_type,
                &count * gigabytes,
                Because::rule("5.4", text),
            );
        }
    }

    /// Bytes that replicas receive from writes whose items are not known.
    fn unknown_transfer(&mut self) {
        if !self.metered.hides_writes() {
            return;
        }
        let home = &self.design.workload.region;
        let is_measured = |region: &String| {
            let to = UsageType::TransferTo(region.clone());
            self.design
                .table
                .measured
                .iter()
                .any(|one| one.usage_type == to)
        };
        for replica in self.design.copies() {
            if is_measured(&replica.region) {
                continue;
            }
            let what = format!("the transfer of its writes to {}", replica.region);
            let gap = self.design.gap_because(
                home,
                what,
                UsageType::TransferTo(replica.region.to_string()),
            );
            self.gaps.push(gap(UNKNOWN_WRITES));
        }
    }

    /// What a bill measured.
    fn measured(&mut self) {
        let design = self.design;
        let subject = design.subject(None, &design.workload.region, None);
        let measured = super::design::measured(&design.table.measured, &subject);
        self.usage.extend(measured);
    }

    /// Costs of the table that are not metered.
    fn unpriced(&mut self) {
        let design = self.design;
        let region = &design.workload.region;
        let table = &design.table.table.name;
        for (at, one) in design.table.unpriced.iter().enumerate() {
            let part = DesignPart::Unpriced(Some(table.clone()), at);
            let place = design.workload.written.place(&part);
            let gap = design.gap_because(region, one.what.clone(), UsageType::unpriced());
            self.gaps.push(Gap {
                unread: Some(Unread::new(one.kind, place)),
                ..gap(why_unread(one.kind))
            });
        }
    }

    fn streams(&mut self) {
        let design = self.design;
        let Some(stream) = &design.table.stream else {
            return;
        };
        let region = &design.workload.region;
        if design.table.unknown.stream_readers {
            let gap = design.gap_because(
                region,
                "the reads of its stream".to_string(),
                UsageType::STREAM_READS,
            );
            self.gaps
                .push(gap("its readers are \"unknown\"; give `readers = { \
                           lambda = 1 }` (free) or `{ polling = 1 }`"));
        }
        if stream.kinesis && self.metered.hides_writes() {
            let usage_type = UsageType::CHANGE_DATA_CAPTURE;
            let gap = design.gap_because(
                region,
                "change data capture of writes whose items are not known".to_string(),
                usage_type,
            );
            self.gaps.push(gap(UNKNOWN_WRITES));
        }
        if !stream.polling.is_zero() && stream.shards.is_none() && items(design).is_none() {
            let usage_type = UsageType::STREAM_READS;
            let gap = design.gap_because(
                region,
                "the polls of shards beyond those that its traffic needs".to_string(),
                usage_type,
            );
            self.gaps
                .push(gap("the number of shards depends on the size of the \
                           table, which is not known; give `shards`"));
        }
        if !stream.polling.is_zero() {
            let shards = stream
                .shards
                .clone()
                .unwrap_or_else(|| estimated_shards(design));
            let seconds = design.workload.month.seconds();
            let calls = &(&(&stream.polling * &shards) * &stream.polls_per_second) * &seconds;
            let text = format!(
                "{} x {} x {} GetRecords a second x {seconds} s = {calls}",
                count_of(stream.polling.clone(), "polling reader"),
                count_of(shards, "shard"),
                stream.polls_per_second
            );
            self.of_table(
                &design.workload.region,
                UsageType::STREAM_READS,
                calls,
                Because::rule("5.1", text),
            );
        }
        if stream.kinesis {
            for (name, calls, units) in self.metered.captured() {
                let quantity = &calls * &units;
                let text = format!(
                    "{} x {} units, the larger image of each changed item in KB = {quantity}",
                    count_of(calls.clone(), "call"),
                    units.human(9)
                );
                let because = vec![Because::rule("5.2", text)];
                let usage_type = UsageType::CHANGE_DATA_CAPTURE;
                self.push(
                    self.design
                        .subject(None, &design.workload.region, Some(name)),
                    usage_type,
                    quantity,
                    because,
                );
            }
        }
    }

    fn exports(&mut self) {
        let design = self.design;
        let Some(archive) = &design.table.archive else {
            return;
        };
        let region = design.workload.region.clone();
        let exports = &archive.exports;
        if archive.incremental && self.metered.hides_writes() {
            let gap = design.gap_because(
                &region,
                "incremental exports of writes whose items are not known".to_string(),
                UsageType::EXPORT_INCREMENTAL,
            );
            self.gaps.push(gap(UNKNOWN_WRITES));
        }
        let (bytes, usage_type, gigabytes, text) = if archive.incremental {
            let changed = &self.metered.changed_bytes() / exports;
            let least = Exact::from(INCREMENTAL_EXPORT_BYTES_MIN);
            let billed = changed.clone().max(least);
            let gigabytes = &(&billed * exports) / &Exact::from(GB);
            let text = format!(
                "{} incremental exports x {} B changed in each (at least 10 MB)",
                exports.human(6),
                changed.human(0)
            );
            (changed, UsageType::EXPORT_INCREMENTAL, gigabytes, text)
        } else {
            let (bytes, what) = self.backed_up(
                false,
                &region,
                &UsageType::EXPORT_FULL,
                "the exports of its entries",
            );
            let gigabytes = &(&bytes * exports) / &Exact::from(GB);
            let text = format!(
                "{} full exports x {bytes} B ({what}) = {} GB",
                exports.human(6),
                gigabytes.human(9)
            );
            (bytes, UsageType::EXPORT_FULL, gigabytes, text)
        };
        let because = Because::rule("5.6", text);
        self.of_table(&region, usage_type, gigabytes, because);
        self.archived(archive, &(&bytes * &archive.compression), &region);
    }

    /// Exports in S3, in the steady state: as many leave each storage class as enter it.
    fn archived(&mut self, archive: &Archive, bytes: &Exact, region: &str) {
        let month = &self.design.workload.month;
        let exports = &archive.exports;
        let gigabytes = bytes / &Exact::from(GB);
        let objects = (bytes / &archive.object_bytes).ceil().max(Exact::one());
        let put = exports * &objects;
        let text = format!(
            "{} {} x {} of up to {} B written",
            exports.human(6),
            plural(*exports == Exact::one(), "export"),
            count_of(objects.clone(), "object"),
            archive.object_bytes
        );
        self.of_table(
            region,
            UsageType::S3_PUTS,
            put.clone(),
            Because::rule("12.3", text),
        );
        for (at, stay) in archive.stays.iter().enumerate() {
            if at > 0 {
                let text = format!(
                    "objects that move to {1} in a month: {0}",
                    put.human(6),
                    stay.class.replace('_', " ")
                );
                self.of_table(
                    region,
                    UsageType::s3_transition(stay.class),
                    put.clone(),
                    Because::rule("12.3", text),
                );
            }
            let months = &stay.billed_days / &month.days();
            // An object smaller than the class's minimum size is billed at that size.
            let least = Exact::from(object_bytes_min(stay.class));
            let gigabytes = if archive.object_bytes < least {
                &(&objects * &least) / &Exact::from(GB)
            } else {
                gigabytes.clone()
            };
            let quantity = &(exports * &gigabytes) * &months;
            let minimum = if stay.billed_days > stay.days {
                format!(
                    " (billed {}, the class's minimum)",
                    stay.billed_days.human(2)
                )
            } else {
                String::new()
            };
            let text = format!(
                "{} {} a month x {} GB, each {} {} in {}{minimum}: {} GB at any time",
                exports.human(6),
                plural(*exports == Exact::one(), "export"),
                gigabytes.human(9),
                stay.days.human(2),
                plural(stay.days == Exact::one(), "day"),
                stay.class.replace('_', " "),
                quantity.human(9)
            );
            self.of_table(
                region,
                UsageType::s3_storage(stay.class),
                quantity,
                Because::rule("12.3", text),
            );
        }
    }

    fn import(&mut self) {
        let Some(Import { bytes, times, .. }) = self
            .design
            .table
            .import
            .as_ref()
            .filter(|import| !import.once)
        else {
            return;
        };
        let gigabytes = &(bytes * times) / &Exact::from(GB);
        let text = format!(
            "imports: {} x {bytes} B, uncompressed = {} GB",
            times.human(6),
            gigabytes.human(9)
        );
        self.of_table(
            &self.design.workload.region,
            UsageType::IMPORT,
            gigabytes,
            Because::rule("5.7", text),
        );
    }

    fn dax(&mut self) {
        let Some(dax) = &self.design.table.dax else {
            return;
        };
        let workload = self.design.workload;
        let subject = self.design.subject(None, &workload.region, None);
        self.usage
            .push(nodes(workload, subject, dax.nodes, &dax.node_type));
    }

    fn contributor_insights(&mut self) {
        let design = self.design;
        let home = &design.workload.region;
        let of_index = |at: usize| design.table.indexes[at].contributor_insights;
        self.graphs(home, design.table.contributor_insights, &of_index);
        self.events(
            home,
            design.table.contributor_insights,
            &of_index,
            &design.table.access,
        );
        for replica in design.copies() {
            let of_index = |at: usize| {
                replica
                    .indexes
                    .get(at)
                    .map_or_else(ContributorInsights::default, |index| {
                        index.contributor_insights
                    })
            };
            self.graphs(&replica.region, replica.contributor_insights, &of_index);
            let writes = design
                .table
                .access
                .iter()
                .filter(|access| !access.is_read());
            let there: Vec<AccessPattern> = replica.access.iter().chain(writes).cloned().collect();
            self.events(
                &replica.region,
                replica.contributor_insights,
                &of_index,
                &there,
            );
        }
    }

    /// The graphs of a table and of its global indexes in one region.
    fn graphs(
        &mut self,
        region: &str,
        own: ContributorInsights,
        of_index: &dyn Fn(usize) -> ContributorInsights,
    ) {
        let table = &self.design.table.table;
        let sorted = table.keys.sort.is_some();
        let subject = self.design.subject(None, region, None);
        self.graphs_of(subject, own, sorted);
        let indexes = table.indexes.iter().enumerate();
        for (at, index) in indexes.filter(|(_, index)| index.kind == IndexKind::Global) {
            let subject = self.design.subject(Some(&index.name), region, None);
            self.graphs_of(subject, of_index(at), index.keys.len() > 1);
        }
    }

    /// The graphs of a table or an index: of the most accessed and the most throttled keys, by
    /// partition key and, if there is a sort key, by both.
    fn graphs_of(&mut self, subject: Subject, mode: ContributorInsights, sorted: bool) {
        let (each, what, rule) = match mode {
            ContributorInsights::Off => return,
            ContributorInsights::AllKeys => (2, "most accessed and most throttled", "12.1"),
            ContributorInsights::ThrottledKeys => (1, "most throttled", "11.8"),
        };
        let graphs = if sorted { 2 * each } else { each };
        let both = if sorted { " and by both keys" } else { "" };
        let text = format!(
            "{}: {what}, by partition key{both}",
            count_of(graphs, "graph")
        );
        self.push(
            subject,
            UsageType::INSIGHTS_RULES,
            Exact::from(graphs),
            vec![Because::rule(rule, text)],
        );
    }

    /// The events of the calls of one region: each item that is read or written through a table or
    /// an index with Contributor Insights.
    fn events(
        &mut self,
        region: &str,
        own: ContributorInsights,
        of_index: &dyn Fn(usize) -> ContributorInsights,
        accesses: &[AccessPattern],
    ) {
        let design = self.design;
        let table = &design.table.table;
        let sorted = table.keys.sort.is_some();
        for access in accesses {
            let (index, items) = touched(access);
            // A local index is covered by Contributor Insights of its table.
            let global = index.filter(|at| table.indexes[*at].kind == IndexKind::Global);
            if global.map_or(own, of_index) != ContributorInsights::AllKeys {
                continue;
            }
            if matches!(
                access.call,
                PatternCall::Counted { .. } | PatternCall::Unknown { .. }
            ) {
                let usage_type = UsageType::INSIGHTS_EVENTS;
                let gap = design.gap_because(
                    region,
                    format!("events of Contributor Insights from {:?}", access.name),
                    usage_type,
                );
                self.gaps
                    .push(gap("the number of items that the calls read or write is \
                               not known; describe the calls as [[table.access]]"));
                continue;
            }
            let (passes, _) = passing(design, access);
            let calls = &access.calls * &passes;
            let sorted = index.map_or(sorted, |at| table.indexes[at].keys.len() > 1);
            let each = if sorted { 2 } else { 1 };
            let events = &(&calls * &items) * &Exact::from(each);
            let behind = if passes == Exact::one() {
                ""
            } else {
                " that reach the table"
            };
            let text = format!(
                "{}{behind} x {} x {} = {events}",
                count_of(calls.clone(), "call"),
                count_of(items.clone(), "item"),
                count_of(each, "event")
            );
            let index = index.map(|at| table.indexes[at].name.as_str());
            let usage_type = UsageType::INSIGHTS_EVENTS;
            self.push(
                self.design.subject(index, region, Some(&access.name)),
                usage_type,
                events,
                vec![Because::rule("12.1", text)],
            );
        }
    }

    /// The keys of a region and their requests: each region of a global table has its own key.
    fn encryption(&mut self, region: &str, encryption: Option<&Encryption>) {
        let Some(Encryption { keys, callers }) = encryption else {
            return;
        };
        self.of_table(
            region,
            UsageType::KMS_KEYS,
            keys.clone(),
            Because::rule("12.2", format!("customer managed keys: {keys}")),
        );
        let hours = self.design.workload.month.hours();
        let requests = &(callers * hours) * &Exact::from(KEY_REQUESTS_AN_HOUR);
        let text = format!(
            "callers: {callers} x {hours} hours x {KEY_REQUESTS_AN_HOUR} requests, one every five \
             minutes = {requests}"
        );
        self.of_table(
            region,
            UsageType::KMS_REQUESTS,
            requests,
            Because::rule("12.2", text),
        );
    }
}

fn stored(what: &str, held: &Occupied, overhead: u64, global: bool) -> Vec<Because> {
    let mean = if held.count.is_zero() {
        Exact::zero()
    } else {
        &held.data / &held.count
    };
    let text = format!(
        "{} {what} x ({} B + {overhead} B) = {} GB",
        held.count,
        mean.human(3),
        (&held.billed(global) / &Exact::from(GB)).human(9)
    );
    vec![Because::rule("1.10", text)]
}

/// The minimum billed size of an object in an S3 storage class: 128 KB in Standard-IA and Glacier
/// Instant Retrieval, 40 KB in Glacier Flexible Retrieval and Deep Archive (rule 12.3).
fn object_bytes_min(class: &str) -> u64 {
    match class {
        "standard_ia" | "glacier_instant" => 128 * KB,
        "glacier_flexible" | "deep_archive" => 40 * KB,
        _ => 0,
    }
}

/// The number of items that one call reads or writes, and the index it reads. Reads of missing
/// items do not count.
fn touched(access: &AccessPattern) -> (Option<usize>, Exact) {
    match &access.call {
        PatternCall::Get { missing, .. } => {
            (None, access.call.items() * (Exact::one() - missing.clone()))
        }
        PatternCall::Page { index, missing, .. } => (
            *index,
            access.call.items() * (Exact::one() - missing.clone()),
        ),
        PatternCall::Write { .. } | PatternCall::Transaction { .. } => (None, access.call.items()),
        PatternCall::Traced(traced) => (
            traced.index,
            Exact::ratio(traced.touched, traced.calls.max(1)),
        ),
        PatternCall::Counted { target, .. } => (target.index(), Exact::zero()),
        PatternCall::Unknown { targets, .. } => (
            targets.first().and_then(|target| target.index()),
            Exact::zero(),
        ),
    }
}

/// The number of shards of a table's stream: the number of partitions of the table, by size and by
/// throughput.
///
/// `Assumption:` AWS documents neither the number of partitions of a table nor that the shards
/// follow them.
fn estimated_shards(design: &TableContext) -> Exact {
    let bytes = items(design).map_or_else(Exact::zero, |held| held.data);
    let writes: Exact = design
        .table
        .access
        .iter()
        .map(|access| &writes_of(access) / &design.workload.month.seconds())
        .sum();
    partitions(&bytes, &Exact::zero(), &writes)
}

fn writes_of(access: &AccessPattern) -> Exact {
    match &access.call {
        PatternCall::Write { .. } | PatternCall::Transaction { .. } => {
            &access.calls * &access.call.items()
        }
        PatternCall::Traced(traced) if traced.writes => {
            &access.calls * &Exact::ratio(traced.touched, traced.calls.max(1))
        }
        PatternCall::Get { .. }
        | PatternCall::Page { .. }
        | PatternCall::Traced(_)
        | PatternCall::Counted { .. }
        | PatternCall::Unknown { .. } => Exact::zero(),
    }
}
