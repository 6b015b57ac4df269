//! The wrappers in which records reach a file: CloudWatch Logs, Lambda events, EventBridge, SQS,
//! SNS, Firehose, Kinesis, container logs, X-Ray, OpenTelemetry, Security Lake. A wrapper changes
//! no figure; what a record lacks, its wrapper may give: the time.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

use super::notes::{Notes, Passed};

/// The members that are lists of records, in the documents of all formats.
pub const LISTS: [&str; 13] = [
    "QueryResultRows",
    "Records",
    "records",
    "events",
    "logEvents",
    "Messages",
    "results",
    "Traces",
    "Segments",
    "resourceSpans",
    "scopeSpans",
    "instrumentationLibrarySpans",
    "spans",
];

/// Wrappers within wrappers that are opened.
const DEPTH_MAX: usize = 16;

/// The most bytes that a compressed record is decompressed to.
const UNZIPPED_BYTES_MAX: u64 = 64 << 20;

/// What a wrapper contains.
pub enum Inner {
    /// A record.
    Record(Value),
    /// A line of text.
    Line(String),
}

/// What the wrappers around a record say.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// When the record was received, as the wrapper writes it: a text or a number since 1970.
    pub time: Option<Value>,
    /// How many wrappers there are.
    pub depth: usize,
}

impl Around {
    fn inside(&self, time: Option<&Value>) -> Around {
        Around {
            time: time
                .filter(|time| !time.is_null())
                .cloned()
                .or_else(|| self.time.clone()),
            depth: self.depth + 1,
        }
    }
}

/// Hands out what is in the wrappers of a value.
///
/// # Errors
/// The first error of `each`, or of a wrapper that cannot be opened.
pub fn unwrap<E: From<String>>(
    value: Value,
    around: &Around,
    notes: &mut Notes,
    each: &mut dyn FnMut(Inner, &Around, &mut Notes) -> Result<(), E>,
) -> Result<(), E> {
    if around.depth > DEPTH_MAX {
        return each(Inner::Record(value), around, notes);
    }
    let object = match value {
        Value::Array(list) if is_fields(&list) => return fields(&list, around, notes, each),
        Value::Array(list) => {
            return list
                .into_iter()
                .try_for_each(|one| unwrap(one, around, notes, each));
        }
        Value::Object(object) => object,
        other => return each(Inner::Record(other), around, notes),
    };
    match Wrapper::of(&object) {
        Wrapper::None => each(Inner::Record(Value::Object(object)), around, notes),
        Wrapper::NoRecord(what) => {
            notes.pass(what);
            Ok(())
        }
        Wrapper::Lists => {
            let inside = around.inside(None);
            let mut object = object;
            LISTS
                .iter()
                .filter_map(|name| object.remove(*name))
                .filter(Value::is_array)
                .try_for_each(|list| unwrap(list, &inside, notes, each))
        }
        Wrapper::Value(name, time) => {
            let inside = around.inside(time.and_then(|name| object.get(name)));
            let mut object = object;
            let value = object.remove(name).unwrap_or_default();
            unwrap(value, &inside, notes, each)
        }
        Wrapper::Text(text, time) => {
            let inside = around.inside(time.and_then(|name| object.get(name)));
            line(text, &inside, notes, each)
        }
        Wrapper::Base64(data, time) => {
            let inside = around.inside(time.and_then(|name| object.get(name)));
            let text = decoded(data)?;
            // A whole record, which may go on over several lines, or lines.
            if serde_json::from_str::<Value>(&text).is_ok() {
                return line(&text, &inside, notes, each);
            }
            text.lines()
                .filter(|line| !line.trim().is_empty())
                .try_for_each(|text| line(text, &inside, notes, each))
        }
        Wrapper::Bytes(bytes, time) => {
            let inside = around.inside(time.and_then(|name| object.get(name)));
            let bytes = bytes
                .iter()
                .filter_map(|byte| byte.as_u64()?.try_into().ok());
            let text = String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned();
            line(&text, &inside, notes, each)
        }
        Wrapper::Span => unwrap(span(&object), &around.inside(None), notes, each),
        Wrapper::SecurityLake => unwrap(security_lake(&object), &around.inside(None), notes, each),
    }
}

/// Hands out a text: what is in its JSON, or the line.
pub fn line<E: From<String>>(
    text: &str,
    around: &Around,
    notes: &mut Notes,
    each: &mut dyn FnMut(Inner, &Around, &mut Notes) -> Result<(), E>,
) -> Result<(), E> {
    let trimmed = text.trim();
    if trimmed.starts_with(['{', '[']) {
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(trimmed)
            .into_iter::<Value>()
            .collect();
        if let Ok(values) = values {
            return values
                .into_iter()
                .try_for_each(|value| unwrap(value, around, notes, each));
        }
    }
    each(Inner::Line(text.to_string()), around, notes)
}

