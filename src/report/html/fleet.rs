//! The tables of a design at a glance.

use super::{HtmlCell, HtmlTable, ReportError, Section};
use crate::fleet::{FleetTable, compared_fleet};
use crate::report::estimate::{bound_sign, share_of};
use crate::report::render::text::clean;
use crate::review::Review;
use crate::usage::ACCOUNT;

/// How many tables are shown before the others are folded away.
const SHOWN: usize = 20;

/// Each table of a design of several, the most expensive first.
pub(super) fn tables(review: &Review) -> Result<Section, ReportError> {
    let mut section = Section::new("tables", "All tables");
    let fleet = compared_fleet(std::slice::from_ref(&review.comparison))?;
    if !fleet.is_of_several() {
        return Ok(section);
    }
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
    let row = |one: &FleetTable| {
        let percent = |share: &Option<_>| {
            share
                .as_ref()
                .map_or(HtmlCell::from("-"), HtmlCell::percent)
        };
        let best = one.best.as_ref();
        [
            HtmlCell::from(clean(one.table.as_deref().unwrap_or(ACCOUNT))),
            HtmlCell::from(one.mode.map_or("-", |mode| mode.word())),
            percent(&one.reads_used),
            percent(&one.writes_used),
            HtmlCell::from(format!("{}{}", bound_sign(one.bound), one.monthly.human())),
            HtmlCell::from(share_of(one.monthly, fleet.monthly)),
            HtmlCell::from(best.map_or("-", |best| &best.change)),
            HtmlCell::from(best.map(|best| best.saves)),
        ]
    };
    let (first, others) = fleet.tables.split_at(SHOWN.min(fleet.tables.len()));
    let caption = match others.len() {
        0 => format!("{} tables, the most expensive first", fleet.tables.len()),
        _ => format!(
            "The {SHOWN} most expensive of {} tables",
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
    Ok(section)
}
