//! The event type that every reader produces.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::table::{ApiName, Consistency, Direction, Item};
use crate::units::Bytes;

/// A moment, in nanoseconds since 1970-01-01 UTC.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Time(pub i64);

impl Time {
    /// Nanoseconds per second.
    pub const SECOND: i64 = 1_000_000_000;

    /// Whole seconds since 1970, rounded down.
    pub fn second(self) -> i64 {
        self.0.div_euclid(Time::SECOND)
    }

    /// The time of a number of whole seconds since 1970.
    pub fn from_second(second: i64) -> Time {
        Time(second.saturating_mul(Time::SECOND))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC; the fraction is omitted if it is zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = chrono::DateTime::from_timestamp_nanos(self.0).naive_utc();
        match self.0.rem_euclid(Time::SECOND) {
            0 => write!(f, "{}Z", moment.format("%Y-%m-%dT%H:%M:%S")),
            _ => write!(f, "{}Z", moment.format("%Y-%m-%dT%H:%M:%S%.f")),
        }
    }
}

/// An interned name, identified by its number.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Name(pub u32);

/// Interned names of tables, indexes, regions and callers.
#[derive(Clone, Debug, Default)]
pub struct NameTable {
    list: Vec<Arc<str>>,
    numbers: BTreeMap<Arc<str>, Name>,
    last: Option<(Arc<str>, Name)>,
}

impl NameTable {
    /// The number of a name, which is added if it is new.
    pub fn number(&mut self, text: &str) -> Name {
        if let Some((last, name)) = &self.last
            && **last == *text
        {
            return *name;
        }
        let (known, name) = match self.numbers.get_key_value(text) {
            Some((known, name)) => (known.clone(), *name),
            None => {
                let (known, name): (Arc<str>, _) = (text.into(), Name(self.list.len() as u32));
                self.list.push(known.clone());
                self.numbers.insert(known.clone(), name);
                (known, name)
            }
        };
        self.last = Some((known, name));
        name
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// All names, in the order of their numbers.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|text| &**text)
    }

    /// The name that has a number.
    pub fn text(&self, name: Name) -> &str {
        self.list.get(name.0 as usize).map_or("", |text| text)
    }
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const FIRST: u64 = 0xbf58_476d_1ce4_e5b9;
const SECOND: u64 = 0x94d0_49bb_1331_11eb;

/// Another hash of the same key, uniform over all 64 bits, so that a key's size and its presence in
/// each index are drawn independently.
pub(crate) fn mixed(hash: u64, salt: u64) -> u64 {
    let mut mixed = hash ^ salt.wrapping_mul(GOLDEN);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(FIRST);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(SECOND);
    mixed ^ (mixed >> 31)
}

/// Salts of the values drawn by a key's hash. Each has its own number, so that the draws are
/// independent. Existing traces and part files depend on these numbers: never change one.
pub(crate) mod salt {
    /// The size of a key's item.
    pub const SIZE: u64 = 1;
    /// Which of several items of the same size it is.
    pub const CLASS_OF_SIZE: u64 = 2;
    /// Whether a write finds an existing item.
    pub const FINDS: u64 = 3;
    /// The group of cache accesses, from which the error of the hit ratio is estimated.
    pub const CACHE_GROUP: u64 = 43;
    /// The ordinal of an event without a key, in a trace's signature.
    pub const SIGNATURE: u64 = 78;
    /// A key that is an integer.
    pub const WHOLE_NUMBER: u64 = 91;

    /// Whether an item is in an index, by its position.
    pub const fn of_index(index: usize) -> u64 {
        16 + index as u64
    }

