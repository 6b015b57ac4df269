//! What a design change costs: two outcomes, line by line, with the reason for each difference.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rust_decimal::Decimal;

use crate::estimate::ChangeOnce;
use crate::money::{Money, MoneyError};
use crate::outcome::Outcome;
use crate::pricing::{LineItem, Unknown};
use crate::usage::{ACCOUNT, Subject, UsageType};

/// Two outcomes and what differs between them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Difference {
    /// The design before.
    pub old: Outcome,
    /// The design after.
    pub new: Outcome,
    /// The lines that differ, the largest change first.
    pub lines: Vec<ChangedLine>,
    /// How many lines are the same in both.
    pub unchanged: usize,
    /// The change of the total of each table in either design.
    pub tables: Vec<(String, Money)>,
    /// Costs that were known before and are unknown now.
    pub newly_unknown: Vec<Unknown>,
    /// Costs that were unknown before and are now known or removed.
    pub no_longer_unknown: Vec<Unknown>,
    /// Warnings of the new design that the old one did not have.
    pub new_warnings: Vec<String>,
    /// The known part of the new total minus the known part of the old one.
    pub delta: Money,
    /// What the change itself causes once; nothing if the designs are not known.
    pub once: ChangeOnce,
}

/// By how much a total changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotalChange {
    /// By this amount; costs that are unknown in both designs in the same way are left out.
    Known(Money),
    /// Something is unknown on one side only.
    Unknown,
}

impl Difference {
    /// The same difference with what the change causes once.
    pub fn with_once(self, once: ChangeOnce) -> Difference {
        Difference { once, ..self }
    }

    /// What each design pays once, before and after; `None` if both pay the same.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] if a sum has more than 28 digits.
    pub fn once_of_designs(&self) -> Result<Option<(Money, Money)>, MoneyError> {
        let (before, after) = (self.old.once.total()?, self.new.once.total()?);
        Ok((before != after).then_some((before, after)))
    }

    /// By how much the total changes.
    pub fn change(&self) -> TotalChange {
        match self.newly_unknown.is_empty() && self.no_longer_unknown.is_empty() {
            true => TotalChange::Known(self.delta),
            false => TotalChange::Unknown,
        }
    }

    /// By how much the total of a table changes.
    pub fn change_of(&self, table: &str, delta: Money) -> TotalChange {
        let of_table = |unknown: &&Unknown| unknown.subject.is_of(table);
        match self
            .newly_unknown
            .iter()
            .chain(&self.no_longer_unknown)
            .find(of_table)
        {
            None => TotalChange::Known(delta),
            Some(_) => TotalChange::Unknown,
        }
    }
}

/// One line of a bill before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedLine {
    /// The table, index, region and access pattern that it is for.
    pub subject: Subject,
    /// What is billed.
    pub usage_type: UsageType,
    /// Before; `None` where the line is new.
    pub old: Option<Side>,
    /// After; `None` where the line is gone.
    pub new: Option<Side>,
    /// The new amount minus the old one.
    pub delta: Money,
    /// Why it changed.
    pub why: Vec<String>,
}

/// Quantity, rate and amount of a line on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// The quantity.
    pub quantity: Decimal,
    /// The rate.
    pub rate: Decimal,
    /// The amount.
    pub amount: Money,
}

impl Side {
    fn of(line: &LineItem) -> Side {
        Side {
            quantity: line.quantity,
            rate: line.published.rate.decimal(),
            amount: line.amount,
        }
    }
}

/// Table, index, region unless it is the home region, access pattern, usage type and tier.
type LineKey<'a> = (
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    &'a UsageType,
    u64,
);

/// What identifies a line in both designs: its place, its usage type and its tier.
///
/// The home region counts as the same place in both designs, so that a move to another region shows
/// as a change of rates.
fn key<'a>(line: &'a LineItem, home: &str) -> LineKey<'a> {
    let Subject {
        table,
        index,
        region,
        access,
    } = &line.subject;
    let in_replicas = (region != home).then_some(region.as_str());
    (
        table.as_deref(),
        index.as_deref(),
        in_replicas,
        access.as_deref(),
        &line.usage_type,
        line.published.tier_from,
    )
}

