//! Application Auto Scaling: targets, policies and scheduled actions, joined to the tables and
//! indexes that they scale.

use chrono_tz::Tz;

use super::draft::{Draft, Sourced, TableDraft, UnitsDraft, unpriced};
use super::node::SourceNode;
use crate::capacity::policy::Schedule;
use crate::unread::UnreadKind;

/// A scalable target: scales the read or the write capacity of a table or an index.
#[derive(Clone, Debug, Default)]
pub(super) struct ScalingTarget {
    /// `table/NAME` or `table/NAME/index/INDEX`.
    pub resource: String,
    /// `dynamodb:table:ReadCapacityUnits` and the like.
    pub dimension: String,
    pub min: Option<Sourced>,
    pub max: Option<Sourced>,
    /// The target utilization of a target-tracking policy, in percent.
    pub percent: Option<Sourced>,
    pub steps: Vec<ScheduledAction>,
    /// The region of the replica, if it scales one.
    pub region: Option<String>,
    pub suspended: Suspended,
    /// Its name in the file.
    pub label: String,
}

/// A scheduled action.
#[derive(Clone, Debug)]
pub(super) struct ScheduledAction {
    /// In AWS's format: `cron(…)`, `rate(…)`, `at(…)`.
    pub schedule: Sourced,
    pub timezone: Option<String>,
    /// Whether it has a start or end time.
    pub is_temporary: bool,
    pub min: Option<Sourced>,
    pub max: Option<Sourced>,
}

/// The prefix of the resource of a target if it is unknown what it scales.
pub(super) const NOWHERE: &str = "?";

/// Why there is no target utilization.
pub(super) const OWN_METRIC: &str = "uses a custom metric, not the utilization";

/// Which scaling activities of a target are suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Suspended {
    pub scale_in: bool,
    pub scale_out: bool,
    pub schedule: bool,
}

/// The keys of a suspended state in CloudFormation and in AWS's API responses.
pub(super) const AWS_WORDS: [&str; 3] = [
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
];

impl Suspended {
    /// Reads a suspended state with these keys.
    pub fn of(state: &SourceNode, words: [&str; 3]) -> Suspended {
        let [scale_in, scale_out, schedule] =
            words.map(|word| state.get(word).and_then(SourceNode::truth) == Some(true));
        Suspended {
            scale_in,
            scale_out,
            schedule,
        }
    }
}

impl ScalingTarget {
    fn reads(&self) -> bool {
        self.dimension.ends_with("ReadCapacityUnits")
    }

    /// The table and the index that the resource ID names.
    fn names(&self) -> Option<(&str, Option<&str>)> {
        let rest = self.resource.strip_prefix("table/")?;
        Some(match rest.split_once("/index/") {
            Some((table, index)) => (table, Some(index)),
            None => (rest, None),
        })
    }
}

/// The reads or the writes of a table or an index.
fn units<'a>(
    reads: bool,
    read: &'a mut UnitsDraft,
    write: &'a mut UnitsDraft,
) -> &'a mut UnitsDraft {
    match reads {
        true => read,
        false => write,
    }
}

/// Adds bounds, targets and schedules to their tables and indexes; those that match none become
/// notes.
pub(super) fn join(targets: Vec<ScalingTarget>, draft: &mut Draft) {
    let mut notes = Vec::new();
    let (targets, untold): (Vec<ScalingTarget>, Vec<ScalingTarget>) = targets
        .into_iter()
        .partition(|target| target.names().is_some() && !target.dimension.is_empty());
    for mut target in targets {
        notes.extend(target.without_suspended());
        if target.percent.is_none() && target.steps.is_empty() && target.is_suspended() {
            continue;
        }
        notes.extend(join_one(&target, draft));
    }
    let untold = untold
        .into_iter()
        .filter(|target| target.dimension.starts_with("dynamodb:") || target.dimension.is_empty());
    for target in untold {
        notes.push(join_untold(&target, &mut draft.tables));
    }
    draft.notes.extend(notes);
}

impl ScalingTarget {
    /// Whether scaling is suspended in both directions.
    fn is_suspended(&self) -> bool {
        self.suspended.scale_in && self.suspended.scale_out
    }

