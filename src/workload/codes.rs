//! The error codes of workload files, which are stable.

/// Codes and their meanings; each has an example in `tests/errors/NAME.toml`.
pub const CODES: &[(&str, &str)] = &[
    ("syntax", "the file is not TOML"),
    (
        "wrong-type",
        "a value of the wrong type, such as a string instead of a number",
    ),
    ("missing-key", "a required key is missing"),
    ("unknown-key", "a key that the format does not define"),
    ("unknown-word", "a word that is not allowed here"),
    ("negative-number", "a negative count, size or share"),
    ("number-too-large", "a number above 1e15"),
    (
        "not-a-number",
        "NaN, an infinity, or a number with too many digits",
    ),
    ("not-whole", "a fraction where a whole number is required"),
    (
        "bad-size",
        "a size that is not a number of bytes, KB, MB, GB or TB",
    ),
    (
        "bad-duration",
        "a length of time that is not a number of minutes, hours, days, weeks, months or years",
    ),
    ("region", "a region without a price book"),
    ("price-date", "a date before the first prices of a region"),
    ("price-book", "a price book that cannot be read"),
    ("bad-date", "a date that is not YYYY-MM-DD"),
    ("share", "a share outside 0 to 1"),
    ("shares-sum", "shares that do not add up to 1"),
    (
        "measured",
        "measured usage of a type that is not on a bill of DynamoDB, or a transfer without its \
         destination",
    ),
    ("month-hours", "a month outside 1 to 744 hours"),
    (
        "rate",
        "a rate without exactly one of per_second, per_minute, per_hour, per_day, per_week, \
         per_month",
    ),
    (
        "profile",
        "a profile that is not a known word, 24 weights or 168 weights",
    ),
    ("no-tables", "a workload without a table"),
    (
        "name-length",
        "a table's or an index's name outside 3 to 255 characters",
    ),
    ("duplicate-table", "two tables with the same name"),
    (
        "duplicate-name",
        "two indexes, access patterns or attributes with the same name",
    ),
    (
        "entry-size",
        "an `entry_size` that differs from the item size, in an index that holds all attributes",
    ),
    (
        "entity",
        "an entity that is not described completely, or a key that does not go with entities",
    ),
    (
        "unknown-entity",
        "a key names an entity that the table does not have",
    ),
    (
        "vector-index",
        "a vector index beyond the limits, or of an attribute that is not a vector",
    ),
    (
        "item-source",
        "an item size that is not given in exactly one way",
    ),
    (
        "item-size",
        "an item that is larger than 400 KB, or too small for its primary key",
    ),
    (
        "key-size",
        "a key value that is empty, or longer than 2,048 bytes (partition key) or 1,024 bytes \
         (sort key)",
    ),
    (
        "lognormal",
        "a mean and a 99th percentile that no lognormal distribution has",
    ),
    (
        "attribute",
        "an attribute without the length that its type needs",
    ),
    ("export", "an S3 export that cannot be read"),
    ("items", "a table without a number of items"),
    (
        "local-indexes",
        "more than 5 local indexes, or one on a table without a sort key",
    ),
    ("global-indexes", "more than 20 global indexes"),
    (
        "local-index-key",
        "a local index whose partition key differs from its table's, or that has no sort key",
    ),
    (
        "index-attribute",
        "an index that names an attribute that no item has",
    ),
    (
        "included-attributes",
        "more than 100 attributes in INCLUDE projections",
    ),
    (
        "unknown-index",
        "an access pattern on an index that the table does not have",
    ),
    (
        "strong-on-global-index",
        "a strongly consistent read of a global index",
    ),
    (
        "fetch-on-global-index",
        "a read that fetches attributes from the table without using a local index",
    ),
    (
        "attributes",
        "a read of attributes that no item has, or that its index does not hold",
    ),
    (
        "not-for-this-operation",
        "a key that the operation does not support",
    ),
    (
        "needs",
        "a key that an operation or a feature needs is missing or out of range",
    ),
    ("batch-size", "more items in one call than the API allows"),
    (
        "capacity-mode",
        "capacity settings that do not fit the capacity mode",
    ),
    (
        "shares-of-calls",
        "`cancelled` and `replayed` together exceed all transactions",
    ),
    (
        "schedule",
        "a scheduled action whose cron expression is not weekly, or that sets nothing",
    ),
    ("reserved", "reserved capacity that AWS does not sell"),
    (
        "commitment",
        "a commitment that has ended, that is for a region without tables, or whose keys do not \
         fit its kind",
    ),
    ("replica", "a replica that AWS does not allow"),
    ("dax", "a DAX cluster that AWS does not allow"),
    (
        "export-window",
        "an incremental export of more than 24 hours or less than 15 minutes",
    ),
    ("popularity", "a popularity of keys that is not possible"),
    (
        "range",
        "a range whose values are not in the order low, likely, high",
    ),
    ("growth", "`growth` without `years_ahead`"),
    (
        "event",
        "an event that is not in the simulated week, that overlaps another, or whose rates are not \
         given in exactly one way",
    ),
    ("retries", "attempts that AWS's SDKs do not make"),
    ("lifecycle", "lifecycle transitions that S3 does not allow"),
    ("switch", "a value that a switch does not accept"),
    (
        "changes",
        "a change of a primary key attribute, which DynamoDB does not allow",
    ),
];
