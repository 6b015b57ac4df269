//! The workload file as written: one struct for each TOML table. Only types are checked here.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::decode::{
    Decode, Decoder, FileNumber, Known, Located, TomlNode, UNKNOWN, choice, document,
};
use super::quantities::{CallRate, Duration, Frequency, Growth, Names, Profile, Size, Wait};
use crate::unread::UnreadKind;

document! {
    /// A DynamoDB design and its traffic.
    pub struct WorkloadFile {
        /// The name of the design.
        name: Located<String>,
        /// The region, such as us-east-1.
        region: Located<String>,
        /// The date of the prices, YYYY-MM-DD (default: the newest).
        prices: Option<Located<String>>,
        /// Hours in a month, such as 720 for 30 days (default: 730).
        month_hours: Option<Located<FileNumber>>,
        /// Which AWS free tiers apply: true, false, or a list of throughput, storage, streams
        /// (default: false).
        free_tier: Option<FreeTierFile>,
        /// The number of whole years from now to the estimated month (default: 0). Tables grow
        /// until then.
        years_ahead: Option<Located<FileNumber>>,
        /// How a rate changes from one hour of a profile to the next, if an access pattern does not
        /// set it: steps or smooth (default: steps).
        profile_shape: Option<CourseWord>,
        /// Which interpretation of a rule to use where sources disagree.
        switches: Option<SwitchesFile>,
        /// What the account has bought or agreed in advance.
        commitment: Option<Vec<Located<CommitmentFile>>>,
        /// Times of other traffic than usual, such as a launch. They are not part of the month;
        /// `headroom` and `check` say whether the capacity holds.
        event: Option<Vec<Located<EventFile>>>,
        /// How throttled requests are repeated during an event or the loss of a region (default: they
        /// are not).
        retries: Option<Located<RetriesFile>>,
        /// The tables of the design; `table = []` is a design without tables.
        table: Option<Vec<Located<TableFile>>>,
        /// DAX clusters that serve none of the tables, or it is not known which.
        dax: Option<Vec<Located<ClusterFile>>>,
        /// Usage that a bill measured and that belongs to no table.
        measured: Option<Vec<Located<MeasuredFile>>>,
        /// Costs of the design that are not known: what an import could not read.
        unpriced: Option<Vec<Located<UnpricedFile>>>,
    }
}

document! {
    /// A time of other traffic than usual, such as a launch.
    pub struct EventFile {
        /// Its name.
        name: Located<String>,
        /// When it begins, in UTC: a day of the week and a time, such as "Tue 14:00", or a date and a
        /// time, such as "2026-12-01 14:00".
        at: Located<String>,
        /// How long it lasts: at least a minute, at most a week.
        r#for: Located<Duration>,
        /// The factor by which the usual rates are multiplied: 3 is three times as many calls.
        factor: Option<Located<FileNumber>>,
        /// Instead of `factor`: the rate of each access pattern that changes, by its name.
        rates: Option<Located<EventRatesFile>>,
        /// The access patterns that `factor` multiplies (default: all).
        access: Option<Located<Vec<Located<String>>>>,
        /// How long the rates take to rise to their full height (default: they rise at once).
        ramp: Option<Located<Duration>>,
    }
}

/// The rates of access patterns during an event, by their names.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct EventRatesFile(
    #[schemars(with = "std::collections::BTreeMap<String, Frequency>")] pub EventRates,
);

/// An access pattern, and its rate during an event.
pub type EventRates = Vec<(Located<String>, Located<Frequency>)>;

impl Decode for EventRatesFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let Some(table) = node.get_ref().as_table() else {
            reader.wrong_type(
                node,
                "a rate for each access pattern, such as { \"place an order\" = { per_second = 500 } }",
            );
            return None;
        };
        let mut rates: EventRates = table
            .iter()
            .map(|(name, value)| {
                let name = Located {
                    value: name.get_ref().to_string(),
                    span: name.span(),
                };
                let rate = Located::<Frequency>::decode(value, reader);
                (name, rate.unwrap_or_else(Located::placeholder))
            })
            .collect();
        rates.sort_by_key(|(name, _)| name.span.start);
        Some(EventRatesFile(rates))
    }
    fn placeholder() -> Self {
        EventRatesFile(Vec::new())
    }
}

document! {
    /// How throttled requests are repeated, as AWS's SDKs do it: with exponential backoff, at most 20
    /// seconds apart.
    pub struct RetriesFile {
        /// Attempts of a request in all, 1 to 20 (default: 3, as in the standard mode of the SDKs).
        attempts: Option<Located<FileNumber>>,
        /// The wait before the first repetition; it doubles with each further one (default: "1 s").
        base: Option<Located<Wait>>,
        /// Whether each waits for a random part of that time (default: true).
        jitter: Option<bool>,
    }
}

document! {
    /// A DAX cluster that is not in front of a table of the design. Only its nodes are charged.
    pub struct ClusterFile {
        /// Its name.
        name: Option<Located<String>>,
        /// The node type, such as dax.r5.large.
        node_type: Located<String>,
        /// The number of nodes, 1 to 11.
        nodes: Located<FileNumber>,
    }
}

document! {
    /// Usage as a bill has it, for what nothing else in the file causes, such as transfer, stream
    /// reads or backups. Alternatives leave it as it is.
    pub struct MeasuredFile {
        /// The usage type without the prefix of a region, such as "Streams-Requests" or
        /// "TimedBackupStorage-ByteHrs".
        usage_type: Located<String>,
        /// How much of it in a month, in the unit of the bill: requests, hours, GB or GB-months.
        quantity: Located<FileNumber>,
        /// The region (default: the workload's).
        region: Option<Located<String>>,
        /// The region that receives a transfer; only for "AWS-Out-Bytes".
        to: Option<Located<String>>,
    }
}

