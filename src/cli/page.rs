//! The HTML page of a report.

use anyhow::{Context, Result};

use super::args::{Args, OutputFormat, ReportArgs};
use super::{all_workloads, input, output, together};
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
    let mut paths = vec![asked.workload.clone()];
    paths.extend(asked.baseline.clone());
    paths.extend(asked.trace.iter().filter(|trace| *trace == "-").cloned());
    if paths.iter().filter(|path| *path == "-").count() > 1 {
        anyhow::bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    let before = asked
        .baseline
        .as_ref()
        .map(|path| {
            let read = all_workloads(args, std::slice::from_ref(path), &books, date)?;
            together(args, read, &books, date)
        })
        .transpose()?;
    let (workload, mut source) = input::read(args, &asked.workload, &books, date)?;
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
    let interval = input::interval(args, &workload, &source, &books, date)
        .with_context(|| asked.workload.clone())?;
    let mut review = review(&workload, &books, &question, &load)
        .with_context(|| asked.workload.clone())?
        .with_interval(interval);
    // Without --baseline, a plan is its own baseline.
    let planned = match (source.before(), &before) {
        (Some(text), None) => Some(
            estimate(&input::parsed(args, &text, &books, date)?, &books)
                .with_context(|| asked.workload.clone())?,
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
