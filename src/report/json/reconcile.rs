//! The JSON of an explained bill, `dynameter.reconcile/1`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{decimal, pretty};
use crate::bill::{Amounts, BilledKind};
use crate::money::Money;
use crate::reconcile::{Cell, Difference, Finding, Group, Reconciled};
use crate::time::utc;

/// A quantity that means something: of one kind.
pub(in crate::report) fn quantity_of(group: &Group) -> Option<String> {
    let quantity = group
        .amounts
        .quantity
        .filter(|_| group.key.kind.is_some())?;
    Some(quantity.normalize().to_string())
}

/// A text as a sentence.
pub(in crate::report) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    let end = if text.ends_with('.') { "" } else { "." };
    first.unwrap_or_default() + chars.as_str() + end
}

#[derive(JsonSchema, Serialize)]
pub(super) struct ReconcileJson<'a> {
    schema: &'static str,
    months: Vec<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(flatten)]
    costs: Costs,
    services: Vec<ServiceRow<'a>>,
    rows: RowsRow,
    formats: &'a [&'static str],
    files: &'a [String],
    by: Vec<GroupRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<DifferenceRow<'a>>,
    not_modelled: Vec<GroupRow<'a>>,
    unknown: &'a [String],
    notes: &'a [String],
}

/// The four costs; `null` is unknown.
#[derive(JsonSchema, Serialize)]
struct Costs {
    billed_usd: Option<Money>,
    list_usd: Option<Money>,
    net_usd: Option<Money>,
    amortised_usd: Option<Money>,
}

impl Costs {
    fn of(amounts: &Amounts) -> Costs {
        Costs {
            billed_usd: amounts.billed,
            list_usd: amounts.list,
            net_usd: amounts.net,
            amortised_usd: amounts.amortised,
        }
    }
}

#[derive(JsonSchema, Serialize)]
struct ServiceRow<'a> {
    service: &'a str,
    #[serde(flatten)]
    costs: Costs,
}

#[derive(JsonSchema, Serialize)]
struct RowsRow {
    read: u64,
    kept: u64,
    other_services: u64,
    duplicates: u64,
    totals: u64,
    not_asked: u64,
}

#[derive(JsonSchema, Serialize)]
struct GroupRow<'a> {
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    table: Option<&'a str>,
    resource: Option<&'a str>,
    region: Option<&'a str>,
    kind: Option<&'a str>,
    usage_type: Option<String>,
    account: Option<&'a str>,
    charge: Option<&'static str>,
    index: Option<&'a str>,
    access: Option<&'a str>,
    rows: u64,
    quantity: Option<String>,
    unit: Option<&'a str>,
    usage_usd: Option<Money>,
    #[serde(flatten)]
    costs: Costs,
}

impl<'a> GroupRow<'a> {
    fn of(group: &'a Group) -> GroupRow<'a> {
        let key = &group.key;
        let kind = key.kind.as_ref();
        GroupRow {
            service: &key.service,
            start: key.start.map(utc),
            table: key.table.as_deref(),
            resource: key.resource.as_deref(),
            region: key.region.as_deref(),
            kind: kind.map(|kind| kind.purpose()),
            usage_type: kind.map(|kind| kind.name()),
            account: key.account.as_deref(),
            charge: key.charge.map(|charge| charge.name()),
            index: key.index.as_deref(),
            access: key.access.as_deref(),
            rows: group.amounts.rows,
            quantity: quantity_of(group),
            unit: kind.map(|kind| kind.unit()),
            usage_usd: group.usage,
            costs: Costs::of(&group.amounts),
        }
    }
}

#[derive(JsonSchema, Serialize)]
struct FindingRow<'a> {
    kind: &'static str,
    day: Option<&'a str>,
    table: Option<&'a str>,
    usd: Option<Money>,
    text: &'a str,
    because: Option<&'a str>,
    source: Option<&'static str>,
}

