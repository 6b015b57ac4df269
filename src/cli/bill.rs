//! Reads and explains bills.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use rust_decimal::Decimal;

#[cfg(feature = "html")]
use super::args::ReportArgs;
use super::args::{Args, ImportArgs, ReconcileArgs};
use super::{input, output, progress, session};
use crate::bill::{AwsBill, Cost, Detail, Month, ReadBill, read};
#[cfg(feature = "html")]
use crate::commitments::Commitment;
use crate::files::Progress;
use crate::import::{ImportOptions, Imported, import_bill};
use crate::pricing::Books;
use crate::reconcile::{ExpectedBill, Grouping, Question, Reconciled, Tolerance, reconcile};
use crate::time::Date;
use crate::workload::Workload;

/// How many looks at Ctrl-C a reader that waits for its input has to stop.
const TICKS_OF_PATIENCE: u32 = 3;

/// Reads bills with a progress bar, until Ctrl-C.
pub fn read_bill(args: &Args, files: &[String], asked: &ReadBill) -> Result<AwsBill> {
    let shared = Progress::default();
    let stop = progress::interruption()?;
    if session::is_active() {
        // The program that runs the command watches it.
        return Ok(read(files, asked, &shared, &stop)?);
    }
    let is_done = AtomicBool::new(false);
    let bill = std::thread::scope(|scope| {
        scope.spawn(|| {
            let bar = progress::bar(
                args,
                1,
                "{spinner} {bytes} of {total_bytes} read [{wide_bar}] {msg}, {eta} left",
            );
            let mut stopped_for = 0;
            while !is_done.load(Ordering::Relaxed) {
                bar.set_length(shared.total.load(Ordering::Relaxed).max(1));
                bar.set_position(shared.read.load(Ordering::Relaxed));
                bar.set_message(format!("{} rows", shared.rows.load(Ordering::Relaxed)));
                std::thread::park_timeout(progress::TICK);
                // A reader that waits for standard input does not see the signal.
                stopped_for += u32::from(stop.load(Ordering::SeqCst));
                if stopped_for > TICKS_OF_PATIENCE && !is_done.load(Ordering::Relaxed) {
                    output::say("error: stopped before the end");
                    std::process::exit(i32::from(super::WRONG));
                }
            }
            bar.finish_and_clear();
        });
        let bill = read(files, asked, &shared, &stop);
        is_done.store(true, Ordering::Relaxed);
        bill
    });
    Ok(bill?)
}

/// Explains bills.
pub fn reconciled(args: &Args, asked: &ReconcileArgs) -> Result<Reconciled> {
    if asked.bills.iter().filter(|path| *path == "-").count() > 1 {
        bail!("standard input can be read only once\nhelp: use - for one argument only");
    }
    let by = asked
        .by
        .iter()
        .map(|name| grouping(name))
        .collect::<Result<Vec<Grouping>>>()?;
    let detail = match by.contains(&Grouping::Hour) || !asked.trace.is_empty() {
        true => Detail::Hour,
        false => Detail::Day,
    };
    let month = asked.month.as_deref().map(month).transpose()?;
    let reading = ReadBill {
        detail,
        month,
        accounts: asked.account.clone(),
    };
    let (books, date) = input::books(args)?;
    let bill = read_bill(args, &asked.bills, &reading)?;
    let question = Question {
        by,
        cost: cost(&asked.cost)?,
        tables: asked.table.clone(),
        names: asked
            .map
            .iter()
            .map(|text| renamed(text))
            .collect::<Result<_>>()?,
    };
    if let Some(table) = asked.table.iter().find(|table| {
        !bill
            .lines
            .iter()
            .any(|line| line.resource.table.as_ref() == Some(table))
    }) {
        let mut names: Vec<&str> = bill
            .lines
            .iter()
            .filter_map(|line| line.resource.table.as_deref())
            .collect();
        names.sort_unstable();
        names.dedup();
        bail!(
            "the bill has no table {table:?}\nhelp: it has {}",
            match names.is_empty() {
                true => "no names of tables; include resource IDs in the export".to_string(),
                false => names.join(", "),
            }
        );
    }
    let expected = expected(args, asked, (&books, date))?;
    Ok(reconcile(bill, expected.as_ref(), &question, &books)?)
}

/// What the designs or traces of the command say that the bill should be.
fn expected(
    args: &Args,
    asked: &ReconcileArgs,
    (books, date): (&Books, Option<Date>),
) -> Result<Option<ExpectedBill>> {
    let workloads: Vec<Workload> = match asked.workload.as_slice() {
        [] => Vec::new(),
        paths => super::all_workloads(args, paths, books, date)?
            .into_iter()
            .map(|(workload, _)| workload)
            .collect(),
    };
    if !asked.trace.is_empty() {
        #[cfg(feature = "replay")]
        return measured(args, asked, (books, date), &workloads).map(Some);
        #[cfg(not(feature = "replay"))]
        bail!(super::LIGHT);
    }
    if workloads.is_empty() {
        return Ok(None);
    }
    let commitments = input::commitments(args, &workloads, books)?;
    Ok(Some(ExpectedBill::of(&workloads, &commitments, books)?))
}

