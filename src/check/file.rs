//! The budget file: as strict as the workload file, and checked against the designs that it limits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use toml::de::DeValue;

use super::rules::{FindingRule, RULES, Severity};
use super::{Designs, Limit, Measure, Scope};
use crate::diag::{Diagnostics, Source};
use crate::time::Date;
use crate::units::Exact;
use crate::usage::UsageType;
use crate::workload::decode::{Decode, Decoder, Located, TomlNode, choice, document};

/// The error codes of budget files, which are stable.
pub const BUDGET_CODES: &[(&str, &str)] = &[
    ("syntax", "the file is not TOML"),
    (
        "wrong-type",
        "a value of the wrong type, such as a string instead of a number",
    ),
    ("missing-key", "a required key is missing"),
    ("unknown-key", "a key that the format does not define"),
    ("unknown-word", "a word that is not allowed here"),
    ("negative-number", "a negative limit"),
    ("number-too-large", "a number above 1e15"),
    (
        "not-a-number",
        "NaN, an infinity, or a number with too many digits",
    ),
    ("bad-date", "a date that is not YYYY-MM-DD"),
    (
        "level",
        "a limit without `warn` and `fail`, or with `warn` above `fail`",
    ),
    (
        "no-limit",
        "a limit without a measure, or a budget without a limit",
    ),
    ("needs", "a limit that needs another key"),
    ("unknown-table", "a table that no design has"),
    ("unknown-index", "an index that the table does not have"),
    (
        "unknown-access",
        "an access pattern that the table does not have",
    ),
    (
        "unknown-usage-type",
        "a usage type that does not occur in DynamoDB bills",
    ),
    ("unknown-region", "a region in which no design has costs"),
    ("expired", "an exception that has expired"),
];

document! {
    /// What designs may cost, and how severe findings about them are.
    pub struct BudgetFile {
        /// The limits.
        limit: Option<Vec<Located<LimitFile>>>,
        /// Tables with production data, which need point-in-time recovery.
        production: Option<Vec<Located<String>>>,
        /// The severity of each finding about the design.
        lint: Option<LintFile>,
    }
}

document! {
    /// A limit. Without table, index, access, usage_type and region, it applies to everything.
    pub struct LimitFile {
        /// The name of the limit.
        name: Option<Located<String>>,
        /// The table.
        table: Option<Located<String>>,
        /// The index of the table.
        index: Option<Located<String>>,
        /// The access pattern.
        access: Option<Located<String>>,
        /// The usage type as it appears on a bill, such as WriteRequestUnits.
        usage_type: Option<Located<String>>,
        /// The region.
        region: Option<Located<String>>,
        /// Dollars a month.
        monthly_usd: Option<Located<LevelFile>>,
        /// Dollars a month more than the baseline.
        increase_usd: Option<Located<LevelFile>>,
        /// Percent more dollars than the baseline.
        increase_percent: Option<Located<LevelFile>>,
        /// Units a month, in the unit of the usage type.
        units: Option<Located<LevelFile>>,
        /// The share of the demand that provisioned capacity or a maximum throughput refuses, from 0 to 1.
        throttled_share: Option<Located<LevelFile>>,
        /// The factor of today's traffic up to which nothing throttles and no quota is reached, at
        /// least: 1.5, or { warn = 2.0, fail = 1.3 }.
        headroom: Option<Located<LeastFile>>,
        /// Whether the capacity must hold in the events of the designs: "hold".
        events: Option<Located<EventsWord>>,
        /// Until a given day, exceeding the limit is only a warning.
        exception: Option<Located<ExceptionFile>>,
        /// Whether the limit is skipped in a run that does not contain its table, index, access pattern
        /// or region (default: false, or true with --partial).
        optional: Option<bool>,
    }
}

document! {
    /// Until a given day, exceeding a limit is only a warning.
    pub struct ExceptionFile {
        /// The last day, YYYY-MM-DD.
        until: Located<String>,
        /// The reason, and who knows about it.
        reason: Located<String>,
    }
}

