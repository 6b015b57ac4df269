//! The workload file as it is written: one struct for each table of the TOML, nothing checked but
//! types.

use schemars::JsonSchema;

use super::decode::{
    Decode, Decoder, FileNumber, Known, Located, TomlNode, UNKNOWN, choice, document,
};
use super::quantities::{Duration, Frequency, Growth, Profile, Size};

document! {
    /// A DynamoDB design and the traffic that it must carry.
    pub struct WorkloadFile {
        /// What the design is called.
        name: Located<String>,
        /// The region, such as us-east-1.
        region: Located<String>,
        /// The date of the prices, YYYY-MM-DD; the newest where absent.
        prices: Option<Located<String>>,
        /// Hours of a month: 730 where absent, 720 for 30 days.
        month_hours: Option<Located<FileNumber>>,
        /// Whether AWS's free tiers apply: true, false (the default), or a list of throughput, storage, streams.
        free_tier: Option<FreeTierFile>,
        /// How many whole years ahead the month lies that is estimated; 0 where absent. Tables grow until then.
        years_ahead: Option<Located<FileNumber>>,
        /// How a rate goes from one hour of a profile to the next, where an access pattern does not say: steps (default) or smooth.
        profile_shape: Option<CourseWord>,
        /// Readings of rules on which sources disagree.
        switches: Option<SwitchesFile>,
        /// The tables of the design.
        table: Option<Vec<Located<TableFile>>>,
    }
}

