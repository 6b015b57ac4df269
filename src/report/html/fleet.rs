//! The tables of a design, or of many designs, at a glance.

use std::collections::BTreeSet;

use askama::Template;

use super::{HtmlBlock, HtmlCell, HtmlTable, ReportError, Section};
use crate::fleet::{BestChange, Fleet, FleetTable, compared_fleet};
use crate::outcome::Outcome;
use crate::pricing::{Bound, Unknown};
use crate::report::estimate::{bound_sign, bound_word, share_of};
use crate::report::render::text::clean;
use crate::review::Review;
use crate::units::count_of;
use crate::usage::ACCOUNT;

/// How many tables are shown before the others are folded away.
const SHOWN: usize = 20;

/// How many unknown costs are listed.
const UNKNOWN_SHOWN: usize = 100;

/// How many tables and changes are named in the answer.
const NAMED: usize = 5;

/// The page of a fleet.
#[derive(Template)]
#[template(path = "fleet.html")]
struct FleetPage {
    title: String,
    subtitle: String,
    total: String,
    exact: String,
    unknown: String,
    drivers: Vec<String>,
    /// `None` if alternatives were not compared.
    best: Option<Vec<String>>,
    sections: Vec<Section>,
    style: &'static str,
}

/// Many tables at a glance as a page, with the estimates of their designs.
///
/// # Errors
/// [`ReportError`] where a sum has more than 28 digits.
pub fn fleet_html(
    fleet: &Fleet,
    outcomes: &[&Outcome],
    top: Option<usize>,
) -> Result<String, ReportError> {
    let own = || fleet.tables.iter().filter(|one| one.table.is_some());
    let name = |one: &FleetTable| clean(one.table.as_deref().unwrap_or(ACCOUNT));
    let driver = |one: &FleetTable| {
        let share = share_of(one.monthly, fleet.monthly);
        let monthly = format!("{}{}", bound_sign(one.bound), one.monthly.human());
        format!("{}: {monthly} ({share})", name(one))
    };
    let mut best: Vec<(&FleetTable, &BestChange)> = own()
        .filter_map(|one| Some((one, one.best.as_ref()?)))
        .collect();
    best.sort_by_key(|(_, best)| std::cmp::Reverse(best.saves));
    let change = |(one, best): &(&FleetTable, &BestChange)| {
        let change = clean(&best.change);
        format!(
            "{}: {change}, saves {} a month",
            name(one),
            best.saves.human()
        )
    };
    let unknown = outcomes.iter().flat_map(|one| &one.bill.unknown);
    let unknown = unknown.filter(|one| !one.is_in_the_bill()).count() as u64;
    let tables = count_of(own().count() as u64, "table");
    let title = match outcomes {
        [one] if !one.workload.trim().is_empty() => clean(&one.workload),
        several => count_of(several.len() as u64, "design"),
    };
    let regions: BTreeSet<&str> = fleet.tables.iter().map(|one| one.region.as_str()).collect();
    let regions: Vec<&str> = regions
        .into_iter()
        .filter(|region| !region.is_empty())
        .collect();
    let page = FleetPage {
        title,
        subtitle: format!("{tables} in {}", regions.join(", ")),
        total: format!("{}{}", bound_word(fleet.bound), fleet.monthly.human()),
        exact: fleet.monthly.to_string(),
        unknown: match unknown {
            0 => String::new(),
            count => format!("{} not in the total", is_are(count, "cost")),
        },
        drivers: own().take(NAMED).map(driver).collect(),
        best: fleet
            .is_compared
            .then(|| best.iter().take(NAMED).map(change).collect()),
        sections: sections(fleet, outcomes, top)?,
        style: super::STYLE,
    };
    Ok(page.render()?)
}

/// How many unknown costs there are.
fn is_are(count: u64, noun: &str) -> String {
    let verb = if count == 1 {
        "is unknown and"
    } else {
        "are unknown and"
    };
    format!("{} {verb}", count_of(count, noun))
}

