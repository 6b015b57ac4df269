//! GitLab's Code Quality report. Source: GitLab documentation, "Code Quality report format".

use serde::Serialize;

use super::{finding_sentence, sentence, unread_sentence, unread_status};
use crate::check::{Checked, Place, Severity, Status};
use crate::report::json::pretty;
use crate::report::render::text::clean;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: IssueLocation,
}

#[derive(Serialize)]
struct IssueLocation {
    path: String,
    lines: IssueLines,
}

#[derive(Serialize)]
struct IssueLines {
    begin: usize,
}

/// An issue; GitLab recognises it in another version by its fingerprint, which has no line and no
/// figure.
fn issue(name: &str, same: &str, message: &str, severity: &'static str, place: &Place) -> Issue {
    Issue {
        description: clean(message),
        check_name: clean(name),
        fingerprint: clean(&format!("{name}|{same}")),
        severity,
        location: IssueLocation {
            path: clean(&place.file),
            lines: IssueLines {
                begin: place.line.max(1),
            },
        },
    }
}

fn severity(status: Status) -> &'static str {
    match status {
        Status::Pass => "info",
        Status::Warn => "minor",
        Status::Fail | Status::Unknown => "critical",
    }
}

/// A check as a Code Quality report of GitLab.
pub fn check_gitlab(checked: &Checked) -> String {
    let over = checked.verdicts.iter();
    let verdicts = over
        .filter(|verdict| verdict.status > Status::Pass)
        .map(|verdict| {
            let limit = &verdict.limit;
            let budget = Place::new(&checked.budget, limit.line);
            let place = verdict.place();
            issue(
                &format!("budget: {}", limit.name),
                &format!("{}|{}", limit.measure.word(), limit.scope.words()),
                &sentence(verdict),
                severity(verdict.status),
                place.unwrap_or(&budget),
            )
        });
    let unread = checked.unread.iter().map(|one| {
        let table = one.table.as_deref().unwrap_or_default();
        issue(
            &format!("not read: {}", one.unread.kind.word()),
            &format!("{table}|{}", one.what),
            &unread_sentence(one),
            severity(unread_status(checked, one)),
            &one.unread.place,
        )
    });
    let findings = checked.findings.iter().map(|finding| {
        let names = [
            Some(finding.table.as_str()),
            finding.index.as_deref(),
            finding.access.as_deref(),
        ];
        let severity = match finding.severity {
            Severity::Fail => "critical",
            Severity::Warn => "minor",
            Severity::Note | Severity::Off => "info",
        };
        issue(
            finding.rule.code,
            &names.map(Option::unwrap_or_default).join("|"),
            &finding_sentence(finding),
            severity,
            &finding.place,
        )
    });
    let all: Vec<Issue> = verdicts.chain(unread).chain(findings).collect();
    pretty(&all)
}
