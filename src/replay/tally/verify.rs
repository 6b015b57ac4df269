//! Compares AWS's figures with the meter's: every ConsumedCapacity in the trace, separately for the
//! table and each index.

use std::collections::BTreeMap;

use serde_json::Value;

use super::merge::Merge;
use crate::meter::{ConsumedCapacity, TargetCapacity};
use crate::table::{
    Arn, Direction, IndexKind, Operation, Table, TransactionAction, Transition, Write,
};
use crate::trace::{RowPlace, Time};
use crate::units::{Bytes, Exact};

/// Whether AWS's figures in a trace are compared with the meter's, and how many differences are
/// kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Nothing is compared.
    #[default]
    No,
    /// Everything is compared, and the first ten differences are kept.
    First,
    /// Everything is compared, and every difference is kept.
    All,
}

impl Verify {
    /// The values of the option.
    pub const NAMES: [(&'static str, Verify); 2] = [("first", Verify::First), ("all", Verify::All)];

    /// The word in settings.
    pub fn word(self) -> &'static str {
        match self {
            Verify::No => "no",
            Verify::First => "first",
            Verify::All => "all",
        }
    }

    /// An empty verification; `None` if nothing is compared.
    pub fn begin(self) -> Option<Verification> {
        let kept = match self {
            Verify::No => return None,
            Verify::First => Some(SHOWN),
            Verify::All => None,
        };
        Some(Verification {
            kept,
            ..Verification::default()
        })
    }
}

/// How often the figures of AWS (or of an emulator) agree with the meter's.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Verification {
    /// How many differences are kept; `None` for all.
    kept: Option<usize>,
    /// Lines with a ConsumedCapacity.
    pub checked: u64,
    /// Lines whose ConsumedCapacity differs from the meter's.
    pub mismatches: u64,
    /// The differences that are kept.
    pub first: Vec<VerifyDifference>,
    /// Stream records that state their size.
    pub sizes_checked: u64,
    /// How many of these state a size that differs from the calculated size.
    pub size_mismatches: u64,
    /// The differences in size that are kept.
    pub first_sizes: Vec<SizeDifference>,
    /// The units of all lines that were compared, by what they are of.
    pub units: BTreeMap<VerifiedTarget, VerifiedUnits>,
}

/// What units that were compared are of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct VerifiedTarget {
    /// The table.
    pub table: String,
    /// The caller that the lines name; empty if they name none.
    pub caller: String,
    /// The index; `None` for the table itself, and for an answer that gives only its total.
    pub index: Option<String>,
    /// Reads or writes.
    pub direction: Direction,
}

/// The units of some lines, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VerifiedUnits {
    /// What AWS (or an emulator) states.
    pub stated: u128,
    /// What the meter computes.
    pub metered: u128,
}

/// The parts of a unit in which sums are kept: an emulator may state any fraction.
const UNIT_PARTS: u64 = 1_000_000;

fn parts_of(units: &Exact) -> u128 {
    let parts = (units * &Exact::from(UNIT_PARTS)).ceil();
    parts.to_u64().map_or(u128::MAX, u128::from)
}

impl VerifiedUnits {
    /// The units that AWS (or an emulator) states.
    pub fn stated(&self) -> Exact {
        Exact::whole(self.stated) / Exact::from(UNIT_PARTS)
    }

    /// The units that the meter computes.
    pub fn metered(&self) -> Exact {
        Exact::whole(self.metered) / Exact::from(UNIT_PARTS)
    }
}

/// A stream record whose stated size differs from the calculated size.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SizeDifference {
    /// The time of the event and its place, by which differences are ordered.
    pub order: (Time, RowPlace),
    /// The file and the line.
    pub place: String,
    /// The size that the record states.
    pub said: Bytes,
    /// The calculated size.
    pub weighed: Bytes,
}

/// One difference, with the input of the meter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct VerifyDifference {
    /// The time of the event and its place, by which differences are ordered.
    pub order: (Time, RowPlace),
    /// The file and the line.
    pub place: String,
    /// The API call.
    pub operation: String,
    /// The caller that the line names; empty if it names none.
    pub caller: String,
    /// The table.
    pub table: String,
    /// The values that differ (totals, the table, indexes): name, AWS's value, the meter's value.
    pub targets: Vec<(String, String, String)>,
    /// The input of the meter.
    pub working: String,
}

