//! What a page asks, and the answers.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use dynameter::capacity::Simulations;
use dynameter::compare::{Comparison, Progress, Question, compare_watched};
use dynameter::diag::{Diagnostic, Diagnostics};
use dynameter::estimate::{Metering, estimate};
use dynameter::money::MoneyError;
use dynameter::outcome::{Outcome, Uncertainty};
use dynameter::pricing::Books;
use dynameter::report::{Present, changes_json, page_json, report_html};
use dynameter::review::review;
use dynameter::time::MonthHours;
use dynameter::uncertainty::uncertainty;
use dynameter::units::Exact;
use dynameter::workload::{EditedFile, FileStep, Setting, Workload, line_of, load};
use serde::Deserialize;
use serde_json::{Value, json};

/// The name of the file in messages.
const NAME: &str = "workload.toml";

/// The designs to start from.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "Orders, the template",
        include_str!("../../workloads/template.toml"),
    ),
    (
        "Shopping cart",
        include_str!("../../workloads/shopping-cart.toml"),
    ),
    ("Sessions", include_str!("../../workloads/sessions.toml")),
    (
        "Leaderboard",
        include_str!("../../workloads/leaderboard.toml"),
    ),
    (
        "Shop in a single table",
        include_str!("../../workloads/shop.toml"),
    ),
    ("Tenants", include_str!("../../workloads/tenants.toml")),
    (
        "Ticket sales",
        include_str!("../../workloads/ticketing.toml"),
    ),
    ("Payments", include_str!("../../workloads/payments.toml")),
    (
        "Events that grow",
        include_str!("../../workloads/growth.toml"),
    ),
    (
        "Internet of things",
        include_str!("../../workloads/iot.toml"),
    ),
    (
        "Global application",
        include_str!("../../workloads/global-application.toml"),
    ),
    (
        "A product launch",
        include_str!("../../workloads/launch.toml"),
    ),
    (
        "The loss of a region",
        include_str!("../../workloads/lost-region.toml"),
    ),
];

/// What a page asks.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
enum Asked {
    /// What the page has to choose from: designs, regions, nodes, dates.
    Choices,
    /// The values of a file, for the form.
    Values { text: String },
    /// A file with changes.
    Edit { text: String, edits: Vec<Edit> },
    /// The lines on which the values at the ends of ways begin; `null` where the file has none.
    Lines { text: String, ways: Vec<Vec<Value>> },
    /// A file whose figures at the ends of ways are multiplied, each by its factor.
    Scale {
        text: String,
        by: Vec<(Vec<Value>, String)>,
    },
    /// What a design costs, and its difference from another.
    Estimate {
        text: String,
        before: Option<String>,
    },
    /// A result as a file: `estimate`, `explain`, `compare` or `schema` as JSON, `csv`, or `report`.
    File { text: String, file: String },
    /// What to change.
    Compare { text: String },
    /// The file with a change of the comparison.
    Apply { text: String, number: usize },
}

/// A change of a file: a value at the end of a way, or its removal, or an element to add.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// Keys, and positions in lists.
    at: Vec<Value>,
    /// The value as TOML.
    set: Option<String>,
    /// The keys of an element to add, each with its value as TOML.
    append: Option<Vec<(String, String)>>,
}

/// Answers a question. Whatever goes wrong is an answer as well: `mistakes` have a place in the file,
/// `error` has none.
pub fn answer(question: &str) -> String {
    let answered = serde_json::from_str::<Asked>(question)
        .map_err(|error| Wrong::Other(error.to_string()))
        .and_then(answered);
    answered.unwrap_or_else(|wrong| wrong.json())
}

/// Why there is no answer.
enum Wrong {
    Mistakes(Vec<Diagnostic>),
    Other(String),
}

impl From<Diagnostics> for Wrong {
    fn from(found: Diagnostics) -> Wrong {
        Wrong::Mistakes(found.list().to_vec())
    }
}

impl From<MoneyError> for Wrong {
    fn from(error: MoneyError) -> Wrong {
        Wrong::Other(error.to_string())
    }
}

impl Wrong {
    fn of(error: impl std::fmt::Display) -> Wrong {
        Wrong::Other(error.to_string())
    }