    /// Removes what is suspended, and says so.
    fn without_suspended(&mut self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.suspended.schedule && !self.steps.is_empty() {
            notes.push(format!(
                "{}: its schedule is suspended and was ignored",
                self.label
            ));
            self.steps.clear();
        }
        if self.is_suspended() {
            notes.push(format!(
                "{}: scaling is suspended and was ignored",
                self.label
            ));
            self.percent = None;
        } else if self.suspended.scale_in || self.suspended.scale_out {
            // Scaling continues in the other direction, so the resulting units are unknown.
            self.percent = Some(Sourced::unknown(format!(
                "{}: scaling is suspended in one direction",
                self.label
            )));
        }
        notes
    }
}

/// Adds a target to the table that it names; returns a note if there is no such table.
fn join_one(target: &ScalingTarget, draft: &mut Draft) -> Option<String> {
    let (table_name, index_name) = target.names()?;
    let mut tables = draft.tables.iter_mut();
    let Some(table) = tables.find(|table| table.is(table_name)) else {
        let words = format!(
            "{}: scales {}, which is not in this file",
            target.label, target.resource
        );
        let origin = target.min.as_ref().and_then(|min| min.origin.clone());
        let said = unpriced(UnreadKind::OtherTable, &words, "", origin);
        draft.unpriced.push(said);
        return None;
    };
    if !table.is_provisioned() {
        table.notes.push(format!(
            "{}: has no effect because the table is in on-demand mode",
            target.label
        ));
        return None;
    }
    let global = table.global_names();
    // An index whose name the plan does not say: the only one, or else any of them.
    let of_some_index =
        index_name == Some("*") || (index_name.is_none() && target.dimension.contains(":index:"));
    if let Some(region) = &target.region {
        let names = match of_some_index {
            true => global.iter().map(|name| Some(name.as_str())).collect(),
            false => vec![index_name],
        };
        let note = match names
            .iter()
            .flatten()
            .find(|name| !global.iter().any(|known| known == *name))
        {
            Some(name) => Some(no_index(target, name)),
            None => of_replica(target, region, &names, table),
        };
        table.notes.extend(note);
        return None;
    }
    if of_some_index && global.len() != 1 {
        any_index_is_unknown(target, table);
        return None;
    }
    let index_name = match of_some_index {
        true => global.first().map(String::as_str),
        false => index_name,
    };
    let notes = match index_name {
        None => {
            let units = units(target.reads(), &mut table.read, &mut table.write);
            target.apply(units, &mut table.schedule, &mut table.unpriced)
        }
        Some(name) => {
            let mut indexes = table.indexes.iter_mut();
            match indexes.find(|index| index.name.plain() == name) {
                Some(index) => {
                    let units = units(target.reads(), &mut index.read, &mut index.write);
                    target.apply(units, &mut index.schedule, &mut table.unpriced)
                }
                None => vec![no_index(target, name)],
            }
        }
    };
    table.notes.extend(notes);
    None
}

fn no_index(target: &ScalingTarget, name: &str) -> String {
    format!(
        "{}: scales the index {name}, which the table does not have; ignored",
        target.label
    )
}

/// Marks the units of every global index as unknown, because a target scales one of them.
fn any_index_is_unknown(target: &ScalingTarget, table: &mut TableDraft) {
    let note = format!("{}: cannot determine which index it scales", target.label);
    for index in table.indexes.iter_mut().filter(|index| index.global) {
        *units(target.reads(), &mut index.read, &mut index.write) = UnitsDraft {
            fixed: Some(Sourced::unknown(note.clone())),
            ..UnitsDraft::default()
        };
    }
    table.notes.push(note);
}

impl ScalingTarget {
    /// Sets the bounds and the schedule of a table or an index; returns what could not be set.
    fn apply(
        &self,
        units: &mut UnitsDraft,
        schedule: &mut Vec<Sourced>,
        unread: &mut Vec<Sourced>,
    ) -> Vec<String> {
        if self.percent.is_some() {
            units.min = self.min.clone();
            units.max = self.max.clone();
            units.target = self.percent.clone();
        }
        let mut notes = Vec::new();
        for step in &self.steps {
            match step.toml(self.reads()) {
                Ok(toml) => schedule.push(Sourced::new(
                    toml,
                    step.schedule.note.clone(),
                    step.schedule.origin.clone(),
                )),
                Err(why) => unread.push(unpriced(
                    UnreadKind::Scaling,
                    &format!(
                        "{}: its schedule {}: {why}",
                        self.label,
                        step.schedule.plain()
                    ),
                    "",
                    step.schedule.origin.clone(),
                )),
            }
        }
        if self.percent.is_none() && self.steps.is_empty() {
            units.min = self.min.clone();
            units.max = self.max.clone();
            units.target = Some(Sourced::unknown(""));
            notes.push(format!(
                "{}: no scaling policy for this target in the file; set the target utilization, \
                 or fixed units if there is no policy",
                self.label
            ));
        }
        notes
    }
}

