//! Application Auto Scaling: targets, policies and scheduled actions, joined to the tables and indexes that they move.

use super::draft::{Said, TableDraft, UnitsDraft};

/// What moves the capacity of one direction of a table or an index.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    /// `table/NAME` or `table/NAME/index/INDEX`.
    pub resource: String,
    /// `dynamodb:table:ReadCapacityUnits` and the like.
    pub dimension: String,
    pub min: Option<Said>,
    pub max: Option<Said>,
    /// The utilization that a target-tracking policy keeps, in percent.
    pub percent: Option<Said>,
    pub steps: Vec<Step>,
    /// What the file calls it.
    pub label: String,
}

/// A scheduled action.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// As AWS writes it: `cron(…)`, `rate(…)`, `at(…)`.
    pub schedule: Said,
    pub timezone: Option<String>,
    pub min: Option<Said>,
    pub max: Option<Said>,
}

impl Target {
    fn reads(&self) -> bool {
        self.dimension.ends_with("ReadCapacityUnits")
    }

    /// The table and the index of the resource.
    fn names(&self) -> Option<(&str, Option<&str>)> {
        let rest = self.resource.strip_prefix("table/")?;
        Some(match rest.split_once("/index/") {
            Some((table, index)) => (table, Some(index)),
            None => (rest, None),
        })
    }
}

/// Puts bounds, targets and schedules where they belong; what belongs nowhere becomes a note.
pub(super) fn join(targets: Vec<Target>, tables: &mut [TableDraft]) -> Vec<String> {
    let mut notes = Vec::new();
    for target in targets {
        let Some((table_name, index_name)) = target.names() else {
            if target.dimension.starts_with("dynamodb:") || target.dimension.is_empty() {
                notes.push(format!(
                    "{}: what it scales cannot be told ({:?}); give the table `read` and `write` with min, max and target",
                    target.label, target.resource
                ));
            }
            continue;
        };
        let Some(table) = tables.iter_mut().find(|table| table.is(table_name)) else {
            notes.push(format!("{}: scales {}, which is not in this file", target.label, target.resource));
            continue;
        };
        if !table.is_provisioned() {
            table.notes.push(format!("{}: has no effect, since the table is on demand", target.label));
            continue;
        }
        let reads = target.reads();
        let global: Vec<String> = table.indexes.iter().filter(|index| index.global).map(|index| index.name.plain()).collect();
        // An index of which the plan does not say the name: the only one, else any of them.
        let of_some_index = index_name == Some("*") || (index_name.is_none() && target.dimension.contains(":index:"));
        if of_some_index && global.len() != 1 {
            for index in table.indexes.iter_mut().filter(|index| index.global) {
                let units = if reads { &mut index.read } else { &mut index.write };
                *units = UnitsDraft {
                    fixed: Some(Said::unknown(format!("{}: which index it scales cannot be told", target.label))),
                    ..UnitsDraft::default()
                };
            }
            table.notes.push(format!("{}: which index it scales cannot be told", target.label));
            continue;
        }
        let index_name = if of_some_index { global.first().map(String::as_str) } else { index_name };
        let (units, schedule): (&mut UnitsDraft, &mut Vec<Said>) = match index_name {
            None => (if reads { &mut table.read } else { &mut table.write }, &mut table.schedule),
            Some(name) => match table.indexes.iter_mut().find(|index| index.name.plain() == name) {
                Some(index) => (if reads { &mut index.read } else { &mut index.write }, &mut index.schedule),
                None => {
                    table.notes.push(format!("{}: scales the index {name}, which the table does not have", target.label));
                    continue;
                }
            },
        };
        if target.percent.is_some() {
            units.min = target.min.clone();
            units.max = target.max.clone();
            units.target = target.percent.clone();
        }
        let mut unsaid = Vec::new();
        for step in &target.steps {
            match step.toml(reads) {
                Ok(toml) => schedule.push(Said::new(toml, step.schedule.note.clone(), step.schedule.origin.clone())),
                Err(why) => unsaid.push(format!("{}: its schedule {} is not taken over: {why}", target.label, step.schedule.plain())),
            }
        }
        if target.percent.is_none() && target.steps.is_empty() {
            units.min = target.min.clone();
            units.max = target.max.clone();
            units.target = Some(Said::unknown(""));
            unsaid.push(format!(
                "{}: no policy here moves the units between its bounds; give the target, or the units if there is none",
                target.label
            ));
        }
        table.notes.extend(unsaid);
    }
    notes
}

