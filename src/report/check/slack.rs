//! A few lines for a message in Slack. Source: Slack developer documentation, "Formatting text for
//! app surfaces".

use super::{figure_of, level, missing, summary, unread_rows, what};
use crate::check::{Checked, Status, Verdict};
use crate::report::render::text::clean;

/// The number of limits and of missing figures that are named.
const NAMED_MAX: usize = 5;

/// A text with the characters escaped that Slack gives a meaning.
fn escaped(text: &str) -> String {
    clean(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A check as a message in Slack's own markup.
pub fn check_slack(checked: &Checked) -> String {
    let sign = match checked.status() {
        Status::Pass if checked.verdicts.is_empty() => ":white_circle:",
        Status::Pass => ":white_check_mark:",
        Status::Warn => ":warning:",
        Status::Fail => ":x:",
        Status::Unknown => ":question:",
    };
    let mut lines = vec![format!("{sign} *DynamoDB* {}", escaped(&summary(checked)))];
    let over: Vec<&Verdict> = checked
        .verdicts
        .iter()
        .filter(|verdict| verdict.status > Status::Pass)
        .collect();
    lines.extend(over.iter().take(NAMED_MAX).map(|verdict| {
        let warns = verdict.status == Status::Warn && verdict.limit.exception.is_none();
        let most = match &verdict.limit.fail {
            Some(_) if !warns => level(verdict, &verdict.limit.fail),
            _ => level(verdict, &verdict.limit.warn),
        };
        let line = format!(
            "*{}* {}: {} (limit {most})",
            verdict.limit.name,
            what(verdict),
            figure_of(verdict)
        );
        format!("• {}: {}", verdict.status.word(), escaped(&line))
    }));
    let unknown = missing(checked);
    lines.extend(
        unknown
            .iter()
            .take(NAMED_MAX)
            .map(|one| format!("• unknown: {}", escaped(one))),
    );
    let more = over.len().saturating_sub(NAMED_MAX) + unknown.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        lines.push(format!("• and {more} more"));
    }
    for row in unread_rows(checked).iter().take(NAMED_MAX) {
        lines.push(format!(
            "• not read ({}, {}): {}",
            row[1],
            row[0],
            escaped(&row[3])
        ));
    }
    for one in checked.skipped.iter().take(NAMED_MAX) {
        lines.push(format!(
            "• not checked: {}: {}",
            escaped(&one.name),
            escaped(&one.why)
        ));
    }
    lines.join("\n") + "\n"
}
