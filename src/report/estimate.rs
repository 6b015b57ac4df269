//! An estimate as text and Markdown, and as CSV for spreadsheets.

use super::document::{Body, Document, Entry, Table};
use super::json::{estimate_json, free_word, throughput_word};
use super::present::Present;
use super::render::csv;
use super::render::text::clean;
use crate::money::{Money, MoneyError, Rate};
use crate::outcome::{BillSection, Outcome, RangeSwing, Uncertainty};
use crate::pricing::{Bill, Bound, LineItem, PublishedRate, Unknown};
use crate::units::{GB, group_thousands};
use crate::unread::Unread;
use crate::usage::{Subject, UsageType};

/// The header of the lines, and which of its columns are numbers.
pub(super) const LINE_HEADER: [&str; 7] = [
    "What",
    "Usage type",
    "Quantity",
    "Unit",
    "Rate",
    "Amount",
    "Share",
];
const LINE_NUMBERS: [usize; 4] = [2, 4, 5, 6];

/// Lines of a bill. A narrow terminal shows their amounts, and the rest below.
pub(super) fn line_table(header: &[&'static str], rows: Vec<Vec<String>>) -> Table {
    let numbers = match header.len() {
        7 => LINE_NUMBERS.as_slice(),
        _ => &LINE_NUMBERS[..3],
    };
    Table::new(header, rows, numbers).folding(&[1, 3, 2, 4])
}

impl Present for Outcome {
    fn document(&self) -> Result<Document, MoneyError> {
        let total = self.total()?;
        let mut document = Document::new(headline(self)?).note(conventions(self));
        bill_parts(&mut document, self, "")?;
        once_parts(&mut document, &self.once, &self.region)?;
        let direction_numbers = &[2, 3, 4];
        let demand = demand_rows(self);
        document.table(
            "Demand, units a second",
            &DEMAND_HEADER,
            demand,
            direction_numbers,
        );
        let calculators = calculator_rows(self, total);
        let title = "Compared with simple calculators";
        document.table(title, &CALCULATOR_HEADER, calculators, &[1, 2, 3]);
        uncertainty_part(&mut document, self);
        document.lists(&self.warnings, &self.assumptions, &switches(self));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        estimate_json(self)
    }

    fn csv(&self) -> String {
        estimate_csv(std::slice::from_ref(self))
    }
}

/// The tables of a bill with their lines, and what is unknown.
pub(super) fn bill_parts(
    document: &mut Document,
    outcome: &Outcome,
    period: &str,
) -> Result<(), MoneyError> {
    let total = outcome.total()?;
    for section in outcome.sections() {
        let own = |one: &&Unknown| one.subject.table_name() == section.name;
        let bound = bound_word(Bound::of_total(outcome.bill.unknown.iter().filter(own)));
        let subtotal = format!("{bound}{}{period}", section.total()?.human());
        let rows = line_rows(&outcome.region, &section, total);
        let body = Body::Table(line_table(&LINE_HEADER, rows));
        document.any_part(section.name, Some(subtotal), body);
    }
    let title = "Unknown (not included in any total)";
    let unknown = outcome.bill.unknown.iter();
    let (included, missing): (Vec<_>, Vec<_>) = unknown.partition(|one| one.is_in_the_bill());
    document.warning(title, unknown_body(&missing));
    let title = "Perhaps not created (included in the totals)";
    document.warning(title, unknown_body(&included));
    Ok(())
}

/// What is unknown, as entries, or as a table.
fn unknown_body(unknown: &[&Unknown]) -> Body {
    let unknown: Vec<[String; 4]> = unknown.iter().map(|one| unknown_row(one)).collect();
    let entry = |[place, what, rate, why]: &[String; 4]| Entry {
        mark: "- ".to_string(),
        head: format!("{place}: {what}, {rate}"),
        details: vec![why.clone()],
    };
    let entries = unknown.iter().map(entry).collect();
    let rows = unknown.iter().map(|row| row.to_vec()).collect();
    let table = Body::Table(Table::new(&UNKNOWN_HEADER, rows, &[2]));
    Body::Entries(entries, Box::new(table))
}

/// What is paid once, apart from the month.
pub(super) fn once_parts(
    document: &mut Document,
    once: &Bill,
    home: &str,
) -> Result<(), MoneyError> {
    let total = once.total()?;
    if !once.lines.is_empty() {
        let row = |line: &LineItem| {
            let [what, rest @ .., _] = line_row_of(line, home, total);
            let named = format!("{}: {what}", line.subject.table_name());
            std::iter::once(named).chain(rest).collect()
        };
        let rows = once.lines.iter().map(row).collect();
        let body = Body::Table(line_table(&LINE_HEADER[..6], rows));
        document.any_part(ONCE_TITLE, Some(total.human()), body);
    }
    let title = "Unknown of what is paid once (not included in any total)";
    document.warning(
        title,
        unknown_body(&once.unknown.iter().collect::<Vec<_>>()),
    );
    Ok(())
}

/// The title of what is paid once.
pub(super) const ONCE_TITLE: &str = "Paid once, not added to the month";

/// The interval of a design with ranges.
pub(super) fn uncertainty_part(document: &mut Document, outcome: &Outcome) {
    if let Some(uncertainty) = &outcome.uncertainty {
        let rows = range_rows(uncertainty);
        document.table(interval(uncertainty), &RANGE_HEADER, rows, &[0, 2, 3]);
    }
}

/// The columns of an estimate as CSV.
pub(super) const ESTIMATE_COLUMNS: [&str; 23] = [
    "workload",
    "table",
    "index",
    "region",
    "access",
    "service",
    "usage_type",
    "bill_usage_type",
    "quantity",
    "unit",
    "rate_usd",
    "amount_usd",
    "because",
    "unknown",
    "code",
    "effective_from",
    "source",
    "confidence",
    "prices",
    "month_hours",
    "gb_bytes",
    "switches",
    "period",
];

/// The period of a line: the month, or once.
pub(super) const MONTHLY: &str = "month";
pub(super) const ONCE: &str = "once";

/// The lines of estimates as CSV, exact; an unknown cost has a row without an amount.
pub(super) fn estimate_csv(outcomes: &[Outcome]) -> String {
    csv::write(&ESTIMATE_COLUMNS, &estimate_rows(outcomes))
}

pub(super) fn estimate_rows(outcomes: &[Outcome]) -> Vec<Vec<String>> {
    let rows = outcomes.iter().flat_map(|outcome| {
        let bills = [(&outcome.bill, MONTHLY), (&outcome.once, ONCE)];
        bills.into_iter().flat_map(move |(bill, period)| {
            let lines = bill.lines.iter().map(|line| line_row(outcome, line));
            let unknown = bill.unknown.iter();
            let unknown = unknown.map(|unknown| unknown_csv_row(outcome, unknown));
            let rows = lines.chain(unknown);
            rows.map(move |mut row| {
                row.push(period.to_string());
                row
            })
        })
    });
    rows.collect()
}

pub(super) fn line_row(outcome: &Outcome, line: &LineItem) -> Vec<String> {
    let because: Vec<String> = line.because.iter().map(ToString::to_string).collect();
    let rest = [
        line.usage_type.service().to_string(),
        line.usage_type.name(),
        line.bill_usage_type.clone().unwrap_or_default(),
        line.quantity.to_string(),
        line.usage_type.unit().to_string(),
        line.published.rate.to_string(),
        line.amount.to_string(),
        because.join("; "),
        String::new(),
    ];
    row(outcome, &line.subject, rest, Some(&line.published))
}

fn unknown_csv_row(outcome: &Outcome, unknown: &Unknown) -> Vec<String> {
    let mut rest: [String; 9] = Default::default();
    rest[5] = unknown
        .rate
        .as_ref()
        .map(|rate| rate.rate.to_string())
        .unwrap_or_default();
    rest[7].clone_from(&unknown.why);
    rest[8].clone_from(&unknown.what);
    row(outcome, &unknown.subject, rest, unknown.rate.as_ref())
}

/// A row: what it is about, its own cells, where its rate comes from, and how the estimate was made.
fn row(
    outcome: &Outcome,
    subject: &Subject,
    own: [String; 9],
    published: Option<&PublishedRate>,
) -> Vec<String> {
    let Subject {
        table,
        index,
        region,
        access,
    } = subject.clone();
    let about = [
        outcome.workload.clone(),
        table.unwrap_or_default(),
        index.unwrap_or_default(),
        region,
        access.unwrap_or_default(),
    ];
    let published = published.map_or_else(Default::default, |rate| {
        [
            rate.code.clone(),
            rate.effective_from.to_string(),
            rate.source.clone(),
            rate.confidence.clone(),
        ]
    });
    let switches = outcome.switches.iter();
    let switches: Vec<String> = switches
        .map(|switch| format!("{}={}", switch.name, switch.value))
        .collect();
    let made = [
        outcome.prices.to_string(),
        plain(&outcome.month),
        GB.to_string(),
        switches.join("; "),
    ];
    about
        .into_iter()
        .chain(own)
        .chain(published)
        .chain(made)
        .collect()
}

fn plain(month: &crate::time::MonthHours) -> String {
    month.hours().human(9).replace(',', "")
}

/// The name and the monthly total of the design, and whether the total is complete.
pub(super) fn headline(outcome: &Outcome) -> Result<String, MoneyError> {
    Ok(format!(
        "{}: {}",
        clean(&outcome.workload),
        a_month(outcome.total()?, outcome.bill.bound())
    ))
}

/// A month's total in a headline, with what is known of it.
pub(super) fn a_month(known: Money, bound: Bound) -> String {
    let known = known.human();
    match bound {
        Bound::Exact => format!("{known} a month"),
        Bound::AtLeast => format!("unknown; at least {known} a month"),
        Bound::AtMost => format!("at most {known} a month, if everything with a condition exists"),
        Bound::Unknown => format!("unknown; known part {known} a month"),
    }
}

/// What is known of an amount, before it.
pub(super) fn bound_word(bound: Bound) -> &'static str {
    match bound {
        Bound::Exact => "",
        Bound::AtLeast => "at least ",
        Bound::AtMost => "at most ",
        Bound::Unknown => "known part ",
    }
}