    /// The items that a read of several items evaluates, by their number.
    pub const fn of_item(number: u64) -> u64 {
        1_000 + number
    }
}

/// The inverse of [`mixed`].
fn unmixed(mixed: u64, salt: u64) -> u64 {
    let mut hash = mixed ^ (mixed >> 31) ^ (mixed >> 62);
    hash = hash.wrapping_mul(const { inverse(SECOND) });
    hash = (hash ^ (hash >> 27) ^ (hash >> 54)).wrapping_mul(const { inverse(FIRST) });
    hash ^ (hash >> 30) ^ (hash >> 60) ^ salt.wrapping_mul(GOLDEN)
}

/// The multiplicative inverse of an odd number modulo 2^64: each round doubles the number of
/// correct bits (Newton).
const fn inverse(odd: u64) -> u64 {
    let (mut inverse, mut bits) = (odd, 3);
    while bits < u64::BITS {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse
}

/// The hash of a key, by which rows are dealt to shares: a key has the same hash in every format. Its
/// top 8 bits are the [slot](crate::trace::slot_of) of the key.
///
/// The hash is 64-bit XXH3 of the key's bytes. If they are an integer of at most 18 digits in its only
/// form (no plus sign, no leading zero), it is a mixture of the integer, from which the integer can be
/// recovered.
pub fn key_hash(key: &[u8]) -> u64 {
    hash_of(key)
}

/// The hash of a key: 64-bit XXH3 of its bytes; for an integer, given as text or in a column of
/// numbers, [`hash_of_whole`].
#[inline]
pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    match whole(bytes) {
        Some(number) => hash_of_whole(number),
        None => xxh3_64(bytes),
    }
}

/// The hash of a key that is an integer. It is unique among integers of at most 18 digits:
/// [`whole_of`] returns the number.
#[inline(always)]
pub(crate) fn hash_of_whole(number: i64) -> u64 {
    match is_short(number) {
        true => mixed(number as u64, WHOLE_SALT),
        false => xxh3_64(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// The integer of at most 18 digits that has this hash.
pub(crate) fn whole_of(hash: u64) -> i64 {
    unmixed(hash, WHOLE_SALT) as i64
}

/// Whether a number has at most 18 digits.
#[inline]
pub(crate) fn is_short(number: i64) -> bool {
    number.unsigned_abs() < 10_u64.pow(WHOLE_DIGITS)
}

const WHOLE_SALT: u64 = salt::WHOLE_NUMBER;

/// The most digits of integers that are hashed as numbers: any number of 18 digits fits in an
/// `i64`.
const WHOLE_DIGITS: u32 = 18;

/// The integer in a text, if the text is its only form: no plus sign, no leading zero.
#[inline]
fn whole(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'0'] => return Some(0),
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    if !matches!(digits.first(), Some(b'1'..=b'9')) || digits.len() > WHOLE_DIGITS as usize {
        return None;
    }
    let number = digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| 10 * number + i64::from(digit - b'0'))
    })?;
    Some(sign * number)
}

/// A key, hashed on input, with its first bytes for display.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TracedKey {
    /// The hash of the whole key.
    pub hash: u64,
    /// The hash of the bytes before the first `|`: the partition key, if the table has a sort key.
    pub partition: u64,
    length: u8,
    start: [u8; TracedKey::SHOWN],
}

impl TracedKey {
    /// The number of bytes kept for display.
    const SHOWN: usize = 39;

    /// A key whose partition key is given separately.
    pub fn of_parts(bytes: &[u8], partition: &[u8]) -> TracedKey {
        TracedKey {
            partition: hash_of(partition),
            ..TracedKey::of(bytes)
        }
    }

    /// A key of any bytes; if the table has a sort key, the partition key ends at the first `|`.
    pub fn of(bytes: &[u8]) -> TracedKey {
        let mut start = [0; TracedKey::SHOWN];
        let shown = bytes.len().min(TracedKey::SHOWN);
        start[..shown].copy_from_slice(&bytes[..shown]);
        let hash = hash_of(bytes);
        let partition = bytes
            .iter()
            .position(|byte| *byte == b'|')
            .map_or(hash, |at| hash_of(&bytes[..at]));
        TracedKey {
            hash,
            partition,
            length: bytes.len().min(TracedKey::SHOWN + 1) as u8,
            start,
        }
    }
}

impl TracedKey {
    /// Its first bytes.
    pub(crate) fn shown(&self) -> &[u8] {
        &self.start[..usize::from(self.length).min(TracedKey::SHOWN)]
    }

    /// Whether its partition key and its sort key begin like this, as far as its first bytes show.
    pub fn begins_with(&self, partition: &[u8], sort: &[u8]) -> bool {
        let shown = self.shown();
        let own = shown.iter().position(|byte| *byte == b'|');
        let rest = own.map_or(&[][..], |at| &shown[at + 1..]);
        shown.starts_with(partition) && rest.starts_with(sort)
    }
}

impl serde::Serialize for TracedKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.hash, self.partition, self.length, self.shown()).serialize(serializer)
    }
}

