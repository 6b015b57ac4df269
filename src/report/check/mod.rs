//! The result of a check: for people, pull requests, GitHub, code scanning and test dashboards.

mod gitlab;
mod sarif;
mod slack;

use askama::Template;

use super::document::{Body, Document};
use super::estimate::{a_month, what_is};
use super::json::check::check_json;
use super::json::decimal;
use super::present::Present;
use super::render::text::{clean, signed};
use super::render::{csv, markdown};
use crate::check::{
    Cause, Checked, Finding, Measure, NotRead, Place, Severity, SkippedLimit, Status, Verdict,
};
use crate::diff::{Difference, TotalChange};
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::Bound;
use crate::units::Exact;

pub use gitlab::check_gitlab;
pub use sarif::check_sarif;
pub use slack::check_slack;

const VERDICT_HEADER: [&str; 6] = [
    "Verdict",
    "Limit",
    "What",
    "Figure",
    "Warns above",
    "Fails above",
];
const MOVED_HEADER: [&str; 5] = ["Where", "Usage type", "Amount", "Line", "Limits"];
const UNREAD_HEADER: [&str; 5] = ["Cost", "Kind", "Where", "What", "Line"];
const FINDING_HEADER: [&str; 5] = ["Severity", "Finding", "Where", "Monthly", "Line"];

/// A figure of a measure, formatted for people.
fn figure(measure: Measure, value: &Exact) -> String {
    match measure {
        Measure::Monthly | Measure::Increase => {
            let sign = if value.is_negative() { "-" } else { "" };
            let size = if value.is_negative() {
                &Exact::zero() - value
            } else {
                value.clone()
            };
            let text = size.human(2);
            // Dollars have two decimals, or none.
            let text = match text.split_once('.') {
                Some((_, cents)) if cents.len() == 1 => format!("{text}0"),
                _ => text,
            };
            format!("{sign}${text}")
        }
        Measure::IncreasePercent => format!("{} %", value.human(2)),
        Measure::Units => value.human(2),
        Measure::ThrottledShare => format!("{} %", (value * &Exact::from(100)).human(6)),
        Measure::Headroom => format!("{}x", value.human(2)),
        Measure::Events => value.human(0),
    }
}

fn figure_of(verdict: &Verdict) -> String {
    let measure = verdict.limit.measure;
    match (&verdict.figure, verdict.bound) {
        (_, Bound::Unknown) | (None, Bound::AtMost) => "unknown".to_string(),
        (Some(value), Bound::AtLeast) => format!("≥ {}", figure(measure, value)),
        (Some(value), Bound::AtMost) => format!("≤ {}", figure(measure, value)),
        (Some(value), _) => figure(measure, value),
        (None, _) if measure == Measure::Headroom => "no limit".to_string(),
        (None, _) => "from $0".to_string(),
    }
}

/// What is limited, in a few words.
fn what(verdict: &Verdict) -> String {
    let words = match verdict.limit.measure {
        Measure::Monthly => "monthly cost",
        Measure::Increase | Measure::IncreasePercent => "increase over the baseline",
        Measure::Units => "units per month",
        Measure::ThrottledShare => "throttled share",
        Measure::Headroom => "headroom",
        Measure::Events => "events that do not hold",
    };
    format!("{}: {words}", verdict.limit.scope.words())
}

fn level(verdict: &Verdict, level: &Option<Exact>) -> String {
    let measure = verdict.limit.measure;
    level
        .as_ref()
        .map_or("-".to_string(), |level| match measure.is_least() {
            true => format!("below {}", figure(measure, level)),
            false => figure(measure, level),
        })
}

fn verdict_rows(checked: &Checked) -> Vec<Vec<String>> {
    let row = |verdict: &Verdict| {
        let excepted = verdict
            .limit
            .exception
            .as_ref()
            .filter(|_| verdict.status == Status::Warn);
        let status = match excepted {
            Some(exception) => format!(
                "{} (exception until {}: {})",
                verdict.status.word(),
                exception.until,
                exception.reason
            ),
            None => verdict.status.word().to_string(),
        };
        vec![
            status,
            verdict.limit.name.clone(),
            what(verdict),
            figure_of(verdict),
            level(verdict, &verdict.limit.warn),
            level(verdict, &verdict.limit.fail),
        ]
    };
    checked.verdicts.iter().map(row).collect()
}

