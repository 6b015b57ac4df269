//! Every kind of mistake in a workload file, by its stable short name.

/// Names and meanings; each has a sample in `tests/errors/NAME.toml`.
pub const CODES: &[(&str, &str)] = &[
    ("syntax", "the file is not TOML"),
    ("wrong-type", "a text where a number belongs, and the like"),
    ("missing-key", "a key that is required is not there"),
    ("unknown-key", "a key that the format does not have"),
    ("unknown-word", "a word that is not among those allowed"),
    ("negative-number", "a count, a size or a share below zero"),
    ("number-too-large", "a number above 1e15"),
    (
        "not-a-number",
        "NaN, an infinity, or a number with too many digits",
    ),
    ("not-whole", "a fraction where a whole number belongs"),
    (
        "bad-size",
        "a size that is not a number of bytes, KB, MB, GB or TB",
    ),
    (
        "bad-duration",
        "a time that is not a number of minutes, hours, days, weeks, months or years",
    ),
    ("region", "a region without a price book"),
    ("price-date", "a date before the price book of a region"),
    ("price-book", "a price book that cannot be read"),
    ("bad-date", "a date that is not YYYY-MM-DD"),
    ("share", "a share outside 0 to 1"),
    ("shares-sum", "shares that do not add up to 1"),
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
    ("duplicate-table", "two tables of one name in one region"),
    (
        "duplicate-name",
        "two indexes, access patterns or attributes of one name",
    ),
    (
        "entry-size",
        "an `entry_size` that differs from the item of an index that holds all attributes",
    ),
    (
        "item-source",
        "not exactly one way to say how large an item is",
    ),
    ("item-size", "an item above 400 KB"),
    (
        "key-size",
        "a key above 2,048 bytes (partition) or 1,024 bytes (sort), or empty",
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
        "a local index with another partition key than its table, or without a sort key",
    ),
    (
        "index-attribute",
        "an index on an attribute, or with an attribute, that no item has",
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
        "a read of a global index for attributes outside it",
    ),
    (
        "attributes",
        "a read of attributes that no item has, or that its index does not hold",
    ),
    (
        "not-for-this-operation",
        "a key that an operation cannot have",
    ),
    ("needs", "a key that an operation or a feature needs"),
    ("batch-size", "more items in one call than the API allows"),
    ("capacity-mode", "capacity figures that do not fit the mode"),
    (
        "shares-of-calls",
        "cancelled and replayed transactions that are more than all",
    ),
    (
        "schedule",
        "a scheduled action that is no cron expression of a week, or sets nothing",
    ),
    ("reserved", "reserved capacity that AWS does not sell"),
    ("replica", "a replica that AWS does not allow"),
    ("dax", "a DAX cluster that AWS does not allow"),
    (
        "export-window",
        "an incremental export of more than 24 hours or less than 15 minutes",
    ),
    ("popularity", "a popularity of keys that makes no sense"),
    (
        "range",
        "a range that does not go from low through likely to high",
    ),
    ("growth", "a growth without a time to grow"),
    ("lifecycle", "S3 lifecycle steps that S3 does not allow"),
    ("switch", "a value that a switch does not have"),
    (
        "changes",
        "a change of a primary key attribute, which DynamoDB does not allow",
    ),
];
