//! The HTML page of a report.

use anyhow::{Context, Result};

use super::args::{Args, OutputFormat, ReportArgs, SummaryArgs};
use super::compare::compared;
use super::input::WorkloadText;
use super::progress::during;
use super::{all_workloads, bill, files, input, output, together};
use crate::bill::AwsBill;
use crate::estimate::estimate;
use crate::fleet::{Fleet, compared_fleet, fleet};
use crate::outcome::Outcome;
use crate::report::{self, FleetSummary, Present};
use crate::review::{Review, review};
use crate::time::MonthHours;
use crate::units::Exact;
use crate::workload::{Setting, Workload};

/// Designs of more tables are shown at a glance only: a page of everything could not be read.
const TABLES_IN_FULL: usize = 100;

/// What takes longest.
const PRICED: &str = "the design, its alternatives and other traffic are priced";

/// `dynameter report`.
pub fn page(args: &Args, asked: &ReportArgs) -> Result<()> {
    if !matches!(args.format, OutputFormat::Text | OutputFormat::Json) {
        anyhow::bail!(
            "a report is an HTML page\nhelp: remove --format, or write --format json for the \
             figures behind the page"
        );
    }
    #[cfg(not(feature = "replay"))]
    if !asked.trace.is_empty() {
        anyhow::bail!(super::LIGHT);
    }
    one_reads_standard_input(asked)?;
    let paths = match asked.workloads.is_empty() {
        true => Vec::new(),
        false => files::designs(args, &asked.workloads)?,
    };
    if paths.len() > 1 || asked.summary != SummaryArgs::default() {
        return fleet_page(args, asked, &paths);
    }
    let (books, date) = input::books(args)?;
    let before = asked
        .baseline
        .as_ref()
        .map(|path| {
            let read = all_workloads(args, std::slice::from_ref(path), &books, date)?;
            together(args, read, &books, date)
        })
        .transpose()?;
    let bill = bill::of_report(args, asked)?;
    let (workload, mut source) = design(args, paths.first(), bill.as_ref())?;
    let has_others = !asked.trace.is_empty() || bill.is_some() || before.is_some();
    if workload.tables.len() > TABLES_IN_FULL && !has_others {
        return fleet_page(args, asked, &paths);
    }
    let name = source.name.clone();
    let question = input::question(&asked.question, &asked.horizon)?;
    let likely = input::setting(args, &books, date)?;
    let load = |month: &MonthHours, traffic: &Exact| {
        let setting = Setting {
            month: Some(month.clone()),
            traffic: traffic.clone(),
            ..likely.clone()
        };
        Ok(input::load(&source, &setting)?.with_commitments_of(&workload))
    };
    let interval =
        input::interval(args, &workload, &source, &books, date).with_context(|| name.clone())?;
    let mut review = during(args, PRICED, || review(&workload, &books, &question, &load))
        .with_context(|| name.clone())?
        .with_interval(interval);
    // Without --baseline, a plan is its own baseline.
    let planned = match (source.before(), &before) {
        (Some(text), None) => Some(
            estimate(&input::parsed(args, &text, &books, date)?, &books)
                .with_context(|| name.clone())?,
        ),
        _ => None,
    };
    if let Some(before) = before
        .iter()
        .flat_map(|one| &one.outcomes)
        .next()
        .or(planned.as_ref())
    {
        review = review.against(before)?;
    }
    if let Some(bill) = bill {
        let commitments = input::commitments(args, std::slice::from_ref(&workload), &books)?;
        review = review.with_bill(bill::beside(bill, &workload, &commitments, &books)?);
    }
    #[cfg(feature = "replay")]
    if !asked.trace.is_empty() {
        review = review.with_trace(super::trace::measured(
            args, asked, &workload, &books, date,
        )?);
    }
    let text = match args.format {
        OutputFormat::Json => report::report_json(&review)?,
        _ if asked.interactive => interactive(&review, &source)?,
        _ => report::report_html(&review)?,
    };
    output::write(args, &text)
}

/// The engine of interactive pages, if it was built.
#[cfg(has_engine)]
const ENGINE: Option<&[u8]> = Some(include_bytes!("../../web/dist/engine.wasm.gz"));
#[cfg(not(has_engine))]
const ENGINE: Option<&[u8]> = None;

/// The page with the engine in it.
fn interactive(review: &Review, source: &WorkloadText) -> Result<String> {
    let Some(engine) = ENGINE else {
        anyhow::bail!(
            "this binary was built without the engine of pages\nhelp: run `web/build.sh engine`, then build \
             again; or remove --interactive"
        );
    };
    Ok(report::interactive_html(review, engine, &source.text)?)
}

/// The design of the page: of a file, or made of a bill.
fn design(
    args: &Args,
    path: Option<&String>,
    bill: Option<&AwsBill>,
) -> Result<(Workload, WorkloadText)> {
    let (books, date) = input::books(args)?;
    match (path, bill) {
        (Some(path), _) => input::read(args, path, &books, date),
        (None, Some(bill)) => {
            let text = bill::as_design(args, bill)?;
            Ok((input::parsed(args, &text, &books, date)?, text))
        }
        (None, None) => anyhow::bail!("name a workload file, or bills with --bill"),
    }
}

/// All tables at a glance.
fn fleet_page(args: &Args, asked: &ReportArgs, paths: &[String]) -> Result<()> {
    let others = [
        ("--bill", !asked.bill.is_empty()),
        ("--trace", !asked.trace.is_empty()),
        ("--baseline", asked.baseline.is_some()),
        ("--interactive", asked.interactive),
    ];
    if let Some((option, _)) = others.iter().find(|(_, is_given)| *is_given) {
        anyhow::bail!(
            "{option} is for the page of one design\nhelp: name one workload, without --summary and \
             --top"
        );
    }
    let top = asked.summary.shown();
    let write = |fleet: &Fleet, outcomes: &[&Outcome]| {
        let text = match args.format {
            OutputFormat::Json => FleetSummary { fleet, top }.json()?,
            _ => report::fleet_html(fleet, outcomes, top)?,
        };
        output::write(args, &text)
    };
    let (books, date) = input::books(args)?;
    let read = all_workloads(args, paths, &books, date)?;
    let tables: usize = read.iter().map(|(workload, _)| workload.tables.len()).sum();
    if tables > TABLES_IN_FULL {
        output::note(
            args,
            &format!(
                "note: the page shows {tables} tables without the best change of each; `dynameter compare \
                 --summary` finds it, which takes about a second for each table"
            ),
        );
        let together = together(args, read, &books, date)?;
        let outcomes: Vec<&Outcome> = together.outcomes.iter().collect();
        return write(&fleet(&together)?, &outcomes);
    }
    let question = input::question(&asked.question, &asked.horizon)?;
    let compared = compared(args, paths, &question)?;
    let outcomes: Vec<&Outcome> = compared.iter().map(|one| &one.outcome).collect();
    write(&compared_fleet(&compared)?, &outcomes)
}

/// Standard input can be one of the files.
fn one_reads_standard_input(asked: &ReportArgs) -> Result<()> {
    let mut paths: Vec<String> = asked.workloads.clone();
    paths.extend(asked.baseline.clone());
    paths.extend(asked.bill.iter().filter(|bill| *bill == "-").cloned());
    paths.extend(asked.trace.iter().filter(|trace| *trace == "-").cloned());
    if paths.iter().filter(|path| *path == "-").count() > 1 {
        anyhow::bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    Ok(())
}