document! {
    /// A file of commitments, given with --commitments.
    pub struct CommitmentsFile {
        /// What the account has bought or agreed in advance.
        commitment: Option<Vec<Located<CommitmentFile>>>,
    }
}

choice! {
    /// A kind of commitment.
    pub enum CommitmentWord {
        /// Reserved capacity of a region.
        Reserved = "reserved",
        /// A Database Savings Plan.
        SavingsPlan = "savings-plan",
        /// A negotiated discount.
        Discount = "discount",
    }
}

document! {
    /// Reserved capacity, a savings plan or a discount of the account. It applies to all tables that
    /// are estimated together.
    pub struct CommitmentFile {
        /// The kind: reserved, savings-plan or discount.
        kind: Located<CommitmentWord>,
        /// The region of reserved capacity (default: the workload's) or of a discount (default: all
        /// regions).
        region: Option<Located<String>>,
        /// Reserved read units, a multiple of 100.
        read: Option<Located<FileNumber>>,
        /// Reserved write units, a multiple of 100.
        write: Option<Located<FileNumber>>,
        /// The term of reserved capacity in years: 1 or 3.
        years: Option<Located<FileNumber>>,
        /// Dollars an hour that are committed to a savings plan.
        usd_per_hour: Option<Located<FileNumber>>,
        /// The discount in percent. Several discounts of a region add up, to at most 100; one that
        /// several files say in the same words counts once.
        percent: Option<Located<FileNumber>>,
        /// Its first day, YYYY-MM-DD (default: it has begun).
        from: Option<Located<String>>,
        /// The day on which it no longer applies, YYYY-MM-DD (default: the end of the term after
        /// `from`, else without an end).
        until: Option<Located<String>>,
    }
}

choice! {
    /// One of AWS's free tiers.
    pub enum FreeTierWord {
        /// 18,600 hours of each kind of provisioned capacity unit.
        Throughput = "throughput",
        /// 25 GB of Standard storage.
        Storage = "storage",
        /// 2.5 million streams read requests.
        Streams = "streams",
    }
}

/// All, none or some of the free tiers.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum FreeTierFile {
    /// All or none.
    All(bool),
    /// Some.
    Some(Vec<FreeTierWord>),
}

impl Decode for FreeTierFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_array() {
            Some(_) => Vec::decode(node, reader).map(FreeTierFile::Some),
            None => bool::decode(node, reader).map(FreeTierFile::All),
        }
    }
    fn placeholder() -> Self {
        FreeTierFile::All(false)
    }
}

document! {
    /// Which interpretation of each rule to use where sources disagree; each has a default.
    pub struct SwitchesFile {
        /// How the digits of a number are paired: "aligned" or "split" (default: "aligned").
        number_alignment: Option<Located<String>>,
        /// Which item determines the charge for a failed condition: "existing" or "larger"
        /// (default: "existing").
        failed_condition: Option<Located<String>>,
        /// Which capacity is billed for an hour in which it changed: "maximum" or "mean" (default:
        /// "maximum").
        hour_billing: Option<Located<String>>,
        /// What a local index query is charged for fetching when it finds nothing to fetch: "free"
        /// or "minimum" (default: "free").
        fetch_of_nothing: Option<Located<String>>,
        /// How a transaction's writes are charged in the other regions: "once" or "twice" (default:
        /// "once").
        replicated_transaction: Option<Located<String>>,
        /// Which write units a local index of a global table consumes: "replicated" or "plain"
        /// (default: "replicated").
        replicated_local_index: Option<Located<String>>,
        /// Whether the 100 bytes of overhead for each item are billed in backups, restores, full
        /// exports and point-in-time recovery: "excluded" or "included" (default: "excluded").
        backup_overhead: Option<Located<String>>,
    }
}

choice! {
    /// How a rate changes from one hour of a profile to the next.
    pub enum CourseWord {
        /// Constant within each hour.
        Steps = "steps",
        /// Linear from the middle of one hour to the middle of the next.
        Smooth = "smooth",
    }
}

choice! {
    /// A table class.
    pub enum ClassWord {
        /// DynamoDB Standard.
        Standard = "standard",
        /// DynamoDB Standard-Infrequent Access.
        StandardIa = "standard-ia",
    }
}

choice! {
    /// The consistency of a global table across regions.
    pub enum RegionConsistencyWord {
        /// Multi-Region eventual consistency (MREC).
        Eventual = "eventual",
        /// Multi-Region strong consistency (MRSC).
        Strong = "strong",
    }
}

