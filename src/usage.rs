//! What AWS bills: usage types by AWS's names, quantities, and reasons.

use std::borrow::Cow;
use std::fmt;

use crate::table::{Direction, TableClass};
use crate::units::Exact;

/// A kind of usage that AWS bills.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsageType {
    /// Request units of the on-demand mode.
    Requests(Throughput, TableClass),
    /// Capacity unit-hours of the provisioned mode.
    CapacityHours(Throughput, TableClass),
    /// A part of a reservation.
    Reserved {
        /// The term, 1 or 3 years.
        years: u64,
        /// Reads or writes.
        direction: Direction,
        /// What is paid by the hour, or up front.
        part: ReservedPart,
    },
    /// Storage of tables and indexes.
    Storage(TableClass),
    /// Hours of a DAX node, by type, such as `dax.r5.large`.
    DaxNode(String),
    /// Transfer to another region.
    TransferTo(String),
    /// A usage type at the price under a Database Savings Plan of one year.
    Planned(Box<UsageType>),
    /// Any other usage type of the catalogue, by the code of the price books.
    Listed(&'static str),
    /// A code that the catalogue does not have.
    Unlisted(String),
}

/// The two parts of the price of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReservedPart {
    /// For each hour of the term.
    Hourly,
    /// Once, for each unit.
    Upfront,
}

/// The service, the name on a bill and the unit of a usage type.
struct Billed {
    service: &'static str,
    name: &'static str,
    unit: &'static str,
}

