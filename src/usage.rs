//! What AWS bills: usage types under their own names, quantities, and because of what.

use std::fmt;

use crate::table::TableClass;
use crate::units::Exact;

/// A kind of usage that AWS bills, named by the code that the price books use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageType(String);

/// How a usage type is billed: the service, its name on a bill, its unit, and the decimals of a quantity.
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
    ("write_request_unit_standard", "AmazonDynamoDB", "WriteRequestUnits", "WRU"),
    ("write_request_unit_ia", "AmazonDynamoDB", "IA-WriteRequestUnits", "WRU"),
    ("read_request_unit_standard", "AmazonDynamoDB", "ReadRequestUnits", "RRU"),
    ("read_request_unit_ia", "AmazonDynamoDB", "IA-ReadRequestUnits", "RRU"),
    ("replicated_write_request_unit_standard", "AmazonDynamoDB", "ReplWriteRequestUnits", "rWRU"),
    ("replicated_write_request_unit_ia", "AmazonDynamoDB", "IA-ReplWriteRequestUnits", "rWRU"),
    ("write_capacity_unit_hour_standard", "AmazonDynamoDB", "WriteCapacityUnit-Hrs", "WCU-hour"),
    ("write_capacity_unit_hour_ia", "AmazonDynamoDB", "IA-WriteCapacityUnit-Hrs", "WCU-hour"),
    ("read_capacity_unit_hour_standard", "AmazonDynamoDB", "ReadCapacityUnit-Hrs", "RCU-hour"),
    ("read_capacity_unit_hour_ia", "AmazonDynamoDB", "IA-ReadCapacityUnit-Hrs", "RCU-hour"),
    ("replicated_write_capacity_unit_hour_standard", "AmazonDynamoDB", "ReplWriteCapacityUnit-Hrs", "rWCU-hour"),
    ("replicated_write_capacity_unit_hour_ia", "AmazonDynamoDB", "IA-ReplWriteCapacityUnit-Hrs", "rWCU-hour"),
    ("reserved_1yr_write_hourly", "AmazonDynamoDB", "HeavyUsage:dynamodb.write", "WCU-hour"),
    ("reserved_1yr_read_hourly", "AmazonDynamoDB", "HeavyUsage:dynamodb.read", "RCU-hour"),
    ("reserved_3yr_write_hourly", "AmazonDynamoDB", "HeavyUsage:dynamodb.write", "WCU-hour"),
    ("reserved_3yr_read_hourly", "AmazonDynamoDB", "HeavyUsage:dynamodb.read", "RCU-hour"),
    ("reserved_1yr_write_upfront_per_unit", "AmazonDynamoDB", "HeavyUsage:dynamodb.write", "WCU upfront"),
    ("reserved_1yr_read_upfront_per_unit", "AmazonDynamoDB", "HeavyUsage:dynamodb.read", "RCU upfront"),
    ("reserved_3yr_write_upfront_per_unit", "AmazonDynamoDB", "HeavyUsage:dynamodb.write", "WCU upfront"),
    ("reserved_3yr_read_upfront_per_unit", "AmazonDynamoDB", "HeavyUsage:dynamodb.read", "RCU upfront"),
    ("storage_standard", "AmazonDynamoDB", "TimedStorage-ByteHrs", "GB-month"),
    ("storage_ia", "AmazonDynamoDB", "IA-TimedStorage-ByteHrs", "GB-month"),
    ("backup_pitr", "AmazonDynamoDB", "TimedPITRStorage-ByteHrs", "GB-month"),
    ("backup_on_demand", "AmazonDynamoDB", "TimedBackupStorage-ByteHrs", "GB-month"),
    ("restore", "AmazonDynamoDB", "RestoreDataSize-Bytes", "GB"),
    ("export_s3_full", "AmazonDynamoDB", "ExportDataSize-Bytes", "GB"),
    ("export_s3_incremental", "AmazonDynamoDB", "IncrementalExportDataSize-Bytes", "GB"),
    ("import_s3", "AmazonDynamoDB", "ImportDataSize-Bytes", "GB"),
    ("streams_read_request", "AmazonDynamoDB", "Streams-RequestsCount", "request"),
    ("kinesis_change_data_capture_unit", "AmazonDynamoDB", "ChangeDataCaptureUnits-Kinesis", "CDC unit"),
    ("contributor_insights_rule_month", "AmazonCloudWatch", "CW:ContributorRulesManaged", "rule-month"),
    ("contributor_insights_event", "AmazonCloudWatch", "CW:ContributorEventsManaged", "event"),
    ("kms_key_month", "awskms", "KMS-Keys", "key-month"),
    ("kms_request", "awskms", "KMS-Requests", "request"),
    ("data_transfer_internet_out", "AWSDataTransfer", "DataTransfer-Out-Bytes", "GB"),
    ("s3_storage_standard", "AmazonS3", "TimedStorage-ByteHrs", "GB-month"),
    ("s3_storage_standard_ia", "AmazonS3", "TimedStorage-SIA-ByteHrs", "GB-month"),
    ("s3_storage_glacier_instant", "AmazonS3", "TimedStorage-GIR-ByteHrs", "GB-month"),
    ("s3_storage_glacier_flexible", "AmazonS3", "TimedStorage-GlacierByteHrs", "GB-month"),
    ("s3_storage_deep_archive", "AmazonS3", "TimedStorage-GDA-ByteHrs", "GB-month"),
    ("s3_storage_intelligent_tiering_deep_archive_access", "AmazonS3", "TimedStorage-INT-DAA-ByteHrs", "GB-month"),
    ("s3_put_standard", "AmazonS3", "Requests-Tier1", "request"),
    ("s3_put_standard_ia", "AmazonS3", "Requests-SIA-Tier1", "request"),
    ("s3_put_glacier_instant", "AmazonS3", "Requests-GIR-Tier1", "request"),
    ("s3_put_glacier_flexible", "AmazonS3", "Requests-GLACIER-Tier1", "request"),
    ("s3_get_standard", "AmazonS3", "Requests-Tier2", "request"),
    ("s3_get_standard_ia", "AmazonS3", "Requests-SIA-Tier2", "request"),
    ("s3_get_glacier_instant", "AmazonS3", "Requests-GIR-Tier2", "request"),
    ("s3_transition_to_standard_ia", "AmazonS3", "Requests-Tier4", "request"),
    ("s3_transition_to_glacier_instant", "AmazonS3", "Requests-GIR-Tier1", "request"),
    ("s3_transition_to_glacier_flexible", "AmazonS3", "Requests-Tier3", "request"),
    ("s3_transition_to_deep_archive", "AmazonS3", "Requests-GDA-Tier1", "request"),
    ("s3_retrieval_standard_ia", "AmazonS3", "Retrieval-SIA", "GB"),
    ("s3_retrieval_glacier_instant", "AmazonS3", "Retrieval-SIA-GIR", "GB"),
    ("s3_retrieval_glacier_flexible_standard", "AmazonS3", "Standard-Retrieval-Bytes", "GB"),
    ("s3_retrieval_deep_archive_standard", "AmazonS3", "Standard-Retrieval-Bytes-GDA", "GB"),
    ("s3_retrieval_deep_archive_bulk", "AmazonS3", "Bulk-Retrieval-Bytes-GDA", "GB"),
];

