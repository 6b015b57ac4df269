//! A run with its month and its prices: what every part of the results is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::capacity::series::Series;
use crate::estimate::Metering;
use crate::outcome::Outcome;
use crate::pricing::Books;
use crate::replay::tally::consumption::TraceSpan;
use crate::workload::Workload;

/// The demand of each account by minute, by
/// [`account_name`](crate::capacity::series::account_name).
pub type DemandByAccount = BTreeMap<String, Arc<Series>>;

/// A run with its month and its prices: what every part of the results is made of.
pub struct Priced<'a> {
    /// The design with the calls of the trace.
    pub measured: &'a Workload,
    /// Its bill, line by line.
    pub metering: &'a Metering,
    /// Its bill.
    pub outcome: &'a Outcome,
    /// The prices.
    pub books: &'a Books,
    /// The demand of each account.
    pub series: &'a DemandByAccount,
    /// The time that the trace covers.
    pub span: &'a TraceSpan,
}