/// Every code of the price books whose bill name does not depend on a parameter.
///
/// Source: Developer Guide, "Understanding DynamoDB billing and usage reports"; S3 User Guide,
/// "Understanding your AWS billing and usage reports for Amazon S3".
const CATALOGUE: &[(&str, &str, &str, &str)] = &[
    (
        "write_request_unit_standard",
        "AmazonDynamoDB",
        "WriteRequestUnits",
        "WRU",
    ),
    (
        "write_request_unit_ia",
        "AmazonDynamoDB",
        "IA-WriteRequestUnits",
        "WRU",
    ),
    (
        "read_request_unit_standard",
        "AmazonDynamoDB",
        "ReadRequestUnits",
        "RRU",
    ),
    (
        "read_request_unit_ia",
        "AmazonDynamoDB",
        "IA-ReadRequestUnits",
        "RRU",
    ),
    (
        "replicated_write_request_unit_standard",
        "AmazonDynamoDB",
        "ReplWriteRequestUnits",
        "rWRU",
    ),
    (
        "replicated_write_request_unit_ia",
        "AmazonDynamoDB",
        "IA-ReplWriteRequestUnits",
        "rWRU",
    ),
    (
        "write_capacity_unit_hour_standard",
        "AmazonDynamoDB",
        "WriteCapacityUnit-Hrs",
        "WCU-hour",
    ),
    (
        "write_capacity_unit_hour_ia",
        "AmazonDynamoDB",
        "IA-WriteCapacityUnit-Hrs",
        "WCU-hour",
    ),
    (
        "read_capacity_unit_hour_standard",
        "AmazonDynamoDB",
        "ReadCapacityUnit-Hrs",
        "RCU-hour",
    ),
    (
        "read_capacity_unit_hour_ia",
        "AmazonDynamoDB",
        "IA-ReadCapacityUnit-Hrs",
        "RCU-hour",
    ),
    (
        "replicated_write_capacity_unit_hour_standard",
        "AmazonDynamoDB",
        "ReplWriteCapacityUnit-Hrs",
        "rWCU-hour",
    ),
    (
        "replicated_write_capacity_unit_hour_ia",
        "AmazonDynamoDB",
        "IA-ReplWriteCapacityUnit-Hrs",
        "rWCU-hour",
    ),
    (
        "reserved_1yr_write_hourly",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.write",
        "WCU-hour",
    ),
    (
        "reserved_1yr_read_hourly",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.read",
        "RCU-hour",
    ),
    (
        "reserved_3yr_write_hourly",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.write",
        "WCU-hour",
    ),
    (
        "reserved_3yr_read_hourly",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.read",
        "RCU-hour",
    ),
    (
        "reserved_1yr_write_upfront_per_unit",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.write",
        "WCU upfront",
    ),
    (
        "reserved_1yr_read_upfront_per_unit",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.read",
        "RCU upfront",
    ),
    (
        "reserved_3yr_write_upfront_per_unit",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.write",
        "WCU upfront",
    ),
    (
        "reserved_3yr_read_upfront_per_unit",
        "AmazonDynamoDB",
        "HeavyUsage:dynamodb.read",
        "RCU upfront",
    ),
    (
        "storage_standard",
        "AmazonDynamoDB",
        "TimedStorage-ByteHrs",
        "GB-month",
    ),
    (
        "storage_ia",
        "AmazonDynamoDB",
        "IA-TimedStorage-ByteHrs",
        "GB-month",
    ),
    (
        "backup_pitr",
        "AmazonDynamoDB",
        "TimedPITRStorage-ByteHrs",
        "GB-month",
    ),
    (
        "backup_on_demand",
        "AmazonDynamoDB",
        "TimedBackupStorage-ByteHrs",
        "GB-month",
    ),
    ("restore", "AmazonDynamoDB", "RestoreDataSize-Bytes", "GB"),
    (
        "export_s3_full",
        "AmazonDynamoDB",
        "ExportDataSize-Bytes",
        "GB",
    ),
    (
        "export_s3_incremental",
        "AmazonDynamoDB",
        "IncrementalExportDataSize-Bytes",
        "GB",
    ),
    ("import_s3", "AmazonDynamoDB", "ImportDataSize-Bytes", "GB"),
    (
        "streams_read_request",
        "AmazonDynamoDB",
        "Streams-Requests",
        "request",
    ),
    (
        "kinesis_change_data_capture_unit",
        "AmazonDynamoDB",
        "ChangeDataCaptureUnits-Kinesis",
        "CDC unit",
    ),
    (
        "contributor_insights_rule_month",
        "AmazonCloudWatch",
        "CW:ContributorRulesManaged",
        "rule-month",
    ),
    (
        "contributor_insights_event",
        "AmazonCloudWatch",
        "CW:ContributorEventsManaged",
        "event",
    ),
    (
        "vector_write_standard",
        "AmazonDynamoDB",
        "VectorWriteRequest",
        "GB",
    ),
    (
        "vector_write_ia",
        "AmazonDynamoDB",
        "IA-VectorWriteRequest",
        "GB",
    ),
    (
        "vector_search_standard",
        "AmazonDynamoDB",
        "VectorSearch",
        "GB",
    ),
    (
        "vector_search_ia",
        "AmazonDynamoDB",
        "IA-VectorSearch",
        "GB",
    ),
    ("kms_key_month", "awskms", "KMS-Keys", "key-month"),
    ("kms_request", "awskms", "KMS-Requests", "request"),
    (
        "data_transfer_internet_out",
        "AWSDataTransfer",
        "DataTransfer-Out-Bytes",
        "GB",
    ),
    (
        "s3_storage_standard",
        "AmazonS3",
        "TimedStorage-ByteHrs",
        "GB-month",
    ),
    (
        "s3_storage_standard_ia",
        "AmazonS3",
        "TimedStorage-SIA-ByteHrs",
        "GB-month",
    ),
    (
        "s3_storage_glacier_instant",
        "AmazonS3",
        "TimedStorage-GIR-ByteHrs",
        "GB-month",
    ),
    (
        "s3_storage_glacier_flexible",
        "AmazonS3",
        "TimedStorage-GlacierByteHrs",
        "GB-month",
    ),
    (
        "s3_storage_deep_archive",
        "AmazonS3",
        "TimedStorage-GDA-ByteHrs",
        "GB-month",
    ),
    (
        "s3_storage_intelligent_tiering_deep_archive_access",
        "AmazonS3",
        "TimedStorage-INT-DAA-ByteHrs",
        "GB-month",
    ),
    ("s3_put_standard", "AmazonS3", "Requests-Tier1", "request"),
    (
        "s3_put_standard_ia",
        "AmazonS3",
        "Requests-SIA-Tier1",
        "request",
    ),
    (
        "s3_put_glacier_instant",
        "AmazonS3",
        "Requests-GIR-Tier1",
        "request",
    ),
    (
        "s3_put_glacier_flexible",
        "AmazonS3",
        "Requests-GLACIER-Tier1",
        "request",
    ),
    ("s3_get_standard", "AmazonS3", "Requests-Tier2", "request"),
    (
        "s3_get_standard_ia",
        "AmazonS3",
        "Requests-SIA-Tier2",
        "request",
    ),
    (
        "s3_get_glacier_instant",
        "AmazonS3",
        "Requests-GIR-Tier2",
        "request",
    ),
    (
        "s3_transition_to_standard_ia",
        "AmazonS3",
        "Requests-Tier4",
        "request",
    ),
    (
        "s3_transition_to_glacier_instant",
        "AmazonS3",
        "Requests-GIR-Tier1",
        "request",
    ),
    (
        "s3_transition_to_glacier_flexible",
        "AmazonS3",
        "Requests-Tier3",
        "request",
    ),
    (
        "s3_transition_to_deep_archive",
        "AmazonS3",
        "Requests-GDA-Tier1",
        "request",
    ),
    (
        "s3_retrieval_standard_ia",
        "AmazonS3",
        "Retrieval-SIA",
        "GB",
    ),
    (
        "s3_retrieval_glacier_instant",
        "AmazonS3",
        "Retrieval-SIA-GIR",
        "GB",
    ),
    (
        "s3_retrieval_glacier_flexible_standard",
        "AmazonS3",
        "Standard-Retrieval-Bytes",
        "GB",
    ),
    (
        "s3_retrieval_deep_archive_standard",
        "AmazonS3",
        "Standard-Retrieval-Bytes-GDA",
        "GB",
    ),
    (
        "s3_retrieval_deep_archive_bulk",
        "AmazonS3",
        "Bulk-Retrieval-Bytes-GDA",
        "GB",
    ),
    (
        "aws_backup_warm",
        "AWSBackup",
        "WarmStorage-ByteHrs-DynamoDB",
        "GB-month",
    ),
    (
        "aws_backup_cold",
        "AWSBackup",
        "ColdStorage-ByteHrs-DynamoDB",
        "GB-month",
    ),
    (
        "aws_backup_copy",
        "AWSBackup",
        "CrossRegion-WarmBytes-DynamoDB",
        "GB",
    ),
    (
        "aws_backup_restore_warm",
        "AWSBackup",
        "Restore-WarmBytes-DynamoDB",
        "GB",
    ),
    (
        "aws_backup_restore_cold",
        "AWSBackup",
        "Restore-ColdBytes-DynamoDB",
        "GB",
    ),
    (
        "savings_plan_commitment",
        "DatabaseSavingsPlans",
        "DatabaseSP:1yrNoUpfront",
        "USD",
    ),
];

