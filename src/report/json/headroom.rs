//! The JSON of headroom, `dynameter.headroom/1`: factors, units and money are decimal strings.

use schemars::JsonSchema;
use serde::Serialize;

use super::decimal;
use crate::headroom::{
    AccountHeadroom, Change, ChangeCost, CurveMinute, EventAccount, EventOutcome, EventThrottling,
    Headroom, Limit, LimitMonth, LostAccount, LostRegion, LostThrottling, ThrottledUntil,
};
use crate::report::headroom::{bound, headline};
use crate::units::Exact;

#[derive(JsonSchema, Serialize)]
pub(in crate::report) struct HeadroomJson<'a> {
    schema: &'static str,
    workload: &'a str,
    region: &'a str,
    /// The answer in a sentence.
    headline: String,
    throttled: String,
    accounts: Vec<AccountJson<'a>>,
    events: Vec<EventJson<'a>>,
    without_region: Option<LostJson<'a>>,
    warnings: &'a [String],
    assumptions: &'a [String],
}

#[derive(JsonSchema, Serialize)]
struct AccountJson<'a> {
    table: Option<&'a str>,
    index: Option<&'a str>,
    region: &'a str,
    part: &'static str,
    busiest_units: Option<String>,
    factor: Option<String>,
    /// `exact`, `at-most`, `unknown` or `none`.
    bound: &'static str,
    limit: Option<&'static str>,
    month: Option<u64>,
    month_from: Option<String>,
    month_why: Option<String>,
    because: Option<&'a str>,
    next: Option<LimitJson<'a>>,
    limits: Vec<LimitJson<'a>>,
    unknown: Vec<UnknownLimitJson<'a>>,
    changes: Vec<ChangeJson<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct LimitJson<'a> {
    limit: &'static str,
    factor: String,
    index: Option<&'a str>,
    month: Option<u64>,
    month_from: Option<String>,
    month_why: Option<String>,
    because: &'a str,
}

#[derive(JsonSchema, Serialize)]
struct UnknownLimitJson<'a> {
    limit: &'static str,
    why: &'a str,
}

#[derive(JsonSchema, Serialize)]
struct ChangeJson<'a> {
    what: &'a str,
    edits: Vec<EditJson<'a>>,
    monthly_usd: Option<String>,
    once_usd: Option<String>,
    unknown: Option<&'a str>,
}

#[derive(JsonSchema, Serialize)]
struct EditJson<'a> {
    line: usize,
    text: &'a str,
}

#[derive(JsonSchema, Serialize)]
struct EventJson<'a> {
    name: &'a str,
    line: usize,
    from: &'a str,
    to: &'a str,
    minutes: u64,
    holds: Option<bool>,
    cost_usd: Option<String>,
    accounts: Vec<EventAccountJson<'a>>,
    readiness: Vec<ReadinessJson<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct EventAccountJson<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    direction: &'static str,
    usual_units: Option<String>,
    event_units: Option<String>,
    holds: Option<bool>,
    throttled: Option<String>,
    by_hottest_key: Option<String>,
    by_index: Option<&'a str>,
    usually_throttled: Option<String>,
    first_minute: Option<u64>,
    last_minute: Option<u64>,
    throttled_minutes: Option<u64>,
    repeated: Option<String>,
    given_up: Option<String>,
    callers: Vec<CallerJson<'a>>,
    curve: Vec<CurveJson>,
}

#[derive(JsonSchema, Serialize)]
struct CallerJson<'a> {
    access: &'a str,
    share: String,
}

#[derive(JsonSchema, Serialize)]
struct CurveJson {
    minute: i64,
    demanded: String,
    repeated: String,
    served: String,
    capacity: u64,
}

#[derive(JsonSchema, Serialize)]
struct ReadinessJson<'a> {
    table: &'a str,
    change: ChangeJson<'a>,
    down: Option<&'a str>,
}