document! {
    /// One table.
    pub struct TableFile {
        /// Its name, 3 to 255 characters.
        name: Located<String>,
        /// The table class: standard or standard-ia (default: standard).
        class: Option<ClassWord>,
        /// The number of items, or "unknown"; required unless `item.export` is given.
        items: Option<Located<Known<FileNumber>>>,
        /// Total bytes of its items (AWS's TableSizeBytes), without the storage overhead of each
        /// item (default: computed from their number and size).
        stored: Option<Located<Size>>,
        /// By how much its items and traffic grow each year: 0.3 is 30 %.
        growth: Option<Located<Growth>>,
        /// Its partition key, or "unknown".
        partition_key: Located<Known<KeyFile>>,
        /// Its sort key.
        sort_key: Option<Located<KeyFile>>,
        /// The size of its items, or "unknown"; required unless the table has entities.
        item: Option<Located<Known<ItemFile>>>,
        /// The kinds of items that it holds, each with its own size and indexes.
        entity: Option<Vec<Located<EntityFile>>>,
        /// Its capacity mode and units (default: on-demand).
        capacity: Option<Located<CapacityFile>>,
        /// Its secondary indexes.
        index: Option<Vec<Located<IndexFile>>>,
        /// Its vector indexes, at most 5.
        vector_index: Option<Vec<Located<VectorIndexFile>>>,
        /// The access patterns of the application.
        access: Option<Vec<Located<AccessFile>>>,
        /// Consumed units, for traffic whose calls are not known; the units may be "unknown" as
        /// well.
        consumed: Option<Vec<Located<ConsumedFile>>>,
        /// Usage that a bill measured and that nothing else in the file causes.
        measured: Option<Vec<Located<MeasuredFile>>>,
        /// Time to Live.
        ttl: Option<TtlFile>,
        /// Point-in-time recovery, on-demand backups, restores.
        backup: Option<BackupFile>,
        /// DynamoDB Streams and Kinesis Data Streams.
        stream: Option<Located<StreamFile>>,
        /// Imports from Amazon S3.
        import: Option<ImportFile>,
        /// Exports to Amazon S3 and how long they are kept.
        archive: Option<Located<ArchiveFile>>,
        /// Its replicas in other regions (a global table).
        replica: Option<Vec<Located<ReplicaFile>>>,
        /// The consistency of the global table across regions: eventual or strong (default:
        /// eventual).
        multi_region_consistency: Option<Located<RegionConsistencyWord>>,
        /// The region that serves the users of the workload's region if that is lost (default: all
        /// replicas, in equal parts).
        failover: Option<Located<String>>,
        /// A DynamoDB Accelerator cluster in front of the table.
        dax: Option<Located<DaxFile>>,
        /// How unevenly its partition keys are accessed.
        popularity: Option<Located<PopularityFile>>,
        /// Whether CloudWatch Contributor Insights is on for the table and its global indexes: true,
        /// false, or "throttled-keys" (default: false).
        contributor_insights: Option<InsightsFile>,
        /// A customer managed KMS key.
        encryption: Option<EncryptionFile>,
        /// Features of the table that this format cannot describe, such as purchased warm throughput;
        /// each is reported as an unknown cost.
        unpriced: Option<Vec<Located<UnpricedFile>>>,
    }
}

/// A cost that is not known: what it is, and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpricedFile {
    /// What it is.
    pub what: String,
    /// Its kind.
    pub kind: UnreadKind,
}

impl JsonSchema for UnpricedFile {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Unpriced".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds: Vec<&str> = UnreadKind::ALL.iter().map(|kind| kind.word()).collect();
        schemars::json_schema!({ "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["what"],
                "properties": { "what": { "type": "string" }, "kind": { "enum": kinds } }
            }
        ] })
    }
}

impl Decode for UnpricedFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let Some(table) = node.get_ref().as_table() else {
            return String::decode(node, reader).map(|what| UnpricedFile {
                what,
                kind: UnreadKind::Feature,
            });
        };
        reader.known_keys(table, &["what", "kind"]);
        let what: Located<String> = reader.field(table, &node.span(), "what");
        let word: Option<Located<String>> = reader.field(table, &node.span(), "kind");
        let kind = match &word {
            None => UnreadKind::Feature,
            Some(word) => match UnreadKind::parse(word) {
                Some(kind) => kind,
                None => {
                    let words: Vec<&str> = UnreadKind::ALL.iter().map(|kind| kind.word()).collect();
                    let message = format!("{:?} is not allowed here", word.value);
                    let help = format!("the allowed words are {}", words.join(", "));
                    reader.report("unknown-word", word.span.clone(), message, help);
                    UnreadKind::Feature
                }
            },
        };
        Some(UnpricedFile {
            what: what.value,
            kind,
        })
    }
    fn placeholder() -> Self {
        UnpricedFile {
            what: String::new(),
            kind: UnreadKind::Feature,
        }
    }
}

choice! {
    /// A mode of Contributor Insights.
    pub enum InsightsWord {
        /// All keys.
        AllKeys = "all-keys",
        /// Throttled keys only.
        ThrottledKeys = "throttled-keys",
    }
}

/// Whether Contributor Insights is on: true, false, "all-keys" or "throttled-keys".
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum InsightsFile {
    /// On for all keys, or off.
    On(bool),
    /// In a mode.
    Mode(InsightsWord),
}

impl Decode for InsightsFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_str() {
            Some(_) => InsightsWord::decode(node, reader).map(InsightsFile::Mode),
            None => bool::decode(node, reader).map(InsightsFile::On),
        }
    }
    fn placeholder() -> Self {
        InsightsFile::On(false)
    }
}

choice! {
    /// The type of a key attribute.
    pub enum KeyType {
        /// String.
        S = "S",
        /// Number.
        N = "N",
        /// Binary.
        B = "B",
    }
}

document! {
    /// An attribute of the primary key.
    pub struct KeyFile {
        /// The attribute's name.
        name: Located<String>,
        /// Its type: S, N or B (default: S).
        r#type: Option<KeyType>,
        /// Bytes of its value (S, B).
        bytes: Option<Located<Size>>,
        /// Significant digits of its value (N).
        digits: Option<Located<FileNumber>>,
    }
}

document! {
    /// The size of items: exactly one of size, lognormal, histogram, attributes, export.
    pub struct ItemFile {
        /// One size for every item, attribute names included.
        size: Option<Located<Size>>,
        /// A lognormal distribution of sizes.
        lognormal: Option<Located<LognormalFile>>,
        /// A list of sizes, each with the share of items that have it.
        histogram: Option<Located<Vec<Located<BucketFile>>>>,
        /// All attributes other than the primary key.
        attributes: Option<Located<Vec<Located<AttributeFile>>>>,
        /// The folder of a real DynamoDB full export to S3, measured item by item; the path is
        /// relative to the workload file.
        export: Option<Located<String>>,
    }
}