impl<'a> serde::Deserialize<'a> for TracedKey {
    fn deserialize<D: serde::Deserializer<'a>>(deserializer: D) -> Result<TracedKey, D::Error> {
        let (hash, partition, length, shown): (u64, u64, u8, Vec<u8>) =
            serde::Deserialize::deserialize(deserializer)?;
        let mut start = [0; TracedKey::SHOWN];
        start
            .iter_mut()
            .zip(shown)
            .for_each(|(to, byte)| *to = byte);
        Ok(TracedKey {
            hash,
            partition,
            length: length.min(TracedKey::SHOWN as u8 + 1),
            start,
        })
    }
}

impl fmt::Debug for TracedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for TracedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, cut) = match usize::from(self.length) {
            length if length > TracedKey::SHOWN => (&self.start[..], true),
            length => (&self.start[..length], false),
        };
        let is_bare =
            |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\');
        match std::str::from_utf8(shown) {
            Ok(text) if shown.iter().all(is_bare) => f.write_str(text)?,
            Ok(text) => write!(f, "{}", text.escape_debug())?,
            Err(error) if cut && error.error_len().is_none() => {
                write!(
                    f,
                    "{}",
                    String::from_utf8_lossy(&shown[..error.valid_up_to()]).escape_debug()
                )?;
            }
            Err(_) => shown.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?,
        }
        if cut {
            write!(f, "… (hash {:016x})", self.hash)
        } else {
            Ok(())
        }
    }
}

/// How a call failed, as far as it matters for what the meter charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Failure {
    /// Its condition failed (rule 3.7).
    Condition,
    /// Its transaction was cancelled (rule 3.7a).
    Cancelled,
    /// Throttled, invalid or rejected for another reason: free (rule 3.7c).
    Free,
}

impl Failure {
    /// What the error of a statement in a BatchExecuteStatement means; its codes do not end in
    /// "Exception". Source: API Reference, "BatchStatementError". `None` if the text is not an
    /// error code.
    pub fn of_member(code: &str) -> Option<Failure> {
        Some(match code {
            "AccessDenied"
            | "InternalServerError"
            | "ItemCollectionSizeLimitExceeded"
            | "ProvisionedThroughputExceeded"
            | "RequestLimitExceeded"
            | "ResourceNotFound"
            | "ThrottlingError"
            | "ValidationError" => Failure::Free,
            code => return Failure::parse(code),
        })
    }

    /// What an error code means for the bill. A class or service name before it and a message after
    /// it are ignored. `None` if the text is not an error code.
    pub fn parse(code: &str) -> Option<Failure> {
        let code = code.split([' ', ':']).next().unwrap_or(code);
        let name = code.rsplit(['#', '.']).next().unwrap_or(code);
        Some(match name.trim_end_matches("Exception") {
            "ConditionalCheckFailed" | "DuplicateItem" => Failure::Condition,
            "TransactionCanceled" | "TransactionConflict" => Failure::Cancelled,
            "AccessDenied" | "RequestLimitExceeded" | "ServiceUnavailable" | "Throttling" => {
                Failure::Free
            }
            _ if ["Exception", "Error", "Fault", "Failure"]
                .iter()
                .any(|end| name.ends_with(end)) =>
            {
                Failure::Free
            }
            _ => return None,
        })
    }
}

/// A call with all, some or none of its sizes: from a columnar trace, a cache trace or a CloudTrail
/// event.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct TracedCall {
    /// The API call.
    pub api: ApiName,
    /// The index that is read.
    pub index: Option<Name>,
    /// The region; the home region if `None`.
    pub region: Option<Name>,
    /// The caller: an access pattern of the workload, if one has this name.
    pub caller: Option<Name>,
    /// The key of the item; for a Query, of its partition.
    pub key: TracedKey,
    /// Size of the item: after the write, or as read.
    pub item_bytes: Option<u32>,
    /// Size of the item before the write; `Some(0)` if there was none.
    pub old_bytes: Option<u32>,
    /// Bytes of all items that a Query or Scan evaluated.
    pub evaluated_bytes: Option<u64>,
    /// The number of items that it evaluated.
    pub evaluated_items: Option<u64>,
    /// Sizes of the items that a local index query fetched from the table.
    pub fetched: Option<Arc<[u32]>>,
    /// Eventual or strong; `None` (eventual) if the row does not say.
    pub consistency: Option<Consistency>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What one operation of a batch or transaction does: Put, Update, Delete or ConditionCheck.
    pub action: Option<MemberAction>,
    /// The names of the attributes that it changes, separated by commas.
    pub changes: Option<Name>,
    /// The entity of its item.
    pub entity: Option<Name>,
    /// Whether a DAX cluster answered it, if the row says so.
    pub cached: Option<bool>,
    /// Whether a missing size is taken from the next write of the key (a miss in a cache trace).
    pub sized_by_next: bool,
    /// Whether it is a transaction repeated with the same client token (rule 3.7b).
    pub replayed: bool,
    /// The record that it is of, if the record may be delivered more than once.
    pub record: Option<RecordId>,
}