/// The kind of throughput, for the usage types that come in families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Throughput {
    /// Reads.
    Read,
    /// Ordinary writes.
    Write,
    /// Writes to the base table of a global table.
    ReplicatedWrite,
}

impl Throughput {
    /// All, in the order in which they are billed.
    pub const ALL: [Throughput; 3] = [
        Throughput::Read,
        Throughput::Write,
        Throughput::ReplicatedWrite,
    ];

    /// Reads, or writes of either kind.
    pub fn direction(self) -> Direction {
        match self {
            Throughput::Read => Direction::Read,
            Throughput::Write | Throughput::ReplicatedWrite => Direction::Write,
        }
    }

    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Throughput::Read => "read",
            Throughput::Write => "write",
            Throughput::ReplicatedWrite => "replicated write",
        }
    }

    fn request_code(self, class: TableClass) -> &'static str {
        match (self, class) {
            (Throughput::Read, TableClass::Standard) => "read_request_unit_standard",
            (Throughput::Read, TableClass::StandardIa) => "read_request_unit_ia",
            (Throughput::Write, TableClass::Standard) => "write_request_unit_standard",
            (Throughput::Write, TableClass::StandardIa) => "write_request_unit_ia",
            (Throughput::ReplicatedWrite, TableClass::Standard) => {
                "replicated_write_request_unit_standard"
            }
            (Throughput::ReplicatedWrite, TableClass::StandardIa) => {
                "replicated_write_request_unit_ia"
            }
        }
    }

    fn capacity_code(self, class: TableClass) -> &'static str {
        match (self, class) {
            (Throughput::Read, TableClass::Standard) => "read_capacity_unit_hour_standard",
            (Throughput::Read, TableClass::StandardIa) => "read_capacity_unit_hour_ia",
            (Throughput::Write, TableClass::Standard) => "write_capacity_unit_hour_standard",
            (Throughput::Write, TableClass::StandardIa) => "write_capacity_unit_hour_ia",
            (Throughput::ReplicatedWrite, TableClass::Standard) => {
                "replicated_write_capacity_unit_hour_standard"
            }
            (Throughput::ReplicatedWrite, TableClass::StandardIa) => {
                "replicated_write_capacity_unit_hour_ia"
            }
        }
    }
}

/// Words for usage that no access pattern causes, by the start of its code.
const PURPOSES: &[(&str, &str)] = &[
    ("storage_", "storage"),
    ("read_capacity", "read capacity"),
    ("write_capacity", "write capacity"),
    ("replicated_write_capacity", "write capacity"),
    ("reserved_", "reserved capacity"),
    ("backup_pitr", "point-in-time recovery"),
    ("backup_on_demand", "on-demand backups"),
    ("aws_backup_cold", "AWS Backup, cold storage"),
    ("aws_backup_copy", "AWS Backup, copies"),
    ("aws_backup_restore", "AWS Backup, restores"),
    ("aws_backup_", "AWS Backup"),
    ("restore", "restores"),
    ("streams_", "stream readers"),
    ("export_", "exports"),
    ("import_", "imports"),
    ("s3_", "archive"),
    ("dax_", "DAX nodes"),
    ("contributor_", "Contributor Insights"),
    ("kms_", "encryption"),
    ("vector_", "vector indexes"),
    ("data_transfer_", "transfer"),
    ("kinesis_", "change data capture"),
    ("savings_plan_", "savings plan"),
];

