//! The rules that the code follows, each with its text, its source and its grade.
//!
//! A line of a bill names its rules by these numbers; `explain` prints them in full.

/// How well a rule is supported by its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// AWS's documentation says so, or it was measured on AWS to the byte.
    A,
    /// Known from third parties' captures of AWS, or a direct consequence of a grade A rule.
    B,
    /// Sources disagree, or the behavior is not documented: a named switch decides.
    C,
}

impl Grade {
    /// The grade as it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Grade::A => "A",
            Grade::B => "B",
            Grade::C => "C, sources disagree",
        }
    }
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeteringRule {
    /// Its number, such as `3.8`.
    pub id: &'static str,
    /// Its text, in a sentence.
    pub text: &'static str,
    /// Where it is documented or measured.
    pub source: &'static str,
    /// How well it is supported by its source.
    pub grade: Grade,
}

impl MeteringRule {
    /// Whether a number names it: its own, such as `3.8`, or that of its section, such as `3`.
    pub fn is_named(&self, number: &str) -> bool {
        let section = self.id.split_once('.').map(|(section, _)| section);
        self.id == number || section == Some(number)
    }
}

/// The rule with a number; `None` if there is no such rule.
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
    "1.2" A "Developer Guide, DynamoDB item sizes and formats": "Names and strings take their UTF-8 bytes, binaries their bytes, a Boolean or null 1 byte.";
    "1.3" A "Developer Guide, DynamoDB item sizes and formats; measured on AWS": "A number takes 1 byte, plus 1 for each base-100 digit aligned on the decimal point, plus 1 for a minus sign.";
    "1.3a" C "one emulator's formula; not measured on AWS where it differs": "A number's integer digits and fraction digits are paired separately.";
    "1.4" A "Developer Guide, DynamoDB item sizes and formats; measured on AWS": "A list or map takes 3 bytes, and 1 byte more for each of its elements.";
    "1.5" A "Developer Guide, DynamoDB item sizes and formats; measured on AWS": "A set takes the bytes of its elements.";
    "1.6" A "Developer Guide, global and local secondary indexes, storage considerations": "An index entry holds the keys of the table and of the index and the projected attributes, each once; an item without an index key has no entry.";
    "1.7" A "Developer Guide, DynamoDB read and write operations": "Writes are rounded up to blocks of 1 KB, reads to blocks of 4 KB, with at least one block.";
    "1.8" A "Developer Guide, quotas": "An item is at most 400 KB; on a table with local indexes, the item and its entries in them together.";
    "1.9" B "third-party captures of AWS": "An index entry is unchanged if its values are equal: sets regardless of order, numbers by value.";
    "1.10" A "Developer Guide, DynamoDB item sizes and formats; global secondary indexes": "Storage adds 100 bytes to each item and each index entry, and another 48 bytes to each item of a global table.";
    "2.1" A "Developer Guide, DynamoDB read and write operations": "A block of 4 KB costs half a unit in an eventually consistent read, one in a strongly consistent read and two in a transaction.";
    "2.2" A "Developer Guide, DynamoDB read and write operations": "A GetItem reads the whole item; a missing item costs the minimum.";
    "2.3" A "Developer Guide, DynamoDB read and write operations": "Each item of a BatchGetItem is rounded up separately.";
    "2.4" A "Developer Guide, Query and Scan; read and write operations": "A page of a Query or Scan adds up the items that it evaluates, before any filter, and rounds up the sum once; an empty page costs the minimum.";
    "2.5" A "API Reference, Query and Scan": "A page ends with the item that reaches 1 MB; each page and each segment is rounded up separately.";
    "2.6" A "Developer Guide, global and local secondary indexes": "A read of an index counts the sizes of its entries; a global index uses its own capacity, a local index the table's.";
    "2.7" A "Developer Guide, local secondary indexes": "A query of a local index that needs attributes which are not projected also reads each item from the table, rounded up separately.";
    "2.7a" C "one emulator charges it": "A query of a local index that needs attributes which are not projected, and finds nothing, also costs the table's minimum.";
    "2.9" A "Developer Guide, DynamoDB transactions": "A TransactGetItems costs two units for each 4 KB of each item.";
    "2.10" B "third-party captures of AWS": "A PartiQL statement costs the same as the equivalent operation.";
    "2.11" B "Developer Guide lists no units for them": "Operations of the control plane, such as DescribeTable, consume no units.";
    "3.1" A "Developer Guide, DynamoDB read and write operations": "A write costs a unit for each 1 KB of the larger of the item before and after.";
    "3.2" A "Developer Guide, DynamoDB read and write operations": "A delete costs a unit for each 1 KB of the deleted item; if there is no item, it costs one unit.";
    "3.3" A "Developer Guide, DynamoDB read and write operations": "An update costs a unit for each 1 KB of the larger of the whole item before and after, however little changes.";
    "3.4" A "API Reference, PutItem; Developer Guide, global and local secondary indexes": "A write that changes nothing costs the table the same, and indexes nothing.";
    "3.5" A "Developer Guide, DynamoDB read and write operations": "Each item of a BatchWriteItem is rounded up separately: batching never changes the units.";
    "3.6" A "Developer Guide, DynamoDB transactions": "Each action of a transaction, a ConditionCheck included, costs two write units for each 1 KB of the base table's item.";
    "3.7" C "measured on AWS by third parties; the guide says otherwise": "A write whose condition fails costs a unit for each 1 KB of the existing item, one unit if there is none, and nothing on indexes.";
    "3.7a" B "third-party captures of AWS": "Every action of a cancelled transaction costs two units for each 1 KB of the existing item, and nothing on indexes.";
    "3.7b" B "Developer Guide, DynamoDB transactions; third-party captures": "A transaction that is repeated with the same ClientRequestToken costs a transactional read of the larger image of each item.";
    "3.7c" B "third-party captures of AWS": "A request that is throttled or fails validation costs nothing; a TransactionConflict costs what a cancelled transaction costs.";
    "3.7g" C "Developer Guide, DynamoDB read and write operations": "A write whose condition fails costs a unit for each 1 KB of the larger of the existing item and the attempted item.";
    "3.8" A "Developer Guide, global and local secondary indexes": "What an index costs depends on its entry: adding or removing it is 1 write, changing it 1 write of the larger entry, moving it to another key 2 writes, and leaving it unchanged is free; each write is rounded up to 1 KB.";
    "3.8a" B "third-party captures of AWS": "An update of a projected attribute is charged on a local index as on a global one; the guide does not list it for local indexes.";
    "3.8b" A "Developer Guide, global and local secondary indexes": "Writes to a local index use the table's capacity, writes to a global index its own.";
    "3.8d" A "Developer Guide, global and local secondary indexes; captures of two regions": "A write that leaves an index entry as it is costs nothing on this index.";
    "3.9" B "two independent captures of AWS": "A transaction doubles the base table's units only, never an index's.";
    "3.10" B "third-party captures of AWS": "PartiQL INSERT, UPDATE and DELETE cost the same as PutItem, UpdateItem and DeleteItem; an INSERT whose key exists is charged by the existing item.";
    "3.11" A "Developer Guide, managing global secondary indexes": "Building a new global index costs no read or write units; its storage is billed.";
    "3.12" A "Developer Guide, Time to Live": "A Time to Live delete costs no write units in the region where the item expires.";
    "4.1" A "Developer Guide, global tables billing": "A write to a global table costs a replicated write unit for each 1 KB in every region, including the one where it is made.";
    "4.2" A "Developer Guide, global tables billing": "Global index updates of a global table are ordinary write units in every region.";
    "4.2l" C "follows from 3.8b; not documented": "Local index updates of a global table are replicated write units.";
    "4.4" A "Developer Guide, global tables billing": "A witness region is not billed for writes, storage or transfer.";
    "4.5" A "Developer Guide, Time to Live; global tables": "A Time to Live delete is free in the region where the item expires and costs one replicated write in each other region.";
    "4.6" C "not documented": "A transaction costs double in its own region and is replicated as ordinary writes.";
    "4.9" A "Developer Guide, global tables billing": "Replicated bytes are billed as inter-region data transfer out of the source region; a replica that is added is billed as a restore of the table and the transfer of its data.";
    "5.1" A "Developer Guide, DynamoDB Streams; understanding billing": "Each GetRecords call of a polling reader is a streams read request, even if it returns nothing; calls by Lambda and by replication are free.";
    "5.2" A "Developer Guide, Kinesis Data Streams for DynamoDB": "Each changed item costs a change data capture unit for each 1 KB of its larger image, not doubled in a transaction; Time to Live deletes are included.";
    "5.3" A "Developer Guide, point-in-time recovery": "Point-in-time recovery is billed for the table's data and local indexes; the length of the recovery period does not matter.";
    "5.4" A "Developer Guide, backup and restore billing": "An on-demand backup is billed for the table's data and local indexes while it is kept.";
    "5.5" A "Developer Guide, understanding billing": "A restore is billed for the table's data and all its indexes.";
    "5.6" A "Developer Guide, export to Amazon S3": "A full export is billed for the table's data and local indexes, an incremental export for the bytes changed, at least 10 MB.";
    "5.7" A "Developer Guide, import from Amazon S3": "An import is billed for the uncompressed size of the source; it costs no write units.";
    "6.1" A "Developer Guide, on-demand capacity mode; initial throughput": "A new on-demand table serves 4,000 writes and 12,000 reads a second; it serves twice its previous peak at once, and more within 30 minutes may be throttled.";
    "6.2" A "Developer Guide, burst and adaptive capacity": "A partition serves 3,000 read units and 1,000 write units a second; up to 300 seconds of unused provisioned capacity are kept for bursts.";
    "6.3" A "Developer Guide, DynamoDB maximum throughput for on-demand tables": "An on-demand table serves no more than its maximum throughput, which AWS applies on a best-effort basis; refused requests are not billed.";
    "6.5" A "Developer Guide, quotas": "Provisioned capacity can be decreased 4 times a day, and once more each hour, 27 times in all; increases are not limited.";
    "6.6" B "Developer Guide, DynamoDB auto scaling; AWS re:Post; awslabs capacity-mode-evaluator": "Target tracking raises capacity after 2 minutes above the target and lowers it after 15 minutes at least 20 points below it, to the largest consumption of these minutes divided by the target.";
    "6.7" C "not documented": "Provisioned capacity is charged by the hour; if it changed within the hour, its highest value counts.";
    "6.8" A "Developer Guide, reserved capacity": "Reserved capacity covers provisioned units of single-region tables in the Standard class, in blocks of 100, for 1 or 3 years.";
    "7.1" A "Developer Guide, DAX: how it works": "DAX caches items (GetItem, BatchGetItem) and results of Query and Scan separately; each expires after its Time to Live, 5 minutes by default, and the least recently used is evicted first.";
    "7.2" A "Developer Guide, DAX: how it works": "A DAX hit costs no read units; a miss is an eventually consistent read; strongly consistent and transactional reads go to the table.";
    "7.3" A "Developer Guide, DAX: how it works; consistency": "A write through DAX costs the same write units and then updates the item cache, not the query cache.";
    "7.4" A "Developer Guide, DynamoDB transactions": "A TransactWriteItems through DAX reads each item again with a TransactGetItems to fill the cache.";
    "7.5" A "Developer Guide, DAX consistency": "DAX also caches that an item or a result does not exist.";
    "7.6" A "Developer Guide, DAX cluster components; sizing": "Each node of a DAX cluster holds the whole cache: more nodes serve more reads, not more data. A cluster has at most 11 nodes.";
    "7.7" A "Developer Guide, DAX cluster sizing": "A DAX cluster is sized for its hits, 10 times its misses and 25 times its writes for each node, by KB, with headroom for the loss of a node.";
    "7.8" A "Developer Guide, understanding billing": "DAX is billed by the hour for each node.";
    "11.1" A "third-party captures of AWS": "A failing member of a BatchExecuteStatement is charged in the total and not for a table or index; a failing INSERT by the larger of the stored and the attempted item.";
    "11.2" A "third-party captures of AWS": "SELECT * on an index returns the projected attributes alone and does not read the table.";
    "11.4" A "third-party captures of AWS": "An update may leave an item above 400 KB if it writes less; a recorded call without an error is taken as it is.";
    "11.5" B "third-party captures of AWS; AWS's price list": "A vector takes 4 bytes a dimension. A write to a vector index is charged by the bytes of the vector, the keys and the projected attributes, at least 1 KB, if what the index holds changes; a search by the bytes that it searches, at least 1 KB.";
    "11.8" B "Developer Guide, Contributor Insights": "Contributor Insights has a mode: for all keys, or for throttled keys only, where only throttled requests are events.";
    "12.1" A "CloudWatch pricing; Developer Guide, Contributor Insights": "Contributor Insights is billed for a rule for each kind of graph, and for an event for each item read or written, or two events if there is a sort key.";
    "12.2" A "KMS pricing; Developer Guide, encryption at rest": "A customer managed key is billed for the key and its requests; DynamoDB requests the table key at most once every five minutes for each caller.";
    "12.3" B "Amazon S3 User Guide, storage classes and lifecycle": "An archived object is billed by the month at the price of its storage class, for at least the minimum storage duration of the class, and for a request for each transition.";
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
