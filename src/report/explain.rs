//! The working behind every line: quantity, rate, amount, and the rules and documents they are
//! based on.

use super::document::Document;
use super::estimate::{
    ONCE_TITLE, conventions, estimate_csv, headline, switches, usage_name, what, what_of,
};
use super::json::explain::explain_json;
use super::present::{Present, together};
use super::render::text::{Style, clean};
use super::rules::rule_text;
use crate::money::MoneyError;
use crate::outcome::Outcome;
use crate::pricing::LineItem;
use crate::units::group_thousands;

/// Estimates with the working behind every line.
pub struct Explanation<'a>(pub &'a [Outcome]);

impl Present for Explanation<'_> {
    fn document(&self) -> Result<Document, MoneyError> {
        let documents = self.0.iter().map(Present::document);
        Ok(together(documents.collect::<Result<_, _>>()?))
    }

    fn text(&self, style: Style) -> Result<String, MoneyError> {
        let texts = self.0.iter().map(|outcome| explain_text(outcome, style));
        Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
    }

    fn markdown(&self) -> Result<String, MoneyError> {
        let text = self.text(Style::default())?;
        Ok(format!("```text\n{text}```\n"))
    }

    fn json(&self) -> Result<String, MoneyError> {
        explain_json(self.0)
    }

    fn csv(&self) -> String {
        estimate_csv(self.0)
    }
}

/// Every line with its working, as text.
///
/// # Errors
/// [`MoneyError::TooLarge`] where a sum has more than 28 digits.
fn explain_text(outcome: &Outcome, style: Style) -> Result<String, MoneyError> {
    let mut text = format!("{}\n", style.strong(&headline(outcome)?));
    text += &format!("{}\n", style.quiet(&conventions(outcome)));
    let mut number = 0;
    for section in outcome.sections() {
        let (name, total) = (clean(section.name), section.total()?.human());
        text += &format!("\n{}\n", style.strong(&format!("{name}  {total}")));
        for line in section.lines {
            number += 1;
            text += &explained(number, line, outcome, style);
        }
    }
    if !outcome.once.lines.is_empty() {
        let title = format!("{ONCE_TITLE}  {}", outcome.once.total()?.human());
        text += &format!("\n{}\n", style.strong(&title));
        for line in &outcome.once.lines {
            number += 1;
            text += &explained(number, line, outcome, style);
        }
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
        text += &rule_text(rule);
    }
    text += &format!("\n{}\n", style.strong("Sources of prices"));
    for (key, source) in outcome.documents() {
        text += &format!("  {key}: {source}\n");
    }
    for (title, list) in [
        ("Warnings", &outcome.warnings),
        ("Assumptions", &outcome.assumptions),
        ("Switches", &switches(outcome)),
    ] {
        if !list.is_empty() {
            text += &format!("\n{}\n", style.strong(title));
            text += &list
                .iter()
                .map(|item| format!("  - {}\n", clean(item)))
                .collect::<String>();
        }
    }
    Ok(text)
}

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
        text += &format!("  {label:<9} {}\n", clean(&because.to_string()));
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
    text += &format!(
        "  {:<9} ${} per {unit}{tier}, {since} {}\n",
        "rate", published.rate, published.effective_from
    );
    text += &format!(
        "  {:<9} book of {} at {}: {}; source {} ({} confidence)\n",
        "",
        line.subject.region,
        outcome.prices,
        published.code,
        published.source,
        published.confidence
    );
    text += &format!(
        "  {:<9} {quantity} {unit} x ${} = {}\n",
        "amount",
        published.rate,
        line.amount.human()
    );
    text
}