    fn json(&self) -> String {
        match self {
            Wrong::Other(text) => json!({ "error": text }).to_string(),
            Wrong::Mistakes(found) => {
                let mistake = |one: &Diagnostic| {
                    let place = one.source.as_ref().map(|source| {
                        let (line, column) = source.line_column(one.span.start);
                        let (end_line, end_column) = source.line_column(one.span.end);
                        [line, column, end_line, end_column]
                    });
                    json!({
                        "place": place,
                        "code": one.code,
                        "message": one.message,
                        "help": one.help,
                    })
                };
                let mistakes: Vec<Value> = found.iter().map(mistake).collect();
                json!({ "mistakes": mistakes }).to_string()
            }
        }
    }
}

fn answered(asked: Asked) -> Result<String, Wrong> {
    let books = Books::embedded();
    match asked {
        Asked::Choices => Ok(choices(&books)),
        Asked::Values { text } => values(&text),
        Asked::Lines { text, ways } => lines(&text, &ways),
        Asked::Edit { text, edits } => edited(&text, &edits),
        Asked::Scale { text, by } => scaled(&text, &by),
        Asked::Estimate { text, before } => {
            let outcome = shown(&text, &books)?;
            let before = before.map(|before| shown(&before, &books)).transpose()?;
            Ok(page_json(&outcome, before.as_ref())?)
        }
        Asked::File { text, file } => {
            let made = made(&text, &file, &books)?;
            Ok(json!({ "text": made }).to_string())
        }
        Asked::Compare { text } => {
            let compared = compared(&text, &books)?;
            Ok(changes_json(&compared)?)
        }
        Asked::Apply { text, number } => applied(&text, number, &books),
    }
}

fn workload(text: &str, books: &Books) -> Result<Workload, Wrong> {
    Ok(load(NAME, text, Path::new("."), &Setting::new(books))?)
}

fn estimated(text: &str, books: &Books) -> Result<Outcome, Wrong> {
    estimate(&workload(text, books)?, books).map_err(Wrong::of)
}

/// How many estimates share their simulations: a key press changes the demand of one table, and what was
/// simulated for the others holds. Each series that is kept takes 5 MB.
const SHARED: u32 = 16;

thread_local! {
    static SIMULATIONS: RefCell<(u32, Arc<Simulations>)> = RefCell::default();
}

/// The simulations of the estimates before, or new ones.
fn simulations() -> Arc<Simulations> {
    SIMULATIONS.with_borrow_mut(|(count, kept)| {
        *count += 1;
        if *count % SHARED == 0 {
            *kept = Arc::default();
        }
        kept.clone()
    })
}

/// The same as far as a page shows it.
fn shown(text: &str, books: &Books) -> Result<Outcome, Wrong> {
    let workload = workload(text, books)?;
    let metering = Metering::with(simulations(), &workload, books).map_err(Wrong::of)?;
    let outcome = metering.without_calculators().outcome(books);
    outcome.map_err(Wrong::of)
}

fn choices(books: &Books) -> String {
    let examples = EXAMPLES.iter();
    let examples: Vec<Value> = examples
        .map(|(name, text)| json!({ "name": name, "text": text }))
        .collect();
    let regions = books.regions().filter_map(|region| {
        let book = books.book(region, None).ok()?;
        let (first, last) = books.span(region).ok()?;
        Some(json!({
            "code": region,
            "name": book.location(),
            "first": first.to_string(),
            "last": last.to_string(),
        }))
    });
    let nodes = dynameter::dax::NODE_TYPES.iter().map(|node| node.name);
    json!({
        "examples": examples,
        "regions": regions.collect::<Vec<_>>(),
        "nodes": nodes.collect::<Vec<_>>(),
    })
    .to_string()
}

/// The values of a file, however they are written; `null` if it is not TOML.
fn values(text: &str) -> Result<String, Wrong> {
    let table: Option<toml::Table> = text.parse().ok();
    serde_json::to_string(&table).map_err(Wrong::of)
}

fn lines(text: &str, ways: &[Vec<Value>]) -> Result<String, Wrong> {
    let line = |way: &Vec<Value>| {
        let way: Option<Vec<FileStep>> = way.iter().map(step).collect();
        line_of(text, &way?)
    };
    let lines: Vec<Option<usize>> = ways.iter().map(line).collect();
    serde_json::to_string(&lines).map_err(Wrong::of)
}