document! {
    /// One kind of items of a table: an entity of a single-table design.
    pub struct EntityFile {
        /// Its name.
        name: Located<String>,
        /// The number of its items, or "unknown".
        items: Option<Located<Known<FileNumber>>>,
        /// Its share of the table's `items`, instead of their number.
        share: Option<Located<FileNumber>>,
        /// The size of its items, or "unknown".
        item: Located<Known<ItemFile>>,
        /// The indexes that its items are in (default: those whose key attributes the items have).
        in_indexes: Option<Located<Vec<Located<MembershipFile>>>>,
        /// How the keys of its items begin: a replay finds the entity of an item by it. Of the
        /// partition key, such as "USER#", or of both keys, such as { partition = "USER#", sort =
        /// "ORDER#" }.
        key_prefix: Option<Located<KeyPrefixFile>>,
        /// How unevenly the partition keys of its items are accessed (default: as those of the
        /// table).
        popularity: Option<Located<PopularityFile>>,
    }
}

document! {
    /// How both keys of an entity's items begin.
    pub struct KeyPrefixesFile {
        /// How the partition key begins (default: in any way).
        partition: Option<String>,
        /// How the sort key begins (default: in any way).
        sort: Option<String>,
    }
}

/// How the keys of an entity's items begin: of the partition key, or { partition = …, sort = … }.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum KeyPrefixFile {
    /// Of the partition key.
    Partition(String),
    /// Of both keys.
    Both(KeyPrefixesFile),
}

impl Decode for KeyPrefixFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_table() {
            Some(_) => KeyPrefixesFile::decode(node, reader).map(KeyPrefixFile::Both),
            None => String::decode(node, reader).map(KeyPrefixFile::Partition),
        }
    }
    fn placeholder() -> Self {
        KeyPrefixFile::Partition(String::new())
    }
}

document! {
    /// An index, and the share of an entity's items that are in it.
    pub struct IndexShareFile {
        /// The index.
        index: Located<String>,
        /// The share of the items, 0 to 1.
        share: Located<FileNumber>,
    }
}

/// An index that an entity's items are in: its name, or { index = …, share = … }.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum MembershipFile {
    /// All items.
    All(String),
    /// A share of the items.
    Share(IndexShareFile),
}

impl Decode for MembershipFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_table() {
            Some(_) => IndexShareFile::decode(node, reader).map(MembershipFile::Share),
            None => String::decode(node, reader).map(MembershipFile::All),
        }
    }
    fn placeholder() -> Self {
        MembershipFile::All(String::new())
    }
}

document! {
    /// The mean of a number of items.
    pub struct MeanFile {
        /// The mean; it may have a fraction.
        mean: Located<FileNumber>,
    }
}

document! {
    /// A number of items, and the share of calls that have it.
    pub struct CountBucketFile {
        /// The number of items.
        items: Located<FileNumber>,
        /// The share of calls, 0 to 1.
        share: Located<FileNumber>,
    }
}

document! {
    /// Numbers of items with the shares of calls that have them.
    pub struct CountHistogramFile {
        /// The numbers with their shares.
        histogram: Located<Vec<Located<CountBucketFile>>>,
    }
}

/// How many items of one kind a call reads or writes: a number, { mean = … } or { histogram = […] }.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum CountFile {
    /// A number; a fraction is a mean.
    Number(FileNumber),
    /// A mean.
    Mean(MeanFile),
    /// A distribution.
    Histogram(CountHistogramFile),
}

impl Decode for CountFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_table() {
            Some(table) if table.get("histogram").is_some() => {
                CountHistogramFile::decode(node, reader).map(CountFile::Histogram)
            }
            Some(_) => MeanFile::decode(node, reader).map(CountFile::Mean),
            None => FileNumber::decode(node, reader).map(CountFile::Number),
        }
    }
    fn placeholder() -> Self {
        CountFile::Number(FileNumber::placeholder())
    }
}

/// How many items a call reads or writes: of one kind, or of each entity, as { Order = 1, OrderLine =
/// 8.5 }.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum ItemsFile {
    /// Of one kind.
    One(CountFile),
    /// Of each entity.
    ByEntity(#[schemars(with = "std::collections::BTreeMap<String, CountFile>")] EntityCounts),
}

/// An entity, and how many of its items a call has.
pub type EntityCounts = Vec<(Located<String>, Located<CountFile>)>;

impl Decode for ItemsFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let Some(table) = node.get_ref().as_table() else {
            return CountFile::decode(node, reader).map(ItemsFile::One);
        };
        if table.get("mean").is_some() || table.get("histogram").is_some() {
            return CountFile::decode(node, reader).map(ItemsFile::One);
        }
        let mut counts: EntityCounts = table
            .iter()
            .map(|(name, value)| {
                let name = Located {
                    value: name.get_ref().to_string(),
                    span: name.span(),
                };
                let count = Located::<CountFile>::decode(value, reader);
                (name, count.unwrap_or_else(Located::placeholder))
            })
            .collect();
        counts.sort_by_key(|(name, _)| name.span.start);
        Some(ItemsFile::ByEntity(counts))
    }
    fn placeholder() -> Self {
        ItemsFile::One(CountFile::placeholder())
    }
}

document! {
    /// A lognormal distribution, given by its mean and its 99th percentile.
    pub struct LognormalFile {
        /// The mean size.
        mean: Located<Size>,
        /// The size that one item in a hundred exceeds.
        p99: Located<Size>,
    }
}

document! {
    /// A size and the share of items that have it.
    pub struct BucketFile {
        /// The size.
        size: Located<Size>,
        /// The share of items, 0 to 1.
        share: Located<FileNumber>,
    }
}

choice! {
    /// An attribute type.
    pub enum AttributeType {
        /// String.
        S = "S",
        /// Number.
        N = "N",
        /// Binary.
        B = "B",
        /// Boolean.
        Bool = "BOOL",
        /// Null.
        Null = "NULL",
        /// String set.
        Ss = "SS",
        /// Number set.
        Ns = "NS",
        /// Binary set.
        Bs = "BS",
        /// List.
        L = "L",
        /// Map.
        M = "M",
    }
}