/// How many differences are shown.
const SHOWN: usize = 10;

/// The units of a ConsumedCapacity, or of a list of them together; `None` if one of them gives no
/// units.
pub fn answered(answers: &Value) -> Option<Exact> {
    let one = |answer: &Value| stated_number(answer.get("CapacityUnits"));
    match answers {
        Value::Array(list) => list.iter().map(one).sum(),
        answer => one(answer),
    }
}

/// A number of a ConsumedCapacity.
pub fn stated_number(value: Option<&Value>) -> Option<Exact> {
    let number = match value? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Exact::parse(&number)
}

fn units(target: &TargetCapacity) -> Exact {
    target.read.exact() + target.write.exact()
}

impl Verification {
    /// A line whose bytes of a vector index differ from the meter's.
    pub fn vectors_differ(&mut self, difference: VerifyDifference) {
        self.mismatches += 1;
        if self.keeps(self.first.len()) {
            self.first.push(difference);
        }
    }

    /// Compares the ConsumedCapacity of one line with the meter's results for it, table by table.
    pub fn check(
        &mut self,
        (order, place): ((Time, RowPlace), impl Fn() -> String),
        (api, caller): (&str, &str),
        answers: &Value,
        metered: &[(&Table, &Operation, &ConsumedCapacity)],
    ) {
        let answers: Vec<&Value> = match answers {
            Value::Array(list) => list.iter().collect(),
            one => vec![one],
        };
        self.checked += 1;
        let mut differences = Vec::new();
        for answer in &answers {
            let name = answer["TableName"]
                .as_str()
                .map(|name| Arn::of(name).table())
                .unwrap_or_default();
            match metered
                .iter()
                .find(|(table, ..)| name.is_empty() || table.name == name)
            {
                Some((table, operation, consumed)) => {
                    let of = OfLine {
                        caller,
                        direction: operation.direction(),
                    };
                    self.add_units(&of, answer, table, consumed);
                    let targets = compared(answer, table, consumed);
                    if !targets.is_empty() {
                        differences.push((
                            table.name.clone(),
                            targets,
                            described(operation, table),
                        ));
                    }
                }
                None => {
                    let total =
                        stated_number(answer.get("CapacityUnits")).unwrap_or_else(Exact::zero);
                    if !total.is_zero() {
                        let targets = vec![of_total(&total.to_string(), "nothing")];
                        differences.push((
                            name.to_string(),
                            targets,
                            "the call does not use the table".to_string(),
                        ));
                    }
                }
            }
        }
        // A list contains every table that consumed units.
        for (table, operation, consumed) in metered {
            let named = answers.iter().any(|answer| {
                answer["TableName"]
                    .as_str()
                    .is_none_or(|name| Arn::of(name).table() == table.name)
            });
            let total = units(&consumed.total());
            if !named && !total.is_zero() {
                let targets = vec![of_total("nothing", &total.to_string())];
                differences.push((table.name.clone(), targets, described(operation, table)));
            }
        }
        if differences.is_empty() {
            return;
        }
        self.mismatches += 1;
        for (table, targets, working) in differences {
            if self.keeps(self.first.len()) {
                self.first.push(VerifyDifference {
                    order,
                    place: place(),
                    operation: api.to_string(),
                    caller: caller.to_string(),
                    table,
                    targets,
                    working,
                });
            }
        }
    }

