//! What a trace measured, compared with what the workload file expects.

use super::Review;
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::units::Exact;
use crate::usage::Throughput;

/// The demand of an account, expected and measured.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct MeasuredDemand {
    /// The table.
    pub table: String,
    /// The global index; `None` for the table.
    pub index: Option<String>,
    /// The region.
    pub region: String,
    /// Reads, writes or replicated writes.
    pub throughput: Throughput,
    /// Units a second on average, as the file expects them; `None` where it expects none.
    pub expected: Option<Exact>,
    /// Units a second on average in the trace; `None` where it has none.
    pub measured: Option<Exact>,
}

/// The cost of a usage type of a table, expected and measured.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct MeasuredCost {
    /// The table.
    pub table: String,
    /// The usage type.
    pub usage_type: String,
    /// The cost of a month as the file expects it; `None` if it has no such line.
    pub expected: Option<Money>,
    /// The cost of a month measured in the trace; `None` if it has no such line.
    pub measured: Option<Money>,
    /// The measured cost minus the expected cost.
    pub difference: Money,
}

/// What a trace measured, compared with what the file expects.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct MeasuredTraffic {
    /// The month's total of the trace minus that of the file.
    pub difference: Money,
    /// The units per second of every account that has any.
    pub demand: Vec<MeasuredDemand>,
    /// Dollars by table and usage type, the largest difference first.
    pub cost: Vec<MeasuredCost>,
}

impl Review {
    /// What the trace measured, compared with what the file expects; `None` without a trace.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
    pub fn measured(&self) -> Result<Option<MeasuredTraffic>, MoneyError> {
        let Some(replayed) = &self.replayed else {
            return Ok(None);
        };
        let difference = replayed.outcome.total()?.minus(self.comparison.total)?;
        Ok(Some(MeasuredTraffic {
            difference,
            demand: self.measured_demand(),
            cost: self.measured_cost()?,
        }))
    }

    fn measured_demand(&self) -> Vec<MeasuredDemand> {
        let Some(replayed) = &self.replayed else {
            return Vec::new();
        };
        let mut all: Vec<MeasuredDemand> = Vec::new();
        let expected = self
            .comparison
            .outcome
            .demand
            .iter()
            .map(|demand| (demand, true));
        for (demand, is_expected) in
            expected.chain(replayed.outcome.demand.iter().map(|demand| (demand, false)))
        {
            let same = |one: &&mut MeasuredDemand| {
                (&one.table, &one.index, &one.region, one.throughput)
                    == (
                        &demand.table,
                        &demand.index,
                        &demand.region,
                        demand.throughput,
                    )
            };
            let at = match all.iter_mut().find(same) {
                Some(one) => one,
                None => {
                    all.push(MeasuredDemand {
                        table: demand.table.clone(),
                        index: demand.index.clone(),
                        region: demand.region.clone(),
                        throughput: demand.throughput,
                        expected: None,
                        measured: None,
                    });
                    let last = all.len() - 1;
                    &mut all[last]
                }
            };
            *(if is_expected {
                &mut at.expected
            } else {
                &mut at.measured
            }) = Some(demand.mean.clone());
        }
        let zero = |units: &Option<Exact>| units.as_ref().is_none_or(Exact::is_zero);
        all.retain(|one| !zero(&one.expected) || !zero(&one.measured));
        all
    }

    fn measured_cost(&self) -> Result<Vec<MeasuredCost>, MoneyError> {
        let Some(replayed) = &self.replayed else {
            return Ok(Vec::new());
        };
        let mut all: Vec<MeasuredCost> = Vec::new();
        let lines = |outcome: &'_ Outcome, is_expected: bool| {
            let of = move |line: &crate::pricing::LineItem| {
                (
                    line.subject.table_name().to_string(),
                    line.usage_type.name(),
                    line.amount,
                    is_expected,
                )
            };
            outcome.bill.lines.iter().map(of).collect::<Vec<_>>()
        };
        for (table, usage_type, amount, is_expected) in lines(&self.comparison.outcome, true)
            .into_iter()
            .chain(lines(&replayed.outcome, false))
        {
            let at = match all
                .iter()
                .position(|one| one.table == table && one.usage_type == usage_type)
            {
                Some(at) => at,
                None => {
                    all.push(MeasuredCost {
                        table,
                        usage_type,
                        expected: None,
                        measured: None,
                        difference: Money::ZERO,
                    });
                    all.len() - 1
                }
            };
            let sum = if is_expected {
                &mut all[at].expected
            } else {
                &mut all[at].measured
            };
            *sum = Some(Money::sum([sum.unwrap_or(Money::ZERO), amount])?);
        }
        for one in &mut all {
            one.difference = one
                .measured
                .unwrap_or(Money::ZERO)
                .minus(one.expected.unwrap_or(Money::ZERO))?;
        }
        let size = |one: &MeasuredCost| one.difference.decimal().abs();
        all.sort_by(|one, other| {
            size(other)
                .cmp(&size(one))
                .then_with(|| (&one.table, &one.usage_type).cmp(&(&other.table, &other.usage_type)))
        });
        Ok(all)
    }
}
