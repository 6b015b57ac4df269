//! Application logs that contain ConsumedCapacity: the units that AWS counted for each call, as the
//! SDK returned them.
//!
//! A line contains a `ConsumedCapacity` at any depth (an object, or a list for batches and
//! transactions), as JSON or in the notation of a language, alone or after other text; several in
//! one line all count. The time is a member of the nearest object that has one (such as `time`,
//! `timestamp`, `@timestamp` or `ts`), or is in the text before the call, or is that of the wrapper
//! of the line. The operation is a member (such as `operation`, `api` or `eventName`), or a word of
//! the text before the call, or is what the debug output of an SDK says of the request. Source: API
//! Reference, "ConsumedCapacity": `TOTAL` gives only the sum, `INDEXES` the table and each index; an
//! index without units is absent; for a call that is not a transaction the response does not say
//! whether its units are reads or writes.

mod calls;
mod operation;
mod pending;

use serde_json::Value;

use self::calls::{Call, Contents, Found};
use self::operation::Named;
use self::pending::Pending;
use super::json::{RecordFormat, RecordOf, RecordSink, member, text};
use super::literal;
use super::moment::{Clock, Found as FoundTime, LastForm, NoTime, since_1970};
use super::notes::{Notes, Passed, Taken};
use super::unwrap::mentions_capacity;
use super::{ApiName, SkipReason, Time, Wrong};

/// Lines of a log.
#[derive(Debug, Default)]
pub struct Logged {
    /// The operation of lines that name none or several.
    operation: Option<ApiName>,
    /// The table of capacities that do not name one.
    table: Option<String>,
    clock: Clock,
    /// Whether the file consists of lines, not of documents.
    has_lines: bool,
    form: LastForm,
    /// The time of a line before that has no call.
    before: Option<(Time, String)>,
    /// The requests in the debug output of an SDK that have no response yet.
    asked: Requested,
    /// The beginning of a value that goes on in the next lines.
    pending: Option<Pending>,
}

/// The requests in the debug output of an SDK that wait for their response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Requested {
    #[default]
    None,
    One(ApiName),
    /// Of several threads: which of them a response belongs to is not said.
    Several(ApiName, ApiName),
}

/// Where the time of a line without a call begins at the latest. Further on it is part of what the
/// line says.
const HEADER_TIME_MAX: usize = 12;

/// Members that can contain the time of a line.
const TIMES: [&str; 20] = [
    "_aws",
    "time",
    "timestamp",
    "@timestamp",
    "eventTime",
    "ts",
    "date",
    "datetime",
    "@t",
    "asctime",
    "timeMillis",
    "start_time",
    "startTime",
    "Timestamp",
    "Time",
    "__REALTIME_TIMESTAMP",
    "_time",
    "Date",
    "t",
    "instant",
];

/// Members that can contain the text of a line.
const MESSAGES: [&str; 4] = ["message", "msg", "event", "name"];

/// The place of the next mention of a consumed capacity with its value; a request that asks for it
/// is none, and neither is the mere word.
fn mention(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(found) = memchr::memmem::find(&bytes[at..], b"apacity") {
        let end = at + found;
        at = end + 1;
        for name in [
            "ConsumedCapacity",
            "consumedCapacity",
            "consumed_capacity",
            "consumedcapacity",
        ] {
            let Some(start) = end.checked_sub(name.len() - 7) else {
                continue;
            };
            if start >= from
                && text.get(start..end + 7) == Some(name)
                && !is_asked(&text[..start])
                && has_value(&text[end + 7..])
            {
                return Some(start);
            }
        }
    }
    None
}

/// Whether the name is that of a request's member, ReturnConsumedCapacity.
fn is_asked(before: &str) -> bool {
    let before = before.strip_suffix('_').unwrap_or(before).as_bytes();
    let end = before.len().saturating_sub(b"return".len());
    before[end..].eq_ignore_ascii_case(b"return")
}

/// Whether a value follows the name of a member: `": {`, `=`, ` => {`, `(`.
fn has_value(after: &str) -> bool {
    let after = after.strip_prefix('\\').unwrap_or(after);
    let after = after.strip_prefix(['"', '\'']).unwrap_or(after);
    after.trim_start().starts_with([':', '=', '{', '('])
}