/// A wrapper, and the member that gives its time.
enum Wrapper<'a> {
    None,
    /// Something that is no record.
    NoRecord(Passed),
    /// Lists of records.
    Lists,
    /// A member that is a record.
    Value(&'static str, Option<&'static str>),
    /// A text that is a record or a line.
    Text(&'a str, Option<&'static str>),
    /// Base64 of a text, possibly compressed.
    Base64(&'a str, Option<&'static str>),
    /// A list of bytes.
    Bytes(&'a [Value], Option<&'static str>),
    /// A span of OpenTelemetry.
    Span,
    /// An event of Security Lake, in the schema OCSF.
    SecurityLake,
}

impl Wrapper<'_> {
    fn of(object: &Map<String, Value>) -> Wrapper<'_> {
        let has = |name: &str| object.contains_key(name);
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let inner = |name: &str, member: &str| object.get(name)?.get(member)?.as_str();
        let is_object = |name: &str| object.get(name).is_some_and(Value::is_object);
        if text("messageType") == Some("CONTROL_MESSAGE")
            || text("format") == Some("json") && has("version") && object.len() == 2
        {
            return Wrapper::NoRecord(Passed::ControlMessage);
        }
        if is_list_of_records(object) {
            return Wrapper::Lists;
        }
        if let Some(data) = inner("awslogs", "data").or_else(|| inner("kinesis", "data")) {
            return Wrapper::Base64(data, None);
        }
        if let Some(data) = text("data").filter(|_| has("recordId")) {
            return Wrapper::Base64(data, Some("approximateArrivalTimestamp"));
        }
        if is_object("detail") && (has("detail-type") || object["detail"]["eventName"].is_string())
        {
            return Wrapper::Value("detail", Some("time"));
        }
        if is_object("Sns") {
            return Wrapper::Value("Sns", None);
        }
        if let Some(message) = text("Message").filter(|_| has("TopicArn") || has("MessageId")) {
            return Wrapper::Text(message, Some("Timestamp"));
        }
        if let Some(body) = text("body").filter(|_| has("messageId")) {
            return Wrapper::Text(body, None);
        }
        if let Some(body) = text("Body").filter(|_| has("MessageId")) {
            return Wrapper::Text(body, None);
        }
        if let Some(message) = text("message")
            && has("timestamp")
            && object.keys().all(|name| LOG_EVENT.contains(&name.as_str()))
        {
            return Wrapper::Text(message, Some("timestamp"));
        }
        if let Some(message) = text("@message") {
            return Wrapper::Text(message, Some("@timestamp"));
        }
        if let Some(log) = text("log").filter(|_| has("stream") || has("kubernetes")) {
            return Wrapper::Text(log, Some("time"));
        }
        if let Some(message) = text("MESSAGE").filter(|_| has("__REALTIME_TIMESTAMP")) {
            return Wrapper::Text(message, Some("__REALTIME_TIMESTAMP"));
        }
        if let Some(bytes) = object.get("MESSAGE").and_then(Value::as_array)
            && has("__REALTIME_TIMESTAMP")
            && bytes
                .iter()
                .all(|byte| byte.as_u64().is_some_and(|byte| byte < 256))
        {
            return Wrapper::Bytes(bytes, Some("__REALTIME_TIMESTAMP"));
        }
        if let Some(data) = text("Data").filter(|_| has("PartitionKey")) {
            return Wrapper::Base64(data, Some("ApproximateArrivalTimestamp"));
        }
        // X-Ray infers a segment for a service from the subsegment of its caller.
        if object.get("inferred") == Some(&Value::Bool(true)) && has("trace_id") {
            return Wrapper::NoRecord(Passed::InferredSegment);
        }
        if let Some(document) = text("Document").filter(|_| has("Id")) {
            return Wrapper::Text(document, None);
        }
        if let Some(event) = text("eventJson") {
            return Wrapper::Text(event, None);
        }
        if has("class_uid") && inner("api", "operation").is_some() {
            return Wrapper::SecurityLake;
        }
        if has("spanId") && object.get("attributes").is_some_and(Value::is_array) {
            return Wrapper::Span;
        }
        Wrapper::None
    }
}

/// The members of an event of CloudWatch Logs. A record of an application has others.
const LOG_EVENT: [&str; 8] = [
    "eventId",
    "extractedFields",
    "id",
    "ingestionTime",
    "logGroupName",
    "logStreamName",
    "message",
    "timestamp",
];

/// Whether an object is only the wrapper of a list of records, and no call with a list of its own.
fn is_list_of_records(object: &Map<String, Value>) -> bool {
    let is_list = |(name, value): (&String, &Value)| {
        let list = value.as_array().filter(|list| !list.is_empty());
        LISTS.contains(&name.as_str()) && list.is_some_and(|list| list.iter().all(is_record))
    };
    let others = || object.iter().filter(|member| !is_list(*member));
    object.iter().any(is_list)
        && !others().any(|(name, value)| names_capacity(name) || mentions_capacity(value))
}

/// Whether a text names a consumed capacity, and not only asks for it.
pub fn names_capacity(text: &str) -> bool {
    let plain = text.replace('_', "").to_ascii_lowercase();
    let asked = plain.replace("returnconsumedcapacity", "");
    asked.contains("consumedcapacity")
}

/// Whether a value, or a text in it, names a consumed capacity.
pub fn mentions_capacity(value: &Value) -> bool {
    names_capacity(&value.to_string())
}