fn edited(text: &str, edits: &[Edit]) -> Result<String, Wrong> {
    let mut file = EditedFile::new(text).map_err(Wrong::of)?;
    for edit in edits {
        let way: Option<Vec<FileStep>> = edit.at.iter().map(step).collect();
        let way = way.ok_or_else(|| Wrong::of("a way has keys and positions"))?;
        match (&edit.set, &edit.append) {
            (Some(value), _) => file.set(&way, value).map_err(Wrong::of)?,
            (None, Some(keys)) => file.append(&way, keys).map_err(Wrong::of)?,
            (None, None) => file.remove(&way),
        }
    }
    Ok(json!({ "text": file.to_string() }).to_string())
}

fn scaled(text: &str, by: &[(Vec<Value>, String)]) -> Result<String, Wrong> {
    let mut file = EditedFile::new(text).map_err(Wrong::of)?;
    for (way, factor) in by {
        let way: Option<Vec<FileStep>> = way.iter().map(step).collect();
        let way = way.ok_or_else(|| Wrong::of("a way has keys and positions"))?;
        let factor = Exact::parse(factor).ok_or_else(|| Wrong::of("a factor is a number"))?;
        file.scale(&way, &factor).map_err(Wrong::of)?;
    }
    Ok(json!({ "text": file.to_string() }).to_string())
}

fn step(value: &Value) -> Option<FileStep> {
    match value {
        Value::String(key) => Some(FileStep::Key(key.clone())),
        Value::Number(at) => Some(FileStep::At(usize::try_from(at.as_u64()?).ok()?)),
        _ => None,
    }
}

fn compared(text: &str, books: &Books) -> Result<Comparison, Wrong> {
    let tell = |progress: Progress| {
        #[cfg(target_family = "wasm")]
        crate::memory::tell(progress.done, progress.total);
        #[cfg(not(target_family = "wasm"))]
        let _ = progress;
    };
    let workload = workload(text, books)?;
    compare_watched(&workload, books, &Question::default(), &tell).map_err(Wrong::of)
}

/// The file with one change of the comparison.
fn applied(text: &str, number: usize, books: &Books) -> Result<String, Wrong> {
    let comparison = compared(text, books)?;
    let advice = number
        .checked_sub(1)
        .and_then(|at| comparison.advice.get(at));
    let edit = advice.and_then(|one| one.edit.as_ref());
    let edit = edit.ok_or_else(|| Wrong::of("the comparison has no such change"))?;
    let mut file = EditedFile::new(text).map_err(Wrong::of)?;
    file.apply(edit).map_err(Wrong::of)?;
    Ok(json!({ "text": file.to_string() }).to_string())
}

fn made(text: &str, file: &str, books: &Books) -> Result<String, Wrong> {
    match file {
        "estimate" => {
            let mut outcome = estimated(text, books)?;
            outcome.uncertainty = interval(text, books)?;
            Ok(outcome.json()?)
        }
        "csv" => Ok(estimated(text, books)?.csv()),
        "compare" => {
            let mut comparison = compared(text, books)?;
            comparison.outcome.uncertainty = interval(text, books)?;
            Ok(comparison.json()?)
        }
        "report" => report(text, books),
        other => Err(Wrong::Other(format!("there is no file {other:?}"))),
    }
}

/// The effect of the file's ranges on the total.
fn interval(text: &str, books: &Books) -> Result<Option<Uncertainty>, Wrong> {
    let workload = workload(text, books)?;
    let again = |scenario| {
        let setting = Setting {
            scenario,
            ..Setting::new(books)
        };
        load(NAME, text, Path::new("."), &setting)
    };
    uncertainty(&workload, books, &again).map_err(Wrong::of)
}

fn report(text: &str, books: &Books) -> Result<String, Wrong> {
    let own = workload(text, books)?;
    let again = |month: &MonthHours, traffic: &Exact| {
        let setting = Setting {
            month: Some(month.clone()),
            traffic: traffic.clone(),
            ..Setting::new(books)
        };
        load(NAME, text, Path::new("."), &setting)
    };
    let reviewed = review(&own, books, &Question::default(), &again).map_err(Wrong::of)?;
    let reviewed = reviewed.with_interval(interval(text, books)?);
    report_html(&reviewed).map_err(Wrong::of)
}
