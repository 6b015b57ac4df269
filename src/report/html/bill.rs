//! A bill beside the design: what was measured and what was expected, by table and by kind, and the
//! steps from one to the other.

use super::charts::{self, WaterfallStep};
use super::{Chart, HtmlCell, HtmlTable, ReportError, Section};
use crate::bill::{BilledKind, Cost};
use crate::money::{Money, MoneyError};
use crate::reconcile::{Cell, Difference, FindingKind, Group, Grouping};
use crate::report::json::reconcile::sentence;
use crate::report::render::text::signed;
use crate::review::Review;
use crate::time::utc;
use crate::units::{Exact, count_of};

/// Rows above which a table is folded.
const ROWS: usize = 20;

/// The colours of totals, of what makes the bill higher, and of what makes it lower.
const TOTAL: u8 = 1;
const MORE: u8 = 2;
const LESS: u8 = 3;

/// The section of a bill; `None` without one.
pub(super) fn billed(review: &Review) -> Result<Option<Section>, ReportError> {
    let Some(reconciled) = &review.reconciled else {
        return Ok(None);
    };
    let bill = &reconciled.bill;
    let mut section = Section::new("bill", "The bill");
    section.is_open = true;
    let months: Vec<String> = bill.months().iter().map(ToString::to_string).collect();
    section.text(format!(
        "{} of {}: {} billed, {} at list price, {} amortised; {} kept of {} read.",
        bill.formats.join(", "),
        months.join(", "),
        money(reconciled.total.cost(Cost::Billed)),
        money(reconciled.total.cost(Cost::List)),
        money(reconciled.total.cost(Cost::Amortised)),
        count_of(bill.rows.kept, "row"),
        count_of(bill.rows.read, "row"),
    ));
    if let Some(difference) = &reconciled.difference {
        explained(&mut section, difference)?;
    }
    let moves = |kind: FindingKind| matches!(kind, FindingKind::Move | FindingKind::Once);
    let mut table = HtmlTable::new("What moved", &["Day", "What, and why", "#Dollars"]);
    let found = reconciled.findings.iter();
    for finding in found.clone().filter(|finding| moves(finding.kind)) {
        table.row([
            HtmlCell::from(finding.day.clone().unwrap_or_default()),
            HtmlCell::from(match &finding.because {
                Some(because) => format!("{}: {because}", finding.text),
                None => finding.text.clone(),
            }),
            HtmlCell::from(finding.usd),
        ]);
    }
    section.table(table.folded_above(ROWS));
    let rest = found.filter(|finding| !moves(finding.kind));
    section.list(rest.map(|finding| sentence(&finding.text)).collect());
    for (grouping, groups) in &reconciled.overview {
        section.table(by(*grouping, groups));
    }
    section.list(bill.notes.clone());
    Ok(Some(section))
}

fn money(amount: Option<Money>) -> String {
    amount.map_or_else(|| "unknown".to_string(), Money::human)
}

/// The steps from the design to the bill, and both side by side.
fn explained(section: &mut Section, difference: &Difference) -> Result<(), ReportError> {
    section.text(match difference.unexplained.is_zero() {
        true => format!(
            "The design's month costs {}, the bill is {}; the steps between them add up exactly.",
            difference.design.human(),
            difference.bill.human()
        ),
        false => format!(
            "The design's month costs {}, the bill is {}; {} of the difference is unexplained.",
            difference.design.human(),
            difference.bill.human(),
            difference.unexplained.human()
        ),
    });
    let unknown = difference.unknown.iter();
    section.list(unknown.map(|text| format!("Unknown: {text}")).collect());
    section.charts(vec![waterfall(difference)?]);
    let mut reasons = HtmlTable::new("Why", &["Step", "Largest parts"]);
    for step in &difference.steps {
        for because in &step.because {
            reasons.row([
                HtmlCell::from(step.kind.name()),
                HtmlCell::from(because.as_str()),
            ]);
        }
    }
    section.table(reasons.folded());
    section.table(tables(difference)?);
    let mut cells = HtmlTable::new(
        "Measured beside expected, by table and kind",
        &[
            "What",
            "#On the bill",
            "#Expected",
            "Unit",
            "#Billed",
            "#Design",
        ],
    );
    for cell in &difference.cells {
        cells.row(side_by_side(cell));
    }
    section.table(cells.folded_above(ROWS));
    section.list(difference.unexplained_rows.clone());
    Ok(())
}

fn side_by_side(cell: &Cell) -> [HtmlCell; 6] {
    let quantity = |quantity: Option<Exact>| {
        quantity.map_or_else(
            || HtmlCell::from("-"),
            |quantity| HtmlCell::number(&quantity, 2),
        )
    };
    [
        HtmlCell::from(cell.key.to_string()),
        quantity(cell.billed_quantity.map(Exact::from)),
        quantity(cell.expected_quantity.clone()),
        HtmlCell::from(cell.key.usage.unit()),
        HtmlCell::from(cell.billed),
        HtmlCell::from(cell.expected),
    ]
}

