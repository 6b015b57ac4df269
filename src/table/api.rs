//! The names of DynamoDB's API calls.

/// An API call of DynamoDB, by its name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[non_exhaustive]
pub enum ApiName {
    /// GetItem.
    GetItem,
    /// BatchGetItem; in a trace of columns, one of its keys.
    BatchGetItem,
    /// TransactGetItems; in a trace of columns, one of its keys.
    TransactGetItems,
    /// Query, one page.
    Query,
    /// Scan, one page.
    Scan,
    /// SearchVectors, which costs bytes and no units.
    SearchVectors,
    /// PutItem.
    PutItem,
    /// UpdateItem.
    UpdateItem,
    /// DeleteItem.
    DeleteItem,
    /// BatchWriteItem; in a trace of columns, one of its puts or deletes.
    BatchWriteItem,
    /// TransactWriteItems; in a trace of columns, one of its actions.
    TransactWriteItems,
    /// ExecuteStatement.
    ExecuteStatement,
    /// BatchExecuteStatement.
    BatchExecuteStatement,
    /// ExecuteTransaction.
    ExecuteTransaction,
    /// A deletion by Time to Live.
    TimeToLiveDelete,
    /// CreateTable, which defines a table and costs nothing.
    CreateTable,
    /// UpdateTable, which may add an index.
    UpdateTable,
    /// DeleteTable.
    DeleteTable,
    /// Everything that consumes no units: DescribeTable, ListTables, GetRecords … (rule 2.11).
    Free,
}

/// API calls that consume no units of a table (rule 2.11).
const FREE: &[&str] = &[
    "DescribeTable",
    "ListTables",
    "UpdateTimeToLive",
    "DescribeTimeToLive",
    "DescribeLimits",
    "DescribeEndpoints",
    "DescribeContinuousBackups",
    "UpdateContinuousBackups",
    "DescribeContributorInsights",
    "UpdateContributorInsights",
    "CreateBackup",
    "DeleteBackup",
    "DescribeBackup",
    "ListBackups",
    "RestoreTableFromBackup",
    "RestoreTableToPointInTime",
    "ExportTableToPointInTime",
    "DescribeExport",
    "ListExports",
    "ImportTable",
    "DescribeImport",
    "ListImports",
    "CreateGlobalTable",
    "UpdateGlobalTable",
    "DescribeGlobalTable",
    "ListGlobalTables",
    "DescribeTableReplicaAutoScaling",
    "UpdateTableReplicaAutoScaling",
    "EnableKinesisStreamingDestination",
    "DisableKinesisStreamingDestination",
    "DescribeKinesisStreamingDestination",
    "TagResource",
    "UntagResource",
    "ListTagsOfResource",
    "GetResourcePolicy",
    "PutResourcePolicy",
    "DeleteResourcePolicy",
    "GetRecords",
    "GetShardIterator",
    "DescribeStream",
    "ListStreams",
];

impl ApiName {
    /// The calls that cost or that change tables, with their names.
    pub const NAMES: &'static [(&'static str, ApiName)] = &[
        ("GetItem", ApiName::GetItem),
        ("BatchGetItem", ApiName::BatchGetItem),
        ("TransactGetItems", ApiName::TransactGetItems),
        ("Query", ApiName::Query),
        ("Scan", ApiName::Scan),
        ("SearchVectors", ApiName::SearchVectors),
        ("PutItem", ApiName::PutItem),
        ("UpdateItem", ApiName::UpdateItem),
        ("DeleteItem", ApiName::DeleteItem),
        ("BatchWriteItem", ApiName::BatchWriteItem),
        ("TransactWriteItems", ApiName::TransactWriteItems),
        ("ExecuteStatement", ApiName::ExecuteStatement),
        ("BatchExecuteStatement", ApiName::BatchExecuteStatement),
        ("ExecuteTransaction", ApiName::ExecuteTransaction),
        ("TimeToLiveDelete", ApiName::TimeToLiveDelete),
        ("CreateTable", ApiName::CreateTable),
        ("UpdateTable", ApiName::UpdateTable),
        ("DeleteTable", ApiName::DeleteTable),
    ];

    /// The call with a name, as the API writes it; `None` if DynamoDB has no such call.
    pub fn parse(name: &str) -> Option<ApiName> {
        let listed = ApiName::NAMES
            .iter()
            .find(|(listed, _)| *listed == name)
            .map(|(_, api)| *api);
        listed.or_else(|| FREE.contains(&name).then_some(ApiName::Free))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        ApiName::NAMES
            .iter()
            .find(|(_, api)| *api == self)
            .map_or("control plane", |(name, _)| name)
    }

    /// Whether it consumes no units of a table.
    pub fn is_free(self) -> bool {
        matches!(
            self,
            ApiName::CreateTable | ApiName::UpdateTable | ApiName::DeleteTable | ApiName::Free
        )
    }

    /// Whether it reads.
    pub fn is_read(self) -> bool {
        matches!(
            self,
            ApiName::GetItem
                | ApiName::BatchGetItem
                | ApiName::TransactGetItems
                | ApiName::Query
                | ApiName::Scan
                | ApiName::SearchVectors
        )
    }

    /// Whether it holds PartiQL statements, each of which costs the same as the equivalent
    /// operation (rule 2.10).
    pub fn is_partiql(self) -> bool {
        matches!(
            self,
            ApiName::ExecuteStatement
                | ApiName::BatchExecuteStatement
                | ApiName::ExecuteTransaction
        )
    }

    /// Whether it is a transaction.
    pub fn is_transaction(self) -> bool {
        matches!(
            self,
            ApiName::TransactGetItems | ApiName::TransactWriteItems | ApiName::ExecuteTransaction
        )
    }
}

impl std::fmt::Display for ApiName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