choice! {
    /// The severity of a finding.
    pub enum LintWord {
        /// It is not checked.
        Off = "off",
        /// It is reported.
        Note = "note",
        /// It is a warning.
        Warn = "warn",
        /// It fails the check.
        Fail = "fail",
    }
}

choice! {
    /// What is required of events.
    pub enum EventsWord {
        /// The capacity holds.
        Hold = "hold",
    }
}

/// The least figure: a level below which a check fails, and one below which it warns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeastFile(LevelFile);

impl JsonSchema for LeastFile {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Least".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        LevelFile::json_schema(generator)
    }
}

impl Decode for LeastFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        LevelFile::read(node, reader, true).map(LeastFile)
    }
    fn placeholder() -> Self {
        LeastFile(LevelFile::default())
    }
}

/// A level at which a check fails, and one at which it warns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelFile {
    warn: Option<Exact>,
    fail: Option<Exact>,
}

impl JsonSchema for LevelFile {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Level".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let figure = serde_json::json!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$" }] });
        schemars::json_schema!({
            "anyOf": [
                figure.clone(),
                { "type": "object", "additionalProperties": false, "minProperties": 1, "properties": { "warn": figure.clone(), "fail": figure } }
            ]
        })
    }
}

/// A number, or a number in quotes, as in price books.
fn figure(node: &TomlNode, reader: &mut Decoder) -> Option<Exact> {
    match node.get_ref().as_str() {
        Some(text) => {
            let found = Exact::parse(text.trim()).filter(|figure| !figure.is_negative());
            if found.is_none() {
                reader.report(
                    "not-a-number",
                    node.span(),
                    "not a decimal number",
                    "write digits, such as \"250.00\"",
                );
            }
            found
        }
        None => crate::workload::decode::FileNumber::decode(node, reader).map(|number| number.0),
    }
}

impl Decode for LevelFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        LevelFile::read(node, reader, false)
    }
    fn placeholder() -> Self {
        LevelFile::default()
    }
}

impl LevelFile {
    /// Levels that are the most or, with `is_least`, the least that is allowed.
    fn read(node: &TomlNode, reader: &mut Decoder, is_least: bool) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return figure(node, reader).map(|fail| LevelFile {
                warn: None,
                fail: Some(fail),
            });
        };
        reader.known_keys(table, &["warn", "fail"]);
        let mut of = |key: &str| match table.get(key) {
            Some(node) => figure(node, reader).map(Some),
            None => Some(None),
        };
        let (warn, fail) = (of("warn"), of("fail"));
        let level = LevelFile {
            warn: warn?,
            fail: fail?,
        };
        if level == LevelFile::default() {
            reader.report(
                "level",
                node.span(),
                "a limit without a figure",
                "write `{ warn = …, fail = … }`, one of them, or a number",
            );
            return None;
        }
        let is_wrong = |warn: &Exact, fail: &Exact| match is_least {
            true => warn < fail,
            false => warn > fail,
        };
        if matches!((&level.warn, &level.fail), (Some(warn), Some(fail)) if is_wrong(warn, fail)) {
            let (message, help) = match is_least {
                true => (
                    "`warn` is below `fail`",
                    "make `warn` the larger of the two",
                ),
                false => (
                    "`warn` is above `fail`",
                    "make `warn` the smaller of the two",
                ),
            };
            reader.report("level", node.span(), message, help);
            return None;
        }
        Some(level)
    }
}

/// The severity of each finding, by its code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LintFile(BTreeMap<&'static str, Severity>);

impl JsonSchema for LintFile {
    fn schema_name() -> Cow<'static, str> {
        "Lint".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let level = generator.subschema_for::<LintWord>();
        let properties: serde_json::Map<String, serde_json::Value> = RULES
            .iter()
            .map(|rule| (rule.code.to_string(), level.clone().to_value()))
            .collect();
        schemars::json_schema!({ "type": "object", "additionalProperties": false, "properties": properties })
    }
}