/// The prefixes of price book codes for a DAX node, a transfer to a region, and a savings plan.
const DAX_CODE: &str = "dax_node_hour_";
const TRANSFER_CODE: &str = "data_transfer_inter_region_to_";
const PLAN_CODE: &str = "dsp_1yr_no_upfront_";

/// Transfer between regions on a bill, without the prefixes of both.
pub(crate) const TRANSFER_NAME: &str = "AWS-Out-Bytes";

/// Names that earlier output or AWS's documentation uses, with the name on a bill.
const OLD_NAMES: [(&str, &str); 2] = [
    ("Streams-RequestsCount", "Streams-Requests"),
    ("DataTransfer-Out-Bytes", TRANSFER_NAME),
];

impl UsageType {
    /// Point-in-time recovery.
    pub const PITR: UsageType = UsageType::Listed("backup_pitr");
    /// On-demand backups.
    pub const BACKUP: UsageType = UsageType::Listed("backup_on_demand");
    /// Restores.
    pub const RESTORE: UsageType = UsageType::Listed("restore");
    /// Full exports to Amazon S3.
    pub const EXPORT_FULL: UsageType = UsageType::Listed("export_s3_full");
    /// Incremental exports to Amazon S3.
    pub const EXPORT_INCREMENTAL: UsageType = UsageType::Listed("export_s3_incremental");
    /// Imports from Amazon S3.
    pub const IMPORT: UsageType = UsageType::Listed("import_s3");
    /// Transfer to the internet.
    pub const INTERNET_OUT: UsageType = UsageType::Listed("data_transfer_internet_out");
    /// GetRecords calls of DynamoDB Streams.
    pub const STREAM_READS: UsageType = UsageType::Listed("streams_read_request");
    /// Change data capture units of Kinesis Data Streams.
    pub const CHANGE_DATA_CAPTURE: UsageType =
        UsageType::Listed("kinesis_change_data_capture_unit");
    /// Graphs of CloudWatch Contributor Insights.
    pub const INSIGHTS_RULES: UsageType = UsageType::Listed("contributor_insights_rule_month");
    /// Events of CloudWatch Contributor Insights.
    pub const INSIGHTS_EVENTS: UsageType = UsageType::Listed("contributor_insights_event");
    /// Customer managed KMS keys.
    pub const KMS_KEYS: UsageType = UsageType::Listed("kms_key_month");
    /// Requests to KMS.
    pub const KMS_REQUESTS: UsageType = UsageType::Listed("kms_request");
    /// Objects written to Amazon S3.
    pub const S3_PUTS: UsageType = UsageType::Listed("s3_put_standard");

    /// Backups of AWS Backup in warm storage.
    pub const AWS_BACKUP_WARM: UsageType = UsageType::Listed("aws_backup_warm");
    /// Backups of AWS Backup in cold storage.
    pub const AWS_BACKUP_COLD: UsageType = UsageType::Listed("aws_backup_cold");
    /// Copies of AWS Backup's backups to another region.
    pub const AWS_BACKUP_COPY: UsageType = UsageType::Listed("aws_backup_copy");
    /// Restores of AWS Backup's backups from warm storage.
    pub const AWS_BACKUP_RESTORE: UsageType = UsageType::Listed("aws_backup_restore_warm");
    /// Dollars that are committed to a Database Savings Plan.
    pub const PLAN_COMMITMENT: UsageType = UsageType::Listed("savings_plan_commitment");

    /// Bytes written to vector indexes.
    pub fn vector_writes(class: TableClass) -> UsageType {
        UsageType::Listed(match class {
            TableClass::Standard => "vector_write_standard",
            TableClass::StandardIa => "vector_write_ia",
        })
    }

    /// Bytes that vector searches search.
    pub fn vector_searches(class: TableClass) -> UsageType {
        UsageType::Listed(match class {
            TableClass::Standard => "vector_search_standard",
            TableClass::StandardIa => "vector_search_ia",
        })
    }

    /// Usage of a table that no price book has a price for.
    pub fn unpriced() -> UsageType {
        UsageType::Unlisted("unpriced".to_string())
    }

    /// Storage of archived objects in a class of Amazon S3, as the price books name it, such as
    /// `glacier_instant`.
    pub fn s3_storage(class: &str) -> UsageType {
        UsageType::of_code(&format!("s3_storage_{class}"))
    }

