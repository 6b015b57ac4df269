//! Application Auto Scaling: targets, policies and scheduled actions, joined to the tables and
//! indexes that they move.

use super::draft::{ReplicaDraft, Sourced, TableDraft, UnitsDraft};
use super::node::SourceNode;

/// What moves the capacity of one direction of a table or an index.
#[derive(Clone, Debug, Default)]
pub(super) struct ScalingTarget {
    /// `table/NAME` or `table/NAME/index/INDEX`.
    pub resource: String,
    /// `dynamodb:table:ReadCapacityUnits` and the like.
    pub dimension: String,
    pub min: Option<Sourced>,
    pub max: Option<Sourced>,
    /// The utilization that a target-tracking policy keeps, in percent.
    pub percent: Option<Sourced>,
    pub steps: Vec<ScheduledAction>,
    /// The region of a replica, where it is that of one.
    pub region: Option<String>,
    pub suspended: Suspended,
    /// What the file calls it.
    pub label: String,
}

/// A scheduled action.
#[derive(Clone, Debug)]
pub(super) struct ScheduledAction {
    /// As AWS writes it: `cron(…)`, `rate(…)`, `at(…)`.
    pub schedule: Sourced,
    pub timezone: Option<String>,
    /// Whether it begins or ends at a moment.
    pub is_temporary: bool,
    pub min: Option<Sourced>,
    pub max: Option<Sourced>,
}

/// Before the name of a target of which nobody can tell what it scales.
pub(super) const NOWHERE: &str = "?";

/// Why there is no target of the utilization.
pub(super) const OWN_METRIC: &str = "follows a metric of its own, not the utilization";

/// What of a target somebody has stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Suspended {
    pub scale_in: bool,
    pub scale_out: bool,
    pub schedule: bool,
}

/// The words of CloudFormation and of AWS's answers for it.
pub(super) const AWS_WORDS: [&str; 3] = [
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
];