impl Decode for LintFile {
    fn decode(node: &TomlNode, reader: &mut Decoder) -> Option<Self> {
        let Some(table) = node.get_ref().as_table() else {
            reader.wrong_type(node, "a table of findings with the severity of each");
            return None;
        };
        let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
        reader.known_keys(table, &codes);
        let level = |rule: &FindingRule| {
            let word = LintWord::decode(table.get(rule.code)?, reader)?.word();
            Severity::ALL
                .into_iter()
                .find(|severity| severity.word() == word)
                .map(|severity| (rule.code, severity))
        };
        Some(LintFile(RULES.iter().filter_map(level).collect()))
    }
    fn placeholder() -> Self {
        LintFile::default()
    }
}

/// A budget, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The file, as the user named it.
    pub file: String,
    /// The limits.
    pub limits: Vec<Limit>,
    /// Tables that carry production data.
    pub production: BTreeSet<String>,
    /// The severity of findings, if the file sets it.
    pub lint: BTreeMap<&'static str, Severity>,
    /// Limits that do not apply to the designs.
    pub skipped: Vec<SkippedLimit>,
}

/// A limit that is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedLimit {
    /// The name of the limit.
    pub name: String,
    /// Its line in the budget file, from 1.
    pub line: usize,
    /// Why it is not checked.
    pub why: String,
}

/// How a budget is read.
#[derive(Clone, Copy, Debug)]
pub struct BudgetSetting {
    /// The day that decides which exceptions have expired.
    pub today: Date,
    /// Whether the budget is for more designs than those of the run.
    pub is_partial: bool,
}

/// The commented budget file that `init --budget` writes.
pub const BUDGET_TEMPLATE: &str = include_str!("../../templates/budget.toml");

/// The JSON Schema of a budget file.
pub fn budget_schema() -> Schema {
    schemars::schema_for!(BudgetFile)
}

/// Reads a budget for designs.
///
/// # Errors
/// All errors in the file, each with its location and how to fix it.
pub fn budget(
    name: &str,
    text: &str,
    designs: &Designs,
    setting: BudgetSetting,
) -> Result<Budget, Diagnostics> {
    let mut reader = Decoder::of(Source::new(name, text), BUDGET_CODES);
    let file = reader.parse::<BudgetFile>();
    let budget = file.map(|file| checked(file, designs, setting, &mut reader));
    Diagnostics::check(reader.finish(), budget)
}

fn checked(
    file: BudgetFile,
    designs: &Designs,
    setting: BudgetSetting,
    reader: &mut Decoder,
) -> Budget {
    let (mut limits, mut skipped) = (Vec::new(), Vec::new());
    let written = file.limit.unwrap_or_default();
    if written.is_empty() && file.lint.is_none() && file.production.is_none() {
        reader.report(
            "no-limit",
            0..0,
            "a budget without a limit",
            "add [[limit]] with monthly_usd = …",
        );
    }
    for limit in &written {
        let is_optional = limit.optional.unwrap_or(setting.is_partial);
        match elsewhere(limit, designs).filter(|_| is_optional) {
            Some(why) => skipped.push(skip(limit, &limit.span, why, reader)),
            None => {
                let (own, without) = of_limit(limit, designs, setting.today, reader);
                limits.extend(own);
                skipped.extend(without);
            }
        }
    }
    for table in file
        .production
        .iter()
        .flatten()
        .filter(|table| !table.is_placeholder() && !setting.is_partial)
    {
        known(reader, "unknown-table", "table", table, &designs.tables());
    }
    let production = file
        .production
        .unwrap_or_default()
        .into_iter()
        .map(|table| table.value)
        .collect();
    Budget {
        file: reader.source().name.clone(),
        limits,
        production,
        lint: file.lint.map(|lint| lint.0).unwrap_or_default(),
        skipped,
    }
}