/// Which way throughput goes, for the usage types that come in families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
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
    fn code(self) -> &'static str {
        match self {
            Throughput::Read => "read",
            Throughput::Write => "write",
            Throughput::ReplicatedWrite => "replicated_write",
        }
    }
}

fn class_code(class: TableClass) -> &'static str {
    match class {
        TableClass::Standard => "standard",
        TableClass::StandardIa => "ia",
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
    ("restore", "restores"),
    ("streams_", "stream readers"),
    ("export_", "exports"),
    ("import_", "imports"),
    ("s3_", "archive"),
    ("dax_", "DAX nodes"),
    ("contributor_", "Contributor Insights"),
    ("kms_", "encryption"),
];

impl UsageType {
    /// The usage type of a code of the price books.
    pub fn of_code(code: impl Into<String>) -> UsageType {
        UsageType(code.into())
    }

    /// Request units of the on-demand mode.
    pub fn request_units(throughput: Throughput, class: TableClass) -> UsageType {
        UsageType(format!("{}_request_unit_{}", throughput.code(), class_code(class)))
    }

    /// Capacity unit-hours of the provisioned mode.
    pub fn capacity_hours(throughput: Throughput, class: TableClass) -> UsageType {
        UsageType(format!("{}_capacity_unit_hour_{}", throughput.code(), class_code(class)))
    }

    /// Storage of tables and indexes.
    pub fn storage(class: TableClass) -> UsageType {
        UsageType(format!("storage_{}", class_code(class)))
    }

    /// Hours of a DAX node, by type, such as `dax.r5.large`.
    pub fn dax_node(node_type: &str) -> UsageType {
        UsageType(format!("dax_node_hour_{}", node_type.trim_start_matches("dax.")))
    }

    /// Transfer from one region to another.
    pub fn transfer_to(region: &str) -> UsageType {
        UsageType(format!("data_transfer_inter_region_to_{region}"))
    }

