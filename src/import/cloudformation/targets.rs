//! Scaling targets, policies and scheduled actions.

use super::template::Template;
use super::*;
use crate::import::draft::Sourced;
use crate::import::node::{NodeKey, SourceNode};
use crate::import::scaling::{self, AWS_WORDS, ScalingTarget, ScheduledAction, Suspended};
use crate::unread::UnreadKind;

/// A target with its logical ID and its resource ID as it is written.
struct NamedTarget {
    name: String,
    written: Option<SourceNode>,
    target: ScalingTarget,
}

impl Template<'_> {
    /// Reads scalable targets with their policies and schedules.
    pub(super) fn targets(&mut self, created: &[(NodeKey, SourceNode)]) -> Vec<ScalingTarget> {
        let mut targets = Vec::new();
        for (key, resource) in of_type(created, "AWS::ApplicationAutoScaling::ScalableTarget") {
            targets.extend(self.target(&key.name, &properties_of(resource)));
        }
        for (key, resource) in of_type(created, "AWS::ApplicationAutoScaling::ScalingPolicy") {
            self.policy(&key.name, &properties_of(resource), &mut targets);
        }
        targets.into_iter().map(|named| named.target).collect()
    }

    fn target(&mut self, label: &str, properties: &SourceNode) -> Option<NamedTarget> {
        let namespace = self.text(properties, "ServiceNamespace", label);
        if namespace.is_some_and(|namespace| namespace != "dynamodb") {
            return None;
        }
        let mut target = ScalingTarget {
            resource: self
                .text(properties, "ResourceId", label)
                .unwrap_or_default(),
            dimension: self
                .text(properties, "ScalableDimension", label)
                .unwrap_or_default(),
            min: self.number(properties, "MinCapacity", label),
            max: self.number(properties, "MaxCapacity", label),
            label: label.to_string(),
            ..ScalingTarget::default()
        };
        if let Some(state) = properties.get("SuspendedState") {
            let resolved = self.resolver.resolve(state);
            let state = self.told(state, &format!("{label}: SuspendedState"), resolved);
            target.suspended = state
                .map(|state| Suspended::of(&state, AWS_WORDS))
                .unwrap_or_default();
        }
        for action in self.each(properties, "ScheduledActions", label) {
            target.steps.extend(self.scheduled_action(&action, label));
        }
        Some(NamedTarget {
            name: label.to_string(),
            written: properties.get("ResourceId").cloned(),
            target,
        })
    }

    fn scheduled_action(&mut self, action: &SourceNode, label: &str) -> Option<ScheduledAction> {
        let name = self
            .text(action, "ScheduledActionName", label)
            .unwrap_or_else(|| label.to_string());
        let schedule = self.text(action, "Schedule", label)?;
        let origin = self.origin(action);
        let timezone = self.text(action, "Timezone", label);
        let bounds = self.child(action, "ScalableTargetAction", label)?;
        Some(ScheduledAction {
            schedule: Sourced::text(&schedule, name, origin),
            timezone,
            is_temporary: action.get("StartTime").is_some() || action.get("EndTime").is_some(),
            min: self.number(&bounds, "MinCapacity", label),
            max: self.number(&bounds, "MaxCapacity", label),
        })
    }

    /// Adds the target utilization of a policy to its target.
    fn policy(&mut self, label: &str, properties: &SourceNode, targets: &mut [NamedTarget]) {
        let id = self.text(properties, "ScalingTargetId", label);
        let resource_id = self.text(properties, "ResourceId", label);
        let dimension = self.text(properties, "ScalableDimension", label);
        let tracking = "TargetTrackingScalingPolicyConfiguration";
        let Some(tracking) = self.child(properties, tracking, label) else {
            return;
        };
        let percent = match tracking.get("CustomizedMetricSpecification") {
            Some(_) => {
                let note = format!("{label}: {}", scaling::OWN_METRIC);
                Some(Sourced::unknown(note))
            }
            None => self.number(&tracking, "TargetValue", label),
        };
        let written = properties.get("ResourceId").map(unplaced);
        let is_own = |named: &&mut NamedTarget| {
            // A reference to a target resolves to its ID, which AWS derives from the resource and
            // the dimension. Values known only after deployment are taken as equal if they are
            // written the same way.
            let same = resource_id.as_ref() == Some(&named.target.resource)
                || resource_id.is_none() && named.written.as_ref().map(unplaced) == written;
            id.as_ref() == Some(&named.name)
                || (written.is_some()
                    && same
                    && dimension.as_ref() == Some(&named.target.dimension))
        };
        match targets.iter_mut().find(is_own) {
            Some(named) => named.target.percent = percent,
            None => {
                let words = format!("{label}: scales a target that is not in this template");
                self.unread(UnreadKind::Scaling, &words, properties);
            }
        }
    }
}