    /// Objects that move to a class of Amazon S3.
    pub fn s3_transition(class: &str) -> UsageType {
        UsageType::of_code(&format!("s3_transition_to_{class}"))
    }

    /// The usage type of a code of the price books.
    pub fn of_code(code: &str) -> UsageType {
        if let Some(planned) = code.strip_prefix(PLAN_CODE) {
            return UsageType::Planned(Box::new(UsageType::of_code(planned)));
        }
        if let Some(node) = code.strip_prefix(DAX_CODE) {
            return UsageType::DaxNode(format!("dax.{node}"));
        }
        if let Some(region) = code.strip_prefix(TRANSFER_CODE) {
            return UsageType::TransferTo(region.to_string());
        }
        let classes = [TableClass::Standard, TableClass::StandardIa];
        for class in classes {
            if UsageType::Storage(class).code() == code {
                return UsageType::Storage(class);
            }
            for throughput in Throughput::ALL {
                if throughput.request_code(class) == code {
                    return UsageType::Requests(throughput, class);
                }
                if throughput.capacity_code(class) == code {
                    return UsageType::CapacityHours(throughput, class);
                }
            }
        }
        for years in [1, 3] {
            for direction in Direction::BOTH {
                for part in [ReservedPart::Hourly, ReservedPart::Upfront] {
                    let reserved = UsageType::Reserved {
                        years,
                        direction,
                        part,
                    };
                    if reserved.code() == code {
                        return reserved;
                    }
                }
            }
        }
        match CATALOGUE.iter().find(|(listed, ..)| *listed == code) {
            Some((listed, ..)) => UsageType::Listed(listed),
            None => UsageType::Unlisted(code.to_string()),
        }
    }