fn sections(
    fleet: &Fleet,
    outcomes: &[&Outcome],
    top: Option<usize>,
) -> Result<Vec<Section>, ReportError> {
    let mut all = Section::new("tables", "All tables");
    all.is_open = true;
    list(&mut all, fleet, top);
    let mut designs = Section::new("designs", "By design");
    if outcomes.len() > 1 {
        let header = ["Design", "Region", "#Tables", "#Monthly", "#Share"];
        let mut table = HtmlTable::new(count_of(outcomes.len() as u64, "design"), &header);
        let mut ranked = Vec::new();
        for outcome in outcomes {
            ranked.push((outcome.bill.total()?, outcome));
        }
        ranked.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
        for (total, outcome) in ranked {
            table.row([
                HtmlCell::from(clean(&outcome.workload)),
                HtmlCell::from(clean(&outcome.region)),
                HtmlCell::from(outcome.tables.len().to_string()),
                HtmlCell::from(format!(
                    "{}{}",
                    bound_sign(Bound::of_total(&outcome.bill.unknown)),
                    total.human()
                )),
                HtmlCell::from(share_of(total, fleet.monthly)),
            ]);
        }
        designs.table(table);
    }
    let mut unknown = Section::new("unknown", "Unknown costs");
    let line = |one: &Unknown| format!("{}: {}: {}", one.subject.table_name(), one.what, one.why);
    let of_all = outcomes.iter().flat_map(|one| &one.bill.unknown);
    let mut lines: Vec<String> = of_all.map(line).collect();
    let hidden = lines.len().saturating_sub(UNKNOWN_SHOWN);
    lines.truncate(UNKNOWN_SHOWN);
    if hidden > 0 {
        lines.push(format!(
            "and {hidden} more, which the estimate of each design lists"
        ));
    }
    unknown.list(lines);
    let mut sections = vec![all, designs, unknown];
    sections.retain(|section| !section.blocks.is_empty());
    Ok(sections)
}

/// Each table of a design of several, the most expensive first.
pub(super) fn tables(review: &Review) -> Result<Section, ReportError> {
    let mut section = Section::new("tables", "All tables");
    section.is_open = true;
    let fleet = compared_fleet(std::slice::from_ref(&review.comparison))?;
    if fleet.is_of_several() {
        list(&mut section, &fleet, None);
    }
    Ok(section)
}

/// The tables of a fleet, the first ones at once and the others folded.
fn list(section: &mut Section, fleet: &Fleet, top: Option<usize>) {
    let header = [
        "Table",
        "Mode",
        "#Reads used",
        "#Writes used",
        "#Monthly",
        "#Share",
        "Best change",
        "#Saves",
    ];
    let designs: BTreeSet<&str> = fleet
        .tables
        .iter()
        .map(|one| one.workload.as_str())
        .collect();
    let name = |one: &FleetTable| {
        let table = clean(one.table.as_deref().unwrap_or(ACCOUNT));
        match designs.len() {
            0 | 1 => table,
            _ => format!("{table} ({})", clean(&one.workload)),
        }
    };
    let row = |one: &FleetTable| {
        let percent = |share: &Option<_>| {
            share
                .as_ref()
                .map_or(HtmlCell::from("-"), HtmlCell::percent)
        };
        let best = one.best.as_ref();
        [
            HtmlCell::from(name(one)),
            HtmlCell::from(one.mode.map_or("-", |mode| mode.word())),
            percent(&one.reads_used),
            percent(&one.writes_used),
            HtmlCell::from(format!("{}{}", bound_sign(one.bound), one.monthly.human())),
            HtmlCell::from(share_of(one.monthly, fleet.monthly)),
            HtmlCell::from(best.map_or("-", |best| &best.change)),
            HtmlCell::from(best.map(|best| best.saves)),
        ]
    };
    let shown = top.unwrap_or(usize::MAX).min(fleet.tables.len());
    let (first, others) = fleet.tables[..shown].split_at(SHOWN.min(shown));
    let caption = match fleet.tables.len() - first.len() {
        0 => format!("{} tables, the most expensive first", fleet.tables.len()),
        _ => format!(
            "The {} most expensive of {} tables",
            first.len(),
            fleet.tables.len()
        ),
    };
    let mut table = HtmlTable::new(caption, &header);
    first.iter().for_each(|one| table.row(row(one)));
    section.table(table);
    if !others.is_empty() {
        let mut table = HtmlTable::new(format!("The other {} tables", others.len()), &header);
        others.iter().for_each(|one| table.row(row(one)));
        section.table(table.folded());
    }
}
