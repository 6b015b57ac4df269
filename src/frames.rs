//! Results as polars data frames, for further analysis.
//!
//! Quantities, rates and amounts are strings with all digits, as in JSON and CSV, because a float
//! would round them. Cast them where a float is precise enough.

use polars::prelude::{Column, DataFrame, PolarsResult};

use crate::compare::Comparison;
use crate::outcome::Outcome;
use crate::pricing::LineItem;

/// A frame of columns of equal length.
fn frame(columns: Vec<Column>) -> PolarsResult<DataFrame> {
    let height = columns.first().map_or(0, Column::len);
    DataFrame::new(height, columns)
}

fn texts<T>(name: &str, rows: &[T], text: impl Fn(&T) -> String) -> Column {
    Column::new(name.into(), rows.iter().map(text).collect::<Vec<_>>())
}

fn optional<T>(name: &str, rows: &[T], text: impl Fn(&T) -> Option<String>) -> Column {
    Column::new(name.into(), rows.iter().map(text).collect::<Vec<_>>())
}

/// The lines of a bill, one row each, in their order. An unknown cost has a row whose rate and
/// amount are null.
///
/// # Errors
/// Any error of polars.
pub fn bill(outcome: &Outcome) -> PolarsResult<DataFrame> {
    let lines: Vec<Option<&LineItem>> = outcome
        .bill
        .lines
        .iter()
        .map(Some)
        .chain(outcome.bill.unknown.iter().map(|_| None))
        .collect();
    let subjects = outcome
        .bill
        .lines
        .iter()
        .map(|line| &line.subject)
        .chain(outcome.bill.unknown.iter().map(|unknown| &unknown.subject));
    let subjects: Vec<_> = subjects.collect();
    let whats: Vec<_> = lines
        .iter()
        .map(|_| None)
        .take(outcome.bill.lines.len())
        .chain(outcome.bill.unknown.iter().map(Some))
        .collect();
    let of =
        |line: &Option<&LineItem>, text: &dyn Fn(&LineItem) -> Option<String>| line.and_then(text);
    frame(vec![
        texts("table", &subjects, |subject| {
            subject.table_name().to_string()
        }),
        optional("index", &subjects, |subject| subject.index.clone()),
        texts("region", &subjects, |subject| subject.region.clone()),
        optional("access", &subjects, |subject| subject.access.clone()),
        optional("usage_type", &lines, |line| {
            of(line, &|line| Some(line.usage_type.name()))
        }),
        optional("bill_usage_type", &lines, |line| {
            of(line, &|line| line.bill_usage_type.clone())
        }),
        optional("quantity", &lines, |line| {
            of(line, &|line| Some(line.quantity.to_string()))
        }),
        optional("unit", &lines, |line| {
            of(line, &|line| Some(line.usage_type.unit().to_string()))
        }),
        optional("rate_usd", &lines, |line| {
            of(line, &|line| Some(line.published.rate.to_string()))
        }),
        optional("amount_usd", &lines, |line| {
            of(line, &|line| Some(line.amount.to_string()))
        }),
        optional("unknown", &whats, |unknown| {
            unknown.map(|unknown| unknown.what.clone())
        }),
    ])
}

/// The alternatives of a design, one row each, in their order.
///
/// # Errors
/// Any error of polars.
pub fn alternatives(comparison: &Comparison) -> PolarsResult<DataFrame> {
    let all = &comparison.alternatives;
    frame(vec![
        texts("kind", all, |one| one.kind.word().to_string()),
        texts("name", all, |one| one.name.clone()),
        optional("table", all, |one| one.table.clone()),
        optional("index", all, |one| one.index.clone()),
        texts("state", all, |one| one.state.word().to_string()),
        texts("footing", all, |one| one.footing.word().to_string()),
        optional("monthly_usd", all, |one| {
            one.monthly().map(|money| money.to_string())
        }),
        optional("delta_usd", all, |one| {
            one.delta().map(|money| money.to_string())
        }),
        texts("why", all, |one| one.why.clone()),
    ])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::compare::{Question, compare};
    use crate::estimate::estimate;
    use crate::pricing::Books;
    use crate::workload::{Setting, load};

    #[test]
    fn frames_hold_what_the_bill_and_the_comparison_hold() {
        let books = Books::embedded();
        let text = "name = \"x\"\nregion = \"us-east-1\"\n[[table]]\nname = \"Items\"\nitems = \
                    1000\npartition_key = { name = \"id\" }\nitem.size = \"1 \
                    KB\"\n[[table.access]]\nname = \"get\"\noperation = \"GetItem\"\nrate = { \
                    per_second = 1 }\n[[table.access]]\nname = \"put\"\noperation = \
                    \"PutItem\"\nrate = \"unknown\"\n";
        let workload =
            load("x.toml", text, Path::new(""), &Setting::new(&books)).expect("a workload");
        let outcome = estimate(&workload, &books).expect("an estimate");
        let lines = bill(&outcome).expect("a frame");
        assert_eq!(
            lines.height(),
            outcome.bill.lines.len() + outcome.bill.unknown.len()
        );
        assert_eq!(
            lines.column("amount_usd").expect("a column").null_count(),
            outcome.bill.unknown.len()
        );
        assert_eq!(
            lines.column("unknown").expect("a column").null_count(),
            outcome.bill.lines.len()
        );
        let first = lines
            .column("amount_usd")
            .expect("a column")
            .str()
            .expect("texts")
            .get(0)
            .map(str::to_string);
        assert_eq!(first, Some(outcome.bill.lines[0].amount.to_string()));
        let comparison = compare(&workload, &books, &Question::default()).expect("a comparison");
        let all = alternatives(&comparison).expect("a frame");
        assert_eq!(all.height(), comparison.alternatives.len());
        let without = comparison
            .alternatives
            .iter()
            .filter(|one| !one.is_priced())
            .count();
        assert_eq!(
            all.column("monthly_usd").expect("a column").null_count(),
            without
        );
    }
}
