//! A document with the place of every value: JSON, or YAML with short tags expanded.

mod event;
mod json;
mod libyaml;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::diag::{Diagnostic, Source};

/// The maximum nesting depth of a document; templates reach about a dozen.
const DEPTH_MAX: usize = 100;

/// The maximum number of values in a document after expanding aliases: a few short lines of YAML
/// can expand to billions.
const NODES_MAX: usize = 500_000;

/// A value and its byte range in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceNode {
    pub value: Value,
    pub span: Range<usize>,
}

/// A JSON or YAML value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// The number as written.
    Number(String),
    Text(String),
    List(Vec<SourceNode>),
    Map(Vec<(NodeKey, SourceNode)>),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NodeKey {
    pub name: String,
    pub span: Range<usize>,
}

impl SourceNode {
    pub fn new(value: Value, span: Range<usize>) -> SourceNode {
        SourceNode { value, span }
    }

    /// The entries of a map; empty for other values.
    pub fn entries(&self) -> &[(NodeKey, SourceNode)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The elements of a list; empty for other values.
    pub fn elements(&self) -> &[SourceNode] {
        match &self.value {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    /// The value of a key; `None` if it is missing or null.
    pub fn get(&self, key: &str) -> Option<&SourceNode> {
        self.entries()
            .iter()
            .find(|(known, _)| known.name == key)
            .map(|(_, node)| node)
            .filter(|node| node.value != Value::Null)
    }

    /// The value at a path of keys.
    pub fn at(&self, keys: &[&str]) -> Option<&SourceNode> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The elements of the list under a key; empty if there is none.
    pub fn list(&self, key: &str) -> &[SourceNode] {
        self.get(key).map(SourceNode::elements).unwrap_or_default()
    }

    /// The first element of the list under a key; Terraform writes single blocks as lists of one
    /// element.
    pub fn block(&self, key: &str) -> Option<&SourceNode> {
        self.list(key).first()
    }

    /// Whether a text within it contains a word, in small letters.
    pub fn mentions(&self, word: &str) -> bool {
        let text = self
            .text()
            .is_some_and(|text| text.to_ascii_lowercase().contains(word));
        let in_list = self.elements().iter().any(|node| node.mentions(word));
        text || in_list || self.entries().iter().any(|(_, node)| node.mentions(word))
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text under a key.
    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// A boolean, which templates may write as a text.
    pub fn truth(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            // CloudFormation reads YAML 1.1, in which all of these are booleans.
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A text, number or boolean as written.
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(Cow::Borrowed(text)),
            Value::Bool(value) => Some(Cow::Owned(value.to_string())),
            _ => None,
        }
    }

    /// The kind of the value, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// An error in a document.
pub(super) fn wrong(
    source: &Arc<Source>,
    span: Range<usize>,
    code: &'static str,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Diagnostic {
    Diagnostic {
        source: Some(source.clone()),
        span,
        code,
        message: message.into(),
        help: help.into(),
    }
}

/// A document that was read.
#[derive(Clone, Debug)]
pub(super) struct Document {
    pub node: SourceNode,
    /// Keys that a map contains twice; the last one counts. They are errors where they are in what is
    /// read.
    pub duplicates: Vec<Diagnostic>,
}

/// Reads a document: JSON if it begins with `{` or `[`, else YAML.
///
/// # Errors
/// The first error in it.
pub(super) fn read(source: &Arc<Source>) -> Result<Document, Box<Diagnostic>> {
    let is_json = source
        .text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '[']);
    let mut keys = Keys::new(source);
    let node = match is_json {
        true => json::read(&mut keys),
        false => yaml::read(&mut keys),
    };
    Ok(Document {
        node: node.map_err(Box::new)?,
        duplicates: keys.duplicates,
    })
}

/// The keys of the maps of a document that is being read.
struct Keys<'a> {
    source: &'a Arc<Source>,
    duplicates: Vec<Diagnostic>,
}

impl<'a> Keys<'a> {
    fn new(source: &'a Arc<Source>) -> Keys<'a> {
        Keys {
            source,
            duplicates: Vec::new(),
        }
    }

    /// The entries of a map with each key once: the last one counts, as PyYAML and JSON readers take
    /// it.
    fn unique(&mut self, entries: Vec<(NodeKey, SourceNode)>) -> Vec<(NodeKey, SourceNode)> {
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, (key, _)) in entries.iter().enumerate() {
            let Some(first) = last.insert(&key.name, at) else {
                continue;
            };
            let (line, _) = self.source.line_column(entries[first].0.span.start);
            let message = format!(
                "duplicate key {:?}, first defined on line {line}",
                shown(&key.name)
            );
            self.duplicates.push(wrong(
                self.source,
                key.span.clone(),
                "duplicate-key",
                message,
                "remove one of them",
            ));
        }
        if last.len() == entries.len() {
            return entries;
        }
        let kept: Vec<usize> = last.into_values().collect();
        let entries = entries.into_iter().enumerate();
        let kept = entries.filter(|(at, _)| kept.contains(at));
        kept.map(|(_, entry)| entry).collect()
    }
}

fn too_deep(source: &Arc<Source>, span: Range<usize>) -> Diagnostic {
    let message = format!("values are nested more than {DEPTH_MAX} levels deep");
    wrong(
        source,
        span.start..span.start + 1,
        "too-deep",
        message,
        "plans and templates are never nested this deeply; check that this is the right file",
    )
}

/// A text shortened for messages.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(60)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<SourceNode, String> {
        read(&Source::new("t", text))
            .map(|read| read.node)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn json_and_yaml_of_the_same_meaning_are_the_same() {
        let json =
            read_text(r#"{"A": {"Fn::Sub": "x-${B}"}, "L": [1, "2", true, null], "R": {"Ref": "P"}, "G": {"Fn::GetAtt": ["T", "Arn"]}}"#)
                .expect("reads");
        let yaml =
            read_text("A: !Sub x-${B}\nL: [1, '2', true, null]\nR: !Ref P\nG: !GetAtt T.Arn\n")
                .expect("reads");
        fn plain(node: &SourceNode) -> String {
            match &node.value {
                Value::Map(entries) => entries
                    .iter()
                    .map(|(key, node)| format!("{}={};", key.name, plain(node)))
                    .collect(),
                Value::List(elements) => elements
                    .iter()
                    .map(|node| format!("[{}]", plain(node)))
                    .collect(),
                other => format!("{other:?}"),
            }
        }
        assert_eq!(plain(&json), plain(&yaml));
    }

    #[test]
    fn what_other_readers_take_is_taken() {
        // A closing bracket at the indentation of its key, as PyYAML and cfn-lint read it.
        let yaml = "R:\n  Größe: 1\n  A: [\n    \"a\",\n    !Ref B\n  ]\n  C: 2\n";
        let source = Source::new("t.yaml", yaml);
        let node = read(&source).expect("reads").node;
        let list = node.at(&["R", "A"]).expect("a list").elements();
        assert_eq!(list[0].text(), Some("a"));
        assert_eq!(list[1].text_at("Ref"), Some("B"));
        assert_eq!(&source.text[list[0].span.clone()], "\"a\"");
        // Several documents of JSON, one after the other.
        let node = read_text("{\"a\": 1}\n{\"a\": 2}\n").expect("reads");
        let second = &node.elements()[1];
        assert_eq!(
            second.get("a").and_then(SourceNode::scalar).as_deref(),
            Some("2")
        );
        assert_eq!(second.span, 9..17);
        // What fails for both readers is an error of the first.
        assert!(
            read_text("a: [1\n")
                .expect_err("refused")
                .contains("not YAML")
        );
    }

    #[test]
    fn a_value_knows_its_place() {
        let source = Source::new("t.yaml", "Größe:\n  Name: Orders\n");
        let node = read(&source).expect("reads").node;
        let name = node.at(&["Größe", "Name"]).expect("reads");
        assert_eq!(&source.text[name.span.clone()], "Orders");
        assert_eq!(source.line_column(name.span.start), (2, 9));
    }

    #[test]
    fn bombs_and_cycles_are_refused() {
        let bomb: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string())
            .chain((1..12).map(|at| {
                format!(
                    "a{at}: &a{at} [{}]\n",
                    vec![format!("*a{}", at - 1); 10].join(", ")
                )
            }))
            .collect();
        assert!(read_text(&bomb).expect_err("refused").contains("too-large"));
        assert!(read_text(&"[".repeat(100_000)).is_err());
        assert!(
            read_text(&format!("a: {}1{}", "[".repeat(200), "]".repeat(200)))
                .expect_err("refused")
                .contains("too-deep")
        );
        assert!(
            read_text(&format!("{}1{}", "[".repeat(200), "]".repeat(200)))
                .expect_err("refused")
                .contains("too-deep")
        );
        assert!(read_text("a: &a [*a]\n").is_err());
        let twice = read(&Source::new("t", "a: 1\nb: 3\na: 2\n")).expect("reads");
        assert_eq!(
            twice.node.get("a").and_then(SourceNode::scalar).as_deref(),
            Some("2")
        );
        assert_eq!(twice.duplicates.len(), 1);
        assert!(read_text("").is_err());
    }
}
