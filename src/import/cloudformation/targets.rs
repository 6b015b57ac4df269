//! Scaling targets, policies and scheduled actions.

use super::template::Template;
use super::*;
use crate::import::draft::Sourced;
use crate::import::node::{NodeKey, SourceNode};
use crate::import::scaling::{self, AWS_WORDS, ScalingTarget, ScheduledAction, Suspended};

impl Template<'_> {
    /// Reads scalable targets with their policies and schedules.
    pub(super) fn targets(
        &mut self,
        there: &[(NodeKey, SourceNode)],
        of: &dyn Fn(&SourceNode) -> SourceNode,
    ) -> Vec<ScalingTarget> {
        let mut targets: Vec<(String, Option<SourceNode>, ScalingTarget)> = Vec::new();
        for (key, resource) in there.iter().filter(|(_, node)| {
            node.text_at("Type") == Some("AWS::ApplicationAutoScaling::ScalableTarget")
        }) {
            let (label, properties) = (&key.name, of(resource));
            if self
                .text(&properties, "ServiceNamespace", label)
                .is_some_and(|namespace| namespace != "dynamodb")
            {
                continue;
            }
            let mut target = ScalingTarget {
                resource: self
                    .text(&properties, "ResourceId", label)
                    .unwrap_or_default(),
                dimension: self
                    .text(&properties, "ScalableDimension", label)
                    .unwrap_or_default(),
                min: self.number(&properties, "MinCapacity", label),
                max: self.number(&properties, "MaxCapacity", label),
                label: label.clone(),
                ..ScalingTarget::default()
            };
            if let Some(state) = properties.get("SuspendedState") {
                let resolved = self.resolver.resolve(state);
                let state = self.told(state, &format!("{label}: SuspendedState"), resolved);
                target.suspended = state
                    .map(|state| Suspended::of(&state, AWS_WORDS))
                    .unwrap_or_default();
            }
            for action in self.each(&properties, "ScheduledActions", label) {
                let name = self
                    .text(&action, "ScheduledActionName", label)
                    .unwrap_or_else(|| label.clone());
                let Some(schedule) = self.text(&action, "Schedule", label) else {
                    continue;
                };
                let origin = self.origin(&action);
                let timezone = self.text(&action, "Timezone", label);
                let Some(bounds) = self.child(&action, "ScalableTargetAction", label) else {
                    continue;
                };
                let (min, max) = (
                    self.number(&bounds, "MinCapacity", label),
                    self.number(&bounds, "MaxCapacity", label),
                );
                let is_temporary =
                    action.get("StartTime").is_some() || action.get("EndTime").is_some();
                target.steps.push(ScheduledAction {
                    schedule: Sourced::text(&schedule, name, origin),
                    timezone,
                    is_temporary,
                    min,
                    max,
                });
            }
            targets.push((label.clone(), properties.get("ResourceId").cloned(), target));
        }
        for (key, resource) in there.iter().filter(|(_, node)| {
            node.text_at("Type") == Some("AWS::ApplicationAutoScaling::ScalingPolicy")
        }) {
            let (label, properties) = (&key.name, of(resource));
            let id = self.text(&properties, "ScalingTargetId", label);
            let resource_id = self.text(&properties, "ResourceId", label);
            let dimension = self.text(&properties, "ScalableDimension", label);
            let Some(tracking) = self.child(
                &properties,
                "TargetTrackingScalingPolicyConfiguration",
                label,
            ) else {
                continue;
            };
            let percent = match tracking.get("CustomizedMetricSpecification") {
                Some(_) => Some(Sourced::unknown(format!(
                    "{label}: {}",
                    scaling::OWN_METRIC
                ))),
                None => self.number(&tracking, "TargetValue", label),
            };
            let written = properties.get("ResourceId").map(unplaced);
            let mine = |(name, of, target): &&mut (String, Option<SourceNode>, ScalingTarget)| {
                // A reference to a target resolves to its ID, which AWS derives from the resource
                // and the dimension. Values known only after deployment are taken as equal if they
                // are written the same way.
                let same = resource_id.as_ref() == Some(&target.resource)
                    || resource_id.is_none() && of.as_ref().map(unplaced) == written;
                id.as_ref() == Some(name)
                    || (written.is_some() && same && dimension.as_ref() == Some(&target.dimension))
            };
            match targets.iter_mut().find(mine) {
                Some((.., target)) => target.percent = percent,
                None => self.notes.push(format!(
                    "{label}: scales a target that is not in this template; ignored"
                )),
            }
        }
        targets.into_iter().map(|(.., target)| target).collect()
    }
}