choice! {
    /// One of AWS's free tiers.
    pub enum FreeTierWord {
        /// 18,600 hours of each provisioned unit.
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
    /// Readings of rules on which sources disagree; each has a default.
    pub struct SwitchesFile {
        /// "aligned" (default) or "split": how a number's digits are paired.
        number_alignment: Option<Located<String>>,
        /// "existing" (default) or "larger": which item a failed condition is charged by.
        failed_condition: Option<Located<String>>,
        /// "maximum" (default) or "mean": what counts of an hour in which capacity changed.
        hour_billing: Option<Located<String>>,
        /// "free" (default) or "minimum": a local index query that finds nothing to fetch.
        fetch_of_nothing: Option<Located<String>>,
        /// "once" (default) or "twice": a transaction's writes in the other regions.
        replicated_transaction: Option<Located<String>>,
        /// "replicated" (default) or "plain": units of a local index of a global table.
        replicated_local_index: Option<Located<String>>,
        /// "excluded" (default) or "included": the 100 bytes an item in backups, restores and point-in-time recovery.
        backup_overhead: Option<Located<String>>,
    }
}

choice! {
    /// How a rate goes from one hour of a profile to the next.
    pub enum CourseWord {
        /// The same all through an hour.
        Steps = "steps",
        /// Evenly from the middle of one hour to the middle of the next.
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
    /// What replicas promise to readers.
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
        /// Its class; standard where absent.
        class: Option<ClassWord>,
        /// How many items it holds, or "unknown".
        items: Option<Located<Known<FileNumber>>>,
        /// Bytes of its items together without what storage adds to each (AWS's TableSizeBytes); from their number and size where absent.
        stored: Option<Located<Size>>,
        /// The share by which its items and its traffic grow in a year.
        growth: Option<Located<Growth>>,
        /// Its partition key, or "unknown".
        partition_key: Located<Known<KeyFile>>,
        /// Its sort key.
        sort_key: Option<Located<KeyFile>>,
        /// How large an item is, or "unknown".
        item: Located<Known<ItemFile>>,
        /// Its capacity mode; on demand where absent.
        capacity: Option<Located<CapacityFile>>,
        /// Its secondary indexes.
        index: Option<Vec<Located<IndexFile>>>,
        /// The access patterns of the application.
        access: Option<Vec<Located<AccessFile>>>,
        /// Units that calls consume, where the units are known and the calls are not, or where neither is.
        consumed: Option<Vec<Located<ConsumedFile>>>,
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
        /// What the replicas promise; eventual where absent.
        multi_region_consistency: Option<Located<RegionConsistencyWord>>,
        /// A DynamoDB Accelerator cluster in front of the table.
        dax: Option<Located<DaxFile>>,
        /// How often some keys are asked for and others not.
        popularity: Option<Located<PopularityFile>>,
        /// Whether CloudWatch Contributor Insights is on for the table and its global indexes.
        contributor_insights: Option<bool>,
        /// A customer managed KMS key.
        encryption: Option<EncryptionFile>,
        /// What the table has that a workload cannot say, such as a vector index: it is unknown in every total.
        unpriced: Option<Vec<String>>,
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
        /// Its type; S where absent.
        r#type: Option<KeyType>,
        /// Bytes of its value (S, B).
        bytes: Option<Located<Size>>,
        /// Significant digits of its value (N).
        digits: Option<Located<FileNumber>>,
    }
}

document! {
    /// How large an item is: exactly one of size, lognormal, histogram, attributes, export.
    pub struct ItemFile {
        /// Every item the same size, attribute names included.
        size: Option<Located<Size>>,
        /// A lognormal distribution of sizes.
        lognormal: Option<Located<LognormalFile>>,
        /// Sizes with the share of items that have each.
        histogram: Option<Located<Vec<Located<BucketFile>>>>,
        /// Every attribute beside the primary key.
        attributes: Option<Located<Vec<Located<AttributeFile>>>>,
        /// The folder of a real S3 full export, measured item by item; relative to the workload file.
        export: Option<Located<String>>,
    }
}

document! {
    /// A lognormal distribution by its mean and its 99th percentile.
    pub struct LognormalFile {
        /// The mean size.
        mean: Located<Size>,
        /// The size that one item in a hundred exceeds.
        p99: Located<Size>,
    }
}

document! {
    /// A size and how many items have it.
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
        /// Bytes of the value: S, B; of one element: SS, BS; of the elements' contents with their keys: L, M.
        bytes: Option<Located<Size>>,
        /// Significant digits of a number: N; of one element: NS.
        digits: Option<Located<FileNumber>>,
        /// Whether the number is below zero.
        negative: Option<bool>,
        /// How many elements: SS, NS, BS, L, M.
        elements: Option<Located<FileNumber>>,
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
    /// The table's capacity mode and figures.
    pub struct CapacityFile {
        /// on-demand or provisioned.
        mode: Located<ModeWord>,
        /// Provisioned read units: fixed, or auto scaled.
        read: Option<Located<UnitsFile>>,
        /// Provisioned write units: fixed, or auto scaled.
        write: Option<Located<UnitsFile>>,
        /// The most read units a second that an on-demand table may serve; no maximum where absent.
        max_read: Option<Located<FileNumber>>,
        /// The most write units a second that an on-demand table may serve; no maximum where absent.
        max_write: Option<Located<FileNumber>>,
        /// Scheduled changes of the bounds.
        schedule: Option<Located<Vec<ScheduleFile>>>,
        /// Reserved capacity that covers part of it.
        reserved: Option<Located<ReservedFile>>,
    }
}

/// Provisioned units: a number, bounds and a target utilization, or "unknown".
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum UnitsFile {
    /// The same at every hour.
    Fixed(FileNumber),
    /// Auto scaled.
    Scaled(ScaledFile),
    /// Not known.
    Unknown(UnknownWord),
}

choice! {
    /// The word for what nobody has yet.
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
        /// The least units.
        min: Located<FileNumber>,
        /// The most units.
        max: Located<FileNumber>,
        /// The utilization that is tracked, 0.2 to 0.9, or "unknown".
        target: Located<Known<FileNumber>>,
    }
}