/// A place; for a plan, which is one line, with the address of the resource.
fn place(place: &Place) -> String {
    let line = format!("{}:{}", place.file, place.line);
    match &place.resource {
        Some(resource) => format!("{line} ({resource})"),
        None => line,
    }
}

fn amount(cause: &Cause) -> String {
    if cause.moved {
        signed(cause.amount)
    } else {
        cause.amount.human()
    }
}

fn is_moved(checked: &Checked) -> bool {
    checked
        .verdicts
        .iter()
        .flat_map(|verdict| &verdict.causes)
        .any(|cause| cause.moved)
}

fn where_of(cause: &Cause) -> String {
    format!(
        "{} / {}",
        cause.subject.table_name(),
        what_is(&cause.subject, &cause.usage_type, &cause.home)
    )
}

/// The bill lines behind verdicts that did not pass, each listed once with its limits.
fn moved_rows(checked: &Checked) -> Vec<Vec<String>> {
    let mut rows: Vec<(Vec<String>, [String; 4])> = Vec::new();
    for verdict in &checked.verdicts {
        for cause in &verdict.causes {
            let row = [
                where_of(cause),
                cause.usage_type.name(),
                amount(cause),
                place(&cause.place),
            ];
            let at = rows
                .iter()
                .position(|(_, known)| *known == row)
                .unwrap_or_else(|| {
                    rows.push((Vec::new(), row));
                    rows.len() - 1
                });
            if !rows[at].0.contains(&verdict.limit.name) {
                rows[at].0.push(verdict.limit.name.clone());
            }
        }
    }
    let row = |(limits, [place, usage, amount, line]): (Vec<String>, [String; 4])| {
        vec![place, usage, amount, line, limits.join("; ")]
    };
    rows.into_iter().map(row).collect()
}

fn finding_rows(checked: &Checked) -> Vec<Vec<String>> {
    let row = |finding: &Finding| {
        vec![
            finding.severity.word().to_string(),
            format!("{}: {}", finding.rule.code, finding.message),
            finding.table.clone(),
            finding
                .monthly
                .map_or("-".to_string(), |money| money.human()),
            place(&finding.place),
        ]
    };
    let more = checked.findings.len().saturating_sub(ROWS_MAX);
    let mut rows: Vec<Vec<String>> = checked.findings.iter().take(ROWS_MAX).map(row).collect();
    if more > 0 {
        let mut last = vec![String::new(); FINDING_HEADER.len()];
        last[1] = format!("and {more} more");
        rows.push(last);
    }
    rows
}

/// What was not read, each once with its place.
fn unread_rows(checked: &Checked) -> Vec<Vec<String>> {
    let row = |one: &NotRead| {
        let cost = match (one.is_allowed, one.unread.kind.is_in_the_bill()) {
            (true, _) => "allowed",
            (false, true) => "in the bill",
            (false, false) => "unknown",
        };
        vec![
            cost.to_string(),
            one.unread.kind.word().to_string(),
            one.table.clone().unwrap_or("whole design".to_string()),
            one.what.clone(),
            place(&one.unread.place),
        ]
    };
    checked.unread.iter().map(row).collect()
}

/// The limits that are not checked, each with the reason.
fn skipped_lines(checked: &Checked) -> Vec<String> {
    let line = |one: &SkippedLimit| {
        format!(
            "{} ({}:{}): {}",
            one.name, checked.budget, one.line, one.why
        )
    };
    checked.skipped.iter().map(line).collect()
}

/// How severe it is that something was not read: it stops a check only if a limit needs it.
fn unread_status(checked: &Checked, one: &NotRead) -> Status {
    match (one.is_allowed, checked.count(Status::Unknown)) {
        (true, _) => Status::Pass,
        (false, 0) => Status::Warn,
        (false, _) => Status::Unknown,
    }
}

fn unread_sentence(one: &NotRead) -> String {
    let table = one.table.as_ref();
    let table = table.map_or(String::new(), |table| format!("{table}: "));
    let allowed = match one.is_allowed {
        true => format!("allowed by --allow-unread {}", one.unread.kind.word()),
        false => format!(
            "after a review, accept it with --allow-unread {}",
            one.unread.kind.word()
        ),
    };
    format!("not read: {table}{}; {}; {allowed}", one.what, one.why)
}

