//! The metering rules, each with its source.

use std::collections::BTreeMap;

use super::document::{Body, Document, Table};
use super::json::pretty;
use super::present::Present;
use super::render::csv;
use super::render::text::Style;
use crate::money::MoneyError;
use crate::rules::MeteringRule;
use crate::units::count_of;

/// Metering rules, each with its source and its grade.
pub struct MeteringRules(pub Vec<&'static MeteringRule>);

/// What the grades mean.
const GRADES: &str = "grade A: AWS documents it, or it was measured on AWS\n\
                      grade B: third-party captures of AWS show it, or it follows from rules of grade A\n\
                      grade C: sources disagree, or AWS does not document it";

const HEADER: [&str; 4] = ["rule", "text", "source", "grade"];

impl MeteringRules {
    fn headline(&self) -> String {
        count_of(self.0.len() as u64, "metering rule")
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |rule: &&MeteringRule| {
            [rule.id, rule.text, rule.source, rule.grade.name()]
                .map(str::to_string)
                .to_vec()
        };
        self.0.iter().map(row).collect()
    }
}

impl Present for MeteringRules {
    fn document(&self) -> Result<Document, MoneyError> {
        let mut document = GRADES
            .lines()
            .fold(Document::new(self.headline()), Document::note);
        document.part("", Body::Table(Table::new(&HEADER, self.rows(), &[])));
        Ok(document)
    }

    fn text(&self, style: Style) -> Result<String, MoneyError> {
        let rules: String = self.0.iter().map(|rule| rule_text(rule, style)).collect();
        let headline = style.strong(&self.headline());
        let grades = GRADES
            .lines()
            .flat_map(|line| style.wrapped(line, "", "    "));
        let grades: String = grades.map(|line| style.quiet(&line) + "\n").collect();
        Ok(format!("{headline}\n{grades}\n{rules}"))
    }

    fn json(&self) -> Result<String, MoneyError> {
        Ok(pretty(&serde_json::json!({
            "schema": "dynameter.rules/1",
            "rules": rule_rows(&self.0),
        })))
    }

    fn csv(&self) -> String {
        csv::write(&HEADER, &self.rows())
    }
}

/// A rule with its source, as text.
pub(super) fn rule_text(rule: &MeteringRule, style: Style) -> String {
    const REST: &str = "        ";
    let source = format!("Source: {} (grade {})", rule.source, rule.grade.name());
    let text = style.lines(rule.text, &format!("  {:<5} ", rule.id), REST);
    text + &style.lines(&source, REST, REST)
}

/// Rules with their sources, for JSON.
pub(super) fn rule_rows(
    rules: &[&'static MeteringRule],
) -> Vec<BTreeMap<&'static str, &'static str>> {
    let row = |rule: &&'static MeteringRule| {
        BTreeMap::from([
            ("rule", rule.id),
            ("text", rule.text),
            ("source", rule.source),
            ("grade", rule.grade.name()),
        ])
    };
    rules.iter().map(row).collect()
}