    /// What it is for, where no access pattern causes it.
    pub fn purpose(&self) -> &'static str {
        PURPOSES.iter().find(|(prefix, _)| self.0.starts_with(prefix)).map_or("(table)", |(_, purpose)| purpose)
    }

    /// The codes of the price books for a usage type of a service, as a bill names it.
    pub fn codes_named<'n>(service: &'n str, name: &'n str) -> impl Iterator<Item = &'static str> + use<'n> {
        CATALOGUE.iter().filter(move |(_, of, known, _)| *of == service && *known == name).map(|(code, ..)| *code)
    }

    /// The names of all usage types that the catalogue has.
    pub fn names() -> impl Iterator<Item = &'static str> {
        CATALOGUE.iter().map(|(_, _, name, _)| *name)
    }

    /// Where a transfer between regions goes; `None` for everything else.
    pub fn destination(&self) -> Option<&str> {
        self.0.strip_prefix("data_transfer_inter_region_to_")
    }

    /// The code of the price books.
    pub fn code(&self) -> &str {
        &self.0
    }

    fn billed(&self) -> Billed {
        let code = self.0.strip_prefix("dsp_1yr_no_upfront_").unwrap_or(&self.0);
        let listed = CATALOGUE.iter().find(|(listed, ..)| *listed == code);
        match listed {
            Some((_, service, name, unit)) => Billed { service, name, unit },
            None if code.starts_with("dax_node_hour_") => Billed { service: "AmazonDAX", name: "NodeUsage", unit: "node-hour" },
            None if code.starts_with("data_transfer_") => Billed { service: "AWSDataTransfer", name: "DataTransfer-Out-Bytes", unit: "GB" },
            None => Billed { service: "", name: "", unit: "unit" },
        }
    }

    /// The service that bills it, as a bill's product code.
    pub fn service(&self) -> &'static str {
        self.billed().service
    }

    /// Its name on a bill, without the region's prefix.
    pub fn name(&self) -> String {
        match (self.0.strip_prefix("dax_node_hour_"), self.billed().name) {
            (Some(node_type), _) => format!("NodeUsage:dax.{node_type}"),
            (None, "") => self.0.clone(),
            (None, name) => name.to_string(),
        }
    }

    /// The unit of its quantity.
    pub fn unit(&self) -> &'static str {
        self.billed().unit
    }

    /// The decimals that a quantity keeps when it is charged: 9 for sizes and shares of a term, 6 for counts.
    pub fn places(&self) -> u32 {
        match self.unit() {
            "GB" | "GB-month" | "WCU upfront" | "RCU upfront" => 9,
            _ => 6,
        }
    }

    /// Which of AWS's free tiers covers it; `None` where its lowest tier is not a free one.
    ///
    /// Source: the offer's own tiers at $0: 18,600 unit-hours, 25 GB, 2.5 million stream reads.
    pub fn free_tier(&self) -> Option<FreeTier> {
        match self.0.as_str() {
            "storage_standard" => Some(FreeTier::Storage),
            "streams_read_request" => Some(FreeTier::Streams),
            code if code.ends_with("capacity_unit_hour_standard") => Some(FreeTier::Throughput),
            _ => None,
        }
    }
}

/// One of AWS's free tiers, each for an account, a region and a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FreeTier {
    /// 18,600 hours each of WCU, RCU and rWCU (25 units all month).
    Throughput,
    /// 25 GB of Standard storage.
    Storage,
    /// 2.5 million streams read requests.
    Streams,
}

/// Why a line is there: a sentence with its numbers, and the rule behind it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Because {
    /// The working, for people.
    pub text: String,
    /// The number of the rule in [`rules`](crate::rules), where one applies.
    pub rule: Option<&'static str>,
}

impl Because {
    /// A reason with its rule.
    pub fn rule(rule: &'static str, text: impl Into<String>) -> Because {
        Because { text: text.into(), rule: Some(rule) }
    }

    /// A reason that is arithmetic alone.
    pub fn plain(text: impl Into<String>) -> Because {
        Because { text: text.into(), rule: None }
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

/// What a line is about: the place in the design and in the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// The table.
    pub table: String,
    /// The index; `None` for the table itself.
    pub index: Option<String>,
    /// The region whose prices apply.
    pub region: String,
    /// The access pattern that causes the line; `None` where no single one does.
    pub access: Option<String>,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_the_names_of_a_bill() {
        for (usage, name) in [
            (UsageType::request_units(Throughput::ReplicatedWrite, TableClass::StandardIa), "IA-ReplWriteRequestUnits"),
            (UsageType::capacity_hours(Throughput::Read, TableClass::Standard), "ReadCapacityUnit-Hrs"),
            (UsageType::storage(TableClass::StandardIa), "IA-TimedStorage-ByteHrs"),
            (UsageType::dax_node("dax.r5.large"), "NodeUsage:dax.r5.large"),
            (UsageType::transfer_to("eu-west-1"), "DataTransfer-Out-Bytes"),
            (UsageType::of_code("dsp_1yr_no_upfront_write_request_unit_ia"), "IA-WriteRequestUnits"),
        ] {
            assert_eq!(usage.name(), name, "{usage:?}");
        }
    }
}
