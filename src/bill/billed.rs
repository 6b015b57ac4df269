//! What was read of bills: lines with their amounts by hour or day.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::amounts::Amounts;
use super::charge::ChargeType;
use super::kind::BilledKind;
use super::values::Month;

/// What a charge belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// The table; `None` if the bill does not name one.
    pub table: Option<String>,
    /// The index, if the bill names it.
    pub index: Option<String>,
    /// Anything else that the bill names, such as a DAX cluster.
    pub other: Option<String>,
}

impl Resource {
    /// Of a resource ID: `table/T`, `table/T/index/I` and `table/T/backup/B` belong to table T.
    ///
    /// Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
    /// DynamoDB". Assumption: an index may stand in a resource ID; no real row is public.
    pub(super) fn of(id: &str) -> Resource {
        let some = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
        if let Some((_, rest)) = id.split_once(":table/") {
            let mut parts = rest.split('/');
            let table = parts.next().and_then(some);
            let index = match (parts.next(), parts.next()) {
                (Some("index"), Some(index)) => some(index),
                _ => None,
            };
            return Resource {
                table,
                index,
                other: None,
            };
        }
        // The last part of an ARN names the resource.
        let rest = match id.starts_with("arn:") {
            true => id.splitn(6, ':').nth(5).unwrap_or(id),
            false => id,
        };
        let other = rest.strip_prefix("cache/").unwrap_or(rest);
        Resource {
            other: some(other),
            ..Resource::default()
        }
    }

    /// Its name in output; `None` if the bill names nothing.
    pub fn name(&self) -> Option<&str> {
        self.table.as_deref().or(self.other.as_deref())
    }
}

/// Charges of a bill that differ only in their time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineHead {
    /// The month of the bill.
    pub month: Month,
    /// The account that caused the charge; empty if the bill names none.
    pub account: String,
    /// The product code of the service, such as `AmazonDynamoDB`.
    pub service: String,
    /// The region; `None` for charges without one.
    pub region: Option<String>,
    /// What it belongs to.
    pub resource: Resource,
    /// What it is for.
    pub kind: BilledKind,
    /// The usage type as the bill has it, with the prefix of its region.
    pub usage_type: String,
    /// What sort of charge it is.
    pub charge: ChargeType,
    /// The price of a unit that was billed; `None` if the bill does not say.
    pub rate: Option<Decimal>,
    /// The list price of a unit; `None` if the bill does not say.
    pub list_rate: Option<Decimal>,
}

/// When charges are made, in seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The beginning of the first.
    pub from: i64,
    /// The end of the last.
    pub to: i64,
    /// The seconds of the longest interval of a row: 3,600 in an hourly report.
    pub interval_seconds: u64,
}

impl Times {
    /// Of one row.
    pub(super) fn of(from: i64, seconds: u64) -> Times {
        Times {
            from,
            to: from.saturating_add_unsigned(seconds),
            interval_seconds: seconds,
        }
    }

    /// From the first beginning to the last end of several, in seconds since 1970; `None` of none.
    pub(crate) fn span(all: impl IntoIterator<Item = Times>) -> Option<(i64, i64)> {
        let whole = all.into_iter().reduce(Times::and)?;
        Some((whole.from, whole.to))
    }

    /// Whether its rows are of single hours or days: those of a month do not say when in it.
    pub(crate) fn has_days(self) -> bool {
        self.interval_seconds <= 24 * 3_600
    }

    /// Whether its rows are of single hours.
    pub(crate) fn has_hours(self) -> bool {
        self.interval_seconds <= 3_600
    }

    /// Of these rows and others.
    pub(crate) fn and(self, other: Times) -> Times {
        Times {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            interval_seconds: self.interval_seconds.max(other.interval_seconds),
        }
    }
}

/// Charges of a bill that differ only in their time, with their amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BilledLine {
    /// What they have in common.
    pub head: LineHead,
    /// When its charges are made.
    pub times: Times,
    /// The amounts by the first second of their hour or day, since 1970 in UTC.
    pub amounts: BTreeMap<i64, Amounts>,
}

