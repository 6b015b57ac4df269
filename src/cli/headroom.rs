//! `dynameter headroom`.

use anyhow::Result;

use super::args::{Args, HeadroomArgs};
use super::{input, output};
use crate::estimate::Metering;
use crate::headroom::{Headroom, HeadroomError, HeadroomQuestion, HottestKeys, headroom};
use crate::pricing::Books;
use crate::workload::{GrowthUse, Setting, Workload};

/// Shows what breaks first.
pub fn run(args: &Args, asked: &HeadroomArgs) -> Result<()> {
    let question = HeadroomQuestion {
        throttled_billionths: input::billionths("--throttled", &asked.throttled)?,
        without_region: asked.without_region.clone(),
        ..HeadroomQuestion::default()
    };
    let (books, date) = input::books(args)?;
    let setting = Setting {
        growth: GrowthUse::MonthsAfterYears,
        ..input::setting(args, &books, date)?
    };
    let text = input::design(
        args,
        input::design_source(&asked.workload)?,
        input::Role::Only,
    )?;
    let workload = input::load(&text, &setting)?;
    #[cfg(feature = "replay")]
    if !asked.trace.is_empty() {
        let measured = super::trace::traffic(args, asked, &workload, &books, date)?;
        let working = super::progress::working(args, "what breaks first is searched")?;
        let result = of_trace(measured, &books, question);
        drop(working);
        return output::present(args, &result.map_err(|error| of_file(error, asked))?);
    }
    #[cfg(not(feature = "replay"))]
    if !asked.trace.is_empty() {
        anyhow::bail!(super::LIGHT);
    }
    let result = of_design(&workload, &books, &question);
    output::present(args, &result.map_err(|error| of_file(error, asked))?)
}

/// An error with the file that it is about, unless it says that itself.
fn of_file(error: anyhow::Error, asked: &HeadroomArgs) -> anyhow::Error {
    match error.downcast_ref::<HeadroomError>() {
        Some(HeadroomError::OutsideTheTrace { .. }) => error,
        _ => error.context(asked.workload.clone()),
    }
}

/// The headroom of a design with the rates of its file.
pub fn of_design(
    workload: &Workload,
    books: &Books,
    question: &HeadroomQuestion,
) -> Result<Headroom> {
    let metering = Metering::new(workload, books)?;
    Ok(headroom(&metering, books, &HottestKeys::new(), question)?)
}

/// The headroom of a design with the traffic of a trace.
#[cfg(feature = "replay")]
fn of_trace(
    measured: crate::replay::TraceTraffic,
    books: &Books,
    question: HeadroomQuestion,
) -> Result<Headroom> {
    use crate::headroom::{BusyPartitions, HottestKey};

    let hottest = measured.hottest.into_iter();
    let keys: HottestKeys = hottest
        .map(|(account, (key, share))| (account, HottestKey::new(key, share)))
        .collect();
    let partitions = measured.partitions.iter().map(|one| BusyPartitions {
        table: one.table.clone(),
        region: one.region.clone(),
        refused_reads: one.refused_reads.clone(),
        refused_writes: one.refused_writes.clone(),
    });
    let question = HeadroomQuestion {
        covered: Some((
            measured.span.from.div_euclid(60),
            measured.span.to.div_euclid(60),
        )),
        partitions: partitions.collect(),
        ..question
    };
    Ok(headroom(&measured.metering, books, &keys, &question)?)
}