document! {
    /// An attribute and the size of its value.
    pub struct AttributeFile {
        /// The attribute's name.
        name: Located<String>,
        /// Its type.
        r#type: AttributeType,
        /// Bytes of the value (S, B), of one element (SS, BS), or of the contents of all elements
        /// with their keys (L, M).
        bytes: Option<Located<Size>>,
        /// Significant digits of the number (N) or of one element (NS).
        digits: Option<Located<FileNumber>>,
        /// Whether the number is negative (default: false).
        negative: Option<bool>,
        /// The number of elements (SS, NS, BS, L, M).
        elements: Option<Located<FileNumber>>,
        /// The share of items that have the attribute (default: 1). An item that lacks a key of an
        /// index has no entry in it.
        share: Option<Located<FileNumber>>,
    }
}

choice! {
    /// A capacity mode.
    pub enum ModeWord {
        /// Pay for each request.
        OnDemand = "on-demand",
        /// Pay for capacity by the hour.
        Provisioned = "provisioned",
    }
}

document! {
    /// The table's capacity mode and units.
    pub struct CapacityFile {
        /// The mode: on-demand or provisioned.
        mode: Located<ModeWord>,
        /// Provisioned read units: fixed, or auto scaled.
        read: Option<Located<UnitsFile>>,
        /// Provisioned write units: fixed, or auto scaled.
        write: Option<Located<UnitsFile>>,
        /// The maximum read request units a second of an on-demand table (default: no maximum).
        max_read: Option<Located<FileNumber>>,
        /// The maximum write request units a second of an on-demand table (default: no maximum).
        max_write: Option<Located<FileNumber>>,
        /// The warm throughput to which the table is raised: read units a second. It is charged once.
        warm_read: Option<Located<FileNumber>>,
        /// The warm throughput to which the table is raised: write units a second.
        warm_write: Option<Located<FileNumber>>,
        /// Scheduled actions that change the units or their bounds.
        schedule: Option<Located<Vec<ScheduleFile>>>,
        /// Reserved capacity, which covers provisioned units of all tables in the region.
        reserved: Option<Located<ReservedFile>>,
    }
}

/// Provisioned units: a number, bounds and a target utilization, or "unknown".
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum UnitsFile {
    /// Constant.
    Fixed(FileNumber),
    /// Auto scaled.
    Scaled(ScaledFile),
    /// Not known.
    Unknown(UnknownWord),
}

choice! {
    /// The word for a value that is not known.
    pub enum UnknownWord {
        /// Not known.
        Unknown = "unknown",
    }
}

impl Decode for UnitsFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_table() {
            Some(_) => ScaledFile::decode(node, reader).map(UnitsFile::Scaled),
            None if node.get_ref().as_str() == Some(UNKNOWN) => {
                Some(UnitsFile::Unknown(UnknownWord::Unknown))
            }
            None => FileNumber::decode(node, reader).map(UnitsFile::Fixed),
        }
    }
    fn placeholder() -> Self {
        UnitsFile::Fixed(FileNumber::placeholder())
    }
}

document! {
    /// Target-tracking auto scaling.
    pub struct ScaledFile {
        /// The minimum units.
        min: Located<FileNumber>,
        /// The maximum units.
        max: Located<FileNumber>,
        /// The target utilization, 0.2 to 0.9, or "unknown".
        target: Located<Known<FileNumber>>,
    }
}

document! {
    /// A scheduled action, which changes the bounds of auto scaling.
    pub struct ScheduleFile {
        /// When it runs, as five cron fields: minute, hour, *, *, weekday.
        cron: Located<String>,
        /// The time zone of `cron`, as the IANA names it, such as Europe/Berlin (default: UTC).
        timezone: Option<Located<String>>,
        /// The minimum read units from then on.
        min_read: Option<Located<FileNumber>>,
        /// The maximum read units from then on.
        max_read: Option<Located<FileNumber>>,
        /// The minimum write units from then on.
        min_write: Option<Located<FileNumber>>,
        /// The maximum write units from then on.
        max_write: Option<Located<FileNumber>>,
    }
}

document! {
    /// Reserved capacity, in blocks of 100 units.
    pub struct ReservedFile {
        /// Read units.
        read: Option<Located<FileNumber>>,
        /// Write units.
        write: Option<Located<FileNumber>>,
        /// The term in years: 1 or 3.
        years: Located<FileNumber>,
    }
}

choice! {
    /// The kind of an index.
    pub enum IndexKindWord {
        /// A global secondary index.
        Global = "global",
        /// A local secondary index.
        Local = "local",
    }
}

document! {
    /// A secondary index.
    pub struct IndexFile {
        /// Its name, 3 to 255 characters.
        name: Located<String>,
        /// global or local.
        kind: Located<IndexKindWord>,
        /// Its partition key: one attribute, or up to four for a global index.
        partition_key: Located<Names>,
        /// Its sort key: one attribute, or up to four for a global index.
        sort_key: Option<Located<Names>>,
        /// Which attributes it holds in addition to the keys (default: "all").
        projection: Option<Located<ProjectionFile>>,
        /// The share of items that have the index key (default: 1).
        coverage: Option<Located<FileNumber>>,
        /// The size of an entry, if the item's attributes are not described.
        entry_size: Option<Located<Size>>,
        /// Total bytes of its entries (AWS's IndexSizeBytes), without the storage overhead of each
        /// entry (default: computed from their number and size).
        stored: Option<Located<Size>>,
        /// Provisioned read units of a global index.
        read: Option<Located<UnitsFile>>,
        /// Provisioned write units of a global index.
        write: Option<Located<UnitsFile>>,
        /// Scheduled actions that change a global index's units or their bounds.
        schedule: Option<Located<Vec<ScheduleFile>>>,
        /// The maximum read request units a second of a global index of an on-demand table
        /// (default: no maximum).
        max_read: Option<Located<FileNumber>>,
        /// The maximum write request units a second of a global index of an on-demand table
        /// (default: no maximum).
        max_write: Option<Located<FileNumber>>,
        /// Whether Contributor Insights is on for a global index (default: as for the table).
        contributor_insights: Option<InsightsFile>,
        /// How unevenly its partition keys are accessed, and how many there are.
        popularity: Option<Located<PopularityFile>>,
    }
}

