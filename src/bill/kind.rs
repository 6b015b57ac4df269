//! What the usage types of a bill are: its services, regions and kinds of usage.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::pricing::{Books, PriceBook};
use crate::table::Direction;
use crate::usage::UsageType;

/// What a charge is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BilledKind {
    /// Something that a design can cause.
    Usage(UsageType),
    /// Fees and the unused part of reserved capacity.
    Reserved(Direction),
    /// Fees and the unused part of a savings plan.
    SavingsPlan,
    /// Data that comes in, or from another region; AWS does not charge for it.
    TransferIn,
    /// A usage type that is not modelled, without the prefix of its region.
    NotModelled(String),
}

impl BilledKind {
    /// What it is for, in a few words.
    pub fn purpose(&self) -> &str {
        match self {
            BilledKind::Usage(UsageType::Requests(throughput, _)) => match throughput.direction() {
                Direction::Read => "read requests",
                Direction::Write => "write requests",
            },
            BilledKind::Usage(usage) => usage.purpose(),
            BilledKind::Reserved(_) => "reserved capacity",
            BilledKind::SavingsPlan => "savings plan",
            BilledKind::TransferIn => "transfer",
            BilledKind::NotModelled(_) => "not modelled",
        }
    }

    /// Its usage type, without the prefix of a region; transfers to another region have the region
    /// in words.
    pub fn name(&self) -> String {
        match self {
            BilledKind::Usage(UsageType::TransferTo(region)) => {
                format!("AWS-Out-Bytes to {region}")
            }
            BilledKind::Usage(usage) => usage.name(),
            BilledKind::Reserved(direction) => format!("HeavyUsage:dynamodb.{}", direction.word()),
            BilledKind::SavingsPlan => "DatabaseSP".to_string(),
            BilledKind::TransferIn => "DataTransfer-In-Bytes".to_string(),
            BilledKind::NotModelled(name) => name.clone(),
        }
    }

    /// The unit of its quantity.
    pub fn unit(&self) -> &str {
        match self {
            BilledKind::Usage(usage) => usage.unit(),
            BilledKind::Reserved(Direction::Read) => "RCU-hour",
            BilledKind::Reserved(Direction::Write) => "WCU-hour",
            BilledKind::SavingsPlan => "hour",
            BilledKind::TransferIn => "GB",
            BilledKind::NotModelled(_) => "unit",
        }
    }

    /// The usage type that a design can cause.
    pub fn usage(&self) -> Option<&UsageType> {
        match self {
            BilledKind::Usage(usage) => Some(usage),
            _ => None,
        }
    }
}

/// The services whose rows are kept.
const SERVICES: [(&str, &[&str]); 5] = [
    ("AmazonDynamoDB", &["Amazon DynamoDB", "DynamoDB"]),
    (
        "AmazonDAX",
        &[
            "Amazon DynamoDB Accelerator (DAX)",
            "DynamoDB Accelerator (DAX)",
            "DAX",
        ],
    ),
    ("AWSBackup", &["AWS Backup", "Backup"]),
    ("AmazonCloudWatch", &["AmazonCloudWatch", "CloudWatch"]),
    (
        PLANS,
        &[
            "Savings Plans for AWS Database usage",
            "Database Savings Plans",
        ],
    ),
];

/// The product code under which fees of Database Savings Plans are kept, if a bill has only a name.
const PLANS: &str = "DatabaseSavingsPlans";

/// The product code of DynamoDB.
pub(super) const DYNAMODB: &str = "AmazonDynamoDB";