#[derive(JsonSchema, Serialize)]
struct LostJson<'a> {
    region: &'a str,
    holds: Option<bool>,
    hour_usd: Option<String>,
    day_usd: Option<String>,
    month_usd: Option<String>,
    tables: Vec<LostTableJson<'a>>,
    accounts: Vec<LostAccountJson<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct LostTableJson<'a> {
    table: &'a str,
    state: &'static str,
    served_by: Vec<ServedJson<'a>>,
    because: &'a str,
}

#[derive(JsonSchema, Serialize)]
struct ServedJson<'a> {
    region: &'a str,
    share: String,
}

#[derive(JsonSchema, Serialize)]
struct LostAccountJson<'a> {
    table: &'a str,
    index: Option<&'a str>,
    region: &'a str,
    direction: &'static str,
    before_units: String,
    after_units: String,
    at: &'a str,
    holds: Option<bool>,
    throttled: Option<String>,
    holds_after_minutes: Option<u64>,
    repeated: Option<String>,
    given_up: Option<String>,
    change: Option<ChangeJson<'a>>,
}

pub(in crate::report) fn headroom(headroom: &Headroom) -> HeadroomJson<'_> {
    HeadroomJson {
        schema: "dynameter.headroom/1",
        workload: &headroom.workload,
        region: &headroom.region,
        headline: headline(headroom),
        throttled: decimal(&headroom.throttled),
        accounts: headroom.accounts.iter().map(account).collect(),
        events: headroom.events.iter().map(event).collect(),
        without_region: headroom.lost.as_ref().map(lost),
        warnings: &headroom.warnings,
        assumptions: &headroom.assumptions,
    }
}

fn account(one: &AccountHeadroom) -> AccountJson<'_> {
    let first = one.first().map(limit);
    let (month, month_from, month_why) = one.first().map_or((None, None, None), month);
    AccountJson {
        table: one.table.as_deref(),
        index: one.index.as_deref(),
        region: &one.region,
        part: one.part.word(),
        busiest_units: one.busiest.as_ref().map(decimal),
        factor: one.factor().map(decimal),
        bound: bound(one),
        limit: first.as_ref().map(|first| first.limit),
        month,
        month_from,
        month_why,
        because: first.map(|first| first.because),
        next: one.next().map(limit),
        limits: one.limits.iter().map(limit).collect(),
        unknown: one
            .unknown
            .iter()
            .map(|one| UnknownLimitJson {
                limit: one.kind.word(),
                why: &one.why,
            })
            .collect(),
        changes: one.changes.iter().map(change).collect(),
    }
}

/// The number of a limit's month and its first day, or why there is none.
fn month(limit: &Limit) -> (Option<u64>, Option<String>, Option<String>) {
    match &limit.month {
        LimitMonth::In { number, from } => (Some(*number), Some(from.to_string()), None),
        LimitMonth::Later(years) => {
            let why = format!("not in the next {years} years");
            (None, None, Some(why))
        }
        LimitMonth::Never(why) => (None, None, Some(format!("never: {why}"))),
        LimitMonth::Unknown(why) => (None, None, Some(format!("unknown: {why}"))),
    }
}

fn limit(limit: &Limit) -> LimitJson<'_> {
    let (month, month_from, month_why) = month(limit);
    LimitJson {
        limit: limit.kind.word(),
        factor: decimal(&limit.factor),
        index: limit.index.as_deref(),
        month,
        month_from,
        month_why,
        because: &limit.because,
    }
}

fn change(change: &Change) -> ChangeJson<'_> {
    let (monthly, once, unknown) = match &change.cost {
        ChangeCost::Monthly(delta) => (Some(delta.to_string()), None, None),
        ChangeCost::Once(amount) => (None, Some(amount.to_string()), None),
        ChangeCost::Unknown(why) => (None, None, Some(why.as_str())),
    };
    ChangeJson {
        what: &change.what,
        edits: change
            .edits
            .iter()
            .map(|edit| EditJson {
                line: edit.line,
                text: &edit.text,
            })
            .collect(),
        monthly_usd: monthly,
        once_usd: once,
        unknown,
    }
}