impl Suspended {
    /// Of a state, by its words.
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
pub(super) fn join(targets: Vec<ScalingTarget>, tables: &mut [TableDraft]) -> Vec<String> {
    let mut notes = Vec::new();
    let (targets, untold): (Vec<ScalingTarget>, Vec<ScalingTarget>) = targets
        .into_iter()
        .partition(|target| target.names().is_some());
    let untold = untold
        .into_iter()
        .filter(|target| target.dimension.starts_with("dynamodb:") || target.dimension.is_empty());
    for mut target in targets {
        if target.suspended.schedule && !target.steps.is_empty() {
            notes.push(format!(
                "{}: its schedule is suspended, and is left out",
                target.label
            ));
            target.steps.clear();
        }
        match target.suspended {
            Suspended {
                scale_in: true,
                scale_out: true,
                ..
            } => {
                notes.push(format!(
                    "{}: scaling is suspended, and is left out",
                    target.label
                ));
                target.percent = None;
                if target.steps.is_empty() {
                    continue;
                }
            }
            // In the other direction it goes on, to where nobody can tell.
            Suspended {
                scale_in,
                scale_out,
                ..
            } if scale_in || scale_out => {
                target.percent = Some(Sourced::unknown(format!(
                    "{}: scaling is suspended in one direction",
                    target.label
                )));
            }
            _ => {}
        }
        let Some((table_name, index_name)) = target.names() else {
            continue;
        };
        let Some(table) = tables.iter_mut().find(|table| table.is(table_name)) else {
            notes.push(format!(
                "{}: scales {}, which is not in this file",
                target.label, target.resource
            ));
            continue;
        };
        if !table.is_provisioned() {
            table.notes.push(format!(
                "{}: has no effect, since the table is on demand",
                target.label
            ));
            continue;
        }
        let reads = target.reads();
        let global = table.global_names();
        // An index of which the plan does not say the name: the only one, else any of them.
        let of_some_index = index_name == Some("*")
            || (index_name.is_none() && target.dimension.contains(":index:"));
        if let Some(region) = &target.region {
            let names = match (of_some_index, index_name) {
                (true, _) => global.iter().map(|name| Some(name.as_str())).collect(),
                (false, name) => vec![name],
            };
            let is_lost = |name: &Option<&str>| {
                name.is_some_and(|name| !global.iter().any(|known| known == name))
            };
            match names.iter().find(|name| is_lost(name)) {
                Some(name) => {
                    let name = name.unwrap_or_default();
                    table.notes.push(format!(
                        "{}: scales the index {name}, which the table does not have",
                        target.label
                    ));
                }
                None => {
                    table
                        .notes
                        .extend(of_replica(&target, region, &names, &mut table.replicas))
                }
            }
            continue;
        }
        if of_some_index && global.len() != 1 {
            for index in table.indexes.iter_mut().filter(|index| index.global) {
                let units = if reads {
                    &mut index.read
                } else {
                    &mut index.write
                };
                *units = UnitsDraft {
                    fixed: Some(Sourced::unknown(format!(
                        "{}: which index it scales cannot be told",
                        target.label
                    ))),
                    ..UnitsDraft::default()
                };
            }
            table.notes.push(format!(
                "{}: which index it scales cannot be told",
                target.label
            ));
            continue;
        }
        let index_name = if of_some_index {
            global.first().map(String::as_str)
        } else {
            index_name
        };
        let (units, schedule): (&mut UnitsDraft, &mut Vec<Sourced>) = match index_name {
            None => (
                if reads {
                    &mut table.read
                } else {
                    &mut table.write
                },
                &mut table.schedule,
            ),
            Some(name) => match table
                .indexes
                .iter_mut()
                .find(|index| index.name.plain() == name)
            {
                Some(index) => (
                    if reads {
                        &mut index.read
                    } else {
                        &mut index.write
                    },
                    &mut index.schedule,
                ),
                None => {
                    table.notes.push(format!(
                        "{}: scales the index {name}, which the table does not have",
                        target.label
                    ));
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
                Ok(toml) => schedule.push(Sourced::new(
                    toml,
                    step.schedule.note.clone(),
                    step.schedule.origin.clone(),
                )),
                Err(why) => unsaid.push(format!(
                    "{}: its schedule {} is not taken over: {why}",
                    target.label,
                    step.schedule.plain()
                )),
            }
        }
        if target.percent.is_none() && target.steps.is_empty() {
            units.min = target.min.clone();
            units.max = target.max.clone();
            units.target = Some(Sourced::unknown(""));
            unsaid.push(format!(
                "{}: no policy here moves the units between its bounds; give the target, or the \
                 units if there is none",
                target.label
            ));
        }
        table.notes.extend(unsaid);
    }
    for target in untold {
        let what = if target.resource.starts_with(NOWHERE) {
            String::new()
        } else {
            format!(" ({:?})", target.resource)
        };
        notes.push(format!(
            "{}: what it scales cannot be told{what}; give the table `read` and `write` with min, \
             max and target",
            target.label
        ));
        // It may be any that nothing else scales.
        let unknown = |units: &mut UnitsDraft| {
            if units.min.is_none() {
                units.fixed = Some(Sourced::unknown(format!(
                    "{}, of which nobody can tell what it scales, may scale it",
                    target.label
                )));
            }
        };
        let ways: &[bool] = match target.dimension.as_str() {
            "" => &[true, false],
            _ if target.reads() => &[true],
            _ => &[false],
        };
        for table in tables.iter_mut().filter(|table| table.is_provisioned()) {
            for reads in ways {
                if !target.dimension.contains(":index:") {
                    unknown(if *reads {
                        &mut table.read
                    } else {
                        &mut table.write
                    });
                }
                if target.dimension.is_empty() || target.dimension.contains(":index:") {
                    let global = table.indexes.iter_mut().filter(|index| index.global);
                    global.for_each(|index| {
                        unknown(if *reads {
                            &mut index.read
                        } else {
                            &mut index.write
                        })
                    });
                }
            }
        }
    }
    notes
}

/// Bounds of a replica's reads, of the table (`None`) or of an index: each region scales its own.
/// Of several indexes nobody can tell which is meant. Its writes are those of the table everywhere.
fn of_replica(
    target: &ScalingTarget,
    region: &str,
    names: &[Option<&str>],
    replicas: &mut [ReplicaDraft],
) -> Option<String> {
    let Some(replica) = replicas
        .iter_mut()
        .find(|replica| replica.region.plain() == region)
    else {
        return Some(format!(
            "{}: the table has no replica in {region}",
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
                "{}: which index it scales cannot be told",
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
    let schedule = (!target.steps.is_empty()).then(|| {
        format!(
            "{}: a schedule of a replica has no place in a workload",
            target.label
        )
    });
    let policy = target.percent.is_none().then(|| {
        format!(
            "{}: no policy here moves the units between its bounds",
            target.label
        )
    });
    schedule.or(policy)
}

impl ScheduledAction {
    /// As an element of `schedule`.
    fn toml(&self, reads: bool) -> Result<String, String> {
        if let Some(zone) = self
            .timezone
            .as_ref()
            .filter(|zone| !matches!(zone.as_str(), "" | "UTC" | "Etc/UTC" | "GMT" | "Etc/GMT"))
        {
            return Err(format!(
                "its hours are those of {zone}, and a workload's are UTC"
            ));
        }
        if self.is_temporary {
            return Err(
                "it begins or ends at a moment, and a workload repeats week by week".to_string(),
            );
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
/// Source: Application Auto Scaling User Guide, "Cron expressions reference": days of the week are
/// 1 (Sunday) to 7.
pub(super) fn five_fields(schedule: &str) -> Result<String, String> {
    let text = schedule.trim();
    let inner = text
        .strip_prefix("cron(")
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner else {
        return Err("a workload repeats week by week, which only cron(…) says".to_string());
    };
    let fields: Vec<&str> = inner.split_whitespace().collect();
    let (&[minute, hour, day, month, weekday] | &[minute, hour, day, month, weekday, _]) =
        fields.as_slice()
    else {
        return Err(format!(
            "a cron expression of AWS has six fields, this one {}",
            fields.len()
        ));
    };
    if let Some(year) = fields.get(5).filter(|year| **year != "*") {
        return Err(format!("it is of the year {year} only"));
    }
    if !matches!(day, "*" | "?") || month != "*" {
        return Err(
            "it follows days of the month, and a workload repeats week by week".to_string(),
        );
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
            parts
                .ok_or_else(|| format!("the weekdays {list:?} are no list of days"))?
                .join(",")
        }
    };
    // AWS counts from a number on; five fields count within a range.
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
