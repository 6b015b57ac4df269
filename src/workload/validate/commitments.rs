//! Commitments of the account, and the reservation of a table.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Checker, class};
use crate::commitments::{Commitment, CommitmentKind};
use crate::diag::Place;
use crate::pricing::{Books, PriceBook};
use crate::table::{ByDirection, Direction, TableClass};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::{ReservedPart, UsageType};
use crate::workload::decode::{FileNumber, Located};
use crate::workload::file::{CommitmentFile, CommitmentWord, TableFile};

/// The error code of commitments.
const CODE: &str = "commitment";

/// The designs that commitments are for.
pub(in crate::workload) struct CommitmentScope<'a> {
    /// The price books.
    pub books: &'a Books,
    /// The date of the prices; `None` if that is wrong in the file.
    pub date: Option<Date>,
    /// The date that was asked for; without one, prices count as current.
    pub asked: Option<Date>,
    /// The regions of the designs; empty if they are not known.
    pub regions: BTreeSet<String>,
    /// The region of a commitment that does not name one.
    pub home: Option<String>,
}

impl Checker<'_> {
    /// The commitments of an account.
    pub(super) fn commitments(
        &mut self,
        files: &[Located<CommitmentFile>],
        scope: &CommitmentScope,
    ) {
        for file in files {
            let kind = match file.kind.value {
                CommitmentWord::Reserved => self.reserved_kind(file, scope),
                CommitmentWord::SavingsPlan => self.plan_kind(file, scope),
                CommitmentWord::Discount => self.discount_kind(file, scope),
            };
            let term = self.term(file, kind.as_ref(), scope);
            let place = self.place(&file.kind.span);
            if let (Some(kind), false) = (kind, file.kind.is_placeholder()) {
                self.commitments.push(Commitment::new(kind, term, place));
            }
        }
        self.discounts_add_up(files);
    }

    /// Discounts of the same time and region add up; together they are at most 100 percent.
    fn discounts_add_up(&mut self, files: &[Located<CommitmentFile>]) {
        let is_discount = |file: &&Located<CommitmentFile>| {
            file.kind.value == CommitmentWord::Discount
                && file
                    .percent
                    .as_ref()
                    .is_some_and(|one| one.0 <= Exact::from(100))
        };
        let regions = files.iter().filter_map(|file| file.region.as_ref());
        let mut regions: Vec<Option<&str>> = regions.map(|one| Some(one.value.as_str())).collect();
        regions.push(None);
        for region in regions {
            let mut sum = Exact::zero();
            for file in files.iter().filter(is_discount) {
                let own = file.region.as_ref().map(|one| one.value.as_str());
                // Those with days may follow each other.
                if (own.is_some() && own != region) || file.from.is_some() || file.until.is_some() {
                    continue;
                }
                sum += &file
                    .percent
                    .as_ref()
                    .map(|one| one.0.clone())
                    .unwrap_or_default();
                if sum > Exact::from(100) {
                    let message =
                        format!("the discounts add up to {sum} percent, more than the whole bill");
                    let help = "several discounts of a region add up; write their sum once";
                    self.report(CODE, &file.kind.span, message, help);
                    return;
                }
            }
        }
    }

    /// Keys that a kind of commitment does not have.
    fn unused_keys(&mut self, file: &CommitmentFile, allowed: &[&str]) {
        let keys = [
            ("read", file.read.as_ref()),
            ("write", file.write.as_ref()),
            ("years", file.years.as_ref()),
            ("usd_per_hour", file.usd_per_hour.as_ref()),
            ("percent", file.percent.as_ref()),
        ];
        let mut spans: Vec<(&str, &Range<usize>)> = keys
            .into_iter()
            .filter_map(|(key, value)| Some((key, &value?.span)))
            .collect();
        spans.extend(file.region.as_ref().map(|region| ("region", &region.span)));
        for (key, span) in spans {
            if !allowed.contains(&key) {
                let kind = file.kind.value.word();
                self.report(
                    CODE,
                    span,
                    format!("a commitment of the kind {kind:?} has no `{key}`"),
                    format!("remove it; this kind has {}", allowed.join(", ")),
                );
            }
        }
    }

    /// The value of a key that a kind of commitment needs.
    fn needed<'n>(
        &mut self,
        file: &'n CommitmentFile,
        key: &str,
        value: Option<&'n Located<FileNumber>>,
        example: &str,
    ) -> Option<&'n Located<FileNumber>> {
        if value.is_none() {
            let kind = file.kind.value.word();
            self.report(
                CODE,
                &file.kind.span,
                format!("a commitment of the kind {kind:?} needs `{key}`"),
                format!("add it, such as {key} = {example}"),
            );
        }
        value
    }

    fn reserved_kind(
        &mut self,
        file: &CommitmentFile,
        scope: &CommitmentScope,
    ) -> Option<CommitmentKind> {
        self.unused_keys(file, &["region", "read", "write", "years"]);
        let region = match (&file.region, &scope.home) {
            (Some(region), _) => region.value.clone(),
            (None, Some(home)) => home.clone(),
            (None, None) => {
                let message = "reserved capacity is bought for one region";
                let help = "add it, such as region = \"us-east-1\"";
                self.report(CODE, &file.kind.span, message, help);
                return None;
            }
        };
        let span = file
            .region
            .as_ref()
            .map_or(&file.kind.span, |one| &one.span);
        let book = self.book_of(&region, span, scope)?;
        let years = self.needed(file, "years", file.years.as_ref(), "1")?;
        let reserved = ReservedCapacity {
            read: file.read.as_ref(),
            write: file.write.as_ref(),
            years,
        };
        let (units, years) = self.reserved_units(&reserved, Some(&book));
        if file.read.is_none() && file.write.is_none() {
            let message = "reserved capacity needs `read` or `write` units";
            let help = "add them, such as write = 200";
            self.report(CODE, &file.kind.span, message, help);
        }
        Some(CommitmentKind::Reserved {
            region,
            units,
            years,
        })
    }

    fn plan_kind(
        &mut self,
        file: &CommitmentFile,
        scope: &CommitmentScope,
    ) -> Option<CommitmentKind> {
        self.unused_keys(file, &["usd_per_hour"]);
        let dollars = self.needed(file, "usd_per_hour", file.usd_per_hour.as_ref(), "1.5")?;
        let plan = scope.home.as_ref().or(scope.regions.first());
        let book = plan.and_then(|region| scope.books.book(region, scope.date).ok());
        let sold = book.as_ref().and_then(PriceBook::savings_plan).cloned();
        let why = match (&book, sold) {
            (Some(book), None) => Some(format!(
                "the price book of {} has no prices of Database Savings Plans",
                book.region()
            )),
            (Some(book), Some(sold)) if !book.sells_savings_plans(scope.asked) => Some(format!(
                "AWS has sold Database Savings Plans since {}, and the prices are of {}",
                sold.sold_from,
                book.date()
            )),
            _ => None,
        };
        if let Some(why) = why {
            self.report(CODE, &file.kind.span, why, "remove it, or use later prices");
        }
        Some(CommitmentKind::SavingsPlan {
            usd_per_hour: dollars.0.clone(),
        })
    }

    fn discount_kind(
        &mut self,
        file: &CommitmentFile,
        scope: &CommitmentScope,
    ) -> Option<CommitmentKind> {
        self.unused_keys(file, &["region", "percent"]);
        if let Some(region) = &file.region {
            self.book_of(&region.value, &region.span, scope)?;
        }
        let percent = self.needed(file, "percent", file.percent.as_ref(), "12")?;
        if percent.0 > Exact::from(100) {
            let message = format!(
                "a discount is at most 100 percent, found {}",
                percent.0.as_written()
            );
            self.report(CODE, &percent.span, message, "write a number from 0 to 100");
        }
        Some(CommitmentKind::Discount {
            region: file.region.as_ref().map(|region| region.value.clone()),
            percent: percent.0.clone(),
        })
    }

    /// The price book of a commitment's region, which must be one of the designs.
    fn book_of(
        &mut self,
        region: &str,
        span: &Range<usize>,
        scope: &CommitmentScope,
    ) -> Option<PriceBook> {
        let book = match scope.books.book(region, scope.date) {
            Ok(book) => book,
            Err(error) => {
                let help = "`dynameter prices list` shows the regions and dates of the books";
                self.report(CODE, span, error.to_string(), help);
                return None;
            }
        };
        if !scope.regions.is_empty() && !scope.regions.contains(region) {
            let regions: Vec<&str> = scope.regions.iter().map(String::as_str).collect();
            let message = format!(
                "the commitment is for {region}, and the tables are in {}",
                regions.join(", ")
            );
            let help = "remove it, correct its region, or estimate the tables of that region in \
                        the same run";
            self.report(CODE, span, message, help);
        }
        Some(book)
    }

    /// The days between which a commitment applies. One without an end ends with its term.
    fn term(
        &mut self,
        file: &CommitmentFile,
        kind: Option<&CommitmentKind>,
        scope: &CommitmentScope,
    ) -> (Option<Date>, Option<Date>) {
        let from = self.day(file.from.as_ref());
        let given = self.day(file.until.as_ref());
        let term = from.and_then(|from| kind?.end_of_term(from));
        let until = given.or(term);
        let span = file
            .until
            .as_ref()
            .or(file.from.as_ref())
            .map_or(&file.kind.span, |day| &day.span);
        if let (Some(from), Some(until)) = (from, until)
            && until <= from
        {
            let message = format!("a commitment that begins on {from} cannot end on {until}");
            self.report(CODE, span, message, "write a later day");
        } else if let (Some(from), Some(term), Some(until)) = (from, term, given)
            && until > term
        {
            let message = format!("the term that begins on {from} ends on {term}, before {until}");
            let help = "remove `until`, or write the next term as another [[commitment]]";
            self.report(CODE, span, message, help);
        } else if let (Some(date), Some(until)) = (scope.date, until)
            && until <= date
        {
            let message = format!("the commitment ended on {until}, and the prices are of {date}");
            let help = "remove it, or use the prices of an earlier day (--prices)";
            self.report(CODE, span, message, help);
        }
        (from, until)
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let source = self.reader.source();
        Place::new(source.name.clone(), source.line(span.start))
    }

    fn day(&mut self, given: Option<&Located<String>>) -> Option<Date> {
        let text = given?;
        let date = Date::parse(text);
        if date.is_none() {
            self.report(
                "bad-date",
                &text.span,
                format!("{:?} is not a date", text.value),
                "write YYYY-MM-DD, such as 2024-11-01",
            );
        }
        date
    }

    /// The reservation of a table: it covers the account's tables in the region, too.
    pub(super) fn reserved(&mut self, table: &Located<TableFile>) {
        let capacity = table.capacity.as_ref();
        let written = capacity
            .filter(|capacity| !capacity.mode.is_placeholder())
            .and_then(|capacity| capacity.reserved.as_ref());
        let Some(written) = written else { return };
        let book = self.book.clone();
        let reserved = ReservedCapacity {
            read: written.read.as_ref(),
            write: written.write.as_ref(),
            years: &written.years,
        };
        let (units, years) = self.reserved_units(&reserved, book.as_ref());
        self.reserved_covers(table, &written.span, units.write);
        let place = self.place(&written.span);
        let kind = CommitmentKind::Reserved {
            region: self.region.clone(),
            units,
            years,
        };
        self.commitments
            .push(Commitment::new(kind, (None, None), place));
    }

    /// Checks that AWS sells the reserved capacity; returns its units and its term.
    fn reserved_units(
        &mut self,
        reserved: &ReservedCapacity,
        book: Option<&PriceBook>,
    ) -> (ByDirection<u64>, u64) {
        let terms = book.and_then(PriceBook::reserved_terms).cloned();
        let block = terms.as_ref().map_or(1, |terms| terms.block_units.max(1));
        let units = ByDirection {
            read: self.whole_blocks(reserved.read, block),
            write: self.whole_blocks(reserved.write, block),
        };
        let years = self.whole("reserved", "the term in years", reserved.years, 1..=100);
        let sold = terms.map(|terms| terms.terms_years).unwrap_or_default();
        let is_sold = sold.contains(&years);
        self.term_is_sold(&reserved.years.span, years, &sold);
        for direction in Direction::BOTH {
            let usage = UsageType::Reserved {
                years,
                direction,
                part: ReservedPart::Hourly,
            };
            if let (true, Some(Err(missing))) = (
                units[direction] > 0 && is_sold,
                book.map(|book| book.tiers(&usage)),
            ) {
                let help = "use a term that AWS sells in the region, or remove the reservation";
                let message = format!(
                    "{} capacity cannot be reserved for this term: {missing}",
                    direction.word()
                );
                self.report("reserved", &reserved.years.span, message, help);
            }
        }
        (units, years)
    }

    fn whole_blocks(&mut self, units: Option<&Located<FileNumber>>, block: u64) -> u64 {
        let Some(units) = units else { return 0 };
        let number = self.whole("reserved", "reserved units", units, 0..=1_000_000_000);
        if !number.is_multiple_of(block) {
            self.report(
                "reserved",
                &units.span,
                format!("reserved capacity is sold in blocks of {block} units, found {number}"),
                format!("write a multiple of {block}"),
            );
        }
        number
    }

    fn term_is_sold(&mut self, span: &Range<usize>, years: u64, sold: &[u64]) {
        if let (Some((last, others)), false) = (sold.split_last(), sold.contains(&years)) {
            let others: Vec<String> = others.iter().map(u64::to_string).collect();
            let words = if others.is_empty() {
                last.to_string()
            } else {
                format!("{} or {last}", others.join(", "))
            };
            let message = format!("reserved capacity has a term of {words} years, found {years}");
            self.report("reserved", span, message, format!("write {words}"));
        }
    }

    /// Refuses what reserved capacity does not cover: the Standard-IA class, replicated writes.
    fn reserved_covers(&mut self, table: &TableFile, span: &Range<usize>, write: u64) {
        if class(table.class) == TableClass::StandardIa {
            self.report(
                "reserved",
                span,
                "reserved capacity covers the Standard class only",
                "remove `reserved`, or use class = \"standard\"",
            );
        }
        let is_global = table
            .replica
            .as_ref()
            .is_some_and(|replicas| !replicas.is_empty());
        if write > 0 && is_global {
            self.report(
                "reserved",
                span,
                "reserved capacity does not cover the replicated writes of a global table",
                "reserve reads only",
            );
        }
    }
}

/// Reserved units as they are written.
struct ReservedCapacity<'a> {
    read: Option<&'a Located<FileNumber>>,
    write: Option<&'a Located<FileNumber>>,
    years: &'a Located<FileNumber>,
}
