//! The units of calls that were made for real, as text, Markdown, JSON and CSV.

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Body, Document};
use super::json::{decimal, pretty};
use super::present::Present;
use super::render::csv;
use super::render::text::clean;
use crate::drive::{Driven, DrivenPattern, DrivenUnits};
use crate::money::MoneyError;
use crate::table::Direction;
use crate::units::{Exact, count_of};

/// What a table or index is called in a row of units.
fn target(pattern: &DrivenPattern, units: &DrivenUnits) -> String {
    clean(units.index.as_deref().unwrap_or(&pattern.table))
}

fn refused(pattern: &DrivenPattern) -> u64 {
    pattern.refused.iter().map(|refused| refused.calls).sum()
}

fn known(units: Option<&Exact>) -> String {
    units.map_or_else(|| "unknown".to_string(), |units| units.human(6))
}

impl Driven {
    fn calls(&self) -> u64 {
        let own = self.patterns.iter().filter(|one| one.is_of_design);
        own.map(|one| one.answered + one.failed + one.unstated + refused(one))
            .sum()
    }

    fn differing(&self) -> impl Iterator<Item = &DrivenPattern> {
        self.patterns.iter().filter(|one| one.differs())
    }

    /// Whether anything is not what it must be.
    fn differs(&self) -> bool {
        self.differing().next().is_some()
    }

    fn headline(&self) -> String {
        let calls = count_of(self.calls(), "call");
        let design = || self.patterns.iter().filter(|one| one.is_of_design);
        let of = count_of(design().count() as u64, "access pattern");
        let differing = design().filter(|one| one.differs()).count();
        let incomplete = design().filter(|one| one.is_incomplete()).count();
        match (differing, incomplete) {
            (0, 0) if self.differs() => {
                format!("{calls}: the units of the items put beforehand differ")
            }
            (0, 0) if self.by_shares() => format!(
                "{calls}: every unit is as metered; shares of few calls differ from the estimate"
            ),
            (0, 0) => format!("{calls}: every unit is as the estimate expects"),
            (0, some) => format!("{calls}: calls of {some} of {of} have no answer with units"),
            (some, 0) => format!("{calls}: the units of {some} of {of} differ"),
            (some, others) => format!(
                "{calls}: the units of {some} of {of} differ, and calls of {others} have no answer \
                 with units"
            ),
        }
    }

