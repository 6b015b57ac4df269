//! Explains a bill: what it is made of, what moved and why, and how it differs from a design.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use dynameter::bill::{ReadBill, read};
//! use dynameter::files::Progress;
//! use dynameter::pricing::Books;
//! use dynameter::reconcile::{Grouping, Question, reconcile};
//!
//! let files = ["cur/".to_string()];
//! let bill = read(&files, &ReadBill::default(), &Progress::default(), &AtomicBool::new(false))?;
//! let question = Question { by: vec![Grouping::Table], ..Question::default() };
//! let reconciled = reconcile(bill, None, &question, &Books::embedded())?;
//! assert!(reconciled.total.billed.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod causes;
mod days;
mod design;
mod difference;
mod finding;
mod findings;
mod moves;
mod prices;
mod steps;
mod totals;

pub use design::{CellKey, ExpectedBill, ExpectedShare};
pub use difference::{Cell, Difference, Tolerance};
pub use finding::{Finding, FindingKind};
pub use steps::{Step, StepKind};
use totals::too_large;
pub use totals::{Group, GroupKey, Grouping, ServiceTotal};

use std::collections::BTreeSet;

use crate::bill::{Amounts, AwsBill, BilledKind, Cost, Month};
use crate::money::MoneyError;
use crate::pricing::Books;

/// What is shown if no grouping is asked for.
const OVERVIEW: [Grouping; 5] = [
    Grouping::Month,
    Grouping::Kind,
    Grouping::Table,
    Grouping::Region,
    Grouping::Day,
];

/// What is asked of a bill.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// How charges are grouped (default: by table, region and kind).
    pub by: Vec<Grouping>,
    /// The cost that groups are ordered by and that people see.
    pub cost: Cost,
    /// The tables to keep (default: all).
    pub tables: Vec<String>,
    /// Tables that the design calls otherwise: the name on the bill, and that of the design.
    pub names: Vec<(String, String)>,
}

/// Why a bill cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReconcileError {
    /// A sum needs more than 28 digits.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A design is a month, and the bill has several.
    #[error(
        "the bill has several months ({}), and a design is one\nhelp: name one with --month {}",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        .0[0]
    )]
    SeveralMonths(Vec<Month>),
    /// The bill does not have the cost that is asked for.
    #[error("{}\nhelp: {}", .0, .1)]
    UnknownCost(String, &'static str),
    /// A bill does not know access patterns.
    #[error(
        "a bill does not know access patterns, only a design does\nhelp: name it with --workload, or \
         group by something else"
    )]
    AccessOfNothing,
}

/// A bill with its totals and what explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// The bill.
    pub bill: AwsBill,
    /// The cost that was asked for.
    pub cost: Cost,
    /// Everything that was kept.
    pub total: Amounts,
    /// By service.
    pub services: Vec<ServiceTotal>,
    /// How charges are grouped.
    pub grouping: Vec<Grouping>,
    /// By that grouping.
    pub by: Vec<Group>,
    /// By one thing at a time: kind, table, region, day. Empty if a grouping was asked for.
    pub overview: Vec<(Grouping, Vec<Group>)>,
    /// What moved, and what is worth knowing.
    pub findings: Vec<Finding>,
    /// Usage types that are not modelled.
    pub not_modelled: Vec<Group>,
    /// How it differs from a design, if there is one.
    pub difference: Option<Difference>,
    /// The moments of the first and last hour with usage, in seconds since 1970; the last is
    /// exclusive.
    pub span: Option<(i64, i64)>,
}

/// Explains a bill, and how it differs from what is expected.
///
/// # Errors
/// [`ReconcileError`] if a sum needs more than 28 digits, or if a bill of several months is compared
/// with a design.
pub fn reconcile(
    mut bill: AwsBill,
    expected: Option<&ExpectedBill>,
    question: &Question,
    books: &Books,
) -> Result<Reconciled, ReconcileError> {
    for line in &mut bill.lines {
        let own = line.head.resource.table.as_mut();
        if let Some((table, (_, name))) = own.and_then(|table| {
            let mut names = question.names.iter();
            let name = names.find(|(name, _)| name == table)?;
            Some((table, name))
        }) {
            table.clone_from(name);
        }
    }
    if !question.tables.is_empty() {
        let is_asked = |table: &String| question.tables.contains(table);
        bill.lines
            .retain(|line| line.resource.table.as_ref().is_some_and(is_asked));
    }
    bill.notes.extend(before_the_books(&bill, books));
    let total = bill.total().ok_or_else(too_large)?;
    let services = totals::services(&bill).ok_or_else(too_large)?;
    let grouping = match question.by.as_slice() {
        [] => vec![Grouping::Table, Grouping::Region, Grouping::Kind],
        by => by.to_vec(),
    };
    let by = totals::groups(bill.lines.iter(), &grouping).ok_or_else(too_large)?;
    let mut overview = Vec::new();
    for one in OVERVIEW.into_iter().filter(|_| question.by.is_empty()) {
        let groups = totals::groups(bill.lines.iter(), &[one]).ok_or_else(too_large)?;
        // A region or a day is one thing, whatever the services; a table or a kind is not.
        let groups = match one {
            Grouping::Region | Grouping::Day | Grouping::Month => {
                totals::of_all_services(groups).ok_or_else(too_large)?
            }
            _ => groups,
        };
        overview.push((one, groups));
    }
    let not_modelled = bill
        .lines
        .iter()
        .filter(|line| matches!(line.kind, BilledKind::NotModelled(_)));
    let dimensions = [Grouping::Kind, Grouping::Region, Grouping::Table];
    let not_modelled = totals::groups(not_modelled, &dimensions).ok_or_else(too_large)?;
    let mut findings = findings::findings(&bill, books)?;
    let difference = match (expected, bill.months().as_slice()) {
        (Some(expected), [month]) => Some(difference::difference(
            &bill,
            *month,
            question.cost,
            expected,
            books,
        )?),
        (Some(_), months) => return Err(ReconcileError::SeveralMonths(months.to_vec())),
        (None, _) => None,
    };
    if let (Some(difference), Some(_)) = (&difference, expected.and_then(|one| one.window)) {
        findings.extend(findings::used(difference));
    }
    let by = match (grouping.contains(&Grouping::Access), &difference) {
        (true, Some(difference)) => access::by_access(difference)?,
        (true, None) => return Err(ReconcileError::AccessOfNothing),
        (false, _) => by,
    };
    Ok(Reconciled {
        difference,
        span: bill.span(),
        cost: question.cost,
        total,
        services,
        grouping,
        by,
        overview,
        findings,
        not_modelled,
        bill,
    })
}

/// Regions whose price books begin after the bill: its own prices count.
fn before_the_books(bill: &AwsBill, books: &Books) -> Vec<String> {
    let Some(first) = bill.months().first().copied() else {
        return Vec::new();
    };
    let regions: BTreeSet<&str> = bill
        .lines
        .iter()
        .filter_map(|line| line.region.as_deref())
        .collect();
    let note = |region: &str| {
        let (begins, _) = books.span(region).ok()?;
        (first.first_day() < begins).then(|| {
            format!(
                "The price book of {region} begins on {begins}, after the bill: the list prices of the \
                 bill itself are used."
            )
        })
    };
    regions.into_iter().filter_map(note).collect()
}
