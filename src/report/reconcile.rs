//! An explained bill, for people and machines.

use super::document::{Body, Document, Entry, Table};
use super::json::reconcile::{quantity_of, reconcile_json, sentence};
use super::present::Present;
use super::render::csv;
use super::render::text::signed;
use crate::bill::{Amounts, Cost};
use crate::money::{Money, MoneyError};
use crate::reconcile::{Difference, Finding, FindingKind, Group, Grouping, Reconciled};
use crate::time::utc;
use crate::units::{Exact, group_thousands};

/// The groups of one part that people see.
const GROUPS_SHOWN: usize = 15;

const UNKNOWN: &str = "unknown";

fn money(amount: Option<Money>) -> String {
    amount.map_or_else(|| UNKNOWN.to_string(), Money::human)
}

impl Present for Reconciled {
    fn document(&self) -> Result<Document, MoneyError> {
        let mut document = Document::new(headline(self));
        for note in about(self) {
            document = document.note(note);
        }
        if let Some(difference) = &self.difference {
            self::difference(&mut document, difference)?;
        }
        document.part("Costs", Body::Table(costs(self)));
        if self.overview.is_empty() {
            let title = format!("By {}", names(&self.grouping).join(", "));
            document.part(
                title,
                Body::Table(groups(&self.by, &self.grouping, self.cost)),
            );
        }
        for (grouping, by) in &self.overview {
            let title = format!("By {}", names(&[*grouping]).join(""));
            let is_said = by.len() > 1
                || by
                    .iter()
                    .any(|group| *grouping == Grouping::Table && group.key.table.is_some());
            if is_said {
                document.part(title, Body::Table(groups(by, &[*grouping], self.cost)));
            }
        }
        let is_move =
            |finding: &&Finding| matches!(finding.kind, FindingKind::Move | FindingKind::Once);
        let entries: Vec<Entry> = self
            .findings
            .iter()
            .filter(is_move)
            .map(|finding| Entry {
                mark: String::new(),
                head: format!(
                    "{}  {}",
                    finding.day.as_deref().unwrap_or_default(),
                    finding.text
                ),
                details: finding.because.iter().cloned().collect(),
            })
            .collect();
        let lines = entries
            .iter()
            .map(|entry| match entry.details.first() {
                Some(because) => format!("{}: {because}", entry.head),
                None => entry.head.clone(),
            })
            .collect();
        document.part(
            "What moved",
            Body::Entries(entries, Box::new(Body::List(lines))),
        );
        let rest = self.findings.iter().filter(|finding| !is_move(finding));
        let rest = rest.map(|finding| sentence(&finding.text)).collect();
        document.part("Worth knowing", Body::List(rest));
        document.part("Notes", Body::List(self.bill.notes.clone()));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(reconcile_json(self))
    }

    fn csv(&self) -> String {
        const HEADER: [&str; 18] = [
            "start",
            "service",
            "table",
            "resource",
            "region",
            "kind",
            "usage_type",
            "account",
            "charge",
            "index",
            "access",
            "rows",
            "quantity",
            "unit",
            "billed_usd",
            "list_usd",
            "net_usd",
            "amortised_usd",
        ];
        let exact = |amount: Option<Money>| {
            amount.map_or_else(|| UNKNOWN.to_string(), |amount| amount.to_string())
        };
        let row = |group: &Group| {
            let key = &group.key;
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let kind = key.kind.as_ref();
            let quantity = match kind {
                Some(_) => quantity_of(group).unwrap_or_else(|| UNKNOWN.to_string()),
                None => String::new(),
            };
            vec![
                key.start.map(utc).unwrap_or_default(),
                key.service.clone(),
                text(&key.table),
                text(&key.resource),
                text(&key.region),
                kind.map(|kind| kind.purpose().to_string())
                    .unwrap_or_default(),
                kind.map(|kind| kind.name()).unwrap_or_default(),
                text(&key.account),
                key.charge.map_or("", |charge| charge.name()).to_string(),
                text(&key.index),
                text(&key.access),
                group.amounts.rows.to_string(),
                quantity,
                kind.map_or("", |kind| kind.unit()).to_string(),
                exact(group.amounts.billed),
                exact(group.amounts.list),
                exact(group.amounts.net),
                exact(group.amounts.amortised),
            ]
        };
        let rows: Vec<Vec<String>> = self.by.iter().map(row).collect();
        csv::write(&HEADER, &rows)
    }
}

fn names(by: &[Grouping]) -> Vec<&'static str> {
    by.iter()
        .filter_map(|one| {
            let mut all = Grouping::NAMES.iter();
            all.find(|(_, known)| known == one).map(|(name, _)| *name)
        })
        .collect()
}