impl<'a> FindingRow<'a> {
    fn of(finding: &'a Finding) -> FindingRow<'a> {
        FindingRow {
            kind: finding.kind.word(),
            day: finding.day.as_deref(),
            table: finding.table.as_deref(),
            usd: finding.usd,
            text: &finding.text,
            because: finding.because.as_deref(),
            source: finding.source,
        }
    }
}

#[derive(JsonSchema, Serialize)]
struct DifferenceRow<'a> {
    month: String,
    bill_usd: Money,
    design_usd: Money,
    difference_usd: Option<Money>,
    steps: Vec<StepRow<'a>>,
    unexplained_usd: Money,
    unexplained_rows: &'a [String],
    cells: Vec<CellRow<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct StepRow<'a> {
    step: &'static str,
    usd: Money,
    because: &'a [String],
}

/// A part of the bill beside the same part of the design.
#[derive(JsonSchema, Serialize)]
struct CellRow<'a> {
    table: Option<&'a str>,
    region: Option<&'a str>,
    kind: String,
    usage_type: String,
    unit: &'a str,
    bill_quantity: Option<String>,
    inferred: bool,
    expected_quantity: Option<String>,
    bill_usd: Money,
    design_usd: Money,
    access: Vec<ShareRow<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct ShareRow<'a> {
    table: Option<&'a str>,
    index: Option<&'a str>,
    access: Option<&'a str>,
    quantity: String,
}

impl<'a> DifferenceRow<'a> {
    fn of(difference: &'a Difference) -> DifferenceRow<'a> {
        let steps = difference.steps.iter().map(|step| StepRow {
            step: step.kind.name(),
            usd: step.usd,
            because: &step.because,
        });
        DifferenceRow {
            month: difference.month.to_string(),
            bill_usd: difference.bill,
            design_usd: difference.design,
            difference_usd: difference.bill.minus(difference.design).ok(),
            steps: steps.collect(),
            unexplained_usd: difference.unexplained,
            unexplained_rows: &difference.unexplained_rows,
            cells: difference.cells.iter().map(CellRow::of).collect(),
        }
    }
}

impl<'a> CellRow<'a> {
    fn of(cell: &'a Cell) -> CellRow<'a> {
        let kind = BilledKind::Usage(cell.key.usage.clone());
        let shares = cell.shares.iter().map(|share| ShareRow {
            table: share.table.as_deref(),
            index: share.index.as_deref(),
            access: share.access.as_deref(),
            quantity: decimal(&share.quantity),
        });
        CellRow {
            table: cell.key.table.as_deref(),
            region: cell.key.region.as_deref(),
            kind: kind.purpose().to_string(),
            usage_type: kind.name(),
            unit: cell.key.usage.unit(),
            bill_quantity: cell.billed_quantity.map(|quantity| quantity.to_string()),
            inferred: cell.is_inferred,
            expected_quantity: cell.expected_quantity.as_ref().map(decimal),
            bill_usd: cell.billed,
            design_usd: cell.expected,
            access: shares.collect(),
        }
    }
}

/// An explained bill as JSON.
pub(in crate::report) fn reconcile_json(reconciled: &Reconciled) -> String {
    let bill = &reconciled.bill;
    let service = |service: &'_ crate::reconcile::ServiceTotal| Costs::of(&service.amounts);
    pretty(&ReconcileJson {
        schema: "dynameter.reconcile/1",
        months: bill.months().iter().map(ToString::to_string).collect(),
        from: reconciled.span.map(|(from, _)| utc(from)),
        to: reconciled.span.map(|(_, to)| utc(to)),
        costs: Costs::of(&reconciled.total),
        services: reconciled
            .services
            .iter()
            .map(|one| ServiceRow {
                service: &one.service,
                costs: service(one),
            })
            .collect(),
        rows: RowsRow {
            read: bill.rows.read,
            kept: bill.rows.kept,
            other_services: bill.rows.other_services,
            duplicates: bill.rows.duplicates,
            totals: bill.rows.totals,
            not_asked: bill.rows.not_asked,
        },
        formats: &bill.formats,
        files: &bill.files,
        by: reconciled.by.iter().map(GroupRow::of).collect(),
        findings: reconciled.findings.iter().map(FindingRow::of).collect(),
        difference: reconciled.difference.as_ref().map(DifferenceRow::of),
        unknown: reconciled
            .difference
            .as_ref()
            .map_or(&[], |difference| &difference.unknown),
        not_modelled: reconciled.not_modelled.iter().map(GroupRow::of).collect(),
        notes: &bill.notes,
    })
}