/// Measured beside expected, table by table.
fn tables(difference: &Difference) -> Result<HtmlTable, MoneyError> {
    let mut table = HtmlTable::new(
        "Measured beside expected, by table",
        &[
            "Table",
            "#Billed for usage",
            "#Design at list price",
            "#Difference",
        ],
    );
    let mut names: Vec<Option<&str>> = difference
        .cells
        .iter()
        .map(|cell| cell.key.table.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let of = || {
            let cells = difference.cells.iter();
            cells.filter(move |cell| cell.key.table.as_deref() == name)
        };
        let billed = Money::sum(of().map(|cell| cell.billed))?;
        let expected = Money::sum(of().map(|cell| cell.expected))?;
        table.row([
            HtmlCell::from(name.unwrap_or("no table")),
            HtmlCell::from(billed),
            HtmlCell::from(expected),
            HtmlCell::signed(billed.minus(expected)?),
        ]);
    }
    Ok(table)
}

fn waterfall(difference: &Difference) -> Result<Chart, MoneyError> {
    let float = |money: Money| Exact::from(money.decimal()).to_f64();
    let mut numbers = HtmlTable::new("The steps", &["Step", "What it is", "#Dollars"]);
    let mut at = difference.design;
    let total = |name: &str, usd: Money| WaterfallStep {
        name: name.to_string(),
        ends: (0.0, float(usd)),
        words: usd.human(),
        color: TOTAL,
    };
    let mut steps = vec![total("the design's month", difference.design)];
    numbers.row([
        HtmlCell::from("design"),
        HtmlCell::from("its month"),
        HtmlCell::from(difference.design),
    ]);
    let unexplained = (
        "unexplained",
        "rows whose cost is not their quantity times their rate",
        difference.unexplained,
    );
    let all = difference
        .steps
        .iter()
        .map(|step| (step.kind.name(), step.kind.meaning(), step.usd))
        .chain([unexplained]);
    for (name, meaning, usd) in all {
        let next = at.plus(usd)?;
        if !usd.is_zero() {
            steps.push(WaterfallStep {
                name: name.to_string(),
                ends: (float(at), float(next)),
                words: signed(usd),
                color: if usd > Money::ZERO { MORE } else { LESS },
            });
        }
        numbers.row([
            HtmlCell::from(name),
            HtmlCell::from(meaning),
            HtmlCell::signed(usd),
        ]);
        at = next;
    }
    steps.push(total("the bill", difference.bill));
    numbers.row([
        HtmlCell::from("bill"),
        HtmlCell::from("as AWS charged it"),
        HtmlCell::from(difference.bill),
    ]);
    let title = format!(
        "From the design's {} to the bill of {}",
        difference.design.human(),
        difference.bill.human()
    );
    Ok(Chart {
        svg: charts::waterfall(&steps, &title),
        title,
        legend: vec![
            (TOTAL, "totals".to_string()),
            (MORE, "the bill is higher".to_string()),
            (LESS, "the bill is lower".to_string()),
        ],
        note: String::new(),
        numbers: numbers.folded(),
        hover: None,
    })
}

/// The bill by one thing.
fn by(grouping: Grouping, groups: &[Group]) -> HtmlTable {
    let mut names = Grouping::NAMES.iter();
    let name = names
        .find(|(_, known)| *known == grouping)
        .map_or("", |(name, _)| name);
    let mut table = HtmlTable::new(
        format!("The bill by {name}"),
        &["What", "#Billed", "#List price", "#Amortised"],
    );
    let mut ordered: Vec<&Group> = groups.iter().collect();
    if !matches!(grouping, Grouping::Day | Grouping::Month) {
        ordered.sort_by_key(|group| std::cmp::Reverse(group.amounts.billed));
    }
    for group in ordered {
        let key = &group.key;
        let what = match grouping {
            Grouping::Kind => key.kind.as_ref().map(BilledKind::name),
            Grouping::Region => key.region.clone(),
            Grouping::Day => key.start.map(|start| utc(start)[..10].to_string()),
            Grouping::Month => key.start.map(|start| utc(start)[..7].to_string()),
            _ => key.table.clone().or(key.resource.clone()),
        };
        let what = what.unwrap_or_else(|| "none".to_string());
        let what = match key.service.as_str() {
            "" => what,
            service => format!("{what} ({service})"),
        };
        table.row([
            HtmlCell::from(what),
            HtmlCell::from(group.amounts.billed),
            HtmlCell::from(group.amounts.list),
            HtmlCell::from(group.amounts.amortised),
        ]);
    }
    table.folded()
}
