//! The effect of the file's ranges on the total: an interval from seeded draws, and which range
//! matters most.

use rayon::prelude::*;

use crate::capacity::Simulations;
use crate::capacity::series::Horizon;
use crate::diag::Diagnostics;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::outcome::{RangeSwing, Uncertainty};
use crate::pricing::Books;
use crate::workload::{Scenario, Workload};

/// The number of draws; each draws a value for every range.
pub const DRAWS: u64 = 500;

/// Why there is no interval.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UncertaintyError {
    /// A value of a range makes the file invalid.
    #[error("the file is invalid for a value within one of its ranges:\n{0}")]
    Workload(#[from] Diagnostics),
    /// The estimate fails for a value of a range.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
}

/// The interval of a workload's total; `None` where the file has no range. `load` reads the file
/// for a scenario.
///
/// # Errors
/// [`UncertaintyError`] if a value within a range makes the file invalid or the estimate fail.
pub fn uncertainty(
    workload: &Workload,
    books: &Books,
    load: &(dyn Fn(Scenario) -> Result<Workload, Diagnostics> + Sync),
) -> Result<Option<Uncertainty>, UncertaintyError> {
    if workload.written.ranges.is_empty() {
        return Ok(None);
    }
    // There are many draws, so capacity that changes is simulated minute by minute; this hardly
    // changes its bill.
    let total = |scenario: Scenario| -> Result<Money, UncertaintyError> {
        let metering = Metering::with(Simulations::by_minutes(), &load(scenario)?, books)?;
        Ok(metering
            .bill()
            .map_err(EstimateError::from)?
            .total()
            .map_err(EstimateError::from)?)
    };
    // Check the ends first, so that an invalid end is the error that is reported.
    total(Scenario::Low)?;
    total(Scenario::High)?;
    let seed = Horizon::default().seed;
    let mut drawn = (0..DRAWS)
        .into_par_iter()
        .map(|draw| total(Scenario::Drawn(seed, draw)))
        .collect::<Result<Vec<_>, _>>()?;
    drawn.sort_unstable();
    let at = |percent: u64| drawn[((DRAWS - 1) * percent / 100) as usize];
    let mut ranges = workload
        .written
        .ranges
        .par_iter()
        .enumerate()
        .map(
            |(position, range)| -> Result<RangeSwing, UncertaintyError> {
                Ok(RangeSwing {
                    line: workload.written.place_of(range.line).line,
                    text: range.text.clone(),
                    low: total(Scenario::OnlyLow(position))?,
                    high: total(Scenario::OnlyHigh(position))?,
                })
            },
        )
        .collect::<Result<Vec<_>, _>>()?;
    ranges.sort_by_key(|swing| std::cmp::Reverse((swing.width(), std::cmp::Reverse(swing.line))));
    Ok(Some(Uncertainty {
        draws: DRAWS,
        seed,
        low: at(5),
        middle: at(50),
        high: at(95),
        ranges,
    }))
}