/// Marks as unknown what a target may scale that does not say what it scales: anything that no
/// other target scales.
fn join_untold(target: &ScalingTarget, tables: &mut [TableDraft]) -> String {
    let unknown = |units: &mut UnitsDraft| {
        if units.min.is_none() {
            units.fixed = Some(Sourced::unknown(format!(
                "may be scaled by {}; cannot determine what that target scales",
                target.label
            )));
        }
    };
    let ways: &[bool] = match target.dimension.as_str() {
        "" => &[true, false],
        _ if target.reads() => &[true],
        _ => &[false],
    };
    let of_index = target.dimension.contains(":index:");
    let named = target.names().map(|(table, _)| table);
    let may_scale =
        |table: &&mut TableDraft| table.is_provisioned() && named.is_none_or(|name| table.is(name));
    for table in tables.iter_mut().filter(may_scale) {
        for reads in ways {
            if !of_index {
                unknown(units(*reads, &mut table.read, &mut table.write));
            }
            if of_index || target.dimension.is_empty() {
                for index in table.indexes.iter_mut().filter(|index| index.global) {
                    unknown(units(*reads, &mut index.read, &mut index.write));
                }
            }
        }
    }
    let what = if target.resource.starts_with(NOWHERE) {
        String::new()
    } else {
        format!(" ({:?})", target.resource)
    };
    format!(
        "{}: cannot determine what it scales{what}; set `read` and `write` of the table with min, \
         max and target",
        target.label
    )
}

/// Sets the bounds of a replica's reads, for the table (`None`) or an index: each region scales its
/// reads separately. With several indexes it is unknown which one is meant. Writes are the same in
/// every region, so a target for them is ignored.
fn of_replica(
    target: &ScalingTarget,
    region: &str,
    names: &[Option<&str>],
    table: &mut TableDraft,
) -> Option<String> {
    let (replicas, unread) = (&mut table.replicas, &mut table.unpriced);
    let Some(replica) = replicas
        .iter_mut()
        .find(|replica| replica.region.plain() == region)
    else {
        return Some(format!(
            "{}: the table has no replica in {region}; ignored",
            target.label
        ));
    };
    if !target.reads() {
        return None;
    }
    for name in names {
        let units = match name {
            None => &mut replica.read,
            Some(name) => replica.index(name).0,
        };
        if names.len() > 1 {
            units.fixed = Some(Sourced::unknown(format!(
                "{}: cannot determine which index it scales",
                target.label
            )));
            continue;
        }
        units.min = target.min.clone();
        units.max = target.max.clone();
        units.target = Some(
            target
                .percent
                .clone()
                .unwrap_or_else(|| Sourced::unknown("")),
        );
    }
    if let Some(step) = target.steps.first() {
        let words = "its schedule: a workload cannot describe the schedule of a replica";
        unread.push(unpriced(
            UnreadKind::Scaling,
            &format!("{}: {words}", target.label),
            "",
            step.schedule.origin.clone(),
        ));
    }
    target.percent.is_none().then(|| {
        format!(
            "{}: no scaling policy for this target in the file",
            target.label
        )
    })
}

impl ScheduledAction {
    /// The step as an element of `schedule`.
    fn toml(&self, reads: bool) -> Result<String, String> {
        let zone = self.timezone.as_deref().filter(|zone| !zone.is_empty());
        if let Some(zone) = zone.filter(|zone| zone.parse::<Tz>().is_err()) {
            return Err(format!("its time zone {zone} is not known"));
        }
        let zone = zone.filter(|zone| !matches!(*zone, "UTC" | "Etc/UTC" | "GMT" | "Etc/GMT"));
        if self.is_temporary {
            return Err(
                "it has a start or end time, but a workload repeats every week".to_string(),
            );
        }
        if self.min.is_none() && self.max.is_none() {
            return Err("it sets neither a minimum nor a maximum".to_string());
        }
        let word = if reads { "read" } else { "write" };
        let cron = five_fields(&self.schedule.plain())?;
        Schedule::minutes_of(&cron)?;
        let mut parts = vec![format!("cron = \"{cron}\"")];
        parts.extend(zone.map(|zone| format!("timezone = \"{zone}\"")));
        for (bound, name) in [(&self.min, "min"), (&self.max, "max")] {
            if let Some(bound) = bound {
                if bound.is_unknown() {
                    return Err(format!("its {name} is unknown"));
                }
                parts.push(format!("{name}_{word} = {}", bound.toml));
            }
        }
        Ok(format!("{{ {} }}", parts.join(", ")))
    }
}