    /// The code of the price books.
    pub fn code(&self) -> Cow<'static, str> {
        match self {
            UsageType::Requests(throughput, class) => throughput.request_code(*class).into(),
            UsageType::CapacityHours(throughput, class) => throughput.capacity_code(*class).into(),
            UsageType::Reserved {
                years,
                direction,
                part,
            } => {
                let part = match part {
                    ReservedPart::Hourly => "hourly",
                    ReservedPart::Upfront => "upfront_per_unit",
                };
                format!("reserved_{years}yr_{}_{part}", direction.word()).into()
            }
            UsageType::Storage(TableClass::Standard) => "storage_standard".into(),
            UsageType::Storage(TableClass::StandardIa) => "storage_ia".into(),
            UsageType::DaxNode(node_type) => {
                format!("{DAX_CODE}{}", node_type.trim_start_matches("dax.")).into()
            }
            UsageType::TransferTo(region) => format!("{TRANSFER_CODE}{region}").into(),
            UsageType::Planned(usage) => format!("{PLAN_CODE}{}", usage.code()).into(),
            UsageType::Listed(code) => (*code).into(),
            UsageType::Unlisted(code) => code.clone().into(),
        }
    }

    /// The throughput that it bills in one table class, in another class; `None` if it does not
    /// bill throughput of that class.
    pub fn in_class(&self, class: TableClass, other: TableClass) -> Option<UsageType> {
        match self {
            UsageType::Requests(throughput, of) if *of == class => {
                Some(UsageType::Requests(*throughput, other))
            }
            UsageType::CapacityHours(throughput, of) if *of == class => {
                Some(UsageType::CapacityHours(*throughput, other))
            }
            UsageType::Planned(covered) => {
                let covered = covered.in_class(class, other)?;
                Some(UsageType::Planned(Box::new(covered)))
            }
            _ => None,
        }
    }

    /// The usage type that a savings plan covers; any other usage type is itself.
    pub fn without_plan(&self) -> &UsageType {
        match self {
            UsageType::Planned(covered) => covered,
            other => other,
        }
    }

    /// The throughput that it bills, per request or per hour; `None` for everything else,
    /// reservations included.
    pub fn throughput(&self) -> Option<Throughput> {
        match self.without_plan() {
            UsageType::Requests(throughput, _) | UsageType::CapacityHours(throughput, _) => {
                Some(*throughput)
            }
            _ => None,
        }
    }

    /// Whether it bills reads or writes; `None` if it is not throughput.
    pub fn direction(&self) -> Option<Direction> {
        self.throughput().map(Throughput::direction)
    }

    /// Whether it bills requests that read.
    pub fn is_read_request(&self) -> bool {
        matches!(
            self.without_plan(),
            UsageType::Requests(Throughput::Read, _)
        )
    }

    /// Whether it is charged once, by the size of what is exported, imported or restored.
    pub fn is_charged_once(&self) -> bool {
        matches!(
            *self,
            UsageType::EXPORT_FULL
                | UsageType::EXPORT_INCREMENTAL
                | UsageType::RESTORE
                | UsageType::IMPORT
        )
    }

    /// Whether a part of a month has a part of its quantity. What is charged once, or for a month
    /// as a whole, has all of it.
    ///
    /// Source: Amazon DynamoDB, AWS Backup, Amazon CloudWatch and AWS KMS pricing.
    pub fn grows_with_hours(&self) -> bool {
        let is_by_month = matches!(*self, UsageType::INSIGHTS_RULES | UsageType::KMS_KEYS);
        !(self.is_charged_once() || is_by_month || self.service() == "AWSBackup")
    }

    /// Whether its price is the same in every region.
    pub fn has_global_price(&self) -> bool {
        matches!(
            *self,
            UsageType::KMS_KEYS | UsageType::KMS_REQUESTS | UsageType::PLAN_COMMITMENT
        )
    }

    /// What it is for, if no access pattern causes it.
    pub fn purpose(&self) -> &'static str {
        let code = self.without_plan().code();
        PURPOSES
            .iter()
            .find(|(prefix, _)| code.starts_with(prefix))
            .map_or("(table)", |(_, purpose)| purpose)
    }

    /// The codes of the price books for a usage type of a service, as a bill names it.
    pub fn codes_named<'n>(
        service: &'n str,
        name: &'n str,
    ) -> impl Iterator<Item = &'static str> + use<'n> {
        let is = |name: &str| {
            CATALOGUE
                .iter()
                .any(|(_, of, known, _)| *of == service && *known == name)
        };
        let name = if is(name) {
            name
        } else {
            UsageType::name_on_a_bill(name)
        };
        CATALOGUE
            .iter()
            .filter(move |(_, of, known, _)| *of == service && *known == name)
            .map(|(code, ..)| *code)
    }

    /// The usage type that a service bills under a name, without the prefix of a region; `None` for
    /// names that the catalogue does not have, and for reservations, whose name does not tell their
    /// term.
    pub fn on_a_bill(service: &str, name: &str) -> Option<UsageType> {
        if service == "AmazonDAX" {
            let node = name.strip_prefix("NodeUsage:dax")?;
            // Source: DAX's guide writes `dax-r5.large`, the price list `dax.r5.large`.
            let size = node.strip_prefix(['.', '-'])?;
            return Some(UsageType::DaxNode(format!("dax.{size}")));
        }
        UsageType::codes_named(service, name)
            .find(|code| !code.starts_with("reserved_"))
            .map(UsageType::of_code)
    }

    /// The usage type of any service that belongs to a DynamoDB bill, by its name without the prefix
    /// of a region.
    pub fn named(name: &str) -> Option<UsageType> {
        let services = [
            "AmazonDynamoDB",
            "AmazonDAX",
            "AWSBackup",
            "AmazonCloudWatch",
        ];
        let mut found = services.iter();
        found.find_map(|service| UsageType::on_a_bill(service, name))
    }

    /// A usage type of a bill, divided into the prefix of its region and its name: `USE1-`, `EU-`,
    /// `APN1-`. Usage types of us-east-1 may have no prefix, and `IA-` is a table class.
    pub fn split_prefix(usage_type: &str) -> (Option<&str>, &str) {
        let Some((prefix, rest)) = usage_type.split_once('-') else {
            return (None, usage_type);
        };
        let letters = prefix.chars().take_while(char::is_ascii_uppercase).count();
        let digits = prefix.len() - letters;
        let is_prefix = prefix == "EU"
            || (letters == 3
                && (1..=2).contains(&digits)
                && prefix[letters..].chars().all(|c| c.is_ascii_digit()));
        if is_prefix {
            (Some(prefix), rest)
        } else {
            (None, usage_type)
        }
    }

    /// The names of all usage types that the catalogue has.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CATALOGUE
            .iter()
            .map(|(_, _, name, _)| *name)
            .chain([TRANSFER_NAME])
    }

    /// The current name on a bill, for a current or an older name of a usage type.
    pub fn name_on_a_bill(name: &str) -> &str {
        OLD_NAMES
            .iter()
            .find(|(old, _)| *old == name)
            .map_or(name, |(_, new)| new)
    }

    /// Where a transfer between regions goes; `None` for everything else.
    pub fn destination(&self) -> Option<&str> {
        match self {
            UsageType::TransferTo(region) => Some(region),
            _ => None,
        }
    }

    fn billed(&self) -> Billed {
        let code = match self {
            UsageType::DaxNode(_) => {
                return Billed {
                    service: "AmazonDAX",
                    name: "NodeUsage",
                    unit: "node-hour",
                };
            }
            // Source: Cost and Usage Reports: the product code of a transfer is that of the service
            // that owns the data.
            UsageType::TransferTo(_) => {
                return Billed {
                    service: "AmazonDynamoDB",
                    name: TRANSFER_NAME,
                    unit: "GB",
                };
            }
            UsageType::Planned(usage) => return usage.billed(),
            _ => self.code(),
        };
        match CATALOGUE.iter().find(|(listed, ..)| *listed == code) {
            Some((_, service, name, unit)) => Billed {
                service,
                name,
                unit,
            },
            None => Billed {
                service: "",
                name: "",
                unit: "unit",
            },
        }
    }

    /// The service that bills it, as a bill's product code.
    pub fn service(&self) -> &'static str {
        self.billed().service
    }

    /// Its name on a bill, without the prefix of a region.
    pub fn name(&self) -> String {
        match (self, self.billed().name) {
            (UsageType::DaxNode(node_type), name) => format!("{name}:{node_type}"),
            (_, "") => self.code().into_owned(),
            (_, name) => name.to_string(),
        }
    }

    /// Its whole name on the bill of a region: with the region's prefix, and with that of its
    /// destination if data goes to another region.
    ///
    /// Source: Cost and Usage Reports, such as `EUC1-IA-WriteRequestUnits` and
    /// `USE1-EUW1-AWS-Out-Bytes`.
    pub fn bill_name(&self, prefix: &str, destination_prefix: Option<&str>) -> Option<String> {
        match self {
            UsageType::TransferTo(_) => {
                Some(format!("{prefix}-{}-{}", destination_prefix?, self.name()))
            }
            UsageType::Unlisted(_) => None,
            &UsageType::PLAN_COMMITMENT => Some(self.name()),
            _ => Some(format!("{prefix}-{}", self.name())),
        }
    }

    /// The unit of its quantity.
    pub fn unit(&self) -> &'static str {
        self.billed().unit
    }

    /// The unit in the plural, for output.
    pub fn units(&self) -> String {
        match self.unit() {
            unit @ ("GB" | "USD") => unit.to_string(),
            unit => format!("{unit}s"),
        }
    }

    /// Whether it is counted in calls, units or events, whose price AWS's pages state per million.
    ///
    /// Source: Amazon DynamoDB pricing, such as "$0.625 per million write request units".
    pub fn is_priced_by_the_million(&self) -> bool {
        matches!(
            self.unit(),
            "WRU" | "RRU" | "rWRU" | "request" | "event" | "CDC unit"
        )
    }

    /// The decimals that a quantity keeps when it is charged: 9 for sizes and shares of a term, 6
    /// for counts.
    pub fn places(&self) -> u32 {
        match self.unit() {
            "GB" | "GB-month" | "WCU upfront" | "RCU upfront" => 9,
            _ => 6,
        }
    }

    /// Which of AWS's free tiers could cover it. Whether a region has that tier, and for how much,
    /// is in its price book.
    pub fn free_tier(&self) -> Option<FreeTier> {
        match *self {
            UsageType::CapacityHours(_, TableClass::Standard) => Some(FreeTier::Throughput),
            UsageType::Storage(TableClass::Standard) => Some(FreeTier::Storage),
            UsageType::STREAM_READS => Some(FreeTier::Streams),
            _ => None,
        }
    }
}

