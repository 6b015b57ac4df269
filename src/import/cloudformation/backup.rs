//! AWS Backup, and the readers of streams.

use super::template::Template;
use super::{of_type, properties_of};
use crate::import::backups::{self, BackupPlan, BackupSelection, Lifecycle, PlanCopy, PlanRule};
use crate::import::draft::Draft;
use crate::import::node::{NodeKey, SourceNode, Value};
use crate::table::Arn;

impl Template<'_> {
    /// Adds the backup plans of the template to the tables that they select.
    pub(super) fn backups(&mut self, created: &[(NodeKey, SourceNode)], draft: &mut Draft) {
        let plans: Vec<BackupPlan> = of_type(created, "AWS::Backup::BackupPlan")
            .map(|(key, resource)| self.backup_plan(&key.name, &properties_of(resource)))
            .collect();
        let selections: Vec<BackupSelection> = of_type(created, "AWS::Backup::BackupSelection")
            .filter_map(|(key, resource)| self.backup_selection(key, resource))
            .collect();
        backups::join(&plans, &selections, draft);
    }

    fn backup_plan(&mut self, label: &str, properties: &SourceNode) -> BackupPlan {
        let plan = self.child(properties, "BackupPlan", label);
        let rules = plan.map(|plan| self.each(&plan, "BackupPlanRule", label));
        let rules = rules.unwrap_or_default();
        BackupPlan {
            id: label.to_string(),
            rules: rules.iter().map(|rule| self.rule(rule, label)).collect(),
        }
    }

    fn rule(&mut self, rule: &SourceNode, label: &str) -> PlanRule {
        let name = self.text(rule, "RuleName", label);
        let copies = self.each(rule, "CopyActions", label);
        PlanRule {
            name: format!("{label}: {}", name.as_deref().unwrap_or("rule")),
            schedule: self.text(rule, "ScheduleExpression", label),
            life: self.lifecycle(rule, label),
            copies: copies
                .iter()
                .map(|copy| PlanCopy {
                    vault: self.text(copy, "DestinationBackupVaultArn", label),
                    life: self.lifecycle(copy, label),
                })
                .collect(),
            origin: self.origin(rule),
        }
    }

    fn lifecycle(&mut self, node: &SourceNode, label: &str) -> Lifecycle {
        let Some(life) = self.child(node, "Lifecycle", label) else {
            return Lifecycle::default();
        };
        let mut days = |key: &str| {
            let days = self.number(&life, key, label)?;
            (!days.is_unknown()).then_some(days.toml)
        };
        Lifecycle {
            delete_after: days("DeleteAfterDays"),
            cold_after: days("MoveToColdStorageAfterDays"),
        }
    }

    fn backup_selection(
        &mut self,
        key: &NodeKey,
        resource: &SourceNode,
    ) -> Option<BackupSelection> {
        let (label, properties) = (&key.name, properties_of(resource));
        let selection = self.child(&properties, "BackupSelection", label)?;
        let listed = self.each(&selection, "ListOfTags", label);
        let tags = listed.iter().filter_map(|tag| {
            let key = self.text(tag, "ConditionKey", label)?;
            Some((key, self.text(tag, "ConditionValue", label)?))
        });
        let tags: Vec<(String, String)> = tags.collect();
        let unresolved = tags.len() < selection.list("ListOfTags").len();
        Some(BackupSelection {
            plan: self.text(&properties, "BackupPlanId", label),
            resources: self.arns(&selection, "Resources"),
            excluded: self.arns(&selection, "NotResources"),
            tags,
            has_conditions: selection.get("Conditions").is_some() || unresolved,
            label: label.clone(),
            origin: self.origin(resource),
        })
    }

    /// The ARNs of a list; `None` for each that is not known.
    fn arns(&self, node: &SourceNode, key: &str) -> Vec<Option<String>> {
        // An ARN is the same in every account.
        let resolver = self.resolver.with_any_account();
        let Some(value) = node.get(key) else {
            return Vec::new();
        };
        let arn = |node: &SourceNode| {
            let resolved = resolver.resolve(node).ok().flatten()?;
            resolved.text().map(str::to_string)
        };
        match &value.value {
            Value::List(elements) => elements.iter().map(arn).collect(),
            _ => match resolver.resolve(value) {
                Ok(Some(list)) => list.elements().iter().map(arn).collect(),
                _ => vec![None],
            },
        }
    }

    /// Counts the readers of streams: event source mappings, events of SAM functions, and pipes.
    ///
    /// Source: Developer Guide, "Understanding DynamoDB billing for Streams" (rule 5.3): reads of
    /// Lambda triggers are free. `Assumption:` those of a pipe are charged, because the guide does
    /// not name them as free.
    pub(super) fn readers(&mut self, created: &[(NodeKey, SourceNode)], draft: &mut Draft) {
        for (_, resource) in of_type(created, "AWS::Lambda::EventSourceMapping") {
            let properties = properties_of(resource);
            let is_off = properties.get("Enabled").and_then(SourceNode::truth) == Some(false);
            if let (false, Some(table)) = (is_off, self.stream_of(&properties, "EventSourceArn")) {
                count(draft, &table, |readers| readers.0 += 1);
            }
        }
        for (_, resource) in of_type(created, "AWS::Serverless::Function") {
            let properties = properties_of(resource);
            let events = properties.get("Events").map(SourceNode::entries);
            for (_, event) in events.unwrap_or_default() {
                let is_stream = event.text_at("Type") == Some("DynamoDB");
                let Some(settings) = event.get("Properties").filter(|_| is_stream) else {
                    continue;
                };
                let is_off = settings.get("Enabled").and_then(SourceNode::truth) == Some(false);
                if let (false, Some(table)) = (is_off, self.stream_of(settings, "Stream")) {
                    count(draft, &table, |readers| readers.0 += 1);
                }
            }
        }
        for (_, resource) in of_type(created, "AWS::Pipes::Pipe") {
            let properties = properties_of(resource);
            let is_off = properties.text_at("DesiredState") == Some("STOPPED");
            if let (false, Some(table)) = (is_off, self.stream_of(&properties, "Source")) {
                count(draft, &table, |readers| readers.1 += 1);
            }
        }
    }

    /// The table whose stream a property names.
    fn stream_of(&self, properties: &SourceNode, key: &str) -> Option<String> {
        let resolved = self.resolver.resolve(properties.get(key)?).ok().flatten()?;
        let arn = resolved.text()?;
        arn.contains(":dynamodb:")
            .then(|| Arn::of(arn).table().to_string())
    }
}

fn count(draft: &mut Draft, table: &str, add: impl FnOnce(&mut (u64, u64))) {
    if let Some(table) = draft.tables.iter_mut().find(|one| one.is(table)) {
        add(&mut table.readers);
    }
}
