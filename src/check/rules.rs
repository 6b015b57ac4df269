//! The rules of findings: code, title, reason with its source, and the default severity.

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is not checked.
    Off,
    /// It is reported.
    Note,
    /// It is a warning.
    Warn,
    /// It fails the check.
    Fail,
}

impl Severity {
    /// All severities, the mildest first.
    pub const ALL: [Severity; 4] = [
        Severity::Off,
        Severity::Note,
        Severity::Warn,
        Severity::Fail,
    ];

    /// The word in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Off => "off",
            Severity::Note => "note",
            Severity::Warn => "warn",
            Severity::Fail => "fail",
        }
    }
}

/// Something that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingRule {
    /// Its stable name, which is also its heading in the docs.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it matters and what to do, with its source.
    pub why: &'static str,
    /// Its severity if the budget does not set one.
    pub severity: Severity,
}

/// Everything that is checked.
pub const RULES: &[FindingRule] = &[
    FindingRule {
        code: "scan",
        title: "a Scan in an access pattern",
        why: "A Scan reads and bills the whole table or index each time, however few items a \
              filter returns. Query by a key, or add an index for this query. Source: Developer \
              Guide, \"Best practices for querying and scanning data\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "unread-index",
        title: "an index that no access pattern reads",
        why: "Every write that changes an entry is also billed for the index, and the index's \
              storage is billed whether it is read or not. Remove the index, or add the access \
              pattern that reads it.",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "wide-projection",
        title: "a projection wider than any query needs",
        why: "What an index holds is written and stored a second time: with projection \"all\", \
              each entry is as large as its item. Reported when every access pattern that reads \
              the index lists the `attributes` that it needs and the index holds others, or when \
              the index holds whole items and all its readers fetch them from the table again. \
              Project only what queries return. The cost shown is that of the whole index; \
              `compare` prices narrower projections. Source: Developer Guide, \"Attribute \
              projections\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "hot-partition",
        title: "a partition key that receives more requests than one partition can serve",
        why: "One partition serves at most 3,000 read units and 1,000 write units a second, \
              whatever the capacity of the table. A key with few values, such as a status, soon \
              needs more, and an index that cannot keep up throttles the writes of its table. \
              Computed from the `popularity` of the table and of each index: the number of keys \
              (`keys = 5`), and how unevenly they are accessed (`zipf = 0` is even). Spread the \
              key over several values, or cache its reads. Source: Developer Guide, \"Burst and \
              adaptive capacity\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "no-auto-scaling",
        title: "provisioned capacity that never changes",
        why: "Fixed units are also billed when there is little traffic, and requests above them \
              are throttled when there is much. Use auto scaling or a schedule, or compare the \
              cost with on demand (`dynameter compare`).",
        severity: Severity::Note,
    },
    FindingRule {
        code: "under-provisioned",
        title: "provisioned units below the demand of the busiest hour",
        why: "Requests above the provisioned units are throttled once the five minutes of burst \
              capacity are used up. Raise the units, or use auto scaling or a schedule.",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "no-ttl",
        title: "a table that looks like sessions, tokens or a cache, without Time to Live",
        why: "Items that are never deleted are stored and backed up forever; Time to Live deletes \
              consume no write units in the region where the items expire. Source: Developer \
              Guide, \"Using time to live\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "no-pitr",
        title: "a production table without point-in-time recovery",
        why: "The budget lists the table as production: without point-in-time recovery, a mistake \
              that is noticed late cannot be undone. Source: Developer Guide, \"Point-in-time \
              backups\".",
        severity: Severity::Fail,
    },
    FindingRule {
        code: "item-size",
        title: "items near the limit of 400 KB",
        why: "An item above 400 KB cannot be written, and each write of a large item costs one \
              write unit for each KB. Keep large attributes in S3, or split the item. Source: \
              Developer Guide, \"Service, account, and table quotas\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "item-collection",
        title: "a table with local indexes and more data than an item collection may hold",
        why: "With a local index, all items of one partition key and their index entries can have \
              at most 10 GB together; beyond that, writes fail. Make sure that no key reaches \
              this limit, or use a global index. Source: Developer Guide, \"Item collections\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "index-limit",
        title: "a number of indexes at or near the limit",
        why: "A table can have at most 5 local indexes, which cannot be added later, and by \
              default at most 20 global indexes. Source: Developer Guide, \"Service, account, and \
              table quotas\".",
        severity: Severity::Note,
    },
    FindingRule {
        code: "transaction-size",
        title: "a transaction whose items may exceed 4 MB",
        why: "A transaction can contain at most 100 actions and 4 MB; the size of each item \
              counts. Source: Developer Guide, \"Amazon DynamoDB Transactions\".",
        severity: Severity::Warn,
    },
    FindingRule {
        code: "batch-size",
        title: "a batch whose items may exceed 16 MB",
        why: "A batch can contain at most 16 MB. BatchGetItem returns the items beyond it as \
              unprocessed, and they must be requested again; a larger BatchWriteItem is rejected. \
              Source: Developer Guide, API limits of BatchGetItem and BatchWriteItem.",
        severity: Severity::Note,
    },
];