    /// Adds the units of one answer, of the table and of each index.
    fn add_units(
        &mut self,
        line: &OfLine,
        answer: &Value,
        table: &Table,
        consumed: &ConsumedCapacity,
    ) {
        let mut add = |index: Option<&str>, stated: Exact, metered: Exact| {
            if stated.is_zero() && metered.is_zero() {
                return;
            }
            let of = VerifiedTarget {
                table: table.name.clone(),
                caller: line.caller.to_string(),
                index: index.map(str::to_string),
                direction: line.direction,
            };
            let sum = self.units.entry(of).or_default();
            sum.stated = sum.stated.saturating_add(parts_of(&stated));
            sum.metered = sum.metered.saturating_add(parts_of(&metered));
        };
        if !has_levels(answer) {
            // Only the total is stated; it stands with the table.
            let stated = stated_number(answer.get("CapacityUnits")).unwrap_or_else(Exact::zero);
            add(None, stated, units(&consumed.of_table()));
            for (index, target) in table.indexes.iter().zip(&consumed.indexes) {
                add(Some(&index.name), Exact::zero(), units(target));
            }
            return;
        }
        add(None, units_of(answer.get("Table")), units(&consumed.table));
        for (index, target) in table.indexes.iter().zip(&consumed.indexes) {
            // moto files every index as a local one.
            let stated = LEVELS[1..]
                .iter()
                .find_map(|level| answer.get(*level)?.get(&index.name));
            add(Some(&index.name), units_of(stated), units(target));
        }
    }

    fn keeps(&self, count: usize) -> bool {
        self.kept.is_none_or(|kept| count < kept)
    }

    /// Compares the size that a stream record states with the calculated size of its keys and
    /// images.
    pub fn check_size(
        &mut self,
        order: (Time, RowPlace),
        place: impl Fn() -> String,
        said: Bytes,
        weighed: Bytes,
    ) {
        self.sizes_checked += 1;
        if said != weighed {
            self.size_mismatches += 1;
            if self.keeps(self.first_sizes.len()) {
                self.first_sizes.push(SizeDifference {
                    order,
                    place: place(),
                    said,
                    weighed,
                });
            }
        }
    }
}

impl Merge for Verification {
    fn merge_from(&mut self, other: Verification) {
        self.checked += other.checked;
        self.mismatches += other.mismatches;
        self.first.extend(other.first);
        self.first.sort_by_key(|difference| difference.order);
        self.first.truncate(self.kept.unwrap_or(usize::MAX));
        self.sizes_checked += other.sizes_checked;
        self.size_mismatches += other.size_mismatches;
        self.first_sizes.extend(other.first_sizes);
        self.first_sizes.sort_by_key(|difference| difference.order);
        self.first_sizes.truncate(self.kept.unwrap_or(usize::MAX));
        for (of, units) in other.units {
            let sum = self.units.entry(of).or_default();
            sum.stated = sum.stated.saturating_add(units.stated);
            sum.metered = sum.metered.saturating_add(units.metered);
        }
    }
}

/// A difference of totals: what is stated, and what is metered.
fn of_total(stated: &str, metered: &str) -> (String, String, String) {
    ("total".to_string(), stated.to_string(), metered.to_string())
}

/// What a line says of its call.
struct OfLine<'a> {
    caller: &'a str,
    direction: Direction,
}

/// The levels at which a ConsumedCapacity lists units, the table first.
const LEVELS: [&str; 3] = ["Table", "LocalSecondaryIndexes", "GlobalSecondaryIndexes"];

/// Whether a ConsumedCapacity lists the table and indexes, not only their total.
fn has_levels(answer: &Value) -> bool {
    LEVELS
        .iter()
        .any(|level| answer.get(*level).is_some_and(Value::is_object))
}

/// The units of a level of a ConsumedCapacity; one that is missing is 0.
fn units_of(level: Option<&Value>) -> Exact {
    stated_number(level.and_then(|level| level.get("CapacityUnits"))).unwrap_or_else(Exact::zero)
}

