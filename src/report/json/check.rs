//! The JSON of a check, `dynameter.check/1`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{decimal, pretty};
use crate::check::{Cause, Checked, NotRead, Verdict};
use crate::pricing::Bound;

#[derive(JsonSchema, Serialize)]
pub(super) struct CheckRow<'a> {
    schema: &'static str,
    status: &'static str,
    budget: &'a str,
    workloads: &'a [String],
    total_usd: String,
    before_usd: Option<String>,
    delta_usd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    once_usd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    once_before_usd: Option<String>,
    unknown: String,
    verdicts: Vec<VerdictRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    unread: Vec<UnreadRow<'a>>,
    skipped: Vec<SkippedRow<'a>>,
}

/// A limit that is not checked.
#[derive(JsonSchema, Serialize)]
struct SkippedRow<'a> {
    limit: &'a str,
    budget_line: usize,
    why: &'a str,
}

/// What was not read.
#[derive(JsonSchema, Serialize)]
struct UnreadRow<'a> {
    kind: &'static str,
    table: Option<&'a str>,
    what: &'a str,
    why: &'a str,
    allowed: bool,
    file: &'a str,
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
}

#[derive(JsonSchema, Serialize)]
struct VerdictRow<'a> {
    limit: &'a str,
    budget_line: usize,
    table: Option<&'a str>,
    index: Option<&'a str>,
    access: Option<&'a str>,
    usage_type: Option<&'a str>,
    region: Option<&'a str>,
    measure: &'static str,
    figure: Option<String>,
    /// What is known of the figure: exact, at-least, at-most or unknown.
    bound: &'static str,
    warn: Option<String>,
    fail: Option<String>,
    status: &'static str,
    exception_until: Option<String>,
    exception_reason: Option<&'a str>,
    missing: &'a [String],
    causes: Vec<CauseRow<'a>>,
    /// What limits the capacity.
    reasons: Vec<ReasonRow<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct ReasonRow<'a> {
    what: &'a str,
    file: &'a str,
    line: usize,
}

#[derive(JsonSchema, Serialize)]
struct CauseRow<'a> {
    moved: bool,
    table: Option<&'a str>,
    index: Option<&'a str>,
    region: &'a str,
    access: Option<&'a str>,
    usage_type: String,
    amount_usd: String,
    why: &'a [String],
    file: &'a str,
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
}

#[derive(JsonSchema, Serialize)]
struct FindingRow<'a> {
    code: &'static str,
    severity: &'static str,
    table: &'a str,
    index: Option<&'a str>,
    access: Option<&'a str>,
    message: &'a str,
    monthly_usd: Option<String>,
    file: &'a str,
    line: usize,
}

/// A check as JSON, `dynameter.check/1`.
pub(in crate::report) fn check_json(checked: &Checked) -> String {
    pretty(&CheckRow {
        schema: "dynameter.check/1",
        status: checked.status().word(),
        budget: &checked.budget,
        workloads: &checked.workloads,
        total_usd: checked.total.to_string(),
        before_usd: checked.before.map(|money| money.to_string()),
        delta_usd: checked
            .before
            .and_then(|before| checked.total.minus(before).ok())
            .map(|money| money.to_string()),
        once_usd: checked.once().map(|(_, now)| now.to_string()),
        once_before_usd: checked.once().map(|(before, _)| before.to_string()),
        unknown: checked.unknown.to_string(),
        verdicts: checked.verdicts.iter().map(verdict_row).collect(),
        findings: checked
            .findings
            .iter()
            .map(|finding| FindingRow {
                code: finding.rule.code,
                severity: finding.severity.word(),
                table: &finding.table,
                index: finding.index.as_deref(),
                access: finding.access.as_deref(),
                message: &finding.message,
                monthly_usd: finding.monthly.map(|money| money.to_string()),
                file: &finding.place.file,
                line: finding.place.line,
            })
            .collect(),
        unread: checked.unread.iter().map(unread_row).collect(),
        skipped: checked
            .skipped
            .iter()
            .map(|one| SkippedRow {
                limit: &one.name,
                budget_line: one.line,
                why: &one.why,
            })
            .collect(),
    })
}

fn unread_row(one: &NotRead) -> UnreadRow<'_> {
    UnreadRow {
        kind: one.unread.kind.word(),
        table: one.table.as_deref(),
        what: &one.what,
        why: &one.why,
        allowed: one.is_allowed,
        file: &one.unread.place.file,
        line: one.unread.place.line,
        resource: one.unread.place.resource.as_deref(),
    }
}

fn verdict_row(verdict: &Verdict) -> VerdictRow<'_> {
    let limit = &verdict.limit;
    VerdictRow {
        limit: &limit.name,
        budget_line: limit.line,
        table: limit.scope.table.as_deref(),
        index: limit.scope.index.as_deref(),
        access: limit.scope.access.as_deref(),
        usage_type: limit.scope.usage_type.as_deref(),
        region: limit.scope.region.as_deref(),
        measure: limit.measure.word(),
        figure: verdict
            .figure
            .as_ref()
            .filter(|_| verdict.bound != Bound::Unknown)
            .map(decimal),
        bound: verdict.bound.word(),
        warn: limit.warn.as_ref().map(decimal),
        fail: limit.fail.as_ref().map(decimal),
        status: verdict.status.word(),
        exception_until: limit
            .exception
            .as_ref()
            .map(|exception| exception.until.to_string()),
        exception_reason: limit
            .exception
            .as_ref()
            .map(|exception| exception.reason.as_str()),
        missing: &verdict.missing,
        causes: verdict.causes.iter().map(cause_row).collect(),
        reasons: verdict
            .reasons
            .iter()
            .map(|reason| ReasonRow {
                what: &reason.what,
                file: &reason.place.file,
                line: reason.place.line,
            })
            .collect(),
    }
}

fn cause_row(one: &Cause) -> CauseRow<'_> {
    CauseRow {
        moved: one.moved,
        table: one.subject.table.as_deref(),
        index: one.subject.index.as_deref(),
        region: &one.subject.region,
        access: one.subject.access.as_deref(),
        usage_type: one.usage_type.name(),
        amount_usd: one.amount.to_string(),
        why: &one.why,
        file: &one.place.file,
        line: one.place.line,
        resource: one.place.resource.as_deref(),
    }
}
