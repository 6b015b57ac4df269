//! Many tables at a glance, as text, Markdown, JSON and CSV.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Body, Document, Table};
use super::estimate::{a_month, bound_sign};
use super::json::{decimal, pretty};
use super::present::Present;
use super::render::csv;
use super::render::text::clean;
use crate::fleet::{Fleet, FleetTable};
use crate::money::{Money, MoneyError};
use crate::pricing::Bound;
use crate::units::{Exact, count_of};
use crate::usage::ACCOUNT;

/// A fleet as a result of its own, with at most some of its tables.
pub struct FleetSummary<'a> {
    /// The tables.
    pub fleet: &'a Fleet,
    /// How many tables are shown; all if `None`.
    pub top: Option<usize>,
}

impl FleetSummary<'_> {
    /// The tables that are shown, and what belongs to no table.
    pub(super) fn shown(&self) -> impl Iterator<Item = &FleetTable> {
        let top = self.top.unwrap_or(usize::MAX);
        let tables = self.fleet.tables.iter().filter(|one| one.table.is_some());
        let account = self.fleet.tables.iter().filter(|one| one.table.is_none());
        tables.take(top).chain(account)
    }

    /// The tables that are not shown.
    fn hidden(&self) -> impl Iterator<Item = &FleetTable> {
        let tables = self.fleet.tables.iter().filter(|one| one.table.is_some());
        tables.skip(self.top.unwrap_or(usize::MAX))
    }

    /// How many tables there are.
    fn tables(&self) -> usize {
        let tables = self.fleet.tables.iter().filter(|one| one.table.is_some());
        tables.count()
    }

    /// The table of the tables.
    pub(super) fn body(&self) -> Result<Body, MoneyError> {
        let several = |of: fn(&FleetTable) -> &str| {
            let all: BTreeSet<&str> = self.fleet.tables.iter().map(of).collect();
            all.len() > 1
        };
        let (designs, regions) = (several(|one| &one.workload), several(|one| &one.region));
        let has_best = self.fleet.tables.iter().any(|one| one.best.is_some());
        let columns: Vec<Column> = Column::ALL
            .into_iter()
            .filter(|column| match column {
                Column::Design => designs,
                Column::Region => regions,
                Column::Best | Column::Saves => has_best,
                _ => true,
            })
            .collect();
        let row = |one: &FleetTable| {
            let cell = |column: &Column| column.cell(one, self.fleet.monthly);
            columns.iter().map(cell).collect()
        };
        let more = match self.hidden().count() {
            0 => None,
            count => {
                let sum = Money::sum(self.hidden().map(|one| one.monthly))?;
                let bound = Bound::of_all(self.hidden().map(|one| one.bound));
                let tables = count_of(count as u64, "more table");
                Some(format!("{tables}: {}", a_month(sum, bound)))
            }
        };
        // Numbers are right-aligned wherever their columns stand.
        let before = usize::from(designs) + usize::from(regions);
        let numbers: &'static [usize] = match before {
            0 => &[2, 3, 4, 5, 7],
            1 => &[3, 4, 5, 6, 8],
            _ => &[4, 5, 6, 7, 9],
        };
        let header: Vec<&'static str> = columns.iter().map(|column| column.word()).collect();
        Ok(Body::Table(Table {
            more,
            ..Table::new(&header, self.shown().map(row).collect(), numbers)
        }))
    }
}

/// A column of the summary.
#[derive(Clone, Copy)]
enum Column {
    Design,
    Region,
    Table,
    Mode,
    Reads,
    Writes,
    Monthly,
    Share,
    Best,
    Saves,
}

impl Column {
    const ALL: [Column; 10] = [
        Column::Design,
        Column::Region,
        Column::Table,
        Column::Mode,
        Column::Reads,
        Column::Writes,
        Column::Monthly,
        Column::Share,
        Column::Best,
        Column::Saves,
    ];