/// Whether a member of a list can be a record: an object, or a row of Logs Insights.
fn is_record(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(list) => list.iter().all(Value::is_object),
        _ => false,
    }
}

/// Whether a list is a row of Logs Insights: fields and their values.
fn is_fields(list: &[Value]) -> bool {
    !list.is_empty()
        && list
            .iter()
            .all(|one| one.get("field").is_some() && one.get("value").is_some())
}

/// A row of Logs Insights, as an object.
fn fields<E: From<String>>(
    list: &[Value],
    around: &Around,
    notes: &mut Notes,
    each: &mut dyn FnMut(Inner, &Around, &mut Notes) -> Result<(), E>,
) -> Result<(), E> {
    let pairs = list.iter().filter_map(|one| {
        let name = one["field"].as_str()?;
        Some((name.to_string(), one["value"].clone()))
    });
    unwrap(Value::Object(pairs.collect()), around, notes, each)
}

/// The text in base64, decompressed if it is gzip.
fn decoded(data: &str) -> Result<String, String> {
    let bytes = STANDARD
        .decode(data)
        .map_err(|error| format!("the data of a wrapper is not base64: {error}"))?;
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = MultiGzDecoder::new(bytes.as_slice()).take(UNZIPPED_BYTES_MAX);
        plain
            .read_to_string(&mut text)
            .map_err(|error| format!("the data of a wrapper cannot be decompressed: {error}"))?;
        if text.len() as u64 >= UNZIPPED_BYTES_MAX {
            return Err(format!(
                "the data of a wrapper has more than {} MB when decompressed",
                UNZIPPED_BYTES_MAX >> 20
            ));
        }
        return Ok(text);
    }
    String::from_utf8(bytes).map_err(|_| "the data of a wrapper is not text".to_string())
}

/// A span of OpenTelemetry as a plain object. Source: "Semantic conventions for AWS DynamoDB":
/// `rpc.method`, `aws.dynamodb.table_names`, and `aws.dynamodb.consumed_capacity`, a list of texts
/// in JSON.
fn span(object: &Map<String, Value>) -> Value {
    let mut plain = Map::new();
    let attributes = object["attributes"].as_array().into_iter().flatten();
    for attribute in attributes {
        let Some(name) = attribute["key"].as_str() else {
            continue;
        };
        let value = plain_value(&attribute["value"]);
        match name {
            "rpc.method" => plain.insert("operation".to_string(), value),
            "cloud.region" | "aws.region" => plain.insert("region".to_string(), value),
            "aws.dynamodb.table_names" => match value {
                Value::Array(list) if list.len() == 1 => {
                    plain.insert("TableName".to_string(), list[0].clone())
                }
                _ => None,
            },
            "aws.dynamodb.consumed_capacity" => {
                let parsed = |one: &Value| match one.as_str() {
                    Some(text) => serde_json::from_str(text).unwrap_or_else(|_| one.clone()),
                    None => one.clone(),
                };
                let list = value.as_array().map_or_else(
                    || parsed(&value),
                    |list| Value::Array(list.iter().map(parsed).collect()),
                );
                plain.insert("ConsumedCapacity".to_string(), list)
            }
            _ => None,
        };
    }
    if let Some(time) = object.get("startTimeUnixNano") {
        plain.insert("time".to_string(), time.clone());
    }
    Value::Object(plain)
}

/// A value of OpenTelemetry: `{"stringValue": …}`, `{"arrayValue": {"values": […]}}` and so on.
pub fn plain_value(value: &Value) -> Value {
    let Some(object) = value.as_object() else {
        return value.clone();
    };
    if let Some(list) = value["arrayValue"]["values"].as_array() {
        return Value::Array(list.iter().map(plain_value).collect());
    }
    if let Some(list) = value["kvlistValue"]["values"].as_array() {
        let pairs = list.iter().filter_map(|pair| {
            let name = pair["key"].as_str()?;
            Some((name.to_string(), plain_value(&pair["value"])))
        });
        return Value::Object(pairs.collect());
    }
    object.values().next().cloned().unwrap_or_default()
}

/// An event of Security Lake as the CloudTrail event from which it was made. Source: OCSF, class
/// API Activity: `api.operation`, `api.service.name`, `api.request.data`, `api.response.error`,
/// `cloud.region`, `resources`, `time` in milliseconds.
fn security_lake(object: &Map<String, Value>) -> Value {
    let value = Value::Object(object.clone());
    let request = match &value["api"]["request"]["data"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    };
    let resources = value["resources"].as_array().into_iter().flatten();
    let resources: Vec<Value> = resources
        .filter_map(|one| Some(json!({ "ARN": one["uid"].as_str()? })))
        .collect();
    let mut event = json!({
        "eventTime": value["time"],
        "eventName": value["api"]["operation"],
        "eventSource": value["api"]["service"]["name"],
        "awsRegion": value["cloud"]["region"],
        "eventID": value["metadata"]["uid"],
        "requestParameters": request,
        "resources": resources,
    });
    if let Some(error) = value["api"]["response"]["error"].as_str() {
        event["errorCode"] = json!(error);
    }
    event
}