/// The service of a row that is kept; `None` for rows of other services.
pub(super) fn service<'a>(
    code: &'a str,
    name: &str,
    usage_type: &str,
    resource: &str,
) -> Option<&'a str> {
    // Assumption: the product code of a Database Savings Plan contains these words; no real row is
    // public.
    let is_plan = code.contains("DatabaseSavingsPlan") || usage_type.contains("DatabaseSP:");
    if is_plan {
        return Some(if code.is_empty() { PLANS } else { code });
    }
    let known = |text: &str| {
        let mut all = SERVICES.iter();
        all.find(|(code, names)| *code == text || names.contains(&text))
            .map(|(code, _)| *code)
    };
    let service = match code {
        "" => known(name)?,
        code => known(code)?,
    };
    let is_kept = match service {
        "AWSBackup" => usage_type.contains("DynamoDB"),
        "AmazonCloudWatch" => {
            let of_tables = resource.is_empty() || resource.contains(":dynamodb:");
            let is_rule = usage_type.contains("CW:Contributor") && usage_type.ends_with("Managed");
            let in_words = usage_type.contains("Contributor Insights") && !resource.is_empty();
            (is_rule || in_words) && of_tables
        }
        _ => true,
    };
    is_kept.then_some(service)
}

/// Whether rows of a service may be kept, by its product code or name alone.
#[cfg(feature = "replay")]
pub(super) fn may_be_kept(code: &str, name: &str) -> bool {
    let known = |text: &str| {
        let mut all = SERVICES.iter();
        all.any(|(code, names)| *code == text || names.contains(&text))
    };
    known(code) || (code.is_empty() && known(name)) || code.contains("DatabaseSavingsPlan")
}

/// The regions by the prefixes of their usage types, those of transfers included.
fn prefixes() -> &'static BTreeMap<String, String> {
    static PREFIXES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    PREFIXES.get_or_init(|| {
        let books = Books::embedded();
        let mut all = BTreeMap::new();
        for region in books.regions() {
            let Ok(book) = books.book(region, None) else {
                continue;
            };
            let own = [PriceBook::usage_prefix(&book), book.transfer_prefix()];
            for prefix in own.into_iter().flatten() {
                all.insert(prefix.to_string(), region.to_string());
            }
        }
        all
    })
}

/// The region of a prefix, such as `EU` or `USW2`.
fn region_of(prefix: &str) -> Option<&'static str> {
    prefixes().get(prefix).map(String::as_str)
}

/// What a usage type is, and the region that its name tells. A usage type without a prefix is of
/// us-east-1.
pub(super) fn kind(service: &str, usage_type: &str) -> (BilledKind, Option<&'static str>) {
    let (prefix, name) = UsageType::split_prefix(usage_type);
    let region = match prefix {
        Some(prefix) => region_of(prefix),
        None => Some("us-east-1"),
    };
    if service.contains("SavingsPlan") {
        return (BilledKind::SavingsPlan, None);
    }
    // Transfers have two prefixes: from and to.
    if let Some((to, "AWS-Out-Bytes")) = name.split_once('-') {
        let to = region_of(to).map(|to| UsageType::TransferTo(to.to_string()));
        let unknown = || BilledKind::NotModelled(name.to_string());
        return (to.map_or_else(unknown, BilledKind::Usage), region);
    }
    let kind = match name {
        "DataTransfer-In-Bytes" => BilledKind::TransferIn,
        "DataTransfer-Out-Bytes" => BilledKind::Usage(UsageType::INTERNET_OUT),
        "HeavyUsage:dynamodb.read" => BilledKind::Reserved(Direction::Read),
        "HeavyUsage:dynamodb.write" => BilledKind::Reserved(Direction::Write),
        name if name.ends_with("-AWS-In-Bytes") => BilledKind::TransferIn,
        name => match UsageType::on_a_bill(service, name) {
            Some(usage) => BilledKind::Usage(usage),
            None => BilledKind::NotModelled(name.to_string()),
        },
    };
    (kind, region)
}

