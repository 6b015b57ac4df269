//! Bills: every format in which AWS delivers them, read in bounded memory into one [`AwsBill`].
//!
//! | format | has | does not have |
//! | --- | --- | --- |
//! | Cost and Usage Report (CUR), legacy and Athena column names | every charge by the hour or day, with its rate; tables, if the report includes resource IDs | |
//! | CUR 2.0 (Data Exports) | the same; only the columns that the export selects | |
//! | FOCUS 1.0 to 1.2 | the same, without IDs of rows | savings plan negations: what a plan covers is billed as zero |
//! | answers of Cost Explorer (`aws ce get-cost-and-usage`) | the groups that were asked for, by day or month | tables, rates |
//! | CSV of the Cost Explorer console | costs by day | quantities, tables, rates |
//! | usage reports | quantities | costs |
//! | detailed billing reports | every charge | list prices, amortised costs |
//!
//! A row of another service is counted and dropped. What is kept: the rows of Amazon DynamoDB and
//! DAX, those of AWS Backup and Amazon CloudWatch that are about DynamoDB, and the fees of Database
//! Savings Plans.
//!
//! # Rules
//!
//! - A cost is `round(usage × rate)` to 10 decimals, half up. Source: 307,900 of 307,900 rated rows
//!   of real reports of 2018 to 2024.
//! - A row is known by its ID and its time interval together; the ID alone repeats in every hour.
//!   Source: Cost and Usage Reports, "Identity details".
//! - Taxes, credits, refunds and discounts have a usage type and sometimes a quantity of 1; they are
//!   never usage.

mod amounts;
mod billed;
mod charge;
mod columns;
mod console;
mod csv;
mod duplicates;
mod explorer;
mod folder;
mod kind;
#[cfg(feature = "replay")]
mod parquet;
mod part;
mod read;
mod reading;
mod row;
mod values;

pub use amounts::{Amounts, Cost};
pub use billed::{AwsBill, BilledLine, LineHead, Resource, RowCounts, Times};
pub use charge::ChargeType;
pub use kind::BilledKind;
pub use read::{is_bill, read};
pub use reading::{Detail, ReadBill};
pub use values::Month;

/// Why a bill could not be read: the place, what was found, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", self.problems.join("\n"), self.help.as_ref().map(|help| format!("\nhelp: {help}")).unwrap_or_default())]
#[non_exhaustive]
pub struct BillError {
    /// Each mistake with its place, once.
    pub problems: Vec<String>,
    /// How to fix it.
    pub help: Option<String>,
}

impl BillError {
    /// An error about a file as a whole.
    pub fn file(file: &str, message: impl std::fmt::Display) -> BillError {
        BillError {
            problems: vec![format!("{file}: {message}")],
            help: None,
        }
    }

    /// Adds a text that says how to fix it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> BillError {
        BillError {
            help: Some(help.into()),
            ..self
        }
    }
}

impl From<crate::files::FilesError> for BillError {
    fn from(error: crate::files::FilesError) -> BillError {
        BillError::file(&error.file, error.message)
    }
}