/// The result of the check, in a sentence.
fn summary(checked: &Checked) -> String {
    let counts = [Status::Fail, Status::Unknown, Status::Warn, Status::Pass]
        .map(|status| (status, checked.count(status)));
    let words: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {}", status.word()))
        .collect();
    let word = match checked.status() {
        Status::Pass if checked.verdicts.is_empty() => "nothing checked",
        Status::Pass => "within budget",
        Status::Warn => "within budget, with warnings",
        Status::Fail => "over budget",
        Status::Unknown => "undecided",
    };
    let change = match checked.before {
        Some(before) => {
            let known = checked.total.minus(before).map(signed).unwrap_or_default();
            let of = if checked.change_is_unknown {
                "change unknown; known part "
            } else {
                ""
            };
            format!(" ({of}{known}, {} before)", before.human())
        }
        None => String::new(),
    };
    let limits = if words.is_empty() {
        "no limits".to_string()
    } else {
        format!("limits: {}", words.join(", "))
    };
    let limits = match checked.skipped.len() {
        0 => limits,
        skipped => format!("{limits}, {skipped} not checked"),
    };
    let once = match checked.once() {
        Some((before, after)) => format!(
            "; paid once, under no limit: {} before, {} now",
            before.human(),
            after.human()
        ),
        None => String::new(),
    };
    let costs = match checked.unknown {
        1 => "1 cost unknown".to_string(),
        unknown => format!("{unknown} costs unknown"),
    };
    let known = checked.total.human();
    let total = match checked.bound {
        Bound::Exact | Bound::AtMost => a_month(checked.total, checked.bound),
        Bound::AtLeast => format!("at least {known} a month, {costs}"),
        Bound::Unknown => format!("known part {known} a month, {costs}"),
    };
    format!("{word}: {total}{change}; {limits}{once}")
}

/// The tables whose cost changed since the baseline, the largest change first.
fn changed_tables(checked: &Checked) -> Vec<Vec<String>> {
    let mut all: Vec<(&str, Money, &Difference)> = checked
        .differences
        .iter()
        .flat_map(|one| {
            one.tables
                .iter()
                .map(move |(name, delta)| (name.as_str(), *delta, one))
        })
        .filter(|(name, delta, one)| *delta != Money::ZERO || is_new_or_gone(name, one))
        .collect();
    all.sort_by_key(|(name, delta, _)| (std::cmp::Reverse(delta.decimal().abs()), *name));
    let row = |(name, delta, one): &(&str, Money, &Difference)| {
        let known = |side: &Outcome| match side.tables.iter().any(|own| own == name) {
            true => side
                .total_of(name)
                .map_or("-".to_string(), |money| money.human()),
            false => "-".to_string(),
        };
        let change = match one.change_of(name, *delta) {
            TotalChange::Known(delta) => signed(delta),
            TotalChange::Unknown => format!("unknown; known part {}", signed(*delta)),
        };
        vec![name.to_string(), known(&one.old), known(&one.new), change]
    };
    let more = all.len().saturating_sub(ROWS_MAX);
    let mut rows: Vec<Vec<String>> = all.iter().take(ROWS_MAX).map(row).collect();
    if more > 0 {
        rows.push(vec![
            format!("and {more} more"),
            String::new(),
            String::new(),
            String::new(),
        ]);
    }
    rows
}

/// Whether only one side of a change has a table.
fn is_new_or_gone(name: &str, one: &Difference) -> bool {
    let has = |side: &Outcome| side.tables.iter().any(|own| own == name);
    has(&one.old) != has(&one.new)
}

/// The most rows of a table of a check.
const ROWS_MAX: usize = 50;

const TABLES_HEADER: [&str; 4] = ["Table", "Before", "Now", "Change"];

/// The missing figures, each listed once with the limits that need it.
fn missing(checked: &Checked) -> Vec<String> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for verdict in checked
        .verdicts
        .iter()
        .filter(|verdict| verdict.status == Status::Unknown)
    {
        for missing in &verdict.missing {
            match all.iter_mut().find(|(known, _)| known == missing) {
                Some((_, limits)) if limits.contains(&verdict.limit.name.as_str()) => {}
                Some((_, limits)) => limits.push(&verdict.limit.name),
                None => all.push((missing, vec![&verdict.limit.name])),
            }
        }
    }
    all.into_iter()
        .map(|(missing, limits)| format!("{missing} ({})", limits.join("; ")))
        .collect()
}