/// What differs between two outcomes.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
pub fn diff(old: &Outcome, new: &Outcome) -> Result<Difference, MoneyError> {
    let mut lines = Vec::new();
    let mut unchanged = 0;
    // Lines with the same key are paired in their order.
    let mut left: BTreeMap<LineKey, VecDeque<(usize, &LineItem)>> = BTreeMap::new();
    for (at, after) in new.bill.lines.iter().enumerate() {
        let same = left.entry(key(after, &new.region)).or_default();
        same.push_back((at, after));
    }
    for before in &old.bill.lines {
        let same = left.get_mut(&key(before, &old.region));
        let after = same.and_then(VecDeque::pop_front).map(|(_, after)| after);
        match after {
            Some(after) if Side::of(before) == Side::of(after) => unchanged += 1,
            after => lines.push(changed(Some(before), after)?),
        }
    }
    let mut left: Vec<(usize, &LineItem)> = left.into_values().flatten().collect();
    left.sort_by_key(|(at, _)| *at);
    for (_, after) in left {
        lines.push(changed(None, Some(after))?);
    }
    lines.sort_by(|one, other| {
        let size = |line: &ChangedLine| line.delta.decimal().abs();
        size(other)
            .cmp(&size(one))
            .then_with(|| (&one.subject, &one.usage_type).cmp(&(&other.subject, &other.usage_type)))
    });
    let known: BTreeSet<&String> = old.tables.iter().collect();
    let added = new.tables.iter().filter(|name| !known.contains(name));
    let names = old.tables.iter().chain(added);
    let (totals, totals_before) = (new.totals()?, old.totals()?);
    let of = |totals: &BTreeMap<&str, Money>, name: &str| {
        totals.get(name).copied().unwrap_or(Money::ZERO)
    };
    let table = |name: &String| {
        let change = of(&totals, name).minus(of(&totals_before, name))?;
        Ok((name.clone(), change))
    };
    let account = [old, new]
        .into_iter()
        .any(|one| one.account_lines().next().is_some());
    let amount = |one: &Outcome| Money::sum(one.account_lines().map(|line| line.amount));
    let of_account = (ACCOUNT.to_string(), amount(new)?.minus(amount(old)?)?);
    let only = |some: &Outcome, other: &Outcome| -> Vec<Unknown> {
        let known = |one: &&Unknown| {
            !other
                .bill
                .unknown
                .iter()
                .any(|two| two.subject == one.subject && two.what == one.what)
        };
        some.bill.unknown.iter().filter(known).cloned().collect()
    };
    Ok(Difference {
        delta: new.total()?.minus(old.total()?)?,
        tables: names
            .map(table)
            .chain(account.then_some(of_account).map(Ok))
            .collect::<Result<_, MoneyError>>()?,
        newly_unknown: only(new, old),
        no_longer_unknown: only(old, new),
        new_warnings: new
            .warnings
            .iter()
            .filter(|warning| !old.warnings.contains(warning))
            .cloned()
            .collect(),
        lines,
        unchanged,
        once: ChangeOnce::default(),
        old: old.clone(),
        new: new.clone(),
    })
}

fn changed(old: Option<&LineItem>, new: Option<&LineItem>) -> Result<ChangedLine, MoneyError> {
    let amount = |line: Option<&LineItem>| line.map_or(Money::ZERO, |line| line.amount);
    let (subject, usage_type) = match (new, old) {
        (Some(line), _) | (None, Some(line)) => (line.subject.clone(), line.usage_type.clone()),
        (None, None) => (
            Subject {
                table: None,
                index: None,
                region: String::new(),
                access: None,
            },
            UsageType::of_code(""),
        ),
    };
    Ok(ChangedLine {
        subject,
        usage_type,
        old: old.map(Side::of),
        new: new.map(Side::of),
        delta: amount(new).minus(amount(old))?,
        why: why(old, new),
    })
}

/// The working that differs, and the rate if it changed.
fn why(old: Option<&LineItem>, new: Option<&LineItem>) -> Vec<String> {
    let texts = |line: Option<&LineItem>| -> Vec<String> {
        line.iter()
            .flat_map(|line| &line.because)
            .map(ToString::to_string)
            .collect()
    };
    let (before, after) = (texts(old), texts(new));
    let mut why = Vec::new();
    if let (Some(old), Some(new)) = (old, new)
        && old.published.rate != new.published.rate
    {
        let (before, after) = (&old.published, &new.published);
        why.push(format!(
            "the rate changed from ${} ({}) to ${} ({})",
            before.rate, before.effective_from, after.rate, after.effective_from
        ));
    }
    match (old, new) {
        (None, _) => why.extend(after.into_iter().map(|text| format!("new: {text}"))),
        (_, None) => why.extend(before.into_iter().map(|text| format!("was: {text}"))),
        _ => {
            why.extend(
                before
                    .iter()
                    .filter(|text| !after.contains(text))
                    .map(|text| format!("was: {text}")),
            );
            why.extend(
                after
                    .iter()
                    .filter(|text| !before.contains(text))
                    .map(|text| format!("now: {text}")),
            );
        }
    }
    why
}
