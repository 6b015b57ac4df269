//! AWS Backup: plans and the tables that they select, as Terraform and CloudFormation describe them.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use croner::parser::CronParser;

use super::draft::{Draft, Origin, Sourced, TableDraft, quoted, unpriced};
use super::scaling::weekdays;
use crate::table::Arn;
use crate::unread::UnreadKind;

/// A plan with its rules.
pub(super) struct BackupPlan {
    /// Its name in the file, by which selections refer to it.
    pub id: String,
    pub rules: Vec<PlanRule>,
}

/// A rule of a plan.
pub(super) struct PlanRule {
    pub name: String,
    /// In AWS's format: `cron(…)` or `rate(…)`.
    pub schedule: Option<String>,
    pub life: Lifecycle,
    pub copies: Vec<PlanCopy>,
    pub origin: Origin,
}

/// How long a backup is kept, in days.
#[derive(Default)]
pub(super) struct Lifecycle {
    pub delete_after: Option<String>,
    pub cold_after: Option<String>,
}

/// A copy of each backup in another vault.
pub(super) struct PlanCopy {
    /// The ARN of the vault, if it is known.
    pub vault: Option<String>,
    pub life: Lifecycle,
}

/// What a plan backs up.
pub(super) struct BackupSelection {
    /// The plan, by its name in the file; `None` if it is in another file.
    pub plan: Option<String>,
    /// ARNs, which may contain `*`; `None` for one that is not known.
    pub resources: Vec<Option<String>>,
    pub excluded: Vec<Option<String>>,
    /// A table with one of these tags is selected.
    pub tags: Vec<(String, String)>,
    /// Whether there are conditions that are not evaluated.
    pub has_conditions: bool,
    /// Its name in the file.
    pub label: String,
    pub origin: Origin,
}

/// Adds the rules of every plan to the tables that it selects.
pub(super) fn join(plans: &[BackupPlan], selections: &[BackupSelection], draft: &mut Draft) {
    let home = draft
        .head
        .get("region")
        .map(Sourced::plain)
        .unwrap_or_default();
    for selection in selections {
        let plan = plans
            .iter()
            .find(|plan| selection.plan.as_ref() == Some(&plan.id));
        let unread = &mut draft.unpriced;
        let mut unread = |what: String| {
            let origin = selection.origin.clone();
            unread.push(unpriced(UnreadKind::BackupPlan, &what, "", origin));
        };
        let Some(plan) = plan else {
            // A selection that names only other things than tables costs nothing here.
            if selection.may_select_tables() {
                let words = "backups of a plan that is not in this file";
                unread(format!("{}: {words}", selection.label));
            }
            continue;
        };
        let by_unknown_tags =
            !selection.tags.is_empty() && draft.tables.iter().any(|table| table.has_unknown_tags);
        if selection.has_conditions || selection.is_partly_unknown() || by_unknown_tags {
            let words = "backups of the tables that it selects, which cannot be determined";
            unread(format!("{}: {words}", selection.label));
        }
        // Conditions only leave out tables.
        if selection.has_conditions {
            continue;
        }
        let elsewhere = selection.resources.iter().flatten();
        let elsewhere: Vec<&String> = elsewhere
            .filter(|arn| arn.contains("dynamodb") && !arn.contains('*'))
            .filter(|arn| !draft.tables.iter().any(|table| is_of(arn, table, &home)))
            .collect();
        for arn in elsewhere {
            let words = format!(
                "{}: backups of {arn}, which is not in this file",
                selection.label
            );
            let origin = selection.origin.clone();
            let said = unpriced(UnreadKind::OtherTable, &words, "", origin);
            draft.unpriced.push(said);
        }
        let selected = draft
            .tables
            .iter_mut()
            .filter(|table| selection.selects(table, &home));
        for table in selected {
            plan.rules.iter().for_each(|rule| rule.add(table));
        }
    }
    for table in &mut draft.tables {
        let rules = std::mem::take(&mut table.backup_rules);
        let Some(first) = rules.first() else { continue };
        let list: Vec<&str> = rules.iter().map(|rule| rule.toml.as_str()).collect();
        let said = Sourced {
            toml: format!("[{}]", list.join(", ")),
            ..first.clone()
        };
        table.block("backup").set("plan", said);
    }
}

impl BackupSelection {
    fn is_partly_unknown(&self) -> bool {
        let all = self.resources.iter().chain(&self.excluded);
        let unknown = all.into_iter().any(Option::is_none);
        // Everything is selected: what else is named does not matter.
        let everything = |arn: &Option<String>| arn.as_deref() == Some("*");
        unknown && !(self.excluded.is_empty() && self.resources.iter().any(everything))
    }