/// Whether the value in a text ends within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finished {
    Yes,
    No,
}

fn unfinished() -> Wrong {
    let message = "the text ends, or another line begins, within a ConsumedCapacity";
    (SkipReason::Truncated, message.to_string())
}

/// What is around a text or a record.
struct Outer<'a> {
    of: &'a RecordOf<'a>,
    /// The time and the operation of the record that the text is a member of.
    time: Option<(Time, String)>,
    named: Option<Named>,
}

impl<'a> Outer<'a> {
    fn new(of: &'a RecordOf<'a>) -> Outer<'a> {
        Outer {
            of,
            time: None,
            named: None,
        }
    }
}

/// How far the time in a text can be from the time at which its wrapper received it. Otherwise it
/// is another time, such as that of a key.
const RECEIVED_WITHIN_SECONDS: i64 = 86_400;

/// Where a call is, beside its value.
struct Line<'a> {
    outer: &'a Outer<'a>,
    /// The time in the text before it.
    time: Result<(Time, String), NoTime>,
    /// The text before it, after the time.
    before: &'a str,
}

impl Logged {
    /// Creates a reader; `operation` is used for lines that do not name one, `table` for capacities
    /// without a table.
    pub fn new(
        operation: Option<ApiName>,
        table: Option<String>,
        clock: Clock,
        has_lines: bool,
    ) -> Logged {
        Logged {
            operation,
            table,
            clock,
            has_lines,
            ..Logged::default()
        }
    }

    /// The time in a text, and what it says.
    fn time_in(&mut self, text: &str, notes: &mut Notes) -> Result<(Time, String), NoTime> {
        let found = self.clock.find(text, &mut self.form)?;
        notes.take_assumed(&found);
        Ok((found.time, text[found.start..found.end].to_string()))
    }