fn headline(reconciled: &Reconciled) -> String {
    let months: Vec<String> = reconciled
        .bill
        .months()
        .iter()
        .map(ToString::to_string)
        .collect();
    let of = match months.as_slice() {
        [first, .., last] => format!("{first} to {last}"),
        [month] => month.clone(),
        [] => "no month".to_string(),
    };
    let cost = match reconciled.cost {
        Cost::Billed => "billed",
        Cost::List => "at list price",
        Cost::Net => "net",
        Cost::Amortised => "amortised",
    };
    format!(
        "Bill of {of}: {} {cost} for DynamoDB and what belongs to it",
        money(reconciled.total.cost(reconciled.cost))
    )
}

/// What was read.
fn about(reconciled: &Reconciled) -> Vec<String> {
    let bill = &reconciled.bill;
    let count = |count: u64| group_thousands(&count.to_string());
    let mut lines = vec![format!(
        "{}: {} rows, {} kept, {} of other services",
        match bill.files.as_slice() {
            [file] => format!("{file} ({})", bill.formats.join(", ")),
            files => format!("{} files ({})", files.len(), bill.formats.join(", ")),
        },
        count(bill.rows.read),
        count(bill.rows.kept),
        count(bill.rows.other_services)
    )];
    if let Some((from, to)) = reconciled.span {
        let hours = (to - from).unsigned_abs() / 3_600;
        let all: u64 = bill.months().iter().map(|month| month.hours()).sum();
        let of = match all > hours {
            true => format!(" of {all}"),
            false => String::new(),
        };
        lines.push(format!(
            "usage from {} to {}: {hours}{of} hours",
            utc(from),
            utc(to)
        ));
    }
    lines
}

/// The four costs of each service.
fn costs(reconciled: &Reconciled) -> Table {
    let row = |name: &str, amounts: &Amounts| {
        vec![
            name.to_string(),
            money(amounts.billed),
            money(amounts.list),
            money(amounts.net),
            money(amounts.amortised),
        ]
    };
    let services = reconciled.services.iter();
    let mut rows: Vec<Vec<String>> = services
        .map(|service| row(&service.service, &service.amounts))
        .collect();
    rows.push(row("all", &reconciled.total));
    let header = ["Service", "Billed", "List price", "Net", "Amortised"];
    Table::new(&header, rows, &[1, 2, 3, 4])
}

/// Groups, the most expensive first; days in their order.
fn groups(groups: &[Group], by: &[Grouping], cost: Cost) -> Table {
    let times = [Grouping::Month, Grouping::Day, Grouping::Hour];
    let is_in_time = times.iter().any(|one| by.contains(one));
    let mut ordered: Vec<&Group> = groups.iter().collect();
    if !is_in_time {
        ordered.sort_by_key(|group| std::cmp::Reverse(group.amounts.cost(cost)));
    }
    let has_kind = by.contains(&Grouping::Kind);
    let has_service = groups.iter().any(|group| !group.key.service.is_empty());
    let limit = if is_in_time { 31 } else { GROUPS_SHOWN };
    let row = |group: &&Group| {
        let mut cells = group_cells(group, by);
        if has_service {
            cells.insert(0, group.key.service.clone());
        }
        cells.push(money(group.amounts.cost(cost)));
        cells
    };
    let rows: Vec<Vec<String>> = ordered.iter().take(limit).map(row).collect();
    let mut header = if has_service {
        vec!["Service"]
    } else {
        Vec::new()
    };
    header.extend(by.iter().map(|one| heading(*one)));
    if has_kind {
        header.push("Quantity");
    }
    header.push(match cost {
        Cost::Billed => "Billed",
        Cost::List => "List price",
        Cost::Net => "Net",
        Cost::Amortised => "Amortised",
    });
    let numbers: &'static [usize] = match header.len() {
        2 => &[1],
        3 => &[2],
        4 if has_kind => &[2, 3],
        4 => &[3],
        5 if has_kind => &[3, 4],
        5 => &[4],
        6 if has_kind => &[4, 5],
        6 => &[5],
        7 if has_kind => &[5, 6],
        _ => &[],
    };
    let mut table = Table::new(&header, rows, numbers);
    if ordered.len() > limit {
        table.more = Some(format!(
            "{} more; --format csv has all",
            ordered.len() - limit
        ));
    }
    table
}

/// The heading of a grouping.
fn heading(grouping: Grouping) -> &'static str {
    match grouping {
        Grouping::Table => "Table or resource",
        Grouping::Kind => "Usage type",
        Grouping::Region => "Region",
        Grouping::Account => "Account",
        Grouping::Charge => "Charge",
        Grouping::Day => "Day",
        Grouping::Month => "Month",
        Grouping::Hour => "Hour",
        Grouping::Access => "Access pattern",
    }
}

