//! A template that is being read: values, expressions resolved as far as the template allows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::intrinsic::{Resolver, Unresolved};
use super::*;
use crate::diag::{Diagnostic, Source};
use crate::import::draft::{Origin, Sourced, unpriced};
use crate::import::node::{SourceNode, Value, shown, wrong};
use crate::import::shared::KmsKeys;
use crate::units::Exact;
use crate::unread::UnreadKind;

/// A template that is being read.
pub(super) struct Template<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) resolver: Resolver<'a>,
    pub(super) problems: &'a mut Vec<Diagnostic>,
    pub(super) notes: Vec<String>,
    /// What is not read and belongs to no table.
    pub(super) unread: Vec<Sourced>,
    /// Why it is not known whether resources are created, by their logical IDs.
    pub(super) conditional: BTreeMap<String, String>,
    /// The stacks nested in this one, to be read after it.
    pub(super) nested: Vec<NestedStack>,
    /// Whether nested templates that lie beside the template may be read.
    pub(super) reads_beside: bool,
    /// Settings of the current table that are known only after deployment and affect its cost.
    pub(super) untold: Vec<Sourced>,
    /// Customer managed keys that are already charged to a table.
    pub(super) kms_keys: &'a mut KmsKeys,
}

impl Template<'_> {
    pub(super) fn origin(&self, node: &SourceNode) -> Origin {
        Some((self.source.clone(), node.span.clone()))
    }

    pub(super) fn problem(
        &mut self,
        node: &SourceNode,
        code: &'static str,
        message: String,
        help: &str,
    ) {
        let span = node.span.start..node.span.end.min(node.span.start + 200);
        self.problems
            .push(wrong(self.source, span, code, message, help));
    }

    /// The value of an expression. An unresolved expression becomes a note; a cycle is an error.
    pub(super) fn told(
        &mut self,
        node: &SourceNode,
        label: &str,
        result: Result<Option<SourceNode>, Unresolved>,
    ) -> Option<SourceNode> {
        match result {
            Ok(value) => value,
            Err(Unresolved {
                why, cycle: true, ..
            }) => {
                self.problem(
                    node,
                    "cycle",
                    format!("{label}: {why}"),
                    "break the cycle: replace one of the references by a value",
                );
                None
            }
            Err(Unresolved { why, .. }) => {
                self.notes.push(format!("{label}: {why}"));
                None
            }
        }
    }

    /// A property with its outermost `Fn::If`, `Ref` or `Fn::FindInMap` resolved, but not the
    /// values within it. If a condition is unresolved, chooses the branch that is not
    /// `AWS::NoValue` and also returns the reason.
    pub(super) fn open(
        &self,
        node: &SourceNode,
    ) -> Result<(Option<SourceNode>, Option<String>), Unresolved> {
        let (mut node, mut taken) = (node.clone(), None);
        for _ in 0..50 {
            let [(key, argument)] = node.entries() else {
                return Ok((Some(node), taken));
            };
            match (key.name.as_str(), argument.elements()) {
                ("Fn::If", [name, yes, no]) => {
                    let is_nothing =
                        |node: &SourceNode| node.text_at("Ref") == Some("AWS::NoValue");
                    let holds = match self.resolver.holds(name.text().unwrap_or_default()) {
                        Err(error) if error.cycle => return Err(error),
                        // Either of two values may apply.
                        Err(error) if !is_nothing(yes) && !is_nothing(no) => return Err(error),
                        Err(error) => {
                            taken = Some(error.why);
                            !is_nothing(yes)
                        }
                        Ok(holds) => holds,
                    };
                    node = if holds { yes.clone() } else { no.clone() };
                }
                (function, _) if function == "Ref" || function.starts_with("Fn::") => {
                    return self.resolver.resolve(&node).map(|node| (node, taken));
                }
                _ => return Ok((Some(node), taken)),
            }
        }
        Err(Unresolved {
            why: "its conditions are nested too deeply".to_string(),
            cycle: true,
            malformed: false,
        })
    }

    pub(super) fn opened(&mut self, node: &SourceNode, label: &str) -> Option<SourceNode> {
        let (opened, taken) = match self.open(node) {
            Ok((opened, taken)) => (Ok(opened), taken),
            Err(error) => (Err(error), None),
        };
        if let Some(why) = taken {
            let words = format!("{label}: {UNTOLD_CONDITION}: {why}");
            let origin = self.origin(node);
            self.untold
                .push(unpriced(UnreadKind::Condition, &words, "", origin));
        }
        if matches!(&opened, Err(error) if !error.cycle) {
            self.not_told(node, label.to_string());
        }
        self.told(node, label, opened)
    }

    /// Records a setting that affects the cost but is known only after deployment.
    pub(super) fn not_told(&mut self, node: &SourceNode, what: String) {
        let why = self.resolver.resolve(node).err();
        let why = why.map_or("only known once the stack is deployed".to_string(), |why| {
            why.why
        });
        self.untold.push(unpriced(
            UnreadKind::AfterApply,
            &format!("{what}: {why}"),
            "",
            self.origin(node),
        ));
    }

    pub(super) fn child(
        &mut self,
        node: &SourceNode,
        key: &str,
        label: &str,
    ) -> Option<SourceNode> {
        let value = node.get(key)?;
        self.opened(value, &format!("{label}: {key}"))
    }

    /// The elements of a list, without those that are removed or unresolved.
    pub(super) fn each(&mut self, node: &SourceNode, key: &str, label: &str) -> Vec<SourceNode> {
        let Some(list) = self.child(node, key, label) else {
            return Vec::new();
        };
        if !matches!(list.value, Value::List(_)) {
            self.problem(
                &list,
                "wrong-type",
                format!("{label}: {key} must be a list, found {}", list.kind()),
                "write a list, with a - or in [ ]",
            );
            return Vec::new();
        }
        let elements: Vec<SourceNode> = list.elements().to_vec();
        elements
            .iter()
            .filter_map(|element| self.opened(element, &format!("{label}: {key}")))
            .collect()
    }

    pub(super) fn text(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<String> {
        let value = node.get(key)?;
        let resolved = self.resolver.resolve(value);
        let resolved = self.told(value, &format!("{label}: {key}"), resolved)?;
        match resolved.scalar() {
            Some(text) => Some(text.into_owned()),
            None => {
                self.problem(
                    value,
                    "wrong-type",
                    format!("{label}: {key} must be a text, found {}", resolved.kind()),
                    "write a text",
                );
                None
            }
        }
    }

    /// Whether a setting is on; `None` if it is unresolved.
    pub(super) fn truth(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<bool> {
        let value = node.get(key)?;
        let resolved = self.resolver.resolve(value);
        if matches!(&resolved, Err(error) if !error.cycle) {
            self.not_told(value, format!("{label}: {key}, on or off"));
        }
        let told = self.told(value, &format!("{label}: {key}"), resolved)?;
        let truth = told.truth();
        if truth.is_none() {
            let found = told.scalar().map_or_else(
                || told.kind().to_string(),
                |text| format!("{:?}", shown(&text)),
            );
            self.problem(
                value,
                "wrong-type",
                format!("{label}: {key} must be true or false, found {found}"),
                "write true or false",
            );
        }
        truth
    }

    /// The same for settings that can be unknown in a workload: `Some(None)` if unresolved.
    pub(super) fn truth_or_unknown(
        &mut self,
        node: &SourceNode,
        key: &str,
        label: &str,
    ) -> Option<Option<bool>> {
        let before = self.untold.len();
        let truth = self.truth(node, key, label);
        let told = self.untold.len() == before;
        self.untold.truncate(before);
        if told { truth.map(Some) } else { Some(None) }
    }

    /// A number of units; unknown, with the reason, if it is unresolved.
    pub(super) fn number(&mut self, node: &SourceNode, key: &str, label: &str) -> Option<Sourced> {
        let value = node.get(key)?;
        let origin = self.origin(value);
        match self.resolver.resolve(value) {
            Ok(None) => None,
            Ok(Some(resolved)) => {
                let text = resolved
                    .scalar()
                    .filter(|text| Exact::parse(text).is_some_and(|number| !number.is_negative()));
                let Some(text) = text else {
                    let found = resolved.scalar().map_or_else(
                        || resolved.kind().to_string(),
                        |text| format!("{:?}", shown(&text)),
                    );
                    self.problem(
                        value,
                        "wrong-type",
                        format!("{label}: {key} must be a number, found {found}"),
                        "write a number",
                    );
                    return None;
                };
                Some(Sourced::new(
                    text.trim().to_string(),
                    format!("{label}: {key}"),
                    origin,
                ))
            }
            Err(error) if error.cycle => {
                self.told(value, &format!("{label}: {key}"), Err(error));
                None
            }
            Err(Unresolved { why, .. }) => Some(Sourced {
                origin,
                ..Sourced::unknown(format!("{label}: {key}: {why}"))
            }),
        }
    }

    pub(super) fn number_or_none(
        &mut self,
        node: &SourceNode,
        key: &str,
        label: &str,
    ) -> Option<Sourced> {
        let resolved = node
            .get(key)
            .and_then(|value| self.resolver.resolve(value).ok().flatten());
        let none = resolved
            .as_ref()
            .and_then(SourceNode::scalar)
            .is_some_and(|text| text == "-1");
        if none {
            None
        } else {
            self.number(node, key, label)
        }
    }
}