    fn word(self) -> &'static str {
        match self {
            Column::Design => "Design",
            Column::Region => "Region",
            Column::Table => "Table",
            Column::Mode => "Mode",
            Column::Reads => "Reads used",
            Column::Writes => "Writes used",
            Column::Monthly => "Monthly",
            Column::Share => "Share",
            Column::Best => "Best change",
            Column::Saves => "Saves",
        }
    }

    fn cell(self, one: &FleetTable, total: Money) -> String {
        let none = || "-".to_string();
        let percent = |share: &Option<Exact>| {
            let percent = share.as_ref().map(|share| share * &Exact::from(100));
            percent.map_or_else(none, |percent| format!("{} %", percent.human(1)))
        };
        match self {
            Column::Design => clean(&one.workload),
            Column::Region => clean(&one.region),
            Column::Table => clean(one.table.as_deref().unwrap_or(ACCOUNT)),
            Column::Mode => one.mode.map_or_else(none, |mode| mode.word().to_string()),
            Column::Reads => percent(&one.reads_used),
            Column::Writes => percent(&one.writes_used),
            Column::Monthly => format!("{}{}", bound_sign(one.bound), one.monthly.human()),
            Column::Share => super::estimate::share_of(one.monthly, total),
            Column::Best => one
                .best
                .as_ref()
                .map_or_else(none, |best| best.change.clone()),
            Column::Saves => {
                let best = one.best.as_ref();
                best.map_or_else(none, |best| best.saves.human())
            }
        }
    }
}

/// A fleet in JSON.
#[derive(JsonSchema, Serialize)]
pub(super) struct FleetJson<'a> {
    schema: &'static str,
    total_usd: String,
    total: &'static str,
    count: usize,
    tables: Vec<TableJson<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct TableJson<'a> {
    workload: &'a str,
    region: &'a str,
    table: Option<&'a str>,
    mode: Option<&'static str>,
    reads_used: Option<String>,
    writes_used: Option<String>,
    monthly_usd: String,
    monthly: &'static str,
    best: Option<BestJson<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct BestJson<'a> {
    change: &'a str,
    saves_usd: String,
}

impl<'a> TableJson<'a> {
    fn of(one: &'a FleetTable) -> TableJson<'a> {
        TableJson {
            workload: &one.workload,
            region: &one.region,
            table: one.table.as_deref(),
            mode: one.mode.map(|mode| mode.word()),
            reads_used: one.reads_used.as_ref().map(decimal),
            writes_used: one.writes_used.as_ref().map(decimal),
            monthly_usd: one.monthly.to_string(),
            monthly: one.bound.word(),
            best: one.best.as_ref().map(|best| BestJson {
                change: &best.change,
                saves_usd: best.saves.to_string(),
            }),
        }
    }
}

impl Present for FleetSummary<'_> {
    fn document(&self) -> Result<Document, MoneyError> {
        let fleet = self.fleet;
        let tables = count_of(self.tables() as u64, "table");
        let headline = format!("{tables}: {}", a_month(fleet.monthly, fleet.bound));
        let mut document = Document::new(headline);
        document.part("", self.body()?);
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(pretty(&FleetJson {
            schema: "dynameter.fleet/1",
            total_usd: self.fleet.monthly.to_string(),
            total: self.fleet.bound.word(),
            count: self.tables(),
            tables: self.shown().map(TableJson::of).collect(),
        }))
    }

    fn csv(&self) -> String {
        let header = [
            "workload",
            "region",
            "table",
            "mode",
            "reads_used",
            "writes_used",
            "monthly_usd",
            "monthly",
            "best_change",
            "saves_usd",
        ];
        let row = |one: &FleetTable| {
            let json = TableJson::of(one);
            let best = json.best.as_ref();
            vec![
                one.workload.clone(),
                one.region.clone(),
                json.table.unwrap_or_default().to_string(),
                json.mode.unwrap_or_default().to_string(),
                json.reads_used.clone().unwrap_or_default(),
                json.writes_used.clone().unwrap_or_default(),
                json.monthly_usd.clone(),
                json.monthly.to_string(),
                best.map(|best| best.change.to_string()).unwrap_or_default(),
                best.map(|best| best.saves_usd.clone()).unwrap_or_default(),
            ]
        };
        let rows: Vec<Vec<String>> = self.shown().map(row).collect();
        csv::write(&header, &rows)
    }
}