    fn place(&self) -> String {
        let account = self.account.as_ref();
        let account = account.map_or(String::new(), |account| format!(", account {account}"));
        match &self.endpoint {
            Some(url) => format!("{} ({}{account})", clean(url), self.region),
            None => format!("Amazon DynamoDB in {}{account}", self.region),
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |pattern: &DrivenPattern, units: &DrivenUnits| {
            vec![
                clean(&pattern.access),
                Exact::from(pattern.answered).human(0),
                target(pattern, units),
                units.direction.word().to_string(),
                known(units.expected.as_ref()),
                units.metered.human(6),
                units.consumed.human(6),
            ]
        };
        let of = |pattern| {
            let pattern: &DrivenPattern = pattern;
            pattern.units.iter().map(move |units| row(pattern, units))
        };
        self.patterns.iter().flat_map(of).collect()
    }

    fn differences(&self) -> Vec<String> {
        let of = |pattern: &DrivenPattern| {
            let places = pattern
                .units
                .iter()
                .filter(|units| !units.agrees() || (pattern.is_certain && !units.is_as_expected()));
            let place = |units: &DrivenUnits| {
                let because: Vec<String> = units
                    .because
                    .iter()
                    .map(|because| because.to_string())
                    .collect();
                let because = match because.as_slice() {
                    [] => String::new(),
                    because => format!(" (a call: {})", because.join("; ")),
                };
                format!(
                    "{} {} units: {} expected{because}, {} metered, {} consumed",
                    target(pattern, units),
                    units.direction.word(),
                    known(units.expected.as_ref()),
                    units.metered.human(6),
                    units.consumed.human(6),
                )
            };
            let all: Vec<String> = places.map(place).collect();
            let first = pattern.difference.as_ref();
            let first = first.map_or(String::new(), |first| format!(". The first: {first}"));
            format!("{}: {}{first}", clean(&pattern.access), all.join("; "))
        };
        self.differing().map(of).collect()
    }

    fn by_shares(&self) -> bool {
        let is_by_share = |pattern: &DrivenPattern| {
            let mut units = pattern.units.iter();
            !pattern.is_certain && units.any(|units| units.agrees() && !units.is_as_expected())
        };
        self.patterns.iter().any(is_by_share)
    }

    fn unstated(&self) -> Vec<String> {
        let line = |one: &DrivenPattern, calls: u64, what: &str| {
            let line = || format!("{}: {} {what}", clean(&one.access), count_of(calls, "call"));
            (calls > 0).then(line)
        };
        let of = |one: &DrivenPattern| {
            [
                line(one, one.failed, "failed as the design says"),
                line(one, one.unstated, "had an answer without units"),
            ]
        };
        self.patterns.iter().flat_map(of).flatten().collect()
    }

    fn refused(&self) -> Vec<String> {
        let of = |pattern: &DrivenPattern| {
            let access = clean(&pattern.access);
            let one = |refused: &crate::drive::RefusedCalls| {
                format!(
                    "{access}: {}: {}, first: {}",
                    count_of(refused.calls, "call"),
                    clean(&refused.code),
                    clean(&refused.message)
                )
            };
            pattern.refused.iter().map(one).collect::<Vec<_>>()
        };
        self.patterns.iter().flat_map(of).collect()
    }
}

/// A run in JSON.
#[derive(JsonSchema, Serialize)]
pub(super) struct DrivenJson<'a> {
    schema: &'static str,
    endpoint: Option<&'a str>,
    region: &'a str,
    account: Option<&'a str>,
    calls: u64,
    agrees: bool,
    lines: u64,
    lines_that_differ: u64,
    tables: Vec<TableJson<'a>>,
    patterns: Vec<PatternJson<'a>>,
    not_called: Vec<LeftOutJson<'a>>,
    not_removed: &'a [String],
}

#[derive(JsonSchema, Serialize)]
struct TableJson<'a> {
    name: &'a str,
    made: bool,
    items_put: u64,
}

#[derive(JsonSchema, Serialize)]
struct LeftOutJson<'a> {
    table: &'a str,
    access: &'a str,
    why: &'a str,
}

#[derive(JsonSchema, Serialize)]
struct PatternJson<'a> {
    table: &'a str,
    access: &'a str,
    operation: Option<&'static str>,
    of_design: bool,
    answered: u64,
    failed_as_designed: u64,
    unstated: u64,
    refused: Vec<RefusedJson<'a>>,
    certain: bool,
    differs: bool,
    units: Vec<UnitsJson<'a>>,
    difference: Option<&'a str>,
}

#[derive(JsonSchema, Serialize)]
struct RefusedJson<'a> {
    code: &'a str,
    calls: u64,
    message: &'a str,
}

#[derive(JsonSchema, Serialize)]
struct UnitsJson<'a> {
    index: Option<&'a str>,
    direction: Direction,
    expected: Option<String>,
    metered: String,
    consumed: String,
    because: Vec<BecauseJson<'a>>,
}

#[derive(JsonSchema, Serialize)]
struct BecauseJson<'a> {
    text: &'a str,
    rule: Option<&'static str>,
}

impl<'a> PatternJson<'a> {
    fn of(one: &'a DrivenPattern) -> PatternJson<'a> {
        let units = |units: &'a DrivenUnits| UnitsJson {
            index: units.index.as_deref(),
            direction: units.direction,
            expected: units.expected.as_ref().map(decimal),
            metered: decimal(&units.metered),
            consumed: decimal(&units.consumed),
            because: units
                .because
                .iter()
                .map(|because| BecauseJson {
                    text: &because.text,
                    rule: because.rule,
                })
                .collect(),
        };
        let refused = one.refused.iter();
        PatternJson {
            table: &one.table,
            access: &one.access,
            operation: one.operation.map(|api| api.name()),
            of_design: one.is_of_design,
            answered: one.answered,
            failed_as_designed: one.failed,
            unstated: one.unstated,
            refused: refused
                .map(|refused| RefusedJson {
                    code: &refused.code,
                    calls: refused.calls,
                    message: &refused.message,
                })
                .collect(),
            certain: one.is_certain,
            differs: one.differs(),
            units: one.units.iter().map(units).collect(),
            difference: one.difference.as_deref(),
        }
    }
}

