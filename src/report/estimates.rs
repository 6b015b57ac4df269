//! The estimates of several designs, and of many tables.

use super::document::{Body, Document};
use super::estimate::{
    ESTIMATE_COLUMNS, LINE_HEADER, MONTHLY, ONCE, a_month, estimate_rows, line_row, line_rows,
    line_table, once_parts,
};
use super::fleet::FleetSummary;
use super::json::{estimate_json, estimates_json};
use super::present::{Present, one_after_another, together};
use super::render::text::Style;
use super::render::{csv, markdown, text};
use crate::estimate::Together;
use crate::fleet::fleet;
use crate::money::{Money, MoneyError};
use crate::outcome::{BillSection, Outcome};
use crate::pricing::Bound;
use crate::usage::ACCOUNT;

/// The estimates of one account: its tables at a glance, then one design after another, and what
/// they leave of its commitments.
pub struct Estimates<'a> {
    /// The estimates.
    pub together: &'a Together,
    /// How many tables are shown, the most expensive first; all if `None`.
    pub top: Option<usize>,
}

impl Estimates<'_> {
    /// The document of a design, with the tables that are shown.
    fn design(&self, outcome: &Outcome, fleet: &FleetSummary) -> Result<Document, MoneyError> {
        let mut document = outcome.document()?;
        let shown = |name: &str| {
            let mut tables = fleet.shown();
            name == ACCOUNT
                || tables.any(|one| {
                    one.workload == outcome.workload && one.table.as_deref() == Some(name)
                })
        };
        // The parts of its tables come first.
        let sections = outcome.sections();
        let mut names = sections.iter().map(|section| section.name);
        document.parts.retain(|_| {
            names
                .next()
                .is_none_or(|name| self.top.is_none() || shown(name))
        });
        Ok(document)
    }

    /// What no design uses of the commitments.
    fn unused(&self) -> Result<Option<Document>, MoneyError> {
        let unused = &self.together.unused;
        let once = &self.together.once;
        if unused.lines.is_empty() && once.lines.is_empty() {
            return Ok(None);
        }
        let total = unused.total()?;
        let section = BillSection::new(ACCOUNT, unused.lines.iter().collect());
        let home = self
            .together
            .outcomes
            .first()
            .map_or("", |outcome| &outcome.region);
        let rows = line_rows(home, &section, total);
        let outcomes = &self.together.outcomes;
        let mut totals = outcomes
            .iter()
            .map(Outcome::total)
            .collect::<Result<Vec<_>, _>>()?;
        totals.push(total);
        let unknown = outcomes.iter().flat_map(|one| &one.bill.unknown);
        let all = a_month(Money::sum(totals)?, Bound::of_total(unknown));
        let mut document = Document::new(format!("All designs: {all}"));
        if !rows.is_empty() {
            let title = "Commitments that no design uses";
            let body = Body::Table(line_table(&LINE_HEADER, rows));
            document.any_part(title, Some(total.human()), body);
        }
        once_parts(&mut document, once, home)?;
        Ok(Some(document))
    }

    fn documents(&self) -> Result<Vec<Document>, MoneyError> {
        let fleet = &fleet(self.together)?;
        let summary = FleetSummary {
            fleet,
            top: self.top,
        };
        let outcomes = self.together.outcomes.iter();
        let designs = outcomes.map(|outcome| self.design(outcome, &summary));
        let mut designs = designs.collect::<Result<Vec<_>, _>>()?;
        match designs.as_mut_slice() {
            [only] if fleet.is_of_several() => only.first_part("All tables", summary.body()?),
            [_, _, ..] => designs.insert(0, summary.document()?),
            _ => {}
        }
        designs.extend(self.unused()?);
        Ok(designs)
    }
}

impl Present for Estimates<'_> {
    fn document(&self) -> Result<Document, MoneyError> {
        Ok(together(self.documents()?))
    }

    fn text(&self, style: Style) -> Result<String, MoneyError> {
        let render = |document: &Document| text::render(document, style);
        Ok(one_after_another(&self.documents()?, render))
    }

    fn markdown(&self) -> Result<String, MoneyError> {
        Ok(one_after_another(&self.documents()?, markdown::render))
    }

    fn json(&self) -> Result<String, MoneyError> {
        match self.together.outcomes.as_slice() {
            [one] => estimate_json(one),
            _ => estimates_json(self.together),
        }
    }

    fn csv(&self) -> String {
        let mut rows = estimate_rows(&self.together.outcomes);
        if let Some(outcome) = self.together.outcomes.first() {
            // What no design uses belongs to none of them.
            let none = String::new();
            for (bill, period) in [
                (&self.together.unused, MONTHLY),
                (&self.together.once, ONCE),
            ] {
                rows.extend(bill.lines.iter().map(|line| {
                    let own = line_row(outcome, line).into_iter().skip(1);
                    let own = std::iter::once(none.clone()).chain(own);
                    own.chain([period.to_string()]).collect()
                }));
            }
        }
        csv::write(&ESTIMATE_COLUMNS, &rows)
    }
}
