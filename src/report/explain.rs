//! The working behind every line: quantity, rate, amount, and the rules and documents they are
//! based on.

use super::document::Document;
use super::estimate::{
    ONCE_TITLE, conventions, estimate_csv, headline, switches, usage_name, what, what_of,
};
use super::json::explain::explain_json;
use super::lines::LineFilter;
use super::present::{Present, together};
use super::render::text::{Style, clean};
use super::rules::rule_text;
use crate::money::{Money, MoneyError};
use crate::outcome::{Outcome, rules_of};
use crate::pricing::LineItem;
use crate::units::group_thousands;

/// Estimates with the working behind every line, or behind some of them.
pub struct Explanation<'a> {
    /// The estimates.
    pub outcomes: &'a [Outcome],
    /// Which lines are explained.
    pub filter: &'a LineFilter,
}

impl Present for Explanation<'_> {
    fn document(&self) -> Result<Document, MoneyError> {
        let documents = self.outcomes.iter().map(Present::document);
        Ok(together(documents.collect::<Result<_, _>>()?))
    }

    fn text(&self, style: Style) -> Result<String, MoneyError> {
        let text = |outcome| explain_text(outcome, self.filter, style);
        let texts = self.outcomes.iter().map(text);
        Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    fn markdown(&self) -> Result<String, MoneyError> {
        let text = self.text(Style::default())?;
        Ok(format!("```text\n{text}```\n"))
    }

    fn json(&self) -> Result<String, MoneyError> {
        explain_json(self.outcomes, self.filter)
    }

    fn csv(&self) -> String {
        let shown = |outcome: &Outcome| {
            let lines = self.filter.of(outcome);
            let mut outcome = outcome.clone();
            if !lines.is_all {
                let monthly = lines.monthly.iter().flat_map(|(_, lines)| lines);
                outcome.bill.lines = monthly.map(|(_, line)| (*line).clone()).collect();
                outcome.once.lines = lines.once.iter().map(|(_, line)| (*line).clone()).collect();
                outcome.bill.unknown.clear();
                outcome.once.unknown.clear();
            }
            outcome
        };
        estimate_csv(&self.outcomes.iter().map(shown).collect::<Vec<_>>())
    }
}

/// Every line with its working, as text.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
fn explain_text(
    outcome: &Outcome,
    filter: &LineFilter,
    style: Style,
) -> Result<String, MoneyError> {
    let mut text = format!("{}\n", style.strong(&headline(outcome)?));
    for line in style.wrapped(&conventions(outcome), "", "") {
        text += &format!("{}\n", style.quiet(&line));
    }
    let shown = filter.of(outcome);
    let sections = outcome.sections();
    for (name, lines) in &shown.monthly {
        let own = sections.iter().find(|section| section.name == *name);
        let total = own
            .map_or(Ok(Money::ZERO), |section| section.total())?
            .human();
        let title = format!("{}  {total}", clean(name));
        text += &format!("\n{}\n", style.strong(&title));
        let lines = lines.iter();
        text += &lines
            .map(|(number, line)| explained(*number, line, outcome, style))
            .collect::<String>();
    }
    if !shown.once.is_empty() {
        let title = format!("{ONCE_TITLE}  {}", outcome.once.total()?.human());
        text += &format!("\n{}\n", style.strong(&title));
        for (number, line) in &shown.once {
            text += &explained(*number, line, outcome, style);
        }
    }
    if !shown.is_all {
        text += &format!("\n{}\n", style.strong("Rules"));
        for rule in rules_of(shown.all().map(|(_, line)| *line)) {
            text += &rule_text(rule, style);
        }
        return Ok(text);
    }
    for unknown in &outcome.bill.unknown {
        let rate = unknown.rate.as_ref().map_or_else(
            || "its rate is also unknown".to_string(),
            |rate| format!("${} a unit", rate.rate),
        );
        let place = what(&unknown.subject, "(table)", &outcome.region);
        text += &format!(
            "\n{} {}: {}; {rate}\n    {}\n",
            style.warning("unknown"),
            clean(&place),
            clean(&unknown.what),
            clean(&unknown.why)
        );
    }
    text += &format!("\n{}\n", style.strong("Rules"));
    for rule in outcome.rules() {
        text += &rule_text(rule, style);
    }
    text += &format!("\n{}\n", style.strong("Sources of prices"));
    for (key, source) in outcome.documents() {
        text += &style.lines(&format!("{key}: {source}"), "  ", "      ");
    }
    for (title, list) in [
        ("Warnings", &outcome.warnings),
        ("Assumptions", &outcome.assumptions),
        ("Switches", &switches(outcome)),
    ] {
        if !list.is_empty() {
            text += &format!("\n{}\n", style.strong(title));
            let items = list.iter();
            text += &items
                .map(|item| style.lines(&clean(item), "  - ", "    "))
                .collect::<String>();
        }
    }
    Ok(text)
}

/// What stands before the further lines of a figure.
const REST: &str = "            ";

fn explained(number: usize, line: &LineItem, outcome: &Outcome, style: Style) -> String {
    let published = &line.published;
    let (quantity, unit) = (
        group_thousands(&line.quantity.to_string()),
        line.usage_type.unit(),
    );
    let heading = format!(
        "{number}. {}: {}",
        clean(&what_of(line, &outcome.region)),
        usage_name(line)
    );
    let mut text = format!("\n{}\n", style.strong(&heading));
    for (at, because) in line.because.iter().enumerate() {
        let label = if at == 0 { "quantity" } else { "" };
        let first = format!("  {label:<9} ");
        text += &style.lines(&clean(&because.to_string()), &first, REST);
    }
    let since = if published.first_seen {
        "first seen on"
    } else {
        "in force since"
    };
    let tier = if line.tier_from > 0 {
        format!(
            ", tier from {} {unit} upwards",
            group_thousands(&line.tier_from.to_string())
        )
    } else {
        String::new()
    };
    let rate = match published.rate.per_million() {
        Some(million) if line.usage_type.is_priced_by_the_million() => {
            format!("${million} per million {unit}")
        }
        _ => format!("${} per {unit}", published.rate),
    };
    let rate = format!("{rate}{tier}, {since} {}", published.effective_from);
    text += &style.lines(&rate, "  rate      ", REST);
    let book = format!(
        "book of {} at {}: {}; source {} ({} confidence)",
        line.subject.region, outcome.prices, published.code, published.source, published.confidence
    );
    text += &style.lines(&book, REST, REST);
    text += &format!(
        "  {:<9} {quantity} {unit} x ${} = {}\n",
        "amount",
        published.rate,
        line.amount.human()
    );
    text
}
