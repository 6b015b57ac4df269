//! The beginning of the page: the answer, what drives it, the changes worth most, and how certain it is.
//! Headings state the finding; the details behind them are folded below.

use super::design;
use super::money::{edit_of, share, tornado_chart};
use super::{Chart, ReportError};
use crate::compare::{Advice, Combination, Comparison, Payment, Utilization};
use crate::money::{Money, MoneyError};
use crate::report::compare::{advice_kind, advice_name, advice_tag, place};
use crate::report::estimate::{bound_mark, interval};
use crate::report::json::throughput_word;
use crate::report::render::text::{clean, signed};
use crate::review::{BillShare, Review};
use crate::units::Exact;

/// Parts of a bar that have a colour of their own; the rest are one.
const PARTS: usize = 5;

/// Rows of the bars by kind.
const KINDS: usize = 8;

/// Changes that are shown; the details list all of them.
const CHANGES: usize = 6;

/// Figures whose error is drawn.
const SWINGS: usize = 5;

/// Accounts whose use is shown.
const ACCOUNTS: usize = 6;

/// The beginning of the page.
pub(super) struct Front {
    pub cards: Vec<Card>,
    pub kinds: Bars,
    pub certain: Option<Finding>,
    pub changes: Changes,
    pub used: Option<Used>,
    pub week: Option<Finding>,
    pub warnings: Vec<String>,
}

/// A total: of the design, or of the design with changes.
pub(super) struct Card {
    pub label: &'static str,
    pub amount: String,
    pub exact: String,
    /// The difference from the design, in words; empty for the design itself.
    pub delta: String,
    /// What it is, in sentences.
    pub text: Vec<String>,
    /// Something that is not known of it.
    pub warning: String,
    pub parts: Vec<Part>,
}

/// A part of a bar: its colour, its name, its amount in words, and its width in percent.
pub(super) struct Part {
    pub color: usize,
    pub name: String,
    pub words: String,
    pub percent: String,
}

/// Bars below each other.
pub(super) struct Bars {
    pub title: String,
    pub rows: Vec<BarRow>,
}

pub(super) struct BarRow {
    pub name: String,
    pub percent: String,
    pub amount: String,
    pub exact: String,
    pub share: String,
}

/// A chart whose heading states what it shows.
pub(super) struct Finding {
    pub title: String,
    pub sub: String,
    pub chart: Chart,
}

/// What to change.
pub(super) struct Changes {
    pub title: String,
    pub sub: String,
    pub rows: Vec<ChangeRow>,
}

pub(super) struct ChangeRow {
    pub name: String,
    pub note: String,
    pub kind: &'static str,
    /// The class of its tag.
    pub tag: &'static str,
    pub saves: String,
    pub exact: String,
    pub percent: String,
    /// What to write in the file, with the lines.
    pub edit: String,
}

/// How much of a capacity is used, beside the use at which on demand costs the same.
pub(super) struct Used {
    pub title: String,
    pub rows: Vec<UsedRow>,
}

pub(super) struct UsedRow {
    pub name: String,
    /// Where the design is, and where the two cost the same, in percent of the width.
    pub here: String,
    pub equal: String,
    pub words: String,
}

pub(super) fn front(review: &Review) -> Result<Front, ReportError> {
    let comparison = &review.comparison;
    Ok(Front {
        cards: cards(review)?,
        kinds: kinds(review),
        certain: certain(comparison),
        changes: changes(review),
        used: used(review),
        week: week(review),
        warnings: comparison
            .outcome
            .warnings
            .iter()
            .map(|one| clean(one))
            .collect(),
    })
}

/// The width of a part of a whole.
fn width(part: Money, whole: Money) -> String {
    let percent = part.percent_of(whole);
    percent.map_or_else(|| "0".to_string(), |percent| format!("{percent:.2}"))
}