    /// The time that a member gives: a text with a time, or a number since 1970.
    fn time_of(&mut self, value: &Value, notes: &mut Notes) -> Option<(Time, String)> {
        match value {
            Value::String(text) => {
                if self.clock.format.is_none()
                    && let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text)
                {
                    return Some((Time(moment.timestamp_nanos_opt()?), text.clone()));
                }
                self.time_in(text, notes).ok()
            }
            Value::Number(number) => {
                let text = number.to_string();
                Some((since_1970(&text)?, text))
            }
            // The embedded metric format: {"Timestamp": …}; log4j: {"epochSecond": …, "nanoOfSecond": …}.
            Value::Object(instant) => {
                if let Some(milliseconds @ Value::Number(_)) = instant.get("Timestamp") {
                    return self.time_of(milliseconds, notes);
                }
                let seconds = instant.get("epochSecond")?.as_i64()?;
                let part = instant.get("nanoOfSecond").and_then(Value::as_i64);
                let time = Time(seconds.checked_mul(Time::SECOND)?.checked_add(part?)?);
                Some((time, seconds.to_string()))
            }
            _ => None,
        }
    }

    /// The time of the nearest object that has one.
    fn time_around(&mut self, around: &[&Value], notes: &mut Notes) -> Option<(Time, String)> {
        for object in around {
            // Objects have few members: each is looked up, not each of the many names.
            let members = object.as_object().into_iter().flatten();
            let mut named: Vec<(usize, &Value)> = members
                .filter_map(|(name, value)| {
                    let rank = TIMES.iter().position(|known| known == name)?;
                    Some((rank, value))
                })
                .collect();
            named.sort_by_key(|(rank, _)| *rank);
            for (_, value) in named {
                if let Some(time) = self.time_of(value, notes) {
                    return Some(time);
                }
            }
        }
        None
    }

    /// The time of a call: of the nearest object that has one, of the text before it, of its
    /// wrapper, of the response's header, of the line before.
    fn time(
        &mut self,
        found: &Found,
        line: &Line,
        notes: &mut Notes,
    ) -> Result<(Time, String), Wrong> {
        if let Some(time) = self.time_around(&found.around, notes) {
            return Ok(time);
        }
        if let Some(time) = &line.outer.time {
            return Ok(time.clone());
        }
        let received = line.outer.of.around.time.as_ref();
        let received = received.and_then(|time| self.time_of(time, &mut Notes::default()));
        let is_near = |time: Time| {
            received.as_ref().is_none_or(|(received, _)| {
                (time.second() - received.second()).abs() <= RECEIVED_WITHIN_SECONDS
            })
        };
        if let Ok(time) = &line.time
            && is_near(time.0)
        {
            return Ok(time.clone());
        }
        if let Some(time) = received {
            notes.take(Taken::TimeAround);
            return Ok(time);
        }
        if let Err(NoTime::Unclear(message)) = &line.time {
            return Err((SkipReason::Time, message.clone()));
        }
        for object in &found.around {
            let headers = member(object, "ResponseMetadata").unwrap_or(object);
            let headers = member(headers, "HTTPHeaders").or_else(|| member(headers, "headers"));
            if let Some(date) = headers.and_then(|headers| text(headers, "date"))
                && let Ok(time) = self.time_in(date, notes)
            {
                notes.take(Taken::TimeOfResponse);
                return Ok(time);
            }
        }
        if let Some(time) = &self.before {
            notes.take(Taken::TimeBefore);
            return Ok(time.clone());
        }
        let message = format!(
            "no time: neither the text before the call nor a member such as {} is a time; name \
             its form with --time-format, such as --time-format \"%d/%m/%Y %H:%M:%S\"",
            TIMES[1..6].join(", ")
        );
        Err((SkipReason::Time, message))
    }

    /// The operation of a call.
    fn api(
        &mut self,
        found: &Found,
        line: &Line,
        notes: &mut Notes,
    ) -> Result<Option<ApiName>, Wrong> {
        let messages = || {
            let nearest = found.around.iter();
            nearest.flat_map(|object| MESSAGES.iter().filter_map(|name| text(object, name)))
        };
        let named = match operation::around(&found.around) {
            Ok(Some(api)) => Ok(Some((api, None))),
            Ok(None) => match line.outer.named {
                Some(named) => Ok(Some(named)),
                None => operation::before(line.before),
            },
            Err(wrong) => Err(wrong),
        };
        let named = match named {
            Ok(None) => messages()
                .find_map(|text| operation::before(text).transpose())
                .transpose(),
            named => named,
        };
        match (named, self.operation, self.asked) {
            (Ok(Some((api, word))), ..) => {
                if let Some(word) = word {
                    let entry = notes.words.entry((word.to_string(), api.name().into()));
                    *entry.or_default() += 1;
                }
                Ok(Some(api))
            }
            (_, Some(api), _) => Ok(Some(api)),
            (Ok(None), None, Requested::One(api)) => Ok(Some(api)),
            (Ok(None), None, Requested::None) => Ok(None),
            (Ok(None), None, Requested::Several(one, other)) => {
                Err(operation::ambiguous(one.name(), other.name()))
            }
            (Err(wrong), None, _) => Err(wrong),
        }
    }

    /// Appends the units of one call.
    fn call(&mut self, found: &Found, line: &Line, sink: &mut RecordSink) -> Result<(), Wrong> {
        let (time, shown) = self.time(found, line, sink.notes)?;
        sink.notes.see(time, &shown);
        let api = self.api(found, line, sink.notes)?;
        let any = |names: &[&str]| {
            let objects = || found.around.iter();
            names
                .iter()
                .find_map(|name| objects().find_map(|object| object.get(*name)?.as_str()))
        };
        let region = any(&["region", "awsRegion"]).map(|region| sink.names.number(region));
        let caller = any(&["caller"]).map(|caller| sink.names.number(caller));
        let call = Call {
            time,
            place: line.outer.of.place,
            api,
            direction: calls::direction_of(api, &found.around)?,
            region,
            caller,
        };
        let table =
            any(&["TableName", "tableName", "table_name", "table"]).or(self.table.as_deref());
        let mut one = |capacity: &Value| -> Result<(), Wrong> {
            if calls::push(&call, capacity, table, sink.names, sink.events)? {
                sink.notes.take(Taken::TotalOnly);
            }
            Ok(())
        };
        match found.capacity {
            Value::Array(list) => list.iter().try_for_each(&mut one),
            // A text handler of Go writes what is nested as a text.
            Value::String(printed) if printed.contains('{') => match literal::value(printed.trim())
            {
                Ok((capacity, _)) => one(&capacity),
                Err(_) => one(found.capacity),
            },
            capacity => one(capacity),
        }
    }

    /// The calls in a line of text; none of them, if one is bad.
    fn text(
        &mut self,
        line: &str,
        outer: &Outer,
        sink: &mut RecordSink,
    ) -> Result<Finished, Wrong> {
        let first = sink.events.len();
        let done = self.text_calls(line, outer, sink);
        done.inspect_err(|_| sink.events.truncate(first))
    }

    fn text_calls(
        &mut self,
        line: &str,
        outer: &Outer,
        sink: &mut RecordSink,
    ) -> Result<Finished, Wrong> {
        let Some(mut at) = mention(line, 0) else {
            self.no_call(line, sink);
            return Ok(Finished::Yes);
        };
        if line[..at].ends_with("\\\"") {
            let plain = line.replace("\\\"", "\"").replace("\\\\", "\\");
            return self.text_calls(&plain, outer, sink);
        }
        let (mut from, mut time) = (0, None);
        loop {
            let mut spanned = calls::spanned(line, from, at);
            // A quote before the call can hide it; then only its own value is read.
            let hides = |value: &Value| {
                let contents = Contents::of(value);
                contents.calls.is_empty() && contents.texts.is_empty()
            };
            if spanned.as_ref().is_ok_and(|spanned| hides(&spanned.value)) {
                spanned = calls::direct(line, at);
            }
            let spanned = match spanned {
                Ok(spanned) => spanned,
                Err(literal::NoValue::Unfinished) => return Ok(Finished::No),
                Err(literal::NoValue::Wrong) => {
                    let message = "the ConsumedCapacity in the line cannot be read";
                    return Err((SkipReason::Malformed, message.to_string()));
                }
            };
            let (time, end) =
                time.get_or_insert_with(|| self.time_before(&line[..spanned.start], sink.notes));
            let place = Line {
                outer,
                time: time.clone(),
                before: &line[from.max((*end).min(spanned.start))..spanned.named],
            };
            self.contents(&spanned.value, &place, sink)?;
            from = spanned.end;
            match mention(line, from) {
                Some(next) => at = next,
                None => break,
            }
        }
        (self.before, self.asked) = (None, Requested::None);
        Ok(Finished::Yes)
    }

    /// The time in the text before a call, and where it ends.
    fn time_before(
        &mut self,
        before: &str,
        notes: &mut Notes,
    ) -> (Result<(Time, String), NoTime>, usize) {
        let found = self.clock.find(before, &mut self.form);
        let end = found.as_ref().map_or(0, |found| found.end);
        let shown = |found: FoundTime| (found.time, before[found.start..found.end].to_string());
        if let Ok(found) = &found {
            notes.take_assumed(found);
        }
        (found.map(shown), end)
    }

    /// The calls of a value, else those in its texts. A text beside a call repeats it.
    fn contents(&mut self, value: &Value, line: &Line, sink: &mut RecordSink) -> Result<(), Wrong> {
        let contents = Contents::of(value);
        if !contents.calls.is_empty() {
            if !contents.texts.is_empty() {
                sink.notes.pass(Passed::Repeated);
            }
            let mut calls = contents.calls.iter();
            return calls.try_for_each(|found| self.call(found, line, sink));
        }
        for (text, around) in contents.texts {
            let time = self.time_around(&around, &mut Notes::default());
            let of_line = || line.outer.time.clone().or_else(|| line.time.clone().ok());
            let of_record = operation::around(&around)?.map(|api| (api, None));
            let named = match of_record.or(line.outer.named) {
                Some(named) => Some(named),
                None => operation::before(line.before)?,
            };
            let outer = Outer {
                of: line.outer.of,
                time: time.or_else(of_line),
                named,
            };
            if self.text(text, &outer, sink)? == Finished::No {
                return Err(unfinished());
            }
        }
        Ok(())
    }

    /// A line, or the next one of a value that goes on over several lines.
    fn entry(&mut self, line: &str, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let plain = pending::without_colours(line);
        let line = plain.as_ref();
        let Some(mut pending) = self.pending.take() else {
            let goes_on = match Pending::can_begin(line) && mention(line, 0).is_none() {
                true => Finished::No,
                false => self.text(line, &Outer::new(of), sink)?,
            };
            if goes_on == Finished::No {
                self.pending = Some(Pending::new(line));
            }
            return Ok(());
        };
        // Kubernetes writes the time before each line, also before those that go on.
        let line = match pending::continued(line) {
            Some(rest) => rest,
            None => line,
        };
        if self.begins_entry(line) || pending.is_too_long() {
            let before = self.line_by_line(&pending, of, sink);
            let own = self.entry(line, of, sink);
            return before.and(own);
        }
        pending.push(line);
        if !pending.may_end() || self.text(&pending.text(), &Outer::new(of), sink)? == Finished::No
        {
            self.pending = Some(pending);
        }
        Ok(())
    }

    /// The lines of what looked like a value, one by one.
    fn line_by_line(
        &mut self,
        pending: &Pending,
        of: &RecordOf,
        sink: &mut RecordSink,
    ) -> Result<(), Wrong> {
        for line in &pending.lines {
            if self.text(line, &Outer::new(of), sink)? == Finished::No {
                return Err(unfinished());
            }
        }
        Ok(())
    }

    /// Whether a line begins with a time, as only the first line of an entry does.
    fn begins_entry(&mut self, line: &str) -> bool {
        let begins = line.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        let found = || self.clock.find(line, &mut LastForm::default());
        begins && found().is_ok_and(|found| found.start <= 1)
    }

    /// Learns from a line without a call: its time, and the operation that an SDK's debug output
    /// names.
    fn no_call(&mut self, line: &str, sink: &mut RecordSink) {
        let start = line.trim_start();
        let of_lambda = ["START RequestId:", "END RequestId:", "REPORT RequestId:"];
        if of_lambda.iter().any(|prefix| start.starts_with(prefix))
            || start.starts_with("INIT_START ")
            || start.starts_with("EXTENSION\t")
        {
            sink.notes.pass(Passed::LambdaLine);
            return;
        }
        sink.notes.pass(Passed::NoCall);
        if let Ok(found) = self.clock.find(line, &mut self.form)
            && found.start <= HEADER_TIME_MAX
        {
            self.before = Some((found.time, line[found.start..found.end].to_string()));
        }
        for marker in ["OperationModel(name=", "DynamoDB_20120810."] {
            let named = line.find(marker).map(|at| &line[at + marker.len()..]);
            if let Some(rest) = named {
                let length = rest.find(|c: char| !c.is_alphanumeric());
                let api = ApiName::parse(&rest[..length.unwrap_or(rest.len())]);
                self.asked = match (self.asked, api) {
                    (Requested::One(before), Some(api)) if before != api => {
                        Requested::Several(before, api)
                    }
                    (several @ Requested::Several(..), _) => several,
                    (_, Some(api)) => Requested::One(api),
                    (before, None) => before,
                };
                break;
            }
        }
    }
}