/// What a limit names that no design of the run has; nothing if it may be in what was not read.
fn elsewhere(limit: &LimitFile, designs: &Designs) -> Option<String> {
    let unknown = designs.now.iter().flat_map(|one| &one.outcome.bill.unknown);
    let mut unread = unknown
        .filter(|one| one.subject.table.is_none())
        .filter_map(|one| one.unread.as_ref());
    if unread.any(|unread| !designs.allowed_unread.contains(&unread.kind)) {
        return None;
    }
    let table = limit.table.as_ref().map(|table| table.value.as_str());
    let names = [
        ("table", &limit.table, designs.tables()),
        ("index", &limit.index, designs.indexes(table)),
        ("access pattern", &limit.access, designs.accesses(table)),
        ("region", &limit.region, designs.regions()),
    ];
    names.into_iter().find_map(|(what, name, there)| {
        let name = name.as_ref()?;
        let is_missing = !there.contains(&name.value);
        is_missing.then(|| format!("no design of this run has the {what} {:?}", name.value))
    })
}

fn skip(limit: &LimitFile, span: &Range<usize>, why: String, reader: &Decoder) -> SkippedLimit {
    let name = limit.name.as_ref().or(limit.table.as_ref());
    SkippedLimit {
        name: name.map_or_else(|| "whole design".to_string(), |name| name.value.clone()),
        line: reader.source().line(span.start),
        why,
    }
}