fn cards(review: &Review) -> Result<Vec<Card>, ReportError> {
    let comparison = &review.comparison;
    let mut all = vec![designed(review)?];
    let plain = &comparison.best_uncommitted;
    if plain.monthly < comparison.total {
        all.push(combined(
            "Without trade-offs",
            comparison,
            plain,
            plain.monthly,
        )?);
    }
    let best = &comparison.best;
    if let Some(mix) = &best.commitment {
        let monthly = best.monthly_with_commitment;
        let mut card = combined("With a commitment", comparison, best, monthly)?;
        card.text.insert(0, format!("{}.", mix.words()));
        all.push(card);
    }
    let (decided, committed) = (
        &comparison.best_with_decisions_uncommitted,
        &comparison.best_with_decisions,
    );
    if decided.monthly < plain.monthly {
        let mut card = combined("With trade-offs", comparison, decided, decided.monthly)?;
        if let Some(mix) = &committed.commitment {
            let with = committed.monthly_with_commitment.human();
            card.text.push(format!("{with} also with {}.", mix.words()));
        }
        all.push(card);
    }
    if all.len() == 1 {
        all.push(Card {
            label: "With changes",
            amount: String::new(),
            exact: String::new(),
            delta: String::new(),
            text: vec![match comparison.outcome.bill.unknown.is_empty() {
                true => "No alternative is cheaper.".to_string(),
                false => "No alternative makes the known costs lower.".to_string(),
            }],
            warning: String::new(),
            parts: Vec::new(),
        });
    }
    Ok(all)
}

/// The design as it is.
fn designed(review: &Review) -> Result<Card, ReportError> {
    let comparison = &review.comparison;
    let (outcome, total) = (&comparison.outcome, comparison.total);
    let missing = outcome.bill.unknown.len();
    let nothing_known = missing > 0 && outcome.bill.lines.is_empty();
    let by = if outcome.tables.len() > 1 {
        "table"
    } else {
        "kind"
    };
    let shares = shares(review, by);
    let mut text = Vec::new();
    if let Some(first) = shares.first() {
        let own = share(first.amount, total);
        text.push(format!("a month; {own} of it is {}", clean(&first.name)));
    } else {
        text.push("a month".to_string());
    }
    text.extend(outcome.uncertainty.as_ref().map(|sure| {
        format!(
            "{} to {} in 90 % of the draws from the ranges of the file",
            sure.low.human(),
            sure.high.human()
        )
    }));
    text.extend(
        review
            .baseline
            .as_ref()
            .map(super::money::changed)
            .transpose()?,
    );
    Ok(Card {
        label: "As designed",
        amount: match nothing_known {
            true => "unknown".to_string(),
            false => format!("{}{}", bound_mark(outcome.bill.bound()), total.human()),
        },
        exact: total.to_string(),
        delta: String::new(),
        text,
        warning: match missing {
            0 => String::new(),
            1 => {
                "One figure is unknown and not included in any total: see the working.".to_string()
            }
            _ => format!(
                "{missing} figures are unknown and not included in any total: see the working."
            ),
        },
        parts: parts(&shares, total)?,
    })
}

fn shares(review: &Review, by: &str) -> Vec<BillShare> {
    let found = review.spending.iter().find(|spending| spending.by == by);
    found.map_or_else(Vec::new, |spending| spending.shares.clone())
}

/// The largest parts, and the rest as one.
fn parts(shares: &[BillShare], total: Money) -> Result<Vec<Part>, MoneyError> {
    let part = |color: usize, name: String, amount: Money| Part {
        color,
        name,
        words: amount.human(),
        percent: width(amount, total),
    };
    let (first, rest) = shares.split_at(PARTS.min(shares.len()));
    let mut all: Vec<Part> = (1..)
        .zip(first)
        .map(|(color, one)| part(color, clean(&one.name), one.amount))
        .collect();
    if !rest.is_empty() {
        let sum = Money::sum(rest.iter().map(|one| one.amount))?;
        all.push(part(PARTS + 1, format!("{} others", rest.len()), sum));
    }
    Ok(all)
}

