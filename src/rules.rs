//! The rules that the code follows, each with what it says, its source and how well it is founded.
//!
//! A line of a bill names its rules by these numbers; `explain` prints them in full.

/// How well a rule is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// AWS's documentation says so, or it was measured on AWS to the byte.
    A,
    /// Known from third parties' captures of AWS, or a direct consequence of a grade A rule.
    B,
    /// Sources disagree or nobody says: a named switch decides.
    C,
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeteringRule {
    /// Its number, such as `3.8`.
    pub id: &'static str,
    /// What it says, in a sentence.
    pub text: &'static str,
    /// The page that says so.
    pub source: &'static str,
    /// How well it is founded.
    pub grade: Grade,
}

/// The rule of a number; `None` for a number that no rule has.
pub fn rule(id: &str) -> Option<&'static MeteringRule> {
    RULES.iter().find(|rule| rule.id == id)
}

macro_rules! rules {
    ($($id:literal $grade:ident $source:literal : $text:literal;)*) => {
        /// Every rule, by number.
        pub const RULES: &[MeteringRule] = &[$(MeteringRule { id: $id, text: $text, source: $source, grade: Grade::$grade }),*];
    };
}

rules! {
    "1.1" A "Developer Guide, DynamoDB item sizes and formats": "An item's size is the bytes of its attribute names and values.";
    "1.3" A "Developer Guide, DynamoDB item sizes and formats; measured on AWS": "A number takes 1 byte, 1 for each base-100 digit aligned on the decimal point, 1 for a minus sign.";
    "1.3a" C "one emulator's formula, unmeasured where it differs": "A number's integer and fraction digits are halved each for itself.";
    "1.6" A "Developer Guide, global and local secondary indexes, storage considerations": "An index entry holds the keys of the table and of the index and the projected attributes, each once; an item without an index key has no entry.";
    "1.7" A "Developer Guide, DynamoDB read and write operations": "Writes round up to 1 KB, reads to 4 KB, at least one.";
    "1.10" A "Developer Guide, DynamoDB item sizes and formats; global secondary indexes": "Storage adds 100 bytes an item and an index entry, and 48 bytes an item in a global table.";
    "2.1" A "Developer Guide, DynamoDB read and write operations": "A block of 4 KB costs half a unit eventually consistent, one strongly consistent, two in a transaction.";
    "2.2" A "Developer Guide, DynamoDB read and write operations": "A GetItem reads the whole item; a missing item costs the minimum.";
    "2.3" A "Developer Guide, DynamoDB read and write operations": "Each item of a BatchGetItem is rounded alone.";
    "2.4" A "Developer Guide, Query and Scan; read and write operations": "A page of a Query or Scan adds up what it evaluated before any filter and rounds the sum once; an empty one costs the minimum.";
    "2.5" A "API Reference, Query and Scan": "A page ends with the item that reaches 1 MB; each page and segment rounds for itself.";
    "2.6" A "Developer Guide, global and local secondary indexes": "Reading an index counts entries: a global index on its own capacity, a local index on the table's.";
    "2.7" A "Developer Guide, local secondary indexes": "A local index query that wants unprojected attributes also reads each base item, rounded alone.";
    "2.7a" C "one emulator charges it": "Such a query that finds nothing pays the table's minimum as well.";
    "2.9" A "Developer Guide, DynamoDB transactions": "A TransactGetItems costs two units for each 4 KB of each item.";
    "2.10" B "third-party captures of AWS": "A PartiQL statement costs what the operation that it is costs.";
    "3.1" A "Developer Guide, DynamoDB read and write operations": "A write costs the larger of the item before and after, a unit for each 1 KB.";
    "3.2" A "Developer Guide, DynamoDB read and write operations": "A delete costs the item that was there; a missing one costs a unit.";
    "3.5" A "Developer Guide, DynamoDB read and write operations": "Each item of a BatchWriteItem is rounded alone: batching never changes the units.";
    "3.6" A "Developer Guide, DynamoDB transactions": "Each action of a transaction, a ConditionCheck included, costs two write units for each 1 KB of the base table's item.";
    "3.7" C "measured on AWS by third parties; the guide says otherwise": "A failed condition costs the item that is there, a unit where none is; no index.";
    "3.7g" C "Developer Guide, DynamoDB read and write operations": "A failed condition costs the larger of the item there and the item attempted.";
    "3.7a" B "third-party captures of AWS": "A cancelled transaction costs two units for each 1 KB of the items that are there, for every action; no index.";
    "3.7b" B "Developer Guide, DynamoDB transactions; third-party captures": "A repeated ClientRequestToken costs transactional reads of the larger images.";
    "3.8" A "Developer Guide, global and local secondary indexes": "An index pays for its own entry: put or removed 1 write, changed 1 write of the larger, moved 2 writes, unchanged nothing; each rounded up to 1 KB.";
    "3.8b" A "Developer Guide, global and local secondary indexes": "A local index writes on the table's capacity, a global index on its own.";
    "3.9" B "two independent captures of AWS": "A transaction doubles the base table's units only, never an index's.";
    "3.12" A "Developer Guide, Time to Live": "A Time to Live delete costs no write units where it expires.";
    "4.1" A "Developer Guide, global tables billing": "A write to a global table costs a replicated write unit for each 1 KB in every region, the first included.";
    "4.2" A "Developer Guide, global tables billing": "Global index updates of a global table are ordinary write units in every region.";
    "4.2l" C "follows from 3.8b; nobody says": "Local index updates of a global table are replicated write units.";
    "4.4" A "Developer Guide, global tables billing": "A witness region pays for no writes, storage or transfer.";
    "4.5" A "Developer Guide, Time to Live; global tables": "A Time to Live delete is free where it expires and one replicated write in each other region.";
    "4.6" C "nobody says": "A transaction doubles in its own region and replicates as ordinary writes.";
    "4.9" A "Developer Guide, global tables billing": "Replicated bytes pay inter-region transfer out of the source region.";
    "5.1" A "Developer Guide, DynamoDB Streams; understanding billing": "Each GetRecords call of a polling reader is a streams read request, empty or not; Lambda's and replication's are free.";
    "5.2" A "Developer Guide, Kinesis Data Streams for DynamoDB": "Each changed item is a change data capture unit for each 1 KB of its larger image, once even in a transaction, Time to Live deletes included.";
    "5.3" A "Developer Guide, point-in-time recovery": "Point-in-time recovery bills the table's data and local indexes, whatever the window.";
    "5.4" A "Developer Guide, backup and restore billing": "An on-demand backup bills the table's data and local indexes while it is kept.";
    "5.5" A "Developer Guide, understanding billing": "A restore bills the table's data and all its indexes.";
    "5.6" A "Developer Guide, export to Amazon S3": "A full export bills the table's data and local indexes, an incremental one the bytes changed, at least 10 MB.";
    "5.7" A "Developer Guide, import from Amazon S3": "An import bills the uncompressed source; it costs no write units.";
    "6.3" A "Developer Guide, DynamoDB maximum throughput for on-demand tables": "An on-demand table serves no more than its maximum throughput, as far as AWS can tell; what is refused is not billed.";
    "6.6" B "Developer Guide, DynamoDB auto scaling; AWS re:Post; awslabs capacity-mode-evaluator": "Target tracking raises capacity after 2 minutes above the target and lowers it after 15 minutes 20 points below, to the largest of them divided by the target.";
    "6.7" C "documented nowhere": "Provisioned capacity is charged by the hour; where it changed within the hour, its highest value counts.";
    "6.8" A "Developer Guide, reserved capacity": "Reserved capacity covers Standard, single-region, provisioned units, in blocks of 100, for 1 or 3 years.";
    "7.2" A "Developer Guide, DAX: how it works": "A DAX hit costs no read units; a miss is an eventually consistent read; strong and transactional reads pass through.";
    "7.4" A "Developer Guide, DynamoDB transactions": "A TransactWriteItems through DAX reads each item again with a TransactGetItems to fill the cache.";
    "7.8" A "Developer Guide, understanding billing": "DAX bills each node by the hour.";
    "12.1" A "CloudWatch pricing; Developer Guide, Contributor Insights": "Contributor Insights bills a rule for each kind of graph and an event for each item read or written, two where there is a sort key.";
    "12.2" A "KMS pricing; Developer Guide, encryption at rest": "A customer managed key bills the key and its requests; DynamoDB asks for the table key at most once in five minutes for each caller.";
    "12.3" B "Amazon S3 User Guide, storage classes and lifecycle": "An archived object pays its class by the month, at least the class's minimum time, and a request for each transition.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_unique_numbers() {
        for (at, rule) in RULES.iter().enumerate() {
            assert!(
                RULES[..at].iter().all(|earlier| earlier.id != rule.id),
                "{}",
                rule.id
            );
        }
    }
}