/// Reports a name that does not exist.
fn known(
    reader: &mut Decoder,
    code: &'static str,
    what: &str,
    found: &Located<String>,
    there: &BTreeSet<String>,
) {
    if there.contains(&found.value) || found.is_placeholder() {
        return;
    }
    let near = there
        .iter()
        .map(|one| (strsim::damerau_levenshtein(one, &found.value), one))
        .min();
    let help = match near {
        Some((distance, near)) if distance <= 3 => format!("did you mean {near:?}?"),
        _ if there.is_empty() => format!("the designs have no {what}"),
        _ => format!(
            "the designs have {}",
            there
                .iter()
                .take(12)
                .map(|one| format!("{one:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    let shown: String = found.value.chars().take(60).collect();
    reader.report(
        code,
        found.span.clone(),
        format!("no design has the {what} {shown:?}"),
        help,
    );
}

/// What a limit applies to, with every name checked.
fn scope_of(limit: &LimitFile, designs: &Designs, reader: &mut Decoder) -> Scope {
    if let Some(table) = &limit.table {
        known(reader, "unknown-table", "table", table, &designs.tables());
    }
    let table = limit.table.as_ref().map(|table| table.value.as_str());
    match (&limit.index, &limit.table) {
        (Some(index), None) => reader.report(
            "needs",
            index.span.clone(),
            "an index also needs its table",
            "add `table = …`",
        ),
        (Some(index), Some(_)) => known(
            reader,
            "unknown-index",
            "index",
            index,
            &designs.indexes(table),
        ),
        _ => {}
    }
    if let Some(access) = &limit.access {
        known(
            reader,
            "unknown-access",
            "access pattern",
            access,
            &designs.accesses(table),
        );
    }
    // A budget may use the name that an earlier version printed.
    let usage_type = limit.usage_type.clone().map(|usage| Located {
        value: UsageType::name_on_a_bill(&usage.value).to_string(),
        ..usage
    });
    if let Some(usage) = &usage_type {
        let mut names = designs.usage_types();
        let billed = names.contains(&usage.value);
        names.extend(UsageType::names().map(str::to_string));
        if !billed {
            known(reader, "unknown-usage-type", "usage type", usage, &names);
        }
    }
    if let Some(region) = &limit.region {
        known(
            reader,
            "unknown-region",
            "region",
            region,
            &designs.regions(),
        );
    }
    let text = |text: &Option<Located<String>>| text.as_ref().map(|text| text.value.clone());
    Scope {
        table: text(&limit.table),
        index: text(&limit.index),
        access: text(&limit.access),
        usage_type: text(&usage_type),
        region: text(&limit.region),
    }
}

fn of_limit(
    limit: &Located<LimitFile>,
    designs: &Designs,
    today: Date,
    reader: &mut Decoder,
) -> (Vec<Limit>, Vec<SkippedLimit>) {
    let scope = scope_of(limit, designs, reader);
    let exception = limit
        .exception
        .as_ref()
        .and_then(|exception| until(exception, today, reader));
    let headroom = limit.headroom.as_ref().map(|level| Located {
        value: level.value.0.clone(),
        span: level.span.clone(),
    });
    // No event may fail to hold.
    let events = limit.events.as_ref().map(|word| Located {
        value: LevelFile {
            warn: None,
            fail: Some(Exact::zero()),
        },
        span: word.span.clone(),
    });
    let measures: [(&Option<Located<LevelFile>>, Measure); 7] = [
        (&limit.monthly_usd, Measure::Monthly),
        (&limit.increase_usd, Measure::Increase),
        (&limit.increase_percent, Measure::IncreasePercent),
        (&limit.units, Measure::Units),
        (&limit.throttled_share, Measure::ThrottledShare),
        (&headroom, Measure::Headroom),
        (&events, Measure::Events),
    ];
    let (mut limits, mut skipped) = (Vec::new(), Vec::new());
    for (level, measure) in measures {
        let Some(level) = level else { continue };
        let is_increase = matches!(measure, Measure::Increase | Measure::IncreasePercent);
        if is_increase && designs.before.is_empty() {
            let why = "there is no baseline to compare with (--baseline OLD)".to_string();
            skipped.push(skip(limit, &level.span, why, reader));
            continue;
        }
        needs(measure, limit, &level.span, reader);
        let (line, _) = reader
            .source()
            .line_column(level.span.start.min(reader.source().text.len()));
        limits.push(Limit {
            name: limit
                .name
                .as_ref()
                .map_or_else(|| scope.words(), |name| name.value.clone()),
            line,
            scope: scope.clone(),
            measure,
            warn: level.warn.clone(),
            fail: level.fail.clone(),
            exception: exception.clone(),
        });
    }
    if limits.is_empty() && skipped.is_empty() {
        let message = "a limit without a measure";
        reader.report(
            "no-limit",
            limit.span.start..limit.span.start.saturating_add(1),
            message,
            format!(
                "add monthly_usd, increase_usd, increase_percent, units, throttled_share, headroom or \
                 events = {:?}",
                EventsWord::Hold.word()
            ),
        );
    }
    (limits, skipped)
}

/// The other keys that a measure needs.
fn needs(measure: Measure, limit: &LimitFile, span: &Range<usize>, reader: &mut Decoder) {
    match measure {
        Measure::Units if limit.usage_type.is_none() => {
            reader.report(
                "needs",
                span.clone(),
                "`units` needs a `usage_type`",
                "add `usage_type = \"WriteRequestUnits\"` or another",
            );
        }
        Measure::ThrottledShare | Measure::Headroom | Measure::Events
            if limit.access.is_some() || limit.usage_type.is_some() =>
        {
            let message = format!(
                "`{}` applies to a table or an index, not to an access pattern or a usage type",
                measure.word()
            );
            reader.report(
                "needs",
                span.clone(),
                message,
                "remove `access` and `usage_type`",
            );
        }
        _ => {}
    }
}

/// An exception that has not expired.
fn until(
    exception: &Located<ExceptionFile>,
    today: Date,
    reader: &mut Decoder,
) -> Option<super::Exception> {
    let written = &exception.until;
    let Some(until) = Date::parse(&written.value) else {
        reader.report(
            "bad-date",
            written.span.clone(),
            "not a date",
            "write YYYY-MM-DD, such as 2027-01-31",
        );
        return None;
    };
    if until < today {
        let message =
            format!("the exception has expired: its last day was {until}, today is {today}");
        reader.report(
            "expired",
            written.span.clone(),
            message,
            "fix the design, raise the limit, or give the exception a later day with a reason",
        );
        return None;
    }
    Some(super::Exception {
        until,
        reason: exception.reason.value.clone(),
    })
}