/// What a price of AWS's price list is for, by its SKU; for bills without usage types.
pub(super) fn kind_of_sku(sku: &str) -> Option<(BilledKind, &'static str)> {
    static SKUS: OnceLock<BTreeMap<&'static str, (&'static str, &'static str)>> = OnceLock::new();
    let skus = SKUS.get_or_init(|| {
        let rows = include_str!("../../pricing/skus.csv").lines().skip(1);
        let parts = rows.filter_map(|row| {
            let mut cells = row.split(',');
            Some((cells.next()?, (cells.next()?, cells.next()?)))
        });
        parts.collect()
    });
    let sku = sku.split('.').next().unwrap_or(sku);
    let (region, code) = skus.get(sku)?;
    Some((BilledKind::Usage(UsageType::of_code(code)), region))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TableClass;
    use crate::usage::Throughput;

    #[test]
    fn usage_types_of_bills_are_known_with_their_regions() {
        for (name, right, region) in [
            (
                "EUC1-IA-WriteRequestUnits",
                "write_request_unit_ia",
                "eu-central-1",
            ),
            (
                "ReadRequestUnits",
                "read_request_unit_standard",
                "us-east-1",
            ),
            (
                "USE1-Streams-RequestsCount",
                "streams_read_request",
                "us-east-1",
            ),
            (
                "APN1-Streams-Requests",
                "streams_read_request",
                "ap-northeast-1",
            ),
            (
                "USE1-EU-AWS-Out-Bytes",
                "data_transfer_inter_region_to_eu-west-1",
                "us-east-1",
            ),
            (
                "USE1-EUW3-AWS-Out-Bytes",
                "data_transfer_inter_region_to_eu-west-3",
                "us-east-1",
            ),
            (
                "EUW3-DataTransfer-Out-Bytes",
                "data_transfer_internet_out",
                "eu-west-3",
            ),
        ] {
            let (kind, of) = kind(DYNAMODB, name);
            let code = kind.usage().map(|usage| usage.code().into_owned());
            assert_eq!((code.as_deref(), of), (Some(right), Some(region)), "{name}");
        }
        for name in ["NodeUsage:dax.r5.large", "EUW3-NodeUsage:dax-r5.large"] {
            let (kind, _) = kind("AmazonDAX", name);
            let right = UsageType::DaxNode("dax.r5.large".to_string());
            assert_eq!(kind, BilledKind::Usage(right), "{name}");
        }
        let (unheard_of, _) = kind(DYNAMODB, "USE1-SomethingNew-Units");
        assert_eq!(
            unheard_of,
            BilledKind::NotModelled("SomethingNew-Units".to_string())
        );
    }

    #[test]
    fn rows_of_other_services_are_told_by_their_product_code() {
        let keyspaces = service("AmazonMCS", "", "WriteRequestUnits", "");
        assert_eq!(keyspaces, None);
        for (code, usage_type, resource, is_kept) in [
            ("AWSBackup", "USE1-WarmStorage-ByteHrs-DynamoDB", "", true),
            ("AWSBackup", "USE1-WarmStorage-ByteHrs-EBS", "", false),
            (
                "AmazonCloudWatch",
                "CW:ContributorRulesManaged",
                "arn:aws:dynamodb:x:1:table/T",
                true,
            ),
            (
                "AmazonCloudWatch",
                "CW:ContributorRulesManaged",
                "arn:aws:ec2:x:1:vpc/V",
                false,
            ),
            ("AmazonCloudWatch", "CW:Requests", "", false),
            ("ComputeSavingsPlans", "ComputeSP:1yrNoUpfront", "", false),
            ("DatabaseSavingsPlans", "DatabaseSP:1yrNoUpfront", "", true),
        ] {
            let found = service(code, "", usage_type, resource);
            assert_eq!(found.is_some(), is_kept, "{code} {usage_type} {resource}");
        }
    }

    #[test]
    fn a_sku_tells_what_its_price_is_for() {
        let (kind, region) = kind_of_sku("3SSDRADNWP4RYFMG.JRTCKXETXF.HBHVWY47CM").expect("known");
        let capacity = UsageType::CapacityHours(Throughput::Write, TableClass::Standard);
        assert_eq!((kind, region), (BilledKind::Usage(capacity), "us-east-2"));
        assert_eq!(kind_of_sku("UNKNOWN"), None);
    }
}