    fn may_select_tables(&self) -> bool {
        let of_tables = |arn: &Option<String>| {
            arn.as_ref()
                .is_none_or(|arn| arn.contains("dynamodb") || arn.starts_with('*'))
        };
        let by_tag = !self.tags.is_empty() || self.has_conditions;
        by_tag || self.resources.iter().any(of_tables)
    }

    fn selects(&self, table: &TableDraft, home: &str) -> bool {
        let names = |arns: &[Option<String>]| {
            let known = arns.iter().flatten();
            known.into_iter().any(|arn| is_of(arn, table, home))
        };
        let tagged = self.tags.iter().any(|tag| table.tags.contains(tag));
        (names(&self.resources) || tagged) && !names(&self.excluded)
    }
}

/// Whether an ARN, or a pattern of ARNs, is that of a table in the home region, whatever the account.
fn is_of(arn: &str, table: &TableDraft, home: &str) -> bool {
    let whole = format!("arn:aws:dynamodb:{home}::table/{}", table.label);
    if matches(arn, &whole) {
        return true;
    }
    let region = arn.split(':').nth(3).filter(|region| !region.is_empty());
    if region.is_some_and(|region| !home.is_empty() && !matches(region, home)) {
        return false;
    }
    // A pattern for all services, or for tables.
    let Some((service, rest)) = arn.split(':').nth(2).zip(arn.splitn(6, ':').nth(5)) else {
        return table.is(arn);
    };
    if !matches(service, "dynamodb") {
        return false;
    }
    let name = Arn::of(arn).table();
    table.is(name)
        || matches(rest, &format!("table/{}", table.label))
        || table
            .ids
            .iter()
            .any(|id| matches(rest, &format!("table/{id}")))
}

/// Whether a text matches a pattern with `*`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest, &text[at..]))
        }),
    }
}

impl PlanRule {
    fn add(&self, table: &mut TableDraft) {
        match self.toml() {
            Ok(toml) => {
                table
                    .backup_rules
                    .push(Sourced::new(toml, self.name.clone(), self.origin.clone()))
            }
            Err(why) => table.unpriced.push(unpriced(
                UnreadKind::BackupPlan,
                &format!("the backups of {}: {why}", self.name),
                "",
                self.origin.clone(),
            )),
        }
    }

    /// The rule as an element of `backup.plan`.
    fn toml(&self) -> Result<String, String> {
        let schedule = self.schedule.as_deref();
        let schedule = schedule.ok_or("its schedule is not known")?;
        let mut parts = vec![format!("every = {}", quoted(&interval(schedule)?))];
        parts.extend(self.life.toml("are kept without end")?);
        let copies = self
            .copies
            .iter()
            .map(|copy| {
                let region = copy
                    .vault
                    .as_deref()
                    .and_then(|vault| Arn::of(vault).region());
                let region = region.ok_or("the region of a copy is not known")?;
                let mut parts = vec![format!("region = {}", quoted(region))];
                if copy.life.delete_after.is_some() {
                    parts.extend(copy.life.toml("")?);
                } else {
                    return Err("copies are kept without end".to_string());
                }
                Ok(format!("{{ {} }}", parts.join(", ")))
            })
            .collect::<Result<Vec<String>, String>>()?;
        if !copies.is_empty() {
            parts.push(format!("copies = [{}]", copies.join(", ")));
        }
        Ok(format!("{{ {} }}", parts.join(", ")))
    }
}

impl Lifecycle {
    fn toml(&self, without_end: &str) -> Result<Vec<String>, String> {
        let keep = self.delete_after.as_ref();
        let keep = keep.ok_or_else(|| format!("they {without_end}"))?;
        let mut parts = vec![format!("keep = \"{keep} days\"")];
        if let Some(cold) = &self.cold_after {
            parts.push(format!("cold_after = \"{cold} days\""));
        }
        Ok(parts)
    }
}

/// The days of four years, after which the calendar repeats.
const FOUR_YEARS: u64 = 1461;

/// The most backups of four years that are counted: one every ten minutes.
const BACKUPS_MAX: u64 = FOUR_YEARS * 144;

