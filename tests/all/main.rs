//! All tests that use the library or the binary from outside, as one program: it is linked once,
//! and its tests share the cores. `cargo test --all-features golden` runs those of one module.

#![allow(
    clippy::too_many_lines,
    reason = "a test is often a table of cases, one row each"
)]

mod support;

#[cfg(feature = "aws")]
mod account;
mod action;
mod answers;
mod bills;
mod browser;
mod cache;
mod cases;
mod check;
mod circles;
mod cli;
mod commitments;
mod compare;
mod conformance;
mod deal;
mod diff;
mod docs;
#[cfg(all(feature = "aws", feature = "replay"))]
mod drive;
mod edits;
mod entities;
mod errors;
mod export;
mod faults;
mod fleet;
#[cfg(feature = "replay")]
mod fuzz;
mod gate;
mod golden;
mod headroom;
mod import;
mod invariants;
mod joins;
mod logs;
mod made;
#[cfg(feature = "mcp")]
mod mcp;
mod mutations;
mod price_lists;
mod prices;
mod properties;
mod public_api;
mod release;
mod replay;
mod report;
mod shares;
mod terminal;
mod terraform;
mod tidy;
mod unknown;
mod worked_examples;