/// The id of a record that may be delivered more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordId {
    /// The hash of the id.
    pub hash: u64,
    /// Whether the call is the first of the record.
    pub is_first: bool,
}

impl RecordId {
    /// The id of the first call of a record.
    pub fn of(id: &str) -> RecordId {
        RecordId {
            hash: hash_of(id.as_bytes()),
            is_first: true,
        }
    }
}

impl TracedCall {
    /// A call of which only the API and the key are known.
    pub fn new(api: ApiName, key: TracedKey) -> TracedCall {
        TracedCall {
            api,
            index: None,
            region: None,
            caller: None,
            key,
            item_bytes: None,
            old_bytes: None,
            evaluated_bytes: None,
            evaluated_items: None,
            fetched: None,
            consistency: None,
            failure: None,
            action: None,
            changes: None,
            entity: None,
            cached: None,
            sized_by_next: false,
            replayed: false,
            record: None,
        }
    }
}

/// What one operation of a batch or transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MemberAction {
    /// Puts an item.
    Put,
    /// Updates an item.
    Update,
    /// Deletes an item.
    Delete,
    /// Checks a condition.
    ConditionCheck,
}

impl MemberAction {
    /// Parses the name of an action, ignoring case.
    pub fn parse(name: &str) -> Option<MemberAction> {
        Some(match name.to_ascii_lowercase().as_str() {
            "put" | "putrequest" => MemberAction::Put,
            "update" => MemberAction::Update,
            "delete" | "deleterequest" => MemberAction::Delete,
            "conditioncheck" => MemberAction::ConditionCheck,
            _ => return None,
        })
    }

    /// Its name in a TransactWriteItems request.
    pub fn name(self) -> &'static str {
        match self {
            MemberAction::Put => "Put",
            MemberAction::Update => "Update",
            MemberAction::Delete => "Delete",
            MemberAction::ConditionCheck => "ConditionCheck",
        }
    }
}

/// One API call with its request, to be executed in full.
#[derive(Clone, Debug)]
pub struct Request {
    /// The API call.
    pub api: ApiName,
    /// The request, in DynamoDB JSON, without the item below.
    pub request: Value,
    /// The `Item` of a put, or the `Key` of another call on one item, if it is valid. Most of a log
    /// consists of them, and as JSON values they would take several times the memory.
    pub item: Option<Item>,
    /// The error that it ended with.
    pub failure: Option<Failure>,
    /// The region; the home region if `None`.
    pub region: Option<Name>,
    /// The caller.
    pub caller: Option<Name>,
    /// The consumed capacity that AWS reported.
    pub consumed: Option<Value>,
    /// The item after an update; for several writes, a list with one each (`null` for none).
    pub item_after: Option<Value>,
    /// The keys of the items that a Query or Scan read; for several statements, one list each.
    pub evaluated_keys: Option<Value>,
    /// The operations of a batch that AWS left unprocessed, as in UnprocessedItems or
    /// UnprocessedKeys.
    pub unprocessed: Option<Value>,
}

/// A change of an item with its images: a record of a stream or of an incremental export.
#[derive(Clone, Debug)]
pub struct ItemChange {
    /// The key attributes.
    pub keys: Item,
    /// The item before.
    pub old: Option<Item>,
    /// The item after.
    pub new: Option<Item>,
    /// Whether the record can hold the old image; if it cannot, the image comes from the store or
    /// is unknown.
    pub has_old: bool,
    /// Whether the record can hold the new image.
    pub has_new: bool,
    /// Whether the item existed before and exists after, if the record says so.
    pub there: Option<(bool, bool)>,
    /// Whether Time to Live deleted it.
    pub time_to_live: bool,
    /// The size that the record gives: keys and images.
    pub size_bytes: Option<Bytes>,
    /// The region of the write, if the record says so.
    pub region: Option<Name>,
}