choice! {
    /// A projection without a list.
    pub enum ProjectionWord {
        /// Only the keys.
        KeysOnly = "keys-only",
        /// Every attribute.
        All = "all",
    }
}

document! {
    /// A projection with a list.
    pub struct IncludeFile {
        /// The attributes that it holds in addition to the keys.
        include: Located<Vec<String>>,
    }
}

/// What an index holds: "keys-only", "all" or { include = […] }.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum ProjectionFile {
    /// Keys only or all.
    Word(ProjectionWord),
    /// The keys and some attributes.
    Include(IncludeFile),
}

impl Decode for ProjectionFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_table() {
            Some(_) => IncludeFile::decode(node, reader).map(ProjectionFile::Include),
            None => ProjectionWord::decode(node, reader).map(ProjectionFile::Word),
        }
    }
    fn placeholder() -> Self {
        ProjectionFile::Word(ProjectionWord::All)
    }
}

document! {
    /// A vector index.
    pub struct VectorIndexFile {
        /// Its name, 3 to 255 characters.
        name: Located<String>,
        /// The attribute that holds the vectors; it counts 4 bytes a dimension in the size of an item.
        attribute: Located<String>,
        /// The dimensions of a vector, 1 to 4,096.
        dimensions: Located<FileNumber>,
        /// Which attributes it holds in addition to the keys and the vector (default: "all").
        projection: Option<Located<ProjectionFile>>,
        /// The share of items that have a vector, if their attributes are not described (default: 1).
        coverage: Option<Located<FileNumber>>,
        /// The size of an entry, if the item's attributes are not described.
        entry_size: Option<Located<Size>>,
    }
}

choice! {
    /// An API operation.
    pub enum OperationWord {
        /// GetItem.
        GetItem = "GetItem",
        /// BatchGetItem.
        BatchGetItem = "BatchGetItem",
        /// TransactGetItems.
        TransactGetItems = "TransactGetItems",
        /// Query.
        Query = "Query",
        /// Scan.
        Scan = "Scan",
        /// SearchVectors.
        SearchVectors = "SearchVectors",
        /// PutItem.
        PutItem = "PutItem",
        /// UpdateItem.
        UpdateItem = "UpdateItem",
        /// DeleteItem.
        DeleteItem = "DeleteItem",
        /// BatchWriteItem.
        BatchWriteItem = "BatchWriteItem",
        /// TransactWriteItems.
        TransactWriteItems = "TransactWriteItems",
        /// A PartiQL statement.
        ExecuteStatement = "ExecuteStatement",
        /// PartiQL statements in a batch.
        BatchExecuteStatement = "BatchExecuteStatement",
        /// PartiQL statements in a transaction.
        ExecuteTransaction = "ExecuteTransaction",
    }
}

choice! {
    /// A PartiQL verb.
    pub enum StatementWord {
        /// SELECT.
        Select = "SELECT",
        /// INSERT.
        Insert = "INSERT",
        /// UPDATE.
        Update = "UPDATE",
        /// DELETE.
        Delete = "DELETE",
    }
}

choice! {
    /// How consistent a read is.
    pub enum ConsistencyWord {
        /// Eventually consistent.
        Eventual = "eventual",
        /// Strongly consistent.
        Strong = "strong",
    }
}

document! {
    /// An access pattern of the application.
    pub struct AccessFile {
        /// The name of the access pattern.
        name: Located<String>,
        /// The API operation.
        operation: Located<OperationWord>,
        /// The verb of a PartiQL statement.
        statement: Option<Located<StatementWord>>,
        /// How often it is called, on average over the week; { once = 1_000_000 } for calls that are
        /// made once, such as a load; or "unknown".
        rate: Known<CallRate>,
        /// Whether the rate grows in a forecast with the number of items, of its entity if it has
        /// one, instead of by `growth` (default: false).
        follows_items: Option<bool>,
        /// The shape of the rate over the week (default: "flat").
        profile: Option<Profile>,
        /// How the rate changes from one hour of the profile to the next: steps or smooth (default:
        /// the `profile_shape` of the file).
        profile_shape: Option<CourseWord>,
        /// The index that a Query or Scan reads (default: the table), or the vector index that is
        /// searched.
        index: Option<Located<String>>,
        /// Bytes that one SearchVectors searches (CloudWatch's VectorSearchRequestBytes), or
        /// "unknown". They do not follow from a design.
        search_bytes: Option<Located<Known<Size>>>,
        /// How many vectors a SearchVectors returns. It does not say how many bytes are searched.
        top_k: Option<Located<FileNumber>>,
        /// The entity that it reads or writes (default: all items of the table).
        entity: Option<Located<String>>,
        /// The number of items of one call, or "unknown": items of a batch or transaction, or items
        /// that a Query or Scan evaluates before any filter (default for a Scan: the whole table or
        /// index). A fraction is a mean; { histogram = […] } is a distribution; { Order = 1,
        /// OrderLine = 8.5 } are the items of each entity.
        items: Option<Located<Known<ItemsFile>>>,
        /// Segments of a parallel Scan (default: 1).
        segments: Option<Located<FileNumber>>,
        /// The read consistency: eventual or strong (default: eventual).
        consistency: Option<Located<ConsistencyWord>>,
        /// The share of calls, or of a batch's items, that find no item (default: 0). An UpdateItem
        /// that finds no item creates it.
        missing: Option<Located<FileNumber>>,
        /// The share of puts that replace an item (default: 0).
        overwrites: Option<Located<FileNumber>>,
        /// The attributes that a write changes and that the item has before and after it (default:
        /// all that are not an index key).
        changes: Option<Located<Vec<Located<String>>>>,
        /// The attributes that a write adds: the item lacks them before it. If one is a key of an
        /// index, the item comes into the index.
        sets: Option<Located<Vec<Located<String>>>>,
        /// The attributes that a write removes: the item has them before it. If one is a key of an
        /// index, the item leaves the index. Of a delete: attributes that the deleted item has.
        removes: Option<Located<Vec<Located<String>>>>,
        /// The share of single writes whose condition fails (default: 0).
        condition_failures: Option<Located<FileNumber>>,
        /// The actions of a TransactWriteItems or the writes of a BatchWriteItem.
        actions: Option<Located<Vec<Located<ActionFile>>>>,
        /// The share of transactions that are cancelled (default: 0).
        cancelled: Option<Located<FileNumber>>,
        /// The share of transactions that are repeated with the same ClientRequestToken (default:
        /// 0).
        replayed: Option<Located<FileNumber>>,
        /// Whether a read of a local index also fetches attributes that the index does not hold
        /// (default: false).
        fetches: Option<Located<bool>>,
        /// The attributes that a Query or Scan returns of each item (ProjectionExpression). They do
        /// not change the cost of the read; they show how narrow a projection can be (default:
        /// all).
        attributes: Option<Located<Vec<Located<String>>>>,
        /// The items of this pattern, if they differ from the table's.
        item: Option<Located<ItemFile>>,
        /// The size of the item before a write, if it differs from the size after it.
        before: Option<Located<Size>>,
        /// Whether the call goes through the table's DAX cluster (default: true).
        dax: Option<Located<bool>>,
    }
}