document! {
    /// A scheduled change of auto scaling's bounds.
    pub struct ScheduleFile {
        /// When, as five cron fields in UTC: minute, hour, *, *, weekday.
        cron: Located<String>,
        /// The least read units from then on.
        min_read: Option<Located<FileNumber>>,
        /// The most read units from then on.
        max_read: Option<Located<FileNumber>>,
        /// The least write units from then on.
        min_write: Option<Located<FileNumber>>,
        /// The most write units from then on.
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
        /// The term: 1 or 3 years.
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

/// One name or several.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Names {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Names {
    /// The names.
    pub fn list(&self) -> Vec<String> {
        match self {
            Names::One(name) => vec![name.clone()],
            Names::Several(names) => names.clone(),
        }
    }
}

impl Decode for Names {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        match node.get_ref().as_array() {
            Some(_) => Vec::decode(node, reader).map(Names::Several),
            None => String::decode(node, reader).map(Names::One),
        }
    }
    fn placeholder() -> Self {
        Names::One(String::new())
    }
}

document! {
    /// A secondary index.
    pub struct IndexFile {
        /// Its name, 3 to 255 characters.
        name: Located<String>,
        /// global or local.
        kind: Located<IndexKindWord>,
        /// Its partition key attribute; a global index may have up to four.
        partition_key: Located<Names>,
        /// Its sort key attribute; a global index may have up to four.
        sort_key: Option<Located<Names>>,
        /// What it holds beside the keys; all where absent.
        projection: Option<Located<ProjectionFile>>,
        /// The share of items that carry the index key; 1 where absent.
        coverage: Option<Located<FileNumber>>,
        /// The size of an entry, where the item's attributes are not described.
        entry_size: Option<Located<Size>>,
        /// Bytes of its entries together without what storage adds to each (AWS's IndexSizeBytes); from their number and size where absent.
        stored: Option<Located<Size>>,
        /// Provisioned read units of a global index.
        read: Option<Located<UnitsFile>>,
        /// Provisioned write units of a global index.
        write: Option<Located<UnitsFile>>,
        /// Scheduled changes of a global index's units.
        schedule: Option<Located<Vec<ScheduleFile>>>,
        /// The most read units a second that a global index of an on-demand table may serve; no maximum where absent.
        max_read: Option<Located<FileNumber>>,
        /// The most write units a second that a global index of an on-demand table may serve; no maximum where absent.
        max_write: Option<Located<FileNumber>>,
        /// Whether Contributor Insights is on for a global index; as for the table where absent.
        contributor_insights: Option<bool>,
        /// How often some of its partition keys are asked for and others not, and how many there are.
        popularity: Option<Located<PopularityFile>>,
    }
}

choice! {
    /// A projection without a list.
    pub enum ProjectionWord {
        /// The keys alone.
        KeysOnly = "keys-only",
        /// Every attribute.
        All = "all",
    }
}

