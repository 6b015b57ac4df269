//! Everything that a design review looks at, as figures: the comparison with its curves, where the
//! money goes, the same design at other traffic and other months, what has changed since a
//! baseline, and what a trace measured.

#[cfg(feature = "replay")]
mod measured;
mod spending;
mod traffic;

#[cfg(feature = "replay")]
pub use measured::{MeasuredCost, MeasuredDemand, MeasuredTraffic};
pub use spending::{BillShare, Spending, spending};
pub use traffic::{DesignTotal, FACTORS, Loader, MONTHS, TrafficTable};

use crate::capacity::Demand;
use crate::compare::{Comparison, Curves, Question, compare_with_curves};
use crate::diff::{Difference, diff};
use crate::estimate::{EstimateError, Metering};
use crate::headroom::{Headroom, HeadroomError, HeadroomQuestion, HottestKeys, headroom};
use crate::money::MoneyError;
use crate::outcome::{Outcome, Uncertainty};
use crate::pricing::Books;
#[cfg(feature = "bills")]
use crate::reconcile::Reconciled;
#[cfg(feature = "replay")]
use crate::replay::Replayed;
use crate::workload::{PatternCall, Workload};

/// The figures of a design review.
#[must_use]
#[non_exhaustive]
pub struct Review {
    /// The design under every alternative.
    pub comparison: Comparison,
    /// The curves behind it.
    pub curves: Curves,
    /// Where the money goes, broken down in six ways.
    pub spending: Vec<Spending>,
    /// The totals at other traffic and in other months.
    pub traffic: TrafficTable,
    /// What breaks first; `None` if it could not be found.
    pub headroom: Option<Headroom>,
    /// How many years ahead the month is.
    pub years_ahead: u64,
    /// Access patterns without a profile, whose rate is assumed to be the same at every hour.
    pub flat: Vec<String>,
    /// The difference from the baseline.
    pub baseline: Option<Difference>,
    /// The result of a replayed trace.
    #[cfg(feature = "replay")]
    pub replayed: Option<Replayed>,
    /// A bill, and how it differs from this design.
    #[cfg(feature = "bills")]
    pub reconciled: Option<Reconciled>,
}

/// Reviews a design.
///
/// `load` reads the same file in another month and with other traffic.
///
/// # Errors
/// [`EstimateError`] if the design cannot be estimated.
pub fn review(
    workload: &Workload,
    books: &Books,
    question: &Question,
    load: &Loader,
) -> Result<Review, EstimateError> {
    let (compared, (traffic, headroom)) = rayon::join(
        || compare_with_curves(workload, books, question),
        || {
            rayon::join(
                || traffic::of(workload, books, load),
                || breaks_first(workload, books, question),
            )
        },
    );
    let (comparison, curves) = compared?;
    let patterns = workload
        .tables
        .iter()
        .flat_map(|table| table.access.iter().map(move |access| (table, access)));
    let flat = patterns.filter(|(_, access)| {
        !matches!(access.call, PatternCall::Unknown { .. }) && access.shape.is_flat()
    });
    Ok(Review {
        years_ahead: workload.years_ahead,
        flat: flat
            .map(|(table, access)| format!("\"{}\" of {}", access.name, table.table.name))
            .collect(),
        spending: spending(&comparison.outcome)?,
        traffic,
        headroom: headroom?,
        baseline: None,
        #[cfg(feature = "replay")]
        replayed: None,
        #[cfg(feature = "bills")]
        reconciled: None,
        comparison,
        curves,
    })
}

impl Review {
    /// Adds the interval from the ranges of the file.
    pub fn with_interval(mut self, uncertainty: Option<Uncertainty>) -> Review {
        self.comparison.outcome.uncertainty = uncertainty;
        self
    }

    /// Adds the difference from a baseline.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
    pub fn against(mut self, before: &Outcome) -> Result<Review, MoneyError> {
        self.baseline = Some(diff(before, &self.comparison.outcome)?);
        Ok(self)
    }

    /// Adds a bill that was compared with this design.
    #[cfg(feature = "bills")]
    pub fn with_bill(mut self, reconciled: Reconciled) -> Review {
        self.reconciled = Some(reconciled);
        self
    }

    /// Adds the result of a trace replayed on this design.
    #[cfg(feature = "replay")]
    pub fn with_trace(mut self, replayed: Replayed) -> Review {
        self.replayed = Some(replayed);
        self
    }
}

/// What breaks first in a design.
fn breaks_first(
    workload: &Workload,
    books: &Books,
    question: &Question,
) -> Result<Option<Headroom>, EstimateError> {
    let metering = Metering::new(workload, books)?;
    let asked = HeadroomQuestion {
        throttled_billionths: question.throttled_billionths,
        ..HeadroomQuestion::default()
    };
    match headroom(&metering, books, &HottestKeys::new(), &asked) {
        Ok(found) => Ok(Some(found)),
        Err(HeadroomError::Estimate(error)) => Err(error),
        // Neither a region nor a trace was asked for.
        Err(_) => Ok(None),
    }
}

/// What a workload costs, table by table, without the working of its lines.
fn sums(metering: &Metering) -> Result<DesignTotal, EstimateError> {
    let (workload, bill) = (metering.workload(), metering.bill()?);
    let of = |name: &str| {
        crate::money::Money::sum(
            bill.lines
                .iter()
                .filter(|line| line.subject.is_of(name))
                .map(|line| line.amount),
        )
    };
    let tables = workload
        .tables
        .iter()
        .map(|table| of(&table.table.name))
        .collect::<Result<_, _>>()?;
    let short = |demand: &&Demand| {
        let refused = demand
            .refused
            .as_ref()
            .is_some_and(|share| !share.is_zero());
        refused || demand.is_short()
    };
    let short = metering.demand().filter(short).map(Demand::place).collect();
    Ok(DesignTotal {
        total: bill.total()?,
        tables,
        unknown: bill.unknown.len(),
        short,
    })
}
