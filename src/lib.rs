//! Computes exactly what an Amazon DynamoDB design costs, before and after it is built.
//!
//! A meter, two ways to drive it, and a price book:
//!
//! ```text
//! workload file ─load─► operations × expected count ─┐
//!                                                    ├─► meter ─► capacity ─► usage ─► price ─► bill ─► outcome ─► report
//! trace ─reader─► events ─replay─► operations ───────┘
//! ```
//!
//! 1. [`workload::load`] reads a file, strictly, into a [`Workload`](workload::Workload) that
//!    cannot be wrong.
//! 2. [`estimate::estimate`] turns its access patterns into operations of exact sizes.
//! 3. [`meter::meter`], the only entry point, computes what each operation consumes on the table
//!    and each index.
//! 4. [`capacity`] turns consumption into [`usage`] as the capacity mode bills it; storage and the
//!    rest join it.
//! 5. [`pricing::price`] finds each rate in a dated book and charges it: every line is quantity ×
//!    rate = amount.
//! 6. With the feature `replay`, a trace takes the place of the access patterns: `trace` reads it,
//!    `replay` executes it, and `synthesize` makes one of a workload.
//! 7. [`import`] makes a workload of a plan, a template, or what AWS describes; the same file may
//!    stand in its place.
//! 8. [`compare`], [`diff`], [`check`] and [`review`] analyse the result.
//! 9. [`report`] presents the [`Outcome`](outcome::Outcome), which carries its working with it, and
//!    their answers.
//!
//! ```
//! use std::path::Path;
//! use dynameter::{estimate::estimate, pricing::Books, report, workload::{self, Setting}};
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
//! let workload = workload::load("leaderboard.toml", text, Path::new("."), &Setting::new(&books))?;
//! let outcome = estimate(&workload, &books)?;
//!
//! // Two transactional writes of two units each, 10 million times a day, for 30 days.
//! let line = &outcome.bill.lines[0];
//! assert_eq!(line.quantity.to_string(), "1200000000");
//! assert_eq!(line.amount.to_string(), "750");
//! assert!(report::estimate_text(&outcome, report::Style::default())?.starts_with("Leaderboard: $750.14 a month"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The modules below are listed by layer: a module uses only modules above it in this list.

pub mod diag;
pub mod opened;
pub mod rules;
pub mod units;

pub mod money;
pub mod time;

pub mod table;

pub mod meter;
pub mod storage;

pub mod usage;

pub mod pricing;

pub mod capacity;
pub mod dax;

pub mod outcome;
pub mod workload;

#[cfg(feature = "replay")]
pub mod trace;

pub mod estimate;

pub mod compare;
pub mod diff;
pub mod uncertainty;

pub mod check;
pub mod import;

#[cfg(feature = "replay")]
pub mod replay;

#[cfg(feature = "tables")]
pub mod frames;

#[cfg(feature = "tables")]
pub mod synthesize;

pub mod review;

pub mod report;
