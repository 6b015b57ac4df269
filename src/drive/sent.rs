//! Calls that were sent: their pages, and their lines in the log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::calls::Request;
use super::planned::CallOutcome;
use crate::aws::{Connection, Refusal};
use crate::table::ApiName;
use crate::trace::Time;

/// How many calls wait for their answers at most.
const IN_FLIGHT: usize = 32;

/// How often what a batch leaves is sent again.
const ATTEMPTS: u32 = 10;

/// A line of the log.
pub struct Line {
    pub api: ApiName,
    pub request: Value,
    pub caller: String,
    pub time: Time,
    pub answer: Result<Value, Refusal>,
    /// The names of the table's keys, for the items that a page read.
    pub keys: Vec<String>,
}

/// The answers to a call that was sent.
pub struct Sent {
    pub number: u64,
    pub place: (usize, usize),
    pub outcome: CallOutcome,
    pub items: Vec<usize>,
    pub lines: Vec<Line>,
}

/// Calls that wait for their answers.
#[derive(Default)]
pub struct Flight {
    pub sent: JoinSet<Sent>,
    /// Items that are being written, by table.
    pub busy: BTreeSet<(usize, usize)>,
    /// The last transaction of each access pattern, and when it was made.
    pub committed: BTreeMap<(usize, usize), (Time, Request)>,
    /// Lines of calls that are done while an earlier one is not.
    pub done: BTreeMap<u64, Vec<Line>>,
    /// The number of the next call to be written.
    pub next: u64,
    /// Whether the last call must not run beside others.
    pub is_alone: bool,
}

impl Flight {
    /// Whether a call on some items must wait for others.
    pub fn must_wait(&self, table: usize, items: &[usize], is_alone: bool) -> bool {
        let is_busy = |item: &usize| self.busy.contains(&(table, *item));
        self.sent.len() >= IN_FLIGHT
            || items.iter().any(is_busy)
            || ((is_alone || self.is_alone) && !self.sent.is_empty())
    }
}

/// What the answer of a batch says was not processed.
pub fn rest_of(answer: &Value) -> Option<&Value> {
    let members = ["UnprocessedItems", "UnprocessedKeys"].into_iter();
    let mut rests = members.filter_map(|member| answer.get(member));
    rests.find(|rest| rest.as_object().is_some_and(|rest| !rest.is_empty()))
}

/// Makes a call with all its pages, and what a batch leaves again.
pub async fn pages(
    connection: &Connection,
    request: Request,
    (caller, time): (&str, Time),
    keys: &[String],
) -> Vec<Line> {
    let Request {
        api,
        mut body,
        limit,
        is_page,
    } = request;
    let mut left = limit;
    let mut attempts = 0;
    let mut lines = Vec::new();
    loop {
        if let Some(left) = left {
            body["Limit"] = json!(left.max(1));
        }
        let answer = connection.call(api, &body).await;
        let mut next = body.clone();
        let goes_on = answer.as_ref().is_ok_and(|answer| {
            let items = answer["Items"].as_array().map_or(0, Vec::len) as u64;
            let scanned = answer["ScannedCount"].as_u64().unwrap_or(items);
            left = left.map(|left| left.saturating_sub(scanned));
            if let Some(rest) = rest_of(answer) {
                next["RequestItems"] = rest.clone();
                attempts += 1;
                return attempts < ATTEMPTS;
            }
            for (member, asked) in [
                ("LastEvaluatedKey", "ExclusiveStartKey"),
                ("NextToken", "NextToken"),
            ] {
                if let Some(value) = answer.get(member).filter(|value| !value.is_null()) {
                    next[asked] = value.clone();
                    return is_page && left != Some(0);
                }
            }
            false
        });
        lines.push(Line {
            api,
            request: std::mem::replace(&mut body, next),
            caller: caller.to_string(),
            time,
            answer,
            keys: if is_page { keys.to_vec() } else { Vec::new() },
        });
        if !goes_on {
            return lines;
        }
        if attempts > 0 {
            tokio::time::sleep(Duration::from_millis(25 << attempts)).await;
        }
    }
}

impl Line {
    /// Of a call that consumes nothing.
    pub fn free(api: ApiName, request: Value, time: Time) -> Line {
        Line {
            api,
            request,
            caller: String::new(),
            time,
            answer: Ok(Value::Null),
            keys: Vec::new(),
        }
    }

    /// Whether the answer states units.
    pub fn states_units(&self) -> bool {
        let answer = self.answer.as_ref().ok();
        let stated = answer.and_then(|answer| answer.get("ConsumedCapacity"));
        stated.is_some_and(|stated| match stated {
            Value::Array(list) => !list.is_empty(),
            stated => stated.is_object(),
        })
    }

    /// The line, as the replay reads it.
    pub fn json(&self) -> Value {
        let mut line = json!({
            "time": self.time.to_string(),
            "operation": self.api.name(),
            "request": self.request,
        });
        if !self.caller.is_empty() {
            line["caller"] = json!(self.caller);
        }
        match &self.answer {
            Ok(answer) => {
                let members = [
                    ("ConsumedCapacity", "consumed"),
                    ("UnprocessedItems", "unprocessed"),
                    ("UnprocessedKeys", "unprocessed"),
                ];
                for (member, name) in members {
                    if name == "consumed" && !self.states_units() {
                        continue;
                    }
                    if let Some(value) = answer.get(member) {
                        line[name] = value.clone();
                    }
                }
                if let (Some(items), false) = (answer["Items"].as_array(), self.keys.is_empty()) {
                    let key = |item: &Value| {
                        let one = |name: &String| Some((name.clone(), item.get(name)?.clone()));
                        Value::Object(self.keys.iter().filter_map(one).collect())
                    };
                    line["evaluated_keys"] = items.iter().map(key).collect();
                }
            }
            Err(refusal) => {
                let code = refusal
                    .code
                    .as_deref()
                    .unwrap_or("ServiceUnavailableException");
                line["error"] = json!(code);
            }
        }
        line
    }
}