/// What a group is, and its quantity if it is of one kind.
fn group_cells(group: &Group, by: &[Grouping]) -> Vec<String> {
    let key = &group.key;
    let dash = || "-".to_string();
    let start = |letters: usize| {
        key.start
            .map_or_else(dash, |start| utc(start)[..letters].to_string())
    };
    let mut cells: Vec<String> = by
        .iter()
        .map(|one| match one {
            Grouping::Table => key
                .table
                .clone()
                .or(key.resource.clone())
                .unwrap_or_else(dash),
            Grouping::Kind => key.kind.as_ref().map_or_else(dash, |kind| kind.name()),
            Grouping::Region => key.region.clone().unwrap_or_else(dash),
            Grouping::Account => key.account.clone().unwrap_or_else(dash),
            Grouping::Charge => key.charge.map_or("-", |charge| charge.name()).to_string(),
            Grouping::Month => start(7),
            Grouping::Day => start(10),
            Grouping::Hour => key.start.map_or_else(dash, utc),
            Grouping::Access => access_of(group),
        })
        .collect();
    if by.contains(&Grouping::Kind) {
        let quantity = quantity_of(group).map_or_else(
            || UNKNOWN.to_string(),
            |quantity| group_thousands(&short(&quantity)),
        );
        let unit = key.kind.as_ref().map_or("", |kind| kind.unit());
        cells.push(format!("{quantity} {unit}"));
    }
    cells
}

/// The parts of the bill and the design that are shown side by side.
const CELLS_SHOWN: usize = 12;

/// How a bill differs from a design: the steps from one to the other, why, and both side by side.
fn difference(document: &mut Document, difference: &Difference) -> Result<(), MoneyError> {
    document.warning("Unknown", Body::List(difference.unknown.clone()));
    let row =
        |name: &str, usd: String, meaning: &str| vec![name.to_string(), usd, meaning.to_string()];
    let (name, meaning) = match difference.is_of_a_trace {
        true => ("trace", "its throughput in a month like it"),
        false => ("design", "its month"),
    };
    let mut rows = vec![row(name, difference.design.human(), meaning)];
    for step in &difference.steps {
        rows.push(row(step.kind.name(), signed(step.usd), step.kind.meaning()));
    }
    rows.push(row(
        "unexplained",
        signed(difference.unexplained),
        "rows whose cost is not their quantity times their rate",
    ));
    let month = difference.month.to_string();
    rows.push(row("bill", difference.bill.human(), &month));
    let header = ["Step", "Dollars", "What it is"];
    let title = format!("From the {name} to the bill");
    document.table(title, &header, rows, &[1]);
    let entries = difference.steps.iter().map(|step| Entry {
        mark: String::new(),
        head: format!("{} {}", step.kind.name(), signed(step.usd)),
        details: step.because.clone(),
    });
    let lines = difference.steps.iter().flat_map(|step| {
        let name = step.kind.name();
        step.because.iter().map(move |why| format!("{name}: {why}"))
    });
    let body = Body::Entries(entries.collect(), Box::new(Body::List(lines.collect())));
    document.part("Why", body);
    document.warning(
        "Unexplained",
        Body::List(difference.unexplained_rows.clone()),
    );
    let header = [
        "What",
        "On the bill",
        "Expected",
        "Unit",
        "Billed",
        "Design",
    ];
    let cells = difference.cells.iter().take(CELLS_SHOWN).map(|cell| {
        let expected = cell.expected_quantity.as_ref();
        vec![
            cell.key.to_string(),
            cell.billed_quantity.map_or_else(
                || "-".to_string(),
                |quantity| {
                    let about = if cell.is_inferred { "about " } else { "" };
                    format!("{about}{}", Exact::from(quantity).human(2))
                },
            ),
            expected.map_or_else(|| "-".to_string(), |quantity| quantity.human(2)),
            cell.key.usage.unit().to_string(),
            cell.billed.human(),
            cell.expected.human(),
        ]
    });
    let mut table = Table::new(&header, cells.collect(), &[1, 2, 4, 5]);
    if difference.cells.len() > CELLS_SHOWN {
        let more = difference.cells.len() - CELLS_SHOWN;
        table.more = Some(format!("{more} more; --format json has all"));
    }
    document.part("Side by side", Body::Table(table));
    Ok(())
}

/// The access pattern of a group, with its index.
fn access_of(group: &Group) -> String {
    let access = group.key.access.as_deref();
    let index = group.key.index.as_ref().map(|index| format!(" of {index}"));
    let kind = group.key.kind.as_ref().map_or("-", |kind| kind.purpose());
    let table = group.key.table.as_ref().map(|table| format!("{table}: "));
    format!(
        "{}{}{}",
        table.unwrap_or_default(),
        access.unwrap_or(kind),
        index.unwrap_or_default()
    )
}

/// A quantity with at most six decimals.
fn short(quantity: &str) -> String {
    match quantity.split_once('.') {
        Some((whole, rest)) if rest.len() > 6 => format!("{whole}.{}…", &rest[..6]),
        _ => quantity.to_string(),
    }
}
