//! draft
pub mod capacity;
pub mod dax;
pub mod diag;
pub mod estimate;
pub mod meter;
pub mod money;
pub mod outcome;
pub mod pricing;
pub mod report;
pub mod rules;
pub mod storage;
pub mod table;
pub mod time;
pub mod units;
pub mod usage;
pub mod workload;