impl RecordFormat for Logged {
    fn record(&mut self, record: Value, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        let first = sink.events.len();
        let contents = Contents::of(&record);
        if contents.calls.is_empty() && contents.texts.is_empty() {
            let of_lambda = text(&record, "type").is_some_and(|kind| kind.starts_with("platform."));
            sink.notes.pass(match of_lambda {
                true => Passed::LambdaLine,
                false => Passed::NoCall,
            });
            return Ok(());
        }
        let outer = Outer::new(of);
        let line = Line {
            outer: &outer,
            time: Err(NoTime::Missing),
            before: "",
        };
        let done = self.contents(&record, &line, sink);
        self.asked = Requested::None;
        done.inspect_err(|_| sink.events.truncate(first))
    }

    fn line(&mut self, line: &str, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        self.entry(line, of, sink)
    }

    fn has_lines(&self) -> bool {
        self.has_lines
    }

    fn end(&mut self, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        // A call of a document can stand beside a list that looks like records.
        let document = Value::Object(of.document.clone());
        if mentions_capacity(&document) {
            self.record(document, of, sink)?;
        }
        Ok(())
    }

    fn end_of_file(&mut self, of: &RecordOf, sink: &mut RecordSink) -> Result<(), Wrong> {
        match self.pending.take() {
            None => Ok(()),
            Some(pending) => self.line_by_line(&pending, of, sink),
        }
    }
}
