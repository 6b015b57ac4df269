//! The list prices of a bill: its own, and those of the books where it has none.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::bill::{AwsBill, Month};
use crate::pricing::Books;
use crate::units::Exact;
use crate::usage::UsageType;

/// The list prices of a bill.
pub(super) struct ListPrices<'a> {
    books: &'a Books,
    /// The month whose books count.
    month: Option<Month>,
    /// The highest price of each kind of a region on the bill: what is not free.
    highest: BTreeMap<(Option<&'a str>, &'a UsageType), Decimal>,
}

impl<'a> ListPrices<'a> {
    pub fn of(bill: &'a AwsBill, books: &'a Books) -> ListPrices<'a> {
        let mut highest: BTreeMap<(Option<&str>, &UsageType), Decimal> = BTreeMap::new();
        for line in bill.lines.iter().filter(|line| line.charge.is_usage()) {
            let rate = line.list_rate.or(line.rate);
            let rate = rate.filter(|rate| *rate > Decimal::ZERO);
            if let Some((usage, rate)) = line.kind.usage().zip(rate) {
                let kind = (line.region.as_deref(), usage);
                let known = highest.entry(kind).or_insert(rate);
                *known = (*known).max(rate);
            }
        }
        ListPrices {
            books,
            month: bill.months().last().copied(),
            highest,
        }
    }

    /// The price of a unit beyond the free tier; `None` if neither the bill nor the books have it.
    pub fn beyond_free(&self, region: Option<&str>, usage: &UsageType) -> Option<Decimal> {
        let own = self.highest.get(&(region, usage)).copied();
        own.or_else(|| {
            let date = self.month.map(Month::first_day);
            let book = self.books.book(region?, date).ok()?;
            Some(book.list_price(usage)?.rate.decimal())
        })
    }

    /// What is free of a kind in a month; `None` if no book has the region. A free tier has not
    /// changed: the newest book counts for months before the first.
    pub fn free_quantity(
        &self,
        region: Option<&str>,
        usage: &UsageType,
        month: Month,
    ) -> Option<Exact> {
        let region = region?;
        let book = self.books.book(region, Some(month.first_day()));
        let book = book.or_else(|_| self.books.book(region, None)).ok()?;
        Some(book.free_quantity(usage))
    }
}
