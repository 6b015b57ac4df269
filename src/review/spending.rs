//! Where the money goes.

use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::LineItem;
use crate::table::Direction;

/// A bill, broken down in one way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Spending {
    /// What it is broken down by, such as `table`.
    pub by: &'static str,
    /// The parts, the largest first. Together they are the whole bill.
    pub shares: Vec<BillShare>,
}

/// A part of a bill.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct BillShare {
    /// What it is for.
    pub name: String,
    /// Its cost in dollars a month.
    pub amount: Money,
}

/// What the month of a design is made of, broken down in six ways: by kind, table, index, access
/// pattern, region and usage type.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn spending(outcome: &Outcome) -> Result<Vec<Spending>, MoneyError> {
    let kind = |line: &LineItem| match line.usage_type.direction() {
        Some(Direction::Read) => "reads".to_string(),
        Some(Direction::Write) => "writes".to_string(),
        None => line.usage_type.purpose().to_string(),
    };
    let table = |line: &LineItem| line.subject.table_name().to_string();
    let index = |line: &LineItem| match &line.subject.index {
        Some(index) => format!("{} / {index}", line.subject.table_name()),
        None => line.subject.table_name().to_string(),
    };
    let access = |line: &LineItem| match &line.subject.access {
        Some(access) => format!("{}: {access}", line.subject.table_name()),
        None => format!(
            "{}: {}",
            line.subject.table_name(),
            line.usage_type.purpose()
        ),
    };
    let region = |line: &LineItem| line.subject.region.clone();
    let usage = |line: &LineItem| match line.usage_type.service() {
        "AmazonDynamoDB" => line.usage_type.name(),
        service => format!("{service} {}", line.usage_type.name()),
    };
    [
        added_up(outcome, "kind", kind),
        added_up(outcome, "table", table),
        added_up(outcome, "table and index", index),
        added_up(outcome, "access pattern or purpose", access),
        added_up(outcome, "region", region),
        added_up(outcome, "usage type", usage),
    ]
    .into_iter()
    .collect()
}

fn added_up(
    outcome: &Outcome,
    by: &'static str,
    name: impl Fn(&LineItem) -> String,
) -> Result<Spending, MoneyError> {
    let mut shares: Vec<BillShare> = Vec::new();
    for line in &outcome.bill.lines {
        let name = name(line);
        match shares.iter_mut().find(|share| share.name == name) {
            Some(share) => share.amount = Money::sum([share.amount, line.amount])?,
            None => shares.push(BillShare {
                name,
                amount: line.amount,
            }),
        }
    }
    shares.retain(|share| share.amount != Money::ZERO);
    shares.sort_by(|one, other| {
        other
            .amount
            .cmp(&one.amount)
            .then_with(|| one.name.cmp(&other.name))
    });
    Ok(Spending { by, shares })
}