/// The values of a ConsumedCapacity that differ from the meter's. If it lists the table and
/// indexes, one that is missing is 0.
fn compared(
    answer: &Value,
    table: &Table,
    consumed: &ConsumedCapacity,
) -> Vec<(String, String, String)> {
    let mut targets = Vec::new();
    let mut compare = |name: String, said: Option<Exact>, metered: Exact| {
        if let Some(said) = said
            && said != metered
        {
            targets.push((name, said.to_string(), metered.to_string()));
        }
    };
    let total = consumed.total();
    compare(
        "total".to_string(),
        stated_number(answer.get("CapacityUnits")),
        units(&total),
    );
    compare(
        "total read".to_string(),
        stated_number(answer.get("ReadCapacityUnits")),
        total.read.exact(),
    );
    compare(
        "total write".to_string(),
        stated_number(answer.get("WriteCapacityUnits")),
        total.write.exact(),
    );
    if !has_levels(answer) {
        return targets; // ReturnConsumedCapacity=TOTAL
    }
    compare(
        "Table".to_string(),
        Some(units_of(answer.get("Table"))),
        units(&consumed.table),
    );
    for (index, target) in table.indexes.iter().zip(&consumed.indexes) {
        let level = if index.kind == IndexKind::Local {
            "LocalSecondaryIndexes"
        } else {
            "GlobalSecondaryIndexes"
        };
        compare(
            index.name.clone(),
            Some(units_of(
                answer.get(level).and_then(|all| all.get(&index.name)),
            )),
            units(target),
        );
    }
    for level in &LEVELS[1..] {
        for (name, target) in answer
            .get(*level)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if !table.indexes.iter().any(|index| index.name == *name) {
                compare(name.clone(), Some(units_of(Some(target))), Exact::zero());
            }
        }
    }
    targets
}

fn bytes(size: Option<Bytes>) -> String {
    size.map_or("nothing".to_string(), |size| {
        format!("{} B", Exact::from(size.0))
    })
}

fn written(write: &Write, table: &Table) -> String {
    let mut text = format!("{} before, {} after", bytes(write.old), bytes(write.new));
    for (index, transition) in table.indexes.iter().zip(&write.indexes) {
        let what = match *transition {
            Transition::Absent => continue,
            Transition::Unchanged => "entry unchanged".to_string(),
            Transition::Inserted { new } => format!("entry of {} B inserted", new.0),
            Transition::Removed { old } => format!("entry of {} B deleted", old.0),
            Transition::Replaced { old, new } => {
                format!("entry of {} B replaced by {} B", old.0, new.0)
            }
            Transition::Moved { old, new } => {
                format!(
                    "entry of {} B deleted, entry of {} B inserted under another key",
                    old.0, new.0
                )
            }
        };
        text.push_str(&format!("; {}: {what}", index.name));
    }
    text
}

/// The input of the meter, in words.
pub fn described(operation: &Operation, table: &Table) -> String {
    let list = |parts: Vec<String>| match parts.len() {
        0..=4 => parts.join(" | "),
        more => format!("{} | and {} more", parts[..4].join(" | "), more - 4),
    };
    match operation {
        Operation::GetItem { item, .. } => format!("an item of {}", bytes(*item)),
        Operation::BatchGetItem { items, .. } | Operation::TransactGetItems { items } => {
            format!(
                "items of {}",
                list(items.iter().map(|item| bytes(*item)).collect())
            )
        }
        Operation::Query(page) | Operation::Scan(page) => {
            let fetched = page
                .fetched
                .as_ref()
                .map(|items| format!(", {} items fetched from the table", items.len()))
                .unwrap_or_default();
            format!("{} B evaluated{fetched}", Exact::from(page.evaluated.0))
        }
        Operation::PutItem(write)
        | Operation::UpdateItem(write)
        | Operation::DeleteItem(write)
        | Operation::TimeToLiveDelete(write) => written(write, table),
        Operation::BatchWriteItem(batch) => {
            list(batch.iter().map(|write| written(write, table)).collect())
        }
        Operation::TransactWriteItems { actions, outcome } => {
            let action = |action: &TransactionAction| match action {
                TransactionAction::Write(write) => written(write, table),
                TransactionAction::ConditionCheck(item) => {
                    format!("a condition check of {}", bytes(*item))
                }
            };
            format!(
                "{outcome:?}: {}",
                list(actions.iter().map(action).collect())
            )
        }
        Operation::ExecuteStatement(inner) | Operation::ExecuteTransaction(inner) => {
            described(inner, table)
        }
        Operation::BatchExecuteStatement(all) => {
            list(all.iter().map(|one| described(one, table)).collect())
        }
    }
}