/// The design with changes.
fn combined(
    label: &'static str,
    comparison: &Comparison,
    combination: &Combination,
    monthly: Money,
) -> Result<Card, ReportError> {
    let delta = monthly.minus(comparison.total)?;
    let shown: Vec<String> = combination
        .changes
        .iter()
        .take(3)
        .map(|one| clean(one))
        .collect();
    let more = combination.changes.len().saturating_sub(3);
    let mut text = Vec::new();
    if !shown.is_empty() {
        let more = match more {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        text.push(format!("{}{more}.", shown.join("; ")));
    }
    Ok(Card {
        label,
        amount: format!(
            "{}{}",
            bound_mark(comparison.outcome.bill.bound()),
            monthly.human()
        ),
        exact: monthly.to_string(),
        delta: format!("{} ({})", signed(delta), share(delta, comparison.total)),
        text,
        warning: String::new(),
        parts: Vec::new(),
    })
}

/// What the month is made of.
fn kinds(review: &Review) -> Bars {
    let total = review.comparison.total;
    let shares = shares(review, "kind");
    let known = match review.comparison.outcome.bill.unknown.is_empty() {
        true => "the month",
        false => "the known costs",
    };
    let title = match shares.as_slice() {
        [] => "Nothing has a known price".to_string(),
        [only] => format!("All of {known} is {}", clean(&only.name)),
        [first, second, ..] => format!(
            "{} are {} of {known}, {} {}",
            capital(&clean(&first.name)),
            share(first.amount, total),
            clean(&second.name),
            share(second.amount, total)
        ),
    };
    let most = shares.first().map_or(Money::ZERO, |one| one.amount);
    let rows = shares.iter().take(KINDS).map(|one| BarRow {
        name: clean(&one.name),
        percent: width(one.amount, most),
        amount: one.amount.human(),
        exact: one.amount.to_string(),
        share: share(one.amount, total),
    });
    Bars {
        title,
        rows: rows.collect(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// How certain the total is: by the ranges of the file, else by an error of 50 % in one figure.
fn certain(comparison: &Comparison) -> Option<Finding> {
    if let Some(uncertainty) = &comparison.outcome.uncertainty {
        let title = match (uncertainty.low, uncertainty.high) {
            (low, high) if low == high => "The ranges of the file hardly matter".to_string(),
            (low, high) => format!(
                "The month costs {} to {} in 90 % of the draws",
                low.human(),
                high.human()
            ),
        };
        return Some(Finding {
            title,
            sub: interval(uncertainty),
            chart: super::money::range_chart(comparison, uncertainty, SWINGS),
        });
    }
    let total = comparison.total;
    let moves = comparison
        .swings
        .iter()
        .flat_map(|swing| [swing.low, swing.high]);
    let moves = moves.filter_map(|other| other.minus(total).ok());
    let most = moves
        .map(|one| {
            if one < Money::ZERO {
                Money::ZERO.minus(one).unwrap_or(one)
            } else {
                one
            }
        })
        .max()?;
    Some(Finding {
        title: format!(
            "An error of 50 % in one figure moves the total by at most {}",
            share(most, total)
        ),
        sub: "The total if one figure of the file is half, or one and a half times as large"
            .to_string(),
        chart: tornado_chart(comparison, SWINGS),
    })
}

/// What to change, the largest saving first.
fn changes(review: &Review) -> Changes {
    let comparison = &review.comparison;
    let advice = &comparison.advice;
    let most = advice.first().map_or(Money::ZERO, |one| one.saves);
    let title = match advice.as_slice() {
        [] => "No change saves anything on its own".to_string(),
        [only] => format!("One change saves {} a month", only.saves.human()),
        [first, ..] => format!(
            "{} changes save up to {} a month each",
            advice.len(),
            first.saves.human()
        ),
    };
    let more = advice.len().saturating_sub(CHANGES);
    let mut sub = match advice.len() {
        0 => String::new(),
        _ => "Each on its own; together they save less than their sum".to_string(),
    };
    if more > 0 {
        sub += &match more {
            1 => ". One more saves less, see the details".to_string(),
            more => format!(". {more} more save less, see the details"),
        };
    }
    if !review.flat.is_empty() && advice.iter().any(|one| one.kind.is_capacity()) {
        sub += ". The file gives no profile for some access patterns: if their traffic varies, provisioned \
                capacity saves less";
    }
    let row = |one: &Advice| ChangeRow {
        name: clean(&advice_name(one)),
        note: clean(one.risk.as_deref().unwrap_or(&one.why)),
        kind: advice_kind(one),
        tag: advice_tag(one),
        saves: one.saves.human(),
        exact: one.saves.to_string(),
        percent: width(one.saves, most),
        edit: edit_of(comparison, one),
    };
    Changes {
        title,
        sub,
        rows: advice.iter().take(CHANGES).map(row).collect(),
    }
}

/// Where the design is between on demand and provisioned.
fn used(review: &Review) -> Option<Used> {
    let mut accounts: Vec<(&Utilization, &Exact)> = review
        .curves
        .utilization
        .iter()
        .filter_map(|one| {
            let ways = (Payment::OnDemand, Payment::Fixed);
            let crossing = one.crossings.iter();
            let crossing = crossing.filter(|one| (one.payment_below, one.payment_above) == ways);
            Some((one, &crossing.min_by(|a, b| a.share.cmp(&b.share))?.share))
        })
        .collect();
    if accounts.is_empty() {
        return None;
    }
    let above = accounts
        .iter()
        .filter(|(one, equal)| one.here > **equal)
        .count();
    let title = match (above, accounts.len()) {
        (0, _) => "On demand costs less than fixed units everywhere".to_string(),
        (all, count) if all == count => {
            "Fixed units cost less than on demand everywhere".to_string()
        }
        (some, count) => format!("Fixed units cost less than on demand for {some} of {count}"),
    };
    accounts.sort_by_key(|(one, _)| std::cmp::Reverse(one.ways.first().map(|way| way.here)));
    let percent = |share: &Exact| (share * &Exact::from(100)).human(1);
    let rows = accounts.iter().take(ACCOUNTS).map(|(one, equal)| UsedRow {
        name: clean(&format!(
            "{}, {}s",
            place(Some(&one.table), one.index.as_ref()),
            throughput_word(one.throughput)
        )),
        here: on_scale(&one.here),
        equal: on_scale(equal),
        words: format!(
            "{} % used, equal at {} %",
            percent(&one.here),
            percent(equal)
        ),
    });
    Some(Used {
        title,
        rows: rows.collect(),
    })
}

/// A share on a scale from 0 to 100, for a place on the page.
fn on_scale(share: &Exact) -> String {
    let percent = share * &Exact::from(100);
    percent.min(Exact::from(100)).human(1)
}

/// The week of the account that costs most, if its demand varies.
fn week(review: &Review) -> Option<Finding> {
    let accounts = review.curves.utilization.iter();
    let largest = accounts.max_by_key(|one| one.ways.first().map(|way| way.here))?;
    let week = review
        .curves
        .weeks
        .iter()
        .find(|week| week.table == largest.table && week.index == largest.index)?;
    let (direction, hours) = design::largest_direction(week, largest.throughput.direction())?;
    let varies = hours.demand.windows(2).any(|pair| pair[0] != pair[1]);
    varies.then(|| {
        let name = clean(&place(Some(&week.table), week.index.as_ref()));
        let units = &hours.auto_scaled.units;
        let (least, most) = (units.iter().min(), units.iter().max());
        let shown = |units: Option<&u64>| Exact::from(units.copied().unwrap_or(0)).to_string();
        let demand = |share: Option<&Exact>| share.map_or_else(String::new, |units| units.human(0));
        Finding {
            title: format!(
                "{name}: auto scaling provides {} units for {} to {} units of {direction}",
                match least == most {
                    true => shown(least),
                    false => format!("{} to {}", shown(least), shown(most)),
                },
                demand(hours.demand.iter().min()),
                demand(hours.demand.iter().max())
            ),
            sub: "Units a second, hour by hour, in a simulated week".to_string(),
            chart: design::week_chart(week, direction, hours),
        }
    })
}