choice! {
    /// An action of a transaction or batch.
    pub enum ActionWord {
        /// Put.
        Put = "Put",
        /// Update.
        Update = "Update",
        /// Delete.
        Delete = "Delete",
        /// ConditionCheck.
        ConditionCheck = "ConditionCheck",
    }
}

document! {
    /// One action, or several identical ones.
    pub struct ActionFile {
        /// Put, Update, Delete or ConditionCheck.
        operation: Located<ActionWord>,
        /// The entity that it writes (default: that of the access pattern).
        entity: Option<Located<String>>,
        /// How often one call contains this action (default: 1). A fraction is a mean.
        count: Option<Located<CountFile>>,
        /// The share that finds no item (default: 0).
        missing: Option<Located<FileNumber>>,
        /// The share of puts that replace an item (default: 0).
        overwrites: Option<Located<FileNumber>>,
        /// The attributes that it changes (default: all that are not an index key).
        changes: Option<Located<Vec<Located<String>>>>,
        /// The attributes that it adds: the item lacks them before.
        sets: Option<Located<Vec<Located<String>>>>,
        /// The attributes that it removes: the item has them before.
        removes: Option<Located<Vec<Located<String>>>>,
    }
}

document! {
    /// Consumed units as AWS reports them, without the calls.
    pub struct ConsumedFile {
        /// The name of its lines in the bill (default: "consumed reads" and "consumed writes").
        name: Option<Located<String>>,
        /// The global index that consumes the units (default: the table with its local indexes).
        index: Option<Located<String>>,
        /// Read units, or "unknown".
        read: Option<Known<Frequency>>,
        /// Write units, or "unknown". Writes of a global table are replicated to every replica.
        write: Option<Known<Frequency>>,
        /// The shape of the rates over the week (default: "flat").
        profile: Option<Profile>,
        /// How the rate changes from one hour of the profile to the next: steps or smooth (default:
        /// the `profile_shape` of the file).
        profile_shape: Option<CourseWord>,
    }
}

document! {
    /// Time to Live.
    pub struct TtlFile {
        /// How many items expire in a given time, or "unknown".
        deletes: Known<Frequency>,
        /// The entity whose items expire (default: all items of the table).
        entity: Option<Located<String>>,
    }
}

document! {
    /// Backups and restores.
    pub struct BackupFile {
        /// Whether point-in-time recovery is on, or "unknown".
        pitr: Option<Known<bool>>,
        /// Schedules of on-demand backups.
        on_demand: Option<Vec<ScheduleOfBackups>>,
        /// The rules of the AWS Backup plans that back up the table.
        plan: Option<Vec<Located<BackupRuleFile>>>,
        /// How many times a year the table is restored from any backup (default: 0).
        restores_per_year: Option<FileNumber>,
    }
}

document! {
    /// A rule of an AWS Backup plan.
    pub struct BackupRuleFile {
        /// How often a backup is made.
        every: Located<Duration>,
        /// How long it is kept.
        keep: Located<Duration>,
        /// After how long it moves to cold storage, where it stays for at least 90 days (default:
        /// never).
        cold_after: Option<Located<Duration>>,
        /// Copies in other regions.
        copies: Option<Vec<Located<BackupCopyFile>>>,
    }
}

document! {
    /// The copy of each backup in another region.
    pub struct BackupCopyFile {
        /// The region.
        region: Located<String>,
        /// How long it is kept (default: as long as the backup).
        keep: Option<Located<Duration>>,
        /// After how long it moves to cold storage (default: never).
        cold_after: Option<Located<Duration>>,
    }
}

document! {
    /// A schedule of on-demand backups.
    pub struct ScheduleOfBackups {
        /// How often one is made.
        every: Duration,
        /// How many are kept.
        keep: Located<FileNumber>,
    }
}

choice! {
    /// What a stream record holds.
    pub enum ViewWord {
        /// Keys only.
        KeysOnly = "keys-only",
        /// The item after the change.
        NewImage = "new-image",
        /// The item before the change.
        OldImage = "old-image",
        /// The item before and after the change.
        NewAndOldImages = "new-and-old-images",
    }
}