document! {
    /// A projection with a list.
    pub struct IncludeFile {
        /// The attributes beside the keys.
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
        /// What it is called.
        name: Located<String>,
        /// The API operation.
        operation: Located<OperationWord>,
        /// The verb of a PartiQL statement.
        statement: Option<Located<StatementWord>>,
        /// How often it is called, on average over the week, or "unknown".
        rate: Known<Frequency>,
        /// The shape of the rate over the week; flat where absent.
        profile: Option<Profile>,
        /// How the rate goes from one hour of the profile to the next: steps or smooth.
        profile_shape: Option<CourseWord>,
        /// The index that a Query or Scan reads.
        index: Option<Located<String>>,
        /// Items of one call: of a batch or transaction; evaluated by a Query or Scan before any filter (a Scan: the whole table where absent); or "unknown".
        items: Option<Located<Known<FileNumber>>>,
        /// Segments of a parallel Scan; 1 where absent.
        segments: Option<Located<FileNumber>>,
        /// eventual or strong; eventual where absent.
        consistency: Option<Located<ConsistencyWord>>,
        /// The share of calls, or of a batch's items, that find no item; 0 where absent. An UpdateItem that finds none creates it.
        missing: Option<Located<FileNumber>>,
        /// The share of puts that replace an item; 0 where absent.
        overwrites: Option<Located<FileNumber>>,
        /// The attributes that a write changes; where absent, all that are no index key.
        changes: Option<Located<Vec<Located<String>>>>,
        /// The share of single writes whose condition fails; 0 where absent.
        condition_failures: Option<Located<FileNumber>>,
        /// The actions of a TransactWriteItems or the writes of a BatchWriteItem.
        actions: Option<Located<Vec<Located<ActionFile>>>>,
        /// The share of transactions that are cancelled; 0 where absent.
        cancelled: Option<Located<FileNumber>>,
        /// The share of transactions that are repeated with their ClientRequestToken; 0 where absent.
        replayed: Option<Located<FileNumber>>,
        /// Whether a read of a local index also wants attributes outside it.
        fetches: Option<Located<bool>>,
        /// The attributes that a Query or Scan wants of each item (ProjectionExpression): they cost nothing, and tell how narrow an index may be; all where absent.
        attributes: Option<Located<Vec<Located<String>>>>,
        /// The items of this pattern, where they differ from the table's.
        item: Option<Located<ItemFile>>,
        /// The size of the item before a write, where it differs from after.
        before: Option<Located<Size>>,
        /// Whether the call goes through the table's DAX cluster; true where absent.
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
    /// One action, or several alike.
    pub struct ActionFile {
        /// Put, Update, Delete or ConditionCheck.
        operation: Located<ActionWord>,
        /// How many of it in one call; 1 where absent.
        count: Option<Located<FileNumber>>,
        /// The share that finds no item; 0 where absent.
        missing: Option<Located<FileNumber>>,
        /// The share of puts that replace an item; 0 where absent.
        overwrites: Option<Located<FileNumber>>,
        /// The attributes that it changes; where absent, all that are no index key.
        changes: Option<Located<Vec<Located<String>>>>,
    }
}

document! {
    /// Units that calls consume: as AWS counts them, without the calls.
    pub struct ConsumedFile {
        /// What its lines are called; "consumed reads" and "consumed writes" where absent.
        name: Option<Located<String>>,
        /// The global index whose units they are; the table, its local indexes included, where absent.
        index: Option<Located<String>>,
        /// Read units, or "unknown".
        read: Option<Known<Frequency>>,
        /// Write units, or "unknown". Those of a global table are replicated to every copy.
        write: Option<Known<Frequency>>,
        /// The shape of the rates over the week; flat where absent.
        profile: Option<Profile>,
        /// How the rate goes from one hour of the profile to the next: steps or smooth.
        profile_shape: Option<CourseWord>,
    }
}

document! {
    /// Time to Live.
    pub struct TtlFile {
        /// How many items expire, or "unknown".
        deletes: Known<Frequency>,
    }
}

document! {
    /// Backups and restores.
    pub struct BackupFile {
        /// Whether point-in-time recovery is on, or "unknown".
        pitr: Option<Known<bool>>,
        /// Schedules of on-demand backups.
        on_demand: Option<Vec<ScheduleOfBackups>>,
        /// How often a year the table is restored, from any backup.
        restores_per_year: Option<FileNumber>,
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
        /// The item after.
        NewImage = "new-image",
        /// The item before.
        OldImage = "old-image",
        /// Both.
        NewAndOldImages = "new-and-old-images",
    }
}

document! {
    /// Change data capture.
    pub struct StreamFile {
        /// What a record of DynamoDB Streams holds; does not change the cost.
        view: Option<ViewWord>,
        /// Who reads DynamoDB Streams, or "unknown".
        readers: Option<Known<ReadersFile>>,
        /// How many shards a polling reader polls; from the table's size and traffic where absent.
        shards: Option<Located<FileNumber>>,
        /// GetRecords calls a second on each shard by each polling reader; 1 where absent.
        polls_per_second: Option<FileNumber>,
        /// Whether changes go to a Kinesis data stream.
        kinesis: Option<bool>,
    }
}

document! {
    /// Readers of DynamoDB Streams.
    pub struct ReadersFile {
        /// Lambda triggers: their reads are free.
        lambda: Option<FileNumber>,
        /// Readers that poll with GetRecords: they pay.
        polling: Option<FileNumber>,
    }
}

document! {
    /// Imports from Amazon S3.
    pub struct ImportFile {
        /// Bytes of the uncompressed source of one import.
        source: Size,
        /// How often.
        rate: Frequency,
    }
}

document! {
    /// Exports to Amazon S3 and how long they are kept.
    pub struct ArchiveFile {
        /// The exports.
        export: ExportFile,
        /// S3 lifecycle transitions, in the order of days.
        lifecycle: Option<Located<Vec<Located<TransitionFile>>>>,
        /// How long an export is kept; a year where absent.
        keep: Option<Duration>,
        /// Bytes stored in S3 for each byte exported; 1 where absent (exports are gzip).
        compression: Option<Located<FileNumber>>,
        /// Bytes of an object in S3, for transition requests; 100 MB where absent.
        object_size: Option<Located<Size>>,
    }
}

document! {
    /// A schedule of exports.
    pub struct ExportFile {
        /// How often one is made.
        every: Located<Duration>,
        /// Whether it holds only what changed since the last.
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
        /// Days after the object was made.
        after_days: Located<FileNumber>,
        /// The class it moves to.
        class: StorageClassWord,
    }
}

document! {
    /// A replica in another region.
    pub struct ReplicaFile {
        /// The region.
        region: Located<String>,
        /// The table class there; the table's where absent.
        class: Option<ClassWord>,
        /// Reads there as a share of the table's own read patterns, or "unknown"; 0 where absent.
        reads: Option<Known<FileNumber>>,
        /// Access patterns of that region, reads only.
        access: Option<Vec<Located<AccessFile>>>,
        /// Provisioned read units there: fixed, or auto scaled; the table's where absent.
        read: Option<Located<UnitsFile>>,
        /// The most read units a second that the copy of an on-demand table may serve; no maximum where absent.
        max_read: Option<Located<FileNumber>>,
        /// Read capacity of global indexes there, where it differs from the table's own.
        index: Option<Vec<Located<ReplicaIndexFile>>>,
        /// Whether Contributor Insights is on there; off where absent.
        contributor_insights: Option<bool>,
        /// Whether point-in-time recovery is on there.
        pitr: Option<bool>,
        /// Whether it is a witness of a strongly consistent global table, which holds no copy to read.
        witness: Option<bool>,
    }
}

document! {
    /// Read capacity of a global index in another region.
    pub struct ReplicaIndexFile {
        /// The index.
        name: Located<String>,
        /// Provisioned read units there: fixed, or auto scaled.
        read: Option<Located<UnitsFile>>,
        /// The most read units a second that it may serve there on demand.
        max_read: Option<Located<FileNumber>>,
        /// Whether Contributor Insights is on for it there; as for the replica where absent.
        contributor_insights: Option<bool>,
    }
}

document! {
    /// A DynamoDB Accelerator cluster.
    pub struct DaxFile {
        /// The node type, such as dax.r5.large.
        node_type: Located<String>,
        /// How many nodes, 1 to 11.
        nodes: Located<FileNumber>,
        /// The share of eventually consistent reads that the cache answers, 0 to 1, or "unknown"; where absent, it follows from the table's popularity.
        hit_ratio: Option<Located<Known<FileNumber>>>,
        /// How long the cache keeps an item; 5 minutes where absent.
        ttl: Option<Duration>,
    }
}

document! {
    /// The popularity of keys by Zipf's law: the key of rank r is asked for as often as 1 / r^zipf.
    pub struct PopularityFile {
        /// The exponent: 0 is even, 0.99 is common.
        zipf: Located<FileNumber>,
        /// How many keys there are; the table's items where absent. Of an index it has to be given.
        keys: Option<Located<FileNumber>>,
    }
}

document! {
    /// Encryption at rest with a customer managed key.
    pub struct EncryptionFile {
        /// How many keys the table pays for; 1 where absent. 0 where another table pays for the same key.
        keys: Option<FileNumber>,
        /// How many callers (principals) use the table; 1 where absent. Each asks KMS at most once in five minutes.
        callers: Option<FileNumber>,
    }
}