/// AWS's names of weekdays 1 to 7.
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// AWS's field of weekdays, 1 (Sunday) to 7, with the names of the days.
pub(super) fn weekdays(field: &str) -> Option<String> {
    let number = |token: &str| -> Option<String> {
        match token.parse::<usize>() {
            Ok(day) => DAYS.get(day.checked_sub(1)?).map(|day| day.to_string()),
            Err(_) => Some(token.to_uppercase()).filter(|token| DAYS.contains(&token.as_str())),
        }
    };
    let part = |part: &str| -> Option<String> {
        if let Some((day, nth)) = part.split_once('#') {
            return Some(format!("{}#{nth}", number(day)?));
        }
        if let Some(day) = part.strip_suffix('L').filter(|day| !day.is_empty()) {
            return Some(format!("{}L", number(day)?));
        }
        match part.split_once('-') {
            Some((from, to)) => Some(format!("{}-{}", number(from)?, number(to)?)),
            None => number(part),
        }
    };
    match field {
        "*" | "?" => Some("*".to_string()),
        list => {
            let parts: Option<Vec<String>> = list.split(',').map(part).collect();
            Some(parts?.join(","))
        }
    }
}

/// Converts AWS's six cron fields (minute, hour, day of month, month, day of week, year) to the
/// five fields of a workload's weekly schedule.
///
/// Source: Application Auto Scaling User Guide, "Cron expressions reference": days of the week are
/// 1 (Sunday) to 7.
pub(super) fn five_fields(schedule: &str) -> Result<String, String> {
    let text = schedule.trim();
    let inner = text
        .strip_prefix("cron(")
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner else {
        return Err(
            "only cron(…) schedules can be imported, because a workload repeats every week"
                .to_string(),
        );
    };
    let fields: Vec<&str> = inner.split_whitespace().collect();
    let (&[minute, hour, day, month, weekday] | &[minute, hour, day, month, weekday, _]) =
        fields.as_slice()
    else {
        return Err(format!(
            "an AWS cron expression has six fields, this one has {}",
            fields.len()
        ));
    };
    if let Some(year) = fields.get(5).filter(|year| **year != "*") {
        return Err(format!("it is limited to the year {year}"));
    }
    if !matches!(day, "*" | "?") || month != "*" {
        return Err(
            "it uses months or days of the month, but a workload repeats every week".to_string(),
        );
    }
    let weekday = weekdays(weekday)
        .filter(|days| !days.contains(['#', 'L']) || days.split(',').all(|day| DAYS.contains(&day)))
        .ok_or_else(|| format!("cannot read the weekdays {weekday:?}"))?;
    // In AWS's format `5/10` means from 5 in steps of 10; the five fields need a range: `5-59/10`.
    let stepped = |field: &str, last: u32| {
        let part = |part: &str| match part.split_once('/') {
            Some((from, step))
                if from.bytes().all(|byte| byte.is_ascii_digit()) && !from.is_empty() =>
            {
                format!("{from}-{last}/{step}")
            }
            _ => part.to_string(),
        };
        field.split(',').map(part).collect::<Vec<_>>().join(",")
    };
    Ok(format!(
        "{} {} * * {weekday}",
        stepped(minute, 59),
        stepped(hour, 23)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_of_aws_become_those_of_a_week() {
        assert_eq!(
            five_fields("cron(0 8 * * ? *)"),
            Ok("0 8 * * *".to_string())
        );
        assert_eq!(
            five_fields("cron(30 18 ? * 2-6 *)"),
            Ok("30 18 * * MON-FRI".to_string())
        );
        assert_eq!(
            five_fields("cron(0/30 8-17,4/6 ? * MON-FRI *)"),
            Ok("0-59/30 8-17,4-23/6 * * MON-FRI".to_string())
        );
        assert_eq!(
            five_fields("cron(0 8 ? * sat,1 *)"),
            Ok("0 8 * * SAT,SUN".to_string())
        );
        for wrong in [
            "rate(1 day)",
            "at(2026-01-01T00:00:00)",
            "cron(0 8 1 * ? *)",
            "cron(0 8 ? * 2#1 *)",
            "cron(0 8 * * ? 2027)",
            "cron(0)",
        ] {
            assert!(five_fields(wrong).is_err(), "{wrong}");
        }
    }
}