/// The number of missing figures that a one-line annotation names.
const NAMED_MAX: usize = 3;

/// What is missing, in a few words.
fn missing_words(verdict: &Verdict) -> String {
    let named = verdict
        .missing
        .iter()
        .take(NAMED_MAX)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match verdict.missing.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

impl Present for Checked {
    fn document(&self) -> Result<Document, MoneyError> {
        let status = self.status();
        let files = format!("{} by {}", self.workloads.join(", "), self.budget);
        let mut document = Document::new(summary(self)).note(files);
        document.is_warning = status > Status::Pass;
        let verdicts = verdict_rows(self);
        document.table("Limits", &VERDICT_HEADER, verdicts, &[3, 4, 5]);
        let tables = changed_tables(self);
        document.table("Tables that changed", &TABLES_HEADER, tables, &[1, 2, 3]);
        document.table(moved_title(self), &MOVED_HEADER, moved_rows(self), &[2]);
        document.table("Findings", &FINDING_HEADER, finding_rows(self), &[3]);
        document.table("Not read", &UNREAD_HEADER, unread_rows(self), &[]);
        document.part("Not checked", Body::List(skipped_lines(self)));
        document.part("Why", Body::List(why(self)));
        document.part("Unknown", Body::List(missing(self)));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(check_json(self))
    }

    fn csv(&self) -> String {
        check_csv(self)
    }

    /// For a pull request: a line, a table, and the rest collapsed.
    fn markdown(&self) -> Result<String, MoneyError> {
        Ok(check_markdown(self))
    }
}

fn moved_title(checked: &Checked) -> &'static str {
    if is_moved(checked) {
        "What changed"
    } else {
        "Main contributors"
    }
}

