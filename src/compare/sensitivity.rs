//! What matters most: how much the total changes if one figure in the file is wrong.

use std::sync::Arc;

use rayon::prelude::*;

use crate::capacity::Simulations;
use crate::estimate::{EstimateError, Metering};
use crate::money::Money;
use crate::pricing::Books;
use crate::units::Exact;
use crate::workload::{DesignPart, Workload};

/// The totals with one figure 50 % lower and 50 % higher.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swing {
    /// The figure.
    pub what: String,
    /// The part of the file that holds it.
    pub part: DesignPart,
    /// The month's total with the figure 50 % lower.
    pub low: Money,
    /// The month's total with the figure 50 % higher.
    pub high: Money,
}

impl Swing {
    /// How far apart both totals are.
    fn width(&self) -> Exact {
        let (low, high) = (
            Exact::from(self.low.decimal()),
            Exact::from(self.high.decimal()),
        );
        if low < high {
            &high - &low
        } else {
            &low - &high
        }
    }
}

/// The most figures that are shown: those that change the total most.
const SHOWN: usize = 12;

type Scale = Box<dyn Fn(&mut Workload, &Exact) + Send + Sync>;

/// The totals for an error of 50 % in every rate, every size and every number of items, the widest
/// range first.
///
/// # Errors
/// [`EstimateError`] if an amount needs more than 28 digits.
pub fn swings(
    workload: &Workload,
    books: &Books,
    total: Money,
) -> Result<Vec<Swing>, EstimateError> {
    let mut figures: Vec<(String, DesignPart, Scale)> = Vec::new();
    for (at, table) in workload.tables.iter().enumerate() {
        let name = &table.table.name;
        figures.push((
            format!("item size of {name}"),
            table.part(DesignPart::Item),
            Box::new(move |workload, by| {
                let table = Arc::make_mut(&mut workload.contents_mut().tables[at]);
                table.resize(|sizes| sizes.scaled(by, 1));
            }),
        ));
        figures.push((
            format!("number of items in {name}"),
            table.part(DesignPart::Table),
            Box::new(move |workload, by| {
                let table = Arc::make_mut(&mut workload.contents_mut().tables[at]);
                table.items = &table.items * by;
            }),
        ));
        for (position, access) in table.access.iter().enumerate() {
            figures.push((
                format!("rate of \"{}\" on {name}", access.name),
                table.access_part(&access.name),
                Box::new(move |workload, by| {
                    let calls = &mut Arc::make_mut(&mut workload.contents_mut().tables[at]).access
                        [position]
                        .calls;
                    *calls = &*calls * by;
                }),
            ));
        }
    }
    // Scaled capacity is simulated minute by minute here, because only the change of the total
    // matters.
    let metering = Metering::with(Simulations::by_minutes(), workload, books)?.for_bills();
    let (base, _) = metering.total()?;
    let swing = |(what, part, scale): (String, DesignPart, Scale)| -> Result<Swing, EstimateError> {
        let at = |by: &Exact| -> Result<Money, EstimateError> {
            let mut changed = workload.clone();
            scale(&mut changed, by);
            let moved = metering.after(&changed, books)?.total()?.0.minus(base)?;
            Ok(Money::sum([total, moved])?)
        };
        Ok(Swing {
            what,
            part,
            low: at(&Exact::ratio(1, 2))?,
            high: at(&Exact::ratio(3, 2))?,
        })
    };
    let mut all = figures
        .into_par_iter()
        .map(swing)
        .collect::<Result<Vec<_>, _>>()?;
    all.retain(|swing| swing.low != total || swing.high != total);
    all.sort_by(|one, other| {
        other
            .width()
            .cmp(&one.width())
            .then_with(|| one.what.cmp(&other.what))
    });
    all.truncate(SHOWN);
    Ok(all)
}