document! {
    /// Change data capture.
    pub struct StreamFile {
        /// What a record of DynamoDB Streams contains. It does not change the cost.
        view: Option<ViewWord>,
        /// The readers of DynamoDB Streams, or "unknown".
        readers: Option<Known<ReadersFile>>,
        /// The number of shards that a polling reader polls (default: estimated from the table's
        /// size and writes).
        shards: Option<Located<FileNumber>>,
        /// GetRecords calls a second by each polling reader on each shard (default: 1).
        polls_per_second: Option<FileNumber>,
        /// Whether changes are sent to a Kinesis data stream (default: false).
        kinesis: Option<bool>,
    }
}

document! {
    /// Readers of DynamoDB Streams.
    pub struct ReadersFile {
        /// The number of Lambda triggers; their reads are free.
        lambda: Option<FileNumber>,
        /// The number of readers that poll with GetRecords; their reads are billed.
        polling: Option<FileNumber>,
    }
}

document! {
    /// Imports from Amazon S3.
    pub struct ImportFile {
        /// The uncompressed size of the source data of one import.
        source: Size,
        /// How often data is imported; { once = 1 } for an import that is made once.
        rate: CallRate,
    }
}

document! {
    /// Exports to Amazon S3 and how long they are kept.
    pub struct ArchiveFile {
        /// The exports.
        export: ExportFile,
        /// S3 Lifecycle transitions, in order of `after_days`.
        lifecycle: Option<Located<Vec<Located<TransitionFile>>>>,
        /// How long an export is kept (default: 1 year).
        keep: Option<Duration>,
        /// Bytes stored in S3 for each byte exported; exports are compressed with gzip (default:
        /// 1).
        compression: Option<Located<FileNumber>>,
        /// The size of one object in S3, from which PUT and transition requests are counted
        /// (default: 100 MB).
        object_size: Option<Located<Size>>,
    }
}

document! {
    /// A schedule of exports.
    pub struct ExportFile {
        /// How often one is made.
        every: Located<Duration>,
        /// Whether an export is incremental and holds only what changed since the last one
        /// (default: false).
        incremental: Option<bool>,
    }
}

choice! {
    /// An S3 storage class of an archive.
    pub enum StorageClassWord {
        /// S3 Standard-IA.
        StandardIa = "standard-ia",
        /// S3 Glacier Instant Retrieval.
        GlacierInstant = "glacier-instant",
        /// S3 Glacier Flexible Retrieval.
        GlacierFlexible = "glacier-flexible",
        /// S3 Glacier Deep Archive.
        DeepArchive = "deep-archive",
    }
}

document! {
    /// A lifecycle transition.
    pub struct TransitionFile {
        /// Days after the object was created.
        after_days: Located<FileNumber>,
        /// The storage class it moves to.
        class: StorageClassWord,
    }
}

document! {
    /// A replica in another region.
    pub struct ReplicaFile {
        /// The region.
        region: Located<String>,
        /// The table class in that region (default: the table's class).
        class: Option<ClassWord>,
        /// Reads in that region as a share of the reads of the table's own access patterns, or
        /// "unknown" (default: 0).
        reads: Option<Known<FileNumber>>,
        /// Access patterns of that region, reads only.
        access: Option<Vec<Located<AccessFile>>>,
        /// Provisioned read units in that region: fixed, or auto scaled (default: the table's).
        read: Option<Located<UnitsFile>>,
        /// The maximum read request units a second of the replica of an on-demand table (default:
        /// the table's `max_read`).
        max_read: Option<Located<FileNumber>>,
        /// Read capacity of global indexes in that region, if it differs from the home region's.
        index: Option<Vec<Located<ReplicaIndexFile>>>,
        /// Whether Contributor Insights is on in that region (default: false).
        contributor_insights: Option<InsightsFile>,
        /// Whether point-in-time recovery is on in that region (default: false).
        pitr: Option<Known<bool>>,
        /// The KMS keys and callers of that region (default: those of the table's `encryption`).
        encryption: Option<EncryptionFile>,
        /// Whether it is the witness of a strongly consistent global table; a witness cannot be
        /// read (default: false).
        witness: Option<bool>,
        /// The region that serves this region's users if it is lost (default: all others, in equal
        /// parts).
        failover: Option<Located<String>>,
    }
}

document! {
    /// Read capacity of a global index in another region.
    pub struct ReplicaIndexFile {
        /// The index.
        name: Located<String>,
        /// Provisioned read units in that region: fixed, or auto scaled (default: those of the home
        /// region).
        read: Option<Located<UnitsFile>>,
        /// The maximum read request units a second in that region, on demand (default: that of the
        /// home region).
        max_read: Option<Located<FileNumber>>,
        /// Whether Contributor Insights is on for the index in that region (default: as for the
        /// replica).
        contributor_insights: Option<InsightsFile>,
    }
}

document! {
    /// A DynamoDB Accelerator cluster.
    pub struct DaxFile {
        /// The node type, such as dax.r5.large.
        node_type: Located<String>,
        /// The number of nodes, 1 to 11.
        nodes: Located<FileNumber>,
        /// The share of eventually consistent reads that the cache answers, 0 to 1, or "unknown"
        /// (default: computed from the table's `popularity`).
        hit_ratio: Option<Located<Known<FileNumber>>>,
        /// How long the cache keeps an item (default: 5 minutes).
        ttl: Option<Duration>,
    }
}

document! {
    /// The popularity of partition keys by Zipf's law: the key of rank r is accessed in proportion
    /// to 1 / r^zipf.
    pub struct PopularityFile {
        /// The exponent: 0 is even access, 0.99 is a common value.
        zipf: Located<FileNumber>,
        /// The number of partition keys (default: the number of items in the table). Required for
        /// an index.
        keys: Option<Located<FileNumber>>,
    }
}

document! {
    /// Encryption at rest with a customer managed key.
    pub struct EncryptionFile {
        /// The number of keys billed to the table (default: 1). Write 0 if another table already
        /// pays for the same key.
        keys: Option<FileNumber>,
        /// The number of callers (principals) of the table (default: 1). For each caller, KMS is
        /// called at most once every five minutes.
        callers: Option<FileNumber>,
    }
}
