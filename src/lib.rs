//! Computes exactly what an Amazon DynamoDB design costs, before and after it is built.
//!
//! A meter, two ways to drive it, and a price book:
//!
//! ```text
//! workload file ─load─► operations × expected count ─┐
//!                                                    ├─► meter ─► capacity ─► usage ─► price ─► bill ─► outcome
//! trace ─reader─► events ─replay─► operations ───────┘
//! ```
//!
//! 1. [`workload::load`] reads a file into a [`Workload`](workload::Workload) that is valid by
//!    construction.
//! 2. [`estimate::estimate`] turns its access patterns into operations of exact sizes.
//! 3. [`meter::meter`], the only entry point, computes what each operation consumes on the table
//!    and each index.
//! 4. [`capacity`] turns consumption into [`usage`] as the capacity mode bills it; storage and the
//!    other features are added to it.
//! 5. [`pricing::price`] finds each rate in a dated price book and charges it: every line is
//!    quantity × rate = amount.
//! 6. With the feature `replay`, a trace replaces the access patterns: `trace` reads it and `replay`
//!    executes it. With the feature `tables`, `synthesize` makes a trace of a workload.
//! 7. [`import`] makes a workload from a plan, a template, or what AWS describes.
//! 8. [`compare`], [`diff`], [`check`] and [`review`] analyse the result.
//! 9. [`report`] presents an [`Outcome`](outcome::Outcome), which includes its working, and the
//!    results of these analyses.
//!
//! The names that most programs need are in the [`prelude`].
//!
//! # Estimate a workload file
//!
//! ```
//! use std::path::Path;
//! use dynameter::prelude::*;
//!
//! let text = r#"
//! name        = "Leaderboard"
//! region      = "us-east-1"
//! prices      = "2024-11-01"
//! month_hours = 720
//!
//! [[table]]
//! name          = "Scores"
//! items         = 1_000_000
//! partition_key = { name = "GameID" }
//! item.size     = "0.5 KB"
//!
//! [[table.access]]
//! name      = "update a score"
//! operation = "TransactWriteItems"
//! actions   = [{ operation = "Delete" }, { operation = "Put" }]
//! rate      = { per_day = 10_000_000 }
//! "#;
//! let books = Books::embedded();
//! let workload = load("leaderboard.toml", text, Path::new("."), &Setting::new(&books))?;
//! let outcome = estimate(&workload, &books)?;
//!
//! // Two transactional writes of two units each, 10 million times a day, for 30 days.
//! let line = &outcome.bill.lines[0];
//! assert_eq!(line.quantity.to_string(), "1200000000");
//! assert_eq!(line.amount.to_string(), "750");
//! assert!(outcome.text(Style::default())?.starts_with("Leaderboard: $750.14 a month"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Build a design in Rust
//!
//! ```
//! use dynameter::prelude::*;
//!
//! let books = Books::embedded();
//! let orders = BuilderPart::table("Orders", "CustomerId")
//!     .set("items", 1_000_000)
//!     .set("item.size", "2 KB")
//!     .access("place", ApiName::PutItem, "rate.per_second", 10);
//! let design = Builder::new("Shop", "us-east-1").set("prices", "2024-11-01").table(orders);
//! let outcome = estimate(&design.build(&Setting::new(&books))?, &books)?;
//! // 10 puts a second for 730 hours, each of 2 write units.
//! assert_eq!(outcome.bill.lines[0].quantity.to_string(), "52560000");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Meter one operation
//!
//! ```
//! use dynameter::prelude::*;
//!
//! let table = Table {
//!     name: "Orders".to_string(),
//!     class: TableClass::Standard,
//!     keys: KeySchema { partition: "CustomerId".to_string(), sort: None },
//!     indexes: Vec::new(),
//!     vectors: Vec::new(),
//! };
//! // A strongly consistent read of 9,000 bytes: three blocks of 4 KB.
//! let read = Operation::GetItem {
//!     item: Some(Bytes(9_000)),
//!     consistency: Consistency::Strong,
//! };
//! let consumed = meter(&table, &read, &Switches::default());
//! assert_eq!(consumed.total().read.halves(), 6);
//! ```
//!
//! The modules below are listed by layer; a module uses only those above it in this list.

pub mod diag;
#[cfg(feature = "replay")]
mod guard;
pub mod opened;
pub mod rules;
pub mod units;

#[cfg(any(feature = "bills", feature = "replay"))]
pub mod files;
pub mod money;
pub mod time;
pub mod unread;

pub mod table;

pub mod meter;
pub mod storage;

pub mod usage;

pub mod pricing;

pub mod capacity;
pub mod dax;

pub mod commitments;

pub mod outcome;
pub mod workload;

#[cfg(feature = "bills")]
pub mod bill;
#[cfg(feature = "replay")]
pub mod trace;

pub mod estimate;

pub mod compare;
pub mod diff;
pub mod forecast;
pub mod uncertainty;

pub mod headroom;

pub mod check;
pub mod fleet;
pub mod import;

#[cfg(feature = "aws")]
pub mod aws;

#[cfg(feature = "replay")]
pub mod replay;

#[cfg(all(feature = "aws", feature = "replay"))]
pub mod drive;

#[cfg(feature = "tables")]
pub mod frames;

#[cfg(feature = "tables")]
pub mod synthesize;

#[cfg(feature = "bills")]
pub mod reconcile;

pub mod review;

pub mod report;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

/// The names that most programs need.
pub mod prelude {
    pub use crate::check::{Budget, CheckedDesign, Designs, Status, budget, check};
    pub use crate::compare::{Comparison, Question, compare};
    pub use crate::diag::Diagnostics;
    pub use crate::diff::{Difference, diff};
    pub use crate::estimate::{EstimateError, estimate};
    pub use crate::meter::{ConsumedCapacity, Switches, meter};
    pub use crate::money::Money;
    pub use crate::outcome::Outcome;
    pub use crate::pricing::{Bill, Books, LineItem};
    #[cfg(feature = "replay")]
    pub use crate::replay::{ReplayOptions, Replayed, replay};
    pub use crate::report::{Present, Style};
    pub use crate::table::{ApiName, Consistency, KeySchema, Operation, Table, TableClass, Write};
    pub use crate::units::{Bytes, Exact};
    pub use crate::workload::{Builder, BuilderPart, Setting, Workload, load};
}