/// Why the lines behind the verdicts changed, and what limits the capacity; each reason listed once.
fn why(checked: &Checked) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for reason in checked.verdicts.iter().flat_map(|one| &one.reasons) {
        let text = format!("{} ({})", reason.what, place(&reason.place));
        if !all.contains(&text) {
            all.push(text);
        }
    }
    for cause in checked
        .verdicts
        .iter()
        .flat_map(|verdict| &verdict.causes)
        .filter(|cause| cause.moved && !cause.why.is_empty())
    {
        let text = format!(
            "{}: {}: {}",
            where_of(cause),
            amount(cause),
            cause.why.join("; ")
        );
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// A check as Markdown for a pull request: a line, a table, and the rest collapsed.
fn check_markdown(checked: &Checked) -> String {
    let sign = match checked.status() {
        Status::Pass if checked.verdicts.is_empty() => "⚪",
        Status::Pass => "✅",
        Status::Warn => "⚠️",
        Status::Fail => "❌",
        Status::Unknown => "❓",
    };
    let mut text = format!(
        "### {sign} DynamoDB: {}\n\n",
        markdown::escape(&summary(checked))
    );
    let verdicts = verdict_rows(checked);
    if !verdicts.is_empty() {
        text += &markdown::table(&VERDICT_HEADER, &verdicts, &[3, 4, 5]);
    }
    let tables = changed_tables(checked);
    if !tables.is_empty() {
        text += "\n";
        text += &markdown::table(&TABLES_HEADER, &tables, &[1, 2, 3]);
    }
    let mut folded = |title: &str, body: String| {
        text += &format!("\n<details><summary>{title}</summary>\n\n{body}\n</details>\n");
    };
    let moved = moved_rows(checked);
    if !moved.is_empty() {
        let title = moved_title(checked);
        let why = why(checked);
        let list = if why.is_empty() {
            String::new()
        } else {
            format!("\n{}", markdown::list(&why))
        };
        folded(title, markdown::table(&MOVED_HEADER, &moved, &[2]) + &list);
    }
    let missing = missing(checked);
    if !missing.is_empty() {
        folded("Unknown", markdown::list(&missing));
    }
    let skipped = skipped_lines(checked);
    if !skipped.is_empty() {
        folded("Not checked", markdown::list(&skipped));
    }
    let unread = unread_rows(checked);
    if !unread.is_empty() {
        folded(
            &format!("Not read: {}", unread.len()),
            markdown::table(&UNREAD_HEADER, &unread, &[]),
        );
    }
    let findings = finding_rows(checked);
    if !findings.is_empty() {
        folded(
            &format!("Findings: {}", checked.findings.len()),
            markdown::table(&FINDING_HEADER, &findings, &[3]),
        );
    }
    text
}

/// The verdicts as CSV, exact.
fn check_csv(checked: &Checked) -> String {
    let header = [
        "limit",
        "table",
        "index",
        "access",
        "usage_type",
        "region",
        "measure",
        "figure",
        "bound",
        "warn",
        "fail",
        "status",
        "missing",
        "file",
        "line",
    ];
    let row = |verdict: &Verdict| {
        let limit = &verdict.limit;
        let scope = &limit.scope;
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let number = |number: &Option<Exact>| number.as_ref().map(decimal).unwrap_or_default();
        let (file, line) = verdict
            .place()
            .map(|place| (place.file.clone(), place.line.to_string()))
            .unwrap_or_default();
        vec![
            limit.name.clone(),
            text(&scope.table),
            text(&scope.index),
            text(&scope.access),
            text(&scope.usage_type),
            text(&scope.region),
            limit.measure.word().to_string(),
            number(
                &verdict
                    .figure
                    .clone()
                    .filter(|_| verdict.bound != Bound::Unknown),
            ),
            verdict.bound.word().to_string(),
            number(&limit.warn),
            number(&limit.fail),
            verdict.status.word().to_string(),
            verdict.missing.join("; "),
            file,
            line,
        ]
    };
    csv::write(
        &header,
        &checked.verdicts.iter().map(row).collect::<Vec<_>>(),
    )
}

/// Text for a GitHub workflow command, with its special characters escaped.
fn github(text: &str, property: bool) -> String {
    let text = clean(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    if property {
        text.replace(':', "%3A").replace(',', "%2C")
    } else {
        text
    }
}

/// An error as an annotation of GitHub Actions.
pub fn github_error(message: &str) -> String {
    format!("::error title=dynameter::{}\n", github(message, false))
}

/// A check as annotations of GitHub Actions, one a line.
///
/// Source: GitHub Docs, "Workflow commands for GitHub Actions".
pub fn check_github(checked: &Checked) -> String {
    let mut text = String::new();
    let mut say = |level: &str, place: Option<&Place>, title: &str, message: &str| {
        let place = place
            .map(|place| format!("file={},line={},", github(&place.file, true), place.line))
            .unwrap_or_default();
        text += &format!(
            "::{level} {place}title={}::{}\n",
            github(title, true),
            github(message, false)
        );
    };
    for verdict in checked
        .verdicts
        .iter()
        .filter(|verdict| verdict.status > Status::Pass)
    {
        let level = if verdict.status == Status::Warn {
            "warning"
        } else {
            "error"
        };
        say(
            level,
            verdict.place(),
            &verdict.limit.name,
            &sentence(verdict),
        );
    }
    for one in &checked.skipped {
        let place = Place::new(&checked.budget, one.line);
        say(
            "notice",
            Some(&place),
            &one.name,
            &format!("not checked: {}", one.why),
        );
    }
    for one in &checked.unread {
        let level = match unread_status(checked, one) {
            Status::Unknown | Status::Fail => "error",
            Status::Warn => "warning",
            Status::Pass => "notice",
        };
        let title = format!("not read: {}", one.unread.kind.word());
        say(
            level,
            Some(&one.unread.place),
            &title,
            &unread_sentence(one),
        );
    }
    for finding in &checked.findings {
        let level = match finding.severity {
            Severity::Fail => "error",
            Severity::Warn => "warning",
            Severity::Note | Severity::Off => "notice",
        };
        say(
            level,
            Some(&finding.place),
            finding.rule.code,
            &finding_sentence(finding),
        );
    }
    text
}

/// A verdict in a sentence.
fn sentence(verdict: &Verdict) -> String {
    // A limit without a level that fails only warns.
    let warns = verdict.status == Status::Warn && verdict.limit.exception.is_none();
    let above = match verdict.limit.measure.is_least() {
        true => "",
        false => "above ",
    };
    let limit = match &verdict.limit.fail {
        Some(_) if !warns => format!("fails {above}{}", level(verdict, &verdict.limit.fail)),
        _ => format!("warns {above}{}", level(verdict, &verdict.limit.warn)),
    };
    let reason = verdict
        .reasons
        .first()
        .map_or_else(String::new, |reason| format!("; {}", reason.what));
    let cause = verdict.causes.first().map(|cause| {
        let resource = cause.place.resource.as_ref();
        let resource = resource.map_or(String::new(), |resource| format!(" ({resource})"));
        format!(
            "; largest line: {}: {}{resource}",
            where_of(cause),
            amount(cause)
        )
    });
    let missing = if verdict.missing.is_empty() {
        String::new()
    } else {
        format!("; unknown: {}", missing_words(verdict))
    };
    format!(
        "{}: {}; the limit {limit}{reason}{}{missing}",
        what(verdict),
        figure_of(verdict),
        cause.unwrap_or_default()
    )
}

fn finding_sentence(finding: &Finding) -> String {
    let cost = finding
        .monthly
        .map(|money| format!(" ({} a month)", money.human()))
        .unwrap_or_default();
    format!("{}{cost}. {}", finding.message, finding.rule.why)
}

#[derive(Template)]
#[template(path = "check.xml", escape = "html")]
struct Junit<'a> {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    cases: Vec<JUnitCase<'a>>,
}

/// A test case of JUnit.
struct JUnitCase<'a> {
    class: String,
    name: String,
    file: String,
    line: usize,
    message: String,
    status: &'a str,
}

