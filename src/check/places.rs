//! Finds the line of a workload file that causes a line of its bill.

use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};

use super::CheckedDesign;
use crate::commitments::CommitmentKind;
use crate::diag::Place;
use crate::usage::Subject;
use crate::workload::DesignPart;

/// The lines of a text that are not in another, from 1; a removed line counts as a change of the
/// line that follows it.
fn changed(before: &str, now: &str) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    let mut at = 1;
    let mut gone = None;
    // Spaces for alignment do not count as a change.
    let plain = |text: &str| {
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect::<String>()
    };
    let (before, now) = (plain(before), plain(now));
    for change in TextDiff::from_lines(&before, &now).iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {
                lines.extend(gone.take().map(|_: ()| at));
                at += 1;
            }
            ChangeTag::Insert => {
                // A line that replaces another is the change itself.
                gone = None;
                lines.insert(at);
                at += 1;
            }
            ChangeTag::Delete => gone = Some(()),
        }
    }
    lines
}

/// The lines of the block that contains a line: from its header to the next line for which `ends`
/// is true.
fn block(text: &str, line: usize, ends: impl Fn(&str) -> bool) -> std::ops::Range<usize> {
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let at = line.clamp(1, lines.len().max(1));
    let start = (1..=at)
        .rev()
        .find(|line| lines.get(line - 1).is_some_and(|text| ends(text)))
        .unwrap_or(1);
    let end = (at + 1..=lines.len())
        .find(|line| lines.get(line - 1).is_some_and(|text| ends(text)))
        .unwrap_or(lines.len() + 1);
    start..end
}

/// The line of the file behind a line of the bill: the first changed line of its index, its access
/// pattern or its table; if nothing has changed, the line where these are defined.
pub(super) fn of(
    design: &CheckedDesign,
    before: Option<&CheckedDesign>,
    subject: &Subject,
) -> Place {
    let written = &design.workload.written;
    let Some(table) = design
        .workload
        .tables
        .iter()
        .find(|table| subject.is_of(&table.table.name))
    else {
        // A line of the account: what is bought in advance for the region.
        let bought = design.workload.commitments.iter().find(|one| {
            let is_here = one.region().is_none_or(|region| region == subject.region);
            is_here && !matches!(one.kind, CommitmentKind::Discount { .. })
        });
        return match (bought, design.workload.clusters.is_empty()) {
            (Some(one), _) => one.place.clone(),
            (None, false) => written.place(&DesignPart::Cluster(0)),
            (None, true) => written.place_of(1),
        };
    };
    let named = |name: &String| {
        table
            .table
            .indexes
            .iter()
            .position(|index| index.name == *name)
            .map(|at| written.line(&table.index_part(at)))
    };
    let index = subject.index.as_ref().and_then(named);
    let patterns = table
        .access
        .iter()
        .chain(table.replicas.iter().flat_map(|replica| &replica.access));
    let is_pattern = |name: &&String| patterns.clone().any(|access| access.name == **name);
    let access = subject
        .access
        .as_ref()
        .filter(is_pattern)
        .map(|name| written.line(&table.access_part(name)));
    let own = written.line(&table.part(DesignPart::Table));
    let text = &design.text;
    if let Some(before) = before {
        let changed = changed(&before.text, text);
        let header = |line: &str| line.starts_with('[');
        let of_table = |line: &str| line.starts_with("[[table]]");
        let blocks = [index, access]
            .into_iter()
            .flatten()
            .map(|line| block(text, line, header));
        let blocks = blocks.chain([block(text, own, of_table)]);
        for block in blocks {
            if let Some(line) = changed.range(block).next() {
                return written.place_of(*line);
            }
        }
    }
    written.place_of(index.or(access).unwrap_or(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_the_place_of_another_is_the_change() {
        assert_eq!(changed("a\nb\nc\n", "a\nB\nc\n"), BTreeSet::from([2]));
        assert_eq!(changed("a\nb\nc\n", "a\nc\n"), BTreeSet::from([2]));
        assert_eq!(changed("a\n", "a\nb\n"), BTreeSet::from([2]));
        assert_eq!(changed("a\n", "a\n"), BTreeSet::new());
        assert_eq!(
            changed("a = 1\nb = 2\n", "a    = 1\nlong = 2\n"),
            BTreeSet::from([2])
        );
    }
}