/// What traces measured in the whole hours that they cover.
#[cfg(feature = "replay")]
fn measured(
    args: &Args,
    asked: &ReconcileArgs,
    (books, date): (&Books, Option<Date>),
    workloads: &[Workload],
) -> Result<ExpectedBill> {
    if workloads.len() > 1 {
        bail!("a trace runs on one workload\nhelp: name one with --workload");
    }
    if asked.trace.iter().any(|trace| trace == "-") {
        bail!(
            "--trace - : a trace is read twice here, which standard input does not allow\nhelp: write \
             it to a file first"
        );
    }
    let replay = |window: Option<(i64, i64)>| {
        let setting = (books, date);
        super::trace::beside_a_bill(args, &asked.trace, workloads.first(), setting, window)
    };
    let first = replay(None)?;
    let span = (first.trace.span.from, first.trace.span.to);
    let Some(whole) = ExpectedBill::whole_hours(span) else {
        bail!(
            "the trace covers no whole hour, and a bill has whole hours\nhelp: give a longer trace"
        );
    };
    let replayed = if whole == span {
        first
    } else {
        replay(Some(whole))?
    };
    Ok(ExpectedBill::measured(&replayed.outcome, whole, books)?)
}

/// A name on the bill and the design's.
fn renamed(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((bill, design)) if !bill.is_empty() && !design.is_empty() => {
            Ok((bill.to_string(), design.to_string()))
        }
        _ => bail!(
            "--map {text:?} is not a pair of names\nhelp: write it as name-on-the-bill=name-in-the-design"
        ),
    }
}

/// The tolerance that the options name.
fn tolerance(asked: &ReconcileArgs) -> Result<Tolerance> {
    let number = |option: &str, text: &str| -> Result<Decimal> {
        let number = Decimal::from_str_exact(text).ok();
        match number.filter(|number| !number.is_sign_negative()) {
            Some(number) => Ok(number),
            None => bail!(
                "{option} {text:?} is not a number from 0\nhelp: write it as --tolerance 1% or \
                 --tolerance-usd 5"
            ),
        }
    };
    let percent = asked.tolerance.trim_end_matches('%').trim();
    let usd = asked.tolerance_usd.trim_start_matches('$').trim();
    Ok(Tolerance {
        percent: number("--tolerance", percent)?,
        usd: number("--tolerance-usd", usd)?,
    })
}

/// Imports a bill as a workload file.
pub fn imported(
    args: &Args,
    import: &ImportArgs,
    files: &[String],
    asked: &ImportOptions,
) -> Result<Imported> {
    let reading = ReadBill {
        detail: Detail::Hour,
        month: import.month.as_deref().map(month).transpose()?,
        accounts: import.account.clone(),
    };
    let bill = read_bill(args, files, &reading)?;
    Ok(import_bill(&bill, &Books::embedded(), asked)?)
}

/// The bill of a report.
#[cfg(feature = "html")]
pub fn of_report(args: &Args, asked: &ReportArgs) -> Result<Option<AwsBill>> {
    if asked.bill.is_empty() {
        return Ok(None);
    }
    let reading = ReadBill {
        detail: Detail::Hour,
        month: asked.month.as_deref().map(month).transpose()?,
        accounts: Vec::new(),
    };
    read_bill(args, &asked.bill, &reading).map(Some)
}

/// A bill as a design.
#[cfg(feature = "html")]
pub fn as_design(args: &Args, bill: &AwsBill) -> Result<input::WorkloadText> {
    let imported = import_bill(bill, &Books::embedded(), &input::asked(args)?)?;
    let name = bill.files.join(", ");
    Ok(input::WorkloadText::new(name, imported.text, "bill.toml"))
}

/// A bill beside a design.
#[cfg(feature = "html")]
pub fn beside(
    bill: AwsBill,
    workload: &Workload,
    commitments: &[Commitment],
    books: &Books,
) -> Result<Reconciled> {
    let expected = ExpectedBill::of(std::slice::from_ref(workload), commitments, books)?;
    Ok(reconcile(
        bill,
        Some(&expected),
        &Question::default(),
        books,
    )?)
}

/// `reconcile`.
pub fn run(args: &Args, asked: &ReconcileArgs) -> Result<u8> {
    let tolerance = tolerance(asked)?;
    let reconciled = reconciled(args, asked)?;
    output::present(args, &reconciled)?;
    let Some(difference) = &reconciled.difference else {
        return Ok(0);
    };
    if !difference.unknown.is_empty() {
        let count = difference.unknown.len();
        let figures = match count {
            1 => "1 figure that the explanation needs is".to_string(),
            count => format!("{count} figures that the explanation needs are"),
        };
        output::note(args, &format!("{figures} unknown"));
        return Ok(super::WRONG);
    }
    if difference.is_within(&tolerance) {
        return Ok(0);
    }
    let text = format!(
        "{} of the bill are unexplained, more than is tolerated",
        difference.unexplained.human()
    );
    output::note(args, &text);
    Ok(1)
}

fn grouping(name: &str) -> Result<Grouping> {
    let mut all = Grouping::NAMES.iter();
    match all.find(|(known, _)| *known == name) {
        Some((_, grouping)) => Ok(*grouping),
        None => bail!(
            "--by {name:?} is not a grouping\nhelp: write {}",
            Grouping::NAMES.map(|(name, _)| name).join(", ")
        ),
    }
}

fn cost(name: &str) -> Result<Cost> {
    let mut all = Cost::NAMES.iter();
    match all.find(|(known, _)| *known == name) {
        Some((_, cost)) => Ok(*cost),
        None => bail!(
            "--cost {name:?} is not a cost\nhelp: write {}",
            Cost::NAMES.map(|(name, _)| name).join(", ")
        ),
    }
}

fn month(text: &str) -> Result<Month> {
    match Month::parse(text) {
        Some(month) => Ok(month),
        None => bail!("--month {text:?} is not a month\nhelp: write it as 2026-10"),
    }
}