impl Step {
    /// As an element of `schedule`.
    fn toml(&self, reads: bool) -> Result<String, String> {
        if let Some(zone) = self.timezone.as_ref().filter(|zone| !matches!(zone.as_str(), "" | "UTC" | "Etc/UTC" | "GMT" | "Etc/GMT")) {
            return Err(format!("its hours are those of {zone}, and a workload's are UTC"));
        }
        if self.min.is_none() && self.max.is_none() {
            return Err("it sets neither bound".to_string());
        }
        let word = if reads { "read" } else { "write" };
        let cron = five_fields(&self.schedule.plain())?;
        let mut parts = vec![format!("cron = \"{cron}\"")];
        for (bound, name) in [(&self.min, "min"), (&self.max, "max")] {
            if let Some(bound) = bound {
                if bound.is_unknown() {
                    return Err(format!("its {name} is not known"));
                }
                parts.push(format!("{name}_{word} = {}", bound.toml));
            }
        }
        Ok(format!("{{ {} }}", parts.join(", ")))
    }
}

/// AWS's weekdays from 1.
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// AWS's six fields (minute, hour, day of month, month, day of week, year) as the five of a week.
///
/// Source: Application Auto Scaling User Guide, "Cron expressions reference": days of the week are 1 (Sunday) to 7.
pub(super) fn five_fields(schedule: &str) -> Result<String, String> {
    let text = schedule.trim();
    let inner = text.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner else {
        return Err("a workload repeats week by week, which only cron(…) says".to_string());
    };
    let fields: Vec<&str> = inner.split_whitespace().collect();
    let (&[minute, hour, day, month, weekday] | &[minute, hour, day, month, weekday, _]) = fields.as_slice() else {
        return Err(format!("a cron expression of AWS has six fields, this one {}", fields.len()));
    };
    if let Some(year) = fields.get(5).filter(|year| **year != "*") {
        return Err(format!("it is of the year {year} only"));
    }
    if !matches!(day, "*" | "?") || month != "*" {
        return Err("it follows days of the month, and a workload repeats week by week".to_string());
    }
    let number = |token: &str| -> Option<String> {
        match token.parse::<usize>() {
            Ok(day) => DAYS.get(day.checked_sub(1)?).map(|day| day.to_string()),
            Err(_) => Some(token.to_uppercase()).filter(|token| DAYS.contains(&token.as_str())),
        }
    };
    let weekday = match weekday {
        "*" | "?" => "*".to_string(),
        list => {
            let part = |part: &str| -> Option<String> {
                match part.split_once('-') {
                    Some((from, to)) => Some(format!("{}-{}", number(from)?, number(to)?)),
                    None => number(part),
                }
            };
            let parts: Option<Vec<String>> = list.split(',').map(part).collect();
            parts.ok_or_else(|| format!("the weekdays {list:?} are no list of days"))?.join(",")
        }
    };
    Ok(format!("{minute} {hour} * * {weekday}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_of_aws_become_those_of_a_week() {
        assert_eq!(five_fields("cron(0 8 * * ? *)"), Ok("0 8 * * *".to_string()));
        assert_eq!(five_fields("cron(30 18 ? * 2-6 *)"), Ok("30 18 * * MON-FRI".to_string()));
        assert_eq!(five_fields("cron(0 8 ? * sat,1 *)"), Ok("0 8 * * SAT,SUN".to_string()));
        for wrong in
            ["rate(1 day)", "at(2026-01-01T00:00:00)", "cron(0 8 1 * ? *)", "cron(0 8 ? * 2#1 *)", "cron(0 8 * * ? 2027)", "cron(0)"]
        {
            assert!(five_fields(wrong).is_err(), "{wrong}");
        }
    }
}