fn event(event: &EventOutcome) -> EventJson<'_> {
    EventJson {
        name: &event.name,
        line: event.line,
        from: &event.from,
        to: &event.to,
        minutes: event.minutes,
        holds: event.holds,
        cost_usd: event.cost.as_ref().map(ToString::to_string),
        accounts: event.accounts.iter().map(event_account).collect(),
        readiness: event
            .readiness
            .iter()
            .map(|ready| ReadinessJson {
                table: &ready.table,
                change: change(&ready.change),
                down: ready.down.as_deref(),
            })
            .collect(),
    }
}

fn event_account(one: &EventAccount) -> EventAccountJson<'_> {
    let happened = one.happened.as_ref();
    let share = |of: fn(&EventThrottling) -> &Exact| happened.map(|known| decimal(of(known)));
    EventAccountJson {
        table: &one.table,
        index: one.index.as_deref(),
        region: &one.region,
        direction: one.direction.word(),
        usual_units: one.usual.as_ref().map(decimal),
        event_units: one.busiest.as_ref().map(decimal),
        holds: one.holds(),
        throttled: share(|known| &known.throttled),
        by_hottest_key: share(|known| &known.by_hottest_key),
        by_index: happened.and_then(|known| known.by_index.as_deref()),
        usually_throttled: share(|known| &known.usually_throttled),
        first_minute: happened.and_then(|known| known.first_minute),
        last_minute: happened.and_then(|known| known.last_minute),
        throttled_minutes: happened.map(|known| known.minutes),
        repeated: share(|known| &known.repeated),
        given_up: share(|known| &known.given_up),
        callers: one
            .callers
            .iter()
            .map(|caller| CallerJson {
                access: &caller.access,
                share: decimal(&caller.share),
            })
            .collect(),
        curve: happened.map_or_else(Vec::new, |known| known.curve.iter().map(curve).collect()),
    }
}

fn curve(minute: &CurveMinute) -> CurveJson {
    CurveJson {
        minute: minute.minute,
        demanded: decimal(&minute.demanded),
        repeated: decimal(&minute.repeated),
        served: decimal(&minute.served),
        capacity: minute.capacity,
    }
}

fn lost(lost: &LostRegion) -> LostJson<'_> {
    let cost = lost.cost.as_ref();
    LostJson {
        region: &lost.region,
        holds: lost.holds,
        hour_usd: cost.map(|cost| cost.hour.to_string()),
        day_usd: cost.map(|cost| cost.day.to_string()),
        month_usd: cost.map(|cost| cost.month.to_string()),
        tables: lost
            .tables
            .iter()
            .map(|table| LostTableJson {
                table: &table.table,
                state: table.state.word(),
                served_by: table
                    .served_by
                    .iter()
                    .map(|(region, share)| ServedJson {
                        region,
                        share: decimal(share),
                    })
                    .collect(),
                because: &table.words,
            })
            .collect(),
        accounts: lost.accounts.iter().map(lost_account).collect(),
    }
}

fn lost_account(one: &LostAccount) -> LostAccountJson<'_> {
    let happened = one.happened.as_ref();
    let share = |of: fn(&LostThrottling) -> &Exact| happened.map(|known| decimal(of(known)));
    LostAccountJson {
        table: &one.table,
        index: one.index.as_deref(),
        region: &one.region,
        direction: one.direction.word(),
        before_units: decimal(&one.before),
        after_units: decimal(&one.after),
        at: &one.at,
        holds: one.holds(),
        throttled: share(|known| &known.throttled),
        holds_after_minutes: match happened.map(|known| known.until) {
            Some(ThrottledUntil::Minutes(minutes)) => Some(minutes),
            Some(ThrottledUntil::Never | ThrottledUntil::Longer) | None => None,
        },
        repeated: share(|known| &known.repeated),
        given_up: share(|known| &known.given_up),
        change: one.change.as_ref().map(change),
    }
}
