//! A forecast as text, Markdown, JSON and CSV.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Body, Document};
use super::estimate::{a_month, bound_sign, bound_word, conventions};
use super::json::{decimal, pretty};
use super::present::Present;
use super::render::csv;
use super::render::text::clean;
use crate::forecast::{Forecast, ForecastMonth};
use crate::money::{Money, MoneyError};
use crate::units::count_of;

/// The columns of the months.
const HEADER: [&str; 9] = [
    "Month",
    "From",
    "Items",
    "GB",
    "Throughput",
    "Storage",
    "Other",
    "Total",
    "Once",
];
const NUMBERS: [usize; 8] = [0, 2, 3, 4, 5, 6, 7, 8];

/// The longest bar of the chart, in characters.
const BAR: u64 = 40;

/// The columns as CSV.
const COLUMNS: [&str; 11] = [
    "workload",
    "month",
    "from",
    "items",
    "stored_gb_months",
    "throughput_usd",
    "storage_usd",
    "other_usd",
    "total_usd",
    "once_usd",
    "unknown",
];

impl Present for Forecast {
    fn document(&self) -> Result<Document, MoneyError> {
        let mut document = Document::new(headline(self)?).note(conventions(&self.first));
        let rows = self.months.iter().map(row).collect();
        document.table("Month by month", &HEADER, rows, &NUMBERS);
        document.part("Total of each month", Body::Lines(chart(self)));
        if self.is_partly_unknown() {
            let unknown = self.first.bill.unknown.iter();
            let words = unknown.map(|one| format!("{}: {}", one.subject.table_name(), one.what));
            let title = "Unknown in month 1 (not included in any total)";
            document.warning(title, Body::List(words.collect()));
        }
        document.lists(&self.warnings, &self.assumptions, &[]);
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(pretty(&ForecastJson {
            schema: "dynameter.forecast/1",
            workload: &self.first.workload,
            region: &self.first.region,
            month_hours: decimal(self.first.month.hours()),
            total_usd: self.total()?.to_string(),
            once_usd: self.once()?.to_string(),
            months: self.months.iter().map(month_json).collect(),
            assumptions: &self.assumptions,
            warnings: &self.warnings,
        }))
    }

    fn csv(&self) -> String {
        let rows: Vec<Vec<String>> = self
            .months
            .iter()
            .map(|month| {
                vec![
                    self.first.workload.clone(),
                    month.number.to_string(),
                    month.from.to_string(),
                    decimal(&month.items),
                    decimal(&month.stored_gb),
                    month.throughput.to_string(),
                    month.storage.to_string(),
                    month.other.to_string(),
                    month.total.to_string(),
                    month.once.to_string(),
                    month.unknown.to_string(),
                ]
            })
            .collect();
        csv::write(&COLUMNS, &rows)
    }
}

/// The first and the last month, and the sum of all.
fn headline(forecast: &Forecast) -> Result<String, MoneyError> {
    let name = clean(&forecast.first.workload);
    let (Some(first), Some(last)) = (forecast.months.first(), forecast.months.last()) else {
        return Ok(name);
    };
    let bound = bound_word(forecast.bound());
    let all = count_of(forecast.months.len() as u64, "month");
    let once = forecast.once()?;
    let once = match once == Money::ZERO {
        true => String::new(),
        false => format!(", and {} once", once.human()),
    };
    let total = forecast.total()?.human();
    let at_first = a_month(first.total, first.bound);
    if forecast.months.len() == 1 {
        return Ok(format!("{name}: {at_first} in month 1{once}"));
    }
    let last_bound = bound_word(last.bound);
    Ok(format!(
        "{name}: {at_first} at first, {last_bound}{} in month {}; {bound}{total} in {all}{once}",
        last.total.human(),
        last.number,
    ))
}

fn row(month: &ForecastMonth) -> Vec<String> {
    let total = format!("{}{}", bound_sign(month.bound), month.total.human());
    let once = match month.once == Money::ZERO {
        true => "-".to_string(),
        false => month.once.human(),
    };
    vec![
        month.number.to_string(),
        month.from.to_string(),
        month.items.human(0),
        month.stored_gb.human(2),
        month.throughput.human(),
        month.storage.human(),
        month.other.human(),
        total,
        once,
    ]
}

/// A bar for the total of each month.
fn chart(forecast: &Forecast) -> Vec<String> {
    let most = forecast.months.iter().map(|month| month.total).max();
    let most = most.unwrap_or(Money::ZERO);
    let bar = |month: &ForecastMonth| {
        let share = month.total.percent_of(most).unwrap_or_default();
        let length = (share * rust_decimal::Decimal::from(BAR)
            / rust_decimal::Decimal::ONE_HUNDRED)
            .round()
            .try_into()
            .unwrap_or(0_usize);
        format!(
            "{:>3}  {:<width$}  {}",
            month.number,
            "█".repeat(length),
            month.total.human(),
            width = BAR as usize
        )
    };
    forecast.months.iter().map(bar).collect()
}

#[derive(JsonSchema, Serialize)]
pub(super) struct ForecastJson<'a> {
    schema: &'static str,
    workload: &'a str,
    region: &'a str,
    month_hours: String,
    total_usd: String,
    /// What is paid once in all months, apart from the total.
    once_usd: String,
    months: Vec<MonthJson>,
    assumptions: &'a [String],
    warnings: &'a [String],
}

#[derive(JsonSchema, Serialize)]
struct MonthJson {
    month: u64,
    from: String,
    items: String,
    stored_gb_months: String,
    throughput_usd: String,
    storage_usd: String,
    other_usd: String,
    total_usd: String,
    once_usd: String,
    unknown: usize,
}

fn month_json(month: &ForecastMonth) -> MonthJson {
    MonthJson {
        month: month.number,
        from: month.from.to_string(),
        items: decimal(&month.items),
        stored_gb_months: decimal(&month.stored_gb),
        throughput_usd: month.throughput.to_string(),
        storage_usd: month.storage.to_string(),
        other_usd: month.other.to_string(),
        total_usd: month.total.to_string(),
        once_usd: month.once.to_string(),
        unknown: month.unknown,
    }
}