/// How often a schedule fires, on average over four years.
///
/// Source: AWS Backup Developer Guide, "Create a backup plan", which uses the cron expressions of
/// Amazon EventBridge: days of the week are 1 (Sunday) to 7.
fn interval(schedule: &str) -> Result<String, String> {
    let text = schedule.trim();
    let within = |start: &str| text.strip_prefix(start)?.strip_suffix(')');
    if let Some(rate) = within("rate(") {
        return Ok(rate.trim().to_string());
    }
    let inner = within("cron(").ok_or_else(|| format!("cannot read the schedule {text:?}"))?;
    let fields: Vec<&str> = inner.split_whitespace().collect();
    let &[minute, hour, day, month, weekday, year] = fields.as_slice() else {
        return Err(format!(
            "an AWS cron expression has six fields, {text:?} has {}",
            fields.len()
        ));
    };
    if year != "*" {
        return Err(format!("its schedule is limited to the year {year}"));
    }
    let weekday =
        weekdays(weekday).ok_or_else(|| format!("cannot read the weekdays {weekday:?}"))?;
    let cron = format!("{minute} {hour} {day} {month} {weekday}").replace('?', "*");
    let parsed = CronParser::new()
        .parse(&cron)
        .map_err(|error| format!("cannot read the schedule {text:?}: {error}"))?;
    let start = NaiveDate::from_ymd_opt(2025, 1, 1)
        .unwrap_or_default()
        .and_time(NaiveTime::MIN)
        .and_utc();
    let end = start + TimeDelta::days(FOUR_YEARS as i64);
    let mut fires = 0;
    let mut at = start - TimeDelta::seconds(1);
    while let Ok(next) = parsed.find_next_occurrence(&at, false) {
        if next >= end || fires > BACKUPS_MAX {
            break;
        }
        fires += 1;
        at = next;
    }
    match fires {
        0 => Err(format!("the schedule {text:?} never fires")),
        48 => Ok("1 month".to_string()),
        4 => Ok("1 year".to_string()),
        fires if (FOUR_YEARS * 24).is_multiple_of(fires) => Ok(in_hours(FOUR_YEARS * 24 / fires)),
        // Weekly schedules do not fit into four years exactly.
        fires => weekly(&parsed, start)
            .unwrap_or_else(|| Ok(format!("{} minutes", (FOUR_YEARS * 1440).div_ceil(fires)))),
    }
}

/// A whole number of hours, in days if it is one.
fn in_hours(hours: u64) -> String {
    let (number, unit) = match hours % 24 {
        0 => (hours / 24, "day"),
        _ => (hours, "hour"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// The interval of a schedule that repeats every week.
fn weekly(
    parsed: &croner::Cron,
    start: chrono::DateTime<chrono::Utc>,
) -> Option<Result<String, String>> {
    let week = |number: i64| {
        let from = start + TimeDelta::weeks(number);
        let to = from + TimeDelta::weeks(1);
        let mut at = from - TimeDelta::seconds(1);
        let mut fires = 0_u64;
        while let Ok(next) = parsed.find_next_occurrence(&at, false) {
            if next >= to || fires > BACKUPS_MAX {
                break;
            }
            fires += 1;
            at = next;
        }
        fires
    };
    let first = week(0);
    let is_weekly = first > 0 && (1..60).all(|number| week(number) == first);
    is_weekly.then(|| match 168 % first {
        0 => Ok(in_hours(168 / first)),
        _ => Ok(format!("{} minutes", 10_080 / first)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_become_intervals() {
        for (schedule, every) in [
            ("cron(0 5 ? * * *)", "1 day"),
            ("cron(0 5 * * ? *)", "1 day"),
            ("cron(0 */12 ? * * *)", "12 hours"),
            ("cron(0 5 ? * 1 *)", "7 days"),
            ("cron(0 5 ? * MON,THU *)", "84 hours"),
            ("cron(0 5 1 * ? *)", "1 month"),
            ("cron(0 5 1 1 ? *)", "1 year"),
            ("rate(6 hours)", "6 hours"),
        ] {
            assert_eq!(interval(schedule).as_deref(), Ok(every), "{schedule}");
        }
        for wrong in [
            "",
            "cron(0 5 * * ?)",
            "cron(0 5 ? * * 2030)",
            "cron(0 5 30 2 ? *)",
        ] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patterns_select_names() {
        for (pattern, text, expected) in [
            ("*", "table/a", true),
            ("table/*", "table/a", true),
            ("table/prod-*", "table/prod-orders", true),
            ("table/prod-*", "table/test-orders", false),
            ("*/a*c", "table/abc", true),
            ("table/a", "table/a", true),
            ("table/a", "table/ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
