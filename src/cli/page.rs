//! The HTML page of a report.

use anyhow::{Context, Result};

use super::args::{Args, OutputFormat, ReportArgs};
use super::{all_workloads, bill, input, output, together};
use dynameter::estimate::estimate;
use dynameter::report;
use dynameter::review::review;
use dynameter::time::MonthHours;
use dynameter::units::Exact;
use dynameter::workload::Setting;

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
    let (books, date) = input::books(args)?;
    one_reads_standard_input(asked)?;
    let before = asked
        .baseline
        .as_ref()
        .map(|path| {
            let read = all_workloads(args, std::slice::from_ref(path), &books, date)?;
            together(args, read, &books, date)
        })
        .transpose()?;
    let bill = bill::of_report(args, asked)?;
    let (workload, mut source) = match (&asked.workload, &bill) {
        (Some(path), _) => input::read(args, path, &books, date)?,
        (None, Some(bill)) => {
            let text = bill::as_design(args, bill)?;
            (input::parsed(args, &text, &books, date)?, text)
        }
        (None, None) => anyhow::bail!("name a workload file, or bills with --bill"),
    };
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
    let mut review = review(&workload, &books, &question, &load)
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
        _ => report::report_html(&review)?,
    };
    output::write(args, &text)
}

/// Standard input can be one of the files.
fn one_reads_standard_input(asked: &ReportArgs) -> Result<()> {
    let mut paths: Vec<String> = asked.workload.iter().cloned().collect();
    paths.extend(asked.baseline.clone());
    paths.extend(asked.bill.iter().filter(|bill| *bill == "-").cloned());
    paths.extend(asked.trace.iter().filter(|trace| *trace == "-").cloned());
    if paths.iter().filter(|path| *path == "-").count() > 1 {
        anyhow::bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    Ok(())
}