/// The status of a test case that is not checked.
const SKIPPED: &str = "skipped";

/// A check as JUnit XML: each limit and each finding is a test case.
pub fn check_junit(checked: &Checked) -> String {
    // Replace the characters that XML does not allow.
    let plain = |text: String| clean(&text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    let verdicts = checked.verdicts.iter().map(|verdict| {
        let place = verdict.place().cloned();
        JUnitCase {
            class: plain(checked.budget.clone()),
            name: plain(format!(
                "{}: {}",
                verdict.limit.name,
                verdict.limit.measure.word()
            )),
            file: plain(
                place
                    .as_ref()
                    .map_or_else(|| checked.budget.clone(), |place| place.file.clone()),
            ),
            line: place.map_or(verdict.limit.line, |place| place.line),
            message: plain(sentence(verdict)),
            status: verdict.status.word(),
        }
    });
    let findings = checked.findings.iter().map(|finding| JUnitCase {
        class: plain(finding.place.file.clone()),
        name: plain(format!("{}: {}", finding.rule.code, finding.message)),
        file: plain(finding.place.file.clone()),
        line: finding.place.line,
        message: plain(finding_sentence(finding)),
        status: if finding.severity == Severity::Fail {
            Status::Fail.word()
        } else {
            Status::Warn.word()
        },
    });
    let unread = checked.unread.iter().map(|one| JUnitCase {
        class: plain(one.unread.place.file.clone()),
        name: plain(format!(
            "not read: {}: {}",
            one.unread.kind.word(),
            one.what
        )),
        file: plain(one.unread.place.file.clone()),
        line: one.unread.place.line,
        message: plain(unread_sentence(one)),
        status: match unread_status(checked, one) {
            Status::Pass => Status::Warn.word(),
            status => status.word(),
        },
    });
    let skipped = checked.skipped.iter().map(|one| JUnitCase {
        class: plain(checked.budget.clone()),
        name: plain(one.name.clone()),
        file: plain(checked.budget.clone()),
        line: one.line,
        message: plain(one.why.clone()),
        status: SKIPPED,
    });
    let cases: Vec<JUnitCase> = verdicts
        .chain(skipped)
        .chain(unread)
        .chain(findings)
        .collect();
    let count = |status: &str| cases.iter().filter(|case| case.status == status).count();
    let page = Junit {
        tests: cases.len(),
        failures: count(Status::Fail.word()),
        errors: count(Status::Unknown.word()),
        skipped: count(SKIPPED),
        cases,
    };
    page.render().unwrap_or_default() + "\n"
}