/// The same before an amount that stands alone.
pub(super) fn bound_mark(bound: Bound) -> &'static str {
    match bound {
        Bound::Exact => "",
        Bound::AtLeast => "≥ ",
        Bound::AtMost => "≤ ",
        Bound::Unknown => "known part ",
    }
}

/// The same as a sign, for a table.
pub(super) fn bound_sign(bound: Bound) -> &'static str {
    match bound {
        Bound::Exact => "",
        Bound::AtLeast => ">= ",
        Bound::AtMost => "<= ",
        Bound::Unknown => "? ",
    }
}

/// Region, date, month, gigabyte and free tier in a sentence.
pub(super) fn conventions(outcome: &Outcome) -> String {
    let free = match outcome.free.len() {
        0 => "no free tier".to_string(),
        _ => format!(
            "free tier: {}",
            outcome
                .free
                .iter()
                .map(|free| free_word(*free))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    let prices = match outcome.newest_prices {
        Some(newest) if newest < outcome.prices => {
            format!("{newest} (the newest known; requested: {})", outcome.prices)
        }
        _ => outcome.prices.to_string(),
    };
    format!(
        "{}, prices of {prices}, a month of {} hours, 1 GB = 2^30 bytes, {free}",
        outcome.region, outcome.month
    )
}

/// What a line is for, in a few words: its access pattern, or else the purpose of its usage type; a
/// transfer also names its destination, and usage under a savings plan says so.
pub(super) fn what_of(line: &LineItem, home: &str) -> String {
    what_is(&line.subject, &line.usage_type, home)
}

/// The same of a subject and its usage type.
pub(super) fn what_is(subject: &Subject, usage_type: &UsageType, home: &str) -> String {
    let what = what(subject, usage_type.purpose(), home);
    match (usage_type.destination(), usage_type) {
        (Some(region), _) => format!("{what} to {region}"),
        (None, UsageType::Planned(_)) => format!("{what}, savings plan"),
        (None, _) => what,
    }
}

/// The usage type, with "S3" before it if Amazon S3 bills it, since names repeat among services.
pub(super) fn usage_name(line: &LineItem) -> String {
    usage_name_of(&line.usage_type)
}

/// The same of a usage type.
pub(super) fn usage_name_of(usage_type: &UsageType) -> String {
    match usage_type.service() {
        "AmazonS3" => format!("S3 {}", usage_type.name()),
        _ => usage_type.name(),
    }
}

/// What a subject is, in a few words: its access pattern, or else `purpose`.
pub(super) fn what(subject: &Subject, purpose: &str, home: &str) -> String {
    let mut text = subject
        .access
        .clone()
        .unwrap_or_else(|| purpose.to_string());
    if let Some(index) = &subject.index {
        text += &format!(" / {index}");
    }
    if subject.region != home {
        text += &format!(", {}", subject.region);
    }
    text
}

pub(super) fn line_rows(home: &str, section: &BillSection, total: Money) -> Vec<Vec<String>> {
    let lines = section.lines.iter();
    lines
        .map(|line| line_row_of(line, home, total).to_vec())
        .collect()
}

/// A line for people.
fn line_row_of(line: &LineItem, home: &str, total: Money) -> [String; 7] {
    [
        what_of(line, home),
        usage_name(line),
        group_thousands(&line.quantity.to_string()),
        line.usage_type.unit().to_string(),
        rate_text(line.published.rate, &line.usage_type),
        line.amount.human(),
        share_of(line.amount, total),
    ]
}

/// A rate as AWS's pricing page states it: per million of what is counted, else per unit.
pub(super) fn rate_text(rate: Rate, usage_type: &UsageType) -> String {
    let million = rate.per_million();
    match million.filter(|_| usage_type.is_priced_by_the_million()) {
        Some(million) => format!("${million}/million"),
        None => format!("${rate}"),
    }
}

/// A share of a total in percent; empty if the total is nothing.
pub(super) fn share_of(part: Money, total: Money) -> String {
    let percent = part.percent_of(total);
    percent.map_or_else(String::new, |percent| format!("{percent:.1} %"))
}

const UNKNOWN_HEADER: [&str; 4] = ["Where", "What", "Rate", "Why"];

pub(super) fn unknown_row(unknown: &Unknown) -> [String; 4] {
    let Subject {
        table: _,
        index,
        region,
        access,
    } = &unknown.subject;
    let table = match (&unknown.subject.table, &unknown.unread) {
        (None, Some(_)) => "whole design",
        _ => unknown.subject.table_name(),
    };
    let place = [
        Some(table),
        index.as_deref(),
        access.as_deref(),
        Some(region),
    ]
    .into_iter()
    .flatten()
    .map(str::to_string)
    .collect::<Vec<_>>()
    .join(" / ");
    let rate = unknown.rate.as_ref().map_or_else(
        || "rate unknown".to_string(),
        |rate| format!("${} a unit", rate.rate),
    );
    let why = match &unknown.unread {
        None => unknown.why.clone(),
        Some(Unread { kind, place, .. }) => format!(
            "{} ({}, {}:{})",
            unknown.why,
            kind.word(),
            place.file,
            place.line
        ),
    };
    [place, unknown.what.clone(), rate, why]
}

const DEMAND_HEADER: [&str; 5] = [
    "Table / index",
    "Direction",
    "Mean",
    "Busiest hour",
    "Provisioned",
];

fn demand_rows(outcome: &Outcome) -> Vec<Vec<String>> {
    let row = |demand: &crate::capacity::Demand| {
        let place = match &demand.index {
            Some(index) => format!("{} / {index}", demand.table),
            None => demand.table.clone(),
        };
        let place = if demand.region == outcome.region {
            place
        } else {
            format!("{place}, {}", demand.region)
        };
        let at_least = |units: String| {
            if demand.partly_unknown {
                format!(">= {units}")
            } else {
                units
            }
        };
        vec![
            place,
            throughput_word(demand.throughput).to_string(),
            at_least(demand.mean.human(2)),
            at_least(demand.peak.human(2)),
            demand
                .provisioned
                .as_ref()
                .map_or_else(|| "-".to_string(), provisioned),
        ]
    };
    let busy = outcome.demand.iter().filter(|demand| {
        !demand.mean.is_zero() || demand.provisioned.is_some() || demand.partly_unknown
    });
    busy.map(row).collect()
}

/// The fixed units, or the minimum and the maximum.
fn provisioned(units: &crate::capacity::ProvisionedUnits) -> String {
    let grouped = |units: u64| group_thousands(&units.to_string());
    match units.fixed() {
        Some(units) => grouped(units),
        None => format!("{} to {}", grouped(units.low), grouped(units.high)),
    }
}

pub(super) const RANGE_HEADER: [&str; 4] =
    ["Line", "Range", "Total at low end", "Total at high end"];

/// The interval in a sentence.
pub(super) fn interval(uncertainty: &Uncertainty) -> String {
    let Uncertainty {
        draws,
        seed,
        low,
        middle,
        high,
        ..
    } = uncertainty;
    format!(
        "With the ranges: {} to {} in 90 % of the draws, median {} ({draws} draws, seed {seed})",
        low.human(),
        high.human(),
        middle.human()
    )
}

pub(super) fn range_rows(uncertainty: &Uncertainty) -> Vec<Vec<String>> {
    let row = |swing: &RangeSwing| {
        vec![
            swing.line.to_string(),
            swing.text.clone(),
            swing.low.human(),
            swing.high.human(),
        ]
    };
    uncertainty.ranges.iter().map(row).collect()
}

const CALCULATOR_HEADER: [&str; 4] = ["Figure", "Simple calculator", "Exact", "Ratio"];

fn calculator_rows(outcome: &Outcome, total: Money) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    if let Some(mean) = outcome.calculators.at_mean_size {
        let times = total
            .times(mean)
            .map_or_else(|| "-".to_string(), |times| format!("{times}"));
        rows.push(vec![
            "the monthly total, with every item at its mean size".to_string(),
            mean.human(),
            total.human(),
            times,
        ]);
    }
    for plain in &outcome.calculators.plain_calls {
        let direction = throughput_word(plain.throughput);
        let what = format!(
            "{direction} units of {}, each call counted as one plain operation at the mean size",
            plain.table
        );
        let times = if plain.plain.is_zero() {
            "-".to_string()
        } else {
            (&plain.exact / &plain.plain).human(2)
        };
        rows.push(vec![
            what,
            plain.plain.human(0),
            plain.exact.human(0),
            times,
        ]);
    }
    rows
}

pub(super) fn switches(outcome: &Outcome) -> Vec<String> {
    let describe = |switch: &crate::meter::Switch| {
        let default = if switch.default {
            "the default"
        } else {
            "set by the workload"
        };
        let others: Vec<&str> = switch.others().collect();
        format!(
            "{} = \"{}\", {default} (rule {}); can also be \"{}\"",
            switch.name,
            switch.value,
            switch.rule,
            others.join("\", \"")
        )
    };
    outcome.switches.iter().map(describe).collect()
}