impl Present for Driven {
    fn document(&self) -> Result<Document, MoneyError> {
        let table = |one: &crate::drive::DrivenTable| {
            let what = match one.is_made {
                true => "made and removed",
                false => "used",
            };
            format!(
                "{} {what}, {} put beforehand",
                clean(&one.name),
                count_of(one.items, "item")
            )
        };
        let tables: Vec<String> = self.tables.iter().map(table).collect();
        let mut document = Document::new(self.headline())
            .note(format!("against {}", self.place()))
            .note(tables.join("; "));
        document.is_warning = !self.agrees();
        let header = [
            "Access pattern",
            "Calls",
            "Units of",
            "Direction",
            "Expected",
            "Metered",
            "Consumed",
        ];
        document.table("Units", &header, self.rows(), &[1, 4, 5, 6]);
        if self.by_shares() {
            let text = "Where metered and consumed agree and expected differs, the shares of sizes \
                        and numbers of items cannot be exactly those of the design.";
            document.part("", Body::Paragraph(text.to_string()));
        }
        document.warning("Differences", Body::List(self.differences()));
        document.part(
            "Calls whose units DynamoDB does not state",
            Body::List(self.unstated()),
        );
        document.warning("Calls that failed", Body::List(self.refused()));
        let left_out = self.left_out.iter();
        let left_out = left_out.map(|one| format!("{}: {}", clean(&one.access), clean(&one.why)));
        document.part("Not called", Body::List(left_out.collect()));
        document.warning("Not removed", Body::List(self.left.clone()));
        Ok(document)
    }

    fn json(&self) -> Result<String, MoneyError> {
        let tables = self.tables.iter();
        let left_out = self.left_out.iter();
        Ok(pretty(&DrivenJson {
            schema: "dynameter.drive/1",
            endpoint: self.endpoint.as_deref(),
            region: &self.region,
            account: self.account.as_deref(),
            calls: self.calls(),
            agrees: self.agrees(),
            lines: self.lines,
            lines_that_differ: self.lines_that_differ,
            tables: tables
                .map(|one| TableJson {
                    name: &one.name,
                    made: one.is_made,
                    items_put: one.items,
                })
                .collect(),
            patterns: self.patterns.iter().map(PatternJson::of).collect(),
            not_called: left_out
                .map(|one| LeftOutJson {
                    table: &one.table,
                    access: &one.access,
                    why: &one.why,
                })
                .collect(),
            not_removed: &self.left,
        }))
    }

    fn csv(&self) -> String {
        let header = [
            "table",
            "access",
            "operation",
            "calls",
            "index",
            "direction",
            "expected",
            "metered",
            "consumed",
            "certain",
            "failed_as_designed",
            "unstated",
            "refused",
        ];
        let row = |pattern: &DrivenPattern, units: &DrivenUnits| {
            let operation = pattern.operation.map_or("", |api| api.name());
            vec![
                pattern.table.clone(),
                pattern.access.clone(),
                operation.to_string(),
                pattern.answered.to_string(),
                units.index.clone().unwrap_or_default(),
                units.direction.word().to_string(),
                units.expected.as_ref().map(decimal).unwrap_or_default(),
                decimal(&units.metered),
                decimal(&units.consumed),
                pattern.is_certain.to_string(),
                pattern.failed.to_string(),
                pattern.unstated.to_string(),
                refused(pattern).to_string(),
            ]
        };
        let of = |pattern| {
            let pattern: &DrivenPattern = pattern;
            pattern.units.iter().map(move |units| row(pattern, units))
        };
        let rows: Vec<Vec<String>> = self.patterns.iter().flat_map(of).collect();
        csv::write(&header, &rows)
    }
}
