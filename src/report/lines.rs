//! Which lines of a bill are shown, and their numbers.

use crate::outcome::Outcome;
use crate::pricing::LineItem;

/// Which lines of a bill are explained; all if nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineFilter {
    /// The numbers of lines, from 1, as the explanation of all lines counts them.
    pub numbers: Vec<usize>,
    /// Names of tables.
    pub tables: Vec<String>,
    /// Names of access patterns.
    pub access: Vec<String>,
}

impl LineFilter {
    fn holds(&self, number: usize, line: &LineItem) -> bool {
        let named = |names: &[String], name: Option<&String>| {
            names.is_empty() || name.is_some_and(|name| names.contains(name))
        };
        (self.numbers.is_empty() || self.numbers.contains(&number)) && {
            let subject = &line.subject;
            named(&self.tables, subject.table.as_ref())
                && named(&self.access, subject.access.as_ref())
        }
    }

    fn is_empty(&self) -> bool {
        *self == LineFilter::default()
    }

    /// The lines of an estimate that are explained, with their numbers.
    pub(in crate::report) fn of<'o>(&self, outcome: &'o Outcome) -> ExplainedLines<'o> {
        let mut number = 0;
        let mut numbered = |line: &'o LineItem| {
            number += 1;
            self.holds(number, line).then_some((number, line))
        };
        let mut monthly = Vec::new();
        for section in outcome.sections() {
            let lines: Vec<_> = section
                .lines
                .into_iter()
                .filter_map(&mut numbered)
                .collect();
            if !lines.is_empty() {
                monthly.push((section.name, lines));
            }
        }
        let once = outcome
            .once
            .lines
            .iter()
            .filter_map(&mut numbered)
            .collect();
        let is_all = self.is_empty();
        ExplainedLines {
            monthly,
            once,
            is_all,
        }
    }

    /// Whether it names a line of any of the estimates.
    pub fn finds(&self, outcomes: &[Outcome]) -> bool {
        self.is_empty()
            || outcomes
                .iter()
                .any(|one| self.of(one).all().next().is_some())
    }
}

/// The lines of an estimate that are explained, with their numbers.
pub(in crate::report) struct ExplainedLines<'a> {
    /// By table, and last what belongs to the account.
    pub monthly: Vec<(&'a str, Vec<(usize, &'a LineItem)>)>,
    /// What is paid once.
    pub once: Vec<(usize, &'a LineItem)>,
    /// Whether nothing is left out, so that what is unknown belongs to it.
    pub is_all: bool,
}

impl<'a> ExplainedLines<'a> {
    /// All lines.
    pub(in crate::report) fn all(&self) -> impl Iterator<Item = &(usize, &'a LineItem)> {
        let monthly = self.monthly.iter().flat_map(|(_, lines)| lines);
        monthly.chain(&self.once)
    }
}
