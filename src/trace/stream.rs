//! DynamoDB Streams records (Lambda events, lines from EventBridge Pipes and Firehose, the Kinesis
//! wrapper) and incremental exports: every change with its images.
//!
//! Exact for every write that changed something, including index entries. Not contained: reads,
//! writes that changed nothing, failed conditions, transactions; in an incremental export also all
//! changes but the net change of a key in its window. The units are therefore a lower bound.
//! Source: "Change data capture for DynamoDB Streams" and "DynamoDB data export to Amazon S3",
//! Developer Guide.

use serde_json::Value;

use super::json::{RecordFormat, RecordOf, RecordSink, member, text};
use super::notes::{Notes, Passed};
use super::time::parse_number;
use super::{Event, ItemChange, NameTable, RowPlace, SkipReason, TimeUnit, What, Wrong};
use crate::table::Item;
use crate::units::Bytes;

fn malformed(text: impl Into<String>) -> Wrong {
    (SkipReason::Malformed, text.into())
}

/// Records of streams and lines of incremental exports.
#[derive(Debug, Default)]
pub struct ChangeRecords {
    table: Option<String>,
    old_images: Option<bool>,
    region: Option<String>,
    /// Whether a record of an incremental export was read.
    exported: bool,
    /// Whether a record of a stream was read.
    streamed: bool,
}

fn image(object: &Value, name: &str) -> Result<Option<Item>, Wrong> {
    member(object, name)
        .map(|image| Item::from_json(image).map_err(|error| malformed(format!("{name}: {error}"))))
        .transpose()
}

impl ChangeRecords {
    /// Creates a reader. `table` is used for records that do not name one; for an incremental
    /// export, `old_images` and `region` come from its manifest.
    pub fn new(
        table: Option<String>,
        old_images: Option<bool>,
        region: Option<String>,
    ) -> ChangeRecords {
        ChangeRecords {
            table,
            old_images,
            region,
            ..ChangeRecords::default()
        }
    }

    fn exported(
        &mut self,
        record: &Value,
        place: RowPlace,
        names: &mut NameTable,
    ) -> Result<Event, Wrong> {
        self.exported = true;
        let micros = record["Metadata"]["WriteTimestampMicros"]["N"]
            .as_str()
            .unwrap_or_default();
        let (time, _) = parse_number(micros, Some(TimeUnit::Microseconds)).ok_or_else(|| {
            (
                SkipReason::Time,
                "no Metadata.WriteTimestampMicros".to_string(),
            )
        })?;
        let keys = image(record, "Keys")?.ok_or_else(|| malformed("no Keys"))?;
        let (old, new) = (image(record, "OldImage")?, image(record, "NewImage")?);
        let has_old = self.old_images.unwrap_or(true);
        let there = has_old.then_some((old.is_some(), new.is_some()));
        let region = self.region.as_deref().map(|region| names.number(region));
        let change = ItemChange {
            keys,
            old,
            new,
            has_old,
            has_new: true,
            there,
            time_to_live: false,
            size_bytes: None,
            region,
        };
        let table = self.table.as_deref().map(|table| names.number(table));
        Ok(Event {
            time,
            place,
            table,
            what: What::Change(Box::new(change)),
        })
    }

    fn streamed(
        &mut self,
        record: &Value,
        place: RowPlace,
        names: &mut NameTable,
    ) -> Result<Event, Wrong> {
        self.streamed = true;
        let body =
            member(record, "dynamodb").ok_or_else(|| malformed("no \"dynamodb\" in the record"))?;
        let number = member(body, "ApproximateCreationDateTime").map(|time| {
            time.as_str()
                .map_or_else(|| time.to_string(), str::to_string)
        });
        let time = number
            .as_deref()
            .and_then(|number| super::parse_time(number, None));
        let (time, _) = time.ok_or_else(|| {
            (
                SkipReason::Time,
                "no ApproximateCreationDateTime".to_string(),
            )
        })?;
        let keys = image(body, "Keys")?.ok_or_else(|| malformed("no Keys"))?;
        let (old, new) = (image(body, "OldImage")?, image(body, "NewImage")?);
        let there = match text(record, "eventName") {
            Some("INSERT") => (false, true),
            Some("MODIFY") => (true, true),
            Some("REMOVE") => (true, false),
            other => {
                let found = other.unwrap_or("missing");
                return Err((
                    SkipReason::UnknownOperation,
                    format!("eventName is {found}; expected INSERT, MODIFY or REMOVE"),
                ));
            }
        };
        let (has_old, has_new) = match text(body, "StreamViewType") {
            Some("NEW_AND_OLD_IMAGES") => (true, true),
            Some("NEW_IMAGE") => (!there.0, true),
            Some("OLD_IMAGE") => (true, !there.1),
            Some("KEYS_ONLY") => (!there.0, !there.1),
            // Kinesis records have no view type; they contain both images.
            _ => (old.is_some() || !there.0, new.is_some() || !there.1),
        };
        if (has_old && there.0 && old.is_none()) || (has_new && there.1 && new.is_none()) {
            return Err(malformed(
                "an image is missing that eventName and StreamViewType require",
            ));
        }
        let identity = member(record, "userIdentity");
        let time_to_live = identity
            .is_some_and(|user| text(user, "principalId") == Some("dynamodb.amazonaws.com"));
        let table = text(record, "tableName")
            .map(|name| crate::table::Arn::of(name).table())
            .or_else(|| {
                text(record, "eventSourceARN").map(|name| crate::table::Arn::of(name).table())
            })
            .or(self.table.as_deref());
        let change = ItemChange {
            keys,
            old,
            new,
            has_old,
            has_new,
            there: Some(there),
            time_to_live: time_to_live && !there.1,
            size_bytes: member(body, "SizeBytes").and_then(Value::as_u64).map(Bytes),
            region: text(record, "awsRegion").map(|region| names.number(region)),
        };
        Ok(Event {
            time,
            place,
            table: table.map(|table| names.number(table)),
            what: What::Change(Box::new(change)),
        })
    }
}

impl RecordFormat for ChangeRecords {
    fn record(&mut self, record: Value, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let event = if record.get("Metadata").is_some() {
            self.exported(&record, of.place, sink.names)
        } else {
            if is_of_another_service(&record) {
                sink.notes.pass(Passed::OtherService);
                return Ok(());
            }
            self.streamed(&record, of.place, sink.names)
        };
        let event = event?;
        if let Some(id) = text(&record, "eventID")
            && !sink.ids.is_new(id)
        {
            sink.notes.pass(Passed::Duplicate);
            return Ok(());
        }
        sink.events.push(event);
        Ok(())
    }

    fn notes(&self) -> Notes {
        let mut notes = Vec::new();
        if self.exported {
            notes.push(
                "an incremental export contains only the net change of each key in its window, \
                 not the writes in between: its units are a lower bound"
                    .to_string(),
            );
        }
        if self.streamed {
            notes.push(
                "a stream contains no reads, no writes that changed nothing and no failed \
                 conditions, and does not say which writes were transactions: its units are a \
                 lower bound"
                    .to_string(),
            );
        }
        Notes::of_format(notes)
    }
}

/// Whether a record is an event of another service, which a bus or a queue may mix in.
fn is_of_another_service(record: &Value) -> bool {
    let source = text(record, "eventSource");
    member(record, "dynamodb").is_none()
        && source.is_some_and(|source| !source.to_ascii_lowercase().contains("dynamodb"))
}