/// Units that AWS counted, from a metric or a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The number of calls they belong to, if known.
    pub calls: Option<u64>,
    /// The API call, if known.
    pub api: Option<ApiName>,
    /// The region; the home region if `None`.
    pub region: Option<Name>,
    /// The caller.
    pub caller: Option<Name>,
    /// The index; `None` for the table.
    pub index: Option<Name>,
    /// The direction that a metric counts; `None` for a call, which has both.
    pub metric: Option<Direction>,
    /// Half read units.
    pub read_halves: u64,
    /// Half write units.
    pub write_halves: u64,
    /// The number of seconds, from the event's time, over which they are spread.
    pub seconds: u32,
}

/// What an event holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// A call, possibly with its sizes.
    Call(TracedCall),
    /// A request to execute.
    Request(Box<Request>),
    /// A change with its images.
    Change(Box<ItemChange>),
    /// Units that AWS counted, from a metric or a log.
    Counted(Box<Counted>),
    /// The number of requests that AWS throttled in a minute; they cost nothing.
    Throttled(u64),
}

/// The place of an event in the trace.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct RowPlace {
    /// The file, by its position among the files of the trace.
    pub file: u32,
    /// The row or line, from 1; in a document with several records, the record's number.
    pub row: u64,
}

/// One event of a trace.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it happened.
    pub time: Time,
    /// Its place in the trace.
    pub place: RowPlace,
    /// The table; `None` for a request, which names its own.
    pub table: Option<Name>,
    /// What happened.
    pub what: What,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_whole_number_tells_it() {
        let longest = 10_i64.pow(WHOLE_DIGITS) - 1;
        for number in [
            0,
            1,
            -1,
            42,
            1 << 31,
            423_251_253_100_000_001,
            longest,
            -longest,
        ] {
            assert!(is_short(number));
            assert_eq!(whole_of(hash_of_whole(number)), number);
            assert_eq!(
                hash_of_whole(number),
                hash_of(number.to_string().as_bytes()),
                "{number}"
            );
        }
        for number in [longest + 1, -longest - 1, i64::MAX, i64::MIN] {
            assert!(!is_short(number));
            assert_eq!(
                hash_of_whole(number),
                hash_of(number.to_string().as_bytes()),
                "{number}"
            );
        }
        assert!((0..1_000).all(|number| unmixed(mixed(number, 5), 5) == number));
    }

    #[test]
    fn keys_are_shown_as_far_as_they_are_kept() {
        assert_eq!(TracedKey::of(b"order#1").to_string(), "order#1");
        assert_eq!(TracedKey::of(&[0xff, 0x00]).to_string(), "ff00");
        let long = TracedKey::of("ä".repeat(40).as_bytes()).to_string();
        assert!(
            long.starts_with(&"ä".repeat(19)) && long.contains("… (hash "),
            "{long}"
        );
        assert_eq!(TracedKey::of(b"line\nbreak").to_string(), "line\\nbreak");
    }

    #[test]
    fn a_whole_number_is_one_key_as_a_text_or_a_number() {
        let limit = 10_i64.pow(WHOLE_DIGITS);
        for number in [
            0,
            7,
            -7,
            42,
            1_000,
            limit - 1,
            1 - limit,
            limit,
            -limit,
            i64::MAX,
            i64::MIN,
        ] {
            assert_eq!(
                hash_of(number.to_string().as_bytes()),
                hash_of_whole(number),
                "{number}"
            );
        }
        for text in [
            "",
            "-",
            "-0",
            "007",
            "+7",
            "7.0",
            "7 ",
            "1e3",
            "12a",
            "1234567890123456789",
        ] {
            assert_eq!(
                hash_of(text.as_bytes()),
                xxh3_64(text.as_bytes()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn errors_cost_what_the_rules_say() {
        assert_eq!(
            Failure::parse("ConditionalCheckFailedException"),
            Some(Failure::Condition)
        );
        assert_eq!(
            Failure::parse(
                "software.amazon.awssdk.model.ConditionalCheckFailedException: The conditional"
            ),
            Some(Failure::Condition)
        );
        assert_eq!(
            Failure::parse("com.amazonaws.dynamodb.v20120810#TransactionCanceledException"),
            Some(Failure::Cancelled)
        );
        assert_eq!(
            Failure::parse("ProvisionedThroughputExceededException"),
            Some(Failure::Free)
        );
        assert_eq!(Failure::parse("OK"), None);
    }
}