impl std::ops::Deref for BilledLine {
    type Target = LineHead;

    fn deref(&self) -> &LineHead {
        &self.head
    }
}

impl BilledLine {
    /// The sum of its amounts; `None` if it needs more than 28 digits.
    pub fn total(&self) -> Option<Amounts> {
        Amounts::sum(self.amounts.values())
    }
}

/// How many rows were read, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// All rows of the files.
    pub read: u64,
    /// Rows that are in the lines.
    pub kept: u64,
    /// Rows of other services.
    pub other_services: u64,
    /// Rows that were read before.
    pub duplicates: u64,
    /// Rows that repeat the amounts of others, such as the totals of a detailed billing report.
    pub totals: u64,
    /// Rows of other months or accounts than those that were asked for.
    pub not_asked: u64,
}

impl RowCounts {
    pub(super) fn add(&mut self, other: &RowCounts) {
        self.read += other.read;
        self.kept += other.kept;
        self.other_services += other.other_services;
        self.duplicates += other.duplicates;
        self.totals += other.totals;
        self.not_asked += other.not_asked;
    }
}

/// What AWS billed for DynamoDB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsBill {
    /// The files, as they were read.
    pub files: Vec<String>,
    /// The formats of the files.
    pub formats: Vec<&'static str>,
    /// What became of the rows.
    pub rows: RowCounts,
    /// The charges, in order.
    pub lines: Vec<BilledLine>,
    /// What a reader should know: what was left out, and what is odd.
    pub notes: Vec<String>,
}

impl AwsBill {
    /// The months that it has, in order.
    pub fn months(&self) -> Vec<Month> {
        let mut months: Vec<Month> = self.lines.iter().map(|line| line.month).collect();
        months.sort();
        months.dedup();
        months
    }

    /// The first moment with usage and the end of the last, in seconds since 1970. Rows of a whole
    /// month, such as those of CloudWatch, do not say how far the bill goes, unless it has no others.
    /// `None` without usage.
    pub fn span(&self) -> Option<(i64, i64)> {
        let usage = || self.lines.iter().filter(|line| line.charge.is_usage());
        let times = || usage().map(|line| line.times);
        Times::span(times().filter(|times| times.has_days())).or_else(|| Times::span(times()))
    }

    /// The part of its month that the bill covers, in seconds since 1970; the whole month if it
    /// does not say.
    pub fn span_in(&self, month: Month) -> (i64, i64) {
        let (first, end) = (month.first_second(), month.end_second());
        self.span()
            .map_or((first, end), |(from, to)| (from.max(first), to.min(end)))
    }

    /// The sum of all amounts; `None` if it needs more than 28 digits.
    pub fn total(&self) -> Option<Amounts> {
        Amounts::sum(self.lines.iter().flat_map(|line| line.amounts.values()))
    }
}

#[cfg(test)]
mod tests {
    use super::Resource;

    #[test]
    fn the_segment_after_table_is_the_table() {
        let arn = |rest: &str| format!("arn:aws:dynamodb:us-east-1:111122223333:{rest}");
        for (id, table, index, other) in [
            (arn("table/Orders"), Some("Orders"), None, None),
            (
                arn("table/Orders/index/ByStatus"),
                Some("Orders"),
                Some("ByStatus"),
                None,
            ),
            (
                arn("table/Orders/backup/0170-1"),
                Some("Orders"),
                None,
                None,
            ),
            (
                "arn:aws:dax:us-east-1:111122223333:cache/orders-a".to_string(),
                None,
                None,
                Some("orders-a"),
            ),
            (String::new(), None, None, None),
        ] {
            let read = Resource::of(&id);
            let parts = (
                read.table.as_deref(),
                read.index.as_deref(),
                read.other.as_deref(),
            );
            assert_eq!(parts, (table, index, other), "{id}");
        }
    }
}