/// By code, as the price books order it.
impl Ord for UsageType {
    fn cmp(&self, other: &UsageType) -> std::cmp::Ordering {
        self.code().cmp(&other.code())
    }
}

impl PartialOrd for UsageType {
    fn partial_cmp(&self, other: &UsageType) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// One of AWS's free tiers; each applies per account, region and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FreeTier {
    /// Hours of WCU, of RCU and of rWCU, in the Standard class.
    Throughput,
    /// Standard storage.
    Storage,
    /// Streams read requests.
    Streams,
}

impl FreeTier {
    /// The usage types that it covers.
    pub fn usage_types(self) -> Vec<UsageType> {
        match self {
            FreeTier::Throughput => Throughput::ALL
                .map(|one| UsageType::CapacityHours(one, TableClass::Standard))
                .to_vec(),
            FreeTier::Storage => vec![UsageType::Storage(TableClass::Standard)],
            FreeTier::Streams => vec![UsageType::STREAM_READS],
        }
    }
}

/// Why a line is on the bill: a sentence with its numbers, and the rule behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Because {
    /// The calculation, for output.
    pub text: String,
    /// The number of the rule in [`rules`](crate::rules), if one applies.
    pub rule: Option<&'static str>,
}

impl Because {
    /// A reason with its rule.
    pub fn rule(rule: &'static str, text: impl Into<String>) -> Because {
        Because {
            text: text.into(),
            rule: Some(rule),
        }
    }

    /// A reason without a rule, such as arithmetic.
    pub fn plain(text: impl Into<String>) -> Because {
        Because {
            text: text.into(),
            rule: None,
        }
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Some(rule) => write!(f, "{} (rule {rule})", self.text),
            None => f.write_str(&self.text),
        }
    }
}

/// A table or one of its indexes, optionally with its region, for output: `Orders / ByStatus in
/// eu-west-1`.
pub fn place(table: &str, index: Option<&str>, region: Option<&str>) -> String {
    let index = index.map(|index| format!(" / {index}")).unwrap_or_default();
    let region = region
        .map(|region| format!(" in {region}"))
        .unwrap_or_default();
    format!("{table}{index}{region}")
}

/// What a line is about: the part of the design, and the region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The table; `None` for what belongs to the account, such as the unused part of a commitment.
    pub table: Option<String>,
    /// The index; `None` for the table itself.
    pub index: Option<String>,
    /// The region whose prices apply.
    pub region: String,
    /// The access pattern that causes the line; `None` if no single one does.
    pub access: Option<String>,
}

impl Subject {
    /// What belongs to the account in a region and to none of its tables.
    pub fn account(region: &str) -> Subject {
        Subject {
            table: None,
            index: None,
            region: region.to_string(),
            access: None,
        }
    }

    /// The table for output; `account` if it is about none.
    pub fn table_name(&self) -> &str {
        self.table.as_deref().unwrap_or(ACCOUNT)
    }

    /// Whether it is about a table.
    pub fn is_of(&self, table: &str) -> bool {
        self.table.as_deref() == Some(table)
    }
}

/// The heading of what belongs to the account and to no table.
pub const ACCOUNT: &str = "account";

/// A quantity of something that AWS bills, before it has a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What it is about.
    pub subject: Subject,
    /// What is billed.
    pub usage_type: UsageType,
    /// How much of it in the month.
    pub quantity: Exact,
    /// Why.
    pub because: Vec<Because>,
}

impl Usage {
    /// The same without its calculation.
    #[must_use]
    pub fn without_working(&self) -> Usage {
        Usage {
            because: Vec::new(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_the_names_of_a_bill() {
        for (usage, name) in [
            (
                UsageType::Requests(Throughput::ReplicatedWrite, TableClass::StandardIa),
                "EU-IA-ReplWriteRequestUnits",
            ),
            (
                UsageType::CapacityHours(Throughput::Read, TableClass::Standard),
                "EU-ReadCapacityUnit-Hrs",
            ),
            (
                UsageType::Storage(TableClass::StandardIa),
                "EU-IA-TimedStorage-ByteHrs",
            ),
            (
                UsageType::DaxNode("dax.r5.large".to_string()),
                "EU-NodeUsage:dax.r5.large",
            ),
            (
                UsageType::TransferTo("us-west-2".to_string()),
                "EU-USW2-AWS-Out-Bytes",
            ),
            (UsageType::STREAM_READS, "EU-Streams-Requests"),
            (
                UsageType::of_code("dsp_1yr_no_upfront_write_request_unit_ia"),
                "EU-IA-WriteRequestUnits",
            ),
        ] {
            assert_eq!(
                usage.bill_name("EU", Some("USW2")).as_deref(),
                Some(name),
                "{usage:?}"
            );
        }
    }

    #[test]
    fn a_code_and_its_usage_type_are_one() {
        let others = [
            "dax_node_hour_t3.small",
            "data_transfer_inter_region_to_eu-west-1",
            "dsp_1yr_no_upfront_storage_ia",
            "unheard_of",
        ];
        for code in CATALOGUE.iter().map(|(code, ..)| *code).chain(others) {
            assert_eq!(UsageType::of_code(code).code(), code);
        }
    }

    /// A code that the catalogue lacks would have its code as its name, and no unit.
    #[test]
    fn every_named_usage_type_is_in_the_catalogue() {
        let mut count = 0;
        for rest in include_str!("usage.rs")
            .split("UsageType::Listed(\"")
            .skip(1)
        {
            let Some((code, _)) = rest.split_once('"') else {
                continue;
            };
            count += 1;
            assert!(
                CATALOGUE.iter().any(|(listed, ..)| *listed == code),
                "{code}"
            );
        }
        assert!(count > 10, "{count} usage types have a name");
    }

    #[test]
    fn every_usage_type_of_a_table_has_a_purpose() {
        for (code, ..) in CATALOGUE {
            let usage = UsageType::of_code(code);
            let of_calls = matches!(usage, UsageType::Requests(..))
                || code.starts_with("kinesis_")
                || code.starts_with("data_transfer_");
            assert!(
                of_calls || usage.purpose() != "(table)",
                "{code} has no purpose"
            );
        }
    }
}
